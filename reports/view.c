/* view -- evidence with some samples refused, or grouped in another way (view.h). */
#include "reports/view.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/protocol.h"

static uint64_t take_enrolled(const uint8_t *enrolment, const assay_comparison *from,
                              uint64_t count, assay_comparison *to) {
    uint64_t kept = 0;
    for (uint64_t n = 0; n < count; ++n) {
        if (enrolment[from[n].i] != ASSAY_ENROLMENT_ENROLLED ||
            enrolment[from[n].j] != ASSAY_ENROLMENT_ENROLLED)
            continue;
        to[kept++] = from[n];
    }
    return kept;
}

/* Those that gave no score, of samples that are left. */
static void take_failed(const assay_evidence *from, const uint8_t *enrolment,
                        assay_evidence *evidence, assay_row_pair *to) {
    const uint64_t count = from->failed_mated + from->failed_non_mated;
    evidence->failed_mated = evidence->failed_non_mated = 0;
    for (uint64_t n = 0; from->failed && n < count; ++n) {
        const assay_row_pair pair = from->failed[n];
        if (enrolment[pair.i] != ASSAY_ENROLMENT_ENROLLED ||
            enrolment[pair.j] != ASSAY_ENROLMENT_ENROLLED)
            continue;
        to[evidence->failed_mated + evidence->failed_non_mated] = pair;
        if (from->table.subject[pair.i] == from->table.subject[pair.j])
            ++evidence->failed_mated;
        else
            ++evidence->failed_non_mated;
    }
    evidence->failed = to;
}

/* The non-mated comparisons that are left, by the rule that the plan of comparisons follows too. */
static assay_status count_non_mated(assay_evidence *evidence) {
    uint64_t rows = evidence->table.row_count;
    uint8_t *roles = NULL, *taken = NULL, *all = NULL;
    assay_status status = assay_protocol_roles(&evidence->protocol, &evidence->table, &roles);
    if (status == ASSAY_OK) status = assay_allocate(&taken, rows, 1, "enrolled rows");
    if (status == ASSAY_OK) status = assay_allocate(&all, rows, 1, "all rows");
    for (uint64_t row = 0; status == ASSAY_OK && row < rows; ++row) {
        all[row] = 1;
        taken[row] = evidence->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
    }
    if (status == ASSAY_OK)
        status = assay_protocol_non_mated_trials(&evidence->protocol, &evidence->table, roles,
                                                 taken, all, all, &evidence->non_mated);
    if (status == ASSAY_OK) evidence->non_mated -= evidence->failed_non_mated;
    free(roles);
    free(taken);
    free(all);
    return status;
}

static assay_status refuse(const assay_evidence *from, const uint8_t *refused, assay_view *view) {
    assay_evidence *evidence = &view->evidence;
    uint64_t rows = from->table.row_count;
    assay_status status = assay_allocate(&view->enrolment, rows, 1, "enrolment");
    if (status == ASSAY_OK)
        status = assay_allocate(&view->mated, from->mated_count, sizeof *view->mated, "scores");
    if (status == ASSAY_OK)
        status = assay_allocate(&view->tail, from->tail_count, sizeof *view->tail, "scores");
    if (status == ASSAY_OK)
        status = assay_allocate(&view->failed, from->failed_mated + from->failed_non_mated,
                                sizeof *view->failed, "failed comparisons");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < rows; ++row) {
        bool leaves = refused[row] && from->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
        view->enrolment[row] = leaves ? ASSAY_ENROLMENT_REFUSED : from->table.enrolment[row];
    }
    evidence->table.enrolment = view->enrolment;
    evidence->mated = view->mated;
    evidence->tail = view->tail;
    evidence->mated_count =
        take_enrolled(view->enrolment, from->mated, from->mated_count, view->mated);
    evidence->tail_count = take_enrolled(view->enrolment, from->tail, from->tail_count, view->tail);
    take_failed(from, view->enrolment, evidence, view->failed);
    return count_non_mated(evidence);
}

assay_status assay_view_open(const assay_evidence *evidence, const uint8_t *refused,
                             double threshold, assay_view *out) {
    *out = (assay_view){.evidence = *evidence, .threshold = threshold};
    assay_protocol *protocol = &out->evidence.protocol;
    protocol->fmr_targets = NULL;
    protocol->fmr_target_count = 0;
    protocol->thresholds = &out->threshold;
    protocol->threshold_count = 1;
    out->evidence.histogram = NULL;
    out->evidence.histogram_pairs = 0;
    if (!refused) return ASSAY_OK;
    assay_status status = refuse(evidence, refused, out);
    if (status != ASSAY_OK) assay_view_close(out);
    return status;
}

assay_status assay_view_group(assay_view *view, const char *name, const char *const *labels,
                              uint32_t label_count, const uint16_t *codes) {
    assay_sample_table *table = &view->evidence.table;
    uint32_t count = table->attribute_count;
    assay_status status =
        assay_allocate(&view->attributes, count + 1, sizeof *view->attributes, "attributes");
    if (status == ASSAY_OK)
        status = assay_allocate(&view->codes, table->row_count, sizeof *view->codes, "groups");
    if (status != ASSAY_OK) return status;
    if (count) memcpy(view->attributes, table->attributes, count * sizeof *view->attributes);
    if (table->row_count) memcpy(view->codes, codes, table->row_count * sizeof *codes);
    view->attributes[count] = (assay_attribute){.name = (char *)name,
                                                .kind = ASSAY_ATTRIBUTE_CATEGORICAL,
                                                .level = ASSAY_LEVEL_SAMPLE,
                                                .source = ASSAY_SOURCE_NOT_STATED,
                                                .labels = (char **)labels,
                                                .label_count = label_count,
                                                .codes = view->codes};
    table->attributes = view->attributes;
    table->attribute_count = count + 1;
    return ASSAY_OK;
}

void assay_view_close(assay_view *view) {
    free(view->enrolment);
    free(view->attributes);
    free(view->codes);
    free(view->mated);
    free(view->tail);
    free(view->failed);
    *view = (assay_view){0};
}
