/* lock -- one writer at a time, who says who he is. */
#include "datasets/base/lock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"

#define TRIES 20 /* of a tenth of a second */
#define COMMAND_BYTES 1024
#define HOLDER_BYTES 2048

/* Who holds a lock, as its file says. */
typedef struct {
    uint64_t pid, started; /* ticks behind the boot, which tells two processes of one pid apart */
    char host[65], boot[40];
    char since[ASSAY_NUMBER_SIZE];
    char command[COMMAND_BYTES];
} holder;

/* ---- this machine and its processes ---- */

/* At most size - 1 bytes of a file of the kernel, without a newline at the end. */
static size_t read_start(const char *path, char *out, size_t size) {
    size_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    out[0] = '\0';
    if (fd < 0) return 0;
    while (length < size - 1) {
        ssize_t got = read(fd, out + length, size - 1 - length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += (size_t)got;
    }
    close(fd);
    if (length > 0 && out[length - 1] == '\n') length--;
    out[length] = '\0';
    return length;
}

/* When a process started, or 0 where there is none, or one that is dead and not yet buried. */
static uint64_t start_of(uint64_t pid) {
    char path[64], about[1024];
    unsigned long long started = 0;
    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    if (read_start(path, about, sizeof about) == 0) return 0;
    /* Its name, in brackets, may hold anything; the start is field 22, the 20th behind it. */
    const char *at = strrchr(about, ')');
    if (at == NULL || at[1] == '\0' || at[2] == 'Z' || at[2] == 'X') return 0;
    for (int field = 0; at != NULL && field < 20; field++) at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, " %llu", &started) != 1) return 0;
    return started;
}

static bool is_plain(char c) {
    return isalnum((unsigned char)c) || strchr("_-./=:,+@%", c) != NULL;
}

const char *assay_command_line(char *out, size_t size) {
    char line[COMMAND_BYTES];
    size_t length = read_start("/proc/self/cmdline", line, sizeof line), at = 0;
    out[0] = '\0';
    for (size_t word = 0; word < length; word += strlen(line + word) + 1) {
        const char *text = line + word;
        bool plain = *text != '\0';
        for (const char *c = text; *c; c++) plain = plain && is_plain(*c);
        int wrote;
        if (plain || strchr(text, '\'') != NULL)
            wrote = snprintf(out + at, size - at, "%s%s", at ? " " : "", text);
        else
            wrote = snprintf(out + at, size - at, "%s'%s'", at ? " " : "", text);
        if (wrote < 0 || (size_t)wrote >= size - at) {
            out[at] = '\0';
            break;
        }
        at += (size_t)wrote;
    }
    return out;
}

static void describe_self(holder *out) {
    char line[COMMAND_BYTES];
    *out = (holder){.pid = (uint64_t)getpid()};
    out->started = start_of(out->pid);
    if (gethostname(out->host, sizeof out->host - 1) != 0)
        snprintf(out->host, sizeof out->host, "?");
    read_start("/proc/sys/kernel/random/boot_id", out->boot, sizeof out->boot);
    assay_print_time(out->since, (int64_t)time(NULL));
    assay_printable(out->command, sizeof out->command, assay_command_line(line, sizeof line));
}

/* ---- the text of a lock ---- */

static assay_status write_holder(int fd, const char *path, const holder *self) {
    char text[HOLDER_BYTES];
    int length = snprintf(text, sizeof text,
                          "assay-lock 1\npid %llu\nstarted %llu\nhost %s\nboot %s\nsince %s\n"
                          "command %s\n",
                          (unsigned long long)self->pid, (unsigned long long)self->started,
                          self->host, self->boot, self->since, self->command);
    if (ftruncate(fd, 0) != 0) return assay_fail_errno("cannot write the lock %s", path);
    const ssize_t wrote = pwrite(fd, text, (size_t)length, 0);
    if (wrote == length) return ASSAY_OK;
    if (wrote >= 0) errno = ENOSPC;
    return assay_fail_errno("cannot write the lock %s", path);
}

static void take_line(const char *text, const char *key, char *out, size_t size) {
    const char *at = strstr(text, key);
    if (at == NULL) return;
    at += strlen(key);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* false where it says nothing: it was just made, or given back. */
static bool read_holder(int fd, holder *out) {
    char text[HOLDER_BYTES], number[24] = "";
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    if (length <= 0) return false;
    text[length] = '\0';
    *out = (holder){.pid = 0};
    take_line(text, "\npid ", number, sizeof(number));
    if (!assay_parse_uint64(number, &out->pid)) return false;
    number[0] = '\0';
    take_line(text, "\nstarted ", number, sizeof number);
    if (!assay_parse_uint64(number, &out->started)) out->started = 0;
    take_line(text, "\nhost ", out->host, sizeof out->host);
    take_line(text, "\nboot ", out->boot, sizeof out->boot);
    take_line(text, "\nsince ", out->since, sizeof out->since);
    take_line(text, "\ncommand ", out->command, sizeof out->command);
    return true;
}

static assay_status fail_held(const char *target, const holder *by, const char *more) {
    return assay_fail(ASSAY_FAILED,
                      "another process is writing to %s: process %llu on %s, since %s, by `%s`%s",
                      target, (unsigned long long)by->pid, by->host, by->since, by->command, more);
}

/* Whether the flock that we have may count, going by what the lock says. */
static assay_status check_holder(const char *target, const char *path, const holder *by,
                                 const holder *self) {
    char more[PATH_MAX + 128];
    if (strcmp(by->host, self->host) != 0) {
        snprintf(more, sizeof more, "; where that process is no more, remove %s", path);
        return fail_held(target, by, more);
    }
    if (strcmp(by->boot, self->boot) != 0 || by->pid == self->pid) return ASSAY_OK;
    const uint64_t started = start_of(by->pid);
    if (started == 0 || started != by->started) return ASSAY_OK;
    return fail_held(target, by, "");
}

/* ---- taking it ---- */

static assay_status lock_path(const char *target, bool folder, char **out) {
    assay_text path = {0};
    const char *name = assay_path_name(target);
    if (folder)
        assay_text_appendf(&path, "%s/.lock", target);
    else
        assay_text_appendf(&path, "%.*s.%s.lock", (int)(name - target), target, name);
    assay_status status = assay_text_status(&path);
    if (status != ASSAY_OK)
        assay_text_free(&path);
    else
        *out = path.bytes;
    return status;
}

/* The file may have been removed by who gave it back between our opening and our locking it. */
static bool is_still(int fd, const char *path) {
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* *out_fd is -1 where another has it and may be gone in a moment. */
static assay_status try_lock(const char *target, const char *path, const holder *self,
                             bool last_try, int *out_fd) {
    holder by = {0};
    assay_status status = ASSAY_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return assay_fail_errno("cannot write %s: its lock %s", target, path);
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
        status = assay_fail_errno("cannot lock %s", path);
        goto out;
    }
    if (!locked) {
        /* A child of a process that was killed holds it until it is killed too. */
        const bool known = read_holder(fd, &by);
        if (last_try)
            status = known ? fail_held(target, &by, "")
                           : assay_fail(ASSAY_FAILED, "another process is writing to %s", target);
        goto out;
    }
    if (!is_still(fd, path)) goto out;
    if (read_holder(fd, &by)) status = check_holder(target, path, &by, self);
    if (status != ASSAY_OK && !last_try) { /* it may be dying: what it had locked goes first */
        status = ASSAY_OK;
        goto out;
    }
    if (status == ASSAY_OK) status = write_holder(fd, path, self);
    if (status != ASSAY_OK) goto out;
    *out_fd = fd;
    fd = -1;
out:
    if (fd >= 0) close(fd);
    return status;
}

assay_status assay_lock_take(const char *target, bool folder, assay_lock *out) {
    holder self;
    char *path = NULL;
    int fd = -1;
    assay_status status = lock_path(target, folder, &path);
    if (status != ASSAY_OK) return status;
    describe_self(&self);
    for (int tries = 0; status == ASSAY_OK && fd < 0 && tries < TRIES; tries++) {
        if (tries > 0) nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        status = try_lock(target, path, &self, tries == TRIES - 1, &fd);
    }
    if (status == ASSAY_OK && fd < 0)
        status = assay_fail(ASSAY_FAILED, "the lock %s is being replaced all the time", path);
    if (status == ASSAY_OK) {
        *out = (assay_lock){.fd = fd, .path = path};
        path = NULL;
    }
    free(path);
    return status;
}

void assay_lock_release(assay_lock *lock) {
    if (lock->fd < 0) return;
    if (is_still(lock->fd, lock->path)) unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    *lock = ASSAY_LOCK_NONE;
}

/* ---- what killed processes left ---- */

bool assay_is_left_over(const char *name) {
    const char *mark = strstr(name, ".tmp-");
    uint64_t pid;
    if (name[0] != '.' || mark == NULL) return false;
    size_t digits = strspn(mark + 5, "0123456789");
    char number[24];
    if (digits == 0 || digits >= sizeof number) return false;
    memcpy(number, mark + 5, digits);
    number[digits] = '\0';
    if (!assay_parse_uint64(number, &pid) || pid == 0 || pid > INT32_MAX) return false;
    if (kill((pid_t)pid, 0) != 0) return errno == ESRCH;
    return start_of((uint64_t)getpid()) != 0 && start_of(pid) == 0; /* dead, and not yet buried */
}
