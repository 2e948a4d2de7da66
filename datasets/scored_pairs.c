/* scored_pairs -- comparisons with their samples, from CSV (scored_pairs.h). */
#include "datasets/scored_pairs.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/manifest_private.h"

#define LIST_BYTES_MOST ((size_t)1 << 30)

void assay_scored_pairs_free(assay_scored_pairs *list) {
    free(list->pairs);
    *list = (assay_scored_pairs){0};
}

enum { REFERENCE, PROBE, SCORE, COLUMNS };
static const char *const column_names[COLUMNS] = {"reference", "probe", "score"};

static void find_columns(const assay_grid *grid, size_t column[COLUMNS], assay_faults *faults) {
    char hint[1024];
    for (int n = 0; n < COLUMNS; n++) {
        column[n] = assay_grid_column(grid, column_names[n]);
        if (column[n] != ASSAY_NO_COLUMN) continue;
        assay_faults_add(faults, "%s:1:1: the header has no column '%s'; %s", grid->path,
                         column_names[n],
                         assay_suggest(hint, sizeof hint, column_names[n],
                                       (const char *const *)grid->columns, grid->column_count));
    }
}

static bool parse_score(const char *text, double *out) {
    if (strcasecmp(text, "nan") == 0) {
        *out = (double)NAN;
        return true;
    }
    return assay_parse_double(text, out);
}

static void read_row(const assay_grid *grid, uint64_t row, const size_t column[COLUMNS],
                     const char **cells, const assay_index *index, assay_faults *faults,
                     assay_scored_pair *out) {
    uint32_t *const rows[] = {&out->reference, &out->probe};
    bool known = true;
    for (int n = 0; n < SCORE; n++) {
        if (assay_index_find(index, cells[column[n]], rows[n])) continue;
        assay_grid_fault(grid, row, column[n], faults, "no sample has the id '%.128s'",
                         cells[column[n]]);
        known = false;
    }
    if (known && out->reference == out->probe)
        assay_grid_fault(grid, row, column[PROBE], faults,
                         "the sample '%.128s' is compared with itself", cells[column[PROBE]]);
    if (!parse_score(cells[column[SCORE]], &out->number))
        assay_grid_fault(grid, row, column[SCORE], faults,
                         "'%.64s' is no finite number; expected a score, or nan where the "
                         "comparison gave none",
                         cells[column[SCORE]]);
}

assay_status assay_scored_pairs_read(const char *path, const assay_sample_table *table,
                                     assay_scored_pairs *out) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    assay_index *index = NULL;
    assay_scored_pairs list = {0};
    const char **cells = NULL;
    size_t column[COLUMNS];
    assay_status status = assay_grid_read(path, &faults, &grid);
    if (status != ASSAY_OK) goto out;
    size_t before = faults.count;
    if (grid.row_count > 0) find_columns(&grid, column, &faults);
    if (grid.row_count > 0 && faults.count == before) {
        if ((status = assay_index_samples(table, &index))) goto out;
        status = assay_allocate(&list.pairs, grid.row_count, sizeof *list.pairs, "comparisons");
        if (status != ASSAY_OK) goto out;
        status = assay_allocate(&cells, grid.column_count, sizeof *cells, "a row");
        if (status != ASSAY_OK) goto out;
        for (uint64_t row = 0; row < grid.row_count; row++) {
            assay_grid_row(&grid, row, cells);
            read_row(&grid, row, column, cells, index, &faults, &list.pairs[list.count++]);
        }
    }
    if ((status = assay_faults_verdict(&faults, "the comparisons"))) goto out;
    *out = list;
    list = (assay_scored_pairs){0};
out:
    assay_scored_pairs_free(&list);
    free(cells);
    assay_index_free(index);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    return status;
}

/* ---- lists of samples ---- */

typedef struct {
    const char *path;
    bool is_lines;
    assay_index *index;
    uint8_t *seen; /* [samples] */
    uint32_t *rows;
    size_t room;
    uint64_t count;
} list_reader;

static assay_status take_id(list_reader *reader, const char *id) {
    char shown[160];
    uint32_t row = 0;
    const char *fault = NULL;
    assay_status status = assay_reserve(&reader->rows, &reader->room, reader->count + 1,
                                        sizeof *reader->rows, "a list of samples");
    if (status != ASSAY_OK) return status;
    if (!assay_index_find(reader->index, id, &row))
        fault = "is the id of no sample of the labels";
    else if (reader->seen[row]++)
        fault = "is there a second time";
    if (fault)
        return assay_fail(ASSAY_USAGE, "%s%s%" PRIu64 ": '%s' %s", reader->path,
                          reader->is_lines ? ":" : ", number ", reader->count + 1,
                          assay_printable(shown, sizeof shown, id), fault);
    reader->rows[reader->count++] = row;
    return ASSAY_OK;
}

/* text has a NUL behind its length bytes. */
static assay_status take_lines(list_reader *reader, char *text, size_t length) {
    assay_status status = ASSAY_OK;
    if (memchr(text, '\0', length))
        return assay_fail(ASSAY_USAGE, "%s has a NUL byte, expected a sample id a line",
                          reader->path);
    for (size_t at = 0; status == ASSAY_OK && at < length;) {
        char *line = text + at, *end = memchr(line, '\n', length - at);
        size_t width = end ? (size_t)(end - line) : length - at;
        line[width] = '\0';
        if (width && line[width - 1] == '\r') line[width - 1] = '\0';
        at += width + 1;
        status = take_id(reader, line);
    }
    return status;
}

static assay_status open_list(list_reader *reader, const assay_sample_table *table) {
    assay_status status = assay_index_samples(table, &reader->index);
    if (status == ASSAY_OK)
        status = assay_allocate(&reader->seen, table->row_count, 1, "a list of samples");
    return status;
}

/* Gives the rows away where all went well. */
static void close_list(list_reader *reader, assay_status status, uint32_t **out) {
    if (status == ASSAY_OK)
        *out = reader->rows;
    else
        free(reader->rows);
    assay_index_free(reader->index);
    free(reader->seen);
}

assay_status assay_sample_list_read(const char *path, const assay_sample_table *table,
                                    uint32_t **out, uint64_t *out_count) {
    char *text = NULL;
    size_t length = 0;
    list_reader reader = {.path = path, .is_lines = true};
    assay_status status = assay_file_read(path, LIST_BYTES_MOST, &text, &length);
    if (status == ASSAY_OK) status = open_list(&reader, table);
    if (status == ASSAY_OK) status = take_lines(&reader, text, length);
    if (status == ASSAY_OK) *out_count = reader.count;
    close_list(&reader, status, out);
    free(text);
    return status;
}

assay_status assay_sample_list_of(const char *name, const assay_text_list *ids,
                                  const assay_sample_table *table, uint32_t **out) {
    list_reader reader = {.path = name};
    assay_status status = open_list(&reader, table);
    for (uint64_t n = 0; status == ASSAY_OK && n < ids->count; n++)
        status = take_id(&reader, assay_text_list_at(ids, n));
    close_list(&reader, status, out);
    return status;
}
