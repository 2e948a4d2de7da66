/* decision -- the rules of the release gate (decision.h). */
#include "reports/decision.h"

#include <math.h>

const char *assay_state_name(assay_state state) {
    static const char *const names[] = {[ASSAY_STATE_PASS_SUPERIOR] =
                                            "passes, and is better",
                                        [ASSAY_STATE_PASS] = "passes",
                                        [ASSAY_STATE_FAIL] = "fails",
                                        [ASSAY_STATE_NOT_ENOUGH] = "not enough data",
                                        [ASSAY_STATE_LEANS_WORSE] = "not enough data, leans worse"};
    return names[state];
}

const char *assay_verdict_name(assay_verdict verdict) {
    static const char *const names[] = {[ASSAY_VERDICT_PASS] = "PASS",
                                        [ASSAY_VERDICT_FAIL] = "FAIL",
                                        [ASSAY_VERDICT_NOT_ENOUGH] = "NOT ENOUGH DATA"};
    return names[verdict];
}

assay_state assay_decide_margin(double low_one, double high_one, double margin) {
    if (high_one < 0) return ASSAY_STATE_PASS_SUPERIOR;
    if (high_one < margin) return ASSAY_STATE_PASS;
    if (low_one > margin) return ASSAY_STATE_FAIL;
    return low_one > 0 ? ASSAY_STATE_LEANS_WORSE : ASSAY_STATE_NOT_ENOUGH;
}

assay_state assay_decide_limit(double low_one, double value, double high_one, double limit) {
    if (high_one <= limit) return ASSAY_STATE_PASS;
    if (low_one > limit) return ASSAY_STATE_FAIL;
    return value > limit ? ASSAY_STATE_LEANS_WORSE : ASSAY_STATE_NOT_ENOUGH;
}

bool assay_state_passes(assay_state state) {
    return state == ASSAY_STATE_PASS_SUPERIOR || state == ASSAY_STATE_PASS;
}

assay_verdict assay_decide(const assay_state *states, const double *fail_p, size_t count,
                           double alpha) {
    double smallest = 1;
    bool all = true;
    for (size_t n = 0; n < count; ++n) {
        all = all && assay_state_passes(states[n]);
        smallest = fmin(smallest, fail_p[n]);
    }
    if (all) return ASSAY_VERDICT_PASS;
    /* Holm's smallest adjusted p is the smallest one times their number. */
    return smallest * (double)count < alpha ? ASSAY_VERDICT_FAIL : ASSAY_VERDICT_NOT_ENOUGH;
}
