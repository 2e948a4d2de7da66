/* memory -- allocation whose sizes cannot overflow and whose failure is an assay_status. */
#ifndef ASSAY_DATASETS_BASE_MEMORY_H
#define ASSAY_DATASETS_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "datasets/base/status.h"

/* *out = a * b; false (and *out untouched) where that overflows size_t. */
bool assay_multiply(size_t a, size_t b, size_t *out);

/* Zeroed memory for count elements of size bytes at *out_pointer (a `T **`), freed by free(). A
 * count of 0 gives one byte, so that a pointer is never NULL on ASSAY_OK. what names it in the
 * message. */
assay_status assay_allocate(void *out_pointer, size_t count, size_t size,
                            const char *what) ASSAY_MUST_CHECK;

/* As assay_allocate, aligned to 64 bytes; also freed by free(). */
assay_status assay_allocate_aligned(void *out_pointer, size_t count, size_t size,
                                    const char *what) ASSAY_MUST_CHECK;

/* Makes room for at least wanted elements of size bytes in the array at *pointer (a `T **`, NULL at
 * first) whose capacity is *capacity, at least doubling it. New elements are not cleared. */
assay_status assay_reserve(void *pointer, size_t *capacity, size_t wanted, size_t size,
                           const char *what) ASSAY_MUST_CHECK;

assay_status assay_copy_string(char **out, const char *text) ASSAY_MUST_CHECK;

/* Bytes of memory that this process may still use: MemAvailable, less where a cgroup says less. */
uint64_t assay_memory_available(void);

#endif
