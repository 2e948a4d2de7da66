/* cuda_mma -- the fused way for sm_80 to sm_89 (and any later card): products by warps, and what is
 * done with them while they are in registers; scores never reach device memory.
 *
 * A block of eight warps takes the items of a unit one after the other. A warp makes 64 x 64 of an
 * item's 128 x 256 products, 128 registers a thread. Components come 32 at a time in three stages
 * of 24 KiB, by copies of 16 bytes that run while the stage before is multiplied. Shared memory is
 * read without conflicts: a row has 64 bytes there, and its four chunks are turned by half the row,
 * so that the eight rows of a matrix lie in eight different groups of banks. With the histogram, 88
 * KiB: one block a multiprocessor where there are 100. */
#include "kernels/cuda/cuda_items.cuh"
#include "kernels/cuda/cuda_ptx.cuh"

#define MMA_THREADS 256
#define MMA_STAGES 3
#define MMA_DEPTH 32u /* components of a stage, 64 bytes a row */
#define MMA_CHUNKS (MMA_DEPTH * 2 / 16)
#define MMA_ROWS (CUDA_ITEM_ROWS + CUDA_ITEM_COLUMNS)
#define MMA_STAGE_BYTES (MMA_ROWS * MMA_DEPTH * 2)

struct mma_shared {
    unsigned char stages[MMA_STAGES][MMA_STAGE_BYTES];
    uint32_t bins[ASSAY_COARSE_BINS];
    uint32_t counters[SINK_COUNTERS];
};

#if __CUDA_ARCH__ >= 800 || defined(ASSAY_CUDA_SHIM)

using mma_group = block_group<MMA_THREADS>;

/* Product i of a thread: tile of 16 rows i / 32, tile of 8 columns i / 4 % 8, and i % 4 within. */
struct mma_layout {
    __device__ static uint32_t row(int i) {
        const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
        return warp / 4 * 64 + (uint32_t)(i / 32) * 16 + (uint32_t)(i / 2 % 2) * 8 + lane / 4;
    }
    __device__ static uint32_t column(int i) {
        const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
        return warp % 4 * 64 + (uint32_t)(i / 4 % 8) * 8 + lane % 4 * 2 + (uint32_t)(i % 2);
    }
};

/* Where chunk c of a stage's row lies. Rows 0 … 127 are the item's rows, then its columns. */
__device__ __forceinline__ unsigned char *chunk_of(unsigned char *stage, uint32_t row, uint32_t c) {
    return stage + row * (MMA_DEPTH * 2) + (c ^ (row / 2 % 4)) * 16;
}

/* Asks for step `step` of the item's components (32 from 32 step on). */
__device__ __forceinline__ void ask_for(const assay_cuda_set &set, const item_place &at,
                                        uint32_t step, unsigned char *stage) {
    const uint32_t half = step % 2 * MMA_CHUNKS; /* of the packed block of 64 */
    const unsigned char *block =
        (const unsigned char *)set.d_packed + (size_t)(step / 2) * set.rows * (CUDA_DEPTH * 2);
#pragma unroll
    for (uint32_t n = 0; n < MMA_ROWS * MMA_CHUNKS / MMA_THREADS; n++) {
        const uint32_t place = n * MMA_THREADS + threadIdx.x;
        const uint32_t row = place / MMA_CHUNKS, c = place % MMA_CHUNKS;
        const uint32_t from = row < CUDA_ITEM_ROWS ? at.a + row : at.b + row - CUDA_ITEM_ROWS;
        const uint32_t packed = (half + c) ^ (from % 8); /* cuda_scores.cu, place_of */
        ptx_copy_16(chunk_of(stage, row, c), block + (size_t)from * (CUDA_DEPTH * 2) + packed * 16);
    }
}

/* A warp's 64 x 64 products of one stage's 32 components. */
__device__ __forceinline__ void multiply_stage(unsigned char *stage,
                                               float (&products)[ITEM_PRODUCTS]) {
    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const uint32_t first_row = warp / 4 * 64, first_column = CUDA_ITEM_ROWS + warp % 4 * 64;
#pragma unroll
    for (uint32_t k = 0; k < MMA_DEPTH / 16; k++) {
        uint32_t a[4][4], b[4][4];
#pragma unroll
        for (uint32_t n = 0; n < 4; n++) {
            /* Rows 0-7 and 8-15, then the same a chunk on. */
            ptx_load_matrices(a[n],
                              chunk_of(stage, first_row + n * 16 + lane % 16, k * 2 + lane / 16));
            /* Columns 0-7, both chunks; then columns 8-15. */
            ptx_load_matrices(b[n],
                              chunk_of(stage, first_column + n * 16 + lane / 16 * 8 + lane % 8,
                                       k * 2 + lane / 8 % 2));
        }
#pragma unroll
        for (uint32_t m = 0; m < 4; m++) {
#pragma unroll
            for (uint32_t n = 0; n < 8; n++) {
                ptx_warp_product(products + m * 32 + n * 4, a[m], b[n / 2][n % 2 * 2],
                                 b[n / 2][n % 2 * 2 + 1]);
            }
        }
    }
}

__device__ __forceinline__ void multiply_item(const assay_cuda_set &set, const item_place &at,
                                              mma_shared &shared,
                                              float (&products)[ITEM_PRODUCTS]) {
    const uint32_t steps = set.depth / MMA_DEPTH;
#pragma unroll
    for (int i = 0; i < ITEM_PRODUCTS; i++) products[i] = 0;
    __syncthreads(); /* nobody reads the stages any more */
    for (uint32_t step = 0; step < MMA_STAGES - 1; step++) {
        if (step < steps) ask_for(set, at, step, shared.stages[step]);
        ptx_copy_commit(); /* an empty group where there is no step, so that the count holds */
    }
    for (uint32_t step = 0; step < steps; step++) {
        ptx_copy_wait<MMA_STAGES - 2>();
        __syncthreads(); /* this step is there for all, and the one before has been read by all */
        const uint32_t next = step + MMA_STAGES - 1;
        if (next < steps) ask_for(set, at, next, shared.stages[next % MMA_STAGES]);
        ptx_copy_commit();
        multiply_stage(shared.stages[step % MMA_STAGES], products);
    }
}

#endif

__global__ void __launch_bounds__(MMA_THREADS, 1)
    mma_kernel(CUDA_PARAMETER assay_cuda_set set, CUDA_PARAMETER assay_cuda_batch batch) {
#if __CUDA_ARCH__ >= 800 || defined(ASSAY_CUDA_SHIM)
    CUDA_SHARED(memory);
    mma_shared &shared = *(mma_shared *)memory;
    item_sink sink;
    sink.bins = shared.bins;
    sink.counters = shared.counters;
    sink_open<mma_group>(sink);
    float products[ITEM_PRODUCTS];
    for (uint32_t n = blockIdx.x; n < batch.unit_count; n += gridDim.x) {
        const assay_cuda_unit unit = batch.d_units[n];
        for (uint32_t item = 0; item < CUDA_UNIT_ITEMS; item++) {
            item_place at;
            if (!item_of(set, unit, n, item, &at)) continue;
            multiply_item(set, at, shared, products);
            take_item<mma_layout, mma_group>(set, batch, at, products, NULL, 0, sink);
        }
    }
    sink_close<mma_group>(set, batch, sink);
#endif
}

int cuda_tiles_mma(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream) {
    const int error = (int)cudaFuncSetAttribute(
        mma_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)sizeof(mma_shared));
    const unsigned blocks = batch->unit_count < (unsigned)batch->multiprocessors
                                ? batch->unit_count
                                : (unsigned)batch->multiprocessors;
    if (error != 0 || blocks == 0) return error;
    return CUDA_LAUNCH(mma_kernel, blocks, MMA_THREADS, sizeof(mma_shared), stream, *set, *batch);
}
