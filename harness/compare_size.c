/* compare_size -- what a comparison needs, said before it starts. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "harness/compare_private.h"

enum {
    TAIL_ROW_BYTES = 32,      /* of a comparison in evidence.h5 */
    TABLE_ROW_BYTES = 256,    /* a row of the sample table, generously */
    FIXED_BYTES = 1 << 20,    /* of a file */
    PROGRAM_BYTES = 64 << 20, /* the program, its libraries and a block of the file being read */
    THREAD_BYTES = 32 << 20,  /* what OpenBLAS and malloc keep for a thread */
    NORM_BYTES = 12,          /* of a template */
    BAND_ROW_BYTES = 24,      /* norms and labels of a template in a band */
    CHECK_BYTES = 16 << 20,   /* every score of a tile that is computed once more */
    READ_BYTES = 4096,        /* a component of the rows that are read together */
};

/* The sizes of what is compared, without any of it. */
typedef struct {
    assay_quantised vectors;
    assay_hamming_set bits;
} template_sizes;

static bool of_bits(const comparison *work) {
    return work->head->kind == ASSAY_TEMPLATES_BITS;
}

static assay_all_pairs shape_of(const comparison *work, uint64_t count, template_sizes *sizes) {
    const uint32_t length = work->head->length;
    *sizes = (template_sizes){.vectors = {.count = count, .length = length},
                              .bits = {.count = count, .word_count = (length + 63) / 64}};
    return (assay_all_pairs){
        .templates = of_bits(work) ? NULL : &sizes->vectors,
        .bits = of_bits(work) ? &sizes->bits : NULL,
        .group_count = work->plan.combination_count,
        .tail_limit = work->plan.tail_limit,
        .tail_cap = work->options->protocol->tail_cap,
        .bins_mode = work->options->protocol->histogram_mode == ASSAY_HISTOGRAM_NONE
                         ? ASSAY_BINS_NONE
                         : ASSAY_BINS_FULL,
    };
}

static uint64_t tail_rows(const comparison *work) {
    const uint64_t non_mated = work->plan.relations[ASSAY_RELATION_NON_MATED];
    return work->plan.tail_limit < non_mated ? work->plan.tail_limit : non_mated;
}

static uint64_t histogram_bytes(const comparison *work) {
    return assay_histogram_count(work->plan.combination_count) * ASSAY_COARSE_BINS *
           sizeof(uint64_t);
}

/* What the backend takes beyond templates and the tail that it goes on from. */
static uint64_t backend_bytes(const comparison *work) {
    template_sizes sizes;
    assay_all_pairs shape = shape_of(work, work->plan.count, &sizes);
    const uint64_t tail = tail_rows(work);
    if (of_bits(work)) {
        return work->backend->bits_memory(&shape, work->threads) + tail * sizeof(assay_scored_pair);
    }
    if (work->band == 0) {
        const uint64_t earlier = work->backend->bands ? 0 : tail * sizeof(assay_scored_pair);
        return work->backend->memory(&shape, work->threads) + earlier;
    }
    /* A part is small, but the tail that it adds to is that of the whole. */
    sizes.vectors.count = 2 * work->band;
    shape.tail_limit = 0;
    return work->backend->memory(&shape, work->threads) +
           (tail + tail / 4) * sizeof(assay_scored_pair);
}

/* Vectors as fine and coarse integers; bit strings as words, made of as many bytes. */
static uint64_t template_bytes(const comparison *work) {
    const uint64_t held = work->band == 0 ? work->plan.count : 2 * work->band;
    if (of_bits(work)) {
        return 2 * work->plan.count * ((work->head->length + 63) / 64) * sizeof(assay_hamming_word);
    }
    return held * work->head->length * (sizeof(int32_t) + sizeof(int16_t)) + held * BAND_ROW_BYTES +
           work->plan.count * NORM_BYTES + (uint64_t)READ_BYTES * work->head->length;
}

/* Templates beside what the backend needs; then the evidence, whose tail takes the place of the one
 * that was found. */
uint64_t assay_compare_memory(const comparison *work) {
    const uint64_t writing = histogram_bytes(work) * 2 +
                             tail_rows(work) * sizeof(assay_scored_pair) +
                             work->plan.relations[ASSAY_RELATION_MATED] *
                                 (2 * sizeof(assay_scored_pair) + sizeof(assay_place_pair));
    const uint64_t comparing = backend_bytes(work) + histogram_bytes(work) * 2;
    return template_bytes(work) + (comparing > writing ? comparing : writing) +
           work->head->table.row_count * TABLE_ROW_BYTES * 2 + PROGRAM_BYTES + CHECK_BYTES +
           (uint64_t)work->threads * THREAD_BYTES;
}

uint64_t assay_compare_disk(const comparison *work) {
    uint64_t bytes =
        work->head->table.row_count * TABLE_ROW_BYTES + histogram_bytes(work) +
        (tail_rows(work) + work->plan.relations[ASSAY_RELATION_MATED]) * TAIL_ROW_BYTES +
        FIXED_BYTES;
    if (work->options->matrix_path != NULL) {
        bytes += work->plan.enrolled * work->plan.enrolled * sizeof(double);
    }
    if (work->band > 0) {
        bytes += work->plan.count * work->head->length * (sizeof(int32_t) + sizeof(int16_t));
    }
    return bytes;
}

static assay_status free_disk(const char *path, uint64_t *out) {
    char *directory = NULL;
    assay_status status = assay_path_directory(&directory, path);
    if (status != ASSAY_OK) return status;
    struct statvfs found;
    if (statvfs(directory, &found) != 0) {
        status = assay_fail_errno("cannot ask how much room %s has", directory);
    } else {
        *out = (uint64_t)found.f_bavail * found.f_frsize;
    }
    free(directory);
    return status;
}

/* "0.31 GB", or "63 MB" where that says more. */
enum { SIZE_TEXT = 32 };
static const char *print_size(char out[SIZE_TEXT], uint64_t bytes) {
    if (bytes < 100000000) {
        snprintf(out, SIZE_TEXT, "%" PRIu64 " MB", (bytes + 999999) / 1000000);
    } else {
        snprintf(out, SIZE_TEXT, "%.2f GB", (double)bytes / 1e9);
    }
    return out;
}

static uint64_t memory_needed(const comparison *work) {
    const uint64_t matrix = work->options->matrix_path != NULL
                                ? work->plan.enrolled * work->plan.enrolled * sizeof(double)
                                : 0;
    return assay_compare_memory(work) + matrix;
}

/* Where the set as a whole does not fit, as few bands as do; bands of one tile where none do. */
static void choose_bands(comparison *work) {
    const uint64_t strips = (work->plan.count + ASSAY_TILE_EDGE - 1) / ASSAY_TILE_EDGE;
    const uint64_t asked = (work->options->band + ASSAY_TILE_EDGE - 1) / ASSAY_TILE_EDGE;
    work->band = 0;
    if (!work->backend->bands || of_bits(work)) return;
    if (asked > 0 && asked < strips) {
        work->band = asked * ASSAY_TILE_EDGE;
        return;
    }
    if (memory_needed(work) <= work->memory_limit) return;
    uint64_t of_band = strips;
    for (uint64_t bands = 2; of_band > 1; bands++) {
        of_band = (strips + bands - 1) / bands;
        work->band = of_band * ASSAY_TILE_EDGE;
        if (memory_needed(work) <= work->memory_limit) return;
    }
}

static void note_size(const comparison *work, const char *memory, const char *disk) {
    char read[SIZE_TEXT];
    const assay_plan *plan = &work->plan;
    assay_progress_note(work->progress,
                        "%" PRIu64 " templates of %u, %" PRIu64 " mated and %" PRIu64
                        " non-mated comparisons: at most %s of memory and %s of disk",
                        plan->count, work->head->length, plan->relations[ASSAY_RELATION_MATED],
                        plan->relations[ASSAY_RELATION_NON_MATED], memory, disk);
    if (work->band == 0) return;
    const uint64_t reads = assay_compare_band_reads(work);
    assay_progress_note(work->progress,
                        "the set does not fit memory: %" PRIu64 " bands of %" PRIu64
                        " templates, compared two by two, %" PRIu64 " bands read (%s)",
                        assay_compare_band_count(work), work->band, reads,
                        print_size(read, reads * work->band * work->head->length *
                                             (sizeof(int32_t) + sizeof(int16_t))));
}

assay_status assay_compare_check_size(comparison *work) {
    char memory_text[SIZE_TEXT], disk_text[SIZE_TEXT], room_text[SIZE_TEXT];
    uint64_t room = 0;
    const assay_status status = free_disk(work->out_path, &room);
    if (status != ASSAY_OK) return status;
    choose_bands(work);
    const uint64_t memory = memory_needed(work), disk = assay_compare_disk(work);
    print_size(memory_text, memory);
    print_size(disk_text, disk);
    note_size(work, memory_text, disk_text);
    if (memory > work->memory_limit) {
        return assay_fail(ASSAY_FAILED,
                          "comparing %" PRIu64 " templates of %u with backend %s needs %s of "
                          "memory%s; %s may be used (fewer threads, fewer histogram_by "
                          "combinations, a lower tail cap or larger --memory)",
                          work->plan.count, work->head->length, work->backend->name, memory_text,
                          work->band > 0 ? " even by the smallest bands" : "",
                          print_size(room_text, work->memory_limit));
    }
    if (disk > room) {
        return assay_fail(ASSAY_FAILED, "writing %s needs up to %s of disk; %s are free",
                          work->out_path, disk_text, print_size(room_text, room));
    }
    return ASSAY_OK;
}
