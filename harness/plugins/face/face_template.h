/* face_template -- from a picture to a template, by the two networks of a configuration. */
#ifndef ASSAY_HARNESS_PLUGINS_FACE_FACE_TEMPLATE_H
#define ASSAY_HARNESS_PLUGINS_FACE_FACE_TEMPLATE_H

#include "harness/algorithm.h"
#include "harness/plugins/face/face.h"

typedef struct face_maker face_maker;

/* Takes over config (zeroed then), also on a fault. ASSAY_FAILED where a network cannot be read or
 * gives something else than its kind should. */
assay_status face_maker_open(face_config *config, face_maker **out) ASSAY_MUST_CHECK;
void face_maker_close(face_maker *maker);                      /* takes NULL */
const face_config *face_maker_config(const face_maker *maker); /* borrowed */
uint32_t face_maker_length(const face_maker *maker);           /* components of a template */

/* rgb is [height][width][3], out has face_maker_length floats. REFUSED where no face is found,
 * FAILED where a network breaks on it; text says why. */
assay_outcome face_maker_make(face_maker *maker, const uint8_t *rgb, uint32_t width,
                              uint32_t height, float *out, char *text, size_t text_size);

#endif
