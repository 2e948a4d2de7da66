/* section_comparison -- the judged release beside each earlier one, on the same comparisons. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/comparison.h"
#include "reports/section.h"

/* Percentage points with their sign. */
static void append_points(assay_text *text, double value) {
    char shown[48];
    double points = fabs(value * 100);
    snprintf(shown, sizeof shown, points >= 10 ? "%.1f" : points >= 0.1 ? "%.2f" : "%.3f", points);
    bool none = !strpbrk(shown, "123456789");
    assay_text_appendf(text, "<span class=\"whole\">%s%s</span>",
                       none        ? ""
                       : value < 0 ? "−"
                                   : "+",
                       shown);
}

static void add_difference(assay_text *text, const assay_difference *difference, bool few) {
    if (difference->reason) {
        assay_text_append(text, difference->reason);
        return;
    }
    if (!few) append_points(text, difference->value);
    assay_text_append(text, " <span class=\"of\">(");
    assay_html_count(text, (uint64_t)difference->only_b);
    assay_text_append(text, " : ");
    assay_html_count(text, (uint64_t)difference->only_a);
    assay_text_append(text, " of ");
    assay_html_count(text, (uint64_t)difference->trials);
    assay_text_append(text, ")</span><span class=\"ci\">");
    append_points(text, difference->low);
    assay_text_append(text, " to ");
    append_points(text, difference->high);
    assay_text_append(text, "</span>");
}

static void append_ratio(assay_text *text, double value) {
    if (isinf(value))
        assay_text_append(text, "no bound");
    else
        assay_text_appendf(text, value < 10 ? "%.2f" : "%.0f", value);
}

static void add_ratio(assay_text *text, const assay_ratio *ratio, bool few) {
    if (ratio->reason) {
        assay_text_append(text, ratio->reason);
        return;
    }
    if (!few) append_ratio(text, ratio->value);
    assay_text_append(text, "<span class=\"ci\">");
    append_ratio(text, ratio->low);
    assay_text_append(text, " to ");
    append_ratio(text, ratio->high);
    assay_text_append(text, "</span>");
}

/* A difference at a threshold that stands for no measured rate must not look like the others. */
static void add_reached(assay_text *text, const assay_operating_point *earlier,
                        const assay_operating_point *later) {
    const assay_operating_point *short_of = earlier->reached ? later : earlier;
    if (short_of->reached || short_of->reason) return;
    assay_text_appendf(text, " <span class=\"ci\">cannot be measured here: %s</span>",
                       short_of->reached_reason);
}

static void add_points(assay_text *text, const assay_release_comparison *made) {
    static const char *const headings[] = {"Thresholds", "#Generalized FNMR, difference",
                                           "#FNMR where both completed, difference",
                                           "#Swap test, <i>p</i>", "#FMR, ratio"};
    assay_html_table table;
    assay_html_table_open(
        &table, text,
        "Later less earlier, in percentage points, with 95 % intervals; in brackets "
        "comparisons that the later alone, and the earlier alone, gets wrong",
        headings, 5);
    for (uint32_t n = 0; n < made->point_count; ++n) {
        const assay_compared *at = &made->compared[n];
        const assay_operating_point *earlier = &made->earlier->figures.points[made->points[n]];
        assay_html_point(assay_html_cell(&table), earlier);
        add_reached(text, earlier, &made->later->figures.points[made->later_points[n]]);
        add_difference(assay_html_cell(&table), &at->gfnmr, false);
        add_difference(assay_html_cell(&table), &at->fnmr, false);
        assay_html_cell(&table);
        if (isnan(at->swap))
            assay_text_append(text, "–");
        else
            assay_text_appendf(text, at->swap < 0.001 ? "%.1e" : "%.3f", at->swap);
        add_ratio(assay_html_cell(&table), &at->fmr, false);
    }
    assay_html_table_close(&table);
}

static void add_transfers(assay_text *text, const assay_release_comparison *made) {
    static const char *const headings[] = {"Threshold of the earlier release", "#FMR of the later",
                                           "#FNMR of the later", "#Generalized FNMR"};
    assay_html_table table;
    assay_text_append(text, "<h3>If nobody sets the threshold anew</h3>\n");
    assay_html_table_open(&table, text,
                          "The later release at thresholds that were set for the earlier one",
                          headings, 4);
    for (uint32_t n = 0; n < made->transfer_count; ++n) {
        const assay_transfer *at = &made->transfers[n];
        char digits[64];
        snprintf(digits, sizeof digits, "%.4g, ", at->from->threshold);
        assay_text_append(assay_html_cell(&table), digits);
        assay_html_point(text, at->from);
        assay_html_cell_power(assay_html_cell(&table), at->fmr, &at->interval.fmr, false);
        assay_html_cell_percent(assay_html_cell(&table), at->fnmr, &at->interval.fnmr, false);
        assay_html_cell_percent(assay_html_cell(&table), at->gfnmr, &at->interval.gfnmr, false);
    }
    assay_html_table_close(&table);
}

static void add_groups(assay_text *text, const assay_release_comparison *made) {
    static const char *const headings[] = {"Group", "#Generalized FNMR, difference",
                                           "#FNMR where both completed, difference",
                                           "#FMR within the group, ratio"};
    assay_html_table table;
    if (!made->group_count) return;
    assay_text_append(text, "<h3>By group</h3>\n");
    assay_html_table_open(
        &table, text,
        "At the headline's thresholds; groups of fewer than 30 people have counts "
        "and intervals alone. Among many intervals some miss",
        headings, 4);
    for (uint32_t n = 0; n < made->group_count; ++n) {
        const assay_compared_group *at = &made->groups[n];
        bool few = at->group->subjects < ASSAY_FEW_SUBJECTS;
        bool few_mated = at->group->mated_subjects < ASSAY_FEW_SUBJECTS;
        assay_html_cell(&table);
        assay_text_append_html(text, at->attribute->attribute->name);
        assay_text_append(text, ": ");
        assay_text_append_html(text, at->group->label);
        add_difference(assay_html_cell(&table), &at->at.gfnmr, few_mated);
        add_difference(assay_html_cell(&table), &at->at.fnmr, few_mated);
        add_ratio(assay_html_cell(&table), &at->at.fmr, few);
    }
    assay_html_table_close(&table);
}

static void say_difference(assay_text *text, const assay_release_comparison *made) {
    const assay_difference *found = NULL;
    for (uint32_t n = 0; made->has_headline && n < made->point_count; ++n)
        if (made->points[n] == made->earlier->headline) found = &made->compared[n].gfnmr;
    if (!found || found->reason) return;
    assay_text_append(text, "<p>At the headline's thresholds the generalized FNMR of the later "
                            "release is ");
    assay_text_append(text, found->high < 0  ? "lower, beyond chance: "
                            : found->low > 0 ? "higher, beyond chance: "
                                             : "not different beyond chance: ");
    append_points(text, found->value);
    assay_text_append(text, " percentage points (95 %: ");
    append_points(text, found->low);
    assay_text_append(text, " to ");
    append_points(text, found->high);
    assay_text_append(text, "). They disagree on ");
    assay_html_counted(text, made->mated_only_earlier + made->mated_only_later, "mated comparison",
                       "mated comparisons");
    assay_text_append(text, " (");
    assay_html_count(text, made->mated_only_later);
    assay_text_append(text, " missed by the later alone, ");
    assay_html_count(text, made->mated_only_earlier);
    assay_text_append(text, " by the earlier alone) and on ");
    assay_html_counted(text, made->matches_only_earlier + made->matches_only_later, "non-mated one",
                       "non-mated ones");
    assay_text_append(text, " (");
    assay_html_count(text, made->matches_only_later);
    assay_text_append(text, " matched by the later alone, ");
    assay_html_count(text, made->matches_only_earlier);
    assay_text_append(text, " by the earlier alone): each is in "
                            "<code>tables/discordant.csv</code>.</p>\n");
}

static void say_fte(assay_text *text, const assay_release_comparison *made) {
    if (!made->fte.reason) {
        assay_text_append(text, "<p>Failure to enrol differs by ");
        append_points(text, made->fte.value);
        assay_text_append(text, " points (95 %: ");
        append_points(text, made->fte.low);
        assay_text_append(text, " to ");
        append_points(text, made->fte.high);
        assay_text_append(text, "; refused by the later alone ");
        assay_html_count(text, (uint64_t)made->fte.only_b);
        assay_text_append(text, ", by the earlier alone ");
        assay_html_count(text, (uint64_t)made->fte.only_a);
        assay_text_append(text, ").</p>\n");
    }
}

assay_status assay_section_comparison(assay_page *page) {
    const assay_report *report = page->report;
    assay_text *text = page->text;
    for (size_t n = 0; n < report->comparison_count; ++n) {
        const assay_release_comparison *made = &report->comparisons[n];
        assay_text_append(text, "<h3>");
        assay_text_append_html(text, made->later->name);
        assay_text_append(text, " (later) against ");
        assay_text_append_html(text, made->earlier->name);
        assay_text_append(text, " (earlier), on the same comparisons</h3>\n");
        if (made->fault) {
            assay_text_appendf(text, "<p>Not compared: %s.</p>\n", made->fault);
            continue;
        }
        say_difference(text, made);
        add_points(text, made);
        add_transfers(text, made);
        assay_add_mixed(page, made);
        say_fte(text, made);
        add_groups(text, made);
        assay_add_changes(page, made);
    }
    return ASSAY_OK;
}
