/* fuzz_npy -- the reader of numpy's .npy files. */
#include <string.h>

#include "datasets/npy.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assay_number_array array = {0};
    assay_text_list list = {0};
    if (assay_npy_parse_texts("fuzz", data, size, &list) == ASSAY_OK) {
        if (list.count == 0 || list.count > size) abort();
        fuzz_touch(list.bytes, list.used);
        assay_text_list_free(&list);
    }
    if (assay_npy_parse("fuzz", data, size, &array) != ASSAY_OK) return 0;
    size_t values = array.rows * array.columns;
    if (values * assay_number_type_size(array.type) > size) abort(); /* more than the file holds */
    fuzz_touch(array.values, values * assay_number_type_size(array.type));
    assay_npy_matrix matrix = {0};
    if (assay_npy_matrix_of("fuzz", &array, &matrix) == ASSAY_OK) {
        fuzz_touch(matrix.values, values * sizeof *matrix.values);
        assay_npy_matrix_free(&matrix);
    }
    assay_number_array_free(&array);
    return 0;
}
