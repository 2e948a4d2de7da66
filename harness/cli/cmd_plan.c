/* cmd_plan -- `assay plan [EVIDENCE]`: how many people a statement needs, what comparing them
 * takes here, and what the set at hand can show. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "datasets/containers.h"
#include "harness/bench.h"
#include "harness/cli/command.h"
#include "harness/cli/planned.h"
#include "harness/steps.h"
#include "kernels/backend.h"
#include "reports/sizes.h"

#define TEMPLATES_MOST ((double)UINT32_MAX - 1) /* of one comparison */
#define MEASURED_TEMPLATES 6000                 /* of a brief measurement */
#define POWER_LEAST 0.5

typedef struct {
    assay_option_numbers fmrs, fmr, threshold, margin, difference, discordance, effect, mated;
    assay_option_numbers width, ratio, base, power, rate;
    assay_option_words by;
    uint64_t groups, subjects, samples, length, threads;
    const char *backend;
    bool measure, json, quiet;
} plan_values;

/* One number of an option, or otherwise. */
static assay_status take(const char *name, const assay_option_numbers *given, double low,
                         double high, double otherwise, double *out) {
    *out = otherwise;
    if (given->items == NULL) return ASSAY_OK;
    if (given->count != 1)
        return assay_fail(ASSAY_USAGE, "option --%s takes one number, not %zu", name, given->count);
    *out = given->items[0];
    if (*out >= low && *out <= high) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE, "option --%s: %g is not between %g and %g", name, *out, low,
                      high);
}

static assay_status look_at_hand(const plan_values *values, const char *path, plan_result *result,
                                 assay_evidence *evidence) {
    assay_planning_options options = {.relative = result->relative,
                                      .discordance = result->discordance,
                                      .alpha = result->alpha,
                                      .power = result->power,
                                      .attributes = (const char *const *)values->by.items,
                                      .attribute_count = values->by.count};
    assay_status status = take("fmr", &values->fmr, 1e-15, 1, (double)NAN, &options.deployment.fmr);
    if (status == ASSAY_OK)
        status = take("threshold", &values->threshold, -1e300, 1e300, (double)NAN,
                      &options.deployment.threshold);
    if (status == ASSAY_OK && values->fmr.items != NULL && values->threshold.items != NULL)
        status = assay_fail(ASSAY_USAGE, "--fmr and --threshold exclude each other: one threshold "
                                         "is used");
    if (status == ASSAY_OK) status = assay_evidence_read(path, evidence);
    if (status == ASSAY_OK) status = assay_planning_look(evidence, &options, &result->at_hand);
    if (status != ASSAY_OK) return status;
    result->evidence = path;
    result->release = evidence->release;
    result->version = evidence->version;
    return ASSAY_OK;
}

/* What sizes are made from: given, else seen, else the usual. */
static assay_status assume(const plan_values *values, plan_result *result) {
    const assay_planning *seen = &result->at_hand;
    bool has = result->evidence != NULL && !isnan(seen->base);
    double usual_base = has ? seen->base : ASSAY_PLAN_BASE;
    double usual_effect = has && !isnan(seen->design_effect) ? seen->design_effect : 1;
    double usual_each = has && seen->mated_each > 0 ? seen->mated_each : 1;
    assay_status status = take("base-rate", &values->base, 1e-12, 1, usual_base, &result->base);
    if (status == ASSAY_OK)
        status =
            take("design-effect", &values->effect, 1, 1e9, usual_effect, &result->design_effect);
    if (status == ASSAY_OK)
        status = take("mated", &values->mated, 1e-3, 1e9, usual_each, &result->mated_each);
    if (status == ASSAY_OK && isnan(result->discordance))
        result->discordance = has ? seen->discordance : ASSAY_PLAN_DISCORDANCE;
    if (status == ASSAY_OK)
        status = take("margin", &values->margin, 1e-12, 1, 0.1 * result->base, &result->margin);
    if (status == ASSAY_OK)
        status = take("difference", &values->difference, -1, 1, 0, &result->true_difference);
    if (status == ASSAY_OK && !(result->true_difference < result->margin))
        status = assay_fail(ASSAY_USAGE,
                            "option --difference: %g is not below the margin %g, and no set shows "
                            "that it is",
                            result->true_difference, result->margin);
    if (status == ASSAY_OK) status = take("ratio", &values->ratio, 1, 1e9, 2, &result->ratio);
    if (status == ASSAY_OK && !(result->ratio > 1))
        status = assay_fail(ASSAY_USAGE, "option --ratio: 1 is not above 1");
    const bool asked = values->ratio.items != NULL || values->base.items != NULL;
    if (status == ASSAY_OK && asked && !(result->base * result->ratio < 1))
        status = assay_fail(ASSAY_USAGE,
                            "option --ratio: %g times the base rate %g is no rate, expected less "
                            "than 1",
                            result->ratio, result->base);
    result->groups = (double)values->groups;
    result->assumed_source =
        has ? "seen in the evidence where not given" : "assumed where not given";
    const bool known = result->evidence != NULL && seen->propensity_seen;
    const double columns[] = {seen->propensity_cv2, 0.5, ASSAY_SIZE_PROPENSITY_CV2, 15};
    result->propensity_source = known ? "seen in the evidence" : "the usual 2; nothing shows it";
    if (known) result->propensities[result->propensity_count++] = columns[0];
    for (size_t n = 1; n < PLAN_PROPENSITIES; n++)
        result->propensities[result->propensity_count++] = columns[n];
    return status;
}

/* The column that is used: what was seen, or the usual. */
static size_t column_used(const plan_result *result) {
    return result->propensity_count == PLAN_PROPENSITIES ? 0 : 1;
}

static assay_status find_sizes(const plan_values *values, plan_result *result) {
    static const double usual[] = {1e-3, 1e-4, 1e-5, 1e-6};
    const double *targets = values->fmrs.items != NULL ? values->fmrs.items : usual;
    size_t count = values->fmrs.items != NULL ? values->fmrs.count : sizeof usual / sizeof *usual;
    assay_status status = assay_allocate(&result->fmrs, count, sizeof *result->fmrs, "targets");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < count; n++) {
        plan_fmr *out = &result->fmrs[result->fmr_count++];
        if (!(targets[n] >= 1e-15 && targets[n] < 1))
            return assay_fail(ASSAY_USAGE, "option --fmr-targets: %g is not between 1e-15 and 1",
                              targets[n]);
        out->fmr = targets[n];
        for (size_t column = 0; column < result->propensity_count; column++)
            out->subjects[column] = assay_size_fmr(targets[n], result->relative,
                                                   result->propensities[column], result->alpha);
        out->no_match = assay_size_no_match(targets[n], result->alpha);
        out->no_match_guaranteed = assay_size_no_match_guaranteed(targets[n], result->alpha);
    }
    result->margin_subjects =
        assay_size_margin(result->discordance, result->margin, result->true_difference,
                          result->design_effect, result->mated_each, result->alpha, result->power);
    result->ratio_subjects = (double)NAN; /* a rate above 1 is none */
    if (!(result->base * result->ratio < 1)) return ASSAY_OK;
    result->ratio_subjects =
        assay_size_ratio(result->base, result->ratio, result->groups, result->design_effect,
                         result->mated_each, result->alpha, result->power);
    return ASSAY_OK;
}

/* ---- what comparing takes ---- */

static assay_status measure_rate(const plan_values *values, plan_result *result) {
    assay_bench_result *measured = NULL;
    assay_bench_options options = {.population = {.templates = MEASURED_TEMPLATES,
                                                  .length = (uint32_t)result->length,
                                                  .groups = 1,
                                                  .samples_per_subject = 1,
                                                  .seed = 1},
                                   .threads = (unsigned)values->threads,
                                   .repeats = 1,
                                   .backend = values->backend,
                                   .comparator = ASSAY_COSINE};
    assay_progress_bar bar;
    assay_progress_bar_start(&bar, "plan", values->quiet);
    assay_progress progress = assay_progress_bar_progress(&bar);
    assay_status status = assay_allocate(&measured, 1, sizeof *measured, "measurements");
    if (status == ASSAY_OK) status = assay_bench(&options, &progress, measured);
    assay_progress_bar_clear(&bar);
    if (status == ASSAY_OK) {
        result->rate = measured->rows[ASSAY_BENCH_FULL].pairs_per_s;
        result->rate_source = "measured here just now, by processor time";
    }
    free(measured);
    return status;
}

static assay_status add_cost(const char *what, double fmr, double subjects,
                             const plan_values *values, plan_result *result) {
    plan_cost *out = &result->costs[result->cost_count++];
    assay_protocol protocol = {0};
    assay_compare_result found;
    double templates = subjects * (double)result->samples;
    *out = (plan_cost){.what = what, .fmr = fmr, .subjects = subjects, .seconds = (double)NAN};
    if (!(templates <= TEMPLATES_MOST)) {
        out->reason = "more templates than one comparison takes";
        return ASSAY_OK;
    }
    assay_status status = assay_protocol_create(&protocol);
    assay_compare_options options = {
        .protocol = &protocol, .backend = values->backend, .threads = (unsigned)values->threads};
    if (status == ASSAY_OK)
        status = assay_compare_estimate(ASSAY_TEMPLATES_VECTORS, (uint64_t)templates,
                                        (uint32_t)result->length, &options, &found);
    assay_protocol_free(&protocol);
    if (status != ASSAY_OK) return status;
    out->templates = found.templates;
    out->comparisons = found.pairs;
    out->memory_bytes = found.memory_bytes;
    out->disk_bytes = found.disk_bytes;
    out->seconds = (double)found.pairs / result->rate;
    return ASSAY_OK;
}

static assay_status find_costs(const plan_values *values, plan_result *result) {
    size_t column = column_used(result);
    assay_status status =
        assay_allocate(&result->costs, result->fmr_count + 3, sizeof *result->costs, "sizes");
    if (status == ASSAY_OK && values->subjects > 0)
        status = add_cost("as given", (double)NAN, (double)values->subjects, values, result);
    for (size_t n = 0; status == ASSAY_OK && n < result->fmr_count; n++)
        status =
            add_cost("FMR", result->fmrs[n].fmr, result->fmrs[n].subjects[column], values, result);
    if (status == ASSAY_OK)
        status = add_cost("margin", (double)NAN, result->margin_subjects, values, result);
    if (status == ASSAY_OK && !isnan(result->ratio_subjects))
        status = add_cost("ratio, all groups", (double)NAN, result->ratio_subjects * result->groups,
                          values, result);
    return status;
}

static assay_status find_backend(const plan_values *values, plan_result *result) {
    const assay_backend *backend;
    assay_status status = assay_backend_find(values->backend, &backend);
    if (status != ASSAY_OK) return status;
    result->backend = backend->name;
    result->threads = (unsigned)values->threads;
    status = take("rate", &values->rate, 1, 1e18, (double)NAN, &result->rate);
    result->rate_source =
        isnan(result->rate) ? "not known; --measure measures it here" : "as given";
    if (status == ASSAY_OK && values->measure) status = measure_rate(values, result);
    return status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const plan_values *values = given;
    plan_result result = {
        .alpha = 0.05, .samples = values->samples, .length = values->length, .rate = (double)NAN};
    assay_evidence evidence = {0};
    assay_status status = take("width", &values->width, 0.01, 100, 0.3, &result.relative);
    if (status == ASSAY_OK)
        status =
            take("power", &values->power, POWER_LEAST, 0.9999, ASSAY_SIZE_POWER, &result.power);
    if (status == ASSAY_OK)
        status =
            take("discordance", &values->discordance, 1e-12, 1, (double)NAN, &result.discordance);
    if (status == ASSAY_OK && values->measure && values->rate.items != NULL)
        status = assay_fail(ASSAY_USAGE, "--rate and --measure exclude each other");
    if (status == ASSAY_OK && argument_count == 0 &&
        (values->fmr.items != NULL || values->threshold.items != NULL || values->by.items != NULL))
        status = assay_fail(ASSAY_USAGE, "--fmr, --threshold and --by are of the set at hand, and "
                                         "no evidence is given; --fmr-targets asks for sizes");
    if (status == ASSAY_OK && argument_count == 1)
        status = look_at_hand(values, arguments[0], &result, &evidence);
    if (status == ASSAY_OK) status = assume(values, &result);
    if (status == ASSAY_OK) status = find_sizes(values, &result);
    if (status == ASSAY_OK) status = find_backend(values, &result);
    if (status == ASSAY_OK) status = find_costs(values, &result);
    if (status == ASSAY_OK && values->json)
        status = assay_plan_print_json(&result);
    else if (status == ASSAY_OK && !values->quiet)
        status = assay_plan_print_text(&result);
    assay_planning_free(&result.at_hand);
    assay_evidence_free(&evidence);
    free(result.fmrs);
    free(result.costs);
    return status;
}

#define AT(field) .offset = offsetof(plan_values, field)
#define NUMBER(option, field, of, text, otherwise)                                                 \
    {                                                                                              \
        .name = option, .kind = ASSAY_OPTION_NUMBERS, AT(field), .value = of, .purpose = text,     \
        .shown = otherwise                                                                         \
    }
static const assay_option options[] = {
    NUMBER("fmr-targets", fmrs, "F,F...", "FMR that sizes are asked for", "1e-3,1e-4,1e-5,1e-6"),
    NUMBER("width", width, "W", "an FMR is to be known from x / (1 + W) to x (1 + W)", "0.3"),
    NUMBER("margin", margin, "D", "largest difference of generalized FNMR between releases",
           "a tenth of the base rate"),
    NUMBER("difference", difference, "D", "the true difference that the set is planned for", "0"),
    NUMBER("discordance", discordance, "S", "share of comparisons on which two releases disagree",
           "2 p (1 - p) of the evidence's p, else 0.01"),
    NUMBER("ratio", ratio, "R", "ratio of a group's FNMR to another's that is to show", "2"),
    {.name = "groups",
     .kind = ASSAY_OPTION_COUNT,
     AT(groups),
     .value = "N",
     .low = 2,
     .high = 65535,
     .purpose = "groups that are judged",
     .shown = "2"},
    NUMBER("base-rate", base, "P", "FNMR of the group with the lower one",
           "that of the evidence, else 0.01"),
    NUMBER("design-effect", effect, "X", "of mated comparisons of one person",
           "that of the evidence, else 1"),
    NUMBER("mated", mated, "M", "mated comparisons of a subject", "as in the evidence, else 1"),
    NUMBER("power", power, "P", "chance that the set decides", "0.8"),
    NUMBER("fmr", fmr, "F", "EVIDENCE is judged at the threshold for this FMR",
           "what it was made for"),
    NUMBER("threshold", threshold, "T", "EVIDENCE is judged at this threshold", NULL),
    {.name = "by",
     .kind = ASSAY_OPTION_WORDS,
     AT(by),
     .value = "NAME,NAME...",
     .purpose = "attributes whose groups are looked at; sex*age_band crosses two",
     .shown = "every attribute"},
    {.name = "subjects",
     .kind = ASSAY_OPTION_COUNT,
     AT(subjects),
     .value = "N",
     .low = 2,
     .high = UINT32_MAX,
     .purpose = "also what comparing so many takes"},
    {.name = "samples",
     .kind = ASSAY_OPTION_COUNT,
     AT(samples),
     .value = "N",
     .low = 1,
     .high = 10000,
     .purpose = "samples of a subject, for what comparing takes",
     .shown = "2"},
    {.name = "length",
     .kind = ASSAY_OPTION_COUNT,
     AT(length),
     .value = "N",
     .low = 1,
     .high = ASSAY_LENGTH_MAX,
     .purpose = "components of a template, likewise",
     .shown = "512"},
    {.name = "backend",
     .kind = ASSAY_OPTION_TEXT,
     AT(backend),
     .value = "NAME",
     .purpose = "who would compare; see assay backends",
     .shown = "auto"},
    OPTION_THREADS(plan_values),
    NUMBER("rate", rate, "PAIRS", "comparisons a second that it makes", "not known"),
    {.name = "measure",
     .kind = ASSAY_OPTION_FLAG,
     AT(measure),
     .purpose = "measure that here, which takes seconds"},
    OPTION_JSON(plan_values),
    OPTION_QUIET(plan_values),
};
static const plan_values defaults = {.groups = 2, .samples = 2, .length = 512, .backend = "auto"};

const assay_command assay_command_plan = {
    .name = "plan",
    .purpose = "how many people a statement needs, and what the set at hand can show",
    .arguments = "[EVIDENCE]",
    .description =
        "Says how many subjects it takes to know an FMR, to hold two releases to a margin, and to "
        "show a ratio\n"
        "between groups; what comparing them takes here; and, of EVIDENCE, the smallest FMR that "
        "it can bound and\n"
        "the smallest difference that it can show, overall and by group.",
    .examples = (const char *const[]){"assay plan --fmr-targets 1e-6 --margin 0.002",
                                      "assay plan evidence.h5 --fmr 1e-4 --by sex", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 0,
    .most_arguments = 1,
    .values_size = sizeof(plan_values),
    .defaults = &defaults,
    .run = run,
};
