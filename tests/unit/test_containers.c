/* test_containers -- what is written into a container is what is read from it, the same input gives
 * the same bytes, and what contradicts itself is neither written nor read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/fixtures_container.h"

static char *folder;

static int set_up(void **state) {
    (void)state;
    folder = fixture_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_remove(folder);
    return 0;
}

static assay_digest digest_of_table(const assay_sample_table *table) {
    assay_digester *digester = NULL;
    assay_digest digest;
    fixture_need(assay_digester_open(&digester), "digester");
    assay_sample_table_digest(table, true, digester);
    fixture_need(assay_digester_finish(digester, &digest), "digest");
    assay_digester_free(digester);
    return digest;
}

static void assert_same_table(const assay_sample_table *a, const assay_sample_table *b) {
    const assay_digest first = digest_of_table(a), second = digest_of_table(b);
    assert_true(assay_digest_equal(&first, &second));
    assert_int_equal(a->row_count, b->row_count);
    assert_int_equal(a->subject_count, b->subject_count);
    for (uint64_t row = 0; row < a->row_count; row++) {
        assert_int_equal(a->subject[row], b->subject[row]);
        assert_int_equal(!a->path || !a->path[row], !b->path || !b->path[row]);
        assert_int_equal(a->session.codes[row], b->session.codes[row]);
    }
    for (uint32_t s = 0; s < a->subject_count; s++)
        assert_string_equal(a->subject_id[s], b->subject_id[s]);
}

static void assert_same_file(const char *a, const char *b) {
    size_t a_count, b_count;
    uint8_t *a_bytes = fixture_bytes(a, &a_count), *b_bytes = fixture_bytes(b, &b_count);
    assert_int_equal(a_count, b_count);
    assert_memory_equal(a_bytes, b_bytes, a_count);
    free(a_bytes);
    free(b_bytes);
}

/* ---- data sets ---- */

static void dataset_comes_back(void **state) {
    (void)state;
    assay_dataset_head head = fixture_dataset(7, 20, 4);
    uint64_t seed = 7;
    uint8_t image[FIXTURE_IMAGE_BYTES], *bytes;
    size_t count;
    assay_dataset *dataset = NULL;
    const char *path = fixture_path(folder, "dataset.h5");
    assert_int_equal(assay_dataset_write(path, &head, fixture_read_image, &seed, NULL), ASSAY_OK);
    assert_int_equal(assay_dataset_open(path, &dataset), ASSAY_OK);
    const assay_dataset_head *read = assay_dataset_get_head(dataset);
    assert_string_equal(read->name, "fixture");
    assert_string_equal(read->notes_json, "{\"licence\":\"none\"}");
    assert_true(assay_digest_equal(&read->digest, &head.digest));
    assert_same_table(&read->table, &head.table);
    assert_true(isnan(read->table.quality[0]));
    assert_int_equal(read->table.captured[0], ASSAY_TIME_MISSING);
    for (uint64_t row = head.table.row_count; row-- > 0;) {
        assert_int_equal(assay_dataset_read_image(dataset, row, &bytes, &count), ASSAY_OK);
        assert_int_equal(count, fixture_image(7, row, image));
        if (count) assert_memory_equal(bytes, image, count);
        free(bytes);
    }
    assert_int_equal(assay_dataset_read_image(dataset, 80, &bytes, &count), ASSAY_FAILED);
    assay_dataset_close(dataset);
    assay_dataset_head_free(&head);
}

static void dataset_without_rows_or_paths_comes_back(void **state) {
    (void)state;
    assay_dataset_head head = {.name = fixture_copy(""), .notes_json = fixture_copy("{}")};
    uint64_t seed = 0;
    assay_dataset *dataset = NULL;
    const char *path = fixture_path(folder, "empty.h5");
    fixture_need(assay_sample_table_create(0, 0, &head.table), "table");
    assert_int_equal(assay_dataset_write(path, &head, fixture_read_image, &seed, NULL), ASSAY_OK);
    assert_int_equal(assay_dataset_open(path, &dataset), ASSAY_OK);
    assert_int_equal(assay_dataset_get_head(dataset)->table.row_count, 0);
    assert_null(assay_dataset_get_head(dataset)->table.path);
    assay_dataset_close(dataset);
    assay_dataset_head_free(&head);
}

static void image_that_changed_since_the_manifest_is_refused(void **state) {
    (void)state;
    assay_dataset_head head = fixture_dataset(7, 3, 2);
    uint64_t other_seed = 8;
    const char *path = fixture_path(folder, "dataset.h5");
    assert_int_equal(assay_dataset_write(path, &head, fixture_read_image, &other_seed, NULL),
                     ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "'sample 0'"));
    assay_dataset_head_free(&head);
    assert_int_equal(rmdir(folder), 0); /* and nothing is left behind */
}

static void labels_in_thousands_come_back(void **state) {
    (void)state;
    assay_dataset_head head = fixture_dataset(7, 500, 3);
    uint64_t seed = 7;
    uint32_t a;
    uint16_t code;
    assay_dataset *dataset = NULL;
    const char *path = fixture_path(folder, "dataset.h5");
    fixture_need(assay_sample_table_add_attribute(&head.table, "town", ASSAY_ATTRIBUTE_CATEGORICAL,
                                                  ASSAY_LEVEL_SAMPLE, ASSAY_SOURCE_OFFICER, &a),
                 "attribute");
    for (uint64_t row = 0; row < 1500; row++) {
        fixture_need(assay_attribute_add_label(&head.table.attributes[a],
                                               fixture_format("town %u", (unsigned)row), &code),
                     "label");
        head.table.attributes[a].codes[row] = code;
        fixture_need(assay_labelled_set(&head.table.instance, row,
                                        fixture_format("finger %u", (unsigned)row % 700)),
                     "instance");
    }
    /* a label that an enumeration already uses for the empty one */
    fixture_need(assay_labelled_set(&head.table.environment, 0, "(not given)"), "environment");
    assert_int_equal(assay_dataset_write(path, &head, fixture_read_image, &seed, NULL), ASSAY_OK);
    assert_int_equal(assay_dataset_open(path, &dataset), ASSAY_OK);
    assert_same_table(&assay_dataset_get_head(dataset)->table, &head.table);
    assay_dataset_close(dataset);
    assay_dataset_head_free(&head);
}

static void table_with_a_fault_is_not_written(void **state) {
    (void)state;
    const char *path = fixture_path(folder, "dataset.h5");
    uint64_t seed = 7;
    for (int fault = 0; fault < 6; fault++) {
        assay_dataset_head head = fixture_dataset(7, 4, 2);
        assay_sample_table *table = &head.table;
        if (fault == 0) table->subject[3] = 4;
        if (fault == 1) table->session.codes[1] = 77;
        if (fault == 2) table->attributes[0].codes[5] = 5;
        if (fault == 3) strcpy(table->sample_id[2], table->sample_id[1]);
        if (fault == 4) table->sample_id[2][0] = '\xff';
        if (fault == 5) table->enrolment[0] = 9;
        /* a digest of codes out of range would read beyond the labels: the check comes first */
        assert_int_equal(assay_dataset_write(path, &head, fixture_read_image, &seed, NULL),
                         ASSAY_FAILED);
        assert_int_equal(access(path, F_OK), -1);
        table->subject[3] = 0;
        table->session.codes[1] = 0;
        table->attributes[0].codes[5] = 0;
        assay_dataset_head_free(&head);
    }
}

/* ---- templates ---- */

static void templates_come_back(void **state) {
    (void)state;
    float *vectors, *read = NULL;
    assay_templates *templates = NULL;
    const char *path = fixture_path(folder, "templates.h5");
    assay_templates_head head = fixture_templates(3, 50, 4, 64, &vectors);
    assert_int_equal(assay_templates_write(path, &head, vectors), ASSAY_OK);
    assert_false(assay_digest_is_zero(&head.digest));
    assert_int_equal(assay_templates_open(path, &templates), ASSAY_OK);
    const assay_templates_head *found = assay_templates_get_head(templates);
    assert_string_equal(found->release, "fixture");
    assert_string_equal(found->version, "3");
    assert_string_equal(found->algorithm, "none");
    assert_string_equal(found->comparator, "cosine");
    assert_string_equal(found->dataset_name, "fixture");
    assert_string_equal(found->provenance_json, "{\"made\":\"up\"}");
    assert_int_equal(found->length, 64);
    assert_true(assay_digest_equal(&found->digest, &head.digest));
    assert_true(assay_digest_equal(&found->dataset_digest, &head.dataset_digest));
    assert_same_table(&found->table, &head.table);
    assert_memory_equal(found->seconds, head.seconds, 200 * sizeof *head.seconds);
    read = malloc(200 * 64 * sizeof *read);
    assert_int_equal(assay_templates_read(templates, 0, 200, read), ASSAY_OK);
    for (int row = 0; row < 200; row++) {
        const bool enrolled = head.table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
        for (int n = 0; n < 64; n++)
            assert_true(read[row * 64 + n] == (enrolled ? vectors[row * 64 + n] : 0));
    }
    float two[2 * 64];
    assert_int_equal(assay_templates_read(templates, 101, 2, two), ASSAY_OK);
    assert_memory_equal(two, read + 101 * 64, sizeof two);
    assert_int_equal(assay_templates_read(templates, 199, 2, two), ASSAY_FAILED);
    assay_templates_close(templates);
    assay_templates_head_free(&head);
    free(vectors);
    free(read);
}

/* 24 MiB of vectors: blocks that lie wholly in them are checked only as they are read. */
static void damaged_template_is_found_when_it_is_read(void **state) {
    (void)state;
    const char *path = fixture_path(folder, "templates.h5");
    float *block = malloc(512 * 4096 * sizeof *block);
    assay_templates *templates = NULL;
    assert_int_equal(fixture_write_templates(path, 3, 512, 3, 4096), ASSAY_OK);
    int fd = open(path, O_RDWR);
    const float changed = 42;
    assert_int_equal(pwrite(fd, &changed, sizeof changed, 12 << 20), sizeof changed);
    close(fd);
    assert_int_equal(assay_templates_open(path, &templates), ASSAY_OK);
    assert_int_equal(assay_templates_read(templates, 0, 256, block), ASSAY_OK);
    assert_int_equal(assay_templates_read(templates, 512, 512, block), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "block 2 of"));
    assay_templates_close(templates);
    free(block);
}

static void digest_of_templates_depends_on_what_it_says(void **state) {
    (void)state;
    float *vectors;
    assay_digest digests[5];
    const char *path = fixture_path(folder, "templates.h5");
    for (int n = 0; n < 5; n++) {
        assay_templates_head head = fixture_templates(3, 5, 2, 8, &vectors);
        if (n == 1) vectors[3] += 1;
        if (n == 2) head.version[0] = '4';
        if (n == 3) head.table.enrolment[0] = ASSAY_ENROLMENT_EXCLUDED;
        if (n == 4) vectors[8 * 8] += 1; /* of a row that is not enrolled: no matter */
        assert_int_equal(assay_templates_write(path, &head, vectors), ASSAY_OK);
        digests[n] = head.digest;
        assay_templates_head_free(&head);
        free(vectors);
    }
    for (int n = 1; n < 4; n++) assert_false(assay_digest_equal(&digests[0], &digests[n]));
    assert_true(assay_digest_equal(&digests[0], &digests[4]));
}

/* ---- evidence ---- */

static void assert_same_evidence(const assay_evidence *a, const assay_evidence *b) {
    assert_true(assay_digest_equal(&a->result_digest, &b->result_digest));
    assert_same_table(&a->table, &b->table);
    assert_string_equal(a->comparator, b->comparator);
    assert_int_equal(a->exponent, b->exponent);
    assert_true(a->coarse_scale == b->coarse_scale && a->bound == b->bound);
    assert_int_equal(a->bins.lowest, b->bins.lowest);
    assert_int_equal(a->mated_count, b->mated_count);
    assert_int_equal(a->tail_count, b->tail_count);
    for (uint64_t n = 0; n < a->tail_count; n++) {
        assert_int_equal(a->tail[n].fine, b->tail[n].fine);
        assert_int_equal(a->tail[n].coarse, b->tail[n].coarse);
        assert_int_equal(a->tail[n].i, b->tail[n].i);
        assert_int_equal(a->tail[n].j, b->tail[n].j);
        assert_int_equal(a->tail[n].direction, b->tail[n].direction);
    }
    assert_int_equal(a->tail_floor, b->tail_floor);
    assert_int_equal(a->tail_complete, b->tail_complete);
    assert_memory_equal(a->relations, b->relations, sizeof a->relations);
    assert_memory_equal(a->histogram, b->histogram, a->bins.count * sizeof *a->histogram);
    assert_string_equal(a->provenance_json, b->provenance_json);
}

static void evidence_comes_back(void **state) {
    (void)state;
    static const uint64_t keeps[] = {UINT64_MAX, 500, 0};
    for (int n = 0; n < 3; n++) {
        assay_evidence evidence = fixture_evidence(11, 20, 4, keeps[n]), read;
        const char *path = fixture_path(folder, "evidence.h5");
        assert_int_equal(assay_evidence_write(path, &evidence), ASSAY_OK);
        assert_int_equal(assay_evidence_read(path, &read), ASSAY_OK);
        assert_same_evidence(&evidence, &read);
        assay_evidence_free(&read);
        assay_evidence_free(&evidence);
    }
}

static void evidence_of_a_pair_list_by_groups_comes_back(void **state) {
    (void)state;
    assay_evidence evidence = fixture_evidence(12, 10, 3, 40), read;
    assay_protocol *protocol = &evidence.protocol;
    const char *path = fixture_path(folder, "evidence.h5");
    protocol->kind = ASSAY_PROTOCOL_PAIR_LIST;
    protocol->pair_count = 2;
    protocol->pairs = calloc(2, sizeof *protocol->pairs);
    protocol->reversed = calloc(2, 1);
    protocol->pairs[0] = (assay_row_pair){0, 5};
    protocol->pairs[1] = (assay_row_pair){0, 29};
    protocol->reversed[1] = 1;
    free(protocol->histogram_by);
    protocol->histogram_by = calloc(1, sizeof *protocol->histogram_by);
    protocol->histogram_by[0] = fixture_copy("sex");
    protocol->histogram_by_count = 1;
    free(evidence.combinations);
    evidence.combination_count = 2;
    evidence.combinations = calloc(2, sizeof *evidence.combinations);
    evidence.combinations[1] = 3;
    evidence.histogram = realloc(evidence.histogram, sizeof(uint64_t) * 3 * evidence.bins.count);
    memset(evidence.histogram + evidence.bins.count, 0, sizeof(uint64_t) * 2 * evidence.bins.count);
    assert_int_equal(assay_evidence_write(path, &evidence), ASSAY_OK);
    assert_int_equal(assay_evidence_read(path, &read), ASSAY_OK);
    assert_same_evidence(&evidence, &read);
    assert_int_equal(read.protocol.pair_count, 2);
    assert_int_equal(read.protocol.pairs[1].j, 29);
    assert_int_equal(read.protocol.reversed[1], 1);
    assert_int_equal(read.combinations[1], 3);
    assay_evidence_free(&read);
    assay_evidence_free(&evidence);
}

static void result_digest_is_of_the_result_alone(void **state) {
    (void)state;
    assay_digest digests[12];
    enum { SAME = 3 };
    for (int n = 0; n < 12; n++) {
        assay_evidence evidence = fixture_evidence(11, 6, 3, 30);
        if (n == 1) evidence.release[0] = 'R';
        if (n == 2) evidence.provenance_json[2] = 'B';
        if (n == SAME) evidence.templates_digest.bytes[0] ^= 1;
        if (n == 4) evidence.mated[0].fine++;
        if (n == 5) evidence.mated[0].direction ^= 1;
        if (n == 6) evidence.tail[1].coarse++;
        if (n == 7) evidence.histogram[0]++;
        if (n == 8) evidence.bound *= 2;
        if (n == 9) evidence.tail_floor--;
        if (n == 10) evidence.protocol.same_session = false;
        if (n == 11) evidence.comparator[0] = 'C';
        assert_int_equal(assay_evidence_digest(&evidence), ASSAY_OK);
        digests[n] = evidence.result_digest;
        if (n) assert_int_equal(assay_digest_equal(&digests[n], &digests[0]), n <= SAME);
        assay_evidence_free(&evidence);
    }
}

static void evidence_that_contradicts_itself_is_not_written(void **state) {
    (void)state;
    const char *path = fixture_path(folder, "evidence.h5");
    for (int n = 0; n < 13; n++) {
        assay_evidence evidence = fixture_evidence(11, 6, 3, 30);
        const assay_comparison first = evidence.tail[0];
        if (n == 0) evidence.relations[ASSAY_RELATION_NON_MATED]++;
        if (n == 1) evidence.non_mated--;
        if (n == 2) evidence.mated_count--;
        if (n == 3) evidence.tail[0] = evidence.tail[1], evidence.tail[1] = first;
        if (n == 4) evidence.tail[0].i = evidence.tail[0].j;
        if (n == 5)
            evidence.tail[0].fine = evidence.mated[0].fine, evidence.tail[0] = evidence.mated[0];
        if (n == 6) evidence.tail_complete = true;
        if (n == 7) evidence.tail_floor = evidence.tail[0].fine + 1;
        if (n == 8) evidence.histogram[5]++;
        if (n == 9) evidence.table.enrolment[first.i] = ASSAY_ENROLMENT_FAILED;
        if (n == 10) evidence.bound = NAN;
        if (n == 11) evidence.mated[1] = evidence.mated[0];
        if (n == 12) { /* as many enrolled, but others */
            evidence.table.enrolment[0] = ASSAY_ENROLMENT_REFUSED; /* row 0 is never a j */
            evidence.table.enrolment[8] = ASSAY_ENROLMENT_ENROLLED;
        }
        assert_int_equal(assay_evidence_write(path, &evidence), ASSAY_FAILED);
        assert_int_equal(access(path, F_OK), -1);
        assay_evidence_free(&evidence);
    }
}

static void histogram_index_counts_pairs_in_order(void **state) {
    (void)state;
    uint64_t expected = 0;
    for (uint32_t a = 0; a < 7; a++)
        for (uint32_t b = a; b < 7; b++, expected++) {
            assert_int_equal(assay_histogram_index(7, a, b), expected);
            assert_int_equal(assay_histogram_index(7, b, a), expected);
        }
    assert_int_equal(assay_histogram_count(7), expected);
}

/* ---- partial evidence, matrix ---- */

static void partial_evidence_comes_back(void **state) {
    (void)state;
    assay_partial read;
    const char *path = fixture_path(folder, "segment.h5");
    assert_int_equal(fixture_write_partial(path, 5), ASSAY_OK);
    assert_int_equal(assay_partial_read(path, &read), ASSAY_OK);
    assert_int_equal(read.first_tile, 4);
    assert_int_equal(read.end_tile, 9);
    assert_int_equal(read.tail_count, 300);
    assert_int_equal(read.tail[299].fine, (int64_t)151 << 40);
    assert_int_equal(read.histogram_length, 512);
    uint64_t sum = 0;
    for (int n = 0; n < 512; n++) sum += read.histogram[n];
    assert_int_equal(sum, read.histogram_pairs);
    uint64_t seed = 5;
    assay_digest plan;
    fixture_need(assay_digest_bytes(&seed, sizeof seed, &plan), "digest");
    assert_true(assay_digest_equal(&plan, &read.plan_digest));
    read.histogram[3]++;
    assert_int_equal(assay_partial_write(path, &read), ASSAY_FAILED);
    assay_partial_free(&read);
}

static assay_status write_matrix(const char *path) {
    assay_sample_table table = fixture_table(2, 3, 2);
    const uint32_t rows[] = {0, 2, 5};
    const double scores[9] = {NAN, 0.5, 0.25, 0.5, NAN, -1, 0.25, -1, NAN};
    assay_status status = assay_matrix_write(path, &table, rows, 3, scores);
    assay_sample_table_free(&table);
    return status;
}

/* ---- all kinds ---- */

static const struct {
    const char *name, *kind;
} files[] = {{"dataset.h5", "dataset"},
             {"templates.h5", "templates"},
             {"evidence.h5", "evidence"},
             {"segment.h5", "partial"},
             {"matrix.h5", "matrix"}};
enum { FILES = sizeof files / sizeof files[0] };

static assay_status write_kind(int kind, const char *path) {
    switch (kind) {
    case 0:
        return fixture_write_dataset(path, 7, 20, 3);
    case 1:
        return fixture_write_templates(path, 7, 20, 3, 128);
    case 2:
        return fixture_write_evidence(path, 7, 20, 3, 200);
    case 3:
        return fixture_write_partial(path, 7);
    default:
        return write_matrix(path);
    }
}

static assay_status read_kind(int kind, const char *path) {
    assay_status status;
    assay_dataset *dataset = NULL;
    assay_templates *templates = NULL;
    assay_evidence evidence = {0};
    assay_partial partial = {0};
    switch (kind) {
    case 0:
        status = assay_dataset_open(path, &dataset);
        break;
    case 1:
        status = assay_templates_open(path, &templates);
        break;
    case 2:
        status = assay_evidence_read(path, &evidence);
        break;
    default:
        status = assay_partial_read(path, &partial);
    }
    assay_dataset_close(dataset);
    assay_templates_close(templates);
    assay_evidence_free(&evidence);
    assay_partial_free(&partial);
    return status;
}

static void same_input_gives_the_same_bytes(void **state) {
    (void)state;
    char again[64];
    for (int n = 0; n < FILES; n++)
        assert_int_equal(write_kind(n, fixture_path(folder, files[n].name)), ASSAY_OK);
    sleep(1); /* so that a time kept anywhere would differ */
    for (int n = 0; n < FILES; n++) {
        snprintf(again, sizeof again, "again-%s", files[n].name);
        assert_int_equal(write_kind(n, fixture_path(folder, again)), ASSAY_OK);
        assert_same_file(fixture_path(folder, files[n].name), fixture_path(folder, again));
    }
}

static void every_kind_is_told_and_described(void **state) {
    (void)state;
    for (int n = 0; n < FILES; n++) {
        char *text = NULL;
        assay_container_kind kind;
        const char *path = fixture_path(folder, files[n].name);
        assert_int_equal(write_kind(n, path), ASSAY_OK);
        assert_int_equal(assay_container_describe(path, &text), ASSAY_OK);
        json_t *root = json_loads(text, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(root, "kind")), files[n].kind);
        assert_string_equal(json_string_value(json_object_get(root, "format_version")), "1.2");
        assert_true(json_integer_value(json_object_get(root, "bytes")) > 1000);
        json_decref(root);
        free(text);
        if (n == 4) {
            assert_int_equal(assay_container_kind_of(path, &kind), ASSAY_USAGE);
            break;
        }
        assert_int_equal(assay_container_kind_of(path, &kind), ASSAY_OK);
        assert_int_equal(kind, n);
    }
    assay_container_kind kind;
    assert_int_equal(assay_container_kind_of(fixture_path(folder, "none"), &kind), ASSAY_FAILED);
    fixture_write(fixture_path(folder, "foreign.h5"), "\x89HDF", 4);
    assert_int_equal(assay_container_kind_of(fixture_path(folder, "foreign.h5"), &kind),
                     ASSAY_FAILED);
}

static void one_kind_is_not_taken_for_another(void **state) {
    (void)state;
    for (int n = 0; n < 4; n++)
        assert_int_equal(write_kind(n, fixture_path(folder, files[n].name)), ASSAY_OK);
    for (int n = 0; n < 4; n++)
        for (int other = 0; other < 4; other++) {
            assay_status status = read_kind(n, fixture_path(folder, files[other].name));
            assert_int_equal(status, n == other ? ASSAY_OK : ASSAY_FAILED);
            if (n != other) assert_non_null(strstr(assay_error_text(), "expected 'assay-"));
        }
}

/* A sealed file that is no HDF5, or the HDF5 of nobody, is refused by its text and not by a crash.
 */
static void sealed_rubbish_is_refused(void **state) {
    (void)state;
    uint8_t rubbish[4096];
    for (size_t n = 0; n < sizeof rubbish; n++) rubbish[n] = (uint8_t)(n * 31);
    memcpy(rubbish, "\x89HDF\r\n\x1a\n\x03", 9);
    fixture_write(fixture_path(folder, "x.tmp"), rubbish, sizeof rubbish);
    assert_int_equal(assay_seal_publish(fixture_path(folder, "x.tmp"), fixture_path(folder, "x.h5"),
                                        NULL, 0, "evidence", NULL),
                     ASSAY_OK);
    for (int n = 0; n < 4; n++) {
        assert_int_equal(read_kind(n, fixture_path(folder, "x.h5")), ASSAY_FAILED);
        assert_non_null(strstr(assay_error_text(), "HDF5"));
    }
}

static void folder_that_is_not_there_is_told(void **state) {
    (void)state;
    for (int n = 0; n < FILES; n++) {
        assert_int_equal(write_kind(n, fixture_path(folder, "no/where.h5")), ASSAY_FAILED);
        assert_non_null(strstr(assay_error_text(), "No such file or directory"));
    }
}

/* Files may grow to limit bytes in a process of its own; what its writer says is the exit status.
 */
static int write_within(int kind, const char *path, rlim_t limit) {
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit most = {limit, limit};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &most);
        const assay_status status = write_kind(kind, path);
        const bool told = status == ASSAY_OK || strlen(assay_error_text()) > 10;
        _exit(told ? (int)status : 99);
    }
    int ended = 0;
    assert_true(waitpid(child, &ended, 0) == child);
    assert_true(WIFEXITED(ended));
    return WEXITSTATUS(ended);
}

static void writer_that_runs_out_of_space_says_so_and_leaves_nothing(void **state) {
    (void)state;
    for (int n = 0; n < FILES; n++) {
        size_t size;
        const char *path = fixture_path(folder, files[n].name);
        assert_int_equal(write_kind(n, path), ASSAY_OK);
        free(fixture_bytes(path, &size));
        fixture_remove(folder);
        for (int k = 0; k < 10; k++) {
            assert_int_equal(mkdir(folder, 0700), 0);
            assert_int_equal(write_within(n, path, (rlim_t)(size * (size_t)k / 10)), ASSAY_FAILED);
            assert_int_equal(rmdir(folder), 0);
        }
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(write_within(n, path, (rlim_t)size + 4096), ASSAY_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        TEST(dataset_comes_back),
        TEST(dataset_without_rows_or_paths_comes_back),
        TEST(image_that_changed_since_the_manifest_is_refused),
        TEST(labels_in_thousands_come_back),
        TEST(table_with_a_fault_is_not_written),
        TEST(templates_come_back),
        TEST(damaged_template_is_found_when_it_is_read),
        TEST(digest_of_templates_depends_on_what_it_says),
        TEST(evidence_comes_back),
        TEST(evidence_of_a_pair_list_by_groups_comes_back),
        TEST(result_digest_is_of_the_result_alone),
        TEST(evidence_that_contradicts_itself_is_not_written),
        TEST(histogram_index_counts_pairs_in_order),
        TEST(partial_evidence_comes_back),
        TEST(same_input_gives_the_same_bytes),
        TEST(every_kind_is_told_and_described),
        TEST(one_kind_is_not_taken_for_another),
        TEST(sealed_rubbish_is_refused),
        TEST(folder_that_is_not_there_is_told),
        TEST(writer_that_runs_out_of_space_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
