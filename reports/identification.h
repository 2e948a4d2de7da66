/* identification -- one probe against a gallery of many: who is found, and who is taken for
 * somebody else. Pure functions; METRICS.md, "Identification", has the formulas. */
#ifndef ASSAY_REPORTS_IDENTIFICATION_H
#define ASSAY_REPORTS_IDENTIFICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/intervals.h"
#include "reports/rates.h"

#define ASSAY_FEW_GALLERIES 10u /* under so many, nothing is claimed of how sure a rate is */

/* One search. */
typedef struct {
    uint32_t gallery; /* galleries are the clusters */
    bool mated;       /* the probe's person is in the gallery */
    double mate;      /* score of the mate; NaN where it gave none, which is never a hit */
    uint64_t ahead;   /* mated: others with at least the mate's score; ties go against the system */
    double best;      /* not mated: highest score; -INFINITY where there is none */
} assay_search;

typedef struct {
    assay_rate rate; /* wrong searches of all */
    uint64_t galleries;
    assay_interval interval; /* by galleries, however few */
} assay_search_rate;

bool assay_search_is_wrong(const assay_search *search, double threshold, uint64_t rank);
/* FPIR: searches without a mate in which somebody reaches threshold. FNIR: searches with a mate
 * that stays below threshold, or that rank (0: any) or more others come before. */
assay_status assay_search_rates(const assay_search *searches, size_t count, double threshold,
                                uint64_t rank, double alpha, assay_search_rate *out_fpir,
                                assay_search_rate *out_fnir) ASSAY_MUST_CHECK;
/* Share of mated searches whose mate has at most rank - 1 others before it; NaN without any. */
double assay_search_recognition(const assay_search *searches, size_t count, uint64_t rank);

/* Rate of wrong searches where people recur in several galleries: variance by galleries plus by
 * subjects less by both together, not below any of the first two or the binomial one. wrong,
 * gallery, subject are [count]; labels are counted from 0. */
assay_status assay_search_recurring(const uint8_t *wrong, const uint32_t *gallery,
                                    const uint32_t *subject, size_t count, double alpha,
                                    assay_interval *out) ASSAY_MUST_CHECK;

/* Probability that of n of others people, picked at random, at least one is among degree of them;
 * and that at least rank are. n and degree are at most others. */
double assay_gallery_hit(uint64_t others, uint64_t degree, uint64_t n);
double assay_gallery_hits(uint64_t others, uint64_t degree, uint64_t n, uint64_t rank);
/* out[rank - 1], rank 1 … rank_count: probability that fewer than rank are. */
void assay_gallery_ranks(uint64_t others, uint64_t degree, uint64_t n, uint64_t rank_count,
                         double *out);

#endif
