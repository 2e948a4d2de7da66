/* fuzz_ledger -- a ledger of any bytes: it is whole or it is not, and appending to a whole one
 * leaves a whole one with one record more. */
#include "datasets/ledger.h"
#include "datasets/sealed_file.h"
#include "tests/fuzz/fuzz_support.h"

static assay_status visit(void *context, const char *line, size_t length) {
    ++*(uint64_t *)context;
    fuzz_touch(line, length);
    return ASSAY_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *folder;
    uint64_t records = 0, after = 0, seen = 0;
    bool torn = false;
    if (!folder) folder = fuzz_folder();
    fuzz_put(folder, ASSAY_LEDGER_NAME, data, size);
    const bool whole = assay_ledger_check(folder, &records, &torn) == ASSAY_OK;
    if ((assay_ledger_walk(folder, visit, &seen) == ASSAY_OK) != whole) abort();
    if (whole && seen != records) abort();
    const bool appended = assay_ledger_append(folder, "note", "fuzz", "{\"a\":1}") == ASSAY_OK;
    if (whole && !appended) abort();
    if (whole &&
        (assay_ledger_check(folder, &after, &torn) != ASSAY_OK || after != records + 1 || torn))
        abort();
    return 0;
}
