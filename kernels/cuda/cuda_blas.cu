/* cuda_blas -- the ways by cuBLAS: a product of a chunk of the matrix into device memory, and a
 * kernel that reads it once.
 *
 * `blas` multiplies coarse components held as halves, with float sums: exact, because no sum
 * reaches 2^24. `dgemm` is the oracle: it multiplies fine and coarse components in double, where
 * every sum stays below 2^53, and knows the fine score of every pair without a bound or a
 * candidate. A chunk is one row of tiles by as many columns as fit d_scores; the caller makes that
 * half of the card's L2, so that scores are read back from there. */
#include <cublas_v2.h>
#include <dlfcn.h>
#include <stdio.h>

#include "kernels/cuda/cuda_blas.cuh"
#include "kernels/cuda/cuda_items.cuh"

#ifndef CUDA_BLAS_DLOPEN
#define CUDA_BLAS_DLOPEN(name) dlopen(name, RTLD_NOW | RTLD_LOCAL)
#define CUDA_BLAS_DLSYM(library, name) dlsym(library, name)
#endif

#define ACCUMULATE_THREADS 256
#define ACCUMULATE_PRODUCTS 32 /* of a thread at a time: few registers, so several blocks at once  \
                                */
#define ACCUMULATE_ROWS (ACCUMULATE_PRODUCTS * ACCUMULATE_THREADS / CUDA_ITEM_COLUMNS)

/* ---- the library ---- */

typedef cublasStatus_t multiply_halves_function(cublasHandle_t, cublasOperation_t,
                                                cublasOperation_t, int, int, int, const void *,
                                                const void *, cudaDataType, int, const void *,
                                                cudaDataType, int, const void *, void *,
                                                cudaDataType, int, cublasComputeType_t,
                                                cublasGemmAlgo_t);

struct blas {
    void *library;
    cublasHandle_t handle;
    decltype(&cublasCreate_v2) create;
    decltype(&cublasDestroy_v2) destroy;
    decltype(&cublasSetStream_v2) set_stream;
    decltype(&cublasSetMathMode) set_math_mode;
    multiply_halves_function *multiply_halves; /* cublasGemmEx, which C++ headers overload */
    decltype(&cublasDgemm_v2) multiply_doubles;
};

static int code_of(cublasStatus_t status) {
    return status == CUBLAS_STATUS_SUCCESS ? 0 : CUDA_BLAS_CODES + (int)status;
}

template <class Function>
static bool find(const blas &of, const char *name, Function *out, char *reason, size_t size) {
    *out = (Function)CUDA_BLAS_DLSYM(of.library, name);
    if (*out == NULL) snprintf(reason, size, "cuBLAS has no %s", name);
    return *out != NULL;
}

static bool load(blas &into, char *reason, size_t size) {
    char name[32];
    snprintf(name, sizeof name, "libcublas.so.%d", CUDART_VERSION / 1000);
    const char *const places[] = {name, "libcublas.so", "/usr/local/cuda/lib64/libcublas.so"};
    for (size_t n = 0; into.library == NULL && n < sizeof places / sizeof *places; n++) {
        into.library = CUDA_BLAS_DLOPEN(places[n]);
    }
    if (into.library == NULL) {
        snprintf(reason, size, "cannot open %s (cuBLAS)", name);
        return false;
    }
    return find(into, "cublasCreate_v2", &into.create, reason, size) &&
           find(into, "cublasDestroy_v2", &into.destroy, reason, size) &&
           find(into, "cublasSetStream_v2", &into.set_stream, reason, size) &&
           find(into, "cublasSetMathMode", &into.set_math_mode, reason, size) &&
           find(into, "cublasGemmEx", &into.multiply_halves, reason, size) &&
           find(into, "cublasDgemm_v2", &into.multiply_doubles, reason, size);
}

int cuda_blas_open(void **out, void *stream, char *reason, size_t size) {
    blas opened = {};
    if (!load(opened, reason, size)) return CUDA_BLAS_CODES + (int)CUBLAS_STATUS_NOT_INITIALIZED;
    cublasStatus_t status = opened.create(&opened.handle);
    if (status == CUBLAS_STATUS_SUCCESS) {
        status = opened.set_stream(opened.handle, (cudaStream_t)stream);
    }
    if (status == CUBLAS_STATUS_SUCCESS) {
        status = opened.set_math_mode(
            opened.handle,
            (cublasMath_t)(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION));
    }
    if (status == CUBLAS_STATUS_SUCCESS) {
        *out = new blas(opened);
        return 0;
    }
    snprintf(reason, size, "cuBLAS does not start: status %d", (int)status);
    if (opened.handle != NULL) opened.destroy(opened.handle);
    return code_of(status);
}

void cuda_blas_close(void *handle) {
    blas *of = (blas *)handle;
    if (of == NULL) return;
    of->destroy(of->handle);
    delete of; /* the library stays: another thread may use it */
}

/* out [rows][columns] = a [rows][depth] b [columns][depth]^T, all row by row; to cuBLAS, which
 * thinks by columns, that is out^T = b a^T. */
static int multiply_halves(const blas &of, const void *d_a, const void *d_b, void *d_out, int rows,
                           int columns, int depth) {
    const float one = 1, zero = 0;
    return code_of(of.multiply_halves(of.handle, CUBLAS_OP_T, CUBLAS_OP_N, columns, rows, depth,
                                      &one, d_b, CUDA_R_16F, depth, d_a, CUDA_R_16F, depth, &zero,
                                      d_out, CUDA_R_32F, columns, CUBLAS_COMPUTE_32F,
                                      CUBLAS_GEMM_DEFAULT));
}

static int multiply_doubles(const blas &of, const void *d_a, const void *d_b, void *d_out, int rows,
                            int columns, int depth) {
    const double one = 1, zero = 0;
    return code_of(of.multiply_doubles(of.handle, CUBLAS_OP_T, CUBLAS_OP_N, columns, rows, depth,
                                       &one, (const double *)d_b, depth, (const double *)d_a, depth,
                                       &zero, (double *)d_out, columns));
}

int cuda_blas_square(void *handle, bool doubles, const void *d_a, const void *d_b, void *d_c,
                     int edge) {
    const blas &of = *(const blas *)handle;
    return doubles ? multiply_doubles(of, d_a, d_b, d_c, edge, edge, edge)
                   : multiply_halves(of, d_a, d_b, d_c, edge, edge, edge);
}

/* ---- what is done with the products ---- */

struct accumulate_shared {
    uint32_t bins[ASSAY_COARSE_BINS];
    uint32_t counters[SINK_COUNTERS];
};

/* A warp has 4 of 32 rows; its lanes take four columns beside one another, in both halves. */
struct accumulate_layout {
    __device__ static uint32_t row(int i) {
        return threadIdx.x / 32 * 4 + (uint32_t)(i / 8);
    }
    __device__ static uint32_t column(int i) {
        return (uint32_t)(i / 4 % 2) * 128 + threadIdx.x % 32 * 4 + (uint32_t)(i % 4);
    }
};

/* Products of a chunk: of unit n of it, columns 512 n … */
struct accumulate_chunk {
    const float *d_halves;  /* [512][columns] coarse products; or */
    const double *d_coarse; /* the same in double, with */
    const double *d_fine;   /* fine ones */
    uint64_t columns;
    uint32_t first_unit, unit_count;
};

template <bool DOUBLES>
__device__ __forceinline__ void read_products(const accumulate_chunk &chunk, uint64_t origin,
                                              float (&products)[ACCUMULATE_PRODUCTS]) {
#pragma unroll
    for (int i = 0; i < ACCUMULATE_PRODUCTS; i += 4) {
        const uint64_t place =
            origin + accumulate_layout::row(i) * chunk.columns + accumulate_layout::column(i);
        if (DOUBLES) {
#pragma unroll
            for (int n = 0; n < 4; n++) products[i + n] = (float)chunk.d_coarse[place + n];
        } else {
            const float4 four = *(const float4 *)(chunk.d_halves + place);
            products[i] = four.x;
            products[i + 1] = four.y;
            products[i + 2] = four.z;
            products[i + 3] = four.w;
        }
    }
}

/* A block takes 128 rows of a unit: two items. */
template <bool DOUBLES>
__global__ void __launch_bounds__(ACCUMULATE_THREADS)
    accumulate_kernel(CUDA_PARAMETER assay_cuda_set set, CUDA_PARAMETER assay_cuda_batch batch,
                      CUDA_PARAMETER accumulate_chunk chunk) {
    using group = block_group<ACCUMULATE_THREADS>;
    CUDA_SHARED(memory);
    accumulate_shared &shared = *(accumulate_shared *)memory;
    item_sink sink;
    sink.bins = shared.bins;
    sink.counters = shared.counters;
    sink_open<group>(sink);
    const uint32_t n = blockIdx.x / 4, row = blockIdx.x % 4;
    const assay_cuda_unit unit = batch.d_units[chunk.first_unit + n];
    float products[ACCUMULATE_PRODUCTS];
    for (uint32_t column = 0; column < 2; column++) {
        item_place at;
        if (!item_of(set, unit, chunk.first_unit + n, column * 4 + row, &at)) continue;
        const uint64_t origin = (uint64_t)row * CUDA_ITEM_ROWS * chunk.columns +
                                n * ASSAY_TILE_EDGE + column * CUDA_ITEM_COLUMNS;
        for (; at.row < CUDA_ITEM_ROWS; at.row += ACCUMULATE_ROWS) {
            read_products<DOUBLES>(chunk, origin + at.row * chunk.columns, products);
            take_item<accumulate_layout, group>(set, batch, at, products,
                                                DOUBLES ? chunk.d_fine + origin : NULL,
                                                chunk.columns, sink);
        }
    }
    sink_close<group>(set, batch, sink);
}

/* ---- chunks ---- */

/* Units from first on that lie beside one another in a row, at most as many. */
static uint32_t run_from(const assay_cuda_batch &batch, uint32_t first, uint64_t most) {
    uint32_t size = 1;
    while (size < most && first + size < batch.unit_count &&
           batch.units[first + size].row == batch.units[first].row &&
           batch.units[first + size].column == batch.units[first].column + size) {
        size++;
    }
    return size;
}

static int take_chunk_of_halves(const blas &of, const assay_cuda_set *set,
                                const assay_cuda_batch *batch, const assay_cuda_unit &first,
                                accumulate_chunk chunk, void *stream) {
    const uint16_t *packed = (const uint16_t *)set->d_packed; /* halves are 16 bits */
    const size_t strip = (size_t)ASSAY_TILE_EDGE * set->depth;
    const int error =
        multiply_halves(of, packed + first.row * strip, packed + first.column * strip,
                        batch->d_scores, ASSAY_TILE_EDGE, (int)chunk.columns, (int)set->depth);
    const auto kernel = accumulate_kernel<false>;
    if (error != 0) return error;
    chunk.d_halves = (const float *)batch->d_scores;
    return CUDA_LAUNCH(kernel, chunk.unit_count * 4, ACCUMULATE_THREADS, sizeof(accumulate_shared),
                       stream, *set, *batch, chunk);
}

static int take_chunk_of_doubles(const blas &of, const assay_cuda_set *set,
                                 const assay_cuda_batch *batch, const assay_cuda_unit &first,
                                 accumulate_chunk chunk, void *stream) {
    const double *fine = (const double *)set->d_packed, *coarse = fine + set->rows * set->depth;
    const size_t strip = (size_t)ASSAY_TILE_EDGE * set->depth;
    const size_t row = first.row * strip, column = first.column * strip;
    double *fine_scores = (double *)batch->d_scores;
    double *coarse_scores = fine_scores + ASSAY_TILE_EDGE * chunk.columns;
    int error = multiply_doubles(of, fine + row, fine + column, fine_scores, ASSAY_TILE_EDGE,
                                 (int)chunk.columns, (int)set->depth);
    if (error != 0) return error;
    error = multiply_doubles(of, coarse + row, coarse + column, coarse_scores, ASSAY_TILE_EDGE,
                             (int)chunk.columns, (int)set->depth);
    const auto kernel = accumulate_kernel<true>;
    if (error != 0) return error;
    chunk.d_fine = fine_scores;
    chunk.d_coarse = coarse_scores;
    return CUDA_LAUNCH(kernel, chunk.unit_count * 4, ACCUMULATE_THREADS, sizeof(accumulate_shared),
                       stream, *set, *batch, chunk);
}

static int take_chunks(void *handle, bool doubles, const assay_cuda_set *set,
                       const assay_cuda_batch *batch, void *stream) {
    const blas &of = *(const blas *)handle;
    const uint64_t unit_bytes = CUDA_UNIT_CELLS * (doubles ? 2 * sizeof(double) : sizeof(float));
    const uint64_t most = batch->score_bytes / unit_bytes;
    int error = most == 0 ? (int)cudaErrorInvalidValue : 0;
    for (uint32_t first = 0; error == 0 && first < batch->unit_count;) {
        accumulate_chunk chunk = {};
        chunk.first_unit = first;
        chunk.unit_count = run_from(*batch, first, most);
        chunk.columns = (uint64_t)chunk.unit_count * ASSAY_TILE_EDGE;
        error = doubles ? take_chunk_of_doubles(of, set, batch, batch->units[first], chunk, stream)
                        : take_chunk_of_halves(of, set, batch, batch->units[first], chunk, stream);
        first += chunk.unit_count;
    }
    return error;
}

int cuda_tiles_blas(void *blas, const assay_cuda_set *set, const assay_cuda_batch *batch,
                    void *stream) {
    return take_chunks(blas, false, set, batch, stream);
}

int cuda_tiles_dgemm(void *blas, const assay_cuda_set *set, const assay_cuda_batch *batch,
                     void *stream) {
    return take_chunks(blas, true, set, batch, stream);
}
