/* policy -- what the release gate asks, as its YAML file says it (configs/README.md, "Policies").
 * It is written and filed before the candidate is scored, and holds everything that decides. */
#ifndef ASSAY_REPORTS_POLICY_H
#define ASSAY_REPORTS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"
#include "datasets/sample_table.h"

/* What is asked of everybody, or of each group. NaN: not asked. Rates and differences are
 * fractions; a margin or ratio is the candidate's against the reference release. */
typedef struct {
    double gfnmr_margin, gfnmr_limit;
    double fmr_limit, fmr_ratio;
    double fte_margin, fte_limit;
} assay_policy_limits;

typedef struct {
    char *path, *name, *title; /* title may be NULL */
    assay_digest digest;       /* of the file's bytes */
    /* The ONE deployment threshold: the rule FMR = fmr_rule on this set, or numbers. */
    double fmr_rule; /* NaN where thresholds are given */
    double threshold_reference, threshold_candidate;
    double alpha;                  /* of each one-sided bound */
    double claimed_fmr, tolerance; /* everybody.fmr_limit is their product */
    assay_policy_limits everybody, groups;
    char **by; /* [by_count] attributes whose groups are judged */
    size_t by_count;
    uint64_t group_minimum; /* subjects under which a group is not judged */
    bool small_listed;      /* such a group is only listed; else there is not enough data */
    double enrolment_seconds, template_bytes; /* NaN: not asked */
    uint64_t minimum_subjects, minimum_mated_subjects, minimum_mated, minimum_non_mated;
    char *subjects_path, *disclosed_path; /* NULL: everybody, nobody */
} assay_policy;

/* ASSAY_USAGE with every fault at its line and column. */
assay_status assay_policy_read(const char *path, assay_policy *out) ASSAY_MUST_CHECK;
void assay_policy_free(assay_policy *policy); /* takes a zeroed one */
/* Whether a criterion compares the candidate with a reference release. */
bool assay_policy_needs_reference(const assay_policy *policy);

/* Who the candidate is judged by: the list's subjects (everybody without a list) less those that
 * were disclosed to the vendor. */
typedef struct {
    uint8_t *keep;              /* [subject_count] of the table */
    uint64_t kept;              /* of them */
    uint64_t disclosed;         /* left out because they were disclosed */
    uint64_t not_listed;        /* left out because the list does not name them */
    uint64_t disclosed_unknown; /* disclosed ids that the data set does not have */
    assay_digest digest;        /* of the kept ids in the order of their bytes */
} assay_policy_subjects;

/* ASSAY_USAGE where the list names an id that table does not have, names one twice, or leaves fewer
 * than two subjects. */
assay_status assay_policy_pick(const assay_policy *policy, const assay_sample_table *table,
                               assay_policy_subjects *out) ASSAY_MUST_CHECK;
void assay_policy_subjects_free(assay_policy_subjects *subjects); /* takes a zeroed one */

#endif
