/* section_changes -- of two releases: references of one with probes of the other, the scale of
 * their scores, and what a template and a comparison cost. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/comparison.h"
#include "reports/section.h"

/* ---- references of one, probes of the other ---- */

static void add_mixed_row(assay_html_table *table, const char *references, const char *probes,
                          const assay_transfer *at) {
    assay_text *text = table->text;
    assay_html_cell(table);
    assay_text_append_html(text, references);
    assay_text_append(text, " → ");
    assay_text_append_html(text, probes);
    assay_html_cell(table);
    assay_text_appendf(text, "%.4g, ", at->from->threshold);
    assay_html_point(text, at->from);
    assay_html_cell_power(assay_html_cell(table), at->fmr, &at->interval.fmr, false);
    assay_html_cell_percent(assay_html_cell(table), at->fnmr, &at->interval.fnmr, false);
    assay_html_cell_percent(assay_html_cell(table), at->gfnmr, &at->interval.gfnmr, false);
}

static assay_transfer own_row(const assay_report_release *release) {
    const assay_operating_point *point = assay_headline(release);
    return (assay_transfer){.from = point,
                            .fmr = point->fmr,
                            .fnmr = point->fnmr,
                            .gfnmr = point->gfnmr,
                            .interval = point->interval};
}

static void say_mixed(assay_text *text, const assay_release_comparison *made,
                      const assay_mixed *mixed) {
    const assay_evidence *of = mixed->release->evidence;
    const assay_transfer *at = &mixed->at[0];
    assay_text_append(text, "<p>Where references of ");
    assay_text_append_html(text, of->reference_release);
    assay_text_append(text, " ");
    assay_text_append_html(text, of->reference_version);
    assay_text_append(text, " meet probes of ");
    assay_text_append_html(text, of->release);
    assay_text_append(text, " ");
    assay_text_append_html(text, of->version);
    assay_text_append(text, ", at the threshold of ");
    assay_text_append_html(text, made->later->name);
    assay_text_append(text, ", the generalized FNMR is ");
    assay_html_whole_percent(text, at->gfnmr, &at->interval.gfnmr);
    assay_text_append(text, " and the FMR ");
    assay_html_whole_power(text, at->fmr, &at->interval.fmr);
    assay_text_append(text, ".</p>\n");
}

static void add_mixed(assay_text *text, const assay_release_comparison *made) {
    static const char *const headings[] = {"References → probes", "Threshold", "#FMR", "#FNMR",
                                           "#Generalized FNMR"};
    assay_html_table table;
    if (!made->mixed_count) return;
    assay_text_append(text, "<h3>If nobody is enrolled anew</h3>\n");
    for (size_t n = 0; n < made->mixed_count; ++n) say_mixed(text, made, &made->mixed[n]);
    assay_html_table_open(&table, text,
                          "References and probes of one release, and references of one with probes "
                          "of the other, with 95 % intervals",
                          headings, 5);
    const assay_report_release *const two[] = {made->earlier, made->later};
    for (int n = 0; n < 2; ++n) {
        const assay_transfer own = own_row(two[n]);
        add_mixed_row(&table, two[n]->name, two[n]->name, &own);
    }
    for (size_t n = 0; n < made->mixed_count; ++n) {
        const assay_evidence *of = made->mixed[n].release->evidence;
        const bool turned =
            !assay_digest_equal(&of->reference_digest, &made->earlier->evidence->templates_digest);
        for (unsigned k = 0; k < made->mixed[n].count; ++k)
            add_mixed_row(&table, two[turned]->name, two[!turned]->name, &made->mixed[n].at[k]);
    }
    assay_html_table_close(&table);
}

/* ---- the scale of the scores ---- */

static void add_shift(assay_text *text, const assay_score_change *change) {
    if (change->earlier.reason || change->later.reason) {
        assay_text_append(text, "–");
        return;
    }
    const double shift = change->later.value - change->earlier.value;
    assay_text_appendf(text, "%s%.4f", shift < 0 ? "−" : "+", fabs(shift));
}

static void add_scores(assay_text *text, const assay_release_comparison *made) {
    static const char *const headings[] = {"At or below it lie", "#Earlier", "#Later", "#Shift"};
    assay_html_table table;
    assay_text_append(text, "<h3>The scale of the scores</h3>\n");
    assay_html_table_open(&table, text, "Scores at or below which a share of the scores lies",
                          headings, 4);
    for (unsigned n = 0; n < ASSAY_SCORE_CHANGES; ++n) {
        const assay_score_change *change = &made->scores[n];
        assay_html_cell(&table);
        assay_text_appendf(text, "%g %% of %s scores", change->share * 100,
                           change->mated ? "mated" : "non-mated");
        assay_html_figure(assay_html_cell(&table), change->earlier, 4);
        assay_html_figure(assay_html_cell(&table), change->later, 4);
        add_shift(assay_html_cell(&table), change);
    }
    assay_html_table_close(&table);
}

/* ---- what it costs ---- */

static void add_number(assay_text *text, double value, const char *unit) {
    if (isnan(value)) {
        assay_text_append(text, "not known");
        return;
    }
    if (value < 100)
        assay_text_appendf(text, "%.3g", value);
    else
        assay_html_count(text, (uint64_t)(value + 0.5));
    assay_text_append(text, unit);
}

static void add_cost(assay_html_table *table, const char *what, double earlier, double later,
                     const char *unit) {
    assay_html_cell_text(table, what);
    add_number(assay_html_cell(table), earlier, unit);
    add_number(assay_html_cell(table), later, unit);
    assay_text *text = assay_html_cell(table);
    if (earlier > 0 && later > 0)
        assay_text_appendf(text, "%.2f", later / earlier);
    else
        assay_text_append(text, "–");
}

static void add_effort(assay_text *text, const assay_release_comparison *made) {
    static const char *const headings[] = {"Cost", "#Earlier", "#Later", "#Later over earlier"};
    const assay_effort *a = &made->effort_earlier, *b = &made->effort_later;
    assay_html_table table;
    assay_text_append(text, "<h3>Time and size</h3>\n");
    assay_html_table_open(&table, text, "What a template and a comparison cost", headings, 4);
    add_cost(&table, "Time to make a template, median", a->enrolment_median * 1e3,
             b->enrolment_median * 1e3, " ms");
    add_cost(&table, "The same, 95 % are made in", a->enrolment_95 * 1e3, b->enrolment_95 * 1e3,
             " ms");
    add_cost(&table, "Size of a template", a->template_bytes, b->template_bytes, " bytes");
    add_cost(&table, "Comparisons a second, all of them", a->comparisons_per_second,
             b->comparisons_per_second, "");
    assay_html_table_close(&table);
    assay_text_append(text, "<p class=\"quiet\">As they were measured in each release's own run; a "
                            "ratio means something where both ran on one machine with nothing "
                            "else on it. Compared by: ");
    assay_text_append_html(text, *a->where ? a->where : "not known");
    if (strcmp(a->where, b->where) != 0) {
        assay_text_append(text, " (earlier); ");
        assay_text_append_html(text, *b->where ? b->where : "not known");
        assay_text_append(text, " (later)");
    }
    assay_text_append(text, ".</p>\n");
}

void assay_add_mixed(assay_page *page, const assay_release_comparison *made) {
    add_mixed(page->text, made);
}

void assay_add_changes(assay_page *page, const assay_release_comparison *made) {
    add_scores(page->text, made);
    add_effort(page->text, made);
}
