/* gate_json -- DIR/verdict.json, "assay-verdict/1": the verdict and every criterion for other
 * programs. A number that there is not is null. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "reports/gate_pages.h"

static const char *const units[] = {[ASSAY_UNIT_FMR] = "rate",
                                    [ASSAY_UNIT_RATE] = "rate",
                                    [ASSAY_UNIT_DIFFERENCE] = "difference of rates",
                                    [ASSAY_UNIT_RATIO] = "ratio",
                                    [ASSAY_UNIT_SECONDS] = "seconds",
                                    [ASSAY_UNIT_BYTES] = "bytes",
                                    [ASSAY_UNIT_COUNT] = "count"};

static const char *const states[] = {[ASSAY_STATE_PASS_SUPERIOR] = "PASS_SUPERIOR",
                                     [ASSAY_STATE_PASS] = "PASS",
                                     [ASSAY_STATE_FAIL] = "FAIL",
                                     [ASSAY_STATE_NOT_ENOUGH] = "NOT_ENOUGH_DATA",
                                     [ASSAY_STATE_LEANS_WORSE] = "NOT_ENOUGH_DATA_LEANS_WORSE"};

static json_t *number(double value) {
    if (isnan(value)) return json_null();
    return isinf(value) ? json_string("infinite") : json_real(value);
}

static json_t *criterion_json(const assay_gate_criterion *criterion) {
    bool counted = criterion->trials > 0;
    json_t *out = json_pack(
        "{s:s, s:s, s:s?, s:s?, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:s?, s:s?}",
        "key", criterion->key, "what", criterion->what, "attribute", criterion->attribute, "group",
        criterion->group, "unit", units[criterion->unit], "state", states[criterion->state],
        "sampled", criterion->sampled, "value", number(criterion->value), "candidate",
        number(criterion->candidate), "reference", number(criterion->reference), "low_one_sided",
        number(criterion->low), "high_one_sided", number(criterion->high), "limit",
        number(criterion->limit), "fail_p", number(criterion->fail_p), "fail_p_holm",
        number(criterion->holm_p), "subjects_needed", number(criterion->needed),
        "subjects_needed_if_none", number(criterion->needed_if_none), "reason", criterion->reason,
        "source", criterion->source);
    if (!out) return NULL;
    json_object_set_new(out, "errors",
                        counted ? json_integer((json_int_t)criterion->errors) : json_null());
    json_object_set_new(out, "errors_reference",
                        counted ? json_integer((json_int_t)criterion->errors_reference)
                                : json_null());
    json_object_set_new(out, "trials",
                        counted ? json_integer((json_int_t)criterion->trials) : json_null());
    json_object_set_new(out, "subjects",
                        counted ? json_integer((json_int_t)criterion->subjects) : json_null());
    return out;
}

static json_t *release_json(const assay_evidence *evidence) {
    char a[ASSAY_DIGEST_HEX], b[ASSAY_DIGEST_HEX];
    if (!evidence) return json_null();
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "release", evidence->release, "version",
                     evidence->version, "algorithm", evidence->algorithm, "result_digest",
                     assay_digest_hex(a, &evidence->result_digest), "templates_digest",
                     assay_digest_hex(b, &evidence->templates_digest));
}

static json_t *data_json(const gate_pages *pages) {
    const assay_gate *gate = pages->gate;
    char a[ASSAY_DIGEST_HEX], b[ASSAY_DIGEST_HEX];
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "dataset",
        pages->candidate->dataset_name, "dataset_digest",
        assay_digest_hex(a, &pages->candidate->dataset_digest), "subjects_digest",
        assay_digest_hex(b, &pages->subjects->digest), "subjects", (json_int_t)gate->subjects,
        "subjects_disclosed", (json_int_t)pages->subjects->disclosed, "disclosed_not_in_data",
        (json_int_t)pages->subjects->disclosed_unknown, "subjects_not_listed",
        (json_int_t)pages->subjects->not_listed, "samples", (json_int_t)gate->samples, "excluded",
        (json_int_t)gate->excluded, "mated_subjects", (json_int_t)gate->mated_subjects,
        "mated_attempted", (json_int_t)gate->mated, "non_mated", (json_int_t)gate->non_mated);
}

static json_t *filing_json(const assay_gate_filing *filing) {
    json_t *out =
        json_pack("{s:b, s:b, s:s?, s:o, s:o, s:I, s:I, s:I}", "trial", filing->trial, "filed",
                  filing->filed, "time", filing->filed ? filing->filed_time : NULL, "record",
                  filing->filed ? json_integer((json_int_t)filing->filed_record) : json_null(),
                  "filed_before_scoring",
                  !filing->filed || filing->scored_unknown ? json_null()
                                                           : json_boolean(!filing->scored_before),
                  "candidates", (json_int_t)filing->candidates, "looks", (json_int_t)filing->looks,
                  "trial_looks", (json_int_t)filing->trials);
    return out;
}

static json_t *verdict_json(const gate_pages *pages) {
    const assay_gate *gate = pages->gate;
    const assay_policy *policy = gate->policy;
    char hex[ASSAY_DIGEST_HEX];
    json_t *criteria = json_array(), *small = json_array();
    for (size_t n = 0; n < gate->criterion_count; ++n)
        json_array_append_new(criteria, criterion_json(&gate->criteria[n]));
    for (size_t n = 0; n < gate->small_count; ++n)
        json_array_append_new(small,
                              json_pack("{s:s, s:s, s:I}", "attribute", gate->small[n].attribute,
                                        "group", gate->small[n].group, "subjects",
                                        (json_int_t)gate->small[n].subjects));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
        "assay-verdict/1", "program", "assay " ASSAY_VERSION, "policy", policy->name,
        "policy_digest", assay_digest_hex(hex, &policy->digest), "verdict",
        assay_verdict_name(gate->verdict), "alpha", number(policy->alpha), "threshold", "fmr_rule",
        number(policy->fmr_rule), "reference", number(gate->threshold_reference), "candidate",
        number(gate->threshold_candidate), "filing", filing_json(pages->filing), "data",
        data_json(pages), "candidate", release_json(pages->candidate), "reference",
        release_json(pages->reference), "criteria", criteria, "groups_too_small", small);
}

assay_status gate_write_json(const gate_pages *pages, const char *path) {
    json_t *root = verdict_json(pages);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    assay_text out = {0};
    if (text) assay_text_appendf(&out, "%s\n", text);
    assay_status status = text ? assay_text_status(&out)
                               : assay_fail(ASSAY_FAILED, "no memory for the verdict's JSON");
    if (status == ASSAY_OK) status = assay_file_write(path, out.bytes, out.length);
    assay_text_free(&out);
    free(text);
    json_decref(root);
    return status;
}
