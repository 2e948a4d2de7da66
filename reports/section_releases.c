/* section_releases -- who was judged: each release with its enrolment and its whole-list figures.
 */
#include <jansson.h>
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

/* ---- composites ---- */

static void add_age(assay_text *text, const json_t *part) {
    const json_t *from = json_object_get(part, "from"), *below = json_object_get(part, "below");
    if (from) assay_text_appendf(text, "from %.6g ", json_number_value(from));
    if (below) assay_text_appendf(text, "below %.6g ", json_number_value(below));
    if (json_is_true(json_object_get(part, "missing_age")))
        assay_text_append(text, "and where it is missing");
}

static uint64_t count_of(const json_t *part, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(part, key));
}

static void add_part(assay_html_table *table, const json_t *part) {
    const char *keys[] = {"release", "version"};
    assay_text *text = assay_html_cell(table);
    for (int n = 0; n < 2; ++n) {
        const char *said = json_string_value(json_object_get(part, keys[n]));
        assay_text_append_html(text, said ? said : "?");
        if (n == 0) assay_text_append(text, " ");
    }
    add_age(assay_html_cell(table), part);
    assay_text_appendf(assay_html_cell(table), "%.17g",
                       json_number_value(json_object_get(part, "threshold")));
    assay_html_count(assay_html_cell(table), count_of(part, "references"));
    text = assay_html_cell(table);
    assay_html_count(text, count_of(part, "misses"));
    assay_text_append(text, " of ");
    assay_html_count(text, count_of(part, "mated"));
    text = assay_html_cell(table);
    assay_html_count(text, count_of(part, "false_matches"));
    assay_text_append(text, " of ");
    assay_html_count(text, count_of(part, "non_mated"));
}

/* A system of several algorithms: which one for whom, at which threshold. */
static void add_composite(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {
        "Algorithm",   "Age in the reference document", "#Declared threshold",
        "#References", "#Mated comparisons missed",     "#False matches of non-mated comparisons"};
    json_t *provenance = json_loads(release->evidence->provenance_json, 0, NULL);
    const json_t *composite = json_object_get(provenance, "composite");
    const json_t *parts = json_object_get(composite, "parts");
    if (json_array_size(parts) > 0) {
        assay_text caption = {0};
        assay_html_table table;
        assay_text_append_html(&caption, release->name);
        assay_text_append(&caption, ": one algorithm or another, by age");
        assay_html_table_open(&table, page->text, caption.bytes ? caption.bytes : "", headings, 6);
        for (size_t n = 0; n < json_array_size(parts); ++n)
            add_part(&table, json_array_get(parts, n));
        assay_html_table_close(&table);
        assay_text_free(&caption);
        assay_text_append(
            page->text,
            "<p><strong>Exception:</strong> everywhere else in this report one threshold holds for "
            "everybody; this system has one declared threshold for each of its algorithms. Both "
            "templates of a comparison are made by the algorithm that the age in the reference "
            "document names, whoever holds it up to the camera; nothing else about a person "
            "decides. "
            "Its scores are shown less their algorithm's threshold, so that 0 is the system's "
            "threshold, and its FMR, FNMR and FTE are those of the whole system over comparisons "
            "routed so. A comparison whose probe has no template of the algorithm of its reference "
            "has failed.</p>\n");
    }
    json_decref(provenance);
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
    for (size_t n = 0; n < page->report->count; ++n)
        add_composite(page, &page->report->releases[n]);
    add_whole(page);
    assay_text_append(page->text,
                      "<p class=\"quiet\">These figures weigh thresholds that nobody would "
                      "use; judge a release by its operating points below. A value with ± "
                      "comes from the histogram and lies within that of the exact one; one that is "
                      "estimated from a sample has a chance error that is not computed.</p>\n");
    return ASSAY_OK;
}
