/* steps -- the four steps of an evaluation, each reading what the one before it finished. */
#ifndef ASSAY_HARNESS_STEPS_H
#define ASSAY_HARNESS_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/containers.h"
#include "datasets/manifest.h"
#include "datasets/protocol.h"

/* ingest: manifest and images to a data set. Every image is decoded once, in the confined worker;
 * one that cannot be is an EXCLUDED sample with its reason. */
typedef struct {
    uint64_t samples, subjects, excluded, warnings;
    assay_digest digest;
} assay_ingest_result;
assay_status assay_ingest(const assay_manifest_declaration *declaration, const char *out_path,
                          const assay_progress *progress,
                          assay_ingest_result *out) ASSAY_MUST_CHECK;

/* enroll: a template of every sample by one release. */
typedef struct {
    const char *release, *version;
    const char *algorithm;         /* name in algorithms.def; NULL where plugin is given */
    const char *const *parameters; /* "key=value", NULL-terminated; may be NULL */
    /* A shared library with the interface of harness/algorithm.h, run in confined workers. */
    const char *plugin;
    const char *config_directory; /* that it may read, or NULL */
    const char *const
        *readable; /* more folders or files that it may read, NULL-terminated, or NULL */
    unsigned template_seconds; /* wall time of one template; 0: ASSAY_PLUGIN_SECONDS */
    uint64_t memory_bytes;     /* address space of a worker; 0: ASSAY_PLUGIN_MEMORY */
} assay_release;
#define ASSAY_PLUGIN_SECONDS 60u
#define ASSAY_PLUGIN_MEMORY ((uint64_t)4 << 30)
typedef struct {
    unsigned threads;            /* 0: as many as there are cores */
    unsigned checkpoint_seconds; /* a sealed segment about this often, from which an enrolment that
                                    was cut short goes on; 0: none by time */
    uint64_t checkpoint_samples; /* a sealed segment every so many samples; 0: by time alone */
} assay_enroll_options;
#define ASSAY_ENROLL_CHECKPOINT 10u
typedef struct {
    uint64_t enrolled, refused, failed, excluded;
    uint64_t resumed; /* of these samples as many were taken from segments */
    assay_digest digest;
} assay_enroll_result;
/* Where the algorithm makes other templates of references than of probes, out_path has a table in
 * roles (sample_table.h), or opaque templates of both under one row. Segments lie in
 * out_path.parts/ until the templates are published. Those of another data set,
 * release or limits are left aside. */
assay_status assay_enroll(const char *dataset_path, const assay_release *release,
                          const assay_enroll_options *options, const char *out_path,
                          const assay_progress *progress,
                          assay_enroll_result *out) ASSAY_MUST_CHECK;

/* import: templates made elsewhere, with their labels. Sources are those of datasets/array_file.h.
 */
typedef struct {
    /* A source of a matrix, a row a template, or CSV (datasets/template_csv.h). Of bit strings
     * uint8, 8 bits a component, the lowest first. */
    const char *matrix;
    const char *masks;             /* a source likewise, 1 where a bit is valid; NULL: all are */
    uint32_t bit_rows, shift_bits; /* of bit strings (containers.h); 0: 1 */
    const char *id_column;         /* of a CSV of templates; NULL: sample, or sample_id */
    /* Labels: a CSV, row n for row n of the matrix (of CSV the row with the sample's id); or
     * sources of the ids of subjects and, where not NULL, samples. */
    const char *labels_path;
    const char *subjects, *samples;
    const char *release, *version, *comparator, *dataset_name;
    const char *family;                         /* of the templates (algorithm.h), or NULL */
    const assay_manifest_declaration *declared; /* may be NULL */
} assay_import;
/* Whether templates for this comparator are bit strings; comparator may be NULL. */
bool assay_import_is_bits(const char *comparator);
/* Shape of the matrix: templates, and components of each (of bit strings bytes). */
assay_status assay_import_shape(const assay_import *import, uint64_t *out_rows,
                                uint32_t *out_columns) ASSAY_MUST_CHECK;
/* What is kept of where they came from, as JSON: the same for the same inputs; free(). */
assay_status assay_import_provenance(const assay_import *import, char **out) ASSAY_MUST_CHECK;
/* The labels alone. */
assay_status assay_import_labels(const assay_import *import, const assay_progress *progress,
                                 assay_sample_table *out) ASSAY_MUST_CHECK;
assay_status assay_import_templates(const assay_import *import, const char *out_path,
                                    const assay_progress *progress,
                                    assay_enroll_result *out) ASSAY_MUST_CHECK;

/* compare: all pairs of a protocol to evidence. */
typedef struct {
    const assay_protocol *protocol;
    const char *comparator;      /* NULL: the one that the templates name */
    const char *backend;         /* "auto", "cpu", "reference" */
    unsigned threads;            /* 0: as many as there are cores */
    uint64_t memory_limit;       /* bytes; 0: what the machine has */
    const char *matrix_path;     /* dense score matrix for small sets, or NULL */
    unsigned checkpoint_seconds; /* a sealed segment about this often; 0: none by time */
    uint64_t checkpoint_tiles;   /* a sealed segment every so many tiles; 0: by time alone */
    uint64_t band; /* templates of a band (rounded up to tiles), where the set is to be compared
                      by bands; 0: by bands only where it does not fit memory */
    uint64_t check_tiles; /* one tile in so many, and at least one, is computed once more by the
                             reference backend; 0: none */
    const char *configuration_digest; /* hex, or NULL; goes into the provenance */
    /* Opaque templates: who made them, for their comparison; and most comparisons by it. */
    const assay_release *plugin;
    uint64_t opaque_cap;    /* 0: ASSAY_OPAQUE_CAP */
    bool assume_compatible; /* between releases of which one does not state its template family */
} assay_compare_options;
#define ASSAY_OPAQUE_CAP ((uint64_t)10000000)
typedef struct {
    uint64_t templates, pairs, mated, non_mated, tail;
    uint64_t failed, mated_failed;     /* pairs that failed to compare; those of one subject */
    uint64_t memory_bytes, disk_bytes; /* what it says it needs before it starts */
    assay_digest result_digest;
    char backend[32];
} assay_compare_result;
assay_status assay_compare(const char *templates_path, const assay_compare_options *options,
                           const char *out_path, const assay_progress *progress,
                           assay_compare_result *out) ASSAY_MUST_CHECK;
/* References of one release against probes of another, of the same samples: every pair of them in
 * both directions (sample_table.h, tables in roles). ASSAY_USAGE where their templates cannot be
 * compared: their kind, length, comparator or stated family differ, or they are opaque. */
assay_status assay_compare_between(const char *references_path, const char *probes_path,
                                   const assay_compare_options *options, const char *out_path,
                                   const assay_progress *progress,
                                   assay_compare_result *out) ASSAY_MUST_CHECK;
/* Removes the segments beside evidence that is done, quietly: a comparison that is killed behind
 * its last step leaves them. */
void assay_compare_drop_segments(const char *evidence_path);
/* compare --rows: further down than evidence does, the comparisons of the samples that need it: of
 * those whose best mated score lies below its floor, down to that score; and of every sample down
 * to so many other people. Recomputed from the templates of that evidence; where they are not what
 * it holds, ASSAY_DISAGREES. ASSAY_USAGE where the evidence is not of these templates, is of a list
 * of pairs, or more comparisons than cap would be kept. */
typedef struct {
    const char *evidence_path;
    uint64_t people;       /* 0: for mates alone */
    uint64_t cap;          /* most comparisons that are kept; 0: ASSAY_ROWS_CAP */
    const char *backend;   /* as of compare */
    unsigned threads;      /* likewise */
    uint64_t memory_limit; /* likewise */
} assay_rows_options;
#define ASSAY_ROWS_CAP ((uint64_t)1 << 26)
typedef struct {
    uint64_t samples;     /* that take part */
    uint64_t rows;        /* recomputed */
    uint64_t of_mates;    /* those whose best mated score lies below the floor */
    uint64_t comparisons; /* kept */
    assay_digest digest;
    char backend[32];
} assay_rows_result;
assay_status assay_compare_rows(const char *templates_path, const assay_rows_options *options,
                                const char *out_path, const assay_progress *progress,
                                assay_rows_result *out) ASSAY_MUST_CHECK;
/* What compare would need, without doing it. */
assay_status assay_compare_estimate(assay_templates_kind kind, uint64_t templates, uint32_t length,
                                    const assay_compare_options *options,
                                    assay_compare_result *out) ASSAY_MUST_CHECK;

#endif
