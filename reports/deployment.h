/* deployment -- the one threshold that people will use: a number, or the rule FMR = x on this set.
 */
#ifndef ASSAY_REPORTS_DEPLOYMENT_H
#define ASSAY_REPORTS_DEPLOYMENT_H

#include "datasets/base/text.h"
#include "datasets/containers.h"

typedef struct {
    double fmr, threshold; /* one of them; NaN the other */
} assay_deployment;

/* Where nobody named one: the first threshold that evidence was made for; else the lowest of its
 * targets that allows 30 false matches; else its highest target. ASSAY_USAGE where it names none.
 */
assay_status assay_deployment_choose(const assay_evidence *evidence,
                                     assay_deployment *out) ASSAY_MUST_CHECK;
/* evidence whose one operating point is this, the first; borrows from evidence and deployment. */
assay_evidence assay_deployment_apply(const assay_deployment *deployment,
                                      const assay_evidence *evidence);
/* "FMR 0.001 on this set", "threshold 0.42 as given". */
void assay_deployment_describe(const assay_deployment *deployment, assay_text *out);

#endif
