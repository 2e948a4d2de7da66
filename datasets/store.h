/* store -- the part of HDF5 that the containers use: checked calls, arrays, strings and attributes,
 * and the way a container is written in a child process and published under a seal. Private to
 * datasets/.
 *
 * Types in files are little endian and the same in memory, so HDF5 never converts. After a failed
 * write nothing is closed: HDF5 1.10 crashes on closing what it could not write, so the child ends
 * with _exit and takes the rest along. */
#ifndef ASSAY_DATASETS_STORE_H
#define ASSAY_DATASETS_STORE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"
#include "datasets/containers.h"
#include "datasets/sample_table.h"
#include "datasets/sealed_file.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "containers are read and written without conversion: a little-endian machine is needed"
#endif

#define ASSAY_STORE_MAJOR 1
#define ASSAY_STORE_MINOR 2

typedef struct {
    hid_t file;
    const char *name; /* for messages; borrowed */
    const char *verb; /* "read" or "write" */
} assay_store;

#define ASSAY_STORE_NONE ((assay_store){.file = -1})

/* ---- faults ---- */

/* ASSAY_FAILED with what HDF5 said about object last. */
assay_status assay_store_fault(const assay_store *store, const char *object);
/* ASSAY_FAILED: object of this file is not what FORMAT.md says; expected completes "expected …". */
assay_status assay_store_wrong(const assay_store *store, const char *object, const char *expected);

/* ---- files ---- */

/* A new file with the root attributes of format ("assay-dataset", …). */
assay_status assay_store_create(const char *path, const char *format,
                                assay_store *out) ASSAY_MUST_CHECK;
/* Ends a written file. */
assay_status assay_store_finish(assay_store *store) ASSAY_MUST_CHECK;
/* Opens the sealed file at path for reading and checks format and version. Both results are the
 * caller's to close, out before out_sealed. */
assay_status assay_store_open(const char *path, const char *format, assay_sealed_file **out_sealed,
                              assay_store *out) ASSAY_MUST_CHECK;
void assay_store_close(assay_store *store); /* of a read file; takes ASSAY_STORE_NONE */

/* Extents of a written file, told by the child to its parent. */
typedef struct {
    assay_extent list[4];
    size_t count;
} assay_store_extents;
typedef assay_status assay_store_work(void *context, const char *temporary,
                                      assay_store_extents *extents);
/* Has work write a temporary file in a child process, seals it as a `what` and publishes it as
 * path. */
assay_status assay_store_publish(const char *path, const char *what, const char *details_json,
                                 assay_store_work *work, void *context) ASSAY_MUST_CHECK;

/* ---- groups and attributes; object is a path, "/" the root ---- */

assay_status assay_store_put_group(assay_store *store, const char *path) ASSAY_MUST_CHECK;
assay_status assay_store_put_text(assay_store *store, const char *object, const char *name,
                                  const char *value) ASSAY_MUST_CHECK;
assay_status assay_store_put_digest(assay_store *store, const char *object, const char *name,
                                    const assay_digest *value) ASSAY_MUST_CHECK;
assay_status assay_store_put_u64(assay_store *store, const char *object, const char *name,
                                 uint64_t value) ASSAY_MUST_CHECK;
assay_status assay_store_put_i64(assay_store *store, const char *object, const char *name,
                                 int64_t value) ASSAY_MUST_CHECK;
assay_status assay_store_put_f64(assay_store *store, const char *object, const char *name,
                                 double value) ASSAY_MUST_CHECK;

bool assay_store_has(const assay_store *store, const char *path);
bool assay_store_has_attribute(const assay_store *store, const char *object, const char *name);
assay_status assay_store_get_text(const assay_store *store, const char *object, const char *name,
                                  char **out) ASSAY_MUST_CHECK;
assay_status assay_store_get_digest(const assay_store *store, const char *object, const char *name,
                                    assay_digest *out) ASSAY_MUST_CHECK;
assay_status assay_store_get_u64(const assay_store *store, const char *object, const char *name,
                                 uint64_t limit, uint64_t *out) ASSAY_MUST_CHECK;
assay_status assay_store_get_i64(const assay_store *store, const char *object, const char *name,
                                 int64_t *out) ASSAY_MUST_CHECK;
assay_status assay_store_get_f64(const assay_store *store, const char *object, const char *name,
                                 double *out) ASSAY_MUST_CHECK;

/* ---- arrays ---- */

typedef enum {
    ASSAY_LAYOUT_CHUNKED = 0, /* fletcher32 */
    ASSAY_LAYOUT_DEFLATED,    /* deflate 1 and fletcher32 */
    ASSAY_LAYOUT_CONTIGUOUS,  /* an extent: read through assay_sealed_file_read only */
} assay_layout;

typedef struct {
    const char *path;
    hid_t type; /* borrowed; reading takes an enumeration over this integer type too */
    int rank;   /* 1 or 2 */
    uint64_t dims[2];
    assay_layout layout;
} assay_array;

/* An array that is written or read by rows; *out_dataset belongs to the caller. */
assay_status assay_array_create(assay_store *store, const assay_array *array,
                                hid_t *out_dataset) ASSAY_MUST_CHECK;
assay_status assay_array_write_rows(assay_store *store, const assay_array *array, hid_t dataset,
                                    uint64_t first, uint64_t count,
                                    const void *rows) ASSAY_MUST_CHECK;
assay_status assay_array_finish(assay_store *store, const assay_array *array,
                                hid_t dataset) ASSAY_MUST_CHECK;
/* All at once. */
assay_status assay_array_write(assay_store *store, const assay_array *array,
                               const void *data) ASSAY_MUST_CHECK;
/* Rows that make about a MiB: what to write or read at a time. */
uint64_t assay_array_chunk_rows(const assay_array *array);

/* Shape of the array at path, which must have rank dimensions. */
assay_status assay_array_shape(const assay_store *store, const char *path, int rank,
                               uint64_t out_dims[2]) ASSAY_MUST_CHECK;
/* Opens for reading; type and shape must be those of array. */
assay_status assay_array_open(const assay_store *store, const assay_array *array,
                              hid_t *out_dataset) ASSAY_MUST_CHECK;
assay_status assay_array_read_rows(const assay_store *store, const assay_array *array,
                                   hid_t dataset, uint64_t first, uint64_t count,
                                   void *out) ASSAY_MUST_CHECK;
assay_status assay_array_read(const assay_store *store, const assay_array *array,
                              void *out) ASSAY_MUST_CHECK;
/* Where a contiguous array lies; length 0 where it is empty. */
assay_status assay_array_extent(const assay_store *store, const assay_array *array, hid_t dataset,
                                assay_extent *out) ASSAY_MUST_CHECK;

/* Fixed-length UTF-8 strings padded with NUL, as long as the longest; NULL counts as "". */
assay_status assay_strings_write(assay_store *store, const char *path, char *const *strings,
                                 uint64_t count) ASSAY_MUST_CHECK;
/* count strings into out[count], each free(). What was read before a failure is left in out. */
assay_status assay_strings_read(const assay_store *store, const char *path, uint64_t count,
                                char **out) ASSAY_MUST_CHECK;
/* A JSON object as one string. NULL is refused in writing; reading checks that it is an object. */
assay_status assay_document_write(assay_store *store, const char *path,
                                  const char *json) ASSAY_MUST_CHECK;
assay_status assay_document_read(const assay_store *store, const char *path,
                                 char **out) ASSAY_MUST_CHECK;

/* Whether length bytes are well-formed UTF-8 without NUL. */
bool assay_store_is_text(const char *text, size_t length);

/* An enumeration over base (an unsigned integer type of size bytes) with value n named names[n]. */
assay_status assay_store_enumeration(assay_store *store, hid_t base, char *const *names,
                                     uint64_t count, hid_t *out) ASSAY_MUST_CHECK;

/* ---- templates: what they can be compared with, where that is stated ---- */

assay_status assay_store_put_family(assay_store *store, const char *family) ASSAY_MUST_CHECK;
assay_status assay_store_get_family(const assay_store *store, char **out) ASSAY_MUST_CHECK;

/* ---- sample table ---- */

/* Everything of table, at /samples, /subjects, /labels and /attributes. */
assay_status assay_store_put_table(assay_store *store,
                                   const assay_sample_table *table) ASSAY_MUST_CHECK;
assay_status assay_store_get_table(const assay_store *store,
                                   assay_sample_table *out) ASSAY_MUST_CHECK;
/* ASSAY_FAILED where codes or subjects are out of range, ids are not unique or a string is not
 * UTF-8; name is the file's. Asked before writing and after reading. */
assay_status assay_table_check(const char *name, const assay_sample_table *table) ASSAY_MUST_CHECK;

/* ---- lists of comparisons ---- */

/* How fine integers stand for scores (score_form.h). */
typedef struct {
    assay_score_form form;
    int exponent;
} assay_scale;

/* As FORMAT.md's compound, with the score that each fine integer stands for. */
assay_status assay_comparisons_write(assay_store *store, const char *path,
                                     const assay_comparison *list, uint64_t count,
                                     assay_scale scale) ASSAY_MUST_CHECK;
/* Reads all; the scores must be those of the fine integers. */
assay_status assay_comparisons_read(const assay_store *store, const char *path, assay_scale scale,
                                    assay_comparison **out, uint64_t *out_count) ASSAY_MUST_CHECK;
/* Lists of pairs that failed to compare: u32 [count][2], not there where it is empty. */
assay_status assay_failed_write(assay_store *store, const char *path, const assay_row_pair *failed,
                                uint64_t count) ASSAY_MUST_CHECK;
assay_status assay_failed_read(const assay_store *store, const char *path, assay_row_pair **out,
                               uint64_t *out_count) ASSAY_MUST_CHECK;
/* Whether failed is by (i, j) without doubles, i < j < limit. */
bool assay_failed_sorted(const assay_row_pair *failed, uint64_t count, uint64_t limit);
/* Whether list is in the order (fine descending, i, j), without doubles, i < j < limit. */
bool assay_comparisons_sorted(const assay_comparison *list, uint64_t count, uint64_t limit);

#endif
