/* html -- numbers as words and pieces of markup (html.h). */
#include "reports/html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNBROKEN_BYTES 24
#define WIDE_COLUMNS 8 /* that paper has room for in small letters only */

void assay_html_percent(assay_text *text, double value) {
    double percent = value * 100;
    if (percent == 0)
        assay_text_append(text, "0 %");
    else if (percent >= 99.95 && percent < 100)
        /* As many digits as tell it from 100. */
        assay_text_appendf(text, "%.*f %%", (int)ceil(-log10(100 - percent)) + 1, percent);
    else if (fabs(percent) >= 10)
        assay_text_appendf(text, "%.1f %%", percent);
    else if (fabs(percent) >= 1)
        assay_text_appendf(text, "%.2f %%", percent);
    else if (fabs(percent) >= 0.1)
        assay_text_appendf(text, "%.3f %%", percent);
    else if (fabs(percent) >= 0.0001)
        assay_text_appendf(text, "%.2g %%", percent);
    else {
        assay_html_power(text, percent);
        assay_text_append(text, " %");
    }
}

void assay_html_power(assay_text *text, double value) {
    if (value == 0 || !isfinite(value)) {
        assay_text_append(text, value == 0 ? "0" : "–");
        return;
    }
    char digits[ASSAY_NUMBER_SIZE];
    /* Three digits, or as many as tell a rate from the power of ten next to it: 9.98 x 10^-4. */
    for (int places = 2; places <= 6; places++) {
        snprintf(digits, sizeof digits, "%.*e", places, value);
        const double shown = strtod(digits, NULL);
        const bool is_power = shown == pow(10, round(log10(shown)));
        if (!is_power || fabs(shown - value) <= 1e-9 * fabs(value)) break;
    }
    char *mark = strchr(digits, 'e');
    int exponent = (int)strtol(mark + 1, NULL, 10);
    *mark = '\0';
    while (mark[-1] == '0') *--mark = '\0'; /* there is a point before them */
    if (mark[-1] == '.') *--mark = '\0';
    if (exponent == 0) {
        assay_text_append(text, digits);
        return;
    }
    bool is_one = strcmp(digits, "1") == 0;
    if (!is_one) assay_text_appendf(text, "%s\xc2\xa0×\xc2\xa0", digits);
    assay_text_appendf(text, "10<sup>%s%d</sup>", exponent < 0 ? "−" : "", abs(exponent));
}

void assay_html_count(assay_text *text, uint64_t count) {
    char digits[ASSAY_NUMBER_SIZE];
    assay_text_append(text, assay_print_count(digits, count));
}

void assay_html_counted(assay_text *text, uint64_t count, const char *one, const char *several) {
    assay_html_count(text, count);
    assay_text_appendf(text, " %s", count == 1 ? one : several);
}

void assay_html_fixed(assay_text *text, double value, int digits) {
    char shown[64];
    snprintf(shown, sizeof shown, "%.*f", digits, value);
    assay_text_append(text, shown + (shown[0] == '-' && !strpbrk(shown, "123456789")));
}

void assay_html_of(assay_text *text, assay_rate rate) {
    assay_html_count(text, rate.errors);
    assay_text_append(text, " of ");
    assay_html_count(text, rate.trials);
}

static void append_counts(assay_text *text, assay_rate rate) {
    assay_text_append(text, " <span class=\"of\">(");
    assay_html_of(text, rate);
    assay_text_append(text, ")</span>");
}

static bool say_reason(assay_text *text, assay_rate rate) {
    if (rate.reason) assay_text_appendf(text, "not known: %s", rate.reason);
    return rate.reason != NULL;
}

void assay_html_rate_percent(assay_text *text, assay_rate rate) {
    if (say_reason(text, rate)) return;
    assay_html_percent(text, assay_rate_value(rate));
    append_counts(text, rate);
}

void assay_html_rate_power(assay_text *text, assay_rate rate) {
    if (say_reason(text, rate)) return;
    assay_html_power(text, assay_rate_value(rate));
    append_counts(text, rate);
}

typedef void (*print_value)(assay_text *text, double value);

/* A number is not broken over two lines. */
static void append_limit(assay_text *text, double value, print_value print) {
    assay_text_append(text, "<span class=\"whole\">");
    print(text, value);
    assay_text_append(text, "</span>");
}

static void append_limits(assay_text *text, const assay_interval *interval, print_value print) {
    append_limit(text, interval->low, print);
    assay_text_append(text, " to ");
    append_limit(text, interval->high, print);
    bool unknown = interval->dependence == ASSAY_DEPENDENCE_UNKNOWN;
    if (unknown) {
        assay_text_append(text, ", dependence unknown");
    } else if (isfinite(interval->guaranteed)) {
        assay_text_append(text, "; whatever the dependence, to ");
        append_limit(text, interval->guaranteed, print);
    }
}

static void append_interval(assay_text *text, const assay_interval *interval, print_value print) {
    if (interval->reason)
        assay_text_appendf(text, "none: %s",
                           strcmp(interval->reason, ASSAY_NO_SUBJECTS) == 0 ? "dependence unknown"
                                                                            : interval->reason);
    else
        append_limits(text, interval, print);
}

void assay_html_interval_percent(assay_text *text, const assay_interval *interval) {
    append_interval(text, interval, assay_html_percent);
}

void assay_html_interval_power(assay_text *text, const assay_interval *interval) {
    append_interval(text, interval, assay_html_power);
}

static void append_sure(assay_text *text, const assay_interval *interval, print_value print) {
    if (interval->reason) return;
    assay_text_append(text, " (95 %: ");
    append_limits(text, interval, print);
    assay_text_append(text, ")");
}

static void append_whole(assay_text *text, assay_rate rate, const assay_interval *interval,
                         print_value print) {
    if (say_reason(text, rate)) return;
    print(text, assay_rate_value(rate));
    assay_text_append(text, " (");
    assay_html_of(text, rate);
    if (!interval->reason) {
        assay_text_append(text, "; 95 %: ");
        append_limits(text, interval, print);
    }
    assay_text_append(text, ")");
}

void assay_html_whole_percent(assay_text *text, assay_rate rate, const assay_interval *interval) {
    append_whole(text, rate, interval, assay_html_percent);
}

void assay_html_whole_power(assay_text *text, assay_rate rate, const assay_interval *interval) {
    append_whole(text, rate, interval, assay_html_power);
}

void assay_html_sure_percent(assay_text *text, const assay_interval *interval) {
    append_sure(text, interval, assay_html_percent);
}

void assay_html_sure_power(assay_text *text, const assay_interval *interval) {
    append_sure(text, interval, assay_html_power);
}

static void append_cell(assay_text *text, assay_rate rate, const assay_interval *interval, bool few,
                        print_value print) {
    if (say_reason(text, rate)) return;
    if (!few) print(text, assay_rate_value(rate));
    append_counts(text, rate);
    assay_text_append(text, " <span class=\"ci\">95 %: ");
    append_interval(text, interval, print);
    if (few) assay_text_appendf(text, "; fewer than %u subjects", ASSAY_FEW_SUBJECTS);
    assay_text_append(text, "</span>");
}

void assay_html_cell_percent(assay_text *text, assay_rate rate, const assay_interval *interval,
                             bool few) {
    append_cell(text, rate, interval, few, assay_html_percent);
}

void assay_html_cell_power(assay_text *text, assay_rate rate, const assay_interval *interval,
                           bool few) {
    append_cell(text, rate, interval, few, assay_html_power);
}

void assay_html_figure(assay_text *text, assay_figure figure, int digits) {
    if (figure.reason) {
        assay_text_appendf(text, "not known: %s", figure.reason);
        return;
    }
    assay_html_fixed(text, figure.value, digits);
    if (figure.source == ASSAY_FIGURE_COARSE)
        assay_text_appendf(text, " <span class=\"quiet\">± %.2g</span>", figure.bound);
    if (figure.source == ASSAY_FIGURE_SAMPLED) {
        assay_text_append(text, " <span class=\"quiet\">");
        assay_html_sample(text, figure);
        assay_text_append(text, "</span>");
    }
}

void assay_html_sample(assay_text *text, assay_figure figure) {
    assay_text_append(text, "estimated from a sample of ");
    assay_html_of(text, assay_rate_of(figure.sample, figure.of));
    assay_text_append(text, " comparisons");
}

void assay_html_point(assay_text *text, const assay_operating_point *point) {
    if (point->kind == ASSAY_POINT_THRESHOLD) {
        char digits[ASSAY_NUMBER_SIZE];
        assay_text_appendf(text, "given threshold %s",
                           assay_print_double(digits, point->threshold));
        return;
    }
    assay_text_append(text, "threshold set for FMR ");
    assay_html_power(text, point->fmr_target);
}

void assay_html_table_open(assay_html_table *table, assay_text *text, const char *caption,
                           const char *const *headings, size_t columns) {
    *table = (assay_html_table){text, headings, columns, 0};
    assay_text_append(text, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
    /* A label is plain text: markup of the caption is left out. */
    bool inside = false;
    for (const char *c = caption; *c; ++c) {
        if (*c == '<' || *c == '>')
            inside = *c == '<';
        else if (!inside)
            assay_text_append_bytes(text, c, 1);
    }
    assay_text_appendf(text, "\"><table%s><caption>%s</caption><thead><tr>",
                       columns >= WIDE_COLUMNS ? " class=\"wide\"" : "", caption);
    for (size_t n = 0; n < columns; ++n) {
        bool number = headings[n][0] == '#';
        assay_text_appendf(text, "<th scope=\"col\"%s>%s</th>", number ? " class=\"n\"" : "",
                           headings[n] + number);
    }
    assay_text_append(text, "</tr></thead><tbody>\n");
}

static void end_cell(const assay_html_table *table) {
    if (table->column) assay_text_append(table->text, table->column == 1 ? "</th>" : "</td>");
}

assay_text *assay_html_cell(assay_html_table *table) {
    end_cell(table);
    if (table->column == table->columns) {
        assay_text_append(table->text, "</tr>\n");
        table->column = 0;
    }
    if (table->column == 0) assay_text_append(table->text, "<tr>");
    const char *class = table->headings[table->column][0] == '#' ? " class=\"n\"" : "";
    if (table->column == 0)
        assay_text_appendf(table->text, "<th scope=\"row\"%s>", class);
    else
        assay_text_appendf(table->text, "<td%s>", class);
    ++table->column;
    return table->text;
}

/* A short name at the head of a row is not broken: "baseline 1.1" stays on one line. */
void assay_html_cell_text(assay_html_table *table, const char *string) {
    assay_text *text = assay_html_cell(table);
    bool whole = table->column == 1 && strlen(string) <= UNBROKEN_BYTES;
    for (const char *space; whole && (space = strchr(string, ' ')); string = space + 1) {
        char part[UNBROKEN_BYTES + 1] = "";
        memcpy(part, string, (size_t)(space - string));
        assay_text_append_html(text, part);
        assay_text_append(text, " ");
    }
    assay_text_append_html(text, string);
}

void assay_html_table_close(assay_html_table *table) {
    end_cell(table);
    if (table->column) assay_text_append(table->text, "</tr>\n");
    assay_text_append(table->text, "</tbody></table></div>\n");
}
