/* discard -- error versus discard as a step curve (discard.h). */
#include "reports/discard.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"

static int by_quality(const void *a, const void *b) {
    double x = ((const assay_discard_level *)a)->quality;
    double y = ((const assay_discard_level *)b)->quality;
    return (x > y) - (x < y);
}

size_t assay_discard_levels_join(assay_discard_level *levels, size_t count) {
    size_t kept = 0;
    if (count) qsort(levels, count, sizeof *levels, by_quality);
    for (size_t n = 0; n < count; ++n) {
        if (kept && levels[kept - 1].quality == levels[n].quality) {
            levels[kept - 1].comparisons += levels[n].comparisons;
            levels[kept - 1].errors += levels[n].errors;
        } else {
            levels[kept++] = levels[n];
        }
    }
    return kept;
}

static double area_below(const assay_discard_curve *curve) {
    double area = 0;
    for (size_t n = 0; n + 1 < curve->count; ++n) {
        double from = curve->steps[n].discarded;
        double to = fmin(curve->steps[n + 1].discarded, curve->limit);
        if (from < curve->limit) area += curve->steps[n].rate * (to - from);
    }
    return area;
}

assay_status assay_discard_curve_make(const assay_discard_level *levels, size_t count, double limit,
                                      assay_discard_curve *out) {
    assay_discard_curve curve = {.limit = limit};
    uint64_t comparisons = 0, errors = 0, all;
    for (size_t n = 0; n < count; ++n) {
        comparisons += levels[n].comparisons;
        errors += levels[n].errors;
    }
    assay_status status =
        assay_allocate(&curve.steps, count + 2, sizeof *curve.steps, "error versus discard");
    if (status != ASSAY_OK) return status;
    all = comparisons;
    double quality = (double)NAN;
    for (size_t n = 0; all && n < count; ++n) {
        if (!levels[n].comparisons) continue;
        curve.steps[curve.count++] = (assay_discard_step){
            .quality = quality,
            .discarded = comparisons == all ? 0 : 1 - (double)comparisons / (double)all,
            .rate = (double)errors / (double)comparisons,
            .comparisons = comparisons,
            .errors = errors};
        quality = levels[n].quality;
        comparisons -= levels[n].comparisons;
        errors -= levels[n].errors;
    }
    if (all) curve.steps[curve.count++] = (assay_discard_step){.quality = quality, .discarded = 1};
    curve.area = area_below(&curve);
    double first = curve.count ? curve.steps[0].rate : 0;
    double beyond = fmax(first - limit, 0);
    curve.area_above = curve.area - (first * first / 2 - beyond * beyond / 2);
    *out = curve;
    return ASSAY_OK;
}

void assay_discard_curve_free(assay_discard_curve *curve) {
    free(curve->steps);
    *curve = (assay_discard_curve){0};
}
