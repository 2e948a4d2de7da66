/* subset -- evidence without some of its subjects (subset.h). */
#include "reports/subset.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

static uint64_t keep_comparisons(assay_comparison *list, uint64_t count, const uint32_t *row_of) {
    uint64_t kept = 0;
    for (uint64_t n = 0; n < count; ++n) {
        assay_comparison pair = list[n];
        pair.i = row_of[pair.i];
        pair.j = row_of[pair.j];
        if (pair.i != UINT32_MAX && pair.j != UINT32_MAX) list[kept++] = pair;
    }
    return kept;
}

/* Comparisons that gave no score. */
static void keep_failed(assay_evidence *evidence, const uint32_t *row_of) {
    uint64_t count = evidence->failed_mated + evidence->failed_non_mated, kept = 0;
    evidence->failed_mated = evidence->failed_non_mated = 0;
    for (uint64_t n = 0; n < count; ++n) {
        assay_row_pair pair = {row_of[evidence->failed[n].i], row_of[evidence->failed[n].j]};
        if (pair.i == UINT32_MAX || pair.j == UINT32_MAX) continue;
        const uint32_t *subject = evidence->table.subject;
        if (subject[pair.i] == subject[pair.j])
            ++evidence->failed_mated;
        else
            ++evidence->failed_non_mated;
        evidence->failed[kept++] = pair;
    }
}

static void keep_listed(assay_protocol *protocol, const uint32_t *row_of) {
    uint64_t kept = 0;
    for (uint64_t n = 0; n < protocol->pair_count; ++n) {
        assay_row_pair pair = {row_of[protocol->pairs[n].i], row_of[protocol->pairs[n].j]};
        if (pair.i == UINT32_MAX || pair.j == UINT32_MAX) continue;
        protocol->pairs[kept] = pair;
        protocol->reversed[kept++] = protocol->reversed[n];
    }
    protocol->pair_count = kept;
}

/* What is left of comparisons follows from the table and the protocol. */
static assay_status count_again(assay_evidence *evidence) {
    const assay_sample_table *table = &evidence->table;
    const assay_protocol *protocol = &evidence->protocol;
    uint8_t *roles = NULL, *enrolled = NULL, *all = NULL;
    uint64_t pairs = 0, known = 0, taken = 0;
    assay_same_subject same = {0};
    assay_status status = assay_allocate(&enrolled, table->row_count, 1, "enrolled rows");
    if (status == ASSAY_OK) status = assay_allocate(&all, table->row_count, 1, "rows");
    if (status == ASSAY_OK) status = assay_protocol_roles(protocol, table, &roles);
    if (status == ASSAY_OK) status = assay_protocol_same_subject(protocol, table, roles, &same);
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        all[row] = 1;
        enrolled[row] = table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
        taken += enrolled[row];
    }
    memset(evidence->relations, 0, sizeof evidence->relations);
    for (uint64_t n = 0; n < same.count; ++n)
        if (enrolled[same.pairs[n].i] && enrolled[same.pairs[n].j])
            ++evidence->relations[same.relation[n]];
    status = assay_protocol_non_mated_trials(protocol, table, roles, enrolled, all, all,
                                             &evidence->non_mated);
    if (status != ASSAY_OK) goto out;
    evidence->relations[ASSAY_RELATION_NON_MATED] = evidence->non_mated;
    evidence->non_mated -= evidence->failed_non_mated;
    for (int n = 0; n < ASSAY_RELATION_COUNT; ++n) known += evidence->relations[n];
    pairs = taken ? taken * (taken - 1) / 2 : 0;
    evidence->relations[ASSAY_RELATION_EXCLUDED_ROLE] += pairs - known;
out:
    free(roles);
    free(enrolled);
    free(all);
    assay_same_subject_free(&same);
    return status;
}

assay_status assay_evidence_keep(assay_evidence *evidence, const uint8_t *keep) {
    assay_sample_table *table = &evidence->table;
    uint64_t rows = table->row_count;
    uint8_t *keep_row = NULL;
    uint32_t *row_of = NULL;
    assay_status status = assay_allocate(&keep_row, rows, 1, "rows that are kept");
    if (!assay_evidence_has_samples(evidence))
        status = assay_fail(ASSAY_USAGE, "the scores of %s %s came without subject ids",
                            evidence->release, evidence->version);
    if (status == ASSAY_OK)
        status = assay_allocate(&row_of, rows, sizeof *row_of, "rows that are kept");
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < rows; ++row) keep_row[row] = keep[table->subject[row]];
    status = assay_sample_table_keep(table, keep_row, row_of);
    if (status != ASSAY_OK) goto out;
    evidence->mated_count = keep_comparisons(evidence->mated, evidence->mated_count, row_of);
    evidence->tail_count = keep_comparisons(evidence->tail, evidence->tail_count, row_of);
    keep_listed(&evidence->protocol, row_of);
    keep_failed(evidence, row_of);
    free(evidence->histogram);
    evidence->histogram = NULL;
    evidence->histogram_pairs = 0;
    status = count_again(evidence);
out:
    free(keep_row);
    free(row_of);
    return status;
}
