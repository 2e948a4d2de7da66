/* microkernel_int8 -- 12 x 32 products of bytes by vpdpbusd (AVX-512 VNNI), four multiply-adds a
 * lane: what screens pairs before anything is scored (cpu_screen.c).
 *
 * The sums begin at what the caller says, so that a pair's threshold is part of its sum and who
 * reaches it is a matter of signs. As in microkernel_vnni.c the loop is a function of its own. */
#include "kernels/cpu/microkernel.h"

#include <stddef.h>
#include <string.h>

enum { ROWS = 12, VECTORS = 2 * ROWS };

#if defined(__x86_64__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vnni")))

static bool supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}

/* sum += row * column, four by four; row's bytes have no sign, column's have one. */
#define MULTIPLY_ADD(sum, row, column)                                                             \
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(row), "v"(column))

VNNI static __attribute__((noinline)) void run(const int32_t *a, const int32_t *b, uint32_t steps,
                                               const int32_t *row_start,
                                               const int32_t *column_start, int32_t *sums) {
    __m512i all[ROWS][2];
    const __m512i start_left = _mm512_load_si512(column_start);
    const __m512i start_right = _mm512_load_si512(column_start + 16);
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
        const __m512i start = _mm512_set1_epi32(row_start[r]);
        all[r][0] = _mm512_add_epi32(start, start_left);
        all[r][1] = _mm512_add_epi32(start, start_right);
    }
    for (uint32_t k = 0; k < steps; k++) {
        const __m512i left = _mm512_load_si512(b), right = _mm512_load_si512(b + 16);
#pragma GCC unroll 12
        for (int r = 0; r < ROWS; r++) {
            const __m512i row = _mm512_set1_epi32(a[r]);
            MULTIPLY_ADD(all[r][0], row, left);
            MULTIPLY_ADD(all[r][1], row, right);
        }
        a += ROWS;
        b += ASSAY_MICRO_COLUMNS;
    }
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
        _mm512_store_si512(sums + r * ASSAY_MICRO_COLUMNS, all[r][0]);
        _mm512_store_si512(sums + r * ASSAY_MICRO_COLUMNS + 16, all[r][1]);
    }
}

/* Whether any sum is not negative: the sign of all of them together. */
VNNI static __attribute__((noinline)) bool any_reaches(const int32_t *sums) {
    __m512i even = _mm512_set1_epi32(-1), odd = even;
#pragma GCC unroll 12
    for (int n = 0; n < VECTORS; n += 2) {
        even = _mm512_and_si512(even, _mm512_load_si512(sums + 16 * n));
        odd = _mm512_and_si512(odd, _mm512_load_si512(sums + 16 * n + 16));
    }
    return _mm512_movepi32_mask(_mm512_and_si512(even, odd)) != 0xffff;
}

VNNI static __attribute__((noinline)) void note_reach(const int32_t *sums, uint32_t *reach) {
    for (int r = 0; r < ROWS; r++) {
        const int32_t *row = sums + r * ASSAY_MICRO_COLUMNS;
        const uint32_t low = _mm512_movepi32_mask(_mm512_load_si512(row));
        const uint32_t high = _mm512_movepi32_mask(_mm512_load_si512(row + 16));
        reach[r] = ~(low | high << 16);
    }
}

static bool product(const int32_t *a, const int32_t *b, uint32_t depth, const int32_t *row_start,
                    const int32_t *column_start, int32_t *sums, uint32_t *reach) {
    run(a, b, depth, row_start, column_start, sums);
    if (!any_reaches(sums)) return false;
    note_reach(sums, reach);
    return true;
}
#define PRODUCT product
#else
static bool supported(void) {
    return false;
}
#define PRODUCT NULL
#endif

const assay_screenkernel assay_screenkernel_vnni = {
    .name = "vnni-int8", .rows = ROWS, .trust = 1, .supported = supported, .product = PRODUCT};
