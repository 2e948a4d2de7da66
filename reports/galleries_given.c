/* galleries_given -- searches in the galleries that an attribute gives (galleries_private.h). */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/galleries_private.h"

typedef struct {
    uint32_t gallery, subject;
    bool enrolled;
} membership;

static int by_gallery(const void *a, const void *b) {
    const membership *x = a, *y = b;
    if (x->gallery != y->gallery) return x->gallery < y->gallery ? -1 : 1;
    return (x->subject > y->subject) - (x->subject < y->subject);
}

/* Rows that stand in galleries, with or without a template, by gallery and subject. */
static assay_status list_members(const gallery_work *work, membership **out, uint64_t *out_count) {
    const assay_sample_table *table = &work->evidence->table;
    uint64_t count = 0;
    assay_status status = assay_allocate(out, table->row_count, sizeof **out, "galleries");
    if (status != ASSAY_OK) return status;
    for (uint32_t row = 0; row < table->row_count; ++row)
        if (work->codes[row] >= ASSAY_CODE_FIRST && gallery_attempted(work, row) &&
            gallery_may_be(work, row, ASSAY_ROLE_REFERENCE))
            (*out)[count++] = (membership){work->codes[row], table->subject[row],
                                           gallery_takes_part(work, row, ASSAY_ROLE_REFERENCE)};
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

/* ---- sizes ---- */

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* People with a template by gallery, and who has none. */
static void count_people(const membership *list, uint64_t members, const uint8_t *searched,
                         uint64_t *sizes, uint64_t *without) {
    for (uint64_t n = 0, end; n < members; n = end) {
        bool enrolled = false;
        for (end = n; end < members && by_gallery(&list[end], &list[n]) == 0; ++end)
            enrolled = enrolled || list[end].enrolled;
        sizes[list[n].gallery] += enrolled;
        *without += !enrolled && searched[list[n].gallery];
    }
}

typedef struct {
    assay_search *searches;
    uint32_t *subjects; /* of each search */
    uint8_t
        *completed; /* the probe has a template, and the mate, if there is one with one, a score */
    size_t count;
} search_list;

static assay_status measure_sizes(const search_list *list, const membership *members,
                                  uint64_t member_count, uint32_t codes,
                                  assay_given_galleries *out) {
    uint64_t *sizes = NULL, kept = 0;
    uint8_t *searched = NULL;
    assay_status status = assay_allocate(&sizes, codes, sizeof *sizes, "galleries");
    if (status == ASSAY_OK) status = assay_allocate(&searched, codes, 1, "galleries");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; ++n)
        searched[list->searches[n].gallery] = 1;
    if (status == ASSAY_OK)
        count_people(members, member_count, searched, sizes, &out->without_template);
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

/* ---- searches ---- */

/* Every probe that stands in a gallery with somebody else, or with its own mate. */
static void make_searches(const gallery_work *work, const membership *members, uint64_t count,
                          search_list *to, assay_given_galleries *out) {
    const assay_sample_table *table = &work->evidence->table;
    for (uint32_t row = 0; row < table->row_count; ++row) {
        uint16_t code = work->codes[row];
        uint32_t subject = table->subject[row];
        if (code < ASSAY_CODE_FIRST || !gallery_may_be(work, row, ASSAY_ROLE_PROBE) ||
            !gallery_attempted(work, row))
            continue;
        uint64_t own =
            first_at(members, count, (membership){.gallery = code, .subject = subject + 1}) -
            first_at(members, count, (membership){.gallery = code, .subject = subject});
        uint64_t all = first_at(members, count, (membership){.gallery = code + 1u}) -
                       first_at(members, count, (membership){.gallery = code});
        uint64_t others = all - own;
        own -= gallery_may_be(work, row, ASSAY_ROLE_REFERENCE); /* itself */
        bool mated = work->asked[row], enrolled = gallery_takes_part(work, row, ASSAY_ROLE_PROBE);
        if (own && !mated) {
            ++out->left_out;
            continue;
        }
        if (!others && !mated) continue;
        gallery_count_mated(work, row, &out->mated);
        out->non_mated += !mated;
        out->non_mated_no_probe += !mated && !enrolled;
        assay_search search = {.gallery = code, .mated = mated, .mate = work->mates[row]};
        search.best = -(double)INFINITY;
        if (mated && search.mate >= work->threshold) search.ahead = gallery_ahead(work, row);
        for (uint64_t n = work->start[row]; n < work->start[row + 1]; ++n)
            search.best = fmax(search.best, work->candidates[n].score);
        to->completed[to->count] = enrolled && (!work->answered[row] || !isnan(search.mate));
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

/* ---- rates ---- */

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

/* FPIR and FNIR of count searches; either may not be wanted. */
static assay_status rates_of(const gallery_work *work, const search_list *list, bool recurring,
                             assay_search_rate *out_fpir, assay_search_rate *out_fnir) {
    assay_search_rate rates[2];
    const assay_galleries_options *options = work->options;
    assay_status status = assay_search_rates(list->searches, list->count, work->threshold,
                                             options->rank, options->alpha, &rates[0], &rates[1]);
    for (int mated = 0; status == ASSAY_OK && mated < 2; ++mated)
        status = judge_rate(work, list->searches, list->subjects, list->count, mated, recurring,
                            &rates[mated]);
    if (status != ASSAY_OK) return status;
    *out_fpir = rates[0];
    if (out_fnir) *out_fnir = rates[1];
    return ASSAY_OK;
}

/* Of all that were attempted; of those that were completed; and of these with mates left out. Moves
 * completed ones to the front. */
static assay_status judge_searches(const gallery_work *work, search_list *list, bool recurring,
                                   assay_given_galleries *out) {
    assay_status status = rates_of(work, list, recurring, &out->gfpir, &out->gfnir);
    size_t kept = 0;
    for (size_t n = 0; n < list->count; ++n) {
        if (!list->completed[n]) continue;
        list->searches[kept] = list->searches[n];
        list->searches[kept].mated =
            !isnan(list->searches[n].mate); /* who has no template is not there */
        list->subjects[kept++] = list->subjects[n];
    }
    list->count = kept;
    if (status == ASSAY_OK) status = rates_of(work, list, recurring, &out->fpir, &out->fnir);
    for (size_t n = 0; n < kept; ++n) list->searches[n].mated = false;
    if (status == ASSAY_OK) status = rates_of(work, list, recurring, &out->others, NULL);
    return status;
}

/* ---- all of it ---- */

static assay_status add_curve(const gallery_work *work, uint32_t labels, assay_galleries *out) {
    uint32_t *clusters = NULL;
    uint64_t rows = work->evidence->table.row_count;
    assay_status status = assay_allocate(&clusters, rows, sizeof *clusters, "galleries");
    for (uint64_t row = 0; status == ASSAY_OK && row < rows; ++row)
        clusters[row] = work->codes[row];
    if (status == ASSAY_OK)
        status =
            gallery_add_curve(work, ASSAY_GALLERY_GIVEN, out->given.median, clusters, labels, out);
    free(clusters);
    return status;
}

assay_status gallery_search_given(gallery_work *work, const assay_attribute *attribute,
                                  assay_galleries *out) {
    const assay_sample_table *table = &work->evidence->table;
    search_list list = {0};
    membership *members = NULL;
    uint32_t *first_gallery = NULL;
    uint64_t member_count = 0, rows = table->row_count;
    assay_given_galleries *given = &out->given;
    assay_status status = gallery_look(work, attribute->codes);
    if (status == ASSAY_OK) status = list_members(work, &members, &member_count);
    if (status == ASSAY_OK)
        status = assay_allocate(&list.searches, rows, sizeof *list.searches, "searches");
    if (status == ASSAY_OK)
        status = assay_allocate(&list.subjects, rows, sizeof *list.subjects, "searches");
    if (status == ASSAY_OK) status = assay_allocate(&list.completed, rows, 1, "searches");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&first_gallery, table->subject_count, sizeof *first_gallery, "subjects");
    if (status != ASSAY_OK) goto out;
    make_searches(work, members, member_count, &list, given);
    given->recurring = somebody_recurs(&list, first_gallery);
    status = measure_sizes(&list, members, member_count, attribute->label_count, given);
    if (status == ASSAY_OK) status = judge_searches(work, &list, given->recurring, given);
    if (status == ASSAY_OK) status = add_curve(work, attribute->label_count, out);
    out->has_given = status == ASSAY_OK;
    out->attribute = attribute->name;
out:
    free(members);
    free(first_gallery);
    free(list.searches);
    free(list.subjects);
    free(list.completed);
    return status;
}
