/* file -- reading whole files, opening beneath a root, and publishing a file only when it is whole.
 */
#include "datasets/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "datasets/base/memory.h"

/* What the request got wrong is the request's fault; the rest is the system's. */
static assay_status fail_to_open(const char *path) {
    int reason = errno;
    assay_status status = assay_fail_errno("cannot open %s", path);
    return reason == ENOENT || reason == ENOTDIR || reason == EISDIR ? ASSAY_USAGE : status;
}

/* Reads until the end or until limit + 1 bytes are there; *out is the caller's even on failure. */
static assay_status read_all(int fd, const char *path, size_t limit, size_t expected, char **out,
                             size_t *out_length) {
    size_t capacity = 0, length = 0;
    size_t first = expected < limit ? expected + 2 : limit + 2;
    assay_status status = assay_reserve(out, &capacity, first, 1, path);
    while (status == ASSAY_OK) {
        ssize_t count = read(fd, *out + length, capacity - 1 - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return assay_fail_errno("cannot read %s", path);
        if (count == 0) break;
        length += (size_t)count;
        if (length > limit)
            return assay_fail(ASSAY_USAGE, "%s is larger than the %zu bytes it may have", path,
                              limit);
        if (length + 1 == capacity) status = assay_reserve(out, &capacity, capacity + 1, 1, path);
    }
    if (status != ASSAY_OK) return status;
    (*out)[length] = '\0';
    *out_length = length;
    return ASSAY_OK;
}

assay_status assay_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_length) {
    if (limit > SIZE_MAX - 2) limit = SIZE_MAX - 2;
    char *bytes = NULL;
    size_t length = 0;
    assay_status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return fail_to_open(path);
    struct stat about;
    if (fstat(fd, &about) != 0) {
        status = assay_fail_errno("cannot examine %s", path);
        goto out;
    }
    if (S_ISDIR(about.st_mode)) {
        status = assay_fail(ASSAY_USAGE, "cannot read %s: it is a folder, a file is needed", path);
        goto out;
    }
    status = read_all(fd, path, limit, (size_t)about.st_size, &bytes, &length);
    if (status != ASSAY_OK) goto out;
    *out_bytes = bytes;
    *out_length = length;
    bytes = NULL;
out:
    free(bytes);
    close(fd);
    return status;
}

/* Not blocking, so that a FIFO does not hang before it is refused. */
static int open_beneath(int root_fd, const char *path, uint64_t resolve) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                           .resolve = resolve};
    long fd;
    do fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return (int)fd;
}

/* The kernel has one number for a path that leaves the root and for one that meets a mount. */
static assay_status fail_outside(int root_fd, const char *path, uint64_t resolve) {
    int fd = open_beneath(root_fd, path, resolve & ~(uint64_t)RESOLVE_NO_XDEV);
    int reason = errno;
    if (fd >= 0) close(fd);
    errno = EXDEV;
    if (fd >= 0 || reason != EXDEV)
        return assay_fail(ASSAY_USAGE,
                          "%s lies on another file system than the folder that it belongs to; "
                          "where that is meant, the data set says `allow: [mounts]`",
                          path);
    return assay_fail(ASSAY_USAGE, "%s leaves the folder that it belongs to", path);
}

/* Why openat2 refused path, in words for whoever wrote the path. */
static assay_status fail_beneath(int root_fd, const char *path, uint64_t resolve) {
    switch (errno) {
    case EXDEV:
        return fail_outside(root_fd, path, resolve);
    case ELOOP:
        return assay_fail(ASSAY_USAGE, "%s is a link or leads through one", path);
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return assay_fail(ASSAY_USAGE, "%s is not there", path);
    case ENXIO:
        return assay_fail(ASSAY_USAGE, "%s is not a regular file", path);
    case ENOSYS:
        return assay_fail_errno("cannot open %s: the kernel has no openat2 (5.6)", path);
    default:
        return assay_fail_errno("cannot open %s", path);
    }
}

assay_status assay_file_open_beneath(int root_fd, const char *path, unsigned allowed, int *out_fd) {
    const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                             (allowed & ASSAY_ALLOW_MOUNTS ? 0 : RESOLVE_NO_XDEV);
    int fd = open_beneath(root_fd, path, resolve);
    if (fd < 0) return fail_beneath(root_fd, path, resolve);
    struct stat about;
    assay_status status = ASSAY_OK;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        status = assay_fail(ASSAY_USAGE, "%s is not a regular file", path);
    else if (about.st_nlink != 1 && !(allowed & ASSAY_ALLOW_HARD_LINKS))
        status = assay_fail(ASSAY_USAGE,
                            "%s has %llu names (hard links), and the others may lie outside its "
                            "folder; where that is meant, the data set says `allow: [hard-links]`",
                            path, (unsigned long long)about.st_nlink);
    if (status == ASSAY_OK)
        *out_fd = fd;
    else
        close(fd);
    return status;
}

/* So that a folder that was made lasts. One that may be written but not read cannot be synced. */
static assay_status sync_parent(const char *path) {
    char *parent = NULL;
    assay_status status = assay_path_directory(&parent, path);
    if (status != ASSAY_OK) return status;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != EACCES)
        status = assay_fail_errno("cannot open %s to sync it", parent);
    else if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
        status = assay_fail_errno("cannot sync %s", parent);
    if (fd >= 0) close(fd);
    free(parent);
    return status;
}

assay_status assay_make_directories(const char *path) {
    char *copy = NULL;
    assay_status status = assay_copy_string(&copy, path);
    if (status != ASSAY_OK) return status;
    for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/';)
        copy[--length] = '\0';
    for (char *at = copy; *at != '\0' && status == ASSAY_OK;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char rest = *at;
        *at = '\0';
        struct stat about;
        const bool made = mkdir(copy, 0777) == 0;
        if (!made && (errno != EEXIST || stat(copy, &about) != 0 || !S_ISDIR(about.st_mode))) {
            if (errno == EEXIST) errno = ENOTDIR;
            status = assay_fail_errno("cannot make the folder %s", copy);
        }
        /* The last one may have been made a moment ago by somebody who was killed before it lasted.
         */
        if (status == ASSAY_OK && (made || rest == '\0')) status = sync_parent(copy);
        *at = rest;
    }
    free(copy);
    return status;
}

bool assay_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

static assay_status format_path(char **out, const char *format, ...) ASSAY_PRINTF(2, 3);
static assay_status format_path(char **out, const char *format, ...) {
    char *path = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&path, format, arguments);
    va_end(arguments);
    if (length < 0) return assay_fail(ASSAY_FAILED, "out of memory for a path");
    *out = path;
    return ASSAY_OK;
}

const char *assay_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

assay_status assay_path_directory(char **out, const char *path) {
    const char *name = assay_path_name(path);
    if (name == path) return assay_copy_string(out, ".");
    size_t length = (size_t)(name - path);
    while (length > 1 && path[length - 1] == '/') length--;
    return format_path(out, "%.*s", (int)length, path);
}

assay_status assay_path_join(char **out, const char *directory, const char *name) {
    if (name[0] == '/' || directory[0] == '\0') return assay_copy_string(out, name);
    size_t length = strlen(directory);
    return format_path(out, "%s%s%s", directory, directory[length - 1] == '/' ? "" : "/", name);
}

assay_status assay_file_temporary(const char *final_path, char **out) {
    const char *name = assay_path_name(final_path);
    if (*name == '\0')
        return assay_fail(ASSAY_USAGE, "cannot write %s: it names a folder, a file is needed",
                          final_path);
    return format_path(out, "%.*s.%s.tmp-%ld", (int)(name - final_path), final_path, name,
                       (long)getpid());
}

/* fsync of what path names; a folder is synced so that a rename in it lasts. */
static assay_status sync_path(const char *path, int flags) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0) return assay_fail_errno("cannot open %s to sync it", path);
    assay_status status = ASSAY_OK;
    if (fsync(fd) != 0) status = assay_fail_errno("cannot sync %s", path);
    close(fd);
    return status;
}

assay_status assay_file_publish(const char *temporary, const char *final_path) {
    char *directory = NULL;
    assay_status status = assay_path_directory(&directory, final_path);
    if (status != ASSAY_OK) goto out;
    status = sync_path(temporary, 0);
    if (status != ASSAY_OK) goto out;
    if (rename(temporary, final_path) != 0) {
        status = assay_fail_errno("cannot rename %s to %s", temporary, final_path);
        goto out;
    }
    status = sync_path(directory, O_DIRECTORY);
out:
    if (status != ASSAY_OK) unlink(temporary);
    free(directory);
    return status;
}

static assay_status write_all(int fd, const char *path, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return assay_fail_errno("cannot write %s", path);
        bytes += written;
        count -= (size_t)written;
    }
    return ASSAY_OK;
}

assay_status assay_file_write(const char *path, const void *bytes, size_t count) {
    char *temporary = NULL;
    int fd = -1;
    assay_status status = assay_file_temporary(path, &temporary);
    if (status != ASSAY_OK) return status;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = assay_fail_errno("cannot make %s", temporary);
        goto out;
    }
    status = write_all(fd, path, bytes, count);
    if (close(fd) != 0 && status == ASSAY_OK) status = assay_fail_errno("cannot write %s", path);
    if (status == ASSAY_OK)
        status = assay_file_publish(temporary, path);
    else
        unlink(temporary);
out:
    free(temporary);
    return status;
}

/* Takes path over into *out where it can be run; else frees it and adds it to tried. */
static bool take_if_program(char *path, assay_text *tried, char **out) {
    if (path == NULL) return false;
    if (access(path, X_OK) == 0) {
        *out = path;
        return true;
    }
    assay_text_appendf(tried, "%s%s", tried->length > 0 ? ", " : "", path);
    free(path);
    return false;
}

assay_status assay_find_helper(char **out, const char *name) {
    /* Beside the program; where it is installed; and one or two folders up, where a program of a
     * build tree's subfolder, such as a test, has the build tree's root. */
    static const char *const places[] = {"", "../libexec/assay/", "../", "../../"};
    char self[PATH_MAX];
    char *directory = NULL, *path = NULL, *found = NULL;
    assay_text tried = {0};
    assay_status status = ASSAY_OK;
    const char *told = getenv("ASSAY_HELPERS");
    if (told != NULL && told[0] != '\0') {
        status = assay_path_join(&path, told, name);
        if (status != ASSAY_OK || take_if_program(path, &tried, &found)) goto out;
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) {
        status = assay_fail_errno("cannot find the folder of this program in /proc/self/exe");
        goto out;
    }
    self[length] = '\0';
    status = assay_path_directory(&directory, self);
    for (size_t i = 0; status == ASSAY_OK && i < sizeof places / sizeof *places; i++) {
        status = format_path(&path, "%s/%s%s", directory, places[i], name);
        if (status != ASSAY_OK || take_if_program(path, &tried, &found)) goto out;
    }
    if (status == ASSAY_OK)
        status = assay_fail(ASSAY_FAILED, "cannot find the helper program %s; looked at %s", name,
                            tried.bytes != NULL ? tried.bytes : "no place");
out:
    if (found != NULL) *out = found;
    assay_text_free(&tried);
    free(directory);
    return status;
}
