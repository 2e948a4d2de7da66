/* gate_ledger -- policies in the ledger: filed before the candidate is scored, and who was judged
 * (gate.h). The ledger is hash-chained (datasets/ledger.h), so a record that was changed, removed
 * or put in later shows. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/ledger.h"
#include "datasets/sealed_file.h"
#include "reports/gate.h"

#define EVENT_FILED "gate-filed"
#define EVENT_JUDGED "gate-judged"

/* ---- writing ---- */

static assay_status append(const char *directory, const char *event, const assay_policy *policy,
                           json_t *details) {
    char *text = details ? json_dumps(details, JSON_COMPACT) : NULL;
    json_decref(details);
    if (!text) return assay_fail(ASSAY_FAILED, "no memory for a record of the ledger");
    assay_status status =
        assay_ledger_append(directory, event, assay_path_name(policy->path), text);
    free(text);
    return status;
}

assay_status assay_gate_file(const assay_policy *policy, const assay_policy_subjects *subjects,
                             const assay_digest *dataset, const char *dataset_name,
                             const assay_digest *reference, const char *directory) {
    char a[ASSAY_DIGEST_HEX], b[ASSAY_DIGEST_HEX], c[ASSAY_DIGEST_HEX], d[ASSAY_DIGEST_HEX];
    return append(directory, EVENT_FILED, policy,
                  json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s?}", "name", policy->name, "policy",
                            assay_digest_hex(a, &policy->digest), "subjects",
                            assay_digest_hex(b, &subjects->digest), "subject_count",
                            (json_int_t)subjects->kept, "dataset", assay_digest_hex(c, dataset),
                            "dataset_name", dataset_name, "reference",
                            reference ? assay_digest_hex(d, reference) : NULL));
}

assay_status assay_gate_record(const assay_gate *gate, const assay_policy_subjects *subjects,
                               const assay_evidence *candidate, const char *directory, bool trial) {
    char a[ASSAY_DIGEST_HEX], b[ASSAY_DIGEST_HEX], c[ASSAY_DIGEST_HEX], d[ASSAY_DIGEST_HEX];
    const assay_policy *policy = gate->policy;
    return append(directory, EVENT_JUDGED, policy,
                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "name", policy->name,
                            "policy", assay_digest_hex(a, &policy->digest), "subjects",
                            assay_digest_hex(b, &subjects->digest), "dataset",
                            assay_digest_hex(c, &candidate->dataset_digest), "candidate",
                            assay_digest_hex(d, &candidate->templates_digest), "release",
                            candidate->release, "version", candidate->version, "verdict",
                            assay_verdict_name(gate->verdict), "trial", trial));
}

/* ---- reading ---- */

typedef struct {
    char policy[ASSAY_DIGEST_HEX], subjects[ASSAY_DIGEST_HEX], dataset[ASSAY_DIGEST_HEX];
    char reference[ASSAY_DIGEST_HEX], candidate[ASSAY_DIGEST_HEX]; /* "": there is none */
    const char *name;
    /* The last filing of exactly this, and the last of this name. */
    bool found, named;
    uint64_t record;
    char time[32], reference_filed[ASSAY_DIGEST_HEX];
    char named_policy[ASSAY_DIGEST_HEX], named_subjects[ASSAY_DIGEST_HEX], named_time[32];
    char named_dataset[ASSAY_DIGEST_HEX];
    /* Candidates of this data set. */
    char (*seen)[ASSAY_DIGEST_HEX];
    size_t seen_count, seen_capacity;
    uint64_t looks, trials;
} filing_search;

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void keep_text(char *into, size_t size, const char *text) {
    size_t length = strlen(text);
    if (length >= size) length = size - 1;
    memcpy(into, text, length);
    into[length] = '\0';
}

static void see_filed(filing_search *search, const json_t *record, const json_t *details) {
    if (!strcmp(text_of(details, "name"), search->name)) {
        search->named = true;
        keep_text(search->named_policy, ASSAY_DIGEST_HEX, text_of(details, "policy"));
        keep_text(search->named_subjects, ASSAY_DIGEST_HEX, text_of(details, "subjects"));
        keep_text(search->named_dataset, ASSAY_DIGEST_HEX, text_of(details, "dataset"));
        keep_text(search->named_time, sizeof search->named_time, text_of(record, "time"));
    }
    /* The first filing counts: filing the same again later takes nothing back. */
    if (search->found || strcmp(text_of(details, "policy"), search->policy) != 0 ||
        strcmp(text_of(details, "subjects"), search->subjects) != 0 ||
        strcmp(text_of(details, "dataset"), search->dataset) != 0)
        return;
    search->found = true;
    search->record = (uint64_t)json_integer_value(json_object_get(record, "n"));
    keep_text(search->time, sizeof search->time, text_of(record, "time"));
    keep_text(search->reference_filed, ASSAY_DIGEST_HEX, text_of(details, "reference"));
}

static assay_status see_candidate(filing_search *search, const char *candidate) {
    for (size_t n = 0; n < search->seen_count; ++n)
        if (!strcmp(search->seen[n], candidate)) return ASSAY_OK;
    assay_status status = assay_reserve(&search->seen, &search->seen_capacity,
                                        search->seen_count + 1, sizeof *search->seen, "candidates");
    if (status == ASSAY_OK)
        keep_text(search->seen[search->seen_count++], ASSAY_DIGEST_HEX, candidate);
    return status;
}

static assay_status see_record(void *context, const char *line, size_t length) {
    filing_search *search = context;
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *details = json_object_get(record, "details");
    const char *event = text_of(record, "event");
    assay_status status = ASSAY_OK;
    if (!strcmp(event, EVENT_FILED)) {
        see_filed(search, record, details);
    } else if (!strcmp(event, EVENT_JUDGED) &&
               !strcmp(text_of(details, "dataset"), search->dataset)) {
        ++search->looks;
        search->trials += json_is_true(json_object_get(details, "trial"));
        status = see_candidate(search, text_of(details, "candidate"));
    }
    json_decref(record);
    return status;
}

/* ---- when the candidate was scored ---- */

typedef struct {
    char seal[ASSAY_DIGEST_HEX], templates[ASSAY_DIGEST_HEX];
    bool found;      /* the record of this file */
    uint64_t record; /* the first evidence of these templates, under whatever name; 0: none */
    char time[32];
} evidence_search;

static assay_status see_sealed(void *context, const char *line, size_t length) {
    evidence_search *search = context;
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *details = json_object_get(record, "details");
    bool this_file = !strcmp(text_of(record, "seal_sha256"), search->seal);
    if (this_file || (!strcmp(text_of(record, "what"), "evidence") &&
                      !strcmp(text_of(details, "templates_digest"), search->templates))) {
        search->found = search->found || this_file;
        if (!search->record) {
            search->record = (uint64_t)json_integer_value(json_object_get(record, "n"));
            keep_text(search->time, sizeof search->time, text_of(record, "time"));
        }
    }
    json_decref(record);
    return ASSAY_OK;
}

static bool same_folder(const char *a, const char *b) {
    char *x = realpath(a, NULL), *y = realpath(b, NULL);
    bool same = x && y && !strcmp(x, y);
    free(x);
    free(y);
    return same;
}

/* The ledgers of the evidence's folder and of the gate say when these templates were scored first.
 */
static assay_status check_order(const assay_evidence *candidate, const char *path,
                                const char *directory, assay_gate_filing *filing) {
    evidence_search search = {0};
    char *folder = NULL;
    assay_text name = {0};
    assay_digest digest;
    assay_digest_hex(search.templates, &candidate->templates_digest);
    assay_text_appendf(&name, "%s.seal", path);
    assay_status status = assay_text_status(&name);
    if (status == ASSAY_OK) status = assay_path_directory(&folder, path);
    if (status == ASSAY_OK) status = assay_digest_file(name.bytes, &digest);
    if (status != ASSAY_OK) goto out;
    assay_digest_hex(search.seal, &digest);
    bool same = same_folder(folder, directory);
    evidence_search here = search;
    status = assay_ledger_walk(folder, see_sealed, &search);
    if (status == ASSAY_OK && !same) status = assay_ledger_walk(directory, see_sealed, &here);
    if (status != ASSAY_OK) goto out;
    filing->scored_unknown = !search.found;
    filing->scored_before = (here.record && here.record < filing->filed_record) ||
                            (search.found && (same ? search.record < filing->filed_record
                                                   : strcmp(search.time, filing->filed_time) < 0));
out:
    assay_text_free(&name);
    free(folder);
    return status;
}

/* ---- what is told ---- */

static assay_status tell_not_filed(const filing_search *search, const assay_policy *policy,
                                   const char *directory) {
    if (!search->named)
        return assay_fail(ASSAY_USAGE,
                          "policy %s was not filed in the ledger of %s: assay gate file %s files "
                          "it, before the candidate is scored (--trial judges without, and the "
                          "verdict says so)",
                          policy->name, directory, policy->path);
    bool other_policy = strcmp(search->named_policy, search->policy) != 0;
    bool other_subjects = strcmp(search->named_subjects, search->subjects) != 0;
    return assay_fail(
        ASSAY_USAGE,
        "policy %s was changed after it was filed on %s: %s%s%s not what was filed (%s %.12s…, "
        "filed %.12s…)",
        policy->name, search->named_time, other_policy ? "its text" : "",
        other_policy && other_subjects ? " and " : "",
        other_subjects ? other_policy ? "its list of subjects are" : "its list of subjects is"
        : other_policy ? " is"
                       : "its data set is",
        other_policy     ? "the file's SHA-256 is"
        : other_subjects ? "the list's is"
                         : "the data set's is",
        other_policy     ? search->policy
        : other_subjects ? search->subjects
                         : search->dataset,
        other_policy     ? search->named_policy
        : other_subjects ? search->named_subjects
                         : search->named_dataset);
}

static assay_status tell_order(const assay_gate_filing *filing, const assay_policy *policy,
                               const char *candidate_path) {
    if (filing->scored_unknown)
        return assay_fail(ASSAY_USAGE,
                          "no ledger beside %s says when it was made, so that nothing shows that "
                          "policy %s was filed before (--trial judges all the same, and the "
                          "verdict says so)",
                          candidate_path, policy->name);
    return assay_fail(ASSAY_USAGE,
                      "the candidate %s was scored before policy %s was filed on %s: a policy is "
                      "filed first (--trial judges all the same, and the verdict says so)",
                      candidate_path, policy->name, filing->filed_time);
}

assay_status assay_gate_check(const assay_policy *policy, const assay_policy_subjects *subjects,
                              const assay_evidence *reference, const assay_evidence *candidate,
                              const char *candidate_path, const char *directory, bool trial,
                              assay_gate_filing *out) {
    filing_search search = {.name = policy->name};
    assay_gate_filing filing = {.trial = trial};
    assay_digest_hex(search.policy, &policy->digest);
    assay_digest_hex(search.subjects, &subjects->digest);
    assay_digest_hex(search.dataset, &candidate->dataset_digest);
    assay_digest_hex(search.candidate, &candidate->templates_digest);
    if (reference) assay_digest_hex(search.reference, &reference->result_digest);
    keep_text(filing.ledger, sizeof filing.ledger, directory);
    assay_status status = assay_ledger_walk(directory, see_record, &search);
    if (status == ASSAY_OK) status = see_candidate(&search, search.candidate);
    if (status != ASSAY_OK) goto out;
    filing.filed = search.found;
    filing.filed_record = search.record;
    keep_text(filing.filed_time, sizeof filing.filed_time, search.time);
    filing.candidates = search.seen_count;
    filing.looks = search.looks + 1;
    filing.trials = search.trials + trial;
    if (!filing.filed && !trial) {
        status = tell_not_filed(&search, policy, directory);
        goto out;
    }
    if (filing.filed) status = check_order(candidate, candidate_path, directory, &filing);
    if (status == ASSAY_OK && filing.filed && reference && *search.reference_filed &&
        strcmp(search.reference_filed, search.reference) != 0)
        status = assay_fail(ASSAY_USAGE,
                            "the reference release is not the one that was filed with policy %s: "
                            "its result is %.12s…, filed was %.12s…",
                            policy->name, search.reference, search.reference_filed);
    if (status == ASSAY_OK && !trial && (filing.scored_before || filing.scored_unknown))
        status = tell_order(&filing, policy, candidate_path);
    if (status == ASSAY_OK) *out = filing;
out:
    free(search.seen);
    return status;
}
