/* plan -- which templates are compared, in which order, and as what: from a sample table and a
 * protocol to the integers that a backend takes. */
#ifndef ASSAY_HARNESS_PLAN_H
#define ASSAY_HARNESS_PLAN_H

#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/containers.h"
#include "datasets/protocol.h"
#include "datasets/sample_table.h"
#include "kernels/backend.h"

#define ASSAY_COMBINATIONS_MAX 64u

typedef struct {
    uint8_t *roles;    /* [row_count], assay_role */
    uint64_t enrolled; /* rows that have a template */
    uint64_t count;    /* places: enrolled rows that take part */
    uint32_t *row;     /* [count] row of a place; sorted by (side, combination, subject, row) */
    uint32_t *place;   /* [row_count] place of a row; UINT32_MAX where it takes no part */
    uint32_t *subject; /* [count] */
    uint32_t *group;   /* [count] combination */
    uint8_t *side;     /* [count] 0 all, 1 references, 2 probes */
    uint32_t combination_count; /* >= 1 */
    uint16_t *combinations;     /* [combination_count][histogram_by_count], ascending */
    assay_same_subject same;    /* pairs of one subject whose rows are both enrolled */
    uint64_t
        relations[ASSAY_RELATION_COUNT]; /* expected: pairs of enrolled rows by what they are */
    uint64_t tail_limit;                 /* K of ARCHITECTURE.md */
} assay_plan;

/* ASSAY_USAGE where histogram_by names no attribute or makes more than ASSAY_COMBINATIONS_MAX
 * combinations, or where table is empty. Fewer than two places are a plan without comparisons: a
 * release that enrols nobody has a result, too. */
assay_status assay_plan_make(const assay_sample_table *table, const assay_protocol *protocol,
                             assay_plan *out) ASSAY_MUST_CHECK;
void assay_plan_free(assay_plan *plan); /* takes a zeroed one */

/* What identifies the tiles of a comparison, so that partial evidence fits no other. band is the
 * number of templates of a band where the set is compared by bands, else 0. */
assay_status assay_plan_digest(const assay_plan *plan, const assay_digest *templates,
                               const assay_protocol *protocol, const char *comparator,
                               uint64_t band, assay_digest *out) ASSAY_MUST_CHECK;

/* K for M non-mated comparisons: min(max(10 * largest target * M, 2^20), cap). */
uint64_t assay_plan_tail_limit(const assay_protocol *protocol, uint64_t non_mated);

#endif
