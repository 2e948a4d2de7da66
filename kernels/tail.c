/* tail -- floors, guesses and certificates of the tail (tail_private.h). */
#include <inttypes.h>
#include <math.h>

#include "kernels/pairs_private.h"
#include "kernels/tail_private.h"

enum {
    SAMPLE_SHARE = 64, /* one pair in so many */
    SAMPLE_PAIRS_MAX = 8 << 20,
    SAMPLE_WORTH_PAIRS = 1 << 22, /* fewer pairs than this are not sampled */
};

int32_t assay_tail_coarse_floor(const assay_quantised *set, int64_t fine_floor) {
    if (fine_floor == INT64_MIN) return INT32_MIN;
    const double score = assay_fine_to_score(set, fine_floor) - set->bound;
    const double coarse = floor(score * set->coarse_scale * set->coarse_scale) - 1;
    if (coarse < INT32_MIN) return INT32_MIN;
    return coarse > INT32_MAX ? INT32_MAX : (int32_t)coarse;
}

uint64_t assay_tail_most_candidates(const assay_all_pairs *plan, uint64_t batches) {
    const uint64_t pairs = assay_pair_count(plan->templates->count);
    const uint64_t most = assay_tail_cut_at(plan, 0) + batches;
    return most < pairs ? most : pairs;
}

uint64_t assay_tail_cut_at(const assay_all_pairs *plan, uint64_t kept) {
    const uint64_t most = kept > plan->tail_limit ? kept : plan->tail_limit;
    const uint64_t room = most / 4;
    return most + (room < ASSAY_CANDIDATES_MIN ? ASSAY_CANDIDATES_MIN : room);
}

assay_status assay_tail_check_cap(const assay_all_pairs *plan, uint64_t kept) {
    if (kept <= plan->tail_cap) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "more than %" PRIu64 " non-mated pairs (the tail's cap) reach the lowest "
                      "threshold that was given; expected a higher threshold or a larger cap",
                      plan->tail_cap);
}

/* The bound is what makes the tail exact, so every pair that is scored both ways is held against
 * it. */
assay_status assay_tail_check_bound(const assay_quantised *set, double fine_unit,
                                    double coarse_unit, const assay_scored_pair *pair) {
    const double off = (double)pair->fine * fine_unit - pair->coarse * coarse_unit;
    if (fabs(off) <= set->bound) return ASSAY_OK;
    return assay_fail(
        ASSAY_DISAGREES,
        "templates at places %u and %u: fine and coarse score differ by %.3g; expected "
        "at most %.3g",
        pair->a, pair->b, fabs(off), set->bound);
}

/* ---- the guess ---- */

uint64_t assay_tiles_pairs(const assay_all_pairs *plan, uint64_t first, uint64_t end) {
    const uint64_t count = plan->templates->count;
    uint64_t pairs = 0;
    for (uint64_t tile = first; tile < end; tile++) {
        uint64_t row, column;
        assay_plan_tile_place(plan, tile, &row, &column);
        const uint64_t a = strip_size(count, row), b = strip_size(count, column);
        pairs += row == column ? a * (a - 1) / 2 : a * b;
    }
    return pairs;
}

bool assay_tail_sample_pays(const assay_all_pairs *plan, uint64_t pairs) {
    return pairs >= SAMPLE_WORTH_PAIRS && pairs / 4 >= plan->tail_limit;
}

uint64_t assay_tail_sample_size(uint64_t pairs) {
    const uint64_t wanted = pairs / SAMPLE_SHARE;
    return wanted < SAMPLE_PAIRS_MAX ? wanted : SAMPLE_PAIRS_MAX;
}

/* Lower edge of the bin in which the sample's rank-th coarse score from the top lies. */
static int64_t coarse_at_rank(const uint32_t *sample, double rank, int32_t lowest, uint32_t shift) {
    double above = 0;
    uint32_t bin = ASSAY_SAMPLE_BINS;
    while (bin > 0 && above < rank) above += sample[--bin];
    return (int64_t)lowest + ((int64_t)bin << shift);
}

int64_t assay_tail_guess(const assay_all_pairs *plan, const uint32_t *sample, uint64_t drawn,
                         uint64_t pairs) {
    const assay_quantised *set = plan->templates;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(set->comparator, &lowest, &shift, &bins);
    /* The tail's rank in the sample, with room for chance: pairs of a block share templates, so
     * their count spreads some times as much as independent ones would. */
    const double rank = (double)plan->tail_limit * ((double)drawn / (double)pairs);
    const double generous = rank * 1.04 + 8 * sqrt(rank) + 32;
    const int64_t coarse = coarse_at_rank(sample, generous, lowest, shift - ASSAY_SAMPLE_FINER);
    const int64_t fine = assay_score_to_fine(set, assay_coarse_to_score(set, coarse));
    return fine < plan->required_fine ? fine : plan->required_fine - 1;
}

bool assay_tail_certified(const assay_all_pairs *plan, int64_t guess, int64_t floor,
                          uint64_t kept) {
    /* A cut raised the floor above the guess; or one would. Below the lowest score asked for,
     * nothing is wanted anyhow once the limit is passed. */
    return floor > guess || kept > plan->tail_limit;
}
