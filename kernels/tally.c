/* tally -- what a range of tiles gives, its merge, the tail's rule and the geometry of tiles. */
#include <string.h>

#include <Random123/philox.h>

#include "datasets/base/memory.h"
#include "kernels/pairs_private.h"

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

uint64_t assay_plan_tile_count(const assay_all_pairs *plan) {
    const uint64_t count = plan->templates->count;
    if (plan->cross == 0) return assay_tile_count(count);
    return plan->cross / ASSAY_TILE_EDGE * strips_of(count - plan->cross);
}

void assay_plan_tile_place(const assay_all_pairs *plan, uint64_t tile, uint64_t *out_row,
                           uint64_t *out_column) {
    const uint64_t count = plan->templates->count;
    if (plan->cross == 0) {
        assay_tile_place(count, tile, out_row, out_column);
        return;
    }
    const uint64_t columns = strips_of(count - plan->cross);
    *out_row = tile / columns;
    *out_column = plan->cross / ASSAY_TILE_EDGE + tile % columns;
}

uint64_t assay_plan_tile_of(const assay_all_pairs *plan, uint64_t a, uint64_t b) {
    const uint64_t count = plan->templates->count;
    if (a < plan->origin[0] || b < plan->origin[plan->cross > 0]) return UINT64_MAX;
    a -= plan->origin[0];
    b -= plan->origin[plan->cross > 0];
    if (plan->cross > 0) {
        if (a >= plan->cross || b >= count - plan->cross) return UINT64_MAX;
        return a / ASSAY_TILE_EDGE * strips_of(count - plan->cross) + b / ASSAY_TILE_EDGE;
    }
    if (a >= count || b >= count) return UINT64_MAX;
    const uint64_t row = a / ASSAY_TILE_EDGE;
    return tiles_before(strips_of(count), row) + (b / ASSAY_TILE_EDGE - row);
}

bool assay_block_chosen(const assay_all_pairs *plan, uint64_t row, uint64_t column) {
    if (plan->bins_mode == ASSAY_BINS_FULL) return true;
    if (plan->bins_mode == ASSAY_BINS_NONE) return false;
    row = whole_place(plan, row * ASSAY_BLOCK_EDGE) / ASSAY_BLOCK_EDGE;
    column = whole_place(plan, column * ASSAY_BLOCK_EDGE) / ASSAY_BLOCK_EDGE;
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

/* Sorting in place, bucket by bucket, by two keys: how far the score lies below the best, then the
 * places. */
enum { BUCKET_BITS = 13, BUCKETS = 1 << BUCKET_BITS, WORTH_BUCKETS = 1 << 14 };

static uint64_t key_of(const assay_scored_pair *pair, bool tied) {
    /* The sign bit turned, so that unsigned order is that of the scores, best first. */
    return tied ? (uint64_t)pair->a << 32 | pair->b : ~((uint64_t)pair->fine ^ (uint64_t)1 << 63);
}

typedef struct {
    uint64_t lowest;
    unsigned shift;
    bool tied;
} bucket_rule;

static size_t bucket_of(const bucket_rule *rule, const assay_scored_pair *pair) {
    return (size_t)((key_of(pair, rule->tied) - rule->lowest) >> rule->shift);
}

/* Equal steps between the least and the greatest key; false where they are the same. */
static bool choose_buckets(const assay_scored_pair *pairs, uint64_t count, bucket_rule *rule) {
    uint64_t lowest = UINT64_MAX, highest = 0;
    for (uint64_t n = 0; n < count; n++) {
        const uint64_t key = key_of(&pairs[n], rule->tied);
        if (key < lowest) lowest = key;
        if (key > highest) highest = key;
    }
    rule->lowest = lowest;
    rule->shift = 0;
    while ((highest - lowest) >> rule->shift >= BUCKETS) rule->shift++;
    return highest > lowest;
}

/* Every pair to its bucket, by exchanges; ends[b] is then where bucket b ends. */
static void scatter(assay_scored_pair *pairs, uint64_t count, const bucket_rule *rule,
                    uint64_t *next, uint64_t *ends) {
    for (size_t b = 0; b < BUCKETS; b++) ends[b] = 0;
    for (uint64_t n = 0; n < count; n++) ends[bucket_of(rule, &pairs[n])]++;
    uint64_t start = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        next[b] = start;
        start += ends[b];
        ends[b] = start;
    }
    for (size_t b = 0; b < BUCKETS; b++) {
        while (next[b] < ends[b]) {
            const size_t home = bucket_of(rule, &pairs[next[b]]);
            if (home == b) {
                next[b]++;
                continue;
            }
            const assay_scored_pair moved = pairs[next[home]];
            pairs[next[home]++] = pairs[next[b]];
            pairs[next[b]] = moved;
        }
    }
}

static void sort_pairs(assay_scored_pair *pairs, uint64_t count, bool tied) {
    bucket_rule rule = {.tied = tied};
    if (count < 2) return;
    uint64_t *places = count < WORTH_BUCKETS ? NULL : calloc(BUCKETS, 2 * sizeof *places);
    if (places == NULL) {
        qsort(pairs, (size_t)count, sizeof *pairs, by_score_and_place);
        return;
    }
    if (choose_buckets(pairs, count, &rule)) {
        uint64_t *ends = places + BUCKETS;
        scatter(pairs, count, &rule, places, ends);
        for (size_t b = 0; b < BUCKETS; b++) {
            const uint64_t first = b == 0 ? 0 : ends[b - 1];
            sort_pairs(pairs + first, ends[b] - first, tied);
        }
    } else if (!tied) {
        sort_pairs(pairs, count, true);
    }
    free(places);
}

/* The fine score at rank (0: the best) of pairs[count], rank < count: counted by ever narrower
 * buckets, so that no pair moves. */
static int64_t fine_at_rank(const assay_scored_pair *pairs, uint64_t count, uint64_t rank) {
    uint64_t counts[BUCKETS];
    bucket_rule rule = {0};
    if (!choose_buckets(pairs, count, &rule)) return pairs[0].fine;
    for (;;) {
        memset(counts, 0, sizeof counts);
        for (uint64_t n = 0; n < count; n++) {
            const uint64_t key = key_of(&pairs[n], false);
            if (key < rule.lowest) continue;
            const uint64_t bucket = (key - rule.lowest) >> rule.shift;
            if (bucket < BUCKETS) counts[bucket]++;
        }
        uint64_t bucket = 0;
        while (rank >= counts[bucket]) rank -= counts[bucket++];
        rule.lowest += bucket << rule.shift;
        if (rule.shift == 0) return (int64_t)(~rule.lowest ^ (uint64_t)1 << 63);
        rule.shift = rule.shift > BUCKET_BITS ? rule.shift - BUCKET_BITS : 0;
    }
}

static uint64_t keep_above(assay_scored_pair *pairs, uint64_t count, int64_t floor) {
    uint64_t kept = 0;
    for (uint64_t n = 0; n < count; n++) {
        if (pairs[n].fine > floor) pairs[kept++] = pairs[n];
    }
    return kept;
}

uint64_t assay_tail_trim(assay_scored_pair *pairs, uint64_t count, uint64_t limit, int64_t required,
                         int64_t *floor) {
    count = keep_above(pairs, count, *floor);
    if (count <= limit) return count;
    /* The pair at `limit` must go, and with it everything tied to it, unless it is required. */
    int64_t refused = fine_at_rank(pairs, count, limit);
    if (refused >= required) refused = required - 1;
    *floor = refused;
    return keep_above(pairs, count, refused);
}

uint64_t assay_tail_cut(assay_scored_pair *pairs, uint64_t count, uint64_t limit, int64_t required,
                        int64_t *floor) {
    const uint64_t kept = assay_tail_trim(pairs, count, limit, required, floor);
    sort_pairs(pairs, kept, false);
    return kept;
}

/* ---- pairs that failed to compare ---- */

static int by_place(const void *left, const void *right) {
    const assay_failed_pair *x = left, *y = right;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

void assay_failed_sort(assay_failed_pair *failed, uint64_t count) {
    if (count > 0) qsort(failed, (size_t)count, sizeof *failed, by_place);
}

assay_status assay_failed_check(const assay_all_pairs *plan, uint64_t count) {
    if (count <= plan->tail_cap) return ASSAY_OK;
    return assay_fail(
        ASSAY_USAGE,
        "more than %llu non-mated pairs (the tail's cap) have too few valid bits to be "
        "compared; expected a lower minimum of valid bits or a larger cap",
        (unsigned long long)plan->tail_cap);
}

static assay_status merge_failed(const assay_all_pairs *plan, assay_tally *into,
                                 const assay_tally *from) {
    size_t capacity = (size_t)into->failed_count;
    const uint64_t count = into->failed_count + from->failed_count;
    if (from->failed_count == 0) return ASSAY_OK;
    assay_status status = assay_failed_check(plan, count);
    if (status != ASSAY_OK) return status;
    status = assay_reserve(&into->failed, &capacity, (size_t)count, sizeof *into->failed,
                           "pairs that failed to compare");
    if (status != ASSAY_OK) return status;
    memcpy(into->failed + into->failed_count, from->failed,
           (size_t)from->failed_count * sizeof *into->failed);
    into->failed_count = count;
    assay_failed_sort(into->failed, count);
    return ASSAY_OK;
}

/* ---- tallies ---- */

void assay_tally_free(assay_tally *tally) {
    if (tally == NULL) return;
    free(tally->histogram);
    free(tally->tail);
    free(tally->failed);
    *tally = (assay_tally){0};
}

/* How many of two sorted tails stay together, and the floor that this makes. */
static void cut_both(const assay_all_pairs *plan, const assay_tally *x, const assay_tally *y,
                     int64_t *floor, uint64_t *keep_x, uint64_t *keep_y) {
    uint64_t at_x = 0, at_y = 0;
    while (at_x + at_y < plan->tail_limit && (at_x < x->tail_count || at_y < y->tail_count)) {
        const bool take_x = at_y == y->tail_count ||
                            (at_x < x->tail_count && x->tail[at_x].fine >= y->tail[at_y].fine);
        *(take_x ? &at_x : &at_y) += 1;
    }
    int64_t refused = INT64_MIN; /* the best that must go */
    if (at_x < x->tail_count) refused = x->tail[at_x].fine;
    if (at_y < y->tail_count && y->tail[at_y].fine > refused) refused = y->tail[at_y].fine;
    if (refused >= plan->required_fine) refused = plan->required_fine - 1;
    if (refused > *floor) *floor = refused;
    *keep_x = x->tail_count;
    *keep_y = y->tail_count;
    while (*keep_x > 0 && x->tail[*keep_x - 1].fine <= *floor) --*keep_x;
    while (*keep_y > 0 && y->tail[*keep_y - 1].fine <= *floor) --*keep_y;
}

/* Adds from's tail to into's, from the end backwards, so that no third one is needed. */
static assay_status merge_tails(const assay_all_pairs *plan, assay_tally *into,
                                const assay_tally *from) {
    int64_t floor = from->tail_floor > into->tail_floor ? from->tail_floor : into->tail_floor;
    uint64_t x, y;
    cut_both(plan, into, from, &floor, &x, &y);
    size_t bytes;
    if (!assay_multiply((size_t)(x + y + 1), sizeof *into->tail, &bytes)) bytes = SIZE_MAX;
    assay_scored_pair *tail = bytes == SIZE_MAX ? NULL : realloc(into->tail, bytes);
    if (tail == NULL) return assay_fail(ASSAY_FAILED, "out of memory for the merged tail");
    into->tail = tail;
    into->tail_count = x + y;
    into->tail_floor = floor;
    while (y > 0) {
        const bool take_x = x > 0 && by_score_and_place(&tail[x - 1], &from->tail[y - 1]) > 0;
        const assay_scored_pair last = take_x ? tail[--x] : from->tail[--y];
        tail[x + y] = last;
    }
    return ASSAY_OK;
}

assay_status assay_tally_merge(const assay_all_pairs *plan, assay_tally *into,
                               const assay_tally *from) {
    if (into->histogram_length != from->histogram_length) {
        return assay_fail(
            ASSAY_FAILED, "cannot merge tallies of %llu and %llu counters; expected one plan",
            (unsigned long long)into->histogram_length, (unsigned long long)from->histogram_length);
    }
    assay_status status = merge_failed(plan, into, from);
    if (status != ASSAY_OK) return status;
    status = merge_tails(plan, into, from);
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < into->histogram_length; n++) into->histogram[n] += from->histogram[n];
    into->non_mated += from->non_mated;
    into->same_subject += from->same_subject;
    into->other_side += from->other_side;
    into->histogram_pairs += from->histogram_pairs;
    into->rescored += from->rescored;
    into->redone += from->redone;
    return ASSAY_OK;
}
