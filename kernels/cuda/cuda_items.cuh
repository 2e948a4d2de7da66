/* cuda_items -- what is done with the products of an item, 128 rows by 256 columns, in the
 * registers of the threads that made them: bins, counts, and candidates for the tail.
 *
 * Most items are plain: one pair of groups, no subject on both sides, all of it compared. A plain
 * item looks at no labels: eight products at a time are held against the floor, and only where one
 * of a warp's reaches it are they listed; a bin is one multiply-add, rounded down, and one
 * increment in shared memory. The others (group borders, mated pairs near the diagonal, ragged
 * edges) go pair by pair. Coarse products are exact in float, so nothing here rounds but the bin,
 * which is meant to.
 *
 * A `group` of threads (a block, or a warpgroup of one) shares a sink: one histogram of the pair of
 * groups at hand and four counters, in shared memory, which it adds to the device's when the pair
 * changes. Every function here is called by all threads of the group together. */
#ifndef ASSAY_KERNELS_CUDA_CUDA_ITEMS_CUH
#define ASSAY_KERNELS_CUDA_CUDA_ITEMS_CUH

#include "kernels/cuda/cuda_device.cuh"

#define ITEM_PRODUCTS 128          /* of a thread that has an item's products all at once */
#define ITEM_CHUNK 8               /* products that are held against the floor together */
#define ITEM_NO_PAIR 0xffffffffu   /* of groups */
#define ITEM_CHECK_EVERY 61u       /* items for each of which a chunk is listed to be checked */
#define ITEM_FLOAT_LIMIT (1 << 24) /* above every coarse product */

enum { SINK_NON_MATED = 0, SINK_SAME_SUBJECT, SINK_OTHER_SIDE, SINK_BINNED, SINK_COUNTERS };

struct item_sink {
    uint32_t *bins;     /* [ASSAY_COARSE_BINS] */
    uint32_t *counters; /* [SINK_COUNTERS] */
    uint32_t pair;      /* of groups, whose bins these are; the same in every thread */
};

struct item_place {
    uint32_t a, b;    /* first row and column */
    uint32_t row;     /* of the item, from which the products at hand are counted */
    uint32_t chosen;  /* whether the histogram counts its block */
    uint32_t ordinal; /* of all items of the launch, to choose what is checked */
};

/* Item n of a unit; false where it lies outside the set or on and below the diagonal. */
__device__ __forceinline__ bool item_of(const assay_cuda_set &set, const assay_cuda_unit &unit,
                                        uint32_t unit_index, uint32_t n, item_place *out) {
    const uint32_t row = n % 4, column = n / 4; /* the same columns four times running */
    out->a = unit.row * ASSAY_TILE_EDGE + row * CUDA_ITEM_ROWS;
    out->b = unit.column * ASSAY_TILE_EDGE + column * CUDA_ITEM_COLUMNS;
    out->row = 0;
    out->chosen = (unit.chosen >> (row / 2 * 2 + column)) & 1;
    out->ordinal = unit_index * CUDA_UNIT_ITEMS + n;
    return out->a < set.count && out->b < set.count && out->b + CUDA_ITEM_COLUMNS - 1 > out->a;
}

__device__ __forceinline__ uint32_t item_group_pair(const assay_cuda_set &set, uint32_t x,
                                                    uint32_t y) {
    const uint32_t a = x < y ? x : y, b = x < y ? y : x;
    return a * set.group_count - (a * a - a) / 2 + (b - a);
}

/* Whether every cell is a pair of different subjects that is compared: the rule of is_plain in
 * kernels/cpu/cpu_tiles.c, by panels. Places are sorted by side, group and subject. */
__device__ __forceinline__ bool item_is_plain(const assay_cuda_set &set, const item_place &at,
                                              uint32_t *pair) {
    const assay_cuda_panel x = set.d_panels[at.a / CUDA_PANEL];
    const assay_cuda_panel y = set.d_panels[at.b / CUDA_PANEL];
    const assay_cuda_panel z = set.d_panels[at.b / CUDA_PANEL + 1];
    *pair = item_group_pair(set, x.group, y.group);
    return x.uniform != 0 && y.uniform != 0 && y.uniform == z.uniform && y.group == z.group &&
           at.a + CUDA_ITEM_ROWS <= at.b && (x.uniform == 1 || x.uniform != y.uniform) &&
           (x.last_subject < y.first_subject || x.first_subject > z.last_subject);
}

__device__ __forceinline__ uint32_t item_bin(const assay_cuda_set &set, int32_t coarse) {
    return (uint32_t)(coarse - set.lowest) >> set.shift;
}

__device__ __forceinline__ int32_t item_coarse(const assay_cuda_set &set, float product, uint32_t a,
                                               uint32_t b) {
    const int32_t whole = (int32_t)product;
    return set.euclidean ? 2 * whole - set.d_coarse_norm[a] - set.d_coarse_norm[b] : whole;
}

/* Lists the pairs of a warp's threads that say so. The whole warp calls it. */
__device__ __forceinline__ void item_list(const assay_cuda_batch &batch, bool wanted, uint32_t a,
                                          uint32_t b, int32_t coarse, int64_t fine) {
    const uint32_t who = __ballot_sync(CUDA_WHOLE_WARP, wanted);
    if (who == 0) return;
    const uint32_t lane = threadIdx.x % 32, leader = (uint32_t)__ffs((int)who) - 1;
    unsigned long long first = 0;
    if (lane == leader) {
        first = atomicAdd((unsigned long long *)&batch.d_counters->candidates,
                          (unsigned long long)__popc(who));
    }
    first = __shfl_sync(CUDA_WHOLE_WARP, first, (int)leader);
    const uint64_t place = first + (uint64_t)__popc(who & ((1u << lane) - 1));
    if (wanted && place < batch.capacity) {
        assay_scored_pair pair;
        pair.fine = fine;
        pair.coarse = coarse;
        pair.a = a;
        pair.b = b;
        batch.d_candidates[place] = pair;
    }
}

/* ---- the sink ---- */

/* A group that is a whole block. */
template <uint32_t THREADS> struct block_group {
    static constexpr uint32_t SIZE = THREADS;
    __device__ static uint32_t rank() {
        return threadIdx.x;
    }
    __device__ static void sync() {
        __syncthreads();
    }
};

template <class Group> __device__ __forceinline__ void sink_open(item_sink &sink) {
    for (uint32_t n = Group::rank(); n < ASSAY_COARSE_BINS; n += Group::SIZE) sink.bins[n] = 0;
    if (Group::rank() < SINK_COUNTERS) sink.counters[Group::rank()] = 0;
    sink.pair = ITEM_NO_PAIR;
    Group::sync();
}

/* Adds the bins to the device's and begins those of another pair. */
template <class Group>
__device__ __forceinline__ void sink_turn_to(const assay_cuda_set &set, item_sink &sink,
                                             uint32_t pair) {
    if (sink.pair == pair) return;
    Group::sync();
    if (sink.pair != ITEM_NO_PAIR) {
        uint64_t *out = set.d_histogram + (size_t)sink.pair * ASSAY_COARSE_BINS;
        for (uint32_t n = Group::rank(); n < ASSAY_COARSE_BINS; n += Group::SIZE) {
            if (sink.bins[n] == 0) continue;
            atomicAdd((unsigned long long *)(out + n), (unsigned long long)sink.bins[n]);
            sink.bins[n] = 0;
        }
    }
    sink.pair = pair;
    Group::sync();
}

template <class Group>
__device__ __forceinline__ void sink_close(const assay_cuda_set &set, const assay_cuda_batch &batch,
                                           item_sink &sink) {
    sink_turn_to<Group>(set, sink, ITEM_NO_PAIR);
    Group::sync();
    if (Group::rank() >= SINK_COUNTERS || !batch.counting) return;
    uint64_t *const out = &batch.d_counters->non_mated; /* the four, in the sink's order */
    atomicAdd((unsigned long long *)(out + Group::rank()),
              (unsigned long long)sink.counters[Group::rank()]);
}

/* ---- plain items ---- */

/* The bin of an exact coarse product: floor((product - lowest) / 2^13), by one multiply-add that
 * rounds down. lowest is -2^24, so 2^23 + 2048 + product / 2^13 lies in [2^23, 2^24), where floats
 * are the integers. */
__device__ __forceinline__ uint32_t plain_bin(float product) {
    const float sum = __fmaf_rd(product, 1.0f / 8192.0f, 8388608.0f + 2048.0f);
    return (uint32_t)__float_as_int(sum) - 0x4b000000u;
}

template <class Layout, class Group, int PRODUCTS>
__device__ __forceinline__ void take_plain(const assay_cuda_batch &batch, const item_place &at,
                                           const float (&products)[PRODUCTS], bool binning,
                                           item_sink &sink) {
    const int32_t most = ITEM_FLOAT_LIMIT;
    const int32_t floor = batch.coarse_floor < -most  ? -most
                          : batch.coarse_floor > most ? most
                                                      : batch.coarse_floor;
    const bool checked = at.ordinal % ITEM_CHECK_EVERY == 0 &&
                         at.ordinal / ITEM_CHECK_EVERY % Group::SIZE == Group::rank();
    const uint32_t checked_chunk =
        checked ? at.ordinal / (ITEM_CHECK_EVERY * Group::SIZE) % (PRODUCTS / ITEM_CHUNK)
                : PRODUCTS;
#pragma unroll
    for (int chunk = 0; chunk < PRODUCTS / ITEM_CHUNK; chunk++) {
        const float reach =
            (uint32_t)chunk == checked_chunk ? -(float)ITEM_FLOAT_LIMIT : (float)floor;
        bool any = false;
#pragma unroll
        for (int n = 0; n < ITEM_CHUNK; n++) any |= products[chunk * ITEM_CHUNK + n] >= reach;
        if (__any_sync(CUDA_WHOLE_WARP, any)) {
#pragma unroll
            for (int n = 0; n < ITEM_CHUNK; n++) {
                const int i = chunk * ITEM_CHUNK + n;
                item_list(batch, products[i] >= reach, at.a + at.row + Layout::row(i),
                          at.b + Layout::column(i), (int32_t)products[i], INT64_MIN);
            }
        }
        if (binning) {
#pragma unroll
            for (int n = 0; n < ITEM_CHUNK; n++) {
                atomicAdd(&sink.bins[plain_bin(products[chunk * ITEM_CHUNK + n])], 1u);
            }
        }
    }
}

/* ---- every other item, and every item of distances ---- */

/* fine_products: [CUDA_ITEM_ROWS][stride] exact fine products in double, of the oracle; else NULL.
 */
template <class Layout, class Group, int PRODUCTS>
__device__ __forceinline__ void take_pairs(const assay_cuda_set &set, const assay_cuda_batch &batch,
                                           const item_place &at, const float (&products)[PRODUCTS],
                                           const double *fine_products, uint64_t stride,
                                           item_sink &sink) {
    float copy[PRODUCTS]; /* indexed at run time, so that the products stay in registers */
#pragma unroll
    for (int i = 0; i < PRODUCTS; i++) copy[i] = products[i];
    const bool binning = batch.counting && at.chosen && set.d_histogram != NULL;
    uint32_t counted[SINK_COUNTERS] = {0, 0, 0, 0};
#pragma unroll 1
    for (int i = 0; i < PRODUCTS; i++) {
        const uint32_t a = at.a + at.row + Layout::row(i), b = at.b + Layout::column(i);
        int32_t coarse = 0;
        int64_t fine = INT64_MIN;
        bool wanted = false;
        if (b < set.count && a < b) {
            const uint8_t side = set.d_side[a];
            if (side != 0 && side == set.d_side[b]) {
                counted[SINK_OTHER_SIDE]++;
            } else if (set.d_subject[a] == set.d_subject[b]) {
                counted[SINK_SAME_SUBJECT]++;
            } else {
                counted[SINK_NON_MATED]++;
                coarse = item_coarse(set, copy[i], a, b);
                wanted = coarse >= batch.coarse_floor;
                if (fine_products != NULL) {
                    fine = (int64_t)fine_products[(a - at.a) * stride + (b - at.b)];
                    if (set.euclidean) {
                        fine = 2 * fine - set.d_fine_norm[a] - set.d_fine_norm[b];
                    }
                    wanted = fine > batch.fine_floor;
                }
                if (binning) {
                    const uint32_t pair = item_group_pair(set, set.d_group[a], set.d_group[b]);
                    const uint32_t bin = item_bin(set, coarse);
                    counted[SINK_BINNED]++;
                    if (pair == sink.pair) {
                        atomicAdd(&sink.bins[bin], 1u);
                    } else {
                        atomicAdd((unsigned long long *)(set.d_histogram +
                                                         (size_t)pair * ASSAY_COARSE_BINS + bin),
                                  1ull);
                    }
                }
            }
        }
        item_list(batch, wanted, a, b, coarse, fine);
    }
    for (int n = 0; n < SINK_COUNTERS; n++) {
        if (counted[n] != 0) atomicAdd(&sink.counters[n], counted[n]);
    }
}

/* ---- an item ---- */

template <class Layout, class Group, int PRODUCTS>
__device__ __forceinline__ void take_item(const assay_cuda_set &set, const assay_cuda_batch &batch,
                                          const item_place &at, const float (&products)[PRODUCTS],
                                          const double *fine_products, uint64_t stride,
                                          item_sink &sink) {
    uint32_t pair;
    const bool plain = item_is_plain(set, at, &pair) && !set.euclidean && fine_products == NULL;
    const bool binning = batch.counting && at.chosen && set.d_histogram != NULL;
    if (binning) sink_turn_to<Group>(set, sink, pair);
    if (!plain) {
        take_pairs<Layout, Group>(set, batch, at, products, fine_products, stride, sink);
        return;
    }
    take_plain<Layout, Group>(batch, at, products, binning, sink);
    if (Group::rank() == 0) {
        atomicAdd(&sink.counters[SINK_NON_MATED], (uint32_t)(PRODUCTS * Group::SIZE));
        if (binning) atomicAdd(&sink.counters[SINK_BINNED], (uint32_t)(PRODUCTS * Group::SIZE));
    }
}

#endif
