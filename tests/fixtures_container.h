/* fixtures_container -- small containers with known contents, and folders to put them in, for
 * tests. */
#ifndef ASSAY_TESTS_FIXTURES_CONTAINER_H
#define ASSAY_TESTS_FIXTURES_CONTAINER_H

#include <ftw.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "datasets/sealed_file.h"

/* Ends the test program where a fixture itself cannot be made. */
static inline void fixture_need(assay_status status, const char *what) {
    if (status == ASSAY_OK) return;
    fprintf(stderr, "fixture: %s: %s\n", what, assay_error_text());
    exit(1);
}

/* ---- folders ---- */

static inline char *fixture_folder(void) {
    static char path[256];
    const char *base = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/assay-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(path)) {
        perror("mkdtemp");
        exit(1);
    }
    return path;
}

static inline int fixture_remove_entry(const char *path, const struct stat *info, int kind,
                                       struct FTW *where) {
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static inline void fixture_remove(const char *folder) {
    nftw(folder, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* "FOLDER/NAME", in one of four buffers that take turns. */
static inline const char *fixture_path(const char *folder, const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline char *fixture_format(const char *format, ...) {
    static char texts[8][128];
    static unsigned next;
    char *text = texts[next++ % 8];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof texts[0], format, arguments);
    va_end(arguments);
    return text;
}

static inline char *fixture_copy(const char *text) {
    char *copy = NULL;
    fixture_need(assay_copy_string(&copy, text), "a string");
    return copy;
}

/* Whole file into memory; free(). */
static inline uint8_t *fixture_bytes(const char *path, size_t *out_count) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    size_t count = (size_t)ftell(file);
    uint8_t *bytes = malloc(count + 1);
    rewind(file);
    if (!bytes || fread(bytes, 1, count, file) != count) exit(1);
    fclose(file);
    bytes[count] = 0;
    *out_count = count;
    return bytes;
}

static inline void fixture_write(const char *path, const void *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* ---- tables ---- */

#define FIXTURE_IMAGE_BYTES 700

/* The image of a row: length and bytes follow from seed and row; every 11th sample has none. */
static inline size_t fixture_image(uint64_t seed, uint64_t row, uint8_t out[FIXTURE_IMAGE_BYTES]) {
    assay_random random;
    assay_random_start(&random, seed, 1000 + row);
    if (row % 11 == 10) return 0;
    size_t count = 1 + assay_random_below(&random, FIXTURE_IMAGE_BYTES);
    for (size_t n = 0; n < count; n++) out[n] = (uint8_t)assay_random_u32(&random);
    return count;
}

static inline void fixture_attributes(assay_random *random, assay_sample_table *table) {
    static const char *const sexes[] = {"female", "male"};
    static const char *const ages[] = {"0-17", "18-35", "36+"};
    static const double limits[] = {0, 18, 36, INFINITY};
    uint32_t sex, age;
    uint16_t code;
    fixture_need(assay_sample_table_add_attribute(table, "sex", ASSAY_ATTRIBUTE_CATEGORICAL,
                                                  ASSAY_LEVEL_SUBJECT, ASSAY_SOURCE_SELF_REPORTED,
                                                  &sex),
                 "attribute");
    fixture_need(assay_sample_table_add_attribute(table, "age/years", ASSAY_ATTRIBUTE_NUMERIC,
                                                  ASSAY_LEVEL_SAMPLE, ASSAY_SOURCE_DOCUMENT, &age),
                 "attribute");
    for (int n = 0; n < 2; n++)
        fixture_need(assay_attribute_add_label(&table->attributes[sex], sexes[n], &code), "label");
    for (int n = 0; n < 3; n++) {
        fixture_need(assay_attribute_add_label(&table->attributes[age], ages[n], &code), "label");
        table->attributes[age].bin_low[n] = limits[n];
        table->attributes[age].bin_high[n] = limits[n + 1];
    }
    for (uint64_t row = 0; row < table->row_count; row++) {
        table->attributes[sex].codes[row] = (uint16_t)(table->subject[row] % 5);
        if (row % 7 == 3) continue; /* age stays missing */
        double years = assay_random_below(random, 80);
        table->attributes[age].values[row] = years;
        table->attributes[age].codes[row] =
            (uint16_t)(ASSAY_CODE_FIRST + (years >= 18) + (years >= 36));
    }
}

/* subjects subjects of per samples each. Some are not enrolled, with a reason. */
static inline assay_sample_table fixture_table(uint64_t seed, uint32_t subjects, uint32_t per) {
    assay_sample_table table;
    assay_random random;
    uint8_t image[FIXTURE_IMAGE_BYTES];
    const uint64_t rows = (uint64_t)subjects * per;
    assay_random_start(&random, seed, 1);
    fixture_need(assay_sample_table_create(rows, subjects, &table), "table");
    fixture_need(assay_allocate(&table.path, rows, sizeof *table.path, "paths"), "paths");
    for (uint32_t s = 0; s < subjects; s++)
        table.subject_id[s] = fixture_copy(fixture_format("S%04u-\xc3\xa9", s));
    for (uint64_t row = 0; row < rows; row++) {
        table.subject[row] = (uint32_t)(row / per);
        table.sample_id[row] = fixture_copy(fixture_format("sample %llu", (unsigned long long)row));
        if (row % 11 != 10)
            table.path[row] =
                fixture_copy(fixture_format("images/%llu.png", (unsigned long long)row));
        fixture_need(
            assay_labelled_set(&table.session, row,
                               row % 3 ? fixture_format("day %u", (unsigned)(row % 3)) : ""),
            "session");
        fixture_need(assay_labelled_set(&table.environment, row, row % 2 ? "indoors" : "outdoors"),
                     "environment");
        fixture_need(assay_labelled_set(&table.legal_basis, row, "consent"), "legal basis");
        if (row % 4) table.captured[row] = 1500000000 + (int64_t)row * 86400;
        if (row % 5) table.retain_until[row] = 1900000000 + (int64_t)row;
        if (row % 6) table.quality[row] = assay_random_uniform(&random) * 100;
        size_t count = fixture_image(seed, row, image);
        if (count)
            fixture_need(assay_digest_bytes(image, count, &table.image_digest[row]), "digest");
    }
    fixture_attributes(&random, &table);
    return table;
}

/* Every 9th sample was refused, every 10th failed; the rest is enrolled. */
static inline void fixture_enrol(assay_sample_table *table) {
    for (uint64_t row = 0; row < table->row_count; row++) {
        const bool refused = row % 9 == 8, failed = !refused && row % 10 == 9;
        table->enrolment[row] = refused  ? ASSAY_ENROLMENT_REFUSED
                                : failed ? ASSAY_ENROLMENT_FAILED
                                         : ASSAY_ENROLMENT_ENROLLED;
        if (refused || failed)
            fixture_need(assay_labelled_set(&table->enrolment_reason, row,
                                            refused ? "no face found" : "template is all zero"),
                         "reason");
    }
}

/* ---- containers ---- */

static inline assay_status fixture_read_image(void *context, uint64_t row, uint8_t **out,
                                              size_t *out_count) {
    uint8_t image[FIXTURE_IMAGE_BYTES];
    size_t count = fixture_image(*(const uint64_t *)context, row, image);
    *out = NULL;
    *out_count = 0;
    if (count == 0) return ASSAY_OK;
    assay_status status = assay_allocate(out, count, 1, "an image");
    if (status) return status;
    memcpy(*out, image, count);
    *out_count = count;
    return ASSAY_OK;
}

static inline assay_dataset_head fixture_dataset(uint64_t seed, uint32_t subjects, uint32_t per) {
    assay_dataset_head head = {.name = fixture_copy("fixture"),
                               .notes_json = fixture_copy("{\"licence\":\"none\"}")};
    head.table = fixture_table(seed, subjects, per);
    fixture_need(assay_dataset_digest(&head.table, &head.digest), "digest");
    return head;
}

static inline assay_status fixture_write_dataset(const char *path, uint64_t seed, uint32_t subjects,
                                                 uint32_t per) {
    assay_dataset_head head = fixture_dataset(seed, subjects, per);
    assay_status status = assay_dataset_write(path, &head, fixture_read_image, &seed, NULL);
    assay_dataset_head_free(&head);
    return status;
}

static inline assay_templates_head fixture_templates(uint64_t seed, uint32_t subjects, uint32_t per,
                                                     uint32_t length, float **out_vectors) {
    assay_templates_head head = {.release = fixture_copy("fixture"),
                                 .version = fixture_copy(fixture_format("%u", (unsigned)seed)),
                                 .algorithm = fixture_copy("none"),
                                 .comparator = fixture_copy("cosine"),
                                 .dataset_name = fixture_copy("fixture"),
                                 .provenance_json = fixture_copy("{\"made\":\"up\"}"),
                                 .length = length};
    assay_random random;
    float *vectors = NULL;
    head.table = fixture_table(seed, subjects, per);
    fixture_enrol(&head.table);
    fixture_need(assay_dataset_digest(&head.table, &head.dataset_digest), "digest");
    const uint64_t rows = head.table.row_count;
    fixture_need(assay_allocate(&head.seconds, rows, sizeof *head.seconds, "times"), "times");
    fixture_need(assay_allocate(&vectors, rows * length, sizeof *vectors, "vectors"), "vectors");
    assay_random_start(&random, seed, 2);
    for (uint64_t row = 0; row < rows; row++) {
        head.seconds[row] = row % 3 ? assay_random_uniform(&random) : (double)NAN;
        for (uint32_t n = 0; n < length; n++)
            vectors[row * length + n] = (float)assay_random_normal(&random);
    }
    *out_vectors = vectors;
    return head;
}

static inline assay_status fixture_write_templates(const char *path, uint64_t seed,
                                                   uint32_t subjects, uint32_t per,
                                                   uint32_t length) {
    float *vectors = NULL;
    assay_templates_head head = fixture_templates(seed, subjects, per, length, &vectors);
    assay_status status = assay_templates_write(path, &head, vectors);
    assay_templates_head_free(&head);
    free(vectors);
    return status;
}

static inline int fixture_by_score(const void *left, const void *right) {
    const assay_comparison *a = left, *b = right;
    if (a->fine != b->fine) return a->fine < b->fine ? 1 : -1;
    if (a->i != b->i) return a->i < b->i ? -1 : 1;
    return a->j < b->j ? -1 : a->j > b->j;
}

/* All pairs of the enrolled samples with scores drawn at random, ties among them. keep is how many
 * of the tail are kept, UINT64_MAX for all. */
static inline assay_evidence fixture_evidence(uint64_t seed, uint32_t subjects, uint32_t per,
                                              uint64_t keep) {
    static const char *const names[] = {"release", "1.0", "none", "cosine", "fixture"};
    assay_evidence evidence = {.exponent = 26, .coarse_scale = 2048, .bound = 1e-3};
    char **const texts[] = {&evidence.release, &evidence.version, &evidence.algorithm,
                            &evidence.comparator, &evidence.dataset_name};
    assay_random random;
    for (int n = 0; n < 5; n++) *texts[n] = fixture_copy(names[n]);
    evidence.provenance_json = fixture_copy("{\"backend\":\"fixture\"}");
    evidence.table = fixture_table(seed, subjects, per);
    fixture_enrol(&evidence.table);
    fixture_need(assay_dataset_digest(&evidence.table, &evidence.dataset_digest), "digest");
    evidence.templates_digest = evidence.dataset_digest;
    fixture_need(assay_protocol_create(&evidence.protocol), "protocol");
    evidence.protocol.same_session = true;
    evidence.bins = (assay_bin_rule){.lowest = -(1 << 22), .shift = 13, .count = 1024};
    const uint64_t rows = evidence.table.row_count, most = rows * rows / 2;
    fixture_need(assay_allocate(&evidence.mated, most, sizeof *evidence.mated, "mated"), "mated");
    fixture_need(assay_allocate(&evidence.tail, most, sizeof *evidence.tail, "tail"), "tail");
    evidence.combination_count = 1;
    fixture_need(assay_allocate(&evidence.combinations, 0, 2, "combinations"), "combinations");
    fixture_need(assay_allocate(&evidence.histogram, evidence.bins.count, 8, "bins"), "bins");
    assay_random_start(&random, seed, 3);
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = i + 1; j < rows; j++) {
            const assay_sample_table *table = &evidence.table;
            if (table->enrolment[i] != ASSAY_ENROLMENT_ENROLLED ||
                table->enrolment[j] != ASSAY_ENROLMENT_ENROLLED)
                continue;
            const bool mated = table->subject[i] == table->subject[j];
            const int32_t coarse = (int32_t)assay_random_below(&random, 1 << 12) * 1000 - 2048000;
            assay_comparison pair = {.fine = (int64_t)coarse * (1 << 30),
                                     .coarse = coarse,
                                     .i = i,
                                     .j = j,
                                     .direction = (uint8_t)assay_random_below(&random, 3)};
            evidence.relations[mated ? ASSAY_RELATION_MATED : ASSAY_RELATION_NON_MATED]++;
            if (mated)
                evidence.mated[evidence.mated_count++] = pair;
            else
                evidence.tail[evidence.tail_count++] = pair;
            if (!mated)
                evidence.histogram[(coarse - evidence.bins.lowest) >> evidence.bins.shift]++;
        }
    }
    evidence.non_mated = evidence.histogram_pairs = evidence.tail_count;
    qsort(evidence.mated, evidence.mated_count, sizeof *evidence.mated, fixture_by_score);
    qsort(evidence.tail, evidence.tail_count, sizeof *evidence.tail, fixture_by_score);
    evidence.tail_limit = keep < evidence.tail_count ? keep : evidence.tail_count;
    while (evidence.tail_limit < evidence.tail_count) {
        const int64_t over = evidence.tail[evidence.tail_limit].fine;
        evidence.tail_count = evidence.tail_limit;
        while (evidence.tail_count && evidence.tail[evidence.tail_count - 1].fine == over)
            evidence.tail_count--;
        break;
    }
    evidence.tail_complete = evidence.tail_count == evidence.non_mated;
    evidence.tail_floor = evidence.tail_complete ? INT64_MIN
                          : evidence.tail_count  ? evidence.tail[evidence.tail_count - 1].fine
                                                 : INT64_MAX;
    return evidence;
}

static inline assay_status fixture_write_evidence(const char *path, uint64_t seed,
                                                  uint32_t subjects, uint32_t per, uint64_t keep) {
    assay_evidence evidence = fixture_evidence(seed, subjects, per, keep);
    assay_status status = assay_evidence_write(path, &evidence);
    assay_evidence_free(&evidence);
    return status;
}

static inline assay_status fixture_write_partial(const char *path, uint64_t seed) {
    uint64_t histogram[512] = {0};
    assay_comparison tail[300];
    assay_partial partial = {.first_tile = 4,
                             .end_tile = 9,
                             .histogram = histogram,
                             .histogram_length = 512,
                             .tail = tail,
                             .tail_count = 300};
    assay_random random;
    assay_random_start(&random, seed, 4);
    fixture_need(assay_digest_bytes(&seed, sizeof seed, &partial.plan_digest), "digest");
    for (int n = 0; n < 512; n++)
        partial.histogram_pairs += histogram[n] = assay_random_below(&random, 1000);
    partial.non_mated = partial.histogram_pairs;
    for (uint32_t n = 0; n < 300; n++)
        tail[n] = (assay_comparison){.fine = (int64_t)(300 - n / 2) << 40,
                                     .coarse = (int32_t)assay_random_below(&random, 1000),
                                     .i = n,
                                     .j = n + 1 + assay_random_below(&random, 100)};
    return assay_partial_write(path, &partial);
}

#endif
