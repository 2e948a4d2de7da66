/* fuzz_mtx -- the reader of BEE matrices and masks. */
#include "datasets/bee.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assay_bee_matrix matrix = {0};
    if (assay_bee_parse("fuzz", data, size, &matrix) != ASSAY_OK) return 0;
    const size_t cells = matrix.rows * matrix.columns;
    if (cells > size || (matrix.scores == NULL) == (matrix.mask == NULL)) abort();
    if (matrix.scores) fuzz_touch(matrix.scores, cells * sizeof *matrix.scores);
    if (matrix.mask) fuzz_touch(matrix.mask, cells);
    assay_bee_free(&matrix);
    return 0;
}
