/* import_evidence -- numbers that were computed elsewhere as evidence (imports_private.h). */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/score_list.h"
#include "harness/import_inputs.h"
#include "harness/imports_private.h"

static assay_status check_names(const assay_import_about *about) {
    const struct {
        const char *what, *text;
    } names[] = {{"release", about->release},
                 {"version", about->version},
                 {"data set", about->dataset_name}};
    char shown[160];
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const char *text = names[n].text == NULL ? "" : names[n].text;
        const char *fault = assay_name_fault(text, strlen(text));
        if (fault == NULL) continue;
        return assay_fail(ASSAY_USAGE, "importing scores: the %s '%s' %s", names[n].what,
                          assay_printable(shown, sizeof shown, text), fault);
    }
    return ASSAY_OK;
}

static assay_status add_input(json_t *inputs, const char *source) {
    json_t *input = NULL;
    assay_status status = import_describe_input(source, &input);
    if (status != ASSAY_OK) return status;
    if (json_array_append_new(inputs, input) == 0) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "no memory for the provenance");
}

static assay_status describe_provenance(const assay_import_about *about, const char *const *inputs,
                                        size_t count, char **out) {
    json_t *list = json_array(), *object = NULL;
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < count; n++)
        if (inputs[n] != NULL) status = add_input(list, inputs[n]);
    if (status != ASSAY_OK) goto out;
    object = json_pack("{s:s, s:s, s:O, s:s, s:b}", "program", "assay " ASSAY_VERSION, "made_by",
                       "assay import", "inputs", list, "numbers",
                       about->distance ? "distances, kept with the sign turned" : "similarities",
                       "imported", 1);
    if (object != NULL && about->has_failed_value)
        json_object_set_new(object, "no_score", json_real(about->failed_value));
    *out = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (*out == NULL) status = assay_fail(ASSAY_FAILED, "no memory for the provenance");
out:
    json_decref(list);
    json_decref(object);
    return status;
}

static assay_status copy_numbers(const double *from, uint32_t count, double **out) {
    free(*out);
    *out = NULL;
    assay_status status = assay_allocate(out, count, sizeof **out, "numbers of a protocol");
    if (status == ASSAY_OK && count > 0) memcpy(*out, from, count * sizeof **out);
    return status;
}

static assay_status start_protocol(const assay_import_about *about, assay_protocol *protocol) {
    const assay_protocol *asked = about->protocol;
    assay_status status = assay_protocol_create(protocol);
    protocol->histogram_mode = ASSAY_HISTOGRAM_NONE;
    if (status != ASSAY_OK || asked == NULL) return status;
    status = copy_numbers(asked->fmr_targets, asked->fmr_target_count, &protocol->fmr_targets);
    if (status != ASSAY_OK) return status;
    protocol->fmr_target_count = asked->fmr_target_count;
    status = copy_numbers(asked->thresholds, asked->threshold_count, &protocol->thresholds);
    if (status != ASSAY_OK) return status;
    protocol->threshold_count = asked->threshold_count;
    protocol->tail_cap = asked->tail_cap;
    return ASSAY_OK;
}

assay_status import_evidence_start(const assay_import_about *about, const char *const *inputs,
                                   size_t count, assay_evidence *out) {
    assay_evidence evidence = {.form = ASSAY_SCORE_PLACED,
                               .coarse_scale = 1,
                               .combination_count = 1,
                               .tail_complete = true,
                               .tail_floor = INT64_MIN};
    const struct {
        char **to;
        const char *from;
    } texts[] = {{&evidence.release, about->release},
                 {&evidence.version, about->version},
                 {&evidence.algorithm, "imported scores"},
                 {&evidence.comparator, about->distance ? "distance" : "similarity"},
                 {&evidence.dataset_name, about->dataset_name}};
    assay_status status = check_names(about);
    for (size_t n = 0; status == ASSAY_OK && n < sizeof texts / sizeof *texts; n++)
        status = assay_copy_string(texts[n].to, texts[n].from);
    if (status == ASSAY_OK) status = start_protocol(about, &evidence.protocol);
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence.combinations, 1, sizeof *evidence.combinations, "codes");
    if (status == ASSAY_OK)
        status = describe_provenance(about, inputs, count, &evidence.provenance_json);
    if (status == ASSAY_OK)
        *out = evidence;
    else
        assay_evidence_free(&evidence);
    return status;
}

static void add_failed(const import_comparison *from, assay_evidence *evidence) {
    if (assay_evidence_has_samples(evidence))
        evidence->failed[evidence->failed_mated + evidence->failed_non_mated] =
            (assay_row_pair){from->i, from->j};
    if (from->mated)
        evidence->failed_mated++;
    else
        evidence->failed_non_mated++;
}

assay_status import_evidence_add(const assay_import_about *about, const import_comparison *from,
                                 const char *place, assay_evidence *evidence) {
    double number = from->number;
    char shown[ASSAY_NUMBER_SIZE];
    if (isnan(number) || (about->has_failed_value && number == about->failed_value)) {
        add_failed(from, evidence);
        return ASSAY_OK;
    }
    if (fabs(number) > ASSAY_SCORE_MOST)
        return assay_fail(ASSAY_USAGE,
                          "%s is %s, beyond 1e150: a score cannot be so; where it stands for \"no "
                          "score\", give --failed %s",
                          place, assay_print_double(shown, number), shown);
    const assay_comparison made = {.fine = assay_score_place(about->distance ? -number : number),
                                   .i = from->i,
                                   .j = from->j,
                                   .direction = from->direction};
    if (from->mated)
        evidence->mated[evidence->mated_count++] = made;
    else
        evidence->tail[evidence->tail_count++] = made;
    return ASSAY_OK;
}

static int highest_first(const void *a, const void *b) {
    const assay_comparison *x = a, *y = b;
    if (x->fine != y->fine) return x->fine > y->fine ? -1 : 1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static int first_row_first(const void *a, const void *b) {
    const assay_row_pair *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

assay_status import_evidence_finish(assay_evidence *evidence) {
    const uint64_t failed = evidence->failed_mated + evidence->failed_non_mated;
    if (evidence->tail_count > evidence->protocol.tail_cap)
        return assay_fail(ASSAY_USAGE,
                          "importing scores: %" PRIu64
                          " non-mated scores are more than the %" PRIu64
                          " that are kept one by one; --tail-cap raises that",
                          evidence->tail_count, evidence->protocol.tail_cap);
    qsort(evidence->mated, evidence->mated_count, sizeof *evidence->mated, highest_first);
    qsort(evidence->tail, evidence->tail_count, sizeof *evidence->tail, highest_first);
    if (evidence->failed != NULL)
        qsort(evidence->failed, failed, sizeof *evidence->failed, first_row_first);
    evidence->non_mated = evidence->tail_limit = evidence->tail_count;
    evidence->relations[ASSAY_RELATION_MATED] = evidence->mated_count + evidence->failed_mated;
    evidence->relations[ASSAY_RELATION_NON_MATED] =
        evidence->non_mated + evidence->failed_non_mated;
    return ASSAY_OK;
}

void import_result_fill(const assay_evidence *evidence, assay_import_result *out) {
    *out = (assay_import_result){.mated = evidence->mated_count,
                                 .non_mated = evidence->non_mated,
                                 .failed_mated = evidence->failed_mated,
                                 .failed_non_mated = evidence->failed_non_mated,
                                 .samples = evidence->table.row_count,
                                 .subjects = evidence->table.subject_count,
                                 .result_digest = evidence->result_digest};
    for (int n = ASSAY_RELATION_EXCLUDED_INSTANCE; n < ASSAY_RELATION_COUNT; n++)
        out->excluded += evidence->relations[n];
}
