/* plugin_files -- what a plug-in's release is made of, as digests: its library and its
 * configuration directory. */
#ifndef ASSAY_HARNESS_PLUGIN_FILES_H
#define ASSAY_HARNESS_PLUGIN_FILES_H

#include "datasets/base/digest.h"
#include "harness/steps.h"

typedef struct {
    assay_digest library; /* SHA-256 of the file */
    assay_digest config;  /* of its files' paths and digests in order of their bytes; zero: none */
    char *parameters;     /* as they were given, "a=1 b=2"; free() */
} assay_plugin_files;

/* ASSAY_FAILED where a file cannot be read. */
assay_status assay_plugin_files_digest(const assay_release *release,
                                       assay_plugin_files *out) ASSAY_MUST_CHECK;
void assay_plugin_files_free(assay_plugin_files *files); /* takes a zeroed one */

#endif
