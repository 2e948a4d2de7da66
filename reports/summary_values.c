/* summary_values -- JSON values of a summary: building them, and printing them (summary_private.h).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/summary_private.h"

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

void summary_print(assay_text *text, const json_t *value) {
    print_value(text, value, 0);
}

/* ---- building ---- */

summary_object summary_begin(void) {
    summary_object made = {.json = json_object()};
    made.failed = !made.json;
    return made;
}

void summary_set(summary_object *into, const char *key, json_t *value) {
    if (json_object_set_new(into->json, key, value)) into->failed = true;
}

void summary_set_object(summary_object *into, const char *key, summary_object value) {
    into->failed = into->failed || value.failed;
    summary_set(into, key, value.json);
}

void summary_append(summary_object *into, json_t *array, summary_object value) {
    into->failed = into->failed || value.failed;
    if (json_array_append_new(array, value.json)) into->failed = true;
}

void summary_set_null(summary_object *into, const char *key, const char *reason) {
    char reason_key[64];
    snprintf(reason_key, sizeof reason_key, "%s_reason", key);
    summary_set(into, key, json_null());
    summary_set(into, reason_key, json_string(reason));
}

void summary_set_count(summary_object *into, const char *key, uint64_t count) {
    summary_set(into, key, json_integer((json_int_t)count));
}

void summary_set_known(summary_object *into, const char *key, uint64_t count, const char *reason) {
    if (reason)
        summary_set_null(into, key, reason);
    else
        summary_set_count(into, key, count);
}

void summary_set_number(summary_object *into, const char *key, double value, const char *reason) {
    if (reason || !isfinite(value))
        summary_set_null(into, key, reason ? reason : "not finite");
    else
        summary_set(into, key, json_real(value));
}

void summary_set_text(summary_object *into, const char *key, const char *text) {
    summary_set(into, key, json_string(text ? text : ""));
}

void summary_set_digest(summary_object *into, const char *key, const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    if (assay_digest_is_zero(digest))
        summary_set_null(into, key, "none is known");
    else
        summary_set_text(into, key, assay_digest_hex(hex, digest));
}

summary_object summary_rate(assay_rate rate) {
    summary_object made = summary_begin();
    bool unknown = rate.reason && rate.trials;
    if (unknown)
        summary_set_null(&made, "errors", rate.reason);
    else
        summary_set_count(&made, "errors", rate.errors);
    summary_set_count(&made, "trials", rate.trials);
    summary_set_number(&made, "value", assay_rate_value(rate), rate.reason);
    return made;
}

/* low and high of a 95 % interval, and how it was made. */
void summary_set_interval(summary_object *into, const assay_interval *interval) {
    summary_set_number(into, "low", interval->low, interval->reason);
    summary_set_number(into, "high", interval->high, interval->reason);
    if (interval->reason) return;
    summary_set_text(into, "method", assay_interval_method_name(interval->method));
    summary_set_number(into, "effective_trials", interval->effective, NULL);
    if (isfinite(interval->design_effect))
        summary_set_number(into, "design_effect", interval->design_effect, NULL);
    if (interval->method != ASSAY_METHOD_DYADIC) return;
    summary_set_text(into, "dependence", assay_dependence_name(interval->dependence));
    if (isfinite(interval->guaranteed))
        summary_set_number(into, "high_whatever_dependence", interval->guaranteed, NULL);
}

summary_object summary_interval_rate(assay_rate rate, const assay_interval *interval) {
    summary_object made = summary_rate(rate);
    summary_set_interval(&made, interval);
    return made;
}

void summary_set_source(summary_object *into, assay_figure figure) {
    if (figure.reason)
        summary_set_null(into, "source", figure.reason);
    else
        summary_set_text(into, "source", assay_figure_source_name(figure.source));
    if (figure.reason || figure.source != ASSAY_FIGURE_SAMPLED) {
        summary_set_number(into, "bound", figure.bound, figure.reason);
        return;
    }
    char reason[128];
    snprintf(reason, sizeof reason,
             "from a sample of %llu of %llu comparisons; its chance error is not computed",
             (unsigned long long)figure.sample, (unsigned long long)figure.of);
    summary_set_null(into, "bound", reason);
}

summary_object summary_figure(assay_figure figure) {
    summary_object made = summary_begin();
    summary_set_number(&made, "value", figure.value, figure.reason);
    summary_set_source(&made, figure);
    return made;
}

/* The tail that would answer what is null or coarse at this point. */
static summary_object need_json(const assay_tail_need *need) {
    summary_object made = summary_begin();
    summary_set_number(&made, "floor", need->floor,
                       isnan(need->floor) ? "no histogram of all comparisons says where it lies"
                                          : NULL);
    summary_set_known(&made, "comparisons", need->comparisons,
                      need->comparisons ? NULL : "no histogram of all comparisons counts them");
    summary_set(&made, "at_most", json_boolean(need->most));
    return made;
}

void summary_set_point(summary_object *into, const assay_operating_point *point) {
    bool given = point->kind == ASSAY_POINT_THRESHOLD;
    summary_set_text(into, "kind", given ? "threshold" : "fmr_target");
    summary_set_number(into, "fmr_target", point->fmr_target,
                       given ? "the threshold was given" : NULL);
    summary_set_number(into, "threshold", point->threshold, point->reason);
    if (point->beyond_tail[0]) summary_set_object(into, "tail_needed", need_json(&point->need));
    if (given) {
        summary_set_null(into, "reached", "the threshold was given");
        return;
    }
    summary_set(into, "reached", json_boolean(point->reached));
    if (!point->reached) summary_set_text(into, "reached_reason", point->reached_reason);
}
