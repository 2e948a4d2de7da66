/* pairing -- two releases on the same comparisons of the same people, subject by subject: what
 * paired.h needs, made from the evidence of both. */
#ifndef ASSAY_REPORTS_PAIRING_H
#define ASSAY_REPORTS_PAIRING_H

#include <stdint.h>

#include "reports/paired.h"
#include "reports/sampling.h"

/* Why two evidences are not of the same comparisons (static text): another data set, or another
 * protocol; NULL where they are. Targets, given thresholds and histograms may differ. */
const char *assay_pairing_fault(const assay_evidence *a, const assay_evidence *b);

/* A mated comparison that reached both releases. Ranks are in the evidence's mated scores,
 * ASSAY_NO_RANK where one of its samples has no template. */
#define ASSAY_NO_RANK UINT64_MAX
typedef struct {
    uint64_t rank_a, rank_b;
    uint32_t i, j, probe, subject;
} assay_paired_trial;

typedef struct {
    const assay_sampling *a, *b;
    assay_paired_trial *trials; /* [trial_count] by (i, j) */
    uint64_t trial_count;
    uint64_t only_a, only_b; /* mated comparisons that were attempted by one release alone */
} assay_pairing;

/* a and b must outlive *out, and assay_pairing_fault() must have said NULL. */
assay_status assay_pairing_open(const assay_sampling *a, const assay_sampling *b,
                                assay_pairing *out) ASSAY_MUST_CHECK;
void assay_pairing_close(assay_pairing *pairing); /* takes a zeroed one */

/* One group at one threshold of each release. Arrays are by the place of a subject, [subjects],
 * everybody's whatever the group. */
typedef struct {
    size_t subjects;
    /* Mated comparisons of the group, and errors of A, of B, of one of them alone. */
    const double *attempted, *missed_a, *missed_b, *attempted_only_a, *attempted_only_b;
    const double *completed, *completed_only_a, *completed_only_b; /* by both */
    /* Its samples that reached both, and failures to enrol. */
    const double *tried, *failed_a, *failed_b, *failed_only_a, *failed_only_b;
    /* What the thresholds' own error adds; NULL where both are taken as given. */
    const assay_threshold_shift *attempted_shift, *completed_shift;
    const assay_threshold_error *attempted_error_b; /* of B's own rate, NULL likewise */
    /* Non-mated comparisons within the group. */
    assay_dyad_sums fmr_a, fmr_b;
    assay_interval fmr_interval_a, fmr_interval_b;
    assay_dyad_products products;
    const char *mated_reason; /* why there is no difference of FNMR, or NULL */
} assay_paired_cell;

assay_difference assay_paired_gfnmr(const assay_paired_cell *cell, double alpha);
assay_difference assay_paired_fnmr(const assay_paired_cell *cell, double alpha);
assay_difference assay_paired_fte(const assay_paired_cell *cell, double alpha);
/* Of B alone, over what both were given. */
assay_interval assay_paired_gfnmr_of_b(const assay_paired_cell *cell, double alpha);
assay_interval assay_paired_fte_of_b(const assay_paired_cell *cell, double alpha);
/* Of the generalized FNMR, by subjects. */
assay_status assay_paired_swap_p(const assay_paired_cell *cell, double *out) ASSAY_MUST_CHECK;

/* Shows every group of partition (between is not looked at) to visit, which is given cells that
 * live until it returns. A mated comparison belongs to its probe's group. */
typedef assay_status (*assay_pairing_visit)(void *context, uint32_t group,
                                            const assay_paired_cell *cell);
assay_status assay_pairing_walk(const assay_pairing *pairing, const assay_partition *partition,
                                const assay_cut *cut_a, const assay_cut *cut_b,
                                assay_pairing_visit visit, void *context) ASSAY_MUST_CHECK;
/* The same of everybody. */
assay_status assay_pairing_all(const assay_pairing *pairing, const assay_cut *cut_a,
                               const assay_cut *cut_b, assay_pairing_visit visit,
                               void *context) ASSAY_MUST_CHECK;

#endif
