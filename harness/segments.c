/* segments -- sealed parts of a long step that is not finished. */
#include "harness/segments.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"

static const char *const names[] = {"tiles-", "rows-", "pairs-"};

static assay_status finish_text(assay_text *text, char **out) {
    const assay_status status = assay_text_status(text);
    if (status == ASSAY_OK)
        *out = text->bytes;
    else
        assay_text_free(text);
    return status;
}

assay_status assay_segments_folder(const char *out_path, char **out) {
    assay_text path = {0};
    assay_text_appendf(&path, "%s.parts", out_path);
    return finish_text(&path, out);
}

assay_status assay_segments_path(const char *out_path, const char *name, uint64_t first,
                                 uint64_t end, char **out) {
    char *folder = NULL;
    assay_text path = {0};
    assay_status status = assay_segments_folder(out_path, &folder);
    if (status == ASSAY_OK) status = assay_make_directories(folder);
    if (status == ASSAY_OK) {
        assay_text_appendf(&path, "%s/%s-%012" PRIu64 "-%012" PRIu64 ".h5", folder, name, first,
                           end);
        status = finish_text(&path, out);
    }
    free(folder);
    return status;
}

static bool is_segment(const char *entry, const char *name) {
    const size_t length = strlen(entry), start = strlen(name);
    return strncmp(entry, name, start) == 0 && entry[start] == '-' && length > 3 &&
           strcmp(entry + length - 3, ".h5") == 0;
}

assay_status assay_segments_walk(const char *out_path, const char *name, assay_segments_visit visit,
                                 void *context) {
    struct dirent **entries = NULL;
    char *folder = NULL;
    assay_status status = assay_segments_folder(out_path, &folder);
    if (status != ASSAY_OK) return status;
    const int count = scandir(folder, &entries, NULL, alphasort);
    for (int n = 0; n < count; n++) {
        char *path = NULL;
        if (status == ASSAY_OK && is_segment(entries[n]->d_name, name)) {
            status = assay_path_join(&path, folder, entries[n]->d_name);
            if (status == ASSAY_OK) status = visit(context, path);
        }
        free(path);
        free(entries[n]);
    }
    free(entries);
    free(folder);
    return status;
}

/* A segment, its seal, what of either is half written, their ledger. */
static bool is_of_segments(const char *entry) {
    const char *bare = entry[0] == '.' ? entry + 1 : entry;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (strncmp(bare, names[n], strlen(names[n])) == 0) return true;
    return strcmp(entry, "assay-ledger.jsonl") == 0;
}

void assay_segments_drop(const char *out_path) {
    char *folder = NULL;
    if (assay_segments_folder(out_path, &folder) != ASSAY_OK) return;
    DIR *directory = opendir(folder);
    if (directory != NULL) {
        for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
            if (is_of_segments(entry->d_name)) unlinkat(dirfd(directory), entry->d_name, 0);
        }
        closedir(directory);
        rmdir(folder);
    }
    free(folder);
}
