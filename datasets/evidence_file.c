/* evidence_file -- evidence.h5: the result of all comparisons of one release, and where it is from.
 */
#include <jansson.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/evidence.h"
#include "datasets/store.h"

#define FORMAT "assay-evidence"

/* ---- pair lists ---- */

typedef struct __attribute__((packed)) {
    uint32_t i, j;
    uint8_t reversed;
} file_pair;

static assay_status make_pair_type(const assay_store *store, hid_t *out) {
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(file_pair));
    if (type < 0 || H5Tinsert(type, "i", offsetof(file_pair, i), H5T_STD_U32LE) < 0 ||
        H5Tinsert(type, "j", offsetof(file_pair, j), H5T_STD_U32LE) < 0 ||
        H5Tinsert(type, "reversed", offsetof(file_pair, reversed), H5T_STD_U8LE) < 0) {
        if (type >= 0) H5Tclose(type);
        return assay_store_fault(store, "the type of pairs");
    }
    *out = type;
    return ASSAY_OK;
}

static assay_status put_pairs(assay_store *store, const assay_protocol *protocol) {
    file_pair *rows = NULL;
    hid_t type = -1;
    if (protocol->kind != ASSAY_PROTOCOL_PAIR_LIST) return ASSAY_OK;
    assay_status status = make_pair_type(store, &type);
    if (status) return status;
    if ((status = assay_allocate(&rows, protocol->pair_count, sizeof *rows, "pairs"))) goto out;
    for (uint64_t n = 0; n < protocol->pair_count; n++)
        rows[n] = (file_pair){protocol->pairs[n].i, protocol->pairs[n].j,
                              protocol->reversed ? protocol->reversed[n] : 0};
    assay_array array = {
        "/result/pair_list", type, 1, {protocol->pair_count, 0}, ASSAY_LAYOUT_CHUNKED};
    status = assay_array_write(store, &array, rows);
out:
    free(rows);
    H5Tclose(type);
    return status;
}

static bool pairs_sorted(const file_pair *rows, uint64_t count, uint64_t limit) {
    for (uint64_t n = 0; n < count; n++) {
        if (rows[n].i >= rows[n].j || rows[n].j >= limit || rows[n].reversed > 1) return false;
        if (n &&
            (rows[n - 1].i != rows[n].i ? rows[n - 1].i > rows[n].i : rows[n - 1].j >= rows[n].j))
            return false;
    }
    return true;
}

static assay_status get_pairs(const assay_store *store, uint64_t row_count,
                              assay_protocol *protocol) {
    file_pair *rows = NULL;
    hid_t type = -1;
    uint64_t dims[2];
    if (protocol->kind != ASSAY_PROTOCOL_PAIR_LIST) return ASSAY_OK;
    assay_status status = assay_array_shape(store, "/result/pair_list", 1, dims);
    if (status) return status;
    if ((status = make_pair_type(store, &type))) return status;
    assay_array array = {"/result/pair_list", type, 1, {dims[0], 0}, ASSAY_LAYOUT_CHUNKED};
    if ((status = assay_allocate(&rows, dims[0], sizeof *rows, "pairs"))) goto out;
    if ((status = assay_array_read(store, &array, rows))) goto out;
    if (!pairs_sorted(rows, dims[0], row_count)) {
        status = assay_store_wrong(store, array.path, "sorted pairs of rows i < j");
        goto out;
    }
    status = assay_allocate(&protocol->pairs, dims[0], sizeof *protocol->pairs, "pairs");
    if (status) goto out;
    status = assay_allocate(&protocol->reversed, dims[0], sizeof *protocol->reversed, "pairs");
    if (status) goto out;
    protocol->pair_count = dims[0];
    for (uint64_t n = 0; n < dims[0]; n++) {
        protocol->pairs[n] = (assay_row_pair){rows[n].i, rows[n].j};
        protocol->reversed[n] = rows[n].reversed;
    }
out:
    free(rows);
    H5Tclose(type);
    return status;
}

/* ---- the named values of evidence, written and read by one table ---- */

typedef struct {
    const char *name;
    char **at;
} text_value;
typedef struct {
    const char *name;
    uint64_t *at;
} count_value;
enum { TEXTS = 5, REFERENCE_TEXTS = 3, COUNTS = 3 };

static void list_texts(assay_evidence *evidence, text_value out[TEXTS]) {
    out[0] = (text_value){"release", &evidence->release};
    out[1] = (text_value){"version", &evidence->version};
    out[2] = (text_value){"algorithm", &evidence->algorithm};
    out[3] = (text_value){"comparator", &evidence->comparator};
    out[4] = (text_value){"dataset_name", &evidence->dataset_name};
}

/* Of the release that the references are of, where it is another one. */
static const char references_at[] = "/references";

static void list_references(assay_evidence *evidence, text_value out[REFERENCE_TEXTS]) {
    out[0] = (text_value){"release", &evidence->reference_release};
    out[1] = (text_value){"version", &evidence->reference_version};
    out[2] = (text_value){"algorithm", &evidence->reference_algorithm};
}

static void list_counts(assay_evidence *evidence, count_value out[COUNTS]) {
    out[0] = (count_value){"non_mated", &evidence->non_mated};
    out[1] = (count_value){"tail_limit", &evidence->tail_limit};
    out[2] = (count_value){"histogram_pairs", &evidence->histogram_pairs};
}

/* ---- writing ---- */

static assay_scale scale_of(const assay_evidence *evidence) {
    return (assay_scale){evidence->form, evidence->exponent};
}

typedef struct {
    assay_evidence *evidence;
    const char *path;
    char *protocol;
} evidence_writing;

static assay_status put_names(assay_store *store, assay_evidence *evidence) {
    text_value texts[TEXTS];
    assay_status status = ASSAY_OK;
    list_texts(evidence, texts);
    for (size_t n = 0; n < TEXTS && status == ASSAY_OK; n++)
        status = assay_store_put_text(store, "/", texts[n].name, *texts[n].at);
    if (status) return status;
    status = assay_store_put_digest(store, "/", "dataset_digest", &evidence->dataset_digest);
    if (status) return status;
    status = assay_store_put_digest(store, "/", "templates_digest", &evidence->templates_digest);
    if (status) return status;
    return assay_store_put_digest(store, "/", "result_digest", &evidence->result_digest);
}

static assay_status put_references(assay_store *store, assay_evidence *evidence) {
    text_value texts[REFERENCE_TEXTS];
    if (!assay_evidence_is_between(evidence)) return ASSAY_OK;
    list_references(evidence, texts);
    assay_status status = assay_store_put_group(store, references_at);
    for (size_t n = 0; n < REFERENCE_TEXTS && status == ASSAY_OK; n++)
        status = assay_store_put_text(store, references_at, texts[n].name, *texts[n].at);
    if (status) return status;
    return assay_store_put_digest(store, references_at, "templates_digest",
                                  &evidence->reference_digest);
}

static assay_status get_references(const assay_store *store, assay_evidence *evidence) {
    text_value texts[REFERENCE_TEXTS];
    assay_status status = ASSAY_OK;
    if (!assay_store_has(store, references_at)) return ASSAY_OK;
    list_references(evidence, texts);
    for (size_t n = 0; n < REFERENCE_TEXTS && status == ASSAY_OK; n++)
        status = assay_store_get_text(store, references_at, texts[n].name, texts[n].at);
    if (status) return status;
    return assay_store_get_digest(store, references_at, "templates_digest",
                                  &evidence->reference_digest);
}

static assay_status put_values(assay_store *store, assay_evidence *evidence) {
    static const char at[] = "/result";
    count_value counts[COUNTS];
    assay_status status = assay_store_put_i64(store, at, "exponent", evidence->exponent);
    if (status) return status;
    status = assay_store_put_f64(store, at, "coarse_scale", evidence->coarse_scale);
    if (status) return status;
    if ((status = assay_store_put_f64(store, at, "bound", evidence->bound))) return status;
    if ((status = assay_store_put_i64(store, at, "bin_lowest", evidence->bins.lowest)))
        return status;
    if ((status = assay_store_put_u64(store, at, "bin_shift", evidence->bins.shift))) return status;
    if ((status = assay_store_put_u64(store, at, "bin_count", evidence->bins.count))) return status;
    list_counts(evidence, counts);
    for (size_t n = 0; n < COUNTS; n++)
        if ((status = assay_store_put_u64(store, at, counts[n].name, *counts[n].at))) return status;
    status = assay_store_put_u64(store, at, "tail_complete", evidence->tail_complete);
    if (status) return status;
    status = assay_store_put_i64(store, at, "tail_floor", evidence->tail_floor);
    if (status || evidence->form == ASSAY_SCORE_SCALED) return status;
    return assay_store_put_text(store, at, "score_form", assay_score_form_name(evidence->form));
}

/* ---- comparisons that gave no score: a group, where there are any ---- */

static assay_array failed_array(const assay_evidence *evidence) {
    return (assay_array){"/result/failed/pairs",
                         H5T_STD_U32LE,
                         2,
                         {evidence->failed_mated + evidence->failed_non_mated, 2},
                         ASSAY_LAYOUT_CHUNKED};
}

static assay_status put_failed(assay_store *store, const assay_evidence *evidence) {
    static const char at[] = "/result/failed";
    if (!evidence->failed_mated && !evidence->failed_non_mated) return ASSAY_OK;
    assay_array pairs = failed_array(evidence);
    assay_status status = assay_store_put_group(store, at);
    if (status) return status;
    if ((status = assay_store_put_u64(store, at, "mated", evidence->failed_mated))) return status;
    status = assay_store_put_u64(store, at, "non_mated", evidence->failed_non_mated);
    if (status || !assay_evidence_has_samples(evidence)) return status;
    return assay_array_write(store, &pairs, evidence->failed);
}

static assay_status get_failed(const assay_store *store, assay_evidence *evidence) {
    static const char at[] = "/result/failed";
    uint64_t most = UINT64_MAX / 4;
    if (!assay_store_has(store, at)) return ASSAY_OK;
    assay_status status = assay_store_get_u64(store, at, "mated", most, &evidence->failed_mated);
    if (status) return status;
    status = assay_store_get_u64(store, at, "non_mated", most, &evidence->failed_non_mated);
    if (status || !assay_evidence_has_samples(evidence)) return status;
    assay_array pairs = failed_array(evidence);
    uint64_t dims[2];
    status = assay_array_shape(store, pairs.path, 2, dims);
    if (status) return status;
    if (dims[0] != pairs.dims[0])
        return assay_store_wrong(store, pairs.path, "as many pairs as comparisons failed");
    status = assay_allocate(&evidence->failed, pairs.dims[0], sizeof *evidence->failed, "pairs");
    if (status) return status;
    return assay_array_read(store, &pairs, evidence->failed);
}

/* Pairs of enrolled samples by what they are, and the names of that. */
static assay_status put_relations(assay_store *store, const assay_evidence *evidence) {
    char names[ASSAY_RELATION_COUNT][64];
    char *pointers[ASSAY_RELATION_COUNT];
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++) {
        snprintf(names[n], sizeof names[n], "%s", assay_relation_name((assay_relation)n));
        pointers[n] = names[n];
    }
    assay_status status =
        assay_strings_write(store, "/result/relation_names", pointers, ASSAY_RELATION_COUNT);
    if (status) return status;
    assay_array array = {
        "/result/relations", H5T_STD_U64LE, 1, {ASSAY_RELATION_COUNT, 0}, ASSAY_LAYOUT_CHUNKED};
    return assay_array_write(store, &array, evidence->relations);
}

static assay_array combinations_array(const assay_evidence *evidence) {
    return (assay_array){"/result/combinations",
                         H5T_STD_U16LE,
                         2,
                         {evidence->combination_count, evidence->protocol.histogram_by_count},
                         ASSAY_LAYOUT_CHUNKED};
}

static assay_array histogram_array(const assay_evidence *evidence) {
    return (assay_array){"/result/histogram",
                         H5T_STD_U64LE,
                         2,
                         {assay_histogram_count(evidence->combination_count), evidence->bins.count},
                         ASSAY_LAYOUT_DEFLATED};
}

static assay_status put_histograms(assay_store *store, const assay_evidence *evidence) {
    assay_array combinations = combinations_array(evidence);
    assay_array histogram = histogram_array(evidence);
    assay_status status = assay_array_write(store, &combinations, evidence->combinations);
    if (status || !evidence->histogram) return status;
    return assay_array_write(store, &histogram, evidence->histogram);
}

static assay_status write_evidence(void *context, const char *temporary,
                                   assay_store_extents *extents) {
    const evidence_writing *job = context;
    assay_evidence *evidence = job->evidence;
    assay_store store = ASSAY_STORE_NONE;
    (void)extents; /* all of it is chunked: every block is checked on opening */
    assay_status status = assay_store_create(temporary, FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    if ((status = put_names(&store, evidence))) return status;
    if ((status = put_references(&store, evidence))) return status;
    if ((status = assay_document_write(&store, "/protocol", job->protocol))) return status;
    status = assay_document_write(&store, "/provenance", evidence->provenance_json);
    if (status) return status;
    if ((status = assay_store_put_table(&store, &evidence->table))) return status;
    if ((status = assay_store_put_group(&store, "/result"))) return status;
    if ((status = put_values(&store, evidence))) return status;
    if ((status = put_relations(&store, evidence))) return status;
    status = assay_comparisons_write(&store, "/result/mated", evidence->mated,
                                     evidence->mated_count, scale_of(evidence));
    if (status) return status;
    status = assay_comparisons_write(&store, "/result/tail", evidence->tail, evidence->tail_count,
                                     scale_of(evidence));
    if (status) return status;
    if ((status = put_failed(&store, evidence))) return status;
    if ((status = put_histograms(&store, evidence))) return status;
    if ((status = put_pairs(&store, &evidence->protocol))) return status;
    return assay_store_finish(&store);
}

assay_status assay_evidence_write(const char *path, assay_evidence *evidence) {
    char hex[ASSAY_DIGEST_HEX], templates[ASSAY_DIGEST_HEX];
    evidence_writing job = {.evidence = evidence, .path = path};
    assay_status status = assay_evidence_check(path, evidence);
    if (status) return status;
    if ((status = assay_evidence_digest(evidence))) return status;
    if ((status = assay_protocol_to_json(&evidence->protocol, &job.protocol))) return status;
    json_t *details =
        json_pack("{s:s,s:s,s:s,s:s}", "release", evidence->release, "version", evidence->version,
                  "result_digest", assay_digest_hex(hex, &evidence->result_digest),
                  "templates_digest", assay_digest_hex(templates, &evidence->templates_digest));
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    status = assay_store_publish(path, "evidence", details_json, write_evidence, &job);
    free(details_json);
    json_decref(details);
    free(job.protocol);
    return status;
}

/* ---- reading ---- */

static assay_status get_names(const assay_store *store, assay_evidence *evidence) {
    text_value texts[TEXTS];
    assay_status status = ASSAY_OK;
    list_texts(evidence, texts);
    for (size_t n = 0; n < TEXTS && status == ASSAY_OK; n++)
        status = assay_store_get_text(store, "/", texts[n].name, texts[n].at);
    if (status) return status;
    status = assay_store_get_digest(store, "/", "dataset_digest", &evidence->dataset_digest);
    if (status) return status;
    status = assay_store_get_digest(store, "/", "templates_digest", &evidence->templates_digest);
    if (status) return status;
    return assay_store_get_digest(store, "/", "result_digest", &evidence->result_digest);
}

static assay_status get_bins(const assay_store *store, assay_bin_rule *bins) {
    static const char at[] = "/result";
    int64_t lowest;
    uint64_t shift, count;
    assay_status status = assay_store_get_i64(store, at, "bin_lowest", &lowest);
    if (status) return status;
    if (lowest < INT32_MIN || lowest > INT32_MAX)
        return assay_store_wrong(store, "bin_lowest", "an int32");
    if ((status = assay_store_get_u64(store, at, "bin_shift", 31, &shift))) return status;
    if ((status = assay_store_get_u64(store, at, "bin_count", UINT32_MAX, &count))) return status;
    *bins = (assay_bin_rule){(int32_t)lowest, (uint32_t)shift, (uint32_t)count};
    return ASSAY_OK;
}

/* Evidence of before there were forms says nothing of it and is scaled. */
static assay_status get_form(const assay_store *store, assay_score_form *out) {
    static const char at[] = "/result", name[] = "score_form";
    char *text = NULL;
    *out = ASSAY_SCORE_SCALED;
    if (!assay_store_has_attribute(store, at, name)) return ASSAY_OK;
    assay_status status = assay_store_get_text(store, at, name, &text);
    if (status) return status;
    if (!assay_score_form_parse(text, out))
        status = assay_store_wrong(store, name, "scaled or placed");
    free(text);
    return status;
}

static assay_status get_values(const assay_store *store, assay_evidence *evidence) {
    static const char at[] = "/result";
    count_value counts[COUNTS];
    int64_t exponent;
    uint64_t complete;
    assay_status status = assay_store_get_i64(store, at, "exponent", &exponent);
    if (status) return status;
    if (exponent < -1100 || exponent > 1100)
        return assay_store_wrong(store, "exponent", "a number within 1100 of 0");
    evidence->exponent = (int)exponent;
    if ((status = get_form(store, &evidence->form))) return status;
    status = assay_store_get_f64(store, at, "coarse_scale", &evidence->coarse_scale);
    if (status) return status;
    if ((status = assay_store_get_f64(store, at, "bound", &evidence->bound))) return status;
    if ((status = get_bins(store, &evidence->bins))) return status;
    list_counts(evidence, counts);
    for (size_t n = 0; n < COUNTS; n++) {
        status = assay_store_get_u64(store, at, counts[n].name, UINT64_MAX, counts[n].at);
        if (status) return status;
    }
    if ((status = assay_store_get_u64(store, at, "tail_complete", 1, &complete))) return status;
    evidence->tail_complete = complete == 1;
    return assay_store_get_i64(store, at, "tail_floor", &evidence->tail_floor);
}

static assay_status get_histograms(const assay_store *store, assay_evidence *evidence) {
    uint64_t dims[2];
    size_t codes, counters;
    assay_status status = assay_array_shape(store, "/result/combinations", 2, dims);
    if (status) return status;
    if (dims[0] < 1 || dims[0] > UINT16_MAX)
        return assay_store_wrong(store, "/result/combinations", "1 to 65535 combinations");
    evidence->combination_count = (uint32_t)dims[0];
    assay_array combinations = combinations_array(evidence);
    assay_array histogram = histogram_array(evidence);
    if (!assay_multiply(combinations.dims[0], combinations.dims[1], &codes) ||
        !assay_multiply(histogram.dims[0], histogram.dims[1], &counters))
        return assay_store_wrong(store, "/result/histogram", "a size that can be");
    if (assay_store_has(store, "/result/histogram")) {
        status = assay_array_shape(store, "/result/histogram", histogram.rank, dims);
        if (status) return status;
        if (dims[0] != histogram.dims[0] || (histogram.rank == 2 && dims[1] != histogram.dims[1]))
            return assay_store_wrong(store, "/result/histogram",
                                     "one histogram for each pair of combinations");
    }
    status = assay_allocate(&evidence->combinations, codes, sizeof *evidence->combinations,
                            "combinations");
    if (status) return status;
    if ((status = assay_array_read(store, &combinations, evidence->combinations))) return status;
    if (!assay_store_has(store, "/result/histogram")) return ASSAY_OK;
    status =
        assay_allocate(&evidence->histogram, counters, sizeof *evidence->histogram, "histograms");
    if (status) return status;
    return assay_array_read(store, &histogram, evidence->histogram);
}

/* The protocol; its pairs must have the digest that its text says. */
static assay_status get_protocol(const assay_store *store, assay_evidence *evidence) {
    char *text = NULL, *again = NULL;
    assay_status status = assay_document_read(store, "/protocol", &text);
    if (status) goto out;
    status = assay_protocol_from_json(text, &evidence->protocol);
    if (status) {
        status = assay_fail_in(ASSAY_FAILED, "%s", store->name);
        goto out;
    }
    status = get_pairs(store, evidence->table.row_count, &evidence->protocol);
    if (status) goto out;
    if ((status = assay_protocol_to_json(&evidence->protocol, &again))) goto out;
    if (strcmp(text, again) != 0)
        status = assay_store_wrong(store, "/protocol", "the text of this very protocol");
out:
    free(text);
    free(again);
    return status;
}

static assay_status get_lists(const assay_store *store, assay_evidence *evidence) {
    assay_array relations = {
        "/result/relations", H5T_STD_U64LE, 1, {ASSAY_RELATION_COUNT, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_status status = assay_array_read(store, &relations, evidence->relations);
    if (status) return status;
    status = assay_comparisons_read(store, "/result/mated", scale_of(evidence), &evidence->mated,
                                    &evidence->mated_count);
    if (status) return status;
    status = assay_comparisons_read(store, "/result/tail", scale_of(evidence), &evidence->tail,
                                    &evidence->tail_count);
    if (status) return status;
    return get_failed(store, evidence);
}

static assay_status check_digest(const char *path, assay_evidence *evidence) {
    const assay_digest said = evidence->result_digest;
    assay_status status = assay_evidence_digest(evidence);
    if (status) return status;
    if (!assay_digest_equal(&said, &evidence->result_digest))
        return assay_fail(ASSAY_FAILED,
                          "%s: its result does not have the result digest that it says", path);
    return ASSAY_OK;
}

assay_status assay_evidence_read(const char *path, assay_evidence *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_evidence evidence = {0};
    assay_status status = assay_store_open(path, FORMAT, &sealed, &store);
    if (status) goto out;
    if ((status = get_names(&store, &evidence))) goto out;
    if ((status = get_references(&store, &evidence))) goto out;
    if ((status = assay_document_read(&store, "/provenance", &evidence.provenance_json))) goto out;
    if ((status = assay_store_get_table(&store, &evidence.table))) goto out;
    if ((status = get_protocol(&store, &evidence))) goto out;
    if ((status = get_values(&store, &evidence))) goto out;
    if ((status = get_lists(&store, &evidence))) goto out;
    if ((status = get_histograms(&store, &evidence))) goto out;
    if ((status = assay_evidence_check(path, &evidence))) goto out;
    if ((status = check_digest(path, &evidence))) goto out;
    *out = evidence;
    memset(&evidence, 0, sizeof evidence);
out:
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    assay_evidence_free(&evidence);
    return status;
}
