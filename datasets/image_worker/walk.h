/* walk -- what the walks through a file's segments share; used by format.c and tiff.c. */
#ifndef ASSAY_DATASETS_IMAGE_WORKER_WALK_H
#define ASSAY_DATASETS_IMAGE_WORKER_WALK_H

#include "datasets/image_worker/format.h"

typedef struct {
    const uint8_t *bytes;
    size_t count;
    uint64_t pixel_cap;
    assay_format_kind *kind;
    char *fault;
    size_t fault_size;
} assay_walk;

/* Both write the fault and return false. at counts from 0 and is told from 1. */
bool assay_walk_truncated(const assay_walk *w, const char *where);
bool assay_walk_damaged(const assay_walk *w, const char *what, size_t at);

bool assay_tiff_check(const assay_walk *w);

#endif
