/* soak_oracle -- 20,000 templates of 512: every backend's thresholds and counts at FMR 1e-3 to 1e-6
 * against dgemm on the fine integers over all 200 million pairs. */
#include <inttypes.h>
#include <string.h>

#include "tests/soak/full_oracle.h"

enum { COUNT = 20000, LENGTH = 512, THREADS = 2 };

static bool check_backend(const assay_backend *backend, const oracle_population *of,
                          oracle_point known[ORACLE_TARGETS], oracle_truth truths[ORACLE_TARGETS],
                          bool *counted) {
    const assay_backend_options options = {.threads = THREADS, .known_floor = INT64_MIN};
    assay_tally tally = {0};
    oracle_point points[ORACLE_TARGETS];
    if (backend->all_pairs(&of->plan, 0, assay_tile_count(COUNT), &options, &tally) != ASSAY_OK) {
        printf("| %s | %s | | | | | |\n", backend->name, assay_error_text());
        return false;
    }
    oracle_read_tail(&tally, of->non_mated, points);
    if (!*counted) {
        uint64_t pairs = 0;
        memcpy(known, points, sizeof points);
        oracle_count(of, points, truths, &pairs);
        *counted = true;
        if (pairs != of->non_mated) printf("the oracle met %" PRIu64 " pairs\n", pairs);
    }
    bool all = tally.non_mated == of->non_mated;
    for (int t = 0; t < ORACLE_TARGETS; t++) {
        const bool same =
            points[t].threshold == known[t].threshold && oracle_agrees(&points[t], &truths[t]);
        printf("| %s | %.0e | %" PRIu64 " | %" PRId64 " | %" PRIu64 " | %" PRIu64 " | %s |\n",
               backend->name, oracle_targets[t], points[t].allowed, points[t].threshold,
               points[t].reach, truths[t].reach, same ? "yes" : "NO");
        all = all && same;
    }
    assay_tally_free(&tally);
    return all;
}

int main(void) {
    oracle_population of;
    oracle_point known[ORACLE_TARGETS];
    oracle_truth truths[ORACLE_TARGETS];
    bool counted = false, all = true;
    if (!oracle_make(COUNT, LENGTH, 2026, &of)) {
        printf("%s\n", assay_error_text());
        return 1;
    }
    printf("%d templates of %d, %" PRIu64 " non-mated pairs, cosine. The oracle's count is of all "
           "pairs, by dgemm on the fine integers; \"yes\" says that it is the backend's, and that "
           "one observed score lower too many pairs would reach.\n\n",
           COUNT, LENGTH, of.non_mated);
    printf("| backend | FMR target | allowed | threshold (fine) | reach it | by the oracle | "
           "confirmed |\n|---|---|---|---|---|---|---|\n");
    for (size_t n = 0; n < assay_backend_count(); n++) {
        char line[256];
        const assay_backend *backend = assay_backend_at(n);
        if (strcmp(backend->name, "reference") == 0) continue; /* it keeps every score: 10 GB */
        if (backend->probe(line, sizeof line) != ASSAY_OK) continue;
        all = check_backend(backend, &of, known, truths, &counted) && all;
    }
    oracle_unmake(&of);
    return all && counted ? 0 : 1;
}
