/* test_text -- growing strings, numbers, times, names and suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/random.h"
#include "datasets/base/text.h"

static void a_text_grows_by_every_kind_of_appending(void **state) {
    (void)state;
    assay_text text = {0};
    assay_text_append(&text, "a");
    assay_text_append_bytes(&text, "bcd", 2);
    assay_text_appendf(&text, "-%d-", 42);
    assay_text_append_html(&text, "<a href=\"x\">&'é");
    assert_string_equal(text.bytes, "abc-42-&lt;a href=&quot;x&quot;&gt;&amp;&#39;é");
    assert_int_equal(text.length, strlen(text.bytes));
    assert_int_equal(assay_text_status(&text), ASSAY_OK);
    assay_text_clear(&text);
    assert_string_equal(text.bytes, "");
    for (int i = 0; i < 10000; i++) assay_text_appendf(&text, "%d", i % 10);
    assert_int_equal(text.length, 10000);
    for (size_t i = 0; i < 10000; i++) assert_int_equal(text.bytes[i], '0' + i % 10);
    text.failed = true;
    assay_text_append(&text, "more");
    assert_int_equal(text.length, 10000);
    assert_int_equal(assay_text_status(&text), ASSAY_FAILED);
    assay_text_free(&text);
    assert_null(text.bytes);
}

static void numbers_are_printed_shortest(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{1e-6, "1e-06"},
                 {0.35, "0.35"},
                 {0.1, "0.1"},
                 {1.0, "1"},
                 {-0.0, "-0"},
                 {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "4.94065645841247e-324"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e22, "1e+22"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"},
                 {NAN, "nan"},
                 {-NAN, "nan"}};
    char out[ASSAY_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(assay_print_double(out, cases[i].value), cases[i].text);
}

static void every_printed_double_reads_back_the_same(void **state) {
    (void)state;
    assay_random random;
    char out[ASSAY_NUMBER_SIZE];
    assay_random_start(&random, 20240309, 1);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = (uint64_t)assay_random_u32(&random) << 32 | assay_random_u32(&random);
        double value, back = 0;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        assay_print_double(out, value);
        assert_true(assay_parse_double(out, &back));
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void counts_have_commas(void **state) {
    (void)state;
    char out[ASSAY_NUMBER_SIZE];
    assert_string_equal(assay_print_count(out, 0), "0");
    assert_string_equal(assay_print_count(out, 999), "999");
    assert_string_equal(assay_print_count(out, 20706), "20,706");
    assert_string_equal(assay_print_count(out, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void only_whole_plain_numbers_are_read(void **state) {
    (void)state;
    static const char *const wrong[] = {"",  " 1", "1 ", "1x",  "0x10", "nan", "inf",     "1e999",
                                        "-", ".",  "e5", "1,5", "--1",  "1e",  "infinity"};
    double number = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(assay_parse_double(wrong[i], &number));
    assert_true(number == 7);
    assert_true(assay_parse_double("-1.5e-3", &number) && number == -1.5e-3);
    assert_true(assay_parse_double("+2", &number) && number == 2);

    uint64_t whole = 7;
    static const char *const wrong_whole[] = {
        "", "-1", "+1", " 1", "1.", "18446744073709551616", "99999999999999999999999", "0x1"};
    for (size_t i = 0; i < sizeof wrong_whole / sizeof *wrong_whole; i++)
        assert_false(assay_parse_uint64(wrong_whole[i], &whole));
    assert_int_equal(whole, 7);
    assert_true(assay_parse_uint64("18446744073709551615", &whole) && whole == UINT64_MAX);

    int64_t signed_whole = 7;
    assert_false(assay_parse_int64("9223372036854775808", &signed_whole));
    assert_false(assay_parse_int64("-9223372036854775809", &signed_whole));
    assert_false(assay_parse_int64("--1", &signed_whole));
    assert_false(assay_parse_int64("-", &signed_whole));
    assert_true(assay_parse_int64("-9223372036854775808", &signed_whole));
    assert_true(signed_whole == INT64_MIN);
    assert_true(assay_parse_int64("-12", &signed_whole) && signed_whole == -12);
    assert_true(assay_parse_int64("+12", &signed_whole) && signed_whole == 12);
}

static void times_are_read_and_printed(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"1970-01-01", 0},
                 {"2024-03-09T12:30:00", 1709987400},
                 {"2024-03-09T12:30:00Z", 1709987400},
                 {"2024-03-09T12:30:00+01:00", 1709983800},
                 {"2024-03-09T12:30:00-05:30", 1710007200},
                 {"2000-02-29", 951782400},
                 {"1969-12-31T23:59:59Z", -1},
                 {"0001-01-01", INT64_C(-62135596800)},
                 {"9999-12-31T23:59:59Z", INT64_C(253402300799)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = 1;
        assert_true(assay_parse_time(cases[i].text, &seconds));
        assert_true(seconds == cases[i].seconds);
    }
    char out[ASSAY_NUMBER_SIZE];
    assert_string_equal(assay_print_time(out, 1709987400), "2024-03-09T12:30:00Z");
    assert_string_equal(assay_print_time(out, -1), "1969-12-31T23:59:59Z");
    assert_string_equal(assay_print_time(out, ASSAY_TIME_MISSING), "");
    for (int64_t day = -800000; day < 2900000; day += 37) {
        int64_t back;
        if (day * 86400 < INT64_C(-62167219200)) continue; /* before the year 0 */
        assert_true(assay_parse_time(assay_print_time(out, day * 86400 + 3661), &back));
        assert_true(back == day * 86400 + 3661);
    }
}

static void days_that_do_not_exist_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"2023-02-29",
                                        "1900-02-29",
                                        "2024-13-01",
                                        "2024-00-10",
                                        "2024-04-31",
                                        "2024-01-00",
                                        "24-01-01",
                                        "2024-1-1",
                                        "2024-01-01 ",
                                        "2024-01-01T24:00:00",
                                        "2024-01-01T12:60:00",
                                        "2024-01-01T12:00:60",
                                        "2024-01-01T12:00",
                                        "2024-01-01T12:00:00z",
                                        "2024-01-01T12:00:00+1",
                                        "",
                                        "2024-01-01T12:00:00+24:00",
                                        "2024-01-01T",
                                        "2024/01/01"};
    int64_t seconds = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(assay_parse_time(wrong[i], &seconds));
    assert_int_equal(seconds, 7);
}

static void names_follow_the_rules_of_unicode(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *fault;
    } cases[] = {
        {"S001-é", NULL},
        {"李", NULL},
        {"", "is empty"},
        {"ab\xff", "is not valid UTF-8 at byte 3"},
        {"\xc0\x80", "is not valid UTF-8 at byte 1"},
        {"\xed\xa0\x80", "is not valid UTF-8 at byte 1"}, /* a surrogate */
        {"e\xcc\x81", "is not in Unicode normal form C"},
        {"a\nb", "has the control character U+000A at byte 2"},
        {"a\x7f", "has the control character U+007F at byte 2"},
        {"\xc2\x85", "has the control character U+0085 at byte 1"},
        {"a\xe2\x80\xae", "has the control character U+202E at byte 2"},
        {"\xe2\x81\xa6", "has the control character U+2066 at byte 1"},
        {"\xe2\x80\x8f", "has the control character U+200F at byte 1"},
        {"\xd8\x9c", "has the control character U+061C at byte 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *fault = assay_name_fault(cases[i].name, strlen(cases[i].name));
        if (cases[i].fault == NULL)
            assert_null(fault);
        else
            assert_string_equal(fault, cases[i].fault);
    }
    char name[ASSAY_NAME_BYTES + 1];
    memset(name, 'x', sizeof name);
    assert_null(assay_name_fault(name, ASSAY_NAME_BYTES));
    assert_string_equal(assay_name_fault(name, sizeof name), "has 129 bytes, more than 128");
    assert_string_equal(assay_name_fault("a\0b", 3), "has the control character U+0000 at byte 2");
}

static void doubtful_bytes_are_shown_and_long_text_is_marked(void **state) {
    (void)state;
    char out[16];
    assert_string_equal(assay_printable(out, sizeof out, "a\nb\x1b"), "a\\x0ab\\x1b");
    assert_string_equal(assay_printable_lines(out, sizeof out, "a\nb"), "a\nb");
    assert_string_equal(assay_printable(out, sizeof out, "0123456789abcde"), "0123456789abcde");
    assert_string_equal(assay_printable(out, sizeof out, "0123456789abcdef"), "0123456789ab…");
    assert_string_equal(assay_printable(out, sizeof out, "0123456789a\x1b\x1b"), "0123456789a…");
    assert_string_equal(assay_printable(out, 3, "abcdef"), "");
    assert_string_equal(assay_printable(out, 1, "abc"), "");
}

static void the_nearest_word_is_found_only_if_it_is_near(void **state) {
    (void)state;
    static const char *const words[] = {"ingest", "enroll", "compare", "report", "run"};
    assert_string_equal(assay_nearest_word("comapre", words, 5), "compare");
    assert_string_equal(assay_nearest_word("REPROT", words, 5), "report");
    assert_string_equal(assay_nearest_word("enrol", words, 5), "enroll");
    assert_string_equal(assay_nearest_word("ing", words, 5), "ingest");
    assert_string_equal(assay_nearest_word("rum", words, 5), "run");
    assert_null(assay_nearest_word("zebra", words, 5));
    assert_null(assay_nearest_word("", words, 5));
    char out[128];
    assert_string_equal(assay_suggest(out, sizeof out, "ingset", words, 5),
                        "did you mean 'ingest'? Known: ingest, enroll, compare, report, run");
    assert_string_equal(assay_suggest(out, sizeof out, "zebra", words, 2), "Known: ingest, enroll");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_grows_by_every_kind_of_appending),
        cmocka_unit_test(numbers_are_printed_shortest),
        cmocka_unit_test(every_printed_double_reads_back_the_same),
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(only_whole_plain_numbers_are_read),
        cmocka_unit_test(times_are_read_and_printed),
        cmocka_unit_test(days_that_do_not_exist_are_refused),
        cmocka_unit_test(names_follow_the_rules_of_unicode),
        cmocka_unit_test(doubtful_bytes_are_shown_and_long_text_is_marked),
        cmocka_unit_test(the_nearest_word_is_found_only_if_it_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
