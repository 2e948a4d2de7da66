/* quality -- what image quality has to do with a release's errors, at its headline threshold: error
 * versus discard, rates by band of quality, and what a least quality would refuse and buy. And
 * FNMR by the time between two captures. METRICS.md, "Quality" and "Ageing". */
#ifndef ASSAY_REPORTS_QUALITY_H
#define ASSAY_REPORTS_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "reports/discard.h"
#include "reports/figures.h"
#include "reports/view.h"

#define ASSAY_QUALITY_BANDS 4u
#define ASSAY_QUALITY_MINIMA 5u      /* least qualities that are tried */
#define ASSAY_QUALITY_LIMIT 0.2      /* areas are over shares of discarded comparisons up to this */
#define ASSAY_QUALITY_VALUES_MIN 10u /* distinct values under which a column is no scale */
#define ASSAY_AGEING_BANDS 7u

/* Samples of a quality of at least minimum are let through; the others, and none of unknown
 * quality, are refused. */
typedef struct {
    double minimum, share; /* no more than this share of samples is below it */
    assay_rate refused;    /* by this minimum, of samples that reached the algorithm */
    assay_view view;
    assay_figures figures; /* of what is left, at the one threshold */
} assay_quality_minimum;

typedef struct {
    const char *column; /* borrowed from the evidence, or "quality" */
    const char *reason; /* static text: why there is nothing here; NULL where there is */
    uint64_t known,
        unknown; /* samples that reached the algorithm, by whether their quality is known */
    /* Mated comparisons of which both (probe: whose probe's) quality is known. */
    assay_discard_curve fnmr_lower,
        fnmr_probe; /* by the lower quality of the two; by the probe's */
    assay_discard_curve
        fmr_lower;          /* non-mated ones; none where the threshold lies below the tail */
    const char *fmr_reason; /* borrowed from the point */
    assay_view banded;
    char band_names[ASSAY_QUALITY_BANDS][64];
    const char *band_labels[ASSAY_CODE_FIRST + ASSAY_QUALITY_BANDS];
    assay_figures bands; /* of one attribute, whose groups are the bands, lowest first */
    assay_quality_minimum minima[ASSAY_QUALITY_MINIMA]; /* by rising minimum */
    uint32_t minimum_count;
} assay_quality_figures;

/* column NULL: the standard column `quality`; else a numeric attribute, of which higher is better
 * (ASSAY_USAGE where evidence has none of that name). point is the one that everything is judged
 * at; attributes[count] are what `minima` are reported by, with the option of grouping.h. evidence
 * and point must outlive *out, and *out must not move. */
assay_status assay_quality_compute(const assay_evidence *evidence, const char *column,
                                   const assay_operating_point *point,
                                   const char *const *attributes, size_t count, bool mean_of_pair,
                                   assay_quality_figures *out) ASSAY_MUST_CHECK;
void assay_quality_free(assay_quality_figures *quality); /* takes a zeroed one */

typedef struct {
    const char *label; /* static text: "1 to 2 years" */
    double low, high;  /* years of 365.25 days, low <= time < high */
    uint64_t subjects;
    assay_rate fnmr;
    assay_interval fnmr_interval; /* subjects are the clusters; the threshold is taken as given */
} assay_ageing_band;

typedef struct {
    assay_ageing_band bands[ASSAY_AGEING_BANDS];
    uint64_t unknown;   /* mated comparisons of which a time of capture is not known */
    const char *reason; /* why there is nothing here */
} assay_ageing_figures;

assay_status assay_ageing_compute(const assay_evidence *evidence,
                                  const assay_operating_point *point,
                                  assay_ageing_figures *out) ASSAY_MUST_CHECK;

#endif
