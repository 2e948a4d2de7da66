/* worse -- whether a group's rate is higher than that of the other groups by more than chance. Pure
 * functions; METRICS.md has the formulas, their edge rules and their sources. */
#ifndef ASSAY_REPORTS_WORSE_H
#define ASSAY_REPORTS_WORSE_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

typedef struct {
    double errors, trials;
    double effect; /* design effect, at least 1 where it is known; 1 otherwise */
} assay_worse_group;

/* log ratio of each group's rate to the geometric mean of the others', on counts over effect with a
 * half added, and its standard error. out is [count]; nothing is written under two groups. */
typedef struct {
    double log_ratio, error;
} assay_worse_ratio;
void assay_worse_ratios(const assay_worse_group *groups, size_t count, assay_worse_ratio *out);
/* One-sided p of "the true ratio is above limit". */
double assay_worse_p(const assay_worse_ratio *ratio, double limit);
/* Upper limits of `tests` ratios that hold together at 1 - alpha (Sidak). */
double assay_worse_upper(const assay_worse_ratio *ratio, size_t tests, double alpha);

/* p adjusted for having looked count times (Holm 1979); out may be p. */
assay_status assay_holm(const double *p, size_t count, double *out) ASSAY_MUST_CHECK;

/* FNMR only: would the highest less the lowest rate be as large if labels of subjects were dealt
 * anew? Every deal where there are no more than `most`, else `most` of them at random with the
 * observed one among them. errors and comparisons are [subjects], group_of below groups. */
typedef struct {
    double difference, p, mean; /* of the difference over the deals */
    uint64_t deals;
    int exact;
} assay_permutation;
assay_status assay_permute_groups(const double *errors, const double *comparisons,
                                  const uint32_t *group_of, size_t subjects, uint32_t groups,
                                  uint64_t most, uint64_t seed,
                                  assay_permutation *out) ASSAY_MUST_CHECK;

#endif
