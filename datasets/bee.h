/* bee -- similarity matrices and masks of the Biometric Evaluation Environment, as OpenBR and
 * others write them. */
#ifndef ASSAY_DATASETS_BEE_H
#define ASSAY_DATASETS_BEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

/* A file is text lines and then cells, row-major, a row a query and a column a target:
 *   S2 or D2        similarities or distances (a mask: either)
 *   TARGET          name of the target sigset
 *   QUERY           name of the query sigset
 *   MF ROWS COLUMNS and the four bytes of 0x12345678 in the writer's byte order, then float32;
 *   MB ROWS COLUMNS and such four bytes, then one byte a cell, for a mask. */
typedef struct {
    bool distance;
    char target[129], query[129]; /* as printable text, cut where longer */
    uint64_t rows, columns;       /* at least 1 */
    float *scores;                /* [rows][columns]; NULL of a mask */
    uint8_t *mask;                /* [rows][columns] of ASSAY_BEE_…; NULL of a matrix */
} assay_bee_matrix;
void assay_bee_free(assay_bee_matrix *matrix); /* takes a zeroed one */

enum { ASSAY_BEE_IGNORE = 0x00, ASSAY_BEE_NON_MATCH = 0x7f, ASSAY_BEE_MATCH = 0xff };

static inline bool assay_bee_is_mask(uint8_t cell) {
    return cell == ASSAY_BEE_IGNORE || cell == ASSAY_BEE_NON_MATCH || cell == ASSAY_BEE_MATCH;
}

/* Whether a file begins as these do, or is called .mtx. */
bool assay_bee_is(const char *path);

/* Strict: both kinds; other bytes in a mask, other headers and other sizes are ASSAY_USAGE, saying
 * what was met and what is expected. NaN and infinite cells pass (the caller decides). */
assay_status assay_bee_read(const char *path, assay_bee_matrix *out) ASSAY_MUST_CHECK;
/* The same of bytes[size]; messages call them name. */
assay_status assay_bee_parse(const char *name, const void *bytes, size_t size,
                             assay_bee_matrix *out) ASSAY_MUST_CHECK;

#endif
