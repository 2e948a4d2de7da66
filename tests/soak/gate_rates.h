/* gate_rates -- how often the gate's rules err on populations whose truth is known: two releases on
 * the same people, whose difference of FNMR is exactly the margin. soak_gate.c draws many,
 * tests/unit/test_gate_rates.c few. */
#ifndef ASSAY_TESTS_SOAK_GATE_RATES_H
#define ASSAY_TESTS_SOAK_GATE_RATES_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "datasets/base/random.h"
#include "datasets/base/special.h"
#include "reports/decision.h"
#include "reports/paired.h"

enum { RATES_PEOPLE = 400, RATES_EACH = 3 };

typedef struct {
    const char *name;
    uint32_t people, each; /* subjects, mated comparisons of each */
    double fnmr, margin; /* of the earlier release; and the true difference, which is the margin */
    double own;          /* share of a mated score's variance that is its subject's */
    double shared;       /* share that the two releases have in common beside that */
    double fmr;          /* 0: both thresholds are given; else they are set for it on the draw */
    double alike;        /* weight of a subject in its non-mated scores */
} gate_setting;

static const gate_setting gate_settings[] = {
    {"given thresholds, independent comparisons", 400, 1, 0.04, 0.02, 0, 0.5, 0, 0},
    {"given thresholds, people who are missed often", 400, 3, 0.04, 0.02, 0.4, 0.3, 0, 0},
    {"thresholds set for FMR 1 % on the draw", 150, 3, 0.15, 0.05, 0.2, 0.3, 0.01, 0},
    {"the same, people who match many others", 150, 3, 0.15, 0.05, 0.2, 0.3, 0.01, 0.35},
};
#define GATE_SETTINGS (sizeof gate_settings / sizeof *gate_settings)

typedef struct {
    uint64_t draws, passed, failed, covered; /* covered: two-sided 95 % held the difference */
    uint64_t ratio_draws, ratio_covered;     /* of FMR at given thresholds, truth 1 */
} gate_tally;

static inline double rates_normal(double share) {
    return assay_student_quantile((double)INFINITY, share);
}

static inline int rates_down(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* One release on one draw. */
typedef struct {
    double mated[RATES_PEOPLE * RATES_EACH], sorted[RATES_PEOPLE * RATES_EACH];
    double *non_mated, *tail; /* [pairs], as they come and sorted */
    double threshold, slope;
    double s[RATES_PEOPLE];
    assay_dyad_sums sums;
} drawn_release;

static inline void rates_draw(const gate_setting *of, assay_random *random, drawn_release two[2]) {
    double a[RATES_PEOPLE], rest = sqrt(1 - of->own - of->shared);
    double spread = sqrt(2 * of->alike * of->alike + 1);
    for (int r = 0; r < 2; ++r) {
        double p = of->fnmr + r * of->margin;
        /* The population's threshold is 0 for given ones, else that of fmr. */
        two[r].threshold = of->fmr > 0 ? spread * rates_normal(1 - of->fmr) : 0;
        two[r].slope = two[r].threshold - rates_normal(p); /* for now the mean of mated scores */
    }
    for (uint32_t n = 0; n < of->people; ++n) {
        a[n] = assay_random_normal(random);
        for (uint32_t k = 0; k < of->each; ++k) {
            double both = sqrt(of->shared) * assay_random_normal(random);
            for (int r = 0; r < 2; ++r)
                two[r].mated[n * of->each + k] =
                    two[r].slope - sqrt(of->own) * a[n] + both + rest * assay_random_normal(random);
        }
    }
    size_t pair = 0;
    for (uint32_t i = 0; of->fmr > 0 && i < of->people; ++i)
        for (uint32_t j = i + 1; j < of->people; ++j, ++pair) {
            double together = 0.8 * assay_random_normal(random);
            for (int r = 0; r < 2; ++r)
                two[r].non_mated[pair] =
                    of->alike * (a[i] + a[j]) + together + 0.6 * assay_random_normal(random);
        }
}

static inline void rates_count(const gate_setting *of, const assay_dyad_design *design,
                               drawn_release *release) {
    size_t pair = 0;
    assay_dyad_counter counter = assay_dyads_start(design, release->s);
    for (uint32_t i = 0; i < of->people; ++i)
        for (uint32_t j = i + 1; j < of->people; ++j, ++pair)
            if (release->non_mated[pair] >= release->threshold) assay_dyads_add(&counter, i, j, 1);
    release->sums = assay_dyads_finish(&counter);
}

static inline assay_dyad_products rates_products(const gate_setting *of,
                                                 const assay_dyad_design *design,
                                                 const drawn_release two[2]) {
    double both = 0;
    size_t pairs = (size_t)of->people * (of->people - 1) / 2;
    for (size_t n = 0; n < pairs; ++n)
        both += two[0].non_mated[n] >= two[0].threshold && two[1].non_mated[n] >= two[1].threshold;
    return assay_dyads_products(&two[0].sums, two[0].s, &two[1].sums, two[1].s, of->people,
                                design->squares, both, (double)two[0].sums.errors,
                                (double)two[1].sums.errors);
}

static inline void rates_ratio(const gate_setting *of, const assay_dyad_design *design,
                               drawn_release two[2], gate_tally *tally) {
    for (int r = 0; r < 2; ++r) rates_count(of, design, &two[r]);
    assay_dyad_products products = rates_products(of, design, two);
    assay_interval a = assay_dyadic_interval(&two[0].sums, true, 0, 0.05);
    assay_interval b = assay_dyadic_interval(&two[1].sums, true, 0, 0.05);
    assay_ratio ratio =
        assay_fmr_ratio(&two[0].sums, &a, &two[1].sums, &b, &products, ASSAY_INTERVAL_ALPHA);
    if (ratio.reason) return;
    ++tally->ratio_draws;
    tally->ratio_covered += ratio.low <= 1 && 1 <= ratio.high;
}

/* Sets both thresholds for FMR on the draw, and the slopes there. */
static inline void rates_set_thresholds(const gate_setting *of, const assay_dyad_design *design,
                                        drawn_release two[2]) {
    size_t pairs = (size_t)of->people * (of->people - 1) / 2;
    uint32_t mated = of->people * of->each;
    for (int r = 0; r < 2; ++r) {
        drawn_release *at = &two[r];
        for (size_t n = 0; n < pairs; ++n) at->tail[n] = at->non_mated[n];
        for (uint32_t n = 0; n < mated; ++n) at->sorted[n] = at->mated[n];
        qsort(at->tail, pairs, sizeof *at->tail, rates_down);
        qsort(at->sorted, mated, sizeof *at->sorted, rates_down);
        assay_score_list tail = {.scores = at->tail, .count = pairs, .complete = true};
        assay_score_list list = {.scores = at->sorted, .count = mated, .complete = true};
        (void)assay_threshold(&tail, assay_allowed_errors(of->fmr, pairs), &at->threshold);
        rates_count(of, design, at);
        assay_slope_window window =
            assay_slope_at(&tail, pairs, &list, of->fmr, assay_slope_reach(&at->sums));
        at->slope = assay_slope_value(&window, (double)(window.to - window.from) / mated, of->fmr);
    }
}

static inline void rates_judge(const gate_setting *of, const drawn_release two[2],
                               const assay_threshold_shift *shift, gate_tally *tally) {
    double only_a[RATES_PEOPLE] = {0}, only_b[RATES_PEOPLE] = {0}, made[RATES_PEOPLE];
    for (uint32_t n = 0; n < of->people; ++n) {
        made[n] = of->each;
        for (uint32_t k = 0; k < of->each; ++k) {
            bool a = two[0].mated[n * of->each + k] < two[0].threshold;
            bool b = two[1].mated[n * of->each + k] < two[1].threshold;
            only_a[n] += a && !b;
            only_b[n] += b && !a;
        }
    }
    assay_paired_clusters clusters = {only_b, only_a, made, of->people};
    assay_difference found = assay_paired_difference(&clusters, shift, 0.05);
    assay_state state = assay_decide_margin(found.low_one, found.high_one, of->margin);
    ++tally->draws;
    tally->passed += assay_state_passes(state);
    tally->failed += state == ASSAY_STATE_FAIL;
    tally->covered += found.low <= of->margin && of->margin <= found.high;
}

/* draws of a setting; false where memory is out. */
static inline bool rates_run(const gate_setting *of, uint64_t draws, gate_tally *tally) {
    static drawn_release two[2];
    static assay_holding holdings[RATES_PEOPLE];
    static double shift[RATES_PEOPLE];
    size_t pairs = (size_t)of->people * (of->people - 1) / 2;
    assay_dyad_design design = {0};
    for (uint32_t n = 0; n < of->people; ++n) holdings[n] = (assay_holding){{1, 0, 0, 0}};
    for (int r = 0; r < 2; ++r) {
        two[r].non_mated = calloc(pairs, sizeof(double));
        two[r].tail = calloc(pairs, sizeof(double));
    }
    bool good =
        two[0].non_mated && two[0].tail && two[1].non_mated && two[1].tail &&
        assay_dyad_design_create(ASSAY_FORM_WITHIN, holdings, of->people, &design) == ASSAY_OK;
    for (uint64_t draw = 0; good && draw < draws; ++draw) {
        assay_random random;
        assay_random_start(&random, 2026, draw);
        rates_draw(of, &random, two);
        if (!(of->fmr > 0)) {
            rates_judge(of, two, NULL, tally);
            continue;
        }
        rates_ratio(of, &design, two, tally);
        rates_set_thresholds(of, &design, two);
        assay_dyad_products products = rates_products(of, &design, two);
        double m = (double)pairs, a = two[0].slope / m, b = two[1].slope / m;
        for (uint32_t n = 0; n < of->people; ++n) shift[n] = b * two[1].s[n] - a * two[0].s[n];
        assay_threshold_shift moved = {shift, b * b * two[1].sums.pairs +
                                                  a * a * two[0].sums.pairs -
                                                  2 * a * b * products.pairs};
        rates_judge(of, two, &moved, tally);
    }
    assay_dyad_design_free(&design);
    for (int r = 0; r < 2; ++r) {
        free(two[r].non_mated);
        free(two[r].tail);
    }
    return good;
}

#endif
