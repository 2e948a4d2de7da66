/* enroll_private -- the parts of an enrolment: its threads, its segments, its files. */
#ifndef ASSAY_HARNESS_ENROLL_PRIVATE_H
#define ASSAY_HARNESS_ENROLL_PRIVATE_H

#include <pthread.h>

#include "datasets/base/pace.h"
#include "datasets/containers.h"
#include "harness/session.h"
#include "harness/steps.h"

/* What the threads share. The lock guards the data set, the counter, progress and the fault. */
typedef struct {
    const assay_release *release;
    const assay_enroll_options *options;
    const char *out_path;
    const assay_progress *progress;
    assay_algorithm_description description; /* borrowed of the session that lives longest */
    assay_dataset *dataset;
    const assay_sample_table *table; /* of the data set */
    assay_digest plan_digest;        /* what segments belong to */
    unsigned threads;

    uint32_t roles;     /* templates of a sample: 1, or as reference and as probe */
    size_t capacity;    /* most bytes of a template */
    uint8_t *templates; /* [roles][row_count][capacity] of vectors and bit strings, else NULL */
    uint8_t **made;     /* [row_count][roles] of opaque ones, NULL where there is none */
    uint64_t *size;     /* [row_count][roles] bytes, 0 where there is none */
    double *seconds;    /* [row_count] */
    uint8_t *enrolment; /* [row_count] NONE: still to be done */
    char **reasons;     /* [row_count], NULL where enrolled */

    pthread_mutex_t lock;
    uint64_t next;         /* rows before it were given to a thread, or done before */
    uint64_t sealed;       /* rows before it are in segments */
    uint64_t stretch_left; /* rows to be done before the next segment */
    double stretch_end;    /* time at which it is due */
    uint64_t done, resumed;
    assay_pace pace;
    assay_status status; /* the first fault, and its text */
    char *fault;
} enrolling;

/* Keeps a template of row in the given role (0 the only one or the reference, 1 the probe). */
assay_status assay_enroll_keep(enrolling *shared, uint64_t row, uint32_t role, const uint8_t *bytes,
                               size_t size) ASSAY_MUST_CHECK;
/* Lets go of what was kept of row. */
void assay_enroll_forget(enrolling *shared, uint64_t row);
/* Borrowed; shared->size says how many bytes. */
const uint8_t *assay_enroll_template(const enrolling *shared, uint64_t row, uint32_t role);

/* enroll_segments: whether there are any. */
bool assay_enroll_seals(const enrolling *shared);
/* Sets the plan's digest and takes what the segments that are there hold of it. */
assay_status assay_enroll_resume(enrolling *shared) ASSAY_MUST_CHECK;
/* Seals the rows that are done behind the last segment, up to the first that is not. */
assay_status assay_enroll_seal(enrolling *shared) ASSAY_MUST_CHECK;

/* enroll_files: writes the finished templates, and counts. */
assay_status assay_enroll_write(enrolling *shared, const assay_session *session, double seconds,
                                assay_enroll_result *out) ASSAY_MUST_CHECK;

#endif
