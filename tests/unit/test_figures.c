/* test_figures -- figures against inputs whose answers are known before they run. */
#include "tests/unit/fixtures_evidence.h"

#include "datasets/base/random.h"
#include "reports/figures.h"

static assay_score_list list_of(double *scores, uint64_t count) {
    return assay_score_list_sort(scores, count);
}

/* ---- thresholds ---- */

static void threshold_is_the_smallest_score_that_the_target_allows(void **state) {
    (void)state;
    double scores[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, threshold;
    assay_score_list list = list_of(scores, 10);
    assert_true(assay_threshold(&list, 3, &threshold));
    assert_true(threshold == 8);
    assert_int_equal(assay_scores_at_least(&list, threshold), 3);
    assert_true(assay_threshold(&list, 10, &threshold));
    assert_true(threshold == 1);
}

static void ties_at_the_threshold_move_together(void **state) {
    (void)state;
    double scores[] = {9, 7, 7, 7, 5, 3}, threshold;
    assay_score_list list = list_of(scores, 6);
    for (uint64_t allowed = 1; allowed <= 3; ++allowed) {
        assert_true(assay_threshold(&list, allowed, &threshold));
        assert_true(threshold == 9);
    }
    assert_true(assay_threshold(&list, 4, &threshold));
    assert_true(threshold == 7);
}

static void threshold_is_just_above_the_top_where_even_that_is_too_many(void **state) {
    (void)state;
    double scores[] = {0.5, 0.5, 0.25}, threshold;
    assay_score_list list = list_of(scores, 3);
    for (uint64_t allowed = 0; allowed <= 1; ++allowed) {
        assert_true(assay_threshold(&list, allowed, &threshold));
        assert_true(threshold == nextafter(0.5, 1));
        assert_int_equal(assay_scores_at_least(&list, threshold), 0);
    }
}

static void threshold_below_the_kept_scores_is_not_guessed(void **state) {
    (void)state;
    double scores[] = {9, 8, 7}, threshold;
    assay_score_list list = list_of(scores, 3);
    list.complete = false;
    assert_true(assay_threshold(&list, 2, &threshold));
    assert_false(assay_threshold(&list, 3, &threshold));
}

static void allowed_errors_are_rounded_down_but_not_by_binary_fractions(void **state) {
    (void)state;
    assert_true(0.29 * 100 < 29);
    assert_int_equal(assay_allowed_errors(0.29, 100), 29);
    assert_int_equal(assay_allowed_errors(1e-3, 20604), 20);
    assert_int_equal(assay_allowed_errors(1e-6, 999999), 0);
    assert_int_equal(assay_allowed_errors(1e-6, 1000000), 1);
    assert_int_equal(assay_allowed_errors(1, 7), 7);
}

/* ---- whole lists ---- */

static void auc_counts_ties_half(void **state) {
    (void)state;
    const double mated[] = {1, 2}, non_mated[] = {0, 1, 1, 3};
    assay_whole_figures figures;
    assert_ok(assay_score_figures(mated, 2, non_mated, 4, &figures));
    /* 1 beats one and ties with two; 2 beats three: (1 + 2/2 + 3) / 8. */
    assert_true(figures.auc.value == 0.625);
    assert_int_equal(figures.auc.source, ASSAY_FIGURE_EXACT);
}

static void eer_takes_the_step_with_the_smaller_sum_beside_the_crossing(void **state) {
    (void)state;
    const double mated[] = {2, 4, 5, 6}, non_mated[] = {0, 1, 2, 3, 3.5};
    assay_whole_figures figures;
    assert_ok(assay_score_figures(mated, 4, non_mated, 5, &figures));
    /* At 3: FMR 2/5 > FNMR 1/4. At 3.5: FMR 1/5 <= FNMR 1/4, and the smaller sum. */
    assert_true(figures.eer.low == 0.2 && figures.eer.high == 0.25);
    assert_true(fabs(figures.eer.value.value - 0.225) < 1e-15);
    assert_true(figures.eer.threshold == 3.5);
}

static void eer_of_separated_scores_is_zero(void **state) {
    (void)state;
    const double mated[] = {5, 6}, non_mated[] = {1, 2};
    assay_whole_figures figures;
    assert_ok(assay_score_figures(mated, 2, non_mated, 2, &figures));
    assert_true(figures.eer.value.value == 0 && figures.auc.value == 1);
}

static void dprime_uses_variances_of_the_population(void **state) {
    (void)state;
    const double mated[] = {4, 6}, non_mated[] = {0, 2};
    assay_whole_figures figures;
    assert_ok(assay_score_figures(mated, 2, non_mated, 2, &figures));
    assert_true(figures.mated_mean.value == 5 && figures.mated_sd.value == 1);
    assert_true(figures.dprime.value == 4);
}

static void empty_lists_give_reasons_and_bad_scores_are_refused(void **state) {
    (void)state;
    const double scores[] = {1, NAN};
    assay_whole_figures figures;
    assert_ok(assay_score_figures(scores, 0, scores, 1, &figures));
    assert_non_null(figures.auc.reason);
    assert_non_null(figures.eer.value.reason);
    assert_non_null(figures.dprime.reason);
    assert_true(isnan(figures.mated_mean.value));
    assert_int_equal(assay_score_figures(scores, 2, scores, 1, &figures), ASSAY_USAGE);
}

static void equal_scores_have_no_spread_at_all(void **state) {
    (void)state;
    /* 0.1 is no sum of few powers of two: a mean of 1000 of them is off by rounding. */
    double mated[3] = {0.7, 0.7, 0.7}, non_mated[1000];
    assay_whole_figures figures;
    for (int n = 0; n < 1000; ++n) non_mated[n] = 0.1;
    assert_ok(assay_score_figures(mated, 3, non_mated, 1000, &figures));
    assert_true(figures.non_mated_sd.value == 0 && figures.mated_sd.value == 0);
    assert_true(figures.non_mated_mean.value == 0.1);
    assert_true(isnan(figures.dprime.value));
    assert_non_null(figures.dprime.reason);
    /* So has a histogram of one bin, whose centre is a third. */
    uint64_t above[] = {7, 7, 0};
    assay_coarse coarse = {.above = above, .count = 2, .pairs = 7, .non_mated = 7};
    coarse.lowest = -1 / 3.0;
    coarse.width = 1 / 7.0;
    coarse.last = 1 / 10.0;
    assert_true(assay_coarse_sd(&coarse).value == 0);
}

/* ---- a small evidence by hand: subjects a a a b b c ---- */

static const uint32_t small_subjects[] = {0, 0, 0, 1, 1, 2};

/* Mated: (0,1) 0.5, (0,2) 0.25, (1,2) 0.75, (3,4) 0.5; non-mated (i,j): (i + j) / 64. */
static double small_score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    (void)context;
    if (evidence->table.subject[i] != evidence->table.subject[j]) return (i + j) / 64.0;
    if (i == 0 && j == 2) return 0.25;
    return i == 1 ? 0.75 : 0.5;
}

static void small_start(assay_evidence *evidence) {
    static const double given[] = {0.5};
    fixture_start(evidence, "r", "1", 6, 3, small_subjects);
    evidence->protocol.thresholds = malloc(sizeof given);
    memcpy(evidence->protocol.thresholds, given, sizeof given);
    evidence->protocol.threshold_count = 1;
    fixture_targets(evidence, (const double[]){0.2}, 1);
}

static void score_at_the_threshold_is_a_match(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    const assay_operating_point *given = &figures.points[1];
    assert_int_equal(given->source, ASSAY_THRESHOLD_GIVEN);
    assert_int_equal(given->fnmr.errors, 1); /* the one of 0.25, none of 0.5 */
    assert_int_equal(given->fnmr.trials, 4);
    assert_int_equal(given->fmr.errors, 0);
    assert_int_equal(given->fmr.trials, 11);
    /* floor(0.2 * 11) = 2 of 9/64 (4,5), 8/64 (3,5), 7/64 (2,5): threshold 8/64. */
    assert_true(figures.points[0].threshold == 8 / 64.0);
    assert_int_equal(figures.points[0].fmr.errors, 2);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void target_that_too_few_comparisons_can_show_is_not_reached(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    /* Eleven comparisons: 0.2 allows two, 0.01 none. */
    fixture_targets(&evidence, (const double[]){0.2, 0.01}, 2);
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    assert_true(figures.points[0].reached && !figures.points[0].reached_reason);
    assert_false(figures.points[1].reached);
    assert_non_null(strstr(figures.points[1].reached_reason, "fewer than 1/f"));
    assert_true(figures.points[1].threshold > assay_score_at(&figures.tail, 0));
    assert_true(figures.points[2].reached); /* given; no false match there either */
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static double tied_score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    (void)context;
    return evidence->table.subject[i] == evidence->table.subject[j] ? 0.5 : 0.25;
}

static void target_that_ties_keep_out_of_reach_is_not_reached(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    fixture_compare(&evidence, tied_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    assert_int_equal(figures.points[0].fmr.errors, 0);
    assert_false(figures.points[0].reached);
    assert_non_null(strstr(figures.points[0].reached_reason, "equal"));
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void one_image_under_two_subjects_is_counted_by_pairs(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    /* Subjects a a a b b c: 0, 1 and 3, 4 share an image: four pairs of two subjects; that of 2 and
     * 5 is another; 5 is not enrolled, and samples without an image are not alike. */
    static const uint8_t first[] = {1, 1, 2, 1, 1, 2};
    for (int row = 0; row < 6; ++row) evidence.table.image_digest[row].bytes[31] = first[row];
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    assert_int_equal(figures.identical_images, 5);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
    small_start(&evidence);
    for (int row = 0; row < 6; ++row) evidence.table.image_digest[row].bytes[31] = first[row];
    evidence.table.enrolment[5] = ASSAY_ENROLMENT_REFUSED;
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    assert_int_equal(figures.identical_images, 4);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
    small_start(&evidence);
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    assert_int_equal(figures.identical_images, 0);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void nobody_enrolled_leaves_every_rate_without_a_value(void **state) {
    (void)state;
    for (int enrolled = 0; enrolled <= 1; ++enrolled) {
        assay_evidence evidence;
        assay_figures figures;
        small_start(&evidence);
        for (int row = enrolled; row < 6; ++row)
            evidence.table.enrolment[row] = ASSAY_ENROLMENT_REFUSED;
        fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
        assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
        assert_int_equal(figures.enrolled, enrolled);
        assert_non_null(figures.points[0].reason);
        assert_false(figures.points[0].reached);
        assert_non_null(figures.points[1].fmr.reason);
        assert_non_null(figures.points[1].fnmr.reason);
        assert_non_null(figures.whole.auc.reason);
        assert_non_null(figures.whole.eer.value.reason);
        assert_non_null(figures.whole.non_mated_mean.reason);
        assert_int_equal(figures.fte.errors, 6 - enrolled);
        assay_figures_free(&figures);
        assay_evidence_free(&evidence);
    }
}

static void failed_enrolment_is_a_miss_of_attempted_and_no_completed_comparison(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    evidence.table.enrolment[2] = ASSAY_ENROLMENT_REFUSED;
    evidence.table.enrolment[4] = ASSAY_ENROLMENT_EXCLUDED;
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    const assay_operating_point *given = &figures.points[1];
    /* Completed: (0,1). Attempted: (0,1), (0,2), (1,2); (3,4) takes no part at all. */
    assert_int_equal(given->fnmr.errors, 0);
    assert_int_equal(given->fnmr.trials, 1);
    assert_int_equal(given->gfnmr.errors, 2);
    assert_int_equal(given->gfnmr.trials, 3);
    assert_int_equal(figures.fte.errors, 1);
    assert_int_equal(figures.fte.trials, 5);
    assert_int_equal(figures.excluded, 1);
    /* Enrolled 0 1 3 5: five non-mated; attempted 0 1 2 3 5: seven. */
    assert_int_equal(given->fmr.trials, 5);
    assert_int_equal(given->gfmr.trials, 7);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void subjects_weigh_alike_in_the_subject_weighted_rate(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    /* a misses 1 of 3, b 0 of 1. */
    assert_true(fabs(figures.points[1].subject_fnmr - 1 / 6.0) < 1e-15);
    assert_int_equal(figures.mated_subjects, 2);
    assert_int_equal(figures.top_mated, 4);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void mated_pair_belongs_to_the_group_of_its_probe(void **state) {
    (void)state;
    static const char *const places[] = {"late", "mid", "early", "x", "x", "x"};
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    fixture_attribute(&evidence, "place", ASSAY_SOURCE_NOT_STATED, places);
    evidence.table.attributes[0].level = ASSAY_LEVEL_SAMPLE;
    for (uint32_t row = 0; row < 3; ++row) evidence.table.captured[row] = 1000 - (int64_t)row;
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    const assay_attribute_figures *place = &figures.attributes[0];
    assert_string_equal(place->groups[0].label, "late");
    assert_int_equal(place->groups[0].points[1].fnmr.trials, 2); /* (0,1) and (0,2) */
    assert_int_equal(place->groups[0].points[1].fnmr.errors, 1);
    assert_int_equal(place->groups[1].points[1].fnmr.trials, 1); /* (1,2) */
    assert_int_equal(place->groups[2].points[1].fnmr.trials, 0);
    assert_non_null(place->groups[2].points[1].fnmr.reason);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void evidence_that_contradicts_itself_is_refused(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    small_start(&evidence);
    fixture_compare(&evidence, small_score, NULL, FIXTURE_ALL);
    --evidence.mated_count;
    assert_int_equal(assay_figures_compute(&evidence, NULL, 0, &figures), ASSAY_DISAGREES);
    ++evidence.mated_count;
    ++evidence.non_mated;
    assert_int_equal(assay_figures_compute(&evidence, NULL, 0, &figures), ASSAY_DISAGREES);
    --evidence.non_mated;
    ++evidence.histogram_pairs;
    assert_int_equal(assay_figures_compute(&evidence, NULL, 0, &figures), ASSAY_DISAGREES);
    --evidence.histogram_pairs;
    const char *unknown = "colour";
    assert_int_equal(assay_figures_compute(&evidence, &unknown, 1, &figures), ASSAY_USAGE);
    assay_evidence_free(&evidence);
}

/* ---- a larger one with known distributions and a planted difference ---- */

enum { SUBJECTS = 150, EACH = 3, ROWS = SUBJECTS * EACH };
static const char *group_of[ROWS];

/* Non-mated: normal, sd 0.1, mean 0; 0.15 within group "planted". Mated: mean 0.5, sd 0.15. */
static double large_score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    assay_random random;
    assay_random_start(&random, 11, (uint64_t)i << 32 | j);
    double z = assay_random_normal(&random);
    if (evidence->table.subject[i] == evidence->table.subject[j]) return 0.5 + 0.15 * z;
    bool planted =
        context && group_of[i] == group_of[j] && group_of[i] && strcmp(group_of[i], "planted") == 0;
    return (planted ? 0.15 : 0) + 0.1 * z;
}

static void large_start(assay_evidence *evidence) {
    static const char *const groups[] = {"one", "two", "planted", NULL};
    static uint32_t subjects[ROWS];
    for (uint32_t row = 0; row < ROWS; ++row) {
        subjects[row] = row / EACH;
        group_of[row] = groups[subjects[row] % 4];
    }
    fixture_start(evidence, "r", "1", ROWS, SUBJECTS, subjects);
    fixture_attribute(evidence, "group", ASSAY_SOURCE_BY_CONSTRUCTION, group_of);
    evidence->table.enrolment[17] = ASSAY_ENROLMENT_FAILED;
    fixture_targets(evidence, (const double[]){1e-1, 1e-2, 1e-3, 1e-9}, 4);
}

static void pairs_of_groups_add_up_to_everything(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    large_start(&evidence);
    fixture_compare(&evidence, large_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    const assay_attribute_figures *group = &figures.attributes[0];
    assert_int_equal(group->group_count, 4);
    assert_string_equal(group->groups[3].label, "(missing)");
    assert_int_equal(group->pair_count, 10);
    for (uint32_t p = 0; p < figures.point_count; ++p) {
        uint64_t trials = 0, errors = 0, fnmr_trials = 0, fnmr_errors = 0;
        for (uint32_t n = 0; n < group->pair_count; ++n) {
            trials += group->pairs[n].fmr[p].trials;
            errors += group->pairs[n].fmr[p].errors;
        }
        for (uint32_t g = 0; g < group->group_count; ++g) {
            const assay_rate *within = &group->pairs[assay_group_pair_index(group, g, g)].fmr[p];
            assert_int_equal(within->errors, group->groups[g].points[p].fmr.errors);
            assert_int_equal(within->trials, group->groups[g].points[p].fmr.trials);
            fnmr_trials += group->groups[g].points[p].fnmr.trials;
            fnmr_errors += group->groups[g].points[p].fnmr.errors;
        }
        assert_int_equal(trials, evidence.non_mated);
        assert_int_equal(errors, figures.points[p].fmr.errors);
        assert_int_equal(fnmr_trials, evidence.mated_count);
        assert_int_equal(fnmr_errors, figures.points[p].fnmr.errors);
    }
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void counts_of_a_group_are_those_of_going_over_all_pairs(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_figures figures;
    large_start(&evidence);
    fixture_compare(&evidence, large_score, NULL, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    uint64_t trials = 0, errors = 0;
    for (uint32_t i = 0; i < ROWS; ++i)
        for (uint32_t j = i + 1; j < ROWS; ++j) {
            if (i == 17 || j == 17 || i / EACH == j / EACH) continue;
            const char *a = group_of[i], *b = group_of[j];
            if (!a || !b || strcmp(a, b) == 0 || strcmp(a, "two") == 0 || strcmp(b, "two") == 0)
                continue;
            ++trials;
            double unit = ldexp(1.0, 2 * FIXTURE_EXPONENT);
            double score = (double)llrint(large_score(NULL, &evidence, i, j) * unit) / unit;
            errors += score >= figures.points[1].threshold;
        }
    /* Groups in the order of their first samples: one, two, planted. */
    const assay_attribute_figures *group = &figures.attributes[0];
    assay_rate rate = group->pairs[assay_group_pair_index(group, 2, 0)].fmr[1];
    assert_int_equal(rate.trials, trials);
    assert_int_equal(rate.errors, errors);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void planted_difference_is_found_and_none_is_where_none_was_planted(void **state) {
    (void)state;
    for (int planted = 0; planted <= 1; ++planted) {
        assay_evidence evidence;
        assay_figures figures;
        large_start(&evidence);
        fixture_compare(&evidence, large_score, planted ? &evidence : NULL, FIXTURE_ALL);
        assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
        const assay_attribute_figures *group = &figures.attributes[0];
        double one = assay_rate_value(group->groups[0].points[1].fmr);
        double other = assay_rate_value(group->groups[2].points[1].fmr);
        /* With independent scores the counts are binomial: about 62 of 6,200 each without a planted
         * difference, so a ratio beyond 2 lies more than five standard deviations away. With it the
         * threshold lies near 0.25: P(z > 1) against P(z > 2.5), about 25. */
        if (planted)
            assert_true(other > 10 * one);
        else
            assert_true(other < 2 * one && one < 2 * other);
        assay_figures_free(&figures);
        assay_evidence_free(&evidence);
    }
}

/* ---- a tail that ends ---- */

static void assert_within_bound(assay_figure coarse, assay_figure exact) {
    assert_null(coarse.reason);
    assert_int_equal(coarse.source, ASSAY_FIGURE_COARSE);
    assert_true(coarse.bound > 0);
    if (fabs(coarse.value - exact.value) > coarse.bound)
        fail_msg("%.9g is not within %.3g of %.9g", coarse.value, coarse.bound, exact.value);
}

static void coarse_figures_lie_within_their_bounds_of_the_exact_ones(void **state) {
    (void)state;
    assay_evidence whole, cut;
    assay_figures exact, coarse;
    large_start(&whole);
    large_start(&cut);
    fixture_compare(&whole, large_score, NULL, FIXTURE_ALL);
    fixture_compare(&cut, large_score, NULL, 200);
    assert_false(cut.tail_complete);
    assert_ok(assay_figures_compute(&whole, NULL, 0, &exact));
    assert_ok(assay_figures_compute(&cut, NULL, 0, &coarse));
    assert_within_bound(coarse.whole.non_mated_mean, exact.whole.non_mated_mean);
    assert_within_bound(coarse.whole.non_mated_sd, exact.whole.non_mated_sd);
    assert_within_bound(coarse.whole.auc, exact.whole.auc);
    assert_within_bound(coarse.whole.dprime, exact.whole.dprime);
    assert_within_bound(coarse.whole.eer.value, exact.whole.eer.value);
    /* Mated scores are all there. */
    assert_true(coarse.whole.mated_mean.value == exact.whole.mated_mean.value);
    assay_figures_free(&exact);
    assay_figures_free(&coarse);
    assay_evidence_free(&whole);
    assay_evidence_free(&cut);
}

static void the_histogram_brackets_every_count_and_its_thresholds_are_conservative(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_coarse coarse;
    large_start(&evidence);
    fixture_compare(&evidence, large_score, NULL, FIXTURE_ALL);
    assert_ok(assay_coarse_create(&evidence, &coarse));
    assay_score_list all = {.pairs = evidence.tail,
                            .unit = ldexp(1.0, -2 * FIXTURE_EXPONENT),
                            .count = evidence.tail_count,
                            .complete = true};
    for (uint64_t n = 0; n < all.count; n += 7) {
        double score = assay_score_at(&all, n);
        uint64_t truly = assay_scores_at_least(&all, score);
        assert_true(assay_coarse_surely(&coarse, score) <= truly);
        assert_true(assay_coarse_maybe(&coarse, score) >= truly);
        assert_true(assay_scores_at_least(&all, assay_coarse_threshold(&coarse, n)) <= n);
    }
    assay_coarse_free(&coarse);
    assay_evidence_free(&evidence);
}

static void targets_within_the_tail_do_not_see_where_it_ends(void **state) {
    (void)state;
    assay_evidence whole, cut;
    assay_figures exact, coarse;
    large_start(&whole);
    large_start(&cut);
    fixture_compare(&whole, large_score, NULL, FIXTURE_ALL);
    fixture_compare(&cut, large_score, NULL, 200);
    assert_ok(assay_figures_compute(&whole, NULL, 0, &exact));
    assert_ok(assay_figures_compute(&cut, NULL, 0, &coarse));
    for (uint32_t p = 2; p < 4; ++p) { /* 1e-3 allows 99 */
        assert_int_equal(coarse.points[p].source, ASSAY_THRESHOLD_EXACT);
        assert_true(coarse.points[p].threshold == exact.points[p].threshold);
        assert_int_equal(coarse.points[p].fmr.errors, exact.points[p].fmr.errors);
        assert_int_equal(coarse.points[p].fnmr.errors, exact.points[p].fnmr.errors);
    }
    for (uint32_t p = 0; p < 2; ++p) {
        const assay_operating_point *point = &coarse.points[p];
        assert_int_equal(point->source, ASSAY_THRESHOLD_COARSE);
        assert_false(point->in_tail);
        uint64_t truly = assay_scores_at_least(&exact.tail, point->threshold);
        assert_true(point->fmr_fewest <= truly && truly <= point->fmr.errors);
        /* Conservative: no more match than the target allows. */
        assert_true(truly <= assay_allowed_errors(point->fmr_target, whole.non_mated));
        assert_non_null(coarse.attributes[0].groups[0].points[p].fmr.reason);
        assert_null(coarse.attributes[0].groups[0].points[p].fnmr.reason);
    }
    assay_figures_free(&exact);
    assay_figures_free(&coarse);
    assay_evidence_free(&whole);
    assay_evidence_free(&cut);
}

/* What a sample of blocks may leave: the pairs of every second bin. */
static void take_sample(assay_evidence *evidence, bool nothing) {
    evidence->protocol.histogram_mode = ASSAY_HISTOGRAM_SAMPLE;
    evidence->histogram_pairs = 0;
    for (uint32_t bin = 0; bin < evidence->bins.count; ++bin) {
        if (nothing || bin % 2) evidence->histogram[bin] = 0;
        evidence->histogram_pairs += evidence->histogram[bin];
    }
}

static void assert_estimate(assay_figure figure, const assay_evidence *evidence) {
    assert_null(figure.reason);
    assert_int_equal(figure.source, ASSAY_FIGURE_SAMPLED);
    assert_true(isnan(figure.bound) && !isnan(figure.value));
    assert_int_equal(figure.sample, evidence->histogram_pairs);
    assert_int_equal(figure.of, evidence->non_mated);
}

static void a_sampled_histogram_promises_nothing(void **state) {
    (void)state;
    assay_evidence cut;
    assay_figures figures;
    large_start(&cut);
    const double given[] = {-0.1};
    cut.protocol.thresholds = malloc(sizeof given);
    memcpy(cut.protocol.thresholds, given, sizeof given);
    cut.protocol.threshold_count = 1;
    fixture_compare(&cut, large_score, NULL, 200);
    take_sample(&cut, false);
    assert_ok(assay_figures_compute(&cut, NULL, 0, &figures));
    for (uint32_t p = 0; p < 2; ++p) { /* 1e-1 and 1e-2 lie below the tail */
        assert_true(isnan(figures.points[p].threshold) && !figures.points[p].reached);
        assert_ptr_equal(figures.points[p].reason, figures.points[p].beyond_tail);
        assert_true(isnan(figures.points[p].need.floor) && !figures.points[p].need.most);
        assert_int_equal(figures.points[p].need.comparisons,
                         assay_allowed_errors(figures.points[p].fmr_target, cut.non_mated) + 1);
    }
    assert_null(figures.points[2].reason);
    assert_int_equal(figures.points[2].source, ASSAY_THRESHOLD_EXACT);
    assert_non_null(figures.points[4].fmr.reason); /* given below the tail */
    assert_estimate(figures.whole.auc, &cut);
    assert_estimate(figures.whole.eer.value, &cut);
    assert_estimate(figures.whole.dprime, &cut);
    assert_estimate(figures.whole.non_mated_mean, &cut);
    assert_estimate(figures.whole.non_mated_sd, &cut);
    assert_true(isnan(figures.whole.eer.low) && isnan(figures.whole.eer.high));
    assay_figures_free(&figures);
    take_sample(&cut, true);
    assert_ok(assay_figures_compute(&cut, NULL, 0, &figures));
    assert_non_null(figures.points[0].reason);
    assert_non_null(strstr(figures.whole.auc.reason, "it needs a floor of "));
    assert_string_equal(figures.whole.non_mated_sd.reason, "the sample holds no comparison");
    assert_string_equal(figures.whole.dprime.reason, "the sample holds no comparison");
    assay_figures_free(&figures);
    assay_evidence_free(&cut);
}

static void without_a_histogram_what_is_not_known_says_so(void **state) {
    (void)state;
    assay_evidence cut;
    assay_figures figures;
    large_start(&cut);
    fixture_compare(&cut, large_score, NULL, 200);
    free(cut.histogram);
    cut.histogram = NULL;
    cut.histogram_pairs = 0;
    assert_ok(assay_figures_compute(&cut, NULL, 0, &figures));
    assert_non_null(figures.points[0].reason);
    assert_non_null(figures.points[0].fnmr.reason);
    assert_true(isnan(figures.points[0].threshold));
    assert_null(figures.points[3].reason);
    assert_non_null(figures.whole.non_mated_mean.reason);
    assert_non_null(figures.whole.auc.reason);
    assert_non_null(figures.whole.dprime.reason);
    assay_figures_free(&figures);
    assay_evidence_free(&cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threshold_is_the_smallest_score_that_the_target_allows),
        cmocka_unit_test(ties_at_the_threshold_move_together),
        cmocka_unit_test(threshold_is_just_above_the_top_where_even_that_is_too_many),
        cmocka_unit_test(threshold_below_the_kept_scores_is_not_guessed),
        cmocka_unit_test(allowed_errors_are_rounded_down_but_not_by_binary_fractions),
        cmocka_unit_test(auc_counts_ties_half),
        cmocka_unit_test(eer_takes_the_step_with_the_smaller_sum_beside_the_crossing),
        cmocka_unit_test(eer_of_separated_scores_is_zero),
        cmocka_unit_test(dprime_uses_variances_of_the_population),
        cmocka_unit_test(empty_lists_give_reasons_and_bad_scores_are_refused),
        cmocka_unit_test(equal_scores_have_no_spread_at_all),
        cmocka_unit_test(target_that_too_few_comparisons_can_show_is_not_reached),
        cmocka_unit_test(target_that_ties_keep_out_of_reach_is_not_reached),
        cmocka_unit_test(one_image_under_two_subjects_is_counted_by_pairs),
        cmocka_unit_test(nobody_enrolled_leaves_every_rate_without_a_value),
        cmocka_unit_test(a_sampled_histogram_promises_nothing),
        cmocka_unit_test(score_at_the_threshold_is_a_match),
        cmocka_unit_test(failed_enrolment_is_a_miss_of_attempted_and_no_completed_comparison),
        cmocka_unit_test(subjects_weigh_alike_in_the_subject_weighted_rate),
        cmocka_unit_test(mated_pair_belongs_to_the_group_of_its_probe),
        cmocka_unit_test(evidence_that_contradicts_itself_is_refused),
        cmocka_unit_test(pairs_of_groups_add_up_to_everything),
        cmocka_unit_test(counts_of_a_group_are_those_of_going_over_all_pairs),
        cmocka_unit_test(planted_difference_is_found_and_none_is_where_none_was_planted),
        cmocka_unit_test(coarse_figures_lie_within_their_bounds_of_the_exact_ones),
        cmocka_unit_test(the_histogram_brackets_every_count_and_its_thresholds_are_conservative),
        cmocka_unit_test(targets_within_the_tail_do_not_see_where_it_ends),
        cmocka_unit_test(without_a_histogram_what_is_not_known_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
