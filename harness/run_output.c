/* run_output -- the output folder of a run: its lock, and what was left half written in it. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "harness/run_private.h"

#define TREE_DEPTH 16 /* descriptors that nftw may hold */

/* The images of a population are rendered in a folder that is replaced as a whole: not looked into.
 */
static int visit(const char *path, const struct stat *about, int type, struct FTW *place) {
    (void)about;
    const char *name = path + place->base;
    if (type == FTW_D && strncmp(name, "population", strlen("population")) == 0 &&
        place->level == 1)
        return FTW_SKIP_SUBTREE;
    if (type == FTW_F && assay_is_left_over(name)) (void)unlink(path);
    return FTW_CONTINUE;
}

assay_status assay_run_enter(const runner *run, assay_lock *out_lock) {
    assay_status status = assay_make_directories(run->output);
    if (status == ASSAY_OK) status = assay_lock_take(run->output, true, out_lock);
    if (status == ASSAY_OK) (void)nftw(run->output, visit, TREE_DEPTH, FTW_PHYS | FTW_ACTIONRETVAL);
    return status;
}

assay_status assay_run_make_parent(const char *path) {
    char *directory = NULL;
    assay_status status = assay_path_directory(&directory, path);
    if (status == ASSAY_OK) status = assay_make_directories(directory);
    free(directory);
    return status;
}
