/* progress -- how a long step tells how far it is, without knowing who listens. */
#include "datasets/base/progress.h"

#include <stdarg.h>
#include <stdio.h>

bool assay_progress_tell(const assay_progress *progress, const char *step, const char *unit,
                         uint64_t done, uint64_t total) {
    if (progress == NULL || progress->tell == NULL) return true;
    return progress->tell(progress->context, step, unit, done, total);
}

void assay_progress_note(const assay_progress *progress, const char *format, ...) {
    if (progress == NULL || progress->note == NULL) return;
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    progress->note(progress->context, line);
}
