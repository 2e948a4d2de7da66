/* hamming_word -- binary templates a 64-bit word and a pair at a time, in one source for two paths:
 * what the compiler makes of it for any machine (on aarch64 that has cnt), and for x86-64 with
 * popcnt. */
#include "kernels/cpu/hamming_private.h"

enum { ROWS = 4 };

/* The better of what was and `agreeing` of `valid` bits, with -1 where there is none yet. */
HAMMING_INLINE void keep_better(const assay_hamming_task *task, uint32_t row, int64_t agreeing,
                                int64_t valid) {
    int32_t *const old = task->agreeing + (size_t)row * HAMMING_STRIDE;
    int32_t *const old_valid = task->valid + (size_t)row * HAMMING_STRIDE;
    if (valid < task->minimum_valid_bits || agreeing * *old_valid <= *old * valid) return;
    *old = (int32_t)agreeing;
    *old_valid = (int32_t)valid;
}

HAMMING_INLINE void count_rows(const assay_hamming_task *task, uint32_t first, const int rows) {
    const uint32_t words = task->word_count;
    const assay_hamming_word *a = task->rows + (size_t)first * words;
    /* One lane: the panel is code, mask, code, mask …, as a template is. */
    const assay_hamming_word *b = (const assay_hamming_word *)task->panel;
    int64_t valid[ROWS] = {0}, differing[ROWS] = {0};
    for (uint32_t k = 0; k < words; k++) {
        const assay_hamming_word y = b[k];
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            const assay_hamming_word *x = a + (size_t)r * words + k;
            const uint64_t both = x->mask & y.mask;
            valid[r] += __builtin_popcountll(both);
            differing[r] += __builtin_popcountll((x->code ^ y.code) & both);
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        keep_better(task, first + (uint32_t)r, valid[r] - differing[r], valid[r]);
    }
}

HAMMING_INLINE void count_words(const assay_hamming_task *task) {
    uint32_t row = 0;
    for (; row + ROWS <= task->row_count; row += ROWS) count_rows(task, row, ROWS);
    for (; row < task->row_count; row++) count_rows(task, row, 1);
}

/* ---- any machine ---- */

static bool always(void) {
    return true;
}

static void count(const assay_hamming_task *task) {
    count_words(task);
}

static void grade(assay_hamming_grading *row) {
    grade_columns(row);
}

static void measure(const assay_hamming_word *a, const assay_hamming_word *b, uint32_t word_count,
                    int64_t *out_agreeing, int64_t *out_valid) {
    measure_words(a, b, word_count, out_agreeing, out_valid);
}

const assay_hamming_path assay_hamming_path_portable = {
    .name = "portable",
    .lanes = 1,
    .supported = always,
    .count = count,
    .grade = grade,
    .measure = measure,
};

/* ---- x86-64 with popcnt ---- */

#if defined(__x86_64__)

#define POPCNT __attribute__((target("popcnt")))

static bool has_popcnt(void) {
    return __builtin_cpu_supports("popcnt");
}

POPCNT static void count_popcnt(const assay_hamming_task *task) {
    count_words(task);
}

POPCNT static void measure_popcnt(const assay_hamming_word *a, const assay_hamming_word *b,
                                  uint32_t word_count, int64_t *out_agreeing, int64_t *out_valid) {
    measure_words(a, b, word_count, out_agreeing, out_valid);
}

const assay_hamming_path assay_hamming_path_popcnt = {
    .name = "popcnt",
    .lanes = 1,
    .supported = has_popcnt,
    .count = count_popcnt,
    .grade = grade,
    .measure = measure_popcnt,
};

#else

static bool never(void) {
    return false;
}

const assay_hamming_path assay_hamming_path_popcnt = {.name = "popcnt", .supported = never};

#endif
