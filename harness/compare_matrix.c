/* compare_matrix -- the dense score matrix of a small set, for people who want to see every score.
 */
#include <inttypes.h>
#include <math.h>

#include "datasets/base/memory.h"
#include "harness/compare_private.h"

enum { MATRIX_MAX = 20000 };

/* Scores of place a against every later one, into both halves. */
static assay_status fill_row(comparison *work, uint64_t a, assay_place_pair *places,
                             assay_scored_pair *scored, double *scores) {
    const assay_plan *plan = &work->plan;
    const uint64_t n = plan->count;
    uint64_t count = 0;
    for (uint64_t b = a + 1; b < n; b++) {
        const assay_relation relation = assay_protocol_relation(
            work->options->protocol, &work->head->table, plan->roles, plan->row[a], plan->row[b]);
        if (relation != ASSAY_RELATION_MATED && relation != ASSAY_RELATION_NON_MATED) continue;
        places[count++] = (assay_place_pair){.a = a, .b = b};
    }
    const assay_status status = assay_compare_score(work, places, count, scored);
    if (status != ASSAY_OK) return status;
    for (uint64_t k = 0; k < count; k++) {
        if (scored[k].fine == ASSAY_FINE_NONE) continue;
        const double score = assay_fine_to_score(&work->set, scored[k].fine);
        scores[a * n + places[k].b] = score;
        scores[places[k].b * n + a] = score;
    }
    return ASSAY_OK;
}

assay_status assay_compare_matrix(comparison *work) {
    const uint64_t n = work->plan.count;
    assay_place_pair *places = NULL;
    assay_scored_pair *scored = NULL;
    double *scores = NULL;
    if (work->options->protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) {
        return assay_fail(ASSAY_USAGE, "a matrix of a pair list was asked for; expected another "
                                       "protocol (every listed score is in the evidence)");
    }
    if (n > MATRIX_MAX) {
        return assay_fail(ASSAY_USAGE,
                          "a matrix of %" PRIu64 " x %" PRIu64 " scores was asked for; expected at "
                          "most %d templates",
                          n, n, MATRIX_MAX);
    }
    assay_status status = assay_allocate(&scores, (size_t)(n * n), sizeof *scores, "the matrix");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&places, (size_t)n, sizeof *places, "a row of pairs");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&scored, (size_t)n, sizeof *scored, "a row of scores");
    if (status != ASSAY_OK) goto out;
    for (uint64_t k = 0; k < n * n; k++) scores[k] = NAN;
    for (uint64_t a = 0; a < n; a++) {
        status = fill_row(work, a, places, scored, scores);
        if (status != ASSAY_OK) goto out;
        if (!assay_progress_tell(work->progress, "matrix", "rows", a + 1, n)) {
            status = assay_fail(ASSAY_FAILED, "interrupted while filling the matrix");
            goto out;
        }
    }
    status = assay_matrix_write(work->options->matrix_path, &work->head->table, work->plan.row,
                                (uint32_t)n, scores);
out:
    free(places);
    free(scored);
    free(scores);
    return status;
}
