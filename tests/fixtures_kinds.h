/* fixtures_kinds -- one small container of every kind: how it is written, and how all of it is read
 * into one digest, so that a reader who gives other values than were written is noticed. */
#ifndef ASSAY_TESTS_FIXTURES_KINDS_H
#define ASSAY_TESTS_FIXTURES_KINDS_H

#include "datasets/opaque.h"
#include "tests/fixtures_container.h"

/* ---- writing ---- */

static inline assay_status kind_write_dataset(const char *to) {
    return fixture_write_dataset(to, 21, 60, 5);
}
static inline assay_status kind_write_floats(const char *to) {
    return fixture_write_templates(to, 21, 40, 5, 128);
}
static inline assay_status kind_write_evidence(const char *to) {
    return fixture_write_evidence(to, 21, 30, 3, UINT64_MAX);
}
static inline assay_status kind_write_partial(const char *to) {
    return fixture_write_partial(to, 21);
}

static inline assay_status kind_write_bits(const char *to) {
    float *vectors = NULL;
    assay_templates_head head = fixture_templates(21, 40, 5, 512, &vectors);
    uint8_t *bits = (uint8_t *)vectors; /* any bytes are bits */
    free(head.comparator);
    head.comparator = fixture_copy("hamming:shifts=2,minimum-valid-bits=8");
    head.kind = ASSAY_TEMPLATES_BITS;
    head.bit_rows = 8;
    head.shift_bits = 2;
    assay_status status = assay_templates_write(to, &head, bits);
    assay_templates_head_free(&head);
    free(vectors);
    return status;
}

static inline assay_status kind_write_opaque(const char *to) {
    float *vectors = NULL;
    assay_opaque set = {.head = fixture_templates(21, 40, 5, 64, &vectors), .roles = 2};
    const uint64_t rows = set.head.table.row_count;
    set.bytes = (uint8_t *)vectors;
    set.head.length = 256;
    fixture_need(assay_allocate(&set.size, rows * 2, sizeof *set.size, "sizes"), "sizes");
    fixture_need(assay_allocate(&set.offset, rows * 2, sizeof *set.offset, "offsets"), "offsets");
    for (uint64_t n = 0; n < rows * 2; n++) {
        const bool there = set.head.table.enrolment[n / 2] == ASSAY_ENROLMENT_ENROLLED;
        set.size[n] = there ? 40 + n % 60 : 0;
        set.offset[n] = set.total;
        set.total += set.size[n];
    }
    assay_status status = assay_opaque_write(to, &set);
    assay_opaque_free(&set);
    return status;
}

/* ---- reading: everything that a reader is given, digested ---- */

static inline void kind_add_table(assay_digester *to, const assay_sample_table *table) {
    assay_sample_table_digest(table, true, to);
    for (uint64_t row = 0; row < table->row_count; row++) {
        assay_digester_add_u64(to, (uint64_t)table->captured[row]);
        assay_digester_add_u64(to, (uint64_t)table->retain_until[row]);
        assay_digester_add(to, &table->quality[row], sizeof *table->quality);
        assay_digester_add_string(to, table->path && table->path[row] ? table->path[row] : "");
    }
}

static inline void kind_add_digest(assay_digester *to, const assay_digest *digest) {
    assay_digester_add(to, digest->bytes, sizeof digest->bytes);
}

static inline void kind_add_templates_head(assay_digester *to, const assay_templates_head *head) {
    kind_add_table(to, &head->table);
    assay_digester_add_string(to, head->release);
    assay_digester_add_string(to, head->version);
    assay_digester_add_string(to, head->algorithm);
    assay_digester_add_string(to, head->comparator);
    assay_digester_add_string(to, head->dataset_name);
    assay_digester_add_string(to, head->provenance_json);
    kind_add_digest(to, &head->digest);
    kind_add_digest(to, &head->dataset_digest);
    assay_digester_add(to, head->seconds, head->table.row_count * sizeof *head->seconds);
    assay_digester_add_u64(to, head->length);
}

static inline assay_status kind_read_dataset(const char *from, assay_digester *to) {
    assay_dataset *dataset = NULL;
    assay_status status = assay_dataset_open(from, &dataset);
    if (status) return status;
    const assay_dataset_head *head = assay_dataset_get_head(dataset);
    kind_add_table(to, &head->table);
    assay_digester_add_string(to, head->name);
    assay_digester_add_string(to, head->notes_json);
    kind_add_digest(to, &head->digest);
    for (uint64_t row = 0; row < head->table.row_count && status == ASSAY_OK; row++) {
        uint8_t *bytes = NULL;
        size_t count = 0;
        status = assay_dataset_read_image(dataset, row, &bytes, &count);
        if (status == ASSAY_OK && count) assay_digester_add(to, bytes, count);
        free(bytes);
    }
    assay_dataset_close(dataset);
    return status;
}

static inline assay_status kind_read_templates(const char *from, assay_digester *to) {
    assay_templates *templates = NULL;
    uint8_t *bytes = NULL;
    assay_status status = assay_templates_open(from, &templates);
    if (status) return status;
    const assay_templates_head *head = assay_templates_get_head(templates);
    const uint64_t rows = head->table.row_count;
    status = assay_allocate(&bytes, rows, assay_templates_row_bytes(head), "templates");
    if (status == ASSAY_OK) status = assay_templates_read(templates, 0, rows, bytes);
    if (status == ASSAY_OK) {
        kind_add_templates_head(to, head);
        assay_digester_add(to, bytes, rows * assay_templates_row_bytes(head));
    }
    free(bytes);
    assay_templates_close(templates);
    return status;
}

static inline assay_status kind_read_opaque(const char *from, assay_digester *to) {
    assay_opaque set = {0};
    bool is_opaque = false;
    assay_status status = assay_opaque_is(from, &is_opaque);
    if (status) return status;
    if (!is_opaque) return assay_fail(ASSAY_FAILED, "%s is damaged: it is not opaque", from);
    if ((status = assay_opaque_read(from, &set))) return status;
    kind_add_templates_head(to, &set.head);
    assay_digester_add(to, set.bytes, set.total);
    assay_digester_add(to, set.size, set.head.table.row_count * set.roles * sizeof *set.size);
    assay_opaque_free(&set);
    return ASSAY_OK;
}

static inline assay_status kind_read_evidence(const char *from, assay_digester *to) {
    assay_evidence evidence = {0};
    assay_status status = assay_evidence_read(from, &evidence);
    if (status) return status;
    kind_add_table(to, &evidence.table);
    kind_add_digest(to, &evidence.result_digest);
    kind_add_digest(to, &evidence.dataset_digest);
    kind_add_digest(to, &evidence.templates_digest);
    assay_digester_add_string(to, evidence.release);
    assay_digester_add_string(to, evidence.version);
    assay_digester_add_string(to, evidence.provenance_json);
    for (uint64_t n = 0; n < evidence.mated_count; n++)
        assay_digester_add_u64(to, (uint64_t)evidence.mated[n].fine);
    for (uint64_t n = 0; n < evidence.tail_count; n++)
        assay_digester_add_u64(to, (uint64_t)evidence.tail[n].fine);
    assay_evidence_free(&evidence);
    return ASSAY_OK;
}

static inline assay_status kind_read_partial(const char *from, assay_digester *to) {
    assay_partial partial = {0};
    assay_status status = assay_partial_read(from, &partial);
    if (status) return status;
    kind_add_digest(to, &partial.plan_digest);
    assay_digester_add_u64(to, partial.first_tile);
    assay_digester_add_u64(to, partial.end_tile);
    assay_digester_add_u64(to, partial.non_mated);
    assay_digester_add_u64(to, partial.histogram_pairs);
    assay_digester_add(to, partial.histogram, partial.histogram_length * sizeof *partial.histogram);
    for (uint64_t n = 0; n < partial.tail_count; n++) {
        assay_digester_add_u64(to, (uint64_t)partial.tail[n].fine);
        assay_digester_add_u64(to, (uint64_t)partial.tail[n].i << 32 | partial.tail[n].j);
    }
    assay_partial_free(&partial);
    return ASSAY_OK;
}

typedef struct {
    const char *name, *file;
    assay_status (*write)(const char *to);
    assay_status (*read)(const char *from, assay_digester *to);
} fixture_kind;

enum { KIND_COUNT = 6 };
static const fixture_kind fixture_kinds[KIND_COUNT] = {
    {"data set", "dataset.h5", kind_write_dataset, kind_read_dataset},
    {"templates, vectors", "floats.h5", kind_write_floats, kind_read_templates},
    {"templates, bits", "bits.h5", kind_write_bits, kind_read_templates},
    {"templates, opaque", "opaque.h5", kind_write_opaque, kind_read_opaque},
    {"evidence", "evidence.h5", kind_write_evidence, kind_read_evidence},
    {"partial evidence", "segment.h5", kind_write_partial, kind_read_partial},
};

/* Reads all of the container at path into the digest of what it holds. */
static inline assay_status fixture_kind_digest(const fixture_kind *kind, const char *path,
                                               assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status == ASSAY_OK) status = kind->read(path, digester);
    if (status == ASSAY_OK) status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

#endif
