/* test_plugins -- plug-ins in their confined workers: an honest one, and one that does to its host
 * whatever it can (tests/plugins/hostile.c). Each of its deeds costs one sample, with a reason, and
 * leaves nothing behind; as root (and as an ordinary user, by running itself again as one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "harness/session.h"

#define SIDE 64u
#define ROWS 6
#define BAD_ROW 3
#define LENGTH 16
#define NOBODY 65534

typedef struct {
    char folder[64], canary[96], plugin[4096];
    int tcp, udp;
    unsigned port;
} place;

/* ---- the place ---- */

static int listener(int type, unsigned *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (void *)&at, sizeof at) != 0) return -1;
    if (type == SOCK_STREAM && listen(fd, 4) != 0) return -1;
    getsockname(fd, (void *)&at, &size);
    *port = ntohs(at.sin_port);
    return fd;
}

static void find_plugin(char out[4096], const char *name) {
    char self[3000];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(length > 0);
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(out, 4096, "%s/plugins/%s.so", self, name);
    assert_true(assay_file_exists(out));
}

static int make_place(void **state) {
    static place at;
    at = (place){.port = 0};
    snprintf(at.folder, sizeof at.folder, "/tmp/assay-plugins-XXXXXX");
    assert_non_null(mkdtemp(at.folder));
    snprintf(at.canary, sizeof at.canary, "%s/canary", at.folder);
    assert_int_equal(assay_file_write(at.canary, "secret", 6), ASSAY_OK);
    assert_int_equal(chmod(at.canary, 0600), 0);
    at.tcp = listener(SOCK_STREAM, &at.port);
    at.udp = listener(SOCK_DGRAM, &at.port);
    assert_true(at.tcp >= 0 && at.udp >= 0);
    find_plugin(at.plugin, "hostile");
    setenv("ASSAY_CANARY", "secret", 1);
    *state = &at;
    return 0;
}

static int remove_place(void **state) {
    const place *at = *state;
    close(at->tcp);
    close(at->udp);
    assert_int_equal(unlink(at->canary), 0);
    assert_int_equal(rmdir(at->folder), 0); /* so nothing else was left in it */
    return 0;
}

/* Nothing came through, nothing changed, no process is left. */
static void assert_untouched(const place *at) {
    struct pollfd ends[2] = {{.fd = at->tcp, .events = POLLIN}, {.fd = at->udp, .events = POLLIN}};
    struct stat about;
    char *bytes = NULL;
    size_t length = 0;
    unsigned files = 0;
    assert_int_equal(poll(ends, 2, 0), 0);
    assert_int_equal(assay_file_read(at->canary, 100, &bytes, &length), ASSAY_OK);
    assert_string_equal(bytes, "secret");
    free(bytes);
    assert_int_equal(stat(at->canary, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    DIR *folder = opendir(at->folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) files += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(files, 1);
    assert_int_equal(access("/dev/shm/assay-hostile", F_OK), -1);
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- asking ---- */

typedef struct {
    float vectors[ROWS][LENGTH];
    assay_outcome outcomes[ROWS];
    char texts[ROWS][ASSAY_SESSION_TEXT];
} made;

static void make_row(assay_session *session, int row, made *out) {
    static uint8_t pixels[SIDE * SIDE];
    const assay_algorithm_image image = {.size = sizeof image,
                                         .width = SIDE,
                                         .height = SIDE,
                                         .channels = 1,
                                         .pixels = pixels,
                                         .capture_type = "mugshot"};
    size_t size;
    for (size_t n = 0; n < sizeof pixels; n++) pixels[n] = (uint8_t)(n * 7 + n / SIDE * 31);
    pixels[0] = (uint8_t)row;
    assert_int_equal(assay_session_create(session, &image, 1, ASSAY_SAMPLE_UNSPECIFIED,
                                          (uint8_t *)out->vectors[row], &size, &out->outcomes[row],
                                          out->texts[row]),
                     ASSAY_OK);
    assert_int_equal(size, out->outcomes[row] == ASSAY_OUTCOME_OK ? sizeof out->vectors[row] : 0);
}

static void make_rows(const place *at, const char *what, unsigned seconds, made *out) {
    char does[64], which[32], host[32], port[32], file[128];
    const char *const parameters[] = {does, which, host, port, file, NULL};
    assay_session *session = NULL;
    snprintf(does, sizeof does, "do=%s", what);
    snprintf(which, sizeof which, "at=%d", BAD_ROW);
    snprintf(host, sizeof host, "host=%ld", (long)getpid());
    snprintf(port, sizeof port, "port=%u", at->port);
    snprintf(file, sizeof file, "file=%s", at->canary);
    const assay_release release = {.release = "hostile",
                                   .version = "1",
                                   .plugin = at->plugin,
                                   .parameters = parameters,
                                   .template_seconds = seconds,
                                   .memory_bytes = (uint64_t)128 << 20};
    memset(out, 0, sizeof *out);
    assert_int_equal(assay_session_open(&release, &session), ASSAY_OK);
    for (int row = 0; row < ROWS; row++) make_row(session, row, out);
    assay_session_close(session);
}

typedef struct {
    const char *what, *reason; /* NULL: the sample is enrolled all the same */
} expected;

static const expected deeds[] = {
    {"segv", "died (SIGSEGV)"},
    {"abort", "died (SIGABRT)"},
    {"exit", "ended its process (status 0)"},
    {"exit7", "ended its process (status 7)"},
    {"loop", "longer than 1 seconds"},
    {"sleep", "longer than 1 seconds"},
    {"stop", "longer than 1 seconds"},
    {"memory", "memory: Cannot allocate memory"},
    {"memory-abort", "died (SIGABRT)"},
    {"stack", "died (SIGSEGV)"},
    {"tcp", "network: Operation not permitted"},
    {"udp", "network: Operation not permitted"},
    {"unix", "socket: Operation not permitted"},
    {"read", "read: Permission denied"},
    {"passwd", "read: Permission denied"},
    {"host", "read: Permission denied"},
    {"write", "write: Operation not permitted"},
    {"overwrite", "write: Operation not permitted"},
    {"unlink", "unlink: Operation not permitted"},
    {"symlink", "symlink: Operation not permitted"},
    {"chmod", "chmod: Operation not permitted"},
    {"shm", "shm: Operation not permitted"},
    {"fork", "fork: Operation not permitted"},
    {"daemon", "daemon: Operation not permitted"},
    {"spawn", "spawn: Operation not permitted"},
    {"exec", "exec: Operation not permitted"},
    {"system", "system: Operation not permitted"},
    {"kill", "kill: Operation not permitted"},
    {"kill-all", "kill: Operation not permitted"},
    {"ptrace", "ptrace: Operation not permitted"},
    {"clock", "settimeofday: Operation not permitted"},
    {"mount", "mount: Operation not permitted"},
    {"namespace", "unshare: Operation not permitted"},
    {"limits", "setrlimit: Operation not permitted"},
    {"environment", "environment: Success"},
    {"nan", "NaN or infinite component"},
    {"infinite", "NaN or infinite component"},
    {"zero", "all-zero vector"},
    {"short", "not as many bytes as its vector has"},
    {"long", "68 bytes, at most 64 fit"},
    {"huge", "bytes, at most 64 fit"},
    {"nothing", "not as many bytes as its vector has"},
    {"outcome", "answered wrongly"},
    {"text", "\\xff"},
    {"garbage", "answered wrongly"},
    {"close", "ended its process"},
    {"threads", "threads: "},
    {"forge", "answered wrongly"},
    {"flood", NULL},
    {"later", NULL},
    {"none", NULL},
};

static void each_deed_costs_its_own_sample_and_nothing_else(void **state) {
    const place *at = *state;
    static made honest, now;
    make_rows(at, "none", 30, &honest);
    for (size_t n = 0; n < sizeof deeds / sizeof *deeds; n++) {
        bool hangs = deeds[n].reason != NULL && strstr(deeds[n].reason, "longer") != NULL;
        make_rows(at, deeds[n].what, hangs ? 1 : 30, &now);
        for (int row = 0; row < ROWS; row++) {
            bool bad = row == BAD_ROW && deeds[n].reason != NULL;
            if (now.outcomes[row] != (bad ? ASSAY_OUTCOME_FAILED : ASSAY_OUTCOME_OK))
                fail_msg("%s, row %d: outcome %d (%s)", deeds[n].what, row, now.outcomes[row],
                         now.texts[row]);
            if (!bad)
                assert_memory_equal(now.vectors[row], honest.vectors[row], sizeof(float[LENGTH]));
            if (bad && (strstr(now.texts[row], deeds[n].reason) == NULL ||
                        strstr(now.texts[row], "ESCAPED") != NULL))
                fail_msg("%s: '%s', expected '%s'", deeds[n].what, now.texts[row], deeds[n].reason);
        }
        assert_untouched(at);
    }
}

static void a_plugin_that_does_not_open_is_told_with_its_reason(void **state) {
    const place *at = *state;
    static const char *const words[][2] = {{"do=segv", "died (SIGSEGV)"},
                                           {"do=exit", "ended its process (status 0)"},
                                           {"do=passwd", "read: Permission denied"}};
    for (size_t n = 0; n < sizeof words / sizeof *words; n++) {
        const char *const parameters[] = {words[n][0], "at=-2", NULL};
        const assay_release release = {
            .release = "x", .version = "1", .plugin = at->plugin, .parameters = parameters};
        assay_session *session = NULL;
        assert_int_equal(assay_session_open(&release, &session), ASSAY_FAILED);
        assert_non_null(strstr(assay_error_text(), words[n][1]));
        assert_null(session);
    }
    const assay_release text = {.release = "x", .version = "1", .plugin = at->canary};
    assay_session *session = NULL;
    assert_int_equal(assay_session_open(&text, &session), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "canary"));
    assert_untouched(at);
}

/* The example reads its configuration directory, and says what it does not like. */
static void the_example_reads_its_configuration_and_nothing_else(void **state) {
    const place *at = *state;
    char plugin[4096], config[4096], path[128], *name = NULL;
    assay_session *session = NULL;
    find_plugin(plugin, "example");
    const char *source = getenv("ASSAY_SOURCE");
    if (source == NULL) skip();
    snprintf(config, sizeof config, "%s/configs/algorithms/example", source);
    assay_release release = {
        .release = "example", .version = "1", .plugin = plugin, .config_directory = config};
    assert_int_equal(assay_session_open(&release, &session), ASSAY_OK);
    assert_int_equal(assay_session_about(session)->length, 144);
    assert_int_equal(assay_session_algorithm_text(session, &name), ASSAY_OK);
    assert_string_equal(name, "example");
    free(name);
    assay_session_close(session);
    const char *const parameters[] = {"cells=3", NULL};
    release.parameters = parameters;
    assert_int_equal(assay_session_open(&release, &session), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "no parameters"));
    /* a link out of the directory leads nowhere */
    release.parameters = NULL;
    release.config_directory = at->folder;
    snprintf(path, sizeof path, "%s/example.conf", at->folder);
    snprintf(config, sizeof config, "%s/configs/algorithms/example/example.conf", source);
    assert_int_equal(symlink(config, path), 0);
    assert_int_equal(assay_session_open(&release, &session), ASSAY_USAGE);
    const char *const readable[] = {config, NULL};
    release.readable = readable;
    assert_int_equal(assay_session_open(&release, &session), ASSAY_OK);
    assay_session_close(session);
    assert_int_equal(unlink(path), 0);
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(each_deed_costs_its_own_sample_and_nothing_else),
        IN_A_PLACE(a_plugin_that_does_not_open_is_told_with_its_reason),
        IN_A_PLACE(the_example_reads_its_configuration_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* As nobody, in a child, where we are root and nobody may read this program. */
static int run_as_nobody(void) {
    int ended = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char plugin[4096];
        if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0 ||
            prctl(PR_SET_DUMPABLE, 1) != 0) /* else its own /proc/self is root's */
            _exit(9);
        find_plugin(plugin, "hostile");
        if (access(plugin, R_OK) != 0) _exit(77);
        printf("as an ordinary user:\n");
        int failed = run_all();
        fflush(NULL);
        _exit(failed);
    }
    if (child < 0 || waitpid(child, &ended, 0) != child || !WIFEXITED(ended)) return 1;
    if (WEXITSTATUS(ended) != 77) return WEXITSTATUS(ended);
    printf("an ordinary user may not read this build: only root was tried\n");
    return 0;
}

int main(void) {
    int failed = run_all();
    if (geteuid() == 0) failed += run_as_nobody();
    return failed;
}
