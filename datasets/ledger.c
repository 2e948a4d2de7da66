/* ledger -- the hash-chained list of what was sealed in a directory: one JSON record a line.
 *
 * Record n holds the SHA-256 of line n - 1 (without its newline), so that a record changed, removed
 * or put in shows at the line behind it; and, last, the SHA-256 of its own line up to there, so
 * that damage shows in the last line too. What the chain cannot show is a cut tail; whoever must
 * know that keeps the last line's digest elsewhere.
 *
 * A write that was cut short leaves a last line without its newline, or, where power was lost, one
 * with bytes of zero in it, which no record has. Nothing is thrown away: the next append ends that
 * line and chains to it as it stands, and a check passes over it. */
#include "datasets/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/json_text.h"
#include "datasets/sealed_file.h"

#define OWN_KEY ",\"own\":\""
enum { OWN_LENGTH = sizeof OWN_KEY - 1 + ASSAY_DIGEST_HEX - 1 + 2 }; /* ,"own":"…"} */

/* Whether line ends in the digest of what is before it. Records of before 0.1 have none. */
static assay_status has_own_digest(const char *line, size_t length, bool *out) {
    char hex[ASSAY_DIGEST_HEX];
    assay_digest digest;
    *out = false;
    if (length < OWN_LENGTH) return ASSAY_OK;
    const char *own = line + length - OWN_LENGTH, *said = own + sizeof OWN_KEY - 1;
    assay_status status = assay_digest_bytes(line, length - OWN_LENGTH, &digest);
    if (status) return status;
    *out = memcmp(own, OWN_KEY, sizeof OWN_KEY - 1) == 0 &&
           memcmp(said, assay_digest_hex(hex, &digest), ASSAY_DIGEST_HEX - 1) == 0;
    return ASSAY_OK;
}

/* *out is the record's number where line is a record of a ledger, else 0; prev is set with it. */
static assay_status record_number(const char *line, size_t length, assay_digest *prev,
                                  json_t **out_record, uint64_t *out) {
    json_t *record = NULL;
    bool is_own = true;
    assay_status status = assay_json_read("a record of the ledger", line, length, &record, NULL);
    if (status == ASSAY_OK && json_object_get(record, "own") != NULL)
        status = has_own_digest(line, length, &is_own);
    if (status) {
        json_decref(record);
        return status;
    }
    const json_t *n = json_object_get(record, "n");
    const char *hex = json_string_value(json_object_get(record, "prev"));
    *out = 0;
    if (json_is_integer(n) && json_integer_value(n) > 0 && hex && assay_digest_parse(hex, prev) &&
        json_is_string(json_object_get(record, "event")) && is_own)
        *out = (uint64_t)json_integer_value(n);
    if (*out && out_record)
        *out_record = record;
    else
        json_decref(record);
    return ASSAY_OK;
}

/* What a new record must chain to. */
typedef struct {
    uint64_t number;   /* of the last record */
    assay_digest last; /* of the last line */
    bool torn;         /* the last line has no newline */
} ledger_end;

/* Looks for the end of the chain in the last bytes of a ledger. *out is false where more bytes are
 * needed. */
static assay_status find_end(const char *bytes, size_t length, bool whole, const char **line,
                             size_t *line_length, uint64_t *number, bool *out) {
    size_t end = bytes[length - 1] == '\n' ? length - 1 : length;
    for (bool first = true;; first = false) {
        const char *newline = end ? memrchr(bytes, '\n', end) : NULL;
        *out = newline || whole;
        if (!*out) return ASSAY_OK;
        size_t start = newline ? (size_t)(newline - bytes) + 1 : 0;
        assay_digest prev;
        if (first) {
            *line = bytes + start;
            *line_length = end - start;
        }
        assay_status status = record_number(bytes + start, end - start, &prev, NULL, number);
        if (status || *number || start == 0) return status;
        end = start - 1;
    }
}

static assay_status read_end(int fd, const char *path, ledger_end *out) {
    assay_status status = ASSAY_OK;
    char *bytes = NULL;
    struct stat info;
    if (fstat(fd, &info) != 0) return assay_fail_errno("cannot read %s", path);
    size_t size = (size_t)info.st_size;
    memset(out, 0, sizeof *out);
    if (size == 0) return ASSAY_OK;

    const char *line = NULL;
    size_t line_length = 0;
    for (size_t window = 1 << 16;; window *= 2) {
        if (window > size) window = size;
        free(bytes);
        bytes = NULL;
        status = assay_allocate(&bytes, window, 1, "the end of the ledger");
        if (status) goto out;
        ssize_t got = pread(fd, bytes, window, (off_t)(size - window));
        if (got != (ssize_t)window) {
            status = assay_fail_errno("cannot read %s", path);
            goto out;
        }
        out->torn = bytes[window - 1] != '\n';
        bool found;
        status = find_end(bytes, window, window == size, &line, &line_length, &out->number, &found);
        if (status) goto out;
        if (found) break;
    }
    assay_digest prev;
    uint64_t last_number = 0;
    if ((status = record_number(line, line_length, &prev, NULL, &last_number))) goto out;
    const bool holed = memchr(line, '\0', line_length) != NULL;
    if (!out->torn && !holed && last_number == 0) {
        status = assay_fail(ASSAY_FAILED,
                            "the last line of %s is no record of a ledger: it was damaged; restore "
                            "the ledger from a copy, or move it away to begin a new one",
                            path);
        goto out;
    }
    status = assay_digest_bytes(line, line_length, &out->last);
out:
    free(bytes);
    return status;
}

/* Appends text at once; takes back what a failed write left, so that no acknowledged line is lost.
 */
static assay_status append_bytes(int fd, const char *path, const assay_text *text) {
    struct stat info;
    if (fstat(fd, &info) != 0) return assay_fail_errno("cannot append to %s", path);
    ssize_t wrote = write(fd, text->bytes, text->length);
    if (wrote != (ssize_t)text->length) {
        if (wrote >= 0) errno = ENOSPC;
        assay_status status = assay_fail_errno("cannot append to %s", path);
        if (ftruncate(fd, info.st_size) != 0)
            return assay_fail_in(status, "a cut record was left behind");
        return status;
    }
    if (fdatasync(fd) != 0) return assay_fail_errno("cannot sync %s", path);
    return ASSAY_OK;
}

/* The record as a line: n and prev in front, then fields', then its own digest, behind a newline
 * where one is missing. */
static assay_status record_line(const ledger_end *end, json_t *fields, assay_text *out) {
    assay_status status = ASSAY_OK;
    char hex[ASSAY_DIGEST_HEX];
    assay_digest own;
    char *dumped = NULL;
    json_t *record = json_object();
    int fault = json_object_set_new(record, "n", json_integer((json_int_t)end->number + 1));
    fault |= json_object_set_new(record, "prev", json_string(assay_digest_hex(hex, &end->last)));
    fault |= json_object_update(record, fields);
    if (!fault) dumped = json_dumps(record, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (!dumped) {
        status =
            assay_fail(ASSAY_FAILED, "cannot make a ledger record: out of memory, or a text in "
                                     "it is not UTF-8");
        goto out;
    }
    const size_t length = strlen(dumped) - 1; /* without its brace */
    if ((status = assay_digest_bytes(dumped, length, &own))) goto out;
    if (end->torn) assay_text_append(out, "\n");
    assay_text_append_bytes(out, dumped, length);
    assay_text_appendf(out, OWN_KEY "%s\"}\n", assay_digest_hex(hex, &own));
    status = assay_text_status(out);
out:
    free(dumped);
    json_decref(record);
    return status;
}

static assay_status sync_directory(const char *directory) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return assay_fail_errno("cannot open directory %s", directory);
    int fault = fsync(fd);
    assay_status status =
        fault ? assay_fail_errno("cannot sync directory %s", directory) : ASSAY_OK;
    close(fd);
    return status;
}

static assay_status append_fields(const char *directory, json_t *fields) {
    assay_status status;
    char *path = NULL;
    int fd = -1;
    assay_text line = {0};
    ledger_end end;
    status = assay_path_join(&path, directory, ASSAY_LEDGER_NAME);
    if (status) goto out;
    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        status = assay_fail_errno("cannot open the ledger %s", path);
        goto out;
    }
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        status = assay_fail_errno("cannot lock the ledger %s", path);
        goto out;
    }
    if ((status = read_end(fd, path, &end))) goto out;
    if ((status = record_line(&end, fields, &line))) goto out;
    if ((status = append_bytes(fd, path, &line))) goto out;
    if (end.number == 0) status = sync_directory(directory);
out:
    if (fd >= 0) close(fd); /* gives the lock back too */
    assay_text_free(&line);
    free(path);
    return status;
}

/* time, event, file, then those of sealed (may be NULL), program and details. */
static assay_status make_fields(const char *event, const char *file, const char *details_json,
                                const assay_ledger_sealed *sealed, json_t **out) {
    char now[ASSAY_NUMBER_SIZE], hex[ASSAY_DIGEST_HEX];
    json_t *fields = json_object();
    int fault = json_object_set_new(fields, "time",
                                    json_string(assay_print_time(now, (int64_t)time(NULL))));
    fault |= json_object_set_new(fields, "event", json_string(event));
    fault |= json_object_set_new(fields, "file", json_string(file));
    if (sealed) {
        const json_int_t size = (json_int_t)sealed->size;
        fault |= json_object_set_new(fields, "what", json_string(sealed->what));
        fault |= json_object_set_new(fields, "size", json_integer(size));
        fault |= json_object_set_new(fields, "sha256",
                                     json_string(assay_digest_hex(hex, &sealed->digest)));
        fault |= json_object_set_new(fields, "seal_sha256",
                                     json_string(assay_digest_hex(hex, &sealed->seal_digest)));
    }
    fault |= json_object_set_new(fields, "program", json_string("assay " ASSAY_VERSION));
    if (details_json)
        fault |= json_object_set_new(fields, "details",
                                     json_loads(details_json, JSON_REJECT_DUPLICATES, NULL));
    if (fault) {
        json_decref(fields);
        return assay_fail(
            ASSAY_FAILED,
            "cannot make a ledger record of %s: a text in it is not UTF-8, its details "
            "are no JSON, or memory is out",
            file);
    }
    *out = fields;
    return ASSAY_OK;
}

assay_status assay_ledger_append(const char *directory, const char *event, const char *file,
                                 const char *details_json) {
    json_t *fields = NULL;
    assay_status status = make_fields(event, file, details_json, NULL, &fields);
    if (status == ASSAY_OK) status = append_fields(directory, fields);
    json_decref(fields);
    return status;
}

assay_status assay_ledger_append_sealed(const char *directory, const assay_ledger_sealed *sealed) {
    json_t *fields = NULL;
    assay_status status =
        make_fields("sealed", sealed->file, sealed->details_json, sealed, &fields);
    if (status == ASSAY_OK) status = append_fields(directory, fields);
    json_decref(fields);
    return status;
}

/* The state of a walk along the chain. */
typedef struct {
    const char *path;
    const char *wanted;       /* hex of a seal's digest to look for, or NULL */
    assay_ledger_visit visit; /* or NULL */
    void *context;
    uint64_t line; /* lines read */
    uint64_t records;
    assay_digest last; /* of the last line */
    bool own;          /* a record had its own digest, so that every one behind it has */
    bool torn;
    bool found;
} ledger_walk;

static assay_status walk_line(ledger_walk *walk, const char *line, size_t length, bool ended) {
    assay_digest prev;
    json_t *record = NULL;
    uint64_t number = 0;
    assay_status status = record_number(line, length, &prev, &record, &number);
    if (status) return status;
    walk->line++;
    walk->torn = !ended || memchr(line, '\0', length) != NULL;
    if (number && !assay_digest_equal(&prev, &walk->last))
        status =
            assay_fail(ASSAY_FAILED,
                       "ledger %s, line %llu: its `prev` is not the SHA-256 of the line before "
                       "it: a line was changed, removed or put in",
                       walk->path, (unsigned long long)walk->line);
    else if (number && number != walk->records + 1)
        status = assay_fail(ASSAY_FAILED, "ledger %s, line %llu: it is record %llu, expected %llu",
                            walk->path, (unsigned long long)walk->line, (unsigned long long)number,
                            (unsigned long long)walk->records + 1);
    else if (number && walk->own && json_object_get(record, "own") == NULL)
        status = assay_fail(ASSAY_FAILED,
                            "ledger %s, line %llu: it has no digest of its own, as those before it "
                            "have: it was changed",
                            walk->path, (unsigned long long)walk->line);
    if (number && status == ASSAY_OK) {
        walk->own = walk->own || json_object_get(record, "own") != NULL;
        const char *seal = json_string_value(json_object_get(record, "seal_sha256"));
        walk->records++;
        if (walk->wanted && seal && strcmp(seal, walk->wanted) == 0) walk->found = true;
        if (walk->visit) status = walk->visit(walk->context, line, length);
    }
    json_decref(record);
    if (status) return status;
    return assay_digest_bytes(line, length, &walk->last);
}

/* Reads the ledger of directory along its chain. */
static assay_status walk_ledger(const char *directory, ledger_walk *walk) {
    assay_status status;
    char *path = NULL, *line = NULL;
    size_t capacity = 0;
    bool last_is_record = true;
    FILE *file = NULL;
    status = assay_path_join(&path, directory, ASSAY_LEDGER_NAME);
    if (status) goto out;
    walk->path = path;
    file = fopen(path, "re");
    if (!file) {
        status = assay_fail_errno("cannot open the ledger %s", path);
        goto out;
    }
    errno = 0;
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        bool ended = line[length - 1] == '\n';
        uint64_t before = walk->records;
        if (ended) length--;
        if ((status = walk_line(walk, line, (size_t)length, ended))) goto out;
        last_is_record = walk->records > before;
    }
    if (ferror(file) || !feof(file)) { /* getline() ends early where memory is out, too */
        status = assay_fail_errno("cannot read the ledger %s", path);
        goto out;
    }
    if (!last_is_record && !walk->torn)
        status = assay_fail(ASSAY_FAILED, "ledger %s, line %llu: it is no record of a ledger", path,
                            (unsigned long long)walk->line);
out:
    walk->path = NULL;
    if (file) fclose(file);
    free(line);
    free(path);
    return status;
}

assay_status assay_ledger_check(const char *directory, uint64_t *out_records, bool *out_torn) {
    ledger_walk walk = {0};
    assay_status status = walk_ledger(directory, &walk);
    if (status) return status;
    *out_records = walk.records;
    *out_torn = walk.torn;
    return ASSAY_OK;
}

assay_status assay_ledger_walk(const char *directory, assay_ledger_visit visit, void *context) {
    ledger_walk walk = {.visit = visit, .context = context};
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, ASSAY_LEDGER_NAME);
    if (status == ASSAY_OK && assay_file_exists(path)) status = walk_ledger(directory, &walk);
    free(path);
    return status;
}

assay_status assay_ledger_holds(const char *directory, const assay_digest *seal_digest, bool *out) {
    char hex[ASSAY_DIGEST_HEX];
    ledger_walk walk = {.wanted = assay_digest_hex(hex, seal_digest)};
    assay_status status = walk_ledger(directory, &walk);
    if (status && assay_error_is_memory()) return status;
    *out = status == ASSAY_OK && walk.found;
    return ASSAY_OK;
}
