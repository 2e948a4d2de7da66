/* import_matrix -- matrices of scores that were made elsewhere, to evidence. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datasets/array_file.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/bee.h"
#include "datasets/sigset.h"
#include "harness/imports_private.h"

/* Cells by row (query, probe) and column (target, reference). */
typedef struct {
    uint64_t rows, columns;
    double *numbers; /* [rows][columns] */
    uint8_t *mask;   /* [rows][columns] of ASSAY_BEE_…, or NULL */
    bool distance;
} score_matrix;

static void matrix_free(score_matrix *matrix) {
    free(matrix->numbers);
    free(matrix->mask);
}

static assay_status allocate_cells(const char *path, score_matrix *matrix) {
    size_t cells;
    if (!assay_multiply(matrix->rows, matrix->columns, &cells))
        return assay_fail(ASSAY_USAGE, "%s is larger than memory", path);
    return assay_allocate(&matrix->numbers, cells, sizeof *matrix->numbers, "a matrix of scores");
}

static assay_status read_array(const char *source, score_matrix *matrix) {
    assay_number_array array = {0};
    assay_status status = assay_array_file_read(source, &array);
    if (status != ASSAY_OK) return status;
    matrix->rows = array.rows;
    matrix->columns = array.columns;
    status = allocate_cells(source, matrix);
    for (uint64_t n = 0; status == ASSAY_OK && n < array.rows * array.columns; n++)
        matrix->numbers[n] = assay_number_at(&array, n);
    assay_number_array_free(&array);
    return status;
}

static assay_status read_bee(const char *path, score_matrix *matrix) {
    assay_bee_matrix bee = {0};
    assay_status status = assay_bee_read(path, &bee);
    if (status != ASSAY_OK) return status;
    matrix->rows = bee.rows;
    matrix->columns = bee.columns;
    matrix->distance = bee.distance;
    if (bee.scores == NULL)
        status = assay_fail(ASSAY_USAGE, "%s is a mask, expected a matrix of scores", path);
    else
        status = allocate_cells(path, matrix);
    for (uint64_t n = 0; status == ASSAY_OK && n < bee.rows * bee.columns; n++)
        matrix->numbers[n] = (double)bee.scores[n];
    assay_bee_free(&bee);
    return status;
}

/* Numbers between commas, a row a line, as many in each; no header. */
static assay_status parse_csv(const char *path, char *text, size_t length, score_matrix *matrix) {
    size_t room = 0;
    uint64_t columns = 0, count = 0;
    for (size_t at = 0; at < length;) {
        char *end = memchr(text + at, '\n', length - at);
        size_t width = end ? (size_t)(end - text) - at : length - at;
        char *cell = text + at, *stop = text + at + width;
        *stop = '\0';
        if (width && stop[-1] == '\r') *--stop = '\0';
        at += width + 1;
        matrix->rows++;
        for (columns = 0; cell <= stop; columns++) {
            char *comma = memchr(cell, ',', (size_t)(stop - cell)), shown[64];
            char *behind = comma ? comma : stop;
            *behind = '\0';
            while (*cell == ' ') cell++;
            assay_status status =
                assay_reserve(&matrix->numbers, &room, count + 1, sizeof(double), "scores");
            if (status != ASSAY_OK) return status;
            matrix->numbers[count] = (double)NAN;
            if (strcasecmp(cell, "nan") != 0 && !assay_parse_double(cell, &matrix->numbers[count]))
                return assay_fail(ASSAY_USAGE,
                                  "%s:%" PRIu64 ":%" PRIu64 ": '%s' is no finite number; expected "
                                  "a score, or nan where a comparison gave none",
                                  path, matrix->rows, columns + 1,
                                  assay_printable(shown, sizeof shown, cell));
            count++;
            cell = behind + 1;
        }
        if (matrix->rows == 1) matrix->columns = columns;
        if (columns != matrix->columns)
            return assay_fail(ASSAY_USAGE,
                              "%s:%" PRIu64 ": the row has %" PRIu64 " cells, expected %" PRIu64
                              " as in the first",
                              path, matrix->rows, columns, matrix->columns);
    }
    if (matrix->rows == 0) return assay_fail(ASSAY_USAGE, "%s is empty", path);
    return ASSAY_OK;
}

static assay_status read_csv(const char *path, score_matrix *matrix) {
    char *text = NULL;
    size_t length = 0;
    assay_status status = assay_file_read(path, (size_t)16 << 30, &text, &length);
    if (status == ASSAY_OK) status = parse_csv(path, text, length, matrix);
    free(text);
    return status;
}

/* A mask as an array has the values of a BEE mask. */
static assay_status read_mask_array(const char *source, assay_bee_matrix *out) {
    assay_number_array array = {0};
    assay_status status = assay_array_file_read(source, &array);
    if (status == ASSAY_OK && array.type != ASSAY_NUMBER_UINT8)
        status = assay_fail(ASSAY_USAGE, "%s is of %s, expected a mask of uint8", source,
                            assay_number_type_name(array.type));
    const uint8_t *cells = array.values;
    for (uint64_t n = 0; status == ASSAY_OK && n < array.rows * array.columns; n++)
        if (!assay_bee_is_mask(cells[n]))
            status =
                assay_fail(ASSAY_USAGE,
                           "%s: row %" PRIu64 ", column %" PRIu64 " is %u, expected 255 (match), "
                           "127 (non-match) or 0 (ignore)",
                           source, n / array.columns + 1, n % array.columns + 1, cells[n]);
    if (status == ASSAY_OK) {
        *out =
            (assay_bee_matrix){.rows = array.rows, .columns = array.columns, .mask = array.values};
        array.values = NULL;
    }
    assay_number_array_free(&array);
    return status;
}

static assay_status read_mask(const assay_import_matrix *import, score_matrix *matrix) {
    const char *source = import->mask;
    assay_bee_matrix mask = {0};
    assay_status status = assay_array_file_is(source) ? read_mask_array(source, &mask)
                                                      : assay_bee_read(source, &mask);
    if (status == ASSAY_OK && mask.mask == NULL)
        status = assay_fail(ASSAY_USAGE, "%s is a matrix of scores, expected a mask", source);
    else if (status == ASSAY_OK && (mask.rows != matrix->rows || mask.columns != matrix->columns))
        status = assay_fail(ASSAY_USAGE,
                            "%s has %" PRIu64 " rows of %" PRIu64 " cells, expected %" PRIu64
                            " of %" PRIu64 " as the matrix",
                            source, mask.rows, mask.columns, matrix->rows, matrix->columns);
    if (status == ASSAY_OK) {
        matrix->mask = mask.mask;
        mask.mask = NULL;
    }
    assay_bee_free(&mask);
    return status;
}

static assay_status read_matrix(const assay_import_matrix *import, score_matrix *matrix) {
    const char *source = import->matrix;
    assay_status status = assay_array_file_is(source) ? read_array(source, matrix)
                          : assay_bee_is(source)      ? read_bee(source, matrix)
                                                      : read_csv(source, matrix);
    if (status != ASSAY_OK || import->mask == NULL) return status;
    return read_mask(import, matrix);
}

/* ---- samples of rows and columns ---- */

typedef struct {
    uint32_t *targets, *queries; /* rows of the table, [columns] and [rows] */
    bool square;                 /* one list stands for both */
} matrix_samples;

static assay_status every_row(const assay_sample_table *table, uint32_t **out, uint64_t *count) {
    assay_status status = assay_allocate(out, table->row_count, sizeof **out, "samples");
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; row++)
        (*out)[row] = (uint32_t)row;
    *count = table->row_count;
    return status;
}

/* Rows of the table by a list of ids, or by a sigset, which must agree with the table on who is
 * who.
 */
static assay_status read_list(const char *path, const assay_sigset *set,
                              const assay_sample_table *table, uint32_t **out, uint64_t *count) {
    if (path == NULL) return every_row(table, out, count);
    if (set->samples.count == 0) return assay_sample_list_read(path, table, out, count);
    assay_status status = assay_sample_list_of(path, &set->samples, table, out);
    if (status != ASSAY_OK) return status;
    *count = set->samples.count;
    for (uint64_t n = 0; status == ASSAY_OK && n < *count; n++) {
        const char *subject = table->subject_id[table->subject[(*out)[n]]];
        if (strcmp(subject, assay_text_list_at(&set->subjects, n)) != 0)
            status = assay_fail(ASSAY_USAGE,
                                "%s: the sample '%s' is of subject '%s', and by the labels of '%s'",
                                path, assay_text_list_at(&set->samples, n),
                                assay_text_list_at(&set->subjects, n), subject);
    }
    return status;
}

static assay_status list_samples(const char *path, const assay_sigset *set,
                                 const assay_sample_table *table, const char *what,
                                 uint64_t expected, uint32_t **out) {
    uint64_t count = 0;
    assay_status status = read_list(path, set, table, out, &count);
    if (status != ASSAY_OK || count == expected) return status;
    return assay_fail(
        ASSAY_USAGE, "the matrix has %" PRIu64 " %s and there are %" PRIu64 " samples for them%s%s",
        expected, what, count, path == NULL ? " in the labels" : " in ", path == NULL ? "" : path);
}

/* Sigsets where the lists are such, and the labels: a file of them, or what both sigsets say. */
static assay_status read_labels(const assay_import_matrix *import, const assay_progress *progress,
                                assay_sigset sets[2], assay_sample_table *out) {
    const char *const paths[2] = {import->targets_path, import->queries_path};
    assay_status status = ASSAY_OK;
    for (int n = 0; status == ASSAY_OK && n < 2; n++)
        if (paths[n] != NULL && assay_sigset_is(paths[n]))
            status = assay_sigset_read(paths[n], &sets[n]);
    if (status != ASSAY_OK) return status;
    if (import->labels_path != NULL)
        return assay_labels_read(import->labels_path, import->declared, progress, out);
    if (sets[0].samples.count == 0 || sets[1].samples.count == 0)
        return assay_fail(ASSAY_USAGE,
                          "a matrix needs labels of its samples; without them, sigsets "
                          "of targets and queries that say who is who");
    return assay_sigset_labels(paths[1], &sets[0], &sets[1], out);
}

/* Whether rows and columns are the same samples in the same order: all pairs of one list. */
static bool is_square(const score_matrix *matrix, const matrix_samples *samples) {
    return matrix->rows == matrix->columns &&
           memcmp(samples->targets, samples->queries, matrix->rows * sizeof *samples->targets) == 0;
}

/* A square matrix of one list says every pair twice: it must say the same. */
static assay_status check_symmetric(const assay_import_matrix *import, const score_matrix *matrix) {
    for (uint64_t i = 0; i < matrix->rows; i++)
        for (uint64_t j = i + 1; j < matrix->columns; j++) {
            const double upper = matrix->numbers[i * matrix->columns + j];
            const double lower = matrix->numbers[j * matrix->columns + i];
            char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE];
            if (upper == lower || (isnan(upper) && isnan(lower))) continue;
            return assay_fail(ASSAY_USAGE,
                              "%s: row %" PRIu64 ", column %" PRIu64 " is %s and its mirror image "
                              "%s; a matrix of one list must be symmetric (or give --triangle "
                              "upper or lower to take one half)",
                              import->matrix, i + 1, j + 1, assay_print_double(a, upper),
                              assay_print_double(b, lower));
        }
    return ASSAY_OK;
}

static assay_status check_mask(const assay_import_matrix *import, const score_matrix *matrix,
                               const assay_sample_table *table, const matrix_samples *samples,
                               uint64_t row, uint64_t column) {
    const uint8_t said = matrix->mask[row * matrix->columns + column];
    const uint32_t target = samples->targets[column], query = samples->queries[row];
    const bool same = table->subject[target] == table->subject[query];
    if ((said == ASSAY_BEE_MATCH) == same) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "%s: row %" PRIu64 ", column %" PRIu64 " says %s, and by the labels the "
                      "samples '%s' and '%s' are of %s",
                      import->mask, row + 1, column + 1, same ? "non-match" : "match",
                      table->sample_id[query], table->sample_id[target],
                      same ? "one subject" : "two subjects");
}

/* The cells that are comparisons. */
static assay_status list_cells(const assay_import_matrix *import, const score_matrix *matrix,
                               const assay_sample_table *table, const matrix_samples *samples,
                               assay_scored_pairs *out) {
    const bool symmetric = samples->square && import->triangle == NULL;
    const bool lower = import->triangle != NULL && strcmp(import->triangle, "lower") == 0;
    assay_status status = assay_allocate(&out->pairs, matrix->rows * matrix->columns,
                                         sizeof *out->pairs, "comparisons");
    for (uint64_t row = 0; status == ASSAY_OK && row < matrix->rows; row++)
        for (uint64_t column = 0; status == ASSAY_OK && column < matrix->columns; column++) {
            const uint64_t cell = row * matrix->columns + column;
            if (samples->square && (lower ? column >= row : column <= row)) continue;
            if (samples->targets[column] == samples->queries[row]) continue;
            if (matrix->mask != NULL) {
                if (matrix->mask[cell] == ASSAY_BEE_IGNORE) continue;
                status = check_mask(import, matrix, table, samples, row, column);
            }
            const uint32_t target = samples->targets[column], query = samples->queries[row];
            /* A symmetric matrix has no direction: the later sample is the probe, as elsewhere. */
            out->pairs[out->count++] =
                symmetric ? (assay_scored_pair){matrix->numbers[cell], query, target}
                          : (assay_scored_pair){matrix->numbers[cell], target, query};
        }
    return status;
}

assay_status assay_import_score_matrix(const assay_import_about *given,
                                       const assay_import_matrix *import,
                                       const assay_progress *progress, const char *out_path,
                                       assay_import_result *out) {
    assay_import_about about = *given;
    score_matrix matrix = {0};
    matrix_samples samples = {.square = false};
    assay_sigset sets[2] = {{.samples = {0}}};
    assay_sample_table table = {0};
    assay_scored_pairs pairs = {0};
    const char *const inputs[] = {import->matrix, import->mask, import->labels_path,
                                  import->targets_path, import->queries_path};
    assay_status status = read_labels(import, progress, sets, &table);
    if (status == ASSAY_OK) status = read_matrix(import, &matrix);
    if (status == ASSAY_OK)
        status = list_samples(import->targets_path, &sets[0], &table, "columns (targets)",
                              matrix.columns, &samples.targets);
    if (status == ASSAY_OK)
        status = list_samples(import->queries_path, &sets[1], &table, "rows (queries)", matrix.rows,
                              &samples.queries);
    if (status == ASSAY_OK) samples.square = is_square(&matrix, &samples);
    if (status == ASSAY_OK && samples.square && import->triangle == NULL)
        status = check_symmetric(import, &matrix);
    if (status == ASSAY_OK) status = list_cells(import, &matrix, &table, &samples, &pairs);
    about.distance = about.distance || matrix.distance;
    if (status == ASSAY_OK)
        status = import_pairs(&about, inputs, sizeof inputs / sizeof *inputs, &table, &pairs,
                              out_path, out);
    assay_scored_pairs_free(&pairs);
    assay_sample_table_free(&table);
    assay_sigset_free(&sets[0]);
    assay_sigset_free(&sets[1]);
    free(samples.targets);
    free(samples.queries);
    matrix_free(&matrix);
    return status;
}
