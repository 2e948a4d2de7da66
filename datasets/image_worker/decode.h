/* decode -- pixels out of encoded bytes, through libvips. */
#ifndef ASSAY_DATASETS_IMAGE_WORKER_DECODE_H
#define ASSAY_DATASETS_IMAGE_WORKER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t width, height;
    uint32_t channels;
    uint8_t *pixels; /* [height][width][channels]; assay_decode_free() */
} assay_decoded;

/* Starts libvips with its six loaders and no others; false where it does not start. */
bool assay_decode_start(const char *program);

/* channels: 1 grey, 3 red green blue. False with a fault where the bytes are refused. */
bool assay_decode_image(const uint8_t *bytes, size_t count, uint32_t channels, assay_decoded *out,
                        char *fault, size_t fault_size);
void assay_decode_free(assay_decoded *image); /* takes a zeroed one */

#endif
