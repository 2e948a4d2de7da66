/* ingest -- manifest and images to a data set. The manifest hashes every file; here each is read
 * again, found unchanged, and decoded once in the confined worker; then the container reads it a
 * last time and checks it against the same digest. No more than one image is in memory at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/text.h"
#include "datasets/image.h"
#include "harness/enrolment.h"
#include "harness/steps.h"

#define IMAGE_BYTES_MAX ((size_t)256 << 20)
#define WARNINGS_MAX 1000
#define REFUSAL_MAX 256

/* Where the images are; also what the container's writer calls back with. */
typedef struct {
    const assay_sample_table *table;
    const char *root;
    int root_fd;
    unsigned allowed;       /* of assay_file_open_beneath */
    const uint8_t *without; /* [row_count] rows whose bytes are not kept */
} image_source;

static assay_status read_all(int fd, const char *path, uint8_t **out, size_t *out_count) {
    struct stat about;
    uint8_t *bytes = NULL;
    size_t count = 0;
    if (fstat(fd, &about) != 0) return assay_fail_errno("reading %s", path);
    if (about.st_size > (off_t)IMAGE_BYTES_MAX) {
        return assay_fail(ASSAY_USAGE, "reading %s: it has %lld bytes, an image may have %zu", path,
                          (long long)about.st_size, IMAGE_BYTES_MAX);
    }
    size_t room = (size_t)about.st_size + 1; /* one more, so that a file that grew is seen */
    assay_status status = assay_allocate(&bytes, room, 1, path);
    if (status != ASSAY_OK) goto out;
    while (count < room) {
        ssize_t got = read(fd, bytes + count, room - count);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            status = assay_fail_errno("reading %s", path);
            goto out;
        }
        count += (size_t)got;
    }
    *out = bytes;
    *out_count = count;
    bytes = NULL;
out:
    free(bytes);
    return status;
}

/* The image of row, found to be what the manifest hashed. */
static assay_status read_image(void *context, uint64_t row, uint8_t **out, size_t *out_count) {
    const image_source *source = context;
    const char *path = source->table->path == NULL ? NULL : source->table->path[row];
    uint8_t *bytes = NULL;
    size_t count = 0;
    int fd = -1;
    assay_digest digest;
    if (path == NULL || source->without[row]) {
        *out = NULL;
        *out_count = 0;
        return ASSAY_OK;
    }
    assay_status status = assay_file_open_beneath(source->root_fd, path, source->allowed, &fd);
    if (status != ASSAY_OK) goto out;
    status = read_all(fd, path, &bytes, &count);
    if (status != ASSAY_OK) goto out;
    status = assay_digest_bytes(bytes, count, &digest);
    if (status != ASSAY_OK) goto out;
    if (!assay_digest_equal(&digest, &source->table->image_digest[row])) {
        status =
            assay_fail(ASSAY_FAILED, "reading %s/%s: it changed since the manifest was checked",
                       source->root, path);
        goto out;
    }
    *out = bytes;
    *out_count = count;
    bytes = NULL;
out:
    free(bytes);
    if (fd >= 0) close(fd);
    return status;
}

/* Decodes the image of row; one that cannot be decoded becomes an EXCLUDED sample with a warning.
 */
static assay_status check_image(image_source *source, assay_image_reader *reader, uint64_t row,
                                const assay_progress *progress, assay_sample_table *table,
                                assay_text *warnings) {
    uint8_t *bytes = NULL;
    size_t count = 0;
    assay_image image = {0};
    char refusal[REFUSAL_MAX] = "";
    assay_status status = read_image(source, row, &bytes, &count);
    if (status != ASSAY_OK || bytes == NULL) goto out;
    status = assay_image_decode(reader, bytes, count, 3, 1, &image, refusal, sizeof refusal);
    if (status != ASSAY_OK || refusal[0] == '\0') goto out;
    assay_progress_note(progress, "%s: excluded: %s", table->path[row], refusal);
    assay_text_appendf(warnings, "%s: excluded: %s\n", table->path[row], refusal);
    status = assay_enrolment_set(table, row, ASSAY_ENROLMENT_EXCLUDED, refusal);
out:
    assay_image_free(&image);
    free(bytes);
    return status;
}

static assay_status check_images(image_source *source, const assay_progress *progress,
                                 assay_sample_table *table, assay_text *warnings) {
    assay_image_reader *reader = NULL;
    assay_pace pace = {0};
    assay_status status = assay_image_reader_open(&reader);
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < table->row_count; row++) {
        if (table->enrolment[row] == ASSAY_ENROLMENT_NONE) {
            status = check_image(source, reader, row, progress, table, warnings);
            if (status != ASSAY_OK) goto out;
        }
        bool last = row + 1 == table->row_count;
        if ((last || assay_pace_due(&pace)) &&
            !assay_progress_tell(progress, "ingest", "images", row + 1, table->row_count)) {
            status = assay_fail(ASSAY_FAILED, "checking the images: interrupted");
            goto out;
        }
    }
out:
    assay_image_reader_close(reader);
    return status;
}

/* The declared notes with the first warnings and their number; *out is freed by free(). */
static assay_status merge_notes(const char *declared, const assay_text *warnings, char **out,
                                uint64_t *out_count) {
    json_t *notes = json_loads(declared == NULL ? "{}" : declared, 0, NULL);
    json_t *list = json_array();
    const char *line = warnings->bytes;
    uint64_t count = 0;
    assay_status status = ASSAY_OK;
    char *text = NULL;
    if (!json_is_object(notes)) {
        status = assay_fail(ASSAY_USAGE, "the notes of the data set are no map: %s", declared);
        goto out;
    }
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        size_t length = end == NULL ? strlen(line) : (size_t)(end - line);
        if (length > 0 && count++ < WARNINGS_MAX) {
            json_array_append_new(list, json_stringn(line, length));
        }
        line = end == NULL ? NULL : end + 1;
    }
    json_object_set(notes, "warnings", list);
    json_object_set_new(notes, "warning_count", json_integer((json_int_t)count));
    text = json_dumps(notes, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL) {
        status = assay_fail(ASSAY_FAILED, "no memory for the notes of the data set");
        goto out;
    }
    *out = text;
    *out_count = count;
out:
    json_decref(list);
    json_decref(notes);
    return status;
}

static assay_status open_source(const assay_manifest_declaration *declaration,
                                const assay_sample_table *table, uint8_t *without,
                                image_source *out) {
    const char *root = declaration->root;
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return assay_fail_errno("opening the folder of the images, %s", root);
    for (uint64_t row = 0; row < table->row_count; row++) {
        without[row] = table->enrolment[row] == ASSAY_ENROLMENT_EXCLUDED;
    }
    *out = (image_source){.table = table,
                          .root = root,
                          .root_fd = fd,
                          .allowed = declaration->allowed,
                          .without = without};
    return ASSAY_OK;
}

static void fill_result(const assay_dataset_head *head, uint64_t warnings,
                        assay_ingest_result *out) {
    *out = (assay_ingest_result){.samples = head->table.row_count,
                                 .subjects = head->table.subject_count,
                                 .warnings = warnings,
                                 .digest = head->digest};
    for (uint64_t row = 0; row < head->table.row_count; row++) {
        out->excluded += head->table.enrolment[row] == ASSAY_ENROLMENT_EXCLUDED;
    }
}

assay_status assay_ingest(const assay_manifest_declaration *declaration, const char *out_path,
                          const assay_progress *progress, assay_ingest_result *out) {
    assay_dataset_head head = {0};
    image_source source = {.root_fd = -1};
    assay_text warnings = {0};
    uint8_t *without = NULL;
    uint64_t warning_count = 0;
    assay_status status = assay_manifest_read(declaration, progress, &head.table, &warnings);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&without, head.table.row_count, 1, "rows without an image");
    if (status != ASSAY_OK) goto out;
    status = open_source(declaration, &head.table, without, &source);
    if (status != ASSAY_OK) goto out;
    status = check_images(&source, progress, &head.table, &warnings);
    if (status != ASSAY_OK) goto out;
    status = assay_text_status(&warnings);
    if (status != ASSAY_OK) goto out;
    status = assay_copy_string(&head.name, declaration->name);
    if (status != ASSAY_OK) goto out;
    status = merge_notes(declaration->notes_json, &warnings, &head.notes_json, &warning_count);
    if (status != ASSAY_OK) goto out;
    status = assay_dataset_digest(&head.table, &head.digest);
    if (status != ASSAY_OK) goto out;
    status = assay_dataset_write(out_path, &head, read_image, &source, progress);
    if (status != ASSAY_OK) goto out;
    fill_result(&head, warning_count, out);
out:
    if (source.root_fd >= 0) close(source.root_fd);
    free(without);
    assay_text_free(&warnings);
    assay_dataset_head_free(&head);
    return status;
}
