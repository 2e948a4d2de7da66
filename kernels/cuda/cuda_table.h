/* cuda_table -- what the program and its CUDA module know of each other: a table of functions with
 * a version, and the plain structures that they pass.
 *
 * The module (assay-cuda.so) holds kernels and launchers and nothing else; the walk over tiles, the
 * tail and every decision are in the program (cuda_run.c), which opens the module when a backend of
 * it is asked for. So the program starts, and says why it declines, where there is no driver.
 *
 * Every function returns 0, or a code that error_text explains. Launchers take a stream, allocate
 * nothing and do not wait. d_ is memory of the device, h_ is pinned memory of the host. */
#ifndef ASSAY_KERNELS_CUDA_CUDA_TABLE_H
#define ASSAY_KERNELS_CUDA_CUDA_TABLE_H

#include "kernels/backend.h"

#define ASSAY_CUDA_VERSION 1u /* of this header: a module of another one is refused */
#define ASSAY_CUDA_ENTRY "assay_cuda_table_get"

/* A unit is a tile of ASSAY_TILE_EDGE; kernels take it as items of 128 rows by 256 columns. Labels
 * are summed up for panels of 128 places. */
#define CUDA_PANEL 128u
#define CUDA_ITEM_ROWS 128u
#define CUDA_ITEM_COLUMNS 256u
#define CUDA_UNIT_ITEMS 8u
#define CUDA_DEPTH 64u /* coarse components are padded with zeros to a multiple of this */
#define CUDA_BATCH_UNITS                                                                           \
    8192u /* most of one launch: 32-bit counters in shared memory hold them                        \
           */
#define CUDA_UNIT_CELLS (ASSAY_TILE_EDGE * ASSAY_TILE_EDGE)

typedef enum {
    ASSAY_CUDA_WGMMA = 0, /* fused, warpgroup products of sm_90a */
    ASSAY_CUDA_MMA,       /* fused, warp products of sm_80 on */
    ASSAY_CUDA_BLAS,      /* cuBLAS product of halves, then an accumulate kernel */
    ASSAY_CUDA_DGEMM,     /* cuBLAS products of doubles, fine and coarse: the oracle */
    ASSAY_CUDA_WAY_COUNT
} assay_cuda_way;

typedef struct {
    char name[128];
    int major, minor;    /* compute capability */
    int driver, runtime; /* 12040 is 12.4 */
    int multiprocessors;
    uint64_t memory, free_memory, l2; /* bytes */
    uint64_t shared;                  /* bytes that a block may have */
} assay_cuda_device;

/* What the labels of 128 places say together. */
typedef struct {
    uint32_t first_subject, last_subject, group;
    uint32_t uniform; /* 0: places are missing, or differ in group or side; else 1 + side */
} assay_cuda_panel;

/* A tile, and which of its four blocks the histogram counts: bit 2 * (row half) + column half. */
typedef struct {
    uint32_t row, column, chosen, reserved;
} assay_cuda_unit;

/* A set on a device. rows is count and depth is length, padded with zeros. */
typedef struct {
    uint64_t count, rows;
    uint32_t length, depth;
    uint32_t group_count;
    int32_t lowest; /* of the bins */
    uint32_t shift;
    uint32_t euclidean;
    double fine_unit, coarse_unit, bound; /* the scores of 1, and quantise.h's bound */
    void *d_packed;                       /* coarse components as the way wants them (pack) */
    int16_t *d_coarse;                    /* [count][length] */
    int32_t *d_fine;                      /* [count][length] */
    int32_t *d_coarse_norm;               /* [count] */
    int64_t *d_fine_norm;                 /* [count] */
    uint32_t *d_subject, *d_group;        /* [count] */
    uint8_t *d_side;                      /* [count] */
    assay_cuda_panel *d_panels;           /* [rows / CUDA_PANEL] */
    uint64_t *d_histogram;                /* [group pairs][ASSAY_COARSE_BINS]; NULL without bins */
} assay_cuda_set;

/* What the kernels of a batch count. */
typedef struct {
    uint64_t non_mated, same_subject, other_side, histogram_pairs;
    uint64_t candidates; /* that were found; more than the capacity: some are not listed */
    uint64_t kept;       /* candidates with fine > fine_floor */
    uint64_t wrong;      /* candidates that a recomputation contradicts; one of them follows */
    assay_scored_pair found, expected;
} assay_cuda_counters;

/* A launch over units. */
typedef struct {
    const assay_cuda_unit *units; /* [unit_count] of the host, for launchers */
    const assay_cuda_unit *d_units;
    uint32_t unit_count; /* <= CUDA_BATCH_UNITS */
    int32_t coarse_floor;
    int64_t fine_floor;
    uint32_t counting; /* 0: candidates only, no counters and no bins */
    uint64_t capacity; /* of both lists, >= CUDA_UNIT_CELLS */
    assay_scored_pair *d_candidates, *d_kept;
    assay_cuda_counters *d_counters;
    void *d_scores; /* of the cuBLAS ways */
    uint64_t score_bytes;
    int multiprocessors;
} assay_cuda_batch;

typedef struct {
    uint32_t version; /* first of all */
    const char *made_by;
    const char *(*error_text)(int code);

    int (*device_count)(int *out);
    int (*device_describe)(int device, assay_cuda_device *out);
    int (*device_use)(int device); /* of this thread */

    int (*allocate)(void **d_out, uint64_t bytes);
    void (*release)(void *d_pointer); /* takes NULL */
    int (*allocate_pinned)(void **h_out, uint64_t bytes);
    void (*release_pinned)(void *h_pointer);
    int (*copy_in)(void *d_to, const void *h_from, uint64_t bytes, void *stream);
    int (*copy_out)(void *h_to, const void *d_from, uint64_t bytes, void *stream);
    int (*copy_within)(void *d_to, const void *d_from, uint64_t bytes, void *stream);
    int (*clear)(void *d_pointer, uint64_t bytes, void *stream);
    int (*stream_open)(void **out);
    void (*stream_close)(void *stream);
    int (*stream_wait)(void *stream);
    int (*event_open)(void **out);
    void (*event_close)(void *event);
    int (*event_record)(void *event, void *stream);
    int (*event_wait)(void *event);
    int (*event_seconds)(float *out, void *from, void *to); /* both waited for */

    /* Opens cuBLAS for this thread's device and the stream; why it did not into reason. */
    int (*blas_open)(void **out, void *stream, char *reason, size_t size);
    void (*blas_close)(void *blas);
    /* A square product of halves (or doubles) of edge x edge x edge: the card's own ceiling. */
    int (*blas_square)(void *blas, bool doubles, const void *d_a, const void *d_b, void *d_c,
                       int edge);

    uint64_t (*packed_bytes)(assay_cuda_way way, const assay_cuda_set *set);
    int (*pack)(assay_cuda_way way, const assay_cuda_set *set, void *stream);
    /* Why a device cannot take the way, or NULL. */
    const char *(*way_refuses)(assay_cuda_way way, const assay_cuda_device *device);
    int (*tiles)(assay_cuda_way way, void *blas, const assay_cuda_set *set,
                 const assay_cuda_batch *batch, void *stream);
    /* The candidates' fine scores, held against what is known of them; kept ones into d_kept. */
    int (*rescore)(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream);
    /* Coarse scores of wanted pairs drawn from the units, counted in d_sample
     * [ASSAY_SAMPLE_BINS] and, all that were drawn, in *d_drawn. shift is the sample's. */
    int (*sample)(const assay_cuda_set *set, const assay_cuda_unit *d_units, uint32_t unit_count,
                  uint64_t wanted, uint64_t seed, uint32_t shift, uint32_t *d_sample,
                  uint64_t *d_drawn, void *stream);
    /* Both scores of d_pairs[count] in place. */
    int (*score_pairs)(const assay_cuda_set *set, assay_scored_pair *d_pairs, uint64_t count,
                       void *stream);
} assay_cuda_table;

typedef const assay_cuda_table *assay_cuda_table_get_function(void);

#endif
