/* summary_quality -- the keys `quality` and `ageing` of a release in summary.json. */
#include <math.h>

#include "reports/summary_private.h"

static summary_object curve_json(const assay_discard_curve *curve, const char *reason) {
    summary_object made = summary_begin();
    if (!curve->count) {
        summary_set_null(&made, "area", reason ? reason : "no comparison has both qualities");
        return made;
    }
    summary_set_number(&made, "area", curve->area, NULL);
    summary_set_number(&made, "area_above_least", curve->area_above, NULL);
    summary_set_number(&made, "area_to", curve->limit, NULL);
    summary_set_object(
        &made, "rate",
        summary_rate(assay_rate_of(curve->steps[0].errors, curve->steps[0].comparisons)));
    return made;
}

static void set_bands(summary_object *into, const assay_quality_figures *quality) {
    json_t *bands = json_array();
    const assay_attribute_figures *attribute = &quality->bands.attributes[0];
    for (uint32_t g = 0; g < attribute->group_count; ++g) {
        const assay_group *group = &attribute->groups[g];
        const assay_group_point *point = &group->points[0];
        summary_object band = summary_begin();
        summary_set_text(&band, "quality", group->label);
        summary_set_count(&band, "samples", group->samples);
        summary_set_count(&band, "subjects", group->subjects);
        summary_set_object(&band, "fte", summary_interval_rate(group->fte, &group->fte_interval));
        summary_set_object(&band, "fnmr",
                           summary_interval_rate(point->fnmr, &point->fnmr_interval));
        summary_set_object(&band, "gfnmr",
                           summary_interval_rate(point->gfnmr, &point->gfnmr_interval));
        summary_set_object(&band, "fmr", summary_interval_rate(point->fmr, &point->fmr_interval));
        summary_append(into, bands, band);
    }
    summary_set(into, "bands", bands);
}

static void set_minima(summary_object *into, const assay_quality_figures *quality) {
    json_t *minima = json_array();
    for (uint32_t n = 0; n < quality->minimum_count; ++n) {
        const assay_quality_minimum *minimum = &quality->minima[n];
        const assay_operating_point *point = &minimum->figures.points[0];
        summary_object one = summary_begin();
        summary_set_number(&one, "least_quality", minimum->minimum, NULL);
        summary_set_object(&one, "refused", summary_rate(minimum->refused));
        summary_set_object(&one, "fnmr", summary_interval_rate(point->fnmr, &point->interval.fnmr));
        summary_set_object(&one, "gfnmr",
                           summary_interval_rate(point->gfnmr, &point->interval.gfnmr));
        summary_set_object(&one, "fmr", summary_interval_rate(point->fmr, &point->interval.fmr));
        summary_append(into, minima, one);
    }
    summary_set(into, "least_qualities", minima);
}

void summary_set_quality(summary_object *into, const assay_report_release *release) {
    const assay_quality_figures *quality = &release->quality;
    if (quality->reason) {
        summary_set_null(into, "quality", quality->reason);
        return;
    }
    summary_object made = summary_begin();
    summary_set_text(&made, "column", quality->column);
    summary_set_count(&made, "known", quality->known);
    summary_set_count(&made, "unknown", quality->unknown);
    summary_set_number(&made, "threshold", quality->bands.points[0].threshold, NULL);
    summary_set_object(&made, "fnmr_versus_discard", curve_json(&quality->fnmr_lower, NULL));
    summary_set_object(&made, "fnmr_versus_discard_by_probe",
                       curve_json(&quality->fnmr_probe, NULL));
    summary_set_object(&made, "fmr_versus_discard",
                       curve_json(&quality->fmr_lower, quality->fmr_reason));
    set_bands(&made, quality);
    set_minima(&made, quality);
    summary_set_object(into, "quality", made);
}

void summary_set_ageing(summary_object *into, const assay_report_release *release) {
    if (release->ageing.reason) {
        summary_set_null(into, "ageing", release->ageing.reason);
        return;
    }
    json_t *bands = json_array();
    for (uint32_t n = 0; n < ASSAY_AGEING_BANDS; ++n) {
        const assay_ageing_band *band = &release->ageing.bands[n];
        if (!band->fnmr.trials) continue;
        summary_object one = summary_begin();
        summary_set_text(&one, "time", band->label);
        summary_set_number(&one, "years_from", band->low, NULL);
        summary_set_number(&one, "years_below", band->high,
                           isfinite(band->high) ? NULL : "the last band has no end");
        summary_set_count(&one, "subjects", band->subjects);
        summary_set_object(&one, "fnmr", summary_interval_rate(band->fnmr, &band->fnmr_interval));
        summary_append(into, bands, one);
    }
    summary_set(into, "ageing", bands);
    summary_set_count(into, "ageing_unknown", release->ageing.unknown);
}
