/* galleries -- identification from evidence of all pairs (galleries.h). */
#include "reports/galleries.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/figures.h"

/* Best score of a probe with another subject, at or above the threshold. */
typedef struct {
    uint32_t probe, subject;
    double score;
} candidate;

typedef struct {
    const assay_evidence *evidence;
    const assay_galleries_options *options;
    double threshold;
    uint8_t *roles;        /* [row_count] */
    uint16_t *codes;       /* [row_count] gallery of each row where they are given, else NULL */
    candidate *candidates; /* [candidate_count] by (probe, subject) */
    uint64_t candidate_count;
    uint64_t *start; /* [row_count + 1] candidates of each probe */
    double *mates;   /* [row_count] best mated score, NaN without a mated comparison */
} gallery_work;

static bool takes_part(const gallery_work *work, uint32_t row, uint8_t as) {
    return work->evidence->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED &&
           (work->roles[row] == ASSAY_ROLE_BOTH || work->roles[row] == as);
}

static bool in_one_gallery(const gallery_work *work, uint32_t i, uint32_t j) {
    if (!work->codes) return true;
    return work->codes[i] == work->codes[j] && work->codes[i] >= ASSAY_CODE_FIRST;
}

/* ---- candidates ---- */

static int by_probe(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->probe != y->probe) return x->probe < y->probe ? -1 : 1;
    if (x->subject != y->subject) return x->subject < y->subject ? -1 : 1;
    return (x->score < y->score) - (x->score > y->score);
}

static void add_candidate(gallery_work *work, uint32_t probe, uint32_t other, double score) {
    if (!takes_part(work, probe, ASSAY_ROLE_PROBE) ||
        !takes_part(work, other, ASSAY_ROLE_REFERENCE))
        return;
    uint32_t subject = work->evidence->table.subject[other];
    work->candidates[work->candidate_count++] = (candidate){probe, subject, score};
}

static void add_mate(gallery_work *work, uint32_t probe, uint32_t other, double score) {
    if (!takes_part(work, probe, ASSAY_ROLE_PROBE) ||
        !takes_part(work, other, ASSAY_ROLE_REFERENCE))
        return;
    work->mates[probe] = fmax(work->mates[probe], score);
}

/* The best of each subject, and where each probe's begin. */
static void index_candidates(gallery_work *work) {
    uint64_t rows = work->evidence->table.row_count, kept = 0;
    candidate *list = work->candidates;
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

static assay_status find_candidates(gallery_work *work, uint16_t *codes) {
    const assay_evidence *evidence = work->evidence;
    assay_score_list tail = assay_tail_scores(evidence);
    uint64_t rows = evidence->table.row_count;
    uint64_t matches = assay_scores_at_least(&tail, work->threshold);
    work->codes = codes;
    work->candidate_count = 0;
    free(work->candidates);
    free(work->start);
    free(work->mates);
    work->candidates = NULL;
    work->start = NULL;
    work->mates = NULL;
    assay_status status =
        assay_allocate(&work->candidates, 2 * matches, sizeof *work->candidates, "candidates");
    if (status == ASSAY_OK)
        status = assay_allocate(&work->start, rows + 1, sizeof *work->start, "candidates");
    if (status == ASSAY_OK)
        status = assay_allocate(&work->mates, rows, sizeof *work->mates, "mates");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < rows; ++row) work->mates[row] = (double)NAN;
    for (uint64_t n = 0; n < matches; ++n) {
        const assay_comparison *pair = &evidence->tail[n];
        if (!in_one_gallery(work, pair->i, pair->j)) continue;
        add_candidate(work, pair->i, pair->j, assay_score_at(&tail, n));
        add_candidate(work, pair->j, pair->i, assay_score_at(&tail, n));
    }
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        const assay_comparison *pair = &evidence->mated[n];
        if (!in_one_gallery(work, pair->i, pair->j)) continue;
        add_mate(work, pair->i, pair->j, assay_fine_score(evidence, pair->fine));
        add_mate(work, pair->j, pair->i, assay_fine_score(evidence, pair->fine));
    }
    index_candidates(work);
    return ASSAY_OK;
}

/* Others with at least the mate's score: known where that is not below the threshold. */
static uint64_t ahead_of_mate(const gallery_work *work, uint64_t probe) {
    uint64_t ahead = 0;
    for (uint64_t n = work->start[probe]; n < work->start[probe + 1]; ++n)
        ahead += work->candidates[n].score >= work->mates[probe];
    return ahead;
}

/* ---- random galleries ---- */

/* Subjects that can be in a gallery: [subject_count] flags, and how many. */
static assay_status find_members(const gallery_work *work, uint8_t **out, uint64_t *out_count) {
    const assay_sample_table *table = &work->evidence->table;
    assay_status status = assay_allocate(out, table->subject_count, 1, "subjects");
    if (status != ASSAY_OK) return status;
    for (uint32_t row = 0; row < table->row_count; ++row)
        if (takes_part(work, row, ASSAY_ROLE_REFERENCE)) (*out)[table->subject[row]] = 1;
    *out_count = 0;
    for (uint32_t n = 0; n < table->subject_count; ++n) *out_count += (*out)[n];
    return ASSAY_OK;
}

static void expect(const gallery_work *work, const uint8_t *members, uint64_t member_count,
                   const assay_operating_point *point, assay_random_gallery *out) {
    const assay_sample_table *table = &work->evidence->table;
    double false_hits = 0, misses = 0, probes = 0, mated = 0;
    for (uint32_t row = 0; row < table->row_count; ++row) {
        if (!takes_part(work, row, ASSAY_ROLE_PROBE)) continue;
        uint64_t others = member_count - members[table->subject[row]];
        uint64_t degree = work->start[row + 1] - work->start[row];
        if (others < out->size || !out->size) {
            out->reason = "there are fewer other people than that";
            return;
        }
        ++probes;
        false_hits += assay_gallery_hit(others, degree, out->size);
        if (isnan(work->mates[row])) continue;
        ++mated;
        if (!(work->mates[row] >= work->threshold))
            misses += 1;
        else if (work->options->rank)
            misses += assay_gallery_hits(others, ahead_of_mate(work, row), out->size - 1,
                                         work->options->rank);
    }
    if (!(probes > 0)) {
        out->reason = "no probe is enrolled";
        return;
    }
    out->fpir = false_hits / probes;
    if (mated > 0) out->fnir = misses / mated;
    double fmr = assay_rate_value(point->fmr);
    out->naive = fmin((double)out->size * fmr, 1);
    if (point->interval.fmr.reason) return;
    /* In proportion to FMR; of no false match at all, no more than every other person adds. */
    double scale = fmr > 0 ? out->fpir / fmr : (double)out->size;
    out->low = fmin(point->interval.fmr.low * scale, 1);
    out->high = fmin(point->interval.fmr.high * scale, 1);
}

static assay_status expect_random(gallery_work *work, const assay_operating_point *point,
                                  assay_galleries *out) {
    const assay_galleries_options *options = work->options;
    uint8_t *members = NULL;
    uint64_t member_count = 0;
    assay_status status = find_candidates(work, NULL);
    if (status == ASSAY_OK) status = find_members(work, &members, &member_count);
    if (status == ASSAY_OK)
        status = assay_allocate(&out->random, options->size_count, sizeof *out->random, "sizes");
    for (uint32_t row = 0; status == ASSAY_OK && row < work->evidence->table.row_count; ++row) {
        if (!takes_part(work, row, ASSAY_ROLE_PROBE)) continue;
        ++out->probes;
        out->mated_probes += !isnan(work->mates[row]);
    }
    for (size_t n = 0; status == ASSAY_OK && n < options->size_count; ++n) {
        const double none = (double)NAN;
        assay_random_gallery *random = &out->random[out->random_count++];
        *random = (assay_random_gallery){options->sizes[n], NULL, none, none, none, none, none};
        expect(work, members, member_count, point, random);
    }
    free(members);
    return status;
}

/* ---- given galleries ---- */

typedef struct {
    uint32_t gallery, subject;
} membership;

static int by_gallery(const void *a, const void *b) {
    const membership *x = a, *y = b;
    if (x->gallery != y->gallery) return x->gallery < y->gallery ? -1 : 1;
    return (x->subject > y->subject) - (x->subject < y->subject);
}

/* Rows that stand in galleries, by gallery and subject. */
static assay_status list_members(const gallery_work *work, membership **out, uint64_t *out_count) {
    const assay_sample_table *table = &work->evidence->table;
    uint64_t count = 0;
    assay_status status = assay_allocate(out, table->row_count, sizeof **out, "galleries");
    if (status != ASSAY_OK) return status;
    for (uint32_t row = 0; row < table->row_count; ++row)
        if (work->codes[row] >= ASSAY_CODE_FIRST && takes_part(work, row, ASSAY_ROLE_REFERENCE))
            (*out)[count++] = (membership){work->codes[row], table->subject[row]};
    if (count) qsort(*out, count, sizeof **out, by_gallery);
    *out_count = count;
    return ASSAY_OK;
}

/* First of list that is not before key. */
static uint64_t first_at(const membership *list, uint64_t count, membership key) {
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (by_gallery(&list[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* People of each gallery that is searched, and their distribution. */
static assay_status measure_sizes(const assay_search *searches, size_t count,
                                  const membership *list, uint64_t members, uint32_t codes,
                                  assay_given_galleries *out) {
    uint64_t *sizes = NULL, kept = 0;
    uint8_t *searched = NULL;
    assay_status status = assay_allocate(&sizes, codes, sizeof *sizes, "galleries");
    if (status == ASSAY_OK) status = assay_allocate(&searched, codes, 1, "galleries");
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) searched[searches[n].gallery] = 1;
    for (uint64_t n = 0; status == ASSAY_OK && n < members; ++n)
        sizes[list[n].gallery] += !n || by_gallery(&list[n - 1], &list[n]) != 0;
    for (uint32_t n = 0; status == ASSAY_OK && n < codes; ++n)
        if (searched[n]) sizes[kept++] = sizes[n];
    if (status == ASSAY_OK && kept) {
        qsort(sizes, kept, sizeof *sizes, by_size);
        out->galleries = kept;
        out->least = sizes[0];
        out->median = sizes[kept / 2];
        out->most = sizes[kept - 1];
    }
    free(sizes);
    free(searched);
    return status;
}

/* Where somebody searches in several galleries, intervals again; and none of few galleries. */
static assay_status judge_rate(const gallery_work *work, const assay_search *searches,
                               const uint32_t *subjects, size_t count, bool mated, bool recurring,
                               assay_search_rate *rate) {
    uint8_t *wrong = NULL;
    uint32_t *gallery = NULL, *subject = NULL;
    size_t kept = 0;
    assay_status status = ASSAY_OK;
    if (rate->rate.reason) return ASSAY_OK;
    if (rate->galleries < ASSAY_FEW_GALLERIES) {
        rate->interval = assay_interval_unknown("fewer than 10 galleries");
        return ASSAY_OK;
    }
    if (!recurring) return ASSAY_OK;
    status = assay_allocate(&wrong, count, 1, "searches");
    if (status == ASSAY_OK) status = assay_allocate(&gallery, count, sizeof *gallery, "searches");
    if (status == ASSAY_OK) status = assay_allocate(&subject, count, sizeof *subject, "searches");
    for (size_t n = 0; status == ASSAY_OK && n < count; ++n) {
        if (searches[n].mated != mated) continue;
        wrong[kept] = assay_search_is_wrong(&searches[n], work->threshold, work->options->rank);
        gallery[kept] = searches[n].gallery;
        subject[kept++] = subjects[n];
    }
    if (status == ASSAY_OK && rate->rate.errors && rate->rate.errors < rate->rate.trials)
        status = assay_search_recurring(wrong, gallery, subject, kept, work->options->alpha,
                                        &rate->interval);
    free(wrong);
    free(gallery);
    free(subject);
    return status;
}

typedef struct {
    assay_search *searches;
    uint32_t *subjects; /* of each search */
    size_t count;
} search_list;

/* Every probe that stands in a gallery with somebody else, or with its own mate. */
static void make_searches(const gallery_work *work, const membership *list, uint64_t members,
                          search_list *to, assay_given_galleries *out) {
    const assay_sample_table *table = &work->evidence->table;
    for (uint32_t row = 0; row < table->row_count; ++row) {
        uint16_t code = work->codes[row];
        uint32_t subject = table->subject[row];
        if (code < ASSAY_CODE_FIRST || !takes_part(work, row, ASSAY_ROLE_PROBE)) continue;
        uint64_t own = first_at(list, members, (membership){code, subject + 1}) -
                       first_at(list, members, (membership){code, subject});
        uint64_t all = first_at(list, members, (membership){code + 1u, 0}) -
                       first_at(list, members, (membership){code, 0});
        uint64_t others = all - own;
        own -= takes_part(work, row, ASSAY_ROLE_REFERENCE); /* itself */
        bool mated = !isnan(work->mates[row]);
        if (own && !mated) {
            ++out->left_out;
            continue;
        }
        if (!others && !mated) continue;
        assay_search search = {.gallery = code, .mated = mated, .mate = work->mates[row]};
        search.best = -(double)INFINITY;
        if (mated && search.mate >= work->threshold) search.ahead = ahead_of_mate(work, row);
        for (uint64_t n = work->start[row]; n < work->start[row + 1]; ++n)
            search.best = fmax(search.best, work->candidates[n].score);
        to->subjects[to->count] = subject;
        to->searches[to->count++] = search;
    }
}

static bool somebody_recurs(const search_list *list, uint32_t *first_gallery) {
    bool found = false;
    for (size_t n = 0; n < list->count; ++n) {
        uint32_t *first = &first_gallery[list->subjects[n]];
        found = found || (*first && *first != list->searches[n].gallery);
        *first = list->searches[n].gallery; /* never 0: codes of galleries begin later */
    }
    return found;
}

static assay_status search_given(gallery_work *work, const assay_attribute *attribute,
                                 assay_given_galleries *out) {
    const assay_sample_table *table = &work->evidence->table;
    search_list list = {0};
    membership *members = NULL;
    uint32_t *first_gallery = NULL;
    uint64_t member_count = 0;
    const assay_galleries_options *options = work->options;
    assay_status status = find_candidates(work, attribute->codes);
    if (status == ASSAY_OK) status = list_members(work, &members, &member_count);
    if (status == ASSAY_OK)
        status =
            assay_allocate(&list.searches, table->row_count, sizeof *list.searches, "searches");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&list.subjects, table->row_count, sizeof *list.subjects, "searches");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&first_gallery, table->subject_count, sizeof *first_gallery, "subjects");
    if (status == ASSAY_OK) make_searches(work, members, member_count, &list, out);
    if (status == ASSAY_OK)
        status = measure_sizes(list.searches, list.count, members, member_count,
                               attribute->label_count, out);
    if (status == ASSAY_OK)
        status = assay_search_rates(list.searches, list.count, work->threshold, options->rank,
                                    options->alpha, &out->fpir, &out->fnir);
    if (status == ASSAY_OK) out->recurring = somebody_recurs(&list, first_gallery);
    for (int mated = 0; status == ASSAY_OK && mated < 2; ++mated)
        status = judge_rate(work, list.searches, list.subjects, list.count, mated, out->recurring,
                            mated ? &out->fnir : &out->fpir);
    free(members);
    free(first_gallery);
    free(list.searches);
    free(list.subjects);
    return status;
}

/* ---- all of it ---- */

static assay_status check(const assay_evidence *evidence, const assay_galleries_options *options) {
    if (!assay_evidence_has_samples(evidence))
        return assay_fail(
            ASSAY_USAGE,
            "the scores of %s %s came without subject ids: nobody knows whose gallery "
            "they are",
            evidence->release, evidence->version);
    if (evidence->protocol.kind == ASSAY_PROTOCOL_PAIR_LIST)
        return assay_fail(ASSAY_USAGE,
                          "the evidence of %s %s is of a list of pairs: galleries need every pair",
                          evidence->release, evidence->version);
    if (options->attribute && !assay_sample_table_attribute(&evidence->table, options->attribute))
        return assay_fail(ASSAY_USAGE, "galleries by '%s': the evidence has no such attribute",
                          options->attribute);
    return ASSAY_OK;
}

assay_status assay_galleries_compute(const assay_evidence *evidence,
                                     const assay_galleries_options *options, assay_galleries *out) {
    assay_galleries made = {.deployment = options->deployment};
    assay_figures figures = {0};
    gallery_work work = {.evidence = evidence, .options = options};
    assay_status status = check(evidence, options);
    if (status == ASSAY_OK && isnan(made.deployment.fmr) && isnan(made.deployment.threshold))
        status = assay_deployment_choose(evidence, &made.deployment);
    if (status != ASSAY_OK) return status;
    assay_evidence judged = assay_deployment_apply(&made.deployment, evidence);
    status = assay_figures_compute(&judged, (const char *const[]){NULL}, 0, &figures);
    if (status != ASSAY_OK) return status;
    const assay_operating_point *point = &figures.points[0];
    if (point->reason || !point->in_tail)
        status = point->reason && !point->beyond_tail[0]
                     ? assay_fail(ASSAY_USAGE, "the evidence of %s %s has no such threshold: %s",
                                  evidence->release, evidence->version, point->reason)
                     : assay_tail_refuse(evidence, &figures.coarse, made.deployment.fmr,
                                         made.deployment.threshold);
    made.threshold = work.threshold = point->threshold;
    made.fmr = point->fmr;
    if (status == ASSAY_OK)
        status = assay_protocol_roles(&evidence->protocol, &evidence->table, &work.roles);
    if (status == ASSAY_OK) status = expect_random(&work, point, &made);
    if (status == ASSAY_OK && options->attribute) {
        made.has_given = true;
        status = search_given(
            &work, assay_sample_table_attribute(&evidence->table, options->attribute), &made.given);
    }
    assay_figures_free(&figures);
    free(work.roles);
    free(work.candidates);
    free(work.start);
    free(work.mates);
    if (status == ASSAY_OK)
        *out = made;
    else
        assay_galleries_free(&made);
    return status;
}

void assay_galleries_free(assay_galleries *galleries) {
    free(galleries->random);
    *galleries = (assay_galleries){0};
}
