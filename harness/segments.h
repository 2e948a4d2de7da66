/* segments -- sealed parts of a long step that is not finished: OUT.parts/ beside its output, with
 * files NAME-FIRST-END.h5 that hold what came of items FIRST … END - 1, and a ledger of their own.
 * They go once the output is published. */
#ifndef ASSAY_HARNESS_SEGMENTS_H
#define ASSAY_HARNESS_SEGMENTS_H

#include <stdint.h>

#include "datasets/base/status.h"

/* "OUT.parts"; free(). */
assay_status assay_segments_folder(const char *out_path, char **out) ASSAY_MUST_CHECK;
/* Path of a segment, its folder made; name is "tiles", "rows" or "pairs"; free(). */
assay_status assay_segments_path(const char *out_path, const char *name, uint64_t first,
                                 uint64_t end, char **out) ASSAY_MUST_CHECK;
/* Shows every segment of this name that is there by its path, in the order of their items. A status
 * of visit that is not ASSAY_OK ends it and is given back. No folder is no segment. */
typedef assay_status (*assay_segments_visit)(void *context, const char *path);
assay_status assay_segments_walk(const char *out_path, const char *name, assay_segments_visit visit,
                                 void *context) ASSAY_MUST_CHECK;
/* Removes OUT.parts/ with all segments, what is half written of one, and their ledger, quietly;
 * what else lies there stays. */
void assay_segments_drop(const char *out_path);

#endif
