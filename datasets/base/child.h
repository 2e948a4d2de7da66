/* child -- work done in another process: a forked child that reports a status, a program of others
 * that is run to its end, and a helper program that answers framed requests. */
#ifndef ASSAY_DATASETS_BASE_CHILD_H
#define ASSAY_DATASETS_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "datasets/base/status.h"

/* Runs work(context) in a forked child that ends with _exit, and gives back its status and error
 * text; a child that dies otherwise is ASSAY_FAILED, saying how. What the child changes in memory
 * is lost. Call it only while no other thread of this process may hold a lock that work() takes. */
assay_status assay_child_run(assay_status (*work)(void *context), void *context,
                             const char *what) ASSAY_MUST_CHECK;

/* Runs a program of others (arguments[0], looked for in PATH; NULL-terminated, no shell) in folder
 * and waits for its end, at most seconds, then kills it. It reads /dev/null; what it prints is
 * heard only where it fails: ASSAY_FAILED, the text of `doing` in front, with the end of its
 * output. *out_missing, and ASSAY_OK, where there is no such program. */
typedef struct {
    const char *const *arguments;
    const char *folder;
    unsigned seconds;
} assay_program;
assay_status assay_program_run(const assay_program *program, const char *doing,
                               bool *out_missing) ASSAY_MUST_CHECK;

/* A helper program with a request pipe and an answer pipe. Its standard streams are /dev/null
 * (standard error too), it is told its two descriptors as arguments 1 and 2, and it gets no other
 * descriptor and no environment but LC_ALL=C and a PATH. It sees the end of its request pipe when
 * we die, and once confined is killed when the thread that started it ends. */
typedef struct {
    pid_t pid;
    int request_fd;
    int answer_fd;
    int output_fd; /* what it prints, or -1 */
} assay_helper;

#define ASSAY_HELPER_NONE                                                                          \
    ((assay_helper){.pid = -1, .request_fd = -1, .answer_fd = -1, .output_fd = -1})

assay_status assay_helper_start(const char *program, assay_helper *out) ASSAY_MUST_CHECK;
/* As assay_helper_start, but its standard output and error go to a pipe that never makes it wait:
 * what we have not read in time and does not fit is lost. environment: more "NAME=value", at most
 * ASSAY_HELPER_VARIABLES, NULL-terminated. */
#define ASSAY_HELPER_VARIABLES 6
assay_status assay_helper_start_heard(const char *program, const char *const *environment,
                                      assay_helper *out) ASSAY_MUST_CHECK;
/* What it has printed and nobody has read yet, at most size bytes; 0 where there is none. */
size_t assay_helper_hear(const assay_helper *helper, char *out, size_t size);

/* How a helper that should have answered ended, waiting a second for it where its answers are
 * closed. It stays to be reaped by assay_helper_stop. */
typedef struct {
    bool ended;
    const char *signal; /* "SEGV", or NULL where it ended by itself or runs still */
    int status;
} assay_helper_end;
assay_helper_end assay_helper_find_end(const assay_helper *helper);
void assay_helper_stop(assay_helper *helper); /* kills and reaps; takes one that never started */

/* Frames: a 32-bit little-endian length, then the bytes. Reading gives up after timeout_ms
 * milliseconds (never, where that is negative) or where the length is over limit; writing gives up
 * where a helper has taken nothing for 30 seconds; both where the other end is closed
 * (ASSAY_FAILED). *out has a NUL behind its *out_count bytes; free(). */
assay_status assay_frame_write(int fd, const void *bytes, size_t count) ASSAY_MUST_CHECK;
assay_status assay_frame_read(int fd, size_t limit, int timeout_ms, uint8_t **out,
                              size_t *out_count) ASSAY_MUST_CHECK;

/* Confines the calling process for good: no new privileges, dies with its parent, not dumpable,
 * memory_bytes of address space (but not in a build with a sanitizer, which needs terabytes of it),
 * cpu_seconds, no files written, no core; Landlock read-only on read_paths[count] and on the system
 * libraries; seccomp that leaves memory, threads, time and the descriptors that are open, so no
 * sockets, exec, fork, signals to others, ptrace and the like. It must have one thread, and may
 * start more afterwards. ASSAY_FAILED where the kernel refuses any of it, so that nothing runs half
 * confined; where the kernel has no Landlock at all, *out_without_landlock (may be NULL) is set to
 * 1 instead. */
assay_status assay_confine(uint64_t memory_bytes, unsigned cpu_seconds,
                           const char *const *read_paths, size_t count,
                           int *out_without_landlock) ASSAY_MUST_CHECK;

#endif
