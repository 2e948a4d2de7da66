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
/* ASSAY_USAGE, naming the known ones and the nearest. */
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
