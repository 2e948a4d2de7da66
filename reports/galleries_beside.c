/* galleries_beside -- who is beside each probe: its mates, and other people from the tail of the
 * evidence and from rows that go on below it (galleries_private.h). */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/galleries_private.h"

bool gallery_may_be(const gallery_work *work, uint32_t row, uint8_t as) {
    return work->roles[row] == ASSAY_ROLE_BOTH || work->roles[row] == as;
}

bool gallery_attempted(const gallery_work *work, uint32_t row) {
    uint8_t how = work->evidence->table.enrolment[row];
    return how == ASSAY_ENROLMENT_ENROLLED || how == ASSAY_ENROLMENT_REFUSED ||
           how == ASSAY_ENROLMENT_FAILED;
}

bool gallery_takes_part(const gallery_work *work, uint32_t row, uint8_t as) {
    return work->evidence->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED &&
           gallery_may_be(work, row, as);
}

static bool in_one_gallery(const gallery_work *work, uint32_t i, uint32_t j) {
    if (!work->codes) return true;
    return work->codes[i] == work->codes[j] && work->codes[i] >= ASSAY_CODE_FIRST;
}

/* ---- opening ---- */

static assay_status find_floors(gallery_work *work) {
    const assay_evidence *evidence = work->evidence;
    const assay_rows *rows = work->options->rows;
    const double all = -(double)INFINITY;
    double lowest = evidence->tail_complete ? all
                    : evidence->tail_count  ? assay_fine_score(evidence, evidence->tail_floor)
                                            : (double)INFINITY;
    assay_status status = assay_allocate(&work->floors, evidence->table.row_count,
                                         sizeof *work->floors, "floors of rows");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < evidence->table.row_count; ++row) work->floors[row] = lowest;
    for (uint64_t n = 0; rows && n < rows->count; ++n) {
        double here =
            rows->floors[n] == INT64_MIN ? all : assay_fine_score(evidence, rows->floors[n]);
        if (here < work->floors[rows->rows[n]]) work->floors[rows->rows[n]] = here;
    }
    return ASSAY_OK;
}

assay_status gallery_work_open(const assay_evidence *evidence,
                               const assay_galleries_options *options, double threshold,
                               gallery_work *out) {
    gallery_work work = {.evidence = evidence, .options = options, .threshold = threshold};
    uint64_t rows = evidence->table.row_count;
    assay_status status = assay_protocol_roles(&evidence->protocol, &evidence->table, &work.roles);
    if (status == ASSAY_OK)
        status = assay_protocol_same_subject(&evidence->protocol, &evidence->table, work.roles,
                                             &work.same);
    if (status == ASSAY_OK) status = find_floors(&work);
    if (status == ASSAY_OK) status = assay_allocate(&work.mates, rows, sizeof *work.mates, "mates");
    if (status == ASSAY_OK) status = assay_allocate(&work.asked, rows, 1, "mates");
    if (status == ASSAY_OK) status = assay_allocate(&work.answered, rows, 1, "mates");
    if (status == ASSAY_OK)
        status = assay_allocate(&work.start, rows + 1, sizeof *work.start, "candidates");
    if (status == ASSAY_OK)
        *out = work;
    else
        gallery_work_close(&work);
    return status;
}

void gallery_work_close(gallery_work *work) {
    free(work->roles);
    assay_same_subject_free(&work->same);
    free(work->floors);
    free(work->mates);
    free(work->asked);
    free(work->answered);
    free(work->candidates);
    free(work->start);
    *work = (gallery_work){0};
}

/* ---- mates ---- */

static void add_mate(gallery_work *work, uint32_t probe, uint32_t other, double score) {
    if (!gallery_takes_part(work, probe, ASSAY_ROLE_PROBE) ||
        !gallery_takes_part(work, other, ASSAY_ROLE_REFERENCE))
        return;
    work->mates[probe] = fmax(work->mates[probe], score);
}

static void ask(gallery_work *work, uint32_t probe, uint32_t other) {
    if (!gallery_may_be(work, probe, ASSAY_ROLE_PROBE) || !gallery_attempted(work, probe) ||
        !gallery_may_be(work, other, ASSAY_ROLE_REFERENCE) || !gallery_attempted(work, other))
        return;
    work->asked[probe] = 1;
    work->answered[probe] |= gallery_takes_part(work, other, ASSAY_ROLE_REFERENCE);
}

static void find_mates(gallery_work *work) {
    const assay_evidence *evidence = work->evidence;
    for (uint64_t row = 0; row < evidence->table.row_count; ++row) {
        work->mates[row] = (double)NAN;
        work->asked[row] = work->answered[row] = 0;
    }
    for (uint64_t n = 0; n < work->same.count; ++n) {
        assay_row_pair pair = work->same.pairs[n];
        if (work->same.relation[n] != ASSAY_RELATION_MATED || !in_one_gallery(work, pair.i, pair.j))
            continue;
        ask(work, pair.i, pair.j);
        ask(work, pair.j, pair.i);
    }
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        const assay_comparison *pair = &evidence->mated[n];
        if (!in_one_gallery(work, pair->i, pair->j)) continue;
        double score = assay_fine_score(evidence, pair->fine);
        add_mate(work, pair->i, pair->j, score);
        add_mate(work, pair->j, pair->i, score);
    }
}

bool gallery_count_mated(const gallery_work *work, uint32_t probe, assay_mated_searches *into) {
    bool enrolled = gallery_takes_part(work, probe, ASSAY_ROLE_PROBE);
    bool completed = !isnan(work->mates[probe]);
    if (!work->asked[probe]) return false;
    ++into->attempted;
    into->completed += completed;
    into->no_probe += !enrolled;
    into->no_reference += enrolled && !work->answered[probe];
    into->no_comparison += enrolled && work->answered[probe] && !completed;
    return completed;
}

/* ---- other people ---- */

/* Counts, or where there is room keeps, a candidate that matters: one that matches, or is ahead of
 * the mate. */
static void add_candidate(gallery_work *work, uint32_t probe, uint32_t other, double score) {
    if (!in_one_gallery(work, probe, other)) return;
    if (!gallery_takes_part(work, probe, ASSAY_ROLE_PROBE) ||
        !gallery_takes_part(work, other, ASSAY_ROLE_REFERENCE))
        return;
    if (!(score >= work->threshold) && !(score >= work->mates[probe])) return;
    if (work->candidates)
        work->candidates[work->candidate_count] = (gallery_candidate){
            .probe = probe, .subject = work->evidence->table.subject[other], .score = score};
    ++work->candidate_count;
}

/* Of rows that were computed again what they hold, of others what the tail holds. */
static void add_candidates(gallery_work *work, const uint8_t *again) {
    const assay_evidence *evidence = work->evidence;
    const assay_rows *rows = work->options->rows;
    work->candidate_count = 0;
    for (uint64_t n = 0; n < evidence->tail_count; ++n) {
        const assay_comparison *pair = &evidence->tail[n];
        double score = assay_fine_score(evidence, pair->fine);
        if (!again[pair->i]) add_candidate(work, pair->i, pair->j, score);
        if (!again[pair->j]) add_candidate(work, pair->j, pair->i, score);
    }
    for (uint64_t n = 0; rows && n < rows->count; ++n)
        for (uint64_t k = rows->start[n]; again[rows->rows[n]] && k < rows->start[n + 1]; ++k) {
            const assay_comparison *pair = &rows->comparisons[k];
            uint32_t row = rows->rows[n];
            add_candidate(work, row, pair->i == row ? pair->j : pair->i,
                          assay_fine_score(evidence, pair->fine));
        }
}

static int by_probe(const void *a, const void *b) {
    const gallery_candidate *x = a, *y = b;
    if (x->probe != y->probe) return x->probe < y->probe ? -1 : 1;
    if (x->subject != y->subject) return x->subject < y->subject ? -1 : 1;
    return (x->score < y->score) - (x->score > y->score);
}

/* The best of each subject, and where each probe's begin. */
static void index_candidates(gallery_work *work) {
    uint64_t rows = work->evidence->table.row_count, kept = 0;
    gallery_candidate *list = work->candidates;
    if (work->candidate_count) qsort(list, work->candidate_count, sizeof *list, by_probe);
    for (uint64_t n = 0; n < work->candidate_count; ++n)
        if (!n || list[n].probe != list[kept - 1].probe ||
            list[n].subject != list[kept - 1].subject)
            list[kept++] = list[n];
    work->candidate_count = kept;
    for (uint64_t row = 0, n = 0; row <= rows; ++row) {
        while (n < kept && list[n].probe < row) ++n;
        work->start[row] = n;
    }
}

assay_status gallery_look(gallery_work *work, const uint16_t *codes) {
    const assay_evidence *evidence = work->evidence;
    const assay_rows *rows = work->options->rows;
    uint8_t *again = NULL;
    work->codes = codes;
    free(work->candidates);
    work->candidates = NULL;
    find_mates(work);
    assay_status status = assay_allocate(&again, evidence->table.row_count, 1, "rows");
    if (status != ASSAY_OK) return status;
    /* A row reaches below the tail, or it would not have been computed again. */
    for (uint64_t n = 0; rows && n < rows->count; ++n)
        again[rows->rows[n]] = rows->floors[n] <= evidence->tail_floor;
    add_candidates(work, again);
    status = assay_allocate(&work->candidates, work->candidate_count, sizeof *work->candidates,
                            "candidates");
    if (status == ASSAY_OK) {
        add_candidates(work, again);
        index_candidates(work);
    }
    free(again);
    return status;
}

uint64_t gallery_ahead(const gallery_work *work, uint32_t probe) {
    uint64_t ahead = 0;
    for (uint64_t n = work->start[probe]; n < work->start[probe + 1]; ++n)
        ahead += work->candidates[n].score >= work->mates[probe];
    return ahead;
}

uint64_t gallery_matches(const gallery_work *work, uint32_t probe) {
    uint64_t matches = 0;
    for (uint64_t n = work->start[probe]; n < work->start[probe + 1]; ++n)
        matches += work->candidates[n].score >= work->threshold;
    return matches;
}

bool gallery_is_censored(const gallery_work *work, uint32_t probe) {
    return work->mates[probe] < work->floors[probe];
}
