/* file -- reading whole files, opening beneath a root, and publishing a file only when it is whole.
 */
#ifndef ASSAY_DATASETS_BASE_FILE_H
#define ASSAY_DATASETS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/base/text.h"

/* Whole file of at most limit bytes; *out_bytes has a NUL behind its *out_length bytes; free(). */
assay_status assay_file_read(const char *path, size_t limit, char **out_bytes,
                             size_t *out_length) ASSAY_MUST_CHECK;

/* Opens for reading a regular file named relative to the directory root_fd, by openat2
 * (RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS, NO_XDEV): a path that leaves the root, a link, a
 * device or a FIFO is refused (ASSAY_USAGE). So is what another mount brings in below the root, and
 * a file that has a second name, which may lie outside: allowed is 0, or says that these are meant.
 */
enum { ASSAY_ALLOW_HARD_LINKS = 1, ASSAY_ALLOW_MOUNTS = 2 };
assay_status assay_file_open_beneath(int root_fd, const char *path, unsigned allowed,
                                     int *out_fd) ASSAY_MUST_CHECK;

/* Makes the directory and those above it, and sees to it that they last (fsync of what holds them).
 */
assay_status assay_make_directories(const char *path) ASSAY_MUST_CHECK;

bool assay_file_exists(const char *path);

/* "DIR/.NAME.tmp-PID" beside final_path, where a file is written until it is whole; free(). */
assay_status assay_file_temporary(const char *final_path, char **out) ASSAY_MUST_CHECK;

/* fsync of temporary, rename to final_path, fsync of the directory. Removes temporary on failure.
 */
assay_status assay_file_publish(const char *temporary, const char *final_path) ASSAY_MUST_CHECK;

/* The bytes, written aside and published. */
assay_status assay_file_write(const char *path, const void *bytes, size_t count) ASSAY_MUST_CHECK;

/* "a/b" from "a" and "b", or b itself where it is absolute; free(). */
assay_status assay_path_join(char **out, const char *directory, const char *name) ASSAY_MUST_CHECK;
/* Directory part of path ("." if none); free(). */
assay_status assay_path_directory(char **out, const char *path) ASSAY_MUST_CHECK;
/* Last component; borrowed from path. */
const char *assay_path_name(const char *path);

/* The executable of this process's directory joined with name, or where ../libexec/assay/name or
 * the build tree has it: how the program finds its own helpers; free(). */
assay_status assay_find_helper(char **out, const char *name) ASSAY_MUST_CHECK;

#endif
