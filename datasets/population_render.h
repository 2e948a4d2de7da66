/* population_render -- a small rasteriser of faces: a face's shape and a capture's conditions in,
 * grey pixels out. Private to population*.c.
 *
 * Only + - * / and square roots, so that a seed gives the same bytes on every machine. */
#ifndef ASSAY_DATASETS_POPULATION_RENDER_H
#define ASSAY_DATASETS_POPULATION_RENDER_H

#include <stdint.h>

#include "datasets/base/random.h"
#include "datasets/base/status.h"

/* What differs between people; each a draw of mean 0 and variance 1. */
typedef enum {
    ASSAY_FACE_HEAD_WIDTH,
    ASSAY_FACE_HEAD_HEIGHT,
    ASSAY_FACE_CHIN,
    ASSAY_FACE_HAIRLINE,
    ASSAY_FACE_HAIR_SHADE,
    ASSAY_FACE_HAIR_SIDES,
    ASSAY_FACE_HAIR_PART,
    ASSAY_FACE_EYE_HEIGHT,
    ASSAY_FACE_EYE_SPACING,
    ASSAY_FACE_EYE_WIDTH,
    ASSAY_FACE_EYE_OPENING,
    ASSAY_FACE_EYE_TILT,
    ASSAY_FACE_IRIS_SIZE,
    ASSAY_FACE_IRIS_SHADE,
    ASSAY_FACE_SOCKETS,
    ASSAY_FACE_BROW_GAP,
    ASSAY_FACE_BROW_ANGLE,
    ASSAY_FACE_BROW_ARCH,
    ASSAY_FACE_BROW_THICKNESS,
    ASSAY_FACE_BROW_LENGTH,
    ASSAY_FACE_NOSE_LENGTH,
    ASSAY_FACE_NOSE_WIDTH,
    ASSAY_FACE_NOSE_BRIDGE,
    ASSAY_FACE_MOUTH_HEIGHT,
    ASSAY_FACE_MOUTH_WIDTH,
    ASSAY_FACE_MOUTH_CURVE,
    ASSAY_FACE_UPPER_LIP,
    ASSAY_FACE_LOWER_LIP,
    ASSAY_FACE_LIP_SHADE,
    ASSAY_FACE_EAR_SIZE,
    ASSAY_FACE_EAR_HEIGHT,
    ASSAY_FACE_SKIN_SHADE,
    ASSAY_FACE_CHEEKS,
    ASSAY_FACE_CHIN_DIMPLE,
    ASSAY_FACE_FRECKLES,
    ASSAY_FACE_FOLDS,
    ASSAY_FACE_TRAITS
} assay_face_trait;

#define ASSAY_FACE_MOLES 5
#define ASSAY_FACE_COARSE 20 /* points a side of the coarse field of the skin */
#define ASSAY_FACE_FINE 48

typedef struct {
    double traits[ASSAY_FACE_TRAITS];
    double mole_x[ASSAY_FACE_MOLES], mole_y[ASSAY_FACE_MOLES], mole_size[ASSAY_FACE_MOLES];
    float coarse[ASSAY_FACE_COARSE][ASSAY_FACE_COARSE]; /* in -1 … 1 */
    float fine[ASSAY_FACE_FINE][ASSAY_FACE_FINE];
} assay_face;

/* Conditions of one capture. */
typedef struct {
    double yaw, pitch, roll; /* radians, small */
    double scale;            /* 1: the head fills the picture */
    double shift_x, shift_y; /* in half pictures */
    double light_x, light_y; /* direction of the light, 0 in front */
    double ambient;          /* share of light from everywhere */
    double exposure;         /* factor */
    double smile;            /* 0 … 1 */
    double backdrop;         /* shade of the background, 0 … 1 */
    double clothes;
    double blur;  /* variance in pixels^2 at 128 pixels */
    double noise; /* standard deviation in grey levels */
    double age;   /* years */
} assay_face_capture;

void assay_face_draw(assay_random *random, assay_face *out);

/* *face moves towards mean: traits and texture become (1 - likeness) own + likeness mean. */
void assay_face_pull(assay_face *face, const assay_face *mean, double likeness);

/* pixels is [size][size]; random draws the noise. */
assay_status assay_face_render(const assay_face *face, const assay_face_capture *capture,
                               uint32_t size, assay_random *random,
                               uint8_t *pixels) ASSAY_MUST_CHECK;

/* Mean 0, variance 1, within ±3.47: the sum of four uniform draws. */
double assay_face_spread(assay_random *random);

#endif
