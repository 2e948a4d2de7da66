/* bench_private -- the templates that a measurement compares. */
#ifndef ASSAY_HARNESS_BENCH_PRIVATE_H
#define ASSAY_HARNESS_BENCH_PRIVATE_H

#include "harness/bench.h"

typedef struct {
    float *vectors;    /* [templates][length], unit, sorted by group, then subject */
    uint32_t *subject; /* [templates] */
    uint32_t *group;   /* [templates] */
    uint8_t *side;     /* [templates], all 0: everything is compared with everything */
    uint64_t pairs, mated, non_mated;
} bench_set;

/* ASSAY_USAGE for a population out of range. */
assay_status assay_bench_set_make(const assay_bench_population *population,
                                  const assay_progress *progress, bench_set *out) ASSAY_MUST_CHECK;
void assay_bench_set_free(bench_set *set); /* takes a zeroed one */

#endif
