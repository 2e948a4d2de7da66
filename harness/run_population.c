/* run_population -- the built-in population as a folder of images that declares itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "harness/run.h"

#define TREE_DEPTH 16 /* descriptors that nftw may hold */
#define DECLARATION_START "# A synthetic population:"
#define DECLARATION_MAX ((size_t)1 << 16)

/* Everything that decides a pixel, and the program's version. */
static assay_status digest_parameters(const assay_population *population, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_text text = {0};
    char number[ASSAY_NUMBER_SIZE];
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_text_appendf(&text, "%s %llu %u %u %u\n", ASSAY_VERSION,
                       (unsigned long long)population->seed, population->subjects,
                       population->samples_per_subject, population->image_size);
    for (uint32_t g = 0; g < population->group_count; g++) {
        const assay_population_group *group = &population->groups[g];
        const double numbers[] = {group->share, group->stability, group->likeness,
                                  group->degradation};
        assay_text_appendf(&text, "%s\n%u", group->name, group->dimension);
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            assay_text_appendf(&text, " %s", assay_print_double(number, numbers[n]));
        assay_text_append(&text, "\n");
    }
    status = assay_text_status(&text);
    if (status == ASSAY_OK) {
        assay_digester_add(digester, text.bytes, text.length);
        status = assay_digester_finish(digester, out);
    }
    assay_text_free(&text);
    assay_digester_free(digester);
    return status;
}

/* assay.yaml of the folder: a configuration of its own, which evaluates the two built-in releases.
 */
static assay_status declare_text(const assay_population *population, const char *name,
                                 assay_text *out) {
    char hex[ASSAY_DIGEST_HEX];
    assay_digest digest;
    assay_status status = digest_parameters(population, &digest);
    if (status != ASSAY_OK) return status;
    json_t *string = json_string(name);
    char *quoted = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    json_decref(string);
    if (quoted == NULL) return assay_fail(ASSAY_FAILED, "no memory for the name of a population");
    assay_text_appendf(out,
                       DECLARATION_START " seed %llu, %u subjects, %u samples of each.\n"
                                         "# Parameters: %s\n"
                                         "assay: 1\n"
                                         "name: %s\n",
                       (unsigned long long)population->seed, population->subjects,
                       population->samples_per_subject, assay_digest_hex(hex, &digest), quoted);
    assay_text_appendf(out,
                       "dataset:\n"
                       "  name: %s\n"
                       "  root: .\n"
                       "  manifest: manifest.csv\n"
                       "  attributes:\n"
                       "    - { name: group, level: subject, source: by construction }\n"
                       "    - { name: sex, level: subject, source: by construction }\n"
                       "    - name: age_band\n"
                       "      column: age\n"
                       "      kind: numeric\n"
                       "      level: sample\n"
                       "      source: by construction\n"
                       "      bins: [0-12, 13-17, 18-35, 36-50, 51-65, 66+]\n"
                       "  notes: { source: rendered by assay from a seed }\n",
                       quoted);
    assay_text_append(out, "releases:\n"
                           "  - { name: lbp, version: \"1.0\", algorithm: lbp }\n"
                           "  - { name: lbp, version: \"1.1\", algorithm: lbp-normalised }\n");
    free(quoted);
    return assay_text_status(out);
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *place) {
    (void)about;
    (void)type;
    (void)place;
    return remove(path);
}

static assay_status remove_tree(const char *path) {
    if (nftw(path, remove_entry, TREE_DEPTH, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return assay_fail_errno("cannot remove %s", path);
    return ASSAY_OK;
}

static bool has_text(const char *path, const assay_text *wanted) {
    char *bytes = NULL;
    size_t length;
    if (!assay_file_exists(path)) return false;
    if (assay_file_read(path, wanted->length + 1, &bytes, &length) != ASSAY_OK) return false;
    bool same = length == wanted->length && memcmp(bytes, wanted->bytes, length) == 0;
    free(bytes);
    return same;
}

/* Whether the declaration is one that declare_text wrote, not a configuration of somebody's own. */
static bool is_declared(const char *declared) {
    char *bytes = NULL;
    size_t length;
    if (assay_file_read(declared, DECLARATION_MAX, &bytes, &length) != ASSAY_OK) return false;
    bool ours = strncmp(bytes, DECLARATION_START, strlen(DECLARATION_START)) == 0;
    free(bytes);
    return ours;
}

/* What render puts into a folder, whole or half written. */
static bool is_part(const char *name) {
    static const char *const names[] = {".",      "..",           "assay.yaml",
                                        "images", "manifest.csv", "truth.json"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (strcmp(name, names[n]) == 0) return true;
    return name[0] == '.' && strstr(name, ".tmp-") != NULL;
}

static assay_status check_parts(const char *directory) {
    DIR *entries = opendir(directory);
    if (entries == NULL) return assay_fail_errno("cannot replace %s", directory);
    assay_status status = ASSAY_OK;
    for (const struct dirent *entry; status == ASSAY_OK && (entry = readdir(entries)) != NULL;)
        if (!is_part(entry->d_name))
            status = assay_fail(ASSAY_USAGE,
                                "cannot replace the population %s: %s/%s is no part of it; move it "
                                "away, or name another folder",
                                directory, directory, entry->d_name);
    closedir(entries);
    return status;
}

/* Only a folder that this program made is ever replaced, and only while nothing else lies in it. */
static assay_status check_place(const char *directory, const char *declared, const char *partial) {
    struct stat about;
    if (assay_file_exists(partial)) {
        assay_status status = check_parts(partial);
        if (status != ASSAY_OK) return status;
    }
    if (stat(directory, &about) != 0 || rmdir(directory) == 0) return ASSAY_OK;
    if (!S_ISDIR(about.st_mode))
        return assay_fail(ASSAY_USAGE, "cannot write a population to %s: it is a file", directory);
    if (!assay_file_exists(declared) || !is_declared(declared))
        return assay_fail(ASSAY_USAGE, "%s is there and is no population of assay: it has no %s",
                          directory,
                          assay_file_exists(declared) ? "assay.yaml of one" : "assay.yaml");
    return check_parts(directory);
}

/* One call for all pictures: they must be on the disk before anything says that they are there. */
static assay_status sync_pictures(const char *directory) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return assay_fail_errno("cannot open %s to sync it", directory);
    assay_status status = ASSAY_OK;
    if (syncfs(fd) != 0) status = assay_fail_errno("cannot sync the pictures in %s", directory);
    close(fd);
    return status;
}

/* The folder beside directory with ending behind its name; free(). */
static assay_status beside(const char *directory, const char *ending, char **out) {
    assay_text text = {0};
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') length--;
    assay_text_appendf(&text, "%.*s%s", (int)length, directory, ending);
    assay_status status = assay_text_status(&text);
    if (status != ASSAY_OK)
        assay_text_free(&text);
    else
        *out = text.bytes;
    return status;
}

/* An older population steps aside before it is removed, so that none is ever half there. */
static assay_status drop_older(const char *older) {
    if (!assay_file_exists(older)) return ASSAY_OK;
    assay_status status = check_parts(older);
    return status == ASSAY_OK ? remove_tree(older) : status;
}

static assay_status replace(const char *partial, const char *directory, const char *older) {
    assay_status status = drop_older(older);
    if (status != ASSAY_OK) return status;
    if (rename(directory, older) != 0 && errno != ENOENT)
        return assay_fail_errno("cannot rename %s to %s", directory, older);
    if (rename(partial, directory) != 0)
        return assay_fail_errno("cannot rename %s to %s", partial, directory);
    status = assay_make_directories(directory); /* which makes one that is there last */
    return status == ASSAY_OK ? drop_older(older) : status;
}

static assay_status render(const assay_population *population, const char *directory,
                           const char *declared, const char *older, const assay_text *text,
                           const assay_progress *progress) {
    char *partial = NULL, *inner = NULL;
    bool ours = false;
    assay_status status = beside(directory, ".partial", &partial);
    if (status == ASSAY_OK) status = assay_path_join(&inner, partial, "assay.yaml");
    if (status == ASSAY_OK) status = check_place(directory, declared, partial);
    ours = status == ASSAY_OK;
    if (status == ASSAY_OK) status = remove_tree(partial);
    if (status == ASSAY_OK) status = assay_make_directories(partial);
    if (status == ASSAY_OK) status = assay_population_images(population, partial, progress);
    if (status == ASSAY_OK) status = sync_pictures(partial);
    if (status == ASSAY_OK) status = assay_file_write(inner, text->bytes, text->length);
    if (status == ASSAY_OK) status = check_place(directory, declared, partial);
    if (status == ASSAY_OK) status = replace(partial, directory, older);
    if (status != ASSAY_OK && ours) nftw(partial, remove_entry, TREE_DEPTH, FTW_DEPTH | FTW_PHYS);
    free(partial);
    free(inner);
    return status;
}

assay_status assay_run_population(const assay_population *population, const char *name,
                                  const char *directory, bool force, bool dry_run,
                                  const assay_progress *progress, bool *out_made) {
    assay_text text = {0};
    char *declared = NULL, *older = NULL;
    assay_status status = declare_text(population, name, &text);
    if (status == ASSAY_OK) status = assay_path_join(&declared, directory, "assay.yaml");
    if (status == ASSAY_OK) status = beside(directory, ".older", &older);
    if (status != ASSAY_OK) goto out;
    bool made = force || !has_text(declared, &text);
    if (made && !dry_run) status = render(population, directory, declared, older, &text, progress);
    if (!made && !dry_run) status = drop_older(older);
    if (status == ASSAY_OK) *out_made = made;
out:
    assay_text_free(&text);
    free(declared);
    free(older);
    return status;
}

assay_status assay_run_population_declare(const char *directory, assay_manifest_declaration *out) {
    assay_config config = {0};
    char *declared = NULL;
    assay_status status = assay_path_join(&declared, directory, "assay.yaml");
    if (status == ASSAY_OK) status = assay_config_read(declared, &config);
    if (status == ASSAY_OK) {
        *out = config.dataset;
        config.dataset = (assay_manifest_declaration){0};
    }
    assay_config_free(&config);
    free(declared);
    return status;
}
