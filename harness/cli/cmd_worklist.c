/* cmd_worklist -- `assay worklist EVIDENCE… -o DIR`: errors for people to look at. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "harness/cli/command.h"
#include "harness/cli/deployed.h"
#include "harness/outputs.h"
#include "reports/worklist.h"

typedef struct {
    const char *output, *fmr, *threshold;
    uint64_t limit;
    bool json, quiet;
} worklist_values;

static assay_status print_lists(const worklist_values *values, const assay_worklist *worklist) {
    char found[ASSAY_NUMBER_SIZE], listed[ASSAY_NUMBER_SIZE];
    json_t *lists = json_array();
    for (size_t n = 0; n < worklist->list_count; n++) {
        const assay_work_list *list = &worklist->lists[n];
        const assay_evidence *release = &worklist->evidence[list->release];
        const char *name = assay_work_kind_name(list->kind);
        json_array_append_new(lists, json_pack("{s:s, s:s, s:s, s:I, s:I}", "list", name, "release",
                                               release->release, "version", release->version,
                                               "found", (json_int_t)list->found, "listed",
                                               (json_int_t)list->count));
        if (!values->json && !values->quiet)
            printf("%-15s%s %s: %s of %s\n", name, release->release, release->version,
                   assay_print_count(listed, list->count), assay_print_count(found, list->found));
    }
    if (values->json)
        return assay_print_json(json_pack("{s:s+, s:o}", "worklists", values->output,
                                          "/worklists.json", "lists", lists));
    json_decref(lists);
    if (!values->quiet) printf("%-15s%s/worklists.json\n", "everything", values->output);
    return ASSAY_OK;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const worklist_values *values = given;
    assay_evidence *evidence = NULL;
    assay_worklist worklist = {0};
    assay_deployment deployment;
    assay_status status = assay_read_deployment(values->fmr, values->threshold, &deployment);
    if (status == ASSAY_OK)
        status = assay_output_folder_check(values->output, ASSAY_FOLDER_WORKLISTS);
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence, argument_count, sizeof *evidence, "evidence");
    for (size_t n = 0; status == ASSAY_OK && n < argument_count; n++)
        status = assay_evidence_read(arguments[n], &evidence[n]);
    if (status == ASSAY_OK)
        status =
            assay_worklist_make(evidence, argument_count, &deployment, values->limit, &worklist);
    if (status == ASSAY_OK) status = assay_worklist_write(&worklist, values->output);
    if (status == ASSAY_OK) status = print_lists(values, &worklist);
    assay_worklist_free(&worklist);
    for (size_t n = 0; evidence != NULL && n < argument_count; n++)
        assay_evidence_free(&evidence[n]);
    free(evidence);
    return status;
}

static const assay_option options[] = {
    OPTION_OUTPUT(worklist_values, "the folder to write the lists into"),
    {.name = "fmr",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(worklist_values, fmr),
     .value = "F",
     .purpose = "the deployment threshold is the one for this FMR on this set",
     .shown = "what the last evidence was made for"},
    {.name = "threshold",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(worklist_values, threshold),
     .value = "T",
     .purpose = "the deployment threshold of every release"},
    {.name = "limit",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(worklist_values, limit),
     .value = "N",
     .low = 1,
     .high = 1000000,
     .purpose = "most items of a list; how many there are is always told",
     .shown = "100"},
    OPTION_JSON(worklist_values),
    OPTION_QUIET(worklist_values),
};
static const worklist_values defaults = {.limit = 100};

const assay_command assay_command_worklist = {
    .name = "worklist",
    .purpose = "lists of errors for people to look at",
    .arguments = "EVIDENCE...",
    .description =
        "Writes DIR/worklists.json, and non_mated.csv, mated.csv, disagreements.csv and labels.csv "
        "of it:\n"
        "the highest non-mated and the lowest mated comparisons, those on which each earlier "
        "release and the\n"
        "last disagree, and where one of two labels may be wrong. Every item says why it is there. "
        "They name\n"
        "people and are not for publication.",
    .examples =
        (const char *const[]){"assay worklist evidence.h5 -o look",
                              "assay worklist old.h5 new.h5 -o look --fmr 1e-4 --limit 50", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = SIZE_MAX,
    .values_size = sizeof(worklist_values),
    .defaults = &defaults,
    .run = run,
};
