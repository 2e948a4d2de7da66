/* cmd_report -- `assay report evidence.h5 … -o DIR`: the pages, tables and plots of an evaluation.
 */
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "harness/cli/beside.h"
#include "harness/cli/command.h"
#include "harness/outputs.h"
#include "reports/pdf.h"
#include "reports/report.h"

typedef struct {
    const char *output, *title, *quality, *limit, *galleries, *look_alikes;
    assay_option_words by, rows;
    assay_option_numbers gallery_sizes, nearest;
    uint64_t rank;
    bool mean_pair_age, pdf, json, quiet;
} report_values;

static assay_status read_limit(const char *text, double *out) {
    double limit = 0;
    if (text && (!assay_parse_double(text, &limit) || !(limit > 1)))
        return assay_fail(ASSAY_USAGE, "--worse-limit %s: expected a number above 1", text);
    *out = limit;
    return ASSAY_OK;
}

static assay_status print_json(const report_values *values) {
    json_t *paths = json_pack("{s:s+, s:s+}", "index", values->output, "/index.html", "summary",
                              values->output, "/summary.json");
    if (values->pdf && paths != NULL)
        json_object_set_new(paths, "pdf", json_sprintf("%s/" ASSAY_PDF_NAME, values->output));
    return assay_print_json(paths);
}

/* What is asked of galleries and of look-alikes; *out_sizes and *out_nearest are the caller's. */
static assay_status take_galleries(const report_values *values, uint64_t **out_sizes,
                                   uint64_t **out_nearest, assay_report_options *options) {
    options->galleries = values->galleries;
    options->gallery_rank = values->rank;
    if (values->look_alikes == NULL && values->nearest.items != NULL)
        return assay_fail(ASSAY_USAGE,
                          "--nearest is of --look-alikes EVIDENCE, which is not given");
    assay_status status = assay_take_counts("gallery-sizes", &values->gallery_sizes, out_sizes,
                                            &options->gallery_size_count);
    if (status == ASSAY_OK)
        status =
            assay_take_counts("nearest", &values->nearest, out_nearest, &options->nearest_count);
    options->gallery_sizes = *out_sizes;
    options->nearest = *out_nearest;
    return status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const report_values *values = given;
    assay_evidence *evidence = NULL;
    assay_beside beside = {0};
    uint64_t *sizes = NULL, *nearest = NULL;
    assay_progress_bar bar;
    assay_progress_bar_start(&bar, "report", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = assay_output_folder_check(values->output, ASSAY_FOLDER_REPORT);
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence, argument_count, sizeof *evidence, "evidence");
    for (size_t n = 0; status == ASSAY_OK && n < argument_count; n++)
        status = assay_evidence_read(arguments[n], &evidence[n]);
    assay_report_options options = {.title = values->title,
                                    .attributes = (const char *const *)values->by.items,
                                    .attribute_count = values->by.count,
                                    .quality = values->quality,
                                    .mean_of_pair = values->mean_pair_age,
                                    .pdf = values->pdf};
    if (status == ASSAY_OK) status = read_limit(values->limit, &options.worse_limit);
    if (status == ASSAY_OK) status = take_galleries(values, &sizes, &nearest, &options);
    if (status == ASSAY_OK)
        status = assay_beside_read(values->look_alikes, values->rows.items, &beside);
    assay_beside_take(&beside, &options);
    if (status == ASSAY_OK)
        status = assay_report_write(evidence, argument_count, &options, values->output, &progress);
    assay_progress_bar_clear(&bar);
    for (size_t n = 0; evidence != NULL && n < argument_count; n++)
        assay_evidence_free(&evidence[n]);
    free(evidence);
    assay_beside_free(&beside);
    free(sizes);
    free(nearest);
    if (status != ASSAY_OK) return status;
    if (values->json) return print_json(values);
    if (!values->quiet) assay_print_field("report", "%s/index.html", values->output);
    if (!values->quiet && values->pdf)
        assay_print_field("pdf", "%s/" ASSAY_PDF_NAME, values->output);
    return ASSAY_OK;
}

static const assay_option options[] = {
    OPTION_OUTPUT(report_values, "the folder to write the report into"),
    {.name = "by",
     .kind = ASSAY_OPTION_WORDS,
     .offset = offsetof(report_values, by),
     .value = "NAME,NAME...",
     .purpose = "attributes to report by; sex*age_band crosses two",
     .shown = "every attribute, and sex, age and origin crossed"},
    {.name = "worse-limit",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(report_values, limit),
     .value = "RATIO",
     .purpose = "how many times the others' rate a group's may be",
     .shown = "1.5"},
    {.name = "mean-pair-age",
     .kind = ASSAY_OPTION_FLAG,
     .offset = offsetof(report_values, mean_pair_age),
     .purpose = "a mated comparison has the mean of both ages"},
    {.name = "quality",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(report_values, quality),
     .value = "NAME",
     .purpose = "numeric attribute that says how good a sample is",
     .shown = "the manifest's column quality"},
    {.name = "title",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(report_values, title),
     .value = "TEXT",
     .purpose = "title of the report",
     .shown = "made from the evidence"},
    {.name = "gallery-sizes",
     .kind = ASSAY_OPTION_NUMBERS,
     .offset = offsetof(report_values, gallery_sizes),
     .value = "N,N...",
     .purpose = "1:N: people of galleries that are picked at random",
     .shown = "100,200,400, as far as there are so many"},
    {.name = "galleries",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(report_values, galleries),
     .value = "NAME",
     .purpose = "1:N: attribute whose values are galleries, such as flights"},
    {.name = "rank",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(report_values, rank),
     .value = "R",
     .low = 0,
     .high = 100000,
     .purpose = "1:N: a mate must be among the first R; 0: anywhere",
     .shown = "0"},
    {.name = "look-alikes",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(report_values, look_alikes),
     .value = "EVIDENCE",
     .purpose = "of a reference release, not under test: it chooses who looks alike"},
    {.name = "nearest",
     .kind = ASSAY_OPTION_NUMBERS,
     .offset = offsetof(report_values, nearest),
     .value = "K,K...",
     .purpose = "look-alikes: so many nearest people of each sample",
     .shown = "1,10"},
    {.name = "rows",
     .kind = ASSAY_OPTION_EACH,
     .offset = offsetof(report_values, rows),
     .value = "ROWS",
     .purpose = "rows that go on below the tail of any of the evidence"},
    {.name = "pdf",
     .kind = ASSAY_OPTION_FLAG,
     .offset = offsetof(report_values, pdf),
     .purpose = "also report.pdf, made by weasyprint"},
    OPTION_JSON(report_values),
    OPTION_QUIET(report_values),
};
static const report_values defaults = {0};

const assay_command assay_command_report = {
    .name = "report",
    .purpose = "make the report of the evidence of one or more releases",
    .arguments = "EVIDENCE...",
    .description = "Writes DIR/index.html (self-contained), DIR/summary.json, and the tables and "
                   "plot sources that\n"
                   "they are made of. All evidence must be of one data set. It needs neither "
                   "images nor templates.",
    .examples =
        (const char *const[]){"assay report evidence.h5 -o report --pdf",
                              "assay report old.h5 new.h5 -o report --by 'sex,sex*age_band'", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = SIZE_MAX,
    .values_size = sizeof(report_values),
    .defaults = &defaults,
    .run = run,
};
