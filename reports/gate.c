/* gate -- a policy's criteria judged from evidence (gate.h). */
#include "reports/gate.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "reports/figures.h"
#include "reports/gate_private.h"
#include "reports/subset.h"

/* ---- one threshold ---- */

static assay_status cut_at(const assay_evidence *evidence, const assay_figures *figures,
                           double fmr_rule, double threshold, assay_cut *out) {
    const assay_score_list *tail = &figures->tail;
    assay_cut cut = {.threshold = threshold, .set_for = fmr_rule};
    if (!isnan(fmr_rule)) {
        if (!evidence->non_mated) {
            cut.threshold = 0;
            cut.fmr_reason = cut.fnmr_reason = "no non-mated comparison was made";
        } else if (!assay_threshold(tail, assay_allowed_errors(fmr_rule, evidence->non_mated),
                                    &cut.threshold)) {
            return assay_tail_refuse(evidence, &figures->coarse, fmr_rule, (double)NAN);
        }
    } else if (!assay_tail_reaches(evidence, threshold)) {
        return assay_tail_refuse(evidence, &figures->coarse, (double)NAN, threshold);
    }
    cut.matches = assay_scores_at_least(tail, cut.threshold);
    cut.matched = assay_scores_at_least(&figures->mated, cut.threshold);
    *out = cut;
    return ASSAY_OK;
}

/* ---- what was measured beside scores ---- */

static double measured(const assay_evidence *evidence, const char *key) {
    json_t *provenance = json_loads(evidence->provenance_json, 0, NULL);
    const json_t *value = json_object_get(provenance, key);
    double out = json_is_number(value) ? json_number_value(value) : (double)NAN;
    json_decref(provenance);
    return out;
}

static void judge_fact(gate_work *work, const char *key, const char *what, assay_gate_unit unit,
                       double value, double reference, double limit) {
    assay_gate_criterion *out = gate_add(work, key, what, unit);
    if (!out || isnan(limit)) return;
    out->value = out->candidate = value;
    out->reference = reference;
    out->limit = limit;
    out->source = "measured, not sampled";
    if (isnan(value)) {
        out->state = ASSAY_STATE_NOT_ENOUGH;
        out->reason = "the evidence does not say (templates made elsewhere)";
    } else {
        out->state = value <= limit ? ASSAY_STATE_PASS : ASSAY_STATE_FAIL;
    }
}

static void judge_minimum(gate_work *work, const char *key, const char *what, uint64_t value,
                          uint64_t least) {
    if (!least) return;
    assay_gate_criterion *out = gate_add(work, key, what, ASSAY_UNIT_COUNT);
    if (!out) return;
    out->value = out->candidate = (double)value;
    out->limit = (double)least;
    out->source = "counted";
    out->state = value >= least ? ASSAY_STATE_PASS : ASSAY_STATE_NOT_ENOUGH;
}

static void judge_facts(gate_work *work) {
    const assay_policy *policy = work->policy;
    const assay_evidence *b = work->candidate, *a = work->reference;
    assay_gate *gate = &work->gate;
    if (!isnan(policy->enrolment_seconds))
        judge_fact(work, "enrolment_seconds", "Time to make a template, median", ASSAY_UNIT_SECONDS,
                   measured(b, "enrolment_seconds_median"),
                   a ? measured(a, "enrolment_seconds_median") : (double)NAN,
                   policy->enrolment_seconds);
    if (!isnan(policy->template_bytes))
        judge_fact(work, "template_bytes", "Size of a template", ASSAY_UNIT_BYTES,
                   measured(b, "template_bytes"), a ? measured(a, "template_bytes") : (double)NAN,
                   policy->template_bytes);
    judge_minimum(work, "minimum_subjects", "Subjects, at least", gate->subjects,
                  policy->minimum_subjects);
    judge_minimum(work, "minimum_mated_subjects", "Subjects with mated comparisons, at least",
                  gate->mated_subjects, policy->minimum_mated_subjects);
    judge_minimum(work, "minimum_mated", "Mated comparisons, at least", gate->mated,
                  policy->minimum_mated);
    judge_minimum(work, "minimum_non_mated", "Non-mated comparisons, at least", gate->non_mated,
                  policy->minimum_non_mated);
}

/* ---- groups ---- */

typedef struct {
    gate_work *work;
    const assay_attribute *attribute; /* NULL: everybody */
} group_visit;

static uint64_t subjects_with(const double *counts, size_t places) {
    uint64_t out = 0;
    for (size_t n = 0; n < places; ++n) out += counts[n] > 0;
    return out;
}

static assay_status note_small(gate_work *work, const char *attribute, const char *group,
                               uint64_t subjects) {
    assay_gate *gate = &work->gate;
    assay_status status = assay_reserve(&gate->small, &work->small_capacity, gate->small_count + 1,
                                        sizeof *gate->small, "groups");
    if (status != ASSAY_OK) return status;
    gate->small[gate->small_count++] = (assay_gate_small){attribute, group, subjects};
    if (work->policy->small_listed) return ASSAY_OK;
    assay_gate_criterion *out =
        gate_add(work, "group_minimum", "Subjects of the group, at least", ASSAY_UNIT_COUNT);
    if (!out) return work->status;
    out->attribute = attribute;
    out->group = group;
    out->value = out->candidate = (double)subjects;
    out->limit = (double)work->policy->group_minimum;
    out->state = ASSAY_STATE_NOT_ENOUGH;
    out->needed = out->limit;
    out->source = "counted";
    return ASSAY_OK;
}

static assay_status visit_group(void *context, uint32_t index, const assay_paired_cell *cell) {
    const group_visit *visit = context;
    gate_work *work = visit->work;
    const assay_policy *policy = work->policy;
    if (!visit->attribute) {
        gate_judge_cell(work, cell, &policy->everybody, NULL, NULL);
        work->gate.mated_subjects = subjects_with(cell->attempted, cell->subjects);
        return work->status;
    }
    if (index < ASSAY_CODE_FIRST) return ASSAY_OK; /* missing, unknown, several: no group */
    const char *name = visit->attribute->name, *label = visit->attribute->labels[index];
    uint64_t subjects = subjects_with(cell->tried, cell->subjects);
    uint64_t mated = subjects_with(cell->attempted, cell->subjects);
    if (!subjects) return ASSAY_OK;
    bool of_mated = !isnan(policy->groups.gfnmr_margin) || !isnan(policy->groups.gfnmr_limit);
    if (of_mated && mated < subjects) subjects = mated;
    if (subjects < policy->group_minimum) return note_small(work, name, label, subjects);
    gate_judge_cell(work, cell, &policy->groups, name, label);
    return work->status;
}

static assay_status judge_groups(gate_work *work, const assay_pairing *pairing,
                                 const assay_cut *cut_a, const assay_cut *cut_b) {
    const assay_sample_table *table = &work->candidate->table;
    group_visit visit = {.work = work};
    uint32_t *codes = NULL;
    assay_status status = assay_pairing_all(pairing, cut_a, cut_b, visit_group, &visit);
    if (status == ASSAY_OK)
        status = assay_allocate(&codes, table->row_count, sizeof *codes, "groups");
    for (size_t n = 0; status == ASSAY_OK && n < work->policy->by_count; ++n) {
        visit.attribute = assay_sample_table_attribute(table, work->policy->by[n]);
        if (!visit.attribute) {
            status = assay_fail(
                ASSAY_USAGE, "policy %s judges groups of '%s': the data set has no such attribute",
                work->policy->name, work->policy->by[n]);
            break;
        }
        for (uint64_t row = 0; row < table->row_count; ++row)
            codes[row] = visit.attribute->codes[row];
        assay_partition partition = {.group_of_row = codes, .groups = visit.attribute->label_count};
        status = assay_pairing_walk(pairing, &partition, cut_a, cut_b, visit_group, &visit);
    }
    free(codes);
    return status;
}

/* ---- both releases ---- */

/* Samples that reached the reference and not the candidate would be refused for nothing. */
static assay_status check_given(const assay_evidence *a, const assay_evidence *b) {
    uint64_t missing = 0;
    for (uint64_t row = 0; row < a->table.row_count; ++row) {
        uint8_t in_a = a->table.enrolment[row], in_b = b->table.enrolment[row];
        bool given_a = in_a != ASSAY_ENROLMENT_NONE && in_a != ASSAY_ENROLMENT_EXCLUDED;
        bool given_b = in_b != ASSAY_ENROLMENT_NONE && in_b != ASSAY_ENROLMENT_EXCLUDED;
        missing += given_a && !given_b;
    }
    if (!missing) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "%llu samples reached %s %s and never reached the candidate %s %s: a release "
                      "is judged on all samples, expected a template, a refusal or a failure of "
                      "each",
                      (unsigned long long)missing, a->release, a->version, b->release, b->version);
}

static assay_status check_releases(const assay_policy *policy, const assay_evidence *reference,
                                   const assay_evidence *candidate) {
    if (!reference && assay_policy_needs_reference(policy))
        return assay_fail(ASSAY_USAGE,
                          "policy %s has a margin or ratio against the reference release: name its "
                          "evidence with --reference",
                          policy->name);
    const char *fault = reference ? assay_pairing_fault(reference, candidate) : NULL;
    if (fault)
        return assay_fail(ASSAY_USAGE, "%s %s and %s %s cannot be paired: %s", reference->release,
                          reference->version, candidate->release, candidate->version, fault);
    return reference ? check_given(reference, candidate) : ASSAY_OK;
}

static void count_data(gate_work *work, const assay_figures *figures) {
    assay_gate *gate = &work->gate;
    gate->subjects = figures->subjects;
    gate->samples = figures->samples;
    gate->mated = figures->mated_attempted;
    gate->non_mated = work->candidate->non_mated;
    gate->excluded = figures->excluded + figures->not_tried;
}

/* ---- the verdict ---- */

/* What is here does not decide it: sizes from rounded formulas never say that it would. */
static void ask_for_more(assay_gate_criterion *criterion) {
    double more = (double)criterion->subjects + 1;
    if (criterion->needed < more) criterion->needed = more;
}

/* A fact that is over its limit fails by itself; what was sampled after Holm's correction. */
static assay_status conclude(gate_work *work) {
    assay_gate *gate = &work->gate;
    assay_state *states = NULL;
    double *p = NULL, *adjusted = NULL;
    size_t sampled = 0, count = gate->criterion_count;
    bool fact_fails = false, all = true;
    assay_status status = assay_allocate(&states, count, sizeof *states, "states");
    if (status == ASSAY_OK) status = assay_allocate(&p, count, sizeof *p, "states");
    if (status == ASSAY_OK) status = assay_allocate(&adjusted, count, sizeof *adjusted, "states");
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0; n < count; ++n) {
        const assay_gate_criterion *criterion = &gate->criteria[n];
        all = all && assay_state_passes(criterion->state);
        fact_fails = fact_fails || (!criterion->sampled && criterion->state == ASSAY_STATE_FAIL);
        if (!criterion->sampled) continue;
        ask_for_more(&gate->criteria[n]);
        states[sampled] = criterion->state;
        p[sampled++] = criterion->fail_p;
    }
    status = assay_holm(p, sampled, adjusted);
    if (status != ASSAY_OK) goto out;
    for (size_t n = 0, at = 0; n < count; ++n)
        if (gate->criteria[n].sampled) gate->criteria[n].holm_p = adjusted[at++];
    gate->verdict = assay_decide(states, p, sampled, work->policy->alpha);
    if (!all && gate->verdict == ASSAY_VERDICT_PASS) gate->verdict = ASSAY_VERDICT_NOT_ENOUGH;
    if (fact_fails) gate->verdict = ASSAY_VERDICT_FAIL;
out:
    free(states);
    free(p);
    free(adjusted);
    return status;
}

static assay_status judge(gate_work *work, const assay_figures *figures_a,
                          const assay_figures *figures_b) {
    const assay_policy *policy = work->policy;
    const assay_evidence *a = work->reference ? work->reference : work->candidate;
    assay_cut cut_a, cut_b;
    assay_pairing pairing = {0};
    assay_status status =
        cut_at(work->candidate, figures_b, policy->fmr_rule, policy->threshold_candidate, &cut_b);
    if (status != ASSAY_OK) return status;
    cut_a = cut_b;
    if (work->reference)
        status = cut_at(a, figures_a, policy->fmr_rule, policy->threshold_reference, &cut_a);
    if (status == ASSAY_OK)
        status = assay_pairing_open(figures_a->sampling, figures_b->sampling, &pairing);
    if (status == ASSAY_OK) status = judge_groups(work, &pairing, &cut_a, &cut_b);
    if (status == ASSAY_OK) judge_facts(work);
    if (status == ASSAY_OK) status = work->status;
    if (status == ASSAY_OK) status = conclude(work);
    work->gate.threshold_reference = work->reference ? cut_a.threshold : (double)NAN;
    work->gate.threshold_candidate = cut_b.threshold;
    assay_pairing_close(&pairing);
    return status;
}

assay_status assay_gate_judge(const assay_policy *policy, const assay_policy_subjects *subjects,
                              assay_evidence *reference, assay_evidence *candidate,
                              assay_gate *out) {
    gate_work work = {.policy = policy, .reference = reference, .candidate = candidate};
    assay_figures figures_a = {0}, figures_b = {0};
    work.gate.policy = policy;
    work.gate.has_reference = reference != NULL;
    assay_status status = check_releases(policy, reference, candidate);
    if (status == ASSAY_OK) status = assay_evidence_keep(candidate, subjects->keep);
    if (status == ASSAY_OK && reference) status = assay_evidence_keep(reference, subjects->keep);
    if (status == ASSAY_OK)
        status = assay_figures_compute(candidate, (const char *const[]){""}, 0, &figures_b);
    if (status == ASSAY_OK && reference)
        status = assay_figures_compute(reference, (const char *const[]){""}, 0, &figures_a);
    if (status == ASSAY_OK) {
        count_data(&work, &figures_b);
        status = judge(&work, reference ? &figures_a : &figures_b, &figures_b);
    }
    assay_figures_free(&figures_a);
    assay_figures_free(&figures_b);
    if (status == ASSAY_OK)
        *out = work.gate;
    else
        assay_gate_free(&work.gate);
    return status;
}

void assay_gate_free(assay_gate *gate) {
    free(gate->criteria);
    free(gate->small);
    *gate = (assay_gate){0};
}
