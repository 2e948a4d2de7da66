/* cpu_tail -- which pairs may be in the tail, without scoring all of them finely.
 *
 * A floor is a fine score that nothing of the tail is at or below. Every pair whose coarse score
 * comes within the set's bound of the floor is a candidate and gets its fine score. When twice as
 * many candidates are there as the tail may hold, they are cut by the tail's rule, and what was cut
 * raises the floor. To begin with, a small sample guesses the floor. The guess is certified
 * afterwards: more pairs above it than the limit prove that nothing at or below it belongs to the
 * tail. A guess that fails is dropped and the tiles are done again. So the tail is exact whatever
 * was guessed, and whatever the order of threads. */
#include <inttypes.h>
#include <math.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "kernels/cpu/cpu_private.h"
#include "kernels/pairs_private.h"

enum {
    SAMPLE_BINS = 1 << 16,
    SAMPLE_SHARE = 64,  /* one pair in so many */
    SAMPLE_COLUMNS = 4, /* blocks for each packed row of blocks */
    SAMPLE_PAIRS_MAX = 8 << 20,
    SAMPLE_WORTH_PAIRS = 1 << 22, /* fewer pairs than this are not sampled */
    SAMPLE_STREAM = 0x7461696c,
    FETCH_AHEAD = 2, /* candidates whose templates are on their way */
};

int32_t assay_cpu_coarse_floor(const assay_quantised *set, int64_t fine_floor) {
    if (fine_floor == INT64_MIN) return INT32_MIN;
    const double score = assay_fine_to_score(set, fine_floor) - set->bound;
    const double coarse = floor(score * set->coarse_scale * set->coarse_scale) - 1;
    if (coarse < INT32_MIN) return INT32_MIN;
    return coarse > INT32_MAX ? INT32_MAX : (int32_t)coarse;
}

uint64_t assay_cpu_most_candidates(const assay_all_pairs *plan, unsigned threads) {
    const uint64_t n = plan->templates->count;
    const uint64_t pairs = assay_pair_count(n);
    uint64_t most = 2 * plan->tail_limit;
    if (most < CANDIDATES_MIN) most = CANDIDATES_MIN;
    most += (uint64_t)threads * CANDIDATE_BATCH;
    return most < pairs ? most : pairs;
}

assay_status assay_cpu_cut(cpu_work *work) {
    const assay_all_pairs *plan = work->plan;
    work->kept_count = assay_tail_cut(work->kept, work->kept_count, plan->tail_limit,
                                      plan->required_fine, &work->floor);
    if (work->kept_count > plan->tail_cap) {
        return assay_fail(ASSAY_USAGE,
                          "more than %" PRIu64 " non-mated pairs (the tail's cap) reach the lowest "
                          "threshold that was given; expected a higher threshold or a larger cap",
                          plan->tail_cap);
    }
    work->cut_at = 2 * (work->kept_count > plan->tail_limit ? work->kept_count : plan->tail_limit);
    if (work->cut_at < CANDIDATES_MIN) work->cut_at = CANDIDATES_MIN;
    atomic_store(&work->coarse_floor, assay_cpu_coarse_floor(plan->templates, work->floor));
    return ASSAY_OK;
}

/* The bound is what makes the tail exact, so every pair that is scored both ways is held against
 * it. */
static assay_status check_bound(const assay_quantised *set, double fine_unit, double coarse_unit,
                                const assay_scored_pair *pair) {
    const double off = (double)pair->fine * fine_unit - pair->coarse * coarse_unit;
    if (fabs(off) <= set->bound) return ASSAY_OK;
    return assay_fail(
        ASSAY_DISAGREES,
        "templates at places %u and %u: fine and coarse score differ by %.3g; expected "
        "at most %.3g",
        pair->a, pair->b, fabs(off), set->bound);
}

assay_status assay_cpu_hand_over(cpu_worker *self) {
    cpu_work *work = self->work;
    const assay_quantised *set = work->plan->templates;
    const double fine_unit = assay_fine_to_score(set, 1);
    const double coarse_unit = assay_coarse_to_score(set, 1);
    assay_status status = ASSAY_OK;
    for (unsigned n = 0; n < self->batch_count; n++) {
        assay_scored_pair *pair = &self->batch[n];
        if (n + FETCH_AHEAD < self->batch_count) {
            assay_cpu_fetch(set, pair[FETCH_AHEAD].a, pair[FETCH_AHEAD].b);
        }
        pair->fine = assay_cpu_fine(set, pair->a, pair->b);
        status = check_bound(set, fine_unit, coarse_unit, pair);
        if (status != ASSAY_OK) return status;
    }
    self->tally.rescored += self->batch_count;
    pthread_mutex_lock(&work->lock);
    status =
        assay_reserve(&work->kept, &work->capacity, (size_t)work->kept_count + self->batch_count,
                      sizeof *work->kept, "candidates for the tail");
    if (status == ASSAY_OK) {
        for (unsigned n = 0; n < self->batch_count; n++) {
            if (self->batch[n].fine > work->floor) work->kept[work->kept_count++] = self->batch[n];
        }
        if (work->kept_count >= work->cut_at) status = assay_cpu_cut(work);
    }
    pthread_mutex_unlock(&work->lock);
    self->batch_count = 0;
    return status;
}

/* ---- the guess ---- */

static uint64_t pairs_of_tiles(uint64_t count, uint64_t first, uint64_t end) {
    uint64_t pairs = 0;
    for (uint64_t tile = first; tile < end; tile++) {
        uint64_t row, column;
        assay_tile_place(count, tile, &row, &column);
        const uint64_t a = strip_size(count, row), b = strip_size(count, column);
        pairs += row == column ? a * (a - 1) / 2 : a * b;
    }
    return pairs;
}

/* Samples SAMPLE_COLUMNS random blocks beside one another in row, of a random row of blocks of a
 * random tile of the range. */
static void sample_blocks(cpu_worker *self, assay_random *random, uint64_t first, uint64_t end,
                          uint32_t shift, uint32_t *sample, uint64_t *drawn) {
    const uint64_t count = self->work->plan->templates->count;
    const unsigned rows = self->work->kernel->rows;
    const double tiles = (double)(end - first);
    uint64_t row, column;
    assay_tile_place(count, first + (uint64_t)(assay_random_uniform(random) * tiles), &row,
                     &column);
    const uint64_t height = strip_size(count, row), width = strip_size(count, column);
    const uint32_t row_blocks = (uint32_t)((height + rows - 1) / rows);
    const uint32_t column_blocks =
        (uint32_t)((width + ASSAY_MICRO_COLUMNS - 1) / ASSAY_MICRO_COLUMNS);
    const uint64_t a = strip_first(row) + (uint64_t)assay_random_below(random, row_blocks) * rows;
    for (int n = 0; n < SAMPLE_COLUMNS; n++) {
        const uint64_t b =
            strip_first(column) +
            (uint64_t)assay_random_below(random, column_blocks) * ASSAY_MICRO_COLUMNS;
        assay_cpu_sample_block(self, a, b, shift, sample, drawn);
    }
}

/* Lower edge of the bin in which the sample's rank-th coarse score from the top lies. */
static int64_t coarse_at_rank(const uint32_t *sample, double rank, int32_t lowest, uint32_t shift) {
    double above = 0;
    uint32_t bin = SAMPLE_BINS;
    while (bin > 0 && above < rank) above += sample[--bin];
    return (int64_t)lowest + ((int64_t)bin << shift);
}

assay_status assay_cpu_guess_floor(cpu_worker *self, uint64_t first, uint64_t end, int64_t *out) {
    const assay_all_pairs *plan = self->work->plan;
    const assay_quantised *set = plan->templates;
    *out = INT64_MIN;
    if (self->work->kernel->rows == 0) return ASSAY_OK; /* OpenBLAS has no small blocks */
    const uint64_t pairs = pairs_of_tiles(set->count, first, end);
    if (pairs < SAMPLE_WORTH_PAIRS || pairs / 4 < plan->tail_limit) return ASSAY_OK;
    uint32_t *sample = NULL;
    const assay_status status =
        assay_allocate(&sample, SAMPLE_BINS, sizeof *sample, "the sample's histogram");
    if (status != ASSAY_OK) return status;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(set->comparator, &lowest, &shift, &bins);
    shift -= 4; /* sixteen times as fine as the histogram */
    assay_random random;
    assay_random_start(&random, plan->bins_seed, SAMPLE_STREAM);
    uint64_t wanted = pairs / SAMPLE_SHARE, drawn = 0;
    if (wanted > SAMPLE_PAIRS_MAX) wanted = SAMPLE_PAIRS_MAX;
    while (drawn < wanted) sample_blocks(self, &random, first, end, shift, sample, &drawn);
    self->rows_first = UINT64_MAX;
    /* The tail's rank in the sample, with room for chance: pairs of a block share templates, so
     * their count spreads some times as much as independent ones would. */
    const double rank = (double)plan->tail_limit * ((double)drawn / (double)pairs);
    const double generous = rank * 1.04 + 8 * sqrt(rank) + 32;
    const int64_t coarse = coarse_at_rank(sample, generous, lowest, shift);
    free(sample);
    const int64_t fine = assay_score_to_fine(set, assay_coarse_to_score(set, coarse));
    *out = fine < plan->required_fine ? fine : plan->required_fine - 1;
    return ASSAY_OK;
}

bool assay_cpu_certified(const cpu_work *work, int64_t guess) {
    /* A cut raised the floor above the guess; or one would. Below the lowest score asked for,
     * nothing is wanted anyhow once the limit is passed. */
    return work->floor > guess || work->kept_count > work->plan->tail_limit;
}
