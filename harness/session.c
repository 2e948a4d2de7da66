/* session -- one release's algorithm at work, wherever it runs. */
#include "harness/session.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/algorithms.h"
#include "harness/enrolment.h"
#include "harness/worker_client.h"
#include "kernels/hamming.h"
#include "kernels/quantise.h"

struct assay_session {
    assay_algorithm_description about;
    const assay_algorithm *builtin; /* and its state; NULL for a plug-in */
    void *state;
    assay_worker *worker; /* of a plug-in */
};

/* ---- what an algorithm says of itself ---- */

static assay_status check_vector(const assay_algorithm_description *about) {
    assay_comparator comparator;
    if (about->length < 1 || about->length > ASSAY_LENGTH_MAX) {
        return assay_fail(ASSAY_USAGE, "algorithm '%s': %u components, expected 1 to %u",
                          about->name, about->length, ASSAY_LENGTH_MAX);
    }
    return assay_comparator_parse(about->comparator, &comparator);
}

static assay_status check_bits(const assay_algorithm_description *about) {
    const assay_hamming_rule rule = {.bits = about->length,
                                     .rows = about->bit_rows > 0 ? about->bit_rows : 1,
                                     .shift_bits = about->bit_shift > 0 ? about->bit_shift : 1,
                                     .shifts = about->bit_shifts,
                                     .minimum_valid_bits =
                                         about->bit_minimum > 0 ? about->bit_minimum : 1};
    const char *comparator = about->comparator == NULL ? "" : about->comparator;
    if (comparator[0] != '\0' && strcmp(comparator, "hamming") != 0)
        return assay_fail(ASSAY_USAGE,
                          "algorithm '%s': bit strings are not compared by '%s', expected hamming",
                          about->name, comparator);
    const assay_status status = assay_hamming_check(&rule);
    return status == ASSAY_OK ? ASSAY_OK : assay_fail_in(status, "algorithm '%s'", about->name);
}

static assay_status check_opaque(const assay_algorithm_description *about) {
    assay_comparator comparator;
    if (about->length < 1 || about->length > ASSAY_OPAQUE_BYTES_MAX) {
        return assay_fail(ASSAY_USAGE,
                          "algorithm '%s': templates of up to %u bytes, expected 1 to %u",
                          about->name, about->length, ASSAY_OPAQUE_BYTES_MAX);
    }
    if (about->vector_length == 0) return ASSAY_OK;
    if (about->vector_length > ASSAY_LENGTH_MAX ||
        about->vector_length * sizeof(float) > about->length ||
        about->vector_offset > about->length - about->vector_length * sizeof(float)) {
        return assay_fail(ASSAY_USAGE,
                          "algorithm '%s': a vector of %u components at byte %u does not lie in "
                          "templates of %u bytes",
                          about->name, about->vector_length, about->vector_offset, about->length);
    }
    if (!(about->vector_bound >= 0)) {
        return assay_fail(ASSAY_USAGE, "algorithm '%s': a bound of %g, expected 0 or more",
                          about->name, about->vector_bound);
    }
    return assay_comparator_parse(about->comparator, &comparator);
}

assay_status assay_description_check(const assay_algorithm_description *about) {
    const struct {
        const char *what, *text;
    } texts[] = {{"name", about->name}, {"version", about->version}};
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        const char *fault = assay_name_fault(texts[n].text, strlen(texts[n].text));
        if (fault == NULL) continue;
        return assay_fail(ASSAY_USAGE, "the algorithm's %s %s", texts[n].what, fault);
    }
    const char *family = about->template_family;
    if (family != NULL && family[0] != '\0') {
        const char *fault = assay_name_fault(family, strlen(family));
        if (fault != NULL) {
            return assay_fail(ASSAY_USAGE, "algorithm '%s': its template family %s", about->name,
                              fault);
        }
    }
    if (about->channels != 1 && about->channels != 3) {
        return assay_fail(ASSAY_USAGE, "algorithm '%s': wants %u channels, expected 1 or 3",
                          about->name, about->channels);
    }
    switch (about->kind) {
    case ASSAY_TEMPLATE_VECTOR:
        return check_vector(about);
    case ASSAY_TEMPLATE_BITS:
        return check_bits(about);
    case ASSAY_TEMPLATE_OPAQUE:
        return check_opaque(about);
    }
    return assay_fail(ASSAY_USAGE, "algorithm '%s': template kind %u, expected 0, 1 or 2",
                      about->name, (unsigned)about->kind);
}

static size_t capacity_of(const assay_algorithm_description *about) {
    switch (about->kind) {
    case ASSAY_TEMPLATE_VECTOR:
        return about->length * sizeof(float);
    case ASSAY_TEMPLATE_BITS:
        return (size_t)about->length / 8 * 2;
    case ASSAY_TEMPLATE_OPAQUE:
        break;
    }
    return about->length;
}

static const char *bits_fault(const uint8_t *mask, size_t count) {
    for (size_t n = 0; n < count; n++)
        if (mask[n] != 0) return NULL;
    return "no valid bit";
}

const char *assay_session_template_fault(const assay_algorithm_description *about,
                                         const uint8_t *bytes, size_t size) {
    size_t capacity = capacity_of(about);
    switch (about->kind) {
    case ASSAY_TEMPLATE_VECTOR:
        if (size != capacity) return "not as many bytes as its vector has";
        return assay_enrolment_vector_fault((const void *)bytes, about->length);
    case ASSAY_TEMPLATE_BITS:
        if (size != capacity) return "not as many bytes as its bits and mask have";
        return bits_fault(bytes + capacity / 2, capacity / 2);
    case ASSAY_TEMPLATE_OPAQUE:
        break;
    }
    if (size == 0) return "empty";
    if (size > capacity) return "more bytes than it may have";
    if (about->vector_length == 0) return NULL;
    if (size < about->vector_offset + about->vector_length * sizeof(float))
        return "too short for the vector in it";
    float vector[ASSAY_LENGTH_MAX];
    memcpy(vector, bytes + about->vector_offset, about->vector_length * sizeof *vector);
    return assay_enrolment_vector_fault(vector, about->vector_length);
}

/* ---- opening ---- */

static assay_status open_builtin(const assay_release *release, assay_session *session) {
    char text[ASSAY_SESSION_TEXT] = "";
    assay_status status = assay_algorithm_find(release->algorithm, &session->builtin);
    if (status != ASSAY_OK) return status;
    const assay_algorithm_setup setup = {
        .size = sizeof setup, .parameters = release->parameters, .config_directory = ""};
    assay_outcome outcome = session->builtin->open(&setup, &session->state, text, sizeof text);
    if (outcome != ASSAY_OUTCOME_OK) {
        return assay_fail(outcome == ASSAY_OUTCOME_REFUSED ? ASSAY_USAGE : ASSAY_FAILED,
                          "opening algorithm '%s': %s", session->builtin->name, text);
    }
    session->about.size = sizeof session->about;
    session->builtin->describe(session->state, &session->about);
    if (session->about.parameters == NULL) session->about.parameters = "";
    if (session->about.template_family == NULL) session->about.template_family = "";
    return assay_description_check(&session->about);
}

static assay_status open_plugin(const assay_release *release, assay_session *session) {
    assay_status status = assay_worker_open(release, &session->worker);
    if (status != ASSAY_OK) return status;
    session->about = *assay_worker_about(session->worker);
    status = assay_description_check(&session->about);
    if (status != ASSAY_OK) return assay_fail_in(status, "%s", release->plugin);
    return ASSAY_OK;
}

assay_status assay_session_open(const assay_release *release, assay_session **out) {
    assay_session *session = NULL;
    assay_status status = assay_allocate(&session, 1, sizeof *session, "an algorithm");
    if (status != ASSAY_OK) return status;
    status =
        release->plugin == NULL ? open_builtin(release, session) : open_plugin(release, session);
    if (status == ASSAY_OK)
        *out = session;
    else
        assay_session_close(session);
    return status;
}

void assay_session_close(assay_session *session) {
    if (session == NULL) return;
    if (session->state != NULL) session->builtin->close(session->state);
    assay_worker_close(session->worker);
    free(session);
}

const assay_algorithm_description *assay_session_about(const assay_session *session) {
    return &session->about;
}

size_t assay_session_capacity(const assay_session *session) {
    return capacity_of(&session->about);
}

assay_status assay_session_algorithm_text(const assay_session *session, char **out) {
    const assay_algorithm_description *about = &session->about;
    assay_text text = {0};
    assay_text_append(&text, about->name);
    if (about->parameters != NULL && about->parameters[0] != '\0')
        assay_text_appendf(&text, " %s", about->parameters);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK)
        *out = text.bytes;
    else
        assay_text_free(&text);
    return status;
}

/* ---- one sample ---- */

assay_status assay_session_create(assay_session *session, const assay_algorithm_image *images,
                                  size_t count, assay_sample_role role, uint8_t *out,
                                  size_t *out_size, assay_outcome *out_outcome,
                                  char text[ASSAY_SESSION_TEXT]) {
    assay_algorithm_template made = {
        .size = sizeof made, .bytes = out, .capacity = capacity_of(&session->about)};
    text[0] = '\0';
    *out_size = 0;
    if (session->worker != NULL)
        return assay_worker_create(session->worker, images, count, role,
                                   assay_session_template_fault, out, made.capacity, out_size,
                                   out_outcome, text);
    *out_outcome = session->builtin->create_template(session->state, images, count, role, &made,
                                                     text, ASSAY_SESSION_TEXT);
    if (*out_outcome == ASSAY_OUTCOME_OK) {
        const char *fault = assay_session_template_fault(&session->about, out, made.used);
        if (fault == NULL) {
            *out_size = made.used;
            return ASSAY_OK;
        }
        *out_outcome = ASSAY_OUTCOME_FAILED;
        snprintf(text, ASSAY_SESSION_TEXT, "unusable template: %s", fault);
    }
    if (text[0] == '\0') snprintf(text, ASSAY_SESSION_TEXT, "no reason given");
    return ASSAY_OK;
}

uint64_t assay_session_heard(const assay_session *session, const char **out) {
    *out = "";
    return session->worker == NULL ? 0 : assay_worker_heard(session->worker, out);
}

assay_status assay_session_compare(assay_session *session, const assay_opaque_bytes *reference,
                                   const assay_opaque_bytes *probes, size_t count,
                                   assay_own_score *out, char text[ASSAY_SESSION_TEXT]) {
    if (session->worker != NULL)
        return assay_worker_compare(session->worker, reference, probes, count, out, text);
    return assay_fail(ASSAY_USAGE, "algorithm '%s' has no comparison of its own",
                      session->about.name);
}
