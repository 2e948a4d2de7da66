/* bench -- measures a backend in one run with what the machine reaches at best: each measurement in
 * turn, again and again, so that what disturbs the machine disturbs all of them; then medians. */
#include "harness/bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "harness/bench_private.h"
#include "harness/plan.h"
#include "kernels/backend.h"
#include "kernels/cpu/peak.h"

enum {
    FMA_STEPS = 1 << 23, /* some 10 ms on processors of today */
    FMA_BURSTS = 6,
};

static const struct {
    const char *name, *purpose;
} row_texts[ASSAY_BENCH_ROW_COUNT] = {
    [ASSAY_BENCH_FMA_PEAK] = {"fma_peak", "float FMA peak of one core, times threads"},
    [ASSAY_BENCH_BLAS_TILE] = {"blas_tile", "bare OpenBLAS product of the tiles"},
    [ASSAY_BENCH_FULL] = {"full", "comparison: histograms, tail, mated scores"},
    [ASSAY_BENCH_TAIL_ONLY] = {"tail_only", "the same without histograms"},
    [ASSAY_BENCH_HISTOGRAM_ONLY] = {"histogram_only", "histograms, a tail of one, no mated scores"},
    [ASSAY_BENCH_TAIL_OF_ONE] = {"tail_of_one", "no histograms, a tail of one, no mated scores"},
    [ASSAY_BENCH_DEFAULT_TAIL] = {"default_tail", "comparison with the tail of assay compare"},
};

typedef struct {
    const assay_bench_options *options;
    const assay_progress *progress;
    const assay_backend *backend;
    bench_set set;
    assay_quantised templates; /* of bit strings what their scores are like, without vectors */
    assay_hamming_rule rule;
    assay_hamming_set bits;
    assay_all_pairs plan; /* of FULL; borrows set and templates */
    assay_place_pair *mated_places;
    assay_scored_pair *mated_scores;
    assay_tally first; /* of the first FULL run: what the others must give */
    double targets[ASSAY_BENCH_TARGETS_MAX];
    uint32_t target_count;
    uint64_t pairs_done, pairs_total; /* of all runs */
    assay_bench_result result;
} measuring;

/* ---- clocks, machine ---- */

typedef struct {
    double cpu, wall;
} clock_pair;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static clock_pair clocks_now(void) {
    return (clock_pair){.cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
                        .wall = seconds_of(CLOCK_MONOTONIC)};
}

static clock_pair clocks_since(clock_pair start) {
    const clock_pair now = clocks_now();
    return (clock_pair){.cpu = now.cpu - start.cpu, .wall = now.wall - start.wall};
}

/* Text behind "key : " in a file of the kernel's, without its newline; false where it is not there.
 */
static bool find_line(const char *path, const char *key, char *out, size_t size) {
    char line[512];
    bool found = false;
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        const char *value = line + strlen(key);
        value += strspn(value, " \t:");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
        found = true;
    }
    fclose(file);
    return found;
}

static void describe_device(char *out, size_t size) {
    char name[160];
    struct utsname system;
    if (!find_line("/proc/cpuinfo", "model name", name, sizeof name)) {
        snprintf(name, sizeof name, "%.64s", uname(&system) == 0 ? system.machine : "unknown");
    }
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(out, size, "%s, %ld core%s", name, cores, cores == 1 ? "" : "s");
}

/* The kernel's high-water mark of this program; getrusage keeps that of what it was started from.
 */
static uint64_t peak_memory(void) {
    char text[64];
    struct rusage usage;
    if (find_line("/proc/self/status", "VmHWM", text, sizeof text)) {
        return strtoull(text, NULL, 10) * 1024;
    }
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

/* ---- what is asked for ---- */

static assay_status take_targets(measuring *work, const assay_protocol *protocol) {
    const assay_bench_options *options = work->options;
    const double *from =
        options->fmr_target_count > 0 ? options->fmr_targets : protocol->fmr_targets;
    const uint32_t count =
        options->fmr_target_count > 0 ? options->fmr_target_count : protocol->fmr_target_count;
    if (count > ASSAY_BENCH_TARGETS_MAX) {
        return assay_fail(ASSAY_USAGE, "%u false match rates; expected at most %u", count,
                          ASSAY_BENCH_TARGETS_MAX);
    }
    for (uint32_t n = 0; n < count; n++) {
        if (!(from[n] > 0 && from[n] <= 1)) {
            return assay_fail(ASSAY_USAGE, "the false match rate %g is not above 0 and at most 1",
                              from[n]);
        }
        work->targets[n] = from[n];
    }
    work->target_count = count;
    return ASSAY_OK;
}

static assay_status choose_tail(measuring *work, uint64_t cap) {
    const uint64_t asked = work->options->tail_limit, non_mated = work->set.non_mated;
    const assay_protocol rule = {
        .fmr_targets = work->targets, .fmr_target_count = work->target_count, .tail_cap = cap};
    const uint64_t of_rule = assay_plan_tail_limit(&rule, non_mated);
    double largest = 0;
    for (uint32_t n = 0; n < work->target_count; n++) largest = fmax(largest, work->targets[n]);
    const double enough = fmin(fmax(ceil(1.2 * largest * (double)non_mated), 1), (double)cap);
    if (asked != ASSAY_BENCH_TAIL_DEFAULT && asked > cap) {
        return assay_fail(ASSAY_USAGE, "a tail of %" PRIu64 "; expected at most %" PRIu64, asked,
                          cap);
    }
    work->result.default_tail_limit = of_rule;
    work->result.tail_limit = asked == ASSAY_BENCH_TAIL_DEFAULT ? of_rule
                              : asked > 0                       ? asked
                                                                : (uint64_t)enough;
    work->plan.tail_limit = work->result.tail_limit;
    work->plan.tail_cap = cap;
    return ASSAY_OK;
}

static bool of_bits(const measuring *work) {
    return work->options->comparator == ASSAY_HAMMING;
}

/* Bytes of a template as it is made, and of what is compared. */
static void template_bytes(const measuring *work, uint64_t *made, uint64_t *compared) {
    const uint64_t length = work->options->population.length;
    const uint64_t words = (length + 63) / 64;
    *made = of_bits(work) ? 2 * (length / 8) : length * sizeof(float);
    *compared = of_bits(work) ? words * sizeof(assay_hamming_word)
                              : length * (sizeof(int32_t) + sizeof(int16_t)) + sizeof(int64_t) +
                                    sizeof(int32_t);
}

static uint64_t backend_memory(const measuring *work, const assay_all_pairs *plan) {
    return (of_bits(work) ? work->backend->bits_memory
                          : work->backend->memory)(plan, work->result.threads);
}

/* Refuses what would not fit; leaves the default tail out where only that would not. */
static assay_status check_memory(measuring *work) {
    const assay_bench_population *of = &work->options->population;
    uint64_t made, compared;
    template_bytes(work, &made, &compared);
    const uint64_t room = assay_memory_available();
    const uint64_t held = of->templates * (made + compared + 2 * sizeof(uint32_t) + 1) +
                          work->set.mated * (sizeof(assay_place_pair) + sizeof(assay_scored_pair));
    /* The first run's tail is kept beside what a run takes. */
    const uint64_t tail =
        work->plan.tail_limit < work->set.non_mated ? work->plan.tail_limit : work->set.non_mated;
    const uint64_t kept = tail * sizeof(assay_scored_pair);
    assay_all_pairs larger = work->plan;
    larger.tail_limit = work->result.default_tail_limit;
    const uint64_t full = backend_memory(work, &work->plan);
    const uint64_t wide = backend_memory(work, &larger);
    work->result.stated_memory_bytes = held + full;
    /* Templates are there already: made, not yet quantised. */
    const uint64_t there = of->templates * made;
    if (held + kept + full > room + there) {
        return assay_fail(ASSAY_FAILED,
                          "comparing %" PRIu64 " templates of %u with backend %s needs %.2f "
                          "GB of memory; %.2f GB are free",
                          of->templates, of->length, work->backend->name,
                          (double)(held + kept + full) / 1e9, (double)(room + there) / 1e9);
    }
    work->result.rows[ASSAY_BENCH_DEFAULT_TAIL].measured =
        work->result.default_tail_limit != work->result.tail_limit &&
        held + kept + wide <= room + there;
    return ASSAY_OK;
}

static assay_status check_options(const assay_bench_options *options) {
    if (options->repeats < 1 || options->repeats > ASSAY_BENCH_REPEATS_MAX) {
        return assay_fail(ASSAY_USAGE, "repeat is %u, expected 1 to %u", options->repeats,
                          ASSAY_BENCH_REPEATS_MAX);
    }
    return ASSAY_OK;
}

/* Places of every mated pair: subjects lie together. */
static assay_status list_mated(measuring *work) {
    const uint64_t count = work->options->population.templates;
    assay_status status = assay_allocate(&work->mated_places, (size_t)work->set.mated,
                                         sizeof *work->mated_places, "mated pairs");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&work->mated_scores, (size_t)work->set.mated,
                            sizeof *work->mated_scores, "mated scores");
    if (status != ASSAY_OK) return status;
    uint64_t found = 0;
    for (uint64_t a = 0; a < count; a++) {
        for (uint64_t b = a + 1; b < count && work->set.subject[b] == work->set.subject[a]; b++) {
            work->mated_places[found++] = (assay_place_pair){.a = a, .b = b};
        }
    }
    return ASSAY_OK;
}

/* Templates as they are compared. */
static assay_status take_templates(measuring *work) {
    const assay_bench_options *options = work->options;
    const uint64_t count = options->population.templates;
    const clock_pair start = clocks_now();
    assay_status status =
        of_bits(work) ? assay_hamming_set_create(&work->rule, count, work->set.codes,
                                                 work->set.masks, &work->bits)
                      : assay_quantise(options->comparator, count, options->population.length,
                                       work->set.vectors, &work->templates);
    work->result.quantise_cpu_seconds = clocks_since(start).cpu;
    return status;
}

static void start_plan(measuring *work) {
    const assay_bench_options *options = work->options;
    work->plan = (assay_all_pairs){.templates = &work->templates,
                                   .subject = work->set.subject,
                                   .group = work->set.group,
                                   .side = work->set.side,
                                   .group_count = options->population.groups,
                                   .required_fine = INT64_MAX,
                                   .bins_mode = ASSAY_BINS_FULL};
    work->templates = (assay_quantised){.count = options->population.templates,
                                        .length = options->population.length,
                                        .comparator = options->comparator};
    if (!of_bits(work)) return;
    work->plan.bits = &work->bits;
    work->templates.exponent = ASSAY_HAMMING_EXPONENT;
    work->templates.coarse_scale = ASSAY_HAMMING_COARSE_SCALE;
    work->templates.bound = ASSAY_HAMMING_BOUND;
    work->bits = (assay_hamming_set){.count = options->population.templates,
                                     .rule = work->rule,
                                     .word_count = (work->rule.bits + 63) / 64};
}

static assay_status prepare(measuring *work) {
    const assay_bench_options *options = work->options;
    assay_protocol protocol = {0};
    assay_status status = check_options(options);
    if (status != ASSAY_OK) return status;
    status = assay_protocol_create(&protocol);
    if (status != ASSAY_OK) return status;
    status = take_targets(work, &protocol);
    if (status != ASSAY_OK) goto out;
    status = assay_backend_find_for(options->backend != NULL ? options->backend : "auto",
                                    of_bits(work) ? ASSAY_COMPARES_BITS : ASSAY_COMPARES_VECTORS,
                                    &work->backend);
    if (status != ASSAY_OK) goto out;
    status = assay_bench_set_make(options, work->progress, &work->set);
    if (status == ASSAY_OK && of_bits(work)) status = assay_bench_rule(options, &work->rule);
    if (status != ASSAY_OK) goto out;
    start_plan(work);
    status = choose_tail(work, protocol.tail_cap);
    if (status != ASSAY_OK) goto out;
    status = check_memory(work);
    if (status != ASSAY_OK) goto out;
    status = take_templates(work);
    if (status != ASSAY_OK) goto out;
    status = list_mated(work);
out:
    assay_protocol_free(&protocol);
    return status;
}

/* ---- one run of each ---- */

static void note_run(measuring *work, assay_bench_kind kind, unsigned repeat, double pairs,
                     clock_pair took) {
    assay_bench_row *row = &work->result.rows[kind];
    row->measured = true;
    row->pairs = pairs;
    row->cpu_each[repeat] = took.cpu;
    row->wall_each[repeat] = took.wall;
}

static assay_status run_fma(measuring *work, unsigned repeat) {
    clock_pair took = {0};
    double operations = 0;
    for (int burst = 0; burst < FMA_BURSTS; burst++) {
        assay_peak_run run;
        const assay_status status = assay_peak_fma(NULL, FMA_STEPS, &run);
        if (status != ASSAY_OK) return status;
        took.cpu += run.cpu_seconds;
        took.wall += run.wall_seconds;
        operations += run.operations;
        work->result.fma_path = run.path;
    }
    note_run(work, ASSAY_BENCH_FMA_PEAK, repeat,
             operations / (2.0 * work->options->population.length), took);
    return ASSAY_OK;
}

/* OpenBLAS knows processors by name, and takes its AVX2 kernels where it meets a newer one. */
static const char *note_on_blas(const char *core) {
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    assay_peak_run run;
    if (assay_peak_fma("avx512", 1, &run) != ASSAY_OK) return NULL;
    for (size_t n = 0; n < sizeof wide / sizeof wide[0]; n++) {
        if (strcasecmp(core, wide[n]) == 0) return NULL;
    }
    return "OpenBLAS did not take its AVX-512 kernels here; OPENBLAS_CORETYPE=SkylakeX makes it";
}

static assay_status run_blas(measuring *work, unsigned repeat) {
    const assay_bench_population *of = &work->options->population;
    assay_peak_run run;
    const assay_status status = assay_peak_product(work->set.vectors, of->templates, of->length,
                                                   work->result.threads, &run);
    if (status == ASSAY_DECLINED) return ASSAY_OK;
    if (status != ASSAY_OK) return status;
    work->result.blas_path = run.path;
    work->result.blas_note = note_on_blas(run.path);
    note_run(work, ASSAY_BENCH_BLAS_TILE, repeat, run.operations / (2.0 * of->length),
             (clock_pair){.cpu = run.cpu_seconds, .wall = run.wall_seconds});
    return ASSAY_OK;
}

/* A backend counts the pairs of its own run; they become those of all runs. */
static bool tell_inner(void *context, const char *step, const char *unit, uint64_t done,
                       uint64_t total) {
    const measuring *work = context;
    (void)step;
    (void)unit;
    (void)total;
    return assay_progress_tell(work->progress, "bench", "pairs", work->pairs_done + done,
                               work->pairs_total);
}

static bool same_tail(const assay_tally *x, const assay_tally *y) {
    if (x->tail_count != y->tail_count || x->tail_floor != y->tail_floor) return false;
    for (uint64_t n = 0; n < x->tail_count; n++) {
        const assay_scored_pair *p = &x->tail[n], *q = &y->tail[n];
        if (p->fine != q->fine || p->a != q->a || p->b != q->b) return false;
    }
    return true;
}

/* A run that lost a pair or found another tail was not the work that is measured. */
static assay_status check_tally(measuring *work, assay_bench_kind kind, const assay_tally *tally) {
    const bool bins = kind != ASSAY_BENCH_TAIL_ONLY && kind != ASSAY_BENCH_TAIL_OF_ONE;
    const uint64_t scored = work->set.non_mated - tally->failed_count;
    const uint64_t binned = bins ? scored : 0;
    if (tally->failed_count > work->set.non_mated || tally->non_mated != scored ||
        tally->same_subject != work->set.mated || tally->histogram_pairs != binned) {
        return assay_fail(ASSAY_DISAGREES,
                          "backend %s compared %" PRIu64 " non-mated and %" PRIu64
                          " mated pairs and binned %" PRIu64 "; expected %" PRIu64 ", %" PRIu64
                          " and %" PRIu64,
                          work->backend->name, tally->non_mated, tally->same_subject,
                          tally->histogram_pairs, scored, work->set.mated, binned);
    }
    if (kind != ASSAY_BENCH_FULL && kind != ASSAY_BENCH_TAIL_ONLY) return ASSAY_OK;
    if (work->first.tail != NULL && !same_tail(&work->first, tally)) {
        return assay_fail(ASSAY_DISAGREES, "backend %s gave two tails for the same templates",
                          work->backend->name);
    }
    return ASSAY_OK;
}

static assay_all_pairs plan_of(const measuring *work, assay_bench_kind kind) {
    assay_all_pairs plan = work->plan;
    const bool one = kind == ASSAY_BENCH_TAIL_OF_ONE;
    if (kind == ASSAY_BENCH_TAIL_ONLY || one) plan.bins_mode = ASSAY_BINS_NONE;
    if (kind == ASSAY_BENCH_HISTOGRAM_ONLY || one) plan.tail_limit = 1;
    if (kind == ASSAY_BENCH_DEFAULT_TAIL) plan.tail_limit = work->result.default_tail_limit;
    return plan;
}

static assay_status run_backend(measuring *work, assay_bench_kind kind, unsigned repeat) {
    const assay_all_pairs plan = plan_of(work, kind);
    const assay_progress inner = {.tell = tell_inner, .context = work};
    const assay_backend_options options = {.threads = work->result.threads,
                                           .memory_limit = assay_memory_available(),
                                           .progress = &inner,
                                           .progress_total = work->set.pairs,
                                           .known_floor = INT64_MIN};
    assay_tally tally = {0};
    const clock_pair start = clocks_now();
    assay_status status =
        (of_bits(work) ? work->backend->bits_all_pairs : work->backend->all_pairs)(
            &plan, 0, assay_tile_count(plan.templates->count), &options, &tally);
    if (status != ASSAY_OK) return status;
    const clock_pair before_mated = clocks_now();
    if (kind != ASSAY_BENCH_HISTOGRAM_ONLY && kind != ASSAY_BENCH_TAIL_OF_ONE) {
        status =
            of_bits(work)
                ? work->backend->bits_score_pairs(&work->bits, work->mated_places, work->set.mated,
                                                  &options, work->mated_scores)
                : work->backend->score_pairs(&work->templates, work->mated_places, work->set.mated,
                                             &options, work->mated_scores);
        if (status != ASSAY_OK) goto out;
    }
    const clock_pair mated = clocks_since(before_mated);
    note_run(work, kind, repeat, (double)work->set.pairs, clocks_since(start));
    status = check_tally(work, kind, &tally);
    if (status != ASSAY_OK) goto out;
    if (kind == ASSAY_BENCH_TAIL_ONLY) work->result.tail_only_rescored = tally.rescored;
    if (kind == ASSAY_BENCH_FULL) {
        work->result.rescored = tally.rescored;
        work->result.failed = tally.failed_count;
        work->result.redone = tally.redone;
        work->result.mated_cpu_seconds = mated.cpu;
    }
    if (kind == ASSAY_BENCH_FULL && work->first.tail == NULL) {
        work->first = tally;
        tally = (assay_tally){0};
    }
out:
    assay_tally_free(&tally);
    return status;
}

static assay_status run_row(measuring *work, assay_bench_kind kind, unsigned repeat) {
    if (kind == ASSAY_BENCH_FMA_PEAK) return run_fma(work, repeat);
    assay_status status =
        kind == ASSAY_BENCH_BLAS_TILE ? run_blas(work, repeat) : run_backend(work, kind, repeat);
    if (status != ASSAY_OK) return status;
    work->pairs_done += work->set.pairs;
    if (!assay_progress_tell(work->progress, "bench", "pairs", work->pairs_done,
                             work->pairs_total)) {
        return assay_fail(ASSAY_FAILED, "interrupted after %u of %u rounds", repeat,
                          work->options->repeats);
    }
    return ASSAY_OK;
}

static assay_status run_all(measuring *work) {
    const bool wide = work->result.rows[ASSAY_BENCH_DEFAULT_TAIL].measured;
    const int first = of_bits(work) ? ASSAY_BENCH_FULL : ASSAY_BENCH_FMA_PEAK;
    const unsigned counted =
        ASSAY_BENCH_ROW_COUNT - (unsigned)first - (first == 0 ? 1 : 0) - (wide ? 0 : 1);
    work->pairs_total = work->set.pairs * counted * work->options->repeats;
    for (unsigned repeat = 0; repeat < work->options->repeats; repeat++) {
        for (int kind = first; kind < ASSAY_BENCH_ROW_COUNT; kind++) {
            if (kind == ASSAY_BENCH_DEFAULT_TAIL) {
                /* What was asked for has run; the wider tail takes more than that. */
                if (repeat == 0) work->result.peak_memory_bytes = peak_memory();
                if (!wide) continue;
            }
            const assay_status status = run_row(work, (assay_bench_kind)kind, repeat);
            if (status != ASSAY_OK) return status;
        }
    }
    return ASSAY_OK;
}

/* ---- what came of it ---- */

static int ascending(const void *left, const void *right) {
    const double x = *(const double *)left, y = *(const double *)right;
    return (x > y) - (x < y);
}

static double median(const double *values, unsigned count) {
    double sorted[ASSAY_BENCH_REPEATS_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, ascending);
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

static void sum_up_row(assay_bench_row *row, assay_bench_kind kind, unsigned repeats,
                       unsigned threads) {
    row->name = row_texts[kind].name;
    row->purpose = row_texts[kind].purpose;
    if (!row->measured) return;
    row->cpu_seconds = median(row->cpu_each, repeats);
    row->wall_seconds = median(row->wall_each, repeats);
    row->pairs_per_s = row->pairs * threads / row->cpu_seconds;
    row->wall_pairs_per_s =
        row->pairs * (kind == ASSAY_BENCH_FMA_PEAK ? threads : 1) / row->wall_seconds;
}

/* How much longer x takes than y; NaN where either is not measured. */
static double excess(const assay_bench_row *x, const assay_bench_row *y) {
    return x->measured && y->measured ? x->cpu_seconds / y->cpu_seconds - 1 : NAN;
}

static double rate_over(const assay_bench_row *x, const assay_bench_row *y) {
    return x->measured && y->measured ? x->pairs_per_s / y->pairs_per_s : NAN;
}

/* The tail is sorted from the top, and holds every pair above its floor. */
static assay_bench_threshold threshold_of(const measuring *work, double fmr) {
    const assay_tally *tally = &work->first;
    assay_bench_threshold found = {
        .fmr = fmr, .allowed = (uint64_t)floor(fmr * (double)tally->non_mated + 1e-9)};
    uint64_t kept = found.allowed;
    if (kept > tally->tail_count) return found;
    if (kept < tally->tail_count) {
        const int64_t refused = tally->tail[kept].fine;
        while (kept > 0 && tally->tail[kept - 1].fine == refused) kept--;
    }
    if (kept == 0) return found;
    found.known = true;
    found.matches = kept;
    found.threshold = assay_fine_to_score(&work->templates, tally->tail[kept - 1].fine);
    return found;
}

static void sum_up(measuring *work) {
    assay_bench_result *result = &work->result;
    const assay_bench_row *rows = result->rows;
    for (int kind = 0; kind < ASSAY_BENCH_ROW_COUNT; kind++) {
        sum_up_row(&result->rows[kind], (assay_bench_kind)kind, result->repeats, result->threads);
    }
    const assay_bench_row *full = &rows[ASSAY_BENCH_FULL];
    const assay_bench_row *least = &rows[ASSAY_BENCH_HISTOGRAM_ONLY];
    result->over_fma_peak = rate_over(full, &rows[ASSAY_BENCH_FMA_PEAK]);
    result->tail_only_over_fma_peak =
        rate_over(&rows[ASSAY_BENCH_TAIL_ONLY], &rows[ASSAY_BENCH_FMA_PEAK]);
    result->over_blas_tile = rate_over(full, &rows[ASSAY_BENCH_BLAS_TILE]);
    result->exactness_cost = excess(full, least);
    result->binning_cost = excess(full, &rows[ASSAY_BENCH_TAIL_ONLY]);
    result->default_tail_cost = result->default_tail_limit == result->tail_limit
                                    ? result->exactness_cost
                                    : excess(&rows[ASSAY_BENCH_DEFAULT_TAIL], least);
    result->useful_gflops =
        of_bits(work) ? (double)NAN : 2.0 * result->population.length * full->pairs_per_s / 1e9;
    result->tail = work->first.tail_count;
    result->threshold_count = work->target_count;
    for (uint32_t n = 0; n < work->target_count; n++) {
        result->thresholds[n] = threshold_of(work, work->targets[n]);
    }
}

static unsigned threads_of(const assay_bench_options *options) {
    if (options->threads > 0) return options->threads;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

assay_status assay_bench(const assay_bench_options *options, const assay_progress *progress,
                         assay_bench_result *out) {
    measuring work = {.options = options,
                      .progress = progress,
                      .result = {.population = options->population,
                                 .threads = threads_of(options),
                                 .repeats = options->repeats}};
    assay_bench_result *result = &work.result;
    assay_status status = prepare(&work);
    if (status != ASSAY_OK) goto out;
    result->backend = work.backend->name;
    status = work.backend->probe(result->backend_line, sizeof result->backend_line);
    if (status != ASSAY_OK) goto out;
    if (work.backend->bits_all_pairs == assay_hamming_all_pairs && of_bits(&work))
        snprintf(result->backend_line, sizeof result->backend_line,
                 "bits counted by path %s, own threads", assay_hamming_path_name());
    describe_device(result->device, sizeof result->device);
    result->pairs = work.set.pairs;
    result->mated = work.set.mated;
    result->non_mated = work.set.non_mated;
    status = run_all(&work);
    if (status != ASSAY_OK) goto out;
    sum_up(&work);
    *out = *result;
out:
    assay_tally_free(&work.first);
    assay_quantised_free(&work.templates);
    assay_hamming_set_free(&work.bits);
    assay_bench_set_free(&work.set);
    free(work.mated_places);
    free(work.mated_scores);
    return status;
}
