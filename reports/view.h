/* view -- one release's evidence as it would be if something about its samples were otherwise: some
 * of them refused, or sorted into groups that the manifest does not have. Whoever computes figures
 * of it gets what the evidence of such a run would give, as far as its tail reaches. */
#ifndef ASSAY_REPORTS_VIEW_H
#define ASSAY_REPORTS_VIEW_H

#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/containers.h"

typedef struct {
    assay_evidence evidence; /* borrows what is not changed; without histograms */
    double threshold;
    /* owned: */
    uint8_t *enrolment;
    assay_attribute *attributes;
    uint16_t *codes;
    assay_comparison *mated, *tail;
    assay_row_pair *failed;
} assay_view;

/* Judged at threshold alone. refused is [row_count]: enrolled samples for which it is set count as
 * refused, and their comparisons as attempted ones without two templates. evidence must outlive
 * *out, which must not move while it is in use. */
assay_status assay_view_open(const assay_evidence *evidence, const uint8_t *refused,
                             double threshold, assay_view *out) ASSAY_MUST_CHECK;
/* The same samples by one more attribute, labels[label_count] of which the first ASSAY_CODE_FIRST
 * are the fixed ones; codes is [row_count]. name and labels are borrowed. */
assay_status assay_view_group(assay_view *view, const char *name, const char *const *labels,
                              uint32_t label_count, const uint16_t *codes) ASSAY_MUST_CHECK;
void assay_view_close(assay_view *view); /* takes a zeroed one */

#endif
