/* test_random -- Philox against its published vectors, and the draws made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "datasets/base/random.h"

/* Known answers of Random123 for philox4x32-10 (its kat_vectors). */
static void philox_gives_the_published_numbers(void **state) {
    (void)state;
    static const struct {
        uint64_t seed, drawn, stream;
        uint32_t words[4];
    } known[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {UINT64_C(0x299f31d0a4093822),
         UINT64_C(0x85a308d3243f6a88),
         UINT64_C(0x0370734413198a2e),
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        assay_random random;
        assay_random_start(&random, known[i].seed, known[i].stream);
        random.drawn = known[i].drawn;
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(assay_random_u32(&random), known[i].words[j]);
    }
}

static void streams_and_seeds_differ_and_repeat(void **state) {
    (void)state;
    assay_random a, b, c, d;
    unsigned same_stream = 0, same_seed = 0;
    assay_random_start(&a, 1, 2);
    assay_random_start(&b, 1, 2);
    assay_random_start(&c, 1, 3);
    assay_random_start(&d, 2, 2);
    for (int i = 0; i < 1000; i++) {
        uint32_t word = assay_random_u32(&a);
        assert_int_equal(word, assay_random_u32(&b));
        same_stream += word == assay_random_u32(&c);
        same_seed += word == assay_random_u32(&d);
    }
    assert_true(same_stream < 3 && same_seed < 3);
    b = a; /* a copy is a fork */
    for (int i = 0; i < 5; i++) assert_int_equal(assay_random_u32(&a), assay_random_u32(&b));
}

/* The bounds below are 6 standard errors: p < 2e-9 each, and the seed is fixed. */
static void uniform_draws_fill_the_unit_interval(void **state) {
    (void)state;
    enum { DRAWS = 200000, BINS = 100 };
    assay_random random;
    unsigned bins[BINS] = {0};
    assay_random_start(&random, 7, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = assay_random_uniform(&random);
        assert_true(x >= 0 && x < 1);
        bins[(int)(x * BINS)]++;
    }
    double expected = (double)DRAWS / BINS;
    for (int i = 0; i < BINS; i++) assert_true(fabs(bins[i] - expected) < 6 * sqrt(expected));
}

static void draws_below_a_bound_are_even(void **state) {
    (void)state;
    assay_random random;
    unsigned counts[3] = {0};
    assay_random_start(&random, 8, 0);
    for (int i = 0; i < 90000; i++) counts[assay_random_below(&random, 3)]++;
    for (int i = 0; i < 3; i++) assert_true(fabs(counts[i] - 30000.0) < 6 * sqrt(20000));
    for (int i = 0; i < 100; i++) assert_int_equal(assay_random_below(&random, 1), 0);
    /* Four inputs for three values: without the repetition each third value comes half the time. */
    unsigned thirds = 0;
    for (int i = 0; i < 90000; i++) thirds += assay_random_below(&random, 0xc0000000u) % 3 == 0;
    assert_true(fabs(thirds - 30000.0) < 6 * sqrt(20000));
}

static void normal_draws_have_the_moments_of_the_normal(void **state) {
    (void)state;
    enum { DRAWS = 400000 };
    assay_random random;
    double sum = 0, squares = 0, fourth = 0;
    unsigned beyond = 0;
    assay_random_start(&random, 9, 0);
    for (int i = 0; i < DRAWS; i++) {
        double z = assay_random_normal(&random);
        sum += z;
        squares += z * z;
        fourth += z * z * z * z;
        beyond += fabs(z) > 3;
    }
    assert_true(fabs(sum / DRAWS) < 6 / sqrt(DRAWS));
    assert_true(fabs(squares / DRAWS - 1) < 6 * sqrt(2.0 / DRAWS));
    assert_true(fabs(fourth / DRAWS - 3) < 6 * sqrt(96.0 / DRAWS));
    assert_true(fabs(beyond - 0.0026998 * DRAWS) < 6 * sqrt(0.0027 * DRAWS));
}

/* The polar method over again with the C library's log(), which is right to an ulp or so. */
static void normal_draws_agree_with_the_library_logarithm(void **state) {
    (void)state;
    assay_random random, twin;
    assay_random_start(&random, 10, 4);
    assay_random_start(&twin, 10, 4);
    for (int i = 0; i < 20000; i++) {
        double x, y, square;
        do {
            x = 2 * assay_random_uniform(&twin) - 1;
            y = 2 * assay_random_uniform(&twin) - 1;
            square = x * x + y * y;
        } while (square >= 1 || square == 0);
        double scale = sqrt(-2 * log(square) / square);
        double first = assay_random_normal(&random), second = assay_random_normal(&random);
        assert_true(fabs(first - x * scale) <= 1e-15 * fabs(first));
        assert_true(fabs(second - y * scale) <= 1e-15 * fabs(second));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(streams_and_seeds_differ_and_repeat),
        cmocka_unit_test(uniform_draws_fill_the_unit_interval),
        cmocka_unit_test(draws_below_a_bound_are_even),
        cmocka_unit_test(normal_draws_have_the_moments_of_the_normal),
        cmocka_unit_test(normal_draws_agree_with_the_library_logarithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
