/* foreign_hdf5_private -- what the confined reader of HDF5 hands back, and who believes none of it.
 */
#ifndef ASSAY_DATASETS_FOREIGN_HDF5_PRIVATE_H
#define ASSAY_DATASETS_FOREIGN_HDF5_PRIVATE_H

#include "datasets/number_array.h"
#include "datasets/text_list.h"

/* In memory that child and parent share; FOREIGN_HEAD_BYTES from its beginning lie values, or texts
 * one after another, each ended by a NUL. */
typedef struct {
    assay_number_type type;
    int rank;
    uint64_t rows, columns; /* of texts, rows alone */
    uint64_t room;          /* bytes for values; the parent's word, not the child's */
    uint64_t used;          /* of them by texts */
} foreign_head;
#define FOREIGN_HEAD_BYTES 4096u

/* What the child left, which may have been overwritten by what it met: sizes that cannot be are
 * ASSAY_FAILED, and nothing beyond room is read. */
assay_status foreign_hdf5_take_array(const foreign_head *head,
                                     assay_number_array *out) ASSAY_MUST_CHECK;
assay_status foreign_hdf5_take_texts(const foreign_head *head,
                                     assay_text_list *out) ASSAY_MUST_CHECK;

#endif
