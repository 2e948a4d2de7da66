/* compare -- templates to evidence: the plan, its size, all pairs by a backend, the evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "datasets/base/memory.h"
#include "harness/compare_opaque.h"
#include "harness/compare_private.h"

static unsigned threads_of(const assay_compare_options *options) {
    if (options->threads > 0) return options->threads;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

/* The lowest threshold from outside, as a fine integer; INT64_MAX where there is none. */
static int64_t required_fine(const comparison *work) {
    const assay_protocol *protocol = work->options->protocol;
    int64_t lowest = INT64_MAX;
    for (uint32_t n = 0; n < protocol->threshold_count; n++) {
        const int64_t fine = assay_score_to_fine(&work->set, protocol->thresholds[n]);
        if (fine < lowest) lowest = fine;
    }
    return lowest;
}

static assay_bins_mode bins_mode_of(assay_histogram_mode mode) {
    return mode == ASSAY_HISTOGRAM_FULL     ? ASSAY_BINS_FULL
           : mode == ASSAY_HISTOGRAM_SAMPLE ? ASSAY_BINS_SAMPLE
                                            : ASSAY_BINS_NONE;
}

static void describe_pairs(comparison *work) {
    const assay_protocol *protocol = work->options->protocol;
    work->pairs = (assay_all_pairs){
        .templates = work->head->kind == ASSAY_TEMPLATES_BITS ? NULL : &work->set,
        .bits = work->head->kind == ASSAY_TEMPLATES_BITS ? &work->bits : NULL,
        .subject = work->plan.subject,
        .group = work->plan.group,
        .side = work->plan.side,
        .group_count = work->plan.combination_count,
        .tail_limit = work->plan.tail_limit,
        .required_fine = required_fine(work),
        .tail_cap = protocol->tail_cap,
        .bins_mode = bins_mode_of(protocol->histogram_mode),
        .bins_fraction = protocol->histogram_fraction,
        .bins_seed = protocol->histogram_seed,
    };
}

/* Every pair is accounted for, exactly once. */
static assay_status check_counts(const comparison *work) {
    const assay_plan *plan = &work->plan;
    const uint64_t n = plan->enrolled;
    const uint64_t total = assay_pair_count(n);
    uint64_t sum = 0;
    for (int k = 0; k < ASSAY_RELATION_COUNT; k++) sum += plan->relations[k];
    if (work->tally.non_mated + work->tally.failed_count !=
            plan->relations[ASSAY_RELATION_NON_MATED] ||
        sum != total) {
        return assay_fail(ASSAY_DISAGREES,
                          "backend %s compared %" PRIu64 " non-mated pairs and failed on %" PRIu64
                          "; expected %" PRIu64 " (of %" PRIu64 " pairs, %" PRIu64
                          " accounted for)",
                          work->backend->name, work->tally.non_mated, work->tally.failed_count,
                          plan->relations[ASSAY_RELATION_NON_MATED], total, sum);
    }
    return ASSAY_OK;
}

static assay_status compare_all(comparison *work) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    assay_status status = assay_compare_tiles(work);
    if (status != ASSAY_OK) return status;
    clock_gettime(CLOCK_MONOTONIC, &end);
    work->seconds =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    return check_counts(work);
}

/* What is compared: references_path, or NULL where templates_path has both. */
typedef struct {
    const char *references_path, *templates_path;
    const assay_opaque *opaque; /* read of templates_path, where they are such */
} compared_files;

static assay_status open_work(const compared_files *files, comparison *work,
                              assay_templates_head *joined) {
    assay_status status = ASSAY_OK;
    if (files->references_path != NULL) {
        status =
            assay_compare_open_between(files->references_path, files->templates_path, work, joined);
        if (status != ASSAY_OK) return status;
        work->head = joined;
    } else if (work->opaque == NULL) {
        status = assay_templates_open(files->templates_path, &work->templates);
        if (status != ASSAY_OK) return status;
        work->head = assay_templates_get_head(work->templates);
    }
    const char *comparator = work->options->comparator;
    if (comparator == NULL) comparator = work->head->comparator;
    status = assay_compare_check_kind(work, comparator);
    if (status != ASSAY_OK) return status;
    status = assay_backend_find_for(
        work->options->backend != NULL ? work->options->backend : "auto",
        work->head->kind == ASSAY_TEMPLATES_BITS ? ASSAY_COMPARES_BITS : ASSAY_COMPARES_VECTORS,
        &work->backend);
    if (status != ASSAY_OK) return status;
    return assay_plan_make(&work->head->table, work->options->protocol, &work->plan);
}

/* A release that enrols nobody is a result; that it has no comparisons should surprise no one. */
static void note_few(const comparison *work) {
    if (work->plan.count >= 2) return;
    assay_progress_note(work->progress,
                        "%s %s: %" PRIu64 " of %" PRIu64 " samples are enrolled and take part in "
                        "the protocol: there is nothing to compare, and the evidence says so",
                        work->head->release, work->head->version, work->plan.count,
                        work->head->table.row_count);
}

static assay_status open_files(const compared_files *files, comparison *work,
                               assay_templates_head *joined) {
    work->threads = threads_of(work->options);
    work->memory_limit = work->options->memory_limit;
    if (work->memory_limit == 0) work->memory_limit = assay_memory_available();
    work->opaque = files->opaque;
    work->head = files->opaque == NULL ? NULL : &files->opaque->head;
    assay_status status = open_work(files, work, joined);
    if (status != ASSAY_OK) return status;
    note_few(work);
    status = assay_compare_check_size(work);
    if (status != ASSAY_OK) return status;
    status = assay_compare_quantise(work);
    if (status != ASSAY_OK) return assay_fail_in(status, "%s", files->templates_path);
    describe_pairs(work);
    return ASSAY_OK;
}

assay_status assay_compare_open(const char *templates_path, comparison *work) {
    const compared_files files = {.templates_path = templates_path, .opaque = work->opaque};
    return open_files(&files, work, NULL);
}

void assay_compare_close(comparison *work) {
    assay_tally_free(&work->tally);
    assay_compare_free_set(work);
    assay_plan_free(&work->plan);
    assay_templates_close(work->templates);
    assay_templates_close(work->probes);
}

static assay_status compare_vectors(const compared_files *files,
                                    const assay_compare_options *options, const char *out_path,
                                    const assay_progress *progress, assay_compare_result *out) {
    assay_templates_head joined = {0};
    comparison work = {.options = options, .progress = progress, .out_path = out_path, .store = -1};
    assay_evidence evidence = {0};
    assay_status status = open_files(files, &work, &joined);
    if (status != ASSAY_OK) goto out;
    if (work.opaque != NULL) status = assay_opaque_check_vectors(&work);
    if (status != ASSAY_OK) goto out;
    status = compare_all(&work);
    if (status != ASSAY_OK) goto out;
    if (options->matrix_path != NULL) {
        status = assay_compare_matrix(&work);
        if (status != ASSAY_OK) goto out;
    }
    status = assay_compare_evidence(&work, &evidence);
    if (status != ASSAY_OK) goto out;
    status = assay_evidence_write(out_path, &evidence);
    if (status != ASSAY_OK) goto out;
    assay_compare_drop_segments(out_path);
    assay_compare_result result = {.templates = work.plan.count,
                                   .mated = evidence.mated_count,
                                   .non_mated = evidence.non_mated,
                                   .failed = evidence.failed_mated + evidence.failed_non_mated,
                                   .mated_failed = evidence.failed_mated,
                                   .tail = evidence.tail_count,
                                   .memory_bytes = assay_compare_memory(&work),
                                   .disk_bytes = assay_compare_disk(&work),
                                   .result_digest = evidence.result_digest};
    result.pairs = result.mated + result.non_mated;
    snprintf(result.backend, sizeof result.backend, "%s", work.backend->name);
    *out = result;
out:
    assay_evidence_free(&evidence);
    assay_compare_close(&work);
    assay_templates_head_free(&joined);
    return status;
}

/* By the vectors in them where there are any and the protocol's roles are nothing to them. */
static assay_status compare_opaque(const char *templates_path, const assay_compare_options *options,
                                   const char *out_path, const assay_progress *progress,
                                   assay_compare_result *out) {
    assay_opaque set = {0};
    assay_status status = assay_opaque_read(templates_path, &set);
    if (status != ASSAY_OK) return status;
    const char *asked = options->comparator;
    if (asked != NULL && (set.vector_length == 0 || strcmp(asked, set.head.comparator) != 0)) {
        status = assay_fail(ASSAY_USAGE,
                            "%s: these templates are compared by their own algorithm, not by %s",
                            templates_path, asked);
    } else if (set.vector_length > 0 && set.roles == 1) {
        set.head.length = set.vector_length;
        const compared_files files = {.templates_path = templates_path, .opaque = &set};
        status = compare_vectors(&files, options, out_path, progress, out);
    } else {
        status = assay_compare_opaque(&set, options, threads_of(options), out_path, progress, out);
    }
    assay_opaque_free(&set);
    return status;
}

assay_status assay_compare(const char *templates_path, const assay_compare_options *options,
                           const char *out_path, const assay_progress *progress,
                           assay_compare_result *out) {
    bool opaque = false;
    assay_status status = assay_opaque_is(templates_path, &opaque);
    if (status != ASSAY_OK) return status;
    if (opaque) return compare_opaque(templates_path, options, out_path, progress, out);
    const compared_files files = {.templates_path = templates_path};
    return compare_vectors(&files, options, out_path, progress, out);
}

assay_status assay_compare_between(const char *references_path, const char *probes_path,
                                   const assay_compare_options *options, const char *out_path,
                                   const assay_progress *progress, assay_compare_result *out) {
    const compared_files files = {.references_path = references_path,
                                  .templates_path = probes_path};
    return compare_vectors(&files, options, out_path, progress, out);
}

assay_status assay_compare_estimate(assay_templates_kind kind, uint64_t templates, uint32_t length,
                                    const assay_compare_options *options,
                                    assay_compare_result *out) {
    const assay_backend *backend;
    assay_status status = assay_backend_find_for(
        options->backend != NULL ? options->backend : "auto",
        kind == ASSAY_TEMPLATES_BITS ? ASSAY_COMPARES_BITS : ASSAY_COMPARES_VECTORS, &backend);
    if (status != ASSAY_OK) return status;
    const uint64_t pairs = assay_pair_count(templates);
    assay_templates_head head = {.kind = kind, .length = length, .table = {.row_count = templates}};
    comparison work = {.options = options,
                       .head = &head,
                       .backend = backend,
                       .threads = threads_of(options),
                       .plan = {.count = templates,
                                .enrolled = templates,
                                .combination_count = 1,
                                .tail_limit = assay_plan_tail_limit(options->protocol, pairs)}};
    if (options->protocol->histogram_by_count > 0) work.plan.combination_count = 8;
    work.plan.relations[ASSAY_RELATION_NON_MATED] = pairs;
    assay_compare_result result = {.templates = templates,
                                   .pairs = pairs,
                                   .non_mated = pairs,
                                   .memory_bytes = assay_compare_memory(&work),
                                   .disk_bytes = assay_compare_disk(&work)};
    result.tail = work.plan.tail_limit < pairs ? work.plan.tail_limit : pairs;
    snprintf(result.backend, sizeof result.backend, "%s", backend->name);
    *out = result;
    return ASSAY_OK;
}
