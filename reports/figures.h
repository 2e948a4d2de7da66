/* figures -- every number that is reported of one release, computed from its evidence alone.
 * METRICS.md has each one's formula, convention and edge rule. */
#ifndef ASSAY_REPORTS_FIGURES_H
#define ASSAY_REPORTS_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/containers.h"
#include "reports/coarse.h"
#include "reports/grouping.h"
#include "reports/inequity.h"
#include "reports/rates.h"
#include "reports/reach.h"
#include "reports/sampling.h"

/* Why there is none of many figures where the evidence is of score lists alone. */
#define ASSAY_NO_SAMPLES "the scores came without samples"
#define ASSAY_NO_ENROLMENT "the scores came without word of who was not enrolled"

#define ASSAY_FEW_ERRORS 30u       /* under so many errors a figure is not to be relied on */
#define ASSAY_HEADLINE_ERRORS 100u /* false matches that leave something to see by group */
#define ASSAY_FEW_CELL_ERRORS 10u  /* under so many a cell of the heat map is grey */
#define ASSAY_FEW_SUBJECTS 30u     /* groups of fewer subjects are too small to judge */
#define ASSAY_TOP_SUBJECTS 5u
#define ASSAY_GROUP_PAIRS_MAX 64u /* groups of an attribute whose pairs are still reported */

typedef enum { ASSAY_POINT_FMR_TARGET = 0, ASSAY_POINT_THRESHOLD } assay_point_kind;
typedef enum {
    ASSAY_THRESHOLD_EXACT = 0, /* an observed score, or just above the top one */
    ASSAY_THRESHOLD_COARSE,    /* a conservative edge of the histogram of all comparisons */
    ASSAY_THRESHOLD_GIVEN,
} assay_threshold_source;
const char *assay_threshold_source_name(assay_threshold_source source);

/* One threshold and its rates over everybody. */
typedef struct {
    assay_point_kind kind;
    double fmr_target; /* NaN where the threshold was given */
    double threshold;  /* NaN where reason says why there is none */
    const char *reason;
    assay_threshold_source source;
    /* A target that these comparisons can show: one of them at least matches. Where none does, as
     * when the target allows none, the threshold stands just above the highest score and
     * reached_reason says why. True where the threshold was given, false where there is none. */
    bool reached;
    const char *reached_reason;
    bool in_tail;          /* the tail holds every false match: groups can be counted */
    uint64_t tail_matches; /* false matches in the tail */
    /* Where it does not, or the threshold is coarse: the tail that would, and the same in words,
     * the reason of what is not given because of it. */
    assay_tail_need need;
    char beyond_tail[ASSAY_NEED_SIZE];
    /* Where fmr is coarse: errors is the most that there can be, fmr_fewest the least. */
    assay_figure_source fmr_source;
    uint64_t fmr_fewest;
    assay_rate fmr, fnmr;   /* completed comparisons */
    assay_rate gfmr, gfnmr; /* attempted ones: without a template there is no match */
    double subject_fnmr;    /* mean over subjects of their own FNMR; NaN where there is none */
    assay_point_intervals interval; /* of each of these rates */
} assay_operating_point;

typedef enum { ASSAY_ERROR_FMR = 0, ASSAY_ERROR_FNMR } assay_error_kind;
#define ASSAY_ERROR_KINDS 2
const char *assay_error_kind_name(assay_error_kind kind); /* "FMR", "FNMR" */

/* Whether a group's rate is above that of the other groups (differentials.h). */
typedef enum {
    ASSAY_STANDING_NONE = 0, /* the group is not among those that are judged */
    ASSAY_STANDING_WORSE,
    ASSAY_STANDING_WITHIN,
    ASSAY_STANDING_OPEN, /* too little data to say either */
} assay_standing;
const char *assay_standing_name(assay_standing standing); /* "WORSE", "NOT ENOUGH DATA" */
typedef struct {
    assay_standing standing;
    double ratio;    /* to the geometric mean of the other groups, on counts over design effects */
    double upper;    /* limit of the ratio; all of a report hold together */
    double p;        /* that the ratio is above 1, adjusted for all tests of the report */
    double p_beyond; /* that it is above the limit of the report, adjusted alike */
    bool beyond;     /* p_beyond says so */
} assay_group_verdict;

typedef struct {
    assay_rate fmr, fnmr, gfnmr;
    assay_interval fmr_interval, fnmr_interval, gfnmr_interval;
    assay_limits limits[ASSAY_ERROR_KINDS]; /* that hold together for all judged groups */
    assay_group_verdict verdicts[ASSAY_ERROR_KINDS];
} assay_group_point;

/* How far apart the judged groups are in one error. */
typedef struct {
    uint32_t judged;   /* groups that are large enough */
    uint32_t left_out; /* real values that are not, or whose rate is not known */
    assay_inequity value, shrunk;
    assay_inequity_range range;
    assay_inequity_chance chance;
    const char *reason;        /* there is nothing of it, or NULL */
    const char *shrunk_reason; /* no shrunken value, or NULL */
} assay_error_inequity;

/* Of one operating point. */
typedef struct {
    assay_error_inequity errors[ASSAY_ERROR_KINDS];
    assay_joint_inequity joint, joint_shrunk, joint_least, joint_most;
    assay_joint_chance joint_chance;
    const char *joint_reason;
    bool permuted; /* labels dealt anew, FNMR of attributes of subjects */
    double permutation_p;
    uint64_t permutation_deals;
    bool permutation_exact;
} assay_differential;

typedef struct {
    uint16_t code;
    const char *label; /* borrowed from the evidence */
    uint64_t subjects, samples, excluded;
    uint64_t mated_subjects; /* with at least one completed mated comparison */
    assay_rate fte;
    assay_interval fte_interval;
    assay_group_point *points; /* [point_count]; fmr is within the group */
} assay_group;

typedef struct {
    uint32_t a, b;                /* indices of groups, a <= b */
    assay_rate *fmr;              /* [point_count] */
    assay_interval *fmr_interval; /* [point_count] */
} assay_group_pair;

typedef struct {
    assay_grouping grouping;
    const assay_attribute *attribute; /* grouping.attribute */
    assay_group *groups;              /* codes with a sample: real values, then missing, … */
    uint32_t group_count;
    assay_group_pair *pairs; /* all a <= b; none where pairs_reason is given */
    uint32_t pair_count;
    const char *pairs_reason;
    uint32_t real_groups;              /* the first so many are of real values */
    assay_rate *alike;                 /* [point_count] FMR of pairs of one group, of real values */
    assay_interval *alike_interval;    /* [point_count] */
    assay_differential *differentials; /* [point_count]; NULL before assay_differentials_compute */
} assay_attribute_figures;

typedef struct {
    uint64_t samples, subjects;
    uint64_t enrolled, refused, failed, excluded, not_tried;
    assay_rate fte;
    assay_interval fte_interval;
    uint64_t mated_attempted, non_mated_attempted; /* with those that gave no score */
    uint64_t mated_subjects, top_mated; /* top_mated: pairs of the ASSAY_TOP_SUBJECTS with most */
    uint64_t mated_same_session, mated_session_unknown;
    uint64_t identical_images;  /* pairs of enrolled samples of different subjects with the same
                                   known image digest: one of two labels is wrong */
    uint64_t pairs_of_enrolled; /* n (n - 1) / 2 of enrolled samples: the sum of the relations */
    assay_whole_figures whole;
    struct {
        char auc[ASSAY_NEED_SIZE], eer[ASSAY_NEED_SIZE];
    } * needs; /* reasons in whole, where the tail is why; NULL where it is not */
    assay_operating_point *points; /* targets, then thresholds, as the protocol names them */
    uint32_t point_count;
    assay_attribute_figures *attributes;
    uint32_t attribute_count;
    assay_coarse coarse;
    assay_score_list mated, tail; /* borrowed from the evidence */
    assay_sampling *sampling;     /* for intervals at further thresholds; NULL without samples */
} assay_figures;

/* attributes[count] by name or crossed ("sex*age_band"), all where NULL; ASSAY_USAGE for a name
 * that the evidence has not, and ASSAY_DISAGREES where the evidence contradicts itself. evidence
 * must outlive *out. */
assay_status assay_figures_compute(const assay_evidence *evidence, const char *const *attributes,
                                   size_t count, assay_figures *out) ASSAY_MUST_CHECK;
/* The same with the option of grouping.h. */
assay_status assay_figures_compute_by(const assay_evidence *evidence, const char *const *attributes,
                                      size_t count, bool mean_of_pair,
                                      assay_figures *out) ASSAY_MUST_CHECK;
/* The threshold of a point as intervals want it. */
assay_cut assay_point_cut(const assay_figures *figures, const assay_operating_point *point);
void assay_figures_free(assay_figures *figures); /* takes a zeroed one */

/* A group of a real value with ASSAY_FEW_SUBJECTS subjects (FNMR: with mated pairs): measures and
 * tests are of these. */
bool assay_group_judged(const assay_attribute_figures *attribute, uint32_t group,
                        assay_error_kind kind);
/* Index of the pair of groups a and b, in either order. */
uint32_t assay_group_pair_index(const assay_attribute_figures *attribute, uint32_t a, uint32_t b);

#endif
