/* rows_file -- rows of comparisons beside evidence: checked, written, read (rows.h). */
#include "datasets/rows.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

#define FORMAT "assay-rows"

void assay_rows_free(assay_rows *rows) {
    if (!rows) return;
    free(rows->release);
    free(rows->version);
    free(rows->rows);
    free(rows->floors);
    free(rows->start);
    free(rows->comparisons);
    free(rows->provenance_json);
    *rows = (assay_rows){0};
}

uint64_t assay_rows_find(const assay_rows *rows, uint32_t row) {
    uint64_t low = 0, high = rows->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (rows->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->count && rows->rows[low] == row ? low : UINT64_MAX;
}

/* One row's comparisons are its own, in order, and none lies below its floor. */
static bool is_row(const assay_rows *rows, uint64_t n) {
    const assay_comparison *list = rows->comparisons + rows->start[n];
    uint64_t count = rows->start[n + 1] - rows->start[n];
    uint32_t row = rows->rows[n];
    if (row >= rows->table_rows || (n && row <= rows->rows[n - 1])) return false;
    if (!assay_comparisons_sorted(list, count, rows->table_rows)) return false;
    for (uint64_t k = 0; k < count; k++)
        if (list[k].i != row && list[k].j != row) return false;
    return !count || list[count - 1].fine >= rows->floors[n];
}

static assay_status check_rows(const char *name, const assay_rows *rows) {
    bool good = rows->start[0] == 0;
    for (uint64_t n = 0; good && n < rows->count; n++) good = rows->start[n] <= rows->start[n + 1];
    for (uint64_t n = 0; good && n < rows->count; n++) good = is_row(rows, n);
    if (good) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED,
                      "%s: the rows contradict themselves: their numbers, floors and comparisons "
                      "do not fit each other",
                      name);
}

static assay_status compute_digest(assay_rows *rows) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status) return status;
    assay_digester_add_string(digester, "assay-rows/1");
    assay_digester_add(digester, rows->result_digest.bytes, sizeof rows->result_digest.bytes);
    assay_digester_add_u64(digester, rows->people);
    assay_digester_add_u64(digester, rows->count);
    for (uint64_t n = 0; n < rows->count; n++) {
        assay_digester_add_u64(digester, rows->rows[n]);
        assay_digester_add_u64(digester, (uint64_t)rows->floors[n]);
        assay_digester_add_u64(digester, rows->start[n + 1] - rows->start[n]);
        for (uint64_t k = rows->start[n]; k < rows->start[n + 1]; k++) {
            assay_digester_add_u64(digester, (uint64_t)rows->comparisons[k].fine);
            assay_digester_add_u64(digester, rows->comparisons[k].i);
            assay_digester_add_u64(digester, rows->comparisons[k].j);
        }
    }
    status = assay_digester_finish(digester, &rows->digest);
    assay_digester_free(digester);
    return status;
}

/* ---- arrays, written and read by one table ---- */

static assay_array row_array(const char *path, hid_t type, uint64_t count) {
    return (assay_array){path, type, 1, {count, 0}, ASSAY_LAYOUT_CHUNKED};
}

typedef struct {
    const assay_rows *rows;
    const char *path;
} rows_writing;

static assay_status put_names(assay_store *store, const assay_rows *rows) {
    assay_status status = assay_store_put_text(store, "/", "release", rows->release);
    if (status) return status;
    if ((status = assay_store_put_text(store, "/", "version", rows->version))) return status;
    status = assay_store_put_digest(store, "/", "result_digest", &rows->result_digest);
    if (status) return status;
    if ((status = assay_store_put_digest(store, "/", "digest", &rows->digest))) return status;
    if ((status = assay_store_put_u64(store, "/", "table_rows", rows->table_rows))) return status;
    if ((status = assay_store_put_u64(store, "/", "people", rows->people))) return status;
    if ((status = assay_store_put_i64(store, "/", "exponent", rows->exponent))) return status;
    return assay_store_put_text(store, "/", "score_form", assay_score_form_name(rows->form));
}

static assay_status write_rows(void *context, const char *temporary, assay_store_extents *extents) {
    const rows_writing *job = context;
    const assay_rows *rows = job->rows;
    assay_store store = ASSAY_STORE_NONE;
    (void)extents; /* all of it is chunked: every block is checked on opening */
    assay_status status = assay_store_create(temporary, FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    if ((status = put_names(&store, rows))) return status;
    if ((status = assay_document_write(&store, "/provenance", rows->provenance_json)))
        return status;
    assay_array row = row_array("/row", H5T_STD_U32LE, rows->count);
    if ((status = assay_array_write(&store, &row, rows->rows))) return status;
    assay_array floor = row_array("/floor", H5T_STD_I64LE, rows->count);
    if ((status = assay_array_write(&store, &floor, rows->floors))) return status;
    assay_array start = row_array("/start", H5T_STD_U64LE, rows->count + 1);
    if ((status = assay_array_write(&store, &start, rows->start))) return status;
    status =
        assay_comparisons_write(&store, "/comparisons", rows->comparisons, rows->start[rows->count],
                                (assay_scale){rows->form, rows->exponent});
    if (status) return status;
    return assay_store_finish(&store);
}

assay_status assay_rows_write(const char *path, assay_rows *rows) {
    char hex[ASSAY_DIGEST_HEX], result[ASSAY_DIGEST_HEX];
    rows_writing job = {rows, path};
    assay_status status = check_rows(path, rows);
    if (status) return status;
    if ((status = compute_digest(rows))) return status;
    json_t *details = json_pack("{s:s,s:s,s:s,s:s}", "release", rows->release, "version",
                                rows->version, "digest", assay_digest_hex(hex, &rows->digest),
                                "result_digest", assay_digest_hex(result, &rows->result_digest));
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    status = assay_store_publish(path, "rows", details_json, write_rows, &job);
    free(details_json);
    json_decref(details);
    return status;
}

static assay_status get_names(const assay_store *store, assay_rows *rows) {
    int64_t exponent;
    char *form = NULL;
    assay_status status = assay_store_get_text(store, "/", "release", &rows->release);
    if (status) return status;
    if ((status = assay_store_get_text(store, "/", "version", &rows->version))) return status;
    status = assay_store_get_digest(store, "/", "result_digest", &rows->result_digest);
    if (status) return status;
    if ((status = assay_store_get_digest(store, "/", "digest", &rows->digest))) return status;
    status = assay_store_get_u64(store, "/", "table_rows", UINT32_MAX, &rows->table_rows);
    if (status) return status;
    status = assay_store_get_u64(store, "/", "people", UINT64_MAX, &rows->people);
    if (status) return status;
    if ((status = assay_store_get_i64(store, "/", "exponent", &exponent))) return status;
    if (exponent < -1100 || exponent > 1100)
        return assay_store_wrong(store, "exponent", "a number within 1100 of 0");
    rows->exponent = (int)exponent;
    if ((status = assay_store_get_text(store, "/", "score_form", &form))) return status;
    if (!assay_score_form_parse(form, &rows->form))
        status = assay_store_wrong(store, "score_form", "scaled or placed");
    free(form);
    return status;
}

static assay_status get_lists(const assay_store *store, assay_rows *rows) {
    uint64_t dims[2], listed = 0;
    assay_status status = assay_array_shape(store, "/row", 1, dims);
    if (status) return status;
    rows->count = dims[0];
    status = assay_allocate(&rows->rows, rows->count, sizeof *rows->rows, "rows");
    if (status) return status;
    status = assay_allocate(&rows->floors, rows->count, sizeof *rows->floors, "rows");
    if (status) return status;
    status = assay_allocate(&rows->start, rows->count + 1, sizeof *rows->start, "rows");
    if (status) return status;
    assay_array row = row_array("/row", H5T_STD_U32LE, rows->count);
    if ((status = assay_array_read(store, &row, rows->rows))) return status;
    assay_array floor = row_array("/floor", H5T_STD_I64LE, rows->count);
    if ((status = assay_array_read(store, &floor, rows->floors))) return status;
    assay_array start = row_array("/start", H5T_STD_U64LE, rows->count + 1);
    if ((status = assay_array_read(store, &start, rows->start))) return status;
    status =
        assay_comparisons_read(store, "/comparisons", (assay_scale){rows->form, rows->exponent},
                               &rows->comparisons, &listed);
    if (status) return status;
    if (rows->start[rows->count] != listed)
        return assay_store_wrong(store, "/start", "as many comparisons as there are");
    return ASSAY_OK;
}

assay_status assay_rows_read(const char *path, assay_rows *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_rows rows = {0};
    assay_status status = assay_store_open(path, FORMAT, &sealed, &store);
    if (status) goto out;
    if ((status = get_names(&store, &rows))) goto out;
    if ((status = assay_document_read(&store, "/provenance", &rows.provenance_json))) goto out;
    if ((status = get_lists(&store, &rows))) goto out;
    if ((status = check_rows(path, &rows))) goto out;
    const assay_digest said = rows.digest;
    if ((status = compute_digest(&rows))) goto out;
    if (!assay_digest_equal(&said, &rows.digest)) {
        status = assay_fail(ASSAY_FAILED, "%s: its rows do not have the digest that it says", path);
        goto out;
    }
    *out = rows;
    rows = (assay_rows){0};
out:
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    assay_rows_free(&rows);
    return status;
}

assay_status assay_rows_check(const assay_rows *rows, const char *path,
                              const assay_evidence *evidence) {
    if (assay_digest_equal(&rows->result_digest, &evidence->result_digest)) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "%s has rows of %s %s that do not go on from the evidence of %s %s: expected "
                      "those that assay compare --rows made of that very evidence",
                      path, rows->release, rows->version, evidence->release, evidence->version);
}
