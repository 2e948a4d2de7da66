/* galleries_ranks -- at which rank mates are found, whatever the threshold (galleries_private.h).
 */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/galleries_private.h"

const char *assay_gallery_kind_name(assay_gallery_kind kind) {
    static const char *const names[] = {[ASSAY_GALLERY_OF_ALL] = "all",
                                        [ASSAY_GALLERY_RANDOM] = "random",
                                        [ASSAY_GALLERY_GIVEN] = "given"};
    return names[kind];
}

/* A completed mated search. */
typedef struct {
    uint64_t ahead; /* people that are, as far as is known */
    uint32_t row, cluster;
    uint32_t kind; /* of a random gallery: those with as many ahead are one */
    bool censored;
} ranked_search;

typedef struct {
    ranked_search *searches; /* [count] */
    uint64_t count, attempted, censored;
} ranked_list;

static assay_status list_searches(const gallery_work *work, const uint32_t *clusters,
                                  ranked_list *out) {
    uint64_t rows = work->evidence->table.row_count;
    ranked_list list = {0};
    assay_status status =
        assay_allocate(&list.searches, rows, sizeof *list.searches, "mated searches");
    if (status != ASSAY_OK) return status;
    for (uint32_t row = 0; row < rows; ++row) {
        list.attempted += work->asked[row];
        if (isnan(work->mates[row])) continue;
        ranked_search search = {
            .ahead = gallery_ahead(work, row), .row = row, .cluster = clusters[row]};
        search.censored = gallery_is_censored(work, row);
        list.censored += search.censored;
        list.searches[list.count++] = search;
    }
    *out = list;
    return ASSAY_OK;
}

/* What each cluster adds up to at one rank. */
typedef struct {
    double *misses, *searches; /* [count] */
    size_t count;
} rank_clusters;

/* Chances that a mate is not among the first so many; NULL where a gallery is as it is. */
typedef struct {
    double *misses; /* [kinds][rank_count] */
    uint64_t rank_count;
} random_misses;

static double miss_at(const ranked_search *search, const random_misses *random, uint64_t rank) {
    if (random->misses) return random->misses[search->kind * random->rank_count + rank];
    return search->ahead > rank ? 1 : 0;
}

static void add_rank(const ranked_list *list, uint64_t rank, const random_misses *random,
                     rank_clusters *sums, double alpha, assay_recognition *out) {
    double missed = 0, surely = 0, all = (double)list->count;
    for (size_t n = 0; n < sums->count; ++n) sums->misses[n] = sums->searches[n] = 0;
    for (uint64_t n = 0; n < list->count; ++n) {
        const ranked_search *search = &list->searches[n];
        double least = miss_at(search, random, rank), miss = search->censored ? 1 : least;
        missed += miss;
        surely += least;
        sums->misses[search->cluster] += miss;
        ++sums->searches[search->cluster];
    }
    assay_clusters clusters = {
        .errors = sums->misses, .comparisons = sums->searches, .count = sums->count};
    assay_interval of_misses = assay_clusters_interval(&clusters, alpha);
    *out = (assay_recognition){.value = (all - missed) / all,
                               .most = (all - surely) / all,
                               .of_attempted = (all - missed) / (double)list->attempted,
                               .interval = of_misses};
    if (missed > surely)
        out->interval = assay_interval_unknown("mates below the kept scores have no known rank");
    if (out->interval.reason) return;
    out->interval.low = 1 - of_misses.high;
    out->interval.high = 1 - of_misses.low;
}

static int by_ahead(const void *a, const void *b) {
    const ranked_search *x = a, *y = b;
    if (x->ahead != y->ahead) return x->ahead < y->ahead ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Each number of people ahead is worked out once. */
static assay_status expect_misses(ranked_list *list, uint64_t others, uint64_t size,
                                  random_misses *out) {
    uint32_t kinds = 0;
    if (list->count) qsort(list->searches, list->count, sizeof *list->searches, by_ahead);
    for (uint64_t n = 0; n < list->count; ++n) {
        kinds += !n || list->searches[n].ahead != list->searches[n - 1].ahead;
        list->searches[n].kind = kinds - 1;
    }
    assay_status status =
        assay_allocate(&out->misses, kinds, out->rank_count * sizeof *out->misses, "ranks");
    for (uint64_t n = 0; status == ASSAY_OK && n < list->count; ++n) {
        const ranked_search *search = &list->searches[n];
        double *misses = out->misses + search->kind * out->rank_count;
        if (n && search->kind == list->searches[n - 1].kind) continue;
        assay_gallery_ranks(others, search->ahead, size - 1, out->rank_count, misses);
        for (uint64_t rank = 0; rank < out->rank_count; ++rank) misses[rank] = 1 - misses[rank];
    }
    return status;
}

assay_status gallery_add_curve(const gallery_work *work, assay_gallery_kind kind, uint64_t people,
                               const uint32_t *clusters, uint64_t cluster_count,
                               assay_galleries *out) {
    ranked_list list = {0};
    rank_clusters sums = {.count = cluster_count};
    assay_cmc curve = {.kind = kind, .people = people};
    curve.rank_count = people < ASSAY_RANKS_MOST ? people : ASSAY_RANKS_MOST;
    random_misses random = {.rank_count = curve.rank_count};
    assay_status status = list_searches(work, clusters, &list);
    if (status == ASSAY_OK && !list.count) goto out;
    if (status == ASSAY_OK)
        status = assay_allocate(&curve.ranks, curve.rank_count, sizeof *curve.ranks, "ranks");
    if (status == ASSAY_OK)
        status = assay_allocate(&sums.misses, cluster_count, sizeof *sums.misses, "ranks");
    if (status == ASSAY_OK)
        status = assay_allocate(&sums.searches, cluster_count, sizeof *sums.searches, "ranks");
    if (status == ASSAY_OK && kind == ASSAY_GALLERY_RANDOM)
        status = expect_misses(&list, out->people - 1, people, &random);
    if (status != ASSAY_OK) goto out;
    for (uint64_t rank = 0; rank < curve.rank_count; ++rank) {
        assay_recognition *at = &curve.ranks[rank];
        add_rank(&list, rank, &random, &sums, work->options->alpha, at);
        if (kind == ASSAY_GALLERY_GIVEN && out->given.galleries < ASSAY_FEW_GALLERIES)
            at->interval = assay_interval_unknown("fewer than 10 galleries");
    }
    curve.searches = list.count;
    curve.attempted = list.attempted;
    curve.censored = list.censored;
    out->curves[out->curve_count++] = curve;
    curve.ranks = NULL;
out:
    free(curve.ranks);
    free(list.searches);
    free(sums.misses);
    free(sums.searches);
    free(random.misses);
    return status;
}
