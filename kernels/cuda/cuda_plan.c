/* cuda_plan -- what a device holds, and the order in which it takes tiles: arithmetic on the host.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "kernels/cuda/cuda_private.h"
#include "kernels/pairs_private.h"

enum {
    BAND_ROWS = 16,         /* strips whose rows stay in L2 while columns pass: 8 MiB at 512 */
    RESERVED_SHARE = 20,    /* of free memory, one part in so many is left alone */
    FIXED_BYTES = 64 << 20, /* what the runtime and cuBLAS take for themselves, about */
    SCORE_UNITS_MIN = 8,    /* units of a cuBLAS way's chunk, at least and */
    SCORE_UNITS_MAX = 64,   /* at most */
};

assay_cuda_set assay_cuda_set_of(const assay_all_pairs *plan) {
    const assay_quantised *set = plan->templates;
    assay_cuda_set out = {
        .count = set->count,
        .rows = (set->count + ASSAY_TILE_EDGE - 1) / ASSAY_TILE_EDGE * ASSAY_TILE_EDGE,
        .length = set->length,
        .depth = (set->length + CUDA_DEPTH - 1) / CUDA_DEPTH * CUDA_DEPTH,
        .group_count = plan->group_count,
        .euclidean = set->comparator == ASSAY_EUCLIDEAN,
        .fine_unit = assay_fine_to_score(set, 1),
        .coarse_unit = assay_coarse_to_score(set, 1),
        .bound = set->bound,
    };
    uint32_t bins;
    assay_coarse_bins(set->comparator, &out.lowest, &out.shift, &bins);
    return out;
}

/* ---- memory ---- */

static uint64_t template_bytes(const assay_cuda_set *set, uint64_t packed) {
    const uint64_t cells = set->count * set->length;
    const uint64_t labels = 2 * sizeof(uint32_t) + sizeof(uint8_t);
    const uint64_t norms = sizeof(int32_t) + sizeof(int64_t);
    return packed + cells * (sizeof(int32_t) + sizeof(int16_t)) + set->count * (labels + norms) +
           set->rows / CUDA_PANEL * sizeof(assay_cuda_panel);
}

/* Half of the L2, so that scores are read from there; whole units. */
static uint64_t score_bytes(assay_cuda_way way, uint64_t l2) {
    if (way != ASSAY_CUDA_BLAS && way != ASSAY_CUDA_DGEMM) return 0;
    const uint64_t cell = way == ASSAY_CUDA_BLAS ? sizeof(float) : 2 * sizeof(double);
    uint64_t units = l2 / 2 / (CUDA_UNIT_CELLS * cell);
    if (units < SCORE_UNITS_MIN) units = SCORE_UNITS_MIN;
    if (units > SCORE_UNITS_MAX) units = SCORE_UNITS_MAX;
    return units * CUDA_UNIT_CELLS * cell;
}

assay_status assay_cuda_memory_plan(const assay_all_pairs *plan, assay_cuda_way way,
                                    uint64_t packed, uint64_t l2, uint64_t free_bytes,
                                    assay_cuda_memory *out) {
    const assay_cuda_set set = assay_cuda_set_of(plan);
    /* A candidate is in both lists of both slots, or may be. */
    const uint64_t each = CUDA_SLOTS * 2 * sizeof(assay_scored_pair);
    assay_cuda_memory memory = {.templates = template_bytes(&set, packed),
                                .histogram = histogram_length_of(plan) * sizeof(uint64_t),
                                .scores = score_bytes(way, l2)};
    const uint64_t fixed =
        memory.templates + memory.histogram +
        CUDA_SLOTS * (memory.scores + CUDA_BATCH_UNITS * sizeof(assay_cuda_unit)) +
        ASSAY_COARSE_BINS * 16 * sizeof(uint32_t) + FIXED_BYTES;
    const uint64_t usable = free_bytes - free_bytes / RESERVED_SHARE;
    const uint64_t needed = fixed + CUDA_UNIT_CELLS * each;
    if (set.count > UINT32_MAX - ASSAY_TILE_EDGE) {
        return assay_fail(ASSAY_FAILED, "%" PRIu64 " templates are more than places of 32 bits",
                          set.count);
    }
    if (needed > usable) {
        return assay_fail(ASSAY_FAILED,
                          "%" PRIu64 " templates of %u need %.2f GB of device memory by way %s; "
                          "%.2f GB are free (cpu backends need none)",
                          set.count, set.length, (double)needed / 1e9, assay_cuda_way_name(way),
                          (double)usable / 1e9);
    }
    memory.capacity = (usable - fixed) / each;
    if (memory.capacity > CUDA_CAPACITY_MAX) memory.capacity = CUDA_CAPACITY_MAX;
    memory.total = fixed + memory.capacity * each;
    *out = memory;
    return ASSAY_OK;
}

/* ---- labels ---- */

void assay_cuda_panels_make(const assay_all_pairs *plan, uint64_t rows, assay_cuda_panel *out) {
    const uint64_t count = plan->templates->count;
    for (uint64_t n = 0; n < rows / CUDA_PANEL; n++) {
        const uint64_t first = n * CUDA_PANEL, last = first + CUDA_PANEL - 1;
        out[n] = (assay_cuda_panel){0};
        if (last >= count || plan->group[first] != plan->group[last] ||
            plan->side[first] != plan->side[last]) {
            continue;
        }
        out[n] = (assay_cuda_panel){.first_subject = plan->subject[first],
                                    .last_subject = plan->subject[last],
                                    .group = plan->group[first],
                                    .uniform = 1u + plan->side[first]};
    }
}

/* ---- units ---- */

uint64_t assay_cuda_unit_pairs(uint64_t count, const assay_cuda_unit *unit) {
    const uint64_t a = strip_size(count, unit->row), b = strip_size(count, unit->column);
    return unit->row == unit->column ? assay_pair_count(a) : a * b;
}

/* Whether one side alone, which is not compared with itself, fills both strips. */
static bool nothing_allowed(const assay_all_pairs *plan, uint64_t row, uint64_t column) {
    const uint64_t count = plan->templates->count;
    const uint64_t a = strip_first(row), b = strip_first(column);
    const uint8_t side = plan->side[a];
    return side != 0 && plan->side[a + strip_size(count, row) - 1] == side &&
           plan->side[b] == side && plan->side[b + strip_size(count, column) - 1] == side;
}

static uint32_t chosen_blocks(const assay_all_pairs *plan, uint64_t row, uint64_t column) {
    enum { BLOCKS = ASSAY_TILE_EDGE / ASSAY_BLOCK_EDGE };
    uint32_t chosen = 0;
    for (uint32_t r = 0; r < BLOCKS; r++) {
        for (uint32_t c = 0; c < BLOCKS; c++) {
            const uint64_t y = row * BLOCKS + r, x = column * BLOCKS + c;
            /* A block below the diagonal has no pairs. */
            if (y <= x && assay_block_chosen(plan, y, x)) chosen |= 1u << (r * BLOCKS + c);
        }
    }
    return chosen;
}

typedef struct {
    const assay_all_pairs *plan;
    uint64_t first, end, strips;
    assay_cuda_unit *units;
    uint64_t count, other_side;
} unit_list;

/* Adds tile (row, column) where the range has it. */
static void add_unit(unit_list *list, uint64_t row, uint64_t column) {
    const uint64_t tile = row * list->strips - (row * row - row) / 2 + (column - row);
    if (tile < list->first || tile >= list->end) return;
    const assay_cuda_unit unit = {.row = (uint32_t)row,
                                  .column = (uint32_t)column,
                                  .chosen = chosen_blocks(list->plan, row, column)};
    if (nothing_allowed(list->plan, row, column)) {
        list->other_side += assay_cuda_unit_pairs(list->plan->templates->count, &unit);
    } else {
        list->units[list->count++] = unit;
    }
}

assay_status assay_cuda_units_make(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                   bool banded, assay_cuda_unit **out, uint64_t *out_count,
                                   uint64_t *out_other_side) {
    const uint64_t count = plan->templates->count;
    unit_list list = {.plan = plan,
                      .first = first,
                      .end = end,
                      .strips = (count + ASSAY_TILE_EDGE - 1) / ASSAY_TILE_EDGE};
    const assay_status status = assay_allocate(&list.units, (size_t)(end - first),
                                               sizeof *list.units, "the tiles to compare");
    if (status != ASSAY_OK) return status;
    const uint64_t height = banded ? BAND_ROWS : 1;
    uint64_t row = 0, column, last = 0;
    if (end > first) {
        assay_tile_place(count, first, &row, &column);
        assay_tile_place(count, end - 1, &last, &column);
    }
    for (; end > first && row <= last; row += height) {
        const uint64_t below = row + height - 1 < last ? row + height - 1 : last;
        for (column = row; column < list.strips; column++) {
            for (uint64_t r = row; r <= below && r <= column; r++) add_unit(&list, r, column);
        }
    }
    *out = list.units;
    *out_count = list.count;
    *out_other_side = list.other_side;
    return ASSAY_OK;
}
