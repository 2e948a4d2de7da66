/* compare_bands -- a set in memory, or a set that is larger than memory: then its integers lie in
 * plan order in a file without a name, and are compared band by band.
 *
 * A part is one band with itself or with a later one. Parts go to and fro over the later bands, so
 * that at each turn a band that is there already is used again; every other part reads one. While
 * one part is computed the kernel fetches the next one's band. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "harness/compare_opaque.h"
#include "harness/compare_private.h"

enum { READ_ROWS = 1024 };
#define NO_BAND UINT64_MAX

/* ---- which parts there are ---- */

uint64_t assay_compare_band_count(const comparison *work) {
    return work->band == 0 ? 1 : (work->plan.count + work->band - 1) / work->band;
}

uint64_t assay_compare_part_count(const comparison *work) {
    const uint64_t bands = assay_compare_band_count(work);
    return assay_pair_count(bands) + bands;
}

/* Bands of a part: row 0 alone, with 1, 2, … and back again with the next row. */
static void bands_of_part(uint64_t bands, uint64_t part, uint64_t *out_row, uint64_t *out_column) {
    uint64_t row = 0;
    while (part >= bands - row) part -= bands - row++;
    *out_row = row;
    *out_column = part == 0 ? row : row % 2 == 0 ? row + part : bands - part;
}

static uint64_t band_size(const comparison *work, uint64_t band) {
    if (work->band == 0) return work->plan.count;
    const uint64_t first = band * work->band, left = work->plan.count - first;
    return left < work->band ? left : work->band;
}

/* Bands in the two halves of memory; returns how many have to be read for a part. */
static unsigned place_bands(uint64_t held[2], uint64_t row, uint64_t column) {
    unsigned reads = 0;
    if (held[0] != row) {
        reads += held[1] != row;
        held[0] = row;
    }
    if (column != row && held[1] != column) {
        reads++;
        held[1] = column;
    }
    return reads;
}

uint64_t assay_compare_band_reads(const comparison *work) {
    const uint64_t bands = assay_compare_band_count(work);
    uint64_t held[2] = {NO_BAND, NO_BAND}, reads = 0;
    for (uint64_t row = 0; row < bands; row++) {
        for (uint64_t n = 0; n < bands - row; n++) {
            reads += place_bands(held, row, n == 0 ? row : row % 2 == 0 ? row + n : bands - n);
        }
    }
    return reads;
}

/* The plan of a part without its templates and labels, for the numbers of its tiles. */
static void shape_part(const comparison *work, uint64_t part, assay_quantised *set,
                       assay_all_pairs *out) {
    uint64_t row, column;
    bands_of_part(assay_compare_band_count(work), part, &row, &column);
    *set = work->set;
    set->count = band_size(work, row) + (row == column ? 0 : band_size(work, column));
    *out = work->pairs;
    out->templates = set;
    out->cross = row == column ? 0 : work->band;
    out->origin[0] = row * work->band;
    out->origin[1] = column * work->band;
}

/* First tile of every part, and the number of all tiles behind the last. */
static assay_status number_tiles(comparison *work) {
    const uint64_t parts = assay_compare_part_count(work);
    assay_status status = assay_allocate(&work->part_first, (size_t)parts + 1,
                                         sizeof *work->part_first, "the parts of the comparison");
    for (uint64_t part = 0; status == ASSAY_OK && part < parts; part++) {
        assay_quantised set;
        assay_all_pairs plan;
        shape_part(work, part, &set, &plan);
        work->part_first[part + 1] = work->part_first[part] + assay_plan_tile_count(&plan);
    }
    return status;
}

uint64_t assay_compare_tile_of(const comparison *work, uint64_t a, uint64_t b) {
    const uint64_t bands = assay_compare_band_count(work);
    const uint64_t row = work->band == 0 ? 0 : a / work->band;
    const uint64_t column = work->band == 0 ? 0 : b / work->band;
    const uint64_t within = column == row ? 0 : row % 2 == 0 ? column - row : bands - column;
    const uint64_t part = row * bands - row * (row - (row > 0)) / 2 + within;
    assay_quantised set;
    assay_all_pairs plan;
    shape_part(work, part, &set, &plan);
    return work->part_first[part] + assay_plan_tile_of(&plan, a, b);
}

static uint64_t strip_of(uint64_t count, uint64_t strip) {
    const uint64_t first = strip * ASSAY_TILE_EDGE;
    return count - first < ASSAY_TILE_EDGE ? count - first : ASSAY_TILE_EDGE;
}

uint64_t assay_compare_tile_pairs(const comparison *work, uint64_t first, uint64_t end) {
    uint64_t pairs = 0;
    for (uint64_t part = 0; part < assay_compare_part_count(work); part++) {
        const uint64_t before = work->part_first[part], behind = work->part_first[part + 1];
        if (behind <= first || before >= end) continue;
        assay_quantised set;
        assay_all_pairs plan;
        shape_part(work, part, &set, &plan);
        for (uint64_t tile = first > before ? first : before; tile < end && tile < behind; tile++) {
            uint64_t row, column;
            assay_plan_tile_place(&plan, tile - before, &row, &column);
            const uint64_t a = strip_of(set.count, row), b = strip_of(set.count, column);
            pairs += row == column ? assay_pair_count(a) : a * b;
        }
    }
    return pairs;
}

/* ---- the file without a name ---- */

static assay_status open_store(comparison *work) {
    char *folder = NULL;
    assay_status status = assay_path_directory(&folder, work->out_path);
    if (status != ASSAY_OK) return status;
    work->store = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (work->store < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        char *name = NULL;
        status = assay_file_temporary(work->out_path, &name);
        if (status == ASSAY_OK) {
            work->store = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
            if (work->store >= 0) unlink(name);
        }
        free(name);
    }
    if (status == ASSAY_OK && work->store < 0) {
        status = assay_fail_errno("cannot make a file in %s for templates that do not fit memory",
                                  folder);
    }
    free(folder);
    return status;
}

static assay_status transfer(int file, bool writing, void *bytes, size_t count, uint64_t offset) {
    char *at = bytes;
    while (count > 0) {
        const ssize_t moved = writing ? pwrite(file, at, count, (off_t)offset)
                                      : pread(file, at, count, (off_t)offset);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0) {
            if (moved == 0) errno = EIO;
            return assay_fail_errno("cannot %s the templates that do not fit memory",
                                    writing ? "put aside" : "read back");
        }
        at += moved;
        count -= (size_t)moved;
        offset += (uint64_t)moved;
    }
    return ASSAY_OK;
}

/* All fine components of the set, then all coarse ones. */
static uint64_t fine_offset(const comparison *work, uint64_t place) {
    return place * work->head->length * sizeof(int32_t);
}
static uint64_t coarse_offset(const comparison *work, uint64_t place) {
    return fine_offset(work, work->plan.count) + place * work->head->length * sizeof(int16_t);
}

/* Places first … first + count - 1 into rows at … of set, all but norms. */
static assay_status read_back(const comparison *work, uint64_t first, uint64_t count,
                              assay_quantised *set, uint64_t at) {
    const size_t cells = (size_t)count * set->length, to = (size_t)at * set->length;
    const assay_status status = transfer(work->store, false, set->fine + to,
                                         cells * sizeof *set->fine, fine_offset(work, first));
    if (status != ASSAY_OK) return status;
    return transfer(work->store, false, set->coarse + to, cells * sizeof *set->coarse,
                    coarse_offset(work, first));
}

static void copy_norms(const comparison *work, uint64_t first, uint64_t count, assay_quantised *set,
                       uint64_t at) {
    memcpy(set->fine_norm + at, work->set.fine_norm + first, count * sizeof *set->fine_norm);
    memcpy(set->coarse_norm + at, work->set.coarse_norm + first, count * sizeof *set->coarse_norm);
}

/* ---- from vectors to integers ---- */

typedef assay_status take_row(comparison *work, assay_quantiser *quantiser, uint64_t row,
                              uint64_t place, const float *x);

static assay_status measure_row(comparison *work, assay_quantiser *quantiser, uint64_t row,
                                uint64_t place, const float *x) {
    (void)work, (void)place;
    return assay_quantiser_measure(quantiser, row, x);
}

static assay_status keep_row(comparison *work, assay_quantiser *quantiser, uint64_t row,
                             uint64_t place, const float *x) {
    assay_quantised *set = &work->set;
    const size_t at = (size_t)place * set->length;
    return assay_quantiser_round(quantiser, row, x, set->fine + at, set->coarse + at,
                                 &set->fine_norm[place], &set->coarse_norm[place]);
}

static assay_status store_row(comparison *work, assay_quantiser *quantiser, uint64_t row,
                              uint64_t place, const float *x) {
    int32_t fine[ASSAY_LENGTH_MAX];
    int16_t coarse[ASSAY_LENGTH_MAX];
    const uint32_t length = work->head->length;
    assay_status status =
        assay_quantiser_round(quantiser, row, x, fine, coarse, &work->set.fine_norm[place],
                              &work->set.coarse_norm[place]);
    if (status != ASSAY_OK) return status;
    status = transfer(work->store, true, fine, length * sizeof *fine, fine_offset(work, place));
    if (status != ASSAY_OK) return status;
    return transfer(work->store, true, coarse, length * sizeof *coarse, coarse_offset(work, place));
}

/* Rows of templates.h5; of opaque ones the vectors that lie in those that take part. */
static assay_status read_block(comparison *work, uint64_t first, uint64_t count, float *out) {
    if (work->opaque == NULL) return assay_compare_read(work, first, count, out);
    for (uint64_t n = 0; n < count; n++)
        if (work->plan.place[first + n] != UINT32_MAX)
            assay_opaque_vector(work->opaque, (uint32_t)(first + n),
                                out + (size_t)n * work->head->length);
    return ASSAY_OK;
}

/* Every row that takes part, in the order of the file. done counts rows of both readings. */
static assay_status read_rows(comparison *work, assay_quantiser *quantiser, take_row *take,
                              uint64_t done) {
    const uint64_t rows = work->head->table.row_count;
    const uint32_t length = work->head->length;
    float *block = NULL;
    assay_status status =
        assay_allocate(&block, (size_t)READ_ROWS * length, sizeof *block, "a block of templates");
    for (uint64_t first = 0; status == ASSAY_OK && first < rows; first += READ_ROWS) {
        const uint64_t count = rows - first < READ_ROWS ? rows - first : READ_ROWS;
        status = read_block(work, first, count, block);
        for (uint64_t n = 0; status == ASSAY_OK && n < count; n++) {
            const uint32_t place = work->plan.place[first + n];
            if (place == UINT32_MAX) continue;
            status = take(work, quantiser, first + n, place, block + (size_t)n * length);
        }
        if (status == ASSAY_OK && !assay_progress_tell(work->progress, "read", "templates",
                                                       done + first + count, 2 * rows)) {
            status = assay_fail(ASSAY_FAILED, "interrupted while reading templates");
        }
    }
    free(block);
    return status;
}

static assay_status allocate_norms(comparison *work) {
    assay_status status =
        assay_allocate(&work->set.fine_norm, (size_t)work->plan.count, sizeof(int64_t), "norms");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&work->set.coarse_norm, (size_t)work->plan.count, sizeof(int32_t),
                          "norms");
}

/* Room for two bands, and the scales of the whole. */
static assay_status start_bands(comparison *work, const assay_quantiser *quantiser) {
    comparison_bands *bands = &work->bands;
    const size_t places = (size_t)work->band * 2;
    bands->held[0] = bands->held[1] = NO_BAND;
    assay_status status = assay_quantised_allocate(quantiser, places, &bands->set);
    if (status != ASSAY_OK) return status;
    work->set = bands->set;
    work->set.fine = NULL;
    work->set.coarse = NULL;
    work->set.fine_norm = NULL;
    work->set.coarse_norm = NULL;
    work->set.count = work->plan.count;
    status = allocate_norms(work);
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&bands->subject, places, sizeof *bands->subject, "subjects");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&bands->group, places, sizeof *bands->group, "groups");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&bands->side, places, 1, "sides");
}

assay_status assay_compare_quantise(comparison *work) {
    assay_quantiser quantiser;
    const uint64_t rows = work->head->table.row_count;
    if (work->head->kind == ASSAY_TEMPLATES_BITS) {
        const assay_status read = assay_compare_read_bits(work);
        return read == ASSAY_OK ? number_tiles(work) : read;
    }
    assay_status status = assay_quantiser_start(work->comparator, work->head->length, &quantiser);
    if (status != ASSAY_OK) return status;
    status = read_rows(work, &quantiser, measure_row, 0);
    if (status != ASSAY_OK) return status;
    status = assay_quantiser_settle(&quantiser);
    if (status != ASSAY_OK) return status;
    if (work->band == 0) {
        status = assay_quantised_allocate(&quantiser, work->plan.count, &work->set);
        if (status == ASSAY_OK) status = read_rows(work, &quantiser, keep_row, rows);
    } else {
        status = open_store(work);
        if (status == ASSAY_OK) status = start_bands(work, &quantiser);
        if (status == ASSAY_OK) status = read_rows(work, &quantiser, store_row, rows);
    }
    if (status == ASSAY_OK) status = number_tiles(work);
    work->set.bound = assay_quantiser_bound(&quantiser);
    work->bands.set.bound = work->set.bound;
    return status;
}

void assay_compare_free_set(comparison *work) {
    assay_quantised_free(&work->set);
    assay_quantised_free(&work->bands.set);
    assay_hamming_set_free(&work->bits);
    free(work->bands.subject);
    free(work->bands.group);
    free(work->bands.side);
    free(work->part_first);
    work->part_first = NULL;
    work->bands = (comparison_bands){0};
    if (work->store >= 0) close(work->store);
    work->store = -1;
}

/* ---- parts in memory ---- */

/* Moves a band from the other half, or reads it. */
static assay_status fill_half(comparison *work, unsigned half, uint64_t band) {
    comparison_bands *bands = &work->bands;
    if (bands->held[half] == band) return ASSAY_OK;
    const uint64_t first = band * work->band, size = band_size(work, band);
    const uint64_t to = half * work->band, from = (1 - half) * work->band;
    const bool there = bands->held[1 - half] == band;
    bands->held[half] = NO_BAND;
    if (there) {
        const size_t length = bands->set.length, cells = (size_t)size * length;
        memcpy(bands->set.fine + to * length, bands->set.fine + from * length,
               cells * sizeof(int32_t));
        memcpy(bands->set.coarse + to * length, bands->set.coarse + from * length,
               cells * sizeof(int16_t));
    } else {
        const assay_status status = read_back(work, first, size, &bands->set, to);
        if (status != ASSAY_OK) return status;
    }
    copy_norms(work, first, size, &bands->set, to);
    memcpy(bands->subject + to, work->plan.subject + first, size * sizeof *bands->subject);
    memcpy(bands->group + to, work->plan.group + first, size * sizeof *bands->group);
    memcpy(bands->side + to, work->plan.side + first, size);
    bands->held[half] = band;
    return ASSAY_OK;
}

/* Asks for the band that a part will read, if it will. */
static void fetch_ahead(const comparison *work, uint64_t part) {
    if (part >= assay_compare_part_count(work)) return;
    uint64_t row, column, band;
    bands_of_part(assay_compare_band_count(work), part, &row, &column);
    band = work->bands.held[0] != row ? row : column;
    if (band == work->bands.held[0] || band == work->bands.held[1]) return;
    const uint64_t first = band * work->band, size = band_size(work, band);
    const uint64_t cells = size * work->head->length;
    posix_fadvise(work->store, (off_t)fine_offset(work, first), (off_t)(cells * sizeof(int32_t)),
                  POSIX_FADV_WILLNEED);
    posix_fadvise(work->store, (off_t)coarse_offset(work, first), (off_t)(cells * sizeof(int16_t)),
                  POSIX_FADV_WILLNEED);
}

assay_status assay_compare_load_part(comparison *work, uint64_t part, assay_all_pairs *out) {
    if (work->band == 0) {
        *out = work->pairs;
        return ASSAY_OK;
    }
    uint64_t row, column;
    bands_of_part(assay_compare_band_count(work), part, &row, &column);
    assay_status status = fill_half(work, 0, row);
    if (status == ASSAY_OK && column != row) status = fill_half(work, 1, column);
    if (status != ASSAY_OK) return status;
    fetch_ahead(work, part + 1);
    comparison_bands *bands = &work->bands;
    bands->loaded = bands->set;
    assay_quantised unused;
    shape_part(work, part, &unused, out);
    bands->loaded.count = unused.count;
    out->templates = &bands->loaded;
    out->subject = bands->subject;
    out->group = bands->group;
    out->side = bands->side;
    return ASSAY_OK;
}

/* ---- listed pairs ---- */

enum { SCORE_BYTES = 4 << 20 }; /* of templates that are read back together */

static assay_status score_stored(comparison *work, const assay_place_pair *pairs, uint64_t count,
                                 const assay_backend_options *options, assay_scored_pair *out) {
    assay_quantised *set = &work->bands.set;
    assay_place_pair *local = NULL;
    const uint64_t row_bytes = (uint64_t)set->length * (sizeof(int32_t) + sizeof(int16_t));
    uint64_t most = SCORE_BYTES / row_bytes / 2 + 1;
    if (most > work->band) most = work->band; /* two rows of the two bands for each */
    work->bands.held[0] = work->bands.held[1] = NO_BAND;
    assay_status status = assay_allocate(&local, (size_t)most, sizeof *local, "a batch of pairs");
    for (uint64_t first = 0; status == ASSAY_OK && first < count; first += most) {
        const uint64_t here = count - first < most ? count - first : most;
        for (uint64_t n = 0; status == ASSAY_OK && n < here; n++) {
            const uint64_t places[2] = {pairs[first + n].a, pairs[first + n].b};
            for (unsigned k = 0; status == ASSAY_OK && k < 2; k++) {
                status = read_back(work, places[k], 1, set, 2 * n + k);
                copy_norms(work, places[k], 1, set, 2 * n + k);
            }
            local[n] = (assay_place_pair){.a = 2 * n, .b = 2 * n + 1};
        }
        if (status != ASSAY_OK) break;
        status = work->backend->score_pairs(set, local, here, options, out + first);
        for (uint64_t n = 0; n < here; n++) {
            out[first + n].a = (uint32_t)pairs[first + n].a;
            out[first + n].b = (uint32_t)pairs[first + n].b;
        }
    }
    free(local);
    return status;
}

assay_status assay_compare_score(comparison *work, const assay_place_pair *pairs, uint64_t count,
                                 assay_scored_pair *out) {
    const assay_backend_options options = {.threads = work->threads};
    if (work->pairs.bits != NULL) {
        return work->backend->bits_score_pairs(&work->bits, pairs, count, &options, out);
    }
    if (work->band > 0) return score_stored(work, pairs, count, &options, out);
    return work->backend->score_pairs(&work->set, pairs, count, &options, out);
}
