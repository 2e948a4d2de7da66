/* section_releases -- who was judged: each release with its enrolment and its whole-list figures.
 */
#include <math.h>

#include "reports/section.h"

static void add_enrolment(assay_page *page) {
    static const char *const headings[] = {
        "Release",  "Algorithm", "Comparator",
        "#Samples", "#Enrolled", "#Refused",
        "#Failed",  "#Excluded", "#<a href=\"metrics.html#samples-fte\">FTE</a>"};
    assay_html_table table;
    assay_html_table_open(&table, page->text, "Releases and enrolment", headings, 9);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_figures *figures = &release->figures;
        assay_html_cell_text(&table, release->name);
        assay_html_cell_text(&table, release->evidence->algorithm);
        assay_html_cell_text(&table, release->evidence->comparator);
        if (!assay_evidence_has_samples(release->evidence)) {
            for (int cell = 0; cell < 6; ++cell) assay_html_cell_text(&table, "not known");
            continue;
        }
        assay_html_count(assay_html_cell(&table), figures->samples);
        if (!assay_evidence_knows_enrolment(release->evidence)) {
            for (int cell = 0; cell < 5; ++cell) assay_html_cell_text(&table, "not known");
            continue;
        }
        assay_html_count(assay_html_cell(&table), figures->enrolled);
        assay_html_count(assay_html_cell(&table), figures->refused);
        assay_html_count(assay_html_cell(&table), figures->failed);
        assay_html_count(assay_html_cell(&table), figures->excluded + figures->not_tried);
        assay_html_cell_percent(assay_html_cell(&table), figures->fte, &figures->fte_interval,
                                false);
    }
    assay_html_table_close(&table);
}

static void add_eer(assay_text *text, const assay_eer *eer) {
    if (eer->value.reason) {
        assay_text_appendf(text, "not known: %s", eer->value.reason);
        return;
    }
    assay_html_percent(text, eer->value.value);
    if (eer->value.source == ASSAY_FIGURE_SAMPLED) {
        assay_text_append(text, " <span class=\"quiet\">");
        assay_html_sample(text, eer->value);
        assay_text_append(text, "</span>");
        return;
    }
    assay_text_append(text, " <span class=\"quiet\">(");
    assay_html_percent(text, eer->low);
    assay_text_append(text, " – ");
    assay_html_percent(text, eer->high);
    assay_text_append(text,
                      eer->value.source == ASSAY_FIGURE_COARSE ? ", coarse)</span>" : ")</span>");
}

static void add_spread(assay_text *text, assay_figure mean, assay_figure sd) {
    assay_html_figure(text, mean, 4);
    if (mean.reason) return;
    assay_text_append(text, "; ");
    assay_html_figure(text, sd, 4);
}

static void add_whole(assay_page *page) {
    static const char *const headings[] = {
        "Release",
        "#Mated comparisons",
        "#Non-mated comparisons",
        "#<a href=\"metrics.html#all-scores-together-mean-sd\">Mated score: mean; sd</a>",
        "#<a href=\"metrics.html#all-scores-together-mean-sd\">Non-mated score: mean; sd</a>",
        "#<a href=\"metrics.html#all-scores-together-auc\">AUC</a>",
        "#<a href=\"metrics.html#all-scores-together-eer\">EER (low – high)</a>",
        "#<a href=\"metrics.html#all-scores-together-d\">d′</a>"};
    assay_html_table table;
    assay_html_table_open(&table, page->text, "All scores taken together", headings, 8);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_whole_figures *whole = &release->figures.whole;
        assay_html_cell_text(&table, release->name);
        assay_html_count(assay_html_cell(&table), release->evidence->mated_count);
        assay_html_count(assay_html_cell(&table), release->evidence->non_mated);
        add_spread(assay_html_cell(&table), whole->mated_mean, whole->mated_sd);
        add_spread(assay_html_cell(&table), whole->non_mated_mean, whole->non_mated_sd);
        assay_html_figure(assay_html_cell(&table), whole->auc, 6);
        add_eer(assay_html_cell(&table), &whole->eer);
        assay_html_figure(assay_html_cell(&table), whole->dprime, 3);
    }
    assay_html_table_close(&table);
}

assay_status assay_section_releases(assay_page *page) {
    add_enrolment(page);
    assay_text_append(
        page->text,
        "<p class=\"quiet\">FTE: samples that the release refused or failed on, of those "
        "that reached it. Excluded ones never did: they are no error of the release.</p>\n");
    bool in_roles = false;
    for (size_t n = 0; n < page->report->count; ++n)
        in_roles =
            in_roles || assay_sample_table_has_roles(&page->report->releases[n].evidence->table);
    if (in_roles)
        assay_text_append(page->text,
                          "<p class=\"quiet\">Where references and probes are different "
                          "templates, each sample counts twice here: as a reference and as a "
                          "probe.</p>\n");
    add_whole(page);
    assay_text_append(page->text,
                      "<p class=\"quiet\">These figures weigh thresholds that nobody would "
                      "use; judge a release by its operating points below. A value with ± "
                      "comes from the histogram and lies within that of the exact one; one that is "
                      "estimated from a sample has a chance error that is not computed.</p>\n");
    return ASSAY_OK;
}
