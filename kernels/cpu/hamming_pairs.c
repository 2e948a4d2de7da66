/* hamming_pairs -- listed pairs of binary templates, on several threads. */
#include <pthread.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/hamming_private.h"
#include "kernels/pairs_private.h"

enum { WORTH_A_THREAD = 256 }; /* pairs */

typedef struct {
    const assay_hamming_path *path;
    const assay_hamming_set *set;
    const assay_place_pair *pairs;
    assay_hamming_score *out;
    assay_hamming_word *rotated; /* [word_count] */
    uint64_t first, end;
    pthread_t thread;
    bool started;
} share;

static assay_hamming_score score_pair(const share *self, assay_place_pair pair) {
    const assay_hamming_set *set = self->set;
    const assay_hamming_word *a = set->words + (size_t)pair.a * set->word_count;
    const assay_hamming_word *b = set->words + (size_t)pair.b * set->word_count;
    int64_t best = -1, best_valid = 1; /* worse than any fraction */
    int32_t best_shift = 0;
    for (uint32_t n = 0; n <= 2 * set->rule.shifts; n++) {
        const int32_t shift = n % 2 == 0 ? (int32_t)(n / 2) : -(int32_t)(n / 2 + 1);
        const assay_hamming_word *moved = b;
        if (shift != 0) {
            assay_hamming_rotate(&set->rule, b, shift, self->rotated);
            moved = self->rotated;
        }
        int64_t agreeing, valid;
        self->path->measure(a, moved, set->word_count, &agreeing, &valid);
        if (valid < set->rule.minimum_valid_bits || agreeing * best_valid <= best * valid) continue;
        best = agreeing;
        best_valid = valid;
        best_shift = shift;
    }
    if (best < 0) return (assay_hamming_score){0};
    const uint32_t agreeing = (uint32_t)best, valid = (uint32_t)best_valid;
    return (assay_hamming_score){.fine = assay_hamming_fine(agreeing, valid),
                                 .coarse = assay_hamming_coarse(agreeing, valid),
                                 .shift = best_shift,
                                 .agreeing = agreeing,
                                 .valid = valid};
}

static void *score_share(void *argument) {
    const share *self = argument;
    for (uint64_t n = self->first; n < self->end; n++) {
        self->out[n] = score_pair(self, self->pairs[n]);
    }
    return NULL;
}

assay_status assay_hamming_score_pairs_on(const assay_hamming_path *path,
                                          const assay_hamming_set *set,
                                          const assay_place_pair *pairs, uint64_t count,
                                          unsigned threads, assay_hamming_score *out) {
    if (threads < 1) threads = 1;
    share *shares = NULL;
    assay_status status = assay_allocate(&shares, threads, sizeof *shares, "threads");
    if (status != ASSAY_OK) return status;
    for (unsigned n = 0; n < threads; n++) {
        status = assay_allocate(&shares[n].rotated, set->word_count, sizeof *shares[n].rotated,
                                "a rotated template");
        if (status != ASSAY_OK) goto out;
    }
    for (unsigned n = 0; n < threads; n++) {
        shares[n].path = path;
        shares[n].set = set;
        shares[n].pairs = pairs;
        shares[n].out = out;
        shares[n].first = count / threads * n;
        shares[n].end = n + 1 == threads ? count : count / threads * (n + 1);
        /* The last share, and any that finds no thread, is done here. */
        if (n + 1 < threads && count >= WORTH_A_THREAD) {
            shares[n].started =
                pthread_create(&shares[n].thread, NULL, score_share, &shares[n]) == 0;
        }
        if (!shares[n].started) score_share(&shares[n]);
    }
out:
    for (unsigned n = 0; n < threads; n++) {
        if (shares[n].started) pthread_join(shares[n].thread, NULL);
        free(shares[n].rotated);
    }
    free(shares);
    return status;
}

assay_status assay_hamming_score_pairs(const assay_hamming_set *set, const assay_place_pair *pairs,
                                       uint64_t count, unsigned threads, assay_hamming_score *out) {
    return assay_hamming_score_pairs_on(assay_hamming_path_best(), set, pairs, count, threads, out);
}

assay_status assay_hamming_score_places(const assay_hamming_set *set, const assay_place_pair *pairs,
                                        uint64_t count, const assay_backend_options *options,
                                        assay_scored_pair *out) {
    enum { AT_A_TIME = 1 << 16 };
    assay_hamming_score *scores = NULL;
    const uint64_t room = count < AT_A_TIME ? count : AT_A_TIME;
    assay_status status = assay_allocate(&scores, (size_t)room, sizeof *scores, "scores");
    for (uint64_t first = 0; status == ASSAY_OK && first < count; first += room) {
        const uint64_t some = count - first < room ? count - first : room;
        status = assay_hamming_score_pairs(set, pairs + first, some, options->threads, scores);
        for (uint64_t n = 0; status == ASSAY_OK && n < some; n++) {
            out[first + n] = scored_pair_of(pairs[first + n], scores[n]);
        }
    }
    free(scores);
    return status;
}
