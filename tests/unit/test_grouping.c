/* test_grouping -- attributes crossed, people who are alike, and means of two ages, against going
 * over all pairs. */
#include "tests/unit/fixtures_crowd.h"

#include "reports/differentials.h"

/* Kinds of protocol, attributes of subjects and of samples, and both crossed. */
static void check_alike(assay_protocol_kind kind, uint64_t seed) {
    static const char *const names[] = {"sex", "light", "sex*light"};
    assay_evidence evidence;
    assay_figures figures;
    assay_clustering_anchor anchors[32];
    crowd_start(&evidence, kind, seed);
    assert_ok(assay_figures_compute(&evidence, names, 3, &figures));
    for (uint32_t a = 0; a < 3; ++a) {
        const assay_attribute_figures *by = &figures.attributes[a];
        cell_key cell = {.evidence = &evidence, .attribute = by->attribute, .alike = true};
        size_t count = literal_anchors(&cell, anchors);
        for (uint32_t p = 0; p < figures.point_count; ++p) {
            static dense_table table;
            fill_dense(&cell, figures.points[p].threshold, &table);
            assay_dyad_sums sums = literal_sums(&table);
            assert_int_equal(by->alike[p].errors, sums.errors);
            assert_int_equal(by->alike[p].trials, sums.trials);
            check_cell(&cell, anchors, count, figures.points[p].threshold, &by->alike_interval[p]);
        }
    }
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void people_alike_agree_with_literal_sums_under_every_protocol(void **state) {
    (void)state;
    check_alike(ASSAY_PROTOCOL_ALL, 1);
    check_alike(ASSAY_PROTOCOL_CROSS, 2);
    check_alike(ASSAY_PROTOCOL_ONE_PER_SUBJECT, 3);
    check_alike(ASSAY_PROTOCOL_PAIR_LIST, 4);
}

static void crossed_cells_agree_with_literal_sums(void **state) {
    (void)state;
    static const char *const names[] = {"sex*light"};
    assay_evidence evidence;
    assay_figures figures;
    assay_clustering_anchor anchors[32];
    crowd_start(&evidence, ASSAY_PROTOCOL_ALL, 5);
    assert_ok(assay_figures_compute(&evidence, names, 1, &figures));
    const assay_attribute_figures *by = &figures.attributes[0];
    assert_string_equal(by->attribute->name, "sex × light");
    assert_int_equal(by->group_count, 6);
    assert_int_equal(by->real_groups, 6);
    assert_int_equal(by->pair_count, 21);
    uint64_t trials = 0;
    for (uint32_t c = 0; c < by->pair_count; ++c) {
        cell_key cell = {.evidence = &evidence,
                         .attribute = by->attribute,
                         .a = by->groups[by->pairs[c].a].code,
                         .b = by->groups[by->pairs[c].b].code};
        size_t count = literal_anchors(&cell, anchors);
        trials += by->pairs[c].fmr[0].trials;
        for (uint32_t p = 0; p < figures.point_count; ++p)
            check_cell(&cell, anchors, count, figures.points[p].threshold,
                       &by->pairs[c].fmr_interval[p]);
    }
    assert_int_equal(trials, evidence.non_mated);
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void a_combination_has_the_labels_of_its_parts_and_no_real_value_without_all(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_grouping grouping;
    crowd_start(&evidence, ASSAY_PROTOCOL_ALL, 6);
    assay_sample_table *table = &evidence.table;
    table->attributes[0].codes[0] = ASSAY_CODE_SEVERAL;
    table->attributes[1].codes[1] = ASSAY_CODE_MISSING;
    table->attributes[0].codes[1] = ASSAY_CODE_UNKNOWN;
    assert_ok(assay_grouping_create(table, "sex*light", false, NULL, &grouping));
    const assay_attribute *made = grouping.attribute;
    assert_int_equal(made->codes[0], ASSAY_CODE_SEVERAL);
    assert_int_equal(made->codes[1], ASSAY_CODE_MISSING);
    assert_int_equal(made->level, ASSAY_LEVEL_SAMPLE);
    for (uint64_t row = 2; row < table->row_count; ++row) {
        char expected[64];
        snprintf(expected, sizeof expected, "%s × %s",
                 table->attributes[0].labels[table->attributes[0].codes[row]],
                 table->attributes[1].labels[table->attributes[1].codes[row]]);
        assert_string_equal(made->labels[made->codes[row]], expected);
    }
    assay_grouping_free(&grouping);
    assay_evidence_free(&evidence);
}

static void faults_of_an_expression_name_what_is_wrong(void **state) {
    (void)state;
    static const char *const bad[] = {"sex*weight", "sex*sex", "*", "sex*", "sex*light*a*b*c"};
    assay_evidence evidence;
    assay_grouping grouping;
    crowd_start(&evidence, ASSAY_PROTOCOL_ALL, 6);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; ++n) {
        assert_int_equal(assay_grouping_create(&evidence.table, bad[n], false, NULL, &grouping),
                         ASSAY_USAGE);
        assert_non_null(strstr(assay_error_text(), bad[n]));
    }
    assay_evidence_free(&evidence);
}

static void usual_crossing_takes_one_attribute_of_each_kind(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_text text = {0};
    uint32_t index;
    crowd_start(&evidence, ASSAY_PROTOCOL_ALL, 6);
    assay_grouping_usual(&evidence.table, &text);
    assert_int_equal(text.length, 0); /* sex alone */
    static const char *const more[] = {"race", "age", "gender", "ethnicity", "age_band"};
    for (size_t n = 0; n < 5; ++n)
        assert_ok(assay_sample_table_add_attribute(&evidence.table, more[n],
                                                   ASSAY_ATTRIBUTE_CATEGORICAL, ASSAY_LEVEL_SUBJECT,
                                                   ASSAY_SOURCE_NOT_STATED, &index));
    assay_grouping_usual(&evidence.table, &text);
    assert_string_equal(text.bytes, "sex*age_band*ethnicity");
    assay_text_free(&text);
    assay_evidence_free(&evidence);
}

/* Ages 10, 30, 50 … of a subject's samples in bins of twenty years. */
static void add_ages(assay_evidence *evidence) {
    static const char *const bins[] = {"0-19", "20-39", "40-59", "60-79"};
    assay_sample_table *table = &evidence->table;
    uint32_t index;
    uint16_t code;
    assert_ok(assay_sample_table_add_attribute(table, "age", ASSAY_ATTRIBUTE_NUMERIC,
                                               ASSAY_LEVEL_SAMPLE, ASSAY_SOURCE_NOT_STATED,
                                               &index));
    assay_attribute *age = &table->attributes[index];
    free(age->values); /* made with the attribute, of no bins */
    free(age->bin_low);
    free(age->bin_high);
    age->values = calloc(table->row_count, sizeof *age->values);
    age->bin_low = calloc(4, sizeof *age->bin_low);
    age->bin_high = calloc(4, sizeof *age->bin_high);
    for (size_t n = 0; n < 4; ++n) {
        assert_ok(assay_attribute_add_label(age, bins[n], &code));
        age->bin_low[n] = 20 * (double)n;
        age->bin_high[n] = 20 * (double)(n + 1);
    }
    /* Nobody is photographed between 20 and 39: only means are. */
    for (uint64_t row = 0; row < table->row_count; ++row) {
        unsigned bin = (unsigned)(row % 3) ? (unsigned)(row % 3) + 1 : 0;
        age->values[row] = 20 * bin + 5;
        age->codes[row] = (uint16_t)(ASSAY_CODE_FIRST + bin);
    }
}

static void the_age_of_a_mated_pair_may_be_the_mean_of_both(void **state) {
    (void)state;
    static const char *const names[] = {"age", "sex*age"};
    assay_evidence evidence;
    assay_figures figures, of_probes;
    crowd_start(&evidence, ASSAY_PROTOCOL_ALL, 7);
    add_ages(&evidence);
    assert_ok(assay_figures_compute_by(&evidence, names, 2, true, &figures));
    assert_ok(assay_figures_compute_by(&evidence, names, 2, false, &of_probes));
    const assay_attribute_figures *by = &figures.attributes[0];
    assert_int_equal(by->group_count, 4);
    assert_int_equal(of_probes.attributes[0].group_count, 3);
    assert_int_equal(by->groups[1].samples, 0);
    const assay_attribute *age = by->attribute;
    for (uint32_t p = 0; p < figures.point_count; ++p) {
        double t = figures.points[p].threshold;
        for (uint32_t g = 0; g < by->group_count; ++g) {
            double x[PEOPLE] = {0}, m[PEOPLE] = {0}, low = 20 * g;
            uint64_t errors = 0, trials = 0;
            for (uint64_t n = 0; n < evidence.mated_count; ++n) {
                const assay_comparison *pair = &evidence.mated[n];
                double mean = (age->values[pair->i] + age->values[pair->j]) / 2;
                if (mean < low || mean >= low + 20) continue;
                bool missed = assay_fine_score(&evidence, pair->fine) < t;
                ++m[evidence.table.subject[pair->i]];
                x[evidence.table.subject[pair->i]] += missed;
                errors += missed;
                ++trials;
            }
            const assay_group_point *point = &by->groups[g].points[p];
            assert_int_equal(point->fnmr.errors, errors);
            assert_int_equal(point->fnmr.trials, trials);
            if (g == 1) assert_true(trials > 0);
            assay_clusters clusters = {.errors = x, .comparisons = m, .count = PEOPLE};
            assay_interval expected = assay_clusters_interval(&clusters, 0.05);
            assert_close(point->fnmr_interval.low, expected.low, 1e-12, "low");
            assert_close(point->fnmr_interval.high, expected.high, 1e-12, "high");
        }
        uint64_t crossed = 0;
        for (uint32_t g = 0; g < figures.attributes[1].group_count; ++g)
            crossed += figures.attributes[1].groups[g].points[p].fnmr.trials;
        assert_int_equal(crossed, evidence.mated_count);
    }
    assay_figures_free(&figures);
    assay_figures_free(&of_probes);
    assay_evidence_free(&evidence);
}

/* The verdicts of sixty subjects in two groups, of which one is missed eight times as often. */
static double lopsided_score(void *context, const assay_evidence *evidence, uint32_t i,
                             uint32_t j) {
    assay_random random;
    assay_random_start(&random, 9, (uint64_t)i << 32 | j);
    uint32_t a = evidence->table.subject[i], b = evidence->table.subject[j];
    double u = assay_random_uniform(&random);
    if (a != b) return u < 0.02 ? 0.6 : 0;
    return u < (a % 2 && *(const bool *)context ? 0.5 : 0.05) ? 0.1 : 0.9;
}

static void lopsided_start(assay_evidence *evidence, bool planted) {
    enum { MANY = 120 };
    static uint32_t subjects[3 * MANY];
    static const char *half[3 * MANY], *few[3 * MANY];
    for (uint32_t row = 0; row < 3 * MANY; ++row) {
        subjects[row] = row / 3;
        half[row] = subjects[row] % 2 ? "odd" : "even";
        few[row] = subjects[row] < 20 ? "first" : NULL;
    }
    fixture_start(evidence, "r", "1", 3 * MANY, MANY, subjects);
    fixture_attribute(evidence, "half", ASSAY_SOURCE_NOT_STATED, half);
    fixture_attribute(evidence, "few", ASSAY_SOURCE_NOT_STATED, few);
    fixture_targets(evidence, (const double[]){0.05}, 1);
    fixture_compare(evidence, lopsided_score, &planted, FIXTURE_ALL);
}

static void a_group_that_is_missed_more_is_worse_and_none_is_without_one(void **state) {
    (void)state;
    for (int planted = 0; planted < 2; ++planted) {
        assay_evidence evidence;
        assay_figures figures;
        lopsided_start(&evidence, planted);
        assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
        assert_ok(assay_differentials_compute(&evidence, 1.5, &figures));
        const assay_attribute_figures *half = &figures.attributes[0];
        const assay_group_verdict *even = half->groups[0].points[0].verdicts;
        const assay_group_verdict *odd = half->groups[1].points[0].verdicts;
        assert_string_equal(half->groups[1].label, "odd");
        assert_int_equal(odd[ASSAY_ERROR_FNMR].standing,
                         planted ? ASSAY_STANDING_WORSE : ASSAY_STANDING_OPEN);
        assert_int_equal(odd[ASSAY_ERROR_FNMR].beyond, planted);
        assert_true(even[ASSAY_ERROR_FNMR].standing != ASSAY_STANDING_WORSE);
        assert_true(odd[ASSAY_ERROR_FMR].standing != ASSAY_STANDING_WORSE);
        const assay_differential *found = &half->differentials[0];
        assert_true(found->permuted);
        assert_true(planted ? found->permutation_p < 0.001 : found->permutation_p > 0.01);
        const assay_error_inequity *fnmr = &found->errors[ASSAY_ERROR_FNMR];
        assert_int_equal(fnmr->judged, 2);
        assert_true(fnmr->range.least.max_min <= fnmr->value.max_min);
        assert_true(fnmr->range.most.max_min >= fnmr->value.max_min);
        if (planted) assert_true(fnmr->value.max_min > fnmr->chance.beyond.max_min);
        if (planted) assert_true(fnmr->shrunk.max_min < fnmr->value.max_min);
        /* Twenty subjects, and those without a value, are not judged. */
        const assay_attribute_figures *few = &figures.attributes[1];
        assert_int_equal(few->groups[0].points[0].verdicts[0].standing, ASSAY_STANDING_NONE);
        assert_int_equal(few->groups[1].points[0].verdicts[1].standing, ASSAY_STANDING_NONE);
        assert_int_equal(few->differentials[0].errors[0].left_out, 1);
        assert_non_null(few->differentials[0].errors[0].reason);
        assert_non_null(few->differentials[0].joint_reason);
        assay_figures_free(&figures);
        assay_evidence_free(&evidence);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_alike_agree_with_literal_sums_under_every_protocol),
        cmocka_unit_test(crossed_cells_agree_with_literal_sums),
        cmocka_unit_test(a_combination_has_the_labels_of_its_parts_and_no_real_value_without_all),
        cmocka_unit_test(faults_of_an_expression_name_what_is_wrong),
        cmocka_unit_test(usual_crossing_takes_one_attribute_of_each_kind),
        cmocka_unit_test(the_age_of_a_mated_pair_may_be_the_mean_of_both),
        cmocka_unit_test(a_group_that_is_missed_more_is_worse_and_none_is_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
