/* compare_tiles -- all tiles of the plan, a stretch at a time, with a sealed segment of each
 * stretch where checkpoints are asked for; a comparison that was cut short goes on behind its last
 * segment. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "datasets/base/memory.h"
#include "harness/compare_private.h"
#include "harness/segments.h"

#define SEGMENT "tiles"
enum { FIRST_STRETCH = 64 }; /* tiles, before the speed is known */

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- a segment is a tally under another name ---- */

/* count pairs of the tail, in the order of a tail, become comparisons where they lie. */
static assay_comparison *as_comparisons(assay_scored_pair *pairs, uint64_t count) {
    for (uint64_t n = 0; n < count; n++) {
        const assay_comparison to = {
            .fine = pairs[n].fine, .coarse = pairs[n].coarse, .i = pairs[n].a, .j = pairs[n].b};
        memcpy(&pairs[n], &to, sizeof to);
    }
    return (assay_comparison *)pairs;
}

static void as_pairs(assay_comparison *from, uint64_t count) {
    for (uint64_t n = 0; n < count; n++) {
        const assay_scored_pair to = {
            .fine = from[n].fine, .coarse = from[n].coarse, .a = from[n].i, .b = from[n].j};
        memcpy(&from[n], &to, sizeof to);
    }
}

/* Moves the pairs of tiles first … end - 1 to the front, and returns how many they are. */
static uint64_t part_tail(const comparison *work, uint64_t first, uint64_t end) {
    assay_scored_pair *tail = work->tally.tail;
    uint64_t front = 0;
    for (uint64_t n = 0; n < work->tally.tail_count; n++) {
        const uint64_t tile = assay_compare_tile_of(work, tail[n].a, tail[n].b);
        if (tile < first || tile >= end) continue;
        const assay_scored_pair moved = tail[n];
        tail[n] = tail[front];
        tail[front++] = moved;
    }
    return front;
}

static void sort_tail(assay_scored_pair *tail, uint64_t count) {
    int64_t floor = INT64_MIN;
    assay_tail_cut(tail, count, UINT64_MAX, INT64_MAX, &floor);
}

/* counters has the range's, the tail is that of all ranges so far: what of it is the range's is
 * written from where it lies, since two of them might not fit memory. */
static assay_status write_segment(comparison *work, const assay_digest *plan_digest, uint64_t first,
                                  uint64_t end, const assay_tally *counters) {
    const assay_tally *tally = counters;
    const uint64_t count = part_tail(work, first, end);
    char *path = NULL;
    assay_partial partial = {.plan_digest = *plan_digest,
                             .first_tile = first,
                             .end_tile = end,
                             .non_mated = tally->non_mated,
                             .same_subject = tally->same_subject,
                             .other_side = tally->other_side,
                             .histogram_pairs = tally->histogram_pairs,
                             .histogram = tally->histogram,
                             .histogram_length = tally->histogram_length,
                             .tail_floor = work->tally.tail_floor,
                             .tail_count = count,
                             .failed_count = tally->failed_count};
    assay_status status = assay_allocate(&partial.failed, (size_t)tally->failed_count,
                                         sizeof *partial.failed, "a segment's failed pairs");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < tally->failed_count; n++) {
        partial.failed[n] = (assay_row_pair){tally->failed[n].a, tally->failed[n].b};
    }
    sort_tail(work->tally.tail, count);
    partial.tail = as_comparisons(work->tally.tail, count);
    status = assay_segments_path(work->out_path, SEGMENT, first, end, &path);
    if (status == ASSAY_OK) status = assay_partial_write(path, &partial);
    free(path);
    as_pairs(partial.tail, count);
    sort_tail(work->tally.tail, work->tally.tail_count);
    free(partial.failed);
    return status;
}

static uint64_t pairs_done(const assay_tally *tally) {
    return tally->non_mated + tally->same_subject + tally->other_side + tally->failed_count;
}

/* Every pair of tiles first … end - 1 is in exactly one counter: asked before a segment is sealed
 * and when one is read. */
static assay_status check_sum(const comparison *work, uint64_t first, uint64_t end,
                              const assay_tally *counters) {
    const uint64_t expected = assay_compare_tile_pairs(work, first, end);
    if (pairs_done(counters) == expected) return ASSAY_OK;
    return assay_fail(ASSAY_DISAGREES,
                      "tiles %" PRIu64 " to %" PRIu64 ": the counters add up to %" PRIu64
                      " pairs, expected %" PRIu64,
                      first, end, pairs_done(counters), expected);
}

static assay_status check_place(const comparison *work, uint32_t place) {
    if (place < work->plan.count) return ASSAY_OK;
    return assay_fail(ASSAY_FAILED, "a segment names place %u; expected below %" PRIu64, place,
                      work->plan.count);
}

static assay_status take_segment(comparison *work, assay_partial *partial) {
    assay_tally tally = {.non_mated = partial->non_mated,
                         .same_subject = partial->same_subject,
                         .other_side = partial->other_side,
                         .histogram_pairs = partial->histogram_pairs,
                         .histogram = partial->histogram,
                         .histogram_length = partial->histogram_length,
                         .tail_floor = partial->tail_floor,
                         .tail_count = partial->tail_count,
                         .failed_count = partial->failed_count};
    assay_status status = assay_allocate(&tally.failed, (size_t)partial->failed_count,
                                         sizeof *tally.failed, "a segment's failed pairs");
    for (uint64_t n = 0; status == ASSAY_OK && n < partial->failed_count; n++) {
        const assay_row_pair *from = &partial->failed[n];
        status = check_place(work, from->j);
        tally.failed[n] = (assay_failed_pair){.a = from->i, .b = from->j};
    }
    for (uint64_t n = 0; status == ASSAY_OK && n < partial->tail_count; n++) {
        const assay_comparison *from = &partial->tail[n];
        status = check_place(work, from->i > from->j ? from->i : from->j);
    }
    if (status == ASSAY_OK)
        status = check_sum(work, partial->first_tile, partial->end_tile, &tally);
    if (status == ASSAY_OK) {
        tally.tail = (assay_scored_pair *)partial->tail;
        as_pairs(partial->tail, partial->tail_count);
        status = assay_tally_merge(&work->pairs, &work->tally, &tally);
    }
    free(tally.failed);
    return status;
}

/* ---- what is there already ---- */

typedef struct {
    comparison *work;
    const assay_digest *plan_digest;
    uint64_t next_tile;
} resuming;

/* Merges a segment that follows the ones before it from tile 0 on, and belongs to this plan; any
 * other (of another plan, damaged, out of order) is left aside and its tiles are done again. */
static assay_status resume_segment(void *context, const char *path) {
    resuming *at = context;
    assay_partial partial = {0};
    assay_status status = ASSAY_OK;
    if (assay_partial_read(path, &partial) != ASSAY_OK) {
        assay_progress_note(at->work->progress, "segment left aside: %s", assay_error_text());
        return ASSAY_OK;
    }
    if (assay_digest_equal(&partial.plan_digest, at->plan_digest) &&
        partial.first_tile == at->next_tile) {
        status = take_segment(at->work, &partial);
        at->next_tile = partial.end_tile;
    }
    assay_partial_free(&partial);
    return status;
}

static assay_status resume(comparison *work, const assay_digest *plan_digest, uint64_t *next_tile) {
    resuming at = {work, plan_digest, 0};
    const assay_status status = assay_segments_walk(work->out_path, SEGMENT, resume_segment, &at);
    *next_tile = at.next_tile;
    return status;
}

void assay_compare_drop_segments(const char *evidence_path) {
    assay_segments_drop(evidence_path);
}

/* ---- the stretches ---- */

/* Tiles that fill the time between two checkpoints, by the speed of the last stretch; growing
 * slowly, since the first tiles pay for threads and an empty floor. */
static uint64_t next_stretch(uint64_t tiles, double seconds, unsigned checkpoint_seconds) {
    const double wanted = (double)tiles / (seconds > 1e-3 ? seconds : 1e-3) * checkpoint_seconds;
    const double most = (double)tiles * 16;
    const double chosen = wanted < most ? wanted : most;
    return chosen < 1 ? 1 : (uint64_t)chosen;
}

/* Moves the scored pairs that failed to compare out of the tail, which holds *count. */
static assay_status part_failed(assay_tally *tally, uint64_t *count) {
    uint64_t failed = 0, kept = 0;
    for (uint64_t n = 0; n < *count; n++) failed += tally->tail[n].fine == ASSAY_FINE_NONE;
    const assay_status status =
        assay_allocate(&tally->failed, (size_t)failed, sizeof *tally->failed, "pairs that failed");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < *count; n++) {
        const assay_scored_pair *pair = &tally->tail[n];
        if (pair->fine == ASSAY_FINE_NONE) {
            tally->failed[tally->failed_count++] = (assay_failed_pair){.a = pair->a, .b = pair->b};
        } else {
            tally->tail[kept++] = *pair;
        }
    }
    assay_failed_sort(tally->failed, tally->failed_count);
    *count = kept;
    return ASSAY_OK;
}

/* Pair lists have no tiles: every listed non-mated pair is scored by itself. */
static assay_status score_listed(comparison *work) {
    const assay_protocol *protocol = work->options->protocol;
    assay_place_pair *places = NULL;
    assay_tally *tally = &work->tally;
    assay_status status =
        assay_allocate(&places, (size_t)protocol->pair_count, sizeof *places, "listed pairs");
    if (status != ASSAY_OK) return status;
    uint64_t count = 0;
    for (uint64_t n = 0; n < protocol->pair_count; n++) {
        const uint32_t a = work->plan.place[protocol->pairs[n].i];
        const uint32_t b = work->plan.place[protocol->pairs[n].j];
        if (a == UINT32_MAX || b == UINT32_MAX) continue;
        if (work->plan.subject[a] == work->plan.subject[b]) continue;
        places[count++] = (assay_place_pair){.a = a < b ? a : b, .b = a < b ? b : a};
    }
    free(tally->tail);
    tally->tail = NULL;
    status = assay_allocate(&tally->tail, (size_t)count, sizeof *tally->tail, "listed scores");
    if (status != ASSAY_OK) goto out;
    status = assay_compare_score(work, places, count, tally->tail);
    if (status == ASSAY_OK) status = part_failed(tally, &count);
    if (status != ASSAY_OK) goto out;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(work->comparator, &lowest, &shift, &bins);
    for (uint64_t n = 0; n < count && tally->histogram_length > 0; n++) {
        const uint32_t x = work->plan.group[tally->tail[n].a];
        const uint32_t y = work->plan.group[tally->tail[n].b];
        const uint64_t index =
            assay_histogram_index(work->plan.combination_count, x < y ? x : y, x < y ? y : x);
        tally->histogram[index * bins + ((uint32_t)(tally->tail[n].coarse - lowest) >> shift)]++;
        tally->histogram_pairs++;
    }
    tally->non_mated = count;
    tally->rescored = count;
    tally->tail_count = assay_tail_cut(tally->tail, count, work->pairs.tail_limit,
                                       work->pairs.required_fine, &tally->tail_floor);
out:
    free(places);
    return status;
}

static assay_status start_tally(comparison *work) {
    assay_tally *tally = &work->tally;
    tally->tail_floor = INT64_MIN;
    if (work->pairs.bins_mode != ASSAY_BINS_NONE) {
        tally->histogram_length =
            assay_histogram_count(work->plan.combination_count) * ASSAY_COARSE_BINS;
    }
    return assay_allocate(&tally->histogram, (size_t)tally->histogram_length,
                          sizeof *tally->histogram, "histograms");
}

/* Tiles done since the last segment: their counters. Their tail is with that of all the others. */
typedef struct {
    uint64_t first, end;
    assay_tally counters;
    double seconds;
} pending_tiles;

static assay_status add_counters(const comparison *work, pending_tiles *pending,
                                 assay_tally *from) {
    if (pending->end > pending->first) {
        return assay_tally_merge(&work->pairs, &pending->counters, from);
    }
    assay_tally_free(&pending->counters);
    pending->counters = *from;
    *from = (assay_tally){0};
    return ASSAY_OK;
}

/* Whether the backend goes on from the tail that is there, and gives it back with what it added. */
static bool goes_on(const comparison *work) {
    return work->backend->bands && work->pairs.bits == NULL;
}

/* Takes the tail of a stretch: it holds what was there before where the backend goes on from it. */
static assay_status take_tail(comparison *work, assay_tally *stretch) {
    assay_tally *all = &work->tally;
    const assay_tally from = {.tail = stretch->tail,
                              .tail_count = stretch->tail_count,
                              .tail_floor = stretch->tail_floor};
    stretch->tail = NULL;
    stretch->tail_count = 0;
    stretch->tail_floor = INT64_MIN;
    if (goes_on(work)) {
        all->tail = from.tail;
        all->tail_count = from.tail_count;
        all->tail_floor = from.tail_floor;
        return ASSAY_OK;
    }
    assay_tally both = {
        .tail = all->tail, .tail_count = all->tail_count, .tail_floor = all->tail_floor};
    const assay_status status = assay_tally_merge(&work->pairs, &both, &from);
    all->tail = both.tail;
    all->tail_count = both.tail_count;
    all->tail_floor = both.tail_floor;
    free(from.tail);
    return status;
}

/* Tiles pending->end … end - 1, all of the part whose plan this is. */
static assay_status run_stretch(comparison *work, const assay_all_pairs *plan, uint64_t part_first,
                                uint64_t end, pending_tiles *pending) {
    const double start = seconds_now();
    assay_tally stretch = {0};
    assay_backend_options options = {
        .threads = work->threads,
        .memory_limit = work->memory_limit,
        .progress = work->progress,
        .progress_done = pairs_done(&work->tally) + pairs_done(&pending->counters),
        .progress_total = assay_pair_count(work->plan.count),
        .known_floor = work->tally.tail_floor,
    };
    if (goes_on(work)) {
        options.prior = work->tally.tail;
        options.prior_count = work->tally.tail_count;
        work->tally.tail = NULL;
        work->tally.tail_count = 0;
    }
    assay_status status = assay_compare_run(work->backend, plan, pending->end - part_first,
                                            end - part_first, &options, &stretch);
    if (status != ASSAY_OK) return status;
    status = take_tail(work, &stretch);
    if (status == ASSAY_OK) status = add_counters(work, pending, &stretch);
    assay_tally_free(&stretch);
    pending->end = end;
    pending->seconds += seconds_now() - start;
    return status;
}

static assay_status merge_pending(comparison *work, pending_tiles *pending) {
    pending->counters.tail_floor = work->tally.tail_floor;
    const assay_status status = assay_tally_merge(&work->pairs, &work->tally, &pending->counters);
    assay_tally_free(&pending->counters);
    *pending = (pending_tiles){.first = pending->end, .end = pending->end};
    return status;
}

static assay_status seal_pending(comparison *work, const assay_digest *plan_digest,
                                 pending_tiles *pending) {
    assay_status status = check_sum(work, pending->first, pending->end, &pending->counters);
    if (status == ASSAY_OK)
        status =
            write_segment(work, plan_digest, pending->first, pending->end, &pending->counters);
    return status == ASSAY_OK ? merge_pending(work, pending) : status;
}

/* What segments belong to, and how many tiles the next stretch has. */
typedef struct {
    const assay_digest *plan_digest;
    uint64_t stretch;
} checkpoints;

static assay_status run_part(comparison *work, uint64_t part, checkpoints *to,
                             pending_tiles *pending) {
    const unsigned checkpoint = work->options->checkpoint_seconds;
    const uint64_t fixed = work->options->checkpoint_tiles;
    const uint64_t first = work->part_first[part], last = work->part_first[part + 1];
    const uint64_t tiles = work->part_first[assay_compare_part_count(work)];
    assay_all_pairs plan;
    assay_status status = assay_compare_load_part(work, part, &plan);
    while (status == ASSAY_OK && pending->end < last) {
        const uint64_t start = pending->end;
        const double before = pending->seconds;
        const uint64_t end = last - start < to->stretch ? last : start + to->stretch;
        status = run_stretch(work, &plan, first, end, pending);
        if (status != ASSAY_OK || pending->end == tiles) break;
        if (fixed == 0 && checkpoint > 0) {
            to->stretch = next_stretch(pending->end - start, pending->seconds - before, checkpoint);
        }
        if (fixed > 0 || (checkpoint > 0 && pending->seconds >= 0.9 * checkpoint)) {
            status = seal_pending(work, to->plan_digest, pending);
        }
    }
    return status == ASSAY_OK ? assay_compare_check_part(work, part, &plan) : status;
}

static assay_status run_parts(comparison *work, const assay_digest *plan_digest, uint64_t first) {
    const uint64_t fixed = work->options->checkpoint_tiles;
    const uint64_t parts = assay_compare_part_count(work);
    checkpoints to = {.plan_digest = plan_digest,
                      .stretch = fixed > 0                               ? fixed
                                 : work->options->checkpoint_seconds > 0 ? FIRST_STRETCH
                                                                         : UINT64_MAX};
    pending_tiles pending = {.first = first, .end = first};
    assay_status status = ASSAY_OK;
    for (uint64_t part = 0; status == ASSAY_OK && part < parts; part++) {
        if (work->part_first[part + 1] > pending.end) status = run_part(work, part, &to, &pending);
    }
    if (status == ASSAY_OK && pending.end > pending.first) status = merge_pending(work, &pending);
    if (status == ASSAY_OK) status = check_sum(work, 0, work->part_first[parts], &work->tally);
    assay_tally_free(&pending.counters);
    return status;
}

assay_status assay_compare_tiles(comparison *work) {
    assay_digest plan_digest;
    uint64_t first = 0;
    assay_status status = start_tally(work);
    if (status != ASSAY_OK) return status;
    if (work->options->protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) return score_listed(work);
    status = assay_plan_digest(&work->plan, &work->head->digest, work->options->protocol,
                               work->comparator_text, work->band, &plan_digest);
    if (status != ASSAY_OK) return status;
    if (work->options->checkpoint_seconds > 0 || work->options->checkpoint_tiles > 0) {
        status = resume(work, &plan_digest, &first);
        if (status != ASSAY_OK) return status;
        work->resumed_tiles = first;
        if (first > 0) {
            assay_progress_note(work->progress, "going on at tile %" PRIu64 " of %" PRIu64, first,
                                work->part_first[assay_compare_part_count(work)]);
        }
    }
    return run_parts(work, &plan_digest, first);
}
