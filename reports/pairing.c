/* pairing -- two releases on the same comparisons (pairing.h). */
#include "reports/pairing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/sampling_private.h"

/* ---- the same comparisons ---- */

static bool same_text(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_protocol(const assay_protocol *a, const assay_protocol *b) {
    if (a->kind != b->kind || a->same_session != b->same_session ||
        a->pair_count != b->pair_count || a->pick_seed != b->pick_seed)
        return false;
    if (!same_text(a->role_column, b->role_column) ||
        !same_text(a->reference_value, b->reference_value) ||
        !same_text(a->probe_value, b->probe_value))
        return false;
    return !a->pair_count || (!memcmp(a->pairs, b->pairs, a->pair_count * sizeof *a->pairs) &&
                              !memcmp(a->reversed, b->reversed, a->pair_count));
}

const char *assay_pairing_fault(const assay_evidence *a, const assay_evidence *b) {
    if (!assay_evidence_has_samples(a) || !assay_evidence_has_samples(b))
        return "the scores came without subject ids, so nothing says which comparisons are the "
               "same";
    if (!assay_digest_equal(&a->dataset_digest, &b->dataset_digest) ||
        a->table.row_count != b->table.row_count ||
        a->table.subject_count != b->table.subject_count)
        return "the releases were evaluated on different data sets";
    if (!same_protocol(&a->protocol, &b->protocol))
        return "the releases were compared under different protocols";
    return NULL;
}

/* ---- opening ---- */

typedef struct {
    uint64_t rank;
    uint32_t i, j;
} ranked;

static int by_rows(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static assay_status rank_mated(const assay_evidence *evidence, ranked **out) {
    assay_status status =
        assay_allocate(out, evidence->mated_count, sizeof **out, "mated comparisons");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < evidence->mated_count; ++n)
        (*out)[n] = (ranked){n, evidence->mated[n].i, evidence->mated[n].j};
    if (evidence->mated_count) qsort(*out, evidence->mated_count, sizeof **out, by_rows);
    return ASSAY_OK;
}

/* Rank of a pair; at goes along the list as pairs rise. */
static uint64_t rank_of(const ranked *list, uint64_t count, assay_row_pair pair, uint64_t *at) {
    ranked wanted = {0, pair.i, pair.j};
    while (*at < count && by_rows(&list[*at], &wanted) < 0) ++*at;
    return *at < count && by_rows(&list[*at], &wanted) == 0 ? list[*at].rank : ASSAY_NO_RANK;
}

static void list_trials(const assay_same_subject *same, const ranked *in_a, const ranked *in_b,
                        assay_pairing *made) {
    const assay_sampling *a = made->a, *b = made->b;
    const assay_sample_table *table = &a->evidence->table;
    uint64_t at_a = 0, at_b = 0;
    for (uint64_t n = 0; n < same->count; ++n) {
        assay_row_pair pair = same->pairs[n];
        if (same->relation[n] != ASSAY_RELATION_MATED) continue;
        uint64_t rank_a = rank_of(in_a, a->evidence->mated_count, pair, &at_a);
        uint64_t rank_b = rank_of(in_b, b->evidence->mated_count, pair, &at_b);
        bool by_a = a->attempted[pair.i] && a->attempted[pair.j];
        bool by_b = b->attempted[pair.i] && b->attempted[pair.j];
        made->only_a += by_a && !by_b;
        made->only_b += by_b && !by_a;
        if (!by_a || !by_b) continue;
        uint8_t direction = (uint8_t)assay_protocol_direction(&a->evidence->protocol, table,
                                                              a->roles, pair.i, pair.j);
        made->trials[made->trial_count++] =
            (assay_paired_trial){rank_a,
                                 rank_b,
                                 pair.i,
                                 pair.j,
                                 assay_probe_of(direction, pair.i, pair.j),
                                 table->subject[pair.i]};
    }
}

assay_status assay_pairing_open(const assay_sampling *a, const assay_sampling *b,
                                assay_pairing *out) {
    assay_pairing made = {.a = a, .b = b};
    assay_same_subject same = {0};
    ranked *in_a = NULL, *in_b = NULL;
    assay_status status =
        assay_protocol_same_subject(&a->evidence->protocol, &a->evidence->table, a->roles, &same);
    if (status == ASSAY_OK) status = rank_mated(a->evidence, &in_a);
    if (status == ASSAY_OK) status = rank_mated(b->evidence, &in_b);
    if (status == ASSAY_OK)
        status = assay_allocate(&made.trials, same.count, sizeof *made.trials, "mated comparisons");
    if (status == ASSAY_OK) {
        list_trials(&same, in_a, in_b, &made);
        *out = made;
    }
    free(in_a);
    free(in_b);
    assay_same_subject_free(&same);
    return status;
}

void assay_pairing_close(assay_pairing *pairing) {
    free(pairing->trials);
    *pairing = (assay_pairing){0};
}

/* ---- false matches of both in one cell ---- */

typedef struct {
    sampling_cell a, b;
    assay_dyad_sums sums_a, sums_b;
    assay_dyad_products products;
} cell_pair;

static void cell_pair_close(cell_pair *cells) {
    sampling_cell_close(&cells->a);
    sampling_cell_close(&cells->b);
    *cells = (cell_pair){0};
}

/* One pair of subjects of a cell's false matches, which stand together. */
typedef struct {
    uint64_t key, count;
} matched_dyad;

static uint64_t key_of(const sampling_cell *cell, uint32_t match) {
    const assay_sampling *sampling = cell->split->sampling;
    const uint32_t *subject = sampling->evidence->table.subject;
    assay_row_pair pair = sampling->matches.pairs[match];
    uint32_t i = subject[pair.i], j = subject[pair.j];
    return (uint64_t)(i < j ? i : j) << 32 | (i < j ? j : i);
}

static matched_dyad next_dyad(const sampling_cell *cell, uint64_t *at) {
    matched_dyad out = {UINT64_MAX, 0};
    if (*at < cell->left_count) out.key = key_of(cell, cell->left[*at]);
    for (; *at < cell->left_count && key_of(cell, cell->left[*at]) == out.key; ++*at) ++out.count;
    return out;
}

static double comparisons_of(const sampling_cell *cell, uint64_t key) {
    const uint32_t *place = cell->split->place_of;
    return (double)assay_dyad_comparisons(&cell->design, place[key >> 32], place[key & UINT32_MAX]);
}

static assay_dyad_products multiply(const cell_pair *cells) {
    double both = 0, a_times_b = 0, b_times_a = 0;
    uint64_t x = 0, y = 0;
    matched_dyad a = next_dyad(&cells->a, &x), b = next_dyad(&cells->b, &y);
    while (a.count || b.count) {
        uint64_t key = a.key < b.key ? a.key : b.key;
        bool in_a = a.count && a.key == key, in_b = b.count && b.key == key;
        if (in_a && in_b) both += (double)a.count * (double)b.count;
        if (in_a) a_times_b += (double)a.count * comparisons_of(&cells->b, key);
        if (in_b) b_times_a += (double)b.count * comparisons_of(&cells->a, key);
        if (in_a) a = next_dyad(&cells->a, &x);
        if (in_b) b = next_dyad(&cells->b, &y);
    }
    double m_both = assay_dyad_designs_product(&cells->a.design, &cells->b.design);
    return assay_dyads_products(&cells->sums_a, cells->a.s, &cells->sums_b, cells->b.s,
                                cells->a.design.subjects, m_both, both, a_times_b, b_times_a);
}

/* What has no false matches to count (below the tail) has sums of nothing. */
static assay_status cell_pair_open(const sampling_split *split_a, const sampling_split *split_b,
                                   uint32_t group, const assay_cut *cut_a, const assay_cut *cut_b,
                                   cell_pair *out) {
    cell_pair cells = {0};
    assay_status status = sampling_cell_open(split_a, group, group, false, &cells.a);
    if (status == ASSAY_OK) status = sampling_cell_open(split_b, group, group, false, &cells.b);
    if (status != ASSAY_OK) {
        cell_pair_close(&cells);
        return status;
    }
    cells.sums_a = sampling_cell_sums(&cells.a, cut_a->fmr_reason ? 0 : cut_a->matches);
    cells.sums_b = sampling_cell_sums(&cells.b, cut_b->fmr_reason ? 0 : cut_b->matches);
    cells.products = multiply(&cells);
    *out = cells;
    return ASSAY_OK;
}

/* ---- one walk ---- */

enum {
    ATTEMPTED,
    MISSED_A,
    MISSED_B,
    ATTEMPTED_ONLY_A,
    ATTEMPTED_ONLY_B,
    COMPLETED,
    COMPLETED_ONLY_A,
    COMPLETED_ONLY_B,
    TRIED,
    FAILED_A,
    FAILED_B,
    FAILED_ONLY_A,
    FAILED_ONLY_B,
    ARRAYS
};

typedef struct {
    const assay_pairing *pairing;
    const assay_partition *partition;
    const assay_cut *cut_a, *cut_b;
    sampling_split all_a, all_b; /* everybody, by which subjects have their places */
    cell_pair everybody;
    assay_slope_window window_a, window_b; /* empty where the threshold is taken as given */
    bool moves_a, moves_b;                 /* the threshold has an error of its own */
    double *arrays[ARRAYS];                /* [subjects] */
    double *shift_attempted, *shift_completed;
    assay_interval *fmr_a, *fmr_b; /* [groups] */
} pairing_walk;

static bool has_own_error(const assay_cut *cut) {
    return !isnan(cut->set_for) && !cut->fmr_reason && !cut->fnmr_reason && cut->matches;
}

static assay_slope_window window_of(const assay_sampling *sampling, const assay_cut *cut,
                                    const assay_dyad_sums *sums) {
    return assay_slope_at(&sampling->tail, sums->trials, &sampling->mated, cut->set_for,
                          assay_slope_reach(sums));
}

static assay_status group_intervals(const assay_sampling *sampling,
                                    const assay_partition *partition, const assay_cut *cut,
                                    assay_interval **out) {
    assay_interval *others = NULL, *fmr = NULL;
    size_t groups = partition->groups;
    assay_status status = assay_allocate(&fmr, groups, sizeof *fmr, "intervals");
    if (status == ASSAY_OK)
        status = assay_allocate(&others, 3 * groups, sizeof *others, "intervals");
    assay_group_intervals into = {
        .fmr = fmr, .fnmr = others, .gfnmr = others + groups, .fte = others + 2 * groups};
    if (status == ASSAY_OK) status = assay_sampling_groups(sampling, partition, cut, 1, &into);
    if (status == ASSAY_OK)
        *out = fmr;
    else
        free(fmr);
    free(others);
    return status;
}

static assay_status walk_open(pairing_walk *walk, const assay_partition *all) {
    const assay_pairing *pairing = walk->pairing;
    assay_status status = sampling_split_open(pairing->a, all, false, &walk->all_a);
    if (status == ASSAY_OK) status = sampling_split_open(pairing->b, all, false, &walk->all_b);
    if (status == ASSAY_OK)
        status = cell_pair_open(&walk->all_a, &walk->all_b, 0, walk->cut_a, walk->cut_b,
                                &walk->everybody);
    if (status != ASSAY_OK) return status;
    size_t subjects = walk->everybody.a.design.subjects;
    for (int n = 0; status == ASSAY_OK && n < ARRAYS; ++n)
        status = assay_allocate(&walk->arrays[n], subjects, sizeof(double), "paired comparisons");
    if (status == ASSAY_OK)
        status = assay_allocate(&walk->shift_attempted, subjects, sizeof(double), "shifts");
    if (status == ASSAY_OK)
        status = assay_allocate(&walk->shift_completed, subjects, sizeof(double), "shifts");
    walk->moves_a = has_own_error(walk->cut_a);
    walk->moves_b = has_own_error(walk->cut_b);
    if (walk->moves_a) walk->window_a = window_of(pairing->a, walk->cut_a, &walk->everybody.sums_a);
    if (walk->moves_b) walk->window_b = window_of(pairing->b, walk->cut_b, &walk->everybody.sums_b);
    if (status == ASSAY_OK)
        status = group_intervals(pairing->a, walk->partition, walk->cut_a, &walk->fmr_a);
    if (status == ASSAY_OK)
        status = group_intervals(pairing->b, walk->partition, walk->cut_b, &walk->fmr_b);
    return status;
}

static void walk_close(pairing_walk *walk) {
    for (int n = 0; n < ARRAYS; ++n) free(walk->arrays[n]);
    free(walk->shift_attempted);
    free(walk->shift_completed);
    free(walk->fmr_a);
    free(walk->fmr_b);
    cell_pair_close(&walk->everybody);
    sampling_split_close(&walk->all_a);
    sampling_split_close(&walk->all_b);
}

/* Mated comparisons of a group and of the windows in which the slopes are read. */
typedef struct {
    double attempted, completed;
    double window_a, window_b, completed_window_a, completed_window_b;
} group_totals;

static bool within(const assay_slope_window *window, uint64_t rank) {
    return rank >= window->from && rank < window->to;
}

static uint32_t group_of_trial(const assay_partition *partition, const assay_paired_trial *trial) {
    if (!partition->mated_group) return partition->group_of_row[trial->probe];
    return partition->mated_group(partition->context, trial->i, trial->j, trial->probe);
}

static void count_trials(pairing_walk *walk, uint32_t group, group_totals *totals) {
    double **arrays = walk->arrays;
    uint64_t matched_a = walk->cut_a->matched, matched_b = walk->cut_b->matched;
    for (uint64_t n = 0; n < walk->pairing->trial_count; ++n) {
        const assay_paired_trial *trial = &walk->pairing->trials[n];
        if (group_of_trial(walk->partition, trial) != group) continue;
        uint32_t place = walk->all_a.place_of[trial->subject];
        bool miss_a = trial->rank_a >= matched_a, miss_b = trial->rank_b >= matched_b;
        bool done = trial->rank_a != ASSAY_NO_RANK && trial->rank_b != ASSAY_NO_RANK;
        bool near_a = within(&walk->window_a, trial->rank_a);
        bool near_b = within(&walk->window_b, trial->rank_b);
        arrays[ATTEMPTED][place] += 1;
        arrays[MISSED_A][place] += miss_a;
        arrays[MISSED_B][place] += miss_b;
        arrays[ATTEMPTED_ONLY_A][place] += miss_a && !miss_b;
        arrays[ATTEMPTED_ONLY_B][place] += miss_b && !miss_a;
        totals->attempted += 1;
        totals->window_a += near_a;
        totals->window_b += near_b;
        if (!done) continue;
        arrays[COMPLETED][place] += 1;
        arrays[COMPLETED_ONLY_A][place] += miss_a && !miss_b;
        arrays[COMPLETED_ONLY_B][place] += miss_b && !miss_a;
        totals->completed += 1;
        totals->completed_window_a += near_a;
        totals->completed_window_b += near_b;
    }
}

static void count_samples(pairing_walk *walk, uint32_t group) {
    const assay_sampling *a = walk->pairing->a, *b = walk->pairing->b;
    const assay_sample_table *table = &a->evidence->table;
    double **arrays = walk->arrays;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        if (walk->partition->group_of_row[row] != group || !a->attempted[row] || !b->attempted[row])
            continue;
        uint32_t place = walk->all_a.place_of[table->subject[row]];
        bool failed_a = !a->enrolled[row], failed_b = !b->enrolled[row];
        arrays[TRIED][place] += 1;
        arrays[FAILED_A][place] += failed_a;
        arrays[FAILED_B][place] += failed_b;
        arrays[FAILED_ONLY_A][place] += failed_a && !failed_b;
        arrays[FAILED_ONLY_B][place] += failed_b && !failed_a;
    }
}

static double slope_of(const assay_slope_window *window, double scores, double of, double set_for) {
    return of > 0 ? assay_slope_value(window, scores / of, set_for) : 0;
}

/* S_i and the sum over pairs of subjects for two slopes, each 0 where a threshold is given. */
static assay_threshold_shift shift_by(const pairing_walk *walk, double slope_a, double slope_b,
                                      double *shift) {
    const cell_pair *all = &walk->everybody;
    double a = all->sums_a.trials ? slope_a / (double)all->sums_a.trials : 0;
    double b = all->sums_b.trials ? slope_b / (double)all->sums_b.trials : 0;
    for (uint32_t n = 0; n < all->a.design.subjects; ++n)
        shift[n] = b * all->b.s[n] - a * all->a.s[n];
    return (assay_threshold_shift){.shift = shift,
                                   .pairs = b * b * all->sums_b.pairs + a * a * all->sums_a.pairs -
                                            2 * a * b * all->products.pairs};
}

static void point_arrays(const pairing_walk *walk, assay_paired_cell *cell) {
    double *const *arrays = walk->arrays;
    cell->subjects = walk->everybody.a.design.subjects;
    cell->attempted = arrays[ATTEMPTED];
    cell->missed_a = arrays[MISSED_A];
    cell->missed_b = arrays[MISSED_B];
    cell->attempted_only_a = arrays[ATTEMPTED_ONLY_A];
    cell->attempted_only_b = arrays[ATTEMPTED_ONLY_B];
    cell->completed = arrays[COMPLETED];
    cell->completed_only_a = arrays[COMPLETED_ONLY_A];
    cell->completed_only_b = arrays[COMPLETED_ONLY_B];
    cell->tried = arrays[TRIED];
    cell->failed_a = arrays[FAILED_A];
    cell->failed_b = arrays[FAILED_B];
    cell->failed_only_a = arrays[FAILED_ONLY_A];
    cell->failed_only_b = arrays[FAILED_ONLY_B];
    cell->mated_reason =
        walk->cut_a->fnmr_reason ? walk->cut_a->fnmr_reason : walk->cut_b->fnmr_reason;
}

static assay_status show_group(pairing_walk *walk, uint32_t group, const cell_pair *cells,
                               assay_pairing_visit visit, void *context) {
    assay_paired_cell cell = {.fmr_a = cells->sums_a,
                              .fmr_b = cells->sums_b,
                              .fmr_interval_a = walk->fmr_a[group],
                              .fmr_interval_b = walk->fmr_b[group],
                              .products = cells->products};
    group_totals totals = {0};
    const cell_pair *all = &walk->everybody;
    for (int n = 0; n < ARRAYS; ++n)
        memset(walk->arrays[n], 0, all->a.design.subjects * sizeof(double));
    count_trials(walk, group, &totals);
    count_samples(walk, group);
    point_arrays(walk, &cell);
    double for_a = walk->cut_a->set_for, for_b = walk->cut_b->set_for;
    double slope_b = slope_of(&walk->window_b, totals.window_b, totals.attempted, for_b);
    assay_threshold_shift attempted =
        shift_by(walk, slope_of(&walk->window_a, totals.window_a, totals.attempted, for_a), slope_b,
                 walk->shift_attempted);
    assay_threshold_shift completed = shift_by(
        walk, slope_of(&walk->window_a, totals.completed_window_a, totals.completed, for_a),
        slope_of(&walk->window_b, totals.completed_window_b, totals.completed, for_b),
        walk->shift_completed);
    assay_threshold_error error = {&all->sums_b, all->b.s, slope_b};
    if (walk->moves_a || walk->moves_b) {
        cell.attempted_shift = &attempted;
        cell.completed_shift = &completed;
    }
    if (walk->moves_b) cell.attempted_error_b = &error;
    return visit(context, group, &cell);
}

static assay_status walk_groups(pairing_walk *walk, assay_pairing_visit visit, void *context) {
    sampling_split split_a = {0}, split_b = {0};
    const assay_pairing *pairing = walk->pairing;
    assay_status status = sampling_split_open(pairing->a, walk->partition, false, &split_a);
    if (status == ASSAY_OK)
        status = sampling_split_open(pairing->b, walk->partition, false, &split_b);
    for (uint32_t group = 0; status == ASSAY_OK && group < walk->partition->groups; ++group) {
        cell_pair cells = {0};
        status = cell_pair_open(&split_a, &split_b, group, walk->cut_a, walk->cut_b, &cells);
        if (status == ASSAY_OK) status = show_group(walk, group, &cells, visit, context);
        cell_pair_close(&cells);
    }
    sampling_split_close(&split_a);
    sampling_split_close(&split_b);
    return status;
}

assay_status assay_pairing_walk(const assay_pairing *pairing, const assay_partition *partition,
                                const assay_cut *cut_a, const assay_cut *cut_b,
                                assay_pairing_visit visit, void *context) {
    assay_partition within_groups = *partition, all;
    pairing_walk walk = {
        .pairing = pairing, .partition = &within_groups, .cut_a = cut_a, .cut_b = cut_b};
    uint32_t *one = NULL;
    within_groups.between = false;
    assay_status status = assay_allocate(&one, pairing->a->evidence->table.row_count, sizeof *one,
                                         "one group of all");
    all = (assay_partition){.group_of_row = one, .groups = 1};
    if (status == ASSAY_OK) status = walk_open(&walk, &all);
    if (status == ASSAY_OK) status = walk_groups(&walk, visit, context);
    walk_close(&walk);
    free(one);
    return status;
}

assay_status assay_pairing_all(const assay_pairing *pairing, const assay_cut *cut_a,
                               const assay_cut *cut_b, assay_pairing_visit visit, void *context) {
    uint32_t *one = NULL;
    assay_status status = assay_allocate(&one, pairing->a->evidence->table.row_count, sizeof *one,
                                         "one group of all");
    assay_partition all = {.group_of_row = one, .groups = 1};
    if (status == ASSAY_OK)
        status = assay_pairing_walk(pairing, &all, cut_a, cut_b, visit, context);
    free(one);
    return status;
}

/* ---- what a cell says ---- */

assay_difference assay_paired_gfnmr(const assay_paired_cell *cell, double alpha) {
    assay_paired_clusters clusters = {cell->attempted_only_b, cell->attempted_only_a,
                                      cell->attempted, cell->subjects};
    if (cell->mated_reason) return assay_difference_unknown(cell->mated_reason);
    return assay_paired_difference(&clusters, cell->attempted_shift, alpha);
}

assay_difference assay_paired_fnmr(const assay_paired_cell *cell, double alpha) {
    assay_paired_clusters clusters = {cell->completed_only_b, cell->completed_only_a,
                                      cell->completed, cell->subjects};
    if (cell->mated_reason) return assay_difference_unknown(cell->mated_reason);
    return assay_paired_difference(&clusters, cell->completed_shift, alpha);
}

assay_difference assay_paired_fte(const assay_paired_cell *cell, double alpha) {
    assay_paired_clusters clusters = {cell->failed_only_b, cell->failed_only_a, cell->tried,
                                      cell->subjects};
    return assay_paired_difference(&clusters, NULL, alpha);
}

assay_interval assay_paired_gfnmr_of_b(const assay_paired_cell *cell, double alpha) {
    assay_clusters clusters = {
        .errors = cell->missed_b, .comparisons = cell->attempted, .count = cell->subjects};
    if (cell->mated_reason) return assay_interval_unknown(cell->mated_reason);
    if (cell->attempted_error_b)
        return assay_clusters_interval_at(&clusters, cell->attempted_error_b, alpha);
    return assay_clusters_interval(&clusters, alpha);
}

assay_interval assay_paired_fte_of_b(const assay_paired_cell *cell, double alpha) {
    assay_clusters clusters = {
        .errors = cell->failed_b, .comparisons = cell->tried, .count = cell->subjects};
    return assay_clusters_interval(&clusters, alpha);
}

assay_status assay_paired_swap_p(const assay_paired_cell *cell, double *out) {
    int64_t *differences = NULL;
    assay_status status =
        assay_allocate(&differences, cell->subjects, sizeof *differences, "differences");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < cell->subjects; ++n)
        differences[n] = (int64_t)(cell->attempted_only_b[n] - cell->attempted_only_a[n]);
    *out = assay_sign_swap_p(differences, cell->subjects);
    free(differences);
    return ASSAY_OK;
}
