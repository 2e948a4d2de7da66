/* quantise -- the canonical scores (quantise.h). Built with -ffp-contract=off, so that a fused
 * multiplication cannot give one machine another integer. */
#include "kernels/quantise.h"

#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_X86 __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_X86
#endif

_Static_assert((ASSAY_LENGTH_MAX & (ASSAY_LENGTH_MAX - 1)) == 0, "bounds assume a power of two");

static const struct {
    const char *name;
    const char *purpose;
} comparators[ASSAY_COMPARATOR_COUNT] = {
#define COMPARATOR(enumerator, name, purpose) [enumerator] = {name, purpose},
#include "kernels/comparators.def"
#undef COMPARATOR
};

const char *assay_comparator_name(assay_comparator comparator) {
    return comparators[comparator].name;
}

const char *assay_comparator_purpose(assay_comparator comparator) {
    return comparators[comparator].purpose;
}

assay_status assay_comparator_parse(const char *name, assay_comparator *out) {
    const char *known[ASSAY_COMPARATOR_COUNT];
    for (int n = 0; n < ASSAY_COMPARATOR_COUNT; n++) {
        known[n] = comparators[n].name;
        if (strcmp(name, known[n]) == 0) {
            *out = (assay_comparator)n;
            return ASSAY_OK;
        }
    }
    char suggestion[256];
    return assay_fail(
        ASSAY_USAGE, "unknown comparator '%s'; %s", name,
        assay_suggest(suggestion, sizeof suggestion, name, known, ASSAY_COMPARATOR_COUNT));
}

/* ---- the set's scales ---- */

typedef struct {
    double largest_norm, smallest_norm; /* of the vectors as they came */
    double largest_component;           /* of y: the unit vector for cosine, else the vector */
} extremes;

static double row_norm(const float *row, uint32_t length) {
    double sum = 0;
    for (uint32_t k = 0; k < length; k++) sum += (double)row[k] * (double)row[k];
    return sqrt(sum);
}

static assay_status measure(assay_comparator comparator, uint64_t count, uint32_t length,
                            const float *vectors, extremes *out) {
    extremes met = {.largest_norm = 0, .smallest_norm = INFINITY, .largest_component = 0};
    for (uint64_t row = 0; row < count; row++) {
        const float *x = vectors + (size_t)row * length;
        const double norm = row_norm(x, length);
        if (!isfinite(norm) || norm == 0) {
            return assay_fail(ASSAY_USAGE,
                              "template %llu is %s; expected a finite vector with a direction",
                              (unsigned long long)row, norm == 0 ? "all zero" : "not finite");
        }
        const double divisor = comparator == ASSAY_COSINE ? norm : 1.0;
        for (uint32_t k = 0; k < length; k++) {
            const double component = fabs((double)x[k]) / divisor;
            if (component > met.largest_component) met.largest_component = component;
        }
        if (norm > met.largest_norm) met.largest_norm = norm;
        if (norm < met.smallest_norm) met.smallest_norm = norm;
    }
    *out = met;
    return ASSAY_OK;
}

/* The largest e with 2^e * norm <= 2^bits. */
static int exponent_for(double norm, int bits) {
    int power;
    const double fraction =
        frexp(norm, &power); /* norm = fraction * 2^power, 0.5 <= fraction < 1 */
    return bits - power + (fraction == 0.5 ? 1 : 0);
}

static assay_status choose_scales(const extremes *met, assay_quantised *set) {
    const double half_diagonal = sqrt((double)set->length) / 2;
    const double reach = 4096 - ceil(half_diagonal) - 1; /* |q| <= reach + half_diagonal < 4096 */
    if (set->comparator == ASSAY_COSINE) {
        set->exponent = 26;
        set->coarse_scale = reach;
        if (met->largest_component * reach > 2048) {
            set->coarse_scale = floor(2048 / met->largest_component);
        }
        return ASSAY_OK;
    }
    set->exponent = exponent_for(met->largest_norm, set->comparator == ASSAY_EUCLIDEAN ? 25 : 26);
    set->coarse_scale = reach / met->largest_norm;
    if (met->largest_component * set->coarse_scale > 2048) {
        set->coarse_scale = 2048 / met->largest_component;
    }
    const double rounding = ldexp(half_diagonal, -set->exponent) / met->smallest_norm;
    if (rounding > 1e-3) {
        return assay_fail(ASSAY_USAGE,
                          "templates differ too much in length for comparator %s: the shortest has "
                          "norm %.3g, the longest %.3g, so its rounding error would be %.2g of "
                          "itself; expected at most 0.001 (normalise the templates, or use cosine)",
                          assay_comparator_name(set->comparator), met->smallest_norm,
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

/* Fills row of set from x; *out_distance is |K 2^-e - q/s|, *out_length is |q/s|. */
static assay_status quantise_row(assay_quantised *set, uint64_t row, const float *x,
                                 double *out_distance, double *out_length) {
    const uint32_t length = set->length;
    int32_t *fine = set->fine + (size_t)row * length;
    int16_t *coarse = set->coarse + (size_t)row * length;
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
    set->fine_norm[row] = fine_norm;
    set->coarse_norm[row] = (int32_t)coarse_norm;
    *out_distance = sqrt(distance);
    *out_length = sqrt(size);
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

assay_status assay_quantise(assay_comparator comparator, uint64_t count, uint32_t length,
                            const float *vectors, assay_quantised *out) {
    assay_quantised set = {.count = count, .length = length, .comparator = comparator};
    assay_status status = ASSAY_OK;
    size_t cells;
    if (comparator == ASSAY_HAMMING) {
        return assay_fail(ASSAY_USAGE, "comparator hamming compares bit strings; these templates "
                                       "are vectors");
    }
    if (length < 1 || length > ASSAY_LENGTH_MAX) {
        return assay_fail(ASSAY_USAGE, "templates have %u components; expected 1 to %u", length,
                          ASSAY_LENGTH_MAX);
    }
    if (!assay_multiply((size_t)count, length, &cells)) {
        return assay_fail(ASSAY_USAGE, "%llu templates of %u components are more than fit memory",
                          (unsigned long long)count, length);
    }
    extremes met = {.largest_norm = 1, .smallest_norm = 1, .largest_component = 1};
    if (count > 0) {
        status = measure(comparator, count, length, vectors, &met);
        if (status != ASSAY_OK) goto out;
    }
    status = choose_scales(&met, &set);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate_aligned(&set.fine, cells, sizeof *set.fine, "fine templates");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate_aligned(&set.coarse, cells, sizeof *set.coarse, "coarse templates");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.fine_norm, (size_t)count, sizeof *set.fine_norm, "norms");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&set.coarse_norm, (size_t)count, sizeof *set.coarse_norm, "norms");
    if (status != ASSAY_OK) goto out;

    double largest_distance = 0, largest_length = 0;
    for (uint64_t row = 0; row < count; row++) {
        double distance = 0, size = 0;
        status = quantise_row(&set, row, vectors + (size_t)row * length, &distance, &size);
        if (status != ASSAY_OK) goto out;
        if (distance > largest_distance) largest_distance = distance;
        if (size > largest_length) largest_length = size;
    }
    set.bound = bound_of(comparator, largest_length, largest_distance);
    *out = set;
    set = (assay_quantised){0};
out:
    assay_quantised_free(&set);
    return status;
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
