/* shim -- enough of CUDA C for the module's kernels to run on a processor, one thread at a time:
 * every .cu file is built as C++ with this file included first, so what runs in the tests is what
 * nvcc compiles. Threads of a block are fibers (shim.cpp) that switch where CUDA's threads wait for
 * one another, in an order that tests choose, so that a missing barrier shows. Streams keep what
 * they are given until somebody waits for them; device memory is poisoned, and has an edge that is
 * looked at.
 *
 * Its own headers cuda_runtime.h, cuda_fp16.h and cublas_v2.h come before CUDA's. Machine
 * instructions are in shim_ptx.h. */
#ifndef ASSAY_TESTS_SHIM_SHIM_H
#define ASSAY_TESTS_SHIM_SHIM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <functional>
#include <tuple>
#include <type_traits>

#define ASSAY_CUDA_SHIM 1
#define __device__
#define __global__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)

/* ---- threads ---- */

struct shim_index {
    unsigned x;
};
struct shim_thread {
    shim_index thread, block, threads, blocks;
};
extern thread_local shim_thread shim_here;
#define threadIdx (shim_here.thread)
#define blockIdx (shim_here.block)
#define blockDim (shim_here.threads)
#define gridDim (shim_here.blocks)

/* Lets others run; gives up with a message where nobody can. */
void shim_wait(const char *why);
/* A thread goes on: a round of all threads in which none does is a deadlock. */
void shim_progress();
unsigned char *shim_shared_memory();
/* Threads of the block meet, `count` of them. */
void shim_meet(unsigned barrier, unsigned count);
/* All lanes of a warp give `bytes` and get what all 32 gave, lane by lane, until the next exchange.
 */
const unsigned char *shim_exchange(int kind, const void *mine, unsigned bytes);
/* Whether asynchronous copies arrive as late as they may, or at once. */
bool shim_late_copies();

/* ---- launches ---- */

void shim_enqueue(void *stream, std::function<void()> work);
void shim_run_grid(unsigned blocks, unsigned threads, size_t shared,
                   const std::function<void()> &kernel);
int shim_call(const char *name); /* 0, or the error that a test asked for */

template <class... Parameters, class... Arguments>
int shim_launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, size_t shared,
                void *stream, Arguments &&...arguments) {
    std::tuple<std::decay_t<Parameters>...> kept(arguments...);
    shim_enqueue(
        stream, [=] { shim_run_grid(blocks, threads, shared, [&] { std::apply(kernel, kept); }); });
    return shim_call("launch");
}

#define CUDA_LAUNCH(kernel, grid, block, shared, stream, ...)                                      \
    shim_launch(kernel, (unsigned)(grid), (unsigned)(block), (size_t)(shared), (void *)(stream),   \
                __VA_ARGS__)
#define CUDA_SHARED(name) unsigned char *const name = shim_shared_memory()
#define CUDA_MADE_BY "the shim"
#define CUDA_BLAS_DLOPEN(name) shim_blas_library(name)
#define CUDA_BLAS_DLSYM(library, name) shim_blas_symbol(library, name)
void *shim_blas_library(const char *name);
void *shim_blas_symbol(void *library, const char *name);

/* ---- what kernels call ---- */

#define __syncthreads() shim_meet(0, shim_here.threads.x)

enum { SHIM_BALLOT = 1, SHIM_ANY, SHIM_SHUFFLE, SHIM_MATRICES, SHIM_PRODUCT, SHIM_TOGETHER };
void shim_whole_warp(uint32_t mask);

inline uint32_t __ballot_sync(uint32_t mask, bool yes) {
    shim_whole_warp(mask);
    const uint8_t mine = yes;
    const unsigned char *all = shim_exchange(SHIM_BALLOT, &mine, 1);
    uint32_t who = 0;
    for (int lane = 0; lane < 32; lane++) who |= (uint32_t)all[lane] << lane;
    return who;
}
inline int __any_sync(uint32_t mask, bool yes) {
    shim_whole_warp(mask);
    const uint8_t mine = yes;
    const unsigned char *all = shim_exchange(SHIM_ANY, &mine, 1);
    int any = 0;
    for (int lane = 0; lane < 32; lane++) any |= all[lane];
    return any;
}
template <class T> T __shfl_sync(uint32_t mask, T value, int lane) {
    shim_whole_warp(mask);
    T out;
    memcpy(&out, shim_exchange(SHIM_SHUFFLE, &value, sizeof value) + lane * (int)sizeof value,
           sizeof value);
    return out;
}
template <class T> T __shfl_xor_sync(uint32_t mask, T value, int step) {
    return __shfl_sync(mask, value, (int)(threadIdx.x % 32) ^ step);
}
inline int __popc(uint32_t bits) {
    return __builtin_popcount(bits);
}
inline int __popcll(uint64_t bits) {
    return __builtin_popcountll(bits);
}
inline int __ffs(int bits) {
    return __builtin_ffs(bits);
}
template <class T> T atomicAdd(T *where, T what) {
    const T before = *where;
    *where = before + what;
    return before;
}
inline float __fmaf_rd(float a, float b, float c) {
    return (float)floor((double)a * b +
                        (double)c); /* exact where the result's floats are integers */
}
inline int __float_as_int(float value) {
    int bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

struct int4 {
    int x, y, z, w;
};
struct short4 {
    short x, y, z, w;
};
struct float4 {
    float x, y, z, w;
};
struct ulonglong2 {
    unsigned long long x, y;
};

#define ASSAY_KERNELS_CUDA_CUDA_PTX_CUH /* in place of CUDA's */
#include "tests/shim/shim_ptx.h"

#endif
