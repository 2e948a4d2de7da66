/* comparison -- the release that is judged beside an earlier one (comparison.h). */
#include "reports/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

static assay_cut cut_of(const assay_report_release *release, uint32_t point) {
    return assay_point_cut(&release->figures, &release->figures.points[point]);
}

static assay_status take(void *context, uint32_t group, const assay_paired_cell *cell) {
    assay_compared *out = context;
    (void)group;
    out->gfnmr = assay_paired_gfnmr(cell, ASSAY_INTERVAL_ALPHA);
    out->fnmr = assay_paired_fnmr(cell, ASSAY_INTERVAL_ALPHA);
    out->fmr = assay_fmr_ratio(&cell->fmr_a, &cell->fmr_interval_a, &cell->fmr_b,
                               &cell->fmr_interval_b, &cell->products, ASSAY_INTERVAL_ALPHA);
    return assay_paired_swap_p(cell, &out->swap);
}

static assay_status take_fte(void *context, uint32_t group, const assay_paired_cell *cell) {
    (void)group;
    *(assay_difference *)context = assay_paired_fte(cell, ASSAY_INTERVAL_ALPHA);
    return ASSAY_OK;
}

/* ---- the same targets ---- */

static bool same_point(const assay_operating_point *a, const assay_operating_point *b) {
    if (a->kind != b->kind) return false;
    return a->kind == ASSAY_POINT_THRESHOLD ? a->threshold == b->threshold
                                            : a->fmr_target == b->fmr_target;
}

static assay_status compare_points(assay_release_comparison *made) {
    const assay_figures *a = &made->earlier->figures, *b = &made->later->figures;
    assay_status status =
        assay_allocate(&made->points, a->point_count, sizeof *made->points, "operating points");
    if (status == ASSAY_OK)
        status = assay_allocate(&made->later_points, a->point_count, sizeof *made->later_points,
                                "operating points");
    if (status == ASSAY_OK)
        status = assay_allocate(&made->compared, a->point_count, sizeof *made->compared,
                                "operating points");
    for (uint32_t n = 0; status == ASSAY_OK && n < a->point_count; ++n) {
        uint32_t at = 0;
        while (at < b->point_count && !same_point(&a->points[n], &b->points[at])) ++at;
        if (at == b->point_count || a->points[n].reason || b->points[at].reason) continue;
        assay_cut cut_a = cut_of(made->earlier, n), cut_b = cut_of(made->later, at);
        made->points[made->point_count] = n;
        made->later_points[made->point_count] = at;
        status = assay_pairing_all(&made->pairing, &cut_a, &cut_b, take,
                                   &made->compared[made->point_count++]);
    }
    return status;
}

/* ---- the old threshold on the new release ---- */

static assay_status transfer_thresholds(assay_release_comparison *made) {
    const assay_figures *a = &made->earlier->figures;
    assay_cut *cuts = NULL;
    assay_point_intervals *intervals = NULL;
    assay_status status =
        assay_allocate(&made->transfers, a->point_count, sizeof *made->transfers, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&cuts, a->point_count, sizeof *cuts, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&intervals, a->point_count, sizeof *intervals, "thresholds");
    for (uint32_t n = 0; status == ASSAY_OK && n < a->point_count; ++n) {
        if (a->points[n].reason) continue;
        assay_transfer *out = &made->transfers[made->transfer_count];
        assay_transfer_to(made->later, &a->points[n], out, &cuts[made->transfer_count++]);
    }
    if (status == ASSAY_OK)
        status = assay_sampling_points(made->later->figures.sampling, cuts, made->transfer_count,
                                       intervals);
    for (uint32_t n = 0; status == ASSAY_OK && n < made->transfer_count; ++n)
        made->transfers[n].interval = intervals[n];
    free(cuts);
    free(intervals);
    return status;
}

/* ---- groups ---- */

typedef struct {
    assay_release_comparison *made;
    const assay_attribute_figures *attribute;
} group_visit;

static assay_status take_group(void *context, uint32_t code, const assay_paired_cell *cell) {
    const group_visit *visit = context;
    for (uint32_t g = 0; g < visit->attribute->group_count; ++g) {
        const assay_group *group = &visit->attribute->groups[g];
        if (group->code != code) continue;
        assay_compared_group *out = &visit->made->groups[visit->made->group_count++];
        out->attribute = visit->attribute;
        out->group = group;
        return take(&out->at, code, cell);
    }
    return ASSAY_OK;
}

/* Code of a mated comparison, as the tables of groups have it. */
static uint32_t code_of_mated(const void *context, uint32_t i, uint32_t j, uint32_t probe) {
    return assay_grouping_of_mated(context, i, j, probe);
}

static assay_status compare_groups(assay_release_comparison *made) {
    const assay_figures *figures = &made->later->figures;
    const assay_sample_table *table = &made->later->evidence->table;
    assay_cut cut_a = cut_of(made->earlier, made->earlier->headline);
    assay_cut cut_b = cut_of(made->later, made->later->headline);
    uint32_t *codes = NULL;
    size_t groups = 0;
    for (uint32_t n = 0; n < figures->attribute_count; ++n)
        groups += figures->attributes[n].group_count;
    assay_status status = assay_allocate(&made->groups, groups, sizeof *made->groups, "groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&codes, table->row_count, sizeof *codes, "groups");
    for (uint32_t n = 0; status == ASSAY_OK && n < figures->attribute_count; ++n) {
        group_visit visit = {made, &figures->attributes[n]};
        const assay_attribute *attribute = visit.attribute->attribute;
        for (uint64_t row = 0; row < table->row_count; ++row) codes[row] = attribute->codes[row];
        assay_partition partition = {.group_of_row = codes,
                                     .groups = attribute->label_count,
                                     .mated_group = code_of_mated,
                                     .context = &visit.attribute->grouping};
        status = assay_pairing_walk(&made->pairing, &partition, &cut_a, &cut_b, take_group, &visit);
    }
    free(codes);
    return status;
}

/* ---- disagreement ---- */

typedef struct {
    uint64_t key;
    double score;
} matched_pair;

static int by_key(const void *a, const void *b) {
    const matched_pair *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static assay_status list_tail(const assay_report_release *release, matched_pair **out) {
    const assay_evidence *evidence = release->evidence;
    assay_status status =
        assay_allocate(out, evidence->tail_count, sizeof **out, "non-mated comparisons");
    for (uint64_t n = 0; status == ASSAY_OK && n < evidence->tail_count; ++n)
        (*out)[n] = (matched_pair){(uint64_t)evidence->tail[n].i << 32 | evidence->tail[n].j,
                                   assay_score_at(&release->figures.tail, n)};
    if (status == ASSAY_OK && evidence->tail_count)
        qsort(*out, evidence->tail_count, sizeof **out, by_key);
    return status;
}

/* What the other release scored; NaN where its tail does not hold the pair. */
static double score_in(const matched_pair *list, uint64_t count, uint64_t key) {
    matched_pair wanted = {key, 0};
    const matched_pair *found = count ? bsearch(&wanted, list, count, sizeof *list, by_key) : NULL;
    return found ? found->score : (double)NAN;
}

static double mated_score(const assay_report_release *release, uint64_t rank) {
    return rank == ASSAY_NO_RANK ? (double)NAN : assay_score_at(&release->figures.mated, rank);
}

static assay_status show_mated(const assay_release_comparison *made, assay_discordant_visit visit,
                               void *context) {
    assay_cut cut_a = cut_of(made->earlier, made->earlier->headline);
    assay_cut cut_b = cut_of(made->later, made->later->headline);
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < made->pairing.trial_count; ++n) {
        const assay_paired_trial *trial = &made->pairing.trials[n];
        bool miss_a = trial->rank_a >= cut_a.matched, miss_b = trial->rank_b >= cut_b.matched;
        if (miss_a != miss_b)
            status =
                visit(context, true, trial->i, trial->j, mated_score(made->earlier, trial->rank_a),
                      mated_score(made->later, trial->rank_b), miss_a);
    }
    return status;
}

static assay_status show_matches(const assay_release_comparison *made, assay_discordant_visit visit,
                                 void *context) {
    const assay_report_release *const two[] = {made->earlier, made->later};
    matched_pair *lists[2] = {NULL, NULL};
    assay_status status = list_tail(two[0], &lists[0]);
    if (status == ASSAY_OK) status = list_tail(two[1], &lists[1]);
    for (int errs = 0; errs < 2; ++errs) {
        assay_cut cut = cut_of(two[errs], two[errs]->headline);
        assay_cut other = cut_of(two[!errs], two[!errs]->headline);
        uint64_t matches = cut.fmr_reason || other.fmr_reason ? 0 : cut.matches;
        for (uint64_t n = 0; status == ASSAY_OK && n < matches; ++n) {
            uint32_t i = two[errs]->evidence->tail[n].i, j = two[errs]->evidence->tail[n].j;
            double own = assay_score_at(&two[errs]->figures.tail, n);
            double theirs =
                score_in(lists[!errs], two[!errs]->evidence->tail_count, (uint64_t)i << 32 | j);
            if (theirs >= other.threshold) continue;
            status = visit(context, false, i, j, errs ? theirs : own, errs ? own : theirs, !errs);
        }
    }
    free(lists[0]);
    free(lists[1]);
    return status;
}

assay_status assay_comparison_discordant(const assay_release_comparison *comparison,
                                         assay_discordant_visit visit, void *context) {
    if (comparison->fault || !comparison->has_headline) return ASSAY_OK;
    assay_status status = show_mated(comparison, visit, context);
    return status == ASSAY_OK ? show_matches(comparison, visit, context) : status;
}

static assay_status count_one(void *context, bool mated, uint32_t i, uint32_t j, double earlier,
                              double later, bool earlier_errs) {
    assay_release_comparison *made = context;
    (void)i;
    (void)j;
    (void)earlier;
    (void)later;
    made->mated_only_earlier += mated && earlier_errs;
    made->mated_only_later += mated && !earlier_errs;
    made->matches_only_earlier += !mated && earlier_errs;
    made->matches_only_later += !mated && !earlier_errs;
    return ASSAY_OK;
}

/* ---- the whole ---- */

static assay_status compare_all(assay_release_comparison *made) {
    assay_status status = assay_pairing_open(made->earlier->figures.sampling,
                                             made->later->figures.sampling, &made->pairing);
    if (status == ASSAY_OK) status = compare_points(made);
    if (status == ASSAY_OK) status = transfer_thresholds(made);
    made->has_headline = !made->earlier->no_headline && !made->later->no_headline;
    assay_cut nothing = {.threshold = 0, .set_for = (double)NAN, .fmr_reason = "", .matches = 0};
    if (status == ASSAY_OK)
        status = assay_pairing_all(&made->pairing, &nothing, &nothing, take_fte, &made->fte);
    assay_score_changes(&made->earlier->figures, made->earlier->evidence->non_mated,
                        &made->later->figures, made->later->evidence->non_mated, made->scores);
    made->effort_earlier = assay_effort_of(made->earlier->evidence);
    made->effort_later = assay_effort_of(made->later->evidence);
    if (status == ASSAY_OK && made->has_headline) status = compare_groups(made);
    if (status == ASSAY_OK) status = assay_comparison_discordant(made, count_one, made);
    return status;
}

assay_status assay_comparison_create(const assay_report_release *earlier,
                                     const assay_report_release *later,
                                     assay_release_comparison *out) {
    assay_release_comparison made = {.earlier = earlier, .later = later};
    made.fault = assay_pairing_fault(earlier->evidence, later->evidence);
    assay_status status = made.fault ? ASSAY_OK : compare_all(&made);
    if (status == ASSAY_OK)
        *out = made;
    else
        assay_comparison_free(&made);
    return status;
}

void assay_comparison_free(assay_release_comparison *comparison) {
    free(comparison->points);
    free(comparison->later_points);
    free(comparison->compared);
    free(comparison->transfers);
    free(comparison->groups);
    free(comparison->mixed);
    assay_pairing_close(&comparison->pairing);
    *comparison = (assay_release_comparison){0};
}
