/* hamming_avx2 -- four binary templates against a row by AVX2, which has no population count.
 *
 * Eight words pass through seven carry-save adders each for valid and differing bits, so that
 * only eights are counted by table (vpshufb on nibbles); ones, twos and fours wait for the end. */
#include "kernels/cpu/hamming_private.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,popcnt,fma")))

static bool supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("fma");
}

/* Bits of each 64-bit lane. */
AVX2 HAMMING_INLINE __m256i popcount(__m256i x) {
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, nibble));
    const __m256i high =
        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
    return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

/* *sum, x and y, a bit each, added: the sum stays, the carry is returned. */
AVX2 HAMMING_INLINE __m256i add_bits(__m256i *sum, __m256i x, __m256i y) {
    const __m256i odd = _mm256_xor_si256(*sum, x);
    const __m256i carry = _mm256_or_si256(_mm256_and_si256(*sum, x), _mm256_and_si256(odd, y));
    *sum = _mm256_xor_si256(odd, y);
    return carry;
}

/* Bits seen: ones + 2 twos + 4 fours + 8 eights, the last as counts of 64-bit lanes. */
typedef struct {
    __m256i ones, twos, fours, eights;
} bit_counter;

AVX2 HAMMING_INLINE __m256i total(const bit_counter *counter) {
    __m256i sum = _mm256_slli_epi64(counter->eights, 3);
    sum = _mm256_add_epi64(sum, _mm256_slli_epi64(popcount(counter->fours), 2));
    sum = _mm256_add_epi64(sum, _mm256_slli_epi64(popcount(counter->twos), 1));
    return _mm256_add_epi64(sum, popcount(counter->ones));
}

typedef struct {
    __m256i valid, differing;
} compared;

AVX2 HAMMING_INLINE compared compare_word(const assay_hamming_word *a, const uint64_t *panel) {
    const __m256i code = _mm256_load_si256((const __m256i *)panel);
    const __m256i mask = _mm256_load_si256((const __m256i *)(panel + 4));
    const __m256i valid = _mm256_and_si256(mask, _mm256_set1_epi64x((int64_t)a->mask));
    const __m256i unequal = _mm256_xor_si256(code, _mm256_set1_epi64x((int64_t)a->code));
    return (compared){valid, _mm256_and_si256(unequal, valid)};
}

/* Two words: their bits to the ones, a carry of twos each out. */
AVX2 HAMMING_INLINE compared add_two(bit_counter *n, bit_counter *d, const assay_hamming_word *a,
                                     const uint64_t *panel) {
    const compared x = compare_word(a, panel), y = compare_word(a + 1, panel + 8);
    return (compared){add_bits(&n->ones, x.valid, y.valid),
                      add_bits(&d->ones, x.differing, y.differing)};
}

/* Four words: a carry of fours each out. */
AVX2 HAMMING_INLINE compared add_four(bit_counter *n, bit_counter *d, const assay_hamming_word *a,
                                      const uint64_t *panel) {
    const compared x = add_two(n, d, a, panel), y = add_two(n, d, a + 2, panel + 16);
    return (compared){add_bits(&n->twos, x.valid, y.valid),
                      add_bits(&d->twos, x.differing, y.differing)};
}

AVX2 HAMMING_INLINE void add_eight(bit_counter *n, bit_counter *d, const assay_hamming_word *a,
                                   const uint64_t *panel) {
    const compared x = add_four(n, d, a, panel), y = add_four(n, d, a + 4, panel + 32);
    n->eights = _mm256_add_epi64(n->eights, popcount(add_bits(&n->fours, x.valid, y.valid)));
    d->eights =
        _mm256_add_epi64(d->eights, popcount(add_bits(&d->fours, x.differing, y.differing)));
}

AVX2 HAMMING_INLINE __m128i low_halves(__m256i x) {
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(x, order));
}

/* The better of what was and n valid bits of which d differ: new * old_valid > old * new_valid,
 * signed, with -1 agreeing where there is none yet. */
AVX2 HAMMING_INLINE void keep_better(const assay_hamming_task *task, uint32_t row, __m256i n,
                                     __m256i d) {
    __m128i *const agreeing_at = (__m128i *)(task->agreeing + (size_t)row * HAMMING_STRIDE);
    __m128i *const valid_at = (__m128i *)(task->valid + (size_t)row * HAMMING_STRIDE);
    const __m256i agreeing = _mm256_sub_epi64(n, d);
    const __m128i old = _mm_loadu_si128(agreeing_at), old_valid = _mm_loadu_si128(valid_at);
    const __m256i improves =
        _mm256_cmpgt_epi64(_mm256_mul_epi32(agreeing, _mm256_cvtepi32_epi64(old_valid)),
                           _mm256_mul_epi32(_mm256_cvtepi32_epi64(old), n));
    const __m256i enough =
        _mm256_cmpgt_epi64(n, _mm256_set1_epi64x((int64_t)task->minimum_valid_bits - 1));
    const __m128i better = low_halves(_mm256_and_si256(improves, enough));
    _mm_storeu_si128(agreeing_at, _mm_blendv_epi8(old, low_halves(agreeing), better));
    _mm_storeu_si128(valid_at, _mm_blendv_epi8(old_valid, low_halves(n), better));
}

AVX2 static void count(const assay_hamming_task *task) {
    const uint32_t words = task->word_count;
    for (uint32_t row = 0; row < task->row_count; row++) {
        const assay_hamming_word *a = task->rows + (size_t)row * words;
        const uint64_t *panel = task->panel;
        const __m256i zero = _mm256_setzero_si256();
        bit_counter n = {zero, zero, zero, zero}, d = n;
        uint32_t k = 0;
        for (; k + 8 <= words; k += 8, panel += 64) add_eight(&n, &d, a + k, panel);
        __m256i valid = total(&n), differing = total(&d);
        for (; k < words; k++, panel += 8) {
            const compared word = compare_word(a + k, panel);
            valid = _mm256_add_epi64(valid, popcount(word.valid));
            differing = _mm256_add_epi64(differing, popcount(word.differing));
        }
        keep_better(task, row, valid, differing);
    }
}

AVX2 static void grade(assay_hamming_grading *row) {
    grade_columns(row);
}

AVX2 static void measure(const assay_hamming_word *a, const assay_hamming_word *b,
                         uint32_t word_count, int64_t *out_agreeing, int64_t *out_valid) {
    measure_words(a, b, word_count, out_agreeing, out_valid);
}

const assay_hamming_path assay_hamming_path_avx2 = {
    .name = "avx2",
    .lanes = 4,
    .supported = supported,
    .count = count,
    .grade = grade,
    .measure = measure,
};

#else

static bool supported(void) {
    return false;
}

const assay_hamming_path assay_hamming_path_avx2 = {.name = "avx2", .supported = supported};

#endif
