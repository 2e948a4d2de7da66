/* plugin_files -- what a plug-in's release is made of, as digests: its library and its
 * configuration directory. */
#ifndef ASSAY_HARNESS_PLUGIN_FILES_H
#define ASSAY_HARNESS_PLUGIN_FILES_H

#include "datasets/base/digest.h"
#include "harness/steps.h"

typedef struct {
    assay_digest object; /* SHA-256 of the shared object */
    assay_digest config; /* of its files' paths and digests in order of their bytes; zero: none */
    char *parameters;    /* as they were given, "a=1 b=2"; free() */
} assay_plugin_files;

/* ASSAY_FAILED where a file cannot be read. */
assay_status assay_plugin_files_digest(const assay_release *release,
                                       assay_plugin_files *out) ASSAY_MUST_CHECK;
void assay_plugin_files_free(assay_plugin_files *files); /* takes a zeroed one */
/* Adds what a plan digest has of a plug-in: its files and its limits, since what took too long
 * under one limit may be done under another. */
assay_status assay_plugin_files_add(const assay_release *release,
                                    assay_digester *digester) ASSAY_MUST_CHECK;
/* Whether the provenance of templates or evidence names the plug-in as its files are now. */
assay_status assay_plugin_files_said(const assay_release *release, const char *provenance_json,
                                     bool *out) ASSAY_MUST_CHECK;

#endif
