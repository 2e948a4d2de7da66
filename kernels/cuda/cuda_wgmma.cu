/* cuda_wgmma -- the fused way for Hopper (sm_90a): products by warpgroups, straight from shared
 * memory, and what is done with them while they are in registers; scores never reach device memory.
 *
 * A block is one producer and two consumer warpgroups, one block a multiprocessor. The producer's
 * one thread asks for the components of item after item, 64 at a time, in four stages of 48 KiB:
 * two bulk copies a stage, since packed rows are one stretch of memory that is already swizzled
 * (cuda_scores.cu, place_of). Each consumer multiplies 64 of the item's rows with all its 256
 * columns. Both read the same stages, but neither waits for the other: while one lists and bins its
 * products, the other keeps the tensor cores at work, and may be up to four stages behind or ahead,
 * half an item at 512 components. So the epilogue hides as long as it takes less time than that.
 *
 * A stage goes round: full (its bytes are there), read by both, empty (the eight warps have said
 * so). A warp says so one stage late, when the products of the stage after are on their way. */
#include "kernels/cuda/cuda_items.cuh"
#include "kernels/cuda/cuda_ptx.cuh"

#define WGMMA_CONSUMERS 2
#define WGMMA_THREADS ((1 + WGMMA_CONSUMERS) * 128)
#define WGMMA_STAGES 4
#define WGMMA_CONSUMER_WARPS (WGMMA_CONSUMERS * 4)
#define WGMMA_ROW_BYTES (CUDA_DEPTH * 2)
#define WGMMA_A_BYTES (CUDA_ITEM_ROWS * WGMMA_ROW_BYTES)
#define WGMMA_B_BYTES (CUDA_ITEM_COLUMNS * WGMMA_ROW_BYTES)

/* Registers: 128 threads of 40 and 256 of 232 are 64,512 of 65,536. */
#define WGMMA_PRODUCER_REGISTERS 40
#define WGMMA_CONSUMER_REGISTERS 232

struct wgmma_shared {
    unsigned char a[WGMMA_STAGES][WGMMA_A_BYTES]; /* every stage on 1024 bytes */
    unsigned char b[WGMMA_STAGES][WGMMA_B_BYTES];
    uint32_t bins[WGMMA_CONSUMERS][ASSAY_COARSE_BINS];
    uint32_t counters[WGMMA_CONSUMERS][SINK_COUNTERS];
    uint64_t full[WGMMA_STAGES], empty[WGMMA_STAGES];
};
static_assert(sizeof(wgmma_shared) <= 227 * 1024, "more shared memory than a block may have");

#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(ASSAY_CUDA_SHIM)

struct wgmma_group {
    static constexpr uint32_t SIZE = 128;
    __device__ static uint32_t rank() {
        return threadIdx.x % 128;
    }
    __device__ static void sync() {
        if (threadIdx.x < 256) {
            ptx_warpgroup_meet<1>();
        } else {
            ptx_warpgroup_meet<2>();
        }
    }
};

/* ptx_warpgroup_product says where product i lies; the second consumer has rows 64 … 127. */
struct wgmma_layout {
    __device__ static uint32_t row(int i) {
        const uint32_t consumer = threadIdx.x / 128 - 1, warp = threadIdx.x / 32 % 4;
        return consumer * 64 + warp * 16 + threadIdx.x % 32 / 4 + (uint32_t)(i / 2 % 2) * 8;
    }
    __device__ static uint32_t column(int i) {
        return (uint32_t)(i / 4) * 8 + threadIdx.x % 4 * 2 + (uint32_t)(i % 2);
    }
};

/* A place in the ring of stages, and which time round it is. */
struct wgmma_turn {
    uint32_t stage = 0, parity = 0;
    __device__ void next() {
        if (++stage < WGMMA_STAGES) return;
        stage = 0;
        parity ^= 1;
    }
};

__device__ __forceinline__ void produce_item(const assay_cuda_set &set, const item_place &at,
                                             wgmma_shared &shared, wgmma_turn &turn) {
    for (uint32_t step = 0; step < set.depth / CUDA_DEPTH; step++, turn.next()) {
        const unsigned char *block =
            (const unsigned char *)set.d_packed + (size_t)step * set.rows * WGMMA_ROW_BYTES;
        uint64_t *full = &shared.full[turn.stage];
        ptx_barrier_wait(&shared.empty[turn.stage], turn.parity ^ 1);
        ptx_barrier_arrive_expecting(full, WGMMA_A_BYTES + WGMMA_B_BYTES);
        ptx_copy_bulk(shared.a[turn.stage], block + (size_t)at.a * WGMMA_ROW_BYTES, WGMMA_A_BYTES,
                      full);
        ptx_copy_bulk(shared.b[turn.stage], block + (size_t)at.b * WGMMA_ROW_BYTES, WGMMA_B_BYTES,
                      full);
    }
}

__device__ __forceinline__ void multiply_item(const assay_cuda_set &set, wgmma_shared &shared,
                                              wgmma_turn &turn, float (&products)[ITEM_PRODUCTS]) {
    const uint32_t consumer = threadIdx.x / 128 - 1;
    const bool tells = threadIdx.x % 32 == 0; /* one thread of each warp */
    uint32_t before = 0;
    for (uint32_t step = 0; step < set.depth / CUDA_DEPTH; step++, turn.next()) {
        ptx_barrier_wait(&shared.full[turn.stage], turn.parity);
        const uint64_t a = ptx_descriptor(shared.a[turn.stage] + consumer * 64 * WGMMA_ROW_BYTES);
        const uint64_t b = ptx_descriptor(shared.b[turn.stage]);
        ptx_hold(products);
        ptx_product_fence();
#pragma unroll
        for (uint32_t k = 0; k < CUDA_DEPTH / 16; k++) {
            ptx_warpgroup_product(products, a + k * PTX_DESCRIPTOR_STEP,
                                  b + k * PTX_DESCRIPTOR_STEP, step + k != 0);
        }
        ptx_product_commit();
        ptx_hold(products);
        if (step > 0) {
            ptx_product_wait<1>(); /* the step before has been read */
            if (tells) ptx_barrier_arrive(&shared.empty[before]);
        }
        before = turn.stage;
    }
    ptx_product_wait<0>();
    ptx_hold(products);
    if (tells) ptx_barrier_arrive(&shared.empty[before]);
}

__device__ __forceinline__ void consume(const assay_cuda_set &set, const assay_cuda_batch &batch,
                                        wgmma_shared &shared) {
    const uint32_t consumer = threadIdx.x / 128 - 1;
    item_sink sink;
    sink.bins = shared.bins[consumer];
    sink.counters = shared.counters[consumer];
    sink_open<wgmma_group>(sink);
    wgmma_turn turn;
    float products[ITEM_PRODUCTS];
    for (uint32_t n = blockIdx.x; n < batch.unit_count; n += gridDim.x) {
        const assay_cuda_unit unit = batch.d_units[n];
        for (uint32_t item = 0; item < CUDA_UNIT_ITEMS; item++) {
            item_place at;
            if (!item_of(set, unit, n, item, &at)) continue;
            multiply_item(set, shared, turn, products);
            take_item<wgmma_layout, wgmma_group>(set, batch, at, products, NULL, 0, sink);
        }
    }
    sink_close<wgmma_group>(set, batch, sink);
}

__device__ __forceinline__ void produce(const assay_cuda_set &set, const assay_cuda_batch &batch,
                                        wgmma_shared &shared) {
    wgmma_turn turn;
    for (uint32_t n = blockIdx.x; n < batch.unit_count; n += gridDim.x) {
        const assay_cuda_unit unit = batch.d_units[n];
        for (uint32_t item = 0; item < CUDA_UNIT_ITEMS; item++) {
            item_place at;
            if (item_of(set, unit, n, item, &at)) produce_item(set, at, shared, turn);
        }
    }
}

#endif

__global__ void __launch_bounds__(WGMMA_THREADS, 1)
    wgmma_kernel(CUDA_PARAMETER assay_cuda_set set, CUDA_PARAMETER assay_cuda_batch batch) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(ASSAY_CUDA_SHIM)
    CUDA_SHARED(memory);
    wgmma_shared &shared = *(wgmma_shared *)memory;
    if (threadIdx.x == 0) {
        for (int n = 0; n < WGMMA_STAGES; n++) {
            ptx_barrier_open(&shared.full[n], 1);
            ptx_barrier_open(&shared.empty[n], WGMMA_CONSUMER_WARPS);
        }
        ptx_barriers_opened();
    }
    __syncthreads();
    if (threadIdx.x < 128) {
        ptx_registers_less<WGMMA_PRODUCER_REGISTERS>();
        if (threadIdx.x == 0) produce(set, batch, shared);
    } else {
        ptx_registers_more<WGMMA_CONSUMER_REGISTERS>();
        consume(set, batch, shared);
    }
#endif
}

int cuda_tiles_wgmma(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream) {
    const int error = (int)cudaFuncSetAttribute(
        wgmma_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)sizeof(wgmma_shared));
    const unsigned blocks = batch->unit_count < (unsigned)batch->multiprocessors
                                ? batch->unit_count
                                : (unsigned)batch->multiprocessors;
    if (error != 0 || blocks == 0) return error;
    return CUDA_LAUNCH(wgmma_kernel, blocks, WGMMA_THREADS, sizeof(wgmma_shared), stream, *set,
                       *batch);
}
