/* quantise -- the canonical scores. Templates become integers once, here, and every backend
 * computes on those integers; so a score is the same bits whoever computes it (ARCHITECTURE.md,
 * "What flows").
 *
 * Fine:    K = rint(y * 2^e), y the unit vector (cosine, e = 26) or the vector itself (inner
 * product: 2^e brings the largest norm to at most 2^26; Euclidean: to at most 2^25). S = sum K_i
 * K_j, or -sum (K_i - K_j)^2, in int64; score = S * 2^(-2e). Coarse:  q = rint(y * s), s chosen
 * from the data so that |q_i| |q_j| < 2^24 for every pair and every |component| <= 2048: exact in
 * float accumulation of any order. c = sum q_i q_j, or -sum (q_i - q_j)^2, in int32; coarse score =
 * c / s^2. Bound:   |score - coarse score| <= bound for every pair of the set, computed from these
 * templates in double, never from a worst case. This file is built with -ffp-contract=off. */
#ifndef ASSAY_KERNELS_QUANTISE_H
#define ASSAY_KERNELS_QUANTISE_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/status.h"

typedef enum {
#define COMPARATOR(enumerator, name, purpose) enumerator,
#include "kernels/comparators.def"
#undef COMPARATOR
    ASSAY_COMPARATOR_COUNT
} assay_comparator;

const char *assay_comparator_name(assay_comparator comparator);
const char *assay_comparator_purpose(assay_comparator comparator);
/* The comparator alone of a text that comparator.h reads. ASSAY_USAGE, naming the known ones and
 * the nearest. */
assay_status assay_comparator_parse(const char *name, assay_comparator *out) ASSAY_MUST_CHECK;

#define ASSAY_LENGTH_MAX 4096
#define ASSAY_COARSE_BINS 4096

typedef struct {
    uint64_t count;
    uint32_t length;
    assay_comparator comparator;
    int exponent;        /* e */
    double coarse_scale; /* s */
    double bound;
    int32_t *fine;        /* [count][length] */
    int16_t *coarse;      /* [count][length] */
    int64_t *fine_norm;   /* [count] sum K^2 */
    int32_t *coarse_norm; /* [count] sum q^2, < 2^24 */
} assay_quantised;

/* What of two templates a comparator compares. */
static inline bool assay_comparator_takes_bits(assay_comparator comparator) {
    return comparator == ASSAY_HAMMING;
}

/* From vectors to integers, a row at a time, so that a set need not be in memory as a whole:
 * measure every row, settle, then round every row. assay_quantise is the same for rows in memory.
 */
typedef struct {
    assay_comparator comparator;
    uint32_t length;
    double largest_norm, smallest_norm; /* of the vectors as they came */
    double largest_component;           /* of y: the unit vector for cosine, else the vector */
    int exponent;                       /* e and s, once settled */
    double coarse_scale;
    double largest_distance, largest_length; /* of the rows that were rounded, for the bound */
} assay_quantiser;

/* ASSAY_USAGE for a length that is not 1 to ASSAY_LENGTH_MAX. */
assay_status assay_quantiser_start(assay_comparator comparator, uint32_t length,
                                   assay_quantiser *out) ASSAY_MUST_CHECK;
/* ASSAY_USAGE, naming row, where x is not finite or all zero. */
assay_status assay_quantiser_measure(assay_quantiser *quantiser, uint64_t row,
                                     const float *x) ASSAY_MUST_CHECK;
/* Chooses the scales of what was measured. ASSAY_USAGE as assay_quantise. */
assay_status assay_quantiser_settle(assay_quantiser *quantiser) ASSAY_MUST_CHECK;
/* fine and coarse are [length]. */
assay_status assay_quantiser_round(assay_quantiser *quantiser, uint64_t row, const float *x,
                                   int32_t *fine, int16_t *coarse, int64_t *fine_norm,
                                   int32_t *coarse_norm) ASSAY_MUST_CHECK;
/* The bound of the rows that were rounded. */
double assay_quantiser_bound(const assay_quantiser *quantiser);

/* Room for count templates of a settled quantiser, with its scales; all zero. */
assay_status assay_quantised_allocate(const assay_quantiser *quantiser, uint64_t count,
                                      assay_quantised *out) ASSAY_MUST_CHECK;

/* vectors is [count][length], finite, no all-zero row (ASSAY_USAGE names the row otherwise).
 * ASSAY_USAGE too where the set's precision would be worse than 1e-3: a template whose rounding
 * error sqrt(length)/2 * 2^-e exceeds a thousandth of its own norm; and for a comparator of bit
 * strings. */
assay_status assay_quantise(assay_comparator comparator, uint64_t count, uint32_t length,
                            const float *vectors, assay_quantised *out) ASSAY_MUST_CHECK;
void assay_quantised_free(assay_quantised *set); /* takes a zeroed one */

/* Canonical scores of rows a and b: the definition, one multiplication at a time. */
int64_t assay_fine(const assay_quantised *set, uint64_t a, uint64_t b);
int32_t assay_coarse(const assay_quantised *set, uint64_t a, uint64_t b);
double assay_fine_to_score(const assay_quantised *set, int64_t fine);
double assay_coarse_to_score(const assay_quantised *set, int64_t coarse);
/* Smallest fine integer whose score is >= score. */
int64_t assay_score_to_fine(const assay_quantised *set, double score);
/* The bin rule of a comparator: ASSAY_COARSE_BINS bins over all its coarse integers. */
void assay_coarse_bins(assay_comparator comparator, int32_t *lowest, uint32_t *shift,
                       uint32_t *count);

#endif
