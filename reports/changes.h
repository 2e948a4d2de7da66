/* changes -- what changes between two releases beside their errors: the scale of the scores, and
 * what a template and a comparison cost. */
#ifndef ASSAY_REPORTS_CHANGES_H
#define ASSAY_REPORTS_CHANGES_H

#include "reports/figures.h"

/* The score at or below which a share of the scores lies. */
typedef struct {
    bool mated; /* of mated scores, else of non-mated ones */
    double share;
    assay_figure earlier, later;
} assay_score_change;
#define ASSAY_SCORE_CHANGES 12u

/* Mated shares, then non-mated ones, each rising. A quantile of n scores is the smallest one with
 * ceil(share n) scores at or below it; non-mated ones are exact from the tail and coarse below. */
void assay_score_changes(const assay_figures *earlier, uint64_t non_mated_earlier,
                         const assay_figures *later, uint64_t non_mated_later,
                         assay_score_change out[ASSAY_SCORE_CHANGES]);

/* What evidence says that a release costs; NaN where it does not say. */
typedef struct {
    double enrolment_median, enrolment_95; /* seconds a template */
    double template_bytes;
    double comparisons_per_second; /* of all of them, by the wall clock */
    char where[160];               /* "cpu, 2 threads: NAME OF THE PROCESSOR"; "" where not known */
} assay_effort;

assay_effort assay_effort_of(const assay_evidence *evidence);

#endif
