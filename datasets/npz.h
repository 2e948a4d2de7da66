/* npz -- one array out of numpy's .npz: a ZIP archive of .npy files, read strictly. */
#ifndef ASSAY_DATASETS_NPZ_H
#define ASSAY_DATASETS_NPZ_H

#include <stddef.h>

#include "datasets/base/status.h"

/* The bytes of the member NAME.npy of the archive bytes[size] (name NULL: of its only one), as they
 * are before they were packed; *out_bytes free(). file is what messages call the archive, and cap
 * the most bytes that are unpacked: a member that says it has more is refused before anything is.
 * Every member must be a .npy by a plain name, each name once, stored or deflated and not
 * encrypted, of the size and CRC that the archive says. Anything else is ASSAY_USAGE. */
assay_status assay_npz_member(const char *file, const void *bytes, size_t size, const char *name,
                              size_t cap, char **out_bytes, size_t *out_size) ASSAY_MUST_CHECK;

#endif
