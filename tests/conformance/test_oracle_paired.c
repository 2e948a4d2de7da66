/* test_oracle_paired -- comparison of two releases, the gate's rules and sizes against the cases of
 * a slow, plain reference that shares no code with them; skips where they are not there. */
#include "tests/conformance/fixtures_oracle.h"

#include "reports/decision.h"
#include "reports/figures.h"
#include "reports/pairing.h"
#include "reports/sizes.h"

static void tango_limits_at_whole_and_effective_counts(void **state) {
    (void)state;
    json_t *root = read_case("08_gate.json"), *in = at(root, "input"), *item;
    json_t *expected = at(at(root, "expected"), "tango");
    size_t n;
    json_array_foreach(at(in, "tango"), n, item) {
        double low, high;
        assay_tango_limits(number_at(item, 0), number_at(item, 1), number_at(item, 2),
                           number(at(in, "level")), &low, &high);
        assert_near(low, number_at(json_array_get(expected, n), 0), "low");
        assert_near(high, number_at(json_array_get(expected, n), 1), "high");
    }
    assert_true(n == 5);
    json_decref(root);
}

/* The reference's word for a state. */
static assay_state state_of(const char *name) {
    if (!strcmp(name, "PASS_SUPERIOR")) return ASSAY_STATE_PASS_SUPERIOR;
    if (!strcmp(name, "PASS_NON_INFERIOR")) return ASSAY_STATE_PASS;
    if (!strcmp(name, "FAIL")) return ASSAY_STATE_FAIL;
    if (!strcmp(name, "NOT_ENOUGH_DATA")) return ASSAY_STATE_NOT_ENOUGH;
    assert_string_equal(name, "NOT_ENOUGH_DATA_LEANS_WORSE");
    return ASSAY_STATE_LEANS_WORSE;
}

static assay_verdict verdict_of(const char *name) {
    if (!strcmp(name, "PASS")) return ASSAY_VERDICT_PASS;
    if (!strcmp(name, "FAIL")) return ASSAY_VERDICT_FAIL;
    assert_string_equal(name, "NOT_ENOUGH_DATA");
    return ASSAY_VERDICT_NOT_ENOUGH;
}

static void states_and_verdicts_of_the_gate(void **state) {
    (void)state;
    json_t *root = read_case("08_gate.json"), *in = at(root, "input"), *item;
    json_t *expected = at(root, "expected");
    size_t n;
    json_array_foreach(at(in, "gate"), n, item) assert_int_equal(
        assay_decide_margin(number_at(item, 0), number_at(item, 1), number_at(item, 2)),
        state_of(json_string_value(json_array_get(at(expected, "gate"), n))));
    assert_true(n == 5);
    json_array_foreach(at(in, "combine"), n, item) {
        json_t *names = json_array_get(item, 0), *values = json_array_get(item, 1);
        size_t count = json_array_size(names);
        assay_state states[8];
        double p[8];
        for (size_t k = 0; k < count; ++k) {
            states[k] = state_of(json_string_value(json_array_get(names, k)));
            p[k] = number_at(values, k);
        }
        assert_int_equal(assay_decide(states, p, count, 0.05),
                         verdict_of(json_string_value(json_array_get(at(expected, "combine"), n))));
    }
    assert_true(n == 3);
    json_decref(root);
}

static void releases_swapped_within_subjects(void **state) {
    (void)state;
    json_t *root = read_case("08_gate.json"), *in = at(at(root, "input"), "sign_swap");
    int64_t differences[16];
    for (size_t n = 0; n < json_array_size(in); ++n) differences[n] = (int64_t)number_at(in, n);
    assert_near(assay_sign_swap_p(differences, json_array_size(in)),
                number(at(at(root, "expected"), "sign_swap")), "sign swap");
    json_decref(root);
}

static void sizes_of_sets(void **state) {
    (void)state;
    json_t *root = read_case("12_sizes.json"), *expected = at(root, "expected"), *value;
    const char *key;
    unsigned seen = 0;
    json_object_foreach(at(expected, "n_zero"), key, value) {
        double x = strtod(key, NULL);
        assert_true(assay_size_no_match(x, 0.05) == number_at(value, 0));
        assert_true(assay_size_no_match_guaranteed(x, 0.05) == number_at(value, 1));
        ++seen;
    }
    json_object_foreach(at(expected, "n_fmr"), key, value) {
        double x, relative, cv2;
        assert_int_equal(sscanf(key, "%lf,%lf,%lf", &x, &relative, &cv2), 3);
        assert_true(assay_size_fmr(x, relative, cv2, 0.05) == number(value));
        ++seen;
    }
    json_object_foreach(at(expected, "n_gate"), key, value) {
        double psi, margin, effect, m;
        assert_int_equal(
            sscanf(key, "psi=%lf,margin=%lf,deff=%lf,m=%lf", &psi, &margin, &effect, &m), 4);
        assert_true(assay_size_margin(psi, margin, 0, effect, m, 0.05, ASSAY_SIZE_POWER) ==
                    number(value));
        ++seen;
    }
    json_object_foreach(at(expected, "n_ratio"), key, value) {
        double p, ratio, groups;
        assert_int_equal(sscanf(key, "p=%lf,R=%lf,G=%lf", &p, &ratio, &groups), 3);
        assert_true(assay_size_ratio(p, ratio, groups, 1, 1, 0.05, ASSAY_SIZE_POWER) ==
                    number(value));
        ++seen;
    }
    assert_int_equal(seen, 4 + 12 + 3 + 3);
    json_decref(root);
}

/* ---- a whole comparison, from the evidence of two releases ---- */

typedef struct {
    const json_t *expected;
    const json_t *gate, *pairs; /* of the thresholds that were set on the data; else NULL */
    unsigned shown;
} paired_check;

static assay_status check_cell(void *context, uint32_t group, const assay_paired_cell *cell) {
    paired_check *check = context;
    const json_t *expected = check->expected;
    assert_int_equal(group, 0);
    ++check->shown;
    assert_true(!cell->attempted_shift == !check->pairs);
    if (check->pairs) assert_near(cell->attempted_shift->pairs, number(check->pairs), "S2");
    /* Every sample is enrolled: completed comparisons are the attempted ones. */
    assay_difference both[] = {assay_paired_gfnmr(cell, 0.05), assay_paired_fnmr(cell, 0.05)};
    for (size_t n = 0; n < 2; ++n) {
        const assay_difference *found = &both[n];
        assert_null(found->reason);
        assert_near(found->value, number(at(expected, "diff")), "diff");
        assert_near(found->only_b, number(at(expected, "b")), "b");
        assert_near(found->only_a, number(at(expected, "c")), "c");
        assert_near(found->trials, number(at(expected, "G")), "G");
        assert_near(found->variance, number(at(expected, "V")), "V");
        assert_near(found->design_effect, number(at(expected, "deff")), "deff");
        assert_near(found->low, number(at(expected, "lo")), "lo");
        assert_near(found->high, number(at(expected, "hi")), "hi");
        assert_near(found->low_one, number(at(expected, "lo_one_sided")), "lo_one_sided");
        assert_near(found->high_one, number(at(expected, "hi_one_sided")), "hi_one_sided");
    }
    const char *margin;
    json_t *state;
    json_object_foreach((json_t *)check->gate, margin, state) assert_int_equal(
        assay_decide_margin(both[0].low_one, both[0].high_one, strtod(margin, NULL)),
        state_of(json_string_value(state)));
    /* p crosses alpha where the bound crosses the margin. */
    assert_near(assay_difference_p_above(&both[0], both[0].low_one), 0.05, "p at the bound");
    return ASSAY_OK;
}

static void two_releases_on_the_same_comparisons(void **state) {
    (void)state;
    static people all;
    memset(&all, 0, sizeof all);
    json_t *root = read_case("06_evaluation.json"), *expected = at(root, "expected");
    assay_evidence a, b;
    assay_figures figures_a, figures_b;
    assay_pairing pairing;
    read_people(&all);
    make_evaluation(&all, 0, &a);
    make_evaluation(&all, 1, &b);
    assert_ok(assay_figures_compute(&a, NULL, 0, &figures_a));
    assert_ok(assay_figures_compute(&b, NULL, 0, &figures_b));
    assert_null(assay_pairing_fault(&a, &b));
    assert_ok(assay_pairing_open(figures_a.sampling, figures_b.sampling, &pairing));
    assert_int_equal(targets[1] * 1000, 3);
    assay_cut cut_a = assay_point_cut(&figures_a, &figures_a.points[1]);
    assay_cut cut_b = assay_point_cut(&figures_b, &figures_b.points[1]);
    paired_check check = {.expected = at(expected, "paired_at_fmr_3e-3"),
                          .gate = at(expected, "gate"),
                          .pairs = at(expected, "paired_S2")};
    assert_ok(assay_pairing_all(&pairing, &cut_a, &cut_b, check_cell, &check));
    check = (paired_check){.expected = at(expected, "paired_fixed_thresholds"), .shown = 1};
    cut_a.set_for = cut_b.set_for = (double)NAN;
    assert_ok(assay_pairing_all(&pairing, &cut_a, &cut_b, check_cell, &check));
    assert_int_equal(check.shown, 2);
    assay_pairing_close(&pairing);
    assay_figures_free(&figures_a);
    assay_figures_free(&figures_b);
    assay_evidence_free(&a);
    assay_evidence_free(&b);
    json_decref(root);
}

int main(void) {
    if (!find_oracle()) {
        printf("skipped: neither ASSAY_ORACLE nor ASSAY_DATA/../oracle is a folder with cases/\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tango_limits_at_whole_and_effective_counts),
        cmocka_unit_test(states_and_verdicts_of_the_gate),
        cmocka_unit_test(releases_swapped_within_subjects),
        cmocka_unit_test(sizes_of_sets),
        cmocka_unit_test(two_releases_on_the_same_comparisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
