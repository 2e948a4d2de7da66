/* decision -- from one-sided bounds to a verdict: pure rules of the release gate (METRICS.md).
 *
 * Each criterion is judged at level alpha by itself. PASS needs all of them (intersection-union: no
 * correction is due). FAIL needs one that fails after Holm's correction over all of them.
 * Everything else is too little data to say. */
#ifndef ASSAY_REPORTS_DECISION_H
#define ASSAY_REPORTS_DECISION_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    ASSAY_STATE_PASS_SUPERIOR = 0, /* better: the upper bound of the difference is below 0 */
    ASSAY_STATE_PASS,              /* within the margin or limit */
    ASSAY_STATE_FAIL,              /* the lower bound is beyond it */
    ASSAY_STATE_NOT_ENOUGH,
    ASSAY_STATE_LEANS_WORSE, /* not enough, but worse than the reference, or than the limit */
} assay_state;
const char *assay_state_name(assay_state state); /* "passes, and is better", … */

typedef enum { ASSAY_VERDICT_PASS = 0, ASSAY_VERDICT_FAIL, ASSAY_VERDICT_NOT_ENOUGH } assay_verdict;
const char *assay_verdict_name(assay_verdict verdict); /* PASS, FAIL, NOT ENOUGH DATA */

/* One-sided bounds of a difference (candidate less reference) against a margin. */
assay_state assay_decide_margin(double low_one, double high_one, double margin);
/* One-sided bounds of a rate or ratio against a limit; value is the rate itself. */
assay_state assay_decide_limit(double low_one, double value, double high_one, double limit);
bool assay_state_passes(assay_state state);

/* states[count] and the p of "this criterion is beyond its margin or limit". */
assay_verdict assay_decide(const assay_state *states, const double *fail_p, size_t count,
                           double alpha);

#endif
