/* tail_private -- which pairs may be in the tail, without scoring all of them finely: the
 * arithmetic that every backend shares.
 *
 * A floor is a fine score that nothing of the tail is at or below. Every pair whose coarse score
 * comes within the set's bound of the floor is a candidate and gets its fine score. When a quarter
 * more candidates are there than the tail may hold, they are cut by the tail's rule, and what was
 * cut raises the floor. To begin with, a small sample guesses the floor. The guess is certified
 * afterwards: more pairs above it than the limit prove that nothing at or below it belongs to the
 * tail. A guess that fails is dropped and the tiles are done again. So the tail is exact whatever
 * was guessed, and whatever the order of threads. */
#ifndef ASSAY_KERNELS_TAIL_PRIVATE_H
#define ASSAY_KERNELS_TAIL_PRIVATE_H

#include "kernels/backend.h"

enum {
    ASSAY_CANDIDATES_MIN = 1 << 16, /* as many are worth sorting */
    ASSAY_SAMPLE_BINS = 1 << 16,    /* of a sample's histogram: (coarse - lowest) >> shift, */
    ASSAY_SAMPLE_FINER = 4,         /* the shift this much less than that of assay_coarse_bins */
};

/* A pair with a coarse score below this has a fine score <= fine_floor. */
int32_t assay_tail_coarse_floor(const assay_quantised *set, int64_t fine_floor);
/* Candidates that come together at most before they are cut, batches of that many included. */
uint64_t assay_tail_most_candidates(const assay_all_pairs *plan, uint64_t batches);
/* Candidates kept at which they are cut again, kept of them being left. */
uint64_t assay_tail_cut_at(const assay_all_pairs *plan, uint64_t kept);
/* ASSAY_USAGE where kept pairs, after a cut, are more than the plan's cap. */
assay_status assay_tail_check_cap(const assay_all_pairs *plan, uint64_t kept) ASSAY_MUST_CHECK;
/* ASSAY_DISAGREES where a pair's fine and coarse score differ by more than the set's bound.
 * fine_unit and coarse_unit are the scores of 1. */
assay_status assay_tail_check_bound(const assay_quantised *set, double fine_unit,
                                    double coarse_unit,
                                    const assay_scored_pair *pair) ASSAY_MUST_CHECK;

/* Pairs of tiles first … end - 1. */
uint64_t assay_tiles_pairs(const assay_all_pairs *plan, uint64_t first, uint64_t end);
/* Whether a range of so many pairs is worth a sample. */
bool assay_tail_sample_pays(const assay_all_pairs *plan, uint64_t pairs);
/* Pairs to draw of a range of so many. */
uint64_t assay_tail_sample_size(uint64_t pairs);
/* A floor somewhat below where the tail will end, from the coarse scores (sample, of
 * ASSAY_SAMPLE_BINS) of drawn pairs of a range of so many. It is a guess. */
int64_t assay_tail_guess(const assay_all_pairs *plan, const uint32_t *sample, uint64_t drawn,
                         uint64_t pairs);
/* Whether nothing at or below guess can be in the tail: floor and kept are what the pass from it
 * ended with. */
bool assay_tail_certified(const assay_all_pairs *plan, int64_t guess, int64_t floor, uint64_t kept);

#endif
