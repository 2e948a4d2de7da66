/* template_csv -- templates as CSV, one a row (template_csv.h). */
#include "datasets/template_csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "datasets/base/memory.h"
#include "datasets/manifest_private.h"

typedef struct {
    assay_grid grid;
    assay_faults faults;
    assay_index *index;
    const char **cells; /* [column_count], of the row at hand */
    uint64_t *met;      /* [samples] line of the row that was theirs, or 0 */
    size_t id;          /* column */
    assay_npy_matrix matrix;
} csv_reading;

static void find_id(csv_reading *in, const char *id_column) {
    char hint[1024];
    const char *name = id_column == NULL ? "sample" : id_column;
    in->id = assay_grid_column(&in->grid, name);
    if (in->id == ASSAY_NO_COLUMN && id_column == NULL)
        in->id = assay_grid_column(&in->grid, "sample_id");
    if (in->id == ASSAY_NO_COLUMN)
        assay_faults_add(&in->faults, "%s:1:1: the header has no column '%s' of sample ids; %s",
                         in->grid.path, name,
                         assay_suggest(hint, sizeof hint, name,
                                       (const char *const *)in->grid.columns,
                                       in->grid.column_count));
    else if (in->grid.column_count < 2)
        assay_faults_add(&in->faults, "%s:1:1: expected columns of components beside '%s'",
                         in->grid.path, name);
}

static void read_components(csv_reading *in, uint64_t row, uint32_t sample) {
    float *out = in->matrix.values + (size_t)sample * in->matrix.columns;
    for (size_t n = 0; n < in->grid.column_count; n++) {
        double value = (double)NAN;
        if (n == in->id) continue;
        if (strcasecmp(in->cells[n], "nan") != 0 && !assay_parse_double(in->cells[n], &value))
            assay_grid_fault(&in->grid, row, n, &in->faults,
                             "'%.64s' is no finite number; expected a component, or nan",
                             in->cells[n]);
        *out++ = (float)value;
    }
}

static void read_row(csv_reading *in, uint64_t row) {
    uint32_t sample = 0;
    assay_grid_row(&in->grid, row, in->cells);
    if (!assay_index_find(in->index, in->cells[in->id], &sample)) {
        assay_grid_fault(&in->grid, row, in->id, &in->faults,
                         "'%.128s' is the id of no sample of the labels", in->cells[in->id]);
    } else if (in->met[sample] != 0) {
        assay_grid_fault(&in->grid, row, in->id, &in->faults,
                         "the template of '%.128s' is here and at line %" PRIu64, in->cells[in->id],
                         in->met[sample]);
    } else {
        in->met[sample] = in->grid.line[row];
        read_components(in, row, sample);
    }
}

static assay_status read_rows(csv_reading *in, const assay_sample_table *table) {
    const size_t columns = in->grid.column_count - 1;
    size_t count;
    if (columns > UINT32_MAX || !assay_multiply(table->row_count, columns, &count))
        return assay_fail(ASSAY_USAGE, "%s is larger than memory", in->grid.path);
    in->matrix = (assay_npy_matrix){.rows = table->row_count, .columns = (uint32_t)columns};
    assay_status status =
        assay_allocate(&in->matrix.values, count, sizeof *in->matrix.values, "templates");
    if (status == ASSAY_OK)
        status = assay_allocate(&in->cells, in->grid.column_count, sizeof *in->cells, "a row");
    if (status == ASSAY_OK)
        status = assay_allocate(&in->met, table->row_count, sizeof *in->met, "templates");
    if (status == ASSAY_OK) status = assay_index_samples(table, &in->index);
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < in->grid.row_count; row++) read_row(in, row);
    for (uint64_t n = 0; n < table->row_count; n++)
        if (in->met[n] == 0)
            assay_faults_add(&in->faults,
                             "%s: there is no template of the sample '%s'; expected a row of nan "
                             "where none could be made",
                             in->grid.path, table->sample_id[n]);
    return ASSAY_OK;
}

assay_status assay_template_csv_read(const char *path, const char *id_column,
                                     const assay_sample_table *table, assay_npy_matrix *out) {
    csv_reading in = {.index = NULL};
    assay_status status = assay_grid_read(path, &in.faults, &in.grid);
    const size_t before = in.faults.count;
    if (status == ASSAY_OK && in.grid.row_count > 0) {
        find_id(&in, id_column);
        if (in.faults.count == before) status = read_rows(&in, table);
    }
    if (status == ASSAY_OK) status = assay_faults_verdict(&in.faults, "the templates");
    if (status == ASSAY_OK) {
        *out = in.matrix;
        in.matrix = (assay_npy_matrix){0};
    }
    assay_npy_matrix_free(&in.matrix);
    assay_index_free(in.index);
    free(in.cells);
    free(in.met);
    assay_text_free(&in.faults.text);
    assay_grid_free(&in.grid);
    return status;
}
