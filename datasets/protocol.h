/* protocol -- which comparisons an evaluation makes, and what each of them is: mated, non-mated or
 * excluded. Harness and reports both derive trials from here, so that they cannot differ.
 *
 * Rules (after ISO/IEC 19795-1): mated is same subject and same instance. Same subject with another
 * instance is excluded; "not given" is an instance of its own, so that a sample with an instance is
 * never mated with one without. Byte-identical images of one subject are never mated. Mated pairs
 * of one session are excluded unless same_session is allowed, where both sessions are known. A
 * sample is never compared with itself. Different subjects are non-mated. Where several reasons
 * exclude a pair, the first in the order of assay_relation is its relation.
 *
 * A table in roles (sample_table.h) has each sample as a reference and as a probe. What is said of
 * pairs of samples here holds there for a reference row and a probe row: all of ALL's are compared
 * in both directions, a reference of CROSS is its row as a reference, and a pair of a list is the
 * row of the first as a reference and the row of the second as a probe. */
#ifndef ASSAY_DATASETS_PROTOCOL_H
#define ASSAY_DATASETS_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/sample_table.h"

typedef enum {
    ASSAY_PROTOCOL_ALL = 0,         /* every unordered pair of samples */
    ASSAY_PROTOCOL_CROSS,           /* references against probes */
    ASSAY_PROTOCOL_ONE_PER_SUBJECT, /* cross, on one reference and one probe a subject */
    ASSAY_PROTOCOL_PAIR_LIST,       /* pairs from a file */
    ASSAY_PROTOCOL_SCORES, /* lists of scores without samples: nothing to derive pairs from */
} assay_protocol_kind;

typedef enum {
    ASSAY_HISTOGRAM_FULL = 0,
    ASSAY_HISTOGRAM_SAMPLE,
    ASSAY_HISTOGRAM_NONE
} assay_histogram_mode;

typedef struct {
    uint32_t i, j; /* rows, i < j */
} assay_row_pair;

typedef struct {
    assay_protocol_kind kind;
    bool same_session; /* mated pairs of one session are allowed */
    /* CROSS: samples whose attribute (or "environment", "session", "instance") role_column is
     * reference_value are references, those with probe_value probes, others take no part. */
    char *role_column;
    char *reference_value;
    char *probe_value;
    /* ONE_PER_SUBJECT: of a subject's samples one reference and one later probe whose relation is
     * MATED: the earliest reference that has such a probe, and the latest probe that it has.
     * Samples of known time come in its order, before those without one; equal and missing times in
     * the order of SHA-256(pick_seed as 8 bytes little endian, length of the sample id likewise,
     * sample id). A subject without such a pair has its first sample as a reference and no probe.
     * Enrolment plays no part in the pick. */
    uint64_t pick_seed;
    /* PAIR_LIST: sorted, unique rows. reversed[n] says that the list named j as the reference. */
    assay_row_pair *pairs;
    uint8_t *reversed;
    uint64_t pair_count;
    /* Names of the attributes whose combinations the non-mated histograms are kept by. */
    char **histogram_by;
    uint32_t histogram_by_count;
    assay_histogram_mode histogram_mode;
    double histogram_fraction; /* SAMPLE */
    uint64_t histogram_seed;
    double *fmr_targets; /* [fmr_target_count], descending */
    uint32_t fmr_target_count;
    double *thresholds; /* given from outside: the tail reaches down to the lowest of them */
    uint32_t threshold_count;
    uint64_t tail_cap; /* most non-mated pairs that may be kept; default 2^26 */
} assay_protocol;

/* The defaults: all pairs, targets 1e-3 to 1e-6, full histograms by nothing, cap 2^26. */
assay_status assay_protocol_create(assay_protocol *out) ASSAY_MUST_CHECK;
void assay_protocol_free(assay_protocol *protocol);

/* As compact JSON with sorted keys and numbers that read back the same, and from it. Seeds are
 * strings, since JSON readers keep 53 bits. pairs are not in it, only their count and SHA-256 (of
 * i, j and reversed of each, 8 bytes little endian apiece): evidence keeps them as a data set, and
 * reading leaves pairs NULL and pair_count 0 for its reader to fill. Damaged JSON is ASSAY_FAILED.
 */
assay_status assay_protocol_to_json(const assay_protocol *protocol, char **out) ASSAY_MUST_CHECK;
assay_status assay_protocol_from_json(const char *json, assay_protocol *out) ASSAY_MUST_CHECK;

/* Role of every row, whatever its enrolment. */
typedef enum {
    ASSAY_ROLE_NONE = 0, /* takes no part */
    ASSAY_ROLE_BOTH = 1, /* ALL and PAIR_LIST: compared with any; of no row of a table in roles */
    ASSAY_ROLE_REFERENCE = 2,
    ASSAY_ROLE_PROBE = 3,
} assay_role;
/* *out is [row_count], free(). ASSAY_USAGE where role_column or a value is not in the table. */
assay_status assay_protocol_roles(const assay_protocol *protocol, const assay_sample_table *table,
                                  uint8_t **out) ASSAY_MUST_CHECK;

typedef enum {
    ASSAY_RELATION_NON_MATED = 0,
    ASSAY_RELATION_MATED,
    ASSAY_RELATION_EXCLUDED_SAME_SAMPLE,
    ASSAY_RELATION_EXCLUDED_ROLE, /* not a reference against a probe, or not in the list */
    ASSAY_RELATION_EXCLUDED_INSTANCE,
    ASSAY_RELATION_EXCLUDED_IDENTICAL,
    ASSAY_RELATION_EXCLUDED_SESSION,
    ASSAY_RELATION_COUNT,
} assay_relation;
const char *assay_relation_name(assay_relation relation);

/* What the pair of rows i and j is. Enrolment plays no part. PAIR_LIST membership is not asked. */
assay_relation assay_protocol_relation(const assay_protocol *protocol,
                                       const assay_sample_table *table, const uint8_t *roles,
                                       uint32_t i, uint32_t j);

/* 0 where neither is known to be the reference, 1 where row i is, 2 where row j is: by role, else
 * the earlier capture; in a pair list as the list says. */
typedef enum {
    ASSAY_DIRECTION_NONE = 0,
    ASSAY_DIRECTION_I = 1,
    ASSAY_DIRECTION_J = 2
} assay_direction;
assay_direction assay_protocol_direction(const assay_protocol *protocol,
                                         const assay_sample_table *table, const uint8_t *roles,
                                         uint32_t i, uint32_t j);

/* Every pair of one subject's rows whose roles allow a comparison (PAIR_LIST: of the list), with
 * its relation, sorted by (i, j), whatever the enrolment of either row. relation is [*out_count].
 */
typedef struct {
    assay_row_pair *pairs;
    uint8_t *relation; /* assay_relation, never NON_MATED */
    uint64_t count;
} assay_same_subject;
assay_status assay_protocol_same_subject(const assay_protocol *protocol,
                                         const assay_sample_table *table, const uint8_t *roles,
                                         assay_same_subject *out) ASSAY_MUST_CHECK;
void assay_same_subject_free(assay_same_subject *pairs);

/* Number of non-mated comparisons between samples of which one has in_a set and the other in_b set
 * (each [row_count], 0 or 1; equal arrays mean "within"), among rows whose taken is set (NULL:
 * all). Unordered; a pair that qualifies in both orders counts once. Linear in rows (PAIR_LIST: in
 * pairs). */
assay_status assay_protocol_non_mated_trials(const assay_protocol *protocol,
                                             const assay_sample_table *table, const uint8_t *roles,
                                             const uint8_t *taken, const uint8_t *in_a,
                                             const uint8_t *in_b, uint64_t *out) ASSAY_MUST_CHECK;

#endif
