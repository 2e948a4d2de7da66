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
#define BUFFER_BYTES ((size_t)4 << 20) /* a multiple of every value's size */

/* As numpy writes them behind the byte order. */
static const char *const type_codes[ASSAY_NUMBER_TYPE_COUNT] = {
    [ASSAY_NUMBER_FLOAT16] = "f2", [ASSAY_NUMBER_FLOAT32] = "f4", [ASSAY_NUMBER_FLOAT64] = "f8",
    [ASSAY_NUMBER_INT8] = "i1",    [ASSAY_NUMBER_UINT8] = "u1",
};

/* Where a file comes from: a descriptor, or bytes in memory. */
typedef struct {
    const char *name;
    int fd;
    const uint8_t *bytes; /* NULL: fd */
    uint64_t size;
} npy_source;

typedef struct {
    assay_number_type type;
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
    static const char expected[] = "float16, float32, float64, int8 or uint8 ('<f4' and the like)";
    char text[16];
    const header_cursor start = *cursor;
    if (!take_string(cursor, text, sizeof text)) return refuse(&start, expected);
    const char order = text[0];
    int type = 0;
    while (type < ASSAY_NUMBER_TYPE_COUNT && (!order || strcmp(text + 1, type_codes[type]) != 0))
        type++;
    const bool known = type < ASSAY_NUMBER_TYPE_COUNT;
    const bool one_byte = known && assay_number_type_size((assay_number_type)type) == 1;
    if (!known || !strchr("<>=|", order) || (order == '|' && !one_byte))
        return refuse(&start, expected);
    cursor->header->type = (assay_number_type)type;
    cursor->header->swapped = order == '>' && !one_byte;
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
                               size_t *out_values) {
    const size_t size = assay_number_type_size(header->type);
    size_t values, bytes;
    if (!assay_multiply(header->rows, header->columns, &values) ||
        !assay_multiply(values, size, &bytes) || bytes > UINT64_MAX - header->data)
        return assay_fail(ASSAY_USAGE,
                          "%s: a shape of (%" PRIu64 ", %" PRIu64 ") is larger than memory",
                          source->name, header->rows, header->columns);
    if (source->size != header->data + bytes)
        return assay_fail(ASSAY_USAGE,
                          "%s has %" PRIu64 " bytes, expected %" PRIu64 " for a header of %" PRIu64
                          " and %" PRIu64 " rows of %" PRIu64 " %s: it is %s",
                          source->name, source->size, header->data + bytes, header->data,
                          header->rows, header->columns, assay_number_type_name(header->type),
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

static void copy_value(const uint8_t *from, size_t size, bool swapped, uint8_t *to) {
    for (size_t n = 0; n < size; n++) to[n] = from[swapped ? size - 1 - n : n];
}

static assay_status read_values(const npy_source *source, const npy_header *header, size_t values,
                                uint8_t *out) {
    const size_t size = assay_number_type_size(header->type), step = BUFFER_BYTES / size;
    uint8_t *buffer = NULL;
    if (!header->fortran && !header->swapped)
        return read_fully(source, header->data, values * size, out);
    assay_status status =
        assay_allocate(&buffer, values < step ? values : step, size, "values of a .npy file");
    for (size_t first = 0; status == ASSAY_OK && first < values; first += step) {
        const size_t here = values - first < step ? values - first : step;
        status = read_fully(source, header->data + first * size, here * size, buffer);
        for (size_t n = 0; status == ASSAY_OK && n < here; n++)
            copy_value(buffer + n * size, size, header->swapped,
                       out + place_of(header, first + n) * size);
    }
    free(buffer);
    return status;
}

static assay_status read_array(const npy_source *source, assay_number_array *out) {
    npy_header header = {0};
    uint8_t *values = NULL;
    size_t count = 0;
    assay_status status = read_header(source, &header);
    if (status) return status;
    if ((status = check_size(source, &header, &count))) return status;
    status = assay_allocate(&values, count, assay_number_type_size(header.type),
                            "the values of a .npy file");
    if (status) return status;
    if ((status = read_values(source, &header, count, values))) {
        free(values);
        return status;
    }
    *out = (assay_number_array){header.type, header.rank, header.rows, header.columns, values};
    return ASSAY_OK;
}

assay_status assay_npy_parse(const char *name, const void *bytes, size_t size,
                             assay_number_array *out) {
    const npy_source source = {.name = name, .fd = -1, .bytes = bytes, .size = size};
    return read_array(&source, out);
}

assay_status assay_npy_read_array(const char *path, assay_number_array *out) {
    struct stat about;
    assay_status status = ASSAY_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about) != 0) {
        const bool absent = errno == ENOENT || errno == ENOTDIR;
        status = assay_fail_errno("cannot open %s", path);
        if (absent) status = ASSAY_USAGE;
        goto out;
    }
    if (!S_ISREG(about.st_mode)) {
        status = assay_fail(ASSAY_USAGE, "%s is not a regular file, expected a .npy file", path);
        goto out;
    }
    const npy_source source = {.name = path, .fd = fd, .size = (uint64_t)about.st_size};
    status = read_array(&source, out);
out:
    if (fd >= 0) close(fd);
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

assay_status assay_npy_write(const char *path, uint64_t rows, uint32_t columns,
                             const float *values) {
    char header[192]; /* a multiple of 64, as numpy aligns the values */
    char *temporary = NULL;
    size_t bytes;
    int fd = -1;
    assay_status status = ASSAY_OK;
    if (!assay_multiply(rows, columns, &bytes) || !assay_multiply(bytes, sizeof *values, &bytes))
        return assay_fail(ASSAY_FAILED, "cannot write %s: it would be larger than memory", path);
    memset(header, ' ', sizeof header);
    int length =
        snprintf(header, sizeof header,
                 MAGIC "%c%c%c%c{'descr': '<f4', 'fortran_order': False, 'shape': (%" PRIu64
                       ", %" PRIu32 "), }",
                 1, 0, (int)(sizeof header - 10), 0, rows, columns);
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
