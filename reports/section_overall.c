/* section_overall -- the operating points of every release, and the trade-off between the errors.
 */
#include <math.h>

#include "reports/section.h"

/* What the tail does not reach is said once, in the first cells of the row. */
static void add_rate(assay_text *text, const assay_operating_point *point, assay_rate rate,
                     const assay_interval *interval, bool power) {
    if (point->reason)
        assay_text_append(text, "–");
    else if (interval->reason == point->beyond_tail)
        (power ? assay_html_rate_power : assay_html_rate_percent)(text, rate);
    else
        (power ? assay_html_cell_power : assay_html_cell_percent)(text, rate, interval, false);
}

static void add_fmr(assay_text *text, const assay_operating_point *point) {
    if (point->fmr.reason == point->beyond_tail) {
        assay_text_append(text, "not known");
        return;
    }
    if (point->fmr_source == ASSAY_FIGURE_COARSE && !point->fmr.reason)
        assay_text_append(text, "≤ ");
    add_rate(text, point, point->fmr, &point->interval.fmr, true);
}

static void add_subject_fnmr(assay_text *text, const assay_operating_point *point) {
    if (isnan(point->subject_fnmr)) {
        assay_text_append(text, "–");
        return;
    }
    assay_html_percent(text, point->subject_fnmr);
    if (point->interval.subject_fnmr.reason == point->beyond_tail) return;
    assay_text_append(text, " <span class=\"ci\">95 %: ");
    assay_html_interval_percent(text, &point->interval.subject_fnmr);
    assay_text_append(text, "</span>");
}

/* What the threshold was set for, and why it is not what was asked for. */
static void add_kind(assay_text *text, const assay_operating_point *point) {
    if (point->kind == ASSAY_POINT_THRESHOLD) {
        assay_text_append(text, "given");
    } else {
        assay_text_append(text, "FMR ");
        assay_html_power(text, point->fmr_target);
    }
    if (point->source == ASSAY_THRESHOLD_COARSE && !point->reason)
        assay_text_append(text, " (coarse)");
    if (point->beyond_tail[0])
        assay_text_appendf(text, " <span class=\"ci\">%s</span>", point->beyond_tail);
    if (!point->reached && !point->reason)
        assay_text_appendf(text, " <span class=\"ci\">cannot be measured here: %s</span>",
                           point->reached_reason);
}

static void add_threshold(assay_text *text, const assay_operating_point *point) {
    if (!point->reason)
        assay_text_appendf(text, "%.6g", point->threshold);
    else if (point->reason == point->beyond_tail)
        assay_text_append(text, "none");
    else
        assay_text_appendf(text, "none: %s", point->reason);
}

static void add_points(assay_page *page) {
    static const char *const headings[] = {
        "Release",
        "Threshold set for",
        "#<a href=\"metrics.html#operating-points-threshold-for-target-f\">Threshold</a>",
        "#<a href=\"metrics.html#operating-points-fmr\">FMR achieved</a>",
        "#<a href=\"metrics.html#operating-points-fnmr\">FNMR, completed</a>",
        "#<a href=\"metrics.html#operating-points-generalized-fnmr\">Generalized FNMR, "
        "attempted</a>",
        "#<a href=\"metrics.html#operating-points-fnmr-subjects-alike\">FNMR, subjects alike</a>"};
    assay_html_table table;
    assay_html_table_open(&table, page->text, "Operating points, with their counts", headings, 7);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        for (uint32_t p = 0; p < release->figures.point_count; ++p) {
            const assay_operating_point *point = &release->figures.points[p];
            assay_html_cell_text(&table, release->name);
            add_kind(assay_html_cell(&table), point);
            add_threshold(assay_html_cell(&table), point);
            add_fmr(assay_html_cell(&table), point);
            add_rate(assay_html_cell(&table), point, point->fnmr, &point->interval.fnmr, false);
            add_rate(assay_html_cell(&table), point, point->gfnmr, &point->interval.gfnmr, false);
            add_subject_fnmr(assay_html_cell(&table), point);
        }
    }
    assay_html_table_close(&table);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        if (assay_evidence_has_samples(release->evidence)) continue;
        assay_text_append(page->text, "<p>");
        assay_page_name(page, release);
        assay_text_append(page->text, ": no intervals. " ASSAY_NO_SUBJECTS_SENTENCE "</p>\n");
    }
    assay_text_append(
        page->text,
        "<p class=\"quiet\">A score at the threshold is a match. The threshold for a target "
        "is the lowest observed non-mated score at which no more non-mated comparisons "
        "match than the target allows; where even the highest is too many it stands just above "
        "it, and the row says that the target cannot be measured; a coarse one is an edge of the "
        "histogram at which surely no more match. It is rounded here and exact in summary.json. "
        "Completed: both samples have a template. Attempted: a comparison with a sample that has "
        "none counts as a miss.</p>\n"
        "<p class=\"quiet\">95 % intervals: if such a set of people were drawn again and again, 95 "
        "of 100 intervals would hold the rate of the population. People are what was drawn, so one "
        "who matches many others, or is missed often, counts as one piece of evidence. Where the "
        "threshold was set on these data, the interval of FNMR includes the error of the "
        "threshold; a given threshold, and one at which no false match is left, is taken as it is. "
        "Each interval stands for itself: not all of them hold at once.</p>\n");
}

/* Which misses more is said where their intervals do not overlap; the rates are said always. */
static void append_compared(const assay_report *report, assay_text *title) {
    const assay_report_release *subject = assay_report_subject(report);
    const assay_report_release *other = &report->releases[report->count - 2];
    const assay_operating_point *mine = assay_headline(subject), *theirs = assay_headline(other);
    const assay_interval *a = &mine->interval.fnmr, *b = &theirs->interval.fnmr;
    bool apart = report->same_protocol && !theirs->fnmr.reason && !a->reason && !b->reason &&
                 (a->low > b->high || a->high < b->low);
    assay_text_append_html(title, subject->name);
    if (apart) {
        assay_text_append(title, a->low > b->high ? " misses more mated comparisons than "
                                                  : " misses fewer mated comparisons than ");
        assay_text_append_html(title, other->name);
        assay_text_append(title, ", ");
    } else {
        assay_text_append(title, " misses ");
    }
    assay_html_percent(title, assay_rate_value(mine->fnmr));
    assay_text_append(title, apart ? " against " : ", ");
    if (!apart) {
        assay_text_append_html(title, other->name);
        assay_text_append(title, " ");
    }
    if (theirs->fnmr.reason)
        assay_text_append(title, "an unknown share");
    else
        assay_html_percent(title, assay_rate_value(theirs->fnmr));
    if (!apart) assay_text_append(title, " of mated comparisons");
    assay_text_append(title, ",");
}

static void append_title(const assay_report *report, assay_text *title) {
    const assay_report_release *subject = assay_report_subject(report);
    const assay_operating_point *point = assay_headline(subject);
    if (point->reason || point->fnmr.reason) {
        assay_text_append(title, "Detection error trade-off");
        return;
    }
    if (report->count < 2) {
        assay_text_append_html(title, subject->name);
        assay_text_append(title, " misses ");
        assay_html_percent(title, assay_rate_value(point->fnmr));
    } else {
        append_compared(report, title);
    }
    assay_text_append(title, " at the ");
    assay_html_point(title, point);
}

static void add_det_table(assay_page *page) {
    static const char *const headings[] = {"Release", "#Threshold",
                                           "#<a href=\"metrics.html#operating-points-fmr\">FMR</a>",
                                           "#<a href=\"metrics.html#intervals-det-band\">FNMR</a>"};
    assay_html_table table;
    assay_page_twin_open(page, "about three steps a decade");
    assay_html_table_open(&table, page->text,
                          "Steps of the curves; tables/det.csv has those that the "
                          "curves are drawn from, about 60 a decade of FMR",
                          headings, 4);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        double next = 0;
        for (size_t s = 0; s < release->curves.det_count; ++s) {
            const assay_det_step *step = &release->curves.det[s];
            if (assay_rate_value(step->fmr) < next) continue;
            if (step->source == ASSAY_FIGURE_EXACT && !step->marked) continue;
            next = assay_rate_value(step->fmr) * 2;
            assay_html_cell_text(&table, release->name);
            assay_text_appendf(assay_html_cell(&table), "%.6g", step->threshold);
            if (step->marked) {
                assay_html_cell_power(assay_html_cell(&table), step->fmr, &step->fmr_interval,
                                      false);
                assay_html_cell_percent(assay_html_cell(&table), step->fnmr, &step->fnmr_interval,
                                        false);
            } else {
                assay_html_rate_power(assay_html_cell(&table), step->fmr);
                assay_html_rate_percent(assay_html_cell(&table), step->fnmr);
            }
        }
    }
    assay_html_table_close(&table);
    assay_page_twin_close(page);
}

static bool any_sampled(const assay_report *report) {
    for (size_t n = 0; n < report->count; ++n) {
        const assay_curves *curves = &report->releases[n].curves;
        if (curves->det_count && curves->det[curves->det_count - 1].source == ASSAY_FIGURE_SAMPLED)
            return true;
    }
    return false;
}

assay_status assay_section_overall(assay_page *page) {
    const assay_report *report = page->report;
    assay_text svg = {0}, title = {0}, subtitle = {0};
    add_points(page);
    assay_status status = assay_draw_det(page->report, &svg);
    if (status != ASSAY_OK) goto out;
    if (!svg.length && !report->plots_missing) {
        assay_text_append(page->text,
                          "<p>There is no trade-off to draw: at every threshold one of the "
                          "two rates is 0 or 1. The steps are in tables/det.csv.</p>\n");
    }
    if (!svg.length && !report->plots_missing) goto out;
    append_title(report, &title);
    assay_text_append(&subtitle, "Detection error trade-off, all subjects: ");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        if (n) assay_text_append(&subtitle, "; ");
        assay_text_append_html(&subtitle, release->name);
        assay_text_append(&subtitle, ", ");
        assay_html_count(&subtitle, release->evidence->mated_count);
        assay_text_append(&subtitle, " mated and ");
        assay_html_count(&subtitle, release->evidence->non_mated);
        assay_text_append(&subtitle, " non-mated comparisons");
    }
    assay_text_appendf(&subtitle,
                       ". Lower is better.%s The bands are the 95 %% intervals of FNMR at each "
                       "FMR, one at a time. "
                       "Thin: fewer than %u false matches or false non-matches behind "
                       "it, do not rely on it. A curve ends where a rate is 0.",
                       any_sampled(report)
                           ? " Where a curve goes on below the scores that are kept, FMR is "
                             "estimated from a sample of the comparisons."
                           : "",
                       ASSAY_FEW_ERRORS);
    assay_page_figure(page, &title, &subtitle, "figures-det", &svg);
    add_det_table(page);
out:
    assay_text_free(&svg);
    assay_text_free(&title);
    assay_text_free(&subtitle);
    return status;
}
