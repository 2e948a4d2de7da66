/* fuzz_seal -- a seal of any bytes, beside a file of one block. What is taken for a seal is one
 * that could have been written. */
#include <string.h>

#include "datasets/seal.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *folder;
    static char path[300];
    assay_seal seal = {0};
    assay_verification found = {0};
    if (!folder) {
        folder = fuzz_folder();
        snprintf(path, sizeof path, "%s/f", folder);
        fuzz_put(folder, "f", (const uint8_t *)"0123456789", 10);
    }
    fuzz_put(folder, "f.seal", data, size);
    if (assay_seal_read(path, &seal) == ASSAY_OK) {
        char *json = NULL;
        assay_digest again;
        if (assay_seal_to_json(&seal, "f", &json) != ASSAY_OK) abort();
        if (assay_digest_bytes(json, strlen(json), &again) != ASSAY_OK) abort();
        free(json);
        assay_seal_free(&seal);
        assay_sealed_file *file = NULL;
        if (assay_sealed_file_open(path, &file) == ASSAY_OK) assay_sealed_file_close(file);
    }
    if (assay_sealed_file_verify(path, NULL, NULL, &found) == ASSAY_OK && found.in_ledger) abort();
    return 0;
}
