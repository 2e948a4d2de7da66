/* example -- a plug-in to start from: the grey at the middle of each cell of a grid. It recognises
 * nobody; what it shows is all that a plug-in has to do. harness/PLUGIN.md goes through it.
 *
 *   cc -std=c11 -O2 -shared -fPIC -I. harness/plugins/example/example.c -o libexample.so */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/algorithm.h"

typedef struct {
    unsigned cells; /* a side */
    char parameters[32];
} example;

static assay_outcome open_example(const assay_algorithm_setup *setup, void **state, char *text,
                                  size_t text_size) {
    example made = {.cells = 8};
    char path[4096];
    snprintf(path, sizeof path, "%s/example.conf", setup->config_directory);
    FILE *file = setup->config_directory[0] == '\0' ? NULL : fopen(path, "r");
    int read = setup->config_directory[0] == '\0';
    if (file != NULL) read = fscanf(file, "cells %u", &made.cells);
    if (file != NULL) fclose(file);
    if (read != 1 || made.cells < 2 || made.cells > 32 || setup->parameters[0] != NULL) {
        snprintf(text, text_size, "expected `cells 2..32` in %s and no parameters", path);
        return ASSAY_OUTCOME_REFUSED;
    }
    snprintf(made.parameters, sizeof made.parameters, "cells=%u", made.cells);
    *state = malloc(sizeof made);
    if (*state == NULL) return ASSAY_OUTCOME_FAILED;
    memcpy(*state, &made, sizeof made);
    return ASSAY_OUTCOME_OK;
}

static void describe(void *state, assay_algorithm_description *out) {
    const example *self = state;
    out->name = "example";
    out->version = "1";
    out->modality = "face";
    out->comparator = "cosine";
    out->kind = ASSAY_TEMPLATE_VECTOR;
    out->length = self->cells * self->cells;
    out->channels = 1;
    out->parameters = self->parameters;
}

static assay_outcome create_template(void *state, const assay_algorithm_image *images, size_t count,
                                     assay_sample_role role, assay_algorithm_template *out,
                                     char *text, size_t text_size) {
    const unsigned cells = ((const example *)state)->cells;
    float *vector = (void *)out->bytes, mean = 0;
    (void)role;
    if (count != 1 || images[0].width < cells || images[0].height < cells) {
        snprintf(text, text_size, "expected one image of at least %u pixels a side", cells);
        return ASSAY_OUTCOME_REFUSED;
    }
    for (unsigned cell = 0; cell < cells * cells; cell++) {
        size_t x = images[0].width * (cell % cells * 2 + 1) / (cells * 2);
        size_t y = images[0].height * (cell / cells * 2 + 1) / (cells * 2);
        vector[cell] = images[0].pixels[y * images[0].width + x];
        mean += vector[cell] / (float)(cells * cells);
    }
    for (unsigned cell = 0; cell < cells * cells; cell++) vector[cell] -= mean;
    out->used = cells * cells * sizeof *vector;
    return ASSAY_OUTCOME_OK;
}

static const assay_algorithm table = {
    .size = sizeof table,
    .abi = ASSAY_ALGORITHM_ABI,
    .name = "example",
    .purpose = "grey of a grid of cells",
    .open = open_example,
    .describe = describe,
    .create_template = create_template,
    .close = free,
};

const assay_algorithm *assay_algorithm_plugin(uint32_t abi) {
    return abi == ASSAY_ALGORITHM_ABI ? &table : NULL;
}
