/* cmd_compare -- `assay compare templates.h5 -o evidence.h5`: all comparisons of a protocol. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/opaque.h"
#include "harness/cli/command.h"
#include "harness/config.h"
#include "harness/outputs.h"
#include "harness/steps.h"

#define NOT_GIVEN UINT64_MAX /* of an option that may be 0 */

typedef struct {
    const char *output, *protocol, *role_column, *reference, *probe, *pairs, *comparator, *backend;
    const char *histogram, *matrix, *config, *plugin, *config_directory, *rows;
    const char *references, *probes; /* templates of two releases */
    assay_option_words histogram_by, parameters, readable;
    assay_option_numbers fmr_targets, thresholds;
    uint64_t threads, memory, tail_cap, checkpoint, checkpoint_tiles, check_tiles, pick_seed,
        opaque_cap, top;
    bool same_session, estimate, assume_compatible, json, quiet;
} compare_values;

static assay_status replace_text(char **field, const char *text) {
    if (text == NULL) return ASSAY_OK;
    free(*field);
    *field = NULL;
    return assay_copy_string(field, text);
}

static assay_status replace_histogram_by(const assay_option_words *given,
                                         assay_protocol *protocol) {
    if (given->items == NULL) return ASSAY_OK;
    for (uint32_t n = 0; n < protocol->histogram_by_count; n++) free(protocol->histogram_by[n]);
    free(protocol->histogram_by);
    protocol->histogram_by = NULL;
    protocol->histogram_by_count = 0;
    assay_status status = assay_allocate(&protocol->histogram_by, given->count, sizeof(char *),
                                         "names of attributes");
    for (size_t n = 0; status == ASSAY_OK && n < given->count; n++) {
        status = assay_copy_string(&protocol->histogram_by[n], given->items[n]);
        if (status == ASSAY_OK) protocol->histogram_by_count++;
    }
    return status;
}

/* The command line's word over the configuration's. */
static assay_status apply(const compare_values *values, assay_config *config) {
    assay_protocol *protocol = &config->protocol;
    assay_status status = ASSAY_OK;
    if (values->protocol != NULL)
        status = assay_config_protocol_kind(values->protocol, &protocol->kind);
    if (status == ASSAY_OK && values->histogram != NULL)
        status = assay_config_histogram(values->histogram, protocol);
    if (status == ASSAY_OK) status = replace_histogram_by(&values->histogram_by, protocol);
    if (status == ASSAY_OK)
        status = assay_take_numbers("fmr-targets", &values->fmr_targets, 1e-15, 1,
                                    &protocol->fmr_targets, &protocol->fmr_target_count);
    if (status == ASSAY_OK)
        status = assay_take_numbers("thresholds", &values->thresholds, -1e300, 1e300,
                                    &protocol->thresholds, &protocol->threshold_count);
    if (status == ASSAY_OK) status = replace_text(&protocol->role_column, values->role_column);
    if (status == ASSAY_OK) status = replace_text(&protocol->reference_value, values->reference);
    if (status == ASSAY_OK) status = replace_text(&protocol->probe_value, values->probe);
    if (status == ASSAY_OK) status = replace_text(&config->pair_list, values->pairs);
    if (status == ASSAY_OK) status = replace_text(&config->comparator, values->comparator);
    if (status == ASSAY_OK) status = replace_text(&config->backend, values->backend);
    if (status != ASSAY_OK) return status;
    if (values->same_session) protocol->same_session = true;
    if (values->pick_seed != NOT_GIVEN) protocol->pick_seed = values->pick_seed;
    if (values->tail_cap > 0) protocol->tail_cap = values->tail_cap;
    if (values->threads > 0) config->threads = (unsigned)values->threads;
    if (values->check_tiles != NOT_GIVEN) config->check_tiles = values->check_tiles;
    if (values->checkpoint != NOT_GIVEN) config->checkpoint_seconds = (unsigned)values->checkpoint;
    return assay_config_protocol_check(protocol, config->pair_list);
}

static assay_status prepare(const compare_values *values, assay_config *config) {
    assay_status status;
    if (values->config != NULL) {
        status = assay_config_read(values->config, config);
    } else {
        config->checkpoint_seconds = ASSAY_CONFIG_CHECKPOINT;
        config->check_tiles = ASSAY_CONFIG_CHECK_TILES;
        status = assay_copy_string(&config->backend, "auto");
        if (status == ASSAY_OK) status = assay_protocol_create(&config->protocol);
    }
    return status == ASSAY_OK ? apply(values, config) : status;
}

/* What is kept one by one, and the target that this does not reach. */
static void print_tail(const assay_protocol *protocol, const assay_compare_result *result) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], c[ASSAY_NUMBER_SIZE];
    for (uint32_t n = 0; n < protocol->fmr_target_count; n++) {
        const double allowed = floor(protocol->fmr_targets[n] * (double)result->non_mated + 1e-9);
        if (result->tail >= result->non_mated || allowed < (double)result->tail) continue;
        assay_print_field("tail", "%s non-mated kept one by one; FMR %s needs %s (--tail-cap)",
                          assay_print_count(a, result->tail),
                          assay_print_double(b, protocol->fmr_targets[n]),
                          assay_print_count(c, (uint64_t)allowed + 1));
        return;
    }
    assay_print_field("tail", "%s non-mated kept one by one", assay_print_count(a, result->tail));
}

static assay_status print_result(const compare_values *values, const assay_protocol *protocol,
                                 const assay_compare_result *result) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], hex[ASSAY_DIGEST_HEX];
    bool done = !values->estimate;
    if (values->json)
        return assay_print_json(
            json_pack("{s:s?, s:s, s:I, s:I, s:I, s:I, s:{s:I, s:I}, s:I, s:I, s:I, s:o}", "path",
                      done ? values->output : NULL, "backend", result->backend, "templates",
                      (json_int_t)result->templates, "pairs", (json_int_t)result->pairs, "mated",
                      (json_int_t)result->mated, "non_mated", (json_int_t)result->non_mated,
                      "failed", "mated", (json_int_t)result->mated_failed, "non_mated",
                      (json_int_t)(result->failed - result->mated_failed), "tail",
                      (json_int_t)result->tail, "memory_bytes", (json_int_t)result->memory_bytes,
                      "disk_bytes", (json_int_t)result->disk_bytes, "result_digest",
                      done ? assay_json_digest(&result->result_digest) : json_null()));
    if (values->quiet) return ASSAY_OK;
    if (done) assay_print_field("evidence", "%s", values->output);
    assay_print_field("backend", "%s", result->backend);
    assay_print_field("templates", "%s", assay_print_count(a, result->templates));
    if (done)
        assay_print_field("comparisons", "%s mated, %s non-mated",
                          assay_print_count(a, result->mated),
                          assay_print_count(b, result->non_mated));
    else
        assay_print_field("comparisons", "at most %s", assay_print_count(a, result->pairs));
    if (result->failed > 0)
        assay_print_field("failed", "%s mated, %s non-mated  (they gave no score)",
                          assay_print_count(a, result->mated_failed),
                          assay_print_count(b, result->failed - result->mated_failed));
    print_tail(protocol, result);
    assay_print_field("memory", "%.3f GB at most", (double)result->memory_bytes / 1e9);
    assay_print_field("disk", "%.3f GB at most", (double)result->disk_bytes / 1e9);
    if (done) assay_print_field("result", "%s", assay_digest_hex(hex, &result->result_digest));
    return ASSAY_OK;
}

/* What is asked of the templates before they are compared: pairs of a list, the size. */
static assay_status look_at_templates(const compare_values *values, const char *path,
                                      assay_config *config, const assay_compare_options *options,
                                      assay_compare_result *result) {
    assay_templates *templates = NULL;
    assay_opaque opaque = {0};
    assay_sample_table in_roles = {0};
    bool is_opaque = false;
    if (config->pair_list == NULL && !values->estimate) return ASSAY_OK;
    assay_status status = assay_opaque_is(path, &is_opaque);
    if (status == ASSAY_OK)
        status =
            is_opaque ? assay_opaque_read(path, &opaque) : assay_templates_open(path, &templates);
    if (status != ASSAY_OK) return status;
    const assay_templates_head *head =
        is_opaque ? &opaque.head : assay_templates_get_head(templates);
    const assay_sample_table *table = &head->table;
    if (values->references != NULL) {
        status = assay_sample_table_in_roles(table, table, &in_roles);
        table = &in_roles;
    }
    if (status == ASSAY_OK && config->pair_list != NULL)
        status = assay_pair_list_read(config->pair_list, table, &config->protocol);
    if (status == ASSAY_OK && values->estimate)
        status = assay_compare_estimate(head->kind, head->table.row_count, head->length, options,
                                        result);
    assay_sample_table_free(&in_roles);
    assay_templates_close(templates);
    assay_opaque_free(&opaque);
    return status;
}

static assay_status take_outputs(const compare_values *values, const char *templates,
                                 const assay_config *config, assay_output_locks *locks) {
    const assay_output outputs[] = {{values->output, "evidence"}, {values->matrix, "matrix"}};
    const char *const inputs[] = {templates, values->references, config->pair_list, values->config};
    if (values->estimate) return ASSAY_OK;
    assay_status status = assay_outputs_check(outputs, 2, inputs, sizeof inputs / sizeof *inputs);
    return status == ASSAY_OK ? assay_outputs_lock(outputs, 2, locks) : status;
}

/* TEMPLATES, or both of --references and --probes; *out is the file of the probes. */
static assay_status find_templates(const compare_values *values, char **arguments, size_t count,
                                   const char **out) {
    const bool between = values->references != NULL && values->probes != NULL;
    const bool some = values->references != NULL || values->probes != NULL;
    if (some != between || (count == 1) == between)
        return assay_fail(ASSAY_USAGE, "expected TEMPLATES, or --references FILE and --probes FILE "
                                       "of two releases");
    if (between && (values->matrix != NULL || values->estimate || values->plugin != NULL))
        return assay_fail(ASSAY_USAGE, "--matrix, --estimate and --plugin are of the templates of "
                                       "one release, not of --references and --probes");
    *out = between ? values->probes : arguments[0];
    return ASSAY_OK;
}

static assay_status compare(const compare_values *values, const char *templates,
                            const assay_compare_options *options, const assay_progress *progress,
                            assay_compare_result *result) {
    if (values->references == NULL)
        return assay_compare(templates, options, values->output, progress, result);
    return assay_compare_between(values->references, templates, options, values->output, progress,
                                 result);
}

/* ---- rows of single samples ---- */

/* What the evidence says of itself is not said again. */
static assay_status check_rows_options(const compare_values *values) {
    const struct {
        const char *name;
        bool given;
    } others[] = {{"protocol", values->protocol != NULL},
                  {"role-column", values->role_column != NULL},
                  {"reference", values->reference != NULL},
                  {"probe", values->probe != NULL},
                  {"pairs", values->pairs != NULL},
                  {"pick-seed", values->pick_seed != NOT_GIVEN},
                  {"same-session", values->same_session},
                  {"comparator", values->comparator != NULL},
                  {"plugin", values->plugin != NULL},
                  {"fmr-targets", values->fmr_targets.items != NULL},
                  {"thresholds", values->thresholds.items != NULL},
                  {"histogram-by", values->histogram_by.items != NULL},
                  {"histogram", values->histogram != NULL},
                  {"matrix", values->matrix != NULL},
                  {"references", values->references != NULL},
                  {"probes", values->probes != NULL},
                  {"config", values->config != NULL},
                  {"estimate", values->estimate}};
    for (size_t n = 0; n < sizeof others / sizeof *others; n++)
        if (others[n].given)
            return assay_fail(ASSAY_USAGE,
                              "options --rows and --%s exclude each other: rows are compared as "
                              "their evidence was",
                              others[n].name);
    if (values->output == NULL) return assay_fail(ASSAY_USAGE, "option --output PATH is needed");
    return ASSAY_OK;
}

static assay_status print_rows(const compare_values *values, const assay_rows_result *result) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], hex[ASSAY_DIGEST_HEX];
    if (values->json)
        return assay_print_json(
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "path", values->output, "backend",
                      result->backend, "samples", (json_int_t)result->samples, "rows",
                      (json_int_t)result->rows, "mates_below_tail", (json_int_t)result->of_mates,
                      "comparisons", (json_int_t)result->comparisons, "digest",
                      assay_json_digest(&result->digest)));
    if (values->quiet) return ASSAY_OK;
    assay_print_field("rows", "%s", values->output);
    assay_print_field("backend", "%s", result->backend);
    assay_print_field("recomputed", "%s of %s samples", assay_print_count(a, result->rows),
                      assay_print_count(b, result->samples));
    assay_print_field("mates", "%s below the evidence's tail",
                      assay_print_count(a, result->of_mates));
    assay_print_field("kept", "%s comparisons", assay_print_count(a, result->comparisons));
    assay_print_field("digest", "%s", assay_digest_hex(hex, &result->digest));
    return ASSAY_OK;
}

static assay_status run_rows(const compare_values *values, char **arguments, size_t count) {
    const char *templates = count > 0 ? arguments[0] : NULL;
    const assay_output outputs[] = {{values->output, "rows"}};
    const char *const inputs[] = {templates, values->rows};
    const assay_rows_options options = {.evidence_path = values->rows,
                                        .people = values->top,
                                        .cap = values->tail_cap,
                                        .backend = values->backend,
                                        .threads = (unsigned)values->threads,
                                        .memory_limit = values->memory};
    assay_rows_result result = {0};
    assay_output_locks locks = {0};
    assay_progress_bar bar;
    assay_status status = check_rows_options(values);
    if (status == ASSAY_OK && templates == NULL)
        status =
            assay_fail(ASSAY_USAGE, "expected the TEMPLATES that %s was made of", values->rows);
    if (status == ASSAY_OK) status = assay_outputs_check(outputs, 1, inputs, 2);
    if (status == ASSAY_OK) status = assay_outputs_lock(outputs, 1, &locks);
    if (status != ASSAY_OK) return status;
    assay_progress_bar_start(&bar, "compare", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    status = assay_compare_rows(templates, &options, values->output, &progress, &result);
    assay_outputs_unlock(&locks);
    assay_progress_bar_clear(&bar);
    return status == ASSAY_OK ? print_rows(values, &result) : status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const compare_values *values = given;
    const char *templates = NULL;
    assay_config config = {0};
    assay_compare_result result = {0};
    assay_output_locks locks = {0};
    assay_progress_bar bar;
    char hex[ASSAY_DIGEST_HEX];
    if (values->rows != NULL) return run_rows(values, arguments, argument_count);
    if (values->top > 0)
        return assay_fail(ASSAY_USAGE, "option --top is of --rows EVIDENCE, which is not given");
    assay_progress_bar_start(&bar, "compare", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = find_templates(values, arguments, argument_count, &templates);
    if (status == ASSAY_OK) status = prepare(values, &config);
    if (status == ASSAY_OK && values->output == NULL && !values->estimate)
        status = assay_fail(ASSAY_USAGE, "option --output PATH is needed (or --estimate)");
    if (status == ASSAY_OK) status = take_outputs(values, templates, &config, &locks);
    if (status != ASSAY_OK) goto out;
    const assay_release plugin = {.plugin = values->plugin,
                                  .config_directory = values->config_directory,
                                  .parameters = (const char *const *)values->parameters.items,
                                  .readable = (const char *const *)values->readable.items};
    assay_compare_options options = {.plugin = &plugin,
                                     .opaque_cap = values->opaque_cap > 0 ? values->opaque_cap
                                                                          : config.opaque_cap,
                                     .protocol = &config.protocol,
                                     .comparator = config.comparator,
                                     .backend = config.backend,
                                     .threads = config.threads,
                                     .memory_limit = values->memory,
                                     .matrix_path = values->matrix,
                                     .checkpoint_seconds = config.checkpoint_seconds,
                                     .checkpoint_tiles = values->checkpoint_tiles,
                                     .check_tiles = config.check_tiles,
                                     .assume_compatible = values->assume_compatible};
    if (values->config != NULL)
        options.configuration_digest = assay_digest_hex(hex, &config.digest);
    status = look_at_templates(values, templates, &config, &options, &result);
    if (status == ASSAY_OK && !values->estimate)
        status = compare(values, templates, &options, &progress, &result);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK) status = print_result(values, &config.protocol, &result);
out:
    assay_outputs_unlock(&locks);
    assay_config_free(&config);
    return status;
}

#define AT(field) .offset = offsetof(compare_values, field)
static const assay_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = ASSAY_OPTION_TEXT,
     AT(output),
     .value = "PATH",
     .purpose = "the evidence to write (needed, but for --estimate)"},
    {.name = "references",
     .kind = ASSAY_OPTION_TEXT,
     AT(references),
     .value = "FILE",
     .purpose = "templates of one release, as references, against --probes"},
    {.name = "probes",
     .kind = ASSAY_OPTION_TEXT,
     AT(probes),
     .value = "FILE",
     .purpose = "templates of another release of the same samples, as probes"},
    {.name = "assume-compatible",
     .kind = ASSAY_OPTION_FLAG,
     AT(assume_compatible),
     .purpose = "compare them though one does not state its template family"},
    {.name = "protocol",
     .kind = ASSAY_OPTION_TEXT,
     AT(protocol),
     .value = "NAME",
     .purpose = "all, cross, one-per-subject or pairs",
     .shown = "all"},
    {.name = "role-column",
     .kind = ASSAY_OPTION_TEXT,
     AT(role_column),
     .value = "COLUMN",
     .purpose = "cross: the column that tells the roles"},
    {.name = "reference",
     .kind = ASSAY_OPTION_TEXT,
     AT(reference),
     .value = "VALUE",
     .purpose = "cross: its value for references"},
    {.name = "probe",
     .kind = ASSAY_OPTION_TEXT,
     AT(probe),
     .value = "VALUE",
     .purpose = "cross: its value for probes"},
    {.name = "pairs",
     .kind = ASSAY_OPTION_TEXT,
     AT(pairs),
     .value = "CSV",
     .purpose = "pairs: columns reference and probe, sample ids"},
    {.name = "pick-seed",
     .kind = ASSAY_OPTION_COUNT,
     AT(pick_seed),
     .value = "S",
     .low = 0,
     .high = INT64_MAX,
     .purpose = "one-per-subject: decides where capture times do not",
     .shown = "0"},
    {.name = "same-session",
     .kind = ASSAY_OPTION_FLAG,
     AT(same_session),
     .purpose = "mated comparisons within one session count (an optimistic figure)"},
    {.name = "comparator",
     .kind = ASSAY_OPTION_TEXT,
     AT(comparator),
     .value = "NAME",
     .purpose = "cosine, inner-product or euclidean",
     .shown = "as the templates say"},
    {.name = "backend",
     .kind = ASSAY_OPTION_TEXT,
     AT(backend),
     .value = "NAME",
     .purpose = "who computes; see assay backends",
     .shown = "auto"},
    {.name = "plugin",
     .kind = ASSAY_OPTION_TEXT,
     AT(plugin),
     .value = "FILE",
     .purpose = "opaque templates: the plug-in that made them, which compares them"},
    {.name = "parameter",
     .letter = 'p',
     .kind = ASSAY_OPTION_EACH,
     AT(parameters),
     .value = "KEY=VALUE",
     .purpose = "parameter of the plug-in; may be given several times"},
    {.name = "config-dir",
     .kind = ASSAY_OPTION_TEXT,
     AT(config_directory),
     .value = "DIR",
     .purpose = "configuration directory of the plug-in"},
    {.name = "readable",
     .kind = ASSAY_OPTION_EACH,
     AT(readable),
     .value = "PATH",
     .purpose = "one more folder or file that the plug-in may read"},
    {.name = "opaque-cap",
     .kind = ASSAY_OPTION_COUNT,
     AT(opaque_cap),
     .value = "N",
     .low = 1,
     .high = UINT64_C(1) << 32,
     .purpose = "most comparisons by the plug-in; more is refused beforehand",
     .shown = "10000000"},
    OPTION_THREADS(compare_values),
    {.name = "memory",
     .kind = ASSAY_OPTION_SIZE,
     AT(memory),
     .value = "SIZE",
     .purpose = "memory that may be used: 512M, 8G",
     .shown = "what the machine has free"},
    {.name = "fmr-targets",
     .kind = ASSAY_OPTION_NUMBERS,
     AT(fmr_targets),
     .value = "F,F...",
     .purpose = "false match rates that the evidence must reach",
     .shown = "1e-3,1e-4,1e-5,1e-6"},
    {.name = "thresholds",
     .kind = ASSAY_OPTION_NUMBERS,
     AT(thresholds),
     .value = "T,T...",
     .purpose = "thresholds from outside that it must reach down to"},
    {.name = "histogram-by",
     .kind = ASSAY_OPTION_WORDS,
     AT(histogram_by),
     .value = "NAME,NAME...",
     .purpose = "attributes whose combinations have histograms of their own"},
    {.name = "histogram",
     .kind = ASSAY_OPTION_TEXT,
     AT(histogram),
     .value = "MODE",
     .purpose = "full, none, or FRACTION:SEED of the comparisons",
     .shown = "full"},
    {.name = "tail-cap",
     .kind = ASSAY_OPTION_COUNT,
     AT(tail_cap),
     .value = "N",
     .low = 1,
     .high = (uint64_t)1 << 32,
     .purpose = "most non-mated comparisons kept one by one",
     .shown = "67108864"},
    {.name = "matrix",
     .kind = ASSAY_OPTION_TEXT,
     AT(matrix),
     .value = "PATH",
     .purpose = "also write the dense matrix of scores of a small set"},
    {.name = "rows",
     .kind = ASSAY_OPTION_TEXT,
     AT(rows),
     .value = "EVIDENCE",
     .purpose = "instead: rows that go on below the tail of this evidence"},
    {.name = "top",
     .kind = ASSAY_OPTION_COUNT,
     AT(top),
     .value = "R",
     .low = 1,
     .high = UINT32_MAX,
     .purpose = "rows: down to the R nearest other people of every sample"},
    {.name = "checkpoint",
     .kind = ASSAY_OPTION_COUNT,
     AT(checkpoint),
     .value = "SECONDS",
     .low = 0,
     .high = 86400,
     .purpose = "a sealed part at least this often, to go on from; 0: none",
     .shown = "300"},
    {.name = "checkpoint-tiles",
     .kind = ASSAY_OPTION_COUNT,
     AT(checkpoint_tiles),
     .value = "N",
     .low = 0,
     .high = UINT32_MAX,
     .purpose = "instead: a sealed part behind every N tiles of 512 templates squared"},
    {.name = "check-tiles",
     .kind = ASSAY_OPTION_COUNT,
     AT(check_tiles),
     .value = "N",
     .low = 0,
     .high = UINT32_MAX,
     .purpose = "the reference computes one tile in N once more; 0: none",
     .shown = "2000"},
    {.name = "config",
     .kind = ASSAY_OPTION_TEXT,
     AT(config),
     .value = "YAML",
     .purpose = "its `comparison` section holds where no option is given"},
    {.name = "estimate",
     .kind = ASSAY_OPTION_FLAG,
     AT(estimate),
     .purpose = "say what it would need, and do nothing"},
    OPTION_JSON(compare_values),
    OPTION_QUIET(compare_values),
};
static const compare_values defaults = {
    .checkpoint = NOT_GIVEN, .check_tiles = NOT_GIVEN, .pick_seed = NOT_GIVEN};

const assay_command assay_command_compare = {
    .name = "compare",
    .purpose = "make every comparison of a protocol, and keep the evidence",
    .arguments = "[TEMPLATES]",
    .description =
        "Compares every pair of templates that the protocol asks for and writes what "
        "reports are made\n"
        "of: every mated score, the highest non-mated ones, histograms of the others. "
        "It says first what\n"
        "memory and disk it needs. The result is the same bits whatever the backend and "
        "the threads.\n"
        "With --references and --probes in place of TEMPLATES it compares the references "
        "of one release\n"
        "with the probes of another, of the same samples, each pair in both directions: "
        "what happens where\n"
        "enrolled people are not enrolled anew.\n"
        "With --rows it goes on below the tail of evidence that is there: who is ahead of a mate "
        "that lies\n"
        "below it, and who is nearest to each sample, for identification and look-alikes.",
    .examples = (const char *const[]){"assay compare templates.h5 -o evidence.h5",
                                      "assay compare t.h5 -o e.h5 --protocol cross --role-column "
                                      "environment --reference visa --probe exit",
                                      "assay compare --references old.h5 --probes new.h5 -o "
                                      "between.h5",
                                      "assay compare t.h5 --rows e.h5 --top 10 -o rows.h5", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 0,
    .most_arguments = 1,
    .values_size = sizeof(compare_values),
    .defaults = &defaults,
    .run = run,
};
