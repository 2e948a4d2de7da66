/* beside -- what a report reads beside the evidence that it is of: rows that go on from evidence,
 * and the evidence of the reference release that chooses look-alikes. */
#ifndef ASSAY_HARNESS_CLI_BESIDE_H
#define ASSAY_HARNESS_CLI_BESIDE_H

#include "datasets/containers.h"
#include "datasets/rows.h"
#include "reports/report.h"

typedef struct {
    assay_evidence look_alikes;
    bool has_look_alikes;
    assay_rows *rows; /* [row_count] */
    size_t row_count;
} assay_beside;

/* look_alikes may be NULL; rows is NULL-terminated or NULL. */
assay_status assay_beside_read(const char *look_alikes, char *const *rows,
                               assay_beside *out) ASSAY_MUST_CHECK;
void assay_beside_free(assay_beside *beside); /* takes a zeroed one */
/* beside must outlive options. */
void assay_beside_take(const assay_beside *beside, assay_report_options *options);

#endif
