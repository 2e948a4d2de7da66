/* deployed -- the options --fmr and --threshold of commands that judge at one threshold. */
#ifndef ASSAY_HARNESS_CLI_DEPLOYED_H
#define ASSAY_HARNESS_CLI_DEPLOYED_H

#include <math.h>
#include <stddef.h>

#include "datasets/base/status.h"
#include "datasets/base/text.h"
#include "reports/deployment.h"

/* Either may be NULL, not given; ASSAY_USAGE where both are, or where one is no such number. */
static inline assay_status assay_read_deployment(const char *fmr, const char *threshold,
                                                 assay_deployment *out) {
    *out = (assay_deployment){(double)NAN, (double)NAN};
    if (fmr != NULL && threshold != NULL)
        return assay_fail(ASSAY_USAGE, "--fmr and --threshold exclude each other: one threshold is "
                                       "used");
    if (fmr != NULL && (!assay_parse_double(fmr, &out->fmr) || !(out->fmr > 0 && out->fmr <= 1)))
        return assay_fail(ASSAY_USAGE, "--fmr %s: expected a rate above 0 and up to 1", fmr);
    if (threshold != NULL && !assay_parse_double(threshold, &out->threshold))
        return assay_fail(ASSAY_USAGE, "--threshold %s: expected a number", threshold);
    return ASSAY_OK;
}

#endif
