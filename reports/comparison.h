/* comparison -- the release that is judged beside an earlier one, on the same comparisons: what
 * differs, what happens at the old threshold, and on which comparisons they disagree. */
#ifndef ASSAY_REPORTS_COMPARISON_H
#define ASSAY_REPORTS_COMPARISON_H

#include "reports/changes.h"
#include "reports/pages.h"
#include "reports/pairing.h"

/* At one threshold of each release, everybody or one group. */
typedef struct {
    assay_difference gfnmr, fnmr; /* later less earlier */
    double swap;                  /* p of the swap test; NaN where it is too much work */
    assay_ratio fmr;              /* later over earlier */
} assay_compared;

/* The later release at a threshold of the earlier one. */
typedef struct {
    const assay_operating_point *from; /* of the earlier release */
    assay_rate fmr, fnmr, gfnmr;
    assay_point_intervals interval;
    char beyond_tail[ASSAY_NEED_SIZE]; /* the reason of fmr where the tail is why */
} assay_transfer;

typedef struct {
    const assay_attribute_figures *attribute; /* of the later release */
    const assay_group *group;
    assay_compared at; /* the headline's thresholds */
} assay_compared_group;

/* References of one of the two against probes of the other, at the headline's threshold of the
 * later and of the earlier release (one where they are the same). */
typedef struct {
    const assay_report_release *release;
    assay_transfer at[2];
    unsigned count;
} assay_mixed;

typedef struct assay_release_comparison {
    const assay_report_release *earlier, *later;
    const char *fault;      /* why they cannot be compared (static text), and then nothing below */
    uint32_t *points;       /* [point_count] indices of the earlier release's points */
    uint32_t *later_points; /* [point_count] the later release's of the same target or threshold */
    assay_compared *compared; /* [point_count] */
    uint32_t point_count;
    assay_transfer *transfers; /* [transfer_count] */
    uint32_t transfer_count;
    assay_compared_group *groups; /* [group_count] */
    uint32_t group_count;
    assay_difference fte;
    assay_score_change scores[ASSAY_SCORE_CHANGES];
    assay_effort effort_earlier, effort_later;
    assay_mixed *mixed; /* [mixed_count] */
    size_t mixed_count;
    bool has_headline;                             /* both have one, and what follows is of it */
    uint64_t mated_only_earlier, mated_only_later; /* missed by one of them */
    uint64_t matches_only_earlier, matches_only_later; /* matched by one of them */
    assay_pairing pairing;
} assay_release_comparison;

/* earlier and later must outlive *out. */
assay_status assay_comparison_create(const assay_report_release *earlier,
                                     const assay_report_release *later,
                                     assay_release_comparison *out) ASSAY_MUST_CHECK;
void assay_comparison_free(assay_release_comparison *comparison); /* takes a zeroed one */

/* Whether mixed, evidence between two releases, is of a and b. */
bool assay_mixed_belongs(const assay_evidence *mixed, const assay_evidence *a,
                         const assay_evidence *b);
/* Takes up those of mixed[count] that are of the two; they must outlive the comparison. */
assay_status assay_comparison_mix(assay_release_comparison *comparison,
                                  const assay_report_release *mixed, size_t count) ASSAY_MUST_CHECK;
/* Rates of release at the threshold of a point of another one, without intervals, and what they
 * want. */
void assay_transfer_to(const assay_report_release *release, const assay_operating_point *from,
                       assay_transfer *out, assay_cut *cut);

/* Every comparison on which the two disagree at the headline: mated ones that one of them misses,
 * then non-mated ones that one of them matches, highest scores first. */
typedef assay_status (*assay_discordant_visit)(void *context, bool mated, uint32_t i, uint32_t j,
                                               double earlier, double later, bool earlier_errs);
assay_status assay_comparison_discordant(const assay_release_comparison *comparison,
                                         assay_discordant_visit visit,
                                         void *context) ASSAY_MUST_CHECK;

#endif
