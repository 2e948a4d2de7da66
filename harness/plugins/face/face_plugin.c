/* face_plugin -- the face algorithm behind the plug-in interface (harness/algorithm.h).
 *
 * Parameters: models=DIR, the folder of the networks where that is not the configuration directory;
 * it must be readable too (`readable` of the release). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "harness/algorithm.h"
#include "harness/plugins/face/face_template.h"

typedef struct {
    face_maker *maker;
    char parameters[320]; /* what makes the templates, for the record */
} face_state;

static assay_outcome say(assay_outcome outcome, char *text, size_t text_size, const char *what) {
    if (text_size > 0) snprintf(text, text_size, "%s", what);
    return outcome;
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void describe_parameters(face_state *state) {
    const face_config *config = face_maker_config(state->maker);
    snprintf(state->parameters, sizeof state->parameters,
             "detector=%s size=%u score=%g embedding=%s crop=%u flip=%s normalise=%s",
             file_name(config->detector_model), config->detector_size, config->score,
             file_name(config->embedding_model), config->crop, config->flip ? "yes" : "no",
             config->normalise ? "yes" : "no");
}

static void close_face(void *opaque) {
    face_state *state = opaque;
    if (state == NULL) return;
    face_maker_close(state->maker);
    free(state);
}

static assay_outcome open_face(const assay_algorithm_setup *setup, void **out, char *text,
                               size_t text_size) {
    face_state *state = NULL;
    face_config config = {0};
    const char *models = NULL;
    assay_outcome outcome = ASSAY_OUTCOME_REFUSED;
    if (setup->config_directory[0] == '\0') {
        return say(outcome, text, text_size,
                   "no configuration directory was given, expected one with algorithm.yaml");
    }
    for (size_t n = 0; setup->parameters != NULL && setup->parameters[n] != NULL; n++) {
        if (strncmp(setup->parameters[n], "models=", 7) != 0) {
            return say(outcome, text, text_size, "unknown parameter, expected models=DIR");
        }
        models = setup->parameters[n] + 7;
    }
    assay_status status = face_config_read(setup->config_directory, models, &config);
    if (status != ASSAY_OK) goto out;
    outcome = ASSAY_OUTCOME_FAILED;
    status = assay_allocate(&state, 1, sizeof *state, "face algorithm");
    if (status == ASSAY_OK) status = face_maker_open(&config, &state->maker);
    if (status != ASSAY_OK) goto out;
    describe_parameters(state);
    *out = state;
    state = NULL;
    outcome = ASSAY_OUTCOME_OK;
out:
    face_config_free(&config);
    close_face(state);
    return outcome == ASSAY_OUTCOME_OK ? outcome
                                       : say(outcome, text, text_size, assay_error_text());
}

static void describe_face(void *opaque, assay_algorithm_description *out) {
    const face_state *state = opaque;
    const face_config *config = face_maker_config(state->maker);
    out->name = config->name;
    out->version = config->version;
    out->modality = "face";
    out->comparator = config->comparator;
    out->kind = ASSAY_TEMPLATE_VECTOR;
    out->length = face_maker_length(state->maker);
    out->channels = 3;
    out->parameters = state->parameters;
    out->template_family = config->family;
}

static assay_outcome create_face(void *opaque, const assay_algorithm_image *images, size_t count,
                                 assay_sample_role role, assay_algorithm_template *out, char *text,
                                 size_t text_size) {
    face_state *state = opaque;
    size_t bytes = face_maker_length(state->maker) * sizeof(float);
    (void)role;
    if (count != 1 || images[0].channels != 3 || images[0].pixels == NULL ||
        out->capacity < bytes) {
        return say(ASSAY_OUTCOME_FAILED, text, text_size, "expected one colour image");
    }
    assay_outcome outcome =
        face_maker_make(state->maker, images[0].pixels, images[0].width, images[0].height,
                        (float *)(void *)out->bytes, text, text_size);
    if (outcome == ASSAY_OUTCOME_OK) out->used = bytes;
    return outcome;
}

static const assay_algorithm face_algorithm = {
    .size = sizeof(assay_algorithm),
    .abi = ASSAY_ALGORITHM_ABI,
    .name = "face-onnx",
    .purpose = "two ONNX networks, YuNet and an embedding, as algorithm.yaml says",
    .open = open_face,
    .describe = describe_face,
    .create_template = create_face,
    .close = close_face,
};

const assay_algorithm *assay_algorithm_plugin(uint32_t abi) {
    return abi == ASSAY_ALGORITHM_ABI ? &face_algorithm : NULL;
}
