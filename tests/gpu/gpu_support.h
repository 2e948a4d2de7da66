/* gpu_support -- what the programs for a machine with a GPU share: the module, and sets to compare.
 */
#ifndef ASSAY_TESTS_GPU_GPU_SUPPORT_H
#define ASSAY_TESTS_GPU_GPU_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/random.h"
#include "kernels/cuda/cuda_private.h"

enum { GPU_SKIP = 77 };

/* The module of this build, and its devices; the exit status where there are none: 77, or 1 where
 * ASSAY_REQUIRE_GPU is set. */
static inline int gpu_open(const assay_cuda_table **out) {
    char path[4096], line[256];
    const char *build = getenv("ASSAY_BUILD");
    snprintf(path, sizeof path, "%s/assay-cuda.so", build != NULL ? build : ".");
    assay_status status = assay_cuda_open(path, out);
    if (status == ASSAY_OK) status = assay_cuda_describe(*out, line, sizeof line);
    if (status == ASSAY_OK) {
        fprintf(stderr, "%s\n", line);
        return 0;
    }
    fprintf(stderr, "skipped: %s\n", assay_error_text());
    return getenv("ASSAY_REQUIRE_GPU") != NULL ? 1 : GPU_SKIP;
}

typedef struct {
    uint32_t count, length, groups, samples_per_subject;
    assay_comparator comparator;
    bool ties, cross;
    uint64_t tail_limit;
    assay_bins_mode bins;
} gpu_shape;

typedef struct {
    assay_quantised templates;
    uint32_t *subject, *group;
    uint8_t *side;
    assay_all_pairs plan;
} gpu_set;

/* Components that are nearly normal and quickly made: sums of four bytes; or -1, 0 and 1. */
static inline float *gpu_vectors(const gpu_shape *s, uint64_t seed) {
    float *vectors = malloc((size_t)s->count * s->length * sizeof *vectors);
    assay_random random;
    assay_random_start(&random, seed, 1);
    for (size_t n = 0; vectors != NULL && n < (size_t)s->count * s->length; n++) {
        const uint32_t x = assay_random_u32(&random);
        vectors[n] = s->ties
                         ? (float)(x % 3) - 1
                         : (float)((x & 255) + (x >> 8 & 255) + (x >> 16 & 255) + (x >> 24)) - 510;
        if (s->ties && n % s->length == n / s->length % s->length) vectors[n] = 1;
    }
    return vectors;
}

static inline void gpu_set_free(gpu_set *set) {
    assay_quantised_free(&set->templates);
    free(set->subject);
    free(set->group);
    free(set->side);
}

static inline bool gpu_set_make(const gpu_shape *s, uint64_t seed, gpu_set *out) {
    float *vectors = gpu_vectors(s, seed);
    memset(out, 0, sizeof *out);
    out->subject = calloc(s->count, sizeof *out->subject);
    out->group = calloc(s->count, sizeof *out->group);
    out->side = calloc(s->count, 1);
    if (vectors == NULL || out->subject == NULL || out->group == NULL || out->side == NULL ||
        assay_quantise(s->comparator, s->count, s->length, vectors, &out->templates) != ASSAY_OK) {
        fprintf(stderr, "no set of %u templates of %u: %s\n", s->count, s->length,
                assay_error_text());
        free(vectors);
        gpu_set_free(out);
        return false;
    }
    free(vectors);
    for (uint32_t n = 0; n < s->count; n++) {
        const uint32_t of = s->cross ? (s->count + 1) / 2 : s->count;
        const uint32_t within = s->cross ? n % of : n;
        out->side[n] = s->cross ? (uint8_t)(1 + n / of) : 0;
        out->group[n] = (uint32_t)((uint64_t)within * s->groups / of);
        out->subject[n] = within / s->samples_per_subject;
    }
    out->plan = (assay_all_pairs){.templates = &out->templates,
                                  .subject = out->subject,
                                  .group = out->group,
                                  .side = out->side,
                                  .group_count = s->groups,
                                  .tail_limit = s->tail_limit,
                                  .required_fine = INT64_MAX,
                                  .tail_cap = UINT64_C(1) << 31,
                                  .bins_mode = s->bins,
                                  .bins_fraction = 0.5,
                                  .bins_seed = seed};
    return true;
}

#endif
