/* imports -- what was computed elsewhere: scores become evidence as they came. (Templates made
 * elsewhere are a step of a run: steps.h.) */
#ifndef ASSAY_HARNESS_IMPORTS_H
#define ASSAY_HARNESS_IMPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/manifest.h"
#include "datasets/protocol.h"

/* What every import of scores is told. */
typedef struct {
    const char *release, *version, *dataset_name;
    bool distance; /* the numbers are distances: each score is its number with the sign turned */
    bool has_failed_value;          /* a number that stands for "no score", as NaN does */
    double failed_value;            /* before the sign is turned */
    const assay_protocol *protocol; /* its targets and thresholds; thresholds as scores */
} assay_import_about;

typedef struct {
    uint64_t mated, non_mated, failed_mated, failed_non_mated;
    uint64_t samples, subjects, excluded; /* 0 where the scores came without samples */
    assay_digest result_digest;
} assay_import_result;

/* Two lists of scores without samples: evidence of protocol `scores`. Lists of no score at all are
 * refused (ASSAY_USAGE); NaN and the failed value are counted as comparisons that gave none. */
assay_status assay_import_score_lists(const assay_import_about *about, const char *mated_path,
                                      const char *non_mated_path, const char *out_path,
                                      assay_import_result *out) ASSAY_MUST_CHECK;

#endif
