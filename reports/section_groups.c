/* section_groups -- rates of every group of every attribute at one common threshold. */
#include <math.h>

#include "reports/section.h"

typedef struct {
    assay_dots_kind kind;
    const char *what;   /* the rate in a title */
    const char *counts; /* what the figure shows */
} dots_words;

static const dots_words words[] = {
    {ASSAY_DOTS_FNMR, "False non-match rate",
     "FNMR of completed mated comparisons, by the group of the probe, with 95 % intervals."},
    {ASSAY_DOTS_FMR, "False match rate",
     "FMR between different subjects of the same group, with 95 % intervals."},
    {ASSAY_DOTS_FTE, "Failure to enrol",
     "Samples that the release refused or failed on, of those that reached it, with 95 % "
     "intervals."},
};

static void append_rate(assay_text *text, assay_dots_kind kind, assay_rate rate) {
    if (kind == ASSAY_DOTS_FMR)
        assay_html_power(text, assay_rate_value(rate));
    else
        assay_html_percent(text, assay_rate_value(rate));
}

static bool any_error(const assay_report_release *release, const assay_attribute_figures *attribute,
                      assay_dots_kind kind) {
    for (uint32_t g = 0; g < attribute->group_count; ++g) {
        assay_rate rate = assay_dots_rate(release, &attribute->groups[g], kind);
        if (!rate.reason && rate.errors) return true;
    }
    return false;
}

static void append_dots_title(const assay_report *report, uint32_t index, const dots_words *about,
                              assay_text *title) {
    const assay_report_release *subject = assay_report_subject(report);
    const assay_attribute_figures *attribute = &subject->figures.attributes[index];
    assay_extremes found;
    assay_text_append(title, about->what);
    if (!any_error(subject, attribute, about->kind)) {
        assay_text_append(title, ": no error was seen in any group by <i>");
        assay_text_append_html(title, attribute->attribute->name);
        assay_text_append(title, "</i>");
        return;
    }
    if (!assay_group_extremes(subject, attribute, about->kind, &found)) {
        if (found.high && about->kind == ASSAY_DOTS_FMR) {
            assay_text_append(title, " within <i>");
            assay_text_append_html(title, found.high->label);
            assay_text_append(title, "</i> is ");
            assay_html_times(title, found.high_rate, assay_headline(subject)->fmr);
            assay_text_append(title, " that of all pairs, also between groups");
            return;
        }
        assay_text_append(title, ": too little data to compare groups by <i>");
        assay_text_append_html(title, attribute->attribute->name);
        assay_text_append(title, "</i>");
        return;
    }
    double low = assay_rate_value(found.low_rate), high = assay_rate_value(found.high_rate);
    /* How many fold is said only where errors enough stand behind both. */
    bool enough = found.low_rate.errors >= ASSAY_FEW_CELL_ERRORS &&
                  found.high_rate.errors >= ASSAY_FEW_CELL_ERRORS;
    if (high <= low && low > 0) {
        assay_text_append(title, " is the same in all groups by <i>");
    } else if (low > 0 && high < low * 1.05) {
        assay_text_append(title, " is about the same in all groups by <i>");
    } else if (enough) {
        assay_text_append(title, " differs ");
        assay_html_fold(title, &found);
        assay_text_append(title, " between groups by <i>");
    } else {
        assay_text_append(title, high > low ? " is between " : " is ");
        append_rate(title, about->kind, found.low_rate);
        if (high > low) assay_text_append(title, " and ");
        if (high > low) append_rate(title, about->kind, found.high_rate);
        assay_text_append(title, " by <i>");
    }
    assay_text_append_html(title, attribute->attribute->name);
    assay_text_append(title, "</i>");
}

/* A figure of failures to enrol without one would be a column of noughts. */
static bool nothing_to_draw(const assay_report *report, uint32_t index, assay_dots_kind kind) {
    if (kind != ASSAY_DOTS_FTE) return false;
    for (size_t n = 0; n < report->count; ++n)
        if (any_error(&report->releases[n], &report->releases[n].figures.attributes[index], kind))
            return false;
    return true;
}

/* What marks mean that are not the usual one, where there are any. */
static void explain_marks(const assay_report *report, uint32_t index, assay_dots_kind kind,
                          assay_text *subtitle) {
    bool hollow = false, few = false;
    for (size_t n = 0; n < report->count; ++n) {
        const assay_attribute_figures *attribute = &report->releases[n].figures.attributes[index];
        for (uint32_t g = 0; g < attribute->group_count; ++g) {
            const assay_group *group = &attribute->groups[g];
            assay_rate rate = assay_dots_rate(&report->releases[n], group, kind);
            bool small = assay_dots_few(group, kind);
            few = few || (small && !rate.reason);
            hollow = hollow || (!small && !rate.reason && !rate.errors);
        }
    }
    if (hollow)
        assay_text_append(subtitle, " Hollow: no error was seen, and the arrow goes up to what the "
                                    "rate may yet be.");
    if (few)
        assay_text_appendf(subtitle, " A line without a mark: fewer than %u subjects.",
                           ASSAY_FEW_SUBJECTS);
}

static assay_status add_dots(assay_page *page, uint32_t index, const dots_words *about) {
    const assay_report *report = page->report;
    const assay_report_release *subject = assay_report_subject(report);
    if (nothing_to_draw(report, index, about->kind)) {
        assay_text_append(page->text, "<p>No release failed to enrol a sample of any group by <i>");
        assay_text_append_html(page->text, subject->figures.attributes[index].attribute->name);
        assay_text_append(page->text, "</i>.</p>\n");
        return ASSAY_OK;
    }
    assay_text svg = {0}, title = {0}, subtitle = {0};
    assay_status status = assay_draw_dots(page->report, index, about->kind, &svg);
    if (status != ASSAY_OK) goto out;
    append_dots_title(report, index, about, &title);
    assay_text_append(&subtitle, about->counts);
    explain_marks(report, index, about->kind, &subtitle);
    uint32_t shown[ASSAY_DOTS_MOST], groups = subject->figures.attributes[index].group_count;
    uint32_t some = assay_dots_shown(report, index, about->kind, shown);
    if (some < groups)
        assay_text_appendf(&subtitle,
                           " The %u highest and the lowest of %u groups; all are in the "
                           "table.",
                           some / 2, groups);
    if (about->kind != ASSAY_DOTS_FTE && !assay_headline(subject)->reason) {
        assay_text_append(&subtitle, " One threshold for all groups: the ");
        assay_html_point(&subtitle, assay_headline(subject));
        assay_text_append(&subtitle, report->count > 1 ? ", of each release." : ".");
    }
    if (about->kind != ASSAY_DOTS_FTE)
        assay_html_left_out(&subtitle, subject, &subject->figures.attributes[index], about->kind);
    if (report->count > 1) {
        assay_text_append(&subtitle, " The title and the dashed line speak of ");
        assay_text_append_html(&subtitle, subject->name);
        assay_text_append(&subtitle, ".");
    }
    assay_page_figure(page, &title, &subtitle, "figures-dots", &svg);
out:
    assay_text_free(&svg);
    assay_text_free(&title);
    assay_text_free(&subtitle);
    return status;
}

/* The numbers of the three figures of dots in one table a release. */
static void add_group_table(assay_page *page, const assay_report_release *release, uint32_t index) {
    static const char *const headings[] = {
        "Group",
        "#Subjects",
        "#Samples",
        "#Subjects with mated pairs",
        "#<a href=\"metrics.html#groups-fnmr-generalized-fnmr\">FNMR</a>",
        "#<a href=\"metrics.html#groups-fnmr-generalized-fnmr\">Generalized FNMR</a>",
        "#<a href=\"metrics.html#groups-fmr-within-a-group\">FMR within the group</a>",
        "#<a href=\"metrics.html#groups-fte\">FTE</a>",
        "<a href=\"metrics.html#whether-a-group-is-worse-standing\">FNMR beside the others</a>",
        "<a href=\"metrics.html#whether-a-group-is-worse-standing\">FMR beside the others</a>"};
    const assay_attribute_figures *attribute = &release->figures.attributes[index];
    assay_html_table table;
    assay_text caption = {0};
    assay_text_append_html(&caption, release->name);
    assay_text_append(&caption, ", by ");
    assay_text_append_html(&caption, attribute->attribute->name);
    assay_html_table_open(&table, page->text, caption.bytes ? caption.bytes : "", headings, 10);
    for (uint32_t g = 0; g < attribute->group_count; ++g) {
        const assay_group *group = &attribute->groups[g];
        const assay_group_point *point = assay_headline_of(release, group);
        assay_html_cell_text(&table, group->label);
        assay_html_count(assay_html_cell(&table), group->subjects);
        assay_html_count(assay_html_cell(&table), group->samples);
        assay_html_count(assay_html_cell(&table), group->mated_subjects);
        bool few = assay_dots_few(group, ASSAY_DOTS_FMR);
        bool few_mated = assay_dots_few(group, ASSAY_DOTS_FNMR);
        assay_html_cell_percent(assay_html_cell(&table), point->fnmr, &point->fnmr_interval,
                                few_mated);
        assay_html_cell_percent(assay_html_cell(&table), point->gfnmr, &point->gfnmr_interval,
                                few_mated);
        assay_html_cell_power(assay_html_cell(&table), point->fmr, &point->fmr_interval, few);
        assay_html_cell_percent(assay_html_cell(&table), group->fte, &group->fte_interval, few);
        assay_html_verdict(assay_html_cell(&table), &point->verdicts[ASSAY_ERROR_FNMR]);
        assay_html_verdict(assay_html_cell(&table), &point->verdicts[ASSAY_ERROR_FMR]);
    }
    assay_html_table_close(&table);
    assay_text_free(&caption);
}

static void append_heat_title(const assay_attribute_figures *attribute, uint32_t headline,
                              assay_text *title) {
    uint64_t within = 0, all = 0, within_trials = 0, all_trials = 0;
    for (uint32_t n = 0; n < attribute->pair_count; ++n) {
        const assay_group_pair *pair = &attribute->pairs[n];
        assay_rate rate = pair->fmr[headline];
        all += rate.errors;
        all_trials += rate.trials;
        if (pair->a != pair->b) continue;
        within += rate.errors;
        within_trials += rate.trials;
    }
    if (!all || !all_trials) {
        assay_text_append(title, "No false match between any two groups by <i>");
    } else {
        assay_html_percent(title, (double)within / (double)all);
        assay_text_append(title, " of false matches, of ");
        assay_html_percent(title, (double)within_trials / (double)all_trials);
        assay_text_append(title, " of comparisons, are within a group by <i>");
    }
    assay_text_append_html(title, attribute->attribute->name);
    assay_text_append(title, "</i>");
}

static void add_pair_table(assay_page *page, const assay_report_release *release, uint32_t index) {
    static const char *const headings[] = {"Group", "and group", "#FMR"};
    const assay_attribute_figures *attribute = &release->figures.attributes[index];
    assay_html_table table;
    assay_page_twin_open(page, "");
    assay_html_table_open(&table, page->text, "False match rate by pair of groups", headings, 3);
    for (uint32_t n = 0; n < attribute->pair_count; ++n) {
        const assay_group_pair *pair = &attribute->pairs[n];
        assay_html_cell_text(&table, attribute->groups[pair->a].label);
        assay_html_cell_text(&table, attribute->groups[pair->b].label);
        assay_html_cell_power(assay_html_cell(&table), pair->fmr[release->headline],
                              &pair->fmr_interval[release->headline],
                              assay_dots_few(&attribute->groups[pair->a], ASSAY_DOTS_FMR) ||
                                  assay_dots_few(&attribute->groups[pair->b], ASSAY_DOTS_FMR));
    }
    assay_html_table_close(&table);
    assay_page_twin_close(page);
}

static assay_status add_heat(assay_page *page, uint32_t index) {
    const assay_report_release *subject = assay_report_subject(page->report);
    const assay_attribute_figures *attribute = &subject->figures.attributes[index];
    assay_text svg = {0}, title = {0}, subtitle = {0};
    if (attribute->pairs_reason) {
        assay_text_appendf(page->text,
                           "<p class=\"quiet\">Pairs of groups are not shown: %s.</p>\n",
                           attribute->pairs_reason);
        return ASSAY_OK;
    }
    if (attribute->group_count < 2) return ASSAY_OK;
    if (attribute->group_count > ASSAY_HEAT_MOST) {
        assay_text_appendf(
            page->text,
            "<p class=\"quiet\">%u pairs of groups are too many for a map; they are in "
            "tables/group_pairs.csv.</p>\n",
            attribute->pair_count);
        return ASSAY_OK;
    }
    assay_status status = assay_draw_heat(page->report, index, &svg);
    if (status != ASSAY_OK) goto out;
    append_heat_title(attribute, subject->headline, &title);
    assay_text_append(&subtitle, "FMR between pairs of groups at the ");
    assay_html_point(&subtitle, assay_headline(subject));
    assay_text_append(&subtitle, ", ");
    assay_text_append_html(&subtitle, subject->name);
    if (svg.length)
        assay_text_appendf(
            &subtitle,
            ". The number in a cell is log<sub>10</sub> of FMR (−4 is one in 10,000). Grey: "
            "fewer than %u false matches; the counts are in the table.",
            ASSAY_FEW_CELL_ERRORS);
    else
        assay_text_appendf(
            &subtitle,
            ". No pair of groups has %u false matches, so there is no map to draw; the "
            "counts are in the table.",
            ASSAY_FEW_CELL_ERRORS);
    assay_page_figure(page, &title, &subtitle, "figures-map", &svg);
    add_pair_table(page, subject, index);
out:
    assay_text_free(&svg);
    assay_text_free(&title);
    assay_text_free(&subtitle);
    return status;
}

/* Whether every release's false matches can be told apart by group at its headline point. */
static bool matches_are_known(const assay_report *report) {
    for (size_t n = 0; n < report->count; ++n) {
        const assay_operating_point *point = assay_headline(&report->releases[n]);
        if (point->reason || !point->in_tail) return false;
    }
    return true;
}

/* Of which release, and what its evidence would have to keep. */
static void say_unknown_matches(assay_page *page) {
    for (size_t n = 0; n < page->report->count; ++n) {
        const assay_report_release *release = &page->report->releases[n];
        const assay_operating_point *point = assay_headline(release);
        if (!point->reason && point->in_tail) continue;
        assay_text_append(page->text, "<p>False matches of groups are not known of ");
        assay_page_name(page, release);
        assay_text_appendf(page->text, ": %s.</p>\n",
                           point->reason ? point->reason : point->beyond_tail);
    }
}

static assay_status add_attribute(assay_page *page, uint32_t index) {
    const assay_report *report = page->report;
    assay_status status = ASSAY_OK;
    unsigned first = page->figures + 1;
    bool known = matches_are_known(report);
    for (size_t n = 0; status == ASSAY_OK && n < sizeof words / sizeof *words; ++n)
        if (known || words[n].kind == ASSAY_DOTS_FTE ||
            (words[n].kind == ASSAY_DOTS_FNMR &&
             !assay_headline(assay_report_subject(report))->reason))
            status = add_dots(page, index, &words[n]);
    if (status != ASSAY_OK) return status;
    assay_text_appendf(page->text, "<details%s><summary>Figures %u to %u as a table</summary>\n",
                       report->plots_missing ? " open" : "", first, page->figures);
    for (size_t n = 0; n < report->count; ++n) add_group_table(page, &report->releases[n], index);
    assay_text_append(page->text, "</details>\n");
    for (size_t n = 0; n < report->count; ++n)
        assay_add_measures(page, &report->releases[n], index);
    return known ? add_heat(page, index) : ASSAY_OK;
}

assay_status assay_section_groups(assay_page *page) {
    const assay_report_release *subject = assay_report_subject(page->report);
    assay_status status = ASSAY_OK;
    if (!assay_evidence_has_samples(subject->evidence)) {
        assay_text_append(page->text, "<p>Nothing is known of groups: " ASSAY_NO_SAMPLES
                                      ". Scores with sample ids, and labels of the samples, can "
                                      "be told apart by group.</p>\n");
        return ASSAY_OK;
    }
    if (!subject->figures.attribute_count) {
        assay_text_append(page->text, "<p>The data set has no attributes to report by.</p>\n");
        return ASSAY_OK;
    }
    say_unknown_matches(page);
    assay_text_appendf(
        page->text,
        "<p class=\"quiet\">Groups of %u people are compared with the others, FMR "
        "within the group and FNMR. WORSE: the rate is above that of the others, by "
        "more than chance after all comparisons of this report are allowed for (Holm). "
        "WITHIN LIMIT: it is surely less than %.3g times theirs. NOT ENOUGH DATA: "
        "neither can be said.</p>\n",
        ASSAY_FEW_SUBJECTS, page->report->worse_limit);
    assay_add_alike(page);
    for (uint32_t n = 0; status == ASSAY_OK && n < subject->figures.attribute_count; ++n)
        status = add_attribute(page, n);
    assay_text_append(page->text, "<p class=\"quiet\">Other operating points and releases: "
                                  "tables/groups.csv and tables/group_pairs.csv.</p>\n");
    return status;
}
