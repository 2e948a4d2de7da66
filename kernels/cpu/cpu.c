/* cpu -- all pairs on the processor: products of coarse integers by serial OpenBLAS sgemm, exact by
 * construction (quantise.h), on own threads that take tiles from a queue.
 *
 * A tile's coarse scores are binned, and each that could reach the tail is scored again as a fine
 * one. What "could" means: whenever twice as many candidates have come together as the tail may
 * hold, they are cut to the tail's rule; the best fine score that was cut is a floor that no pair
 * of the tail is under, and a coarse score further than the set's bound below that floor need not
 * be looked at. So the result is exact whatever the order in which threads take tiles. */
#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/cpu_private.h"
#include "kernels/pairs_private.h"

enum {
    BATCH = 4096,           /* candidates that a thread scores before it hands them over */
    CUT_AT_LEAST = 1 << 16, /* candidates worth sorting */
    TELL_EVERY_MS = 100,
};

/* What the threads share. */
typedef struct {
    const assay_all_pairs *plan;
    const assay_backend_options *options;
    float *coarse; /* [count][length], the coarse integers as floats */
    uint64_t end;
    atomic_uint_least64_t next_tile;
    atomic_uint_least64_t done; /* pairs */
    atomic_bool stop;
    atomic_int_least64_t
        coarse_floor; /* a pair with a coarse score below this is not in the tail */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t finished;
    unsigned running;
    assay_scored_pair *kept; /* candidates with their fine scores */
    size_t capacity;
    uint64_t kept_count, cut_at;
    int64_t floor; /* every pair met with fine > floor is among the candidates */
    assay_status status;
    char error[4096];
} shared_work;

/* What each thread has of its own. */
typedef struct {
    shared_work *work;
    pthread_t thread;
    bool started;
    float *scores;       /* [ASSAY_TILE_EDGE][ASSAY_TILE_EDGE] */
    uint64_t *histogram; /* [histogram_length] */
    assay_scored_pair batch[BATCH];
    unsigned batch_count;
    assay_tally tally; /* counters only */
} worker;

/* ---- candidates for the tail ---- */

/* Coarse integer below which a pair's fine score is certainly <= floor: score - coarse score is at
 * most the bound. */
static int64_t coarse_floor_of(const assay_quantised *set, int64_t fine_floor) {
    if (fine_floor == INT64_MIN) return INT64_MIN;
    const double score = assay_fine_to_score(set, fine_floor) - set->bound;
    return (int64_t)floor(score * set->coarse_scale * set->coarse_scale) - 1;
}

/* Cuts the candidates by the tail's rule. Called with the lock held. */
static assay_status cut_candidates(shared_work *work) {
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
    if (work->cut_at < CUT_AT_LEAST) work->cut_at = CUT_AT_LEAST;
    atomic_store(&work->coarse_floor, coarse_floor_of(plan->templates, work->floor));
    return ASSAY_OK;
}

static assay_status hand_over(worker *self) {
    shared_work *work = self->work;
    for (unsigned n = 0; n < self->batch_count; n++) {
        assay_scored_pair *pair = &self->batch[n];
        pair->fine = assay_cpu_fine(work->plan->templates, pair->a, pair->b);
    }
    self->tally.rescored += self->batch_count;
    pthread_mutex_lock(&work->lock);
    assay_status status =
        assay_reserve(&work->kept, &work->capacity, (size_t)work->kept_count + self->batch_count,
                      sizeof *work->kept, "candidates for the tail");
    if (status == ASSAY_OK) {
        for (unsigned n = 0; n < self->batch_count; n++) {
            if (self->batch[n].fine > work->floor) work->kept[work->kept_count++] = self->batch[n];
        }
        if (work->kept_count >= work->cut_at) status = cut_candidates(work);
    }
    pthread_mutex_unlock(&work->lock);
    self->batch_count = 0;
    return status;
}

/* ---- tiles ---- */

/* A tile: places first_a … + size_a against first_b … + size_b, row-major scores. */
typedef struct {
    uint64_t first_a, size_a, first_b, size_b;
    bool diagonal;
    bool chosen[ASSAY_TILE_EDGE / ASSAY_BLOCK_EDGE][ASSAY_TILE_EDGE / ASSAY_BLOCK_EDGE];
} tile_place;

static tile_place place_tile(const assay_all_pairs *plan, uint64_t tile) {
    const uint64_t count = plan->templates->count;
    uint64_t row, column;
    assay_tile_place(count, tile, &row, &column);
    tile_place place = {.first_a = strip_first(row),
                        .size_a = strip_size(count, row),
                        .first_b = strip_first(column),
                        .size_b = strip_size(count, column),
                        .diagonal = row == column};
    const uint64_t blocks = ASSAY_TILE_EDGE / ASSAY_BLOCK_EDGE;
    for (uint64_t x = 0; x < blocks; x++) {
        for (uint64_t y = 0; y < blocks; y++) {
            place.chosen[x][y] = assay_block_chosen(plan, row * blocks + x, column * blocks + y);
        }
    }
    return place;
}

static void multiply_tile(const shared_work *work, const tile_place *place, float *scores) {
    const uint32_t length = work->plan->templates->length;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)place->size_a, (int)place->size_b,
                (int)length, 1.0f, work->coarse + (size_t)place->first_a * length, (int)length,
                work->coarse + (size_t)place->first_b * length, (int)length, 0.0f, scores,
                ASSAY_TILE_EDGE);
}

/* One row of a tile: place a against columns first … end - 1, all of one group and one choice of
 * block. scores is indexed by place. */
static assay_status take_run(worker *self, uint64_t a, uint64_t first, uint64_t end, bool chosen,
                             const float *scores) {
    const assay_all_pairs *plan = self->work->plan;
    const assay_quantised *set = plan->templates;
    const bool euclidean = set->comparator == ASSAY_EUCLIDEAN;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(set->comparator, &lowest, &shift, &bins);
    uint64_t *histogram =
        chosen ? self->histogram +
                     group_pair_index(plan->group_count, plan->group[a], plan->group[first]) * bins
               : NULL;
    const uint32_t subject = plan->subject[a];
    const int64_t coarse_floor =
        atomic_load_explicit(&self->work->coarse_floor, memory_order_relaxed);
    uint64_t same_subject = 0;
    for (uint64_t b = first; b < end; b++) {
        if (plan->subject[b] == subject) {
            same_subject++;
            continue;
        }
        int32_t coarse = (int32_t)scores[b - first];
        if (euclidean) coarse = 2 * coarse - set->coarse_norm[a] - set->coarse_norm[b];
        if (chosen) histogram[(uint32_t)(coarse - lowest) >> shift]++;
        if (coarse < coarse_floor) continue;
        self->batch[self->batch_count++] =
            (assay_scored_pair){.coarse = coarse, .a = (uint32_t)a, .b = (uint32_t)b};
        if (self->batch_count == BATCH) {
            const assay_status status = hand_over(self);
            if (status != ASSAY_OK) return status;
        }
    }
    const uint64_t compared = end - first - same_subject;
    self->tally.same_subject += same_subject;
    self->tally.non_mated += compared;
    if (chosen) self->tally.histogram_pairs += compared;
    return ASSAY_OK;
}

static assay_status take_row(worker *self, const tile_place *place, uint64_t a) {
    const assay_all_pairs *plan = self->work->plan;
    const float *row = self->scores + (size_t)(a - place->first_a) * ASSAY_TILE_EDGE;
    const uint64_t last = place->first_b + place->size_b;
    uint64_t b = place->diagonal ? a + 1 : place->first_b;
    while (b < last) {
        /* A run has one group, one side and one block of the sampled histogram. */
        const uint64_t block_end = (b / ASSAY_BLOCK_EDGE + 1) * ASSAY_BLOCK_EDGE;
        uint64_t end = b + 1;
        while (end < last && end < block_end && plan->group[end] == plan->group[b] &&
               plan->side[end] == plan->side[b]) {
            end++;
        }
        if (sides_allow(plan, a, b)) {
            const bool chosen = place->chosen[(a - place->first_a) / ASSAY_BLOCK_EDGE]
                                             [(b - place->first_b) / ASSAY_BLOCK_EDGE];
            const assay_status status =
                take_run(self, a, b, end, chosen, row + (b - place->first_b));
            if (status != ASSAY_OK) return status;
        } else {
            self->tally.other_side += end - b;
        }
        b = end;
    }
    return ASSAY_OK;
}

static assay_status take_tile(worker *self, uint64_t tile) {
    const tile_place place = place_tile(self->work->plan, tile);
    multiply_tile(self->work, &place, self->scores);
    for (uint64_t a = place.first_a; a < place.first_a + place.size_a; a++) {
        const assay_status status = take_row(self, &place, a);
        if (status != ASSAY_OK) return status;
    }
    const uint64_t pairs =
        place.diagonal ? place.size_a * (place.size_a - 1) / 2 : place.size_a * place.size_b;
    atomic_fetch_add(&self->work->done, pairs);
    return ASSAY_OK;
}

static void *work_on_tiles(void *argument) {
    worker *self = argument;
    shared_work *work = self->work;
    assay_status status = ASSAY_OK;
    while (status == ASSAY_OK && !atomic_load(&work->stop)) {
        const uint64_t tile = atomic_fetch_add(&work->next_tile, 1);
        if (tile >= work->end) break;
        status = take_tile(self, tile);
    }
    if (status == ASSAY_OK && self->batch_count > 0) status = hand_over(self);
    pthread_mutex_lock(&work->lock);
    if (status != ASSAY_OK && work->status == ASSAY_OK) {
        work->status = status;
        snprintf(work->error, sizeof work->error, "%s", assay_error_text());
        atomic_store(&work->stop, true);
    }
    work->running--;
    pthread_cond_signal(&work->finished);
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* ---- the whole ---- */

static assay_status start_workers(shared_work *work, worker *workers, unsigned count) {
    const uint64_t bins = histogram_length_of(work->plan);
    for (unsigned n = 0; n < count; n++) {
        workers[n].work = work;
        assay_status status =
            assay_allocate_aligned(&workers[n].scores, (size_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE,
                                   sizeof(float), "a tile of scores");
        if (status != ASSAY_OK) return status;
        status =
            assay_allocate(&workers[n].histogram, (size_t)bins, sizeof(uint64_t), "histograms");
        if (status != ASSAY_OK) return status;
    }
    for (unsigned n = 0; n < count; n++) {
        pthread_mutex_lock(&work->lock);
        work->running++;
        pthread_mutex_unlock(&work->lock);
        if (pthread_create(&workers[n].thread, NULL, work_on_tiles, &workers[n]) != 0) {
            pthread_mutex_lock(&work->lock);
            work->running--;
            pthread_mutex_unlock(&work->lock);
            return assay_fail(ASSAY_FAILED, "cannot start thread %u of %u", n + 1, count);
        }
        workers[n].started = true;
    }
    return ASSAY_OK;
}

/* Tells how far the threads are until all have ended. false where the listener asks to stop. */
static bool watch_workers(shared_work *work) {
    const assay_backend_options *options = work->options;
    bool going_on = true;
    pthread_mutex_lock(&work->lock);
    while (work->running > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)TELL_EVERY_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&work->finished, &work->lock, &until);
        if (!going_on) continue;
        pthread_mutex_unlock(&work->lock);
        going_on = assay_progress_tell(options->progress, "compare", "pairs",
                                       options->progress_done + atomic_load(&work->done),
                                       options->progress_total);
        if (!going_on) atomic_store(&work->stop, true);
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
    return going_on;
}

static void add_counters(assay_tally *into, const worker *from) {
    into->non_mated += from->tally.non_mated;
    into->same_subject += from->tally.same_subject;
    into->other_side += from->tally.other_side;
    into->histogram_pairs += from->tally.histogram_pairs;
    into->rescored += from->tally.rescored;
    for (uint64_t n = 0; n < into->histogram_length; n++) into->histogram[n] += from->histogram[n];
}

/* Candidates that come together at most before they are cut: the pairs of the tiles, or twice the
 * limit and what the threads hand over on top. */
static uint64_t most_candidates(const assay_all_pairs *plan, unsigned threads) {
    const uint64_t n = plan->templates->count;
    const uint64_t pairs = n % 2 == 0 ? n / 2 * (n - (n > 0)) : (n - 1) / 2 * n;
    uint64_t most = 2 * plan->tail_limit;
    if (most < CUT_AT_LEAST) most = CUT_AT_LEAST;
    most += (uint64_t)threads * BATCH;
    return most < pairs ? most : pairs;
}

static assay_status prepare_work(shared_work *work, uint64_t first, unsigned threads) {
    const assay_quantised *set = work->plan->templates;
    const size_t cells = (size_t)set->count * set->length;
    atomic_init(&work->next_tile, first);
    atomic_init(&work->coarse_floor, coarse_floor_of(set, work->floor));
    work->cut_at = 2 * work->plan->tail_limit;
    if (work->cut_at < CUT_AT_LEAST) work->cut_at = CUT_AT_LEAST;
    assay_status status =
        assay_allocate_aligned(&work->coarse, cells, sizeof(float), "coarse templates as floats");
    if (status != ASSAY_OK) return status;
    /* All the room at once: pages count only when they are written, and growing would copy. */
    work->capacity = (size_t)most_candidates(work->plan, threads);
    status =
        assay_allocate(&work->kept, work->capacity, sizeof *work->kept, "candidates for the tail");
    if (status != ASSAY_OK) return status;
    for (size_t k = 0; k < cells; k++) work->coarse[k] = set->coarse[k];
    return ASSAY_OK;
}

static assay_status all_pairs(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                              const assay_backend_options *options, assay_tally *out) {
    shared_work work = {.plan = plan,
                        .options = options,
                        .end = end,
                        .floor = options->known_floor,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .finished = PTHREAD_COND_INITIALIZER};
    assay_tally tally = {.histogram_length = histogram_length_of(plan)};
    const unsigned threads = options->threads > 0 ? options->threads : 1;
    worker *workers = NULL;
    assay_status status = prepare_work(&work, first, threads);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&workers, threads, sizeof *workers, "threads");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&tally.histogram, (size_t)tally.histogram_length, sizeof(uint64_t),
                            "histograms");
    if (status != ASSAY_OK) goto out;
    status = start_workers(&work, workers, threads);
    if (status != ASSAY_OK) atomic_store(&work.stop, true);
    const bool going_on = watch_workers(&work);
    if (status != ASSAY_OK) goto out;
    if (work.status != ASSAY_OK) {
        status = assay_fail(work.status, "%s", work.error);
        goto out;
    }
    if (!going_on) {
        status = assay_fail(ASSAY_FAILED, "interrupted after %" PRIu64 " pairs",
                            (uint64_t)atomic_load(&work.done));
        goto out;
    }
    for (unsigned n = 0; n < threads; n++) add_counters(&tally, &workers[n]);
    status = cut_candidates(&work);
    if (status != ASSAY_OK) goto out;
    tally.tail = work.kept;
    tally.tail_count = work.kept_count;
    tally.tail_floor = work.floor;
    work.kept = NULL;
    *out = tally;
    tally = (assay_tally){0};
out:
    for (unsigned n = 0; workers != NULL && n < threads; n++) {
        if (workers[n].started) pthread_join(workers[n].thread, NULL);
        free(workers[n].scores);
        free(workers[n].histogram);
    }
    free(workers);
    free(work.coarse);
    free(work.kept);
    assay_tally_free(&tally);
    return status;
}

/* ---- what it says of itself ---- */

/* A product whose every sum is close to 2^24: exact, or this library is not for us. */
static bool product_is_exact(void) {
    enum { LENGTH = 64 };
    float x[2 * LENGTH], product[4];
    for (int k = 0; k < 2 * LENGTH; k++) x[k] = (float)(k % 2 == 0 ? 511 : -511);
    for (int k = LENGTH; k < 2 * LENGTH; k++) x[k] -= 1;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, 2, 2, LENGTH, 1.0f, x, LENGTH, x, LENGTH,
                0.0f, product, 2);
    for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 2; b++) {
            int64_t sum = 0;
            for (int k = 0; k < LENGTH; k++) {
                sum += (int64_t)x[a * LENGTH + k] * (int64_t)x[b * LENGTH + k];
            }
            if ((int64_t)product[a * 2 + b] != sum) return false;
        }
    }
    return true;
}

static assay_status probe(char *out_line, size_t size) {
    enum { OPENMP = 2 };
    if (openblas_get_parallel() == OPENMP) {
        return assay_fail(ASSAY_DECLINED, "OpenBLAS is built with OpenMP, which hangs in workers; "
                                          "expected the serial or the pthread build");
    }
    openblas_set_num_threads(1);
    if (!product_is_exact()) {
        return assay_fail(ASSAY_DECLINED, "OpenBLAS (%s) gets a product of integers wrong",
                          openblas_get_corename());
    }
    snprintf(out_line, size, "serial OpenBLAS sgemm (%s) on coarse integers, own threads",
             openblas_get_corename());
    return ASSAY_OK;
}

static uint64_t memory(const assay_all_pairs *plan, unsigned threads) {
    const uint64_t n = plan->templates->count, kept = most_candidates(plan, threads);
    /* Candidates, the sort's copy of them, tiles and histograms of each thread, templates as
     * floats. */
    return kept * 2 * sizeof(assay_scored_pair) +
           threads *
               ((uint64_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE * sizeof(float) + sizeof(worker)) +
           (threads + 1) * histogram_length_of(plan) * sizeof(uint64_t) +
           n * plan->templates->length * sizeof(float);
}

extern const assay_backend assay_backend_cpu;
const assay_backend assay_backend_cpu = {
    .name = "cpu",
    .purpose = "OpenBLAS products of coarse integers on own threads, the tail scored again",
    .probe = probe,
    .memory = memory,
    .all_pairs = all_pairs,
    .score_pairs = assay_cpu_score_pairs,
};
