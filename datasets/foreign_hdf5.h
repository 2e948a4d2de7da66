/* foreign_hdf5 -- one array out of an HDF5 file that somebody else made. */
#ifndef ASSAY_DATASETS_FOREIGN_HDF5_H
#define ASSAY_DATASETS_FOREIGN_HDF5_H

#include "datasets/base/status.h"
#include "datasets/number_array.h"
#include "datasets/text_list.h"

/* The data set at object ("/scores/mated"; NULL: the only one of the file's root group) as an array
 * of one or two dimensions of float16, float32, float64, int8 or uint8. The library meets the file
 * in a child process that can open nothing and is confined before it sees a byte, since such files
 * crash it; a file that does ends as ASSAY_FAILED, saying how. External storage, external and soft
 * links, virtual data sets and filters other than deflate, shuffle and fletcher32 are ASSAY_USAGE.
 */
assay_status assay_foreign_hdf5_read(const char *path, const char *object,
                                     assay_number_array *out) ASSAY_MUST_CHECK;
/* The same for ids: one dimension of texts, of fixed or variable length, or of whole numbers, which
 * become decimal. */
assay_status assay_foreign_hdf5_texts(const char *path, const char *object,
                                      assay_text_list *out) ASSAY_MUST_CHECK;

#endif
