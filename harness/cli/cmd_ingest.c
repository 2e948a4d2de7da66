/* cmd_ingest -- `assay ingest CONFIG -o dataset.h5`: a manifest and its images to a data set. */
#include <inttypes.h>
#include <stdlib.h>

#include "datasets/base/file.h"
#include "harness/cli/command.h"
#include "harness/config.h"
#include "harness/outputs.h"
#include "harness/run.h"
#include "harness/steps.h"

typedef struct {
    const char *output;
    bool json, quiet;
} ingest_values;

static assay_status print_result(const ingest_values *values, const assay_ingest_result *result) {
    char hex[ASSAY_DIGEST_HEX];
    if (values->json)
        return assay_print_json(
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "path", values->output, "samples",
                      (json_int_t)result->samples, "subjects", (json_int_t)result->subjects,
                      "excluded", (json_int_t)result->excluded, "warnings",
                      (json_int_t)result->warnings, "digest", assay_json_digest(&result->digest)));
    if (values->quiet) return ASSAY_OK;
    assay_print_field("data set", "%s", values->output);
    assay_print_field("samples", "%" PRIu64 " of %" PRIu64 " subjects", result->samples,
                      result->subjects);
    assay_print_field("excluded", "%" PRIu64, result->excluded);
    assay_print_field("warnings", "%" PRIu64, result->warnings);
    assay_print_field("digest", "%s", assay_digest_hex(hex, &result->digest));
    return ASSAY_OK;
}

/* The images of a built-in population are rendered beside the data set, as `run` does. */
static assay_status declare_population(const assay_config *config, const char *output,
                                       const assay_progress *progress,
                                       assay_manifest_declaration *out) {
    char *parent = NULL, *directory = NULL;
    bool made;
    assay_status status = assay_path_directory(&parent, output);
    if (status == ASSAY_OK) status = assay_path_join(&directory, parent, "population");
    if (status == ASSAY_OK)
        status = assay_run_population(&config->population, config->name, directory, false, false,
                                      progress, &made);
    if (status == ASSAY_OK) status = assay_run_population_declare(directory, out);
    free(parent);
    free(directory);
    return status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const ingest_values *values = given;
    assay_config config = {0};
    assay_manifest_declaration rendered = {0};
    assay_ingest_result result = {0};
    assay_progress_bar bar;
    (void)argument_count;
    assay_progress_bar_start(&bar, "ingest", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_output_locks locks = {0};
    const assay_output output = {values->output, "dataset"};
    assay_status status = assay_config_read(arguments[0], &config);
    const char *const inputs[] = {arguments[0], config.dataset.csv};
    if (status == ASSAY_OK) status = assay_outputs_check(&output, 1, inputs, 2);
    if (status == ASSAY_OK) status = assay_outputs_lock(&output, 1, &locks);
    if (status == ASSAY_OK && config.is_population)
        status = declare_population(&config, values->output, &progress, &rendered);
    else if (status == ASSAY_OK && config.dataset.name == NULL)
        status = assay_fail(ASSAY_USAGE, "%s has no `dataset` and no `population` to ingest",
                            arguments[0]);
    if (status == ASSAY_OK)
        status = assay_ingest(config.is_population ? &rendered : &config.dataset, values->output,
                              &progress, &result);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK) status = print_result(values, &result);
    assay_outputs_unlock(&locks);
    assay_manifest_declaration_free(&rendered);
    assay_config_free(&config);
    return status;
}

static const assay_option options[] = {
    OPTION_OUTPUT(ingest_values, "the data set to write"),
    OPTION_JSON(ingest_values),
    OPTION_QUIET(ingest_values),
};
static const ingest_values defaults = {0};

const assay_command assay_command_ingest = {
    .name = "ingest",
    .purpose = "make a data set of a manifest and its images",
    .arguments = "CONFIG",
    .description = "Reads the `dataset` section of CONFIG, checks the manifest (every fault in one "
                   "pass), decodes\n"
                   "every image once in a confined process, and packs images, labels and digests "
                   "into one file.\n"
                   "An image that cannot be decoded is an excluded sample with its reason.",
    .examples = (const char *const[]){"assay ingest configs/london.yaml -o london.h5", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(ingest_values),
    .defaults = &defaults,
    .run = run,
};
