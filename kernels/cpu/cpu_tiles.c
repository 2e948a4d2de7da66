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

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_X86                                                                               \
    __attribute__((target_clones("arch=x86-64-v4", "avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_X86
#endif

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

/* ---- sums for the check of blocks ---- */

enum { SUM_STEP = 16, LEAST_ROWS = 8 }; /* of any block, OpenBLAS's tiles included */

static uint32_t sum_length_of(uint32_t length) {
    return (length + SUM_STEP - 1) / SUM_STEP * SUM_STEP;
}

/* Components of templates first … first + width - 1, added up. */
FOR_EACH_X86 static void add_up(const assay_quantised *set, uint64_t first, unsigned width,
                                int32_t *restrict sums) {
    memset(sums, 0, sum_length_of(set->length) * sizeof *sums);
    for (unsigned n = 0; n < width && first + n < set->count; n++) {
        const int16_t *restrict coarse = set->coarse + (size_t)(first + n) * set->length;
        for (uint32_t k = 0; k < set->length; k++) sums[k] += coarse[k];
    }
}

/* The sum of all cells of a block, from the sums of its rows and of its columns, modulo 2^32. */
FOR_EACH_X86 static uint32_t product_of_sums(const int32_t *restrict rows,
                                             const int32_t *restrict columns, uint32_t length) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < length; k++) sum += (uint32_t)rows[k] * (uint32_t)columns[k];
    return sum;
}

FOR_EACH_X86 static uint32_t sum_of_cells(const int32_t *restrict cells, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t n = 0; n < count; n++) sum += (uint32_t)cells[n];
    return sum;
}

static assay_status add_up_columns(cpu_work *work) {
    const assay_quantised *set = work->plan->templates;
    work->sum_length = sum_length_of(set->length);
    const assay_status status =
        assay_allocate_aligned(&work->column_sums, (size_t)panels_of(set->count) * work->sum_length,
                               sizeof(int32_t), "sums of templates");
    for (uint64_t n = 0; status == ASSAY_OK && n < panels_of(set->count); n++) {
        add_up(set, n * ASSAY_MICRO_COLUMNS, ASSAY_MICRO_COLUMNS,
               work->column_sums + n * work->sum_length);
    }
    return status;
}

uint64_t assay_cpu_packed_bytes(const assay_microkernel *kernel, uint64_t count, uint32_t length) {
    const uint64_t sums = panels_of(count) * sum_length_of(length) * sizeof(int32_t);
    if (kernel->rows == 0) return sums + count * length * sizeof(float);
    return sums + panels_of(count) * ASSAY_MICRO_COLUMNS * depth_of(length) * sizeof(int32_t);
}

assay_status assay_cpu_pack(cpu_work *work) {
    const assay_quantised *set = work->plan->templates;
    if (work->columns != NULL || work->floats != NULL) return ASSAY_OK;
    work->depth = depth_of(set->length);
    assay_status status = add_up_columns(work);
    if (status != ASSAY_OK) return status;
    if (work->kernel->rows == 0) {
        const size_t cells = (size_t)set->count * set->length;
        status = assay_allocate_aligned(&work->floats, cells, sizeof(float),
                                        "coarse templates as floats");
        for (size_t k = 0; status == ASSAY_OK && k < cells; k++) work->floats[k] = set->coarse[k];
        return status;
    }
    const size_t panel = (size_t)work->depth * ASSAY_MICRO_COLUMNS;
    status = assay_allocate_aligned(&work->columns, (size_t)panels_of(set->count) * panel,
                                    sizeof(int32_t), "packed templates");
    for (uint64_t n = 0; status == ASSAY_OK && n < panels_of(set->count); n++) {
        pack_panel(set, n * ASSAY_MICRO_COLUMNS, ASSAY_MICRO_COLUMNS, work->columns + n * panel);
    }
    return status;
}

/* Also enough for bytes, which are half as deep, in blocks of as many rows. */
static size_t rows_cells(uint32_t length) {
    return (size_t)(ASSAY_TILE_EDGE + ASSAY_MICRO_ROWS_MAX) * depth_of(length);
}

/* Sums of every block of rows of a tile. */
static size_t sums_cells(uint32_t length) {
    return (size_t)(ASSAY_TILE_EDGE / LEAST_ROWS) * sum_length_of(length);
}

uint64_t assay_cpu_worker_bytes(const assay_all_pairs *plan, const assay_microkernel *kernel) {
    const uint64_t products = kernel->rows == 0
                                  ? (uint64_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE * sizeof(float)
                                  : rows_cells(plan->templates->length) * sizeof(int32_t);
    return products + (ASSAY_TILE_EDGE + ASSAY_MICRO_ROWS_MAX) * sizeof(int32_t) +
           sums_cells(plan->templates->length) * sizeof(int32_t) + sizeof(cpu_worker) +
           histogram_length_of(plan) * sizeof(uint64_t) +
           CANDIDATE_BATCH * sizeof(assay_scored_pair) + ASSAY_MICRO_CELLS_MAX * 8;
}

assay_status assay_cpu_worker_open(cpu_work *work, uint64_t *histogram, cpu_worker *worker) {
    const assay_microkernel *kernel = work->kernel;
    worker->work = work;
    worker->rows_first = UINT64_MAX;
    assay_status status =
        kernel->rows == 0
            ? assay_allocate_aligned(&worker->scores, (size_t)ASSAY_TILE_EDGE * ASSAY_TILE_EDGE,
                                     sizeof(float), "a tile of scores")
            : assay_allocate_aligned(&worker->rows, rows_cells(work->plan->templates->length),
                                     sizeof(int32_t), "packed rows of a tile");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&worker->row_sums, sums_cells(work->plan->templates->length),
                                    sizeof(int32_t), "sums of rows");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&worker->block, ASSAY_MICRO_CELLS_MAX, sizeof(int32_t),
                                    "a block of products");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&worker->row_start, ASSAY_TILE_EDGE + ASSAY_MICRO_ROWS_MAX,
                            sizeof(int32_t), "thresholds of rows");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&worker->bins, (size_t)2 * ASSAY_MICRO_CELLS_MAX,
                                    sizeof(uint16_t), "a block of bins");
    if (status != ASSAY_OK) return status;
    worker->made = (assay_micro_result){
        .products = worker->block, .bins = worker->bins, .reach = worker->reach};
    uint32_t bins;
    assay_coarse_bins(work->plan->templates->comparator, &worker->made.lowest, &worker->made.shift,
                      &bins);
    if (histogram == NULL) {
        status = assay_allocate(&worker->own_histogram, (size_t)histogram_length_of(work->plan),
                                sizeof(uint64_t), "histograms");
        if (status != ASSAY_OK) return status;
    }
    worker->histogram = histogram != NULL ? histogram : worker->own_histogram;
    return assay_allocate(&worker->batch, CANDIDATE_BATCH, sizeof *worker->batch, "candidates");
}

void assay_cpu_worker_close(cpu_worker *worker) {
    free(worker->rows);
    free(worker->row_sums);
    free(worker->scores);
    free(worker->block);
    free(worker->bins);
    free(worker->row_start);
    free(worker->own_histogram);
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

/* The bytes do not rule these pairs out; the coarse scores of some do. */
static assay_status add_passed(cpu_worker *self) {
    const assay_quantised *set = self->work->plan->templates;
    const unsigned count = self->passed_count;
    self->passed_count = 0;
    for (unsigned n = 0; n < count; n++) {
        const assay_scored_pair *pair = &self->passed[n];
        const int32_t coarse = assay_cpu_coarse(set, pair->a, pair->b);
        assay_status status = assay_cpu_screen_check(&self->work->screen, set, pair->a, pair->b,
                                                     pair->coarse, coarse);
        if (status == ASSAY_OK && coarse >= self->made.floor) {
            status = add_candidate(self, pair->a, pair->b, coarse);
        }
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

/* The product of bytes behind a sum of the block at hand. */
static int32_t product_of_bytes(const cpu_worker *self, const block_place *at, unsigned r,
                                unsigned c) {
    const int32_t *row_start = self->work->screen.row_start;
    return self->block[r * ASSAY_MICRO_COLUMNS + c] + self->floor_part -
           row_start[at->first_a + r] - row_start[at->first_b + c];
}

static assay_status add_passing(cpu_worker *self, const block_place *at, unsigned r, unsigned c) {
    const assay_quantised *set = self->work->plan->templates;
    const uint64_t a = at->first_a + r, b = at->first_b + c;
    const char *x = (const char *)(set->coarse + (size_t)a * set->length);
    const char *y = (const char *)(set->coarse + (size_t)b * set->length);
    for (size_t n = 0; n < set->length * sizeof *set->coarse; n += 64) {
        __builtin_prefetch(x + n);
        __builtin_prefetch(y + n);
    }
    self->passed[self->passed_count++] = (assay_scored_pair){
        .coarse = product_of_bytes(self, at, r, c), .a = (uint32_t)a, .b = (uint32_t)b};
    return self->passed_count == PASSED_BATCH ? add_passed(self) : ASSAY_OK;
}

static assay_status add_reached(cpu_worker *self, const block_place *at, unsigned r, unsigned c) {
    if (self->work->screen.kernel != NULL) return add_passing(self, at, r, c);
    return add_candidate(self, at->first_a + r, at->first_b + c,
                         self->block[r * ASSAY_MICRO_COLUMNS + c]);
}

/* Whether places x and y have one group, one side, and one block of the sampled histogram. */
static bool is_alike(const assay_all_pairs *plan, uint64_t x, uint64_t y) {
    return plan->group[x] == plan->group[y] && plan->side[x] == plan->side[y] &&
           (plan->bins_mode != ASSAY_BINS_SAMPLE || x / ASSAY_BLOCK_EDGE == y / ASSAY_BLOCK_EDGE);
}

/* Part of a block: rows top … bottom - 1, columns left … right - 1. */
typedef struct {
    unsigned top, bottom, left, right;
} piece;

/* Whether every cell of a piece is a pair of different subjects that is compared. Places are sorted
 * by side, group and subject, so the ends of a stretch of one kind bound its subjects. */
static bool is_plain(const assay_all_pairs *plan, const block_place *at, const piece *of) {
    const uint64_t first_a = at->first_a + of->top, last_a = at->first_a + of->bottom - 1;
    const uint64_t first_b = at->first_b + of->left, last_b = at->first_b + of->right - 1;
    return last_a < first_b && is_alike(plan, first_a, last_a) && is_alike(plan, first_b, last_b) &&
           sides_allow(plan, first_a, first_b) &&
           (plan->subject[last_a] < plan->subject[first_b] ||
            plan->subject[first_a] > plan->subject[last_b]);
}

/* The same of a whole tile: then no block of it needs a look. */
static bool is_plain_tile(const assay_all_pairs *plan, uint64_t first_a, uint64_t size_a,
                          uint64_t first_b, uint64_t size_b) {
    const block_place at = {.first_a = first_a, .first_b = first_b};
    const piece whole = {.bottom = (unsigned)size_a, .right = (unsigned)size_b};
    return is_plain(plan, &at, &whole);
}

/* Histogram of the pairs of places a and b, or NULL where they are in none. */
static uint64_t *histogram_of(const cpu_worker *self, uint64_t a, uint64_t b) {
    const assay_all_pairs *plan = self->work->plan;
    if (!assay_block_chosen(plan, a / ASSAY_BLOCK_EDGE, b / ASSAY_BLOCK_EDGE)) return NULL;
    return self->histogram +
           group_pair_index(plan->group_count, plan->group[a], plan->group[b]) * ASSAY_COARSE_BINS;
}

/* The bins wait for the next product; the other half of the buffer takes what that one makes. */
static void leave_bins(cpu_worker *self, uint64_t *histogram, uint32_t count) {
    self->pending =
        (assay_pending_bins){.histogram = histogram, .bins = self->made.bins, .count = count};
    self->made.bins =
        self->made.bins == self->bins ? self->bins + ASSAY_MICRO_CELLS_MAX : self->bins;
}

static assay_status take_reached(cpu_worker *self, const block_place *at, const piece *of) {
    if (!self->any_reach) return ASSAY_OK;
    const uint32_t columns = (of->right == 32 ? 0 : UINT32_MAX << of->right) ^ UINT32_MAX
                                                                                   << of->left;
    for (unsigned r = of->top; r < of->bottom; r++) {
        for (uint32_t reach = self->reach[r] & columns; reach != 0; reach &= reach - 1) {
            const assay_status status = add_reached(self, at, r, (unsigned)__builtin_ctz(reach));
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

static assay_status take_plain(cpu_worker *self, const block_place *at, const piece *of) {
    const uint32_t count = (of->bottom - of->top) * (of->right - of->left);
    uint64_t *histogram = histogram_of(self, at->first_a + of->top, at->first_b + of->left);
    if (histogram != NULL) {
        self->tally.histogram_pairs += count;
        if (count == at->rows * ASSAY_MICRO_COLUMNS) {
            leave_bins(self, histogram, count);
        } else {
            for (unsigned r = of->top; r < of->bottom; r++) {
                const uint16_t *bins = self->made.bins + (size_t)r * ASSAY_MICRO_COLUMNS;
                for (unsigned c = of->left; c < of->right; c++) histogram[bins[c]]++;
            }
        }
    }
    self->tally.non_mated += count;
    return take_reached(self, at, of);
}

static assay_status take_pair(cpu_worker *self, const block_place *at, unsigned r, unsigned c) {
    const assay_all_pairs *plan = self->work->plan;
    const uint64_t a = at->first_a + r, b = at->first_b + c;
    if (!sides_allow(plan, a, b)) {
        self->tally.other_side++;
        return ASSAY_OK;
    }
    if (plan->subject[a] == plan->subject[b]) {
        self->tally.same_subject++;
        return ASSAY_OK;
    }
    self->tally.non_mated++;
    uint64_t *histogram = histogram_of(self, a, b);
    if (histogram != NULL) {
        histogram[self->made.bins[r * ASSAY_MICRO_COLUMNS + c]]++;
        self->tally.histogram_pairs++;
    }
    const bool reaches = self->any_reach && (self->reach[r] >> c & 1) != 0;
    return reaches ? add_reached(self, at, r, c) : ASSAY_OK;
}

static assay_status take_piece(cpu_worker *self, const block_place *at, const piece *of) {
    if (is_plain(self->work->plan, at, of)) return take_plain(self, at, of);
    for (unsigned r = of->top; r < of->bottom; r++) {
        for (unsigned c = of->left; c < of->right; c++) {
            if (at->first_b + c <= at->first_a + r) continue;
            const assay_status status = take_pair(self, at, r, c);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

/* End of the stretch of places alike that begins with first + from, as an offset from first. */
static unsigned stretch_end(const assay_all_pairs *plan, uint64_t first, unsigned from,
                            unsigned size) {
    if (is_alike(plan, first + from, first + size - 1)) return size;
    unsigned end = from + 1;
    while (is_alike(plan, first + from, first + end)) end++;
    return end;
}

/* Where groups, sides or blocks of the sampled histogram meet in a block, its pieces may be plain.
 */
static assay_status take_pieces(cpu_worker *self, const block_place *at) {
    const assay_all_pairs *plan = self->work->plan;
    piece of = {0};
    for (of.top = 0; of.top < at->size_a; of.top = of.bottom) {
        of.bottom = stretch_end(plan, at->first_a, of.top, at->size_a);
        for (of.left = 0; of.left < at->size_b; of.left = of.right) {
            of.right = stretch_end(plan, at->first_b, of.left, at->size_b);
            const assay_status status = take_piece(self, at, &of);
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
    if (self->work->screen.kernel != NULL) {
        return assay_cpu_screen_check(
            &self->work->screen, self->work->plan->templates, at->first_a + r, at->first_b + c,
            product_of_bytes(self, at, (unsigned)r, (unsigned)c), expected);
    }
    if (found == expected) return ASSAY_OK;
    return assay_fail(
        ASSAY_DISAGREES,
        "micro-kernel %s gives %d for the templates at places %llu and %llu; expected "
        "%d, by the definition",
        self->work->kernel->name, found, (unsigned long long)(at->first_a + r),
        (unsigned long long)(at->first_b + c), expected);
}

/* Every block against the product of the sums of its rows and columns, which is the sum of its
 * cells: one wrong cell shows, and several do unless they cancel to the last bit. What is screened
 * has no such sums: its cells are only bounds. */
static assay_status check_sum(const cpu_worker *self, const block_place *at) {
    const cpu_work *work = self->work;
    if (work->screen.kernel != NULL) return ASSAY_OK;
    const uint32_t block = (uint32_t)(at->first_a % ASSAY_TILE_EDGE / at->rows);
    const uint32_t found = sum_of_cells(self->block, at->rows * ASSAY_MICRO_COLUMNS);
    const uint32_t expected = product_of_sums(
        self->row_sums + (size_t)block * work->sum_length,
        work->column_sums + at->first_b / ASSAY_MICRO_COLUMNS * work->sum_length, work->sum_length);
    if (found == expected) return ASSAY_OK;
    return assay_fail(ASSAY_DISAGREES,
                      "micro-kernel %s gives products of places %llu to %llu against %llu to %llu "
                      "that add up to %u; expected %u, by the product of their sums: no result of "
                      "this machine can be trusted",
                      work->kernel->name, (unsigned long long)at->first_a,
                      (unsigned long long)(at->first_a + at->size_a - 1),
                      (unsigned long long)at->first_b,
                      (unsigned long long)(at->first_b + at->size_b - 1), found, expected);
}

static assay_status take_block(cpu_worker *self, const block_place *at, bool plain) {
    const assay_quantised *set = self->work->plan->templates;
    const assay_status summed = check_sum(self, at);
    if (summed != ASSAY_OK) return summed;
    if (set->comparator == ASSAY_EUCLIDEAN && self->work->screen.kernel == NULL) {
        to_distances(set, at, self->block);
        assay_micro_finish(at->rows, &self->made);
    }
    if (++self->blocks % CHECK_EVERY == 0) {
        const assay_status status = check_cell(self, at);
        if (status != ASSAY_OK) return status;
    }
    if (!plain) return take_pieces(self, at);
    const piece whole = {.bottom = at->size_a, .right = at->size_b};
    return take_plain(self, at, &whole);
}

/* ---- tiles ---- */

/* What is left of size from offset, at most width. */
static unsigned piece_of(uint64_t size, uint64_t offset, unsigned width) {
    return size - offset < width ? (unsigned)(size - offset) : width;
}

static void multiply_block(cpu_worker *self, uint64_t row_offset, uint64_t first_b,
                           assay_pending_bins *pending) {
    const cpu_work *work = self->work;
    if (work->screen.kernel != NULL) {
        const cpu_screen *screen = &work->screen;
        self->any_reach = screen->kernel->product(
            self->rows + (size_t)row_offset * screen->depth,
            screen->columns + (size_t)first_b * screen->depth, screen->depth,
            self->row_start + row_offset, screen->column_start + first_b, self->block, self->reach);
        return;
    }
    self->any_reach = true;
    work->kernel->product(self->rows + (size_t)row_offset * work->depth,
                          work->columns + (size_t)first_b * work->depth, work->depth, pending,
                          &self->made);
    pending->histogram = NULL;
}

static void pack_block_rows(cpu_worker *self, uint64_t first, uint64_t offset) {
    const cpu_work *work = self->work;
    const unsigned rows = block_rows(work);
    if (work->screen.kernel != NULL) {
        assay_cpu_screen_rows(&work->screen, first + offset, rows,
                              self->rows + (size_t)offset * work->screen.depth);
    } else {
        pack_panel(work->plan->templates, first + offset, rows,
                   self->rows + (size_t)offset * work->depth);
    }
}

/* Thresholds of rows first … first + size - 1 for the floor as it is now. */
static void set_row_starts(cpu_worker *self, uint64_t first, uint64_t size) {
    const cpu_screen *screen = &self->work->screen;
    self->floor_part = atomic_load(&self->work->screen.floor);
    for (uint64_t n = 0; n < size + ASSAY_MICRO_ROWS_MAX; n++) {
        const bool there = first + n < self->work->plan->templates->count;
        self->row_start[n] = there ? screen->row_start[first + n] - self->floor_part : -(1 << 29);
    }
}

/* Sums of the blocks of `rows` rows of a tile, where there is a use for them. */
static void add_up_rows(cpu_worker *self, uint64_t first, uint64_t size, unsigned rows) {
    if (self->work->screen.kernel != NULL) return;
    for (uint64_t offset = 0; offset < size; offset += rows) {
        add_up(self->work->plan->templates, first + offset, rows,
               self->row_sums + offset / rows * self->work->sum_length);
    }
}

static void pack_rows(cpu_worker *self, uint64_t first, uint64_t size) {
    if (self->work->screen.kernel != NULL) set_row_starts(self, first, size);
    if (self->rows_first == first) return;
    for (uint64_t offset = 0; offset < size; offset += block_rows(self->work)) {
        pack_block_rows(self, first, offset);
    }
    add_up_rows(self, first, size, block_rows(self->work));
    self->rows_first = first;
}

static assay_status take_tile_by_blocks(cpu_worker *self, uint64_t first_a, uint64_t size_a,
                                        uint64_t first_b, uint64_t size_b) {
    const unsigned rows = block_rows(self->work);
    const bool plain = is_plain_tile(self->work->plan, first_a, size_a, first_b, size_b);
    pack_rows(self, first_a, size_a);
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
            const assay_status status = take_block(self, &at, plain);
            if (status != ASSAY_OK) return status;
        }
    }
    return add_passed(self);
}

static assay_status take_tile_by_blas(cpu_worker *self, uint64_t first_a, uint64_t size_a,
                                      uint64_t first_b, uint64_t size_b) {
    enum { ROWS = 8 };
    const cpu_work *work = self->work;
    const bool plain = is_plain_tile(work->plan, first_a, size_a, first_b, size_b);
    const uint32_t length = work->plan->templates->length;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)size_a, (int)size_b, (int)length,
                1.0f, work->floats + (size_t)first_a * length, (int)length,
                work->floats + (size_t)first_b * length, (int)length, 0.0f, self->scores,
                ASSAY_TILE_EDGE);
    add_up_rows(self, first_a, size_a, ROWS);
    for (uint64_t x = 0; x < size_a; x += ROWS) {
        for (uint64_t y = 0; y < size_b; y += ASSAY_MICRO_COLUMNS) {
            const block_place at = {.first_a = first_a + x,
                                    .first_b = first_b + y,
                                    .size_a = piece_of(size_a, x, ROWS),
                                    .size_b = piece_of(size_b, y, ASSAY_MICRO_COLUMNS),
                                    .rows = ROWS};
            if (at.first_b + at.size_b - 1 <= at.first_a) continue;
            memset(self->block, 0, ROWS * ASSAY_MICRO_COLUMNS * sizeof *self->block);
            for (unsigned r = 0; r < at.size_a; r++) {
                const float *row = self->scores + (size_t)(x + r) * ASSAY_TILE_EDGE + y;
                int32_t *block = self->block + r * ASSAY_MICRO_COLUMNS;
                for (unsigned c = 0; c < at.size_b; c++) block[c] = (int32_t)row[c];
            }
            self->any_reach = true;
            assay_cpu_count_pending(self); /* no product of ours runs in between */
            if (work->plan->templates->comparator != ASSAY_EUCLIDEAN) {
                assay_micro_finish(ROWS, &self->made);
            }
            const assay_status status = take_block(self, &at, plain);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

/* Whether the sides allow no pair of a tile: places are sorted by side. */
static bool is_of_one_side(const assay_all_pairs *plan, uint64_t first_a, uint64_t size_a,
                           uint64_t first_b, uint64_t size_b) {
    const uint8_t side = plan->side[first_a];
    return side != 0 && side == plan->side[first_a + size_a - 1] && side == plan->side[first_b] &&
           side == plan->side[first_b + size_b - 1];
}

assay_status assay_cpu_take_tile(cpu_worker *self, uint64_t tile) {
    const uint64_t count = self->work->plan->templates->count;
    uint64_t row, column;
    assay_plan_tile_place(self->work->plan, tile, &row, &column);
    const uint64_t size_a = strip_size(count, row), size_b = strip_size(count, column);
    const uint64_t pairs = row == column ? size_a * (size_a - 1) / 2 : size_a * size_b;
    self->made.floor = atomic_load(&self->work->coarse_floor);
    if (is_of_one_side(self->work->plan, strip_first(row), size_a, strip_first(column), size_b)) {
        self->tally.other_side += pairs;
        atomic_fetch_add(&self->work->done, pairs);
        return ASSAY_OK;
    }
    const assay_status status =
        self->work->kernel->rows == 0
            ? take_tile_by_blas(self, strip_first(row), size_a, strip_first(column), size_b)
            : take_tile_by_blocks(self, strip_first(row), size_a, strip_first(column), size_b);
    if (status != ASSAY_OK) return status;
    atomic_fetch_add(&self->work->done, pairs);
    return ASSAY_OK;
}

/* The sums of a sampled block to coarse scores; with bytes, close to them. */
static void to_coarse(const cpu_worker *self, const block_place *at, int32_t *sums) {
    const assay_quantised *set = self->work->plan->templates;
    const cpu_screen *screen = &self->work->screen;
    if (screen->kernel == NULL) {
        if (set->comparator == ASSAY_EUCLIDEAN) to_distances(set, at, sums);
        return;
    }
    const double limit = set->comparator == ASSAY_EUCLIDEAN ? (1 << 26) - 1 : (1 << 24) - 1;
    const double unit = set->coarse_scale * set->coarse_scale;
    const int32_t *column_start = screen->row_start + at->first_b;
    for (unsigned r = 0; r < at->size_a; r++) {
        int32_t *row = sums + r * ASSAY_MICRO_COLUMNS;
        const int32_t start = self->floor_part - screen->row_start[at->first_a + r];
        for (unsigned c = 0; c < at->size_b; c++) {
            const double score =
                unit * assay_cpu_screen_score(screen, set, at->first_a + r, at->first_b + c,
                                              row[c] + start - column_start[c]);
            row[c] = (int32_t)(score < -limit ? -limit : score > limit ? limit : score);
        }
    }
}

void assay_cpu_sample_block(cpu_worker *self, uint64_t first_a, uint64_t first_b, uint32_t shift,
                            uint32_t *sample, uint64_t *cells) {
    const assay_all_pairs *plan = self->work->plan;
    const uint64_t count = plan->templates->count;
    const unsigned rows = block_rows(self->work);
    const block_place at = {.first_a = first_a,
                            .first_b = first_b,
                            .size_a = piece_of(count, first_a, rows),
                            .size_b = piece_of(count, first_b, ASSAY_MICRO_COLUMNS),
                            .rows = rows};
    const piece whole = {.bottom = at.size_a, .right = at.size_b};
    const int32_t lowest = self->made.lowest;
    assay_pending_bins none = {0};
    if (self->rows_first != first_a) {
        pack_block_rows(self, first_a, 0);
        if (self->work->screen.kernel != NULL) set_row_starts(self, first_a, rows);
    }
    self->rows_first = first_a;
    multiply_block(self, 0, first_b, &none);
    to_coarse(self, &at, self->block);
    const bool plain = is_plain(plan, &at, &whole);
    for (unsigned r = 0; r < at.size_a; r++) {
        const int32_t *row = self->block + r * ASSAY_MICRO_COLUMNS;
        const uint64_t a = first_a + r;
        for (unsigned c = 0; c < at.size_b; c++) {
            const uint64_t b = first_b + c;
            *cells += b > a;
            if (!plain &&
                (b <= a || plan->subject[a] == plan->subject[b] || !sides_allow(plan, a, b))) {
                continue;
            }
            sample[(uint32_t)(row[c] - lowest) >> shift]++;
        }
    }
}
