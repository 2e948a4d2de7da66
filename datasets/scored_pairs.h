/* scored_pairs -- comparisons that were made elsewhere, each with its samples and its score. */
#ifndef ASSAY_DATASETS_SCORED_PAIRS_H
#define ASSAY_DATASETS_SCORED_PAIRS_H

#include "datasets/sample_table.h"
#include "datasets/score_list.h"
#include "datasets/text_list.h"

typedef struct {
    double number; /* NaN: none */
    uint32_t reference, probe;
} assay_scored_pair;

typedef struct {
    assay_scored_pair *pairs; /* [count] in the order of the file */
    uint64_t count;
} assay_scored_pairs;
void assay_scored_pairs_free(assay_scored_pairs *list); /* takes a zeroed one */

/* A CSV with the columns reference and probe (sample ids of table) and score: a number, or nan.
 * Further columns are not used. Every fault is told with its line. */
assay_status assay_scored_pairs_read(const char *path, const assay_sample_table *table,
                                     assay_scored_pairs *out) ASSAY_MUST_CHECK;

/* A list of sample ids, one a line, as rows of table; free(). An id that is not in the table, an
 * empty line or an id that is there twice is ASSAY_USAGE with its line. */
assay_status assay_sample_list_read(const char *path, const assay_sample_table *table,
                                    uint32_t **out, uint64_t *out_count) ASSAY_MUST_CHECK;
/* The same of ids that were read already: rows [ids->count]. */
assay_status assay_sample_list_of(const char *name, const assay_text_list *ids,
                                  const assay_sample_table *table, uint32_t **out) ASSAY_MUST_CHECK;

#endif
