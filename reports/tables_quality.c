/* tables_quality -- the tables of image quality and of time between captures. */
#include <math.h>

#include "reports/csv_private.h"

static void write_curve(csv_sheet *sheet, const assay_report_release *release, const char *rate,
                        const char *quality, const assay_discard_curve *curve) {
    for (size_t n = 0; n < curve->count; ++n) {
        const assay_discard_step *step = &curve->steps[n];
        csv_release(sheet, release);
        csv_text(sheet, rate);
        csv_text(sheet, quality);
        csv_number(sheet, step->quality);
        csv_number(sheet, step->discarded);
        csv_rate(sheet, assay_rate_of(step->errors, step->comparisons));
        csv_end_line(sheet);
    }
}

void csv_write_discard(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "release,version,rate,quality_of,up_to_quality,discarded," CSV_RATE("rest"));
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        write_curve(sheet, release, "fnmr", "lower of the two", &release->quality.fnmr_lower);
        write_curve(sheet, release, "fnmr", "probe", &release->quality.fnmr_probe);
        write_curve(sheet, release, "fmr", "lower of the two", &release->quality.fmr_lower);
    }
}

void csv_write_bands(const assay_report *report, csv_sheet *sheet) {
    csv_heading(
        sheet,
        "release,version,column,threshold,quality,samples,subjects,mated_subjects," CSV_SURE_RATE(
            "fte") "," CSV_SURE_RATE("fnmr") "," CSV_SURE_RATE("gfnmr") "," CSV_SURE_RATE("fmr"));
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        const assay_quality_figures *quality = &release->quality;
        if (quality->reason) continue;
        const assay_attribute_figures *bands = &quality->bands.attributes[0];
        for (uint32_t g = 0; g < bands->group_count; ++g) {
            const assay_group *group = &bands->groups[g];
            const assay_group_point *point = &group->points[0];
            csv_release(sheet, release);
            csv_text(sheet, quality->column);
            csv_number(sheet, quality->bands.points[0].threshold);
            csv_text(sheet, group->label);
            csv_count(sheet, group->samples);
            csv_count(sheet, group->subjects);
            csv_count(sheet, group->mated_subjects);
            csv_rate(sheet, group->fte);
            csv_interval(sheet, &group->fte_interval);
            csv_rate(sheet, point->fnmr);
            csv_interval(sheet, &point->fnmr_interval);
            csv_rate(sheet, point->gfnmr);
            csv_interval(sheet, &point->gfnmr_interval);
            csv_rate(sheet, point->fmr);
            csv_interval(sheet, &point->fmr_interval);
            csv_end_line(sheet);
        }
    }
}

static void write_left(csv_sheet *sheet, const assay_report_release *release,
                       const assay_quality_minimum *minimum, const char *attribute,
                       const char *group) {
    csv_release(sheet, release);
    csv_number(sheet, minimum->minimum);
    csv_rate(sheet, minimum->refused);
    csv_text(sheet, attribute);
    csv_text(sheet, group);
}

static void write_rates(csv_sheet *sheet, assay_rate fte, const assay_interval *fte_interval,
                        assay_rate fnmr, const assay_interval *fnmr_interval, assay_rate gfnmr,
                        const assay_interval *gfnmr_interval, assay_rate fmr,
                        const assay_interval *fmr_interval) {
    csv_rate(sheet, fte);
    csv_interval(sheet, fte_interval);
    csv_rate(sheet, fnmr);
    csv_interval(sheet, fnmr_interval);
    csv_rate(sheet, gfnmr);
    csv_interval(sheet, gfnmr_interval);
    csv_rate(sheet, fmr);
    csv_interval(sheet, fmr_interval);
    csv_end_line(sheet);
}

void csv_write_minima(const assay_report *report, csv_sheet *sheet) {
    csv_heading(
        sheet,
        "release,version,least_quality," CSV_RATE("refused") ",attribute,group," CSV_SURE_RATE(
            "fte") "," CSV_SURE_RATE("fnmr") "," CSV_SURE_RATE("gfnmr") "," CSV_SURE_RATE("fmr"));
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        for (uint32_t m = 0; m < release->quality.minimum_count; ++m) {
            const assay_quality_minimum *minimum = &release->quality.minima[m];
            const assay_figures *figures = &minimum->figures;
            const assay_operating_point *all = &figures->points[0];
            write_left(sheet, release, minimum, "", "");
            write_rates(sheet, figures->fte, &figures->fte_interval, all->fnmr, &all->interval.fnmr,
                        all->gfnmr, &all->interval.gfnmr, all->fmr, &all->interval.fmr);
            for (uint32_t a = 0; a < figures->attribute_count; ++a)
                for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g) {
                    const assay_group *group = &figures->attributes[a].groups[g];
                    const assay_group_point *at = &group->points[0];
                    write_left(sheet, release, minimum, figures->attributes[a].attribute->name,
                               group->label);
                    write_rates(sheet, group->fte, &group->fte_interval, at->fnmr,
                                &at->fnmr_interval, at->gfnmr, &at->gfnmr_interval, at->fmr,
                                &at->fmr_interval);
                }
        }
    }
}

void csv_write_ageing(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "release,version,years_from,years_below,subjects," CSV_SURE_RATE("fnmr"));
    for (size_t n = 0; n < report->count; ++n)
        for (uint32_t b = 0; b < ASSAY_AGEING_BANDS; ++b) {
            const assay_ageing_band *band = &report->releases[n].ageing.bands[b];
            if (!band->fnmr.trials) continue;
            csv_release(sheet, &report->releases[n]);
            csv_number(sheet, band->low);
            csv_number(sheet, band->high);
            csv_count(sheet, band->subjects);
            csv_rate(sheet, band->fnmr);
            csv_interval(sheet, &band->fnmr_interval);
            csv_end_line(sheet);
        }
}
