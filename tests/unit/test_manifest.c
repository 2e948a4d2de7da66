/* test_manifest -- manifests become the table that they say, whatever their dress. */
#include "fixtures_manifest.h"

#include <math.h>

#define HEAD "dataset:\n  name: test\n  root: .\n  manifest: faces.csv\n"

/* Images a.jpg to f.jpg with different bytes. */
static int with_images(void **state) {
    if (fixture_setup(state) != 0) return -1;
    for (char name[] = "images/a.jpg"; name[7] <= 'f'; name[7]++) fixture_text(name, name);
    return 0;
}

static void every_standard_column_is_read(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    assay_digest digest;
    (void)state;
    fixture_text("faces.csv",
                 "file,id,subject_id,instance,session,captured,environment,quality,legal_basis,"
                 "retain_until\n"
                 "images/b.jpg,s1,p1,left,x,2024-03-09,booth,0.5,consent,2030-01-01T00:00:00Z\n"
                 "images/a.jpg,s2,p2,,,,,,,\n"
                 "images/c.jpg,s3,p1,right,x,2024-03-09T12:30:00+01:00,gate,,consent,\n");
    ok(fixture_read(HEAD "  columns: {sample_id: id, path: file}\n", &table, &warnings));
    assert_int_equal(table.row_count, 3);
    assert_int_equal(table.subject_count, 2);
    assert_string_equal(table.sample_id[1], "s2");
    assert_string_equal(table.subject_id[table.subject[2]], "p1");
    assert_string_equal(table.path[0], "images/b.jpg");
    assert_string_equal(table.instance.labels[table.instance.codes[2]], "right");
    assert_int_equal(table.instance.codes[1], 0);
    assert_int_equal(table.session.codes[0], table.session.codes[2]);
    assert_string_equal(table.environment.labels[table.environment.codes[2]], "gate");
    assert_string_equal(table.legal_basis.labels[table.legal_basis.codes[0]], "consent");
    assert_int_equal(table.captured[2] - table.captured[0], 11 * 3600 + 1800);
    assert_int_equal(table.captured[1], ASSAY_TIME_MISSING);
    assert_int_equal(table.retain_until[0], 1893456000);
    assert_true(table.quality[0] == 0.5);
    assert_true(isnan(table.quality[1]));
    ok(assay_digest_bytes("images/c.jpg", 12, &digest));
    assert_true(assay_digest_equal(&table.image_digest[2], &digest));
    assert_int_equal(table.enrolment[2], ASSAY_ENROLMENT_NONE);
    assert_null(warnings.bytes);
    assay_sample_table_free(&table);
}

static const assay_attribute *attribute(const assay_sample_table *table, const char *name) {
    const assay_attribute *found = assay_sample_table_attribute(table, name);
    assert_non_null(found);
    return found;
}

static const char *label(const assay_sample_table *table, const char *name, int row) {
    const assay_attribute *found = attribute(table, name);
    return found->labels[found->codes[row]];
}

static void missing_unknown_and_several_are_groups(void **state) {
    assay_sample_table table;
    (void)state;
    fixture_text("faces.csv", "sample_id,path,subject_id,sex,eth,years\n"
                              "s1,images/a.jpg,p1,female,b/a,13\n"
                              "s2,images/b.jpg,p2,,z,17.9\n"
                              "s3,images/c.jpg,p3,U,,unknown\n"
                              "s4,images/d.jpg,p4,unknown,a,66\n"
                              "s5,images/e.jpg,p5,male,/a,\n"
                              "s6,images/f.jpg,p6,female/male,none,18\n");
    ok(fixture_read(HEAD "  attributes:\n"
                         "    - {name: sex, level: subject, source: self-reported,\n"
                         "       values: [female, male], unknown: [U], several: /}\n"
                         "    - {name: ethnicity, column: eth, level: subject, source: officer,\n"
                         "       unknown: [none, ''], several: /}\n"
                         "    - {name: age, column: years, kind: numeric, level: sample,\n"
                         "       source: document, bins: [0-12, 13-17, 18-65, 66+]}\n",
                    &table, NULL));
    assert_int_equal(attribute(&table, "sex")->label_count, ASSAY_CODE_FIRST + 2);
    assert_int_equal(attribute(&table, "sex")->source, ASSAY_SOURCE_SELF_REPORTED);
    assert_string_equal(label(&table, "sex", 0), "female");
    assert_int_equal(attribute(&table, "sex")->codes[1], ASSAY_CODE_MISSING);
    assert_int_equal(attribute(&table, "sex")->codes[2], ASSAY_CODE_UNKNOWN);
    assert_int_equal(attribute(&table, "sex")->codes[3], ASSAY_CODE_UNKNOWN);
    assert_int_equal(attribute(&table, "sex")->codes[5], ASSAY_CODE_SEVERAL);
    /* met values are sorted; an empty cell is unknown where that is declared */
    assert_string_equal(attribute(&table, "ethnicity")->labels[ASSAY_CODE_FIRST], "/a");
    assert_string_equal(label(&table, "ethnicity", 1), "z");
    assert_int_equal(attribute(&table, "ethnicity")->codes[0], ASSAY_CODE_SEVERAL);
    assert_int_equal(attribute(&table, "ethnicity")->codes[2], ASSAY_CODE_UNKNOWN);
    assert_int_equal(attribute(&table, "ethnicity")->codes[5], ASSAY_CODE_UNKNOWN);
    const assay_attribute *age = attribute(&table, "age");
    assert_int_equal(age->kind, ASSAY_ATTRIBUTE_NUMERIC);
    assert_string_equal(label(&table, "age", 0), "13-17");
    assert_string_equal(label(&table, "age", 1), "13-17"); /* 13 <= x < 18 */
    assert_int_equal(age->codes[2], ASSAY_CODE_UNKNOWN);
    assert_string_equal(label(&table, "age", 3), "66+");
    assert_int_equal(age->codes[4], ASSAY_CODE_MISSING);
    assert_string_equal(label(&table, "age", 5), "18-65");
    assert_true(age->values[1] == 17.9 && isnan(age->values[4]));
    assert_true(age->bin_low[1] == 13 && age->bin_high[1] == 18 && isinf(age->bin_high[3]));
    assay_sample_table_free(&table);
}

static void codes_do_not_depend_on_the_order_of_rows(void **state) {
    static const char *const orders[] = {
        "sample_id,path,subject_id,colour\ns1,images/a.jpg,p1,red\ns2,images/b.jpg,p2,blue\n",
        "sample_id,path,subject_id,colour\ns2,images/b.jpg,p2,blue\ns1,images/a.jpg,p1,red\n"};
    (void)state;
    for (int n = 0; n < 2; n++) {
        assay_sample_table table;
        fixture_text("faces.csv", orders[n]);
        ok(fixture_read(HEAD "  attributes: [{name: colour, level: sample, source: not stated}]\n",
                        &table, NULL));
        assert_string_equal(table.attributes[0].labels[ASSAY_CODE_FIRST], "blue");
        assert_string_equal(label(&table, "colour", n), "red");
        assay_sample_table_free(&table);
    }
}

static void dress_of_a_csv_makes_no_difference(void **state) {
    assay_sample_table table;
    (void)state;
    fixture_text("faces.csv", "\xEF\xBB\xBF"
                              "sample_id,\"path\",subject_id,session\r\n"
                              "\r\n"
                              " s1 ,images/a.jpg,\"p1\",\"a \"\"quoted\"\" one, here\"\r\n"
                              "s2,images/b.jpg,p2,plain");
    ok(fixture_read(HEAD, &table, NULL));
    assert_int_equal(table.row_count, 2);
    assert_string_equal(table.sample_id[0], "s1");
    assert_string_equal(table.session.labels[1], "a \"quoted\" one, here");
    assert_string_equal(table.session.labels[2], "plain");
    assay_sample_table_free(&table);
}

static void lines_are_counted_through_quoted_newlines_and_blank_lines(void **state) {
    assay_sample_table table;
    (void)state;
    fixture_text("faces.csv", "sample_id,path,subject_id,note\r\n"      /* 1 */
                              "s1,images/a.jpg,p1,\"two\r\nlines\"\r\n" /* 2, 3 */
                              "\r\n"                                    /* 4 */
                              "s2,images/b.jpg,p2,\"three\n\nlines\"\n" /* 5, 6, 7 */
                              "s1,images/c.jpg,p3,x\n");                /* 8 */
    assert_int_equal(fixture_read(HEAD, &table, NULL), ASSAY_USAGE);
    explained("DIR/./faces.csv:8:1: sample_id: the sample id 's1' is here and at line 2");
}

static void columns_without_use_are_named_once(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    (void)state;
    fixture_text("faces.csv", "sample_id,path,height,subject_id,weight\n"
                              "s1,images/a.jpg,1,p1,2\n");
    ok(fixture_read(HEAD, &table, &warnings));
    assert_non_null(strstr(warnings.bytes, "columns that are not used: height, weight\n"));
    assay_text_free(&warnings);
    assay_sample_table_free(&table);
}

static void identical_images_are_told(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    (void)state;
    fixture_text("images/b.jpg", "the same");
    fixture_text("images/d.jpg", "the same");
    fixture_text("images/e.jpg", "the same");
    fixture_text("faces.csv", "sample_id,path,subject_id\n"
                              "s1,images/a.jpg,p1\n"
                              "s2,images/b.jpg,p1\n"
                              "s3,images/d.jpg,p2\n"
                              "s4,images/e.jpg,p1\n");
    ok(fixture_read(HEAD, &table, &warnings));
    assert_string_equal(
        warnings.bytes,
        "the samples 's2' of subject 'p1' and 's3' of subject 'p2' are the same image, byte for "
        "byte: one person under two subject ids, or a wrong label\n"
        "images that are byte-identical to another of their own subject: 1; such pairs are never "
        "mated comparisons\n");
    assay_text_free(&warnings);
    assay_sample_table_free(&table);
}

static void image_with_another_digest_is_excluded_and_the_run_goes_on(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    assay_digest digest;
    char hex[ASSAY_DIGEST_HEX], text[512];
    (void)state;
    ok(assay_digest_bytes("images/a.jpg", 12, &digest));
    assay_digest_hex(hex, &digest);
    snprintf(text, sizeof text,
             "sample_id,path,subject_id,sha256\n"
             "s1,images/a.jpg,p1,%s\ns2,images/b.jpg,p2,%s\ns3,images/c.jpg,p3,\n",
             hex, hex);
    fixture_text("faces.csv", text);
    ok(fixture_read(HEAD, &table, &warnings));
    assert_int_equal(table.enrolment[0], ASSAY_ENROLMENT_NONE);
    assert_int_equal(table.enrolment[1], ASSAY_ENROLMENT_EXCLUDED);
    assert_int_equal(table.enrolment[2], ASSAY_ENROLMENT_NONE);
    assert_string_equal(table.enrolment_reason.labels[table.enrolment_reason.codes[1]],
                        "SHA-256 differs from the manifest's");
    assert_string_equal(warnings.bytes, "the sample 's2' is excluded: SHA-256 differs from the "
                                        "manifest's (images/b.jpg)\n");
    ok(assay_digest_bytes("images/b.jpg", 12, &digest));
    assert_true(assay_digest_equal(&table.image_digest[1], &digest));
    assay_text_free(&warnings);
    assay_sample_table_free(&table);
}

/* ---- matched files ---- */

#define FILES                                                                                      \
    "dataset:\n  name: test\n  root: .\n  manifest:\n"                                             \
    "    files: \"(neutral|smiling)/([0-9]{3})_[0-9]+\\\\.jpg\"\n"                                 \
    "    columns: {sample_id: \"\\\\2-\\\\1\", subject_id: \"\\\\2\", look: \"\\\\1\",\n"          \
    "              session: one, whole: \"\\\\0|\\\\b|\\\\\\\\\"}\n"

static void make_tree(void) {
    fixture_text("smiling/001_08.jpg", "a");
    fixture_text("neutral/002_03.jpg", "b");
    fixture_text("neutral/001_03.jpg", "c");
    fixture_text("neutral/001_03.jpg.txt", "d");
    fixture_text("deep/neutral/003_03.jpg", "e");
}

static void matched_files_are_samples_in_the_order_of_paths(void **state) {
    assay_sample_table table;
    (void)state;
    make_tree();
    ok(fixture_read(FILES "  attributes:\n"
                          "    - {name: look, level: sample, source: by construction}\n"
                          "    - {name: whole, level: sample, source: by construction}\n",
                    &table, NULL));
    assert_int_equal(table.row_count, 3); /* the pattern matches the whole path */
    assert_string_equal(table.path[0], "neutral/001_03.jpg");
    assert_string_equal(table.path[1], "neutral/002_03.jpg");
    assert_string_equal(table.path[2], "smiling/001_08.jpg");
    assert_string_equal(table.sample_id[2], "001-smiling");
    assert_int_equal(table.subject[0], table.subject[2]);
    assert_int_equal(table.subject_count, 2);
    assert_string_equal(label(&table, "whole", 0), "neutral/001_03.jpg|001_03.jpg|\\");
    assert_int_equal(table.session.codes[1], 1);
    assay_sample_table_free(&table);
}

static void label_tables_are_joined_by_their_key(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    (void)state;
    make_tree();
    fixture_text("info.csv", "id,age,gender\n001,24,female\n009,30,male\n001,24,female\n");
    ok(fixture_read(FILES
                    "    tables: [{file: info.csv, key: id, equals: \"\\\\2\",\n"
                    "              columns: {sex: gender, years: age}}]\n"
                    "  attributes:\n"
                    "    - {name: sex, level: subject, source: self-reported}\n"
                    "    - {name: years, kind: numeric, level: sample, source: self-reported,\n"
                    "       bins: [0-17, 18+]}\n",
                    &table, &warnings));
    assert_string_equal(label(&table, "sex", 0), "female");
    assert_string_equal(label(&table, "sex", 2), "female");
    assert_int_equal(attribute(&table, "sex")->codes[1], ASSAY_CODE_MISSING);
    assert_true(attribute(&table, "years")->values[2] == 24);
    assert_non_null(strstr(warnings.bytes, "info.csv: 1 of 3 files have no row here, the first of "
                                           "them neutral/002_03.jpg; its columns are missing"));
    assay_text_free(&warnings);
    assay_sample_table_free(&table);
}

static void links_are_not_followed(void **state) {
    assay_sample_table table;
    assay_text warnings = {0};
    char target[FIXTURE_PATH], link[FIXTURE_PATH];
    (void)state;
    make_tree();
    assert_int_equal(symlink(fixture_path(target, "deep/neutral/003_03.jpg"),
                             fixture_path(link, "neutral/003_03.jpg")),
                     0);
    assert_int_equal(symlink(fixture_folder, fixture_path(link, "neutral/loop")), 0);
    ok(fixture_read(FILES, &table, &warnings));
    assert_int_equal(table.row_count, 3);
    assert_non_null(strstr(warnings.bytes, "symbolic links that were not followed: 2"));
    assay_text_free(&warnings);
    assay_sample_table_free(&table);
}

static void faults_of_matched_files_name_the_file(void **state) {
    assay_sample_table table;
    (void)state;
    make_tree();
    fixture_text("info.csv", "id,sex\n001,female\n001,male\n002,femal\n");
    assert_int_equal(fixture_read(FILES "    tables: [{file: info.csv, key: id, equals: "
                                        "\"\\\\2\", columns: {sex: sex}}]\n"
                                        "  attributes: [{name: sex, level: subject, source: "
                                        "officer, values: [female, male]}]\n",
                                  &table, NULL),
                     ASSAY_USAGE);
    explained("DIR/./info.csv:3:2: sex: the key '001' has 'male' here and 'female' at line 2");
    explained("DIR/./neutral/002_03.jpg: sex: 'femal' is not among the values of 'sex'; did you "
              "mean 'female'?");
    explained("2 faults in the manifest:\n");
}

static void no_matching_file_is_a_fault(void **state) {
    assay_sample_table table;
    (void)state;
    assert_int_equal(fixture_read(FILES, &table, NULL), ASSAY_USAGE);
    explained("DIR/.: no file below it matches '(neutral|smiling)/([0-9]{3})_[0-9]+\\.jpg'");
}

static void folders_are_walked_32_deep(void **state) {
    assay_sample_table table;
    char name[128] = "";
    (void)state;
    make_tree();
    for (int n = 0; n < 32; n++) snprintf(name + strlen(name), 4, "d/");
    snprintf(name + strlen(name), 8, "x.jpg");
    fixture_text(name, "deep");
    assert_int_equal(fixture_read(FILES, &table, NULL), ASSAY_USAGE);
    explained("more than 32 folders deep");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_images, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_standard_column_is_read),
        TEST(missing_unknown_and_several_are_groups),
        TEST(codes_do_not_depend_on_the_order_of_rows),
        TEST(dress_of_a_csv_makes_no_difference),
        TEST(lines_are_counted_through_quoted_newlines_and_blank_lines),
        TEST(columns_without_use_are_named_once),
        TEST(identical_images_are_told),
        TEST(image_with_another_digest_is_excluded_and_the_run_goes_on),
        TEST(matched_files_are_samples_in_the_order_of_paths),
        TEST(label_tables_are_joined_by_their_key),
        TEST(links_are_not_followed),
        TEST(faults_of_matched_files_name_the_file),
        TEST(no_matching_file_is_a_fault),
        TEST(folders_are_walked_32_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
