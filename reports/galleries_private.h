/* galleries_private -- what the parts of galleries share: who is beside each probe. */
#ifndef ASSAY_REPORTS_GALLERIES_PRIVATE_H
#define ASSAY_REPORTS_GALLERIES_PRIVATE_H

#include "reports/galleries.h"

/* Best score of a probe with another subject. */
typedef struct {
    uint32_t probe, subject;
    double score;
} gallery_candidate;

typedef struct {
    const assay_evidence *evidence;
    const assay_galleries_options *options;
    double threshold;
    uint8_t *roles;          /* [row_count] */
    assay_same_subject same; /* pairs of one subject */
    const uint16_t *codes;   /* [row_count] gallery of each row where they are given, else NULL */
    double *floors;          /* [row_count] every candidate at or above it is known */
    /* Of the galleries that codes give: */
    double *mates;             /* [row_count] best mated score, NaN without one */
    uint8_t *asked, *answered; /* [row_count] somebody of the probe's own is in the gallery; with a
                                  template */
    gallery_candidate *candidates; /* by (probe, subject): at or above the threshold or the mate */
    uint64_t candidate_count;
    uint64_t *start; /* [row_count + 1] candidates of each probe */
} gallery_work;

/* galleries_beside.c */
assay_status gallery_work_open(const assay_evidence *evidence,
                               const assay_galleries_options *options, double threshold,
                               gallery_work *out) ASSAY_MUST_CHECK;
void gallery_work_close(gallery_work *work); /* takes a zeroed one */
/* Who is beside each probe: of everybody, or of its gallery where codes are given. */
assay_status gallery_look(gallery_work *work, const uint16_t *codes) ASSAY_MUST_CHECK;
bool gallery_may_be(const gallery_work *work, uint32_t row, uint8_t as); /* by its role */
bool gallery_attempted(const gallery_work *work, uint32_t row);          /* reached the release */
bool gallery_takes_part(const gallery_work *work, uint32_t row, uint8_t as); /* with a template */
/* Others with at least the mate's score; all that are known where that is below the floor. */
uint64_t gallery_ahead(const gallery_work *work, uint32_t probe);
bool gallery_is_censored(const gallery_work *work, uint32_t probe);
uint64_t gallery_matches(const gallery_work *work, uint32_t probe); /* others at the threshold */
/* Adds a probe whose own is in the gallery; whether it has a score. */
bool gallery_count_mated(const gallery_work *work, uint32_t probe, assay_mated_searches *into);

/* galleries_random.c: of everybody, who was looked at. */
assay_status gallery_expect(const gallery_work *work, const assay_operating_point *point,
                            assay_galleries *out) ASSAY_MUST_CHECK;
/* galleries_given.c: looks at those of the attribute. */
assay_status gallery_search_given(gallery_work *work, const assay_attribute *attribute,
                                  assay_galleries *out) ASSAY_MUST_CHECK;
/* galleries_ranks.c: a curve of what was looked at; clusters [row_count] are those of its
 * intervals, counted from 0 below cluster_count. */
assay_status gallery_add_curve(const gallery_work *work, assay_gallery_kind kind, uint64_t people,
                               const uint32_t *clusters, uint64_t cluster_count,
                               assay_galleries *out) ASSAY_MUST_CHECK;

#endif
