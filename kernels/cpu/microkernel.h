/* microkernel -- products of a few coarse templates with 32 others, as integers: the innermost loop
 * of the cpu backend, in one source for each instruction set, chosen when the program runs.
 *
 * Coarse components go in pairs: depth = ceil(length / 2) words of two int16 (the first in the low
 * half, 0 behind an odd end). Every sum stays below 2^24, so int32 never overflows, whatever the
 * order. */
#ifndef ASSAY_KERNELS_CPU_MICROKERNEL_H
#define ASSAY_KERNELS_CPU_MICROKERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define ASSAY_MICRO_COLUMNS 32u
#define ASSAY_MICRO_ROWS_MAX 12u
#define ASSAY_MICRO_CELLS_MAX (ASSAY_MICRO_ROWS_MAX * ASSAY_MICRO_COLUMNS)

/* Bins of the block before, counted in the shadow of this product: histogram[bins[n]]++ for each.
 */
typedef struct {
    uint64_t *histogram;  /* NULL: nothing is pending */
    const uint16_t *bins; /* [count] */
    uint32_t count;
} assay_pending_bins;

/* What a block gives; arrays are 64-byte aligned. */
typedef struct {
    int32_t lowest, floor; /* given */
    uint32_t shift;        /* given */
    int32_t *products;     /* [rows][ASSAY_MICRO_COLUMNS] */
    uint16_t *bins;        /* [rows][ASSAY_MICRO_COLUMNS] (product - lowest) >> shift */
    uint32_t *reach;       /* [rows] bit c: product c of the row is >= floor */
} assay_micro_result;

/* products[r][c] = sum over the depth of a's row r and b's column c, with their bins and who
 * reaches the floor. a is [depth][rows], b is [depth][ASSAY_MICRO_COLUMNS], both 64-byte aligned.
 * Counts pending on the way. */
typedef void assay_micro_product(const int32_t *a, const int32_t *b, uint32_t depth,
                                 const assay_pending_bins *pending, assay_micro_result *result);

/* Products of bytes, four in a word, depth = ceil(length / 4) words: a's have no sign, b's have
 * one; a is [depth][rows], b is [depth][ASSAY_MICRO_COLUMNS]. sums[r][c] = row_start[r] +
 * column_start[c] + the product. Whether any sum is >= 0; if so reach[r] has bit c where sums[r][c]
 * is, else reach is left alone. Nothing passes 2^31 where |starts| < 2^29. Arrays are 64-byte
 * aligned but for row_start. */
typedef bool assay_screen_product(const int32_t *a, const int32_t *b, uint32_t depth,
                                  const int32_t *row_start, const int32_t *column_start,
                                  int32_t *sums, uint32_t *reach);

typedef struct {
    const char *name;
    unsigned rows; /* of a block */
    double trust;  /* share of the proved bound that is believed: 1, but where a test plants less */
    bool (*supported)(void);
    assay_screen_product *product;
} assay_screenkernel;

extern const assay_screenkernel assay_screenkernel_vnni; /* AVX-512 VNNI: vpdpbusd */

typedef struct {
    const char *name;
    const char *needs; /* of the processor, in words */
    unsigned rows;     /* of a block; 0 where whole tiles go through OpenBLAS */
    bool (*supported)(void);
    assay_micro_product *product;
    const assay_screenkernel *screen; /* what pays before product where few pairs matter, or NULL */
} assay_microkernel;

extern const assay_microkernel assay_microkernel_vnni; /* AVX-512 VNNI: vpdpwssd */
extern const assay_microkernel assay_microkernel_avx2; /* AVX2: vpmaddwd */
extern const assay_microkernel assay_microkernel_blas; /* sgemm on the integers as floats */

/* The fastest that this machine has. */
const assay_microkernel *assay_microkernel_best(void);

/* Bins and reach of rows of products that are made otherwise (microkernel.c). */
void assay_micro_finish(uint32_t rows, assay_micro_result *result);

static inline void count_bins(const assay_pending_bins *pending, uint32_t from) {
    for (uint32_t n = from; n < pending->count; n++) pending->histogram[pending->bins[n]]++;
}

#endif
