/* section_whom -- whom a release fails, and whether we can tell: verdicts in words, and how far
 * apart groups are. */
#include <math.h>

#include "reports/differentials.h"
#include "reports/section.h"

#define NAMED_MOST 6u /* groups that a sentence names */

static void append_ratio(assay_text *text, double ratio) {
    assay_text_appendf(text, ratio < 10 ? "%.1f" : ratio < 1000 ? "%.0f" : "%.2g", ratio);
}

static const assay_group_verdict *verdict_of(const assay_report_release *release,
                                             const assay_group *group, assay_error_kind kind) {
    return &assay_headline_of(release, group)->verdicts[kind];
}

/* ---- impostors who are alike ---- */

/* The crossing of most attributes, the first of those; NULL where nothing is crossed. */
static const assay_attribute_figures *widest_crossing(const assay_figures *figures) {
    const assay_attribute_figures *widest = NULL;
    for (uint32_t n = 0; n < figures->attribute_count; ++n) {
        const assay_attribute_figures *at = &figures->attributes[n];
        if (!at->grouping.made) continue;
        if (!widest || at->grouping.part_count > widest->grouping.part_count) widest = at;
    }
    return widest;
}

static void append_parts(assay_text *text, const assay_grouping *grouping) {
    for (uint32_t n = 0; n < grouping->part_count; ++n) {
        if (n) assay_text_append(text, n + 1 < grouping->part_count ? ", " : " and ");
        assay_text_append(text, "<i>");
        assay_text_append_html(text, grouping->parts[n]->name);
        assay_text_append(text, "</i>");
    }
}

void assay_say_alike(assay_page *page) {
    const assay_report_release *subject = assay_report_subject(page->report);
    const assay_attribute_figures *crossing = widest_crossing(&subject->figures);
    if (!crossing || subject->no_headline) return;
    assay_rate rate = crossing->alike[subject->headline];
    if (rate.reason) return;
    assay_text_append(page->text, "<p>Against impostors of the same ");
    append_parts(page->text, &crossing->grouping);
    assay_text_append(page->text, " it falsely matched ");
    assay_html_whole_power(page->text, rate, &crossing->alike_interval[subject->headline]);
    assay_text_append(page->text, ".</p>\n");
}

/* ---- verdicts ---- */

assay_verdict_count assay_count_verdicts(const assay_report_release *release) {
    assay_verdict_count out = {0};
    const assay_figures *figures = &release->figures;
    for (uint32_t a = 0; !release->no_headline && a < figures->attribute_count; ++a)
        for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g) {
            const assay_group *group = &figures->attributes[a].groups[g];
            bool worse = false, judged = false;
            for (int kind = 0; kind < ASSAY_ERROR_KINDS; ++kind) {
                assay_standing standing =
                    verdict_of(release, group, (assay_error_kind)kind)->standing;
                out.tests += standing != ASSAY_STANDING_NONE;
                out.worse += standing == ASSAY_STANDING_WORSE;
                out.within += standing == ASSAY_STANDING_WITHIN;
                out.open += standing == ASSAY_STANDING_OPEN;
                worse = worse || standing == ASSAY_STANDING_WORSE;
                judged = judged || standing != ASSAY_STANDING_NONE;
            }
            out.groups += judged;
            out.groups_worse += worse;
        }
    return out;
}

bool assay_say_worst_fmr(assay_text *value, assay_text *more, const assay_report_release *release) {
    const assay_figures *figures = &release->figures;
    const assay_group_verdict *worst = NULL;
    const assay_attribute_figures *by = NULL;
    const assay_group *whose = NULL;
    for (uint32_t a = 0; !release->no_headline && a < figures->attribute_count; ++a)
        for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g) {
            const assay_group *group = &figures->attributes[a].groups[g];
            const assay_group_verdict *verdict = verdict_of(release, group, ASSAY_ERROR_FMR);
            if (verdict->standing != ASSAY_STANDING_WORSE) continue;
            if (worst && verdict->ratio <= worst->ratio) continue;
            worst = verdict;
            by = &figures->attributes[a];
            whose = group;
        }
    if (!worst) return false;
    append_ratio(value, worst->ratio);
    assay_text_append(value, " times");
    assay_text_append(more, "that of the other groups within <i>");
    assay_text_append_html(more, whose->label);
    assay_text_append(more, "</i> (by <i>");
    assay_text_append_html(more, by->attribute->name);
    assay_text_append(more, "</i>), by more than chance; at most ");
    append_ratio(more, worst->upper);
    return true;
}

static void say_worse(assay_text *text, const assay_attribute_figures *attribute,
                      const assay_group *group, assay_error_kind kind,
                      const assay_group_verdict *verdict, double limit) {
    assay_text_appendf(text, "<li>%s %s <i>", assay_error_kind_name(kind),
                       kind == ASSAY_ERROR_FMR ? "within" : "of");
    assay_text_append_html(text, group->label);
    assay_text_append(text, "</i> (by <i>");
    assay_text_append_html(text, attribute->attribute->name);
    assay_text_append(text, "</i>) is about ");
    append_ratio(text, verdict->ratio);
    assay_text_append(text, " times that of the other groups (at most ");
    append_ratio(text, verdict->upper);
    assay_text_append(text, " times), ");
    if (verdict->beyond)
        assay_text_appendf(text, "surely more than %.3g times", limit);
    else
        assay_text_appendf(text, "not surely more than %.3g times", limit);
    assay_text_append(text, ".</li>\n");
}

static void list_worse(assay_page *page, unsigned worse) {
    const assay_report_release *subject = assay_report_subject(page->report);
    const assay_figures *figures = &subject->figures;
    unsigned named = 0;
    assay_text_append(page->text, "<ul class=\"worse\">\n");
    for (uint32_t a = 0; a < figures->attribute_count; ++a)
        for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g)
            for (int kind = 0; kind < ASSAY_ERROR_KINDS && named < NAMED_MOST; ++kind) {
                const assay_group *group = &figures->attributes[a].groups[g];
                const assay_group_verdict *verdict =
                    verdict_of(subject, group, (assay_error_kind)kind);
                if (verdict->standing != ASSAY_STANDING_WORSE) continue;
                say_worse(page->text, &figures->attributes[a], group, (assay_error_kind)kind,
                          verdict, page->report->worse_limit);
                ++named;
            }
    if (worse > named)
        assay_text_appendf(page->text, "<li>and %u more; see the tables of groups.</li>\n",
                           worse - named);
    assay_text_append(page->text, "</ul>\n");
}

void assay_say_whom(assay_page *page) {
    const assay_report_release *subject = assay_report_subject(page->report);
    assay_verdict_count count = assay_count_verdicts(subject);
    assay_text *text = page->text;
    if (!subject->figures.attribute_count) return;
    if (!count.tests) {
        assay_text_appendf(text,
                           "<p id=\"whom\"><b>Whether it fails some groups more than others cannot "
                           "be told:</b> no two groups of %u people can be compared.</p>\n",
                           ASSAY_FEW_SUBJECTS);
        return;
    }
    assay_text_append(text, "<p id=\"whom\"><b>");
    if (count.worse) {
        assay_html_counted(text, count.groups_worse, "group is", "groups are");
        assay_text_append(text, " failed more than the others, by more than chance");
    } else if (count.open) {
        assay_text_append(text, "No group is shown to be failed more than the others, and for some "
                                "there are too few data to tell");
    } else {
        assay_text_append(text, "No group is failed more than the limit allows");
    }
    assay_text_appendf(
        text,
        ".</b> Of %u comparisons of a group with the others (%u groups, FMR and FNMR)"
        ": %u WORSE, %u WITHIN LIMIT (surely less than %.3g times the others), %u NOT "
        "ENOUGH DATA.</p>\n",
        count.tests, count.groups, count.worse, count.within, page->report->worse_limit,
        count.open);
    if (count.worse) list_worse(page, count.worse);
}

/* Cell of a table of groups: "WORSE, 25 times (≤ 30)". */
void assay_html_verdict(assay_text *text, const assay_group_verdict *verdict) {
    assay_text_append(text, assay_standing_name(verdict->standing));
    if (verdict->standing == ASSAY_STANDING_NONE) return;
    assay_text_append(text, " <span class=\"ci\">");
    append_ratio(text, verdict->ratio);
    assay_text_append(text, " times, at most ");
    append_ratio(text, verdict->upper);
    assay_text_append(text, "</span>");
}

/* ---- measures ---- */

static void append_value(assay_text *text, double value) {
    if (isnan(value))
        assay_text_append(text, "–");
    else if (isinf(value))
        assay_text_append(text, "∞");
    else if (fabs(value) > 0 && fabs(value) < 0.01)
        assay_html_power(text, value);
    else
        assay_text_appendf(text, fabs(value) < 10 ? "%.2f" : "%.0f", value);
}

static void measure_row(assay_html_table *table, const char *name, const double *values) {
    assay_text_append(assay_html_cell(table), name);
    append_value(assay_html_cell(table), values[0]);
    assay_text *text = assay_html_cell(table);
    append_value(text, values[1]);
    assay_text_append(text, " <span class=\"ci\">1 in 20: ");
    append_value(text, values[2]);
    assay_text_append(text, "</span>");
    text = assay_html_cell(table);
    append_value(text, values[3]);
    assay_text_append(text, " to ");
    append_value(text, values[4]);
    append_value(assay_html_cell(table), values[5]);
}

#define ROW(name, of, field)                                                                       \
    measure_row(&table, name,                                                                      \
                (const double[]){(of)->value.field, (of)->chance.mean.field,                       \
                                 (of)->chance.beyond.field, (of)->range.least.field,               \
                                 (of)->range.most.field, (of)->shrunk.field})
#define JOINT_ROW(name, of, field)                                                                 \
    measure_row(&table, name,                                                                      \
                (const double[]){(of)->joint.field, (of)->joint_chance.mean.field,                 \
                                 (of)->joint_chance.beyond.field, (of)->joint_least.field,         \
                                 (of)->joint_most.field, (of)->joint_shrunk.field})

static void explain_measures(assay_text *text, const assay_differential *found) {
    const assay_error_inequity *fmr = &found->errors[ASSAY_ERROR_FMR];
    const assay_error_inequity *fnmr = &found->errors[ASSAY_ERROR_FNMR];
    assay_text_appendf(
        text,
        "<p class=\"quiet\">Of groups of %u people: FMR %u groups, FNMR %u; left out "
        "%u and %u. ",
        ASSAY_FEW_SUBJECTS, fmr->judged, fnmr->judged, fmr->left_out, fnmr->left_out);
    if (fmr->reason) assay_text_appendf(text, "FMR: %s. ", fmr->reason);
    if (fnmr->reason) assay_text_appendf(text, "FNMR: %s. ", fnmr->reason);
    if ((!fmr->reason && isinf(fmr->value.max_min)) ||
        (!fnmr->reason && isinf(fnmr->value.max_min)))
        assay_text_append(text,
                          "∞: a group has no error; max/geomean and IR are then not defined. ");
    if (found->permuted) {
        assay_text_appendf(text,
                           "Dealing the labels of FNMR anew %s%llu times gives as wide a "
                           "difference in a share of ",
                           found->permutation_exact ? "in all " : "",
                           (unsigned long long)found->permutation_deals);
        assay_html_power(text, found->permutation_p);
        assay_text_append(text, " of them. ");
    }
    assay_text_append(text, "</p>\n");
}

void assay_add_measures(assay_page *page, const assay_report_release *release, uint32_t index) {
    static const char *const headings[] = {
        "Measure", "#Value",
        "#<a href=\"metrics.html#how-far-apart-groups-are-by-chance\">By chance alone</a>",
        "#<a href=\"metrics.html#how-far-apart-groups-are-guaranteed-range\">Guaranteed range</a>",
        "#<a href=\"metrics.html#how-far-apart-groups-are-shrunken\">Shrunken</a>"};
    const assay_attribute_figures *attribute = &release->figures.attributes[index];
    const assay_differential *found = &attribute->differentials[release->headline];
    const assay_error_inequity *fmr = &found->errors[ASSAY_ERROR_FMR];
    const assay_error_inequity *fnmr = &found->errors[ASSAY_ERROR_FNMR];
    assay_html_table table;
    assay_text caption = {0};
    if (release->no_headline) return;
    assay_text_append(page->text, "<h4>How far apart the groups are, ");
    assay_text_append_html(page->text, release->name);
    assay_text_append(page->text, "</h4>\n");
    if (!fmr->reason || !fnmr->reason) {
        assay_text_append(&caption, "Measures of the differences between groups by ");
        assay_text_append_html(&caption, attribute->attribute->name);
        assay_html_table_open(&table, page->text, caption.bytes ? caption.bytes : "", headings, 5);
        if (!fmr->reason)
            ROW("<a href=\"metrics.html#how-far-apart-groups-are-max-min\">FMR max/min</a>", fmr,
                max_min);
        if (!fmr->reason)
            ROW("<a href=\"metrics.html#how-far-apart-groups-are-max-geomean\">FMR max/geomean</a>",
                fmr, max_geomean);
        if (!fmr->reason)
            ROW("<a href=\"metrics.html#how-far-apart-groups-are-gini\">FMR Gini</a>", fmr, gini);
        if (!fnmr->reason)
            ROW("<a href=\"metrics.html#how-far-apart-groups-are-max-min\">FNMR max/min</a>", fnmr,
                max_min);
        if (!fnmr->reason)
            ROW("<a href=\"metrics.html#how-far-apart-groups-are-max-geomean\">FNMR "
                "max/geomean</a>",
                fnmr, max_geomean);
        if (!fnmr->reason)
            ROW("<a href=\"metrics.html#how-far-apart-groups-are-gini\">FNMR Gini</a>", fnmr, gini);
        if (!found->joint_reason) {
            JOINT_ROW(
                "<a href=\"metrics.html#how-far-apart-groups-are-fdr\">FDR (weight of FMR 0.5)</a>",
                found, fdr);
            JOINT_ROW(
                "<a href=\"metrics.html#how-far-apart-groups-are-ir\">IR (weight of FMR 0.5)</a>",
                found, ir);
            JOINT_ROW("<a href=\"metrics.html#how-far-apart-groups-are-garbe\">GARBE (weight of "
                      "FMR 0.5)</a>",
                      found, garbe);
        }
        assay_html_table_close(&table);
    }
    explain_measures(page->text, found);
    assay_text_free(&caption);
}

/* FMR against impostors who share a value, of every attribute. */
void assay_add_alike(assay_page *page) {
    static const char *const headings[] = {
        "Release", "Impostors of the same",
        "#<a "
        "href=\"metrics.html#crossed-groups-and-impostors-who-are-alike-fmr-against-impostors-who-"
        "are-alike\">FMR</a>"};
    assay_html_table table;
    assay_html_table_open(&table, page->text, "FMR against impostors who are alike", headings, 3);
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_operating_point *point = assay_headline(release);
        assay_html_cell_text(&table, release->name);
        assay_text_append(assay_html_cell(&table), "(any)");
        assay_html_cell_power(assay_html_cell(&table), point->fmr, &point->interval.fmr, false);
        for (uint32_t a = 0; !release->no_headline && a < release->figures.attribute_count; ++a) {
            const assay_attribute_figures *at = &release->figures.attributes[a];
            assay_html_cell_text(&table, release->name);
            assay_html_cell_text(&table, at->attribute->name);
            assay_html_cell_power(assay_html_cell(&table), at->alike[release->headline],
                                  &at->alike_interval[release->headline], false);
        }
    }
    assay_html_table_close(&table);
}
