/* hamming -- binary templates (iris codes, cancelable templates) and their canonical scores.
 *
 * A template is `bits` code bits and a mask of as many valid bits. Bit i of a packed template is
 * bit i % 8 (the lowest is 0) of byte i / 8, and bit i % 64 of 64-bit word i / 64. The bits are
 * `rows` equal rows, one after the other, as an iris code's are: row r, column c is bit
 * r * (bits / rows) + c. Shift s of a template moves every bit s * shift_bits columns up,
 * cyclically within its row: column c goes to column (c + s * shift_bits) mod (bits / rows).
 *
 * Comparison of a and b at shift s, rot(b) being b at that shift:
 *
 *     valid     = mask_a & rot(mask_b)                          n = popcount(valid)
 *     differing = (code_a ^ rot(code_b)) & valid                d = popcount(differing)
 *
 * A shift with n < minimum_valid_bits says nothing. Where every shift from -shifts to shifts does,
 * the comparison has *failed to compare*: it is counted and never scored. Otherwise the score is
 * the largest fractional Hamming similarity (n - d) / n of the shifts that say something, in
 * [0, 1]; 1 is alike (Daugman, "How iris recognition works", IEEE Trans. CSVT 14(1), 2004, with
 * 1 - HD for HD). Of shifts with the same similarity the one nearest 0 is reported, of s and -s the
 * negative one. Fractions are compared by cross-multiplication: no rounding decides.
 *
 * Fine: the integer nearest to 2^52 (n - d) / n, halves up (n <= 2^20 has none), so that score =
 * fine * 2^-52 and the exponent of the fine-score convention (quantise.h) is 26. It is monotone in
 * the fraction. Two different fractions never tie: x/n and x'/n' with n, n' <= 2^20 =
 * ASSAY_HAMMING_BITS_MAX differ by |x n' - x' n| / (n n') >= 2^-40, so 2^52 times them differ by at
 * least 2^12, and rounding moves each by at most 1/2. Equal fractions (1/2, 2/4) give equal
 * integers. So order and ties of fine scores are those of the fractions.
 *
 * Coarse: the integer nearest to 2^22 (n - d) / n, halves up, so that coarse scores have the scale
 * 2^11, whose square is exact. The bins (assay_coarse_bins) are 2^11 coarse integers wide: a score
 * of 0 is in bin 0, a score of 1 in bin 2048. */
#ifndef ASSAY_KERNELS_HAMMING_H
#define ASSAY_KERNELS_HAMMING_H

#include <stdint.h>

#include "datasets/base/status.h"
#include "kernels/backend.h"

#define ASSAY_HAMMING_BITS_MAX (1u << 20)
#define ASSAY_HAMMING_SHIFTS_MAX 64
#define ASSAY_HAMMING_EXPONENT 26    /* score = fine * 2^(-2 * 26) */
#define ASSAY_HAMMING_COARSE_BITS 22 /* coarse score = coarse * 2^-22 */
#define ASSAY_HAMMING_COARSE_SCALE 2048.0
/* Of score and coarse score: half a coarse unit, and half a fine one. */
#define ASSAY_HAMMING_BOUND (0x1p-23 + 0x1p-53)

/* How templates are compared. */
typedef struct {
    uint32_t bits;               /* a multiple of 8, 8 … ASSAY_HAMMING_BITS_MAX */
    uint32_t rows;               /* >= 1, divides bits */
    uint32_t shift_bits;         /* columns that a shift of 1 moves: 1 … bits / rows */
    uint32_t shifts;             /* 0 … ASSAY_HAMMING_SHIFTS_MAX; 0 compares as they lie */
    uint32_t minimum_valid_bits; /* 1 … bits */
} assay_hamming_rule;

/* 64 bits of a template, those past the end 0. */
typedef struct {
    uint64_t code, mask;
} assay_hamming_word;

struct assay_hamming_set {
    uint64_t count;
    assay_hamming_rule rule;
    uint32_t word_count;       /* of a template: bits / 64, rounded up */
    assay_hamming_word *words; /* [count][word_count] */
};

/* ASSAY_USAGE, naming what is out of its range. */
assay_status assay_hamming_check(const assay_hamming_rule *rule) ASSAY_MUST_CHECK;
/* codes is [count][bits / 8]; masks likewise, a 1 where the code's bit is valid, or NULL where all
 * are. Both are copied. ASSAY_USAGE for a rule that assay_hamming_check refuses and for more
 * templates than 32 bits number. */
assay_status assay_hamming_set_create(const assay_hamming_rule *rule, uint64_t count,
                                      const uint8_t *codes, const uint8_t *masks,
                                      assay_hamming_set *out) ASSAY_MUST_CHECK;
void assay_hamming_set_free(assay_hamming_set *set); /* takes a zeroed one */

/* agreeing of valid bits agree: agreeing <= valid, 1 <= valid <= ASSAY_HAMMING_BITS_MAX. */
int64_t assay_hamming_fine(uint32_t agreeing, uint32_t valid);
int32_t assay_hamming_coarse(uint32_t agreeing, uint32_t valid);

/* What a comparison gives. valid is 0 where it failed to compare, and then so is all else. */
typedef struct {
    int64_t fine;
    int32_t coarse;
    int32_t shift;            /* of b, at which the score was found */
    uint32_t agreeing, valid; /* n - d and n there */
} assay_hamming_score;

/* The definition, a bit at a time. Symmetric but for the shift, which changes its sign where only
 * one shift has the best similarity. */
assay_hamming_score assay_hamming_compare(const assay_hamming_set *set, uint64_t a, uint64_t b);
/* The same of pairs[count] into out[count], same order, on threads >= 1. */
assay_status assay_hamming_score_pairs(const assay_hamming_set *set, const assay_place_pair *pairs,
                                       uint64_t count, unsigned threads,
                                       assay_hamming_score *out) ASSAY_MUST_CHECK;

/* What a backend's bits_… functions are on the processor (backend.h). All pairs are those of the
 * plan whose templates are plan->bits, in plan order. Every allowed pair of different subjects is
 * scored or listed as failed, so that non_mated + failed_count + same_subject + other_side = pairs
 * of the tiles. */
assay_status assay_hamming_all_pairs(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                     const assay_backend_options *options,
                                     assay_tally *out) ASSAY_MUST_CHECK;
uint64_t assay_hamming_memory(const assay_all_pairs *plan, unsigned threads);
assay_status assay_hamming_score_places(const assay_hamming_set *set, const assay_place_pair *pairs,
                                        uint64_t count, const assay_backend_options *options,
                                        assay_scored_pair *out) ASSAY_MUST_CHECK;
/* What they compute with here: "avx512", "avx2", "popcnt" or "portable". */
const char *assay_hamming_path_name(void);

/* The same by assay_hamming_compare alone, every pair kept and sorted: slow and large on purpose.
 * options->threads and memory_limit are not looked at. */
assay_status assay_hamming_reference(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                     const assay_backend_options *options,
                                     assay_tally *out) ASSAY_MUST_CHECK;
assay_status assay_hamming_reference_places(const assay_hamming_set *set,
                                            const assay_place_pair *pairs, uint64_t count,
                                            const assay_backend_options *options,
                                            assay_scored_pair *out) ASSAY_MUST_CHECK;

#endif
