/* test_gate_rates -- the gate errs as often as it says, in few draws (tests/soak/soak_gate.c draws
 * many). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/soak/gate_rates.h"

/* 400 draws: a standard error of 1.1 % at 5 %. The bounds are three of them and more away from the
 * 4 to 7 % that the full campaign has, on either side. */
static void at_the_margin_one_in_twenty_passes_or_fails(void **state) {
    (void)state;
    for (size_t n = 0; n < GATE_SETTINGS; ++n) {
        gate_tally tally = {0};
        assert_true(rates_run(&gate_settings[n], 400, &tally));
        double pass = (double)tally.passed / 400, fail = (double)tally.failed / 400;
        double covered = (double)tally.covered / 400;
        if (pass > 0.105 || pass < 0.005 || fail > 0.105 || fail < 0.005 || covered < 0.9)
            fail_msg("%s: %.3f pass, %.3f fail, %.3f covered", gate_settings[n].name, pass, fail,
                     covered);
        if (tally.ratio_draws)
            assert_true((double)tally.ratio_covered / (double)tally.ratio_draws > 0.9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_margin_one_in_twenty_passes_or_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
