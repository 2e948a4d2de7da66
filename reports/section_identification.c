/* section_identification -- 1:N: one face searched in the gallery of a flight, expected of
 * galleries of a size and counted in those that are given; and at which rank mates are found. */
#include <math.h>
#include <stdio.h>

#include "reports/section.h"

#define METRIC(id, words) "#<a href=\"metrics.html#identification-" id "\">" words "</a>"

static void add_expected(assay_text *text, double value, double low, double high) {
    if (isnan(value)) {
        assay_text_append(text, "–");
        return;
    }
    assay_html_percent(text, value);
    if (isnan(low)) return;
    assay_text_append(text, "<span class=\"ci whole\">");
    assay_html_percent(text, low);
    assay_text_append(text, " to ");
    assay_html_percent(text, high);
    assay_text_append(text, "</span>");
}

static void add_sure(assay_text *text, double value, const assay_interval *interval) {
    const double none = (double)NAN;
    add_expected(text, value, interval->reason ? none : interval->low,
                 interval->reason ? none : interval->high);
}

/* ---- random galleries ---- */

static void add_random(assay_page *page) {
    static const char *const headings[] = {
        "Release",
        "#People in the gallery",
        METRIC("fpir-random-galleries", "FPIR"),
        "#Comparisons × FMR",
        METRIC("fnir-random-galleries", "FNIR"),
        METRIC("generalized-fpir-generalized-fnir", "Generalized FPIR"),
        METRIC("generalized-fpir-generalized-fnir", "Generalized FNIR")};
    assay_html_table table;
    assay_html_table_open(&table, page->text,
                          "Expected over all galleries of so many people picked at random, with "
                          "95 % intervals",
                          headings, 7);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        for (size_t s = 0; s < release->galleries.random_count; ++s) {
            const assay_random_gallery *of = &release->galleries.random[s];
            assay_html_cell_text(&table, release->name);
            assay_html_count(assay_html_cell(&table), of->size);
            if (of->reason) {
                assay_html_cell_text(&table, of->reason);
                for (int cell = 0; cell < 4; ++cell) assay_html_cell_text(&table, "–");
                continue;
            }
            add_expected(assay_html_cell(&table), of->fpir, of->low, of->high);
            assay_html_percent(assay_html_cell(&table), of->naive);
            add_sure(assay_html_cell(&table), of->fnir, &of->fnir_interval);
            add_expected(assay_html_cell(&table), of->gfpir, of->gfpir_low, of->gfpir_high);
            add_sure(assay_html_cell(&table), of->gfnir, &of->gfnir_interval);
        }
    }
    assay_html_table_close(&table);
    assay_text_append(
        page->text,
        "<p class=\"quiet\">FPIR: somebody who is not in the gallery is taken for somebody who is. "
        "FNIR: somebody who is in it is not found. Both depend on the size of the gallery and mean "
        "nothing without it. Comparisons × FMR is what comparisons that know nothing of each other "
        "would give: people who match many others make it too much. Generalized: of everybody on "
        "the "
        "list and everybody who is searched for, whether there is a template or not.</p>\n");
}

/* ---- given galleries ---- */

static void given_row(assay_html_table *table, const assay_report_release *release,
                      const char *what, const assay_search_rate *rate) {
    assay_html_cell_text(table, release->name);
    assay_text_append(assay_html_cell(table), what);
    assay_html_count(assay_html_cell(table), rate->galleries);
    if (rate->rate.trials)
        assay_html_cell_percent(assay_html_cell(table), rate->rate, &rate->interval, false);
    else
        assay_html_cell_text(table, "no such search was made");
}

static void add_given(assay_page *page, const assay_report_release *release) {
    static const char *const headings[] = {"Release", "Rate", "#Galleries",
                                           "#Wrong of searches, with 95 % interval"};
    const assay_given_galleries *given = &release->galleries.given;
    assay_text *text = page->text;
    assay_html_table table;
    assay_text_append(text, "<h3>Galleries by ");
    assay_text_append_html(text, release->galleries.attribute);
    assay_text_append(text, ", ");
    assay_text_append_html(text, release->name);
    assay_text_append(text, ": ");
    assay_html_count(text, given->galleries);
    assay_text_append(text, " of ");
    assay_html_count(text, given->least);
    assay_text_append(text, " to ");
    assay_html_count(text, given->most);
    assay_text_append(text, " people, median ");
    assay_html_count(text, given->median);
    assay_text_append(text, "</h3>\n");
    assay_html_table_open(&table, text, "Searches in the galleries that are given", headings, 4);
    given_row(&table, release, "FPIR, of people who are not in the gallery", &given->fpir);
    given_row(&table, release, "somebody else matches, mates left out, of all searches",
              &given->others);
    given_row(&table, release, "FNIR", &given->fnir);
    given_row(&table, release, "generalized FPIR", &given->gfpir);
    given_row(&table, release, "generalized FNIR", &given->gfnir);
    assay_html_table_close(&table);
    assay_text_append(text, "<p class=\"quiet\">Galleries are the clusters of the intervals");
    if (given->recurring)
        assay_text_append(text, "; some people are searched for in several, so people are too");
    assay_text_append(text, ". ");
    if (given->without_template) {
        assay_html_counted(text, given->without_template, "person in them has no template",
                           "people in them have no template");
        assay_text_append(text, ". ");
    }
    if (given->left_out) {
        assay_text_append(text, "Left out: ");
        assay_html_counted(text, given->left_out, "search", "searches");
        assay_text_append(text, " of somebody who is in the gallery without a mated comparison "
                                "(one session, another instance, one image). ");
    }
    assay_text_append(text, "</p>\n");
}

/* ---- who was searched for ---- */

static void accounting_row(assay_html_table *table, const assay_report_release *release,
                           const char *where, const assay_mated_searches *mated) {
    const uint64_t counts[] = {mated->attempted, mated->completed, mated->no_probe,
                               mated->no_reference, mated->no_comparison};
    assay_html_cell_text(table, release->name);
    assay_html_cell_text(table, where);
    for (size_t n = 0; n < sizeof counts / sizeof *counts; ++n)
        assay_html_count(assay_html_cell(table), counts[n]);
}

static void add_accounting(assay_page *page) {
    static const char *const headings[] = {"Release",
                                           "Galleries",
                                           "#Searches for somebody who is there",
                                           "#Completed",
                                           "#Probe without a template",
                                           "#Person in the gallery without one",
                                           "#Comparison failed"};
    assay_html_table table;
    assay_html_table_open(&table, page->text, "Mated searches, and why some have no score",
                          headings, 7);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_galleries *found = &release->galleries;
        if (release->galleries_reason) continue;
        accounting_row(&table, release, "random", &found->mated);
        if (found->has_given) accounting_row(&table, release, "given", &found->given.mated);
    }
    assay_html_table_close(&table);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_galleries *found = &release->galleries;
        if (release->galleries_reason) continue;
        assay_text_append(page->text, "<p class=\"quiet\">");
        assay_text_append_html(page->text, release->name);
        assay_text_append(page->text, ": ");
        assay_html_count(page->text, found->probes);
        assay_text_append(page->text, " of ");
        assay_html_counted(page->text, found->probes_attempted, "probe", "probes");
        assay_text_append(page->text, " and ");
        assay_html_count(page->text, found->people);
        assay_text_append(page->text, " of ");
        assay_html_counted(page->text, found->people_attempted, "person", "people");
        assay_text_append(page->text, " who can be in a gallery have a template. A search without "
                                      "one is a miss in generalized FNIR, and in no other rate.");
        assay_text_append(page->text, "</p>\n");
    }
}

/* ---- ranks ---- */

static const assay_cmc *curve_of_all(const assay_report_release *release) {
    return release->galleries.curve_count ? &release->galleries.curves[0] : NULL;
}

static void append_title(const assay_report *report, assay_text *title) {
    const assay_report_release *release = assay_report_subject(report);
    const assay_cmc *curve = curve_of_all(release);
    if (!curve) {
        assay_text_append(title, "At which rank mates are found");
        return;
    }
    assay_text_append_html(title, release->name);
    assay_text_append(title, " puts ");
    assay_html_percent(title, curve->ranks[0].value);
    assay_text_append(title, " of mates first among ");
    assay_html_counted(title, curve->people, "person", "people");
}

/* Where the ranks of mates are not known, how many, and how to know them. */
static void say_censored(assay_page *page) {
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_cmc *curve = curve_of_all(release);
        if (!curve || !curve->censored) continue;
        assay_text_append(page->text, "<p>");
        assay_page_name(page, release);
        assay_text_append(page->text, ": the scores of ");
        assay_html_count(page->text, curve->censored);
        assay_text_append(page->text, " of ");
        assay_html_counted(page->text, curve->searches, "mate lies", "mates lie");
        assay_text_append(page->text,
                          " below the non-mated scores that the evidence keeps, so that their rank "
                          "is not known. They count as found at no rank; the second figure is what "
                          "the share is at most. <code>assay compare --rows</code> computes their "
                          "rows again.</p>\n");
    }
}

static const char *name_curve(char out[96], const assay_cmc *curve) {
    static const char *const words[] = {[ASSAY_GALLERY_OF_ALL] = "everybody",
                                        [ASSAY_GALLERY_RANDOM] = "random, expected",
                                        [ASSAY_GALLERY_GIVEN] = "given, median"};
    snprintf(out, 96, "%s: %llu", words[curve->kind], (unsigned long long)curve->people);
    return out;
}

static void rank_cell(assay_text *text, const assay_recognition *at) {
    assay_html_percent(text, at->value);
    if (at->most > at->value) {
        assay_text_append(text, " to ");
        assay_html_percent(text, at->most);
    }
    if (at->interval.reason) return;
    assay_text_append(text, "<span class=\"ci whole\">");
    assay_html_percent(text, at->interval.low);
    assay_text_append(text, " to ");
    assay_html_percent(text, at->interval.high);
    assay_text_append(text, "</span>");
}

static void add_rank_table(assay_page *page) {
    static const char *const headings[] = {
        "Release", "Gallery, people",     "#Searches", "#Rank 1", "#2", "#5", "#10", "#20",
        "#50",     "#Rank 1 of attempted"};
    static const uint64_t shown[] = {1, 2, 5, 10, 20, 50};
    char name[96];
    assay_html_table table;
    assay_html_table_open(&table, page->text,
                          "Share of mates among the first so many, whatever the threshold; "
                          "tables/recognition.csv has every rank",
                          headings, 10);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        for (size_t c = 0; c < release->galleries.curve_count; ++c) {
            const assay_cmc *curve = &release->galleries.curves[c];
            assay_html_cell_text(&table, release->name);
            assay_html_cell_text(&table, name_curve(name, curve));
            assay_html_count(assay_html_cell(&table), curve->searches);
            for (size_t s = 0; s < sizeof shown / sizeof *shown; ++s) {
                assay_text *cell = assay_html_cell(&table);
                if (shown[s] > curve->rank_count)
                    assay_text_append(cell, "–");
                else
                    rank_cell(cell, &curve->ranks[shown[s] - 1]);
            }
            assay_html_percent(assay_html_cell(&table), curve->ranks[0].of_attempted);
        }
    }
    assay_html_table_close(&table);
}

static assay_status add_ranks(assay_page *page) {
    assay_text svg = {0}, title = {0}, subtitle = {0};
    assay_status status = assay_draw_ranks(page->report, &svg);
    if (status == ASSAY_OK) {
        append_title(page->report, &title);
        assay_text_append(&subtitle,
                          "Cumulative match characteristic in one gallery of everybody, whatever "
                          "the threshold. A person's rank is behind everybody with as high a score "
                          "or a higher one: ties count against the release. Higher is better.");
        assay_page_figure(page, &title, &subtitle, "figures-mates-by-rank", &svg);
        assay_page_twin_open(page, "and of galleries of other sizes");
        add_rank_table(page);
        assay_page_twin_close(page);
        say_censored(page);
    }
    assay_text_free(&svg);
    assay_text_free(&title);
    assay_text_free(&subtitle);
    return status;
}

/* ---- all of it ---- */

assay_status assay_section_identification(assay_page *page) {
    const assay_report *report = page->report;
    const assay_report_release *known = NULL;
    bool curves = false;
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        curves = curves || release->galleries.curve_count;
        if (!release->galleries_reason) {
            known = release;
            continue;
        }
        assay_text_append(page->text, "<p>");
        assay_page_name(page, release);
        assay_text_appendf(page->text, ": none, since %s.</p>\n", release->galleries_reason);
    }
    if (!known) return ASSAY_OK;
    assay_text_append(page->text, "<p>One face is searched in a gallery of many people, as in the "
                                  "manifest of a flight, at the ");
    assay_html_point(page->text, assay_headline(known));
    if (report->gallery_rank) {
        assay_text_append(page->text, "; a mate counts where it is among the first ");
        assay_html_count(page->text, report->gallery_rank);
    }
    assay_text_append(page->text, ". From the comparisons of this evidence:</p>\n");
    add_random(page);
    for (size_t n = 0; n < report->count; ++n)
        if (report->releases[n].galleries.has_given) add_given(page, &report->releases[n]);
    assay_status status = curves ? add_ranks(page) : ASSAY_OK;
    if (status == ASSAY_OK) add_accounting(page);
    return status;
}
