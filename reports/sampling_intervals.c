/* sampling_intervals -- intervals of everybody and of groups at given thresholds (sampling.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/sampling_private.h"

/* ---- false matches ---- */

/* A threshold that is looked at, from the lowest up: one that was asked for, or an anchor. */
typedef struct {
    uint64_t matches;
    size_t index; /* of the cut, or of the anchor */
    bool anchor;
} cell_stop;

static int most_matches_first(const void *a, const void *b) {
    const cell_stop *x = a, *y = b;
    if (x->matches != y->matches) return x->matches < y->matches ? 1 : -1;
    if (x->anchor != y->anchor) return x->anchor ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Room for one cell at a number of cuts, used again for the next cell. */
typedef struct {
    const assay_cut *cuts;
    size_t count;
    cell_stop *stops;      /* [count + SAMPLING_ANCHORS_MOST] */
    assay_dyad_sums *sums; /* [count] */
    assay_clustering_anchor anchors[SAMPLING_ANCHORS_MOST];
    size_t anchor_count;
} cell_room;

static assay_status room_open(const assay_cut *cuts, size_t count, cell_room *out) {
    cell_room room = {.cuts = cuts, .count = count};
    assay_status status = assay_allocate(&room.stops, count + SAMPLING_ANCHORS_MOST,
                                         sizeof *room.stops, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&room.sums, count, sizeof *room.sums, "thresholds");
    if (status == ASSAY_OK)
        *out = room;
    else
        free(room.stops);
    return status;
}

static void room_close(cell_room *room) {
    free(room->stops);
    free(room->sums);
    *room = (cell_room){0};
}

static size_t list_stops(cell_room *room, const struct sampling_anchors *anchors) {
    size_t stops = 0;
    for (size_t n = 0; n < room->count; ++n)
        if (!room->cuts[n].fmr_reason)
            room->stops[stops++] = (cell_stop){.matches = room->cuts[n].matches, .index = n};
    for (uint32_t n = 0; n < anchors->count; ++n)
        room->stops[stops++] =
            (cell_stop){.matches = anchors->matches[n], .index = n, .anchor = true};
    qsort(room->stops, stops, sizeof *room->stops, most_matches_first);
    return stops;
}

/* What a caller does at each of its cuts while the cell's s are those of that cut; may be NULL. */
typedef void (*at_cut)(void *context, size_t cut, const assay_dyad_sums *sums, const double *s);

static void walk(cell_room *room, sampling_cell *cell, at_cut visit, void *context) {
    const struct sampling_anchors *anchors = &cell->split->anchors[cell->index];
    const assay_score_list *tail = &cell->split->sampling->tail;
    size_t stops = list_stops(room, anchors);
    room->anchor_count = anchors->count;
    for (size_t n = 0; n < stops; ++n) {
        const cell_stop *stop = &room->stops[n];
        assay_dyad_sums sums = sampling_cell_sums(cell, stop->matches);
        if (stop->anchor) {
            room->anchors[stop->index] =
                (assay_clustering_anchor){.threshold = assay_score_at(tail, stop->matches - 1),
                                          .clustering = sums.clustering,
                                          .errors = sums.errors};
            continue;
        }
        room->sums[stop->index] = sums;
        if (visit) visit(context, stop->index, &sums, cell->s);
    }
}

static assay_interval fmr_interval(const cell_room *room, size_t cut, double alpha) {
    const assay_cut *at = &room->cuts[cut];
    if (at->fmr_reason) return assay_interval_unknown(at->fmr_reason);
    const assay_dyad_sums *sums = &room->sums[cut];
    double floor_value = 0;
    bool known = assay_clustering_floor(room->anchors, room->anchor_count, at->threshold,
                                        sums->errors, &floor_value);
    return assay_dyadic_interval(sums, known, floor_value, alpha);
}

/* ---- false non-matches ---- */

/* Mated comparisons of a group by the place of their subject. */
typedef struct {
    double *completed, *attempted, *weights; /* [places] weights: of subjects that count alike */
    double *missed, *missed_of_attempted;    /* [places] at the threshold that was counted last */
    size_t places;
    double completed_total, attempted_total, subjects; /* subjects with completed ones */
} mated_counts;

static void counts_close(mated_counts *counts) {
    free(counts->completed);
    free(counts->attempted);
    free(counts->weights);
    free(counts->missed);
    free(counts->missed_of_attempted);
    *counts = (mated_counts){0};
}

static assay_status counts_open(const sampling_split *split, uint32_t group, size_t places,
                                mated_counts *out) {
    mated_counts counts = {.places = places};
    double **arrays[] = {&counts.completed, &counts.attempted, &counts.weights, &counts.missed,
                         &counts.missed_of_attempted};
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof arrays / sizeof *arrays; ++n)
        status = assay_allocate(arrays[n], places, sizeof **arrays[n], "mated pairs by subject");
    if (status != ASSAY_OK) {
        counts_close(&counts);
        return status;
    }
    for (uint64_t n = split->trial_start[group]; n < split->trial_start[group + 1]; ++n) {
        const sampling_trial *trial = &split->sampling->trials[split->trials[n]];
        uint32_t place = split->place_of[trial->subject];
        counts.completed[place] += trial->rank != SAMPLING_NO_RANK;
        counts.attempted[place] += 1;
    }
    for (size_t n = 0; n < places; ++n) {
        counts.completed_total += counts.completed[n];
        counts.attempted_total += counts.attempted[n];
        counts.subjects += counts.completed[n] > 0;
        counts.weights[n] = counts.completed[n] > 0 ? 1 / counts.completed[n] : 0;
    }
    *out = counts;
    return ASSAY_OK;
}

static void count_misses(const sampling_split *split, uint32_t group, uint64_t matched,
                         mated_counts *counts) {
    memset(counts->missed, 0, counts->places * sizeof *counts->missed);
    memset(counts->missed_of_attempted, 0, counts->places * sizeof *counts->missed);
    for (uint64_t n = split->trial_start[group]; n < split->trial_start[group + 1]; ++n) {
        const sampling_trial *trial = &split->sampling->trials[split->trials[n]];
        if (trial->rank < matched) continue;
        uint32_t place = split->place_of[trial->subject];
        counts->missed[place] += trial->rank != SAMPLING_NO_RANK;
        counts->missed_of_attempted[place] += 1;
    }
}

typedef enum { OF_COMPLETED, OF_ATTEMPTED, OF_SUBJECTS } mated_kind;

static assay_clusters clusters_of(const mated_counts *counts, mated_kind kind) {
    bool attempted = kind == OF_ATTEMPTED;
    return (assay_clusters){.errors = attempted ? counts->missed_of_attempted : counts->missed,
                            .comparisons = attempted ? counts->attempted : counts->completed,
                            .weights = kind == OF_SUBJECTS ? counts->weights : NULL,
                            .count = counts->places};
}

static assay_interval fnmr_interval(const mated_counts *counts, mated_kind kind,
                                    const assay_cut *cut, double alpha) {
    if (cut->fnmr_reason) return assay_interval_unknown(cut->fnmr_reason);
    assay_clusters clusters = clusters_of(counts, kind);
    return assay_clusters_interval(&clusters, alpha);
}

/* ---- everybody ---- */

typedef struct {
    const sampling_split *split;
    const assay_cut *cuts;
    mated_counts counts;
    assay_point_intervals *out;
} everybody;

/* Share of mated comparisons in the window, each counting what kind says. */
static double share_of(const everybody *job, const assay_slope_window *window, mated_kind kind) {
    const mated_counts *counts = &job->counts;
    const assay_evidence *evidence = job->split->sampling->evidence;
    double scores = (double)(window->to - window->from);
    if (kind == OF_COMPLETED) return scores / counts->completed_total;
    if (kind == OF_ATTEMPTED) return scores / counts->attempted_total;
    double sum = 0;
    for (uint64_t n = window->from; n < window->to; ++n) {
        uint32_t subject = evidence->table.subject[evidence->mated[n].i];
        sum += counts->weights[job->split->place_of[subject]];
    }
    return sum / counts->subjects;
}

static void set_fnmr(const everybody *job, size_t cut, const assay_threshold_error *error) {
    static const mated_kind kinds[] = {OF_COMPLETED, OF_ATTEMPTED, OF_SUBJECTS};
    assay_point_intervals *out = &job->out[cut];
    assay_interval *into[] = {&out->fnmr, &out->gfnmr, &out->subject_fnmr};
    const assay_sampling *sampling = job->split->sampling;
    const assay_cut *at = &job->cuts[cut];
    assay_slope_window window = {0};
    if (error)
        window = assay_slope_at(&sampling->tail, error->sums->trials, &sampling->mated, at->set_for,
                                assay_slope_reach(error->sums));
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; ++n) {
        if (!error) {
            *into[n] = fnmr_interval(&job->counts, kinds[n], at, ASSAY_INTERVAL_ALPHA);
            continue;
        }
        assay_threshold_error own = *error;
        own.slope = assay_slope_value(&window, share_of(job, &window, kinds[n]), at->set_for);
        assay_clusters clusters = clusters_of(&job->counts, kinds[n]);
        *into[n] = assay_clusters_interval_at(&clusters, &own, ASSAY_INTERVAL_ALPHA);
    }
}

/* Without a false match at it nothing shows how far off a threshold is. */
static bool has_own_error(const assay_cut *cut) {
    return !isnan(cut->set_for) && !cut->fmr_reason && !cut->fnmr_reason && cut->matches;
}

static void visit_everybody(void *context, size_t cut, const assay_dyad_sums *sums,
                            const double *s) {
    everybody *job = context;
    const assay_cut *at = &job->cuts[cut];
    if (!has_own_error(at)) return;
    assay_threshold_error error = {.sums = sums, .s = s};
    count_misses(job->split, 0, at->matched, &job->counts);
    set_fnmr(job, cut, &error);
}

/* FMR of the cell of all, over completed or over attempted comparisons. */
static assay_status fmr_of_all(const assay_sampling *sampling, const assay_partition *all,
                               bool use_attempted, cell_room *room, assay_point_intervals *out) {
    sampling_split split = {0};
    sampling_cell cell = {0};
    everybody job = {.cuts = room->cuts, .out = out};
    assay_status status = sampling_split_open(sampling, all, use_attempted, &split);
    if (status == ASSAY_OK) status = sampling_cell_open(&split, 0, 0, use_attempted, &cell);
    if (status == ASSAY_OK && !use_attempted)
        status = counts_open(&split, 0, cell.design.subjects, &job.counts);
    if (status != ASSAY_OK) goto out;
    job.split = &split;
    walk(room, &cell, use_attempted ? NULL : visit_everybody, &job);
    for (size_t n = 0; n < room->count; ++n) {
        assay_interval interval = fmr_interval(room, n, ASSAY_INTERVAL_ALPHA);
        out[n].gfmr = interval;
        if (use_attempted) continue;
        out[n].fmr = interval;
        if (has_own_error(&room->cuts[n])) continue;
        count_misses(&split, 0, room->cuts[n].matched, &job.counts);
        set_fnmr(&job, n, NULL);
    }
out:
    counts_close(&job.counts);
    sampling_cell_close(&cell);
    sampling_split_close(&split);
    return status;
}

static assay_status all_in_one(const assay_sampling *sampling, uint32_t **out_groups,
                               assay_partition *out) {
    assay_status status = assay_allocate(out_groups, sampling->evidence->table.row_count,
                                         sizeof **out_groups, "one group of all");
    if (status == ASSAY_OK) *out = (assay_partition){.group_of_row = *out_groups, .groups = 1};
    return status;
}

assay_status assay_sampling_points(const assay_sampling *sampling, const assay_cut *cuts,
                                   size_t count, assay_point_intervals *out) {
    uint32_t *groups = NULL;
    assay_partition all;
    cell_room room = {0};
    if (!sampling) {
        const assay_interval none = assay_interval_unknown(ASSAY_NO_SUBJECTS);
        for (size_t n = 0; n < count; ++n)
            out[n] = (assay_point_intervals){none, none, none, none, none};
        return ASSAY_OK;
    }
    assay_status status = all_in_one(sampling, &groups, &all);
    if (status == ASSAY_OK) status = room_open(cuts, count, &room);
    if (status == ASSAY_OK) status = fmr_of_all(sampling, &all, false, &room, out);
    if (status == ASSAY_OK && !sampling->all_completed)
        status = fmr_of_all(sampling, &all, true, &room, out);
    room_close(&room);
    free(groups);
    return status;
}

/* ---- failure to enrol, and groups ---- */

static assay_status enrolment_of(const sampling_split *split, uint32_t group, assay_interval *out) {
    uint64_t begin = split->member_start[group], count = split->member_start[group + 1] - begin;
    double *failed = NULL, *tried = NULL;
    assay_status status = assay_allocate(&failed, count, sizeof *failed, "failures to enrol");
    if (status == ASSAY_OK) status = assay_allocate(&tried, count, sizeof *tried, "samples");
    for (uint64_t n = 0; status == ASSAY_OK && n < count; ++n) {
        failed[n] = split->members[begin + n].failed;
        tried[n] = split->members[begin + n].tried;
    }
    assay_clusters clusters = {.errors = failed, .comparisons = tried, .count = count};
    if (status == ASSAY_OK) *out = assay_clusters_interval(&clusters, ASSAY_INTERVAL_ALPHA);
    free(failed);
    free(tried);
    return status;
}

assay_status assay_sampling_enrolment(const assay_sampling *sampling, assay_interval *out) {
    uint32_t *groups = NULL;
    assay_partition all;
    sampling_split split = {0};
    assay_status status = all_in_one(sampling, &groups, &all);
    if (status == ASSAY_OK) status = sampling_split_open(sampling, &all, false, &split);
    if (status == ASSAY_OK) status = enrolment_of(&split, 0, out);
    sampling_split_close(&split);
    free(groups);
    return status;
}

/* Places of the subjects with mated comparisons in the group, which stand by subject. A mean of two
 * ages may lie in a group that has no sample of the subject. */
static size_t place_trials(const sampling_split *split, uint32_t group) {
    size_t places = 0;
    uint32_t last = 0;
    for (uint64_t n = split->trial_start[group]; n < split->trial_start[group + 1]; ++n) {
        uint32_t subject = split->sampling->trials[split->trials[n]].subject;
        if (!places || subject != last) split->place_of[subject] = (uint32_t)places++;
        last = subject;
    }
    return places;
}

static assay_limits limits_of(assay_interval interval) {
    return (assay_limits){interval.low, interval.high};
}

/* What a group has beside its false matches: false non-matches, and limits of both at other levels.
 */
static assay_status set_group(const sampling_split *split, uint32_t group, const cell_room *room,
                              const assay_group_intervals *out) {
    mated_counts counts = {0};
    assay_status status = counts_open(split, group, place_trials(split, group), &counts);
    for (size_t n = 0; status == ASSAY_OK && n < room->count; ++n) {
        const assay_cut *cut = &room->cuts[n];
        size_t at = group * room->count + n;
        count_misses(split, group, cut->matched, &counts);
        out->fnmr[at] = fnmr_interval(&counts, OF_COMPLETED, cut, ASSAY_INTERVAL_ALPHA);
        out->gfnmr[at] = fnmr_interval(&counts, OF_ATTEMPTED, cut, ASSAY_INTERVAL_ALPHA);
        if (!out->fnmr_limits) continue;
        out->fnmr_limits[at] =
            limits_of(fnmr_interval(&counts, OF_COMPLETED, cut, out->fnmr_alpha));
        out->fmr_limits[at] = limits_of(fmr_interval(room, n, out->fmr_alpha));
    }
    counts_close(&counts);
    return status;
}

static assay_status intervals_of_cell(const sampling_split *split, uint32_t a, uint32_t b,
                                      cell_room *room, const assay_group_intervals *out) {
    sampling_cell cell = {0};
    assay_status status = sampling_cell_open(split, a, b, false, &cell);
    if (status != ASSAY_OK) return status;
    walk(room, &cell, NULL, NULL);
    if (out->trials) out->trials[cell.index] = cell.design.trials;
    for (size_t n = 0; n < room->count; ++n)
        out->fmr[cell.index * room->count + n] = fmr_interval(room, n, ASSAY_INTERVAL_ALPHA);
    if (a == b) status = set_group(split, a, room, out);
    sampling_cell_close(&cell);
    return status;
}

assay_status assay_sampling_alike(const assay_sampling *sampling, const assay_partition *partition,
                                  const assay_cut *cuts, size_t count, uint64_t *out_trials,
                                  uint64_t *out_errors, assay_interval *out) {
    sampling_split split = {0};
    sampling_cell cell = {0};
    cell_room room = {0};
    assay_status status = sampling_split_open(sampling, partition, false, &split);
    if (status == ASSAY_OK) status = room_open(cuts, count, &room);
    if (status == ASSAY_OK) status = sampling_cell_open(&split, 0, 0, false, &cell);
    if (status != ASSAY_OK) goto out;
    walk(&room, &cell, NULL, NULL);
    *out_trials = cell.design.trials;
    for (size_t n = 0; n < count; ++n) {
        out[n] = fmr_interval(&room, n, ASSAY_INTERVAL_ALPHA);
        out_errors[n] = cuts[n].fmr_reason ? 0 : room.sums[n].errors;
    }
out:
    sampling_cell_close(&cell);
    room_close(&room);
    sampling_split_close(&split);
    return status;
}

assay_status assay_sampling_groups(const assay_sampling *sampling, const assay_partition *partition,
                                   const assay_cut *cuts, size_t count,
                                   const assay_group_intervals *out) {
    sampling_split split = {0};
    cell_room room = {0};
    assay_status status = sampling_split_open(sampling, partition, false, &split);
    if (status == ASSAY_OK) status = room_open(cuts, count, &room);
    for (uint32_t a = 0; status == ASSAY_OK && a < partition->groups; ++a) {
        status = enrolment_of(&split, a, &out->fte[a]);
        uint32_t end = partition->between ? partition->groups : a + 1;
        for (uint32_t b = a; status == ASSAY_OK && b < end; ++b)
            status = intervals_of_cell(&split, a, b, &room, out);
    }
    room_close(&room);
    sampling_split_close(&split);
    return status;
}
