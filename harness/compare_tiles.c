/* compare_tiles -- all tiles of the plan, a stretch at a time, with a sealed segment of each
 * stretch where checkpoints are asked for; a comparison that was cut short goes on behind its last
 * segment. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/compare_private.h"

enum { FIRST_STRETCH = 64 }; /* tiles, before the speed is known */

static assay_status segment_folder(const comparison *work, char **out) {
    assay_text path = {0};
    assay_text_appendf(&path, "%s.parts", work->out_path);
    const assay_status status = assay_text_status(&path);
    if (status != ASSAY_OK) {
        assay_text_free(&path);
        return status;
    }
    *out = path.bytes;
    return ASSAY_OK;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- a segment is a tally under another name ---- */

static assay_status write_segment(const char *folder, const assay_digest *plan_digest,
                                  uint64_t first, uint64_t end, const assay_tally *tally) {
    assay_text path = {0};
    assay_partial partial = {.plan_digest = *plan_digest,
                             .first_tile = first,
                             .end_tile = end,
                             .non_mated = tally->non_mated,
                             .same_subject = tally->same_subject,
                             .other_side = tally->other_side,
                             .histogram_pairs = tally->histogram_pairs,
                             .histogram = tally->histogram,
                             .histogram_length = tally->histogram_length,
                             .tail_floor = tally->tail_floor,
                             .tail_count = tally->tail_count};
    assay_status status = assay_allocate(&partial.tail, (size_t)tally->tail_count,
                                         sizeof *partial.tail, "a segment's tail");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < tally->tail_count; n++) {
        partial.tail[n] = (assay_comparison){.fine = tally->tail[n].fine,
                                             .coarse = tally->tail[n].coarse,
                                             .i = tally->tail[n].a,
                                             .j = tally->tail[n].b};
    }
    assay_text_appendf(&path, "%s/tiles-%012" PRIu64 "-%012" PRIu64 ".h5", folder, first, end);
    status = assay_text_status(&path);
    if (status == ASSAY_OK) status = assay_make_directories(folder);
    if (status == ASSAY_OK) status = assay_partial_write(path.bytes, &partial);
    assay_text_free(&path);
    free(partial.tail);
    return status;
}

static assay_status take_segment(comparison *work, const assay_partial *partial) {
    assay_tally tally = {.non_mated = partial->non_mated,
                         .same_subject = partial->same_subject,
                         .other_side = partial->other_side,
                         .histogram_pairs = partial->histogram_pairs,
                         .histogram = partial->histogram,
                         .histogram_length = partial->histogram_length,
                         .tail_floor = partial->tail_floor,
                         .tail_count = partial->tail_count};
    assay_status status = assay_allocate(&tally.tail, (size_t)partial->tail_count,
                                         sizeof *tally.tail, "a segment's tail");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < partial->tail_count; n++) {
        const assay_comparison *from = &partial->tail[n];
        if (from->i >= work->plan.count || from->j >= work->plan.count) {
            status = assay_fail(ASSAY_FAILED, "a segment names place %u; expected below %" PRIu64,
                                from->i > from->j ? from->i : from->j, work->plan.count);
            goto out;
        }
        tally.tail[n] = (assay_scored_pair){
            .fine = from->fine, .coarse = from->coarse, .a = from->i, .b = from->j};
    }
    status = assay_tally_merge(&work->pairs, &work->tally, &tally);
out:
    free(tally.tail);
    return status;
}

/* ---- what is there already ---- */

static int is_segment(const struct dirent *entry) {
    const size_t length = strlen(entry->d_name);
    return strncmp(entry->d_name, "tiles-", 6) == 0 && length > 3 &&
           strcmp(entry->d_name + length - 3, ".h5") == 0;
}

/* Merges the segments of folder that follow one another from tile 0 on, and belong to this plan;
 * any that do not (another plan, damaged, out of order) are left aside and their tiles done again.
 */
static assay_status resume(comparison *work, const char *folder, const assay_digest *plan_digest,
                           uint64_t *next_tile) {
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_segment, alphasort);
    assay_status status = ASSAY_OK;
    for (int n = 0; n < count; n++) {
        char *path = NULL;
        assay_partial partial = {0};
        if (status == ASSAY_OK) status = assay_path_join(&path, folder, entries[n]->d_name);
        if (status == ASSAY_OK) {
            if (assay_partial_read(path, &partial) != ASSAY_OK) {
                assay_progress_note(work->progress, "segment left aside: %s", assay_error_text());
            } else if (assay_digest_equal(&partial.plan_digest, plan_digest) &&
                       partial.first_tile == *next_tile) {
                status = take_segment(work, &partial);
                *next_tile = partial.end_tile;
            }
            assay_partial_free(&partial);
        }
        free(path);
        free(entries[n]);
    }
    free(entries);
    return status;
}

/* A segment, its seal, what of either is half written, their ledger. */
static bool is_of_segments(const char *name) {
    const char *bare = name[0] == '.' ? name + 1 : name;
    return strncmp(bare, "tiles-", 6) == 0 || strcmp(name, "assay-ledger.jsonl") == 0;
}

void assay_compare_drop_segments(const comparison *work) {
    char *folder = NULL;
    if (segment_folder(work, &folder) != ASSAY_OK) return;
    DIR *directory = opendir(folder);
    if (directory != NULL) {
        for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
            if (is_of_segments(entry->d_name)) unlinkat(dirfd(directory), entry->d_name, 0);
        }
        closedir(directory);
        rmdir(folder);
    }
    free(folder);
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

static uint64_t pairs_done(const assay_tally *tally) {
    return tally->non_mated + tally->same_subject + tally->other_side;
}

/* Pair lists have no tiles: every listed non-mated pair is scored by itself. */
static assay_status score_listed(comparison *work) {
    const assay_protocol *protocol = work->options->protocol;
    const assay_backend_options options = {.threads = work->threads};
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
    status = work->backend->score_pairs(&work->set, places, count, &options, tally->tail);
    if (status != ASSAY_OK) goto out;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(work->comparator, &lowest, &shift, &bins);
    for (uint64_t n = 0; n < count && tally->histogram_length > 0; n++) {
        const uint32_t x = work->plan.group[places[n].a], y = work->plan.group[places[n].b];
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

/* Tiles done since the last segment. */
typedef struct {
    uint64_t first, end;
    assay_tally tally;
    double seconds;
} pending_tiles;

/* Tiles pending->end … end - 1. */
static assay_status run_stretch(comparison *work, const pending_tiles *pending, uint64_t end,
                                assay_tally *out) {
    const bool any = pending->end > pending->first;
    const int64_t pending_floor = any ? pending->tally.tail_floor : INT64_MIN;
    const assay_backend_options options = {
        .threads = work->threads,
        .memory_limit = work->memory_limit,
        .progress = work->progress,
        .progress_done = pairs_done(&work->tally) + pairs_done(&pending->tally),
        .progress_total = assay_pair_count(work->plan.count),
        .known_floor =
            pending_floor > work->tally.tail_floor ? pending_floor : work->tally.tail_floor,
    };
    return work->backend->all_pairs(&work->pairs, pending->end, end, &options, out);
}

static assay_status add_stretch(comparison *work, uint64_t end, pending_tiles *pending) {
    assay_tally tally = {0};
    const double start = seconds_now();
    assay_status status = run_stretch(work, pending, end, &tally);
    if (status != ASSAY_OK) return status;
    if (pending->end == pending->first) {
        assay_tally_free(&pending->tally);
        pending->tally = tally;
    } else {
        status = assay_tally_merge(&work->pairs, &pending->tally, &tally);
        assay_tally_free(&tally);
    }
    pending->end = end;
    pending->seconds += seconds_now() - start;
    return status;
}

static assay_status merge_pending(comparison *work, pending_tiles *pending) {
    const assay_status status = assay_tally_merge(&work->pairs, &work->tally, &pending->tally);
    assay_tally_free(&pending->tally);
    *pending = (pending_tiles){.first = pending->end, .end = pending->end};
    return status;
}

static assay_status seal_pending(comparison *work, const char *folder,
                                 const assay_digest *plan_digest, pending_tiles *pending) {
    const assay_status status =
        write_segment(folder, plan_digest, pending->first, pending->end, &pending->tally);
    return status == ASSAY_OK ? merge_pending(work, pending) : status;
}

static assay_status run_stretches(comparison *work, const char *folder,
                                  const assay_digest *plan_digest, uint64_t first) {
    const unsigned checkpoint = work->options->checkpoint_seconds;
    const uint64_t fixed = work->options->checkpoint_tiles;
    const uint64_t tiles = assay_tile_count(work->plan.count);
    uint64_t stretch = fixed > 0 ? fixed : checkpoint > 0 ? FIRST_STRETCH : tiles;
    pending_tiles pending = {.first = first, .end = first};
    assay_status status = ASSAY_OK;
    while (status == ASSAY_OK && pending.end < tiles) {
        const uint64_t start = pending.end;
        const double before = pending.seconds;
        status = add_stretch(work, tiles - start < stretch ? tiles : start + stretch, &pending);
        if (status != ASSAY_OK || pending.end == tiles) break;
        if (fixed == 0 && checkpoint > 0) {
            stretch = next_stretch(pending.end - start, pending.seconds - before, checkpoint);
        }
        if (fixed > 0 || pending.seconds >= 0.9 * checkpoint) {
            status = seal_pending(work, folder, plan_digest, &pending);
        }
    }
    if (status == ASSAY_OK && pending.end > pending.first) status = merge_pending(work, &pending);
    assay_tally_free(&pending.tally);
    return status;
}

assay_status assay_compare_tiles(comparison *work) {
    char *folder = NULL;
    assay_digest plan_digest;
    uint64_t first = 0;
    assay_status status = start_tally(work);
    if (status != ASSAY_OK) return status;
    if (work->options->protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) return score_listed(work);
    status = segment_folder(work, &folder);
    if (status != ASSAY_OK) return status;
    status = assay_plan_digest(&work->plan, &work->head->digest, work->options->protocol,
                               assay_comparator_name(work->comparator), &plan_digest);
    if (status != ASSAY_OK) goto out;
    if (work->options->checkpoint_seconds > 0 || work->options->checkpoint_tiles > 0) {
        status = resume(work, folder, &plan_digest, &first);
        if (status != ASSAY_OK) goto out;
        work->resumed_tiles = first;
        if (first > 0) {
            assay_progress_note(work->progress, "going on at tile %" PRIu64 " of %" PRIu64, first,
                                assay_tile_count(work->plan.count));
        }
    }
    status = run_stretches(work, folder, &plan_digest, first);
out:
    free(folder);
    return status;
}
