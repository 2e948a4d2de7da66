/* template_csv -- templates that were made elsewhere, as CSV: one a row. */
#ifndef ASSAY_DATASETS_TEMPLATE_CSV_H
#define ASSAY_DATASETS_TEMPLATE_CSV_H

#include "datasets/npy.h"
#include "datasets/sample_table.h"

/* A CSV with a header whose column id_column (NULL: sample, or sample_id) has the sample's id, and
 * whose other columns are the components, in their order: numbers, or nan where there is none. Rows
 * may be in any order; row n of *out is the template of row n of table. An id that is not in the
 * table, one that is there twice, a sample without a template and a cell that is no number are
 * ASSAY_USAGE, each with its line. */
assay_status assay_template_csv_read(const char *path, const char *id_column,
                                     const assay_sample_table *table,
                                     assay_npy_matrix *out) ASSAY_MUST_CHECK;

#endif
