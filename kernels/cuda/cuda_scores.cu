/* cuda_scores -- scores of listed pairs: candidates for the tail, a sample to guess their floor,
 * mated pairs; and the packing of coarse components.
 *
 * A warp takes 32 pairs at a time: for each, its lanes walk both rows beside one another and add
 * up; lane n keeps what pair n gave. Integers throughout, so the sums are those of the definitions
 * (kernels/quantise.h) in any order. The limit is memory: two rows of fine components, 4 KiB at
 * 512, and two of coarse ones for each candidate. */
#include <cuda_fp16.h>

#include "kernels/cuda/cuda_items.cuh"

#define SCORES_THREADS 256
#define SCORES_BLOCKS_PER_MULTIPROCESSOR 4

#define SCORES_LANES 8u /* for a pair */
#define SCORES_AT_ONCE (32u / SCORES_LANES)

/* The sum over the eight lanes of a pair, in each of them. */
template <class T> __device__ __forceinline__ T add_across_lanes(T sum) {
#pragma unroll
    for (int step = SCORES_LANES / 2; step > 0; step /= 2) {
        sum += __shfl_xor_sync(CUDA_WHOLE_WARP, sum, step);
    }
    return sum;
}

/* The fine score of a pair, the same in its eight lanes. */
__device__ __forceinline__ int64_t fine_of(const assay_cuda_set &set, uint32_t a, uint32_t b) {
    const int32_t *x = set.d_fine + (size_t)a * set.length;
    const int32_t *y = set.d_fine + (size_t)b * set.length;
    const uint32_t lane = threadIdx.x % SCORES_LANES;
    int64_t sum = 0;
    if (set.length % 4 == 0) { /* every row begins on 16 bytes */
        const int4 *x4 = (const int4 *)x, *y4 = (const int4 *)y;
#pragma unroll 4
        for (uint32_t k = lane; k < set.length / 4; k += SCORES_LANES) {
            const int4 u = x4[k], v = y4[k];
            sum +=
                (int64_t)u.x * v.x + (int64_t)u.y * v.y + (int64_t)u.z * v.z + (int64_t)u.w * v.w;
        }
    } else {
        for (uint32_t k = lane; k < set.length; k += SCORES_LANES) sum += (int64_t)x[k] * y[k];
    }
    sum = add_across_lanes(sum);
    return set.euclidean ? 2 * sum - set.d_fine_norm[a] - set.d_fine_norm[b] : sum;
}

__device__ __forceinline__ int32_t coarse_of(const assay_cuda_set &set, uint32_t a, uint32_t b) {
    const int16_t *x = set.d_coarse + (size_t)a * set.length;
    const int16_t *y = set.d_coarse + (size_t)b * set.length;
    const uint32_t lane = threadIdx.x % SCORES_LANES;
    int32_t sum = 0;
    if (set.length % 4 == 0) { /* every row begins on 8 bytes */
        const short4 *x4 = (const short4 *)x, *y4 = (const short4 *)y;
#pragma unroll 4
        for (uint32_t k = lane; k < set.length / 4; k += SCORES_LANES) {
            const short4 u = x4[k], v = y4[k];
            sum += u.x * v.x + u.y * v.y + u.z * v.z + u.w * v.w;
        }
    } else {
        for (uint32_t k = lane; k < set.length; k += SCORES_LANES) sum += (int32_t)x[k] * y[k];
    }
    sum = add_across_lanes(sum);
    return set.euclidean ? 2 * sum - set.d_coarse_norm[a] - set.d_coarse_norm[b] : sum;
}

/* Scores each lane's own pair. Every lane has one, if only a copy of another's. */
template <bool FINE>
__device__ __forceinline__ void score_warp(const assay_cuda_set &set, assay_scored_pair &mine) {
    const uint32_t lane = threadIdx.x % 32;
    for (uint32_t n = 0; n < 32 / SCORES_AT_ONCE; n++) {
        const int holder = (int)(n * SCORES_AT_ONCE + lane / SCORES_LANES);
        const uint32_t a = __shfl_sync(CUDA_WHOLE_WARP, mine.a, holder);
        const uint32_t b = __shfl_sync(CUDA_WHOLE_WARP, mine.b, holder);
        /* From the lanes that made them to the lanes whose pairs they are. */
        const int maker = (int)(lane % SCORES_AT_ONCE * SCORES_LANES);
        const int32_t coarse = __shfl_sync(CUDA_WHOLE_WARP, coarse_of(set, a, b), maker);
        int64_t fine = 0;
        if (FINE) fine = __shfl_sync(CUDA_WHOLE_WARP, fine_of(set, a, b), maker);
        if (lane / SCORES_AT_ONCE != n) continue;
        mine.coarse = coarse;
        if (FINE) mine.fine = fine;
    }
}

/* ---- candidates ---- */

__device__ void tell_wrong(const assay_cuda_batch &batch, const assay_scored_pair &found,
                           const assay_scored_pair &expected) {
    if (atomicAdd((unsigned long long *)&batch.d_counters->wrong, 1ull) != 0) return;
    batch.d_counters->found = found;
    batch.d_counters->expected = expected;
}

/* Each candidate's fine score, three ways held against what is known: the coarse score that the
 * product gave is the one that integers give; a fine score that the oracle gave likewise; and both
 * scores are within the bound that makes the tail exact. */
__global__ void __launch_bounds__(SCORES_THREADS)
    rescore_kernel(CUDA_PARAMETER assay_cuda_set set, CUDA_PARAMETER assay_cuda_batch batch) {
    const uint64_t found = batch.d_counters->candidates;
    const uint64_t listed = found < batch.capacity ? found : batch.capacity;
    const uint64_t warps = (uint64_t)gridDim.x * blockDim.x / 32;
    const uint32_t lane = threadIdx.x % 32;
    for (uint64_t warp = ((uint64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32; warp * 32 < listed;
         warp += warps) {
        const uint64_t first = warp * 32, left = listed - first;
        const bool there = lane < left;
        const assay_scored_pair told = batch.d_candidates[there ? first + lane : first];
        assay_scored_pair mine = told;
        score_warp<true>(set, mine);
        const double off = (double)mine.fine * set.fine_unit - mine.coarse * set.coarse_unit;
        if (there && (mine.coarse != told.coarse || fabs(off) > set.bound ||
                      (told.fine != INT64_MIN && told.fine != mine.fine))) {
            tell_wrong(batch, told, mine);
        }
        const bool keep = there && mine.fine > batch.fine_floor;
        const uint32_t who = __ballot_sync(CUDA_WHOLE_WARP, keep);
        unsigned long long place = 0;
        if (lane == 0 && who != 0) {
            place = atomicAdd((unsigned long long *)&batch.d_counters->kept,
                              (unsigned long long)__popc(who));
        }
        place = __shfl_sync(CUDA_WHOLE_WARP, place, 0);
        if (keep) batch.d_kept[place + (uint64_t)__popc(who & ((1u << lane) - 1))] = mine;
    }
}

int cuda_rescore(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream) {
    const int blocks = batch->multiprocessors * SCORES_BLOCKS_PER_MULTIPROCESSOR;
    return CUDA_LAUNCH(rescore_kernel, blocks, SCORES_THREADS, 0, stream, *set, *batch);
}

/* ---- listed pairs ---- */

__global__ void __launch_bounds__(SCORES_THREADS)
    score_pairs_kernel(CUDA_PARAMETER assay_cuda_set set, assay_scored_pair *d_pairs,
                       uint64_t count) {
    const uint64_t first = ((uint64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32 * 32;
    const uint32_t lane = threadIdx.x % 32;
    if (first >= count) return;
    const uint64_t left = count - first;
    assay_scored_pair mine = d_pairs[lane < left ? first + lane : first];
    score_warp<true>(set, mine);
    if (lane < left) d_pairs[first + lane] = mine;
}

int cuda_score_pairs(const assay_cuda_set *set, assay_scored_pair *d_pairs, uint64_t count,
                     void *stream) {
    const unsigned blocks = (unsigned)((count + SCORES_THREADS - 1) / SCORES_THREADS);
    if (count == 0) return 0;
    return CUDA_LAUNCH(score_pairs_kernel, blocks, SCORES_THREADS, 0, stream, *set, d_pairs, count);
}

/* ---- the sample ---- */

/* A well mixed number for each (SplitMix64; Steele, Lea, Flood, OOPSLA 2014). It only guesses. */
__device__ __forceinline__ uint64_t mixed(uint64_t n) {
    n += 0x9e3779b97f4a7c15ull;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ull;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebull;
    return n ^ (n >> 31);
}

/* One cell of a random unit for each lane; pairs that are not compared are drawn and not counted.
 */
__global__ void __launch_bounds__(SCORES_THREADS)
    sample_kernel(CUDA_PARAMETER assay_cuda_set set, const assay_cuda_unit *d_units,
                  uint32_t unit_count, uint64_t seed, uint32_t shift, uint32_t *d_sample,
                  uint64_t *d_drawn) {
    const uint64_t thread = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const uint64_t drawn = mixed(seed ^ mixed(thread));
    const assay_cuda_unit unit = d_units[(drawn >> 32) * unit_count >> 32];
    assay_scored_pair mine = {};
    mine.a = unit.row * ASSAY_TILE_EDGE + (uint32_t)(drawn % ASSAY_TILE_EDGE);
    mine.b = unit.column * ASSAY_TILE_EDGE + (uint32_t)(drawn / ASSAY_TILE_EDGE % ASSAY_TILE_EDGE);
    const bool pair = mine.b < set.count && mine.a < mine.b;
    if (!pair) mine.a = mine.b = 0;
    const bool compared = pair && set.d_subject[mine.a] != set.d_subject[mine.b] &&
                          (set.d_side[mine.a] == 0 || set.d_side[mine.a] != set.d_side[mine.b]);
    score_warp<false>(set, mine);
    if (compared) atomicAdd(&d_sample[(uint32_t)(mine.coarse - set.lowest) >> shift], 1u);
    const uint32_t who = __ballot_sync(CUDA_WHOLE_WARP, pair);
    if (threadIdx.x % 32 == 0) {
        atomicAdd((unsigned long long *)d_drawn, (unsigned long long)__popc(who));
    }
}

int cuda_sample(const assay_cuda_set *set, const assay_cuda_unit *d_units, uint32_t unit_count,
                uint64_t wanted, uint64_t seed, uint32_t shift, uint32_t *d_sample,
                uint64_t *d_drawn, void *stream) {
    const unsigned blocks = (unsigned)((wanted + SCORES_THREADS - 1) / SCORES_THREADS);
    if (blocks == 0) return 0;
    return CUDA_LAUNCH(sample_kernel, blocks, SCORES_THREADS, 0, stream, *set, d_units, unit_count,
                       seed, shift, d_sample, d_drawn);
}

/* ---- packing ---- */

/* Where component k of row r lies for the fused ways, in halves: for each block of 64 components
 * all rows, 128 bytes each, their eight 16-byte chunks turned by the row. Any run of rows is then
 * one stretch of memory that a bulk copy brings to shared memory as the tensor cores want it: the
 * 128-byte swizzle, which exclusive-ors the chunk's number with the row's lowest three bits. */
__device__ __forceinline__ size_t place_of(const assay_cuda_set &set, uint32_t row, uint32_t k) {
    const uint32_t chunk = k % CUDA_DEPTH / 8 ^ row % 8;
    return ((size_t)(k / CUDA_DEPTH) * set.rows + row) * CUDA_DEPTH + chunk * 8 + k % 8;
}

__global__ void pack_halves_kernel(CUDA_PARAMETER assay_cuda_set set, bool swizzled) {
    __half *out = (__half *)set.d_packed;
    const uint64_t cells = set.rows * set.depth;
    for (uint64_t n = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; n < cells;
         n += (uint64_t)gridDim.x * blockDim.x) {
        const uint32_t row = (uint32_t)(n / set.depth), k = (uint32_t)(n % set.depth);
        const bool there = row < set.count && k < set.length;
        const int value = there ? set.d_coarse[(size_t)row * set.length + k] : 0;
        out[swizzled ? place_of(set, row, k) : n] = __int2half_rn(value); /* |value| <= 2048 */
    }
}

/* Fine components, then coarse ones, row by row. */
__global__ void pack_doubles_kernel(CUDA_PARAMETER assay_cuda_set set) {
    double *fine = (double *)set.d_packed, *coarse = fine + set.rows * set.depth;
    const uint64_t cells = set.rows * set.depth;
    for (uint64_t n = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; n < cells;
         n += (uint64_t)gridDim.x * blockDim.x) {
        const uint32_t row = (uint32_t)(n / set.depth), k = (uint32_t)(n % set.depth);
        const bool there = row < set.count && k < set.length;
        const size_t from = (size_t)row * set.length + k;
        fine[n] = there ? (double)set.d_fine[from] : 0;
        coarse[n] = there ? (double)set.d_coarse[from] : 0;
    }
}

int cuda_pack(assay_cuda_way way, const assay_cuda_set *set, void *stream) {
    const uint64_t wanted = (set->rows * set->depth + SCORES_THREADS - 1) / SCORES_THREADS;
    const unsigned blocks = wanted < 16384 ? (unsigned)wanted : 16384;
    if (way == ASSAY_CUDA_DGEMM) {
        return CUDA_LAUNCH(pack_doubles_kernel, blocks, SCORES_THREADS, 0, stream, *set);
    }
    return CUDA_LAUNCH(pack_halves_kernel, blocks, SCORES_THREADS, 0, stream, *set,
                       way != ASSAY_CUDA_BLAS);
}
