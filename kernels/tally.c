/* tally -- what a range of tiles gives, its merge, the tail's rule and the geometry of tiles. */
#include <string.h>

#include <Random123/philox.h>

#include "datasets/base/memory.h"
#include "kernels/backend.h"

/* ---- tiles ---- */

static uint64_t strips_of(uint64_t count) {
    return (count + ASSAY_TILE_EDGE - 1) / ASSAY_TILE_EDGE;
}

uint64_t assay_tile_count(uint64_t template_count) {
    const uint64_t strips = strips_of(template_count);
    return strips % 2 == 0 ? strips / 2 * (strips + 1) : (strips + 1) / 2 * strips;
}

/* Tiles before row r of the triangle: r * strips - r (r - 1) / 2. */
static uint64_t tiles_before(uint64_t strips, uint64_t row) {
    return row * strips - (row % 2 == 0 ? row / 2 * (row - (row > 0)) : (row - 1) / 2 * row);
}

void assay_tile_place(uint64_t template_count, uint64_t tile, uint64_t *out_row,
                      uint64_t *out_column) {
    const uint64_t strips = strips_of(template_count);
    uint64_t low = 0, high = strips; /* tiles_before(low) <= tile < tiles_before(high) */
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (tiles_before(strips, middle) <= tile) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *out_row = low;
    *out_column = low + (tile - tiles_before(strips, low));
}

bool assay_block_chosen(const assay_all_pairs *plan, uint64_t row, uint64_t column) {
    if (plan->bins_mode == ASSAY_BINS_FULL) return true;
    if (plan->bins_mode == ASSAY_BINS_NONE) return false;
    const philox4x32_ctr_t counter = {
        {(uint32_t)row, (uint32_t)(row >> 32), (uint32_t)column, (uint32_t)(column >> 32)}};
    const philox4x32_key_t key = {{(uint32_t)plan->bins_seed, (uint32_t)(plan->bins_seed >> 32)}};
    const philox4x32_ctr_t drawn = philox4x32(counter, key);
    return (double)drawn.v[0] < plan->bins_fraction * 4294967296.0;
}

/* ---- the tail ---- */

static int by_score_and_place(const void *left, const void *right) {
    const assay_scored_pair *x = left, *y = right;
    if (x->fine != y->fine) return x->fine > y->fine ? -1 : 1;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    if (x->b != y->b) return x->b < y->b ? -1 : 1;
    return 0;
}

enum { BUCKETS = 1 << 15, WORTH_BUCKETS = 1 << 16 };

/* Bucket of a score, best first: equal steps between the best and the worst. */
static size_t bucket_of(int64_t fine, int64_t best, unsigned shift) {
    return (size_t)((uint64_t)(best - fine) >> shift);
}

/* Sorts by scattering into buckets of equal width of score and sorting each: a tail's scores crowd
 * at its floor, but thinly over so many buckets. false, and nothing done, where there is no memory
 * for a copy. */
static bool sort_by_buckets(assay_scored_pair *pairs, uint64_t count) {
    int64_t best = pairs[0].fine, worst = pairs[0].fine;
    for (uint64_t n = 1; n < count; n++) {
        if (pairs[n].fine > best) best = pairs[n].fine;
        if (pairs[n].fine < worst) worst = pairs[n].fine;
    }
    unsigned shift = 0;
    while ((uint64_t)(best - worst) >> shift >= BUCKETS) shift++;
    uint64_t *starts = calloc(BUCKETS + 1, sizeof *starts);
    assay_scored_pair *copy = malloc((size_t)count * sizeof *copy);
    const bool room = starts != NULL && copy != NULL;
    if (room) {
        for (uint64_t n = 0; n < count; n++) starts[bucket_of(pairs[n].fine, best, shift) + 1]++;
        for (size_t b = 0; b < BUCKETS; b++) starts[b + 1] += starts[b];
        memcpy(copy, pairs, (size_t)count * sizeof *copy);
        for (uint64_t n = 0; n < count; n++) {
            pairs[starts[bucket_of(copy[n].fine, best, shift)]++] = copy[n];
        }
    }
    free(copy);
    /* Scattering moved each start to its bucket's end. */
    for (size_t b = 0; room && b < BUCKETS; b++) {
        const uint64_t first = b == 0 ? 0 : starts[b - 1];
        const uint64_t size = starts[b] - first;
        if (size > 1) qsort(pairs + first, (size_t)size, sizeof *pairs, by_score_and_place);
    }
    free(starts);
    return room;
}

static void sort_pairs(assay_scored_pair *pairs, uint64_t count) {
    if (count >= WORTH_BUCKETS && sort_by_buckets(pairs, count)) return;
    if (count > 0) qsort(pairs, (size_t)count, sizeof *pairs, by_score_and_place);
}

uint64_t assay_tail_cut(assay_scored_pair *pairs, uint64_t count, uint64_t limit, int64_t required,
                        int64_t *floor) {
    sort_pairs(pairs, count);
    while (count > 0 && pairs[count - 1].fine <= *floor) count--;
    if (count <= limit) return count;
    /* The pair at `limit` must go, and with it everything tied to it, unless it is required. */
    int64_t refused = pairs[limit].fine;
    if (refused >= required) refused = required - 1;
    uint64_t kept = count;
    while (kept > 0 && pairs[kept - 1].fine <= refused) kept--;
    *floor = refused;
    return kept;
}

void assay_tally_free(assay_tally *tally) {
    if (tally == NULL) return;
    free(tally->histogram);
    free(tally->tail);
    *tally = (assay_tally){0};
}

assay_status assay_tally_merge(const assay_all_pairs *plan, assay_tally *into,
                               const assay_tally *from) {
    if (into->histogram_length != from->histogram_length) {
        return assay_fail(
            ASSAY_FAILED, "cannot merge tallies of %llu and %llu counters; expected one plan",
            (unsigned long long)into->histogram_length, (unsigned long long)from->histogram_length);
    }
    assay_scored_pair *tail = NULL;
    const uint64_t count = into->tail_count + from->tail_count;
    assay_status status = assay_allocate(&tail, (size_t)count, sizeof *tail, "the merged tail");
    if (status != ASSAY_OK) return status;
    if (into->tail_count > 0) memcpy(tail, into->tail, into->tail_count * sizeof *tail);
    if (from->tail_count > 0) {
        memcpy(tail + into->tail_count, from->tail, from->tail_count * sizeof *tail);
    }
    free(into->tail);
    into->tail = tail;
    if (from->tail_floor > into->tail_floor) into->tail_floor = from->tail_floor;
    into->tail_count =
        assay_tail_cut(tail, count, plan->tail_limit, plan->required_fine, &into->tail_floor);
    for (uint64_t n = 0; n < into->histogram_length; n++) into->histogram[n] += from->histogram[n];
    into->non_mated += from->non_mated;
    into->same_subject += from->same_subject;
    into->other_side += from->other_side;
    into->histogram_pairs += from->histogram_pairs;
    into->rescored += from->rescored;
    into->redone += from->redone;
    return ASSAY_OK;
}
