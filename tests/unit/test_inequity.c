/* test_inequity -- ranges, chance and permutations against going over everything. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "datasets/base/draws.h"
#include "datasets/base/random.h"
#include "reports/inequity.h"
#include "reports/worse.h"

#define assert_ok(call) assert_int_equal((call), ASSAY_OK)
#define GROUPS 6

static void draw_box(assay_random *random, double *low, double *high) {
    for (size_t n = 0; n < GROUPS; ++n) {
        low[n] = assay_random_uniform(random);
        high[n] = low[n] + assay_random_uniform(random);
    }
}

/* Gini is quasi-convex, so that its most is at a corner. */
static void widest_gini_is_that_of_the_widest_corner(void **state) {
    (void)state;
    assay_random random;
    assay_random_start(&random, 3, 0);
    for (int trial = 0; trial < 200; ++trial) {
        double low[GROUPS], high[GROUPS], rates[GROUPS], most = 0, apart = 0;
        draw_box(&random, low, high);
        for (unsigned corner = 0; corner < 1u << GROUPS; ++corner) {
            for (size_t n = 0; n < GROUPS; ++n) rates[n] = corner >> n & 1 ? high[n] : low[n];
            most = fmax(most, assay_inequity_of(rates, GROUPS).gini);
            apart = fmax(apart, assay_inequity_of(rates, GROUPS).difference);
        }
        assay_inequity_range range;
        assert_ok(assay_inequity_box(low, high, GROUPS, &range));
        assert_true(fabs(range.most.gini - most) < 1e-12);
        assert_true(fabs(range.most.difference - apart) < 1e-12);
    }
}

static void no_rates_within_their_limits_leave_the_ranges(void **state) {
    (void)state;
    assay_random random;
    assay_random_start(&random, 4, 0);
    for (int trial = 0; trial < 50; ++trial) {
        double low[GROUPS], high[GROUPS], rates[GROUPS], least = 1;
        assay_inequity_range range;
        draw_box(&random, low, high);
        assert_ok(assay_inequity_box(low, high, GROUPS, &range));
        for (int within = 0; within < 2000; ++within) {
            for (size_t n = 0; n < GROUPS; ++n)
                rates[n] = low[n] + (high[n] - low[n]) * assay_random_uniform(&random);
            assay_inequity found = assay_inequity_of(rates, GROUPS);
            assert_true(found.max_min >= range.least.max_min - 1e-12);
            assert_true(found.max_min <= range.most.max_min + 1e-12);
            assert_true(found.max_geomean >= range.least.max_geomean - 1e-12);
            assert_true(found.max_geomean <= range.most.max_geomean + 1e-12);
            assert_true(found.gini >= range.least.gini - 1e-12);
            assert_true(found.gini <= range.most.gini + 1e-12);
            assert_true(found.difference >= range.least.difference - 1e-12);
            assert_true(found.difference <= range.most.difference + 1e-12);
            least = fmin(least, found.gini);
        }
        assert_true(least < range.least.gini + 0.2); /* and the range is no empty promise */
    }
}

static void groups_that_overlap_may_all_be_equal(void **state) {
    (void)state;
    double low[] = {0.1, 0.2, 0}, high[] = {0.5, 0.4, 0.3};
    assay_inequity_range range;
    assert_ok(assay_inequity_box(low, high, 3, &range));
    assert_true(range.least.max_min == 1 && range.least.max_geomean == 1);
    assert_true(range.least.gini == 0 && range.least.difference == 0);
    assert_true(isinf(range.most.max_min) && isinf(range.most.max_geomean));
}

static void one_group_has_no_measure(void **state) {
    (void)state;
    double rate = 0.1, high = 0.2, between;
    assay_inequity_range range;
    assert_true(isnan(assay_inequity_of(&rate, 1).max_min));
    assert_true(isnan(assay_inequity_of(&rate, 1).gini));
    assert_ok(assay_inequity_box(&rate, &high, 1, &range));
    assert_true(isnan(range.most.gini));
    assert_false(assay_inequity_shrink(&rate, &high, 1, &high, &between));
}

static void a_group_without_errors_is_not_shrunk(void **state) {
    (void)state;
    double rates[] = {0, 0.1}, variances[] = {0.001, 0.001}, shrunk[2], between;
    assert_false(assay_inequity_shrink(rates, variances, 2, shrunk, &between));
}

static void counts_are_drawn_with_the_mean_and_variance_that_are_asked_for(void **state) {
    (void)state;
    enum { DRAWS = 40000 };
    assay_random random;
    assay_random_start(&random, 5, 0);
    static const double means[] = {0.4, 7, 300, 1e6};
    for (size_t m = 0; m < 4; ++m) {
        double sum = 0, squares = 0, g = 0.25, mean = means[m];
        for (int n = 0; n < DRAWS; ++n) {
            double x = assay_draw_poisson(&random, mean * assay_draw_gamma(&random, 1 / g));
            sum += x / DRAWS;
            squares += x * x / DRAWS;
        }
        double variance = mean + g * mean * mean;
        /* Five standard errors of each; the fourth moment of these is under 9 variances squared. */
        assert_true(fabs(sum - mean) < 5 * sqrt(variance / DRAWS));
        assert_true(fabs(squares - sum * sum - variance) < 5 * variance * sqrt(9.0 / DRAWS));
    }
    assert_true(assay_draw_poisson(&random, 0) == 0);
}

/* Two groups: half of the deals at random put what was seen, or more, on one side. */
static void deals_at_random_agree_with_all_deals(void **state) {
    (void)state;
    double x[16], m[16];
    uint32_t group_of[16];
    for (size_t n = 0; n < 16; ++n) {
        x[n] = (double)(n % 5 == 0) + (double)(n > 11);
        m[n] = 2 + (double)(n % 3);
        group_of[n] = n < 8 ? 0 : 1;
    }
    assay_permutation all, some;
    assert_ok(assay_permute_groups(x, m, group_of, 16, 2, 20000, 1, &all));
    assert_true(all.exact && all.deals == 12870);
    assert_ok(assay_permute_groups(x, m, group_of, 16, 2, 10000, 1, &some));
    assert_true(!some.exact && some.deals == 10000);
    assert_true(all.difference == some.difference);
    assert_true(fabs(all.p - some.p) < 5 * sqrt(all.p * (1 - all.p) / 10000));
    assert_true(fabs(all.mean - some.mean) < 0.01);
}

static void upper_limit_grows_with_the_number_of_tests(void **state) {
    (void)state;
    assay_worse_group groups[] = {{30, 1e4, 1}, {30, 1e4, 1}, {30, 1e4, 2}};
    assay_worse_ratio ratios[3];
    assay_worse_ratios(groups, 3, ratios);
    assert_true(assay_worse_upper(&ratios[0], 6, 0.05) > assay_worse_upper(&ratios[0], 1, 0.05));
    /* One test: the limit is where p reaches 95 %. */
    assert_true(fabs(assay_worse_p(&ratios[0], assay_worse_upper(&ratios[0], 1, 0.05)) - 0.95) <
                1e-12);
    assert_true(ratios[2].error > ratios[0].error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widest_gini_is_that_of_the_widest_corner),
        cmocka_unit_test(no_rates_within_their_limits_leave_the_ranges),
        cmocka_unit_test(groups_that_overlap_may_all_be_equal),
        cmocka_unit_test(one_group_has_no_measure),
        cmocka_unit_test(a_group_without_errors_is_not_shrunk),
        cmocka_unit_test(counts_are_drawn_with_the_mean_and_variance_that_are_asked_for),
        cmocka_unit_test(deals_at_random_agree_with_all_deals),
        cmocka_unit_test(upper_limit_grows_with_the_number_of_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
