/* galleries -- what identification in galleries of a size, or in those of a column of the manifest,
 * would give, from evidence of all pairs. METRICS.md, "Identification". */
#ifndef ASSAY_REPORTS_GALLERIES_H
#define ASSAY_REPORTS_GALLERIES_H

#include "datasets/rows.h"
#include "reports/deployment.h"
#include "reports/figures.h"
#include "reports/identification.h"

#define ASSAY_RANKS_MOST 100u /* ranks of a curve */

typedef struct {
    assay_deployment deployment; /* both NaN: assay_deployment_choose() */
    uint64_t rank;               /* a mate must be among so many; 0: any */
    const uint64_t *sizes;       /* [size_count] people of random galleries */
    size_t size_count;
    const char *attribute;  /* whose groups are galleries, or NULL */
    const assay_rows *rows; /* that go on from the evidence, or NULL */
    double alpha;
} assay_galleries_options;

/* Searches for somebody who is in the gallery: who was asked for, and why some gave no score. */
typedef struct {
    uint64_t attempted;
    uint64_t completed;     /* the mate has a score */
    uint64_t no_probe;      /* the probe has no template */
    uint64_t no_reference;  /* the probe has one, the person in the gallery has not */
    uint64_t no_comparison; /* both have, and every comparison failed */
} assay_mated_searches;

/* Expected over all galleries of size people picked at random. Generalized: of people and probes
 * whether they have a template or not; who has none is found nowhere, and nobody is found for him.
 */
typedef struct {
    uint64_t size;
    const char *reason;     /* why there is nothing of it, or NULL */
    double fpir, low, high; /* limits NaN where FMR has none */
    double naive;           /* comparisons of a search times FMR, at most 1: what it is not */
    double fnir;            /* of searches whose mate is in the gallery; NaN without any */
    assay_interval fnir_interval;
    double gfpir, gfpir_low, gfpir_high;
    double gfnir;
    assay_interval gfnir_interval;
} assay_random_gallery;

/* Galleries that are given. */
typedef struct {
    uint64_t galleries, least, median, most; /* people with a template in those that are searched */
    uint64_t without_template; /* people in galleries without one, each once a gallery */
    assay_search_rate fpir, fnir, gfpir, gfnir;
    /* Somebody else reaches the threshold, in every completed search, with or without a mate. */
    assay_search_rate others;
    assay_mated_searches mated;
    uint64_t non_mated, non_mated_no_probe; /* searches without a mate; those of no template */
    bool recurring;    /* somebody searches in several: intervals are of galleries and people */
    uint64_t left_out; /* searches whose person is in the gallery without a mated comparison */
} assay_given_galleries;

/* At one rank. */
typedef struct {
    double value;        /* mates among the first so many, of completed mated searches */
    double most;         /* the same if every mate whose rank is not known were as good as can be */
    double of_attempted; /* value, of attempted mated searches */
    assay_interval interval;
} assay_recognition;

typedef enum {
    ASSAY_GALLERY_OF_ALL = 0,
    ASSAY_GALLERY_RANDOM,
    ASSAY_GALLERY_GIVEN
} assay_gallery_kind;
const char *assay_gallery_kind_name(assay_gallery_kind kind); /* "all", "random", "given" */

/* Cumulative match characteristic: ranks 1 … rank_count, whatever the threshold. */
typedef struct {
    assay_gallery_kind kind;
    uint64_t people; /* in the gallery; the median where several are given */
    uint64_t searches, attempted;
    uint64_t censored;        /* mates below what is kept: their rank is not known */
    assay_recognition *ranks; /* [rank_count] */
    uint64_t rank_count;
} assay_cmc;

typedef struct {
    assay_deployment deployment;
    double threshold;
    uint64_t rank;
    assay_rate fmr;
    uint64_t probes;                   /* with a template */
    uint64_t probes_attempted;         /* with or without */
    uint64_t mated_probes;             /* with a mated comparison */
    uint64_t people, people_attempted; /* who can be in a gallery: with a template; all */
    assay_mated_searches mated;
    assay_random_gallery *random; /* [random_count] */
    size_t random_count;
    const char *attribute; /* of what is given, borrowed */
    bool has_given;
    assay_given_galleries given;
    assay_cmc
        *curves; /* [curve_count]: of all, of each random size that there is, of what is given */
    size_t curve_count;
} assay_galleries;

/* Why evidence says nothing of galleries (static text), or NULL. */
const char *assay_galleries_fault(const assay_evidence *evidence);
/* Sizes that are usual, 100, 200 and 400, as far as there are so many others; else all others. */
#define ASSAY_USUAL_SIZES 3
assay_status assay_galleries_usual(const assay_evidence *evidence, uint64_t out[ASSAY_USUAL_SIZES],
                                   size_t *out_count) ASSAY_MUST_CHECK;
/* ASSAY_USAGE where assay_galleries_fault() says something, the attribute is not there, or the tail
 * does not reach the threshold. */
assay_status assay_galleries_compute(const assay_evidence *evidence,
                                     const assay_galleries_options *options,
                                     assay_galleries *out) ASSAY_MUST_CHECK;
/* The same at a point that is known with its intervals, in the tail; deployment is only repeated.
 */
assay_status assay_galleries_at(const assay_evidence *evidence,
                                const assay_galleries_options *options,
                                const assay_operating_point *point,
                                assay_galleries *out) ASSAY_MUST_CHECK;
void assay_galleries_free(assay_galleries *galleries); /* takes a zeroed one */

#endif
