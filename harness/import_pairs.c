/* import_pairs -- comparisons of samples that are known, made elsewhere, to evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "harness/imports_private.h"

typedef struct {
    assay_row_pair pair;
    uint8_t reversed;
    double number;
} listed_comparison;

static int by_rows(const void *a, const void *b) {
    const listed_comparison *x = a, *y = b;
    if (x->pair.i != y->pair.i) return x->pair.i < y->pair.i ? -1 : 1;
    return (x->pair.j > y->pair.j) - (x->pair.j < y->pair.j);
}

/* The comparisons by rows i < j, each pair once. */
static assay_status sort_pairs(const assay_scored_pairs *from, const assay_sample_table *table,
                               listed_comparison **out) {
    listed_comparison *list = NULL;
    assay_status status = assay_allocate(&list, from->count, sizeof *list, "comparisons");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < from->count; n++) {
        const assay_scored_pair *pair = &from->pairs[n];
        const bool reversed = pair->reference > pair->probe;
        list[n] = (listed_comparison){
            {reversed ? pair->probe : pair->reference, reversed ? pair->reference : pair->probe},
            reversed,
            pair->number};
    }
    qsort(list, from->count, sizeof *list, by_rows);
    for (uint64_t n = 1; n < from->count; n++)
        if (by_rows(&list[n - 1], &list[n]) == 0) {
            status = assay_fail(ASSAY_USAGE,
                                "the samples '%s' and '%s' are compared twice (the order of the "
                                "two makes no other comparison)",
                                table->sample_id[list[n].pair.i], table->sample_id[list[n].pair.j]);
            free(list);
            return status;
        }
    *out = list;
    return ASSAY_OK;
}

static assay_status make_room(uint64_t count, assay_evidence *evidence) {
    assay_protocol *protocol = &evidence->protocol;
    assay_status status =
        assay_allocate(&evidence->mated, count, sizeof *evidence->mated, "mated scores");
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence->tail, count, sizeof *evidence->tail, "other scores");
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence->failed, count, sizeof *evidence->failed, "pairs");
    if (status == ASSAY_OK)
        status = assay_allocate(&protocol->pairs, count, sizeof *protocol->pairs, "pairs");
    if (status == ASSAY_OK) status = assay_allocate(&protocol->reversed, count, 1, "pairs");
    return status;
}

/* Samples of no comparison were not tried, as far as anybody can tell. */
static void mark_compared(const listed_comparison *list, uint64_t count,
                          assay_sample_table *table) {
    memset(table->enrolment, ASSAY_ENROLMENT_NONE, table->row_count);
    for (uint64_t n = 0; n < count; n++)
        table->enrolment[list[n].pair.i] = table->enrolment[list[n].pair.j] =
            ASSAY_ENROLMENT_ENROLLED;
}

static assay_status add_all(const assay_import_about *about, const listed_comparison *list,
                            uint64_t count, assay_evidence *evidence) {
    const assay_sample_table *table = &evidence->table;
    uint64_t enrolled = 0, listed = 0;
    uint8_t *roles = NULL;
    char place[512];
    assay_status status = assay_protocol_roles(&evidence->protocol, table, &roles);
    for (uint64_t n = 0; status == ASSAY_OK && n < count; n++) {
        const uint32_t i = list[n].pair.i, j = list[n].pair.j;
        const assay_relation relation =
            assay_protocol_relation(&evidence->protocol, table, roles, i, j);
        const import_comparison comparison = {.number = list[n].number,
                                              .i = i,
                                              .j = j,
                                              .direction = list[n].reversed ? ASSAY_DIRECTION_J
                                                                            : ASSAY_DIRECTION_I,
                                              .mated = relation == ASSAY_RELATION_MATED};
        listed++;
        if (relation != ASSAY_RELATION_MATED && relation != ASSAY_RELATION_NON_MATED) {
            evidence->relations[relation]++;
            continue;
        }
        snprintf(place, sizeof place, "the score of '%.128s' and '%.128s'", table->sample_id[i],
                 table->sample_id[j]);
        status = import_evidence_add(about, &comparison, place, evidence);
    }
    for (uint64_t row = 0; row < table->row_count; row++)
        enrolled += table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
    if (status == ASSAY_OK)
        evidence->relations[ASSAY_RELATION_EXCLUDED_ROLE] =
            (enrolled ? enrolled * (enrolled - 1) / 2 : 0) - listed;
    free(roles);
    return status;
}

assay_status import_pairs(const assay_import_about *about, const char *const *inputs, size_t count,
                          assay_sample_table *table, const assay_scored_pairs *pairs,
                          const char *out_path, assay_import_result *out) {
    assay_evidence evidence = {0};
    listed_comparison *list = NULL;
    assay_status status = sort_pairs(pairs, table, &list);
    if (status == ASSAY_OK) status = import_evidence_start(about, inputs, count, &evidence);
    if (status != ASSAY_OK) goto out;
    evidence.protocol.kind = ASSAY_PROTOCOL_PAIR_LIST;
    evidence.protocol.same_session = about->same_session;
    if ((status = make_room(pairs->count, &evidence))) goto out;
    evidence.protocol.pair_count = pairs->count;
    for (uint64_t n = 0; n < pairs->count; n++) {
        evidence.protocol.pairs[n] = list[n].pair;
        evidence.protocol.reversed[n] = list[n].reversed;
    }
    status = assay_dataset_digest(table, &evidence.dataset_digest);
    if (status != ASSAY_OK) goto out;
    evidence.table = *table;
    *table = (assay_sample_table){0};
    mark_compared(list, pairs->count, &evidence.table);
    if ((status = add_all(about, list, pairs->count, &evidence))) goto out;
    if (evidence.mated_count == 0 && evidence.tail_count == 0) {
        status = assay_fail(ASSAY_USAGE, "importing scores: no comparison of two samples gave a "
                                         "score, so there is nothing to report");
        goto out;
    }
    if ((status = import_evidence_finish(&evidence))) goto out;
    if ((status = assay_evidence_write(out_path, &evidence))) goto out;
    import_result_fill(&evidence, out);
out:
    free(list);
    assay_evidence_free(&evidence);
    return status;
}
