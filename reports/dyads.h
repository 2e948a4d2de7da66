/* dyads -- non-mated comparisons seen as pairs of subjects: how many there are of each, and the
 * sums over pairs from which the variance of FMR is made, without going over all pairs.
 *
 * A comparison is not an observation, a subject is. m_ij is the number of comparisons
 * of the subjects i and j, F_ij the false matches among them, e_ij = F_ij - p m_ij. The variance is
 * the sum of e_c e_d over all ordered pairs (c, d) of pairs of subjects that share a subject
 * (Fafchamps and Gubert 2007; Aronow, Samii and Assenova 2015). */
#ifndef ASSAY_REPORTS_DYADS_H
#define ASSAY_REPORTS_DYADS_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"

/* A subject's samples that take part: references and probes of group a, references and probes of
 * group b. What is neither stands as a reference, and within one group only a is used. */
enum { ASSAY_HELD_REFERENCE_A = 0, ASSAY_HELD_PROBE_A, ASSAY_HELD_REFERENCE_B, ASSAY_HELD_PROBE_B };
#define ASSAY_HELD 4
typedef struct {
    uint32_t held[ASSAY_HELD];
} assay_holding;

/* Which samples of two subjects are compared, each pair once: m_ij = h_i' B h_j. */
typedef enum {
    ASSAY_FORM_WITHIN = 0,    /* any with any:                  a_i a_j */
    ASSAY_FORM_BETWEEN,       /* one in a, the other in b:      a_i b_j + b_i a_j */
    ASSAY_FORM_CROSS_WITHIN,  /* references against probes:     R_i P_j + P_i R_j */
    ASSAY_FORM_CROSS_BETWEEN, /* the same, in different groups: Ra_i Pb_j + Pb_i Ra_j + Rb_i Pa_j +
                                 … */
} assay_dyad_form;

/* Comparisons of one pair of places, first < second, of a list of pairs. */
typedef struct {
    uint32_t first, second;
    uint64_t comparisons;
} assay_listed_dyad;

/* A subject's samples in one of its groups, for comparisons within groups only. */
typedef struct {
    uint32_t group, references, probes; /* what is neither stands as a reference */
} assay_part_holding;

/* The comparisons of one cell: everybody, a group, a pair of groups, or pairs of samples of the
 * same group whichever it is. Subjects are counted from 0 within the cell ("places"). */
typedef struct {
    uint32_t subjects;
    uint64_t *made; /* [subjects] n_i: comparisons that each takes part in */
    uint64_t trials;
    double squares;    /* sum of m_ij^2 over pairs of subjects */
    uint64_t disjoint; /* pairs that can be picked so that no two share a subject */
    assay_dyad_form form;
    const assay_holding *holdings;   /* [subjects], borrowed; NULL for the two kinds below */
    const assay_part_holding *parts; /* borrowed, by (place, group) */
    const uint64_t *part_start;      /* [subjects + 1], borrowed */
    const assay_listed_dyad *listed; /* [listed_count], borrowed, by (first, second) */
    size_t listed_count;
    const assay_listed_dyad *failed; /* [failed_count], likewise: not among the comparisons */
    size_t failed_count;
} assay_dyad_design;

/* From holdings[subjects], linear in subjects: with T = sum of h_i h_i', the squares are
 * (tr(B T B T) - sum of (h_i' B h_i)^2) / 2. holdings must outlive the design. */
assay_status assay_dyad_design_create(assay_dyad_form form, const assay_holding *holdings,
                                      uint32_t subjects, assay_dyad_design *out) ASSAY_MUST_CHECK;
/* Comparisons of samples of the same group, each of so many: m_ij is the sum over groups of what
 * form, ASSAY_FORM_WITHIN or ASSAY_FORM_CROSS_WITHIN, gives in it. parts by (place, group) and
 * start[subjects + 1] must outlive the design. Linear in parts where subjects have few groups. */
assay_status assay_dyad_design_of_parts(assay_dyad_form form, const assay_part_holding *parts,
                                        const uint64_t *start, uint32_t subjects, uint32_t groups,
                                        assay_dyad_design *out) ASSAY_MUST_CHECK;
/* From the comparisons themselves, sorted, each pair of places once. */
assay_status assay_dyad_design_of_list(const assay_listed_dyad *listed, size_t count,
                                       uint32_t subjects, assay_dyad_design *out) ASSAY_MUST_CHECK;
/* Takes comparisons that were not completed out of a design made from holdings: failed[count] of
 * pairs of places, sorted, each once, no more than there are. disjoint becomes a number that can
 * still be picked for certain. failed must outlive the design. */
void assay_dyad_design_lessen(assay_dyad_design *design, const assay_listed_dyad *failed,
                              size_t count);
void assay_dyad_design_free(assay_dyad_design *design); /* takes a zeroed one */

/* m_ij of two different places. */
uint64_t assay_dyad_comparisons(const assay_dyad_design *design, uint32_t i, uint32_t j);

/* Sum over pairs of subjects of m_ij of a times m_ij of b: two designs of the same subjects at the
 * same places, of one form or both of lists. */
double assay_dyad_designs_product(const assay_dyad_design *a, const assay_dyad_design *b);

/* What the false matches at one threshold add up to. */
typedef struct {
    uint64_t errors, trials; /* F, M */
    double rate;             /* p = F / M */
    double pairs;            /* S2: sum of e_ij^2 over pairs of subjects */
    double subjects;         /* A: sum of s_i^2, s_i = F_i - p n_i */
    double shared;           /* max(A - 2 S2, 0): covariance of pairs that share one subject */
    double clustering;       /* g = shared / F^2; 0 without errors */
    double clusters;         /* n_c = A^2 / sum of s_i^4; INFINITY where that is 0 */
    uint64_t disjoint;       /* of the design */
} assay_dyad_sums;

/* Adds up false matches of pairs of places: start, add each pair once, finish. s is [subjects] and
 * holds s_i afterwards. */
typedef struct {
    const assay_dyad_design *design;
    double *s;
    uint64_t errors, squares, products; /* sums of F_ij, F_ij^2, F_ij m_ij */
} assay_dyad_counter;
assay_dyad_counter assay_dyads_start(const assay_dyad_design *design, double *s);
void assay_dyads_add(assay_dyad_counter *counter, uint32_t i, uint32_t j, uint64_t matches);
assay_dyad_sums assay_dyads_finish(const assay_dyad_counter *counter);

#endif
