/* cmd_gate -- `assay gate POLICY.yaml`: may a release ship, by a policy that was filed before it
 * was scored (`assay gate file POLICY.yaml`). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "harness/cli/command.h"
#include "harness/outputs.h"
#include "reports/gate.h"

#define EXIT_GATE_FAILED 3
#define EXIT_NOT_ENOUGH 4

typedef struct {
    const char *reference, *candidate, *data, *ledger, *output;
    bool trial, json, quiet;
} gate_values;

/* The policy's folder, where no other ledger is named. */
static assay_status ledger_folder(const gate_values *values, const char *policy, char **out) {
    if (values->ledger == NULL) return assay_path_directory(out, policy);
    assay_status status = assay_make_directories(values->ledger);
    return status == ASSAY_OK ? assay_copy_string(out, values->ledger) : status;
}

/* ---- filing ---- */

/* Who is in the data, and which release is compared with where that is its evidence. */
typedef struct {
    assay_sample_table table;
    assay_digest dataset, result;
    char *dataset_name;
    bool is_reference;
} filed_data;

static void free_data(filed_data *data) {
    assay_sample_table_free(&data->table);
    free(data->dataset_name);
}

static assay_status take(const assay_sample_table *table, const assay_digest *dataset,
                         const char *name, filed_data *out) {
    out->dataset = *dataset;
    assay_status status = assay_copy_string(&out->dataset_name, name);
    return status == ASSAY_OK ? assay_sample_table_copy(table, &out->table) : status;
}

static assay_status read_data(const char *path, filed_data *out) {
    assay_container_kind kind;
    assay_dataset *dataset = NULL;
    assay_templates *templates = NULL;
    assay_evidence evidence = {0};
    assay_status status = assay_container_kind_of(path, &kind);
    if (status != ASSAY_OK) return status;
    if (kind == ASSAY_CONTAINER_DATASET) {
        status = assay_dataset_open(path, &dataset);
        if (status != ASSAY_OK) return status;
        const assay_dataset_head *head = assay_dataset_get_head(dataset);
        status = take(&head->table, &head->digest, head->name, out);
        assay_dataset_close(dataset);
    } else if (kind == ASSAY_CONTAINER_TEMPLATES) {
        status = assay_templates_open(path, &templates);
        if (status != ASSAY_OK) return status;
        const assay_templates_head *head = assay_templates_get_head(templates);
        status = take(&head->table, &head->dataset_digest, head->dataset_name, out);
        assay_templates_close(templates);
    } else if (kind == ASSAY_CONTAINER_EVIDENCE) {
        status = assay_evidence_read(path, &evidence);
        if (status == ASSAY_OK)
            status = take(&evidence.table, &evidence.dataset_digest, evidence.dataset_name, out);
        out->result = evidence.result_digest;
        assay_evidence_free(&evidence);
    } else {
        status = assay_fail(ASSAY_USAGE,
                            "%s is partial evidence, expected a data set, templates or "
                            "evidence",
                            path);
    }
    return status;
}

static assay_status print_filed(const gate_values *values, const assay_policy *policy,
                                const assay_policy_subjects *subjects, const filed_data *data,
                                const char *folder) {
    char hex[ASSAY_DIGEST_HEX], count[ASSAY_NUMBER_SIZE];
    if (values->json)
        return assay_print_json(json_pack("{s:s, s:o, s:I, s:o, s:o, s:s}", "policy", policy->name,
                                          "policy_digest", assay_json_digest(&policy->digest),
                                          "subjects", (json_int_t)subjects->kept, "subjects_digest",
                                          assay_json_digest(&subjects->digest), "dataset_digest",
                                          assay_json_digest(&data->dataset), "ledger", folder));
    if (values->quiet) return ASSAY_OK;
    assay_print_field("filed", "policy %s in the ledger of %s", policy->name, folder);
    assay_print_field("policy", "%s", assay_digest_hex(hex, &policy->digest));
    assay_print_field("subjects", "%s, list %s", assay_print_count(count, subjects->kept),
                      assay_digest_hex(hex, &subjects->digest));
    assay_print_field("data set", "%s", assay_digest_hex(hex, &data->dataset));
    return ASSAY_OK;
}

static assay_status file_policy(const gate_values *values, const char *path) {
    assay_policy policy = {0};
    assay_policy_subjects subjects = {0};
    filed_data data = {0};
    char *folder = NULL;
    const char *from = values->reference != NULL ? values->reference : values->data;
    if ((values->reference == NULL) == (values->data == NULL))
        return assay_fail(ASSAY_USAGE,
                          "gate file needs either --reference EVIDENCE or --data FILE: "
                          "it records whom the policy judges by");
    if (values->candidate != NULL)
        return assay_fail(ASSAY_USAGE, "gate file takes no --candidate: a policy is filed before "
                                       "the candidate is scored");
    if (values->output != NULL || values->trial)
        return assay_fail(ASSAY_USAGE, "gate file takes neither --output nor --trial: it judges "
                                       "nothing");
    assay_status status = assay_policy_read(path, &policy);
    if (status == ASSAY_OK) status = read_data(from, &data);
    if (status == ASSAY_OK && values->reference != NULL && assay_digest_is_zero(&data.result))
        status = assay_fail(ASSAY_USAGE,
                            "--reference %s is no evidence; --data takes data sets and "
                            "templates",
                            from);
    if (status == ASSAY_OK && !data.table.row_count)
        status = assay_fail(ASSAY_USAGE, "%s has no samples: the gate judges by people", from);
    if (status == ASSAY_OK) status = assay_policy_pick(&policy, &data.table, &subjects);
    if (status == ASSAY_OK) status = ledger_folder(values, path, &folder);
    if (status == ASSAY_OK)
        status = assay_gate_file(&policy, &subjects, &data.dataset, data.dataset_name,
                                 values->reference != NULL ? &data.result : NULL, folder);
    if (status == ASSAY_OK) status = print_filed(values, &policy, &subjects, &data, folder);
    assay_policy_free(&policy);
    assay_policy_subjects_free(&subjects);
    free_data(&data);
    free(folder);
    return status;
}

/* ---- judging ---- */

static assay_status print_verdict(const gate_values *values, const assay_gate *gate,
                                  const assay_gate_filing *filing) {
    size_t passed = 0;
    for (size_t n = 0; n < gate->criterion_count; n++)
        passed += assay_state_passes(gate->criteria[n].state);
    if (values->json)
        return assay_print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:b, s:s+, s:s+}", "verdict", assay_verdict_name(gate->verdict),
            "criteria", (json_int_t)gate->criterion_count, "passed", (json_int_t)passed,
            "candidates", (json_int_t)filing->candidates, "trial", filing->trial, "page",
            values->output, "/index.html", "json", values->output, "/verdict.json"));
    if (values->quiet) return ASSAY_OK;
    assay_print_field("verdict", "%s%s", assay_verdict_name(gate->verdict),
                      filing->trial ? " (a trial, not a decision)" : "");
    assay_print_field("criteria", "%zu of %zu pass", passed, gate->criterion_count);
    for (size_t n = 0; n < gate->criterion_count; n++) {
        const assay_gate_criterion *criterion = &gate->criteria[n];
        if (assay_state_passes(criterion->state)) continue;
        char count[ASSAY_NUMBER_SIZE];
        const bool known = criterion->needed < 1e15;
        printf("            %s%s%s%s%s: %s%s%s%s\n", criterion->what,
               criterion->attribute == NULL ? "" : ", ",
               criterion->attribute == NULL ? "" : criterion->attribute,
               criterion->attribute == NULL ? "" : " ",
               criterion->attribute == NULL ? "" : criterion->group,
               assay_state_name(criterion->state), known ? "; about " : "",
               known ? assay_print_count(count, (uint64_t)criterion->needed) : "",
               known ? " subjects would decide it" : "");
    }
    assay_print_field("candidates", "%" PRIu64 " judged on this data set so far",
                      filing->candidates);
    assay_print_field("page", "%s/index.html", values->output);
    return ASSAY_OK;
}

static assay_status judge_release(const gate_values *values, const char *path, int *out_exit) {
    static const int codes[] = {[ASSAY_VERDICT_PASS] = 0,
                                [ASSAY_VERDICT_FAIL] = EXIT_GATE_FAILED,
                                [ASSAY_VERDICT_NOT_ENOUGH] = EXIT_NOT_ENOUGH};
    assay_policy policy = {0};
    assay_policy_subjects subjects = {0};
    assay_evidence evidence[2] = {{0}}, *candidate = &evidence[0], *reference = NULL;
    assay_gate gate = {0};
    assay_gate_filing filing;
    char *folder = NULL;
    if (values->candidate == NULL)
        return assay_fail(ASSAY_USAGE, "option --candidate EVIDENCE is needed");
    if (values->output == NULL) return assay_fail(ASSAY_USAGE, "option --output PATH is needed");
    if (values->data != NULL) return assay_fail(ASSAY_USAGE, "--data belongs to gate file");
    assay_status status = assay_output_folder_check(values->output, ASSAY_FOLDER_GATE);
    if (status == ASSAY_OK) status = assay_policy_read(path, &policy);
    if (status == ASSAY_OK) status = assay_evidence_read(values->candidate, candidate);
    if (status == ASSAY_OK && values->reference != NULL) {
        reference = &evidence[1];
        status = assay_evidence_read(values->reference, reference);
    }
    if (status == ASSAY_OK && !assay_evidence_has_samples(candidate))
        status = assay_fail(ASSAY_USAGE,
                            "%s has scores without subject ids: nobody knows how sure its rates "
                            "are, and the gate judges by people",
                            values->candidate);
    if (status == ASSAY_OK) status = assay_policy_pick(&policy, &candidate->table, &subjects);
    if (status == ASSAY_OK) status = ledger_folder(values, path, &folder);
    if (status == ASSAY_OK)
        status = assay_gate_check(&policy, &subjects, reference, candidate, values->candidate,
                                  folder, values->trial, &filing);
    if (status == ASSAY_OK)
        status = assay_gate_judge(&policy, &subjects, reference, candidate, &gate);
    /* First the record: whoever saw a verdict had it counted. */
    if (status == ASSAY_OK)
        status = assay_gate_record(&gate, &subjects, candidate, folder, values->trial);
    if (status == ASSAY_OK)
        status = assay_gate_write(&gate, &subjects, &filing, reference, candidate, values->output);
    if (status == ASSAY_OK) status = print_verdict(values, &gate, &filing);
    if (status == ASSAY_OK) *out_exit = codes[gate.verdict];
    assay_gate_free(&gate);
    assay_policy_free(&policy);
    assay_policy_subjects_free(&subjects);
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
    free(folder);
    return status;
}

static assay_status judge(const void *given, char **arguments, size_t argument_count,
                          int *out_exit) {
    const gate_values *values = given;
    if (strcmp(arguments[0], "file") != 0) {
        if (argument_count == 1) return judge_release(values, arguments[0], out_exit);
        return assay_fail(ASSAY_USAGE, "unexpected argument '%s'; expected POLICY, or file POLICY",
                          arguments[1]);
    }
    if (argument_count == 2) return file_policy(values, arguments[1]);
    return assay_fail(ASSAY_USAGE, "gate file needs a policy: assay gate file POLICY");
}

#define AT(field) .offset = offsetof(gate_values, field)
static const assay_option options[] = {
    {.name = "candidate",
     .letter = 'c',
     .kind = ASSAY_OPTION_TEXT,
     AT(candidate),
     .value = "EVIDENCE",
     .purpose = "of the release that is to ship"},
    {.name = "reference",
     .letter = 'r',
     .kind = ASSAY_OPTION_TEXT,
     AT(reference),
     .value = "EVIDENCE",
     .purpose = "of the release that it is compared with"},
    {.name = "output",
     .letter = 'o',
     .kind = ASSAY_OPTION_TEXT,
     AT(output),
     .value = "PATH",
     .purpose = "the folder to write the verdict into"},
    {.name = "data",
     .kind = ASSAY_OPTION_TEXT,
     AT(data),
     .value = "FILE",
     .purpose = "file: whose subjects; a data set, templates or evidence"},
    {.name = "ledger",
     .kind = ASSAY_OPTION_TEXT,
     AT(ledger),
     .value = "DIR",
     .purpose = "folder whose ledger records filings and judgements",
     .shown = "the policy's folder"},
    {.name = "trial",
     .kind = ASSAY_OPTION_FLAG,
     AT(trial),
     .purpose = "judge without a filed policy; the page says that it decides nothing"},
    OPTION_JSON(gate_values),
    OPTION_QUIET(gate_values),
};
static const gate_values defaults = {0};

const assay_command assay_command_gate = {
    .name = "gate",
    .purpose = "may this release ship, by a policy that was filed before",
    .arguments = "[file] POLICY",
    .description =
        "`gate file POLICY` records in the ledger what the policy asks and by whom it judges,\n"
        "before the candidate is scored. `gate POLICY` then judges every criterion at the one\n"
        "deployment threshold and writes DIR/index.html, to be printed and signed, and\n"
        "DIR/verdict.json. A policy or list of subjects that was changed since is told.\n"
        "configs/README.md has the keys of a policy.",
    .examples =
        (const char *const[]){
            "assay gate file policy.yaml --reference evidence-1.0.h5",
            "assay gate policy.yaml -r evidence-1.0.h5 -c evidence-1.1.h5 -o gate", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 2,
    .values_size = sizeof(gate_values),
    .defaults = &defaults,
    .judge = judge,
    .exit_statuses = "     0 here: PASS, every criterion is met\n"
                     "  3  FAIL: a criterion is missed beyond chance\n"
                     "  4  NOT ENOUGH DATA: nothing fails, and not everything passes\n",
};
