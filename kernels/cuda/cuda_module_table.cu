/* cuda_module_table -- the module's one public function, and the runtime's functions under the
 * names of the table (cuda_table.h). */
#include <stdio.h>
#include <string.h>

#include "kernels/cuda/cuda_blas.cuh"
#include "kernels/cuda/cuda_device.cuh"

#ifndef CUDA_MADE_BY
#define CUDA_MADE_BY "CUDA"
#endif

static const char *error_text(int code) {
    static thread_local char text[64];
    if (code < CUDA_BLAS_CODES) return cudaGetErrorString((cudaError_t)code);
    snprintf(text, sizeof text, "cuBLAS status %d", code - CUDA_BLAS_CODES);
    return text;
}

/* ---- devices ---- */

static int device_count(int *out) {
    *out = 0;
    return (int)cudaGetDeviceCount(out);
}

static int device_use(int device) {
    return (int)cudaSetDevice(device);
}

static int device_describe(int device, assay_cuda_device *out) {
    cudaDeviceProp found;
    memset(out, 0, sizeof *out);
    cudaError_t error = cudaGetDeviceProperties(&found, device);
    if (error != cudaSuccess) return (int)error;
    snprintf(out->name, sizeof out->name, "%.100s", found.name);
    out->major = found.major;
    out->minor = found.minor;
    out->multiprocessors = found.multiProcessorCount;
    out->memory = found.totalGlobalMem;
    out->l2 = (uint64_t)found.l2CacheSize;
    out->shared = found.sharedMemPerBlockOptin;
    size_t free_memory = 0, all = 0;
    error = cudaSetDevice(device);
    if (error == cudaSuccess) error = cudaMemGetInfo(&free_memory, &all);
    if (error == cudaSuccess) error = cudaDriverGetVersion(&out->driver);
    if (error == cudaSuccess) error = cudaRuntimeGetVersion(&out->runtime);
    out->free_memory = free_memory;
    return (int)error;
}

/* ---- memory ---- */

static int allocate(void **d_out, uint64_t bytes) {
    return (int)cudaMalloc(d_out, (size_t)(bytes > 0 ? bytes : 1));
}

static void release(void *d_pointer) {
    if (d_pointer != NULL) (void)cudaFree(d_pointer);
}

static int allocate_pinned(void **h_out, uint64_t bytes) {
    return (int)cudaMallocHost(h_out, (size_t)(bytes > 0 ? bytes : 1));
}

static void release_pinned(void *h_pointer) {
    if (h_pointer != NULL) (void)cudaFreeHost(h_pointer);
}

static int copy_in(void *d_to, const void *h_from, uint64_t bytes, void *stream) {
    return (int)cudaMemcpyAsync(d_to, h_from, (size_t)bytes, cudaMemcpyHostToDevice,
                                (cudaStream_t)stream);
}

static int copy_out(void *h_to, const void *d_from, uint64_t bytes, void *stream) {
    return (int)cudaMemcpyAsync(h_to, d_from, (size_t)bytes, cudaMemcpyDeviceToHost,
                                (cudaStream_t)stream);
}

static int copy_within(void *d_to, const void *d_from, uint64_t bytes, void *stream) {
    return (int)cudaMemcpyAsync(d_to, d_from, (size_t)bytes, cudaMemcpyDeviceToDevice,
                                (cudaStream_t)stream);
}

static int clear(void *d_pointer, uint64_t bytes, void *stream) {
    return (int)cudaMemsetAsync(d_pointer, 0, (size_t)bytes, (cudaStream_t)stream);
}

/* ---- streams and events ---- */

static int stream_open(void **out) {
    return (int)cudaStreamCreateWithFlags((cudaStream_t *)out, cudaStreamNonBlocking);
}

static void stream_close(void *stream) {
    if (stream != NULL) (void)cudaStreamDestroy((cudaStream_t)stream);
}

static int stream_wait(void *stream) {
    return (int)cudaStreamSynchronize((cudaStream_t)stream);
}

static int event_open(void **out) {
    return (int)cudaEventCreate((cudaEvent_t *)out);
}

static void event_close(void *event) {
    if (event != NULL) (void)cudaEventDestroy((cudaEvent_t)event);
}

static int event_record(void *event, void *stream) {
    return (int)cudaEventRecord((cudaEvent_t)event, (cudaStream_t)stream);
}

static int event_wait(void *event) {
    return (int)cudaEventSynchronize((cudaEvent_t)event);
}

static int event_seconds(float *out, void *from, void *to) {
    const cudaError_t error = cudaEventElapsedTime(out, (cudaEvent_t)from, (cudaEvent_t)to);
    *out /= 1000;
    return (int)error;
}

/* ---- ways ---- */

static uint64_t packed_bytes(assay_cuda_way way, const assay_cuda_set *set) {
    const uint64_t cells = set->rows * set->depth;
    return way == ASSAY_CUDA_DGEMM ? cells * 2 * sizeof(double) : cells * 2;
}

static const char *way_refuses(assay_cuda_way way, const assay_cuda_device *device) {
    const int capability = device->major * 10 + device->minor;
    if (capability < 75) return "its compute capability is below 7.5";
    if (way == ASSAY_CUDA_WGMMA && capability != 90) return "it has no warpgroup products (9.0)";
    if (way == ASSAY_CUDA_MMA && capability < 80) {
        return "it has no warp products of 16 components (8.0)";
    }
    return NULL;
}

static int tiles(assay_cuda_way way, void *blas, const assay_cuda_set *set,
                 const assay_cuda_batch *batch, void *stream) {
    switch (way) {
    case ASSAY_CUDA_WGMMA:
        return cuda_tiles_wgmma(set, batch, stream);
    case ASSAY_CUDA_MMA:
        return cuda_tiles_mma(set, batch, stream);
    case ASSAY_CUDA_BLAS:
        return cuda_tiles_blas(blas, set, batch, stream);
    case ASSAY_CUDA_DGEMM:
        return cuda_tiles_dgemm(blas, set, batch, stream);
    default:
        return (int)cudaErrorInvalidValue;
    }
}

static const assay_cuda_table table = {
    ASSAY_CUDA_VERSION,
    CUDA_MADE_BY,
    error_text,
    device_count,
    device_describe,
    device_use,
    allocate,
    release,
    allocate_pinned,
    release_pinned,
    copy_in,
    copy_out,
    copy_within,
    clear,
    stream_open,
    stream_close,
    stream_wait,
    event_open,
    event_close,
    event_record,
    event_wait,
    event_seconds,
    cuda_blas_open,
    cuda_blas_close,
    cuda_blas_square,
    packed_bytes,
    cuda_pack,
    way_refuses,
    tiles,
    cuda_rescore,
    cuda_sample,
    cuda_score_pairs,
};

extern "C" __attribute__((visibility("default"))) const assay_cuda_table *
assay_cuda_table_get(void);

const assay_cuda_table *assay_cuda_table_get(void) {
    return &table;
}
