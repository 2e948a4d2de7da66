/* format -- which of the six formats some bytes are, and whether they begin and end as it says. */
#ifndef ASSAY_DATASETS_IMAGE_WORKER_FORMAT_H
#define ASSAY_DATASETS_IMAGE_WORKER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ASSAY_FORMAT_JPEG,
    ASSAY_FORMAT_PNG,
    ASSAY_FORMAT_JPEG_2000,
    ASSAY_FORMAT_TIFF,
    ASSAY_FORMAT_WEBP,
    ASSAY_FORMAT_PNM,
    ASSAY_FORMAT_COUNT
} assay_format;

typedef struct {
    assay_format format;
    const char *name;
    uint32_t maximum; /* PNM: the value of white, 1 to 65535 */
} assay_format_kind;

/* False with a fault ("truncated PNG: …") where bytes are none of the six, stop before their own
 * end, or go on behind it. A TIFF does not say where it ends: its decoder must find it cut. Of PNM
 * the whole header is checked, and that there are as many samples as it says. */
bool assay_format_recognise(const uint8_t *bytes, size_t count, uint64_t pixel_cap,
                            assay_format_kind *out, char *fault, size_t fault_size);

#endif
