/* manifest_declare -- the `dataset:` section of a configuration (MANIFEST.md) as a declaration. */
#include <regex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/manifest.h"
#include "datasets/manifest_private.h"

enum { BIN_LIMIT = 1000, GROUPS = 9 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- freeing ---- */

static void free_strings(char **strings, size_t count) {
    for (size_t n = 0; strings && n < count; n++) free(strings[n]);
    free(strings);
}

static void free_attribute(assay_attribute_declaration *attribute) {
    free(attribute->name);
    free(attribute->column);
    free_strings(attribute->values, attribute->value_count);
    free_strings(attribute->unknown, attribute->unknown_count);
    free(attribute->several);
    free(attribute->bin_low);
    free(attribute->bin_high);
    free_strings(attribute->bin_labels, attribute->bin_count);
}

void assay_manifest_declaration_free(assay_manifest_declaration *declaration) {
    if (!declaration) return;
    free(declaration->name);
    free(declaration->root);
    free(declaration->csv);
    free(declaration->files);
    for (size_t n = 0; n < declaration->rule_count; n++) {
        free(declaration->rules[n].column);
        free(declaration->rules[n].template);
    }
    free(declaration->rules);
    for (size_t n = 0; n < declaration->join_count; n++) {
        struct assay_manifest_join *join = &declaration->joins[n];
        free(join->file);
        free(join->key);
        free(join->equals);
        free_strings(join->to, join->count);
        free_strings(join->from, join->count);
    }
    free(declaration->joins);
    for (size_t n = 0; n < ASSAY_COLUMN_COUNT; n++) free(declaration->column_names[n]);
    for (size_t n = 0; n < declaration->attribute_count; n++) {
        free_attribute(&declaration->attributes[n]);
    }
    free(declaration->attributes);
    free(declaration->notes_json);
    memset(declaration, 0, sizeof *declaration);
}

/* ---- helpers; all of them pass over a node that is NULL ---- */

typedef struct {
    assay_yaml *yaml;
    assay_manifest_declaration *out;
    size_t groups; /* of the pattern of files; GROUPS where it is no pattern */
} declaring;

/* A copy of a text that is not empty; *out stays NULL on a fault. */
static assay_status get_text(declaring *in, const assay_yaml_node *node, char **out) {
    const char *text = NULL;
    if (!assay_yaml_string(in->yaml, node, &text)) return ASSAY_OK;
    if (text[0] == '\0') {
        assay_yaml_fault(in->yaml, node->line, node->column, "expected a text, found an empty one");
        return ASSAY_OK;
    }
    return assay_copy_string(out, text);
}

/* As get_text, for what becomes a name or label. */
static assay_status get_name(declaring *in, const assay_yaml_node *node, char **out) {
    const char *text = NULL;
    if (!assay_yaml_string(in->yaml, node, &text)) return ASSAY_OK;
    const char *fault = assay_name_fault(text, strlen(text));
    if (fault) {
        assay_yaml_fault(in->yaml, node->line, node->column, "'%s' cannot be a name: it %s", text,
                         fault);
        return ASSAY_OK;
    }
    return assay_copy_string(out, text);
}

static bool is_kind(declaring *in, const assay_yaml_node *node, assay_yaml_kind kind,
                    const char *expected) {
    if (!node) return false;
    if (node->kind == kind) return true;
    assay_yaml_fault(in->yaml, node->line, node->column, "expected %s", expected);
    return false;
}

/* A list of texts without doubles. */
static assay_status get_list(declaring *in, const assay_yaml_node *node, bool are_names,
                             char ***out, size_t *out_count) {
    if (!is_kind(in, node, ASSAY_YAML_LIST, "a list, as [a, b]")) return ASSAY_OK;
    assay_status status = assay_allocate(out, node->count, sizeof **out, "a list");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < node->count; n++) {
        const assay_yaml_node *item = node->items[n];
        const char *text = NULL;
        bool is_double = false;
        if (!assay_yaml_string(in->yaml, item, &text)) continue;
        for (size_t k = 0; k < *out_count; k++) is_double |= strcmp((*out)[k], text) == 0;
        if (is_double) {
            assay_yaml_fault(in->yaml, item->line, item->column, "'%s' is in the list twice", text);
            continue;
        }
        char **to = &(*out)[*out_count];
        status = are_names ? get_name(in, item, to) : assay_copy_string(to, text);
        if (status != ASSAY_OK) return status;
        if (*to) (*out_count)++;
    }
    return ASSAY_OK;
}

static assay_status get_path(declaring *in, const assay_yaml_node *node, const char *base,
                             char **out) {
    char *text = NULL;
    assay_status status = get_text(in, node, &text);
    if (status == ASSAY_OK && text) status = assay_path_join(out, base, text);
    free(text);
    return status;
}

/* A template for cells, checked against the pattern's groups. */
static assay_status get_template(declaring *in, const assay_yaml_node *node, char **out) {
    const char *text = NULL;
    if (!assay_yaml_string(in->yaml, node, &text)) return ASSAY_OK;
    size_t fault = assay_template_fault(text, in->groups);
    if (fault != SIZE_MAX) {
        assay_yaml_fault(in->yaml, node->line, node->column,
                         "'%.3s' in '%s' stands for nothing; expected \\0 to \\%zu (the pattern's "
                         "groups), \\b or \\\\",
                         text + fault, text, in->groups);
        return ASSAY_OK;
    }
    return assay_copy_string(out, text);
}

/* ---- matched files ---- */

/* Whether a column is made already, by a rule or a join. */
static bool is_made(const assay_manifest_declaration *declaration, const char *column) {
    for (size_t n = 0; n < declaration->rule_count; n++) {
        if (strcmp(declaration->rules[n].column, column) == 0) return true;
    }
    for (size_t n = 0; n < declaration->join_count; n++) {
        for (size_t k = 0; k < declaration->joins[n].count; k++) {
            if (strcmp(declaration->joins[n].to[k], column) == 0) return true;
        }
    }
    return strcmp(column, assay_standard_columns[ASSAY_COLUMN_PATH]) == 0;
}

static bool may_make(declaring *in, const assay_yaml_node *map, size_t n) {
    if (!is_made(in->out, map->keys[n])) return true;
    assay_yaml_fault(in->yaml, map->key_lines[n], map->key_columns[n],
                     "the column '%s' is made already%s", map->keys[n],
                     strcmp(map->keys[n], "path") == 0 ? ": it is the file's path" : "");
    return false;
}

static assay_status declare_pattern(declaring *in, const assay_yaml_node *node) {
    regex_t pattern;
    char reason[256];
    assay_status status = get_text(in, node, &in->out->files);
    if (status != ASSAY_OK || !in->out->files) return status;
    for (const char *at = in->out->files; *at; at++) {
        if (*at != '\\' || *++at == '\0') continue;
        if (*at >= '1' && *at <= '9') {
            assay_yaml_fault(in->yaml, node->line, node->column,
                             "the pattern refers back to a group with '\\%c', which is not "
                             "supported",
                             *at);
        }
    }
    int error = regcomp(&pattern, in->out->files, REG_EXTENDED);
    if (error) {
        regerror(error, NULL, reason, sizeof reason);
        assay_yaml_fault(in->yaml, node->line, node->column,
                         "'%s' is no POSIX extended regular expression: %s", in->out->files,
                         reason);
        return ASSAY_OK;
    }
    in->groups = pattern.re_nsub < GROUPS ? pattern.re_nsub : GROUPS;
    regfree(&pattern);
    return ASSAY_OK;
}

static assay_status declare_rules(declaring *in, const assay_yaml_node *map) {
    assay_manifest_declaration *out = in->out;
    if (!is_kind(in, map, ASSAY_YAML_MAP, "a map of column: template")) return ASSAY_OK;
    assay_status status = assay_allocate(&out->rules, map->count, sizeof *out->rules, "columns");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < map->count; n++) {
        struct assay_manifest_rule *rule = &out->rules[out->rule_count];
        if (!may_make(in, map, n)) continue;
        status = get_template(in, map->items[n], &rule->template);
        if (status != ASSAY_OK) return status;
        if (!rule->template) continue;
        out->rule_count++;
        status = assay_copy_string(&rule->column, map->keys[n]);
        if (status != ASSAY_OK) {
            out->rule_count--;
            free(rule->template);
            rule->template = NULL;
            return status;
        }
    }
    return ASSAY_OK;
}

static assay_status declare_join_columns(declaring *in, const assay_yaml_node *map,
                                         struct assay_manifest_join *join) {
    if (!is_kind(in, map, ASSAY_YAML_MAP, "a map of column: the table's column")) return ASSAY_OK;
    assay_status status = assay_allocate(&join->to, map->count, sizeof *join->to, "columns");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&join->from, map->count, sizeof *join->from, "columns");
    for (size_t n = 0; status == ASSAY_OK && n < map->count; n++) {
        char *from = NULL;
        if (!may_make(in, map, n)) continue;
        status = get_text(in, map->items[n], &from);
        if (status != ASSAY_OK || !from) continue;
        status = assay_copy_string(&join->to[join->count], map->keys[n]);
        if (status != ASSAY_OK) {
            free(from);
            break;
        }
        join->from[join->count++] = from;
    }
    return status;
}

static assay_status declare_joins(declaring *in, const assay_yaml_node *list) {
    static const char *const keys[] = {"file", "key", "equals", "columns"};
    assay_manifest_declaration *out = in->out;
    if (!is_kind(in, list, ASSAY_YAML_LIST, "a list of label tables")) return ASSAY_OK;
    assay_status status = assay_allocate(&out->joins, list->count, sizeof *out->joins, "tables");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; n++) {
        const assay_yaml_node *map = list->items[n];
        assay_yaml_check_keys(in->yaml, map, keys, COUNT(keys));
        if (map->kind != ASSAY_YAML_MAP) continue;
        struct assay_manifest_join *join = &out->joins[out->join_count++];
        status = get_path(in, assay_yaml_need(in->yaml, map, "file"), out->root ? out->root : ".",
                          &join->file);
        if (status != ASSAY_OK) break;
        status = get_text(in, assay_yaml_need(in->yaml, map, "key"), &join->key);
        if (status != ASSAY_OK) break;
        status = get_template(in, assay_yaml_need(in->yaml, map, "equals"), &join->equals);
        if (status != ASSAY_OK) break;
        status = declare_join_columns(in, assay_yaml_need(in->yaml, map, "columns"), join);
    }
    return status;
}

static assay_status declare_files(declaring *in, const assay_yaml_node *map) {
    static const char *const keys[] = {"files", "columns", "tables"};
    static const int needed[] = {ASSAY_COLUMN_SAMPLE_ID, ASSAY_COLUMN_SUBJECT_ID};
    assay_yaml_check_keys(in->yaml, map, keys, COUNT(keys));
    assay_status status = declare_pattern(in, assay_yaml_need(in->yaml, map, "files"));
    if (status != ASSAY_OK) return status;
    const assay_yaml_node *columns = assay_yaml_need(in->yaml, map, "columns");
    status = declare_rules(in, columns);
    if (status != ASSAY_OK) return status;
    status = declare_joins(in, assay_yaml_get(map, "tables"));
    if (status != ASSAY_OK || !columns) return status;
    for (size_t n = 0; n < COUNT(needed); n++) {
        const char *name = assay_standard_columns[needed[n]];
        if (is_made(in->out, name) || assay_yaml_get(columns, name)) continue;
        assay_yaml_fault(in->yaml, columns->line, columns->column,
                         "the column '%s' is missing here", name);
    }
    return ASSAY_OK;
}

/* ---- a CSV's columns ---- */

static assay_status declare_columns(declaring *in, const assay_yaml_node *section) {
    const assay_yaml_node *map = assay_yaml_get(section, "columns");
    assay_status status = ASSAY_OK;
    if (!map) return ASSAY_OK;
    if (in->out->files) {
        assay_yaml_fault(in->yaml, map->line, map->column,
                         "columns of matched files belong below 'manifest:'");
        return ASSAY_OK;
    }
    assay_yaml_check_keys(in->yaml, map, assay_standard_columns, ASSAY_COLUMN_COUNT);
    for (size_t n = 0; status == ASSAY_OK && n < ASSAY_COLUMN_COUNT; n++) {
        const assay_yaml_node *name = assay_yaml_get(map, assay_standard_columns[n]);
        status = get_text(in, name, &in->out->column_names[n]);
    }
    return status;
}

/* ---- attributes ---- */

/* "13-17" holds 13 <= x < 18, "66+" has no end, "7" is 7-7. */
static bool parse_bin(const char *text, double *out_low, double *out_high) {
    char low[32];
    uint64_t from = 0, to = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9) return false;
    memcpy(low, text, digits);
    low[digits] = '\0';
    if (!assay_parse_uint64(low, &from)) return false;
    *out_low = (double)from;
    if (strcmp(text + digits, "+") == 0) {
        *out_high = INFINITY;
        return true;
    }
    to = from;
    if (text[digits] != '\0') {
        if (text[digits] != '-' || strlen(text + digits) > 10) return false;
        if (!assay_parse_uint64(text + digits + 1, &to) || to < from) return false;
    }
    *out_high = (double)to + 1.0;
    return true;
}

static assay_status declare_bins(declaring *in, const assay_yaml_node *list,
                                 assay_attribute_declaration *out) {
    if (!is_kind(in, list, ASSAY_YAML_LIST, "a list of bins, as [0-12, 13-17, 18+]")) {
        return ASSAY_OK;
    }
    if (list->count == 0 || list->count > BIN_LIMIT) {
        assay_yaml_fault(in->yaml, list->line, list->column, "expected 1 to %d bins, found %zu",
                         BIN_LIMIT, list->count);
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&out->bin_low, list->count, sizeof *out->bin_low, "bins");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&out->bin_high, list->count, sizeof *out->bin_high, "bins");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&out->bin_labels, list->count, sizeof *out->bin_labels, "bins");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; n++) {
        const assay_yaml_node *item = list->items[n];
        const char *text = NULL;
        size_t at = out->bin_count;
        if (!assay_yaml_string(in->yaml, item, &text)) continue;
        if (!parse_bin(text, &out->bin_low[at], &out->bin_high[at])) {
            assay_yaml_fault(in->yaml, item->line, item->column,
                             "'%s' is no bin; expected whole numbers as 13-17, 66+ or 7", text);
            continue;
        }
        if (at > 0 && out->bin_low[at] < out->bin_high[at - 1]) {
            assay_yaml_fault(in->yaml, item->line, item->column,
                             "the bin %s begins before the end of %s; expected rising bins that do "
                             "not overlap",
                             text, out->bin_labels[at - 1]);
            continue;
        }
        status = assay_copy_string(&out->bin_labels[at], text);
        if (status == ASSAY_OK) out->bin_count++;
    }
    return status;
}

static void check_attribute_name(declaring *in, const assay_yaml_node *map, const char *name) {
    const assay_yaml_node *node = assay_yaml_get(map, "name");
    for (size_t n = 0; n < ASSAY_COLUMN_COUNT; n++) {
        if (strcmp(name, assay_standard_columns[n]) != 0) continue;
        assay_yaml_fault(in->yaml, node->line, node->column,
                         "'%s' is a standard column and cannot be an attribute's name", name);
    }
    for (size_t n = 0; n + 1 < in->out->attribute_count; n++) {
        if (!in->out->attributes[n].name || strcmp(name, in->out->attributes[n].name) != 0)
            continue;
        assay_yaml_fault(in->yaml, node->line, node->column, "the attribute '%s' is declared twice",
                         name);
    }
}

static void declare_words(declaring *in, const assay_yaml_node *map,
                          assay_attribute_declaration *out) {
    static const char *const kinds[] = {"categorical", "numeric"};
    static const char *const levels[] = {"subject", "sample"};
    const char *sources[ASSAY_SOURCE_BY_CONSTRUCTION + 1];
    const assay_yaml_node *source = assay_yaml_need(in->yaml, map, "source");
    size_t word = 0;
    bool accepted = false;
    for (size_t n = 0; n < COUNT(sources); n++) {
        sources[n] = assay_label_source_name((assay_label_source)n);
    }
    if (assay_yaml_word(in->yaml, assay_yaml_get(map, "kind"), kinds, COUNT(kinds), &word)) {
        out->kind = (assay_attribute_kind)word;
    }
    if (assay_yaml_word(in->yaml, assay_yaml_need(in->yaml, map, "level"), levels, COUNT(levels),
                        &word)) {
        out->level = (assay_attribute_level)word;
    }
    if (!assay_yaml_word(in->yaml, source, sources, COUNT(sources), &word)) return;
    out->source = (assay_label_source)word;
    assay_yaml_bool(in->yaml, assay_yaml_get(map, "accept_inferred"), &accepted);
    if (out->source == ASSAY_SOURCE_INFERRED && !accepted) {
        assay_yaml_fault(in->yaml, source->line, source->column,
                         "inferred labels are refused: rates by them measure who infers as well as "
                         "who is compared; write 'accept_inferred: true' beside it to use them");
    }
}

/* Keys that do not go with the attribute's kind. */
static void check_kind(declaring *in, const assay_yaml_node *map,
                       const assay_attribute_declaration *attribute) {
    const assay_yaml_node *values = assay_yaml_get(map, "values");
    const assay_yaml_node *bins = assay_yaml_get(map, "bins");
    if (attribute->kind == ASSAY_ATTRIBUTE_NUMERIC && !bins) {
        assay_yaml_fault(in->yaml, map->line, map->column,
                         "a numeric attribute needs 'bins', as [0-12, 13-17, 18+]");
    }
    if (attribute->kind == ASSAY_ATTRIBUTE_NUMERIC && values) {
        assay_yaml_fault(in->yaml, values->line, values->column,
                         "a numeric attribute has 'bins', no 'values'");
    }
    if (attribute->kind == ASSAY_ATTRIBUTE_CATEGORICAL && bins) {
        assay_yaml_fault(in->yaml, bins->line, bins->column,
                         "bins need 'kind: numeric' beside them");
    }
}

/* The labels of missing, unknown and several values are nobody's value. */
static void check_values(declaring *in, const assay_yaml_node *map,
                         const assay_attribute_declaration *attribute) {
    static const char *const kept[] = {"(missing)", "(unknown)", "(several)"};
    const assay_yaml_node *values = assay_yaml_get(map, "values");
    for (size_t n = 0; n < attribute->value_count; n++) {
        for (size_t k = 0; k < COUNT(kept); k++) {
            if (strcmp(attribute->values[n], kept[k]) != 0) continue;
            assay_yaml_fault(in->yaml, values->line, values->column,
                             "'%s' is kept for groups without value", kept[k]);
        }
    }
}

static assay_status declare_attribute(declaring *in, const assay_yaml_node *map) {
    static const char *const keys[] = {"name",   "column",  "kind",    "level", "source",
                                       "values", "unknown", "several", "bins",  "accept_inferred"};
    assay_yaml_check_keys(in->yaml, map, keys, COUNT(keys));
    if (map->kind != ASSAY_YAML_MAP) return ASSAY_OK;
    assay_attribute_declaration *out = &in->out->attributes[in->out->attribute_count++];
    const assay_yaml_node *name = assay_yaml_need(in->yaml, map, "name");
    const assay_yaml_node *column = assay_yaml_get(map, "column");
    assay_status status = get_name(in, name, &out->name);
    if (status != ASSAY_OK) return status;
    status = get_text(in, column ? column : name, &out->column);
    if (status != ASSAY_OK) return status;
    if (out->name) check_attribute_name(in, map, out->name);
    declare_words(in, map, out);
    check_kind(in, map, out);
    if (in->out->files && out->column && !is_made(in->out, out->column)) {
        const assay_yaml_node *node = column ? column : name;
        assay_yaml_fault(in->yaml, node->line, node->column,
                         "no column '%s' is made below 'manifest:', by 'columns' or 'tables'",
                         out->column);
    }
    status = get_list(in, assay_yaml_get(map, "values"), true, &out->values, &out->value_count);
    if (status != ASSAY_OK) return status;
    status =
        get_list(in, assay_yaml_get(map, "unknown"), false, &out->unknown, &out->unknown_count);
    if (status != ASSAY_OK) return status;
    check_values(in, map, out);
    status = get_text(in, assay_yaml_get(map, "several"), &out->several);
    if (status != ASSAY_OK) return status;
    return declare_bins(in, assay_yaml_get(map, "bins"), out);
}

static assay_status declare_attributes(declaring *in, const assay_yaml_node *list) {
    if (!is_kind(in, list, ASSAY_YAML_LIST, "a list of attributes")) return ASSAY_OK;
    assay_status status = assay_allocate(&in->out->attributes, list->count,
                                         sizeof *in->out->attributes, "attributes");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; n++) {
        status = declare_attribute(in, list->items[n]);
    }
    return status;
}

/* ---- what may lie below the root ---- */

static void declare_allowed(declaring *in, const assay_yaml_node *list) {
    static const char *const words[] = {"hard-links",
                                        "mounts"}; /* bits of assay_file_open_beneath */
    if (!is_kind(in, list, ASSAY_YAML_LIST, "a list, as [hard-links, mounts]")) return;
    for (size_t n = 0; n < list->count; n++) {
        size_t word;
        if (assay_yaml_word(in->yaml, list->items[n], words, COUNT(words), &word))
            in->out->allowed |= 1u << word;
    }
}

/* ---- notes ---- */

/* A node as JSON: texts, lists and maps of them. NULL where memory ran out or a text is no UTF-8.
 */
static json_t *to_json(const assay_yaml_node *node) {
    if (node->kind == ASSAY_YAML_SCALAR) return json_string(node->text);
    json_t *json = node->kind == ASSAY_YAML_LIST ? json_array() : json_object();
    for (size_t n = 0; json && n < node->count; n++) {
        json_t *item = to_json(node->items[n]);
        int error = node->kind == ASSAY_YAML_LIST ? json_array_append_new(json, item)
                                                  : json_object_set_new(json, node->keys[n], item);
        if (error) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static assay_status declare_notes(declaring *in, const assay_yaml_node *node) {
    if (!node) return assay_copy_string(&in->out->notes_json, "{}");
    if (!is_kind(in, node, ASSAY_YAML_MAP, "a map of notes")) return ASSAY_OK;
    json_t *json = to_json(node);
    in->out->notes_json = json ? json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(json);
    if (in->out->notes_json) return ASSAY_OK;
    assay_yaml_fault(in->yaml, node->line, node->column, "the notes are not valid UTF-8");
    return ASSAY_OK;
}

/* ---- the section ---- */

static assay_status declare_manifest(declaring *in, const assay_yaml_node *node) {
    if (!node) return ASSAY_OK;
    if (node->kind == ASSAY_YAML_MAP) return declare_files(in, node);
    if (node->kind == ASSAY_YAML_SCALAR) {
        return get_path(in, node, in->out->root ? in->out->root : ".", &in->out->csv);
    }
    assay_yaml_fault(in->yaml, node->line, node->column,
                     "expected the name of a CSV file, or a map with 'files' and 'columns'");
    return ASSAY_OK;
}

assay_status assay_manifest_declare(assay_yaml *yaml, const assay_yaml_node *section,
                                    const char *base, assay_manifest_declaration *out) {
    static const char *const keys[] = {"name",       "root",  "manifest", "columns",
                                       "attributes", "allow", "notes"};
    assay_manifest_declaration declaration = {0};
    declaring in = {.yaml = yaml, .out = &declaration, .groups = GROUPS};
    assay_status status = ASSAY_OK;
    if (!section) return ASSAY_OK;

    assay_yaml_check_keys(yaml, section, keys, COUNT(keys));
    status = get_name(&in, assay_yaml_need(yaml, section, "name"), &declaration.name);
    if (status != ASSAY_OK) goto out;
    status = get_path(&in, assay_yaml_need(yaml, section, "root"), base, &declaration.root);
    if (status != ASSAY_OK) goto out;
    status = declare_manifest(&in, assay_yaml_need(yaml, section, "manifest"));
    if (status != ASSAY_OK) goto out;
    status = declare_columns(&in, section);
    if (status != ASSAY_OK) goto out;
    status = declare_attributes(&in, assay_yaml_get(section, "attributes"));
    if (status != ASSAY_OK) goto out;
    declare_allowed(&in, assay_yaml_get(section, "allow"));
    status = declare_notes(&in, assay_yaml_get(section, "notes"));
    if (status != ASSAY_OK) goto out;
    *out = declaration;
    memset(&declaration, 0, sizeof declaration);
out:
    assay_manifest_declaration_free(&declaration);
    return status;
}
