/* gate_criteria -- each criterion of the gate on one cell: its bounds, its state, the p of its
 * failing, and how many subjects would decide it (gate_private.h). */
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/special.h"
#include "reports/gate_private.h"
#include "reports/sizes.h"

#define P_STEPS 60      /* halvings of ln p */
#define P_LEAST 1e-12   /* smaller ones are as good as this */
#define P_MOST 0.4999   /* a bound on the other side of the value */
#define ERRORS_SEEN 3.0 /* for sizes: what no error, or no discordance, may still be */

assay_gate_criterion *gate_add(gate_work *work, const char *key, const char *what,
                               assay_gate_unit unit) {
    assay_gate *gate = &work->gate;
    double none = (double)NAN;
    assay_status status =
        assay_reserve(&gate->criteria, &work->criterion_capacity, gate->criterion_count + 1,
                      sizeof *gate->criteria, "criteria");
    if (status != ASSAY_OK) {
        if (work->status == ASSAY_OK) work->status = status;
        return NULL;
    }
    assay_gate_criterion *out = &gate->criteria[gate->criterion_count++];
    *out = (assay_gate_criterion){.key = key,
                                  .what = what,
                                  .unit = unit,
                                  .value = none,
                                  .reference = none,
                                  .candidate = none,
                                  .low = none,
                                  .high = none,
                                  .limit = none,
                                  .fail_p = none,
                                  .holm_p = none,
                                  .needed = none,
                                  .needed_if_none = none,
                                  .state = ASSAY_STATE_NOT_ENOUGH};
    return out;
}

/* ---- bounds at any level ---- */

/* The two bounds of a number, one-sided at alpha each. */
typedef void (*bounds_at)(const assay_paired_cell *cell, double alpha, double *low, double *high);

static void bounds_of_interval(const assay_interval *interval, double *low, double *high) {
    *low = interval->reason ? (double)NAN : interval->low;
    *high = interval->reason ? (double)NAN : interval->high;
}

static void bounds_of_gfnmr(const assay_paired_cell *cell, double alpha, double *low,
                            double *high) {
    assay_interval interval = assay_paired_gfnmr_of_b(cell, 2 * alpha);
    bounds_of_interval(&interval, low, high);
}

static void bounds_of_fte(const assay_paired_cell *cell, double alpha, double *low, double *high) {
    assay_interval interval = assay_paired_fte_of_b(cell, 2 * alpha);
    bounds_of_interval(&interval, low, high);
}

static void bounds_of_fmr(const assay_paired_cell *cell, double alpha, double *low, double *high) {
    assay_interval interval =
        assay_dyadic_interval_again(&cell->fmr_b, &cell->fmr_interval_b, 2 * alpha);
    bounds_of_interval(&interval, low, high);
}

static assay_ratio ratio_at(const assay_paired_cell *cell, double alpha) {
    return assay_fmr_ratio(&cell->fmr_a, &cell->fmr_interval_a, &cell->fmr_b, &cell->fmr_interval_b,
                           &cell->products, 2 * alpha);
}

static void bounds_of_ratio(const assay_paired_cell *cell, double alpha, double *low,
                            double *high) {
    assay_ratio ratio = ratio_at(cell, alpha);
    *low = ratio.low;
    *high = ratio.high;
}

/* The smallest alpha at which the lower bound is above limit; 1 where none is. */
static double p_beyond(const assay_paired_cell *cell, bounds_at bounds, double limit) {
    double low, high, least = log(P_LEAST), most = log(P_MOST);
    bounds(cell, P_MOST, &low, &high);
    if (!(low > limit)) return 1;
    for (int step = 0; step < P_STEPS; ++step) {
        double middle = (least + most) / 2;
        bounds(cell, exp(middle), &low, &high);
        if (low > limit)
            most = middle;
        else
            least = middle;
    }
    return exp(most);
}

/* ---- sums of a cell ---- */

static double sum_of(const double *counts, size_t places) {
    double out = 0;
    for (size_t n = 0; n < places; ++n) out += counts[n];
    return out;
}

static uint64_t subjects_of(const double *counts, size_t places) {
    uint64_t out = 0;
    for (size_t n = 0; n < places; ++n) out += counts[n] > 0;
    return out;
}

static void set_rate(assay_gate_criterion *out, const double *errors, const double *trials,
                     size_t places) {
    double wrong = sum_of(errors, places), of = sum_of(trials, places);
    out->errors = (uint64_t)wrong;
    out->trials = (uint64_t)of;
    out->subjects = subjects_of(trials, places);
    if (of > 0) out->value = out->candidate = wrong / of;
}

/* ---- a rate under its limit ---- */

static void judge_limit(gate_work *work, assay_gate_criterion *out, const assay_paired_cell *cell,
                        bounds_at bounds, double limit, const char *reason) {
    out->sampled = true;
    out->limit = limit;
    out->reason = reason;
    out->fail_p = 1;
    if (reason) return;
    bounds(cell, work->policy->alpha, &out->low, &out->high);
    out->state = assay_decide_limit(out->low, out->value, out->high, limit);
    out->fail_p = p_beyond(cell, bounds, limit);
}

static bool undecided(const assay_gate_criterion *criterion) {
    return !assay_state_passes(criterion->state) && criterion->state != ASSAY_STATE_FAIL;
}

/* Subjects that settle whether a rate with this variance is under its limit. */
static void size_limit(const gate_work *work, assay_gate_criterion *out, double design_effect) {
    double alpha = work->policy->alpha, p = out->value;
    if (!undecided(out) || !(out->trials > 0) || !out->subjects) return;
    double comparisons = (double)out->trials / (double)out->subjects;
    out->needed_if_none = ceil(log(alpha) / log1p(-fmin(out->limit, 0.999999)));
    out->needed = !(p > 0) ? out->needed_if_none
                           : assay_size_margin(p * (1 - p), out->limit, p, design_effect,
                                               comparisons, alpha, ASSAY_SIZE_POWER);
    if (p > 0) out->needed_if_none = (double)NAN;
}

static double effect_of(const assay_interval *interval) {
    return interval->reason || isnan(interval->design_effect) ? 1 : interval->design_effect;
}

static void judge_gfnmr_limit(gate_work *work, const assay_paired_cell *cell, double limit,
                              const char *attribute, const char *group) {
    assay_gate_criterion *out =
        gate_add(work, "gfnmr_limit", "Generalized FNMR of the candidate", ASSAY_UNIT_RATE);
    if (!out) return;
    out->attribute = attribute;
    out->group = group;
    set_rate(out, cell->missed_b, cell->attempted, cell->subjects);
    assay_interval interval = assay_paired_gfnmr_of_b(cell, 2 * work->policy->alpha);
    judge_limit(work, out, cell, bounds_of_gfnmr, limit, interval.reason);
    out->source = assay_interval_method_name(interval.method);
    size_limit(work, out, effect_of(&interval));
}

static void judge_fte_limit(gate_work *work, const assay_paired_cell *cell, double limit,
                            const char *attribute, const char *group) {
    assay_gate_criterion *out =
        gate_add(work, "fte_limit", "Failure to enrol of the candidate", ASSAY_UNIT_RATE);
    if (!out) return;
    out->attribute = attribute;
    out->group = group;
    set_rate(out, cell->failed_b, cell->tried, cell->subjects);
    assay_interval interval = assay_paired_fte_of_b(cell, 2 * work->policy->alpha);
    judge_limit(work, out, cell, bounds_of_fte, limit, interval.reason);
    out->source = "subjects";
    size_limit(work, out, effect_of(&interval));
}

/* ---- FMR ---- */

/* How readily a subject matches others: from these errors where they show it. */
static double propensity_of(const assay_paired_cell *cell, uint64_t subjects) {
    const assay_interval *interval = &cell->fmr_interval_b;
    if (interval->reason || interval->dependence == ASSAY_DEPENDENCE_UNKNOWN)
        return ASSAY_SIZE_PROPENSITY_CV2;
    return interval->clustering * (double)subjects / 4;
}

static void size_fmr(const gate_work *work, assay_gate_criterion *out,
                     const assay_paired_cell *cell) {
    double p = out->value, alpha = work->policy->alpha;
    if (!undecided(out)) return;
    out->needed_if_none = assay_size_no_match(out->limit, alpha);
    if (!(p > 0)) {
        bool unknown = cell->fmr_interval_b.dependence == ASSAY_DEPENDENCE_UNKNOWN;
        out->needed =
            unknown ? assay_size_no_match_guaranteed(out->limit, alpha) : out->needed_if_none;
        return;
    }
    double relative = p < out->limit ? out->limit / p - 1 : p / out->limit - 1;
    out->needed = relative > 0
                      ? assay_size_fmr(p, relative, propensity_of(cell, out->subjects), 2 * alpha)
                      : (double)INFINITY;
    out->needed_if_none = (double)NAN;
}

static void judge_fmr_limit(gate_work *work, const assay_paired_cell *cell, double limit,
                            const char *attribute, const char *group) {
    static const char unknown[] =
        "too few false matches, here and at lower thresholds, to tell whether a few people cause "
        "them";
    assay_gate_criterion *out = gate_add(work, "fmr_limit",
                                         attribute ? "FMR of the candidate within the group"
                                                   : "FMR of the candidate, as claimed",
                                         ASSAY_UNIT_FMR);
    if (!out) return;
    const assay_interval *interval = &cell->fmr_interval_b;
    out->attribute = attribute;
    out->group = group;
    out->errors = cell->fmr_b.errors;
    out->trials = cell->fmr_b.trials;
    out->subjects = subjects_of(cell->tried, cell->subjects);
    if (out->trials) out->value = out->candidate = cell->fmr_b.rate;
    judge_limit(work, out, cell, bounds_of_fmr, limit, interval->reason);
    out->source = assay_interval_method_name(ASSAY_METHOD_DYADIC);
    /* A bound that rests on errors whose dependence nobody knows may be too low to pass on. */
    if (!out->reason && interval->dependence == ASSAY_DEPENDENCE_UNKNOWN && out->errors &&
        out->state == ASSAY_STATE_PASS) {
        out->state = ASSAY_STATE_NOT_ENOUGH;
        out->reason = unknown;
    }
    size_fmr(work, out, cell);
}

static void judge_ratio(gate_work *work, const assay_paired_cell *cell, double limit,
                        const char *attribute, const char *group) {
    assay_gate_criterion *out =
        gate_add(work, "fmr_ratio", "FMR, candidate over reference", ASSAY_UNIT_RATIO);
    if (!out) return;
    assay_ratio ratio = ratio_at(cell, work->policy->alpha);
    bool unknown = cell->fmr_interval_a.dependence == ASSAY_DEPENDENCE_UNKNOWN ||
                   cell->fmr_interval_b.dependence == ASSAY_DEPENDENCE_UNKNOWN;
    out->attribute = attribute;
    out->group = group;
    out->errors = cell->fmr_b.errors;
    out->errors_reference = cell->fmr_a.errors;
    out->trials = cell->fmr_b.trials;
    out->subjects = subjects_of(cell->tried, cell->subjects);
    out->value = ratio.value;
    if (cell->fmr_a.trials) out->reference = cell->fmr_a.rate;
    if (cell->fmr_b.trials) out->candidate = cell->fmr_b.rate;
    judge_limit(work, out, cell, bounds_of_ratio, limit, ratio.reason);
    out->source = "pairs of subjects, both releases";
    if (!out->reason && unknown && out->state == ASSAY_STATE_PASS) {
        out->state = ASSAY_STATE_NOT_ENOUGH;
        out->reason = "too few false matches of a release to tell whether a few people cause them";
    }
    /* Widths of logarithms shrink with the root of the number of people. */
    if (!undecided(out) || !(ratio.value > 0) || !isfinite(out->high)) return;
    double width = ratio.value < limit ? log(out->high / ratio.value) : log(ratio.value / out->low);
    double share = width / fabs(log(limit / ratio.value));
    out->needed = ceil((double)out->subjects * share * share);
}

/* ---- differences ---- */

static void set_difference(gate_work *work, assay_gate_criterion *out,
                           const assay_difference *difference, double margin) {
    double alpha = work->policy->alpha;
    out->sampled = true;
    out->limit = margin;
    out->reason = difference->reason;
    out->fail_p = 1;
    if (difference->reason) return;
    out->value = difference->value;
    out->low = difference->low_one;
    out->high = difference->high_one;
    out->errors = (uint64_t)difference->only_b;
    out->errors_reference = (uint64_t)difference->only_a;
    out->trials = (uint64_t)difference->trials;
    out->subjects = (uint64_t)difference->subjects;
    out->state = assay_decide_margin(out->low, out->high, margin);
    out->fail_p = assay_difference_p_above(difference, margin);
    if (!undecided(out)) return;
    double discordance =
        fmax(difference->only_a + difference->only_b, ERRORS_SEEN) / difference->trials;
    double comparisons = difference->trials / difference->subjects;
    out->needed =
        assay_size_margin(discordance, margin, difference->value, difference->design_effect,
                          comparisons, alpha, ASSAY_SIZE_POWER);
    out->needed_if_none = assay_size_margin(discordance, margin, 0, difference->design_effect,
                                            comparisons, alpha, ASSAY_SIZE_POWER);
}

static void judge_gfnmr_margin(gate_work *work, const assay_paired_cell *cell, double margin,
                               const char *attribute, const char *group) {
    assay_gate_criterion *out = gate_add(
        work, "gfnmr_margin", "Generalized FNMR, candidate less reference", ASSAY_UNIT_DIFFERENCE);
    if (!out) return;
    assay_difference difference = assay_paired_gfnmr(cell, work->policy->alpha);
    double of = sum_of(cell->attempted, cell->subjects);
    out->attribute = attribute;
    out->group = group;
    set_difference(work, out, &difference, margin);
    out->source = cell->attempted_shift ? "same comparisons, with the error of both thresholds"
                                        : "same comparisons, thresholds taken as given";
    if (!(of > 0)) return;
    out->reference = sum_of(cell->missed_a, cell->subjects) / of;
    out->candidate = sum_of(cell->missed_b, cell->subjects) / of;
}

static void judge_fte_margin(gate_work *work, const assay_paired_cell *cell, double margin,
                             const char *attribute, const char *group) {
    assay_gate_criterion *out = gate_add(
        work, "fte_margin", "Failure to enrol, candidate less reference", ASSAY_UNIT_DIFFERENCE);
    if (!out) return;
    assay_difference difference = assay_paired_fte(cell, work->policy->alpha);
    double of = sum_of(cell->tried, cell->subjects);
    out->attribute = attribute;
    out->group = group;
    set_difference(work, out, &difference, margin);
    out->source = "same samples";
    if (!(of > 0)) return;
    out->reference = sum_of(cell->failed_a, cell->subjects) / of;
    out->candidate = sum_of(cell->failed_b, cell->subjects) / of;
}

/* ---- all of a cell ---- */

void gate_judge_cell(gate_work *work, const assay_paired_cell *cell,
                     const assay_policy_limits *limits, const char *attribute, const char *group) {
    const struct {
        double limit;
        void (*judge)(gate_work *work, const assay_paired_cell *cell, double limit,
                      const char *attribute, const char *group);
    } asked[] = {
        {limits->fmr_limit, judge_fmr_limit},       {limits->fmr_ratio, judge_ratio},
        {limits->gfnmr_margin, judge_gfnmr_margin}, {limits->gfnmr_limit, judge_gfnmr_limit},
        {limits->fte_margin, judge_fte_margin},     {limits->fte_limit, judge_fte_limit},
    };
    for (size_t n = 0; n < sizeof asked / sizeof *asked; ++n)
        if (!isnan(asked[n].limit)) asked[n].judge(work, cell, asked[n].limit, attribute, group);
}
