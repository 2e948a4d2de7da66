/* run_output -- the output folder of a run: its lock, and what was left half written in it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "harness/run_private.h"

#define TREE_DEPTH 16 /* descriptors that nftw may hold */
#define LOCK_TRIES 20 /* of a tenth of a second */

/* ".NAME.tmp-PID" of a process that is no more. */
static bool is_left_over(const char *name) {
    const char *mark = strstr(name, ".tmp-");
    uint64_t pid;
    if (name[0] != '.' || mark == NULL) return false;
    size_t digits = strspn(mark + 5, "0123456789");
    char number[24];
    if (digits == 0 || digits >= sizeof number) return false;
    memcpy(number, mark + 5, digits);
    number[digits] = '\0';
    if (!assay_parse_uint64(number, &pid) || pid == 0 || pid > INT32_MAX) return false;
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* The images of a population are rendered in a folder that is replaced as a whole: not looked into.
 */
static int visit(const char *path, const struct stat *about, int type, struct FTW *place) {
    (void)about;
    const char *name = path + place->base;
    if (type == FTW_D && strncmp(name, "population", strlen("population")) == 0 &&
        place->level == 1)
        return FTW_SKIP_SUBTREE;
    if (type == FTW_F && is_left_over(name)) (void)unlink(path);
    return FTW_CONTINUE;
}

/* A child of a killed run may hold it for an instant longer. */
static bool take_lock(int fd) {
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

assay_status assay_run_enter(const runner *run, int *out_lock) {
    assay_status status = assay_make_directories(run->output);
    if (status != ASSAY_OK) return status;
    int lock = open(run->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return assay_fail_errno("cannot open %s", run->output);
    if (!take_lock(lock)) {
        status = errno == EWOULDBLOCK
                     ? assay_fail(ASSAY_FAILED, "another run is writing to %s", run->output)
                     : assay_fail_errno("cannot lock %s", run->output);
        close(lock);
        return status;
    }
    (void)nftw(run->output, visit, TREE_DEPTH, FTW_PHYS | FTW_ACTIONRETVAL);
    *out_lock = lock;
    return ASSAY_OK;
}

assay_status assay_run_make_parent(const char *path) {
    char *directory = NULL;
    assay_status status = assay_path_directory(&directory, path);
    if (status == ASSAY_OK) status = assay_make_directories(directory);
    free(directory);
    return status;
}
