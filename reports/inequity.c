/* inequity -- summary measures of the rates of groups, and what noise does to them (inequity.h). */
#include "reports/inequity.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"

static const assay_inequity undefined = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};

assay_inequity assay_inequity_of(const double *rates, size_t count) {
    assay_inequity out = undefined;
    if (count < 2) return out;
    double low = rates[0], high = rates[0], sum = 0, logs = 0, apart = 0, n = (double)count;
    for (size_t i = 0; i < count; ++i) {
        low = fmin(low, rates[i]);
        high = fmax(high, rates[i]);
        sum += rates[i];
        logs += log(rates[i]);
        for (size_t j = 0; j < count; ++j) apart += fabs(rates[i] - rates[j]);
    }
    if (high > 0) out.max_min = low > 0 ? high / low : (double)INFINITY;
    if (low > 0) out.max_geomean = high / exp(logs / n);
    out.gini = sum > 0 ? n / (n - 1) * apart / (2 * n * sum) : 0;
    out.difference = high - low;
    return out;
}

assay_joint_inequity assay_joint_inequity_of(const assay_inequity *fmr, const assay_inequity *fnmr,
                                             double alpha) {
    bool finite = isfinite(fmr->max_min) && isfinite(fnmr->max_min);
    return (assay_joint_inequity){
        .fdr = 1 - (alpha * fmr->difference + (1 - alpha) * fnmr->difference),
        .ir = finite ? pow(fmr->max_min, alpha) * pow(fnmr->max_min, 1 - alpha) : (double)NAN,
        .garbe = alpha * fmr->gini + (1 - alpha) * fnmr->gini};
}

bool assay_inequity_shrink(const double *rates, const double *variances, size_t count,
                           double *out_shrunk, double *out_between) {
    double n = (double)count, sum = 0, noise = 0, spread = 0, weights = 0, weighted = 0;
    if (count < 2) return false;
    for (size_t i = 0; i < count; ++i) {
        if (!(rates[i] > 0) || !(variances[i] >= 0)) return false;
        sum += log(rates[i]);
        noise += variances[i] / (rates[i] * rates[i]);
    }
    for (size_t i = 0; i < count; ++i) spread += pow(log(rates[i]) - sum / n, 2);
    double between = fmax(spread / (n - 1) - noise / n, 0);
    for (size_t i = 0; i < count; ++i) {
        double own = variances[i] / (rates[i] * rates[i]);
        if (!(between + own > 0)) return false;
        weights += 1 / (between + own);
        weighted += log(rates[i]) / (between + own);
    }
    for (size_t i = 0; i < count; ++i) {
        double own = variances[i] / (rates[i] * rates[i]), mean = weighted / weights;
        double keep = between > 0 ? between / (between + own) : 0;
        out_shrunk[i] = exp(mean + keep * (log(rates[i]) - mean));
    }
    *out_between = between;
    return true;
}

/* ---- the box ---- */

static double clamp(double value, double low, double high) {
    return fmin(fmax(value, low), high);
}

/* Of the points of the box with one sum the one whose rates are clamped to one level is the most
 * even, and between two limits gini of such points is monotone in the level: so the least gini is
 * at a limit. */
static double least_gini(const double *low, const double *high, size_t count, double *work) {
    double least = (double)INFINITY;
    for (size_t n = 0; n < 2 * count; ++n) {
        double level = n < count ? low[n] : high[n - count];
        for (size_t i = 0; i < count; ++i) work[i] = clamp(level, low[i], high[i]);
        least = fmin(least, assay_inequity_of(work, count).gini);
    }
    return least;
}

/* Assigns rows to columns so that the sum of gain[row][column] is the most (Kuhn and Munkres, by
 * shortest augmenting paths); column_of is [count + 1] and counts from 1. work is 4 (count + 1). */
static void assign(const double *gain, size_t count, size_t *row_of, size_t *way, double *work,
                   bool *used) {
    double *u = work, *v = u + count + 1, *least = v + count + 1;
    for (size_t n = 0; n <= count; ++n) {
        u[n] = v[n] = 0;
        row_of[n] = 0;
    }
    for (size_t row = 1; row <= count; ++row) {
        size_t column = 0;
        row_of[0] = row;
        for (size_t n = 0; n <= count; ++n) {
            least[n] = (double)INFINITY;
            used[n] = false;
        }
        do {
            size_t from = row_of[column], next = 0;
            double delta = (double)INFINITY;
            used[column] = true;
            for (size_t n = 1; n <= count; ++n) {
                if (used[n]) continue;
                double cost = -gain[(from - 1) * count + n - 1] - u[from] - v[n];
                if (cost < least[n]) {
                    least[n] = cost;
                    way[n] = column;
                }
                if (least[n] < delta) {
                    delta = least[n];
                    next = n;
                }
            }
            for (size_t n = 0; n <= count; ++n) {
                if (used[n]) {
                    u[row_of[n]] += delta;
                    v[n] -= delta;
                } else {
                    least[n] -= delta;
                }
            }
            column = next;
        } while (row_of[column]);
        do {
            size_t before = way[column];
            row_of[column] = row_of[before];
            column = before;
        } while (column);
    }
}

typedef struct {
    double *gain, *work, *rates;
    size_t *row_of, *way;
    bool *used;
} gini_room;

static void room_close(gini_room *room) {
    free(room->gain);
    free(room->work);
    free(room->rates);
    free(room->row_of);
    free(room->way);
    free(room->used);
}

static assay_status room_open(size_t count, gini_room *room) {
    assay_status status =
        assay_allocate(&room->gain, count * count, sizeof *room->gain, "ranges of measures");
    if (status == ASSAY_OK)
        status = assay_allocate(&room->work, 3 * (count + 1), sizeof *room->work, "ranges");
    if (status == ASSAY_OK)
        status = assay_allocate(&room->rates, count, sizeof *room->rates, "ranges");
    if (status == ASSAY_OK)
        status = assay_allocate(&room->row_of, count + 1, sizeof *room->row_of, "ranges");
    if (status == ASSAY_OK)
        status = assay_allocate(&room->way, count + 1, sizeof *room->way, "ranges");
    if (status == ASSAY_OK)
        status = assay_allocate(&room->used, count + 1, sizeof *room->used, "ranges");
    return status;
}

/* Gini is a weighted sum of the sorted rates over their sum, with weights 2k - n - 1; the sorted
 * order is the one that makes it most. So the most over the box, by Dinkelbach's method, is a row
 * of assignments of groups to places, in each of which a group stands at one of its limits. */
static double most_gini(const double *low, const double *high, size_t count, gini_room *room) {
    double ratio = 0, n = (double)count;
    for (int step = 0; step < 100; ++step) {
        for (size_t i = 0; i < count; ++i)
            for (size_t k = 0; k < count; ++k) {
                double weight = (2 * (double)(k + 1) - n - 1) - ratio;
                room->gain[i * count + k] = weight * (weight > 0 ? high[i] : low[i]);
            }
        assign(room->gain, count, room->row_of, room->way, room->work, room->used);
        double top = 0, sum = 0;
        for (size_t k = 0; k < count; ++k) {
            double weight = 2 * (double)(k + 1) - n - 1;
            size_t i = room->row_of[k + 1] - 1;
            double rate = weight - ratio > 0 ? high[i] : low[i];
            top += weight * rate;
            sum += rate;
        }
        if (!(sum > 0)) break;
        if (!(top / sum > ratio * (1 + 1e-14))) break;
        ratio = top / sum;
    }
    return ratio / (n - 1);
}

/* The most that max/geomean can be: one group at its upper limit, the others at their lower ones.
 */
static double most_geomean(const double *low, const double *high, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; ++i) {
        double logs = log(high[i]);
        for (size_t j = 0; j < count; ++j)
            if (j != i) logs += log(low[j]); /* of 0: -INFINITY, and the measure INFINITY */
        most = fmax(most, high[i] / exp(logs / (double)count));
    }
    return most;
}

assay_status assay_inequity_box(const double *low, const double *high, size_t count,
                                assay_inequity_range *out) {
    assay_inequity_range range = {undefined, undefined};
    gini_room room = {0};
    if (count < 2) {
        *out = range;
        return ASSAY_OK;
    }
    assay_status status = room_open(count, &room);
    if (status != ASSAY_OK) goto out;
    double highest_low = low[0], lowest_low = low[0], highest_high = high[0], lowest_high = high[0];
    for (size_t n = 1; n < count; ++n) {
        highest_low = fmax(highest_low, low[n]);
        lowest_low = fmin(lowest_low, low[n]);
        highest_high = fmax(highest_high, high[n]);
        lowest_high = fmin(lowest_high, high[n]);
    }
    double logs = 0;
    for (size_t n = 0; n < count; ++n) logs += log(fmin(highest_low, high[n]));
    range.least.max_min = highest_low > 0 ? fmax(1, highest_low / lowest_high) : 1;
    range.most.max_min = lowest_low > 0 ? highest_high / lowest_low : (double)INFINITY;
    range.least.max_geomean =
        highest_low <= lowest_high ? 1 : highest_low / exp(logs / (double)count);
    range.most.max_geomean = most_geomean(low, high, count);
    range.least.gini = least_gini(low, high, count, room.rates);
    range.most.gini = most_gini(low, high, count, &room);
    range.least.difference = fmax(highest_low - lowest_high, 0);
    range.most.difference = 0;
    for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < count; ++j)
            if (i != j) range.most.difference = fmax(range.most.difference, high[i] - low[j]);
    *out = range;
out:
    room_close(&room);
    return status;
}
