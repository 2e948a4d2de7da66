/* coarse -- what the non-mated histogram of coarse scores can say, each answer with its bound. */
#ifndef ASSAY_REPORTS_COARSE_H
#define ASSAY_REPORTS_COARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/containers.h"
#include "reports/rates.h"

/* The histograms of all combinations of evidence, added up. pairs is 0 where there is none. */
typedef struct {
    uint64_t *above; /* [count + 1] pairs in bin b and all higher ones */
    uint32_t count;
    uint64_t pairs;
    double lowest, width; /* coarse scores of bin b: lowest + b width … that + last */
    double last;          /* from a bin's lowest coarse score to its highest */
    double bound;         /* |score - coarse score| */
    uint64_t non_mated;   /* comparisons made */
    /* It counts fewer pairs than were compared: whole blocks of them, so what it says of the
     * others is an estimate, and of a threshold nothing. */
    bool sampled;
} assay_coarse;

assay_status assay_coarse_create(const assay_evidence *evidence,
                                 assay_coarse *out) ASSAY_MUST_CHECK;
void assay_coarse_free(assay_coarse *coarse); /* takes a zeroed one */

/* Coarse or sampled. */
assay_figure_source assay_coarse_source(const assay_coarse *coarse);

double assay_coarse_low(const assay_coarse *coarse, uint32_t bin);
uint64_t assay_coarse_in(const assay_coarse *coarse, uint32_t bin);
/* Pairs whose fine score may be, and whose fine score surely is, at least threshold. */
uint64_t assay_coarse_maybe(const assay_coarse *coarse, double threshold);
uint64_t assay_coarse_surely(const assay_coarse *coarse, double threshold);

/* Not of a sample. A threshold at which at most allowed of the counted pairs can match: the lower
 * edge of the lowest bin that allows it, plus the bound. */
double assay_coarse_threshold(const assay_coarse *coarse, uint64_t allowed);
/* The score above which so many of the non-mated ones lie, not of the tail; a sample's share of it
 * where the histogram counts a sample. */
assay_figure assay_coarse_ranked(const assay_coarse *coarse, uint64_t above);
assay_figure assay_coarse_mean(const assay_coarse *coarse);
assay_figure assay_coarse_sd(const assay_coarse *coarse);
/* Mated scores inside the tail's reach are compared exactly, the others through the bins. */
assay_figure assay_coarse_auc(const assay_coarse *coarse, const assay_score_list *mated,
                              const assay_score_list *tail, uint64_t trials);
assay_eer assay_coarse_eer(const assay_coarse *coarse, const assay_score_list *mated);

#endif
