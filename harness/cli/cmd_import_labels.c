/* cmd_import_labels -- `assay import labels RECORDS --records YAML`: labels out of records in XML.
 */
#include <inttypes.h>
#include <string.h>

#include "datasets/base/digest.h"
#include "datasets/base/file.h"
#include "datasets/records.h"
#include "harness/cli/command.h"

typedef struct {
    const char *output, *records;
    bool json, quiet;
} labels_values;

/* Labels have no seal that would say who wrote them: what is there stays. */
static assay_status write_labels(const char *path, const assay_text *csv) {
    if (assay_file_exists(path))
        return assay_fail(ASSAY_USAGE, "cannot write %s: a file is there, expected a new name",
                          path);
    return assay_file_write(path, csv->bytes, csv->length);
}

static assay_status print_result(const labels_values *values, const assay_record_result *result) {
    char count[ASSAY_NUMBER_SIZE], hex[ASSAY_DIGEST_HEX];
    assay_digest digest;
    const assay_status status = assay_digest_file(values->output, &digest);
    if (status != ASSAY_OK) return status;
    if (values->json)
        return assay_print_json(json_pack("{s:s, s:I, s:I, s:I, s:o}", "path", values->output,
                                          "records", (json_int_t)result->records, "samples",
                                          (json_int_t)result->rows, "records_without_sample",
                                          (json_int_t)result->without, "sha256",
                                          assay_json_digest(&digest)));
    if (values->quiet) return ASSAY_OK;
    assay_print_field("labels", "%s", values->output);
    assay_print_field("records", "%s", assay_print_count(count, result->records));
    assay_print_field("samples", "%s", assay_print_count(count, result->rows));
    if (result->without > 0)
        assay_print_field("without", "%s records have no sample",
                          assay_print_count(count, result->without));
    assay_print_field("SHA-256", "%s", assay_digest_hex(hex, &digest));
    return ASSAY_OK;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const labels_values *values = given;
    assay_record_declaration declaration = {.columns = NULL};
    assay_record_result result = {0};
    assay_text csv = {0};
    assay_progress_bar bar;
    (void)argument_count;
    assay_progress_bar_start(&bar, "import", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = assay_record_declare(values->records, &declaration);
    if (status == ASSAY_OK)
        status = assay_record_labels(&declaration, arguments[0], &progress, &csv, &result);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK) status = write_labels(values->output, &csv);
    if (status == ASSAY_OK) status = print_result(values, &result);
    assay_text_free(&csv);
    assay_record_declaration_free(&declaration);
    return status;
}

static const assay_option options[] = {
    {.name = "records",
     .letter = 'r',
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(labels_values, records),
     .value = "YAML",
     .purpose = "which elements hold what, and tables of codes",
     .required = true},
    OPTION_OUTPUT(labels_values, "the CSV of labels to write"),
    OPTION_JSON(labels_values),
    OPTION_QUIET(labels_values),
};

static const labels_values defaults = {.output = NULL};

const assay_command assay_command_import_labels = {
    .name = "import labels",
    .purpose = "make a CSV of labels out of records in XML (ANSI/NIST-ITL)",
    .arguments = "FOLDER",
    .description = "FOLDER holds records as XML, ANSI/NIST-ITL (NIEM) ones above all. The YAML "
                   "file says which "
                   "files are\n"
                   "records, of which element each is a sample, and which elements say what of it "
                   "(datasets/MANIFEST.md).\n"
                   "Text becomes a label by a table of codes in that file alone: a text that is "
                   "not in it is a "
                   "fault that\n"
                   "names the text and the record. The CSV is a manifest, a label table or labels "
                   "for the other "
                   "imports.",
    .examples =
        (const char *const[]){"assay import labels records/ --records itl.yaml -o labels.csv",
                              NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(labels_values),
    .defaults = &defaults,
    .run = run,
};
