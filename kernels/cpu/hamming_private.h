/* hamming_private -- the parts of the processor's comparison of binary templates: what a path (an
 * instruction set's kernel) is, panels of rotated templates, and what every path does with counts.
 *
 * A tile is compared a panel and a shift at a time: `lanes` templates of its columns are rotated
 * and put side by side by 64-bit word, so that one load gives a word of each; the kernel walks all
 * rows past the panel and keeps the best fraction so far of every pair. A panel of 2,048 bits is
 * 4 KiB, whatever the number of shifts. */
#ifndef ASSAY_KERNELS_CPU_HAMMING_PRIVATE_H
#define ASSAY_KERNELS_CPU_HAMMING_PRIVATE_H

#include "kernels/hamming.h"

enum {
    HAMMING_LANES_MAX = 8,
    /* Integers from a row of a tile to the next: no power of two, or all rows of a panel would
     * share a few sets of the cache. */
    HAMMING_STRIDE = ASSAY_TILE_EDGE + 16,
};

/* One panel at one shift against rows of a tile. */
typedef struct {
    const assay_hamming_word *rows; /* [row_count][word_count] */
    const uint64_t *panel;          /* [word_count][2][lanes]: codes, masks; 64-byte aligned */
    uint32_t row_count, word_count, minimum_valid_bits;
    /* The best fraction so far of each pair, improved by this shift; agreeing is -1, of any
     * positive valid, where no shift has enough valid bits. [row_count][lanes], HAMMING_STRIDE from
     * row to row. */
    int32_t *agreeing, *valid;
} assay_hamming_task;

/* One row of a tile: what is to be done with each of its ASSAY_TILE_EDGE columns. */
typedef struct {
    const int32_t *agreeing, *valid; /* [ASSAY_TILE_EDGE] */
    const uint32_t *subjects;        /* [ASSAY_TILE_EDGE] of the columns */
    uint32_t subject;                /* of the row */
    double edge;                     /* a fraction >= this may be in the tail */
    uint16_t bins[ASSAY_TILE_EDGE];  /* out: bin of the score, anything where it failed */
    uint8_t marks[ASSAY_TILE_EDGE];  /* out: 1 where failed, of one subject, or for the tail */
    double fractions[ASSAY_TILE_EDGE];
} assay_hamming_grading;

typedef struct {
    const char *name;
    uint32_t lanes; /* divides ASSAY_TILE_EDGE */
    bool (*supported)(void);
    void (*count)(const assay_hamming_task *task);
    void (*grade)(assay_hamming_grading *row);
    /* Agreeing and valid bits of two templates as they lie. */
    void (*measure)(const assay_hamming_word *a, const assay_hamming_word *b, uint32_t word_count,
                    int64_t *out_agreeing, int64_t *out_valid);
} assay_hamming_path;

extern const assay_hamming_path assay_hamming_path_avx512;   /* AVX-512 VPOPCNTDQ */
extern const assay_hamming_path assay_hamming_path_avx2;     /* AVX2, counts by table */
extern const assay_hamming_path assay_hamming_path_popcnt;   /* x86-64 popcnt */
extern const assay_hamming_path assay_hamming_path_portable; /* any machine */

/* Every path of this build, fastest first; NULL from its end on. */
const assay_hamming_path *assay_hamming_path_at(unsigned index);
/* The first that this machine supports. */
const assay_hamming_path *assay_hamming_path_best(void);

/* out[word_count] = b at shift (hamming.h). */
void assay_hamming_rotate(const assay_hamming_rule *rule, const assay_hamming_word *b,
                          int32_t shift, assay_hamming_word *out);
/* Templates first … first + size - 1, size <= lanes, at shift, into panel [word_count][2][lanes];
 * lanes past size are 0. scratch is [word_count]. */
void assay_hamming_pack(const assay_hamming_set *set, uint64_t first, uint32_t size, int32_t shift,
                        uint32_t lanes, assay_hamming_word *scratch, uint64_t *panel);

/* all_pairs and score_pairs of hamming.h on a path of choice. */
assay_status assay_hamming_all_pairs_on(const assay_hamming_path *path, const assay_all_pairs *plan,
                                        uint64_t first, uint64_t end,
                                        const assay_backend_options *options,
                                        assay_tally *out) ASSAY_MUST_CHECK;
assay_status assay_hamming_score_pairs_on(const assay_hamming_path *path,
                                          const assay_hamming_set *set,
                                          const assay_place_pair *pairs, uint64_t count,
                                          unsigned threads,
                                          assay_hamming_score *out) ASSAY_MUST_CHECK;

/* ---- what every path does with counts, in its own instruction set ---- */

#define HAMMING_INLINE static inline __attribute__((always_inline))

/* Agreeing and valid bits of two templates as they lie. */
HAMMING_INLINE void measure_words(const assay_hamming_word *a, const assay_hamming_word *b,
                                  uint32_t word_count, int64_t *out_agreeing, int64_t *out_valid) {
    int64_t valid = 0, differing = 0;
    for (uint32_t k = 0; k < word_count; k++) {
        const uint64_t both = a[k].mask & b[k].mask;
        valid += __builtin_popcountll(both);
        differing += __builtin_popcountll((a[k].code ^ b[k].code) & both);
    }
    *out_agreeing = valid - differing;
    *out_valid = valid;
}

/* Loops of fixed length over arrays that do not overlap: compilers make vector code of them at -O2
 * already. */
HAMMING_INLINE void divide_columns(const int32_t *restrict agreeing, const int32_t *restrict valid,
                                   double *restrict fractions) {
    for (int n = 0; n < (int)ASSAY_TILE_EDGE; n++) {
        fractions[n] = (double)agreeing[n] / (double)valid[n];
    }
}
HAMMING_INLINE void mark_columns(const double *restrict fractions, double edge,
                                 const uint32_t *restrict subjects, uint32_t subject,
                                 uint8_t *restrict marks) {
    for (int n = 0; n < (int)ASSAY_TILE_EDGE; n++) {
        marks[n] =
            (uint8_t)((fractions[n] >= edge) | (fractions[n] < 0) | (subjects[n] == subject));
    }
}

/* Bin and mark of every column. The bin is exact: x / n with n <= 2^20 has the coarse integer
 * c = floor((2^23 x + n) / 2n), so the bin is floor(c / 2^11) = floor(r) with
 * r = 2^11 x / n + 2^-12 = p / q, q = 2^12 n <= 2^32. r is no integer: x / n would have the
 * denominator 2^23. So it is 2^-32 or more from the next one, and the errors of the division (2^-43
 * of 2^11 x / n) and of the sum (2^-42) do not reach it. A pair that failed has a
 * negative fraction above -2^-11, so that its bin is 0; it is taken out of there again. */
HAMMING_INLINE void grade_columns(assay_hamming_grading *row) {
    divide_columns(row->agreeing, row->valid, row->fractions);
    for (int n = 0; n < (int)ASSAY_TILE_EDGE; n++) {
        row->bins[n] = (uint16_t)(int32_t)(row->fractions[n] * 2048 + 0x1p-12);
    }
    mark_columns(row->fractions, row->edge, row->subjects, row->subject, row->marks);
}

#endif
