/* summary_comparison -- the key `comparisons` of summary.json. */
#include "reports/comparison.h"
#include "reports/summary_private.h"

static summary_object difference_json(const assay_difference *difference) {
    summary_object made = summary_begin();
    const char *reason = difference->reason;
    summary_set_number(&made, "value", difference->value, reason);
    summary_set_number(&made, "low", difference->low, reason);
    summary_set_number(&made, "high", difference->high, reason);
    summary_set_number(&made, "only_later", difference->only_b, reason);
    summary_set_number(&made, "only_earlier", difference->only_a, reason);
    summary_set_number(&made, "trials", difference->trials, reason);
    summary_set_number(&made, "design_effect", difference->design_effect, reason);
    return made;
}

static void set_compared(summary_object *into, const assay_compared *at) {
    summary_object ratio = summary_begin();
    summary_set_number(&ratio, "value", at->fmr.value, at->fmr.reason);
    summary_set_number(&ratio, "low", at->fmr.low, at->fmr.reason);
    summary_set_number(&ratio, "high", at->fmr.high, at->fmr.reason);
    summary_set_object(into, "gfnmr_difference", difference_json(&at->gfnmr));
    summary_set_object(into, "fnmr_difference", difference_json(&at->fnmr));
    summary_set_number(into, "swap_p", at->swap, NULL);
    summary_set_object(into, "fmr_ratio", ratio);
}

static summary_object transfer_json(const assay_transfer *at) {
    summary_object made = summary_begin();
    summary_set_point(&made, at->from);
    summary_set_object(&made, "fmr", summary_interval_rate(at->fmr, &at->interval.fmr));
    summary_set_object(&made, "fnmr", summary_interval_rate(at->fnmr, &at->interval.fnmr));
    summary_set_object(&made, "gfnmr", summary_interval_rate(at->gfnmr, &at->interval.gfnmr));
    return made;
}

static summary_object group_json(const assay_compared_group *at) {
    summary_object made = summary_begin();
    summary_set_text(&made, "attribute", at->attribute->attribute->name);
    summary_set_text(&made, "group", at->group->label);
    set_compared(&made, &at->at);
    return made;
}

static summary_object discordant_json(const assay_release_comparison *from) {
    summary_object made = summary_begin();
    summary_set_count(&made, "mated_only_later", from->mated_only_later);
    summary_set_count(&made, "mated_only_earlier", from->mated_only_earlier);
    summary_set_count(&made, "non_mated_only_later", from->matches_only_later);
    summary_set_count(&made, "non_mated_only_earlier", from->matches_only_earlier);
    return made;
}

static summary_object mixed_json(const assay_mixed *mixed) {
    const assay_evidence *evidence = mixed->release->evidence;
    summary_object made = summary_begin(), references = summary_begin(), probes = summary_begin();
    json_t *points = json_array();
    summary_set_text(&references, "name", evidence->reference_release);
    summary_set_text(&references, "version", evidence->reference_version);
    summary_set_text(&probes, "name", evidence->release);
    summary_set_text(&probes, "version", evidence->version);
    summary_set_object(&made, "references", references);
    summary_set_object(&made, "probes", probes);
    summary_set_digest(&made, "result_digest", &evidence->result_digest);
    for (unsigned n = 0; n < mixed->count; ++n)
        summary_append(&made, points, transfer_json(&mixed->at[n]));
    summary_set(&made, "points", points);
    return made;
}

static summary_object scores_json(const assay_release_comparison *from, bool mated) {
    summary_object made = summary_begin();
    json_t *shares = json_array();
    for (unsigned n = 0; n < ASSAY_SCORE_CHANGES; ++n) {
        const assay_score_change *change = &from->scores[n];
        if (change->mated != mated) continue;
        summary_object one = summary_begin();
        summary_set_number(&one, "share", change->share, NULL);
        summary_set_object(&one, "earlier", summary_figure(change->earlier));
        summary_set_object(&one, "later", summary_figure(change->later));
        summary_append(&made, shares, one);
    }
    summary_set(&made, "quantiles", shares);
    return made;
}

static summary_object effort_json(const assay_effort *effort) {
    static const char unknown[] = "the evidence does not say";
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"enrolment_seconds_median", effort->enrolment_median},
                   {"enrolment_seconds_95", effort->enrolment_95},
                   {"template_bytes", effort->template_bytes},
                   {"comparisons_per_second", effort->comparisons_per_second}};
    summary_object made = summary_begin();
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; ++n)
        summary_set_number(&made, numbers[n].key, numbers[n].value,
                           numbers[n].value > 0 ? NULL : unknown);
    summary_set_text(&made, "compared_by", effort->where);
    return made;
}

static summary_object comparison_json(const assay_release_comparison *from) {
    summary_object made = summary_begin();
    json_t *points = json_array(), *transfers = json_array(), *groups = json_array();
    summary_set_text(&made, "earlier", from->earlier->name);
    summary_set_text(&made, "later", from->later->name);
    if (from->fault)
        summary_set_text(&made, "not_compared", from->fault);
    else
        summary_set_object(&made, "fte_difference", difference_json(&from->fte));
    for (uint32_t n = 0; n < from->point_count; ++n) {
        summary_object point = summary_begin();
        summary_set_point(&point, &from->earlier->figures.points[from->points[n]]);
        set_compared(&point, &from->compared[n]);
        summary_append(&made, points, point);
    }
    for (uint32_t n = 0; n < from->transfer_count; ++n)
        summary_append(&made, transfers, transfer_json(&from->transfers[n]));
    for (uint32_t n = 0; n < from->group_count; ++n)
        summary_append(&made, groups, group_json(&from->groups[n]));
    summary_set(&made, "points", points);
    summary_set(&made, "threshold_transfer", transfers);
    summary_set(&made, "groups", groups);
    if (from->has_headline) summary_set_object(&made, "discordant", discordant_json(from));
    if (from->fault) return made;
    json_t *mixed = json_array();
    for (size_t n = 0; n < from->mixed_count; ++n)
        summary_append(&made, mixed, mixed_json(&from->mixed[n]));
    summary_set(&made, "references_of_one_probes_of_the_other", mixed);
    summary_object scores = summary_begin(), effort = summary_begin();
    summary_set_object(&scores, "mated", scores_json(from, true));
    summary_set_object(&scores, "non_mated", scores_json(from, false));
    summary_set_object(&made, "score_scale", scores);
    summary_set_object(&effort, "earlier", effort_json(&from->effort_earlier));
    summary_set_object(&effort, "later", effort_json(&from->effort_later));
    summary_set_object(&made, "cost", effort);
    return made;
}

void summary_set_comparisons(summary_object *into, const assay_report *report) {
    json_t *comparisons = json_array();
    for (size_t n = 0; n < report->comparison_count; ++n)
        summary_append(into, comparisons, comparison_json(&report->comparisons[n]));
    summary_set(into, "comparisons", comparisons);
}
