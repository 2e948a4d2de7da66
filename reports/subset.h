/* subset -- evidence without some of its subjects, as if they had never been in the data set. */
#ifndef ASSAY_REPORTS_SUBSET_H
#define ASSAY_REPORTS_SUBSET_H

#include <stdint.h>

#include "datasets/containers.h"

/* keep is [subject_count]. Rows of others, and every comparison that they are in, are taken out;
 * the histograms go, since they cannot be taken apart. dataset_digest and result_digest stay those
 * of the file. On a failure evidence is only good for being freed. */
assay_status assay_evidence_keep(assay_evidence *evidence, const uint8_t *keep) ASSAY_MUST_CHECK;

#endif
