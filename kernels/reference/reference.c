/* reference -- the backend that is the definition: every pair by itself, every fine score kept,
 * then sorted and cut. Slow and large on purpose; other backends are judged by it. */
#include <inttypes.h>
#include <stdio.h>

#include "datasets/base/memory.h"
#include "kernels/pairs_private.h"

static assay_status probe(char *out_line, size_t size) {
    snprintf(out_line, size, "every fine score, one at a time (the definition; slow)");
    return ASSAY_OK;
}

static uint64_t memory(const assay_all_pairs *plan, unsigned threads) {
    (void)threads;
    const uint64_t n = plan->templates->count;
    const uint64_t pairs = assay_pair_count(n);
    return pairs * sizeof(assay_scored_pair) * 2 + /* grown by doubling */
           histogram_length_of(plan) * sizeof(uint64_t);
}

/* One pair of different subjects: scores, bin, list. */
static assay_status take_pair(const assay_all_pairs *plan, uint64_t a, uint64_t b,
                              assay_tally *tally, size_t *capacity) {
    const int32_t coarse = assay_coarse(plan->templates, a, b);
    tally->non_mated++;
    if (assay_block_chosen(plan, a / ASSAY_BLOCK_EDGE, b / ASSAY_BLOCK_EDGE)) {
        int32_t lowest;
        uint32_t shift, bins;
        assay_coarse_bins(plan->templates->comparator, &lowest, &shift, &bins);
        const uint64_t index = group_pair_index(plan->group_count, plan->group[a], plan->group[b]);
        tally->histogram[index * bins + ((uint32_t)(coarse - lowest) >> shift)]++;
        tally->histogram_pairs++;
    }
    const assay_status status = assay_reserve(&tally->tail, capacity, tally->tail_count + 1,
                                              sizeof *tally->tail, "all scores");
    if (status != ASSAY_OK) return status;
    tally->tail[tally->tail_count++] =
        (assay_scored_pair){.fine = assay_fine(plan->templates, a, b),
                            .coarse = coarse,
                            .a = (uint32_t)whole_place(plan, a),
                            .b = (uint32_t)whole_place(plan, b)};
    return ASSAY_OK;
}

static assay_status take_tile(const assay_all_pairs *plan, uint64_t tile, assay_tally *tally,
                              size_t *capacity) {
    const uint64_t count = plan->templates->count;
    uint64_t row, column;
    assay_plan_tile_place(plan, tile, &row, &column);
    for (uint64_t a = strip_first(row); a < strip_first(row) + strip_size(count, row); a++) {
        const uint64_t start = row == column ? a + 1 : strip_first(column);
        for (uint64_t b = start; b < strip_first(column) + strip_size(count, column); b++) {
            if (!sides_allow(plan, a, b)) {
                tally->other_side++;
            } else if (plan->subject[a] == plan->subject[b]) {
                tally->same_subject++;
            } else {
                const assay_status status = take_pair(plan, a, b, tally, capacity);
                if (status != ASSAY_OK) return status;
            }
        }
    }
    return ASSAY_OK;
}

static assay_status all_pairs(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                              const assay_backend_options *options, assay_tally *out) {
    assay_tally tally = {.histogram_length = histogram_length_of(plan),
                         .tail = options->prior,
                         .tail_count = options->prior_count,
                         .tail_floor = options->known_floor};
    size_t capacity = (size_t)options->prior_count;
    assay_status status = assay_allocate(&tally.histogram, (size_t)tally.histogram_length,
                                         sizeof *tally.histogram, "histograms");
    if (status != ASSAY_OK) goto out;
    for (uint64_t tile = first; tile < end; tile++) {
        status = take_tile(plan, tile, &tally, &capacity);
        if (status != ASSAY_OK) goto out;
        const uint64_t done = tally.non_mated + tally.same_subject + tally.other_side;
        if (!assay_progress_tell(options->progress, "compare", "pairs",
                                 options->progress_done + done, options->progress_total)) {
            status = assay_fail(ASSAY_FAILED, "interrupted after %" PRIu64 " pairs", done);
            goto out;
        }
    }
    tally.rescored = tally.non_mated;
    tally.tail_count = assay_tail_cut(tally.tail, tally.tail_count, plan->tail_limit,
                                      plan->required_fine, &tally.tail_floor);
    *out = tally;
    tally = (assay_tally){0};
out:
    assay_tally_free(&tally);
    return status;
}

static assay_status score_pairs(const assay_quantised *templates, const assay_place_pair *pairs,
                                uint64_t count, const assay_backend_options *options,
                                assay_scored_pair *out) {
    (void)options;
    for (uint64_t n = 0; n < count; n++) {
        out[n] = (assay_scored_pair){.fine = assay_fine(templates, pairs[n].a, pairs[n].b),
                                     .coarse = assay_coarse(templates, pairs[n].a, pairs[n].b),
                                     .a = (uint32_t)pairs[n].a,
                                     .b = (uint32_t)pairs[n].b};
    }
    return ASSAY_OK;
}

static uint64_t bits_memory(const assay_all_pairs *plan, unsigned threads) {
    (void)threads;
    return assay_pair_count(plan->bits->count) * 2 * sizeof(assay_scored_pair) +
           histogram_length_of(plan) * sizeof(uint64_t);
}

extern const assay_backend assay_backend_reference;
const assay_backend assay_backend_reference = {
    .name = "reference",
    .purpose = "the definition: every fine score, kept and sorted",
    .bands = true,
    .probe = probe,
    .memory = memory,
    .all_pairs = all_pairs,
    .score_pairs = score_pairs,
    .bits_memory = bits_memory,
    .bits_all_pairs = assay_hamming_reference,
    .bits_score_pairs = assay_hamming_reference_places,
};
