/* beside -- rows and the reference release of a report (beside.h). */
#include "harness/cli/beside.h"

#include <stdlib.h>

#include "datasets/base/memory.h"

assay_status assay_beside_read(const char *look_alikes, char *const *rows, assay_beside *out) {
    assay_beside made = {0};
    size_t count = 0;
    while (rows != NULL && rows[count] != NULL) count++;
    assay_status status = assay_allocate(&made.rows, count, sizeof *made.rows, "files of rows");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        status = assay_rows_read(rows[n], &made.rows[n]);
        made.row_count += status == ASSAY_OK;
    }
    if (status == ASSAY_OK && look_alikes != NULL) {
        status = assay_evidence_read(look_alikes, &made.look_alikes);
        made.has_look_alikes = status == ASSAY_OK;
    }
    if (status == ASSAY_OK)
        *out = made;
    else
        assay_beside_free(&made);
    return status;
}

void assay_beside_free(assay_beside *beside) {
    for (size_t n = 0; n < beside->row_count; n++) assay_rows_free(&beside->rows[n]);
    free(beside->rows);
    if (beside->has_look_alikes) assay_evidence_free(&beside->look_alikes);
    *beside = (assay_beside){0};
}

void assay_beside_take(const assay_beside *beside, assay_report_options *options) {
    options->rows = beside->rows;
    options->row_count = beside->row_count;
    options->look_alikes = beside->has_look_alikes ? &beside->look_alikes : NULL;
}
