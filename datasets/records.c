/* records -- labels out of records in XML (records.h). */
#include "datasets/records.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/records_private.h"
#include "datasets/xml.h"

#define RECORD_BYTES_MOST ((size_t)64 << 20)
#define VALUE_BYTES_MOST 4096 /* of one value, blanks and all */
#define ROWS_MOST 100000      /* of one record */

/* ---- one record ---- */

/* What is being gathered for a column. */
typedef struct {
    unsigned depth; /* of its element, from 1; 0: nothing is open */
    assay_text text;
} gathering;

typedef struct {
    const assay_record_declaration *declared;
    const char *name;
    assay_faults *faults;
    assay_text way;            /* "/element/element" of those that are open */
    unsigned depth, row_depth; /* of the row's element; 0: outside of all */
    gathering *open;           /* [column_count] */
    char **values; /* [1 + row_count][column_count], NULL: none; the first is of the whole record */
    size_t value_room;
    uint64_t row_count;
} record_reading;

/* Of row 0, the whole record, or of its so many-th sample. */
static void record_fault(const record_reading *in, size_t column, uint64_t row, const char *fault) {
    char which[32] = "";
    if (row > 0) snprintf(which, sizeof which, "record %" PRIu64 ": ", row);
    assay_faults_add(in->faults, "%s: %s%s: %s", in->name, which,
                     in->declared->columns[column].name, fault);
}

static bool ends_in(const assay_text *way, const char *at) {
    const size_t tail = strlen(at);
    return way->length >= tail && strcmp(way->bytes + way->length - tail, at) == 0;
}

static assay_status add_row(record_reading *in) {
    const size_t columns = in->declared->column_count;
    const size_t used = (size_t)in->row_count * columns;
    if (in->row_count > ROWS_MOST)
        return assay_fail(ASSAY_USAGE, "%s: more than %d elements '%s'", in->name, ROWS_MOST,
                          in->declared->each);
    assay_status status = assay_reserve(&in->values, &in->value_room, used + columns,
                                        sizeof *in->values, "values of a record");
    if (status != ASSAY_OK) return status;
    memset(in->values + used, 0, columns * sizeof *in->values);
    in->row_count++;
    return ASSAY_OK;
}

static assay_status meet_start(void *context, const char *name, const char *const *attributes) {
    record_reading *in = context;
    const assay_record_declaration *declared = in->declared;
    assay_status status = ASSAY_OK;
    (void)attributes;
    in->depth++;
    assay_text_appendf(&in->way, "/%s", name);
    if ((status = assay_text_status(&in->way))) return status;
    if (declared->each != NULL && in->row_depth == 0 && strcmp(name, declared->each) == 0) {
        if ((status = add_row(in))) return status;
        in->row_depth = in->depth;
    }
    for (size_t n = 0; n < declared->column_count; n++) {
        const char *at = declared->columns[n].at;
        if (at == NULL || in->open[n].depth != 0 || !ends_in(&in->way, at)) continue;
        in->open[n].depth = in->depth;
        assay_text_clear(&in->open[n].text);
        assay_text_append(&in->open[n].text, "");
    }
    return ASSAY_OK;
}

/* The text without blanks around it, and single ones in it. */
static void squeeze(assay_text *text) {
    size_t to = 0;
    bool blank = false;
    for (size_t n = 0; n < text->length; n++) {
        const char c = text->bytes[n];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = to > 0;
            continue;
        }
        if (blank) text->bytes[to++] = ' ';
        blank = false;
        text->bytes[to++] = c;
    }
    text->bytes[to] = '\0';
    text->length = to;
}

static assay_status keep_value(record_reading *in, size_t column) {
    assay_text *text = &in->open[column].text;
    const uint64_t row = in->row_depth == 0 ? 0 : in->row_count - 1;
    char **kept = &in->values[(size_t)row * in->declared->column_count + column];
    char fault[2 * 160 + 64], a[160], b[160];
    assay_status status = assay_text_status(text);
    if (status != ASSAY_OK) return status;
    if (text->length > VALUE_BYTES_MOST) {
        record_fault(in, column, row, "a value of more than 4,096 bytes");
        return ASSAY_OK;
    }
    squeeze(text);
    if (text->length == 0) return ASSAY_OK;
    if (*kept == NULL) return assay_copy_string(kept, text->bytes);
    if (strcmp(*kept, text->bytes) == 0) return ASSAY_OK;
    snprintf(fault, sizeof fault, "there are two values, '%s' and '%s'",
             assay_printable(a, sizeof a, *kept), assay_printable(b, sizeof b, text->bytes));
    record_fault(in, column, row, fault);
    return ASSAY_OK;
}

static assay_status meet_end(void *context, const char *name) {
    record_reading *in = context;
    for (size_t n = 0; n < in->declared->column_count; n++) {
        if (in->open[n].depth != in->depth) continue;
        const assay_status status = keep_value(in, n);
        if (status != ASSAY_OK) return status;
        in->open[n].depth = 0;
    }
    if (in->row_depth == in->depth) in->row_depth = 0;
    in->way.length -= strlen(name) + 1;
    in->way.bytes[in->way.length] = '\0';
    in->depth--;
    return ASSAY_OK;
}

/* What is longer than a value may be is not kept, but counted. */
static assay_status meet_text(void *context, const char *text, size_t length) {
    record_reading *in = context;
    for (size_t n = 0; n < in->declared->column_count; n++)
        if (in->open[n].depth != 0 && in->open[n].text.length <= VALUE_BYTES_MOST)
            assay_text_append_bytes(&in->open[n].text, text, length);
    return ASSAY_OK;
}

/* ---- values to cells ---- */

static const char *look_up(const assay_record_column *column, const char *word) {
    for (size_t n = 0; n < column->code_count; n++)
        if (strcmp(column->words[n], word) == 0) return column->codes[n];
    return NULL;
}

/* Why a value is none of its column's kind, or NULL. */
static const char *value_fault(const assay_record_column *column, const char *value) {
    double number;
    int64_t time;
    switch (column->kind) {
    case ASSAY_RECORD_ID:
        return assay_name_fault(value, strlen(value));
    case ASSAY_RECORD_DATE:
        return assay_parse_time(value, &time)
                   ? NULL
                   : "is no time; expected a date as 2024-03-09, or with a time as "
                     "2024-03-09T12:30:00Z";
    case ASSAY_RECORD_NUMBER:
        return assay_parse_double(value, &number) ? NULL : "is no number";
    default:
        return look_up(column, value) != NULL ? NULL : "is not in the table of codes";
    }
}

static void tell_value(const record_reading *in, size_t column, uint64_t row, const char *value,
                       const char *fault) {
    const assay_record_column *declared = &in->declared->columns[column];
    char shown[160], hint[1024] = "", message[2048];
    if (declared->kind == ASSAY_RECORD_CODE)
        assay_suggest(hint, sizeof hint, value, (const char *const *)declared->words,
                      declared->code_count);
    snprintf(message, sizeof message, "'%s' %s%s%s", assay_printable(shown, sizeof shown, value),
             fault, *hint ? "; " : "", hint);
    record_fault(in, column, row, message);
}

/* The cell of a column into out: a template with the value in it, the value, or its code. */
static assay_status make_cell(const record_reading *in, size_t column, uint64_t row,
                              const char *text, assay_text *out) {
    const assay_record_column *declared = &in->declared->columns[column];
    const size_t at = (size_t)row * in->declared->column_count + column;
    const char *value = in->values[at];
    if (value == NULL) value = in->values[column];
    assay_text_clear(out);
    assay_text_append(out, "");
    if (declared->text != NULL) {
        for (const char *c = text; *c; c++)
            if (*c == ASSAY_RECORD_VALUE)
                assay_text_append(out, value == NULL ? "" : value);
            else
                assay_text_append_bytes(out, c, 1);
        value = out->bytes;
        const char *fault =
            assay_text_status(out) == ASSAY_OK ? value_fault(declared, value) : NULL;
        if (fault != NULL) tell_value(in, column, row, value, fault);
        return assay_text_status(out);
    }
    if (value == NULL) return assay_text_status(out);
    const char *fault = value_fault(declared, value);
    if (fault != NULL)
        tell_value(in, column, row, value, fault);
    else
        assay_text_append(out,
                          declared->kind == ASSAY_RECORD_CODE ? look_up(declared, value) : value);
    return assay_text_status(out);
}

static assay_status make_rows(const record_reading *in, const char *const *texts,
                              assay_grid *grid) {
    const bool is_whole = in->declared->each == NULL;
    assay_text cell = {0};
    assay_status status = ASSAY_OK;
    for (uint64_t row = is_whole ? 0 : 1; status == ASSAY_OK && row < in->row_count; row++) {
        const size_t start = grid->used;
        for (size_t n = 0; status == ASSAY_OK && n < in->declared->column_count; n++) {
            status = make_cell(in, n, row, texts[n], &cell);
            if (status == ASSAY_OK) status = assay_grid_add_cell(grid, cell.bytes, cell.length);
        }
        if (status == ASSAY_OK) status = assay_grid_end_row(grid, start, row);
    }
    assay_text_free(&cell);
    return status;
}

assay_status assay_record_parse(const assay_record_declaration *declaration, const char *name,
                                const void *bytes, size_t size, const char *const *texts,
                                assay_faults *faults, assay_grid *grid, uint64_t *out_rows) {
    static const assay_xml_events events = {
        .start = meet_start, .end = meet_end, .text = meet_text};
    record_reading in = {.declared = declaration, .name = name, .faults = faults};
    const uint64_t before = grid->row_count;
    assay_status status = assay_allocate(&in.open, declaration->column_count, sizeof *in.open,
                                         "the columns of a record");
    if (status == ASSAY_OK) status = add_row(&in);
    if (status == ASSAY_OK) status = assay_xml_parse(name, bytes, size, &events, &in);
    if (status == ASSAY_USAGE) { /* other records may have faults too */
        assay_faults_add(faults, "%s", assay_error_text());
        status = ASSAY_OK;
    } else if (status == ASSAY_OK) {
        status = make_rows(&in, texts, grid);
    }
    if (status == ASSAY_OK) *out_rows = grid->row_count - before;
    for (size_t n = 0; in.values != NULL && n < in.row_count * declaration->column_count; n++)
        free(in.values[n]);
    for (size_t n = 0; in.open != NULL && n < declaration->column_count; n++)
        assay_text_free(&in.open[n].text);
    free(in.values);
    free(in.open);
    assay_text_free(&in.way);
    return status;
}

/* ---- a folder of records ---- */

static assay_status read_beneath(int root, const char *path, char **out, size_t *out_size) {
    char shown[64];
    int fd = -1;
    assay_status status = assay_file_open_beneath(
        root, path, ASSAY_ALLOW_HARD_LINKS | ASSAY_ALLOW_MOUNTS, &fd); /* texts, of any folder */
    if (status != ASSAY_OK) return status;
    snprintf(shown, sizeof shown, "/proc/self/fd/%d", fd);
    status = assay_file_read(shown, RECORD_BYTES_MOST, out, out_size);
    close(fd);
    return status;
}

/* Files that match, with a column for each template; the first column is the path. */
static assay_status match_files(const assay_record_declaration *declaration, const char *root,
                                const assay_progress *progress, assay_faults *faults,
                                assay_grid *out) {
    struct assay_manifest_rule *rules = NULL;
    assay_status status =
        assay_allocate(&rules, declaration->column_count, sizeof *rules, "columns");
    for (size_t n = 0; status == ASSAY_OK && n < declaration->column_count; n++) {
        const assay_record_column *column = &declaration->columns[n];
        rules[n] = (struct assay_manifest_rule){column->name,
                                                column->text == NULL ? (char *)"" : column->text};
    }
    const assay_manifest_declaration files = {.root = (char *)root,
                                              .files = declaration->files,
                                              .rules = rules,
                                              .rule_count = declaration->column_count};
    if (status == ASSAY_OK) status = assay_manifest_match(&files, progress, faults, NULL, out);
    free(rules);
    return status;
}

static assay_status read_files(const assay_record_declaration *declaration, const char *root,
                               const assay_progress *progress, const assay_grid *files,
                               assay_faults *faults, assay_grid *grid, assay_record_result *out) {
    const char **cells = NULL;
    const int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return assay_fail_errno("cannot open the folder %s", root);
    assay_status status = assay_allocate(&cells, files->column_count, sizeof *cells, "a file");
    for (uint64_t n = 0; status == ASSAY_OK && n < files->row_count; n++) {
        char *bytes = NULL;
        size_t size = 0;
        uint64_t rows = 0;
        assay_grid_row(files, n, cells);
        status = read_beneath(folder, cells[0], &bytes, &size);
        if (status == ASSAY_OK)
            status = assay_record_parse(declaration, cells[0], bytes, size, cells + 1, faults, grid,
                                        &rows);
        free(bytes);
        out->records++;
        out->rows += rows;
        out->without += rows == 0;
        (void)assay_progress_tell(progress, "read", "records", n + 1, files->row_count);
    }
    free(cells);
    close(folder);
    return status;
}

/* ---- CSV ---- */

static void put_cell(assay_text *csv, const char *cell) {
    if (cell[strcspn(cell, ",\"\r\n")] == '\0' && cell[0] != ' ' &&
        (cell[0] == '\0' || cell[strlen(cell) - 1] != ' ')) {
        assay_text_append(csv, cell);
        return;
    }
    assay_text_append(csv, "\"");
    for (const char *c = cell; *c; c++) {
        if (*c == '"') assay_text_append(csv, "\"");
        assay_text_append_bytes(csv, c, 1);
    }
    assay_text_append(csv, "\"");
}

static assay_status put_grid(const assay_grid *grid, assay_text *csv) {
    const char **cells = NULL;
    assay_status status = assay_allocate(&cells, grid->column_count, sizeof *cells, "a row");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < grid->column_count; n++) {
        if (n > 0) assay_text_append(csv, ",");
        put_cell(csv, grid->columns[n]);
    }
    assay_text_append(csv, "\n");
    for (uint64_t row = 0; row < grid->row_count; row++) {
        assay_grid_row(grid, row, cells);
        for (size_t n = 0; n < grid->column_count; n++) {
            if (n > 0) assay_text_append(csv, ",");
            put_cell(csv, cells[n]);
        }
        assay_text_append(csv, "\n");
    }
    free(cells);
    return assay_text_status(csv);
}

assay_status assay_record_labels(const assay_record_declaration *declaration, const char *root,
                                 const assay_progress *progress, assay_text *out_csv,
                                 assay_record_result *out) {
    assay_grid files = {0}, grid = {0};
    assay_faults faults = {0};
    assay_text csv = {0};
    assay_record_result result = {0};
    assay_status status = match_files(declaration, root, progress, &faults, &files);
    for (size_t n = 0; status == ASSAY_OK && n < declaration->column_count; n++)
        status = assay_grid_add_column(&grid, declaration->columns[n].name);
    if (status == ASSAY_OK && files.row_count > 0)
        status = read_files(declaration, root, progress, &files, &faults, &grid, &result);
    if (status == ASSAY_OK && faults.count == 0 && grid.row_count == 0)
        assay_faults_add(&faults, "%s: no record has an element '%s'", root, declaration->each);
    if (status == ASSAY_OK) status = assay_faults_verdict(&faults, "the records");
    if (status == ASSAY_OK) status = put_grid(&grid, &csv);
    if (status == ASSAY_OK) {
        *out_csv = csv;
        *out = result;
        csv = (assay_text){0};
    }
    assay_text_free(&csv);
    assay_text_free(&faults.text);
    assay_grid_free(&grid);
    assay_grid_free(&files);
    return status;
}
