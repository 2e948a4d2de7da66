/* manifest_write -- a manifest with the SHA-256 of every image, for whoever receives it with the
 * images.
 *
 * Cells are written as they came, also those that a spreadsheet would take for a formula: a
 * manifest is read by assay, and an id with something in front of it is another id. */
#include "datasets/manifest_private.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"

typedef struct {
    const assay_grid *grid;
    const assay_sample_table *table;
    const char **cells;  /* [column_count], of the row at hand */
    size_t path, sha256; /* columns; sha256 is ASSAY_NO_COLUMN where there is none */
    assay_text text;
    assay_manifest_hashes found;
} writing;

static void write_cell(writing *out, const char *cell) {
    const size_t length = strlen(cell);
    const bool blank = length && (strchr(" \t", cell[0]) || strchr(" \t", cell[length - 1]));
    if (length && strchr("=+-@\t\r", cell[0])) out->found.formulas++;
    if (!blank && !strpbrk(cell, ",\"\r\n")) {
        assay_text_append(&out->text, cell);
        return;
    }
    assay_text_append(&out->text, "\"");
    for (const char *c = cell; *c; c++) {
        if (*c == '"') assay_text_append(&out->text, "\"");
        assay_text_append_bytes(&out->text, c, 1);
    }
    assay_text_append(&out->text, "\"");
}

/* cells is [column_count]; last goes into the column of digests. */
static void write_line(writing *out, const char *const *cells, const char *last) {
    const size_t count = out->grid->column_count;
    for (size_t n = 0; n < count; n++) {
        if (n) assay_text_append(&out->text, ",");
        write_cell(out, n == out->sha256 ? last : cells[n]);
    }
    if (out->sha256 == ASSAY_NO_COLUMN) assay_text_appendf(&out->text, ",%s", last);
    assay_text_append(&out->text, "\n");
}

/* The files were hashed by way of the manifest as it was read first. */
static assay_status check_row(const writing *out, uint64_t row) {
    const assay_sample_table *table = out->table;
    if (strcmp(out->cells[out->path], table->path[row]) != 0)
        return assay_fail(ASSAY_FAILED, "%s changed while it was read", out->grid->path);
    if (table->enrolment[row] != ASSAY_ENROLMENT_EXCLUDED) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "the image of sample '%s' (%s) has another SHA-256 than the manifest says; "
                      "expected the one that was listed: nothing is written over a digest",
                      table->sample_id[row], table->path[row]);
}

static assay_status write_rows(writing *out) {
    char hex[ASSAY_DIGEST_HEX];
    write_line(out, (const char *const *)out->grid->columns,
               out->sha256 == ASSAY_NO_COLUMN ? assay_standard_columns[ASSAY_COLUMN_SHA256]
                                              : out->grid->columns[out->sha256]);
    for (uint64_t row = 0; row < out->grid->row_count; row++) {
        assay_grid_row(out->grid, row, out->cells);
        assay_status status = check_row(out, row);
        if (status != ASSAY_OK) return status;
        out->found.added += out->sha256 == ASSAY_NO_COLUMN || !out->cells[out->sha256][0];
        write_line(out, out->cells, assay_digest_hex(hex, &out->table->image_digest[row]));
    }
    return assay_text_status(&out->text);
}

/* The column of a standard name, by the name that the CSV has for it. */
static size_t column_of(const assay_manifest_declaration *declaration, const assay_grid *grid,
                        int standard) {
    const char *named = declaration->column_names[standard];
    return assay_grid_column(grid, named ? named : assay_standard_columns[standard]);
}

assay_status assay_manifest_write_hashes(const assay_manifest_declaration *declaration,
                                         const char *path, const assay_progress *progress,
                                         assay_manifest_hashes *out) {
    assay_sample_table table = {0};
    assay_grid grid = {0};
    assay_faults faults = {0};
    assay_text warnings = {0};
    writing to = {.grid = &grid, .table = &table};
    assay_status status = assay_manifest_read(declaration, progress, &table, &warnings);
    if (status != ASSAY_OK) goto out;
    status = assay_manifest_grid(declaration, NULL, &faults, NULL, &grid);
    if (status == ASSAY_OK) status = assay_faults_verdict(&faults, "the manifest");
    if (status != ASSAY_OK) goto out;
    to.path = column_of(declaration, &grid, ASSAY_COLUMN_PATH);
    to.sha256 = column_of(declaration, &grid, ASSAY_COLUMN_SHA256);
    if (grid.row_count != table.row_count || to.path == ASSAY_NO_COLUMN) {
        status = assay_fail(ASSAY_FAILED, "%s changed while it was read", grid.path);
        goto out;
    }
    status = assay_allocate(&to.cells, grid.column_count, sizeof *to.cells, "the cells of a row");
    if (status == ASSAY_OK) status = write_rows(&to);
    if (status == ASSAY_OK) status = assay_file_write(path, to.text.bytes, to.text.length);
    if (status != ASSAY_OK) goto out;
    to.found.samples = table.row_count;
    to.found.subjects = table.subject_count;
    *out = to.found;
out:
    free(to.cells);
    assay_text_free(&to.text);
    assay_text_free(&warnings);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    assay_sample_table_free(&table);
    return status;
}
