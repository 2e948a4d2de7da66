/* fuzz_support -- what fuzz targets share. Each target is one reader of files that others made: any
 * bytes at all must give a result or a status, and what was given must be readable to its end. */
#ifndef ASSAY_TESTS_FUZZ_SUPPORT_H
#define ASSAY_TESTS_FUZZ_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datasets/base/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file in memory, for readers that take a path; close(). */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[64]) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size)) abort();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* What a sanitizer must be able to see read. */
static inline void fuzz_touch(const void *bytes, size_t size) {
    volatile uint8_t sum = 0;
    for (size_t n = 0; n < size; n++) sum = (uint8_t)(sum + ((const uint8_t *)bytes)[n]);
}

#endif
