/* fixtures_pairs -- sets of templates to compare with one another, and whether two tallies are the
 * same, for tests of backends. Included after cmocka.h. */
#ifndef ASSAY_TESTS_FIXTURES_PAIRS_H
#define ASSAY_TESTS_FIXTURES_PAIRS_H

#include <string.h>

#include "datasets/base/random.h"
#include "kernels/backend.h"

typedef struct {
    uint32_t count, length, groups, samples_per_subject;
    assay_comparator comparator;
    bool ties;       /* small integers as components: many equal scores */
    bool duplicates; /* every third vector repeats the one before */
    bool cross;      /* two sides */
    uint64_t tail_limit;
    int64_t required;
    assay_bins_mode bins;
} shape;

typedef struct {
    assay_quantised templates;
    uint32_t *subject, *group;
    uint8_t *side;
    assay_all_pairs plan;
} fixture;

static float *random_vectors(const shape *s, uint64_t seed) {
    float *vectors = calloc((size_t)s->count * s->length, sizeof *vectors);
    assay_random random;
    assay_random_start(&random, seed, 1);
    for (uint32_t n = 0; n < s->count; n++) {
        float *row = vectors + (size_t)n * s->length;
        if (s->duplicates && n % 3 == 2) {
            memcpy(row, row - s->length, s->length * sizeof *row);
            continue;
        }
        for (uint32_t k = 0; k < s->length; k++) {
            row[k] = s->ties ? (float)assay_random_below(&random, 3) - 1
                             : (float)assay_random_normal(&random);
        }
        if (s->ties) row[n % s->length] = 1; /* never all zero */
    }
    return vectors;
}

static void make(fixture *f, const shape *s, uint64_t seed) {
    float *vectors = random_vectors(s, seed);
    assert_int_equal(assay_quantise(s->comparator, s->count, s->length, vectors, &f->templates),
                     ASSAY_OK);
    free(vectors);
    f->subject = calloc(s->count, sizeof *f->subject);
    f->group = calloc(s->count, sizeof *f->group);
    f->side = calloc(s->count, 1);
    for (uint32_t n = 0; n < s->count; n++) {
        f->side[n] = s->cross ? (uint8_t)(1 + 2 * n / s->count) : 0;
        /* Sorted by group within a side; subjects recur in groups and sides. */
        const uint32_t within = s->cross ? n % ((s->count + 1) / 2) : n;
        const uint32_t of = s->cross ? (s->count + 1) / 2 : s->count;
        f->group[n] = (uint32_t)((uint64_t)within * s->groups / of);
        f->subject[n] = within / s->samples_per_subject;
    }
    f->plan = (assay_all_pairs){.templates = &f->templates,
                                .subject = f->subject,
                                .group = f->group,
                                .side = f->side,
                                .group_count = s->groups,
                                .tail_limit = s->tail_limit,
                                .required_fine = s->required,
                                .tail_cap = UINT64_C(1) << 26,
                                .bins_mode = s->bins,
                                .bins_fraction = 0.5,
                                .bins_seed = 7};
}

static void unmake(fixture *f) {
    assay_quantised_free(&f->templates);
    free(f->subject);
    free(f->group);
    free(f->side);
}

static void assert_same(const assay_tally *x, const assay_tally *y) {
    assert_int_equal(x->non_mated, y->non_mated);
    assert_int_equal(x->same_subject, y->same_subject);
    assert_int_equal(x->other_side, y->other_side);
    assert_int_equal(x->histogram_pairs, y->histogram_pairs);
    assert_int_equal(x->histogram_length, y->histogram_length);
    if (x->histogram_length > 0) {
        assert_memory_equal(x->histogram, y->histogram, x->histogram_length * sizeof(uint64_t));
    }
    assert_int_equal(x->tail_count, y->tail_count);
    assert_true(x->tail_floor == y->tail_floor);
    for (uint64_t n = 0; n < x->tail_count; n++) {
        assert_true(x->tail[n].fine == y->tail[n].fine);
        assert_int_equal(x->tail[n].coarse, y->tail[n].coarse);
        assert_int_equal(x->tail[n].a, y->tail[n].a);
        assert_int_equal(x->tail[n].b, y->tail[n].b);
    }
}

#endif
