/* inequity_chance -- what measures of inequity show where all groups have one rate (inequity.h). */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/draws.h"
#include "datasets/base/memory.h"
#include "reports/inequity.h"

#define BEYOND 0.95

static double draw_errors(const assay_chance_group *group, double rate, assay_random *random) {
    double mean = group->trials * rate;
    if (!isnan(group->effect))
        return assay_draw_poisson(random, mean / group->effect) * group->effect;
    if (!(group->clustering > 0)) return assay_draw_poisson(random, mean);
    return assay_draw_poisson(random, mean * assay_draw_gamma(random, 1 / group->clustering));
}

assay_status assay_inequity_draw(const assay_chance_group *groups, size_t count, double rate,
                                 uint64_t seed, size_t draws, assay_inequity *out) {
    double *rates = NULL, *positive = NULL;
    assay_random random;
    assay_status status = assay_allocate(&rates, count, sizeof *rates, "rates by chance");
    if (status == ASSAY_OK)
        status = assay_allocate(&positive, count, sizeof *positive, "rates by chance");
    if (status == ASSAY_OK) assay_random_start(&random, seed, 0);
    for (size_t n = 0; status == ASSAY_OK && n < draws; ++n) {
        size_t some = 0;
        for (size_t g = 0; g < count; ++g) {
            rates[g] = draw_errors(&groups[g], rate, &random) / groups[g].trials;
            if (rates[g] > 0) positive[some++] = rates[g];
        }
        out[n] = assay_inequity_of(rates, count);
        assay_inequity kept = assay_inequity_of(positive, some);
        out[n].max_min = some == 1 ? 1 : kept.max_min;
        out[n].max_geomean = some == 1 ? 1 : kept.max_geomean;
    }
    free(rates);
    free(positive);
    return status;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mean of what is a number in values[count], which are sorted, and the quantile that lies at share
 * of them, between two by linear interpolation. */
static void mean_and_quantile(double *values, size_t count, double share, double *out_mean,
                              double *out_quantile) {
    size_t kept = 0;
    double sum = 0;
    for (size_t n = 0; n < count; ++n) {
        if (!isfinite(values[n])) continue;
        values[kept++] = values[n];
        sum += values[n];
    }
    *out_mean = *out_quantile = (double)NAN;
    if (!kept) return;
    qsort(values, kept, sizeof *values, ascending);
    double at = share * (double)(kept - 1);
    size_t below = (size_t)floor(at), above = below + 1 < kept ? below + 1 : below;
    *out_mean = sum / (double)kept;
    *out_quantile = values[below] + (at - (double)below) * (values[above] - values[below]);
}

assay_status assay_inequity_summarise(const assay_inequity *draws, size_t count,
                                      assay_inequity_chance *out) {
    double *values = NULL;
    assay_inequity_chance made;
    assay_status status = assay_allocate(&values, count, sizeof *values, "measures by chance");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < count; ++n) values[n] = draws[n].max_min;
    mean_and_quantile(values, count, BEYOND, &made.mean.max_min, &made.beyond.max_min);
    for (size_t n = 0; n < count; ++n) values[n] = draws[n].max_geomean;
    mean_and_quantile(values, count, BEYOND, &made.mean.max_geomean, &made.beyond.max_geomean);
    for (size_t n = 0; n < count; ++n) values[n] = draws[n].gini;
    mean_and_quantile(values, count, BEYOND, &made.mean.gini, &made.beyond.gini);
    for (size_t n = 0; n < count; ++n) values[n] = draws[n].difference;
    mean_and_quantile(values, count, BEYOND, &made.mean.difference, &made.beyond.difference);
    free(values);
    *out = made;
    return ASSAY_OK;
}

assay_status assay_joint_summarise(const assay_inequity *fmr, const assay_inequity *fnmr,
                                   size_t count, double alpha, assay_joint_chance *out) {
    double *values = NULL;
    assay_joint_chance made;
    assay_status status = assay_allocate(&values, count, sizeof *values, "measures by chance");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < count; ++n)
        values[n] = assay_joint_inequity_of(&fmr[n], &fnmr[n], alpha).fdr;
    mean_and_quantile(values, count, 1 - BEYOND, &made.mean.fdr, &made.beyond.fdr);
    for (size_t n = 0; n < count; ++n)
        values[n] = assay_joint_inequity_of(&fmr[n], &fnmr[n], alpha).ir;
    mean_and_quantile(values, count, BEYOND, &made.mean.ir, &made.beyond.ir);
    for (size_t n = 0; n < count; ++n)
        values[n] = assay_joint_inequity_of(&fmr[n], &fnmr[n], alpha).garbe;
    mean_and_quantile(values, count, BEYOND, &made.mean.garbe, &made.beyond.garbe);
    free(values);
    *out = made;
    return ASSAY_OK;
}
