/* cmd_manifest -- `assay manifest CONFIG --hash -o FILE.csv`: a manifest with the SHA-256 of each
 * image. */
#include <inttypes.h>

#include "datasets/base/file.h"
#include "harness/cli/command.h"
#include "harness/config.h"

typedef struct {
    const char *output;
    bool hash, json, quiet;
} manifest_values;

static assay_status print_result(const manifest_values *values,
                                 const assay_manifest_hashes *found) {
    if (values->json)
        return assay_print_json(json_pack(
            "{s:s, s:I, s:I, s:I}", "path", values->output, "samples", (json_int_t)found->samples,
            "subjects", (json_int_t)found->subjects, "added", (json_int_t)found->added));
    if (values->quiet) return ASSAY_OK;
    assay_print_field("manifest", "%s", values->output);
    assay_print_field("samples", "%" PRIu64 " of %" PRIu64 " subjects", found->samples,
                      found->subjects);
    assay_print_field("digests", "%" PRIu64 " added, %" PRIu64 " were there and are right",
                      found->added, found->samples - found->added);
    return ASSAY_OK;
}

/* A manifest has no seal that says whose it is, so none is ever replaced. */
static assay_status check_request(const manifest_values *values, const assay_config *config) {
    if (!values->hash)
        return assay_fail(ASSAY_USAGE,
                          "nothing to do: expected --hash, which writes the manifest with the "
                          "SHA-256 of each image");
    if (config->dataset.name == NULL)
        return assay_fail(ASSAY_USAGE, "%s has no `dataset`, whose images could be hashed",
                          config->path);
    if (assay_file_exists(values->output))
        return assay_fail(ASSAY_USAGE,
                          "cannot write %s: it is there already, and may be a manifest in use; "
                          "expected another name",
                          values->output);
    return ASSAY_OK;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const manifest_values *values = given;
    assay_config config = {0};
    assay_manifest_hashes found = {0};
    assay_progress_bar bar;
    (void)argument_count;
    assay_progress_bar_start(&bar, "manifest", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = assay_config_read(arguments[0], &config);
    if (status == ASSAY_OK) status = check_request(values, &config);
    if (status == ASSAY_OK)
        status = assay_manifest_write_hashes(&config.dataset, values->output, &progress, &found);
    if (status == ASSAY_OK && found.formulas)
        assay_progress_note(&progress,
                            "%" PRIu64 " cells begin as formulas of spreadsheets do, and are "
                            "written as they are",
                            found.formulas);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK) status = print_result(values, &found);
    assay_config_free(&config);
    return status;
}

static const assay_option options[] = {
    OPTION_OUTPUT(manifest_values, "the manifest to write, a CSV file"),
    {.name = "hash",
     .kind = ASSAY_OPTION_FLAG,
     .offset = offsetof(manifest_values, hash),
     .purpose = "add the SHA-256 of every image"},
    OPTION_JSON(manifest_values),
    OPTION_QUIET(manifest_values),
};
static const manifest_values defaults = {0};

const assay_command assay_command_manifest = {
    .name = "manifest",
    .purpose = "write a manifest with the SHA-256 of each image",
    .arguments = "CONFIG",
    .description =
        "Reads and checks the manifest of the `dataset` section of CONFIG, hashes every image, and "
        "writes the\n"
        "manifest as it is with a column `sha256`. Who evaluates by that manifest later excludes "
        "every image that\n"
        "is no longer the one that was listed: most formats do not notice changed pixels "
        "themselves.",
    .examples = (const char *const[]){"assay manifest faces.yaml --hash -o faces-hashed.csv", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(manifest_values),
    .defaults = &defaults,
    .run = run,
};
