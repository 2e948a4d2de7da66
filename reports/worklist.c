/* worklist -- errors for people to look at (worklist.h). */
#include "reports/worklist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/pairing.h"
#include "reports/rates.h"
#include "reports/reach.h"
#include "reports/worklist_private.h"

const char *assay_work_kind_name(assay_work_kind kind) {
    static const char *const names[] = {[ASSAY_WORK_NON_MATED] = "non_mated",
                                        [ASSAY_WORK_MATED] = "mated",
                                        [ASSAY_WORK_DISAGREEMENT] = "disagreements",
                                        [ASSAY_WORK_LABEL] = "labels"};
    return names[kind];
}

assay_status worklist_add_list(assay_worklist *work, assay_work_kind kind, size_t release,
                               size_t other, assay_work_list **out) {
    assay_status status = assay_reserve(&work->lists, &work->list_capacity, work->list_count + 1,
                                        sizeof *work->lists, "worklists");
    if (status != ASSAY_OK) return status;
    *out = &work->lists[work->list_count++];
    **out = (assay_work_list){.kind = kind, .release = release, .other = other};
    return ASSAY_OK;
}

static int by_rank(const void *a, const void *b) {
    const assay_work_item *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

void worklist_keep_first(assay_work_list *list, uint64_t limit) {
    if (list->count) qsort(list->items, list->count, sizeof *list->items, by_rank);
    list->found = list->count;
    if (list->count > limit) list->count = limit;
}

/* ---- thresholds ---- */

static assay_status refuse(const assay_evidence *evidence, const assay_deployment *deployment) {
    assay_coarse coarse = {0};
    assay_status status = assay_coarse_create(evidence, &coarse);
    if (status == ASSAY_OK)
        status = assay_tail_refuse(evidence, &coarse, deployment->fmr, deployment->threshold);
    assay_coarse_free(&coarse);
    return status;
}

static assay_status find_threshold(assay_worklist *work, size_t release) {
    const assay_evidence *evidence = &work->evidence[release];
    const assay_deployment *deployment = &work->deployment;
    assay_score_list tail = assay_tail_scores(evidence), mated = assay_mated_scores(evidence);
    double *threshold = &work->thresholds[release];
    bool known = assay_tail_reaches(evidence, deployment->threshold);
    *threshold = deployment->threshold;
    if (!isnan(deployment->fmr))
        known = assay_threshold(&tail, assay_allowed_errors(deployment->fmr, evidence->non_mated),
                                threshold);
    if (!known) return refuse(evidence, deployment);
    /* The lower one of two in the middle: mated scores fall. */
    work->mated_medians[release] =
        mated.count ? assay_score_at(&mated, mated.count / 2) : (double)NAN;
    return ASSAY_OK;
}

/* ---- one release ---- */

static assay_status list_non_mated(assay_worklist *work, size_t release) {
    const assay_evidence *evidence = &work->evidence[release];
    assay_work_list *list;
    uint64_t count = evidence->tail_count < work->limit ? evidence->tail_count : work->limit;
    assay_status status = worklist_add_list(work, ASSAY_WORK_NON_MATED, release, release, &list);
    if (status == ASSAY_OK)
        status = assay_allocate(&list->items, count, sizeof *list->items, "worklists");
    for (uint64_t n = 0; status == ASSAY_OK && n < count; ++n) {
        const assay_comparison *pair = &evidence->tail[n];
        assay_work_item *item = &list->items[list->count++];
        *item =
            (assay_work_item){.i = pair->i, .j = pair->j, .rank = n, .other_score = (double)NAN};
        item->score = assay_fine_score(evidence, pair->fine);
        item->error = item->score >= work->thresholds[release];
        item->reason =
            item->error ? "two people match" : "two people, among the highest that do not match";
    }
    if (status == ASSAY_OK) list->found = evidence->tail_count;
    return status;
}

static assay_status list_mated(assay_worklist *work, size_t release) {
    const assay_evidence *evidence = &work->evidence[release];
    assay_work_list *list;
    uint64_t all = evidence->mated_count, count = all < work->limit ? all : work->limit;
    assay_status status = worklist_add_list(work, ASSAY_WORK_MATED, release, release, &list);
    if (status == ASSAY_OK)
        status = assay_allocate(&list->items, count, sizeof *list->items, "worklists");
    for (uint64_t n = 0; status == ASSAY_OK && n < count; ++n) {
        const assay_comparison *pair = &evidence->mated[all - 1 - n];
        assay_work_item *item = &list->items[list->count++];
        *item =
            (assay_work_item){.i = pair->i, .j = pair->j, .rank = n, .other_score = (double)NAN};
        item->score = assay_fine_score(evidence, pair->fine);
        item->error = item->score < work->thresholds[release];
        item->reason =
            item->error ? "one person does not match" : "one person, among the lowest that match";
    }
    if (status == ASSAY_OK) list->found = all;
    return status;
}

/* ---- two releases ---- */

typedef struct {
    uint64_t rank;
    const assay_comparison *pair;
    bool matches;
} decided;

static int by_rows(const void *a, const void *b) {
    const assay_comparison *x = ((const decided *)a)->pair, *y = ((const decided *)b)->pair;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

/* Mated comparisons by rows, ranked from the lowest; or false matches, ranked from the highest. */
static assay_status decide(const assay_evidence *evidence, double threshold, bool mated,
                           decided **out, uint64_t *out_count) {
    assay_score_list tail = assay_tail_scores(evidence);
    uint64_t count = mated ? evidence->mated_count : assay_scores_at_least(&tail, threshold);
    assay_status status = assay_allocate(out, count, sizeof **out, "decisions");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < count; ++n) {
        const assay_comparison *pair = mated ? &evidence->mated[n] : &evidence->tail[n];
        (*out)[n] = (decided){.rank = mated ? count - 1 - n : n, .pair = pair};
        (*out)[n].matches = assay_fine_score(evidence, pair->fine) >= threshold;
    }
    if (count) qsort(*out, count, sizeof **out, by_rows);
    *out_count = count;
    return ASSAY_OK;
}

static bool was_given(const assay_evidence *evidence, uint32_t row) {
    uint8_t how = evidence->table.enrolment[row];
    return how == ASSAY_ENROLMENT_ENROLLED || how == ASSAY_ENROLMENT_REFUSED ||
           how == ASSAY_ENROLMENT_FAILED;
}

typedef struct {
    const assay_worklist *work;
    size_t earlier, last;
    assay_work_list *list;
    size_t capacity;
} disagreement;

/* a: of the earlier release, b: of the last; one may be NULL, where it made no such comparison, or
 * no match of it. */
static assay_status disagree(disagreement *to, const decided *a, const decided *b, bool mated) {
    bool in_a = a && a->matches, in_b = b && b->matches;
    const assay_comparison *pair = a ? a->pair : b->pair;
    const assay_evidence *first = &to->work->evidence[to->earlier];
    const assay_evidence *last = &to->work->evidence[to->last];
    if (in_a == in_b) return ASSAY_OK;
    if (!a && !(was_given(first, pair->i) && was_given(first, pair->j))) return ASSAY_OK;
    if (!b && !(was_given(last, pair->i) && was_given(last, pair->j))) return ASSAY_OK;
    assay_work_list *list = to->list;
    assay_status status = assay_reserve(&list->items, &to->capacity, list->count + 1,
                                        sizeof *list->items, "worklists");
    if (status != ASSAY_OK) return status;
    /* Who errs on mated comparisons does not match, on others does: its rank tells how far off. */
    const decided *wrong = in_a == mated ? b : a;
    list->items[list->count++] = (assay_work_item){
        .i = pair->i,
        .j = pair->j,
        .error = in_b != mated,
        .rank = wrong ? wrong->rank : 0,
        .score = b ? assay_fine_score(last, b->pair->fine) : (double)NAN,
        .other_score = a ? assay_fine_score(first, a->pair->fine) : (double)NAN,
        .reason = mated ? (in_b ? "one person: only the earlier release does not match them"
                                : "one person: only the later release does not match them")
                        : (in_b ? "two people: only the later release matches them"
                                : "two people: only the earlier release matches them")};
    return ASSAY_OK;
}

static assay_status merge(disagreement *to, bool mated) {
    const assay_worklist *work = to->work;
    decided *a = NULL, *b = NULL;
    uint64_t count_a = 0, count_b = 0;
    assay_status status =
        decide(&work->evidence[to->earlier], work->thresholds[to->earlier], mated, &a, &count_a);
    if (status == ASSAY_OK)
        status = decide(&work->evidence[to->last], work->thresholds[to->last], mated, &b, &count_b);
    for (uint64_t x = 0, y = 0; status == ASSAY_OK && (x < count_a || y < count_b);) {
        int order = x == count_a ? 1 : y == count_b ? -1 : by_rows(&a[x], &b[y]);
        status = disagree(to, order <= 0 ? &a[x] : NULL, order >= 0 ? &b[y] : NULL, mated);
        x += order <= 0;
        y += order >= 0;
    }
    free(a);
    free(b);
    return status;
}

/* Scores below a threshold that the tail of a release still holds. */
static int by_item_rows(const void *a, const void *b) {
    const assay_work_item *x = *(assay_work_item *const *)a, *y = *(assay_work_item *const *)b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static assay_status look_up(const assay_evidence *evidence, assay_work_list *list, bool other) {
    assay_work_item **items = NULL;
    assay_status status = assay_allocate(&items, list->count, sizeof *items, "worklists");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; ++n) items[n] = &list->items[n];
    if (status == ASSAY_OK && list->count) {
        qsort(items, list->count, sizeof *items, by_item_rows);
        for (uint64_t n = 0; n < evidence->tail_count; ++n) {
            const assay_comparison *pair = &evidence->tail[n];
            assay_work_item wanted = {.i = pair->i, .j = pair->j}, *key = &wanted;
            assay_work_item **found =
                bsearch(&key, items, list->count, sizeof *items, by_item_rows);
            if (!found) continue;
            *(other ? &(*found)->other_score : &(*found)->score) =
                assay_fine_score(evidence, pair->fine);
        }
    }
    free(items);
    return status;
}

static assay_status list_disagreements(assay_worklist *work, size_t earlier, size_t last) {
    disagreement to = {.work = work, .earlier = earlier, .last = last};
    const char *fault = assay_pairing_fault(&work->evidence[earlier], &work->evidence[last]);
    if (fault) return assay_fail(ASSAY_USAGE, "cannot list where releases disagree: %s", fault);
    assay_status status = worklist_add_list(work, ASSAY_WORK_DISAGREEMENT, last, earlier, &to.list);
    if (status == ASSAY_OK) status = merge(&to, true);
    if (status == ASSAY_OK) status = merge(&to, false);
    if (status != ASSAY_OK) return status;
    worklist_keep_first(to.list, work->limit);
    status = look_up(&work->evidence[last], to.list, false);
    if (status == ASSAY_OK) status = look_up(&work->evidence[earlier], to.list, true);
    return status;
}

/* ---- all of it ---- */

assay_status assay_worklist_make(const assay_evidence *evidence, size_t count,
                                 const assay_deployment *deployment, uint64_t limit,
                                 assay_worklist *out) {
    assay_worklist work = {
        .evidence = evidence, .release_count = count, .deployment = *deployment, .limit = limit};
    assay_status status = ASSAY_OK;
    for (size_t n = 0; n < count; ++n)
        if (!assay_evidence_has_samples(&evidence[n]))
            return assay_fail(
                ASSAY_USAGE,
                "the scores of %s %s came without samples: there is nothing to look at",
                evidence[n].release, evidence[n].version);
    if (isnan(deployment->fmr) && isnan(deployment->threshold))
        status = assay_deployment_choose(&evidence[count - 1], &work.deployment);
    if (status == ASSAY_OK)
        status = assay_allocate(&work.thresholds, count, sizeof *work.thresholds, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&work.mated_medians, count, sizeof *work.mated_medians, "medians");
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        status = find_threshold(&work, n);
        if (status == ASSAY_OK) status = list_non_mated(&work, n);
        if (status == ASSAY_OK) status = list_mated(&work, n);
        if (status == ASSAY_OK) status = worklist_list_labels(&work, n);
    }
    for (size_t n = 0; status == ASSAY_OK && n + 1 < count; ++n)
        status = list_disagreements(&work, n, count - 1);
    if (status == ASSAY_OK)
        *out = work;
    else
        assay_worklist_free(&work);
    return status;
}

void assay_worklist_free(assay_worklist *worklist) {
    for (size_t n = 0; n < worklist->list_count; ++n) free(worklist->lists[n].items);
    free(worklist->lists);
    free(worklist->thresholds);
    free(worklist->mated_medians);
    *worklist = (assay_worklist){0};
}
