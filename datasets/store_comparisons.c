/* store_comparisons -- lists of comparisons as arrays of a compound type (FORMAT.md,
 * "Comparisons"). */
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

/* A row of the file, as it lies there. score is for people: the fine integer is what counts. */
typedef struct __attribute__((packed)) {
    int64_t fine;
    int32_t coarse;
    uint32_t i, j;
    uint8_t direction;
    double score;
} file_comparison;

static assay_status make_type(const assay_store *store, hid_t *out) {
    static char none[] = "none", i_first[] = "i is the reference", j_first[] = "j is the reference";
    char *const names[] = {none, i_first, j_first};
    assay_store quiet = *store;
    hid_t direction = -1, type = H5Tcreate(H5T_COMPOUND, sizeof(file_comparison));
    assay_status status = assay_store_enumeration(&quiet, H5T_STD_U8LE, names, 3, &direction);
    if (status) goto out;
    if (type < 0 || H5Tinsert(type, "fine", offsetof(file_comparison, fine), H5T_STD_I64LE) < 0 ||
        H5Tinsert(type, "coarse", offsetof(file_comparison, coarse), H5T_STD_I32LE) < 0 ||
        H5Tinsert(type, "i", offsetof(file_comparison, i), H5T_STD_U32LE) < 0 ||
        H5Tinsert(type, "j", offsetof(file_comparison, j), H5T_STD_U32LE) < 0 ||
        H5Tinsert(type, "direction", offsetof(file_comparison, direction), direction) < 0 ||
        H5Tinsert(type, "score", offsetof(file_comparison, score), H5T_IEEE_F64LE) < 0) {
        status = assay_store_fault(store, "the type of comparisons");
        goto out;
    }
    *out = type;
    type = -1;
out:
    if (direction >= 0) H5Tclose(direction);
    if (type >= 0) H5Tclose(type);
    return status;
}

assay_status assay_comparisons_write(assay_store *store, const char *path,
                                     const assay_comparison *list, uint64_t count,
                                     assay_scale scale) {
    file_comparison *rows = NULL;
    hid_t type = -1, dataset = -1;
    assay_status status = make_type(store, &type);
    if (status) return status;
    assay_array array = {path, type, 1, {count, 0}, ASSAY_LAYOUT_CHUNKED};
    uint64_t step = assay_array_chunk_rows(&array);
    if ((status = assay_allocate(&rows, step, sizeof *rows, "comparisons"))) goto out;
    if ((status = assay_array_create(store, &array, &dataset))) goto out;
    for (uint64_t first = 0; first < count; first += step) {
        uint64_t here = count - first < step ? count - first : step;
        for (uint64_t n = 0; n < here; n++) {
            const assay_comparison *from = &list[first + n];
            rows[n] = (file_comparison){
                from->fine,      from->coarse,
                from->i,         from->j,
                from->direction, assay_score_of(scale.form, scale.exponent, from->fine)};
        }
        status = assay_array_write_rows(store, &array, dataset, first, here, rows);
        if (status) goto out;
    }
    status = assay_array_finish(store, &array, dataset);
out:
    free(rows);
    H5Tclose(type);
    return status;
}

/* Takes rows over into out, checking what a row says of itself. */
static assay_status take_rows(const assay_store *store, const char *path,
                              const file_comparison *rows, uint64_t count, assay_scale scale,
                              assay_comparison *out) {
    for (uint64_t n = 0; n < count; n++) {
        if (rows[n].direction > ASSAY_DIRECTION_J)
            return assay_store_wrong(store, path, "directions from 0 to 2");
        if (rows[n].score != assay_score_of(scale.form, scale.exponent, rows[n].fine))
            return assay_store_wrong(store, path, "the scores that fine integers stand for");
        out[n] = (assay_comparison){.fine = rows[n].fine,
                                    .coarse = rows[n].coarse,
                                    .i = rows[n].i,
                                    .j = rows[n].j,
                                    .direction = rows[n].direction};
    }
    return ASSAY_OK;
}

assay_status assay_comparisons_read(const assay_store *store, const char *path, assay_scale scale,
                                    assay_comparison **out, uint64_t *out_count) {
    file_comparison *rows = NULL;
    assay_comparison *list = NULL;
    hid_t type = -1, dataset = -1;
    uint64_t dims[2];
    assay_status status = assay_array_shape(store, path, 1, dims);
    if (status) return status;
    if ((status = make_type(store, &type))) return status;
    assay_array array = {path, type, 1, {dims[0], 0}, ASSAY_LAYOUT_CHUNKED};
    uint64_t step = assay_array_chunk_rows(&array);
    if ((status = assay_array_open(store, &array, &dataset))) goto out;
    if ((status = assay_allocate(&list, dims[0], sizeof *list, "comparisons"))) goto out;
    if ((status = assay_allocate(&rows, step, sizeof *rows, "comparisons"))) goto out;
    for (uint64_t first = 0; first < dims[0]; first += step) {
        uint64_t here = dims[0] - first < step ? dims[0] - first : step;
        status = assay_array_read_rows(store, &array, dataset, first, here, rows);
        if (status) goto out;
        status = take_rows(store, path, rows, here, scale, list + first);
        if (status) goto out;
    }
    *out = list;
    *out_count = dims[0];
    list = NULL;
out:
    if (dataset >= 0) H5Dclose(dataset);
    H5Tclose(type);
    free(rows);
    free(list);
    return status;
}

bool assay_comparisons_sorted(const assay_comparison *list, uint64_t count, uint64_t limit) {
    for (uint64_t n = 0; n < count; n++) {
        const assay_comparison *b = &list[n];
        if (b->i >= b->j || b->j >= limit) return false;
        if (n == 0) continue;
        const assay_comparison *a = &list[n - 1];
        if (a->fine != b->fine ? a->fine < b->fine : a->i != b->i ? a->i > b->i : a->j >= b->j)
            return false;
    }
    return true;
}

/* ---- pairs that failed to compare ---- */

_Static_assert(sizeof(assay_row_pair) == 2 * sizeof(uint32_t), "pairs lie as rows of two");

static assay_array failed_array(const char *path, uint64_t count) {
    return (assay_array){path, H5T_STD_U32LE, 2, {count, 2}, ASSAY_LAYOUT_CHUNKED};
}

assay_status assay_failed_write(assay_store *store, const char *path, const assay_row_pair *failed,
                                uint64_t count) {
    const assay_array array = failed_array(path, count);
    return count ? assay_array_write(store, &array, failed) : ASSAY_OK;
}

assay_status assay_failed_read(const assay_store *store, const char *path, assay_row_pair **out,
                               uint64_t *out_count) {
    assay_row_pair *failed = NULL;
    uint64_t dims[2] = {0, 2};
    assay_status status = ASSAY_OK;
    if (assay_store_has(store, path)) status = assay_array_shape(store, path, 2, dims);
    if (status) return status;
    if (dims[1] != 2) return assay_store_wrong(store, path, "rows of two");
    if ((status = assay_allocate(&failed, dims[0], sizeof *failed, "failed pairs"))) return status;
    const assay_array array = failed_array(path, dims[0]);
    if (dims[0]) status = assay_array_read(store, &array, failed);
    if (status) {
        free(failed);
        return status;
    }
    *out = failed;
    *out_count = dims[0];
    return ASSAY_OK;
}

bool assay_failed_sorted(const assay_row_pair *failed, uint64_t count, uint64_t limit) {
    for (uint64_t n = 0; n < count; n++) {
        if (failed[n].i >= failed[n].j || failed[n].j >= limit) return false;
        if (n && (failed[n - 1].i != failed[n].i ? failed[n - 1].i > failed[n].i
                                                 : failed[n - 1].j >= failed[n].j))
            return false;
    }
    return true;
}
