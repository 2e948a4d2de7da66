/* test_oracle_quality -- error versus discard against the cases of a slow, plain reference that
 * shares no code with it. Skips where the cases are not there. */
#include "tests/conformance/fixtures_oracle.h"

#include "reports/discard.h"

static void error_versus_discard_is_the_reference_s(void **unused) {
    (void)unused;
    json_t *root = read_case("11_edc_dsys.json");
    const json_t *input = at(at(root, "input"), "edc");
    const json_t *quality = at(input, "quality"), *score = at(input, "score");
    const json_t *limits = at(input, "limits"), *expected = at(at(root, "expected"), "edc");
    double threshold = number(at(input, "t"));
    assay_discard_level levels[64];
    size_t count = json_array_size(quality);
    assert_true(count > 5 && count < 64 && json_array_size(limits) == 3);
    for (size_t n = 0; n < count; ++n)
        levels[n] =
            (assay_discard_level){number_at(quality, n), 1, number_at(score, n) < threshold};
    count = assay_discard_levels_join(levels, count);
    for (size_t l = 0; l < json_array_size(limits); ++l) {
        const json_t *one = json_array_get(expected, l), *steps = at(one, "curve");
        assay_discard_curve curve;
        assert_ok(assay_discard_curve_make(levels, count, number_at(limits, l), &curve));
        assert_near(curve.area, number(at(one, "pauc")), "pauc");
        assert_near(curve.area_above, number(at(one, "pauc_minus_best")), "pauc_minus_best");
        assert_int_equal(curve.count, json_array_size(steps));
        for (size_t n = 0; n < curve.count; ++n) {
            assert_near(curve.steps[n].discarded, number_at(json_array_get(steps, n), 0), "share");
            assert_near(curve.steps[n].rate, number_at(json_array_get(steps, n), 1), "rate");
        }
        assay_discard_curve_free(&curve);
    }
    json_decref(root);
}

int main(void) {
    if (!find_oracle()) {
        printf("skipped: neither ASSAY_ORACLE nor ASSAY_DATA/../oracle is a folder with cases/\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_versus_discard_is_the_reference_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
