/* cmd_run -- `assay run CONFIG`: every step of an evaluation, and its report. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/containers.h"
#include "harness/cli/beside.h"
#include "harness/cli/command.h"
#include "harness/outputs.h"
#include "harness/run.h"
#include "reports/pdf.h"
#include "reports/report.h"

typedef struct {
    const char *output, *backend;
    uint64_t threads;
    bool dry_run, json, quiet, force;
} run_values;

typedef struct {
    char *directory, *index, *inputs; /* paths */
    char *stamp;                      /* what inputs holds when the report is up to date */
    bool begun;
    assay_run_outcome outcome;
    double seconds;
} report_step;

/* A list of counts, and a file's path with what its bytes are now. */
static json_t *counts_json(const uint64_t *counts, size_t count) {
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++)
        json_array_append_new(list, json_integer((json_int_t)counts[n]));
    return list;
}

static json_t *file_json(const char *path) {
    assay_digest digest = {0};
    if (path == NULL) return json_null();
    if (assay_digest_file(path, &digest) != ASSAY_OK) return json_string("not readable");
    return assay_json_digest(&digest);
}

static json_t *galleries_json(const assay_config *config) {
    json_t *rows = json_array();
    for (char **path = config->rows; path != NULL && *path != NULL; path++)
        json_array_append_new(rows, file_json(*path));
    return json_pack("{s:o, s:s?, s:I, s:o, s:o, s:o}", "sizes",
                     counts_json(config->gallery_sizes, config->gallery_size_count), "by",
                     config->galleries, "rank", (json_int_t)config->gallery_rank, "look_alikes",
                     file_json(config->look_alikes), "nearest",
                     counts_json(config->nearest, config->nearest_count), "rows", rows);
}

/* What the report is made from, so that the same report is not made twice. */
static assay_status make_stamp(const assay_config *config, const assay_run_result *result,
                               report_step *report) {
    json_t *digests = json_array(), *by = json_array();
    for (size_t n = 0; n < result->step_count; n++)
        if (strcmp(result->steps[n].step, "compare") == 0) {
            json_array_append_new(digests, json_string(result->steps[n].release));
            json_array_append_new(digests, assay_json_digest(&result->steps[n].digest));
        }
    for (size_t n = 0; n < config->report_group_count; n++)
        json_array_append_new(by, json_string(config->report_groups[n]));
    json_t *stamp = json_pack(
        "{s:s, s:o, s:o, s:s?, s:s?, s:b, s:f, s:b, s:b, s:o}", "version", ASSAY_VERSION,
        "evidence", digests, "by", by, "title", config->title, "quality", config->report_quality,
        "all", config->report_groups == NULL, "worse_limit", config->worse_limit, "mean_pair_age",
        config->mean_pair_age, "pdf", config->report_pdf, "identification", galleries_json(config));
    report->stamp = stamp == NULL ? NULL : json_dumps(stamp, JSON_INDENT(2));
    json_decref(stamp);
    return report->stamp == NULL ? assay_fail(ASSAY_FAILED, "no memory for the report") : ASSAY_OK;
}

static bool report_fits(const report_step *report) {
    char *bytes = NULL;
    size_t length;
    if (!assay_file_exists(report->index) || !assay_file_exists(report->inputs)) return false;
    if (assay_file_read(report->inputs, (size_t)1 << 20, &bytes, &length) != ASSAY_OK) return false;
    bool same = strcmp(bytes, report->stamp) == 0;
    free(bytes);
    return same;
}

static assay_status write_report(const assay_config *config, const assay_run_result *result,
                                 const assay_progress *progress, const report_step *report) {
    assay_evidence *evidence = NULL;
    assay_beside beside = {0};
    assay_status status =
        assay_allocate(&evidence, result->evidence_count, sizeof *evidence, "evidence");
    for (size_t n = 0; status == ASSAY_OK && n < result->evidence_count; n++)
        status = assay_evidence_read(result->evidence[n], &evidence[n]);
    if (status == ASSAY_OK) status = assay_beside_read(config->look_alikes, config->rows, &beside);
    if (status != ASSAY_OK) goto out;
    if (unlink(report->inputs) != 0 && assay_file_exists(report->inputs)) {
        status = assay_fail_errno("cannot remove %s", report->inputs);
        goto out;
    }
    assay_report_options options = {.title = config->title,
                                    .attributes = (const char *const *)config->report_groups,
                                    .attribute_count = config->report_group_count,
                                    .quality = config->report_quality,
                                    .mean_of_pair = config->mean_pair_age,
                                    .worse_limit = config->worse_limit,
                                    .gallery_sizes = config->gallery_sizes,
                                    .gallery_size_count = config->gallery_size_count,
                                    .galleries = config->galleries,
                                    .gallery_rank = config->gallery_rank,
                                    .nearest = config->nearest,
                                    .nearest_count = config->nearest_count,
                                    .pdf = config->report_pdf};
    assay_beside_take(&beside, &options);
    status =
        assay_report_write(evidence, result->evidence_count, &options, report->directory, progress);
    if (status == ASSAY_OK)
        status = assay_file_write(report->inputs, report->stamp, strlen(report->stamp));
out:
    assay_beside_free(&beside);
    for (size_t n = 0; evidence != NULL && n < result->evidence_count; n++)
        assay_evidence_free(&evidence[n]);
    free(evidence);
    return status;
}

static assay_status step_report(const assay_config *config, const run_values *values,
                                const assay_run_result *result, const assay_progress *progress,
                                report_step *report) {
    double started = assay_pace_seconds();
    bool planned = false;
    for (size_t n = 0; n < result->step_count; n++)
        planned = planned || result->steps[n].outcome == ASSAY_RUN_PLANNED;
    assay_status status = make_stamp(config, result, report);
    report->begun = true;
    if (status == ASSAY_OK && !planned && !values->force && report_fits(report)) {
        report->outcome = ASSAY_RUN_UP_TO_DATE;
    } else if (status == ASSAY_OK && values->dry_run) {
        report->outcome = ASSAY_RUN_PLANNED;
    } else if (status == ASSAY_OK) {
        report->outcome = ASSAY_RUN_DONE;
        status = write_report(config, result, progress, report);
    }
    if (status != ASSAY_OK) report->outcome = assay_run_outcome_of_fault(progress);
    report->seconds = assay_pace_seconds() - started;
    return status;
}

/* Where the report goes, and that nothing of somebody else's lies there: before any work. */
static assay_status place_report(const char *output, report_step *report) {
    assay_status status = assay_path_join(&report->directory, output, "report");
    if (status == ASSAY_OK)
        status = assay_path_join(&report->index, report->directory, "index.html");
    if (status == ASSAY_OK)
        status = assay_path_join(&report->inputs, report->directory, "inputs.json");
    if (status == ASSAY_OK)
        status = assay_output_folder_check(report->directory, ASSAY_FOLDER_REPORT);
    return status;
}

static json_t *step_json(const assay_run_step *step) {
    json_t *digest =
        assay_digest_is_zero(&step->digest) ? json_null() : assay_json_digest(&step->digest);
    return json_pack("{s:s, s:s?, s:s, s:s, s:f, s:s, s:o}", "step", step->step, "release",
                     step->release, "path", step->path, "outcome",
                     assay_run_outcome_name(step->outcome), "seconds", step->seconds, "summary",
                     step->summary, "digest", digest);
}

/* Steps that were never begun are not in it. */
static assay_status print_json_result(const assay_config *config, const assay_run_result *result,
                                      const report_step *report, bool good) {
    json_t *steps = json_array();
    for (size_t n = 0; n < result->step_count; n++)
        json_array_append_new(steps, step_json(&result->steps[n]));
    assay_run_step last = {.step = "report",
                           .path = report->index,
                           .outcome = report->outcome,
                           .seconds = report->seconds};
    if (report->begun) json_array_append_new(steps, step_json(&last));
    return assay_print_json(json_pack("{s:s, s:s, s:s?, s:o}", "name", config->name, "output",
                                      result->output, "report", good ? report->index : NULL,
                                      "steps", steps));
}

static void print_steps(const assay_run_result *result) {
    for (size_t n = 0; n < result->step_count; n++) {
        const assay_run_step *step = &result->steps[n];
        printf("%-11s%-19s %-12s%s\n", step->step, step->release == NULL ? "" : step->release,
               assay_run_outcome_name(step->outcome), step->summary);
    }
}

/* Every step that was begun, also where one of them ended with a fault; gives that fault back. */
static assay_status print_result(const run_values *values, const assay_config *config,
                                 const assay_run_result *result, const report_step *report,
                                 assay_status status) {
    char fault[ASSAY_ERROR_SIZE];
    if (values->json && (result->step_count > 0 || report->begun)) {
        snprintf(fault, sizeof fault, "%s", status == ASSAY_OK ? "" : assay_error_text());
        assay_status printed = print_json_result(config, result, report, status == ASSAY_OK);
        return status == ASSAY_OK ? printed : assay_fail(status, "%s", fault);
    }
    if (!values->json && !values->quiet && report->begun)
        printf("%-11s%-19s %-12s%s\n", "report", "", assay_run_outcome_name(report->outcome),
               report->index);
    return status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const run_values *values = given;
    assay_config config = {0};
    assay_run_result result = {0};
    report_step report = {0};
    assay_progress_bar bar;
    (void)argument_count;
    assay_progress_bar_start(&bar, "run", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_run_options options = {.output = values->output,
                                 .backend = values->backend,
                                 .threads = (unsigned)values->threads,
                                 .force = values->force,
                                 .dry_run = values->dry_run};
    assay_status status = assay_config_read(arguments[0], &config);
    if (status == ASSAY_OK)
        status = place_report(values->output != NULL ? values->output : config.output, &report);
    if (status == ASSAY_OK && config.report_pdf && !values->dry_run) status = assay_pdf_check();
    if (status == ASSAY_OK) status = assay_run(&config, &options, &progress, &result);
    assay_progress_bar_clear(&bar);
    if (!values->json && !values->quiet) print_steps(&result);
    if (status == ASSAY_OK) status = step_report(&config, values, &result, &progress, &report);
    assay_progress_bar_clear(&bar);
    status = print_result(values, &config, &result, &report, status);
    free(report.directory);
    free(report.index);
    free(report.inputs);
    free(report.stamp);
    assay_run_result_free(&result);
    assay_config_free(&config);
    return status;
}

static const assay_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(run_values, output),
     .value = "DIR",
     .purpose = "where everything goes",
     .shown = "as configured, else out/NAME"},
    {.name = "dry-run",
     .letter = 'n',
     .kind = ASSAY_OPTION_FLAG,
     .offset = offsetof(run_values, dry_run),
     .purpose = "say what would be done and what it needs; touch nothing"},
    {.name = "force",
     .kind = ASSAY_OPTION_FLAG,
     .offset = offsetof(run_values, force),
     .purpose = "do every step again, also those that are up to date"},
    {.name = "backend",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(run_values, backend),
     .value = "NAME",
     .purpose = "who computes; see assay backends",
     .shown = "as configured, else auto"},
    {.name = "threads",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(run_values, threads),
     .value = "N",
     .purpose = "threads that compute",
     .shown = "as configured, else all cores",
     .low = 1,
     .high = 1024},
    OPTION_JSON(run_values),
    OPTION_QUIET(run_values),
};
static const run_values defaults = {0};

const assay_command assay_command_run = {
    .name = "run",
    .purpose = "do a whole evaluation: ingest, enroll, compare, report",
    .arguments = "CONFIG",
    .description =
        "Walks all steps of the evaluation in CONFIG (configs/README.md) and skips each whose "
        "output is\n"
        "there for the same inputs. Files are whole or not there: a run that was stopped goes on.",
    .examples =
        (const char *const[]){"assay run configs/population.yaml",
                              "assay run configs/london.yaml -o out/london --dry-run", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(run_values),
    .defaults = &defaults,
    .run = run,
};
