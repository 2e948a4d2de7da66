/* enrolment -- what ingest, enroll and import say about each sample. */
#ifndef ASSAY_HARNESS_ENROLMENT_H
#define ASSAY_HARNESS_ENROLMENT_H

#include "datasets/sample_table.h"
#include "harness/steps.h"

/* Distinct reasons that a table keeps; what comes after is "other reasons". */
#define ASSAY_ENROLMENT_REASONS 256

/* Sets the row's enrolment and its reason, which is made printable and cut to a label's length. */
assay_status assay_enrolment_set(assay_sample_table *table, uint64_t row, assay_enrolment enrolment,
                                 const char *reason) ASSAY_MUST_CHECK;

/* Why vector cannot be compared ("NaN or infinite component", "all-zero vector",
 * "constant vector"), or NULL. */
const char *assay_enrolment_vector_fault(const float *vector, uint32_t length);

/* Counts of the table, and digest. */
void assay_enrolment_count(const assay_sample_table *table, const assay_digest *digest,
                           assay_enroll_result *out);

#endif
