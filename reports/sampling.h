/* sampling -- the subjects behind one evidence, as intervals see them: who took part in which
 * comparisons, and whose false matches and misses lie at or beyond a threshold. */
#ifndef ASSAY_REPORTS_SAMPLING_H
#define ASSAY_REPORTS_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/containers.h"
#include "reports/intervals.h"

typedef struct assay_sampling assay_sampling;

/* Why there is no interval where nobody knows whose comparisons are whose. */
#define ASSAY_NO_SUBJECTS "dependence unknown: the scores came without subject ids"
#define ASSAY_NO_SUBJECTS_SENTENCE "Dependence unknown: the scores came without subject ids."

/* roles, enrolled and attempted are [row_count] and are copied; same lists the pairs of one
 * subject. evidence must outlive *out. Memory: about 12 bytes for each score of the tail. */
assay_status assay_sampling_open(const assay_evidence *evidence, const uint8_t *roles,
                                 const uint8_t *enrolled, const uint8_t *attempted,
                                 const assay_same_subject *same,
                                 assay_sampling **out) ASSAY_MUST_CHECK;
void assay_sampling_close(assay_sampling *sampling); /* takes NULL */

/* Whose error a mated comparison is: the probe's, the later capture, or where neither is known to
 * be later the row that comes later. */
static inline uint32_t assay_probe_of(uint8_t direction, uint32_t i, uint32_t j) {
    return direction == ASSAY_DIRECTION_J ? i : j;
}

/* One threshold. A reason says why an error has no interval there, NULL where it has. */
typedef struct {
    double threshold;
    uint64_t matches; /* of the tail, at or above it; where fmr_reason is NULL */
    uint64_t matched; /* mated comparisons at or above it */
    double set_for;   /* FMR that it was set for on these comparisons; NaN where it was given */
    const char *fmr_reason, *fnmr_reason;
} assay_cut;

typedef struct {
    assay_interval fmr, fnmr;   /* of completed comparisons */
    assay_interval gfmr, gfnmr; /* of attempted ones */
    assay_interval subject_fnmr;
} assay_point_intervals;

/* out is [count]; where sampling is NULL there are no subjects, and each interval says so. FNMR at
 * a threshold that was set for an FMR carries the threshold's own error; where no false match is
 * left at it, and so nothing shows that error, it is taken as given. */
assay_status assay_sampling_points(const assay_sampling *sampling, const assay_cut *cuts,
                                   size_t count, assay_point_intervals *out) ASSAY_MUST_CHECK;
/* Failure to enrol, of all samples that reached the algorithm. */
assay_status assay_sampling_enrolment(const assay_sampling *sampling,
                                      assay_interval *out) ASSAY_MUST_CHECK;

/* Group of a mated comparison of the rows i and j. */
typedef uint32_t (*assay_mated_group)(const void *context, uint32_t i, uint32_t j, uint32_t probe);

/* Samples by group: group_of_row is [row_count]. */
typedef struct {
    const uint32_t *group_of_row;
    uint32_t groups;
    bool between;                  /* pairs of different groups are cells too */
    uint32_t alike;                /* not 0: the one cell holds pairs of two samples of one group,
                                      whichever of the first so many it is */
    assay_mated_group mated_group; /* NULL: that of the probe */
    const void *context;
} assay_partition;

/* Number of cells: 1 where alike, else groups, or where between, groups (groups + 1) / 2. */
uint64_t assay_partition_cells(const assay_partition *partition);
/* Cell of the groups a and b in either order; UINT64_MAX where it is none. */
uint64_t assay_partition_cell(const assay_partition *partition, uint32_t a, uint32_t b);

typedef struct {
    double low, high; /* NaN where there is no interval */
} assay_limits;

/* Each array is the caller's and wholly written; those that may be NULL are not wanted then. */
typedef struct {
    assay_interval *fmr;          /* [cells][count] */
    assay_interval *fnmr, *gfnmr; /* [groups][count], the threshold taken as given */
    assay_interval *fte;          /* [groups] */
    uint64_t *trials;             /* [cells] completed non-mated comparisons; may be NULL */
    /* Limits at other levels, of FMR within groups and of FNMR: [groups][count]; may be NULL */
    assay_limits *fmr_limits, *fnmr_limits;
    double fmr_alpha, fnmr_alpha;
} assay_group_intervals;
assay_status assay_sampling_groups(const assay_sampling *sampling, const assay_partition *partition,
                                   const assay_cut *cuts, size_t count,
                                   const assay_group_intervals *out) ASSAY_MUST_CHECK;

/* FMR of the one cell of a partition that is alike; each array is [count]. errors is 0 where a cut
 * gives a reason. */
assay_status assay_sampling_alike(const assay_sampling *sampling, const assay_partition *partition,
                                  const assay_cut *cuts, size_t count, uint64_t *out_trials,
                                  uint64_t *out_errors, assay_interval *out) ASSAY_MUST_CHECK;

#endif
