/* enroll_files -- what an enrolment leaves behind: templates.h5 of vectors and bit strings, in
 * roles where references and probes differ, or of opaque templates. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/opaque.h"
#include "harness/enroll_private.h"
#include "harness/enrolment.h"
#include "harness/plugin_files.h"
#include "harness/segments.h"
#include "kernels/comparator.h"

/* What a plug-in was made of, so that the templates are made anew where any of it changes. */
static assay_status add_plugin(const assay_release *release, json_t *object) {
    assay_plugin_files files = {0};
    char object_hex[ASSAY_DIGEST_HEX], config[ASSAY_DIGEST_HEX];
    if (release->plugin == NULL) return ASSAY_OK;
    assay_status status = assay_plugin_files_digest(release, &files);
    if (status != ASSAY_OK) return status;
    json_t *more =
        json_pack("{s:s, s:s, s:s}", "plugin_sha256", assay_digest_hex(object_hex, &files.object),
                  "config_sha256", assay_digest_hex(config, &files.config), "parameters_given",
                  files.parameters);
    if (more == NULL || json_object_update(object, more) != 0)
        status = assay_fail(ASSAY_FAILED, "enrolling: no memory");
    json_decref(more);
    assay_plugin_files_free(&files);
    return status;
}

static assay_status fill_provenance(const enrolling *shared, double seconds, char **out) {
    const assay_algorithm_description *about = &shared->description;
    const assay_digest *dataset = &assay_dataset_get_head(shared->dataset)->digest;
    char hex[ASSAY_DIGEST_HEX], *text = NULL;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:I}", "program", "assay", "version",
        ASSAY_VERSION, "algorithm", about->name, "algorithm_version", about->version, "parameters",
        about->parameters, "dataset_digest", assay_digest_hex(hex, dataset), "threads",
        (int)shared->threads, "seconds", seconds, "resumed_samples", (json_int_t)shared->resumed);
    assay_status status = object == NULL ? assay_fail(ASSAY_FAILED, "enrolling: no memory")
                                         : add_plugin(shared->release, object);
    if (status == ASSAY_OK) text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    if (status == ASSAY_OK && text == NULL)
        status = assay_fail(ASSAY_FAILED, "enrolling: no memory");
    json_decref(object);
    if (status == ASSAY_OK) *out = text;
    return status;
}

/* The table of the data set with what became of each sample, in row order. */
static assay_status fill_table(const enrolling *shared, assay_sample_table *out) {
    assay_status status = assay_sample_table_copy(shared->table, out);
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < out->row_count; row++) {
        if (shared->table->enrolment[row] == ASSAY_ENROLMENT_EXCLUDED) continue;
        const char *reason = shared->reasons[row] == NULL ? "" : shared->reasons[row];
        status = assay_enrolment_set(out, row, (assay_enrolment)shared->enrolment[row], reason);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

/* How the templates are compared where nobody says otherwise. */
static void print_comparator(const assay_algorithm_description *about,
                             char out[ASSAY_COMPARATOR_TEXT]) {
    if (about->kind == ASSAY_TEMPLATE_BITS) {
        assay_comparator_settings settings = {.comparator = ASSAY_HAMMING,
                                              .has_shifts = true,
                                              .shifts = about->bit_shifts,
                                              .has_minimum = about->bit_minimum > 0,
                                              .minimum_valid_bits = about->bit_minimum};
        assay_comparator_complete(&settings, about->length);
        assay_comparator_print(&settings, out);
        return;
    }
    const bool own = about->kind == ASSAY_TEMPLATE_OPAQUE && about->vector_length == 0;
    snprintf(out, ASSAY_COMPARATOR_TEXT, "%s", own ? "own" : about->comparator);
}

static assay_status fill_head(const enrolling *shared, const assay_session *session,
                              assay_templates_head *head) {
    const assay_algorithm_description *about = &shared->description;
    const assay_release *release = shared->release;
    const assay_dataset_head *dataset = assay_dataset_get_head(shared->dataset);
    char comparator[ASSAY_COMPARATOR_TEXT];
    const struct {
        char **to;
        const char *from;
    } texts[] = {
        {&head->release, release->release == NULL ? about->name : release->release},
        {&head->version, release->version == NULL ? about->version : release->version},
        {&head->comparator, comparator},
        {&head->dataset_name, dataset->name},
        {&head->family, about->template_family},
    };
    print_comparator(about, comparator);
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
        assay_status status = assay_copy_string(texts[n].to, texts[n].from);
        if (status != ASSAY_OK) return status;
    }
    assay_status status = assay_session_algorithm_text(session, &head->algorithm);
    if (status != ASSAY_OK) return status;
    head->dataset_digest = dataset->digest;
    head->length = about->length;
    if (about->kind == ASSAY_TEMPLATE_BITS) {
        head->kind = ASSAY_TEMPLATES_BITS;
        head->bit_rows = about->bit_rows > 0 ? about->bit_rows : 1;
        head->shift_bits = about->bit_shift > 0 ? about->bit_shift : 1;
    }
    status = assay_allocate(&head->seconds, head->table.row_count, sizeof *head->seconds, "times");
    if (status == ASSAY_OK)
        memcpy(head->seconds, shared->seconds, head->table.row_count * sizeof *head->seconds);
    return status;
}

/* The templates one behind the other, in row order. */
static assay_status join_opaque(const enrolling *shared, assay_opaque *opaque) {
    const uint64_t items = shared->table->row_count * shared->roles;
    for (uint64_t n = 0; n < items; n++) opaque->total += shared->size[n];
    assay_status status = assay_allocate(&opaque->bytes, opaque->total, 1, "templates");
    uint64_t at = 0;
    for (uint64_t n = 0; status == ASSAY_OK && n < items; n++) {
        if (shared->size[n] > 0) memcpy(opaque->bytes + at, shared->made[n], shared->size[n]);
        at += shared->size[n];
    }
    return status;
}

static assay_status write_opaque(const enrolling *shared, assay_templates_head *head) {
    const assay_algorithm_description *about = &shared->description;
    assay_opaque opaque = {.head = *head, /* borrowed, as the sizes are */
                           .roles = shared->roles,
                           .size = shared->size,
                           .vector_offset = about->vector_length > 0 ? about->vector_offset : 0,
                           .vector_length = about->vector_length,
                           .vector_bound = about->vector_bound,
                           .vector_scale = about->vector_scale,
                           .vector_shift = about->vector_shift};
    assay_status status = join_opaque(shared, &opaque);
    if (status == ASSAY_OK) status = assay_opaque_write(shared->out_path, &opaque);
    head->digest = opaque.head.digest;
    free(opaque.bytes);
    return status;
}

/* Where references and probes differ, every sample twice (assay_sample_table_in_roles), as the
 * templates lie; opaque ones keep both under one row. */
static assay_status put_in_roles(const enrolling *shared, assay_templates_head *head) {
    assay_sample_table apart = {0};
    const uint64_t rows = shared->table->row_count;
    if (shared->roles == 1 || shared->templates == NULL) return ASSAY_OK;
    assay_status status = assay_sample_table_in_roles(&head->table, &head->table, &apart);
    if (status != ASSAY_OK) return status;
    assay_sample_table_free(&head->table);
    head->table = apart;
    double *seconds = realloc(head->seconds, 2 * rows * sizeof *seconds);
    if (seconds == NULL) return assay_fail(ASSAY_FAILED, "enrolling: no memory");
    memcpy(seconds + rows, seconds, rows * sizeof *seconds);
    head->seconds = seconds;
    return ASSAY_OK;
}

assay_status assay_enroll_write(enrolling *shared, const assay_session *session, double seconds,
                                assay_enroll_result *out) {
    assay_templates_head head = {0};
    assay_status status = fill_table(shared, &head.table);
    if (status == ASSAY_OK) status = fill_head(shared, session, &head);
    if (status == ASSAY_OK) status = fill_provenance(shared, seconds, &head.provenance_json);
    if (status != ASSAY_OK) goto out;
    assay_enroll_result result;
    assay_enrolment_count(&head.table, &head.digest, &result);
    status = put_in_roles(shared, &head);
    if (status == ASSAY_OK)
        status = shared->templates == NULL
                     ? write_opaque(shared, &head)
                     : assay_templates_write(shared->out_path, &head, shared->templates);
    if (status != ASSAY_OK) goto out;
    result.digest = head.digest;
    result.resumed = shared->resumed;
    *out = result;
    assay_segments_drop(shared->out_path);
out:
    assay_templates_head_free(&head);
    return status;
}
