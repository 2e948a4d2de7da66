/* manifest_attributes -- cells as codes of declared attributes, and what must hold within a
 * subject. */
#include "datasets/manifest_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

enum { CODE_LIMIT = 65535, PLACE_SIZE = 512, HINT_SIZE = 1024 };

/* ---- plan ---- */

assay_status assay_plan_attributes(const assay_manifest_declaration *declaration,
                                   const assay_grid *grid, size_t extra, assay_faults *faults,
                                   assay_table_plan *plan) {
    char hint[HINT_SIZE];
    size_t declared = declaration ? declaration->attribute_count : 0;
    assay_status status =
        assay_allocate(&plan->attributes, declared + extra, sizeof *plan->attributes, "attributes");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < declared; n++) {
        const assay_attribute_declaration *attribute = &declaration->attributes[n];
        size_t column = assay_grid_column(grid, attribute->column);
        if (column == ASSAY_NO_COLUMN) {
            assay_faults_add(faults,
                             "%s:1:1: the attribute '%s' is declared with the column '%s', which "
                             "is not in the header; %s",
                             grid->path, attribute->name, attribute->column,
                             assay_suggest(hint, sizeof hint, attribute->column,
                                           (const char *const *)grid->columns, grid->column_count));
            continue;
        }
        plan->attributes[plan->attribute_count++] =
            (assay_attribute_plan){.declared = attribute, .column = column};
    }
    return ASSAY_OK;
}

/* ---- one attribute ---- */

typedef struct {
    const assay_attribute_plan *plan;
    const assay_attribute_declaration *declared;
    const assay_grid *grid;
    assay_faults *faults;
    assay_attribute *attribute;
    assay_index *index; /* of the real values of a categorical attribute */
    size_t label_room;
    bool is_full;
} filling;

static bool is_unknown(const assay_attribute_declaration *declared, const char *cell) {
    for (size_t n = 0; n < declared->unknown_count; n++) {
        if (strcmp(declared->unknown[n], cell) == 0) return true;
    }
    return strcmp(cell, "unknown") == 0;
}

/* Adds value as a label; its code is its number in the index and the fixed codes before it. */
static assay_status add_value(filling *in, const char *value) {
    assay_attribute *attribute = in->attribute;
    assay_status status =
        assay_reserve(&attribute->labels, &in->label_room, (size_t)attribute->label_count + 1,
                      sizeof *attribute->labels, "labels");
    if (status != ASSAY_OK) return status;
    status = assay_copy_string(&attribute->labels[attribute->label_count], value);
    if (status == ASSAY_OK) attribute->label_count++;
    return status;
}

static void fault_unlisted(filling *in, uint64_t row, const char *value) {
    char hint[HINT_SIZE];
    assay_grid_fault(in->grid, row, in->plan->column, in->faults,
                     "'%.64s' is not among the values of '%s'; %s", value, in->declared->name,
                     assay_suggest(hint, sizeof hint, value,
                                   (const char *const *)in->declared->values,
                                   in->declared->value_count));
}

/* Whether the cell has two or more values between separators; each must be a declared one. */
static assay_status count_parts(filling *in, uint64_t row, const char *cell, bool *out) {
    const char *separator = in->declared->several;
    char *copy = NULL;
    size_t parts = 0;
    *out = false;
    if (!separator || !strstr(cell, separator)) return ASSAY_OK;
    assay_status status = assay_copy_string(&copy, cell);
    if (status != ASSAY_OK) return status;
    for (char *part = copy, *end = NULL; part; part = end) {
        uint32_t number = 0;
        end = strstr(part, separator);
        if (end) {
            *end = '\0';
            end += strlen(separator);
        }
        part += strspn(part, " ");
        size_t length = strlen(part);
        while (length > 0 && part[length - 1] == ' ') part[--length] = '\0';
        if (length == 0) continue;
        parts++;
        if (in->declared->value_count && !is_unknown(in->declared, part) &&
            !assay_index_find(in->index, part, &number)) {
            fault_unlisted(in, row, part);
        }
    }
    free(copy);
    *out = parts >= 2;
    return ASSAY_OK;
}

static assay_status set_value(filling *in, uint64_t row, const char *cell) {
    uint32_t number = 0;
    bool is_new = false;
    assay_status status = ASSAY_OK;
    if (in->declared->value_count) {
        if (assay_index_find(in->index, cell, &number)) {
            in->attribute->codes[row] = (uint16_t)(ASSAY_CODE_FIRST + number);
        } else {
            fault_unlisted(in, row, cell);
        }
        return ASSAY_OK;
    }
    if (in->is_full) return ASSAY_OK;
    status = assay_index_add(in->index, cell, &number, &is_new);
    if (status != ASSAY_OK) return status;
    if (number >= CODE_LIMIT - ASSAY_CODE_FIRST) {
        assay_grid_fault(in->grid, row, in->plan->column, in->faults,
                         "'%s' has more than %d different values; declare it numeric with bins, or "
                         "leave it out",
                         in->declared->name, CODE_LIMIT - ASSAY_CODE_FIRST);
        in->is_full = true;
        return ASSAY_OK;
    }
    in->attribute->codes[row] = (uint16_t)(ASSAY_CODE_FIRST + number);
    if (!is_new) return ASSAY_OK;
    const char *fault = assay_name_fault(cell, strlen(cell));
    for (int n = 0; n < ASSAY_CODE_FIRST && !fault; n++) {
        if (strcmp(in->attribute->labels[n], cell) == 0) fault = "is kept for groups without value";
    }
    if (fault) {
        assay_grid_fault(in->grid, row, in->plan->column, in->faults, "'%.64s' %s", cell, fault);
    }
    return add_value(in, cell);
}

static void set_number(filling *in, uint64_t row, const char *cell) {
    const assay_attribute_declaration *declared = in->declared;
    double value = 0.0;
    assay_text bins = {0};
    if (!assay_parse_double(cell, &value)) {
        assay_grid_fault(in->grid, row, in->plan->column, in->faults, "'%.64s' is no number", cell);
        return;
    }
    for (size_t n = 0; n < declared->bin_count; n++) {
        if (value < declared->bin_low[n] || value >= declared->bin_high[n]) continue;
        in->attribute->values[row] = value;
        in->attribute->codes[row] = (uint16_t)(ASSAY_CODE_FIRST + n);
        return;
    }
    for (size_t n = 0; n < declared->bin_count; n++) {
        assay_text_appendf(&bins, "%s%s", n ? ", " : "", declared->bin_labels[n]);
    }
    assay_grid_fault(in->grid, row, in->plan->column, in->faults,
                     "%.64s is in none of the bins of '%s': %s", cell, declared->name,
                     bins.bytes ? bins.bytes : "");
    assay_text_free(&bins);
}

static assay_status set_cell(filling *in, uint64_t row, const char *cell) {
    uint32_t number = 0;
    bool several = false;
    if (is_unknown(in->declared, cell)) {
        in->attribute->codes[row] = ASSAY_CODE_UNKNOWN;
        return ASSAY_OK;
    }
    if (cell[0] == '\0') return ASSAY_OK; /* missing, as it is from the start */
    if (!in->declared->value_count || !assay_index_find(in->index, cell, &number)) {
        assay_status status = count_parts(in, row, cell, &several);
        if (status != ASSAY_OK) return status;
    }
    if (several) {
        in->attribute->codes[row] = ASSAY_CODE_SEVERAL;
        return ASSAY_OK;
    }
    if (in->attribute->kind == ASSAY_ATTRIBUTE_CATEGORICAL) return set_value(in, row, cell);
    set_number(in, row, cell);
    return ASSAY_OK;
}

/* ---- order of values that were met ---- */

typedef struct {
    const char *label;
    uint32_t code;
} met_value;

static int compare_met(const void *a, const void *b) {
    return strcmp(((const met_value *)a)->label, ((const met_value *)b)->label);
}

/* Values that were not declared get codes by their sorted order, whatever the order of rows. */
static assay_status sort_values(assay_attribute *attribute, uint64_t rows) {
    uint32_t count = attribute->label_count - ASSAY_CODE_FIRST;
    met_value *met = NULL;
    uint16_t *codes = NULL;
    char **labels = NULL;
    assay_status status = assay_allocate(&met, count, sizeof *met, "labels");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&codes, attribute->label_count, sizeof *codes, "labels");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&labels, count, sizeof *labels, "labels");
    if (status != ASSAY_OK) goto out;
    for (uint32_t n = 0; n < count; n++) {
        met[n] = (met_value){attribute->labels[ASSAY_CODE_FIRST + n], ASSAY_CODE_FIRST + n};
        labels[n] = attribute->labels[ASSAY_CODE_FIRST + n];
    }
    qsort(met, count, sizeof *met, compare_met);
    for (uint32_t n = 0; n < ASSAY_CODE_FIRST; n++) codes[n] = (uint16_t)n;
    for (uint32_t n = 0; n < count; n++) {
        codes[met[n].code] = (uint16_t)(ASSAY_CODE_FIRST + n);
        attribute->labels[ASSAY_CODE_FIRST + n] = labels[met[n].code - ASSAY_CODE_FIRST];
    }
    for (uint64_t row = 0; row < rows; row++) attribute->codes[row] = codes[attribute->codes[row]];
out:
    free(labels);
    free(codes);
    free(met);
    return status;
}

/* ---- within a subject ---- */

static bool differ(const assay_attribute *attribute, uint64_t i, uint64_t j) {
    if (attribute->codes[i] != attribute->codes[j]) return true;
    return attribute->values && !isnan(attribute->values[i]) && !isnan(attribute->values[j]) &&
           attribute->values[i] != attribute->values[j];
}

/* Rows of one subject with two values; a missing cell is no value. faults NULL only asks whether.
 */
static assay_status check_subjects(const filling *in, const assay_sample_table *table,
                                   assay_faults *faults, bool *out_constant) {
    const assay_attribute *attribute = in->attribute;
    uint32_t *first = NULL;
    const char **cells = NULL, **others = NULL;
    char place[PLACE_SIZE];
    size_t column = in->plan->column;
    *out_constant = true;
    assay_status status = assay_allocate(&first, table->subject_count, sizeof *first, "subjects");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&cells, in->grid->column_count, sizeof *cells, "a row");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&others, in->grid->column_count, sizeof *others, "a row");
    if (status != ASSAY_OK) goto out;
    memset(first, 0xff, table->subject_count * sizeof *first);
    for (uint64_t row = 0; row < table->row_count; row++) {
        uint32_t subject = table->subject[row];
        if (attribute->codes[row] == ASSAY_CODE_MISSING) continue;
        if (first[subject] == UINT32_MAX) {
            first[subject] = (uint32_t)row;
        } else if (differ(attribute, first[subject], row)) {
            *out_constant = false;
            if (!faults) goto out;
            assay_grid_row(in->grid, row, cells);
            assay_grid_row(in->grid, first[subject], others);
            assay_grid_fault(in->grid, row, column, faults,
                             "the subject '%s' is '%.64s' here and '%.64s' at %s, but '%s' is "
                             "declared subject-level",
                             table->subject_id[subject], cells[column], others[column],
                             assay_grid_place(in->grid, first[subject], place, sizeof place),
                             attribute->name);
        }
    }
out:
    free(others);
    free(cells);
    free(first);
    return status;
}

/* ---- all of them ---- */

static assay_status start_attribute(filling *in, assay_sample_table *table) {
    const assay_attribute_declaration *declared = in->declared;
    uint32_t number = 0;
    uint16_t code = 0;
    assay_status status = assay_sample_table_add_attribute(
        table, declared->name, declared->kind, declared->level, declared->source, &number);
    if (status != ASSAY_OK) return status;
    in->attribute = &table->attributes[number];
    in->label_room = in->attribute->label_count;
    status = assay_index_open(&in->index);
    for (size_t n = 0; status == ASSAY_OK && n < declared->value_count; n++) {
        status = assay_index_add(in->index, declared->values[n], &number, NULL);
        if (status == ASSAY_OK) status = add_value(in, declared->values[n]);
    }
    for (size_t n = 0; status == ASSAY_OK && n < declared->bin_count; n++) {
        status = assay_attribute_add_label(in->attribute, declared->bin_labels[n], &code);
        if (status != ASSAY_OK) break;
        in->attribute->bin_low[n] = declared->bin_low[n];
        in->attribute->bin_high[n] = declared->bin_high[n];
    }
    return status;
}

static assay_status fill_attribute(const assay_attribute_plan *plan, const assay_grid *grid,
                                   const char **cells, assay_faults *faults,
                                   assay_sample_table *table) {
    filling in = {.plan = plan, .declared = plan->declared, .grid = grid, .faults = faults};
    bool is_constant = true;
    assay_status status = start_attribute(&in, table);
    for (uint64_t row = 0; status == ASSAY_OK && row < grid->row_count; row++) {
        assay_grid_row(grid, row, cells);
        status = set_cell(&in, row, cells[plan->column]);
    }
    if (status == ASSAY_OK && in.declared->kind == ASSAY_ATTRIBUTE_CATEGORICAL &&
        in.declared->value_count == 0) {
        status = sort_values(in.attribute, grid->row_count);
    }
    if (status == ASSAY_OK && plan->find_level) {
        status = check_subjects(&in, table, NULL, &is_constant);
        in.attribute->level = is_constant ? ASSAY_LEVEL_SUBJECT : ASSAY_LEVEL_SAMPLE;
    } else if (status == ASSAY_OK && in.declared->level == ASSAY_LEVEL_SUBJECT) {
        status = check_subjects(&in, table, faults, &is_constant);
    }
    assay_index_free(in.index);
    return status;
}

assay_status assay_table_fill_attributes(const assay_table_plan *plan, const assay_grid *grid,
                                         assay_faults *faults, assay_sample_table *table) {
    const char **cells = NULL;
    assay_status status =
        assay_allocate(&cells, grid->column_count, sizeof *cells, "the cells of a row");
    for (size_t n = 0; status == ASSAY_OK && n < plan->attribute_count; n++) {
        status = fill_attribute(&plan->attributes[n], grid, cells, faults, table);
    }
    free(cells);
    return status;
}
