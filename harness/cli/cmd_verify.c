/* cmd_verify -- `assay verify FILE…|DIR`: whether every byte is still the one that was sealed. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/sealed_file.h"
#include "harness/cli/command.h"

#define DEPTH_MOST 16
#define LEDGER "assay-ledger.jsonl"

typedef struct {
    bool json, quiet;
} verify_values;

typedef struct {
    const verify_values *values;
    json_t *files; /* list for --json */
    json_t *notes; /* of the file being verified */
    uint64_t checked, bad;
} verifier;

static void take_note(void *context, const char *line) {
    verifier *work = context;
    char shown[1024];
    json_array_append_new(work->notes, json_string(assay_printable(shown, sizeof shown, line)));
}

static void tell(verifier *work, const char *path, const char *kind, bool good, const char *text,
                 json_t *more) {
    work->checked++;
    work->bad += !good;
    FILE *out = work->values->quiet ? stderr : stdout; /* quiet tells faults alone */
    if (!work->values->json && !(work->values->quiet && good)) {
        fprintf(out, "%-9s%s: %s\n", good ? "good" : "DAMAGED", path, text);
        for (size_t n = 0; n < json_array_size(work->notes); n++)
            fprintf(out, "         %s\n", json_string_value(json_array_get(work->notes, n)));
    }
    json_t *entry = json_pack("{s:s, s:s, s:b, s:s, s:o}", "path", path, "kind", kind, "good", good,
                              "text", text, "notes", json_copy(work->notes));
    if (entry != NULL && more != NULL) json_object_update(entry, more);
    json_decref(more);
    json_array_append_new(work->files, entry);
    json_array_clear(work->notes);
}

/* Memory that is out is no damage: then nothing is said of the file, and verifying stops. */
static assay_status verify_file(verifier *work, const char *path) {
    assay_verification found = {0};
    char text[256], hex[ASSAY_DIGEST_HEX];
    assay_status status = assay_sealed_file_verify(path, take_note, work, &found);
    if (status != ASSAY_OK && assay_error_is_memory()) return status;
    if (status != ASSAY_OK) {
        tell(work, path, "file", false, assay_error_text(), NULL);
        return ASSAY_OK;
    }
    snprintf(text, sizeof text,
             "%" PRIu64 " blocks, %" PRIu64 " damaged, %s the ledger, SHA-256 %s", found.blocks,
             found.damaged, found.in_ledger ? "in" : "NOT in",
             assay_digest_hex(hex, &found.digest));
    json_t *more = json_pack("{s:I, s:I, s:I, s:b, s:s}", "blocks", (json_int_t)found.blocks,
                             "damaged", (json_int_t)found.damaged, "bytes", (json_int_t)found.bytes,
                             "in_ledger", found.in_ledger, "sha256", hex);
    tell(work, path, "file", found.damaged == 0 && found.in_ledger, text, more);
    return ASSAY_OK;
}

static assay_status verify_ledger(verifier *work, const char *directory, const char *path) {
    uint64_t records = 0;
    bool torn = false;
    char text[128];
    assay_status status = assay_ledger_check(directory, &records, &torn);
    if (status != ASSAY_OK && assay_error_is_memory()) return status;
    if (status != ASSAY_OK) {
        tell(work, path, "ledger", false, assay_error_text(), NULL);
        return ASSAY_OK;
    }
    snprintf(text, sizeof text, "%" PRIu64 " records, chain whole%s", records,
             torn ? "; a last line was cut short" : "");
    tell(work, path, "ledger", true, text,
         json_pack("{s:I, s:b}", "records", (json_int_t)records, "torn", torn));
    return ASSAY_OK;
}

static bool ends_in(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a > b && strcmp(text + a - b, end) == 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static assay_status list_directory(const char *directory, char ***out, size_t *out_count) {
    char **names = NULL;
    size_t count = 0, capacity = 0;
    assay_status status = ASSAY_OK;
    DIR *entries = opendir(directory);
    if (entries == NULL) return assay_fail_errno("cannot list %s", directory);
    for (const struct dirent *entry; status == ASSAY_OK && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        status = assay_reserve(&names, &capacity, count + 1, sizeof *names, "names of files");
        if (status == ASSAY_OK) status = assay_copy_string(&names[count], entry->d_name);
        if (status == ASSAY_OK) count++;
    }
    closedir(entries);
    if (count > 0) qsort(names, count, sizeof *names, by_name);
    *out = names;
    *out_count = count;
    return status;
}

/* A file that is sealed, the ledger, a folder: the rest of a folder is not ours. */
static assay_status verify_entry(verifier *work, const char *directory, const char *path,
                                 int depth);

static assay_status verify_directory(verifier *work, const char *directory, int depth) {
    char **names = NULL;
    size_t count = 0;
    assay_status status = list_directory(directory, &names, &count);
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        char *path = NULL;
        status = assay_path_join(&path, directory, names[n]);
        if (status == ASSAY_OK) status = verify_entry(work, directory, path, depth);
        free(path);
    }
    for (size_t n = 0; n < count; n++) free(names[n]);
    free(names);
    return status;
}

static assay_status verify_entry(verifier *work, const char *directory, const char *path,
                                 int depth) {
    struct stat about;
    if (lstat(path, &about) != 0) return assay_fail_errno("cannot look at %s", path);
    if (S_ISDIR(about.st_mode) && depth < DEPTH_MOST)
        return verify_directory(work, path, depth + 1);
    if (!S_ISREG(about.st_mode)) return ASSAY_OK;
    if (strcmp(assay_path_name(path), LEDGER) == 0) return verify_ledger(work, directory, path);
    assay_status status = ASSAY_OK;
    if (ends_in(path, ".seal")) {
        char *sealed = strndup(path, strlen(path) - strlen(".seal"));
        if (sealed == NULL) return assay_fail(ASSAY_FAILED, "no memory for a path");
        status = verify_file(work, sealed);
        free(sealed);
    }
    return status;
}

static assay_status verify_argument(verifier *work, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) return assay_fail_errno("cannot verify %s", path);
    if (!S_ISDIR(about.st_mode)) {
        return verify_file(work, path);
    }
    uint64_t before = work->checked;
    assay_status status = verify_directory(work, path, 0);
    if (status == ASSAY_OK && work->checked == before)
        return assay_fail(ASSAY_FAILED, "%s holds no sealed file and no ledger", path);
    return status;
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const verify_values *values = given;
    verifier work = {.values = values, .files = json_array(), .notes = json_array()};
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < argument_count; n++)
        status = verify_argument(&work, arguments[n]);
    if (status == ASSAY_OK && values->json)
        status =
            assay_print_json(json_pack("{s:b, s:O}", "good", work.bad == 0, "files", work.files));
    json_decref(work.files);
    json_decref(work.notes);
    if (status == ASSAY_OK && work.bad > 0)
        return assay_fail(ASSAY_FAILED,
                          "%" PRIu64 " of %" PRIu64 " are damaged or not as they were sealed",
                          work.bad, work.checked);
    return status;
}

static const assay_option options[] = {OPTION_JSON(verify_values), OPTION_QUIET(verify_values)};
static const verify_values defaults = {0};

const assay_command assay_command_verify = {
    .name = "verify",
    .purpose = "check files against their seals and the ledger",
    .arguments = "FILE|DIR...",
    .description =
        "Reads every byte of each FILE, compares it block by block with the seal beside it, and "
        "looks for\n"
        "the seal in the ledger of its folder. Of a DIR, every sealed file and ledger below it.\n"
        "Damaged blocks are named with their byte range.",
    .examples = (const char *const[]){"assay verify evidence.h5", "assay verify out/london", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = SIZE_MAX,
    .values_size = sizeof(verify_values),
    .defaults = &defaults,
    .run = run,
};
