/* backend -- who computes all pairs, and the contract between the plan of comparisons and a
 * backend.
 *
 * A backend gets integers only: quantised templates in plan order, codes of subject, group and
 * side. Pairs of one subject are never its business; the harness scores mated ones through
 * score_pairs. */
#ifndef ASSAY_KERNELS_BACKEND_H
#define ASSAY_KERNELS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "kernels/quantise.h"

#define ASSAY_BLOCK_EDGE 256u /* grid of the sampled histogram */
#ifndef ASSAY_TILE_EDGE       /* tests build the kernels with others: no result depends on it */
#define ASSAY_TILE_EDGE 512u  /* templates; a multiple of ASSAY_BLOCK_EDGE */
#endif

typedef enum { ASSAY_BINS_FULL = 0, ASSAY_BINS_SAMPLE, ASSAY_BINS_NONE } assay_bins_mode;

typedef struct assay_hamming_set assay_hamming_set; /* kernels/hamming.h */

/* The non-mated part of a comparison. Templates are sorted by side, then group, then subject. Tiles
 * are the ASSAY_TILE_EDGE squares of the upper triangle, row by row: tile 0 is (0,0), 1 is (0,1), …
 */
typedef struct {
    const assay_quantised *templates; /* vectors, or NULL: */
    const assay_hamming_set *bits;    /* bit strings, which only the bits_… functions look at */
    const uint32_t *subject;          /* [count] */
    const uint32_t *group;            /* [count], < group_count: combination of histogram_by */
    const uint8_t *side; /* [count] 0: compared with any; else compared only with another side */
    uint32_t group_count;
    uint64_t tail_limit;   /* K: keep the non-mated pairs from the top, as many as K allows */
    int64_t required_fine; /* keep every non-mated pair with fine >= this too; INT64_MAX: none */
    uint64_t tail_cap; /* more kept pairs than this is ASSAY_USAGE, naming required_fine's part */
    assay_bins_mode bins_mode;
    double bins_fraction; /* SAMPLE: share of ASSAY_BLOCK_EDGE blocks, chosen by Philox */
    uint64_t bins_seed;
    /* A set that is larger than memory is compared band by band. templates then holds one band of
     * it, or two: with cross > 0 (a multiple of ASSAY_TILE_EDGE) only pairs of a place below cross
     * with one at or above it are compared, and tiles are the squares of that rectangle, row by
     * row. Tallies name places of the whole set. */
    uint64_t cross;
    uint64_t origin[2]; /* of the whole set: where the first band begins, and the second; multiples
                           of ASSAY_BLOCK_EDGE */
} assay_all_pairs;

/* Unordered pairs of n things, n (n - 1) / 2, without passing 2^64 on the way. */
static inline uint64_t assay_pair_count(uint64_t n) {
    return n % 2 == 0 ? n / 2 * (n - (n > 0)) : (n - 1) / 2 * n;
}

/* Tiles of a plan, and row and column of one among the strips of its templates. */
uint64_t assay_plan_tile_count(const assay_all_pairs *plan);
void assay_plan_tile_place(const assay_all_pairs *plan, uint64_t tile, uint64_t *out_row,
                           uint64_t *out_column);
/* The tile of a pair of places of the whole set; UINT64_MAX where it is in none of the plan. */
uint64_t assay_plan_tile_of(const assay_all_pairs *plan, uint64_t a, uint64_t b);
/* The same for all of template_count templates. */
uint64_t assay_tile_count(uint64_t template_count);
/* Row and column of a tile among the ceil(count / ASSAY_TILE_EDGE) strips, row <= column. */
void assay_tile_place(uint64_t template_count, uint64_t tile, uint64_t *out_row,
                      uint64_t *out_column);
/* Whether the histogram counts block (row, column) of the ASSAY_BLOCK_EDGE grid, row <= column. */
bool assay_block_chosen(const assay_all_pairs *plan, uint64_t row, uint64_t column);

typedef struct {
    int64_t fine;
    int32_t coarse;
    uint32_t a, b; /* places in plan order, a < b */
} assay_scored_pair;

/* Fine score of a pair of bit strings that failed to compare: of no pair that was scored. */
#define ASSAY_FINE_NONE INT64_MIN

/* A pair of different subjects and allowed sides that failed to compare, a < b. */
typedef struct {
    uint32_t a, b;
} assay_failed_pair;

/* What a range of tiles gives. Two tallies of disjoint ranges of one plan merge by addition. */
typedef struct {
    uint64_t non_mated;    /* pairs of different subjects and allowed sides that were scored */
    uint64_t same_subject; /* pairs of one subject and allowed sides */
    uint64_t other_side;   /* pairs that the sides do not allow */
    uint64_t histogram_pairs;
    uint64_t *histogram; /* [group_count (group_count + 1) / 2][ASSAY_COARSE_BINS]; pair a <= b at
                            a * group_count - a(a-1)/2 + (b - a); NULL where bins_mode is NONE */
    uint64_t histogram_length;
    assay_scored_pair *tail; /* by (fine descending, a, b), cut by assay_tail_cut */
    uint64_t tail_count;
    int64_t tail_floor;        /* every pair with fine > tail_floor is in the tail, and no other;
                                  INT64_MIN where the tail holds all */
    assay_failed_pair *failed; /* by (a, b); in no histogram and no tail. Vectors never fail */
    uint64_t failed_count;
    uint64_t rescored; /* pairs whose fine score was computed */
    uint64_t redone;   /* ranges done again because a guessed floor was not certified */
} assay_tally;
void assay_tally_free(assay_tally *tally); /* takes a zeroed one */
/* Adds from to into (both of plan), cuts the tail again. from keeps what it owns. ASSAY_USAGE
 * where more pairs than the tail's cap failed to compare. */
assay_status assay_tally_merge(const assay_all_pairs *plan, assay_tally *into,
                               const assay_tally *from) ASSAY_MUST_CHECK;
/* Sorts failed[count] by (a, b). */
void assay_failed_sort(assay_failed_pair *failed, uint64_t count);
/* ASSAY_USAGE where count failed pairs are more than the plan's cap allows to be listed. */
assay_status assay_failed_check(const assay_all_pairs *plan, uint64_t count) ASSAY_MUST_CHECK;

/* The tail's rule. Sorts pairs[count] by (fine descending, a, b) and returns how many stay: of
 * those with fine > *floor, all with fine >= t, t the smallest fine among them with #(>= t) <=
 * limit; and all with fine >= required. *floor (INT64_MIN where every pair is here) is raised to
 * what was cut: a range that cut a tie away forbids that tie to every range that it is merged with.
 */
uint64_t assay_tail_cut(assay_scored_pair *pairs, uint64_t count, uint64_t limit, int64_t required,
                        int64_t *floor);
/* The same without sorting what stays. */
uint64_t assay_tail_trim(assay_scored_pair *pairs, uint64_t count, uint64_t limit, int64_t required,
                         int64_t *floor);

typedef struct {
    unsigned threads;               /* >= 1 */
    uint64_t memory_limit;          /* bytes that this backend may use beyond the templates */
    const assay_progress *progress; /* may be NULL */
    uint64_t progress_done,
        progress_total;  /* pairs of the plan done before this range; all of it */
    int64_t known_floor; /* tail_floor of ranges done before, INT64_MIN where there are none: pairs
                            with fine <= this cannot be in the plan's tail */
    /* Where the backend takes bands: the tail of ranges done before, in places of the whole set, by
     * malloc or NULL. It is taken over, whatever is returned, and tally->tail holds it too: two
     * tails of that size need not be in memory. */
    assay_scored_pair *prior;
    uint64_t prior_count;
} assay_backend_options;

typedef struct {
    uint64_t a, b;
} assay_place_pair;

typedef struct {
    const char *name;
    const char *purpose;
    bool bands; /* takes plans with cross > 0, and options->prior */
    /* ASSAY_OK with a line on what it will use, or ASSAY_DECLINED with the reason as error text. */
    assay_status (*probe)(char *out_line, size_t size);
    /* Bytes it needs beyond the templates for this plan. */
    uint64_t (*memory)(const assay_all_pairs *plan, unsigned threads);
    /* Tiles first … end - 1 of plan. Deterministic but for `rescored` and `redone`. */
    assay_status (*all_pairs)(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                              const assay_backend_options *options, assay_tally *out);
    /* Fine and coarse scores of pairs[count] into out[count], same order. */
    assay_status (*score_pairs)(const assay_quantised *templates, const assay_place_pair *pairs,
                                uint64_t count, const assay_backend_options *options,
                                assay_scored_pair *out);
    /* The same for bit strings; all NULL where this backend compares vectors only. Of a pair that
     * failed to compare, bits_score_pairs gives ASSAY_FINE_NONE and coarse 0. */
    uint64_t (*bits_memory)(const assay_all_pairs *plan, unsigned threads);
    assay_status (*bits_all_pairs)(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                   const assay_backend_options *options, assay_tally *out);
    assay_status (*bits_score_pairs)(const assay_hamming_set *bits, const assay_place_pair *pairs,
                                     uint64_t count, const assay_backend_options *options,
                                     assay_scored_pair *out);
} assay_backend;

/* What is compared. */
typedef enum { ASSAY_COMPARES_VECTORS = 0, ASSAY_COMPARES_BITS } assay_compared;

size_t assay_backend_count(void);
const assay_backend *assay_backend_at(size_t index);
/* "auto" gives the first of backends.def that does not decline. ASSAY_USAGE for an unknown name. */
assay_status assay_backend_find(const char *name, const assay_backend **out) ASSAY_MUST_CHECK;
/* The same among those that compare what is asked; a named one that does not is ASSAY_DECLINED. */
assay_status assay_backend_find_for(const char *name, assay_compared compared,
                                    const assay_backend **out) ASSAY_MUST_CHECK;

#endif
