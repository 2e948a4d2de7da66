/* test_cpu_guards -- what keeps the cpu backend honest: a wrong bound, a wrong product and a wrong
 * guess are noticed, and nothing is read behind a set's last byte. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "datasets/base/random.h"
#include "kernels/cpu/cpu_private.h"

enum { COUNT = 4200, LENGTH = 48 };

typedef struct {
    assay_quantised set;
    uint32_t subject[COUNT], group[COUNT];
    uint8_t side[COUNT];
    assay_all_pairs plan;
} fixture;

/* Templates of which the first `alike` are near one another, the rest random. */
static void make(fixture *f, uint32_t alike) {
    float *vectors = calloc((size_t)COUNT * LENGTH, sizeof *vectors);
    assay_random random;
    assay_random_start(&random, 4, 0);
    for (uint32_t n = 0; n < COUNT; n++) {
        for (uint32_t k = 0; k < LENGTH; k++) {
            const double shared = n < alike ? 3 : 0;
            vectors[n * LENGTH + k] = (float)(shared + assay_random_normal(&random));
        }
        f->subject[n] = n / 3;
        f->group[n] = n < COUNT / 2 ? 0 : 1;
        f->side[n] = 0;
    }
    assert_int_equal(assay_quantise(ASSAY_COSINE, COUNT, LENGTH, vectors, &f->set), ASSAY_OK);
    free(vectors);
    f->plan = (assay_all_pairs){.templates = &f->set,
                                .subject = f->subject,
                                .group = f->group,
                                .side = f->side,
                                .group_count = 2,
                                .tail_limit = 20000,
                                .required_fine = INT64_MAX,
                                .tail_cap = UINT64_C(1) << 26};
}

static assay_status run(const assay_microkernel *kernel, const fixture *f, assay_tally *tally) {
    const assay_backend_options options = {.threads = 2, .known_floor = INT64_MIN};
    return assay_cpu_all_pairs(kernel, &f->plan, 0, assay_tile_count(COUNT), &options, tally);
}

static assay_tally reference(const fixture *f) {
    const assay_backend *backend = NULL;
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    assay_tally tally = {0};
    assert_int_equal(assay_backend_find("reference", &backend), ASSAY_OK);
    assert_int_equal(backend->all_pairs(&f->plan, 0, assay_tile_count(COUNT), &options, &tally),
                     ASSAY_OK);
    return tally;
}

static void assert_same_tail(const assay_tally *x, const assay_tally *y) {
    assert_int_equal(x->tail_count, y->tail_count);
    assert_true(x->tail_floor == y->tail_floor);
    for (uint64_t n = 0; n < x->tail_count; n++) {
        assert_true(x->tail[n].fine == y->tail[n].fine && x->tail[n].a == y->tail[n].a &&
                    x->tail[n].b == y->tail[n].b);
    }
}

static void a_bound_that_is_too_small_stops_the_run(void **state) {
    (void)state;
    static fixture f;
    make(&f, 0);
    f.set.bound /= 50;
    assay_tally tally = {0};
    assert_int_equal(run(assay_microkernel_best(), &f, &tally), ASSAY_DISAGREES);
    assert_non_null(strstr(assay_error_text(), "fine and coarse score differ"));
    assert_null(tally.tail);
    assay_quantised_free(&f.set);
}

/* The best kernel with one row of products off by a little, in every block. */
static void wrong_product(const int32_t *a, const int32_t *b, uint32_t depth,
                          const assay_pending_bins *pending, assay_micro_result *result) {
    assay_microkernel_best()->product(a, b, depth, pending, result);
    for (unsigned c = 0; c < ASSAY_MICRO_COLUMNS; c++) {
        result->products[3 * ASSAY_MICRO_COLUMNS + c] += 1;
    }
}

static void a_wrong_product_stops_the_run(void **state) {
    (void)state;
    static fixture f;
    if (assay_microkernel_best()->rows == 0) skip();
    make(&f, 0);
    assay_microkernel wrong = *assay_microkernel_best();
    wrong.product = wrong_product;
    assay_tally tally = {0};
    assert_int_equal(run(&wrong, &f, &tally), ASSAY_DISAGREES);
    assert_non_null(strstr(assay_error_text(), "by the product of their sums"));
    assert_null(tally.tail);
    assay_quantised_free(&f.set);
}

/* One bit of one product of one block among some forty thousand. */
static unsigned long blocks_until_wrong;
static unsigned wrong_cell, wrong_bit;
static void once_wrong_product(const int32_t *a, const int32_t *b, uint32_t depth,
                               const assay_pending_bins *pending, assay_micro_result *result) {
    assay_microkernel_best()->product(a, b, depth, pending, result);
    if (blocks_until_wrong-- == 0)
        result->products[wrong_cell] ^= (int32_t)(UINT32_C(1) << wrong_bit);
}

static void a_single_wrong_bit_of_a_product_stops_the_run(void **state) {
    (void)state;
    static fixture f;
    const unsigned rows = assay_microkernel_best()->rows;
    if (rows == 0) skip();
    make(&f, 0);
    assay_microkernel wrong = *assay_microkernel_best();
    wrong.product = once_wrong_product;
    wrong.screen = NULL;
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    for (wrong_bit = 0; wrong_bit < 32; wrong_bit += 7) {
        assay_tally tally = {0};
        blocks_until_wrong = 3000 + 400 * wrong_bit;
        wrong_cell = (wrong_bit * 61) % (rows * ASSAY_MICRO_COLUMNS);
        assert_int_equal(
            assay_cpu_all_pairs(&wrong, &f.plan, 0, assay_tile_count(COUNT), &options, &tally),
            ASSAY_DISAGREES);
        assert_non_null(strstr(assay_error_text(), "by the product of their sums"));
    }
    assay_quantised_free(&f.set);
}

/* The first blocks, which are the sample's, look far better than the rest: the guess is far too
 * high. */
static unsigned blocks_seen;
static void flattering_product(const int32_t *a, const int32_t *b, uint32_t depth,
                               const assay_pending_bins *pending, assay_micro_result *result) {
    assay_microkernel_best()->product(a, b, depth, pending, result);
    if (blocks_seen++ >= 200) return;
    for (uint32_t n = 0; n < assay_microkernel_best()->rows * ASSAY_MICRO_COLUMNS; n++) {
        result->products[n] = 1 << 23;
    }
}

static void a_guess_that_is_too_high_is_done_again(void **state) {
    (void)state;
    static fixture f;
    if (assay_microkernel_best()->rows == 0) skip();
    make(&f, 0);
    assay_microkernel flattering = *assay_microkernel_best();
    flattering.product = flattering_product;
    assay_tally tally = {0}, expected = reference(&f);
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    blocks_seen = 0;
    if (assay_cpu_all_pairs(&flattering, &f.plan, 0, assay_tile_count(COUNT), &options, &tally) !=
        ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    assert_int_equal(tally.redone, 1);
    assert_same_tail(&tally, &expected);
    assert_memory_equal(tally.histogram, expected.histogram,
                        tally.histogram_length * sizeof *tally.histogram);
    assert_int_equal(tally.non_mated, expected.non_mated);
    assay_tally_free(&tally);
    assert_int_equal(run(assay_microkernel_best(), &f, &tally), ASSAY_OK);
    assert_int_equal(tally.redone, 0);
    assert_same_tail(&tally, &expected);
    assay_tally_free(&tally);
    assay_tally_free(&expected);
    assay_quantised_free(&f.set);
}

/* The same on top of what earlier tiles gave: none of it may be lost with the guess. */
static void a_guess_that_is_too_high_costs_no_earlier_candidate(void **state) {
    (void)state;
    static fixture f;
    if (assay_microkernel_best()->rows == 0) skip();
    make(&f, 0);
    assay_microkernel flattering = *assay_microkernel_best();
    flattering.product = flattering_product;
    const uint64_t tiles = assay_tile_count(COUNT), half = tiles / 4;
    assay_tally part = {0}, tally = {0}, expected = reference(&f);
    assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    assert_int_equal(
        assay_cpu_all_pairs(assay_microkernel_best(), &f.plan, 0, half, &options, &part), ASSAY_OK);
    options.prior = part.tail;
    options.prior_count = part.tail_count;
    options.known_floor = part.tail_floor;
    part.tail = NULL;
    blocks_seen = 0;
    assert_int_equal(assay_cpu_all_pairs(&flattering, &f.plan, half, tiles, &options, &tally),
                     ASSAY_OK);
    assert_int_equal(tally.redone, 1);
    assert_same_tail(&tally, &expected);
    assert_int_equal(tally.non_mated + part.non_mated, expected.non_mated);
    assay_tally_free(&tally);
    assay_tally_free(&part);
    assay_tally_free(&expected);
    assay_quantised_free(&f.set);
}

/* Scores that differ by place: a few dense blocks hold the whole tail, and a sample may miss them.
 * The tail must be exact whether it did or not. */
static void a_lumpy_set_has_its_exact_tail(void **state) {
    (void)state;
    static fixture f;
    for (uint32_t alike = 40; alike <= 320; alike += 140) {
        make(&f, alike);
        assay_tally expected = reference(&f), tally = {0};
        assert_int_equal(run(assay_microkernel_best(), &f, &tally), ASSAY_OK);
        assert_same_tail(&tally, &expected);
        assay_tally_free(&tally);
        assay_tally_free(&expected);
        assay_quantised_free(&f.set);
    }
}

/* ---- the screen ---- */

/* The best micro-kernel with a screen that this test gives; false where this machine has none. */
static bool with_screen(assay_microkernel *kernel, assay_screenkernel *screen) {
    *kernel = *assay_microkernel_best();
    if (kernel->screen == NULL || !kernel->screen->supported()) return false;
    *screen = *kernel->screen;
    kernel->screen = screen;
    return true;
}

static atomic_uint screened_blocks;
static bool counted_product(const int32_t *a, const int32_t *b, uint32_t depth,
                            const int32_t *row_start, const int32_t *column_start, int32_t *sums,
                            uint32_t *reach) {
    screened_blocks++;
    return assay_screenkernel_vnni.product(a, b, depth, row_start, column_start, sums, reach);
}

/* After the sample, sums that are too small for any pair to pass. */
static bool wrong_bytes(const int32_t *a, const int32_t *b, uint32_t depth,
                        const int32_t *row_start, const int32_t *column_start, int32_t *sums,
                        uint32_t *reach) {
    const bool any = counted_product(a, b, depth, row_start, column_start, sums, reach);
    if (screened_blocks < 1000) return any;
    for (uint32_t n = 0; n < assay_screenkernel_vnni.rows * ASSAY_MICRO_COLUMNS; n++) {
        sums[n] -= 1 << 17;
    }
    return false;
}

typedef enum { NORMAL = 0, TIED, LONE_GIANT, ALL_POSITIVE, KIND_COUNT } kind_of_set;

static float component(kind_of_set kind, assay_random *random, uint32_t n, uint32_t k) {
    const double drawn = assay_random_normal(random);
    if (kind == TIED) return (float)(k == n % 3 ? 3 : (int)(drawn * 1.5));
    if (kind == LONE_GIANT) return (float)(n == 7 ? 40 * drawn : drawn);
    return (float)(kind == ALL_POSITIVE ? fabs(drawn) : drawn);
}

/* A set to screen: as the fixture, without histograms, a small tail, and two sides. */
static void make_screened(fixture *f, assay_comparator comparator, uint32_t length,
                          kind_of_set kind, bool sides) {
    float *vectors = calloc((size_t)COUNT * length, sizeof *vectors);
    assay_random random;
    make(f, 0);
    assay_quantised_free(&f->set);
    assay_random_start(&random, 40 + kind, length);
    for (uint32_t n = 0; n < COUNT; n++) {
        for (uint32_t k = 0; k < length; k++) {
            vectors[(size_t)n * length + k] = component(kind, &random, n, k);
        }
        f->side[n] = !sides ? 0 : n < COUNT / 2 ? 1 : 2;
        f->subject[n] = n % (COUNT / 2) / 3; /* of both groups */
    }
    if (assay_quantise(comparator, COUNT, length, vectors, &f->set) != ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    free(vectors);
    f->plan.tail_limit = 900;
    f->plan.bins_mode = ASSAY_BINS_NONE;
}

static void a_screened_tail_is_the_references(void **state) {
    (void)state;
    static const struct {
        assay_comparator comparator;
        uint32_t length;
        kind_of_set kind;
        bool sides, screened;
    } sets[] = {
        {ASSAY_COSINE, 48, NORMAL, false, true},
        {ASSAY_COSINE, 127, NORMAL, true, true},
        {ASSAY_COSINE, 66, ALL_POSITIVE, false, true},
        {ASSAY_COSINE, 21, TIED, false, true},
        {ASSAY_INNER_PRODUCT, 33, NORMAL, false, true},
        {ASSAY_INNER_PRODUCT, 40, LONE_GIANT, false, false},
        {ASSAY_EUCLIDEAN, 96, NORMAL, false, true},
        {ASSAY_EUCLIDEAN, 30, TIED, true, true},
    };
    static fixture f;
    assay_microkernel kernel;
    assay_screenkernel screen;
    if (!with_screen(&kernel, &screen)) skip();
    screen.product = counted_product;
    for (size_t n = 0; n < sizeof sets / sizeof *sets; n++) {
        make_screened(&f, sets[n].comparator, sets[n].length, sets[n].kind, sets[n].sides);
        assay_tally expected = reference(&f), tally = {0};
        screened_blocks = 0;
        if (run(&kernel, &f, &tally) != ASSAY_OK) fail_msg("%zu: %s", n, assay_error_text());
        /* Most blocks of the upper triangle, of two sides the half where they meet and no more than
         * its tiles; a sample alone has some hundred. */
        const unsigned blocks = COUNT / 12 * (COUNT / 32) / (sets[n].sides ? 4 : 2);
        if (sets[n].screened && screened_blocks < blocks) {
            fail_msg("set %zu: %u blocks were screened", n, screened_blocks);
        }
        if (sets[n].sides && screened_blocks > 2 * blocks) {
            fail_msg("set %zu: %u blocks were screened, also of one side", n, screened_blocks);
        }
        assert_same_tail(&tally, &expected);
        for (uint64_t k = 0; k < tally.tail_count; k++) {
            assert_int_equal(tally.tail[k].coarse, expected.tail[k].coarse);
        }
        assert_int_equal(tally.non_mated, expected.non_mated);
        assert_int_equal(tally.same_subject, expected.same_subject);
        assert_int_equal(tally.other_side, expected.other_side);
        assay_tally_free(&tally);
        assay_tally_free(&expected);
        assay_quantised_free(&f.set);
    }
}

static void a_screens_bound_that_is_too_small_stops_the_run(void **state) {
    (void)state;
    static fixture f;
    assay_microkernel kernel;
    assay_screenkernel screen;
    if (!with_screen(&kernel, &screen)) skip();
    screen.trust = 0.02;
    make_screened(&f, ASSAY_COSINE, 127, NORMAL, false);
    assay_tally tally = {0};
    assert_int_equal(run(&kernel, &f, &tally), ASSAY_DISAGREES);
    assert_non_null(strstr(assay_error_text(), "scores of bytes"));
    assert_null(tally.tail);
    assay_quantised_free(&f.set);
}

static void a_wrong_product_of_bytes_stops_the_run(void **state) {
    (void)state;
    static fixture f;
    assay_microkernel kernel;
    assay_screenkernel screen;
    if (!with_screen(&kernel, &screen)) skip();
    screen.product = wrong_bytes;
    screened_blocks = 0;
    make_screened(&f, ASSAY_COSINE, 48, NORMAL, false);
    assay_tally tally = {0};
    assert_int_equal(run(&kernel, &f, &tally), ASSAY_DISAGREES);
    assert_non_null(strstr(assay_error_text(), "scores of bytes"));
    assert_null(tally.tail);
    assay_quantised_free(&f.set);
}

/* ---- edges ---- */

/* Moves an array so that it ends where a page begins that nobody may read. */
static void *against_a_guard(const void *from, size_t bytes, void **out_map, size_t *out_length) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    char *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + room, page, PROT_NONE), 0);
    memcpy(map + room - bytes, from, bytes);
    *out_map = map;
    *out_length = room + page;
    return map + room - bytes;
}

static void nothing_is_read_behind_the_last_template(void **state) {
    (void)state;
    static const struct {
        uint32_t count, length;
    } sizes[] = {{2, 1}, {3, 3}, {33, 5}, {513, 7}, {525, 127}, {1027, 9}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t cells = (size_t)sizes[s].count * sizes[s].length;
        float *vectors = calloc(cells, sizeof *vectors);
        assay_random random;
        assay_random_start(&random, s, 1);
        for (size_t k = 0; k < cells; k++) vectors[k] = (float)(1 + assay_random_normal(&random));
        assay_quantised set = {0};
        assert_int_equal(
            assay_quantise(ASSAY_EUCLIDEAN, sizes[s].count, sizes[s].length, vectors, &set),
            ASSAY_OK);
        free(vectors);
        void *maps[2];
        size_t lengths[2];
        assay_quantised guarded = set;
        guarded.coarse =
            against_a_guard(set.coarse, cells * sizeof *set.coarse, &maps[0], &lengths[0]);
        guarded.fine = against_a_guard(set.fine, cells * sizeof *set.fine, &maps[1], &lengths[1]);
        uint32_t *labels = calloc(sizes[s].count, sizeof *labels);
        uint8_t *side = calloc(sizes[s].count, 1);
        for (uint32_t n = 0; n < sizes[s].count; n++) labels[n] = n;
        uint32_t *group = calloc(sizes[s].count, sizeof *group);
        const assay_all_pairs plan = {.templates = &guarded,
                                      .subject = labels,
                                      .group = group,
                                      .side = side,
                                      .group_count = 1,
                                      .tail_limit = 100,
                                      .required_fine = INT64_MAX,
                                      .tail_cap = UINT64_C(1) << 26};
        const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
        for (size_t b = 0; b < assay_backend_count(); b++) {
            char line[256];
            if (assay_backend_at(b)->probe(line, sizeof line) != ASSAY_OK) continue;
            assay_tally tally = {0};
            assert_int_equal(assay_backend_at(b)->all_pairs(
                                 &plan, 0, assay_tile_count(sizes[s].count), &options, &tally),
                             ASSAY_OK);
            assay_tally_free(&tally);
        }
        munmap(maps[0], lengths[0]);
        munmap(maps[1], lengths[1]);
        free(labels);
        free(group);
        free(side);
        assay_quantised_free(&set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_that_is_too_small_stops_the_run),
        cmocka_unit_test(a_wrong_product_stops_the_run),
        cmocka_unit_test(a_single_wrong_bit_of_a_product_stops_the_run),
        cmocka_unit_test(a_guess_that_is_too_high_is_done_again),
        cmocka_unit_test(a_guess_that_is_too_high_costs_no_earlier_candidate),
        cmocka_unit_test(a_lumpy_set_has_its_exact_tail),
        cmocka_unit_test(a_screened_tail_is_the_references),
        cmocka_unit_test(a_screens_bound_that_is_too_small_stops_the_run),
        cmocka_unit_test(a_wrong_product_of_bytes_stops_the_run),
        cmocka_unit_test(nothing_is_read_behind_the_last_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
