/* progress -- how a long step tells how far it is, without knowing who listens. */
#ifndef ASSAY_DATASETS_BASE_PROGRESS_H
#define ASSAY_DATASETS_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* step: "compare"; unit: "pairs". Called by one thread at a time, some times a second at most, and
 * always with done == total at the end. A false return asks the step to stop (interrupted). */
typedef struct {
    bool (*tell)(void *context, const char *step, const char *unit, uint64_t done, uint64_t total);
    /* A line worth knowing that is no error: a warning of the manifest, a resumed segment. */
    void (*note)(void *context, const char *line);
    void *context;
} assay_progress;

/* Both take NULL, and a progress without functions, and then do nothing. */
bool assay_progress_tell(const assay_progress *progress, const char *step, const char *unit,
                         uint64_t done, uint64_t total);
void assay_progress_note(const assay_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
