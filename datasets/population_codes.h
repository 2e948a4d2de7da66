/* population_codes -- a synthetic population as bit strings with masks, much like iris codes: a way
 * to see binary templates evaluated without a database of irises, and with its truth known.
 *
 * A code is 8 rows of 256 columns. Along a row of a subject's code each bit is its left neighbour's
 * with probability (1 + rho) / 2, rho such that two subjects' samples agree as 255 independent bits
 * would (Daugman 2004 has 249 of irises). A sample is that code turned by up to 3 columns either
 * way, each bit flipped with probability e, under a mask that hides an arc of the upper rows (a
 * lid) and a few reflections. In a group of likeness l each run of 16 columns of a subject is, with
 * probability sqrt(l), that of the group; degradation raises e and what is hidden. Every 40th
 * sample is hidden but for a little: its comparisons fail for want of valid bits.
 *
 * With p = (1 - 2 e)^2, of samples that are not turned or at the shift that undoes the turns:
 *     non-mated, likeness 0     mean agreement 1/2; its variance by assay_codes_variance
 *     non-mated, likeness l     mean agreement 1/2 + l p / 2
 *     mated                     mean agreement 1/2 + p / 2, bits independent of each other */
#ifndef ASSAY_DATASETS_POPULATION_CODES_H
#define ASSAY_DATASETS_POPULATION_CODES_H

#include "datasets/population.h"

#define ASSAY_CODES_ROWS 8u
#define ASSAY_CODES_COLUMNS 256u
#define ASSAY_CODES_BITS (ASSAY_CODES_ROWS * ASSAY_CODES_COLUMNS)
#define ASSAY_CODES_TURN 3u /* columns, most either way */

/* codes and masks are [rows][ASSAY_CODES_BITS / 8], laid out as kernels/hamming.h says; both
 * free(). The table is that of assay_population_templates, but for quality: 100 times the share of
 * the code that is neither hidden nor flipped. */
assay_status assay_population_codes(const assay_population *population,
                                    const assay_progress *progress, assay_sample_table *out_table,
                                    uint8_t **out_codes, uint8_t **out_masks) ASSAY_MUST_CHECK;

/* e of the samples of a group. */
double assay_codes_flips(const assay_population_group *group);
/* Variance of the share of agreeing bits of two subjects' codes, both wholly valid, likeness 0. */
double assay_codes_variance(const assay_population_group *a, const assay_population_group *b);
/* truth.json of it. */
assay_status assay_codes_truth_json(const assay_population *population,
                                    char **out) ASSAY_MUST_CHECK;

#endif
