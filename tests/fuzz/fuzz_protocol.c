/* fuzz_protocol -- the reader of the protocol that evidence carries: what it takes it writes the
 * same. */
#include <string.h>

#include "datasets/protocol.h"
#include "tests/fuzz/fuzz_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    assay_protocol protocol = {0}, again = {0};
    char *text = malloc(size + 1), *json = NULL, *second = NULL;
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (assay_protocol_from_json(text, &protocol) == ASSAY_OK) {
        if (assay_protocol_to_json(&protocol, &json) != ASSAY_OK) abort();
        if (assay_protocol_from_json(json, &again) != ASSAY_OK) abort();
        if (assay_protocol_to_json(&again, &second) != ASSAY_OK || strcmp(json, second) != 0)
            abort();
        assay_protocol_free(&again);
        assay_protocol_free(&protocol);
    }
    free(second);
    free(json);
    free(text);
    return 0;
}
