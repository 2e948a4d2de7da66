/* algorithm -- the interface of every algorithm under test, built-in or plug-in. C11 and C++.
 *
 * A plug-in is a shared library that exports one function, assay_algorithm_plugin, which gives the
 * table below; harness/PLUGIN.md goes through one of 66 lines. It is loaded by a confined worker
 * program, never by assay: no network, no processes, no files but those below its own folder, its
 * configuration directory and the system's libraries, all for reading. Whatever goes wrong in it is
 * a failure of one sample.
 *
 * Every struct begins with its size, as whoever made it knew it, so that either side may grow: read
 * and write no field that lies beyond `size`, and of one that is not there take zero. Texts are
 * UTF-8; a function that fails puts a line of at most text_size bytes (with its NUL) where text
 * points. An algorithm keeps no state between templates: it gives the same template for the same
 * images, whatever it was given before and in however many processes it runs. One process calls it
 * from one thread. */
#ifndef ASSAY_HARNESS_ALGORITHM_H
#define ASSAY_HARNESS_ALGORITHM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_ALGORITHM_ABI 2u
#define ASSAY_ALGORITHM_SYMBOL "assay_algorithm_plugin"

/* What became of a call. REFUSED and FAILED of a sample are both failures to enrol. */
typedef enum {
    ASSAY_OUTCOME_OK = 0,
    ASSAY_OUTCOME_REFUSED = 1, /* the algorithm looked at it and would not take it */
    ASSAY_OUTCOME_FAILED = 2,  /* the algorithm broke on it */
} assay_outcome;

/* What the bytes of a template are.
 *   VECTOR  `length` float32 of this machine; comparator cosine, inner-product or euclidean
 *   BITS    `length` bits, then a mask of as many (1: the bit is valid), each of length / 8 bytes;
 *           bit n is bit n % 8 (the lowest is 0) of byte n / 8; comparator hamming
 *   OPAQUE  1 to `length` bytes that only the algorithm's own compare understands */
typedef enum {
    ASSAY_TEMPLATE_VECTOR = 0,
    ASSAY_TEMPLATE_BITS = 1,
    ASSAY_TEMPLATE_OPAQUE = 2,
} assay_template_kind;

typedef enum {
    ASSAY_SAMPLE_UNSPECIFIED = 0,
    ASSAY_SAMPLE_REFERENCE = 1,
    ASSAY_SAMPLE_PROBE = 2,
} assay_sample_role;

typedef struct {
    uint32_t size;                    /* sizeof (assay_algorithm_image) */
    uint32_t width, height, channels; /* 1 grey or 3 red green blue */
    const uint8_t *pixels;            /* [height][width][channels] */
    const char *capture_type;         /* environment of the sample in the manifest; "": not known */
} assay_algorithm_image;

/* What open is given. Pointers are borrowed until open returns. */
typedef struct {
    uint32_t size;
    const char *const *parameters; /* "key=value", NULL-terminated; an unknown key is refused */
    const char *config_directory;  /* absolute, may be read at any time; "" where none is given */
} assay_algorithm_setup;

typedef struct {
    uint32_t size;
    const char *name, *version, *modality; /* borrowed until close, as all texts here */
    const char *comparator;                /* of VECTOR and BITS; NULL or "" for OPAQUE */
    assay_template_kind kind;
    uint32_t length;        /* as its kind says */
    uint32_t channels;      /* 1 or 3: the pixels that it wants */
    const char *parameters; /* resolved, "grid=8 size=96"; "" where none */
    /* 1: templates of references and of probes differ. Both are made of each sample, with the role
     * told, and every comparison is of a reference with a probe. 0: one template, UNSPECIFIED. */
    uint32_t roles_differ;
    /* OPAQUE: where in the bytes of every template a vector of float32 lies that `comparator`
     * compares just as `compare` does; vector_length 0 where there is none. All pairs then run on
     * assay's backends, and a sample of them is checked against compare: a difference of more than
     * vector_bound in score after the map  score = vector_scale * comparator + vector_shift  stops
     * the evaluation. vector_scale 0 means 1. */
    uint32_t vector_offset, vector_length;
    double vector_bound, vector_scale, vector_shift;
    /* BITS: rows, columns a shift moves, shifts each way, least number of valid bits; 0 means 1
     * row, 1 column, no shifts, a quarter of the bits (kernels/hamming.h). */
    uint32_t bit_rows, bit_shift, bit_shifts, bit_minimum;
    /* What its templates can be compared with: a reference made by one release and a probe made by
     * another of the same family, by the same comparator, are a comparison that means something. It
     * changes whenever that ends (another network, another feature). NULL or "": not stated. */
    const char *template_family;
} assay_algorithm_description;

/* Where a template goes: capacity bytes at bytes, aligned for float32. create_template sets used.
 */
typedef struct {
    uint32_t size;
    uint8_t *bytes;
    size_t capacity; /* as the kind and length of the description need */
    size_t used;
} assay_algorithm_template;

typedef struct {
    uint32_t size; /* sizeof (assay_algorithm) */
    uint32_t abi;  /* ASSAY_ALGORITHM_ABI */
    const char *name;
    const char *purpose;
    /* REFUSED: what was asked for is wrong. FAILED: it broke. *state is set on OK only. */
    assay_outcome (*open)(const assay_algorithm_setup *setup, void **state, char *text,
                          size_t text_size);
    /* *out is zeroed but for its size. */
    void (*describe)(void *state, assay_algorithm_description *out);
    /* One template of count images of one sample (the harness gives one unless told otherwise). */
    assay_outcome (*create_template)(void *state, const assay_algorithm_image *images, size_t count,
                                     assay_sample_role role, assay_algorithm_template *out,
                                     char *text, size_t text_size);
    void (*close)(void *state);
    /* OPAQUE only, else NULL: similarity of a probe with a reference; higher is more alike, and it
     * is finite. An outcome other than OK is a comparison that failed. */
    assay_outcome (*compare)(void *state, const uint8_t *reference, size_t reference_size,
                             const uint8_t *probe, size_t probe_size, double *out, char *text,
                             size_t text_size);
} assay_algorithm;

/* The function that a plug-in exports: its table for this interface or, where it has none, NULL.
 * The table is borrowed for good. */
typedef const assay_algorithm *(*assay_algorithm_plugin_function)(uint32_t abi);

#if defined(__GNUC__)
#define ASSAY_ALGORITHM_EXPORT __attribute__((visibility("default")))
#else
#define ASSAY_ALGORITHM_EXPORT
#endif
ASSAY_ALGORITHM_EXPORT const assay_algorithm *assay_algorithm_plugin(uint32_t abi);

#ifdef __cplusplus
}
#endif

#endif
