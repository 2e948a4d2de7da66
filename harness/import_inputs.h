/* import_inputs -- the files that templates made elsewhere come in. */
#ifndef ASSAY_HARNESS_IMPORT_INPUTS_H
#define ASSAY_HARNESS_IMPORT_INPUTS_H

#include <jansson.h>

#include "datasets/npy.h"
#include "harness/steps.h"

/* A source of two dimensions as a matrix. */
assay_status import_read_matrix(const char *source, assay_npy_matrix *out) ASSAY_MUST_CHECK;
/* The templates: a source, whose rows are as they came, or CSV, whose rows are those of table. */
assay_status import_read_templates(const assay_import *import, const assay_sample_table *table,
                                   assay_npy_matrix *out) ASSAY_MUST_CHECK;

/* What is kept of a file that something came from: its name, the array's where one was named, and
 * its digest; the caller's to let go. */
assay_status import_describe_input(const char *source, json_t **out) ASSAY_MUST_CHECK;

#endif
