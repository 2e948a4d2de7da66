/* rows -- comparisons of single samples further down than evidence keeps them: every one of a
 * sample down to a floor of its own. A sealed file beside evidence.h5, described field by field in
 * datasets/FORMAT.md. */
#ifndef ASSAY_DATASETS_ROWS_H
#define ASSAY_DATASETS_ROWS_H

#include "datasets/containers.h"

typedef struct {
    char *release, *version;
    assay_digest result_digest; /* of the evidence that they go on from */
    assay_digest digest;        /* of what follows, FORMAT.md */
    assay_score_form form;      /* of the evidence, as exponent */
    int exponent;
    uint64_t table_rows; /* rows of the evidence's table */
    uint64_t people;     /* that each sample was to have beside it */
    uint32_t *rows;      /* [count] rows of the table, rising */
    int64_t *floors;     /* [count] every non-mated comparison of the row with fine >= this is here;
                            INT64_MIN where all are */
    uint64_t count;
    uint64_t *start;               /* [count + 1] of each row's comparisons */
    assay_comparison *comparisons; /* [start[count]] each row's by (fine descending, i, j) */
    char *provenance_json;         /* object; never NULL */
} assay_rows;

void assay_rows_free(assay_rows *rows); /* takes a zeroed one */
/* Sets rows->digest and writes. */
assay_status assay_rows_write(const char *path, assay_rows *rows) ASSAY_MUST_CHECK;
assay_status assay_rows_read(const char *path, assay_rows *out) ASSAY_MUST_CHECK;
/* ASSAY_USAGE where rows of path do not go on from evidence. */
assay_status assay_rows_check(const assay_rows *rows, const char *path,
                              const assay_evidence *evidence) ASSAY_MUST_CHECK;
/* Index of a row of the table, or UINT64_MAX where it is none of them. */
uint64_t assay_rows_find(const assay_rows *rows, uint32_t row);

#endif
