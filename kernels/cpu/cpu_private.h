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
    PASSED_BATCH = 32,      /* pairs whose coarse components are on their way */
};

/* Templates as bytes, and what a pair of them must reach (cpu_screen.c). Arrays have a place for
 * every column of every panel, and ASSAY_MICRO_ROWS_MAX more. */
typedef struct {
    const assay_screenkernel *kernel; /* NULL: nothing is screened */
    uint32_t depth;                   /* words of four bytes */
    double scale;                     /* bytes are turned components times this, rounded */
    double norm;                      /* the largest of a template or of its bytes */
    int32_t *columns;                 /* [panels][depth][ASSAY_MICRO_COLUMNS] */
    int32_t *column_start;            /* - 128 times the sum of the bytes - the place's part */
    int32_t *row_start;               /* - the place's part of a threshold */
    double *radius;                   /* distance of a template from its bytes, at most */
    atomic_int_least32_t floor;       /* the floor's part of a threshold */
} cpu_screen;

/* What the threads share. */
typedef struct {
    const assay_all_pairs *plan;
    const assay_backend_options *options;
    const assay_microkernel *kernel;
    uint32_t depth;   /* pairs of components */
    int32_t *columns; /* [panels][depth][ASSAY_MICRO_COLUMNS]: coarse components of all, packed; or
                         NULL */
    float *floats;    /* [count][length]: for OpenBLAS; or NULL */
    int32_t *column_sums; /* [panels][sum_length] coarse components of a panel's columns, added up;
                             or NULL */
    uint32_t sum_length;  /* length and zeros behind it */
    cpu_screen screen;
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

/* Rows of a block of products as they are made now; 0 where OpenBLAS makes tiles. */
static inline unsigned block_rows(const cpu_work *work) {
    return work->screen.kernel != NULL ? work->screen.kernel->rows : work->kernel->rows;
}

/* What each thread has of its own. */
typedef struct {
    cpu_work *work;
    pthread_t thread;
    bool started;
    int32_t *rows;       /* [ASSAY_TILE_EDGE / kernel rows, rounded up][depth][kernel rows] */
    uint64_t rows_first; /* place of the first of them; UINT64_MAX: none yet */
    int32_t *row_sums;   /* [blocks of rows in a tile][sum_length], as column_sums */
    float *scores;       /* [ASSAY_TILE_EDGE][ASSAY_TILE_EDGE], for OpenBLAS */
    int32_t *block;      /* [ASSAY_MICRO_CELLS_MAX] products */
    uint16_t *bins;      /* [2][ASSAY_MICRO_CELLS_MAX], one pending, one being made */
    uint32_t reach[ASSAY_MICRO_ROWS_MAX]; /* of the block at hand, */
    bool any_reach;                       /* where there may be any */
    int32_t *row_start;                   /* [ASSAY_TILE_EDGE + ASSAY_MICRO_ROWS_MAX], screening */
    int32_t floor_part;                   /* in row_start */
    assay_scored_pair passed[PASSED_BATCH]; /* the screen; coarse is the product of bytes */
    unsigned passed_count;
    assay_micro_result made; /* of the block at hand */
    assay_pending_bins pending;
    uint64_t blocks;          /* done so far */
    uint64_t *histogram;      /* [histogram_length]: where it counts */
    uint64_t *own_histogram;  /* the same, or NULL where that is another's */
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
/* Counts into histogram, which must outlive it; NULL: into one of its own. */
assay_status assay_cpu_worker_open(cpu_work *work, uint64_t *histogram,
                                   cpu_worker *worker) ASSAY_MUST_CHECK;
void assay_cpu_worker_close(cpu_worker *worker);
uint64_t assay_cpu_worker_bytes(const assay_all_pairs *plan, const assay_microkernel *kernel);
assay_status assay_cpu_take_tile(cpu_worker *self, uint64_t tile) ASSAY_MUST_CHECK;
/* Counts the bins that still wait for a product to hide behind. */
void assay_cpu_count_pending(cpu_worker *self);
/* Counts the coarse scores of the pairs of different subjects of one block in sample
 * (ASSAY_SAMPLE_BINS), and adds the block's pairs of any kind to *cells. */
void assay_cpu_sample_block(cpu_worker *self, uint64_t first_a, uint64_t first_b, uint32_t shift,
                            uint32_t *sample, uint64_t *cells);

/* ---- cpu_screen: bytes before anything else ---- */

/* Whether a plan may be screened, and what it takes. */
bool assay_cpu_screen_applies(const assay_microkernel *kernel, const assay_all_pairs *plan);
uint64_t assay_cpu_screen_bytes(uint64_t count, uint32_t length);
/* Fills work->screen where a range of so many pairs may be worth it; else leaves its kernel NULL.
 */
assay_status assay_cpu_screen_open(cpu_work *work, uint64_t pairs) ASSAY_MUST_CHECK;
void assay_cpu_screen_close(cpu_work *work); /* takes a zeroed one */
/* Whether few enough of a sample's pairs (coarse scores by ASSAY_SAMPLE_BINS) pass for a floor. */
bool assay_cpu_screen_pays(const cpu_work *work, int64_t fine_floor, const uint32_t *sample,
                           uint64_t drawn);
/* What passes from now on: every pair with a fine score above the floor, and some below. */
void assay_cpu_screen_floor(cpu_work *work, int64_t fine_floor);
/* Templates from first on as rows of a product of bytes, [depth][rows]. */
void assay_cpu_screen_rows(const cpu_screen *screen, uint64_t first, unsigned rows, int32_t *out);
/* The score that a product of bytes stands for. */
double assay_cpu_screen_score(const cpu_screen *screen, const assay_quantised *set, uint64_t a,
                              uint64_t b, int32_t product);
/* ASSAY_DISAGREES where it is farther from the coarse score than is proved. */
assay_status assay_cpu_screen_check(const cpu_screen *screen, const assay_quantised *set,
                                    uint64_t a, uint64_t b, int32_t product,
                                    int32_t coarse) ASSAY_MUST_CHECK;

/* ---- cpu_tail: candidates, their floor, and the guess of it ---- */

/* Candidates that come together at most before they are cut. */
uint64_t assay_cpu_most_candidates(const assay_all_pairs *plan, unsigned threads);
/* Scores the thread's batch and adds it to the candidates. */
assay_status assay_cpu_hand_over(cpu_worker *self) ASSAY_MUST_CHECK;
/* Trims the candidates by the tail's rule. With the lock held, or alone. */
assay_status assay_cpu_cut(cpu_work *work) ASSAY_MUST_CHECK;
/* A floor for the tiles first … end - 1 from a small sample of blocks, somewhat below where the
 * tail will end; INT64_MIN where a sample does not pay. It is a guess: assay_cpu_certified judges
 * it afterwards. Closes the screen where too many of the sample would pass it. */
assay_status assay_cpu_guess_floor(cpu_worker *self, uint64_t first, uint64_t end,
                                   int64_t *out) ASSAY_MUST_CHECK;
/* Whether more pairs than the limit lie above guess, so that nothing at or below it can be in the
 * tail. */
bool assay_cpu_certified(const cpu_work *work, int64_t guess);

/* ---- cpu_fine ---- */

/* assay_fine, faster; the same integer. */
int64_t assay_cpu_fine(const assay_quantised *set, uint64_t a, uint64_t b);
/* assay_coarse, faster. */
int32_t assay_cpu_coarse(const assay_quantised *set, uint64_t a, uint64_t b);
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
