/* text -- growing strings, checked numbers, Unicode rules for names, and the nearest known word. */
#ifndef ASSAY_DATASETS_BASE_TEXT_H
#define ASSAY_DATASETS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

/* A growing string. Appending after a failed allocation does nothing; ask assay_text_status() once
 * at the end. bytes is always NUL-terminated after the first append, and NULL before. */
typedef struct {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
} assay_text;

void assay_text_append(assay_text *text, const char *string);
void assay_text_append_bytes(assay_text *text, const void *bytes, size_t count);
void assay_text_appendf(assay_text *text, const char *format, ...) ASSAY_PRINTF(2, 3);
void assay_text_append_html(assay_text *text, const char *string); /* & < > " ' escaped */
void assay_text_clear(assay_text *text);
void assay_text_free(assay_text *text);
assay_status assay_text_status(const assay_text *text) ASSAY_MUST_CHECK;

/* Shortest decimal that strtod reads back as the same double: 1e-06, 0.35, inf, nan. */
#define ASSAY_NUMBER_SIZE 32
const char *assay_print_double(char out[ASSAY_NUMBER_SIZE], double value);

/* 20706 as "20,706". */
const char *assay_print_count(char out[ASSAY_NUMBER_SIZE], uint64_t value);

/* Whole-string conversions: no leading blanks, no rest, no NaN or infinity, C locale. false if not.
 */
bool assay_parse_double(const char *text, double *out);
bool assay_parse_uint64(const char *text, uint64_t *out);
bool assay_parse_int64(const char *text, int64_t *out);

/* "2024-03-09" or "2024-03-09T12:30:00[Z|+01:00]" to seconds since 1970-01-01 UTC; a date alone is
 * its midnight UTC. Refuses days that do not exist. */
bool assay_parse_time(const char *text, int64_t *out);
#define ASSAY_TIME_MISSING INT64_MIN
const char *assay_print_time(char out[ASSAY_NUMBER_SIZE],
                             int64_t seconds); /* "2024-03-09T12:30:00Z" */

/* Why text cannot be an identifier or label here, as a phrase ("is not valid UTF-8 at byte 3"), or
 * NULL where it can: valid UTF-8 in NFC, no control or bidirectional-control characters, at most
 * 128 bytes, and not empty. Borrowed until this thread's next call. */
#define ASSAY_NAME_BYTES 128
const char *assay_name_fault(const char *text, size_t length);

/* Likewise why text cannot be a path: as a name, but in any normal form (it must be what the file
 * system has) and of at most 4096 bytes. */
#define ASSAY_PATH_BYTES 4096
const char *assay_path_fault(const char *text, size_t length);

/* text with what a terminal should not see shown as \xNN: control and bidirectional-control
 * characters, line separators and bytes that are not UTF-8. What does not fit size bytes is cut at
 * a character and ends in "…"; out is always terminated. */
const char *assay_printable(char *out, size_t size, const char *text);
/* The same with newlines left as they are. */
const char *assay_printable_lines(char *out, size_t size, const char *text);

/* The word of words[count] nearest to word by edit distance, or NULL if none is near. */
const char *assay_nearest_word(const char *word, const char *const *words, size_t count);

/* "did you mean 'compare'? Known: a, b, c" for a message about an unknown word. */
const char *assay_suggest(char *out, size_t size, const char *word, const char *const *words,
                          size_t count);

#endif
