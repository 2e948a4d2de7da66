/* cpu_tiles -- a tile as blocks: products of coarse integers, their bins, and the candidates among
 * them.
 *
 * Most blocks are plain: one pair of groups, no subject on both sides, all of it compared. They
 * take no look at labels: their bins are made at once and counted in the shadow of the next block's
 * product. The others (group borders, mated pairs near the diagonal, ragged edges) go pair by pair.
 */
#include <cblas.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "kernels/cpu/cpu_private.h"
#include "kernels/pairs_private.h"

enum {
    CHECK_EVERY = 61
}; /* blocks for each that is checked; a prime, so that it meets every place */

/* ---- packing ---- */

static uint64_t panels_of(uint64_t count) {
    return (count + ASSAY_MICRO_COLUMNS - 1) / ASSAY_MICRO_COLUMNS;
}

static uint32_t depth_of(uint32_t length) {
    return (length + 1) / 2;
}

/* Templates first … first + width - 1 as [depth][width] words of two components; zeros where there
 * are no templates, and behind an odd end. */
static void pack_panel(const assay_quantised *set, uint64_t first, unsigned width, int32_t *out) {
    const uint32_t whole = set->length / 2, depth = depth_of(set->length);
    for (unsigned n = 0; n < width; n++) {
        const bool there = first + n < set->count;
        const int16_t *coarse = set->coarse + (size_t)(there ? first + n : 0) * set->length;
        int32_t *column = out + n;
        for (uint32_t k = 0; k < whole; k++) {
            int32_t word;
            memcpy(&word, coarse + 2 * (size_t)k, sizeof word);
            column[(size_t)k * width] = there ? word : 0;
        }
        if (whole < depth) {
            column[(size_t)whole * width] = there ? (uint16_t)coarse[set->length - 1] : 0;
        }
    }
}

uint64_t assay_cpu_packed_bytes(const assay_microkernel *kernel, uint64_t count, uint32_t length) {
    if (kernel->rows == 0) return count * length * sizeof(float);
    return panels_of(count) * ASSAY_MICRO_COLUMNS * depth_of(length) * sizeof(int32_t);
}

assay_status assay_cpu_pack(cpu_work *work) {
    const assay_quantised *set = work->plan->templates;
    work->depth = depth_of(set->length);
    if (work->kernel->rows == 0) {
        const size_t cells = (size_t)set->count * set->length;
        const assay_status status = assay_allocate_aligned(&work->floats, cells, sizeof(float),
                                                           "coarse templates as floats");
        for (size_t k = 0; status == ASSAY_OK && k < cells; k++) work->floats[k] = set->coarse[k];
        return status;
    }
    const size_t panel = (size_t)work->depth * ASSAY_MICRO_COLUMNS;
    const assay_status status = assay_allocate_aligned(
        &work->columns, (size_t)panels_of(set->count) * panel, sizeof(int32_t), "packed templates");
    for (uint64_t n = 0; status == ASSAY_OK && n < panels_of(set->count); n++) {
        pack_panel(set, n * ASSAY_MICRO_COLUMNS, ASSAY_MICRO_COLUMNS, work->columns + n * panel);
    }
    return status;
}

static size_t rows_cells(const assay_microkernel *kernel, uint32_t length) {
    const size_t blocks = (ASSAY_TILE_EDGE + kernel->rows - 1) / kernel->rows;
    return blocks * kernel->rows * depth_of(length);
}

uint64_t assay_cpu_worker_bytes(const assay_all_pairs *plan, const assay_microkernel *kernel) {
    const uint64_t products = kernel->rows == 0
                                  ? (uint64_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE * sizeof(float)
                                  : rows_cells(kernel, plan->templates->length) * sizeof(int32_t);
    return products + histogram_length_of(plan) * sizeof(uint64_t) +
           CANDIDATE_BATCH * sizeof(assay_scored_pair) + ASSAY_MICRO_CELLS_MAX * 8;
}

assay_status assay_cpu_worker_open(cpu_work *work, cpu_worker *worker) {
    const assay_microkernel *kernel = work->kernel;
    worker->work = work;
    worker->rows_first = UINT64_MAX;
    assay_status status =
        kernel->rows == 0
            ? assay_allocate_aligned(&worker->scores, (size_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE,
                                     sizeof(float), "a tile of scores")
            : assay_allocate_aligned(&worker->rows,
                                     rows_cells(kernel, work->plan->templates->length),
                                     sizeof(int32_t), "packed rows of a tile");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&worker->block, ASSAY_MICRO_CELLS_MAX, sizeof(int32_t),
                                    "a block of products");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&worker->bins, (size_t)2 * ASSAY_MICRO_CELLS_MAX,
                                    sizeof(uint16_t), "a block of bins");
    if (status != ASSAY_OK) return status;
    worker->made = (assay_micro_result){
        .products = worker->block, .bins = worker->bins, .reach = worker->reach};
    uint32_t bins;
    assay_coarse_bins(work->plan->templates->comparator, &worker->made.lowest, &worker->made.shift,
                      &bins);
    status = assay_allocate(&worker->histogram, (size_t)histogram_length_of(work->plan),
                            sizeof(uint64_t), "histograms");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&worker->batch, CANDIDATE_BATCH, sizeof *worker->batch, "candidates");
}

void assay_cpu_worker_close(cpu_worker *worker) {
    free(worker->rows);
    free(worker->scores);
    free(worker->block);
    free(worker->bins);
    free(worker->histogram);
    free(worker->batch);
}

/* ---- blocks ---- */

/* Rows first_a … + size_a against columns first_b … + size_b, within a tile. */
typedef struct {
    uint64_t first_a, first_b;
    unsigned size_a, size_b; /* there are; the kernel's block may be larger */
    unsigned rows;           /* of the block's products: [rows][ASSAY_MICRO_COLUMNS] */
} block_place;

void assay_cpu_count_pending(cpu_worker *self) {
    if (self->pending.histogram) count_bins(&self->pending, 0);
    self->pending.histogram = NULL;
}

/* Products to coarse scores, where these are distances. */
static void to_distances(const assay_quantised *set, const block_place *at, int32_t *products) {
    for (unsigned r = 0; r < at->size_a; r++) {
        const int32_t norm = set->coarse_norm[at->first_a + r];
        int32_t *row = products + r * ASSAY_MICRO_COLUMNS;
        for (unsigned c = 0; c < at->size_b; c++) {
            row[c] = 2 * row[c] - norm - set->coarse_norm[at->first_b + c];
        }
    }
}

static assay_status add_candidate(cpu_worker *self, uint64_t a, uint64_t b, int32_t coarse) {
    self->batch[self->batch_count++] =
        (assay_scored_pair){.coarse = coarse, .a = (uint32_t)a, .b = (uint32_t)b};
    return self->batch_count == CANDIDATE_BATCH ? assay_cpu_hand_over(self) : ASSAY_OK;
}

/* One group, one side, and one block of the sampled histogram over places first … first + size - 1.
 */
static bool is_uniform(const assay_all_pairs *plan, uint64_t first, unsigned size) {
    const uint64_t last = first + size - 1;
    return plan->group[first] == plan->group[last] && plan->side[first] == plan->side[last] &&
           (plan->bins_mode != ASSAY_BINS_SAMPLE ||
            first / ASSAY_BLOCK_EDGE == last / ASSAY_BLOCK_EDGE);
}

/* Whether every cell of a full block is a pair of different subjects that is compared. Places are
 * sorted by side, group and subject, so the ends of a uniform stretch bound its subjects. */
static bool is_plain(const assay_all_pairs *plan, const block_place *at) {
    const uint64_t last_a = at->first_a + at->size_a - 1, last_b = at->first_b + at->size_b - 1;
    return at->size_a == at->rows && at->size_b == ASSAY_MICRO_COLUMNS && last_a < at->first_b &&
           is_uniform(plan, at->first_a, at->size_a) && is_uniform(plan, at->first_b, at->size_b) &&
           sides_allow(plan, at->first_a, at->first_b) &&
           (plan->subject[last_a] < plan->subject[at->first_b] ||
            plan->subject[at->first_a] > plan->subject[last_b]);
}

/* The bins wait for the next product; the other half of the buffer takes what that one makes. */
static void leave_bins(cpu_worker *self, uint64_t *histogram, uint32_t count) {
    self->pending =
        (assay_pending_bins){.histogram = histogram, .bins = self->made.bins, .count = count};
    self->made.bins =
        self->made.bins == self->bins ? self->bins + ASSAY_MICRO_CELLS_MAX : self->bins;
}

static assay_status take_plain(cpu_worker *self, const block_place *at) {
    const assay_all_pairs *plan = self->work->plan;
    const uint32_t count = at->rows * ASSAY_MICRO_COLUMNS;
    if (assay_block_chosen(plan, at->first_a / ASSAY_BLOCK_EDGE, at->first_b / ASSAY_BLOCK_EDGE)) {
        const uint64_t index =
            group_pair_index(plan->group_count, plan->group[at->first_a], plan->group[at->first_b]);
        leave_bins(self, self->histogram + index * ASSAY_COARSE_BINS, count);
        self->tally.histogram_pairs += count;
    }
    self->tally.non_mated += count;
    for (unsigned r = 0; r < at->rows; r++) {
        for (uint32_t reach = self->reach[r]; reach != 0; reach &= reach - 1) {
            const unsigned c = (unsigned)__builtin_ctz(reach);
            const assay_status status = add_candidate(self, at->first_a + r, at->first_b + c,
                                                      self->block[r * ASSAY_MICRO_COLUMNS + c]);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

static assay_status take_pair(cpu_worker *self, uint64_t a, uint64_t b, int32_t coarse) {
    const assay_all_pairs *plan = self->work->plan;
    if (!sides_allow(plan, a, b)) {
        self->tally.other_side++;
        return ASSAY_OK;
    }
    if (plan->subject[a] == plan->subject[b]) {
        self->tally.same_subject++;
        return ASSAY_OK;
    }
    self->tally.non_mated++;
    if (assay_block_chosen(plan, a / ASSAY_BLOCK_EDGE, b / ASSAY_BLOCK_EDGE)) {
        int32_t lowest;
        uint32_t shift, bins;
        assay_coarse_bins(plan->templates->comparator, &lowest, &shift, &bins);
        const uint64_t index = group_pair_index(plan->group_count, plan->group[a], plan->group[b]);
        self->histogram[index * bins + ((uint32_t)(coarse - lowest) >> shift)]++;
        self->tally.histogram_pairs++;
    }
    return coarse < self->made.floor ? ASSAY_OK : add_candidate(self, a, b, coarse);
}

static assay_status take_mixed(cpu_worker *self, const block_place *at) {
    for (unsigned r = 0; r < at->size_a; r++) {
        const uint64_t a = at->first_a + r;
        for (unsigned c = 0; c < at->size_b; c++) {
            const uint64_t b = at->first_b + c;
            if (b <= a) continue;
            const assay_status status =
                take_pair(self, a, b, self->block[r * ASSAY_MICRO_COLUMNS + c]);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

/* One cell of a block against the definition: a wrong product stops the run. Which one moves with
 * the block's place, so that no lane and no row is left out for long. */
static assay_status check_cell(const cpu_worker *self, const block_place *at) {
    const uint64_t cell = (at->first_a * 31 + at->first_b * 17) / 8 % (at->size_a * at->size_b);
    const uint64_t r = cell / at->size_b, c = cell % at->size_b;
    const int32_t found = self->block[r * ASSAY_MICRO_COLUMNS + c];
    const int32_t expected =
        assay_coarse(self->work->plan->templates, at->first_a + r, at->first_b + c);
    if (found == expected) return ASSAY_OK;
    return assay_fail(
        ASSAY_DISAGREES,
        "micro-kernel %s gives %d for the templates at places %llu and %llu; expected "
        "%d, by the definition",
        self->work->kernel->name, found, (unsigned long long)(at->first_a + r),
        (unsigned long long)(at->first_b + c), expected);
}

static assay_status take_block(cpu_worker *self, const block_place *at) {
    const assay_quantised *set = self->work->plan->templates;
    if (set->comparator == ASSAY_EUCLIDEAN) {
        to_distances(set, at, self->block);
        assay_micro_finish(at->rows, &self->made);
    }
    if (++self->blocks % CHECK_EVERY == 0) {
        const assay_status status = check_cell(self, at);
        if (status != ASSAY_OK) return status;
    }
    return is_plain(self->work->plan, at) ? take_plain(self, at) : take_mixed(self, at);
}

/* ---- tiles ---- */

/* What is left of size from offset, at most width. */
static unsigned piece_of(uint64_t size, uint64_t offset, unsigned width) {
    return size - offset < width ? (unsigned)(size - offset) : width;
}

static void multiply_block(cpu_worker *self, uint64_t row_offset, uint64_t first_b,
                           assay_pending_bins *pending) {
    const cpu_work *work = self->work;
    work->kernel->product(self->rows + (size_t)row_offset * work->depth,
                          work->columns + (size_t)first_b * work->depth, work->depth, pending,
                          &self->made);
    pending->histogram = NULL;
}

static void pack_rows(cpu_worker *self, uint64_t first) {
    const cpu_work *work = self->work;
    const unsigned rows = work->kernel->rows;
    if (self->rows_first == first) return;
    for (uint64_t offset = 0; offset < ASSAY_TILE_EDGE; offset += rows) {
        pack_panel(work->plan->templates, first + offset, rows,
                   self->rows + (size_t)offset * work->depth);
    }
    self->rows_first = first;
}

static assay_status take_tile_by_blocks(cpu_worker *self, uint64_t first_a, uint64_t size_a,
                                        uint64_t first_b, uint64_t size_b) {
    const unsigned rows = self->work->kernel->rows;
    pack_rows(self, first_a);
    for (uint64_t y = 0; y < size_b; y += ASSAY_MICRO_COLUMNS) {
        const unsigned size_y = piece_of(size_b, y, ASSAY_MICRO_COLUMNS);
        for (uint64_t x = 0; x < size_a; x += rows) {
            /* Wholly on or below the diagonal: every column is at or before the first row. */
            if (first_b + y + size_y - 1 <= first_a + x) break;
            const block_place at = {.first_a = first_a + x,
                                    .first_b = first_b + y,
                                    .size_a = piece_of(size_a, x, rows),
                                    .size_b = size_y,
                                    .rows = rows};
            multiply_block(self, x, first_b + y, &self->pending);
            const assay_status status = take_block(self, &at);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

static assay_status take_tile_by_blas(cpu_worker *self, uint64_t first_a, uint64_t size_a,
                                      uint64_t first_b, uint64_t size_b) {
    enum { ROWS = 8 };
    const cpu_work *work = self->work;
    const uint32_t length = work->plan->templates->length;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)size_a, (int)size_b, (int)length,
                1.0f, work->floats + (size_t)first_a * length, (int)length,
                work->floats + (size_t)first_b * length, (int)length, 0.0f, self->scores,
                ASSAY_TILE_EDGE);
    for (uint64_t x = 0; x < size_a; x += ROWS) {
        for (uint64_t y = 0; y < size_b; y += ASSAY_MICRO_COLUMNS) {
            const block_place at = {.first_a = first_a + x,
                                    .first_b = first_b + y,
                                    .size_a = piece_of(size_a, x, ROWS),
                                    .size_b = piece_of(size_b, y, ASSAY_MICRO_COLUMNS),
                                    .rows = ROWS};
            if (at.first_b + at.size_b - 1 <= at.first_a) continue;
            for (unsigned r = 0; r < at.size_a; r++) {
                const float *row = self->scores + (size_t)(x + r) * ASSAY_TILE_EDGE + y;
                int32_t *block = self->block + r * ASSAY_MICRO_COLUMNS;
                for (unsigned c = 0; c < at.size_b; c++) block[c] = (int32_t)row[c];
            }
            assay_cpu_count_pending(self); /* no product of ours runs in between */
            if (work->plan->templates->comparator != ASSAY_EUCLIDEAN) {
                assay_micro_finish(ROWS, &self->made);
            }
            const assay_status status = take_block(self, &at);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

assay_status assay_cpu_take_tile(cpu_worker *self, uint64_t tile) {
    const uint64_t count = self->work->plan->templates->count;
    uint64_t row, column;
    assay_plan_tile_place(self->work->plan, tile, &row, &column);
    const uint64_t size_a = strip_size(count, row), size_b = strip_size(count, column);
    self->made.floor = atomic_load(&self->work->coarse_floor);
    const assay_status status =
        self->work->kernel->rows == 0
            ? take_tile_by_blas(self, strip_first(row), size_a, strip_first(column), size_b)
            : take_tile_by_blocks(self, strip_first(row), size_a, strip_first(column), size_b);
    if (status != ASSAY_OK) return status;
    atomic_fetch_add(&self->work->done,
                     row == column ? size_a * (size_a - 1) / 2 : size_a * size_b);
    return ASSAY_OK;
}

void assay_cpu_sample_block(cpu_worker *self, uint64_t first_a, uint64_t first_b, uint32_t shift,
                            uint32_t *sample, uint64_t *cells) {
    const assay_all_pairs *plan = self->work->plan;
    const assay_quantised *set = plan->templates;
    const unsigned rows = self->work->kernel->rows;
    const block_place at = {.first_a = first_a,
                            .first_b = first_b,
                            .size_a = piece_of(set->count, first_a, rows),
                            .size_b = piece_of(set->count, first_b, ASSAY_MICRO_COLUMNS),
                            .rows = rows};
    assay_pending_bins none = {0};
    if (self->rows_first != first_a) pack_panel(set, first_a, rows, self->rows);
    self->rows_first = first_a;
    multiply_block(self, 0, first_b, &none);
    if (set->comparator == ASSAY_EUCLIDEAN) to_distances(set, &at, self->block);
    for (unsigned r = 0; r < at.size_a; r++) {
        const uint64_t a = first_a + r;
        const int32_t *scores = self->block + r * ASSAY_MICRO_COLUMNS;
        for (unsigned c = 0; c < at.size_b; c++) {
            const uint64_t b = first_b + c;
            *cells += b > a;
            if (b <= a || plan->subject[a] == plan->subject[b] || !sides_allow(plan, a, b))
                continue;
            sample[(uint32_t)(scores[c] - self->made.lowest) >> shift]++;
        }
    }
}
