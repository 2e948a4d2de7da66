/* shim_ptx -- the functions of kernels/cuda/cuda_ptx.cuh in plain C++, by the same document: what
 * an instruction reads, where its fragments lie, and when its results are there. What may arrive
 * late does: copies are done when somebody waits for them (or at once, as the test has it),
 * products when their thread waits. */
#ifndef ASSAY_TESTS_SHIM_SHIM_PTX_H
#define ASSAY_TESTS_SHIM_SHIM_PTX_H

#include <deque>
#include <vector>

struct shim_copy {
    void *to;
    const void *from;
    uint32_t bytes;
    uint64_t *barrier; /* of bulk copies */
};
/* One product of a warpgroup, as one of its threads will make it. */
struct shim_product {
    float *sums;
    uint64_t a, b;
    int adding;
};
/* What a thread has on its way. */
struct shim_pending {
    std::vector<shim_copy> copies;
    std::deque<std::vector<shim_copy>> copy_groups;
    std::vector<shim_product> products;
    std::deque<std::vector<shim_product>> product_groups;
};
shim_pending &shim_mine();
std::vector<shim_copy> &shim_bulk_copies(); /* of the block */

float shim_half_value(uint16_t bits);
uint16_t shim_half_bits(int value); /* |value| <= 2048 */

inline uint32_t ptx_shared(const void *pointer) {
    return (uint32_t)((const unsigned char *)pointer - shim_shared_memory());
}

/* ---- copies of 16 bytes, warp products ---- */

inline void ptx_copy_16(void *to, const void *from) {
    if (shim_late_copies()) {
        shim_mine().copies.push_back({to, from, 16, NULL});
    } else {
        memcpy(to, from, 16);
    }
}
inline void ptx_copy_commit() {
    shim_mine().copy_groups.push_back(std::move(shim_mine().copies));
    shim_mine().copies.clear();
}
template <int N> void ptx_copy_wait() {
    auto &groups = shim_mine().copy_groups;
    for (; groups.size() > N; groups.pop_front()) {
        for (const shim_copy &copy : groups.front()) memcpy(copy.to, copy.from, copy.bytes);
    }
}
inline void ptx_load_matrices(uint32_t (&out)[4], const void *row) {
    const unsigned char *mine = (const unsigned char *)row;
    const unsigned char *all = shim_exchange(SHIM_MATRICES, &mine, sizeof mine);
    const uint32_t lane = threadIdx.x % 32;
    for (uint32_t n = 0; n < 4; n++) {
        const unsigned char *from;
        memcpy(&from, all + (n * 8 + lane / 4) * sizeof from, sizeof from);
        memcpy(&out[n], from + lane % 4 * 4, 4);
    }
}
void ptx_warp_product(float *sums, const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

/* ---- barriers, bulk copies, warpgroup products ---- */

void ptx_barrier_open(uint64_t *barrier, uint32_t count);
inline void ptx_barriers_opened() {}
void ptx_barrier_arrive(uint64_t *barrier);
void ptx_barrier_arrive_expecting(uint64_t *barrier, uint32_t bytes);
void ptx_barrier_wait(uint64_t *barrier, uint32_t parity);
void ptx_copy_bulk(void *to, const void *from, uint32_t bytes, uint64_t *barrier);
template <int ID> void ptx_warpgroup_meet() {
    shim_meet(ID, 128);
}
template <int N> void ptx_registers_less() {}
template <int N> void ptx_registers_more() {}

inline uint64_t ptx_descriptor(const void *shared) {
    return (uint64_t)(ptx_shared(shared) >> 4 & 0x3fff) | (uint64_t)1 << 16 | (uint64_t)64 << 32 |
           (uint64_t)1 << 62;
}
#define PTX_DESCRIPTOR_STEP 2
inline void ptx_product_fence() {}
inline void ptx_hold(float (&)[128]) {}
inline void ptx_warpgroup_product(float (&sums)[128], uint64_t a, uint64_t b, int adding) {
    shim_mine().products.push_back({sums, a, b, adding});
}
inline void ptx_product_commit() {
    shim_mine().product_groups.push_back(std::move(shim_mine().products));
    shim_mine().products.clear();
}
void shim_do_product(const shim_product &product);
/* The instruction's .sync: no lane goes on before all of the warp are there. */
template <int N> void ptx_product_wait() {
    auto &groups = shim_mine().product_groups;
    for (; groups.size() > N; groups.pop_front()) {
        for (const shim_product &product : groups.front()) shim_do_product(product);
    }
    const uint8_t here = 1;
    shim_exchange(SHIM_TOGETHER, &here, 1);
}

#endif
