/* ageing -- FNMR by the time between the two captures (quality.h). */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "reports/intervals.h"
#include "reports/quality.h"

#define YEAR_SECONDS (365.25 * 86400)

static const struct {
    const char *label;
    double low, high;
} bands[ASSAY_AGEING_BANDS] = {
    {"under a day", 0, 86400 / YEAR_SECONDS},
    {"a day to half a year", 86400 / YEAR_SECONDS, 0.5},
    {"half a year to 1 year", 0.5, 1},
    {"1 to 2 years", 1, 2},
    {"2 to 5 years", 2, 5},
    {"5 to 10 years", 5, 10},
    {"10 years and more", 10, (double)INFINITY},
};

/* Band of a mated comparison, ASSAY_AGEING_BANDS where a time is not known: of scores that came
 * without samples none is. */
static uint32_t band_of(const assay_sample_table *table, const assay_comparison *pair) {
    if (pair->j == ASSAY_NO_ROW) return ASSAY_AGEING_BANDS;
    int64_t a = table->captured[pair->i], b = table->captured[pair->j];
    if (a == ASSAY_TIME_MISSING || b == ASSAY_TIME_MISSING) return ASSAY_AGEING_BANDS;
    double years = fabs((double)a - (double)b) / YEAR_SECONDS;
    uint32_t band = 0;
    while (years >= bands[band].high) ++band;
    return band;
}

static void count_band(const assay_evidence *evidence, uint64_t matched, uint32_t band,
                       double *errors, double *comparisons, assay_ageing_band *out) {
    const assay_sample_table *table = &evidence->table;
    uint64_t missed = 0, made = 0;
    for (uint32_t subject = 0; subject < table->subject_count; ++subject)
        errors[subject] = comparisons[subject] = 0;
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        if (band_of(table, &evidence->mated[n]) != band) continue;
        uint32_t subject = table->subject[evidence->mated[n].i];
        comparisons[subject] += 1;
        errors[subject] += n >= matched;
        missed += n >= matched;
        ++made;
    }
    for (uint32_t subject = 0; subject < table->subject_count; ++subject)
        out->subjects += comparisons[subject] > 0;
    const assay_clusters clusters = {
        .errors = errors, .comparisons = comparisons, .count = table->subject_count};
    out->fnmr = assay_rate_of(missed, made);
    out->fnmr_interval = out->fnmr.reason
                             ? assay_interval_unknown(out->fnmr.reason)
                             : assay_clusters_interval(&clusters, ASSAY_INTERVAL_ALPHA);
}

assay_status assay_ageing_compute(const assay_evidence *evidence,
                                  const assay_operating_point *point, assay_ageing_figures *out) {
    const assay_sample_table *table = &evidence->table;
    assay_ageing_figures made = {.reason = point->reason};
    double *errors = NULL, *comparisons = NULL;
    uint64_t matched = 0;
    assay_status status =
        assay_allocate(&errors, table->subject_count, sizeof *errors, "errors by subject");
    if (status == ASSAY_OK)
        status = assay_allocate(&comparisons, table->subject_count, sizeof *comparisons,
                                "comparisons by subject");
    while (matched < evidence->mated_count && !made.reason &&
           assay_fine_score(evidence, evidence->mated[matched].fine) >= point->threshold)
        ++matched;
    for (uint64_t n = 0; n < evidence->mated_count; ++n)
        made.unknown += band_of(table, &evidence->mated[n]) == ASSAY_AGEING_BANDS;
    if (!made.reason && made.unknown == evidence->mated_count)
        made.reason = "no mated comparison has both times of capture";
    for (uint32_t band = 0; status == ASSAY_OK && band < ASSAY_AGEING_BANDS; ++band) {
        assay_ageing_band *into = &made.bands[band];
        *into = (assay_ageing_band){
            .label = bands[band].label, .low = bands[band].low, .high = bands[band].high};
        if (!made.reason) count_band(evidence, matched, band, errors, comparisons, into);
    }
    free(errors);
    free(comparisons);
    if (status == ASSAY_OK) *out = made;
    return status;
}
