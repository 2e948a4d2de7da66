/* worklist -- errors for people to look at: which comparisons, and why, at the deployment
 * threshold.
 */
#ifndef ASSAY_REPORTS_WORKLIST_H
#define ASSAY_REPORTS_WORKLIST_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/containers.h"
#include "reports/deployment.h"

typedef enum {
    ASSAY_WORK_NON_MATED = 0, /* highest non-mated comparisons */
    ASSAY_WORK_MATED,         /* lowest mated comparisons */
    ASSAY_WORK_DISAGREEMENT,  /* one release matches, the other does not */
    ASSAY_WORK_LABEL,         /* one of two labels may be wrong */
    ASSAY_WORK_KINDS
} assay_work_kind;
const char *assay_work_kind_name(assay_work_kind kind); /* "non_mated": also its CSV's name */

/* Two samples to look at. Scores that there are not are NaN. */
typedef struct {
    const char *reason; /* static text */
    uint32_t i, j;      /* rows of the table */
    bool error;         /* wrong at the threshold */
    double score, other_score;
    uint64_t sets; /* of a subject that falls apart: sets of samples that match among themselves */
    uint64_t rank; /* by which items are ordered, lowest first */
} assay_work_item;

typedef struct {
    assay_work_kind kind;
    size_t release, other;  /* indices; other is release where there is none */
    uint64_t found;         /* that there are; items are the first of them */
    assay_work_item *items; /* [count] */
    size_t count;
} assay_work_list;

typedef struct {
    const assay_evidence *evidence; /* [release_count], borrowed */
    size_t release_count;
    assay_deployment deployment;
    double *thresholds;     /* [release_count] */
    double *mated_medians;  /* [release_count]; NaN without mated scores */
    uint64_t limit;         /* items of a list */
    assay_work_list *lists; /* [list_count] */
    size_t list_count, list_capacity;
} assay_worklist;

/* Lists of each release, and of each earlier release beside the last. deployment both NaN:
 * assay_deployment_choose() of the last. ASSAY_USAGE where scores came without samples, a tail does
 * not reach its threshold, or releases are not of the same comparisons. evidence must outlive *out.
 */
assay_status assay_worklist_make(const assay_evidence *evidence, size_t count,
                                 const assay_deployment *deployment, uint64_t limit,
                                 assay_worklist *out) ASSAY_MUST_CHECK;
void assay_worklist_free(assay_worklist *worklist); /* takes a zeroed one */

/* DIR/worklists.json with everything, and a CSV for each kind; each written aside and then
 * published, the JSON last. Until then its schema is assay-worklists/unfinished. */
assay_status assay_worklist_write(const assay_worklist *worklist,
                                  const char *directory) ASSAY_MUST_CHECK;

#endif
