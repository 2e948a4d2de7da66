/* test_oracle -- thresholds and counts at FMR 1e-3 to 1e-6 of every backend are those of an exact
 * product in double over all pairs. The target `soak` does the same with 20,000 templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/soak/full_oracle.h"

enum { COUNT = 3000, LENGTH = 512 };

static void thresholds_and_counts_are_those_of_all_pairs_in_double(void **state) {
    (void)state;
    oracle_population of;
    oracle_point first[ORACLE_TARGETS];
    oracle_truth truths[ORACLE_TARGETS];
    uint64_t pairs = 0;
    assert_true(oracle_make(COUNT, LENGTH, 7, &of));
    for (size_t n = 0; n < assay_backend_count(); n++) {
        char line[256];
        const assay_backend *backend = assay_backend_at(n);
        const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
        assay_tally tally = {0};
        oracle_point points[ORACLE_TARGETS];
        if (backend->probe(line, sizeof line) != ASSAY_OK) continue;
        assert_int_equal(backend->all_pairs(&of.plan, 0, assay_tile_count(COUNT), &options, &tally),
                         ASSAY_OK);
        assert_int_equal(tally.non_mated, of.non_mated);
        oracle_read_tail(&tally, of.non_mated, points);
        if (pairs == 0) {
            memcpy(first, points, sizeof points);
            oracle_count(&of, points, truths, &pairs);
            assert_int_equal(pairs, of.non_mated);
        }
        for (int t = 0; t < ORACLE_TARGETS; t++) {
            assert_true(points[t].threshold == first[t].threshold);
            assert_true(oracle_agrees(&points[t], &truths[t]));
        }
        assay_tally_free(&tally);
    }
    assert_true(pairs > 0);
    oracle_unmake(&of);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_and_counts_are_those_of_all_pairs_in_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
