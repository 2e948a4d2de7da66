/* records_declare -- what is where in records of others, from YAML (records.h). */
#include "datasets/records.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/manifest_private.h"
#include "datasets/yaml.h"

enum { GROUPS = 9, COLUMNS_MOST = 256, CODES_MOST = 1024 };
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const kinds[] = {
    [ASSAY_RECORD_ID] = "id", [ASSAY_RECORD_DATE] = "date", [ASSAY_RECORD_NUMBER] = "number"};

void assay_record_declaration_free(assay_record_declaration *declaration) {
    for (size_t n = 0; n < declaration->column_count; n++) {
        assay_record_column *column = &declaration->columns[n];
        for (size_t k = 0; k < column->code_count; k++) {
            free(column->words[k]);
            free(column->codes[k]);
        }
        free(column->words);
        free(column->codes);
        free(column->name);
        free(column->at);
        free(column->text);
    }
    free(declaration->columns);
    free(declaration->files);
    free(declaration->each);
    *declaration = (assay_record_declaration){0};
}

static assay_status take(assay_yaml *yaml, const assay_yaml_node *node, char **out) {
    const char *text = NULL;
    if (node == NULL || !assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    return assay_copy_string(out, text);
}

/* The number of groups of the pattern, or GROUPS where it is none. */
static size_t check_pattern(assay_yaml *yaml, const assay_yaml_node *node, const char *pattern) {
    regex_t compiled;
    char said[256];
    const int error = regcomp(&compiled, pattern, REG_EXTENDED);
    if (error != 0) {
        regerror(error, &compiled, said, sizeof said);
        assay_yaml_fault(yaml, node->line, node->column, "no regular expression: %s", said);
        return GROUPS;
    }
    const size_t groups = compiled.re_nsub;
    regfree(&compiled);
    return groups < GROUPS ? groups : GROUPS;
}

/* "A/B" as "/A/B". */
static assay_status take_way(assay_yaml *yaml, const assay_yaml_node *node, char **out) {
    const char *text = NULL;
    assay_text way = {0};
    if (node == NULL || !assay_yaml_string(yaml, node, &text)) return ASSAY_OK;
    const size_t length = strlen(text);
    if (length == 0 || text[0] == '/' || text[length - 1] == '/' || strstr(text, "//") != NULL ||
        strpbrk(text, ": \t@*[") != NULL) {
        assay_yaml_fault(yaml, node->line, node->column,
                         "expected names of elements without prefix, with '/' between them, found "
                         "'%s'",
                         text);
        return ASSAY_OK;
    }
    assay_text_appendf(&way, "/%s", text);
    const assay_status status = assay_text_status(&way);
    if (status == ASSAY_OK)
        *out = way.bytes;
    else
        assay_text_free(&way);
    return status;
}

/* A template, checked without its \v, which becomes ASSAY_RECORD_VALUE. */
static assay_status take_text(assay_yaml *yaml, const assay_yaml_node *node, size_t groups,
                              assay_record_column *column) {
    const assay_status status = take(yaml, node, &column->text);
    char *text = column->text;
    bool takes_value = false;
    size_t to = 0;
    if (status != ASSAY_OK || text == NULL) return status;
    for (size_t n = 0; text[n]; n++) {
        const bool escaped = text[n] == '\\' && text[n + 1] != '\0';
        if (escaped && text[n + 1] == 'v') {
            text[to++] = ASSAY_RECORD_VALUE;
            takes_value = true;
            n++;
            continue;
        }
        text[to++] = text[n];
        if (escaped) text[to++] = text[++n];
    }
    text[to] = '\0';
    if (assay_template_fault(text, groups) != SIZE_MAX)
        assay_yaml_fault(yaml, node->line, node->column,
                         "expected \\0 to \\%zu, \\b, \\v or \\\\ behind a backslash", groups);
    if (takes_value != (column->at != NULL))
        assay_yaml_fault(yaml, node->line, node->column,
                         takes_value ? "\\v is what `at` finds, and there is no `at`"
                                     : "what `at` finds goes nowhere: expected \\v in the text");
    return ASSAY_OK;
}

static assay_status take_codes(assay_yaml *yaml, const assay_yaml_node *map,
                               assay_record_column *column) {
    if (map->kind != ASSAY_YAML_MAP || map->count == 0 || map->count > CODES_MOST) {
        assay_yaml_fault(yaml, map->line, map->column,
                         "expected a map of 1 to %d texts to their codes", CODES_MOST);
        return ASSAY_OK;
    }
    column->kind = ASSAY_RECORD_CODE;
    assay_status status =
        assay_allocate(&column->words, map->count, sizeof *column->words, "codes");
    if (status == ASSAY_OK)
        status = assay_allocate(&column->codes, map->count, sizeof *column->codes, "codes");
    for (size_t n = 0; status == ASSAY_OK && n < map->count; n++) {
        const char *code = NULL;
        if (!assay_yaml_string(yaml, map->items[n], &code)) continue;
        const char *fault = assay_name_fault(code, strlen(code));
        if (fault != NULL) {
            assay_yaml_fault(yaml, map->items[n]->line, map->items[n]->column, "the code %s",
                             fault);
            continue;
        }
        status = assay_copy_string(&column->words[column->code_count], map->keys[n]);
        if (status == ASSAY_OK)
            status = assay_copy_string(&column->codes[column->code_count], code);
        column->code_count++;
    }
    return status;
}

static assay_status take_column(assay_yaml *yaml, const assay_yaml_node *node, size_t groups,
                                assay_record_column *column) {
    static const char *const keys[] = {"name", "at", "as", "codes", "text"};
    if (!assay_yaml_check_keys(yaml, node, keys, COUNT(keys)) && node->kind != ASSAY_YAML_MAP)
        return ASSAY_OK;
    const assay_yaml_node *as = assay_yaml_get(node, "as"), *at = assay_yaml_get(node, "at");
    const assay_yaml_node *codes = assay_yaml_get(node, "codes");
    const assay_yaml_node *text = assay_yaml_get(node, "text");
    const assay_yaml_node *name = assay_yaml_need(yaml, node, "name");
    size_t kind = ASSAY_RECORD_ID;
    assay_status status = take(yaml, name, &column->name);
    if (status == ASSAY_OK) status = take_way(yaml, at, &column->at);
    if (status == ASSAY_OK && text != NULL) status = take_text(yaml, text, groups, column);
    if (status != ASSAY_OK) return status;
    const char *fault =
        column->name == NULL ? NULL : assay_name_fault(column->name, strlen(column->name));
    if (fault != NULL) assay_yaml_fault(yaml, name->line, name->column, "the name %s", fault);
    if ((at == NULL && text == NULL) || (as != NULL) + (codes != NULL) + (text != NULL) != 1)
        assay_yaml_fault(yaml, node->line, node->column,
                         "a column has `text`, or `at` with one of `as` and `codes`: free text "
                         "becomes a label by a table alone");
    if (as != NULL && assay_yaml_word(yaml, as, kinds, COUNT(kinds), &kind))
        column->kind = (assay_record_kind)kind;
    return codes == NULL ? ASSAY_OK : take_codes(yaml, codes, column);
}

static void check_names(assay_yaml *yaml, const assay_yaml_node *list,
                        const assay_record_declaration *made) {
    static const char *const needed[] = {"sample_id", "subject_id"};
    for (size_t k = 0; k < COUNT(needed); k++) {
        size_t count = 0;
        for (size_t n = 0; n < made->column_count; n++)
            count += made->columns[n].name && strcmp(made->columns[n].name, needed[k]) == 0;
        if (count == 0)
            assay_yaml_fault(yaml, list->line, list->column, "the column '%s' is missing here",
                             needed[k]);
    }
    for (size_t n = 0; n < made->column_count; n++)
        for (size_t k = 0; k < n; k++)
            if (made->columns[n].name && made->columns[k].name &&
                strcmp(made->columns[n].name, made->columns[k].name) == 0)
                assay_yaml_fault(yaml, list->items[n]->line, list->items[n]->column,
                                 "the column '%s' is there twice", made->columns[n].name);
}

static assay_status declare(assay_yaml *yaml, assay_record_declaration *made) {
    static const char *const root_keys[] = {"records"};
    static const char *const keys[] = {"files", "each", "columns"};
    if (!assay_yaml_check_keys(yaml, yaml->root, root_keys, COUNT(root_keys)) &&
        yaml->root->kind != ASSAY_YAML_MAP)
        return ASSAY_OK;
    const assay_yaml_node *records = assay_yaml_need(yaml, yaml->root, "records");
    if (records == NULL || (!assay_yaml_check_keys(yaml, records, keys, COUNT(keys)) &&
                            records->kind != ASSAY_YAML_MAP))
        return ASSAY_OK;
    const assay_yaml_node *files = assay_yaml_need(yaml, records, "files");
    const assay_yaml_node *list = assay_yaml_need(yaml, records, "columns");
    size_t groups = GROUPS;
    assay_status status = take(yaml, files, &made->files);
    if (status == ASSAY_OK && made->files != NULL) groups = check_pattern(yaml, files, made->files);
    if (status == ASSAY_OK) status = take(yaml, assay_yaml_get(records, "each"), &made->each);
    if (status != ASSAY_OK || list == NULL) return status;
    if (list->kind != ASSAY_YAML_LIST || list->count == 0 || list->count > COLUMNS_MOST) {
        assay_yaml_fault(yaml, list->line, list->column, "expected a list of 1 to %d columns",
                         COLUMNS_MOST);
        return ASSAY_OK;
    }
    status = assay_allocate(&made->columns, list->count, sizeof *made->columns, "columns");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; n++)
        status = take_column(yaml, list->items[n], groups, &made->columns[made->column_count++]);
    if (status == ASSAY_OK) check_names(yaml, list, made);
    return status;
}

assay_status assay_record_declare(const char *path, assay_record_declaration *out) {
    assay_yaml yaml = {0};
    assay_record_declaration made = {0};
    assay_status status = assay_yaml_read(path, &yaml);
    if (status != ASSAY_OK) return status;
    status = declare(&yaml, &made);
    if (status == ASSAY_OK) status = assay_yaml_verdict(&yaml);
    if (status == ASSAY_OK)
        *out = made;
    else
        assay_record_declaration_free(&made);
    assay_yaml_free(&yaml);
    return status;
}
