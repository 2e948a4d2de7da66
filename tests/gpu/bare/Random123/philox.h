/* philox -- Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011), as much of Random123's interface
 * as kernels and datasets/base use, for machines that have a GPU and little else. test_gpu.c holds
 * it against the published answer. */
#ifndef ASSAY_TESTS_GPU_BARE_RANDOM123_PHILOX_H
#define ASSAY_TESTS_GPU_BARE_RANDOM123_PHILOX_H

#include <stdint.h>

typedef struct {
    uint32_t v[4];
} philox4x32_ctr_t;
typedef struct {
    uint32_t v[2];
} philox4x32_key_t;

static inline philox4x32_ctr_t philox4x32_R(unsigned rounds, philox4x32_ctr_t counter,
                                            philox4x32_key_t key) {
    for (unsigned round = 0; round < rounds; round++) {
        const uint64_t x = (uint64_t)0xD2511F53 * counter.v[0];
        const uint64_t y = (uint64_t)0xCD9E8D57 * counter.v[2];
        counter = (philox4x32_ctr_t){{(uint32_t)(y >> 32) ^ counter.v[1] ^ key.v[0], (uint32_t)y,
                                      (uint32_t)(x >> 32) ^ counter.v[3] ^ key.v[1], (uint32_t)x}};
        key.v[0] += 0x9E3779B9;
        key.v[1] += 0xBB67AE85;
    }
    return counter;
}

static inline philox4x32_ctr_t philox4x32(philox4x32_ctr_t counter, philox4x32_key_t key) {
    return philox4x32_R(10, counter, key);
}

#endif
