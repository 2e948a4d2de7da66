/* test_sample_table -- columns survive a copy, and the digest tells what matters and nothing else.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/sample_table.h"

enum { ROWS = 6, SUBJECTS = 3 };

static void ok(assay_status status) {
    if (status != ASSAY_OK) fail_msg("%s", assay_error_text());
}

/* Six samples of three subjects with one attribute of each kind. */
static void make_table(assay_sample_table *table) {
    char text[32];
    uint32_t attribute = 0;
    uint16_t code = 0;
    ok(assay_sample_table_create(ROWS, SUBJECTS, table));
    for (int n = 0; n < SUBJECTS; n++) {
        snprintf(text, sizeof text, "subject-%d", n);
        ok(assay_copy_string(&table->subject_id[n], text));
    }
    ok(assay_allocate(&table->path, ROWS, sizeof *table->path, "paths"));
    for (int row = 0; row < ROWS; row++) {
        snprintf(text, sizeof text, "sample-%d", row);
        ok(assay_copy_string(&table->sample_id[row], text));
        ok(assay_copy_string(&table->path[row], text));
        table->subject[row] = (uint32_t)row / 2;
        ok(assay_labelled_set(&table->session, (uint64_t)row, row % 2 ? "b" : "a"));
        memset(table->image_digest[row].bytes, row + 1, sizeof table->image_digest[row].bytes);
    }
    ok(assay_sample_table_add_attribute(table, "sex", ASSAY_ATTRIBUTE_CATEGORICAL,
                                        ASSAY_LEVEL_SUBJECT, ASSAY_SOURCE_SELF_REPORTED,
                                        &attribute));
    ok(assay_attribute_add_label(&table->attributes[attribute], "female", &code));
    assert_int_equal(code, ASSAY_CODE_FIRST);
    ok(assay_attribute_add_label(&table->attributes[attribute], "male", &code));
    table->attributes[attribute].codes[4] = table->attributes[attribute].codes[5] = code;
    ok(assay_sample_table_add_attribute(table, "age", ASSAY_ATTRIBUTE_NUMERIC, ASSAY_LEVEL_SAMPLE,
                                        ASSAY_SOURCE_DOCUMENT, &attribute));
    ok(assay_attribute_add_label(&table->attributes[attribute], "18+", &code));
    table->attributes[attribute].bin_low[0] = 18;
    table->attributes[attribute].bin_high[0] = INFINITY;
    table->attributes[attribute].values[0] = 20;
    table->attributes[attribute].codes[0] = code;
}

static void digest_of(const assay_sample_table *table, bool with_enrolment, char *hex) {
    assay_digester *digester = NULL;
    assay_digest digest;
    ok(assay_digester_open(&digester));
    assay_sample_table_digest(table, with_enrolment, digester);
    ok(assay_digester_finish(digester, &digest));
    assay_digest_hex(hex, &digest);
    assay_digester_free(digester);
}

static void new_table_holds_nothing_known(void **state) {
    assay_sample_table table;
    (void)state;
    ok(assay_sample_table_create(2, 1, &table));
    assert_null(table.path);
    assert_int_equal(table.captured[1], ASSAY_TIME_MISSING);
    assert_int_equal(table.retain_until[1], ASSAY_TIME_MISSING);
    assert_true(isnan(table.quality[1]));
    assert_true(assay_digest_is_zero(&table.image_digest[1]));
    assert_int_equal(table.enrolment[1], ASSAY_ENROLMENT_NONE);
    assert_int_equal(table.session.label_count, 1);
    assert_string_equal(table.session.labels[table.session.codes[1]], "");
    assay_sample_table_free(&table);
    assay_sample_table_free(&table); /* a zeroed one */
}

static void copy_has_the_same_digest_and_no_shared_memory(void **state) {
    assay_sample_table table, copy;
    char before[ASSAY_DIGEST_HEX], after[ASSAY_DIGEST_HEX];
    (void)state;
    make_table(&table);
    table.enrolment[2] = ASSAY_ENROLMENT_REFUSED;
    ok(assay_labelled_set(&table.enrolment_reason, 2, "no face"));
    ok(assay_sample_table_copy(&table, &copy));
    digest_of(&table, true, before);
    assay_sample_table_free(&table);
    digest_of(&copy, true, after);
    assert_string_equal(before, after);
    assert_string_equal(copy.attributes[0].labels[4], "male");
    assert_true(isinf(copy.attributes[1].bin_high[0]));
    assay_sample_table_free(&copy);
}

/* Each change of one cell changes the digest, and undoing it brings the digest back. */
static void digest_sees_every_column(void **state) {
    assay_sample_table table;
    char first[ASSAY_DIGEST_HEX], hex[ASSAY_DIGEST_HEX];
    (void)state;
    make_table(&table);
    digest_of(&table, true, first);
#define CHANGE(lvalue, to)                                                                         \
    do {                                                                                           \
        __typeof__(lvalue) was = (lvalue);                                                         \
        (lvalue) = (to);                                                                           \
        digest_of(&table, true, hex);                                                              \
        if (strcmp(hex, first) == 0) fail_msg("%s", "not in the digest: " #lvalue);                \
        (lvalue) = was;                                                                            \
        digest_of(&table, true, hex);                                                              \
        assert_string_equal(hex, first);                                                           \
    } while (0)
    CHANGE(table.sample_id[3][0], 'S');
    CHANGE(table.subject_id[1][0], 'S');
    CHANGE(table.subject[3], 0);
    CHANGE(table.path[3][0], 'S');
    CHANGE(table.session.codes[3], 0);
    CHANGE(table.session.labels[1][0], 'z');
    CHANGE(table.captured[3], 1);
    CHANGE(table.retain_until[3], 1);
    CHANGE(table.quality[3], 0.5);
    CHANGE(table.image_digest[5].bytes[31], 0);
    CHANGE(table.enrolment[5], ASSAY_ENROLMENT_ENROLLED);
    CHANGE(table.attributes[0].name[0], 'S');
    CHANGE(table.attributes[0].level, ASSAY_LEVEL_SAMPLE);
    CHANGE(table.attributes[0].source, ASSAY_SOURCE_OFFICER);
    CHANGE(table.attributes[0].codes[5], 0);
    CHANGE(table.attributes[0].labels[4][0], 'M');
    CHANGE(table.attributes[1].values[5], 3.0);
    CHANGE(table.attributes[1].bin_low[0], 17.0);
#undef CHANGE
    assay_sample_table_free(&table);
}

static void digest_without_enrolment_ignores_it(void **state) {
    assay_sample_table table;
    char first[ASSAY_DIGEST_HEX], second[ASSAY_DIGEST_HEX];
    (void)state;
    make_table(&table);
    digest_of(&table, false, first);
    table.enrolment[0] = ASSAY_ENROLMENT_FAILED;
    ok(assay_labelled_set(&table.enrolment_reason, 0, "broke"));
    digest_of(&table, false, second);
    assert_string_equal(first, second);
    digest_of(&table, true, second);
    assert_string_not_equal(first, second);
    assay_sample_table_free(&table);
}

static void digest_ignores_how_labels_and_subjects_are_numbered(void **state) {
    assay_sample_table table;
    char first[ASSAY_DIGEST_HEX], second[ASSAY_DIGEST_HEX];
    (void)state;
    make_table(&table);
    digest_of(&table, true, first);
    char *label = table.session.labels[1];
    table.session.labels[1] = table.session.labels[2];
    table.session.labels[2] = label;
    char *subject = table.subject_id[0];
    table.subject_id[0] = table.subject_id[2];
    table.subject_id[2] = subject;
    for (int row = 0; row < ROWS; row++) {
        table.session.codes[row] = 3 - table.session.codes[row];
        table.subject[row] = 2 - table.subject[row];
    }
    digest_of(&table, true, second);
    assert_string_equal(first, second);
    assay_sample_table_free(&table);
}

static void digest_takes_every_nan_as_one(void **state) {
    assay_sample_table table;
    char first[ASSAY_DIGEST_HEX], second[ASSAY_DIGEST_HEX];
    (void)state;
    make_table(&table);
    digest_of(&table, true, first);
    uint64_t bits = 0xfff8000000000123u;
    memcpy(&table.quality[2], &bits, sizeof bits);
    assert_true(isnan(table.quality[2]));
    digest_of(&table, true, second);
    assert_string_equal(first, second);
    assay_sample_table_free(&table);
}

/* The first bytes that FORMAT.md describes, digested by hand. */
static void digest_of_an_empty_table_is_as_documented(void **state) {
    static const char *const names[] = {"sample_id", "subject_id", "path"};
    static const char *const more[] = {"instance", "session",      "environment", "legal_basis",
                                       "captured", "retain_until", "quality",     "image_digest"};
    assay_sample_table table;
    assay_digester *digester = NULL;
    assay_digest digest;
    char expected[ASSAY_DIGEST_HEX], hex[ASSAY_DIGEST_HEX];
    (void)state;
    ok(assay_sample_table_create(0, 0, &table));
    ok(assay_digester_open(&digester));
    assay_digester_add_string(digester, "assay-sample-table/1");
    assay_digester_add_u64(digester, 0);
    for (size_t n = 0; n < 3; n++) assay_digester_add_string(digester, names[n]);
    assay_digester_add_u64(digester, 0);
    for (size_t n = 0; n < 8; n++) assay_digester_add_string(digester, more[n]);
    assay_digester_add_string(digester, "attributes");
    assay_digester_add_u64(digester, 0);
    ok(assay_digester_finish(digester, &digest));
    assay_digester_free(digester);
    assay_digest_hex(expected, &digest);
    digest_of(&table, false, hex);
    assert_string_equal(hex, expected);
    assay_sample_table_free(&table);
}

static void attribute_names_are_unique(void **state) {
    assay_sample_table table;
    uint32_t attribute = 77;
    (void)state;
    make_table(&table);
    assert_int_equal(assay_sample_table_add_attribute(&table, "sex", ASSAY_ATTRIBUTE_CATEGORICAL,
                                                      ASSAY_LEVEL_SAMPLE, ASSAY_SOURCE_NOT_STATED,
                                                      &attribute),
                     ASSAY_USAGE);
    assert_int_equal(attribute, 77);
    assert_int_equal(table.attribute_count, 2);
    assert_non_null(assay_sample_table_attribute(&table, "age"));
    assert_null(assay_sample_table_attribute(&table, "height"));
    assay_sample_table_free(&table);
}

static void names_of_sources_read_back(void **state) {
    assay_label_source source;
    (void)state;
    for (int n = 0; n <= ASSAY_SOURCE_BY_CONSTRUCTION; n++) {
        assert_true(
            assay_label_source_parse(assay_label_source_name((assay_label_source)n), &source));
        assert_int_equal(source, n);
    }
    assert_false(assay_label_source_parse("hearsay", &source));
    assert_string_equal(assay_enrolment_name(ASSAY_ENROLMENT_EXCLUDED), "excluded");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_table_holds_nothing_known),
        cmocka_unit_test(copy_has_the_same_digest_and_no_shared_memory),
        cmocka_unit_test(digest_sees_every_column),
        cmocka_unit_test(digest_without_enrolment_ignores_it),
        cmocka_unit_test(digest_ignores_how_labels_and_subjects_are_numbered),
        cmocka_unit_test(digest_takes_every_nan_as_one),
        cmocka_unit_test(digest_of_an_empty_table_is_as_documented),
        cmocka_unit_test(attribute_names_are_unique),
        cmocka_unit_test(names_of_sources_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
