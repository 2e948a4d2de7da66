/* face_image -- what the plug-in takes from OpenCV: networks in ONNX and two resamplings. The only
 * part of it in C++. Nothing here throws. */
#ifndef ASSAY_HARNESS_PLUGINS_FACE_FACE_IMAGE_H
#define ASSAY_HARNESS_PLUGINS_FACE_FACE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct face_network face_network;
/* NULL, and why in text, where path is no network that can be read. Runs on one thread, so that the
 * result does not depend on how many there are. */
face_network *face_network_open(const char *path, char *text, size_t text_size);
void face_network_close(face_network *network); /* takes NULL */
/* input is [3][size][size]; names[count] are outputs, or NULL for the network's only one. out[n] is
 * borrowed until the next run, of out_length[n] floats. */
bool face_network_run(face_network *network, const float *input, uint32_t size,
                      const char *const *names, size_t count, const float **out, size_t *out_length,
                      char *text, size_t text_size);

/* rgb is [height][width][3]. The picture, scaled by *out_scale to fit at the upper left of a black
 * square, into out [3][size][size], blue first, 0 … 255. */
bool face_letterbox(const uint8_t *rgb, uint32_t width, uint32_t height, uint32_t size, float *out,
                    double *out_scale, char *text, size_t text_size);
/* The picture under m (face_align: from the picture to the crop) into out [size][size][3],
 * bilinear, black outside. */
bool face_warp(const uint8_t *rgb, uint32_t width, uint32_t height, const double m[6],
               uint32_t size, uint8_t *out, char *text, size_t text_size);

#ifdef __cplusplus
}
#endif
#endif
