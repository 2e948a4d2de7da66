/* discard -- error versus discard: what is left of an error rate when the comparisons of lowest
 * quality are left out (STATISTICS: Grother and Tabassi 2007; METRICS.md, "Quality"). */
#ifndef ASSAY_REPORTS_DISCARD_H
#define ASSAY_REPORTS_DISCARD_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

/* Comparisons of one quality. */
typedef struct {
    double quality;
    uint64_t comparisons, errors;
} assay_discard_level;

/* From this share of discarded comparisons on, the rate among the rest. */
typedef struct {
    double quality; /* of the best that is left out here; NaN for the first step */
    double discarded, rate;
    uint64_t comparisons, errors; /* that are left */
} assay_discard_step;

typedef struct {
    assay_discard_step *steps; /* [count] by rising share, the last at 1 with a rate of 0; none
                                  where there is no comparison */
    size_t count;
    double limit;
    double area;       /* below the curve over shares 0 … limit */
    double area_above; /* less the least that it can be: every error discarded first */
} assay_discard_curve;

/* levels[count] by rising quality, each quality once; those without comparisons play no part.
 * Comparisons of one quality leave together, so that the curve is a step. 0 < limit <= 1. */
assay_status assay_discard_curve_make(const assay_discard_level *levels, size_t count, double limit,
                                      assay_discard_curve *out) ASSAY_MUST_CHECK;
void assay_discard_curve_free(assay_discard_curve *curve); /* takes a zeroed one */

/* levels of comparisons each with its quality: sorts levels[count], each of any number of
 * comparisons, and joins those of one quality; returns how many are left. */
size_t assay_discard_levels_join(assay_discard_level *levels, size_t count);

#endif
