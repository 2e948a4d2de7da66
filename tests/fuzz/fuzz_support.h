/* fuzz_support -- what fuzz targets share. Each target is one reader of files that others made: any
 * bytes at all must give a result or a status, and what was given must be readable to its end. */
#ifndef ASSAY_TESTS_FUZZ_SUPPORT_H
#define ASSAY_TESTS_FUZZ_SUPPORT_H

#include <fcntl.h>
#include <ftw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

static inline char *fuzz_folder_path(void) {
    static char path[64] = "/dev/shm/assay-fuzz-XXXXXX";
    return path;
}

static inline int fuzz_remove_entry(const char *path, const struct stat *info, int kind,
                                    struct FTW *where) {
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static inline void fuzz_remove_folder(void) {
    nftw(fuzz_folder_path(), fuzz_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A folder in memory, for readers that look for files beside one another; removed at the end. */
static inline const char *fuzz_folder(void) {
    if (!mkdtemp(fuzz_folder_path()) || atexit(fuzz_remove_folder) != 0) abort();
    return fuzz_folder_path();
}

/* The bytes as FOLDER/NAME. */
static inline void fuzz_put(const char *folder, const char *name, const uint8_t *data,
                            size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size)) abort();
    close(fd);
}

/* What a sanitizer must be able to see read. */
static inline void fuzz_touch(const void *bytes, size_t size) {
    volatile uint8_t sum = 0;
    for (size_t n = 0; n < size; n++) sum = (uint8_t)(sum + ((const uint8_t *)bytes)[n]);
}

#endif
