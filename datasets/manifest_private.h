/* manifest_private -- what the files of the manifest reader share: collected faults, a grid of
 * cells, an index of strings, and the steps from a declaration to a sample table. */
#ifndef ASSAY_DATASETS_MANIFEST_PRIVATE_H
#define ASSAY_DATASETS_MANIFEST_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/base/text.h"
#include "datasets/manifest.h"
#include "datasets/sample_table.h"

/* Standard columns, in the order of assay_manifest_declaration's column_names. */
enum {
    ASSAY_COLUMN_SAMPLE_ID,
    ASSAY_COLUMN_PATH,
    ASSAY_COLUMN_SUBJECT_ID,
    ASSAY_COLUMN_INSTANCE,
    ASSAY_COLUMN_SESSION,
    ASSAY_COLUMN_CAPTURED,
    ASSAY_COLUMN_ENVIRONMENT,
    ASSAY_COLUMN_QUALITY,
    ASSAY_COLUMN_SHA256,
    ASSAY_COLUMN_LEGAL_BASIS,
    ASSAY_COLUMN_RETAIN_UNTIL,
    ASSAY_COLUMN_COUNT,
};
extern const char *const assay_standard_columns[ASSAY_COLUMN_COUNT];

#define ASSAY_NO_COLUMN SIZE_MAX

/* ---- faults: the first hundred of them as far as an explanation holds them, and the count ---- */

typedef struct {
    assay_text text;
    size_t count;
    size_t shown;
} assay_faults;

void assay_faults_add(assay_faults *faults, const char *format, ...) ASSAY_PRINTF(2, 3);
/* ASSAY_OK where none was added, else ASSAY_USAGE with them; what is "the manifest". */
assay_status assay_faults_verdict(const assay_faults *faults, const char *what) ASSAY_MUST_CHECK;

/* One line to progress->note and to warnings; both may be NULL. */
void assay_manifest_warn(const assay_progress *progress, assay_text *warnings, const char *format,
                         ...) ASSAY_PRINTF(3, 4);

/* ---- index of strings ---- */

typedef struct assay_index assay_index;

assay_status assay_index_open(assay_index **out) ASSAY_MUST_CHECK;
void assay_index_free(assay_index *index); /* takes NULL */
/* Number of key (0, 1, … in the order of their first addition). key is borrowed for the index's
 * life. *out_is_new may be NULL. */
assay_status assay_index_add(assay_index *index, const char *key, uint32_t *out,
                             bool *out_is_new) ASSAY_MUST_CHECK;
bool assay_index_find(const assay_index *index, const char *key, uint32_t *out);
/* The sample ids of a table, each numbered by its row. */
assay_status assay_index_samples(const assay_sample_table *table,
                                 assay_index **out) ASSAY_MUST_CHECK;

/* ---- grid of cells ---- */

typedef struct {
    char *path; /* the CSV's; the data root where files were matched */
    bool matched;
    char **columns; /* [column_count] */
    size_t column_count, column_room;
    char *bytes; /* cells of all rows, each ended by a NUL, rows one after another */
    size_t used, room;
    size_t *start; /* [row_count] into bytes */
    size_t start_room;
    uint64_t *line; /* [row_count], of the record's first line; 0 where files were matched */
    size_t line_room;
    uint64_t row_count;
} assay_grid;

/* Reads a CSV file (strict: RFC 4180, UTF-8). What is wrong with it goes to faults; the rows that
 * are right are in *out. Other statuses than ASSAY_OK are for memory and I/O only. */
assay_status assay_grid_read(const char *path, assay_faults *faults,
                             assay_grid *out) ASSAY_MUST_CHECK;
void assay_grid_free(assay_grid *grid);
assay_status assay_grid_add_column(assay_grid *grid, const char *name) ASSAY_MUST_CHECK;
assay_status assay_grid_add_cell(assay_grid *grid, const char *cell,
                                 size_t length) ASSAY_MUST_CHECK;
/* Ends the row whose cells began at offset start of bytes. */
assay_status assay_grid_end_row(assay_grid *grid, size_t start, uint64_t line) ASSAY_MUST_CHECK;
/* Column by name, or ASSAY_NO_COLUMN. */
size_t assay_grid_column(const assay_grid *grid, const char *name);
/* cells is [column_count]; borrowed from grid. */
void assay_grid_row(const assay_grid *grid, uint64_t row, const char **cells);
/* "FILE:LINE:COLUMN: name: ", or "PATH: name: " where files were matched, before the message. */
void assay_grid_fault(const assay_grid *grid, uint64_t row, size_t column, assay_faults *faults,
                      const char *format, ...) ASSAY_PRINTF(5, 6);
/* "line 12", or the path of a matched file, where a message names a second place. */
const char *assay_grid_place(const assay_grid *grid, uint64_t row, char *out, size_t size);

/* ---- columns made from matched files ---- */

/* A column whose cells are template, with \0 … \9 and \b replaced from the match. */
struct assay_manifest_rule {
    char *column;
    char *template;
};

/* A label table: the row whose key column equals the replaced template gives columns to[n] the
 * values of the table's columns from[n]. */
struct assay_manifest_join {
    char *file; /* joined with the root already */
    char *key;
    char *equals;
    char **to, **from; /* [count] */
    size_t count;
};

/* Offset of the first byte of template that is no valid replacement for a pattern of groups groups,
 * or SIZE_MAX. */
size_t assay_template_fault(const char *template, size_t groups);

/* Every file below the declaration's root whose path matches, as a grid sorted by path. */
assay_status assay_manifest_match(const assay_manifest_declaration *declaration,
                                  const assay_progress *progress, assay_faults *faults,
                                  assay_text *warnings, assay_grid *out) ASSAY_MUST_CHECK;

/* The declared manifest's grid: of its CSV, or of matched files. */
assay_status assay_manifest_grid(const assay_manifest_declaration *declaration,
                                 const assay_progress *progress, assay_faults *faults,
                                 assay_text *warnings, assay_grid *out) ASSAY_MUST_CHECK;

/* ---- rows to a sample table ---- */

typedef struct {
    const assay_attribute_declaration *declared;
    size_t column;
    bool find_level; /* subject-level where it is constant within each subject */
} assay_attribute_plan;

typedef struct {
    size_t standard[ASSAY_COLUMN_COUNT]; /* column of the grid, or ASSAY_NO_COLUMN */
    assay_attribute_plan *attributes;    /* [attribute_count] */
    size_t attribute_count;
} assay_table_plan;

/* Finds the declared attributes' columns; one that is not there is a fault. plan->attributes is the
 * caller's to free() and has room for extra more. */
assay_status assay_plan_attributes(const assay_manifest_declaration *declaration,
                                   const assay_grid *grid, size_t extra, assay_faults *faults,
                                   assay_table_plan *plan) ASSAY_MUST_CHECK;

/* The table of the rows; the sha256 column's digests are in image_digest. Faults leave a table that
 * must not be used, though its paths and digests may be looked at. */
assay_status assay_table_build(const assay_table_plan *plan, const assay_grid *grid,
                               assay_faults *faults, assay_sample_table *out) ASSAY_MUST_CHECK;

/* Every attribute's column of the table (manifest_attributes.c); part of assay_table_build. */
assay_status assay_table_fill_attributes(const assay_table_plan *plan, const assay_grid *grid,
                                         assay_faults *faults,
                                         assay_sample_table *table) ASSAY_MUST_CHECK;

/* Opens and hashes every image beneath root; where there are faults already, only opens them. */
assay_status assay_manifest_hash(const assay_manifest_declaration *declaration,
                                 const assay_grid *grid, size_t path_column,
                                 const assay_progress *progress, assay_faults *faults,
                                 assay_text *warnings, assay_sample_table *table) ASSAY_MUST_CHECK;

#endif
