/* test_planning -- what a set can show: sizes turned round, and a set whose figures are known by
 * counting. */
#include "tests/unit/fixtures_evidence.h"

#include "reports/figures.h"
#include "reports/planning.h"
#include "reports/sizes.h"

static void near(double value, double expected, const char *what) {
    if (!(fabs(value - expected) <= 1e-9 * fabs(expected)))
        fail_msg("%s: %.17g is not %.17g", what, value, expected);
}

/* What a set of N shows is what N is asked for, and no less. */
static void reach_is_size_turned_round(void **state) {
    (void)state;
    for (double n = 500; n < 1e6; n *= 7)
        for (double cv2 = 0; cv2 < 3; ++cv2) {
            double fmr = assay_reach_fmr(n, 0.3, cv2, 0.05);
            if (isinf(fmr)) {
                assert_true(assay_size_fmr(1, 0.3, cv2, 0.05) > n);
                continue;
            }
            assert_true(assay_size_fmr(fmr * (1 + 1e-9), 0.3, cv2, 0.05) <= n);
            assert_true(assay_size_fmr(fmr * (1 - 1e-6), 0.3, cv2, 0.05) > n);
        }
    double margin = assay_reach_margin(0.01, 1.5, 3000, 0.05, 0.8);
    assert_true(assay_size_margin(0.01, margin * (1 + 1e-12), 0, 1.5, 3, 0.05, 0.8) == 1000);
    assert_true(assay_size_margin(0.01, margin * (1 - 1e-3), 0, 1.5, 3, 0.05, 0.8) > 1000);
    double ratio = assay_reach_ratio(3436, 0.01, 8, 1, 1, 0.05, 0.8);
    assert_true(ratio <= 2 && ratio > 1.999); /* 3,436 is the size for a ratio of 2 */
    assert_true(isinf(assay_reach_ratio(3, 0.01, 8, 1, 1, 0.05, 0.8)));
    /* By hand: 2 / (N (N - 1) (ln 1.3 / 1.959964)^2) without anybody who matches many. */
    near(assay_reach_fmr(1001, 0.3, 0, 0.05),
         2 / (1001.0 * 1000 * pow(log(1.3) / 1.9599639845400545, 2)), "FMR");
}

/* ---- a set ---- */

enum { PEOPLE = 80 };

/* Each of 80 people has two samples; every tenth person is missed, and 40 pairs of neighbours of
 * different persons match. */
static double score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    (void)context;
    uint32_t a = evidence->table.subject[i], b = evidence->table.subject[j];
    if (a == b) return a % 10 ? 0.9 : -0.9;
    if (i % 2 == 0 && j % 2 == 0 && a + 1 == b && a % 2 == 0) return 0.5;
    return -0.001 * (double)(i + j);
}

static void make(assay_evidence *evidence) {
    static uint32_t subjects[2 * PEOPLE];
    static const char *sex[2 * PEOPLE];
    for (uint32_t row = 0; row < 2 * PEOPLE; ++row) {
        subjects[row] = row / 2;
        sex[row] = row / 2 % 4 == 3 ? "b" : "a";
    }
    fixture_start(evidence, "r", "1", 2 * PEOPLE, PEOPLE, subjects);
    fixture_attribute(evidence, "sex", ASSAY_SOURCE_NOT_STATED, sex);
    fixture_targets(evidence, (const double[]){1e-2, 4e-3, 1e-3}, 3);
    fixture_compare(evidence, score, NULL, FIXTURE_ALL);
}

static void a_set_says_what_it_can_show(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_planning plan;
    assay_planning_options options = {.deployment = {(double)NAN, (double)NAN},
                                      .relative = 0.3,
                                      .discordance = (double)NAN,
                                      .alpha = 0.05,
                                      .power = 0.8};
    make(&evidence);
    assert_ok(assay_planning_look(&evidence, &options, &plan));
    /* 12,640 comparisons: 1e-3 allows 12 false matches, 4e-3 allows 50. */
    assert_true(plan.deployment.fmr == 4e-3 && plan.threshold < 0.5);
    assert_true(plan.reach_count == 3);
    const assay_planning_reach *all = &plan.reaches[0], *a = &plan.reaches[1];
    assert_null(all->attribute);
    assert_true(all->subjects == 80 && all->mated == 80 && all->non_mated == 12640);
    near(all->gfnmr, 0.1, "gFNMR");
    near(plan.base, 0.1, "base");
    near(plan.discordance, 2 * 0.1 * 0.9, "discordance");
    near(all->bound, -log(0.05) / 12640, "rule of three");
    near(all->bound_guaranteed, -expm1(log(0.05) / 40), "forty pairs that share nobody");
    assert_true(!isnan(all->bound_seen) && all->bound_seen >= all->bound * (1 - 1e-12));
    near(all->margin, assay_reach_margin(plan.discordance, all->design_effect, 80, 0.05, 0.8),
         "margin");
    near(all->design_effect, 80.0 / 79, "design effect of people with one comparison each");
    assert_true(isnan(all->ratio));
    assert_string_equal(a->attribute, "sex");
    assert_string_equal(a->group, "a");
    assert_true(a->subjects == 60 && a->mated == 60);
    assert_true(a->ratio > 1 && plan.reaches[2].ratio > a->ratio);
    assert_true(plan.reaches[2].margin > all->margin);
    assay_planning_free(&plan);

    /* Nobody is missed at a low threshold: margins are then made for what may be. */
    options.deployment.threshold = -1;
    assert_ok(assay_planning_look(&evidence, &options, &plan));
    assert_true(plan.reaches[0].gfnmr == 0 && plan.base > 0.03 && plan.base < 0.05);
    assert_true(plan.reaches[0].margin > 0);
    assay_planning_free(&plan);
    assay_evidence_free(&evidence);
}

static void scores_without_people_are_refused(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_planning plan;
    assay_planning_options options = {.deployment = {0.01, (double)NAN}};
    make(&evidence);
    evidence.protocol.kind = ASSAY_PROTOCOL_SCORES;
    assert_int_equal(assay_planning_look(&evidence, &options, &plan), ASSAY_USAGE);
    assay_evidence_free(&evidence);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reach_is_size_turned_round),
        cmocka_unit_test(a_set_says_what_it_can_show),
        cmocka_unit_test(scores_without_people_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
