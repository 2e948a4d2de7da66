/* cmd_synth -- `assay synth --images|--templates|--codes … -o DIR`: a population whose truth is
 * known. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "datasets/npy.h"
#include "datasets/population_codes.h"
#include "harness/cli/command.h"
#include "harness/outputs.h"
#include "harness/run.h"

typedef struct {
    const char *output, *name;
    uint64_t subjects, samples, seed, length, size;
    bool images, templates, codes, planted, json, quiet;
} synth_values;

/* A cell in quotes where it has to be. */
static void append_cell(assay_text *text, const char *cell) {
    if (strpbrk(cell, ",\"\r\n") == NULL) {
        assay_text_append(text, cell);
        return;
    }
    assay_text_append(text, "\"");
    for (; *cell != '\0'; cell++) {
        if (*cell == '"') assay_text_append(text, "\"");
        assay_text_append_bytes(text, cell, 1);
    }
    assay_text_append(text, "\"");
}

static void append_attribute(assay_text *text, const assay_attribute *attribute, uint64_t row) {
    char number[ASSAY_NUMBER_SIZE];
    assay_text_append(text, ",");
    if (attribute->codes[row] < ASSAY_CODE_FIRST) return;
    if (attribute->kind == ASSAY_ATTRIBUTE_NUMERIC)
        assay_text_append(text, assay_print_double(number, attribute->values[row]));
    else
        append_cell(text, attribute->labels[attribute->codes[row]]);
}

static void append_row(assay_text *text, const assay_sample_table *table, uint64_t row) {
    char captured[ASSAY_NUMBER_SIZE] = "", quality[ASSAY_NUMBER_SIZE] = "";
    if (table->captured[row] != ASSAY_TIME_MISSING)
        assay_print_time(captured, table->captured[row]);
    if (!isnan(table->quality[row])) assay_print_double(quality, table->quality[row]);
    append_cell(text, table->sample_id[row]);
    assay_text_append(text, ",");
    append_cell(text, table->subject_id[table->subject[row]]);
    assay_text_append(text, ",");
    append_cell(text, table->session.labels[table->session.codes[row]]);
    assay_text_appendf(text, ",%s,%s", captured, quality);
    for (uint32_t a = 0; a < table->attribute_count; a++)
        append_attribute(text, &table->attributes[a], row);
    assay_text_append(text, "\n");
}

/* The table as labels that `assay import templates` reads. */
static assay_status write_labels(const char *directory, const assay_sample_table *table) {
    assay_text text = {0};
    char *path = NULL;
    assay_text_append(&text, "sample,subject,session,captured,quality");
    for (uint32_t a = 0; a < table->attribute_count; a++) {
        assay_text_append(&text, ",");
        append_cell(&text, table->attributes[a].name);
    }
    assay_text_append(&text, "\n");
    for (uint64_t row = 0; row < table->row_count; row++) append_row(&text, table, row);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = assay_path_join(&path, directory, "labels.csv");
    if (status == ASSAY_OK) status = assay_file_write(path, text.bytes, text.length);
    assay_text_free(&text);
    free(path);
    return status;
}

static assay_status write_text(const char *directory, const char *name, const char *text) {
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, name);
    if (status == ASSAY_OK) status = assay_file_write(path, text, strlen(text));
    free(path);
    return status;
}

static assay_status write_truth(const char *directory, const assay_population *population) {
    char *json = NULL;
    assay_status status = assay_population_truth_json(population, &json);
    if (status == ASSAY_OK) status = write_text(directory, "truth.json", json);
    free(json);
    return status;
}

static assay_status synth_templates(const assay_population *population, const char *directory,
                                    const assay_progress *progress) {
    assay_sample_table table = {0};
    float *vectors = NULL;
    char *path = NULL;
    assay_status status = assay_output_folder_check(directory, ASSAY_FOLDER_TEMPLATES);
    if (status == ASSAY_OK) status = assay_make_directories(directory);
    if (status == ASSAY_OK)
        status = assay_population_templates(population, progress, &table, &vectors);
    if (status == ASSAY_OK) status = write_truth(directory, population);
    if (status == ASSAY_OK) status = write_labels(directory, &table);
    if (status == ASSAY_OK) status = assay_path_join(&path, directory, "templates.npy");
    if (status == ASSAY_OK)
        status = assay_npy_write(path, table.row_count, population->length, vectors);
    assay_sample_table_free(&table);
    free(vectors);
    free(path);
    return status;
}

static assay_status write_bits(const char *directory, const char *name, uint64_t rows,
                               const uint8_t *bits) {
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, name);
    if (status == ASSAY_OK) status = assay_npy_write_bytes(path, rows, ASSAY_CODES_BITS / 8, bits);
    free(path);
    return status;
}

/* An evaluation of the codes as they were made. */
static assay_status write_evaluation(const char *directory, const char *name) {
    assay_text text = {0};
    assay_text_appendf(
        &text,
        "assay: 1\nname: %s\noutput: out/%s\nreleases:\n"
        "  - { name: synth, version: \"1\", templates: templates.npy, masks: masks.npy,\n"
        "      labels: labels.csv, bit_rows: %u, shift_bits: 1 }\n"
        "comparison:\n"
        "  comparator: hamming:shifts=%u,minimum-valid-bits=%u\n"
        "  fmr_targets: [1e-2, 1e-3, 1e-4]\n",
        name, name, ASSAY_CODES_ROWS, 2 * ASSAY_CODES_TURN, ASSAY_CODES_BITS / 8);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = write_text(directory, "assay.yaml", text.bytes);
    assay_text_free(&text);
    return status;
}

static assay_status synth_codes(const assay_population *population, const char *name,
                                const char *directory, const assay_progress *progress) {
    assay_sample_table table = {0};
    uint8_t *codes = NULL, *masks = NULL;
    char *truth = NULL;
    assay_status status = assay_output_folder_check(directory, ASSAY_FOLDER_TEMPLATES);
    if (status == ASSAY_OK) status = assay_make_directories(directory);
    if (status == ASSAY_OK)
        status = assay_population_codes(population, progress, &table, &codes, &masks);
    if (status == ASSAY_OK) status = assay_codes_truth_json(population, &truth);
    if (status == ASSAY_OK) status = write_text(directory, "truth.json", truth);
    if (status == ASSAY_OK) status = write_labels(directory, &table);
    if (status == ASSAY_OK) status = write_bits(directory, "templates.npy", table.row_count, codes);
    if (status == ASSAY_OK) status = write_bits(directory, "masks.npy", table.row_count, masks);
    if (status == ASSAY_OK) status = write_evaluation(directory, name);
    assay_sample_table_free(&table);
    free(codes);
    free(masks);
    free(truth);
    return status;
}

static assay_status print_result(const synth_values *values) {
    uint64_t rows = values->subjects * values->samples;
    const char *kind = values->images ? "images" : values->codes ? "codes" : "templates";
    const char *labels = values->images ? "/manifest.csv" : "/labels.csv";
    if (values->json)
        return assay_print_json(
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:s+, s:s+}", "path", values->output, "kind", kind,
                      "subjects", (json_int_t)values->subjects, "rows", (json_int_t)rows, "seed",
                      (json_int_t)values->seed, "labels", values->output, labels, "truth",
                      values->output, "/truth.json"));
    if (values->quiet) return ASSAY_OK;
    assay_print_field(kind, "%" PRIu64 " of %" PRIu64 " subjects", rows, values->subjects);
    assay_print_field("labels", "%s%s", values->output, labels);
    assay_print_field("truth", "%s/truth.json", values->output);
    if (values->images || values->codes)
        assay_print_field("evaluate", "assay run %s/assay.yaml", values->output);
    else
        assay_print_field("evaluate",
                          "assay import templates %s/templates.npy --labels %s/labels.csv "
                          "--release synth --version 1 -o templates.h5",
                          values->output, values->output);
    return ASSAY_OK;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const synth_values *values = given;
    assay_population population = {0};
    assay_progress_bar bar;
    bool made;
    (void)arguments;
    (void)argument_count;
    if (values->images + values->templates + values->codes > 1)
        return assay_fail(ASSAY_USAGE,
                          "options --images, --templates and --codes exclude each other: a "
                          "population is one of them; run it again for another");
    if (!values->images && !values->templates && !values->codes)
        return assay_fail(ASSAY_USAGE, "say --images, --templates or --codes: rendered faces, "
                                       "vectors or bit strings directly");
    const char *fault = assay_name_fault(values->name, strlen(values->name));
    if (values->codes && (fault != NULL || strpbrk(values->name, "/:#{}[]\"'") != NULL))
        return assay_fail(ASSAY_USAGE, "option --name: '%s' cannot be a name and a folder",
                          values->name);
    assay_progress_bar_start(&bar, "synth", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = assay_population_create(values->planted, &population);
    if (status != ASSAY_OK) return status;
    population.seed = values->seed;
    population.subjects = (uint32_t)values->subjects;
    population.samples_per_subject = (uint32_t)values->samples;
    population.length = (uint32_t)values->length;
    population.image_size = (uint32_t)values->size;
    for (uint32_t g = 0; g < population.group_count; g++)
        if (population.groups[g].dimension > population.length)
            population.groups[g].dimension = population.length;
    if (values->images)
        status = assay_run_population(&population, values->name, values->output, true, false,
                                      &progress, &made);
    else if (values->codes)
        status = synth_codes(&population, values->name, values->output, &progress);
    else
        status = synth_templates(&population, values->output, &progress);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK) status = print_result(values);
    assay_population_free(&population);
    return status;
}

#define AT(field) .offset = offsetof(synth_values, field)
static const assay_option options[] = {
    {.name = "images",
     .kind = ASSAY_OPTION_FLAG,
     AT(images),
     .purpose = "rendered faces, a manifest, and assay.yaml to evaluate them"},
    {.name = "templates",
     .kind = ASSAY_OPTION_FLAG,
     AT(templates),
     .purpose = "templates directly, whose score distributions are known in closed form"},
    {.name = "codes",
     .kind = ASSAY_OPTION_FLAG,
     AT(codes),
     .purpose = "bit strings with masks, as of irises, and assay.yaml to evaluate them"},
    {.name = "subjects",
     .kind = ASSAY_OPTION_COUNT,
     AT(subjects),
     .value = "N",
     .low = 2,
     .high = 10000000,
     .purpose = "people",
     .shown = "300"},
    {.name = "samples",
     .kind = ASSAY_OPTION_COUNT,
     AT(samples),
     .value = "K",
     .low = 1,
     .high = 1000,
     .purpose = "samples of each",
     .shown = "3"},
    {.name = "seed",
     .kind = ASSAY_OPTION_COUNT,
     AT(seed),
     .value = "S",
     .low = 0,
     .high = INT64_MAX,
     .purpose = "the same seed gives the same bytes",
     .shown = "1"},
    {.name = "length",
     .kind = ASSAY_OPTION_COUNT,
     AT(length),
     .value = "D",
     .low = 4,
     .high = 4096,
     .purpose = "components of a template",
     .shown = "128"},
    {.name = "size",
     .kind = ASSAY_OPTION_COUNT,
     AT(size),
     .value = "PX",
     .low = 48,
     .high = 512,
     .purpose = "width and height of an image",
     .shown = "128"},
    {.name = "planted",
     .kind = ASSAY_OPTION_FLAG,
     AT(planted),
     .purpose = "plant a differential between the groups"},
    {.name = "name",
     .kind = ASSAY_OPTION_TEXT,
     AT(name),
     .value = "NAME",
     .purpose = "name of the population",
     .shown = "population"},
    OPTION_OUTPUT(synth_values, "the folder to write"),
    OPTION_JSON(synth_values),
    OPTION_QUIET(synth_values),
};
static const synth_values defaults = {
    .name = "population", .subjects = 300, .samples = 3, .seed = 1, .length = 128, .size = 128};

const assay_command assay_command_synth = {
    .name = "synth",
    .purpose = "make a synthetic population whose true error rates are known",
    .arguments = "",
    .description = "Writes a labelled population of any size from a seed, with truth.json beside "
                   "it: what was put\n"
                   "there, so that an evaluation can be asked whether it finds it.",
    .examples =
        (const char *const[]){"assay synth --images --subjects 300 --planted -o faces",
                              "assay synth --templates --subjects 5000 --length 256 -o scale",
                              "assay synth --codes --subjects 400 --planted -o codes", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 0,
    .most_arguments = 0,
    .values_size = sizeof(synth_values),
    .defaults = &defaults,
    .run = run,
};
