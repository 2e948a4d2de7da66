/* text_list -- texts of a file of somebody else's, ids above all, one after another. */
#ifndef ASSAY_DATASETS_TEXT_LIST_H
#define ASSAY_DATASETS_TEXT_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

typedef struct {
    char *bytes; /* each text ended by a NUL, without one inside */
    size_t used, room;
    size_t *start; /* [count] into bytes */
    size_t start_room;
    uint64_t count;
} assay_text_list;
void assay_text_list_free(assay_text_list *list); /* takes a zeroed one */

/* text[length] goes behind the last one, up to its first NUL. */
assay_status assay_text_list_add(assay_text_list *list, const char *text,
                                 size_t length) ASSAY_MUST_CHECK;

/* Borrowed until the next is added. */
static inline const char *assay_text_list_at(const assay_text_list *list, uint64_t index) {
    return list->bytes + list->start[index];
}

#endif
