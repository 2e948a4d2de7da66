/* pages -- what the writers of a report share: the releases with their figures, and the writers. */
#ifndef ASSAY_REPORTS_PAGES_H
#define ASSAY_REPORTS_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/text.h"
#include "reports/curves.h"
#include "reports/figures.h"
#include "reports/galleries.h"
#include "reports/neighbours.h"
#include "reports/quality.h"
#include "reports/report.h"

typedef struct {
    const assay_evidence *evidence; /* borrowed */
    assay_figures figures;
    assay_curves curves;
    char *name; /* "baseline 1.1", made distinct by a number where two releases have the same */
    uint32_t headline;       /* the operating point that groups are shown at; where there is none */
    const char *no_headline; /* why not, and these stand for it: no threshold, no rate */
    assay_operating_point no_point;
    assay_group_point no_group_point;
    assay_quality_figures quality; /* at the headline point, as ageing */
    assay_ageing_figures ageing;
    assay_galleries galleries; /* at the headline point; or: */
    const char *galleries_reason;
    assay_neighbour_point *resemblance; /* [neighbour_count][point_count]; or: */
    const char *resemblance_fault;
} assay_report_release;

struct assay_release_comparison;
typedef struct {
    assay_report_release *releases; /* [count], at least one; all of one data set */
    size_t count;
    assay_report_release *mixed; /* [mixed_count]: references of one of them, probes of another;
                                    figures of everybody alone */
    size_t mixed_count;
    bool same_protocol; /* all releases were compared under one protocol */
    bool mean_of_pair;  /* ages of mated comparisons are means of both samples' */
    double worse_limit; /* ratio of a group to the others that is judged beside 1 */
    struct assay_release_comparison
        *comparisons; /* [comparison_count]: the last with each before it */
    size_t comparison_count;
    uint64_t gallery_rank;             /* a mate must be among so many; 0: any */
    const assay_evidence *look_alikes; /* of the reference release, borrowed; or NULL */
    assay_neighbours *neighbours;      /* [neighbour_count] by it */
    size_t neighbour_count;
    char *title;
    const char *directory;
    const char *plots_missing; /* why there are no plots, or NULL; static text */
} assay_report;

/* Identification by each release at its headline, and look-alikes where a reference is named. */
assay_status assay_report_identify(assay_report *report,
                                   const assay_report_options *wanted) ASSAY_MUST_CHECK;
void assay_report_identify_free(assay_report *report);
assay_status assay_report_summary(const assay_report *report) ASSAY_MUST_CHECK;
assay_status assay_report_tables(const assay_report *report) ASSAY_MUST_CHECK;
/* A list of them for the page, each with the entry of its figures. */
void assay_report_tables_about(assay_text *text);
assay_status assay_report_metrics(const assay_report *report) ASSAY_MUST_CHECK; /* metrics.html */
/* Everything below plots/, and the page, for index.html. */
assay_status assay_report_page(assay_report *report, assay_text *out) ASSAY_MUST_CHECK;
/* The folders, without a page, table or plot of an earlier report: index.html goes first, then the
 * schema of summary.json says that the report is unfinished, so that what is there is either whole
 * or has no page. Files of others stay. */
assay_status assay_report_folder(const char *directory) ASSAY_MUST_CHECK;

/* Writes bytes of text as DIRECTORY/NAME, aside and then published. */
assay_status assay_report_file(const assay_report *report, const char *name,
                               const assay_text *text) ASSAY_MUST_CHECK;

/* The headline point of a release, of one of its groups, and of one of its pairs of groups. */
static inline const assay_operating_point *assay_headline(const assay_report_release *release) {
    return release->no_headline ? &release->no_point : &release->figures.points[release->headline];
}
static inline const assay_group_point *assay_headline_of(const assay_report_release *release,
                                                         const assay_group *group) {
    return release->no_headline ? &release->no_group_point : &group->points[release->headline];
}

/* The last release is the one that is judged, those before it are what it is compared with. */
static inline const assay_report_release *assay_report_subject(const assay_report *report) {
    return &report->releases[report->count - 1];
}

#endif
