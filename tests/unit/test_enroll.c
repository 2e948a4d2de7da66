/* test_enroll -- from a manifest to templates on small sets: what becomes of every kind of sample,
 * and templates made elsewhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "datasets/base/digest.h"
#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "datasets/npy.h"
#include "datasets/population.h"
#include "datasets/yaml.h"
#include "harness/enrolment.h"
#include "harness/steps.h"

#define SUBJECTS 6u
#define ROWS 12u

/* ---- a folder of faces ---- */

typedef struct {
    char directory[64];
    char *digests[ROWS]; /* hexadecimal, of the images as they were made */
} place;

static char *below(const place *at, const char *name) {
    char *path = NULL;
    assert_int_equal(assay_path_join(&path, at->directory, name), ASSAY_OK);
    return path;
}

static void write_below(const place *at, const char *name, const void *bytes, size_t count) {
    char *path = below(at, name);
    assert_int_equal(assay_file_write(path, bytes, count), ASSAY_OK);
    free(path);
}

static char *image_name(uint32_t row, char out[32]) {
    snprintf(out, 32, "images/%05u_%u.pgm", row / 2 + 1, row % 2 + 1);
    return out;
}

static char *read_image(const place *at, uint32_t row, size_t *out_count) {
    char name[32], *bytes = NULL;
    char *path = below(at, image_name(row, name));
    assert_int_equal(assay_file_read(path, 1 << 20, &bytes, out_count), ASSAY_OK);
    free(path);
    return bytes;
}

static int make_place(void **state) {
    assay_population population;
    place *made = calloc(1, sizeof *made);
    if (made == NULL || assay_population_create(false, &population) != ASSAY_OK) return 1;
    population.subjects = SUBJECTS;
    population.samples_per_subject = 2;
    population.image_size = 64;
    strcpy(made->directory, "/tmp/assay-enroll-XXXXXX");
    if (mkdtemp(made->directory) == NULL) return 1;
    if (assay_population_images(&population, made->directory, NULL) != ASSAY_OK) return 1;
    assay_population_free(&population);
    for (uint32_t row = 0; row < ROWS; row++) {
        assay_digest digest;
        size_t count;
        char *bytes = read_image(made, row, &count);
        if (assay_digest_bytes(bytes, count, &digest) != ASSAY_OK) return 1;
        made->digests[row] = malloc(ASSAY_DIGEST_HEX);
        assay_digest_hex(made->digests[row], &digest);
        free(bytes);
    }
    *state = made;
    return 0;
}

static int remove_place(void **state) {
    place *made = *state;
    char command[128];
    for (uint32_t row = 0; row < ROWS; row++) free(made->digests[row]);
    snprintf(command, sizeof command, "rm -rf %s", made->directory);
    int left = system(command);
    free(made);
    return left;
}

/* A manifest of all rows, with the digest of the images as made where with_digests. */
static void write_manifest(const place *at, bool with_digests) {
    assay_text text = {0};
    char name[32];
    assay_text_appendf(&text, "sample_id,path,subject_id,group%s\n", with_digests ? ",sha256" : "");
    for (uint32_t row = 0; row < ROWS; row++) {
        assay_text_appendf(&text, "s%u,%s,p%u,%s", row, image_name(row, name), row / 2,
                           row / 2 % 2 ? "odd" : "even");
        assay_text_appendf(&text, "%s%s\n", with_digests ? "," : "",
                           with_digests ? at->digests[row] : "");
    }
    write_below(at, "list.csv", text.bytes, text.length);
    assay_text_free(&text);
}

static assay_status ingest(const place *at, const assay_progress *progress, const char *out_name,
                           assay_ingest_result *out) {
    static const char section[] = "name: small\n"
                                  "root: .\n"
                                  "manifest: list.csv\n"
                                  "attributes:\n"
                                  "  - { name: group, level: subject, source: officer }\n"
                                  "notes: { licence: none }\n";
    assay_yaml yaml = {0};
    assay_manifest_declaration declaration = {0};
    write_below(at, "small.yaml", section, strlen(section));
    char *path = below(at, "small.yaml"), *out_path = below(at, out_name);
    assert_int_equal(assay_yaml_read(path, &yaml), ASSAY_OK);
    assert_int_equal(assay_manifest_declare(&yaml, yaml.root, at->directory, &declaration),
                     ASSAY_OK);
    assert_int_equal(assay_yaml_verdict(&yaml), ASSAY_OK);
    assay_status status = assay_ingest(&declaration, out_path, progress, out);
    assay_manifest_declaration_free(&declaration);
    assay_yaml_free(&yaml);
    free(path);
    free(out_path);
    return status;
}

static assay_status enroll(const place *at, const char *from, const assay_release *release,
                           unsigned threads, const char *to, assay_enroll_result *out) {
    char *dataset = below(at, from), *templates = below(at, to);
    const assay_enroll_options options = {.threads = threads};
    assay_status status = assay_enroll(dataset, release, &options, templates, NULL, out);
    free(dataset);
    free(templates);
    return status;
}

static assay_templates *open_templates(const place *at, const char *name) {
    assay_templates *templates = NULL;
    char *path = below(at, name);
    assert_int_equal(assay_templates_open(path, &templates), ASSAY_OK);
    free(path);
    return templates;
}

static const char *reason_of(const assay_sample_table *table, uint64_t row) {
    return table->enrolment_reason.labels[table->enrolment_reason.codes[row]];
}

static const assay_release lbp = {.release = "base", .version = "7", .algorithm = "lbp"};

/* ---- ingest and enroll ---- */

static void a_whole_set_is_enrolled(void **state) {
    const place *at = *state;
    assay_ingest_result ingested;
    assay_enroll_result enrolled;
    write_manifest(at, true);
    assert_int_equal(ingest(at, NULL, "whole.h5", &ingested), ASSAY_OK);
    assert_int_equal(ingested.samples, ROWS);
    assert_int_equal(ingested.subjects, SUBJECTS);
    assert_int_equal(ingested.excluded, 0);
    assert_int_equal(ingested.warnings, 0);
    assert_int_equal(enroll(at, "whole.h5", &lbp, 2, "whole.t.h5", &enrolled), ASSAY_OK);
    assert_int_equal(enrolled.enrolled, ROWS);
    assay_templates *templates = open_templates(at, "whole.t.h5");
    const assay_templates_head *head = assay_templates_get_head(templates);
    assert_string_equal(head->release, "base");
    assert_string_equal(head->version, "7");
    assert_string_equal(head->algorithm, "lbp grid=8 size=96 crop=0.7");
    assert_string_equal(head->comparator, "cosine");
    assert_string_equal(head->dataset_name, "small");
    assert_true(assay_digest_equal(&head->dataset_digest, &ingested.digest));
    assert_true(assay_digest_equal(&head->digest, &enrolled.digest));
    assert_int_equal(head->length, 3776);
    json_t *provenance = json_loads(head->provenance_json, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(provenance, "algorithm_version")), "1.0");
    assert_int_equal(json_integer_value(json_object_get(provenance, "threads")), 2);
    json_decref(provenance);
    for (uint64_t row = 0; row < ROWS; row++) {
        assert_int_equal(head->table.enrolment[row], ASSAY_ENROLMENT_ENROLLED);
        assert_string_equal(reason_of(&head->table, row), "");
        assert_true(head->seconds[row] > 0 && head->seconds[row] < 10);
    }
    assay_templates_close(templates);
}

static void templates_do_not_depend_on_the_number_of_threads(void **state) {
    static const unsigned threads[] = {1, 2, 7};
    const place *at = *state;
    assay_ingest_result ingested;
    assay_enroll_result enrolled, first = {0};
    static float vectors[2][ROWS * 3776];
    write_manifest(at, true);
    assert_int_equal(ingest(at, NULL, "threads.h5", &ingested), ASSAY_OK);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(enroll(at, "threads.h5", &lbp, threads[n], "threads.t.h5", &enrolled),
                         ASSAY_OK);
        assay_templates *templates = open_templates(at, "threads.t.h5");
        assert_int_equal(assay_templates_read(templates, 0, ROWS, vectors[n > 0]), ASSAY_OK);
        assay_templates_close(templates);
        if (n == 0) first = enrolled;
        assert_true(assay_digest_equal(&first.digest, &enrolled.digest));
        if (n > 0) assert_memory_equal(vectors[0], vectors[1], sizeof vectors[0]);
    }
    const char *const parameters[] = {"crop=0.8", NULL};
    const assay_release other = {
        .release = "base", .version = "7", .algorithm = "lbp", .parameters = parameters};
    assert_int_equal(enroll(at, "threads.h5", &other, 1, "threads.t.h5", &enrolled), ASSAY_OK);
    assert_false(assay_digest_equal(&first.digest, &enrolled.digest));
}

/* Row 3 is cut short, row 5 grey all over, row 8 text, row 10 too small, and the run goes on. */
static void damaged_images_are_excluded_and_unusable_ones_refused(void **state) {
    static const char text[] = "this is no image";
    static uint8_t flat[13 + 64 * 64] = "P5\n64 64\n255\n",
                                  small[13 + 20 * 20] = "P5\n20 20\n255\n";
    const place *at = *state;
    assay_ingest_result ingested;
    assay_enroll_result enrolled;
    char name[32];
    size_t count;
    char *cut = read_image(at, 3, &count);
    memset(flat + 13, 90, 64 * 64);
    for (int n = 0; n < 400; n++) small[13 + n] = (uint8_t)n;
    write_below(at, image_name(3, name), cut, count / 2);
    write_below(at, image_name(5, name), flat, sizeof flat);
    write_below(at, image_name(8, name), text, sizeof text);
    write_below(at, image_name(10, name), small, sizeof small);
    write_manifest(at, false);
    assert_int_equal(ingest(at, NULL, "mixed.h5", &ingested), ASSAY_OK);
    assert_int_equal(ingested.samples, ROWS);
    assert_int_equal(ingested.excluded, 2);
    assert_int_equal(ingested.warnings, 2);
    assert_int_equal(enroll(at, "mixed.h5", &lbp, 3, "mixed.t.h5", &enrolled), ASSAY_OK);
    assert_int_equal(enrolled.enrolled, ROWS - 4);
    assert_int_equal(enrolled.refused, 2);
    assert_int_equal(enrolled.excluded, 2);
    assert_int_equal(enrolled.failed, 0);
    assay_templates *templates = open_templates(at, "mixed.t.h5");
    const assay_templates_head *head = assay_templates_get_head(templates);
    const uint8_t *enrolment = head->table.enrolment;
    static float vector[3776];
    assert_int_equal(enrolment[3], ASSAY_ENROLMENT_EXCLUDED);
    assert_int_equal(enrolment[5], ASSAY_ENROLMENT_REFUSED);
    assert_int_equal(enrolment[8], ASSAY_ENROLMENT_EXCLUDED);
    assert_int_equal(enrolment[10], ASSAY_ENROLMENT_REFUSED);
    assert_true(strlen(reason_of(&head->table, 3)) > 5);
    assert_string_equal(reason_of(&head->table, 5), "no contrast in the picture's middle");
    assert_string_equal(reason_of(&head->table, 10), "picture is under 32 pixels a side");
    assert_true(isnan(head->seconds[3]));
    assert_true(head->seconds[5] >= 0);
    assert_int_equal(assay_templates_read(templates, 5, 1, vector), ASSAY_OK);
    for (int n = 0; n < 3776; n++) assert_true(vector[n] == 0);
    assay_templates_close(templates);
    free(cut);
}

static void the_notes_tell_what_was_met(void **state) {
    const place *at = *state;
    assay_ingest_result ingested;
    assay_dataset *dataset = NULL;
    char name[32];
    size_t count;
    char *twin = read_image(at, 0, &count);
    write_below(at, image_name(4, name), twin, count);
    write_manifest(at, true);
    assert_int_equal(ingest(at, NULL, "notes.h5", &ingested), ASSAY_OK);
    assert_int_equal(ingested.excluded, 1); /* its digest is not the manifest's */
    assert_int_equal(ingested.warnings, 2); /* and it is the image of someone else */
    char *path = below(at, "notes.h5");
    assert_int_equal(assay_dataset_open(path, &dataset), ASSAY_OK);
    const assay_dataset_head *head = assay_dataset_get_head(dataset);
    json_t *notes = json_loads(head->notes_json, 0, NULL),
           *list = json_object_get(notes, "warnings");
    assert_string_equal(json_string_value(json_object_get(notes, "licence")), "none");
    assert_int_equal(json_array_size(list), 2);
    assert_non_null(strstr(json_string_value(json_array_get(list, 0)), "s4"));
    assert_int_equal(head->table.enrolment[4], ASSAY_ENROLMENT_EXCLUDED);
    json_decref(notes);
    assay_dataset_close(dataset);
    free(twin);
    free(path);
}

/* Writes another picture over row 7's once the manifest has hashed them all. */
static bool change_a_file(void *context, const char *step, const char *unit, uint64_t done,
                          uint64_t total) {
    const place *at = context;
    char name[32];
    size_t count;
    (void)unit;
    if (strcmp(step, "hash") != 0 || done != total) return true;
    char *bytes = read_image(at, 0, &count);
    write_below(at, image_name(7, name), bytes, count);
    free(bytes);
    return true;
}

static void a_file_that_changes_on_the_way_is_a_failure(void **state) {
    place *at = *state;
    const assay_progress progress = {.tell = change_a_file, .context = at};
    assay_ingest_result ingested;
    write_manifest(at, true);
    assert_int_equal(ingest(at, &progress, "changed.h5", &ingested), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "images/00004_2.pgm"));
    assert_non_null(strstr(assay_error_text(), "changed"));
    char *path = below(at, "changed.h5");
    assert_false(assay_file_exists(path));
    free(path);
}

static bool interrupt(void *context, const char *step, const char *unit, uint64_t done,
                      uint64_t total) {
    (void)unit;
    (void)done;
    (void)total;
    return strcmp(step, context) != 0;
}

static void an_interrupted_step_leaves_no_file(void **state) {
    const place *at = *state;
    assay_progress progress = {.tell = interrupt, .context = (void *)"ingest"};
    assay_ingest_result ingested;
    assay_enroll_result enrolled;
    write_manifest(at, true);
    char *dataset = below(at, "stopped.h5"), *templates = below(at, "stopped.t.h5");
    assert_int_equal(ingest(at, &progress, "stopped.h5", &ingested), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "interrupted"));
    assert_false(assay_file_exists(dataset));
    assert_int_equal(ingest(at, NULL, "stopped.h5", &ingested), ASSAY_OK);
    progress.context = (void *)"enroll";
    const assay_enroll_options options = {.threads = 2};
    assert_int_equal(assay_enroll(dataset, &lbp, &options, templates, &progress, &enrolled),
                     ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "interrupted"));
    assert_false(assay_file_exists(templates));
    free(dataset);
    free(templates);
}

static void a_wrong_release_is_refused_before_anything_is_read(void **state) {
    const place *at = *state;
    const char *const parameters[] = {"grid=12", NULL};
    assay_release release = lbp;
    assay_enroll_result enrolled;
    release.algorithm = "lbq";
    assert_int_equal(enroll(at, "nothing.h5", &release, 1, "nothing.t.h5", &enrolled), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "lbq"));
    release = lbp;
    release.parameters = parameters;
    assert_int_equal(enroll(at, "nothing.h5", &release, 1, "nothing.t.h5", &enrolled), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "grid=12"));
}

static void reasons_stay_few_and_printable(void **state) {
    (void)state;
    assay_sample_table table;
    char reason[400];
    assert_int_equal(assay_sample_table_create(600, 1, &table), ASSAY_OK);
    for (uint64_t row = 0; row < 600; row++) {
        snprintf(reason, sizeof reason, "reason %llu\x1b[0m", (unsigned long long)row);
        assert_int_equal(assay_enrolment_set(&table, row, ASSAY_ENROLMENT_FAILED, reason),
                         ASSAY_OK);
    }
    assert_int_equal(table.enrolment_reason.label_count, ASSAY_ENROLMENT_REASONS + 2);
    assert_null(strchr(reason_of(&table, 0), '\x1b'));
    assert_string_equal(reason_of(&table, 599), "other reasons");
    assay_sample_table_free(&table);
    assert_int_equal(assay_sample_table_create(1, 1, &table), ASSAY_OK);
    for (int n = 0; n < 200; n += 2) memcpy(reason + n + 1, "\xc3\xa4", 2); /* ä, cut between two */
    reason[0] = 'x';
    reason[201] = '\0';
    assert_int_equal(assay_enrolment_set(&table, 0, ASSAY_ENROLMENT_FAILED, reason), ASSAY_OK);
    assert_int_equal(strlen(reason_of(&table, 0)), ASSAY_NAME_BYTES - 1);
    assert_null(assay_name_fault(reason_of(&table, 0), ASSAY_NAME_BYTES - 1));
    assay_sample_table_free(&table);
}

/* ---- import ---- */

static const char labels[] = "sample,subject,sex\n"
                             "a1,a,f\na2,a,f\nb1,b,m\nb2,b,m\nc1,c,f\n";

static assay_status import_with(const place *at, const float *vectors, uint64_t rows,
                                const char *comparator, assay_enroll_result *out) {
    char *matrix = below(at, "x.npy"), *list = below(at, "x.csv"), *to = below(at, "x.h5");
    write_below(at, "x.csv", labels, strlen(labels));
    assert_int_equal(assay_npy_write(matrix, rows, 3, vectors), ASSAY_OK);
    const assay_import import = {.matrix = matrix,
                                 .labels_path = list,
                                 .release = "theirs",
                                 .version = "3",
                                 .comparator = comparator,
                                 .dataset_name = "field"};
    assay_status status = assay_import_templates(&import, to, NULL, out);
    free(matrix);
    free(list);
    free(to);
    return status;
}

static void imported_rows_that_cannot_be_compared_failed_to_enrol(void **state) {
    const place *at = *state;
    const float vectors[5][3] = {{1, 2, 3}, {NAN, 1, 1}, {0, 0, 0}, {-1, 0, 0}, {1, -INFINITY, 0}};
    assay_enroll_result imported;
    float back[5][3];
    assert_int_equal(import_with(at, &vectors[0][0], 5, "euclidean", &imported), ASSAY_OK);
    assert_int_equal(imported.enrolled, 2);
    assert_int_equal(imported.failed, 3);
    assay_templates *templates = open_templates(at, "x.h5");
    const assay_templates_head *head = assay_templates_get_head(templates);
    assay_digest digest;
    assert_string_equal(head->release, "theirs");
    assert_string_equal(head->algorithm, "imported");
    assert_string_equal(head->comparator, "euclidean");
    assert_string_equal(head->dataset_name, "field");
    assert_int_equal(assay_dataset_digest(&head->table, &digest), ASSAY_OK);
    assert_true(assay_digest_equal(&digest, &head->dataset_digest));
    assert_string_equal(reason_of(&head->table, 1), "NaN or infinite component");
    assert_string_equal(reason_of(&head->table, 2), "all-zero vector");
    assert_string_equal(reason_of(&head->table, 4), "NaN or infinite component");
    assert_true(isnan(head->seconds[0]));
    assert_int_equal(assay_templates_read(templates, 0, 5, &back[0][0]), ASSAY_OK);
    assert_memory_equal(back[0], vectors[0], sizeof vectors[0]);
    assert_memory_equal(back[3], vectors[3], sizeof vectors[3]);
    for (int n = 0; n < 3; n++) assert_true(back[1][n] == 0 && back[4][n] == 0);
    assay_templates_close(templates);
}

static void an_import_that_does_not_fit_says_why(void **state) {
    const place *at = *state;
    const float vectors[6][3] = {{1}, {1}, {1}, {1}, {1}, {1}};
    assay_enroll_result imported;
    assert_int_equal(import_with(at, &vectors[0][0], 4, "cosine", &imported), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "4 rows"));
    assert_non_null(strstr(assay_error_text(), "5 samples"));
    assert_non_null(strstr(assay_error_text(), "x.npy"));
    assert_non_null(strstr(assay_error_text(), "x.csv"));
    assert_int_equal(import_with(at, &vectors[0][0], 5, "cosin", &imported), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "cosine"));
}

static void what_is_no_template_has_its_reason(void **state) {
    (void)state;
    float vector[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    assert_string_equal(assay_enrolment_vector_fault(vector, 8), "constant vector");
    assert_null(assay_enrolment_vector_fault(vector, 7)); /* made by hand */
    vector[7] = nextafterf(1, 2);
    assert_null(assay_enrolment_vector_fault(vector, 8));
    vector[3] = -INFINITY;
    assert_string_equal(assay_enrolment_vector_fault(vector, 8), "NaN or infinite component");
    vector[3] = NAN;
    assert_string_equal(assay_enrolment_vector_fault(vector, 8), "NaN or infinite component");
    memset(vector, 0, sizeof vector);
    vector[2] = -0.0f;
    assert_string_equal(assay_enrolment_vector_fault(vector, 8), "all-zero vector");
}

/* Each in a folder of its own. */
#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(a_whole_set_is_enrolled),
        IN_A_PLACE(templates_do_not_depend_on_the_number_of_threads),
        IN_A_PLACE(damaged_images_are_excluded_and_unusable_ones_refused),
        IN_A_PLACE(the_notes_tell_what_was_met),
        IN_A_PLACE(a_file_that_changes_on_the_way_is_a_failure),
        IN_A_PLACE(an_interrupted_step_leaves_no_file),
        IN_A_PLACE(a_wrong_release_is_refused_before_anything_is_read),
        IN_A_PLACE(reasons_stay_few_and_printable),
        IN_A_PLACE(imported_rows_that_cannot_be_compared_failed_to_enrol),
        IN_A_PLACE(an_import_that_does_not_fit_says_why),
        cmocka_unit_test(what_is_no_template_has_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
