/* section -- what a section of the page gets, and the pieces that several of them use. */
#ifndef ASSAY_REPORTS_SECTION_H
#define ASSAY_REPORTS_SECTION_H

#include "reports/html.h"
#include "reports/pages.h"
#include "reports/plots.h"

typedef struct {
    assay_report *report;
    assay_text *text;
    unsigned figures; /* numbered so far */
} assay_page;

#define SECTION(name, id, heading)                                                                 \
    assay_status assay_section_##name(assay_page *page) ASSAY_MUST_CHECK;
#include "reports/sections.def"
#undef SECTION

/* A figure with its finding as title and its counts below; title and subtitle are markup, entry is
 * the id of its entry in metrics.html. */
void assay_page_figure(assay_page *page, const assay_text *title, const assay_text *subtitle,
                       const char *entry, const assay_text *svg);
/* The box that holds the table twin of the last figure; open where there is no picture of it. */
void assay_page_twin_open(assay_page *page, const char *what);
void assay_page_twin_close(assay_page *page);
void assay_page_name(assay_page *page, const assay_report_release *release); /* strong, escaped */

/* Group with the highest and lowest rate of a kind among those that are large enough to be named:
 * ASSAY_FEW_SUBJECTS subjects (FNMR: with mated pairs), and for FMR ASSAY_FEW_CELL_ERRORS false
 * matches; real values only. false where there are not two; high is then the one that there is, or
 * NULL. */
typedef struct {
    const assay_group *low, *high;
    assay_rate low_rate, high_rate;
} assay_extremes;
bool assay_group_extremes(const assay_report_release *release,
                          const assay_attribute_figures *attribute, assay_dots_kind kind,
                          assay_extremes *out);
/* "Left out for fewer than 10 false matches or 30 subjects: north, south." or nothing, where none
 * is. */
void assay_html_left_out(assay_text *text, const assay_report_release *release,
                         const assay_attribute_figures *attribute, assay_dots_kind kind);
/* rate as so many times that of everybody, overall: "9.0 times"; "" where that is 0 or not known. */
void assay_html_times(assay_text *text, assay_rate rate, assay_rate overall);
/* "1.8-fold" as high stands over low; "" where low is 0. */
void assay_html_fold(assay_text *text, const assay_extremes *extremes);

/* section_whom.c: FMR against impostors who are alike; whom the release fails, in a paragraph; the
 * verdict of a group in a cell; how far apart the groups of an attribute are; and the table of
 * impostors who are alike. */
typedef struct {
    unsigned tests, worse, within, open; /* of groups and errors */
    unsigned groups, groups_worse;
} assay_verdict_count;
assay_verdict_count assay_count_verdicts(const assay_report_release *release);
/* The worst FMR verdict: "158 times", and of whom; false, and nothing, where none is WORSE. */
bool assay_say_worst_fmr(assay_text *value, assay_text *more, const assay_report_release *release);
void assay_say_alike(assay_page *page);
void assay_say_whom(assay_page *page);
void assay_html_verdict(assay_text *text, const assay_group_verdict *verdict);
void assay_add_measures(assay_page *page, const assay_report_release *release, uint32_t index);
void assay_add_alike(assay_page *page);

/* section_changes.c, of two releases: references of one with probes of the other, where there is
 * such evidence; the scale of their scores, and what they cost. */
struct assay_release_comparison;
void assay_add_mixed(assay_page *page, const struct assay_release_comparison *made);
void assay_add_changes(assay_page *page, const struct assay_release_comparison *made);

extern const char assay_page_style[]; /* the style sheet, page_style.c */

#endif
