/* galleries_random -- expected over all galleries of people picked at random, in closed form
 * (galleries_private.h). */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/galleries_private.h"

/* People that can be in a gallery, with a template or whether or not: [subject_count] flags. */
typedef struct {
    uint8_t *enrolled, *attempted;
    double samples; /* with a template, of each person in the mean */
} members;

static void members_free(members *of) {
    free(of->enrolled);
    free(of->attempted);
    *of = (members){0};
}

static assay_status find_members(const gallery_work *work, members *out, assay_galleries *counts) {
    const assay_sample_table *table = &work->evidence->table;
    members of = {0};
    assay_status status = assay_allocate(&of.enrolled, table->subject_count, 1, "subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&of.attempted, table->subject_count, 1, "subjects");
    if (status != ASSAY_OK) {
        members_free(&of);
        return status;
    }
    for (uint32_t row = 0; row < table->row_count; ++row) {
        if (!gallery_may_be(work, row, ASSAY_ROLE_REFERENCE) || !gallery_attempted(work, row))
            continue;
        of.attempted[table->subject[row]] = 1;
        if (!gallery_takes_part(work, row, ASSAY_ROLE_REFERENCE)) continue;
        of.enrolled[table->subject[row]] = 1;
        ++of.samples;
    }
    for (uint32_t n = 0; n < table->subject_count; ++n) {
        counts->people += of.enrolled[n];
        counts->people_attempted += of.attempted[n];
    }
    if (counts->people) of.samples /= (double)counts->people;
    *out = of;
    return ASSAY_OK;
}

/* Expected misses and mated searches by subject. */
typedef struct {
    double *misses, *searches; /* [subject_count] */
    double all_misses, all;
    size_t count;
} subject_misses;

static assay_status misses_open(size_t subjects, subject_misses *out) {
    subject_misses made = {.count = subjects};
    assay_status status = assay_allocate(&made.misses, subjects, sizeof *made.misses, "subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&made.searches, subjects, sizeof *made.searches, "subjects");
    if (status == ASSAY_OK)
        *out = made;
    else
        free(made.misses);
    return status;
}

static void misses_close(subject_misses *of) {
    free(of->misses);
    free(of->searches);
    *of = (subject_misses){0};
}

static void misses_add(subject_misses *to, uint32_t subject, double miss) {
    to->misses[subject] += miss;
    ++to->searches[subject];
    to->all_misses += miss;
    ++to->all;
}

/* The rate, and its interval with subjects as the clusters. */
static double misses_rate(const subject_misses *of, double alpha, assay_interval *out) {
    assay_clusters clusters = {
        .errors = of->misses, .comparisons = of->searches, .count = of->count};
    if (!(of->all > 0)) {
        *out = assay_interval_unknown("no such search was made");
        return (double)NAN;
    }
    *out = assay_clusters_interval(&clusters, alpha);
    return of->all_misses / of->all;
}

/* A rate of searches in proportion to the rate of comparisons; of no false match at all, no more
 * than every comparison of a search adds. */
static void scale_interval(double rate, double fmr, double comparisons,
                           const assay_interval *of_fmr, double *out_low, double *out_high) {
    if (of_fmr->reason) return;
    double scale = fmr > 0 ? rate / fmr : comparisons;
    *out_low = fmin(of_fmr->low * scale, 1);
    *out_high = fmin(of_fmr->high * scale, 1);
}

/* Chance that a mated search with others in all misses, its mate and size - 1 more in the gallery.
 */
static double miss_of(const gallery_work *work, uint32_t row, uint64_t others, uint64_t size) {
    if (!(work->mates[row] >= work->threshold)) return 1;
    if (!work->options->rank) return 0;
    return assay_gallery_hits(others, gallery_ahead(work, row), size - 1, work->options->rank);
}

static assay_status expect_size(const gallery_work *work, const members *of,
                                const assay_galleries *all, const assay_operating_point *point,
                                assay_random_gallery *out) {
    const assay_sample_table *table = &work->evidence->table;
    double hits = 0, hits_of_all = 0, alpha = work->options->alpha;
    subject_misses completed = {0}, attempted = {0};
    uint64_t fewest = all->people ? all->people - 1 : 0; /* of others, for somebody who is one */
    if (!out->size || fewest < out->size) {
        out->reason = "there are fewer other people than that";
        return ASSAY_OK;
    }
    if (!all->probes) {
        out->reason = "no probe is enrolled";
        return ASSAY_OK;
    }
    assay_status status = misses_open(table->subject_count, &completed);
    if (status == ASSAY_OK) status = misses_open(table->subject_count, &attempted);
    for (uint32_t row = 0; status == ASSAY_OK && row < table->row_count; ++row) {
        uint32_t subject = table->subject[row];
        uint64_t others = all->people - of->enrolled[subject];
        uint64_t others_of_all = all->people_attempted - of->attempted[subject];
        bool has_score = !isnan(work->mates[row]);
        if (gallery_takes_part(work, row, ASSAY_ROLE_PROBE)) {
            uint64_t degree = gallery_matches(work, row);
            hits += assay_gallery_hit(others, degree, out->size);
            hits_of_all += assay_gallery_hit(others_of_all, degree, out->size);
        }
        if (has_score) misses_add(&completed, subject, miss_of(work, row, others, out->size));
        if (work->asked[row])
            misses_add(&attempted, subject,
                       has_score ? miss_of(work, row, others_of_all, out->size) : 1);
    }
    if (status == ASSAY_OK) {
        out->fpir = hits / (double)all->probes;
        out->gfpir = hits_of_all / (double)all->probes_attempted;
        out->fnir = misses_rate(&completed, alpha, &out->fnir_interval);
        out->gfnir = misses_rate(&attempted, alpha, &out->gfnir_interval);
        double fmr = assay_rate_value(point->fmr), gfmr = assay_rate_value(point->gfmr);
        double comparisons = (double)out->size * of->samples;
        out->naive = fmin(comparisons * fmr, 1);
        scale_interval(out->fpir, fmr, comparisons, &point->interval.fmr, &out->low, &out->high);
        scale_interval(out->gfpir, gfmr, comparisons, &point->interval.gfmr, &out->gfpir_low,
                       &out->gfpir_high);
    }
    misses_close(&completed);
    misses_close(&attempted);
    return status;
}

static void count_probes(const gallery_work *work, assay_galleries *out) {
    for (uint32_t row = 0; row < work->evidence->table.row_count; ++row) {
        if (!gallery_may_be(work, row, ASSAY_ROLE_PROBE) || !gallery_attempted(work, row)) continue;
        ++out->probes_attempted;
        out->probes += gallery_takes_part(work, row, ASSAY_ROLE_PROBE);
        out->mated_probes += gallery_count_mated(work, row, &out->mated);
    }
}

assay_status gallery_expect(const gallery_work *work, const assay_operating_point *point,
                            assay_galleries *out) {
    const assay_galleries_options *options = work->options;
    members of = {0};
    assay_status status = find_members(work, &of, out);
    count_probes(work, out);
    if (status == ASSAY_OK)
        status = assay_allocate(&out->random, options->size_count, sizeof *out->random, "sizes");
    for (size_t n = 0; status == ASSAY_OK && n < options->size_count; ++n) {
        const double none = (double)NAN;
        const assay_interval no_interval = assay_interval_unknown("there is no such gallery");
        assay_random_gallery *random = &out->random[out->random_count++];
        *random = (assay_random_gallery){.size = options->sizes[n],
                                         .fpir = none,
                                         .low = none,
                                         .high = none,
                                         .naive = none,
                                         .fnir = none,
                                         .fnir_interval = no_interval,
                                         .gfpir = none,
                                         .gfpir_low = none,
                                         .gfpir_high = none,
                                         .gfnir = none,
                                         .gfnir_interval = no_interval};
        status = expect_size(work, &of, out, point, random);
    }
    members_free(&of);
    return status;
}
