/* compare_private -- the parts of the comparison step: its size, its tiles, its evidence. */
#ifndef ASSAY_HARNESS_COMPARE_PRIVATE_H
#define ASSAY_HARNESS_COMPARE_PRIVATE_H

#include "harness/plan.h"
#include "harness/steps.h"
#include "kernels/backend.h"

typedef struct {
    const assay_compare_options *options;
    const assay_progress *progress;
    const char *out_path;
    assay_templates *templates;       /* open */
    const assay_templates_head *head; /* borrowed of it */
    const assay_backend *backend;
    assay_comparator comparator;
    unsigned threads;
    uint64_t memory_limit; /* bytes */
    assay_plan plan;
    assay_quantised set;   /* in plan order */
    assay_all_pairs pairs; /* borrows plan and set */
    assay_tally tally;     /* of all tiles */
    double seconds;        /* wall time of the all-pairs pass */
    uint64_t resumed_tiles;
} comparison;

/* compare_size: refuses what would not fit, with the figures. */
uint64_t assay_compare_memory(const comparison *work);
uint64_t assay_compare_disk(const comparison *work);
assay_status assay_compare_check_size(const comparison *work) ASSAY_MUST_CHECK;

/* compare_tiles: fills work->tally from sealed segments that are there and from the backend. With
 * checkpoints, segments lie in OUT.parts/ until the evidence is published. */
assay_status assay_compare_tiles(comparison *work) ASSAY_MUST_CHECK;
/* Removes OUT.parts/, quietly. */
void assay_compare_drop_segments(const comparison *work);

/* compare_evidence: mated scores, the tail by rows, and everything that evidence says. */
assay_status assay_compare_evidence(const comparison *work, assay_evidence *out) ASSAY_MUST_CHECK;

/* compare_matrix: the dense matrix of a small set. */
assay_status assay_compare_matrix(const comparison *work) ASSAY_MUST_CHECK;

#endif
