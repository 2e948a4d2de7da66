/* store_array -- arrays, strings and documents of containers, written and read by rows. */
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/json_text.h"
#include "datasets/store.h"

#define CHUNK_BYTES ((uint64_t)1 << 20)
#define STRING_BYTES_MAX ((size_t)1 << 16)
#define DOCUMENT_BYTES_MAX ((size_t)1 << 30)

/* ---- arrays ---- */

static uint64_t row_bytes(const assay_array *array) {
    uint64_t bytes = H5Tget_size(array->type);
    return array->rank == 2 ? bytes * array->dims[1] : bytes;
}

uint64_t assay_array_chunk_rows(const assay_array *array) {
    uint64_t bytes = row_bytes(array);
    uint64_t rows = bytes && bytes < CHUNK_BYTES ? CHUNK_BYTES / bytes : 1;
    if (rows > array->dims[0]) rows = array->dims[0];
    return rows ? rows : 1;
}

static bool is_empty(const assay_array *array) {
    return array->dims[0] == 0 || (array->rank == 2 && array->dims[1] == 0);
}

/* How a new array is kept. An empty one has no chunks to check, and stays contiguous. */
static herr_t set_layout(const assay_array *array, hid_t creation) {
    hsize_t chunk[2] = {assay_array_chunk_rows(array), array->dims[1]};
    if (H5Pset_obj_track_times(creation, 0) < 0) return -1;
    if (is_empty(array)) return 0;
    if (array->layout == ASSAY_LAYOUT_CONTIGUOUS) {
        if (H5Pset_layout(creation, H5D_CONTIGUOUS) < 0) return -1;
        if (H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) < 0) return -1;
        return H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
    }
    if (H5Pset_chunk(creation, array->rank, chunk) < 0) return -1;
    if (array->layout == ASSAY_LAYOUT_DEFLATED && H5Pset_deflate(creation, 1) < 0) return -1;
    return H5Pset_fletcher32(creation);
}

assay_status assay_array_create(assay_store *store, const assay_array *array, hid_t *out_dataset) {
    assay_status status = ASSAY_OK;
    hsize_t dims[2] = {array->dims[0], array->dims[1]};
    hid_t dataset = -1, space = -1, creation = H5Pcreate(H5P_DATASET_CREATE);
    if (creation < 0 || set_layout(array, creation) < 0 ||
        (space = H5Screate_simple(array->rank, dims, NULL)) < 0 ||
        (dataset = H5Dcreate2(store->file, array->path, array->type, space, H5P_DEFAULT, creation,
                              H5P_DEFAULT)) < 0)
        status = assay_store_fault(store, array->path);
    else
        *out_dataset = dataset;
    if (space >= 0) H5Sclose(space);
    if (creation >= 0) H5Pclose(creation);
    return status;
}

/* Selects rows first … first + count - 1 of dataset, and a space in memory that is as large. */
static herr_t select_rows(const assay_array *array, hid_t dataset, uint64_t first, uint64_t count,
                          hid_t *memory, hid_t *file) {
    hsize_t start[2] = {first, 0}, extent[2] = {count, array->dims[1]};
    *memory = H5Screate_simple(array->rank, extent, NULL);
    *file = H5Dget_space(dataset);
    if (*memory < 0 || *file < 0) return -1;
    return H5Sselect_hyperslab(*file, H5S_SELECT_SET, start, NULL, extent, NULL);
}

assay_status assay_array_write_rows(assay_store *store, const assay_array *array, hid_t dataset,
                                    uint64_t first, uint64_t count, const void *rows) {
    assay_status status = ASSAY_OK;
    hid_t memory = -1, file = -1;
    if (select_rows(array, dataset, first, count, &memory, &file) < 0 ||
        H5Dwrite(dataset, array->type, memory, file, H5P_DEFAULT, rows) < 0)
        status = assay_store_fault(store, array->path);
    if (memory >= 0) H5Sclose(memory);
    if (file >= 0) H5Sclose(file);
    return status;
}

assay_status assay_array_finish(assay_store *store, const assay_array *array, hid_t dataset) {
    if (H5Dclose(dataset) < 0) return assay_store_fault(store, array->path);
    return ASSAY_OK;
}

assay_status assay_array_write(assay_store *store, const assay_array *array, const void *data) {
    hid_t dataset = -1;
    assay_status status = assay_array_create(store, array, &dataset);
    if (status) return status;
    if (!is_empty(array)) {
        status = assay_array_write_rows(store, array, dataset, 0, array->dims[0], data);
        if (status) return status; /* left open: see store.h */
    }
    return assay_array_finish(store, array, dataset);
}

/* Whether so many elements can lie in what the file keeps of them: every array is written whole,
 * and deflate makes of a byte no more than 1032. */
static bool is_kept(hid_t dataset, const hsize_t dims[2], int rank) {
    const hsize_t kept = H5Dget_storage_size(dataset);
    hid_t type = H5Dget_type(dataset);
    const size_t size = type < 0 ? 0 : H5Tget_size(type);
    size_t count = dims[0], bytes;
    if (type >= 0) H5Tclose(type);
    if (rank == 2 && !assay_multiply(dims[0], dims[1], &count)) return false;
    return assay_multiply(count, size, &bytes) && bytes / 1032 <= kept && (kept || !bytes);
}

assay_status assay_array_shape(const assay_store *store, const char *path, int rank,
                               uint64_t out_dims[2]) {
    assay_status status = ASSAY_OK;
    hsize_t dims[2] = {0, 0};
    hid_t space = -1, dataset = H5Dopen2(store->file, path, H5P_DEFAULT);
    if (dataset < 0 || (space = H5Dget_space(dataset)) < 0) {
        status = assay_store_fault(store, path);
        goto out;
    }
    if (H5Sis_simple(space) <= 0 || H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, dims, NULL) != rank) {
        status = assay_store_wrong(store, path, rank == 1 ? "one dimension" : "two dimensions");
        goto out;
    }
    if (!is_kept(dataset, dims, rank)) {
        status = assay_store_wrong(store, path, "no more elements than the file keeps");
        goto out;
    }
    out_dims[0] = dims[0];
    out_dims[1] = dims[1];
out:
    if (space >= 0) H5Sclose(space);
    if (dataset >= 0) H5Dclose(dataset);
    return status;
}

/* Whether dataset has type, or an enumeration over it, and its bytes lie in this file; negative
 * where HDF5 cannot tell. */
static htri_t fits(hid_t dataset, hid_t type) {
    hid_t base = -1, found = H5Dget_type(dataset), creation = H5Dget_create_plist(dataset);
    htri_t fit = -1;
    if (found < 0 || creation < 0) goto out;
    const H5D_layout_t layout = H5Pget_layout(creation);
    const H5T_class_t kind = H5Tget_class(found);
    if (layout < 0 || kind == H5T_NO_CLASS) goto out;
    fit = 0;
    if (layout != H5D_CHUNKED && layout != H5D_CONTIGUOUS) goto out;
    if (layout == H5D_CONTIGUOUS) {
        const int external = H5Pget_external_count(creation);
        if (external != 0) fit = external < 0 ? -1 : 0;
        if (external != 0) goto out;
    }
    fit = -1;
    if (kind == H5T_ENUM && (base = H5Tget_super(found)) < 0) goto out;
    fit = H5Tequal(kind == H5T_ENUM ? base : found, type);
out:
    if (base >= 0) H5Tclose(base);
    if (found >= 0) H5Tclose(found);
    if (creation >= 0) H5Pclose(creation);
    return fit;
}

assay_status assay_array_open(const assay_store *store, const assay_array *array,
                              hid_t *out_dataset) {
    uint64_t dims[2];
    assay_status status = assay_array_shape(store, array->path, array->rank, dims);
    if (status) return status;
    if (dims[0] != array->dims[0] || (array->rank == 2 && dims[1] != array->dims[1]))
        return assay_fail(ASSAY_FAILED, "%s: %s has %llu rows of %llu, expected %llu rows of %llu",
                          store->name, array->path, (unsigned long long)dims[0],
                          (unsigned long long)(array->rank == 2 ? dims[1] : 1),
                          (unsigned long long)array->dims[0],
                          (unsigned long long)(array->rank == 2 ? array->dims[1] : 1));
    hid_t dataset = H5Dopen2(store->file, array->path, H5P_DEFAULT);
    if (dataset < 0) return assay_store_fault(store, array->path);
    const htri_t fit = fits(dataset, array->type);
    if (fit <= 0) {
        status = fit < 0 ? assay_store_fault(store, array->path)
                         : assay_store_wrong(store, array->path, "an array of its type");
        H5Dclose(dataset);
        return status;
    }
    *out_dataset = dataset;
    return ASSAY_OK;
}

assay_status assay_array_read_rows(const assay_store *store, const assay_array *array,
                                   hid_t dataset, uint64_t first, uint64_t count, void *out) {
    assay_status status = ASSAY_OK;
    hid_t memory = -1, file = -1, type = H5Dget_type(dataset);
    if (type < 0 || select_rows(array, dataset, first, count, &memory, &file) < 0 ||
        H5Dread(dataset, type, memory, file, H5P_DEFAULT, out) < 0)
        status = assay_store_fault(store, array->path);
    if (type >= 0) H5Tclose(type);
    if (memory >= 0) H5Sclose(memory);
    if (file >= 0) H5Sclose(file);
    return status;
}

assay_status assay_array_read(const assay_store *store, const assay_array *array, void *out) {
    hid_t dataset = -1;
    assay_status status = assay_array_open(store, array, &dataset);
    if (status) return status;
    if (!is_empty(array))
        status = assay_array_read_rows(store, array, dataset, 0, array->dims[0], out);
    H5Dclose(dataset);
    return status;
}

assay_status assay_array_extent(const assay_store *store, const assay_array *array, hid_t dataset,
                                assay_extent *out) {
    uint64_t length = is_empty(array) ? 0 : row_bytes(array) * array->dims[0];
    hid_t creation = H5Dget_create_plist(dataset);
    if (creation < 0) return assay_store_fault(store, array->path);
    H5D_layout_t layout = H5Pget_layout(creation);
    H5Pclose(creation);
    if (layout != H5D_CONTIGUOUS)
        return assay_store_wrong(store, array->path, "one contiguous run");
    haddr_t offset = length ? H5Dget_offset(dataset) : 0;
    if (offset == HADDR_UNDEF || (length && H5Dget_storage_size(dataset) != length))
        return assay_store_wrong(store, array->path, "one contiguous run of all its bytes");
    *out = (assay_extent){.offset = offset, .length = length};
    return ASSAY_OK;
}

/* ---- strings ---- */

/* Length of the character at bytes[0 … count), or 0 where it is not well-formed UTF-8. */
static size_t character_length(const unsigned char *bytes, size_t count) {
    static const struct {
        unsigned char mask, lead;
        unsigned char second_low, second_high; /* of the byte behind a boundary lead */
    } kinds[] = {{0x80, 0x00, 0, 0}, {0xe0, 0xc0, 0, 0}, {0xf0, 0xe0, 0, 0}, {0xf8, 0xf0, 0, 0}};
    for (size_t k = 0; k < 4; k++) {
        if ((bytes[0] & kinds[k].mask) != kinds[k].lead) continue;
        if (k + 1 > count) return 0;
        for (size_t n = 1; n <= k; n++)
            if ((bytes[n] & 0xc0) != 0x80) return 0;
        if (k == 1 && bytes[0] < 0xc2) return 0;                     /* overlong */
        if (k == 2 && bytes[0] == 0xe0 && bytes[1] < 0xa0) return 0; /* overlong */
        if (k == 2 && bytes[0] == 0xed && bytes[1] > 0x9f) return 0; /* surrogate */
        if (k == 3 && bytes[0] == 0xf0 && bytes[1] < 0x90) return 0; /* overlong */
        if (k == 3 && (bytes[0] > 0xf4 || (bytes[0] == 0xf4 && bytes[1] > 0x8f))) return 0;
        return k + 1;
    }
    return 0;
}

bool assay_store_is_text(const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t step = character_length((const unsigned char *)text + at, length - at);
        if (step == 0 || text[at] == '\0') return false;
        at += step;
    }
    return true;
}

static hid_t string_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return -1;
    if (H5Tset_size(type, size ? size : 1) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
        H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

/* Longest of strings; ASSAY_FAILED where one is no text. */
static assay_status longest_string(const assay_store *store, const char *path, char *const *strings,
                                   uint64_t count, size_t *out) {
    size_t longest = 0;
    for (uint64_t n = 0; n < count; n++) {
        size_t length = strings[n] ? strlen(strings[n]) : 0;
        if (length > STRING_BYTES_MAX || (length && !assay_store_is_text(strings[n], length)))
            return assay_fail(
                ASSAY_FAILED,
                "cannot write %s of %s: string %llu is not UTF-8 of at most %zu bytes", path,
                store->name, (unsigned long long)n, STRING_BYTES_MAX);
        if (length > longest) longest = length;
    }
    *out = longest;
    return ASSAY_OK;
}

assay_status assay_strings_write(assay_store *store, const char *path, char *const *strings,
                                 uint64_t count) {
    size_t size = 0;
    char *rows = NULL;
    assay_status status = longest_string(store, path, strings, count, &size);
    if (status) return status;
    if (size == 0) size = 1;
    hid_t dataset = -1, type = string_type(size);
    if (type < 0) return assay_store_fault(store, path);
    assay_array array = {path, type, 1, {count, 0}, ASSAY_LAYOUT_DEFLATED};
    uint64_t step = assay_array_chunk_rows(&array);
    if ((status = assay_array_create(store, &array, &dataset))) goto out;
    if ((status = assay_allocate(&rows, step, size, "strings"))) goto out;
    for (uint64_t first = 0; first < count; first += step) {
        uint64_t here = count - first < step ? count - first : step;
        memset(rows, 0, here * size);
        for (uint64_t n = 0; n < here; n++) {
            const char *text = strings[first + n];
            if (text) memcpy(rows + n * size, text, strlen(text));
        }
        status = assay_array_write_rows(store, &array, dataset, first, here, rows);
        if (status) goto out;
    }
    status = assay_array_finish(store, &array, dataset);
out:
    H5Tclose(type);
    free(rows);
    return status;
}

/* One padded field as a string of its own. */
static assay_status take_string(const assay_store *store, const char *path, const char *field,
                                size_t size, char **out) {
    size_t length = strnlen(field, size);
    for (size_t n = length; n < size; n++)
        if (field[n]) return assay_store_wrong(store, path, "strings padded with NUL");
    if (!assay_store_is_text(field, length)) return assay_store_wrong(store, path, "UTF-8");
    char *text = NULL;
    assay_status status = assay_allocate(&text, length + 1, 1, "a string");
    if (status) return status;
    memcpy(text, field, length);
    *out = text;
    return ASSAY_OK;
}

/* The file's own string type where it is a fixed-length one of at most limit bytes. */
static assay_status open_string_type(const assay_store *store, const char *path, size_t limit,
                                     hid_t *out) {
    assay_status status = ASSAY_OK;
    hid_t type = -1, dataset = H5Dopen2(store->file, path, H5P_DEFAULT);
    if (dataset < 0 || (type = H5Dget_type(dataset)) < 0) {
        status = assay_store_fault(store, path);
        goto out;
    }
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 ||
        H5Tget_strpad(type) != H5T_STR_NULLPAD || H5Tget_cset(type) != H5T_CSET_UTF8 ||
        H5Tget_size(type) == 0 || H5Tget_size(type) > limit) {
        status = assay_store_wrong(store, path, "fixed-length UTF-8 strings padded with NUL");
        goto out;
    }
    *out = type;
    type = -1;
out:
    if (type >= 0) H5Tclose(type);
    if (dataset >= 0) H5Dclose(dataset);
    return status;
}

assay_status assay_strings_read(const assay_store *store, const char *path, uint64_t count,
                                char **out) {
    hid_t dataset = -1, type = -1;
    char *rows = NULL;
    assay_status status = open_string_type(store, path, STRING_BYTES_MAX, &type);
    if (status) return status;
    size_t size = H5Tget_size(type);
    assay_array array = {path, type, 1, {count, 0}, ASSAY_LAYOUT_DEFLATED};
    uint64_t step = assay_array_chunk_rows(&array);
    if ((status = assay_array_open(store, &array, &dataset))) goto out;
    if ((status = assay_allocate(&rows, step, size, "strings"))) goto out;
    for (uint64_t first = 0; first < count; first += step) {
        uint64_t here = count - first < step ? count - first : step;
        status = assay_array_read_rows(store, &array, dataset, first, here, rows);
        if (status) goto out;
        for (uint64_t n = 0; n < here; n++) {
            status = take_string(store, path, rows + n * size, size, &out[first + n]);
            if (status) goto out;
        }
    }
out:
    if (dataset >= 0) H5Dclose(dataset);
    H5Tclose(type);
    free(rows);
    return status;
}

/* ---- documents ---- */

static assay_status is_json_object(const char *path, const char *json, bool *out) {
    json_t *root = NULL;
    assay_status status = assay_json_read(path, json, strlen(json), &root, NULL);
    if (status == ASSAY_OK) *out = json_is_object(root);
    json_decref(root);
    return status;
}

assay_status assay_document_write(assay_store *store, const char *path, const char *json) {
    bool is_object = false;
    assay_status status = json ? is_json_object(path, json, &is_object) : ASSAY_OK;
    if (status) return status;
    if (!is_object)
        return assay_fail(ASSAY_FAILED, "cannot write %s of %s: it is no JSON object", path,
                          store->name);
    hid_t type = string_type(strlen(json)), space = H5Screate(H5S_SCALAR), dataset = -1;
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (type < 0 || space < 0 || creation < 0 || H5Pset_obj_track_times(creation, 0) < 0 ||
        (dataset = H5Dcreate2(store->file, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT)) <
            0 ||
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, json) < 0 || H5Dclose(dataset) < 0)
        status = assay_store_fault(store, path);
    if (creation >= 0) H5Pclose(creation);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return status;
}

assay_status assay_document_read(const assay_store *store, const char *path, char **out) {
    hid_t type = -1, dataset = -1, space = -1;
    char *bytes = NULL;
    assay_status status = open_string_type(store, path, DOCUMENT_BYTES_MAX, &type);
    if (status) return status;
    dataset = H5Dopen2(store->file, path, H5P_DEFAULT);
    if (dataset < 0 || (space = H5Dget_space(dataset)) < 0) {
        status = assay_store_fault(store, path);
        goto out;
    }
    const htri_t fit = fits(dataset, type);
    if (fit < 0) {
        status = assay_store_fault(store, path);
        goto out;
    }
    if (H5Sget_simple_extent_type(space) != H5S_SCALAR || fit == 0) {
        status = assay_store_wrong(store, path, "one string");
        goto out;
    }
    status = assay_allocate(&bytes, H5Tget_size(type) + 1, 1, "a document");
    if (status) goto out;
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0) {
        status = assay_store_fault(store, path);
        goto out;
    }
    bool is_object = false;
    if ((status = is_json_object(path, bytes, &is_object))) goto out;
    if (!is_object) {
        status = assay_store_wrong(store, path, "a JSON object");
        goto out;
    }
    *out = bytes;
    bytes = NULL;
out:
    free(bytes);
    if (space >= 0) H5Sclose(space);
    if (dataset >= 0) H5Dclose(dataset);
    H5Tclose(type);
    return status;
}

assay_status assay_store_enumeration(assay_store *store, hid_t base, char *const *names,
                                     uint64_t count, hid_t *out) {
    hid_t type = H5Tenum_create(base);
    if (type < 0) return assay_store_fault(store, "an enumeration");
    for (uint64_t n = 0; n < count; n++) {
        if (H5Tenum_insert(type, names[n], &n) < 0) { /* little endian: the low bytes are n */
            assay_status status = assay_store_fault(store, names[n]);
            H5Tclose(type);
            return status;
        }
    }
    *out = type;
    return ASSAY_OK;
}
