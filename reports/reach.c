/* reach -- what a tail can answer, and how far down one would have to go (reach.h). */
#include "reports/reach.h"

#include <math.h>
#include <stdio.h>

#include "datasets/base/text.h"
#include "reports/rates.h"

double assay_tail_floor(const assay_evidence *evidence) {
    if (evidence->tail_complete) return -(double)INFINITY;
    if (evidence->tail_floor == INT64_MAX) return (double)INFINITY;
    return assay_fine_score(evidence, evidence->tail_floor);
}

bool assay_tail_reaches(const assay_evidence *evidence, double threshold) {
    return threshold >= assay_tail_floor(evidence);
}

/* Six digits that are no higher: a floor may be lower than it must, so it can be short. */
static double rounded_down(double value) {
    if (!(fabs(value) > 0)) return value;
    double unit = pow(10, floor(log10(fabs(value))) - 5);
    double short_one = floor(value / unit) * unit;
    char digits[ASSAY_NUMBER_SIZE];
    snprintf(digits, sizeof digits, "%.6g", short_one);
    return assay_parse_double(digits, &short_one) && short_one <= value ? short_one : value;
}

assay_tail_need assay_need_of_target(const assay_evidence *evidence, const assay_coarse *coarse,
                                     double fmr) {
    uint64_t allowed = assay_allowed_errors(fmr, evidence->non_mated);
    uint64_t wanted = allowed < evidence->non_mated ? allowed + 1 : allowed;
    assay_tail_need need = {(double)NAN, wanted, false};
    if (!coarse->pairs || coarse->sampled) return need;
    /* The highest edge at or above which so many surely score. */
    for (uint32_t bin = coarse->count; bin-- > 0;) {
        if (coarse->above[bin] < wanted) continue;
        need.floor = assay_coarse_low(coarse, bin) - coarse->bound;
        break;
    }
    return need;
}

assay_tail_need assay_need_of_threshold(const assay_coarse *coarse, double threshold) {
    assay_tail_need need = {threshold, 0, true};
    if (coarse->pairs && !coarse->sampled) need.comparisons = assay_coarse_maybe(coarse, threshold);
    return need;
}

const char *assay_need_name(char out[ASSAY_NUMBER_SIZE], double fmr, double threshold) {
    if (isnan(fmr))
        snprintf(out, ASSAY_NUMBER_SIZE, "the threshold %.6g", threshold);
    else
        snprintf(out, ASSAY_NUMBER_SIZE, "FMR %.6g", fmr);
    return out;
}

const char *assay_need_describe(char out[ASSAY_NEED_SIZE], const char *what,
                                const assay_evidence *evidence, const assay_tail_need *need) {
    char end[48] = "of which there are none", digits[ASSAY_NUMBER_SIZE];
    double last = assay_tail_floor(evidence);
    if (isfinite(last)) snprintf(end, sizeof end, "which end at %.6g", last);
    int length =
        snprintf(out, ASSAY_NEED_SIZE, "%s lies below the kept scores, %s: it needs ", what, end);
    char *rest = out + length;
    size_t room = length < ASSAY_NEED_SIZE ? ASSAY_NEED_SIZE - (size_t)length : 0;
    if (!room) return out;
    const char *count = assay_print_count(digits, need->comparisons);
    char shown[ASSAY_NUMBER_SIZE];
    if (isnan(need->floor))
        snprintf(rest, room, "%sthe %s highest comparisons, wherever those end",
                 need->most ? "at most " : "", count);
    else if (!need->comparisons)
        snprintf(rest, room, "a floor of %s", assay_print_double(shown, rounded_down(need->floor)));
    else
        snprintf(rest, room, "a floor of %s (%s%s comparisons)",
                 assay_print_double(shown, rounded_down(need->floor)),
                 need->most ? "at most " : "the highest ", count);
    return out;
}

assay_status assay_tail_refuse(const assay_evidence *evidence, const assay_coarse *coarse,
                               double fmr, double threshold) {
    char what[ASSAY_NUMBER_SIZE], said[ASSAY_NEED_SIZE], digits[ASSAY_NUMBER_SIZE];
    bool given = isnan(fmr);
    assay_tail_need need = given ? assay_need_of_threshold(coarse, threshold)
                                 : assay_need_of_target(evidence, coarse, fmr);
    assay_need_name(what, fmr, threshold);
    assay_print_double(digits, given ? threshold : fmr);
    return assay_fail(
        ASSAY_USAGE, "the evidence of %s %s: %s; compare again with --%s %s%s", evidence->release,
        evidence->version, assay_need_describe(said, what, evidence, &need),
        given ? "thresholds" : "fmr-targets", digits,
        need.comparisons > evidence->protocol.tail_cap ? " and a higher --tail-cap" : "");
}
