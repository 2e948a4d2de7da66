/* section_accounting -- every pair of enrolled samples by what became of it, and who supplies the
 * mated ones. */
#include "reports/section.h"

static const char *const meanings[ASSAY_RELATION_COUNT] = {
    [ASSAY_RELATION_NON_MATED] = "different subjects: compared, with or without a score",
    [ASSAY_RELATION_MATED] = "one subject, one instance: compared, with or without a score",
    [ASSAY_RELATION_EXCLUDED_SAME_SAMPLE] = "a sample with itself",
    [ASSAY_RELATION_EXCLUDED_ROLE] = "not a reference and a probe of the protocol",
    [ASSAY_RELATION_EXCLUDED_INSTANCE] = "one subject, another instance (finger, eye)",
    [ASSAY_RELATION_EXCLUDED_IDENTICAL] = "one subject, byte-identical images",
    [ASSAY_RELATION_EXCLUDED_SESSION] = "one subject, one session, which the protocol leaves out",
};

static void add_release(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {"Pairs of enrolled samples", "What they are", "#Count"};
    const assay_evidence *evidence = release->evidence;
    assay_html_table table;
    assay_text caption = {0};
    assay_text_append_html(&caption, release->name);
    assay_text_append(&caption, ": pairs of its enrolled samples");
    assay_html_table_open(&table, page->text, caption.bytes ? caption.bytes : "", headings, 3);
    uint64_t sum = 0;
    for (int n = 0; n < ASSAY_RELATION_COUNT; ++n) {
        sum += evidence->relations[n];
        if (n == ASSAY_RELATION_EXCLUDED_SAME_SAMPLE && !evidence->relations[n]) continue;
        assay_html_cell_text(&table, assay_relation_name((assay_relation)n));
        assay_html_cell_text(&table, meanings[n]);
        assay_html_count(assay_html_cell(&table), evidence->relations[n]);
    }
    assay_html_cell_text(&table, "together");
    assay_text *text = assay_html_cell(&table);
    assay_text_append(text, "n (n − 1) / 2 with n = ");
    assay_html_count(text, release->figures.enrolled);
    assay_html_count(assay_html_cell(&table), sum);
    assay_html_table_close(&table);
    assay_text_free(&caption);
}

static void say_mated(assay_page *page, const assay_report_release *release) {
    const assay_figures *figures = &release->figures;
    const assay_evidence *evidence = release->evidence;
    uint64_t pairs = evidence->mated_count;
    assay_text *text = page->text;
    assay_text_append(text, "<p>");
    assay_page_name(page, release);
    assay_text_append(text, ": ");
    assay_html_count(text, pairs);
    assay_text_append(text, " of ");
    assay_html_count(text, figures->mated_attempted);
    assay_text_append(text, " attempted mated comparisons and ");
    assay_html_count(text, evidence->non_mated);
    assay_text_append(text, " of ");
    assay_html_count(text, figures->non_mated_attempted);
    assay_text_append(text, " non-mated ones were completed");
    if (evidence->failed_mated || evidence->failed_non_mated) {
        assay_text_append(text, "; ");
        assay_html_count(text, evidence->failed_mated);
        assay_text_append(text, " mated and ");
        assay_html_count(text, evidence->failed_non_mated);
        assay_text_append(text, " non-mated ones <strong>failed to compare</strong> and have no "
                                "score. They are no matches in the "
                                "generalized rates, and in no other");
    }
    assay_text_append(text, ". The mated ones come from ");
    assay_html_counted(text, figures->mated_subjects, "subject", "subjects");
    if (pairs && figures->mated_subjects > ASSAY_TOP_SUBJECTS) {
        assay_text_appendf(text, "; the %u with the most supply ", ASSAY_TOP_SUBJECTS);
        assay_html_rate_percent(text, assay_rate_of(figures->top_mated, pairs));
    }
    if (pairs) {
        assay_text_append(text, ". Of one known session: ");
        assay_html_count(text, figures->mated_same_session);
        assay_text_append(text, "; session not known: ");
        assay_html_count(text, figures->mated_session_unknown);
    }
    assay_text_append(text, ".</p>\n");
}

static void add_reasons(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {"Not enrolled", "Reason", "#Samples"};
    const assay_sample_table *table = &release->evidence->table;
    const assay_labelled *reasons = &table->enrolment_reason;
    uint64_t without = release->figures.samples - release->figures.enrolled;
    if (!without) return;
    assay_html_table out;
    assay_text caption = {0};
    assay_text_append_html(&caption, release->name);
    assay_text_append(&caption, ": samples without a template; each is in tables/not_enrolled.csv");
    assay_html_table_open(&out, page->text, caption.bytes ? caption.bytes : "", headings, 3);
    for (int kind = ASSAY_ENROLMENT_NONE; kind <= ASSAY_ENROLMENT_EXCLUDED; ++kind) {
        if (kind == ASSAY_ENROLMENT_ENROLLED) continue;
        for (uint32_t code = 0; code < reasons->label_count; ++code) {
            uint64_t count = 0;
            for (uint64_t row = 0; row < table->row_count; ++row)
                count += table->enrolment[row] == kind && reasons->codes[row] == code;
            if (!count) continue;
            assay_html_cell_text(&out, assay_enrolment_name((assay_enrolment)kind));
            assay_html_cell_text(&out, code ? reasons->labels[code] : "not stated");
            assay_html_count(assay_html_cell(&out), count);
        }
    }
    assay_html_table_close(&out);
    assay_text_free(&caption);
}

/* Score lists: what came, by whether it is a score. */
static void add_lists(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {"Scores", "#In the list", "#Completed", "#No score"};
    const assay_evidence *evidence = release->evidence;
    const struct {
        const char *name;
        uint64_t completed, failed;
    } lists[] = {{"mated", evidence->mated_count, evidence->failed_mated},
                 {"non-mated", evidence->non_mated, evidence->failed_non_mated}};
    assay_html_table table;
    assay_text caption = {0};
    assay_text_append_html(&caption, release->name);
    assay_text_append(&caption, ": scores of its lists");
    assay_html_table_open(&table, page->text, caption.bytes ? caption.bytes : "", headings, 4);
    for (size_t n = 0; n < 2; ++n) {
        assay_html_cell_text(&table, lists[n].name);
        assay_html_count(assay_html_cell(&table), lists[n].completed + lists[n].failed);
        assay_html_count(assay_html_cell(&table), lists[n].completed);
        assay_html_count(assay_html_cell(&table), lists[n].failed);
    }
    assay_html_table_close(&table);
    assay_text_append(page->text,
                      "<p>How many subjects and samples are behind them, and which "
                      "samples were not enrolled, is not known: " ASSAY_NO_SAMPLES ".</p>\n");
    assay_text_free(&caption);
}

assay_status assay_section_accounting(assay_page *page) {
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        if (!assay_evidence_has_samples(release->evidence)) {
            add_lists(page, release);
            continue;
        }
        say_mated(page, release);
        add_release(page, release);
        add_reasons(page, release);
    }
    return ASSAY_OK;
}
