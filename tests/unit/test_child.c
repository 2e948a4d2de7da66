/* test_child -- forked work, helper programs, frames, and what a confined process cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"

/* --- assay_child_run -------------------------------------------------------------------------- */

static assay_status succeed(void *context) {
    *(int *)context = 5;
    return ASSAY_OK;
}

static assay_status disagree(void *context) {
    return assay_fail(ASSAY_DISAGREES, "tile %d", *(int *)context);
}

static assay_status die(void *context) {
    struct rlimit none = {0, 0};
    signal(*(int *)context, SIG_DFL); /* a sanitizer's handler would end it with a status */
    setrlimit(RLIMIT_CORE, &none);
    raise(*(int *)context);
    return ASSAY_OK;
}

static assay_status leave(void *context) {
    _exit(*(int *)context);
}

static void a_child_gives_back_status_and_text(void **state) {
    (void)state;
    int value = 3;
    assert_int_equal(assay_child_run(succeed, &value, "writing x"), ASSAY_OK);
    assert_int_equal(value, 3); /* what the child changes is lost */
    assert_int_equal(assay_child_run(disagree, &value, "writing x"), ASSAY_DISAGREES);
    assert_string_equal(assay_error_text(), "tile 3");
}

static void a_child_that_dies_is_a_failure_that_says_how(void **state) {
    (void)state;
    int signal_number = SIGSEGV, status = 0;
    assert_int_equal(assay_child_run(die, &signal_number, "writing x"), ASSAY_FAILED);
    assert_string_equal(assay_error_text(), "writing x: its process died of signal SIGSEGV (11)");
    signal_number = SIGKILL;
    assert_int_equal(assay_child_run(die, &signal_number, "writing x"), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "SIGKILL"));
    assert_int_equal(assay_child_run(leave, &status, "writing x"), ASSAY_FAILED);
    assert_string_equal(assay_error_text(),
                        "writing x: its process ended with status 0 and left no report, perhaps "
                        "because memory was out");
}

static assay_status explain_at_length(void *context) {
    static char text[ASSAY_ERROR_SIZE];
    memset(text, 'x', sizeof text - 1);
    return assay_fail(*(int *)context == 0 ? ASSAY_USAGE : ASSAY_FAILED, "%s", text);
}

static void the_longest_text_comes_back_whole(void **state) {
    (void)state;
    int value = 0;
    assert_int_equal(assay_child_run(explain_at_length, &value, "work"), ASSAY_USAGE);
    assert_int_equal(strlen(assay_error_text()), ASSAY_ERROR_SIZE - 1);
}

/* --- frames ----------------------------------------------------------------------------------- */

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void frames_come_back_as_they_were_written(void **state) {
    (void)state;
    int ends[2];
    uint8_t *bytes = NULL;
    size_t count = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(assay_frame_write(ends[1], "abc", 3), ASSAY_OK);
    assert_int_equal(assay_frame_write(ends[1], "", 0), ASSAY_OK);
    assert_int_equal(assay_frame_read(ends[0], 3, 1000, &bytes, &count), ASSAY_OK);
    assert_int_equal(count, 3);
    assert_string_equal((char *)bytes, "abc");
    free(bytes);
    assert_int_equal(assay_frame_read(ends[0], 0, 1000, &bytes, &count), ASSAY_OK);
    assert_int_equal(count, 0);
    free(bytes);
    close(ends[0]);
    close(ends[1]);
}

static void a_frame_that_is_late_long_or_cut_is_refused(void **state) {
    (void)state;
    int ends[2];
    uint8_t *bytes = NULL;
    size_t count = 0;
    assert_int_equal(pipe(ends), 0);
    int64_t start = now_ms();
    assert_int_equal(assay_frame_read(ends[0], 10, 50, &bytes, &count), ASSAY_FAILED);
    assert_in_range(now_ms() - start, 50, 5000);
    assert_non_null(strstr(assay_error_text(), "in time"));
    assert_int_equal(assay_frame_write(ends[1], "abcd", 4), ASSAY_OK);
    assert_int_equal(assay_frame_read(ends[0], 3, 1000, &bytes, &count), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "4 bytes where at most 3"));
    assert_int_equal(read(ends[0], (char[4]){0}, 4), 4);
    /* ten bytes promised, two given: first nothing more comes, then the end */
    assert_int_equal(write(ends[1], "\12\0\0\0xy", 6), 6);
    assert_int_equal(assay_frame_read(ends[0], 10, 50, &bytes, &count), ASSAY_FAILED);
    assert_int_equal(write(ends[1], "\12\0\0\0xy", 6), 6);
    close(ends[1]);
    assert_int_equal(assay_frame_read(ends[0], 10, 1000, &bytes, &count), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "ended"));
    assert_null(bytes);
    close(ends[0]);
}

static void a_closed_pipe_is_a_failure_and_no_signal(void **state) {
    (void)state;
    int ends[2];
    sigset_t pending, mask;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_DFL); /* would end this program */
    for (int i = 0; i < 3; i++)
        assert_int_equal(assay_frame_write(ends[1], "abc", 3), ASSAY_FAILED);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&pending, SIGPIPE));
    assert_false(sigismember(&mask, SIGPIPE));
    close(ends[1]);
}

/* --- helper programs and confinement ---------------------------------------------------------- */

/* Starts helpers/confined, sends it word and gives back its answer, freed by the caller. */
static char *ask_helper(const char *word) {
    char *program = NULL;
    uint8_t *answer = NULL;
    size_t count = 0;
    assay_helper helper = ASSAY_HELPER_NONE;
    assert_int_equal(assay_find_helper(&program, "helpers/confined"), ASSAY_OK);
    assert_int_equal(assay_helper_start(program, &helper), ASSAY_OK);
    assert_int_equal(assay_frame_write(helper.request_fd, word, strlen(word)), ASSAY_OK);
    assert_int_equal(assay_frame_read(helper.answer_fd, 65536, 20000, &answer, &count), ASSAY_OK);
    assay_helper_stop(&helper);
    assert_int_equal(helper.pid, -1);
    free(program);
    return (char *)answer;
}

static void a_helper_inherits_two_pipes_and_nothing_else(void **state) {
    (void)state;
    int extra = open("/dev/null", O_RDONLY); /* on purpose not O_CLOEXEC */
    assert_int_equal(setenv("ASSAY_TEST_SECRET", "x", 1), 0);
    char *answer = ask_helper("inherited");
    assert_string_equal(answer, "0 1 2 3 4 LC_ALL=C PATH=/usr/bin:/bin ");
    free(answer);
    close(extra);
}

static void a_program_that_is_not_there_does_not_start(void **state) {
    (void)state;
    assay_helper helper = ASSAY_HELPER_NONE;
    assert_int_equal(assay_helper_start("/no/such/program", &helper), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "/no/such/program"));
    assert_int_equal(helper.pid, -1);
    assay_helper_stop(&helper);
}

static void attempts_succeed_where_nothing_is_confined(void **state) {
    (void)state;
    char *answer = ask_helper("free");
    assert_string_equal(answer, "inet unix write folder passwd parent-memory fork spawn clone kill "
                                "memory-file dumpable limit ");
    free(answer);
}

static void a_confined_process_is_refused_every_attempt(void **state) {
    (void)state;
    char *answer = ask_helper("confined");
    assert_string_equal(answer, "");
    free(answer);
}

static void a_confined_process_can_still_work_within_its_memory(void **state) {
    (void)state;
    char *answer = ask_helper("works");
    assert_string_equal(answer, "");
    free(answer);
}

static void a_confined_process_that_spins_is_ended(void **state) {
    (void)state;
    char *program = NULL;
    uint8_t *answer = NULL;
    size_t count = 0;
    int ended = 0;
    assay_helper helper = ASSAY_HELPER_NONE;
    assert_int_equal(assay_find_helper(&program, "helpers/confined"), ASSAY_OK);
    assert_int_equal(assay_helper_start(program, &helper), ASSAY_OK);
    assert_int_equal(assay_frame_write(helper.request_fd, "spin", 4), ASSAY_OK);
    assert_int_equal(assay_frame_read(helper.answer_fd, 64, 60000, &answer, &count), ASSAY_FAILED);
    assert_int_equal(waitpid(helper.pid, &ended, 0), helper.pid);
    assert_true(WIFSIGNALED(ended));
    assert_int_equal(WTERMSIG(ended), SIGXCPU);
    helper.pid = -1;
    assay_helper_stop(&helper);
    free(program);
}

static void a_silent_helper_is_given_up_and_killed(void **state) {
    (void)state;
    char *program = NULL;
    uint8_t *answer = NULL;
    size_t count = 0;
    assay_helper helper = ASSAY_HELPER_NONE;
    assert_int_equal(assay_find_helper(&program, "helpers/confined"), ASSAY_OK);
    assert_int_equal(assay_helper_start(program, &helper), ASSAY_OK);
    pid_t pid = helper.pid;
    assert_int_equal(assay_frame_write(helper.request_fd, "silent", 6), ASSAY_OK);
    assert_int_equal(assay_frame_read(helper.answer_fd, 64, 100, &answer, &count), ASSAY_FAILED);
    assay_helper_stop(&helper);
    assert_int_equal(kill(pid, 0), -1);
    assay_helper_stop(&helper); /* a second time does nothing */
    free(program);
}

static void *wait_for_end(void *fd) {
    char byte;
    return read(*(int *)fd, &byte, 1) == 0 ? NULL : fd;
}

static assay_status confine_with_a_thread(void *context) {
    int ends[2];
    pthread_t thread;
    (void)context;
    if (pipe(ends) != 0 || pthread_create(&thread, NULL, wait_for_end, &ends[0]) != 0)
        return assay_fail(ASSAY_USAGE, "no thread");
    return assay_confine(UINT64_C(1) << 40, 10, NULL, 0, NULL);
}

static void a_process_with_threads_is_not_confined(void **state) {
    (void)state;
    assert_int_equal(assay_child_run(confine_with_a_thread, NULL, "confining"), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "threads, only of one"));
}

static assay_status confine_with_folder(void *context) {
    assay_status status = assay_confine(UINT64_C(1) << 40, 10, context, 1, NULL);
    if (status != ASSAY_OK) return status;
    int fd = open("/etc/passwd", O_RDONLY);
    return fd >= 0 ? ASSAY_OK : assay_fail_errno("reading");
}

static void a_folder_that_is_named_can_be_read(void **state) {
    (void)state;
    const char *there = "/etc", *missing = "/no/such/folder";
    assert_int_equal(assay_child_run(confine_with_folder, &there, "confining"), ASSAY_OK);
    assert_int_equal(assay_child_run(confine_with_folder, &missing, "confining"), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "/no/such/folder"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gives_back_status_and_text),
        cmocka_unit_test(a_child_that_dies_is_a_failure_that_says_how),
        cmocka_unit_test(the_longest_text_comes_back_whole),
        cmocka_unit_test(frames_come_back_as_they_were_written),
        cmocka_unit_test(a_frame_that_is_late_long_or_cut_is_refused),
        cmocka_unit_test(a_closed_pipe_is_a_failure_and_no_signal),
        cmocka_unit_test(a_helper_inherits_two_pipes_and_nothing_else),
        cmocka_unit_test(a_program_that_is_not_there_does_not_start),
        cmocka_unit_test(attempts_succeed_where_nothing_is_confined),
        cmocka_unit_test(a_confined_process_is_refused_every_attempt),
        cmocka_unit_test(a_confined_process_can_still_work_within_its_memory),
        cmocka_unit_test(a_confined_process_that_spins_is_ended),
        cmocka_unit_test(a_silent_helper_is_given_up_and_killed),
        cmocka_unit_test(a_process_with_threads_is_not_confined),
        cmocka_unit_test(a_folder_that_is_named_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
