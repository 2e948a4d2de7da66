/* galleries -- what identification in galleries of a size, or in those of a column of the manifest,
 * would give, from evidence of all pairs. METRICS.md, "Identification". */
#ifndef ASSAY_REPORTS_GALLERIES_H
#define ASSAY_REPORTS_GALLERIES_H

#include "reports/deployment.h"
#include "reports/identification.h"

typedef struct {
    assay_deployment deployment; /* both NaN: assay_deployment_choose() */
    uint64_t rank;               /* a mate must be among so many; 0: any */
    const uint64_t *sizes;       /* [size_count] people of random galleries */
    size_t size_count;
    const char *attribute; /* whose groups are galleries, or NULL */
    double alpha;
} assay_galleries_options;

/* Expected over all galleries of size people picked at random. */
typedef struct {
    uint64_t size;
    const char *reason;     /* why there is nothing of it, or NULL */
    double fpir, low, high; /* limits NaN where FMR has none */
    double naive;           /* size times FMR, at most 1: what it is not */
    double fnir;            /* of searches whose mate is in the gallery; NaN without any */
} assay_random_gallery;

/* Galleries that are given. */
typedef struct {
    uint64_t galleries, least, median, most; /* people in those that were searched */
    assay_search_rate fpir, fnir;
    bool recurring;    /* somebody searches in several: intervals are of galleries and people */
    uint64_t left_out; /* searches whose person is in the gallery without a mated comparison */
} assay_given_galleries;

typedef struct {
    assay_deployment deployment;
    double threshold;
    uint64_t probes, mated_probes; /* enrolled probes; those with a mated comparison */
    assay_rate fmr;
    assay_random_gallery *random; /* [random_count] */
    size_t random_count;
    bool has_given;
    assay_given_galleries given;
} assay_galleries;

/* ASSAY_USAGE where scores came without samples, pairs came of a list, the attribute is not there,
 * or the tail does not reach the threshold. */
assay_status assay_galleries_compute(const assay_evidence *evidence,
                                     const assay_galleries_options *options,
                                     assay_galleries *out) ASSAY_MUST_CHECK;
void assay_galleries_free(assay_galleries *galleries); /* takes a zeroed one */

#endif
