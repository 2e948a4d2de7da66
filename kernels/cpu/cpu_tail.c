/* cpu_tail -- the candidates of the cpu backend's threads, and the sample that guesses their floor
 * (kernels/tail_private.h has the idea and the arithmetic). */
#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "kernels/cpu/cpu_private.h"
#include "kernels/pairs_private.h"
#include "kernels/tail_private.h"

enum {
    SAMPLE_COLUMNS = 4, /* blocks for each packed row of blocks */
    SAMPLE_STREAM = 0x7461696c,
    FETCH_AHEAD = 2, /* candidates whose templates are on their way */
};

uint64_t assay_cpu_most_candidates(const assay_all_pairs *plan, unsigned threads) {
    return assay_tail_most_candidates(plan, (uint64_t)threads * CANDIDATE_BATCH);
}

assay_status assay_cpu_cut(cpu_work *work) {
    const assay_all_pairs *plan = work->plan;
    /* The guess is not certified yet: what earlier ranges gave may lie below it and count. */
    int64_t floor = work->options->known_floor;
    work->kept_count = assay_tail_trim(work->kept, work->kept_count, plan->tail_limit,
                                       plan->required_fine, &floor);
    if (floor > work->floor) work->floor = floor;
    const assay_status status = assay_tail_check_cap(plan, work->kept_count);
    if (status != ASSAY_OK) return status;
    work->cut_at = assay_tail_cut_at(plan, work->kept_count);
    atomic_store(&work->coarse_floor, assay_tail_coarse_floor(plan->templates, work->floor));
    assay_cpu_screen_floor(work, work->floor);
    return ASSAY_OK;
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
        status = assay_tail_check_bound(set, fine_unit, coarse_unit, pair);
        if (status != ASSAY_OK) return status;
    }
    self->tally.rescored += self->batch_count;
    pthread_mutex_lock(&work->lock);
    status =
        assay_reserve(&work->kept, &work->capacity, (size_t)work->kept_count + self->batch_count,
                      sizeof *work->kept, "candidates for the tail");
    if (status == ASSAY_OK) {
        for (unsigned n = 0; n < self->batch_count; n++) {
            assay_scored_pair *pair = &self->batch[n];
            if (pair->fine <= work->floor) continue;
            pair->a = (uint32_t)whole_place(work->plan, pair->a);
            pair->b = (uint32_t)whole_place(work->plan, pair->b);
            work->kept[work->kept_count++] = *pair;
        }
        if (work->kept_count >= work->cut_at) status = assay_cpu_cut(work);
    }
    pthread_mutex_unlock(&work->lock);
    self->batch_count = 0;
    return status;
}

/* ---- the guess ---- */

/* Samples SAMPLE_COLUMNS random blocks beside one another in row, of a random row of blocks of a
 * random tile of the range. */
static void sample_blocks(cpu_worker *self, assay_random *random, uint64_t first, uint64_t end,
                          uint32_t shift, uint32_t *sample, uint64_t *drawn) {
    const uint64_t count = self->work->plan->templates->count;
    const unsigned rows = block_rows(self->work);
    const double tiles = (double)(end - first);
    uint64_t row, column;
    assay_plan_tile_place(self->work->plan,
                          first + (uint64_t)(assay_random_uniform(random) * tiles), &row, &column);
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

assay_status assay_cpu_guess_floor(cpu_worker *self, uint64_t first, uint64_t end, int64_t *out) {
    const assay_all_pairs *plan = self->work->plan;
    const assay_quantised *set = plan->templates;
    *out = INT64_MIN;
    if (self->work->kernel->rows == 0) return ASSAY_OK; /* OpenBLAS has no small blocks */
    const uint64_t pairs = assay_tiles_pairs(plan, first, end);
    if (!assay_tail_sample_pays(plan, pairs)) return ASSAY_OK;
    uint32_t *sample = NULL;
    const assay_status status =
        assay_allocate(&sample, ASSAY_SAMPLE_BINS, sizeof *sample, "the sample's histogram");
    if (status != ASSAY_OK) return status;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(set->comparator, &lowest, &shift, &bins);
    shift -= ASSAY_SAMPLE_FINER;
    assay_random random;
    assay_random_start(&random, plan->bins_seed, SAMPLE_STREAM);
    const uint64_t wanted = assay_tail_sample_size(pairs);
    uint64_t drawn = 0;
    while (drawn < wanted) sample_blocks(self, &random, first, end, shift, sample, &drawn);
    self->rows_first = UINT64_MAX;
    *out = assay_tail_guess(plan, sample, drawn, pairs);
    if (self->work->screen.kernel != NULL &&
        !assay_cpu_screen_pays(self->work, *out, sample, drawn)) {
        assay_cpu_screen_close(self->work);
    }
    free(sample);
    return ASSAY_OK;
}

bool assay_cpu_certified(const cpu_work *work, int64_t guess) {
    uint64_t above = 0;
    for (uint64_t n = 0; n < work->kept_count; n++) above += work->kept[n].fine > guess;
    return assay_tail_certified(work->plan, guess, work->floor, above);
}
