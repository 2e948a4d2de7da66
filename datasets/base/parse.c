/* parse -- the half of text.h that reads: numbers, times, names, and words that are nearly known.
 */
#include "datasets/base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "datasets/base/unicode.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool assay_parse_double(const char *text, double *out) {
    /* strtod would also take blanks, hexadecimal, "inf" and "nan". */
    if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0') return false;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) return false;
    char *end = NULL;
    double value = strtod_l(text, &end, plain);
    freelocale(plain);
    if (end == text || *end != '\0' || !isfinite(value)) return false;
    *out = value;
    return true;
}

bool assay_parse_uint64(const char *text, uint64_t *out) {
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (!is_digit(*text)) return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool assay_parse_int64(const char *text, int64_t *out) {
    bool negative = text[0] == '-';
    uint64_t size;
    if (!assay_parse_uint64(text + (negative || text[0] == '+'), &size)) return false;
    if (size > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
    if (size > (uint64_t)INT64_MAX)
        *out = INT64_MIN;
    else
        *out = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, and back: a year is counted from 1 March, so
 * that the day of the year of a month is linear and the leap day comes last; eras are of 400 years.
 */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* Exactly count digits at *at, which moves on; -1 where they are not there. */
static int read_digits(const char **at, int count) {
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!is_digit(**at)) return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static bool read_mark(const char **at, char mark) {
    if (**at != mark) return false;
    (*at)++;
    return true;
}

static bool read_date(const char **at, int64_t *out_days) {
    int year = read_digits(at, 4);
    if (year < 0 || !read_mark(at, '-')) return false;
    int month = read_digits(at, 2);
    if (month < 1 || month > 12 || !read_mark(at, '-')) return false;
    int day = read_digits(at, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (day < 1 || day > length[month - 1] + (month == 2 && leap)) return false;
    *out_days = days_from_date(year, month, day);
    return true;
}

/* "12:30:00" and the zone behind it, as seconds to add to midnight UTC. */
static bool read_clock(const char **at, int64_t *out_seconds) {
    int hour = read_digits(at, 2);
    if (hour < 0 || hour > 23 || !read_mark(at, ':')) return false;
    int minute = read_digits(at, 2);
    if (minute < 0 || minute > 59 || !read_mark(at, ':')) return false;
    int second = read_digits(at, 2);
    if (second < 0 || second > 59) return false;
    int64_t zone = 0;
    if (**at == '+' || **at == '-') {
        int sign = *(*at)++ == '-' ? -1 : 1;
        int zone_hour = read_digits(at, 2);
        if (zone_hour < 0 || zone_hour > 23 || !read_mark(at, ':')) return false;
        int zone_minute = read_digits(at, 2);
        if (zone_minute < 0 || zone_minute > 59) return false;
        zone = sign * (zone_hour * 3600 + zone_minute * 60);
    } else if (**at == 'Z') {
        (*at)++;
    }
    *out_seconds = hour * 3600 + minute * 60 + second - zone;
    return true;
}

bool assay_parse_time(const char *text, int64_t *out) {
    int64_t days, seconds = 0;
    if (!read_date(&text, &days)) return false;
    if (*text == 'T') {
        text++;
        if (!read_clock(&text, &seconds)) return false;
    }
    if (*text != '\0') return false;
    *out = days * 86400 + seconds;
    return true;
}

const char *assay_print_time(char out[ASSAY_NUMBER_SIZE], int64_t seconds) {
    out[0] = '\0';
    if (seconds == ASSAY_TIME_MISSING) return out;
    int64_t days = seconds / 86400, rest = seconds % 86400, year;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int month, day;
    date_from_days(days, &year, &month, &day);
    snprintf(out, ASSAY_NUMBER_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)year, month,
             day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
    return out;
}

/* Of at most ASSAY_NAME_BYTES. Without an allocation, which could fail and look like a bad name. */
static bool is_composed(const char *text, size_t length) {
    enum { MOST = 8 * ASSAY_NAME_BYTES }; /* a character falls into four at most */
    const int options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_int32_t points[MOST + 1];
    utf8proc_ssize_t count = utf8proc_decompose((const utf8proc_uint8_t *)text,
                                                (utf8proc_ssize_t)length, points, MOST, options);
    if (count < 0 || count > MOST) return false;
    utf8proc_ssize_t bytes = utf8proc_reencode(points, count, options);
    return bytes == (utf8proc_ssize_t)length && memcmp(points, text, length) == 0;
}

/* What names and paths have in common. */
static const char *text_fault(const char *text, size_t length, size_t limit) {
    static _Thread_local char fault[80];
    if (length == 0) return "is empty";
    if (length > limit) {
        snprintf(fault, sizeof fault, "has %zu bytes, more than %zu", length, limit);
        return fault;
    }
    for (size_t at = 0; at < length;) {
        int32_t point;
        utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                 (utf8proc_ssize_t)(length - at), &point);
        if (used <= 0) {
            snprintf(fault, sizeof fault, "is not valid UTF-8 at byte %zu", at + 1);
            return fault;
        }
        if (assay_unicode_is_unseen(point)) {
            snprintf(fault, sizeof fault, "has the control character U+%04X at byte %zu",
                     (unsigned)point, at + 1);
            return fault;
        }
        at += (size_t)used;
    }
    return NULL;
}

const char *assay_name_fault(const char *text, size_t length) {
    const char *fault = text_fault(text, length, ASSAY_NAME_BYTES);
    if (!fault && !is_composed(text, length)) fault = "is not in Unicode normal form C";
    return fault;
}

const char *assay_path_fault(const char *text, size_t length) {
    return text_fault(text, length, ASSAY_PATH_BYTES);
}

#define WORD_LIMIT 64

/* Edit distance with neighbours swapped counting one, without regard to case; lengths under
 * WORD_LIMIT. Three rows of the usual table are enough. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][WORD_LIMIT + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            bool same = strncasecmp(a + i - 1, b + j - 1, 1) == 0;
            size_t best = above[j - 1] + !same;
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && strncasecmp(a + i - 1, b + j - 2, 1) == 0 &&
                strncasecmp(a + i - 2, b + j - 1, 1) == 0 && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_length];
}

const char *assay_nearest_word(const char *word, const char *const *words, size_t count) {
    size_t length = strlen(word), nearest = SIZE_MAX;
    const char *found = NULL;
    if (length == 0 || length > WORD_LIMIT) return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(words[i]);
        if (other == 0 || other > WORD_LIMIT) continue;
        size_t distance = edit_distance(word, length, words[i], other);
        /* A third of the longer word may differ; the beginning of a word is near it, too. */
        bool begins = length >= 3 && length < other && strncasecmp(word, words[i], length) == 0;
        if (!begins && distance * 3 > (other > length ? other : length)) continue;
        if (begins && distance > 2) distance = 2;
        if (distance < nearest) {
            nearest = distance;
            found = words[i];
        }
    }
    return found;
}

const char *assay_suggest(char *out, size_t size, const char *word, const char *const *words,
                          size_t count) {
    const char *near = assay_nearest_word(word, words, count);
    assay_text text = {0};
    if (near != NULL) assay_text_appendf(&text, "did you mean '%s'? ", near);
    assay_text_append(&text, count > 0 ? "Known: " : "None is known");
    for (size_t i = 0; i < count; i++)
        assay_text_appendf(&text, "%s%s", i > 0 ? ", " : "", words[i]);
    assay_printable(out, size, text.bytes != NULL ? text.bytes : "");
    assay_text_free(&text);
    return out;
}
