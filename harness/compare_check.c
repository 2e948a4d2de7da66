/* compare_check -- a few tiles once more, by the definition: what the backend says of a tile, and
 * what the tail of the whole comparison holds of it, must be what the reference backend says. */
#include <inttypes.h>
#include <string.h>

#include "datasets/base/random.h"
#include "harness/compare_private.h"

enum { CHECK_STREAM = 0x636865636b };

/* The same tiles whoever computes them: one in options->check_tiles by chance, and one in any case.
 */
static bool is_checked(const comparison *work, uint64_t tile, uint64_t tiles) {
    const uint64_t one_in = work->options->check_tiles;
    assay_random random;
    if (one_in == 0) return false;
    assay_random_start(&random, tiles, CHECK_STREAM);
    if (tile == (uint64_t)(assay_random_uniform(&random) * (double)tiles)) return true;
    assay_random_start(&random, tile, CHECK_STREAM);
    return assay_random_uniform(&random) * (double)one_in < 1;
}

/* Places of the whole set that a tile spans. */
typedef struct {
    uint64_t first_a, end_a, first_b, end_b;
} tile_span;

static tile_span span_of(const assay_all_pairs *plan, uint64_t tile) {
    uint64_t row, column;
    if (plan->bits != NULL)
        assay_tile_place(plan->bits->count, tile, &row, &column);
    else
        assay_plan_tile_place(plan, tile, &row, &column);
    const uint64_t a = plan->origin[0] + row * ASSAY_TILE_EDGE;
    const uint64_t b = plan->cross == 0
                           ? plan->origin[0] + column * ASSAY_TILE_EDGE
                           : plan->origin[1] + (column * ASSAY_TILE_EDGE - plan->cross);
    return (tile_span){a, a + ASSAY_TILE_EDGE, b, b + ASSAY_TILE_EDGE};
}

static bool same_pair(const assay_scored_pair *x, const assay_scored_pair *y) {
    return x->fine == y->fine && x->coarse == y->coarse && x->a == y->a && x->b == y->b;
}

/* Whether the pairs of span in tail[count] are those of expected, both in the order of a tail. */
static bool holds_the_same(const assay_scored_pair *tail, uint64_t count, const tile_span *span,
                           const assay_tally *expected) {
    uint64_t met = 0;
    for (uint64_t n = 0; n < count; n++) {
        const assay_scored_pair *pair = &tail[n];
        if (pair->a < span->first_a || pair->a >= span->end_a) continue;
        if (pair->b < span->first_b || pair->b >= span->end_b) continue;
        if (met == expected->tail_count || !same_pair(pair, &expected->tail[met])) return false;
        met++;
    }
    return met == expected->tail_count;
}

static bool counts_the_same(const assay_tally *x, const assay_tally *y) {
    return x->non_mated == y->non_mated && x->same_subject == y->same_subject &&
           x->other_side == y->other_side && x->histogram_pairs == y->histogram_pairs &&
           x->failed_count == y->failed_count && x->histogram_length == y->histogram_length &&
           (x->histogram_length == 0 ||
            memcmp(x->histogram, y->histogram, x->histogram_length * sizeof *x->histogram) == 0);
}

static assay_status check_tile(const comparison *work, const assay_backend *reference,
                               const assay_all_pairs *plan, uint64_t tile) {
    const assay_backend_options options = {
        .threads = 1, .memory_limit = work->memory_limit, .known_floor = work->tally.tail_floor};
    const tile_span span = span_of(plan, tile);
    assay_tally expected = {0}, again = {0};
    const char *what = NULL;
    assay_status status = assay_compare_run(reference, plan, tile, tile + 1, &options, &expected);
    if (status == ASSAY_OK) {
        status = assay_compare_run(work->backend, plan, tile, tile + 1, &options, &again);
    }
    if (status != ASSAY_OK) goto out;
    if (!counts_the_same(&again, &expected)) {
        what = "histograms";
    } else if (!holds_the_same(again.tail, again.tail_count, &span, &expected)) {
        what = "scores";
    } else if (!holds_the_same(work->tally.tail, work->tally.tail_count, &span, &expected)) {
        what = "tail of the comparison";
    }
    if (what != NULL) {
        status = assay_fail(ASSAY_DISAGREES,
                            "backend %s and the reference differ in the %s of places %" PRIu64
                            " to %" PRIu64 " against %" PRIu64 " to %" PRIu64
                            "; expected the same, bit for bit: no result of this backend on this "
                            "machine can be trusted",
                            work->backend->name, what, span.first_a, span.end_a - 1, span.first_b,
                            span.end_b - 1);
    }
out:
    assay_tally_free(&expected);
    assay_tally_free(&again);
    return status;
}

assay_status assay_compare_check_part(comparison *work, uint64_t part,
                                      const assay_all_pairs *plan) {
    const uint64_t tiles = work->part_first[assay_compare_part_count(work)];
    const uint64_t first = work->part_first[part], end = work->part_first[part + 1];
    const assay_backend *reference = NULL;
    assay_status status = assay_backend_find("reference", &reference);
    if (status != ASSAY_OK || work->backend == reference) return status;
    for (uint64_t tile = first; status == ASSAY_OK && tile < end; tile++) {
        if (!is_checked(work, tile, tiles)) continue;
        status = check_tile(work, reference, plan, tile - first);
        work->checked_tiles++;
    }
    return status;
}
