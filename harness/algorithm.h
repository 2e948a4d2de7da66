/* algorithm -- the table of functions that every algorithm under test fills in, built-in or
 * plug-in.
 *
 * Sizes come first in every struct so that either side may grow. Functions return an outcome and
 * put a text of at most text_size bytes where something is to be said. An algorithm keeps no state
 * between templates and gives the same template for the same image. */
#ifndef ASSAY_HARNESS_ALGORITHM_H
#define ASSAY_HARNESS_ALGORITHM_H

#include <stddef.h>
#include <stdint.h>

#define ASSAY_ALGORITHM_ABI 1u

typedef enum {
    ASSAY_OUTCOME_OK = 0,
    ASSAY_OUTCOME_REFUSED = 1, /* the algorithm looked at the image and would not take it */
    ASSAY_OUTCOME_FAILED = 2,  /* the algorithm broke on it */
} assay_outcome;

typedef enum {
    ASSAY_TEMPLATE_VECTOR = 0
} assay_template_kind; /* float32; others come with plug-ins */
typedef enum {
    ASSAY_SAMPLE_UNSPECIFIED = 0,
    ASSAY_SAMPLE_REFERENCE,
    ASSAY_SAMPLE_PROBE
} assay_sample_role;

typedef struct {
    uint32_t size;                    /* sizeof (assay_algorithm_image) */
    uint32_t width, height, channels; /* 1 grey or 3 RGB */
    const uint8_t *pixels;            /* [height][width][channels] */
    const char *capture_type;         /* "" where not known */
} assay_algorithm_image;

typedef struct {
    uint32_t size;
    const char *name, *version, *modality, *comparator; /* borrowed until close */
    assay_template_kind kind;
    uint32_t length;        /* components of a vector */
    uint32_t channels;      /* 1 or 3: the pixels that it wants */
    const char *parameters; /* resolved, "grid=8 size=96"; "" where none; borrowed until close */
} assay_algorithm_description;

typedef struct {
    uint32_t size;
    uint32_t abi;
    const char *name;
    const char *purpose;
    /* parameters: "key=value" strings, NULL-terminated; an unknown key is refused. */
    assay_outcome (*open)(const char *const *parameters, void **state, char *text,
                          size_t text_size);
    void (*describe)(void *state, assay_algorithm_description *out);
    /* out has room for description.length floats. Images are of one sample. */
    assay_outcome (*create_template)(void *state, const assay_algorithm_image *images, size_t count,
                                     assay_sample_role role, float *out, char *text,
                                     size_t text_size);
    void (*close)(void *state);
} assay_algorithm;

#endif
