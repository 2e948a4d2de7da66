/* test_oracle_groups -- measures of inequity and tests of groups against the cases of a slow, plain
 * reference (see test_oracle_intervals). Skips where the cases are not there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <unistd.h>

#include "reports/inequity.h"
#include "reports/worse.h"

#define TOLERANCE 1e-9 /* relative, as the cases promise */
#define RANDOM 0.03    /* of what is drawn */
#define MOST 8

static char oracle[1024];
static json_t *root, *input, *expected;

#define assert_ok(call) assert_int_equal((call), ASSAY_OK)

static json_t *at(const json_t *object, const char *key) {
    json_t *found = json_object_get(object, key);
    if (!found) fail_msg("the case has no '%s'", key);
    return found;
}

static double number(const json_t *value) {
    if (json_is_string(value)) return (double)INFINITY;
    return json_is_null(value) ? (double)NAN : json_number_value(value);
}

static size_t numbers(const json_t *array, double *out) {
    size_t count = json_array_size(array);
    assert_true(count <= MOST);
    for (size_t n = 0; n < count; ++n) out[n] = number(json_array_get(array, n));
    return count;
}

static void assert_within(double value, double wanted, double tolerance, const char *what) {
    bool same = value == wanted || (isnan(value) && isnan(wanted)) ||
                fabs(value - wanted) <= tolerance * fabs(wanted);
    if (!same) fail_msg("%s: %.17g is not %.17g", what, value, wanted);
}

static void assert_near(double value, double wanted, const char *what) {
    assert_within(value, wanted, TOLERANCE, what);
}

static void check_error(const assay_inequity *found, const json_t *wanted, const char *error) {
    static const char *const names[] = {"max_min", "max_geomean", "gini", "diff"};
    double values[] = {found->max_min, found->max_geomean, found->gini, found->difference};
    char key[64];
    for (size_t n = 0; n < 4; ++n) {
        snprintf(key, sizeof key, "%s_%s", error, names[n]);
        assert_near(values[n], number(at(wanted, key)), key);
    }
}

static void measures_agree(void **state) {
    (void)state;
    const char *name;
    json_t *vectors;
    json_object_foreach(at(input, "vectors"), name, vectors) {
        const json_t *wanted = at(at(expected, "summaries"), name);
        double fmr[MOST], fnmr[MOST];
        size_t count = numbers(json_array_get(vectors, 0), fmr);
        assert_int_equal(count, numbers(json_array_get(vectors, 1), fnmr));
        assay_inequity a = assay_inequity_of(fmr, count), b = assay_inequity_of(fnmr, count);
        assay_joint_inequity both = assay_joint_inequity_of(&a, &b, number(at(input, "alpha")));
        check_error(&a, wanted, "fmr");
        check_error(&b, wanted, "fnmr");
        assert_near(both.fdr, number(at(wanted, "FDR")), "FDR");
        assert_near(both.ir, number(at(wanted, "IR")), "IR");
        assert_near(both.garbe, number(at(wanted, "GARBE")), "GARBE");
    }
}

static void tests_of_groups_agree(void **state) {
    (void)state;
    double x[MOST], m[MOST], effect[MOST], p[MOST], adjusted[MOST];
    const json_t *given = at(input, "worse"), *wanted = at(expected, "worse");
    size_t count = numbers(at(given, "x"), x);
    assay_worse_group groups[MOST];
    assay_worse_ratio ratios[MOST];
    numbers(at(given, "comparisons"), m);
    numbers(at(given, "deff"), effect);
    for (size_t n = 0; n < count; ++n) groups[n] = (assay_worse_group){x[n], m[n], effect[n]};
    assay_worse_ratios(groups, count, ratios);
    for (size_t n = 0; n < count; ++n) {
        p[n] = assay_worse_p(&ratios[n], 1);
        assert_near(exp(ratios[n].log_ratio), number(json_array_get(at(wanted, "ratio"), n)),
                    "ratio");
        assert_near(p[n], number(json_array_get(at(wanted, "p"), n)), "p");
    }
    assert_ok(assay_holm(p, count, adjusted));
    for (size_t n = 0; n < count; ++n)
        assert_near(adjusted[n], number(json_array_get(at(wanted, "holm"), n)), "holm");
}

static void holm_agrees(void **state) {
    (void)state;
    double p[MOST], adjusted[MOST];
    size_t count = numbers(at(input, "holm"), p);
    assert_ok(assay_holm(p, count, adjusted));
    for (size_t n = 0; n < count; ++n)
        assert_near(adjusted[n], number(json_array_get(at(expected, "holm"), n)), "holm");
}

static void shrunken_rates_agree(void **state) {
    (void)state;
    double rates[MOST], variances[MOST], shrunk[MOST], between;
    const json_t *wanted = at(expected, "tau2");
    size_t count = numbers(at(at(input, "tau2"), "p"), rates);
    numbers(at(at(input, "tau2"), "V"), variances);
    assert_true(assay_inequity_shrink(rates, variances, count, shrunk, &between));
    assert_near(between, number(at(wanted, "tau2")), "tau2");
    for (size_t n = 0; n < count; ++n)
        assert_near(shrunk[n], number(json_array_get(at(wanted, "shrunk"), n)), "shrunk");
    assert_near(assay_inequity_of(shrunk, count).max_min, number(at(wanted, "max_min")), "max_min");
}

static void guaranteed_ranges_agree(void **state) {
    (void)state;
    double low[MOST], high[MOST];
    const json_t *box = at(input, "box"), *wanted = at(expected, "box");
    size_t count = json_array_size(box);
    for (size_t n = 0; n < count; ++n) {
        low[n] = number(json_array_get(json_array_get(box, n), 0));
        high[n] = number(json_array_get(json_array_get(box, n), 1));
    }
    assay_inequity_range range;
    assert_ok(assay_inequity_box(low, high, count, &range));
    const json_t *ratio = at(wanted, "max_min"), *mean = at(wanted, "max_geomean");
    assert_near(range.least.max_min, number(json_array_get(ratio, 0)), "least max/min");
    assert_near(range.most.max_min, number(json_array_get(ratio, 1)), "most max/min");
    assert_near(range.least.max_geomean, number(json_array_get(mean, 0)), "least max/geomean");
    assert_near(range.most.max_geomean, number(json_array_get(mean, 1)), "most max/geomean");
}

static void exact_permutation_agrees(void **state) {
    (void)state;
    double x[MOST], m[MOST], label[MOST];
    uint32_t group_of[MOST];
    const json_t *given = at(input, "perm"), *wanted = at(expected, "perm");
    size_t count = numbers(at(given, "x"), x);
    numbers(at(given, "m"), m);
    numbers(at(given, "group"), label);
    for (size_t n = 0; n < count; ++n) group_of[n] = (uint32_t)label[n];
    assay_permutation found;
    assert_ok(assay_permute_groups(x, m, group_of, count, 2, 1000, 1, &found));
    assert_true(found.exact);
    assert_int_equal(found.deals, json_integer_value(at(wanted, "n")));
    assert_near(found.difference, number(at(wanted, "stat")), "stat");
    assert_near(found.p, number(at(wanted, "p")), "p");
    assert_near(found.mean, number(at(wanted, "null_mean")), "null_mean");
}

static void null_reference_agrees_to_what_chance_allows(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    const json_t *given = at(input, "null"), *wanted = at(expected, "null_random_3pct");
    double m[MOST], g[MOST];
    size_t count = numbers(at(given, "comparisons"), m);
    assay_chance_group groups[MOST];
    numbers(at(given, "g"), g);
    for (size_t n = 0; n < count; ++n) groups[n] = (assay_chance_group){m[n], g[n], (double)NAN};
    assay_inequity *draws = calloc(DRAWS, sizeof *draws);
    assay_inequity_chance found;
    assert_ok(assay_inequity_draw(groups, count, number(at(given, "p")), 1, DRAWS, draws));
    assert_ok(assay_inequity_summarise(draws, DRAWS, &found));
    free(draws);
    const json_t *ratio = at(wanted, "max_min"), *mean = at(wanted, "max_geomean");
    assert_within(found.mean.max_min, number(at(ratio, "mean")), RANDOM, "max/min");
    assert_within(found.beyond.max_min, number(at(ratio, "p95")), RANDOM, "max/min, 95 %");
    assert_within(found.mean.max_geomean, number(at(mean, "mean")), RANDOM, "max/geomean");
    assert_within(found.beyond.max_geomean, number(at(mean, "p95")), RANDOM, "max/geomean, 95 %");
}

int main(void) {
    const char *given = getenv("ASSAY_ORACLE"), *data = getenv("ASSAY_DATA");
    char path[1200];
    json_error_t fault;
    if (given)
        snprintf(oracle, sizeof oracle, "%s", given);
    else if (data)
        snprintf(oracle, sizeof oracle, "%s/../oracle", data);
    snprintf(path, sizeof path, "%s/cases/07_demographic.json", oracle);
    if (!*oracle || access(path, R_OK) != 0) {
        printf("skipped: neither ASSAY_ORACLE nor ASSAY_DATA leads to the oracle's cases\n");
        return 77;
    }
    root = json_load_file(path, 0, &fault);
    if (!root) {
        printf("%s:%d: %s\n", path, fault.line, fault.text);
        return 1;
    }
    input = json_object_get(root, "input");
    expected = json_object_get(root, "expected");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_agree),
        cmocka_unit_test(tests_of_groups_agree),
        cmocka_unit_test(holm_agrees),
        cmocka_unit_test(shrunken_rates_agree),
        cmocka_unit_test(guaranteed_ranges_agree),
        cmocka_unit_test(exact_permutation_agrees),
        cmocka_unit_test(null_reference_agrees_to_what_chance_allows),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(root);
    return failed;
}
