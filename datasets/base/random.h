/* random -- Philox4x32-10 (Random123): the same numbers for the same key and counter, anywhere. */
#ifndef ASSAY_DATASETS_BASE_RANDOM_H
#define ASSAY_DATASETS_BASE_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One stream per (seed, stream); draws are numbered by the counter inside. Copying it forks it. */
typedef struct {
    uint64_t seed;
    uint64_t stream;
    uint64_t drawn; /* blocks of four 32-bit words drawn so far */
    uint32_t words[4];
    unsigned words_left;
    double spare_normal;
    int has_spare;
} assay_random;

void assay_random_start(assay_random *random, uint64_t seed, uint64_t stream);
uint32_t assay_random_u32(assay_random *random);
double assay_random_uniform(assay_random *random);                 /* in [0, 1), 53 bits */
uint32_t assay_random_below(assay_random *random, uint32_t bound); /* unbiased, bound > 0 */
double assay_random_normal(assay_random *random);                  /* mean 0, variance 1 */

#ifdef __cplusplus
}
#endif

#endif
