/* microkernel -- the choice among the innermost loops, and the one that is OpenBLAS. */
#include "kernels/cpu/microkernel.h"

#include <stddef.h>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_X86 __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define FOR_EACH_X86
#endif

FOR_EACH_X86 static void make_bins(const int32_t *restrict products, uint32_t count, int32_t lowest,
                                   uint32_t shift, uint16_t *restrict bins) {
    for (uint32_t n = 0; n < count; n++) {
        bins[n] = (uint16_t)((uint32_t)(products[n] - lowest) >> shift);
    }
}

/* 32 comparisons as bits, eight at a time so that compilers see vectors. */
FOR_EACH_X86 static uint32_t reach_of(const int32_t *products, int32_t floor) {
    uint32_t reach = 0;
    for (uint32_t first = 0; first < ASSAY_MICRO_COLUMNS; first += 8) {
        uint32_t bits = 0;
        for (uint32_t n = 0; n < 8; n++) bits |= (uint32_t)(products[first + n] >= floor) << n;
        reach |= bits << first;
    }
    return reach;
}

FOR_EACH_X86 static int32_t largest_of(const int32_t *products, uint32_t count) {
    int32_t largest = INT32_MIN;
    for (uint32_t n = 0; n < count; n++) largest = products[n] > largest ? products[n] : largest;
    return largest;
}

void assay_micro_finish(uint32_t rows, assay_micro_result *result) {
    const uint32_t count = rows * ASSAY_MICRO_COLUMNS;
    make_bins(result->products, count, result->lowest, result->shift, result->bins);
    const bool any = largest_of(result->products, count) >= result->floor;
    for (uint32_t r = 0; r < rows; r++) {
        result->reach[r] =
            any ? reach_of(result->products + (size_t)r * ASSAY_MICRO_COLUMNS, result->floor) : 0;
    }
}

static bool always(void) {
    return true;
}

const assay_microkernel assay_microkernel_blas = {
    .name = "blas", .needs = "OpenBLAS", .supported = always};

const assay_microkernel *assay_microkernel_best(void) {
    static const assay_microkernel *const fastest_first[] = {
        &assay_microkernel_vnni,
        &assay_microkernel_avx2,
        &assay_microkernel_blas,
    };
    size_t n = 0;
    while (!fastest_first[n]->supported()) n++;
    return fastest_first[n];
}
