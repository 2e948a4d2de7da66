/* dataset_file -- dataset.h5: the sample table, and the image bytes as they came. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/store.h"

#define FORMAT "assay-dataset"
#define COPY_BYTES ((size_t)1 << 20)

void assay_dataset_head_free(assay_dataset_head *head) {
    if (!head) return;
    free(head->name);
    free(head->notes_json);
    assay_sample_table_free(&head->table);
    memset(head, 0, sizeof *head);
}

assay_status assay_dataset_digest(const assay_sample_table *table, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status) return status;
    assay_digester_add_string(digester, "assay-dataset/1");
    assay_sample_table_digest(table, false, digester);
    status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

/* ---- writing ----
 *
 * The size of all images is known only when all have been read, and a contiguous array must be made
 * in its size. So the bytes wait in an unnamed file beside the container until then. */

typedef struct {
    const assay_dataset_head *head;
    const char *path; /* the final one, for messages */
    assay_read_image read_image;
    void *context;
    const assay_progress *progress;
    int spool;
    uint64_t *offset, *length; /* [row_count] */
    uint64_t total;
} dataset_writing;

static assay_status write_fully(int fd, const char *path, const uint8_t *bytes, size_t count,
                                uint64_t offset) {
    while (count > 0) {
        ssize_t wrote = pwrite(fd, bytes, count, (off_t)offset);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return assay_fail_errno("cannot write the images of %s", path);
        bytes += wrote;
        count -= (size_t)wrote;
        offset += (uint64_t)wrote;
    }
    return ASSAY_OK;
}

static assay_status open_spool(const char *temporary, int *out) {
    char *path = NULL;
    if (asprintf(&path, "%s.images", temporary) < 0)
        return assay_fail(ASSAY_FAILED, "no memory for a file name");
    assay_status status = ASSAY_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        status = assay_fail_errno("cannot make %s", path);
    else
        unlink(path);
    free(path);
    if (status == ASSAY_OK) *out = fd;
    return status;
}

/* The bytes must be those that the table's digest was made of. */
static assay_status check_image(const dataset_writing *job, uint64_t row, const uint8_t *bytes,
                                size_t count) {
    const assay_sample_table *table = &job->head->table;
    assay_digest digest;
    assay_status status = assay_digest_bytes(bytes, count, &digest);
    if (status) return status;
    if (!assay_digest_equal(&digest, &table->image_digest[row]))
        return assay_fail(ASSAY_FAILED,
                          "the image of sample '%s' does not have the SHA-256 that was noted when "
                          "the manifest was read: it changed meanwhile",
                          table->sample_id[row]);
    return ASSAY_OK;
}

static assay_status spool_images(dataset_writing *job) {
    const uint64_t rows = job->head->table.row_count;
    assay_pace pace = {0};
    for (uint64_t row = 0; row < rows; row++) {
        uint8_t *bytes = NULL;
        size_t count = 0;
        assay_status status = job->read_image(job->context, row, &bytes, &count);
        if (status == ASSAY_OK && bytes && count) status = check_image(job, row, bytes, count);
        if (status == ASSAY_OK && bytes && count)
            status = write_fully(job->spool, job->path, bytes, count, job->total);
        free(bytes);
        if (status) return status;
        job->offset[row] = job->total;
        job->length[row] = bytes ? count : 0;
        job->total += job->length[row];
        if ((row + 1 == rows || assay_pace_due(&pace)) &&
            !assay_progress_tell(job->progress, "store images", "images", row + 1, rows))
            return assay_fail(ASSAY_FAILED, "stopped while storing the images of %s", job->path);
    }
    return ASSAY_OK;
}

static assay_status put_images(assay_store *store, const dataset_writing *job,
                               assay_extent *extent) {
    const uint64_t rows = job->head->table.row_count;
    assay_array offset = {"/images/offset", H5T_STD_U64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_array length = {"/images/length", H5T_STD_U64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_array bytes = {
        "/images/bytes", H5T_STD_U8LE, 1, {job->total, 0}, ASSAY_LAYOUT_CONTIGUOUS};
    hid_t dataset = -1;
    assay_status status = assay_store_put_group(store, "/images");
    if (status) return status;
    if ((status = assay_array_write(store, &offset, job->offset))) return status;
    if ((status = assay_array_write(store, &length, job->length))) return status;
    if ((status = assay_array_create(store, &bytes, &dataset))) return status;
    if ((status = assay_array_extent(store, &bytes, dataset, extent))) return status;
    return assay_array_finish(store, &bytes, dataset);
}

/* Everything but the bytes of the images, for which it makes room. */
static assay_status write_store(const dataset_writing *job, const char *temporary,
                                assay_extent *extent) {
    assay_store store = ASSAY_STORE_NONE;
    assay_status status = assay_store_create(temporary, FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    if ((status = assay_store_put_text(&store, "/", "name", job->head->name))) return status;
    if ((status = assay_store_put_digest(&store, "/", "digest", &job->head->digest))) return status;
    if ((status = assay_document_write(&store, "/notes", job->head->notes_json))) return status;
    if ((status = assay_store_put_table(&store, &job->head->table))) return status;
    if ((status = put_images(&store, job, extent))) return status;
    return assay_store_finish(&store);
}

static assay_status fill_images(const dataset_writing *job, const char *temporary,
                                const assay_extent *extent) {
    uint8_t *buffer = NULL;
    assay_status status = assay_allocate(&buffer, COPY_BYTES, 1, "a copy of images");
    if (status) return status;
    int fd = open(temporary, O_WRONLY | O_CLOEXEC);
    if (fd < 0) status = assay_fail_errno("cannot open %s", temporary);
    for (uint64_t done = 0; status == ASSAY_OK && done < job->total;) {
        size_t wanted = job->total - done < COPY_BYTES ? job->total - done : COPY_BYTES;
        ssize_t got = pread(job->spool, buffer, wanted, (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            status = assay_fail_errno("cannot read back the images of %s", job->path);
        else
            status = write_fully(fd, job->path, buffer, (size_t)got, extent->offset + done);
        if (got > 0) done += (uint64_t)got;
    }
    if (fd >= 0 && close(fd) != 0 && status == ASSAY_OK)
        status = assay_fail_errno("cannot close %s", temporary);
    free(buffer);
    return status;
}

static assay_status write_dataset(void *context, const char *temporary,
                                  assay_store_extents *extents) {
    dataset_writing *job = context;
    const uint64_t rows = job->head->table.row_count;
    assay_extent extent = {0, 0};
    assay_status status;
    if ((status = open_spool(temporary, &job->spool))) goto out;
    if ((status = assay_allocate(&job->offset, rows, sizeof *job->offset, "image places")))
        goto out;
    if ((status = assay_allocate(&job->length, rows, sizeof *job->length, "image sizes"))) goto out;
    if ((status = spool_images(job))) goto out;
    if ((status = write_store(job, temporary, &extent))) goto out;
    if ((status = fill_images(job, temporary, &extent))) goto out;
    if (extent.length) extents->list[extents->count++] = extent;
out:
    if (job->spool >= 0) close(job->spool);
    free(job->offset);
    free(job->length);
    return status;
}

assay_status assay_dataset_write(const char *path, const assay_dataset_head *head,
                                 assay_read_image read_image, void *context,
                                 const assay_progress *progress) {
    char hex[ASSAY_DIGEST_HEX];
    assay_digest digest;
    assay_status status = assay_table_check(path, &head->table);
    if (status) return status;
    if ((status = assay_dataset_digest(&head->table, &digest))) return status;
    assay_dataset_head written = *head;
    written.digest = digest;
    dataset_writing job = {.head = &written,
                           .path = path,
                           .read_image = read_image,
                           .context = context,
                           .progress = progress,
                           .spool = -1};
    json_t *details =
        json_pack("{s:s,s:s,s:I,s:I}", "name", head->name, "digest", assay_digest_hex(hex, &digest),
                  "samples", (json_int_t)head->table.row_count, "subjects",
                  (json_int_t)head->table.subject_count);
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    status = assay_store_publish(path, "dataset", details_json, write_dataset, &job);
    free(details_json);
    json_decref(details);
    return status;
}

/* ---- reading ---- */

struct assay_dataset {
    assay_sealed_file *sealed;
    assay_dataset_head head;
    uint64_t *offset, *length; /* [row_count] */
    assay_extent images;
};

static assay_status get_images(const assay_store *store, assay_dataset *dataset) {
    const uint64_t rows = dataset->head.table.row_count;
    assay_array offset = {"/images/offset", H5T_STD_U64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_array length = {"/images/length", H5T_STD_U64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_array bytes = {"/images/bytes", H5T_STD_U8LE, 1, {0, 0}, ASSAY_LAYOUT_CONTIGUOUS};
    hid_t array = -1;
    uint64_t total = 0;
    assay_status status =
        assay_allocate(&dataset->offset, rows, sizeof *dataset->offset, "image places");
    if (status) return status;
    status = assay_allocate(&dataset->length, rows, sizeof *dataset->length, "image sizes");
    if (status) return status;
    if ((status = assay_array_read(store, &offset, dataset->offset))) return status;
    if ((status = assay_array_read(store, &length, dataset->length))) return status;
    if ((status = assay_array_shape(store, bytes.path, 1, bytes.dims))) return status;
    for (uint64_t row = 0; row < rows; row++) {
        if (dataset->offset[row] != total || dataset->length[row] > bytes.dims[0] - total)
            return assay_store_wrong(store, "/images/offset", "images one behind the other");
        total += dataset->length[row];
    }
    if (total != bytes.dims[0])
        return assay_store_wrong(store, "/images/bytes", "the sum of /images/length");
    if ((status = assay_array_open(store, &bytes, &array))) return status;
    status = assay_array_extent(store, &bytes, array, &dataset->images);
    H5Dclose(array);
    return status;
}

static assay_status get_head(const assay_store *store, assay_dataset_head *head) {
    assay_digest digest;
    assay_status status = assay_store_get_text(store, "/", "name", &head->name);
    if (status) return status;
    if ((status = assay_store_get_digest(store, "/", "digest", &head->digest))) return status;
    if ((status = assay_document_read(store, "/notes", &head->notes_json))) return status;
    if ((status = assay_store_get_table(store, &head->table))) return status;
    if ((status = assay_dataset_digest(&head->table, &digest))) return status;
    if (!assay_digest_equal(&digest, &head->digest))
        return assay_store_wrong(store, "digest", "the SHA-256 of the sample table");
    return ASSAY_OK;
}

assay_status assay_dataset_open(const char *path, assay_dataset **out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_dataset *dataset = NULL;
    assay_status status = assay_allocate(&dataset, 1, sizeof *dataset, "a data set");
    if (status) goto out;
    if ((status = assay_store_open(path, FORMAT, &dataset->sealed, &store))) goto out;
    if ((status = get_head(&store, &dataset->head))) goto out;
    if ((status = get_images(&store, dataset))) goto out;
    *out = dataset;
    dataset = NULL;
out:
    assay_store_close(&store);
    assay_dataset_close(dataset);
    return status;
}

void assay_dataset_close(assay_dataset *dataset) {
    if (!dataset) return;
    assay_sealed_file_close(dataset->sealed);
    assay_dataset_head_free(&dataset->head);
    free(dataset->offset);
    free(dataset->length);
    free(dataset);
}

const assay_dataset_head *assay_dataset_get_head(const assay_dataset *dataset) {
    return &dataset->head;
}

assay_status assay_dataset_read_image(assay_dataset *dataset, uint64_t row, uint8_t **out,
                                      size_t *out_count) {
    const assay_sample_table *table = &dataset->head.table;
    const char *name = assay_sealed_file_name(dataset->sealed);
    uint8_t *bytes = NULL;
    assay_digest digest;
    if (row >= table->row_count)
        return assay_fail(ASSAY_FAILED, "%s has no row %llu, only %llu of them", name,
                          (unsigned long long)row, (unsigned long long)table->row_count);
    const uint64_t length = dataset->length[row];
    if (length == 0) {
        *out = NULL;
        *out_count = 0;
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&bytes, length, 1, "an image");
    if (status) return status;
    status = assay_sealed_file_read(dataset->sealed, dataset->images.offset + dataset->offset[row],
                                    length, bytes);
    if (status == ASSAY_OK) status = assay_digest_bytes(bytes, length, &digest);
    if (status == ASSAY_OK && !assay_digest_equal(&digest, &table->image_digest[row]))
        status = assay_fail(ASSAY_FAILED, "%s: the image of sample '%s' does not have its SHA-256",
                            name, table->sample_id[row]);
    if (status) {
        free(bytes);
        return status;
    }
    *out = bytes;
    *out_count = length;
    return ASSAY_OK;
}
