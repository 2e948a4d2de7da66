/* example -- a plug-in to start from: the grey at the middle of each cell of a grid. It recognises
 * nobody; what it shows is all that a plug-in has to do. harness/PLUGIN.md goes through it.
 *   cc -std=c11 -O2 -shared -fPIC -I. harness/plugins/example/example.c -o libexample.so */
#include <stdio.h>
#include <stdlib.h>

#include "harness/algorithm.h"

static assay_outcome open_example(const assay_algorithm_setup *setup, void **state, char *text,
                                  size_t text_size) {
    char path[4096];
    unsigned *cells = calloc(1, sizeof *cells); /* of a side */
    snprintf(path, sizeof path, "%s/example.conf", setup->config_directory);
    FILE *file = fopen(path, "r");
    if (cells != NULL && file != NULL && fscanf(file, "cells %u", cells) != 1) *cells = 0;
    if (file != NULL) fclose(file);
    *state = cells;
    if (cells != NULL && *cells >= 2 && *cells <= 32 && setup->parameters[0] == NULL)
        return ASSAY_OUTCOME_OK;
    free(cells);
    snprintf(text, text_size, "expected `cells 2..32` in %s and no parameters", path);
    return ASSAY_OUTCOME_REFUSED;
}

static void describe(void *state, assay_algorithm_description *out) {
    const unsigned *cells = state;
    out->name = "example";
    out->version = "1";
    out->modality = "face";
    out->comparator = "cosine";
    out->kind = ASSAY_TEMPLATE_VECTOR;
    out->length = *cells * *cells;
    out->channels = 1;
}

static assay_outcome create_template(void *state, const assay_algorithm_image *images, size_t count,
                                     assay_sample_role role, assay_algorithm_template *out,
                                     char *text, size_t text_size) {
    const unsigned side = *(unsigned *)state, cells = side * side;
    float *vector = (void *)out->bytes, mean = 0;
    if (count != 1 || images->width < side || images->height < side || role > ASSAY_SAMPLE_PROBE) {
        snprintf(text, text_size, "expected one image of at least %u pixels a side", side);
        return ASSAY_OUTCOME_REFUSED;
    }
    for (unsigned cell = 0; cell < cells; cell++) {
        size_t x = images->width * (cell % side * 2 + 1) / (side * 2);
        size_t y = images->height * (cell / side * 2 + 1) / (side * 2);
        mean += (vector[cell] = images->pixels[y * images->width + x]) / (float)cells;
    }
    for (unsigned cell = 0; cell < cells; cell++) vector[cell] -= mean;
    out->used = cells * sizeof *vector;
    return ASSAY_OUTCOME_OK;
}

const assay_algorithm *assay_algorithm_plugin(uint32_t abi) {
    static const assay_algorithm table = {sizeof table,
                                          ASSAY_ALGORITHM_ABI,
                                          "example",
                                          "grey of a grid of cells",
                                          open_example,
                                          describe,
                                          create_template,
                                          free,
                                          NULL};
    return abi == ASSAY_ALGORITHM_ABI ? &table : NULL;
}
