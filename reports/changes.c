/* changes -- what changes between two releases beside their errors (changes.h). */
#include "reports/changes.h"

#include <math.h>
#include <stdio.h>

#include <jansson.h>

static const struct {
    bool mated;
    double share;
} steps[ASSAY_SCORE_CHANGES] = {
    {true, 0.01},  {true, 0.05}, {true, 0.25},  {true, 0.5},   {true, 0.75},   {true, 0.95},
    {false, 0.05}, {false, 0.5}, {false, 0.95}, {false, 0.99}, {false, 0.999}, {false, 0.9999},
};

/* How many scores lie above the quantile of so many. */
static uint64_t scores_above(double share, uint64_t count) {
    const uint64_t at_or_below = (uint64_t)ceil(share * (double)count - 1e-9);
    return count - (at_or_below ? at_or_below : 1);
}

static assay_figure quantile(const assay_figures *figures, bool mated, double share,
                             uint64_t non_mated) {
    const assay_score_list *list = mated ? &figures->mated : &figures->tail;
    const uint64_t count = mated ? list->count : non_mated;
    assay_figure out = {.value = (double)NAN, .source = ASSAY_FIGURE_EXACT};
    if (!count) {
        out.reason = "no such comparison was completed";
        return out;
    }
    const uint64_t above = scores_above(share, count);
    if (above >= list->count) return assay_coarse_ranked(&figures->coarse, above);
    out.value = assay_score_at(list, above);
    return out;
}

void assay_score_changes(const assay_figures *earlier, uint64_t non_mated_earlier,
                         const assay_figures *later, uint64_t non_mated_later,
                         assay_score_change out[ASSAY_SCORE_CHANGES]) {
    for (unsigned n = 0; n < ASSAY_SCORE_CHANGES; ++n)
        out[n] = (assay_score_change){
            .mated = steps[n].mated,
            .share = steps[n].share,
            .earlier = quantile(earlier, steps[n].mated, steps[n].share, non_mated_earlier),
            .later = quantile(later, steps[n].mated, steps[n].share, non_mated_later)};
}

static double number_in(const json_t *provenance, const char *key) {
    const json_t *value = json_object_get(provenance, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

assay_effort assay_effort_of(const assay_evidence *evidence) {
    json_t *provenance = json_loads(evidence->provenance_json, 0, NULL);
    assay_effort out = {.enrolment_median = number_in(provenance, "enrolment_seconds_median"),
                        .enrolment_95 = number_in(provenance, "enrolment_seconds_95"),
                        .template_bytes = number_in(provenance, "template_bytes")};
    const double seconds = number_in(provenance, "compare_seconds");
    const double resumed = number_in(provenance, "resumed_tiles");
    const double threads = number_in(provenance, "threads");
    const double made = (double)(evidence->mated_count + evidence->failed_mated +
                                 evidence->non_mated + evidence->failed_non_mated);
    /* Of a comparison that went on from parts the time is of the rest alone. */
    out.comparisons_per_second = seconds > 0 && !(resumed > 0) ? made / seconds : (double)NAN;
    const char *backend = json_string_value(json_object_get(provenance, "backend"));
    const char *device = json_string_value(json_object_get(provenance, "device"));
    if (backend && threads >= 1)
        snprintf(out.where, sizeof out.where, "%s, %.0f thread%s%s%s", backend, threads,
                 threads == 1 ? "" : "s", device && *device ? ": " : "", device ? device : "");
    json_decref(provenance);
    return out;
}
