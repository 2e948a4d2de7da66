/* figures -- the numbers of a release over everybody; groups are in figures_groups.c (figures.h).
 */
#include "reports/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "reports/figures_private.h"

const char *assay_threshold_source_name(assay_threshold_source source) {
    static const char *const names[] = {[ASSAY_THRESHOLD_EXACT] = "exact",
                                        [ASSAY_THRESHOLD_COARSE] = "coarse",
                                        [ASSAY_THRESHOLD_GIVEN] = "given"};
    return names[source];
}

static void count_enrolment(const assay_sample_table *table, assay_figures *figures) {
    figures->samples = table->row_count;
    figures->subjects = table->subject_count;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        figures->enrolled += table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
        figures->refused += table->enrolment[row] == ASSAY_ENROLMENT_REFUSED;
        figures->failed += table->enrolment[row] == ASSAY_ENROLMENT_FAILED;
        figures->excluded += table->enrolment[row] == ASSAY_ENROLMENT_EXCLUDED;
        figures->not_tried += table->enrolment[row] == ASSAY_ENROLMENT_NONE;
    }
    uint64_t errors = figures->refused + figures->failed;
    figures->fte = assay_rate_of(errors, errors + figures->enrolled);
    if (figures->fte.reason) figures->fte.reason = "no sample reached the algorithm";
    figures->pairs_of_enrolled =
        figures->enrolled ? figures->enrolled * (figures->enrolled - 1) / 2 : 0;
}

typedef struct {
    const assay_digest *digest;
    uint32_t subject;
} image;

static int by_image(const void *a, const void *b) {
    const image *x = a, *y = b;
    int order = memcmp(x->digest->bytes, y->digest->bytes, sizeof x->digest->bytes);
    return order ? order : (x->subject > y->subject) - (x->subject < y->subject);
}

/* Pairs of one image and two subjects: those of the image less those of one subject. */
static assay_status count_identical_images(const assay_sample_table *table,
                                           assay_figures *figures) {
    image *images = NULL;
    uint64_t count = 0, same_image = 0, same_both = 0;
    assay_status status = assay_allocate(&images, table->row_count, sizeof *images, "images");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; ++row)
        if (table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED &&
            !assay_digest_is_zero(&table->image_digest[row]))
            images[count++] = (image){&table->image_digest[row], table->subject[row]};
    if (count) qsort(images, count, sizeof *images, by_image);
    for (uint64_t n = 1; n < count; ++n) {
        bool alike = assay_digest_equal(images[n - 1].digest, images[n].digest);
        same_both = alike && images[n - 1].subject == images[n].subject ? same_both + 1 : 0;
        same_image = alike ? same_image + 1 : 0;
        figures->identical_images += same_image - same_both;
    }
    free(images);
    return ASSAY_OK;
}

/* Rows that were enrolled, and rows that were tried, as the trials functions want them. */
static assay_status take_rows(const assay_evidence *evidence, figures_work *work) {
    const assay_sample_table *table = &evidence->table;
    assay_status status = assay_allocate(&work->enrolled, table->row_count, 1, "enrolled rows");
    if (status == ASSAY_OK)
        status = assay_allocate(&work->attempted, table->row_count, 1, "attempted rows");
    if (status == ASSAY_OK) status = assay_allocate(&work->all, table->row_count, 1, "all rows");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; ++row) {
        uint8_t how = table->enrolment[row];
        work->all[row] = 1;
        work->enrolled[row] = how == ASSAY_ENROLMENT_ENROLLED;
        work->attempted[row] =
            work->enrolled[row] || how == ASSAY_ENROLMENT_REFUSED || how == ASSAY_ENROLMENT_FAILED;
    }
    return ASSAY_OK;
}

static assay_status disagreement(const assay_evidence *evidence, const char *what, uint64_t said,
                                 uint64_t derived) {
    return assay_fail(ASSAY_DISAGREES, "evidence of %s %s: it holds %llu %s, its table gives %llu",
                      evidence->release, evidence->version, (unsigned long long)said, what,
                      (unsigned long long)derived);
}

/* Attempted comparisons; and whether those completed, and those that gave no score, are what the
 * table and protocol imply. */
static assay_status count_attempts(const assay_evidence *evidence, figures_work *work,
                                   assay_figures *figures) {
    const assay_sample_table *table = &evidence->table;
    const assay_protocol *protocol = &evidence->protocol;
    uint64_t completed = 0;
    if (!assay_evidence_has_samples(evidence)) {
        figures->fte.reason = ASSAY_NO_SAMPLES;
        figures->mated_attempted = evidence->mated_count + evidence->failed_mated;
        figures->non_mated_attempted = evidence->non_mated + evidence->failed_non_mated;
        return ASSAY_OK;
    }
    for (uint64_t n = 0; n < work->same.count; ++n) {
        if (work->same.relation[n] != ASSAY_RELATION_MATED) continue;
        assay_row_pair pair = work->same.pairs[n];
        figures->mated_attempted += work->attempted[pair.i] && work->attempted[pair.j];
        completed += work->enrolled[pair.i] && work->enrolled[pair.j];
    }
    uint64_t said = evidence->mated_count + evidence->failed_mated;
    if (completed != said) return disagreement(evidence, "mated comparisons", said, completed);
    uint64_t non_mated = 0;
    assay_status status = assay_protocol_non_mated_trials(
        protocol, table, work->roles, work->enrolled, work->all, work->all, &non_mated);
    if (status != ASSAY_OK) return status;
    said = evidence->non_mated + evidence->failed_non_mated;
    if (non_mated != said) return disagreement(evidence, "non-mated comparisons", said, non_mated);
    return assay_protocol_non_mated_trials(protocol, table, work->roles, work->attempted, work->all,
                                           work->all, &figures->non_mated_attempted);
}

static int most_first(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* Mated comparisons by subject: how many each has, how many the five with most have. */
static assay_status count_mated_subjects(const assay_evidence *evidence, figures_work *work,
                                         assay_figures *figures) {
    const assay_sample_table *table = &evidence->table;
    uint64_t *sorted = NULL;
    if (!assay_evidence_has_samples(evidence)) return ASSAY_OK;
    assay_status status = assay_allocate(&work->subject_mated, table->subject_count,
                                         sizeof *work->subject_mated, "mated pairs by subject");
    if (status == ASSAY_OK)
        status = assay_allocate(&sorted, table->subject_count, sizeof *sorted, "subjects");
    if (status != ASSAY_OK) goto out;
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        const assay_comparison *pair = &evidence->mated[n];
        ++work->subject_mated[table->subject[pair->i]];
        uint32_t a = table->session.codes[pair->i], b = table->session.codes[pair->j];
        if (!a || !b)
            ++figures->mated_session_unknown;
        else
            figures->mated_same_session += a == b;
    }
    for (uint32_t subject = 0; subject < table->subject_count; ++subject) {
        sorted[subject] = work->subject_mated[subject];
        figures->mated_subjects += sorted[subject] > 0;
    }
    qsort(sorted, table->subject_count, sizeof *sorted, most_first);
    for (uint32_t n = 0; n < table->subject_count && n < ASSAY_TOP_SUBJECTS; ++n)
        figures->top_mated += sorted[n];
out:
    free(sorted);
    return status;
}

/* AUC sees every mated score, and the rates cross where FMR is at most FNMR at the tail's end. */
static assay_status say_needs_of_lists(const assay_evidence *evidence, assay_figures *figures) {
    const assay_score_list *mated = &figures->mated, *tail = &figures->tail;
    assay_whole_figures *whole = &figures->whole;
    if (tail->complete || figures->coarse.pairs || !mated->count) return ASSAY_OK;
    assay_status status = assay_allocate(&figures->needs, 1, sizeof *figures->needs, "reasons");
    if (status != ASSAY_OK) return status;
    if (whole->auc.reason) {
        assay_tail_need need = {assay_score_at(mated, mated->count - 1), 0, true};
        whole->auc.reason =
            assay_need_describe(figures->needs->auc, "the lowest mated score", evidence, &need);
    }
    if (!whole->eer.value.reason) return ASSAY_OK;
    uint64_t kept = tail->count ? assay_scores_at_least(mated, assay_tail_floor(evidence)) : 0;
    double missed = (double)(mated->count - kept) / (double)mated->count;
    assay_tail_need need = assay_need_of_target(evidence, &figures->coarse, missed);
    need.most = true;
    whole->eer.value.reason =
        assay_need_describe(figures->needs->eer, "where the rates cross", evidence, &need);
    return ASSAY_OK;
}

static assay_status compute_whole(const assay_evidence *evidence, assay_figures *figures) {
    const assay_score_list *mated = &figures->mated, *tail = &figures->tail;
    assay_whole_figures *whole = &figures->whole;
    whole->mated_mean = assay_list_mean(mated);
    whole->mated_sd = assay_list_sd(mated);
    if (tail->complete) {
        whole->non_mated_mean = assay_list_mean(tail);
        whole->non_mated_sd = assay_list_sd(tail);
        whole->auc = assay_list_auc(mated, tail);
    } else {
        whole->non_mated_mean = assay_coarse_mean(&figures->coarse);
        whole->non_mated_sd = assay_coarse_sd(&figures->coarse);
        whole->auc = assay_coarse_auc(&figures->coarse, mated, tail, evidence->non_mated);
    }
    whole->eer = assay_list_eer(mated, tail, evidence->non_mated);
    if (whole->eer.value.reason && !tail->complete && mated->count)
        whole->eer = assay_coarse_eer(&figures->coarse, mated);
    whole->dprime = assay_dprime(whole->mated_mean, whole->mated_sd, whole->non_mated_mean,
                                 whole->non_mated_sd);
    return say_needs_of_lists(evidence, figures);
}

/* What the tail would have to hold for this point, where it does not reach it. */
static void say_need(const assay_evidence *evidence, const assay_figures *figures,
                     assay_operating_point *point) {
    char what[ASSAY_NUMBER_SIZE];
    bool given = point->kind == ASSAY_POINT_THRESHOLD;
    point->need = given ? assay_need_of_threshold(&figures->coarse, point->threshold)
                        : assay_need_of_target(evidence, &figures->coarse, point->fmr_target);
    assay_need_describe(point->beyond_tail,
                        assay_need_name(what, point->fmr_target, point->threshold), evidence,
                        &point->need);
}

static void find_threshold(const assay_evidence *evidence, const assay_figures *figures,
                           assay_operating_point *point) {
    const assay_score_list *tail = &figures->tail;
    uint64_t allowed = assay_allowed_errors(point->fmr_target, evidence->non_mated);
    if (!evidence->non_mated) {
        point->reason = "no non-mated comparison was made";
    } else if (assay_threshold(tail, allowed, &point->threshold)) {
        point->source = ASSAY_THRESHOLD_EXACT;
    } else if (figures->coarse.pairs && !figures->coarse.sampled) {
        say_need(evidence, figures, point);
        point->source = ASSAY_THRESHOLD_COARSE;
        point->threshold = assay_coarse_threshold(
            &figures->coarse, assay_allowed_errors(point->fmr_target, figures->coarse.pairs));
        /* What the tail allows may be lower, and is then known to hold. */
        if (tail->count)
            point->threshold = fmin(point->threshold, assay_score_at(tail, tail->count - 1));
    } else {
        say_need(evidence, figures, point);
        point->reason = point->beyond_tail;
    }
}

static void count_false_matches(const assay_evidence *evidence, const assay_figures *figures,
                                assay_operating_point *point) {
    point->tail_matches = assay_scores_at_least(&figures->tail, point->threshold);
    point->in_tail = assay_tail_reaches(evidence, point->threshold);
    if (point->in_tail) {
        point->fmr = assay_rate_of(point->tail_matches, evidence->non_mated);
        point->gfmr = assay_rate_of(point->tail_matches, figures->non_mated_attempted);
        point->fmr_fewest = point->tail_matches;
        return;
    }
    if (point->source != ASSAY_THRESHOLD_COARSE) say_need(evidence, figures, point);
    point->gfmr = assay_rate_unknown(figures->non_mated_attempted, point->beyond_tail);
    if (figures->coarse.sampled || !figures->coarse.pairs) {
        point->fmr = assay_rate_unknown(evidence->non_mated, point->beyond_tail);
        return;
    }
    point->fmr_source = ASSAY_FIGURE_COARSE;
    point->fmr = assay_rate_of(assay_coarse_maybe(&figures->coarse, point->threshold),
                               figures->coarse.pairs);
    point->fmr_fewest = assay_coarse_surely(&figures->coarse, point->threshold);
}

static void judge_reached(const assay_evidence *evidence, assay_operating_point *point) {
    point->reached = point->kind == ASSAY_POINT_THRESHOLD || point->fmr.reason || point->fmr.errors;
    if (point->reached) return;
    point->reached_reason =
        assay_allowed_errors(point->fmr_target, evidence->non_mated)
            ? "the highest scores are equal and too many; the threshold stands just above them"
            : "fewer than 1/f non-mated comparisons for a target f; the threshold stands just "
              "above the highest score";
}

/* Mean over subjects with mated comparisons of the share of theirs that are missed. */
static assay_status weigh_by_subject(const assay_evidence *evidence, const figures_work *work,
                                     uint64_t matched, double *out) {
    const assay_sample_table *table = &evidence->table;
    uint64_t *missed = NULL, subjects = 0;
    if (!assay_evidence_has_samples(evidence)) return ASSAY_OK; /* it stays NaN */
    assay_status status = assay_allocate(&missed, table->subject_count, sizeof *missed, "misses");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = matched; n < evidence->mated_count; ++n)
        ++missed[table->subject[evidence->mated[n].i]];
    double sum = 0;
    for (uint32_t subject = 0; subject < table->subject_count; ++subject) {
        if (!work->subject_mated[subject]) continue;
        sum += (double)missed[subject] / (double)work->subject_mated[subject];
        ++subjects;
    }
    *out = subjects ? sum / (double)subjects : (double)NAN;
    free(missed);
    return ASSAY_OK;
}

static assay_status compute_point(const assay_evidence *evidence, const figures_work *work,
                                  assay_figures *figures, assay_operating_point *point) {
    if (point->reason) {
        point->reached_reason = point->reason;
        point->fmr = assay_rate_unknown(evidence->non_mated, point->reason);
        point->gfmr = assay_rate_unknown(figures->non_mated_attempted, point->reason);
        point->fnmr = assay_rate_unknown(evidence->mated_count, point->reason);
        point->gfnmr = assay_rate_unknown(figures->mated_attempted, point->reason);
        return ASSAY_OK;
    }
    count_false_matches(evidence, figures, point);
    judge_reached(evidence, point);
    uint64_t matched = assay_scores_at_least(&figures->mated, point->threshold);
    point->fnmr = assay_rate_of(evidence->mated_count - matched, evidence->mated_count);
    point->gfnmr = assay_rate_of(figures->mated_attempted - matched, figures->mated_attempted);
    return weigh_by_subject(evidence, work, matched, &point->subject_fnmr);
}

static assay_status compute_points(const assay_evidence *evidence, const figures_work *work,
                                   assay_figures *figures) {
    const assay_protocol *protocol = &evidence->protocol;
    figures->point_count = protocol->fmr_target_count + protocol->threshold_count;
    assay_status status = assay_allocate(&figures->points, figures->point_count,
                                         sizeof *figures->points, "operating points");
    for (uint32_t n = 0; status == ASSAY_OK && n < figures->point_count; ++n) {
        assay_operating_point *point = &figures->points[n];
        point->threshold = point->subject_fnmr = point->fmr_target = (double)NAN;
        if (n < protocol->fmr_target_count) {
            point->fmr_target = protocol->fmr_targets[n];
            find_threshold(evidence, figures, point);
        } else {
            point->kind = ASSAY_POINT_THRESHOLD;
            point->source = ASSAY_THRESHOLD_GIVEN;
            point->threshold = protocol->thresholds[n - protocol->fmr_target_count];
        }
        status = compute_point(evidence, work, figures, point);
    }
    return status;
}

assay_cut assay_point_cut(const assay_figures *figures, const assay_operating_point *point) {
    assay_cut cut = {.threshold = point->threshold,
                     .matches = point->tail_matches,
                     .matched = assay_scores_at_least(&figures->mated, point->threshold),
                     .set_for = point->fmr_target,
                     .fmr_reason = point->fmr.reason,
                     .fnmr_reason = point->reason};
    if (!cut.fmr_reason && !point->in_tail) cut.fmr_reason = point->beyond_tail;
    /* The error of a threshold that was read off the histogram is not known. */
    if (!cut.fnmr_reason && point->source == ASSAY_THRESHOLD_COARSE)
        cut.fnmr_reason = point->beyond_tail;
    return cut;
}

static assay_status compute_intervals(const assay_evidence *evidence, const figures_work *work,
                                      assay_figures *figures) {
    assay_cut *cuts = NULL;
    assay_point_intervals *intervals = NULL;
    uint32_t count = figures->point_count;
    bool has_samples = assay_evidence_has_samples(evidence);
    assay_status status = ASSAY_OK;
    figures->fte_interval = assay_interval_unknown(ASSAY_NO_SUBJECTS);
    if (has_samples)
        status = assay_sampling_open(evidence, work->roles, work->enrolled, work->attempted,
                                     &work->same, &figures->sampling);
    if (status == ASSAY_OK && has_samples)
        status = assay_sampling_enrolment(figures->sampling, &figures->fte_interval);
    if (status == ASSAY_OK) status = assay_allocate(&cuts, count, sizeof *cuts, "thresholds");
    if (status == ASSAY_OK)
        status = assay_allocate(&intervals, count, sizeof *intervals, "intervals");
    for (uint32_t n = 0; status == ASSAY_OK && n < count; ++n)
        cuts[n] = assay_point_cut(figures, &figures->points[n]);
    if (status == ASSAY_OK)
        status = assay_sampling_points(figures->sampling, cuts, count, intervals);
    for (uint32_t n = 0; status == ASSAY_OK && n < count; ++n)
        figures->points[n].interval = intervals[n];
    free(cuts);
    free(intervals);
    return status;
}

static assay_status compute_attributes(const assay_evidence *evidence, const figures_work *work,
                                       const char *const *names, size_t count, bool mean_of_pair,
                                       assay_figures *figures) {
    const assay_sample_table *table = &evidence->table;
    size_t wanted = names ? count : table->attribute_count;
    assay_status status =
        assay_allocate(&figures->attributes, wanted, sizeof *figures->attributes, "attributes");
    for (size_t n = 0; status == ASSAY_OK && n < wanted; ++n) {
        assay_grouping grouping;
        status = assay_grouping_create(table, names ? names[n] : table->attributes[n].name,
                                       mean_of_pair, &work->same, &grouping);
        if (status != ASSAY_OK)
            return assay_fail_in(status, "%s %s", evidence->release, evidence->version);
        figures->attribute_count = (uint32_t)n + 1;
        status = figures_compute_groups(evidence, work, figures, grouping, &figures->attributes[n]);
    }
    return status;
}

static void work_free(figures_work *work) {
    free(work->roles);
    free(work->enrolled);
    free(work->attempted);
    free(work->all);
    free(work->subject_mated);
    assay_same_subject_free(&work->same);
}

assay_status assay_figures_compute(const assay_evidence *evidence, const char *const *attributes,
                                   size_t count, assay_figures *out) {
    return assay_figures_compute_by(evidence, attributes, count, false, out);
}

assay_status assay_figures_compute_by(const assay_evidence *evidence, const char *const *attributes,
                                      size_t count, bool mean_of_pair, assay_figures *out) {
    assay_figures figures = {0};
    figures_work work = {0};
    figures.mated = assay_mated_scores(evidence);
    figures.tail = assay_tail_scores(evidence);
    count_enrolment(&evidence->table, &figures);
    assay_status status = assay_coarse_create(evidence, &figures.coarse);
    if (status == ASSAY_OK) status = count_identical_images(&evidence->table, &figures);
    if (status == ASSAY_OK) status = take_rows(evidence, &work);
    if (status == ASSAY_OK)
        status = assay_protocol_roles(&evidence->protocol, &evidence->table, &work.roles);
    if (status == ASSAY_OK)
        status = assay_protocol_same_subject(&evidence->protocol, &evidence->table, work.roles,
                                             &work.same);
    if (status == ASSAY_OK) status = count_attempts(evidence, &work, &figures);
    if (status == ASSAY_OK) status = count_mated_subjects(evidence, &work, &figures);
    if (status == ASSAY_OK) status = compute_whole(evidence, &figures);
    if (status == ASSAY_OK) status = compute_points(evidence, &work, &figures);
    if (status == ASSAY_OK) status = compute_intervals(evidence, &work, &figures);
    if (status == ASSAY_OK && !assay_evidence_knows_enrolment(evidence)) {
        if (assay_evidence_has_samples(evidence)) figures.fte.reason = ASSAY_NO_ENROLMENT;
        figures.fte_interval = assay_interval_unknown(figures.fte.reason);
    }
    if (status == ASSAY_OK)
        status = compute_attributes(evidence, &work, attributes, count, mean_of_pair, &figures);
    if (status == ASSAY_OK)
        *out = figures;
    else
        assay_figures_free(&figures);
    work_free(&work);
    return status;
}

void assay_figures_free(assay_figures *figures) {
    for (uint32_t n = 0; n < figures->attribute_count; ++n)
        figures_free_groups(&figures->attributes[n]);
    free(figures->attributes);
    free(figures->points);
    free(figures->needs);
    assay_sampling_close(figures->sampling);
    assay_coarse_free(&figures->coarse);
    *figures = (assay_figures){0};
}
