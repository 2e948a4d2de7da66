/* neighbours -- look-alikes by a reference release (neighbours.h). */
#include "reports/neighbours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/pairing.h"

/* ---- who they are ---- */

static int by_rows(const void *a, const void *b) {
    const assay_row_pair *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

/* The comparisons of one sample, best first: those of the tail in its order, or its own row. */
typedef struct {
    const assay_evidence *evidence;
    const assay_rows *rows;
    uint64_t *start; /* [row_count + 1] of places */
    uint64_t *place; /* in the tail, by row and then as they stand there */
} sample_lists;

static void lists_free(sample_lists *lists) {
    free(lists->start);
    free(lists->place);
    *lists = (sample_lists){0};
}

static assay_status lists_make(const assay_evidence *evidence, const assay_rows *rows,
                               sample_lists *out) {
    uint64_t row_count = evidence->table.row_count, *next = NULL;
    sample_lists lists = {.evidence = evidence, .rows = rows};
    assay_status status =
        assay_allocate(&lists.start, row_count + 1, sizeof *lists.start, "rows of the tail");
    if (status == ASSAY_OK)
        status = assay_allocate(&next, row_count + 1, sizeof *next, "rows of the tail");
    if (status == ASSAY_OK)
        status = assay_allocate(&lists.place, 2 * evidence->tail_count, sizeof *lists.place,
                                "rows of the tail");
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < evidence->tail_count; ++n) {
        ++lists.start[evidence->tail[n].i + 1];
        ++lists.start[evidence->tail[n].j + 1];
    }
    for (uint64_t row = 0; row < row_count; ++row) lists.start[row + 1] += lists.start[row];
    memcpy(next, lists.start, (row_count + 1) * sizeof *next);
    for (uint64_t n = 0; n < evidence->tail_count; ++n) {
        lists.place[next[evidence->tail[n].i]++] = n;
        lists.place[next[evidence->tail[n].j]++] = n;
    }
    *out = lists;
    lists = (sample_lists){0};
out:
    free(next);
    lists_free(&lists);
    return status;
}

/* Comparisons of row, best first, and whether there are no others. */
typedef struct {
    const assay_comparison *own; /* of a row that was computed again, or NULL */
    const uint64_t *place;
    uint64_t count;
    bool complete;
} sample_list;

static sample_list list_of(const sample_lists *lists, uint32_t row) {
    const assay_rows *rows = lists->rows;
    uint64_t at = rows ? assay_rows_find(rows, row) : UINT64_MAX;
    if (at != UINT64_MAX)
        return (sample_list){.own = rows->comparisons + rows->start[at],
                             .count = rows->start[at + 1] - rows->start[at],
                             .complete = rows->floors[at] == INT64_MIN};
    return (sample_list){.place = lists->place + lists->start[row],
                         .count = lists->start[row + 1] - lists->start[row],
                         .complete = lists->evidence->tail_complete};
}

typedef struct {
    assay_neighbours made;
    size_t capacity;
    uint32_t *seen; /* [subject_count] 1 + the row that has it already */
} neighbour_work;

/* The closest sample of each of the nearest people of row. */
static assay_status add_row(neighbour_work *work, const sample_lists *lists, uint32_t row) {
    const assay_evidence *evidence = lists->evidence;
    const sample_list list = list_of(lists, row);
    uint64_t found = 0;
    for (uint64_t n = 0; n < list.count && found < work->made.nearest; ++n) {
        const assay_comparison *pair = list.own ? &list.own[n] : &evidence->tail[list.place[n]];
        uint32_t other = evidence->table.subject[pair->i == row ? pair->j : pair->i];
        if (work->seen[other] == row + 1) continue;
        assay_status status =
            assay_reserve(&work->made.pairs, &work->capacity, work->made.count + 1,
                          sizeof *work->made.pairs, "pairs of look-alikes");
        if (status != ASSAY_OK) return status;
        work->seen[other] = row + 1;
        work->made.pairs[work->made.count++] = (assay_row_pair){pair->i, pair->j};
        ++found;
    }
    ++work->made.samples;
    work->made.short_of += found < work->made.nearest && !list.complete;
    return ASSAY_OK;
}

static assay_status finish(assay_neighbours *made) {
    assay_digester *digester = NULL;
    uint64_t kept = 0;
    if (made->count) qsort(made->pairs, made->count, sizeof *made->pairs, by_rows);
    for (uint64_t n = 0; n < made->count; ++n)
        if (!n || by_rows(&made->pairs[n], &made->pairs[kept - 1]) != 0)
            made->pairs[kept++] = made->pairs[n];
    made->count = kept;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_digester_add_string(digester, "assay-look-alikes/1");
    assay_digester_add_u64(digester, made->nearest);
    assay_digester_add_u64(digester, made->count);
    for (uint64_t n = 0; n < made->count; ++n) {
        assay_digester_add_u64(digester, made->pairs[n].i);
        assay_digester_add_u64(digester, made->pairs[n].j);
    }
    status = assay_digester_finish(digester, &made->digest);
    assay_digester_free(digester);
    return status;
}

assay_status assay_neighbours_find(const assay_evidence *reference, const assay_rows *rows,
                                   uint64_t nearest, assay_neighbours *out) {
    neighbour_work work = {.made = {.nearest = nearest}};
    sample_lists lists = {0};
    uint8_t *roles = NULL;
    if (!assay_evidence_has_samples(reference) ||
        reference->protocol.kind == ASSAY_PROTOCOL_PAIR_LIST)
        return assay_fail(ASSAY_USAGE,
                          "look-alikes by %s %s: expected evidence of every pair of samples",
                          reference->release, reference->version);
    assay_status status = lists_make(reference, rows, &lists);
    if (status == ASSAY_OK)
        status = assay_protocol_roles(&reference->protocol, &reference->table, &roles);
    if (status == ASSAY_OK)
        status = assay_allocate(&work.seen, reference->table.subject_count, sizeof *work.seen,
                                "people beside a sample");
    for (uint32_t row = 0; status == ASSAY_OK && row < reference->table.row_count; ++row)
        if (roles[row] != ASSAY_ROLE_NONE &&
            reference->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED)
            status = add_row(&work, &lists, row);
    if (status == ASSAY_OK) status = finish(&work.made);
    free(work.seen);
    free(roles);
    lists_free(&lists);
    if (status == ASSAY_OK)
        *out = work.made;
    else
        free(work.made.pairs);
    return status;
}

void assay_neighbours_free(assay_neighbours *neighbours) {
    free(neighbours->pairs);
    *neighbours = (assay_neighbours){0};
}

const char *assay_neighbours_fault(const assay_evidence *reference, const assay_evidence *judged) {
    const char *fault = assay_pairing_fault(reference, judged);
    if (fault) return fault;
    if (assay_digest_equal(&reference->result_digest, &judged->result_digest) ||
        (strcmp(reference->release, judged->release) == 0 &&
         strcmp(reference->version, judged->version) == 0))
        return "this release chose the pairs by its own scores";
    return NULL;
}

/* ---- how often they match ---- */

/* evidence as if its protocol were a list of the pairs. */
typedef struct {
    assay_evidence evidence;
    assay_comparison *tail;
    uint8_t *reversed, *roles, *enrolled, *attempted;
    assay_sampling *sampling;
    uint64_t made, tried; /* completed and attempted comparisons */
} listed_view;

static void view_close(listed_view *view) {
    assay_sampling_close(view->sampling);
    free(view->tail);
    free(view->reversed);
    free(view->roles);
    free(view->enrolled);
    free(view->attempted);
    *view = (listed_view){0};
}

static bool is_listed(const assay_neighbours *neighbours, assay_row_pair pair) {
    return neighbours->count && bsearch(&pair, neighbours->pairs, neighbours->count,
                                        sizeof *neighbours->pairs, by_rows) != NULL;
}

static void take_enrolment(listed_view *view) {
    const assay_sample_table *table = &view->evidence.table;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        uint8_t how = table->enrolment[row];
        view->roles[row] = ASSAY_ROLE_BOTH;
        view->enrolled[row] = how == ASSAY_ENROLMENT_ENROLLED;
        view->attempted[row] =
            view->enrolled[row] || how == ASSAY_ENROLMENT_REFUSED || how == ASSAY_ENROLMENT_FAILED;
    }
}

static void count_comparisons(listed_view *view, const assay_neighbours *neighbours) {
    const assay_evidence *evidence = &view->evidence;
    for (uint64_t n = 0; n < neighbours->count; ++n) {
        assay_row_pair pair = neighbours->pairs[n];
        view->tried += view->attempted[pair.i] && view->attempted[pair.j];
        view->made += view->enrolled[pair.i] && view->enrolled[pair.j];
    }
    for (uint64_t n = 0;
         evidence->failed && n < evidence->failed_mated + evidence->failed_non_mated; ++n)
        view->made -= is_listed(neighbours, evidence->failed[n]);
}

/* view must not move while it is open. */
static assay_status view_open(const assay_neighbours *neighbours, const assay_evidence *evidence,
                              listed_view *view) {
    const assay_same_subject nobody = {0};
    uint64_t rows = evidence->table.row_count;
    *view = (listed_view){.evidence = *evidence};
    assay_status status =
        assay_allocate(&view->tail, evidence->tail_count, sizeof *view->tail, "look-alikes");
    if (status == ASSAY_OK) status = assay_allocate(&view->reversed, neighbours->count, 1, "pairs");
    if (status == ASSAY_OK) status = assay_allocate(&view->roles, rows, 1, "rows");
    if (status == ASSAY_OK) status = assay_allocate(&view->enrolled, rows, 1, "rows");
    if (status == ASSAY_OK) status = assay_allocate(&view->attempted, rows, 1, "rows");
    if (status != ASSAY_OK) return status;
    take_enrolment(view);
    count_comparisons(view, neighbours);
    assay_protocol *protocol = &view->evidence.protocol;
    protocol->kind = ASSAY_PROTOCOL_PAIR_LIST;
    protocol->pairs = neighbours->pairs;
    protocol->reversed = view->reversed;
    protocol->pair_count = neighbours->count;
    view->evidence.tail = view->tail;
    view->evidence.tail_count = view->evidence.mated_count = 0;
    view->evidence.non_mated = view->made;
    for (uint64_t n = 0; n < evidence->tail_count; ++n)
        if (is_listed(neighbours, (assay_row_pair){evidence->tail[n].i, evidence->tail[n].j}))
            view->tail[view->evidence.tail_count++] = evidence->tail[n];
    return assay_sampling_open(&view->evidence, view->roles, view->enrolled, view->attempted,
                               &nobody, &view->sampling);
}

assay_status assay_neighbours_judge(const assay_neighbours *neighbours,
                                    const assay_evidence *evidence, const assay_figures *figures,
                                    assay_neighbour_point *out) {
    listed_view view;
    assay_cut *cuts = NULL;
    assay_point_intervals *intervals = NULL;
    assay_status status = view_open(neighbours, evidence, &view);
    if (status == ASSAY_OK)
        status = assay_allocate(&cuts, figures->point_count, sizeof *cuts, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&intervals, figures->point_count, sizeof *intervals, "thresholds");
    if (status != ASSAY_OK) goto out;
    assay_score_list tail = assay_tail_scores(&view.evidence);
    for (uint32_t n = 0; n < figures->point_count; ++n) {
        cuts[n] = assay_point_cut(figures, &figures->points[n]);
        cuts[n].matches = cuts[n].fmr_reason ? 0 : assay_scores_at_least(&tail, cuts[n].threshold);
        cuts[n].fnmr_reason = "look-alikes are different people";
    }
    status = assay_sampling_points(view.sampling, cuts, figures->point_count, intervals);
    for (uint32_t n = 0; status == ASSAY_OK && n < figures->point_count; ++n) {
        const char *reason = cuts[n].fmr_reason;
        uint64_t matches = cuts[n].matches;
        out[n] = (assay_neighbour_point){.fmr = reason ? assay_rate_unknown(view.made, reason)
                                                       : assay_rate_of(matches, view.made),
                                         .gfmr = reason ? assay_rate_unknown(view.tried, reason)
                                                        : assay_rate_of(matches, view.tried),
                                         .fmr_interval = intervals[n].fmr,
                                         .gfmr_interval = intervals[n].gfmr};
    }
out:
    free(cuts);
    free(intervals);
    view_close(&view);
    return status;
}
