/* reach -- what the kept tail of non-mated comparisons can answer, and how far down one would have
 * to be kept for what it cannot. Nothing is extrapolated: what lies below is refused with this. */
#ifndef ASSAY_REPORTS_REACH_H
#define ASSAY_REPORTS_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "reports/coarse.h"

/* A tail that would answer: every comparison that scores floor or more. */
typedef struct {
    double floor;         /* NaN where no histogram of all comparisons says where it lies */
    uint64_t comparisons; /* that must be in it; 0 where it is not known */
    bool most;            /* comparisons is the most that there can be, not the number */
} assay_tail_need;

/* The score from which on every non-mated comparison is kept: -inf where all are, inf where none.
 */
double assay_tail_floor(const assay_evidence *evidence);
bool assay_tail_reaches(const assay_evidence *evidence, double threshold);

/* For a threshold with an FMR of at most fmr: one comparison more than may match must be seen. */
assay_tail_need assay_need_of_target(const assay_evidence *evidence, const assay_coarse *coarse,
                                     double fmr);
/* For the false matches at a threshold that was given. */
assay_tail_need assay_need_of_threshold(const assay_coarse *coarse, double threshold);

/* "FMR 0.01", or "the threshold 0.4" where fmr is NaN. */
const char *assay_need_name(char out[ASSAY_NUMBER_SIZE], double fmr, double threshold);
/* "FMR 0.01 lies below the kept scores, which end at 0.25: it needs a floor of 0.125 (the highest
 * 1,999 comparisons)"; what is FMR 0.01. Cut where it is longer. */
#define ASSAY_NEED_SIZE 224
const char *assay_need_describe(char out[ASSAY_NEED_SIZE], const char *what,
                                const assay_evidence *evidence, const assay_tail_need *need);
/* Fails with ASSAY_USAGE: which of fmr and threshold (the other is NaN) evidence does not reach,
 * what it needs, and how to compare again. */
assay_status assay_tail_refuse(const assay_evidence *evidence, const assay_coarse *coarse,
                               double fmr, double threshold) ASSAY_MUST_CHECK;

#endif
