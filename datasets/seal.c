/* seal -- what FILE.seal holds, made from a finished file and read back (FORMAT.md, "Seals"). */
#include "datasets/seal.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/json_text.h"

#define SEAL_FORMAT "assay-seal/1"
#define SEAL_BYTES_MAX ((size_t)1 << 30)

void assay_seal_free(assay_seal *seal) {
    if (!seal) return;
    free(seal->what);
    free(seal->blocks);
    free(seal->extents);
    memset(seal, 0, sizeof *seal);
}

assay_status assay_seal_path(const char *file_path, char **out) {
    static const char suffix[] = ".seal";
    size_t length = strlen(file_path);
    char *path = NULL;
    assay_status status = assay_allocate(&path, length + sizeof suffix, 1, "the name of a seal");
    if (status) return status;
    memcpy(path, file_path, length);
    memcpy(path + length, suffix, sizeof suffix);
    *out = path;
    return ASSAY_OK;
}

assay_status assay_read_exactly(int fd, const char *path, uint64_t offset, size_t count,
                                void *out) {
    char *bytes = out;
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(fd, bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return assay_fail_errno("cannot read %s", path);
        if (got == 0)
            return assay_fail(ASSAY_FAILED, "%s ends at byte %llu, expected %llu more bytes there",
                              path, (unsigned long long)(offset + done),
                              (unsigned long long)(count - done));
        done += (size_t)got;
    }
    return ASSAY_OK;
}

static uint64_t block_count_of(uint64_t size) {
    return size / ASSAY_SEAL_BLOCK + (size % ASSAY_SEAL_BLOCK != 0);
}

/* Extents lie in the file, in ascending order, and do not touch each other's bytes. */
static bool extents_fit(const assay_extent *extents, size_t count, uint64_t size) {
    uint64_t end = 0;
    for (size_t e = 0; e < count; e++) {
        if (extents[e].offset < end || extents[e].offset > size) return false;
        if (extents[e].length > size - extents[e].offset) return false;
        end = extents[e].offset + extents[e].length;
    }
    return true;
}

assay_status assay_seal_make(int fd, const char *path, const char *what,
                             const assay_extent *extents, size_t extent_count, assay_seal *out) {
    assay_status status = ASSAY_OK;
    assay_seal seal = {.extent_count = extent_count};
    assay_digester *digester = NULL;
    uint8_t *block = NULL;
    struct stat info;
    if (fstat(fd, &info) != 0) {
        status = assay_fail_errno("cannot seal %s", path);
        goto out;
    }
    seal.size = (uint64_t)info.st_size;
    seal.block_count = block_count_of(seal.size);
    if (!extents_fit(extents, extent_count, seal.size)) {
        status = assay_fail(ASSAY_FAILED,
                            "cannot seal %s: its extents are not ascending and within "
                            "its %llu bytes",
                            path, (unsigned long long)seal.size);
        goto out;
    }
    if ((status = assay_copy_string(&seal.what, what))) goto out;
    if ((status = assay_allocate(&seal.extents, extent_count, sizeof *extents, "extents")))
        goto out;
    if (extent_count) memcpy(seal.extents, extents, extent_count * sizeof *extents);
    if ((status = assay_allocate(&seal.blocks, seal.block_count, sizeof *seal.blocks, "a seal")))
        goto out;
    status =
        assay_allocate_aligned(&block, seal.size < ASSAY_SEAL_BLOCK ? seal.size : ASSAY_SEAL_BLOCK,
                               1, "a block of a file");
    if (status) goto out;
    if ((status = assay_digester_open(&digester))) goto out;
    for (uint64_t b = 0; b < seal.block_count; b++) {
        uint64_t offset = b * ASSAY_SEAL_BLOCK, count = seal.size - offset;
        if (count > ASSAY_SEAL_BLOCK) count = ASSAY_SEAL_BLOCK;
        if ((status = assay_read_exactly(fd, path, offset, count, block))) goto out;
        if ((status = assay_digest_bytes(block, count, &seal.blocks[b]))) goto out;
        assay_digester_add(digester, block, count);
    }
    if ((status = assay_digester_finish(digester, &seal.whole))) goto out;
    *out = seal;
    memset(&seal, 0, sizeof seal);
out:
    assay_digester_free(digester);
    free(block);
    assay_seal_free(&seal);
    return status;
}

/* The digest that a seal carries of its own values. */
static assay_status digest_values(const assay_seal *seal, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status) return status;
    assay_digester_add_string(digester, SEAL_FORMAT);
    assay_digester_add_string(digester, seal->what);
    assay_digester_add_u64(digester, seal->size);
    assay_digester_add(digester, seal->whole.bytes, sizeof seal->whole.bytes);
    assay_digester_add_u64(digester, ASSAY_SEAL_BLOCK);
    assay_digester_add_u64(digester, seal->block_count);
    for (uint64_t b = 0; b < seal->block_count; b++)
        assay_digester_add(digester, seal->blocks[b].bytes, sizeof seal->blocks[b].bytes);
    assay_digester_add_u64(digester, seal->extent_count);
    for (size_t e = 0; e < seal->extent_count; e++) {
        assay_digester_add_u64(digester, seal->extents[e].offset);
        assay_digester_add_u64(digester, seal->extents[e].length);
    }
    status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

static json_t *digest_json(const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    return json_string(assay_digest_hex(hex, digest));
}

assay_status assay_seal_to_json(const assay_seal *seal, const char *file_name, char **out) {
    assay_digest values;
    assay_status status = digest_values(seal, &values);
    if (status) return status;
    json_t *root = json_object(), *blocks = json_array(), *extents = json_array();
    int fault = 0;
    for (uint64_t b = 0; b < seal->block_count; b++)
        fault |= json_array_append_new(blocks, digest_json(&seal->blocks[b]));
    for (size_t e = 0; e < seal->extent_count; e++)
        fault |= json_array_append_new(
            extents, json_pack("{s:I,s:I}", "offset", (json_int_t)seal->extents[e].offset, "length",
                               (json_int_t)seal->extents[e].length));
    fault |= json_object_set_new(root, "format", json_string(SEAL_FORMAT));
    fault |= json_object_set_new(root, "file", json_string(file_name));
    fault |= json_object_set_new(root, "what", json_string(seal->what));
    fault |= json_object_set_new(root, "program", json_string("assay " ASSAY_VERSION));
    fault |= json_object_set_new(root, "size", json_integer((json_int_t)seal->size));
    fault |= json_object_set_new(root, "sha256", digest_json(&seal->whole));
    fault |= json_object_set_new(root, "block_size", json_integer((json_int_t)ASSAY_SEAL_BLOCK));
    fault |= json_object_set_new(root, "blocks", blocks);
    fault |= json_object_set_new(root, "extents", extents);
    fault |= json_object_set_new(root, "values_sha256", digest_json(&values));
    char *text = fault ? NULL : json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(root);
    if (!text)
        return assay_fail(ASSAY_FAILED,
                          "cannot write the seal of %s: its name is not UTF-8, or "
                          "memory is out",
                          file_name);
    *out = text;
    return ASSAY_OK;
}

static bool get_u64(const json_t *object, const char *key, uint64_t *out) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool get_digest(const json_t *value, assay_digest *out) {
    const char *hex = json_string_value(value);
    return hex && assay_digest_parse(hex, out);
}

/* Fills seal from root. *fault (a phrase) is set where it is no seal; its arrays are the caller's.
 */
static assay_status parse_values(const json_t *root, assay_seal *seal, const char **fault) {
    const char *format = json_string_value(json_object_get(root, "format"));
    const char *what = json_string_value(json_object_get(root, "what"));
    const json_t *blocks = json_object_get(root, "blocks");
    const json_t *extents = json_object_get(root, "extents");
    uint64_t block_size = 0;
    *fault = NULL;
    if (!format || strcmp(format, SEAL_FORMAT) != 0)
        *fault = "its format is not " SEAL_FORMAT;
    else if (!what || !get_u64(root, "size", &seal->size) ||
             !get_u64(root, "block_size", &block_size) || !json_is_array(blocks) ||
             !json_is_array(extents) || !get_digest(json_object_get(root, "sha256"), &seal->whole))
        *fault = "it lacks what, size, sha256, block_size, blocks or extents";
    else if (block_size != ASSAY_SEAL_BLOCK)
        *fault = "its block_size is not 8388608";
    else if (json_array_size(blocks) != block_count_of(seal->size))
        *fault = "its number of blocks does not fit its size";
    if (*fault) return ASSAY_OK;

    assay_status status = assay_copy_string(&seal->what, what);
    if (status) return status;
    seal->block_count = json_array_size(blocks);
    status = assay_allocate(&seal->blocks, seal->block_count, sizeof *seal->blocks, "a seal");
    if (status) return status;
    for (uint64_t b = 0; b < seal->block_count; b++)
        if (!get_digest(json_array_get(blocks, b), &seal->blocks[b]))
            *fault = "one of its block digests is not 64 hexadecimal digits";
    size_t extent_count = json_array_size(extents);
    status = assay_allocate(&seal->extents, extent_count, sizeof *seal->extents, "a seal");
    if (status) return status;
    for (size_t e = 0; e < extent_count; e++) {
        const json_t *extent = json_array_get(extents, e);
        if (!get_u64(extent, "offset", &seal->extents[e].offset) ||
            !get_u64(extent, "length", &seal->extents[e].length))
            *fault = "one of its extents has no offset or length";
    }
    seal->extent_count = extent_count;
    if (!*fault && !extents_fit(seal->extents, extent_count, seal->size))
        *fault = "its extents are not ascending and within its size";
    return ASSAY_OK;
}

static assay_status parse_seal(const char *path, const char *bytes, size_t length,
                               assay_seal *out) {
    json_error_t where;
    const char *fault = NULL;
    assay_seal seal = {0};
    assay_digest values, said;
    assay_status status;
    json_t *root = NULL;
    if ((status = assay_json_read(path, bytes, length, &root, &where))) goto out;
    if (!root) {
        status = assay_fail(ASSAY_FAILED, "seal %s is damaged: line %d: %s", path, where.line,
                            where.text);
        goto out;
    }
    if ((status = parse_values(root, &seal, &fault))) goto out;
    if (!fault) {
        if ((status = digest_values(&seal, &values))) goto out;
        if (!get_digest(json_object_get(root, "values_sha256"), &said) ||
            !assay_digest_equal(&values, &said))
            fault = "its values do not have the SHA-256 that it says";
    }
    if (fault) {
        status = assay_fail(ASSAY_FAILED, "seal %s is damaged: %s", path, fault);
        goto out;
    }
    if ((status = assay_digest_bytes(bytes, length, &seal.own))) goto out;
    *out = seal;
    memset(&seal, 0, sizeof seal);
out:
    assay_seal_free(&seal);
    json_decref(root);
    return status;
}

assay_status assay_seal_read(const char *file_path, assay_seal *out) {
    char *path = NULL, *bytes = NULL;
    size_t length = 0;
    assay_status status = assay_seal_path(file_path, &path);
    if (status) goto out;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        status = assay_fail(ASSAY_FAILED,
                            "%s has no seal (%s): it was not finished, or assay did not make it; "
                            "make it again with the command that makes it",
                            file_path, assay_path_name(path));
        goto out;
    }
    if ((status = assay_file_read(path, SEAL_BYTES_MAX, &bytes, &length))) goto out;
    status = parse_seal(path, bytes, length, out);
out:
    free(bytes);
    free(path);
    return status;
}
