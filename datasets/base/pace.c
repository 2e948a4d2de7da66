/* pace -- keeps a loop from telling its progress more often than a few times a second. */
#include "datasets/base/pace.h"

#include <time.h>

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool assay_pace_due(assay_pace *pace) {
    int64_t now = nanoseconds();
    if (pace->last == 0) pace->last = now;
    if (now - pace->last < 250000000) return false;
    pace->last = now;
    return true;
}

double assay_pace_seconds(void) {
    return (double)nanoseconds() * 1e-9;
}
