/* differentials -- whom a release fails: how far apart groups are, what chance alone would show,
 * and whether any group is worse than the others (METRICS.md, "Differences between groups"). */
#ifndef ASSAY_REPORTS_DIFFERENTIALS_H
#define ASSAY_REPORTS_DIFFERENTIALS_H

#include "reports/figures.h"

#define ASSAY_WORSE_LIMIT 1.5 /* a ratio up to which a body that sets none is taken to allow */
#define ASSAY_DIFFERENTIAL_DRAWS 4000u /* of what chance alone shows */
#define ASSAY_PERMUTATION_DEALS 1999u

/* Sets the differentials of every attribute and the verdicts of its groups, at every operating
 * point. limit, above 1, is the ratio to the other groups that is judged beside 1. figures are of
 * evidence. Draws and deals are the same whenever they are made. */
assay_status assay_differentials_compute(const assay_evidence *evidence, double limit,
                                         assay_figures *figures) ASSAY_MUST_CHECK;

#endif
