/* image_frames -- what assay and assay-image-worker say to each other, in frames of base/child.h.
 * All numbers are 32-bit little-endian.
 *
 *   worker   ready (0) or not (1), text why not           once, after it has confined itself
 *   assay    channels (1 or 3), check_only (0 or 1)       a request
 *   assay    bytes of the encoded image
 *   worker   decoded (0) or refused (1), width, height, channels, text why refused
 *   worker   pixels [height][width][channels]             only if decoded and not check_only
 *
 * The worker ends when its request pipe does. Whatever it answers is checked by assay: it has read
 * bytes that nobody trusts. */
#ifndef ASSAY_DATASETS_IMAGE_FRAMES_H
#define ASSAY_DATASETS_IMAGE_FRAMES_H

#include <stdint.h>

#define ASSAY_IMAGE_WORKER "assay-image-worker"
#define ASSAY_IMAGE_REFUSAL_SIZE 512
#define ASSAY_IMAGE_BYTES_CAP ((size_t)512 << 20) /* of an encoded image */

#define ASSAY_IMAGE_READY_HEADER 4
#define ASSAY_IMAGE_REQUEST_HEADER 8
#define ASSAY_IMAGE_ANSWER_HEADER 16

static inline void assay_image_put(uint8_t *bytes, unsigned index, uint32_t value) {
    for (unsigned i = 0; i < 4; i++) bytes[4 * index + i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t assay_image_get(const uint8_t *bytes, unsigned index) {
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) value |= (uint32_t)bytes[4 * index + i] << (8 * i);
    return value;
}

#endif
