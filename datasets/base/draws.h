/* draws -- random counts and rates by Boost.Random from the stream of random.h. */
#ifndef ASSAY_DATASETS_BASE_DRAWS_H
#define ASSAY_DATASETS_BASE_DRAWS_H

#include "datasets/base/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Poisson with this mean, up to 1e9; 0 where mean is not above 0. */
double assay_draw_poisson(assay_random *random, double mean);
/* Gamma with this shape and mean 1; 1 where shape is not above 0. */
double assay_draw_gamma(assay_random *random, double shape);

#ifdef __cplusplus
}
#endif
#endif
