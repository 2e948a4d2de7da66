/* opaque -- templates.h5 of an algorithm whose templates are bytes that only it understands: group
 * /opaque in the place of /templates (FORMAT.md). */
#ifndef ASSAY_DATASETS_OPAQUE_H
#define ASSAY_DATASETS_OPAQUE_H

#include <stdbool.h>

#include "datasets/containers.h"

typedef struct {
    assay_templates_head head; /* length: most bytes of a template */
    uint32_t roles;            /* 1: one template a sample; 2: of it as reference, then as probe */
    uint64_t *size;            /* [row_count][roles] bytes, 0 where a row is not enrolled */
    uint64_t *offset;          /* [row_count][roles] into bytes, in the same order */
    uint8_t *bytes;            /* [total] */
    uint64_t total;
    /* Where head.comparator's vector of float32 lies in each template, vector_length 0: nowhere;
     * score of the algorithm = scale * score of the comparator + shift, within bound. */
    uint32_t vector_offset, vector_length;
    double vector_bound, vector_scale, vector_shift;
} assay_opaque;

void assay_opaque_free(assay_opaque *set); /* takes a zeroed one */

/* Sets head.digest and writes. */
assay_status assay_opaque_write(const char *path, assay_opaque *set) ASSAY_MUST_CHECK;
/* Whether the templates at path are opaque ones. */
assay_status assay_opaque_is(const char *path, bool *out) ASSAY_MUST_CHECK;
/* All of it, checked. */
assay_status assay_opaque_read(const char *path, assay_opaque *out) ASSAY_MUST_CHECK;

#endif
