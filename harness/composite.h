/* composite -- several releases as one system: "this algorithm for children, that one for adults".
 *
 * Each comparison is routed by the age of its REFERENCE, the document: both templates of it, and
 * its score, are those of the release that the reference's age names, whoever the probe is. So a
 * pair of subjects whose references are routed apart is compared by one release where the first is
 * the document holder and by the other where the second is. Each release has one declared
 * threshold; the system accepts where a score is at or above the threshold of the release that made
 * it. Evidence of a composite has as its scores those of the parts less their thresholds (IEEE 754
 * subtraction keeps the sign of every difference), so that 0 is the system's threshold, and all
 * rates at 0 are those of the system over routed comparisons. */
#ifndef ASSAY_HARNESS_COMPOSITE_H
#define ASSAY_HARNESS_COMPOSITE_H

#include <stdbool.h>
#include <stddef.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"

typedef struct {
    char *release, *version;
    double below; /* ages under it and not under that of the part before; the last: INFINITY */
    double threshold;
} assay_composite_part;

typedef struct {
    char *name, *version;
    char *age;                   /* numeric attribute of the reference */
    assay_composite_part *parts; /* [part_count], below rising */
    size_t part_count;
    size_t missing; /* part of references without an age; part_count: there must be none */
} assay_composite;

void assay_composite_free(assay_composite *composite); /* takes a zeroed one */

/* evidence_paths[part_count] are of the parts, on one data set under one protocol with roles (cross
 * or one-per-subject). ASSAY_USAGE where they are not, where age is not a numeric attribute called
 * so whose source is the document (or construction), where a reference has no age and nothing says
 * what then, and where a part's tail does not reach down to its threshold.
 *
 * A reference is enrolled where its own release enrolled it; a probe where the release of its
 * subject's first reference did, or, without one, where all did. A comparison whose probe has no
 * template of the routed release is one that failed. */
assay_status assay_composite_make(const assay_composite *composite,
                                  const char *const *evidence_paths, const char *out_path,
                                  assay_digest *out_result) ASSAY_MUST_CHECK;
/* Whether the evidence at path is what assay_composite_make would make now. */
assay_status assay_composite_fits(const assay_composite *composite,
                                  const char *const *evidence_paths, const char *path, bool *out,
                                  assay_digest *out_result) ASSAY_MUST_CHECK;

#endif
