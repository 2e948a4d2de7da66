/* manifest_csv -- a CSV file as a grid of cells, through libcsv in strict mode.
 *
 * libcsv tells no places: the file is fed to it line by line, so that the line of a record's start
 * is the line that was being fed when its first byte came. Columns of messages are field numbers.
 */
#include "datasets/manifest_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "datasets/base/memory.h"

enum { BLOCK_SIZE = 64 * 1024, FIELD_LIMIT = 1024 * 1024, ROW_LIMIT = 10 * 1000 * 1000 };

/* ---- the grid ---- */

void assay_grid_free(assay_grid *grid) {
    if (!grid) return;
    for (size_t n = 0; n < grid->column_count; n++) free(grid->columns[n]);
    free(grid->columns);
    free(grid->bytes);
    free(grid->start);
    free(grid->line);
    free(grid->path);
    memset(grid, 0, sizeof *grid);
}

assay_status assay_grid_add_column(assay_grid *grid, const char *name) {
    assay_status status = assay_reserve(&grid->columns, &grid->column_room, grid->column_count + 1,
                                        sizeof *grid->columns, "columns");
    if (status != ASSAY_OK) return status;
    status = assay_copy_string(&grid->columns[grid->column_count], name);
    if (status == ASSAY_OK) grid->column_count++;
    return status;
}

assay_status assay_grid_add_cell(assay_grid *grid, const char *cell, size_t length) {
    assay_status status =
        assay_reserve(&grid->bytes, &grid->room, grid->used + length + 1, 1, "cells");
    if (status != ASSAY_OK) return status;
    if (length) memcpy(grid->bytes + grid->used, cell, length);
    grid->bytes[grid->used + length] = '\0';
    grid->used += length + 1;
    return ASSAY_OK;
}

assay_status assay_grid_end_row(assay_grid *grid, size_t start, uint64_t line) {
    assay_status status = assay_reserve(&grid->start, &grid->start_room, grid->row_count + 1,
                                        sizeof *grid->start, "rows");
    if (status != ASSAY_OK) return status;
    status = assay_reserve(&grid->line, &grid->line_room, grid->row_count + 1, sizeof *grid->line,
                           "rows");
    if (status != ASSAY_OK) return status;
    grid->start[grid->row_count] = start;
    grid->line[grid->row_count++] = line;
    return ASSAY_OK;
}

size_t assay_grid_column(const assay_grid *grid, const char *name) {
    for (size_t n = 0; n < grid->column_count; n++) {
        if (strcmp(grid->columns[n], name) == 0) return n;
    }
    return ASSAY_NO_COLUMN;
}

void assay_grid_row(const assay_grid *grid, uint64_t row, const char **cells) {
    const char *cell = grid->bytes + grid->start[row];
    for (size_t n = 0; n < grid->column_count; n++) {
        cells[n] = cell;
        cell += strlen(cell) + 1;
    }
}

/* The path cell of a matched file is its first. */
const char *assay_grid_place(const assay_grid *grid, uint64_t row, char *out, size_t size) {
    if (grid->matched) {
        snprintf(out, size, "%s", grid->bytes + grid->start[row]);
    } else {
        snprintf(out, size, "line %" PRIu64, grid->line[row]);
    }
    return out;
}

void assay_grid_fault(const assay_grid *grid, uint64_t row, size_t column, assay_faults *faults,
                      const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0) message[0] = '\0';
    va_end(arguments);
    if (grid->matched) {
        assay_faults_add(faults, "%s/%s: %s: %s", grid->path, grid->bytes + grid->start[row],
                         grid->columns[column], message);
    } else {
        assay_faults_add(faults, "%s:%" PRIu64 ":%zu: %s: %s", grid->path, grid->line[row],
                         column + 1, grid->columns[column], message);
    }
}

/* ---- reading ---- */

typedef struct {
    assay_grid *grid;
    assay_faults *faults;
    struct csv_parser parser;
    uint64_t line;        /* that is being fed */
    uint64_t record_line; /* where the record that is being fed began */
    bool in_record;
    bool has_header;
    bool is_wrong; /* the record has a fault and is left out */
    bool stopped;
    size_t fields;    /* of the record so far */
    size_t row_start; /* in the grid's bytes */
    assay_status status;
} csv_reader;

/* Offset of the first byte that is no UTF-8, or SIZE_MAX. */
static size_t bad_utf8_at(const unsigned char *bytes, size_t length) {
    for (size_t n = 0; n < length;) {
        unsigned char lead = bytes[n];
        size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        uint32_t point = lead < 0x80   ? lead
                         : lead < 0xE0 ? lead & 0x1Fu
                         : lead < 0xF0 ? lead & 0x0Fu
                                       : lead & 0x07u;
        static const uint32_t lowest[] = {0, 0x80, 0x800, 0x10000};
        if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || n + more >= length) return n;
        for (size_t k = 1; k <= more; k++) {
            if ((bytes[n + k] & 0xC0) != 0x80) return n;
            point = point << 6 | (bytes[n + k] & 0x3Fu);
        }
        if (point < lowest[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
            return n;
        }
        n += more + 1;
    }
    return SIZE_MAX;
}

static void record_fault(csv_reader *in, const char *message) {
    assay_faults_add(in->faults, "%s:%" PRIu64 ":%zu: %s", in->grid->path, in->record_line,
                     in->fields + 1, message);
    in->is_wrong = true;
}

static void take_field(void *bytes, size_t length, void *context) {
    csv_reader *in = context;
    char message[128];
    if (in->status != ASSAY_OK || in->stopped) return;
    size_t bad = bad_utf8_at(bytes, length);
    const unsigned char *nul = length ? memchr(bytes, '\0', length) : NULL;
    if (nul) {
        snprintf(message, sizeof message, "a NUL byte at byte %zu of the field; expected text",
                 (size_t)(nul - (const unsigned char *)bytes) + 1);
        record_fault(in, message);
    } else if (bad != SIZE_MAX) {
        snprintf(message, sizeof message, "byte %zu of the field (0x%02x) is not valid UTF-8",
                 bad + 1, ((const unsigned char *)bytes)[bad]);
        record_fault(in, message);
    } else if (length > FIELD_LIMIT) {
        record_fault(in, "the field is longer than 1 MiB");
    } else if (!in->has_header) {
        if (length == 0) record_fault(in, "the header's column has no name");
        in->status = assay_grid_add_column(in->grid, bytes);
    } else if (in->fields < in->grid->column_count) {
        in->status = assay_grid_add_cell(in->grid, bytes, length);
    }
    in->fields++;
}

static void end_header(csv_reader *in) {
    in->has_header = true;
    in->stopped = in->is_wrong; /* rows cannot be told under a header that is not understood */
    for (size_t n = 0; n < in->grid->column_count; n++) {
        size_t first = assay_grid_column(in->grid, in->grid->columns[n]);
        if (first == n || in->grid->columns[n][0] == '\0') continue;
        assay_faults_add(in->faults,
                         "%s:%" PRIu64 ":%zu: the column '%s' is in the header twice, first as "
                         "column %zu",
                         in->grid->path, in->record_line, n + 1, in->grid->columns[n], first + 1);
    }
}

static void end_row(csv_reader *in) {
    if (!in->is_wrong && in->fields != in->grid->column_count) {
        assay_faults_add(in->faults,
                         "%s:%" PRIu64 ":%zu: the record has %zu fields; expected %zu, as the "
                         "header has",
                         in->grid->path, in->record_line,
                         in->fields < in->grid->column_count ? in->fields
                                                             : in->grid->column_count + 1,
                         in->fields, in->grid->column_count);
        in->is_wrong = true;
    }
    if (in->is_wrong) {
        in->grid->used = in->row_start;
        return;
    }
    if (in->grid->row_count >= ROW_LIMIT) {
        record_fault(in, "more than 10 million records; expected at most that");
        in->stopped = true;
        return;
    }
    in->status = assay_grid_end_row(in->grid, in->row_start, in->record_line);
}

static void take_record(int end, void *context) {
    csv_reader *in = context;
    (void)end;
    if (in->status == ASSAY_OK && !in->stopped) {
        if (in->has_header) {
            end_row(in);
        } else {
            end_header(in);
        }
    }
    in->row_start = in->grid->used;
    in->fields = 0;
    in->in_record = false;
    in->is_wrong = false;
}

static assay_status syntax_error(csv_reader *in) {
    int error = csv_error(&in->parser);
    if (error == CSV_ENOMEM || error == CSV_ETOOBIG) {
        return assay_fail(ASSAY_FAILED, "no memory for reading %s", in->grid->path);
    }
    assay_faults_add(in->faults,
                     "%s:%" PRIu64 ":%zu: a quotation mark inside a field without quotes, or text "
                     "behind a closing one; expected \"…\" with inner quotation marks doubled",
                     in->grid->path, in->line, in->fields + 1);
    in->stopped = true;
    return ASSAY_OK;
}

/* bytes hold no newline but at their end. */
static assay_status feed(csv_reader *in, const char *bytes, size_t length) {
    if (!in->in_record) {
        in->record_line = in->line;
        in->in_record = true; /* an empty line is no record: libcsv then ends none */
    }
    size_t taken = csv_parse(&in->parser, bytes, length, take_field, take_record, in);
    if (in->status != ASSAY_OK) return in->status;
    if (taken != length) return syntax_error(in);
    if (in->parser.entry_pos > FIELD_LIMIT) {
        record_fault(in, "the field is longer than 1 MiB; is a quotation mark not closed?");
        in->stopped = true;
    }
    if (bytes[length - 1] == '\n') {
        in->line++;
        if (in->parser.pstate == 0) in->in_record = false;
    }
    return ASSAY_OK;
}

static assay_status feed_block(csv_reader *in, const char *bytes, size_t length) {
    assay_status status = ASSAY_OK;
    while (length > 0 && status == ASSAY_OK && !in->stopped) {
        const char *newline = memchr(bytes, '\n', length);
        size_t step = newline ? (size_t)(newline - bytes) + 1 : length;
        status = feed(in, bytes, step);
        bytes += step;
        length -= step;
    }
    return status;
}

static assay_status read_blocks(csv_reader *in, FILE *file, char *block) {
    bool is_first = true;
    assay_status status = ASSAY_OK;
    while (status == ASSAY_OK && !in->stopped) {
        size_t length = fread(block, 1, BLOCK_SIZE, file);
        if (ferror(file)) return assay_fail_errno("cannot read %s", in->grid->path);
        if (length == 0) break;
        size_t skip = is_first && length >= 3 && memcmp(block, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        if (is_first && length >= 2 &&
            (memcmp(block, "\xFF\xFE", 2) == 0 || memcmp(block, "\xFE\xFF", 2) == 0)) {
            assay_faults_add(in->faults, "%s:1:1: the file is UTF-16; expected UTF-8",
                             in->grid->path);
            in->stopped = true;
            return ASSAY_OK;
        }
        is_first = false;
        status = feed_block(in, block + skip, length - skip);
    }
    if (status != ASSAY_OK || in->stopped) return status;
    if (csv_fini(&in->parser, take_field, take_record, in) != 0) {
        record_fault(in, "a field that begins with a quotation mark is not closed before the end "
                         "of the file");
        in->stopped = true;
    }
    return in->status;
}

static assay_status read_file(csv_reader *in, FILE *file) {
    char *block = NULL;
    assay_status status = assay_allocate(&block, BLOCK_SIZE, 1, "reading CSV");
    if (status != ASSAY_OK) return status;
    if (csv_init(&in->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
        free(block);
        return assay_fail(ASSAY_FAILED, "no memory for reading %s", in->grid->path);
    }
    status = read_blocks(in, file, block);
    csv_free(&in->parser);
    free(block);
    if (status != ASSAY_OK || in->stopped) return status;
    if (!in->has_header) {
        assay_faults_add(in->faults, "%s:1:1: the file is empty; expected a header line",
                         in->grid->path);
    } else if (in->grid->row_count == 0 && in->faults->count == 0) {
        assay_faults_add(in->faults, "%s:2:1: no record follows the header", in->grid->path);
    }
    return ASSAY_OK;
}

assay_status assay_grid_read(const char *path, assay_faults *faults, assay_grid *out) {
    assay_grid grid = {0};
    csv_reader in = {.grid = &grid, .faults = faults, .line = 1, .record_line = 1};
    FILE *file = NULL;
    assay_status status = assay_copy_string(&grid.path, path);
    if (status != ASSAY_OK) goto out;
    file = fopen(path, "rbe");
    if (!file) {
        assay_faults_add(faults, "%s: cannot open the file: %s", path, strerror(errno));
    } else {
        status = read_file(&in, file);
        if (status != ASSAY_OK) goto out;
    }
    *out = grid;
    memset(&grid, 0, sizeof grid);
out:
    if (file) fclose(file);
    assay_grid_free(&grid);
    return status;
}
