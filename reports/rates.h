/* rates -- counts over trials, thresholds, and the figures of two whole lists of scores. METRICS.md
 * has every formula. A score at the threshold is a match. */
#ifndef ASSAY_REPORTS_RATES_H
#define ASSAY_REPORTS_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/containers.h"

/* A rate as its counts. reason is static text and says why there is no value: nothing was tried, or
 * the errors cannot be counted from what is kept; NULL: the rate is errors / trials. */
typedef struct {
    uint64_t errors, trials;
    const char *reason;
} assay_rate;

assay_rate assay_rate_of(uint64_t errors, uint64_t trials); /* with a reason where trials is 0 */
assay_rate assay_rate_unknown(uint64_t trials, const char *reason);
double assay_rate_value(assay_rate rate); /* NaN where there is a reason */

typedef enum {
    ASSAY_FIGURE_EXACT = 0,
    ASSAY_FIGURE_COARSE,  /* from a histogram of every comparison: there is a bound */
    ASSAY_FIGURE_SAMPLED, /* from a histogram of a sample of them: an estimate, no bound */
} assay_figure_source;
const char *assay_figure_source_name(assay_figure_source source);

/* A figure that is no rate. Where source is coarse the true figure is within bound of value; where
 * it is sampled, bound is NaN and the figure is of `sample` comparisons out of `of`. */
typedef struct {
    double value; /* NaN where reason is given */
    double bound;
    assay_figure_source source;
    uint64_t sample, of;
    const char *reason; /* static text, or NULL */
} assay_figure;

typedef struct {
    assay_figure value;
    double low, high; /* the two rates at the step that is taken; a bracket where source is coarse;
                         NaN where it is sampled */
    double threshold; /* that step's threshold; NaN where it is not known exactly */
} assay_eer;

/* Scores sorted downwards, either plain or as the fine integers of comparisons. */
typedef struct {
    const double *scores;          /* [count], or NULL */
    const assay_comparison *pairs; /* [count], where scores is NULL */
    double unit;                   /* score = fine * unit, where form is ASSAY_SCORE_SCALED */
    assay_score_form form;         /* of fine */
    uint64_t count;
    bool complete; /* nothing lies below the last one */
} assay_score_list;

/* The mated comparisons of evidence, and its tail; borrowed. */
assay_score_list assay_mated_scores(const assay_evidence *evidence);
assay_score_list assay_tail_scores(const assay_evidence *evidence);

double assay_score_at(const assay_score_list *list, uint64_t index);
/* Number of scores >= threshold among those listed. */
uint64_t assay_scores_at_least(const assay_score_list *list, double threshold);

/* Comparisons that a target allows: floor(fmr * trials + 1e-9). */
uint64_t assay_allowed_errors(double fmr, uint64_t trials);
/* The smallest score t with #(>= t) <= allowed, ties together; nextafter above the top where even
 * the top is too many. false where the list ends too early to say, or is empty. */
bool assay_threshold(const assay_score_list *non_mated, uint64_t allowed, double *out);

assay_figure assay_list_mean(const assay_score_list *list);
assay_figure assay_list_sd(const assay_score_list *list); /* of the population */
/* Sum over mated scores of 2 #(non-mated < m) + #(non-mated = m), over 2 mated non-mated. */
assay_figure assay_list_auc(const assay_score_list *mated, const assay_score_list *non_mated);
/* trials: non-mated comparisons made. A reason where the list ends above the crossing. */
assay_eer assay_list_eer(const assay_score_list *mated, const assay_score_list *non_mated,
                         uint64_t trials);
/* |mean difference| over the root of the mean variance, with the bound that its parts imply. */
assay_figure assay_dprime(assay_figure mated_mean, assay_figure mated_sd,
                          assay_figure non_mated_mean, assay_figure non_mated_sd);

typedef struct {
    assay_figure mated_mean, mated_sd, non_mated_mean, non_mated_sd, auc, dprime;
    assay_eer eer;
} assay_whole_figures;

/* All of them from two plain lists in any order; finite scores (ASSAY_USAGE otherwise). */
assay_status assay_score_figures(const double *mated, uint64_t mated_count, const double *non_mated,
                                 uint64_t non_mated_count,
                                 assay_whole_figures *out) ASSAY_MUST_CHECK;
/* scores [count] sorted downwards in place, as an assay_score_list over it. */
assay_score_list assay_score_list_sort(double *scores, uint64_t count);

#endif
