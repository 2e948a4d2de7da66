/* imports_private -- what the imports of scores share: from numbers to evidence. */
#ifndef ASSAY_HARNESS_IMPORTS_PRIVATE_H
#define ASSAY_HARNESS_IMPORTS_PRIVATE_H

#include "datasets/containers.h"
#include "datasets/scored_pairs.h"
#include "harness/imports.h"

/* One comparison as it came. */
typedef struct {
    double number;     /* NaN: none */
    uint32_t i, j;     /* as assay_comparison has them */
    uint8_t direction; /* assay_direction */
    bool mated;
} import_comparison;

/* Names, protocol and provenance: targets and thresholds are copied from about->protocol; kind and
 * the rest stay the caller's. inputs[count] are named and digested in the provenance. */
assay_status import_evidence_start(const assay_import_about *about, const char *const *inputs,
                                   size_t count, assay_evidence *out) ASSAY_MUST_CHECK;

/* A number as it came to a comparison of evidence: a score, or one that gave none. place is told
 * where the number is refused ("FILE: number 17"). evidence->mated, ->tail and ->failed have room.
 */
assay_status import_evidence_add(const assay_import_about *about,
                                 const import_comparison *comparison, const char *place,
                                 assay_evidence *evidence) ASSAY_MUST_CHECK;

/* Sorts the lists and sets what follows from them; relations but for excluded ones. */
assay_status import_evidence_finish(assay_evidence *evidence) ASSAY_MUST_CHECK;

/* Evidence of protocol `pairs`, written. table is taken over, whatever comes of it. Pairs of one
 * subject that are not mated are counted as excluded. */
assay_status import_pairs(const assay_import_about *about, const char *const *inputs, size_t count,
                          assay_sample_table *table, const assay_scored_pairs *pairs,
                          const char *out_path, assay_import_result *out) ASSAY_MUST_CHECK;

void import_result_fill(const assay_evidence *evidence, assay_import_result *out);

#endif
