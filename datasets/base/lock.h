/* lock -- one writer at a time, who says who he is.
 *
 * A lock is a small file beside what is written: ".NAME.lock" for a file, ".lock" in a folder. Who
 * holds it has it locked by flock and has written into it its process, the machine and the boot,
 * since when and by which command. The kernel lets the flock go with the process, so a lock that
 * nobody holds is stale and is taken over; the text tells whom to wait for, and tells of a holder
 * where flock does not reach: on another machine, or on a file system that has none. */
#ifndef ASSAY_DATASETS_BASE_LOCK_H
#define ASSAY_DATASETS_BASE_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "datasets/base/status.h"

typedef struct {
    int fd;
    char *path;
} assay_lock;

#define ASSAY_LOCK_NONE ((assay_lock){.fd = -1})

/* Locks target, a file that need not be there or (folder) a folder that must be. ASSAY_FAILED,
 * saying who writes, where another process that lives holds it; a process that was killed a moment
 * ago is waited for, two seconds at most. */
assay_status assay_lock_take(const char *target, bool folder, assay_lock *out) ASSAY_MUST_CHECK;
/* Gives it back and removes its file; takes ASSAY_LOCK_NONE. */
void assay_lock_release(assay_lock *lock);

/* Whether name is ".NAME.tmp-PID" of a process that is no more. */
bool assay_is_left_over(const char *name);

/* The command line of this process, as a shell would take it, cut at size; "" where the system does
 * not tell. */
const char *assay_command_line(char *out, size_t size);

#endif
