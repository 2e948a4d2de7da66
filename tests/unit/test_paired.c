/* test_paired -- two releases on the same comparisons: sums over pairs of subjects against going
 * over all pairs, and releases whose difference is known. */
#include "tests/unit/fixtures_evidence.h"

#include "datasets/base/random.h"
#include "reports/figures.h"
#include "reports/pairing.h"

enum { PEOPLE = 37, ROWS_MOST = PEOPLE * 4 };

typedef struct {
    uint64_t seed;
    double worse;  /* taken off every mated score */
    uint32_t fail; /* one comparison in so many gives no score; 0: each gives one */
} release_of;

static double crowd_score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    const release_of *release = context;
    assay_random random;
    const uint32_t a = evidence->table.subject[i], b = evidence->table.subject[j];
    assay_random_start(&random, release->seed, (uint64_t)i << 32 | j);
    double z = assay_random_normal(&random);
    if (a == b) return 0.5 + 0.2 * z - release->worse;
    return 0.2 * z + (a % 7 == 0) * 0.15 + (b % 7 == 0) * 0.15;
}

/* Every third pair is on the list. */
static bool listed(uint32_t i, uint32_t j) {
    return (i * 7 + j * 11) % 3 == 0;
}

static void keep_listed(assay_evidence *evidence) {
    uint64_t rows = evidence->table.row_count, count = 0, kept = 0;
    assay_protocol *protocol = &evidence->protocol;
    protocol->kind = ASSAY_PROTOCOL_PAIR_LIST;
    protocol->pairs = calloc(rows * rows, sizeof *protocol->pairs);
    protocol->reversed = calloc(rows * rows, 1);
    for (uint32_t i = 0; i < rows; ++i)
        for (uint32_t j = i + 1; j < rows; ++j)
            if (listed(i, j)) protocol->pairs[count++] = (assay_row_pair){i, j};
    protocol->pair_count = count;
    for (uint64_t n = 0; n < evidence->tail_count; ++n)
        if (listed(evidence->tail[n].i, evidence->tail[n].j))
            evidence->tail[kept++] = evidence->tail[n];
    evidence->tail_count = evidence->non_mated = kept;
    kept = 0;
    for (uint64_t n = 0; n < evidence->mated_count; ++n)
        if (listed(evidence->mated[n].i, evidence->mated[n].j))
            evidence->mated[kept++] = evidence->mated[n];
    evidence->mated_count = kept;
    free(evidence->histogram);
    evidence->histogram = NULL;
    evidence->histogram_pairs = 0;
}

static bool fails(uint32_t every, uint32_t i, uint32_t j) {
    return every && (i * 5 + j * 3) % every == 0;
}

static int by_rows(const void *a, const void *b) {
    const assay_row_pair *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static uint64_t take_failed(assay_evidence *evidence, uint32_t every, assay_comparison *list,
                            uint64_t *count, uint64_t *failed) {
    uint64_t kept = 0, before = *failed;
    for (uint64_t n = 0; n < *count; ++n) {
        if (fails(every, list[n].i, list[n].j))
            evidence->failed[(*failed)++] = (assay_row_pair){list[n].i, list[n].j};
        else
            list[kept++] = list[n];
    }
    *count = kept;
    return *failed - before;
}

static void fail_some(assay_evidence *evidence, uint32_t every) {
    uint64_t failed = 0;
    evidence->failed =
        calloc(evidence->mated_count + evidence->tail_count, sizeof *evidence->failed);
    evidence->failed_mated =
        take_failed(evidence, every, evidence->mated, &evidence->mated_count, &failed);
    evidence->failed_non_mated =
        take_failed(evidence, every, evidence->tail, &evidence->tail_count, &failed);
    evidence->non_mated -= evidence->failed_non_mated;
    qsort(evidence->failed, failed, sizeof *evidence->failed, by_rows);
    free(evidence->histogram);
    evidence->histogram = NULL;
    evidence->histogram_pairs = 0;
}

/* Subjects of one to four samples, of which every refuse-th is refused. */
static void crowd_start(assay_evidence *evidence, assay_protocol_kind kind, release_of release,
                        uint32_t refuse) {
    static uint32_t subjects[ROWS_MOST];
    static const char *sex[ROWS_MOST], *light[ROWS_MOST];
    uint32_t rows = 0;
    for (uint32_t n = 0; n < PEOPLE; ++n)
        for (uint32_t t = 0; t <= (n * 5 + n / 4) % 4; ++t) {
            subjects[rows] = n;
            sex[rows] = n % 3 ? "x" : "y";
            light[rows] = (rows * 13 + n) % 3 ? "day" : "night";
            ++rows;
        }
    fixture_start(evidence, "r", "1", rows, PEOPLE, subjects);
    fixture_attribute(evidence, "sex", ASSAY_SOURCE_NOT_STATED, sex);
    fixture_attribute(evidence, "light", ASSAY_SOURCE_NOT_STATED, light);
    evidence->table.attributes[1].level = ASSAY_LEVEL_SAMPLE;
    if (kind != ASSAY_PROTOCOL_PAIR_LIST) evidence->protocol.kind = kind;
    if (kind == ASSAY_PROTOCOL_CROSS) {
        evidence->protocol.role_column = strdup("light");
        evidence->protocol.reference_value = strdup("day");
        evidence->protocol.probe_value = strdup("night");
    }
    for (uint32_t row = 0; refuse && row < rows; row += refuse)
        evidence->table.enrolment[row] = ASSAY_ENROLMENT_REFUSED;
    fixture_targets(evidence, (const double[]){0.1, 0.05}, 2);
    fixture_compare(evidence, crowd_score, &release, FIXTURE_ALL);
    if (kind == ASSAY_PROTOCOL_PAIR_LIST) keep_listed(evidence);
    if (release.fail) fail_some(evidence, release.fail);
}

/* ---- against going over all pairs ---- */

typedef struct {
    double made[PEOPLE][PEOPLE], matched[PEOPLE][PEOPLE];
} dense_table;

static void fill_dense(const assay_evidence *evidence, uint64_t matches, const uint32_t *group_of,
                       uint32_t group, uint32_t fail, dense_table *out) {
    const uint32_t *subject = evidence->table.subject;
    uint8_t *roles;
    memset(out, 0, sizeof *out);
    assert_ok(assay_protocol_roles(&evidence->protocol, &evidence->table, &roles));
    for (uint32_t i = 0; i < evidence->table.row_count; ++i)
        for (uint32_t j = i + 1; j < evidence->table.row_count; ++j) {
            if (group_of[i] != group || group_of[j] != group) continue;
            if (evidence->table.enrolment[i] != ASSAY_ENROLMENT_ENROLLED ||
                evidence->table.enrolment[j] != ASSAY_ENROLMENT_ENROLLED)
                continue;
            if (evidence->protocol.kind == ASSAY_PROTOCOL_PAIR_LIST && !listed(i, j)) continue;
            if (assay_protocol_relation(&evidence->protocol, &evidence->table, roles, i, j) !=
                ASSAY_RELATION_NON_MATED)
                continue;
            if (fails(fail, i, j)) continue;
            out->made[subject[i]][subject[j]] += 1;
            out->made[subject[j]][subject[i]] += 1;
        }
    for (uint64_t n = 0; n < matches; ++n) {
        uint32_t i = evidence->tail[n].i, j = evidence->tail[n].j;
        if (group_of[i] != group || group_of[j] != group) continue;
        out->matched[subject[i]][subject[j]] += 1;
        out->matched[subject[j]][subject[i]] += 1;
    }
    free(roles);
}

static double rate_of(const dense_table *table) {
    double matched = 0, made = 0;
    for (int i = 0; i < PEOPLE; ++i)
        for (int j = 0; j < PEOPLE; ++j) {
            matched += table->matched[i][j];
            made += table->made[i][j];
        }
    return made > 0 ? matched / made : 0;
}

typedef struct {
    const assay_evidence *a, *b;
    const assay_cut *cut_a, *cut_b;
    const uint32_t *group_of;
    uint32_t fail_a, fail_b;
    unsigned shown;
} dense_check;

static void assert_close(double value, double expected, const char *what) {
    if (fabs(value - expected) > 1e-9 * fmax(fabs(expected), 1))
        fail_msg("%s: %.17g is not %.17g", what, value, expected);
}

static assay_status check_products(void *context, uint32_t group, const assay_paired_cell *cell) {
    static dense_table a, b;
    dense_check *check = context;
    double pairs = 0, subjects = 0;
    fill_dense(check->a, check->cut_a->matches, check->group_of, group, check->fail_a, &a);
    fill_dense(check->b, check->cut_b->matches, check->group_of, group, check->fail_b, &b);
    double rate_a = rate_of(&a), rate_b = rate_of(&b);
    for (int i = 0; i < PEOPLE; ++i) {
        double s_a = 0, s_b = 0;
        for (int j = 0; j < PEOPLE; ++j) {
            double e_a = a.matched[i][j] - rate_a * a.made[i][j];
            double e_b = b.matched[i][j] - rate_b * b.made[i][j];
            if (i < j) pairs += e_a * e_b;
            s_a += e_a;
            s_b += e_b;
        }
        subjects += s_a * s_b;
    }
    assert_close(cell->products.pairs, pairs, "pairs");
    assert_close(cell->products.subjects, subjects, "subjects");
    assert_true(cell->fmr_a.errors > 0 && cell->fmr_b.errors > 0);
    ++check->shown;
    return ASSAY_OK;
}

typedef struct {
    assay_evidence a, b;
    assay_figures figures_a, figures_b;
    assay_pairing pairing;
    assay_cut cut_a, cut_b;
} two_releases;

static void open_two(assay_protocol_kind kind, release_of a, uint32_t refuse_a, release_of b,
                     uint32_t refuse_b, two_releases *out) {
    crowd_start(&out->a, kind, a, refuse_a);
    crowd_start(&out->b, kind, b, refuse_b);
    assert_ok(assay_figures_compute(&out->a, NULL, 0, &out->figures_a));
    assert_ok(assay_figures_compute(&out->b, NULL, 0, &out->figures_b));
    assert_null(assay_pairing_fault(&out->a, &out->b));
    assert_ok(assay_pairing_open(out->figures_a.sampling, out->figures_b.sampling, &out->pairing));
    out->cut_a = assay_point_cut(&out->figures_a, &out->figures_a.points[0]);
    out->cut_b = assay_point_cut(&out->figures_b, &out->figures_b.points[0]);
}

static void close_two(two_releases *two) {
    assay_pairing_close(&two->pairing);
    assay_figures_free(&two->figures_a);
    assay_figures_free(&two->figures_b);
    assay_evidence_free(&two->a);
    assay_evidence_free(&two->b);
}

static void sums_over_pairs_of_two_releases_agree_with_literal_sums(void **state) {
    static const assay_protocol_kind kinds[] = {ASSAY_PROTOCOL_ALL, ASSAY_PROTOCOL_CROSS,
                                                ASSAY_PROTOCOL_PAIR_LIST};
    (void)state;
    for (size_t k = 0; k < 2 * sizeof kinds / sizeof *kinds; ++k) {
        static uint32_t sex[ROWS_MOST], nobody[ROWS_MOST];
        two_releases two;
        const uint32_t fail_a = k % 2 ? 4 : 0,
                       fail_b = k % 2 ? 6 : 0; /* some of both, some alone */
        open_two(kinds[k / 2], (release_of){3, 0, fail_a}, 9, (release_of){4, 0, fail_b}, 7, &two);
        for (uint64_t row = 0; row < two.a.table.row_count; ++row)
            sex[row] = two.a.table.attributes[0].codes[row] - ASSAY_CODE_FIRST;
        dense_check check = {&two.a, &two.b, &two.cut_a, &two.cut_b, nobody, fail_a, fail_b, 0};
        assert_ok(assay_pairing_all(&two.pairing, &two.cut_a, &two.cut_b, check_products, &check));
        assay_partition by_sex = {.group_of_row = sex, .groups = 2};
        check.group_of = sex;
        assert_ok(assay_pairing_walk(&two.pairing, &by_sex, &two.cut_a, &two.cut_b, check_products,
                                     &check));
        assert_int_equal(check.shown, 3);
        close_two(&two);
    }
}

/* ---- known differences ---- */

typedef struct {
    assay_difference gfnmr, fnmr, fte;
    assay_ratio ratio;
    double swap;
} found_differences;

static assay_status take(void *context, uint32_t group, const assay_paired_cell *cell) {
    found_differences *found = context;
    (void)group;
    found->gfnmr = assay_paired_gfnmr(cell, 0.05);
    found->fnmr = assay_paired_fnmr(cell, 0.05);
    found->fte = assay_paired_fte(cell, 0.05);
    found->ratio = assay_fmr_ratio(&cell->fmr_a, &cell->fmr_interval_a, &cell->fmr_b,
                                   &cell->fmr_interval_b, &cell->products, 0.05);
    return assay_paired_swap_p(cell, &found->swap);
}

static found_differences compare(two_releases *two) {
    found_differences found;
    assert_ok(assay_pairing_all(&two->pairing, &two->cut_a, &two->cut_b, take, &found));
    return found;
}

static void a_release_does_not_differ_from_itself(void **state) {
    (void)state;
    two_releases two;
    open_two(ASSAY_PROTOCOL_ALL, (release_of){3, 0, 0}, 9, (release_of){3, 0, 0}, 9, &two);
    found_differences found = compare(&two);
    assert_true(found.gfnmr.value == 0 && found.fnmr.value == 0 && found.fte.value == 0);
    assert_true(found.gfnmr.low < 0 && found.gfnmr.high > 0);
    assert_true(found.swap == 1);
    /* Everything that varies, varies together. */
    assert_true(found.ratio.value == 1);
    assert_close(found.ratio.correlation, 1, "correlation");
    assert_true(found.ratio.low > 0.7 && found.ratio.high < 1.4);
    close_two(&two);
}

static void refusing_images_counts_against_the_release_that_does(void **state) {
    (void)state;
    two_releases two;
    open_two(ASSAY_PROTOCOL_ALL, (release_of){3, 0, 0}, 0, (release_of){3, 0, 0}, 5, &two);
    found_differences found = compare(&two);
    /* On what both completed at given thresholds they are the same release. */
    two.cut_b = two.cut_a;
    two.cut_b.matches = assay_scores_at_least(&two.figures_b.tail, two.cut_a.threshold);
    two.cut_b.matched = assay_scores_at_least(&two.figures_b.mated, two.cut_a.threshold);
    two.cut_a.set_for = two.cut_b.set_for = (double)NAN;
    found = compare(&two);
    assert_true(found.fnmr.only_a == 0 && found.fnmr.only_b == 0);
    assert_true(found.gfnmr.only_a == 0 && found.gfnmr.only_b > 20 && found.gfnmr.low > 0);
    assert_true(found.gfnmr.trials > found.fnmr.trials);
    assert_true(found.fte.low > 0 && found.swap < 0.01);
    close_two(&two);
}

/* What binary templates with too few valid bits, and algorithms that break, do: no score. */
static void a_failed_comparison_is_a_miss_of_attempted_and_no_completed_one(void **state) {
    (void)state;
    two_releases two;
    double only_a = 0, only_b = 0, attempted = 0, done_only_a = 0, done_only_b = 0, done = 0;
    open_two(ASSAY_PROTOCOL_ALL, (release_of){3, 0, 4}, 9, (release_of){8, 0.1, 6}, 7, &two);
    found_differences found = compare(&two);
    release_of a = {3, 0, 4}, b = {8, 0.1, 6};
    const assay_sample_table *table = &two.a.table;
    for (uint32_t i = 0; i < table->row_count; ++i)
        for (uint32_t j = i + 1; j < table->row_count; ++j) {
            if (table->subject[i] != table->subject[j]) continue;
            bool without_a = i % 9 == 0 || j % 9 == 0 || fails(4, i, j);
            bool without_b = i % 7 == 0 || j % 7 == 0 || fails(6, i, j);
            bool miss_a = without_a || crowd_score(&a, &two.a, i, j) < two.cut_a.threshold;
            bool miss_b = without_b || crowd_score(&b, &two.b, i, j) < two.cut_b.threshold;
            attempted += 1;
            only_a += miss_a && !miss_b;
            only_b += miss_b && !miss_a;
            if (without_a || without_b) continue;
            done += 1;
            done_only_a += miss_a && !miss_b;
            done_only_b += miss_b && !miss_a;
        }
    assert_true(done_only_b > 0 && done < attempted && only_a > done_only_a);
    assert_true(found.gfnmr.trials == attempted && found.fnmr.trials == done);
    assert_true(found.gfnmr.only_a == only_a && found.gfnmr.only_b == only_b);
    assert_true(found.fnmr.only_a == done_only_a && found.fnmr.only_b == done_only_b);
    close_two(&two);
}

static void a_protocol_of_other_comparisons_is_told(void **state) {
    (void)state;
    assay_evidence a, b;
    crowd_start(&a, ASSAY_PROTOCOL_ALL, (release_of){3, 0, 0}, 0);
    crowd_start(&b, ASSAY_PROTOCOL_CROSS, (release_of){3, 0, 0}, 0);
    assert_non_null(assay_pairing_fault(&a, &b));
    assay_evidence_free(&b);
    crowd_start(&b, ASSAY_PROTOCOL_ALL, (release_of){4, 0, 0}, 0);
    fixture_targets(&b, (const double[]){0.2}, 1); /* other targets are the same comparisons */
    assert_null(assay_pairing_fault(&a, &b));
    b.dataset_digest.bytes[0] ^= 1;
    assert_non_null(assay_pairing_fault(&a, &b));
    assay_evidence_free(&a);
    assay_evidence_free(&b);
}

static void no_false_match_on_one_side_bounds_the_ratio_on_the_other(void **state) {
    (void)state;
    assay_holding holdings[40];
    double s[40];
    assay_dyad_design design;
    for (int n = 0; n < 40; ++n) holdings[n] = (assay_holding){{1, 0, 0, 0}};
    assert_ok(assay_dyad_design_create(ASSAY_FORM_WITHIN, holdings, 40, &design));
    assay_dyad_counter counter = assay_dyads_start(&design, s);
    assay_dyad_sums none = assay_dyads_finish(&counter);
    counter = assay_dyads_start(&design, s);
    for (uint32_t n = 0; n < 20; ++n) assay_dyads_add(&counter, 2 * n, 2 * n + 1, 1);
    assay_dyad_sums some = assay_dyads_finish(&counter);
    assay_interval at_none = assay_dyadic_interval(&none, true, 0, 0.05);
    assay_interval at_some = assay_dyadic_interval(&some, true, 0, 0.05);
    assay_dyad_products products = {0};
    assay_ratio ratio = assay_fmr_ratio(&none, &at_none, &some, &at_some, &products, 0.05);
    assert_true(isinf(ratio.value) && isinf(ratio.high));
    /* Both limits at half the level, so that together they hold as often as one of them should. */
    assay_interval wide_some = assay_dyadic_interval(&some, true, 0, 0.025);
    assert_close(ratio.low, wide_some.low / (-log(0.0125) / (double)none.trials), "low");
    ratio = assay_fmr_ratio(&some, &at_some, &none, &at_none, &products, 0.05);
    assert_true(ratio.value == 0 && ratio.low == 0 && ratio.high > 0 && ratio.high < 1);
    ratio = assay_fmr_ratio(&none, &at_none, &none, &at_none, &products, 0.05);
    assert_non_null(ratio.reason);
    assay_dyad_design_free(&design);
}

static void swaps_are_those_of_going_through_all_of_them(void **state) {
    (void)state;
    assay_random random;
    assay_random_start(&random, 5, 0);
    for (int round = 0; round < 20; ++round) {
        int64_t d[12], observed = 0;
        unsigned beyond = 0;
        for (int n = 0; n < 12; ++n) observed += d[n] = (int64_t)assay_random_below(&random, 7) - 3;
        for (unsigned swaps = 0; swaps < 1u << 12; ++swaps) {
            int64_t sum = 0;
            for (int n = 0; n < 12; ++n) sum += swaps >> n & 1 ? -d[n] : d[n];
            beyond += llabs(sum) >= llabs(observed);
        }
        assert_close(assay_sign_swap_p(d, 12), beyond / 4096.0, "p");
    }
    int64_t many[3] = {INT32_MAX, INT32_MAX, 1};
    assert_true(isnan(assay_sign_swap_p(many, 3)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_over_pairs_of_two_releases_agree_with_literal_sums),
        cmocka_unit_test(a_release_does_not_differ_from_itself),
        cmocka_unit_test(refusing_images_counts_against_the_release_that_does),
        cmocka_unit_test(a_failed_comparison_is_a_miss_of_attempted_and_no_completed_one),
        cmocka_unit_test(a_protocol_of_other_comparisons_is_told),
        cmocka_unit_test(no_false_match_on_one_side_bounds_the_ratio_on_the_other),
        cmocka_unit_test(swaps_are_those_of_going_through_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
