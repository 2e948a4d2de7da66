/* compare_digests -- tallies of a made-up set by a backend and by the reference, held against each
 * other, as told on standard input; built once for each edge of tiles (tests/CMakeLists.txt).
 * Started by tests/backends/test_digests.py, which chooses what is told.
 *
 * A line: KIND COMPARATOR COUNT LENGTH BACKEND THREADS. Its answer: a word (same, differs, declined
 * or failed), the SHA-256 of the backend's tally, and CPU seconds. The reference's tally is kept
 * from line to line of the same set. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datasets/base/digest.h"
#include "datasets/base/random.h"
#include "kernels/backend.h"

enum { GROUPS = 3, SAMPLES = 3 };

typedef struct {
    char kind[16], comparator[32], backend[32];
    unsigned count, length, threads;
} request;

typedef struct {
    assay_quantised templates;
    uint32_t *subject, *group;
    uint8_t *side;
    assay_all_pairs plan;
} population;

/* plain: normal components. ties: of -1, 0 and 1. duplicates: every third repeats the one before.
 */
static bool make(const request *of, population *out) {
    float *vectors = calloc((size_t)of->count * of->length, sizeof *vectors);
    assay_random random;
    assay_comparator comparator;
    population made = {.subject = calloc(of->count, sizeof(uint32_t)),
                       .group = calloc(of->count, sizeof(uint32_t)),
                       .side = calloc(of->count, 1)};
    const bool ties = strcmp(of->kind, "ties") == 0, again = strcmp(of->kind, "duplicates") == 0;
    assay_random_start(&random, of->count, of->length);
    for (uint32_t n = 0; n < of->count; n++) {
        float *row = vectors + (size_t)n * of->length;
        made.subject[n] = n / SAMPLES;
        made.group[n] = (uint32_t)((uint64_t)n * GROUPS / of->count);
        if (again && n % 3 == 2) {
            memcpy(row, row - of->length, of->length * sizeof *row);
            continue;
        }
        for (uint32_t k = 0; k < of->length; k++) {
            row[k] = ties ? (float)assay_random_below(&random, 3) - 1
                          : (float)assay_random_normal(&random);
        }
        if (ties) row[n % of->length] = 1; /* never all zero */
    }
    bool done = assay_comparator_parse(of->comparator, &comparator) == ASSAY_OK;
    done = done &&
           assay_quantise(comparator, of->count, of->length, vectors, &made.templates) == ASSAY_OK;
    free(vectors);
    *out = made;
    out->plan = (assay_all_pairs){.templates = &out->templates,
                                  .subject = out->subject,
                                  .group = out->group,
                                  .side = out->side,
                                  .group_count = GROUPS,
                                  .tail_limit = assay_pair_count(of->count) / 100 + 2,
                                  .required_fine = INT64_MAX,
                                  .tail_cap = UINT64_C(1) << 26,
                                  .bins_mode = ASSAY_BINS_FULL};
    return done;
}

static void unmake(population *of) {
    assay_quantised_free(&of->templates);
    free(of->subject);
    free(of->group);
    free(of->side);
    *of = (population){0};
}

static bool digest_tally(const assay_tally *tally, assay_digest *out) {
    assay_digester *digester = NULL;
    const uint64_t counts[] = {tally->non_mated,  tally->same_subject,
                               tally->other_side, tally->histogram_pairs,
                               tally->tail_count, (uint64_t)tally->tail_floor};
    if (assay_digester_open(&digester) != ASSAY_OK) return false;
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        assay_digester_add_u64(digester, counts[n]);
    }
    assay_digester_add(digester, tally->histogram,
                       (size_t)tally->histogram_length * sizeof *tally->histogram);
    for (uint64_t n = 0; n < tally->tail_count; n++) {
        const assay_scored_pair *pair = &tally->tail[n];
        assay_digester_add_u64(digester, (uint64_t)pair->fine);
        assay_digester_add_u64(digester, (uint64_t)pair->coarse);
        assay_digester_add_u64(digester, (uint64_t)pair->a << 32 | pair->b);
    }
    const bool done = assay_digester_finish(digester, out) == ASSAY_OK;
    assay_digester_free(digester);
    return done;
}

/* "same" means nothing here; other words say why there is no digest. */
static const char *tally_of(const population *of, const char *name, unsigned threads,
                            assay_digest *out) {
    const assay_backend *backend = NULL;
    const assay_backend_options options = {.threads = threads, .known_floor = INT64_MIN};
    assay_tally tally = {0};
    const assay_status found = assay_backend_find(name, &backend);
    if (found == ASSAY_DECLINED) return "declined";
    if (found != ASSAY_OK) return "failed";
    if (backend->all_pairs(&of->plan, 0, assay_tile_count(of->templates.count), &options, &tally) !=
        ASSAY_OK) {
        fprintf(stderr, "%s\n", assay_error_text());
        return "failed";
    }
    const bool done = digest_tally(&tally, out);
    assay_tally_free(&tally);
    return done ? "same" : "failed";
}

int main(void) {
    population of = {0};
    assay_digest expected, found;
    request asked = {0}, made = {0};
    char hex[ASSAY_DIGEST_HEX];
    while (scanf("%15s %31s %u %u %31s %u", asked.kind, asked.comparator, &asked.count,
                 &asked.length, asked.backend, &asked.threads) == 6) {
        if (strcmp(asked.kind, made.kind) != 0 || strcmp(asked.comparator, made.comparator) != 0 ||
            asked.count != made.count || asked.length != made.length) {
            unmake(&of);
            made = asked;
            if (!make(&asked, &of) ||
                strcmp(tally_of(&of, "reference", 1, &expected), "same") != 0) {
                fprintf(stderr, "%s\n", assay_error_text());
                return 1;
            }
        }
        const clock_t start = clock();
        const char *word = tally_of(&of, asked.backend, asked.threads, &found);
        const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (strcmp(word, "same") != 0) found = (assay_digest){0};
        if (strcmp(word, "same") == 0 && !assay_digest_equal(&found, &expected)) word = "differs";
        printf("%s %s %.3f\n", word, assay_digest_hex(hex, &found), seconds);
        fflush(stdout);
    }
    unmake(&of);
    return 0;
}
