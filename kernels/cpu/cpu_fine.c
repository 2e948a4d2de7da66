/* cpu_fine -- fine scores of listed pairs, in vector code and on several threads. */
#include <pthread.h>
#include <stdbool.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/cpu_private.h"

/* Integers: the sum is the same whatever the order that the compiler's vector code takes. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static int64_t
fine_product(const int32_t *x, const int32_t *y, uint32_t length) {
    int64_t sum = 0;
    for (uint32_t k = 0; k < length; k++) sum += (int64_t)x[k] * y[k];
    return sum;
}

int64_t assay_cpu_fine(const assay_quantised *set, uint64_t a, uint64_t b) {
    const int64_t product = fine_product(set->fine + (size_t)a * set->length,
                                         set->fine + (size_t)b * set->length, set->length);
    if (set->comparator != ASSAY_EUCLIDEAN) return product;
    return 2 * product - set->fine_norm[a] - set->fine_norm[b];
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#endif
static int32_t
coarse_product(const int16_t *x, const int16_t *y, uint32_t length) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < length; k++) sum += (int32_t)x[k] * y[k];
    return sum;
}

int32_t assay_cpu_coarse(const assay_quantised *set, uint64_t a, uint64_t b) {
    const int32_t product = coarse_product(set->coarse + (size_t)a * set->length,
                                           set->coarse + (size_t)b * set->length, set->length);
    if (set->comparator != ASSAY_EUCLIDEAN) return product;
    return 2 * product - set->coarse_norm[a] - set->coarse_norm[b];
}

typedef struct {
    const assay_quantised *templates;
    const assay_place_pair *pairs;
    assay_scored_pair *out;
    uint64_t first, end;
    pthread_t thread;
    bool started;
} share;

static void *score_share(void *argument) {
    const share *self = argument;
    for (uint64_t n = self->first; n < self->end; n++) {
        const assay_place_pair pair = self->pairs[n];
        self->out[n] = (assay_scored_pair){.fine = assay_cpu_fine(self->templates, pair.a, pair.b),
                                           .coarse = assay_coarse(self->templates, pair.a, pair.b),
                                           .a = (uint32_t)pair.a,
                                           .b = (uint32_t)pair.b};
    }
    return NULL;
}

assay_status assay_cpu_score_pairs(const assay_quantised *templates, const assay_place_pair *pairs,
                                   uint64_t count, const assay_backend_options *options,
                                   assay_scored_pair *out) {
    const unsigned threads = options->threads > 0 ? options->threads : 1;
    share *shares = NULL;
    assay_status status = assay_allocate(&shares, threads, sizeof *shares, "threads");
    if (status != ASSAY_OK) return status;
    for (unsigned n = 0; n < threads; n++) {
        shares[n] = (share){.templates = templates,
                            .pairs = pairs,
                            .out = out,
                            .first = count / threads * n,
                            .end = n + 1 == threads ? count : count / threads * (n + 1)};
        /* The last share, and any that finds no thread, is done here. */
        if (n + 1 < threads && count >= 1024) {
            shares[n].started =
                pthread_create(&shares[n].thread, NULL, score_share, &shares[n]) == 0;
        }
        if (!shares[n].started) score_share(&shares[n]);
    }
    for (unsigned n = 0; n < threads; n++) {
        if (shares[n].started) pthread_join(shares[n].thread, NULL);
    }
    free(shares);
    return status;
}
