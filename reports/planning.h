/* planning -- what the set at hand can show, and what of it a larger set may be planned by.
 * METRICS.md, "Planning", has the formulas. */
#ifndef ASSAY_REPORTS_PLANNING_H
#define ASSAY_REPORTS_PLANNING_H

#include <stddef.h>
#include <stdint.h>

#include "reports/deployment.h"

#define ASSAY_PLAN_DISCORDANCE 0.01 /* share of comparisons on which two releases disagree */
#define ASSAY_PLAN_BASE 0.01        /* FNMR of the group that another is compared with */

typedef struct {
    assay_deployment deployment; /* both NaN: assay_deployment_choose() */
    double relative;             /* interval of FMR x from x / (1 + relative) to x (1 + relative) */
    double discordance;          /* NaN: 2 p (1 - p) of the generalized FNMR p of the set */
    double alpha, power;
    const char *const *attributes; /* [attribute_count] whose groups are looked at, or NULL: all */
    size_t attribute_count;
} assay_planning_options;

/* Of everybody, or of a group. A number that there is not is NaN, one out of reach INFINITY. */
typedef struct {
    char *attribute, *group; /* NULL: everybody */
    uint64_t subjects, mated_subjects;
    uint64_t mated,
        non_mated;        /* comparisons: attempted mated, completed non-mated (in the group) */
    double gfnmr;         /* as seen */
    double mated_each;    /* mated comparisons of a subject that has any */
    double design_effect; /* of gfnmr */
    /* Smallest FMR that no false match at all would prove, one-sided at alpha: were comparisons
     * independent; with the clustering seen (NaN where none can be seen); whatever the dependence.
     */
    double bound, bound_seen, bound_guaranteed;
    double fmr;    /* smallest FMR that is measured as narrowly as was asked */
    double margin; /* smallest difference of generalized FNMR that two releases can be held to */
    double ratio;  /* smallest ratio of FNMR to everybody's that would show; NaN for everybody */
} assay_planning_reach;

typedef struct {
    assay_deployment deployment; /* that was used */
    double threshold;            /* NaN where there is none, and reason says why */
    const char *reason;
    double propensity_cv2; /* g N / 4 of who matches others */
    bool propensity_seen;  /* false: too few false matches to see it, and it is the default */
    double discordance;    /* that margins are for */
    double base; /* generalized FNMR of everybody; its upper limit where no error was seen */
    double design_effect, mated_each; /* of everybody */
    assay_planning_reach *reaches;    /* [reach_count], everybody first */
    size_t reach_count;
} assay_planning;

/* ASSAY_USAGE where the scores came without samples, or an attribute is not there. */
assay_status assay_planning_look(const assay_evidence *evidence,
                                 const assay_planning_options *options,
                                 assay_planning *out) ASSAY_MUST_CHECK;
void assay_planning_free(assay_planning *planning); /* takes a zeroed one */

#endif
