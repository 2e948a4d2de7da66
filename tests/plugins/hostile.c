/* hostile -- a plug-in that does to its host whatever it is told to.
 *
 * Parameters: do=BEHAVIOUR (deeds below), at=N on images whose first pixel is N, -2 while it is
 * opened
 * (-1: never), host=PID of assay, port=N to connect to, file=PATH to read and write. Otherwise it
 * is honest: 16 grey values. An attempt that is refused fails with the system's reason; one that
 * succeeds fails with "ESCAPED". */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/algorithm.h"

#define LENGTH 16

typedef struct {
    char what[32], file[256];
    int at;
    long host, port;
} hostile;

typedef struct {
    const hostile *self;
    assay_algorithm_template *out;
    char *text;
    size_t text_size;
    assay_outcome outcome;
} deed;

/* What an attempt came to. */
static void tell(deed *now, bool escaped, const char *what) {
    now->outcome = ASSAY_OUTCOME_FAILED;
    snprintf(now->text, now->text_size, "%s%s: %s", escaped ? "ESCAPED " : "", what,
             strerror(errno));
}

static void do_segv(deed *now) {
    volatile uintptr_t nowhere = 8;
    (void)now;
    *(volatile int *)nowhere = 1;
}
static void do_abort(deed *now) {
    (void)now;
    abort();
}
static void do_exit(deed *now) {
    (void)now;
    exit(0);
}
static void do_exit7(deed *now) {
    (void)now;
    _exit(7);
}
static void do_loop(deed *now) {
    (void)now;
    for (volatile unsigned long turns = 0;; turns++) continue;
}
static void do_sleep(deed *now) {
    (void)now;
    for (;;) sleep(60);
}
static void do_stop(deed *now) {
    (void)now;
    raise(SIGSTOP);
}
static void do_memory(deed *now) {
    for (size_t n = 0; n < 65536; n++) {
        void *more = malloc(1 << 20);
        if (more == NULL) {
            tell(now, false, "memory");
            return;
        }
        memset(more, 1, 1 << 20);
    }
    tell(now, true, "memory");
}
static void do_memory_abort(deed *now) {
    do_memory(now);
    abort();
}
static int deeper(volatile unsigned *depth) {
    volatile char here[65536];
    here[0] = (char)++*depth;
    return (*depth > 0 ? deeper(depth) : 0) + here[0];
}
static void do_stack(deed *now) {
    volatile unsigned depth = 0;
    now->outcome = (assay_outcome)deeper(&depth);
}
static void connect_by(deed *now, int type) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)now->self->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type, 0);
    bool through = fd >= 0 && connect(fd, (void *)&to, sizeof to) == 0 && write(fd, "x", 1) == 1;
    tell(now, through, "network");
}
static void do_tcp(deed *now) {
    connect_by(now, SOCK_STREAM);
}
static void do_udp(deed *now) {
    connect_by(now, SOCK_DGRAM);
}
static void do_unix(deed *now) {
    tell(now, socket(AF_UNIX, SOCK_STREAM, 0) >= 0, "socket");
}
static void do_read(deed *now) {
    tell(now, open(now->self->file, O_RDONLY) >= 0, "read");
}
static void do_passwd(deed *now) {
    tell(now, open("/etc/passwd", O_RDONLY) >= 0, "read");
}
static void do_host_memory(deed *now) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/environ", now->self->host);
    tell(now, open(path, O_RDONLY) >= 0, "read");
}
static void do_write(deed *now) {
    char path[300];
    snprintf(path, sizeof path, "%s.new", now->self->file);
    tell(now, open(path, O_WRONLY | O_CREAT, 0600) >= 0, "write");
}
static void do_overwrite(deed *now) {
    tell(now, open(now->self->file, O_WRONLY | O_TRUNC) >= 0, "write");
}
static void do_unlink(deed *now) {
    tell(now, unlink(now->self->file) == 0, "unlink");
}
static void do_symlink(deed *now) {
    char path[300];
    snprintf(path, sizeof path, "%s.link", now->self->file);
    tell(now, symlink("/etc/passwd", path) == 0, "symlink");
}
static void do_chmod(deed *now) {
    tell(now, chmod(now->self->file, 0777) == 0, "chmod");
}
static void do_shm(deed *now) {
    tell(now, shm_open("/assay-hostile", O_CREAT | O_RDWR, 0600) >= 0, "shm");
}
static void do_fork(deed *now) {
    pid_t child = fork();
    if (child == 0) {
        sleep(30);
        _exit(0);
    }
    tell(now, child > 0, "fork");
}
static void do_daemon(deed *now) {
    tell(now, setsid() >= 0 && fork() > 0, "daemon");
}
static void do_spawn(deed *now) {
    char *arguments[] = {(char *)"true", NULL};
    pid_t child;
    errno = posix_spawn(&child, "/bin/true", NULL, NULL, arguments, NULL);
    tell(now, errno == 0, "spawn");
}
static void do_exec(deed *now) {
    char *arguments[] = {(char *)"true", NULL};
    execv("/bin/true", arguments);
    tell(now, false, "exec");
}
static void do_system(deed *now) {
    tell(now, system("true") == 0, "system");
}
static void do_kill(deed *now) {
    tell(now, kill((pid_t)now->self->host, SIGKILL) == 0, "kill");
}
static void do_kill_all(deed *now) {
    tell(now, kill(0, SIGTERM) == 0 || kill(-1, SIGTERM) == 0, "kill");
}
static void do_ptrace(deed *now) {
    tell(now, ptrace(PTRACE_ATTACH, (pid_t)now->self->host, NULL, NULL) == 0, "ptrace");
}
static void do_clock(deed *now) {
    struct timeval when = {0, 0};
    tell(now, settimeofday(&when, NULL) == 0, "settimeofday");
}
static void do_mount(deed *now) {
    tell(now, mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "mount");
}
static void do_namespace(deed *now) {
    tell(now, unshare(CLONE_NEWUSER) == 0, "unshare");
}
static void do_limits(deed *now) {
    struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
    tell(now, setrlimit(RLIMIT_AS, &most) == 0, "setrlimit");
}
static void do_environment(deed *now) {
    errno = 0;
    tell(now, getenv("ASSAY_CANARY") != NULL, "environment");
}
static void do_nan(deed *now) {
    ((float *)(void *)now->out->bytes)[3] = NAN;
}
static void do_infinite(deed *now) {
    ((float *)(void *)now->out->bytes)[3] = INFINITY;
}
static void do_zero(deed *now) {
    memset(now->out->bytes, 0, LENGTH * sizeof(float));
}
static void do_short(deed *now) {
    now->out->used = 12;
}
static void do_long(deed *now) {
    now->out->used = now->out->capacity + 4;
}
static void do_huge(deed *now) {
    now->out->used = (size_t)1 << 40;
}
static void do_nothing(deed *now) {
    now->out->used = 0;
}
static void do_outcome(deed *now) {
    now->outcome = (assay_outcome)77;
}
/* A text that ends nowhere, and is none. */
static void do_text(deed *now) {
    memset(now->text, 0xff, now->text_size);
    now->outcome = ASSAY_OUTCOME_FAILED;
}
/* Bytes into every descriptor that there is, the answers' among them. */
static void do_garbage(deed *now) {
    (void)now;
    for (int fd = 3; fd < 64; fd++)
        if (write(fd, "garbage garbage garbage", 23) < 0) continue;
}
/* A whole answer, well formed, to a request that was never made. */
static void do_forge(deed *now) {
    static const uint8_t frame[4 + 8 + 4 + 4 + 4] = {20, 0, 0, 0, 0xff, 0xff, 0xff};
    if (write(4, frame, sizeof frame) < 0) now->outcome = ASSAY_OUTCOME_FAILED;
}
static void do_close(deed *now) {
    (void)now;
    close(3);
    close(4);
}
static void *idle(void *unused) {
    for (;;) sleep(60);
    return unused;
}
static void do_threads(deed *now) {
    pthread_t thread;
    for (unsigned n = 0; n < 10000; n++)
        if (pthread_create(&thread, NULL, idle, NULL) != 0) break;
    tell(now, false, "threads");
}
static void *die_later(void *unused) {
    usleep(20000);
    abort();
    return unused;
}
/* Answers well, and dies on somebody else's sample. */
static void do_later(deed *now) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, die_later, NULL) != 0) tell(now, false, "thread");
}
static void do_flood(deed *now) {
    (void)now;
    for (unsigned n = 0; n < 1000000; n++)
        printf("seventy-two bytes of noise that nobody asked for, a million times over\n");
}

static const struct {
    const char *name;
    void (*work)(deed *now);
} deeds[] = {
    {"segv", do_segv},
    {"abort", do_abort},
    {"exit", do_exit},
    {"exit7", do_exit7},
    {"loop", do_loop},
    {"sleep", do_sleep},
    {"stop", do_stop},
    {"memory", do_memory},
    {"memory-abort", do_memory_abort},
    {"stack", do_stack},
    {"tcp", do_tcp},
    {"udp", do_udp},
    {"unix", do_unix},
    {"read", do_read},
    {"passwd", do_passwd},
    {"host", do_host_memory},
    {"write", do_write},
    {"overwrite", do_overwrite},
    {"unlink", do_unlink},
    {"symlink", do_symlink},
    {"chmod", do_chmod},
    {"shm", do_shm},
    {"fork", do_fork},
    {"daemon", do_daemon},
    {"spawn", do_spawn},
    {"exec", do_exec},
    {"system", do_system},
    {"kill", do_kill},
    {"kill-all", do_kill_all},
    {"ptrace", do_ptrace},
    {"clock", do_clock},
    {"mount", do_mount},
    {"namespace", do_namespace},
    {"limits", do_limits},
    {"environment", do_environment},
    {"nan", do_nan},
    {"infinite", do_infinite},
    {"zero", do_zero},
    {"short", do_short},
    {"long", do_long},
    {"huge", do_huge},
    {"nothing", do_nothing},
    {"outcome", do_outcome},
    {"text", do_text},
    {"garbage", do_garbage},
    {"forge", do_forge},
    {"close", do_close},
    {"threads", do_threads},
    {"later", do_later},
    {"flood", do_flood},
};

static void act(deed *now) {
    for (size_t n = 0; n < sizeof deeds / sizeof *deeds; n++)
        if (strcmp(deeds[n].name, now->self->what) == 0) deeds[n].work(now);
}

/* ---- the table ---- */

static assay_outcome open_hostile(const assay_algorithm_setup *setup, void **state, char *text,
                                  size_t text_size) {
    hostile *self = calloc(1, sizeof *self);
    if (self == NULL) return ASSAY_OUTCOME_FAILED;
    self->at = -1;
    for (size_t n = 0; setup->parameters[n] != NULL; n++) {
        const char *given = setup->parameters[n];
        sscanf(given, "do=%31s", self->what);
        sscanf(given, "at=%d", &self->at);
        sscanf(given, "host=%ld", &self->host);
        sscanf(given, "port=%ld", &self->port);
        sscanf(given, "file=%255s", self->file);
    }
    deed now = {.self = self, .text = text, .text_size = text_size, .outcome = ASSAY_OUTCOME_OK};
    if (self->at == -2) act(&now);
    *state = self;
    return now.outcome;
}

static void describe(void *state, assay_algorithm_description *out) {
    (void)state;
    out->name = "hostile";
    out->version = "1";
    out->modality = "face";
    out->comparator = "cosine";
    out->kind = ASSAY_TEMPLATE_VECTOR;
    out->length = LENGTH;
    out->channels = 1;
    out->parameters = "";
}

static assay_outcome create_template(void *state, const assay_algorithm_image *images, size_t count,
                                     assay_sample_role role, assay_algorithm_template *out,
                                     char *text, size_t text_size) {
    const hostile *self = state;
    deed now = {self, out, text, text_size, ASSAY_OUTCOME_OK};
    float *vector = (void *)out->bytes;
    (void)count;
    (void)role;
    for (unsigned n = 0; n < LENGTH; n++)
        vector[n] = (float)images[0].pixels[(size_t)n * images[0].width] + 1;
    out->used = LENGTH * sizeof *vector;
    if (images[0].pixels[0] == self->at) act(&now);
    return now.outcome;
}

static const assay_algorithm table = {
    .size = sizeof table,
    .abi = ASSAY_ALGORITHM_ABI,
    .name = "hostile",
    .purpose = "whatever a test needs",
    .open = open_hostile,
    .describe = describe,
    .create_template = create_template,
    .close = free,
};

const assay_algorithm *assay_algorithm_plugin(uint32_t abi) {
    return abi == ASSAY_ALGORITHM_ABI ? &table : NULL;
}
