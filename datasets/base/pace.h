/* pace -- keeps a loop from telling its progress more often than a few times a second. */
#ifndef ASSAY_DATASETS_BASE_PACE_H
#define ASSAY_DATASETS_BASE_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t last; /* CLOCK_MONOTONIC in ns of the last time it was due; 0 at first */
} assay_pace;

/* true at most four times a second; the first call is not due. */
bool assay_pace_due(assay_pace *pace);

/* CLOCK_MONOTONIC in seconds. */
double assay_pace_seconds(void);

#endif
