/* hamming_walk -- all pairs of binary templates: own threads take tiles from a queue.
 *
 * What could reach the tail: whenever twice as many candidates have come together as the tail may
 * hold, they are cut to the tail's rule; the best fine score that was cut is a floor that nothing
 * of the tail is at or below, and threads drop what lies below it. So the result is exact whatever
 * the order in which tiles are taken. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/hamming_private.h"
#include "kernels/pairs_private.h"

enum {
    BATCH = 4096,           /* candidates that a thread collects before it hands them over */
    CUT_AT_LEAST = 1 << 14, /* candidates worth cutting */
    TELL_EVERY_MS = 100,
};

/* What the threads share. */
typedef struct {
    const assay_hamming_path *path;
    const assay_hamming_set *set; /* of the plan */
    const assay_all_pairs *plan;
    const assay_backend_options *options;
    uint64_t end;
    atomic_uint_least64_t next_tile;
    atomic_uint_least64_t done; /* pairs */
    atomic_bool stop;
    atomic_int_least64_t known_floor; /* floor, for threads to read without the lock */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t finished;
    unsigned running;
    assay_scored_pair *kept; /* candidates with their fine scores */
    size_t capacity;
    uint64_t kept_count, cut_at;
    int64_t floor; /* every pair met with fine > floor is among the candidates */
    assay_failed_pair *failed;
    size_t failed_capacity;
    uint64_t failed_count;
    assay_status status;
    char error[4096];
} shared_work;

/* Columns of a tile of one group, one side and one block of the sampled histogram. */
typedef struct {
    uint64_t first, end;
} column_run;

/* What each thread has of its own. */
typedef struct {
    shared_work *work;
    pthread_t thread;
    bool started;
    assay_hamming_word *scratch; /* [word_count] */
    uint64_t *panel;             /* [word_count][2][lanes] */
    int32_t *agreeing, *valid;   /* [ASSAY_TILE_EDGE][HAMMING_STRIDE] */
    uint64_t *histogram;         /* [histogram_length] */
    column_run runs[ASSAY_TILE_EDGE];
    unsigned run_count;
    uint32_t subjects[ASSAY_TILE_EDGE]; /* of the tile's columns */
    assay_hamming_grading row;
    assay_scored_pair batch[BATCH];
    unsigned batch_count;
    assay_failed_pair failed[BATCH];
    unsigned failed_count;
    assay_tally tally; /* counters only */
} worker;

/* ---- candidates for the tail ---- */

/* With the lock held, or alone. */
static assay_status cut_candidates(shared_work *work) {
    const assay_all_pairs *plan = work->plan;
    work->kept_count = assay_tail_trim(work->kept, work->kept_count, plan->tail_limit,
                                       plan->required_fine, &work->floor);
    atomic_store(&work->known_floor, work->floor);
    if (work->kept_count > plan->tail_cap) {
        return assay_fail(ASSAY_USAGE,
                          "more than %" PRIu64 " non-mated pairs (the tail's cap) reach the lowest "
                          "threshold that was given; expected a higher threshold or a larger cap",
                          plan->tail_cap);
    }
    work->cut_at = 2 * (work->kept_count > plan->tail_limit ? work->kept_count : plan->tail_limit);
    if (work->cut_at < CUT_AT_LEAST) work->cut_at = CUT_AT_LEAST;
    return ASSAY_OK;
}

static assay_status hand_over(worker *self) {
    shared_work *work = self->work;
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

static assay_status take_candidate(worker *self, uint64_t a, uint64_t b, uint32_t agreeing,
                                   uint32_t valid) {
    const int64_t fine = assay_hamming_fine(agreeing, valid);
    self->tally.rescored++;
    if (fine <= atomic_load_explicit(&self->work->known_floor, memory_order_relaxed)) {
        return ASSAY_OK;
    }
    self->batch[self->batch_count++] =
        (assay_scored_pair){.fine = fine,
                            .coarse = assay_hamming_coarse(agreeing, valid),
                            .a = (uint32_t)a,
                            .b = (uint32_t)b};
    return self->batch_count == BATCH ? hand_over(self) : ASSAY_OK;
}

/* ---- pairs that failed to compare ---- */

static assay_status hand_over_failed(worker *self) {
    shared_work *work = self->work;
    pthread_mutex_lock(&work->lock);
    const uint64_t count = work->failed_count + self->failed_count;
    assay_status status = assay_failed_check(work->plan, count);
    if (status == ASSAY_OK) {
        status = assay_reserve(&work->failed, &work->failed_capacity, (size_t)count,
                               sizeof *work->failed, "pairs that failed to compare");
    }
    if (status == ASSAY_OK) {
        memcpy(work->failed + work->failed_count, self->failed,
               self->failed_count * sizeof *self->failed);
        work->failed_count = count;
    }
    pthread_mutex_unlock(&work->lock);
    self->failed_count = 0;
    return status;
}

static assay_status take_failed(worker *self, uint64_t a, uint64_t b) {
    self->failed[self->failed_count++] = (assay_failed_pair){.a = (uint32_t)a, .b = (uint32_t)b};
    return self->failed_count == BATCH ? hand_over_failed(self) : ASSAY_OK;
}

/* ---- tiles ---- */

/* A tile: places first_a … + size_a against first_b … + size_b. */
typedef struct {
    uint64_t first_a, size_a, first_b, size_b;
    bool diagonal;
    bool chosen[ASSAY_TILE_EDGE / ASSAY_BLOCK_EDGE][ASSAY_TILE_EDGE / ASSAY_BLOCK_EDGE];
} tile_place;

static tile_place place_tile(const shared_work *work, uint64_t tile) {
    const uint64_t count = work->set->count;
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
            place.chosen[x][y] =
                assay_block_chosen(work->plan, row * blocks + x, column * blocks + y);
        }
    }
    return place;
}

static void describe_columns(worker *self, const tile_place *place) {
    const assay_all_pairs *plan = self->work->plan;
    const uint64_t last = place->first_b + place->size_b;
    self->run_count = 0;
    uint64_t b = place->first_b;
    while (b < last) {
        const uint64_t block_end = (b / ASSAY_BLOCK_EDGE + 1) * ASSAY_BLOCK_EDGE;
        uint64_t end = b + 1;
        while (end < last && end < block_end && plan->group[end] == plan->group[b] &&
               plan->side[end] == plan->side[b]) {
            end++;
        }
        self->runs[self->run_count++] = (column_run){b, end};
        b = end;
    }
    memcpy(self->subjects, plan->subject + place->first_b,
           (size_t)place->size_b * sizeof *self->subjects);
}

/* The best fraction of every pair of the tile, and of some below the diagonal. */
static void compare_tile(worker *self, const tile_place *place) {
    const assay_hamming_path *path = self->work->path;
    const assay_hamming_set *set = self->work->set;
    const int32_t shifts = (int32_t)set->rule.shifts;
    const size_t cells = (size_t)place->size_a * HAMMING_STRIDE;
    memset(self->agreeing, 0xff, cells * sizeof *self->agreeing); /* -1 */
    memset(self->valid, 1, cells * sizeof *self->valid);          /* positive */
    for (uint64_t column = 0; column < place->size_b; column += path->lanes) {
        const uint64_t left = place->size_b - column;
        const uint32_t size = left < path->lanes ? (uint32_t)left : path->lanes;
        /* Of the diagonal's rows only those above the panel's last column. */
        const uint64_t rows = place->diagonal ? column + size - 1 : place->size_a;
        const assay_hamming_task task = {.rows =
                                             set->words + (size_t)place->first_a * set->word_count,
                                         .panel = self->panel,
                                         .row_count = (uint32_t)rows,
                                         .word_count = set->word_count,
                                         .minimum_valid_bits = set->rule.minimum_valid_bits,
                                         .agreeing = self->agreeing + column,
                                         .valid = self->valid + column};
        for (int32_t shift = -shifts; shift <= shifts; shift++) {
            assay_hamming_pack(set, place->first_b + column, size, shift, path->lanes,
                               self->scratch, self->panel);
            path->count(&task);
        }
    }
}

/* Takes a marked column out of what its run counted: a failed pair, one of the row's subject, or a
 * candidate. histogram is the run's, NULL where its block is not chosen. */
static assay_status take_marked(worker *self, const tile_place *place, uint64_t a, uint64_t b,
                                uint64_t *histogram) {
    const assay_hamming_grading *row = &self->row;
    const size_t column = (size_t)(b - place->first_b);
    const bool same_subject = row->subjects[column] == row->subject;
    if (!same_subject && row->agreeing[column] >= 0) {
        return take_candidate(self, a, b, (uint32_t)row->agreeing[column],
                              (uint32_t)row->valid[column]);
    }
    self->tally.non_mated--;
    if (histogram != NULL) {
        histogram[row->bins[column]]--;
        self->tally.histogram_pairs--;
    }
    if (!same_subject) return take_failed(self, a, b);
    self->tally.same_subject++;
    return ASSAY_OK;
}

static assay_status take_run(worker *self, const tile_place *place, uint64_t a, uint64_t first,
                             uint64_t end) {
    const assay_all_pairs *plan = self->work->plan;
    const uint64_t block_a = (a - place->first_a) / ASSAY_BLOCK_EDGE;
    const uint64_t block_b = (first - place->first_b) / ASSAY_BLOCK_EDGE;
    const uint64_t group_pair =
        group_pair_index(plan->group_count, plan->group[a], plan->group[first]);
    uint64_t *histogram =
        place->chosen[block_a][block_b] ? self->histogram + group_pair * ASSAY_COARSE_BINS : NULL;
    const size_t from = (size_t)(first - place->first_b), to = (size_t)(end - place->first_b);
    self->tally.non_mated += end - first;
    if (histogram != NULL) {
        for (size_t n = from; n < to; n++) histogram[self->row.bins[n]]++;
        self->tally.histogram_pairs += end - first;
    }
    const uint8_t *marks = self->row.marks;
    for (const uint8_t *at = marks + from; (at = memchr(at, 1, (size_t)(marks + to - at))); at++) {
        const assay_status status =
            take_marked(self, place, a, place->first_b + (uint64_t)(at - marks), histogram);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

/* The fraction from which on a pair is a candidate. A quotient in double is within 2^-54 of x/n and
 * a fine score within 2^-53, so one unit of fine is room enough. */
static double edge_of(const shared_work *work) {
    const int64_t floor = atomic_load_explicit(&work->known_floor, memory_order_relaxed);
    return floor < 1 ? 0 : (double)(floor - 1) * 0x1p-52;
}

static assay_status take_row(worker *self, const tile_place *place, uint64_t a) {
    const assay_all_pairs *plan = self->work->plan;
    const size_t at = (size_t)(a - place->first_a) * HAMMING_STRIDE;
    self->row.agreeing = self->agreeing + at;
    self->row.valid = self->valid + at;
    self->row.subjects = self->subjects;
    self->row.subject = plan->subject[a];
    self->row.edge = edge_of(self->work);
    self->work->path->grade(&self->row);
    /* gcc would turn the increments of the histogram into extractions from the vectors that the
     * bins were computed in: several times as slow. */
    __asm__ volatile("" ::: "memory");
    for (unsigned n = 0; n < self->run_count; n++) {
        uint64_t first = self->runs[n].first;
        const uint64_t end = self->runs[n].end;
        if (place->diagonal && first <= a) first = a + 1;
        if (first >= end) continue;
        if (!sides_allow(plan, a, first)) {
            self->tally.other_side += end - first;
            continue;
        }
        const assay_status status = take_run(self, place, a, first, end);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status take_tile(worker *self, uint64_t tile) {
    const tile_place place = place_tile(self->work, tile);
    describe_columns(self, &place);
    compare_tile(self, &place);
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
    if (status == ASSAY_OK && self->failed_count > 0) status = hand_over_failed(self);
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

/* ---- threads ---- */

static assay_status open_worker(shared_work *work, worker *self) {
    const size_t words = work->set->word_count;
    const size_t cells = (size_t)ASSAY_TILE_EDGE * HAMMING_STRIDE;
    self->work = work;
    assay_status status =
        assay_allocate(&self->scratch, words, sizeof *self->scratch, "a rotated template");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&self->panel, words * 2 * work->path->lanes,
                                    sizeof *self->panel, "a panel of templates");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&self->agreeing, cells, sizeof(int32_t), "a tile of counts");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&self->valid, cells, sizeof(int32_t), "a tile of counts");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&self->histogram, (size_t)histogram_length_of(work->plan),
                          sizeof(uint64_t), "histograms");
}

/* Waits for the thread where there is one. */
static void close_worker(worker *self) {
    if (self->started) pthread_join(self->thread, NULL);
    free(self->scratch);
    free(self->panel);
    free(self->agreeing);
    free(self->valid);
    free(self->histogram);
}

static assay_status start_workers(shared_work *work, worker *workers, unsigned count) {
    for (unsigned n = 0; n < count; n++) {
        const assay_status status = open_worker(work, &workers[n]);
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

/* Waits for the end of a thread, but not long. Whether one still runs. */
static bool wait_a_little(shared_work *work) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)TELL_EVERY_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&work->lock);
    if (work->running > 0) pthread_cond_timedwait(&work->finished, &work->lock, &until);
    const bool running = work->running > 0;
    pthread_mutex_unlock(&work->lock);
    return running;
}

/* Tells how far the threads are until all have ended, and once more then. false where the listener
 * asks to stop. */
static bool watch_workers(shared_work *work) {
    const assay_backend_options *options = work->options;
    bool going_on = true, running = true;
    while (going_on) {
        going_on = assay_progress_tell(options->progress, "compare", "pairs",
                                       options->progress_done + atomic_load(&work->done),
                                       options->progress_total);
        if (!running) break;
        if (!going_on) atomic_store(&work->stop, true);
        running = wait_a_little(work);
    }
    while (running) running = wait_a_little(work);
    return going_on;
}

/* Runs every thread to its end. */
static assay_status run_workers(shared_work *work, worker *workers, unsigned threads) {
    const assay_status status = start_workers(work, workers, threads);
    if (status != ASSAY_OK) atomic_store(&work->stop, true);
    const bool going_on = watch_workers(work);
    if (status != ASSAY_OK) return status;
    if (work->status != ASSAY_OK) return assay_fail(work->status, "%s", work->error);
    if (!going_on) {
        return assay_fail(ASSAY_FAILED, "interrupted after %" PRIu64 " pairs",
                          (uint64_t)atomic_load(&work->done));
    }
    return ASSAY_OK;
}

/* ---- the whole ---- */

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
static uint64_t most_candidates(uint64_t n, const assay_all_pairs *plan, unsigned threads) {
    const uint64_t pairs = assay_pair_count(n);
    uint64_t most = 2 * plan->tail_limit;
    if (most < CUT_AT_LEAST) most = CUT_AT_LEAST;
    most += (uint64_t)threads * BATCH;
    return most < pairs ? most : pairs;
}

uint64_t assay_hamming_memory(const assay_all_pairs *plan, unsigned threads) {
    const assay_hamming_set *set = plan->bits;
    const uint64_t panel = (uint64_t)set->word_count * (2 * HAMMING_LANES_MAX + 2);
    const uint64_t cells = (uint64_t)ASSAY_TILE_EDGE * HAMMING_STRIDE;
    /* Candidates; panel, counts and histograms of each thread. */
    return most_candidates(set->count, plan, threads) * sizeof(assay_scored_pair) +
           threads * (panel * sizeof(uint64_t) + cells * 2 * sizeof(int32_t) + sizeof(worker)) +
           (threads + 1) * histogram_length_of(plan) * sizeof(uint64_t);
}

assay_status assay_hamming_all_pairs_on(const assay_hamming_path *path, const assay_all_pairs *plan,
                                        uint64_t first, uint64_t end,
                                        const assay_backend_options *options, assay_tally *out) {
    shared_work work = {.path = path,
                        .set = plan->bits,
                        .plan = plan,
                        .options = options,
                        .end = end,
                        .floor = options->known_floor,
                        .cut_at = 2 * plan->tail_limit,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .finished = PTHREAD_COND_INITIALIZER};
    assay_tally tally = {.histogram_length = histogram_length_of(plan)};
    const unsigned threads = options->threads > 0 ? options->threads : 1;
    worker *workers = NULL;
    if (work.cut_at < CUT_AT_LEAST) work.cut_at = CUT_AT_LEAST;
    atomic_init(&work.next_tile, first);
    atomic_init(&work.known_floor, work.floor);
    /* All the room at once: pages count only when they are written, and growing would copy. */
    work.capacity = (size_t)most_candidates(plan->bits->count, plan, threads);
    assay_status status =
        assay_allocate(&work.kept, work.capacity, sizeof *work.kept, "candidates for the tail");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate_aligned(&workers, threads, sizeof *workers, "threads");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&tally.histogram, (size_t)tally.histogram_length, sizeof(uint64_t),
                            "histograms");
    if (status != ASSAY_OK) goto out;
    status = run_workers(&work, workers, threads);
    if (status != ASSAY_OK) goto out;
    for (unsigned n = 0; n < threads; n++) add_counters(&tally, &workers[n]);
    status = cut_candidates(&work);
    if (status != ASSAY_OK) goto out;
    tally.tail = work.kept;
    tally.tail_floor = work.floor;
    tally.tail_count = assay_tail_cut(work.kept, work.kept_count, plan->tail_limit,
                                      plan->required_fine, &tally.tail_floor);
    tally.failed = work.failed;
    tally.failed_count = work.failed_count;
    assay_failed_sort(tally.failed, tally.failed_count);
    work.kept = NULL;
    work.failed = NULL;
    *out = tally;
    tally = (assay_tally){0};
out:
    for (unsigned n = 0; workers != NULL && n < threads; n++) close_worker(&workers[n]);
    free(workers);
    free(work.kept);
    free(work.failed);
    assay_tally_free(&tally);
    return status;
}

assay_status assay_hamming_all_pairs(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                     const assay_backend_options *options, assay_tally *out) {
    return assay_hamming_all_pairs_on(assay_hamming_path_best(), plan, first, end, options, out);
}
