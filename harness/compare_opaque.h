/* compare_opaque -- the part of a comparison step that the algorithm itself has in it. */
#ifndef ASSAY_HARNESS_COMPARE_OPAQUE_H
#define ASSAY_HARNESS_COMPARE_OPAQUE_H

#include "datasets/opaque.h"
#include "harness/compare_private.h"
#include "harness/session.h"

/* All pairs of the protocol by the plug-in (options->plugin) to evidence of placed scores. The cost
 * is told first; more pairs than options->opaque_cap are ASSAY_USAGE. A comparison that gives no
 * score is a failed one of the evidence. */
assay_status assay_compare_opaque(const assay_opaque *set, const assay_compare_options *options,
                                  unsigned threads, const char *out_path,
                                  const assay_progress *progress,
                                  assay_compare_result *out) ASSAY_MUST_CHECK;

/* ASSAY_USAGE where plugin is not named or is not what made set. */
assay_status assay_opaque_check_plugin(const assay_opaque *set,
                                       const assay_release *plugin) ASSAY_MUST_CHECK;

/* The vector in row's template; out is [set->vector_length]. */
void assay_opaque_vector(const assay_opaque *set, uint32_t row, float *out);
/* A sample of pairs of work (its plan and quantised set) by the plug-in: ASSAY_DISAGREES where a
 * score of it differs from the vectors' by more than the plug-in's stated bound. */
assay_status assay_opaque_check_vectors(comparison *work) ASSAY_MUST_CHECK;

#endif
