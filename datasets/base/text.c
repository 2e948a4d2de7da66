/* text -- growing strings and the printing of numbers, counts and doubtful bytes. What reads text
 * (numbers, times, names) is in parse.c. */
#include "datasets/base/text.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "datasets/base/memory.h"
#include "datasets/base/unicode.h"

/* Room for count more bytes and the NUL; false after any failure. */
static bool make_room(assay_text *text, size_t count) {
    if (text->failed) return false;
    if (count > SIZE_MAX - 1 - text->length ||
        assay_reserve(&text->bytes, &text->capacity, text->length + count + 1, 1, "text") !=
            ASSAY_OK)
        text->failed = true;
    return !text->failed;
}

void assay_text_append_bytes(assay_text *text, const void *bytes, size_t count) {
    if (!make_room(text, count)) return;
    if (count > 0) memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

void assay_text_append(assay_text *text, const char *string) {
    assay_text_append_bytes(text, string, strlen(string));
}

void assay_text_appendf(assay_text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) text->failed = true;
    if (length >= 0 && make_room(text, (size_t)length)) {
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void assay_text_append_html(assay_text *text, const char *string) {
    for (const char *at = string; *at != '\0';) {
        size_t plain = strcspn(at, "&<>\"'");
        assay_text_append_bytes(text, at, plain);
        at += plain;
        switch (*at) {
        case '&':
            assay_text_append(text, "&amp;");
            break;
        case '<':
            assay_text_append(text, "&lt;");
            break;
        case '>':
            assay_text_append(text, "&gt;");
            break;
        case '"':
            assay_text_append(text, "&quot;");
            break;
        case '\'':
            assay_text_append(text, "&#39;");
            break;
        default:
            return;
        }
        at++;
    }
}

void assay_text_clear(assay_text *text) {
    text->length = 0;
    text->failed = false;
    if (text->bytes != NULL) text->bytes[0] = '\0';
}

void assay_text_free(assay_text *text) {
    free(text->bytes);
    *text = (assay_text){0};
}

assay_status assay_text_status(const assay_text *text) {
    if (!text->failed) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "out of memory for a text of more than %zu bytes",
                      text->length);
}

const char *assay_print_double(char out[ASSAY_NUMBER_SIZE], double value) {
    if (isnan(value)) return strcpy(out, "nan");
    if (isinf(value)) return strcpy(out, value > 0 ? "inf" : "-inf");
    /* The C locale for this thread, whatever the program or a library has set. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(plain);
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, ASSAY_NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(out, NULL) == value) break;
    }
    uselocale(before);
    if (plain != (locale_t)0) freelocale(plain);
    return out;
}

const char *assay_print_count(char out[ASSAY_NUMBER_SIZE], uint64_t value) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

bool assay_unicode_is_unseen(int32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||       /* C0, DEL, C1 */
           point == 0x061c || point == 0x200e || point == 0x200f || /* marks of direction */
           (point >= 0x202a && point <= 0x202e) ||                  /* embeddings, overrides */
           (point >= 0x2066 && point <= 0x2069) ||                  /* isolates */
           point == 0x2028 || point == 0x2029;                      /* separators of lines */
}

static const char *printable(char *out, size_t size, const char *text, bool keep_newlines) {
    static const char cut[] = "…";
    if (size == 0) return out;
    size_t at = 0, whole = 0; /* whole: where a cut mark still fits behind */
    size_t left = strlen(text);
    while (left > 0) {
        char piece[20];
        size_t used = 1, count = 0;
        int32_t point = -1;
        utf8proc_ssize_t read =
            utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)left, &point);
        if (read > 0) used = (size_t)read;
        if (read > 0 && (!assay_unicode_is_unseen(point) || (point == '\n' && keep_newlines))) {
            memcpy(piece, text, used);
            count = used;
        } else {
            for (size_t i = 0; i < used; i++, count += 4)
                snprintf(piece + count, sizeof piece - count, "\\x%02x", (unsigned char)text[i]);
        }
        if (at + count >= size) {
            at = whole;
            if (at + sizeof cut <= size) at += (size_t)snprintf(out + at, size - at, "%s", cut);
            break;
        }
        memcpy(out + at, piece, count);
        at += count;
        if (at + sizeof cut <= size) whole = at;
        text += used;
        left -= used;
    }
    out[at] = '\0';
    return out;
}

const char *assay_printable(char *out, size_t size, const char *text) {
    return printable(out, size, text, false);
}

const char *assay_printable_lines(char *out, size_t size, const char *text) {
    return printable(out, size, text, true);
}
