/* run_private -- what the parts of a run share: its state, its output folder, and whether templates
 * that are there are still the right ones. */
#ifndef ASSAY_HARNESS_RUN_PRIVATE_H
#define ASSAY_HARNESS_RUN_PRIVATE_H

#include "datasets/base/lock.h"
#include "harness/outputs.h"
#include "harness/run.h"

typedef struct {
    const assay_config *config;
    const assay_run_options *options;
    const assay_progress *progress;
    assay_run_result *result;
    const char *output, *backend;
    unsigned threads;
    char configuration_digest[ASSAY_DIGEST_HEX];
    char *dataset_path;
    assay_manifest_declaration population_declaration;
    const assay_manifest_declaration *declaration; /* of the images; borrowed */
    bool images_planned, dataset_planned;          /* dry run: not there yet */
    uint64_t samples, subjects;
    assay_digest dataset_digest;
    double started;
    assay_lock lock;          /* of the output folder */
    assay_output_locks locks; /* of the files in it */
    bool in_step;             /* the last step of the result was begun, and nothing else since */
} runner;

typedef struct {
    char *templates, *evidence;
    bool given;   /* the templates are somebody else's file */
    bool planned; /* dry run: not there yet */
    uint64_t count;
    assay_templates_kind kind;
    uint32_t length;
    assay_digest digest, dataset_digest;
    assay_protocol protocol; /* with its pairs, where the protocol is a list */
} release_files;

/* The protocol of a release's comparison. */
const assay_protocol *assay_run_protocol(const runner *run, const release_files *files);
/* The configured protocol with the pairs of its list as rows of table. */
assay_status assay_run_read_pairs(const runner *run, const assay_sample_table *table,
                                  assay_protocol *out) ASSAY_MUST_CHECK;

/* Makes the output folder, takes its lock (one run at a time) and removes what processes that are
 * no more left half written. */
assay_status assay_run_enter(const runner *run, assay_lock *out_lock) ASSAY_MUST_CHECK;
assay_status assay_run_make_parent(const char *path) ASSAY_MUST_CHECK;

assay_status assay_run_enrolled_fits(const assay_templates_head *head, const assay_release *wanted,
                                     const assay_digest *dataset, bool *out) ASSAY_MUST_CHECK;
/* Evidence of opaque templates: whether plugin, as its files are now, is what compared them. A
 * library may give other scores of the same templates. */
assay_status assay_run_compared_fits(const assay_evidence *evidence, const assay_release *plugin,
                                     bool *out) ASSAY_MUST_CHECK;
assay_status assay_run_import_fits(const assay_templates_head *head, const assay_import *wanted,
                                   bool *out) ASSAY_MUST_CHECK;

#endif
