/* face -- a face algorithm made of two ONNX networks, as a plug-in: a detector that gives five
 * landmarks (YuNet), alignment to five target points, and an embedding network. Which models, and
 * everything that differs between embedding models, stands in algorithm.yaml: a new model is a
 * configuration and not code. README.md beside this file has its keys. */
#ifndef ASSAY_HARNESS_PLUGINS_FACE_FACE_H
#define ASSAY_HARNESS_PLUGINS_FACE_FACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "harness/plugins/face/face_image.h"

#define FACE_POINTS 5 /* right eye, left eye, nose, right and left mouth corner of the subject */

typedef struct {
    float x, y;
} face_point;

typedef struct {
    float score; /* 0 … 1 */
    float x, y, width, height;
    face_point points[FACE_POINTS];
} face_found;

typedef enum { FACE_PICK_LARGEST = 0, FACE_PICK_CENTRAL, FACE_PICK_SURE } face_pick;

typedef struct {
    char *detector_model, *embedding_model; /* paths */
    uint32_t detector_size;                 /* pixels a side of the detector's input */
    double score, overlap;                  /* of a face that counts; of two that are one */
    face_pick pick;                         /* which of several faces */
    uint32_t crop;                          /* pixels a side of the embedding's input */
    face_point target[FACE_POINTS];
    bool bgr;
    double mean[3], scale[3]; /* (value - mean) * scale, by channel in the model's order */
    char *output;             /* name of the network's output; NULL: its only one */
    bool normalise, flip;     /* to length 1; average with the mirrored crop */
    char *name, *version, *comparator;
    char *family; /* of its templates (harness/algorithm.h), or NULL */
} face_config;

/* Reads directory/algorithm.yaml; relative model paths are below models, or below directory where
 * models is NULL. ASSAY_USAGE with every fault of the file. */
assay_status face_config_read(const char *directory, const char *models,
                              face_config *out) ASSAY_MUST_CHECK;
void face_config_free(face_config *config); /* takes a zeroed one */

/* The twelve outputs of YuNet for a square input of size pixels a side, of strides 8, 16 and 32:
 * each a grid of (size / stride)² cells. */
#define FACE_STRIDES 3
typedef struct {
    const float *cls[FACE_STRIDES]; /* [cells] */
    const float *obj[FACE_STRIDES]; /* [cells] */
    const float *box[FACE_STRIDES]; /* [cells][4] */
    const float *kps[FACE_STRIDES]; /* [cells][10] */
} face_yunet;
/* Faces of at least score, by falling score (then place), of which none overlaps a surer one by
 * more than overlap (intersection over union). *out is [*out_count], free(). */
assay_status face_yunet_decode(const face_yunet *outputs, uint32_t size, double score,
                               double overlap, face_found **out,
                               size_t *out_count) ASSAY_MUST_CHECK;
/* Index of the face that is meant, width and height those of the picture that they lie in. */
size_t face_choose(const face_found *faces, size_t count, face_pick pick, double width,
                   double height);

/* The similarity (turn, scale, shift; no mirroring) that brings from closest to to in the sense of
 * least squares: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]. false where the points
 * lie on top of each other. */
bool face_align(const face_point from[FACE_POINTS], const face_point to[FACE_POINTS], double m[6]);

#endif
