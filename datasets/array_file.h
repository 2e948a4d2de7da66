/* array_file -- an array in a file of any form that others write: .npy, .npz or HDF5.
 *
 * A *source* names it: FILE, or FILE:NAME for one array of several, where NAME is that of an array
 * of a .npz, or the /PATH of a data set in HDF5. The form is known by the file's first bytes, not
 * by its name. HDF5 is read in a confined child process (foreign_hdf5.h). */
#ifndef ASSAY_DATASETS_ARRAY_FILE_H
#define ASSAY_DATASETS_ARRAY_FILE_H

#include <stdbool.h>

#include "datasets/base/status.h"
#include "datasets/number_array.h"
#include "datasets/text_list.h"

typedef enum {
    ASSAY_ARRAY_OTHER = 0, /* none of these, or not there */
    ASSAY_ARRAY_NPY,
    ASSAY_ARRAY_NPZ,
    ASSAY_ARRAY_HDF5,
} assay_array_form;
assay_array_form assay_array_file_form(const char *source);
/* Whether source is of one of these forms, or is called so (it has an array's name, or its file
 * ends in .npy, .npz, .h5 or .hdf5): what is none of them may be text. */
bool assay_array_file_is(const char *source);

/* The file of a source, without the array's name; free(). */
assay_status assay_array_file_path(const char *source, char **out) ASSAY_MUST_CHECK;
/* "FILE:NAME"; NAME may be NULL, and *out is FILE then; free(). */
assay_status assay_array_file_source(const char *file, const char *name,
                                     char **out) ASSAY_MUST_CHECK;

/* Numbers of one or two dimensions (number_array.h), and ids of one (npy.h). A file of another
 * form, or one that lacks what is asked for, is ASSAY_USAGE, saying what was met and what is
 * expected. */
assay_status assay_array_file_read(const char *source, assay_number_array *out) ASSAY_MUST_CHECK;
assay_status assay_array_file_texts(const char *source, assay_text_list *out) ASSAY_MUST_CHECK;

#endif
