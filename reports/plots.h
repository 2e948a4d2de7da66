/* plots -- figures drawn by gnuplot from scripts and data files that stay in DIR/plots, and made
 * fit to stand inside a page.
 *
 * A script holds numbers and our own words only: gnuplot runs what stands between backquotes, even
 * in strings. Names of releases and groups stand in data files and go through assay_plot_label. */
#ifndef ASSAY_REPORTS_PLOTS_H
#define ASSAY_REPORTS_PLOTS_H

#include <stddef.h>

#include "datasets/base/text.h"
#include "reports/pages.h"

/* What a label may be wide, in characters of the usual width. */
#define PLOT_LABEL_WIDTH 30u

/* name as one field of a data file: no control characters, quotes or backslashes, cut with "…". */
void assay_plot_label(assay_text *text, const char *name);
/* How wide the label is, in characters of the usual width, for margins. */
size_t assay_plot_label_width(const char *name);
/* 10⁻³ or 2×10⁻⁴ in superscript characters. */
void assay_plot_power(assay_text *text, double value);
/* Writes a number as gnuplot reads it; NaN where it is not finite. */
void assay_plot_number(assay_text *text, double value);

/* Writes plots/NAME.gp, which starts with the common style at width x height and sets `output` to
 * NAME.svg, runs gnuplot on it, and gives the markup to put in a page, with title and description
 * for those who cannot see it (plain text). Where gnuplot is missing *out_svg stays empty and
 * report->plots_missing says so. */
assay_status assay_plot_draw(assay_report *report, const char *name, unsigned width,
                             unsigned height, const assay_text *script, const char *title,
                             const char *description, assay_text *out_svg) ASSAY_MUST_CHECK;
/* plots/NAME-SERIES.tsv. */
assay_status assay_plot_data(const assay_report *report, const char *name, size_t series,
                             const assay_text *data) ASSAY_MUST_CHECK;
assay_status assay_plot_style(const assay_report *report) ASSAY_MUST_CHECK; /* plots/style.gp */

/* The figures. Each appends the SVG to out_svg, or nothing where there is nothing to draw. */
assay_status assay_draw_det(assay_report *report, assay_text *out_svg) ASSAY_MUST_CHECK;
assay_status assay_draw_histogram(assay_report *report, size_t release,
                                  assay_text *out_svg) ASSAY_MUST_CHECK;
typedef enum { ASSAY_DOTS_FMR, ASSAY_DOTS_FNMR, ASSAY_DOTS_FTE } assay_dots_kind;
assay_status assay_draw_dots(assay_report *report, uint32_t attribute, assay_dots_kind kind,
                             assay_text *out_svg) ASSAY_MUST_CHECK;
/* Of the release under judgement. */
assay_status assay_draw_heat(assay_report *report, uint32_t attribute,
                             assay_text *out_svg) ASSAY_MUST_CHECK;

assay_status assay_draw_ranks(assay_report *report, assay_text *out_svg) ASSAY_MUST_CHECK;
assay_status assay_draw_discard(assay_report *report, assay_text *out_svg) ASSAY_MUST_CHECK;

/* Groups that a figure of dots shows, at most so many: all, or the highest and the lowest rates of
 * the release under judgement among groups that are not small. out is in the order of groups. */
#define ASSAY_DOTS_MOST 16u
#define ASSAY_HEAT_MOST 24u /* groups of a map */
uint32_t assay_dots_shown(const assay_report *report, uint32_t attribute, assay_dots_kind kind,
                          uint32_t out[ASSAY_DOTS_MOST]);

/* A group's rate of one kind at a release's headline point, and its interval. */
assay_rate assay_dots_rate(const assay_report_release *release, const assay_group *group,
                           assay_dots_kind kind);
const assay_interval *assay_dots_interval(const assay_report_release *release,
                                          const assay_group *group, assay_dots_kind kind);
/* Fewer than ASSAY_FEW_SUBJECTS subjects stand behind it (FNMR: subjects with mated pairs). */
bool assay_dots_few(const assay_group *group, assay_dots_kind kind);

#endif
