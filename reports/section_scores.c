/* section_scores -- how mated and non-mated scores lie, one figure a release. */
#include "reports/section.h"

static void append_title(const assay_report_release *release, assay_text *title) {
    const assay_whole_figures *whole = &release->figures.whole;
    const assay_score_list *mated = &release->figures.mated, *tail = &release->figures.tail;
    assay_text_append_html(title, release->name);
    if (mated->count && tail->count &&
        assay_score_at(mated, mated->count - 1) > assay_score_at(tail, 0)) {
        assay_text_append(title, ": every mated score lies above every non-mated one");
    } else if (!whole->auc.reason) {
        assay_text_append(title, ": a mated score beats a non-mated one in ");
        assay_html_percent(title, whole->auc.value);
        assay_text_append(title, " of cases");
        if (whole->auc.source == ASSAY_FIGURE_SAMPLED) {
            assay_text_append(title, ", ");
            assay_html_sample(title, whole->auc);
        }
    } else {
        assay_text_append(title, ": scores");
    }
}

static void add_table(assay_page *page, const assay_score_bars *bars) {
    static const char *const headings[] = {"Scores from", "#to below", "#Mated", "#Non-mated"};
    assay_html_table table;
    assay_page_twin_open(page, "");
    assay_html_table_open(&table, page->text, "Comparisons by score", headings, 4);
    for (uint32_t b = 0; b < bars->count; ++b) {
        if (!bars->mated[b] && !bars->non_mated[b]) continue;
        assay_html_fixed(assay_html_cell(&table), bars->low + b * bars->width, 4);
        assay_html_fixed(assay_html_cell(&table), bars->low + (b + 1) * bars->width, 4);
        assay_html_count(assay_html_cell(&table), bars->mated[b]);
        assay_html_count(assay_html_cell(&table), bars->non_mated[b]);
    }
    assay_html_table_close(&table);
    assay_page_twin_close(page);
}

static assay_status add_release(assay_page *page, size_t index) {
    const assay_report_release *release = &page->report->releases[index];
    const assay_score_bars *bars = &release->curves.bars;
    assay_text svg = {0}, title = {0}, subtitle = {0};
    assay_status status = assay_draw_histogram(page->report, index, &svg);
    if (status != ASSAY_OK) goto out;
    append_title(release, &title);
    assay_text_append(&subtitle,
                      "Share of comparisons by score, on a logarithmic axis so that the tails "
                      "that make the errors can be seen. ");
    assay_html_count(&subtitle, bars->mated_total);
    assay_text_append(&subtitle, " mated and ");
    assay_html_count(&subtitle, bars->non_mated_total);
    assay_text_append(&subtitle, " non-mated comparisons");
    if (bars->source == ASSAY_FIGURE_COARSE) assay_text_append(&subtitle, " (coarse scores)");
    if (bars->source == ASSAY_FIGURE_SAMPLED) {
        assay_text_append(&subtitle, " (coarse scores; a sample of the ");
        assay_html_count(&subtitle, release->evidence->non_mated);
        assay_text_append(&subtitle, " that were made)");
    }
    assay_text_appendf(&subtitle, ", bins of %.3g.", bars->width);
    assay_page_figure(page, &title, &subtitle, "figures-scores", &svg);
    add_table(page, bars);
out:
    assay_text_free(&svg);
    assay_text_free(&title);
    assay_text_free(&subtitle);
    return status;
}

assay_status assay_section_scores(assay_page *page) {
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        if (release->curves.bars.count) {
            status = add_release(page, n);
            continue;
        }
        assay_text_append(page->text, "<p>");
        assay_page_name(page, release);
        assay_text_append(page->text,
                          ": the evidence holds no histogram and not every score, so their "
                          "distribution cannot be shown.</p>\n");
    }
    return status;
}
