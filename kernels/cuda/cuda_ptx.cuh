/* cuda_ptx -- the machine instructions that CUDA C has no words for, each in a function of its own:
 * asynchronous copies, barriers in shared memory, warp products (sm_80) and warpgroup products
 * (sm_90a). The layouts that they demand are written down here once, beside them; the numbers of
 * section and figure are those of "Parallel Thread Execution ISA" 9.0. tests/shim/shim_ptx.h has
 * the same functions in plain C++, made from the same document: a kernel that runs there agrees
 * with that reading, and with nothing more. */
#ifndef ASSAY_KERNELS_CUDA_CUDA_PTX_CUH
#define ASSAY_KERNELS_CUDA_CUDA_PTX_CUH

#include <stdint.h>

__device__ __forceinline__ uint32_t ptx_shared(const void *pointer) {
    return (uint32_t)__cvta_generic_to_shared(pointer);
}

/* ---- sm_80: copies of 16 bytes, warp products ---- */

#if __CUDA_ARCH__ >= 800

__device__ __forceinline__ void ptx_copy_16(void *to_shared, const void *from_global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(ptx_shared(to_shared)),
                 "l"(from_global)
                 : "memory");
}
__device__ __forceinline__ void ptx_copy_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
/* Waits until at most N of this thread's groups are on their way. */
template <int N> __device__ __forceinline__ void ptx_copy_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

/* Four 8 x 8 matrices of halves: lane l gives the address of row l % 8 of matrix l / 8, 16 bytes;
 * of matrix n, lane l gets halves 2 (l % 4) and + 1 of row l / 4 in out[n]. */
__device__ __forceinline__ void ptx_load_matrices(uint32_t (&out)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(ptx_shared(row))
                 : "memory");
}

/* sums [16][8] += a [16][16] b [8][16]^T, halves into floats. With g = lane / 4, t = lane % 4:
 *     a[0] rows g, components 2t, 2t+1     a[1] rows g + 8     a[2], a[3] the same, components + 8
 *     b[0] row g, components 2t, 2t+1      b[1] components + 8
 *     sums[0], [1] row g, columns 2t, 2t+1    sums[2], [3] row g + 8 */
__device__ __forceinline__ void ptx_warp_product(float *sums, const uint32_t (&a)[4], uint32_t b0,
                                                 uint32_t b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#endif

/* ---- sm_90a: barriers, bulk copies, warpgroup products ---- */

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

/* A barrier's phase ends when `count` arrivals and all bytes that were expected are there. */
__device__ __forceinline__ void ptx_barrier_open(uint64_t *barrier, uint32_t count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(ptx_shared(barrier)), "r"(count)
                 : "memory");
}
/* Makes opened barriers known to bulk copies; before the block's threads meet. */
__device__ __forceinline__ void ptx_barriers_opened() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void ptx_barrier_arrive(uint64_t *barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(ptx_shared(barrier)) : "memory");
}
/* Arrives, and has the phase wait for so many bytes of bulk copies too. */
__device__ __forceinline__ void ptx_barrier_arrive_expecting(uint64_t *barrier, uint32_t bytes) {
    asm volatile(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(ptx_shared(barrier)),
        "r"(bytes)
        : "memory");
}
/* Waits for the end of the phase of this parity: 0 the first, 1 the second, … A barrier that was
 * just opened lets 1 pass. */
__device__ __forceinline__ void ptx_barrier_wait(uint64_t *barrier, uint32_t parity) {
    uint32_t over = 0;
    while (over == 0) {
        asm volatile("{\n"
                     ".reg .pred over;\n"
                     "mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, over;\n"
                     "}"
                     : "=r"(over)
                     : "r"(ptx_shared(barrier)), "r"(parity)
                     : "memory");
    }
}
/* One stretch of memory, 16-byte aligned and a multiple of 16 bytes. One thread asks for it. */
__device__ __forceinline__ void ptx_copy_bulk(void *to_shared, const void *from_global,
                                              uint32_t bytes, uint64_t *barrier) {
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
            "r"(ptx_shared(to_shared)),
        "l"(from_global), "r"(bytes), "r"(ptx_shared(barrier))
        : "memory");
}

/* Threads of one warpgroup meet; ids 1 … 15, 0 is __syncthreads. */
template <int ID> __device__ __forceinline__ void ptx_warpgroup_meet() {
    asm volatile("bar.sync %0, 128;" ::"n"(ID) : "memory");
}
/* Registers a thread, of the whole warpgroup. */
template <int N> __device__ __forceinline__ void ptx_registers_less() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}
template <int N> __device__ __forceinline__ void ptx_registers_more() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}

/* The matrix descriptor (9.7.15.5.1) of rows of 128 bytes with the 128-byte swizzle, K along the
 * row: eight rows are an atom of 1024 bytes, atoms follow one another. Start address in bits 0-13,
 * leading offset in 16-29 (not used by this layout, 1), stride from atom to atom in 32-45, all in
 * units of 16 bytes; base offset 0 in 49-51, since atoms lie on 1024 bytes; 1 in 62-63 for the
 * swizzle. Sixteen halves along K are 32 bytes on: the swizzle takes its row from bits 7-9 of the
 * address, which that step does not touch. */
__device__ __forceinline__ uint64_t ptx_descriptor(const void *shared) {
    return (uint64_t)(ptx_shared(shared) >> 4 & 0x3fff) | (uint64_t)1 << 16 | (uint64_t)64 << 32 |
           (uint64_t)1 << 62;
}
#define PTX_DESCRIPTOR_STEP 2 /* 16 halves along K, in units of 16 bytes */

__device__ __forceinline__ void ptx_product_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void ptx_product_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int N> __device__ __forceinline__ void ptx_product_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

#define PTX_SUMS_8(n)                                                                              \
    "+f"(sums[n]), "+f"(sums[n + 1]), "+f"(sums[n + 2]), "+f"(sums[n + 3]), "+f"(sums[n + 4]),     \
        "+f"(sums[n + 5]), "+f"(sums[n + 6]), "+f"(sums[n + 7])
#define PTX_SUMS_32(n) PTX_SUMS_8(n), PTX_SUMS_8(n + 8), PTX_SUMS_8(n + 16), PTX_SUMS_8(n + 24)
#define PTX_SUMS PTX_SUMS_32(0), PTX_SUMS_32(32), PTX_SUMS_32(64), PTX_SUMS_32(96)

/* Tells the compiler that products in flight may write these registers. */
__device__ __forceinline__ void ptx_hold(float (&sums)[128]) {
    asm volatile("" : PTX_SUMS::"memory");
}

/* sums [64][256] = or += a [64][16] b [256][16]^T of the warpgroup, in its own time: sums are there
 * after ptx_product_wait, and the operands' memory must be left alone until then. sums[i] of the
 * thread whose warp of the warpgroup is w and whose lane is l (figure "WGMMA .m64nNk16 register
 * fragment layout for accumulator matrix D"):
 *     row 16 w + l / 4 + 8 (i / 2 % 2),    column 8 (i / 4) + 2 (l % 4) + i % 2 */
__device__ __forceinline__ void ptx_warpgroup_product(float (&sums)[128], uint64_t a, uint64_t b,
                                                      int adding) {
    asm volatile("{\n"
                 ".reg .pred adding;\n"
                 "setp.ne.b32 adding, %130, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
                 "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
                 "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
                 "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, "
                 "%110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, "
                 "%123, %124, %125, %126, %127}, "
                 "%128, %129, adding, 1, 1, 0, 0;\n"
                 "}"
                 : PTX_SUMS
                 : "l"(a), "l"(b), "r"(adding));
}

#endif

#endif
