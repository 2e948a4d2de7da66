/* quality -- errors by image quality (quality.h). */
#include "reports/quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/protocol.h"

#define NON_MATED_LEVELS 64u /* steps of a curve over non-mated comparisons */

static const double shares[ASSAY_QUALITY_MINIMA] = {0.01, 0.02, 0.05, 0.1, 0.2};

typedef struct {
    const assay_evidence *evidence;
    const assay_operating_point *point;
    const double *quality; /* [row_count] */
    double *sorted;        /* [sorted_count] known qualities of samples that were tried, rising */
    uint64_t sorted_count;
} quality_work;

static bool was_tried(const assay_sample_table *table, uint64_t row) {
    uint8_t how = table->enrolment[row];
    return how == ASSAY_ENROLMENT_ENROLLED || how == ASSAY_ENROLMENT_REFUSED ||
           how == ASSAY_ENROLMENT_FAILED;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static assay_status find_column(const assay_evidence *evidence, const char *column,
                                quality_work *work) {
    work->quality = evidence->table.quality;
    if (!column) return ASSAY_OK;
    const assay_attribute *attribute = assay_sample_table_attribute(&evidence->table, column);
    if (!attribute || !attribute->values)
        return assay_fail(ASSAY_USAGE,
                          "evidence of %s %s has no numeric attribute '%s' to take quality from",
                          evidence->release, evidence->version, column);
    work->quality = attribute->values;
    return ASSAY_OK;
}

/* Qualities that are known, and whether they are a scale at all. */
static assay_status take_qualities(quality_work *work, assay_quality_figures *out) {
    const assay_sample_table *table = &work->evidence->table;
    assay_status status =
        assay_allocate(&work->sorted, table->row_count, sizeof *work->sorted, "qualities");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        if (!was_tried(table, row)) continue;
        if (isfinite(work->quality[row]))
            work->sorted[work->sorted_count++] = work->quality[row];
        else
            ++out->unknown;
    }
    out->known = work->sorted_count;
    qsort(work->sorted, work->sorted_count, sizeof *work->sorted, rising);
    uint64_t distinct = work->sorted_count > 0;
    for (uint64_t n = 1; n < work->sorted_count; ++n)
        distinct += work->sorted[n] != work->sorted[n - 1];
    if (!work->sorted_count)
        out->reason = "no sample has a quality";
    else if (distinct < ASSAY_QUALITY_VALUES_MIN)
        out->reason = "the qualities have fewer than 10 distinct values";
    return ASSAY_OK;
}

/* ---- error versus discard ---- */

static double lower_of(double a, double b) {
    return a < b ? a : b;
}

static assay_status add_mated_curves(const quality_work *work, assay_quality_figures *out) {
    const assay_evidence *evidence = work->evidence;
    assay_discard_level *lower = NULL, *probe = NULL;
    size_t lowers = 0, probes = 0;
    assay_status status =
        assay_allocate(&lower, evidence->mated_count, sizeof *lower, "mated comparisons");
    if (status == ASSAY_OK)
        status = assay_allocate(&probe, evidence->mated_count, sizeof *probe, "mated comparisons");
    for (uint64_t n = 0; status == ASSAY_OK && n < evidence->mated_count; ++n) {
        const assay_comparison *pair = &evidence->mated[n];
        double i = work->quality[pair->i], j = work->quality[pair->j];
        double later = work->quality[assay_probe_of(pair->direction, pair->i, pair->j)];
        uint64_t missed = assay_fine_score(evidence, pair->fine) < work->point->threshold;
        if (isfinite(i) && isfinite(j))
            lower[lowers++] = (assay_discard_level){lower_of(i, j), 1, missed};
        if (isfinite(later)) probe[probes++] = (assay_discard_level){later, 1, missed};
    }
    if (status == ASSAY_OK) {
        lowers = assay_discard_levels_join(lower, lowers);
        probes = assay_discard_levels_join(probe, probes);
        status = assay_discard_curve_make(lower, lowers, ASSAY_QUALITY_LIMIT, &out->fnmr_lower);
    }
    if (status == ASSAY_OK)
        status = assay_discard_curve_make(probe, probes, ASSAY_QUALITY_LIMIT, &out->fnmr_probe);
    free(lower);
    free(probe);
    return status;
}

/* Qualities at which non-mated comparisons leave: quantiles of samples, each once, rising. */
static size_t choose_levels(const quality_work *work, assay_discard_level *levels) {
    size_t count = 0;
    for (unsigned n = 0; n < NON_MATED_LEVELS; ++n) {
        uint64_t at = (uint64_t)((double)work->sorted_count * n / NON_MATED_LEVELS);
        if (count && levels[count - 1].quality == work->sorted[at]) continue;
        levels[count++] = (assay_discard_level){.quality = work->sorted[at]};
    }
    if (levels[count - 1].quality != work->sorted[work->sorted_count - 1])
        levels[count++] = (assay_discard_level){.quality = work->sorted[work->sorted_count - 1]};
    return count;
}

/* Comparisons of level n: those of which both samples are above level n - 1, less those above n. */
static assay_status count_non_mated(const quality_work *work, assay_discard_level *levels,
                                    size_t count) {
    const assay_evidence *evidence = work->evidence;
    uint64_t rows = evidence->table.row_count, before = 0;
    uint8_t *roles = NULL, *taken = NULL, *all = NULL;
    assay_status status = assay_protocol_roles(&evidence->protocol, &evidence->table, &roles);
    if (status == ASSAY_OK) status = assay_allocate(&taken, rows, 1, "rows");
    if (status == ASSAY_OK) status = assay_allocate(&all, rows, 1, "rows");
    if (status == ASSAY_OK && rows) memset(all, 1, rows);
    for (size_t n = 0; status == ASSAY_OK && n <= count; ++n) {
        uint64_t above = 0;
        for (uint64_t row = 0; row < rows; ++row)
            taken[row] = evidence->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED &&
                         isfinite(work->quality[row]) &&
                         (!n || work->quality[row] > levels[n - 1].quality);
        status = assay_protocol_non_mated_trials(&evidence->protocol, &evidence->table, roles,
                                                 taken, all, all, &above);
        if (n) levels[n - 1].comparisons = before - above;
        before = above;
    }
    free(roles);
    free(taken);
    free(all);
    return status;
}

/* First level at or above quality. */
static size_t level_of(const assay_discard_level *levels, size_t count, double quality) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (levels[middle].quality < quality)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static assay_status add_non_mated_curve(const quality_work *work, assay_quality_figures *out) {
    const assay_evidence *evidence = work->evidence;
    assay_discard_level levels[NON_MATED_LEVELS + 1];
    if (!work->point->in_tail) {
        out->fmr_reason = work->point->beyond_tail;
        return ASSAY_OK;
    }
    size_t count = choose_levels(work, levels);
    assay_status status = count_non_mated(work, levels, count);
    for (uint64_t n = 0; status == ASSAY_OK && n < work->point->tail_matches; ++n) {
        double i = work->quality[evidence->tail[n].i], j = work->quality[evidence->tail[n].j];
        if (isfinite(i) && isfinite(j)) ++levels[level_of(levels, count, lower_of(i, j))].errors;
    }
    if (status == ASSAY_OK)
        status = assay_discard_curve_make(levels, count, ASSAY_QUALITY_LIMIT, &out->fmr_lower);
    return status;
}

/* ---- bands ---- */

static const char *name_band(char *out, size_t size, double low, double high, bool first,
                             bool last) {
    if (first && last)
        snprintf(out, size, "all");
    else if (first)
        snprintf(out, size, "below %.6g", high);
    else if (last)
        snprintf(out, size, "%.6g and above", low);
    else
        snprintf(out, size, "%.6g to below %.6g", low, high);
    return out;
}

/* Quarters of the samples by quality; samples of one quality stay together, so that there may be
 * fewer of them. */
static assay_status add_bands(const quality_work *work, assay_quality_figures *out) {
    const assay_sample_table *table = &work->evidence->table;
    static const char name[] = "quality";
    double edges[ASSAY_QUALITY_BANDS];
    uint32_t bands = 1;
    for (uint32_t n = 1; n < ASSAY_QUALITY_BANDS; ++n) {
        double edge = work->sorted[work->sorted_count * n / ASSAY_QUALITY_BANDS];
        if (edge > (bands > 1 ? edges[bands - 2] : work->sorted[0])) edges[bands++ - 1] = edge;
    }
    uint16_t *codes = NULL;
    out->band_labels[ASSAY_CODE_MISSING] = "(missing)";
    out->band_labels[ASSAY_CODE_UNKNOWN] = "(unknown)";
    out->band_labels[ASSAY_CODE_SEVERAL] = "(several)";
    for (uint32_t n = 0; n < bands; ++n)
        out->band_labels[ASSAY_CODE_FIRST + n] =
            name_band(out->band_names[n], sizeof out->band_names[n], n ? edges[n - 1] : 0,
                      n + 1 < bands ? edges[n] : 0, !n, n + 1 == bands);
    assay_status status = assay_allocate(&codes, table->row_count, sizeof *codes, "bands");
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; ++row) {
        uint32_t band = 0;
        if (!isfinite(work->quality[row])) continue;
        while (band + 1 < bands && work->quality[row] >= edges[band]) ++band;
        codes[row] = (uint16_t)(ASSAY_CODE_FIRST + band);
    }
    if (status == ASSAY_OK)
        status = assay_view_open(work->evidence, NULL, work->point->threshold, &out->banded);
    if (status == ASSAY_OK)
        status =
            assay_view_group(&out->banded, name, out->band_labels, ASSAY_CODE_FIRST + bands, codes);
    const char *const by[] = {name};
    if (status == ASSAY_OK)
        status = assay_figures_compute(&out->banded.evidence, by, 1, &out->bands);
    free(codes);
    return status;
}

/* ---- a least quality ---- */

static assay_status add_minimum(const quality_work *work, double minimum, double share,
                                const char *const *attributes, size_t count, bool mean_of_pair,
                                assay_quality_minimum *out) {
    const assay_sample_table *table = &work->evidence->table;
    uint8_t *refused = NULL;
    uint64_t below = 0;
    assay_status status = assay_allocate(&refused, table->row_count, 1, "refused samples");
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; ++row) {
        refused[row] = isfinite(work->quality[row]) && work->quality[row] < minimum;
        below += refused[row] && was_tried(table, row);
    }
    if (status == ASSAY_OK)
        status = assay_view_open(work->evidence, refused, work->point->threshold, &out->view);
    if (status == ASSAY_OK)
        status = assay_figures_compute_by(&out->view.evidence, attributes, count, mean_of_pair,
                                          &out->figures);
    free(refused);
    out->minimum = minimum;
    out->share = share;
    out->refused = assay_rate_of(below, 0);
    return status;
}

static assay_status add_minima(const quality_work *work, const char *const *attributes,
                               size_t count, bool mean_of_pair, assay_quality_figures *out) {
    double last = work->sorted[0];
    assay_status status = ASSAY_OK;
    for (unsigned n = 0; status == ASSAY_OK && n < ASSAY_QUALITY_MINIMA; ++n) {
        uint64_t at = (uint64_t)((double)work->sorted_count * shares[n]);
        if (at >= work->sorted_count || !(work->sorted[at] > last)) continue;
        last = work->sorted[at];
        assay_quality_minimum *minimum = &out->minima[out->minimum_count++];
        status = add_minimum(work, last, shares[n], attributes, count, mean_of_pair, minimum);
        uint64_t refused = minimum->refused.errors;
        minimum->refused = assay_rate_of(refused, out->known + out->unknown);
    }
    return status;
}

assay_status assay_quality_compute(const assay_evidence *evidence, const char *column,
                                   const assay_operating_point *point,
                                   const char *const *attributes, size_t count, bool mean_of_pair,
                                   assay_quality_figures *out) {
    quality_work work = {.evidence = evidence, .point = point};
    *out = (assay_quality_figures){.column = column ? column : "quality"};
    assay_status status = find_column(evidence, column, &work);
    if (status != ASSAY_OK) return status;
    status = take_qualities(&work, out);
    if (status == ASSAY_OK && !out->reason && point->reason) out->reason = point->reason;
    if (status == ASSAY_OK && !out->reason && !evidence->mated_count)
        out->reason = "no mated comparison was made";
    if (status == ASSAY_OK && !out->reason) {
        status = add_mated_curves(&work, out);
        if (status == ASSAY_OK) status = add_non_mated_curve(&work, out);
        if (status == ASSAY_OK) status = add_bands(&work, out);
        if (status == ASSAY_OK) status = add_minima(&work, attributes, count, mean_of_pair, out);
    }
    free(work.sorted);
    if (status != ASSAY_OK) assay_quality_free(out);
    return status;
}

void assay_quality_free(assay_quality_figures *quality) {
    assay_discard_curve_free(&quality->fnmr_lower);
    assay_discard_curve_free(&quality->fnmr_probe);
    assay_discard_curve_free(&quality->fmr_lower);
    assay_figures_free(&quality->bands);
    assay_view_close(&quality->banded);
    for (uint32_t n = 0; n < quality->minimum_count; ++n) {
        assay_figures_free(&quality->minima[n].figures);
        assay_view_close(&quality->minima[n].view);
    }
    *quality = (assay_quality_figures){0};
}
