/* seal -- what FILE.seal holds, made from a finished file and read back. Private to datasets/. */
#ifndef ASSAY_DATASETS_SEAL_H
#define ASSAY_DATASETS_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"
#include "datasets/sealed_file.h"

typedef struct {
    char *what;            /* "dataset" */
    uint64_t size;         /* bytes of the file */
    assay_digest whole;    /* of the file */
    assay_digest *blocks;  /* [block_count] */
    uint64_t block_count;  /* ceil(size / ASSAY_SEAL_BLOCK) */
    assay_extent *extents; /* [extent_count], ascending, apart */
    size_t extent_count;
    assay_digest own; /* of the bytes of the seal file; set by reading */
} assay_seal;

void assay_seal_free(assay_seal *seal); /* takes a zeroed one */

/* Digests everything of fd. path is for messages. */
assay_status assay_seal_make(int fd, const char *path, const char *what,
                             const assay_extent *extents, size_t extent_count,
                             assay_seal *out) ASSAY_MUST_CHECK;
/* As JSON; file_name is FILE without directory; free(). */
assay_status assay_seal_to_json(const assay_seal *seal, const char *file_name,
                                char **out) ASSAY_MUST_CHECK;
/* Reads the seal of file_path. ASSAY_FAILED where it is missing or a byte of it has changed. */
assay_status assay_seal_read(const char *file_path, assay_seal *out) ASSAY_MUST_CHECK;

/* "FILE.seal"; free(). */
assay_status assay_seal_path(const char *file_path, char **out) ASSAY_MUST_CHECK;

/* Reads exactly count bytes at offset. */
assay_status assay_read_exactly(int fd, const char *path, uint64_t offset, size_t count,
                                void *out) ASSAY_MUST_CHECK;

#endif
