/* test_quantise -- the canonical scores: exact inputs, rigorous bounds, refusals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/base/random.h"
#include "kernels/quantise.h"

static assay_quantised quantise(assay_comparator comparator, uint64_t count, uint32_t length,
                                const float *vectors) {
    assay_quantised set = {0};
    const assay_status status = assay_quantise(comparator, count, length, vectors, &set);
    if (status != ASSAY_OK) fail_msg("%s", assay_error_text());
    return set;
}

static void unit_axes_have_exact_cosines(void **state) {
    (void)state;
    const float vectors[] = {2, 0, 0, 5, -3, 0, 3, 4};
    assay_quantised set = quantise(ASSAY_COSINE, 4, 2, vectors);
    assert_true(assay_fine(&set, 0, 1) == 0);
    assert_true(assay_fine_to_score(&set, assay_fine(&set, 0, 2)) == -1.0);
    assert_true(assay_fine(&set, 0, 0) == INT64_C(1) << 52);
    /* (3,4)/5 rounded to Q26: 40265318 and 53687091. */
    assert_true(assay_fine(&set, 0, 3) == (INT64_C(1) << 26) * 40265318);
    assert_true(assay_fine(&set, 1, 3) == (INT64_C(1) << 26) * 53687091);
    assay_quantised_free(&set);
}

static void integers_have_exact_inner_products_and_distances(void **state) {
    (void)state;
    const float vectors[] = {1, 2, 3, -4, 5, 8, 0, 0, 64};
    assay_quantised set = quantise(ASSAY_INNER_PRODUCT, 3, 3, vectors);
    assert_int_equal(set.exponent, 20); /* 64 * 2^20 = 2^26 */
    assert_true(assay_fine_to_score(&set, assay_fine(&set, 0, 1)) == 30.0);
    assert_true(assay_fine_to_score(&set, assay_fine(&set, 0, 2)) == 192.0);
    assay_quantised_free(&set);
    set = quantise(ASSAY_EUCLIDEAN, 3, 3, vectors);
    assert_int_equal(set.exponent, 19);
    assert_true(assay_fine_to_score(&set, assay_fine(&set, 0, 1)) == -(25.0 + 9 + 25));
    assert_true(assay_fine(&set, 1, 1) == 0);
    assay_quantised_free(&set);
}

static void the_exponent_is_the_largest_that_fits(void **state) {
    (void)state;
    for (int power = -100; power <= 100; power += 25) {
        const float exact[] = {(float)ldexp(1, power)}, above[] = {(float)ldexp(1.25, power)};
        assay_quantised set = quantise(ASSAY_INNER_PRODUCT, 1, 1, exact);
        assert_int_equal(set.exponent, 26 - power);
        assert_true(set.fine[0] == 1 << 26);
        assay_quantised_free(&set);
        set = quantise(ASSAY_INNER_PRODUCT, 1, 1, above);
        assert_int_equal(set.exponent, 25 - power);
        assay_quantised_free(&set);
    }
}

static float *random_set(uint64_t seed, uint64_t count, uint32_t length, double spread) {
    float *vectors = calloc((size_t)count * length, sizeof *vectors);
    assay_random random;
    assay_random_start(&random, seed, 0);
    for (size_t k = 0; k < (size_t)count * length; k++) {
        const double scale = exp(spread * assay_random_normal(&random));
        vectors[k] = (float)(assay_random_normal(&random) * scale);
    }
    return vectors;
}

/* Every pair of every set: |score - coarse score| <= bound, |coarse| in its bins, |q_i||q_j| <
 * 2^24, |q| <= 2048; and the score is within the stated rounding of the true one. */
static void the_bound_holds_for_every_pair(void **state) {
    (void)state;
    static const uint32_t lengths[] = {1, 3, 127, 128, 512, 4096};
    enum { COUNT = 60 };
    for (int c = 0; c < ASSAY_COMPARATOR_COUNT; c++) {
        if (assay_comparator_takes_bits((assay_comparator)c)) continue;
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            float *vectors = random_set(l + 1, COUNT, lengths[l], l % 2 ? 0.0 : 1.0);
            if (lengths[l] == 1) {
                for (int n = 0; n < COUNT; n++) vectors[n] = (float)(1 + n % 7);
            }
            assay_quantised set = quantise((assay_comparator)c, COUNT, lengths[l], vectors);
            int32_t lowest;
            uint32_t shift, bins;
            assay_coarse_bins((assay_comparator)c, &lowest, &shift, &bins);
            double worst = 0;
            for (uint64_t a = 0; a < COUNT; a++) {
                assert_true(set.coarse_norm[a] < 1 << 24);
                for (uint32_t k = 0; k < lengths[l]; k++) {
                    assert_true(abs(set.coarse[a * lengths[l] + k]) <= 2048);
                }
                for (uint64_t b = 0; b < COUNT; b++) {
                    const int64_t fine = assay_fine(&set, a, b);
                    const int32_t coarse = assay_coarse(&set, a, b);
                    assert_true(llabs(fine) < INT64_C(1) << 53);
                    assert_true(coarse >= lowest && (uint32_t)(coarse - lowest) >> shift < bins);
                    const double off =
                        fabs(assay_fine_to_score(&set, fine) - assay_coarse_to_score(&set, coarse));
                    assert_true(off <= set.bound);
                    if (off > worst) worst = off;
                }
            }
            assert_true(worst == 0 || set.bound < 300 * worst); /* rigorous, not absurd */
            assay_quantised_free(&set);
            free(vectors);
        }
    }
}

static void a_score_and_its_smallest_integer_agree(void **state) {
    (void)state;
    float *vectors = random_set(9, 10, 16, 0);
    assay_quantised set = quantise(ASSAY_COSINE, 10, 16, vectors);
    for (uint64_t a = 0; a < 10; a++) {
        const int64_t fine = assay_fine(&set, a, 9 - a);
        const double score = assay_fine_to_score(&set, fine);
        assert_true(assay_score_to_fine(&set, score) == fine);
        assert_true(assay_score_to_fine(&set, nextafter(score, 2)) >= fine);
        assert_true(assay_fine_to_score(&set, assay_score_to_fine(&set, nextafter(score, 2))) >
                    score);
    }
    assay_quantised_free(&set);
    free(vectors);
}

static void bad_templates_are_refused_by_row(void **state) {
    (void)state;
    assay_quantised set = {0};
    const float with_nan[] = {1, 2, NAN, 1}, with_zero[] = {1, 2, 3, 4, 0, 0};
    assert_int_equal(assay_quantise(ASSAY_COSINE, 2, 2, with_nan, &set), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "template 1 is not finite"));
    assert_int_equal(assay_quantise(ASSAY_EUCLIDEAN, 3, 2, with_zero, &set), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "template 2 is all zero"));
    const float uneven[] = {1e-6f, 0, 1000, 0};
    assert_int_equal(assay_quantise(ASSAY_INNER_PRODUCT, 2, 2, uneven, &set), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "differ too much in length"));
    assert_int_equal(assay_quantise(ASSAY_COSINE, 1, 4097, uneven, &set), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "4097"));
    assert_null(set.fine);
}

static void names_are_parsed_and_suggested(void **state) {
    (void)state;
    assay_comparator found;
    assert_int_equal(assay_comparator_parse("euclidean", &found), ASSAY_OK);
    assert_int_equal(found, ASSAY_EUCLIDEAN);
    assert_int_equal(assay_comparator_parse("cosin", &found), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "'cosine'"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_axes_have_exact_cosines),
        cmocka_unit_test(integers_have_exact_inner_products_and_distances),
        cmocka_unit_test(the_exponent_is_the_largest_that_fits),
        cmocka_unit_test(the_bound_holds_for_every_pair),
        cmocka_unit_test(a_score_and_its_smallest_integer_agree),
        cmocka_unit_test(bad_templates_are_refused_by_row),
        cmocka_unit_test(names_are_parsed_and_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
