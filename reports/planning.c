/* planning -- what the set at hand can show (planning.h). */
#include "reports/planning.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/figures.h"
#include "reports/sizes.h"

typedef struct {
    const assay_planning_options *options;
    const assay_figures *figures;
    assay_planning *plan;
} planning_work;

/* The rate that sizes are made for: where no error was seen, as much as there may be. */
static double careful(assay_rate rate, const assay_interval *interval) {
    double value = assay_rate_value(rate);
    return value > 0 || interval->reason ? value : interval->high;
}

/* Without errors, that of subjects each of whom counts once. */
static double effect_of(assay_rate rate, const assay_interval *interval) {
    if (interval->reason) return (double)NAN;
    if (!isnan(interval->design_effect)) return fmax(interval->design_effect, 1);
    return interval->effective > 0 ? fmax((double)rate.trials / interval->effective, 1) : 1;
}

/* Of comparisons none of which matches. above is the interval above every score: it knows what
 * clustering the tail shows. */
static void bound_fmr(const assay_interval *above, const planning_work *work,
                      assay_planning_reach *out) {
    double alpha = work->options->alpha;
    out->bound = out->bound_seen = out->bound_guaranteed = (double)NAN;
    if (!out->non_mated || above->reason) return;
    assay_dyad_sums none = {.trials = out->non_mated};
    out->bound = fmin(assay_dyadic_interval(&none, true, 0, 2 * alpha).high, 1);
    out->bound_guaranteed = above->guaranteed;
    if (above->dependence != ASSAY_DEPENDENCE_UNKNOWN)
        out->bound_seen = assay_dyadic_interval(&none, true, above->clustering, 2 * alpha).high;
}

/* Of FNMR, and how narrowly FMR is known. */
static void reach(const planning_work *work, assay_rate gfnmr, const assay_interval *interval,
                  double groups, assay_planning_reach *out) {
    const assay_planning_options *options = work->options;
    const assay_planning *plan = work->plan;
    out->mated = gfnmr.trials;
    out->gfnmr = assay_rate_value(gfnmr);
    out->mated_each = (double)out->mated / (double)out->mated_subjects;
    out->design_effect = effect_of(gfnmr, interval);
    /* A few people do not show how unequal people are. */
    if (out->mated_subjects < ASSAY_FEW_SUBJECTS && plan->design_effect > out->design_effect)
        out->design_effect = plan->design_effect;
    out->fmr = assay_reach_fmr((double)out->subjects, options->relative, plan->propensity_cv2,
                               options->alpha);
    out->margin = out->ratio = (double)NAN;
    if (!out->mated || isnan(out->design_effect)) return;
    out->margin = assay_reach_margin(plan->discordance, out->design_effect, (double)out->mated,
                                     options->alpha, options->power);
    if (groups > 0)
        out->ratio =
            assay_reach_ratio((double)out->mated_subjects, plan->base, groups, out->design_effect,
                              out->mated_each, options->alpha, options->power);
}

static void look_at_everybody(planning_work *work) {
    const assay_figures *figures = work->figures;
    const assay_operating_point *point = &figures->points[0], *above = &figures->points[1];
    assay_planning *plan = work->plan;
    plan->threshold = point->threshold;
    plan->reason = point->reason;
    plan->propensity_cv2 = ASSAY_SIZE_PROPENSITY_CV2;
    const assay_interval *fmr = &point->interval.fmr;
    if (!fmr->reason && fmr->dependence != ASSAY_DEPENDENCE_UNKNOWN) {
        plan->propensity_seen = true;
        plan->propensity_cv2 = fmr->clustering * (double)figures->subjects / 4;
    }
    plan->base = careful(point->gfnmr, &point->interval.gfnmr);
    plan->discordance = isnan(work->options->discordance) ? 2 * plan->base * (1 - plan->base)
                                                          : work->options->discordance;
    assay_planning_reach *all = &plan->reaches[plan->reach_count++];
    *all = (assay_planning_reach){.subjects = figures->subjects,
                                  .mated_subjects = figures->mated_subjects,
                                  .non_mated = above->fmr.trials};
    bound_fmr(&above->interval.fmr, work, all);
    reach(work, point->gfnmr, &point->interval.gfnmr, 0, all);
    plan->design_effect = all->design_effect;
    plan->mated_each = all->mated_each;
}

static assay_status look_at_groups(planning_work *work, const assay_attribute_figures *attribute) {
    uint32_t judged = 0;
    assay_status status = ASSAY_OK;
    for (uint32_t n = 0; n < attribute->real_groups; ++n)
        judged += assay_group_judged(attribute, n, ASSAY_ERROR_FNMR);
    for (uint32_t n = 0; status == ASSAY_OK && n < attribute->real_groups; ++n) {
        const assay_group *group = &attribute->groups[n];
        const assay_group_point *point = &group->points[0], *above = &group->points[1];
        assay_planning_reach *out = &work->plan->reaches[work->plan->reach_count++];
        *out = (assay_planning_reach){.subjects = group->subjects,
                                      .mated_subjects = group->mated_subjects,
                                      .non_mated = above->fmr.trials};
        bound_fmr(&above->fmr_interval, work, out);
        reach(work, point->gfnmr, &point->gfnmr_interval, judged > 2 ? judged : 2, out);
        status = assay_copy_string(&out->attribute, attribute->attribute->name);
        if (status == ASSAY_OK) status = assay_copy_string(&out->group, group->label);
    }
    return status;
}

/* Just above every non-mated score. */
static double above_all(const assay_evidence *evidence) {
    assay_score_list tail = assay_tail_scores(evidence);
    return tail.count ? nextafter(assay_score_at(&tail, 0), (double)INFINITY) : 0;
}

assay_status assay_planning_look(const assay_evidence *evidence,
                                 const assay_planning_options *options, assay_planning *out) {
    assay_planning plan = {.deployment = options->deployment};
    assay_figures figures = {0};
    double thresholds[2];
    size_t count = 1;
    if (!assay_evidence_has_samples(evidence))
        return assay_fail(ASSAY_USAGE,
                          "the scores of %s %s came without subject ids: nobody knows how many "
                          "people stand behind them, and a plan counts people",
                          evidence->release, evidence->version);
    assay_status status = ASSAY_OK;
    if (isnan(plan.deployment.fmr) && isnan(plan.deployment.threshold))
        status = assay_deployment_choose(evidence, &plan.deployment);
    if (status != ASSAY_OK) return status;
    /* The deployment threshold, and one that nobody reaches. */
    assay_evidence judged = assay_deployment_apply(&plan.deployment, evidence);
    if (judged.protocol.threshold_count) thresholds[0] = plan.deployment.threshold;
    thresholds[judged.protocol.threshold_count] = above_all(evidence);
    judged.protocol.thresholds = thresholds;
    ++judged.protocol.threshold_count;
    status =
        assay_figures_compute(&judged, options->attributes, options->attribute_count, &figures);
    if (status == ASSAY_OK && figures.points[0].reason && figures.points[0].beyond_tail[0])
        status = assay_tail_refuse(evidence, &figures.coarse, plan.deployment.fmr,
                                   plan.deployment.threshold);
    for (uint32_t n = 0; status == ASSAY_OK && n < figures.attribute_count; ++n)
        count += figures.attributes[n].real_groups;
    if (status == ASSAY_OK)
        status = assay_allocate(&plan.reaches, count, sizeof *plan.reaches, "groups");
    planning_work work = {options, &figures, &plan};
    if (status == ASSAY_OK) look_at_everybody(&work);
    for (uint32_t n = 0; status == ASSAY_OK && n < figures.attribute_count; ++n)
        status = look_at_groups(&work, &figures.attributes[n]);
    assay_figures_free(&figures);
    if (status == ASSAY_OK)
        *out = plan;
    else
        assay_planning_free(&plan);
    return status;
}

void assay_planning_free(assay_planning *planning) {
    for (size_t n = 0; n < planning->reach_count; ++n) {
        free(planning->reaches[n].attribute);
        free(planning->reaches[n].group);
    }
    free(planning->reaches);
    *planning = (assay_planning){0};
}
