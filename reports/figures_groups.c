/* figures_groups -- the numbers of every group of one attribute and of every pair of groups. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/figures_private.h"

#define NO_GROUP UINT32_MAX

typedef struct {
    const assay_evidence *evidence;
    const figures_work *work;
    const assay_figures *figures;
    const assay_grouping *grouping;
    const assay_attribute *attribute;
    uint32_t *group_of_code; /* [label_count], NO_GROUP where nothing has it */
} group_job;

uint32_t assay_group_pair_index(const assay_attribute_figures *attribute, uint32_t a, uint32_t b) {
    if (a > b) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    return a * attribute->group_count - a * (a - 1) / 2 + (b - a);
}

bool assay_group_judged(const assay_attribute_figures *attribute, uint32_t group,
                        assay_error_kind kind) {
    const assay_group *at = &attribute->groups[group];
    if (at->code < ASSAY_CODE_FIRST) return false;
    return (kind == ASSAY_ERROR_FMR ? at->subjects : at->mated_subjects) >= ASSAY_FEW_SUBJECTS;
}

static uint32_t group_of_row(const group_job *job, uint32_t row) {
    return job->group_of_code[job->attribute->codes[row]];
}

/* The group of a mated comparison, as partitions ask for it. */
static uint32_t group_of_mated(const void *context, uint32_t i, uint32_t j, uint32_t probe) {
    const group_job *job = context;
    return job->group_of_code[assay_grouping_of_mated(job->grouping, i, j, probe)];
}

static uint32_t group_of_pair(const group_job *job, uint32_t i, uint32_t j, uint8_t direction) {
    return group_of_mated(job, i, j, assay_probe_of(direction, i, j));
}

/* Codes that only a mated comparison has, by the mean of its two samples. */
static void mark_means(const group_job *job, uint64_t *used) {
    const assay_same_subject *same = &job->work->same;
    for (uint64_t n = 0; job->grouping->mean_of_pair && n < same->count; ++n) {
        uint32_t i = same->pairs[n].i, j = same->pairs[n].j;
        ++used[assay_grouping_of_mated(job->grouping, i, j, i)];
        ++used[assay_grouping_of_mated(job->grouping, i, j, j)];
    }
}

/* Groups in the order of the labels, real values before missing, unknown and several. */
static assay_status list_groups(group_job *job, assay_attribute_figures *out) {
    const assay_attribute *attribute = job->attribute;
    uint64_t rows = job->evidence->table.row_count;
    uint64_t *samples = NULL, *used = NULL;
    assay_status status =
        assay_allocate(&samples, attribute->label_count, sizeof *samples, "samples by label");
    if (status == ASSAY_OK)
        status = assay_allocate(&used, attribute->label_count, sizeof *used, "groups by label");
    if (status == ASSAY_OK)
        status = assay_allocate(&job->group_of_code, attribute->label_count,
                                sizeof *job->group_of_code, "groups by label");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&out->groups, attribute->label_count, sizeof *out->groups, "groups");
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < rows; ++row) ++samples[attribute->codes[row]];
    memcpy(used, samples, attribute->label_count * sizeof *used);
    mark_means(job, used);
    for (uint32_t n = 0; n < attribute->label_count; ++n) {
        uint32_t code = (n + ASSAY_CODE_FIRST) % attribute->label_count;
        job->group_of_code[code] = used[code] ? out->group_count : NO_GROUP;
        if (!used[code]) continue;
        out->real_groups += code >= ASSAY_CODE_FIRST;
        out->groups[out->group_count++] = (assay_group){
            .code = (uint16_t)code, .label = attribute->labels[code], .samples = samples[code]};
    }
out:
    free(samples);
    free(used);
    return status;
}

/* Distinct subjects of every group, by marking each with the last group that saw it. */
static assay_status count_subjects(const group_job *job, assay_attribute_figures *out) {
    const assay_sample_table *table = &job->evidence->table;
    uint8_t *seen = NULL, *mated = NULL;
    assay_status status = assay_allocate(&seen, table->subject_count, 1, "subjects seen");
    if (status == ASSAY_OK)
        status = assay_allocate(&mated, table->subject_count, 1, "subjects seen");
    for (uint32_t g = 0; status == ASSAY_OK && g < out->group_count; ++g) {
        assay_group *group = &out->groups[g];
        memset(seen, 0, table->subject_count);
        memset(mated, 0, table->subject_count);
        uint64_t tried = 0, errors = 0;
        for (uint64_t row = 0; row < table->row_count; ++row) {
            if (job->attribute->codes[row] != group->code) continue;
            uint32_t subject = table->subject[row];
            group->subjects += !seen[subject];
            seen[subject] = 1;
            tried += job->work->attempted[row];
            errors += job->work->attempted[row] && !job->work->enrolled[row];
            group->excluded += table->enrolment[row] == ASSAY_ENROLMENT_EXCLUDED;
        }
        group->fte = assay_rate_of(errors, tried);
        if (group->fte.reason) group->fte.reason = "no sample of the group reached the algorithm";
        for (uint64_t n = 0; n < job->evidence->mated_count; ++n) {
            const assay_comparison *pair = &job->evidence->mated[n];
            if (group_of_pair(job, pair->i, pair->j, pair->direction) != g) continue;
            group->mated_subjects += !mated[table->subject[pair->i]];
            mated[table->subject[pair->i]] = 1;
        }
    }
    free(seen);
    free(mated);
    return status;
}

/* A rate whose errors may be beyond what can be counted. */
static assay_rate rate_at(const assay_operating_point *point, uint64_t errors, uint64_t trials) {
    if (point->reason) return assay_rate_unknown(trials, point->reason);
    if (!point->in_tail) return assay_rate_unknown(trials, point->beyond_tail);
    return assay_rate_of(errors, trials);
}

static assay_status start_groups(const assay_figures *figures, assay_attribute_figures *out) {
    for (uint32_t g = 0; g < out->group_count; ++g) {
        assay_status status = assay_allocate(&out->groups[g].points, figures->point_count,
                                             sizeof *out->groups[g].points, "points of groups");
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status start_pairs(const group_job *job, assay_attribute_figures *out) {
    if (out->group_count > ASSAY_GROUP_PAIRS_MAX) {
        out->pairs_reason = "the attribute has more than 64 groups";
        return ASSAY_OK;
    }
    const assay_figures *figures = job->figures;
    assay_status status =
        assay_allocate(&out->pairs, (size_t)out->group_count * (out->group_count + 1) / 2,
                       sizeof *out->pairs, "pairs of groups");
    for (uint32_t a = 0; status == ASSAY_OK && a < out->group_count; ++a)
        for (uint32_t b = a; status == ASSAY_OK && b < out->group_count; ++b) {
            assay_group_pair *pair = &out->pairs[out->pair_count];
            *pair = (assay_group_pair){.a = a, .b = b};
            status = assay_allocate(&pair->fmr, figures->point_count, sizeof *pair->fmr,
                                    "points of pairs of groups");
            if (status == ASSAY_OK)
                status = assay_allocate(&pair->fmr_interval, figures->point_count,
                                        sizeof *pair->fmr_interval, "points of pairs of groups");
            if (status != ASSAY_OK) {
                free(pair->fmr);
                break;
            }
            ++out->pair_count;
        }
    return status;
}

static void count_false_matches(const group_job *job, assay_attribute_figures *out) {
    for (uint32_t p = 0; p < job->figures->point_count; ++p) {
        const assay_operating_point *point = &job->figures->points[p];
        if (point->reason || !point->in_tail) continue;
        for (uint64_t n = 0; n < point->tail_matches; ++n) {
            const assay_comparison *match = &job->evidence->tail[n];
            uint32_t a = group_of_row(job, match->i), b = group_of_row(job, match->j);
            if (a == b) ++out->groups[a].points[p].fmr.errors;
            if (out->pairs) ++out->pairs[assay_group_pair_index(out, a, b)].fmr[p].errors;
        }
    }
}

static void count_false_non_matches(const group_job *job, assay_attribute_figures *out) {
    const assay_evidence *evidence = job->evidence;
    for (uint32_t p = 0; p < job->figures->point_count; ++p) {
        const assay_operating_point *point = &job->figures->points[p];
        for (uint64_t n = 0; n < evidence->mated_count; ++n) {
            const assay_comparison *pair = &evidence->mated[n];
            uint32_t g = group_of_pair(job, pair->i, pair->j, pair->direction);
            assay_group_point *counts = &out->groups[g].points[p];
            bool missed = assay_score_at(&job->figures->mated, n) < point->threshold;
            ++counts->fnmr.trials;
            counts->fnmr.errors += missed;
            counts->gfnmr.errors += missed;
        }
        for (uint64_t n = 0; n < job->work->same.count; ++n) {
            assay_row_pair pair = job->work->same.pairs[n];
            if (job->work->same.relation[n] != ASSAY_RELATION_MATED ||
                !job->work->attempted[pair.i] || !job->work->attempted[pair.j])
                continue;
            uint8_t direction = (uint8_t)assay_protocol_direction(
                &evidence->protocol, &evidence->table, job->work->roles, pair.i, pair.j);
            uint32_t g = group_of_pair(job, pair.i, pair.j, direction);
            assay_group_point *counts = &out->groups[g].points[p];
            ++counts->gfnmr.trials;
            counts->gfnmr.errors += !job->work->enrolled[pair.i] || !job->work->enrolled[pair.j];
        }
        for (uint64_t n = 0; n < evidence->failed_mated + evidence->failed_non_mated; ++n) {
            assay_row_pair pair = evidence->failed[n];
            if (evidence->table.subject[pair.i] != evidence->table.subject[pair.j]) continue;
            uint8_t direction = (uint8_t)assay_protocol_direction(
                &evidence->protocol, &evidence->table, job->work->roles, pair.i, pair.j);
            uint32_t g = group_of_row(job, assay_probe_of(direction, pair.i, pair.j));
            ++out->groups[g].points[p].gfnmr.errors;
        }
        for (uint32_t g = 0; g < out->group_count; ++g) {
            assay_group_point *counts = &out->groups[g].points[p];
            counts->fnmr = assay_rate_of(counts->fnmr.errors, counts->fnmr.trials);
            counts->gfnmr = assay_rate_of(counts->gfnmr.errors, counts->gfnmr.trials);
            if (!point->reason) continue;
            counts->fnmr = assay_rate_unknown(counts->fnmr.trials, point->reason);
            counts->gfnmr = assay_rate_unknown(counts->gfnmr.trials, point->reason);
        }
    }
}

/* Copies trials and intervals by cell and group into out, whose errors are counted. */
static void spread_intervals(const assay_figures *figures, const assay_partition *partition,
                             const assay_group_intervals *from, assay_attribute_figures *out) {
    uint32_t count = figures->point_count;
    for (uint32_t g = 0; g < out->group_count; ++g) {
        uint64_t own = assay_partition_cell(partition, g, g);
        const assay_interval *fmr = from->fmr + own * count;
        out->groups[g].fte_interval = from->fte[g];
        for (uint32_t p = 0; p < count; ++p) {
            assay_group_point *point = &out->groups[g].points[p];
            point->fmr = rate_at(&figures->points[p], point->fmr.errors, from->trials[own]);
            point->limits[ASSAY_ERROR_FMR] = from->fmr_limits[(size_t)g * count + p];
            point->limits[ASSAY_ERROR_FNMR] = from->fnmr_limits[(size_t)g * count + p];
            point->fmr_interval = fmr[p];
            point->fnmr_interval = from->fnmr[(size_t)g * count + p];
            point->gfnmr_interval = from->gfnmr[(size_t)g * count + p];
        }
    }
    for (uint32_t n = 0; n < out->pair_count; ++n) {
        uint64_t cell = assay_partition_cell(partition, out->pairs[n].a, out->pairs[n].b);
        for (uint32_t p = 0; p < count; ++p)
            out->pairs[n].fmr[p] =
                rate_at(&figures->points[p], out->pairs[n].fmr[p].errors, from->trials[cell]);
        memcpy(out->pairs[n].fmr_interval, from->fmr + cell * count,
               count * sizeof *out->pairs[n].fmr_interval);
    }
}

static assay_status group_every_row(const group_job *job, uint32_t **out) {
    uint64_t rows = job->evidence->table.row_count;
    assay_status status = assay_allocate(out, rows, sizeof **out, "groups of rows");
    for (uint64_t row = 0; status == ASSAY_OK && row < rows; ++row)
        (*out)[row] = group_of_row(job, (uint32_t)row);
    return status;
}

/* Groups that measures are made of; limits of so many hold together. Where a subject is in several
 * groups nothing is known of how they vary together, and errors are shared out (Bonferroni). */
static double together(const assay_attribute_figures *groups, assay_error_kind kind) {
    uint32_t judged = 0;
    for (uint32_t g = 0; g < groups->group_count; ++g)
        judged += assay_group_judged(groups, g, kind);
    if (judged < 2) return ASSAY_INTERVAL_ALPHA;
    if (groups->attribute->level == ASSAY_LEVEL_SAMPLE) return ASSAY_INTERVAL_ALPHA / judged;
    return 1 - pow(1 - ASSAY_INTERVAL_ALPHA, 1.0 / judged);
}

static assay_status make_intervals(const assay_figures *figures, const assay_partition *partition,
                                   const assay_cut *cuts, assay_attribute_figures *out) {
    uint32_t count = figures->point_count;
    size_t of_groups = (size_t)out->group_count * count, cells = assay_partition_cells(partition);
    assay_group_intervals made = {.fmr_alpha = together(out, ASSAY_ERROR_FMR),
                                  .fnmr_alpha = together(out, ASSAY_ERROR_FNMR)};
    assay_interval **intervals[] = {&made.fnmr, &made.gfnmr};
    assay_limits **limits[] = {&made.fmr_limits, &made.fnmr_limits};
    assay_status status =
        assay_allocate(&made.trials, cells, sizeof *made.trials, "intervals of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.fmr, cells * count, sizeof *made.fmr, "intervals of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.fte, out->group_count, sizeof *made.fte, "intervals");
    for (size_t n = 0; status == ASSAY_OK && n < 2; ++n) {
        status = assay_allocate(intervals[n], of_groups, sizeof **intervals[n], "intervals");
        if (status == ASSAY_OK)
            status = assay_allocate(limits[n], of_groups, sizeof **limits[n], "limits of groups");
    }
    if (status == ASSAY_OK)
        status = assay_sampling_groups(figures->sampling, partition, cuts, count, &made);
    if (status == ASSAY_OK) spread_intervals(figures, partition, &made, out);
    free(made.trials);
    free(made.fmr);
    free(made.fnmr);
    free(made.gfnmr);
    free(made.fte);
    free(made.fmr_limits);
    free(made.fnmr_limits);
    return status;
}

/* Pairs of samples of one group, whichever it is: the false matches of people who are alike. */
static assay_status make_alike(const assay_figures *figures, const uint32_t *group_of_row,
                               const assay_cut *cuts, assay_attribute_figures *out) {
    uint32_t count = figures->point_count;
    assay_partition alike = {
        .group_of_row = group_of_row, .groups = out->group_count, .alike = out->real_groups};
    uint64_t trials = 0, *errors = NULL;
    assay_status status = assay_allocate(&out->alike, count, sizeof *out->alike, "pairs alike");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&out->alike_interval, count, sizeof *out->alike_interval, "pairs alike");
    if (status == ASSAY_OK) status = assay_allocate(&errors, count, sizeof *errors, "pairs alike");
    if (status == ASSAY_OK && out->real_groups)
        status = assay_sampling_alike(figures->sampling, &alike, cuts, count, &trials, errors,
                                      out->alike_interval);
    for (uint32_t p = 0; status == ASSAY_OK && p < count; ++p) {
        out->alike[p] = rate_at(&figures->points[p], errors[p], trials);
        if (!out->real_groups)
            out->alike_interval[p] = assay_interval_unknown("no sample has a value of it");
    }
    free(errors);
    return status;
}

static assay_status compute_intervals(const group_job *job, assay_attribute_figures *out) {
    const assay_figures *figures = job->figures;
    uint32_t count = figures->point_count, *groups = NULL;
    assay_cut *cuts = NULL;
    assay_partition partition = {.groups = out->group_count,
                                 .between = !out->pairs_reason,
                                 .mated_group = group_of_mated,
                                 .context = job};
    assay_status status = group_every_row(job, &groups);
    if (status == ASSAY_OK) status = assay_allocate(&cuts, count, sizeof *cuts, "thresholds");
    if (status != ASSAY_OK) goto out;
    partition.group_of_row = groups;
    for (uint32_t p = 0; p < count; ++p) {
        const assay_operating_point *point = &figures->points[p];
        cuts[p] = assay_point_cut(figures, point);
        if (!point->reason && !point->in_tail) cuts[p].fmr_reason = point->beyond_tail;
    }
    status = make_intervals(figures, &partition, cuts, out);
    if (status == ASSAY_OK) status = make_alike(figures, groups, cuts, out);
out:
    free(groups);
    free(cuts);
    return status;
}

assay_status figures_compute_groups(const assay_evidence *evidence, const figures_work *work,
                                    const assay_figures *figures, assay_grouping grouping,
                                    assay_attribute_figures *out) {
    assay_attribute_figures made = {.grouping = grouping, .attribute = grouping.attribute};
    group_job job = {.evidence = evidence,
                     .work = work,
                     .figures = figures,
                     .grouping = &made.grouping,
                     .attribute = grouping.attribute};
    assay_status status = list_groups(&job, &made);
    if (status == ASSAY_OK) status = count_subjects(&job, &made);
    if (status == ASSAY_OK) status = start_groups(figures, &made);
    if (status == ASSAY_OK) status = start_pairs(&job, &made);
    if (status == ASSAY_OK) {
        count_false_matches(&job, &made);
        count_false_non_matches(&job, &made);
        status = compute_intervals(&job, &made);
    }
    for (uint32_t g = 0; status == ASSAY_OK && g < made.group_count; ++g) {
        if (assay_evidence_knows_enrolment(evidence)) break;
        made.groups[g].fte.reason = ASSAY_NO_ENROLMENT;
        made.groups[g].fte_interval = assay_interval_unknown(ASSAY_NO_ENROLMENT);
    }
    if (status == ASSAY_OK)
        *out = made;
    else
        figures_free_groups(&made);
    free(job.group_of_code);
    return status;
}

void figures_free_groups(assay_attribute_figures *groups) {
    for (uint32_t g = 0; g < groups->group_count; ++g) free(groups->groups[g].points);
    for (uint32_t n = 0; n < groups->pair_count; ++n) {
        free(groups->pairs[n].fmr);
        free(groups->pairs[n].fmr_interval);
    }
    free(groups->groups);
    free(groups->pairs);
    free(groups->alike);
    free(groups->alike_interval);
    free(groups->differentials);
    assay_grouping_free(&groups->grouping);
    *groups = (assay_attribute_figures){0};
}
