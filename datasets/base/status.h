/* status -- what a fallible function returns, and the one place where its explanation is kept.
 *
 * A function that can fail returns assay_status and writes its results, which come last in its
 * parameters, only on ASSAY_OK. Whoever finds the fault calls assay_fail() once, saying what was
 * being done, to which file, line or value, and what was expected; callers pass the status on, and
 * may put their own context in front with assay_fail_in(). The text is thread-local. */
#ifndef ASSAY_DATASETS_BASE_STATUS_H
#define ASSAY_DATASETS_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ASSAY_OK = 0,
    ASSAY_FAILED,    /* it was asked for rightly and did not work: I/O, memory, damage; exit 1 */
    ASSAY_USAGE,     /* the request is wrong: option, configuration, manifest, labels; exit 2 */
    ASSAY_DECLINED,  /* a backend says that it cannot; only `backend = auto` may move on */
    ASSAY_DISAGREES, /* two computations of the same thing differ: stops louder; exit 1 */
} assay_status;

#define ASSAY_MUST_CHECK __attribute__((warn_unused_result))
#define ASSAY_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

/* Returns status, after keeping the formatted text as this thread's explanation. Text that does not
 * fit ASSAY_ERROR_SIZE bytes (a list of a hundred faults does) is cut at a character boundary and
 * ends in "…". Newlines stay, for such lists; other control characters and bytes that are not UTF-8
 * are shown as \xNN. A name that could hold a newline goes through assay_printable() first. */
#define ASSAY_ERROR_SIZE 32768
assay_status assay_fail(assay_status status, const char *format, ...) ASSAY_PRINTF(2, 3);
assay_status assay_fail_va(assay_status status, const char *format, va_list arguments);

/* Puts "context: " in front of the text that is there and returns status unchanged. */
assay_status assay_fail_in(assay_status status, const char *format, ...) ASSAY_PRINTF(2, 3);

/* This thread's explanation; borrowed until the next assay_fail() of this thread; never NULL. */
const char *assay_error_text(void);

/* Whether the explanation that is there is of memory that was out, and so no sign of damage. */
bool assay_error_is_memory(void);

/* ASSAY_FAILED with the text of errno behind the formatted text: "cannot open a.csv: No such …". */
assay_status assay_fail_errno(const char *format, ...) ASSAY_PRINTF(1, 2);

#ifdef __cplusplus
}
#endif
#endif
