/* manifest_images -- the files that a manifest names: opened beneath the root, hashed, and looked
 * at for images that are there twice. */
#include "datasets/manifest_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/pace.h"

enum { BLOCK_SIZE = 256 * 1024, WARNING_LIMIT = 100 };

static const char digest_differs[] = "SHA-256 differs from the manifest's";

typedef struct {
    const assay_grid *grid;
    size_t column;
    const assay_progress *progress;
    assay_faults *faults;
    assay_text *warnings;
    assay_sample_table *table;
    assay_digester *digester;
    uint8_t *block; /* [BLOCK_SIZE] */
    int root_fd;
    unsigned allowed;   /* of assay_file_open_beneath */
    uint64_t differing; /* images whose digest is not the manifest's */
} hashing;

static assay_status hash_descriptor(hashing *in, int fd, const char *path, assay_digest *out) {
    for (;;) {
        ssize_t count = read(fd, in->block, BLOCK_SIZE);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return assay_fail_errno("cannot read the image %s", path);
        if (count == 0) return assay_digester_finish(in->digester, out);
        assay_digester_add(in->digester, in->block, (size_t)count);
    }
}

/* A sample whose file is not the one that was listed takes no part, and the run goes on. */
static assay_status exclude(hashing *in, uint64_t row) {
    in->table->enrolment[row] = ASSAY_ENROLMENT_EXCLUDED;
    if (in->differing++ < WARNING_LIMIT) {
        assay_manifest_warn(in->progress, in->warnings, "the sample '%s' is excluded: %s (%s)",
                            in->table->sample_id[row], digest_differs, in->table->path[row]);
    }
    return assay_labelled_set(&in->table->enrolment_reason, row, digest_differs);
}

/* image_digest holds the manifest's digest, or zero, and gets the file's. */
static assay_status check_image(hashing *in, uint64_t row) {
    const char *path = in->table->path[row];
    assay_digest *digest = &in->table->image_digest[row], found = {{0}};
    int fd = -1;
    if (path[0] == '\0') return ASSAY_OK; /* a fault already */
    assay_status status = assay_file_open_beneath(in->root_fd, path, in->allowed, &fd);
    if (status == ASSAY_USAGE ||
        (status == ASSAY_FAILED && errno != EMFILE && errno != ENFILE && errno != ENOSYS)) {
        assay_grid_fault(in->grid, row, in->column, in->faults, "%s", assay_error_text());
        return ASSAY_OK;
    }
    if (status != ASSAY_OK) return status;
    if (in->faults->count == 0) {
        status = hash_descriptor(in, fd, path, &found);
        if (status == ASSAY_OK && !assay_digest_is_zero(digest) &&
            !assay_digest_equal(digest, &found)) {
            status = exclude(in, row);
        }
        *digest = found;
    }
    close(fd);
    return status;
}

static assay_status check_images(hashing *in) {
    assay_pace pace = {0};
    uint64_t rows = in->table->row_count;
    for (uint64_t row = 0; row < rows; row++) {
        assay_status status = check_image(in, row);
        if (status != ASSAY_OK) return status;
        if ((assay_pace_due(&pace) || row + 1 == rows) &&
            !assay_progress_tell(in->progress, "hash", "images", row + 1, rows)) {
            return assay_fail(ASSAY_FAILED, "reading the images: interrupted");
        }
    }
    if (in->differing > WARNING_LIMIT) {
        assay_manifest_warn(in->progress, in->warnings, "%" PRIu64 " more samples are excluded: %s",
                            in->differing - WARNING_LIMIT, digest_differs);
    }
    return ASSAY_OK;
}

/* ---- images that are there twice ---- */

static int compare_digests(const void *a, const void *b, void *context) {
    const assay_digest *digests = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order = memcmp(digests[i].bytes, digests[j].bytes, sizeof digests[i].bytes);
    return order ? order : (i > j) - (i < j);
}

static void warn_twin(const hashing *in, uint32_t first, uint32_t other) {
    const assay_sample_table *table = in->table;
    assay_manifest_warn(in->progress, in->warnings,
                        "the samples '%s' of subject '%s' and '%s' of subject '%s' are the same "
                        "image, byte for byte: one person under two subject ids, or a wrong label",
                        table->sample_id[first], table->subject_id[table->subject[first]],
                        table->sample_id[other], table->subject_id[table->subject[other]]);
}

/* Runs of equal digests: twins of another subject are told by name, those of one are counted. */
static assay_status find_twins(const hashing *in) {
    const assay_sample_table *table = in->table;
    uint32_t *order = NULL;
    uint64_t same = 0, twins = 0;
    assay_status status =
        assay_allocate(&order, table->row_count, sizeof *order, "the order of digests");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; row++) order[row] = (uint32_t)row;
    qsort_r(order, table->row_count, sizeof *order, compare_digests, table->image_digest);
    for (uint64_t begin = 0, end = 0; begin < table->row_count; begin = end) {
        const assay_digest *digest = &table->image_digest[order[begin]];
        for (end = begin + 1; end < table->row_count; end++) {
            if (!assay_digest_equal(digest, &table->image_digest[order[end]])) break;
            if (table->subject[order[end]] == table->subject[order[begin]]) {
                same++;
            } else if (twins++ < WARNING_LIMIT) {
                warn_twin(in, order[begin], order[end]);
            }
        }
    }
    free(order);
    if (twins > WARNING_LIMIT) {
        assay_manifest_warn(in->progress, in->warnings,
                            "%" PRIu64 " more images are those of another subject, byte for byte",
                            twins - WARNING_LIMIT);
    }
    if (same) {
        assay_manifest_warn(
            in->progress, in->warnings,
            "images that are byte-identical to another of their own subject: %" PRIu64
            "; such pairs are never mated comparisons",
            same);
    }
    return ASSAY_OK;
}

assay_status assay_manifest_hash(const assay_manifest_declaration *declaration,
                                 const assay_grid *grid, size_t path_column,
                                 const assay_progress *progress, assay_faults *faults,
                                 assay_text *warnings, assay_sample_table *table) {
    const char *root = declaration->root;
    hashing in = {.grid = grid,
                  .column = path_column,
                  .progress = progress,
                  .faults = faults,
                  .warnings = warnings,
                  .table = table,
                  .allowed = declaration->allowed,
                  .root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    assay_status status = ASSAY_OK;
    if (in.root_fd < 0) {
        assay_faults_add(faults, "%s: cannot open the data root: %s", root, strerror(errno));
        goto out;
    }
    status = assay_allocate(&in.block, BLOCK_SIZE, 1, "reading images");
    if (status != ASSAY_OK) goto out;
    status = assay_digester_open(&in.digester);
    if (status != ASSAY_OK) goto out;
    status = check_images(&in);
    if (status != ASSAY_OK) goto out;
    if (faults->count == 0) status = find_twins(&in);
out:
    assay_digester_free(in.digester);
    free(in.block);
    if (in.root_fd >= 0) close(in.root_fd);
    return status;
}
