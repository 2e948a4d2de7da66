/* pairs_private -- what the backends share: what a pair is, and room for a tally. */
#ifndef ASSAY_KERNELS_PAIRS_PRIVATE_H
#define ASSAY_KERNELS_PAIRS_PRIVATE_H

#include "kernels/backend.h"
#include "kernels/hamming.h"

/* The place of the whole set that a place of the plan is. */
static inline uint64_t whole_place(const assay_all_pairs *plan, uint64_t place) {
    if (plan->cross == 0 || place < plan->cross) return plan->origin[0] + place;
    return plan->origin[1] + (place - plan->cross);
}

/* Whether the sides of places a and b allow a comparison. */
static inline bool sides_allow(const assay_all_pairs *plan, uint64_t a, uint64_t b) {
    return plan->side[a] == 0 || plan->side[a] != plan->side[b];
}

static inline uint64_t group_pair_index(uint32_t group_count, uint32_t x, uint32_t y) {
    const uint64_t a = x < y ? x : y, b = x < y ? y : x;
    return a * group_count - (a * a - a) / 2 + (b - a);
}

/* Counters of a histogram for this plan: 0 where it keeps none. */
static inline uint64_t histogram_length_of(const assay_all_pairs *plan) {
    if (plan->bins_mode == ASSAY_BINS_NONE) return 0;
    return (uint64_t)plan->group_count * (plan->group_count + 1) / 2 * ASSAY_COARSE_BINS;
}

/* A comparison of bit strings as backends hand it out. */
static inline assay_scored_pair scored_pair_of(assay_place_pair pair, assay_hamming_score score) {
    return (assay_scored_pair){.fine = score.valid > 0 ? score.fine : ASSAY_FINE_NONE,
                               .coarse = score.coarse,
                               .a = (uint32_t)pair.a,
                               .b = (uint32_t)pair.b};
}

/* First place and number of places of a strip of ASSAY_TILE_EDGE templates. */
static inline uint64_t strip_first(uint64_t strip) {
    return strip * ASSAY_TILE_EDGE;
}
static inline uint64_t strip_size(uint64_t count, uint64_t strip) {
    const uint64_t first = strip_first(strip);
    return count - first < ASSAY_TILE_EDGE ? count - first : ASSAY_TILE_EDGE;
}

#endif
