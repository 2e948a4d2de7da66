/* text_list -- texts one after another (text_list.h). */
#include "datasets/text_list.h"

#include <string.h>

#include "datasets/base/memory.h"

void assay_text_list_free(assay_text_list *list) {
    free(list->bytes);
    free(list->start);
    *list = (assay_text_list){0};
}

assay_status assay_text_list_add(assay_text_list *list, const char *text, size_t length) {
    length = strnlen(text, length);
    assay_status status =
        assay_reserve(&list->bytes, &list->room, list->used + length + 1, 1, "texts");
    if (status == ASSAY_OK)
        status = assay_reserve(&list->start, &list->start_room, (size_t)list->count + 1,
                               sizeof *list->start, "texts");
    if (status != ASSAY_OK) return status;
    memcpy(list->bytes + list->used, text, length);
    list->bytes[list->used + length] = '\0';
    list->start[list->count++] = list->used;
    list->used += length + 1;
    return ASSAY_OK;
}
