/* test_status -- explanations (status) and allocation (memory). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/status.h"

static void a_failure_keeps_its_status_and_text(void **state) {
    (void)state;
    assert_int_equal(assay_fail(ASSAY_USAGE, "line %d of %s", 3, "a.csv"), ASSAY_USAGE);
    assert_string_equal(assay_error_text(), "line 3 of a.csv");
    assert_int_equal(assay_fail_in(ASSAY_USAGE, "reading %s", "b"), ASSAY_USAGE);
    assert_string_equal(assay_error_text(), "reading b: line 3 of a.csv");
    assert_int_equal(assay_fail(ASSAY_DECLINED, "again: %s", assay_error_text()), ASSAY_DECLINED);
    assert_string_equal(assay_error_text(), "again: reading b: line 3 of a.csv");
}

static void errno_is_told_and_kept(void **state) {
    (void)state;
    errno = ENOENT;
    assert_int_equal(assay_fail_errno("cannot open %s", "x"), ASSAY_FAILED);
    assert_string_equal(assay_error_text(), "cannot open x: No such file or directory");
    assert_int_equal(errno, ENOENT);
}

static void control_characters_are_shown_and_newlines_stay(void **state) {
    (void)state;
    (void)assay_fail(ASSAY_FAILED, "%s", "a\x1b[2J\nb\r\x7f\xff é \xe2\x80\xae");
    assert_string_equal(assay_error_text(), "a\\x1b[2J\nb\\x0d\\x7f\\xff é \\xe2\\x80\\xae");
}

static void a_long_text_is_cut_at_a_character(void **state) {
    (void)state;
    static char text[3 * ASSAY_ERROR_SIZE];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t at = shift; at + 3 < sizeof text; at += 3) memcpy(text + at, "€", 4);
        (void)assay_fail(ASSAY_FAILED, "%s", text);
        const char *kept = assay_error_text();
        size_t length = strlen(kept);
        assert_true(length < ASSAY_ERROR_SIZE && length > ASSAY_ERROR_SIZE - 8);
        assert_string_equal(kept + length - 3, "…");
        assert_int_equal((length - shift) % 3, 0);
        assert_memory_equal(kept, text, length - 3);
    }
    (void)assay_fail(ASSAY_FAILED, "end");
    assert_string_equal(assay_error_text(), "end");
}

static void *fail_elsewhere(void *unused) {
    (void)unused;
    (void)assay_fail(ASSAY_FAILED, "of another thread");
    return NULL;
}

static void each_thread_has_its_own_text(void **state) {
    (void)state;
    pthread_t thread;
    (void)assay_fail(ASSAY_FAILED, "mine");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(assay_error_text(), "mine");
}

static void a_product_that_overflows_is_refused(void **state) {
    (void)state;
    size_t product = 7;
    assert_false(assay_multiply(SIZE_MAX / 2 + 1, 2, &product));
    assert_int_equal(product, 7);
    assert_true(assay_multiply(SIZE_MAX / 2, 2, &product));
    assert_int_equal(product, SIZE_MAX - 1);
    char *memory = NULL;
    assert_int_equal(assay_allocate(&memory, SIZE_MAX / 4, 8, "scores"), ASSAY_FAILED);
    assert_null(memory);
    assert_non_null(strstr(assay_error_text(), "scores"));
    assert_int_equal(assay_allocate_aligned(&memory, SIZE_MAX, 1, "scores"), ASSAY_FAILED);
    assert_null(memory);
}

static void allocated_memory_is_zero_and_aligned(void **state) {
    (void)state;
    uint64_t *numbers = NULL;
    assert_int_equal(assay_allocate(&numbers, 1000, sizeof *numbers, "numbers"), ASSAY_OK);
    for (size_t i = 0; i < 1000; i++) assert_int_equal(numbers[i], 0);
    free(numbers);
    numbers = NULL;
    assert_int_equal(assay_allocate(&numbers, 0, sizeof *numbers, "nothing"), ASSAY_OK);
    assert_non_null(numbers);
    free(numbers);
    for (size_t count = 0; count < 200; count += 67) {
        uint8_t *bytes = NULL;
        assert_int_equal(assay_allocate_aligned(&bytes, count, 1, "bytes"), ASSAY_OK);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        for (size_t i = 0; i < count; i++) assert_int_equal(bytes[i], 0);
        free(bytes);
    }
}

static void reserving_keeps_what_is_there_and_doubles(void **state) {
    (void)state;
    int *numbers = NULL;
    size_t capacity = 0, growths = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        assert_int_equal(
            assay_reserve(&numbers, &capacity, (size_t)i + 1, sizeof *numbers, "numbers"),
            ASSAY_OK);
        growths += capacity != before;
        numbers[i] = i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(numbers[i], i);
    assert_true(growths <= 11);
    size_t before = capacity;
    assert_int_equal(assay_reserve(&numbers, &capacity, SIZE_MAX, sizeof *numbers, "numbers"),
                     ASSAY_FAILED);
    assert_int_equal(capacity, before);
    assert_int_equal(numbers[999], 999);
    free(numbers);
}

static void available_memory_is_between_one_mebibyte_and_all(void **state) {
    (void)state;
    char line[256];
    unsigned long long total = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    assert_non_null(file);
    while (total == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemTotal: %llu", &total) != 1) total = 0;
    fclose(file);
    assert_in_range(assay_memory_available(), 1 << 20, total * 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_keeps_its_status_and_text),
        cmocka_unit_test(errno_is_told_and_kept),
        cmocka_unit_test(control_characters_are_shown_and_newlines_stay),
        cmocka_unit_test(a_long_text_is_cut_at_a_character),
        cmocka_unit_test(each_thread_has_its_own_text),
        cmocka_unit_test(a_product_that_overflows_is_refused),
        cmocka_unit_test(allocated_memory_is_zero_and_aligned),
        cmocka_unit_test(reserving_keeps_what_is_there_and_doubles),
        cmocka_unit_test(available_memory_is_between_one_mebibyte_and_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
