/* test_plan -- the order of templates, who takes part, and what every pair is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "harness/plan.h"

/* 40 subjects of 1 to 4 samples; every seventh sample is not enrolled; attributes sex (subject) and
 * light (sample); every third sample is a "gate" capture, the others "visa". */
static void make_table(assay_sample_table *table, uint64_t seed) {
    assay_random random;
    assay_random_start(&random, seed, 0);
    enum { SUBJECTS = 40 };
    uint32_t sizes[SUBJECTS], rows = 0;
    for (int n = 0; n < SUBJECTS; n++) rows += sizes[n] = 1 + assay_random_below(&random, 4);
    assert_int_equal(assay_sample_table_create(rows, SUBJECTS, table), ASSAY_OK);
    uint32_t sex, light;
    assert_int_equal(assay_sample_table_add_attribute(table, "sex", ASSAY_ATTRIBUTE_CATEGORICAL,
                                                      ASSAY_LEVEL_SUBJECT, ASSAY_SOURCE_OFFICER,
                                                      &sex),
                     ASSAY_OK);
    assert_int_equal(assay_sample_table_add_attribute(table, "light", ASSAY_ATTRIBUTE_CATEGORICAL,
                                                      ASSAY_LEVEL_SAMPLE, ASSAY_SOURCE_OFFICER,
                                                      &light),
                     ASSAY_OK);
    uint16_t code;
    for (int n = 0; n < 3; n++) {
        static const char *const labels[] = {"x", "y", "z"};
        assert_int_equal(assay_attribute_add_label(&table->attributes[sex], labels[n], &code),
                         ASSAY_OK);
        assert_int_equal(assay_attribute_add_label(&table->attributes[light], labels[n], &code),
                         ASSAY_OK);
    }
    uint32_t row = 0;
    for (uint32_t subject = 0; subject < SUBJECTS; subject++) {
        char name[32];
        snprintf(name, sizeof name, "p%02u", subject);
        assert_int_equal(assay_copy_string(&table->subject_id[subject], name), ASSAY_OK);
        for (uint32_t k = 0; k < sizes[subject]; k++, row++) {
            snprintf(name, sizeof name, "s%02u-%u", subject, k);
            assert_int_equal(assay_copy_string(&table->sample_id[row], name), ASSAY_OK);
            table->subject[row] = subject;
            table->enrolment[row] =
                row % 7 == 3 ? ASSAY_ENROLMENT_REFUSED : ASSAY_ENROLMENT_ENROLLED;
            table->attributes[sex].codes[row] = (uint16_t)(3 + subject % 2);
            table->attributes[light].codes[row] = (uint16_t)assay_random_below(&random, 6);
            assert_int_equal(
                assay_labelled_set(&table->environment, row, row % 3 == 0 ? "gate" : "visa"),
                ASSAY_OK);
            assert_int_equal(assay_labelled_set(&table->session, row, k < 2 ? "first" : "second"),
                             ASSAY_OK);
        }
    }
}

static void by_sex_and_light(assay_protocol *protocol) {
    protocol->histogram_by = calloc(2, sizeof(char *));
    protocol->histogram_by[0] = strdup("sex");
    protocol->histogram_by[1] = strdup("light");
    protocol->histogram_by_count = 2;
}

static void check_order(const assay_plan *plan, const assay_sample_table *table) {
    for (uint64_t n = 0; n < plan->count; n++) {
        const uint32_t row = plan->row[n];
        assert_int_equal(plan->place[row], n);
        assert_int_equal(plan->subject[n], table->subject[row]);
        assert_int_equal(table->enrolment[row], ASSAY_ENROLMENT_ENROLLED);
        const uint16_t *codes = plan->combinations + (size_t)plan->group[n] * 2;
        assert_int_equal(codes[0], table->attributes[0].codes[row]);
        assert_int_equal(codes[1], table->attributes[1].codes[row]);
        if (n == 0) continue;
        assert_true(plan->side[n - 1] <= plan->side[n]);
        if (plan->side[n - 1] < plan->side[n]) continue;
        assert_true(plan->group[n - 1] <= plan->group[n]);
        if (plan->group[n - 1] < plan->group[n]) continue;
        assert_true(plan->subject[n - 1] < plan->subject[n] ||
                    (plan->subject[n - 1] == plan->subject[n] && plan->row[n - 1] < plan->row[n]));
    }
}

static void check_relations(const assay_plan *plan, const assay_sample_table *table,
                            const assay_protocol *protocol) {
    uint64_t counts[ASSAY_RELATION_COUNT] = {0};
    for (uint32_t i = 0; i < table->row_count; i++) {
        for (uint32_t j = i + 1; j < table->row_count; j++) {
            if (table->enrolment[i] != ASSAY_ENROLMENT_ENROLLED ||
                table->enrolment[j] != ASSAY_ENROLMENT_ENROLLED) {
                continue;
            }
            counts[assay_protocol_relation(protocol, table, plan->roles, i, j)]++;
        }
    }
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++) {
        assert_int_equal(plan->relations[n], counts[n]);
    }
    assert_true(counts[ASSAY_RELATION_MATED] > 0);
    assert_true(counts[ASSAY_RELATION_EXCLUDED_SESSION] > 0);
}

static void places_are_sorted_and_pairs_add_up(void **state) {
    (void)state;
    static const assay_protocol_kind kinds[] = {ASSAY_PROTOCOL_ALL, ASSAY_PROTOCOL_CROSS,
                                                ASSAY_PROTOCOL_ONE_PER_SUBJECT};
    for (uint64_t seed = 0; seed < 10; seed++) {
        assay_sample_table table = {0};
        make_table(&table, seed);
        for (int k = 0; k < 3; k++) {
            assay_protocol protocol = {0};
            assay_plan plan = {0};
            assert_int_equal(assay_protocol_create(&protocol), ASSAY_OK);
            by_sex_and_light(&protocol);
            protocol.kind = kinds[k];
            if (kinds[k] == ASSAY_PROTOCOL_CROSS) {
                protocol.role_column = strdup("environment");
                protocol.reference_value = strdup("visa");
                protocol.probe_value = strdup("gate");
            }
            if (assay_plan_make(&table, &protocol, &plan) != ASSAY_OK) {
                fail_msg("%s", assay_error_text());
            }
            check_order(&plan, &table);
            if (kinds[k] != ASSAY_PROTOCOL_ONE_PER_SUBJECT) {
                check_relations(&plan, &table, &protocol);
            }
            assay_plan_free(&plan);
            assay_protocol_free(&protocol);
        }
        assay_sample_table_free(&table);
    }
}

static void the_tail_limit_is_tenfold_and_capped(void **state) {
    (void)state;
    assay_protocol protocol = {0};
    assert_int_equal(assay_protocol_create(&protocol), ASSAY_OK);
    assert_int_equal(assay_plan_tail_limit(&protocol, 20604), 1 << 20);
    assert_int_equal(assay_plan_tail_limit(&protocol, UINT64_C(1000000000)), 10000000);
    assert_int_equal(assay_plan_tail_limit(&protocol, UINT64_C(500000000000)), 1 << 26);
    protocol.tail_cap = 1000;
    assert_int_equal(assay_plan_tail_limit(&protocol, 20604), 1000);
    assay_protocol_free(&protocol);
}

static void too_many_combinations_are_refused_with_the_memory(void **state) {
    (void)state;
    assay_sample_table table = {0};
    assay_protocol protocol = {0};
    assay_plan plan = {0};
    make_table(&table, 1);
    for (uint64_t row = 0; row < table.row_count; row++) {
        table.attributes[1].codes[row] = (uint16_t)row; /* labels are not looked at here */
        table.enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
    }
    assert_int_equal(assay_protocol_create(&protocol), ASSAY_OK);
    by_sex_and_light(&protocol);
    assert_int_equal(assay_plan_make(&table, &protocol, &plan), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "more than 64 combinations"));
    assert_non_null(strstr(assay_error_text(), "67 MiB"));
    free(protocol.histogram_by[0]);
    protocol.histogram_by[0] = strdup("gender");
    assert_int_equal(assay_plan_make(&table, &protocol, &plan), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "'gender'"));
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* A release that enrols nobody, or one sample, has a plan, in which every pair is accounted for. */
static void nobody_enrolled_is_a_plan_without_comparisons(void **state) {
    (void)state;
    for (uint64_t enrolled = 0; enrolled < 3; enrolled++) {
        assay_sample_table table = {0};
        assay_protocol protocol = {0};
        assay_plan plan = {0};
        make_table(&table, 2);
        memset(table.enrolment, ASSAY_ENROLMENT_FAILED, table.row_count);
        for (uint64_t n = 0; n < enrolled; n++)
            table.enrolment[5 + 40 * n] = ASSAY_ENROLMENT_ENROLLED;
        assert_int_not_equal(table.subject[5], table.subject[45]);
        assert_int_equal(assay_protocol_create(&protocol), ASSAY_OK);
        by_sex_and_light(&protocol);
        if (assay_plan_make(&table, &protocol, &plan) != ASSAY_OK)
            fail_msg("%s", assay_error_text());
        assert_int_equal(plan.count, enrolled);
        assert_int_equal(plan.enrolled, enrolled);
        for (int n = 0; n < ASSAY_RELATION_COUNT; n++)
            assert_int_equal(plan.relations[n], n == ASSAY_RELATION_NON_MATED && enrolled == 2);
        assert_true(plan.combination_count >= 1);
        for (int n = 0; enrolled == 0 && n < 2; n++) assert_int_equal(plan.combinations[n], 0);
        assay_plan_free(&plan);
        assay_protocol_free(&protocol);
        assay_sample_table_free(&table);
    }
}

static void no_samples_at_all_are_refused(void **state) {
    assay_sample_table table = {0};
    assay_protocol protocol = {0};
    assay_plan plan = {0};
    (void)state;
    assert_int_equal(assay_sample_table_create(0, 0, &table), ASSAY_OK);
    assert_int_equal(assay_protocol_create(&protocol), ASSAY_OK);
    assert_int_equal(assay_plan_make(&table, &protocol, &plan), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "0 samples"));
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_sorted_and_pairs_add_up),
        cmocka_unit_test(the_tail_limit_is_tenfold_and_capped),
        cmocka_unit_test(too_many_combinations_are_refused_with_the_memory),
        cmocka_unit_test(nobody_enrolled_is_a_plan_without_comparisons),
        cmocka_unit_test(no_samples_at_all_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
