/* section_quality -- errors by image quality, what a least quality would refuse and buy, and errors
 * by the time between captures. */
#include <math.h>

#include "reports/section.h"

#define STEPS_SHOWN 6u

static const double shown_shares[STEPS_SHOWN] = {0, 0.01, 0.02, 0.05, 0.1, 0.2};

/* The step that holds at a share of discarded comparisons. */
static const assay_discard_step *step_at(const assay_discard_curve *curve, double share) {
    const assay_discard_step *step = curve->count ? &curve->steps[0] : NULL;
    for (size_t n = 1; n < curve->count && curve->steps[n].discarded <= share; ++n)
        step = &curve->steps[n];
    return step;
}

/* ---- error versus discard ---- */

static void append_finding(const assay_report *report, assay_text *title) {
    const assay_report_release *release = assay_report_subject(report);
    const assay_discard_curve *curve = &release->quality.fnmr_lower;
    const assay_discard_step *first = step_at(curve, 0), *tenth = step_at(curve, 0.1);
    assay_text_append_html(title, release->name);
    if (!first || !first->errors) {
        assay_text_append(title, ": no mated comparison is missed, whatever the quality");
        return;
    }
    assay_text_append(title, ": leaving out the tenth of lowest quality takes FNMR from ");
    assay_html_percent(title, first->rate);
    assay_text_append(title, " to ");
    assay_html_percent(title, tenth->rate);
}

static void add_discard_table(assay_page *page) {
    static const char *const headings[] = {
        "Release and quality of a comparison",
        "#None left out",
        "#1 %",
        "#2 %",
        "#5 %",
        "#10 %",
        "#20 %",
        "#<a href=\"metrics.html#quality-area\">Area to 20 %</a>",
        "#above the least"};
    assay_html_table table;
    assay_html_table_open(&table, page->text, "FNMR of the rest by share left out", headings, 9);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_quality_figures *quality = &release->quality;
        const assay_discard_curve *const curves[] = {&quality->fnmr_lower, &quality->fnmr_probe};
        static const char *const what[] = {": the lower of the two", ": the probe's"};
        for (size_t c = 0; !quality->reason && c < 2; ++c) {
            if (!curves[c]->count) continue;
            assay_text *cell = assay_html_cell(&table);
            assay_text_append_html(cell, release->name);
            assay_text_append(cell, what[c]);
            for (size_t s = 0; s < STEPS_SHOWN; ++s) {
                const assay_discard_step *step = step_at(curves[c], shown_shares[s]);
                assay_html_rate_percent(assay_html_cell(&table),
                                        assay_rate_of(step->errors, step->comparisons));
            }
            assay_html_power(assay_html_cell(&table), curves[c]->area);
            assay_html_power(assay_html_cell(&table), fmax(curves[c]->area_above, 0));
        }
    }
    assay_html_table_close(&table);
}

static assay_status add_discard(assay_page *page) {
    assay_text svg = {0}, title = {0}, subtitle = {0};
    assay_status status = assay_draw_discard(page->report, &svg);
    if (status == ASSAY_OK) {
        append_finding(page->report, &title);
        assay_text_append(&subtitle, "Error versus discard at the ");
        assay_html_point(&subtitle, assay_headline(assay_report_subject(page->report)));
        assay_text_append(&subtitle, ". A comparison's quality is the lower of its two samples'. "
                                     "Thin where fewer than 30 errors are left. Leaving out is not "
                                     "free: the table of least qualities says what it costs.");
        assay_page_figure(page, &title, &subtitle, "figures-error-versus-discard", &svg);
        assay_page_twin_open(page, "");
        add_discard_table(page);
        assay_page_twin_close(page);
    }
    assay_text_free(&svg);
    assay_text_free(&title);
    assay_text_free(&subtitle);
    return status;
}

/* ---- bands ---- */

static void add_bands(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {
        "Quality",
        "#Samples",
        "#Subjects",
        "#<a href=\"metrics.html#samples-fte\">FTE</a>",
        "#<a href=\"metrics.html#quality-rates-by-band\">FNMR, by the probe's quality</a>",
        "#<a href=\"metrics.html#quality-rates-by-band\">FMR, both in the band</a>"};
    const assay_figures *figures = &release->quality.bands;
    const assay_attribute_figures *bands = &figures->attributes[0];
    assay_html_table table;
    assay_text_append(page->text, "<h3>");
    assay_text_append_html(page->text, release->name);
    assay_text_append(page->text, ": errors by quality</h3>\n");
    assay_html_table_open(&table, page->text, "Rates by band of quality", headings, 6);
    for (uint32_t g = 0; g < bands->group_count; ++g) {
        const assay_group *group = &bands->groups[g];
        const assay_group_point *point = &group->points[0];
        assay_html_cell_text(&table, group->label);
        assay_html_count(assay_html_cell(&table), group->samples);
        assay_html_count(assay_html_cell(&table), group->subjects);
        assay_html_cell_percent(assay_html_cell(&table), group->fte, &group->fte_interval,
                                group->subjects < ASSAY_FEW_SUBJECTS);
        assay_html_cell_percent(assay_html_cell(&table), point->fnmr, &point->fnmr_interval,
                                group->mated_subjects < ASSAY_FEW_SUBJECTS);
        assay_html_cell_power(assay_html_cell(&table), point->fmr, &point->fmr_interval,
                              group->subjects < ASSAY_FEW_SUBJECTS);
    }
    assay_html_table_close(&table);
}

/* ---- least qualities ---- */

static void add_minimum(assay_html_table *table, double minimum, const assay_rate *refused,
                        const assay_figures *figures) {
    const assay_operating_point *point = &figures->points[0];
    if (isnan(minimum))
        assay_text_append(assay_html_cell(table), "none");
    else
        assay_text_appendf(assay_html_cell(table), "%.6g", minimum);
    if (refused)
        assay_html_rate_percent(assay_html_cell(table), *refused);
    else
        assay_text_append(assay_html_cell(table), "–");
    assay_html_cell_percent(assay_html_cell(table), point->fnmr, &point->interval.fnmr, false);
    assay_html_cell_percent(assay_html_cell(table), point->gfnmr, &point->interval.gfnmr, false);
    assay_html_cell_power(assay_html_cell(table), point->fmr, &point->interval.fmr, false);
}

/* Groups that a least quality refuses most of, and least: what it costs, and whom. */
static void append_whom(assay_text *text, const assay_quality_minimum *minimum) {
    for (uint32_t a = 0; a < minimum->figures.attribute_count; ++a) {
        const assay_attribute_figures *attribute = &minimum->figures.attributes[a];
        const assay_group *most = NULL, *least = NULL;
        for (uint32_t g = 0; g < attribute->group_count; ++g) {
            const assay_group *group = &attribute->groups[g];
            if (group->code < ASSAY_CODE_FIRST || group->subjects < ASSAY_FEW_SUBJECTS ||
                group->fte.reason)
                continue;
            double rate = assay_rate_value(group->fte);
            if (!most || rate > assay_rate_value(most->fte)) most = group;
            if (!least || rate < assay_rate_value(least->fte)) least = group;
        }
        if (!most || most == least) continue;
        assay_text_append(text, "<li>By ");
        assay_text_append_html(text, attribute->attribute->name);
        assay_text_append(text, ": most in ");
        assay_text_append_html(text, most->label);
        assay_text_append(text, ", ");
        assay_html_whole_percent(text, most->fte, &most->fte_interval);
        assay_text_append(text, "; least in ");
        assay_text_append_html(text, least->label);
        assay_text_append(text, ", ");
        assay_html_whole_percent(text, least->fte, &least->fte_interval);
        assay_text_append(text, ".</li>\n");
    }
}

static void add_minima(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {
        "<a href=\"metrics.html#quality-a-least-quality\">Least quality</a>", "#Samples below it",
        "#FNMR of the rest", "#Generalized FNMR, refused ones missed", "#FMR of the rest"};
    const assay_quality_figures *quality = &release->quality;
    assay_html_table table;
    assay_text_append(page->text, "<h3>");
    assay_text_append_html(page->text, release->name);
    assay_text_append(page->text, ": if a least quality were asked for</h3>\n");
    assay_html_table_open(&table, page->text, "What a least quality would refuse and buy", headings,
                          5);
    add_minimum(&table, (double)NAN, NULL, &quality->bands);
    for (uint32_t n = 0; n < quality->minimum_count; ++n)
        add_minimum(&table, quality->minima[n].minimum, &quality->minima[n].refused,
                    &quality->minima[n].figures);
    assay_html_table_close(&table);
    if (!quality->minimum_count) return;
    const assay_quality_minimum *last = &quality->minima[quality->minimum_count - 1];
    assay_text_append(page->text, "<p>With a least quality of ");
    assay_text_appendf(page->text, "%.6g", last->minimum);
    assay_text_append(page->text, ", these would not be enrolled, among groups of 30 subjects and "
                                  "more (all groups and all least qualities: "
                                  "<code>tables/quality_minima.csv</code>):</p>\n<ul>\n");
    append_whom(page->text, last);
    assay_text_append(page->text, "</ul>\n");
}

/* ---- ageing ---- */

static void add_ageing(assay_page *page) {
    static const char *const headings[] = {"Release", "Time between captures", "#Subjects",
                                           "#<a href=\"metrics.html#section-ageing\">FNMR</a>"};
    bool any = false;
    for (size_t n = 0; n < page->report->count; ++n)
        any = any || !page->report->releases[n].ageing.reason;
    assay_text_append(page->text, "<h3 id=\"ageing\">By the time between captures</h3>\n");
    if (!any) {
        assay_text_append(page->text, "<p>Not shown: ");
        assay_text_append(page->text, page->report->releases[0].ageing.reason);
        assay_text_append(page->text, ".</p>\n");
        return;
    }
    assay_html_table table;
    assay_html_table_open(&table, page->text, "FNMR by the time between captures", headings, 4);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        for (uint32_t b = 0; b < ASSAY_AGEING_BANDS; ++b) {
            const assay_ageing_band *band = &release->ageing.bands[b];
            if (!band->fnmr.trials) continue;
            assay_html_cell_text(&table, release->name);
            assay_html_cell_text(&table, band->label);
            assay_html_count(assay_html_cell(&table), band->subjects);
            assay_html_cell_percent(assay_html_cell(&table), band->fnmr, &band->fnmr_interval,
                                    band->subjects < ASSAY_FEW_SUBJECTS);
        }
    }
    assay_html_table_close(&table);
    assay_text_append(page->text,
                      "<p class=\"quiet\">Mated comparisons at the same threshold. People who were "
                      "captured again after years are not the same people as those who were "
                      "captured twice in a week, so the rows differ in more than time.");
    uint64_t unknown = assay_report_subject(page->report)->ageing.unknown;
    if (unknown) {
        assay_text_append(page->text, " Of ");
        assay_html_counted(page->text, unknown, "mated comparison", "mated comparisons");
        assay_text_append(page->text, " the times are not known.");
    }
    assay_text_append(page->text, "</p>\n");
}

assay_status assay_section_quality(assay_page *page) {
    const assay_report *report = page->report;
    const assay_quality_figures *subject = &assay_report_subject(report)->quality;
    assay_status status = ASSAY_OK;
    if (subject->reason) {
        assay_text_append(page->text, "<p>By quality nothing is shown: ");
        assay_text_append(page->text, subject->reason);
        assay_text_append(page->text, ".</p>\n");
    } else {
        assay_text_append(page->text, "<p>Quality is the column <code>");
        assay_text_append_html(page->text, subject->column);
        assay_text_append(page->text, "</code>: of ");
        assay_html_counted(page->text, subject->known, "sample", "samples");
        assay_text_append(page->text, " known, of ");
        assay_html_count(page->text, subject->unknown);
        assay_text_append(page->text, " not. Samples without one are never refused below, and stay "
                                      "out of the curves.</p>\n");
        status = add_discard(page);
    }
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        if (release->quality.reason) continue;
        add_bands(page, release);
        add_minima(page, release);
    }
    if (status == ASSAY_OK) add_ageing(page);
    return status;
}
