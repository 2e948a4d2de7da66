/* bee -- a strict reader of BEE matrices and masks (bee.h). */
#include "datasets/bee.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define FILE_BYTES_MOST ((size_t)64 << 30)
#define LINE_BYTES_MOST 4096u

void assay_bee_free(assay_bee_matrix *matrix) {
    free(matrix->scores);
    free(matrix->mask);
    *matrix = (assay_bee_matrix){0};
}

typedef struct {
    const char *name;
    const uint8_t *bytes;
    size_t size, at;
} bee_cursor;

static assay_status refuse(const bee_cursor *cursor, const char *expected) {
    return assay_fail(ASSAY_USAGE, "%s is no strict BEE matrix: expected %s at byte %zu",
                      cursor->name, expected, cursor->at);
}

/* The next line without its end; CR LF ends one too. */
static bool take_line(bee_cursor *cursor, char out[LINE_BYTES_MOST + 1]) {
    const uint8_t *line = cursor->bytes + cursor->at;
    size_t left = cursor->size - cursor->at;
    const uint8_t *end = left ? memchr(line, '\n', left) : NULL;
    if (!end || (size_t)(end - line) > LINE_BYTES_MOST || memchr(line, '\0', (size_t)(end - line)))
        return false;
    size_t length = (size_t)(end - line);
    memcpy(out, line, length);
    if (length && out[length - 1] == '\r') length--;
    out[length] = '\0';
    cursor->at += (size_t)(end - line) + 1;
    return true;
}

static bool take_count(bee_cursor *cursor, uint64_t *out) {
    char digits[24];
    size_t length = 0;
    while (cursor->at + length < cursor->size && length < sizeof digits - 1 &&
           cursor->bytes[cursor->at + length] >= '0' && cursor->bytes[cursor->at + length] <= '9')
        length++;
    memcpy(digits, cursor->bytes + cursor->at, length);
    digits[length] = '\0';
    cursor->at += length;
    return assay_parse_uint64(digits, out) && *out > 0;
}

static bool take_blank(bee_cursor *cursor) {
    if (cursor->at >= cursor->size || cursor->bytes[cursor->at] != ' ') return false;
    cursor->at++;
    return true;
}

/* "MF ROWS COLUMNS ", the mark of the byte order, and the newline behind it. */
static assay_status take_sizes(bee_cursor *cursor, assay_bee_matrix *matrix, bool *is_mask,
                               bool *swapped) {
    static const uint8_t little[] = {0x78, 0x56, 0x34, 0x12}, big[] = {0x12, 0x34, 0x56, 0x78};
    const uint8_t *at = cursor->bytes + cursor->at;
    if (cursor->size - cursor->at < 3 || at[0] != 'M' || (at[1] != 'F' && at[1] != 'B'))
        return refuse(cursor, "'MF' (a matrix) or 'MB' (a mask)");
    *is_mask = at[1] == 'B';
    cursor->at += 2;
    if (!take_blank(cursor) || !take_count(cursor, &matrix->rows))
        return refuse(cursor, "a number of rows, at least 1");
    if (!take_blank(cursor) || !take_count(cursor, &matrix->columns))
        return refuse(cursor, "a number of columns, at least 1");
    if (!take_blank(cursor) || cursor->size - cursor->at < 5)
        return refuse(cursor, "the four bytes of 0x12345678 and a newline");
    at = cursor->bytes + cursor->at;
    *swapped = memcmp(at, big, sizeof big) == 0;
    if ((!*swapped && memcmp(at, little, sizeof little) != 0) || at[4] != '\n')
        return refuse(cursor, "the four bytes of 0x12345678 and a newline");
    cursor->at += 5;
    return ASSAY_OK;
}

static assay_status check_size(const bee_cursor *cursor, const assay_bee_matrix *matrix,
                               size_t size, size_t *out) {
    size_t cells, bytes;
    const size_t left = cursor->size - cursor->at;
    if (!assay_multiply(matrix->rows, matrix->columns, &cells) ||
        !assay_multiply(cells, size, &bytes))
        return assay_fail(ASSAY_USAGE,
                          "%s: %" PRIu64 " rows of %" PRIu64 " cells are larger than memory",
                          cursor->name, matrix->rows, matrix->columns);
    if (left != bytes)
        return assay_fail(ASSAY_USAGE,
                          "%s has %zu bytes of cells, expected %zu for %" PRIu64 " rows of %" PRIu64
                          ": it is %s",
                          cursor->name, left, bytes, matrix->rows, matrix->columns,
                          left < bytes ? "cut short" : "longer than its sizes");
    *out = cells;
    return ASSAY_OK;
}

static assay_status take_mask(const bee_cursor *cursor, size_t cells, assay_bee_matrix *matrix) {
    const uint8_t *from = cursor->bytes + cursor->at;
    for (size_t n = 0; n < cells; n++)
        if (!assay_bee_is_mask(from[n]))
            return assay_fail(ASSAY_USAGE,
                              "%s: row %" PRIu64 ", column %" PRIu64 " of the mask is 0x%02x, "
                              "expected 0xff (match), 0x7f (non-match) or 0x00 (ignore)",
                              cursor->name, n / matrix->columns + 1, n % matrix->columns + 1,
                              from[n]);
    assay_status status = assay_allocate(&matrix->mask, cells, 1, "a mask");
    if (status == ASSAY_OK) memcpy(matrix->mask, from, cells);
    return status;
}

static assay_status take_scores(const bee_cursor *cursor, size_t cells, bool swapped,
                                assay_bee_matrix *matrix) {
    const uint8_t *from = cursor->bytes + cursor->at;
    assay_status status =
        assay_allocate(&matrix->scores, cells, sizeof *matrix->scores, "a matrix of scores");
    for (size_t n = 0; status == ASSAY_OK && n < cells; n++, from += 4) {
        const uint32_t bits = swapped ? (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
                                            (uint32_t)from[2] << 8 | from[3]
                                      : (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 |
                                            (uint32_t)from[1] << 8 | from[0];
        memcpy(&matrix->scores[n], &bits, sizeof bits);
    }
    return status;
}

assay_status assay_bee_parse(const char *name, const void *bytes, size_t size,
                             assay_bee_matrix *out) {
    bee_cursor cursor = {.name = name, .bytes = bytes, .size = size};
    assay_bee_matrix matrix = {0};
    char line[LINE_BYTES_MOST + 1];
    bool is_mask = false, swapped = false;
    size_t cells = 0;
    if (!take_line(&cursor, line) || (strcmp(line, "S2") != 0 && strcmp(line, "D2") != 0))
        return refuse(&cursor, "a line 'S2' (similarities) or 'D2' (distances)");
    matrix.distance = line[0] == 'D';
    if (!take_line(&cursor, line)) return refuse(&cursor, "the name of the target sigset");
    assay_printable(matrix.target, sizeof matrix.target, line);
    if (!take_line(&cursor, line)) return refuse(&cursor, "the name of the query sigset");
    assay_printable(matrix.query, sizeof matrix.query, line);
    assay_status status = take_sizes(&cursor, &matrix, &is_mask, &swapped);
    if (status != ASSAY_OK) return status;
    status = check_size(&cursor, &matrix, is_mask ? 1 : sizeof(float), &cells);
    if (status != ASSAY_OK) return status;
    status = is_mask ? take_mask(&cursor, cells, &matrix)
                     : take_scores(&cursor, cells, swapped, &matrix);
    if (status == ASSAY_OK)
        *out = matrix;
    else
        assay_bee_free(&matrix);
    return status;
}

assay_status assay_bee_read(const char *path, assay_bee_matrix *out) {
    char *bytes = NULL;
    size_t length = 0;
    assay_status status = assay_file_read(path, FILE_BYTES_MOST, &bytes, &length);
    if (status == ASSAY_OK) status = assay_bee_parse(path, bytes, length, out);
    free(bytes);
    return status;
}

bool assay_bee_is(const char *path) {
    const size_t length = strlen(path);
    char start[3] = "";
    if (length >= 4 && strcmp(path + length - 4, ".mtx") == 0) return true;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return false;
    const bool whole = fread(start, 1, sizeof start, file) == sizeof start;
    fclose(file);
    return whole && (start[0] == 'S' || start[0] == 'D') && start[1] == '2' &&
           (start[2] == '\n' || start[2] == '\r');
}
