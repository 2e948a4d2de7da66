/* sampling_cells -- false matches of one cell at falling thresholds (sampling_private.h). */
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/sampling_private.h"

static void take_member(const sampling_member *member, bool use_attempted, bool second,
                        assay_holding *into) {
    int at = second ? ASSAY_HELD_REFERENCE_B : ASSAY_HELD_REFERENCE_A;
    into->held[at] = use_attempted ? member->attempted_references : member->references;
    into->held[at + 1] = use_attempted ? member->attempted_probes : member->probes;
}

/* Members of a and of b, each subject once, in the order of subjects. */
static assay_status merge_members(sampling_cell *cell, uint32_t a, uint32_t b, bool use_attempted) {
    const sampling_split *split = cell->split;
    uint64_t x = split->member_start[a], x_end = split->member_start[a + 1];
    uint64_t y = split->member_start[b], y_end = split->member_start[b + 1];
    if (a == b) y = y_end;
    assay_status status = assay_allocate(&cell->holdings, (x_end - x) + (y_end - y),
                                         sizeof *cell->holdings, "subjects of a cell");
    if (status != ASSAY_OK) return status;
    uint32_t count = 0;
    while (x < x_end || y < y_end) {
        uint32_t first = x < x_end ? split->members[x].subject : UINT32_MAX;
        uint32_t second = y < y_end ? split->members[y].subject : UINT32_MAX;
        uint32_t subject = first < second ? first : second;
        if (first == subject && x < x_end)
            take_member(&split->members[x++], use_attempted, false, &cell->holdings[count]);
        if (second == subject && y < y_end)
            take_member(&split->members[y++], use_attempted, true, &cell->holdings[count]);
        split->place_of[subject] = count++;
    }
    cell->design.subjects = count;
    return ASSAY_OK;
}

/* Members of the groups that are alike, by subject and then by group. */
static assay_status gather_parts(sampling_cell *cell, bool use_attempted) {
    const sampling_split *split = cell->split;
    uint32_t subjects = split->sampling->evidence->table.subject_count, places = 0;
    uint64_t count = split->member_start[split->partition.alike], *next = NULL;
    assay_status status =
        assay_allocate(&next, (size_t)subjects + 1, sizeof *next, "groups of subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&cell->parts, count, sizeof *cell->parts, "groups of subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&cell->part_start, (size_t)subjects + 1, sizeof *cell->part_start,
                                "groups of subjects");
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < count; ++n) ++next[split->members[n].subject + 1];
    for (uint32_t subject = 0; subject < subjects; ++subject) {
        if (!next[subject + 1]) continue;
        split->place_of[subject] = places++;
        cell->part_start[places] = cell->part_start[places - 1] + next[subject + 1];
    }
    for (uint32_t place = 0; place < places; ++place) next[place] = cell->part_start[place];
    for (uint32_t group = 0; group < split->partition.alike; ++group)
        for (uint64_t n = split->member_start[group]; n < split->member_start[group + 1]; ++n) {
            assay_holding held = {{0}};
            take_member(&split->members[n], use_attempted, false, &held);
            cell->parts[next[split->place_of[split->members[n].subject]]++] = (assay_part_holding){
                group, held.held[ASSAY_HELD_REFERENCE_A], held.held[ASSAY_HELD_PROBE_A]};
        }
    cell->design.subjects = places;
out:
    free(next);
    return status;
}

static void places_of(const sampling_split *split, assay_row_pair pair, uint32_t *out_first,
                      uint32_t *out_second) {
    const uint32_t *subject = split->sampling->evidence->table.subject;
    uint32_t i = split->place_of[subject[pair.i]], j = split->place_of[subject[pair.j]];
    *out_first = i < j ? i : j;
    *out_second = i < j ? j : i;
}

/* Listed comparisons by pair of places: they stand together, and places rise as subjects. items
 * and start are pairs by cell. */
static assay_status count_pairs(sampling_cell *cell, const sampling_pairs *pairs,
                                const uint32_t *items, const uint64_t *start, size_t *out_count) {
    const sampling_split *split = cell->split;
    uint64_t begin = start[cell->index], end = start[cell->index + 1];
    size_t count = 0;
    assay_status status =
        assay_allocate(&cell->listed, end - begin, sizeof *cell->listed, "pairs of a cell");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = begin; n < end; ++n) {
        uint32_t first, second;
        places_of(split, pairs->pairs[items[n]], &first, &second);
        if (!count || cell->listed[count - 1].first != first ||
            cell->listed[count - 1].second != second)
            cell->listed[count++] = (assay_listed_dyad){.first = first, .second = second};
        ++cell->listed[count - 1].comparisons;
    }
    *out_count = count;
    return ASSAY_OK;
}

static assay_status count_listed(sampling_cell *cell, bool use_attempted, size_t *out_count) {
    const sampling_split *split = cell->split;
    const sampling_pairs *pairs =
        use_attempted ? &split->sampling->listed_attempted : &split->sampling->listed_completed;
    return count_pairs(cell, pairs, split->listed, split->listed_start, out_count);
}

static assay_dyad_form form_of(const assay_evidence *evidence, bool within) {
    const assay_protocol_kind kind = evidence->protocol.kind;
    const bool cross = kind == ASSAY_PROTOCOL_CROSS || kind == ASSAY_PROTOCOL_ONE_PER_SUBJECT ||
                       assay_sample_table_has_roles(&evidence->table);
    if (within) return cross ? ASSAY_FORM_CROSS_WITHIN : ASSAY_FORM_WITHIN;
    return cross ? ASSAY_FORM_CROSS_BETWEEN : ASSAY_FORM_BETWEEN;
}

assay_status sampling_cell_open(const sampling_split *split, uint32_t a, uint32_t b,
                                bool use_attempted, sampling_cell *out) {
    const assay_sampling *sampling = split->sampling;
    sampling_cell cell = {.split = split, .index = assay_partition_cell(&split->partition, a, b)};
    bool alike = split->partition.alike > 0;
    assay_status status =
        alike ? gather_parts(&cell, use_attempted) : merge_members(&cell, a, b, use_attempted);
    uint32_t subjects = cell.design.subjects;
    size_t listed = 0;
    if (status == ASSAY_OK && sampling_is_list(sampling)) {
        status = count_listed(&cell, use_attempted, &listed);
        if (status == ASSAY_OK)
            status = assay_dyad_design_of_list(cell.listed, listed, subjects, &cell.design);
    } else if (status == ASSAY_OK && alike) {
        status = assay_dyad_design_of_parts(form_of(sampling->evidence, true),
                                            cell.parts, cell.part_start, subjects,
                                            split->partition.alike, &cell.design);
    } else if (status == ASSAY_OK) {
        status = assay_dyad_design_create(form_of(sampling->evidence, a == b),
                                          cell.holdings, subjects, &cell.design);
        if (status == ASSAY_OK && split->failed_start) {
            status =
                count_pairs(&cell, &sampling->failed, split->failed, split->failed_start, &listed);
            if (status == ASSAY_OK) assay_dyad_design_lessen(&cell.design, cell.listed, listed);
        }
    }
    if (status == ASSAY_OK)
        status = assay_allocate(&cell.s, subjects, sizeof *cell.s, "subjects of a cell");
    uint64_t begin = split->match_start[cell.index], end = split->match_start[cell.index + 1];
    if (status == ASSAY_OK)
        status = assay_allocate(&cell.left, end - begin, sizeof *cell.left, "matches of a cell");
    if (status == ASSAY_OK) {
        if (end > begin)
            memcpy(cell.left, split->matches + begin, (end - begin) * sizeof *cell.left);
        cell.left_count = end - begin;
        *out = cell;
    } else {
        sampling_cell_close(&cell);
    }
    return status;
}

void sampling_cell_close(sampling_cell *cell) {
    assay_dyad_design_free(&cell->design);
    free(cell->holdings);
    free(cell->parts);
    free(cell->part_start);
    free(cell->listed);
    free(cell->left);
    free(cell->s);
    *cell = (sampling_cell){0};
}

assay_dyad_sums sampling_cell_sums(sampling_cell *cell, uint64_t matches) {
    const assay_row_pair *pairs = cell->split->sampling->matches.pairs;
    assay_dyad_counter counter = assay_dyads_start(&cell->design, cell->s);
    uint32_t last_i = 0, last_j = 0;
    uint64_t kept = 0, same = 0;
    for (uint64_t n = 0; n < cell->left_count; ++n) {
        uint32_t match = cell->left[n], i, j;
        if (match >= matches) continue;
        cell->left[kept++] = match;
        places_of(cell->split, pairs[match], &i, &j);
        if (same && (i != last_i || j != last_j)) {
            assay_dyads_add(&counter, last_i, last_j, same);
            same = 0;
        }
        last_i = i;
        last_j = j;
        ++same;
    }
    if (same) assay_dyads_add(&counter, last_i, last_j, same);
    cell->left_count = kept;
    return assay_dyads_finish(&counter);
}
