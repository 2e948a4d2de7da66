/* test_worklist -- errors to look at: a set in which every planted fault is known. */
#include "tests/unit/fixtures_evidence.h"

#include "reports/worklist.h"

enum { PEOPLE = 12, EACH = 3, ROWS = PEOPLE * EACH };

/* Which scores are out of line; everything else is 0.8 mated and well below 0 non-mated. */
typedef struct {
    bool second; /* release */
} made;

static bool is_pair(uint32_t i, uint32_t j, uint32_t a, uint32_t b) {
    return i == a && j == b;
}

static double score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    const made *release = context;
    uint32_t a = evidence->table.subject[i], b = evidence->table.subject[j];
    if (a != b) {
        if (is_pair(i, j, 0, 3)) return 0.9;                           /* one image, see below */
        if (is_pair(i, j, 6, 9)) return 0.85;                          /* above the mated median */
        if (is_pair(i, j, 12, 15)) return release->second ? 0.2 : 0.6; /* the first alone matches */
        return -0.5 - 0.001 * (double)(i + j);
    }
    if (a == 7 && (i == 21 || j == 21)) return 0.1; /* row 21 matches neither of its own */
    if (is_pair(i, j, 24, 25)) return release->second ? 0.3 : 0.75;
    return 0.8 - 0.0001 * (double)(i + j);
}

static void make(assay_evidence *evidence, bool second) {
    uint32_t subjects[ROWS];
    made release = {second};
    for (uint32_t row = 0; row < ROWS; ++row) subjects[row] = row / EACH;
    fixture_start(evidence, "r", second ? "2" : "1", ROWS, PEOPLE, subjects);
    memset(&evidence->table.image_digest[0], 5, sizeof(assay_digest));
    memset(&evidence->table.image_digest[3], 5, sizeof(assay_digest));
    if (second) evidence->table.enrolment[35] = ASSAY_ENROLMENT_REFUSED;
    fixture_compare(evidence, score, &release, FIXTURE_ALL);
}

static const assay_work_list *list_of(const assay_worklist *work, assay_work_kind kind,
                                      size_t release) {
    for (size_t n = 0; n < work->list_count; ++n)
        if (work->lists[n].kind == kind && work->lists[n].release == release)
            return &work->lists[n];
    fail_msg("no list %s", assay_work_kind_name(kind));
    return NULL;
}

static void check(const assay_work_item *item, uint32_t i, uint32_t j, double value, double other,
                  bool error, const char *reason) {
    assert_int_equal(item->i, i);
    assert_int_equal(item->j, j);
    assert_true(item->error == error);
    assert_true(isnan(value) ? isnan(item->score) : fabs(item->score - value) < 1e-7);
    assert_true(isnan(other) ? isnan(item->other_score) : fabs(item->other_score - other) < 1e-7);
    if (!strstr(item->reason, reason)) fail_msg("'%s' has no '%s'", item->reason, reason);
}

static void every_planted_fault_is_listed_and_nothing_else(void **state) {
    (void)state;
    const double none = (double)NAN;
    assay_evidence evidence[2];
    assay_worklist work;
    assay_deployment at = {none, 0.5};
    make(&evidence[0], false);
    make(&evidence[1], true);
    assert_ok(assay_worklist_make(evidence, 2, &at, 4, &work));

    const assay_work_list *list = list_of(&work, ASSAY_WORK_NON_MATED, 0);
    assert_true(list->found == evidence[0].non_mated && list->count == 4);
    check(&list->items[0], 0, 3, 0.9, none, true, "two people match");
    check(&list->items[1], 6, 9, 0.85, none, true, "two people match");
    check(&list->items[2], 12, 15, 0.6, none, true, "two people match");
    check(&list->items[3], 0, 4, -0.504, none, false, "highest that do not");

    list = list_of(&work, ASSAY_WORK_MATED, 1);
    assert_true(list->found == evidence[1].mated_count && list->count == 4);
    check(&list->items[0], 21, 23, 0.1, none, true, "does not match");
    check(&list->items[1], 21, 22, 0.1, none, true, "does not match");
    check(&list->items[2], 24, 25, 0.3, none, true, "does not match");
    check(&list->items[3], 33, 34, 0.8 - 0.0067, none, false, "lowest that match");

    /* Row 35 has no template of the second release: its two mated comparisons are misses. */
    list = list_of(&work, ASSAY_WORK_DISAGREEMENT, 1);
    assert_true(list->found == 4 && list->count == 4);
    check(&list->items[0], 33, 35, none, 0.8 - 0.0068, true, "only the later release does not");
    check(&list->items[1], 34, 35, none, 0.8 - 0.0069, true, "only the later release does not");
    check(&list->items[2], 12, 15, 0.2, 0.6, false, "only the earlier release matches");
    check(&list->items[3], 24, 25, 0.3, 0.75, true, "only the later release does not");

    list = list_of(&work, ASSAY_WORK_LABEL, 0);
    assert_true(list->found == 4 && list->count == 4);
    check(&list->items[0], 0, 3, none, none, true, "byte for byte");
    check(&list->items[1], 0, 3, 0.9, none, true, "mated median");
    check(&list->items[2], 6, 9, 0.85, none, true, "mated median");
    check(&list->items[3], 21, 22, 0.1, none, true, "fall into sets");
    assert_int_equal(list->items[3].sets, 2);
    assay_worklist_free(&work);

    /* A limit cuts lists and not counts. */
    assert_ok(assay_worklist_make(evidence, 2, &at, 1, &work));
    list = list_of(&work, ASSAY_WORK_DISAGREEMENT, 1);
    assert_true(list->found == 4 && list->count == 1 && list->items[0].j == 35);
    assay_worklist_free(&work);
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
}

static void one_rule_gives_each_release_its_own_threshold(void **state) {
    (void)state;
    assay_evidence evidence[2];
    assay_worklist work;
    make(&evidence[0], false);
    make(&evidence[1], true);
    /* Three of the comparisons of the first release, two of the second's. */
    assay_deployment at = {2.0 / (double)evidence[0].non_mated, (double)NAN};
    assert_ok(assay_worklist_make(evidence, 2, &at, 4, &work));
    assert_true(fabs(work.thresholds[0] - 0.85) < 1e-7);
    assay_worklist_free(&work);
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
}

static void what_cannot_be_listed_is_refused(void **state) {
    (void)state;
    assay_evidence evidence[2];
    assay_worklist work;
    assay_deployment at = {(double)NAN, -0.9};
    make(&evidence[0], false);
    make(&evidence[1], true);
    evidence[0].tail_complete = false;
    evidence[0].tail_count = 3;
    evidence[0].tail_floor = evidence[0].tail[2].fine;
    assert_int_equal(assay_worklist_make(evidence, 1, &at, 4, &work), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "lies below the kept scores"));
    at.threshold = 0.7;
    memset(&evidence[1].dataset_digest, 9, sizeof evidence[1].dataset_digest);
    assert_int_equal(assay_worklist_make(evidence, 2, &at, 4, &work), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "different data sets"));
    evidence[0].protocol.kind = ASSAY_PROTOCOL_SCORES;
    assert_int_equal(assay_worklist_make(evidence, 1, &at, 4, &work), ASSAY_USAGE);
    evidence[0].protocol.kind = ASSAY_PROTOCOL_ALL;
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_fault_is_listed_and_nothing_else),
        cmocka_unit_test(one_rule_gives_each_release_its_own_threshold),
        cmocka_unit_test(what_cannot_be_listed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
