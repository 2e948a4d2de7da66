/* intervals -- intervals of rates whose sampled units are subjects (intervals.h). */
#include "reports/intervals.h"

#include <math.h>

#include "datasets/base/special.h"

#define DEGREES_LEAST 4.0    /* one subject with very many matches does not make it meaningless */
#define DEGREES_KNOWN 1e7    /* from here on Student's t is the normal distribution */
#define SHARE_IGNORED 1e-3   /* of the variance: under it its own error is not looked at */
#define SLOPE_SCORES 10u     /* mated scores that a window of the slope holds at least */
#define SLOPE_REACH_MOST 2.3 /* ln 10: a decade to either side */
#define SLOPE_REACH_CUT 1.5  /* where the kept scores end */

const char *assay_interval_method_name(assay_interval_method method) {
    static const char *const names[] = {
        [ASSAY_METHOD_DYADIC] = "pairs of subjects",
        [ASSAY_METHOD_SUBJECTS] = "subjects, threshold taken as given",
        [ASSAY_METHOD_AT_TARGET] = "subjects, with the error of the threshold"};
    return names[method];
}

const char *assay_dependence_name(assay_dependence dependence) {
    static const char *const names[] = {[ASSAY_DEPENDENCE_OWN] = "from these errors",
                                        [ASSAY_DEPENDENCE_BORROWED] =
                                            "borrowed from lower thresholds",
                                        [ASSAY_DEPENDENCE_UNKNOWN] = "unknown"};
    return names[dependence];
}

static assay_interval nothing(assay_interval_method method) {
    double none = (double)NAN;
    return (assay_interval){.low = none,
                            .high = none,
                            .variance = none,
                            .effective = none,
                            .design_effect = none,
                            .degrees = (double)INFINITY,
                            .guaranteed = none,
                            .method = method};
}

assay_interval assay_interval_unknown(const char *reason) {
    assay_interval out = nothing(ASSAY_METHOD_DYADIC);
    out.reason = reason;
    return out;
}

void assay_clopper_pearson(double errors, double trials, double alpha, double *out_low,
                           double *out_high) {
    *out_low = errors <= 0 ? 0 : assay_beta_quantile(errors, trials - errors + 1, alpha / 2);
    *out_high =
        errors >= trials ? 1 : assay_beta_quantile(errors + 1, trials - errors, 1 - alpha / 2);
}

/* (z / t)^2, by which effective counts shrink where the variance is itself uncertain. */
static double shrinkage(double degrees, double alpha) {
    if (degrees >= DEGREES_KNOWN) return 1;
    double z = assay_student_quantile((double)INFINITY, 1 - alpha / 2);
    double ratio = z / assay_student_quantile(degrees, 1 - alpha / 2);
    return ratio * ratio;
}

/* Degrees of freedom of a variance of which share comes from so many clusters. */
static double degrees_of(double clusters, double share) {
    if (share <= SHARE_IGNORED) return (double)INFINITY;
    return fmax(fmax(clusters - 1, 0) / (share * share), DEGREES_LEAST);
}

/* Clopper-Pearson at the counts of independent comparisons that have this variance (Korn and
 * Graubard 1998). */
static void set_effective(assay_interval *out, double rate, double alpha) {
    out->effective = rate * (1 - rate) / out->variance * shrinkage(out->degrees, alpha);
    assay_clopper_pearson(rate * out->effective, out->effective, alpha, &out->low, &out->high);
}

/* ---- FMR ---- */

bool assay_clustering_floor(const assay_clustering_anchor *anchors, size_t count, double threshold,
                            uint64_t errors, double *out) {
    const assay_clustering_anchor *nearest = NULL;
    double most = 0;
    for (size_t n = 0; n < count; ++n) {
        if (anchors[n].threshold >= threshold) continue;
        if (!nearest) nearest = &anchors[n];
        most = fmax(most, anchors[n].clustering);
    }
    *out = most;
    if (!nearest) return false;
    if (errors < ASSAY_CLUSTERING_ERRORS) {
        double decades = log10((double)nearest->errors / (double)(errors > 3 ? errors : 3));
        *out = most * exp2(fmax(decades, 0));
    }
    return true;
}

/* No false match: where counts are negative binomial with mean M p and relative variance g, the p
 * at which none of them has the probability share; without clustering exp(-M p) = share. */
static double none_bound(double g, double trials, double share) {
    double units = g > 1e-9 ? expm1(-g * log(share)) / g : -log(share);
    return fmin(units / trials, 1);
}

static void bound_no_match(const assay_dyad_sums *sums, double alpha, assay_interval *out) {
    double trials = (double)sums->trials;
    out->low = 0;
    out->high = none_bound(out->clustering, trials, alpha / 2);
    out->effective = trials;
    /* The disjoint pairs are independent whatever ties people together. */
    out->guaranteed = sums->disjoint ? -expm1(log(alpha) / (double)sums->disjoint) : 1;
    if (out->dependence == ASSAY_DEPENDENCE_UNKNOWN) out->high = out->guaranteed;
}

assay_interval assay_dyadic_interval(const assay_dyad_sums *sums, bool has_floor,
                                     double floor_value, double alpha) {
    assay_interval out = nothing(ASSAY_METHOD_DYADIC);
    if (!sums->trials) return assay_interval_unknown("no comparison of this kind was made");
    double trials = (double)sums->trials, p = sums->rate;
    out.clustering = fmax(sums->clustering, has_floor ? floor_value : 0);
    if (!has_floor && sums->errors < ASSAY_CLUSTERING_ERRORS)
        out.dependence = ASSAY_DEPENDENCE_UNKNOWN;
    else if (out.clustering > sums->clustering)
        out.dependence = ASSAY_DEPENDENCE_BORROWED;
    if (!sums->errors) {
        bound_no_match(sums, alpha, &out);
        return out;
    }
    out.variance = sums->pairs / (trials * trials) + out.clustering * p * p;
    if (!(out.variance > 0)) { /* every comparison matched */
        out.variance = 0;
        out.design_effect = 1;
        out.effective = trials;
        assay_clopper_pearson((double)sums->errors, trials, alpha, &out.low, &out.high);
        return out;
    }
    out.degrees = degrees_of(sums->clusters, out.clustering * p * p / out.variance);
    out.design_effect = out.variance / (p * (1 - p) / trials);
    set_effective(&out, p, alpha);
    return out;
}

/* ---- FNMR, FTE ---- */

/* Sums over subjects that have comparisons; w is the weight of one comparison. */
typedef struct {
    double subjects, weight, rate; /* n, sum of w m, sum of w x over it */
    double repeated;               /* sum of (w m)^2 */
    double independent;            /* variance if comparisons were independent */
    double clustered;              /* n / (n - 1) sum of (w (x - p m))^2 over weight^2 */
    double clusters;               /* n_c */
} cluster_sums;

static double weight_of(const assay_clusters *clusters, size_t n) {
    return clusters->weights ? clusters->weights[n] : 1;
}

static cluster_sums add_clusters(const assay_clusters *clusters) {
    cluster_sums out = {0};
    double errors = 0, spread = 0, second = 0, fourth = 0;
    for (size_t n = 0; n < clusters->count; ++n) {
        if (!(clusters->comparisons[n] > 0)) continue;
        double w = weight_of(clusters, n), m = clusters->comparisons[n];
        ++out.subjects;
        errors += w * clusters->errors[n];
        out.weight += w * m;
        out.repeated += w * m * w * m;
        spread += w * w * m;
    }
    out.rate = errors / out.weight;
    for (size_t n = 0; n < clusters->count; ++n) {
        if (!(clusters->comparisons[n] > 0)) continue;
        double residual =
            weight_of(clusters, n) * (clusters->errors[n] - out.rate * clusters->comparisons[n]);
        second += residual * residual;
        fourth += residual * residual * residual * residual;
    }
    double weight = out.weight * out.weight;
    out.independent = out.rate * (1 - out.rate) * spread / weight;
    out.clustered = out.subjects / (out.subjects - 1) * second / weight;
    out.clusters = fourth > 0 ? second * second / fourth : (double)INFINITY;
    return out;
}

/* No error, or nothing else: each subject counts as one observation. */
static void bound_no_error(const cluster_sums *sums, double alpha, assay_interval *out) {
    out->effective = sums->weight * sums->weight / sums->repeated;
    double bound = -expm1(log(alpha / 2) / out->effective);
    out->low = sums->rate > 0 ? 1 - bound : 0;
    out->high = sums->rate > 0 ? 1 : bound;
}

static bool is_extreme(double rate) {
    return rate <= 0 || rate >= 1;
}

static assay_interval interval_of(const cluster_sums *sums, double alpha) {
    assay_interval out = nothing(ASSAY_METHOD_SUBJECTS);
    if (!(sums->subjects > 0)) return assay_interval_unknown("no comparison of this kind was made");
    if (is_extreme(sums->rate)) {
        bound_no_error(sums, alpha, &out);
        return out;
    }
    if (sums->subjects < 2)
        return assay_interval_unknown("one subject cannot show how people differ");
    out.variance = fmax(sums->clustered, sums->independent);
    out.design_effect = out.variance / sums->independent;
    out.degrees = degrees_of(sums->clusters, 1 - sums->independent / out.variance);
    set_effective(&out, sums->rate, alpha);
    return out;
}

assay_interval assay_clusters_interval(const assay_clusters *clusters, double alpha) {
    cluster_sums sums = add_clusters(clusters);
    return interval_of(&sums, alpha);
}

assay_interval assay_clusters_interval_at(const assay_clusters *clusters,
                                          const assay_threshold_error *error, double alpha) {
    cluster_sums sums = add_clusters(clusters);
    assay_interval out = interval_of(&sums, alpha);
    out.method = ASSAY_METHOD_AT_TARGET;
    if (out.reason || is_extreme(sums.rate)) return out;
    const assay_dyad_sums *dyads = error->sums;
    double trials = (double)dyads->trials, matches = (double)dyads->errors, together = 0;
    for (size_t n = 0; n < clusters->count; ++n)
        if (clusters->comparisons[n] > 0)
            together += weight_of(clusters, n) *
                        (clusters->errors[n] - sums.rate * clusters->comparisons[n]) * error->s[n];
    together *= sqrt(sums.subjects / (sums.subjects - 1)) / sums.weight / trials;
    double own = fmax(sums.clustered, sums.independent);
    double threshold = error->slope * error->slope *
                       (dyads->pairs + dyads->clustering * matches * matches) / (trials * trials);
    /* Never less than either source alone. */
    out.variance = fmax(fmax(own + threshold + 2 * error->slope * together, own), threshold);
    out.design_effect = out.variance / sums.independent;
    set_effective(&out, sums.rate, alpha);
    return out;
}

/* ---- the slope of the trade-off ---- */

double assay_slope_reach(const assay_dyad_sums *sums) {
    if (!sums->errors) return 1;
    double matches = (double)sums->errors;
    double relative = sqrt(sums->pairs + sums->clustering * matches * matches) / matches;
    return fmin(fmax(relative, 0.1), 1);
}

/* The threshold for fmr; the lowest score that is kept, and true, where the list ends before it. */
static bool threshold_or_end(const assay_score_list *list, uint64_t trials, double fmr,
                             double *out) {
    uint64_t allowed = assay_allowed_errors(fmr, trials);
    if (allowed < list->count && assay_threshold(list, allowed, out)) return false;
    *out = assay_score_at(list, list->count - 1);
    return true;
}

assay_slope_window assay_slope_at(const assay_score_list *non_mated, uint64_t trials,
                                  const assay_score_list *mated, double fmr, double half_width) {
    assay_slope_window out = {0};
    if (!non_mated->count || !trials || !(fmr > 0)) return out;
    for (double reach = half_width;; reach *= 1.5) {
        double high, low, first = fmr * exp(-reach);
        (void)threshold_or_end(non_mated, trials, first, &high);
        bool cut = threshold_or_end(non_mated, trials, fmr * exp(reach), &low);
        out.from = assay_scores_at_least(mated, high);
        out.to = assay_scores_at_least(mated, low);
        out.width = log((double)assay_scores_at_least(non_mated, low) / (double)trials / first);
        if (out.to - out.from >= SLOPE_SCORES || reach >= SLOPE_REACH_MOST ||
            (cut && reach >= SLOPE_REACH_CUT))
            return out;
    }
}

double assay_slope_value(const assay_slope_window *window, double share, double fmr) {
    return window->width > 0 ? fmax(share / (window->width * fmr), 0) : 0;
}

/* ---- ratios ---- */

void assay_ratio_interval(double rate_a, const assay_interval *a, double rate_b,
                          const assay_interval *b, double correlation, double *out_low,
                          double *out_high) {
    double ratio = rate_a / rate_b;
    double below_a = log(rate_a / a->low), above_a = log(a->high / rate_a);
    double below_b = log(rate_b / b->low), above_b = log(b->high / rate_b);
    double down = below_a * below_a + above_b * above_b - 2 * correlation * below_a * above_b;
    double up = above_a * above_a + below_b * below_b - 2 * correlation * above_a * below_b;
    *out_low = ratio * exp(-sqrt(fmax(down, 0)));
    *out_high = ratio * exp(sqrt(fmax(up, 0)));
}
