/* soak_gate -- the gate's error rates: false PASS and false FAIL where the true difference is the
 * margin, coverage of the paired difference and of the ratio of two FMR. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/soak/gate_rates.h"

enum { DRAWS = 4000 };

static double percent(uint64_t part, uint64_t of) {
    return of ? 100 * (double)part / (double)of : 0;
}

int main(void) {
    bool held = true;
    printf(
        "Two releases whose true difference of FNMR is the margin; one-sided level 5 %%, %d draws "
        "each, standard error 0.35 points.\n\n"
        "| setting | people | mated | false PASS | false FAIL | 95 %% of the difference | 95 %% of "
        "the FMR ratio |\n|---|---|---|---|---|---|---|\n",
        DRAWS);
    for (size_t n = 0; n < GATE_SETTINGS; ++n) {
        const gate_setting *of = &gate_settings[n];
        gate_tally tally = {0};
        if (!rates_run(of, DRAWS, &tally)) return 1;
        double pass = percent(tally.passed, tally.draws), fail = percent(tally.failed, tally.draws);
        printf("| %s | %u | %u | %.1f %% | %.1f %% | %.1f %% | ", of->name, of->people,
               of->people * of->each, pass, fail, percent(tally.covered, tally.draws));
        if (tally.ratio_draws)
            printf("%.1f %% |\n", percent(tally.ratio_covered, tally.ratio_draws));
        else
            printf("– |\n");
        held = held && pass <= 7 && fail <= 7 && pass + fail >= 3;
    }
    return held ? 0 : 1;
}
