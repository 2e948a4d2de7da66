/* microkernel_avx2 -- 12 x 32 products by vpmaddwd and vpaddd (AVX2), as four pieces of 6 x 16:
 * twelve accumulators, two vectors of b, a broadcast and a product fill the sixteen registers. */
#include "kernels/cpu/microkernel.h"

#include <stddef.h>

enum { ROWS = 12, PIECE_ROWS = 6, PIECE_COLUMNS = 16 };

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

static bool supported(void) {
    return __builtin_cpu_supports("avx2");
}

AVX2 static inline __attribute__((always_inline)) void step(__m256i sums[PIECE_ROWS][2],
                                                            const int32_t *a, const int32_t *b) {
    const __m256i left = _mm256_load_si256((const __m256i *)b);
    const __m256i right = _mm256_load_si256((const __m256i *)(b + 8));
#pragma GCC unroll 6
    for (int r = 0; r < PIECE_ROWS; r++) {
        const __m256i row = _mm256_set1_epi32(a[r]);
        sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(row, left));
        sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(row, right));
    }
}

/* The pending bins from `first` on, one a step; gives back how many are done. */
AVX2 static uint32_t piece(const int32_t *a, const int32_t *b, uint32_t depth,
                           const assay_pending_bins *pending, uint32_t first, int32_t *products) {
    __m256i sums[PIECE_ROWS][2];
#pragma GCC unroll 6
    for (int r = 0; r < PIECE_ROWS; r++) sums[r][0] = sums[r][1] = _mm256_setzero_si256();
    uint32_t k = 0, done = first;
    if (pending->histogram) {
        const uint32_t left = pending->count - first;
        const uint32_t shadow = left < depth ? left : depth;
        for (; k < shadow; k++) {
            step(sums, a + (uint64_t)k * ROWS, b + (uint64_t)k * ASSAY_MICRO_COLUMNS);
            pending->histogram[pending->bins[first + k]]++;
        }
        done += k;
    }
    for (; k < depth; k++) {
        step(sums, a + (uint64_t)k * ROWS, b + (uint64_t)k * ASSAY_MICRO_COLUMNS);
    }
#pragma GCC unroll 6
    for (int r = 0; r < PIECE_ROWS; r++) {
        int32_t *row = products + r * ASSAY_MICRO_COLUMNS;
        _mm256_store_si256((__m256i *)row, sums[r][0]);
        _mm256_store_si256((__m256i *)(row + 8), sums[r][1]);
    }
    return done;
}

AVX2 static void product(const int32_t *a, const int32_t *b, uint32_t depth,
                         const assay_pending_bins *pending, assay_micro_result *result) {
    uint32_t done = 0;
    for (unsigned column = 0; column < ASSAY_MICRO_COLUMNS; column += PIECE_COLUMNS) {
        for (unsigned row = 0; row < ROWS; row += PIECE_ROWS) {
            done = piece(a + row, b + column, depth, pending, done,
                         result->products + row * ASSAY_MICRO_COLUMNS + column);
        }
    }
    if (pending->histogram) count_bins(pending, done);
    assay_micro_finish(ROWS, result);
}
#define PRODUCT product
#else
static bool supported(void) {
    return false;
}
#define PRODUCT NULL
#endif

const assay_microkernel assay_microkernel_avx2 = {
    .name = "avx2", .needs = "AVX2", .rows = ROWS, .supported = supported, .product = PRODUCT};
