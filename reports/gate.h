/* gate -- may this release ship: a policy's criteria, all judged at one deployment threshold, from
 * the evidence of the candidate and of the release that it would replace. */
#ifndef ASSAY_REPORTS_GATE_H
#define ASSAY_REPORTS_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/containers.h"
#include "reports/decision.h"
#include "reports/policy.h"

typedef enum {
    ASSAY_UNIT_FMR = 0,    /* a rate as a power of ten */
    ASSAY_UNIT_RATE,       /* a rate in percent */
    ASSAY_UNIT_DIFFERENCE, /* candidate less reference, in percentage points */
    ASSAY_UNIT_RATIO,
    ASSAY_UNIT_SECONDS,
    ASSAY_UNIT_BYTES,
    ASSAY_UNIT_COUNT,
} assay_gate_unit;

/* One criterion as it was judged. Numbers that there are not are NaN. */
typedef struct {
    const char *key;               /* static: "gfnmr_margin", … */
    const char *what;              /* static: in words */
    const char *attribute, *group; /* borrowed of the candidate; NULL: everybody */
    assay_gate_unit unit;
    bool sampled;     /* people were sampled: it has bounds. Else it is a fact, and a FAIL is one */
    double value;     /* of the candidate, or the difference or ratio */
    double reference; /* the reference release's rate, beside a difference or ratio */
    double candidate; /* likewise the candidate's */
    double low, high; /* one-sided bounds at alpha each */
    double limit;
    uint64_t errors, trials;   /* of the candidate; of a difference: errors of it alone */
    uint64_t errors_reference; /* of a difference: errors of the reference alone */
    uint64_t subjects;
    assay_state state;
    double fail_p, holm_p; /* of "beyond its limit"; NaN where it is a fact */
    /* Subjects that would decide it: if what was seen is the truth, and if the truth is no
     * difference (or no error). INFINITY: out of reach. NaN: it is decided, or no number helps. */
    double needed, needed_if_none;
    const char *reason; /* static: why it cannot be judged, or NULL */
    const char *source; /* static: how its bounds were made */
} assay_gate_criterion;

/* Groups that are too small to be judged. */
typedef struct {
    const char *attribute, *group;
    uint64_t subjects;
} assay_gate_small;

typedef struct {
    const assay_policy *policy;
    assay_verdict verdict;
    double threshold_reference, threshold_candidate;
    assay_gate_criterion *criteria; /* [criterion_count] */
    size_t criterion_count;
    assay_gate_small *small; /* [small_count] */
    size_t small_count;
    uint64_t subjects, samples, mated_subjects, mated, non_mated;
    uint64_t excluded; /* samples that never reached the candidate: in no rate */
    bool has_reference;
} assay_gate;

/* Takes subjects that are not to be judged by out of reference (NULL: there is none) and candidate,
 * and judges. Both must outlive *out. ASSAY_USAGE where the two are not of the same comparisons,
 * where the candidate was not given samples that the reference was given, where a reference is
 * needed, an attribute is missing, or the tail does not reach the threshold. */
assay_status assay_gate_judge(const assay_policy *policy, const assay_policy_subjects *subjects,
                              assay_evidence *reference, assay_evidence *candidate,
                              assay_gate *out) ASSAY_MUST_CHECK;
void assay_gate_free(assay_gate *gate); /* takes a zeroed one */

/* What the ledger says of a policy and of who was judged before (gate_ledger.c). */
typedef struct {
    bool filed;          /* this policy with these subjects and this data set was filed */
    bool scored_before;  /* the candidate's evidence was made before that */
    bool scored_unknown; /* the ledger of its folder does not say when it was made */
    char filed_time[32];
    uint64_t filed_record;
    char ledger[256];    /* the folder of the ledger, as it was given */
    uint64_t candidates; /* different candidates that this data set judged, with this one */
    uint64_t looks;      /* times that candidates were judged on it, with this one */
    uint64_t trials;     /* of those, without a filed policy */
    bool trial;          /* this one is such a trial */
} assay_gate_filing;

/* Records that policy is to judge by subjects of a data set. reference may be NULL. */
assay_status assay_gate_file(const assay_policy *policy, const assay_policy_subjects *subjects,
                             const assay_digest *dataset, const char *dataset_name,
                             const assay_digest *reference, const char *directory) ASSAY_MUST_CHECK;
/* ASSAY_USAGE where policy, subjects or reference are not what was filed, or the candidate was
 * scored before; with trial these are told in *out and are no fault. */
assay_status assay_gate_check(const assay_policy *policy, const assay_policy_subjects *subjects,
                              const assay_evidence *reference, const assay_evidence *candidate,
                              const char *candidate_path, const char *directory, bool trial,
                              assay_gate_filing *out) ASSAY_MUST_CHECK;
/* Records that a candidate was judged. */
assay_status assay_gate_record(const assay_gate *gate, const assay_policy_subjects *subjects,
                               const assay_evidence *candidate, const char *directory,
                               bool trial) ASSAY_MUST_CHECK;

/* DIR/index.html and DIR/verdict.json, each written aside and then published, the page last. */
assay_status assay_gate_write(const assay_gate *gate, const assay_policy_subjects *subjects,
                              const assay_gate_filing *filing, const assay_evidence *reference,
                              const assay_evidence *candidate,
                              const char *directory) ASSAY_MUST_CHECK;

#endif
