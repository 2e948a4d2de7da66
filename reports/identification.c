/* identification -- one probe against a gallery of many (identification.h). */
#include "reports/identification.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"

/* ---- searches ---- */

bool assay_search_is_wrong(const assay_search *search, double threshold, uint64_t rank) {
    if (!search->mated) return search->best >= threshold;
    return !(search->mate >= threshold) || (rank && search->ahead >= rank);
}

static assay_status rate_of(const assay_search *searches, size_t count, bool mated,
                            double threshold, uint64_t rank, double alpha, assay_search_rate *out) {
    uint32_t galleries = 0;
    double *wrong = NULL, *all = NULL;
    for (size_t n = 0; n < count; ++n)
        if (searches[n].gallery >= galleries) galleries = searches[n].gallery + 1;
    assay_status status = assay_allocate(&wrong, galleries, sizeof *wrong, "galleries");
    if (status == ASSAY_OK) status = assay_allocate(&all, galleries, sizeof *all, "galleries");
    assay_search_rate made = {.interval = assay_interval_unknown("no such search was made")};
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        if (searches[n].mated != mated) continue;
        bool error = assay_search_is_wrong(&searches[n], threshold, rank);
        made.galleries += !(all[searches[n].gallery]++ > 0);
        wrong[searches[n].gallery] += error;
        made.rate.errors += error;
        ++made.rate.trials;
    }
    if (status == ASSAY_OK) {
        assay_clusters clusters = {.errors = wrong, .comparisons = all, .count = galleries};
        made.rate = assay_rate_of(made.rate.errors, made.rate.trials);
        if (made.rate.trials) made.interval = assay_clusters_interval(&clusters, alpha);
        *out = made;
    }
    free(wrong);
    free(all);
    return status;
}

assay_status assay_search_rates(const assay_search *searches, size_t count, double threshold,
                                uint64_t rank, double alpha, assay_search_rate *out_fpir,
                                assay_search_rate *out_fnir) {
    assay_status status = rate_of(searches, count, false, threshold, rank, alpha, out_fpir);
    if (status == ASSAY_OK)
        status = rate_of(searches, count, true, threshold, rank, alpha, out_fnir);
    return status;
}

double assay_search_recognition(const assay_search *searches, size_t count, uint64_t rank) {
    uint64_t found = 0, all = 0;
    for (size_t n = 0; n < count; ++n) {
        if (!searches[n].mated) continue;
        ++all;
        found += !isnan(searches[n].mate) && searches[n].ahead < rank;
    }
    return all ? (double)found / (double)all : (double)NAN;
}

/* ---- people who recur ---- */

typedef struct {
    uint64_t label;
    double residual;
} labelled;

static int by_label(const void *a, const void *b) {
    uint64_t x = ((const labelled *)a)->label, y = ((const labelled *)b)->label;
    return (x > y) - (x < y);
}

/* G / (G - 1) of the sum of squared sums by label, over count squared; sorts list. */
static double clustered(labelled *list, size_t count) {
    double squares = 0, sum = 0, groups = 0;
    qsort(list, count, sizeof *list, by_label);
    for (size_t n = 0; n < count; ++n) {
        sum += list[n].residual;
        if (n + 1 < count && list[n + 1].label == list[n].label) continue;
        squares += sum * sum;
        sum = 0;
        ++groups;
    }
    return squares / ((double)count * (double)count) * groups / (groups - 1);
}

assay_status assay_search_recurring(const uint8_t *wrong, const uint32_t *gallery,
                                    const uint32_t *subject, size_t count, double alpha,
                                    assay_interval *out) {
    labelled *list = NULL;
    double errors = 0, by[3];
    if (count < 2) {
        *out = assay_interval_unknown("fewer than two such searches were made");
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&list, count, sizeof *list, "searches");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < count; ++n) errors += wrong[n];
    double trials = (double)count, p = errors / trials;
    for (int way = 0; way < 3; ++way) {
        for (size_t n = 0; n < count; ++n)
            list[n] = (labelled){way == 0   ? gallery[n]
                                 : way == 1 ? subject[n]
                                            : (uint64_t)gallery[n] << 32 | subject[n],
                                 wrong[n] - p};
        by[way] = clustered(list, count);
    }
    free(list);
    assay_interval made = {
        .method = ASSAY_METHOD_SUBJECTS, .degrees = (double)INFINITY, .guaranteed = (double)NAN};
    made.variance = fmax(fmax(by[0] + by[1] - by[2], fmax(by[0], by[1])), p * (1 - p) / trials);
    made.effective = made.variance > 0 ? p * (1 - p) / made.variance : trials;
    made.design_effect = trials / made.effective;
    assay_clopper_pearson(p * made.effective, made.effective, alpha, &made.low, &made.high);
    *out = made;
    return ASSAY_OK;
}

/* ---- random galleries ---- */

/* Logarithm of C(N - d, n) / C(N, n), which n and d may change places in: the shorter product. */
static double log_none(uint64_t others, uint64_t degree, uint64_t n) {
    uint64_t few = degree < n ? degree : n, many = degree < n ? n : degree;
    double sum = 0;
    for (uint64_t k = 0; k < few; ++k) sum += log1p(-(double)many / (double)(others - k));
    return sum;
}

double assay_gallery_hit(uint64_t others, uint64_t degree, uint64_t n) {
    if (!degree || !n) return 0;
    return degree + n > others ? 1 : -expm1(log_none(others, degree, n));
}

static double log_choose(uint64_t n, uint64_t k) {
    uint64_t few = k < n - k ? k : n - k;
    double sum = 0;
    for (uint64_t m = 0; m < few; ++m) sum += log((double)(n - m) / (double)(m + 1));
    return sum;
}

/* Hypergeometric probabilities from the smallest count up: each from the one before, on logarithms,
 * since the first of them may be too small for a double. */
typedef struct {
    double others, degree, n; /* whole numbers */
    double count, log_p;
} hypergeometric;

static hypergeometric hypergeometric_start(uint64_t others, uint64_t degree, uint64_t n) {
    hypergeometric at = {(double)others, (double)degree, (double)n, 0, 0};
    if (degree + n > others) {
        uint64_t least = degree + n - others; /* everybody else is in the gallery */
        at.count = (double)least;
        at.log_p = log_choose(degree, least) - log_choose(others, n);
    } else {
        at.log_p = log_none(others, degree, n);
    }
    return at;
}

static void hypergeometric_next(hypergeometric *at) {
    double more = (at->degree - at->count) * (at->n - at->count);
    double fewer = (at->count + 1) * (at->others - at->degree - at->n + at->count + 1);
    at->log_p = more > 0 ? at->log_p + log(more / fewer) : -(double)INFINITY;
    ++at->count;
}

void assay_gallery_ranks(uint64_t others, uint64_t degree, uint64_t n, uint64_t rank_count,
                         double *out) {
    hypergeometric at = hypergeometric_start(others, degree, n);
    double fewer = 0;
    for (uint64_t rank = 0; rank < rank_count; ++rank) {
        if (at.count == (double)rank) {
            fewer += exp(at.log_p);
            hypergeometric_next(&at);
        }
        bool all = rank >= degree || rank >= n;
        out[rank] = all ? 1 : fmin(fewer, 1);
    }
}

double assay_gallery_hits(uint64_t others, uint64_t degree, uint64_t n, uint64_t rank) {
    if (!rank) return 1;
    if (rank > degree || rank > n) return 0;
    if (rank == 1) return assay_gallery_hit(others, degree, n);
    hypergeometric at = hypergeometric_start(others, degree, n);
    double fewer = 0;
    for (; at.count < (double)rank; hypergeometric_next(&at)) fewer += exp(at.log_p);
    return fmax(1 - fewer, 0);
}
