/* status -- the explanation behind an assay_status, one a thread. */
#include "datasets/base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/text.h"

/* The one mutable thing with thread storage in the library: status.h says why. */
static _Thread_local char explanation[ASSAY_ERROR_SIZE];

static void keep(const char *text) {
    assay_printable_lines(explanation, sizeof explanation, text);
}

assay_status assay_fail_va(assay_status status, const char *format, va_list arguments) {
    /* Formatted aside, since an argument may be the explanation that is there now. One byte more
     * than is kept, so that what does not fit is seen by assay_printable_lines and marked. */
    char raw[ASSAY_ERROR_SIZE + 8];
    int saved = errno;
    if (vsnprintf(raw, sizeof raw, format, arguments) < 0)
        snprintf(raw, sizeof raw, "an explanation that could not be formatted: %s", format);
    keep(raw);
    errno = saved;
    return status;
}

assay_status assay_fail(assay_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    assay_fail_va(status, format, arguments);
    va_end(arguments);
    return status;
}

assay_status assay_fail_in(assay_status status, const char *format, ...) {
    char raw[2 * ASSAY_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(raw, ASSAY_ERROR_SIZE, format, arguments);
    va_end(arguments);
    if (length < 0) length = 0;
    if (length >= ASSAY_ERROR_SIZE) length = ASSAY_ERROR_SIZE - 1;
    snprintf(raw + length, sizeof raw - (size_t)length, ": %s", explanation);
    keep(raw);
    return status;
}

const char *assay_error_text(void) {
    return explanation;
}

bool assay_error_is_memory(void) {
    return strstr(explanation, "out of memory") != NULL ||
           strstr(explanation, "no memory") != NULL ||
           strstr(explanation, "is memory out") != NULL ||
           strstr(explanation, "Cannot allocate memory") != NULL;
}

assay_status assay_fail_errno(const char *format, ...) {
    int saved = errno;
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    assay_fail_va(ASSAY_FAILED, format, arguments);
    va_end(arguments);
    const char *words = strerror_r(saved, reason, sizeof reason);
    char raw[ASSAY_ERROR_SIZE + 264];
    snprintf(raw, sizeof raw, "%s: %s", explanation, words);
    keep(raw);
    errno = saved;
    return ASSAY_FAILED;
}
