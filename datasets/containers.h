/* containers -- dataset.h5, templates.h5, evidence.h5 and partial evidence: sealed HDF5 files described
 * field by field in datasets/FORMAT.md. No caller sees an HDF5 handle. */
#ifndef ASSAY_DATASETS_CONTAINERS_H
#define ASSAY_DATASETS_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/protocol.h"
#include "datasets/sample_table.h"
#include "datasets/score_form.h"

/* ---- dataset.h5 ---- */

typedef struct {
    char *name;               /* of the data set, from the configuration */
    assay_digest digest;      /* of name-independent content: table without enrolment, image digests */
    assay_sample_table table; /* enrolment NONE, or EXCLUDED with its reason */
    char *notes_json;         /* object: source, licence, warnings met on the way; never NULL */
} assay_dataset_head;

void assay_dataset_head_free(assay_dataset_head *head);
assay_status assay_dataset_digest(const assay_sample_table *table, assay_digest *out) ASSAY_MUST_CHECK;

/* Writes PATH whole. read_image gives the bytes of row's image as they came (free(); NULL and 0 for a
 * sample without one); it is called once a row, in row order, perhaps in another process. The bytes
 * are packed, with offset and length an own column; a row whose bytes do not have the digest that the
 * table says is ASSAY_FAILED. */
typedef assay_status (*assay_read_image)(void *context, uint64_t row, uint8_t **out, size_t *out_count);
assay_status assay_dataset_write(const char *path, const assay_dataset_head *head,
                                 assay_read_image read_image, void *context,
                                 const assay_progress *progress) ASSAY_MUST_CHECK;

typedef struct assay_dataset assay_dataset;
assay_status assay_dataset_open(const char *path, assay_dataset **out) ASSAY_MUST_CHECK;
void assay_dataset_close(assay_dataset *dataset);
const assay_dataset_head *assay_dataset_get_head(const assay_dataset *dataset); /* borrowed */
/* Bytes of one image, checked against its digest; free(). Not safe for two threads at once. */
assay_status assay_dataset_read_image(assay_dataset *dataset, uint64_t row, uint8_t **out,
                                      size_t *out_count) ASSAY_MUST_CHECK;

/* ---- templates.h5 ---- */

typedef enum {
    ASSAY_TEMPLATES_VECTORS = 0, /* float32 */
    ASSAY_TEMPLATES_BITS,        /* code and mask, laid out as kernels/hamming.h says */
} assay_templates_kind;

typedef struct {
    char *release;            /* what people call it: "baseline" */
    char *version;            /* "1.1" */
    char *algorithm;          /* built-in or plug-in name and its parameters; "imported" */
    char *comparator;         /* default comparator: "cosine", … (kernels/comparator.h) */
    char *family;             /* what they can be compared with (harness/algorithm.h,
                                 template_family); NULL or "": not stated */
    char *dataset_name;
    assay_digest dataset_digest;
    assay_digest digest;      /* of table with enrolment, release, version, algorithm and vectors */
    assay_sample_table table;
    assay_templates_kind kind;
    uint32_t length;          /* components of a template, or its bits: a multiple of 8 */
    uint32_t bit_rows;        /* BITS: equal rows of a template, within which it is shifted */
    uint32_t shift_bits;      /* BITS: columns that a shift of 1 moves; 1 … length / bit_rows */
    double *seconds;          /* [row_count] time to make each template, NaN where not known */
    char *provenance_json;    /* object; never NULL */
} assay_templates_head;

void assay_templates_head_free(assay_templates_head *head);

/* templates is float [row_count][length], or of bit strings uint8_t [row_count][2][length / 8], code
 * and mask; rows that are not enrolled are written as zeros. Sets head->digest. */
assay_status assay_templates_write(const char *path, assay_templates_head *head, const void *templates)
    ASSAY_MUST_CHECK;

typedef struct assay_templates assay_templates;
assay_status assay_templates_open(const char *path, assay_templates **out) ASSAY_MUST_CHECK;
void assay_templates_close(assay_templates *templates);
const assay_templates_head *assay_templates_get_head(const assay_templates *templates);
/* Bytes of one template. */
size_t assay_templates_row_bytes(const assay_templates_head *head);
/* rows first … first + count - 1 into out, laid out as assay_templates_write takes them, each block
 * checked. */
assay_status assay_templates_read(assay_templates *templates, uint64_t first, uint64_t count,
                                  void *out) ASSAY_MUST_CHECK;

/* ---- evidence.h5 ---- */

/* One comparison. The evidence's form says what score fine stands for; coarse as kernels/quantise.h
 * defines it. Where the protocol is ASSAY_PROTOCOL_SCORES there are no rows: i is the place of the
 * score in the list that it came in, counted from 0, and j is ASSAY_NO_ROW. */
#define ASSAY_NO_ROW UINT32_MAX
typedef struct {
    int64_t fine;
    int32_t coarse;    /* 0 in evidence without histograms */
    uint32_t i, j;     /* rows of the table, i < j */
    uint8_t direction; /* assay_direction */
} assay_comparison;

/* How coarse integers fall into bins: bin = (coarse - lowest) >> shift, 0 <= bin < count. */
typedef struct {
    int32_t lowest;
    uint32_t shift;
    uint32_t count;
} assay_bin_rule;

typedef struct {
    char *release, *version, *algorithm, *comparator, *dataset_name;
    assay_digest dataset_digest, templates_digest;
    /* Where references of another release were compared with probes of this one, that release, and
     * the table is one in roles (sample_table.h); else NULL and zero. */
    char *reference_release, *reference_version, *reference_algorithm;
    assay_digest reference_digest; /* of its templates */
    assay_digest result_digest; /* of the canonical serialisation of /result, FORMAT.md */
    assay_sample_table table;
    assay_protocol protocol;

    assay_score_form form; /* of every fine integer below */
    int exponent;        /* of form SCALED: score = fine * 2^(-2 exponent); else 0 */
    double coarse_scale; /* coarse score = coarse / coarse_scale^2 */
    double bound;        /* |score - coarse score| <= bound for every pair of this set */
    assay_bin_rule bins;

    uint64_t non_mated;  /* comparisons made between different subjects */
    /* Comparisons that were tried and gave no score. They are attempted and not completed: no match
     * at any threshold, and no part of FMR and FNMR of completed comparisons. */
    uint64_t failed_mated, failed_non_mated;
    assay_row_pair *failed; /* [failed_mated + failed_non_mated] their rows i < j, sorted, each once;
                               NULL where the protocol is ASSAY_PROTOCOL_SCORES */
    uint64_t relations[ASSAY_RELATION_COUNT]; /* pairs of enrolled samples by what they are; [MATED]
                            is mated_count + failed_mated, [NON_MATED] non_mated + failed_non_mated;
                            the sum is n(n-1)/2, without a table that of those two alone */
    assay_comparison *mated; /* every mated one, by (fine descending, i, j) */
    uint64_t mated_count;
    assay_comparison *tail; /* non-mated from the top down to the floor, by (fine descending, i, j) */
    uint64_t tail_count;
    uint64_t tail_limit; /* K of ARCHITECTURE.md */
    bool tail_complete;  /* the tail holds every non-mated comparison */
    int64_t tail_floor;  /* every non-mated pair with fine >= tail_floor is in the tail;
                            INT64_MIN where tail_complete; INT64_MAX where it is empty */

    /* Non-mated histograms of coarse scores by unordered pair of combinations of histogram_by. */
    uint32_t combination_count;   /* >= 1 */
    uint16_t *combinations;       /* [combination_count][protocol.histogram_by_count] codes */
    uint64_t *histogram;          /* [pair index][bins.count]; pair (a <= b) is at
                                     a * combination_count - a(a-1)/2 + (b - a) */
    uint64_t histogram_pairs;     /* pairs counted in it (fewer than non_mated where sampled) */

    char *provenance_json; /* object; never NULL */
} assay_evidence;

void assay_evidence_free(assay_evidence *evidence); /* takes a zeroed one */
/* Whether its comparisons are of samples of its table; else it is of score lists alone, which say
 * nothing of subjects, enrolment or groups. */
bool assay_evidence_has_samples(const assay_evidence *evidence);
/* Whether it knows which samples were refused or failed: scores that came without templates do not
 * say so. */
bool assay_evidence_knows_enrolment(const assay_evidence *evidence);
/* Whether its references are another release's than its probes. */
bool assay_evidence_is_between(const assay_evidence *evidence);
/* "RELEASE VERSION", or "RELEASE VERSION with references of RELEASE VERSION"; free(). */
assay_status assay_evidence_name(const assay_evidence *evidence, char **out) ASSAY_MUST_CHECK;
/* Number of histograms: c (c + 1) / 2. */
uint64_t assay_histogram_count(uint32_t combination_count);
uint64_t assay_histogram_index(uint32_t combination_count, uint32_t a, uint32_t b);
double assay_fine_score(const assay_evidence *evidence, int64_t fine);
/* Sets evidence->result_digest from the rest. */
assay_status assay_evidence_digest(assay_evidence *evidence) ASSAY_MUST_CHECK;
/* Calls assay_evidence_digest and writes. */
assay_status assay_evidence_write(const char *path, assay_evidence *evidence) ASSAY_MUST_CHECK;
/* Reads it whole, checks every block and the result digest. */
assay_status assay_evidence_read(const char *path, assay_evidence *out) ASSAY_MUST_CHECK;

/* ---- partial evidence: sealed segments of a comparison (ARCHITECTURE.md, "Sealed files") ---- */

typedef struct {
    assay_digest plan_digest;
    uint64_t first_tile, end_tile; /* [first, end) of the plan */
    uint64_t non_mated;
    uint64_t histogram_pairs;
    uint64_t *histogram;           /* [histogram_length] */
    uint64_t histogram_length;
    assay_comparison *tail;        /* rows of the plan, cut by the tail's rule within this range */
    uint64_t tail_count;
    int64_t tail_floor;            /* every pair of the range with fine > this is in the tail */
    uint64_t same_subject, other_side; /* the rest of the range's pairs, but: */
    assay_row_pair *failed;        /* places of pairs that failed to compare, i < j, by (i, j) */
    uint64_t failed_count;
} assay_partial;
void assay_partial_free(assay_partial *partial);
assay_status assay_partial_write(const char *path, const assay_partial *partial) ASSAY_MUST_CHECK;
assay_status assay_partial_read(const char *path, assay_partial *out) ASSAY_MUST_CHECK;

/* ---- any of them ---- */

typedef enum {
    ASSAY_CONTAINER_DATASET,
    ASSAY_CONTAINER_TEMPLATES,
    ASSAY_CONTAINER_EVIDENCE,
    ASSAY_CONTAINER_PARTIAL,
    ASSAY_CONTAINER_PARTIAL_TEMPLATES,
    ASSAY_CONTAINER_PARTIAL_SCORES
} assay_container_kind;
/* By its seal; the file is not read. ASSAY_USAGE for a matrix of scores, which no step reads. */
assay_status assay_container_kind_of(const char *path, assay_container_kind *out) ASSAY_MUST_CHECK;
/* What `assay info` prints: a JSON object (kind, format version, counts, digests, provenance). */
assay_status assay_container_describe(const char *path, char **out_json) ASSAY_MUST_CHECK;

/* Optional dense matrix of scores of a small set, chunked double [n][n] with sample ids beside it
 * (FORMAT.md). rows of enrolled samples only; scores is [n][n], NaN where a pair is not compared. */
assay_status assay_matrix_write(const char *path, const assay_sample_table *table,
                                const uint32_t *rows, uint32_t n, const double *scores)
    ASSAY_MUST_CHECK;

#endif
