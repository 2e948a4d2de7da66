/* cmd_import_matrix -- `assay import matrix SCORES --labels CSV`: a matrix of scores made
 * elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "datasets/array_file.h"
#include "datasets/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/imported.h"
#include "harness/config.h"
#include "harness/imports.h"
#include "harness/outputs.h"

typedef struct {
    const char *output, *array, *labels, *mask, *targets, *queries, *triangle, *config;
    import_options about;
    bool json, quiet;
} matrix_values;

static assay_status check_triangle(const char *given) {
    static const char *const known[] = {"upper", "lower"};
    char shown[80], suggestion[160];
    if (given == NULL || strcmp(given, known[0]) == 0 || strcmp(given, known[1]) == 0)
        return ASSAY_OK;
    return assay_fail(ASSAY_USAGE, "option --triangle: unknown half '%s': %s",
                      assay_printable(shown, sizeof shown, given),
                      assay_suggest(suggestion, sizeof suggestion, given, known, 2));
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const matrix_values *values = given;
    assay_output_locks locks = {0};
    const assay_output output = {values->output, "evidence"};
    const char *const sources[] = {arguments[0],    values->labels,  values->mask,
                                   values->targets, values->queries, values->config};
    assay_import_matrix import = {.mask = values->mask,
                                  .labels_path = values->labels,
                                  .targets_path = values->targets,
                                  .queries_path = values->queries,
                                  .triangle = values->triangle};
    char *source = NULL;
    assay_config config = {0};
    assay_protocol protocol = {0};
    assay_import_about about = {0};
    assay_import_result result = {0};
    assay_progress_bar bar;
    (void)argument_count;
    assay_progress_bar_start(&bar, "import", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = assay_array_file_source(arguments[0], values->array, &source);
    import.matrix = source;
    if (status == ASSAY_OK)
        status = assay_import_check_output(&output, sources, sizeof sources / sizeof *sources);
    if (status == ASSAY_OK) status = assay_outputs_lock(&output, 1, &locks);
    if (status == ASSAY_OK) status = check_triangle(values->triangle);
    if (status == ASSAY_OK) status = assay_import_options_take(&values->about, &protocol, &about);
    if (status == ASSAY_OK && values->config != NULL)
        status = assay_config_read(values->config, &config);
    if (status == ASSAY_OK && config.dataset.name != NULL) import.declared = &config.dataset;
    if (status == ASSAY_OK)
        status = assay_import_score_matrix(&about, &import, &progress, values->output, &result);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK)
        status = assay_print_imported(values->output, values->json, values->quiet, &result);
    assay_outputs_unlock(&locks);
    assay_protocol_free(&protocol);
    assay_config_free(&config);
    free(source);
    return status;
}

#define AT(field) .offset = offsetof(matrix_values, field)
static const assay_option options[] = {
    {.name = "labels",
     .letter = 'l',
     .kind = ASSAY_OPTION_TEXT,
     AT(labels),
     .value = "CSV",
     .purpose = "labels of all samples: columns sample, subject and more",
     .shown = "of sigsets, what they say"},
    {.name = "array",
     .kind = ASSAY_OPTION_TEXT,
     AT(array),
     .value = "NAME",
     .purpose = "array of an .npz, or /PATH in HDF5; as SCORES:NAME"},
    {.name = "targets",
     .kind = ASSAY_OPTION_TEXT,
     AT(targets),
     .value = "LIST",
     .purpose = "samples of the columns: ids, one a line, or a BEE sigset",
     .shown = "the labels' order"},
    {.name = "queries",
     .kind = ASSAY_OPTION_TEXT,
     AT(queries),
     .value = "LIST",
     .purpose = "samples of the rows, likewise",
     .shown = "the labels' order"},
    {.name = "mask",
     .kind = ASSAY_OPTION_TEXT,
     AT(mask),
     .value = "MASK",
     .purpose = "BEE mask, or uint8 with its values: which are comparisons"},
    {.name = "triangle",
     .kind = ASSAY_OPTION_TEXT,
     AT(triangle),
     .value = "HALF",
     .purpose = "of a square matrix: upper or lower, where they differ"},
    IMPORT_OPTIONS(matrix_values, about),
    IMPORT_SAMPLE_OPTIONS(matrix_values, about),
    {.name = "config",
     .kind = ASSAY_OPTION_TEXT,
     AT(config),
     .value = "YAML",
     .purpose = "configuration whose `dataset` section declares the attributes"},
    OPTION_OUTPUT(matrix_values, "the evidence to write"),
    OPTION_JSON(matrix_values),
    OPTION_QUIET(matrix_values),
};
static const matrix_values defaults = {.about = {.dataset = "imported"}};

const assay_command assay_command_import_matrix = {
    .name = "import matrix",
    .purpose = "make evidence of a matrix of scores that was computed elsewhere",
    .arguments = "SCORES",
    .description =
        "SCORES is .npy, .npz (SCORES:NAME names one of several arrays), HDF5 (SCORES:/PATH), a "
        "BEE "
        "matrix (.mtx,\n"
        "with a .mask if there is one), or CSV without a header: a row a query (probe), a column a "
        "target\n"
        "(reference). Without --targets and --queries it is a square matrix of all pairs of the "
        "labels' samples, in\n"
        "their order; with the same list for both likewise. A comparison of one subject is mated, "
        "of "
        "two not; nan\n"
        "is a comparison that gave no score. An .mtx says itself whether it holds distances; BEE "
        "sigsets (XML) say\n"
        "who is who, and need no labels.",
    .examples = (const char *const[]){"assay import matrix s.npy --labels s.csv --release vendor "
                                      "--version 3 -o evidence.h5",
                                      "assay import matrix s.mtx --mask s.mask --labels all.csv "
                                      "--targets t.txt --queries q.txt \\\n      --release vendor "
                                      "--version 3 -o evidence.h5",
                                      NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(matrix_values),
    .defaults = &defaults,
    .run = run,
};
