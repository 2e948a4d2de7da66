/* report -- evidence of one or more releases to index.html, summary.json, CSV tables and plots, and
 * the page as a PDF. */
#ifndef ASSAY_REPORTS_REPORT_H
#define ASSAY_REPORTS_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/containers.h"
#include "datasets/rows.h"

#define ASSAY_TITLE_BYTES 256

typedef struct {
    /* NULL: made from the evidence. Else text by the rules of assay_name_fault, but of up to
     * ASSAY_TITLE_BYTES (ASSAY_USAGE otherwise). */
    const char *title;
    /* [attribute_count] to report by, crossed ones as "sex*age_band"; NULL: every attribute, and
     * the usual crossing (grouping.h). */
    const char *const *attributes;
    size_t attribute_count;
    const char
        *quality;       /* numeric attribute that says how good a sample is; NULL: column quality */
    bool mean_of_pair;  /* ages of mated comparisons are the mean of both samples' (grouping.h) */
    double worse_limit; /* ratio of a group to the others, above 1; 0: ASSAY_WORSE_LIMIT */
    bool pdf;           /* DIR/report.pdf as well, once the page is there (pdf.h) */
    /* Identification: [gallery_size_count] people of random galleries, NULL: the usual ones
     * (galleries.h); the attribute whose values are galleries, or NULL; among how many a mate must
     * be, 0: any. */
    const uint64_t *gallery_sizes;
    size_t gallery_size_count;
    const char *galleries;
    uint64_t gallery_rank;
    const assay_rows *rows; /* [row_count] that go on from any of the evidence */
    size_t row_count;
    /* Look-alikes: evidence of a reference release that is not under test, or NULL; [nearest_count]
     * people of each sample, NULL: 1 and 10. */
    const assay_evidence *look_alikes;
    const uint64_t *nearest;
    size_t nearest_count;
} assay_report_options;

/* Writes DIR/index.html, DIR/summary.json, DIR/tables/, DIR/plots/, each aside and then published,
 * summary.json last but one and index.html last. When everything is computed, first index.html of
 * an earlier report in DIR is removed, then its summary.json replaced by one whose schema is
 * assay-summary/unfinished, then its tables and plots removed: a folder with a page holds one
 * report. A PDF that was asked for comes behind it: where that fails so does this, and the page
 * stays. All evidence must be of one data set (ASSAY_USAGE otherwise). */
assay_status assay_report_write(const assay_evidence *evidence, size_t count,
                                const assay_report_options *options, const char *directory,
                                const assay_progress *progress) ASSAY_MUST_CHECK;

#endif
