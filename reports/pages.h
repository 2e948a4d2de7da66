/* pages -- what the writers of a report share: the releases with their figures, and the writers. */
#ifndef ASSAY_REPORTS_PAGES_H
#define ASSAY_REPORTS_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/text.h"
#include "reports/curves.h"
#include "reports/figures.h"
#include "reports/report.h"

typedef struct {
    const assay_evidence *evidence; /* borrowed */
    assay_figures figures;
    assay_curves curves;
    char *name; /* "baseline 1.1", made distinct by a number where two releases have the same */
    uint32_t headline; /* the operating point that groups are shown at */
} assay_report_release;

typedef struct {
    assay_report_release *releases; /* [count], at least one; all of one data set */
    size_t count;
    bool same_protocol; /* all releases were compared under one protocol */
    char *title;
    const char *directory;
    const char *plots_missing; /* why there are no plots, or NULL; static text */
} assay_report;

/* What a file of the report is called below its directory, and what it holds. */
assay_status assay_report_summary(const assay_report *report) ASSAY_MUST_CHECK;
assay_status assay_report_tables(const assay_report *report) ASSAY_MUST_CHECK;
/* index.html and everything below plots/. */
assay_status assay_report_page(assay_report *report) ASSAY_MUST_CHECK;

/* Writes bytes of text as DIRECTORY/NAME, aside and then published. */
assay_status assay_report_file(const assay_report *report, const char *name,
                               const assay_text *text) ASSAY_MUST_CHECK;

/* The last release is the one that is judged, those before it are what it is compared with. */
static inline const assay_report_release *assay_report_subject(const assay_report *report) {
    return &report->releases[report->count - 1];
}

#endif
