/* cpu_private -- the parts of the cpu backend: what its threads share, the tiles, the tail, fine
 * scores. */
#ifndef ASSAY_KERNELS_CPU_CPU_PRIVATE_H
#define ASSAY_KERNELS_CPU_CPU_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "kernels/backend.h"
#include "kernels/cpu/microkernel.h"

enum {
    CANDIDATE_BATCH = 4096, /* candidates that a thread scores before it hands them over */
};

/* What the threads share. */
typedef struct {
    const assay_all_pairs *plan;
    const assay_backend_options *options;
    const assay_microkernel *kernel;
    uint32_t depth;   /* pairs of components */
    int32_t *columns; /* [panels][depth][ASSAY_MICRO_COLUMNS]: coarse components of all, packed; or
                         NULL */
    float *floats;    /* [count][length]: for OpenBLAS; or NULL */
    uint64_t end;
    atomic_uint_least64_t next_tile;
    atomic_uint_least64_t done; /* pairs */
    atomic_bool stop;
    atomic_int_least32_t
        coarse_floor; /* a pair with a coarse score below this is not in the tail */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t finished;
    unsigned running;
    assay_scored_pair *kept; /* candidates with their fine scores */
    size_t capacity;
    uint64_t kept_count, cut_at;
    int64_t floor; /* every pair met with fine > floor is among the candidates; so is what earlier
                      ranges gave, guessed floor or not */
    assay_status status;
    char error[4096];
} cpu_work;

/* What each thread has of its own. */
typedef struct {
    cpu_work *work;
    pthread_t thread;
    bool started;
    int32_t *rows;       /* [ASSAY_TILE_EDGE / kernel rows, rounded up][depth][kernel rows] */
    uint64_t rows_first; /* place of the first of them; UINT64_MAX: none yet */
    float *scores;       /* [ASSAY_TILE_EDGE][ASSAY_TILE_EDGE], for OpenBLAS */
    int32_t *block;      /* [ASSAY_MICRO_CELLS_MAX] products */
    uint16_t *bins;      /* [2][ASSAY_MICRO_CELLS_MAX], one pending, one being made */
    uint32_t reach[ASSAY_MICRO_ROWS_MAX];
    assay_micro_result made; /* of the block at hand */
    assay_pending_bins pending;
    uint64_t blocks;          /* done so far */
    uint64_t *histogram;      /* [histogram_length] */
    assay_scored_pair *batch; /* [CANDIDATE_BATCH] */
    unsigned batch_count;
    assay_tally tally; /* counters only */
} cpu_worker;

/* ---- cpu: the whole, by a given micro-kernel ---- */

assay_status assay_cpu_all_pairs(const assay_microkernel *kernel, const assay_all_pairs *plan,
                                 uint64_t first, uint64_t end, const assay_backend_options *options,
                                 assay_tally *out) ASSAY_MUST_CHECK;

/* ---- cpu_tiles: products, bins, candidates ---- */

/* Packs all templates as columns, or as floats. */
assay_status assay_cpu_pack(cpu_work *work) ASSAY_MUST_CHECK;
uint64_t assay_cpu_packed_bytes(const assay_microkernel *kernel, uint64_t count, uint32_t length);
assay_status assay_cpu_worker_open(cpu_work *work, cpu_worker *worker) ASSAY_MUST_CHECK;
void assay_cpu_worker_close(cpu_worker *worker);
uint64_t assay_cpu_worker_bytes(const assay_all_pairs *plan, const assay_microkernel *kernel);
assay_status assay_cpu_take_tile(cpu_worker *self, uint64_t tile) ASSAY_MUST_CHECK;
/* Counts the bins that still wait for a product to hide behind. */
void assay_cpu_count_pending(cpu_worker *self);
/* Counts the coarse scores of the pairs of different subjects of one block in sample
 * (ASSAY_SAMPLE_BINS), and adds the block's pairs of any kind to *cells. */
void assay_cpu_sample_block(cpu_worker *self, uint64_t first_a, uint64_t first_b, uint32_t shift,
                            uint32_t *sample, uint64_t *cells);

/* ---- cpu_tail: candidates, their floor, and the guess of it ---- */

/* Candidates that come together at most before they are cut. */
uint64_t assay_cpu_most_candidates(const assay_all_pairs *plan, unsigned threads);
/* Scores the thread's batch and adds it to the candidates. */
assay_status assay_cpu_hand_over(cpu_worker *self) ASSAY_MUST_CHECK;
/* Trims the candidates by the tail's rule. With the lock held, or alone. */
assay_status assay_cpu_cut(cpu_work *work) ASSAY_MUST_CHECK;
/* A floor for the tiles first … end - 1 from a small sample of blocks, somewhat below where the
 * tail will end; INT64_MIN where a sample does not pay. It is a guess: assay_cpu_certified judges
 * it afterwards. */
assay_status assay_cpu_guess_floor(cpu_worker *self, uint64_t first, uint64_t end,
                                   int64_t *out) ASSAY_MUST_CHECK;
/* Whether more pairs than the limit lie above guess, so that nothing at or below it can be in the
 * tail. */
bool assay_cpu_certified(const cpu_work *work, int64_t guess);

/* ---- cpu_fine ---- */

/* assay_fine, faster; the same integer. */
int64_t assay_cpu_fine(const assay_quantised *set, uint64_t a, uint64_t b);
/* Asks for the fine components of two templates ahead of their use. */
static inline void assay_cpu_fetch(const assay_quantised *set, uint64_t a, uint64_t b) {
    const char *x = (const char *)(set->fine + (size_t)a * set->length);
    const char *y = (const char *)(set->fine + (size_t)b * set->length);
    for (size_t at = 0; at < set->length * sizeof *set->fine; at += 64) {
        __builtin_prefetch(x + at);
        __builtin_prefetch(y + at);
    }
}
assay_status assay_cpu_score_pairs(const assay_quantised *templates, const assay_place_pair *pairs,
                                   uint64_t count, const assay_backend_options *options,
                                   assay_scored_pair *out);

#endif
