/* templates_file -- templates.h5: the templates of one release, with the labels of their samples.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/store.h"

#define FORMAT "assay-templates"
#define BLOCK_ROWS 4096

void assay_templates_head_free(assay_templates_head *head) {
    if (!head) return;
    free(head->release);
    free(head->version);
    free(head->algorithm);
    free(head->comparator);
    free(head->family);
    free(head->dataset_name);
    assay_sample_table_free(&head->table);
    free(head->seconds);
    free(head->provenance_json);
    memset(head, 0, sizeof *head);
}

size_t assay_templates_row_bytes(const assay_templates_head *head) {
    if (head->kind == ASSAY_TEMPLATES_BITS) return (size_t)head->length / 8 * 2;
    return head->length * sizeof(float);
}

/* Rows first … first + count - 1 as they are written: zeros where a row is not enrolled. */
static void copy_rows(const assay_templates_head *head, const uint8_t *templates, uint64_t first,
                      uint64_t count, uint8_t *out) {
    const size_t bytes = assay_templates_row_bytes(head);
    for (uint64_t n = 0; n < count; n++) {
        uint8_t *to = out + n * bytes;
        if (head->table.enrolment[first + n] == ASSAY_ENROLMENT_ENROLLED)
            memcpy(to, templates + (first + n) * bytes, bytes);
        else
            memset(to, 0, bytes);
    }
}

static assay_status digest_templates(const assay_templates_head *head, const void *templates,
                                     assay_digest *out) {
    const uint64_t rows = head->table.row_count;
    assay_digest table;
    uint8_t *block = NULL;
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status) goto out;
    status = assay_allocate(&block, BLOCK_ROWS, assay_templates_row_bytes(head), "templates");
    if (status) goto out;
    assay_sample_table_digest(&head->table, true, digester);
    if ((status = assay_digester_finish(digester, &table))) goto out;
    assay_digester_add_string(digester, "assay-templates/1");
    assay_digester_add(digester, table.bytes, sizeof table.bytes);
    assay_digester_add_string(digester, head->release);
    assay_digester_add_string(digester, head->version);
    assay_digester_add_string(digester, head->algorithm);
    if (head->family && head->family[0]) {
        assay_digester_add_string(digester, "template_family");
        assay_digester_add_string(digester, head->family);
    }
    assay_digester_add_u64(digester, head->length);
    if (head->kind == ASSAY_TEMPLATES_BITS) {
        assay_digester_add_string(digester, "bits");
        assay_digester_add_u64(digester, head->bit_rows);
        assay_digester_add_u64(digester, head->shift_bits);
    }
    for (uint64_t first = 0; first < rows; first += BLOCK_ROWS) {
        uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
        copy_rows(head, templates, first, count, block);
        assay_digester_add(digester, block, count * assay_templates_row_bytes(head));
    }
    status = assay_digester_finish(digester, out);
out:
    assay_digester_free(digester);
    free(block);
    return status;
}

/* ---- writing ---- */

typedef struct {
    const assay_templates_head *head;
    const void *templates;
    const char *path;
} templates_writing;

static assay_array templates_array(const assay_templates_head *head) {
    if (head->kind == ASSAY_TEMPLATES_BITS)
        return (assay_array){"/templates/bits",
                             H5T_STD_U8LE,
                             2,
                             {head->table.row_count, assay_templates_row_bytes(head)},
                             ASSAY_LAYOUT_CONTIGUOUS};
    return (assay_array){"/templates/vectors",
                         H5T_IEEE_F32LE,
                         2,
                         {head->table.row_count, head->length},
                         ASSAY_LAYOUT_CONTIGUOUS};
}

static assay_status put_templates(assay_store *store, const templates_writing *job,
                                  assay_extent *extent) {
    const uint64_t rows = job->head->table.row_count;
    const assay_array array = templates_array(job->head);
    hid_t dataset = -1;
    uint8_t *block = NULL;
    assay_status status =
        assay_allocate(&block, BLOCK_ROWS, assay_templates_row_bytes(job->head), "templates");
    if (status) return status;
    if ((status = assay_array_create(store, &array, &dataset))) goto out;
    for (uint64_t first = 0; first < rows; first += BLOCK_ROWS) {
        uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
        copy_rows(job->head, job->templates, first, count, block);
        status = assay_array_write_rows(store, &array, dataset, first, count, block);
        if (status) goto out;
    }
    if ((status = assay_array_extent(store, &array, dataset, extent))) goto out;
    status = assay_array_finish(store, &array, dataset);
out:
    free(block);
    return status;
}

static assay_status put_seconds(assay_store *store, const assay_templates_head *head) {
    const uint64_t rows = head->table.row_count;
    const assay_array array = {
        "/templates/seconds", H5T_IEEE_F64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    if (head->seconds) return assay_array_write(store, &array, head->seconds);
    double *unknown = NULL;
    assay_status status = assay_allocate(&unknown, rows, sizeof *unknown, "times");
    if (status) return status;
    for (uint64_t row = 0; row < rows; row++) unknown[row] = NAN;
    status = assay_array_write(store, &array, unknown);
    free(unknown);
    return status;
}

assay_status assay_store_put_family(assay_store *store, const char *family) {
    if (!family || !family[0]) return ASSAY_OK;
    return assay_store_put_text(store, "/", "template_family", family);
}

assay_status assay_store_get_family(const assay_store *store, char **out) {
    if (!assay_store_has_attribute(store, "/", "template_family")) return ASSAY_OK;
    return assay_store_get_text(store, "/", "template_family", out);
}

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

/* How bit strings lie. */
static assay_status put_layout(assay_store *store, const assay_templates_head *head) {
    if (head->kind != ASSAY_TEMPLATES_BITS) return ASSAY_OK;
    assay_status status = assay_store_put_u64(store, "/templates", "bits", head->length);
    if (status) return status;
    status = assay_store_put_u64(store, "/templates", "rows", head->bit_rows);
    if (status) return status;
    return assay_store_put_u64(store, "/templates", "shift_bits", head->shift_bits);
}

static assay_status write_templates(void *context, const char *temporary,
                                    assay_store_extents *extents) {
    const templates_writing *job = context;
    assay_store store = ASSAY_STORE_NONE;
    assay_extent extent = {0, 0};
    assay_status status = assay_store_create(temporary, FORMAT, &store);
    if (status) return status;
    store.name = job->path;
    if ((status = put_names(&store, job->head))) return status;
    status = assay_document_write(&store, "/provenance", job->head->provenance_json);
    if (status) return status;
    if ((status = assay_store_put_table(&store, &job->head->table))) return status;
    if ((status = assay_store_put_group(&store, "/templates"))) return status;
    if ((status = put_seconds(&store, job->head))) return status;
    if ((status = put_layout(&store, job->head))) return status;
    if ((status = put_templates(&store, job, &extent))) return status;
    if ((status = assay_store_finish(&store))) return status;
    if (extent.length) extents->list[extents->count++] = extent;
    return ASSAY_OK;
}

static assay_status check_size(const char *path, uint64_t rows, uint64_t length) {
    size_t bytes;
    if (length == 0 || length > UINT32_MAX ||
        !assay_multiply(length, BLOCK_ROWS * sizeof(float), &bytes) ||
        !assay_multiply(rows, length, &bytes) || !assay_multiply(bytes, sizeof(float), &bytes))
        return assay_fail(ASSAY_FAILED, "%s: %llu templates of %llu components cannot be kept",
                          path, (unsigned long long)rows, (unsigned long long)length);
    return ASSAY_OK;
}

static assay_status check_layout(const char *path, const assay_templates_head *head) {
    if (head->kind != ASSAY_TEMPLATES_BITS) return ASSAY_OK;
    if (head->length % 8 != 0 || head->bit_rows < 1 || head->length % head->bit_rows != 0 ||
        head->shift_bits < 1 || head->shift_bits > head->length / head->bit_rows)
        return assay_fail(ASSAY_FAILED,
                          "%s: bit strings of %u bits in %u rows shifted by %u cannot be: expected "
                          "whole bytes in equal rows, and shifts within a row",
                          path, head->length, head->bit_rows, head->shift_bits);
    return ASSAY_OK;
}

assay_status assay_templates_write(const char *path, assay_templates_head *head,
                                   const void *templates) {
    char hex[ASSAY_DIGEST_HEX];
    assay_digest digest;
    assay_status status = assay_table_check(path, &head->table);
    if (status) return status;
    if ((status = check_size(path, head->table.row_count, head->length))) return status;
    if ((status = check_layout(path, head))) return status;
    if ((status = digest_templates(head, templates, &digest))) return status;
    head->digest = digest;
    templates_writing job = {head, templates, path};
    json_t *details =
        json_pack("{s:s,s:s,s:s,s:I}", "release", head->release, "version", head->version, "digest",
                  assay_digest_hex(hex, &digest), "templates", (json_int_t)head->table.row_count);
    char *details_json = details ? json_dumps(details, JSON_COMPACT) : NULL;
    status = assay_store_publish(path, "templates", details_json, write_templates, &job);
    free(details_json);
    json_decref(details);
    return status;
}

/* ---- reading ---- */

struct assay_templates {
    assay_sealed_file *sealed;
    assay_templates_head head;
    assay_extent rows;
};

static assay_status get_names(const assay_store *store, assay_templates_head *head) {
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
    return assay_store_get_digest(store, "/", "digest", &head->digest);
}

static assay_status get_layout(const assay_store *store, assay_templates_head *head) {
    static const char at[] = "/templates";
    const uint64_t rows = head->table.row_count;
    uint64_t dims[2], bits, bit_rows, shift_bits;
    assay_status status;
    if (!assay_store_has(store, "/templates/bits")) {
        status = assay_array_shape(store, "/templates/vectors", 2, dims);
        if (status) return status;
        if ((status = check_size(store->name, rows, dims[1]))) return status;
        head->length = (uint32_t)dims[1];
        return ASSAY_OK;
    }
    if ((status = assay_store_get_u64(store, at, "bits", UINT32_MAX, &bits))) return status;
    if ((status = assay_store_get_u64(store, at, "rows", UINT32_MAX, &bit_rows))) return status;
    status = assay_store_get_u64(store, at, "shift_bits", UINT32_MAX, &shift_bits);
    if (status) return status;
    if ((status = check_size(store->name, rows, bits))) return status;
    head->kind = ASSAY_TEMPLATES_BITS;
    head->length = (uint32_t)bits;
    head->bit_rows = (uint32_t)bit_rows;
    head->shift_bits = (uint32_t)shift_bits;
    return check_layout(store->name, head);
}

static assay_status get_arrays(const assay_store *store, assay_templates *templates) {
    assay_templates_head *head = &templates->head;
    const uint64_t rows = head->table.row_count;
    hid_t dataset = -1;
    assay_status status = get_layout(store, head);
    if (status) return status;
    status = assay_allocate(&head->seconds, rows, sizeof *head->seconds, "times");
    if (status) return status;
    const assay_array seconds = {
        "/templates/seconds", H5T_IEEE_F64LE, 1, {rows, 0}, ASSAY_LAYOUT_CHUNKED};
    if ((status = assay_array_read(store, &seconds, head->seconds))) return status;
    const assay_array array = templates_array(head);
    if ((status = assay_array_open(store, &array, &dataset))) return status;
    status = assay_array_extent(store, &array, dataset, &templates->rows);
    H5Dclose(dataset);
    return status;
}

assay_status assay_templates_open(const char *path, assay_templates **out) {
    assay_store store = ASSAY_STORE_NONE;
    assay_templates *templates = NULL;
    assay_status status = assay_allocate(&templates, 1, sizeof *templates, "templates");
    if (status) goto out;
    assay_templates_head *head = &templates->head;
    if ((status = assay_store_open(path, FORMAT, &templates->sealed, &store))) goto out;
    if ((status = get_names(&store, head))) goto out;
    if ((status = assay_document_read(&store, "/provenance", &head->provenance_json))) goto out;
    if ((status = assay_store_get_table(&store, &head->table))) goto out;
    if ((status = get_arrays(&store, templates))) goto out;
    *out = templates;
    templates = NULL;
out:
    assay_store_close(&store);
    assay_templates_close(templates);
    return status;
}

void assay_templates_close(assay_templates *templates) {
    if (!templates) return;
    assay_sealed_file_close(templates->sealed);
    assay_templates_head_free(&templates->head);
    free(templates);
}

const assay_templates_head *assay_templates_get_head(const assay_templates *templates) {
    return &templates->head;
}

assay_status assay_templates_read(assay_templates *templates, uint64_t first, uint64_t count,
                                  void *out) {
    const assay_templates_head *head = &templates->head;
    const uint64_t rows = head->table.row_count, row_bytes = assay_templates_row_bytes(head);
    if (first > rows || count > rows - first)
        return assay_fail(ASSAY_FAILED, "%s has no rows %llu to %llu, only %llu of them",
                          assay_sealed_file_name(templates->sealed), (unsigned long long)first,
                          (unsigned long long)(first + count), (unsigned long long)rows);
    return assay_sealed_file_read(templates->sealed, templates->rows.offset + first * row_bytes,
                                  count * row_bytes, out);
}
