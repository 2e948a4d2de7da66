/* import_scores -- lists of scores that were made elsewhere, to evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/score_list.h"
#include "harness/imports_private.h"

static assay_status add_list(const assay_import_about *about, const char *path,
                             const assay_score_values *list, bool mated, assay_evidence *evidence) {
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < list->count; n++) {
        char place[512];
        import_comparison comparison = {
            .number = list->values[n], .i = (uint32_t)n, .j = ASSAY_NO_ROW, .mated = mated};
        place[0] = '\0';
        if (list->values[n] > ASSAY_SCORE_MOST || list->values[n] < -ASSAY_SCORE_MOST)
            snprintf(place, sizeof place, "%.400s: number %" PRIu64, path, n + 1);
        status = import_evidence_add(about, &comparison, place, evidence);
    }
    return status;
}

static assay_status check_counts(const char *path, const assay_score_values *list,
                                 uint64_t completed) {
    if (list->count >= ASSAY_NO_ROW)
        return assay_fail(ASSAY_USAGE, "%s: %" PRIu64 " scores are more than 4294967294", path,
                          list->count);
    if (completed == 0)
        return assay_fail(ASSAY_USAGE,
                          "%s: none of its %" PRIu64 " comparisons gave a score, so there is "
                          "nothing to report",
                          path, list->count);
    return ASSAY_OK;
}

static assay_status read_list(const char *source, const char *column, assay_score_values *out) {
    return column == NULL ? assay_score_list_read(source, out)
                          : assay_score_column_read(source, column, out);
}

assay_status assay_import_score_lists(const assay_import_about *about, const char *mated_path,
                                      const char *non_mated_path, const char *column,
                                      const char *out_path, assay_import_result *out) {
    assay_score_values mated = {0}, non_mated = {0};
    assay_evidence evidence = {0};
    const char *const inputs[2] = {mated_path, non_mated_path};
    assay_status status = read_list(mated_path, column, &mated);
    if (status == ASSAY_OK) status = read_list(non_mated_path, column, &non_mated);
    if (status == ASSAY_OK) status = import_evidence_start(about, inputs, 2, &evidence);
    if (status != ASSAY_OK) goto out;
    evidence.protocol.kind = ASSAY_PROTOCOL_SCORES;
    status = assay_sample_table_create(0, 0, &evidence.table);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&evidence.mated, mated.count, sizeof *evidence.mated, "mated scores");
    if (status != ASSAY_OK) goto out;
    status =
        assay_allocate(&evidence.tail, non_mated.count, sizeof *evidence.tail, "non-mated scores");
    if (status != ASSAY_OK) goto out;
    if ((status = add_list(about, mated_path, &mated, true, &evidence))) goto out;
    if ((status = add_list(about, non_mated_path, &non_mated, false, &evidence))) goto out;
    if ((status = check_counts(mated_path, &mated, evidence.mated_count))) goto out;
    if ((status = check_counts(non_mated_path, &non_mated, evidence.tail_count))) goto out;
    if ((status = import_evidence_finish(&evidence))) goto out;
    if ((status = assay_evidence_write(out_path, &evidence))) goto out;
    import_result_fill(&evidence, out);
out:
    assay_score_values_free(&mated);
    assay_score_values_free(&non_mated);
    assay_evidence_free(&evidence);
    return status;
}

assay_status assay_import_scored_pairs(const assay_import_about *about, const char *pairs_path,
                                       const char *labels_path,
                                       const assay_manifest_declaration *declared,
                                       const assay_progress *progress, const char *out_path,
                                       assay_import_result *out) {
    assay_sample_table table = {0};
    assay_scored_pairs pairs = {0};
    const char *const inputs[] = {pairs_path, labels_path};
    assay_status status = assay_labels_read(labels_path, declared, progress, &table);
    if (status == ASSAY_OK) status = assay_scored_pairs_read(pairs_path, &table, &pairs);
    if (status == ASSAY_OK) status = import_pairs(about, inputs, 2, &table, &pairs, out_path, out);
    assay_scored_pairs_free(&pairs);
    assay_sample_table_free(&table);
    return status;
}
