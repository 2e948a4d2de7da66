/* fuzz_hdf5 -- HDF5 of others. What libhdf5 makes of such a file it makes in a confined child,
 * which may crash: this process must take whatever comes of it. Bytes that are no HDF5 are taken
 * for what a child that was overtaken has left, which must be refused or be readable to its end. */
#include <stdbool.h>
#include <string.h>

#include "datasets/foreign_hdf5.h"
#include "datasets/foreign_hdf5_private.h"
#include "tests/fuzz/fuzz_support.h"

static void take_array(const assay_number_array *array) {
    fuzz_touch(array->values, array->rows * array->columns * assay_number_type_size(array->type));
}

static void read_file(const uint8_t *data, size_t size) {
    char path[64];
    assay_number_array array = {0};
    assay_text_list list = {0};
    int fd = fuzz_file(data, size, path);
    if (assay_foreign_hdf5_read(path, NULL, &array) == ASSAY_OK) take_array(&array);
    if (assay_foreign_hdf5_texts(path, "/ids", &list) == ASSAY_OK)
        fuzz_touch(list.bytes, list.used);
    assay_number_array_free(&array);
    assay_text_list_free(&list);
    close(fd);
}

/* The head as the bytes have it, but for the room, and values behind it in memory of just that
 * size. */
static void read_answer(const uint8_t *data, size_t size) {
    const size_t head_bytes = size < sizeof(foreign_head) ? size : sizeof(foreign_head);
    const size_t room = size - head_bytes;
    uint8_t *memory = calloc(1, FOREIGN_HEAD_BYTES + room);
    assay_number_array array = {0};
    assay_text_list list = {0};
    if (memory == NULL) abort();
    memcpy(memory, data, head_bytes);
    memcpy(memory + FOREIGN_HEAD_BYTES, data + head_bytes, room);
    ((foreign_head *)memory)->room = room;
    if (foreign_hdf5_take_array((foreign_head *)memory, &array) == ASSAY_OK) take_array(&array);
    if (foreign_hdf5_take_texts((foreign_head *)memory, &list) == ASSAY_OK)
        fuzz_touch(list.bytes, list.used);
    assay_number_array_free(&array);
    assay_text_list_free(&list);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
#ifdef ASSAY_LIBFUZZER
    /* libFuzzer has a thread of its own, and a child may inherit its locks. */
    const bool forks = false;
#else
    const bool forks = true;
#endif
    if (forks && size >= sizeof signature && memcmp(data, signature, sizeof signature) == 0)
        read_file(data, size);
    else
        read_answer(data, size);
    return 0;
}
