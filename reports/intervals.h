/* intervals -- how sure a rate is. The sampled units are subjects: a person who matches many
 * others, or is missed often, is one piece of evidence and not many. Pure functions; METRICS.md has
 * the formulas, their edge rules and their sources. */
#ifndef ASSAY_REPORTS_INTERVALS_H
#define ASSAY_REPORTS_INTERVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/dyads.h"
#include "reports/rates.h"

#define ASSAY_INTERVAL_ALPHA 0.05   /* two-sided 95 % */
#define ASSAY_CLUSTERING_ERRORS 30u /* false matches from which clustering can be read */

typedef enum {
    ASSAY_METHOD_DYADIC = 0, /* FMR: pairs of subjects that share a subject vary together */
    ASSAY_METHOD_SUBJECTS,   /* subjects are the clusters; the threshold is taken as given */
    ASSAY_METHOD_AT_TARGET, /* the same, with the error of the threshold that the set itself gave */
} assay_interval_method;
const char *assay_interval_method_name(assay_interval_method method);

/* Where what is known of people who match many others comes from. */
typedef enum {
    ASSAY_DEPENDENCE_OWN = 0,  /* these errors show it */
    ASSAY_DEPENDENCE_BORROWED, /* lower thresholds show more than these errors do */
    ASSAY_DEPENDENCE_UNKNOWN,  /* too few errors, here and at every lower threshold that is kept */
} assay_dependence;
const char *assay_dependence_name(assay_dependence dependence);

typedef struct {
    double low, high;     /* NaN where there is a reason */
    double variance;      /* of the rate; NaN where no comparison, or every one, is an error */
    double effective;     /* independent comparisons that would say as much */
    double design_effect; /* variance over that of independent comparisons; NaN likewise */
    double clustering;    /* g that was used; 0 where subjects are the clusters */
    double degrees;       /* of freedom of the variance; INFINITY: as good as known */
    double guaranteed;    /* no false match: one-sided bound whatever the dependence; else NaN */
    assay_interval_method method;
    assay_dependence dependence;
    const char *reason; /* static text: why there is no interval; NULL where there is one */
} assay_interval;

assay_interval assay_interval_unknown(const char *reason);

/* Exact binomial limits at errors of trials, either of which may be no whole number. */
void assay_clopper_pearson(double errors, double trials, double alpha, double *out_low,
                           double *out_high);

/* Clustering where the kept scores hold 30, 60, 120 … false matches. */
typedef struct {
    double threshold, clustering;
    uint64_t errors; /* at or above threshold */
} assay_clustering_anchor;

/* Clustering that errors above threshold are to be credited with at least: the largest of anchors
 * below threshold, which are sorted downwards, doubled for each decade of FMR from the nearest one
 * where errors are fewer than 30. false (and 0) where there is no such anchor. */
bool assay_clustering_floor(const assay_clustering_anchor *anchors, size_t count, double threshold,
                            uint64_t errors, double *out);

/* FMR at a threshold. has_floor: assay_clustering_floor() knew one. */
assay_interval assay_dyadic_interval(const assay_dyad_sums *sums, bool has_floor,
                                     double floor_value, double alpha);

/* Errors and comparisons by subject, errors[n] <= comparisons[n]. weights[n] is what a comparison
 * of the subject counts, NULL: 1 each. Subjects without comparisons play no part. */
typedef struct {
    const double *errors, *comparisons, *weights; /* [count] */
    size_t count;
} assay_clusters;

/* FNMR, FTE at a threshold that is taken as given. */
assay_interval assay_clusters_interval(const assay_clusters *clusters, double alpha);

/* What the threshold's own error adds. s is [count] as dyads.h has it, of the same subjects. */
typedef struct {
    const assay_dyad_sums *sums;
    const double *s;
    double slope; /* -dFNMR / dFMR at the threshold */
} assay_threshold_error;
assay_interval assay_clusters_interval_at(const assay_clusters *clusters,
                                          const assay_threshold_error *error, double alpha);

/* Mated scores between two thresholds around the one for FMR = fmr, from which the slope is read:
 * ranks [from, to) of mated. half_width is the first reach, in natural logarithms of FMR. */
typedef struct {
    uint64_t from, to;
    double width; /* natural logarithm of the ratio of the two FMR */
} assay_slope_window;
assay_slope_window assay_slope_at(const assay_score_list *non_mated, uint64_t trials,
                                  const assay_score_list *mated, double fmr, double half_width);
/* Relative standard error of FMR, the first reach of assay_slope_at(), between 0.1 and 1. */
double assay_slope_reach(const assay_dyad_sums *sums);
/* share: the mated comparisons of the window over all of them. */
double assay_slope_value(const assay_slope_window *window, double share, double fmr);

/* Ratio a over b of two rates by their intervals (MOVER on logarithms), both rates above 0 and both
 * with an interval; correlation is 0 for cells that share no subject. */
void assay_ratio_interval(double rate_a, const assay_interval *a, double rate_b,
                          const assay_interval *b, double correlation, double *out_low,
                          double *out_high);

#endif
