/* test_labels -- labels of templates made elsewhere, and pair lists. */
#include "fixtures_manifest.h"

static assay_status read_labels(const char *csv, const assay_manifest_declaration *declared,
                                assay_sample_table *out) {
    char path[FIXTURE_PATH];
    fixture_text("labels.csv", csv);
    return assay_labels_read(fixture_path(path, "labels.csv"), declared, NULL, out);
}

static const assay_attribute *attribute(const assay_sample_table *table, const char *name) {
    const assay_attribute *found = assay_sample_table_attribute(table, name);
    assert_non_null(found);
    return found;
}

static void other_columns_become_attributes_of_the_level_that_fits(void **state) {
    assay_sample_table table;
    (void)state;
    ok(read_labels("sample,subject,sex,pose,session,note\n"
                   "s1,p1,female,front,a,\n"
                   "s2,p1,female,side,b,\n"
                   "s3,p2,male,front,a,x\n"
                   "s4,p2,,side,b,\n",
                   NULL, &table));
    assert_int_equal(table.row_count, 4);
    assert_int_equal(table.subject_count, 2);
    assert_null(table.path);
    assert_int_equal(table.attribute_count, 3);
    assert_int_equal(attribute(&table, "sex")->level, ASSAY_LEVEL_SUBJECT);
    assert_int_equal(attribute(&table, "pose")->level, ASSAY_LEVEL_SAMPLE);
    assert_int_equal(attribute(&table, "note")->level, ASSAY_LEVEL_SUBJECT);
    assert_int_equal(attribute(&table, "sex")->source, ASSAY_SOURCE_NOT_STATED);
    assert_int_equal(attribute(&table, "sex")->codes[3], ASSAY_CODE_MISSING);
    assert_string_equal(attribute(&table, "pose")->labels[ASSAY_CODE_FIRST], "front");
    assert_string_equal(table.session.labels[table.session.codes[3]], "b");
    assay_sample_table_free(&table);
}

static void long_names_of_the_id_columns_are_taken_too(void **state) {
    assay_sample_table table;
    (void)state;
    ok(read_labels("subject_id,sample_id,path\np1,s1,here\n", NULL, &table));
    assert_string_equal(table.sample_id[0], "s1");
    assert_int_equal(table.attribute_count, 0);
    assert_null(table.path);
    assay_sample_table_free(&table);
}

static void declared_attributes_are_read_as_declared(void **state) {
    assay_manifest_declaration declared;
    assay_sample_table table;
    (void)state;
    ok(fixture_declare(
        "dataset:\n  name: x\n  root: .\n  manifest: labels.csv\n"
        "  attributes: [{name: age_band, column: age, kind: numeric, level: sample,\n"
        "    source: document, bins: [0-17, 18+]}]\n",
        &declared));
    ok(read_labels("sample,subject,age,eyes\ns1,p1,17,blue\ns2,p1,18,blue\n", &declared, &table));
    assert_int_equal(table.attribute_count, 2);
    assert_string_equal(
        attribute(&table, "age_band")->labels[attribute(&table, "age_band")->codes[1]], "18+");
    assert_int_equal(attribute(&table, "eyes")->level, ASSAY_LEVEL_SUBJECT);
    assay_sample_table_free(&table);
    assay_manifest_declaration_free(&declared);
}

static void bad_labels_are_refused_with_their_place(void **state) {
    static const char *const bad[][2] = {
        {"id,subject\ns1,p1\n", "DIR/labels.csv:1:1: the header has no column 'sample' (or "
                                "'sample_id'); "},
        {"sample,person\ns1,p1\n", "the header has no column 'subject' (or 'subject_id'); "},
        {"sample,subject\ns1,p1\ns1,p2\n",
         "DIR/labels.csv:3:1: sample: the sample id 's1' is here and at line 2"},
        {"sample,subject,sex\ns1,p1\n", "DIR/labels.csv:2:2: the record has 2 fields; expected 3"},
        {"sample,subject,\x01\ns1,p1,a\n", "DIR/labels.csv:1:3: the column's name "},
    };
    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        assay_sample_table table;
        assert_int_equal(read_labels(bad[n][0], NULL, &table), ASSAY_USAGE);
        explained(bad[n][1]);
    }
}

static void columns_of_too_many_values_are_refused(void **state) {
    assay_sample_table table;
    assay_text text = {0};
    (void)state;
    assay_text_append(&text, "sample,subject,serial\n");
    for (int n = 0; n < 65533; n++) assay_text_appendf(&text, "s%d,p%d,%d\n", n, n, n);
    assert_int_equal(read_labels(text.bytes, NULL, &table), ASSAY_USAGE);
    explained("DIR/labels.csv:65534:3: serial: 'serial' has more than 65532 different values; "
              "declare it numeric with bins, or leave it out");
    assay_text_free(&text);
}

/* ---- pair lists ---- */

static void four_samples(assay_sample_table *table) {
    ok(read_labels("sample,subject\na,p1\nb,p1\nc,p2\nd,p3\n", NULL, table));
}

static assay_status read_pairs(const char *csv, const assay_sample_table *table,
                               assay_protocol *protocol) {
    char path[FIXTURE_PATH];
    fixture_text("pairs.csv", csv);
    return assay_pair_list_read(fixture_path(path, "pairs.csv"), table, protocol);
}

static void pairs_are_sorted_and_keep_their_direction(void **state) {
    assay_sample_table table;
    assay_protocol protocol;
    uint8_t *roles = NULL;
    (void)state;
    four_samples(&table);
    ok(assay_protocol_create(&protocol));
    protocol.kind = ASSAY_PROTOCOL_PAIR_LIST;
    ok(read_pairs("probe,note,reference\na,x,d\nb,,a\nb,,d\n", &table, &protocol));
    assert_int_equal(protocol.pair_count, 3);
    static const assay_row_pair expected[] = {{0, 1}, {0, 3}, {1, 3}};
    static const uint8_t reversed[] = {0, 1, 1};
    assert_memory_equal(protocol.pairs, expected, sizeof expected);
    assert_memory_equal(protocol.reversed, reversed, sizeof reversed);
    ok(assay_protocol_roles(&protocol, &table, &roles));
    assert_int_equal(assay_protocol_direction(&protocol, &table, roles, 0, 3), ASSAY_DIRECTION_J);
    free(roles);
    ok(read_pairs("reference,probe\na,c\n", &table, &protocol)); /* takes the other list's place */
    assert_int_equal(protocol.pair_count, 1);
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

static void bad_pair_lists_are_refused_with_their_place(void **state) {
    static const char *const bad[][2] = {
        {"reference,prob\na,b\n", "DIR/pairs.csv:1:1: the header has no column 'probe'; did you "
                                  "mean 'prob'?"},
        {"reference,probe\na,z\n", "DIR/pairs.csv:2:2: probe: no sample has the id 'z'"},
        {"reference,probe\na,a\n",
         "DIR/pairs.csv:2:2: probe: the sample 'a' is paired with itself"},
        {"reference,probe\na,b\nc,d\nb,a\n",
         "DIR/pairs.csv:4:1: reference: the pair is here and at line 2"},
        {"reference,probe\n", "DIR/pairs.csv:2:1: no record follows the header"},
    };
    assay_sample_table table;
    assay_protocol protocol;
    (void)state;
    four_samples(&table);
    ok(assay_protocol_create(&protocol));
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        assert_int_equal(read_pairs(bad[n][0], &table, &protocol), ASSAY_USAGE);
        explained(bad[n][1]);
        assert_null(protocol.pairs);
    }
    assay_protocol_free(&protocol);
    assay_sample_table_free(&table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void a_column_of_ages_gets_age_bands(void **state) {
    (void)state;
    assay_sample_table table = {0};
    ok(read_labels(
        "sample,subject,age,ageing\ns1,p1,17,fast\ns2,p1,18,slow\ns3,p2,,slow\ns4,p3,70.5,\n", NULL,
        &table));
    const assay_attribute *age = attribute(&table, "age");
    assert_int_equal(age->kind, ASSAY_ATTRIBUTE_NUMERIC);
    assert_string_equal(age->labels[age->codes[0]], "13-17");
    assert_string_equal(age->labels[age->codes[1]], "18-35");
    assert_int_equal(age->codes[2], ASSAY_CODE_MISSING);
    assert_string_equal(age->labels[age->codes[3]], "66+");
    assert_int_equal(attribute(&table, "ageing")->kind, ASSAY_ATTRIBUTE_CATEGORICAL);
    assay_sample_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_of_ages_gets_age_bands),
        TEST(other_columns_become_attributes_of_the_level_that_fits),
        TEST(long_names_of_the_id_columns_are_taken_too),
        TEST(declared_attributes_are_read_as_declared),
        TEST(bad_labels_are_refused_with_their_place),
        TEST(columns_of_too_many_values_are_refused),
        TEST(pairs_are_sorted_and_keep_their_direction),
        TEST(bad_pair_lists_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
