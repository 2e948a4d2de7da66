/* face_config -- algorithm.yaml of the face plug-in. Every key has the value that most models want
 * but for the models themselves, the crop and its target points. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/yaml.h"
#include "harness/plugins/face/face.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A path as written, or below base where it is relative. */
static assay_status place(const char *base, const char *name, char **out) {
    assay_text text = {0};
    if (name[0] != '/') assay_text_appendf(&text, "%s/", base);
    assay_text_append(&text, name);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK)
        *out = text.bytes;
    else
        assay_text_free(&text);
    return status;
}

/* One number for all three channels, or a list of three. */
static void read_channels(assay_yaml *yaml, const assay_yaml_node *node, double low, double high,
                          double out[3]) {
    double value;
    if (node == NULL) return;
    if (node->kind == ASSAY_YAML_LIST) {
        if (node->count != 3) {
            assay_yaml_fault(yaml, node->line, node->column,
                             "expected one number, or three, one a channel");
            return;
        }
        for (size_t c = 0; c < 3; c++) assay_yaml_double(yaml, node->items[c], low, high, &out[c]);
    } else if (assay_yaml_double(yaml, node, low, high, &value)) {
        for (size_t c = 0; c < 3; c++) out[c] = value;
    }
}

static void read_points(assay_yaml *yaml, const assay_yaml_node *node, double size,
                        face_point out[FACE_POINTS]) {
    if (node == NULL) return;
    bool shaped = node->kind == ASSAY_YAML_LIST && node->count == FACE_POINTS;
    for (size_t p = 0; shaped && p < FACE_POINTS; p++) {
        shaped = node->items[p]->kind == ASSAY_YAML_LIST && node->items[p]->count == 2;
    }
    if (!shaped) {
        assay_yaml_fault(yaml, node->line, node->column,
                         "expected five points [x, y]: the subject's right eye, left eye, nose, "
                         "right and left mouth corner");
        return;
    }
    for (size_t p = 0; p < FACE_POINTS; p++) {
        double x = 0, y = 0;
        assay_yaml_double(yaml, node->items[p]->items[0], -size, 2 * size, &x);
        assay_yaml_double(yaml, node->items[p]->items[1], -size, 2 * size, &y);
        out[p] = (face_point){(float)x, (float)y};
    }
}

static void copy_text(assay_yaml *yaml, const assay_yaml_node *node, char **out,
                      assay_status *status) {
    const char *text;
    if (node == NULL || *status != ASSAY_OK || !assay_yaml_string(yaml, node, &text)) return;
    *status = assay_copy_string(out, text);
}

static void read_detector(assay_yaml *yaml, const assay_yaml_node *map, const char *base,
                          face_config *out, assay_status *status) {
    static const char *const known[] = {"model", "size", "score", "overlap", "pick"};
    static const char *const picks[] = {"largest", "central", "surest"};
    const char *model;
    uint64_t size;
    size_t pick;
    if (map == NULL || !assay_yaml_check_keys(yaml, map, known, COUNT(known))) return;
    if (assay_yaml_string(yaml, assay_yaml_need(yaml, map, "model"), &model)) {
        *status = place(base, model, &out->detector_model);
    }
    if (assay_yaml_uint(yaml, assay_yaml_need(yaml, map, "size"), 32, 4096, &size)) {
        if (size % 32 != 0) {
            assay_yaml_fault(yaml, assay_yaml_get(map, "size")->line,
                             assay_yaml_get(map, "size")->column,
                             "expected a multiple of 32 pixels, the detector's widest stride");
        }
        out->detector_size = (uint32_t)size;
    }
    assay_yaml_double(yaml, assay_yaml_get(map, "score"), 0.01, 1, &out->score);
    assay_yaml_double(yaml, assay_yaml_get(map, "overlap"), 0, 1, &out->overlap);
    if (assay_yaml_word(yaml, assay_yaml_get(map, "pick"), picks, COUNT(picks), &pick)) {
        out->pick = (face_pick)pick;
    }
}

static void read_embedding(assay_yaml *yaml, const assay_yaml_node *map, const char *base,
                           face_config *out, assay_status *status) {
    static const char *const known[] = {"model", "crop",   "points",    "colour", "mean",
                                        "scale", "output", "normalise", "flip"};
    static const char *const colours[] = {"rgb", "bgr"};
    const char *model;
    uint64_t crop;
    size_t colour;
    if (map == NULL || !assay_yaml_check_keys(yaml, map, known, COUNT(known))) return;
    if (*status == ASSAY_OK &&
        assay_yaml_string(yaml, assay_yaml_need(yaml, map, "model"), &model)) {
        *status = place(base, model, &out->embedding_model);
    }
    if (assay_yaml_uint(yaml, assay_yaml_need(yaml, map, "crop"), 16, 1024, &crop)) {
        out->crop = (uint32_t)crop;
    }
    read_points(yaml, assay_yaml_need(yaml, map, "points"), out->crop, out->target);
    if (assay_yaml_word(yaml, assay_yaml_get(map, "colour"), colours, COUNT(colours), &colour)) {
        out->bgr = colour == 1;
    }
    read_channels(yaml, assay_yaml_get(map, "mean"), -1e6, 1e6, out->mean);
    read_channels(yaml, assay_yaml_get(map, "scale"), 1e-9, 1e6, out->scale);
    copy_text(yaml, assay_yaml_get(map, "output"), &out->output, status);
    assay_yaml_bool(yaml, assay_yaml_get(map, "normalise"), &out->normalise);
    assay_yaml_bool(yaml, assay_yaml_get(map, "flip"), &out->flip);
}

static assay_status read_root(assay_yaml *yaml, const char *base, face_config *out) {
    static const char *const known[] = {"face",   "name",     "version",  "comparator",
                                        "family", "detector", "embedding"};
    const assay_yaml_node *root = yaml->root;
    assay_status status = ASSAY_OK;
    uint64_t format;
    if (!assay_yaml_check_keys(yaml, root, known, COUNT(known))) return ASSAY_OK;
    assay_yaml_uint(yaml, assay_yaml_need(yaml, root, "face"), 1, 1, &format);
    copy_text(yaml, assay_yaml_need(yaml, root, "name"), &out->name, &status);
    copy_text(yaml, assay_yaml_need(yaml, root, "version"), &out->version, &status);
    copy_text(yaml, assay_yaml_need(yaml, root, "comparator"), &out->comparator, &status);
    copy_text(yaml, assay_yaml_get(root, "family"), &out->family, &status);
    if (status == ASSAY_OK) {
        read_detector(yaml, assay_yaml_need(yaml, root, "detector"), base, out, &status);
    }
    if (status == ASSAY_OK) {
        read_embedding(yaml, assay_yaml_need(yaml, root, "embedding"), base, out, &status);
    }
    return status;
}

assay_status face_config_read(const char *directory, const char *models, face_config *out) {
    assay_yaml yaml = {0};
    char *path = NULL;
    face_config config = {
        .score = 0.6, .overlap = 0.3, .scale = {1, 1, 1}, .normalise = true, .flip = false};
    assay_status status = place(directory, "algorithm.yaml", &path);
    if (status == ASSAY_OK) status = assay_yaml_read(path, &yaml);
    if (status != ASSAY_OK) goto out;
    status = read_root(&yaml, models == NULL ? directory : models, &config);
    if (status == ASSAY_OK) status = assay_yaml_verdict(&yaml);
    if (status != ASSAY_OK) goto out;
    *out = config;
    config = (face_config){0};
out:
    face_config_free(&config);
    assay_yaml_free(&yaml);
    free(path);
    return status;
}

void face_config_free(face_config *config) {
    free(config->detector_model);
    free(config->embedding_model);
    free(config->output);
    free(config->name);
    free(config->version);
    free(config->comparator);
    free(config->family);
    *config = (face_config){0};
}
