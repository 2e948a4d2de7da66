/* score_list -- scores of one file: text, or an array of another tool (score_list.h). */
#include "datasets/score_list.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "datasets/array_file.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/manifest_private.h"

#define FILE_BYTES_MOST ((size_t)16 << 30)
#define LINE_BYTES_MOST 400 /* the longest double in full has 1,077 digits: nobody writes it */

void assay_score_values_free(assay_score_values *list) {
    free(list->values);
    *list = (assay_score_values){0};
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The number of line[length] without the blanks around it; why it is none, or NULL. */
static const char *parse_line(const char *line, size_t length, double *out) {
    char text[LINE_BYTES_MOST + 1];
    while (length && is_blank(*line)) {
        line++;
        length--;
    }
    while (length && is_blank(line[length - 1])) length--;
    if (!length) return "is empty";
    if (length > LINE_BYTES_MOST) return "is too long";
    memcpy(text, line, length);
    text[length] = '\0';
    if (strcasecmp(text, "nan") == 0) {
        *out = (double)NAN;
        return NULL;
    }
    if (strlen(text) != length || !assay_parse_double(text, out)) return "is no finite number";
    return NULL;
}

static assay_status refuse(const char *name, uint64_t number, const char *line, size_t length,
                           const char *fault) {
    char part[48], shown[160];
    if (length >= sizeof part) length = sizeof part - 1;
    memcpy(part, line, length);
    part[length] = '\0';
    return assay_fail(ASSAY_USAGE,
                      "%s:%" PRIu64 ": the line '%s' %s; expected one score, or nan where a "
                      "comparison gave none",
                      name, number, assay_printable(shown, sizeof shown, part), fault);
}

assay_status assay_score_text_parse(const char *name, const char *bytes, size_t length,
                                    assay_score_values *out) {
    assay_score_values list = {0};
    size_t room = 0;
    uint64_t number = 0;
    assay_status status = ASSAY_OK;
    for (size_t at = 0; at < length;) {
        const char *line = bytes + at, *end = memchr(line, '\n', length - at);
        size_t width = end ? (size_t)(end - line) : length - at;
        double value = 0;
        at += width + (end != NULL);
        number++;
        if (width && line[width - 1] == '\r') width--;
        const char *fault = parse_line(line, width, &value);
        if (fault) {
            status = refuse(name, number, line, width, fault);
            goto out;
        }
        status = assay_reserve(&list.values, &room, list.count + 1, sizeof *list.values, "scores");
        if (status != ASSAY_OK) goto out;
        list.values[list.count++] = value;
    }
    if (!list.count) {
        status = assay_fail(ASSAY_USAGE, "%s holds no score; expected one a line", name);
        goto out;
    }
    *out = list;
    list = (assay_score_values){0};
out:
    assay_score_values_free(&list);
    return status;
}

assay_status assay_score_text_read(const char *path, assay_score_values *out) {
    char *bytes = NULL;
    size_t length = 0;
    assay_status status = assay_file_read(path, FILE_BYTES_MOST, &bytes, &length);
    if (status == ASSAY_OK) status = assay_score_text_parse(path, bytes, length, out);
    free(bytes);
    return status;
}

/* ---- columns ---- */

static assay_status take_column(const assay_grid *grid, size_t column, assay_faults *faults,
                                assay_score_values *list) {
    const char **cells = NULL;
    assay_status status = assay_allocate(&cells, grid->column_count, sizeof *cells, "a row");
    if (status == ASSAY_OK)
        status = assay_allocate(&list->values, grid->row_count, sizeof *list->values, "scores");
    for (uint64_t row = 0; status == ASSAY_OK && row < grid->row_count; row++) {
        assay_grid_row(grid, row, cells);
        const char *cell = cells[column];
        const char *fault = parse_line(cell, strlen(cell), &list->values[list->count++]);
        if (fault != NULL)
            assay_grid_fault(grid, row, column, faults,
                             "'%.64s' %s; expected a score, or nan where a comparison gave none",
                             cell, fault);
    }
    free(cells);
    return status;
}

assay_status assay_score_column_read(const char *path, const char *column,
                                     assay_score_values *out) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    assay_score_values list = {0};
    char hint[1024];
    assay_status status = assay_grid_read(path, &faults, &grid);
    const size_t found = grid.row_count > 0 ? assay_grid_column(&grid, column) : ASSAY_NO_COLUMN;
    if (status == ASSAY_OK && grid.row_count > 0 && found == ASSAY_NO_COLUMN)
        assay_faults_add(&faults, "%s:1:1: the header has no column '%s'; %s", path, column,
                         assay_suggest(hint, sizeof hint, column, (const char *const *)grid.columns,
                                       grid.column_count));
    else if (status == ASSAY_OK && grid.row_count > 0)
        status = take_column(&grid, found, &faults, &list);
    if (status == ASSAY_OK) status = assay_faults_verdict(&faults, "the scores");
    if (status == ASSAY_OK) {
        *out = list;
        list = (assay_score_values){0};
    }
    assay_score_values_free(&list);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    return status;
}

/* ---- arrays ---- */

static assay_status take_array(const char *source, const assay_number_array *array,
                               assay_score_values *out) {
    assay_score_values list = {.count = array->rows * array->columns};
    if (array->rows != 1 && array->columns != 1)
        return assay_fail(ASSAY_USAGE,
                          "%s: an array of %" PRIu64 " rows and %" PRIu64
                          " columns is no list of scores; see assay import matrix",
                          source, array->rows, array->columns);
    assay_status status = assay_allocate(&list.values, list.count, sizeof *list.values, "scores");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < list.count; n++) {
        list.values[n] = assay_number_at(array, n);
        if (!isinf(list.values[n])) continue;
        free(list.values);
        return assay_fail(ASSAY_USAGE,
                          "%s: number %" PRIu64 " is infinite; expected scores, or nan where a "
                          "comparison gave none",
                          source, n + 1);
    }
    *out = list;
    return ASSAY_OK;
}

assay_status assay_score_list_read(const char *source, assay_score_values *out) {
    assay_number_array array = {0};
    if (!assay_array_file_is(source)) return assay_score_text_read(source, out);
    assay_status status = assay_array_file_read(source, &array);
    if (status == ASSAY_OK) status = take_array(source, &array, out);
    assay_number_array_free(&array);
    return status;
}
