/* confined -- a helper that test_child.c asks to try what a confined process must not be able to.
 *
 * Request: a frame with one word. Answer: a frame with a text.
 *   "free", "confined"  what was not refused, each name followed by a blank
 *   "works"             what a confined process must still be able to and was not, likewise
 *   "inherited"         numbers of the open descriptors, then the environment
 *   "spin", "silent"    no answer: uses processor time with a limit of one second, or sleeps */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/text.h"

#define MEMORY_BYTES ((uint64_t)512 << 20)

extern char **environ;

/* Each attempt returns true where it succeeded. */

static bool opens(const char *path, int flags) {
    int fd = open(path, flags, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool makes_socket(int family) {
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool try_inet(void) {
    return makes_socket(AF_INET);
}
static bool try_unix(void) {
    return makes_socket(AF_UNIX);
}

static bool try_write(void) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/assay-confined-%ld", (long)getpid());
    bool opened = opens(path, O_WRONLY | O_CREAT);
    unlink(path);
    return opened;
}

static bool try_folder(void) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/assay-confined-%ld", (long)getpid());
    bool made = mkdir(path, 0700) == 0;
    rmdir(path);
    return made;
}

static bool try_passwd(void) {
    return opens("/etc/passwd", O_RDONLY);
}

static bool try_parent_memory(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/maps", (long)getppid());
    return opens(path, O_RDONLY);
}

static bool try_fork(void) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, NULL, 0);
    return pid > 0;
}

static bool try_spawn(void) {
    char *arguments[] = {(char *)"true", NULL};
    pid_t pid;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, arguments + 1) != 0) return false;
    waitpid(pid, NULL, 0);
    return true;
}

static int end_at_once(void *unused) {
    (void)unused;
    _exit(0);
}

/* What vfork() and posix_spawn() are made of. */
static bool try_clone(void) {
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = clone(end_at_once, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    if (pid > 0) waitpid(pid, NULL, 0);
    return pid > 0;
}

static bool try_kill(void) {
    return kill(getppid(), 0) == 0;
}

static bool try_memory_file(void) {
    int fd = (int)syscall(SYS_memfd_create, "x", 0);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool try_dumpable(void) {
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static bool try_limit(void) {
    struct rlimit limits = {1 << 20, RLIM_INFINITY};
    return setrlimit(RLIMIT_FSIZE, &limits) == 0;
}

/* From here on never when free: it would do harm, or depends on the machine. */

static bool try_exec(void) {
    char *arguments[] = {(char *)"true", NULL};
    execve("/bin/true", arguments, arguments + 1);
    return errno == ENOENT;
}

static bool try_ptrace(void) {
    return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0;
}
static bool try_traceme(void) {
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool try_read_parent(void) {
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)environ, 1};
    return process_vm_readv(getppid(), &here, 1, &there, 1, 0) >= 0 || errno != EPERM;
}

/* The rest are asked with arguments that fail in another way if the call is let through. */
static bool lets_through(long call) {
    errno = 0;
    return syscall(call, -1, -1, -1, -1, -1, -1) >= 0 || (errno != EPERM && errno != ENOSYS);
}

static bool try_kernel(void) {
    static const long calls[] = {
        SYS_bpf,       SYS_io_uring_setup, SYS_perf_event_open, SYS_keyctl,      SYS_unshare,
        SYS_setns,     SYS_mount,          SYS_chroot,          SYS_userfaultfd, SYS_clone3,
        SYS_openat2,   SYS_fchmodat,       SYS_unlinkat,        SYS_renameat2,   SYS_linkat,
        SYS_symlinkat, SYS_tkill,          SYS_shmget};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (lets_through(calls[i])) return true;
    return false;
}

static const struct attempt {
    const char *name;
    bool (*works)(void);
    bool only_confined;
} attempts[] = {
    {"inet", try_inet, false},
    {"unix", try_unix, false},
    {"write", try_write, false},
    {"folder", try_folder, false},
    {"passwd", try_passwd, false},
    {"parent-memory", try_parent_memory, false},
    {"fork", try_fork, false},
    {"spawn", try_spawn, false},
    {"clone", try_clone, false},
    {"kill", try_kill, false},
    {"memory-file", try_memory_file, false},
    {"dumpable", try_dumpable, false},
    {"limit", try_limit, false},
    {"exec", try_exec, true},
    {"ptrace", try_ptrace, true},
    {"traceme", try_traceme, true},
    {"read-parent", try_read_parent, true},
    {"kernel", try_kernel, true},
};

static void try_all(bool confined, assay_text *out) {
    assay_text_append(out, "");
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if ((confined || !attempts[i].only_confined) && attempts[i].works())
            assay_text_appendf(out, "%s ", attempts[i].name);
}

static void *set_flag(void *flag) {
    *(bool *)flag = true;
    return NULL;
}

static void try_needed(assay_text *out) {
    pthread_t thread;
    bool ran = false;
    assay_text_append(out, "");
    if (pthread_create(&thread, NULL, set_flag, &ran) == 0) pthread_join(thread, NULL);
    if (!ran) assay_text_append(out, "thread ");
    void *memory = malloc(64 << 20);
    if (memory == NULL) assay_text_append(out, "memory ");
    free(memory);
    if (!opens("/usr/lib", O_RDONLY | O_DIRECTORY)) assay_text_append(out, "libraries ");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) assay_text_append(out, "memory-limit ");
#endif
}

static void list_inherited(assay_text *out) {
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return;
    for (int fd = 0; fd < 1024; fd++)
        if (fd != dirfd(folder) && fcntl(fd, F_GETFD) >= 0) assay_text_appendf(out, "%d ", fd);
    closedir(folder);
    for (char **variable = environ; *variable != NULL; variable++)
        assay_text_appendf(out, "%s ", *variable);
}

int main(int argument_count, char **arguments) {
    if (argument_count != 3) return 2;
    int request_fd = atoi(arguments[1]), answer_fd = atoi(arguments[2]);
    uint8_t *request = NULL;
    size_t count = 0;
    assay_text answer = {0};
    if (assay_frame_read(request_fd, 32, 10000, &request, &count) != ASSAY_OK) return 3;
    const char *word = (const char *)request;
    bool free_choice = strcmp(word, "free") == 0 || strcmp(word, "inherited") == 0;
    assay_status status = ASSAY_OK;
    if (!free_choice) status = assay_confine(MEMORY_BYTES, 1, NULL, 0, NULL);
    if (status != ASSAY_OK)
        assay_text_append(&answer, assay_error_text());
    else if (strcmp(word, "inherited") == 0)
        list_inherited(&answer);
    else if (strcmp(word, "works") == 0)
        try_needed(&answer);
    else if (strcmp(word, "free") == 0 || strcmp(word, "confined") == 0)
        try_all(!free_choice, &answer);
    else
        for (volatile unsigned long turns = 0;; turns++)
            if (strcmp(word, "silent") == 0) sleep(60);
    status = assay_frame_write(answer_fd, answer.bytes, answer.length);
    assay_text_free(&answer);
    free(request);
    _exit(status == ASSAY_OK ? 0 : 1);
}
