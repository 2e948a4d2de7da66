/* summary_groups -- groups, pairs of groups and what is said of them, for summary.json. */
#include <math.h>

#include "reports/differentials.h"
#include "reports/summary_private.h"

/* A number that may be infinite, which JSON has no word for, or not defined. */
static void set_measure(summary_object *into, const char *key, double value, const char *reason) {
    if (!reason && isinf(value)) reason = "infinite: the lowest rate is 0";
    if (!reason && isnan(value)) reason = "not defined: a rate is 0";
    summary_set_number(into, key, value, reason);
}

static summary_object judged_json(const assay_group_point *point, assay_error_kind kind) {
    bool fmr = kind == ASSAY_ERROR_FMR;
    const assay_group_verdict *verdict = &point->verdicts[kind];
    const assay_limits *limits = &point->limits[kind];
    summary_object made = fmr ? summary_interval_rate(point->fmr, &point->fmr_interval)
                              : summary_interval_rate(point->fnmr, &point->fnmr_interval);
    summary_set_text(&made, "standing", assay_standing_name(verdict->standing));
    if (verdict->standing == ASSAY_STANDING_NONE) return made;
    summary_set_number(&made, "simultaneous_low", limits->low, NULL);
    summary_set_number(&made, "simultaneous_high", limits->high, NULL);
    summary_set_number(&made, "ratio_to_others", verdict->ratio, NULL);
    summary_set_number(&made, "ratio_upper", verdict->upper, NULL);
    summary_set_number(&made, "p_worse", verdict->p, NULL);
    summary_set_number(&made, "p_beyond_limit", verdict->p_beyond, NULL);
    summary_set(&made, "beyond_limit", json_boolean(verdict->beyond));
    return made;
}

static summary_object group_json(const assay_figures *figures,
                                 const assay_attribute_figures *attribute,
                                 const assay_group *group) {
    summary_object made = summary_begin();
    summary_set_text(&made, "attribute", attribute->attribute->name);
    summary_set_text(&made, "group", group->label);
    summary_set_count(&made, "subjects", group->subjects);
    summary_set_count(&made, "samples", group->samples);
    summary_set_count(&made, "excluded", group->excluded);
    summary_set_count(&made, "mated_subjects", group->mated_subjects);
    summary_set(&made, "few_subjects", json_boolean(group->subjects < ASSAY_FEW_SUBJECTS));
    summary_set(&made, "few_mated_subjects",
                json_boolean(group->mated_subjects < ASSAY_FEW_SUBJECTS));
    summary_set_object(&made, "fte", summary_interval_rate(group->fte, &group->fte_interval));
    json_t *points = json_array();
    for (uint32_t n = 0; n < figures->point_count; ++n) {
        summary_object point = summary_begin();
        summary_set_point(&point, &figures->points[n]);
        const assay_group_point *at = &group->points[n];
        summary_set_object(&point, "fmr", judged_json(at, ASSAY_ERROR_FMR));
        summary_set_object(&point, "fnmr", judged_json(at, ASSAY_ERROR_FNMR));
        summary_set_object(&point, "gfnmr", summary_interval_rate(at->gfnmr, &at->gfnmr_interval));
        summary_append(&made, points, point);
    }
    summary_set(&made, "operating_points", points);
    return made;
}

static summary_object group_pair_json(const assay_figures *figures,
                                      const assay_attribute_figures *attribute,
                                      const assay_group_pair *pair) {
    summary_object made = summary_begin();
    summary_set_text(&made, "attribute", attribute->attribute->name);
    summary_set_text(&made, "a", attribute->groups[pair->a].label);
    summary_set_text(&made, "b", attribute->groups[pair->b].label);
    json_t *points = json_array();
    for (uint32_t n = 0; n < figures->point_count; ++n) {
        summary_object point = summary_begin();
        summary_set_point(&point, &figures->points[n]);
        summary_set_object(&point, "fmr",
                           summary_interval_rate(pair->fmr[n], &pair->fmr_interval[n]));
        summary_append(&made, points, point);
    }
    summary_set(&made, "operating_points", points);
    return made;
}

/* ---- how far apart groups are ---- */

/* value, by chance, range and shrunken value of one measure; what is not there has its reason. */
static summary_object measure_json(double value, double mean, double beyond, double least,
                                   double most, double shrunk, const char *reason,
                                   const char *shrunk_reason) {
    summary_object made = summary_begin();
    set_measure(&made, "value", value, reason);
    set_measure(&made, "by_chance", mean, reason);
    set_measure(&made, "by_chance_5_percent_beyond", beyond, reason);
    set_measure(&made, "least", least, reason);
    set_measure(&made, "most", most, reason);
    set_measure(&made, "shrunk", shrunk, reason ? reason : shrunk_reason);
    return made;
}

#define MEASURE(of, field)                                                                         \
    measure_json((of)->value.field, (of)->chance.mean.field, (of)->chance.beyond.field,            \
                 (of)->range.least.field, (of)->range.most.field, (of)->shrunk.field,              \
                 (of)->reason, (of)->shrunk_reason)
#define JOINT_MEASURE(of, field)                                                                   \
    measure_json((of)->joint.field, (of)->joint_chance.mean.field,                                 \
                 (of)->joint_chance.beyond.field, (of)->joint_least.field, (of)->joint_most.field, \
                 (of)->joint_shrunk.field, (of)->joint_reason,                                     \
                 (of)->errors[0].shrunk_reason ? (of)->errors[0].shrunk_reason                     \
                                               : (of)->errors[1].shrunk_reason)

static summary_object inequity_json(const assay_error_inequity *error) {
    summary_object made = summary_begin();
    summary_set_count(&made, "groups", error->judged);
    summary_set_count(&made, "groups_left_out", error->left_out);
    summary_set_object(&made, "max_min", MEASURE(error, max_min));
    summary_set_object(&made, "max_geomean", MEASURE(error, max_geomean));
    summary_set_object(&made, "gini", MEASURE(error, gini));
    summary_set_object(&made, "difference", MEASURE(error, difference));
    return made;
}

static summary_object differential_json(const assay_figures *figures,
                                        const assay_attribute_figures *attribute, uint32_t n) {
    summary_object made = summary_begin();
    const assay_differential *found = &attribute->differentials[n];
    summary_set_text(&made, "attribute", attribute->attribute->name);
    summary_set_point(&made, &figures->points[n]);
    summary_set_object(&made, "fmr_alike",
                       summary_interval_rate(attribute->alike[n], &attribute->alike_interval[n]));
    summary_set_object(&made, "fmr", inequity_json(&found->errors[ASSAY_ERROR_FMR]));
    summary_set_object(&made, "fnmr", inequity_json(&found->errors[ASSAY_ERROR_FNMR]));
    summary_object both = summary_begin();
    summary_set_number(&both, "weight_of_fmr", ASSAY_INEQUITY_WEIGHT, NULL);
    summary_set_object(&both, "fdr", JOINT_MEASURE(found, fdr));
    summary_set_object(&both, "ir", JOINT_MEASURE(found, ir));
    summary_set_object(&both, "garbe", JOINT_MEASURE(found, garbe));
    summary_set_object(&made, "both", both);
    if (!found->permuted) {
        summary_set_null(&made, "fnmr_permutation_p", "one group, or labels of samples");
        return made;
    }
    summary_set_number(&made, "fnmr_permutation_p", found->permutation_p, NULL);
    summary_set_count(&made, "fnmr_permutation_deals", found->permutation_deals);
    summary_set(&made, "fnmr_permutation_exact", json_boolean(found->permutation_exact));
    return made;
}

void summary_set_differentials(summary_object *into, const assay_figures *figures) {
    json_t *all = json_array();
    for (uint32_t a = 0; a < figures->attribute_count; ++a)
        for (uint32_t n = 0; n < figures->point_count; ++n)
            summary_append(into, all, differential_json(figures, &figures->attributes[a], n));
    summary_set(into, "differentials", all);
}

static summary_object attribute_json(const assay_attribute_figures *attribute) {
    const assay_grouping *grouping = &attribute->grouping;
    summary_object made = summary_begin();
    summary_set_text(&made, "name", attribute->attribute->name);
    summary_set_text(&made, "level",
                     attribute->attribute->level == ASSAY_LEVEL_SAMPLE ? "sample" : "subject");
    summary_set_text(&made, "source", assay_label_source_name(attribute->attribute->source));
    if (attribute->pairs_reason)
        summary_set_null(&made, "group_pairs", attribute->pairs_reason);
    else
        summary_set_count(&made, "group_pairs", attribute->pair_count);
    if (!grouping->made) return made;
    json_t *parts = json_array();
    for (uint32_t n = 0; n < grouping->part_count; ++n)
        if (json_array_append_new(parts, json_string(grouping->parts[n]->name))) made.failed = true;
    summary_set(&made, "crossed", parts);
    return made;
}

void summary_set_groups(summary_object *into, const assay_figures *figures) {
    json_t *groups = json_array(), *pairs = json_array(), *attributes = json_array();
    for (uint32_t n = 0; n < figures->attribute_count; ++n) {
        const assay_attribute_figures *attribute = &figures->attributes[n];
        summary_append(into, attributes, attribute_json(attribute));
        for (uint32_t g = 0; g < attribute->group_count; ++g)
            summary_append(into, groups, group_json(figures, attribute, &attribute->groups[g]));
        for (uint32_t p = 0; p < attribute->pair_count; ++p)
            summary_append(into, pairs, group_pair_json(figures, attribute, &attribute->pairs[p]));
    }
    summary_set(into, "attributes", attributes);
    summary_set(into, "groups", groups);
    summary_set(into, "group_pairs", pairs);
}
