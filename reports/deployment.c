/* deployment -- the one threshold that people will use (deployment.h). */
#include "reports/deployment.h"

#include <math.h>

#include "reports/figures.h"

assay_status assay_deployment_choose(const assay_evidence *evidence, assay_deployment *out) {
    const assay_protocol *protocol = &evidence->protocol;
    *out = (assay_deployment){(double)NAN, (double)NAN};
    if (protocol->threshold_count) {
        out->threshold = protocol->thresholds[0];
        return ASSAY_OK;
    }
    if (!protocol->fmr_target_count)
        return assay_fail(ASSAY_USAGE,
                          "the evidence of %s %s names no target FMR and no threshold: say which "
                          "one will be used, --fmr X or --threshold T",
                          evidence->release, evidence->version);
    out->fmr = protocol->fmr_targets[0];
    for (uint32_t n = 1; n < protocol->fmr_target_count; ++n)
        if (assay_allowed_errors(protocol->fmr_targets[n], evidence->non_mated) >= ASSAY_FEW_ERRORS)
            out->fmr = fmin(out->fmr, protocol->fmr_targets[n]);
    return ASSAY_OK;
}

assay_evidence assay_deployment_apply(const assay_deployment *deployment,
                                      const assay_evidence *evidence) {
    assay_evidence out = *evidence;
    out.protocol.fmr_target_count = out.protocol.threshold_count = 0;
    if (isnan(deployment->fmr)) {
        out.protocol.thresholds = (double *)&deployment->threshold;
        out.protocol.threshold_count = 1;
    } else {
        out.protocol.fmr_targets = (double *)&deployment->fmr;
        out.protocol.fmr_target_count = 1;
    }
    return out;
}

void assay_deployment_describe(const assay_deployment *deployment, assay_text *out) {
    char shown[ASSAY_NUMBER_SIZE];
    if (isnan(deployment->fmr))
        assay_text_appendf(out, "threshold %s as given",
                           assay_print_double(shown, deployment->threshold));
    else
        assay_text_appendf(out, "FMR %s on this set", assay_print_double(shown, deployment->fmr));
}
