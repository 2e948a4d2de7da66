/* test_large_numbers -- places, tiles and counters of sets that are too large to be made here: 64
 * bits all the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "datasets/base/random.h"
#include "datasets/containers.h"
#include "kernels/backend.h"

_Static_assert(sizeof((assay_tally){0}.non_mated) == 8, "counts have 64 bits");
_Static_assert(sizeof(*(assay_tally){0}.histogram) == 8, "counters have 64 bits");
_Static_assert(sizeof(*(assay_evidence){0}.histogram) == 8, "counters have 64 bits");
_Static_assert(sizeof((assay_evidence){0}.non_mated) == 8, "counts have 64 bits");

static void pairs_of_millions_are_counted_exactly(void **state) {
    (void)state;
    assert_true(assay_pair_count(1000000) == UINT64_C(499999500000));
    assert_true(assay_pair_count(10000000) == UINT64_C(49999995000000));
    assert_true(assay_pair_count(UINT32_MAX) == UINT64_C(9223372030412324865));
    assert_true(assay_pair_count(46341) == UINT64_C(1073720970)); /* beyond it 32 bits fail */
    assert_true(assay_histogram_count(65535) == UINT64_C(2147450880));
    assert_true(assay_histogram_index(65535, 65534, 65534) == UINT64_C(2147450879));
}

/* Each tile is where its place says, and holds the pairs that say that they are in it. */
static void tiles_of_millions_are_found_again(void **state) {
    (void)state;
    static const uint64_t counts[] = {1000000, 10000000, UINT64_C(4000000000)};
    assay_random random;
    assay_random_start(&random, 8, 0);
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        const assay_quantised set = {.count = counts[n], .length = 512};
        const assay_all_pairs plan = {.templates = &set};
        const uint64_t strips = (counts[n] + ASSAY_TILE_EDGE - 1) / ASSAY_TILE_EDGE;
        const uint64_t tiles = assay_plan_tile_count(&plan);
        assert_true(tiles == strips * (strips + 1) / 2);
        for (int k = 0; k < 2000; k++) {
            uint64_t row, column;
            const uint64_t tile = k == 0 ? 0
                                  : k == 1
                                      ? tiles - 1
                                      : (uint64_t)(assay_random_uniform(&random) * (double)tiles);
            assay_plan_tile_place(&plan, tile, &row, &column);
            assert_true(row <= column && column < strips);
            const uint64_t a = row * ASSAY_TILE_EDGE, b = column * ASSAY_TILE_EDGE;
            assert_true(assay_plan_tile_of(&plan, a, b) == tile);
        }
    }
}

static assay_tally tally_of(uint64_t count) {
    assay_tally tally = {.non_mated = count,
                         .same_subject = count,
                         .other_side = count,
                         .histogram_pairs = count,
                         .histogram_length = 2,
                         .tail_floor = INT64_MIN};
    tally.histogram = malloc(2 * sizeof *tally.histogram);
    tally.histogram[0] = count;
    tally.histogram[1] = 1;
    return tally;
}

/* Where 32 bits, or the whole numbers of a double, end. */
static void counters_go_on_beyond_two_to_the_32_and_to_the_53(void **state) {
    (void)state;
    static const uint64_t edges[] = {UINT64_C(1) << 24, UINT64_C(1) << 32, UINT64_C(1) << 53};
    const assay_quantised set = {.count = 2, .length = 1};
    const assay_all_pairs plan = {
        .templates = &set, .tail_limit = 10, .required_fine = INT64_MAX, .tail_cap = 10};
    for (size_t n = 0; n < sizeof edges / sizeof *edges; n++) {
        assay_tally into = tally_of(edges[n] - 1), one = tally_of(1);
        for (int k = 0; k < 3; k++)
            assert_int_equal(assay_tally_merge(&plan, &into, &one), ASSAY_OK);
        assert_true(into.non_mated == edges[n] + 2);
        assert_true(into.same_subject == edges[n] + 2 && into.other_side == edges[n] + 2);
        assert_true(into.histogram_pairs == edges[n] + 2);
        assert_true(into.histogram[0] == edges[n] + 2 && into.histogram[1] == 4);
        assay_tally_free(&into);
        assay_tally_free(&one);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_millions_are_counted_exactly),
        cmocka_unit_test(tiles_of_millions_are_found_again),
        cmocka_unit_test(counters_go_on_beyond_two_to_the_32_and_to_the_53),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
