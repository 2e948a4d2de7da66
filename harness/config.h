/* config -- an evaluation as its YAML file says it; configs/README.md documents every key. */
#ifndef ASSAY_HARNESS_CONFIG_H
#define ASSAY_HARNESS_CONFIG_H

#include "datasets/base/digest.h"
#include "datasets/manifest.h"
#include "datasets/population.h"
#include "datasets/protocol.h"
#include "harness/composite.h"

typedef struct {
    char *name, *version;
    char *algorithm;           /* built-in, or NULL */
    char *plugin;              /* path of a shared library (harness/algorithm.h), or NULL */
    char *config_directory;    /* of the plug-in, or NULL */
    char **readable;           /* more that the plug-in may read, NULL-terminated, or NULL */
    unsigned template_seconds; /* of the plug-in; 0: the default */
    uint64_t memory_bytes;     /* likewise */
    char **parameters;         /* "key=value", NULL-terminated */
    char *templates; /* path of templates.h5, or with labels or subjects a matrix; or NULL */
    char *labels;
    char *subjects, *samples, *id_column; /* of a matrix (steps.h), or NULL */
    char *masks;                          /* of bit strings, or NULL */
    uint32_t bit_rows, shift_bits;        /* of bit strings; 0: not said */
    char *family;                         /* of templates made elsewhere (algorithm.h), or NULL */
    /* Releases of this file, "NAME VERSION", whose references are compared with its probes too. */
    char **old_references; /* [old_reference_count] */
    size_t old_reference_count;
    bool assume_compatible; /* with theirs, where a template family is not stated */
} assay_config_release;

typedef struct {
    char *path;
    char *name;
    char *output; /* directory; out/NAME beside the working directory where not given */
    bool is_population;
    assay_population population; /* images are rendered below output/population */
    assay_manifest_declaration dataset;
    assay_config_release *releases; /* [release_count], at least one */
    size_t release_count;
    assay_composite *composites; /* [composite_count], of these releases */
    size_t composite_count;
    assay_protocol protocol;
    char *pair_list;  /* CSV, or NULL */
    char *comparator; /* NULL: as the release says */
    char *backend;    /* "auto" */
    unsigned threads; /* 0: all cores */
    unsigned checkpoint_seconds;
    uint64_t check_tiles; /* one in so many; 0: none */
    uint64_t opaque_cap;  /* most comparisons by a plug-in; 0: the default */
    char *title;          /* of the report, or NULL */
    char **report_groups; /* attributes to report by, "sex*age" crossed; NULL: every one */
    size_t report_group_count;
    char *report_quality;    /* attribute to take quality from; NULL: the column quality */
    double worse_limit;      /* of a group's rate over the others'; 0: the report's own */
    bool report_pdf;         /* the page as a PDF too */
    uint64_t *gallery_sizes; /* [gallery_size_count] people of random galleries; NULL: the usual */
    size_t gallery_size_count;
    char *galleries;       /* attribute whose values are galleries, or NULL */
    uint64_t gallery_rank; /* a mate must be among so many; 0: any */
    char *look_alikes;     /* evidence of the reference release that chooses them, or NULL */
    uint64_t *nearest;     /* [nearest_count] people of each sample; NULL: the usual */
    size_t nearest_count;
    char **rows;         /* files of rows, NULL-terminated, or NULL */
    bool mean_pair_age;  /* a mated comparison has the mean of both ages */
    assay_digest digest; /* of the resolved configuration */
} assay_config;

#define ASSAY_CONFIG_CHECKPOINT 300   /* seconds between sealed segments where nothing is said */
#define ASSAY_CONFIG_CHECK_TILES 2000 /* one tile in so many is computed once more */

/* Every fault of the file in one ASSAY_USAGE text. */
assay_status assay_config_read(const char *path, assay_config *out) ASSAY_MUST_CHECK;
void assay_config_free(assay_config *config); /* takes a zeroed one */

/* Index of the release called "NAME VERSION", or release_count. */
size_t assay_config_release_named(const assay_config *config, const char *name);
/* Whether its templates are made here, from images. */
bool assay_config_enrols(const assay_config_release *release);

/* Words that the file and the command line share. */
assay_status assay_config_protocol_kind(const char *text,
                                        assay_protocol_kind *out) ASSAY_MUST_CHECK;
/* "full", "none" or "FRACTION:SEED" into the protocol's histogram fields. */
assay_status assay_config_histogram(const char *text, assay_protocol *protocol) ASSAY_MUST_CHECK;
/* ASSAY_USAGE where the kind of protocol does not fit its roles or its list of pairs. */
assay_status assay_config_protocol_check(const assay_protocol *protocol,
                                         const char *pair_list) ASSAY_MUST_CHECK;

#endif
