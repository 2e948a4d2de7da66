/* session -- one release's algorithm at work: a built-in in this process, a plug-in in a confined
 * worker (worker_client.h). A session serves one thread. */
#ifndef ASSAY_HARNESS_SESSION_H
#define ASSAY_HARNESS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "harness/algorithm.h"
#include "harness/steps.h"

#define ASSAY_OPAQUE_BYTES_MAX ((uint32_t)64 << 20) /* of one opaque template */
#define ASSAY_SESSION_TEXT 256                      /* bytes of what is said on a sample */

typedef struct assay_session assay_session;

/* ASSAY_USAGE where the algorithm refuses what it was asked for, or describes itself as what cannot
 * be evaluated; ASSAY_FAILED where it cannot be opened. */
assay_status assay_session_open(const assay_release *release, assay_session **out) ASSAY_MUST_CHECK;
void assay_session_close(assay_session *session); /* takes NULL */

/* Borrowed until the session is closed; every field is there, no text is NULL. */
const assay_algorithm_description *assay_session_about(const assay_session *session);
/* Most bytes of one of its templates. */
size_t assay_session_capacity(const assay_session *session);

/* A template of one sample into out (assay_session_capacity bytes, aligned for float32). A fault of
 * the algorithm, whatever it is, is an outcome with its text; a status other than ASSAY_OK is a
 * fault of ours. *out_size is the bytes of the template, 0 where there is none. A vector is finite
 * and not zero, a bit string has valid bits, and the size is what the kind wants. */
assay_status assay_session_create(assay_session *session, const assay_algorithm_image *images,
                                  size_t count, assay_sample_role role, uint8_t *out,
                                  size_t *out_size, assay_outcome *out_outcome,
                                  char text[ASSAY_SESSION_TEXT]) ASSAY_MUST_CHECK;

/* Bytes of an opaque template; borrowed. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
} assay_opaque_bytes;
typedef struct {
    bool scored;
    double score; /* NaN where there is none */
} assay_own_score;
/* Scores of reference with probes[count] by the algorithm's own comparison; count at most 256. One
 * that fails, or gives no finite number, or breaks two workers, has no score; text is of such a
 * one. ASSAY_USAGE where the algorithm has no comparison. */
assay_status assay_session_compare(assay_session *session, const assay_opaque_bytes *reference,
                                   const assay_opaque_bytes *probes, size_t count,
                                   assay_own_score *out,
                                   char text[ASSAY_SESSION_TEXT]) ASSAY_MUST_CHECK;

/* "name key=value …", as templates.h5 keeps it; free(). */
assay_status assay_session_algorithm_text(const assay_session *session,
                                          char **out) ASSAY_MUST_CHECK;

/* Bytes that a plug-in wrote to its standard streams so far, and the printable beginning of them;
 * borrowed until the next call. */
uint64_t assay_session_heard(const assay_session *session, const char **out);

/* Checks a description, whoever made it: ASSAY_USAGE, saying what was expected. */
assay_status assay_description_check(const assay_algorithm_description *about) ASSAY_MUST_CHECK;
/* Why a template cannot be compared, or NULL; borrowed text. */
const char *assay_session_template_fault(const assay_algorithm_description *about,
                                         const uint8_t *bytes, size_t size);

#endif
