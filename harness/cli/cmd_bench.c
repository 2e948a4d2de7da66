/* cmd_bench -- `assay bench`: how fast this machine compares, and how near that is to its limits.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "harness/bench.h"
#include "harness/cli/command.h"
#include "kernels/comparator.h"

typedef struct {
    uint64_t templates, length, groups, samples, threads, seed, repeats;
    const char *backend, *comparator, *tail_limit, *export;
    assay_option_numbers fmr_targets;
    bool json, quiet;
} bench_values;

/* ---- for programs ---- */

static json_t *number_or_null(double value) {
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *json_of_seconds(const double *values, unsigned count) {
    json_t *list = json_array();
    for (unsigned n = 0; n < count; n++) json_array_append_new(list, json_real(values[n]));
    return list;
}

static json_t *json_of_rows(const assay_bench_result *result) {
    json_t *list = json_array();
    for (int kind = 0; kind < ASSAY_BENCH_ROW_COUNT; kind++) {
        const assay_bench_row *row = &result->rows[kind];
        if (!row->measured) continue;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "name", row->name,
                            "purpose", row->purpose, "pairs", row->pairs, "pairs_per_s",
                            row->pairs_per_s, "wall_pairs_per_s", row->wall_pairs_per_s,
                            "cpu_seconds", row->cpu_seconds, "wall_seconds", row->wall_seconds,
                            "cpu_seconds_each", json_of_seconds(row->cpu_each, result->repeats),
                            "wall_seconds_each", json_of_seconds(row->wall_each, result->repeats)));
    }
    return list;
}

static json_t *json_of_thresholds(const assay_bench_result *result) {
    json_t *list = json_array();
    for (uint32_t n = 0; n < result->threshold_count; n++) {
        const assay_bench_threshold *of = &result->thresholds[n];
        json_array_append_new(list, json_pack("{s:f, s:I, s:o, s:I}", "fmr", of->fmr, "allowed",
                                              (json_int_t)of->allowed, "threshold",
                                              of->known ? json_real(of->threshold) : json_null(),
                                              "false_matches", (json_int_t)of->matches));
    }
    return list;
}

/* What was compared, on what. */
static json_t *json_of_work(const assay_bench_result *result, const char *comparator) {
    const assay_bench_population *of = &result->population;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, "
        "s:I, s:I, s:I, s:I, s:I, s:I}",
        "version", ASSAY_VERSION, "device", result->device, "backend", result->backend,
        "backend_line", result->backend_line, "comparator", comparator, "fma_path",
        result->fma_path, "openblas", result->blas_path, "openblas_note", result->blas_note,
        "threads", (json_int_t)result->threads, "repeats", (json_int_t)result->repeats, "templates",
        (json_int_t)of->templates, "length", (json_int_t)of->length, "groups",
        (json_int_t)of->groups, "samples_per_subject", (json_int_t)of->samples_per_subject, "seed",
        (json_int_t)of->seed, "pairs", (json_int_t)result->pairs, "mated",
        (json_int_t)result->mated, "non_mated", (json_int_t)result->non_mated, "tail_limit",
        (json_int_t)result->tail_limit, "default_tail_limit",
        (json_int_t)result->default_tail_limit, "tail", (json_int_t)result->tail, "rescored",
        (json_int_t)result->rescored, "redone", (json_int_t)result->redone, "failed",
        (json_int_t)result->failed);
}

/* How long it took. */
static json_t *json_of_figures(const assay_bench_result *result) {
    const assay_bench_row *full = &result->rows[ASSAY_BENCH_FULL];
    const assay_bench_row *fma = &result->rows[ASSAY_BENCH_FMA_PEAK];
    const assay_bench_row *blas = &result->rows[ASSAY_BENCH_BLAS_TILE];
    const assay_bench_row *tail_only = &result->rows[ASSAY_BENCH_TAIL_ONLY];
    return json_pack(
        "{s:f, s:f, s:o, s:I, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, "
        "s:f, s:f, s:f, s:I, s:I, s:o, s:o}",
        "pairs_per_s", full->pairs_per_s, "tail_only_pairs_per_s", tail_only->pairs_per_s,
        "tail_only_over_fma_peak", number_or_null(result->tail_only_over_fma_peak),
        "tail_only_rescored", (json_int_t)result->tail_only_rescored, "wall_pairs_per_s",
        full->wall_pairs_per_s, "fma_peak_pairs_per_s",
        fma->measured ? json_real(fma->pairs_per_s) : json_null(), "blas_tile_pairs_per_s",
        blas->measured ? json_real(blas->pairs_per_s) : json_null(), "over_fma_peak",
        number_or_null(result->over_fma_peak), "over_blas_tile",
        number_or_null(result->over_blas_tile), "exactness_cost",
        number_or_null(result->exactness_cost), "binning_cost",
        number_or_null(result->binning_cost), "default_tail_cost",
        number_or_null(result->default_tail_cost), "useful_gflops",
        number_or_null(result->useful_gflops), "cpu_seconds", full->cpu_seconds, "wall_seconds",
        full->wall_seconds, "quantise_cpu_seconds", result->quantise_cpu_seconds,
        "mated_cpu_seconds", result->mated_cpu_seconds, "peak_memory_bytes",
        (json_int_t)result->peak_memory_bytes, "stated_memory_bytes",
        (json_int_t)result->stated_memory_bytes, "thresholds", json_of_thresholds(result), "rows",
        json_of_rows(result));
}

static assay_status print_json(const assay_bench_result *result, const char *comparator) {
    json_t *object = json_of_work(result, comparator), *figures = json_of_figures(result);
    if (object != NULL && (figures == NULL || json_object_update(object, figures) != 0)) {
        json_decref(object);
        object = NULL;
    }
    json_decref(figures);
    return assay_print_json(object);
}

/* ---- for people ---- */

static void print_work(const assay_bench_result *result, const char *comparator) {
    const assay_bench_population *of = &result->population;
    const bool bits = !result->rows[ASSAY_BENCH_FMA_PEAK].measured;
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], c[ASSAY_NUMBER_SIZE];
    assay_print_field("device", "%s", result->device);
    assay_print_field("backend", "%s: %s", result->backend, result->backend_line);
    if (bits) assay_print_field("comparator", "%s", comparator);
    assay_print_field("work", "%s templates of %u %s, %u groups, %u samples a subject",
                      assay_print_count(a, of->templates), of->length,
                      bits ? "bits with masks" : "components", of->groups, of->samples_per_subject);
    assay_print_field("", "%s pairs: %s mated, %s non-mated", assay_print_count(a, result->pairs),
                      assay_print_count(b, result->mated), assay_print_count(c, result->non_mated));
    if (result->failed > 0)
        assay_print_field("", "%s non-mated pairs failed to compare",
                          assay_print_count(a, result->failed));
    assay_print_field("tail", "%s non-mated pairs kept, %s scored again",
                      assay_print_count(a, result->tail), assay_print_count(b, result->rescored));
    assay_print_field("runs", "medians of %u, in turn; %u thread%s", result->repeats,
                      result->threads, result->threads == 1 ? "" : "s");
}

/* Operations and the peak are those of vectors. */
static void print_rows(const assay_bench_result *result) {
    const assay_bench_row *peak = &result->rows[ASSAY_BENCH_FMA_PEAK];
    printf("\n%-46s%9s%9s%10s", "", "CPU s", "wall s", "Mpairs/s");
    if (peak->measured) printf("%10s%8s", "GFLOP/s", "of peak");
    printf("\n");
    for (int kind = 0; kind < ASSAY_BENCH_ROW_COUNT; kind++) {
        const assay_bench_row *row = &result->rows[kind];
        if (!row->measured) continue;
        printf("%-46s", row->purpose);
        if (row == peak) {
            printf("%9s%9s", "", "");
        } else {
            printf("%9.3f%9.3f", row->cpu_seconds, row->wall_seconds);
        }
        printf("%10.2f", row->pairs_per_s / 1e6);
        if (peak->measured)
            printf("%10.1f%8.2f", 2.0 * result->population.length * row->pairs_per_s / 1e9,
                   row->pairs_per_s / peak->pairs_per_s);
        printf("\n");
    }
    if (peak->measured)
        printf(
            "CPU s is of all threads. Mpairs/s and GFLOP/s (2 x %u operations a pair) are by CPU "
            "time, as if each\nthread had a core to itself.\n\n",
            result->population.length);
    else
        printf("CPU s is of all threads. Mpairs/s is by CPU time, as if each thread had a core to "
               "itself.\n\n");
}

static void print_ratio(const char *name, double value, const char *meaning) {
    if (!isnan(value)) assay_print_field(name, "%8.2f    %s", value, meaning);
}

static void print_cost(const char *name, double value, const char *meaning) {
    if (!isnan(value)) assay_print_field(name, "%+8.1f %%  %s", 100 * value, meaning);
}

static void print_figures(const assay_bench_result *result) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], c[ASSAY_NUMBER_SIZE];
    print_ratio("over peak", result->over_fma_peak, "comparison over the float FMA peak");
    print_ratio("over BLAS", result->over_blas_tile, "comparison over the bare OpenBLAS product");
    print_ratio("no bins", result->tail_only_over_fma_peak,
                "comparison without histograms over the float FMA peak");
    if (result->blas_note != NULL) assay_print_field("", "            %s", result->blas_note);
    print_cost("exactness", result->exactness_cost,
               "time for tail and mated scores, beside histograms alone");
    if (result->default_tail_limit != result->tail_limit) {
        char meaning[128];
        snprintf(meaning, sizeof meaning, "the same with assay compare's tail of %s",
                 assay_print_count(a, result->default_tail_limit));
        print_cost("", result->default_tail_cost, meaning);
    }
    print_cost("binning", result->binning_cost,
               "time for histograms, beside tail and mated scores");
    assay_print_field("mated", "%8.3f s  of CPU for %s mated scores", result->mated_cpu_seconds,
                      assay_print_count(a, result->mated));
    assay_print_field("quantising", "%8.3f s  of CPU, once; in no row above",
                      result->quantise_cpu_seconds);
    assay_print_field("memory", "%8.1f MB at most, the templates in it",
                      (double)result->peak_memory_bytes / 1e6);
    for (uint32_t n = 0; n < result->threshold_count; n++) {
        const assay_bench_threshold *of = &result->thresholds[n];
        if (!of->known) continue;
        assay_print_field(n == 0 ? "thresholds" : "",
                          "FMR %-6s at %.6f: %s false matches, %s allowed",
                          assay_print_double(a, of->fmr), of->threshold,
                          assay_print_count(b, of->matches), assay_print_count(c, of->allowed));
    }
}

/* ---- the command ---- */

static assay_status parse_tail_limit(const char *text, uint64_t *out) {
    if (text == NULL) {
        *out = 0;
        return ASSAY_OK;
    }
    if (strcmp(text, "default") == 0) {
        *out = ASSAY_BENCH_TAIL_DEFAULT;
        return ASSAY_OK;
    }
    char shown[80];
    uint64_t value;
    if (!assay_parse_uint64(text, &value) || value == 0 || value == ASSAY_BENCH_TAIL_DEFAULT) {
        return assay_fail(ASSAY_USAGE,
                          "option --tail-limit: '%s' is neither a number of pairs above 0 nor "
                          "'default'",
                          assay_printable(shown, sizeof shown, text));
    }
    *out = value;
    return ASSAY_OK;
}

/* An export replaces nothing. */
static assay_status check_export(const char *folder) {
    static const char *const names[] = {"templates.npy", "masks.npy", "labels.csv"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        char *path = NULL;
        assay_status status = assay_path_join(&path, folder, names[n]);
        if (status == ASSAY_OK && assay_file_exists(path)) {
            status = assay_fail(ASSAY_USAGE, "%s is there; expected a folder without it", path);
        }
        free(path);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status export_only(const bench_values *values, const assay_bench_options *options,
                                const assay_progress *progress) {
    const assay_bench_population *of = &options->population;
    assay_status status = check_export(values->export);
    if (status != ASSAY_OK) return status;
    status = assay_bench_export(options, values->export, progress);
    if (status != ASSAY_OK) return status;
    if (values->json) {
        return assay_print_json(
            json_pack("{s:s, s:I, s:I, s:s+, s:s+}", "path", values->export, "rows",
                      (json_int_t)of->templates, "length", (json_int_t)of->length, "templates",
                      values->export, "/templates.npy", "labels", values->export, "/labels.csv"));
    }
    if (values->quiet) return ASSAY_OK;
    assay_print_field("templates", "%s/templates.npy", values->export);
    assay_print_field("labels", "%s/labels.csv", values->export);
    return ASSAY_OK;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const bench_values *values = given;
    const assay_bench_population population = {.templates = values->templates,
                                               .length = (uint32_t)values->length,
                                               .groups = (uint32_t)values->groups,
                                               .samples_per_subject = (uint32_t)values->samples,
                                               .seed = values->seed};
    assay_bench_options options = {.population = population,
                                   .threads = (unsigned)values->threads,
                                   .repeats = (unsigned)values->repeats,
                                   .backend = values->backend,
                                   .fmr_targets = values->fmr_targets.items,
                                   .fmr_target_count = (uint32_t)values->fmr_targets.count};
    assay_bench_result result;
    assay_progress_bar bar;
    (void)arguments;
    (void)argument_count;
    char comparator[ASSAY_COMPARATOR_TEXT];
    assay_comparator_settings settings;
    assay_status status = assay_comparator_read(values->comparator, &settings);
    if (status != ASSAY_OK) return status;
    const bool bits = assay_comparator_takes_bits(settings.comparator);
    if (values->length == 0) options.population.length = bits ? 2048 : 512;
    assay_comparator_complete(&settings, options.population.length);
    assay_comparator_print(&settings, comparator);
    options.comparator = settings.comparator;
    options.shifts = settings.shifts;
    options.minimum_valid_bits = settings.minimum_valid_bits;
    status = parse_tail_limit(values->tail_limit, &options.tail_limit);
    if (status != ASSAY_OK) return status;
    assay_progress_bar_start(&bar, "bench", values->quiet);
    const assay_progress progress = assay_progress_bar_progress(&bar);
    if (values->export != NULL) {
        status = export_only(values, &options, &progress);
        assay_progress_bar_clear(&bar);
        return status;
    }
    status = assay_bench(&options, &progress, &result);
    assay_progress_bar_clear(&bar);
    if (status != ASSAY_OK) return status;
    if (values->json) return print_json(&result, comparator);
    if (values->quiet) return ASSAY_OK;
    print_work(&result, comparator);
    print_rows(&result);
    print_figures(&result);
    return ASSAY_OK;
}

#define AT(field) .offset = offsetof(bench_values, field)
static const assay_option options[] = {
    {.name = "templates",
     .kind = ASSAY_OPTION_COUNT,
     AT(templates),
     .value = "N",
     .low = 2,
     .high = (uint64_t)1 << 31,
     .purpose = "templates, all compared with all",
     .shown = "20000"},
    {.name = "length",
     .kind = ASSAY_OPTION_COUNT,
     AT(length),
     .value = "D",
     .low = 1,
     .high = ASSAY_HAMMING_BITS_MAX,
     .purpose = "components of a template, or bits for hamming",
     .shown = "512, or 2048 bits"},
    {.name = "groups",
     .kind = ASSAY_OPTION_COUNT,
     AT(groups),
     .value = "G",
     .low = 1,
     .high = 64,
     .purpose = "groups; a histogram for each pair of them",
     .shown = "12"},
    {.name = "samples-per-subject",
     .kind = ASSAY_OPTION_COUNT,
     AT(samples),
     .value = "K",
     .low = 1,
     .high = 100000,
     .purpose = "templates of each subject, whose pairs are mated",
     .shown = "5"},
    {.name = "seed",
     .kind = ASSAY_OPTION_COUNT,
     AT(seed),
     .value = "S",
     .low = 0,
     .high = INT64_MAX,
     .purpose = "the same seed gives the same templates",
     .shown = "1"},
    OPTION_THREADS(bench_values),
    {.name = "backend",
     .kind = ASSAY_OPTION_TEXT,
     AT(backend),
     .value = "NAME",
     .purpose = "who computes; see assay backends",
     .shown = "auto"},
    {.name = "comparator",
     .kind = ASSAY_OPTION_TEXT,
     AT(comparator),
     .value = "NAME",
     .purpose = "cosine, inner-product, euclidean, or hamming:shifts=S,minimum-valid-bits=B",
     .shown = "cosine"},
    {.name = "fmr-targets",
     .kind = ASSAY_OPTION_NUMBERS,
     AT(fmr_targets),
     .value = "F,F...",
     .purpose = "false match rates that the tail must reach",
     .shown = "1e-3,1e-4,1e-5,1e-6"},
    {.name = "tail-limit",
     .kind = ASSAY_OPTION_TEXT,
     AT(tail_limit),
     .value = "K",
     .purpose = "non-mated pairs kept one by one, or default: as assay compare keeps",
     .shown = "1.2 times the largest target's"},
    {.name = "repeat",
     .kind = ASSAY_OPTION_COUNT,
     AT(repeats),
     .value = "R",
     .low = 1,
     .high = ASSAY_BENCH_REPEATS_MAX,
     .purpose = "runs of each measurement, in turn; medians are shown",
     .shown = "5"},
    {.name = "export",
     .kind = ASSAY_OPTION_TEXT,
     AT(export),
     .value = "DIR",
     .purpose = "write the templates there (.npy, labels.csv), measure nothing"},
    OPTION_JSON(bench_values),
    OPTION_QUIET(bench_values),
};
static const bench_values defaults = {.templates = 20000,
                                      .groups = 12,
                                      .samples = 5,
                                      .seed = 1,
                                      .repeats = 5,
                                      .comparator = "cosine"};

const assay_command assay_command_bench = {
    .name = "bench",
    .purpose = "measure how fast comparisons are here, and how near to the limit",
    .arguments = "",
    .description =
        "Compares synthetic templates that it makes in memory, and measures in the same run what\n"
        "the processor reaches at best (float multiply-adds) and what a bare OpenBLAS product of\n"
        "the templates takes. Times of differences say what histograms and exact scores cost.\n"
        "Bit strings with masks (hamming) are compared in the same way, without those two.",
    .examples = (const char *const[]){"assay bench", "assay bench --threads 1 --length 128 --json",
                                      "assay bench --templates 100000 --export scale",
                                      "assay bench --comparator hamming:shifts=8", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 0,
    .most_arguments = 0,
    .values_size = sizeof(bench_values),
    .defaults = &defaults,
    .run = run,
};
