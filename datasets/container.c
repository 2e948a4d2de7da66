/* container -- what kind of container a file is, and what `assay info` says of it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/opaque.h"
#include "datasets/rows.h"
#include "datasets/seal.h"
#include "datasets/segment_files.h"
#include "datasets/store.h"

/* In the order of assay_container_kind; those that no step starts from are behind them. */
static const struct {
    const char *what; /* in the seal */
    const char *format;
} kinds[] = {
    [ASSAY_CONTAINER_DATASET] = {"dataset", "assay-dataset"},
    [ASSAY_CONTAINER_TEMPLATES] = {"templates", "assay-templates"},
    [ASSAY_CONTAINER_EVIDENCE] = {"evidence", "assay-evidence"},
    [ASSAY_CONTAINER_PARTIAL] = {"partial", "assay-partial"},
    [ASSAY_CONTAINER_PARTIAL_TEMPLATES] = {"partial-templates", "assay-partial-templates"},
    [ASSAY_CONTAINER_PARTIAL_SCORES] = {"partial-scores", "assay-partial-scores"},
    {"matrix", "assay-matrix"},
    {"rows", "assay-rows"},
};
enum {
    KIND_COUNT = sizeof kinds / sizeof kinds[0],
    KIND_MATRIX = ASSAY_CONTAINER_PARTIAL_SCORES + 1,
    KIND_ROWS
};

/* Index into kinds by what the seal says; formats are checked where a file is opened. */
static assay_status find_kind(const char *path, int *out) {
    assay_seal seal = {0};
    if (!assay_file_exists(path)) return assay_fail_errno("cannot open %s", path);
    assay_status status = assay_seal_read(path, &seal);
    if (status) return status;
    int kind = 0;
    while (kind < KIND_COUNT && strcmp(seal.what, kinds[kind].what) != 0) kind++;
    if (kind < KIND_COUNT)
        *out = kind;
    else
        status = assay_fail(ASSAY_USAGE,
                            "%s is sealed as '%s', expected dataset, templates, evidence, partial, "
                            "partial-templates, partial-scores, matrix or rows",
                            path, seal.what);
    assay_seal_free(&seal);
    return status;
}

assay_status assay_container_kind_of(const char *path, assay_container_kind *out) {
    int kind = 0;
    assay_status status = find_kind(path, &kind);
    if (status) return status;
    if (kind == KIND_MATRIX || kind == KIND_ROWS)
        return assay_fail(ASSAY_USAGE, "%s is a %s: expected a data set, templates or evidence",
                          path,
                          kind == KIND_MATRIX ? "matrix of scores, which no step reads"
                                              : "file of rows that go on from evidence");
    *out = (assay_container_kind)kind;
    return ASSAY_OK;
}

/* ---- describing: faults of jansson are counted, and looked at once at the end ---- */

typedef struct {
    json_t *root;
    int fault;
} description;

static void say(description *to, const char *key, json_t *value) {
    to->fault |= json_object_set_new(to->root, key, value);
}

static json_t *count_json(uint64_t count) {
    return json_integer((json_int_t)count);
}

static json_t *digest_json(const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    if (assay_digest_is_zero(digest)) return json_null();
    return json_string(assay_digest_hex(hex, digest));
}

static json_t *document_json(const char *text) {
    return json_loads(text, 0, NULL);
}

static assay_status verdict(const description *from, const char *path) {
    if (!from->fault) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED,
                      "cannot describe %s: out of memory, or a text in it is not UTF-8", path);
}

static json_t *attribute_json(const assay_attribute *attribute, uint64_t rows) {
    static const uint32_t most = 256;
    json_t *groups = json_array();
    uint64_t *samples = calloc(attribute->label_count, sizeof *samples);
    for (uint64_t row = 0; samples && row < rows; row++) samples[attribute->codes[row]]++;
    for (uint32_t n = 0; samples && n < attribute->label_count && n < most; n++)
        if (samples[n])
            json_array_append_new(groups, json_pack("{s:s,s:I}", "group", attribute->labels[n],
                                                    "samples", (json_int_t)samples[n]));
    free(samples);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:o}", "name", attribute->name, "kind",
                     attribute->kind == ASSAY_ATTRIBUTE_NUMERIC ? "numeric" : "categorical",
                     "level", attribute->level == ASSAY_LEVEL_SUBJECT ? "subject" : "sample",
                     "source", assay_label_source_name(attribute->source), "labels",
                     (json_int_t)attribute->label_count, "groups", groups);
}

static void say_table(description *to, const assay_sample_table *table) {
    uint64_t by_enrolment[ASSAY_ENROLMENT_EXCLUDED + 1] = {0}, images = 0;
    json_t *enrolment = json_object(), *attributes = json_array();
    for (uint64_t row = 0; row < table->row_count; row++) {
        by_enrolment[table->enrolment[row]]++;
        images += !assay_digest_is_zero(&table->image_digest[row]);
    }
    for (int e = 0; e <= ASSAY_ENROLMENT_EXCLUDED; e++)
        if (by_enrolment[e])
            to->fault |= json_object_set_new(enrolment, assay_enrolment_name((assay_enrolment)e),
                                             count_json(by_enrolment[e]));
    for (uint32_t a = 0; a < table->attribute_count; a++)
        to->fault |= json_array_append_new(attributes,
                                           attribute_json(&table->attributes[a], table->row_count));
    say(to, "samples", count_json(table->row_count));
    say(to, "subjects", count_json(table->subject_count));
    say(to, "samples_with_image_digest", count_json(images));
    say(to, "enrolment", enrolment);
    say(to, "attributes", attributes);
}

static assay_status describe_dataset(const char *path, description *to) {
    assay_dataset *dataset = NULL;
    assay_status status = assay_dataset_open(path, &dataset);
    if (status) return status;
    const assay_dataset_head *head = assay_dataset_get_head(dataset);
    say(to, "name", json_string(head->name));
    say(to, "digest", digest_json(&head->digest));
    say_table(to, &head->table);
    say(to, "notes", document_json(head->notes_json));
    assay_dataset_close(dataset);
    return ASSAY_OK;
}

static void say_templates(description *to, const assay_templates_head *head) {
    say(to, "release", json_string(head->release));
    say(to, "version", json_string(head->version));
    say(to, "algorithm", json_string(head->algorithm));
    say(to, "comparator", json_string(head->comparator));
    say(to, "dataset_name", json_string(head->dataset_name));
    say(to, "dataset_digest", digest_json(&head->dataset_digest));
    say(to, "digest", digest_json(&head->digest));
    if (head->kind == ASSAY_TEMPLATES_BITS) {
        say(to, "bits", count_json(head->length));
        say(to, "bit_rows", count_json(head->bit_rows));
        say(to, "shift_bits", count_json(head->shift_bits));
    } else {
        say(to, "length", count_json(head->length));
    }
    say_table(to, &head->table);
    say(to, "provenance", document_json(head->provenance_json));
}

static assay_status describe_opaque(const char *path, description *to) {
    assay_opaque set = {0};
    assay_status status = assay_opaque_read(path, &set);
    if (status) return status;
    say_templates(to, &set.head);
    say(to, "opaque", json_true());
    say(to, "roles", count_json(set.roles));
    say(to, "bytes", count_json(set.total));
    assay_opaque_free(&set);
    return ASSAY_OK;
}

static assay_status describe_templates(const char *path, description *to) {
    assay_templates *templates = NULL;
    bool opaque = false;
    assay_status status = assay_opaque_is(path, &opaque);
    if (status) return status;
    if (opaque) return describe_opaque(path, to);
    status = assay_templates_open(path, &templates);
    if (status) return status;
    say_templates(to, assay_templates_get_head(templates));
    assay_templates_close(templates);
    return ASSAY_OK;
}

static void say_counts(description *to, const assay_evidence *evidence) {
    json_t *relations = json_object();
    const int64_t floor = evidence->tail_floor;
    const bool has_floor = floor != INT64_MIN && floor != INT64_MAX;
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++)
        to->fault |= json_object_set_new(relations, assay_relation_name((assay_relation)n),
                                         count_json(evidence->relations[n]));
    say(to, "pairs", relations);
    say(to, "failed_to_compare",
        json_pack("{s:I,s:I}", "mated", (json_int_t)evidence->failed_mated, "non_mated",
                  (json_int_t)evidence->failed_non_mated));
    say(to, "tail",
        json_pack("{s:I,s:I,s:b,s:o}", "comparisons", (json_int_t)evidence->tail_count, "limit",
                  (json_int_t)evidence->tail_limit, "complete", (int)evidence->tail_complete,
                  "floor", has_floor ? json_real(assay_fine_score(evidence, floor)) : json_null()));
    say(to, "histograms",
        json_pack("{s:I,s:I,s:I}", "combinations", (json_int_t)evidence->combination_count, "bins",
                  (json_int_t)evidence->bins.count, "pairs",
                  (json_int_t)evidence->histogram_pairs));
    say(to, "exponent", json_integer(evidence->exponent));
    say(to, "coarse_scale", json_real(evidence->coarse_scale));
    say(to, "bound", json_real(evidence->bound));
}

static assay_status describe_evidence(const char *path, description *to) {
    assay_evidence evidence = {0};
    char *protocol = NULL;
    assay_status status = assay_evidence_read(path, &evidence);
    if (status) return status;
    status = assay_protocol_to_json(&evidence.protocol, &protocol);
    if (status) goto out;
    say(to, "release", json_string(evidence.release));
    say(to, "version", json_string(evidence.version));
    say(to, "algorithm", json_string(evidence.algorithm));
    say(to, "comparator", json_string(evidence.comparator));
    say(to, "dataset_name", json_string(evidence.dataset_name));
    say(to, "dataset_digest", digest_json(&evidence.dataset_digest));
    say(to, "templates_digest", digest_json(&evidence.templates_digest));
    say(to, "result_digest", digest_json(&evidence.result_digest));
    say(to, "protocol", document_json(protocol));
    say_counts(to, &evidence);
    say_table(to, &evidence.table);
    say(to, "provenance", document_json(evidence.provenance_json));
out:
    free(protocol);
    assay_evidence_free(&evidence);
    return status;
}

static assay_status describe_partial(const char *path, description *to) {
    assay_partial partial = {0};
    assay_status status = assay_partial_read(path, &partial);
    if (status) return status;
    say(to, "plan_digest", digest_json(&partial.plan_digest));
    say(to, "first_tile", count_json(partial.first_tile));
    say(to, "end_tile", count_json(partial.end_tile));
    say(to, "non_mated", count_json(partial.non_mated));
    say(to, "tail", json_pack("{s:I}", "comparisons", (json_int_t)partial.tail_count));
    assay_partial_free(&partial);
    return ASSAY_OK;
}

static assay_status describe_rows(const char *path, description *to) {
    assay_rows rows = {0};
    assay_status status = assay_rows_read(path, &rows);
    if (status) return status;
    say(to, "release", json_string(rows.release));
    say(to, "version", json_string(rows.version));
    say(to, "result_digest", digest_json(&rows.result_digest));
    say(to, "digest", digest_json(&rows.digest));
    say(to, "people", count_json(rows.people));
    say(to, "rows", count_json(rows.count));
    say(to, "comparisons", count_json(rows.start[rows.count]));
    say(to, "provenance", document_json(rows.provenance_json));
    assay_rows_free(&rows);
    return ASSAY_OK;
}

static assay_status describe_partial_templates(const char *path, description *to) {
    assay_partial_templates partial = {0};
    assay_status status = assay_partial_templates_read(path, &partial);
    if (status) return status;
    say(to, "plan_digest", digest_json(&partial.plan_digest));
    say(to, "first_row", count_json(partial.first_row));
    say(to, "end_row", count_json(partial.end_row));
    say(to, "roles", count_json(partial.roles));
    say(to, "template_bytes", count_json(partial.total));
    assay_partial_templates_free(&partial);
    return ASSAY_OK;
}

static assay_status describe_partial_scores(const char *path, description *to) {
    assay_partial_scores partial = {0};
    assay_status status = assay_partial_scores_read(path, &partial);
    if (status) return status;
    say(to, "plan_digest", digest_json(&partial.plan_digest));
    say(to, "first_pair", count_json(partial.first_pair));
    say(to, "end_pair", count_json(partial.end_pair));
    assay_partial_scores_free(&partial);
    return ASSAY_OK;
}

/* What every kind has: the file, its seal and its root attributes; of a matrix also its size. */
static assay_status describe_file(const char *path, int kind, description *to) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    uint64_t minor, dims[2];
    char *created_by = NULL, version[32];
    assay_status status = assay_store_open(path, kinds[kind].format, &sealed, &store);
    if (status) goto out;
    status = assay_store_get_u64(&store, "/", "format_version_minor", UINT32_MAX, &minor);
    if (status) goto out;
    if ((status = assay_store_get_text(&store, "/", "created_by", &created_by))) goto out;
    snprintf(version, sizeof version, "%d.%" PRIu64, ASSAY_STORE_MAJOR, minor);
    say(to, "file", json_string(assay_path_name(path)));
    say(to, "kind", json_string(kinds[kind].what));
    say(to, "format", json_string(kinds[kind].format));
    say(to, "format_version", json_string(version));
    say(to, "created_by", json_string(created_by));
    say(to, "bytes", count_json(assay_sealed_file_size(sealed)));
    say(to, "sha256", digest_json(assay_sealed_file_digest(sealed)));
    if (kind != KIND_MATRIX) goto out;
    if ((status = assay_array_shape(&store, "/scores", 2, dims))) goto out;
    say(to, "samples", count_json(dims[0]));
out:
    free(created_by);
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    return status;
}

assay_status assay_container_describe(const char *path, char **out_json) {
    static assay_status (*const describe[])(const char *, description *) = {
        [ASSAY_CONTAINER_DATASET] = describe_dataset,
        [ASSAY_CONTAINER_TEMPLATES] = describe_templates,
        [ASSAY_CONTAINER_EVIDENCE] = describe_evidence,
        [ASSAY_CONTAINER_PARTIAL] = describe_partial,
        [KIND_ROWS] = describe_rows,
        [ASSAY_CONTAINER_PARTIAL_TEMPLATES] = describe_partial_templates,
        [ASSAY_CONTAINER_PARTIAL_SCORES] = describe_partial_scores,
    };
    description to = {.root = json_object()};
    char *text = NULL;
    int kind = 0;
    assay_status status = find_kind(path, &kind);
    if (status) goto out;
    if ((status = describe_file(path, kind, &to))) goto out;
    if (kind != KIND_MATRIX && (status = describe[kind](path, &to))) goto out;
    if ((status = verdict(&to, path))) goto out;
    text = json_dumps(to.root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!text) {
        status = assay_fail(ASSAY_FAILED, "no memory to describe %s", path);
        goto out;
    }
    *out_json = text;
out:
    json_decref(to.root);
    return status;
}
