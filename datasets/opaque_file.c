/* opaque_file -- templates.h5 of opaque templates. */
#include "datasets/opaque.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

#define FORMAT "assay-templates"
#define AT "/opaque"

void assay_opaque_free(assay_opaque *set) {
    assay_templates_head_free(&set->head);
    free(set->size);
    free(set->offset);
    free(set->bytes);
    *set = (assay_opaque){0};
}

static uint64_t item_count(const assay_opaque *set) {
    return set->head.table.row_count * set->roles;
}

static assay_status digest_set(const assay_opaque *set, assay_digest *out) {
    const assay_templates_head *head = &set->head;
    const double numbers[] = {set->vector_bound, set->vector_scale, set->vector_shift};
    assay_digest table;
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status) return status;
    assay_sample_table_digest(&head->table, true, digester);
    if ((status = assay_digester_finish(digester, &table))) goto out;
    assay_digester_add_string(digester, "assay-opaque/1");
    assay_digester_add(digester, table.bytes, sizeof table.bytes);
    assay_digester_add_string(digester, head->release);
    assay_digester_add_string(digester, head->version);
    assay_digester_add_string(digester, head->algorithm);
    assay_digester_add_string(digester, head->comparator);
    assay_digester_add_u64(digester, head->length);
    assay_digester_add_u64(digester, set->roles);
    assay_digester_add_u64(digester, set->vector_offset);
    assay_digester_add_u64(digester, set->vector_length);
    for (int n = 0; n < 3; n++) {
        uint64_t bits;
        memcpy(&bits, &numbers[n], sizeof bits);
        assay_digester_add_u64(digester, bits);
    }
    for (uint64_t n = 0; n < item_count(set); n++) assay_digester_add_u64(digester, set->size[n]);
    assay_digester_add(digester, set->bytes, set->total);
    status = assay_digester_finish(digester, out);
out:
    assay_digester_free(digester);
    return status;
}

/* ---- writing ---- */

typedef struct {
    const assay_opaque *set;
    const char *path;
} opaque_writing;

static assay_status put_names(assay_store *store, const assay_templates_head *head) {
    const struct {
        const char *name, *value;
    } texts[] = {
        {"release", head->release},           {"version", head->version},
        {"algorithm", head->algorithm},       {"comparator", head->comparator},
        {"dataset_name", head->dataset_name},
    };
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
        assay_status status = assay_store_put_text(store, "/", texts[n].name, texts[n].value);
        if (status) return status;
    }
    assay_status status = assay_store_put_family(store, head->family);
    if (status) return status;
    status = assay_store_put_digest(store, "/", "dataset_digest", &head->dataset_digest);
    if (status) return status;
    return assay_store_put_digest(store, "/", "digest", &head->digest);
}

static assay_status put_numbers(assay_store *store, const assay_opaque *set) {
    const struct {
        const char *name;
        uint64_t value;
    } whole[] = {{"length", set->head.length},
                 {"roles", set->roles},
                 {"vector_offset", set->vector_offset},
                 {"vector_length", set->vector_length}};
    const struct {
        const char *name;
        double value;
    } real[] = {{"vector_bound", set->vector_bound},
                {"vector_scale", set->vector_scale},
                {"vector_shift", set->vector_shift}};
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof whole / sizeof *whole; n++)
        status = assay_store_put_u64(store, AT, whole[n].name, whole[n].value);
    for (size_t n = 0; status == ASSAY_OK && n < sizeof real / sizeof *real; n++)
        status = assay_store_put_f64(store, AT, real[n].name, real[n].value);
    return status;
}

static assay_status put_bytes(assay_store *store, const assay_opaque *set, assay_extent *extent) {
    const assay_array bytes = {
        AT "/bytes", H5T_STD_U8LE, 1, {set->total, 0}, ASSAY_LAYOUT_CONTIGUOUS};
    hid_t dataset = -1;
    assay_status status = assay_array_create(store, &bytes, &dataset);
    if (status) return status;
    if (set->total > 0) {
        status = assay_array_write_rows(store, &bytes, dataset, 0, set->total, set->bytes);
        if (status) return status;
    }
    if ((status = assay_array_extent(store, &bytes, dataset, extent))) return status;
    return assay_array_finish(store, &bytes, dataset);
}

static assay_status write_opaque(void *context, const char *temporary,
                                 assay_store_extents *extents) {
    const opaque_writing *job = context;
    const assay_templates_head *head = &job->set->head;
    const uint64_t rows = head->table.row_count;
    const assay_array size = {
        AT "/size", H5T_STD_U64LE, 1, {item_count(job->set), 0}, ASSAY_LAYOUT_CHUNKED};
    const assay_array seconds = {AT "/seconds", H5T_IEEE_F64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_store store = ASSAY_STORE_NONE;
    assay_extent extent = {0, 0};
    assay_status status = assay_store_create(temporary, FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    if ((status = put_names(&store, head))) return status;
    status = assay_document_write(&store, "/provenance", head->provenance_json);
    if (status) return status;
    if ((status = assay_store_put_table(&store, &head->table))) return status;
    if ((status = assay_store_put_group(&store, AT))) return status;
    if ((status = put_numbers(&store, job->set))) return status;
    if ((status = assay_array_write(&store, &size, job->set->size))) return status;
    if ((status = assay_array_write(&store, &seconds, head->seconds))) return status;
    if ((status = put_bytes(&store, job->set, &extent))) return status;
    if ((status = assay_store_finish(&store))) return status;
    if (extent.length) extents->list[extents->count++] = extent;
    return ASSAY_OK;
}

assay_status assay_opaque_write(const char *path, assay_opaque *set) {
    char hex[ASSAY_DIGEST_HEX];
    assay_status status = assay_table_check(path, &set->head.table);
    if (status) return status;
    if ((status = digest_set(set, &set->head.digest))) return status;
    opaque_writing job = {set, path};
    json_t *details =
        json_pack("{s:s,s:s,s:s,s:I}", "release", set->head.release, "version", set->head.version,
                  "digest", assay_digest_hex(hex, &set->head.digest), "templates",
                  (json_int_t)set->head.table.row_count);
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    status = assay_store_publish(path, "templates", details_json, write_opaque, &job);
    free(details_json);
    json_decref(details);
    return status;
}

/* ---- reading ---- */

static assay_status get_head(const assay_store *store, assay_templates_head *head) {
    const struct {
        const char *name;
        char **out;
    } texts[] = {
        {"release", &head->release},           {"version", &head->version},
        {"algorithm", &head->algorithm},       {"comparator", &head->comparator},
        {"dataset_name", &head->dataset_name},
    };
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
        assay_status status = assay_store_get_text(store, "/", texts[n].name, texts[n].out);
        if (status) return status;
    }
    assay_status status = assay_store_get_family(store, &head->family);
    if (status) return status;
    status = assay_store_get_digest(store, "/", "dataset_digest", &head->dataset_digest);
    if (status) return status;
    if ((status = assay_store_get_digest(store, "/", "digest", &head->digest))) return status;
    if ((status = assay_document_read(store, "/provenance", &head->provenance_json))) return status;
    return assay_store_get_table(store, &head->table);
}

static assay_status get_numbers(const assay_store *store, assay_opaque *set) {
    uint32_t *const whole[] = {&set->head.length, &set->roles, &set->vector_offset,
                               &set->vector_length};
    static const char *const names[] = {"length", "roles", "vector_offset", "vector_length"};
    double *const real[] = {&set->vector_bound, &set->vector_scale, &set->vector_shift};
    static const char *const real_names[] = {"vector_bound", "vector_scale", "vector_shift"};
    for (int n = 0; n < 4; n++) {
        uint64_t value;
        assay_status status = assay_store_get_u64(store, AT, names[n], UINT32_MAX, &value);
        if (status) return status;
        *whole[n] = (uint32_t)value;
    }
    for (int n = 0; n < 3; n++) {
        assay_status status = assay_store_get_f64(store, AT, real_names[n], real[n]);
        if (status) return status;
    }
    if (set->roles != 1 && set->roles != 2) return assay_store_wrong(store, AT " roles", "1 or 2");
    return ASSAY_OK;
}

/* Sizes must be those of enrolled rows and make up the bytes. */
static assay_status get_sizes(const assay_store *store, assay_opaque *set) {
    const uint64_t items = item_count(set);
    const assay_array size = {AT "/size", H5T_STD_U64LE, 1, {items, 0}, ASSAY_LAYOUT_CHUNKED};
    assay_status status = assay_allocate(&set->size, items, sizeof *set->size, "sizes");
    if (status) return status;
    if ((status = assay_allocate(&set->offset, items, sizeof *set->offset, "places")))
        return status;
    if ((status = assay_array_read(store, &size, set->size))) return status;
    for (uint64_t n = 0; n < items; n++) {
        bool enrolled = set->head.table.enrolment[n / set->roles] == ASSAY_ENROLMENT_ENROLLED;
        if (enrolled != (set->size[n] > 0) || set->size[n] > set->head.length ||
            (enrolled && set->vector_length > 0 &&
             set->size[n] < set->vector_offset + set->vector_length * sizeof(float)))
            return assay_store_wrong(store, AT "/size", "sizes of the enrolled samples' templates");
        set->offset[n] = set->total;
        set->total += set->size[n];
    }
    return ASSAY_OK;
}

static assay_status get_arrays(const assay_store *store, assay_sealed_file *sealed,
                               assay_opaque *set) {
    const uint64_t rows = set->head.table.row_count;
    const assay_array seconds = {AT "/seconds", H5T_IEEE_F64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    hid_t dataset = -1;
    assay_extent extent;
    assay_status status = get_sizes(store, set);
    if (status) return status;
    const assay_array bytes = {
        AT "/bytes", H5T_STD_U8LE, 1, {set->total, 0}, ASSAY_LAYOUT_CONTIGUOUS};
    status = assay_allocate(&set->head.seconds, rows, sizeof *set->head.seconds, "times");
    if (status) return status;
    if ((status = assay_array_read(store, &seconds, set->head.seconds))) return status;
    if ((status = assay_allocate(&set->bytes, set->total, 1, "opaque templates"))) return status;
    if ((status = assay_array_open(store, &bytes, &dataset))) return status;
    status = assay_array_extent(store, &bytes, dataset, &extent);
    H5Dclose(dataset);
    if (status || set->total == 0) return status;
    return assay_sealed_file_read(sealed, extent.offset, set->total, set->bytes);
}

assay_status assay_opaque_is(const char *path, bool *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_status status = assay_store_open(path, FORMAT, &sealed, &store);
    if (status == ASSAY_OK) *out = assay_store_has(&store, AT);
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    return status;
}

assay_status assay_opaque_read(const char *path, assay_opaque *out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_sealed_file *sealed = NULL;
    assay_opaque set = {0};
    assay_digest digest;
    assay_status status = assay_store_open(path, FORMAT, &sealed, &store);
    if (status) goto out;
    if ((status = get_head(&store, &set.head))) goto out;
    if ((status = get_numbers(&store, &set))) goto out;
    if ((status = get_arrays(&store, sealed, &set))) goto out;
    if ((status = digest_set(&set, &digest))) goto out;
    if (!assay_digest_equal(&digest, &set.head.digest)) {
        status = assay_store_wrong(&store, "digest", "the SHA-256 of the templates");
        goto out;
    }
    *out = set;
    set = (assay_opaque){0};
out:
    assay_store_close(&store);
    assay_sealed_file_close(sealed);
    assay_opaque_free(&set);
    return status;
}
