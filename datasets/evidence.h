/* evidence -- what of evidence.c its file needs. Private to datasets/. */
#ifndef ASSAY_DATASETS_EVIDENCE_H
#define ASSAY_DATASETS_EVIDENCE_H

#include "datasets/containers.h"

/* ASSAY_FAILED where evidence contradicts itself; name is the file's. Asked before writing and
 * after reading. */
assay_status assay_evidence_check(const char *name,
                                  const assay_evidence *evidence) ASSAY_MUST_CHECK;

#endif
