/* cmd_identify -- `assay identify EVIDENCE`: what 1:N searches of galleries would give. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "datasets/rows.h"
#include "harness/cli/command.h"
#include "harness/cli/deployed.h"
#include "reports/galleries.h"

typedef struct {
    const char *galleries, *fmr, *threshold, *rows;
    assay_option_numbers sizes;
    uint64_t rank;
    bool csv, json, quiet;
} identify_values;

static assay_status read_sizes(const identify_values *values, uint64_t **out, size_t *out_count) {
    static const double usual[] = {100, 200, 400};
    const bool given = values->sizes.items != NULL;
    const double *sizes = given ? values->sizes.items : usual;
    size_t count = given ? values->sizes.count : sizeof usual / sizeof *usual;
    assay_status status = assay_allocate(out, count, sizeof **out, "sizes");
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        if (!(sizes[n] >= 1 && sizes[n] <= 1e9 && sizes[n] == floor(sizes[n])))
            return assay_fail(ASSAY_USAGE, "option --sizes: %g is not a whole number from 1",
                              sizes[n]);
        (*out)[n] = (uint64_t)sizes[n];
    }
    *out_count = count;
    return status;
}

/* ---- for programs ---- */

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static double low_of(const assay_interval *interval) {
    return interval->reason != NULL ? (double)NAN : interval->low;
}

static double high_of(const assay_interval *interval) {
    return interval->reason != NULL ? (double)NAN : interval->high;
}

static json_t *json_of_random(const assay_galleries *found) {
    json_t *list = json_array();
    for (size_t n = 0; n < found->random_count; n++) {
        const assay_random_gallery *of = &found->random[n];
        json_t *one = json_pack(
            "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
            "gallery_size", (json_int_t)of->size, "fpir", number(of->fpir), "low", number(of->low),
            "high", number(of->high), "comparisons_times_fmr", number(of->naive), "fnir",
            number(of->fnir), "fnir_low", number(low_of(&of->fnir_interval)), "fnir_high",
            number(high_of(&of->fnir_interval)), "gfpir", number(of->gfpir), "gfpir_low",
            number(of->gfpir_low), "gfpir_high", number(of->gfpir_high), "gfnir", number(of->gfnir),
            "gfnir_low", number(low_of(&of->gfnir_interval)), "gfnir_high",
            number(high_of(&of->gfnir_interval)));
        if (of->reason != NULL) json_object_set_new(one, "reason", json_string(of->reason));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *json_of_rate(const assay_search_rate *rate) {
    json_t *one =
        json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "errors", (json_int_t)rate->rate.errors,
                  "searches", (json_int_t)rate->rate.trials, "galleries",
                  (json_int_t)rate->galleries, "value", number(assay_rate_value(rate->rate)), "low",
                  number(low_of(&rate->interval)), "high", number(high_of(&rate->interval)));
    if (rate->interval.reason != NULL)
        json_object_set_new(one, "interval_reason", json_string(rate->interval.reason));
    return one;
}

static json_t *json_of_mated(const assay_mated_searches *mated) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "attempted", (json_int_t)mated->attempted,
                     "completed", (json_int_t)mated->completed, "probe_without_template",
                     (json_int_t)mated->no_probe, "person_without_template",
                     (json_int_t)mated->no_reference, "comparison_failed",
                     (json_int_t)mated->no_comparison);
}

static json_t *json_of_given(const assay_galleries *found) {
    const assay_given_galleries *given = &found->given;
    if (!found->has_given) return json_null();
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "attribute", found->attribute, "galleries", (json_int_t)given->galleries,
                     "least_people", (json_int_t)given->least, "median_people",
                     (json_int_t)given->median, "most_people", (json_int_t)given->most,
                     "people_without_template", (json_int_t)given->without_template, "people_recur",
                     given->recurring, "left_out", (json_int_t)given->left_out, "mated_searches",
                     json_of_mated(&given->mated), "fpir", json_of_rate(&given->fpir), "others",
                     json_of_rate(&given->others), "fnir", json_of_rate(&given->fnir), "gfpir",
                     json_of_rate(&given->gfpir), "gfnir", json_of_rate(&given->gfnir));
}

static json_t *json_of_curve(const assay_cmc *curve) {
    json_t *ranks = json_array();
    for (uint64_t rank = 0; rank < curve->rank_count; rank++) {
        const assay_recognition *at = &curve->ranks[rank];
        json_array_append_new(ranks, json_pack("{s:I, s:f, s:f, s:f, s:o, s:o}", "rank",
                                               (json_int_t)rank + 1, "value", at->value, "at_most",
                                               at->most, "of_attempted", at->of_attempted, "low",
                                               number(low_of(&at->interval)), "high",
                                               number(high_of(&at->interval))));
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "galleries",
                     assay_gallery_kind_name(curve->kind), "people", (json_int_t)curve->people,
                     "searches", (json_int_t)curve->searches, "searches_attempted",
                     (json_int_t)curve->attempted, "censored", (json_int_t)curve->censored, "ranks",
                     ranks);
}

static assay_status print_json(const assay_evidence *evidence, const assay_galleries *found) {
    json_t *curves = json_array();
    for (size_t n = 0; n < found->curve_count; n++)
        json_array_append_new(curves, json_of_curve(&found->curves[n]));
    return assay_print_json(json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "release",
        evidence->release, "version", evidence->version, "fmr_rule", number(found->deployment.fmr),
        "threshold", number(found->threshold), "fmr", number(assay_rate_value(found->fmr)), "rank",
        (json_int_t)found->rank, "probes", (json_int_t)found->probes, "probes_attempted",
        (json_int_t)found->probes_attempted, "mated_probes", (json_int_t)found->mated_probes,
        "people", (json_int_t)found->people, "people_attempted",
        (json_int_t)found->people_attempted, "mated_searches", json_of_mated(&found->mated),
        "random_galleries", json_of_random(found), "given_galleries", json_of_given(found),
        "recognition", curves));
}

/* ---- for spreadsheets: one line for each figure ---- */

static void csv_number(double value) {
    char digits[ASSAY_NUMBER_SIZE];
    printf(",%s", isfinite(value) ? assay_print_double(digits, value) : "");
}

static void csv_line(const char *galleries, uint64_t people, const char *figure, uint64_t rank,
                     const assay_rate *counts, double value, double low, double high) {
    printf("%s,%" PRIu64 ",%s,%" PRIu64, galleries, people, figure, rank);
    if (counts != NULL)
        printf(",%" PRIu64 ",%" PRIu64, counts->errors, counts->trials);
    else
        printf(",,");
    csv_number(value);
    csv_number(low);
    csv_number(high);
    putchar('\n');
}

static void csv_given(const assay_galleries *found) {
    const assay_given_galleries *given = &found->given;
    const struct {
        const char *name;
        const assay_search_rate *rate;
    } rates[] = {{"fpir", &given->fpir},
                 {"others", &given->others},
                 {"fnir", &given->fnir},
                 {"gfpir", &given->gfpir},
                 {"gfnir", &given->gfnir}};
    for (size_t n = 0; n < sizeof rates / sizeof *rates; n++)
        csv_line("given", given->median, rates[n].name, found->rank, &rates[n].rate->rate,
                 assay_rate_value(rates[n].rate->rate), low_of(&rates[n].rate->interval),
                 high_of(&rates[n].rate->interval));
}

static void print_csv(const assay_galleries *found) {
    printf("galleries,people,figure,rank,errors,searches,value,low,high\n");
    for (size_t n = 0; n < found->random_count; n++) {
        const assay_random_gallery *of = &found->random[n];
        if (of->reason != NULL) continue;
        csv_line("random", of->size, "fpir", found->rank, NULL, of->fpir, of->low, of->high);
        csv_line("random", of->size, "fnir", found->rank, NULL, of->fnir,
                 low_of(&of->fnir_interval), high_of(&of->fnir_interval));
        csv_line("random", of->size, "gfpir", found->rank, NULL, of->gfpir, of->gfpir_low,
                 of->gfpir_high);
        csv_line("random", of->size, "gfnir", found->rank, NULL, of->gfnir,
                 low_of(&of->gfnir_interval), high_of(&of->gfnir_interval));
    }
    if (found->has_given) csv_given(found);
    for (size_t n = 0; n < found->curve_count; n++) {
        const assay_cmc *curve = &found->curves[n];
        for (uint64_t rank = 0; rank < curve->rank_count; rank++) {
            const assay_recognition *at = &curve->ranks[rank];
            const char *name = assay_gallery_kind_name(curve->kind);
            csv_line(name, curve->people, "recognition", rank + 1, NULL, at->value,
                     low_of(&at->interval), high_of(&at->interval));
            if (curve->censored > 0)
                csv_line(name, curve->people, "recognition_at_most", rank + 1, NULL, at->most,
                         (double)NAN, (double)NAN);
        }
    }
}

/* ---- for people ---- */

enum { CELL = 32 };
static const char *rate(char out[CELL], double value) {
    if (isnan(value)) return "-";
    snprintf(out, CELL, "%.3g", value);
    return out;
}

static const char *span(char out[2 * CELL + 8], double low, double high) {
    char a[CELL], b[CELL];
    if (isnan(low)) return "-";
    snprintf(out, 2 * CELL + 8, "%s to %s", rate(a, low), rate(b, high));
    return out;
}

static assay_status print_head(const assay_evidence *evidence, const assay_galleries *found) {
    assay_text rule = {0};
    char digits[ASSAY_NUMBER_SIZE];
    assay_deployment_describe(&found->deployment, &rule);
    assay_status status = assay_text_status(&rule);
    if (status == ASSAY_OK) {
        printf("%s %s at %s, threshold %s\n", evidence->release, evidence->version, rule.bytes,
               assay_print_double(digits, found->threshold));
        if (found->rank > 0) printf("A mate counts among the first %" PRIu64 ".\n", found->rank);
        printf("Probes: %" PRIu64 " of %" PRIu64 " have a template. People who can be in a "
               "gallery: %" PRIu64 " of %" PRIu64 " have one.\n",
               found->probes, found->probes_attempted, found->people, found->people_attempted);
    }
    assay_text_free(&rule);
    return status;
}

static void print_mated(const char *where, const assay_mated_searches *mated) {
    printf("%s: %" PRIu64 " for somebody who is there, %" PRIu64 " completed", where,
           mated->attempted, mated->completed);
    if (mated->attempted > mated->completed)
        printf("; misses without a score: %" PRIu64 " probes without a template, %" PRIu64
               " people without one, %" PRIu64 " failed to compare",
               mated->no_probe, mated->no_reference, mated->no_comparison);
    printf("\n");
}

static void print_random(const assay_galleries *found) {
    char a[CELL], b[CELL], c[CELL], x[2 * CELL + 8], y[2 * CELL + 8];
    printf("\nExpected of galleries of people picked at random:\n  %-8s%10s%22s%12s%10s%22s\n",
           "people", "FPIR", "95 %", "FMR x n", "FNIR", "95 %");
    for (size_t n = 0; n < found->random_count; n++) {
        const assay_random_gallery *of = &found->random[n];
        if (of->reason != NULL) {
            printf("  %-8" PRIu64 "  %s\n", of->size, of->reason);
            continue;
        }
        printf("  %-8" PRIu64 "%10s%22s%12s%10s%22s\n", of->size, rate(a, of->fpir),
               span(x, of->low, of->high), rate(b, of->naive), rate(c, of->fnir),
               span(y, low_of(&of->fnir_interval), high_of(&of->fnir_interval)));
        if (found->mated.attempted == found->mated.completed &&
            found->probes == found->probes_attempted && found->people == found->people_attempted)
            continue;
        printf("  %-8s%10s%22s%12s%10s%22s\n", "  of all", rate(a, of->gfpir),
               span(x, of->gfpir_low, of->gfpir_high), "", rate(c, of->gfnir),
               span(y, low_of(&of->gfnir_interval), high_of(&of->gfnir_interval)));
    }
    print_mated("Searches", &found->mated);
}

static void print_given_rate(const char *name, const assay_search_rate *found) {
    char value[CELL], low[CELL], high[CELL];
    printf("  %s %s, %" PRIu64 " of %" PRIu64 " searches", name,
           rate(value, assay_rate_value(found->rate)), found->rate.errors, found->rate.trials);
    if (found->interval.reason != NULL)
        printf(", no interval: %s\n", found->interval.reason);
    else
        printf(", 95 %% from %s to %s\n", rate(low, found->interval.low),
               rate(high, found->interval.high));
}

static void print_given(const assay_galleries *found) {
    const assay_given_galleries *given = &found->given;
    printf("\nGalleries by %s: %" PRIu64 " of %" PRIu64 " to %" PRIu64 " people, median %" PRIu64
           "%s\n",
           found->attribute, given->galleries, given->least, given->most, given->median,
           given->recurring ? "; people recur, and intervals are of galleries and people" : "");
    print_given_rate("FPIR", &given->fpir);
    print_given_rate("somebody else matches, mates left out", &given->others);
    print_given_rate("FNIR", &given->fnir);
    print_given_rate("generalized FPIR", &given->gfpir);
    print_given_rate("generalized FNIR", &given->gfnir);
    print_mated("  Searches", &given->mated);
    if (given->without_template > 0)
        printf("  people in them without a template: %" PRIu64 "\n", given->without_template);
    if (given->left_out > 0)
        printf("  left out: %" PRIu64
               " searches whose person is in the gallery without a mated comparison\n",
               given->left_out);
}

static void print_ranks(const assay_galleries *found) {
    static const uint64_t shown[] = {1, 2, 5, 10, 20, 50};
    const size_t columns = sizeof shown / sizeof *shown;
    char value[CELL], name[2 * CELL];
    if (found->curve_count == 0) return;
    printf("\nMates among the first so many, whatever the threshold:\n  %-22s%10s", "gallery",
           "searches");
    for (size_t k = 0; k < columns; k++) printf("%8" PRIu64, shown[k]);
    printf("\n");
    for (size_t n = 0; n < found->curve_count; n++) {
        const assay_cmc *curve = &found->curves[n];
        snprintf(name, sizeof name, "%s, %" PRIu64 " people", assay_gallery_kind_name(curve->kind),
                 curve->people);
        printf("  %-22s%10" PRIu64, name, curve->searches);
        for (size_t k = 0; k < columns; k++)
            printf("%8s", shown[k] > curve->rank_count
                              ? "-"
                              : rate(value, curve->ranks[shown[k] - 1].value));
        printf("\n");
        if (curve->censored == 0) continue;
        printf("  %-32s", "  at most");
        for (size_t k = 0; k < columns; k++)
            printf("%8s", shown[k] > curve->rank_count
                              ? "-"
                              : rate(value, curve->ranks[shown[k] - 1].most));
        printf("\n    %" PRIu64 " mates lie below the kept non-mated scores: their rank is not "
               "known (assay compare --rows)\n",
               curve->censored);
    }
}

static assay_status print_text(const assay_evidence *evidence, const assay_galleries *found) {
    assay_status status = print_head(evidence, found);
    if (status != ASSAY_OK) return status;
    print_random(found);
    if (found->has_given) print_given(found);
    print_ranks(found);
    return ASSAY_OK;
}

static assay_status read_rows(const char *path, const assay_evidence *evidence, assay_rows *out) {
    if (path == NULL) return ASSAY_OK;
    assay_status status = assay_rows_read(path, out);
    return status == ASSAY_OK ? assay_rows_check(out, path, evidence) : status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const identify_values *values = given;
    (void)argument_count;
    assay_galleries_options options = {
        .rank = values->rank, .attribute = values->galleries, .alpha = 0.05};
    assay_evidence evidence = {0};
    assay_galleries found = {0};
    assay_rows rows = {0};
    uint64_t *sizes = NULL;
    assay_status status =
        assay_read_deployment(values->fmr, values->threshold, &options.deployment);
    if (status == ASSAY_OK && values->json && values->csv)
        status = assay_fail(ASSAY_USAGE, "--json and --csv exclude each other");
    if (status == ASSAY_OK) status = read_sizes(values, &sizes, &options.size_count);
    options.sizes = sizes;
    if (status == ASSAY_OK) status = assay_evidence_read(arguments[0], &evidence);
    if (status == ASSAY_OK) status = read_rows(values->rows, &evidence, &rows);
    if (values->rows != NULL) options.rows = &rows;
    if (status == ASSAY_OK) status = assay_galleries_compute(&evidence, &options, &found);
    if (status == ASSAY_OK && values->json)
        status = print_json(&evidence, &found);
    else if (status == ASSAY_OK && values->csv)
        print_csv(&found);
    else if (status == ASSAY_OK && !values->quiet)
        status = print_text(&evidence, &found);
    assay_galleries_free(&found);
    assay_rows_free(&rows);
    assay_evidence_free(&evidence);
    free(sizes);
    return status;
}

static const assay_option options[] = {
    {.name = "sizes",
     .kind = ASSAY_OPTION_NUMBERS,
     .offset = offsetof(identify_values, sizes),
     .value = "N,N...",
     .purpose = "people of galleries that are picked at random",
     .shown = "100,200,400"},
    {.name = "galleries",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(identify_values, galleries),
     .value = "NAME",
     .purpose = "attribute whose values are galleries, such as flights"},
    {.name = "rank",
     .kind = ASSAY_OPTION_COUNT,
     .offset = offsetof(identify_values, rank),
     .value = "R",
     .low = 0,
     .high = 100000,
     .purpose = "a mate must be among the first R; 0: anywhere",
     .shown = "0"},
    {.name = "fmr",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(identify_values, fmr),
     .value = "F",
     .purpose = "at the threshold for this FMR on this set",
     .shown = "what the evidence was made for"},
    {.name = "threshold",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(identify_values, threshold),
     .value = "T",
     .purpose = "at this threshold"},
    {.name = "rows",
     .kind = ASSAY_OPTION_TEXT,
     .offset = offsetof(identify_values, rows),
     .value = "ROWS",
     .purpose = "rows that go on below the tail, by assay compare --rows"},
    {.name = "csv",
     .kind = ASSAY_OPTION_FLAG,
     .offset = offsetof(identify_values, csv),
     .purpose = "the result as CSV on standard output, a line for each figure"},
    OPTION_JSON(identify_values),
    OPTION_QUIET(identify_values),
};
static const identify_values defaults = {0};

const assay_command assay_command_identify = {
    .name = "identify",
    .purpose = "what searches of galleries (1:N) would give, from evidence of all pairs",
    .arguments = "EVIDENCE",
    .description =
        "False positive and false negative identification rates (FPIR, FNIR) at one threshold: "
        "expected of\n"
        "galleries picked at random, and in galleries that a column of the manifest gives; and at "
        "which rank\n"
        "mates are found. Generalized rates count who has no template as a miss. The size of the "
        "galleries is\n"
        "always told: FPIR means nothing without it.",
    .examples =
        (const char *const[]){"assay identify evidence.h5 --sizes 100,400 --fmr 1e-5",
                              "assay identify evidence.h5 --galleries flight --rank 1", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(identify_values),
    .defaults = &defaults,
    .run = run,
};
