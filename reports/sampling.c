/* sampling -- who took part in what: subjects, their comparisons and their order (sampling.h).
 * Everything is sorted by counting, so that it is linear in scores, samples and subjects. */
#include "reports/sampling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/sampling_private.h"

/* ---- sorting by counting ---- */

/* Stable: items[count] by key_of[items[n]] < keys into out[count]. start is [keys + 1], NULL where
 * it is not wanted. */
static assay_status sort_by(const uint32_t *items, uint64_t count, const uint32_t *key_of,
                            uint64_t keys, uint32_t *out, uint64_t *start) {
    uint64_t *next = NULL;
    assay_status status = assay_allocate(&next, keys + 1, sizeof *next, "sorting by subject");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < count; ++n) ++next[key_of[items[n]] + 1];
    for (uint64_t key = 0; key < keys; ++key) next[key + 1] += next[key];
    if (start) memcpy(start, next, (keys + 1) * sizeof *start);
    for (uint64_t n = 0; n < count; ++n) out[next[key_of[items[n]]]++] = items[n];
    free(next);
    return ASSAY_OK;
}

static uint32_t lower_subject(const assay_sample_table *table, assay_row_pair pair) {
    uint32_t i = table->subject[pair.i], j = table->subject[pair.j];
    return i < j ? i : j;
}

static uint32_t higher_subject(const assay_sample_table *table, assay_row_pair pair) {
    uint32_t i = table->subject[pair.i], j = table->subject[pair.j];
    return i < j ? j : i;
}

/* pairs->order by (lower subject, higher subject, as they came). */
static assay_status order_pairs(const assay_sample_table *table, sampling_pairs *pairs) {
    uint32_t *key = NULL, *once = NULL, *twice = NULL;
    if (pairs->count > UINT32_MAX)
        return assay_fail(ASSAY_FAILED,
                          "%llu scores are too many for intervals, expected %u at most",
                          (unsigned long long)pairs->count, UINT32_MAX);
    assay_status status = assay_allocate(&key, pairs->count, sizeof *key, "subjects of pairs");
    if (status == ASSAY_OK)
        status = assay_allocate(&once, pairs->count, sizeof *once, "the order of pairs");
    if (status == ASSAY_OK)
        status = assay_allocate(&twice, pairs->count, sizeof *twice, "the order of pairs");
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < pairs->count; ++n) {
        twice[n] = (uint32_t)n;
        key[n] = higher_subject(table, pairs->pairs[n]);
    }
    status = sort_by(twice, pairs->count, key, table->subject_count, once, NULL);
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < pairs->count; ++n) key[n] = lower_subject(table, pairs->pairs[n]);
    status = sort_by(once, pairs->count, key, table->subject_count, twice, NULL);
    if (status != ASSAY_OK) goto out;
    pairs->order = twice;
    twice = NULL;
out:
    free(key);
    free(once);
    free(twice);
    return status;
}

/* ---- opening ---- */

static assay_status copy_rows(const uint8_t *from, uint64_t rows, uint8_t **out) {
    assay_status status = assay_allocate(out, rows, 1, "rows of the sample table");
    if (status == ASSAY_OK && rows) memcpy(*out, from, rows);
    return status;
}

static assay_status take_tail(assay_sampling *sampling) {
    const assay_evidence *evidence = sampling->evidence;
    assay_status status = assay_allocate(&sampling->tail_pairs, evidence->tail_count,
                                         sizeof *sampling->tail_pairs, "pairs of the tail");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < evidence->tail_count; ++n)
        sampling->tail_pairs[n] = (assay_row_pair){evidence->tail[n].i, evidence->tail[n].j};
    sampling->matches =
        (sampling_pairs){.pairs = sampling->tail_pairs, .count = evidence->tail_count};
    return order_pairs(&evidence->table, &sampling->matches);
}

/* Whether the comparison of pair gave no score. */
static bool has_failed(const assay_evidence *evidence, assay_row_pair pair) {
    uint64_t begin = 0, end = evidence->failed_mated + evidence->failed_non_mated;
    while (begin < end) {
        uint64_t middle = begin + (end - begin) / 2;
        assay_row_pair at = evidence->failed[middle];
        if (at.i == pair.i && at.j == pair.j) return true;
        if (at.i < pair.i || (at.i == pair.i && at.j < pair.j))
            begin = middle + 1;
        else
            end = middle;
    }
    return false;
}

static assay_status take_failed(assay_sampling *sampling) {
    const assay_evidence *evidence = sampling->evidence;
    const assay_sample_table *table = &evidence->table;
    const uint64_t count =
        evidence->failed ? evidence->failed_mated + evidence->failed_non_mated : 0;
    assay_status status = assay_allocate(&sampling->failed_pairs, count,
                                         sizeof *sampling->failed_pairs, "failed comparisons");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < count; ++n) {
        assay_row_pair pair = evidence->failed[n];
        if (table->subject[pair.i] == table->subject[pair.j]) continue;
        sampling->failed_pairs[sampling->failed.count++] = pair;
    }
    sampling->failed.pairs = sampling->failed_pairs;
    return order_pairs(table, &sampling->failed);
}

/* Comparisons of different subjects that are listed: completed, or attempted. */
static assay_status take_list(assay_sampling *sampling, bool completed, assay_row_pair **kept,
                              sampling_pairs *out) {
    const uint8_t *taken = completed ? sampling->enrolled : sampling->attempted;
    const assay_evidence *evidence = sampling->evidence;
    const assay_protocol *protocol = &evidence->protocol;
    const assay_sample_table *table = &evidence->table;
    assay_status status =
        assay_allocate(kept, protocol->pair_count, sizeof **kept, "pairs of the list");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < protocol->pair_count; ++n) {
        assay_row_pair pair = protocol->pairs[n];
        if (table->subject[pair.i] == table->subject[pair.j] || !taken[pair.i] || !taken[pair.j])
            continue;
        if (completed && has_failed(evidence, pair)) continue;
        (*kept)[out->count++] = pair;
    }
    out->pairs = *kept;
    return order_pairs(table, out);
}

static assay_status take_trials(assay_sampling *sampling, const assay_same_subject *same) {
    const assay_evidence *evidence = sampling->evidence;
    const assay_sample_table *table = &evidence->table;
    sampling_trial *found = NULL;
    uint32_t *items = NULL, *key = NULL, *sorted = NULL;
    uint64_t most = evidence->mated_count + same->count, count = 0;
    if (most > UINT32_MAX)
        return assay_fail(ASSAY_FAILED, "%llu mated pairs are too many for intervals",
                          (unsigned long long)most);
    assay_status status = assay_allocate(&found, most, sizeof *found, "mated comparisons");
    if (status == ASSAY_OK)
        status = assay_allocate(&sampling->trials, most, sizeof *found, "mated comparisons");
    if (status == ASSAY_OK) status = assay_allocate(&items, most, sizeof *items, "an order");
    if (status == ASSAY_OK) status = assay_allocate(&key, most, sizeof *key, "an order");
    if (status == ASSAY_OK) status = assay_allocate(&sorted, most, sizeof *sorted, "an order");
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        const assay_comparison *pair = &evidence->mated[n];
        found[count++] = (sampling_trial){n, table->subject[pair->i], pair->i, pair->j,
                                          assay_probe_of(pair->direction, pair->i, pair->j)};
    }
    for (uint64_t n = 0; n < same->count; ++n) {
        assay_row_pair pair = same->pairs[n];
        if (same->relation[n] != ASSAY_RELATION_MATED || !sampling->attempted[pair.i] ||
            !sampling->attempted[pair.j] ||
            (sampling->enrolled[pair.i] && sampling->enrolled[pair.j] &&
             !has_failed(evidence, pair)))
            continue;
        uint8_t direction = (uint8_t)assay_protocol_direction(&evidence->protocol, table,
                                                              sampling->roles, pair.i, pair.j);
        found[count++] = (sampling_trial){SAMPLING_NO_RANK, table->subject[pair.i], pair.i, pair.j,
                                          assay_probe_of(direction, pair.i, pair.j)};
    }
    for (uint64_t n = 0; n < count; ++n) {
        items[n] = (uint32_t)n;
        key[n] = found[n].subject;
    }
    status = sort_by(items, count, key, table->subject_count, sorted, NULL);
    for (uint64_t n = 0; status == ASSAY_OK && n < count; ++n)
        sampling->trials[n] = found[sorted[n]];
    sampling->trial_count = count;
out:
    free(found);
    free(items);
    free(key);
    free(sorted);
    return status;
}

static assay_status take_rows(assay_sampling *sampling) {
    const assay_sample_table *table = &sampling->evidence->table;
    uint32_t *items = NULL;
    assay_status status = assay_allocate(&sampling->rows, table->row_count, sizeof *items, "rows");
    if (status == ASSAY_OK)
        status = assay_allocate(&items, table->row_count, sizeof *items, "rows");
    if (status != ASSAY_OK) return status;
    sampling->all_completed =
        !sampling->evidence->failed_mated && !sampling->evidence->failed_non_mated;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        items[row] = (uint32_t)row;
        if (sampling->attempted[row] && !sampling->enrolled[row]) sampling->all_completed = false;
    }
    status = sort_by(items, table->row_count, table->subject, table->subject_count, sampling->rows,
                     NULL);
    free(items);
    return status;
}

assay_status assay_sampling_open(const assay_evidence *evidence, const uint8_t *roles,
                                 const uint8_t *enrolled, const uint8_t *attempted,
                                 const assay_same_subject *same, assay_sampling **out) {
    assay_sampling *made = NULL;
    uint64_t rows = evidence->table.row_count;
    assay_status status = assay_allocate(&made, 1, sizeof *made, "the sampled subjects");
    if (status != ASSAY_OK) return status;
    made->evidence = evidence;
    made->mated = assay_mated_scores(evidence);
    made->tail = assay_tail_scores(evidence);
    status = copy_rows(roles, rows, &made->roles);
    if (status == ASSAY_OK) status = copy_rows(enrolled, rows, &made->enrolled);
    if (status == ASSAY_OK) status = copy_rows(attempted, rows, &made->attempted);
    if (status == ASSAY_OK) status = take_rows(made);
    if (status == ASSAY_OK) status = take_tail(made);
    if (status == ASSAY_OK) status = take_failed(made);
    if (status == ASSAY_OK) status = take_trials(made, same);
    if (status == ASSAY_OK && sampling_is_list(made))
        status = take_list(made, true, &made->completed_pairs, &made->listed_completed);
    if (status == ASSAY_OK && sampling_is_list(made))
        status = take_list(made, false, &made->attempted_pairs, &made->listed_attempted);
    if (status == ASSAY_OK)
        *out = made;
    else
        assay_sampling_close(made);
    return status;
}

void assay_sampling_close(assay_sampling *sampling) {
    if (!sampling) return;
    free(sampling->roles);
    free(sampling->enrolled);
    free(sampling->attempted);
    free(sampling->rows);
    free(sampling->tail_pairs);
    free(sampling->completed_pairs);
    free(sampling->attempted_pairs);
    free(sampling->matches.order);
    free(sampling->failed_pairs);
    free(sampling->failed.order);
    free(sampling->listed_completed.order);
    free(sampling->listed_attempted.order);
    free(sampling->trials);
    free(sampling);
}

/* ---- partitions ---- */

uint64_t assay_partition_cells(const assay_partition *partition) {
    uint64_t groups = partition->groups;
    if (partition->alike) return 1;
    return partition->between ? groups * (groups + 1) / 2 : groups;
}

uint64_t assay_partition_cell(const assay_partition *partition, uint32_t a, uint32_t b) {
    if (partition->alike) return a == b && a < partition->alike ? 0 : UINT64_MAX;
    if (!partition->between) return a == b ? a : UINT64_MAX;
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return low * partition->groups - low * (low - 1) / 2 + (high - low);
}

/* Members of every group: rows by subject, then by group. */
static assay_status list_members(sampling_split *split) {
    const assay_sampling *sampling = split->sampling;
    const assay_sample_table *table = &sampling->evidence->table;
    uint32_t groups = split->partition.groups, *rows = NULL;
    uint64_t *start = NULL, count = 0;
    assay_status status = assay_allocate(&rows, table->row_count, sizeof *rows, "rows by group");
    if (status == ASSAY_OK)
        status = assay_allocate(&start, (size_t)groups + 1, sizeof *start, "rows by group");
    if (status == ASSAY_OK)
        status = assay_allocate(&split->members, table->row_count, sizeof *split->members,
                                "members of groups");
    if (status == ASSAY_OK)
        status = assay_allocate(&split->member_start, (size_t)groups + 1,
                                sizeof *split->member_start, "members of groups");
    if (status == ASSAY_OK)
        status = sort_by(sampling->rows, table->row_count, split->partition.group_of_row, groups,
                         rows, start);
    if (status != ASSAY_OK) goto out;
    for (uint32_t g = 0; g < groups; ++g) {
        split->member_start[g] = count;
        for (uint64_t n = start[g]; n < start[g + 1]; ++n) {
            uint32_t row = rows[n], subject = table->subject[row];
            if (n == start[g] || split->members[count - 1].subject != subject)
                split->members[count++] = (sampling_member){.subject = subject};
            sampling_member *member = &split->members[count - 1];
            bool takes_part = sampling->roles[row] != ASSAY_ROLE_NONE;
            bool probe = sampling->roles[row] == ASSAY_ROLE_PROBE;
            bool enrolled = sampling->enrolled[row], tried = sampling->attempted[row];
            member->references += takes_part && !probe && enrolled;
            member->probes += probe && enrolled;
            member->attempted_references += takes_part && !probe && tried;
            member->attempted_probes += probe && tried;
            member->tried += tried;
            member->failed += tried && !enrolled;
        }
    }
    split->member_start[groups] = count;
out:
    free(rows);
    free(start);
    return status;
}

static uint32_t group_of_trial(const assay_partition *partition, const sampling_trial *trial) {
    if (!partition->mated_group) return partition->group_of_row[trial->probe];
    return partition->mated_group(partition->context, trial->i, trial->j, trial->probe);
}

static assay_status list_trials(sampling_split *split) {
    const assay_sampling *sampling = split->sampling;
    uint32_t *items = NULL, *key = NULL;
    uint64_t count = sampling->trial_count;
    assay_status status = assay_allocate(&items, count, sizeof *items, "mated pairs by group");
    if (status == ASSAY_OK)
        status = assay_allocate(&key, count, sizeof *key, "mated pairs by group");
    if (status == ASSAY_OK)
        status = assay_allocate(&split->trials, count, sizeof *items, "mated pairs by group");
    if (status == ASSAY_OK)
        status = assay_allocate(&split->trial_start, (size_t)split->partition.groups + 1,
                                sizeof *split->trial_start, "mated pairs by group");
    for (uint64_t n = 0; status == ASSAY_OK && n < count; ++n) {
        items[n] = (uint32_t)n;
        key[n] = group_of_trial(&split->partition, &sampling->trials[n]);
    }
    if (status == ASSAY_OK)
        status =
            sort_by(items, count, key, split->partition.groups, split->trials, split->trial_start);
    free(items);
    free(key);
    return status;
}

/* pairs by cell; those of no cell come behind the last one. */
static assay_status list_pairs(const sampling_split *split, const sampling_pairs *pairs,
                               uint32_t **out_items, uint64_t **out_start) {
    uint64_t cells = assay_partition_cells(&split->partition);
    const uint32_t *group = split->partition.group_of_row;
    uint32_t *key = NULL;
    assay_status status = assay_allocate(&key, pairs->count, sizeof *key, "pairs by cell");
    if (status == ASSAY_OK)
        status = assay_allocate(out_items, pairs->count, sizeof **out_items, "pairs by cell");
    if (status == ASSAY_OK)
        status = assay_allocate(out_start, cells + 2, sizeof **out_start, "pairs by cell");
    for (uint64_t n = 0; status == ASSAY_OK && n < pairs->count; ++n) {
        uint64_t cell = assay_partition_cell(&split->partition, group[pairs->pairs[n].i],
                                             group[pairs->pairs[n].j]);
        key[n] = (uint32_t)(cell < cells ? cell : cells);
    }
    if (status == ASSAY_OK)
        status = sort_by(pairs->order, pairs->count, key, cells + 1, *out_items, *out_start);
    free(key);
    return status;
}

/* Where each cell has its 30th, 60th, 120th … false match; ties belong to it. */
static assay_status find_anchors(sampling_split *split) {
    const assay_sampling *sampling = split->sampling;
    uint64_t cells = assay_partition_cells(&split->partition), *seen = NULL;
    const uint32_t *group = split->partition.group_of_row;
    assay_status status = assay_allocate(&seen, cells, sizeof *seen, "false matches by cell");
    if (status == ASSAY_OK)
        status = assay_allocate(&split->anchors, cells, sizeof *split->anchors, "anchors");
    for (uint64_t n = 0; status == ASSAY_OK && n < sampling->matches.count; ++n) {
        assay_row_pair pair = sampling->matches.pairs[n];
        uint64_t cell = assay_partition_cell(&split->partition, group[pair.i], group[pair.j]);
        if (cell >= cells) continue;
        struct sampling_anchors *anchors = &split->anchors[cell];
        if (++seen[cell] != (uint64_t)ASSAY_CLUSTERING_ERRORS << anchors->count) continue;
        if (anchors->count == SAMPLING_ANCHORS_MOST) continue;
        anchors->matches[anchors->count++] =
            assay_scores_at_least(&sampling->tail, assay_score_at(&sampling->tail, n));
    }
    free(seen);
    return status;
}

assay_status sampling_split_open(const assay_sampling *sampling, const assay_partition *partition,
                                 bool use_attempted, sampling_split *out) {
    sampling_split split = {.sampling = sampling, .partition = *partition};
    assay_status status = list_members(&split);
    if (status == ASSAY_OK) status = list_trials(&split);
    if (status == ASSAY_OK)
        status = list_pairs(&split, &sampling->matches, &split.matches, &split.match_start);
    if (status == ASSAY_OK && sampling_is_list(sampling))
        status = list_pairs(
            &split, use_attempted ? &sampling->listed_attempted : &sampling->listed_completed,
            &split.listed, &split.listed_start);
    if (status == ASSAY_OK && !use_attempted && !sampling_is_list(sampling))
        status = list_pairs(&split, &sampling->failed, &split.failed, &split.failed_start);
    if (status == ASSAY_OK) status = find_anchors(&split);
    if (status == ASSAY_OK)
        status = assay_allocate(&split.place_of, sampling->evidence->table.subject_count,
                                sizeof *split.place_of, "places of subjects");
    if (status == ASSAY_OK)
        *out = split;
    else
        sampling_split_close(&split);
    return status;
}

void sampling_split_close(sampling_split *split) {
    free(split->members);
    free(split->member_start);
    free(split->trials);
    free(split->trial_start);
    free(split->matches);
    free(split->match_start);
    free(split->listed);
    free(split->listed_start);
    free(split->failed);
    free(split->failed_start);
    free(split->place_of);
    free(split->anchors);
    *split = (sampling_split){0};
}
