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
};

static assay_all_pairs shape_of(const comparison *work, assay_quantised *set) {
    *set = (assay_quantised){.count = work->plan.count, .length = work->head->length};
    return (assay_all_pairs){
        .templates = set,
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

/* Templates are held as floats while they are quantised, then as fine and coarse integers beside
 * what the backend needs; then the evidence is put together beside the tail, sorted through a copy.
 */
uint64_t assay_compare_memory(const comparison *work) {
    assay_quantised set;
    const assay_all_pairs shape = shape_of(work, &set);
    const uint64_t cells = work->plan.count * work->head->length;
    const uint64_t integers = cells * (sizeof(int32_t) + sizeof(int16_t));
    const uint64_t quantising = integers + cells * sizeof(float);
    const uint64_t comparing = integers + work->backend->memory(&shape, work->threads);
    const uint64_t writing =
        integers + histogram_bytes(work) * 2 +
        tail_rows(work) * (sizeof(assay_scored_pair) + 2 * sizeof(assay_comparison)) +
        work->plan.relations[ASSAY_RELATION_MATED] *
            (sizeof(assay_scored_pair) + sizeof(assay_place_pair) + 2 * sizeof(assay_comparison));
    uint64_t most = quantising > comparing ? quantising : comparing;
    if (writing > most) most = writing;
    return most + work->head->table.row_count * TABLE_ROW_BYTES * 2 + PROGRAM_BYTES +
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

assay_status assay_compare_check_size(const comparison *work) {
    uint64_t memory = assay_compare_memory(work), disk = assay_compare_disk(work), room = 0;
    if (work->options->matrix_path != NULL) {
        memory += work->plan.enrolled * work->plan.enrolled * sizeof(double);
    }
    char memory_text[SIZE_TEXT], disk_text[SIZE_TEXT], room_text[SIZE_TEXT];
    const assay_status status = free_disk(work->out_path, &room);
    if (status != ASSAY_OK) return status;
    print_size(memory_text, memory);
    print_size(disk_text, disk);
    assay_progress_note(work->progress,
                        "%" PRIu64 " templates of %u, %" PRIu64 " mated and %" PRIu64
                        " non-mated comparisons: at most %s of memory and %s of disk",
                        work->plan.count, work->head->length,
                        work->plan.relations[ASSAY_RELATION_MATED],
                        work->plan.relations[ASSAY_RELATION_NON_MATED], memory_text, disk_text);
    if (memory > work->memory_limit) {
        return assay_fail(ASSAY_FAILED,
                          "comparing %" PRIu64 " templates of %u with backend %s needs %s of "
                          "memory; %s may be used (fewer threads, fewer histogram_by "
                          "combinations, a lower tail cap or larger --memory)",
                          work->plan.count, work->head->length, work->backend->name, memory_text,
                          print_size(room_text, work->memory_limit));
    }
    if (disk > room) {
        return assay_fail(ASSAY_FAILED, "writing %s needs up to %s of disk; %s are free",
                          work->out_path, disk_text, print_size(room_text, room));
    }
    return ASSAY_OK;
}
