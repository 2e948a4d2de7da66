/* test_yaml -- configurations are read as written, and every fault of one is told with its place.
 */
#include "fixtures_manifest.h"

static assay_status read_text(const char *text, assay_yaml *out) {
    char path[FIXTURE_PATH];
    fixture_text("c.yaml", text);
    return assay_yaml_read(fixture_path(path, "c.yaml"), out);
}

static void refused(const char *text, const char *expected) {
    assay_yaml yaml = {0};
    assert_int_equal(read_text(text, &yaml), ASSAY_USAGE);
    explained(expected);
    assert_null(yaml.root);
}

static void tree_has_keys_items_and_places(void **state) {
    assay_yaml yaml;
    const char *text = NULL;
    (void)state;
    ok(read_text("name: x # comment\nlist: [1, \"two\"]\nmap:\n  inner: {a: b}\n", &yaml));
    assert_int_equal(yaml.root->kind, ASSAY_YAML_MAP);
    assert_int_equal(yaml.root->count, 3);
    const assay_yaml_node *list = assay_yaml_get(yaml.root, "list");
    assert_int_equal(list->kind, ASSAY_YAML_LIST);
    assert_int_equal(list->line, 2);
    assert_int_equal(list->column, 7);
    assert_false(list->items[0]->quoted);
    assert_true(list->items[1]->quoted);
    const assay_yaml_node *inner = assay_yaml_get(assay_yaml_get(yaml.root, "map"), "inner");
    assert_true(assay_yaml_string(&yaml, assay_yaml_get(inner, "a"), &text));
    assert_string_equal(text, "b");
    assert_null(assay_yaml_get(inner, "b"));
    assert_int_equal(yaml.fault_count, 0);
    ok(assay_yaml_verdict(&yaml));
    assay_yaml_free(&yaml);
}

static void all_faults_are_told_in_one_pass_with_a_caret(void **state) {
    static const char *const known[] = {"name", "releases", "share", "on", "kind", "needed"};
    static const char *const words[] = {"cosine", "euclidean"};
    assay_yaml yaml;
    double share = 7;
    uint64_t whole = 7;
    bool on = true;
    size_t word = 7;
    const char *text = "untouched";
    (void)state;
    ok(read_text("name: [a]\n"
                 "releaes: 1\n"
                 "share: 1.5\n"
                 "on: yes\n"
                 "kind: cosin\n"
                 "name: again\n",
                 &yaml));
    assay_yaml_check_keys(&yaml, yaml.root, known, 6);
    assert_false(assay_yaml_string(&yaml, assay_yaml_get(yaml.root, "name"), &text));
    assert_false(assay_yaml_double(&yaml, assay_yaml_get(yaml.root, "share"), 0, 1, &share));
    assert_false(assay_yaml_uint(&yaml, assay_yaml_get(yaml.root, "share"), 1, 9, &whole));
    assert_false(assay_yaml_bool(&yaml, assay_yaml_get(yaml.root, "on"), &on));
    assert_false(assay_yaml_word(&yaml, assay_yaml_get(yaml.root, "kind"), words, 2, &word));
    assert_null(assay_yaml_need(&yaml, yaml.root, "needed"));
    assert_true(share == 7 && whole == 7 && on && word == 7);
    assert_string_equal(text, "untouched");
    assert_int_equal(yaml.fault_count, 8);
    assert_int_equal(assay_yaml_verdict(&yaml), ASSAY_USAGE);
    explained("DIR/c.yaml:6:1: the key 'name' is here twice, first at line 1\n"
              "    name: again\n"
              "    ^\n");
    explained("DIR/c.yaml:2:1: unknown key 'releaes'; did you mean 'releases'? Known: name, ");
    explained("DIR/c.yaml:1:7: expected a text, found a list\n    name: [a]\n          ^\n");
    explained("DIR/c.yaml:3:8: expected a number from 0 to 1, found '1.5'");
    explained("DIR/c.yaml:3:8: expected a whole number from 1 to 9, found '1.5'");
    explained("DIR/c.yaml:4:5: expected true or false, found 'yes'");
    explained("DIR/c.yaml:5:7: unknown value 'cosin'; did you mean 'cosine'?");
    explained("DIR/c.yaml:1:1: the key 'needed' is missing here");
    assay_yaml_free(&yaml);
}

static void caret_counts_characters_and_keeps_tabs(void **state) {
    assay_yaml yaml;
    double value = 0;
    (void)state;
    ok(read_text("\"grü\": wrong\n", &yaml));
    assay_yaml_double(&yaml, yaml.root->items[0], 0, 1, &value);
    assert_int_equal(assay_yaml_verdict(&yaml), ASSAY_USAGE);
    explained("c.yaml:1:8: expected");
    explained("    \"grü\": wrong\n           ^");
    assay_yaml_free(&yaml);
}

static void conversions_take_the_ends_of_ranges(void **state) {
    assay_yaml yaml;
    double share = 0;
    uint64_t whole = 0;
    bool on = false;
    (void)state;
    ok(read_text("a: 1e-3\nb: 18446744073709551615\nc: true\n", &yaml));
    assert_true(assay_yaml_double(&yaml, assay_yaml_get(yaml.root, "a"), 1e-3, 1e-3, &share));
    assert_true(share == 1e-3);
    assert_true(assay_yaml_uint(&yaml, assay_yaml_get(yaml.root, "b"), 0, UINT64_MAX, &whole));
    assert_true(whole == UINT64_MAX);
    assert_true(assay_yaml_bool(&yaml, assay_yaml_get(yaml.root, "c"), &on));
    assert_true(on);
    assert_false(assay_yaml_bool(&yaml, NULL, &on));
    assert_int_equal(yaml.fault_count, 0);
    assay_yaml_free(&yaml);
}

static void variables_are_replaced_in_values(void **state) {
    assay_yaml yaml;
    (void)state;
    setenv("ASSAY_TEST_ONE", "first", 1);
    setenv("ASSAY_TEST_EMPTY", "", 1);
    unsetenv("ASSAY_TEST_NONE");
    ok(read_text("a: ${ASSAY_TEST_ONE}/x${ASSAY_TEST_ONE}\n"
                 "b: \"${ASSAY_TEST_NONE:-by default}\"\n"
                 "c: $${ASSAY_TEST_ONE} costs $5\n"
                 "d: \"[${ASSAY_TEST_EMPTY}]\"\n"
                 "e: ${ASSAY_TEST_EMPTY:-filled}\n",
                 &yaml));
    assert_string_equal(yaml.root->items[0]->text, "first/xfirst");
    assert_string_equal(yaml.root->items[1]->text, "by default");
    assert_string_equal(yaml.root->items[2]->text, "${ASSAY_TEST_ONE} costs $5");
    assert_string_equal(yaml.root->items[3]->text, "[]");
    assert_string_equal(yaml.root->items[4]->text, "filled");
    ok(assay_yaml_verdict(&yaml));
    assay_yaml_free(&yaml);
}

static void unset_and_malformed_variables_are_faults(void **state) {
    assay_yaml yaml;
    (void)state;
    unsetenv("ASSAY_TEST_NONE");
    ok(read_text("root: ${ASSAY_TEST_NONE}\nopen: ${HOME\nodd: ${9}\n", &yaml));
    assert_int_equal(yaml.fault_count, 3);
    assert_int_equal(assay_yaml_verdict(&yaml), ASSAY_USAGE);
    explained("c.yaml:1:7: the environment variable ASSAY_TEST_NONE is not set; set it, or write "
              "${ASSAY_TEST_NONE:-default}");
    explained("c.yaml:2:7: '${' begins no variable");
    explained("c.yaml:3:6: '${' begins no variable");
    assay_yaml_free(&yaml);
}

static void what_a_configuration_may_not_have_is_refused(void **state) {
    (void)state;
    refused("a: &x 1\nb: *x\n", "c.yaml:1:4: anchors (&name) are not used here");
    refused("b: *x\n", "c.yaml:1:4: aliases (*name) are not used here");
    refused("a: !!int 1\n", "c.yaml:1:4: tags (!name) are not used here");
    refused("a: 1\n---\nb: 2\n", "c.yaml:2:1: a second document begins here");
    refused("", "the file is empty; expected 'key: value' lines");
    refused("? [a]\n: b\n", "c.yaml:1:3: a key must be a word");
}

static void syntax_errors_have_their_place(void **state) {
    (void)state;
    refused("a: 1\nb: [1, 2\nc: 3\n", "c.yaml:3:");
    refused("a: 1\n\tb: 2\n", "c.yaml:2:1: not valid YAML: ");
    refused("a: \"x\n", "c.yaml:2:1: not valid YAML: ");
}

static void bad_utf8_and_nul_have_their_place(void **state) {
    char path[FIXTURE_PATH];
    assay_yaml yaml = {0};
    (void)state;
    refused("a: 1\nbc: \xff\n", "c.yaml:2:5: byte 0xff: ");
    refused("a: 1\nb: \x01\n", "c.yaml:2:4: byte 0x01: ");
    fixture_bytes("c.yaml", "a: 1\nb: \0", 9);
    assert_int_equal(assay_yaml_read(fixture_path(path, "c.yaml"), &yaml), ASSAY_USAGE);
    explained("c.yaml:2:4: a NUL byte");
}

static void deep_and_large_files_are_refused_at_once(void **state) {
    static char text[70 * 1024];
    (void)state;
    memset(text, '[', 60000);
    refused(text, "c.yaml:1:65: more than 64 brackets are open here");
    for (int n = 0; n < 20000; n++) memcpy(text + 2 * n, "- ", 3);
    refused(text, "c.yaml:1:129: more than 64 levels deep");
    memset(text, 'a', 66 * 1024);
    refused(text, "reading the configuration: ");
}

static void missing_file_is_named(void **state) {
    assay_yaml yaml = {0};
    char path[FIXTURE_PATH];
    (void)state;
    assert_int_equal(assay_yaml_read(fixture_path(path, "nowhere.yaml"), &yaml), ASSAY_USAGE);
    explained("DIR/nowhere.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_has_keys_items_and_places),
        cmocka_unit_test(all_faults_are_told_in_one_pass_with_a_caret),
        cmocka_unit_test(caret_counts_characters_and_keeps_tabs),
        cmocka_unit_test(conversions_take_the_ends_of_ranges),
        cmocka_unit_test(variables_are_replaced_in_values),
        cmocka_unit_test(unset_and_malformed_variables_are_faults),
        cmocka_unit_test(what_a_configuration_may_not_have_is_refused),
        cmocka_unit_test(syntax_errors_have_their_place),
        cmocka_unit_test(bad_utf8_and_nul_have_their_place),
        cmocka_unit_test(deep_and_large_files_are_refused_at_once),
        cmocka_unit_test(missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
