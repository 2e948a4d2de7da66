/* gate_private -- what gate.c and gate_criteria.c share. */
#ifndef ASSAY_REPORTS_GATE_PRIVATE_H
#define ASSAY_REPORTS_GATE_PRIVATE_H

#include "reports/gate.h"
#include "reports/pairing.h"
#include "reports/worse.h"

typedef struct {
    const assay_policy *policy;
    const assay_evidence *reference, *candidate; /* reference NULL: there is none */
    assay_gate gate;
    size_t criterion_capacity, small_capacity;
    assay_status status; /* the first that went wrong while criteria were added */
} gate_work;

/* A new criterion of everybody with nothing known; NULL, and work->status, where memory is out. */
assay_gate_criterion *gate_add(gate_work *work, const char *key, const char *what,
                               assay_gate_unit unit);
/* All criteria of limits on one cell. attribute and group are NULL for everybody. */
void gate_judge_cell(gate_work *work, const assay_paired_cell *cell,
                     const assay_policy_limits *limits, const char *attribute, const char *group);

#endif
