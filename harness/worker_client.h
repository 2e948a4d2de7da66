/* worker_client -- the side of assay that asks assay-algorithm-worker for a plug-in's templates and
 * scores, and trusts nothing it says.
 *
 * Whatever the plug-in does (dies, ends, hangs, answers nonsense) costs the request that it was on:
 * the worker is replaced and asked once more, and if the fresh one does it again, that is the
 * request's outcome with its reason. */
#ifndef ASSAY_HARNESS_WORKER_CLIENT_H
#define ASSAY_HARNESS_WORKER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/session.h"

typedef struct assay_worker assay_worker;

/* Starts one and learns what the plug-in says of itself. ASSAY_USAGE where it refuses what it was
 * asked for; ASSAY_FAILED where it is not there, cannot be loaded or confined, or dies. Call it
 * from the thread that keeps the worker: a worker is killed with the thread that started it. */
assay_status assay_worker_open(const assay_release *release, assay_worker **out) ASSAY_MUST_CHECK;
void assay_worker_close(assay_worker *worker); /* takes NULL */

/* Borrowed until the worker is closed; no text is NULL. */
const assay_algorithm_description *assay_worker_about(const assay_worker *worker);

/* As assay_session_create; capacity bytes at out. check, with its context, says why a template is
 * none (or NULL): such a one is asked for again, too. */
typedef const char *(*assay_worker_check)(const assay_algorithm_description *about,
                                          const uint8_t *bytes, size_t size);
assay_status assay_worker_create(assay_worker *worker, const assay_algorithm_image *images,
                                 size_t count, assay_sample_role role, assay_worker_check check,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 assay_outcome *out_outcome,
                                 char text[ASSAY_SESSION_TEXT]) ASSAY_MUST_CHECK;

/* As assay_session_compare. */
assay_status assay_worker_compare(assay_worker *worker, const assay_opaque_bytes *reference,
                                  const assay_opaque_bytes *probes, size_t count,
                                  assay_own_score *out,
                                  char text[ASSAY_SESSION_TEXT]) ASSAY_MUST_CHECK;

/* What the plug-in has written to its standard streams so far: the number of bytes that were read
 * of it, and the beginning, made printable; borrowed. */
uint64_t assay_worker_heard(const assay_worker *worker, const char **out);

#endif
