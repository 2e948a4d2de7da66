/* segment_files -- sealed segments of steps that work item by item. All of each file is chunked, so
 * every block of it is checked when it is opened. */
#include "datasets/segment_files.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

#define TEMPLATES_FORMAT "assay-partial-templates"
#define SCORES_FORMAT "assay-partial-scores"

/* [first, end) of a segment, by the names of its attributes. */
typedef struct {
    const char *first_name, *end_name;
    uint64_t first, end;
} segment_range;

static assay_status publish(const char *path, const char *what, const assay_digest *plan,
                            const segment_range *range, assay_store_work *work, void *job) {
    char hex[ASSAY_DIGEST_HEX];
    json_t *details =
        json_pack("{s:s,s:I,s:I}", "plan_digest", assay_digest_hex(hex, plan), range->first_name,
                  (json_int_t)range->first, range->end_name, (json_int_t)range->end);
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    const assay_status status = assay_store_publish(path, what, details_json, work, job);
    free(details_json);
    json_decref(details);
    return status;
}

static assay_status put_range(assay_store *store, const assay_digest *plan,
                              const segment_range *range) {
    assay_status status = assay_store_put_digest(store, "/", "plan_digest", plan);
    if (status) return status;
    if ((status = assay_store_put_u64(store, "/", range->first_name, range->first))) return status;
    return assay_store_put_u64(store, "/", range->end_name, range->end);
}

static assay_status get_range(const assay_store *store, assay_digest *plan, segment_range *range) {
    assay_status status = assay_store_get_digest(store, "/", "plan_digest", plan);
    if (status) return status;
    status = assay_store_get_u64(store, "/", range->first_name, UINT64_MAX, &range->first);
    if (status) return status;
    status = assay_store_get_u64(store, "/", range->end_name, UINT64_MAX, &range->end);
    if (status) return status;
    if (range->end <= range->first)
        return assay_store_wrong(store, range->end_name, "a number above the first");
    return ASSAY_OK;
}

/* ---- templates ---- */

void assay_partial_templates_free(assay_partial_templates *partial) {
    const uint64_t rows = partial->end_row - partial->first_row;
    for (uint64_t n = 0; partial->reasons && n < rows; n++) free(partial->reasons[n]);
    free(partial->reasons);
    free(partial->enrolment);
    free(partial->seconds);
    free(partial->size);
    free(partial->bytes);
    *partial = (assay_partial_templates){0};
}

static segment_range rows_of(const assay_partial_templates *partial) {
    return (segment_range){"first_row", "end_row", partial->first_row, partial->end_row};
}

typedef struct {
    assay_array enrolment, seconds, size, bytes;
} templates_arrays;

static templates_arrays arrays_of(const assay_partial_templates *partial) {
    const uint64_t rows = partial->end_row - partial->first_row;
    return (templates_arrays){
        {"/enrolment", H5T_STD_U8LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED},
        {"/seconds", H5T_IEEE_F64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED},
        {"/size", H5T_STD_U64LE, 1, {rows * partial->roles, 0}, ASSAY_LAYOUT_CHUNKED},
        {"/bytes", H5T_STD_U8LE, 1, {partial->total, 0}, ASSAY_LAYOUT_CHUNKED}};
}

typedef struct {
    const void *partial;
    const char *path;
} segment_writing;

static assay_status write_templates(void *context, const char *temporary,
                                    assay_store_extents *extents) {
    const segment_writing *job = context;
    const assay_partial_templates *partial = job->partial;
    const segment_range range = rows_of(partial);
    assay_store store = ASSAY_STORE_NONE;
    (void)extents;
    assay_status status = assay_store_create(temporary, TEMPLATES_FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    const templates_arrays arrays = arrays_of(partial);
    if ((status = put_range(&store, &partial->plan_digest, &range))) return status;
    if ((status = assay_store_put_u64(&store, "/", "roles", partial->roles))) return status;
    if ((status = assay_array_write(&store, &arrays.enrolment, partial->enrolment))) return status;
    if ((status = assay_array_write(&store, &arrays.seconds, partial->seconds))) return status;
    if ((status = assay_array_write(&store, &arrays.size, partial->size))) return status;
    if ((status = assay_array_write(&store, &arrays.bytes, partial->bytes))) return status;
    status = assay_strings_write(&store, "/reason", partial->reasons, range.end - range.first);
    if (status) return status;
    return assay_store_finish(&store);
}

assay_status assay_partial_templates_write(const char *path,
                                           const assay_partial_templates *partial) {
    segment_writing job = {partial, path};
    const segment_range range = rows_of(partial);
    return publish(path, "partial-templates", &partial->plan_digest, &range, write_templates, &job);
}

/* Sizes must be those of enrolled rows and make up the bytes. */
static assay_status check_rows(const assay_store *store, const assay_partial_templates *partial) {
    const uint64_t rows = partial->end_row - partial->first_row;
    uint64_t left = partial->total;
    for (uint64_t row = 0; row < rows; row++)
        if (partial->enrolment[row] < ASSAY_ENROLMENT_ENROLLED ||
            partial->enrolment[row] > ASSAY_ENROLMENT_EXCLUDED)
            return assay_store_wrong(store, "/enrolment", "1 to 4");
    for (uint64_t n = 0; n < rows * partial->roles; n++) {
        const bool enrolled = partial->enrolment[n / partial->roles] == ASSAY_ENROLMENT_ENROLLED;
        if (enrolled != (partial->size[n] > 0) || partial->size[n] > left)
            return assay_store_wrong(store, "/size", "sizes of the enrolled rows' templates");
        left -= partial->size[n];
    }
    return left == 0 ? ASSAY_OK : assay_store_wrong(store, "/bytes", "as many as the sizes say");
}

static assay_status get_templates(const assay_store *store, assay_partial_templates *partial) {
    segment_range range = rows_of(partial);
    uint64_t roles, dims[2];
    assay_status status = get_range(store, &partial->plan_digest, &range);
    if (status) return status;
    if ((status = assay_store_get_u64(store, "/", "roles", 2, &roles))) return status;
    if (roles < 1) return assay_store_wrong(store, "roles", "1 or 2");
    if ((status = assay_array_shape(store, "/enrolment", 1, dims))) return status;
    if (dims[0] != range.end - range.first)
        return assay_store_wrong(store, "/enrolment", "one for each row");
    const uint64_t rows = dims[0];
    if ((status = assay_array_shape(store, "/bytes", 1, dims))) return status;
    partial->roles = (uint32_t)roles;
    partial->total = dims[0];
    status = assay_allocate(&partial->reasons, rows, sizeof *partial->reasons, "reasons");
    if (status) return status;
    partial->first_row = range.first;
    partial->end_row = range.end;
    const templates_arrays arrays = arrays_of(partial);
    if ((status = assay_allocate(&partial->enrolment, rows, 1, "enrolments"))) return status;
    status = assay_allocate(&partial->seconds, rows, sizeof *partial->seconds, "times");
    if (status) return status;
    status = assay_allocate(&partial->size, rows * roles, sizeof *partial->size, "sizes");
    if (status) return status;
    if ((status = assay_allocate(&partial->bytes, partial->total, 1, "templates"))) return status;
    if ((status = assay_array_read(store, &arrays.enrolment, partial->enrolment))) return status;
    if ((status = assay_array_read(store, &arrays.seconds, partial->seconds))) return status;
    if ((status = assay_array_read(store, &arrays.size, partial->size))) return status;
    if ((status = assay_array_read(store, &arrays.bytes, partial->bytes))) return status;
    if ((status = assay_strings_read(store, "/reason", rows, partial->reasons))) return status;
    return check_rows(store, partial);
}

assay_status assay_partial_templates_read(const char *path, assay_partial_templates *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_partial_templates partial = {0};
    assay_status status = assay_store_open(path, TEMPLATES_FORMAT, &sealed, &store);
    if (status == ASSAY_OK) status = get_templates(&store, &partial);
    if (status == ASSAY_OK)
        *out = partial;
    else
        assay_partial_templates_free(&partial);
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    return status;
}

/* ---- scores ---- */

void assay_partial_scores_free(assay_partial_scores *partial) {
    free(partial->scores);
    *partial = (assay_partial_scores){0};
}

static segment_range pairs_of(const assay_partial_scores *partial) {
    return (segment_range){"first_pair", "end_pair", partial->first_pair, partial->end_pair};
}

static assay_array scores_array(uint64_t count) {
    return (assay_array){"/scores", H5T_IEEE_F64LE, 1, {count, 0}, ASSAY_LAYOUT_CHUNKED};
}

static assay_status write_scores(void *context, const char *temporary,
                                 assay_store_extents *extents) {
    const segment_writing *job = context;
    const assay_partial_scores *partial = job->partial;
    const segment_range range = pairs_of(partial);
    const assay_array scores = scores_array(range.end - range.first);
    assay_store store = ASSAY_STORE_NONE;
    (void)extents;
    assay_status status = assay_store_create(temporary, SCORES_FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    if ((status = put_range(&store, &partial->plan_digest, &range))) return status;
    if ((status = assay_array_write(&store, &scores, partial->scores))) return status;
    return assay_store_finish(&store);
}

assay_status assay_partial_scores_write(const char *path, const assay_partial_scores *partial) {
    segment_writing job = {partial, path};
    const segment_range range = pairs_of(partial);
    return publish(path, "partial-scores", &partial->plan_digest, &range, write_scores, &job);
}

static assay_status get_scores(const assay_store *store, assay_partial_scores *partial) {
    segment_range range = pairs_of(partial);
    uint64_t dims[2];
    assay_status status = get_range(store, &partial->plan_digest, &range);
    if (status) return status;
    if ((status = assay_array_shape(store, "/scores", 1, dims))) return status;
    if (dims[0] != range.end - range.first)
        return assay_store_wrong(store, "/scores", "one for each pair");
    partial->first_pair = range.first;
    partial->end_pair = range.end;
    const assay_array scores = scores_array(dims[0]);
    status = assay_allocate(&partial->scores, dims[0], sizeof *partial->scores, "scores");
    if (status) return status;
    if ((status = assay_array_read(store, &scores, partial->scores))) return status;
    for (uint64_t n = 0; n < dims[0]; n++)
        if (isinf(partial->scores[n])) return assay_store_wrong(store, "/scores", "finite numbers");
    return ASSAY_OK;
}

assay_status assay_partial_scores_read(const char *path, assay_partial_scores *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_partial_scores partial = {0};
    assay_status status = assay_store_open(path, SCORES_FORMAT, &sealed, &store);
    if (status == ASSAY_OK) status = get_scores(&store, &partial);
    if (status == ASSAY_OK)
        *out = partial;
    else
        assay_partial_scores_free(&partial);
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    return status;
}
