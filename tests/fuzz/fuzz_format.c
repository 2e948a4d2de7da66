/* fuzz_format -- which image some bytes are, and whether they begin and end as it says: the walk
 * over segments that comes before any decoder. */
#include "datasets/image_worker/format.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assay_format_kind kind;
    char fault[200] = "";
    if (!assay_format_recognise(data, size, 1 << 20, &kind, fault, sizeof fault) && !fault[0])
        abort();
    return 0;
}
