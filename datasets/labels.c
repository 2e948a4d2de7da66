/* labels -- labels of templates that were made elsewhere, and lists of pairs, both as CSV. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datasets/base/memory.h"
#include "datasets/manifest.h"
#include "datasets/manifest_private.h"

/* ---- labels ---- */

/* A standard column by the name that is declared for it, its own, or a short one. */
static size_t find_label_column(const assay_manifest_declaration *declared, const assay_grid *grid,
                                size_t which) {
    static const char *const short_names[ASSAY_COLUMN_COUNT] = {
        [ASSAY_COLUMN_SAMPLE_ID] = "sample", [ASSAY_COLUMN_SUBJECT_ID] = "subject"};
    if (declared && declared->column_names[which]) {
        return assay_grid_column(grid, declared->column_names[which]);
    }
    size_t column = assay_grid_column(grid, assay_standard_columns[which]);
    if (column == ASSAY_NO_COLUMN && short_names[which]) {
        column = assay_grid_column(grid, short_names[which]);
    }
    return column;
}

static void find_label_columns(const assay_manifest_declaration *declared, const assay_grid *grid,
                               assay_faults *faults, assay_table_plan *plan) {
    char hint[1024];
    for (size_t n = 0; n < ASSAY_COLUMN_COUNT; n++) {
        plan->standard[n] = ASSAY_NO_COLUMN;
        if (n != ASSAY_COLUMN_PATH) plan->standard[n] = find_label_column(declared, grid, n);
        if (plan->standard[n] != ASSAY_NO_COLUMN) continue;
        if (n != ASSAY_COLUMN_SAMPLE_ID && n != ASSAY_COLUMN_SUBJECT_ID) continue;
        const char *name = n == ASSAY_COLUMN_SAMPLE_ID ? "sample" : "subject";
        assay_faults_add(faults, "%s:1:1: the header has no column '%s' (or '%s'); %s", grid->path,
                         name, assay_standard_columns[n],
                         assay_suggest(hint, sizeof hint, name, (const char *const *)grid->columns,
                                       grid->column_count));
    }
}

static bool is_planned(const assay_table_plan *plan, const assay_grid *grid, size_t column) {
    for (size_t n = 0; n < ASSAY_COLUMN_COUNT; n++) {
        if (plan->standard[n] == column) return true;
    }
    for (size_t n = 0; n < plan->attribute_count; n++) {
        if (plan->attributes[n].column == column) return true;
    }
    return strcmp(grid->columns[column], assay_standard_columns[ASSAY_COLUMN_PATH]) == 0;
}

/* The age bands that a column of ages gets where nobody declared others (NIST's and ISO's adult
 * bands, with children apart). */
static const double age_low[] = {0, 13, 18, 36, 51, 66};
static const double age_high[] = {13, 18, 36, 51, 66, INFINITY};
static const char *const age_bands[] = {"0-12", "13-17", "18-35", "36-50", "51-65", "66+"};

/* Whether a column that nobody declared is one of ages: called so, and nothing in it but ages. */
static assay_status is_of_ages(const assay_grid *grid, size_t column, bool *out) {
    const char **cells = NULL;
    *out = false;
    if (strncasecmp(grid->columns[column], "age", 3) != 0) return ASSAY_OK;
    const assay_status status =
        assay_allocate(&cells, grid->column_count, sizeof *cells, "a row of labels");
    if (status != ASSAY_OK) return status;
    bool all = true;
    for (uint64_t row = 0; all && row < grid->row_count; row++) {
        double age = 0;
        assay_grid_row(grid, row, cells);
        const char *cell = cells[column];
        if (*cell == '\0' || strcasecmp(cell, "unknown") == 0) continue;
        all = assay_parse_double(cell, &age) && age >= 0 && age < 130;
    }
    free(cells);
    *out = all;
    return ASSAY_OK;
}

/* What was found is freed as one block: these tables are borrowed, never written. */
static void bin_ages(assay_attribute_declaration *found) {
    found->kind = ASSAY_ATTRIBUTE_NUMERIC;
    found->bin_low = (double *)age_low;
    found->bin_high = (double *)age_high;
    found->bin_labels = (char **)age_bands;
    found->bin_count = sizeof age_low / sizeof *age_low;
}

/* Columns that nobody declared become categorical attributes, ages by band; *out_found is theirs,
 * free(). */
static assay_status add_found(const assay_grid *grid, assay_faults *faults, assay_table_plan *plan,
                              assay_attribute_declaration **out_found) {
    assay_attribute_declaration *found = NULL;
    assay_status status = assay_allocate(&found, grid->column_count, sizeof *found, "attributes");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < grid->column_count; n++) {
        const char *fault = assay_name_fault(grid->columns[n], strlen(grid->columns[n]));
        if (is_planned(plan, grid, n)) continue;
        if (fault) {
            assay_faults_add(faults, "%s:1:%zu: the column's name %s", grid->path, n + 1, fault);
            continue;
        }
        found[n] = (assay_attribute_declaration){.name = grid->columns[n],
                                                 .column = grid->columns[n],
                                                 .kind = ASSAY_ATTRIBUTE_CATEGORICAL,
                                                 .level = ASSAY_LEVEL_SAMPLE,
                                                 .source = ASSAY_SOURCE_NOT_STATED};
        bool ages = false;
        status = is_of_ages(grid, n, &ages);
        if (status != ASSAY_OK) break;
        if (ages) bin_ages(&found[n]);
        for (size_t k = 0; k < plan->attribute_count; k++) {
            if (strcmp(plan->attributes[k].declared->name, found[n].name) != 0) continue;
            assay_faults_add(faults,
                             "%s:1:%zu: the column '%s' has the name of an attribute that is "
                             "declared with another column",
                             grid->path, n + 1, found[n].name);
        }
        plan->attributes[plan->attribute_count++] =
            (assay_attribute_plan){.declared = &found[n], .column = n, .find_level = true};
    }
    *out_found = found;
    return status;
}

/* The grid as a sample table; *out is written only where there is no fault. */
static assay_status label_grid(const assay_grid *grid, const assay_manifest_declaration *declared,
                               assay_faults *faults, assay_sample_table *out) {
    assay_table_plan plan = {.attributes = NULL};
    assay_attribute_declaration *found = NULL;
    assay_sample_table table = {0};
    assay_status status = ASSAY_OK;
    if (grid->row_count > 0) {
        size_t before = faults->count;
        find_label_columns(declared, grid, faults, &plan);
        status = assay_plan_attributes(declared, grid, grid->column_count, faults, &plan);
        if (status != ASSAY_OK) goto out;
        status = add_found(grid, faults, &plan, &found);
        if (status != ASSAY_OK) goto out;
        if (faults->count == before) {
            status = assay_table_build(&plan, grid, faults, &table);
            if (status != ASSAY_OK) goto out;
        }
    }
    status = assay_faults_verdict(faults, "the labels");
    if (status != ASSAY_OK) goto out;
    *out = table;
    memset(&table, 0, sizeof table);
out:
    assay_sample_table_free(&table);
    free(found);
    free(plan.attributes);
    return status;
}

assay_status assay_labels_read(const char *path, const assay_manifest_declaration *declared,
                               const assay_progress *progress, assay_sample_table *out) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    assay_status status = assay_grid_read(path, &faults, &grid);
    if (status == ASSAY_OK) status = label_grid(&grid, declared, &faults, out);
    if (status == ASSAY_OK &&
        assay_grid_column(&grid, assay_standard_columns[ASSAY_COLUMN_PATH]) != ASSAY_NO_COLUMN)
        assay_progress_note(progress, "%s: the column 'path' is not used", path);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    return status;
}

/* ---- labels of ids ---- */

static assay_status add_ids(const assay_text_list *samples, const assay_text_list *subjects,
                            assay_grid *grid) {
    char number[24];
    assay_status status = assay_grid_add_column(grid, "sample_id");
    if (status == ASSAY_OK) status = assay_grid_add_column(grid, "subject_id");
    for (uint64_t n = 0; status == ASSAY_OK && n < subjects->count; n++) {
        const size_t start = grid->used;
        const char *sample = number, *subject = assay_text_list_at(subjects, n);
        snprintf(number, sizeof number, "%" PRIu64, n + 1);
        if (samples != NULL) sample = assay_text_list_at(samples, n);
        status = assay_grid_add_cell(grid, sample, strlen(sample));
        if (status == ASSAY_OK) status = assay_grid_add_cell(grid, subject, strlen(subject));
        if (status == ASSAY_OK) status = assay_grid_end_row(grid, start, n + 1);
    }
    return status;
}

assay_status assay_labels_of_ids(const char *name, const assay_text_list *samples,
                                 const assay_text_list *subjects, assay_sample_table *out) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    if (samples != NULL && samples->count != subjects->count)
        return assay_fail(ASSAY_USAGE,
                          "%s has %" PRIu64 " subjects, and there are %" PRIu64
                          " samples: expected one subject a sample",
                          name, subjects->count, samples->count);
    assay_status status = assay_copy_string(&grid.path, name);
    if (status == ASSAY_OK) status = add_ids(samples, subjects, &grid);
    if (status == ASSAY_OK) status = label_grid(&grid, NULL, &faults, out);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    return status;
}

/* ---- pair lists ---- */

typedef struct {
    assay_row_pair pair;
    uint8_t reversed;
    uint32_t row; /* of the grid */
} listed_pair;

static int compare_pairs(const void *a, const void *b) {
    const listed_pair *x = a, *y = b;
    if (x->pair.i != y->pair.i) return x->pair.i < y->pair.i ? -1 : 1;
    if (x->pair.j != y->pair.j) return x->pair.j < y->pair.j ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The rows of a list as pairs, in the list's order; *out_count of them are right. Probes are rows
 * from probes_from on. */
static assay_status read_pairs(const assay_grid *grid, const size_t column[2],
                               const assay_index *index, uint32_t probes_from, assay_faults *faults,
                               listed_pair *out, uint64_t *out_count) {
    const char **cells = NULL;
    uint64_t count = 0;
    assay_status status = assay_allocate(&cells, grid->column_count, sizeof *cells, "a row");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < grid->row_count; row++) {
        uint32_t rows[2] = {0, 0};
        bool known = true;
        assay_grid_row(grid, row, cells);
        for (int n = 0; n < 2; n++) {
            if (assay_index_find(index, cells[column[n]], &rows[n])) continue;
            assay_grid_fault(grid, row, column[n], faults, "no sample has the id '%.128s'",
                             cells[column[n]]);
            known = false;
        }
        if (!known) continue;
        if (rows[0] == rows[1]) {
            assay_grid_fault(grid, row, column[1], faults, "the sample '%s' is paired with itself",
                             cells[column[0]]);
            continue;
        }
        rows[1] += probes_from;
        bool reversed = rows[0] > rows[1];
        out[count++] = (listed_pair){
            .pair = {reversed ? rows[1] : rows[0], reversed ? rows[0] : rows[1]},
            .reversed = reversed,
            .row = (uint32_t)row,
        };
    }
    free(cells);
    *out_count = count;
    return ASSAY_OK;
}

static void find_doubles(const assay_grid *grid, size_t column, const listed_pair *pairs,
                         uint64_t count, assay_faults *faults) {
    char place[64];
    for (uint64_t n = 1; n < count; n++) {
        if (pairs[n].pair.i != pairs[n - 1].pair.i || pairs[n].pair.j != pairs[n - 1].pair.j) {
            continue;
        }
        assay_grid_fault(grid, pairs[n].row, column, faults,
                         "the pair is here and at %s (the order of the two makes no other pair)",
                         assay_grid_place(grid, pairs[n - 1].row, place, sizeof place));
    }
}

static assay_status keep_pairs(const listed_pair *pairs, uint64_t count, assay_protocol *protocol) {
    assay_row_pair *rows = NULL;
    uint8_t *reversed = NULL;
    assay_status status = assay_allocate(&rows, count, sizeof *rows, "pairs");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&reversed, count, sizeof *reversed, "pairs");
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < count; n++) {
        rows[n] = pairs[n].pair;
        reversed[n] = pairs[n].reversed;
    }
    free(protocol->pairs);
    free(protocol->reversed);
    protocol->pairs = rows;
    protocol->reversed = reversed;
    protocol->pair_count = count;
    rows = NULL;
    reversed = NULL;
out:
    free(reversed);
    free(rows);
    return status;
}

static void find_pair_columns(const assay_grid *grid, size_t column[2], assay_faults *faults) {
    static const char *const names[2] = {"reference", "probe"};
    char hint[1024];
    for (int n = 0; n < 2; n++) {
        column[n] = assay_grid_column(grid, names[n]);
        if (column[n] != ASSAY_NO_COLUMN) continue;
        assay_faults_add(faults, "%s:1:1: the header has no column '%s'; %s", grid->path, names[n],
                         assay_suggest(hint, sizeof hint, names[n],
                                       (const char *const *)grid->columns, grid->column_count));
    }
}

assay_status assay_pair_list_read(const char *path, const assay_sample_table *table,
                                  assay_protocol *protocol) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    assay_index *index = NULL;
    listed_pair *pairs = NULL;
    uint64_t count = 0;
    size_t column[2] = {0, 0};
    assay_status status = assay_grid_read(path, &faults, &grid);
    if (status != ASSAY_OK) goto out;
    size_t before = faults.count;
    if (grid.row_count > 0) find_pair_columns(&grid, column, &faults);
    if (grid.row_count > 0 && faults.count == before) {
        status = assay_index_samples(table, &index);
        if (status != ASSAY_OK) goto out;
        status = assay_allocate(&pairs, grid.row_count, sizeof *pairs, "pairs");
        if (status != ASSAY_OK) goto out;
        const uint32_t probes_from =
            assay_sample_table_has_roles(table) ? (uint32_t)(table->row_count / 2) : 0;
        status = read_pairs(&grid, column, index, probes_from, &faults, pairs, &count);
        if (status != ASSAY_OK) goto out;
        qsort(pairs, count, sizeof *pairs, compare_pairs);
        find_doubles(&grid, column[0], pairs, count, &faults);
    }
    status = assay_faults_verdict(&faults, "the pair list");
    if (status != ASSAY_OK) goto out;
    status = keep_pairs(pairs, count, protocol);
out:
    free(pairs);
    assay_index_free(index);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    return status;
}
