/* curves -- the lines and bars that figures are drawn from: DET steps and score histograms. Every
 * one is also written out as a table. */
#ifndef ASSAY_REPORTS_CURVES_H
#define ASSAY_REPORTS_CURVES_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "reports/figures.h"

/* One step of the DET curve: the rates at threshold. Exact from the tail; below it fmr counts the
 * histogram's pairs at least as high as a bin's lower edge, and source is coarse, or sampled where
 * the histogram counts a sample. */
typedef struct {
    double threshold;
    assay_rate fmr, fnmr;
    assay_figure_source source;
    /* About three steps a decade of the tail are marked and have intervals: FMR at this threshold,
     * FNMR at this FMR, with the error of a threshold that the set itself gives. */
    bool marked;
    assay_interval fmr_interval, fnmr_interval;
} assay_det_step;

/* Shares of scores in display bins of one width, each the union of whole bins of the evidence where
 * the non-mated scores are known from its histogram only. */
typedef struct {
    double low, width;
    uint32_t count;
    uint64_t *mated, *non_mated; /* [count] */
    uint64_t mated_total, non_mated_total;
    assay_figure_source source; /* of non_mated */
} assay_score_bars;

typedef struct {
    assay_det_step *det; /* by falling threshold, thinned to about 60 a decade */
    size_t det_count;
    assay_score_bars bars; /* count 0 where there is nothing to show */
} assay_curves;

assay_status assay_curves_compute(const assay_evidence *evidence, const assay_figures *figures,
                                  assay_curves *out) ASSAY_MUST_CHECK;
void assay_curves_free(assay_curves *curves); /* takes a zeroed one */

#endif
