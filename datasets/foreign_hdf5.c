/* foreign_hdf5 -- reading HDF5 that nobody trusts, in a confined child (foreign_hdf5.h).
 *
 * The file is read into memory here and opened there as an image, by a driver that touches no file.
 * Values come back through memory that both share. */
#include "datasets/foreign_hdf5.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <hdf5.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/foreign_hdf5_private.h"

#define FILE_BYTES_MOST ((size_t)8 << 30)
#define ROOM_MOST ((uint64_t)64 << 30)
#define CHILD_CPU_SECONDS 120
#define OVERHEAD ((uint64_t)16 << 30) /* address space of the program itself, threads and all */

typedef struct {
    const char *path, *object;
    bool texts; /* ids are wanted, not numbers */
    char *bytes;
    size_t length;
    foreign_head *shared;
} foreign_job;

static assay_status refuse(const foreign_job *job, const char *what) {
    return assay_fail(ASSAY_USAGE, "%s, data set %s: %s", job->path,
                      job->object ? job->object : "of the root group", what);
}

static hid_t open_image(const foreign_job *job) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    if (access >= 0 && H5Pset_fapl_core(access, 65536, 0) >= 0 &&
        H5Pset_file_image(access, job->bytes, job->length) >= 0)
        file = H5Fopen("image", H5F_ACC_RDONLY, access);
    if (access >= 0) H5Pclose(access);
    return file;
}

/* Name of the only data set of the root group; false where there is not one. */
static bool find_only(hid_t file, char *out, size_t size) {
    H5G_info_t about;
    unsigned found = 0;
    if (H5Gget_info(file, &about) < 0) return false;
    for (hsize_t n = 0; n < about.nlinks && n < 1000; n++) {
        H5L_info_t link;
        H5O_info_t object;
        char name[256];
        if (H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, n, name, sizeof name,
                               H5P_DEFAULT) < 0 ||
            H5Lget_info(file, name, &link, H5P_DEFAULT) < 0)
            return false;
        if (link.type != H5L_TYPE_HARD ||
            H5Oget_info_by_name(file, name, &object, H5P_DEFAULT) < 0 ||
            object.type != H5O_TYPE_DATASET)
            continue;
        if (found++ == 0) snprintf(out, size, "%s", name);
    }
    return found == 1;
}

/* Every part of the way must be a hard link: others lead out of the file, or round in it. */
static assay_status check_way(const foreign_job *job, hid_t file, const char *object) {
    char way[1024] = "";
    for (const char *at = object; *at;) {
        H5L_info_t link;
        size_t part;
        while (*at == '/') at++;
        if (!*at) break;
        part = strcspn(at, "/");
        if (strlen(way) + part + 2 > sizeof way) return refuse(job, "its path is too long");
        strcat(way, "/");
        strncat(way, at, part);
        if (H5Lget_info(file, way, &link, H5P_DEFAULT) < 0) return refuse(job, "is not there");
        if (link.type != H5L_TYPE_HARD)
            return refuse(job, "lies behind a soft or external link, which is not followed");
        at += part;
    }
    return ASSAY_OK;
}

static assay_status check_storage(const foreign_job *job, hid_t dataset) {
    hid_t creation = H5Dget_create_plist(dataset);
    assay_status status = ASSAY_OK;
    if (creation < 0) return refuse(job, "HDF5 cannot read how it is stored");
    int filters = H5Pget_nfilters(creation);
    H5D_layout_t layout = H5Pget_layout(creation);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        status = refuse(job, "it is virtual: its values lie in other files");
    else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation) != 0)
        status = refuse(job, "its values lie in other files (external storage)");
    for (int n = 0; status == ASSAY_OK && n < filters; n++) {
        unsigned flags = 0;
        size_t elements = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(creation, (unsigned)n, &flags, &elements, NULL, 0, NULL, NULL);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            status = refuse(job, "it has a filter other than deflate, shuffle and fletcher32");
    }
    H5Pclose(creation);
    return status;
}

/* The type of values as ours, and the type to read them as. */
static bool find_type(hid_t type, assay_number_type *out, hid_t *out_memory) {
    const struct {
        hid_t little, big, memory;
        assay_number_type type;
    } known[] = {
        {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, ASSAY_NUMBER_FLOAT32},
        {H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, ASSAY_NUMBER_FLOAT64},
        {H5T_STD_I8LE, H5T_STD_I8BE, H5T_NATIVE_INT8, ASSAY_NUMBER_INT8},
        {H5T_STD_U8LE, H5T_STD_U8BE, H5T_NATIVE_UINT8, ASSAY_NUMBER_UINT8},
    };
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (H5Tequal(type, known[n].little) > 0 || H5Tequal(type, known[n].big) > 0) {
            *out = known[n].type;
            *out_memory = known[n].memory;
            return true;
        }
    size_t sign, exponent, exponent_size, mantissa, mantissa_size;
    if (H5Tget_class(type) != H5T_FLOAT || H5Tget_size(type) != 2 ||
        H5Tget_fields(type, &sign, &exponent, &exponent_size, &mantissa, &mantissa_size) < 0 ||
        sign != 15 || exponent != 10 || exponent_size != 5 || mantissa_size != 10 ||
        H5Tget_ebias(type) != 15 || H5Tget_order(type) != H5T_ORDER_LE)
        return false;
    *out = ASSAY_NUMBER_FLOAT16;
    *out_memory = type; /* its bits, as they lie */
    return true;
}

static assay_status read_dataset(const foreign_job *job, hid_t dataset) {
    foreign_head *head = job->shared;
    hsize_t dims[2] = {0, 1};
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), memory = -1;
    size_t values, bytes;
    assay_status status = check_storage(job, dataset);
    if (status != ASSAY_OK) goto out;
    head->rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (type < 0 || !find_type(type, &head->type, &memory)) {
        status = refuse(job, "is not of float16, float32, float64, int8 or uint8");
    } else if (head->rank < 1 || head->rank > 2 ||
               H5Sget_simple_extent_dims(space, dims, NULL) < 0 || !dims[0] || !dims[1]) {
        status = refuse(job, "expected one or two dimensions, each at least 1");
    } else if (!assay_multiply(dims[0], dims[1], &values) ||
               !assay_multiply(values, assay_number_type_size(head->type), &bytes) ||
               bytes > head->room) {
        status = refuse(job, "is larger than memory");
    } else if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       (char *)head + FOREIGN_HEAD_BYTES) < 0) {
        status = refuse(job, "HDF5 cannot read its values: the file is damaged");
    }
    head->rows = dims[0];
    head->columns = dims[1];
out:
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return status;
}

/* ---- ids ---- */

/* One more text behind those that are there. */
static assay_status put_text(const foreign_job *job, const char *text, size_t length) {
    foreign_head *head = job->shared;
    if (length >= head->room || head->used > head->room - length - 1)
        return refuse(job, "is larger than memory");
    char *to = (char *)head + FOREIGN_HEAD_BYTES + head->used;
    memcpy(to, text, length);
    to[length] = '\0';
    head->used += length + 1;
    head->rows++;
    return ASSAY_OK;
}

static assay_status put_integers(const foreign_job *job, hid_t dataset, hid_t type, size_t count) {
    const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    uint64_t *values = NULL;
    char text[32];
    assay_status status = assay_allocate(&values, count, sizeof *values, "ids");
    if (status == ASSAY_OK && H5Dread(dataset, is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64,
                                      H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = refuse(job, "HDF5 cannot read its values: the file is damaged");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        const int length = is_signed ? snprintf(text, sizeof text, "%" PRId64, (int64_t)values[n])
                                     : snprintf(text, sizeof text, "%" PRIu64, values[n]);
        status = put_text(job, text, (size_t)length);
    }
    free(values);
    return status;
}

static assay_status put_fixed(const foreign_job *job, hid_t dataset, hid_t type, size_t count) {
    const size_t size = H5Tget_size(type);
    const bool blanks = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    char *values = NULL;
    assay_status status = assay_allocate(&values, count, size, "ids");
    if (status == ASSAY_OK && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = refuse(job, "HDF5 cannot read its values: the file is damaged");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        const char *value = values + n * size;
        size_t length = strnlen(value, size);
        while (blanks && length > 0 && value[length - 1] == ' ') length--;
        status = put_text(job, value, length);
    }
    free(values);
    return status;
}

static assay_status put_variable(const foreign_job *job, hid_t dataset, hid_t type, size_t count) {
    char **values = NULL;
    assay_status status = assay_allocate(&values, count, sizeof *values, "ids");
    if (status == ASSAY_OK && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = refuse(job, "HDF5 cannot read its values: the file is damaged");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++)
        status = put_text(job, values[n] == NULL ? "" : values[n],
                          values[n] == NULL ? 0 : strlen(values[n]));
    free(values); /* the texts end with the child */
    return status;
}

static assay_status read_texts(const foreign_job *job, hid_t dataset) {
    hsize_t count = 0;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    assay_status status = check_storage(job, dataset);
    if (status != ASSAY_OK) goto out;
    if (space < 0 || H5Sget_simple_extent_ndims(space) != 1 ||
        H5Sget_simple_extent_dims(space, &count, NULL) < 0 || count == 0 ||
        count > job->shared->room) {
        status = refuse(job, "expected ids in one dimension of at least 1");
    } else if (class == H5T_INTEGER && H5Tget_size(type) <= 8) {
        status = put_integers(job, dataset, type, (size_t)count);
    } else if (class == H5T_STRING) {
        status = H5Tis_variable_str(type) > 0 ? put_variable(job, dataset, type, (size_t)count)
                                              : put_fixed(job, dataset, type, (size_t)count);
    } else {
        status = refuse(job, "is of another type, expected ids: texts or whole numbers");
    }
out:
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return status;
}

/* In the child. */
static assay_status read_image(void *context) {
    const foreign_job *job = context;
    char only[256];
    const char *object = job->object;
    assay_status status = assay_confine(job->shared->room + job->length * 2 + OVERHEAD,
                                        CHILD_CPU_SECONDS, NULL, 0, NULL);
    if (status != ASSAY_OK) return status;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    hid_t file = open_image(job);
    if (file < 0)
        return assay_fail(ASSAY_USAGE, "%s is no HDF5 file that can be opened", job->path);
    if (!object) {
        if (!find_only(file, only, sizeof only))
            return assay_fail(ASSAY_USAGE,
                              "%s does not hold exactly one data set in its root group: name the "
                              "one that is meant, as %s:/PATH",
                              job->path, job->path);
        object = only;
    }
    status = check_way(job, file, object);
    if (status != ASSAY_OK) return status;
    hid_t dataset = H5Dopen2(file, object, H5P_DEFAULT);
    if (dataset < 0) return refuse(job, "is no data set");
    return job->texts ? read_texts(job, dataset) : read_dataset(job, dataset);
}

assay_status foreign_hdf5_take_array(const foreign_head *head, assay_number_array *out) {
    size_t values, bytes;
    const bool known = head->type < ASSAY_NUMBER_TYPE_COUNT && head->rows && head->columns &&
                       (head->rank == 2 || (head->rank == 1 && head->columns == 1));
    if (!known || !assay_multiply(head->rows, head->columns, &values) ||
        !assay_multiply(values, assay_number_type_size(head->type), &bytes) || bytes > head->room)
        return assay_fail(ASSAY_FAILED, "the reader of HDF5 gave back sizes that cannot be");
    assay_number_array made = {head->type, head->rank, head->rows, head->columns, NULL};
    assay_status status = assay_allocate(&made.values, bytes, 1, "the values of a data set");
    if (status != ASSAY_OK) return status;
    memcpy(made.values, (const char *)head + FOREIGN_HEAD_BYTES, bytes);
    *out = made;
    return ASSAY_OK;
}

assay_status foreign_hdf5_take_texts(const foreign_head *head, assay_text_list *out) {
    const char *at = (const char *)head + FOREIGN_HEAD_BYTES;
    assay_text_list list = {0};
    assay_status status = ASSAY_OK;
    uint64_t left = head->used;
    if (left <= head->room) {
        for (uint64_t n = 0; status == ASSAY_OK && n < head->rows; n++) {
            const size_t length = strnlen(at, left);
            if (length == left) break;
            status = assay_text_list_add(&list, at, length);
            at += length + 1;
            left -= length + 1;
        }
    }
    if (status == ASSAY_OK && (list.count == 0 || list.count != head->rows || left != 0))
        status = assay_fail(ASSAY_FAILED, "the reader of HDF5 gave back sizes that cannot be");
    if (status == ASSAY_OK)
        *out = list;
    else
        assay_text_list_free(&list);
    return status;
}

/* Exactly one of numbers and texts is wanted. */
static assay_status read_foreign(const char *path, const char *object, assay_number_array *numbers,
                                 assay_text_list *texts) {
    foreign_job job = {.path = path, .object = object, .texts = texts != NULL};
    uint64_t room = assay_memory_available() / 2;
    if (room > ROOM_MOST) room = ROOM_MOST;
    assay_status status = assay_file_read(path, FILE_BYTES_MOST, &job.bytes, &job.length);
    if (status != ASSAY_OK) return status;
    void *shared = mmap(NULL, FOREIGN_HEAD_BYTES + room, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED) {
        free(job.bytes);
        return assay_fail_errno("cannot get memory for the values of %s", path);
    }
    job.shared = shared;
    job.shared->room = room;
    status = assay_child_run(read_image, &job, "the reader of HDF5");
    job.shared->room = room; /* whatever the child made of it */
    if (status != ASSAY_OK)
        status = assay_fail_in(status, "reading %s", path);
    else
        status = numbers ? foreign_hdf5_take_array(job.shared, numbers)
                         : foreign_hdf5_take_texts(job.shared, texts);
    munmap(shared, FOREIGN_HEAD_BYTES + room);
    free(job.bytes);
    return status;
}

assay_status assay_foreign_hdf5_read(const char *path, const char *object,
                                     assay_number_array *out) {
    return read_foreign(path, object, out, NULL);
}

assay_status assay_foreign_hdf5_texts(const char *path, const char *object, assay_text_list *out) {
    return read_foreign(path, object, NULL, out);
}
