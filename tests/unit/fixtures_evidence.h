/* fixtures_evidence -- an assay_evidence made in memory from a table and a function that gives
 * every pair its score, by going over all pairs: the slow and obvious twin of `assay compare`. */
#ifndef ASSAY_TESTS_FIXTURES_EVIDENCE_H
#define ASSAY_TESTS_FIXTURES_EVIDENCE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/base/memory.h"
#include "datasets/containers.h"

/* Scores are multiples of 2^-26 between -16 and 16. */
#define FIXTURE_EXPONENT 13
#define FIXTURE_COARSE_SCALE 16.0 /* coarse scores are multiples of 1/256 */
#define FIXTURE_BINS 4096u
#define FIXTURE_ALL UINT64_MAX

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        assay_status fixture_status = (call);                                                      \
        if (fixture_status != ASSAY_OK) fail_msg("%s: %s", #call, assay_error_text());             \
    } while (0)

typedef double (*fixture_score)(void *context, const assay_evidence *evidence, uint32_t i,
                                uint32_t j);

static inline int fixture_order(const void *a, const void *b) {
    const assay_comparison *x = a, *y = b;
    if (x->fine != y->fine) return x->fine < y->fine ? 1 : -1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

/* A table of rows samples, all enrolled, row r of subject subject_of[r]. */
static inline void fixture_start(assay_evidence *evidence, const char *release, const char *version,
                                 uint64_t rows, uint32_t subjects, const uint32_t *subject_of) {
    char name[64];
    memset(evidence, 0, sizeof *evidence);
    assert_ok(assay_sample_table_create(rows, subjects, &evidence->table));
    for (uint64_t row = 0; row < rows; ++row) {
        snprintf(name, sizeof name, "sample-%llu", (unsigned long long)row);
        evidence->table.sample_id[row] = strdup(name);
        evidence->table.subject[row] = subject_of[row];
        evidence->table.enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
    }
    for (uint32_t subject = 0; subject < subjects; ++subject) {
        snprintf(name, sizeof name, "subject-%u", subject);
        evidence->table.subject_id[subject] = strdup(name);
    }
    assert_ok(assay_protocol_create(&evidence->protocol));
    evidence->protocol.same_session = true;
    evidence->release = strdup(release);
    evidence->version = strdup(version);
    evidence->algorithm = strdup("fixture");
    evidence->comparator = strdup("cosine");
    evidence->dataset_name = strdup("fixture");
    evidence->provenance_json = strdup("{\"backend\":\"fixture\"}");
    memset(&evidence->dataset_digest, 7, sizeof evidence->dataset_digest);
}

static inline void fixture_targets(assay_evidence *evidence, const double *targets,
                                   uint32_t count) {
    free(evidence->protocol.fmr_targets);
    evidence->protocol.fmr_targets = calloc(count, sizeof *targets);
    memcpy(evidence->protocol.fmr_targets, targets, count * sizeof *targets);
    evidence->protocol.fmr_target_count = count;
}

/* A categorical attribute; values[row] is a label, or NULL for a missing one. */
static inline void fixture_attribute(assay_evidence *evidence, const char *name,
                                     assay_label_source source, const char *const *values) {
    assay_sample_table *table = &evidence->table;
    uint32_t index;
    assert_ok(assay_sample_table_add_attribute(table, name, ASSAY_ATTRIBUTE_CATEGORICAL,
                                               ASSAY_LEVEL_SUBJECT, source, &index));
    assay_attribute *attribute = &table->attributes[index];
    for (uint64_t row = 0; row < table->row_count; ++row) {
        uint16_t code = ASSAY_CODE_MISSING;
        for (uint32_t n = ASSAY_CODE_FIRST; values[row] && n < attribute->label_count; ++n)
            if (strcmp(attribute->labels[n], values[row]) == 0) code = (uint16_t)n;
        if (values[row] && code == ASSAY_CODE_MISSING)
            assert_ok(assay_attribute_add_label(attribute, values[row], &code));
        attribute->codes[row] = code;
    }
}

/* How many of count sorted pairs the tail keeps: those of the lowest score with #(>= it) <= limit.
 */
static inline uint64_t fixture_cut(const assay_comparison *pairs, uint64_t count, uint64_t limit) {
    if (limit >= count) return count;
    while (limit > 0 && pairs[limit - 1].fine == pairs[limit].fine) --limit;
    return limit;
}

/* A coarse score that is off by up to 2 beside its rounding, as a quantised comparison may be. */
static inline int32_t fixture_coarse(double scaled, uint32_t i, uint32_t j) {
    return (int32_t)lrint(scaled) + (int32_t)((i * 7 + j * 13) % 5) - 2;
}

/* Fills mated, tail (limit non-mated pairs at most), relations, one histogram and the counts. */
static inline void fixture_compare(assay_evidence *evidence, fixture_score score, void *context,
                                   uint64_t limit) {
    const assay_sample_table *table = &evidence->table;
    uint64_t rows = table->row_count, pairs = rows * (rows - 1) / 2, non_mated = 0, mated = 0;
    double unit = ldexp(1.0, 2 * FIXTURE_EXPONENT);
    double square = FIXTURE_COARSE_SCALE * FIXTURE_COARSE_SCALE;
    uint8_t *roles = NULL;
    assert_ok(assay_protocol_roles(&evidence->protocol, table, &roles));
    assert_ok(assay_allocate(&evidence->mated, pairs, sizeof *evidence->mated, "mated"));
    assert_ok(assay_allocate(&evidence->tail, pairs, sizeof *evidence->tail, "tail"));
    evidence->exponent = FIXTURE_EXPONENT;
    evidence->coarse_scale = FIXTURE_COARSE_SCALE;
    evidence->bound = 2.5 / square + 1e-9; /* rounding, and what fixture_coarse adds */
    evidence->bins = (assay_bin_rule){.lowest = -4096, .shift = 1, .count = FIXTURE_BINS};
    evidence->combination_count = 1;
    assert_ok(
        assay_allocate(&evidence->histogram, FIXTURE_BINS, sizeof *evidence->histogram, "bins"));
    for (uint32_t i = 0; i < rows; ++i)
        for (uint32_t j = i + 1; j < rows; ++j) {
            if (table->enrolment[i] != ASSAY_ENROLMENT_ENROLLED ||
                table->enrolment[j] != ASSAY_ENROLMENT_ENROLLED)
                continue;
            assay_relation relation =
                assay_protocol_relation(&evidence->protocol, table, roles, i, j);
            ++evidence->relations[relation];
            if (relation != ASSAY_RELATION_MATED && relation != ASSAY_RELATION_NON_MATED) continue;
            double value = score(context, evidence, i, j);
            assay_comparison pair = {.fine = llrint(value * unit),
                                     .coarse = fixture_coarse(value * square, i, j),
                                     .i = i,
                                     .j = j,
                                     .direction = (uint8_t)assay_protocol_direction(
                                         &evidence->protocol, table, roles, i, j)};
            if (relation == ASSAY_RELATION_MATED) {
                evidence->mated[mated++] = pair;
            } else {
                evidence->tail[non_mated++] = pair;
                ++evidence
                      ->histogram[(pair.coarse - evidence->bins.lowest) >> evidence->bins.shift];
            }
        }
    qsort(evidence->mated, mated, sizeof *evidence->mated, fixture_order);
    qsort(evidence->tail, non_mated, sizeof *evidence->tail, fixture_order);
    evidence->mated_count = mated;
    evidence->non_mated = evidence->histogram_pairs = non_mated;
    evidence->tail_count = fixture_cut(evidence->tail, non_mated, limit);
    evidence->tail_limit = limit;
    evidence->tail_complete = evidence->tail_count == non_mated;
    evidence->tail_floor = evidence->tail_complete ? INT64_MIN
                           : evidence->tail_count  ? evidence->tail[evidence->tail_count - 1].fine
                                                   : INT64_MAX;
    assert_ok(assay_evidence_digest(evidence));
    free(roles);
}

#endif
