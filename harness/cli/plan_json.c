/* plan_json -- `assay plan` for programs (planned.h). A number that there is not is null, with the
 * reason beside it under the same key with _reason. */
#include <math.h>
#include <stdio.h>

#include "harness/cli/command.h"
#include "harness/cli/planned.h"

static void set_number(json_t *into, const char *key, double value) {
    char reason[64];
    if (isfinite(value)) {
        json_object_set_new(into, key, json_real(value));
        return;
    }
    snprintf(reason, sizeof reason, "%s_reason", key);
    json_object_set_new(into, key, json_null());
    json_object_set_new(into, reason, json_string(isnan(value) ? "not known" : "out of reach"));
}

static void set_people(json_t *into, const char *key, double subjects) {
    if (subjects < 1e15)
        json_object_set_new(into, key, json_integer((json_int_t)subjects));
    else
        set_number(into, key, isnan(subjects) ? subjects : (double)INFINITY);
}

static json_t *json_of_fmrs(const plan_result *result) {
    json_t *list = json_array();
    for (size_t n = 0; n < result->fmr_count; n++) {
        const plan_fmr *fmr = &result->fmrs[n];
        json_t *of = json_object(), *columns = json_array();
        set_number(of, "fmr", fmr->fmr);
        for (size_t column = 0; column < result->propensity_count; column++) {
            json_t *entry = json_object();
            set_number(entry, "propensity_cv2", result->propensities[column]);
            set_people(entry, "subjects", fmr->subjects[column]);
            json_array_append_new(columns, entry);
        }
        json_object_set_new(of, "known", columns);
        set_people(of, "no_false_match_independent", fmr->no_match);
        set_people(of, "no_false_match_guaranteed", fmr->no_match_guaranteed);
        json_array_append_new(list, of);
    }
    return list;
}

static json_t *json_of_margin(const plan_result *result) {
    json_t *of = json_object();
    set_number(of, "margin", result->margin);
    set_number(of, "true_difference", result->true_difference);
    set_number(of, "discordance", result->discordance);
    set_people(of, "subjects", result->margin_subjects);
    return of;
}

static json_t *json_of_ratio(const plan_result *result) {
    json_t *of = json_object();
    set_number(of, "ratio", result->ratio);
    set_number(of, "base_rate", result->base);
    set_people(of, "groups", result->groups);
    set_people(of, "subjects_each", result->ratio_subjects);
    return of;
}

static json_t *json_of_costs(const plan_result *result) {
    json_t *list = json_array();
    for (size_t n = 0; n < result->cost_count; n++) {
        const plan_cost *cost = &result->costs[n];
        json_t *of = json_pack("{s:s}", "for", cost->what);
        if (!isnan(cost->fmr)) set_number(of, "fmr", cost->fmr);
        set_people(of, "subjects", cost->subjects);
        if (cost->reason != NULL) {
            json_object_set_new(of, "reason", json_string(cost->reason));
        } else {
            set_people(of, "templates", (double)cost->templates);
            json_object_set_new(of, "comparisons", json_integer((json_int_t)cost->comparisons));
            json_object_set_new(of, "memory_bytes", json_integer((json_int_t)cost->memory_bytes));
            json_object_set_new(of, "disk_bytes", json_integer((json_int_t)cost->disk_bytes));
            set_number(of, "seconds", cost->seconds);
        }
        json_array_append_new(list, of);
    }
    return list;
}

static json_t *json_of_reach(const assay_planning_reach *reach) {
    json_t *of = json_pack("{s:s?, s:s?, s:I, s:I, s:I, s:I}", "attribute", reach->attribute,
                           "group", reach->group, "subjects", (json_int_t)reach->subjects,
                           "mated_subjects", (json_int_t)reach->mated_subjects, "mated_attempted",
                           (json_int_t)reach->mated, "non_mated", (json_int_t)reach->non_mated);
    set_number(of, "gfnmr", reach->gfnmr);
    set_number(of, "design_effect", reach->design_effect);
    set_number(of, "bound_independent", reach->bound);
    set_number(of, "bound_as_seen", reach->bound_seen);
    set_number(of, "bound_guaranteed", reach->bound_guaranteed);
    set_number(of, "fmr_known", reach->fmr);
    set_number(of, "margin", reach->margin);
    if (reach->attribute != NULL) set_number(of, "ratio", reach->ratio);
    return of;
}

static json_t *json_of_hand(const plan_result *result) {
    const assay_planning *hand = &result->at_hand;
    json_t *reaches = json_array();
    for (size_t n = 0; n < hand->reach_count; n++)
        json_array_append_new(reaches, json_of_reach(&hand->reaches[n]));
    json_t *of = json_pack("{s:s, s:s, s:s}", "evidence", result->evidence, "release",
                           result->release, "version", result->version);
    if (!isnan(hand->deployment.fmr)) set_number(of, "fmr_rule", hand->deployment.fmr);
    set_number(of, "threshold", hand->threshold);
    if (hand->reason != NULL)
        json_object_set_new(of, "threshold_reason", json_string(hand->reason));
    set_number(of, "propensity_cv2", hand->propensity_cv2);
    json_object_set_new(of, "propensity_seen", json_boolean(hand->propensity_seen));
    set_number(of, "discordance", hand->discordance);
    set_number(of, "base_rate", hand->base);
    json_object_set_new(of, "reach", reaches);
    return of;
}

assay_status assay_plan_print_json(const plan_result *result) {
    json_t *of = json_object();
    set_number(of, "relative_width", result->relative);
    set_number(of, "alpha", result->alpha);
    set_number(of, "power", result->power);
    json_object_set_new(of, "propensity_source", json_string(result->propensity_source));
    json_object_set_new(of, "fmr", json_of_fmrs(result));
    set_number(of, "mated_each", result->mated_each);
    set_number(of, "design_effect", result->design_effect);
    json_object_set_new(of, "margin", json_of_margin(result));
    json_object_set_new(of, "ratio", json_of_ratio(result));
    json_object_set_new(of, "backend", json_string(result->backend));
    json_object_set_new(of, "samples", json_integer((json_int_t)result->samples));
    json_object_set_new(of, "length", json_integer((json_int_t)result->length));
    set_number(of, "comparisons_per_s", result->rate);
    json_object_set_new(of, "comparisons_per_s_source", json_string(result->rate_source));
    json_object_set_new(of, "cost", json_of_costs(result));
    json_object_set_new(of, "at_hand",
                        result->evidence != NULL ? json_of_hand(result) : json_null());
    return assay_print_json(of);
}
