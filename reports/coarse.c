/* coarse -- figures read off the non-mated histogram (coarse.h). */
#include "reports/coarse.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"

assay_status assay_coarse_create(const assay_evidence *evidence, assay_coarse *out) {
    assay_coarse coarse = {.non_mated = evidence->non_mated};
    uint32_t count = evidence->bins.count;
    coarse.sampled = evidence->protocol.histogram_mode == ASSAY_HISTOGRAM_SAMPLE &&
                     evidence->histogram_pairs < evidence->non_mated;
    if (!evidence->histogram || !evidence->histogram_pairs || !count) {
        *out = coarse;
        return ASSAY_OK;
    }
    assay_status status = assay_allocate(&coarse.above, (size_t)count + 1, sizeof *coarse.above,
                                         "the histogram's sums");
    if (status != ASSAY_OK) return status;
    uint64_t histograms = assay_histogram_count(evidence->combination_count);
    for (uint64_t h = 0; h < histograms; ++h)
        for (uint32_t bin = 0; bin < count; ++bin)
            coarse.above[bin] += evidence->histogram[h * count + bin];
    for (uint32_t bin = count; bin-- > 0;) coarse.above[bin] += coarse.above[bin + 1];
    double square = evidence->coarse_scale * evidence->coarse_scale;
    double span = ldexp(1.0, (int)evidence->bins.shift);
    coarse.count = count;
    coarse.pairs = coarse.above[0];
    coarse.sampled = coarse.pairs < coarse.non_mated;
    coarse.lowest = evidence->bins.lowest / square;
    coarse.width = span / square;
    coarse.last = (span - 1) / square;
    coarse.bound = evidence->bound;
    if (coarse.pairs != evidence->histogram_pairs) {
        assay_coarse_free(&coarse);
        return assay_fail(ASSAY_DISAGREES,
                          "the histograms of %s %s count %llu pairs, the evidence says %llu",
                          evidence->release, evidence->version, (unsigned long long)coarse.pairs,
                          (unsigned long long)evidence->histogram_pairs);
    }
    *out = coarse;
    return ASSAY_OK;
}

void assay_coarse_free(assay_coarse *coarse) {
    free(coarse->above);
    *coarse = (assay_coarse){0};
}

assay_figure_source assay_coarse_source(const assay_coarse *coarse) {
    return coarse->sampled ? ASSAY_FIGURE_SAMPLED : ASSAY_FIGURE_COARSE;
}

double assay_coarse_low(const assay_coarse *coarse, uint32_t bin) {
    return coarse->lowest + bin * coarse->width;
}

uint64_t assay_coarse_in(const assay_coarse *coarse, uint32_t bin) {
    return coarse->above[bin] - coarse->above[bin + 1];
}

/* Pairs in bins whose lowest coarse score plus shift is at least threshold. Edges are multiples of
 * 1/s^2, so a slack of a thousandth of one decides nothing but rounding. */
static uint64_t at_least(const assay_coarse *coarse, double threshold, double shift, double slack) {
    uint32_t low = 0, high = coarse->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (assay_coarse_low(coarse, middle) + shift + slack >= threshold)
            high = middle;
        else
            low = middle + 1;
    }
    return coarse->above[low];
}

static double slack_of(const assay_coarse *coarse) {
    return (coarse->width - coarse->last) / 1000;
}

uint64_t assay_coarse_maybe(const assay_coarse *coarse, double threshold) {
    return at_least(coarse, threshold, coarse->last + coarse->bound, slack_of(coarse));
}

uint64_t assay_coarse_surely(const assay_coarse *coarse, double threshold) {
    return at_least(coarse, threshold, -coarse->bound, -slack_of(coarse));
}

double assay_coarse_threshold(const assay_coarse *coarse, uint64_t allowed) {
    uint32_t bin = 0;
    while (bin < coarse->count && coarse->above[bin] > allowed) ++bin;
    return assay_coarse_low(coarse, bin) + coarse->bound;
}

static assay_figure coarse_figure(const assay_coarse *coarse, double value, double bound) {
    assay_figure out = {.value = value, .bound = bound, .source = ASSAY_FIGURE_COARSE};
    if (coarse->sampled) {
        out.source = ASSAY_FIGURE_SAMPLED;
        out.bound = (double)NAN;
        out.sample = coarse->pairs;
        out.of = coarse->non_mated;
    }
    if (!coarse->pairs) {
        out.value = (double)NAN;
        out.reason = coarse->sampled
                         ? "the sample holds no comparison"
                         : "it needs every non-mated score: a tail without a floor, or a histogram";
    }
    return out;
}

assay_figure assay_coarse_ranked(const assay_coarse *coarse, uint64_t above) {
    uint32_t low = 0, high = coarse->count;
    if (coarse->sampled)
        above = (uint64_t)((double)above / (double)coarse->non_mated * (double)coarse->pairs);
    while (high - low > 1) { /* the highest bin with more than `above` pairs in it and above it */
        const uint32_t middle = low + (high - low) / 2;
        if (coarse->above[middle] > above)
            low = middle;
        else
            high = middle;
    }
    return coarse_figure(coarse, assay_coarse_low(coarse, low) + coarse->last / 2,
                         coarse->last / 2 + coarse->bound);
}

/* The highest bin that holds a pair; sums go from there, so that pairs of one bin give exactly 0.
 */
static uint32_t top_bin(const assay_coarse *coarse) {
    uint32_t bin = coarse->count;
    while (bin > 0 && !coarse->above[bin - 1]) --bin;
    return bin ? bin - 1 : 0;
}

/* Mean of how many bins pairs lie below the top one. */
static double mean_below_top(const assay_coarse *coarse) {
    double sum = 0;
    for (uint32_t bin = 0, top = top_bin(coarse); bin < coarse->count && bin <= top; ++bin)
        sum += (double)(top - bin) * (double)assay_coarse_in(coarse, bin);
    return sum / (double)coarse->pairs;
}

assay_figure assay_coarse_mean(const assay_coarse *coarse) {
    double centre = assay_coarse_low(coarse, top_bin(coarse)) + coarse->last / 2;
    return coarse_figure(coarse, centre - coarse->width * mean_below_top(coarse),
                         coarse->last / 2 + coarse->bound);
}

/* A standard deviation is a seminorm: moving no score by more than b moves it by b at most. */
assay_figure assay_coarse_sd(const assay_coarse *coarse) {
    assay_figure mean = assay_coarse_mean(coarse);
    if (mean.reason) return mean;
    double sum = 0, below = mean_below_top(coarse);
    for (uint32_t bin = 0, top = top_bin(coarse); bin < coarse->count && bin <= top; ++bin) {
        double away = (double)(top - bin) - below;
        sum += away * away * (double)assay_coarse_in(coarse, bin);
    }
    return coarse_figure(coarse, coarse->width * sqrt(sum / (double)coarse->pairs), mean.bound);
}

assay_figure assay_coarse_auc(const assay_coarse *coarse, const assay_score_list *mated,
                              const assay_score_list *tail, uint64_t trials) {
    if (!mated->count || !trials) return assay_list_auc(mated, tail);
    double least = 0, most = 0, below_tail = (double)(trials - tail->count);
    double floor_score = tail->count ? assay_score_at(tail, tail->count - 1) : (double)INFINITY;
    bool exact = true;
    for (uint64_t n = 0; n < mated->count; ++n) {
        double score = assay_score_at(mated, n);
        if (score >= floor_score) {
            uint64_t ge = assay_scores_at_least(tail, score);
            uint64_t gt = assay_scores_at_least(tail, nextafter(score, (double)INFINITY));
            double beaten = (double)trials - (double)gt - (double)(ge - gt) / 2;
            least += beaten;
            most += beaten;
            continue;
        }
        if (!coarse->pairs) return coarse_figure(coarse, 0, 0);
        exact = false;
        /* Non-mated ones of a lower score number between pairs - maybe and pairs - surely. */
        double share = (double)trials / (double)coarse->pairs;
        least += (double)(coarse->pairs - assay_coarse_maybe(coarse, score)) * share;
        most +=
            fmin((double)(coarse->pairs - assay_coarse_surely(coarse, score)) * share, below_tail);
    }
    double all = (double)mated->count * (double)trials;
    if (exact) return (assay_figure){.value = least / all};
    return coarse_figure(coarse, (least + most) / 2 / all, fmax(most - least, 0) / 2 / all);
}

/* With e the lowest edge where even the most false matches are crossed by FNMR, and e' the highest
 * edge where the fewest are not, the crossing lies in (e', e]: the rate is at least (fewest FMR at
 * e + FNMR at e') / 2 and at most FNMR at e. */
assay_eer assay_coarse_eer(const assay_coarse *coarse, const assay_score_list *mated) {
    assay_eer out = {coarse_figure(coarse, 0, 0), (double)NAN, (double)NAN, (double)NAN};
    if (out.value.reason) return out;
    double pairs = (double)coarse->pairs, count = (double)mated->count;
    double low = 0, high = 1;
    for (uint32_t bin = 0; bin <= coarse->count; ++bin) {
        double edge = assay_coarse_low(coarse, bin);
        double fnmr = (count - (double)assay_scores_at_least(mated, edge)) / count;
        double fewest = (double)assay_coarse_surely(coarse, edge) / pairs;
        double most = (double)assay_coarse_maybe(coarse, edge) / pairs;
        if (fewest > fnmr) low = fnmr / 2;
        if (most <= fnmr) {
            high = fnmr;
            low += fewest / 2;
            break;
        }
    }
    if (!coarse->sampled) {
        out.low = low;
        out.high = high;
    }
    out.value = coarse_figure(coarse, (low + high) / 2, (high - low) / 2);
    return out;
}
