/* grouping -- samples by one attribute, or by several crossed: a group for each combination of
 * values that a sample has. */
#ifndef ASSAY_REPORTS_GROUPING_H
#define ASSAY_REPORTS_GROUPING_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/text.h"
#include "datasets/protocol.h"
#include "datasets/sample_table.h"

#define ASSAY_GROUPING_PARTS 4u

typedef struct {
    const assay_attribute *attribute; /* of the table, or made */
    assay_attribute *made;            /* what was crossed, named "sex × age_band"; else NULL */
    const assay_attribute *parts[ASSAY_GROUPING_PARTS]; /* borrowed of the table */
    uint32_t part_count;
    uint64_t *keys; /* [label_count - ASSAY_CODE_FIRST] combinations of what was crossed, rising */
    bool mean_of_pair; /* a mated comparison has the mean of both samples' numbers */
} assay_grouping;

/* expression is a name of an attribute, or names with '*' between them. A combination in which a
 * value is missing, unknown or several is that. mean_of_pair: numeric attributes are by the mean of
 * both samples for mated comparisons; those of same, all of one subject, are asked for their
 * combinations too. ASSAY_USAGE where a name is not an attribute, stands twice, or combinations are
 * more than an attribute can have. table must outlive *out. */
assay_status assay_grouping_create(const assay_sample_table *table, const char *expression,
                                   bool mean_of_pair, const assay_same_subject *same,
                                   assay_grouping *out) ASSAY_MUST_CHECK;
void assay_grouping_free(assay_grouping *grouping); /* takes a zeroed one */

/* Code of a mated comparison: that of its probe, or with mean_of_pair as above. */
uint16_t assay_grouping_of_mated(const assay_grouping *grouping, uint32_t i, uint32_t j,
                                 uint32_t probe);

/* The crossing that is reported where nothing is said: the first attribute of each of sex, age and
 * origin by its usual names, "sex*age_band*origin"; nothing appended where there are not two. */
void assay_grouping_usual(const assay_sample_table *table, assay_text *out);

#endif
