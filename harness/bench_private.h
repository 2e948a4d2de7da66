/* bench_private -- the templates that a measurement compares. */
#ifndef ASSAY_HARNESS_BENCH_PRIVATE_H
#define ASSAY_HARNESS_BENCH_PRIVATE_H

#include "harness/bench.h"
#include "kernels/hamming.h"

typedef struct {
    float *vectors;    /* [templates][length], unit, sorted by group, then subject; or NULL, and */
    uint8_t *codes;    /* [templates][length / 8], bit strings, */
    uint8_t *masks;    /* likewise, a 1 where the code's bit is valid */
    uint32_t *subject; /* [templates] */
    uint32_t *group;   /* [templates] */
    uint8_t *side;     /* [templates], all 0: everything is compared with everything */
    uint64_t pairs, mated, non_mated;
} bench_set;

/* ASSAY_USAGE for a population out of range. */
assay_status assay_bench_set_make(const assay_bench_options *options,
                                  const assay_progress *progress, bench_set *out) ASSAY_MUST_CHECK;
/* How bit strings of the options are compared; ASSAY_USAGE where they cannot be so. */
assay_status assay_bench_rule(const assay_bench_options *options,
                              assay_hamming_rule *out) ASSAY_MUST_CHECK;
/* Codes and masks of a set; part of assay_bench_set_make. */
assay_status assay_bench_bits_fill(const assay_bench_population *of, const assay_progress *progress,
                                   bench_set *set) ASSAY_MUST_CHECK;
void assay_bench_set_free(bench_set *set); /* takes a zeroed one */

#endif
