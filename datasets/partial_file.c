/* partial_file -- partial evidence: what a range of tiles gave, sealed so that a run can go on. */
#include <jansson.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

#define FORMAT "assay-partial"

void assay_partial_free(assay_partial *partial) {
    if (!partial) return;
    free(partial->histogram);
    free(partial->tail);
    free(partial->failed);
    memset(partial, 0, sizeof *partial);
}

static assay_status check_partial(const char *name, const assay_partial *partial) {
    uint64_t sum = 0;
    for (uint64_t n = 0; n < partial->histogram_length; n++) sum += partial->histogram[n];
    if (partial->first_tile > partial->end_tile || sum != partial->histogram_pairs ||
        partial->histogram_pairs > partial->non_mated || partial->tail_count > partial->non_mated ||
        !assay_comparisons_sorted(partial->tail, partial->tail_count, (uint64_t)UINT32_MAX + 1) ||
        !assay_failed_sorted(partial->failed, partial->failed_count, (uint64_t)UINT32_MAX + 1))
        return assay_fail(ASSAY_FAILED,
                          "%s: the partial evidence contradicts itself: tiles, histograms and tail "
                          "do not fit each other",
                          name);
    return ASSAY_OK;
}

typedef struct {
    const assay_partial *partial;
    const char *path;
} partial_writing;

static assay_array histogram_array(uint64_t length) {
    return (assay_array){"/histogram", H5T_STD_U64LE, 1, {length, 0}, ASSAY_LAYOUT_DEFLATED};
}

static assay_status write_partial(void *context, const char *temporary,
                                  assay_store_extents *extents) {
    const partial_writing *job = context;
    const assay_partial *partial = job->partial;
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"first_tile", partial->first_tile}, {"end_tile", partial->end_tile},
        {"non_mated", partial->non_mated},   {"same_subject", partial->same_subject},
        {"other_side", partial->other_side}, {"histogram_pairs", partial->histogram_pairs}};
    assay_store store = ASSAY_STORE_NONE;
    (void)extents; /* all of it is chunked: every block is checked on opening */
    assay_status status = assay_store_create(temporary, FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    status = assay_store_put_digest(&store, "/", "plan_digest", &partial->plan_digest);
    if (status) return status;
    for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
        status = assay_store_put_u64(&store, "/", counts[n].name, counts[n].value);
        if (status) return status;
    }
    status = assay_store_put_i64(&store, "/", "tail_floor", partial->tail_floor);
    if (status) return status;
    assay_array histogram = histogram_array(partial->histogram_length);
    if ((status = assay_array_write(&store, &histogram, partial->histogram))) return status;
    status = assay_comparisons_write(&store, "/tail", partial->tail, partial->tail_count,
                                     (assay_scale){0});
    if (status) return status;
    status = assay_failed_write(&store, "/failed", partial->failed, partial->failed_count);
    if (status) return status;
    return assay_store_finish(&store);
}

assay_status assay_partial_write(const char *path, const assay_partial *partial) {
    char hex[ASSAY_DIGEST_HEX];
    assay_status status = check_partial(path, partial);
    if (status) return status;
    partial_writing job = {partial, path};
    json_t *details = json_pack(
        "{s:s,s:I,s:I}", "plan_digest", assay_digest_hex(hex, &partial->plan_digest), "first_tile",
        (json_int_t)partial->first_tile, "end_tile", (json_int_t)partial->end_tile);
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    status = assay_store_publish(path, "partial", details_json, write_partial, &job);
    free(details_json);
    json_decref(details);
    return status;
}

static assay_status get_counts(const assay_store *store, assay_partial *partial) {
    const struct {
        const char *name;
        uint64_t *at;
    } counts[] = {
        {"first_tile", &partial->first_tile}, {"end_tile", &partial->end_tile},
        {"non_mated", &partial->non_mated},   {"same_subject", &partial->same_subject},
        {"other_side", &partial->other_side}, {"histogram_pairs", &partial->histogram_pairs}};
    assay_status status = assay_store_get_digest(store, "/", "plan_digest", &partial->plan_digest);
    for (size_t n = 0; n < sizeof counts / sizeof counts[0] && status == ASSAY_OK; n++)
        status = assay_store_get_u64(store, "/", counts[n].name, UINT64_MAX, counts[n].at);
    return status;
}

assay_status assay_partial_read(const char *path, assay_partial *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_partial partial = {0};
    uint64_t dims[2];
    assay_status status = assay_store_open(path, FORMAT, &sealed, &store);
    if (status) goto out;
    if ((status = get_counts(&store, &partial))) goto out;
    status = assay_store_get_i64(&store, "/", "tail_floor", &partial.tail_floor);
    if (status) goto out;
    if ((status = assay_array_shape(&store, "/histogram", 1, dims))) goto out;
    status = assay_allocate(&partial.histogram, dims[0], sizeof *partial.histogram, "histograms");
    if (status) goto out;
    partial.histogram_length = dims[0];
    assay_array histogram = histogram_array(dims[0]);
    if ((status = assay_array_read(&store, &histogram, partial.histogram))) goto out;
    status = assay_comparisons_read(&store, "/tail", (assay_scale){0}, &partial.tail, &partial.tail_count);
    if (status) goto out;
    status = assay_failed_read(&store, "/failed", &partial.failed, &partial.failed_count);
    if (status) goto out;
    if ((status = check_partial(path, &partial))) goto out;
    *out = partial;
    memset(&partial, 0, sizeof partial);
out:
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    assay_partial_free(&partial);
    return status;
}
