/* peak -- what this machine's arithmetic reaches at best, to measure a backend against in the same
 * run: multiply-adds of one core, and the bare tile product of serial OpenBLAS. */
#ifndef ASSAY_KERNELS_CPU_PEAK_H
#define ASSAY_KERNELS_CPU_PEAK_H

#include <stdint.h>

#include "datasets/base/status.h"

typedef struct {
    double operations;                /* multiplications and additions of floats */
    double cpu_seconds, wall_seconds; /* of the whole process, and of the clock on the wall */
    const char *path;                 /* instructions that did it: a static string */
} assay_peak_run;

/* Float multiply-adds of the calling thread: steps of them in each of as many independent sums as
 * keep the units busy, from registers alone. path is "avx512", "avx2", "portable", or NULL for the
 * widest one that this processor has. Each sum starts with a number of its own, grows by one a step
 * and is looked at in the end, so that no operation can have been left out (ASSAY_DISAGREES where
 * one was). steps is 1 to 2^23: floats count that far exactly. ASSAY_DECLINED where the processor
 * lacks path, ASSAY_USAGE for a path or steps unknown here. */
assay_status assay_peak_fma(const char *path, uint64_t steps, assay_peak_run *out) ASSAY_MUST_CHECK;

/* The product of every tile of the upper triangle of vectors [count][length] (backend.h), whole
 * where it is on the diagonal, by serial OpenBLAS on own threads that take tiles from a queue;
 * nothing is done with the products. operations counts all of them: 2 * length a product.
 * ASSAY_DECLINED where OpenBLAS cannot be made serial. */
assay_status assay_peak_product(const float *vectors, uint64_t count, uint32_t length,
                                unsigned threads, assay_peak_run *out) ASSAY_MUST_CHECK;

#endif
