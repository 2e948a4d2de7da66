/* hamming_avx512 -- eight binary templates against six rows by vpopcntq (AVX-512 VPOPCNTDQ).
 *
 * For 64 bits of eight pairs: and, one vpternlogq for (code_a ^ code_b) & valid, two vpopcntq and
 * two additions, against two loads that six rows share and two broadcasts. A carry-save adder in
 * front of vpopcntq takes as many instructions as it saves. */
#include "kernels/cpu/hamming_private.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { ROWS = 6 };

#define AVX512                                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt,fma")))

static bool supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("popcnt");
}

/* The better of what was and n valid bits of which d differ: new * old_valid > old * new_valid,
 * signed, with -1 agreeing where there is none yet. */
AVX512 static inline void keep_better(const assay_hamming_task *task, uint32_t row, __m512i n,
                                      __m512i d) {
    __m256i *const agreeing_at = (__m256i *)(task->agreeing + (size_t)row * HAMMING_STRIDE);
    __m256i *const valid_at = (__m256i *)(task->valid + (size_t)row * HAMMING_STRIDE);
    const __m512i agreeing = _mm512_sub_epi64(n, d);
    const __m512i old = _mm512_cvtepi32_epi64(_mm256_loadu_si256(agreeing_at));
    const __m512i old_valid = _mm512_cvtepi32_epi64(_mm256_loadu_si256(valid_at));
    const __mmask8 enough = _mm512_cmpge_epu64_mask(n, _mm512_set1_epi64(task->minimum_valid_bits));
    const __mmask8 better = _mm512_mask_cmpgt_epi64_mask(
        enough, _mm512_mul_epi32(agreeing, old_valid), _mm512_mul_epi32(old, n));
    _mm512_mask_cvtepi64_storeu_epi32(agreeing_at, better, agreeing);
    _mm512_mask_cvtepi64_storeu_epi32(valid_at, better, n);
}

AVX512 HAMMING_INLINE void count_rows(const assay_hamming_task *task, uint32_t first,
                                      const int rows) {
    const uint32_t words = task->word_count;
    const assay_hamming_word *a = task->rows + (size_t)first * words;
    const uint64_t *panel = task->panel;
    __m512i n[ROWS], d[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) n[r] = d[r] = _mm512_setzero_si512();
    for (uint32_t k = 0; k < words; k++, panel += 16) {
        const __m512i code = _mm512_load_si512(panel), mask = _mm512_load_si512(panel + 8);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            const assay_hamming_word *word = a + (size_t)r * words + k;
            const __m512i valid = _mm512_and_si512(mask, _mm512_set1_epi64((int64_t)word->mask));
            /* 0x28: (first ^ second) & third */
            const __m512i differing = _mm512_ternarylogic_epi64(
                code, _mm512_set1_epi64((int64_t)word->code), valid, 0x28);
            n[r] = _mm512_add_epi64(n[r], _mm512_popcnt_epi64(valid));
            d[r] = _mm512_add_epi64(d[r], _mm512_popcnt_epi64(differing));
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) keep_better(task, first + (uint32_t)r, n[r], d[r]);
}

AVX512 static void count(const assay_hamming_task *task) {
    uint32_t row = 0;
    for (; row + ROWS <= task->row_count; row += ROWS) count_rows(task, row, ROWS);
    for (; row < task->row_count; row++) count_rows(task, row, 1);
}

AVX512 static void grade(assay_hamming_grading *row) {
    grade_columns(row);
}

AVX512 static void measure(const assay_hamming_word *a, const assay_hamming_word *b,
                           uint32_t word_count, int64_t *out_agreeing, int64_t *out_valid) {
    measure_words(a, b, word_count, out_agreeing, out_valid);
}

const assay_hamming_path assay_hamming_path_avx512 = {
    .name = "avx512",
    .lanes = 8,
    .supported = supported,
    .count = count,
    .grade = grade,
    .measure = measure,
};

#else

static bool supported(void) {
    return false;
}

const assay_hamming_path assay_hamming_path_avx512 = {.name = "avx512", .supported = supported};

#endif
