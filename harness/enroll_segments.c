/* enroll_segments -- sealed segments of an enrolment, and going on with those that are there. A
 * template depends on nothing but its image and the release, so any segment of the same plan
 * counts, and only rows that none of them holds are done again. */
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/segment_files.h"
#include "harness/enroll_private.h"
#include "harness/plugin_files.h"
#include "harness/segments.h"

#define SEGMENT "rows"

bool assay_enroll_seals(const enrolling *shared) {
    return shared->options->checkpoint_seconds > 0 || shared->options->checkpoint_samples > 0;
}

/* ---- what a segment must be of ---- */

static void add_double(assay_digester *digester, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    assay_digester_add_u64(digester, bits);
}

static void add_description(assay_digester *digester, const assay_algorithm_description *about) {
    const char *const texts[] = {about->name, about->version, about->parameters, about->comparator,
                                 about->template_family};
    const uint64_t numbers[] = {about->kind,         about->length,        about->channels,
                                about->roles_differ, about->vector_offset, about->vector_length,
                                about->bit_rows,     about->bit_shift,     about->bit_shifts,
                                about->bit_minimum};
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
        assay_digester_add_string(digester, texts[n] == NULL ? "" : texts[n]);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
        assay_digester_add_u64(digester, numbers[n]);
    add_double(digester, about->vector_bound);
    add_double(digester, about->vector_scale);
    add_double(digester, about->vector_shift);
}

static assay_status digest_plan(enrolling *shared) {
    const assay_dataset_head *head = assay_dataset_get_head(shared->dataset);
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_digester_add_string(digester, "assay-enrolment/1");
    assay_digester_add_string(digester, ASSAY_VERSION);
    assay_digester_add(digester, head->digest.bytes, sizeof head->digest.bytes);
    add_description(digester, &shared->description);
    if (shared->release->plugin != NULL) status = assay_plugin_files_add(shared->release, digester);
    if (status == ASSAY_OK) status = assay_digester_finish(digester, &shared->plan_digest);
    assay_digester_free(digester);
    return status;
}

/* ---- going on ---- */

static assay_status take_row(enrolling *shared, const assay_partial_templates *partial,
                             uint64_t row, const uint8_t **at) {
    const uint64_t n = row - partial->first_row;
    const bool known = shared->enrolment[row] != ASSAY_ENROLMENT_NONE;
    assay_status status = ASSAY_OK;
    for (uint32_t role = 0; status == ASSAY_OK && role < partial->roles; role++) {
        const uint64_t size = partial->size[n * partial->roles + role];
        if (!known && size > 0) status = assay_enroll_keep(shared, row, role, *at, size);
        *at += size;
    }
    if (status != ASSAY_OK || known) return status;
    if (partial->reasons[n][0] != '\0')
        status = assay_copy_string(&shared->reasons[row], partial->reasons[n]);
    if (status != ASSAY_OK) return status;
    shared->enrolment[row] = partial->enrolment[n];
    shared->seconds[row] = partial->seconds[n];
    shared->resumed++;
    return ASSAY_OK;
}

/* Whether a segment of this plan could hold what it holds. */
static bool fits(const enrolling *shared, const assay_partial_templates *partial) {
    const uint64_t items = (partial->end_row - partial->first_row) * partial->roles;
    if (partial->roles != shared->roles || partial->end_row > shared->table->row_count)
        return false;
    for (uint64_t n = 0; n < items; n++)
        if (partial->size[n] > shared->capacity ||
            (shared->templates != NULL && partial->size[n] > 0 &&
             partial->size[n] != shared->capacity))
            return false;
    return true;
}

static assay_status take_segment(void *context, const char *path) {
    enrolling *shared = context;
    assay_partial_templates partial = {0};
    assay_status status = ASSAY_OK;
    if (assay_partial_templates_read(path, &partial) != ASSAY_OK) {
        assay_progress_note(shared->progress, "segment left aside: %s", assay_error_text());
        return ASSAY_OK;
    }
    if (assay_digest_equal(&partial.plan_digest, &shared->plan_digest) && fits(shared, &partial)) {
        const uint8_t *at = partial.bytes;
        for (uint64_t row = partial.first_row; status == ASSAY_OK && row < partial.end_row; row++)
            status = take_row(shared, &partial, row, &at);
    }
    assay_partial_templates_free(&partial);
    return status;
}

assay_status assay_enroll_resume(enrolling *shared) {
    assay_status status = digest_plan(shared);
    if (status == ASSAY_OK)
        status = assay_segments_walk(shared->out_path, SEGMENT, take_segment, shared);
    if (status == ASSAY_OK && shared->resumed > 0)
        assay_progress_note(shared->progress, "going on: %llu of %llu samples were done before",
                            (unsigned long long)shared->resumed,
                            (unsigned long long)shared->table->row_count);
    return status;
}

/* ---- sealing ---- */

/* The templates of the segment's rows one behind the other. */
static assay_status join(const enrolling *shared, assay_partial_templates *partial) {
    const uint64_t items = (partial->end_row - partial->first_row) * partial->roles;
    uint64_t at = 0;
    for (uint64_t n = 0; n < items; n++) partial->total += partial->size[n];
    const assay_status status =
        assay_allocate(&partial->bytes, partial->total, 1, "a segment's templates");
    for (uint64_t n = 0; status == ASSAY_OK && n < items; n++) {
        const uint64_t row = partial->first_row + n / partial->roles;
        if (partial->size[n] == 0) continue;
        memcpy(partial->bytes + at,
               assay_enroll_template(shared, row, (uint32_t)(n % partial->roles)),
               partial->size[n]);
        at += partial->size[n];
    }
    return status;
}

assay_status assay_enroll_seal(enrolling *shared) {
    const uint64_t first = shared->sealed;
    uint64_t end = first;
    char *path = NULL;
    while (end < shared->table->row_count && shared->enrolment[end] != ASSAY_ENROLMENT_NONE) end++;
    if (end == first) return ASSAY_OK;
    /* All but the bytes is borrowed. */
    assay_partial_templates partial = {.plan_digest = shared->plan_digest,
                                       .first_row = first,
                                       .end_row = end,
                                       .roles = shared->roles,
                                       .enrolment = shared->enrolment + first,
                                       .reasons = shared->reasons + first,
                                       .seconds = shared->seconds + first,
                                       .size = shared->size + first * shared->roles};
    assay_status status = join(shared, &partial);
    if (status == ASSAY_OK)
        status = assay_segments_path(shared->out_path, SEGMENT, first, end, &path);
    if (status == ASSAY_OK) status = assay_partial_templates_write(path, &partial);
    if (status == ASSAY_OK) shared->sealed = end;
    free(path);
    free(partial.bytes);
    return status;
}
