/* peak_product -- the bare tile product of serial OpenBLAS (peak.h). */
#include <cblas.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/peak.h"
#include "kernels/pairs_private.h"

/* What the threads share. */
typedef struct {
    const float *vectors; /* [count][length] */
    uint64_t count;
    uint32_t length;
    uint64_t tiles;
    atomic_uint_least64_t next_tile;
    atomic_uint_least64_t products;
} shared_tiles;

typedef struct {
    shared_tiles *work;
    pthread_t thread;
    bool started;
    float *products; /* [ASSAY_TILE_EDGE][ASSAY_TILE_EDGE] */
} multiplier;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *multiply_tiles(void *argument) {
    multiplier *self = argument;
    shared_tiles *work = self->work;
    for (;;) {
        const uint64_t tile = atomic_fetch_add(&work->next_tile, 1);
        if (tile >= work->tiles) return NULL;
        uint64_t row, column;
        assay_tile_place(work->count, tile, &row, &column);
        const uint64_t rows = strip_size(work->count, row);
        const uint64_t columns = strip_size(work->count, column);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns,
                    (int)work->length, 1.0f,
                    work->vectors + (size_t)strip_first(row) * work->length, (int)work->length,
                    work->vectors + (size_t)strip_first(column) * work->length, (int)work->length,
                    0.0f, self->products, ASSAY_TILE_EDGE);
        atomic_fetch_add(&work->products, rows * columns);
    }
}

static assay_status start(shared_tiles *work, multiplier *multipliers, unsigned threads) {
    for (unsigned n = 0; n < threads; n++) {
        multipliers[n].work = work;
        const assay_status status = assay_allocate_aligned(
            &multipliers[n].products, (size_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE, sizeof(float),
            "a tile of products");
        if (status != ASSAY_OK) return status;
    }
    for (unsigned n = 0; n < threads; n++) {
        if (pthread_create(&multipliers[n].thread, NULL, multiply_tiles, &multipliers[n]) != 0) {
            return assay_fail(ASSAY_FAILED, "cannot start thread %u of %u", n + 1, threads);
        }
        multipliers[n].started = true;
    }
    return ASSAY_OK;
}

static void join(multiplier *multipliers, unsigned threads) {
    for (unsigned n = 0; n < threads; n++) {
        if (multipliers[n].started) pthread_join(multipliers[n].thread, NULL);
        multipliers[n].started = false;
    }
}

assay_status assay_peak_product(const float *vectors, uint64_t count, uint32_t length,
                                unsigned threads, assay_peak_run *out) {
    enum { OPENMP = 2 };
    shared_tiles work = {
        .vectors = vectors, .count = count, .length = length, .tiles = assay_tile_count(count)};
    multiplier *multipliers = NULL;
    if (openblas_get_parallel() == OPENMP) {
        return assay_fail(ASSAY_DECLINED, "OpenBLAS is built with OpenMP, which hangs in own "
                                          "threads; expected the serial or the pthread build");
    }
    openblas_set_num_threads(1);
    if (threads < 1) threads = 1;
    assay_status status =
        assay_allocate(&multipliers, threads, sizeof *multipliers, "threads of products");
    if (status != ASSAY_OK) return status;
    const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    status = start(&work, multipliers, threads);
    if (status != ASSAY_OK) atomic_store(&work.next_tile, work.tiles);
    join(multipliers, threads);
    if (status == ASSAY_OK) {
        *out = (assay_peak_run){.operations = 2.0 * length * (double)atomic_load(&work.products),
                                .cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu,
                                .wall_seconds = seconds_of(CLOCK_MONOTONIC) - wall,
                                .path = openblas_get_corename()};
    }
    for (unsigned n = 0; n < threads; n++) free(multipliers[n].products);
    free(multipliers);
    return status;
}
