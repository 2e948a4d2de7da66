/* section_resemblance -- people who resemble each other: how often a release takes somebody for one
 * of the people nearest to him by a reference release, or of his own group. */
#include "reports/section.h"

static void add_row(assay_html_table *table, const assay_report_release *release,
                    const assay_text *who, assay_rate fmr, const assay_interval *interval,
                    assay_rate any) {
    assay_html_cell_text(table, release->name);
    assay_text_append(assay_html_cell(table), who->bytes ? who->bytes : "");
    assay_html_cell_power(assay_html_cell(table), fmr, interval, false);
    assay_text *cell = assay_html_cell(table);
    if (fmr.reason || any.reason || !any.errors)
        assay_text_append(cell, "–");
    else if (!(assay_rate_value(fmr) < assay_rate_value(any)) &&
             !(assay_rate_value(fmr) > assay_rate_value(any)))
        assay_text_append(cell, "the same");
    else
        assay_html_times(cell, fmr, any);
}

/* Of the groups, the one that is crossed; else each attribute. */
static void add_groups(assay_html_table *table, const assay_report_release *release) {
    const assay_operating_point *point = assay_headline(release);
    bool crossed = false;
    for (uint32_t a = 0; a < release->figures.attribute_count; ++a)
        crossed = crossed || release->figures.attributes[a].grouping.made;
    for (uint32_t a = 0; a < release->figures.attribute_count; ++a) {
        const assay_attribute_figures *at = &release->figures.attributes[a];
        assay_text who = {0};
        if (crossed && !at->grouping.made) continue;
        assay_text_append(&who, "of the same ");
        assay_text_append_html(&who, at->attribute->name);
        add_row(table, release, &who, at->alike[release->headline],
                &at->alike_interval[release->headline], point->fmr);
        assay_text_free(&who);
    }
}

static void add_look_alikes(assay_html_table *table, const assay_report *report,
                            const assay_report_release *release) {
    const assay_operating_point *point = assay_headline(release);
    for (size_t k = 0; !release->resemblance_fault && k < report->neighbour_count; ++k) {
        const assay_neighbour_point *at =
            &release->resemblance[k * release->figures.point_count + release->headline];
        const uint64_t nearest = report->neighbours[k].nearest;
        assay_text who = {0};
        if (nearest == 1)
            assay_text_append(&who, "the person nearest to each sample");
        else
            assay_text_appendf(&who, "the %llu people nearest to each sample",
                               (unsigned long long)nearest);
        add_row(table, release, &who, at->fmr, &at->fmr_interval, point->fmr);
        assay_text_free(&who);
    }
}

static void say_pairs(assay_text *text, const assay_report *report) {
    char hex[ASSAY_DIGEST_HEX];
    bool short_of = false;
    assay_text_append(text, "<p class=\"quiet\">Nearest by the scores of ");
    assay_text_append_html(text, report->look_alikes->release);
    assay_text_append(text, " ");
    assay_text_append_html(text, report->look_alikes->version);
    assay_text_append(text, ", which is not under test here: the same pairs for every release. ");
    for (size_t k = 0; k < report->neighbour_count; ++k) {
        const assay_neighbours *of = &report->neighbours[k];
        assay_text_append(text, k ? "; " : "Nearest ");
        assay_html_count(text, of->nearest);
        assay_text_append(text, ": ");
        assay_html_counted(text, of->count, "pair", "pairs");
        assay_text_append(text, " of ");
        assay_html_counted(text, of->samples, "sample", "samples");
        assay_text_appendf(text, ", SHA-256 %.16s…", assay_digest_hex(hex, &of->digest));
        short_of = short_of || of->short_of;
    }
    assay_text_append(text, ".");
    for (size_t k = 0; short_of && k < report->neighbour_count; ++k) {
        const assay_neighbours *of = &report->neighbours[k];
        if (!of->short_of) continue;
        assay_text_append(text, " Of ");
        assay_html_counted(text, of->short_of, "sample", "samples");
        assay_text_append(text, " fewer than ");
        assay_html_counted(text, of->nearest, "person is", "people are");
        assay_text_append(text, " known.");
    }
    if (short_of)
        assay_text_append(text, " That release's evidence keeps no lower scores: <code>assay "
                                "compare --rows --top</code> finds them.");
    assay_text_append(text, "</p>\n");
}

assay_status assay_section_resemblance(assay_page *page) {
    static const char *const headings[] = {
        "Release", "Impostors",
        "#<a href=\"metrics.html#people-who-resemble-each-other-fmr-of-look-alikes\">FMR</a>",
        "#Of FMR with anybody"};
    const assay_report *report = page->report;
    assay_html_table table;
    bool any = false;
    for (size_t n = 0; n < report->count; ++n)
        any = any || assay_evidence_has_samples(report->releases[n].evidence);
    if (!any) {
        assay_text_append(page->text, "<p>Not known: " ASSAY_NO_SAMPLES ".</p>\n");
        return ASSAY_OK;
    }
    assay_text_append(page->text, "<p>Somebody who uses the document of another person takes one "
                                  "whom he resembles. At the ");
    assay_html_point(page->text, assay_headline(assay_report_subject(report)));
    assay_text_append(page->text, ":</p>\n");
    assay_html_table_open(&table, page->text, "FMR of impostors who resemble", headings, 4);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        const assay_operating_point *point = assay_headline(release);
        assay_text who = {0};
        assay_text_append(&who, "anybody");
        add_row(&table, release, &who, point->fmr, &point->interval.fmr, point->fmr);
        assay_text_free(&who);
        if (release->no_headline) continue;
        add_groups(&table, release);
        add_look_alikes(&table, report, release);
    }
    assay_html_table_close(&table);
    if (report->neighbour_count) {
        say_pairs(page->text, report);
    } else {
        assay_text_append(page->text, "<p class=\"quiet\">Who looks like whom is chosen by a "
                                      "reference release that is not under test; none was named "
                                      "(<code>assay report --look-alikes</code>).</p>\n");
    }
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        if (!report->neighbour_count || !release->resemblance_fault) continue;
        assay_text_append(page->text, "<p>");
        assay_page_name(page, release);
        assay_text_appendf(page->text, ": not judged on look-alikes, since %s.</p>\n",
                           release->resemblance_fault);
    }
    return ASSAY_OK;
}
