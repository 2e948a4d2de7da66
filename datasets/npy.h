/* npy -- a strict reader of numpy's .npy files (format versions 1 to 3). */
#ifndef ASSAY_DATASETS_NPY_H
#define ASSAY_DATASETS_NPY_H

#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/number_array.h"
#include "datasets/text_list.h"

typedef struct {
    uint64_t rows;
    uint32_t columns;
    float *values; /* [rows][columns], row-major, whatever the file's order and type */
} assay_npy_matrix;
void assay_npy_matrix_free(assay_npy_matrix *matrix);

/* An array of one or two dimensions of float16, float32, float64, int8 or uint8, either byte order,
 * C or Fortran order. Anything else is ASSAY_USAGE, saying what was met and what is expected. */
assay_status assay_npy_read_array(const char *path, assay_number_array *out) ASSAY_MUST_CHECK;
/* The same of bytes[size]; messages call them name. */
assay_status assay_npy_parse(const char *name, const void *bytes, size_t size,
                             assay_number_array *out) ASSAY_MUST_CHECK;

/* An array of one dimension of ids: texts ('S', as UTF-8, or 'U') without NULs inside, or whole
 * numbers of 8 to 64 bits, in decimal. Whether each is valid UTF-8 the caller judges. */
assay_status assay_npy_read_texts(const char *path, assay_text_list *out) ASSAY_MUST_CHECK;
assay_status assay_npy_parse_texts(const char *name, const void *bytes, size_t size,
                                   assay_text_list *out) ASSAY_MUST_CHECK;

/* As a matrix of templates, two-dimensional: float64 that float32 cannot hold exactly is rounded to
 * nearest; NaN and infinity pass (the caller decides). */
assay_status assay_npy_matrix_of(const char *name, const assay_number_array *array,
                                 assay_npy_matrix *out) ASSAY_MUST_CHECK;
assay_status assay_npy_read(const char *path, assay_npy_matrix *out) ASSAY_MUST_CHECK;
/* uint8, C order, version 1: bit strings, eight bits a byte. */
assay_status assay_npy_write_bytes(const char *path, uint64_t rows, uint32_t columns,
                                   const uint8_t *values) ASSAY_MUST_CHECK;
/* float32, C order, version 1. */
assay_status assay_npy_write(const char *path, uint64_t rows, uint32_t columns,
                             const float *values) ASSAY_MUST_CHECK;

#endif
