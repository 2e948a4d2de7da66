/* cmd_import_scores -- `assay import scores MATED NON-MATED`: scores that were made elsewhere. */
#include <inttypes.h>
#include <stdlib.h>

#include "datasets/base/text.h"
#include "datasets/score_list.h"
#include "harness/cli/command.h"
#include "harness/cli/imported.h"
#include "harness/imports.h"
#include "harness/outputs.h"

typedef struct {
    const char *output;
    import_options about;
    bool json, quiet;
} scores_values;

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const scores_values *values = given;
    const assay_output output = {values->output, "evidence"};
    const char *const inputs[] = {arguments[0], arguments[1]};
    assay_protocol protocol = {0};
    assay_import_about about = {0};
    assay_import_result result = {0};
    (void)argument_count;
    assay_status status = assay_outputs_check(&output, 1, inputs, 2);
    if (status == ASSAY_OK) status = assay_import_options_take(&values->about, &protocol, &about);
    if (status == ASSAY_OK)
        status =
            assay_import_score_lists(&about, arguments[0], arguments[1], values->output, &result);
    if (status == ASSAY_OK)
        status = assay_print_imported(values->output, values->json, values->quiet, &result);
    assay_protocol_free(&protocol);
    return status;
}

static const assay_option options[] = {
    IMPORT_OPTIONS(scores_values, about),
    OPTION_OUTPUT(scores_values, "the evidence to write"),
    OPTION_JSON(scores_values),
    OPTION_QUIET(scores_values),
};
static const scores_values defaults = {.about = {.dataset = "imported"}};

const assay_command assay_command_import_scores = {
    .name = "import scores",
    .purpose = "make evidence of scores that were computed elsewhere",
    .arguments = "MATED NON-MATED",
    .description =
        "Two files of numbers, one a line: scores of comparisons of one person, and of two. nan is "
        "a\n"
        "comparison that gave no score: it is counted, and is no match at any threshold. Every "
        "number is\n"
        "kept exactly as it came. Without subject ids nobody knows whose scores are whose, so "
        "reports give\n"
        "figures of these comparisons alone: no interval, and nothing that a gate could decide "
        "by.",
    .examples =
        (const char *const[]){"assay import scores mated.txt non_mated.txt --release vendor "
                              "--version 3 -o evidence.h5",
                              "assay import scores m.txt n.txt --distance --failed -1 --release "
                              "vendor --version 3 -o e.h5",
                              NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 2,
    .most_arguments = 2,
    .values_size = sizeof(scores_values),
    .defaults = &defaults,
    .run = run,
};
