/* grouping -- attributes crossed with one another (grouping.h). */
#include "reports/grouping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

#define CODE_BITS 16 /* of a code; so many parts fit a key */

static uint16_t code_of_mean(const assay_attribute *part, uint32_t i, uint32_t j) {
    double mean = (part->values[i] + part->values[j]) / 2;
    if (isnan(mean)) return ASSAY_CODE_MISSING;
    for (uint32_t n = 0; n + ASSAY_CODE_FIRST < part->label_count; ++n)
        if (mean >= part->bin_low[n] && mean < part->bin_high[n])
            return (uint16_t)(n + ASSAY_CODE_FIRST);
    return ASSAY_CODE_UNKNOWN;
}

static uint16_t code_of_part(const assay_grouping *grouping, uint32_t part, uint32_t i, uint32_t j,
                             uint32_t probe) {
    const assay_attribute *attribute = grouping->parts[part];
    bool mean = grouping->mean_of_pair && attribute->kind == ASSAY_ATTRIBUTE_NUMERIC;
    return mean && i != j ? code_of_mean(attribute, i, j) : attribute->codes[probe];
}

/* Key of a combination; 0, and the code in *out_special, where it is none of real values. */
static uint64_t key_of(const assay_grouping *grouping, uint32_t i, uint32_t j, uint32_t probe,
                       uint16_t *out_special) {
    uint64_t key = 0;
    uint16_t special = ASSAY_CODE_FIRST;
    for (uint32_t n = 0; n < grouping->part_count; ++n) {
        uint16_t code = code_of_part(grouping, n, i, j, probe);
        if (code < special) special = code;
        key = key << CODE_BITS | code;
    }
    *out_special = special;
    return special < ASSAY_CODE_FIRST ? 0 : key;
}

static int rising(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint16_t code_of_key(const assay_grouping *grouping, uint64_t key) {
    const uint64_t *found = bsearch(
        &key, grouping->keys, grouping->made->label_count - ASSAY_CODE_FIRST, sizeof key, rising);
    return found ? (uint16_t)(found - grouping->keys + ASSAY_CODE_FIRST) : ASSAY_CODE_UNKNOWN;
}

uint16_t assay_grouping_of_mated(const assay_grouping *grouping, uint32_t i, uint32_t j,
                                 uint32_t probe) {
    uint16_t special;
    if (!grouping->made) return code_of_part(grouping, 0, i, j, probe);
    if (!grouping->mean_of_pair) return grouping->made->codes[probe];
    uint64_t key = key_of(grouping, i, j, probe, &special);
    return key ? code_of_key(grouping, key) : special;
}

/* ---- making one ---- */

static assay_status take_part(const assay_sample_table *table, const char *expression,
                              const char *name, size_t length, assay_grouping *grouping) {
    const assay_attribute *found = NULL;
    for (uint32_t n = 0; n < table->attribute_count; ++n)
        if (strlen(table->attributes[n].name) == length &&
            memcmp(table->attributes[n].name, name, length) == 0)
            found = &table->attributes[n];
    if (!found)
        return assay_fail(ASSAY_USAGE, "report by '%s': the evidence has no attribute '%.*s'",
                          expression, (int)length, name);
    for (uint32_t n = 0; n < grouping->part_count; ++n)
        if (grouping->parts[n] == found)
            return assay_fail(ASSAY_USAGE, "report by '%s': '%s' stands in it twice", expression,
                              found->name);
    if (grouping->part_count == ASSAY_GROUPING_PARTS)
        return assay_fail(ASSAY_USAGE, "report by '%s': more than %u attributes are crossed",
                          expression, ASSAY_GROUPING_PARTS);
    grouping->parts[grouping->part_count++] = found;
    return ASSAY_OK;
}

static assay_status take_parts(const assay_sample_table *table, const char *expression,
                               assay_grouping *grouping) {
    if (assay_sample_table_attribute(table, expression))
        return take_part(table, expression, expression, strlen(expression), grouping);
    assay_status status = ASSAY_OK;
    for (const char *from = expression; status == ASSAY_OK && from;) {
        const char *end = strchr(from, '*');
        size_t length = end ? (size_t)(end - from) : strlen(from);
        status = take_part(table, expression, from, length, grouping);
        from = end ? end + 1 : NULL;
    }
    return status;
}

/* Combinations of samples, and of mated pairs where these have means, each once and rising. */
static assay_status list_keys(const assay_sample_table *table, const assay_same_subject *same,
                              assay_grouping *grouping, size_t *out_count) {
    uint64_t pairs = grouping->mean_of_pair && same ? same->count : 0;
    size_t count = 0, kept = 0;
    uint16_t special;
    assay_status status = assay_allocate(&grouping->keys, table->row_count + 2 * pairs,
                                         sizeof *grouping->keys, "combinations of attributes");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        uint32_t at = (uint32_t)row;
        uint64_t key = key_of(grouping, at, at, at, &special);
        if (key) grouping->keys[count++] = key;
    }
    for (uint64_t n = 0; n < pairs; ++n) { /* either may be the probe */
        uint32_t i = same->pairs[n].i, j = same->pairs[n].j;
        uint64_t first = key_of(grouping, i, j, i, &special);
        uint64_t second = key_of(grouping, i, j, j, &special);
        if (first) grouping->keys[count++] = first;
        if (second) grouping->keys[count++] = second;
    }
    if (count) qsort(grouping->keys, count, sizeof *grouping->keys, rising);
    for (size_t n = 0; n < count; ++n)
        if (!kept || grouping->keys[kept - 1] != grouping->keys[n])
            grouping->keys[kept++] = grouping->keys[n];
    *out_count = kept;
    return ASSAY_OK;
}

static assay_status join(const assay_grouping *grouping, const uint64_t *key, char **out) {
    assay_text text = {0};
    for (uint32_t n = 0; n < grouping->part_count; ++n) {
        unsigned shift = CODE_BITS * (grouping->part_count - 1 - n);
        const assay_attribute *part = grouping->parts[n];
        if (n) assay_text_append(&text, " × ");
        assay_text_append(&text,
                          key ? part->labels[*key >> shift & ((1u << CODE_BITS) - 1)] : part->name);
    }
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = assay_copy_string(out, text.bytes);
    assay_text_free(&text);
    return status;
}

static assay_status label_keys(const assay_grouping *grouping, size_t count) {
    static const char *const fixed[] = {"(missing)", "(unknown)", "(several)"};
    assay_attribute *made = grouping->made;
    assay_status status = assay_allocate(&made->labels, count + ASSAY_CODE_FIRST,
                                         sizeof *made->labels, "labels of combinations");
    for (size_t n = 0; status == ASSAY_OK && n < count + ASSAY_CODE_FIRST; ++n) {
        status = n < ASSAY_CODE_FIRST
                     ? assay_copy_string(&made->labels[n], fixed[n])
                     : join(grouping, &grouping->keys[n - ASSAY_CODE_FIRST], &made->labels[n]);
        if (status == ASSAY_OK) made->label_count = (uint32_t)n + 1;
    }
    return status;
}

static assay_status cross(const assay_sample_table *table, const char *expression,
                          const assay_same_subject *same, assay_grouping *grouping) {
    size_t count = 0;
    uint16_t special;
    assay_attribute *made = NULL;
    assay_status status = list_keys(table, same, grouping, &count);
    if (status == ASSAY_OK && count + ASSAY_CODE_FIRST > UINT16_MAX)
        status = assay_fail(ASSAY_USAGE, "report by '%s': %zu combinations are too many",
                            expression, count);
    if (status == ASSAY_OK) status = assay_allocate(&made, 1, sizeof *made, "crossed attributes");
    if (status != ASSAY_OK) return status;
    grouping->made = made;
    grouping->attribute = made;
    made->source = grouping->parts[0]->source;
    for (uint32_t n = 0; n < grouping->part_count; ++n) {
        if (grouping->parts[n]->level == ASSAY_LEVEL_SAMPLE) made->level = ASSAY_LEVEL_SAMPLE;
        if (grouping->parts[n]->source != made->source) made->source = ASSAY_SOURCE_NOT_STATED;
    }
    status = join(grouping, NULL, &made->name);
    if (status == ASSAY_OK) status = label_keys(grouping, count);
    if (status == ASSAY_OK)
        status = assay_allocate(&made->codes, table->row_count, sizeof *made->codes,
                                "groups of samples");
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; ++row) {
        uint32_t at = (uint32_t)row;
        uint64_t key = key_of(grouping, at, at, at, &special);
        made->codes[row] = key ? code_of_key(grouping, key) : special;
    }
    return status;
}

assay_status assay_grouping_create(const assay_sample_table *table, const char *expression,
                                   bool mean_of_pair, const assay_same_subject *same,
                                   assay_grouping *out) {
    assay_grouping grouping = {0};
    assay_status status = take_parts(table, expression, &grouping);
    for (uint32_t n = 0; n < grouping.part_count; ++n)
        if (mean_of_pair && grouping.parts[n]->kind == ASSAY_ATTRIBUTE_NUMERIC)
            grouping.mean_of_pair = true;
    grouping.attribute = grouping.parts[0];
    if (status == ASSAY_OK && grouping.part_count > 1)
        status = cross(table, expression, same, &grouping);
    if (status == ASSAY_OK)
        *out = grouping;
    else
        assay_grouping_free(&grouping);
    return status;
}

void assay_grouping_free(assay_grouping *grouping) {
    if (grouping->made) {
        for (uint32_t n = 0; n < grouping->made->label_count; ++n) free(grouping->made->labels[n]);
        free(grouping->made->labels);
        free(grouping->made->codes);
        free(grouping->made->name);
        free(grouping->made);
    }
    free(grouping->keys);
    *grouping = (assay_grouping){0};
}

/* ---- what is crossed by itself ---- */

void assay_grouping_usual(const assay_sample_table *table, assay_text *out) {
    static const char *const names[][9] = {{"sex", "gender"},
                                           {"age_band", "age_group", "age"},
                                           {"origin", "ethnicity", "race", "region_of_birth",
                                            "country_of_birth", "nationality", "region",
                                            "country"}};
    const char *found[3];
    size_t count = 0;
    for (size_t kind = 0; kind < sizeof names / sizeof *names; ++kind)
        for (size_t n = 0; names[kind][n]; ++n)
            if (assay_sample_table_attribute(table, names[kind][n])) {
                found[count++] = names[kind][n];
                break;
            }
    for (size_t n = 0; count > 1 && n < count; ++n)
        assay_text_appendf(out, n ? "*%s" : "%s", found[n]);
}
