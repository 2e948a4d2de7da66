/* test_protocol -- what pairs are, against hand-made cases, and how many there are, against
 * counting them one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "datasets/base/text.h"
#include "datasets/protocol.h"

enum { SEEDS = 200, LARGEST = 64 };

static void ok(assay_status status) {
    if (status != ASSAY_OK) fail_msg("%s", assay_error_text());
}

/* ---- tables ---- */

static void name_rows(assay_sample_table *table) {
    char text[32];
    for (uint32_t n = 0; n < table->subject_count; n++) {
        snprintf(text, sizeof text, "p%u", n);
        ok(assay_copy_string(&table->subject_id[n], text));
    }
    for (uint64_t row = 0; row < table->row_count; row++) {
        snprintf(text, sizeof text, "s%u", (unsigned)row);
        ok(assay_copy_string(&table->sample_id[row], text));
    }
}

/* Up to 12 subjects with 1 to 5 samples in mixed order, two roles and some without one. */
static void random_table(assay_random *random, assay_sample_table *table) {
    uint32_t subject_of[LARGEST], rows = 0, subjects = 1 + assay_random_below(random, 12);
    for (uint32_t n = 0; n < subjects; n++) {
        for (uint32_t k = 1 + assay_random_below(random, 5); k > 0; k--) subject_of[rows++] = n;
    }
    for (uint32_t n = rows; n > 1; n--) {
        uint32_t other = assay_random_below(random, n), kept = subject_of[n - 1];
        subject_of[n - 1] = subject_of[other];
        subject_of[other] = kept;
    }
    ok(assay_sample_table_create(rows, subjects, table));
    name_rows(table);
    for (uint32_t row = 0; row < rows; row++) {
        static const char *const environments[] = {"visa", "exit", "other", ""};
        static const char *const words[] = {"", "one", "two"};
        table->subject[row] = subject_of[row];
        /* rows 0 and 1 have the roles, so that both are always in the table */
        uint32_t environment = row < 2 ? row : assay_random_below(random, 4);
        if (environment < 3) {
            ok(assay_labelled_set(&table->environment, row, environments[environment]));
        }
        ok(assay_labelled_set(&table->session, row, words[assay_random_below(random, 3)]));
        if (assay_random_below(random, 4) == 0)
            ok(assay_labelled_set(&table->instance, row, "left"));
        if (assay_random_below(random, 3) == 0) table->image_digest[row].bytes[0] = 1;
        if (assay_random_below(random, 5) > 0) {
            table->captured[row] = (int64_t)assay_random_below(random, 4);
        }
    }
}

static void set_text(char **to, const char *text) {
    free(*to);
    *to = NULL;
    ok(assay_copy_string(to, text));
}

static void make_protocol(assay_protocol_kind kind, assay_protocol *protocol) {
    ok(assay_protocol_create(protocol));
    protocol->kind = kind;
    if (kind != ASSAY_PROTOCOL_CROSS) return;
    set_text(&protocol->role_column, "environment");
    set_text(&protocol->reference_value, "visa");
    set_text(&protocol->probe_value, "exit");
}

static void list_random_pairs(assay_random *random, const assay_sample_table *table,
                              assay_protocol *protocol) {
    uint64_t rows = table->row_count;
    ok(assay_allocate(&protocol->pairs, rows * rows, sizeof *protocol->pairs, "pairs"));
    ok(assay_allocate(&protocol->reversed, rows * rows, 1, "pairs"));
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = i + 1; j < rows; j++) {
            if (assay_random_below(random, 3)) continue;
            protocol->reversed[protocol->pair_count] = (uint8_t)assay_random_below(random, 2);
            protocol->pairs[protocol->pair_count++] = (assay_row_pair){i, j};
        }
    }
}

/* ---- trials ---- */

static bool is_listed(const assay_protocol *protocol, uint32_t i, uint32_t j) {
    if (protocol->kind != ASSAY_PROTOCOL_PAIR_LIST) return true;
    for (uint64_t n = 0; n < protocol->pair_count; n++) {
        if (protocol->pairs[n].i == i && protocol->pairs[n].j == j) return true;
    }
    return false;
}

static uint64_t count_trials(const assay_protocol *protocol, const assay_sample_table *table,
                             const uint8_t *roles, const uint8_t *taken, const uint8_t *a,
                             const uint8_t *b) {
    uint64_t trials = 0;
    for (uint32_t i = 0; i < table->row_count; i++) {
        for (uint32_t j = i + 1; j < table->row_count; j++) {
            if (assay_protocol_relation(protocol, table, roles, i, j) != ASSAY_RELATION_NON_MATED)
                continue;
            if (taken && (!taken[i] || !taken[j])) continue;
            if (!is_listed(protocol, i, j)) continue;
            if ((a[i] && b[j]) || (a[j] && b[i])) trials++;
        }
    }
    return trials;
}

static void fill_mask(assay_random *random, uint8_t *mask) {
    uint32_t share = assay_random_below(random, 5); /* none to all */
    for (int n = 0; n < LARGEST; n++) mask[n] = assay_random_below(random, 4) < share;
}

/* Group a against group b: overlapping, equal, disjoint, everyone. */
static void check_trials(assay_random *random, assay_protocol_kind kind,
                         const assay_sample_table *table) {
    uint8_t a[LARGEST], b[LARGEST], taken[LARGEST], *roles = NULL;
    assay_protocol protocol;
    make_protocol(kind, &protocol);
    if (kind == ASSAY_PROTOCOL_PAIR_LIST) list_random_pairs(random, table, &protocol);
    ok(assay_protocol_roles(&protocol, table, &roles));
    for (int way = 0; way < 4; way++) {
        uint64_t trials = 0;
        fill_mask(random, a);
        fill_mask(random, b);
        fill_mask(random, taken);
        if (way == 1) memcpy(b, a, sizeof b);
        for (int n = 0; way == 2 && n < LARGEST; n++) b[n] = !a[n];
        if (way == 3) memset(a, 1, sizeof a);
        const uint8_t *mask = way % 2 ? taken : NULL;
        ok(assay_protocol_non_mated_trials(&protocol, table, roles, mask, a, b, &trials));
        assert_int_equal(trials, count_trials(&protocol, table, roles, mask, a, b));
    }
    free(roles);
    assay_protocol_free(&protocol);
}

static void trials_equal_counting_them_one_by_one(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assay_random random;
        assay_sample_table table;
        assay_random_start(&random, seed, 1);
        random_table(&random, &table);
        if (table.row_count >= 2) {
            for (int kind = 0; kind <= ASSAY_PROTOCOL_PAIR_LIST; kind++) {
                check_trials(&random, (assay_protocol_kind)kind, &table);
            }
        }
        assay_sample_table_free(&table);
    }
}

/* 140,000 samples of one group, each a subject: 140,000 * 139,999 / 2 pairs, and 70,000 references
 * against as many probes: both need more than 32 bits. */
static void trials_need_more_than_32_bits(void **state) {
    enum { MANY = 140000 };
    assay_sample_table table;
    assay_protocol protocol;
    uint8_t *roles = NULL, *all = NULL;
    uint64_t trials = 0;
    (void)state;
    ok(assay_sample_table_create(MANY, MANY, &table));
    for (uint32_t row = 0; row < MANY; row++) table.subject[row] = row;
    make_protocol(ASSAY_PROTOCOL_ALL, &protocol);
    ok(assay_protocol_roles(&protocol, &table, &roles));
    ok(assay_allocate(&all, MANY, 1, "a mask"));
    memset(all, 1, MANY);
    ok(assay_protocol_non_mated_trials(&protocol, &table, roles, NULL, all, all, &trials));
    assert_true(trials == UINT64_C(9799930000));
    for (uint32_t row = 0; row < MANY; row++) roles[row] = row % 2 ? 2 : 3;
    ok(assay_protocol_non_mated_trials(&protocol, &table, roles, NULL, all, all, &trials));
    assert_true(trials == UINT64_C(70000) * 70000);
    free(all);
    free(roles);
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* ---- same subject ---- */

static void check_same_subject(assay_protocol_kind kind, assay_random *random,
                               const assay_sample_table *table) {
    assay_protocol protocol;
    assay_same_subject found = {0};
    uint8_t *roles = NULL;
    uint64_t at = 0;
    make_protocol(kind, &protocol);
    protocol.same_session = assay_random_below(random, 2);
    if (kind == ASSAY_PROTOCOL_PAIR_LIST) list_random_pairs(random, table, &protocol);
    ok(assay_protocol_roles(&protocol, table, &roles));
    ok(assay_protocol_same_subject(&protocol, table, roles, &found));
    for (uint32_t i = 0; i < table->row_count; i++) {
        for (uint32_t j = i + 1; j < table->row_count; j++) {
            assay_relation relation = assay_protocol_relation(&protocol, table, roles, i, j);
            if (relation == ASSAY_RELATION_NON_MATED || relation == ASSAY_RELATION_EXCLUDED_ROLE ||
                !is_listed(&protocol, i, j)) {
                continue;
            }
            assert_true(at < found.count);
            assert_int_equal(found.pairs[at].i, i);
            assert_int_equal(found.pairs[at].j, j);
            assert_int_equal(found.relation[at++], relation);
        }
    }
    assert_int_equal(at, found.count);
    assay_same_subject_free(&found);
    free(roles);
    assay_protocol_free(&protocol);
}

static void same_subject_lists_every_such_pair_in_order(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assay_random random;
        assay_sample_table table;
        assay_random_start(&random, seed, 2);
        random_table(&random, &table);
        for (int kind = 0; table.row_count >= 2 && kind <= ASSAY_PROTOCOL_PAIR_LIST; kind++) {
            check_same_subject((assay_protocol_kind)kind, &random, &table);
        }
        assay_sample_table_free(&table);
    }
}

/* ---- relations ---- */

/* Four samples of one subject and one of another. */
static void small_table(assay_sample_table *table) {
    ok(assay_sample_table_create(5, 2, table));
    name_rows(table);
    table->subject[4] = 1;
}

static void relation_follows_instance_then_identity_then_session(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    uint8_t *roles = NULL;
    (void)state;
    small_table(&table);
    make_protocol(ASSAY_PROTOCOL_ALL, &protocol);
    ok(assay_protocol_roles(&protocol, &table, &roles));
#define IS(i, j, expected)                                                                         \
    assert_int_equal(assay_protocol_relation(&protocol, &table, roles, i, j), expected)
    IS(0, 0, ASSAY_RELATION_EXCLUDED_SAME_SAMPLE);
    IS(0, 1, ASSAY_RELATION_MATED); /* nothing known, and zero digests are not identical images */
    IS(0, 4, ASSAY_RELATION_NON_MATED);
    ok(assay_labelled_set(&table.session, 0, "x"));
    IS(0, 1, ASSAY_RELATION_MATED); /* one session unknown */
    ok(assay_labelled_set(&table.session, 1, "x"));
    IS(0, 1, ASSAY_RELATION_EXCLUDED_SESSION);
    protocol.same_session = true;
    IS(0, 1, ASSAY_RELATION_MATED);
    protocol.same_session = false;
    table.image_digest[0].bytes[5] = table.image_digest[1].bytes[5] = 9;
    IS(0, 1, ASSAY_RELATION_EXCLUDED_IDENTICAL);
    protocol.same_session = true;
    IS(0, 1, ASSAY_RELATION_EXCLUDED_IDENTICAL);
    ok(assay_labelled_set(&table.instance, 0, "left"));
    IS(0, 1, ASSAY_RELATION_EXCLUDED_INSTANCE); /* given against not given */
    ok(assay_labelled_set(&table.instance, 1, "right"));
    IS(1, 0, ASSAY_RELATION_EXCLUDED_INSTANCE);
    /* different subjects are non-mated whatever else they share */
    ok(assay_labelled_set(&table.session, 4, "x"));
    table.image_digest[4] = table.image_digest[0];
    IS(0, 4, ASSAY_RELATION_NON_MATED);
#undef IS
    free(roles);
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

static void direction_is_by_role_then_list_then_capture(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    assay_row_pair pairs[] = {{0, 1}, {0, 2}};
    uint8_t reversed[] = {0, 1};
    uint8_t *roles = NULL;
    (void)state;
    small_table(&table);
    table.captured[0] = 50;
    table.captured[1] = 40;
    table.captured[2] = 50;
    make_protocol(ASSAY_PROTOCOL_ALL, &protocol);
    ok(assay_protocol_roles(&protocol, &table, &roles));
#define IS(i, j, expected)                                                                         \
    assert_int_equal(assay_protocol_direction(&protocol, &table, roles, i, j), expected)
    IS(0, 1, ASSAY_DIRECTION_J);
    IS(1, 0, ASSAY_DIRECTION_I);
    IS(0, 2, ASSAY_DIRECTION_NONE); /* the same time */
    IS(0, 3, ASSAY_DIRECTION_NONE); /* no time */
    protocol.kind = ASSAY_PROTOCOL_PAIR_LIST;
    protocol.pairs = pairs;
    protocol.reversed = reversed;
    protocol.pair_count = 2;
    IS(0, 1, ASSAY_DIRECTION_I);
    IS(0, 2, ASSAY_DIRECTION_J);
    IS(2, 0, ASSAY_DIRECTION_I);
    protocol.pairs = NULL;
    protocol.reversed = NULL;
    roles[0] = ASSAY_ROLE_PROBE;
    roles[1] = ASSAY_ROLE_REFERENCE;
    IS(0, 1, ASSAY_DIRECTION_J);
    roles[0] = ASSAY_ROLE_REFERENCE;
    roles[1] = ASSAY_ROLE_PROBE;
    IS(0, 1, ASSAY_DIRECTION_I);
#undef IS
    free(roles);
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* ---- roles ---- */

static void one_per_subject_takes_the_earliest_and_the_latest(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    uint8_t *roles = NULL;
    (void)state;
    small_table(&table);
    table.captured[0] = 30;
    table.captured[1] = 10;
    table.captured[2] = 40;
    table.captured[3] = 20;
    make_protocol(ASSAY_PROTOCOL_ONE_PER_SUBJECT, &protocol);
    ok(assay_protocol_roles(&protocol, &table, &roles));
    const uint8_t expected[] = {ASSAY_ROLE_NONE, ASSAY_ROLE_REFERENCE, ASSAY_ROLE_PROBE,
                                ASSAY_ROLE_NONE, ASSAY_ROLE_REFERENCE /* the only one */};
    assert_memory_equal(roles, expected, sizeof expected);
    free(roles);
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* Without times the seed decides: every sample is picked by some seed, one of each role by every.
 */
static void one_per_subject_without_times_is_drawn_by_the_seed(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    int as_reference[4] = {0}, as_probe[4] = {0};
    (void)state;
    small_table(&table);
    make_protocol(ASSAY_PROTOCOL_ONE_PER_SUBJECT, &protocol);
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint8_t *roles = NULL, *again = NULL;
        int references = 0, probes = 0;
        protocol.pick_seed = seed;
        ok(assay_protocol_roles(&protocol, &table, &roles));
        ok(assay_protocol_roles(&protocol, &table, &again));
        assert_memory_equal(roles, again, 5);
        for (int row = 0; row < 4; row++) {
            references += roles[row] == ASSAY_ROLE_REFERENCE;
            probes += roles[row] == ASSAY_ROLE_PROBE;
            as_reference[row] += roles[row] == ASSAY_ROLE_REFERENCE;
            as_probe[row] += roles[row] == ASSAY_ROLE_PROBE;
        }
        assert_int_equal(references, 1);
        assert_int_equal(probes, 1);
        free(again);
        free(roles);
    }
    for (int row = 0; row < 4; row++) {
        assert_true(as_reference[row] > 5);
        assert_true(as_probe[row] > 5);
    }
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* One missing time does not throw away the others: known ones come first, in their order. */
static void one_per_subject_keeps_the_times_that_are_known(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    (void)state;
    small_table(&table);
    table.captured[0] = 30;
    table.captured[2] = 10;
    table.captured[3] = 20;
    make_protocol(ASSAY_PROTOCOL_ONE_PER_SUBJECT, &protocol);
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint8_t *roles = NULL;
        const uint8_t expected[] = {ASSAY_ROLE_NONE, ASSAY_ROLE_PROBE /* of no known time */,
                                    ASSAY_ROLE_REFERENCE, ASSAY_ROLE_NONE, ASSAY_ROLE_REFERENCE};
        protocol.pick_seed = seed;
        ok(assay_protocol_roles(&protocol, &table, &roles));
        assert_memory_equal(roles, expected, sizeof expected);
        free(roles);
    }
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

static void check_roles(const assay_protocol *protocol, const assay_sample_table *table,
                        const uint8_t *expected) {
    uint8_t *roles = NULL;
    ok(assay_protocol_roles(protocol, table, &roles));
    assert_memory_equal(roles, expected, table->row_count);
    free(roles);
}

/* The earliest and the latest share their session; the earliest and the third one do not. */
static void one_per_subject_does_not_lose_the_only_mated_pair(void **state) {
    enum { NO = ASSAY_ROLE_NONE, REFERENCE = ASSAY_ROLE_REFERENCE, PROBE = ASSAY_ROLE_PROBE };
    assay_sample_table table;
    assay_protocol protocol;
    (void)state;
    small_table(&table);
    for (int row = 0; row < 4; row++) {
        table.captured[row] = 10 + row;
        ok(assay_labelled_set(&table.session, (uint64_t)row, row == 2 ? "y" : "x"));
    }
    make_protocol(ASSAY_PROTOCOL_ONE_PER_SUBJECT, &protocol);
    check_roles(&protocol, &table, (const uint8_t[]){REFERENCE, NO, PROBE, NO, REFERENCE});
    protocol.same_session = true;
    check_roles(&protocol, &table, (const uint8_t[]){REFERENCE, NO, NO, PROBE, REFERENCE});
    protocol.same_session = false;
    ok(assay_labelled_set(&table.session, 2, "x"));
    check_roles(&protocol, &table, (const uint8_t[]){REFERENCE, NO, NO, NO, REFERENCE});
    /* an instance of its own leaves the first one out: another reference has the pair */
    protocol.same_session = true;
    ok(assay_labelled_set(&table.instance, 0, "left"));
    check_roles(&protocol, &table, (const uint8_t[]){NO, REFERENCE, NO, PROBE, REFERENCE});
    table.image_digest[1].bytes[0] = table.image_digest[3].bytes[0] = 7;
    check_roles(&protocol, &table, (const uint8_t[]){NO, REFERENCE, PROBE, NO, REFERENCE});
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* Whether row i comes before row j of the same subject, by the words of protocol.h alone. */
static bool comes_first(const assay_protocol *protocol, const assay_sample_table *table, uint32_t i,
                        uint32_t j) {
    const bool known_i = table->captured[i] != ASSAY_TIME_MISSING;
    const bool known_j = table->captured[j] != ASSAY_TIME_MISSING;
    if (known_i != known_j) return known_i;
    if (table->captured[i] != table->captured[j]) return table->captured[i] < table->captured[j];
    assay_digest drawn[2];
    for (int side = 0; side < 2; side++) {
        const char *id = table->sample_id[side ? j : i];
        uint8_t bytes[16 + 32] = {0};
        const size_t length = strlen(id);
        for (int n = 0; n < 8; n++) bytes[n] = (uint8_t)(protocol->pick_seed >> (8 * n));
        bytes[8] = (uint8_t)length;
        memcpy(bytes + 16, id, length);
        ok(assay_digest_bytes(bytes, 16 + length, &drawn[side]));
    }
    return memcmp(drawn[0].bytes, drawn[1].bytes, sizeof drawn[0].bytes) < 0;
}

/* Every ordered pair of each subject is tried, and the best one kept. */
static void pick_one_by_one(const assay_protocol *protocol, const assay_sample_table *table,
                            const uint8_t *any, uint8_t *roles) {
    memset(roles, ASSAY_ROLE_NONE, table->row_count);
    for (uint32_t subject = 0; subject < table->subject_count; subject++) {
        uint32_t first = UINT32_MAX, reference = UINT32_MAX, probe = UINT32_MAX;
        for (uint32_t i = 0; i < table->row_count; i++) {
            if (table->subject[i] != subject) continue;
            if (first == UINT32_MAX || comes_first(protocol, table, i, first)) first = i;
            for (uint32_t j = 0; j < table->row_count; j++) {
                if (table->subject[j] != subject || i == j) continue;
                if (!comes_first(protocol, table, i, j)) continue;
                if (assay_protocol_relation(protocol, table, any, i, j) != ASSAY_RELATION_MATED)
                    continue;
                if (reference != UINT32_MAX && reference != i &&
                    comes_first(protocol, table, reference, i))
                    continue;
                if (reference == i && comes_first(protocol, table, j, probe)) continue;
                reference = i;
                probe = j;
            }
        }
        if (first == UINT32_MAX) continue;
        roles[reference == UINT32_MAX ? first : reference] = ASSAY_ROLE_REFERENCE;
        if (reference != UINT32_MAX) roles[probe] = ASSAY_ROLE_PROBE;
    }
}

static void one_per_subject_equals_trying_every_pair(void **state) {
    uint64_t probes = 0, references = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assay_random random;
        assay_sample_table table;
        assay_protocol protocol;
        uint8_t expected[LARGEST], any[LARGEST];
        assay_random_start(&random, seed, 3);
        random_table(&random, &table);
        make_protocol(ASSAY_PROTOCOL_ONE_PER_SUBJECT, &protocol);
        protocol.pick_seed = seed * UINT64_C(0x9e3779b97f4a7c15);
        protocol.same_session = seed % 5 == 0;
        memset(any, ASSAY_ROLE_BOTH, sizeof any);
        for (uint32_t row = 0; row < table.row_count; row++) /* plays no part */
            table.enrolment[row] = (uint8_t)assay_random_below(&random, 5);
        pick_one_by_one(&protocol, &table, any, expected);
        check_roles(&protocol, &table, expected);
        for (uint32_t row = 0; row < table.row_count; row++) {
            probes += expected[row] == ASSAY_ROLE_PROBE;
            references += expected[row] == ASSAY_ROLE_REFERENCE;
        }
        assay_protocol_free(&protocol);
        assay_sample_table_free(&table);
    }
    assert_true(probes > 100 && references > probes + 100);
}

static void cross_names_what_it_does_not_find(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    uint8_t *roles = NULL;
    (void)state;
    small_table(&table);
    ok(assay_labelled_set(&table.environment, 0, "visa"));
    make_protocol(ASSAY_PROTOCOL_CROSS, &protocol);
    assert_int_equal(assay_protocol_roles(&protocol, &table, &roles), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "has no value 'exit'"));
    set_text(&protocol.role_column, "enviroment");
    assert_int_equal(assay_protocol_roles(&protocol, &table, &roles), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "did you mean 'environment'?"));
    set_text(&protocol.role_column, "environment");
    set_text(&protocol.probe_value, "visa");
    assert_int_equal(assay_protocol_roles(&protocol, &table, &roles), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "must differ"));
    assert_null(roles);
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

/* ---- JSON ---- */

static void json_reads_back_and_is_sorted(void **state) {
    assay_protocol protocol, back;
    char *json = NULL, *again = NULL;
    (void)state;
    make_protocol(ASSAY_PROTOCOL_CROSS, &protocol);
    set_text(&protocol.probe_value, "quote \" slash \\ line\nümlaut");
    protocol.pick_seed = UINT64_MAX;
    protocol.histogram_mode = ASSAY_HISTOGRAM_SAMPLE;
    protocol.histogram_fraction = 0.1;
    protocol.histogram_seed = UINT64_C(1) << 63;
    protocol.same_session = true;
    ok(assay_allocate(&protocol.thresholds, 2, sizeof(double), "thresholds"));
    protocol.thresholds[0] = 0.1 + 0.2;
    protocol.thresholds[1] = -1e300;
    protocol.threshold_count = 2;
    ok(assay_allocate(&protocol.histogram_by, 1, sizeof(char *), "names"));
    ok(assay_copy_string(&protocol.histogram_by[0], "sex"));
    protocol.histogram_by_count = 1;
    ok(assay_protocol_to_json(&protocol, &json));
    assert_non_null(strstr(json, "\"fmr_targets\":[0.001,"));
    ok(assay_protocol_from_json(json, &back));
    ok(assay_protocol_to_json(&back, &again));
    assert_string_equal(json, again);
    assert_true(back.pick_seed == UINT64_MAX);
    assert_true(back.thresholds[0] == 0.1 + 0.2);
    assert_true(back.thresholds[1] == -1e300);
    assert_string_equal(back.probe_value, protocol.probe_value);
    assert_true(back.tail_cap == UINT64_C(67108864));
    free(again);
    free(json);
    assay_protocol_free(&back);
    assay_protocol_free(&protocol);
}

static void json_of_the_defaults_is_this(void **state) {
    assay_protocol protocol;
    char *json = NULL;
    (void)state;
    ok(assay_protocol_create(&protocol));
    ok(assay_protocol_to_json(&protocol, &json));
    assert_string_equal(
        json, "{\"fmr_targets\":[0.001,0.0001,1e-05,1e-06],\"histogram_by\":[],"
              "\"histogram_fraction\":1,\"histogram_mode\":\"full\",\"histogram_seed\":\"0\","
              "\"kind\":\"all\",\"pair_count\":0,\"pairs_sha256\":"
              "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
              "\"pick_seed\":\"0\",\"probe_value\":null,\"reference_value\":null,"
              "\"role_column\":null,\"same_session\":false,\"tail_cap\":67108864,"
              "\"thresholds\":[]}");
    free(json);
    assay_protocol_free(&protocol);
}

static void json_names_pairs_as_the_command_line_does(void **state) {
    assay_protocol protocol;
    char *json = NULL;
    (void)state;
    make_protocol(ASSAY_PROTOCOL_PAIR_LIST, &protocol);
    ok(assay_protocol_to_json(&protocol, &json));
    assert_non_null(strstr(json, "\"kind\":\"pairs\""));
    free(json);
    assay_protocol_free(&protocol);
}

static void json_that_is_damaged_is_refused(void **state) {
    static const char *const damaged[] = {"", "[]", "{}", "{\"kind\":\"all\"}",
                                          "{\"kind\":\"all\",\"kind\":\"cross\"}"};
    assay_protocol protocol = {0};
    (void)state;
    for (size_t n = 0; n < sizeof damaged / sizeof damaged[0]; n++) {
        assert_int_equal(assay_protocol_from_json(damaged[n], &protocol), ASSAY_FAILED);
        assert_non_null(strstr(assay_error_text(), "protocol: "));
    }
    assert_null(protocol.fmr_targets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_equal_counting_them_one_by_one),
        cmocka_unit_test(trials_need_more_than_32_bits),
        cmocka_unit_test(same_subject_lists_every_such_pair_in_order),
        cmocka_unit_test(relation_follows_instance_then_identity_then_session),
        cmocka_unit_test(direction_is_by_role_then_list_then_capture),
        cmocka_unit_test(one_per_subject_takes_the_earliest_and_the_latest),
        cmocka_unit_test(one_per_subject_without_times_is_drawn_by_the_seed),
        cmocka_unit_test(one_per_subject_keeps_the_times_that_are_known),
        cmocka_unit_test(one_per_subject_does_not_lose_the_only_mated_pair),
        cmocka_unit_test(one_per_subject_equals_trying_every_pair),
        cmocka_unit_test(cross_names_what_it_does_not_find),
        cmocka_unit_test(json_reads_back_and_is_sorted),
        cmocka_unit_test(json_of_the_defaults_is_this),
        cmocka_unit_test(json_names_pairs_as_the_command_line_does),
        cmocka_unit_test(json_that_is_damaged_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
