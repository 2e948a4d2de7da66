/* cuda_device -- what every kernel of the module includes: the runtime, how a kernel is launched,
 * and where its shared memory begins. The tests build the same files as C++ with a shim that
 * defines these three first (tests/shim/). */
#ifndef ASSAY_KERNELS_CUDA_CUDA_DEVICE_CUH
#define ASSAY_KERNELS_CUDA_CUDA_DEVICE_CUH

#include <cuda_runtime.h>
#include <stdint.h>

#include "kernels/cuda/cuda_table.h"

#ifndef ASSAY_CUDA_SHIM
/* Launches and gives the launch's own error. */
#define CUDA_LAUNCH(kernel, grid, block, shared, stream, ...)                                      \
    (kernel<<<(grid), (block), (shared), (cudaStream_t)(stream)>>>(__VA_ARGS__),                   \
     (int)cudaGetLastError())
/* A kernel's dynamic shared memory, aligned as bulk copies and swizzled operands want it. */
#define CUDA_SHARED(name) extern __shared__ __align__(1024) unsigned char name[]
#endif

/* Parameters that stay where they are: read by every thread, changed by none. */
#define CUDA_PARAMETER const __grid_constant__
#define CUDA_WHOLE_WARP 0xffffffffu

/* The launchers of the module's parts, for its table (cuda_module_table.cu). */
int cuda_pack(assay_cuda_way way, const assay_cuda_set *set, void *stream);
int cuda_rescore(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream);
int cuda_sample(const assay_cuda_set *set, const assay_cuda_unit *d_units, uint32_t unit_count,
                uint64_t wanted, uint64_t seed, uint32_t shift, uint32_t *d_sample,
                uint64_t *d_drawn, void *stream);
int cuda_score_pairs(const assay_cuda_set *set, assay_scored_pair *d_pairs, uint64_t count,
                     void *stream);
int cuda_tiles_wgmma(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream);
int cuda_tiles_mma(const assay_cuda_set *set, const assay_cuda_batch *batch, void *stream);
int cuda_tiles_blas(void *blas, const assay_cuda_set *set, const assay_cuda_batch *batch,
                    void *stream);
int cuda_tiles_dgemm(void *blas, const assay_cuda_set *set, const assay_cuda_batch *batch,
                     void *stream);

#endif
