/* sealed_file -- files that are whole or not there, and that tell when a byte of them has changed.
 *
 * Beside FILE lies FILE.seal (JSON, FORMAT.md): size, SHA-256 of the file, SHA-256 of every 8 MiB
 * block, and the extents of its contiguous data sets. Writing: temporary name, close, fsync, seal,
 * rename seal, rename file, fsync directory, ledger record. Reading: blocks that do not lie wholly
 * in an extent are checked on opening; the others in the buffer that they are read into. */
#ifndef ASSAY_DATASETS_SEALED_FILE_H
#define ASSAY_DATASETS_SEALED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"

#define ASSAY_SEAL_BLOCK ((uint64_t)8 << 20)

typedef struct {
    uint64_t offset, length; /* bytes in the file */
} assay_extent;

/* Seals temporary and publishes it as final_path; what (for example "dataset") and details_json
 * (may be NULL) go into the ledger record of final_path's directory. An older final_path is
 * replaced: it is unlinked first, so that no instant shows a file beside another file's seal. */
assay_status assay_seal_publish(const char *temporary, const char *final_path,
                                const assay_extent *extents, size_t extent_count, const char *what,
                                const char *details_json) ASSAY_MUST_CHECK;

typedef struct assay_sealed_file assay_sealed_file;

/* Opens FILE with its seal and checks the blocks outside the extents. ASSAY_FAILED, naming the
 * block and its byte range, where one is damaged; likewise where the seal is missing or does not
 * fit. */
assay_status assay_sealed_file_open(const char *path, assay_sealed_file **out) ASSAY_MUST_CHECK;
void assay_sealed_file_close(assay_sealed_file *file);
/* Reads length bytes at offset, checking each block that it touches (sequential readers check each
 * block once). */
assay_status assay_sealed_file_read(assay_sealed_file *file, uint64_t offset, uint64_t length,
                                    void *out) ASSAY_MUST_CHECK;
/* A path that opens this very inode ("/proc/self/fd/N"), for H5Fopen; borrowed until close. */
const char *assay_sealed_file_path(const assay_sealed_file *file);
const assay_digest *
assay_sealed_file_digest(const assay_sealed_file *file);           /* whole-file, by seal */
const char *assay_sealed_file_name(const assay_sealed_file *file); /* the path it was opened by */
const char *assay_sealed_file_what(const assay_sealed_file *file); /* what of assay_seal_publish */
/* Whether that path is now another file's or nobody's. What is open here still reads on. */
bool assay_sealed_file_replaced(const assay_sealed_file *file);
uint64_t assay_sealed_file_size(const assay_sealed_file *file);

/* Whether the ledger of the file's folder has a record of its seal, which is the last that a writer
 * does: ASSAY_FAILED where it has none, or is itself damaged. */
assay_status assay_sealed_file_check_recorded(const char *path) ASSAY_MUST_CHECK;

/* Checks everything; *out_damaged counts damaged blocks, each told through note (may be NULL). */
typedef struct {
    uint64_t blocks;
    uint64_t damaged;
    uint64_t bytes;
    assay_digest digest;
    bool in_ledger; /* the directory's ledger has a record of this seal, and its chain is whole */
} assay_verification;
assay_status assay_sealed_file_verify(const char *path,
                                      void (*note)(void *context, const char *line), void *context,
                                      assay_verification *out) ASSAY_MUST_CHECK;

/* Ledger of a directory: assay-ledger.jsonl, one JSON record a line, each with the SHA-256 of the
 * line before it. Appending is locked, written at once and fdatasync'ed. */
assay_status assay_ledger_append(const char *directory, const char *event, const char *file,
                                 const char *details_json) ASSAY_MUST_CHECK;
/* Number of records where the chain is whole; ASSAY_FAILED naming the line where it is not. A last
 * line without its newline (a write cut short) is told in *out_torn and is no error. */
assay_status assay_ledger_check(const char *directory, uint64_t *out_records,
                                bool *out_torn) ASSAY_MUST_CHECK;

#endif
