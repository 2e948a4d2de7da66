/* comparator -- names and parameters of comparators (comparator.h). */
#include "kernels/comparator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/text.h"

static const struct {
    const char *name;
    const char *purpose;
} comparators[ASSAY_COMPARATOR_COUNT] = {
#define COMPARATOR(enumerator, name, purpose) [enumerator] = {name, purpose},
#include "kernels/comparators.def"
#undef COMPARATOR
};

const char *assay_comparator_name(assay_comparator comparator) {
    return comparators[comparator].name;
}

const char *assay_comparator_purpose(assay_comparator comparator) {
    return comparators[comparator].purpose;
}

static assay_status find_name(const char *text, size_t length, assay_comparator *out) {
    const char *known[ASSAY_COMPARATOR_COUNT];
    for (int n = 0; n < ASSAY_COMPARATOR_COUNT; n++) {
        known[n] = comparators[n].name;
        if (strlen(known[n]) == length && strncmp(text, known[n], length) == 0) {
            *out = (assay_comparator)n;
            return ASSAY_OK;
        }
    }
    char suggestion[256], name[ASSAY_COMPARATOR_TEXT];
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    return assay_fail(
        ASSAY_USAGE, "unknown comparator '%s'; %s", name,
        assay_suggest(suggestion, sizeof suggestion, name, known, ASSAY_COMPARATOR_COUNT));
}

/* "key=NUMBER" at the start of *text, which moves behind it and a comma. */
static bool take_number(const char **text, const char *key, uint32_t low, uint32_t high, bool *has,
                        uint32_t *out) {
    const size_t length = strlen(key);
    const char *at = *text + length + 1;
    uint64_t value = 0;
    if (*has || strncmp(*text, key, length) != 0 || (*text)[length] != '=') return false;
    if (*at < '0' || *at > '9') return false;
    for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (value < low || value > high || (*at != '\0' && *at != ',')) return false;
    if (*at == ',' && at[1] == '\0') return false;
    *text = *at == ',' ? at + 1 : at;
    *has = true;
    *out = (uint32_t)value;
    return true;
}

assay_status assay_comparator_read(const char *text, assay_comparator_settings *out) {
    const char *colon = strchr(text, ':');
    assay_comparator_settings settings = {0};
    const size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    assay_status status = find_name(text, length, &settings.comparator);
    if (status != ASSAY_OK) return status;
    if (colon != NULL && settings.comparator != ASSAY_HAMMING) {
        return assay_fail(ASSAY_USAGE, "comparator %s has no parameters; found '%s'",
                          assay_comparator_name(settings.comparator), colon);
    }
    const char *at = colon == NULL ? "" : colon + 1;
    bool good = colon == NULL || *at != '\0';
    while (good && *at != '\0') {
        good = take_number(&at, "shifts", 0, ASSAY_HAMMING_SHIFTS_MAX, &settings.has_shifts,
                           &settings.shifts) ||
               take_number(&at, "minimum-valid-bits", 1, ASSAY_HAMMING_BITS_MAX,
                           &settings.has_minimum, &settings.minimum_valid_bits);
    }
    if (!good) {
        return assay_fail(
            ASSAY_USAGE,
            "comparator '%s': expected hamming:shifts=S,minimum-valid-bits=B, each at "
            "most once, S from 0 to %d, B from 1 to %u",
            text, ASSAY_HAMMING_SHIFTS_MAX, ASSAY_HAMMING_BITS_MAX);
    }
    *out = settings;
    return ASSAY_OK;
}

assay_status assay_comparator_parse(const char *name, assay_comparator *out) {
    assay_comparator_settings settings;
    const assay_status status = assay_comparator_read(name, &settings);
    if (status == ASSAY_OK) *out = settings.comparator;
    return status;
}

void assay_comparator_print(const assay_comparator_settings *settings,
                            char out[ASSAY_COMPARATOR_TEXT]) {
    const char *name = assay_comparator_name(settings->comparator);
    if (settings->comparator != ASSAY_HAMMING) {
        snprintf(out, ASSAY_COMPARATOR_TEXT, "%s", name);
        return;
    }
    snprintf(out, ASSAY_COMPARATOR_TEXT, "%s:shifts=%" PRIu32 ",minimum-valid-bits=%" PRIu32, name,
             settings->shifts, settings->minimum_valid_bits);
}

void assay_comparator_complete(assay_comparator_settings *settings, uint32_t bits) {
    if (settings->comparator != ASSAY_HAMMING) return;
    if (!settings->has_minimum) settings->minimum_valid_bits = (bits + 3) / 4;
    settings->has_shifts = settings->has_minimum = true;
}

bool assay_comparator_fits(const char *asked, const char *made) {
    assay_comparator_settings x, y;
    if (assay_comparator_read(asked, &x) != ASSAY_OK) return false;
    if (assay_comparator_read(made, &y) != ASSAY_OK) return false;
    return x.comparator == y.comparator && (!x.has_shifts || x.shifts == y.shifts) &&
           (!x.has_minimum || x.minimum_valid_bits == y.minimum_valid_bits);
}
