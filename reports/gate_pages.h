/* gate_pages -- what the writers of a verdict share. */
#ifndef ASSAY_REPORTS_GATE_PAGES_H
#define ASSAY_REPORTS_GATE_PAGES_H

#include "reports/gate.h"

typedef struct {
    const assay_gate *gate;
    const assay_policy_subjects *subjects;
    const assay_gate_filing *filing;
    const assay_evidence *reference, *candidate; /* reference NULL: there is none */
} gate_pages;

assay_status gate_write_json(const gate_pages *pages, const char *path) ASSAY_MUST_CHECK;

#endif
