/* worker_frames -- what assay and assay-algorithm-worker say to each other, in frames of
 * base/child.h. Numbers are little-endian; a text or some bytes are their count (u32) and
 * themselves.
 *
 *   assay    setup: u64 memory, u32 processor seconds, text plug-in, text configuration directory,
 *            u32 count and texts of what else may be read, u32 count and parameters     once
 *   worker   ready: u32 assay_worker_ready, text why not; only where READY the description: texts
 *            name, version, modality, comparator, parameters, template family; u32 kind, length,
 * channels, roles_differ, vector_offset, vector_length; f64 bound, scale, shift; u32 bit_rows,
 *            bit_shift, bit_shifts, bit_minimum; u32 whether there is a compare           once
 *   assay    u32 CREATE, u64 number, u32 role, u32 count of images, of each u32 width, height,
 *            channels and text capture type; then a frame of pixels for each image
 *   worker   u64 number, u32 outcome, text, bytes of the template
 *   assay    u32 COMPARE, u64 number, bytes reference, u32 count of probes, bytes of each
 *   worker   u64 number, u32 outcome of the first that is not OK, text of it, u32 count,
 *            of each u32 outcome and f64 score
 *
 * The number says which request an answer is to. Whatever the worker says is checked by assay: code
 * that nobody trusts runs in it. It ends when its request pipe does. */
#ifndef ASSAY_HARNESS_WORKER_FRAMES_H
#define ASSAY_HARNESS_WORKER_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "datasets/base/text.h"

#define ASSAY_ALGORITHM_WORKER "assay-algorithm-worker"
#define ASSAY_WORKER_TEXT 256u /* of any text but paths and parameters */
#define ASSAY_WORKER_SETUP_MAX (1u << 20)
#define ASSAY_WORKER_READY_MAX 8192u
#define ASSAY_WORKER_IMAGES_MAX 64u
#define ASSAY_WORKER_PROBES_MAX 256u
#define ASSAY_WORKER_HEAD_MAX 65536u /* of a CREATE */

typedef enum { ASSAY_WORKER_CREATE = 1, ASSAY_WORKER_COMPARE = 2 } assay_worker_request;
typedef enum {
    ASSAY_WORKER_READY = 0,
    ASSAY_WORKER_REFUSED = 1,    /* by the plug-in: what it was asked for is wrong */
    ASSAY_WORKER_BROKEN = 2,     /* the plug-in cannot be loaded or opened */
    ASSAY_WORKER_UNCONFINED = 3, /* this machine does not confine it */
} assay_worker_ready;

static inline void assay_put_u32(assay_text *to, uint32_t value) {
    uint8_t bytes[4];
    for (unsigned n = 0; n < 4; n++) bytes[n] = (uint8_t)(value >> (8 * n));
    assay_text_append_bytes(to, bytes, sizeof bytes);
}

static inline void assay_put_u64(assay_text *to, uint64_t value) {
    assay_put_u32(to, (uint32_t)value);
    assay_put_u32(to, (uint32_t)(value >> 32));
}

static inline void assay_put_f64(assay_text *to, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    assay_put_u64(to, bits);
}

static inline void assay_put_bytes(assay_text *to, const void *bytes, size_t count) {
    assay_put_u32(to, (uint32_t)count);
    assay_text_append_bytes(to, bytes, count);
}

/* NULL as "". */
static inline void assay_put_text(assay_text *to, const char *text) {
    assay_put_bytes(to, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
}

/* Reads one frame from its front; `wrong` once anything did not fit. */
typedef struct {
    const uint8_t *bytes;
    size_t count, at;
    bool wrong;
} assay_frame_cursor;

static inline const uint8_t *assay_get_raw(assay_frame_cursor *from, size_t count) {
    if (from->wrong || count > from->count - from->at) {
        from->wrong = true;
        return NULL;
    }
    from->at += count;
    return from->bytes + from->at - count;
}

static inline uint32_t assay_get_u32(assay_frame_cursor *from) {
    const uint8_t *bytes = assay_get_raw(from, 4);
    uint32_t value = 0;
    for (unsigned n = 0; bytes != NULL && n < 4; n++) value |= (uint32_t)bytes[n] << (8 * n);
    return value;
}

static inline uint64_t assay_get_u64(assay_frame_cursor *from) {
    uint64_t low = assay_get_u32(from);
    return low | (uint64_t)assay_get_u32(from) << 32;
}

static inline double assay_get_f64(assay_frame_cursor *from) {
    uint64_t bits = assay_get_u64(from);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Borrowed from the frame. */
static inline const uint8_t *assay_get_bytes(assay_frame_cursor *from, uint32_t *out_count) {
    uint32_t count = assay_get_u32(from);
    const uint8_t *bytes = assay_get_raw(from, count);
    *out_count = bytes == NULL ? 0 : count;
    return bytes;
}

/* A text into out with a NUL behind it; "" and `wrong` where it has NULs in it or does not fit. */
static inline void assay_get_text(assay_frame_cursor *from, char *out, size_t size) {
    uint32_t count;
    const uint8_t *bytes = assay_get_bytes(from, &count);
    out[0] = '\0';
    if (bytes == NULL || count >= size || memchr(bytes, '\0', count) != NULL) {
        from->wrong = true;
        return;
    }
    memcpy(out, bytes, count);
    out[count] = '\0';
}

static inline bool assay_frame_ended(const assay_frame_cursor *from) {
    return !from->wrong && from->at == from->count;
}

#endif
