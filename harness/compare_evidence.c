/* compare_evidence -- from tallies in plan order to evidence by rows. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/compare_private.h"

_Static_assert(sizeof(assay_comparison) == sizeof(assay_scored_pair),
               "comparisons take the place of the scored pairs that they are made of");

/* Scored places become comparisons of rows, sorted, in the memory that they lie in: a tail is the
 * larger part of what a comparison needs. */
static assay_comparison *to_rows(const comparison *work, assay_scored_pair *pairs, uint64_t count) {
    const assay_sample_table *table = &work->head->table;
    for (uint64_t n = 0; n < count; n++) {
        const uint32_t a = work->plan.row[pairs[n].a], b = work->plan.row[pairs[n].b];
        pairs[n].a = a < b ? a : b;
        pairs[n].b = a < b ? b : a;
    }
    int64_t floor = INT64_MIN;
    count = assay_tail_cut(pairs, count, UINT64_MAX, INT64_MAX, &floor);
    for (uint64_t n = 0; n < count; n++) {
        const assay_scored_pair from = pairs[n];
        const assay_comparison to = {
            .fine = from.fine,
            .coarse = from.coarse,
            .i = from.a,
            .j = from.b,
            .direction = (uint8_t)assay_protocol_direction(work->options->protocol, table,
                                                           work->plan.roles, from.a, from.b)};
        memcpy(&pairs[n], &to, sizeof to);
    }
    return (assay_comparison *)pairs;
}

static int by_rows(const void *left, const void *right) {
    const assay_row_pair *x = left, *y = right;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return x->j < y->j ? -1 : x->j > y->j;
}

static assay_row_pair rows_of(const comparison *work, uint32_t a, uint32_t b) {
    const uint32_t x = work->plan.row[a], y = work->plan.row[b];
    return (assay_row_pair){x < y ? x : y, x < y ? y : x};
}

/* Moves the mated pairs that failed to compare out of scored[*count] and lists them by rows, with
 * the non-mated ones of the tally. */
static assay_status part_failed(const comparison *work, assay_scored_pair *scored, uint64_t *count,
                                assay_evidence *evidence) {
    uint64_t kept = 0, listed = 0;
    evidence->failed_non_mated = work->tally.failed_count;
    for (uint64_t n = 0; n < *count; n++) {
        evidence->failed_mated += scored[n].fine == ASSAY_FINE_NONE;
    }
    const uint64_t most = evidence->failed_mated + evidence->failed_non_mated;
    if (most == 0) return ASSAY_OK;
    const assay_status status = assay_allocate(&evidence->failed, (size_t)most,
                                               sizeof *evidence->failed, "pairs that failed");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < *count; n++) {
        if (scored[n].fine == ASSAY_FINE_NONE) {
            evidence->failed[listed++] = rows_of(work, scored[n].a, scored[n].b);
        } else {
            scored[kept++] = scored[n];
        }
    }
    for (uint64_t n = 0; n < work->tally.failed_count; n++) {
        const assay_failed_pair *pair = &work->tally.failed[n];
        evidence->failed[listed++] = rows_of(work, pair->a, pair->b);
    }
    qsort(evidence->failed, (size_t)most, sizeof *evidence->failed, by_rows);
    *count = kept;
    return ASSAY_OK;
}

static assay_status score_mated(comparison *work, assay_evidence *evidence) {
    const assay_same_subject *same = &work->plan.same;
    const uint64_t mated = work->plan.relations[ASSAY_RELATION_MATED];
    assay_place_pair *places = NULL;
    assay_scored_pair *scored = NULL;
    assay_status status =
        assay_allocate(&places, (size_t)mated, sizeof *places, "mated comparisons");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&scored, (size_t)mated, sizeof *scored, "mated scores");
    if (status != ASSAY_OK) goto out;
    uint64_t count = 0;
    for (uint64_t n = 0; n < same->count; n++) {
        if (same->relation[n] != ASSAY_RELATION_MATED) continue;
        const uint64_t a = work->plan.place[same->pairs[n].i];
        const uint64_t b = work->plan.place[same->pairs[n].j];
        places[count++] = (assay_place_pair){.a = a < b ? a : b, .b = a < b ? b : a};
    }
    status = assay_compare_score(work, places, count, scored);
    if (status != ASSAY_OK) goto out;
    status = part_failed(work, scored, &count, evidence);
    if (status != ASSAY_OK) goto out;
    evidence->mated = to_rows(work, scored, count);
    evidence->mated_count = count;
    scored = NULL;
out:
    free(places);
    free(scored);
    return status;
}

static void take_tail(comparison *work, assay_evidence *evidence) {
    evidence->tail = to_rows(work, work->tally.tail, work->tally.tail_count);
    evidence->tail_count = work->tally.tail_count;
    work->tally.tail = NULL;
    evidence->tail_limit = work->plan.tail_limit;
    evidence->tail_complete = evidence->tail_count == evidence->non_mated;
    evidence->tail_floor = evidence->tail_complete ? INT64_MIN
                           : evidence->tail_count == 0
                               ? INT64_MAX
                               : evidence->tail[evidence->tail_count - 1].fine;
    if (!evidence->tail_complete && work->pairs.required_fine < evidence->tail_floor) {
        evidence->tail_floor = work->pairs.required_fine;
    }
}

static assay_status copy_histograms(const comparison *work, assay_evidence *evidence) {
    const uint32_t columns = work->options->protocol->histogram_by_count;
    const size_t codes = (size_t)work->plan.combination_count * columns;
    const uint64_t counters =
        assay_histogram_count(work->plan.combination_count) * ASSAY_COARSE_BINS;
    evidence->combination_count = work->plan.combination_count;
    evidence->histogram_pairs = work->tally.histogram_pairs;
    assay_coarse_bins(work->comparator, &evidence->bins.lowest, &evidence->bins.shift,
                      &evidence->bins.count);
    assay_status status = assay_allocate(&evidence->combinations, codes,
                                         sizeof *evidence->combinations, "combinations");
    if (status != ASSAY_OK) return status;
    if (codes > 0) {
        memcpy(evidence->combinations, work->plan.combinations,
               codes * sizeof *evidence->combinations);
    }
    status = assay_allocate(&evidence->histogram, (size_t)counters, sizeof *evidence->histogram,
                            "histograms");
    if (status != ASSAY_OK) return status;
    if (work->tally.histogram_length > 0) {
        memcpy(evidence->histogram, work->tally.histogram,
               work->tally.histogram_length * sizeof *evidence->histogram);
    }
    return ASSAY_OK;
}

assay_status assay_compare_copy_names(const assay_templates_head *head, const char *comparator,
                                      assay_evidence *evidence) {
    const struct {
        char **out;
        const char *text;
    } names[] = {
        {&evidence->release, head->release},           {&evidence->version, head->version},
        {&evidence->algorithm, head->algorithm},       {&evidence->comparator, comparator},
        {&evidence->dataset_name, head->dataset_name},
    };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const assay_status status = assay_copy_string(names[n].out, names[n].text);
        if (status != ASSAY_OK) return status;
    }
    evidence->dataset_digest = head->dataset_digest;
    evidence->templates_digest = head->digest;
    return assay_sample_table_copy(&head->table, &evidence->table);
}

assay_status assay_compare_copy_protocol(const assay_protocol *from, assay_protocol *out) {
    char *json = NULL;
    assay_protocol copy = {0};
    assay_status status = assay_protocol_to_json(from, &json);
    if (status != ASSAY_OK) return status;
    status = assay_protocol_from_json(json, &copy);
    free(json);
    if (status != ASSAY_OK) return status;
    if (from->pair_count > 0) {
        status = assay_allocate(&copy.pairs, (size_t)from->pair_count, sizeof *copy.pairs, "pairs");
        if (status == ASSAY_OK) {
            status = assay_allocate(&copy.reversed, (size_t)from->pair_count, 1, "pairs");
        }
        if (status != ASSAY_OK) {
            assay_protocol_free(&copy);
            return status;
        }
        memcpy(copy.pairs, from->pairs, from->pair_count * sizeof *copy.pairs);
        memcpy(copy.reversed, from->reversed, from->pair_count);
        copy.pair_count = from->pair_count;
    }
    *out = copy;
    return ASSAY_OK;
}

static int ascending(const void *left, const void *right) {
    const double x = *(const double *)left, y = *(const double *)right;
    return (x > y) - (x < y);
}

/* Size of a template, and how long one took where that is known: median and 95th percentile. */
static assay_status describe_templates(const assay_templates_head *head, json_t *document) {
    double *seconds = NULL;
    size_t timed = 0;
    const assay_status status =
        assay_allocate(&seconds, (size_t)head->table.row_count, sizeof *seconds, "times");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; head->seconds != NULL && row < head->table.row_count; row++) {
        if (isfinite(head->seconds[row])) seconds[timed++] = head->seconds[row];
    }
    qsort(seconds, timed, sizeof *seconds, ascending);
    json_object_set_new(document, "template_bytes",
                        json_integer((json_int_t)assay_templates_row_bytes(head)));
    json_object_set_new(document, "enrolment_timed", json_integer((json_int_t)timed));
    if (timed > 0) {
        json_object_set_new(document, "enrolment_seconds_median",
                            json_real(seconds[(timed - 1) / 2]));
        json_object_set_new(document, "enrolment_seconds_95",
                            json_real(seconds[(timed - 1) * 95 / 100]));
    }
    free(seconds);
    return ASSAY_OK;
}

static assay_status describe_provenance(const comparison *work, char **out) {
    char line[256] = "", dataset[ASSAY_DIGEST_HEX], templates[ASSAY_DIGEST_HEX];
    struct utsname host = {0};
    uname(&host);
    if (work->backend->probe(line, sizeof line) != ASSAY_OK) line[0] = '\0';
    json_t *document = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:s?}",
        "program", "assay " ASSAY_VERSION, "backend", work->backend->name, "device", line,
        "machine", host.machine, "dataset_digest",
        assay_digest_hex(dataset, &work->head->dataset_digest), "templates_digest",
        assay_digest_hex(templates, &work->head->digest), "threads", (json_int_t)work->threads,
        "compare_seconds", work->seconds, "rescored_pairs", (json_int_t)work->tally.rescored,
        "redone_ranges", (json_int_t)work->tally.redone, "bound", work->set.bound, "tail_limit",
        (json_int_t)work->plan.tail_limit, "resumed_tiles", (json_int_t)work->resumed_tiles,
        "bands", (json_int_t)assay_compare_band_count(work), "checked_tiles",
        (json_int_t)work->checked_tiles, "configuration_digest",
        work->options->configuration_digest);
    assay_status status = document != NULL ? describe_templates(work->head, document) : ASSAY_OK;
    *out = document != NULL && status == ASSAY_OK ? json_dumps(document, JSON_SORT_KEYS) : NULL;
    json_decref(document);
    if (status != ASSAY_OK) return status;
    return *out != NULL ? ASSAY_OK : assay_fail(ASSAY_FAILED, "no memory for the provenance");
}

assay_status assay_compare_evidence(comparison *work, assay_evidence *out) {
    assay_evidence evidence = {.exponent = work->set.exponent,
                               .coarse_scale = work->set.coarse_scale,
                               .bound = work->set.bound,
                               .non_mated = work->tally.non_mated};
    memcpy(evidence.relations, work->plan.relations, sizeof evidence.relations);
    assay_status status = assay_compare_copy_names(work->head, work->comparator_text, &evidence);
    if (status != ASSAY_OK) goto out;
    status = assay_compare_name_references(work, &evidence);
    if (status != ASSAY_OK) goto out;
    status = assay_compare_copy_protocol(work->options->protocol, &evidence.protocol);
    if (status != ASSAY_OK) goto out;
    status = score_mated(work, &evidence);
    if (status != ASSAY_OK) goto out;
    take_tail(work, &evidence);
    status = copy_histograms(work, &evidence);
    if (status != ASSAY_OK) goto out;
    status = describe_provenance(work, &evidence.provenance_json);
    if (status != ASSAY_OK) goto out;
    *out = evidence;
    evidence = (assay_evidence){0};
out:
    assay_evidence_free(&evidence);
    return status;
}
