/* sealed_file -- publishing files with their seals, and reading them with every block checked. */
#include "datasets/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/ledger.h"
#include "datasets/seal.h"

/* ---- publishing ---- */

static assay_status sync_descriptor(int fd, const char *path) {
    if (fsync(fd) != 0) return assay_fail_errno("cannot sync %s", path);
    return ASSAY_OK;
}

static assay_status sync_directory(const char *directory) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return assay_fail_errno("cannot open directory %s", directory);
    assay_status status = sync_descriptor(fd, directory);
    close(fd);
    return status;
}

static assay_status write_new_file(const char *path, const char *bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return assay_fail_errno("cannot make %s", path);
    assay_status status = ASSAY_OK;
    for (size_t done = 0, count = strlen(bytes); done < count && status == ASSAY_OK;) {
        ssize_t wrote = write(fd, bytes + done, count - done);
        if (wrote > 0)
            done += (size_t)wrote;
        else if (wrote == 0 || errno != EINTR)
            status = assay_fail_errno("cannot write %s", path);
    }
    if (status == ASSAY_OK) status = sync_descriptor(fd, path);
    if (close(fd) != 0 && status == ASSAY_OK) status = assay_fail_errno("cannot close %s", path);
    return status;
}

static assay_status remove_if_there(const char *path) {
    if (unlink(path) != 0 && errno != ENOENT) return assay_fail_errno("cannot replace %s", path);
    return ASSAY_OK;
}

static assay_status rename_over(const char *from, const char *to) {
    if (rename(from, to) != 0) return assay_fail_errno("cannot rename %s to %s", from, to);
    return ASSAY_OK;
}

/* The four renames and removals in the only order that never shows a file beside another's seal. */
static assay_status replace_pair(const char *file_temporary, const char *file_final,
                                 const char *seal_temporary, const char *seal_final) {
    assay_status status = remove_if_there(file_final);
    if (status == ASSAY_OK) status = remove_if_there(seal_final);
    if (status == ASSAY_OK) status = rename_over(seal_temporary, seal_final);
    if (status == ASSAY_OK) status = rename_over(file_temporary, file_final);
    return status;
}

/* Seals and syncs temporary; the seal's own bytes go into a temporary file of their own. */
static assay_status seal_aside(const char *temporary, const char *final_path, const char *what,
                               const assay_extent *extents, size_t extent_count,
                               const char *seal_temporary, assay_seal *seal) {
    char *json = NULL;
    int fd = open(temporary, O_RDONLY | O_CLOEXEC);
    assay_status status;
    if (fd < 0) return assay_fail_errno("cannot open %s", temporary);
    if ((status = sync_descriptor(fd, temporary))) goto out;
    if ((status = assay_seal_make(fd, temporary, what, extents, extent_count, seal))) goto out;
    if ((status = assay_seal_to_json(seal, assay_path_name(final_path), &json))) goto out;
    if ((status = assay_digest_bytes(json, strlen(json), &seal->own))) goto out;
    status = write_new_file(seal_temporary, json);
out:
    free(json);
    close(fd);
    return status;
}

assay_status assay_seal_publish(const char *temporary, const char *final_path,
                                const assay_extent *extents, size_t extent_count, const char *what,
                                const char *details_json) {
    assay_status status;
    assay_seal seal = {0};
    char *seal_final = NULL, *seal_temporary = NULL, *directory = NULL;
    if ((status = assay_seal_path(final_path, &seal_final))) goto out;
    if ((status = assay_file_temporary(seal_final, &seal_temporary))) goto out;
    if ((status = assay_path_directory(&directory, final_path))) goto out;
    status = seal_aside(temporary, final_path, what, extents, extent_count, seal_temporary, &seal);
    if (status) goto out;
    if ((status = replace_pair(temporary, final_path, seal_temporary, seal_final))) goto out;
    if ((status = sync_directory(directory))) goto out;
    status = assay_ledger_append_sealed(directory, &(assay_ledger_sealed){
                                                       .file = assay_path_name(final_path),
                                                       .what = what,
                                                       .size = seal.size,
                                                       .digest = seal.whole,
                                                       .seal_digest = seal.own,
                                                       .details_json = details_json,
                                                   });
out:
    if (status) {
        unlink(temporary);
        if (seal_temporary) unlink(seal_temporary);
        status = assay_fail_in(status, "cannot publish %s", final_path);
    }
    assay_seal_free(&seal);
    free(seal_final);
    free(seal_temporary);
    free(directory);
    return status;
}

/* ---- reading ---- */

struct assay_sealed_file {
    char *name; /* as it was asked for, for messages */
    int fd;
    char fd_path[40];
    assay_seal seal;
    uint8_t *cache;  /* one block */
    uint64_t cached; /* its index; UINT64_MAX: none */
};

static uint64_t block_length(const assay_seal *seal, uint64_t block) {
    uint64_t rest = seal->size - block * ASSAY_SEAL_BLOCK;
    return rest < ASSAY_SEAL_BLOCK ? rest : ASSAY_SEAL_BLOCK;
}

static bool block_in_extent(const assay_seal *seal, uint64_t block) {
    uint64_t first = block * ASSAY_SEAL_BLOCK, end = first + block_length(seal, block);
    for (size_t e = 0; e < seal->extent_count; e++)
        if (seal->extents[e].offset <= first &&
            end <= seal->extents[e].offset + seal->extents[e].length)
            return true;
    return false;
}

/* Says in text that block is damaged. */
static void describe_damage(const assay_sealed_file *file, uint64_t block,
                            const assay_digest *found, char *text, size_t size) {
    char is[ASSAY_DIGEST_HEX], sealed[ASSAY_DIGEST_HEX];
    uint64_t first = block * ASSAY_SEAL_BLOCK;
    snprintf(
        text, size,
        "%s is damaged in block %llu of %llu (bytes %llu to %llu): its SHA-256 is %.16s..., the "
        "seal says %.16s...",
        file->name, (unsigned long long)block + 1, (unsigned long long)file->seal.block_count,
        (unsigned long long)first,
        (unsigned long long)(first + block_length(&file->seal, block) - 1),
        assay_digest_hex(is, found), assay_digest_hex(sealed, &file->seal.blocks[block]));
}

/* Reads a whole block into out and checks it. */
static assay_status read_block(assay_sealed_file *file, uint64_t block, void *out) {
    char text[512];
    assay_digest digest;
    size_t length = block_length(&file->seal, block);
    assay_status status =
        assay_read_exactly(file->fd, file->name, block * ASSAY_SEAL_BLOCK, length, out);
    if (status) return status;
    if ((status = assay_digest_bytes(out, length, &digest))) return status;
    if (assay_digest_equal(&digest, &file->seal.blocks[block])) return ASSAY_OK;
    describe_damage(file, block, &digest, text, sizeof text);
    return assay_fail(ASSAY_FAILED, "%s; restore it from a copy, or make it again", text);
}

static assay_status cache_block(assay_sealed_file *file, uint64_t block) {
    if (file->cached == block) return ASSAY_OK;
    file->cached = UINT64_MAX;
    assay_status status = read_block(file, block, file->cache);
    if (status == ASSAY_OK) file->cached = block;
    return status;
}

/* Opens path and reads its seal. *out_replaced says that another file took the path meanwhile. */
static assay_status open_pair(const char *path, assay_sealed_file *file, bool *out_replaced) {
    struct stat opened, named;
    *out_replaced = false;
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0) return assay_fail_errno("cannot open %s", path);
    if (fstat(file->fd, &opened) != 0) return assay_fail_errno("cannot read %s", path);
    if (!S_ISREG(opened.st_mode)) return assay_fail(ASSAY_FAILED, "%s is not a regular file", path);
    assay_status status = assay_seal_read(path, &file->seal);
    *out_replaced =
        stat(path, &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev;
    return status;
}

/* Opens without checking any block, again where the file is replaced while it is opened. */
static assay_status open_unchecked(const char *path, assay_sealed_file **out) {
    assay_status status;
    assay_sealed_file *file = NULL;
    if ((status = assay_allocate(&file, 1, sizeof *file, "a sealed file"))) goto out;
    file->fd = -1;
    file->cached = UINT64_MAX;
    if ((status = assay_copy_string(&file->name, path))) goto out;
    bool replaced = true;
    for (int attempt = 0; attempt < 10 && replaced; attempt++) {
        if (file->fd >= 0) close(file->fd);
        file->fd = -1;
        assay_seal_free(&file->seal);
        status = open_pair(path, file, &replaced);
    }
    if (status) goto out;
    if (replaced) {
        status = assay_fail(ASSAY_FAILED, "%s is being replaced all the time: try again", path);
        goto out;
    }
    snprintf(file->fd_path, sizeof file->fd_path, "/proc/self/fd/%d", file->fd);
    const uint64_t size = file->seal.size;
    status = assay_allocate_aligned(&file->cache, size < ASSAY_SEAL_BLOCK ? size : ASSAY_SEAL_BLOCK,
                                    1, "a block of a file");
    if (status) goto out;
    *out = file;
    file = NULL;
out:
    assay_sealed_file_close(file);
    return status;
}

/* The file's size now. */
static assay_status size_now(const assay_sealed_file *file, uint64_t *out) {
    struct stat info;
    if (fstat(file->fd, &info) != 0) return assay_fail_errno("cannot read %s", file->name);
    *out = (uint64_t)info.st_size;
    return ASSAY_OK;
}

bool assay_sealed_file_replaced(const assay_sealed_file *file) {
    struct stat opened, named;
    return fstat(file->fd, &opened) != 0 || stat(file->name, &named) != 0 ||
           named.st_ino != opened.st_ino || named.st_dev != opened.st_dev;
}

assay_status assay_sealed_file_open(const char *path, assay_sealed_file **out) {
    assay_status status;
    assay_sealed_file *file = NULL;
    uint64_t size = 0;
    if ((status = open_unchecked(path, &file))) goto out;
    if ((status = size_now(file, &size))) goto out;
    if (size != file->seal.size) {
        status = assay_fail(ASSAY_FAILED,
                            "%s is damaged: it has %llu bytes, its seal says %llu; restore it from "
                            "a copy, or make it again",
                            path, (unsigned long long)size, (unsigned long long)file->seal.size);
        goto out;
    }
    for (uint64_t block = 0; block < file->seal.block_count; block++) {
        if (block_in_extent(&file->seal, block)) continue;
        if ((status = cache_block(file, block))) goto out;
    }
    *out = file;
    file = NULL;
out:
    assay_sealed_file_close(file);
    return status;
}

void assay_sealed_file_close(assay_sealed_file *file) {
    if (!file) return;
    if (file->fd >= 0) close(file->fd);
    assay_seal_free(&file->seal);
    free(file->cache);
    free(file->name);
    free(file);
}

assay_status assay_sealed_file_read(assay_sealed_file *file, uint64_t offset, uint64_t length,
                                    void *out) {
    uint8_t *bytes = out;
    if (offset > file->seal.size || length > file->seal.size - offset)
        return assay_fail(ASSAY_FAILED, "cannot read %llu bytes at %llu of %s: it has %llu bytes",
                          (unsigned long long)length, (unsigned long long)offset, file->name,
                          (unsigned long long)file->seal.size);
    while (length > 0) {
        uint64_t block = offset / ASSAY_SEAL_BLOCK, inside = offset % ASSAY_SEAL_BLOCK;
        uint64_t whole = block_length(&file->seal, block);
        uint64_t count = whole - inside < length ? whole - inside : length;
        assay_status status;
        if (count == whole && file->cached != block) {
            status = read_block(file, block, bytes);
        } else {
            status = cache_block(file, block);
            if (status == ASSAY_OK) memcpy(bytes, file->cache + inside, count);
        }
        if (status) return status;
        bytes += count;
        offset += count;
        length -= count;
    }
    return ASSAY_OK;
}

const char *assay_sealed_file_path(const assay_sealed_file *file) {
    return file->fd_path;
}

const char *assay_sealed_file_name(const assay_sealed_file *file) {
    return file->name;
}

const assay_digest *assay_sealed_file_digest(const assay_sealed_file *file) {
    return &file->seal.whole;
}

const char *assay_sealed_file_what(const assay_sealed_file *file) {
    return file->seal.what;
}

uint64_t assay_sealed_file_size(const assay_sealed_file *file) {
    return file->seal.size;
}

/* ---- verifying ---- */

assay_status assay_sealed_file_check_recorded(const char *path) {
    assay_seal seal = {0};
    char *directory = NULL;
    assay_status status = assay_seal_read(path, &seal);
    if (status == ASSAY_OK) status = assay_path_directory(&directory, path);
    bool held = true;
    if (status == ASSAY_OK) status = assay_ledger_holds(directory, &seal.own, &held);
    if (status == ASSAY_OK && !held)
        status = assay_fail(ASSAY_FAILED,
                            "the ledger of its folder has no record of %s: it was not finished, or "
                            "was put there otherwise",
                            path);
    free(directory);
    assay_seal_free(&seal);
    return status;
}

typedef void verify_note(void *context, const char *line);

/* One block of a verification: counted, told, and added to the whole. */
static assay_status verify_block(assay_sealed_file *file, uint64_t block, uint64_t size,
                                 assay_digester *whole, verify_note *note, void *context,
                                 assay_verification *result) {
    char text[512];
    assay_digest digest = {{0}};
    assay_status status;
    uint64_t first = block * ASSAY_SEAL_BLOCK;
    uint64_t length = block_length(&file->seal, block);
    if (first >= size)
        length = 0;
    else if (length > size - first)
        length = size - first;
    if ((status = assay_read_exactly(file->fd, file->name, first, length, file->cache)))
        return status;
    assay_digester_add(whole, file->cache, length);
    if ((status = assay_digest_bytes(file->cache, length, &digest))) return status;
    if (assay_digest_equal(&digest, &file->seal.blocks[block])) return ASSAY_OK;
    result->damaged++;
    describe_damage(file, block, &digest, text, sizeof text);
    if (note) note(context, text);
    return ASSAY_OK;
}

assay_status assay_sealed_file_verify(const char *path, verify_note *note, void *context,
                                      assay_verification *out) {
    assay_status status;
    char text[512];
    assay_sealed_file *file = NULL;
    assay_digester *whole = NULL;
    char *directory = NULL;
    uint64_t size = 0;
    assay_verification result = {0};
    if ((status = open_unchecked(path, &file))) goto out;
    if ((status = size_now(file, &size))) goto out;
    if ((status = assay_path_directory(&directory, path))) goto out;
    if ((status = assay_digester_open(&whole))) goto out;
    result.blocks = file->seal.block_count;
    result.bytes = file->seal.size;
    for (uint64_t block = 0; block < file->seal.block_count; block++) {
        status = verify_block(file, block, size, whole, note, context, &result);
        if (status) goto out;
    }
    if ((status = assay_digester_finish(whole, &result.digest))) goto out;
    if (size != file->seal.size) {
        snprintf(text, sizeof text, "%s has %llu bytes, its seal says %llu", path,
                 (unsigned long long)size, (unsigned long long)file->seal.size);
        if (size > file->seal.size) result.damaged++; /* bytes behind the last block */
        if (note) note(context, text);
    }
    if ((status = assay_ledger_holds(directory, &file->seal.own, &result.in_ledger))) goto out;
    *out = result;
out:
    assay_digester_free(whole);
    assay_sealed_file_close(file);
    free(directory);
    return status;
}
