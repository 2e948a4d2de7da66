/* sampling_private -- what sampling.c and sampling_cells.c share. */
#ifndef ASSAY_REPORTS_SAMPLING_PRIVATE_H
#define ASSAY_REPORTS_SAMPLING_PRIVATE_H

#include "reports/sampling.h"

#define SAMPLING_NO_RANK                                                                           \
    UINT64_MAX /* a mated comparison without two templates: an error anywhere */

/* Pairs of rows as they came, and their order by (lower subject, higher subject, as they came). */
typedef struct {
    const assay_row_pair *pairs; /* [count], owned by the sampling */
    uint32_t *order;             /* [count] */
    uint64_t count;
} sampling_pairs;

/* An attempted mated comparison. */
typedef struct {
    uint64_t rank; /* in evidence->mated, or SAMPLING_NO_RANK */
    uint32_t subject, i, j, probe;
} sampling_trial;

struct assay_sampling {
    const assay_evidence *evidence;
    assay_score_list mated, tail;
    uint8_t *roles, *enrolled, *attempted; /* [row_count] */
    uint32_t *rows;                        /* [row_count] rows by subject */
    assay_row_pair *tail_pairs, *completed_pairs, *attempted_pairs;
    sampling_pairs matches;          /* the tail */
    sampling_pairs listed_completed; /* of a pair list: comparisons of different subjects */
    sampling_pairs listed_attempted; /* the same */
    assay_row_pair *failed_pairs;
    sampling_pairs failed;  /* comparisons of different subjects that failed */
    sampling_trial *trials; /* [trial_count] by subject */
    uint64_t trial_count;
    bool all_completed; /* whatever was attempted was completed: both kinds of trials are one */
};

static inline bool sampling_is_list(const assay_sampling *sampling) {
    return sampling->evidence->protocol.kind == ASSAY_PROTOCOL_PAIR_LIST;
}

/* A subject's samples in one group. */
typedef struct {
    uint32_t subject;
    uint32_t references, probes;                     /* enrolled; who is neither is a reference */
    uint32_t attempted_references, attempted_probes; /* enrolled or failed to */
    uint32_t tried, failed;                          /* whatever the role */
} sampling_member;

/* A partition with everything by group or by cell. */
typedef struct {
    const assay_sampling *sampling;
    assay_partition partition;
    sampling_member *members; /* by (group, subject) */
    uint64_t *member_start;   /* [groups + 1] */
    uint32_t *trials;         /* indices of sampling->trials by (group, subject) */
    uint64_t *trial_start;    /* [groups + 1] */
    uint32_t *matches;        /* indices of the tail by (cell, subjects, rank) */
    uint64_t *match_start;    /* [cells + 1] */
    uint32_t *listed;         /* the same of the list */
    uint64_t *listed_start;
    uint32_t *failed; /* the same of the failed ones, unless of a pair list */
    uint64_t *failed_start;
    uint32_t *place_of; /* [subject_count] places of the members of the cell that is open */
    struct sampling_anchors *anchors; /* [cells] */
} sampling_split;

#define SAMPLING_ANCHORS_MOST 28 /* 30 * 2^27 is more than a tail holds */
struct sampling_anchors {
    uint64_t matches[SAMPLING_ANCHORS_MOST]; /* of the tail, by falling threshold */
    uint32_t count;
};

/* use_attempted: comparisons of a cell are the attempted ones. */
assay_status sampling_split_open(const assay_sampling *sampling, const assay_partition *partition,
                                 bool use_attempted, sampling_split *out) ASSAY_MUST_CHECK;
void sampling_split_close(sampling_split *split); /* takes a zeroed one */

/* The cell of groups a and b: its design, and its false matches down to a falling threshold. */
typedef struct {
    const sampling_split *split;
    uint64_t index;
    assay_dyad_design design;
    assay_holding *holdings;   /* [design.subjects] */
    assay_part_holding *parts; /* of a cell of pairs that are alike */
    uint64_t *part_start;
    assay_listed_dyad *listed; /* of a pair list, or of what failed */
    uint32_t *left;            /* tail indices that are still at or above the threshold */
    uint64_t left_count;
    double *s; /* [design.subjects] s_i of the last sums */
} sampling_cell;
assay_status sampling_cell_open(const sampling_split *split, uint32_t a, uint32_t b,
                                bool use_attempted, sampling_cell *out) ASSAY_MUST_CHECK;
void sampling_cell_close(sampling_cell *cell); /* takes a zeroed one */
/* Sums over the first so many of the tail; matches never rises from call to call. */
assay_dyad_sums sampling_cell_sums(sampling_cell *cell, uint64_t matches);

#endif
