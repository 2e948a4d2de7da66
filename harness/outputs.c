/* outputs -- what a command may write over: nothing that it reads, nothing that somebody else made.
 */
#include "harness/outputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"

#define SEAL_FORMAT "assay-seal/"
#define JSON_BYTES_MAX ((size_t)1 << 30)
#define LEDGER "assay-ledger.jsonl"

/* ---- the same file ---- */

/* The folder of path without links and dots, where it is there; as it stands otherwise; free(). */
static assay_status real_folder(const char *path, char **out) {
    char *folder = NULL;
    assay_status status = assay_path_directory(&folder, path);
    if (status != ASSAY_OK) return status;
    char *real = realpath(folder, NULL);
    if (real != NULL) {
        free(folder);
        folder = real;
    }
    *out = folder;
    return ASSAY_OK;
}

static assay_status same_file(const char *a, const char *b, bool *out) {
    struct stat about_a, about_b;
    char *folder_a = NULL, *folder_b = NULL;
    bool is_a = stat(a, &about_a) == 0, is_b = stat(b, &about_b) == 0;
    *out = is_a && is_b && about_a.st_dev == about_b.st_dev && about_a.st_ino == about_b.st_ino;
    if (is_a || is_b) return ASSAY_OK;
    assay_status status = real_folder(a, &folder_a);
    if (status == ASSAY_OK) status = real_folder(b, &folder_b);
    if (status == ASSAY_OK)
        *out =
            strcmp(folder_a, folder_b) == 0 && strcmp(assay_path_name(a), assay_path_name(b)) == 0;
    free(folder_a);
    free(folder_b);
    return status;
}

static assay_status seal_of(const char *path, char **out) {
    assay_text text = {0};
    assay_text_appendf(&text, "%s.seal", path);
    assay_status status = assay_text_status(&text);
    if (status != ASSAY_OK) {
        assay_text_free(&text);
        return status;
    }
    *out = text.bytes;
    return ASSAY_OK;
}

static assay_status check_input(const assay_output *output, const char *seal, const char *input) {
    bool same = false, sealed = false;
    assay_status status = same_file(output->path, input, &same);
    if (status == ASSAY_OK && !same) status = same_file(seal, input, &sealed);
    if (status != ASSAY_OK || !(same || sealed)) return status;
    return assay_fail(ASSAY_USAGE,
                      "cannot write %s: it is the same file as the input %s; expected another name",
                      same ? output->path : seal, input);
}

static assay_status check_pair(const assay_output *a, const char *seal_a, const assay_output *b,
                               const char *seal_b) {
    const char *const of_a[] = {a->path, seal_a}, *const of_b[] = {b->path, seal_b};
    for (int n = 0; n < 4; n++) {
        bool same = false;
        assay_status status = same_file(of_a[n / 2], of_b[n % 2], &same);
        if (status != ASSAY_OK) return status;
        if (same)
            return assay_fail(ASSAY_USAGE,
                              "cannot write %s as %s: it is the same file as %s, which is written "
                              "as %s; expected another name",
                              of_b[n % 2], b->what, of_a[n / 2], a->what);
    }
    return ASSAY_OK;
}

/* ---- what is there ---- */

/* The text of key in the JSON object that path holds, or NULL where it holds no such thing; free().
 */
static assay_status read_mark(const char *path, const char *key, char **out) {
    char *bytes = NULL;
    size_t length;
    struct stat about;
    *out = NULL;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return ASSAY_OK;
    assay_status status = assay_file_read(path, JSON_BYTES_MAX, &bytes, &length);
    if (status != ASSAY_OK) return status;
    json_t *root = json_loadb(bytes, length, 0, NULL);
    const char *text = json_string_value(json_object_get(root, key));
    if (text != NULL) status = assay_copy_string(out, text);
    json_decref(root);
    free(bytes);
    return status;
}

static bool starts_with(const char *text, const char *start) {
    return text != NULL && strncmp(text, start, strlen(start)) == 0;
}

/* What the seal says that its file is, or NULL where it is no seal of assay; free(). */
static assay_status read_what(const char *seal, char **out) {
    char *format = NULL;
    *out = NULL;
    assay_status status = read_mark(seal, "format", &format);
    if (status == ASSAY_OK && starts_with(format, SEAL_FORMAT))
        status = read_mark(seal, "what", out);
    free(format);
    return status;
}

static const char *in_words(const char *what) {
    static const char *const words[][2] = {{"dataset", "a data set"},
                                           {"templates", "templates"},
                                           {"evidence", "evidence"},
                                           {"partial", "partial evidence"},
                                           {"partial-templates", "partial templates"},
                                           {"partial-scores", "partial scores"},
                                           {"matrix", "a matrix of scores"},
                                           {"rows", "rows beside evidence"}};
    for (size_t n = 0; n < sizeof words / sizeof *words; n++)
        if (strcmp(words[n][0], what) == 0) return words[n][1];
    return what;
}

/* Whether what lies at the output's place may make room for it. */
static assay_status check_place(const assay_output *output, const char *seal) {
    struct stat about;
    char *what = NULL;
    const char *path = output->path, *wanted = in_words(output->what);
    if (strcmp(assay_path_name(path), LEDGER) == 0)
        return assay_fail(ASSAY_USAGE, "cannot write %s: the ledger of its folder has that name",
                          path);
    bool there = stat(path, &about) == 0;
    if (there && S_ISDIR(about.st_mode))
        return assay_fail(ASSAY_USAGE, "cannot write %s: it is a folder, expected a file name",
                          path);
    if (there && !S_ISREG(about.st_mode))
        return assay_fail(ASSAY_USAGE, "cannot write %s: it is no regular file", path);
    const bool sealed = assay_file_exists(seal);
    if (!there && !sealed) return ASSAY_OK;
    assay_status status = read_what(seal, &what);
    if (status != ASSAY_OK) return status;
    if (what == NULL && !there)
        status = assay_fail(ASSAY_USAGE,
                            "cannot write %s: %s is there and is no seal of assay; remove it, or "
                            "name another place",
                            path, seal);
    else if (what == NULL)
        status = assay_fail(ASSAY_USAGE,
                            "cannot write %s: a file is there that assay did not make (%s%s%s), "
                            "expected %s or nothing; remove it, or name another place",
                            path, sealed ? "" : "it has no seal ", assay_path_name(seal),
                            sealed ? " is no seal of assay" : "", wanted);
    else if (there && strcmp(what, output->what) != 0)
        status = assay_fail(ASSAY_USAGE,
                            "cannot write %s: it is %s, expected %s or nothing; remove it, or name "
                            "another place",
                            path, in_words(what), wanted);
    free(what);
    return status;
}

assay_status assay_outputs_check(const assay_output *outputs, size_t output_count,
                                 const char *const *inputs, size_t input_count) {
    char **seals = NULL;
    assay_status status = assay_allocate(&seals, output_count, sizeof *seals, "outputs");
    for (size_t n = 0; status == ASSAY_OK && n < output_count; n++) {
        if (outputs[n].path == NULL) continue;
        status = seal_of(outputs[n].path, &seals[n]);
        for (size_t k = 0; status == ASSAY_OK && k < input_count; k++)
            if (inputs[k] != NULL) status = check_input(&outputs[n], seals[n], inputs[k]);
        for (size_t k = 0; status == ASSAY_OK && k < n; k++)
            if (outputs[k].path != NULL)
                status = check_pair(&outputs[k], seals[k], &outputs[n], seals[n]);
        if (status == ASSAY_OK) status = check_place(&outputs[n], seals[n]);
    }
    for (size_t n = 0; seals != NULL && n < output_count; n++) free(seals[n]);
    free(seals);
    return status;
}

/* ---- the right to write ---- */

/* ".NAME.tmp-PID" and ".NAME.seal.tmp-PID" of processes that are no more. */
static assay_status drop_left_over(const char *path) {
    char *folder = NULL;
    assay_status status = assay_path_directory(&folder, path);
    if (status != ASSAY_OK) return status;
    const char *name = assay_path_name(path);
    const size_t length = strlen(name);
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        const char *found = entry->d_name;
        if (found[0] != '.' || strncmp(found + 1, name, length) != 0) continue;
        if (strncmp(found + 1 + length, ".tmp-", 5) != 0 &&
            strncmp(found + 1 + length, ".seal.tmp-", 10) != 0)
            continue;
        if (assay_is_left_over(found)) (void)unlinkat(dirfd(entries), found, 0);
    }
    if (entries != NULL) closedir(entries);
    free(folder);
    return ASSAY_OK;
}

assay_status assay_outputs_lock(const assay_output *outputs, size_t output_count,
                                assay_output_locks *out) {
    assay_output_locks locks = {0};
    assay_status status = assay_allocate(&locks.locks, output_count, sizeof *locks.locks, "locks");
    for (size_t n = 0; status == ASSAY_OK && n < output_count; n++) {
        if (outputs[n].path == NULL) continue;
        status = assay_lock_take(outputs[n].path, false, &locks.locks[locks.count]);
        if (status != ASSAY_OK) break;
        locks.count++;
        status = drop_left_over(outputs[n].path);
    }
    if (status == ASSAY_OK)
        *out = locks;
    else
        assay_outputs_unlock(&locks);
    return status;
}

void assay_outputs_unlock(assay_output_locks *locks) {
    while (locks->count > 0) assay_lock_release(&locks->locks[--locks->count]);
    free(locks->locks);
    *locks = (assay_output_locks){0};
}

/* ---- folders ---- */

/* A folder has entries; a file is one. */
static bool holds_something(const char *path) {
    struct stat about;
    if (lstat(path, &about) != 0) return false;
    DIR *entries = S_ISDIR(about.st_mode) ? opendir(path) : NULL;
    if (entries == NULL) return true;
    const struct dirent *entry;
    do entry = readdir(entries);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    closedir(entries);
    return entry != NULL;
}

assay_status assay_output_folder_check(const char *path, assay_folder_kind kind) {
    static const struct {
        const char *what, *schema;
        const char *names[6]; /* the first is written before the others, and tells who did it */
    } kinds[] = {
        [ASSAY_FOLDER_REPORT] = {"a report",
                                 "assay-summary/",
                                 {"summary.json", "index.html", "tables", "plots"}},
        [ASSAY_FOLDER_GATE] = {"a verdict", "assay-verdict/", {"verdict.json", "index.html"}},
        [ASSAY_FOLDER_WORKLISTS] = {"worklists",
                                    "assay-worklists/",
                                    {"worklists.json", "non_mated.csv", "mated.csv",
                                     "disagreements.csv", "labels.csv"}},
        [ASSAY_FOLDER_TEMPLATES] = {"a synthetic population",
                                    "assay-population-truth/",
                                    {"truth.json", "labels.csv", "templates.npy", "masks.npy",
                                     "assay.yaml"}},
    };
    struct stat about;
    char *mark = NULL, *schema = NULL;
    if (stat(path, &about) != 0) return ASSAY_OK;
    if (!S_ISDIR(about.st_mode))
        return assay_fail(ASSAY_USAGE, "cannot write %s into %s: it is a file, expected a folder",
                          kinds[kind].what, path);
    assay_status status = assay_path_join(&mark, path, kinds[kind].names[0]);
    if (status == ASSAY_OK) status = read_mark(mark, "schema", &schema);
    bool ours = starts_with(schema, kinds[kind].schema);
    for (size_t n = 0; status == ASSAY_OK && !ours && kinds[kind].names[n] != NULL; n++) {
        char *name = NULL;
        status = assay_path_join(&name, path, kinds[kind].names[n]);
        if (status == ASSAY_OK && holds_something(name))
            status = assay_fail(ASSAY_USAGE,
                                "cannot write %s into %s: %s is there and assay did not make it; "
                                "remove it, or name another folder",
                                kinds[kind].what, path, name);
        free(name);
    }
    free(mark);
    free(schema);
    return status;
}
