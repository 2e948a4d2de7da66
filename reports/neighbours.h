/* neighbours -- look-alikes: the nearest other people of each sample by a reference release that is
 * not under test, and how often a release takes one of them for another. METRICS.md, "People who
 * resemble each other". */
#ifndef ASSAY_REPORTS_NEIGHBOURS_H
#define ASSAY_REPORTS_NEIGHBOURS_H

#include "datasets/rows.h"
#include "reports/figures.h"

typedef struct {
    uint64_t nearest;      /* people of each sample */
    uint64_t samples;      /* that have anybody to be compared with */
    uint64_t short_of;     /* of them, those of whom fewer are known: evidence keeps no more */
    assay_row_pair *pairs; /* [count] rows i < j, sorted, each once: the closest sample of each */
    uint64_t count;
    assay_digest digest; /* of nearest and the pairs: the same ones for every release */
} assay_neighbours;

/* By the evidence of the reference release, and where it ends by rows that go on from it (NULL:
 * none). Of samples with equal scores the first one is taken. ASSAY_USAGE where the scores came
 * without samples or are of a list of pairs. */
assay_status assay_neighbours_find(const assay_evidence *reference, const assay_rows *rows,
                                   uint64_t nearest, assay_neighbours *out) ASSAY_MUST_CHECK;
void assay_neighbours_free(assay_neighbours *neighbours); /* takes a zeroed one */

/* Why a release cannot be judged on pairs that reference chose (static text), or NULL: it chose
 * them itself, or the comparisons are not the same. */
const char *assay_neighbours_fault(const assay_evidence *reference, const assay_evidence *judged);

/* At one threshold, over the pairs alone. */
typedef struct {
    assay_rate fmr, gfmr; /* of completed comparisons; of attempted ones */
    assay_interval fmr_interval, gfmr_interval;
} assay_neighbour_point;
/* out is [point_count] of figures, which are of this evidence. */
assay_status assay_neighbours_judge(const assay_neighbours *neighbours,
                                    const assay_evidence *evidence, const assay_figures *figures,
                                    assay_neighbour_point *out) ASSAY_MUST_CHECK;

#endif
