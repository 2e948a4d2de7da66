/* worse -- tests of groups against the other groups (worse.h). */
#include "reports/worse.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "datasets/base/special.h"

#define ROUNDING 1e-12 /* differences that are equal but for rounding are as large */

void assay_worse_ratios(const assay_worse_group *groups, size_t count, assay_worse_ratio *out) {
    double logs = 0, variances = 0, others = (double)count - 1;
    if (count < 2) return;
    for (size_t g = 0; g < count; ++g) {
        double errors = groups[g].errors / groups[g].effect + 0.5;
        double trials = groups[g].trials / groups[g].effect + 1;
        out[g] = (assay_worse_ratio){.log_ratio = log(errors / trials),
                                     .error = 1 / errors - 1 / trials};
        logs += out[g].log_ratio;
        variances += out[g].error;
    }
    for (size_t g = 0; g < count; ++g) {
        double own = out[g].log_ratio, variance = out[g].error;
        out[g].log_ratio = own - (logs - own) / others;
        out[g].error = sqrt(variance + (variances - variance) / (others * others));
    }
}

double assay_worse_p(const assay_worse_ratio *ratio, double limit) {
    return 0.5 * erfc((ratio->log_ratio - log(limit)) / ratio->error / sqrt(2.0));
}

double assay_worse_upper(const assay_worse_ratio *ratio, size_t tests, double alpha) {
    double share = pow(1 - alpha, 1 / (double)tests);
    return exp(ratio->log_ratio + assay_student_quantile((double)INFINITY, share) * ratio->error);
}

typedef struct {
    double p;
    size_t index;
} ranked;

static int by_p(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

assay_status assay_holm(const double *p, size_t count, double *out) {
    ranked *order = NULL;
    double largest = 0;
    assay_status status = assay_allocate(&order, count, sizeof *order, "tests in order");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < count; ++n) order[n] = (ranked){p[n], n};
    if (count) qsort(order, count, sizeof *order, by_p);
    for (size_t n = 0; n < count; ++n) {
        largest = fmax(largest, fmin(1, (double)(count - n) * order[n].p));
        out[order[n].index] = largest;
    }
    free(order);
    return ASSAY_OK;
}

/* ---- labels dealt anew ---- */

typedef struct {
    const double *errors, *comparisons;
    size_t subjects;
    uint32_t groups;
    double *sums, *trials; /* [groups] */
} deal;

static double difference_of(const deal *job, const uint32_t *group_of) {
    double low = (double)INFINITY, high = 0;
    memset(job->sums, 0, job->groups * sizeof *job->sums);
    memset(job->trials, 0, job->groups * sizeof *job->trials);
    for (size_t n = 0; n < job->subjects; ++n) {
        job->sums[group_of[n]] += job->errors[n];
        job->trials[group_of[n]] += job->comparisons[n];
    }
    for (uint32_t g = 0; g < job->groups; ++g) {
        double rate = job->sums[g] / job->trials[g];
        low = fmin(low, rate);
        high = fmax(high, rate);
    }
    return high - low;
}

/* The next order of labels that are not all different; false after the last one, which falls. */
static bool next_deal(uint32_t *labels, size_t count) {
    size_t turn = count - 1, with = count - 1;
    while (turn > 0 && labels[turn - 1] >= labels[turn]) --turn;
    if (turn == 0) return false;
    while (labels[with] <= labels[turn - 1]) --with;
    uint32_t swap = labels[turn - 1];
    labels[turn - 1] = labels[with];
    labels[with] = swap;
    for (size_t low = turn, high = count - 1; low < high; ++low, --high) {
        swap = labels[low];
        labels[low] = labels[high];
        labels[high] = swap;
    }
    return true;
}

static void shuffle(uint32_t *labels, size_t count, assay_random *random) {
    for (size_t n = count; n > 1; --n) {
        size_t with = assay_random_below(random, (uint32_t)n);
        uint32_t swap = labels[n - 1];
        labels[n - 1] = labels[with];
        labels[with] = swap;
    }
}

/* Number of different deals, or more than `most`: a product of binomial coefficients. */
static double count_deals(const uint32_t *group_of, size_t subjects, uint32_t groups,
                          double *sizes) {
    double deals = 0, dealt = 0;
    memset(sizes, 0, groups * sizeof *sizes);
    for (size_t n = 0; n < subjects; ++n) ++sizes[group_of[n]];
    for (uint32_t g = 0; g < groups; ++g) {
        dealt += sizes[g];
        deals += lgamma(dealt + 1) - lgamma(sizes[g] + 1) - lgamma(dealt - sizes[g] + 1);
    }
    return exp(deals);
}

static int by_label(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

assay_status assay_permute_groups(const double *errors, const double *comparisons,
                                  const uint32_t *group_of, size_t subjects, uint32_t groups,
                                  uint64_t most, uint64_t seed, assay_permutation *out) {
    deal job = {errors, comparisons, subjects, groups, NULL, NULL};
    assay_permutation made = {0};
    uint32_t *labels = NULL;
    assay_random random;
    assay_status status = assay_allocate(&job.sums, groups, sizeof *job.sums, "groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&job.trials, groups, sizeof *job.trials, "groups");
    if (status == ASSAY_OK) status = assay_allocate(&labels, subjects, sizeof *labels, "labels");
    if (status != ASSAY_OK) goto out;
    uint64_t as_large = 0;
    double sum = 0;
    memcpy(labels, group_of, subjects * sizeof *labels);
    made.difference = difference_of(&job, labels);
    made.exact = count_deals(group_of, subjects, groups, job.sums) <= (double)most + 0.5;
    if (made.exact) qsort(labels, subjects, sizeof *labels, by_label);
    assay_random_start(&random, seed, 1);
    for (bool more = true; more; ++made.deals) {
        double found = difference_of(&job, labels);
        sum += found;
        as_large += found >= made.difference - ROUNDING;
        if (made.exact) {
            more = next_deal(labels, subjects);
        } else {
            more = made.deals + 1 < most;
            shuffle(labels, subjects, &random);
        }
    }
    made.p = (double)as_large / (double)made.deals;
    made.mean = sum / (double)made.deals;
    *out = made;
out:
    free(job.sums);
    free(job.trials);
    free(labels);
    return status;
}
