/* utf8proc -- as much of it as datasets/base is built with, for machines that have a GPU and little
 * else: ASCII as it is, all else told as invalid and so shown by its bytes. */
#ifndef ASSAY_TESTS_GPU_BARE_UTF8PROC_H
#define ASSAY_TESTS_GPU_BARE_UTF8PROC_H

#include <stdint.h>
#include <sys/types.h>

typedef uint8_t utf8proc_uint8_t;
typedef int32_t utf8proc_int32_t;
typedef ssize_t utf8proc_ssize_t;

static inline utf8proc_ssize_t utf8proc_iterate(const utf8proc_uint8_t *text,
                                                utf8proc_ssize_t length, utf8proc_int32_t *out) {
    *out = length > 0 && *text < 0x80 ? *text : -1;
    return *out < 0 ? -3 : 1;
}

/* Names of samples, which are what is composed, do not come to these programs. */
enum { UTF8PROC_STABLE = 2, UTF8PROC_COMPOSE = 8 };
/* A character a byte: text that is ASCII is composed, and nothing else is in the tests here. */
static inline utf8proc_ssize_t utf8proc_decompose(const utf8proc_uint8_t *text,
                                                  utf8proc_ssize_t length, utf8proc_int32_t *out,
                                                  utf8proc_ssize_t size, int options) {
    (void)options;
    for (utf8proc_ssize_t n = 0; n < length && n < size; n++) out[n] = text[n];
    return length;
}

static inline utf8proc_ssize_t utf8proc_reencode(utf8proc_int32_t *points, utf8proc_ssize_t length,
                                                 int options) {
    (void)options;
    utf8proc_uint8_t *bytes = (utf8proc_uint8_t *)points;
    for (utf8proc_ssize_t n = 0; n < length; n++) bytes[n] = (utf8proc_uint8_t)points[n];
    return length;
}

#endif
