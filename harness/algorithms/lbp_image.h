/* lbp_image -- what the LBP baselines do to pixels before they look for patterns. */
#ifndef ASSAY_HARNESS_ALGORITHMS_LBP_IMAGE_H
#define ASSAY_HARNESS_ALGORITHMS_LBP_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define LBP_SCRATCH_PICTURES 3

/* The central square of crop times the shorter side, resized to size x size by area-weighted
 * averaging (a triangle as wide as the reduction; linear where it enlarges). pixels is
 * [height][width] grey, out is [size][size] in grey levels. false where memory is short. */
bool lbp_crop_and_resize(const uint8_t *pixels, uint32_t width, uint32_t height, double crop,
                         uint32_t size, float *out);

/* Standard deviation of the pixels, in grey levels. */
double lbp_contrast(const float *picture, uint32_t size);

/* Tan and Triggs (2010), with their constants: gamma 0.2, difference of Gaussians 1 and 2,
 * two-stage contrast equalisation with a = 0.1 and tau = 10, tanh. In place; scratch is
 * [LBP_SCRATCH_PICTURES][size][size]. */
void lbp_normalise(float *picture, uint32_t size, float *scratch);

#endif
