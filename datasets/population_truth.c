/* population_truth -- what is true of a synthetic population by construction: closed forms of its
 * templates' error rates, and truth.json. */
#include <jansson.h>
#include <stdlib.h>

#include "datasets/base/special.h"
#include "datasets/base/text.h"
#include "datasets/population.h"
#include "datasets/population_subject.h"

/* truth.json tells the rates at every hundredth from -0.5 to 1. */
#define GRID_FIRST (-50)
#define GRID_LAST 100

/* P(cos >= threshold) for two independent uniform directions of n coordinates: (1 + cos)/2 is
 * Beta((n-1)/2, (n-1)/2) (the projection of a uniform point of the sphere, with density
 * proportional to (1 - cos^2)^((n-3)/2)). */
static double cosine_above(double n, double threshold) {
    if (threshold <= -1) return 1;
    if (threshold > 1) return 0;
    return assay_beta_above((n - 1) / 2, (n - 1) / 2, (1 + threshold) / 2);
}

/* P(cos < threshold), which keeps its digits where it is small. */
static double cosine_below(double n, double threshold) {
    if (threshold <= -1) return 0;
    if (threshold > 1) return 1;
    return assay_beta_below((n - 1) / 2, (n - 1) / 2, (1 + threshold) / 2);
}

double assay_population_fmr(const assay_population *population, uint32_t group_a, uint32_t group_b,
                            double threshold) {
    uint32_t a = population->groups[group_a].dimension, b = population->groups[group_b].dimension;
    /* Of the two the one of more coordinates is uniform on its sphere whatever the other is. */
    return cosine_above(a > b ? a : b, threshold);
}

double assay_population_fnmr(const assay_population *population, uint32_t group, double threshold) {
    double kept = population->groups[group].stability * population->groups[group].stability;
    return cosine_below(population->groups[group].dimension - 1.0, (threshold - kept) / (1 - kept));
}

/* ---- truth.json ---- */

static void append_string(assay_text *text, const char *string) {
    json_t *value = json_string(string);
    char *printed = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    if (printed == NULL) text->failed = true;
    assay_text_append(text, printed == NULL ? "" : printed);
    free(printed);
    json_decref(value);
}

static void append_number(assay_text *text, const char *name, double value) {
    char number[ASSAY_NUMBER_SIZE];
    assay_text_appendf(text, "\"%s\": %s", name, assay_print_double(number, value));
}

static void append_groups(assay_text *text, const assay_population *population) {
    assay_text_append(text, "  \"groups\": [\n");
    for (uint32_t g = 0; g < population->group_count; g++) {
        const assay_population_group *group = &population->groups[g];
        assay_text_append(text, "    {\"name\": ");
        append_string(text, group->name);
        assay_text_append(text, ", ");
        append_number(text, "share", group->share);
        assay_text_appendf(text, ", \"dimension\": %u, ", group->dimension);
        append_number(text, "stability", group->stability);
        assay_text_append(text, ", ");
        append_number(text, "likeness", group->likeness);
        assay_text_append(text, ", ");
        append_number(text, "degradation", group->degradation);
        assay_text_append(text, g + 1 < population->group_count ? "},\n" : "}\n");
    }
    assay_text_append(text, "  ],\n");
}

static double grid_threshold(int step) {
    return step / 100.0;
}

static void append_rates(assay_text *text, const assay_population *population, uint32_t a,
                         const uint32_t *b) {
    char number[ASSAY_NUMBER_SIZE];
    assay_text_append(text, b == NULL ? "\"fnmr\": [" : "\"fmr\": [");
    for (int step = GRID_FIRST; step <= GRID_LAST; step++) {
        double threshold = grid_threshold(step);
        double rate = b == NULL ? assay_population_fnmr(population, a, threshold)
                                : assay_population_fmr(population, a, *b, threshold);
        if (step > GRID_FIRST) assay_text_append(text, ", ");
        assay_text_append(text, assay_print_double(number, rate));
    }
    assay_text_append(text, "]}");
}

static void append_truth(assay_text *text, const assay_population *population) {
    char number[ASSAY_NUMBER_SIZE];
    const char *between = "";
    assay_text_append(text, "  \"thresholds\": [");
    for (int step = GRID_FIRST; step <= GRID_LAST; step++) {
        if (step > GRID_FIRST) assay_text_append(text, ", ");
        assay_text_append(text, assay_print_double(number, grid_threshold(step)));
    }
    assay_text_append(text, "],\n  \"non_mated\": [");
    for (uint32_t a = 0; a < population->group_count; a++) {
        for (uint32_t b = a; b < population->group_count; b++) {
            assay_text_appendf(text, "%s\n    {\"a\": ", between);
            append_string(text, population->groups[a].name);
            assay_text_append(text, ", \"b\": ");
            append_string(text, population->groups[b].name);
            assay_text_append(text, ", ");
            append_rates(text, population, a, &b);
            between = ",";
        }
    }
    between = "";
    assay_text_append(text, "\n  ],\n  \"mated\": [");
    for (uint32_t g = 0; g < population->group_count; g++) {
        assay_text_appendf(text, "%s\n    {\"group\": ", between);
        append_string(text, population->groups[g].name);
        assay_text_append(text, ", ");
        append_rates(text, population, g, NULL);
        between = ",";
    }
    assay_text_append(text, "\n  ]\n");
}

assay_status assay_population_truth_json(const assay_population *population, char **out) {
    assay_text text = {0};
    assay_status status = assay_population_check(population);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&text, "{\n  \"schema\": \"assay-population-truth/1\",\n");
    assay_text_appendf(&text, "  \"seed\": %llu,\n  \"subjects\": %u,\n",
                       (unsigned long long)population->seed, population->subjects);
    assay_text_appendf(&text, "  \"samples_per_subject\": %u,\n  \"length\": %u,\n",
                       population->samples_per_subject, population->length);
    assay_text_appendf(&text, "  \"image_size\": %u,\n", population->image_size);
    append_groups(&text, population);
    assay_text_append(&text, "  \"rates_are_of\": \"templates made directly, cosine\",\n");
    append_truth(&text, population);
    assay_text_append(&text, "}\n");
    status = assay_text_status(&text);
    if (status != ASSAY_OK) goto out;
    *out = text.bytes;
    text = (assay_text){0};
out:
    assay_text_free(&text);
    return status;
}
