/* child -- work done in another process: a forked child that reports a status, a program of others
 * that is run to its end, and a helper program that answers framed requests. Confinement is in
 * confine.c. */
#include "datasets/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define WRITE_PATIENCE_MS 30000
#define HEARD_BYTES 400 /* of what a program that failed printed last */
#define SPARE_FD 10     /* first number for descriptors on their way to a helper's 3 and 4 */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static pid_t reap(pid_t pid, int *out_status) {
    pid_t reaped;
    do reaped = waitpid(pid, out_status, 0);
    while (reaped < 0 && errno == EINTR);
    return reaped;
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Waits until fd is ready for events, at most until deadline (never to end where it is negative).
 */
static assay_status wait_for(int fd, short events, int64_t deadline) {
    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();
        if (deadline >= 0 && left <= 0)
            return assay_fail(ASSAY_FAILED, "the other process did not %s in time",
                              events == POLLIN ? "answer" : "take what was sent to it");
        struct pollfd wanted = {.fd = fd, .events = events};
        int ready = poll(&wanted, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (ready > 0) return ASSAY_OK;
        if (ready < 0 && errno != EINTR) return assay_fail_errno("cannot wait for a process");
    }
}

static assay_status write_bytes(int fd, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written >= 0) {
            bytes += written;
            count -= (size_t)written;
        } else if (errno == EAGAIN) {
            assay_status status = wait_for(fd, POLLOUT, now_ms() + WRITE_PATIENCE_MS);
            if (status != ASSAY_OK) return status;
        } else if (errno != EINTR) {
            return assay_fail_errno("cannot send to the other process");
        }
    }
    return ASSAY_OK;
}

assay_status assay_frame_write(int fd, const void *bytes, size_t count) {
    if (count > UINT32_MAX)
        return assay_fail(ASSAY_FAILED, "cannot send %zu bytes in a frame of at most %u", count,
                          UINT32_MAX);
    uint8_t length[4];
    for (unsigned i = 0; i < 4; i++) length[i] = (uint8_t)(count >> (8 * i));
    /* A closed pipe must be an error here, not a signal to the program: SIGPIPE is held back for
     * this thread, and one that came of these writes is taken away before it is let through. */
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    assay_status status = write_bytes(fd, length, sizeof length);
    if (status == ASSAY_OK) status = write_bytes(fd, bytes, count);
    if (status != ASSAY_OK && !sigismember(&pending, SIGPIPE)) {
        static const struct timespec at_once = {0, 0};
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static assay_status read_bytes(int fd, uint8_t *bytes, size_t count, int64_t deadline) {
    while (count > 0) {
        assay_status status = wait_for(fd, POLLIN, deadline);
        if (status != ASSAY_OK) return status;
        ssize_t got = read(fd, bytes, count);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return assay_fail_errno("cannot read from the other process");
        if (got == 0) return assay_fail(ASSAY_FAILED, "the other process ended without an answer");
        bytes += got;
        count -= (size_t)got;
    }
    return ASSAY_OK;
}

assay_status assay_frame_read(int fd, size_t limit, int timeout_ms, uint8_t **out,
                              size_t *out_count) {
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    uint8_t length[4], *bytes = NULL;
    assay_status status = read_bytes(fd, length, sizeof length, deadline);
    if (status != ASSAY_OK) return status;
    size_t count = 0;
    for (unsigned i = 0; i < 4; i++) count |= (size_t)length[i] << (8 * i);
    if (count > limit)
        return assay_fail(ASSAY_FAILED, "the other process sent %zu bytes where at most %zu fit",
                          count, limit);
    bytes = malloc(count + 1);
    if (bytes == NULL) return assay_fail(ASSAY_FAILED, "out of memory for %zu bytes", count);
    status = read_bytes(fd, bytes, count, deadline);
    if (status != ASSAY_OK) {
        free(bytes);
        return status;
    }
    bytes[count] = '\0';
    *out = bytes;
    *out_count = count;
    return ASSAY_OK;
}

/* --- a forked child --------------------------------------------------------------------------- */

/* In the child: its status and its text as one frame, and no way back. */
static void work_and_end(assay_status (*work)(void *context), void *context, int fd, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* it died before prctl() */
    assay_status status = work(context);
    const char *text = status == ASSAY_OK ? "" : assay_error_text();
    size_t length = strlen(text);
    uint8_t report[ASSAY_ERROR_SIZE + 1]; /* memory may be what there was none of */
    report[0] = (uint8_t)status;
    memcpy(report + 1, text, length);
    _exit(assay_frame_write(fd, report, length + 1) == ASSAY_OK ? 0 : 1);
}

/* How a child that left no report ended. */
static assay_status fail_of_end(const char *what, int ended) {
    if (WIFSIGNALED(ended)) {
        const char *name = sigabbrev_np(WTERMSIG(ended));
        return assay_fail(ASSAY_FAILED, "%s: its process died of signal SIG%s (%d)", what,
                          name != NULL ? name : "?", WTERMSIG(ended));
    }
    return assay_fail(ASSAY_FAILED,
                      "%s: its process ended with status %d and left no report, perhaps because "
                      "memory was out",
                      what, WEXITSTATUS(ended));
}

assay_status assay_child_run(assay_status (*work)(void *context), void *context, const char *what) {
    int ends[2] = {-1, -1};
    uint8_t *report = NULL;
    size_t length = 0;
    assay_status status;
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0) return assay_fail_errno("%s: cannot make a pipe", what);
    pid_t pid = fork();
    if (pid < 0) {
        status = assay_fail_errno("%s: cannot start a process", what);
        goto out;
    }
    if (pid == 0) work_and_end(work, context, ends[1], parent);
    close_fd(&ends[1]);
    assay_status read_status = assay_frame_read(ends[0], ASSAY_ERROR_SIZE, -1, &report, &length);
    int ended = 0;
    if (reap(pid, &ended) < 0) {
        status = assay_fail_errno("%s: cannot learn how its process ended", what);
        goto out;
    }
    bool whole = read_status == ASSAY_OK && length > 0 && report[0] <= ASSAY_DISAGREES;
    if (!whole || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        status = fail_of_end(what, ended);
    else if (report[0] != ASSAY_OK)
        status = assay_fail((assay_status)report[0], "%s", (const char *)report + 1);
    else
        status = ASSAY_OK;
out:
    free(report);
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    return status;
}

/* --- a program of others ---------------------------------------------------------------------- */

static int start_program(const assay_program *program, int output, pid_t *out_pid) {
    posix_spawn_file_actions_t actions;
    int fault = posix_spawn_file_actions_init(&actions);
    if (fault != 0) return fault;
    fault = posix_spawn_file_actions_addchdir_np(&actions, program->folder);
    if (fault == 0) fault = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (fault == 0) fault = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (fault == 0) fault = posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (fault == 0)
        fault = posix_spawnp(out_pid, program->arguments[0], &actions, NULL,
                             (char *const *)program->arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return fault;
}

static assay_status wait_for_program(pid_t pid, const assay_program *program, const char *doing,
                                     int *out_ended) {
    static const struct timespec moment = {0, 4000000};
    for (int64_t until = now_ms() + 1000 * (int64_t)program->seconds; now_ms() < until;) {
        pid_t ended = waitpid(pid, out_ended, WNOHANG);
        if (ended == pid) return ASSAY_OK;
        if (ended < 0 && errno != EINTR)
            return assay_fail_errno("%s: cannot wait for %s", doing, program->arguments[0]);
        nanosleep(&moment, NULL);
    }
    kill(pid, SIGKILL);
    reap(pid, out_ended);
    return assay_fail(ASSAY_FAILED, "%s: %s did not end within %u seconds", doing,
                      program->arguments[0], program->seconds);
}

/* Its last words, on one line: a traceback or a list of warnings ends with what matters. */
static assay_status fail_of_program(const assay_program *program, const char *doing, int output,
                                    int ended) {
    char heard[HEARD_BYTES + 1] = "", shown[4 * HEARD_BYTES + 1];
    off_t length = lseek(output, 0, SEEK_END);
    off_t from = length > HEARD_BYTES ? length - HEARD_BYTES : 0;
    ssize_t got = pread(output, heard, HEARD_BYTES, from);
    if (got < 0) got = 0;
    while (got > 0 && strchr(" \n", heard[got - 1]) != NULL) got--;
    heard[got] = '\0';
    const char *line = from > 0 ? strchr(heard, '\n') : NULL;
    assay_printable(shown, sizeof shown, line != NULL ? line + 1 : heard);
    if (WIFSIGNALED(ended)) {
        const char *name = sigabbrev_np(WTERMSIG(ended));
        return assay_fail(ASSAY_FAILED, "%s: %s died of signal SIG%s", doing, program->arguments[0],
                          name != NULL ? name : "?");
    }
    return assay_fail(ASSAY_FAILED, "%s: %s ended with status %d%s%s", doing, program->arguments[0],
                      WEXITSTATUS(ended), *shown ? ": " : "", shown);
}

assay_status assay_program_run(const assay_program *program, const char *doing, bool *out_missing) {
    pid_t pid = -1;
    int ended = 0;
    int output = memfd_create("output", MFD_CLOEXEC);
    if (output < 0) return assay_fail_errno("%s: cannot keep what a program prints", doing);
    int fault = start_program(program, output, &pid);
    assay_status status = ASSAY_OK;
    if (fault != 0 && fault != ENOENT)
        status = assay_fail(ASSAY_FAILED, "%s: cannot start %s: %s", doing, program->arguments[0],
                            strerror(fault));
    if (fault == 0) status = wait_for_program(pid, program, doing, &ended);
    if (fault == 0 && status == ASSAY_OK && (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0))
        status = fail_of_program(program, doing, output, ended);
    if (status == ASSAY_OK) *out_missing = fault == ENOENT;
    close(output);
    return status;
}

/* --- a helper program ------------------------------------------------------------------------- */

/* A pipe whose end number `theirs` lies at SPARE_FD or above, out of the way of dup2 to 3 and 4. */
static assay_status open_pipe(int ends[2], int theirs) {
    if (pipe2(ends, O_CLOEXEC) != 0) return assay_fail_errno("cannot make a pipe for a helper");
    int moved = fcntl(ends[theirs], F_DUPFD_CLOEXEC, SPARE_FD);
    if (moved < 0) return assay_fail_errno("cannot move a pipe for a helper");
    close(ends[theirs]);
    ends[theirs] = moved;
    return ASSAY_OK;
}

/* The helper's ends of its pipes. */
typedef struct {
    int request_fd, answer_fd;
    int output_fd; /* -1: /dev/null */
} helper_ends;

static int prepare_files(posix_spawn_file_actions_t *actions, const helper_ends *ends) {
    int fault = 0;
    for (int fd = 0; fd <= 2 && fault == 0; fd++)
        fault = fd > 0 && ends->output_fd >= 0
                    ? posix_spawn_file_actions_adddup2(actions, ends->output_fd, fd)
                    : posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    if (fault == 0) fault = posix_spawn_file_actions_adddup2(actions, ends->request_fd, 3);
    if (fault == 0) fault = posix_spawn_file_actions_adddup2(actions, ends->answer_fd, 4);
    if (fault == 0) fault = posix_spawn_file_actions_addclosefrom_np(actions, 5);
    return fault;
}

/* No signal ignored or held back, whatever the program does with its own; and a process group of
 * its own, so that what a terminal sends to us does not cut an image short. */
static int prepare_signals(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int fault = posix_spawnattr_setsigmask(attributes, &none);
    if (fault == 0) fault = posix_spawnattr_setsigdefault(attributes, &all);
    if (fault == 0)
        fault = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return fault;
}

static int spawn(const char *program, const helper_ends *ends, const char *const *variables,
                 pid_t *out) {
    /* A clean environment: what the program was told, secrets too, is not the helper's business. */
    char *arguments[] = {(char *)program, (char *)"3", (char *)"4", NULL};
    char *environment[3 + ASSAY_HELPER_VARIABLES] = {(char *)"LC_ALL=C",
                                                     (char *)"PATH=/usr/bin:/bin", NULL};
    for (size_t n = 0; variables != NULL && variables[n] != NULL; n++) {
        if (n == ASSAY_HELPER_VARIABLES) return E2BIG;
        environment[2 + n] = (char *)variables[n];
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int fault = posix_spawn_file_actions_init(&actions);
    if (fault != 0) return fault;
    fault = posix_spawnattr_init(&attributes);
    if (fault != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return fault;
    }
    fault = prepare_files(&actions, ends);
    if (fault == 0) fault = prepare_signals(&attributes);
    if (fault == 0)
        fault = posix_spawn(out, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return fault;
}

static assay_status start(const char *program, const char *const *variables, bool heard,
                          assay_helper *out) {
    int request[2] = {-1, -1}, answer[2] = {-1, -1}, output[2] = {-1, -1};
    pid_t pid;
    assay_status status = open_pipe(request, 0);
    if (status == ASSAY_OK) status = open_pipe(answer, 1);
    if (status == ASSAY_OK && heard) status = open_pipe(output, 1);
    if (status != ASSAY_OK) goto out;
    /* So that a helper that stops reading cannot hold us: assay_frame_write waits with a limit. And
     * so that what it prints holds up neither it nor us. */
    if (fcntl(request[1], F_SETFL, O_NONBLOCK) != 0 ||
        (heard && (fcntl(output[0], F_SETFL, O_NONBLOCK) != 0 ||
                   fcntl(output[1], F_SETFL, O_NONBLOCK) != 0))) {
        status = assay_fail_errno("cannot prepare a pipe for a helper");
        goto out;
    }
    const helper_ends ends = {request[0], answer[1], output[1]};
    int fault = spawn(program, &ends, variables, &pid);
    if (fault != 0) {
        errno = fault;
        status = assay_fail_errno("cannot start the helper program %s", program);
        goto out;
    }
    *out = (assay_helper){
        .pid = pid, .request_fd = request[1], .answer_fd = answer[0], .output_fd = output[0]};
    request[1] = answer[0] = output[0] = -1;
out:
    for (int i = 0; i < 2; i++) {
        close_fd(&request[i]);
        close_fd(&answer[i]);
        close_fd(&output[i]);
    }
    return status;
}

assay_status assay_helper_start(const char *program, assay_helper *out) {
    return start(program, NULL, false, out);
}

assay_status assay_helper_start_heard(const char *program, const char *const *environment,
                                      assay_helper *out) {
    return start(program, environment, true, out);
}

size_t assay_helper_hear(const assay_helper *helper, char *out, size_t size) {
    if (helper->output_fd < 0) return 0;
    ssize_t count = read(helper->output_fd, out, size);
    return count > 0 ? (size_t)count : 0;
}

assay_helper_end assay_helper_find_end(const assay_helper *helper) {
    siginfo_t ended = {0};
    struct pollfd answers = {.fd = helper->answer_fd};
    /* A pipe that is closed is so a moment before its process can be waited for. */
    bool closed = poll(&answers, 1, 0) == 1 && (answers.revents & POLLHUP) != 0;
    for (int64_t until = now_ms() + 1000; closed && ended.si_pid == 0 && now_ms() < until;) {
        static const struct timespec moment = {0, 1000000};
        if (waitid(P_PID, (id_t)helper->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) break;
        if (ended.si_pid == 0) nanosleep(&moment, NULL);
    }
    if (ended.si_pid == 0) return (assay_helper_end){.ended = false};
    if (ended.si_code == CLD_EXITED)
        return (assay_helper_end){.ended = true, .status = ended.si_status};
    const char *name = sigabbrev_np(ended.si_status);
    return (assay_helper_end){
        .ended = true, .signal = name != NULL ? name : "?", .status = ended.si_status};
}

void assay_helper_stop(assay_helper *helper) {
    close_fd(&helper->request_fd);
    close_fd(&helper->answer_fd);
    close_fd(&helper->output_fd);
    if (helper->pid > 0) {
        int ended;
        kill(helper->pid, SIGKILL);
        reap(helper->pid, &ended);
    }
    *helper = ASSAY_HELPER_NONE;
}
