/* paired -- two releases on the same comparisons: how much more often the second one is wrong. Pure
 * functions; METRICS.md has the formulas and their sources.
 *
 * Comparisons on which both releases err, or neither does, say nothing of a difference. What
 * remains are the discordant ones, counted as errors of B alone and of A alone; subjects are the
 * clusters. */
#ifndef ASSAY_REPORTS_PAIRED_H
#define ASSAY_REPORTS_PAIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/intervals.h"

/* By subject: comparisons of which only B, and only A, is wrong, of all that both attempted.
 * Subjects without comparisons play no part but in the threshold's own error. */
typedef struct {
    const double *only_b, *only_a, *comparisons; /* [count] */
    size_t count;
} assay_paired_clusters;

/* What the errors of thresholds that were set on the same data add: with slopes b of the two
 * releases (intervals.h), S_i = b_B s_i^B / M_B - b_A s_i^A / M_A, and the sum over pairs of
 * subjects of (b_B e_ij^B / M_B - b_A e_ij^A / M_A)^2. */
typedef struct {
    const double *shift; /* [count] S_i, of the same subjects */
    double pairs;
} assay_threshold_shift;

/* Rate of B less rate of A. */
typedef struct {
    double value; /* NaN where there is a reason */
    double only_b, only_a, trials, subjects;
    double variance, design_effect;
    double low, high;         /* two-sided at alpha */
    double low_one, high_one; /* one-sided at alpha each: the two-sided ones at 2 alpha */
    const char *reason;       /* static text: why there is none, or NULL */
} assay_difference;

/* shift NULL: both thresholds are taken as given. Tango's score limits at effective counts. */
assay_difference assay_paired_difference(const assay_paired_clusters *clusters,
                                         const assay_threshold_shift *shift, double alpha);
assay_difference assay_difference_unknown(const char *reason);
/* One-sided p of "the difference is at most margin" against "it is more": below alpha exactly where
 * low_one is above margin. */
double assay_difference_p_above(const assay_difference *difference, double margin);

/* Score limits of (only_b - only_a) / trials, two-sided at alpha; counts need not be whole (Tango
 * 1998). */
void assay_tango_limits(double only_b, double only_a, double trials, double alpha, double *out_low,
                        double *out_high);

/* Two-sided p of the sum of differences[count] (errors of B less errors of A, by subject) when the
 * two releases may be swapped within any subject: exact, over all 2^n swaps, by adding them up one
 * subject at a time. NaN where that would be too much work. */
double assay_sign_swap_p(const int64_t *differences, size_t count);

/* One cell of comparisons at the thresholds of two releases: with e_ij and s_i as dyads.h has them,
 * the sums of e_ij^A e_ij^B over pairs of subjects and of s_i^A s_i^B over subjects. */
typedef struct {
    double pairs, subjects;
} assay_dyad_products;
/* Of two cells with the same subjects at the same places. m_both: sum over pairs of subjects of
 * m_ij^A m_ij^B. matches_both, a_times_b, b_times_a: sums of F_ij^A F_ij^B, F_ij^A m_ij^B and
 * F_ij^B m_ij^A. */
assay_dyad_products assay_dyads_products(const assay_dyad_sums *a, const double *s_a,
                                         const assay_dyad_sums *b, const double *s_b,
                                         uint32_t subjects, double m_both, double matches_both,
                                         double a_times_b, double b_times_a);
/* FMR of B over FMR of A in one cell. */
typedef struct {
    double value; /* INFINITY where A alone has no false match; NaN where there is a reason */
    double low, high;
    double correlation; /* of the two rates */
    const char *reason;
} assay_ratio;
/* interval_a and interval_b give the clustering that the rates are credited with; limits are made
 * anew at alpha, and where one release has no false match, at alpha / 2. */
assay_ratio assay_fmr_ratio(const assay_dyad_sums *a, const assay_interval *interval_a,
                            const assay_dyad_sums *b, const assay_interval *interval_b,
                            const assay_dyad_products *products, double alpha);
/* The interval of a rate again at another alpha. Where nothing is known of the dependence and there
 * is no false match, the bound that holds whatever it is, at alpha / 2. */
assay_interval assay_dyadic_interval_again(const assay_dyad_sums *sums,
                                           const assay_interval *interval, double alpha);

#endif
