/* figures_private -- what figures.c and figures_groups.c share. */
#ifndef ASSAY_REPORTS_FIGURES_PRIVATE_H
#define ASSAY_REPORTS_FIGURES_PRIVATE_H

#include "datasets/protocol.h"
#include "reports/figures.h"

/* Working arrays of one computation. The rows are [row_count], 0 or 1. */
typedef struct {
    uint8_t *roles;
    uint8_t *enrolled, *attempted, *all;
    uint64_t *subject_mated; /* [subject_count] completed mated comparisons */
    assay_same_subject same;
} figures_work;

/* Frees what it made, and grouping, where it fails. */
assay_status figures_compute_groups(const assay_evidence *evidence, const figures_work *work,
                                    const assay_figures *figures, assay_grouping grouping,
                                    assay_attribute_figures *out) ASSAY_MUST_CHECK;
void figures_free_groups(assay_attribute_figures *groups);

#endif
