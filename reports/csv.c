/* csv -- cells of the tables of a report (csv_private.h). */
#include <math.h>
#include <string.h>

#include "reports/csv_private.h"

static void separate(csv_sheet *sheet) {
    if (sheet->begun) assay_text_append(&sheet->text, ",");
    sheet->begun = true;
}

/* Spreadsheets take the full-width forms of = + - @ for the signs too. */
static bool is_formula(const char *string) {
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                       "\xef\xbc\xa0"};
    if (string[0] && strchr("=+-@\t\r\n", string[0])) return true;
    for (size_t n = 0; n < sizeof wide / sizeof *wide; n++)
        if (strncmp(string, wide[n], 3) == 0) return true;
    return false;
}

void csv_text(csv_sheet *sheet, const char *string) {
    separate(sheet);
    bool formula = is_formula(string);
    bool quoted = formula || strpbrk(string, ",\"\r\n") || string[0] == ' ' || string[0] == '\'';
    if (!quoted) {
        assay_text_append(&sheet->text, string);
        return;
    }
    assay_text_append(&sheet->text, formula ? "\"'" : "\"");
    for (const char *c = string; *c; ++c) {
        if (*c == '"') assay_text_append(&sheet->text, "\"");
        assay_text_append_bytes(&sheet->text, c, 1);
    }
    assay_text_append(&sheet->text, "\"");
}

void csv_count(csv_sheet *sheet, uint64_t count) {
    separate(sheet);
    assay_text_appendf(&sheet->text, "%llu", (unsigned long long)count);
}

void csv_number(csv_sheet *sheet, double value) {
    char digits[ASSAY_NUMBER_SIZE];
    separate(sheet);
    if (isfinite(value)) assay_text_append(&sheet->text, assay_print_double(digits, value));
}

/* errors, trials, value; the errors are empty where they are not known. */
void csv_rate(csv_sheet *sheet, assay_rate rate) {
    if (rate.reason && rate.trials)
        csv_text(sheet, "");
    else
        csv_count(sheet, rate.errors);
    csv_count(sheet, rate.trials);
    csv_number(sheet, assay_rate_value(rate));
}

/* low, high, effective trials; empty where there is none. */
void csv_interval(csv_sheet *sheet, const assay_interval *interval) {
    csv_number(sheet, interval->low);
    csv_number(sheet, interval->high);
    csv_number(sheet, interval->effective);
}

void csv_dependence(csv_sheet *sheet, const assay_interval *interval) {
    bool no_subjects = interval->reason && strcmp(interval->reason, ASSAY_NO_SUBJECTS) == 0;
    csv_text(sheet, no_subjects        ? assay_dependence_name(ASSAY_DEPENDENCE_UNKNOWN)
                    : interval->reason ? ""
                                       : assay_dependence_name(interval->dependence));
}

void csv_figure(csv_sheet *sheet, assay_figure figure) {
    csv_number(sheet, figure.value);
    csv_text(sheet, figure.reason ? "" : assay_figure_source_name(figure.source));
    csv_number(sheet, figure.reason ? (double)NAN : figure.bound);
}

void csv_end_line(csv_sheet *sheet) {
    assay_text_append(&sheet->text, "\n");
    sheet->begun = false;
}

void csv_heading(csv_sheet *sheet, const char *line) {
    assay_text_append(&sheet->text, line);
    csv_end_line(sheet);
}

void csv_release(csv_sheet *sheet, const assay_report_release *release) {
    csv_text(sheet, release->evidence->release);
    csv_text(sheet, release->evidence->version);
}

void csv_point(csv_sheet *sheet, const assay_operating_point *point) {
    csv_text(sheet, point->kind == ASSAY_POINT_THRESHOLD ? "threshold" : "fmr_target");
    csv_number(sheet, point->fmr_target);
    csv_number(sheet, point->threshold);
    bool given = point->kind == ASSAY_POINT_THRESHOLD;
    csv_text(sheet, given ? "" : point->reached ? "yes" : "no");
    /* Empty where the tail answers; else what is not given, or coarse, is so because of it. */
    bool beyond = point->beyond_tail[0] != '\0';
    csv_number(sheet, beyond ? point->need.floor : (double)NAN);
    if (beyond && point->need.comparisons)
        csv_count(sheet, point->need.comparisons);
    else
        csv_text(sheet, "");
}
