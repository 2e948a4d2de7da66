/* progress_bar -- how far a step is, on standard error: a bar with rate and time left on a
 * terminal, a line every 30 seconds elsewhere, nothing where quiet. It also carries the wish to
 * stop: after the first interrupt (Ctrl-C, SIGTERM) the next tell answers false, and the step ends
 * in good order; a second interrupt ends the program at once. */
#ifndef ASSAY_HARNESS_CLI_PROGRESS_BAR_H
#define ASSAY_HARNESS_CLI_PROGRESS_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/progress.h"

typedef struct {
    const char *command; /* "compare": front of notes */
    bool quiet, terminal, colour;
    bool drawn;          /* the terminal's last line is a bar */
    char step[32];       /* that is being told */
    uint64_t first_done; /* what was done when its first tell came (a resumed step) */
    double first_time, last_time;
} assay_progress_bar;

void assay_progress_bar_start(assay_progress_bar *bar, const char *command, bool quiet);
/* What steps are given; borrows bar. */
assay_progress assay_progress_bar_progress(assay_progress_bar *bar);
/* Takes the bar off the terminal, so that other text can follow. */
void assay_progress_bar_clear(assay_progress_bar *bar);

/* Installs the handlers of SIGINT and SIGTERM. */
void assay_interrupt_prepare(void);
bool assay_interrupt_wanted(void);

#endif
