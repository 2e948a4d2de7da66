/* number_array -- an array of numbers as a file of somebody else's holds it, its type kept. */
#ifndef ASSAY_DATASETS_NUMBER_ARRAY_H
#define ASSAY_DATASETS_NUMBER_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

typedef enum {
    ASSAY_NUMBER_FLOAT16 = 0, /* the bits, as uint16_t */
    ASSAY_NUMBER_FLOAT32,
    ASSAY_NUMBER_FLOAT64,
    ASSAY_NUMBER_INT8,
    ASSAY_NUMBER_UINT8,
    ASSAY_NUMBER_TYPE_COUNT,
} assay_number_type;

typedef struct {
    assay_number_type type;
    int rank;               /* of the file: 1 (columns is 1) or 2 */
    uint64_t rows, columns; /* at least 1 */
    void *values;           /* [rows][columns], row-major, this machine's byte order */
} assay_number_array;
void assay_number_array_free(assay_number_array *array); /* takes a zeroed one */

const char *assay_number_type_name(assay_number_type type); /* "float32" */
size_t assay_number_type_size(assay_number_type type);

/* Value number index in row-major order, exactly: each type's values are doubles. */
double assay_number_at(const assay_number_array *array, uint64_t index);
double assay_half_to_double(uint16_t half);

#endif
