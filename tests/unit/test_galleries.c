/* test_galleries -- identification from evidence against going over all pairs, gallery by gallery.
 */
#include "tests/unit/fixtures_evidence.h"

#include "datasets/base/random.h"
#include "reports/galleries.h"

enum { PEOPLE = 60, ROWS = 2 * PEOPLE, FLIGHTS = 12 };
#define THRESHOLD 0.4

static double score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    assay_random random;
    (void)context;
    assay_random_start(&random, 5, (uint64_t)i << 32 | j);
    uint32_t a = evidence->table.subject[i], b = evidence->table.subject[j];
    double z = assay_random_normal(&random);
    if (a == b) return 0.6 + 0.25 * z;
    return 0.18 * z + (a % 7 == 0) * 0.15 + (b % 7 == 0) * 0.15;
}

/* Two samples each, a visa and an exit photo; flights of five people. */
static void make(assay_evidence *evidence, bool cross) {
    static uint32_t subjects[ROWS];
    static char flight[ROWS][8];
    static const char *flights[ROWS], *places[ROWS];
    for (uint32_t row = 0; row < ROWS; ++row) {
        subjects[row] = row / 2;
        snprintf(flight[row], sizeof flight[row], "F%u", row / 2 % FLIGHTS);
        flights[row] = flight[row];
        places[row] = row % 2 ? "exit" : "visa";
    }
    fixture_start(evidence, "r", "1", ROWS, PEOPLE, subjects);
    fixture_attribute(evidence, "flight", ASSAY_SOURCE_NOT_STATED, flights);
    fixture_attribute(evidence, "place", ASSAY_SOURCE_NOT_STATED, places);
    evidence->table.attributes[1].level = ASSAY_LEVEL_SAMPLE;
    /* Some visa photos made no template: these people are in no gallery. */
    for (uint32_t row = 0; row < ROWS; row += 14)
        evidence->table.enrolment[row] = ASSAY_ENROLMENT_REFUSED;
    if (cross) {
        evidence->protocol.kind = ASSAY_PROTOCOL_CROSS;
        evidence->protocol.role_column = strdup("place");
        evidence->protocol.reference_value = strdup("visa");
        evidence->protocol.probe_value = strdup("exit");
    }
    fixture_compare(evidence, score, NULL, FIXTURE_ALL);
}

static double of_pair(const assay_evidence *evidence, uint32_t i, uint32_t j) {
    double value = score(NULL, evidence, i < j ? i : j, i < j ? j : i);
    return ldexp((double)llrint(ldexp(value, 26)), -26);
}

static bool is_enrolled(const assay_evidence *evidence, uint32_t row) {
    return evidence->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
}

/* A thousand galleries of size others for each exit photo, by going over visa photos. */
static void random_galleries_are_what_a_thousand_give(void **state) {
    (void)state;
    enum { SIZE = 9, DRAWS = 1000 };
    assay_evidence evidence;
    assay_galleries found;
    uint64_t size = SIZE, hits = 0, searches = 0, misses = 0, mated = 0;
    assay_galleries_options options = {.deployment = {(double)NAN, THRESHOLD},
                                       .rank = 1,
                                       .sizes = &size,
                                       .size_count = 1,
                                       .alpha = 0.05};
    make(&evidence, true);
    assert_ok(assay_galleries_compute(&evidence, &options, &found));
    assay_random random;
    assay_random_start(&random, 3, 1);
    for (uint32_t probe = 1; probe < ROWS; probe += 2) {
        uint32_t others[PEOPLE], count = 0;
        for (uint32_t row = 0; row < ROWS; row += 2)
            if (row != probe - 1 && is_enrolled(&evidence, row)) others[count++] = row;
        bool has_mate = is_enrolled(&evidence, probe - 1);
        double mate = has_mate ? of_pair(&evidence, probe - 1, probe) : 0;
        mated += has_mate;
        for (int draw = 0; draw < DRAWS; ++draw) {
            bool hit = false, beaten = false;
            for (uint32_t n = 0; n < SIZE; ++n) {
                uint32_t with = n + assay_random_below(&random, count - n), row = others[with];
                others[with] = others[n];
                others[n] = row;
                double value = of_pair(&evidence, row, probe);
                hit = hit || value >= THRESHOLD;
                /* The mate takes the last place of its gallery. */
                beaten = beaten || (n < SIZE - 1 && value >= mate);
            }
            hits += hit;
            misses += has_mate && (mate < THRESHOLD || beaten);
            ++searches;
        }
    }
    double fpir = (double)hits / (double)searches, fnir = (double)misses / (double)(mated * DRAWS);
    assert_true(found.probes == PEOPLE && found.mated_probes == mated);
    assert_true(found.random_count == 1 && !found.random[0].reason && fpir > 0.05 && fnir > 0.05);
    /* 60,000 searches: a standard error is at most 0.002. */
    if (fabs(found.random[0].fpir - fpir) > 0.008)
        fail_msg("FPIR %g, by brute force %g", found.random[0].fpir, fpir);
    if (fabs(found.random[0].fnir - fnir) > 0.008)
        fail_msg("FNIR %g, by brute force %g", found.random[0].fnir, fnir);
    assert_true(found.random[0].naive > found.random[0].fpir);
    assert_true(found.random[0].low < found.random[0].fpir &&
                found.random[0].high > found.random[0].fpir);
    assay_galleries_free(&found);
    size = PEOPLE;
    assert_ok(assay_galleries_compute(&evidence, &options, &found));
    assert_non_null(found.random[0].reason);
    assay_galleries_free(&found);
    assay_evidence_free(&evidence);
}

static void given_galleries_are_searched_one_by_one(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_galleries found;
    uint64_t wrong[2] = {0}, searches[2] = {0};
    assay_galleries_options options = {
        .deployment = {(double)NAN, THRESHOLD}, .rank = 1, .attribute = "flight", .alpha = 0.05};
    make(&evidence, true);
    assert_ok(assay_galleries_compute(&evidence, &options, &found));
    for (uint32_t probe = 1; probe < ROWS; probe += 2) {
        bool mated = is_enrolled(&evidence, probe - 1), bad = false;
        double mate = mated ? of_pair(&evidence, probe - 1, probe) : THRESHOLD;
        bad = mated && mate < THRESHOLD;
        for (uint32_t row = 0; row < ROWS; row += 2) {
            if (row == probe - 1 || row / 2 % FLIGHTS != probe / 2 % FLIGHTS) continue;
            if (is_enrolled(&evidence, row)) bad = bad || of_pair(&evidence, row, probe) >= mate;
        }
        ++searches[mated];
        wrong[mated] += bad;
    }
    const assay_given_galleries *given = &found.given;
    assert_true(found.has_given && given->galleries == FLIGHTS && given->most == 5);
    assert_true(given->fpir.rate.errors == wrong[0] && given->fpir.rate.trials == searches[0]);
    assert_true(given->fnir.rate.errors == wrong[1] && given->fnir.rate.trials == searches[1]);
    assert_true(wrong[1] > 5 && wrong[1] < searches[1] && !given->recurring && !given->left_out);
    assert_null(given->fnir.interval.reason);
    assert_non_null(given->fpir.interval.reason); /* 9 people in fewer than ten flights */
    assay_galleries_free(&found);
    assay_evidence_free(&evidence);

    /* Every pair: each photo searches the others of its flight; nobody's other photo is missed. */
    make(&evidence, false);
    assert_ok(assay_galleries_compute(&evidence, &options, &found));
    assert_true(found.probes == ROWS - 9 && found.mated_probes == ROWS - 18);
    assert_true(found.given.fnir.rate.trials == ROWS - 18 && found.given.fpir.rate.trials == 9);
    assay_galleries_free(&found);
    assay_evidence_free(&evidence);
}

static void what_is_not_known_is_not_said(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_galleries found;
    assay_galleries_options options = {.deployment = {(double)NAN, -1}, .alpha = 0.05};
    make(&evidence, true);
    evidence.tail_complete = false;
    evidence.tail_count = 20;
    evidence.tail_floor = evidence.tail[19].fine;
    assert_int_equal(assay_galleries_compute(&evidence, &options, &found), ASSAY_USAGE);
    options.deployment.threshold = 2;
    options.attribute = "ship";
    assert_int_equal(assay_galleries_compute(&evidence, &options, &found), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "no such attribute"));
    options.attribute = NULL;
    evidence.protocol.kind = ASSAY_PROTOCOL_SCORES;
    assert_int_equal(assay_galleries_compute(&evidence, &options, &found), ASSAY_USAGE);
    evidence.protocol.kind = ASSAY_PROTOCOL_CROSS;
    assay_evidence_free(&evidence);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_galleries_are_what_a_thousand_give),
        cmocka_unit_test(given_galleries_are_searched_one_by_one),
        cmocka_unit_test(what_is_not_known_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
