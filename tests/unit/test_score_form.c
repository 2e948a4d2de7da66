/* test_score_form -- integers that stand for scores made elsewhere: order, ties and every bit. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/score_form.h"
#include "datasets/score_list.h"
#include "tests/unit/fixtures_evidence.h"

static void zero_is_at_place_0_and_its_neighbours_beside_it(void **state) {
    (void)state;
    assert_int_equal(assay_score_place(0.0), 0);
    assert_int_equal(assay_score_place(-0.0), 0);
    assert_int_equal(assay_score_place(5e-324), 1);
    assert_int_equal(assay_score_place(-5e-324), -1);
    assert_int_equal(assay_score_place(DBL_MAX), ASSAY_SCORE_PLACE_MOST);
    assert_int_equal(assay_score_place(-DBL_MAX), -ASSAY_SCORE_PLACE_MOST);
    assert_int_equal(assay_score_place(1.0), INT64_C(1023) << 52);
    assert_true(isinf(assay_score_at_place(ASSAY_SCORE_PLACE_MOST + 1)));
    assert_true(assay_score_at_place(INT64_MIN) < -DBL_MAX);
}

/* The next double is the next place, also across 0 and across powers of two. */
static void places_are_neighbours_where_doubles_are(void **state) {
    (void)state;
    static const double at[] = {-1e150, -2, -1, -0.1, -DBL_MIN, 0, 5e-324, DBL_MIN, 0.5, 1, 3e150};
    for (size_t n = 0; n < sizeof at / sizeof *at; n++) {
        const double next = nextafter(at[n], (double)INFINITY);
        assert_int_equal(assay_score_place(next), assay_score_place(at[n]) + 1);
    }
}

static void random_bits_come_back_and_keep_their_order(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252u;
    double before = 0;
    for (int n = 0; n < 200000; n++) {
        double score;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&score, &bits, sizeof score);
        if (!isfinite(score)) continue;
        const int64_t place = assay_score_place(score), other = assay_score_place(before);
        const double again = assay_score_of(ASSAY_SCORE_PLACED, 0, place);
        assert_memory_equal(&again, &score, sizeof score);
        assert_int_equal(place < other, score < before);
        assert_int_equal(place == other, score == before);
        before = score;
    }
}

static void scaled_scores_are_what_they_were(void **state) {
    (void)state;
    assay_score_form form = ASSAY_SCORE_PLACED;
    assert_true(assay_score_of(ASSAY_SCORE_SCALED, 2, 24) == 1.5);
    assert_true(assay_score_form_parse("scaled", &form));
    assert_int_equal(form, ASSAY_SCORE_SCALED);
    assert_true(assay_score_form_parse("placed", &form));
    assert_int_equal(form, ASSAY_SCORE_PLACED);
    assert_false(assay_score_form_parse("places", &form));
}

/* ---- lists as text ---- */

static assay_status parse(const char *text, assay_score_values *out) {
    return assay_score_text_parse("list", text, strlen(text), out);
}

static void a_list_is_read_with_blanks_line_ends_and_nan(void **state) {
    (void)state;
    assay_score_values list = {0};
    assert_ok(parse(" 0.25\r\n-3\t\nNaN\n1e-3", &list));
    assert_int_equal(list.count, 4);
    assert_true(list.values[0] == 0.25 && list.values[1] == -3 && list.values[3] == 1e-3);
    assert_true(isnan(list.values[2]));
    assay_score_values_free(&list);
}

static void what_is_no_score_is_refused_with_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {{"1\n\n2\n", "list:2: the line '' is empty"},
                 {"1\n2 3\n", "list:2: the line '2 3' is no finite number"},
                 {"1\ninf\n", "list:2: the line 'inf' is no finite number"},
                 {"0x10\n", "list:1: the line '0x10' is no finite number"},
                 {"1,5\n", "list:1: the line '1,5' is no finite number"},
                 {"1e999\n", "list:1: the line '1e999' is no finite number"},
                 {"", "list holds no score"}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        assay_score_values list = {0};
        assert_int_equal(parse(cases[n].text, &list), ASSAY_USAGE);
        if (!strstr(assay_error_text(), cases[n].said)) fail_msg("%s", assay_error_text());
        assert_null(list.values);
    }
    assay_score_values list = {0};
    assert_int_equal(assay_score_text_parse("list", "1\0002\n", 4, &list), ASSAY_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_at_place_0_and_its_neighbours_beside_it),
        cmocka_unit_test(places_are_neighbours_where_doubles_are),
        cmocka_unit_test(random_bits_come_back_and_keep_their_order),
        cmocka_unit_test(scaled_scores_are_what_they_were),
        cmocka_unit_test(a_list_is_read_with_blanks_line_ends_and_nan),
        cmocka_unit_test(what_is_no_score_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
