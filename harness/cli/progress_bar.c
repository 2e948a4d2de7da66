/* progress_bar -- how far a step is, on standard error. */
#include "harness/cli/progress_bar.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/text.h"

#define REDRAW_SECONDS 0.1
#define LINE_SECONDS 30.0
#define BAR_WIDTH 24

/* A signal handler can reach nothing else: the one variable of this program. */
static volatile sig_atomic_t interrupted;

/* A first one asks for an end in good order, a second one for an end. One that was sent to the
 * whole process group comes twice at once, from the sender and from the process above us. */
static void on_interrupt(int signal_number) {
    static volatile sig_atomic_t first;
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const sig_atomic_t at = (sig_atomic_t)(now.tv_sec % 10000000 * 100 + now.tv_nsec / 10000000);
    if (!interrupted) {
        first = at;
        interrupted = 1;
    } else if (at - first > 30 || at < first) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

void assay_interrupt_prepare(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a reader or helper that went away is an error of that write */
}

bool assay_interrupt_wanted(void) {
    return interrupted != 0;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void assay_progress_bar_start(assay_progress_bar *bar, const char *command, bool quiet) {
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    memset(bar, 0, sizeof *bar);
    bar->command = command;
    bar->quiet = quiet;
    bar->terminal = isatty(STDERR_FILENO) == 1 && (term == NULL || strcmp(term, "dumb") != 0);
    bar->colour = bar->terminal && (no_color == NULL || no_color[0] == '\0');
}

void assay_progress_bar_clear(assay_progress_bar *bar) {
    if (!bar->drawn) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    bar->drawn = false;
}

/* 1234567 as "1.23M": rates and totals of a bar need no more. */
static const char *short_number(char out[ASSAY_NUMBER_SIZE], double value) {
    static const char *const units[] = {"", "k", "M", "G", "T"};
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    int digits = unit == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    snprintf(out, ASSAY_NUMBER_SIZE, "%.*f%s", digits, value, units[unit]);
    return out;
}

/* As short_number; slow work has a rate, too: "1.4", "0.06". */
static const char *short_rate(char out[ASSAY_NUMBER_SIZE], double rate) {
    if (rate >= 100) return short_number(out, rate);
    snprintf(out, ASSAY_NUMBER_SIZE, "%.*f", rate >= 10 ? 0 : rate >= 1 ? 1 : 2, rate);
    return out;
}

static const char *duration(char out[ASSAY_NUMBER_SIZE], double seconds) {
    unsigned long whole = seconds < 0     ? 0
                          : seconds > 1e9 ? 1000000000ul
                                          : (unsigned long)(seconds + 0.5);
    if (whole < 60)
        snprintf(out, ASSAY_NUMBER_SIZE, "%lu s", whole);
    else if (whole < 3600)
        snprintf(out, ASSAY_NUMBER_SIZE, "%lu min %02lu s", whole / 60, whole % 60);
    else
        snprintf(out, ASSAY_NUMBER_SIZE, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    return out;
}

/* "38.2M of 85.0M pairs, 12.1M/s, 4 s left" */
static void describe(const assay_progress_bar *bar, const char *unit, uint64_t done, uint64_t total,
                     double time, char *out, size_t size) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], c[ASSAY_NUMBER_SIZE], d[ASSAY_NUMBER_SIZE];
    double elapsed = time - bar->first_time;
    double rate = elapsed > 0.2 ? (double)(done - bar->first_done) / elapsed : 0;
    int used = snprintf(out, size, "%s of %s %s", short_number(a, (double)done),
                        short_number(b, (double)total), unit);
    if (rate <= 0 || used < 0 || (size_t)used >= size) return;
    snprintf(out + used, size - (size_t)used, ", %s/s, %s left", short_rate(c, rate),
             duration(d, (double)(total - done) / rate));
}

static void draw(assay_progress_bar *bar, const char *text, uint64_t done, uint64_t total) {
    char cells[BAR_WIDTH + 1];
    double share = total == 0 ? 1 : (double)done / (double)total;
    int full = (int)(share * BAR_WIDTH);
    for (int n = 0; n < BAR_WIDTH; n++) cells[n] = n < full ? '#' : '.';
    cells[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K%-9s [%s%.*s%s%s] %3d%%  %s", bar->step, bar->colour ? "\033[36m" : "",
            full, cells, bar->colour ? "\033[0m" : "", cells + full, (int)(share * 100), text);
    fflush(stderr);
    bar->drawn = true;
}

static bool tell(void *context, const char *step, const char *unit, uint64_t done, uint64_t total) {
    assay_progress_bar *bar = context;
    if (interrupted != 0) return false;
    if (bar->quiet) return true;
    if (done > total) done = total;
    double time = now();
    if (strcmp(bar->step, step) != 0 || done < bar->first_done) {
        assay_progress_bar_clear(bar);
        snprintf(bar->step, sizeof bar->step, "%s", step);
        bar->first_done = done;
        bar->first_time = bar->last_time = time;
    }
    char text[160];
    if (bar->terminal && done == total) {
        assay_progress_bar_clear(bar);
    } else if (time - bar->last_time >= (bar->terminal ? REDRAW_SECONDS : LINE_SECONDS)) {
        bar->last_time = time;
        describe(bar, unit, done, total, time, text, sizeof text);
        if (bar->terminal)
            draw(bar, text, done, total);
        else
            fprintf(stderr, "assay %s: %s: %d%%, %s\n", bar->command, step,
                    (int)(total == 0 ? 100 : 100.0 * (double)done / (double)total), text);
    }
    if (done == total) bar->step[0] = '\0';
    return true;
}

static void note(void *context, const char *line) {
    assay_progress_bar *bar = context;
    char shown[2048];
    if (bar->quiet) return;
    assay_progress_bar_clear(bar);
    fprintf(stderr, "assay %s: note: %s\n", bar->command,
            assay_printable(shown, sizeof shown, line));
}

assay_progress assay_progress_bar_progress(assay_progress_bar *bar) {
    return (assay_progress){.tell = tell, .note = note, .context = bar};
}
