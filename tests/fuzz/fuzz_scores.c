/* fuzz_scores -- the reader of score lists: each is a finite number or NaN, whatever the bytes. */
#include <math.h>

#include "datasets/score_list.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assay_score_values list = {0};
    if (assay_score_text_parse("fuzz", (const char *)data, size, &list) != ASSAY_OK) return 0;
    if (list.count == 0 || list.count > size) abort();
    for (uint64_t n = 0; n < list.count; n++)
        if (isinf(list.values[n])) abort();
    assay_score_values_free(&list);
    return 0;
}
