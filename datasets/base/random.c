/* random -- Philox4x32-10 (Random123; Salmon, Moraes, Dror, Shaw, SC11) as a numbered stream.
 *
 * Key: the seed's low and high half. Counter: the number of the block (low, high), then the stream
 * (low, high). Words are taken from a block in order. Everything here but the generator is +, -, *,
 * / and sqrt of IEEE doubles, without contraction (datasets/CMakeLists.txt), so that uniform and
 * normal draws are the same bits on every machine; a C library's log() may differ in its last bit.
 */
#include "datasets/base/random.h"

#include <math.h>

#include <Random123/philox.h>

void assay_random_start(assay_random *random, uint64_t seed, uint64_t stream) {
    *random = (assay_random){.seed = seed, .stream = stream};
}

uint32_t assay_random_u32(assay_random *random) {
    if (random->words_left == 0) {
        philox4x32_key_t key = {{(uint32_t)random->seed, (uint32_t)(random->seed >> 32)}};
        philox4x32_ctr_t counter = {{(uint32_t)random->drawn, (uint32_t)(random->drawn >> 32),
                                     (uint32_t)random->stream, (uint32_t)(random->stream >> 32)}};
        philox4x32_ctr_t block = philox4x32_R(10, counter, key);
        for (unsigned i = 0; i < 4; i++) random->words[i] = block.v[i];
        random->drawn++;
        random->words_left = 4;
    }
    return random->words[4 - random->words_left--];
}

double assay_random_uniform(assay_random *random) {
    uint64_t high = assay_random_u32(random);
    uint64_t low = assay_random_u32(random);
    return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

uint32_t assay_random_below(assay_random *random, uint32_t bound) {
    /* Lemire 2019: the high half of a product, drawn again in the few cases that would be biased.
     */
    uint32_t biased = -bound % bound;
    uint64_t product;
    do product = (uint64_t)assay_random_u32(random) * bound;
    while ((uint32_t)product < biased);
    return (uint32_t)(product >> 32);
}

/* Natural logarithm for 0 < x < 1 to about 1e-16 of |log x|, in a fixed order of operations: x is
 * m 2^e with m in [sqrt(1/2), sqrt(2)), and log m = 2 atanh(s) for s = (m - 1)/(m + 1), |s| <
 * 0.172. */
static double fixed_log(double x) {
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        exponent--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int term = 23; term >= 1; term -= 2) sum = sum * square + 1.0 / term;
    return exponent * 0x1.62e42fefa39efp-1 + 2 * s * sum;
}

double assay_random_normal(assay_random *random) {
    if (random->has_spare) {
        random->has_spare = 0;
        return random->spare_normal;
    }
    /* Marsaglia's polar method: no trigonometric functions. */
    double x, y, square;
    do {
        x = 2 * assay_random_uniform(random) - 1;
        y = 2 * assay_random_uniform(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double scale = sqrt(-2 * fixed_log(square) / square);
    random->spare_normal = y * scale;
    random->has_spare = 1;
    return x * scale;
}
