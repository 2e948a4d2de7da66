/* cmd_import_templates -- `assay import templates MATRIX --labels CSV …`: templates made
 * elsewhere. */
#include <stdlib.h>

#include "datasets/array_file.h"
#include "datasets/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/enrolled.h"
#include "harness/cli/imported.h"
#include "harness/config.h"
#include "harness/outputs.h"
#include "harness/steps.h"
#include "kernels/quantise.h"

typedef struct {
    const char *output, *array, *masks, *labels, *subjects, *samples, *id_column;
    const char *release, *version, *comparator, *dataset, *config, *family;
    uint64_t bit_rows, shift_bits;
    bool json, quiet;
} import_values;

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const import_values *values = given;
    assay_config config = {0};
    assay_enroll_result result = {0};
    assay_progress_bar bar;
    assay_comparator comparator;
    (void)argument_count;
    assay_progress_bar_start(&bar, "import", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_import import = {.labels_path = values->labels,
                           .subjects = values->subjects,
                           .samples = values->samples,
                           .id_column = values->id_column,
                           .release = values->release,
                           .version = values->version,
                           .comparator = values->comparator,
                           .masks = values->masks,
                           .bit_rows = (uint32_t)values->bit_rows,
                           .shift_bits = (uint32_t)values->shift_bits,
                           .family = values->family,
                           .dataset_name = values->dataset};
    assay_output_locks locks = {0};
    const assay_output output = {values->output, "templates"};
    const char *const sources[] = {arguments[0],    values->masks,  values->subjects,
                                   values->samples, values->labels, values->config};
    char *source = NULL;
    assay_status status = assay_array_file_source(arguments[0], values->array, &source);
    import.matrix = source;
    if (status == ASSAY_OK)
        status = assay_import_check_output(&output, sources, sizeof sources / sizeof *sources);
    if (status == ASSAY_OK) status = assay_outputs_lock(&output, 1, &locks);
    if (status == ASSAY_OK) status = assay_comparator_parse(values->comparator, &comparator);
    if (status == ASSAY_OK && values->config != NULL)
        status = assay_config_read(values->config, &config);
    if (status == ASSAY_OK && config.dataset.name != NULL) {
        import.declared = &config.dataset;
        if (import.dataset_name == NULL) import.dataset_name = config.dataset.name;
    }
    if (import.dataset_name == NULL) import.dataset_name = "imported";
    if (status == ASSAY_OK)
        status = assay_import_templates(&import, values->output, &progress, &result);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK)
        status = assay_print_enrolled(values->output, values->json, values->quiet, &result);
    assay_outputs_unlock(&locks);
    assay_config_free(&config);
    free(source);
    return status;
}

static const assay_option options[] = {
    {.name = "labels",
     .letter = 'l',
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, labels),
     .value = "CSV",
     .purpose = "labels: row n of it is row n of the matrix (of CSV, by sample)"},
    {.name = "subjects",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, subjects),
     .value = "SOURCE",
     .purpose = "instead of --labels: an array of ids of subjects"},
    {.name = "samples",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, samples),
     .value = "SOURCE",
     .purpose = "with --subjects: an array of ids of samples",
     .shown = "1, 2, ..."},
    {.name = "array",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, array),
     .value = "NAME",
     .purpose = "array of an .npz, or /PATH in HDF5; as MATRIX:NAME"},
    {.name = "id-column",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, id_column),
     .value = "NAME",
     .purpose = "column of a CSV of templates with the sample's id",
     .shown = "sample"},
    {.name = "release",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, release),
     .value = "NAME",
     .purpose = "what people call the release",
     .required = true},
    {.name = "version",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, version),
     .value = "V",
     .purpose = "the release's version",
     .required = true},
    {.name = "comparator",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, comparator),
     .value = "NAME",
     .purpose = "cosine, inner-product, euclidean; hamming:shifts=S,minimum-valid-bits=B",
     .shown = "cosine"},
    {.name = "family",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, family),
     .value = "NAME",
     .purpose = "its references and another release's probes of this family may be compared",
     .shown = "not stated"},
    {.name = "masks",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, masks),
     .value = "SOURCE",
     .purpose = "hamming: a matrix like MATRIX, a 1 where the code's bit is valid",
     .shown = "all are"},
    {.name = "bit-rows",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(import_values, bit_rows),
     .value = "R",
     .low = 1,
     .high = 1 << 20,
     .purpose = "hamming: equal rows of a template, within which it is shifted",
     .shown = "1"},
    {.name = "shift-bits",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(import_values, shift_bits),
     .value = "B",
     .low = 1,
     .high = 1 << 20,
     .purpose = "hamming: bits that a shift of 1 moves",
     .shown = "1"},
    {.name = "dataset",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, dataset),
     .value = "NAME",
     .purpose = "name of the data set",
     .shown = "as in --config, else imported"},
    {.name = "config",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(import_values, config),
     .value = "YAML",
     .purpose = "configuration whose `dataset` section declares the attributes"},
    OPTION_OUTPUT(import_values, "the templates to write"),
    OPTION_JSON(import_values),
    OPTION_QUIET(import_values),
};
static const import_values defaults = {.comparator = "cosine"};

const assay_command assay_command_import_templates = {
    .name = "import templates",
    .purpose = "take in templates that were made elsewhere",
    .arguments = "MATRIX",
    .description =
        "MATRIX is a NumPy file (.npy; .npz, where MATRIX:NAME names one of several arrays) or "
        "HDF5 "
        "(MATRIX:/PATH),\n"
        "with a template in each row; or CSV with a header, a column of sample ids and one for "
        "each component.\n"
        "HDF5 is read in a confined process. The CSV of labels has the columns sample and subject "
        "and any further\n"
        "ones, which become attributes. A row of zeros, or one with a value that is not finite, is "
        "a failure to\n"
        "enrol. For comparator hamming MATRIX is uint8, eight bits a byte with the lowest first\n"
        "(numpy.packbits(…, bitorder='little')); a template without a valid bit is a failure to "
        "enrol.",
    .examples =
        (const char *const[]){
            "assay import templates x.npy --labels x.csv --release vendor "
            "--version 3 -o templates.h5",
            "assay import templates x.npz:embeddings --subjects x.npz:ids --release vendor "
            "--version 3 -o templates.h5",
            "assay import templates codes.npy --labels x.csv --comparator hamming --release iris "
            "--version 1 -o t.h5",
            NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(import_values),
    .defaults = &defaults,
    .run = run,
};
