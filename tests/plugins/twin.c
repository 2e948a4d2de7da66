/* twin -- a plug-in that shows the same templates in every kind: as vectors, or as opaque bytes
 * with a comparison of their own that is the canonical cosine, so that both must give the same
 * evidence.
 *
 * Parameters: kind=vector|bits|opaque (bits: 1 where a component is above 0, valid where it is not
 * within 20 of it); vector=1: tells where the vector lies in the bytes; lie=1:
 * compares a little otherwise; roles=1: templates of references and probes differ, opaque ones
 * refuse each other, and of others the last quarter of probes is turned by 1; breaks=1: dies on
 * comparing a template whose first byte is 1, and gives NaN for 2; wait=MS: takes so long for every
 * template, and a tenth of it for every comparison; refuse=1: refuses images whose first pixel is
 * 3, 8, 13, … */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/algorithm.h"

#define SIDE 12u
#define LENGTH (SIDE * SIDE)
#define AT 8u /* of the vector */

typedef struct {
    int opaque, bits, vector, lie, roles, breaks, wait, refuse;
} twin;

static assay_outcome open_twin(const assay_algorithm_setup *setup, void **state, char *text,
                               size_t text_size) {
    twin *self = calloc(1, sizeof *self);
    if (self == NULL) return ASSAY_OUTCOME_FAILED;
    for (size_t n = 0; setup->parameters[n] != NULL; n++) {
        const char *given = setup->parameters[n];
        int known = strcmp(given, "kind=vector") == 0 ||
                    sscanf(given, "vector=%d", &self->vector) == 1 ||
                    sscanf(given, "lie=%d", &self->lie) == 1 ||
                    sscanf(given, "roles=%d", &self->roles) == 1 ||
                    sscanf(given, "breaks=%d", &self->breaks) == 1 ||
                    sscanf(given, "refuse=%d", &self->refuse) == 1 ||
                    sscanf(given, "wait=%d", &self->wait) == 1;
        if (strcmp(given, "kind=opaque") == 0) known = self->opaque = 1;
        if (strcmp(given, "kind=bits") == 0) known = self->bits = 1;
        if (known) continue;
        snprintf(text, text_size, "unknown parameter %s", given);
        free(self);
        return ASSAY_OUTCOME_REFUSED;
    }
    *state = self;
    return ASSAY_OUTCOME_OK;
}

static void describe(void *state, assay_algorithm_description *out) {
    const twin *self = state;
    out->name = "twin";
    out->version = "1";
    out->modality = "face";
    out->comparator = self->bits ? "hamming" : "cosine";
    out->kind = self->opaque ? ASSAY_TEMPLATE_OPAQUE
                : self->bits ? ASSAY_TEMPLATE_BITS
                             : ASSAY_TEMPLATE_VECTOR;
    out->length = self->opaque ? AT + LENGTH * 4 + 255 : LENGTH;
    out->channels = 1;
    out->parameters = "";
    out->roles_differ = (uint32_t)self->roles;
    if (self->bits) {
        out->bit_rows = SIDE;
        out->bit_shift = 1;
        out->bit_shifts = 2;
        out->bit_minimum = 100;
    }
    if (self->vector) {
        out->vector_offset = AT;
        out->vector_length = LENGTH;
        out->vector_bound = 1e-9;
    }
}

static void pause_for(int microseconds) {
    const struct timespec pause = {microseconds / 1000000, microseconds % 1000000 * 1000L};
    if (microseconds > 0) nanosleep(&pause, NULL);
}

static void fill(const assay_algorithm_image *image, float *vector) {
    float mean = 0;
    for (unsigned cell = 0; cell < LENGTH; cell++) {
        size_t x = image->width * (cell % SIDE * 2 + 1) / (SIDE * 2);
        size_t y = image->height * (cell / SIDE * 2 + 1) / (SIDE * 2);
        vector[cell] = image->pixels[y * image->width + x];
        mean += vector[cell] / (float)LENGTH;
    }
    for (unsigned cell = 0; cell < LENGTH; cell++) vector[cell] -= mean;
}

static void pack(const float *vector, uint8_t *out) {
    for (unsigned n = 0; n < LENGTH; n++) {
        out[n / 8] |= (uint8_t)((vector[n] > 0) << n % 8);
        out[LENGTH / 8 + n / 8] |= (uint8_t)((fabsf(vector[n]) > 20) << n % 8);
    }
}

/* Byte 0: the image's first pixel; byte 1: the role; bytes of another number each behind the
 * vector. */
static assay_outcome create_template(void *state, const assay_algorithm_image *images, size_t count,
                                     assay_sample_role role, assay_algorithm_template *out,
                                     char *text, size_t text_size) {
    const twin *self = state;
    float vector[LENGTH];
    (void)count;
    pause_for(self->wait * 1000);
    if (self->refuse && images[0].pixels[0] % 5 == 3) {
        snprintf(text, text_size, "it has a %u in it", images[0].pixels[0]);
        return ASSAY_OUTCOME_REFUSED;
    }
    fill(images, vector);
    memset(out->bytes, 0, out->capacity);
    if (!self->opaque && role == ASSAY_SAMPLE_PROBE) {
        const float first = vector[LENGTH / 4 * 3];
        memmove(vector + LENGTH / 4 * 3, vector + LENGTH / 4 * 3 + 1,
                (LENGTH / 4 - 1) * sizeof *vector);
        vector[LENGTH - 1] = first;
    }
    if (self->bits) {
        pack(vector, out->bytes);
        out->used = LENGTH / 8 * 2;
        return ASSAY_OUTCOME_OK;
    }
    if (self->opaque) {
        out->bytes[0] = images[0].pixels[0];
        out->bytes[1] = (uint8_t)role;
    }
    memcpy(out->bytes + (self->opaque ? AT : 0), vector, sizeof vector);
    out->used = sizeof vector + (self->opaque ? AT + images[0].pixels[1] % 200u : 0);
    return ASSAY_OUTCOME_OK;
}

/* The canonical cosine of kernels/quantise.h. */
static void quantise(const uint8_t *bytes, int64_t out[LENGTH]) {
    float vector[LENGTH];
    double square = 0;
    memcpy(vector, bytes + AT, sizeof vector);
    for (unsigned n = 0; n < LENGTH; n++) square += (double)vector[n] * vector[n];
    for (unsigned n = 0; n < LENGTH; n++) out[n] = (int64_t)rint(vector[n] / sqrt(square) * 0x1p26);
}

static assay_outcome compare(void *state, const uint8_t *reference, size_t reference_size,
                             const uint8_t *probe, size_t probe_size, double *out, char *text,
                             size_t text_size) {
    const twin *self = state;
    int64_t a[LENGTH], b[LENGTH], sum = 0;
    if (reference_size < AT + sizeof(float[LENGTH]) || probe_size < AT + sizeof(float[LENGTH]) ||
        (self->roles &&
         (reference[1] != ASSAY_SAMPLE_REFERENCE || probe[1] != ASSAY_SAMPLE_PROBE))) {
        snprintf(text, text_size, "not a reference and a probe");
        return ASSAY_OUTCOME_FAILED;
    }
    pause_for(self->wait * 100);
    if (self->breaks && (reference[0] == 1 || probe[0] == 1)) abort();
    quantise(reference, a);
    quantise(probe, b);
    for (unsigned n = 0; n < LENGTH; n++) sum += a[n] * b[n];
    *out = (double)sum * 0x1p-52 + (self->lie ? 1e-6 : 0);
    if (self->breaks && (reference[0] == 2 || probe[0] == 2)) *out = NAN;
    return ASSAY_OUTCOME_OK;
}

static const assay_algorithm table = {
    .size = sizeof table,
    .abi = ASSAY_ALGORITHM_ABI,
    .name = "twin",
    .purpose = "the same templates in every kind",
    .open = open_twin,
    .describe = describe,
    .create_template = create_template,
    .close = free,
    .compare = compare,
};

const assay_algorithm *assay_algorithm_plugin(uint32_t abi) {
    return abi == ASSAY_ALGORITHM_ABI ? &table : NULL;
}
