/* full_oracle -- thresholds and counts at FMR 1e-3 to 1e-6 of every backend, held against a product
 * of the fine integers in double over all pairs: tests/soak/soak_oracle.c, and
 * tests/backends/test_oracle.c for a small set.
 *
 * |K| <= 2^26 and |K_i||K_j| is about 2^52, so every partial sum of a product of two templates is
 * an integer below 2^53: dgemm is exact, whatever its order, and shares no code with the backends.
 */
#ifndef ASSAY_TESTS_SOAK_FULL_ORACLE_H
#define ASSAY_TESTS_SOAK_FULL_ORACLE_H

#include <cblas.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "datasets/base/random.h"
#include "kernels/backend.h"

enum { ORACLE_TARGETS = 4, ORACLE_SAMPLES = 5, ORACLE_GROUPS = 12, ORACLE_TILE = 500 };
static const double oracle_targets[ORACLE_TARGETS] = {1e-3, 1e-4, 1e-5, 1e-6};

typedef struct {
    assay_quantised set;
    uint32_t *subject, *group;
    uint8_t *side;
    uint64_t non_mated;
    assay_all_pairs plan;
} oracle_population;

/* Subjects of five samples, by group; what two samples of a subject share is a third of each. */
static bool oracle_make(uint32_t count, uint32_t length, uint64_t seed, oracle_population *out) {
    float *vectors = calloc((size_t)count * length, sizeof *vectors);
    float *shared = calloc(length, sizeof *shared);
    oracle_population made = {.subject = calloc(count, sizeof(uint32_t)),
                              .group = calloc(count, sizeof(uint32_t)),
                              .side = calloc(count, 1)};
    assay_random random;
    assay_random_start(&random, seed, 0);
    for (uint32_t n = 0; n < count; n++) {
        made.subject[n] = n / ORACLE_SAMPLES;
        made.group[n] = (uint32_t)((uint64_t)made.subject[n] * ORACLE_GROUPS /
                                   ((count + ORACLE_SAMPLES - 1) / ORACLE_SAMPLES));
        for (uint32_t k = 0; k < length; k++) {
            if (n % ORACLE_SAMPLES == 0) shared[k] = (float)assay_random_normal(&random);
            vectors[(size_t)n * length + k] =
                shared[k] + 1.4f * (float)assay_random_normal(&random);
        }
    }
    const uint64_t whole = count / ORACLE_SAMPLES, rest = count % ORACLE_SAMPLES;
    made.non_mated =
        assay_pair_count(count) - whole * assay_pair_count(ORACLE_SAMPLES) - assay_pair_count(rest);
    const bool done = assay_quantise(ASSAY_COSINE, count, length, vectors, &made.set) == ASSAY_OK;
    free(vectors);
    free(shared);
    *out = made;
    out->plan = (assay_all_pairs){.templates = &out->set,
                                  .subject = out->subject,
                                  .group = out->group,
                                  .side = out->side,
                                  .group_count = ORACLE_GROUPS,
                                  .tail_limit = (uint64_t)(1.2e-3 * (double)made.non_mated),
                                  .required_fine = INT64_MAX,
                                  .tail_cap = UINT64_C(1) << 26};
    return done;
}

static void oracle_unmake(oracle_population *of) {
    assay_quantised_free(&of->set);
    free(of->subject);
    free(of->group);
    free(of->side);
}

/* What a backend's tail says of a target: the smallest observed score that at most target * M
 * reach. */
typedef struct {
    uint64_t allowed; /* floor(target * M) */
    int64_t threshold;
    uint64_t reach; /* pairs with fine >= threshold */
} oracle_point;

static void oracle_read_tail(const assay_tally *tally, uint64_t non_mated,
                             oracle_point points[ORACLE_TARGETS]) {
    for (int t = 0; t < ORACLE_TARGETS; t++) {
        uint64_t reach = (uint64_t)(oracle_targets[t] * (double)non_mated);
        points[t].allowed = reach;
        while (reach > 0 && reach < tally->tail_count &&
               tally->tail[reach - 1].fine == tally->tail[reach].fine) {
            reach--;
        }
        points[t].reach = reach;
        points[t].threshold = reach > 0 ? tally->tail[reach - 1].fine : INT64_MAX;
    }
}

/* What all pairs say of a threshold. */
typedef struct {
    uint64_t reach;       /* pairs at or above it */
    double next;          /* the best score below it */
    uint64_t next_number; /* pairs that have that score */
} oracle_truth;

static void oracle_take(double score, const oracle_point *point, oracle_truth *truth) {
    if (score >= (double)point->threshold) {
        truth->reach++;
    } else if (score > truth->next) {
        truth->next = score;
        truth->next_number = 1;
    } else if (score == truth->next) {
        truth->next_number++;
    }
}

/* Every pair of different subjects, by dgemm. */
static void oracle_count(const oracle_population *of, const oracle_point points[ORACLE_TARGETS],
                         oracle_truth truths[ORACLE_TARGETS], uint64_t *pairs) {
    const uint64_t count = of->set.count;
    const uint32_t length = of->set.length;
    double *rows = calloc((size_t)ORACLE_TILE * length, sizeof *rows);
    double *columns = calloc((size_t)ORACLE_TILE * length, sizeof *columns);
    double *scores = calloc((size_t)ORACLE_TILE * ORACLE_TILE, sizeof *scores);
    for (int t = 0; t < ORACLE_TARGETS; t++) truths[t] = (oracle_truth){.next = -1e300};
    *pairs = 0;
    for (uint64_t a = 0; a < count; a += ORACLE_TILE) {
        const uint64_t high = count - a < ORACLE_TILE ? count - a : ORACLE_TILE;
        for (uint64_t k = 0; k < high * length; k++) rows[k] = of->set.fine[a * length + k];
        for (uint64_t b = a; b < count; b += ORACLE_TILE) {
            const uint64_t wide = count - b < ORACLE_TILE ? count - b : ORACLE_TILE;
            for (uint64_t k = 0; k < wide * length; k++) columns[k] = of->set.fine[b * length + k];
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)high, (int)wide, (int)length,
                        1.0, rows, (int)length, columns, (int)length, 0.0, scores, ORACLE_TILE);
            for (uint64_t x = 0; x < high; x++) {
                for (uint64_t y = a == b ? x + 1 : 0; y < wide; y++) {
                    if (of->subject[a + x] == of->subject[b + y]) continue;
                    ++*pairs;
                    /* Below the lowest threshold and its runner-up nothing is of interest. */
                    const double score = scores[x * ORACLE_TILE + y];
                    if (score < truths[0].next) continue;
                    for (int t = 0; t < ORACLE_TARGETS; t++) {
                        oracle_take(score, &points[t], &truths[t]);
                    }
                }
            }
        }
    }
    free(rows);
    free(columns);
    free(scores);
}

/* Whether the backends' threshold is the definition's: as many pairs reach it, and one observed
 * score lower there would be too many. */
static bool oracle_agrees(const oracle_point *point, const oracle_truth *truth) {
    return truth->reach == point->reach && truth->reach <= point->allowed &&
           truth->reach + truth->next_number > point->allowed;
}

#endif
