/* compare_private -- the parts of the comparison step: its size, its tiles, its evidence. */
#ifndef ASSAY_HARNESS_COMPARE_PRIVATE_H
#define ASSAY_HARNESS_COMPARE_PRIVATE_H

#include "datasets/opaque.h"
#include "harness/plan.h"
#include "harness/steps.h"
#include "kernels/backend.h"
#include "kernels/comparator.h"

/* Two bands of a set that is larger than memory, one behind the other. */
typedef struct {
    assay_quantised set;    /* [2 bands] */
    assay_quantised loaded; /* borrows of set what a part needs */
    uint32_t *subject, *group;
    uint8_t *side;
    uint64_t held[2]; /* which bands; UINT64_MAX: none */
} comparison_bands;

typedef struct {
    const assay_compare_options *options;
    const assay_progress *progress;
    const char *out_path;
    assay_templates *templates; /* open */
    assay_templates *probes;    /* of rows from probe_first on; NULL: templates has all */
    uint64_t probe_first;
    const assay_opaque *opaque;       /* instead: opaque templates with vectors in them */
    const assay_templates_head *head; /* borrowed of either */
    const assay_backend *backend;
    assay_comparator comparator;
    char comparator_text[ASSAY_COMPARATOR_TEXT]; /* with its parameters */
    assay_hamming_rule rule;                     /* of bit strings */
    unsigned threads;
    uint64_t memory_limit; /* bytes */
    assay_plan plan;
    uint64_t band;          /* templates of a band; 0: the whole set is in memory */
    assay_quantised set;    /* in plan order; by bands its scales and norms only, of bit strings the
                               scales alone */
    assay_hamming_set bits; /* in plan order; empty for vectors */
    comparison_bands bands;
    uint64_t *part_first;  /* [parts + 1] tiles before each part, counted through all of them */
    int store;             /* file of the set that is compared by bands, or -1 */
    assay_all_pairs pairs; /* borrows plan and set; by bands of no use to a backend */
    assay_tally tally;     /* of all tiles */
    double seconds;        /* wall time of the all-pairs pass */
    uint64_t resumed_tiles, checked_tiles;
} comparison;

/* compare_between: rows of templates.h5, or of the two of them, as assay_templates_read gives them.
 */
assay_status assay_compare_read(const comparison *work, uint64_t first, uint64_t count,
                                void *out) ASSAY_MUST_CHECK;
/* Opens both files and checks that a reference of the one can be compared with a probe of the
 * other; *out_head, of all rows, is the caller's to free. */
assay_status assay_compare_open_between(const char *references_path, const char *probes_path,
                                        comparison *work,
                                        assay_templates_head *out_head) ASSAY_MUST_CHECK;
/* What evidence says of the references, and whose its probes are. */
assay_status assay_compare_name_references(const comparison *work,
                                           assay_evidence *evidence) ASSAY_MUST_CHECK;
/* compare: templates in memory or in bands, with the plan of their comparisons. work has options,
 * opaque, progress, out_path and store = -1; it is closed whatever comes of it. */
assay_status assay_compare_open(const char *templates_path, comparison *work) ASSAY_MUST_CHECK;
void assay_compare_close(comparison *work);

/* compare_bits: bit strings into work->bits and the scales of their scores into work->set. They are
 * always in memory as a whole. */
assay_status assay_compare_read_bits(comparison *work) ASSAY_MUST_CHECK;
/* What comparator and templates have to do with each other: completes the parameters, or says why
 * they do not fit (ASSAY_USAGE). */
assay_status assay_compare_check_kind(comparison *work, const char *comparator) ASSAY_MUST_CHECK;
/* Tiles first … end - 1 of plan by backend, of vectors or of bit strings. */
assay_status assay_compare_run(const assay_backend *backend, const assay_all_pairs *plan,
                               uint64_t first, uint64_t end, const assay_backend_options *options,
                               assay_tally *out) ASSAY_MUST_CHECK;

/* compare_size: chooses bands where the set does not fit memory, says what is needed, and refuses
 * what would not fit, with the figures. */
uint64_t assay_compare_memory(const comparison *work);
uint64_t assay_compare_disk(const comparison *work);
assay_status assay_compare_check_size(comparison *work) ASSAY_MUST_CHECK;

/* compare_bands: the set's integers, in memory or in a file, and the parts of the comparison. */
assay_status assay_compare_quantise(comparison *work) ASSAY_MUST_CHECK;
void assay_compare_free_set(comparison *work);
uint64_t assay_compare_band_count(const comparison *work);
uint64_t assay_compare_band_reads(const comparison *work); /* bands read in all */
uint64_t assay_compare_part_count(const comparison *work);
/* The part's plan, its templates in memory until the next call. */
assay_status assay_compare_load_part(comparison *work, uint64_t part,
                                     assay_all_pairs *out) ASSAY_MUST_CHECK;
/* The tile of a pair of places, counted through all parts. */
uint64_t assay_compare_tile_of(const comparison *work, uint64_t a, uint64_t b);
/* Pairs of tiles first … end - 1, counted through all parts: what their counters must add up to. */
uint64_t assay_compare_tile_pairs(const comparison *work, uint64_t first, uint64_t end);
/* Scores of listed pairs of places. No part is loaded afterwards. */
assay_status assay_compare_score(comparison *work, const assay_place_pair *pairs, uint64_t count,
                                 assay_scored_pair *out) ASSAY_MUST_CHECK;

/* compare_tiles: fills work->tally from sealed segments that are there and from the backend. With
 * checkpoints, segments lie in OUT.parts/ until the evidence is published. */
assay_status assay_compare_tiles(comparison *work) ASSAY_MUST_CHECK;

/* compare_check: ASSAY_DISAGREES where a tile of the part, which is loaded as plan and done, is not
 * what the reference backend makes of it. */
assay_status assay_compare_check_part(comparison *work, uint64_t part,
                                      const assay_all_pairs *plan) ASSAY_MUST_CHECK;

/* compare_evidence: mated scores, the tail by rows, and everything that evidence says. The tally's
 * tail becomes the evidence's. */
assay_status assay_compare_evidence(comparison *work, assay_evidence *out) ASSAY_MUST_CHECK;

/* What evidence takes over from templates and from the protocol. */
assay_status assay_compare_copy_names(const assay_templates_head *head, const char *comparator,
                                      assay_evidence *evidence) ASSAY_MUST_CHECK;
assay_status assay_compare_copy_protocol(const assay_protocol *from,
                                         assay_protocol *out) ASSAY_MUST_CHECK;

/* compare_matrix: the dense matrix of a small set. */
assay_status assay_compare_matrix(comparison *work) ASSAY_MUST_CHECK;

#endif
