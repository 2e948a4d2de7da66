/* npz -- one array out of numpy's .npz (npz.h), through libzip. */
#include "datasets/npz.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <zip.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define ENDING ".npy"
#define ENDING_BYTES 4
#define MEMBERS_MOST 4096
#define DEFLATE_MOST 1032 /* bytes that deflate can make of one */

typedef struct {
    const char *file;
    zip_t *zip;
    zip_uint64_t count;
    const char **names; /* [count] without the ending; borrowed from zip but for the copies */
    char **copies;
} archive;

static void archive_close(archive *of) {
    for (zip_uint64_t n = 0; of->copies != NULL && n < of->count; n++) free(of->copies[n]);
    free(of->copies);
    free(of->names);
    if (of->zip != NULL) zip_discard(of->zip);
}

static assay_status refuse(const archive *of, zip_error_t *error) {
    const assay_status status = assay_fail(ASSAY_USAGE, "%s is no .npz file that can be read: %s",
                                           of->file, zip_error_strerror(error));
    zip_error_fini(error);
    return status;
}

static assay_status archive_open(archive *of, const void *bytes, size_t size) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &error);
    if (source == NULL) return refuse(of, &error);
    /* What it says in front of its members and behind them must agree; each name is there once. */
    of->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (of->zip == NULL) {
        zip_source_free(source);
        return refuse(of, &error);
    }
    zip_error_fini(&error);
    const zip_int64_t count = zip_get_num_entries(of->zip, 0);
    if (count < 1 || count > MEMBERS_MOST)
        return assay_fail(ASSAY_USAGE, "%s holds %" PRId64 " arrays, expected 1 to %d", of->file,
                          (int64_t)count, MEMBERS_MOST);
    of->count = (zip_uint64_t)count;
    return ASSAY_OK;
}

/* A member's name without its ending; names lead nowhere: no folders, no tricks of writing. */
static assay_status take_name(archive *of, zip_uint64_t index) {
    char shown[160];
    const char *name = zip_get_name(of->zip, index, ZIP_FL_ENC_GUESS);
    const size_t length = name == NULL ? 0 : strlen(name);
    const size_t stem = length > ENDING_BYTES ? length - ENDING_BYTES : 0;
    if (stem == 0 || strcmp(name + stem, ENDING) != 0 || strcspn(name, "/\\") != length ||
        assay_name_fault(name, stem) != NULL)
        return assay_fail(
            ASSAY_USAGE, "%s has a member '%s', expected arrays as NAME.npy, each without a folder",
            of->file, assay_printable(shown, sizeof shown, name == NULL ? "" : name));
    assay_status status = assay_copy_string(&of->copies[index], name);
    if (status != ASSAY_OK) return status;
    of->copies[index][stem] = '\0';
    of->names[index] = of->copies[index];
    return ASSAY_OK;
}

static assay_status take_names(archive *of) {
    assay_status status = assay_allocate(&of->names, of->count, sizeof *of->names, "arrays");
    if (status == ASSAY_OK)
        status = assay_allocate(&of->copies, of->count, sizeof *of->copies, "arrays");
    for (zip_uint64_t n = 0; status == ASSAY_OK && n < of->count; n++) status = take_name(of, n);
    return status;
}

static assay_status find(const archive *of, const char *name, zip_uint64_t *out) {
    char hint[1024], shown[160];
    if (name == NULL && of->count == 1) {
        *out = 0;
        return ASSAY_OK;
    }
    for (zip_uint64_t n = 0; name != NULL && n < of->count; n++)
        if (strcmp(of->names[n], name) == 0) {
            *out = n;
            return ASSAY_OK;
        }
    assay_suggest(hint, sizeof hint, name == NULL ? "" : name, of->names, of->count);
    if (name == NULL)
        return assay_fail(ASSAY_USAGE,
                          "%s holds %" PRIu64 " arrays: name the one that is meant, as %s:NAME. %s",
                          of->file, (uint64_t)of->count, of->file, hint);
    return assay_fail(ASSAY_USAGE, "%s holds no array '%s'; %s", of->file,
                      assay_printable(shown, sizeof shown, name), hint);
}

/* What the archive says of a member, judged before anything is unpacked. */
static assay_status check_member(const archive *of, zip_uint64_t index, size_t cap,
                                 size_t *out_size) {
    const zip_uint64_t wanted =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    const char *name = of->names[index];
    zip_stat_t about;
    if (zip_stat_index(of->zip, index, 0, &about) != 0 || (about.valid & wanted) != wanted)
        return assay_fail(ASSAY_USAGE, "%s:%s: the archive does not say how it is packed", of->file,
                          name);
    if (about.encryption_method != ZIP_EM_NONE)
        return assay_fail(ASSAY_USAGE, "%s:%s is encrypted", of->file, name);
    if (about.comp_method != ZIP_CM_STORE && about.comp_method != ZIP_CM_DEFLATE)
        return assay_fail(ASSAY_USAGE,
                          "%s:%s is packed by method %u, expected stored or deflated as numpy does",
                          of->file, name, about.comp_method);
    if (about.size > cap)
        return assay_fail(ASSAY_USAGE,
                          "%s:%s says it has %" PRIu64 " bytes when unpacked, expected at most %zu "
                          "(half of the memory that is left)",
                          of->file, name, (uint64_t)about.size, cap);
    if (about.size / DEFLATE_MOST > about.comp_size)
        return assay_fail(ASSAY_USAGE,
                          "%s:%s says that %" PRIu64 " bytes unpack to %" PRIu64
                          ", which deflate cannot do",
                          of->file, name, (uint64_t)about.comp_size, (uint64_t)about.size);
    *out_size = (size_t)about.size;
    return ASSAY_OK;
}

static assay_status unpack(const archive *of, zip_uint64_t index, size_t size, char **out) {
    char *bytes = NULL, behind;
    size_t done = 0;
    zip_int64_t got = 0;
    zip_file_t *member = zip_fopen_index(of->zip, index, 0);
    if (member == NULL)
        return assay_fail(ASSAY_USAGE, "%s:%s cannot be unpacked: %s", of->file, of->names[index],
                          zip_strerror(of->zip));
    assay_status status = assay_allocate(&bytes, size + 1, 1, "an array of a .npz file");
    while (status == ASSAY_OK && done < size) {
        got = zip_fread(member, bytes + done, size - done);
        if (got <= 0) break;
        done += (size_t)got;
    }
    /* The CRC is checked where the end is met. */
    if (status == ASSAY_OK && got >= 0 && done == size) got = zip_fread(member, &behind, 1);
    if (status == ASSAY_OK && (got != 0 || done != size))
        status = assay_fail(ASSAY_USAGE, "%s:%s cannot be unpacked: %s", of->file, of->names[index],
                            got < 0 ? zip_file_strerror(member)
                                    : "it is not of the size that the archive says");
    zip_fclose(member);
    if (status == ASSAY_OK)
        *out = bytes;
    else
        free(bytes);
    return status;
}

assay_status assay_npz_member(const char *file, const void *bytes, size_t size, const char *name,
                              size_t cap, char **out_bytes, size_t *out_size) {
    archive of = {.file = file};
    zip_uint64_t index = 0;
    size_t unpacked = 0;
    assay_status status = archive_open(&of, bytes, size);
    if (status == ASSAY_OK) status = take_names(&of);
    if (status == ASSAY_OK) status = find(&of, name, &index);
    if (status == ASSAY_OK) status = check_member(&of, index, cap, &unpacked);
    if (status == ASSAY_OK) status = unpack(&of, index, unpacked, out_bytes);
    if (status == ASSAY_OK) *out_size = unpacked;
    archive_close(&of);
    return status;
}
