/* section_finding -- what a reader must know first: the finding, the main numbers, and the limits.
 */
#include <math.h>
#include <string.h>

#include "reports/section.h"

static void say_headline(assay_page *page) {
    assay_text *text = page->text;
    const assay_report_release *subject = assay_report_subject(page->report);
    const assay_operating_point *point = assay_headline(subject);
    assay_text_append(text, "<p>");
    if (point->reason) {
        assay_page_name(page, subject);
        assay_text_append(text, " has no operating point");
        if (!isnan(point->fmr_target)) {
            assay_text_append(text, " (the highest target is FMR ");
            assay_html_power(text, point->fmr_target);
            assay_text_append(text, ")");
        }
        assay_text_appendf(text, ": %s.</p>\n", point->reason);
        return;
    }
    assay_text_append(text, "At the ");
    assay_html_point(text, point);
    assay_text_append(text, ", ");
    assay_page_name(page, subject);
    assay_text_append(text, " missed ");
    if (point->fnmr.reason)
        assay_text_append(text, "an unknown share of mated comparisons (none was made)");
    else {
        assay_html_whole_percent(text, point->fnmr, &point->interval.fnmr);
        assay_text_append(text, " of mated comparisons");
    }
    if (!point->fmr.reason) {
        assay_text_append(text, " and falsely matched ");
        if (point->fmr_source == ASSAY_FIGURE_COARSE) assay_text_append(text, "at most ");
        assay_html_whole_power(text, point->fmr, &point->interval.fmr);
        assay_text_append(text, " of non-mated ones");
    }
    assay_text_append(text, ".");
    for (size_t n = 0; n + 1 < page->report->count; ++n) {
        const assay_report_release *other = &page->report->releases[n];
        const assay_operating_point *at = assay_headline(other);
        assay_text_append(text, " ");
        assay_page_name(page, other);
        if (at->reason) {
            assay_text_appendf(text, " has no operating point: %s.", at->reason);
            continue;
        }
        assay_text_append(text, ", at its own threshold, missed ");
        assay_html_whole_percent(text, at->fnmr, &at->interval.fnmr);
        assay_text_append(text, ".");
    }
    assay_text_append(text, "</p>\n");
}

static bool is_tie(const assay_extremes *found) {
    return assay_rate_value(found->high_rate) <= assay_rate_value(found->low_rate);
}

static void say_attribute(assay_page *page, const assay_attribute_figures *attribute) {
    assay_text *text = page->text;
    const assay_report_release *subject = assay_report_subject(page->report);
    assay_extremes fmr, fnmr;
    bool has_fmr = assay_group_extremes(subject, attribute, ASSAY_DOTS_FMR, &fmr);
    bool has_fnmr = assay_group_extremes(subject, attribute, ASSAY_DOTS_FNMR, &fnmr);
    bool one_fmr = !has_fmr && fmr.high;
    if (!has_fmr && !one_fmr && !has_fnmr) return;
    assay_text_append(text, "<p>By <i>");
    assay_text_append_html(text, attribute->attribute->name);
    assay_text_append(text, "</i>, at that one threshold: ");
    bool fmr_tie = has_fmr && is_tie(&fmr), fnmr_tie = has_fnmr && is_tie(&fnmr);
    if (fmr_tie) {
        assay_text_append(text, "FMR is ");
        assay_html_power(text, assay_rate_value(fmr.high_rate));
        assay_text_append(text, ", the same in all groups.");
        assay_html_left_out(text, subject, attribute, ASSAY_DOTS_FMR);
        if (has_fnmr) assay_text_append(text, " ");
    } else if (has_fmr) {
        assay_text_append(text, "FMR is ");
        assay_html_power(text, assay_rate_value(fmr.high_rate));
        assay_html_sure_power(text, &assay_headline_of(subject, fmr.high)->fmr_interval);
        assay_text_append(text, " within <i>");
        assay_text_append_html(text, fmr.high->label);
        assay_text_append(text, "</i> and ");
        assay_html_power(text, assay_rate_value(fmr.low_rate));
        assay_html_sure_power(text, &assay_headline_of(subject, fmr.low)->fmr_interval);
        assay_text_append(text, " within <i>");
        assay_text_append_html(text, fmr.low->label);
        assay_text_append(text, "</i>, a ");
        assay_html_fold(text, &fmr);
        assay_text_append(text, " difference.");
        assay_html_left_out(text, subject, attribute, ASSAY_DOTS_FMR);
        if (has_fnmr) assay_text_append(text, " ");
    }
    if (one_fmr) {
        assay_text_append(text, "FMR is ");
        assay_html_power(text, assay_rate_value(fmr.high_rate));
        assay_html_sure_power(text, &assay_headline_of(subject, fmr.high)->fmr_interval);
        assay_text_append(text, " within <i>");
        assay_text_append_html(text, fmr.high->label);
        assay_text_append(text, "</i>, ");
        assay_html_times(text, fmr.high_rate, assay_headline(subject)->fmr);
        assay_text_append(text, has_fnmr ? " that of all pairs, also between groups; "
                                         : " that of all pairs, also between groups.");
    }
    if (fnmr_tie) {
        assay_text_append(text, "FNMR is ");
        assay_html_percent(text, assay_rate_value(fnmr.high_rate));
        assay_text_append(text, ", the same in all groups.");
        assay_html_left_out(text, subject, attribute, ASSAY_DOTS_FNMR);
    } else if (has_fnmr) {
        assay_text_append(text, "FNMR is ");
        assay_html_percent(text, assay_rate_value(fnmr.high_rate));
        assay_html_sure_percent(text, &assay_headline_of(subject, fnmr.high)->fnmr_interval);
        assay_text_append(text, " for <i>");
        assay_text_append_html(text, fnmr.high->label);
        assay_text_append(text, "</i> and ");
        assay_html_percent(text, assay_rate_value(fnmr.low_rate));
        assay_html_sure_percent(text, &assay_headline_of(subject, fnmr.low)->fnmr_interval);
        assay_text_append(text, " for <i>");
        assay_text_append_html(text, fnmr.low->label);
        assay_text_append(text, "</i>.");
        assay_html_left_out(text, subject, attribute, ASSAY_DOTS_FNMR);
    }
    assay_text_append(text, "</p>\n");
}

static void card(assay_text *text, const assay_text *value, const char *what,
                 const assay_text *more) {
    assay_text_appendf(text, "<div class=\"card\"><b>%s</b><span>%s</span><span>%s</span></div>\n",
                       value->bytes ? value->bytes : "–", what, more->bytes ? more->bytes : "");
}

static void add_rate_card(assay_text *text, assay_rate rate, const assay_interval *interval,
                          bool power, const char *what) {
    assay_text value = {0}, more = {0};
    if (!rate.reason && power) assay_html_power(&value, assay_rate_value(rate));
    if (!rate.reason && !power) assay_html_percent(&value, assay_rate_value(rate));
    if (rate.reason)
        assay_text_append(&more, rate.reason);
    else
        assay_html_of(&more, rate);
    if (!rate.reason && !interval->reason) {
        assay_text_append(&more, "</span><span>95 %: ");
        (power ? assay_html_interval_power : assay_html_interval_percent)(&more, interval);
    } else if (!rate.reason && strcmp(interval->reason, ASSAY_NO_SUBJECTS) == 0) {
        assay_text_append(&more, "</span><span>no interval: dependence unknown");
    }
    card(text, &value, what, &more);
    assay_text_free(&value);
    assay_text_free(&more);
}

static void add_verdict_card(assay_text *text, const assay_report_release *subject) {
    assay_verdict_count count = assay_count_verdicts(subject);
    assay_text value = {0}, more = {0};
    if (!count.tests) return;
    assay_text_appendf(&value, "%u of %u", count.groups_worse, count.groups);
    assay_text_appendf(&more, "by more than chance; of %u comparisons, %u have not enough data",
                       count.tests, count.open);
    card(text, &value,
         "<a href=\"metrics.html#whether-a-group-is-worse-standing\">groups failed more than the "
         "others</a>",
         &more);
    assay_text_free(&value);
    assay_text_free(&more);
}

static void add_group_cards(assay_text *text, const assay_report_release *subject) {
    assay_text value = {0}, more = {0};
    assay_extremes widest = {0}, found;
    const assay_attribute_figures *where = NULL;
    uint64_t groups = 0, small = 0;
    for (uint32_t a = 0; a < subject->figures.attribute_count; ++a) {
        const assay_attribute_figures *attribute = &subject->figures.attributes[a];
        if (attribute->grouping.made) continue;
        for (uint32_t g = 0; g < attribute->group_count; ++g) {
            if (attribute->groups[g].code < ASSAY_CODE_FIRST) continue;
            ++groups;
            small += attribute->groups[g].subjects < ASSAY_FEW_SUBJECTS;
        }
        if (!assay_group_extremes(subject, attribute, ASSAY_DOTS_FMR, &found)) continue;
        if (where && assay_rate_value(found.high_rate) / assay_rate_value(found.low_rate) <=
                         assay_rate_value(widest.high_rate) / assay_rate_value(widest.low_rate))
            continue;
        where = attribute;
        widest = found;
    }
    if (!groups) return;
    if (assay_say_worst_fmr(&value, &more, subject)) {
        /* What is shown to be worse says more than a difference that was picked. */
    } else if (where && is_tie(&widest)) {
        assay_text_append(&value, "the same");
        assay_text_append(&more, "in all groups with 10 false matches and 30 subjects");
    } else if (where) {
        assay_html_fold(&value, &widest);
        assay_text_append(&more, "by <i>");
        assay_text_append_html(&more, where->attribute->name);
        assay_text_append(&more, "</i>, highest over lowest of the groups with 10 false "
                                 "matches and 30 subjects");
    } else {
        assay_text_append(&more, assay_headline(subject)->in_tail
                                     ? "no two groups have 10 false matches and 30 subjects"
                                     : "not known at this threshold");
    }
    card(text, &value, "FMR between groups", &more);
    add_verdict_card(text, subject);
    assay_text_clear(&value);
    assay_text_clear(&more);
    assay_text_appendf(&value, "%llu of %llu", (unsigned long long)small,
                       (unsigned long long)groups);
    assay_text_appendf(&more, "fewer than %u subjects", ASSAY_FEW_SUBJECTS);
    card(text, &value, "groups too small to judge", &more);
    assay_text_free(&value);
    assay_text_free(&more);
}

static void add_cards(assay_page *page) {
    const assay_report_release *subject = assay_report_subject(page->report);
    const assay_operating_point *point = assay_headline(subject);
    assay_text_append(page->text, "<div class=\"cards\">\n");
    add_rate_card(page->text, point->fnmr, &point->interval.fnmr, false,
                  "<a href=\"metrics.html#operating-points-fnmr\">FNMR</a>, completed comparisons");
    add_rate_card(page->text, point->gfnmr, &point->interval.gfnmr, false,
                  "<a href=\"metrics.html#operating-points-generalized-fnmr\">generalized "
                  "FNMR</a>, attempted ones");
    add_rate_card(page->text, point->fmr, &point->interval.fmr, true,
                  "<a href=\"metrics.html#operating-points-fmr\">FMR</a> achieved");
    add_rate_card(page->text, subject->figures.fte, &subject->figures.fte_interval, false,
                  "<a href=\"metrics.html#samples-fte\">failure to enrol</a> (FTE)");
    add_group_cards(page->text, subject);
    assay_text_append(page->text, "</div>\n");
}

static void caveat_dependence(assay_text *text, const assay_report_release *release) {
    const assay_operating_point *point = assay_headline(release);
    const assay_interval *interval = &point->interval.fmr;
    if (interval->reason || interval->dependence != ASSAY_DEPENDENCE_UNKNOWN) return;
    assay_text_append(text, "<li>");
    assay_text_append_html(text, release->name);
    assay_text_append(
        text,
        point->fmr.errors
            ? ": there are too few false matches, here and at every lower threshold that is "
              "kept, to tell whether a few people cause them. The interval of FMR may be too "
              "narrow.</li>\n"
            : ": no false match was seen, here and at lower thresholds too few to tell whether "
              "a few people cause them. What is claimed of FMR is the bound that holds "
              "whatever the dependence.</li>\n");
}

static void caveat_few_errors(assay_text *text, const assay_report_release *release) {
    const assay_operating_point *point = assay_headline(release);
    if (point->reason) return;
    bool few_matches = !point->fmr.reason && point->fmr.errors < ASSAY_FEW_ERRORS;
    bool few_misses = !point->fnmr.reason && point->fnmr.errors < ASSAY_FEW_ERRORS;
    if (!few_matches && !few_misses) return;
    assay_text_append(text, "<li>");
    assay_text_append_html(text, release->name);
    assay_text_append(text, ": ");
    if (few_matches) assay_html_counted(text, point->fmr.errors, "false match", "false matches");
    if (few_matches && few_misses) assay_text_append(text, " and ");
    if (few_misses)
        assay_html_counted(text, point->fnmr.errors, "false non-match", "false non-matches");
    assay_text_appendf(text,
                       " at this threshold. A rate that rests on fewer than %u errors is not to be "
                       "relied on.</li>\n",
                       ASSAY_FEW_ERRORS);
}

static void caveat_sessions(assay_text *text, const assay_report_release *subject) {
    const assay_figures *figures = &subject->figures;
    uint64_t pairs = subject->evidence->mated_count;
    if (subject->evidence->protocol.same_session) {
        assay_text_append(text, "<li>Mated comparisons within one session are allowed here (");
        assay_html_of(text, assay_rate_of(figures->mated_same_session, pairs));
        assay_text_append(text,
                          " are known to be). Pictures of one session are more alike than those of "
                          "two, so the FNMR is optimistic.</li>\n");
    } else if (figures->mated_session_unknown) {
        assay_text_append(text, "<li>The session of at least one picture is not known in ");
        assay_html_of(text, assay_rate_of(figures->mated_session_unknown, pairs));
        assay_text_append(text, " mated comparisons. If they are of one session, the FNMR is "
                                "optimistic.</li>\n");
    }
}

static void caveat_concentration(assay_text *text, const assay_report_release *subject) {
    const assay_figures *figures = &subject->figures;
    uint64_t pairs = subject->evidence->mated_count;
    if (pairs && figures->top_mated * 2 > pairs && figures->mated_subjects > ASSAY_TOP_SUBJECTS) {
        assay_text_appendf(text, "<li>The %u subjects with the most mated comparisons supply ",
                           ASSAY_TOP_SUBJECTS);
        assay_html_of(text, assay_rate_of(figures->top_mated, pairs));
        assay_text_append(text,
                          " of them, so the FNMR is mostly theirs. The table of operating points "
                          "has the FNMR that weighs every subject alike.</li>\n");
    }
}

static void caveat_labels(assay_text *text, const assay_report_release *subject) {
    /* Labels of samples are by construction in real data too (an expression that was asked for);
     * labels of subjects are so only where the subjects are. */
    uint32_t of_subjects = 0, constructed = 0;
    bool inferred = false;
    for (uint32_t n = 0; n < subject->evidence->table.attribute_count; ++n) {
        const assay_attribute *attribute = &subject->evidence->table.attributes[n];
        inferred = inferred || attribute->source == ASSAY_SOURCE_INFERRED;
        if (attribute->level != ASSAY_LEVEL_SUBJECT) continue;
        ++of_subjects;
        constructed += attribute->source == ASSAY_SOURCE_BY_CONSTRUCTION;
    }
    bool synthetic = of_subjects && constructed == of_subjects;
    if (synthetic)
        assay_text_append(text,
                          "<li>The data are synthetic: they test this program and say nothing "
                          "about how a release fares with people.</li>\n");
    if (inferred)
        assay_text_append(
            text, "<li>Some labels were inferred, not stated by anyone who knows; "
                  "differences between such groups are partly those of the guesses.</li>\n");
}

static void caveat_coarse(assay_text *text, const assay_report *report) {
    for (size_t n = 0; n < report->count; ++n)
        for (uint32_t p = 0; p < report->releases[n].figures.point_count; ++p)
            if (report->releases[n].figures.points[p].source == ASSAY_THRESHOLD_COARSE) {
                assay_text_append(text,
                                  "<li>Some thresholds were read off the histogram and are marked "
                                  "coarse: their FMR is at most the one that is printed.</li>\n");
                return;
            }
}

/* What is estimated from the sample, if anything is. */
static void caveat_sampled(assay_text *text, const assay_report_release *release) {
    const assay_figure *mean = &release->figures.whole.non_mated_mean;
    if (mean->source != ASSAY_FIGURE_SAMPLED) return;
    assay_text_append(text, "<li>");
    assay_text_append_html(text, release->name);
    if (!mean->sample) {
        assay_text_append(text, ": the histogram of non-mated scores was to be a sample, and the "
                                "sample holds no comparison.</li>\n");
        return;
    }
    assay_text_append(text, ": the histogram counts a sample of ");
    assay_html_of(text, assay_rate_of(mean->sample, mean->of));
    assay_text_append(text, " non-mated comparisons, whole blocks of samples against blocks. What "
                            "is said to be estimated from it has a chance error that is not "
                            "computed, and it gives no threshold.</li>\n");
}

static void caveat_unreached(assay_text *text, const assay_report *report) {
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        for (uint32_t p = 0; p < figures->point_count; ++p) {
            if (figures->points[p].reached || figures->points[p].reason) continue;
            assay_text_append(text, "<li>");
            assay_text_append_html(text, report->releases[n].name);
            assay_text_append(text, ": FMR ");
            assay_html_power(text, figures->points[p].fmr_target);
            assay_text_append(text, " and lower targets cannot be measured here: ");
            assay_html_counted(text, report->releases[n].evidence->non_mated,
                               "non-mated comparison does", "non-mated comparisons do");
            assay_text_append(text, " not show so rare a false match. No false match at such a "
                                    "threshold is not that FMR.</li>\n");
            break;
        }
    }
}

/* A pair of one image and two subjects is a false match that no release can avoid. */
static void caveat_identical(assay_text *text, const assay_report_release *subject) {
    uint64_t pairs = subject->figures.identical_images;
    if (!pairs) return;
    assay_text_append(text, "<li>");
    assay_html_counted(text, pairs, "pair of enrolled samples", "pairs of enrolled samples");
    assay_text_append(text, " of different subjects are byte-identical images. Each that is "
                            "compared counts as a certain false match, and is an error of the "
                            "labels.</li>\n");
}

/* Labels of reasons are few: each is counted in one pass. */
static void caveat_excluded(assay_text *text, const assay_report_release *release) {
    const assay_sample_table *table = &release->evidence->table;
    const assay_labelled *reasons = &table->enrolment_reason;
    uint64_t away = release->figures.excluded + release->figures.not_tried, most = 0;
    const char *why = "";
    if (!away) return;
    for (uint32_t code = 0; code < reasons->label_count; ++code) {
        uint64_t count = 0;
        for (uint64_t row = 0; row < table->row_count; ++row) {
            uint8_t how = table->enrolment[row];
            count += reasons->codes[row] == code &&
                     (how == ASSAY_ENROLMENT_EXCLUDED || how == ASSAY_ENROLMENT_NONE);
        }
        if (count <= most) continue;
        most = count;
        why = code ? reasons->labels[code] : "not stated";
    }
    assay_text_append(text, "<li>");
    assay_html_of(text, assay_rate_of(away, table->row_count));
    assay_text_append(text, " samples never reached ");
    assay_text_append_html(text, release->name);
    assay_text_append(text, ": they are in no rate. Most common reason (");
    assay_html_count(text, most);
    assay_text_append(text, "): <i>");
    assay_text_append_html(text, why);
    assay_text_append(text, "</i>.</li>\n");
}

static void caveat_no_subjects(assay_text *text, const assay_report_release *release) {
    if (assay_evidence_has_samples(release->evidence)) return;
    assay_text_append(text, "<li>");
    assay_text_append_html(text, release->name);
    assay_text_append(
        text, ": dependence unknown. The scores came without subject ids, so the same few people "
              "may be behind many of them. Every rate is a figure of these comparisons and of "
              "nothing more: no interval can be given, no limit can be tested, and nothing is "
              "known of groups, sessions or failure to enrol.</li>\n");
}

/* Comparisons without a score are misses of attempted comparisons and no part of completed ones. */
static void caveat_failed(assay_text *text, const assay_report_release *release) {
    const assay_evidence *evidence = release->evidence;
    const assay_figures *figures = &release->figures;
    if (!evidence->failed_mated && !evidence->failed_non_mated) return;
    assay_text_append(text, "<li>");
    assay_text_append_html(text, release->name);
    assay_text_append(text, " gave no score for ");
    assay_html_of(text, assay_rate_of(evidence->failed_mated, figures->mated_attempted));
    assay_text_append(text, " mated and ");
    assay_html_of(text, assay_rate_of(evidence->failed_non_mated, figures->non_mated_attempted));
    assay_text_append(text, " non-mated comparisons that were attempted. They are no match in the "
                            "generalized rates, and in no rate of completed comparisons.</li>\n");
}

static void caveat_nobody(assay_text *text, const assay_report_release *release) {
    if (release->figures.enrolled >= 2 || !assay_evidence_has_samples(release->evidence)) return;
    assay_text_append(text, "<li>");
    assay_text_append_html(text, release->name);
    assay_text_append(text, release->figures.enrolled
                                ? " enrolled one sample, so nothing could be compared and no rate "
                                  "of comparisons is known.</li>\n"
                                : " enrolled no sample, so nothing could be compared and no rate "
                                  "of comparisons is known.</li>\n");
}

static void caveat_rare(assay_text *text, uint64_t subjects) {
    assay_text_append(text, "<li>Some people match many others. The intervals allow for those who "
                            "were drawn; such people who are ");
    if (subjects >= ASSAY_FEW_SUBJECTS) {
        assay_text_append(text, "rarer than about 3 in ");
        assay_html_count(text, subjects);
    } else {
        assay_text_append(text, "rare");
    }
    assay_text_append(text, " may be absent from these subjects, and then no interval here sees "
                            "them.</li>\n");
}

static void add_caveats(assay_page *page) {
    const assay_report *report = page->report;
    const assay_report_release *subject = assay_report_subject(report);
    assay_text *text = page->text;
    assay_text_append(text, "<div class=\"caveats\"><h2>Before you act on this</h2><ul>\n");
    assay_text_append(
        text,
        "<li>The widest difference is picked from all groups, and each interval is of one rate: "
        "only WORSE and WITHIN LIMIT allow for having looked at many groups. NOT ENOUGH DATA is "
        "not the same as no difference. These lines judge no release against another");
    if (report->comparison_count) assay_text_append(text, ": see <q>Release against release</q>");
    assay_text_append(text, ".</li>\n");
    for (size_t n = 0; n < report->count; ++n) caveat_no_subjects(text, &report->releases[n]);
    for (size_t n = 0; n < report->count; ++n) caveat_dependence(text, &report->releases[n]);
    for (size_t n = 0; n < report->count; ++n) caveat_nobody(text, &report->releases[n]);
    for (size_t n = 0; n < report->count; ++n) caveat_excluded(text, &report->releases[n]);
    for (size_t n = 0; n < report->count; ++n) caveat_failed(text, &report->releases[n]);
    caveat_identical(text, subject);
    caveat_labels(text, subject);
    caveat_sessions(text, subject);
    for (size_t n = 0; n < report->count; ++n) caveat_few_errors(text, &report->releases[n]);
    caveat_concentration(text, subject);
    caveat_unreached(text, report);
    caveat_coarse(text, report);
    for (size_t n = 0; n < report->count; ++n) caveat_sampled(text, &report->releases[n]);
    if (!report->same_protocol)
        assay_text_append(text,
                          "<li>The releases were compared under different protocols; their rates "
                          "are not of the same comparisons.</li>\n");
    if (report->plots_missing) assay_text_appendf(text, "<li>%s.</li>\n", report->plots_missing);
    if (assay_evidence_has_samples(subject->evidence)) caveat_rare(text, subject->figures.subjects);
    assay_text_append(text, "</ul></div>\n");
}

assay_status assay_section_finding(assay_page *page) {
    const assay_report_release *subject = assay_report_subject(page->report);
    assay_text_append(page->text, "<div class=\"finding\">\n");
    say_headline(page);
    assay_say_alike(page);
    assay_say_whom(page);
    for (uint32_t n = 0; n < subject->figures.attribute_count; ++n)
        if (!subject->figures.attributes[n].grouping.made)
            say_attribute(page, &subject->figures.attributes[n]);
    assay_text_append(page->text, "</div>\n");
    add_cards(page);
    add_caveats(page);
    return ASSAY_OK;
}
