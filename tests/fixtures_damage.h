/* fixtures_damage -- what damage does to everything that is kept: a byte changed, a block zeroed,
 * swapped or put in another's place, an end cut off, in every kind of container, a seal and two
 * ledgers. Each trial reads the damaged file to its end, in a forked child, so that a crash is
 * counted too. */
#ifndef ASSAY_TESTS_FIXTURES_DAMAGE_H
#define ASSAY_TESTS_FIXTURES_DAMAGE_H

#include <sys/mman.h>
#include <sys/wait.h>

#include <jansson.h>

#include "datasets/ledger.h"
#include "datasets/seal.h"
#include "tests/fixtures_kinds.h"

typedef enum {
    DAMAGE_BYTE,      /* one byte, anywhere */
    DAMAGE_METADATA,  /* one byte outside the arrays that lie in one piece */
    DAMAGE_ZEROED,    /* a block of zeros */
    DAMAGE_SWAPPED,   /* two blocks in each other's place */
    DAMAGE_MISPLACED, /* a block where another was */
    DAMAGE_CUT,       /* shorter */
    DAMAGE_COUNT
} damage_type;

/* What is damaged: file is one of those that prepare made in the folder. */
typedef struct {
    const char *name, *file;
    size_t block;
    void (*prepare)(const char *folder);
    assay_status (*read)(const char *folder, assay_digester *to);
} damage_subject;

typedef struct {
    uint64_t trials, told, harmless, silent, crashed, unnamed;
    uint64_t first_bad; /* trial, counted from 1; 0: none */
} damage_outcome;

/* ---- subjects ---- */

#define DAMAGE_OF_KIND(number)                                                                     \
    static inline void damage_prepare_##number(const char *folder) {                               \
        fixture_need(                                                                              \
            fixture_kinds[number].write(fixture_path(folder, fixture_kinds[number].file)),         \
            "a container");                                                                        \
    }                                                                                              \
    static inline assay_status damage_read_##number(const char *folder, assay_digester *to) {      \
        return fixture_kinds[number].read(fixture_path(folder, fixture_kinds[number].file), to);   \
    }
DAMAGE_OF_KIND(0)
DAMAGE_OF_KIND(1)
DAMAGE_OF_KIND(2)
DAMAGE_OF_KIND(3)
DAMAGE_OF_KIND(4)
DAMAGE_OF_KIND(5)

/* A seal that is damaged may be told, or say the same as before: the names in it are for people. */
static inline assay_status damage_read_seal(const char *folder, assay_digester *to) {
    assay_seal seal = {0};
    const char *path = fixture_path(folder, fixture_kinds[1].file);
    assay_status status = assay_seal_read(path, &seal);
    if (status) return status;
    assay_digester_add_string(to, seal.what);
    assay_digester_add_u64(to, seal.size);
    kind_add_digest(to, &seal.whole);
    assay_seal_free(&seal);
    return fixture_kinds[1].read(path, to);
}

static inline void damage_prepare_ledger(const char *folder) {
    for (int n = 0; n < 12; n++)
        fixture_need(assay_ledger_append(folder, "noted", fixture_format("file-%d", n),
                                         fixture_format("{\"count\":%d}", n * 1000)),
                     "a ledger");
}

static inline void damage_prepare_policies(const char *folder) {
    static const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char details[600];
    for (int n = 0; n < 3; n++) {
        snprintf(details, sizeof details,
                 "{\"name\":\"border\",\"policy\":\"%s\",\"subjects\":\"%s\",\"subject_count\":%d,"
                 "\"dataset\":\"%s\",\"dataset_name\":\"fixture\",\"reference\":\"%s\"}",
                 digits, digits, 100 + n, digits, digits);
        fixture_need(
            assay_ledger_append(folder, n < 2 ? "gate-filed" : "gate-judged", "policy", details),
            "a ledger");
    }
}

static inline assay_status damage_add_record(void *context, const char *line, size_t length) {
    json_t *record = json_loadb(line, length, 0, NULL);
    json_object_del(record, "own"); /* says nothing by itself */
    char *text = json_dumps(record, JSON_SORT_KEYS | JSON_COMPACT);
    if (text) assay_digester_add_string(context, text);
    free(text);
    json_decref(record);
    return ASSAY_OK;
}

static inline assay_status damage_read_ledger(const char *folder, assay_digester *to) {
    uint64_t records;
    bool torn = false;
    assay_status status = assay_ledger_check(folder, &records, &torn);
    if (status == ASSAY_OK && torn)
        status = assay_fail(ASSAY_FAILED, "ledger %s: a last line was cut short", folder);
    if (status == ASSAY_OK) status = assay_ledger_walk(folder, damage_add_record, to);
    return status;
}

enum { DAMAGE_SUBJECTS = KIND_COUNT + 3, DAMAGE_BLOCK = 4096, DAMAGE_SMALL_BLOCK = 64 };
static const damage_subject damage_subjects[DAMAGE_SUBJECTS] = {
    {"data set", "dataset.h5", DAMAGE_BLOCK, damage_prepare_0, damage_read_0},
    {"templates, vectors", "floats.h5", DAMAGE_BLOCK, damage_prepare_1, damage_read_1},
    {"templates, bits", "bits.h5", DAMAGE_BLOCK, damage_prepare_2, damage_read_2},
    {"templates, opaque", "opaque.h5", DAMAGE_BLOCK, damage_prepare_3, damage_read_3},
    {"evidence", "evidence.h5", DAMAGE_BLOCK, damage_prepare_4, damage_read_4},
    {"partial evidence", "segment.h5", DAMAGE_BLOCK, damage_prepare_5, damage_read_5},
    {"seal", "floats.h5.seal", DAMAGE_SMALL_BLOCK, damage_prepare_1, damage_read_seal},
    {"ledger", ASSAY_LEDGER_NAME, DAMAGE_SMALL_BLOCK, damage_prepare_ledger, damage_read_ledger},
    {"ledger of policies", ASSAY_LEDGER_NAME, DAMAGE_SMALL_BLOCK, damage_prepare_policies,
     damage_read_ledger},
};

/* ---- damage ---- */

typedef struct {
    const damage_subject *subject;
    const char *folder;
    char path[512];
    uint8_t *whole, *damaged; /* [size] the file as it was, and as it is */
    size_t size, damaged_size;
    assay_seal seal; /* of a container; zeroed */
    assay_digest expected;
} damage_bench;

static inline bool damage_in_extent(const damage_bench *bench, size_t at) {
    for (size_t e = 0; e < bench->seal.extent_count; e++)
        if (at >= bench->seal.extents[e].offset &&
            at - bench->seal.extents[e].offset < bench->seal.extents[e].length)
            return true;
    return false;
}

static inline void damage_once(damage_bench *bench, damage_type type, assay_random *random) {
    const size_t block = bench->subject->block, blocks = bench->size / block;
    uint8_t *to = bench->damaged;
    const size_t a = assay_random_below(random, (uint32_t)blocks) * block;
    const size_t b = assay_random_below(random, (uint32_t)blocks) * block;
    size_t at = assay_random_below(random, (uint32_t)bench->size);
    switch (type) {
    case DAMAGE_METADATA:
        while (damage_in_extent(bench, at)) at = assay_random_below(random, (uint32_t)bench->size);
        to[at] ^= (uint8_t)(1 + assay_random_below(random, 255));
        break;
    case DAMAGE_ZEROED:
        memset(to + a, 0, block);
        break;
    case DAMAGE_SWAPPED:
        memcpy(to + a, bench->whole + b, block);
        memcpy(to + b, bench->whole + a, block);
        break;
    case DAMAGE_MISPLACED:
        memcpy(to + a, bench->whole + b, block);
        break;
    case DAMAGE_CUT:
        bench->damaged_size = at;
        break;
    default:
        to[at] ^= (uint8_t)(1 + assay_random_below(random, 255));
    }
}

/* A ledger cut right behind a record is a shorter chain, and whole (FORMAT.md, "Ledger"). */
static inline bool damage_is_none(const damage_bench *bench) {
    const bool ends_line =
        bench->damaged_size == 0 || bench->whole[bench->damaged_size - 1] == '\n';
    if (bench->damaged_size < bench->size)
        return ends_line && strcmp(bench->subject->file, ASSAY_LEDGER_NAME) == 0;
    return memcmp(bench->damaged, bench->whole, bench->size) == 0;
}

/* Damage that is none is drawn again. */
static inline void damage_make(damage_bench *bench, damage_type type, uint64_t trial) {
    assay_random random;
    assay_random_start(&random, 31 + (uint64_t)type, trial);
    do {
        memcpy(bench->damaged, bench->whole, bench->size);
        bench->damaged_size = bench->size;
        damage_once(bench, type, &random);
    } while (damage_is_none(bench));
}

static inline assay_status damage_read(const damage_bench *bench, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status == ASSAY_OK) status = bench->subject->read(bench->folder, digester);
    if (status == ASSAY_OK) status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

static inline damage_bench damage_open(const damage_subject *subject, const char *folder) {
    damage_bench bench = {.subject = subject, .folder = folder};
    subject->prepare(folder);
    snprintf(bench.path, sizeof bench.path, "%s/%s", folder, subject->file);
    bench.whole = fixture_bytes(bench.path, &bench.size);
    bench.damaged = malloc(bench.size);
    if (strcmp(subject->file + strlen(subject->file) - 3, ".h5") == 0)
        fixture_need(assay_seal_read(bench.path, &bench.seal), "a seal");
    fixture_need(damage_read(&bench, &bench.expected), "reading what is whole");
    return bench;
}

static inline void damage_close(damage_bench *bench) {
    assay_seal_free(&bench->seal);
    free(bench->whole);
    free(bench->damaged);
}

/* ---- trials ---- */

/* In memory that the child shares with its parent. */
typedef struct {
    damage_outcome outcome;
    uint64_t begun; /* the trial at hand, so that the parent knows which one was the end */
} damage_shared;

static inline void damage_trial(damage_bench *bench, damage_type type, uint64_t trial,
                                damage_outcome *outcome) {
    assay_digest found;
    damage_make(bench, type, trial);
    fixture_write(bench->path, bench->damaged, bench->damaged_size);
    outcome->trials++;
    if (damage_read(bench, &found) != ASSAY_OK) {
        outcome->told++;
        const bool named = strstr(assay_error_text(), bench->folder) != NULL;
        outcome->unnamed += !named;
        if (!named && !outcome->first_bad) outcome->first_bad = trial + 1;
    } else if (assay_digest_equal(&found, &bench->expected)) {
        outcome->harmless++;
    } else {
        outcome->silent++;
        if (!outcome->first_bad) outcome->first_bad = trial + 1;
    }
}

/* count trials of one type of damage. Leaves the file as it was. */
static inline damage_outcome damage_run(damage_bench *bench, damage_type type, uint64_t count) {
    damage_shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) exit(1);
    for (uint64_t next = 0; next < count; next = shared->begun + 1) {
        int ended = 0;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            for (uint64_t n = next; n < count; n++) {
                shared->begun = n;
                damage_trial(bench, type, n, &shared->outcome);
            }
            _exit(0);
        }
        if (child < 0 || waitpid(child, &ended, 0) != child) exit(1);
        if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) break;
        shared->outcome.crashed++;
        if (!shared->outcome.first_bad) shared->outcome.first_bad = shared->begun + 1;
    }
    const damage_outcome outcome = shared->outcome;
    munmap(shared, sizeof *shared);
    fixture_write(bench->path, bench->whole, bench->size);
    return outcome;
}

#endif
