/* score_list -- scores that were made elsewhere, as the numbers of one file. */
#ifndef ASSAY_DATASETS_SCORE_LIST_H
#define ASSAY_DATASETS_SCORE_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

/* Scores beyond this are refused: they are marks ("no score"), and squares of them overflow. */
#define ASSAY_SCORE_MOST 1e150

typedef struct {
    double *values; /* [count] as they came; NaN where a comparison gave no score */
    uint64_t count;
} assay_score_values;
void assay_score_values_free(assay_score_values *list); /* takes a zeroed one */

/* A source of scores (array_file.h) of any form: an array of one dimension (or two, one of them 1)
 * in .npy, .npz or HDF5, else text. */
assay_status assay_score_list_read(const char *source, assay_score_values *out) ASSAY_MUST_CHECK;

/* The scores of one column of a CSV with a header. A cell is as a line of a text. */
assay_status assay_score_column_read(const char *path, const char *column,
                                     assay_score_values *out) ASSAY_MUST_CHECK;

/* One number a line, as text. A line holds a decimal number as strtod() takes it in the C locale,
 * or nan in any case, with blanks and tabs around it; lines end in LF or CR LF. An empty line, an
 * infinite number or anything else is ASSAY_USAGE with its line, as is a file without a number. */
assay_status assay_score_text_read(const char *path, assay_score_values *out) ASSAY_MUST_CHECK;
/* The same of bytes[length], which name calls by name in messages. */
assay_status assay_score_text_parse(const char *name, const char *bytes, size_t length,
                                    assay_score_values *out) ASSAY_MUST_CHECK;

#endif
