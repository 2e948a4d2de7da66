/* test_manifest_real -- the declarations of configs/ make of the real sets what is known of them.
 */
#include "fixtures_manifest.h"

static void read_configured(const char *name, assay_sample_table *out, assay_text *warnings) {
    char path[FIXTURE_PATH], folder[FIXTURE_PATH];
    assay_manifest_declaration declaration = {0};
    assay_yaml yaml;
    const char *source = getenv("ASSAY_SOURCE");
    snprintf(folder, sizeof folder, "%.400s/configs", source ? source : ".");
    snprintf(path, sizeof path, "%.450s/%s.yaml", folder, name);
    ok(assay_yaml_read(path, &yaml));
    ok(assay_manifest_declare(&yaml, assay_yaml_need(&yaml, yaml.root, "dataset"), folder,
                              &declaration));
    ok(assay_yaml_verdict(&yaml));
    ok(assay_manifest_read(&declaration, NULL, out, warnings));
    assay_manifest_declaration_free(&declaration);
    assay_yaml_free(&yaml);
}

/* Samples whose label of an attribute is this. */
static uint64_t count(const assay_sample_table *table, const char *name, const char *label) {
    const assay_attribute *attribute = assay_sample_table_attribute(table, name);
    uint64_t samples = 0;
    assert_non_null(attribute);
    for (uint64_t row = 0; row < table->row_count; row++) {
        samples += strcmp(attribute->labels[attribute->codes[row]], label) == 0;
    }
    return samples;
}

/* Samples whose value of a numeric attribute is this. */
static uint64_t count_value(const assay_sample_table *table, const char *name, double value) {
    const assay_attribute *attribute = assay_sample_table_attribute(table, name);
    uint64_t samples = 0;
    assert_non_null(attribute);
    assert_non_null(attribute->values);
    for (uint64_t row = 0; row < table->row_count; row++) {
        samples += attribute->values[row] == value;
    }
    return samples;
}

/* Pairs of one subject that are mated, and those left out for their session. */
static void count_pairs(const assay_sample_table *table, bool same_session, uint64_t *out_mated,
                        uint64_t *out_session) {
    assay_protocol protocol;
    assay_same_subject pairs;
    uint8_t *roles = NULL;
    ok(assay_protocol_create(&protocol));
    protocol.same_session = same_session;
    ok(assay_protocol_roles(&protocol, table, &roles));
    ok(assay_protocol_same_subject(&protocol, table, roles, &pairs));
    *out_mated = *out_session = 0;
    for (uint64_t n = 0; n < pairs.count; n++) {
        *out_mated += pairs.relation[n] == ASSAY_RELATION_MATED;
        *out_session += pairs.relation[n] == ASSAY_RELATION_EXCLUDED_SESSION;
    }
    assay_same_subject_free(&pairs);
    free(roles);
    assay_protocol_free(&protocol);
}

static void london_has_102_people_in_two_pictures_each(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    uint64_t mated = 0, session = 0;
    (void)state;
    read_configured("london", &table, &warnings);
    assert_int_equal(table.row_count, 204);
    assert_int_equal(table.subject_count, 102);
    assert_int_equal(count(&table, "sex", "female"), 2 * 49);
    assert_int_equal(count(&table, "sex", "male"), 2 * 53);
    assert_int_equal(count(&table, "ethnicity", "white"), 2 * 69);
    assert_int_equal(count(&table, "ethnicity", "(several)"), 2);
    assert_int_equal(count(&table, "age_band", "(unknown)"), 4);
    assert_int_equal(count_value(&table, "age_band", 54), 2);
    assert_int_equal(count(&table, "expression", "smiling"), 102);
    count_pairs(&table, true, &mated, &session);
    assert_int_equal(mated, 102);
    count_pairs(&table, false, &mated, &session);
    assert_int_equal(mated, 0);
    assert_int_equal(session, 102);
    assert_null(warnings.bytes);
    assay_sample_table_free(&table);
}

static void meds2_has_50_people_in_114_pictures(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    uint64_t mated = 0, session = 0;
    (void)state;
    read_configured("meds2", &table, &warnings);
    assert_int_equal(table.row_count, 114);
    assert_int_equal(table.subject_count, 50);
    assert_int_equal(count(&table, "sex", "M"), 98);
    assert_int_equal(count(&table, "sex", "F"), 16);
    assert_int_equal(count(&table, "race", "B"), 61);
    assert_int_equal(count(&table, "race", "W"), 53);
    assert_int_equal(count(&table, "pose", "Frontal"), 67);
    assert_int_equal(count(&table, "age_band", "(missing)"), 0);
    assert_int_equal(count_value(&table, "age_band", 17.25), 1);
    count_pairs(&table, true, &mated, &session);
    assert_int_equal(mated, 207);
    uint64_t all = mated;
    count_pairs(&table, false, &mated, &session);
    assert_true(session > 0);
    assert_int_equal(mated + session, all);
    assert_null(warnings.bytes);
    assay_sample_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(london_has_102_people_in_two_pictures_each),
        cmocka_unit_test(meds2_has_50_people_in_114_pictures),
    };
    if (!getenv("ASSAY_DATA")) {
        fprintf(stderr, "skipped: ASSAY_DATA does not name a folder with london/ and meds2/\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
