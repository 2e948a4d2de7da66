/* fuzz_sigset -- XML, and BEE sigsets in it, to labels. */
#include "datasets/sigset.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assay_sigset set = {.samples = {0}};
    assay_sample_table table = {0};
    if (assay_sigset_parse("fuzz", data, size, &set) != ASSAY_OK) return 0;
    if (set.samples.count != set.subjects.count || set.samples.count > size) abort();
    fuzz_touch(set.samples.bytes, set.samples.used);
    fuzz_touch(set.subjects.bytes, set.subjects.used);
    if (assay_sigset_labels("fuzz", &set, &set, &table) == ASSAY_OK) {
        if (table.row_count > set.samples.count) abort();
        assay_sample_table_free(&table);
    }
    assay_sigset_free(&set);
    return 0;
}
