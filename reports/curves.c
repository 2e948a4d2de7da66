/* curves -- DET steps and score histograms (curves.h). */
#include "reports/curves.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"

#define STEP_RATIO 1.04 /* false matches of a step over those of the one before it, at least */
#define BARS 72u
#define MARK_RATIO                                                                                 \
    2.1 /* false matches of a step that is marked over those of the one before it                  \
         */
#define NOT_MARKED "intervals are computed at about three steps a decade"

typedef struct {
    assay_det_step *steps;
    size_t count, capacity;
} step_list;

static assay_status add_step(const assay_figures *figures, step_list *list, double threshold,
                             assay_rate fmr, assay_figure_source source) {
    assay_status status = assay_reserve(&list->steps, &list->capacity, list->count + 1,
                                        sizeof *list->steps, "steps of a curve");
    if (status != ASSAY_OK) return status;
    uint64_t mated = figures->mated.count;
    uint64_t matched = assay_scores_at_least(&figures->mated, threshold);
    list->steps[list->count++] =
        (assay_det_step){.threshold = threshold,
                         .fmr = fmr,
                         .fnmr = assay_rate_of(mated - matched, mated),
                         .source = source,
                         .fmr_interval = assay_interval_unknown(NOT_MARKED),
                         .fnmr_interval = assay_interval_unknown(NOT_MARKED)};
    return ASSAY_OK;
}

static assay_status add_tail_steps(const assay_evidence *evidence, const assay_figures *figures,
                                   step_list *list) {
    const assay_score_list *tail = &figures->tail;
    double next = 1;
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < tail->count; ++n) {
        /* The last one of those that tie stands for all of them. */
        double score = assay_score_at(tail, n);
        bool last = n + 1 == tail->count;
        if (!last && assay_score_at(tail, n + 1) >= score) continue;
        if (!last && (double)(n + 1) < next) continue;
        next = (double)(n + 1) * STEP_RATIO;
        status = add_step(figures, list, score, assay_rate_of(n + 1, evidence->non_mated),
                          ASSAY_FIGURE_EXACT);
    }
    return status;
}

static assay_status add_coarse_steps(const assay_figures *figures, step_list *list) {
    const assay_coarse *coarse = &figures->coarse;
    const assay_det_step *last = list->count ? &list->steps[list->count - 1] : NULL;
    double next = last ? assay_rate_value(last->fmr) * STEP_RATIO : 0;
    double ceiling = last ? last->threshold : (double)INFINITY;
    assay_status status = ASSAY_OK;
    for (uint32_t bin = coarse->count; status == ASSAY_OK && bin-- > 0;) {
        double edge = assay_coarse_low(coarse, bin);
        assay_rate fmr = assay_rate_of(coarse->above[bin], coarse->pairs);
        if (!assay_coarse_in(coarse, bin) || edge >= ceiling || assay_rate_value(fmr) < next)
            continue;
        next = assay_rate_value(fmr) * STEP_RATIO;
        status = add_step(figures, list, edge, fmr, assay_coarse_source(coarse));
    }
    return status;
}

/* Marks steps and gives them their intervals, all in one walk over the tail. */
static assay_status mark_steps(const assay_figures *figures, step_list *list) {
    assay_cut *cuts = NULL;
    assay_point_intervals *intervals = NULL;
    size_t marked = 0, at = 0;
    double next = 0;
    for (size_t n = 0; n < list->count; ++n) {
        assay_det_step *step = &list->steps[n];
        bool last = n + 1 == list->count || list->steps[n + 1].source != ASSAY_FIGURE_EXACT;
        if (step->source != ASSAY_FIGURE_EXACT || (!last && (double)step->fmr.errors < next))
            continue;
        step->marked = true;
        next = (double)step->fmr.errors * MARK_RATIO;
        ++marked;
    }
    assay_status status = assay_allocate(&cuts, marked, sizeof *cuts, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&intervals, marked, sizeof *intervals, "intervals");
    for (size_t n = 0; status == ASSAY_OK && n < list->count; ++n) {
        const assay_det_step *step = &list->steps[n];
        if (step->marked)
            cuts[at++] = (assay_cut){.threshold = step->threshold,
                                     .matches = step->fmr.errors,
                                     .matched = step->fnmr.trials - step->fnmr.errors,
                                     .set_for = assay_rate_value(step->fmr)};
    }
    if (status == ASSAY_OK)
        status = assay_sampling_points(figures->sampling, cuts, marked, intervals);
    at = 0;
    for (size_t n = 0; status == ASSAY_OK && n < list->count; ++n) {
        if (!list->steps[n].marked) continue;
        list->steps[n].fmr_interval = intervals[at].fmr;
        list->steps[n].fnmr_interval = intervals[at++].fnmr;
    }
    free(cuts);
    free(intervals);
    return status;
}

static assay_status compute_det(const assay_evidence *evidence, const assay_figures *figures,
                                assay_curves *curves) {
    step_list list = {0};
    assay_status status = ASSAY_OK;
    if (figures->mated.count && evidence->non_mated) {
        status = add_tail_steps(evidence, figures, &list);
        if (status == ASSAY_OK && !figures->tail.complete && figures->coarse.pairs)
            status = add_coarse_steps(figures, &list);
        if (status == ASSAY_OK) status = mark_steps(figures, &list);
    }
    if (status != ASSAY_OK) {
        free(list.steps);
        return status;
    }
    curves->det = list.steps;
    curves->det_count = list.count;
    return ASSAY_OK;
}

/* Lowest and highest score that is to be shown; false where there is none. */
static bool find_range(const assay_figures *figures, double *low, double *high) {
    const assay_coarse *coarse = &figures->coarse;
    *low = (double)INFINITY;
    *high = -(double)INFINITY;
    const assay_score_list *lists[] = {&figures->mated, &figures->tail};
    for (int n = 0; n < 2; ++n) {
        if (!lists[n]->count) continue;
        *low = fmin(*low, assay_score_at(lists[n], lists[n]->count - 1));
        *high = fmax(*high, assay_score_at(lists[n], 0));
    }
    for (uint32_t bin = 0; !figures->tail.complete && bin < coarse->count; ++bin) {
        if (!assay_coarse_in(coarse, bin)) continue;
        *low = fmin(*low, assay_coarse_low(coarse, bin));
        *high = fmax(*high, assay_coarse_low(coarse, bin) + coarse->last);
    }
    return *low <= *high;
}

static uint32_t bar_of(const assay_score_bars *bars, double score) {
    double place = floor((score - bars->low) / bars->width);
    if (place < 0) return 0;
    return place >= bars->count ? bars->count - 1 : (uint32_t)place;
}

static void fill_bars(const assay_figures *figures, assay_score_bars *bars) {
    for (uint64_t n = 0; n < figures->mated.count; ++n)
        ++bars->mated[bar_of(bars, assay_score_at(&figures->mated, n))];
    bars->mated_total = figures->mated.count;
    if (bars->source == ASSAY_FIGURE_EXACT) {
        for (uint64_t n = 0; n < figures->tail.count; ++n)
            ++bars->non_mated[bar_of(bars, assay_score_at(&figures->tail, n))];
        bars->non_mated_total = figures->tail.count;
        return;
    }
    const assay_coarse *coarse = &figures->coarse;
    for (uint32_t bin = 0; bin < coarse->count; ++bin)
        bars->non_mated[bar_of(bars, assay_coarse_low(coarse, bin) + coarse->width / 2)] +=
            assay_coarse_in(coarse, bin);
    bars->non_mated_total = coarse->pairs;
}

static assay_status compute_bars(const assay_figures *figures, assay_score_bars *bars) {
    const assay_coarse *coarse = &figures->coarse;
    double low, high;
    if (!find_range(figures, &low, &high)) return ASSAY_OK;
    if (!figures->tail.complete && !coarse->pairs) return ASSAY_OK;
    bars->source = figures->tail.complete ? ASSAY_FIGURE_EXACT : assay_coarse_source(coarse);
    double width = fmax((high - low) / BARS, fmax(1e-9, 1e-12 * fmax(fabs(low), fabs(high))));
    if (bars->source != ASSAY_FIGURE_EXACT) {
        width = ceil(width / coarse->width) * coarse->width;
        low = coarse->lowest + floor((low - coarse->lowest) / width) * width;
    }
    bars->low = low;
    bars->width = width;
    bars->count = (uint32_t)floor((high - low) / width) + 1;
    assay_status status = assay_allocate(&bars->mated, bars->count, sizeof *bars->mated, "bars");
    if (status == ASSAY_OK)
        status = assay_allocate(&bars->non_mated, bars->count, sizeof *bars->non_mated, "bars");
    if (status == ASSAY_OK) fill_bars(figures, bars);
    return status;
}

assay_status assay_curves_compute(const assay_evidence *evidence, const assay_figures *figures,
                                  assay_curves *out) {
    assay_curves curves = {0};
    assay_status status = compute_det(evidence, figures, &curves);
    if (status == ASSAY_OK) status = compute_bars(figures, &curves.bars);
    if (status == ASSAY_OK)
        *out = curves;
    else
        assay_curves_free(&curves);
    return status;
}

void assay_curves_free(assay_curves *curves) {
    free(curves->det);
    free(curves->bars.mated);
    free(curves->bars.non_mated);
    *curves = (assay_curves){0};
}
