/* rates -- counts, thresholds and whole-list figures (rates.h). */
#include "reports/rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

__extension__ typedef unsigned __int128 wide;

assay_rate assay_rate_of(uint64_t errors, uint64_t trials) {
    return (assay_rate){errors, trials, trials ? NULL : "no comparison of this kind was made"};
}

assay_rate assay_rate_unknown(uint64_t trials, const char *reason) {
    return (assay_rate){0, trials, reason};
}

double assay_rate_value(assay_rate rate) {
    return rate.reason ? (double)NAN : (double)rate.errors / (double)rate.trials;
}

const char *assay_figure_source_name(assay_figure_source source) {
    static const char *const names[] = {[ASSAY_FIGURE_EXACT] = "exact",
                                        [ASSAY_FIGURE_COARSE] = "coarse",
                                        [ASSAY_FIGURE_SAMPLED] = "sampled"};
    return names[source];
}

static assay_figure exact(double value) {
    return (assay_figure){.value = value};
}

static assay_figure no_figure(const char *reason) {
    return (assay_figure){.value = (double)NAN, .reason = reason};
}

static assay_score_list list_of(const assay_evidence *evidence, const assay_comparison *pairs,
                                uint64_t count, bool complete) {
    return (assay_score_list){.pairs = pairs,
                              .unit = ldexp(1.0, -2 * evidence->exponent),
                              .form = evidence->form,
                              .count = count,
                              .complete = complete};
}

assay_score_list assay_mated_scores(const assay_evidence *evidence) {
    return list_of(evidence, evidence->mated, evidence->mated_count, true);
}

assay_score_list assay_tail_scores(const assay_evidence *evidence) {
    return list_of(evidence, evidence->tail, evidence->tail_count, evidence->tail_complete);
}

double assay_score_at(const assay_score_list *list, uint64_t index) {
    if (list->scores) return list->scores[index];
    const int64_t fine = list->pairs[index].fine;
    return list->form == ASSAY_SCORE_PLACED ? assay_score_at_place(fine)
                                            : (double)fine * list->unit;
}

uint64_t assay_scores_at_least(const assay_score_list *list, double threshold) {
    uint64_t low = 0, high = list->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (assay_score_at(list, middle) >= threshold)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t assay_allowed_errors(double fmr, uint64_t trials) {
    double allowed = floor(fmr * (double)trials + 1e-9);
    if (!(allowed > 0)) return 0;
    return allowed >= (double)trials ? trials : (uint64_t)allowed;
}

bool assay_threshold(const assay_score_list *non_mated, uint64_t allowed, double *out) {
    uint64_t count = non_mated->count;
    if (count == 0) return false;
    if (allowed >= count) {
        if (!non_mated->complete) return false;
        *out = assay_score_at(non_mated, count - 1);
        return true;
    }
    /* The score behind the allowed ones is one too many, and so are all that tie with it. */
    double excess = assay_score_at(non_mated, allowed);
    uint64_t above = allowed;
    while (above > 0 && assay_score_at(non_mated, above - 1) <= excess) --above;
    *out = above ? assay_score_at(non_mated, above - 1) : nextafter(excess, (double)INFINITY);
    return true;
}

/* Mean of how far scores lie from the first one: exactly 0 where all are equal. */
static double mean_from_first(const assay_score_list *list) {
    double first = assay_score_at(list, 0), sum = 0, lost = 0;
    for (uint64_t n = 0; n < list->count; ++n) {
        double term = (assay_score_at(list, n) - first) - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return sum / (double)list->count;
}

assay_figure assay_list_mean(const assay_score_list *list) {
    if (!list->count) return no_figure("no comparison of this kind was made");
    return exact(assay_score_at(list, 0) + mean_from_first(list));
}

assay_figure assay_list_sd(const assay_score_list *list) {
    if (!list->count) return assay_list_mean(list);
    double first = assay_score_at(list, 0), mean = mean_from_first(list), sum = 0, lost = 0;
    for (uint64_t n = 0; n < list->count; ++n) {
        double difference = (assay_score_at(list, n) - first) - mean;
        double term = difference * difference - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return exact(sqrt(sum / (double)list->count));
}

assay_figure assay_list_auc(const assay_score_list *mated, const assay_score_list *non_mated) {
    if (!mated->count || !non_mated->count)
        return no_figure("it needs mated and non-mated comparisons");
    wide halves = 0;
    uint64_t greater = 0, at_least = 0, all = non_mated->count;
    for (uint64_t n = 0; n < mated->count; ++n) {
        double score = assay_score_at(mated, n);
        while (greater < all && assay_score_at(non_mated, greater) > score) ++greater;
        if (at_least < greater) at_least = greater;
        while (at_least < all && assay_score_at(non_mated, at_least) >= score) ++at_least;
        halves += (wide)(all - greater) + (wide)(all - at_least);
    }
    return exact((double)halves / (2.0 * (double)mated->count * (double)all));
}

typedef struct {
    uint64_t false_matches, false_non_matches;
    double threshold;
} step;

/* Whether FMR <= FNMR, in whole numbers. */
static bool has_crossed(step at, uint64_t mated, uint64_t trials) {
    return (wide)at.false_matches * mated <= (wide)at.false_non_matches * trials;
}

static assay_eer eer_at(step at, uint64_t mated, uint64_t trials) {
    double fmr = (double)at.false_matches / (double)trials;
    double fnmr = (double)at.false_non_matches / (double)mated;
    return (assay_eer){.value = exact((fmr + fnmr) / 2),
                       .low = fmin(fmr, fnmr),
                       .high = fmax(fmr, fnmr),
                       .threshold = at.threshold};
}

static assay_eer no_eer(const char *reason) {
    return (assay_eer){no_figure(reason), (double)NAN, (double)NAN, (double)NAN};
}

/* Goes down over the distinct scores of both lists. The last step with FMR <= FNMR and the first
 * one without it are the two beside the crossing. */
assay_eer assay_list_eer(const assay_score_list *mated, const assay_score_list *non_mated,
                         uint64_t trials) {
    if (!mated->count || !trials) return no_eer("it needs mated and non-mated comparisons");
    uint64_t m = 0, n = 0;
    step after = {0, mated->count, (double)INFINITY};
    while (m < mated->count || n < non_mated->count) {
        bool has_mated = m < mated->count, has_non_mated = n < non_mated->count;
        if (!has_non_mated && !non_mated->complete) break;
        double score = has_mated ? assay_score_at(mated, m) : -(double)INFINITY;
        if (has_non_mated) score = fmax(score, assay_score_at(non_mated, n));
        while (m < mated->count && assay_score_at(mated, m) >= score) ++m;
        while (n < non_mated->count && assay_score_at(non_mated, n) >= score) ++n;
        step at = {n, mated->count - m, score};
        if (!has_crossed(at, mated->count, trials)) {
            /* Equal rates are the crossing itself: no second step is weighed then. */
            bool equal =
                (wide)after.false_matches * mated->count == (wide)after.false_non_matches * trials;
            assay_eer below = eer_at(at, mated->count, trials);
            assay_eer above = eer_at(after, mated->count, trials);
            return !equal && below.value.value <= above.value.value ? below : above;
        }
        after = at;
    }
    return no_eer("the rates cross below the scores that are kept");
}

assay_figure assay_dprime(assay_figure mated_mean, assay_figure mated_sd,
                          assay_figure non_mated_mean, assay_figure non_mated_sd) {
    if (mated_mean.reason) return mated_mean;
    if (non_mated_mean.reason) return non_mated_mean;
    double distance = fabs(mated_mean.value - non_mated_mean.value);
    double spread = non_mated_sd.value, variance = mated_sd.value * mated_sd.value;
    double root = sqrt((variance + spread * spread) / 2);
    if (!(root > 0)) return no_figure("all scores are equal within each kind");
    assay_figure out = exact(distance / root);
    if (non_mated_mean.source == ASSAY_FIGURE_EXACT) return out;
    out.source = non_mated_mean.source;
    out.sample = non_mated_mean.sample;
    out.of = non_mated_mean.of;
    out.bound = (double)NAN;
    if (out.source == ASSAY_FIGURE_SAMPLED) return out;
    double narrow = fmax(spread - non_mated_sd.bound, 0), wide_sd = spread + non_mated_sd.bound;
    double most = (distance + non_mated_mean.bound) / sqrt((variance + narrow * narrow) / 2);
    double least =
        fmax(distance - non_mated_mean.bound, 0) / sqrt((variance + wide_sd * wide_sd) / 2);
    out.bound = fmax(most - out.value, out.value - least);
    return isfinite(out.bound) ? out : no_figure("the histogram is too coarse for it");
}

static int downwards(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

assay_score_list assay_score_list_sort(double *scores, uint64_t count) {
    qsort(scores, count, sizeof *scores, downwards);
    return (assay_score_list){.scores = scores, .count = count, .complete = true};
}

static assay_status copy_scores(const double *scores, uint64_t count, double **out) {
    for (uint64_t n = 0; n < count; ++n)
        if (!isfinite(scores[n]))
            return assay_fail(ASSAY_USAGE, "score %llu is not a finite number",
                              (unsigned long long)n);
    assay_status status = assay_allocate(out, count, sizeof **out, "scores");
    if (status == ASSAY_OK && count) memcpy(*out, scores, count * sizeof **out);
    return status;
}

assay_status assay_score_figures(const double *mated, uint64_t mated_count, const double *non_mated,
                                 uint64_t non_mated_count, assay_whole_figures *out) {
    double *mated_copy = NULL, *non_mated_copy = NULL;
    assay_status status = copy_scores(mated, mated_count, &mated_copy);
    if (status == ASSAY_OK) status = copy_scores(non_mated, non_mated_count, &non_mated_copy);
    if (status != ASSAY_OK) goto out;
    assay_score_list a = assay_score_list_sort(mated_copy, mated_count);
    assay_score_list b = assay_score_list_sort(non_mated_copy, non_mated_count);
    *out = (assay_whole_figures){.mated_mean = assay_list_mean(&a),
                                 .mated_sd = assay_list_sd(&a),
                                 .non_mated_mean = assay_list_mean(&b),
                                 .non_mated_sd = assay_list_sd(&b),
                                 .auc = assay_list_auc(&a, &b),
                                 .eer = assay_list_eer(&a, &b, non_mated_count)};
    out->dprime =
        assay_dprime(out->mated_mean, out->mated_sd, out->non_mated_mean, out->non_mated_sd);
out:
    free(mated_copy);
    free(non_mated_copy);
    return status;
}
