/* report -- figures of every release, then the writers of its files (report.h). */
#include "reports/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "reports/differentials.h"
#include "reports/comparison.h"
#include "reports/pages.h"
#include "reports/pdf.h"

assay_status assay_report_file(const assay_report *report, const char *name,
                               const assay_text *text) {
    char *path = NULL;
    assay_status status = assay_text_status(text);
    if (status != ASSAY_OK) return assay_fail_in(status, "cannot build %s", name);
    status = assay_path_join(&path, report->directory, name);
    if (status == ASSAY_OK)
        status = assay_file_write(path, text->bytes ? text->bytes : "", text->length);
    free(path);
    return status;
}

static assay_status check_same_data(const assay_evidence *evidence, size_t count) {
    if (!count)
        return assay_fail(ASSAY_USAGE, "a report needs the evidence of at least one release");
    for (size_t n = 1; n < count; ++n)
        if (!assay_digest_equal(&evidence[0].dataset_digest, &evidence[n].dataset_digest))
            return assay_fail(
                ASSAY_USAGE,
                "%s %s was evaluated on data set %s and %s %s on another one (%s): a report "
                "is of one data set",
                evidence[0].release, evidence[0].version, evidence[0].dataset_name,
                evidence[n].release, evidence[n].version, evidence[n].dataset_name);
    return ASSAY_OK;
}

/* Same digests have same groups; where a digest is of nothing this is what keeps figures apart. */
static assay_status check_same_groups(const assay_report *report, size_t index) {
    const assay_report_release *first = &report->releases[0], *other = &report->releases[index];
    bool same = first->figures.attribute_count == other->figures.attribute_count &&
                assay_sample_table_samples(&first->evidence->table) ==
                    assay_sample_table_samples(&other->evidence->table);
    for (uint32_t n = 0; same && n < first->figures.attribute_count; ++n) {
        const assay_attribute_figures *a = &first->figures.attributes[n];
        const assay_attribute_figures *b = &other->figures.attributes[n];
        same =
            a->group_count == b->group_count && strcmp(a->attribute->name, b->attribute->name) == 0;
        for (uint32_t g = 0; same && g < a->group_count; ++g)
            same = strcmp(a->groups[g].label, b->groups[g].label) == 0;
    }
    if (same) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "%s and %s have different samples or groups: a report is of one data set",
                      first->name, other->name);
}

static assay_status compare_protocols(const assay_evidence *const *evidence, size_t count,
                                      bool *out_same) {
    char *first = NULL;
    bool same = true;
    assay_status status = assay_protocol_to_json(&evidence[0]->protocol, &first);
    for (size_t n = 1; status == ASSAY_OK && n < count; ++n) {
        char *other = NULL;
        status = assay_protocol_to_json(&evidence[n]->protocol, &other);
        same = same && status == ASSAY_OK && strcmp(first, other) == 0;
        free(other);
    }
    free(first);
    if (status == ASSAY_OK) *out_same = same;
    return status;
}

/* What its evidence is called, and "NAME (2)" for the second of that name. */
static assay_status name_release(assay_report *report, size_t index) {
    char *own = NULL;
    unsigned same = 1;
    assay_text text = {0};
    assay_status status = assay_evidence_name(report->releases[index].evidence, &own);
    for (size_t n = 0; status == ASSAY_OK && n < index; ++n) {
        char *other = NULL;
        status = assay_evidence_name(report->releases[n].evidence, &other);
        same += status == ASSAY_OK && strcmp(own, other) == 0;
        free(other);
    }
    if (status == ASSAY_OK) {
        assay_text_append(&text, own);
        if (same > 1) assay_text_appendf(&text, " (%u)", same);
        status = assay_text_status(&text);
    }
    if (status == ASSAY_OK) status = assay_copy_string(&report->releases[index].name, text.bytes);
    assay_text_free(&text);
    free(own);
    return status;
}

/* The rules of names over a longer text, a piece at a time. */
static assay_status check_title(const char *title) {
    size_t length = title ? strlen(title) : 0;
    if (title && !length) return assay_fail(ASSAY_USAGE, "the report's title is empty");
    if (length > ASSAY_TITLE_BYTES)
        return assay_fail(ASSAY_USAGE, "the report's title has %zu bytes, more than %d", length,
                          ASSAY_TITLE_BYTES);
    for (size_t from = 0, end; from < length; from = end) {
        end = length - from > ASSAY_NAME_BYTES ? from + ASSAY_NAME_BYTES : length;
        size_t whole = end;
        while (whole < length && whole > from && ((unsigned char)title[whole] & 0xC0) == 0x80)
            --whole;
        if (whole > from) end = whole;
        const char *fault = assay_name_fault(title + from, end - from);
        if (fault && from)
            return assay_fail(ASSAY_USAGE, "the report's title, behind its byte %zu, %s", from,
                              fault);
        if (fault) return assay_fail(ASSAY_USAGE, "the report's title %s", fault);
    }
    return ASSAY_OK;
}

static assay_status title_report(assay_report *report, const char *given) {
    if (given) return assay_copy_string(&report->title, given);
    assay_text text = {0};
    assay_text_append(&text, assay_report_subject(report)->name);
    for (size_t n = 0; n + 1 < report->count; ++n)
        assay_text_appendf(&text, "%s%s", n ? " and " : ", compared with ",
                           report->releases[n].name);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = assay_copy_string(&report->title, text.bytes);
    assay_text_free(&text);
    return status;
}

/* Index of the point of release with this target, or point_count. */
static uint32_t point_with_target(const assay_report_release *release, double target) {
    uint32_t n = 0;
    while (n < release->figures.point_count && release->figures.points[n].fmr_target != target) ++n;
    return n;
}

/* How well target serves to show groups at: 3 where every release reached it with ASSAY_FEW_ERRORS
 * false matches in the tail, 2 where every tail reaches it, 1 where all have a threshold that
 * some non-mated comparison reaches, 0 otherwise. */
static int suitability(const assay_report *report, double target) {
    int worst = 3;
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        uint32_t at = point_with_target(&report->releases[n], target);
        if (at == figures->point_count || !figures->points[at].reached) return 0;
        const assay_operating_point *point = &figures->points[at];
        int here = !point->in_tail ? 1 : point->fmr.errors < ASSAY_HEADLINE_ERRORS ? 2 : 3;
        if (here < worst) worst = here;
    }
    return worst;
}

/* Where no target suits all releases: a release's first target that is reached, or none. */
static void choose_own_headline(assay_report_release *release) {
    const assay_operating_point *points = release->figures.points;
    uint32_t n = 0, count = release->figures.point_count;
    while (n < count && (points[n].reason || !points[n].reached)) ++n;
    release->headline = n < count ? n : 0;
    if (n < count) return;
    const char *why = points[0].reason ? points[0].reason : points[0].reached_reason;
    const assay_interval none = assay_interval_unknown(why);
    release->no_headline = why;
    release->no_point = (assay_operating_point){.fmr_target = points[0].fmr_target,
                                                .threshold = (double)NAN,
                                                .reason = why,
                                                .fmr = assay_rate_unknown(0, why),
                                                .fnmr = assay_rate_unknown(0, why),
                                                .gfmr = assay_rate_unknown(0, why),
                                                .gfnmr = assay_rate_unknown(0, why),
                                                .subject_fnmr = (double)NAN,
                                                .interval = {none, none, none, none, none}};
    release->no_group_point = (assay_group_point){.fmr = assay_rate_unknown(0, why),
                                                  .fnmr = assay_rate_unknown(0, why),
                                                  .gfnmr = assay_rate_unknown(0, why),
                                                  .fmr_interval = none,
                                                  .fnmr_interval = none,
                                                  .gfnmr_interval = none};
}

/* The point at which groups are shown (METRICS.md, "Headline"): the first given threshold where
 * every release has one; else the most suitable target: the lowest of those with enough false
 * matches, the highest of those without. */
static assay_status choose_headline(assay_report *report) {
    bool given = true;
    for (size_t n = 0; n < report->count; ++n)
        given = given && report->releases[n].evidence->protocol.threshold_count > 0;
    const assay_protocol *protocol = &report->releases[0].evidence->protocol;
    double best = (double)NAN;
    int best_suits = 0;
    for (uint32_t p = 0; !given && p < protocol->fmr_target_count; ++p) {
        double target = protocol->fmr_targets[p];
        int suits = suitability(report, target);
        if (!suits || suits < best_suits) continue;
        if (suits == best_suits && (suits == 3) != (target < best)) continue;
        best = target;
        best_suits = suits;
    }
    for (size_t n = 0; n < report->count; ++n) {
        assay_report_release *release = &report->releases[n];
        if (!release->figures.point_count)
            return assay_fail(ASSAY_USAGE,
                              "the evidence of %s names no target FMR and no threshold",
                              release->name);
        if (given)
            release->headline = release->evidence->protocol.fmr_target_count;
        else if (isnan(best))
            choose_own_headline(release);
        else
            release->headline = point_with_target(release, best);
    }
    return ASSAY_OK;
}

/* By quality and by time, at each release's headline point. */
static assay_status look_at_quality(assay_report *report, const assay_report_options *wanted) {
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n) {
        assay_report_release *release = &report->releases[n];
        const assay_operating_point *point = assay_headline(release);
        const char **names = NULL;
        uint32_t count = release->figures.attribute_count, plain = 0; /* none that is crossed */
        status = assay_allocate(&names, count, sizeof *names, "names of attributes");
        for (uint32_t a = 0; status == ASSAY_OK && a < count; ++a)
            if (!release->figures.attributes[a].grouping.made)
                names[plain++] = release->figures.attributes[a].attribute->name;
        if (status == ASSAY_OK)
            status = assay_quality_compute(release->evidence, wanted->quality, point, names, plain,
                                           wanted->mean_of_pair, &release->quality);
        if (status == ASSAY_OK)
            status = assay_ageing_compute(release->evidence, point, &release->ageing);
        free(names);
    }
    return status;
}

/* By what was asked for, or by every attribute and what is usually crossed. */
static assay_status compute_figures(const assay_evidence *evidence,
                                    const assay_report_options *wanted, double limit,
                                    assay_figures *out) {
    const assay_sample_table *table = &evidence->table;
    const char **names = NULL;
    assay_text crossing = {0};
    size_t count = wanted->attribute_count;
    assay_status status = ASSAY_OK;
    if (!wanted->attributes) {
        count = table->attribute_count;
        assay_grouping_usual(table, &crossing);
        status = assay_allocate(&names, count + 1, sizeof *names, "attributes");
        if (status == ASSAY_OK) status = assay_text_status(&crossing);
        for (size_t n = 0; status == ASSAY_OK && n < count; ++n)
            names[n] = table->attributes[n].name;
        if (status == ASSAY_OK && crossing.length) names[count++] = crossing.bytes;
    }
    if (status == ASSAY_OK)
        status = assay_figures_compute_by(evidence, names ? names : wanted->attributes, count,
                                          wanted->mean_of_pair, out);
    if (status == ASSAY_OK) status = assay_differentials_compute(evidence, limit, out);
    assay_text_free(&crossing);
    free(names);
    return status;
}

static assay_status tell(const assay_progress *progress, uint64_t done, uint64_t total) {
    if (assay_progress_tell(progress, "report", "steps", done, total)) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "the report was interrupted");
}

static assay_status check_mixed(const assay_report *report, const assay_evidence *mixed) {
    for (size_t a = 0; a < report->count; ++a)
        for (size_t b = a + 1; b < report->count; ++b)
            if (assay_mixed_belongs(mixed, report->releases[a].evidence,
                                    report->releases[b].evidence))
                return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "%s %s with references of %s %s: a report of other evidence beside it needs "
                      "that of both releases, from the same templates",
                      mixed->release, mixed->version, mixed->reference_release,
                      mixed->reference_version);
}

/* Evidence between releases, where there is some of releases too. */
static assay_status open_mixed(assay_report *report, const assay_evidence *const *mixed,
                               size_t count) {
    assay_status status = assay_allocate(&report->mixed, count, sizeof *report->mixed, "releases");
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        assay_report_release *release = &report->mixed[report->mixed_count++];
        release->evidence = mixed[n];
        status = check_mixed(report, mixed[n]);
        if (status == ASSAY_OK) status = assay_evidence_name(mixed[n], &release->name);
        if (status == ASSAY_OK)
            status =
                assay_figures_compute(mixed[n], (const char *const[]){NULL}, 0, &release->figures);
    }
    return status;
}

/* The last release beside each one before it. */
static assay_status compare_releases(assay_report *report) {
    size_t count = report->count - 1;
    assay_status status = assay_allocate(&report->comparisons, count, sizeof *report->comparisons,
                                         "comparisons of releases");
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        status = assay_comparison_create(&report->releases[n], &report->releases[count],
                                         &report->comparisons[n]);
        report->comparison_count += status == ASSAY_OK;
        if (status == ASSAY_OK)
            status =
                assay_comparison_mix(&report->comparisons[n], report->mixed, report->mixed_count);
    }
    return status;
}

static void free_report(assay_report *report) {
    assay_report_identify_free(report);
    for (size_t n = 0; n < report->comparison_count; ++n)
        assay_comparison_free(&report->comparisons[n]);
    free(report->comparisons);
    for (size_t n = 0; report->releases && n < report->count; ++n) {
        assay_figures_free(&report->releases[n].figures);
        assay_curves_free(&report->releases[n].curves);
        assay_quality_free(&report->releases[n].quality);
        free(report->releases[n].name);
    }
    for (size_t n = 0; report->mixed && n < report->mixed_count; ++n) {
        assay_figures_free(&report->mixed[n].figures);
        free(report->mixed[n].name);
    }
    free(report->mixed);
    free(report->releases);
    free(report->title);
}

/* Evidence of releases first, that between them behind it, each in the order given. Where all is
 * between releases it stands for itself. *out_count is of the first. */
static assay_status sort_evidence(const assay_evidence *evidence, size_t count,
                                  const assay_evidence ***out, size_t *out_count) {
    const assay_evidence **sorted = NULL;
    size_t placed = 0;
    assay_status status = assay_allocate(&sorted, count, sizeof *sorted, "evidence");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < count; ++n)
        if (!assay_evidence_is_between(&evidence[n])) sorted[placed++] = &evidence[n];
    *out_count = placed ? placed : count;
    for (size_t n = 0; n < count; ++n)
        if (assay_evidence_is_between(&evidence[n])) sorted[placed++] = &evidence[n];
    *out = sorted;
    return ASSAY_OK;
}

assay_status assay_report_write(const assay_evidence *evidence, size_t count,
                                const assay_report_options *options, const char *directory,
                                const assay_progress *progress) {
    static const assay_report_options none = {0};
    const assay_report_options *wanted = options ? options : &none;
    const assay_evidence **sorted = NULL;
    size_t releases = 0;
    assay_report report = {.directory = directory,
                           .mean_of_pair = wanted->mean_of_pair,
                           .worse_limit =
                               wanted->worse_limit > 0 ? wanted->worse_limit : ASSAY_WORSE_LIMIT};
    assay_text page = {0};
    uint64_t total = count + 3;
    assay_status status = check_title(wanted->title);
    if (status == ASSAY_OK && !(report.worse_limit > 1 && isfinite(report.worse_limit)))
        status = assay_fail(ASSAY_USAGE,
                            "a report's limit of %g for a group's ratio to the others: "
                            "expected a number above 1",
                            report.worse_limit);
    if (status == ASSAY_OK) status = check_same_data(evidence, count);
    if (status == ASSAY_OK && wanted->pdf) status = assay_pdf_check();
    if (status != ASSAY_OK) return status;
    status = sort_evidence(evidence, count, &sorted, &releases);
    report.count = releases;
    if (status == ASSAY_OK)
        status = assay_allocate(&report.releases, releases, sizeof *report.releases, "releases");
    if (status == ASSAY_OK) status = compare_protocols(sorted, releases, &report.same_protocol);
    for (size_t n = 0; status == ASSAY_OK && n < releases; ++n) {
        assay_report_release *release = &report.releases[n];
        release->evidence = sorted[n];
        status = name_release(&report, n);
        if (status == ASSAY_OK)
            status = compute_figures(sorted[n], wanted, report.worse_limit, &release->figures);
        if (status == ASSAY_OK) status = check_same_groups(&report, n);
        if (status == ASSAY_OK)
            status = assay_curves_compute(sorted[n], &release->figures, &release->curves);
        if (status == ASSAY_OK) status = tell(progress, n + 1, total);
    }
    if (status == ASSAY_OK) status = open_mixed(&report, sorted + releases, count - releases);
    if (status == ASSAY_OK) status = title_report(&report, wanted->title);
    if (status == ASSAY_OK) status = choose_headline(&report);
    if (status == ASSAY_OK) status = look_at_quality(&report, wanted);
    if (status == ASSAY_OK) status = assay_report_identify(&report, wanted);
    if (status == ASSAY_OK) status = compare_releases(&report);
    if (status == ASSAY_OK) status = assay_report_folder(directory);
    if (status == ASSAY_OK) status = assay_report_tables(&report);
    if (status == ASSAY_OK) status = assay_report_metrics(&report);
    if (status == ASSAY_OK) status = tell(progress, count + 1, total);
    if (status == ASSAY_OK) status = assay_report_page(&report, &page);
    if (status == ASSAY_OK) status = tell(progress, count + 2, total);
    if (status == ASSAY_OK) status = assay_report_summary(&report);
    if (status == ASSAY_OK) status = assay_report_file(&report, "index.html", &page);
    if (status == ASSAY_OK && wanted->pdf) status = assay_pdf_make(directory);
    if (status == ASSAY_OK && report.plots_missing)
        assay_progress_note(progress, "%s", report.plots_missing);
    if (status == ASSAY_OK) status = tell(progress, total, total);
    assay_text_free(&page);
    free(sorted);
    free_report(&report);
    return status;
}
