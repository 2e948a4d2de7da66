/* differentials -- measures, tests and verdicts of the groups of one release (differentials.h). */
#include "reports/differentials.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/worse.h"

#define FEW_GROUPS "fewer than two groups have 30 subjects and a known rate"
#define FEW_GROUPS_MATED "fewer than two groups have 30 subjects with mated comparisons"

const char *assay_error_kind_name(assay_error_kind kind) {
    return kind == ASSAY_ERROR_FMR ? "FMR" : "FNMR";
}

const char *assay_standing_name(assay_standing standing) {
    static const char *const names[] = {[ASSAY_STANDING_NONE] = "NOT JUDGED",
                                        [ASSAY_STANDING_WORSE] = "WORSE",
                                        [ASSAY_STANDING_WITHIN] = "WITHIN LIMIT",
                                        [ASSAY_STANDING_OPEN] = "NOT ENOUGH DATA"};
    return names[standing];
}

static assay_rate rate_of(const assay_group_point *point, assay_error_kind kind) {
    return kind == ASSAY_ERROR_FMR ? point->fmr : point->fnmr;
}

static const assay_interval *interval_of(const assay_group_point *point, assay_error_kind kind) {
    return kind == ASSAY_ERROR_FMR ? &point->fmr_interval : &point->fnmr_interval;
}

/* ---- the judged groups of one attribute, error and point, as arrays ---- */

typedef struct {
    size_t count;
    uint32_t *group; /* [count] index */
    double *rates, *variances, *low, *high, *shrunk;
    assay_worse_group *counted;
    assay_chance_group *chance;
    double errors, trials;
} judged;

static void judged_close(judged *set) {
    free(set->group);
    free(set->rates);
    free(set->variances);
    free(set->low);
    free(set->high);
    free(set->shrunk);
    free(set->counted);
    free(set->chance);
    *set = (judged){0};
}

/* Of errors there may be none: FMR then stands alone, and mated comparisons repeat one outcome. */
static double effect_of(const assay_interval *interval, assay_rate rate, assay_error_kind kind) {
    if (isfinite(interval->design_effect) && interval->design_effect > 0)
        return interval->design_effect;
    return kind == ASSAY_ERROR_FMR ? 1 : (double)rate.trials / interval->effective;
}

static void take_group(judged *set, uint32_t group, const assay_group_point *point,
                       assay_error_kind kind) {
    assay_rate rate = rate_of(point, kind);
    const assay_interval *interval = interval_of(point, kind);
    double effect = effect_of(interval, rate, kind), trials = (double)rate.trials;
    size_t n = set->count++;
    set->group[n] = group;
    set->rates[n] = assay_rate_value(rate);
    set->variances[n] = interval->variance;
    set->low[n] = point->limits[kind].low;
    set->high[n] = point->limits[kind].high;
    set->counted[n] = (assay_worse_group){(double)rate.errors, trials, effect};
    set->chance[n] = (assay_chance_group){trials, interval->clustering,
                                          kind == ASSAY_ERROR_FMR ? (double)NAN : effect};
    set->errors += (double)rate.errors;
    set->trials += trials;
}

static assay_status judged_open(const assay_attribute_figures *attribute, uint32_t point,
                                assay_error_kind kind, judged *out) {
    judged set = {0};
    size_t most = attribute->group_count;
    double **arrays[] = {&set.rates, &set.variances, &set.low, &set.high, &set.shrunk};
    assay_status status = assay_allocate(&set.group, most, sizeof *set.group, "judged groups");
    for (size_t n = 0; status == ASSAY_OK && n < sizeof arrays / sizeof *arrays; ++n)
        status = assay_allocate(arrays[n], most, sizeof **arrays[n], "judged groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&set.counted, most, sizeof *set.counted, "judged groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&set.chance, most, sizeof *set.chance, "judged groups");
    for (uint32_t g = 0; status == ASSAY_OK && g < attribute->group_count; ++g) {
        const assay_group_point *at = &attribute->groups[g].points[point];
        if (!assay_group_judged(attribute, g, kind)) continue;
        if (rate_of(at, kind).reason || interval_of(at, kind)->reason) continue;
        take_group(&set, g, at, kind);
    }
    if (status == ASSAY_OK)
        *out = set;
    else
        judged_close(&set);
    return status;
}

/* ---- measures ---- */

/* Draws are left in draws for the measures of both errors. */
static assay_status measure(judged *set, assay_error_kind kind, uint64_t seed,
                            assay_inequity *draws, assay_error_inequity *out) {
    double between;
    out->judged = (uint32_t)set->count;
    if (set->count < 2) {
        out->reason = kind == ASSAY_ERROR_FMR ? FEW_GROUPS : FEW_GROUPS_MATED;
        return ASSAY_OK;
    }
    out->value = assay_inequity_of(set->rates, set->count);
    if (assay_inequity_shrink(set->rates, set->variances, set->count, set->shrunk, &between))
        out->shrunk = assay_inequity_of(set->shrunk, set->count);
    else
        out->shrunk_reason = "a group has no error, or nothing else";
    assay_status status = assay_inequity_box(set->low, set->high, set->count, &out->range);
    if (status == ASSAY_OK)
        status = assay_inequity_draw(set->chance, set->count, set->errors / set->trials, seed,
                                     ASSAY_DIFFERENTIAL_DRAWS, draws);
    if (status == ASSAY_OK)
        status = assay_inequity_summarise(draws, ASSAY_DIFFERENTIAL_DRAWS, &out->chance);
    return status;
}

static assay_status measure_jointly(const assay_inequity *const *draws, assay_differential *out) {
    const assay_error_inequity *fmr = &out->errors[ASSAY_ERROR_FMR];
    const assay_error_inequity *fnmr = &out->errors[ASSAY_ERROR_FNMR];
    double weight = ASSAY_INEQUITY_WEIGHT;
    out->joint_reason = fmr->reason ? fmr->reason : fnmr->reason;
    if (out->joint_reason) return ASSAY_OK;
    out->joint = assay_joint_inequity_of(&fmr->value, &fnmr->value, weight);
    out->joint_shrunk = assay_joint_inequity_of(&fmr->shrunk, &fnmr->shrunk, weight);
    out->joint_least = assay_joint_inequity_of(&fmr->range.least, &fnmr->range.least, weight);
    out->joint_most = assay_joint_inequity_of(&fmr->range.most, &fnmr->range.most, weight);
    /* The wider the differences, the lower is fdr. */
    double swap = out->joint_least.fdr;
    out->joint_least.fdr = out->joint_most.fdr;
    out->joint_most.fdr = swap;
    if (isnan(out->joint_most.ir)) out->joint_most.ir = (double)INFINITY;
    return assay_joint_summarise(draws[ASSAY_ERROR_FMR], draws[ASSAY_ERROR_FNMR],
                                 ASSAY_DIFFERENTIAL_DRAWS, weight, &out->joint_chance);
}

static assay_inequity nothing(void) {
    return (assay_inequity){(double)NAN, (double)NAN, (double)NAN, (double)NAN};
}

static void start_inequity(const assay_attribute_figures *attribute, uint32_t judged_groups,
                           assay_error_inequity *out) {
    assay_inequity none = nothing();
    out->left_out = attribute->real_groups - judged_groups;
    out->value = out->shrunk = none;
    out->range = (assay_inequity_range){none, none};
    out->chance = (assay_inequity_chance){none, none};
}

/* ---- labels dealt anew ---- */

typedef struct {
    double *errors, *comparisons; /* by subject, then by judged subject */
    uint32_t *group;
} subject_counts;

static assay_status permute(const assay_evidence *evidence, const assay_figures *figures,
                            const assay_attribute_figures *attribute, uint32_t point,
                            const judged *set, assay_differential *out) {
    const assay_sample_table *table = &evidence->table;
    const assay_operating_point *at = &figures->points[point];
    uint32_t subjects = table->subject_count, kept = 0;
    subject_counts counts = {0};
    bool of_subjects = attribute->attribute->level == ASSAY_LEVEL_SUBJECT;
    if (set->count < 2 || !of_subjects || attribute->grouping.mean_of_pair) return ASSAY_OK;
    assay_status status =
        assay_allocate(&counts.errors, subjects, sizeof *counts.errors, "misses of subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&counts.comparisons, subjects, sizeof *counts.comparisons,
                                "mated pairs of subjects");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&counts.group, subjects, sizeof *counts.group, "groups of subjects");
    if (status != ASSAY_OK) goto out;
    for (uint32_t s = 0; s < subjects; ++s) counts.group[s] = UINT32_MAX;
    for (uint64_t row = 0; row < table->row_count; ++row)
        for (uint32_t n = 0; n < set->count; ++n)
            if (attribute->groups[set->group[n]].code == attribute->attribute->codes[row])
                counts.group[table->subject[row]] = n;
    uint64_t matched = assay_scores_at_least(&figures->mated, at->threshold);
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        uint32_t subject = table->subject[evidence->mated[n].i];
        ++counts.comparisons[subject];
        counts.errors[subject] += n >= matched;
    }
    for (uint32_t s = 0; s < subjects; ++s) {
        if (counts.group[s] == UINT32_MAX || !(counts.comparisons[s] > 0)) continue;
        counts.errors[kept] = counts.errors[s];
        counts.comparisons[kept] = counts.comparisons[s];
        counts.group[kept++] = counts.group[s];
    }
    assay_permutation found;
    status = assay_permute_groups(counts.errors, counts.comparisons, counts.group, kept,
                                  (uint32_t)set->count, ASSAY_PERMUTATION_DEALS, point + 1, &found);
    if (status != ASSAY_OK) goto out;
    out->permuted = true;
    out->permutation_p = found.p;
    out->permutation_deals = found.deals;
    out->permutation_exact = found.exact;
out:
    free(counts.errors);
    free(counts.comparisons);
    free(counts.group);
    return status;
}

/* ---- verdicts, over all attributes and both errors ---- */

typedef struct {
    assay_group_verdict **verdicts; /* [count], borrowed */
    assay_worse_ratio *ratios;
    double *p, *p_beyond;
    size_t count;
} family;

static void family_close(family *all) {
    free(all->verdicts);
    free(all->ratios);
    free(all->p);
    free(all->p_beyond);
}

static assay_status family_open(const assay_figures *figures, family *out) {
    family all = {0};
    size_t most = 0;
    for (uint32_t a = 0; a < figures->attribute_count; ++a)
        most += (size_t)figures->attributes[a].group_count * ASSAY_ERROR_KINDS;
    assay_status status =
        assay_allocate(&all.verdicts, most, sizeof *all.verdicts, "tests of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&all.ratios, most, sizeof *all.ratios, "tests of groups");
    if (status == ASSAY_OK) status = assay_allocate(&all.p, most, sizeof *all.p, "tests of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&all.p_beyond, most, sizeof *all.p_beyond, "tests of groups");
    if (status == ASSAY_OK)
        *out = all;
    else
        family_close(&all);
    return status;
}

static void add_tests(assay_attribute_figures *attribute, uint32_t point, assay_error_kind kind,
                      const judged *set, family *all) {
    if (set->count < 2) return;
    assay_worse_ratios(set->counted, set->count, all->ratios + all->count);
    for (size_t n = 0; n < set->count; ++n)
        all->verdicts[all->count++] =
            &attribute->groups[set->group[n]].points[point].verdicts[kind];
}

static assay_status judge(const family *all, double limit) {
    for (size_t n = 0; n < all->count; ++n) {
        all->p[n] = assay_worse_p(&all->ratios[n], 1);
        all->p_beyond[n] = assay_worse_p(&all->ratios[n], limit);
    }
    assay_status status = assay_holm(all->p, all->count, all->p);
    if (status == ASSAY_OK) status = assay_holm(all->p_beyond, all->count, all->p_beyond);
    for (size_t n = 0; status == ASSAY_OK && n < all->count; ++n) {
        double upper = assay_worse_upper(&all->ratios[n], all->count, ASSAY_INTERVAL_ALPHA);
        bool worse = all->p[n] < ASSAY_INTERVAL_ALPHA;
        *all->verdicts[n] =
            (assay_group_verdict){.ratio = exp(all->ratios[n].log_ratio),
                                  .upper = upper,
                                  .p = all->p[n],
                                  .p_beyond = all->p_beyond[n],
                                  .beyond = all->p_beyond[n] < ASSAY_INTERVAL_ALPHA,
                                  .standing = worse           ? ASSAY_STANDING_WORSE
                                              : upper < limit ? ASSAY_STANDING_WITHIN
                                                              : ASSAY_STANDING_OPEN};
    }
    return status;
}

static assay_status compute_attribute(const assay_evidence *evidence, const assay_figures *figures,
                                      assay_attribute_figures *attribute, uint32_t point,
                                      assay_inequity *const *draws, family *all) {
    assay_differential *out = &attribute->differentials[point];
    assay_status status = ASSAY_OK;
    for (int kind = 0; status == ASSAY_OK && kind < ASSAY_ERROR_KINDS; ++kind) {
        judged set = {0};
        status = judged_open(attribute, point, (assay_error_kind)kind, &set);
        if (status != ASSAY_OK) return status;
        start_inequity(attribute, (uint32_t)set.count, &out->errors[kind]);
        status = measure(&set, (assay_error_kind)kind, 2 * (uint64_t)point + (uint64_t)kind + 1,
                         draws[kind], &out->errors[kind]);
        add_tests(attribute, point, (assay_error_kind)kind, &set, all);
        if (status == ASSAY_OK && kind == ASSAY_ERROR_FNMR)
            status = permute(evidence, figures, attribute, point, &set, out);
        judged_close(&set);
    }
    return status == ASSAY_OK ? measure_jointly((const assay_inequity *const *)draws, out) : status;
}

assay_status assay_differentials_compute(const assay_evidence *evidence, double limit,
                                         assay_figures *figures) {
    assay_inequity *draws[ASSAY_ERROR_KINDS] = {NULL, NULL};
    assay_status status = ASSAY_OK;
    for (int kind = 0; status == ASSAY_OK && kind < ASSAY_ERROR_KINDS; ++kind)
        status = assay_allocate(&draws[kind], ASSAY_DIFFERENTIAL_DRAWS, sizeof **draws,
                                "measures by chance");
    for (uint32_t a = 0; status == ASSAY_OK && a < figures->attribute_count; ++a)
        status = assay_allocate(&figures->attributes[a].differentials, figures->point_count,
                                sizeof *figures->attributes[a].differentials,
                                "differences between groups");
    for (uint32_t p = 0; status == ASSAY_OK && p < figures->point_count; ++p) {
        family all = {0};
        status = family_open(figures, &all);
        for (uint32_t a = 0; status == ASSAY_OK && a < figures->attribute_count; ++a)
            status = compute_attribute(evidence, figures, &figures->attributes[a], p, draws, &all);
        if (status == ASSAY_OK) status = judge(&all, limit);
        family_close(&all);
    }
    for (int kind = 0; kind < ASSAY_ERROR_KINDS; ++kind) free(draws[kind]);
    return status;
}
