/* test_kill -- a writer that is killed at any instant leaves a whole container or none that opens:
 * a reader meets the old content, the new content, or a plain message, and the ledger's chain
 * holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/fixtures_container.h"

enum { KILLS = 40, READS = 100, SUBJECTS = 30, PER = 3, LENGTH = 64 };

static char *folder;

/* ---- three kinds of content, each known by its seed ---- */

static assay_status write_dataset(const char *path, uint64_t seed) {
    return fixture_write_dataset(path, seed, SUBJECTS, PER);
}

static assay_status write_templates(const char *path, uint64_t seed) {
    return fixture_write_templates(path, seed, SUBJECTS, PER, LENGTH);
}

static assay_status write_evidence(const char *path, uint64_t seed) {
    return fixture_write_evidence(path, seed, SUBJECTS, PER, 100);
}

/* Reads it all; *out_seed is the seed whose content it is, or 0 where it is that of none. */
static assay_status read_dataset(const char *path, uint64_t *out_seed) {
    assay_dataset *dataset = NULL;
    assay_status status = assay_dataset_open(path, &dataset);
    if (status) return status;
    *out_seed = 0;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        assay_dataset_head head = fixture_dataset(seed, SUBJECTS, PER);
        if (assay_digest_equal(&head.digest, &assay_dataset_get_head(dataset)->digest))
            *out_seed = seed;
        assay_dataset_head_free(&head);
    }
    for (uint64_t row = 0; row < SUBJECTS * PER && status == ASSAY_OK; row++) {
        uint8_t image[FIXTURE_IMAGE_BYTES], *bytes = NULL;
        size_t count = 0;
        status = assay_dataset_read_image(dataset, row, &bytes, &count);
        if (status == ASSAY_OK && (count != fixture_image(*out_seed, row, image) ||
                                   (count && memcmp(bytes, image, count) != 0)))
            *out_seed = 0;
        free(bytes);
    }
    assay_dataset_close(dataset);
    return status;
}

static assay_status read_templates(const char *path, uint64_t *out_seed) {
    static float found[SUBJECTS * PER * LENGTH];
    assay_templates *templates = NULL;
    assay_status status = assay_templates_open(path, &templates);
    if (status) return status;
    status = assay_templates_read(templates, 0, SUBJECTS * PER, found);
    *out_seed = 0;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        float *vectors;
        assay_templates_head head = fixture_templates(seed, SUBJECTS, PER, LENGTH, &vectors);
        bool same = strcmp(head.version, assay_templates_get_head(templates)->version) == 0;
        for (uint64_t row = 0; row < SUBJECTS * PER && same; row++)
            if (head.table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED)
                same = memcmp(found + row * LENGTH, vectors + row * LENGTH,
                              LENGTH * sizeof *vectors) == 0;
        if (same) *out_seed = seed;
        assay_templates_head_free(&head);
        free(vectors);
    }
    assay_templates_close(templates);
    return status;
}

static assay_status read_evidence(const char *path, uint64_t *out_seed) {
    assay_evidence evidence;
    assay_status status = assay_evidence_read(path, &evidence);
    if (status) return status;
    *out_seed = 0;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        assay_evidence expected = fixture_evidence(seed, SUBJECTS, PER, 100);
        fixture_need(assay_evidence_digest(&expected), "digest");
        if (assay_digest_equal(&expected.result_digest, &evidence.result_digest)) *out_seed = seed;
        assay_evidence_free(&expected);
    }
    assay_evidence_free(&evidence);
    return ASSAY_OK;
}

static const struct kind {
    const char *name;
    assay_status (*write)(const char *path, uint64_t seed);
    assay_status (*read)(const char *path, uint64_t *out_seed);
} kinds[] = {{"dataset.h5", write_dataset, read_dataset},
             {"templates.h5", write_templates, read_templates},
             {"evidence.h5", write_evidence, read_evidence}};

/* ---- a process that writes one content after the other ---- */

static pid_t start_writer(const struct kind *kind, const char *path) {
    pid_t writer = fork();
    if (writer != 0) return writer;
    for (uint64_t n = 0;; n++)
        if (kind->write(path, 1 + n % 2) != ASSAY_OK) {
            fprintf(stderr, "writer: %s\n", assay_error_text());
            _exit(1);
        }
}

static void pause_microseconds(uint32_t count) {
    const struct timespec pause = {count / 1000000, (long)(count % 1000000) * 1000};
    nanosleep(&pause, NULL);
}

static void kill_writer(pid_t writer) {
    int ended = 0;
    kill(writer, SIGKILL);
    assert_true(waitpid(writer, &ended, 0) == writer);
    assert_true(WIFSIGNALED(ended)); /* it never ends by itself */
}

/* ---- a process that is stopped before one of its calls of the kernel ---- */

enum { NOT_TRACED = 77 };

/* A child that waits to be traced, and then writes content 2, or reads and tells by its exit
 * status. */
static pid_t start_traced(const struct kind *kind, const char *path, bool writes);

/* Lets child run until it is about to make its call number `call` and returns true; or false where
 * it ended before, with its exit status. What it forks runs on by itself. */
static bool run_until_call(pid_t child, int call, int *out_exit) {
    int ended = 0;
    assert_true(waitpid(child, &ended, 0) == child);
    long signal_on = 0;
    for (int stops = 0; WIFSTOPPED(ended);) {
        if (stops == 0) ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD);
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, signal_on), 0);
        assert_true(waitpid(child, &ended, 0) == child);
        if (!WIFSTOPPED(ended)) break;
        signal_on = WSTOPSIG(ended);
        if (signal_on != (SIGTRAP | 0x80)) continue;
        signal_on = 0;
        if (stops++ == 2 * call) return true; /* each call stops before and behind */
    }
    assert_true(WIFEXITED(ended));
    *out_exit = WEXITSTATUS(ended);
    return false;
}

/* A refusal must say that the file is not there or not finished; damage is never right here. */
static void assert_plain_refusal(const char *path) {
    const char *text = assay_error_text();
    if (!strstr(text, "No such file") && !strstr(text, "has no seal") &&
        !strstr(text, "being replaced"))
        fail_msg("%s: '%s'", path, text);
}

static void killed_writer_leaves_whole_or_none(void **state) {
    const struct kind *kind = *state;
    char path[512];
    unsigned whole = 0, none = 0;
    assay_random random;
    snprintf(path, sizeof path, "%s/%s", folder, kind->name);
    assay_random_start(&random, 31, 0);
    for (int n = 0; n < KILLS; n++) {
        uint64_t seed = 0, records;
        bool torn;
        pid_t writer = start_writer(kind, path);
        /* On a busy machine no writer may finish so soon: then later ones are given longer. */
        pause_microseconds(
            1000 + assay_random_below(&random, n < KILLS / 2 || whole > 0 ? 60000 : 1500000));
        kill_writer(writer);
        if (kind->read(path, &seed) == ASSAY_OK) {
            assert_true(seed == 1 || seed == 2);
            whole++;
        } else {
            assert_plain_refusal(path);
            none++;
        }
        if (access(fixture_path(folder, "assay-ledger.jsonl"), F_OK) == 0)
            assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
    }
    print_message("%s: %u kills left a whole file, %u none\n", kind->name, whole, none);
    assert_true(whole > 0);
    assert_int_equal(kind->write(path, 1), ASSAY_OK); /* and work goes on */
    uint64_t seed = 0;
    assert_int_equal(kind->read(path, &seed), ASSAY_OK);
    assert_int_equal(seed, 1);
}

enum { READ_SEED = 10, READ_REFUSED = 20, READ_WRONG = 21 };

static pid_t start_traced(const struct kind *kind, const char *path, bool writes) {
    pid_t child = fork();
    if (child != 0) return child;
    uint64_t seed = 0;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(NOT_TRACED);
    raise(SIGSTOP);
    if (writes) _exit(kind->write(path, 2) == ASSAY_OK ? 0 : 1);
    if (kind->read(path, &seed) == ASSAY_OK) _exit(READ_SEED + (int)seed);
    const char *text = assay_error_text();
    _exit(strstr(text, "No such file") || strstr(text, "has no seal") ? READ_REFUSED : READ_WRONG);
}

/* Not at random instants but at each call of the kernel that publishing makes. */
static void writer_killed_at_any_call_leaves_whole_or_none(void **state) {
    const struct kind *kind = *state;
    char path[512];
    unsigned before = 0, none = 0, behind = 0;
    int call = 0, ended = 0;
    snprintf(path, sizeof path, "%s/%s", folder, kind->name);
    for (uint64_t seed = 0;; call++) {
        if (seed != 1) assert_int_equal(kind->write(path, 1), ASSAY_OK);
        pid_t writer = start_traced(kind, path, true);
        if (!run_until_call(writer, call, &ended)) break;
        kill_writer(writer);
        uint64_t records;
        bool torn;
        seed = 0;
        if (kind->read(path, &seed) != ASSAY_OK) {
            assert_plain_refusal(path);
            none++;
        } else {
            assert_true(seed == 1 || seed == 2);
            if (seed == 1)
                before++;
            else
                behind++;
        }
        assert_int_equal(assay_ledger_check(folder, &records, &torn), ASSAY_OK);
        assert_false(torn);
    }
    if (ended == NOT_TRACED) skip();
    assert_int_equal(ended, 0);
    print_message("%s: killed at %d calls: %u old, %u none, %u new\n", kind->name, call, before,
                  none, behind);
    assert_true(before > 0 && none > 0 && behind > 0);
}

/* At each call of the kernel that reading makes, the file is replaced by another. */
static void reader_overtaken_at_any_call_reads_old_or_new(void **state) {
    const struct kind *kind = *state;
    char path[512];
    unsigned found[3] = {0};
    int call = 0, ended = 0;
    snprintf(path, sizeof path, "%s/%s", folder, kind->name);
    for (;; call++) {
        assert_int_equal(kind->write(path, 1), ASSAY_OK);
        pid_t reader = start_traced(kind, path, false);
        if (!run_until_call(reader, call, &ended)) break;
        assert_int_equal(kind->write(path, 2), ASSAY_OK);
        assert_int_equal(ptrace(PTRACE_DETACH, reader, NULL, 0), 0);
        assert_true(waitpid(reader, &ended, 0) == reader);
        assert_true(WIFEXITED(ended));
        const int content = WEXITSTATUS(ended) - READ_SEED;
        if (content != 1 && content != 2)
            fail_msg("overtaken at call %d: exit %d", call, WEXITSTATUS(ended));
        found[content]++;
    }
    if (ended == NOT_TRACED) skip();
    assert_int_equal(ended, READ_SEED + 1);
    print_message("%s: overtaken at %d calls: %u old, %u new\n", kind->name, call, found[1],
                  found[2]);
    assert_true(found[1] > 0 && found[2] > 0);
}

static void reader_beside_a_writer_never_sees_a_mixture(void **state) {
    const struct kind *kind = *state;
    char path[512];
    unsigned whole = 0;
    snprintf(path, sizeof path, "%s/%s", folder, kind->name);
    assert_int_equal(kind->write(path, 2), ASSAY_OK);
    pid_t writer = start_writer(kind, path);
    for (int n = 0; n < READS; n++) {
        uint64_t seed = 0;
        if (kind->read(path, &seed) == ASSAY_OK) {
            assert_true(seed == 1 || seed == 2);
            whole++;
        } else {
            assert_plain_refusal(path);
        }
    }
    kill_writer(writer);
    assert_true(whole > 0);
}

static int set_up(void **state) {
    (void)state;
    folder = fixture_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_remove(folder);
    return 0;
}

int main(void) {
#define TEST(function, kind)                                                                       \
    { #function " " #kind, function, set_up, tear_down, (void *)(uintptr_t)&kinds[kind] }
    const struct CMUnitTest tests[] = {
        TEST(killed_writer_leaves_whole_or_none, 0),
        TEST(killed_writer_leaves_whole_or_none, 1),
        TEST(killed_writer_leaves_whole_or_none, 2),
        TEST(writer_killed_at_any_call_leaves_whole_or_none, 1),
        TEST(reader_overtaken_at_any_call_reads_old_or_new, 1),
        TEST(reader_beside_a_writer_never_sees_a_mixture, 0),
        TEST(reader_beside_a_writer_never_sees_a_mixture, 1),
        TEST(reader_beside_a_writer_never_sees_a_mixture, 2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
