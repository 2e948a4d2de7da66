/* npy -- a strict reader of numpy's .npy files, and a writer of the plainest of them.
 *
 * A file is the magic bytes, a version, a header length, and a header that is a Python dictionary
 * with exactly the keys descr, fortran_order and shape; then the values. The header is taken apart
 * by hand: whatever the few forms that numpy writes do not have is refused. */
#include "datasets/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define HEADER_BYTES_MAX 65536
#define BUFFER_BYTES ((size_t)4 << 20) /* many values of any type */

#define TEXT_BYTES_MAX 4096 /* of one text, as the file has it */

/* As numpy writes them behind the byte order. */
static const struct {
    char kind;
    uint32_t size;
} type_codes[ASSAY_NUMBER_TYPE_COUNT] = {
    [ASSAY_NUMBER_FLOAT16] = {'f', 2}, [ASSAY_NUMBER_FLOAT32] = {'f', 4},
    [ASSAY_NUMBER_FLOAT64] = {'f', 8}, [ASSAY_NUMBER_INT8] = {'i', 1},
    [ASSAY_NUMBER_UINT8] = {'u', 1},
};

/* Where a file comes from: a descriptor, or bytes in memory. */
typedef struct {
    const char *name;
    int fd;
    const uint8_t *bytes; /* NULL: fd */
    uint64_t size;
} npy_source;

typedef struct {
    char kind;      /* f, i, u: numbers; S, U: texts */
    uint32_t size;  /* bytes of a value */
    char descr[16]; /* as the file has it */
    int rank;
    bool swapped; /* big endian */
    bool fortran;
    uint64_t rows, columns;
    uint64_t data; /* offset of the values */
} npy_header;

void assay_npy_matrix_free(assay_npy_matrix *matrix) {
    if (!matrix) return;
    free(matrix->values);
    memset(matrix, 0, sizeof *matrix);
}

/* ---- header ---- */

typedef struct {
    const char *path;
    const char *at; /* the text is NUL-terminated and holds no other NUL */
    npy_header *header;
    unsigned seen; /* bits of the keys met */
} header_cursor;

static assay_status refuse(const header_cursor *cursor, const char *expected) {
    char near[64];
    char part[24];
    snprintf(part, sizeof part, "%.20s", cursor->at);
    return assay_fail(ASSAY_USAGE,
                      "%s: its header is not a strict .npy header: expected %s at '%s'",
                      cursor->path, expected, assay_printable(near, sizeof near, part));
}

static void skip_blanks(header_cursor *cursor) {
    while (*cursor->at == ' ') cursor->at++;
}

static bool take(header_cursor *cursor, char wanted) {
    skip_blanks(cursor);
    if (*cursor->at != wanted) return false;
    cursor->at++;
    return true;
}

/* A quoted string of plain characters into out. */
static bool take_string(header_cursor *cursor, char *out, size_t size) {
    skip_blanks(cursor);
    const char quote = *cursor->at;
    size_t length = 0;
    if (quote != '\'' && quote != '"') return false;
    for (const char *at = cursor->at + 1; *at; at++) {
        if (*at == quote) {
            out[length] = '\0';
            cursor->at = at + 1;
            return true;
        }
        if (*at == '\\' || *at < ' ' || *at > '~' || length + 1 >= size) return false;
        out[length++] = *at;
    }
    return false;
}

static bool take_number(header_cursor *cursor, uint64_t *out) {
    char digits[24];
    size_t length = 0;
    skip_blanks(cursor);
    while (cursor->at[length] >= '0' && cursor->at[length] <= '9') length++;
    if (length == 0 || length >= sizeof digits) return false;
    memcpy(digits, cursor->at, length);
    digits[length] = '\0';
    cursor->at += length;
    return assay_parse_uint64(digits, out);
}

static assay_status parse_descr(header_cursor *cursor) {
    static const char expected[] =
        "float16, float32, float64, int8 or uint8, or ids ('<f4', '|u1', '<U8' and the like)";
    npy_header *header = cursor->header;
    const header_cursor start = *cursor;
    uint64_t size = 0;
    if (!take_string(cursor, header->descr, sizeof header->descr)) return refuse(&start, expected);
    const char *descr = header->descr;
    if (!descr[0] || !strchr("<>=|", descr[0]) || !descr[1] || !strchr("fiuSU", descr[1]) ||
        descr[2] == '0' || !assay_parse_uint64(descr + 2, &size) || size > TEXT_BYTES_MAX)
        return refuse(&start, expected);
    header->kind = descr[1];
    header->size = (uint32_t)(descr[1] == 'U' ? 4 * size : size);
    const bool ordered = header->kind != 'S' && header->size > 1;
    if (descr[0] == '|' && ordered) return refuse(&start, expected);
    header->swapped = descr[0] == '>' && ordered;
    return ASSAY_OK;
}

static assay_status parse_order(header_cursor *cursor) {
    skip_blanks(cursor);
    if (strncmp(cursor->at, "True", 4) == 0) {
        cursor->header->fortran = true;
        cursor->at += 4;
        return ASSAY_OK;
    }
    if (strncmp(cursor->at, "False", 5) != 0) return refuse(cursor, "True or False");
    cursor->header->fortran = false;
    cursor->at += 5;
    return ASSAY_OK;
}

static assay_status parse_shape(header_cursor *cursor) {
    uint64_t dims[2] = {0, 0};
    int rank = 0;
    if (!take(cursor, '(')) return refuse(cursor, "a shape in parentheses");
    while (!take(cursor, ')')) {
        uint64_t dim;
        if (!take_number(cursor, &dim)) return refuse(cursor, "a whole number that fits 64 bits");
        if (rank < 2) dims[rank] = dim;
        rank++;
        skip_blanks(cursor);
        if (!take(cursor, ',') && *cursor->at != ')') return refuse(cursor, "',' or ')'");
    }
    if (rank < 1 || rank > 2)
        return assay_fail(ASSAY_USAGE, "%s: the array has %d dimension%s, expected one or two",
                          cursor->path, rank, rank == 1 ? "" : "s");
    if (rank == 1) dims[1] = 1;
    if (dims[0] == 0 || dims[1] == 0)
        return assay_fail(ASSAY_USAGE,
                          "%s: an array without a value, shape (%" PRIu64 ", %" PRIu64 ")",
                          cursor->path, dims[0], dims[1]);
    cursor->header->rank = rank;
    cursor->header->rows = dims[0];
    cursor->header->columns = dims[1];
    return ASSAY_OK;
}

static assay_status parse_entry(header_cursor *cursor) {
    static const struct {
        const char *name;
        assay_status (*parse)(header_cursor *);
    } keys[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    char name[32];
    const header_cursor start = *cursor;
    if (!take_string(cursor, name, sizeof name)) return refuse(&start, "a key in quotes");
    for (unsigned k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        if (strcmp(name, keys[k].name) != 0) continue;
        if (cursor->seen & 1u << k) return refuse(&start, "each key once");
        cursor->seen |= 1u << k;
        if (!take(cursor, ':')) return refuse(cursor, "':'");
        return keys[k].parse(cursor);
    }
    return refuse(&start, "one of the keys descr, fortran_order and shape");
}

static assay_status parse_header(const char *path, const char *text, npy_header *header) {
    header_cursor cursor = {.path = path, .at = text, .header = header};
    if (*cursor.at != '{') return refuse(&cursor, "'{'");
    cursor.at++;
    while (!take(&cursor, '}')) {
        assay_status status = parse_entry(&cursor);
        if (status) return status;
        skip_blanks(&cursor);
        if (!take(&cursor, ',') && *cursor.at != '}') return refuse(&cursor, "',' or '}'");
    }
    if (cursor.seen != 7u) return refuse(&cursor, "the keys descr, fortran_order and shape");
    skip_blanks(&cursor);
    if (strcmp(cursor.at, "\n") != 0) return refuse(&cursor, "blanks and one newline to the end");
    return ASSAY_OK;
}

/* ---- file ---- */

static assay_status read_fully(const npy_source *source, uint64_t offset, size_t count, void *out) {
    char *bytes = out;
    if (source->bytes && (offset > source->size || count > source->size - offset))
        return assay_fail(ASSAY_USAGE, "%s ends at byte %" PRIu64 ", within its header or values",
                          source->name, source->size);
    if (source->bytes) {
        memcpy(bytes, source->bytes + offset, count);
        return ASSAY_OK;
    }
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(source->fd, bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return assay_fail_errno("cannot read %s", source->name);
        if (got == 0)
            return assay_fail(ASSAY_USAGE,
                              "%s ends at byte %" PRIu64 ", within its header or values",
                              source->name, offset + done);
        done += (size_t)got;
    }
    return ASSAY_OK;
}

static assay_status read_header(const npy_source *source, npy_header *header) {
    const char *path = source->name;
    uint8_t start[12];
    char *text = NULL;
    assay_status status = read_fully(source, 0, 10, start);
    if (status) return status;
    if (memcmp(start, MAGIC, MAGIC_BYTES) != 0)
        return assay_fail(ASSAY_USAGE, "%s is no .npy file: it does not begin with \\x93NUMPY",
                          path);
    const unsigned major = start[6], minor = start[7];
    if (major < 1 || major > 3 || minor != 0)
        return assay_fail(ASSAY_USAGE, "%s is of .npy version %u.%u, expected 1.0, 2.0 or 3.0",
                          path, major, minor);
    const size_t prefix = major == 1 ? 10 : 12;
    if ((status = read_fully(source, 0, prefix, start))) return status;
    uint32_t length = (uint32_t)start[8] | (uint32_t)start[9] << 8;
    if (major > 1) length |= (uint32_t)start[10] << 16 | (uint32_t)start[11] << 24;
    if (length > HEADER_BYTES_MAX)
        return assay_fail(ASSAY_USAGE, "%s has a header of %" PRIu32 " bytes, expected at most %d",
                          path, length, HEADER_BYTES_MAX);
    if ((status = assay_allocate(&text, (size_t)length + 1, 1, "a .npy header"))) return status;
    status = read_fully(source, prefix, length, text);
    if (status == ASSAY_OK && strlen(text) != length)
        status = assay_fail(ASSAY_USAGE, "%s has a NUL byte in its header", path);
    if (status == ASSAY_OK) status = parse_header(path, text, header);
    header->data = prefix + length;
    free(text);
    return status;
}

/* The file must hold the values and nothing else; *out_values is their number. */
static assay_status check_size(const npy_source *source, const npy_header *header,
                               const char *values_are, size_t *out_values) {
    size_t values, bytes;
    if (!assay_multiply(header->rows, header->columns, &values) ||
        !assay_multiply(values, header->size, &bytes) || bytes > UINT64_MAX - header->data)
        return assay_fail(ASSAY_USAGE,
                          "%s: a shape of (%" PRIu64 ", %" PRIu64 ") is larger than memory",
                          source->name, header->rows, header->columns);
    if (source->size != header->data + bytes)
        return assay_fail(ASSAY_USAGE,
                          "%s has %" PRIu64 " bytes, expected %" PRIu64 " for a header of %" PRIu64
                          " and %" PRIu64 " rows of %" PRIu64 " %s: it is %s",
                          source->name, source->size, header->data + bytes, header->data,
                          header->rows, header->columns, values_are,
                          source->size < header->data + bytes ? "cut short"
                                                              : "longer than its shape");
    *out_values = values;
    return ASSAY_OK;
}

/* ---- values ---- */

/* Where value number n of the file goes, row-major. */
static uint64_t place_of(const npy_header *header, uint64_t n) {
    if (!header->fortran) return n;
    return n % header->rows * header->columns + n / header->rows;
}

/* Each unit of so many bytes is turned round. */
static void copy_value(const uint8_t *from, size_t size, size_t unit, uint8_t *to) {
    for (size_t n = 0; n < size; n++) to[n] = from[n / unit * unit + (unit - 1 - n % unit)];
}

static assay_status read_values(const npy_source *source, const npy_header *header, size_t values,
                                uint8_t *out) {
    const size_t size = header->size, step = BUFFER_BYTES / size;
    const size_t ordered = header->kind == 'U' ? 4 : size; /* a number, a character of a text */
    uint8_t *buffer = NULL;
    if (!header->fortran && !header->swapped)
        return read_fully(source, header->data, values * size, out);
    assay_status status =
        assay_allocate(&buffer, values < step ? values : step, size, "values of a .npy file");
    for (size_t first = 0; status == ASSAY_OK && first < values; first += step) {
        const size_t here = values - first < step ? values - first : step;
        status = read_fully(source, header->data + first * size, here * size, buffer);
        for (size_t n = 0; status == ASSAY_OK && n < here; n++)
            copy_value(buffer + n * size, size, header->swapped ? ordered : 1,
                       out + place_of(header, first + n) * size);
    }
    free(buffer);
    return status;
}

static assay_status find_type(const npy_source *source, const npy_header *header,
                              assay_number_type *out) {
    for (int type = 0; type < ASSAY_NUMBER_TYPE_COUNT; type++)
        if (type_codes[type].kind == header->kind && type_codes[type].size == header->size) {
            *out = (assay_number_type)type;
            return ASSAY_OK;
        }
    return assay_fail(ASSAY_USAGE,
                      "%s: its values are '%s', expected float16, float32, float64, int8 or uint8 "
                      "('<f4' and the like)",
                      source->name, header->descr);
}

static assay_status read_array(const npy_source *source, assay_number_array *out) {
    npy_header header = {0};
    assay_number_type type = ASSAY_NUMBER_FLOAT32;
    uint8_t *values = NULL;
    size_t count = 0;
    assay_status status = read_header(source, &header);
    if (status == ASSAY_OK) status = find_type(source, &header, &type);
    if (status == ASSAY_OK)
        status = check_size(source, &header, assay_number_type_name(type), &count);
    if (status == ASSAY_OK)
        status = assay_allocate(&values, count, header.size, "the values of a .npy file");
    if (status != ASSAY_OK) return status;
    if ((status = read_values(source, &header, count, values))) {
        free(values);
        return status;
    }
    *out = (assay_number_array){type, header.rank, header.rows, header.columns, values};
    return ASSAY_OK;
}

/* ---- texts ---- */

/* A code point as UTF-8; 0 bytes where there is no such. */
static size_t put_point(uint32_t point, char out[4]) {
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return 0;
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    const size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | point >> 6 * more);
    for (size_t n = 1; n <= more; n++) out[n] = (char)(0x80 | (point >> 6 * (more - n) & 0x3F));
    return more + 1;
}

/* What numpy pads a text with are NULs behind it; one inside a text is part of it for numpy, and
 * of no id. false where there is such a one, or no character. */
static bool take_text(const npy_header *header, const uint8_t *value, assay_text *out) {
    const size_t step = header->kind == 'U' ? 4 : 1;
    bool ended = false;
    for (size_t at = 0; at < header->size; at += step) {
        uint32_t point = value[at];
        char bytes[4] = {(char)point, 0, 0, 0};
        size_t length = 1;
        if (step == 4) {
            memcpy(&point, value + at, sizeof point);
            length = put_point(point, bytes);
        }
        if (length == 0 || (ended && point)) return false;
        ended = !point;
        if (!ended) assay_text_append_bytes(out, bytes, length);
    }
    return true;
}

static void take_integer(const npy_header *header, const uint8_t *value, assay_text *out) {
    uint64_t bits = 0;
    memcpy(&bits, value, header->size);
    const unsigned unused = 64 - 8 * header->size;
    if (header->kind == 'u')
        assay_text_appendf(out, "%" PRIu64, bits);
    else
        assay_text_appendf(out, "%" PRId64, (int64_t)(bits << unused) >> unused);
}

static assay_status read_texts(const npy_source *source, assay_text_list *out) {
    npy_header header = {0};
    uint8_t *values = NULL;
    assay_text one = {0};
    assay_text_list list = {0};
    size_t count = 0;
    assay_status status = read_header(source, &header);
    if (status != ASSAY_OK) return status;
    const bool integers = header.kind != 'f' && header.size > 0 && header.size <= 8 &&
                          (header.size & (header.size - 1)) == 0;
    const bool texts = (header.kind == 'S' || header.kind == 'U') && header.size > 0;
    if (!(texts || integers) || header.rank != 1)
        return assay_fail(ASSAY_USAGE,
                          "%s: an array of '%s' in %d dimension%s, expected ids: texts or whole "
                          "numbers, in one",
                          source->name, header.descr, header.rank, header.rank == 1 ? "" : "s");
    status = check_size(source, &header, texts ? "texts" : "whole numbers", &count);
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&values, count, header.size, "the ids of a .npy file");
    if (status == ASSAY_OK) status = read_values(source, &header, count, values);
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        const uint8_t *value = values + n * header.size;
        assay_text_clear(&one);
        assay_text_append(&one, "");
        if (!texts)
            take_integer(&header, value, &one);
        else if (!take_text(&header, value, &one))
            status = assay_fail(ASSAY_USAGE, "%s: text number %zu has a NUL or no character in it",
                                source->name, n + 1);
        if (status == ASSAY_OK) status = assay_text_status(&one);
        if (status == ASSAY_OK) status = assay_text_list_add(&list, one.bytes, one.length);
    }
    free(values);
    assay_text_free(&one);
    if (status == ASSAY_OK)
        *out = list;
    else
        assay_text_list_free(&list);
    return status;
}

/* ---- files ---- */

assay_status assay_npy_parse(const char *name, const void *bytes, size_t size,
                             assay_number_array *out) {
    const npy_source source = {.name = name, .fd = -1, .bytes = bytes, .size = size};
    return read_array(&source, out);
}

assay_status assay_npy_parse_texts(const char *name, const void *bytes, size_t size,
                                   assay_text_list *out) {
    const npy_source source = {.name = name, .fd = -1, .bytes = bytes, .size = size};
    return read_texts(&source, out);
}

static assay_status open_source(const char *path, npy_source *out) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about) != 0) {
        const bool absent = errno == ENOENT || errno == ENOTDIR;
        const assay_status status = assay_fail_errno("cannot open %s", path);
        if (fd >= 0) close(fd);
        return absent ? ASSAY_USAGE : status;
    }
    if (!S_ISREG(about.st_mode)) {
        close(fd);
        return assay_fail(ASSAY_USAGE, "%s is not a regular file, expected a .npy file", path);
    }
    *out = (npy_source){.name = path, .fd = fd, .size = (uint64_t)about.st_size};
    return ASSAY_OK;
}

assay_status assay_npy_read_array(const char *path, assay_number_array *out) {
    npy_source source;
    assay_status status = open_source(path, &source);
    if (status != ASSAY_OK) return status;
    status = read_array(&source, out);
    close(source.fd);
    return status;
}

assay_status assay_npy_read_texts(const char *path, assay_text_list *out) {
    npy_source source;
    assay_status status = open_source(path, &source);
    if (status != ASSAY_OK) return status;
    status = read_texts(&source, out);
    close(source.fd);
    return status;
}

/* ---- matrices of templates ---- */

assay_status assay_npy_matrix_of(const char *name, const assay_number_array *array,
                                 assay_npy_matrix *out) {
    float *values = NULL;
    size_t count;
    if (array->rank != 2)
        return assay_fail(ASSAY_USAGE,
                          "%s: the array has 1 dimension, expected two: one row a template", name);
    if (array->columns > UINT32_MAX)
        return assay_fail(ASSAY_USAGE, "%s has %" PRIu64 " columns, expected at most 4294967295",
                          name, array->columns);
    if (!assay_multiply(array->rows, array->columns, &count))
        return assay_fail(ASSAY_USAGE, "%s is larger than memory", name);
    assay_status status = assay_allocate(&values, count, sizeof *values, "a matrix of templates");
    if (status) return status;
    for (size_t n = 0; n < count; n++) values[n] = (float)assay_number_at(array, n);
    *out = (assay_npy_matrix){array->rows, (uint32_t)array->columns, values};
    return ASSAY_OK;
}

assay_status assay_npy_read(const char *path, assay_npy_matrix *out) {
    assay_number_array array = {0};
    assay_status status = assay_npy_read_array(path, &array);
    if (status) return status;
    status = assay_npy_matrix_of(path, &array, out);
    assay_number_array_free(&array);
    return status;
}

/* ---- writing ---- */

static assay_status write_fully(int fd, const char *path, const void *data, size_t count) {
    const char *bytes = data;
    while (count > 0) {
        ssize_t wrote = write(fd, bytes, count);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return assay_fail_errno("cannot write %s", path);
        bytes += wrote;
        count -= (size_t)wrote;
    }
    return ASSAY_OK;
}

/* type as numpy writes it, of size bytes. */
static assay_status write_matrix(const char *path, const char *type, size_t size, uint64_t rows,
                                 uint32_t columns, const void *values) {
    char header[192]; /* a multiple of 64, as numpy aligns the values */
    char *temporary = NULL;
    size_t bytes;
    int fd = -1;
    assay_status status = ASSAY_OK;
    if (!assay_multiply(rows, columns, &bytes) || !assay_multiply(bytes, size, &bytes))
        return assay_fail(ASSAY_FAILED, "cannot write %s: it would be larger than memory", path);
    memset(header, ' ', sizeof header);
    int length = snprintf(header, sizeof header,
                          MAGIC "%c%c%c%c{'descr': '%s', 'fortran_order': False, 'shape': (%" PRIu64
                                ", %" PRIu32 "), }",
                          1, 0, (int)(sizeof header - 10), 0, type, rows, columns);
    header[length] = ' ';
    header[sizeof header - 1] = '\n';
    if ((status = assay_file_temporary(path, &temporary))) return status;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) {
        status = assay_fail_errno("cannot make %s", temporary);
        goto out;
    }
    status = write_fully(fd, path, header, sizeof header);
    if (status == ASSAY_OK) status = write_fully(fd, path, values, bytes);
    if (close(fd) != 0 && status == ASSAY_OK) status = assay_fail_errno("cannot write %s", path);
    if (status == ASSAY_OK)
        status = assay_file_publish(temporary, path);
    else
        unlink(temporary);
out:
    free(temporary);
    return status;
}

assay_status assay_npy_write(const char *path, uint64_t rows, uint32_t columns,
                             const float *values) {
    return write_matrix(path, "<f4", sizeof *values, rows, columns, values);
}

assay_status assay_npy_write_bytes(const char *path, uint64_t rows, uint32_t columns,
                                   const uint8_t *values) {
    return write_matrix(path, "|u1", sizeof *values, rows, columns, values);
}
