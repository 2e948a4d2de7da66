/* confine -- what a process may still do once it has been handed bytes that nobody trusts.
 *
 * Three layers, each of which holds alone for most of it: limits (memory, time, no files written),
 * Landlock (which files can be opened), and a seccomp allow-list (which system calls there are; any
 * other fails with EPERM, so that a library finds a refusal and no signal). */
#include "datasets/base/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* --- limits ----------------------------------------------------------------------------------- */

static assay_status limit(int resource, const char *what, rlim_t soft, rlim_t hard) {
    struct rlimit limits = {.rlim_cur = soft, .rlim_max = hard};
    if (setrlimit((__rlimit_resource_t)resource, &limits) != 0)
        return assay_fail_errno("cannot limit %s", what);
    return ASSAY_OK;
}

static assay_status apply_limits(uint64_t memory_bytes, unsigned cpu_seconds) {
    assay_status status = ASSAY_OK;
    if (!HAS_SANITIZER) status = limit(RLIMIT_AS, "memory", memory_bytes, memory_bytes);
    /* The soft limit's SIGXCPU names the reason; the hard one's SIGKILL cannot be caught. */
    if (status == ASSAY_OK) status = limit(RLIMIT_CPU, "time", cpu_seconds, cpu_seconds + 1);
    if (status == ASSAY_OK) status = limit(RLIMIT_FSIZE, "file size", 0, 0);
    if (status == ASSAY_OK) status = limit(RLIMIT_CORE, "core size", 0, 0);
    if (status == ASSAY_OK) status = limit(RLIMIT_NOFILE, "open files", 64, 64);
    return status;
}

static assay_status check_single_thread(void) {
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) return assay_fail_errno("cannot count this process's threads");
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(threads);
    if (count == 1) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "cannot confine a process of %u threads, only of one", count);
}

/* --- Landlock --------------------------------------------------------------------------------- */

/* The kernel's struct as it grew; a version of the interface reads the part that it knows. Headers
 * of a build machine are often older than the kernel that the program meets. */
struct ruleset {
    uint64_t files;
    uint64_t network; /* version 4 */
    uint64_t scopes;  /* version 6 */
};
#define FILES_VERSION_1 ((UINT64_C(1) << 13) - 1)
#define FILES_REFER (UINT64_C(1) << 13)    /* version 2 */
#define FILES_TRUNCATE (UINT64_C(1) << 14) /* version 3 */
#define FILES_IOCTL (UINT64_C(1) << 15)    /* version 5 */
#define NETWORK_ALL UINT64_C(3)            /* binding and connecting TCP sockets */
#define SCOPES_ALL UINT64_C(3)             /* abstract sockets and signals to the outside */

static struct ruleset rules_of_version(long version) {
    struct ruleset rules = {.files = FILES_VERSION_1};
    if (version >= 2) rules.files |= FILES_REFER;
    if (version >= 3) rules.files |= FILES_TRUNCATE;
    if (version >= 4) rules.network = NETWORK_ALL;
    if (version >= 5) rules.files |= FILES_IOCTL;
    if (version >= 6) rules.scopes = SCOPES_ALL;
    return rules;
}

/* Lets path, and what is below it, be read. A path that is not there is no fault where optional. */
static assay_status allow_reading(int ruleset, const char *path, bool optional) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && optional && errno == ENOENT) return ASSAY_OK;
    if (fd < 0) return assay_fail_errno("cannot let a confined process read %s", path);
    assay_status status = ASSAY_OK;
    struct stat about;
    struct landlock_path_beneath_attr rule = {.parent_fd = fd,
                                              .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        status = assay_fail_errno("cannot let a confined process read %s", path);
    close(fd);
    return status;
}

static assay_status apply_landlock(const char *const *read_paths, size_t count, int *out_without) {
    static const char *const libraries[] = {"/usr/lib", "/lib", "/lib64", "/usr/lib64",
                                            "/etc/ld.so.cache"};
    *out_without = 0;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        *out_without = 1;
        return ASSAY_OK;
    }
    if (version < 0) return assay_fail_errno("cannot ask for the kernel's version of Landlock");
    struct ruleset rules = rules_of_version(version);
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return assay_fail_errno("cannot make a Landlock ruleset");
    assay_status status = ASSAY_OK;
    for (size_t i = 0; status == ASSAY_OK && i < sizeof libraries / sizeof *libraries; i++)
        status = allow_reading(ruleset, libraries[i], true);
    for (size_t i = 0; status == ASSAY_OK && i < count; i++)
        status = allow_reading(ruleset, read_paths[i], false);
    if (status == ASSAY_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        status = assay_fail_errno("cannot enter a Landlock ruleset");
    close(ruleset);
    return status;
}

/* --- seccomp ---------------------------------------------------------------------------------- */

/* Calls that act on this process's own memory, threads, time and open descriptors only. Looking up
 * a path's attributes is among them: libraries do it, and it tells no content. */
static const int allowed_calls[] = {SCMP_SYS(access),
                                    SCMP_SYS(arch_prctl),
                                    SCMP_SYS(brk),
                                    SCMP_SYS(clock_getres),
                                    SCMP_SYS(clock_gettime),
                                    SCMP_SYS(clock_nanosleep),
                                    SCMP_SYS(close),
                                    SCMP_SYS(close_range),
                                    SCMP_SYS(dup),
                                    SCMP_SYS(dup2),
                                    SCMP_SYS(dup3),
                                    SCMP_SYS(eventfd2),
                                    SCMP_SYS(exit),
                                    SCMP_SYS(exit_group),
                                    SCMP_SYS(faccessat),
                                    SCMP_SYS(faccessat2),
                                    SCMP_SYS(fstat),
                                    SCMP_SYS(futex),
                                    SCMP_SYS(get_robust_list),
                                    SCMP_SYS(getcpu),
                                    SCMP_SYS(getcwd),
                                    SCMP_SYS(getdents64),
                                    SCMP_SYS(getegid),
                                    SCMP_SYS(geteuid),
                                    SCMP_SYS(getgid),
                                    SCMP_SYS(getpid),
                                    SCMP_SYS(getppid),
                                    SCMP_SYS(getrandom),
                                    SCMP_SYS(getrlimit),
                                    SCMP_SYS(getrusage),
                                    SCMP_SYS(gettid),
                                    SCMP_SYS(gettimeofday),
                                    SCMP_SYS(getuid),
                                    SCMP_SYS(lseek),
                                    SCMP_SYS(lstat),
                                    SCMP_SYS(madvise),
                                    SCMP_SYS(membarrier),
                                    SCMP_SYS(mincore),
                                    SCMP_SYS(mmap),
                                    SCMP_SYS(mprotect),
                                    SCMP_SYS(mremap),
                                    SCMP_SYS(munmap),
                                    SCMP_SYS(nanosleep),
                                    SCMP_SYS(newfstatat),
                                    SCMP_SYS(pipe2),
                                    SCMP_SYS(poll),
                                    SCMP_SYS(ppoll),
                                    SCMP_SYS(pread64),
                                    SCMP_SYS(pselect6),
                                    SCMP_SYS(read),
                                    SCMP_SYS(readlink),
                                    SCMP_SYS(readlinkat),
                                    SCMP_SYS(readv),
                                    SCMP_SYS(restart_syscall),
                                    SCMP_SYS(rseq),
                                    SCMP_SYS(rt_sigaction),
                                    SCMP_SYS(rt_sigpending),
                                    SCMP_SYS(rt_sigprocmask),
                                    SCMP_SYS(rt_sigreturn),
                                    SCMP_SYS(rt_sigtimedwait),
                                    SCMP_SYS(sched_get_priority_max),
                                    SCMP_SYS(sched_get_priority_min),
                                    SCMP_SYS(sched_getaffinity),
                                    SCMP_SYS(sched_getparam),
                                    SCMP_SYS(sched_getscheduler),
                                    SCMP_SYS(sched_yield),
                                    SCMP_SYS(select),
                                    SCMP_SYS(set_robust_list),
                                    SCMP_SYS(set_tid_address),
                                    SCMP_SYS(sigaltstack),
                                    SCMP_SYS(stat),
                                    SCMP_SYS(statx),
                                    SCMP_SYS(sysinfo),
                                    SCMP_SYS(time),
                                    SCMP_SYS(times),
                                    SCMP_SYS(uname),
                                    SCMP_SYS(write),
                                    SCMP_SYS(writev)};

/* Calls that are allowed with these arguments only. */
struct narrow_call {
    int call;
    unsigned count;
    struct scmp_arg_cmp tests[2];
};

static int add_narrow_calls(scmp_filter_ctx filter) {
    const scmp_datum_t self = (scmp_datum_t)getpid();
    const scmp_datum_t threads = CLONE_VM | CLONE_THREAD;
    const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    const scmp_datum_t reading = O_ACCMODE | O_CREAT | O_TRUNC;
    const struct narrow_call calls[] = {
        /* a thread, and no process or name space */
        {SCMP_SYS(clone), 1, {SCMP_A0(SCMP_CMP_MASKED_EQ, threads | spaces, threads)}},
        {SCMP_SYS(open), 1, {SCMP_A1(SCMP_CMP_MASKED_EQ, reading, O_RDONLY)}},
        {SCMP_SYS(openat), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, reading, O_RDONLY)}},
        /* signals to itself, for abort() */
        {SCMP_SYS(kill), 1, {SCMP_A0(SCMP_CMP_EQ, self)}},
        {SCMP_SYS(tgkill), 1, {SCMP_A0(SCMP_CMP_EQ, self)}},
        /* limits of its own, to be read */
        {SCMP_SYS(prlimit64), 2, {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)}},
        {SCMP_SYS(prctl), 1, {SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)}},
        {SCMP_SYS(prctl), 1, {SCMP_A0(SCMP_CMP_EQ, PR_GET_NAME)}},
        {SCMP_SYS(prctl), 1, {SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA)}},
        {SCMP_SYS(fcntl), 1, {SCMP_A1(SCMP_CMP_EQ, F_GETFD)}},
        {SCMP_SYS(fcntl), 1, {SCMP_A1(SCMP_CMP_EQ, F_SETFD)}},
        {SCMP_SYS(fcntl), 1, {SCMP_A1(SCMP_CMP_EQ, F_GETFL)}},
        {SCMP_SYS(fcntl), 1, {SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC)}},
    };
    int fault = 0;
    for (size_t i = 0; fault == 0 && i < sizeof calls / sizeof *calls; i++)
        fault = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].call, calls[i].count,
                                       calls[i].tests);
    return fault;
}

static assay_status apply_seccomp(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) return assay_fail(ASSAY_FAILED, "cannot make a seccomp filter");
    int fault = 0;
    /* A call that this architecture does not have (open on arm64) is nothing to allow. */
    for (size_t i = 0; fault == 0 && i < sizeof allowed_calls / sizeof *allowed_calls; i++)
        fault = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
    if (fault == 0) fault = add_narrow_calls(filter);
    /* clone3's flags lie in memory that a filter cannot see; the C library then takes clone. */
    if (fault == 0) fault = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (fault == 0) fault = seccomp_load(filter);
    seccomp_release(filter);
    if (fault == 0) return ASSAY_OK;
    errno = -fault;
    return assay_fail_errno("cannot load a seccomp filter");
}

assay_status assay_confine(uint64_t memory_bytes, unsigned cpu_seconds,
                           const char *const *read_paths, size_t count, int *out_without_landlock) {
    int without = 0;
    assay_status status = check_single_thread();
    if (status != ASSAY_OK) return status;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return assay_fail_errno("cannot bind a process to its parent and its privileges");
    status = apply_limits(memory_bytes, cpu_seconds);
    if (status == ASSAY_OK) status = apply_landlock(read_paths, count, &without);
    if (status == ASSAY_OK) status = apply_seccomp();
    if (status == ASSAY_OK && out_without_landlock != NULL) *out_without_landlock = without;
    return status;
}
