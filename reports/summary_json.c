/* summary_json -- DIR/summary.json, "assay-summary/2": every figure for other programs. A value
 * that cannot be given is null and has its reason beside it, under the same key with _reason. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/digest.h"
#include "reports/pages.h"

/* ---- printing: as jansson does, but doubles as the shortest text that reads back the same ---- */

static void print_value(assay_text *text, const json_t *value, int depth);

static void indent(assay_text *text, int depth) {
    assay_text_append(text, "\n");
    for (int n = 0; n < depth; ++n) assay_text_append(text, " ");
}

static void print_string(assay_text *text, const json_t *value) {
    char *quoted = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (quoted)
        assay_text_append(text, quoted);
    else
        text->failed = true;
    free(quoted);
}

static bool is_leaf(const json_t *value) {
    if (json_is_array(value)) return json_array_size(value) == 0;
    if (!json_is_object(value)) return true;
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item) {
        if (json_is_object(item) || json_is_array(item)) return false;
    }
    return true;
}

static void print_object(assay_text *text, const json_t *value, int depth) {
    bool flat = is_leaf(value);
    const char *key, *comma = "";
    json_t *item;
    assay_text_append(text, "{");
    json_object_foreach((json_t *)value, key, item) {
        assay_text_append(text, comma);
        if (!flat) indent(text, depth + 1);
        json_t *name = json_string(key);
        print_string(text, name);
        json_decref(name);
        assay_text_append(text, ": ");
        print_value(text, item, depth + 1);
        comma = flat ? ", " : ",";
    }
    if (!flat) indent(text, depth);
    assay_text_append(text, "}");
}

static void print_value(assay_text *text, const json_t *value, int depth) {
    if (json_is_object(value)) {
        print_object(text, value, depth);
    } else if (json_is_array(value)) {
        assay_text_append(text, "[");
        for (size_t n = 0; n < json_array_size(value); ++n) {
            if (n) assay_text_append(text, ",");
            indent(text, depth + 1);
            print_value(text, json_array_get(value, n), depth + 1);
        }
        if (json_array_size(value)) indent(text, depth);
        assay_text_append(text, "]");
    } else if (json_is_real(value)) {
        char digits[ASSAY_NUMBER_SIZE];
        assay_text_append(text, assay_print_double(digits, json_real_value(value)));
    } else {
        print_string(text, value);
    }
}

/* ---- building; a NULL that comes of no memory or of bad UTF-8 fails the whole at the end ---- */

typedef struct {
    json_t *json;
    bool failed;
} object;

static object begin(void) {
    object made = {.json = json_object()};
    made.failed = !made.json;
    return made;
}

static void set(object *into, const char *key, json_t *value) {
    if (json_object_set_new(into->json, key, value)) into->failed = true;
}

static void set_object(object *into, const char *key, object value) {
    into->failed = into->failed || value.failed;
    set(into, key, value.json);
}

static void append(object *into, json_t *array, object value) {
    into->failed = into->failed || value.failed;
    if (json_array_append_new(array, value.json)) into->failed = true;
}

static void set_null(object *into, const char *key, const char *reason) {
    char reason_key[64];
    snprintf(reason_key, sizeof reason_key, "%s_reason", key);
    set(into, key, json_null());
    set(into, reason_key, json_string(reason));
}

static void set_count(object *into, const char *key, uint64_t count) {
    set(into, key, json_integer((json_int_t)count));
}

static void set_number(object *into, const char *key, double value, const char *reason) {
    if (reason || !isfinite(value))
        set_null(into, key, reason ? reason : "not finite");
    else
        set(into, key, json_real(value));
}

static void set_text(object *into, const char *key, const char *text) {
    set(into, key, json_string(text ? text : ""));
}

static void set_digest(object *into, const char *key, const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    if (assay_digest_is_zero(digest))
        set_null(into, key, "none is known");
    else
        set_text(into, key, assay_digest_hex(hex, digest));
}

static object rate_json(assay_rate rate) {
    object made = begin();
    bool unknown = rate.reason && rate.trials;
    if (unknown)
        set_null(&made, "errors", rate.reason);
    else
        set_count(&made, "errors", rate.errors);
    set_count(&made, "trials", rate.trials);
    set_number(&made, "value", assay_rate_value(rate), rate.reason);
    return made;
}

/* low and high of a 95 % interval, and how it was made. */
static void set_interval(object *into, const assay_interval *interval) {
    set_number(into, "low", interval->low, interval->reason);
    set_number(into, "high", interval->high, interval->reason);
    if (interval->reason) return;
    set_text(into, "method", assay_interval_method_name(interval->method));
    set_number(into, "effective_trials", interval->effective, NULL);
    if (isfinite(interval->design_effect))
        set_number(into, "design_effect", interval->design_effect, NULL);
    if (interval->method != ASSAY_METHOD_DYADIC) return;
    set_text(into, "dependence", assay_dependence_name(interval->dependence));
    if (isfinite(interval->guaranteed))
        set_number(into, "high_whatever_dependence", interval->guaranteed, NULL);
}

static object interval_rate_json(assay_rate rate, const assay_interval *interval) {
    object made = rate_json(rate);
    set_interval(&made, interval);
    return made;
}

static void set_source(object *into, assay_figure figure) {
    if (figure.reason)
        set_null(into, "source", figure.reason);
    else
        set_text(into, "source", assay_figure_source_name(figure.source));
    if (figure.reason || figure.source != ASSAY_FIGURE_SAMPLED) {
        set_number(into, "bound", figure.bound, figure.reason);
        return;
    }
    char reason[128];
    snprintf(reason, sizeof reason,
             "from a sample of %llu of %llu comparisons; its chance error is not computed",
             (unsigned long long)figure.sample, (unsigned long long)figure.of);
    set_null(into, "bound", reason);
}

static object figure_json(assay_figure figure) {
    object made = begin();
    set_number(&made, "value", figure.value, figure.reason);
    set_source(&made, figure);
    return made;
}

static void set_point(object *into, const assay_operating_point *point) {
    bool given = point->kind == ASSAY_POINT_THRESHOLD;
    set_text(into, "kind", given ? "threshold" : "fmr_target");
    set_number(into, "fmr_target", point->fmr_target, given ? "the threshold was given" : NULL);
    set_number(into, "threshold", point->threshold, point->reason);
    if (given) {
        set_null(into, "reached", "the threshold was given");
        return;
    }
    set(into, "reached", json_boolean(point->reached));
    if (!point->reached) set_text(into, "reached_reason", point->reached_reason);
}

static object point_json(const assay_operating_point *point) {
    object made = begin();
    set_point(&made, point);
    if (point->reason)
        set_null(&made, "source", point->reason);
    else
        set_text(&made, "source", assay_threshold_source_name(point->source));
    object fmr = interval_rate_json(point->fmr, &point->interval.fmr);
    if (point->fmr.reason)
        set_null(&fmr, "source", point->fmr.reason);
    else
        set_text(&fmr, "source", assay_figure_source_name(point->fmr_source));
    if (point->fmr_source == ASSAY_FIGURE_COARSE)
        set_count(&fmr, "fewest_errors", point->fmr_fewest);
    set_object(&made, "fmr", fmr);
    set_object(&made, "fnmr", interval_rate_json(point->fnmr, &point->interval.fnmr));
    set_object(&made, "gfnmr", interval_rate_json(point->gfnmr, &point->interval.gfnmr));
    set_object(&made, "gfmr", interval_rate_json(point->gfmr, &point->interval.gfmr));
    object weighted = begin();
    set_number(&weighted, "value", point->subject_fnmr,
               point->reason                ? point->reason
               : isnan(point->subject_fnmr) ? "no subject has a completed mated comparison"
                                            : NULL);
    set_interval(&weighted, &point->interval.subject_fnmr);
    set_object(&made, "fnmr_by_subject", weighted);
    return made;
}

static void set_points(object *into, const assay_figures *figures) {
    json_t *points = json_array();
    for (uint32_t n = 0; n < figures->point_count; ++n)
        append(into, points, point_json(&figures->points[n]));
    set(into, "operating_points", points);
}

static object group_json(const assay_figures *figures, const assay_attribute_figures *attribute,
                         const assay_group *group) {
    object made = begin();
    set_text(&made, "attribute", attribute->attribute->name);
    set_text(&made, "group", group->label);
    set_count(&made, "subjects", group->subjects);
    set_count(&made, "samples", group->samples);
    set_count(&made, "excluded", group->excluded);
    set_count(&made, "mated_subjects", group->mated_subjects);
    set(&made, "few_subjects", json_boolean(group->subjects < ASSAY_FEW_SUBJECTS));
    set(&made, "few_mated_subjects", json_boolean(group->mated_subjects < ASSAY_FEW_SUBJECTS));
    set_object(&made, "fte", interval_rate_json(group->fte, &group->fte_interval));
    json_t *points = json_array();
    for (uint32_t n = 0; n < figures->point_count; ++n) {
        object point = begin();
        set_point(&point, &figures->points[n]);
        const assay_group_point *at = &group->points[n];
        set_object(&point, "fmr", interval_rate_json(at->fmr, &at->fmr_interval));
        set_object(&point, "fnmr", interval_rate_json(at->fnmr, &at->fnmr_interval));
        set_object(&point, "gfnmr", interval_rate_json(at->gfnmr, &at->gfnmr_interval));
        append(&made, points, point);
    }
    set(&made, "operating_points", points);
    return made;
}

static object group_pair_json(const assay_figures *figures,
                              const assay_attribute_figures *attribute,
                              const assay_group_pair *pair) {
    object made = begin();
    set_text(&made, "attribute", attribute->attribute->name);
    set_text(&made, "a", attribute->groups[pair->a].label);
    set_text(&made, "b", attribute->groups[pair->b].label);
    json_t *points = json_array();
    for (uint32_t n = 0; n < figures->point_count; ++n) {
        object point = begin();
        set_point(&point, &figures->points[n]);
        set_object(&point, "fmr", interval_rate_json(pair->fmr[n], &pair->fmr_interval[n]));
        append(&made, points, point);
    }
    set(&made, "operating_points", points);
    return made;
}

static void set_groups(object *into, const assay_figures *figures) {
    json_t *groups = json_array(), *pairs = json_array(), *attributes = json_array();
    for (uint32_t n = 0; n < figures->attribute_count; ++n) {
        const assay_attribute_figures *attribute = &figures->attributes[n];
        object about = begin();
        set_text(&about, "name", attribute->attribute->name);
        set_text(&about, "level",
                 attribute->attribute->level == ASSAY_LEVEL_SAMPLE ? "sample" : "subject");
        set_text(&about, "source", assay_label_source_name(attribute->attribute->source));
        if (attribute->pairs_reason)
            set_null(&about, "group_pairs", attribute->pairs_reason);
        else
            set_count(&about, "group_pairs", attribute->pair_count);
        append(into, attributes, about);
        for (uint32_t g = 0; g < attribute->group_count; ++g)
            append(into, groups, group_json(figures, attribute, &attribute->groups[g]));
        for (uint32_t p = 0; p < attribute->pair_count; ++p)
            append(into, pairs, group_pair_json(figures, attribute, &attribute->pairs[p]));
    }
    set(into, "attributes", attributes);
    set(into, "groups", groups);
    set(into, "group_pairs", pairs);
}

static object list_json(uint64_t completed, uint64_t attempted, assay_figure mean,
                        assay_figure sd) {
    object made = begin();
    set_count(&made, "comparisons", completed);
    set_count(&made, "attempted", attempted);
    set_number(&made, "mean", mean.value, mean.reason);
    set_number(&made, "sd", sd.value, sd.reason);
    set_source(&made, mean);
    return made;
}

static object eer_json(const assay_eer *eer) {
    object made = figure_json(eer->value);
    const char *reason = eer->value.reason ? eer->value.reason
                         : eer->value.source == ASSAY_FIGURE_SAMPLED
                             ? "a sample of comparisons gives no bracket"
                             : NULL;
    set_number(&made, "low", eer->low, reason);
    set_number(&made, "high", eer->high, reason);
    return made;
}

/* "excluded: same session" as excluded_same_session. */
static void set_relation(object *into, assay_relation relation, uint64_t count) {
    char key[64];
    size_t length = 0;
    for (const char *c = assay_relation_name(relation); *c && length + 1 < sizeof key; ++c) {
        bool letter = *c >= 'a' && *c <= 'z';
        if (letter || (length && key[length - 1] != '_')) key[length++] = letter ? *c : '_';
    }
    key[length] = '\0';
    set_count(into, key, count);
}

static void set_counts(object *into, const assay_evidence *evidence, const assay_figures *figures) {
    object relations = begin();
    for (int n = 0; n < ASSAY_RELATION_COUNT; ++n)
        set_relation(&relations, (assay_relation)n, evidence->relations[n]);
    set_object(into, "pairs", relations);
    set_count(into, "identical_images_of_different_subjects", figures->identical_images);
    object mated = begin();
    set(&mated, "same_session_allowed", json_boolean(evidence->protocol.same_session));
    set_count(&mated, "same_session", figures->mated_same_session);
    set_count(&mated, "session_unknown", figures->mated_session_unknown);
    set_count(&mated, "subjects", figures->mated_subjects);
    set_count(&mated, "of_top_five_subjects", figures->top_mated);
    set_object(into, "mated_pairs", mated);
}

static object release_json(const assay_report_release *release) {
    const assay_evidence *evidence = release->evidence;
    const assay_figures *figures = &release->figures;
    const assay_whole_figures *whole = &figures->whole;
    object made = begin();
    set_text(&made, "name", evidence->release);
    set_text(&made, "version", evidence->version);
    set_text(&made, "algorithm", evidence->algorithm);
    set_text(&made, "comparator", evidence->comparator);
    set_count(&made, "enrolled", figures->enrolled);
    set_count(&made, "refused", figures->refused);
    set_count(&made, "failed", figures->failed);
    set_count(&made, "excluded", figures->excluded);
    set_object(&made, "fte", interval_rate_json(figures->fte, &figures->fte_interval));
    set_object(&made, "mated",
               list_json(evidence->mated_count, figures->mated_attempted, whole->mated_mean,
                         whole->mated_sd));
    set_object(&made, "non_mated",
               list_json(evidence->non_mated, figures->non_mated_attempted, whole->non_mated_mean,
                         whole->non_mated_sd));
    set_object(&made, "auc", figure_json(whole->auc));
    set_object(&made, "eer", eer_json(&whole->eer));
    set_object(&made, "dprime", figure_json(whole->dprime));
    set_counts(&made, evidence, figures);
    set_points(&made, figures);
    set_groups(&made, figures);
    return made;
}

/* What others wrote, without the keys to which they gave no value: here a null has its reason. */
static json_t *parse_without_nulls(const char *text, json_error_t *fault) {
    json_t *parsed = json_loads(text, 0, fault), *item;
    const char *key;
    void *next;
    json_object_foreach_safe(parsed, next, key, item) {
        if (json_is_null(item)) json_object_del(parsed, key);
    }
    return parsed;
}

static object provenance_json(const assay_report *report, assay_status *status) {
    object made = begin();
    set_text(&made, "program", "assay");
    set_text(&made, "version", ASSAY_VERSION);
    json_t *releases = json_array();
    for (size_t n = 0; n < report->count; ++n) {
        const assay_evidence *evidence = report->releases[n].evidence;
        object one = begin();
        json_error_t fault;
        set_text(&one, "name", evidence->release);
        set_text(&one, "version", evidence->version);
        set_digest(&one, "templates_digest", &evidence->templates_digest);
        set_digest(&one, "result_digest", &evidence->result_digest);
        char *protocol = NULL;
        if (*status == ASSAY_OK) *status = assay_protocol_to_json(&evidence->protocol, &protocol);
        if (protocol) set(&one, "protocol", parse_without_nulls(protocol, &fault));
        free(protocol);
        set_count(&one, "tail_comparisons", evidence->tail_count);
        set(&one, "tail_complete", json_boolean(evidence->tail_complete));
        set_count(&one, "histogram_comparisons", evidence->histogram_pairs);
        set(&one, "score_bound", json_real(evidence->bound));
        json_t *evidence_json = parse_without_nulls(evidence->provenance_json, &fault);
        if (!evidence_json && *status == ASSAY_OK)
            *status = assay_fail(ASSAY_FAILED, "provenance of %s %s is not JSON: %s",
                                 evidence->release, evidence->version, fault.text);
        set(&one, "evidence", evidence_json ? evidence_json : json_null());
        append(&made, releases, one);
    }
    set(&made, "releases", releases);
    return made;
}

assay_status assay_report_summary(const assay_report *report) {
    const assay_evidence *evidence = report->releases[0].evidence;
    assay_status status = ASSAY_OK;
    assay_text text = {0};
    object root = begin(), dataset = begin();
    set_text(&root, "schema", "assay-summary/2");
    set_text(&dataset, "name", evidence->dataset_name);
    set_digest(&dataset, "digest", &evidence->dataset_digest);
    set_count(&dataset, "samples", evidence->table.row_count);
    set_count(&dataset, "subjects", evidence->table.subject_count);
    set_object(&root, "dataset", dataset);
    object intervals = begin();
    set_number(&intervals, "level", 1 - ASSAY_INTERVAL_ALPHA, NULL);
    set_text(&intervals, "sampled", "subjects");
    set(&intervals, "simultaneous", json_false());
    set_object(&root, "intervals", intervals);
    json_t *releases = json_array();
    for (size_t n = 0; n < report->count; ++n)
        append(&root, releases, release_json(&report->releases[n]));
    set(&root, "releases", releases);
    set_object(&root, "provenance", provenance_json(report, &status));
    if (status == ASSAY_OK && root.failed)
        status = assay_fail(ASSAY_FAILED,
                            "cannot build summary.json: a name of data set %s is not "
                            "valid UTF-8, or memory ran out",
                            evidence->dataset_name);
    if (status == ASSAY_OK) {
        print_value(&text, root.json, 0);
        assay_text_append(&text, "\n");
        status = assay_report_file(report, "summary.json", &text);
    }
    assay_text_free(&text);
    json_decref(root.json);
    return status;
}
