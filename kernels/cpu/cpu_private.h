/* cpu_private -- fine scores on the processor. */
#ifndef ASSAY_KERNELS_CPU_CPU_PRIVATE_H
#define ASSAY_KERNELS_CPU_CPU_PRIVATE_H

#include "kernels/backend.h"

/* assay_fine, faster; the same integer. */
int64_t assay_cpu_fine(const assay_quantised *set, uint64_t a, uint64_t b);

assay_status assay_cpu_score_pairs(const assay_quantised *templates, const assay_place_pair *pairs,
                                   uint64_t count, const assay_backend_options *options,
                                   assay_scored_pair *out);

#endif
