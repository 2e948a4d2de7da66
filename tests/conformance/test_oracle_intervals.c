/* test_oracle_intervals -- intervals against the cases of a slow, plain reference that shares no
 * code with them. The folder is named by ASSAY_ORACLE, else it is ../oracle beside ASSAY_DATA;
 * skips where it is not there. */
#include "tests/conformance/fixtures_oracle.h"

#include <time.h>

#include "datasets/base/special.h"
#include "reports/figures.h"
#include "reports/inequity.h"
#include "reports/worse.h"

static void check_interval(const assay_interval *interval, const json_t *expected) {
    if (interval->reason) fail_msg("no interval: %s", interval->reason);
    assert_near(interval->low, number(at(expected, "lo")), "lo");
    assert_near(interval->high, number(at(expected, "hi")), "hi");
    if (!json_is_null(at(expected, "V")))
        assert_near(interval->variance, number(at(expected, "V")), "V");
    const json_t *effective = json_object_get(expected, "neff");
    if (effective) assert_near(interval->effective, number(effective), "neff");
    const json_t *degrees = json_object_get(expected, "df");
    if (degrees) assert_near(interval->degrees, number(degrees), "df");
    const json_t *effect = json_object_get(expected, "deff");
    if (effect) assert_near(interval->design_effect, number(effect), "deff");
}

static void check_dyadic(const assay_interval *interval, const json_t *expected) {
    check_interval(interval, expected);
    assert_near(interval->clustering, number(at(expected, "g")), "g");
    const json_t *guaranteed = json_object_get(expected, "hi_guaranteed");
    if (guaranteed) assert_near(interval->guaranteed, number(guaranteed), "hi_guaranteed");
}

/* ---- cells as plain arrays ---- */

typedef struct {
    uint32_t i, j;
} subject_pair;

static int by_subjects(const void *a, const void *b) {
    const subject_pair *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static bool in_cell(int64_t first, int64_t second, int64_t a, int64_t b) {
    return (first == a && second == b) || (first == b && second == a);
}

/* Sums of the cell (a, b) of groups[subjects], everything where groups is NULL; s is [subjects]. */
static assay_dyad_sums sums_of(uint32_t subjects, const uint32_t *k, const int64_t *groups,
                               int64_t a, int64_t b, subject_pair *pairs, size_t count, double *s) {
    assay_holding *holdings = calloc(subjects, sizeof *holdings);
    subject_pair *kept = calloc(count + 1, sizeof *kept);
    size_t kept_count = 0;
    assay_dyad_design design;
    for (uint32_t n = 0; n < subjects; ++n) {
        if (!groups || groups[n] == a) holdings[n].held[ASSAY_HELD_REFERENCE_A] = k ? k[n] : 1;
        if (groups && groups[n] == b) holdings[n].held[ASSAY_HELD_REFERENCE_B] = k ? k[n] : 1;
    }
    for (size_t n = 0; n < count; ++n) {
        uint32_t i = pairs[n].i, j = pairs[n].j;
        if (groups && !in_cell(groups[i], groups[j], a, b)) continue;
        kept[kept_count++] = i < j ? (subject_pair){i, j} : (subject_pair){j, i};
    }
    qsort(kept, kept_count, sizeof *kept, by_subjects);
    bool within = !groups || a == b;
    assert_ok(assay_dyad_design_create(within ? ASSAY_FORM_WITHIN : ASSAY_FORM_BETWEEN, holdings,
                                       subjects, &design));
    assay_dyad_counter counter = assay_dyads_start(&design, s);
    for (size_t n = 0, end; n < kept_count; n = end) {
        for (end = n; end < kept_count && by_subjects(&kept[n], &kept[end]) == 0; ++end) continue;
        assay_dyads_add(&counter, kept[n].i, kept[n].j, end - n);
    }
    assay_dyad_sums sums = assay_dyads_finish(&counter);
    assay_dyad_design_free(&design);
    free(holdings);
    free(kept);
    return sums;
}

static void check_sums(const assay_dyad_sums *sums, const json_t *expected) {
    double meat = sums->subjects - sums->pairs, trials = (double)sums->trials;
    assert_near((double)sums->errors, number(at(expected, "F")), "F");
    assert_near(trials, number(at(expected, "M")), "M");
    assert_near(sums->rate, number(at(expected, "p")), "p");
    assert_near(sums->pairs, number(at(expected, "S2")), "S2");
    assert_near(sums->subjects, number(at(expected, "A")), "A");
    assert_near(meat + 1, number(at(expected, "meat")) + 1, "meat"); /* a difference: may be 0 */
    assert_near(sums->clustering, number(at(expected, "g")), "g");
    assert_near(sums->clusters, number(at(expected, "nc")), "nc");
    assert_near((sums->pairs + sums->shared) / (trials * trials), number(at(expected, "V")), "V");
}

static void check_cell(const assay_dyad_sums *sums, const json_t *expected) {
    check_sums(sums, expected);
    assay_interval interval = assay_dyadic_interval(sums, true, 0, ASSAY_INTERVAL_ALPHA);
    check_dyadic(&interval, at(expected, "ci"));
}

static size_t read_pairs(const json_t *array, subject_pair *out) {
    for (size_t n = 0; n < json_array_size(array); ++n) {
        const json_t *pair = json_array_get(array, n);
        out[n] = (subject_pair){(uint32_t)number_at(pair, 0), (uint32_t)number_at(pair, 1)};
    }
    return json_array_size(array);
}

/* ---- special functions, thresholds ---- */

static void quantiles_have_their_digits_up_to_five_times_ten_to_the_eleven(void **state) {
    (void)state;
    json_t *root = read_case("13_special.json"), *in = at(root, "input");
    json_t *expected = at(root, "expected"), *item;
    size_t n;
    json_array_foreach(at(in, "beta"), n, item) {
        double q = assay_beta_quantile(number_at(item, 1), number_at(item, 2), number_at(item, 0));
        assert_near(q, number_at(at(expected, "beta"), n), "beta");
    }
    json_array_foreach(at(in, "t"), n, item) {
        double q = assay_student_quantile(number_at(item, 1), number_at(item, 0));
        assert_near(q, number_at(at(expected, "t"), n), "t");
    }
    json_array_foreach(at(in, "cp"), n, item) {
        double low, high;
        assay_clopper_pearson(number_at(item, 0), number_at(item, 1), 0.05, &low, &high);
        json_t *limits = json_array_get(at(expected, "cp"), n);
        assert_near(low, number_at(limits, 0), "low");
        assert_near(high, number_at(limits, 1), "high");
    }
    assert_true(n == 4);
    json_decref(root);
}

static void thresholds_move_past_ties_and_stop_where_the_list_does(void **state) {
    (void)state;
    json_t *root = read_case("01_threshold_ties.json"), *scores = at(at(root, "input"), "scores");
    double sorted[16], found;
    uint64_t trials = (uint64_t)number(at(at(root, "input"), "M"));
    for (size_t n = 0; n < json_array_size(scores); ++n) sorted[n] = number_at(scores, n);
    assay_score_list list = assay_score_list_sort(sorted, json_array_size(scores));
    list.complete = false;
    const char *rate;
    json_t *expected;
    json_object_foreach(at(root, "expected"), rate, expected) {
        uint64_t allowed = assay_allowed_errors(strtod(rate, NULL), trials);
        bool known = assay_threshold(&list, allowed, &found);
        assert_int_equal(known, !json_is_null(expected));
        if (known) assert_true(found == json_number_value(expected));
    }
    json_decref(root);
}

/* ---- FMR ---- */

static void six_subjects_by_hand(void **state) {
    (void)state;
    json_t *root = read_case("02_six_subjects.json");
    subject_pair pairs[8];
    double s[6];
    size_t count = read_pairs(at(at(root, "input"), "pairs"), pairs);
    assay_dyad_sums sums = sums_of(6, NULL, NULL, 0, 0, pairs, count, s);
    check_cell(&sums, at(root, "expected"));
    /* By hand: p = 4/15; subject 0 has 3 of 5, the others 1 of 5. */
    for (size_t n = 0; n < 6; ++n) assert_near(s[n], n ? -1 / 3.0 : 5 / 3.0, "s");
    json_decref(root);
}

static void several_templates_and_cells_of_groups(void **state) {
    (void)state;
    json_t *root = read_case("03_six_subjects_templates_groups.json"), *in = at(root, "input");
    subject_pair pairs[8];
    uint32_t k[6];
    int64_t groups[6];
    double s[6];
    size_t count = read_pairs(at(in, "pairs"), pairs);
    for (size_t n = 0; n < 6; ++n) {
        k[n] = (uint32_t)number_at(at(in, "k"), n);
        groups[n] = (int64_t)number_at(at(in, "group"), n);
    }
    assay_dyad_sums sums = sums_of(6, k, NULL, 0, 0, pairs, count, s);
    check_cell(&sums, at(at(root, "expected"), "all"));
    const char *name;
    json_t *expected;
    json_object_foreach(at(at(root, "expected"), "cells"), name, expected) {
        sums = sums_of(6, k, groups, name[0] - '0', name[1] - '0', pairs, count, s);
        check_cell(&sums, expected);
    }
    json_decref(root);
}

static void no_error_has_its_two_bounds(void **state) {
    (void)state;
    json_t *root = read_case("04_zero_errors.json"), *expected = at(root, "expected"), *floors;
    double *s = calloc(1000, sizeof *s);
    assay_dyad_sums sums = sums_of(1000, NULL, NULL, 0, 0, NULL, 0, s);
    floors = at(at(root, "input"), "g_floor");
    for (size_t n = 0; n < json_array_size(floors); ++n) {
        json_t *limits = json_array_get(at(expected, "fmr"), n);
        assay_interval interval = assay_dyadic_interval(&sums, true, number_at(floors, n), 0.05);
        check_dyadic(&interval, limits);
        interval = assay_dyadic_interval(&sums, true, number_at(floors, n), 0.1);
        assert_near(interval.high, number(at(limits, "hi_one_sided")), "hi_one_sided");
    }
    double x[5] = {0}, m[5];
    json_t *fnmr = at(at(root, "input"), "fnmr");
    for (size_t n = 0; n < 5; ++n) m[n] = number_at(at(fnmr, "m"), n);
    assay_clusters clusters = {.errors = x, .comparisons = m, .count = 5};
    assay_interval interval = assay_clusters_interval(&clusters, 0.05);
    check_interval(&interval, at(expected, "fnmr"));
    free(s);
    json_decref(root);
}

static void a_million_subjects_in_seconds(void **state) {
    (void)state;
    enum { SUBJECTS = 1000000 };
    json_t *root = read_case("05_million_subjects.json");
    subject_pair *pairs = calloc(5000, sizeof *pairs);
    double *s = calloc(SUBJECTS, sizeof *s);
    size_t count = 0;
    for (uint64_t q = 0; q < 5000; ++q) {
        uint64_t i = (7919 * q * q + 13 * q) % SUBJECTS, j = (104729 * q + 977) % SUBJECTS;
        if (q >= 3500) {
            i = 123456;
            j = (7 * (q - 3500) + 1) % SUBJECTS;
        }
        if (i != j) pairs[count++] = (subject_pair){(uint32_t)i, (uint32_t)j};
    }
    assert_true(count == (size_t)number(at(at(root, "expected"), "pairs")));
    clock_t before = clock();
    assay_dyad_sums sums = sums_of(SUBJECTS, NULL, NULL, 0, 0, pairs, count, s);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 5);
    check_cell(&sums, at(root, "expected"));
    free(pairs);
    free(s);
    json_decref(root);
}

/* ---- a whole evaluation, through the figures of a report ---- */

static void check_evaluation(const people *all, int release, const json_t *expected) {
    assay_evidence evidence;
    assay_figures figures;
    make_evaluation(all, release, &evidence);
    assert_int_equal(evidence.tail_count, (uint64_t)number(at(expected, "exceedances")));
    assert_ok(assay_figures_compute(&evidence, NULL, 0, &figures));
    for (uint32_t p = 0; p < 4; ++p) {
        char key[16];
        snprintf(key, sizeof key, "%g", targets[p]);
        const assay_operating_point *point = &figures.points[p];
        const json_t *threshold = json_object_get(at(expected, "t_at"), key);
        if (threshold) assert_true(point->threshold == kept(number(threshold)));
        const json_t *limits = json_object_get(at(expected, "fnmr_at_fmr"), key);
        if (!limits) continue;
        assert_true(point->threshold == kept(number(at(limits, "t"))));
        assert_near(assay_rate_value(point->fnmr), number(at(limits, "p")), "p");
        assert_int_equal(point->interval.fnmr.method, ASSAY_METHOD_AT_TARGET);
        check_interval(&point->interval.fnmr, limits);
        /* Every sample is enrolled: attempted comparisons are the completed ones. */
        check_interval(&point->interval.gfnmr, limits);
    }
    for (uint32_t n = 0; n < 6; ++n) {
        const assay_operating_point *point = &figures.points[4 + n];
        const json_t *limits = json_array_get(at(expected, "curve"), n);
        char key[16];
        assert_near((double)point->fmr.errors, number(at(limits, "F")), "F");
        check_dyadic(&point->interval.fmr, limits);
        double own = number(at(limits, "g_own")), lower = number(at(limits, "g_floor"));
        assert_int_equal(point->interval.fmr.dependence,
                         lower > own ? ASSAY_DEPENDENCE_BORROWED : ASSAY_DEPENDENCE_OWN);
        snprintf(key, sizeof key, "%g", given[n]);
        limits = json_object_get(at(expected, "fnmr_fixed"), key);
        assert_int_equal(point->interval.fnmr.method, ASSAY_METHOD_SUBJECTS);
        if (limits) check_interval(&point->interval.fnmr, limits);
    }
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
}

static void a_whole_evaluation_of_two_releases(void **state) {
    (void)state;
    static people all;
    memset(&all, 0, sizeof all);
    json_t *root = read_case("06_evaluation.json"), *expected = at(root, "expected");
    read_people(&all);
    check_evaluation(&all, 0, at(expected, "A"));
    check_evaluation(&all, 1, at(expected, "B"));
    json_decref(root);
}

static double correlation_of(const assay_dyad_sums *a, const double *s_a, double variance_a,
                             const assay_dyad_sums *b, const double *s_b, double variance_b) {
    double sum = 0;
    for (size_t n = 0; n < EVALUATED; ++n) sum += s_a[n] * s_b[n];
    return sum / ((double)a->trials * (double)b->trials) / sqrt(variance_a * variance_b);
}

/* Measures over the cells 00, 11 and 22, which are the first, the fourth and the last. */
static void check_groups_together(const json_t *expected, const assay_dyad_sums *sums,
                                  const assay_interval *intervals) {
    static const size_t within[] = {0, 3, 5};
    const json_t *summaries = at(expected, "summaries"), *worse = at(expected, "worse_fmr"),
                 *box = at(expected, "box_fmr_sidak");
    double rates[3], missed[3], low[3], high[3], p[3], adjusted[3];
    assay_worse_group counted[3];
    assay_worse_ratio ratios[3];
    for (size_t g = 0; g < 3; ++g) {
        const assay_dyad_sums *cell = &sums[within[g]];
        assay_interval wide = assay_dyadic_interval(cell, true, 0, 1 - pow(0.95, 1.0 / 3));
        rates[g] = cell->rate;
        missed[g] = number(at(json_array_get(at(expected, "fnmr"), g), "p"));
        low[g] = wide.low;
        high[g] = wide.high;
        counted[g] = (assay_worse_group){(double)cell->errors, (double)cell->trials,
                                         intervals[within[g]].design_effect};
    }
    assay_inequity fmr = assay_inequity_of(rates, 3), fnmr = assay_inequity_of(missed, 3);
    assert_near(fmr.max_min, number(at(summaries, "fmr_max_min")), "max/min");
    assert_near(fmr.gini, number(at(summaries, "fmr_gini")), "gini");
    assert_near(assay_joint_inequity_of(&fmr, &fnmr, 0.5).garbe, number(at(summaries, "GARBE")),
                "GARBE");
    assay_inequity_range range;
    assert_ok(assay_inequity_box(low, high, 3, &range));
    assert_near(range.least.max_min, number_at(at(box, "max_min"), 0), "least max/min");
    assert_near(range.most.max_min, number_at(at(box, "max_min"), 1), "most max/min");
    assert_near(range.most.max_geomean, number_at(at(box, "max_geomean"), 1), "most max/geomean");
    assay_worse_ratios(counted, 3, ratios);
    for (size_t g = 0; g < 3; ++g) {
        p[g] = assay_worse_p(&ratios[g], 1);
        assert_near(p[g], number_at(at(worse, "p"), g), "p");
    }
    assert_ok(assay_holm(p, 3, adjusted));
    for (size_t g = 0; g < 3; ++g)
        assert_near(adjusted[g], number_at(at(worse, "holm"), g), "holm");
}

static void cells_of_a_whole_evaluation_and_their_ratios(void **state) {
    (void)state;
    static people all;
    static double s[6][EVALUATED];
    static subject_pair pairs[CSV_ROWS];
    static const char *const names[] = {"00", "01", "02", "11", "12", "22"};
    assay_dyad_sums sums[6];
    assay_interval intervals[6];
    memset(&all, 0, sizeof all);
    json_t *root = read_case("06_evaluation.json");
    json_t *expected = at(at(root, "expected"), "groups_at_A_t_fmr_3e-3");
    double threshold = number(at(expected, "t")), a_score, b_score;
    read_people(&all);
    size_t count = 0;
    FILE *file = open_csv("06_impostor.csv");
    unsigned i, j;
    while (fscanf(file, "%u,%u,%lf,%lf", &i, &j, &a_score, &b_score) == 4)
        if (a_score >= threshold) pairs[count++] = (subject_pair){i, j};
    fclose(file);
    for (size_t n = 0; n < 6; ++n) {
        sums[n] = sums_of(EVALUATED, all.k, all.group, names[n][0] - '0', names[n][1] - '0', pairs,
                          count, s[n]);
        intervals[n] = assay_dyadic_interval(&sums[n], true, 0, ASSAY_INTERVAL_ALPHA);
        check_dyadic(&intervals[n], at(at(expected, "fmr_cells"), names[n]));
    }
    const char *name;
    json_t *ratio;
    json_object_foreach(at(expected, "ratio"), name, ratio) {
        size_t a = 0, b = 0;
        double low, high;
        while (strncmp(names[a], name, 2) != 0) ++a;
        while (strncmp(names[b], name + 3, 2) != 0) ++b;
        double rho = correlation_of(&sums[a], s[a], intervals[a].variance, &sums[b], s[b],
                                    intervals[b].variance);
        assert_near(rho, number(at(ratio, "rho")), "rho");
        assay_ratio_interval(sums[a].rate, &intervals[a], sums[b].rate, &intervals[b], rho, &low,
                             &high);
        assert_near(low, number(at(ratio, "lo")), "ratio lo");
        assert_near(high, number(at(ratio, "hi")), "ratio hi");
    }
    check_groups_together(expected, sums, intervals);
    json_decref(root);
}

int main(void) {
    if (!find_oracle()) {
        printf("skipped: neither ASSAY_ORACLE nor ASSAY_DATA/../oracle is a folder with cases/\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_have_their_digits_up_to_five_times_ten_to_the_eleven),
        cmocka_unit_test(thresholds_move_past_ties_and_stop_where_the_list_does),
        cmocka_unit_test(six_subjects_by_hand),
        cmocka_unit_test(several_templates_and_cells_of_groups),
        cmocka_unit_test(no_error_has_its_two_bounds),
        cmocka_unit_test(a_million_subjects_in_seconds),
        cmocka_unit_test(a_whole_evaluation_of_two_releases),
        cmocka_unit_test(cells_of_a_whole_evaluation_and_their_ratios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
