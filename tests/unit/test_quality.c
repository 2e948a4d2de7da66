/* test_quality -- error versus discard, bands of quality, least qualities and time between
 * captures, each against counting it the slow way; and a view of evidence against evidence that was
 * made so. */
#include "tests/unit/fixtures_evidence.h"

#include "datasets/base/text.h"
#include "reports/quality.h"

#define SUBJECTS 60u
#define EACH 3u
#define ROWS (SUBJECTS * EACH)

/* ---- curves ---- */

static void a_curve_is_a_step_function(void **unused) {
    (void)unused;
    const assay_discard_level levels[] = {{1, 1, 1}, {2, 1, 0}, {3, 1, 1}, {4, 1, 0}};
    static const double discarded[] = {0, 0.25, 0.5, 0.75, 1};
    static const double rates[] = {0.5, 1.0 / 3, 0.5, 0, 0};
    assay_discard_curve curve;
    assert_ok(assay_discard_curve_make(levels, 4, 1, &curve));
    assert_int_equal(curve.count, 5);
    for (size_t n = 0; n < 5; ++n) {
        assert_float_equal(curve.steps[n].discarded, discarded[n], 1e-15);
        assert_float_equal(curve.steps[n].rate, rates[n], 1e-15);
    }
    assert_float_equal(curve.area, (0.5 + 1.0 / 3 + 0.5) / 4, 1e-15);
    assert_float_equal(curve.area_above, curve.area - 0.125, 1e-15);
    assay_discard_curve_free(&curve);
    assert_ok(assay_discard_curve_make(levels, 4, 0.3, &curve));
    assert_float_equal(curve.area, 0.25 * 0.5 + 0.05 / 3, 1e-15);
    assert_float_equal(curve.area_above, curve.area - (0.125 - 0.02), 1e-15);
    assay_discard_curve_free(&curve);
}

static void levels_of_one_quality_are_joined(void **unused) {
    (void)unused;
    assay_discard_level levels[] = {{3, 1, 1}, {1, 2, 0}, {3, 4, 2}, {-1, 1, 1}, {1, 1, 1}};
    assert_int_equal(assay_discard_levels_join(levels, 5), 3);
    assert_float_equal(levels[0].quality, -1, 0);
    assert_int_equal(levels[1].comparisons, 3);
    assert_int_equal(levels[1].errors, 1);
    assert_int_equal(levels[2].comparisons, 5);
    assert_int_equal(levels[2].errors, 3);
}

static void no_comparison_is_no_curve(void **unused) {
    (void)unused;
    const assay_discard_level nothing = {1, 0, 0};
    assay_discard_curve curve;
    assert_ok(assay_discard_curve_make(&nothing, 1, 0.2, &curve));
    assert_int_equal(curve.count, 0);
    assert_float_equal(curve.area, 0, 0);
    assay_discard_curve_free(&curve);
}

/* ---- evidence ---- */

static double draw(uint32_t a, uint32_t b) {
    uint32_t x = a * 2654435761u ^ (b + 1) * 2246822519u;
    x ^= x >> 15;
    x *= 3266489917u;
    x ^= x >> 13;
    return (double)(x >> 8) / (double)(1u << 24);
}

/* Mated scores that fall with the lower quality, non-mated ones that rise with it. */
static double score_by_quality(void *context, const assay_evidence *evidence, uint32_t i,
                               uint32_t j) {
    const double *quality = context;
    double lower = fmin(isnan(quality[i]) ? 50 : quality[i], isnan(quality[j]) ? 50 : quality[j]);
    bool mated = evidence->table.subject[i] == evidence->table.subject[j];
    double value = (mated ? 0.3 + lower / 200 : lower / 400) + 0.4 * (draw(i, j) - 0.5);
    return rint(value * 1024) / 1024;
}

typedef struct {
    assay_evidence evidence;
    double quality[ROWS];
} sample_set;

/* refused_below: samples of less are refused from the start; limit: of the tail. */
static void make_set(sample_set *set, double refused_below, uint64_t limit) {
    uint32_t subject_of[ROWS];
    const char *groups[ROWS];
    const double targets[] = {0.02};
    for (uint32_t row = 0; row < ROWS; ++row) {
        subject_of[row] = row / EACH;
        groups[row] = row / EACH % 2 ? "one" : "two";
        set->quality[row] = row % 17 == 5 ? (double)NAN : rint(100 * draw(row, 999)) / 2;
    }
    fixture_start(&set->evidence, "q", "1", ROWS, SUBJECTS, subject_of);
    fixture_targets(&set->evidence, targets, 1);
    fixture_attribute(&set->evidence, "group", ASSAY_SOURCE_OFFICER, groups);
    assay_sample_table *table = &set->evidence.table;
    for (uint32_t row = 0; row < ROWS; ++row) {
        table->quality[row] = set->quality[row];
        table->captured[row] =
            row % 11 == 3 ? ASSAY_TIME_MISSING : (int64_t)(row % EACH) * 400 * 86400;
        if (row % 23 == 7) table->enrolment[row] = ASSAY_ENROLMENT_FAILED;
        if (row % 29 == 9) table->enrolment[row] = ASSAY_ENROLMENT_EXCLUDED;
        if (set->quality[row] < refused_below && table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED)
            table->enrolment[row] = ASSAY_ENROLMENT_REFUSED;
    }
    fixture_compare(&set->evidence, score_by_quality, set->quality, limit);
}

static assay_operating_point point_of(const assay_figures *figures) {
    assert_null(figures->points[0].reason);
    return figures->points[0];
}

static void same_rate(assay_rate a, assay_rate b) {
    assert_int_equal(a.errors, b.errors);
    assert_int_equal(a.trials, b.trials);
    assert_int_equal(a.reason == NULL, b.reason == NULL);
}

static void same_interval(const assay_interval *a, const assay_interval *b) {
    assert_int_equal(a->reason == NULL, b->reason == NULL);
    if (a->reason) return;
    assert_float_equal(a->low, b->low, 1e-12);
    assert_float_equal(a->high, b->high, 1e-12);
}

/* Refusing afterwards what evidence holds is the same as never having had it. */
static void a_view_is_the_evidence_that_refusing_gives(void **unused) {
    (void)unused;
    static sample_set whole, without;
    assay_figures figures, viewed, expected;
    uint8_t refused[ROWS];
    assay_view view;
    make_set(&whole, -1, 2000);
    assert_ok(assay_figures_compute(&whole.evidence, NULL, 0, &figures));
    double threshold = point_of(&figures).threshold;
    make_set(&without, 20, FIXTURE_ALL);
    free(without.evidence.protocol.thresholds);
    without.evidence.protocol.thresholds = malloc(sizeof(double));
    without.evidence.protocol.thresholds[0] = threshold;
    without.evidence.protocol.threshold_count = 1;
    without.evidence.protocol.fmr_target_count = 0;
    for (uint32_t row = 0; row < ROWS; ++row) refused[row] = whole.quality[row] < 20;
    assert_ok(assay_view_open(&whole.evidence, refused, threshold, &view));
    assert_ok(assay_figures_compute(&view.evidence, NULL, 0, &viewed));
    assert_ok(assay_figures_compute(&without.evidence, NULL, 0, &expected));
    const assay_operating_point *a = &viewed.points[0], *b = &expected.points[0];
    assert_true(b->fnmr.errors > 0 && b->fmr.errors > 0);
    assert_true(b->fnmr.trials < figures.points[0].fnmr.trials);
    same_rate(a->fmr, b->fmr);
    same_rate(a->fnmr, b->fnmr);
    same_rate(a->gfnmr, b->gfnmr);
    same_rate(a->gfmr, b->gfmr);
    same_interval(&a->interval.fnmr, &b->interval.fnmr);
    same_interval(&a->interval.gfnmr, &b->interval.gfnmr);
    same_rate(viewed.fte, expected.fte);
    for (uint32_t g = 0; g < expected.attributes[0].group_count; ++g) {
        same_rate(viewed.attributes[0].groups[g].fte, expected.attributes[0].groups[g].fte);
        same_rate(viewed.attributes[0].groups[g].points[0].fmr,
                  expected.attributes[0].groups[g].points[0].fmr);
    }
    assay_figures_free(&figures);
    assay_figures_free(&viewed);
    assay_figures_free(&expected);
    assay_view_close(&view);
    assay_evidence_free(&whole.evidence);
    assay_evidence_free(&without.evidence);
}

/* Rate among comparisons of which both qualities exceed v, counted pair by pair. */
static assay_rate left_above(const sample_set *set, const assay_comparison *pairs, uint64_t count,
                             double v, double threshold, bool miss) {
    uint64_t errors = 0, trials = 0;
    for (uint64_t n = 0; n < count; ++n) {
        double i = set->quality[pairs[n].i], j = set->quality[pairs[n].j];
        if (!(i > v) || !(j > v)) continue;
        bool matches = assay_fine_score(&set->evidence, pairs[n].fine) >= threshold;
        ++trials;
        errors += matches != miss;
    }
    return assay_rate_of(errors, trials);
}

static void check_curve(const sample_set *set, const assay_discard_curve *curve, bool mated,
                        double threshold) {
    const assay_evidence *evidence = &set->evidence;
    assert_true(curve->count > 20);
    for (size_t n = 0; n + 1 < curve->count; ++n) {
        const assay_discard_step *step = &curve->steps[n];
        double above = n ? step->quality : -1;
        assay_rate rate = left_above(set, mated ? evidence->mated : evidence->tail,
                                     mated ? evidence->mated_count : evidence->tail_count, above,
                                     threshold, mated);
        assert_int_equal(step->comparisons, rate.trials);
        assert_int_equal(step->errors, rate.errors);
        assert_float_equal(step->discarded,
                           1 - (double)rate.trials / (double)curve->steps[0].comparisons, 1e-12);
    }
}

static void curves_count_what_pairs_say(void **unused) {
    (void)unused;
    static sample_set set;
    static assay_quality_figures quality;
    assay_figures figures;
    const char *const by[] = {"group"};
    make_set(&set, -1, FIXTURE_ALL);
    assert_ok(assay_figures_compute(&set.evidence, NULL, 0, &figures));
    assay_operating_point point = point_of(&figures);
    assert_ok(assay_quality_compute(&set.evidence, NULL, &point, by, 1, false, &quality));
    assert_null(quality.reason);
    check_curve(&set, &quality.fnmr_lower, true, point.threshold);
    check_curve(&set, &quality.fmr_lower, false, point.threshold);
    assert_true(quality.fnmr_probe.steps[0].comparisons > quality.fnmr_lower.steps[0].comparisons);
    assert_true(quality.fnmr_lower.area > quality.fnmr_lower.area_above);
    /* Bands hold every sample once, and those without a quality in none of them. */
    uint64_t samples = 0, mated = 0;
    const assay_attribute_figures *bands = &quality.bands.attributes[0];
    assert_true(bands->group_count == ASSAY_QUALITY_BANDS + 1);
    for (uint32_t g = 0; g < bands->group_count; ++g) {
        samples += bands->groups[g].samples;
        mated += bands->groups[g].points[0].fnmr.trials;
    }
    assert_int_equal(samples, ROWS);
    assert_int_equal(mated, set.evidence.mated_count);
    assert_true(assay_rate_value(bands->groups[0].points[0].fnmr) >
                assay_rate_value(bands->groups[3].points[0].fnmr));
    /* Least qualities rise, and refuse no more than their share. */
    assert_true(quality.minimum_count >= 3);
    for (uint32_t n = 0; n < quality.minimum_count; ++n) {
        const assay_quality_minimum *minimum = &quality.minima[n];
        uint64_t below = 0, tried = 0;
        for (uint32_t row = 0; row < ROWS; ++row) {
            if (set.evidence.table.enrolment[row] == ASSAY_ENROLMENT_EXCLUDED) continue;
            ++tried;
            below += set.quality[row] < minimum->minimum;
        }
        assert_int_equal(minimum->refused.errors, below);
        assert_int_equal(minimum->refused.trials, tried);
        assert_true(below > 0 && (double)below <= minimum->share * (double)quality.known);
        if (n) assert_true(minimum->minimum > quality.minima[n - 1].minimum);
        same_rate(minimum->figures.points[0].gfnmr,
                  assay_rate_of(minimum->figures.points[0].gfnmr.errors, point.gfnmr.trials));
        assert_true(minimum->figures.points[0].gfnmr.errors >= point.gfnmr.errors);
    }
    assay_quality_free(&quality);
    assay_figures_free(&figures);
    assay_evidence_free(&set.evidence);
}

static void what_cannot_be_said_has_its_reason(void **unused) {
    (void)unused;
    static sample_set set;
    static assay_quality_figures quality;
    assay_figures figures;
    make_set(&set, -1, 100);
    assert_ok(assay_figures_compute(&set.evidence, NULL, 0, &figures));
    assay_operating_point point = point_of(&figures);
    assert_false(point.in_tail);
    assert_ok(assay_quality_compute(&set.evidence, NULL, &point, NULL, 0, false, &quality));
    assert_ptr_equal(quality.fmr_reason, point.beyond_tail);
    assert_non_null(strstr(quality.fmr_reason, "needs a floor of "));
    assert_int_equal(quality.fmr_lower.count, 0);
    assay_quality_free(&quality);
    assert_int_equal(
        assay_quality_compute(&set.evidence, "sharpness", &point, NULL, 0, false, &quality),
        ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "'sharpness'"));
    for (uint32_t row = 0; row < ROWS; ++row) set.evidence.table.quality[row] = row % 2;
    assert_ok(assay_quality_compute(&set.evidence, NULL, &point, NULL, 0, false, &quality));
    assert_string_equal(quality.reason, "the qualities have fewer than 10 distinct values");
    assay_quality_free(&quality);
    for (uint32_t row = 0; row < ROWS; ++row) set.evidence.table.quality[row] = (double)NAN;
    assert_ok(assay_quality_compute(&set.evidence, NULL, &point, NULL, 0, false, &quality));
    assert_string_equal(quality.reason, "no sample has a quality");
    assay_quality_free(&quality);
    assay_figures_free(&figures);
    assay_evidence_free(&set.evidence);
}

static void time_between_captures_is_counted_by_band(void **unused) {
    (void)unused;
    static sample_set set;
    assay_figures figures;
    assay_ageing_figures ageing;
    make_set(&set, -1, FIXTURE_ALL);
    const assay_sample_table *table = &set.evidence.table;
    assert_ok(assay_figures_compute(&set.evidence, NULL, 0, &figures));
    assay_operating_point point = point_of(&figures);
    assert_ok(assay_ageing_compute(&set.evidence, &point, &ageing));
    uint64_t trials[2] = {0}, errors[2] = {0}, unknown = 0; /* 400 days, 800 days */
    for (uint64_t n = 0; n < set.evidence.mated_count; ++n) {
        const assay_comparison *pair = &set.evidence.mated[n];
        if (table->captured[pair->i] == ASSAY_TIME_MISSING ||
            table->captured[pair->j] == ASSAY_TIME_MISSING) {
            ++unknown;
            continue;
        }
        size_t band = (pair->j - pair->i) - 1;
        ++trials[band];
        errors[band] += assay_fine_score(&set.evidence, pair->fine) < point.threshold;
    }
    assert_true(errors[0] > 0 && errors[1] > 0 && unknown > 0);
    assert_int_equal(ageing.unknown, unknown);
    same_rate(ageing.bands[3].fnmr, assay_rate_of(errors[0], trials[0]));
    same_rate(ageing.bands[4].fnmr, assay_rate_of(errors[1], trials[1]));
    assert_true(ageing.bands[3].fnmr_interval.low < assay_rate_value(ageing.bands[3].fnmr));
    assert_int_equal(ageing.bands[0].fnmr.trials, 0);
    assert_non_null(ageing.bands[0].fnmr_interval.reason);
    for (uint32_t row = 0; row < ROWS; ++row) table->captured[row] = ASSAY_TIME_MISSING;
    assert_ok(assay_ageing_compute(&set.evidence, &point, &ageing));
    assert_string_equal(ageing.reason, "no mated comparison has both times of capture");
    assay_figures_free(&figures);
    assay_evidence_free(&set.evidence);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_is_a_step_function),
        cmocka_unit_test(levels_of_one_quality_are_joined),
        cmocka_unit_test(no_comparison_is_no_curve),
        cmocka_unit_test(a_view_is_the_evidence_that_refusing_gives),
        cmocka_unit_test(curves_count_what_pairs_say),
        cmocka_unit_test(what_cannot_be_said_has_its_reason),
        cmocka_unit_test(time_between_captures_is_counted_by_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
