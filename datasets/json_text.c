/* json_text -- JSON read from text, with "memory was out" told apart from "it is malformed". */
#include "datasets/json_text.h"

#include <stdlib.h>

#define ROOM_OF_A_BYTE 16 /* more than jansson takes for any text */

assay_status assay_json_read(const char *what, const char *bytes, size_t length, json_t **out,
                             json_error_t *where) {
    json_error_t ignored;
    if (where == NULL) where = &ignored;
    json_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, where);
    if (root == NULL) {
        /* Of an allocation that failed jansson may say anything ("invalid token"): only a second
         * reading, with room for it, tells that the text is at fault. */
        void *room = malloc(length * ROOM_OF_A_BYTE + 4096);
        if (room == NULL) return assay_fail(ASSAY_FAILED, "out of memory for %s", what);
        free(room);
        root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, where);
    }
    *out = root;
    return ASSAY_OK;
}
