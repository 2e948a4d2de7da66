/* matrix_file -- a dense matrix of scores of a small set, for people with other tools. */
#include "datasets/base/memory.h"
#include "datasets/store.h"

typedef struct {
    const char *path;
    const uint32_t *rows;
    const double *scores;
    char **ids; /* [n], borrowed from the table */
    uint32_t n;
} matrix_writing;

static assay_status write_matrix(void *context, const char *temporary,
                                 assay_store_extents *extents) {
    const matrix_writing *job = context;
    assay_store store = ASSAY_STORE_NONE;
    (void)extents; /* all of it is chunked: every block is checked on opening */
    assay_status status = assay_store_create(temporary, "assay-matrix", &store);
    if (status) return status;
    store.name = job->path;
    if ((status = assay_strings_write(&store, "/sample_id", job->ids, job->n))) return status;
    assay_array rows = {"/row", H5T_STD_U32LE, 1, {job->n, 0}, ASSAY_LAYOUT_CHUNKED};
    if ((status = assay_array_write(&store, &rows, job->rows))) return status;
    assay_array scores = {"/scores", H5T_IEEE_F64LE, 2, {job->n, job->n}, ASSAY_LAYOUT_CHUNKED};
    if ((status = assay_array_write(&store, &scores, job->scores))) return status;
    return assay_store_finish(&store);
}

assay_status assay_matrix_write(const char *path, const assay_sample_table *table,
                                const uint32_t *rows, uint32_t n, const double *scores) {
    matrix_writing job = {.path = path, .rows = rows, .scores = scores, .n = n};
    assay_status status = assay_table_check(path, table);
    if (status) return status;
    if ((status = assay_allocate(&job.ids, n, sizeof *job.ids, "sample ids"))) return status;
    for (uint32_t r = 0; r < n && status == ASSAY_OK; r++) {
        if (rows[r] < table->row_count)
            job.ids[r] = table->sample_id[rows[r]];
        else
            status =
                assay_fail(ASSAY_FAILED, "cannot write %s: row %u is not one of the %llu samples",
                           path, rows[r], (unsigned long long)table->row_count);
    }
    if (status == ASSAY_OK) status = assay_store_publish(path, "matrix", NULL, write_matrix, &job);
    free(job.ids);
    return status;
}
