/* protocol_json -- a protocol as the text that evidence and digests keep, and back. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/protocol.h"

static const char *const kind_names[] = {
    [ASSAY_PROTOCOL_ALL] = "all",
    [ASSAY_PROTOCOL_CROSS] = "cross",
    [ASSAY_PROTOCOL_ONE_PER_SUBJECT] = "one-per-subject",
    [ASSAY_PROTOCOL_PAIR_LIST] = "pairs",
    [ASSAY_PROTOCOL_SCORES] = "scores",
};
static const char *const mode_names[] = {
    [ASSAY_HISTOGRAM_FULL] = "full",
    [ASSAY_HISTOGRAM_SAMPLE] = "sample",
    [ASSAY_HISTOGRAM_NONE] = "none",
};

/* ---- to JSON: keys in sorted order, seeds as strings since they need all 64 bits ---- */

static assay_status put_string(assay_text *text, const char *value) {
    if (!value) {
        assay_text_append(text, "null");
        return ASSAY_OK;
    }
    json_t *json = json_string(value);
    char *quoted = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!quoted) {
        return assay_fail(ASSAY_USAGE,
                          "protocol: '%s' cannot be written as JSON: it is not valid "
                          "UTF-8",
                          value);
    }
    assay_text_append(text, quoted);
    free(quoted);
    return ASSAY_OK;
}

static assay_status put_double(assay_text *text, const char *what, double value) {
    char number[ASSAY_NUMBER_SIZE];
    if (!isfinite(value)) {
        return assay_fail(ASSAY_USAGE, "protocol: %s is %s; expected a finite number", what,
                          assay_print_double(number, value));
    }
    if (value == 0) value = 0; /* -0 is the same number, and JSON's -0 a whole one without sign */
    assay_text_append(text, assay_print_double(number, value));
    return ASSAY_OK;
}

static assay_status put_doubles(assay_text *text, const char *what, const double *values,
                                uint32_t count) {
    assay_text_append(text, "[");
    for (uint32_t n = 0; n < count; n++) {
        if (n) assay_text_append(text, ",");
        assay_status status = put_double(text, what, values[n]);
        if (status != ASSAY_OK) return status;
    }
    assay_text_append(text, "]");
    return ASSAY_OK;
}

static assay_status put_strings(assay_text *text, char *const *values, uint32_t count) {
    assay_text_append(text, "[");
    for (uint32_t n = 0; n < count; n++) {
        if (n) assay_text_append(text, ",");
        assay_status status = put_string(text, values[n]);
        if (status != ASSAY_OK) return status;
    }
    assay_text_append(text, "]");
    return ASSAY_OK;
}

/* SHA-256 of i, j and reversed of each pair, each as 8 bytes little endian. */
static assay_status digest_pairs(const assay_protocol *protocol, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < protocol->pair_count; n++) {
        assay_digester_add_u64(digester, protocol->pairs[n].i);
        assay_digester_add_u64(digester, protocol->pairs[n].j);
        assay_digester_add_u64(digester, protocol->reversed ? protocol->reversed[n] : 0);
    }
    status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

static assay_status put_pairs(assay_text *text, const assay_protocol *protocol) {
    assay_digest digest;
    char hex[ASSAY_DIGEST_HEX];
    assay_status status = digest_pairs(protocol, &digest);
    if (status != ASSAY_OK) return status;
    assay_text_appendf(text, ",\"pair_count\":%" PRIu64 ",\"pairs_sha256\":\"%s\"",
                       protocol->pair_count, assay_digest_hex(hex, &digest));
    return ASSAY_OK;
}

assay_status assay_protocol_to_json(const assay_protocol *protocol, char **out) {
    assay_text text = {0};
    assay_status status = ASSAY_OK;

    assay_text_append(&text, "{\"fmr_targets\":");
    status = put_doubles(&text, "a target FMR", protocol->fmr_targets, protocol->fmr_target_count);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&text, ",\"histogram_by\":");
    status = put_strings(&text, protocol->histogram_by, protocol->histogram_by_count);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&text, ",\"histogram_fraction\":");
    status = put_double(&text, "the histogram's fraction", protocol->histogram_fraction);
    if (status != ASSAY_OK) goto out;
    assay_text_appendf(
        &text, ",\"histogram_mode\":\"%s\",\"histogram_seed\":\"%" PRIu64 "\",\"kind\":\"%s\"",
        mode_names[protocol->histogram_mode], protocol->histogram_seed, kind_names[protocol->kind]);
    status = put_pairs(&text, protocol);
    if (status != ASSAY_OK) goto out;
    assay_text_appendf(&text,
                       ",\"pick_seed\":\"%" PRIu64 "\",\"probe_value\":", protocol->pick_seed);
    status = put_string(&text, protocol->probe_value);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&text, ",\"reference_value\":");
    status = put_string(&text, protocol->reference_value);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&text, ",\"role_column\":");
    status = put_string(&text, protocol->role_column);
    if (status != ASSAY_OK) goto out;
    assay_text_appendf(&text, ",\"same_session\":%s,\"tail_cap\":%" PRIu64 ",\"thresholds\":",
                       protocol->same_session ? "true" : "false", protocol->tail_cap);
    status = put_doubles(&text, "a threshold", protocol->thresholds, protocol->threshold_count);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&text, "}");
    status = assay_text_status(&text);
    if (status != ASSAY_OK) goto out;
    *out = text.bytes;
    text.bytes = NULL;
out:
    assay_text_free(&text);
    return status;
}

/* ---- from JSON ---- */

static assay_status wrong(const char *key, const char *expected) {
    return assay_fail(ASSAY_FAILED, "protocol: '%s' is missing or not %s", key, expected);
}

static assay_status get_word(const json_t *root, const char *key, const char *const *words,
                             size_t count, size_t *out) {
    const char *value = json_string_value(json_object_get(root, key));
    for (size_t n = 0; value && n < count; n++) {
        if (strcmp(value, words[n]) == 0) {
            *out = n;
            return ASSAY_OK;
        }
    }
    return wrong(key, "a known word");
}

static assay_status get_seed(const json_t *root, const char *key, uint64_t *out) {
    const char *value = json_string_value(json_object_get(root, key));
    if (!value || !assay_parse_uint64(value, out)) return wrong(key, "a whole number in a string");
    return ASSAY_OK;
}

static assay_status get_text(const json_t *root, const char *key, char **out) {
    const json_t *value = json_object_get(root, key);
    if (json_is_null(value)) return ASSAY_OK;
    if (!json_is_string(value)) return wrong(key, "a string or null");
    return assay_copy_string(out, json_string_value(value));
}

/* Numbers from low to high. */
static assay_status get_doubles(const json_t *root, const char *key, double low, double high,
                                double **out, uint32_t *out_count) {
    const json_t *list = json_object_get(root, key);
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > UINT32_MAX) return wrong(key, "a list of numbers");
    assay_status status = assay_allocate(out, count, sizeof **out, key);
    if (status != ASSAY_OK) return status;
    *out_count = (uint32_t)count;
    for (size_t n = 0; n < count; n++) {
        const json_t *value = json_array_get(list, n);
        if (!json_is_number(value)) return wrong(key, "a list of numbers");
        (*out)[n] = json_number_value(value);
        if (!((*out)[n] >= low && (*out)[n] <= high))
            return wrong(key, "of numbers that it may have");
    }
    return ASSAY_OK;
}

static assay_status get_strings(const json_t *root, const char *key, char ***out,
                                uint32_t *out_count) {
    const json_t *list = json_object_get(root, key);
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > UINT32_MAX) return wrong(key, "a list of strings");
    assay_status status = assay_allocate(out, count, sizeof **out, key);
    if (status != ASSAY_OK) return status;
    *out_count = (uint32_t)count;
    for (size_t n = 0; n < count; n++) {
        const json_t *value = json_array_get(list, n);
        if (!json_is_string(value)) return wrong(key, "a list of strings");
        status = assay_copy_string(&(*out)[n], json_string_value(value));
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status get_scalars(const json_t *root, assay_protocol *protocol) {
    size_t word = 0;
    assay_status status =
        get_word(root, "kind", kind_names, sizeof kind_names / sizeof kind_names[0], &word);
    if (status != ASSAY_OK) return status;
    protocol->kind = (assay_protocol_kind)word;
    status = get_word(root, "histogram_mode", mode_names, sizeof mode_names / sizeof mode_names[0],
                      &word);
    if (status != ASSAY_OK) return status;
    protocol->histogram_mode = (assay_histogram_mode)word;
    const json_t *same_session = json_object_get(root, "same_session");
    if (!json_is_boolean(same_session)) return wrong("same_session", "true or false");
    protocol->same_session = json_is_true(same_session);
    const json_t *fraction = json_object_get(root, "histogram_fraction");
    if (!json_is_number(fraction)) return wrong("histogram_fraction", "a number");
    protocol->histogram_fraction = json_number_value(fraction);
    if (!(protocol->histogram_fraction >= 0 && protocol->histogram_fraction <= 1))
        return wrong("histogram_fraction", "a share from 0 to 1");
    const json_t *cap = json_object_get(root, "tail_cap");
    if (!json_is_integer(cap) || json_integer_value(cap) < 0) {
        return wrong("tail_cap", "a whole number");
    }
    protocol->tail_cap = (uint64_t)json_integer_value(cap);
    status = get_seed(root, "histogram_seed", &protocol->histogram_seed);
    if (status != ASSAY_OK) return status;
    return get_seed(root, "pick_seed", &protocol->pick_seed);
}

assay_status assay_protocol_from_json(const char *json, assay_protocol *out) {
    assay_protocol protocol = {0};
    json_error_t error;
    assay_status status = ASSAY_OK;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);

    if (!json_is_object(root)) {
        status = assay_fail(ASSAY_FAILED, "protocol: not a JSON object: %s",
                            root ? "it is something else" : error.text);
        goto out;
    }
    status = get_scalars(root, &protocol);
    if (status != ASSAY_OK) goto out;
    status = get_text(root, "role_column", &protocol.role_column);
    if (status != ASSAY_OK) goto out;
    status = get_text(root, "reference_value", &protocol.reference_value);
    if (status != ASSAY_OK) goto out;
    status = get_text(root, "probe_value", &protocol.probe_value);
    if (status != ASSAY_OK) goto out;
    status =
        get_strings(root, "histogram_by", &protocol.histogram_by, &protocol.histogram_by_count);
    if (status != ASSAY_OK) goto out;
    status =
        get_doubles(root, "fmr_targets", 0, 1, &protocol.fmr_targets, &protocol.fmr_target_count);
    if (status != ASSAY_OK) goto out;
    status = get_doubles(root, "thresholds", -INFINITY, INFINITY, &protocol.thresholds,
                         &protocol.threshold_count);
    if (status != ASSAY_OK) goto out;
    *out = protocol;
    memset(&protocol, 0, sizeof protocol);
out:
    assay_protocol_free(&protocol);
    json_decref(root);
    return status;
}
