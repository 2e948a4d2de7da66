/* fuzz_npz -- .npz: the archive, and the .npy in it, as numbers and as ids. */
#include "datasets/npy.h"
#include "datasets/npz.h"
#include "tests/fuzz/fuzz_support.h"

enum { CAP = 1 << 20 };

static void read_member(const uint8_t *data, size_t size, const char *name) {
    char *bytes = NULL;
    size_t length = 0;
    assay_number_array array = {0};
    assay_text_list list = {0};
    if (assay_npz_member("fuzz", data, size, name, CAP, &bytes, &length) != ASSAY_OK) return;
    if (length > CAP) abort();
    fuzz_touch(bytes, length);
    if (assay_npy_parse("fuzz", bytes, length, &array) == ASSAY_OK) {
        fuzz_touch(array.values, array.rows * array.columns * assay_number_type_size(array.type));
        assay_number_array_free(&array);
    }
    if (assay_npy_parse_texts("fuzz", bytes, length, &list) == ASSAY_OK) {
        if (list.count == 0 || list.count > length) abort();
        fuzz_touch(list.bytes, list.used);
        assay_text_list_free(&list);
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_member(data, size, NULL);
    read_member(data, size, "a");
    return 0;
}
