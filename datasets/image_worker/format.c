/* format -- which of the six formats some bytes are, and whether they begin and end as it says.
 *
 * Decoders differ in what they forgive; a file that is cut or has something hidden behind its end
 * is refused here, by walking its segments without decoding any. */
#include "datasets/image_worker/format.h"

#include <stdio.h>
#include <string.h>

#include "datasets/image_worker/walk.h"

bool assay_walk_truncated(const assay_walk *w, const char *where) {
    snprintf(w->fault, w->fault_size, "truncated %s: it stops %s", w->kind->name, where);
    return false;
}

bool assay_walk_damaged(const assay_walk *w, const char *what, size_t at) {
    snprintf(w->fault, w->fault_size, "damaged %s: %s at byte %zu", w->kind->name, what, at + 1);
    return false;
}

/* The image ends before byte `end`; nothing may follow. */
static bool ends_at(const assay_walk *w, size_t end) {
    if (end == w->count) return true;
    snprintf(w->fault, w->fault_size, "%s with %zu bytes behind its end", w->kind->name,
             w->count - end);
    return false;
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* --- JPEG: ITU-T T.81, B.1.1 ------------------------------------------------------------------ */

/* First byte of the next marker at or behind `at` that is no restart and no stuffed byte. */
static size_t skip_scan(const assay_walk *w, size_t at) {
    while (at + 1 < w->count) {
        const uint8_t *found = memchr(w->bytes + at, 0xff, w->count - 1 - at);
        if (found == NULL) return w->count;
        at = (size_t)(found - w->bytes);
        uint8_t next = w->bytes[at + 1];
        if (next == 0xff)
            at++;
        else if (next == 0 || (next >= 0xd0 && next <= 0xd7))
            at += 2;
        else
            return at;
    }
    return w->count;
}

/* Zero bytes, and the separator that extraction from an ANSI/NIST-ITL record leaves (all of NIST
 * Special Database 32 is such), hide nothing. */
static size_t skip_padding(const assay_walk *w, size_t at) {
    if (at < w->count && w->bytes[at] == 0x1c) at++;
    while (at < w->count && w->bytes[at] == 0) at++;
    return at;
}

static bool check_jpeg(const assay_walk *w) {
    size_t at = 2;
    for (;;) {
        if (at + 2 > w->count) return assay_walk_truncated(w, "before its end marker");
        if (w->bytes[at] != 0xff) return assay_walk_damaged(w, "no marker", at);
        uint8_t marker = w->bytes[at + 1];
        if (marker == 0xff) { /* fill byte */
            at++;
            continue;
        }
        at += 2;
        if (marker == 0xd9) return ends_at(w, skip_padding(w, at));
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;
        if (marker == 0x00 || marker == 0xd8)
            return assay_walk_damaged(w, "a misplaced marker", at - 1);
        if (at + 2 > w->count) return assay_walk_truncated(w, "within a segment");
        size_t length = (size_t)w->bytes[at] << 8 | w->bytes[at + 1];
        if (length < 2) return assay_walk_damaged(w, "a segment of impossible length", at);
        if (length > w->count - at) return assay_walk_truncated(w, "within a segment");
        at += length;
        if (marker == 0xda) at = skip_scan(w, at);
    }
}

/* --- PNG: ISO/IEC 15948, 5.3 ------------------------------------------------------------------ */

static bool check_png(const assay_walk *w) {
    size_t at = 8;
    for (;;) {
        if (w->count - at < 12) return assay_walk_truncated(w, "before its end chunk");
        size_t length = big_endian(w->bytes + at);
        bool end = memcmp(w->bytes + at + 4, "IEND", 4) == 0;
        if (length > w->count - at - 12) return assay_walk_truncated(w, "within a chunk");
        at += length + 12;
        if (end) return ends_at(w, at);
    }
}

/* --- JPEG 2000: ISO/IEC 15444-1, A.4.4 and I.4 ------------------------------------------------ */

static bool check_codestream_end(const assay_walk *w, size_t end) {
    if (end >= 2 && w->bytes[end - 2] == 0xff && w->bytes[end - 1] == 0xd9) return true;
    return assay_walk_truncated(w, "before its end marker");
}

static bool check_jpeg_2000(const assay_walk *w) {
    if (w->bytes[0] == 0xff) return check_codestream_end(w, w->count);
    bool has_codestream = false;
    for (size_t at = 0; at < w->count;) {
        size_t left = w->count - at;
        if (left < 8) return assay_walk_truncated(w, "within a box");
        uint64_t length = big_endian(w->bytes + at);
        size_t header = 8;
        if (length == 1) {
            if (left < 16) return assay_walk_truncated(w, "within a box");
            length = (uint64_t)big_endian(w->bytes + at + 8) << 32 | big_endian(w->bytes + at + 12);
            header = 16;
        } else if (length == 0) {
            length = left;
        }
        if (length < header) return assay_walk_damaged(w, "a box of impossible length", at);
        if (length > left) return assay_walk_truncated(w, "within a box");
        if (memcmp(w->bytes + at + 4, "jp2c", 4) == 0) {
            if (!check_codestream_end(w, at + (size_t)length)) return false;
            has_codestream = true;
        }
        at += (size_t)length;
    }
    return has_codestream || assay_walk_truncated(w, "before its picture");
}

/* --- WebP: RIFF ------------------------------------------------------------------------------- */

static bool check_webp(const assay_walk *w) {
    uint64_t length = (uint64_t)w->bytes[4] | (uint64_t)w->bytes[5] << 8 |
                      (uint64_t)w->bytes[6] << 16 | (uint64_t)w->bytes[7] << 24;
    uint64_t end = 8 + length + (length & 1);
    if (end > w->count) return assay_walk_truncated(w, "before the end that its header gives");
    return ends_at(w, (size_t)end);
}

/* --- PNM: netpbm's pbm(5), pgm(5), ppm(5) ----------------------------------------------------- */

static bool is_blank(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Skips blanks and, in the header, comments up to the end of their line. */
static size_t skip_blanks(const assay_walk *w, size_t at, bool comments) {
    for (; at < w->count; at++) {
        if (comments && w->bytes[at] == '#') {
            while (at + 1 < w->count && w->bytes[at] != '\n') at++;
        } else if (!is_blank(w->bytes[at])) {
            break;
        }
    }
    return at;
}

/* Decimal number of at most `limit` at *at, which moves behind it. */
static bool read_number(const assay_walk *w, size_t *at, uint32_t limit, uint32_t *out) {
    uint64_t value = 0;
    size_t from = *at;
    for (; *at < w->count && w->bytes[*at] >= '0' && w->bytes[*at] <= '9'; (*at)++) {
        value = value * 10 + (uint64_t)(w->bytes[*at] - '0');
        if (value > limit) return false;
    }
    *out = (uint32_t)value;
    return *at > from;
}

/* The plain (decimal) raster: `samples` numbers and nothing else. Bits need no blanks between them,
 * but libvips would misread such a file without a word. */
static bool check_plain_raster(const assay_walk *w, size_t at, uint64_t samples, bool bits) {
    for (uint64_t i = 0; i < samples; i++) {
        uint32_t value;
        at = skip_blanks(w, at, false);
        if (at == w->count) return assay_walk_truncated(w, "within its samples");
        size_t from = at;
        if (!read_number(w, &at, w->kind->maximum, &value) || (bits && at != from + 1))
            return assay_walk_damaged(w, bits ? "no bit that stands alone" : "no possible sample",
                                      from);
    }
    return ends_at(w, skip_blanks(w, at, false));
}

static bool check_pnm(const assay_walk *w) {
    char type = (char)w->bytes[1];
    bool bits = type == '1' || type == '4', colour = type == '3' || type == '6';
    uint32_t width, height;
    size_t at = skip_blanks(w, 2, true);
    if (!read_number(w, &at, 1000000000, &width) || width == 0)
        return assay_walk_damaged(w, "no possible width", at);
    at = skip_blanks(w, at, true);
    if (!read_number(w, &at, 1000000000, &height) || height == 0)
        return assay_walk_damaged(w, "no possible height", at);
    if ((uint64_t)width * height > w->pixel_cap) {
        snprintf(w->fault, w->fault_size, "PNM of %u x %u pixels, more than %llu", width, height,
                 (unsigned long long)w->pixel_cap);
        return false;
    }
    w->kind->maximum = 1;
    if (!bits) {
        at = skip_blanks(w, at, true);
        if (!read_number(w, &at, 65535, &w->kind->maximum) || w->kind->maximum == 0)
            return assay_walk_damaged(w, "no possible maximum", at);
    }
    if (at == w->count) return assay_walk_truncated(w, "within its header");
    if (!is_blank(w->bytes[at])) return assay_walk_damaged(w, "no blank behind its header", at);
    at++;
    uint64_t samples = (uint64_t)width * height * (colour ? 3 : 1);
    if (type <= '3') return check_plain_raster(w, at, samples, bits);
    uint64_t raster =
        bits ? ((uint64_t)width + 7) / 8 * height : samples * (w->kind->maximum > 255 ? 2 : 1);
    if (raster > w->count - at) return assay_walk_truncated(w, "within its samples");
    return ends_at(w, at + (size_t)raster);
}

/* --- all -------------------------------------------------------------------------------------- */

typedef struct {
    assay_format format;
    const char *name;
    size_t at; /* where the mark lies */
    size_t length;
    const char *mark;
    bool (*check)(const assay_walk *w);
} known_format;

static const known_format known[] = {
    {ASSAY_FORMAT_JPEG, "JPEG", 0, 3, "\xff\xd8\xff", check_jpeg},
    {ASSAY_FORMAT_PNG, "PNG", 0, 8, "\x89PNG\r\n\x1a\n", check_png},
    {ASSAY_FORMAT_JPEG_2000, "JPEG 2000", 0, 12, "\0\0\0\x0cjP  \r\n\x87\n", check_jpeg_2000},
    {ASSAY_FORMAT_JPEG_2000, "JPEG 2000", 0, 4, "\xff\x4f\xff\x51", check_jpeg_2000},
    {ASSAY_FORMAT_TIFF, "TIFF", 0, 4, "II*\0", assay_tiff_check},
    {ASSAY_FORMAT_TIFF, "TIFF", 0, 4, "MM\0*", assay_tiff_check},
    {ASSAY_FORMAT_TIFF, "TIFF", 0, 4, "II+\0", assay_tiff_check},
    {ASSAY_FORMAT_TIFF, "TIFF", 0, 4, "MM\0+", assay_tiff_check},
    {ASSAY_FORMAT_WEBP, "WebP", 8, 4, "WEBP", check_webp},
};

bool assay_format_recognise(const uint8_t *bytes, size_t count, uint64_t pixel_cap,
                            assay_format_kind *out, char *fault, size_t fault_size) {
    assay_walk w = {bytes, count, pixel_cap, out, fault, fault_size};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const known_format *format = &known[i];
        if (count < format->at + format->length ||
            memcmp(bytes + format->at, format->mark, format->length) != 0)
            continue;
        if (format->format == ASSAY_FORMAT_WEBP && memcmp(bytes, "RIFF", 4) != 0) continue;
        *out = (assay_format_kind){format->format, format->name, 0};
        return format->check(&w);
    }
    if (count >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
        (is_blank(bytes[2]) || bytes[2] == '#')) {
        *out = (assay_format_kind){ASSAY_FORMAT_PNM, "PNM", 0};
        return check_pnm(&w);
    }
    snprintf(fault, fault_size, "%s",
             count == 0 ? "empty" : "not a JPEG, PNG, JPEG 2000, TIFF, WebP or PNM image");
    return false;
}
