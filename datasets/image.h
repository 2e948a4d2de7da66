/* image -- pixels of an encoded image, decoded by assay-image-worker in a confined process.
 *
 * JPEG, PNG, JPEG 2000, TIFF, WebP and PNM. EXIF orientation is applied; anything the decoder warns
 * about, a header over the pixel cap, and a decoder that dies or takes too long are a refusal of
 * this image with its reason, never a failure of the run. */
#ifndef ASSAY_DATASETS_IMAGE_H
#define ASSAY_DATASETS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

#define ASSAY_IMAGE_PIXEL_CAP ((uint64_t)100 * 1000 * 1000)

typedef struct {
    uint32_t width, height;
    uint32_t channels; /* 1 grey, 3 red green blue */
    uint8_t *pixels;   /* [height][width][channels] */
} assay_image;
void assay_image_free(assay_image *image); /* takes a zeroed one */

typedef struct assay_image_reader assay_image_reader;
/* One worker process a reader; a reader serves one thread. ASSAY_FAILED where the worker program is
 * not found or cannot be confined. */
assay_status assay_image_reader_open(assay_image_reader **out) ASSAY_MUST_CHECK;
void assay_image_reader_close(assay_image_reader *reader);

/* channels 1 or 3. On ASSAY_OK either *out holds the image and refusal is "", or *out is empty and
 * refusal says why ("truncated JPEG: …"), at most refusal_size bytes. check_only decodes everything
 * and gives back no pixels, only width, height and channels. */
assay_status assay_image_decode(assay_image_reader *reader, const uint8_t *bytes, size_t count,
                                uint32_t channels, int check_only, assay_image *out, char *refusal,
                                size_t refusal_size) ASSAY_MUST_CHECK;

#endif
