/* planned -- what `assay plan` found, and its two ways of printing it. */
#ifndef ASSAY_HARNESS_CLI_PLANNED_H
#define ASSAY_HARNESS_CLI_PLANNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "reports/planning.h"

#define PLAN_PROPENSITIES 4 /* columns of c^2: the one to use first, then 0.5, 2 and 15 */

/* Subjects for one target FMR. */
typedef struct {
    double fmr;
    double subjects[PLAN_PROPENSITIES];
    double no_match, no_match_guaranteed;
} plan_fmr;

/* What comparing so many subjects takes. */
typedef struct {
    const char *what; /* static: which statement needs them */
    double fmr;       /* of which FMR, or NaN */
    double subjects;
    const char *reason; /* why it is not known what it takes, or NULL */
    uint64_t templates, comparisons, memory_bytes, disk_bytes;
    double seconds; /* NaN: the speed is not known */
} plan_cost;

typedef struct {
    double relative, alpha, power;
    const char *propensity_source, *assumed_source; /* of c^2; of the rates and effects below */
    double propensities[PLAN_PROPENSITIES];
    size_t propensity_count;
    plan_fmr *fmrs; /* [fmr_count] */
    size_t fmr_count;
    double margin, true_difference, discordance, design_effect, mated_each, margin_subjects;
    double ratio, base, groups, ratio_subjects; /* ratio_subjects in each group */
    uint64_t samples, length;
    const char *backend;
    unsigned threads;
    double rate; /* pairs a second, or NaN */
    const char *rate_source;
    plan_cost *costs; /* [cost_count] */
    size_t cost_count;
    const char *evidence; /* its path, or NULL */
    const char *release, *version;
    assay_planning at_hand; /* where evidence is given */
} plan_result;

assay_status assay_plan_print_json(const plan_result *result) ASSAY_MUST_CHECK;
assay_status assay_plan_print_text(const plan_result *result) ASSAY_MUST_CHECK;

#endif
