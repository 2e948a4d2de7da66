/* manifest_rows -- a grid of cells as a sample table: ids, subjects and the standard columns. */
#include "datasets/manifest_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

enum { PLACE_SIZE = 512 };

/* ---- ids ---- */

typedef struct {
    assay_index *samples, *subjects;
    uint32_t *first_row; /* [row_count], by number of the sample id */
    uint32_t *subject;   /* [row_count] */
    const char **names;  /* [row_count], ids of subjects by number; borrowed from the grid */
    uint32_t subject_count;
} identities;

static void free_identities(identities *ids) {
    assay_index_free(ids->samples);
    assay_index_free(ids->subjects);
    free(ids->first_row);
    free(ids->subject);
    free(ids->names);
}

static void check_name(const assay_grid *grid, uint64_t row, size_t column, const char *cell,
                       assay_faults *faults) {
    const char *fault = assay_name_fault(cell, strlen(cell));
    if (!fault) return;
    assay_grid_fault(grid, row, column, faults, "'%.64s' %s", cell, fault);
}

static assay_status identify_row(const assay_table_plan *plan, const assay_grid *grid, uint64_t row,
                                 const char **cells, assay_faults *faults, identities *ids) {
    size_t sample = plan->standard[ASSAY_COLUMN_SAMPLE_ID];
    size_t subject = plan->standard[ASSAY_COLUMN_SUBJECT_ID];
    char place[PLACE_SIZE];
    uint32_t number = 0;
    bool is_new = false;
    check_name(grid, row, sample, cells[sample], faults);
    check_name(grid, row, subject, cells[subject], faults);
    assay_status status = assay_index_add(ids->samples, cells[sample], &number, &is_new);
    if (status != ASSAY_OK) return status;
    if (is_new) {
        ids->first_row[number] = (uint32_t)row;
    } else if (cells[sample][0]) {
        assay_grid_fault(grid, row, sample, faults, "the sample id '%s' is here and at %s",
                         cells[sample],
                         assay_grid_place(grid, ids->first_row[number], place, sizeof place));
    }
    status = assay_index_add(ids->subjects, cells[subject], &number, &is_new);
    if (status != ASSAY_OK) return status;
    if (is_new) ids->names[ids->subject_count++] = cells[subject];
    ids->subject[row] = number;
    return ASSAY_OK;
}

static assay_status identify(const assay_table_plan *plan, const assay_grid *grid,
                             assay_faults *faults, const char **cells, identities *ids) {
    assay_status status = assay_index_open(&ids->samples);
    if (status != ASSAY_OK) return status;
    status = assay_index_open(&ids->subjects);
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&ids->first_row, grid->row_count, sizeof *ids->first_row, "sample ids");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&ids->subject, grid->row_count, sizeof *ids->subject, "subjects");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&ids->names, grid->row_count, sizeof *ids->names, "subjects");
    for (uint64_t row = 0; status == ASSAY_OK && row < grid->row_count; row++) {
        assay_grid_row(grid, row, cells);
        status = identify_row(plan, grid, row, cells, faults, ids);
    }
    return status;
}

/* ---- standard columns ---- */

/* Columns whose cells become codes, each with an index of its own. */
typedef struct {
    int standard;
    assay_labelled *column;
    assay_index *index;
    size_t room;
} labelled_column;

enum { LABELLED_COUNT = 4 };

static assay_status set_label(labelled_column *to, const assay_grid *grid, uint64_t row,
                              size_t column, const char *cell, assay_faults *faults) {
    uint32_t number = 0;
    bool is_new = false;
    if (cell[0] == '\0') return ASSAY_OK;
    assay_status status = assay_index_add(to->index, cell, &number, &is_new);
    if (status != ASSAY_OK) return status;
    to->column->codes[row] = number + 1;
    if (!is_new) return ASSAY_OK;
    check_name(grid, row, column, cell, faults);
    status = assay_reserve(&to->column->labels, &to->room, to->column->label_count + 1,
                           sizeof *to->column->labels, "labels");
    if (status != ASSAY_OK) return status;
    status = assay_copy_string(&to->column->labels[to->column->label_count], cell);
    if (status == ASSAY_OK) to->column->label_count++;
    return status;
}

static assay_status fill_labelled(const assay_table_plan *plan, const assay_grid *grid,
                                  const char **cells, assay_faults *faults,
                                  assay_sample_table *table) {
    labelled_column columns[LABELLED_COUNT] = {
        {ASSAY_COLUMN_INSTANCE, &table->instance, NULL, 1},
        {ASSAY_COLUMN_SESSION, &table->session, NULL, 1},
        {ASSAY_COLUMN_ENVIRONMENT, &table->environment, NULL, 1},
        {ASSAY_COLUMN_LEGAL_BASIS, &table->legal_basis, NULL, 1},
    };
    assay_status status = ASSAY_OK;
    for (int n = 0; n < LABELLED_COUNT; n++) {
        status = assay_index_open(&columns[n].index);
        if (status != ASSAY_OK) goto out;
    }
    for (uint64_t row = 0; row < grid->row_count; row++) {
        assay_grid_row(grid, row, cells);
        for (int n = 0; n < LABELLED_COUNT; n++) {
            size_t column = plan->standard[columns[n].standard];
            if (column == ASSAY_NO_COLUMN) continue;
            status = set_label(&columns[n], grid, row, column, cells[column], faults);
            if (status != ASSAY_OK) goto out;
        }
    }
out:
    for (int n = 0; n < LABELLED_COUNT; n++) assay_index_free(columns[n].index);
    return status;
}

static void fill_time(const assay_grid *grid, uint64_t row, size_t column, const char **cells,
                      assay_faults *faults, int64_t *out) {
    if (column == ASSAY_NO_COLUMN || cells[column][0] == '\0') return;
    if (assay_parse_time(cells[column], out)) return;
    assay_grid_fault(grid, row, column, faults,
                     "'%.64s' is no time; expected a date as 2024-03-09, or with a time as "
                     "2024-03-09T12:30:00Z",
                     cells[column]);
}

static void fill_values(const assay_table_plan *plan, const assay_grid *grid, uint64_t row,
                        const char **cells, assay_faults *faults, assay_sample_table *table) {
    size_t quality = plan->standard[ASSAY_COLUMN_QUALITY];
    size_t sha256 = plan->standard[ASSAY_COLUMN_SHA256];
    fill_time(grid, row, plan->standard[ASSAY_COLUMN_CAPTURED], cells, faults,
              &table->captured[row]);
    fill_time(grid, row, plan->standard[ASSAY_COLUMN_RETAIN_UNTIL], cells, faults,
              &table->retain_until[row]);
    if (quality != ASSAY_NO_COLUMN && cells[quality][0] &&
        !assay_parse_double(cells[quality], &table->quality[row])) {
        assay_grid_fault(grid, row, quality, faults, "'%.64s' is no number", cells[quality]);
    }
    if (sha256 != ASSAY_NO_COLUMN && cells[sha256][0] &&
        !assay_digest_parse(cells[sha256], &table->image_digest[row])) {
        assay_grid_fault(grid, row, sha256, faults,
                         "'%.80s' is no SHA-256; expected 64 hexadecimal digits", cells[sha256]);
    }
}

static assay_status fill_path(const assay_table_plan *plan, const assay_grid *grid, uint64_t row,
                              const char **cells, assay_faults *faults, assay_sample_table *table) {
    size_t column = plan->standard[ASSAY_COLUMN_PATH];
    if (column == ASSAY_NO_COLUMN) return ASSAY_OK;
    const char *cell = cells[column];
    const char *fault = assay_path_fault(cell, strlen(cell));
    if (cell[0] == '\0') {
        assay_grid_fault(grid, row, column, faults, "missing file: the cell is empty");
    } else if (fault) {
        assay_grid_fault(grid, row, column, faults, "the path '%.64s' %s", cell, fault);
    }
    return assay_copy_string(&table->path[row], cell);
}

static assay_status fill_rows(const assay_table_plan *plan, const assay_grid *grid,
                              const char **cells, const identities *ids, assay_faults *faults,
                              assay_sample_table *table) {
    size_t sample = plan->standard[ASSAY_COLUMN_SAMPLE_ID];
    assay_status status = ASSAY_OK;
    for (uint32_t n = 0; status == ASSAY_OK && n < ids->subject_count; n++) {
        status = assay_copy_string(&table->subject_id[n], ids->names[n]);
    }
    for (uint64_t row = 0; status == ASSAY_OK && row < grid->row_count; row++) {
        assay_grid_row(grid, row, cells);
        table->subject[row] = ids->subject[row];
        status = assay_copy_string(&table->sample_id[row], cells[sample]);
        if (status != ASSAY_OK) break;
        status = fill_path(plan, grid, row, cells, faults, table);
        fill_values(plan, grid, row, cells, faults, table);
    }
    return status;
}

assay_status assay_table_build(const assay_table_plan *plan, const assay_grid *grid,
                               assay_faults *faults, assay_sample_table *out) {
    assay_sample_table table = {0};
    identities ids = {0};
    const char **cells = NULL;
    assay_status status =
        assay_allocate(&cells, grid->column_count, sizeof *cells, "the cells of a row");
    if (status != ASSAY_OK) goto out;
    status = identify(plan, grid, faults, cells, &ids);
    if (status != ASSAY_OK) goto out;
    status = assay_sample_table_create(grid->row_count, ids.subject_count, &table);
    if (status != ASSAY_OK) goto out;
    if (plan->standard[ASSAY_COLUMN_PATH] != ASSAY_NO_COLUMN) {
        status = assay_allocate(&table.path, grid->row_count, sizeof *table.path, "paths");
        if (status != ASSAY_OK) goto out;
    }
    status = fill_rows(plan, grid, cells, &ids, faults, &table);
    if (status != ASSAY_OK) goto out;
    status = fill_labelled(plan, grid, cells, faults, &table);
    if (status != ASSAY_OK) goto out;
    status = assay_table_fill_attributes(plan, grid, faults, &table);
    if (status != ASSAY_OK) goto out;
    *out = table;
    memset(&table, 0, sizeof table);
out:
    assay_sample_table_free(&table);
    free_identities(&ids);
    free(cells);
    return status;
}
