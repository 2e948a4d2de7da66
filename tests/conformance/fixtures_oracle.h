/* fixtures_oracle -- the cases of a slow, plain reference that shares no code with this project,
 * and its whole evaluation of two releases as evidence in memory. */
#ifndef ASSAY_TESTS_FIXTURES_ORACLE_H
#define ASSAY_TESTS_FIXTURES_ORACLE_H

#include "tests/unit/fixtures_evidence.h"

#include <jansson.h>
#include <unistd.h>

#define TOLERANCE 1e-9 /* relative, as the cases promise */

static char oracle[1024];

static inline json_t *read_case(const char *name) {
    char path[1200];
    json_error_t fault;
    snprintf(path, sizeof path, "%s/cases/%s", oracle, name);
    json_t *root = json_load_file(path, 0, &fault);
    if (!root) fail_msg("%s:%d: %s", path, fault.line, fault.text);
    return root;
}

static inline json_t *at(const json_t *object, const char *key) {
    json_t *found = json_object_get(object, key);
    if (!found) fail_msg("the case has no '%s'", key);
    return found;
}

/* Infinity stands as "inf", what does not apply as null. */
static inline double number(const json_t *value) {
    if (json_is_string(value)) return (double)INFINITY;
    return json_is_null(value) ? (double)NAN : json_number_value(value);
}

static inline double number_at(const json_t *array, size_t index) {
    return number(json_array_get(array, index));
}

static inline void assert_near(double value, double expected, const char *what) {
    bool same = value == expected || fabs(value - expected) <= TOLERANCE * fabs(expected);
    if (!same) fail_msg("%s: %.17g is not %.17g", what, value, expected);
}

/* ---- a whole evaluation ---- */

enum { EVALUATED = 240, CSV_ROWS = 20000 };
static const double given[] = {2.4, 2.8, 3.2, 3.6, 4.0, 4.4};
static const double targets[] = {1e-2, 3e-3, 1e-3, 3e-4};

typedef struct {
    uint32_t k[EVALUATED], first_row[EVALUATED], rows;
    int64_t group[EVALUATED];
} people;

static inline FILE *open_csv(const char *name) {
    char path[1200], line[256];
    snprintf(path, sizeof path, "%s/cases/%s", oracle, name);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file)) fail_msg("cannot read %s", path);
    return file;
}

static inline void read_people(people *out) {
    FILE *file = open_csv("06_subjects.csv");
    unsigned subject, templates;
    int group;
    while (fscanf(file, "%u,%u,%d", &subject, &templates, &group) == 3) {
        out->k[subject] = templates;
        out->group[subject] = group;
        out->first_row[subject] = out->rows;
        out->rows += templates;
    }
    fclose(file);
}

/* Scores have three decimals: as multiples of 2^-26 they stay in order, and so do thresholds. */
static inline int64_t fine_of(double score) {
    return llrint(ldexp(score, 2 * FIXTURE_EXPONENT));
}

static inline double kept(double score) {
    return ldexp((double)fine_of(score), -2 * FIXTURE_EXPONENT);
}

static inline void add_mated(const people *all, int release, assay_evidence *evidence) {
    FILE *file = open_csv("06_genuine.csv");
    unsigned subject, last = UINT32_MAX, x = 0, y = 0;
    double score[2];
    assert_ok(assay_allocate(&evidence->mated, CSV_ROWS, sizeof *evidence->mated, "mated"));
    while (fscanf(file, "%u,%lf,%lf", &subject, &score[0], &score[1]) == 3) {
        if (subject != last) x = 0, y = 0;
        if (++y >= all->k[subject]) y = ++x + 1;
        last = subject;
        uint32_t row = all->first_row[subject];
        evidence->mated[evidence->mated_count++] =
            (assay_comparison){.fine = fine_of(score[release]), .i = row + x, .j = row + y};
    }
    fclose(file);
    qsort(evidence->mated, evidence->mated_count, sizeof *evidence->mated, fixture_order);
}

static inline void add_tail(const people *all, int release, assay_evidence *evidence) {
    FILE *file = open_csv("06_impostor.csv");
    unsigned i, j;
    double score[2];
    assert_ok(assay_allocate(&evidence->tail, CSV_ROWS, sizeof *evidence->tail, "tail"));
    while (fscanf(file, "%u,%u,%lf,%lf", &i, &j, &score[0], &score[1]) == 4)
        if (score[release] > 2.2)
            evidence->tail[evidence->tail_count++] = (assay_comparison){
                .fine = fine_of(score[release]), .i = all->first_row[i], .j = all->first_row[j]};
    fclose(file);
    qsort(evidence->tail, evidence->tail_count, sizeof *evidence->tail, fixture_order);
    evidence->tail_floor = fine_of(2.2) + 1;
}

static inline void make_evaluation(const people *all, int release, assay_evidence *evidence) {
    uint32_t *subject = calloc(all->rows, sizeof *subject);
    for (uint32_t n = 0; n < EVALUATED; ++n)
        for (uint32_t t = 0; t < all->k[n]; ++t) subject[all->first_row[n] + t] = n;
    fixture_start(evidence, "r", release ? "B" : "A", all->rows, EVALUATED, subject);
    free(subject);
    fixture_targets(evidence, targets, 4);
    evidence->protocol.thresholds = calloc(6, sizeof *evidence->protocol.thresholds);
    evidence->protocol.threshold_count = 6;
    for (size_t n = 0; n < 6; ++n) evidence->protocol.thresholds[n] = kept(given[n]);
    evidence->exponent = FIXTURE_EXPONENT;
    add_mated(all, release, evidence);
    add_tail(all, release, evidence);
    uint64_t square = 0;
    for (uint32_t n = 0; n < EVALUATED; ++n) square += (uint64_t)all->k[n] * all->k[n];
    evidence->non_mated = ((uint64_t)all->rows * all->rows - square) / 2;
}

static inline bool find_oracle(void) {
    char probe[1200];
    const char *named = getenv("ASSAY_ORACLE"), *data = getenv("ASSAY_DATA");
    if (named)
        snprintf(oracle, sizeof oracle, "%s", named);
    else if (data)
        snprintf(oracle, sizeof oracle, "%s/../oracle", data);
    snprintf(probe, sizeof probe, "%s/cases/06_evaluation.json", oracle);
    return (named || data) && access(probe, R_OK) == 0;
}

#endif
