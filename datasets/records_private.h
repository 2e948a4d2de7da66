/* records_private -- one record of others in XML, by itself. */
#ifndef ASSAY_DATASETS_RECORDS_PRIVATE_H
#define ASSAY_DATASETS_RECORDS_PRIVATE_H

#include "datasets/manifest_private.h"
#include "datasets/records.h"

/* Rows of one record of bytes[size], which messages call name, behind those of grid, whose columns
 * are the declaration's. texts[column_count] are the templates with the file's name in them
 * already. What is wrong with it goes to faults; *out_rows is how many rows it gave, 0 where it has
 * no element `each`. */
assay_status assay_record_parse(const assay_record_declaration *declaration, const char *name,
                                const void *bytes, size_t size, const char *const *texts,
                                assay_faults *faults, assay_grid *grid,
                                uint64_t *out_rows) ASSAY_MUST_CHECK;

#endif
