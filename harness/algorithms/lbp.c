/* lbp -- a baseline of face recognition in two releases: histograms of uniform local binary
 * patterns over a grid of cells (Ahonen, Hadid, Pietikäinen 2006), and the same after the
 * normalisation of light by Tan and Triggs (2010). Nothing is learned and no face is detected: the
 * picture's central square is taken to be the face. Both are honest baselines to show the harness
 * at work.
 *
 *   central square -> size x size grey -> (normalised: gamma, difference of Gaussians, contrast
 *   equalisation) -> LBP(8,1) codes -> histogram of 59 bins a cell -> square root
 *
 * Parameters: grid (cells a side), size (pixels a side), crop (share of the shorter side). */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/algorithm.h"
#include "harness/algorithms/lbp_image.h"

extern const assay_algorithm assay_algorithm_lbp, assay_algorithm_lbp_normalised;

#define PATTERN_COUNT 256
#define BIN_COUNT 59u    /* 58 uniform patterns and one bin for all others */
#define SIDE_MIN 32u     /* pixels of the shorter side of a picture */
#define CONTRAST_MIN 2.0 /* grey levels of standard deviation */

typedef struct {
    uint32_t grid, size;
    double crop;
    bool normalised;
    char parameters[64];
    char family[64];
    uint8_t bins[PATTERN_COUNT]; /* pattern -> bin */
    float *picture, *scratch;    /* [size][size]; scratch has lbp_image's room */
} lbp_state;

static assay_outcome say(assay_outcome outcome, char *text, size_t text_size, const char *format,
                         ...) ASSAY_PRINTF(4, 5);

static assay_outcome say(assay_outcome outcome, char *text, size_t text_size, const char *format,
                         ...) {
    va_list arguments;
    va_start(arguments, format);
    if (text_size > 0) vsnprintf(text, text_size, format, arguments);
    va_end(arguments);
    return outcome;
}

/* ---- opening ---- */

static bool whole_between(const char *value, uint32_t low, uint32_t high, uint32_t *out) {
    uint64_t number;
    if (!assay_parse_uint64(value, &number) || number < low || number > high) return false;
    *out = (uint32_t)number;
    return true;
}

static assay_outcome take_parameter(lbp_state *state, const char *parameter, char *text,
                                    size_t text_size) {
    static const char known[] = "grid=1..8, size=32..256, crop=0.2..1";
    const char *equals = strchr(parameter, '=');
    size_t length = equals == NULL ? strlen(parameter) : (size_t)(equals - parameter);
    const char *value = equals == NULL ? "" : equals + 1;
    double crop;
    if (length == 4 && memcmp(parameter, "grid", 4) == 0) {
        if (whole_between(value, 1, 8, &state->grid)) return ASSAY_OUTCOME_OK;
    } else if (length == 4 && memcmp(parameter, "size", 4) == 0) {
        if (whole_between(value, 32, 256, &state->size)) return ASSAY_OUTCOME_OK;
    } else if (length == 4 && memcmp(parameter, "crop", 4) == 0) {
        if (assay_parse_double(value, &crop) && crop >= 0.2 && crop <= 1) {
            state->crop = crop;
            return ASSAY_OUTCOME_OK;
        }
    } else {
        return say(ASSAY_OUTCOME_REFUSED, text, text_size,
                   "unknown parameter '%.40s', expected one of %s", parameter, known);
    }
    return say(ASSAY_OUTCOME_REFUSED, text, text_size, "parameter '%.40s' is out of range: %s",
               parameter, known);
}

/* The uniform patterns (at most two changes around the circle) have a bin each, in numeric order.
 */
static void fill_bins(uint8_t bins[PATTERN_COUNT]) {
    uint8_t next = 0;
    for (unsigned pattern = 0; pattern < PATTERN_COUNT; pattern++) {
        unsigned turned = (pattern >> 1 | pattern << 7) & 0xff;
        bool uniform = __builtin_popcount(pattern ^ turned) <= 2;
        bins[pattern] = uniform ? next++ : (uint8_t)(BIN_COUNT - 1);
    }
}

static void close_lbp(void *opaque) {
    lbp_state *state = opaque;
    if (state == NULL) return;
    free(state->picture);
    free(state->scratch);
    free(state);
}

static assay_outcome open_lbp(const assay_algorithm_setup *setup, bool normalised, void **out,
                              char *text, size_t text_size) {
    const char *const *parameters = setup->parameters;
    lbp_state *state = NULL;
    assay_outcome outcome = ASSAY_OUTCOME_OK;
    char crop[ASSAY_NUMBER_SIZE];
    if (assay_allocate(&state, 1, sizeof *state, "LBP") != ASSAY_OK) goto no_memory;
    state->grid = 8;
    state->size = 96;
    state->crop = 0.7;
    state->normalised = normalised;
    for (size_t n = 0; parameters != NULL && parameters[n] != NULL; n++) {
        outcome = take_parameter(state, parameters[n], text, text_size);
        if (outcome != ASSAY_OUTCOME_OK) goto out;
    }
    snprintf(state->parameters, sizeof state->parameters, "grid=%u size=%u crop=%s", state->grid,
             state->size, assay_print_double(crop, state->crop));
    snprintf(state->family, sizeof state->family, "%s grid=%u size=%u",
             normalised ? "lbp-normalised" : "lbp", state->grid, state->size);
    fill_bins(state->bins);
    size_t pixels = (size_t)state->size * state->size;
    if (assay_allocate(&state->picture, pixels, sizeof(float), "LBP") != ASSAY_OK) goto no_memory;
    if (assay_allocate(&state->scratch, LBP_SCRATCH_PICTURES * pixels, sizeof(float), "LBP") !=
        ASSAY_OK) {
        goto no_memory;
    }
    *out = state;
    state = NULL;
    goto out;
no_memory:
    outcome = say(ASSAY_OUTCOME_FAILED, text, text_size, "not enough memory");
out:
    close_lbp(state);
    return outcome;
}

static assay_outcome open_plain(const assay_algorithm_setup *setup, void **out, char *text,
                                size_t text_size) {
    return open_lbp(setup, false, out, text, text_size);
}

static assay_outcome open_normalised(const assay_algorithm_setup *setup, void **out, char *text,
                                     size_t text_size) {
    return open_lbp(setup, true, out, text, text_size);
}

static void describe(void *opaque, assay_algorithm_description *out) {
    const lbp_state *state = opaque;
    *out = (assay_algorithm_description){
        .size = sizeof *out,
        .name = state->normalised ? "lbp-normalised" : "lbp",
        .version = state->normalised ? "1.1" : "1.0",
        .modality = "face",
        .comparator = "cosine",
        .kind = ASSAY_TEMPLATE_VECTOR,
        .length = state->grid * state->grid * BIN_COUNT,
        .channels = 1,
        .parameters = state->parameters,
        .template_family = state->family,
    };
}

/* ---- the template ---- */

/* Which of the eight neighbours at distance 1 are not darker than the pixel at p, as bits. Those on
 * the diagonals lie between four pixels. Differences, so that a flat patch is flat to the last bit.
 */
static unsigned pattern_at(const float *p, ptrdiff_t stride) {
    static const int steps[8][2] = {{1, 0},  {1, 1},   {0, 1},  {-1, 1},
                                    {-1, 0}, {-1, -1}, {0, -1}, {1, -1}};
    const float near = 0.70710678f, far = 1 - near;
    unsigned pattern = 0;
    for (unsigned n = 0; n < 8; n++) {
        ptrdiff_t dx = steps[n][0], dy = steps[n][1] * stride;
        float rise = p[dx + dy] - p[0];
        if (dx != 0 && dy != 0) {
            rise = near * near * rise + near * far * ((p[dx] - p[0]) + (p[dy] - p[0]));
        }
        if (rise >= 0) pattern |= 1u << n;
    }
    return pattern;
}

/* out is [grid][grid][BIN_COUNT]: the histograms of the cells, each summing to one. */
static void fill_histograms(const lbp_state *state, float *out) {
    uint32_t inner = state->size - 2; /* the border has no eight neighbours */
    memset(out, 0, (size_t)state->grid * state->grid * BIN_COUNT * sizeof *out);
    for (uint32_t y = 0; y < inner; y++) {
        uint32_t cell_row = y * state->grid / inner;
        for (uint32_t x = 0; x < inner; x++) {
            const float *p = state->picture + (size_t)(y + 1) * state->size + x + 1;
            size_t cell = (size_t)cell_row * state->grid + x * state->grid / inner;
            out[cell * BIN_COUNT + state->bins[pattern_at(p, (ptrdiff_t)state->size)]] += 1;
        }
    }
}

/* The square root makes the inner product of two cells their Bhattacharyya coefficient. The mean is
 * taken off where normalised, so that unlike cells score about 0, not about 0.8, and then each cell
 * counts the same. */
static void finish_cell(float *cell, bool normalised) {
    double total = 0, mean = 0, square = 0;
    for (unsigned n = 0; n < BIN_COUNT; n++) total += cell[n];
    for (unsigned n = 0; n < BIN_COUNT; n++) {
        cell[n] = (float)sqrt(cell[n] / total);
        mean += cell[n] / (double)BIN_COUNT;
    }
    if (!normalised) return;
    for (unsigned n = 0; n < BIN_COUNT; n++) square += (cell[n] - mean) * (cell[n] - mean);
    double norm = square > 0 ? sqrt(square) : 1;
    for (unsigned n = 0; n < BIN_COUNT; n++) cell[n] = (float)((cell[n] - mean) / norm);
}

static assay_outcome create_template(void *opaque, const assay_algorithm_image *images,
                                     size_t count, assay_sample_role role,
                                     assay_algorithm_template *out, char *text, size_t text_size) {
    lbp_state *state = opaque;
    size_t cells = (size_t)state->grid * state->grid;
    float *vector = (void *)out->bytes;
    (void)role;
    if (out->capacity < cells * BIN_COUNT * sizeof *vector) {
        return say(ASSAY_OUTCOME_FAILED, text, text_size, "no room for the template");
    }
    if (count != 1 || images[0].channels != 1 || images[0].pixels == NULL) {
        return say(ASSAY_OUTCOME_FAILED, text, text_size, "expected one grey image");
    }
    const assay_algorithm_image *image = &images[0];
    uint32_t side = image->width < image->height ? image->width : image->height;
    if (side < SIDE_MIN) {
        return say(ASSAY_OUTCOME_REFUSED, text, text_size, "picture is under %u pixels a side",
                   SIDE_MIN);
    }
    if (!lbp_crop_and_resize(image->pixels, image->width, image->height, state->crop, state->size,
                             state->picture)) {
        return say(ASSAY_OUTCOME_FAILED, text, text_size, "not enough memory");
    }
    if (lbp_contrast(state->picture, state->size) < CONTRAST_MIN) {
        return say(ASSAY_OUTCOME_REFUSED, text, text_size, "no contrast in the picture's middle");
    }
    if (state->normalised) lbp_normalise(state->picture, state->size, state->scratch);
    fill_histograms(state, vector);
    for (size_t cell = 0; cell < cells; cell++) {
        finish_cell(vector + cell * BIN_COUNT, state->normalised);
    }
    out->used = cells * BIN_COUNT * sizeof *vector;
    return ASSAY_OUTCOME_OK;
}

const assay_algorithm assay_algorithm_lbp = {
    .size = sizeof(assay_algorithm),
    .abi = ASSAY_ALGORITHM_ABI,
    .name = "lbp",
    .purpose = "baseline: local binary pattern histograms of the picture's middle",
    .open = open_plain,
    .describe = describe,
    .create_template = create_template,
    .close = close_lbp,
};

const assay_algorithm assay_algorithm_lbp_normalised = {
    .size = sizeof(assay_algorithm),
    .abi = ASSAY_ALGORITHM_ABI,
    .name = "lbp-normalised",
    .purpose = "baseline: as lbp, after normalisation of light and of each cell",
    .open = open_normalised,
    .describe = describe,
    .create_template = create_template,
    .close = close_lbp,
};
