/* microkernel_vnni -- 12 x 32 products by vpdpwssd (AVX-512 VNNI): two 16-bit multiply-adds a lane.
 *
 * 24 accumulators, two vectors of b and twelve broadcasts of a a step: 24 vpdpwssd against 14
 * loads, so the multipliers are the limit and two counts of the pending histogram fit beside them.
 *
 * Each loop is a function of its own that takes its sums from memory and leaves them there: with a
 * second loop or more work behind it in one function, gcc 12 copies every accumulator in every
 * step. */
#include "kernels/cpu/microkernel.h"

#include <stddef.h>
#include <string.h>

enum { ROWS = 12, COUNTS = 2 /* pending bins a step */ };

#if defined(__x86_64__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define INLINE inline __attribute__((always_inline))

static bool supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vnni");
}

/* sum += row * column, pairwise in 16 bits. */
#define MULTIPLY_ADD(sum, row, column)                                                             \
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(row), "v"(column))

/* products += the steps' products. Where bins is not NULL, counts COUNTS of them in each step. */
VNNI static INLINE void run(const int32_t *a, const int32_t *b, uint32_t steps, uint64_t *histogram,
                            const uint16_t *bins, int32_t *products) {
    __m512i sums[ROWS][2];
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
        sums[r][0] = _mm512_load_si512(products + r * ASSAY_MICRO_COLUMNS);
        sums[r][1] = _mm512_load_si512(products + r * ASSAY_MICRO_COLUMNS + 16);
    }
    for (uint32_t k = 0; k < steps; k++) {
        const __m512i left = _mm512_load_si512(b), right = _mm512_load_si512(b + 16);
#pragma GCC unroll 12
        for (int r = 0; r < ROWS; r++) {
            const __m512i row = _mm512_set1_epi32(a[r]);
            MULTIPLY_ADD(sums[r][0], row, left);
            MULTIPLY_ADD(sums[r][1], row, right);
        }
        for (uint32_t n = 0; bins != NULL && n < COUNTS; n++) histogram[bins[COUNTS * k + n]]++;
        a += ROWS;
        b += ASSAY_MICRO_COLUMNS;
    }
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
        _mm512_store_si512(products + r * ASSAY_MICRO_COLUMNS, sums[r][0]);
        _mm512_store_si512(products + r * ASSAY_MICRO_COLUMNS + 16, sums[r][1]);
    }
}

VNNI static __attribute__((noinline)) void run_plain(const int32_t *a, const int32_t *b,
                                                     uint32_t steps, int32_t *products) {
    run(a, b, steps, NULL, NULL, products);
}

VNNI static __attribute__((noinline)) void run_counting(const int32_t *a, const int32_t *b,
                                                        uint32_t steps, uint64_t *histogram,
                                                        const uint16_t *bins, int32_t *products) {
    run(a, b, steps, histogram, bins, products);
}

VNNI static __attribute__((noinline)) void clear(int32_t *products) {
    for (size_t at = 0; at < ROWS * ASSAY_MICRO_COLUMNS; at += 16) {
        _mm512_store_si512(products + at, _mm512_setzero_si512());
    }
}

VNNI static __attribute__((noinline)) void finish(assay_micro_result *result) {
    const __m512i lowest = _mm512_set1_epi32(result->lowest);
    const __m512i floor = _mm512_set1_epi32(result->floor);
    const __m128i shift = _mm_cvtsi32_si128((int)result->shift);
    uint16_t *reach = (uint16_t *)result->reach; /* two halves a row, low one first */
    for (size_t n = 0; n < ROWS * ASSAY_MICRO_COLUMNS / 16; n++) {
        const __m512i sum = _mm512_load_si512(result->products + 16 * n);
        const __m512i bins = _mm512_srl_epi32(_mm512_sub_epi32(sum, lowest), shift);
        _mm256_store_si256((__m256i *)(result->bins + 16 * n), _mm512_cvtepi32_epi16(bins));
        const uint16_t half = _mm512_cmpge_epi32_mask(sum, floor);
        memcpy(reach + n, &half, sizeof half);
    }
}

static void product(const int32_t *a, const int32_t *b, uint32_t depth,
                    const assay_pending_bins *pending, assay_micro_result *result) {
    uint32_t done = 0;
    clear(result->products);
    if (pending->histogram) {
        done = pending->count / COUNTS < depth ? pending->count / COUNTS : depth;
        run_counting(a, b, done, pending->histogram, pending->bins, result->products);
        count_bins(pending, COUNTS * done);
    }
    if (done < depth) {
        run_plain(a + (size_t)done * ROWS, b + (size_t)done * ASSAY_MICRO_COLUMNS, depth - done,
                  result->products);
    }
    finish(result);
}
#define PRODUCT product
#else
static bool supported(void) {
    return false;
}
#define PRODUCT NULL
#endif

const assay_microkernel assay_microkernel_vnni = {.name = "vnni",
                                                  .needs = "AVX-512 VNNI",
                                                  .rows = ROWS,
                                                  .supported = supported,
                                                  .product = PRODUCT,
                                                  .screen = &assay_screenkernel_vnni};
