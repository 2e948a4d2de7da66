/* paired -- differences and ratios of two releases on the same comparisons (paired.h). */
#include "reports/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/special.h"

#define TANGO_STEPS 200       /* halvings: more than a double has digits */
#define TANGO_END (1 - 1e-12) /* a difference is within -1 and 1 */
#define SWAP_WORK 4e8         /* additions of one exact test */

/* ---- Tango's score limits ---- */

/* The score of "the difference is d"; falls as d rises. */
static double tango_score(double b, double c, double n, double d) {
    double linear = -b - c + (2 * n - b + c) * d, constant = -c * d * (1 - d);
    double root = sqrt(fmax(linear * linear - 8 * n * constant, 0));
    double q = (root - linear) / (4 * n), variance = n * (2 * q + d * (1 - d));
    double distance = b - c - n * d;
    if (variance > 0) return distance / sqrt(variance);
    return distance > 0 ? (double)INFINITY : distance < 0 ? -(double)INFINITY : 0;
}

static double tango_solve(double b, double c, double n, double wanted, double low, double high) {
    for (int step = 0; step < TANGO_STEPS; ++step) {
        double middle = (low + high) / 2;
        if (tango_score(b, c, n, middle) > wanted)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

void assay_tango_limits(double only_b, double only_a, double trials, double alpha, double *out_low,
                        double *out_high) {
    double z = assay_student_quantile((double)INFINITY, 1 - alpha / 2);
    double d = (only_b - only_a) / trials;
    *out_low = tango_solve(only_b, only_a, trials, z, -TANGO_END, d);
    *out_high = tango_solve(only_b, only_a, trials, -z, d, TANGO_END);
}

/* ---- the difference ---- */

assay_difference assay_difference_unknown(const char *reason) {
    double none = (double)NAN;
    return (assay_difference){.value = none,
                              .variance = none,
                              .design_effect = none,
                              .low = none,
                              .high = none,
                              .low_one = none,
                              .high_one = none,
                              .reason = reason};
}

typedef struct {
    double only_b, only_a, trials, subjects, repeated; /* repeated: sum of m_i^2 */
} paired_totals;

static paired_totals add_paired(const assay_paired_clusters *clusters) {
    paired_totals out = {0};
    for (size_t n = 0; n < clusters->count; ++n) {
        double m = clusters->comparisons[n];
        out.only_b += clusters->only_b[n];
        out.only_a += clusters->only_a[n];
        out.trials += m;
        out.repeated += m * m;
        out.subjects += m > 0;
    }
    return out;
}

/* V: of the subjects' own differences, and with what the thresholds add, never less than without.
 */
static double paired_variance(const assay_paired_clusters *clusters,
                              const assay_threshold_shift *shift, const paired_totals *totals,
                              double difference) {
    double scale = sqrt(totals->subjects / (totals->subjects - 1)) / totals->trials;
    double own = 0, both = 0;
    for (size_t n = 0; n < clusters->count; ++n) {
        double net = clusters->only_b[n] - clusters->only_a[n];
        double r = (net - difference * clusters->comparisons[n]) * scale;
        own += r * r;
        if (shift) both += 2 * r * shift->shift[n] + shift->shift[n] * shift->shift[n];
    }
    return shift ? fmax(own + both - shift->pairs, own) : own;
}

assay_difference assay_paired_difference(const assay_paired_clusters *clusters,
                                         const assay_threshold_shift *shift, double alpha) {
    paired_totals totals = add_paired(clusters);
    if (!(totals.trials > 0))
        return assay_difference_unknown("both releases have no comparison of this kind in common");
    if (totals.subjects < 2)
        return assay_difference_unknown("one subject cannot show how people differ");
    double discordant = totals.only_b + totals.only_a, net = totals.only_b - totals.only_a;
    assay_difference out = {.value = net / totals.trials,
                            .only_b = totals.only_b,
                            .only_a = totals.only_a,
                            .trials = totals.trials,
                            .subjects = totals.subjects};
    out.variance = paired_variance(clusters, shift, &totals, out.value);
    double independent = (discordant - net * net / totals.trials) / (totals.trials * totals.trials);
    double floor_value =
        independent > 0 ? out.variance / independent : totals.repeated / totals.trials;
    /* Without discordance the thresholds' error still counts, in units of one comparison. */
    if (shift && !(independent > 0))
        floor_value = fmax(floor_value, out.variance * totals.trials * totals.trials);
    out.design_effect = fmax(floor_value, 1);
    double b = out.only_b / out.design_effect, c = out.only_a / out.design_effect;
    double n = out.trials / out.design_effect;
    assay_tango_limits(b, c, n, alpha, &out.low, &out.high);
    assay_tango_limits(b, c, n, 2 * alpha, &out.low_one, &out.high_one);
    return out;
}

double assay_difference_p_above(const assay_difference *difference, double margin) {
    double effect = difference->design_effect;
    if (difference->reason) return 1;
    double score = tango_score(difference->only_b / effect, difference->only_a / effect,
                               difference->trials / effect, margin);
    return erfc(score / sqrt(2.0)) / 2;
}

/* ---- swapping releases within subjects ---- */

double assay_sign_swap_p(const int64_t *differences, size_t count) {
    int64_t range = 0, observed = 0;
    double subjects = 0;
    for (size_t n = 0; n < count; ++n) {
        observed += differences[n];
        range += llabs(differences[n]);
        subjects += differences[n] != 0;
    }
    if (!range) return 1;
    double *now = NULL, *next = NULL, share = (double)NAN;
    size_t width = 2 * (size_t)range + 1;
    if (subjects * (double)width > SWAP_WORK) return (double)NAN;
    assay_status status = assay_allocate(&now, width, sizeof *now, "sums of swaps");
    if (status == ASSAY_OK) status = assay_allocate(&next, width, sizeof *next, "sums of swaps");
    if (status != ASSAY_OK) goto out;
    now[range] = 1;
    for (int64_t n = 0, reach = 0; n < (int64_t)count; ++n) {
        int64_t d = llabs(differences[n]);
        if (!d) continue;
        memset(next, 0, width * sizeof *next);
        for (int64_t at = range - reach; at <= range + reach; ++at) {
            next[at - d] += now[at] / 2;
            next[at + d] += now[at] / 2;
        }
        reach += d;
        double *swap = now;
        now = next;
        next = swap;
    }
    share = 0;
    for (int64_t at = -range; at <= range; ++at)
        if (llabs(at) >= llabs(observed)) share += now[range + at];
out:
    free(now);
    free(next);
    return share;
}

/* ---- two cells of the same subjects ---- */

assay_dyad_products assay_dyads_products(const assay_dyad_sums *a, const double *s_a,
                                         const assay_dyad_sums *b, const double *s_b,
                                         uint32_t subjects, double m_both, double matches_both,
                                         double a_times_b, double b_times_a) {
    assay_dyad_products out = {.pairs = matches_both - b->rate * a_times_b - a->rate * b_times_a +
                                        a->rate * b->rate * m_both};
    for (uint32_t n = 0; n < subjects; ++n) out.subjects += s_a[n] * s_b[n];
    return out;
}

/* ---- ratios ---- */

assay_interval assay_dyadic_interval_again(const assay_dyad_sums *sums,
                                           const assay_interval *interval, double alpha) {
    if (interval->reason) return *interval;
    bool known = interval->dependence != ASSAY_DEPENDENCE_UNKNOWN;
    assay_interval out = assay_dyadic_interval(sums, known, interval->clustering, alpha);
    if (!known && !sums->errors && !out.reason)
        out.high = sums->disjoint ? -expm1(log(alpha / 2) / (double)sums->disjoint) : 1;
    return out;
}

static double correlation_of(const assay_dyad_sums *a, const assay_interval *interval_a,
                             const assay_dyad_sums *b, const assay_interval *interval_b,
                             const assay_dyad_products *products) {
    double spread = sqrt(interval_a->variance * interval_b->variance);
    if (!(spread > 0)) return 0;
    double together = products->subjects - products->pairs;
    double value = together / ((double)a->trials * (double)b->trials) / spread;
    return fmin(fmax(value, -1), 1);
}

assay_ratio assay_fmr_ratio(const assay_dyad_sums *a, const assay_interval *interval_a,
                            const assay_dyad_sums *b, const assay_interval *interval_b,
                            const assay_dyad_products *products, double alpha) {
    double none = (double)NAN;
    const char *why = interval_a->reason ? interval_a->reason : interval_b->reason;
    if (!why && !a->errors && !b->errors) why = "neither release has a false match";
    assay_ratio out = {.value = none, .low = none, .high = none, .reason = why};
    if (why) return out;
    bool zero = !a->errors || !b->errors;
    assay_interval at_a = assay_dyadic_interval_again(a, interval_a, zero ? alpha / 2 : alpha);
    assay_interval at_b = assay_dyadic_interval_again(b, interval_b, zero ? alpha / 2 : alpha);
    if (zero) {
        out.value = b->errors ? (double)INFINITY : 0;
        out.low = b->errors ? at_b.low / at_a.high : 0;
        out.high = a->errors ? at_b.high / at_a.low : (double)INFINITY;
        return out;
    }
    out.value = b->rate / a->rate;
    out.correlation = correlation_of(a, interval_a, b, interval_b, products);
    assay_ratio_interval(b->rate, &at_b, a->rate, &at_a, out.correlation, &out.low, &out.high);
    return out;
}
