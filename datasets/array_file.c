/* array_file -- an array in a file of any form that others write (array_file.h). */
#include "datasets/array_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/foreign_hdf5.h"
#include "datasets/npy.h"
#include "datasets/npz.h"

#define FILE_BYTES_MOST ((size_t)64 << 30)

/* ---- sources ---- */

/* Where the array's name begins behind FILE of "FILE:NAME", or NULL where source is a file's name.
 */
static const char *find_name(const char *source) {
    const char *colon = strrchr(source, ':');
    if (colon == NULL || colon == source || colon[1] == '\0' || assay_file_exists(source))
        return NULL;
    if (colon[1] == '/') return colon + 1;
    char *file = strndup(source, (size_t)(colon - source));
    const bool there = file != NULL && assay_file_exists(file);
    free(file);
    return there ? colon + 1 : NULL;
}

assay_status assay_array_file_path(const char *source, char **out) {
    const char *name = find_name(source);
    assay_status status = assay_copy_string(out, source);
    if (status == ASSAY_OK && name != NULL) (*out)[name - source - 1] = '\0';
    return status;
}

assay_status assay_array_file_source(const char *file, const char *name, char **out) {
    assay_text text = {0};
    char shown[160];
    if (name != NULL && (name[0] == '\0' || strchr(name, ':') != NULL))
        return assay_fail(ASSAY_USAGE, "'%s' is no name of an array: expected one without ':'",
                          assay_printable(shown, sizeof shown, name));
    assay_text_append(&text, file);
    if (name != NULL) assay_text_appendf(&text, ":%s", name);
    const assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK)
        *out = text.bytes;
    else
        assay_text_free(&text);
    return status;
}

/* The first bytes of a file; fewer where it has fewer, none where it cannot be opened. */
static size_t peek(const char *path, uint8_t *out, size_t count) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return 0;
    ssize_t got = read(fd, out, count);
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

static assay_array_form form_of_file(const char *path) {
    static const struct {
        assay_array_form form;
        size_t length;
        uint8_t bytes[8];
    } known[] = {{ASSAY_ARRAY_NPY, 6, {0x93, 'N', 'U', 'M', 'P', 'Y'}},
                 {ASSAY_ARRAY_NPZ, 4, {'P', 'K', 3, 4}},
                 {ASSAY_ARRAY_HDF5, 8, {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'}}};
    uint8_t start[8];
    const size_t length = peek(path, start, sizeof start);
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (length >= known[n].length && memcmp(start, known[n].bytes, known[n].length) == 0)
            return known[n].form;
    return ASSAY_ARRAY_OTHER;
}

assay_array_form assay_array_file_form(const char *source) {
    char *path = NULL;
    if (assay_array_file_path(source, &path) != ASSAY_OK) return ASSAY_ARRAY_OTHER;
    const assay_array_form form = form_of_file(path);
    free(path);
    return form;
}

bool assay_array_file_is(const char *source) {
    static const char *const endings[] = {".npy", ".npz", ".h5", ".hdf5"};
    const size_t length = strlen(source);
    if (find_name(source) != NULL || assay_array_file_form(source) != ASSAY_ARRAY_OTHER)
        return true;
    for (size_t n = 0; n < sizeof endings / sizeof *endings; n++) {
        const size_t tail = strlen(endings[n]);
        if (length >= tail && strcmp(source + length - tail, endings[n]) == 0) return true;
    }
    return false;
}

/* ---- reading ---- */

static assay_status refuse_name(const char *path, const char *name) {
    char shown[160];
    return assay_fail(ASSAY_USAGE,
                      "%s has no arrays with names, so '%s' says nothing: expected .npz or HDF5",
                      path, assay_printable(shown, sizeof shown, name));
}

/* A member of a .npz file, unpacked; at most half of the memory that is left. */
static assay_status read_member(const char *path, const char *name, char **out, size_t *out_size) {
    char *bytes = NULL;
    size_t length = 0;
    assay_status status = assay_file_read(path, FILE_BYTES_MOST, &bytes, &length);
    if (status == ASSAY_OK)
        status = assay_npz_member(path, bytes, length, name, (size_t)(assay_memory_available() / 2),
                                  out, out_size);
    free(bytes);
    return status;
}

/* Exactly one of numbers and texts is wanted. */
static assay_status read_source(const char *source, assay_number_array *numbers,
                                assay_text_list *texts) {
    char *path = NULL, *member = NULL;
    size_t size = 0;
    const char *name = find_name(source);
    assay_status status = assay_array_file_path(source, &path);
    if (status != ASSAY_OK) return status;
    const assay_array_form form = form_of_file(path);
    if (form == ASSAY_ARRAY_HDF5 || (form == ASSAY_ARRAY_OTHER && name && name[0] == '/')) {
        status = numbers ? assay_foreign_hdf5_read(path, name, numbers)
                         : assay_foreign_hdf5_texts(path, name, texts);
    } else if (form == ASSAY_ARRAY_NPZ) {
        status = read_member(path, name, &member, &size);
        if (status == ASSAY_OK)
            status = numbers ? assay_npy_parse(source, member, size, numbers)
                             : assay_npy_parse_texts(source, member, size, texts);
    } else if (name != NULL) {
        status = refuse_name(path, name);
    } else {
        status = numbers ? assay_npy_read_array(path, numbers) : assay_npy_read_texts(path, texts);
    }
    free(member);
    free(path);
    return status;
}

assay_status assay_array_file_read(const char *source, assay_number_array *out) {
    return read_source(source, out, NULL);
}

assay_status assay_array_file_texts(const char *source, assay_text_list *out) {
    return read_source(source, NULL, out);
}
