/* test_peak -- the limits that a backend is measured against are what they say: every operation
 * that is counted was done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/backend.h"
#include "kernels/cpu/peak.h"

/* assay_peak_fma looks at every sum itself; a path that left operations out would be told. */
static void test_every_path_of_this_processor_counts_right(void **state) {
    static const struct {
        const char *path;
        double width; /* floats of a vector; twelve vectors of sums */
    } paths[] = {{"avx512", 16}, {"avx2", 8}, {"portable", 4}};
    (void)state;
    for (size_t n = 0; n < sizeof paths / sizeof paths[0]; n++) {
        assay_peak_run run = {0};
        const assay_status status = assay_peak_fma(paths[n].path, 100000, &run);
        if (status == ASSAY_DECLINED) continue;
        if (status == ASSAY_USAGE && strcmp(paths[n].path, "portable") != 0) continue; /* no x86 */
        assert_int_equal(status, ASSAY_OK);
        assert_string_equal(run.path, paths[n].path);
        assert_true(run.operations == 2.0 * 100000 * 12 * paths[n].width);
        assert_true(run.cpu_seconds > 0);
        assert_true(run.wall_seconds > 0);
    }
}

static void test_the_widest_path_is_taken_where_none_is_named(void **state) {
    static const char *const widest_first[] = {"avx512", "avx2", "portable"};
    assay_peak_run run = {0}, named = {0};
    size_t n = 0;
    (void)state;
    assert_int_equal(assay_peak_fma(NULL, 1000, &run), ASSAY_OK);
    while (assay_peak_fma(widest_first[n], 1000, &named) != ASSAY_OK) assert_true(++n < 3);
    assert_string_equal(run.path, widest_first[n]);
}

static void test_more_steps_take_more_time(void **state) {
    assay_peak_run few = {0}, many = {0};
    (void)state;
    assert_int_equal(assay_peak_fma("portable", 1 << 10, &few), ASSAY_OK);
    assert_int_equal(assay_peak_fma("portable", 1 << 22, &many), ASSAY_OK);
    assert_true(many.cpu_seconds > few.cpu_seconds);
}

static void test_steps_and_paths_out_of_range_are_usage(void **state) {
    assay_peak_run run;
    (void)state;
    assert_int_equal(assay_peak_fma(NULL, 0, &run), ASSAY_USAGE);
    assert_int_equal(assay_peak_fma(NULL, (1 << 23) + 1, &run), ASSAY_USAGE);
    assert_int_equal(assay_peak_fma("sse9", 1, &run), ASSAY_USAGE);
}

static void test_the_product_counts_whole_tiles(void **state) {
    enum { COUNT = ASSAY_TILE_EDGE + 188, LENGTH = 3 };
    const double edge = ASSAY_TILE_EDGE, rest = 188;
    float *vectors = calloc(COUNT * LENGTH, sizeof *vectors);
    (void)state;
    assert_non_null(vectors);
    for (unsigned threads = 1; threads <= 3; threads++) {
        assay_peak_run run = {0};
        const assay_status status = assay_peak_product(vectors, COUNT, LENGTH, threads, &run);
        if (status == ASSAY_DECLINED) break;
        assert_int_equal(status, ASSAY_OK);
        assert_true(run.operations == 2 * LENGTH * (edge * edge + edge * rest + rest * rest));
        assert_true(run.cpu_seconds > 0);
        assert_non_null(run.path);
    }
    free(vectors);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_path_of_this_processor_counts_right),
        cmocka_unit_test(test_the_widest_path_is_taken_where_none_is_named),
        cmocka_unit_test(test_more_steps_take_more_time),
        cmocka_unit_test(test_steps_and_paths_out_of_range_are_usage),
        cmocka_unit_test(test_the_product_counts_whole_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
