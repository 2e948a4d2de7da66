/* cmd_identify -- `assay identify EVIDENCE`: what 1:N searches of galleries would give. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "harness/cli/command.h"
#include "harness/cli/deployed.h"
#include "reports/galleries.h"

typedef struct {
    const char *galleries, *fmr, *threshold;
    assay_option_numbers sizes;
    uint64_t rank;
    bool json, quiet;
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

static json_t *json_of_random(const assay_galleries *found) {
    json_t *list = json_array();
    for (size_t n = 0; n < found->random_count; n++) {
        const assay_random_gallery *of = &found->random[n];
        json_t *one =
            json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "gallery_size", (json_int_t)of->size,
                      "fpir", number(of->fpir), "low", number(of->low), "high", number(of->high),
                      "size_times_fmr", number(of->naive), "fnir", number(of->fnir));
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
                  number(rate->interval.reason != NULL ? (double)NAN : rate->interval.low), "high",
                  number(rate->interval.reason != NULL ? (double)NAN : rate->interval.high));
    if (rate->interval.reason != NULL)
        json_object_set_new(one, "interval_reason", json_string(rate->interval.reason));
    return one;
}

static json_t *json_of_given(const identify_values *values, const assay_galleries *found) {
    const assay_given_galleries *given = &found->given;
    if (!found->has_given) return json_null();
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o}", "attribute",
                     values->galleries, "galleries", (json_int_t)given->galleries, "least_people",
                     (json_int_t)given->least, "median_people", (json_int_t)given->median,
                     "most_people", (json_int_t)given->most, "people_recur", given->recurring,
                     "left_out", (json_int_t)given->left_out, "fpir", json_of_rate(&given->fpir),
                     "fnir", json_of_rate(&given->fnir));
}

static assay_status print_json(const identify_values *values, const assay_evidence *evidence,
                               const assay_galleries *found) {
    return assay_print_json(json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "release", evidence->release,
        "version", evidence->version, "fmr_rule", number(found->deployment.fmr), "threshold",
        number(found->threshold), "fmr", number(assay_rate_value(found->fmr)), "rank",
        (json_int_t)values->rank, "probes", (json_int_t)found->probes, "mated_probes",
        (json_int_t)found->mated_probes, "random_galleries", json_of_random(found),
        "given_galleries", json_of_given(values, found)));
}

/* ---- for people ---- */

enum { CELL = 32 };
static const char *rate(char out[CELL], double value) {
    if (isnan(value)) return "-";
    snprintf(out, CELL, "%.3g", value);
    return out;
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

static assay_status print_text(const identify_values *values, const assay_evidence *evidence,
                               const assay_galleries *found) {
    assay_text rule = {0};
    char number_text[ASSAY_NUMBER_SIZE], a[CELL], b[CELL], c[CELL], d[CELL], e[CELL];
    assay_deployment_describe(&found->deployment, &rule);
    assay_status status = assay_text_status(&rule);
    if (status == ASSAY_OK) {
        printf("%s ", evidence->release);
        printf("%s at %s, threshold %s; ", evidence->version, rule.bytes,
               assay_print_double(number_text, found->threshold));
        if (values->rank > 0) printf("a mate counts among the first %" PRIu64 "; ", values->rank);
        printf("%" PRIu64 " probes, %" PRIu64 " of them with a mated comparison\n", found->probes,
               found->mated_probes);
        printf("Expected of galleries of people picked at random:\n  %-10s%12s%24s%14s%12s\n",
               "people", "FPIR", "95 %", "size x FMR", "FNIR");
    }
    assay_text_free(&rule);
    for (size_t n = 0; status == ASSAY_OK && n < found->random_count; n++) {
        const assay_random_gallery *of = &found->random[n];
        char span[2 * CELL + 8];
        snprintf(span, sizeof span, "%s to %s", rate(a, of->low), rate(b, of->high));
        if (of->reason != NULL)
            printf("  %-10" PRIu64 "  %s\n", of->size, of->reason);
        else
            printf("  %-10" PRIu64 "%12s%24s%14s%12s\n", of->size, rate(c, of->fpir), span,
                   rate(d, of->naive), rate(e, of->fnir));
    }
    if (status != ASSAY_OK || !found->has_given) return status;
    const assay_given_galleries *given = &found->given;
    printf("Galleries by %s: %" PRIu64 " of %" PRIu64 " to %" PRIu64 " people, median %" PRIu64
           "%s\n",
           values->galleries, given->galleries, given->least, given->most, given->median,
           given->recurring ? "; people recur, and intervals are of galleries and people" : "");
    print_given_rate("FPIR", &given->fpir);
    print_given_rate("FNIR", &given->fnir);
    if (given->left_out > 0)
        printf("  left out: %" PRIu64
               " searches whose person is in the gallery without a mated comparison\n",
               given->left_out);
    return ASSAY_OK;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const identify_values *values = given;
    (void)argument_count;
    assay_galleries_options options = {
        .rank = values->rank, .attribute = values->galleries, .alpha = 0.05};
    assay_evidence evidence = {0};
    assay_galleries found = {0};
    uint64_t *sizes = NULL;
    assay_status status =
        assay_read_deployment(values->fmr, values->threshold, &options.deployment);
    if (status == ASSAY_OK) status = read_sizes(values, &sizes, &options.size_count);
    options.sizes = sizes;
    if (status == ASSAY_OK) status = assay_evidence_read(arguments[0], &evidence);
    if (status == ASSAY_OK) status = assay_galleries_compute(&evidence, &options, &found);
    if (status == ASSAY_OK && values->json)
        status = print_json(values, &evidence, &found);
    else if (status == ASSAY_OK && !values->quiet)
        status = print_text(values, &evidence, &found);
    assay_galleries_free(&found);
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
        "galleries picked at random, and in galleries that a column of the manifest gives. The "
        "size "
        "of the\n"
        "galleries is always told: FPIR means nothing without it.",
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
