/* quantise -- the canonical scores (quantise.h). Built with -ffp-contract=off, so that a fused
 * multiplication cannot give one machine another integer. */
#include "kernels/quantise.h"

#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_X86 __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_X86
#endif

_Static_assert((ASSAY_LENGTH_MAX & (ASSAY_LENGTH_MAX - 1)) == 0, "bounds assume a power of two");

/* ---- the set's scales ---- */

static double row_norm(const float *row, uint32_t length) {
    double sum = 0;
    for (uint32_t k = 0; k < length; k++) sum += (double)row[k] * (double)row[k];
    return sqrt(sum);
}

assay_status assay_quantiser_start(assay_comparator comparator, uint32_t length,
                                   assay_quantiser *out) {
    if (comparator == ASSAY_HAMMING) {
        return assay_fail(ASSAY_USAGE, "comparator hamming compares bit strings; these templates "
                                       "are vectors");
    }
    if (length < 1 || length > ASSAY_LENGTH_MAX) {
        return assay_fail(ASSAY_USAGE, "templates have %u components; expected 1 to %u", length,
                          ASSAY_LENGTH_MAX);
    }
    *out = (assay_quantiser){.comparator = comparator, .length = length, .smallest_norm = INFINITY};
    return ASSAY_OK;
}

assay_status assay_quantiser_measure(assay_quantiser *quantiser, uint64_t row, const float *x) {
    const double norm = row_norm(x, quantiser->length);
    if (!isfinite(norm) || norm == 0) {
        return assay_fail(ASSAY_USAGE,
                          "template %llu is %s; expected a finite vector with a direction",
                          (unsigned long long)row, norm == 0 ? "all zero" : "not finite");
    }
    const double divisor = quantiser->comparator == ASSAY_COSINE ? norm : 1.0;
    double largest = quantiser->largest_component;
    for (uint32_t k = 0; k < quantiser->length; k++) {
        const double component = fabs((double)x[k]) / divisor;
        if (component > largest) largest = component;
    }
    quantiser->largest_component = largest;
    if (norm > quantiser->largest_norm) quantiser->largest_norm = norm;
    if (norm < quantiser->smallest_norm) quantiser->smallest_norm = norm;
    return ASSAY_OK;
}

/* The largest e with 2^e * norm <= 2^bits. */
static int exponent_for(double norm, int bits) {
    int power;
    const double fraction =
        frexp(norm, &power); /* norm = fraction * 2^power, 0.5 <= fraction < 1 */
    return bits - power + (fraction == 0.5 ? 1 : 0);
}

assay_status assay_quantiser_settle(assay_quantiser *quantiser) {
    assay_quantiser *met = quantiser;
    if (met->largest_norm == 0) { /* no rows: any scales will do */
        met->largest_norm = met->smallest_norm = met->largest_component = 1;
    }
    const double half_diagonal = sqrt((double)met->length) / 2;
    const double reach = 4096 - ceil(half_diagonal) - 1; /* |q| <= reach + half_diagonal < 4096 */
    if (met->comparator == ASSAY_COSINE) {
        met->exponent = 26;
        met->coarse_scale = reach;
        if (met->largest_component * reach > 2048) {
            met->coarse_scale = floor(2048 / met->largest_component);
        }
        return ASSAY_OK;
    }
    met->exponent = exponent_for(met->largest_norm, met->comparator == ASSAY_EUCLIDEAN ? 25 : 26);
    met->coarse_scale = reach / met->largest_norm;
    if (met->largest_component * met->coarse_scale > 2048) {
        met->coarse_scale = 2048 / met->largest_component;
    }
    const double rounding = ldexp(half_diagonal, -met->exponent) / met->smallest_norm;
    if (rounding > 1e-3) {
        return assay_fail(ASSAY_USAGE,
                          "templates differ too much in length for comparator %s: the shortest has "
                          "norm %.3g, the longest %.3g, so its rounding error would be %.2g of "
                          "itself; expected at most 0.001 (normalise the templates, or use cosine)",
                          assay_comparator_name(met->comparator), met->smallest_norm,
                          met->largest_norm, rounding);
    }
    return ASSAY_OK;
}

/* ---- rows ---- */

/* fine = rint(x / divisor * fine_scale), coarse likewise. Multiplying by a power of two is exact,
 * and no product is fused with anything: the same integers whatever the vector width. */
FOR_EACH_X86 static void round_row(const float *restrict x, uint32_t length, double divisor,
                                   double fine_scale, double coarse_scale, int32_t *restrict fine,
                                   int16_t *restrict coarse) {
    for (uint32_t k = 0; k < length; k++) {
        const double y = (double)x[k] / divisor;
        fine[k] = (int32_t)rint(y * fine_scale);
        coarse[k] = (int16_t)rint(y * coarse_scale);
    }
}

assay_status assay_quantiser_round(assay_quantiser *quantiser, uint64_t row, const float *x,
                                   int32_t *fine, int16_t *coarse, int64_t *out_fine_norm,
                                   int32_t *out_coarse_norm) {
    const assay_quantiser *set = quantiser;
    const uint32_t length = set->length;
    const double divisor = set->comparator == ASSAY_COSINE ? row_norm(x, length) : 1.0;
    const double fine_unit = ldexp(1.0, -set->exponent), coarse_unit = 1 / set->coarse_scale;
    double distance = 0, size = 0;
    int64_t fine_norm = 0, coarse_norm = 0;
    round_row(x, length, divisor, ldexp(1.0, set->exponent), set->coarse_scale, fine, coarse);
    for (uint32_t k = 0; k < length; k++) {
        const double rounded = coarse[k] * coarse_unit;
        const double off = fine[k] * fine_unit - rounded;
        fine_norm += (int64_t)fine[k] * fine[k];
        coarse_norm += (int64_t)coarse[k] * coarse[k];
        distance += off * off;
        size += rounded * rounded;
    }
    if (coarse_norm >= (int64_t)1 << 24) {
        return assay_fail(ASSAY_FAILED, "template %llu has a coarse norm of %lld; expected < 2^24",
                          (unsigned long long)row, (long long)coarse_norm);
    }
    /* How far the two roundings K 2^-e and q/s lie apart, and how long the coarse one is. */
    distance = sqrt(distance);
    size = sqrt(size);
    if (distance > quantiser->largest_distance) quantiser->largest_distance = distance;
    if (size > quantiser->largest_length) quantiser->largest_length = size;
    *out_fine_norm = fine_norm;
    *out_coarse_norm = (int32_t)coarse_norm;
    return ASSAY_OK;
}

/* The bound, after the fact: r = largest distance between the two roundings of a
 * template, n = largest coarse norm. Products differ by at most 2 n r + r^2; squared distances by
 * at most |d|(2|x| + |d|) with |d| <= 2 r and |x| <= 2 n. The factor covers the rounding of this
 * very sum. */
static double bound_of(assay_comparator comparator, double n, double r) {
    const double exact = comparator == ASSAY_EUCLIDEAN ? 8 * n * r + 4 * r * r : 2 * n * r + r * r;
    return exact * (1 + 1e-9);
}

double assay_quantiser_bound(const assay_quantiser *quantiser) {
    return bound_of(quantiser->comparator, quantiser->largest_length, quantiser->largest_distance);
}

assay_status assay_quantised_allocate(const assay_quantiser *quantiser, uint64_t count,
                                      assay_quantised *out) {
    assay_quantised set = {.count = count,
                           .length = quantiser->length,
                           .comparator = quantiser->comparator,
                           .exponent = quantiser->exponent,
                           .coarse_scale = quantiser->coarse_scale};
    size_t cells;
    if (!assay_multiply((size_t)count, set.length, &cells)) {
        return assay_fail(ASSAY_USAGE, "%llu templates of %u components are more than fit memory",
                          (unsigned long long)count, set.length);
    }
    assay_status status =
        assay_allocate_aligned(&set.fine, cells, sizeof *set.fine, "fine templates");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate_aligned(&set.coarse, cells, sizeof *set.coarse, "coarse templates");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.fine_norm, (size_t)count, sizeof *set.fine_norm, "norms");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.coarse_norm, (size_t)count, sizeof *set.coarse_norm, "norms");
    if (status != ASSAY_OK) goto out;
    *out = set;
    set = (assay_quantised){0};
out:
    assay_quantised_free(&set);
    return status;
}

assay_status assay_quantise(assay_comparator comparator, uint64_t count, uint32_t length,
                            const float *vectors, assay_quantised *out) {
    assay_quantiser quantiser;
    assay_quantised set = {0};
    assay_status status = assay_quantiser_start(comparator, length, &quantiser);
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; status == ASSAY_OK && row < count; row++) {
        status = assay_quantiser_measure(&quantiser, row, vectors + (size_t)row * length);
    }
    if (status == ASSAY_OK) status = assay_quantiser_settle(&quantiser);
    if (status == ASSAY_OK) status = assay_quantised_allocate(&quantiser, count, &set);
    for (uint64_t row = 0; status == ASSAY_OK && row < count; row++) {
        const size_t at = (size_t)row * length;
        status = assay_quantiser_round(&quantiser, row, vectors + at, set.fine + at,
                                       set.coarse + at, &set.fine_norm[row], &set.coarse_norm[row]);
    }
    if (status != ASSAY_OK) {
        assay_quantised_free(&set);
        return status;
    }
    set.bound = assay_quantiser_bound(&quantiser);
    *out = set;
    return ASSAY_OK;
}

void assay_quantised_free(assay_quantised *set) {
    if (set == NULL) return;
    free(set->fine);
    free(set->coarse);
    free(set->fine_norm);
    free(set->coarse_norm);
    *set = (assay_quantised){0};
}

/* ---- the definitions ---- */

int64_t assay_fine(const assay_quantised *set, uint64_t a, uint64_t b) {
    const int32_t *x = set->fine + (size_t)a * set->length;
    const int32_t *y = set->fine + (size_t)b * set->length;
    int64_t sum = 0;
    if (set->comparator == ASSAY_EUCLIDEAN) {
        for (uint32_t k = 0; k < set->length; k++) {
            const int64_t difference = (int64_t)x[k] - y[k];
            sum -= difference * difference;
        }
        return sum;
    }
    for (uint32_t k = 0; k < set->length; k++) sum += (int64_t)x[k] * y[k];
    return sum;
}

int32_t assay_coarse(const assay_quantised *set, uint64_t a, uint64_t b) {
    const int16_t *x = set->coarse + (size_t)a * set->length;
    const int16_t *y = set->coarse + (size_t)b * set->length;
    int32_t sum = 0;
    if (set->comparator == ASSAY_EUCLIDEAN) {
        for (uint32_t k = 0; k < set->length; k++) {
            const int32_t difference = (int32_t)x[k] - y[k];
            sum -= difference * difference;
        }
        return sum;
    }
    for (uint32_t k = 0; k < set->length; k++) sum += (int32_t)x[k] * y[k];
    return sum;
}

double assay_fine_to_score(const assay_quantised *set, int64_t fine) {
    return ldexp((double)fine, -2 * set->exponent);
}

double assay_coarse_to_score(const assay_quantised *set, int64_t coarse) {
    return (double)coarse / (set->coarse_scale * set->coarse_scale);
}

int64_t assay_score_to_fine(const assay_quantised *set, double score) {
    const double fine = ceil(ldexp(score, 2 * set->exponent));
    const double limit = ldexp(1.0, 54);
    if (fine > limit) return (int64_t)1 << 54;
    if (fine < -limit) return -((int64_t)1 << 54);
    return (int64_t)fine;
}

void assay_coarse_bins(assay_comparator comparator, int32_t *lowest, uint32_t *shift,
                       uint32_t *count) {
    *count = ASSAY_COARSE_BINS;
    if (comparator == ASSAY_EUCLIDEAN) {
        *lowest = -(1 << 26) + 1; /* -(|q_i| + |q_j|)^2 > -2^26 */
        *shift = 14;
    } else if (comparator == ASSAY_HAMMING) {
        *lowest = 0; /* up to 2^22, a score of 1 */
        *shift = 11;
    } else {
        *lowest = -(1 << 24);
        *shift = 13;
    }
}
