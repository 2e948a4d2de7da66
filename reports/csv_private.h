/* csv_private -- tables as CSV. Numbers are printed so that they read back the same; a cell is
 * empty where there is no value. A text cell that a spreadsheet would take for a formula gets a '
 * in front. */
#ifndef ASSAY_REPORTS_CSV_PRIVATE_H
#define ASSAY_REPORTS_CSV_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "reports/pages.h"

typedef struct {
    assay_text text;
    bool begun; /* a cell of this line is there */
} csv_sheet;

void csv_heading(csv_sheet *sheet, const char *line); /* the first line, as it is */
void csv_text(csv_sheet *sheet, const char *string);
void csv_count(csv_sheet *sheet, uint64_t count);
void csv_number(csv_sheet *sheet, double value);  /* empty where it is not finite */
void csv_rate(csv_sheet *sheet, assay_rate rate); /* CSV_RATE */
void csv_interval(csv_sheet *sheet, const assay_interval *interval); /* CSV_INTERVAL */
void csv_dependence(csv_sheet *sheet, const assay_interval *interval);
void csv_figure(csv_sheet *sheet, assay_figure figure);                  /* value, source, bound */
void csv_release(csv_sheet *sheet, const assay_report_release *release); /* release,version */
void csv_point(csv_sheet *sheet, const assay_operating_point *point);    /* CSV_POINT less these */
void csv_end_line(csv_sheet *sheet);

/* tables/groups.csv, group_pairs.csv, differentials.csv, alike.csv */
void csv_groups(const assay_report *report, csv_sheet *sheet);
void csv_group_pairs(const assay_report *report, csv_sheet *sheet);
void csv_differentials(const assay_report *report, csv_sheet *sheet);
void csv_alike(const assay_report *report, csv_sheet *sheet);

/* Headings of what the functions above write. Of a rate, errors are empty where they are not known.
 */
#define CSV_RATE(name) name "_errors," name "_trials," name
#define CSV_INTERVAL(name) name "_low," name "_high," name "_effective_trials"
#define CSV_SURE_RATE(name) CSV_RATE(name) "," CSV_INTERVAL(name)
#define CSV_POINT                                                                                  \
    "release,version,kind,fmr_target,threshold,reached,tail_floor_needed,tail_comparisons_needed"

/* Tables beside those of tables_csv.c. */
void csv_write_galleries(const assay_report *report, csv_sheet *sheet);
void csv_write_recognition(const assay_report *report, csv_sheet *sheet);
void csv_write_look_alikes(const assay_report *report, csv_sheet *sheet);
void csv_write_discard(const assay_report *report, csv_sheet *sheet);
void csv_write_bands(const assay_report *report, csv_sheet *sheet);
void csv_write_minima(const assay_report *report, csv_sheet *sheet);
void csv_write_ageing(const assay_report *report, csv_sheet *sheet);
void csv_write_comparison(const assay_report *report, csv_sheet *sheet);
void csv_write_transfer(const assay_report *report, csv_sheet *sheet);
void csv_write_mixed(const assay_report *report, csv_sheet *sheet);
void csv_write_score_scale(const assay_report *report, csv_sheet *sheet);
void csv_write_cost(const assay_report *report, csv_sheet *sheet);
void csv_write_discordant(const assay_report *report, csv_sheet *sheet);

#endif
