/* cuda_private -- the parts of the cuda backends that are in the program: opening the module,
 * planning a device's memory, the walk over units, known answers. */
#ifndef ASSAY_KERNELS_CUDA_CUDA_PRIVATE_H
#define ASSAY_KERNELS_CUDA_CUDA_PRIVATE_H

#include <pthread.h>

#include "kernels/cuda/cuda_table.h"

enum {
    CUDA_SLOTS = 2,                /* batches of a device on their way at once */
    CUDA_CAPACITY_MAX = 1 << 22,   /* candidates of a batch */
    CUDA_HANDED_OVER = 1 << 18,    /* kept pairs that come to the host at once */
    CUDA_STAGING_BYTES = 16 << 20, /* of one of two pinned buffers for templates */
    CUDA_DEVICES_MAX = 64,
};

/* Who computes, and limits that tests set lower than a device would. */
typedef struct {
    const assay_cuda_table *table;
    assay_cuda_way way;
    int only_device;      /* -1: all that do not refuse the way */
    uint64_t most_memory; /* bytes of a device; 0: what is free */
    uint64_t most_capacity;
    uint32_t most_units;          /* of a batch; 0: CUDA_BATCH_UNITS */
    uint64_t expected_candidates; /* of a unit, to begin with; 0: by the guess, or all */
} assay_cuda_setup;

/* ---- cuda_module ---- */

/* The module's table. ASSAY_DECLINED where it is not there, cannot be opened, or is of another
 * version. path NULL: beside the program or where it is installed. It stays open. */
assay_status assay_cuda_open(const char *path, const assay_cuda_table **out) ASSAY_MUST_CHECK;
const char *assay_cuda_way_name(assay_cuda_way way); /* "wgmma" */
/* Devices that do not refuse the way, into devices[CUDA_DEVICES_MAX]; ASSAY_DECLINED with the
 * reason where there is none. */
assay_status assay_cuda_devices(const assay_cuda_setup *setup, int *devices,
                                unsigned *out_count) ASSAY_MUST_CHECK;
/* A line on device 0 and how many there are. */
assay_status assay_cuda_describe(const assay_cuda_table *table, char *out,
                                 size_t size) ASSAY_MUST_CHECK;
/* ASSAY_FAILED: "CUDA device 0: copying templates in: out of memory". */
assay_status assay_cuda_failed(const assay_cuda_table *table, int device, int code,
                               const char *doing);

/* ---- cuda_plan: what a device holds, and in which order it is taken ---- */

typedef struct {
    uint64_t templates; /* bytes: in all their forms, with labels and norms */
    uint64_t histogram;
    uint64_t scores;   /* of one slot; 0 for the fused ways */
    uint64_t capacity; /* candidates of one slot */
    uint64_t total;
} assay_cuda_memory;

/* Sizes of a plan's set on a device; pointers stay NULL. */
assay_cuda_set assay_cuda_set_of(const assay_all_pairs *plan);
/* Divides free bytes. ASSAY_FAILED, with the figures, where they are too few. packed is what the
 * way wants of the coarse components, l2 the device's second-level cache. */
assay_status assay_cuda_memory_plan(const assay_all_pairs *plan, assay_cuda_way way,
                                    uint64_t packed, uint64_t l2, uint64_t free_bytes,
                                    assay_cuda_memory *out) ASSAY_MUST_CHECK;
/* [rows / CUDA_PANEL] */
void assay_cuda_panels_make(const assay_all_pairs *plan, uint64_t rows, assay_cuda_panel *out);
/* Tiles first … end - 1 as units, but for those of which the sides allow nothing, whose pairs are
 * added up. In bands of 16 rows a column at a time, so that what is being multiplied stays in a
 * device's L2; or row by row. free() */
assay_status assay_cuda_units_make(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                   bool banded, assay_cuda_unit **out, uint64_t *out_count,
                                   uint64_t *out_other_side) ASSAY_MUST_CHECK;
/* Pairs of a unit. */
uint64_t assay_cuda_unit_pairs(uint64_t count, const assay_cuda_unit *unit);

/* ---- cuda_run: all pairs, on the devices of this host ---- */

typedef struct {
    const assay_cuda_setup *setup;
    const assay_all_pairs *plan;
    const assay_backend_options *options;
    const assay_cuda_unit *units;
    uint64_t unit_count;
    uint64_t guessed; /* candidates that a unit will give, about, at the first floor */

    pthread_mutex_t lock;     /* guards what follows */
    uint64_t next_unit, done; /* done in pairs */
    bool stop;
    assay_scored_pair *kept;
    size_t capacity;
    uint64_t kept_count, cut_at;
    int64_t floor;
    int32_t coarse_floor;
    int64_t told_at; /* of progress */
    assay_tally tally;
    assay_status status;
    char error[4096];
} cuda_work;

typedef struct {
    void *stream, *finished; /* an event */
    assay_cuda_unit *h_units, *d_units;
    assay_scored_pair *d_candidates, *d_kept;
    assay_cuda_counters *h_counters, *d_counters;
    void *d_scores, *blas;
    uint64_t first;
    uint32_t count; /* units on their way; 0: none */
} cuda_slot;

typedef struct {
    cuda_work *work;
    const assay_cuda_table *table;
    int device;
    assay_cuda_device about;
    assay_cuda_memory memory;
    assay_cuda_set set;
    cuda_slot slots[CUDA_SLOTS];
    void *h_staging[2], *staged[2]; /* pinned buffers and the events of their copies */
    assay_scored_pair *h_handed;    /* [CUDA_HANDED_OVER], pinned */
    uint64_t expected;              /* candidates of a unit, by the last batch */
    pthread_t thread;
    bool started;
} cuda_worker;

assay_status assay_cuda_all_pairs(const assay_cuda_setup *setup, const assay_all_pairs *plan,
                                  uint64_t first, uint64_t end,
                                  const assay_backend_options *options,
                                  assay_tally *out) ASSAY_MUST_CHECK;
assay_status assay_cuda_score_pairs(const assay_cuda_setup *setup, const assay_quantised *templates,
                                    const assay_place_pair *pairs, uint64_t count,
                                    const assay_backend_options *options,
                                    assay_scored_pair *out) ASSAY_MUST_CHECK;
/* Bytes of the host beyond the templates. */
uint64_t assay_cuda_host_memory(const assay_all_pairs *plan);

/* ---- cuda_worker: one device ---- */

/* Allocates all that a pass needs and copies the set in. */
assay_status assay_cuda_worker_open(cuda_worker *worker) ASSAY_MUST_CHECK;
/* Only what score_pairs needs. */
assay_status assay_cuda_worker_open_scores(cuda_worker *worker,
                                           const assay_quantised *templates) ASSAY_MUST_CHECK;
void assay_cuda_worker_close(cuda_worker *worker); /* takes a zeroed one */
/* Clears the device's counters, takes units until there are no more, adds up what it counted. */
assay_status assay_cuda_worker_pass(cuda_worker *worker) ASSAY_MUST_CHECK;
/* assay_cuda_table's sample, of the work's units. */
assay_status assay_cuda_worker_sample(cuda_worker *worker, uint64_t wanted, uint32_t *sample,
                                      uint64_t *out_drawn) ASSAY_MUST_CHECK;
/* Adds kept pairs to the work's, cutting them when it is time. */
assay_status assay_cuda_take_kept(cuda_work *work, const assay_scored_pair *pairs,
                                  uint64_t count) ASSAY_MUST_CHECK;
/* Tells progress a few times a second, of pairs more. With the lock held. */
assay_status assay_cuda_tell(cuda_work *work, uint64_t pairs) ASSAY_MUST_CHECK;

/* ---- cuda_known: a set whose answers are known ---- */

/* Runs the way on one device over a set made to reach the ends of what is exact, and compares with
 * the reference backend. ASSAY_DECLINED where one bit is not its. */
assay_status assay_cuda_known_answers(const assay_cuda_setup *setup) ASSAY_MUST_CHECK;

#endif
