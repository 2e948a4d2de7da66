/* cuda_fp16 -- the shim's halves. */
#ifndef ASSAY_TESTS_SHIM_CUDA_FP16_H
#define ASSAY_TESTS_SHIM_CUDA_FP16_H

typedef uint16_t __half;
inline __half __int2half_rn(int value) {
    return shim_half_bits(value);
}

#endif
