/* segment_files -- sealed segments of steps that work item by item: an enrolment, and comparisons
 * by an algorithm itself (FORMAT.md, "Partial templates", "Partial scores"). A step that was cut
 * short goes on with what they hold; those of tiles are in containers.h. */
#ifndef ASSAY_DATASETS_SEGMENT_FILES_H
#define ASSAY_DATASETS_SEGMENT_FILES_H

#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"

/* What became of rows first_row … end_row - 1 of a data set. */
typedef struct {
    assay_digest plan_digest;    /* of everything that decides what a template is */
    uint64_t first_row, end_row; /* [first, end) */
    uint32_t roles;              /* templates of a row: 1 or 2 */
    uint8_t *enrolment;          /* [rows] assay_enrolment, never NONE */
    char **reasons;              /* [rows], NULL or "" where there is none */
    double *seconds;             /* [rows], NaN where not known */
    uint64_t *size;              /* [rows][roles] bytes, 0 where a row is not enrolled */
    uint8_t *bytes;              /* [total] templates one behind the other, in the same order */
    uint64_t total;
} assay_partial_templates;
void assay_partial_templates_free(assay_partial_templates *partial); /* takes a zeroed one */
assay_status assay_partial_templates_write(const char *path,
                                           const assay_partial_templates *partial) ASSAY_MUST_CHECK;
/* Checked: every enrolled row, and no other, has templates, and they make up the bytes. */
assay_status assay_partial_templates_read(const char *path,
                                          assay_partial_templates *out) ASSAY_MUST_CHECK;

/* Scores of comparisons first_pair … end_pair - 1 of a plan's list. */
typedef struct {
    assay_digest plan_digest;
    uint64_t first_pair, end_pair; /* [first, end) */
    double *scores;                /* [pairs]; NaN where a comparison failed */
} assay_partial_scores;
void assay_partial_scores_free(assay_partial_scores *partial); /* takes a zeroed one */
assay_status assay_partial_scores_write(const char *path,
                                        const assay_partial_scores *partial) ASSAY_MUST_CHECK;
assay_status assay_partial_scores_read(const char *path,
                                       assay_partial_scores *out) ASSAY_MUST_CHECK;

#endif
