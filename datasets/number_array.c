/* number_array -- arrays of numbers by type (number_array.h). */
#include "datasets/number_array.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t size;
} types[ASSAY_NUMBER_TYPE_COUNT] = {
    [ASSAY_NUMBER_FLOAT16] = {"float16", 2}, [ASSAY_NUMBER_FLOAT32] = {"float32", 4},
    [ASSAY_NUMBER_FLOAT64] = {"float64", 8}, [ASSAY_NUMBER_INT8] = {"int8", 1},
    [ASSAY_NUMBER_UINT8] = {"uint8", 1},
};

void assay_number_array_free(assay_number_array *array) {
    free(array->values);
    *array = (assay_number_array){0};
}

const char *assay_number_type_name(assay_number_type type) {
    return types[type].name;
}

size_t assay_number_type_size(assay_number_type type) {
    return types[type].size;
}

double assay_half_to_double(uint16_t half) {
    const int exponent = half >> 10 & 31;
    const double fraction = half & 1023;
    double value;
    if (exponent == 31)
        value = half & 1023 ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(1024 + fraction, exponent - 25);
    return half & 0x8000 ? -value : value;
}

double assay_number_at(const assay_number_array *array, uint64_t index) {
    switch (array->type) {
    case ASSAY_NUMBER_FLOAT16:
        return assay_half_to_double(((const uint16_t *)array->values)[index]);
    case ASSAY_NUMBER_FLOAT32:
        return (double)((const float *)array->values)[index];
    case ASSAY_NUMBER_FLOAT64:
        return ((const double *)array->values)[index];
    case ASSAY_NUMBER_INT8:
        return ((const int8_t *)array->values)[index];
    default:
        return ((const uint8_t *)array->values)[index];
    }
}
