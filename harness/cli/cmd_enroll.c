/* cmd_enroll -- `assay enroll dataset.h5 …`: a template of every sample by one release. */
#include <inttypes.h>
#include <string.h>

#include "datasets/base/text.h"
#include "harness/algorithms.h"
#include "harness/cli/command.h"
#include "harness/cli/enrolled.h"
#include "harness/outputs.h"
#include "harness/steps.h"

typedef struct {
    const char *output, *algorithm, *plugin, *config_directory, *release, *version;
    assay_option_words parameters, readable;
    uint64_t threads, seconds, memory, checkpoint;
    bool json, quiet;
} enroll_values;

assay_status assay_print_enrolled(const char *path, bool json, bool quiet,
                                  const assay_enroll_result *result) {
    char hex[ASSAY_DIGEST_HEX];
    if (json)
        return assay_print_json(
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "path", path, "enrolled",
                      (json_int_t)result->enrolled, "refused", (json_int_t)result->refused,
                      "failed", (json_int_t)result->failed, "excluded",
                      (json_int_t)result->excluded, "digest", assay_json_digest(&result->digest)));
    if (quiet) return ASSAY_OK;
    assay_print_field("templates", "%s", path);
    assay_print_field("enrolled", "%" PRIu64, result->enrolled);
    assay_print_field("refused", "%" PRIu64 "  (failure to enrol)", result->refused);
    assay_print_field("failed", "%" PRIu64 "  (failure to enrol)", result->failed);
    assay_print_field("excluded", "%" PRIu64 "  (never reached the algorithm)", result->excluded);
    assay_print_field("digest", "%s", assay_digest_hex(hex, &result->digest));
    return ASSAY_OK;
}

static assay_status check_parameters(const assay_option_words *parameters) {
    char shown[160];
    for (size_t n = 0; n < parameters->count; n++) {
        const char *equals = strchr(parameters->items[n], '=');
        if (equals != NULL && equals != parameters->items[n]) continue;
        return assay_fail(ASSAY_USAGE, "option --parameter: '%s' is not KEY=VALUE",
                          assay_printable(shown, sizeof shown, parameters->items[n]));
    }
    return ASSAY_OK;
}

static assay_status check_algorithm(const enroll_values *values) {
    if ((values->algorithm != NULL) + (values->plugin != NULL) != 1)
        return assay_fail(ASSAY_USAGE, "one of --algorithm and --plugin is needed");
    if (values->plugin != NULL && values->release == NULL)
        return assay_fail(ASSAY_USAGE, "--plugin needs --release, what people call the release");
    if (values->plugin == NULL && (values->config_directory != NULL || values->readable.count > 0 ||
                                   values->seconds > 0 || values->memory > 0))
        return assay_fail(ASSAY_USAGE,
                          "--config-dir, --readable, --seconds and --memory belong to --plugin");
    return check_parameters(&values->parameters);
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const enroll_values *values = given;
    assay_enroll_result result = {0};
    assay_progress_bar bar;
    (void)argument_count;
    assay_progress_bar_start(&bar, "enroll", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_release release = {.release =
                                 values->release == NULL ? values->algorithm : values->release,
                             .version = values->version,
                             .algorithm = values->algorithm,
                             .parameters = (const char *const *)values->parameters.items,
                             .plugin = values->plugin,
                             .config_directory = values->config_directory,
                             .readable = (const char *const *)values->readable.items,
                             .template_seconds = (unsigned)values->seconds,
                             .memory_bytes = values->memory};
    const assay_enroll_options how = {.threads = (unsigned)values->threads,
                                      .checkpoint_seconds = (unsigned)values->checkpoint};
    assay_output_locks locks = {0};
    const assay_output output = {values->output, "templates"};
    const char *const inputs[] = {arguments[0], values->plugin};
    assay_status status = check_algorithm(values);
    if (status == ASSAY_OK) status = assay_outputs_check(&output, 1, inputs, 2);
    if (status == ASSAY_OK) status = assay_outputs_lock(&output, 1, &locks);
    if (status == ASSAY_OK)
        status = assay_enroll(arguments[0], &release, &how, values->output, &progress, &result);
    assay_progress_bar_clear(&bar);
    assay_outputs_unlock(&locks);
    if (status != ASSAY_OK) return status;
    return assay_print_enrolled(values->output, values->json, values->quiet, &result);
}

static const assay_option options[] = {
    {.name = "algorithm",
     .letter = 'a',
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(enroll_values, algorithm),
     .value = "NAME",
     .purpose = "built-in algorithm: lbp, lbp-normalised"},
    {.name = "plugin",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(enroll_values, plugin),
     .value = "FILE",
     .purpose = "instead: a shared library with assay's interface, run confined"},
    {.name = "config-dir",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(enroll_values, config_directory),
     .value = "DIR",
     .purpose = "configuration directory of the plug-in, which it may read"},
    {.name = "readable",
     .kind = ASSAY_OPTION_EACH,
     .offset = offsetof(enroll_values, readable),
     .value = "PATH",
     .purpose = "one more folder or file that the plug-in may read"},
    {.name = "seconds",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(enroll_values, seconds),
     .value = "N",
     .low = 1,
     .high = 86400,
     .purpose = "longest that the plug-in may take for a template",
     .shown = "60"},
    {.name = "memory",
     .kind = ASSAY_OPTION_SIZE,
     .offset = offsetof(enroll_values, memory),
     .value = "SIZE",
     .purpose = "address space of each worker that runs the plug-in",
     .shown = "4G"},
    {.name = "parameter",
     .letter = 'p',
     .kind = ASSAY_OPTION_EACH,
     .offset = offsetof(enroll_values, parameters),
     .value = "KEY=VALUE",
     .purpose = "parameter of the algorithm; may be given several times"},
    {.name = "release",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(enroll_values, release),
     .value = "NAME",
     .purpose = "what people call the release",
     .shown = "the algorithm's name"},
    {.name = "version",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(enroll_values, version),
     .value = "V",
     .purpose = "the release's version",
     .required = true},
    OPTION_OUTPUT(enroll_values, "the templates to write"),
    {.name = "checkpoint",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(enroll_values, checkpoint),
     .value = "SECONDS",
     .low = 0,
     .high = 86400,
     .purpose = "seal what is done so often, to go on from it; 0: never",
     .shown = "10"},
    OPTION_THREADS(enroll_values),
    OPTION_JSON(enroll_values),
    OPTION_QUIET(enroll_values),
};
static const enroll_values defaults = {.checkpoint = ASSAY_ENROLL_CHECKPOINT};

const assay_command assay_command_enroll = {
    .name = "enroll",
    .purpose = "make the templates of a release from a data set",
    .arguments = "DATASET",
    .description = "Gives every image of DATASET to the algorithm and keeps the templates with "
                   "their labels. An\n"
                   "image that the algorithm refuses or breaks on is a failure to enrol: a figure, "
                   "not a fault.\n"
                   "An enrolment that was interrupted or killed goes on where it stopped.",
    .examples =
        (const char *const[]){"assay enroll dataset.h5 -a lbp --version 1.0 -o templates.h5",
                              "assay enroll dataset.h5 -a lbp -p grid=8 --release lbp8 "
                              "--version 1.0 -o lbp8.h5",
                              "assay enroll dataset.h5 --plugin libface.so --config-dir face "
                              "--release face --version 2 -o face.h5",
                              NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(enroll_values),
    .defaults = &defaults,
    .run = run,
};
