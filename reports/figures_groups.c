/* figures_groups -- the numbers of every group of one attribute and of every pair of groups. */
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/figures_private.h"

#define NO_GROUP UINT32_MAX

typedef struct {
    const assay_evidence *evidence;
    const figures_work *work;
    const assay_figures *figures;
    const assay_attribute *attribute;
    uint32_t *group_of_code; /* [label_count], NO_GROUP where no sample has it */
    uint8_t *members;        /* [group_count][row_count] */
} group_job;

uint32_t assay_group_pair_index(const assay_attribute_figures *attribute, uint32_t a, uint32_t b) {
    if (a > b) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    return a * attribute->group_count - a * (a - 1) / 2 + (b - a);
}

static uint32_t group_of_row(const group_job *job, uint32_t row) {
    return job->group_of_code[job->attribute->codes[row]];
}

/* Groups in the order of the labels, real values before missing, unknown and several. */
static assay_status list_groups(group_job *job, assay_attribute_figures *out) {
    const assay_attribute *attribute = job->attribute;
    uint64_t rows = job->evidence->table.row_count;
    uint64_t *samples = NULL;
    assay_status status =
        assay_allocate(&samples, attribute->label_count, sizeof *samples, "samples by label");
    if (status == ASSAY_OK)
        status = assay_allocate(&job->group_of_code, attribute->label_count,
                                sizeof *job->group_of_code, "groups by label");
    if (status == ASSAY_OK)
        status =
            assay_allocate(&out->groups, attribute->label_count, sizeof *out->groups, "groups");
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < rows; ++row) ++samples[attribute->codes[row]];
    for (uint32_t n = 0; n < attribute->label_count; ++n) {
        uint32_t code = (n + ASSAY_CODE_FIRST) % attribute->label_count;
        job->group_of_code[code] = samples[code] ? out->group_count : NO_GROUP;
        if (!samples[code]) continue;
        out->groups[out->group_count++] = (assay_group){
            .code = (uint16_t)code, .label = attribute->labels[code], .samples = samples[code]};
    }
out:
    free(samples);
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
            if (group_of_row(job, assay_probe_of(pair->direction, pair->i, pair->j)) != g) continue;
            group->mated_subjects += !mated[table->subject[pair->i]];
            mated[table->subject[pair->i]] = 1;
        }
    }
    free(seen);
    free(mated);
    return status;
}

static assay_status list_members(group_job *job, const assay_attribute_figures *out) {
    uint64_t rows = job->evidence->table.row_count;
    size_t cells = 0;
    if (!assay_multiply(out->group_count, rows, &cells))
        return assay_fail(ASSAY_FAILED, "attribute %s has too many groups", job->attribute->name);
    assay_status status = assay_allocate(&job->members, cells, 1, "members of groups");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < rows; ++row)
        job->members[group_of_row(job, (uint32_t)row) * rows + row] = 1;
    return ASSAY_OK;
}

/* Comparisons of different subjects between two groups that gave no score. */
static uint64_t count_failed(const group_job *job, uint32_t a, uint32_t b) {
    const assay_evidence *evidence = job->evidence;
    const uint32_t *subject = evidence->table.subject;
    uint64_t count = 0;
    if (!evidence->failed_non_mated) return 0;
    for (uint64_t n = 0; n < evidence->failed_mated + evidence->failed_non_mated; ++n) {
        assay_row_pair pair = evidence->failed[n];
        uint32_t i = group_of_row(job, pair.i), j = group_of_row(job, pair.j);
        count += subject[pair.i] != subject[pair.j] && ((i == a && j == b) || (i == b && j == a));
    }
    return count;
}

/* Completed comparisons of different subjects between two groups. */
static assay_status count_pair_trials(const group_job *job, uint32_t a, uint32_t b, uint64_t *out) {
    uint64_t rows = job->evidence->table.row_count, trials = 0;
    assay_status status = assay_protocol_non_mated_trials(
        &job->evidence->protocol, &job->evidence->table, job->work->roles, job->work->enrolled,
        job->members + a * rows, job->members + b * rows, &trials);
    if (status == ASSAY_OK) *out = trials - count_failed(job, a, b);
    return status;
}

/* A rate whose errors are counted later, or cannot be. */
static assay_rate start_rate(const assay_operating_point *point, uint64_t trials) {
    if (point->reason) return assay_rate_unknown(trials, FIGURES_NO_THRESHOLD);
    if (!point->in_tail) return assay_rate_unknown(trials, FIGURES_BELOW_TAIL);
    return assay_rate_of(0, trials);
}

/* Trials of the group alone, where pairs of groups are too many to list. */
static assay_status start_groups(const group_job *job, assay_attribute_figures *out) {
    const assay_figures *figures = job->figures;
    for (uint32_t g = 0; g < out->group_count; ++g) {
        uint64_t trials = 0;
        assay_status status = assay_allocate(&out->groups[g].points, figures->point_count,
                                             sizeof *out->groups[g].points, "points of groups");
        if (status == ASSAY_OK) status = count_pair_trials(job, g, g, &trials);
        if (status != ASSAY_OK) return status;
        for (uint32_t p = 0; p < figures->point_count; ++p)
            out->groups[g].points[p].fmr = start_rate(&figures->points[p], trials);
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
            uint64_t trials = 0;
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
            status = count_pair_trials(job, a, b, &trials);
            for (uint32_t p = 0; p < figures->point_count; ++p)
                pair->fmr[p] = start_rate(&figures->points[p], trials);
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
            uint32_t g = group_of_row(job, assay_probe_of(pair->direction, pair->i, pair->j));
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
            uint32_t g = group_of_row(job, assay_probe_of(direction, pair.i, pair.j));
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
            counts->fnmr = assay_rate_unknown(counts->fnmr.trials, FIGURES_NO_THRESHOLD);
            counts->gfnmr = assay_rate_unknown(counts->gfnmr.trials, FIGURES_NO_THRESHOLD);
        }
    }
}

/* Copies intervals by cell and group into out, which is counted. */
static void spread_intervals(const assay_partition *partition, uint32_t count,
                             const assay_group_intervals *from, assay_attribute_figures *out) {
    for (uint32_t g = 0; g < out->group_count; ++g) {
        const assay_interval *fmr = from->fmr + assay_partition_cell(partition, g, g) * count;
        out->groups[g].fte_interval = from->fte[g];
        for (uint32_t p = 0; p < count; ++p) {
            assay_group_point *point = &out->groups[g].points[p];
            point->fmr_interval = fmr[p];
            point->fnmr_interval = from->fnmr[(size_t)g * count + p];
            point->gfnmr_interval = from->gfnmr[(size_t)g * count + p];
        }
    }
    for (uint32_t n = 0; n < out->pair_count; ++n) {
        uint64_t cell = assay_partition_cell(partition, out->pairs[n].a, out->pairs[n].b);
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

static assay_status compute_intervals(const group_job *job, assay_attribute_figures *out) {
    const assay_figures *figures = job->figures;
    uint32_t count = figures->point_count, *groups = NULL;
    size_t of_groups = (size_t)out->group_count * count;
    assay_cut *cuts = NULL;
    assay_group_intervals made = {0};
    assay_partition partition = {.groups = out->group_count, .between = !out->pairs_reason};
    size_t cells = assay_partition_cells(&partition) * count;
    assay_status status = group_every_row(job, &groups);
    if (status == ASSAY_OK) status = assay_allocate(&cuts, count, sizeof *cuts, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.fmr, cells, sizeof *made.fmr, "intervals of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.fnmr, of_groups, sizeof *made.fnmr, "intervals of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.gfnmr, of_groups, sizeof *made.gfnmr, "intervals of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.fte, out->group_count, sizeof *made.fte, "intervals");
    if (status != ASSAY_OK) goto out;
    partition.group_of_row = groups;
    for (uint32_t p = 0; p < count; ++p) {
        const assay_operating_point *point = &figures->points[p];
        cuts[p] = assay_point_cut(figures, point);
        if (!point->reason && !point->in_tail) cuts[p].fmr_reason = FIGURES_BELOW_TAIL;
    }
    status = assay_sampling_groups(figures->sampling, &partition, cuts, count, &made);
    if (status == ASSAY_OK) spread_intervals(&partition, count, &made, out);
out:
    free(groups);
    free(cuts);
    free(made.fmr);
    free(made.fnmr);
    free(made.gfnmr);
    free(made.fte);
    return status;
}

assay_status figures_compute_groups(const assay_evidence *evidence, const figures_work *work,
                                    const assay_figures *figures, const assay_attribute *attribute,
                                    assay_attribute_figures *out) {
    group_job job = {
        .evidence = evidence, .work = work, .figures = figures, .attribute = attribute};
    assay_attribute_figures made = {.attribute = attribute};
    assay_status status = list_groups(&job, &made);
    if (status == ASSAY_OK) status = count_subjects(&job, &made);
    if (status == ASSAY_OK) status = list_members(&job, &made);
    if (status == ASSAY_OK) status = start_groups(&job, &made);
    if (status == ASSAY_OK) status = start_pairs(&job, &made);
    if (status == ASSAY_OK) {
        count_false_matches(&job, &made);
        count_false_non_matches(&job, &made);
        status = compute_intervals(&job, &made);
    }
    if (status == ASSAY_OK)
        *out = made;
    else
        figures_free_groups(&made);
    free(job.group_of_code);
    free(job.members);
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
    *groups = (assay_attribute_figures){0};
}
