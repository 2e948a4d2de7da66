/* html -- numbers as words, and the few pieces of markup that the sections of a page are made of.
 * Text from data goes through assay_text_append_html; nothing else writes it. */
#ifndef ASSAY_REPORTS_HTML_H
#define ASSAY_REPORTS_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/text.h"
#include "reports/figures.h"

/* 3.23 %, 0.041 %, 0 %. */
void assay_html_percent(assay_text *text, double value);
/* 9.7 × 10^−4 with the exponent raised; a power of ten alone as 10^−3; 0. */
void assay_html_power(assay_text *text, double value);
void assay_html_count(assay_text *text, uint64_t count); /* 20,604 */
void assay_html_of(assay_text *text, assay_rate rate);   /* 7 of 217 */
/* "3.23 % (7 of 217)", or "not known: REASON". */
void assay_html_rate_percent(assay_text *text, assay_rate rate);
void assay_html_rate_power(assay_text *text, assay_rate rate);
/* "1.9 % to 5.1 %", and what must be said with it; "none: REASON". */
void assay_html_interval_percent(assay_text *text, const assay_interval *interval);
void assay_html_interval_power(assay_text *text, const assay_interval *interval);
/* "3.23 % (7 of 217; 95 %: 1.9 % to 5.1 %)", for sentences. */
void assay_html_whole_percent(assay_text *text, assay_rate rate, const assay_interval *interval);
void assay_html_whole_power(assay_text *text, assay_rate rate, const assay_interval *interval);
/* " (95 %: 1.9 % to 5.1 %)" within a sentence; nothing where there is none. */
void assay_html_sure_percent(assay_text *text, const assay_interval *interval);
void assay_html_sure_power(assay_text *text, const assay_interval *interval);
/* A cell of a table: the rate with its counts, and its interval below. few: of fewer than
 * ASSAY_FEW_SUBJECTS subjects, whose rate is not said, only its counts and interval. */
void assay_html_cell_percent(assay_text *text, assay_rate rate, const assay_interval *interval,
                             bool few);
void assay_html_cell_power(assay_text *text, assay_rate rate, const assay_interval *interval,
                           bool few);
/* "1 subject", "2 subjects". */
void assay_html_counted(assay_text *text, uint64_t count, const char *one, const char *several);
/* With digits after the point; no "-0.00". */
void assay_html_fixed(assay_text *text, double value, int digits);
/* Value with its bound where it is coarse, with the sample where it is sampled, or the reason. */
void assay_html_figure(assay_text *text, assay_figure figure, int digits);
/* "estimated from a sample of 5 of 20 comparisons". */
void assay_html_sample(assay_text *text, assay_figure figure);
/* "threshold set for FMR 10^−3" or "given threshold 0.35". */
void assay_html_point(assay_text *text, const assay_operating_point *point);

/* A table in a box that scrolls by itself. headings are markup; a heading that begins with '#' is
 * one of numbers and so are the cells below it. caption is markup for people who cannot see it. */
typedef struct {
    assay_text *text;
    const char *const *headings;
    size_t columns, column;
} assay_html_table;
void assay_html_table_open(assay_html_table *table, assay_text *text, const char *caption,
                           const char *const *headings, size_t columns);
/* Opens the next cell, a new row where the last one is full; the first of a row is its heading. */
assay_text *assay_html_cell(assay_html_table *table);
void assay_html_cell_text(assay_html_table *table, const char *string); /* escaped */
void assay_html_table_close(assay_html_table *table);

#endif
