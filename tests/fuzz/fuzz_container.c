/* fuzz_container -- the opening of every kind of container, where the file is HDF5 and sealed, and
 * what it holds was changed by somebody who knows how.
 *
 * Bytes that were changed by accident never reach HDF5, since the seal is asked first. What remains
 * is our own reading of attributes and arrays that HDF5 gives as they are: other values, types,
 * shapes, or none. So an input is a list of edits (kind of container, then three bytes and what
 * they take each), which are made through HDF5's own interface; the file is sealed anew, and read
 * to its end. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <hdf5.h>

#include "datasets/seal.h"
#include "tests/fixtures_kinds.h"
#include "tests/fuzz/fuzz_support.h"

enum { OBJECTS_MOST = 128, EDITS_MOST = 12, BYTES_MOST = 1 << 20 };

typedef struct {
    char object[64], attribute[64]; /* attribute "": the data set itself */
} place;

static struct {
    uint8_t *bytes;
    size_t size;
    assay_seal seal;
    place places[OBJECTS_MOST];
    size_t place_count;
} bases[KIND_COUNT];
static const char *folder;
static char path[300];

/* ---- once ---- */

static void add_place(size_t kind, const char *object, const char *attribute) {
    if (bases[kind].place_count == OBJECTS_MOST) return;
    place *at = &bases[kind].places[bases[kind].place_count++];
    snprintf(at->object, sizeof at->object, "%s", object);
    snprintf(at->attribute, sizeof at->attribute, "%s", attribute);
}

typedef struct {
    size_t kind;
    const char *object;
} visited;

static herr_t see_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    const visited *at = context;
    (void)object, (void)info;
    add_place(at->kind, at->object, name);
    return 0;
}

static herr_t see_object(hid_t file, const char *name, const H5O_info_t *info, void *context) {
    visited at = {*(const size_t *)context, name};
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    if (info->type == H5O_TYPE_DATASET) add_place(at.kind, name, "");
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, see_attribute, &at);
    H5Oclose(object);
    return 0;
}

static void prepare(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    folder = fuzz_folder();
    snprintf(path, sizeof path, "%s/c.h5", folder);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        if (fixture_kinds[kind].write(path) != ASSAY_OK) abort();
        if (assay_seal_read(path, &bases[kind].seal) != ASSAY_OK) abort();
        bases[kind].bytes = fixture_bytes(path, &bases[kind].size);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, see_object, &kind);
        H5Fclose(file);
    }
}

/* ---- edits ---- */

typedef struct {
    const uint8_t *data;
    size_t left;
} input;

static uint8_t take(input *in) {
    if (!in->left) return 0;
    in->left--;
    return *in->data++;
}

/* Some bytes of the value at random places become others. */
static void change_bytes(input *in, uint8_t *bytes, size_t size) {
    for (unsigned count = 1 + take(in) % 8; size && count; count--) {
        const size_t at = ((size_t)take(in) << 8 | take(in)) % size;
        bytes[at] = take(in);
    }
}

static void edit_attribute(input *in, hid_t object, const char *name) {
    uint8_t value[4096] = {0};
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const size_t size = H5Tget_size(type) * (size_t)H5Sget_simple_extent_npoints(space);
    const bool varies = H5Tis_variable_str(type) > 0;
    if (!varies && size && size <= sizeof value && H5Aread(attribute, type, value) >= 0) {
        change_bytes(in, value, size);
        H5Awrite(attribute, type, value);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}

/* An attribute of the same name and of another type or shape. */
static void replace_attribute(input *in, hid_t object, const char *name) {
    static const uint8_t zeros[512];
    const uint8_t how = take(in);
    hsize_t count = 1 + how / 8 % 4;
    hid_t type = H5Tcopy(how % 4 == 0   ? H5T_STD_U8LE
                         : how % 4 == 1 ? H5T_IEEE_F64LE
                         : how % 4 == 2 ? H5T_STD_I64LE
                                        : H5T_C_S1);
    if (how % 4 == 3) H5Tset_size(type, 1 + how / 32);
    hid_t space = H5Screate_simple(1, &count, NULL);
    H5Adelete(object, name);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) H5Awrite(attribute, type, zeros);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static void edit_array(input *in, hid_t file, const char *name) {
    hid_t array = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(array);
    hid_t space = H5Dget_space(array);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    const size_t size = points > 0 ? H5Tget_size(type) * (size_t)points : 0;
    uint8_t *value = size && size <= BYTES_MOST ? malloc(size) : NULL;
    if (value && H5Tis_variable_str(type) <= 0 &&
        H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0) {
        change_bytes(in, value, size);
        H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);
    }
    free(value);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(array);
}

/* An array of the same name and of another type or shape. */
static void replace_array(input *in, hid_t file, const char *name) {
    const uint8_t how = take(in);
    hsize_t dims[2] = {take(in), 1 + how / 16};
    hid_t space = H5Screate_simple(1 + how / 4 % 2, dims, NULL);
    hid_t type = how % 4 == 0   ? H5T_STD_U8LE
                 : how % 4 == 1 ? H5T_STD_U32LE
                 : how % 4 == 2 ? H5T_STD_U64LE
                                : H5T_IEEE_F32LE;
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t array = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(array);
    H5Sclose(space);
}

static void edit(input *in, hid_t file, const place *at) {
    const uint8_t what = take(in) % 8;
    const bool is_array = at->attribute[0] == '\0';
    if (what == 0 && is_array) {
        H5Ldelete(file, at->object, H5P_DEFAULT);
    } else if (what == 1 && is_array) {
        replace_array(in, file, at->object);
    } else if (is_array) {
        edit_array(in, file, at->object);
    } else {
        hid_t object = H5Oopen(file, at->object, H5P_DEFAULT);
        if (what == 0)
            H5Adelete(object, at->attribute);
        else if (what == 1)
            replace_attribute(in, object, at->attribute);
        else
            edit_attribute(in, object, at->attribute);
        H5Oclose(object);
    }
}

/* The seal of the file as it is now. Extents stay what they were where the file still holds them.
 */
static void seal_again(size_t kind, bool extents) {
    assay_seal seal = {0};
    char *json = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const assay_seal *was = &bases[kind].seal;
    if (fd < 0) abort();
    if (assay_seal_make(fd, path, was->what, was->extents, extents ? was->extent_count : 0,
                        &seal) != ASSAY_OK ||
        assay_seal_to_json(&seal, "c.h5", &json) != ASSAY_OK)
        abort();
    fuzz_put(folder, "c.h5.seal", (const uint8_t *)json, strlen(json));
    assay_seal_free(&seal);
    free(json);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    assay_digest digest;
    char *text = NULL;
    if (!folder) prepare();
    const uint8_t first = take(&in);
    const size_t kind = first % KIND_COUNT;
    fuzz_put(folder, "c.h5", bases[kind].bytes, bases[kind].size);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    for (unsigned n = 0; n < EDITS_MOST && in.left; n++)
        edit(&in, file, &bases[kind].places[take(&in) % bases[kind].place_count]);
    H5Fclose(file);
    struct stat about;
    const bool whole = stat(path, &about) == 0 && (size_t)about.st_size >= bases[kind].size;
    seal_again(kind, whole && first / KIND_COUNT % 8 != 7);
    const bool read = fixture_kind_digest(&fixture_kinds[kind], path, &digest) == ASSAY_OK;
    if (!read && !strstr(assay_error_text(), "c.h5")) {
        fprintf(stderr, "does not name the file: %s\n", assay_error_text());
        abort();
    }
    if (first >= 128 && assay_container_describe(path, &text) == ASSAY_OK) free(text);
    return 0;
}
