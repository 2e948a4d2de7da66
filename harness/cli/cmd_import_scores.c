/* cmd_import_scores -- `assay import scores MATED NON-MATED`: scores that were made elsewhere. */
#include "datasets/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/imported.h"
#include "harness/config.h"
#include "harness/imports.h"
#include "harness/outputs.h"

typedef struct {
    const char *output, *labels, *column, *config;
    import_options about;
    bool json, quiet;
} scores_values;

/* Two lists, or one CSV with labels. */
static assay_status import(const scores_values *values, char **arguments, size_t count,
                           const assay_import_about *about, assay_import_result *result) {
    assay_config config = {0};
    assay_progress_bar bar;
    if (count == 2 && values->labels != NULL)
        return assay_fail(ASSAY_USAGE, "option --labels belongs to one CSV of comparisons with "
                                       "their samples, not to two lists");
    if (count == 2)
        return assay_import_score_lists(about, arguments[0], arguments[1], values->column,
                                        values->output, result);
    if (values->column != NULL)
        return assay_fail(ASSAY_USAGE, "option --column belongs to two lists; the column of scores "
                                       "of one CSV of comparisons is called score");
    if (values->labels == NULL)
        return assay_fail(ASSAY_USAGE, "one file of scores needs --labels; or give two: the mated "
                                       "scores, then the non-mated ones");
    assay_progress_bar_start(&bar, "import", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = ASSAY_OK;
    if (values->config != NULL) status = assay_config_read(values->config, &config);
    if (status == ASSAY_OK)
        status = assay_import_scored_pairs(about, arguments[0], values->labels,
                                           config.dataset.name == NULL ? NULL : &config.dataset,
                                           &progress, values->output, result);
    assay_progress_bar_clear(&bar);
    assay_config_free(&config);
    return status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const scores_values *values = given;
    assay_output_locks locks = {0};
    const assay_output output = {values->output, "evidence"};
    const char *const sources[] = {arguments[0], argument_count == 2 ? arguments[1] : NULL,
                                   values->labels, values->config};
    assay_protocol protocol = {0};
    assay_import_about about = {0};
    assay_import_result result = {0};
    assay_status status =
        assay_import_check_output(&output, sources, sizeof sources / sizeof *sources);
    if (status == ASSAY_OK) status = assay_outputs_lock(&output, 1, &locks);
    if (status == ASSAY_OK) status = assay_import_options_take(&values->about, &protocol, &about);
    if (status == ASSAY_OK) status = import(values, arguments, argument_count, &about, &result);
    if (status == ASSAY_OK)
        status = assay_print_imported(values->output, values->json, values->quiet, &result);
    assay_outputs_unlock(&locks);
    assay_protocol_free(&protocol);
    return status;
}

static const assay_option options[] = {
    {.name = "labels",
     .letter = 'l',
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(scores_values, labels),
     .value = "CSV",
     .purpose = "with COMPARISONS: labels, columns sample, subject and more"},
    {.name = "column",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(scores_values, column),
     .value = "NAME",
     .purpose = "with two lists: they are CSV with a header, this is their scores"},
    {.name = "config",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(scores_values, config),
     .value = "YAML",
     .purpose = "configuration whose `dataset` section declares the attributes"},
    IMPORT_OPTIONS(scores_values, about),
    IMPORT_SAMPLE_OPTIONS(scores_values, about),
    OPTION_OUTPUT(scores_values, "the evidence to write"),
    OPTION_JSON(scores_values),
    OPTION_QUIET(scores_values),
};
static const scores_values defaults = {.about = {.dataset = "imported"}};

const assay_command assay_command_import_scores = {
    .name = "import scores",
    .purpose = "make evidence of scores that were computed elsewhere",
    .arguments = "MATED NON-MATED | COMPARISONS --labels CSV",
    .description =
        "Two files: scores of comparisons of one person, and of two. Each is text with one number "
        "a line, .npy,\n"
        ".npz or HDF5 (FILE:NAME and FILE:/PATH name an array of several). Without subject ids "
        "nobody knows\n"
        "whose scores are whose, so reports give figures of these comparisons alone: no interval, "
        "and nothing\n"
        "that a gate could decide by. Or one CSV with the columns reference, probe (sample ids) "
        "and "
        "score, and\n"
        "labels of the samples: then reports have intervals and groups. nan is a comparison that "
        "gave no score:\n"
        "it is counted, and is no match at any threshold. Every number is kept exactly as it came.",
    .examples =
        (const char *const[]){"assay import scores mated.txt non_mated.txt --release vendor "
                              "--version 3 -o evidence.h5",
                              "assay import scores s.h5:/mated s.h5:/other --distance --release "
                              "vendor --version 3 -o e.h5",
                              "assay import scores pairs.csv --labels labels.csv --failed -1 "
                              "--release vendor --version 3 -o e.h5",
                              NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 2,
    .values_size = sizeof(scores_values),
    .defaults = &defaults,
    .run = run,
};
