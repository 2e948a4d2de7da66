/* face_template -- find the face, bring it to the target points, run the embedding network. */
#include "harness/plugins/face/face_template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

struct face_maker {
    face_config config;
    face_network *detector, *embedding;
    uint32_t length;
    float *letterbox; /* [3][detector_size][detector_size] */
    float *input;     /* [3][crop][crop] */
    uint8_t *crop;    /* [crop][crop][3] */
};

#define TEXT_SIZE 512

static assay_status open_networks(face_maker *maker) {
    char text[TEXT_SIZE];
    const face_config *config = &maker->config;
    maker->detector = face_network_open(config->detector_model, text, sizeof text);
    if (maker->detector == NULL) {
        return assay_fail(ASSAY_FAILED, "cannot read the detector %s: %s", config->detector_model,
                          text);
    }
    maker->embedding = face_network_open(config->embedding_model, text, sizeof text);
    if (maker->embedding == NULL) {
        return assay_fail(ASSAY_FAILED, "cannot read the embedding network %s: %s",
                          config->embedding_model, text);
    }
    return ASSAY_OK;
}

/* Runs the embedding network on the crop; its floats are borrowed. */
static bool embed(face_maker *maker, bool mirrored, const float **out, size_t *out_length,
                  char *text, size_t text_size) {
    const face_config *config = &maker->config;
    const char *name = config->output;
    size_t side = config->crop, plane = side * side;
    for (size_t c = 0; c < 3; c++) {
        size_t from = config->bgr ? 2 - c : c;
        for (size_t y = 0; y < side; y++) {
            for (size_t x = 0; x < side; x++) {
                size_t column = mirrored ? side - 1 - x : x;
                double value = maker->crop[3 * (y * side + column) + from];
                maker->input[c * plane + y * side + x] =
                    (float)((value - config->mean[c]) * config->scale[c]);
            }
        }
    }
    return face_network_run(maker->embedding, maker->input, config->crop, &name, 1, out, out_length,
                            text, text_size);
}

static bool detect(face_maker *maker, face_yunet *out, char *text, size_t text_size) {
    static const char *const names[] = {"cls_8",   "cls_16", "cls_32", "obj_8",
                                        "obj_16",  "obj_32", "bbox_8", "bbox_16",
                                        "bbox_32", "kps_8",  "kps_16", "kps_32"};
    static const size_t widths[] = {1, 1, 4, 2 * FACE_POINTS};
    const float *results[4 * FACE_STRIDES];
    size_t lengths[4 * FACE_STRIDES];
    const float **places[] = {out->cls, out->obj, out->box, out->kps};
    uint32_t size = maker->config.detector_size;
    if (!face_network_run(maker->detector, maker->letterbox, size, names, 4 * FACE_STRIDES, results,
                          lengths, text, text_size)) {
        return false;
    }
    for (size_t n = 0; n < 4 * FACE_STRIDES; n++) {
        size_t columns = size / (8u << n % FACE_STRIDES);
        size_t expected = columns * columns * widths[n / FACE_STRIDES];
        if (lengths[n] != expected) {
            snprintf(text, text_size, "detector output %s has %zu values, expected %zu", names[n],
                     lengths[n], expected);
            return false;
        }
        places[n / FACE_STRIDES][n % FACE_STRIDES] = results[n];
    }
    return true;
}

/* Both networks on an empty picture: they take their inputs, and how long a template is. */
static assay_status try_networks(face_maker *maker) {
    char text[TEXT_SIZE] = "";
    const float *out;
    size_t length;
    face_yunet outputs;
    if (!detect(maker, &outputs, text, sizeof text)) {
        return assay_fail(ASSAY_FAILED, "the detector %s does not do what YuNet does: %s",
                          maker->config.detector_model, text);
    }
    if (!embed(maker, false, &out, &length, text, sizeof text)) {
        return assay_fail(ASSAY_FAILED, "the embedding network %s failed on a crop of %u: %s",
                          maker->config.embedding_model, maker->config.crop, text);
    }
    if (length < 1 || length > 4096) {
        return assay_fail(ASSAY_FAILED,
                          "the embedding network %s gives %zu values, expected 1 to 4096",
                          maker->config.embedding_model, length);
    }
    maker->length = (uint32_t)length;
    return ASSAY_OK;
}

assay_status face_maker_open(face_config *config, face_maker **out) {
    face_maker *maker = NULL;
    assay_status status = assay_allocate(&maker, 1, sizeof *maker, "face algorithm");
    if (status != ASSAY_OK) {
        face_config_free(config);
        return status;
    }
    maker->config = *config;
    *config = (face_config){0};
    size_t detector = (size_t)maker->config.detector_size * maker->config.detector_size;
    size_t crop = (size_t)maker->config.crop * maker->config.crop;
    status = assay_allocate(&maker->letterbox, 3 * detector, sizeof(float), "face algorithm");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&maker->input, 3 * crop, sizeof(float), "face algorithm");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&maker->crop, 3 * crop, 1, "face algorithm");
    if (status != ASSAY_OK) goto out;
    status = open_networks(maker);
    if (status == ASSAY_OK) status = try_networks(maker);
    if (status != ASSAY_OK) goto out;
    *out = maker;
    maker = NULL;
out:
    face_maker_close(maker);
    return status;
}

void face_maker_close(face_maker *maker) {
    if (maker == NULL) return;
    face_network_close(maker->detector);
    face_network_close(maker->embedding);
    face_config_free(&maker->config);
    free(maker->letterbox);
    free(maker->input);
    free(maker->crop);
    free(maker);
}

const face_config *face_maker_config(const face_maker *maker) {
    return &maker->config;
}

uint32_t face_maker_length(const face_maker *maker) {
    return maker->length;
}

static assay_outcome find_face(face_maker *maker, const uint8_t *rgb, uint32_t width,
                               uint32_t height, face_found *out, char *text, size_t text_size) {
    const face_config *config = &maker->config;
    face_yunet outputs;
    face_found *faces = NULL;
    size_t count = 0;
    double scale;
    if (!face_letterbox(rgb, width, height, config->detector_size, maker->letterbox, &scale, text,
                        text_size) ||
        !detect(maker, &outputs, text, text_size)) {
        return ASSAY_OUTCOME_FAILED;
    }
    if (face_yunet_decode(&outputs, config->detector_size, config->score, config->overlap, &faces,
                          &count) != ASSAY_OK) {
        snprintf(text, text_size, "%s", assay_error_text());
        return ASSAY_OUTCOME_FAILED;
    }
    if (count == 0) {
        free(faces);
        snprintf(text, text_size, "no face found");
        return ASSAY_OUTCOME_REFUSED;
    }
    *out = faces[face_choose(faces, count, config->pick, width * scale, height * scale)];
    free(faces);
    for (size_t p = 0; p < FACE_POINTS; p++) {
        out->points[p].x = (float)(out->points[p].x / scale);
        out->points[p].y = (float)(out->points[p].y / scale);
    }
    return ASSAY_OUTCOME_OK;
}

static assay_outcome add_embedding(face_maker *maker, bool mirrored, float *out, char *text,
                                   size_t text_size) {
    const float *values;
    size_t length;
    if (!embed(maker, mirrored, &values, &length, text, text_size)) return ASSAY_OUTCOME_FAILED;
    if (length != maker->length) {
        snprintf(text, text_size, "the network gave %zu values, expected %u", length,
                 maker->length);
        return ASSAY_OUTCOME_FAILED;
    }
    for (size_t n = 0; n < length; n++) out[n] += values[n];
    return ASSAY_OUTCOME_OK;
}

static assay_outcome finish(const face_maker *maker, float *out, char *text, size_t text_size) {
    double square = 0;
    for (uint32_t n = 0; n < maker->length; n++) square += (double)out[n] * out[n];
    if (!isfinite(square) || square == 0) {
        snprintf(text, text_size, "the network gave %s", square == 0 ? "zeros" : "no numbers");
        return ASSAY_OUTCOME_FAILED;
    }
    double factor = maker->config.normalise ? 1 / sqrt(square) : maker->config.flip ? 0.5 : 1;
    for (uint32_t n = 0; n < maker->length; n++) out[n] = (float)(out[n] * factor);
    return ASSAY_OUTCOME_OK;
}

assay_outcome face_maker_make(face_maker *maker, const uint8_t *rgb, uint32_t width,
                              uint32_t height, float *out, char *text, size_t text_size) {
    face_found face;
    double m[6];
    assay_outcome outcome = find_face(maker, rgb, width, height, &face, text, text_size);
    if (outcome != ASSAY_OUTCOME_OK) return outcome;
    if (!face_align(face.points, maker->config.target, m)) {
        snprintf(text, text_size, "the landmarks of the face lie on top of each other");
        return ASSAY_OUTCOME_REFUSED;
    }
    if (!face_warp(rgb, width, height, m, maker->config.crop, maker->crop, text, text_size)) {
        return ASSAY_OUTCOME_FAILED;
    }
    memset(out, 0, maker->length * sizeof *out);
    outcome = add_embedding(maker, false, out, text, text_size);
    if (outcome == ASSAY_OUTCOME_OK && maker->config.flip) {
        outcome = add_embedding(maker, true, out, text, text_size);
    }
    return outcome == ASSAY_OUTCOME_OK ? finish(maker, out, text, text_size) : outcome;
}
