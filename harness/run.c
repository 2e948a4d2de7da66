/* run -- an evaluation from its configuration to the evidence of every release. */
#include "harness/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/npy.h"
#include "datasets/opaque.h"
#include "datasets/sealed_file.h"
#include "harness/config_composites.h"
#include "harness/outputs.h"
#include "harness/run_private.h"
#include "kernels/comparator.h"
#include "harness/session.h"

const char *assay_run_outcome_name(assay_run_outcome outcome) {
    static const char *const names[] = {"done",  "up to date", "planned",
                                        "given", "failed",     "interrupted"};
    return names[outcome];
}

/* ---- the list of steps ---- */

static assay_status add_step(runner *run, const char *step, const assay_config_release *release,
                             const char *path, assay_run_step **out) {
    assay_run_result *result = run->result;
    size_t capacity = result->step_count;
    assay_run_step *grown = realloc(result->steps, (capacity + 1) * sizeof *grown);
    if (grown == NULL) return assay_fail(ASSAY_FAILED, "no memory for the list of steps");
    result->steps = grown;
    assay_run_step *added = &grown[result->step_count];
    *added = (assay_run_step){.step = step};
    result->step_count++;
    assay_status status = assay_copy_string(&added->path, path);
    if (status == ASSAY_OK && release != NULL) {
        assay_text text = {0};
        assay_text_appendf(&text, "%s %s", release->name, release->version);
        status = assay_text_status(&text);
        added->release = text.bytes;
    }
    if (status == ASSAY_OK) *out = added;
    return status;
}

static void start(runner *run, assay_run_step *step) {
    step->outcome = run->options->dry_run ? ASSAY_RUN_PLANNED : ASSAY_RUN_DONE;
    run->started = assay_pace_seconds();
    run->in_step = true;
}

/* A step that ends with a fault is given up by whoever sees the fault at last. */
static void finish(runner *run, assay_run_step *step, assay_status status) {
    step->seconds = assay_pace_seconds() - run->started;
    if (status == ASSAY_OK) run->in_step = false;
}

/* Whoever wants the run to stop says so at every tell. */
assay_run_outcome assay_run_outcome_of_fault(const assay_progress *progress) {
    return assay_progress_tell(progress, "stop", "steps", 1, 1) ? ASSAY_RUN_FAILED
                                                                : ASSAY_RUN_INTERRUPTED;
}

/* The last step of the list was begun and is not done. */
static void give_up(const runner *run) {
    assay_run_result *result = run->result;
    if (!run->in_step || result->step_count == 0) return;
    assay_run_step *step = &result->steps[result->step_count - 1];
    step->outcome = assay_run_outcome_of_fault(run->progress);
    step->summary[0] = '\0';
    step->digest = (assay_digest){0};
    step->seconds = assay_pace_seconds() - run->started;
}

/* A file that is there and cannot be used is made again, and that is told. */
static void note_unusable(const runner *run, const char *path) {
    assay_progress_note(run->progress, "%s cannot be used and is made again: %s", path,
                        assay_error_text());
}

/* Whether a file is there and its writer came to its end. One that the ledger does not know is not
 * used: it may be what power loss or somebody else left. */
static bool is_finished(const runner *run, const char *path) {
    if (run->options->force || !assay_file_exists(path)) return false;
    if (assay_sealed_file_check_recorded(path) == ASSAY_OK) return true;
    note_unusable(run, path);
    return false;
}

/* ---- population and data set ---- */

static assay_status step_population(runner *run) {
    const assay_config *config = run->config;
    assay_run_step *step = NULL;
    char *directory = NULL;
    bool made = false;
    assay_status status = assay_path_join(&directory, run->output, "population");
    if (status == ASSAY_OK) status = add_step(run, "population", NULL, directory, &step);
    if (status != ASSAY_OK) goto out;
    start(run, step);
    status = assay_run_population(&config->population, config->name, directory, run->options->force,
                                  run->options->dry_run, run->progress, &made);
    if (status != ASSAY_OK) goto out;
    if (!made) step->outcome = ASSAY_RUN_UP_TO_DATE;
    run->samples = (uint64_t)config->population.subjects * config->population.samples_per_subject;
    snprintf(step->summary, sizeof step->summary, "%" PRIu64 " images of %u subjects", run->samples,
             config->population.subjects);
    run->images_planned = made && run->options->dry_run;
    if (!run->images_planned) {
        status = assay_run_population_declare(directory, &run->population_declaration);
        run->declaration = &run->population_declaration;
    }
    finish(run, step, status);
out:
    free(directory);
    return status;
}

/* What ingesting tells by itself, where it is not done. */
static void note_warnings(const runner *run, const assay_text *warnings) {
    const char *line = warnings->bytes;
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n");
        assay_progress_note(run->progress, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

/* Whether the data set that is there is what the manifest and the images say now. */
static assay_status dataset_fits(runner *run, bool *out) {
    assay_sample_table table = {0};
    assay_text warnings = {0};
    assay_dataset *dataset = NULL;
    assay_digest digest;
    assay_progress silent = {0};
    *out = false;
    if (run->progress != NULL) silent = *run->progress;
    silent.note = NULL;
    assay_status status = assay_manifest_read(run->declaration, &silent, &table, &warnings);
    if (status == ASSAY_OK) status = assay_dataset_digest(&table, &digest);
    if (status != ASSAY_OK) goto out;
    run->samples = table.row_count;
    run->subjects = table.subject_count;
    if (!is_finished(run, run->dataset_path)) goto out;
    if (assay_dataset_open(run->dataset_path, &dataset) != ASSAY_OK) {
        note_unusable(run, run->dataset_path);
        goto out;
    }
    const assay_dataset_head *head = assay_dataset_get_head(dataset);
    *out = assay_digest_equal(&head->digest, &digest) &&
           strcmp(head->name, run->declaration->name) == 0;
    run->dataset_digest = digest;
out:
    if (status == ASSAY_OK && (*out || run->options->dry_run)) note_warnings(run, &warnings);
    assay_dataset_close(dataset);
    assay_sample_table_free(&table);
    assay_text_free(&warnings);
    return status;
}

static assay_status ingest(runner *run, assay_run_step *step) {
    assay_ingest_result result = {0};
    assay_status status = assay_ingest(run->declaration, run->dataset_path, run->progress, &result);
    if (status != ASSAY_OK) return status;
    run->dataset_digest = result.digest;
    run->samples = result.samples;
    run->subjects = result.subjects;
    snprintf(step->summary, sizeof step->summary,
             "%" PRIu64 " samples of %" PRIu64 " subjects, %" PRIu64 " excluded", result.samples,
             result.subjects, result.excluded);
    return ASSAY_OK;
}

static assay_status step_ingest(runner *run) {
    assay_run_step *step = NULL;
    bool fits = false;
    assay_status status = add_step(run, "ingest", NULL, run->dataset_path, &step);
    if (status != ASSAY_OK) return status;
    start(run, step);
    if (run->images_planned) {
        snprintf(step->summary, sizeof step->summary, "%" PRIu64 " samples", run->samples);
        run->dataset_planned = true;
        finish(run, step, status);
        return ASSAY_OK;
    }
    status = dataset_fits(run, &fits);
    if (status != ASSAY_OK) return status;
    snprintf(step->summary, sizeof step->summary, "%" PRIu64 " samples of %" PRIu64 " subjects",
             run->samples, run->subjects);
    run->dataset_planned = !fits && run->options->dry_run;
    if (fits) step->outcome = ASSAY_RUN_UP_TO_DATE;
    if (!fits && !run->options->dry_run) status = ingest(run, step);
    step->digest = run->dataset_planned ? (assay_digest){0} : run->dataset_digest;
    finish(run, step, status);
    return status;
}

/* ---- templates ---- */

static assay_release release_of(const assay_config_release *release) {
    return (assay_release){.release = release->name,
                           .version = release->version,
                           .algorithm = release->algorithm,
                           .parameters = (const char *const *)release->parameters,
                           .plugin = release->plugin,
                           .config_directory = release->config_directory,
                           .readable = (const char *const *)release->readable,
                           .template_seconds = release->template_seconds,
                           .memory_bytes = release->memory_bytes};
}

static assay_import import_of(const runner *run, const assay_config_release *release) {
    const assay_config *config = run->config;
    bool declared = config->dataset.name != NULL;
    return (assay_import){.matrix = release->templates,
                          .labels_path = release->labels,
                          .release = release->name,
                          .version = release->version,
                          .comparator = config->comparator == NULL ? "cosine" : config->comparator,
                          .masks = release->masks,
                          .id_column = release->id_column,
                          .subjects = release->subjects,
                          .samples = release->samples,
                          .family = release->family,
                          .bit_rows = release->bit_rows,
                          .shift_bits = release->shift_bits,
                          .dataset_name = declared ? config->dataset.name : config->name,
                          .declared = declared ? &config->dataset : NULL};
}

/* What templates are, of either sort; *templates and *opaque are the caller's to let go. */
static assay_status open_head(const char *path, assay_templates **templates, assay_opaque *opaque,
                              const assay_templates_head **out) {
    bool is_opaque = false;
    assay_status status = assay_opaque_is(path, &is_opaque);
    if (status != ASSAY_OK) return status;
    status = is_opaque ? assay_opaque_read(path, opaque) : assay_templates_open(path, templates);
    if (status == ASSAY_OK) *out = is_opaque ? &opaque->head : assay_templates_get_head(*templates);
    return status;
}

static assay_status templates_fit(runner *run, const assay_config_release *release,
                                  release_files *files, bool *out) {
    assay_templates *templates = NULL;
    assay_status status = ASSAY_OK;
    *out = false;
    if (run->dataset_planned || !is_finished(run, files->templates)) return ASSAY_OK;
    assay_opaque opaque = {0};
    const assay_templates_head *head = NULL;
    if (open_head(files->templates, &templates, &opaque, &head) != ASSAY_OK) {
        note_unusable(run, files->templates);
        return ASSAY_OK;
    }
    bool same =
        strcmp(head->release, release->name) == 0 && strcmp(head->version, release->version) == 0;
    if (same && assay_config_enrols(release)) {
        assay_release wanted = release_of(release);
        status = assay_run_enrolled_fits(head, &wanted, &run->dataset_digest, &same);
    } else if (same) {
        assay_import wanted = import_of(run, release);
        status = assay_run_import_fits(head, &wanted, &same);
    }
    *out = same;
    assay_templates_close(templates);
    assay_opaque_free(&opaque);
    return status;
}

static assay_status make_templates(runner *run, const assay_config_release *release,
                                   const char *path, assay_run_step *step) {
    assay_enroll_result result = {0};
    assay_status status = assay_run_make_parent(path);
    if (status == ASSAY_OK && assay_config_enrols(release)) {
        const assay_release wanted = release_of(release);
        const unsigned checkpoint = run->config->checkpoint_seconds;
        const assay_enroll_options options = {
            .threads = run->threads,
            .checkpoint_seconds =
                checkpoint < ASSAY_ENROLL_CHECKPOINT ? checkpoint : ASSAY_ENROLL_CHECKPOINT};
        status = assay_enroll(run->dataset_path, &wanted, &options, path, run->progress, &result);
    } else if (status == ASSAY_OK) {
        assay_import wanted = import_of(run, release);
        status = assay_import_templates(&wanted, path, run->progress, &result);
    }
    if (status != ASSAY_OK) return status;
    snprintf(step->summary, sizeof step->summary,
             "%" PRIu64 " enrolled, %" PRIu64 " refused, %" PRIu64 " failed, %" PRIu64 " excluded",
             result.enrolled, result.refused, result.failed, result.excluded);
    return ASSAY_OK;
}

/* Length of the templates that a release would make, for the estimate of a dry run. */
static assay_status planned_length(runner *run, const assay_config_release *release,
                                   release_files *files) {
    assay_session *session = NULL;
    if (!assay_config_enrols(release)) {
        const assay_import wanted = import_of(run, release);
        uint32_t columns = 0;
        assay_status status = assay_import_shape(&wanted, &files->count, &columns);
        bool bits = assay_import_is_bits(run->config->comparator);
        files->kind = bits ? ASSAY_TEMPLATES_BITS : ASSAY_TEMPLATES_VECTORS;
        files->length = bits ? 8 * columns : columns;
        return status;
    }
    const assay_release wanted = release_of(release);
    assay_status status = assay_session_open(&wanted, &session);
    if (status != ASSAY_OK) return status;
    const assay_algorithm_description *about = assay_session_about(session);
    files->length = about->length;
    if (about->kind == ASSAY_TEMPLATE_BITS) files->kind = ASSAY_TEMPLATES_BITS;
    const bool apart = about->roles_differ && about->kind != ASSAY_TEMPLATE_OPAQUE;
    files->count = apart ? 2 * run->samples : run->samples;
    assay_session_close(session);
    return ASSAY_OK;
}

/* Reads what the templates are, once they are there. */
static assay_status read_head(runner *run, release_files *files, assay_run_step *step) {
    assay_templates *templates = NULL;
    assay_opaque opaque = {0};
    const assay_templates_head *head = NULL;
    assay_status status = open_head(files->templates, &templates, &opaque, &head);
    if (status != ASSAY_OK) return status;
    files->digest = head->digest;
    files->dataset_digest = head->dataset_digest;
    files->count = head->table.row_count;
    files->kind = head->kind;
    files->length = head->length;
    step->digest = head->digest;
    if (step->summary[0] == '\0')
        snprintf(step->summary, sizeof step->summary, "%" PRIu64 " samples, %u %s", files->count,
                 files->length, files->kind == ASSAY_TEMPLATES_BITS ? "bits" : "components");
    if (run->config->pair_list != NULL)
        status = assay_run_read_pairs(run, &head->table, &files->protocol);
    assay_templates_close(templates);
    assay_opaque_free(&opaque);
    return status;
}

static assay_status step_templates(runner *run, const assay_config_release *release,
                                   release_files *files) {
    assay_run_step *step = NULL;
    bool fits = false;
    const char *name = files->given                   ? "templates"
                       : assay_config_enrols(release) ? "enroll"
                                                      : "import";
    assay_status status = add_step(run, name, release, files->templates, &step);
    if (status != ASSAY_OK) return status;
    start(run, step);
    if (!files->given) status = templates_fit(run, release, files, &fits);
    if (status != ASSAY_OK) return status;
    if (files->given) {
        step->outcome = ASSAY_RUN_GIVEN;
    } else if (fits) {
        step->outcome = ASSAY_RUN_UP_TO_DATE;
    } else if (run->options->dry_run) {
        files->planned = true;
        status = planned_length(run, release, files);
        snprintf(step->summary, sizeof step->summary, "%" PRIu64 " samples, %u %s", files->count,
                 files->length, files->kind == ASSAY_TEMPLATES_BITS ? "bits" : "components");
        finish(run, step, status);
        return status;
    } else {
        status = make_templates(run, release, files->templates, step);
    }
    if (status == ASSAY_OK) status = read_head(run, files, step);
    finish(run, step, status);
    return status;
}

/* Releases are compared with each other: before hours of comparing, not after. */
static assay_status check_one_dataset(const runner *run, const release_files *files) {
    for (size_t n = 1; n < run->config->release_count; n++) {
        if (files[n].planned || files[0].planned) continue;
        if (assay_digest_equal(&files[n].dataset_digest, &files[0].dataset_digest)) continue;
        return assay_fail(
            ASSAY_USAGE,
            "%s and %s are of different data sets; the releases of one evaluation are "
            "enrolled from, or labelled as, the same one",
            files[0].templates, files[n].templates);
    }
    return ASSAY_OK;
}

/* ---- evidence ---- */

/* references: digest of the other release's templates, or NULL; plugin: what would compare opaque
 * templates, or NULL. */
static assay_status evidence_fits(runner *run, const char *path, const release_files *files,
                                  const assay_digest *references, const assay_release *plugin,
                                  assay_run_step *step, bool *out) {
    static const assay_digest none = {{0}};
    assay_evidence evidence = {0};
    char *there = NULL, *wanted = NULL;
    assay_status status = ASSAY_OK;
    *out = false;
    if (files->planned || !is_finished(run, path)) return ASSAY_OK;
    if (assay_evidence_read(path, &evidence) != ASSAY_OK) {
        note_unusable(run, path);
        return ASSAY_OK;
    }
    status = assay_protocol_to_json(&evidence.protocol, &there);
    if (status == ASSAY_OK)
        status = assay_protocol_to_json(assay_run_protocol(run, files), &wanted);
    if (status != ASSAY_OK) goto out;
    const char *comparator = run->config->comparator;
    *out = assay_digest_equal(&evidence.templates_digest, &files->digest) &&
           assay_digest_equal(&evidence.reference_digest, references ? references : &none) &&
           strcmp(there, wanted) == 0 &&
           (comparator == NULL || assay_comparator_fits(comparator, evidence.comparator));
    if (*out) status = assay_run_compared_fits(&evidence, plugin, out);
    if (status == ASSAY_OK && *out) {
        step->digest = evidence.result_digest;
        snprintf(step->summary, sizeof step->summary,
                 "%" PRIu64 " mated, %" PRIu64 " non-mated comparisons", evidence.mated_count,
                 evidence.non_mated);
    }
out:
    free(there);
    free(wanted);
    assay_evidence_free(&evidence);
    return status;
}

static assay_compare_options compare_options(const runner *run, const release_files *files,
                                             const assay_release *plugin) {
    return (assay_compare_options){.protocol = assay_run_protocol(run, files),
                                   .comparator = run->config->comparator,
                                   .backend = run->backend,
                                   .threads = run->threads,
                                   .checkpoint_seconds = run->config->checkpoint_seconds,
                                   .check_tiles = run->config->check_tiles,
                                   .configuration_digest = run->configuration_digest,
                                   .plugin = plugin,
                                   .opaque_cap = run->config->opaque_cap};
}

static assay_status estimate(const runner *run, const release_files *files,
                             const assay_release *plugin, assay_run_step *step) {
    assay_compare_options options = compare_options(run, files, plugin);
    assay_compare_result result = {0};
    assay_status status =
        assay_compare_estimate(files->kind, files->count, files->length, &options, &result);
    if (status != ASSAY_OK) return status;
    snprintf(step->summary, sizeof step->summary,
             "up to %" PRIu64 " pairs, %.3f GB of memory, %.3f GB of disk, backend %s",
             result.pairs, (double)result.memory_bytes / 1e9, (double)result.disk_bytes / 1e9,
             result.backend);
    return ASSAY_OK;
}

static assay_status compare(const runner *run, const release_files *files,
                            const assay_release *plugin, assay_run_step *step) {
    assay_compare_options options = compare_options(run, files, plugin);
    assay_compare_result result = {0};
    assay_status status = assay_run_make_parent(files->evidence);
    if (status == ASSAY_OK)
        status = assay_compare(files->templates, &options, files->evidence, run->progress, &result);
    if (status != ASSAY_OK) return status;
    step->digest = result.result_digest;
    snprintf(step->summary, sizeof step->summary,
             "%" PRIu64 " mated, %" PRIu64 " non-mated comparisons, backend %s", result.mated,
             result.non_mated, result.backend);
    return ASSAY_OK;
}

static assay_status step_compare(runner *run, const assay_config_release *release,
                                 const release_files *files) {
    const assay_release plugin = release_of(release);
    assay_run_step *step = NULL;
    bool fits = false;
    assay_status status = add_step(run, "compare", release, files->evidence, &step);
    if (status != ASSAY_OK) return status;
    start(run, step);
    status = evidence_fits(run, files->evidence, files, NULL, &plugin, step, &fits);
    if (status != ASSAY_OK) return status;
    if (fits)
        step->outcome = ASSAY_RUN_UP_TO_DATE;
    else if (run->options->dry_run)
        status = estimate(run, files, &plugin, step);
    else
        status = compare(run, files, &plugin, step);
    if (fits && !run->options->dry_run) assay_compare_drop_segments(files->evidence);
    finish(run, step, status);
    return status;
}

/* ---- references of another release ---- */

static assay_status name_between(const runner *run, const assay_config_release *references,
                                 const assay_config_release *probes, char **out) {
    assay_text text = {0};
    assay_text_appendf(&text, "%s/%s-%s/evidence-references-%s-%s.h5", run->output, probes->name,
                       probes->version, references->name, references->version);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK) status = assay_copy_string(out, text.bytes);
    assay_text_free(&text);
    return status;
}

static assay_status compare_between(const runner *run, const release_files *references,
                                    const release_files *probes, bool assumed, const char *path,
                                    assay_run_step *step) {
    assay_compare_options options = compare_options(run, probes, NULL);
    assay_compare_result result = {0};
    options.assume_compatible = assumed;
    assay_status status = assay_run_make_parent(path);
    if (status == ASSAY_OK)
        status = assay_compare_between(references->templates, probes->templates, &options, path,
                                       run->progress, &result);
    if (status != ASSAY_OK) return status;
    step->digest = result.result_digest;
    snprintf(step->summary, sizeof step->summary,
             "%" PRIu64 " mated, %" PRIu64 " non-mated comparisons, backend %s", result.mated,
             result.non_mated, result.backend);
    return ASSAY_OK;
}

/* Says of whom the references are, behind what else is said. */
static void name_references(const assay_config_release *references, assay_run_step *step) {
    const size_t used = strlen(step->summary);
    snprintf(step->summary + used, sizeof step->summary - used, "%sreferences of %s %s",
             used > 0 ? ", " : "", references->name, references->version);
}

static assay_status step_between(runner *run, size_t references, size_t probes,
                                 const release_files *files, const char *path) {
    const assay_config_release *of = &run->config->releases[probes];
    assay_run_step *step = NULL;
    bool fits = false;
    assay_status status = add_step(run, "compare", of, path, &step);
    if (status != ASSAY_OK) return status;
    start(run, step);
    if (!files[references].planned)
        status =
            evidence_fits(run, path, &files[probes], &files[references].digest, NULL, step, &fits);
    if (status != ASSAY_OK) return status;
    if (fits)
        step->outcome = ASSAY_RUN_UP_TO_DATE;
    else if (!run->options->dry_run)
        status = compare_between(run, &files[references], &files[probes], of->assume_compatible,
                                 path, step);
    if (status == ASSAY_OK) name_references(&run->config->releases[references], step);
    finish(run, step, status);
    return status;
}

static assay_status compare_old_references(runner *run, const release_files *files) {
    const assay_config *config = run->config;
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < config->release_count; n++)
        for (size_t k = 0; status == ASSAY_OK && k < config->releases[n].old_reference_count; k++) {
            const size_t other =
                assay_config_release_named(config, config->releases[n].old_references[k]);
            char *path = NULL;
            status = name_between(run, &config->releases[other], &config->releases[n], &path);
            if (status == ASSAY_OK) status = step_between(run, other, n, files, path);
            if (status == ASSAY_OK)
                run->result->evidence[run->result->evidence_count++] = path;
            else
                free(path);
        }
    return status;
}

static size_t count_evidence(const assay_config *config) {
    size_t count = config->release_count;
    for (size_t n = 0; n < config->release_count; n++)
        count += config->releases[n].old_reference_count;
    return count;
}

/* ---- the whole ---- */

static assay_status name_files(const runner *run, const assay_config_release *release,
                               release_files *files) {
    assay_text text = {0};
    assay_text_appendf(&text, "%s/%s-%s/", run->output, release->name, release->version);
    assay_status status = assay_text_status(&text);
    files->given =
        release->templates != NULL && release->labels == NULL && release->subjects == NULL;
    if (status == ASSAY_OK && files->given)
        status = assay_copy_string(&files->templates, release->templates);
    else if (status == ASSAY_OK)
        status = assay_path_join(&files->templates, text.bytes, "templates.h5");
    if (status == ASSAY_OK) status = assay_path_join(&files->evidence, text.bytes, "evidence.h5");
    assay_text_free(&text);
    return status;
}

static assay_status run_releases(runner *run, release_files *files) {
    const assay_config *config = run->config;
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < config->release_count; n++)
        status = step_templates(run, &config->releases[n], &files[n]);
    if (status == ASSAY_OK) status = check_one_dataset(run, files);
    for (size_t n = 0; status == ASSAY_OK && n < config->release_count; n++) {
        status = step_compare(run, &config->releases[n], &files[n]);
        if (status == ASSAY_OK)
            status = assay_copy_string(&run->result->evidence[n], files[n].evidence);
        if (status == ASSAY_OK) run->result->evidence_count = n + 1;
    }
    return status == ASSAY_OK ? compare_old_references(run, files) : status;
}

/* ---- composites ---- */

static assay_status composite_path(const runner *run, const assay_composite *composite,
                                   char **out) {
    assay_text text = {0};
    assay_text_appendf(&text, "%s/%s-%s/evidence.h5", run->output, composite->name,
                       composite->version);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK)
        *out = text.bytes;
    else
        assay_text_free(&text);
    return status;
}

/* Evidence of the releases as that of one system; the paths of its parts are those of theirs. */
static assay_status make_composite(runner *run, const assay_composite *composite,
                                   const char *const *parts, const char *path,
                                   assay_run_step *step) {
    bool fits = false;
    assay_status status = ASSAY_OK;
    if (run->options->dry_run) return ASSAY_OK;
    if (!run->options->force && assay_file_exists(path))
        status = assay_composite_fits(composite, parts, path, &fits, &step->digest);
    if (status == ASSAY_OK && fits) step->outcome = ASSAY_RUN_UP_TO_DATE;
    if (status == ASSAY_OK && !fits) status = assay_run_make_parent(path);
    if (status == ASSAY_OK && !fits)
        status = assay_composite_make(composite, parts, path, &step->digest);
    snprintf(step->summary, sizeof step->summary, "%zu algorithms, by the age in the reference",
             composite->part_count);
    return status;
}

static assay_status step_composite(runner *run, const release_files *files,
                                   const assay_composite *composite) {
    const assay_config_release named = {.name = composite->name, .version = composite->version};
    assay_run_step *step = NULL;
    const char **parts = NULL;
    char *path = NULL;
    assay_status status = composite_path(run, composite, &path);
    if (status == ASSAY_OK)
        status = assay_allocate(&parts, composite->part_count, sizeof *parts, "parts");
    if (status == ASSAY_OK) status = add_step(run, "compose", &named, path, &step);
    if (status != ASSAY_OK) goto out;
    start(run, step);
    for (size_t n = 0; n < composite->part_count; n++)
        parts[n] = files[assay_config_find_release(run->config, composite->parts[n].release,
                                                   composite->parts[n].version)]
                       .evidence;
    status = make_composite(run, composite, parts, path, step);
    if (status == ASSAY_OK)
        status = assay_copy_string(&run->result->evidence[run->result->evidence_count], path);
    if (status == ASSAY_OK) run->result->evidence_count++;
    finish(run, step, status);
out:
    free(parts);
    free(path);
    return status;
}

static bool needs_dataset(const assay_config *config) {
    for (size_t n = 0; n < config->release_count; n++)
        if (assay_config_enrols(&config->releases[n])) return true;
    return false;
}

/* The folder is there from here on, and so is each file's. */
static assay_status enter(runner *run, const assay_output *outputs, size_t count) {
    assay_status status = assay_run_enter(run, &run->lock);
    for (size_t n = 0; status == ASSAY_OK && n < count; n++)
        status = assay_run_make_parent(outputs[n].path);
    return status == ASSAY_OK ? assay_outputs_lock(outputs, count, &run->locks) : status;
}

/* All that the run reads and writes, before hours of work and not after; and nobody else writes it
 * meanwhile. */
static assay_status take_outputs(runner *run, const release_files *files) {
    const assay_config *config = run->config;
    const char **inputs = NULL;
    assay_output *outputs = NULL;
    char **composites = NULL;
    size_t count = config->release_count, in = 0, out = 0;
    assay_status status = assay_allocate(&inputs, 3 + 3 * count, sizeof *inputs, "inputs");
    if (status == ASSAY_OK)
        status = assay_allocate(&outputs, 1 + 2 * count + config->composite_count, sizeof *outputs,
                                "outputs");
    if (status == ASSAY_OK)
        status = assay_allocate(&composites, config->composite_count, sizeof *composites, "paths");
    if (status != ASSAY_OK) goto out;
    inputs[in++] = config->path;
    inputs[in++] = config->pair_list;
    inputs[in++] = config->dataset.csv;
    if (needs_dataset(config)) outputs[out++] = (assay_output){run->dataset_path, "dataset"};
    for (size_t n = 0; status == ASSAY_OK && n < config->composite_count; n++) {
        status = composite_path(run, &config->composites[n], &composites[n]);
        outputs[out++] = (assay_output){composites[n], "evidence"};
    }
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0; n < count; n++) {
        inputs[in++] = config->releases[n].templates;
        inputs[in++] = config->releases[n].labels;
        inputs[in++] = config->releases[n].plugin;
        if (!files[n].given) outputs[out++] = (assay_output){files[n].templates, "templates"};
        outputs[out++] = (assay_output){files[n].evidence, "evidence"};
    }
    status = assay_outputs_check(outputs, out, inputs, in);
    if (status == ASSAY_OK && !run->options->dry_run) status = enter(run, outputs, out);
out:
    for (size_t n = 0; composites != NULL && n < config->composite_count; n++) free(composites[n]);
    free(composites);
    free(inputs);
    free(outputs);
    return status;
}

static assay_status run_steps(runner *run, release_files *files) {
    assay_status status = ASSAY_OK;
    if (needs_dataset(run->config)) {
        if (run->config->is_population) status = step_population(run);
        if (status == ASSAY_OK) status = step_ingest(run);
    }
    if (status == ASSAY_OK) status = run_releases(run, files);
    for (size_t n = 0; status == ASSAY_OK && n < run->config->composite_count; n++)
        status = step_composite(run, files, &run->config->composites[n]);
    if (status != ASSAY_OK) give_up(run);
    return status;
}

/* Names every file of the run and asks whether it may be written. */
static assay_status prepare(runner *run, release_files *files) {
    const size_t count = run->config->release_count;
    struct stat about;
    assay_status status = assay_copy_string(&run->result->output, run->output);
    if (status == ASSAY_OK && stat(run->output, &about) == 0 && !S_ISDIR(about.st_mode))
        status = assay_fail(ASSAY_USAGE, "cannot write to %s: it is a file, expected a folder",
                            run->output);
    if (status == ASSAY_OK) status = assay_path_join(&run->dataset_path, run->output, "dataset.h5");
    if (status == ASSAY_OK)
        status = assay_allocate(&run->result->evidence,
                                count_evidence(run->config) + run->config->composite_count,
                                sizeof(char *), "paths of evidence");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++)
        status = name_files(run, &run->config->releases[n], &files[n]);
    return status == ASSAY_OK ? take_outputs(run, files) : status;
}

assay_status assay_run(const assay_config *config, const assay_run_options *options,
                       const assay_progress *progress, assay_run_result *out) {
    runner run = {.config = config,
                  .options = options,
                  .progress = progress,
                  .result = out,
                  .lock = ASSAY_LOCK_NONE};
    release_files *files = NULL;
    run.output = options->output != NULL ? options->output : config->output;
    run.backend = options->backend != NULL ? options->backend : config->backend;
    run.threads = options->threads > 0 ? options->threads : config->threads;
    run.declaration = &config->dataset;
    assay_digest_hex(run.configuration_digest, &config->digest);
    assay_status status = assay_allocate(&files, config->release_count, sizeof *files, "releases");
    if (status == ASSAY_OK) status = prepare(&run, files);
    if (status == ASSAY_OK) status = run_steps(&run, files);
    assay_outputs_unlock(&run.locks);
    assay_lock_release(&run.lock);
    for (size_t n = 0; files != NULL && n < config->release_count; n++) {
        free(files[n].templates);
        free(files[n].evidence);
        assay_protocol_free(&files[n].protocol);
    }
    free(files);
    free(run.dataset_path);
    assay_manifest_declaration_free(&run.population_declaration);
    return status;
}

void assay_run_result_free(assay_run_result *result) {
    for (size_t n = 0; n < result->step_count; n++) {
        free(result->steps[n].release);
        free(result->steps[n].path);
    }
    free(result->steps);
    for (size_t n = 0; n < result->evidence_count; n++) free(result->evidence[n]);
    free(result->evidence);
    free(result->output);
    *result = (assay_run_result){0};
}
