/* test_hamming -- binary templates: the definition gives what is worked out by hand, and every path
 * of this machine gives what the definition gives, bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/base/random.h"
#include "kernels/cpu/hamming_private.h"

/* ---- by hand ---- */

static assay_hamming_set make_set(assay_hamming_rule rule, uint64_t count, const uint8_t *codes,
                                  const uint8_t *masks) {
    assay_hamming_set set = {0};
    const assay_status status = assay_hamming_set_create(&rule, count, codes, masks, &set);
    if (status != ASSAY_OK) fail_msg("%s", assay_error_text());
    return set;
}

static void assert_score(assay_hamming_score score, uint32_t agreeing, uint32_t valid,
                         int32_t shift) {
    assert_int_equal(score.agreeing, agreeing);
    assert_int_equal(score.valid, valid);
    assert_int_equal(score.shift, shift);
}

/* What every path says of one pair, after the definition said the same. */
static assay_hamming_score score_everywhere(const assay_hamming_set *set, uint64_t a, uint64_t b) {
    const assay_hamming_score expected = assay_hamming_compare(set, a, b);
    const assay_place_pair pair = {a, b};
    const assay_hamming_path *path;
    for (unsigned n = 0; (path = assay_hamming_path_at(n)) != NULL; n++) {
        if (!path->supported()) continue;
        assay_hamming_score score;
        assert_int_equal(assay_hamming_score_pairs_on(path, set, &pair, 1, 1, &score), ASSAY_OK);
        assert_score(score, expected.agreeing, expected.valid, expected.shift);
        assert_true(score.fine == expected.fine && score.coarse == expected.coarse);
    }
    return expected;
}

static void bits_that_are_valid_in_both_are_compared(void **state) {
    (void)state;
    /* Valid in both: bits 2 … 5; of those codes differ in bit 3 only. */
    const uint8_t codes[] = {0x0f, 0xc7}, masks[] = {0x3f, 0xfc};
    assay_hamming_set set = make_set((assay_hamming_rule){8, 1, 1, 0, 1}, 2, codes, masks);
    const assay_hamming_score score = score_everywhere(&set, 0, 1);
    assert_score(score, 3, 4, 0);
    assert_true(score.fine == INT64_C(3) << 50);
    assert_int_equal(score.coarse, 3 << 20);
    assay_hamming_set_free(&set);
}

static void a_shift_moves_columns_up_and_around_within_their_row(void **state) {
    (void)state;
    /* Two rows of eight. Row 0 of b must go up by 2, bit 7 to bit 1; row 1 likewise: 0x80 to 0x02.
     * Around the whole template it would be another bit. */
    const uint8_t codes[] = {0x06, 0x02, 0x81, 0x80};
    assay_hamming_set set = make_set((assay_hamming_rule){16, 2, 2, 1, 16}, 2, codes, NULL);
    assert_score(score_everywhere(&set, 0, 1), 16, 16, 1);
    assert_score(score_everywhere(&set, 1, 0), 16, 16, -1);
    assay_hamming_set_free(&set);
}

static void a_shift_moves_the_mask_with_the_code(void **state) {
    (void)state;
    /* As they lie nothing is valid in both; four columns up or down all of both masks is. */
    const uint8_t codes[] = {0xff, 0xff}, masks[] = {0xf0, 0x0f};
    assay_hamming_set set = make_set((assay_hamming_rule){8, 1, 4, 0, 1}, 2, codes, masks);
    assert_int_equal(score_everywhere(&set, 0, 1).valid, 0);
    set.rule.shifts = 1;
    assert_score(score_everywhere(&set, 0, 1), 4, 4, -1);
    assay_hamming_set_free(&set);
}

static void of_equal_shifts_the_nearest_and_then_the_negative_is_reported(void **state) {
    (void)state;
    /* All bits alike: every shift gives 1. */
    const uint8_t flat[] = {0xff, 0xff};
    assay_hamming_set set = make_set((assay_hamming_rule){8, 1, 1, 3, 1}, 2, flat, NULL);
    assert_score(score_everywhere(&set, 0, 1), 8, 8, 0);
    assay_hamming_set_free(&set);
    /* Alternating bits against their opposites: 0 as they lie, 1 at any odd shift. */
    const uint8_t opposite[] = {0x55, 0xaa};
    set = make_set((assay_hamming_rule){8, 1, 1, 3, 1}, 2, opposite, NULL);
    assert_score(score_everywhere(&set, 0, 1), 8, 8, -1);
    assay_hamming_set_free(&set);
}

static void a_shift_with_too_few_valid_bits_says_nothing(void **state) {
    (void)state;
    /* As they lie 2 of 4 valid bits agree. Three up b's mask is 0x7c: 2 of 2; down 0xf1: 0 of 1. */
    const uint8_t codes[] = {0x03, 0x00}, masks[] = {0x0f, 0x8f};
    for (uint32_t minimum = 1; minimum <= 6; minimum++) {
        assay_hamming_set set =
            make_set((assay_hamming_rule){8, 1, 3, 1, minimum}, 2, codes, masks);
        const assay_hamming_score score = score_everywhere(&set, 0, 1);
        if (minimum <= 2) {
            assert_score(score, 2, 2, 1);
        } else if (minimum <= 4) {
            assert_score(score, 2, 4, 0);
        } else {
            assert_score(score, 0, 0, 0);
            assert_true(score.fine == 0 && score.coarse == 0);
        }
        assay_hamming_set_free(&set);
    }
}

/* ---- the integers ---- */

static void fine_scores_are_the_nearest_integers(void **state) {
    (void)state;
    assert_true(assay_hamming_fine(0, 7) == 0);
    assert_true(assay_hamming_fine(7, 7) == INT64_C(1) << 52);
    assert_true(assay_hamming_fine(1, 3) == INT64_C(1501199875790165)); /* …165.33 */
    assert_true(assay_hamming_fine(2, 3) == INT64_C(3002399751580331)); /* …330.67 */
    assert_int_equal(assay_hamming_coarse(1, 3), 1398101);              /* 1398101.33 */
    assay_random random;
    assay_random_start(&random, 1, 1);
    for (int n = 0; n < 100000; n++) {
        const uint32_t valid = 1 + assay_random_below(&random, ASSAY_HAMMING_BITS_MAX);
        const uint32_t agreeing = assay_random_below(&random, valid + 1);
        /* |fine * valid - 2^52 agreeing| <= valid / 2, modulo 2^64: the difference is small. */
        const int64_t off = (int64_t)((uint64_t)assay_hamming_fine(agreeing, valid) * valid -
                                      ((uint64_t)agreeing << 52));
        assert_true(2 * llabs(off) <= valid);
        const int64_t coarse_off =
            (int64_t)assay_hamming_coarse(agreeing, valid) * valid - ((int64_t)agreeing << 22);
        assert_true(2 * llabs(coarse_off) <= valid);
    }
}

static void fine_scores_tie_where_fractions_do_and_only_there(void **state) {
    (void)state;
    const uint32_t most = ASSAY_HAMMING_BITS_MAX;
    /* The nearest two fractions with such denominators. */
    assert_true(assay_hamming_fine(most - 1, most) > assay_hamming_fine(most - 2, most - 1));
    assert_true(assay_hamming_fine(most / 2, most) == assay_hamming_fine(1, 2));
    for (uint32_t n = 1; n <= 60; n++) {
        for (uint32_t x = 0; x <= n; x++) {
            for (uint32_t m = 1; m <= 60; m++) {
                const uint32_t y = m / 2;
                const int64_t left = assay_hamming_fine(x, n), right = assay_hamming_fine(y, m);
                assert_int_equal((left > right) - (left < right),
                                 (x * m > y * n) - (x * m < y * n));
            }
        }
    }
}

static void grade_one(const assay_hamming_path *path, uint32_t agreeing, uint32_t valid) {
    static assay_hamming_grading row;
    static int32_t x[ASSAY_TILE_EDGE], n[ASSAY_TILE_EDGE];
    static uint32_t subjects[ASSAY_TILE_EDGE];
    for (uint32_t k = 0; k < ASSAY_TILE_EDGE; k++) {
        n[k] = (int32_t)valid;
        x[k] = (int32_t)(agreeing >= k ? agreeing - k : agreeing);
    }
    row.agreeing = x;
    row.valid = n;
    row.subjects = subjects;
    row.subject = 1;
    row.edge = 0.5;
    path->grade(&row);
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(ASSAY_HAMMING, &lowest, &shift, &bins);
    for (uint32_t k = 0; k < ASSAY_TILE_EDGE; k++) {
        const int32_t coarse = assay_hamming_coarse((uint32_t)x[k], valid);
        assert_int_equal(row.bins[k], (uint32_t)(coarse - lowest) >> shift);
        assert_int_equal(row.marks[k], 2 * (uint32_t)x[k] >= valid);
    }
}

static void every_path_bins_as_the_coarse_integer_does(void **state) {
    (void)state;
    const assay_hamming_path *path;
    for (unsigned p = 0; (path = assay_hamming_path_at(p)) != NULL; p++) {
        if (!path->supported()) continue;
        for (uint32_t valid = 1; valid <= 600; valid++) {
            for (uint32_t from = 0; from <= valid; from += 256) {
                grade_one(path, from + 256 <= valid ? from + 256 : valid, valid);
            }
        }
        assay_random random;
        assay_random_start(&random, 2, p);
        for (int n = 0; n < 3000; n++) {
            const uint32_t valid = 1 + assay_random_below(&random, ASSAY_HAMMING_BITS_MAX);
            grade_one(path, assay_random_below(&random, valid + 1), valid);
            /* Multiples of 1/2048 and their neighbours: the edges of bins. */
            const uint32_t edge = valid / 2048 * assay_random_below(&random, 2049);
            grade_one(path, edge < valid ? edge + 1 : edge, valid / 2048 * 2048 + 1);
            grade_one(path, assay_random_below(&random, 2049) << 9, ASSAY_HAMMING_BITS_MAX);
        }
    }
}

/* ---- sets to compare ---- */

typedef enum { MASK_FULL, MASK_MOST, MASK_SPARSE, MASK_SOME_EMPTY, MASK_EMPTY } mask_kind;

typedef struct {
    uint32_t count;
    assay_hamming_rule rule;
    mask_kind mask;
    bool ties;       /* a quarter of the code's bytes is drawn, the rest the same for all */
    bool duplicates; /* every third template repeats the one before, one shift up */
    uint32_t groups, samples_per_subject;
    bool cross; /* two sides */
    uint64_t tail_limit;
    int64_t required;
    assay_bins_mode bins;
} shape;

typedef struct {
    assay_hamming_set set;
    uint32_t *subject, *group;
    uint8_t *side;
    assay_all_pairs plan;
} fixture;

static uint8_t draw_mask(assay_random *random, mask_kind kind, uint32_t template_number) {
    const uint8_t one = (uint8_t)assay_random_below(random, 256);
    const uint8_t two = (uint8_t)assay_random_below(random, 256);
    switch (kind) {
    case MASK_FULL:
        return 0xff;
    case MASK_MOST:
        return one | two;
    case MASK_SPARSE:
        return one & two;
    case MASK_SOME_EMPTY:
        return template_number % 5 == 1 ? 0 : one | two;
    case MASK_EMPTY:
        break;
    }
    return 0;
}

static void make_templates(fixture *f, const shape *s, uint64_t seed) {
    const uint32_t bytes = s->rule.bits / 8;
    uint8_t *codes = calloc(s->count, bytes), *masks = calloc(s->count, bytes);
    assay_random random;
    assay_random_start(&random, seed, 3);
    for (uint32_t n = 0; n < s->count; n++) {
        for (uint32_t k = 0; k < bytes; k++) {
            const uint8_t drawn = (uint8_t)assay_random_below(&random, 256);
            codes[(size_t)n * bytes + k] = s->ties && k % 4 != 0 ? 0x5a : drawn;
            masks[(size_t)n * bytes + k] = draw_mask(&random, s->mask, n);
        }
    }
    f->set = make_set(s->rule, s->count, codes, s->mask == MASK_FULL ? NULL : masks);
    for (uint32_t n = 2; s->duplicates && n < s->count; n += 3) {
        assay_hamming_word *to = f->set.words + (size_t)n * f->set.word_count;
        assay_hamming_rotate(&s->rule, to - f->set.word_count, s->rule.shifts > 0, to);
    }
    free(codes);
    free(masks);
}

static void make(fixture *f, const shape *s, uint64_t seed) {
    make_templates(f, s, seed);
    f->subject = calloc(s->count, sizeof *f->subject);
    f->group = calloc(s->count, sizeof *f->group);
    f->side = calloc(s->count, 1);
    for (uint32_t n = 0; n < s->count; n++) {
        f->side[n] = s->cross ? (uint8_t)(1 + 2 * n / s->count) : 0;
        /* Sorted by group within a side; subjects recur in groups and sides. */
        const uint32_t of = s->cross ? (s->count + 1) / 2 : s->count;
        f->group[n] = (uint32_t)((uint64_t)(n % of) * s->groups / of);
        f->subject[n] = n % of / s->samples_per_subject;
    }
    f->plan = (assay_all_pairs){.bits = &f->set,
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
    assay_hamming_set_free(&f->set);
    free(f->subject);
    free(f->group);
    free(f->side);
}

/* By path, or by the definition where it is NULL. */
static assay_tally run(const assay_hamming_path *path, const fixture *f, uint64_t first,
                       uint64_t end, unsigned threads, int64_t known_floor) {
    const assay_backend_options options = {.threads = threads, .known_floor = known_floor};
    assay_tally got = {0};
    const assay_status status =
        path == NULL ? assay_hamming_reference(&f->plan, first, end, &options, &got)
                     : assay_hamming_all_pairs_on(path, &f->plan, first, end, &options, &got);
    if (status != ASSAY_OK) fail_msg("%s", assay_error_text());
    return got;
}

static assay_tally run_all(const assay_hamming_path *path, const fixture *f, unsigned threads) {
    return run(path, f, 0, assay_tile_count(f->set.count), threads, INT64_MIN);
}

static void assert_same(const assay_tally *x, const assay_tally *y) {
    assert_int_equal(x->failed_count, y->failed_count);
    for (uint64_t n = 0; n < x->failed_count; n++) {
        assert_int_equal(x->failed[n].a, y->failed[n].a);
        assert_int_equal(x->failed[n].b, y->failed[n].b);
    }
    assert_int_equal(x->non_mated, y->non_mated);
    assert_int_equal(x->same_subject, y->same_subject);
    assert_int_equal(x->other_side, y->other_side);
    assert_int_equal(x->histogram_pairs, y->histogram_pairs);
    assert_int_equal(x->histogram_length, y->histogram_length);
    assert_memory_equal(x->histogram, y->histogram, x->histogram_length * sizeof *x->histogram);
    assert_int_equal(x->tail_count, y->tail_count);
    assert_true(x->tail_floor == y->tail_floor);
    for (uint64_t n = 0; n < x->tail_count; n++) {
        assert_true(x->tail[n].fine == y->tail[n].fine);
        assert_int_equal(x->tail[n].coarse, y->tail[n].coarse);
        assert_int_equal(x->tail[n].a, y->tail[n].a);
        assert_int_equal(x->tail[n].b, y->tail[n].b);
    }
}

#define NONE INT64_MAX
static const shape shapes[] = {
    /* count, {bits, rows, shift bits, shifts, minimum}, mask, ties, duplicates, groups, samples,
       cross, tail, required, bins */
    {2, {8, 1, 1, 0, 1}, MASK_FULL, false, false, 1, 1, false, 10, NONE, ASSAY_BINS_FULL},
    {3, {64, 1, 1, 16, 64}, MASK_FULL, false, true, 1, 1, false, 10, NONE, ASSAY_BINS_FULL},
    {9, {64, 64, 1, 1, 1}, MASK_MOST, false, false, 2, 2, false, 10, NONE, ASSAY_BINS_FULL},
    {40, {72, 9, 3, 2, 20}, MASK_MOST, true, true, 3, 2, false, 50, NONE, ASSAY_BINS_FULL},
    {60, {120, 5, 1, 5, 40}, MASK_MOST, false, true, 3, 3, true, 100, NONE, ASSAY_BINS_FULL},
    {33, {960, 2, 7, 4, 100}, MASK_SPARSE, false, true, 2, 3, false, 99, NONE, ASSAY_BINS_FULL},
    {25, {4096, 64, 1, 16, 500}, MASK_MOST, false, true, 1, 2, false, 9, NONE, ASSAY_BINS_FULL},
    {30, {2048, 8, 1, 8, 1100}, MASK_MOST, false, true, 1, 2, false, 9, NONE, ASSAY_BINS_FULL},
    {50, {512, 4, 8, 3, 30}, MASK_SPARSE, false, false, 2, 2, false, 80, NONE, ASSAY_BINS_SAMPLE},
    {70, {64, 1, 1, 1, 16}, MASK_SOME_EMPTY, true, false, 4, 3, true, 90, NONE, ASSAY_BINS_FULL},
    {50, {256, 1, 1, 2, 1}, MASK_EMPTY, false, false, 2, 2, false, 90, NONE, ASSAY_BINS_FULL},
    {600, {64, 2, 1, 0, 20}, MASK_MOST, true, true, 3, 2, false, 900, NONE, ASSAY_BINS_FULL},
    {700, {128, 4, 1, 1, 70}, MASK_MOST, false, true, 5, 3, false, 2000, NONE, ASSAY_BINS_SAMPLE},
    {1030, {64, 8, 1, 0, 30}, MASK_SOME_EMPTY, false, true, 2, 4, true, 700, NONE, ASSAY_BINS_FULL},
    {520, {64, 1, 1, 0, 1}, MASK_FULL, false, false, 1, 1, false, 0, NONE, ASSAY_BINS_NONE},
    {530, {96, 3, 1, 0, 1}, MASK_MOST, true, false, 2, 2, false, 100000000, NONE, ASSAY_BINS_FULL},
    {600,
     {64, 1, 1, 0, 1},
     MASK_FULL,
     false,
     false,
     2,
     2,
     false,
     10,
     INT64_C(5) << 49,
     ASSAY_BINS_FULL},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* ---- every path against the definition ---- */

static void the_definition_counts_every_pair_once(void **state) {
    (void)state;
    for (size_t n = 0; n < SHAPES; n++) {
        fixture f;
        make(&f, &shapes[n], 100 + n);
        assay_tally got = run_all(NULL, &f, 1);
        const uint64_t count = shapes[n].count;
        assert_int_equal(got.non_mated + got.failed_count + got.same_subject + got.other_side,
                         count * (count - 1) / 2);
        uint64_t binned = 0;
        for (uint64_t k = 0; k < got.histogram_length; k++) binned += got.histogram[k];
        assert_int_equal(binned, got.histogram_pairs);
        if (shapes[n].bins == ASSAY_BINS_FULL) assert_int_equal(binned, got.non_mated);
        if (shapes[n].mask == MASK_EMPTY) assert_int_equal(got.non_mated, 0);
        if (shapes[n].mask == MASK_FULL) assert_int_equal(got.failed_count, 0);
        assay_tally_free(&got);
        unmake(&f);
    }
}

static void every_path_gives_the_tally_of_the_definition(void **state) {
    (void)state;
    static const unsigned threads[] = {1, 2, 7};
    for (size_t n = 0; n < SHAPES; n++) {
        fixture f;
        make(&f, &shapes[n], 100 + n);
        assay_tally expected = run_all(NULL, &f, 1);
        const assay_hamming_path *path;
        for (unsigned p = 0; (path = assay_hamming_path_at(p)) != NULL; p++) {
            if (!path->supported()) continue;
            for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
                assay_tally got = run_all(path, &f, threads[t]);
                assert_same(&got, &expected);
                assay_tally_free(&got);
            }
        }
        assay_tally_free(&expected);
        unmake(&f);
    }
}

static void every_path_scores_listed_pairs_as_the_definition(void **state) {
    (void)state;
    enum { PAIRS = 600 };
    for (size_t n = 1; n < SHAPES; n++) {
        fixture f;
        make(&f, &shapes[n], 200 + n);
        static assay_place_pair pairs[PAIRS];
        static assay_hamming_score expected[PAIRS], got[PAIRS];
        const uint64_t count = shapes[n].rule.bits * shapes[n].rule.shifts > 4096 ? 60 : PAIRS;
        assay_random random;
        assay_random_start(&random, n, 4);
        for (uint64_t k = 0; k < count; k++) {
            pairs[k].a = assay_random_below(&random, shapes[n].count);
            pairs[k].b = assay_random_below(&random, shapes[n].count);
            expected[k] = assay_hamming_compare(&f.set, pairs[k].a, pairs[k].b);
        }
        const assay_hamming_path *path;
        for (unsigned p = 0; (path = assay_hamming_path_at(p)) != NULL; p++) {
            if (!path->supported()) continue;
            for (unsigned threads = 1; threads <= 7; threads += 3) {
                memset(got, 0xff, sizeof got);
                assert_int_equal(
                    assay_hamming_score_pairs_on(path, &f.set, pairs, count, threads, got),
                    ASSAY_OK);
                assert_memory_equal(got, expected, count * sizeof *got);
            }
        }
        unmake(&f);
    }
}

static const shape several_tiles = {
    1100, {1024, 8, 1, 3, 560}, MASK_MOST, false, true, 3, 4, false, 3000, NONE, ASSAY_BINS_FULL};

static void all_paths_agree_on_a_set_of_several_tiles_and_shifts(void **state) {
    (void)state;
    fixture f;
    make(&f, &several_tiles, 11);
    assay_tally expected = run_all(&assay_hamming_path_portable, &f, 2);
    assert_true(expected.failed_count > 0 && expected.non_mated > expected.failed_count);
    assert_true(expected.tail_count > 2900);
    const assay_hamming_path *path;
    for (unsigned p = 0; (path = assay_hamming_path_at(p)) != NULL; p++) {
        if (!path->supported()) {
            print_message("path %s: this machine does not support it\n", path->name);
            continue;
        }
        assay_tally got = run_all(path, &f, 2);
        assert_same(&got, &expected);
        assay_tally_free(&got);
    }
    assay_tally_free(&expected);
    unmake(&f);
}

static void a_floor_told_beforehand_leaves_the_tail_as_it_is(void **state) {
    (void)state;
    fixture f;
    make(&f, &several_tiles, 14);
    assay_tally whole = run_all(&assay_hamming_path_portable, &f, 2);
    const assay_hamming_path *path;
    for (unsigned p = 0; (path = assay_hamming_path_at(p)) != NULL; p++) {
        if (!path->supported()) continue;
        assay_tally got = run(path, &f, 0, assay_tile_count(f.set.count), 2, whole.tail_floor);
        assert_same(&got, &whole);
        assert_true(got.rescored < 2 * whole.tail_count);
        assay_tally_free(&got);
    }
    assay_tally_free(&whole);
    unmake(&f);
}

static void scores_do_not_depend_on_the_order_of_a_pair(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[5], 12);
    for (uint64_t a = 0; a < shapes[5].count; a++) {
        const uint64_t b = (a * 7 + 3) % shapes[5].count;
        const assay_hamming_score x = assay_hamming_compare(&f.set, a, b);
        const assay_hamming_score y = assay_hamming_compare(&f.set, b, a);
        assert_true(x.fine == y.fine && x.coarse == y.coarse);
    }
    unmake(&f);
}

static void ranges_of_tiles_merge_to_the_whole_and_count_each_failure_once(void **state) {
    (void)state;
    for (size_t n = 11; n < SHAPES; n++) {
        fixture f;
        make(&f, &shapes[n], 300 + n);
        assay_tally whole = run_all(NULL, &f, 1);
        for (int tell_floor = 0; tell_floor < 2; tell_floor++) {
            assay_tally merged = {.tail_floor = INT64_MIN,
                                  .histogram_length = whole.histogram_length};
            merged.histogram = calloc(whole.histogram_length + 1, sizeof(uint64_t));
            for (uint64_t tile = assay_tile_count(f.set.count); tile-- > 0;) {
                const int64_t floor = tell_floor ? merged.tail_floor : INT64_MIN;
                assay_tally part = run(assay_hamming_path_best(), &f, tile, tile + 1, 2, floor);
                assert_int_equal(assay_tally_merge(&f.plan, &merged, &part), ASSAY_OK);
                assay_tally_free(&part);
            }
            assert_same(&merged, &whole);
            assay_tally_free(&merged);
        }
        assay_tally_free(&whole);
        unmake(&f);
    }
}

static void failed_comparisons_are_those_with_too_few_valid_bits(void **state) {
    (void)state;
    /* Templates 1, 6, 11, … are valid nowhere: every pair with one of them fails, no other. */
    const shape s = {600,  {64, 1, 1, 2, 1}, MASK_SOME_EMPTY, false, false, 1, 1, false, 10,
                     NONE, ASSAY_BINS_FULL};
    fixture f;
    make(&f, &s, 13);
    const uint64_t empty = 120, rest = 480;
    assay_tally got = run_all(assay_hamming_path_best(), &f, 2);
    assert_int_equal(got.failed_count, empty * (empty - 1) / 2 + empty * rest);
    assert_int_equal(got.non_mated, rest * (rest - 1) / 2);
    assert_int_equal(got.histogram_pairs, rest * (rest - 1) / 2);
    assay_tally_free(&got);
    unmake(&f);
}

/* ---- requests ---- */

static void a_rule_out_of_its_range_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        assay_hamming_rule rule;
        const char *named;
    } wrong[] = {
        {{12, 1, 1, 0, 1}, "number of bits is 12"},
        {{0, 1, 1, 0, 1}, "number of bits is 0"},
        {{(1u << 20) + 8, 1, 1, 0, 1}, "number of bits is 1048584"},
        {{64, 0, 1, 0, 1}, "rows is 0"},
        {{64, 3, 1, 0, 1}, "rows is 3"},
        {{64, 8, 9, 1, 1}, "bits of a shift is 9"},
        {{64, 8, 0, 1, 1}, "bits of a shift is 0"},
        {{64, 8, 1, 65, 1}, "shifts either way is 65"},
        {{64, 8, 1, 1, 0}, "valid bits is 0"},
        {{64, 8, 1, 1, 65}, "valid bits is 65"},
    };
    const uint8_t code[8] = {0};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        assay_hamming_set set = {0};
        assert_int_equal(assay_hamming_set_create(&wrong[n].rule, 1, code, NULL, &set),
                         ASSAY_USAGE);
        assert_non_null(strstr(assay_error_text(), wrong[n].named));
        assert_null(set.words);
    }
    assay_hamming_set none = make_set((assay_hamming_rule){64, 8, 1, 1, 64}, 0, code, NULL);
    assay_hamming_set_free(&none);
    assay_hamming_set_free(&none);
}

static void a_cap_refuses_a_threshold_that_keeps_too_much(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[11], 5);
    f.plan.required_fine = 0;
    f.plan.tail_cap = 1000;
    const assay_backend_options options = {.threads = 2, .known_floor = INT64_MIN};
    assay_tally got = {0};
    assert_int_equal(
        assay_hamming_all_pairs(&f.plan, 0, assay_tile_count(f.set.count), &options, &got),
        ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "1000"));
    unmake(&f);
}

static void more_failed_pairs_than_the_cap_are_refused(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[10], 5);
    f.plan.tail_cap = 1000; /* of 1,200 pairs of different subjects, all of which fail */
    const assay_backend_options options = {.threads = 2, .known_floor = INT64_MIN};
    assay_tally got = {0};
    assert_int_equal(assay_hamming_all_pairs(&f.plan, 0, 1, &options, &got), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "valid bits"));
    assert_int_equal(assay_hamming_reference(&f.plan, 0, 1, &options, &got), ASSAY_USAGE);
    f.plan.tail_cap = 1200;
    assert_int_equal(assay_hamming_all_pairs(&f.plan, 0, 1, &options, &got), ASSAY_OK);
    assert_int_equal(got.failed_count, 1200);
    assay_tally_free(&got);
    unmake(&f);
}

static void places_are_scored_as_backends_hand_them_out(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[9], 6);
    const assay_place_pair pairs[] = {{0, 1}, {2, 3}, {6, 7}, {3, 8}};
    const assay_backend_options options = {.threads = 2};
    assay_scored_pair got[4], expected[4];
    assert_int_equal(assay_hamming_score_places(&f.set, pairs, 4, &options, got), ASSAY_OK);
    assert_int_equal(assay_hamming_reference_places(&f.set, pairs, 4, &options, expected),
                     ASSAY_OK);
    for (int n = 0; n < 4; n++) {
        assert_true(got[n].fine == expected[n].fine && got[n].coarse == expected[n].coarse);
        assert_int_equal(got[n].a, pairs[n].a);
        assert_int_equal(got[n].b, pairs[n].b);
    }
    assert_true(got[0].fine == ASSAY_FINE_NONE && got[2].fine == ASSAY_FINE_NONE);
    assert_true(got[1].fine > 0 && got[3].fine > 0);
    unmake(&f);
}

static bool ask_to_stop(void *context, const char *step, const char *unit, uint64_t done,
                        uint64_t total) {
    (void)context, (void)step, (void)unit, (void)done, (void)total;
    return false;
}

static void a_listener_that_asks_to_stop_ends_the_run(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[11], 9);
    const assay_progress progress = {.tell = ask_to_stop};
    const assay_backend_options options = {
        .threads = 2, .known_floor = INT64_MIN, .progress = &progress};
    assay_tally got = {0};
    const uint64_t tiles = assay_tile_count(f.set.count);
    assert_int_equal(assay_hamming_all_pairs(&f.plan, 0, tiles, &options, &got), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "interrupted"));
    assert_int_equal(assay_hamming_reference(&f.plan, 0, tiles, &options, &got), ASSAY_FAILED);
    assert_null(got.tail);
    unmake(&f);
}

static void the_best_path_is_the_first_that_the_machine_supports(void **state) {
    (void)state;
    unsigned n = 0;
    while (!assay_hamming_path_at(n)->supported()) n++;
    assert_string_equal(assay_hamming_path_name(), assay_hamming_path_at(n)->name);
    assert_true(assay_hamming_path_portable.supported());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_that_are_valid_in_both_are_compared),
        cmocka_unit_test(a_shift_moves_columns_up_and_around_within_their_row),
        cmocka_unit_test(a_shift_moves_the_mask_with_the_code),
        cmocka_unit_test(of_equal_shifts_the_nearest_and_then_the_negative_is_reported),
        cmocka_unit_test(a_shift_with_too_few_valid_bits_says_nothing),
        cmocka_unit_test(fine_scores_are_the_nearest_integers),
        cmocka_unit_test(fine_scores_tie_where_fractions_do_and_only_there),
        cmocka_unit_test(every_path_bins_as_the_coarse_integer_does),
        cmocka_unit_test(the_definition_counts_every_pair_once),
        cmocka_unit_test(every_path_gives_the_tally_of_the_definition),
        cmocka_unit_test(every_path_scores_listed_pairs_as_the_definition),
        cmocka_unit_test(all_paths_agree_on_a_set_of_several_tiles_and_shifts),
        cmocka_unit_test(a_floor_told_beforehand_leaves_the_tail_as_it_is),
        cmocka_unit_test(scores_do_not_depend_on_the_order_of_a_pair),
        cmocka_unit_test(ranges_of_tiles_merge_to_the_whole_and_count_each_failure_once),
        cmocka_unit_test(failed_comparisons_are_those_with_too_few_valid_bits),
        cmocka_unit_test(a_rule_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(a_cap_refuses_a_threshold_that_keeps_too_much),
        cmocka_unit_test(more_failed_pairs_than_the_cap_are_refused),
        cmocka_unit_test(places_are_scored_as_backends_hand_them_out),
        cmocka_unit_test(a_listener_that_asks_to_stop_ends_the_run),
        cmocka_unit_test(the_best_path_is_the_first_that_the_machine_supports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
