/* compare_rows -- rows of comparisons that evidence keeps no more: of a sample whose mate lies
 * below the floor of the tail nobody can say who is ahead of it, and of most samples not who is
 * next to them. Their rows are computed again, every score, and kept as far down as it takes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "datasets/base/memory.h"
#include "datasets/rows.h"
#include "harness/compare_private.h"

/* What evidence holds of a row: best mated score, other people, and its part of the tail. */
typedef struct {
    int64_t mate;     /* INT64_MAX where there is none */
    uint64_t matches; /* comparisons in the tail */
    uint64_t mixed;   /* of them and their scores, in any order */
    uint64_t people;
} kept_row;

typedef struct {
    const assay_rows_options *options;
    const assay_evidence *evidence;
    comparison *work;
    kept_row *kept;                   /* [row_count] */
    assay_place_pair *places;         /* [plan.count] */
    assay_scored_pair *scored, *best; /* [plan.count], one for each subject */
    uint64_t *best_at;                /* [subject_count] 1 + index in best; 0: none yet */
    uint64_t cap;
    size_t row_capacity, floor_capacity, start_capacity, capacity;
    assay_rows rows;
} row_work;

static uint64_t mix(uint32_t other, int64_t fine) {
    return ((uint64_t)fine + other) * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)other << 32;
}

/* ---- which rows ---- */

typedef struct {
    uint32_t row, subject;
} neighbour;

static int by_row(const void *left, const void *right) {
    const neighbour *x = left, *y = right;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->subject > y->subject) - (x->subject < y->subject);
}

/* People beside each row in the tail. */
static assay_status count_people(row_work *rows) {
    const assay_evidence *evidence = rows->evidence;
    const uint32_t *subject = evidence->table.subject;
    neighbour *list = NULL;
    uint64_t count = 0;
    assay_status status =
        assay_allocate(&list, 2 * (size_t)evidence->tail_count, sizeof *list, "neighbours");
    for (uint64_t n = 0; status == ASSAY_OK && n < evidence->tail_count; n++) {
        const assay_comparison *pair = &evidence->tail[n];
        list[count++] = (neighbour){pair->i, subject[pair->j]};
        list[count++] = (neighbour){pair->j, subject[pair->i]};
    }
    if (count > 0) qsort(list, (size_t)count, sizeof *list, by_row);
    for (uint64_t n = 0; n < count; n++)
        rows->kept[list[n].row].people += n == 0 || by_row(&list[n - 1], &list[n]) != 0;
    free(list);
    return status;
}

static assay_status look_at_evidence(row_work *rows) {
    const assay_evidence *evidence = rows->evidence;
    assay_status status = assay_allocate(&rows->kept, (size_t)evidence->table.row_count,
                                         sizeof *rows->kept, "rows of the evidence");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < evidence->table.row_count; row++) rows->kept[row].mate = INT64_MAX;
    for (uint64_t n = evidence->mated_count; n > 0; n--) { /* the best one comes last */
        rows->kept[evidence->mated[n - 1].i].mate = evidence->mated[n - 1].fine;
        rows->kept[evidence->mated[n - 1].j].mate = evidence->mated[n - 1].fine;
    }
    for (uint64_t n = 0; n < evidence->tail_count; n++) {
        const assay_comparison *pair = &evidence->tail[n];
        rows->kept[pair->i].matches++;
        rows->kept[pair->j].matches++;
        rows->kept[pair->i].mixed += mix(pair->j, pair->fine);
        rows->kept[pair->j].mixed += mix(pair->i, pair->fine);
    }
    return rows->options->people > 0 ? count_people(rows) : ASSAY_OK;
}

static bool is_of_mate(const row_work *rows, uint32_t row) {
    return !rows->evidence->tail_complete && rows->kept[row].mate < rows->evidence->tail_floor;
}

static bool is_wanted(const row_work *rows, uint32_t row) {
    if (rows->work->plan.place[row] == UINT32_MAX || rows->evidence->tail_complete) return false;
    return is_of_mate(rows, row) || rows->kept[row].people < rows->options->people;
}

/* ---- one row ---- */

/* Every non-mated score of a row into scored[*out_count], with rows in the place of places. */
static assay_status score_row(row_work *rows, uint32_t row, uint64_t *out_count) {
    comparison *work = rows->work;
    const assay_plan *plan = &work->plan;
    const uint64_t a = plan->place[row];
    uint64_t count = 0, kept = 0;
    for (uint64_t b = 0; b < plan->count; b++) {
        if (b == a ||
            assay_protocol_relation(work->options->protocol, &work->head->table, plan->roles, row,
                                    plan->row[b]) != ASSAY_RELATION_NON_MATED)
            continue;
        rows->places[count++] = (assay_place_pair){.a = a < b ? a : b, .b = a < b ? b : a};
    }
    const assay_status status = assay_compare_score(work, rows->places, count, rows->scored);
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < count; n++) {
        assay_scored_pair pair = rows->scored[n];
        if (pair.fine == ASSAY_FINE_NONE) continue;
        const uint32_t x = plan->row[pair.a], y = plan->row[pair.b];
        pair.a = x < y ? x : y;
        pair.b = x < y ? y : x;
        rows->scored[kept++] = pair;
    }
    *out_count = kept;
    return ASSAY_OK;
}

/* What the evidence holds of the row is what was computed now. */
static assay_status check_row(const row_work *rows, uint32_t row, uint64_t count) {
    const assay_evidence *evidence = rows->evidence;
    uint64_t matches = 0, mixed = 0;
    for (uint64_t n = 0; n < count; n++) {
        const assay_scored_pair *pair = &rows->scored[n];
        if (pair->fine < evidence->tail_floor) continue;
        matches++;
        mixed += mix(pair->a == row ? pair->b : pair->a, pair->fine);
    }
    if (matches == rows->kept[row].matches && mixed == rows->kept[row].mixed) return ASSAY_OK;
    return assay_fail(ASSAY_DISAGREES,
                      "sample %s: %" PRIu64 " comparisons reach the floor of the tail now, and the "
                      "evidence holds %" PRIu64 " of it, or others: expected the same ones",
                      evidence->table.sample_id[row], matches, rows->kept[row].matches);
}

/* How far down the row has to be kept for so many people: the lowest of their best scores. */
static int64_t floor_for_people(row_work *rows, uint32_t row, uint64_t count) {
    const uint32_t *subject = rows->evidence->table.subject;
    const uint64_t people = rows->options->people;
    uint64_t found = 0;
    for (uint64_t n = 0; n < count; n++) {
        const assay_scored_pair *pair = &rows->scored[n];
        uint64_t *at = &rows->best_at[subject[pair->a == row ? pair->b : pair->a]];
        if (*at == 0) {
            rows->best[found] = *pair;
            *at = ++found;
        } else if (pair->fine > rows->best[*at - 1].fine) {
            rows->best[*at - 1].fine = pair->fine;
        }
    }
    for (uint64_t n = 0; n < found; n++) {
        const assay_scored_pair *pair = &rows->best[n];
        rows->best_at[subject[pair->a == row ? pair->b : pair->a]] = 0;
    }
    if (found <= people) return INT64_MIN;
    int64_t cut = INT64_MIN, lowest = INT64_MAX;
    const uint64_t kept = assay_tail_trim(rows->best, found, people, INT64_MAX, &cut);
    if (kept < people) return cut; /* a tie at the last one goes with it */
    for (uint64_t n = 0; n < kept; n++)
        if (rows->best[n].fine < lowest) lowest = rows->best[n].fine;
    return lowest;
}

static int by_fine(const void *left, const void *right) {
    const assay_comparison *x = left, *y = right;
    if (x->fine != y->fine) return x->fine < y->fine ? 1 : -1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static assay_status keep_row(row_work *rows, uint32_t row, uint64_t count) {
    const comparison *work = rows->work;
    assay_rows *made = &rows->rows;
    int64_t floor = is_of_mate(rows, row) ? rows->kept[row].mate : INT64_MAX;
    if (rows->options->people > 0) {
        const int64_t wanted = floor_for_people(rows, row, count);
        if (wanted < floor) floor = wanted;
    }
    uint64_t kept = 0, first = made->count > 0 ? made->start[made->count] : 0;
    for (uint64_t n = 0; n < count; n++) kept += rows->scored[n].fine >= floor;
    if (kept > rows->cap - first)
        return assay_fail(ASSAY_USAGE,
                          "more than %" PRIu64 " comparisons would be kept of %" PRIu64
                          " rows; expected fewer people a sample or a larger --tail-cap",
                          rows->cap, made->count + 1);
    assay_status status = assay_reserve(&made->comparisons, &rows->capacity, (size_t)(first + kept),
                                        sizeof *made->comparisons, "comparisons of rows");
    if (status == ASSAY_OK)
        status = assay_reserve(&made->rows, &rows->row_capacity, (size_t)made->count + 1,
                               sizeof *made->rows, "rows");
    if (status == ASSAY_OK)
        status = assay_reserve(&made->floors, &rows->floor_capacity, (size_t)made->count + 1,
                               sizeof *made->floors, "rows");
    if (status == ASSAY_OK)
        status = assay_reserve(&made->start, &rows->start_capacity, (size_t)made->count + 2,
                               sizeof *made->start, "rows");
    if (status != ASSAY_OK) return status;
    assay_comparison *list = made->comparisons + first;
    for (uint64_t n = 0, at = 0; n < count; n++) {
        const assay_scored_pair *pair = &rows->scored[n];
        if (pair->fine < floor) continue;
        list[at++] = (assay_comparison){
            .fine = pair->fine,
            .coarse = pair->coarse,
            .i = pair->a,
            .j = pair->b,
            .direction = (uint8_t)assay_protocol_direction(
                work->options->protocol, &work->head->table, work->plan.roles, pair->a, pair->b)};
    }
    if (kept > 0) qsort(list, (size_t)kept, sizeof *list, by_fine);
    made->rows[made->count] = row;
    made->floors[made->count++] = floor;
    made->start[made->count] = first + kept;
    return ASSAY_OK;
}

/* ---- all of them ---- */

static assay_status compute_rows(row_work *rows, assay_rows_result *result) {
    comparison *work = rows->work;
    const uint64_t row_count = rows->evidence->table.row_count;
    const size_t most = (size_t)work->plan.count;
    uint64_t total = 0;
    assay_status status = assay_allocate(&rows->places, most, sizeof *rows->places, "a row");
    if (status == ASSAY_OK)
        status = assay_allocate(&rows->scored, most, sizeof *rows->scored, "a row of scores");
    if (status == ASSAY_OK)
        status = assay_allocate(&rows->best, most, sizeof *rows->best, "people beside a row");
    if (status == ASSAY_OK)
        status = assay_allocate(&rows->best_at, rows->evidence->table.subject_count,
                                sizeof *rows->best_at, "people beside a row");
    if (status == ASSAY_OK)
        status = assay_reserve(&rows->rows.start, &rows->start_capacity, 1,
                               sizeof *rows->rows.start, "rows");
    if (status != ASSAY_OK) return status;
    rows->rows.start[0] = 0;
    for (uint32_t row = 0; row < row_count; row++) total += is_wanted(rows, row);
    assay_progress_note(work->progress,
                        "%" PRIu64 " of %" PRIu64 " rows are computed again, each of at most %zu "
                        "scores",
                        total, work->plan.count, most);
    for (uint32_t row = 0; status == ASSAY_OK && row < row_count; row++) {
        uint64_t count = 0;
        if (!is_wanted(rows, row)) continue;
        result->of_mates += is_of_mate(rows, row);
        status = score_row(rows, row, &count);
        if (status == ASSAY_OK) status = check_row(rows, row, count);
        if (status == ASSAY_OK) status = keep_row(rows, row, count);
        if (status == ASSAY_OK &&
            !assay_progress_tell(work->progress, "rows", "rows", rows->rows.count, total))
            status = assay_fail(ASSAY_FAILED, "interrupted while computing rows");
    }
    return status;
}

static assay_status describe(row_work *rows) {
    const assay_evidence *evidence = rows->evidence;
    char result[ASSAY_DIGEST_HEX], templates[ASSAY_DIGEST_HEX];
    assay_rows *made = &rows->rows;
    made->result_digest = evidence->result_digest;
    made->form = evidence->form;
    made->exponent = evidence->exponent;
    made->table_rows = evidence->table.row_count;
    made->people = rows->options->people;
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:s}", "program", "assay " ASSAY_VERSION, "backend",
                  rows->work->backend->name, "result_digest",
                  assay_digest_hex(result, &evidence->result_digest), "templates_digest",
                  assay_digest_hex(templates, &evidence->templates_digest));
    made->provenance_json = document != NULL ? json_dumps(document, JSON_SORT_KEYS) : NULL;
    json_decref(document);
    if (made->provenance_json == NULL)
        return assay_fail(ASSAY_FAILED, "no memory for the provenance");
    assay_status status = assay_copy_string(&made->release, evidence->release);
    return status == ASSAY_OK ? assay_copy_string(&made->version, evidence->version) : status;
}

/* Templates of this evidence, compared as it was, without a tail or histograms of their own. */
static assay_status make_rows(const char *templates_path, const assay_opaque *opaque,
                              const assay_rows_options *options, const assay_evidence *evidence,
                              const char *out_path, const assay_progress *progress,
                              assay_rows_result *out) {
    assay_protocol protocol = evidence->protocol;
    protocol.histogram_by_count = protocol.fmr_target_count = protocol.threshold_count = 0;
    protocol.histogram_mode = ASSAY_HISTOGRAM_NONE;
    protocol.tail_cap = 1;
    const assay_compare_options compared = {.protocol = &protocol,
                                            .comparator = evidence->comparator,
                                            .backend = options->backend,
                                            .threads = options->threads,
                                            .memory_limit = options->memory_limit};
    comparison work = {.options = &compared,
                       .opaque = opaque,
                       .progress = progress,
                       .out_path = out_path,
                       .store = -1};
    row_work rows = {.options = options, .evidence = evidence, .work = &work};
    assay_rows_result result = {0};
    rows.cap = options->cap > 0 ? options->cap : ASSAY_ROWS_CAP;
    assay_status status = assay_compare_open(templates_path, &work);
    if (status != ASSAY_OK) goto out;
    if (!assay_digest_equal(&work.head->digest, &evidence->templates_digest)) {
        status = assay_fail(ASSAY_USAGE,
                            "%s are not the templates that %s was made of: expected those of %s %s "
                            "with the digest that it names",
                            templates_path, options->evidence_path, evidence->release,
                            evidence->version);
        goto out;
    }
    status = look_at_evidence(&rows);
    if (status == ASSAY_OK) status = compute_rows(&rows, &result);
    if (status == ASSAY_OK) status = describe(&rows);
    if (status == ASSAY_OK) status = assay_rows_write(out_path, &rows.rows);
    if (status != ASSAY_OK) goto out;
    result.samples = work.plan.count;
    result.rows = rows.rows.count;
    result.comparisons = rows.rows.start[rows.rows.count];
    result.digest = rows.rows.digest;
    snprintf(result.backend, sizeof result.backend, "%s", work.backend->name);
    *out = result;
out:
    free(rows.kept);
    free(rows.places);
    free(rows.scored);
    free(rows.best);
    free(rows.best_at);
    assay_rows_free(&rows.rows);
    assay_compare_close(&work);
    return status;
}

static assay_status check_evidence(const char *path, const assay_evidence *evidence) {
    if (!assay_evidence_has_samples(evidence))
        return assay_fail(ASSAY_USAGE, "%s has scores that came without samples: it has no rows",
                          path);
    if (evidence->protocol.kind != ASSAY_PROTOCOL_PAIR_LIST) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "%s is of a list of pairs, each of which it keeps: expected evidence of "
                      "every pair",
                      path);
}

assay_status assay_compare_rows(const char *templates_path, const assay_rows_options *options,
                                const char *out_path, const assay_progress *progress,
                                assay_rows_result *out) {
    assay_evidence evidence = {0};
    assay_opaque opaque = {0};
    bool is_opaque = false;
    assay_status status = assay_evidence_read(options->evidence_path, &evidence);
    if (status == ASSAY_OK) status = check_evidence(options->evidence_path, &evidence);
    if (status == ASSAY_OK) status = assay_opaque_is(templates_path, &is_opaque);
    if (status == ASSAY_OK && is_opaque) {
        status = assay_opaque_read(templates_path, &opaque);
        if (status == ASSAY_OK && (opaque.vector_length == 0 || opaque.roles != 1))
            status = assay_fail(ASSAY_USAGE,
                                "%s: these templates are compared by their own algorithm, whose "
                                "evidence keeps every score: there are no rows to compute again",
                                templates_path);
        opaque.head.length = opaque.vector_length;
    }
    if (status == ASSAY_OK)
        status = make_rows(templates_path, is_opaque ? &opaque : NULL, options, &evidence, out_path,
                           progress, out);
    assay_opaque_free(&opaque);
    assay_evidence_free(&evidence);
    return status;
}
