/* compare_opaque -- comparisons by the algorithm itself: opaque templates to evidence, pair by pair
 * in confined workers; and a sample of pairs where a vector in the templates stands for it. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/random.h"
#include "datasets/base/text.h"
#include "datasets/segment_files.h"
#include "harness/compare_opaque.h"
#include "harness/plugin_files.h"
#include "harness/segments.h"

#define SEGMENT "pairs"
#define BATCH 64u          /* probes that a worker is given at once */
#define TRIAL_PAIRS 64u    /* compared beforehand, to say what all will cost */
#define CHECKED_PAIRS 500u /* of each kind, against the vectors' scores */

/* One comparison to be made, reference against probe. */
typedef struct {
    uint32_t reference, probe; /* rows */
    uint8_t direction;
    bool mated, done;
    double score; /* NaN where the comparison failed */
} opaque_pair;

typedef struct {
    const assay_opaque *set;
    const assay_compare_options *options;
    const char *out_path;
    const assay_progress *progress;
    assay_plan plan;
    opaque_pair *pairs; /* [count], by reference */
    uint64_t count;
    assay_digest plan_digest; /* what segments belong to */
    uint64_t sealed;          /* pairs before it are in segments */
    pthread_mutex_t lock;     /* guards what follows */
    uint64_t next, done;
    uint64_t stretch_left; /* batches before the next segment */
    double stretch_end;    /* time at which it is due */
    assay_pace pace;
    assay_status status;
    char *fault;
} opaque_work;

/* ---- which pairs ---- */

static opaque_pair make_pair(const opaque_work *work, uint32_t i, uint32_t j, bool mated) {
    uint8_t direction = (uint8_t)assay_protocol_direction(
        work->options->protocol, &work->set->head.table, work->plan.roles, i, j);
    /* Where nothing says which is the reference, the earlier row is. */
    bool turned = direction == ASSAY_DIRECTION_J;
    return (opaque_pair){.reference = turned ? j : i,
                         .probe = turned ? i : j,
                         .direction = direction,
                         .mated = mated};
}

static int by_reference(const void *left, const void *right) {
    const opaque_pair *x = left, *y = right;
    if (x->reference != y->reference) return x->reference < y->reference ? -1 : 1;
    return x->probe < y->probe ? -1 : x->probe > y->probe;
}

static bool is_enrolled(const opaque_work *work, uint32_t row) {
    return work->set->head.table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
}

static void add_non_mated(opaque_work *work, uint64_t limit, uint32_t i, uint32_t j) {
    const assay_sample_table *table = &work->set->head.table;
    if (work->count == limit || !is_enrolled(work, i) || !is_enrolled(work, j)) return;
    if (assay_protocol_relation(work->options->protocol, table, work->plan.roles, i, j) ==
        ASSAY_RELATION_NON_MATED)
        work->pairs[work->count++] = make_pair(work, i, j, false);
}

static assay_status list_pairs(opaque_work *work) {
    const assay_protocol *protocol = work->options->protocol;
    const assay_same_subject *same = &work->plan.same;
    const uint64_t rows = work->set->head.table.row_count;
    const uint64_t limit =
        work->plan.relations[ASSAY_RELATION_MATED] + work->plan.relations[ASSAY_RELATION_NON_MATED];
    assay_status status = assay_allocate(&work->pairs, limit, sizeof *work->pairs, "comparisons");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < same->count && work->count < limit; n++)
        if (same->relation[n] == ASSAY_RELATION_MATED)
            work->pairs[work->count++] = make_pair(work, same->pairs[n].i, same->pairs[n].j, true);
    if (protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) {
        for (uint64_t n = 0; n < protocol->pair_count; n++)
            add_non_mated(work, limit, protocol->pairs[n].i, protocol->pairs[n].j);
    } else {
        for (uint64_t i = 0; i < rows; i++)
            for (uint64_t j = i + 1; j < rows; j++)
                add_non_mated(work, limit, (uint32_t)i, (uint32_t)j);
    }
    if (work->count != limit)
        return assay_fail(ASSAY_DISAGREES,
                          "%" PRIu64 " pairs were listed for the plug-in, expected %" PRIu64,
                          work->count, limit);
    qsort(work->pairs, work->count, sizeof *work->pairs, by_reference);
    return ASSAY_OK;
}

/* ---- segments ---- */

/* Templates do not say what compares them, so the plug-in counts, and its limits. */
static assay_status digest_plan(opaque_work *work) {
    assay_digest plan;
    assay_digester *digester = NULL;
    assay_status status = assay_plan_digest(&work->plan, &work->set->head.digest,
                                            work->options->protocol, "own", 0, &plan);
    if (status == ASSAY_OK) status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_digester_add_string(digester, "assay-own/1");
    assay_digester_add(digester, plan.bytes, sizeof plan.bytes);
    status = assay_plugin_files_add(work->options->plugin, digester);
    if (status == ASSAY_OK) status = assay_digester_finish(digester, &work->plan_digest);
    assay_digester_free(digester);
    return status;
}

static assay_status take_segment(void *context, const char *path) {
    opaque_work *work = context;
    assay_partial_scores partial = {0};
    if (assay_partial_scores_read(path, &partial) != ASSAY_OK) {
        assay_progress_note(work->progress, "segment left aside: %s", assay_error_text());
        return ASSAY_OK;
    }
    if (assay_digest_equal(&partial.plan_digest, &work->plan_digest) &&
        partial.end_pair <= work->count) {
        for (uint64_t n = partial.first_pair; n < partial.end_pair; n++) {
            if (!work->pairs[n].done) work->done++;
            work->pairs[n].score = partial.scores[n - partial.first_pair];
            work->pairs[n].done = true;
        }
    }
    assay_partial_scores_free(&partial);
    return ASSAY_OK;
}

static assay_status resume(opaque_work *work) {
    assay_status status = digest_plan(work);
    if (status == ASSAY_OK)
        status = assay_segments_walk(work->out_path, SEGMENT, take_segment, work);
    if (status == ASSAY_OK && work->done > 0)
        assay_progress_note(work->progress,
                            "going on: %" PRIu64 " of %" PRIu64 " comparisons were done before",
                            work->done, work->count);
    while (work->sealed < work->count && work->pairs[work->sealed].done) work->sealed++;
    return status;
}

/* Seals what is done behind the last segment, up to the first pair that is not. */
static assay_status seal(opaque_work *work) {
    const uint64_t first = work->sealed;
    uint64_t end = first;
    char *path = NULL;
    while (end < work->count && work->pairs[end].done) end++;
    if (end == first) return ASSAY_OK;
    assay_partial_scores partial = {
        .plan_digest = work->plan_digest, .first_pair = first, .end_pair = end};
    assay_status status =
        assay_allocate(&partial.scores, end - first, sizeof *partial.scores, "a segment's scores");
    for (uint64_t n = first; status == ASSAY_OK && n < end; n++)
        partial.scores[n - first] = work->pairs[n].score;
    if (status == ASSAY_OK)
        status = assay_segments_path(work->out_path, SEGMENT, first, end, &path);
    if (status == ASSAY_OK) status = assay_partial_scores_write(path, &partial);
    if (status == ASSAY_OK) work->sealed = end;
    free(path);
    assay_partial_scores_free(&partial);
    return status;
}

/* ---- comparing ---- */

static assay_opaque_bytes template_of(const assay_opaque *set, uint32_t row, uint32_t role) {
    uint64_t item = (uint64_t)row * set->roles + (set->roles == 2 ? role : 0);
    return (assay_opaque_bytes){set->bytes + set->offset[item], (size_t)set->size[item]};
}

/* Pairs first … end - 1, all of one reference, at most BATCH. */
static assay_status compare_batch(const opaque_work *work, assay_session *session, uint64_t first,
                                  uint64_t end) {
    assay_opaque_bytes probes[BATCH] = {{NULL, 0}};
    assay_own_score compared[BATCH];
    char text[ASSAY_SESSION_TEXT];
    const size_t count = (size_t)(end - first);
    const assay_opaque_bytes reference = template_of(work->set, work->pairs[first].reference, 0);
    for (size_t n = 0; n < count; n++)
        probes[n] = template_of(work->set, work->pairs[first + n].probe, 1);
    assay_status status = assay_session_compare(session, &reference, probes, count, compared, text);
    for (size_t n = 0; status == ASSAY_OK && n < count; n++) {
        work->pairs[first + n].score = compared[n].scored ? compared[n].score : NAN;
        work->pairs[first + n].done = true;
    }
    return status;
}

static uint64_t end_of_batch(const opaque_work *work, uint64_t first) {
    uint64_t end = first + 1;
    while (end < work->count && end - first < BATCH && !work->pairs[end].done &&
           work->pairs[end].reference == work->pairs[first].reference)
        end++;
    return end;
}

typedef struct {
    opaque_work *work;
    assay_session *session;
    pthread_t thread;
    bool running;
} opaque_worker;

static bool seals(const opaque_work *work) {
    return work->options->checkpoint_seconds > 0 || work->options->checkpoint_tiles > 0;
}

static bool segment_is_due(const opaque_work *work) {
    if (!seals(work)) return false;
    if (work->options->checkpoint_tiles > 0) return work->stretch_left == 0;
    return assay_pace_seconds() >= work->stretch_end;
}

/* The next pairs; false where there are none, a segment is due or something went wrong. */
static bool take_batch(opaque_work *work, uint64_t *out_first, uint64_t *out_end) {
    pthread_mutex_lock(&work->lock);
    while (work->next < work->count && work->pairs[work->next].done) work->next++;
    bool taken = work->status == ASSAY_OK && work->next < work->count && !segment_is_due(work);
    if (taken) {
        *out_first = work->next;
        *out_end = work->next = end_of_batch(work, work->next);
        work->stretch_left--;
    }
    pthread_mutex_unlock(&work->lock);
    return taken;
}

static void finish_batch(opaque_work *work, uint64_t count, assay_status status) {
    pthread_mutex_lock(&work->lock);
    work->done += count;
    if (status == ASSAY_OK && assay_pace_due(&work->pace) &&
        !assay_progress_tell(work->progress, "compare", "pairs", work->done, work->count))
        status = assay_fail(ASSAY_FAILED, "comparing: interrupted");
    if (status != ASSAY_OK && work->status == ASSAY_OK) {
        work->status = status;
        work->fault = strdup(assay_error_text());
    }
    pthread_mutex_unlock(&work->lock);
}

static void *compare_batches(void *argument) {
    opaque_worker *worker = argument;
    uint64_t first, end;
    while (take_batch(worker->work, &first, &end))
        finish_batch(worker->work, end - first,
                     compare_batch(worker->work, worker->session, first, end));
    return NULL;
}

/* Pairs until a segment is due, or to the end. */
static assay_status run_stretch(opaque_work *work, opaque_worker *workers, unsigned threads) {
    assay_status status = ASSAY_OK;
    work->stretch_left = work->options->checkpoint_tiles;
    work->stretch_end = assay_pace_seconds() + work->options->checkpoint_seconds;
    for (unsigned n = 0; status == ASSAY_OK && n < threads; n++) {
        workers[n].running =
            pthread_create(&workers[n].thread, NULL, compare_batches, &workers[n]) == 0;
        if (!workers[0].running) status = assay_fail(ASSAY_FAILED, "comparing: no thread");
    }
    for (unsigned n = 0; n < threads; n++) {
        if (workers[n].running) pthread_join(workers[n].thread, NULL);
        workers[n].running = false;
    }
    if (status != ASSAY_OK || work->status == ASSAY_OK) return status;
    return assay_fail(work->status, "%s", work->fault == NULL ? "" : work->fault);
}

/* What was done is not to be done again, whatever went wrong; that is what is told. */
static assay_status save(opaque_work *work, assay_status status) {
    if (status == ASSAY_OK || !seals(work)) return status;
    char *fault = strdup(assay_error_text());
    if (seal(work) != ASSAY_OK)
        assay_progress_note(work->progress, "what was done since the last segment is lost: %s",
                            assay_error_text());
    status = assay_fail(status, "%s", fault == NULL ? "comparing: no memory" : fault);
    free(fault);
    return status;
}

static assay_status compare_pairs(opaque_work *work, unsigned threads) {
    opaque_worker *workers = NULL;
    assay_status status = assay_allocate(&workers, threads, sizeof *workers, "threads");
    if (status != ASSAY_OK) return status;
    for (unsigned n = 0; status == ASSAY_OK && n < threads && work->done < work->count; n++) {
        workers[n].work = work;
        status = assay_session_open(work->options->plugin, &workers[n].session);
    }
    while (status == ASSAY_OK && work->done < work->count) {
        status = run_stretch(work, workers, threads);
        if (status == ASSAY_OK && work->done < work->count) status = seal(work);
    }
    for (unsigned n = 0; n < threads; n++) assay_session_close(workers[n].session);
    free(workers);
    return save(work, status);
}

/* ---- what it will cost ---- */

static assay_status check_cost(opaque_work *work, unsigned threads) {
    assay_session *session = NULL;
    const uint64_t cap =
        work->options->opaque_cap > 0 ? work->options->opaque_cap : ASSAY_OPAQUE_CAP;
    const uint64_t pairs =
        work->plan.relations[ASSAY_RELATION_MATED] + work->plan.relations[ASSAY_RELATION_NON_MATED];
    if (pairs > cap || pairs > work->options->protocol->tail_cap)
        return assay_fail(ASSAY_USAGE,
                          "%" PRIu64 " comparisons by the plug-in itself are more than the %" PRIu64
                          " that are allowed: choose protocol one-per-subject or pairs, or raise "
                          "opaque_cap (and tail_cap)",
                          pairs, cap);
    assay_status status = list_pairs(work);
    if (status == ASSAY_OK && seals(work)) status = resume(work);
    if (status != ASSAY_OK || work->done == work->count) return status;
    status = assay_session_open(work->options->plugin, &session);
    if (status != ASSAY_OK) return status;
    double started = assay_pace_seconds();
    uint64_t tried = 0;
    for (uint64_t next = work->sealed; status == ASSAY_OK && tried < TRIAL_PAIRS;) {
        while (next < work->count && work->pairs[next].done) next++;
        if (next == work->count) break;
        const uint64_t end = end_of_batch(work, next);
        status = compare_batch(work, session, next, end);
        tried += end - next;
        work->done += end - next;
        next = end;
    }
    assay_session_close(session);
    if (status != ASSAY_OK) return status;
    const double seconds = (assay_pace_seconds() - started) / (double)tried;
    const uint64_t left = work->count - work->done;
    assay_progress_note(work->progress,
                        "%" PRIu64 " comparisons by the plug-in, %.3g ms each as tried on %" PRIu64
                        ": about %.3g s for the %" PRIu64 " that are left on %u workers",
                        work->count, seconds * 1e3, tried, seconds * (double)left / threads, left,
                        threads);
    return ASSAY_OK;
}

/* ---- evidence ---- */

static int highest_first(const void *left, const void *right) {
    const assay_comparison *x = left, *y = right;
    if (x->fine != y->fine) return x->fine > y->fine ? -1 : 1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return x->j < y->j ? -1 : x->j > y->j;
}

static int first_row_first(const void *left, const void *right) {
    const assay_row_pair *x = left, *y = right;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return x->j < y->j ? -1 : x->j > y->j;
}

static void add_comparison(const opaque_pair *pair, assay_evidence *evidence) {
    bool turned = pair->reference > pair->probe;
    const uint32_t i = turned ? pair->probe : pair->reference;
    const uint32_t j = turned ? pair->reference : pair->probe;
    if (isnan(pair->score)) {
        evidence->failed[evidence->failed_mated + evidence->failed_non_mated] =
            (assay_row_pair){i, j};
        *(pair->mated ? &evidence->failed_mated : &evidence->failed_non_mated) += 1;
        return;
    }
    const assay_comparison made = {
        .fine = assay_score_place(pair->score), .i = i, .j = j, .direction = pair->direction};
    if (pair->mated)
        evidence->mated[evidence->mated_count++] = made;
    else
        evidence->tail[evidence->tail_count++] = made;
}

static assay_status take_comparisons(const opaque_work *work, assay_evidence *evidence) {
    const uint64_t count = work->count;
    assay_status status =
        assay_allocate(&evidence->mated, count, sizeof *evidence->mated, "mated comparisons");
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence->tail, count, sizeof *evidence->tail, "the tail");
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence->failed, count, sizeof *evidence->failed,
                                "failed comparisons");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < count; n++) add_comparison(&work->pairs[n], evidence);
    qsort(evidence->mated, evidence->mated_count, sizeof *evidence->mated, highest_first);
    qsort(evidence->tail, evidence->tail_count, sizeof *evidence->tail, highest_first);
    qsort(evidence->failed, evidence->failed_mated + evidence->failed_non_mated,
          sizeof *evidence->failed, first_row_first);
    evidence->non_mated = evidence->tail_limit = evidence->tail_count;
    evidence->tail_complete = true;
    evidence->tail_floor = INT64_MIN;
    return ASSAY_OK;
}

/* Of the provenance of templates: what their plug-in is made of. */
static const char *const who_compares[] = {"plugin_sha256", "config_sha256", "parameters_given"};

static assay_status describe_provenance(const opaque_work *work, unsigned threads, double seconds,
                                        char **out) {
    char dataset[ASSAY_DIGEST_HEX], templates[ASSAY_DIGEST_HEX];
    json_t *document = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:f, s:s?}", "program", "assay " ASSAY_VERSION, "backend",
        "plug-in", "dataset_digest", assay_digest_hex(dataset, &work->set->head.dataset_digest),
        "templates_digest", assay_digest_hex(templates, &work->set->head.digest), "threads",
        (json_int_t)threads, "compare_seconds", seconds, "configuration_digest",
        work->options->configuration_digest);
    /* Who compared is who made the templates: assay_opaque_check_plugin. Another library may give
     * other scores of the same bytes. */
    json_t *made = json_loads(work->set->head.provenance_json, 0, NULL);
    for (size_t n = 0; document != NULL && n < sizeof who_compares / sizeof *who_compares; n++)
        json_object_set(document, who_compares[n], json_object_get(made, who_compares[n]));
    json_decref(made);
    *out = document == NULL ? NULL : json_dumps(document, JSON_SORT_KEYS);
    json_decref(document);
    return *out != NULL ? ASSAY_OK : assay_fail(ASSAY_FAILED, "no memory for the provenance");
}

static assay_status fill_evidence(const opaque_work *work, unsigned threads, double seconds,
                                  assay_evidence *evidence) {
    const assay_templates_head *head = &work->set->head;
    const uint32_t columns = work->options->protocol->histogram_by_count;
    const size_t codes = (size_t)work->plan.combination_count * columns;
    memcpy(evidence->relations, work->plan.relations, sizeof evidence->relations);
    evidence->form = ASSAY_SCORE_PLACED;
    evidence->coarse_scale = 1;
    evidence->combination_count = work->plan.combination_count;
    assay_status status = assay_compare_copy_names(head, "own", evidence);
    if (status == ASSAY_OK)
        status = assay_compare_copy_protocol(work->options->protocol, &evidence->protocol);
    if (status == ASSAY_OK)
        status = assay_allocate(&evidence->combinations, codes, sizeof *evidence->combinations,
                                "combinations");
    if (status == ASSAY_OK && codes > 0)
        memcpy(evidence->combinations, work->plan.combinations,
               codes * sizeof *evidence->combinations);
    if (status == ASSAY_OK) status = take_comparisons(work, evidence);
    if (status == ASSAY_OK)
        status = describe_provenance(work, threads, seconds, &evidence->provenance_json);
    return status;
}

/* ---- the plug-in must be the one that made them ---- */

assay_status assay_opaque_check_plugin(const assay_opaque *set, const assay_release *plugin) {
    bool same = false;
    if (plugin == NULL || plugin->plugin == NULL)
        return assay_fail(ASSAY_USAGE,
                          "the templates of %s %s are opaque: only their plug-in compares them, so "
                          "it has to be named",
                          set->head.release, set->head.version);
    assay_status status = assay_plugin_files_said(plugin, set->head.provenance_json, &same);
    if (status != ASSAY_OK || same) return status;
    return assay_fail(ASSAY_USAGE,
                      "%s, its configuration directory or its parameters are not those that made "
                      "the templates of %s %s",
                      plugin->plugin, set->head.release, set->head.version);
}

assay_status assay_compare_opaque(const assay_opaque *set, const assay_compare_options *options,
                                  unsigned threads, const char *out_path,
                                  const assay_progress *progress, assay_compare_result *out) {
    opaque_work work = {.set = set,
                        .options = options,
                        .out_path = out_path,
                        .progress = progress,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    assay_evidence evidence = {0};
    double started;
    assay_status status = assay_opaque_check_plugin(set, options->plugin);
    if (status == ASSAY_OK && options->matrix_path != NULL)
        status = assay_fail(ASSAY_USAGE, "no matrix is made of scores of opaque templates");
    if (status == ASSAY_OK)
        status = assay_plan_make(&set->head.table, options->protocol, &work.plan);
    if (status == ASSAY_OK) status = check_cost(&work, threads);
    if (status != ASSAY_OK) goto out;
    started = assay_pace_seconds();
    status = compare_pairs(&work, threads);
    if (status != ASSAY_OK) goto out;
    status = fill_evidence(&work, threads, assay_pace_seconds() - started, &evidence);
    if (status == ASSAY_OK) status = assay_evidence_write(out_path, &evidence);
    if (status != ASSAY_OK) goto out;
    *out = (assay_compare_result){.templates = work.plan.count,
                                  .pairs = work.count,
                                  .mated = evidence.mated_count,
                                  .non_mated = evidence.non_mated,
                                  .failed = evidence.failed_mated + evidence.failed_non_mated,
                                  .mated_failed = evidence.failed_mated,
                                  .tail = evidence.tail_count,
                                  .result_digest = evidence.result_digest};
    assay_segments_drop(out_path);
    snprintf(out->backend, sizeof out->backend, "plug-in");
out:
    assay_evidence_free(&evidence);
    assay_plan_free(&work.plan);
    free(work.pairs);
    free(work.fault);
    pthread_mutex_destroy(&work.lock);
    return status;
}

/* ---- vectors that stand for it ---- */

void assay_opaque_vector(const assay_opaque *set, uint32_t row, float *out) {
    const assay_opaque_bytes from = template_of(set, row, 0);
    memcpy(out, from.bytes + set->vector_offset, set->vector_length * sizeof *out);
}

typedef struct {
    comparison *work;
    assay_session *session;
    double largest;
    uint64_t checked;
} vector_check;

/* Places a and b of the plan by the plug-in, against their fine score. */
static assay_status check_pair(vector_check *check, uint64_t a, uint64_t b) {
    comparison *work = check->work;
    const assay_opaque *set = work->opaque;
    const uint32_t rows[2] = {work->plan.row[a], work->plan.row[b]};
    const assay_opaque_bytes reference = template_of(set, rows[0], 0);
    const assay_opaque_bytes probe = template_of(set, rows[1], 1);
    char text[ASSAY_SESSION_TEXT];
    assay_own_score made;
    assay_status status = assay_session_compare(check->session, &reference, &probe, 1, &made, text);
    if (status != ASSAY_OK) return status;
    const assay_place_pair places = {.a = a < b ? a : b, .b = a < b ? b : a};
    assay_scored_pair scored;
    status = assay_compare_score(work, &places, 1, &scored);
    if (status != ASSAY_OK) return status;
    const double scale = set->vector_scale == 0 ? 1 : set->vector_scale;
    const double ours = scale * assay_fine_to_score(&work->set, scored.fine) + set->vector_shift;
    const double difference = made.scored ? fabs(made.score - ours) : INFINITY;
    check->checked++;
    if (difference > check->largest) check->largest = difference;
    if (difference <= set->vector_bound) return ASSAY_OK;
    const assay_sample_table *table = &set->head.table;
    return assay_fail(ASSAY_DISAGREES,
                      "the vectors in the templates of %s %s do not stand for its own comparison: "
                      "'%s' and '%s' score %.17g by it and %.17g by the vectors, over %g apart",
                      set->head.release, set->head.version, table->sample_id[rows[0]],
                      table->sample_id[rows[1]], made.score, ours, set->vector_bound);
}

static assay_status check_mated(vector_check *check) {
    const assay_plan *plan = &check->work->plan;
    const uint64_t mated = plan->relations[ASSAY_RELATION_MATED];
    const uint64_t step = mated / CHECKED_PAIRS + 1;
    uint64_t seen = 0;
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < plan->same.count; n++)
        if (plan->same.relation[n] == ASSAY_RELATION_MATED && seen++ % step == 0)
            status = check_pair(check, plan->place[plan->same.pairs[n].i],
                                plan->place[plan->same.pairs[n].j]);
    return status;
}

static assay_status check_non_mated(vector_check *check) {
    const assay_plan *plan = &check->work->plan;
    assay_random random;
    assay_status status = ASSAY_OK;
    if (plan->count < 2 || plan->relations[ASSAY_RELATION_NON_MATED] == 0) return ASSAY_OK;
    assay_random_start(&random, 1, 0);
    for (unsigned n = 0; status == ASSAY_OK && n < CHECKED_PAIRS; n++) {
        uint32_t a = assay_random_below(&random, (uint32_t)plan->count);
        uint32_t b = assay_random_below(&random, (uint32_t)plan->count);
        if (plan->subject[a] != plan->subject[b]) status = check_pair(check, a, b);
    }
    return status;
}

assay_status assay_opaque_check_vectors(comparison *work) {
    vector_check check = {.work = work};
    assay_status status = assay_opaque_check_plugin(work->opaque, work->options->plugin);
    if (status == ASSAY_OK) status = assay_session_open(work->options->plugin, &check.session);
    if (status == ASSAY_OK) status = check_mated(&check);
    if (status == ASSAY_OK) status = check_non_mated(&check);
    assay_session_close(check.session);
    if (status == ASSAY_OK)
        assay_progress_note(work->progress,
                            "%" PRIu64 " pairs were compared by the plug-in too: at most %.3g from "
                            "the vectors' scores, %.3g is allowed",
                            check.checked, check.largest, work->opaque->vector_bound);
    return status;
}
