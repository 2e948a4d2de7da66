/* csv_identification -- tables/galleries.csv, recognition.csv and look_alikes.csv. */
#include <math.h>

#include "reports/csv_private.h"

/* ---- galleries ---- */

#define GALLERY_LINE                                                                               \
    "release,version,galleries,attribute,count,people,people_least,people_most,fmr_target,"        \
    "threshold,rank,figure,errors,searches,value,low,high,effective_trials,comparisons_times_fmr"

typedef struct {
    csv_sheet *sheet;
    const assay_report_release *release;
    const char *kind;
    uint64_t count, people, least, most;
} gallery_lines;

static void begin_line(const gallery_lines *to, const char *figure) {
    const assay_galleries *found = &to->release->galleries;
    csv_release(to->sheet, to->release);
    csv_text(to->sheet, to->kind);
    csv_text(to->sheet, found->attribute && to->count ? found->attribute : "");
    if (to->count)
        csv_count(to->sheet, to->count);
    else
        csv_text(to->sheet, "");
    csv_count(to->sheet, to->people);
    csv_count(to->sheet, to->least);
    csv_count(to->sheet, to->most);
    csv_number(to->sheet, assay_headline(to->release)->fmr_target);
    csv_number(to->sheet, found->threshold);
    csv_count(to->sheet, found->rank);
    csv_text(to->sheet, figure);
}

/* An expected rate has no counts. */
static void expected_line(const gallery_lines *to, const char *figure, double value, double low,
                          double high, double effective, double naive) {
    begin_line(to, figure);
    csv_text(to->sheet, "");
    csv_text(to->sheet, "");
    csv_number(to->sheet, value);
    csv_number(to->sheet, low);
    csv_number(to->sheet, high);
    csv_number(to->sheet, effective);
    csv_number(to->sheet, naive);
    csv_end_line(to->sheet);
}

static void counted_line(const gallery_lines *to, const char *figure,
                         const assay_search_rate *rate) {
    begin_line(to, figure);
    csv_rate(to->sheet, rate->rate);
    csv_interval(to->sheet, &rate->interval);
    csv_text(to->sheet, "");
    csv_end_line(to->sheet);
}

static void random_lines(csv_sheet *sheet, const assay_report_release *release,
                         const assay_random_gallery *of) {
    const double none = (double)NAN;
    const assay_interval *fnir = &of->fnir_interval, *gfnir = &of->gfnir_interval;
    gallery_lines to = {sheet, release, "random", 0, of->size, of->size, of->size};
    expected_line(&to, "fpir", of->fpir, of->low, of->high, none, of->naive);
    expected_line(&to, "fnir", of->fnir, fnir->low, fnir->high, fnir->effective, none);
    expected_line(&to, "gfpir", of->gfpir, of->gfpir_low, of->gfpir_high, none, none);
    expected_line(&to, "gfnir", of->gfnir, gfnir->low, gfnir->high, gfnir->effective, none);
}

void csv_write_galleries(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, GALLERY_LINE);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        const assay_galleries *found = &release->galleries;
        const assay_given_galleries *given = &found->given;
        for (size_t s = 0; s < found->random_count; ++s)
            if (!found->random[s].reason) random_lines(sheet, release, &found->random[s]);
        if (!found->has_given) continue;
        gallery_lines to = {sheet,         release,      "given",    given->galleries,
                            given->median, given->least, given->most};
        counted_line(&to, "fpir", &given->fpir);
        counted_line(&to, "others", &given->others);
        counted_line(&to, "fnir", &given->fnir);
        counted_line(&to, "gfpir", &given->gfpir);
        counted_line(&to, "gfnir", &given->gfnir);
    }
}

/* ---- ranks ---- */

void csv_write_recognition(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "release,version,galleries,people,rank,searches,searches_attempted,censored,"
                       "value,at_most,of_attempted," CSV_INTERVAL("value"));
    for (size_t n = 0; n < report->count; ++n)
        for (size_t c = 0; c < report->releases[n].galleries.curve_count; ++c) {
            const assay_cmc *curve = &report->releases[n].galleries.curves[c];
            for (uint64_t rank = 0; rank < curve->rank_count; ++rank) {
                const assay_recognition *at = &curve->ranks[rank];
                csv_release(sheet, &report->releases[n]);
                csv_text(sheet, assay_gallery_kind_name(curve->kind));
                csv_count(sheet, curve->people);
                csv_count(sheet, rank + 1);
                csv_count(sheet, curve->searches);
                csv_count(sheet, curve->attempted);
                csv_count(sheet, curve->censored);
                csv_number(sheet, at->value);
                csv_number(sheet, at->most);
                csv_number(sheet, at->of_attempted);
                csv_interval(sheet, &at->interval);
                csv_end_line(sheet);
            }
        }
}

/* ---- look-alikes ---- */

void csv_write_look_alikes(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, CSV_POINT
                ",nearest,pairs," CSV_SURE_RATE("fmr") ",fmr_dependence," CSV_SURE_RATE("gfmr"));
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        if (release->resemblance_fault) continue;
        for (size_t k = 0; k < report->neighbour_count; ++k)
            for (uint32_t p = 0; p < release->figures.point_count; ++p) {
                const assay_neighbour_point *at =
                    &release->resemblance[k * release->figures.point_count + p];
                csv_release(sheet, release);
                csv_point(sheet, &release->figures.points[p]);
                csv_count(sheet, report->neighbours[k].nearest);
                csv_count(sheet, report->neighbours[k].count);
                csv_rate(sheet, at->fmr);
                csv_interval(sheet, &at->fmr_interval);
                csv_dependence(sheet, &at->fmr_interval);
                csv_rate(sheet, at->gfmr);
                csv_interval(sheet, &at->gfmr_interval);
                csv_end_line(sheet);
            }
    }
}
