/* cpu -- all pairs on the processor: products of coarse integers, exact by construction
 * (quantise.h), by the fastest micro-kernel that the machine has, on own threads that take tiles
 * from a queue. cpu_tiles.c has the tiles, kernels/tail_private.h how the tail stays exact,
 * KERNELS.md what limits it. */
#include <cblas.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/cpu_private.h"
#include "kernels/pairs_private.h"
#include "kernels/tail_private.h"

enum { TELL_EVERY_MS = 100 };

/* ---- threads ---- */

static void *work_on_tiles(void *argument) {
    cpu_worker *self = argument;
    cpu_work *work = self->work;
    assay_status status = ASSAY_OK;
    while (status == ASSAY_OK && !atomic_load(&work->stop)) {
        const uint64_t tile = atomic_fetch_add(&work->next_tile, 1);
        if (tile >= work->end) break;
        status = assay_cpu_take_tile(self, tile);
    }
    assay_cpu_count_pending(self);
    if (status == ASSAY_OK && self->batch_count > 0) status = assay_cpu_hand_over(self);
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

static assay_status start_workers(cpu_work *work, cpu_worker *workers, unsigned count) {
    for (unsigned n = 0; n < count; n++) {
        pthread_mutex_lock(&work->lock);
        work->running++;
        pthread_mutex_unlock(&work->lock);
        workers[n].started =
            pthread_create(&workers[n].thread, NULL, work_on_tiles, &workers[n]) == 0;
        if (workers[n].started) continue;
        pthread_mutex_lock(&work->lock);
        work->running--;
        pthread_mutex_unlock(&work->lock);
        atomic_store(&work->stop, true);
        return assay_fail(ASSAY_FAILED, "cannot start thread %u of %u", n + 1, count);
    }
    return ASSAY_OK;
}

/* Tells how far the threads are until all have ended. false where the listener asks to stop. */
static bool tell(const cpu_work *work) {
    const assay_backend_options *options = work->options;
    return assay_progress_tell(options->progress, "compare", "pairs",
                               options->progress_done + atomic_load(&work->done),
                               options->progress_total);
}

static bool watch_workers(cpu_work *work) {
    bool going_on = tell(work);
    if (!going_on) atomic_store(&work->stop, true);
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
        going_on = tell(work);
        if (!going_on) atomic_store(&work->stop, true);
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
    return going_on && tell(work);
}

/* One pass over the tiles from a floor on; the threads' counters are left with them. */
static assay_status pass(cpu_work *work, cpu_worker *workers, unsigned threads, uint64_t first,
                         int64_t floor) {
    work->floor = floor;
    work->cut_at = assay_tail_cut_at(work->plan, work->kept_count);
    atomic_store(&work->next_tile, first);
    atomic_store(&work->done, 0);
    atomic_store(&work->coarse_floor, assay_tail_coarse_floor(work->plan->templates, floor));
    assay_cpu_screen_floor(work, floor);
    assay_status status = start_workers(work, workers, threads);
    const bool going_on = watch_workers(work);
    for (unsigned n = 0; n < threads; n++) {
        if (workers[n].started) pthread_join(workers[n].thread, NULL);
        workers[n].started = false;
    }
    if (status != ASSAY_OK) return status;
    if (work->status != ASSAY_OK) return assay_fail(work->status, "%s", work->error);
    if (!going_on) {
        return assay_fail(ASSAY_FAILED, "interrupted after %" PRIu64 " pairs",
                          (uint64_t)atomic_load(&work->done));
    }
    return ASSAY_OK;
}

static void forget_counters(cpu_worker *workers, unsigned threads, uint64_t histogram_length) {
    for (unsigned n = 0; n < threads; n++) {
        const uint64_t rescored = workers[n].tally.rescored;
        workers[n].tally = (assay_tally){.rescored = rescored};
        workers[n].rows_first = UINT64_MAX; /* rows of bytes may be packed, where none are wanted */
        memset(workers[n].histogram, 0, histogram_length * sizeof(uint64_t));
    }
}

/* Leaves what earlier ranges gave. */
static void forget_candidates(cpu_work *work, uint64_t first) {
    uint64_t left = 0;
    for (uint64_t n = 0; n < work->kept_count; n++) {
        const uint64_t tile = assay_plan_tile_of(work->plan, work->kept[n].a, work->kept[n].b);
        if (tile >= first && tile < work->end) continue;
        work->kept[left++] = work->kept[n];
    }
    work->kept_count = left;
}

static void add_counters(assay_tally *into, const cpu_worker *from) {
    into->non_mated += from->tally.non_mated;
    into->same_subject += from->tally.same_subject;
    into->other_side += from->tally.other_side;
    into->histogram_pairs += from->tally.histogram_pairs;
    into->rescored += from->tally.rescored;
    if (from->own_histogram == NULL) return;
    for (uint64_t n = 0; n < into->histogram_length; n++) into->histogram[n] += from->histogram[n];
}

/* The first thread counts straight into the sum, the others in histograms of their own. */
static assay_status prepare(cpu_work *work, cpu_worker *workers, unsigned threads,
                            uint64_t *histogram) {
    assay_status status = ASSAY_OK;
    /* All the room at once: pages count only when they are written. */
    work->kept_count = work->options->prior_count;
    status =
        assay_reserve(&work->kept, &work->capacity,
                      (size_t)(work->kept_count + assay_cpu_most_candidates(work->plan, threads)),
                      sizeof *work->kept, "candidates for the tail");
    for (unsigned n = 0; status == ASSAY_OK && n < threads; n++) {
        status = assay_cpu_worker_open(work, n == 0 ? histogram : NULL, &workers[n]);
    }
    return status;
}

/* The tiles from a guessed floor, and once more from what is known where the guess was too high. */
static assay_status guess_and_pass(cpu_work *work, cpu_worker *workers, unsigned threads,
                                   uint64_t first, assay_tally *tally) {
    const int64_t known = work->options->known_floor;
    int64_t guess = INT64_MIN;
    assay_status status =
        assay_cpu_screen_open(work, assay_tiles_pairs(work->plan, first, work->end));
    if (status != ASSAY_OK) return status;
    if (work->screen.kernel == NULL) status = assay_cpu_pack(work);
    if (status != ASSAY_OK) return status;
    status = assay_cpu_guess_floor(&workers[0], first, work->end, &guess);
    if (status != ASSAY_OK) return status;
    if (guess < known) guess = known;
    if (work->screen.kernel == NULL) status = assay_cpu_pack(work);
    if (status != ASSAY_OK) return status;
    status = pass(work, workers, threads, first, guess);
    if (status != ASSAY_OK || guess == known || assay_cpu_certified(work, guess)) return status;
    forget_counters(workers, threads, tally->histogram_length);
    forget_candidates(work, first);
    tally->redone = 1;
    /* What is known may be so low that most would pass a screen. */
    assay_cpu_screen_close(work);
    status = assay_cpu_pack(work);
    if (status != ASSAY_OK) return status;
    return pass(work, workers, threads, first, known);
}

/* What is kept becomes the tail. */
static assay_status finish_tail(cpu_work *work, assay_tally *tally) {
    const assay_all_pairs *plan = work->plan;
    work->kept_count = assay_tail_cut(work->kept, work->kept_count, plan->tail_limit,
                                      plan->required_fine, &work->floor);
    const assay_status status = assay_tail_check_cap(plan, work->kept_count);
    if (status != ASSAY_OK) return status;
    /* Gives back the room that candidates needed. */
    const size_t bytes = (size_t)(work->kept_count + 1) * sizeof *work->kept;
    assay_scored_pair *tail = realloc(work->kept, bytes);
    tally->tail = tail != NULL ? tail : work->kept;
    tally->tail_count = work->kept_count;
    tally->tail_floor = work->floor;
    work->kept = NULL;
    return ASSAY_OK;
}

assay_status assay_cpu_all_pairs(const assay_microkernel *kernel, const assay_all_pairs *plan,
                                 uint64_t first, uint64_t end, const assay_backend_options *options,
                                 assay_tally *out) {
    cpu_work work = {.plan = plan,
                     .options = options,
                     .kernel = kernel,
                     .end = end,
                     .kept = options->prior,
                     .capacity = (size_t)options->prior_count,
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .finished = PTHREAD_COND_INITIALIZER};
    assay_tally tally = {.histogram_length = histogram_length_of(plan)};
    const unsigned threads = options->threads > 0 ? options->threads : 1;
    cpu_worker *workers = NULL;
    assay_status status = assay_allocate(&workers, threads, sizeof *workers, "threads");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&tally.histogram, (size_t)tally.histogram_length, sizeof(uint64_t),
                            "histograms");
    if (status != ASSAY_OK) goto out;
    status = prepare(&work, workers, threads, tally.histogram);
    if (status != ASSAY_OK) goto out;
    status = guess_and_pass(&work, workers, threads, first, &tally);
    if (status != ASSAY_OK) goto out;
    for (unsigned n = 0; n < threads; n++) add_counters(&tally, &workers[n]);
    status = finish_tail(&work, &tally);
    if (status != ASSAY_OK) goto out;
    *out = tally;
    tally = (assay_tally){0};
out:
    for (unsigned n = 0; workers != NULL && n < threads; n++) assay_cpu_worker_close(&workers[n]);
    free(workers);
    assay_cpu_screen_close(&work);
    free(work.columns);
    free(work.column_sums);
    free(work.floats);
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

static assay_status probe_with(const assay_microkernel *kernel, char *out_line, size_t size) {
    enum { OPENMP = 2 };
    if (!kernel->supported()) {
        return assay_fail(ASSAY_DECLINED, "this processor has no %s", kernel->needs);
    }
    if (kernel->rows > 0) {
        snprintf(out_line, size, "16-bit integer products by %s, own threads", kernel->needs);
        return ASSAY_OK;
    }
    if (openblas_get_parallel() == OPENMP) {
        return assay_fail(ASSAY_DECLINED, "OpenBLAS is built with OpenMP, which hangs in workers; "
                                          "expected the serial or the pthread build");
    }
    openblas_set_num_threads(1);
    if (!product_is_exact()) {
        return assay_fail(ASSAY_DECLINED, "OpenBLAS (%s) gets a product of integers wrong",
                          openblas_get_corename());
    }
    snprintf(out_line, size, "serial OpenBLAS sgemm (%s) on integers, own threads",
             openblas_get_corename());
    return ASSAY_OK;
}

static uint64_t memory_with(const assay_microkernel *kernel, const assay_all_pairs *plan,
                            unsigned threads) {
    /* Packed templates, candidates, what each thread has: the first one's histogram is the sum. */
    const assay_quantised *set = plan->templates;
    uint64_t packed = assay_cpu_packed_bytes(kernel, set->count, set->length);
    if (assay_cpu_screen_applies(kernel, plan)) { /* one or the other */
        const uint64_t bytes = assay_cpu_screen_bytes(set->count, set->length);
        packed = bytes > packed ? bytes : packed;
    }
    return packed + assay_cpu_most_candidates(plan, threads) * sizeof(assay_scored_pair) +
           threads * assay_cpu_worker_bytes(plan, kernel);
}

/* What a backend of a micro-kernel consists of; the backends themselves follow. */
#define CPU_FUNCTIONS(suffix, kernel_of)                                                           \
    static assay_status probe_##suffix(char *out_line, size_t size) {                              \
        return probe_with(kernel_of, out_line, size);                                              \
    }                                                                                              \
    static uint64_t memory_##suffix(const assay_all_pairs *plan, unsigned threads) {               \
        return memory_with(kernel_of, plan, threads);                                              \
    }                                                                                              \
    static assay_status all_pairs_##suffix(const assay_all_pairs *plan, uint64_t first,            \
                                           uint64_t end, const assay_backend_options *options,     \
                                           assay_tally *out) {                                     \
        return assay_cpu_all_pairs(kernel_of, plan, first, end, options, out);                     \
    }
#define CPU_MEMBERS(suffix)                                                                        \
    .bands = true, .probe = probe_##suffix, .memory = memory_##suffix,                             \
    .all_pairs = all_pairs_##suffix, .score_pairs = assay_cpu_score_pairs

CPU_FUNCTIONS(best, assay_microkernel_best())
CPU_FUNCTIONS(vnni, &assay_microkernel_vnni)
CPU_FUNCTIONS(avx2, &assay_microkernel_avx2)
CPU_FUNCTIONS(blas, &assay_microkernel_blas)

extern const assay_backend assay_backend_cpu, assay_backend_cpu_vnni, assay_backend_cpu_avx2,
    assay_backend_cpu_blas;

const assay_backend assay_backend_cpu = {
    .name = "cpu",
    .purpose = "the fastest of the cpu-… that this processor has, and bit strings",
    CPU_MEMBERS(best),
    .bits_memory = assay_hamming_memory,
    .bits_all_pairs = assay_hamming_all_pairs,
    .bits_score_pairs = assay_hamming_score_places,
};

const assay_backend assay_backend_cpu_vnni = {
    .name = "cpu-vnni",
    .purpose = "16-bit integers by AVX-512 VNNI",
    CPU_MEMBERS(vnni),
};

const assay_backend assay_backend_cpu_avx2 = {
    .name = "cpu-avx2",
    .purpose = "16-bit integers by AVX2",
    CPU_MEMBERS(avx2),
};

const assay_backend assay_backend_cpu_blas = {
    .name = "cpu-blas",
    .purpose = "integers in OpenBLAS's float product",
    CPU_MEMBERS(blas),
};
