/* test_manifest_bad -- every kind of bad manifest and bad declaration ends with status ASSAY_USAGE
 * and a message that says where and what was expected; all faults come in one pass. */
#include "fixtures_manifest.h"

#define HEAD "dataset:\n  name: test\n  root: .\n  manifest: faces.csv\n"
#define COLUMNS "sample_id,path,subject_id"
#define SEX "  attributes: [{name: sex, level: subject, source: officer, values: [female, male]}]\n"
#define AGE                                                                                        \
    "  attributes: [{name: age, kind: numeric, level: sample, source: officer, bins: [0-12, "      \
    "18+]}]\n"

static int with_images(void **state) {
    char path[FIXTURE_PATH], target[FIXTURE_PATH];
    if (fixture_setup(state) != 0) return -1;
    for (char name[] = "images/a.jpg"; name[7] <= 'f'; name[7]++) fixture_text(name, name);
    if (symlink(fixture_path(target, "images/a.jpg"), fixture_path(path, "images/link.jpg")) != 0) {
        return -1;
    }
    return mkfifo(fixture_path(path, "images/pipe.jpg"), 0600);
}

/* ---- manifests ---- */

typedef struct {
    const char *what;
    const char *more; /* lines of the declaration behind HEAD, or NULL */
    const char *csv;
    const char *expected;
} bad_manifest;

static const bad_manifest bad_manifests[] = {
    {"an empty file", NULL, "", "DIR/./faces.csv:1:1: the file is empty; expected a header line"},
    {"a header alone", NULL, COLUMNS "\n", "DIR/./faces.csv:2:1: no record follows the header"},
    {"a needed column is missing", NULL, "sample_id,path,subjectid\ns1,images/a.jpg,p1\n",
     "DIR/./faces.csv:1:1: the header has no column 'subject_id'; did you mean 'subjectid'? Known: "
     "sample_id, path, subjectid"},
    {"a declared column is missing", "  columns: {session: visit}\n",
     COLUMNS "\ns1,images/a.jpg,p1\n",
     "DIR/./faces.csv:1:1: the header has no column 'visit', which is declared to be session"},
    {"an attribute's column is missing", SEX, COLUMNS ",sec\ns1,images/a.jpg,p1,male\n",
     "DIR/./faces.csv:1:1: the attribute 'sex' is declared with the column 'sex', which is not in "
     "the header; did you mean 'sec'?"},
    {"a column twice", NULL, COLUMNS ",path\ns1,images/a.jpg,p1,x\n",
     "DIR/./faces.csv:1:4: the column 'path' is in the header twice, first as column 2"},
    {"a header cell without name", NULL, COLUMNS ",\ns1,images/a.jpg,p1,x\n",
     "DIR/./faces.csv:1:4: the header's column has no name"},
    {"too few fields", NULL, COLUMNS "\ns1,images/a.jpg\n",
     "DIR/./faces.csv:2:2: the record has 2 fields; expected 3, as the header has"},
    {"too many fields", NULL, COLUMNS "\ns1,images/a.jpg,p1,x,y\n",
     "DIR/./faces.csv:2:4: the record has 5 fields; expected 3, as the header has"},
    {"a quotation mark in the middle", NULL, COLUMNS "\ns1,ima\"ges/a.jpg,p1\n",
     "DIR/./faces.csv:2:2: a quotation mark inside a field without quotes"},
    {"a quotation mark not closed", NULL, COLUMNS "\ns1,\"images/a.jpg,p1\n",
     "DIR/./faces.csv:2:2: a field that begins with a quotation mark is not closed"},
    {"bad UTF-8", NULL, COLUMNS "\ns1,images/a.jpg,p\xC3(\n",
     "DIR/./faces.csv:2:3: byte 2 of the field (0xc3) is not valid UTF-8"},
    {"UTF-16", NULL, "\xFF\xFEs", "DIR/./faces.csv:1:1: the file is UTF-16; expected UTF-8"},
    {"an empty sample id", NULL, COLUMNS "\n,images/a.jpg,p1\n",
     "DIR/./faces.csv:2:1: sample_id: '' is empty"},
    {"an empty subject id", NULL, COLUMNS "\ns1,images/a.jpg,\n",
     "DIR/./faces.csv:2:3: subject_id: '' is empty"},
    {"a control of writing direction in an id", NULL, COLUMNS "\ns\xE2\x80\xAE,images/a.jpg,p1\n",
     "DIR/./faces.csv:2:1: sample_id: 's"},
    {"a sample id twice", NULL,
     COLUMNS "\ns1,images/a.jpg,p1\ns2,images/b.jpg,p1\ns1,images/c.jpg,p2\n",
     "DIR/./faces.csv:4:1: sample_id: the sample id 's1' is here and at line 2"},
    {"an empty path", NULL, COLUMNS "\ns1,,p1\n",
     "DIR/./faces.csv:2:2: path: missing file: the cell is empty"},
    {"a file that is not there", NULL, COLUMNS "\ns1,images/z.jpg,p1\n",
     "DIR/./faces.csv:2:2: path: images/z.jpg is not there"},
    {"a path out of the root", NULL, COLUMNS "\ns1,../../etc/passwd,p1\n",
     "DIR/./faces.csv:2:2: path: ../../etc/passwd leaves the folder"},
    {"an absolute path", NULL, COLUMNS "\ns1,/etc/passwd,p1\n",
     "DIR/./faces.csv:2:2: path: /etc/passwd leaves the folder"},
    {"a symbolic link", NULL, COLUMNS "\ns1,images/link.jpg,p1\n",
     "DIR/./faces.csv:2:2: path: images/link.jpg is a link"},
    {"a folder", NULL, COLUMNS "\ns1,images,p1\n",
     "DIR/./faces.csv:2:2: path: images is not a regular file"},
    {"a FIFO", NULL, COLUMNS "\ns1,images/pipe.jpg,p1\n",
     "DIR/./faces.csv:2:2: path: images/pipe.jpg is not a regular file"},
    {"a control character in a path", NULL, COLUMNS "\ns1,\"images/a\n.jpg\",p1\n",
     "DIR/./faces.csv:2:2: path: the path 'images/a\\x0a.jpg' has the control character U+000A at "
     "byte "
     "9"},
    {"a value outside the list", SEX, COLUMNS ",sex\ns1,images/a.jpg,p1,femal\n",
     "DIR/./faces.csv:2:4: sex: 'femal' is not among the values of 'sex'; did you mean 'female'? "
     "Known: female, male"},
    {"one of several values outside the list",
     "  attributes: [{name: sex, level: subject, source: officer, values: [f, m], several: /}]\n",
     COLUMNS ",sex\ns1,images/a.jpg,p1,f/x\n",
     "DIR/./faces.csv:2:4: sex: 'x' is not among the values of 'sex'"},
    {"a subject with two values", SEX,
     COLUMNS ",sex\ns1,images/a.jpg,p1,\ns2,images/b.jpg,p1,male\ns3,images/c.jpg,p1,female\n",
     "DIR/./faces.csv:4:4: sex: the subject 'p1' is 'female' here and 'male' at line 3, but 'sex' "
     "is declared subject-level"},
    {"a number outside all bins", AGE, COLUMNS ",age\ns1,images/a.jpg,p1,15\n",
     "DIR/./faces.csv:2:4: age: 15 is in none of the bins of 'age': 0-12, 18+"},
    {"no number", AGE, COLUMNS ",age\ns1,images/a.jpg,p1,ten\n",
     "DIR/./faces.csv:2:4: age: 'ten' is no number"},
    {"no number, but NaN", AGE, COLUMNS ",age\ns1,images/a.jpg,p1,nan\n",
     "DIR/./faces.csv:2:4: age: 'nan' is no number"},
    {"a day that does not exist", NULL, COLUMNS ",captured\ns1,images/a.jpg,p1,2023-02-29\n",
     "DIR/./faces.csv:2:4: captured: '2023-02-29' is no time; expected a date as 2024-03-09"},
    {"a quality that is no number", NULL, COLUMNS ",quality\ns1,images/a.jpg,p1,good\n",
     "DIR/./faces.csv:2:4: quality: 'good' is no number"},
    {"a digest that is none", NULL, COLUMNS ",sha256\ns1,images/a.jpg,p1,abc\n",
     "DIR/./faces.csv:2:4: sha256: 'abc' is no SHA-256; expected 64 hexadecimal digits"},
    {"a value that is kept", "  attributes: [{name: sex, level: sample, source: officer}]\n",
     COLUMNS ",sex\ns1,images/a.jpg,p1,(missing)\n",
     "DIR/./faces.csv:2:4: sex: '(missing)' is kept for groups without value"},
};

static void bad_manifests_are_refused_with_their_place(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof bad_manifests / sizeof bad_manifests[0]; n++) {
        const bad_manifest *bad = &bad_manifests[n];
        assay_sample_table table = {0};
        char text[1024];
        snprintf(text, sizeof text, "%s%s", HEAD, bad->more ? bad->more : "");
        fixture_text("faces.csv", bad->csv);
        if (fixture_read(text, &table, NULL) != ASSAY_USAGE) fail_msg("accepted: %s", bad->what);
        explained(bad->expected);
        assert_null(table.sample_id);
    }
}

static void nul_bytes_are_refused(void **state) {
    static const char bytes[] = COLUMNS "\ns1,images/a.jpg,p\0q\n";
    assay_sample_table table;
    (void)state;
    fixture_bytes("faces.csv", bytes, sizeof bytes - 1);
    assert_int_equal(fixture_read(HEAD, &table, NULL), ASSAY_USAGE);
    explained("DIR/./faces.csv:2:3: a NUL byte at byte 2 of the field; expected text");
}

static void long_fields_are_refused(void **state) {
    assay_sample_table table;
    assay_text text = {0};
    (void)state;
    assay_text_append(&text, COLUMNS "\ns1,\"");
    for (int n = 0; n < 1100; n++) assay_text_appendf(&text, "%01024d", n);
    fixture_text("faces.csv", text.bytes);
    assert_int_equal(fixture_read(HEAD, &table, NULL), ASSAY_USAGE);
    explained(
        "DIR/./faces.csv:2:2: the field is longer than 1 MiB; is a quotation mark not closed?");
    assay_text_free(&text);
}

static void missing_files_of_the_declaration_are_named(void **state) {
    assay_sample_table table;
    (void)state;
    assert_int_equal(fixture_read(HEAD, &table, NULL), ASSAY_USAGE);
    explained("DIR/./faces.csv: cannot open the file: No such file or directory");
    fixture_text("faces.csv", COLUMNS "\ns1,a.jpg,p1\n");
    assert_int_equal(
        fixture_read("dataset: {name: x, root: nowhere, manifest: ../faces.csv}\n", &table, NULL),
        ASSAY_USAGE);
    explained("DIR/nowhere");
}

static void every_fault_of_a_manifest_comes_in_one_pass(void **state) {
    assay_sample_table table;
    (void)state;
    fixture_text("faces.csv", COLUMNS ",sex,captured\n"
                                      "s1,images/a.jpg,p1,femal,\n"
                                      "s1,images/z.jpg,p1,male,yesterday\n"
                                      "s3,../x.jpg,p3\n"
                                      "s4,../x.jpg,p1,female,\n");
    assert_int_equal(fixture_read(HEAD SEX, &table, NULL), ASSAY_USAGE);
    explained("7 faults in the manifest:\n");
    explained("faces.csv:2:4: sex: 'femal'");
    explained("faces.csv:3:1: sample_id: the sample id 's1'");
    explained("faces.csv:3:2: path: images/z.jpg");
    explained("faces.csv:3:5: captured: 'yesterday'");
    explained("faces.csv:4:3: the record has 3 fields; expected 5");
    explained("faces.csv:5:2: path: ../x.jpg");
    explained("faces.csv:5:4: sex: the subject 'p1' is 'female' here and 'male' at line 3");
}

static void many_faults_are_cut_and_counted(void **state) {
    assay_sample_table table;
    assay_text text = {0};
    (void)state;
    assay_text_append(&text, COLUMNS "\n");
    for (int n = 0; n < 500; n++) assay_text_appendf(&text, "s%d,no/%d.jpg,p1\n", n, n);
    fixture_text("faces.csv", text.bytes);
    assert_int_equal(fixture_read(HEAD, &table, NULL), ASSAY_USAGE);
    explained("500 faults in the manifest, of which the first ");
    explained("faces.csv:2:2: path: no/0.jpg");
    size_t shown = 0, more = 0;
    assert_int_equal(
        sscanf(assay_error_text(), "500 faults in the manifest, of which the first %zu", &shown),
        1);
    const char *end = strstr(assay_error_text(), "\n… and ");
    assert_non_null(end);
    assert_int_equal(sscanf(end, "\n… and %zu more", &more), 1);
    assert_int_equal(shown + more, 500);
    assert_true(shown > 20);
    assay_text_free(&text);
}

/* ---- declarations ---- */

typedef struct {
    const char *text;
    const char *expected;
} bad_declaration;

#define ATTRIBUTE(text) HEAD "  attributes:\n    - {" text "}\n"
#define MATCH(columns, more)                                                                       \
    "dataset:\n  name: x\n  root: .\n  manifest:\n    files: \"(a)/(b)\"\n    columns: {" columns  \
    "}\n" more

static const bad_declaration bad_declarations[] = {
    {"dataset:\n  nam: x\n  root: .\n  manifest: f.csv\n",
     "config.yaml:2:3: unknown key 'nam'; did you mean 'name'? Known: name, root, manifest"},
    {"dataset:\n  nam: x\n  root: .\n  manifest: f.csv\n",
     "config.yaml:2:3: the key 'name' is missing here"},
    {"dataset: 5\n", "config.yaml:1:10: expected a map (key: value), found a single value"},
    {"dataset: {name: '', root: ., manifest: f.csv}\n", "config.yaml:1:17: '' cannot be a name"},
    {"dataset: {name: x, root: , manifest: f.csv}\n",
     "config.yaml:1:26: expected a text, found nothing"},
    {"dataset: {name: x, root: ., manifest: [a]}\n",
     "config.yaml:1:39: expected the name of a CSV file, or a map with 'files' and 'columns'"},
    {HEAD "  columns: {subject: id}\n",
     "config.yaml:5:13: unknown key 'subject'; did you mean 'subject_id'?"},
    {ATTRIBUTE("name: sex, source: officer"), "config.yaml:6:7: the key 'level' is missing here"},
    {ATTRIBUTE("name: sex, level: subject"), "config.yaml:6:7: the key 'source' is missing here"},
    {ATTRIBUTE("name: sex, level: person, source: officer"),
     "config.yaml:6:26: unknown value 'person'"},
    {ATTRIBUTE("name: sex, level: subject, source: oficer"),
     "config.yaml:6:43: unknown value 'oficer'; did you mean 'officer'?"},
    {ATTRIBUTE("name: sex, level: subject, source: inferred"),
     "config.yaml:6:43: inferred labels are refused: rates by them measure who infers as well as "
     "who is compared; write 'accept_inferred: true' beside it to use them"},
    {ATTRIBUTE("name: session, level: subject, source: officer"),
     "config.yaml:6:14: 'session' is a standard column and cannot be an attribute's name"},
    {HEAD "  attributes:\n    - {name: a, level: sample, source: officer}\n"
          "    - {name: a, level: sample, source: officer}\n",
     "config.yaml:7:14: the attribute 'a' is declared twice"},
    {ATTRIBUTE("name: a, level: sample, source: officer, values: [x, y, x]"),
     "config.yaml:6:64: 'x' is in the list twice"},
    {ATTRIBUTE("name: a, level: sample, source: officer, values: ['(several)']"),
     "config.yaml:6:57: '(several)' is kept for groups without value"},
    {ATTRIBUTE("name: a, level: sample, source: officer, kind: numeric"),
     "config.yaml:6:7: a numeric attribute needs 'bins', as [0-12, 13-17, 18+]"},
    {ATTRIBUTE("name: a, level: sample, source: officer, bins: [0-5]"),
     "config.yaml:6:55: bins need 'kind: numeric' beside them"},
    {ATTRIBUTE("name: a, level: sample, source: officer, kind: numeric, bins: [0-5, 5-9]"),
     "config.yaml:6:76: the bin 5-9 begins before the end of 0-5"},
    {ATTRIBUTE("name: a, level: sample, source: officer, kind: numeric, bins: [young]"),
     "config.yaml:6:71: 'young' is no bin; expected whole numbers as 13-17, 66+ or 7"},
    {ATTRIBUTE("name: a, level: sample, source: officer, kind: numeric, bins: [9-1]"),
     "config.yaml:6:71: '9-1' is no bin"},
    {ATTRIBUTE("name: a, level: sample, source: officer, kind: numeric, bins: [66+, 70+]"),
     "config.yaml:6:76: the bin 70+ begins before the end of 66+"},
    {HEAD "  notes: free text\n", "config.yaml:5:10: expected a map of notes"},
    {"dataset:\n  name: x\n  root: .\n  manifest: {files: \"(a\", columns: {}}\n",
     "config.yaml:4:21: '(a' is no POSIX extended regular expression: "},
    {"dataset:\n  name: x\n  root: .\n  manifest: {files: \"(a)\\\\1\", columns: {}}\n",
     "config.yaml:4:21: the pattern refers back to a group with '\\1', which is not supported"},
    {MATCH("sample_id: \"\\\\3\", subject_id: \"\\\\1\"", ""),
     "config.yaml:6:26: '\\3' in '\\3' stands for nothing; expected \\0 to \\2 (the pattern's "
     "groups), \\b or \\\\"},
    {MATCH("sample_id: \"\\\\0\"", ""),
     "config.yaml:6:14: the column 'subject_id' is missing here"},
    {MATCH("sample_id: \"\\\\0\", subject_id: x, path: y", ""),
     "config.yaml:6:48: the column 'path' is made already: it is the file's path"},
    {MATCH("sample_id: \"\\\\0\", subject_id: x", "  columns: {session: s}\n"),
     "config.yaml:7:12: columns of matched files belong below 'manifest:'"},
    {MATCH("sample_id: \"\\\\0\", subject_id: x",
           "  attributes: [{name: sex, level: sample, source: officer}]\n"),
     "config.yaml:7:23: no column 'sex' is made below 'manifest:', by 'columns' or 'tables'"},
    {MATCH("sample_id: \"\\\\0\", subject_id: x",
           "    tables: [{file: a.csv, ky: id, equals: x, columns: {sample_id: b}}]\n"),
     "config.yaml:7:28: unknown key 'ky'; did you mean 'key'?"},
    {MATCH("sample_id: \"\\\\0\", subject_id: x",
           "    tables: [{file: a.csv, key: id, equals: x, columns: {sample_id: b}}]\n"),
     "config.yaml:7:58: the column 'sample_id' is made already"},
};

static void bad_declarations_are_refused_with_their_place(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof bad_declarations / sizeof bad_declarations[0]; n++) {
        assay_manifest_declaration declaration = {0};
        if (fixture_declare(bad_declarations[n].text, &declaration) != ASSAY_USAGE) {
            fail_msg("accepted:\n%s", bad_declarations[n].text);
        }
        explained(bad_declarations[n].expected);
        assay_manifest_declaration_free(&declaration);
    }
}

static void inferred_labels_are_accepted_on_request(void **state) {
    assay_manifest_declaration declaration;
    (void)state;
    ok(fixture_declare(
        ATTRIBUTE("name: sex, level: subject, source: inferred, accept_inferred: true"),
        &declaration));
    assert_int_equal(declaration.attributes[0].source, ASSAY_SOURCE_INFERRED);
    assay_manifest_declaration_free(&declaration);
}

static void notes_become_sorted_json(void **state) {
    assay_manifest_declaration declaration;
    (void)state;
    ok(fixture_declare(HEAD "  notes: {source: \"a \\\"b\\\"\", licence: CC, files: [x, y]}\n",
                       &declaration));
    assert_string_equal(declaration.notes_json,
                        "{\"files\":[\"x\",\"y\"],\"licence\":\"CC\",\"source\":\"a \\\"b\\\"\"}");
    assay_manifest_declaration_free(&declaration);
    ok(fixture_declare(HEAD, &declaration));
    assert_string_equal(declaration.notes_json, "{}");
    assay_manifest_declaration_free(&declaration);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_images, fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bad_manifests_are_refused_with_their_place),
        TEST(nul_bytes_are_refused),
        TEST(long_fields_are_refused),
        TEST(missing_files_of_the_declaration_are_named),
        TEST(every_fault_of_a_manifest_comes_in_one_pass),
        TEST(many_faults_are_cut_and_counted),
        TEST(bad_declarations_are_refused_with_their_place),
        TEST(inferred_labels_are_accepted_on_request),
        TEST(notes_become_sorted_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
