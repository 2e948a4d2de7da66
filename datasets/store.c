/* store -- files, groups and attributes of containers; arrays are in store_array.c. */
#include "datasets/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"

/* ---- faults ---- */

#define FAULT_SIZE 1024

static herr_t keep_innermost(unsigned n, const H5E_error2_t *error, void *context) {
    if (n == 0 && error->desc) snprintf(context, FAULT_SIZE, "%s", error->desc);
    return 0;
}

/* Where the system said no, its reason says all: HDF5 wraps it in descriptors and addresses. */
assay_status assay_store_fault(const assay_store *store, const char *object) {
    static const char mark[] = "errno = ";
    char said[FAULT_SIZE] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, said);
    const char *at = strstr(said, mark);
    const long number = at ? strtol(at + strlen(mark), NULL, 10) : 0;
    if (number > 0 && number < 4096) {
        errno = (int)number;
        return assay_fail_errno("cannot %s %s of %s", store->verb, object, store->name);
    }
    return assay_fail(ASSAY_FAILED, "cannot %s %s of %s: HDF5: %s", store->verb, object,
                      store->name, said);
}

assay_status assay_store_wrong(const assay_store *store, const char *object, const char *expected) {
    return assay_fail(ASSAY_FAILED, "%s: %s is not what datasets/FORMAT.md says: expected %s",
                      store->name, object, expected);
}

/* ---- files ---- */

/* Quiet, without filter plug-ins, and not closing files at exit. Some of it is per thread, so it is
 * asked for before every file. */
static void prepare_library(void) {
    H5dont_atexit(); /* fails where it was called before, which is as good */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
}

static hid_t access_properties(void) {
    hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
    if (properties < 0) return -1;
    if (H5Pset_libver_bounds(properties, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) < 0 ||
        H5Pset_fclose_degree(properties, H5F_CLOSE_STRONG) < 0) {
        H5Pclose(properties);
        return -1;
    }
    return properties;
}

static assay_status put_root_attributes(assay_store *store, const char *format) {
    assay_status status = assay_store_put_text(store, "/", "format", format);
    if (status) return status;
    status = assay_store_put_u64(store, "/", "format_version_major", ASSAY_STORE_MAJOR);
    if (status) return status;
    status = assay_store_put_u64(store, "/", "format_version_minor", ASSAY_STORE_MINOR);
    if (status) return status;
    return assay_store_put_text(store, "/", "created_by", "assay " ASSAY_VERSION);
}

assay_status assay_store_create(const char *path, const char *format, assay_store *out) {
    assay_status status = ASSAY_OK;
    assay_store store = {.file = -1, .name = path, .verb = "write"};
    hid_t creation = -1, access = -1;
    prepare_library();
    creation = H5Pcreate(H5P_FILE_CREATE);
    access = access_properties();
    if (creation < 0 || access < 0 || H5Pset_obj_track_times(creation, 0) < 0 ||
        H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) < 0 ||
        (store.file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access)) < 0) {
        status = assay_store_fault(&store, "/");
        goto out;
    }
    if ((status = put_root_attributes(&store, format))) goto out;
    *out = store;
out:
    if (creation >= 0) H5Pclose(creation);
    if (access >= 0) H5Pclose(access);
    return status;
}

assay_status assay_store_finish(assay_store *store) {
    hid_t file = store->file;
    store->file = -1;
    if (H5Fclose(file) < 0) return assay_store_fault(store, "the end");
    return ASSAY_OK;
}

static assay_status check_format(const assay_store *store, const char *format) {
    char *found = NULL;
    uint64_t major, minor;
    assay_status status = assay_store_get_text(store, "/", "format", &found);
    if (status) goto out;
    if (strcmp(found, format) != 0) {
        status = assay_fail(ASSAY_FAILED, "%s is of format '%s', expected '%s'", store->name, found,
                            format);
        goto out;
    }
    status = assay_store_get_u64(store, "/", "format_version_major", UINT32_MAX, &major);
    if (status) goto out;
    status = assay_store_get_u64(store, "/", "format_version_minor", UINT32_MAX, &minor);
    if (status) goto out;
    if (major != ASSAY_STORE_MAJOR)
        status = assay_fail(ASSAY_FAILED,
                            "%s is of %s version %llu.%llu, and this program reads version %d: use "
                            "a release of assay that knows it",
                            store->name, format, (unsigned long long)major,
                            (unsigned long long)minor, ASSAY_STORE_MAJOR);
out:
    free(found);
    return status;
}

/* Opens what lies below a seal. */
static assay_status open_sealed(const assay_sealed_file *sealed, const char *format,
                                assay_store *out) {
    assay_status status = ASSAY_OK;
    assay_store store = {.file = -1, .name = assay_sealed_file_name(sealed), .verb = "read"};
    hid_t access = -1;
    prepare_library();
    access = access_properties();
    if (access < 0 ||
        (store.file = H5Fopen(assay_sealed_file_path(sealed), H5F_ACC_RDONLY, access)) < 0) {
        status = assay_store_fault(&store, "/");
        goto out;
    }
    if ((status = check_format(&store, format))) goto out;
    *out = store;
    store.file = -1;
out:
    if (access >= 0) H5Pclose(access);
    assay_store_close(&store);
    return status;
}

/* HDF5 asks for the path behind /proc/self/fd/N, and there is none once the file was replaced; so
 * it is opened again then. */
assay_status assay_store_open(const char *path, const char *format, assay_sealed_file **out_sealed,
                              assay_store *out) {
    assay_status status = ASSAY_OK;
    for (int attempt = 0; attempt < 10; attempt++) {
        assay_sealed_file *sealed = NULL;
        assay_store store = ASSAY_STORE_NONE;
        if ((status = assay_sealed_file_open(path, &sealed))) return status;
        status = open_sealed(sealed, format, &store);
        if (status == ASSAY_OK) {
            *out_sealed = sealed;
            *out = store;
            return ASSAY_OK;
        }
        const bool replaced = assay_sealed_file_replaced(sealed);
        assay_sealed_file_close(sealed);
        if (!replaced) return status;
    }
    return status;
}

void assay_store_close(assay_store *store) {
    if (store->file >= 0) H5Fclose(store->file);
    store->file = -1;
}

/* ---- publishing ---- */

typedef struct {
    assay_store_work *work;
    void *context;
    const char *temporary;
    assay_store_extents *extents; /* shared with the parent */
} child_work;

static assay_status run_in_child(void *context) {
    child_work *job = context;
    return job->work(job->context, job->temporary, job->extents);
}

/* Tells of a folder that cannot be written before any work is done. */
static assay_status check_folder(const char *path) {
    char *directory = NULL;
    assay_status status = assay_path_directory(&directory, path);
    if (status) return status;
    if (access(directory, W_OK | X_OK) != 0)
        status = assay_fail_errno("cannot write %s: folder %s", path, directory);
    free(directory);
    return status;
}

assay_status assay_store_publish(const char *path, const char *what, const char *details_json,
                                 assay_store_work *work, void *context) {
    assay_status status;
    char *temporary = NULL;
    assay_store_extents *extents = MAP_FAILED;
    if ((status = check_folder(path))) goto out;
    if ((status = assay_file_temporary(path, &temporary))) goto out;
    extents =
        mmap(NULL, sizeof *extents, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (extents == MAP_FAILED) {
        status = assay_fail_errno("cannot write %s: no shared memory", path);
        goto out;
    }
    child_work job = {work, context, temporary, extents};
    status = assay_child_run(run_in_child, &job, "writing a container");
    if (status) {
        unlink(temporary);
        status = assay_fail_in(status, "%s was not written", path);
        goto out;
    }
    status = assay_seal_publish(temporary, path, extents->list, extents->count, what, details_json);
out:
    if (extents != MAP_FAILED) munmap(extents, sizeof *extents);
    free(temporary);
    return status;
}

/* ---- groups and attributes ---- */

assay_status assay_store_put_group(assay_store *store, const char *path) {
    assay_status status = ASSAY_OK;
    hid_t group = -1, creation = H5Pcreate(H5P_GROUP_CREATE);
    if (creation < 0 || H5Pset_obj_track_times(creation, 0) < 0 ||
        H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) < 0 ||
        (group = H5Gcreate2(store->file, path, H5P_DEFAULT, creation, H5P_DEFAULT)) < 0 ||
        H5Gclose(group) < 0)
        status = assay_store_fault(store, path);
    if (creation >= 0) H5Pclose(creation);
    return status;
}

/* A scalar attribute of type. */
static assay_status put_scalar(assay_store *store, const char *object, const char *name, hid_t type,
                               const void *value) {
    assay_status status = ASSAY_OK;
    hid_t attribute = -1, space = H5Screate(H5S_SCALAR);
    if (space < 0 ||
        (attribute = H5Acreate_by_name(store->file, object, name, type, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT)) < 0 ||
        H5Awrite(attribute, type, value) < 0 || H5Aclose(attribute) < 0)
        status = assay_store_fault(store, name);
    if (space >= 0) H5Sclose(space);
    return status;
}

static hid_t text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return -1;
    if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

assay_status assay_store_put_text(assay_store *store, const char *object, const char *name,
                                  const char *value) {
    hid_t type = text_type();
    if (type < 0) return assay_store_fault(store, name);
    assay_status status = put_scalar(store, object, name, type, &value);
    H5Tclose(type);
    return status;
}

assay_status assay_store_put_digest(assay_store *store, const char *object, const char *name,
                                    const assay_digest *value) {
    char hex[ASSAY_DIGEST_HEX];
    return assay_store_put_text(store, object, name, assay_digest_hex(hex, value));
}

assay_status assay_store_put_u64(assay_store *store, const char *object, const char *name,
                                 uint64_t value) {
    return put_scalar(store, object, name, H5T_STD_U64LE, &value);
}

assay_status assay_store_put_i64(assay_store *store, const char *object, const char *name,
                                 int64_t value) {
    return put_scalar(store, object, name, H5T_STD_I64LE, &value);
}

assay_status assay_store_put_f64(assay_store *store, const char *object, const char *name,
                                 double value) {
    return put_scalar(store, object, name, H5T_IEEE_F64LE, &value);
}

bool assay_store_has(const assay_store *store, const char *path) {
    return H5Lexists(store->file, path, H5P_DEFAULT) > 0;
}

bool assay_store_has_attribute(const assay_store *store, const char *object, const char *name) {
    return H5Aexists_by_name(store->file, object, name, H5P_DEFAULT) > 0;
}

/* Opens a scalar attribute and checks its type. */
static assay_status open_scalar(const assay_store *store, const char *object, const char *name,
                                hid_t type, hid_t *out) {
    assay_status status = ASSAY_OK;
    hid_t found = -1, space = -1;
    hid_t attribute = H5Aopen_by_name(store->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) {
        status = assay_store_fault(store, name);
        goto out;
    }
    found = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    if (found < 0 || space < 0) {
        status = assay_store_fault(store, name);
        goto out;
    }
    if (H5Sget_simple_extent_type(space) != H5S_SCALAR || H5Tequal(found, type) <= 0) {
        status = assay_store_wrong(store, name, "a scalar attribute of its type");
        goto out;
    }
    *out = attribute;
    attribute = -1;
out:
    if (space >= 0) H5Sclose(space);
    if (found >= 0) H5Tclose(found);
    if (attribute >= 0) H5Aclose(attribute);
    return status;
}

static assay_status get_scalar(const assay_store *store, const char *object, const char *name,
                               hid_t type, void *out) {
    hid_t attribute = -1;
    assay_status status = open_scalar(store, object, name, type, &attribute);
    if (status) return status;
    if (H5Aread(attribute, type, out) < 0) status = assay_store_fault(store, name);
    H5Aclose(attribute);
    return status;
}

assay_status assay_store_get_text(const assay_store *store, const char *object, const char *name,
                                  char **out) {
    hid_t type = text_type();
    if (type < 0) return assay_store_fault(store, name);
    char *text = NULL;
    assay_status status = get_scalar(store, object, name, type, &text);
    if (status == ASSAY_OK) status = assay_copy_string(out, text ? text : "");
    if (text) H5free_memory(text);
    H5Tclose(type);
    return status;
}

assay_status assay_store_get_digest(const assay_store *store, const char *object, const char *name,
                                    assay_digest *out) {
    char *hex = NULL;
    assay_status status = assay_store_get_text(store, object, name, &hex);
    if (status) return status;
    if (!assay_digest_parse(hex, out))
        status = assay_store_wrong(store, name, "64 hexadecimal digits");
    free(hex);
    return status;
}

assay_status assay_store_get_u64(const assay_store *store, const char *object, const char *name,
                                 uint64_t limit, uint64_t *out) {
    uint64_t value = 0;
    assay_status status = get_scalar(store, object, name, H5T_STD_U64LE, &value);
    if (status) return status;
    if (value > limit) return assay_store_wrong(store, name, "a smaller number");
    *out = value;
    return ASSAY_OK;
}

assay_status assay_store_get_i64(const assay_store *store, const char *object, const char *name,
                                 int64_t *out) {
    return get_scalar(store, object, name, H5T_STD_I64LE, out);
}

assay_status assay_store_get_f64(const assay_store *store, const char *object, const char *name,
                                 double *out) {
    return get_scalar(store, object, name, H5T_IEEE_F64LE, out);
}
