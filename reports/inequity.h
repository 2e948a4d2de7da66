/* inequity -- how far the rates of groups lie apart: the summary measures in use, what they show by
 * chance alone, what they may be at most, and what is left when noise is taken out. Pure functions;
 * METRICS.md has the formulas, their edge rules and their sources. */
#ifndef ASSAY_REPORTS_INEQUITY_H
#define ASSAY_REPORTS_INEQUITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

#define ASSAY_INEQUITY_WEIGHT 0.5 /* alpha: the weight of FMR against FNMR in joint measures */

/* Measures of the rates of one error. INFINITY: the lowest rate is 0. NaN: not defined. */
typedef struct {
    double max_min;     /* highest over lowest; NaN where both are 0 */
    double max_geomean; /* highest over geometric mean; NaN where one is 0 */
    double gini;        /* n/(n-1) sum |r_i - r_j| / (2 n^2 mean); 0 where all are 0 */
    double difference;  /* highest less lowest */
} assay_inequity;
/* All NaN under two rates. */
assay_inequity assay_inequity_of(const double *rates, size_t count);

/* Measures of both errors together, each NaN where a part of it is not defined. */
typedef struct {
    double fdr;   /* 1 - (alpha difference of FMR + (1 - alpha) difference of FNMR) */
    double ir;    /* max_min of FMR ^ alpha, times max_min of FNMR ^ (1 - alpha) */
    double garbe; /* alpha gini of FMR + (1 - alpha) gini of FNMR */
} assay_joint_inequity;
assay_joint_inequity assay_joint_inequity_of(const assay_inequity *fmr, const assay_inequity *fnmr,
                                             double alpha);

/* Least and most that the measures can be while each rate lies within [low, high]: exact for gini
 * and difference, not too narrow for the others. NaN under two groups. */
typedef struct {
    assay_inequity least, most;
} assay_inequity_range;
assay_status assay_inequity_box(const double *low, const double *high, size_t count,
                                assay_inequity_range *out) ASSAY_MUST_CHECK;

/* rates shrunk towards their mean by as much as their variances say is noise (Lum, Zhang and Bower
 * 2022); false where a rate is 0, there are fewer than two, or a variance is not known. */
bool assay_inequity_shrink(const double *rates, const double *variances, size_t count,
                           double *out_shrunk, double *out_between);

/* A group's trials, and how its errors vary where all groups share one rate p: with clustering
 * negative binomial, mean M p and variance M p + g (M p)^2; with effect Poisson(M p / effect)
 * times effect. */
typedef struct {
    double trials;
    double clustering; /* g */
    double effect;     /* design effect; NaN: clustering says it */
} assay_chance_group;

/* draws x measures, made one after another; without groups that drew no error max_min and
 * max_geomean are of the others. */
assay_status assay_inequity_draw(const assay_chance_group *groups, size_t count, double rate,
                                 uint64_t seed, size_t draws, assay_inequity *out) ASSAY_MUST_CHECK;

/* What chance alone gives: mean and the value that 5 % of draws lie beyond (fdr: below). */
typedef struct {
    assay_inequity mean, beyond;
} assay_inequity_chance;
typedef struct {
    assay_joint_inequity mean, beyond;
} assay_joint_chance;
assay_status assay_inequity_summarise(const assay_inequity *draws, size_t count,
                                      assay_inequity_chance *out) ASSAY_MUST_CHECK;
assay_status assay_joint_summarise(const assay_inequity *fmr, const assay_inequity *fnmr,
                                   size_t count, double alpha,
                                   assay_joint_chance *out) ASSAY_MUST_CHECK;

#endif
