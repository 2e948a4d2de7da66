/* imports -- what was computed elsewhere: scores become evidence as they came. (Templates made
 * elsewhere are a step of a run: steps.h.) */
#ifndef ASSAY_HARNESS_IMPORTS_H
#define ASSAY_HARNESS_IMPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/manifest.h"
#include "datasets/protocol.h"

/* What every import of scores is told. */
typedef struct {
    const char *release, *version, *dataset_name;
    bool distance; /* the numbers are distances: each score is its number with the sign turned */
    bool has_failed_value;          /* a number that stands for "no score", as NaN does */
    double failed_value;            /* before the sign is turned */
    bool same_session;              /* with samples: mated comparisons of one session count */
    const assay_protocol *protocol; /* its targets and thresholds; thresholds as scores */
} assay_import_about;

typedef struct {
    uint64_t mated, non_mated, failed_mated, failed_non_mated;
    uint64_t samples, subjects, excluded; /* 0 where the scores came without samples */
    assay_digest result_digest;
} assay_import_result;

/* Two lists of scores without samples (sources, datasets/score_list.h; with column, that column of
 * CSV): evidence of protocol `scores`. Lists of no score at all are
 * refused (ASSAY_USAGE); NaN and the failed value are counted as comparisons that gave none. */
assay_status assay_import_score_lists(const assay_import_about *about, const char *mated_path,
                                      const char *non_mated_path, const char *column,
                                      const char *out_path,
                                      assay_import_result *out) ASSAY_MUST_CHECK;

/* Comparisons with their samples: a CSV with the columns reference, probe and score, and labels of
 * the samples: evidence of protocol `pairs`, with subjects and so with intervals and groups. */
assay_status assay_import_scored_pairs(const assay_import_about *about, const char *pairs_path,
                                       const char *labels_path,
                                       const assay_manifest_declaration *declared,
                                       const assay_progress *progress, const char *out_path,
                                       assay_import_result *out) ASSAY_MUST_CHECK;

/* A matrix of scores, a row a query (probe) and a column a target (reference): a source
 * (datasets/array_file.h), a BEE matrix, or else CSV without a header. */
typedef struct {
    const char *matrix;
    const char *mask; /* BEE mask, or a source of uint8 with its values, or NULL; its 0x00 are no
                         comparisons, and where it and the labels differ on who is who the import
                         is refused */
    const char *labels_path; /* CSV of all samples; NULL where both lists are sigsets */
    const char
        *targets_path; /* of columns: ids, one a line, or a sigset; NULL: the labels' order */
    const char *queries_path; /* of rows, likewise; where both lists are the same the matrix is of
                                 all pairs of one list */
    const char *triangle;     /* square: "upper", "lower", or NULL: both, which must be equal */
    const assay_manifest_declaration *declared; /* may be NULL */
} assay_import_matrix;
assay_status assay_import_score_matrix(const assay_import_about *about,
                                       const assay_import_matrix *import,
                                       const assay_progress *progress, const char *out_path,
                                       assay_import_result *out) ASSAY_MUST_CHECK;

#endif
