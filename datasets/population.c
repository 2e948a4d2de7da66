/* population -- a synthetic population whose truth is known: its subjects, and its templates.
 * Images are made in population_faces.c, closed forms in population_truth.c. */
#include "datasets/population.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/text.h"
#include "datasets/population_subject.h"

const char *const assay_population_sexes[2] = {"female", "male"};
const char *const assay_population_bin_labels[ASSAY_POPULATION_BINS] = {"0-12",  "13-17", "18-35",
                                                                        "36-50", "51-65", "66+"};
static const double bin_edges[ASSAY_POPULATION_BINS + 1] = {0, 13, 18, 36, 51, 66, INFINITY};

#define YEAR_SECONDS ((int64_t)31557600)    /* 365.25 days */
#define FIRST_CAPTURE ((int64_t)1420070400) /* 2015-01-01T00:00:00Z */
#define LENGTH_MAX 4096
#define GROUPS_MAX 1024

/* ---- the description of a population ---- */

static const assay_population_group plain_group = {
    .share = 1.0, .dimension = 128, .stability = 0.66, .likeness = 0.0, .degradation = 0.0};

assay_status assay_population_create(bool planted, assay_population *out) {
    static const char *const names[] = {"north", "south", "east", "west"};
    enum { COUNT = sizeof names / sizeof names[0] };
    assay_population made = {
        .seed = 1, .subjects = 300, .samples_per_subject = 3, .length = 128, .image_size = 128};
    assay_status status = assay_allocate(&made.groups, COUNT, sizeof *made.groups, "groups");
    if (status != ASSAY_OK) goto out;
    made.group_count = COUNT;
    for (uint32_t g = 0; g < COUNT; g++) {
        made.groups[g] = plain_group;
        status = assay_copy_string(&made.groups[g].name, names[g]);
        if (status != ASSAY_OK) goto out;
    }
    if (planted) {
        made.groups[1].stability = 0.62;
        made.groups[1].degradation = 0.35;
        made.groups[3].dimension = plain_group.dimension / 2;
        made.groups[3].likeness = 0.3;
    }
    *out = made;
    made = (assay_population){0};
out:
    assay_population_free(&made);
    return status;
}

void assay_population_free(assay_population *population) {
    if (population == NULL) return;
    for (uint32_t g = 0; population->groups != NULL && g < population->group_count; g++) {
        free(population->groups[g].name);
    }
    free(population->groups);
    *population = (assay_population){0};
}

static assay_status check_group(const assay_population *population, uint32_t index) {
    const assay_population_group *group = &population->groups[index];
    const char *fault =
        group->name == NULL ? "is not given" : assay_name_fault(group->name, strlen(group->name));
    if (fault != NULL) {
        return assay_fail(ASSAY_USAGE, "population: the name of group %u %s", index + 1, fault);
    }
    for (uint32_t before = 0; before < index; before++) {
        if (strcmp(population->groups[before].name, group->name) != 0) continue;
        return assay_fail(ASSAY_USAGE, "population: two groups are called '%s'", group->name);
    }
    if (!(group->share > 0 && group->share < INFINITY)) {
        return assay_fail(ASSAY_USAGE, "population: share of group '%s' is %g, expected above 0",
                          group->name, group->share);
    }
    if (group->dimension < 3 || group->dimension > population->length) {
        return assay_fail(ASSAY_USAGE,
                          "population: dimension of group '%s' is %u, expected 3 to the length, %u",
                          group->name, group->dimension, population->length);
    }
    if (!(group->stability > 0 && group->stability < 1)) {
        return assay_fail(ASSAY_USAGE,
                          "population: stability of group '%s' is %g, expected between 0 and 1",
                          group->name, group->stability);
    }
    if (!(group->likeness >= 0 && group->likeness <= 1)) {
        return assay_fail(ASSAY_USAGE, "population: likeness of group '%s' is %g, expected 0 to 1",
                          group->name, group->likeness);
    }
    if (!(group->degradation >= 0 && group->degradation <= 1)) {
        return assay_fail(ASSAY_USAGE,
                          "population: degradation of group '%s' is %g, expected 0 to 1",
                          group->name, group->degradation);
    }
    return ASSAY_OK;
}

assay_status assay_population_check(const assay_population *population) {
    const struct {
        const char *name;
        uint32_t value, low, high;
    } ranges[] = {
        {"subjects", population->subjects, 1, 100u * 1000 * 1000},
        {"samples_per_subject", population->samples_per_subject, 1, 1000},
        {"length", population->length, 3, LENGTH_MAX},
        {"image_size", population->image_size, 48, 512},
        {"number of groups", population->group_count, 1, GROUPS_MAX},
    };
    for (size_t n = 0; n < sizeof ranges / sizeof ranges[0]; n++) {
        if (ranges[n].value >= ranges[n].low && ranges[n].value <= ranges[n].high) continue;
        return assay_fail(ASSAY_USAGE, "population: %s is %u, expected %u to %u", ranges[n].name,
                          ranges[n].value, ranges[n].low, ranges[n].high);
    }
    for (uint32_t g = 0; g < population->group_count; g++) {
        assay_status status = check_group(population, g);
        if (status != ASSAY_OK) return status;
    }
    if ((uint64_t)population->subjects * population->samples_per_subject > UINT32_MAX) {
        return assay_fail(ASSAY_USAGE,
                          "population: %u subjects of %u samples are more than %u samples",
                          population->subjects, population->samples_per_subject, UINT32_MAX);
    }
    return ASSAY_OK;
}

/* ---- subjects ---- */

assay_status assay_population_assign(const assay_population *population, uint32_t **out_groups) {
    uint32_t *groups = NULL;
    double *assigned = NULL;
    double total = 0;
    for (uint32_t g = 0; g < population->group_count; g++) total += population->groups[g].share;
    assay_status status = assay_allocate(&groups, population->subjects, sizeof *groups, "groups");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&assigned, population->group_count, sizeof *assigned, "groups");
    if (status != ASSAY_OK) goto out;
    for (uint32_t s = 0; s < population->subjects; s++) {
        uint32_t best = 0;
        double most_wanting = -INFINITY;
        for (uint32_t g = 0; g < population->group_count; g++) {
            double wanting = population->groups[g].share / total * (s + 1.0) - assigned[g];
            if (wanting <= most_wanting) continue;
            most_wanting = wanting;
            best = g;
        }
        groups[s] = best;
        assigned[best] += 1;
    }
    *out_groups = groups;
    groups = NULL;
out:
    free(groups);
    free(assigned);
    return status;
}

void assay_population_subject_start(const assay_population *population, uint32_t index,
                                    uint32_t group, assay_population_subject *out) {
    *out = (assay_population_subject){.index = index, .group = group};
    assay_random_start(&out->random, population->seed, index);
    out->sex = assay_random_below(&out->random, 2);
    /* The sum of two makes the middle ages the more frequent ones: 14 to 76. */
    out->age = 14 + assay_random_below(&out->random, 32) + assay_random_below(&out->random, 32);
    out->first_capture = FIRST_CAPTURE + 60 * (int64_t)assay_random_below(&out->random, 525600);
}

int64_t assay_population_captured(const assay_population_subject *subject, uint32_t k) {
    return subject->first_capture + (int64_t)k * YEAR_SECONDS;
}

void assay_population_subject_id(char *out, size_t size, uint32_t subject) {
    snprintf(out, size, "%05u", subject + 1);
}

void assay_population_sample_id(char *out, size_t size, uint32_t subject, uint32_t k) {
    snprintf(out, size, "%05u_%u", subject + 1, k + 1);
}

/* ---- the sample table ---- */

typedef struct {
    uint32_t group, sex, age; /* indices of the attributes */
} attribute_indices;

static assay_status add_labels(assay_sample_table *table, uint32_t attribute, uint32_t count,
                               const char *const *labels) {
    for (uint32_t n = 0; n < count; n++) {
        uint16_t code;
        assay_status status =
            assay_attribute_add_label(&table->attributes[attribute], labels[n], &code);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status add_attributes(const assay_population *population, assay_sample_table *table,
                                   attribute_indices *out) {
    assay_status status = assay_sample_table_add_attribute(
        table, "group", ASSAY_ATTRIBUTE_CATEGORICAL, ASSAY_LEVEL_SUBJECT,
        ASSAY_SOURCE_BY_CONSTRUCTION, &out->group);
    if (status != ASSAY_OK) return status;
    status = assay_sample_table_add_attribute(table, "sex", ASSAY_ATTRIBUTE_CATEGORICAL,
                                              ASSAY_LEVEL_SUBJECT, ASSAY_SOURCE_BY_CONSTRUCTION,
                                              &out->sex);
    if (status != ASSAY_OK) return status;
    status = assay_sample_table_add_attribute(table, "age_band", ASSAY_ATTRIBUTE_NUMERIC,
                                              ASSAY_LEVEL_SAMPLE, ASSAY_SOURCE_BY_CONSTRUCTION,
                                              &out->age);
    if (status != ASSAY_OK) return status;
    for (uint32_t g = 0; g < population->group_count; g++) {
        const char *name = population->groups[g].name;
        status = add_labels(table, out->group, 1, &name);
        if (status != ASSAY_OK) return status;
    }
    status = add_labels(table, out->sex, 2, assay_population_sexes);
    if (status != ASSAY_OK) return status;
    status = add_labels(table, out->age, ASSAY_POPULATION_BINS, assay_population_bin_labels);
    if (status != ASSAY_OK) return status;
    assay_attribute *age = &table->attributes[out->age];
    for (uint32_t n = 0; n < ASSAY_POPULATION_BINS; n++) {
        age->bin_low[n] = bin_edges[n];
        age->bin_high[n] = bin_edges[n + 1];
    }
    return ASSAY_OK;
}

static uint16_t age_code(uint32_t age) {
    uint16_t bin = 0;
    while (age >= bin_edges[bin + 1]) bin++;
    return (uint16_t)(ASSAY_CODE_FIRST + bin);
}

static assay_status fill_row(const assay_population *population,
                             const assay_population_subject *subject, uint32_t k,
                             const attribute_indices *indices, assay_sample_table *table) {
    uint64_t row = (uint64_t)subject->index * population->samples_per_subject + k;
    const assay_population_group *group = &population->groups[subject->group];
    char text[32];
    assay_population_sample_id(text, sizeof text, subject->index, k);
    assay_status status = assay_copy_string(&table->sample_id[row], text);
    if (status != ASSAY_OK) return status;
    snprintf(text, sizeof text, "%u", k + 1);
    status = assay_labelled_set(&table->session, row, text);
    if (status != ASSAY_OK) return status;
    table->subject[row] = subject->index;
    table->captured[row] = assay_population_captured(subject, k);
    table->quality[row] = 100 * group->stability * group->stability;
    table->enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
    table->attributes[indices->group].codes[row] = (uint16_t)(ASSAY_CODE_FIRST + subject->group);
    table->attributes[indices->sex].codes[row] = (uint16_t)(ASSAY_CODE_FIRST + subject->sex);
    table->attributes[indices->age].values[row] = subject->age + k;
    table->attributes[indices->age].codes[row] = age_code(subject->age + k);
    return ASSAY_OK;
}

/* ---- templates ---- */

/* A direction uniform on the unit sphere of dimension coordinates; where from is not NULL, of those
 * orthogonal to it. */
static void draw_direction(assay_random *random, uint32_t dimension, const double *from,
                           double *out) {
    double norm = 0;
    while (!(norm > 1e-12)) { /* a draw this short would lose its direction to rounding */
        double along = 0;
        for (uint32_t n = 0; n < dimension; n++) {
            out[n] = assay_random_normal(random);
            if (from != NULL) along += out[n] * from[n];
        }
        norm = 0;
        for (uint32_t n = 0; n < dimension; n++) {
            if (from != NULL) out[n] -= along * from[n];
            norm += out[n] * out[n];
        }
        norm = sqrt(norm);
    }
    for (uint32_t n = 0; n < dimension; n++) out[n] /= norm;
}

/* out is [samples_per_subject][length]; scratch is [2][length]. */
static void draw_templates(const assay_population *population, assay_population_subject *subject,
                           double *scratch, float *out) {
    const assay_population_group *group = &population->groups[subject->group];
    double *u = scratch, *v = scratch + population->length;
    double a = group->stability, b = sqrt(1 - a * a);
    draw_direction(&subject->random, group->dimension, NULL, u);
    for (uint32_t k = 0; k < population->samples_per_subject; k++) {
        float *row = out + (size_t)k * population->length;
        double norm = 0;
        draw_direction(&subject->random, group->dimension, u, v);
        for (uint32_t n = 0; n < group->dimension; n++) {
            v[n] = a * u[n] + b * v[n];
            norm += v[n] * v[n];
        }
        norm = sqrt(norm);
        for (uint32_t n = 0; n < group->dimension; n++) row[n] = (float)(v[n] / norm);
    }
}

/* The rows of all subjects. */
static assay_status fill_subjects(const assay_population *population, const uint32_t *groups,
                                  assay_sample_table *table) {
    attribute_indices indices = {0};
    assay_status status = add_attributes(population, table, &indices);
    for (uint32_t s = 0; status == ASSAY_OK && s < population->subjects; s++) {
        assay_population_subject subject;
        assay_population_subject_start(population, s, groups[s], &subject);
        char text[32];
        assay_population_subject_id(text, sizeof text, s);
        status = assay_copy_string(&table->subject_id[s], text);
        for (uint32_t k = 0; status == ASSAY_OK && k < population->samples_per_subject; k++)
            status = fill_row(population, &subject, k, &indices, table);
    }
    return status;
}

assay_status assay_population_table(const assay_population *population, uint32_t **out_groups,
                                    assay_sample_table *out) {
    assay_sample_table table = {0};
    uint32_t *groups = NULL;
    assay_status status = assay_population_check(population);
    if (status != ASSAY_OK) return status;
    uint64_t rows = (uint64_t)population->subjects * population->samples_per_subject;
    status = assay_population_assign(population, &groups);
    if (status == ASSAY_OK) status = assay_sample_table_create(rows, population->subjects, &table);
    if (status == ASSAY_OK) status = fill_subjects(population, groups, &table);
    if (status == ASSAY_OK) {
        *out = table;
        *out_groups = groups;
    } else {
        assay_sample_table_free(&table);
        free(groups);
    }
    return status;
}

/* vectors is [rows][length]. */
static assay_status draw_subjects(const assay_population *population,
                                  const assay_progress *progress, const uint32_t *groups,
                                  double *scratch, float *vectors) {
    assay_pace pace = {0};
    const uint32_t samples = population->samples_per_subject;
    for (uint32_t s = 0; s < population->subjects; s++) {
        assay_population_subject subject;
        assay_population_subject_start(population, s, groups[s], &subject);
        draw_templates(population, &subject, scratch,
                       vectors + (size_t)s * samples * population->length);
        bool last = s + 1 == population->subjects;
        if ((last || assay_pace_due(&pace)) &&
            !assay_progress_tell(progress, "synth", "templates", (s + 1ull) * samples,
                                 (uint64_t)population->subjects * samples)) {
            return assay_fail(ASSAY_FAILED, "making synthetic templates: interrupted");
        }
    }
    return ASSAY_OK;
}

assay_status assay_population_templates(const assay_population *population,
                                        const assay_progress *progress,
                                        assay_sample_table *out_table, float **out_vectors) {
    assay_sample_table table = {0};
    uint32_t *groups = NULL;
    double *scratch = NULL;
    float *vectors = NULL;
    assay_status status = assay_population_table(population, &groups, &table);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&scratch, 2 * (size_t)population->length, sizeof *scratch, "templates");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&vectors, table.row_count, population->length * sizeof *vectors,
                            "templates");
    if (status != ASSAY_OK) goto out;
    status = draw_subjects(population, progress, groups, scratch, vectors);
    if (status != ASSAY_OK) goto out;
    *out_table = table;
    *out_vectors = vectors;
    table = (assay_sample_table){0};
    vectors = NULL;
out:
    assay_sample_table_free(&table);
    free(groups);
    free(scratch);
    free(vectors);
    return status;
}
