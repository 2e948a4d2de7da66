/* lbp_image -- what the LBP baselines do to pixels before they look for patterns. */
#include "harness/algorithms/lbp_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

/* ---- crop and resize ---- */

/* For each of size outputs: the first input and the weights of count inputs, summing to one. */
typedef struct {
    uint32_t taps;
    uint32_t *first; /* [size] */
    float *weights;  /* [size][taps] */
} resampling;

static void resampling_free(resampling *plan) {
    free(plan->first);
    free(plan->weights);
}

/* Outputs cover [offset, offset + span) of inputs 0 … limit - 1. */
static bool resampling_create(double offset, double span, uint32_t limit, uint32_t size,
                              resampling *out) {
    resampling plan = {0};
    double scale = span / size, reach = scale > 1 ? scale : 1;
    uint32_t taps = (uint32_t)ceil(2 * reach) + 1;
    bool made = false;
    if (taps > limit) taps = limit;
    plan.taps = taps;
    if (assay_allocate(&plan.first, size, sizeof *plan.first, "resize") != ASSAY_OK) goto out;
    if (assay_allocate(&plan.weights, size, taps * sizeof *plan.weights, "resize") != ASSAY_OK) {
        goto out;
    }
    for (uint32_t n = 0; n < size; n++) {
        double centre = offset + (n + 0.5) * scale - 0.5, total = 0;
        double first = floor(centre - reach) + 1;
        if (first > limit - taps) first = limit - taps;
        if (first < 0) first = 0;
        plan.first[n] = (uint32_t)first;
        for (uint32_t k = 0; k < taps; k++) {
            double distance = fabs(first + k - centre) / reach;
            plan.weights[(size_t)n * taps + k] = distance < 1 ? (float)(1 - distance) : 0;
            total += plan.weights[(size_t)n * taps + k];
        }
        for (uint32_t k = 0; k < taps; k++) {
            plan.weights[(size_t)n * taps + k] =
                (float)(plan.weights[(size_t)n * taps + k] / total);
        }
    }
    *out = plan;
    plan = (resampling){0};
    made = true;
out:
    resampling_free(&plan);
    return made;
}

bool lbp_crop_and_resize(const uint8_t *pixels, uint32_t width, uint32_t height, double crop,
                         uint32_t size, float *out) {
    resampling across = {0}, down = {0};
    float *rows = NULL; /* [inputs of down][size] */
    bool made = false;
    double side = crop * (width < height ? width : height);
    if (!resampling_create((width - side) / 2, side, width, size, &across)) goto out;
    if (!resampling_create((height - side) / 2, side, height, size, &down)) goto out;
    uint32_t first = down.first[0], end = down.first[size - 1] + down.taps;
    if (assay_allocate(&rows, end - first, size * sizeof *rows, "resize") != ASSAY_OK) goto out;
    for (uint32_t y = first; y < end; y++) {
        for (uint32_t x = 0; x < size; x++) {
            const uint8_t *from = pixels + (size_t)y * width + across.first[x];
            float sum = 0;
            for (uint32_t k = 0; k < across.taps; k++) {
                sum += across.weights[(size_t)x * across.taps + k] * from[k];
            }
            rows[(size_t)(y - first) * size + x] = sum;
        }
    }
    memset(out, 0, (size_t)size * size * sizeof *out);
    for (uint32_t y = 0; y < size; y++) {
        for (uint32_t k = 0; k < down.taps; k++) {
            const float *row = rows + (size_t)(down.first[y] - first + k) * size;
            float weight = down.weights[(size_t)y * down.taps + k];
            for (uint32_t x = 0; x < size; x++) out[(size_t)y * size + x] += weight * row[x];
        }
    }
    made = true;
out:
    resampling_free(&across);
    resampling_free(&down);
    free(rows);
    return made;
}

double lbp_contrast(const float *picture, uint32_t size) {
    size_t pixels = (size_t)size * size;
    double mean = 0, square = 0;
    for (size_t n = 0; n < pixels; n++) mean += picture[n];
    mean /= (double)pixels;
    for (size_t n = 0; n < pixels; n++) square += (picture[n] - mean) * (picture[n] - mean);
    return sqrt(square / (double)pixels);
}

/* ---- normalisation of light ---- */

/* One pass of a Gaussian of that sigma along step, edges repeated. */
static void blur_lines(const float *from, float *to, uint32_t size, size_t step, size_t line_step,
                       double sigma) {
    enum { REACH_MAX = 8 };
    float weights[2 * REACH_MAX + 1];
    int reach = (int)ceil(3 * sigma);
    double total = 0;
    for (int k = -reach; k <= reach; k++) total += exp(-k * k / (2 * sigma * sigma));
    for (int k = -reach; k <= reach; k++) {
        weights[k + reach] = (float)(exp(-k * k / (2 * sigma * sigma)) / total);
    }
    for (uint32_t line = 0; line < size; line++) {
        for (uint32_t n = 0; n < size; n++) {
            float sum = 0;
            for (int k = -reach; k <= reach; k++) {
                int at = (int)n + k;
                if (at < 0) at = 0;
                if (at >= (int)size) at = (int)size - 1;
                sum += weights[k + reach] * from[line * line_step + (size_t)at * step];
            }
            to[line * line_step + n * step] = sum;
        }
    }
}

static void blur(const float *from, float *to, float *scratch, uint32_t size, double sigma) {
    blur_lines(from, scratch, size, 1, size, sigma);
    blur_lines(scratch, to, size, size, 1, sigma);
}

/* Divides by (mean of min(tau, |x|)^a)^(1/a). */
static void equalise(float *picture, size_t pixels, double tau) {
    const double a = 0.1;
    double mean = 0;
    for (size_t n = 0; n < pixels; n++) mean += pow(fmin(tau, fabs(picture[n])), a);
    double divisor = pow(mean / (double)pixels, 1 / a);
    if (!(divisor > 0)) return;
    for (size_t n = 0; n < pixels; n++) picture[n] = (float)(picture[n] / divisor);
}

void lbp_normalise(float *picture, uint32_t size, float *scratch) {
    const double gamma = 0.2, tau = 10;
    size_t pixels = (size_t)size * size;
    float *narrow = scratch, *wide = scratch + pixels, *between = scratch + 2 * pixels;
    for (size_t n = 0; n < pixels; n++) picture[n] = (float)pow(picture[n], gamma);
    blur(picture, narrow, between, size, 1);
    blur(picture, wide, between, size, 2);
    for (size_t n = 0; n < pixels; n++) picture[n] = narrow[n] - wide[n];
    equalise(picture, pixels, INFINITY);
    equalise(picture, pixels, tau);
    for (size_t n = 0; n < pixels; n++) picture[n] = (float)(tau * tanh(picture[n] / tau));
}
