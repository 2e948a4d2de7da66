/* cuda_blas -- cuBLAS, opened when a way needs it and not before (cuda_blas.cu). */
#ifndef ASSAY_KERNELS_CUDA_CUDA_BLAS_CUH
#define ASSAY_KERNELS_CUDA_CUDA_BLAS_CUH

#include <stddef.h>

#define CUDA_BLAS_CODES 1000000 /* a code above this is a cuBLAS status and this */

int cuda_blas_open(void **out, void *stream, char *reason, size_t size);
void cuda_blas_close(void *blas);
int cuda_blas_square(void *blas, bool doubles, const void *d_a, const void *d_b, void *d_c,
                     int edge);

#endif
