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

typedef enum { TYPE_F2, TYPE_F4, TYPE_F8, TYPE_I1, TYPE_U1, TYPE_COUNT } value_type;

static const struct {
    const char *name;
    size_t size;
} types[TYPE_COUNT] = {
    [TYPE_F2] = {"f2", 2}, [TYPE_F4] = {"f4", 4}, [TYPE_F8] = {"f8", 8},
    [TYPE_I1] = {"i1", 1}, [TYPE_U1] = {"u1", 1},
};

typedef struct {
    value_type type;
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
    while (type < TYPE_COUNT && (!order || strcmp(text + 1, types[type].name) != 0)) type++;
    const bool one_byte = type < TYPE_COUNT && types[type].size == 1;
    if (type == TYPE_COUNT || !strchr("<>=|", order) || (order == '|' && !one_byte))
        return refuse(&start, expected);
    cursor->header->type = (value_type)type;
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
    if (rank != 2)
        return assay_fail(ASSAY_USAGE,
                          "%s: the array has %d dimension%s, expected two: one row a template",
                          cursor->path, rank, rank == 1 ? "" : "s");
    if (dims[0] == 0 || dims[1] == 0 || dims[1] > UINT32_MAX)
        return assay_fail(ASSAY_USAGE,
                          "%s: the shape (%" PRIu64 ", %" PRIu64
                          ") is not one of templates: expected "
                          "at least one row and 1 to 4294967295 columns",
                          cursor->path, dims[0], dims[1]);
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

static assay_status read_fully(int fd, const char *path, uint64_t offset, size_t count, void *out) {
    char *bytes = out;
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(fd, bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return assay_fail_errno("cannot read %s", path);
        if (got == 0)
            return assay_fail(ASSAY_USAGE,
                              "%s ends at byte %" PRIu64 ", within its header or values", path,
                              offset + done);
        done += (size_t)got;
    }
    return ASSAY_OK;
}

static assay_status read_header(int fd, const char *path, npy_header *header) {
    uint8_t start[12];
    char *text = NULL;
    assay_status status = read_fully(fd, path, 0, 10, start);
    if (status) return status;
    if (memcmp(start, MAGIC, MAGIC_BYTES) != 0)
        return assay_fail(ASSAY_USAGE, "%s is no .npy file: it does not begin with \\x93NUMPY",
                          path);
    const unsigned major = start[6], minor = start[7];
    if (major < 1 || major > 3 || minor != 0)
        return assay_fail(ASSAY_USAGE, "%s is of .npy version %u.%u, expected 1.0, 2.0 or 3.0",
                          path, major, minor);
    const size_t prefix = major == 1 ? 10 : 12;
    if ((status = read_fully(fd, path, 0, prefix, start))) return status;
    uint32_t length = (uint32_t)start[8] | (uint32_t)start[9] << 8;
    if (major > 1) length |= (uint32_t)start[10] << 16 | (uint32_t)start[11] << 24;
    if (length > HEADER_BYTES_MAX)
        return assay_fail(ASSAY_USAGE, "%s has a header of %" PRIu32 " bytes, expected at most %d",
                          path, length, HEADER_BYTES_MAX);
    if ((status = assay_allocate(&text, (size_t)length + 1, 1, "a .npy header"))) return status;
    status = read_fully(fd, path, prefix, length, text);
    if (status == ASSAY_OK && strlen(text) != length)
        status = assay_fail(ASSAY_USAGE, "%s has a NUL byte in its header", path);
    if (status == ASSAY_OK) status = parse_header(path, text, header);
    header->data = prefix + length;
    free(text);
    return status;
}

/* The file must hold the values and nothing else; *out_bytes is their size. */
static assay_status check_size(const char *path, uint64_t file_size, const npy_header *header,
                               size_t *out_values) {
    size_t values, bytes, wanted;
    if (!assay_multiply(header->rows, header->columns, &values) ||
        !assay_multiply(values, types[header->type].size, &bytes) ||
        !assay_multiply(values, sizeof(float), &wanted) || bytes > UINT64_MAX - header->data)
        return assay_fail(ASSAY_USAGE,
                          "%s: a shape of (%" PRIu64 ", %" PRIu64 ") is larger than memory", path,
                          header->rows, header->columns);
    if (file_size != header->data + bytes)
        return assay_fail(ASSAY_USAGE,
                          "%s has %" PRIu64 " bytes, expected %" PRIu64 " for a header of %" PRIu64
                          " and %" PRIu64 " rows of %" PRIu64 " %s: it is %s",
                          path, file_size, header->data + bytes, header->data, header->rows,
                          header->columns, types[header->type].name,
                          file_size < header->data + bytes ? "cut short" : "longer than its shape");
    *out_values = values;
    return ASSAY_OK;
}

/* ---- values ---- */

static float half_to_float(uint16_t half) {
    const int exponent = half >> 10 & 31;
    const float fraction = (float)(half & 1023);
    float value;
    if (exponent == 31)
        value = half & 1023 ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexpf(fraction, -24);
    else
        value = ldexpf(1024 + fraction, exponent - 25);
    return half & 0x8000 ? -value : value;
}

static float to_float(const uint8_t *bytes, const npy_header *header) {
    const size_t size = types[header->type].size;
    uint64_t bits = 0;
    for (size_t n = 0; n < size; n++)
        bits |= (uint64_t)bytes[header->swapped ? size - 1 - n : n] << (8 * n);
    const uint32_t bits32 = (uint32_t)bits;
    float single;
    double wide;
    switch (header->type) {
    case TYPE_F2:
        return half_to_float((uint16_t)bits);
    case TYPE_F4:
        memcpy(&single, &bits32, sizeof single);
        return single;
    case TYPE_F8:
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    case TYPE_I1:
        return (float)(bits < 128 ? (int)bits : (int)bits - 256);
    default:
        return (float)bits;
    }
}

/* Where value number n of the file goes, row-major. */
static uint64_t place_of(const npy_header *header, uint64_t n) {
    if (!header->fortran) return n;
    return n % header->rows * header->columns + n / header->rows;
}

static assay_status read_values(int fd, const char *path, const npy_header *header, size_t values,
                                float *out) {
    const size_t size = types[header->type].size, step = BUFFER_BYTES / size;
    uint8_t *buffer = NULL;
    assay_status status = assay_allocate(&buffer, BUFFER_BYTES, 1, "values of a .npy file");
    for (size_t first = 0; status == ASSAY_OK && first < values; first += step) {
        const size_t here = values - first < step ? values - first : step;
        status = read_fully(fd, path, header->data + first * size, here * size, buffer);
        for (size_t n = 0; status == ASSAY_OK && n < here; n++)
            out[place_of(header, first + n)] = to_float(buffer + n * size, header);
    }
    free(buffer);
    return status;
}

assay_status assay_npy_read(const char *path, assay_npy_matrix *out) {
    npy_header header = {0};
    float *values = NULL;
    size_t count = 0;
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
    if ((status = read_header(fd, path, &header))) goto out;
    if ((status = check_size(path, (uint64_t)about.st_size, &header, &count))) goto out;
    if ((status = assay_allocate(&values, count, sizeof *values, "a matrix of templates")))
        goto out;
    if ((status = read_values(fd, path, &header, count, values))) goto out;
    *out = (assay_npy_matrix){header.rows, (uint32_t)header.columns, values};
    values = NULL;
out:
    free(values);
    if (fd >= 0) close(fd);
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
