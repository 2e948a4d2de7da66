/* compare_between -- references of one release against probes of another: may they be compared at
 * all, and both files as one set in roles. From there on it is a comparison like any other. */
#include <string.h>

#include "datasets/base/digest.h"
#include "datasets/base/memory.h"
#include "harness/compare_private.h"

assay_status assay_compare_read(const comparison *work, uint64_t first, uint64_t count, void *out) {
    if (work->probes == NULL) return assay_templates_read(work->templates, first, count, out);
    const uint64_t end = first + count;
    const uint64_t of_references = first >= work->probe_first ? 0
                                   : end < work->probe_first  ? count
                                                              : work->probe_first - first;
    assay_status status = ASSAY_OK;
    if (of_references > 0) {
        status = assay_templates_read(work->templates, first, of_references, out);
    }
    if (status != ASSAY_OK || of_references == count) return status;
    return assay_templates_read(
        work->probes, first + of_references - work->probe_first, count - of_references,
        (char *)out + of_references * assay_templates_row_bytes(work->head));
}

/* ---- may they be compared ---- */

static bool is_stated(const char *family) {
    return family != NULL && family[0] != '\0';
}

static assay_status check_family(const assay_templates_head *references,
                                 const assay_templates_head *probes, bool assumed) {
    const bool both = is_stated(references->family) && is_stated(probes->family);
    if (both && strcmp(references->family, probes->family) == 0) return ASSAY_OK;
    if (both) {
        return assay_fail(ASSAY_USAGE,
                          "references of %s %s cannot be compared with probes of %s %s: their "
                          "templates are not compatible, by what their algorithms say (family "
                          "'%s' and '%s')",
                          references->release, references->version, probes->release,
                          probes->version, references->family, probes->family);
    }
    if (assumed) return ASSAY_OK;
    const assay_templates_head *silent = is_stated(references->family) ? probes : references;
    return assay_fail(ASSAY_USAGE,
                      "whether references of %s %s can be compared with probes of %s %s is not "
                      "known: %s %s does not state the family of its templates; expected that "
                      "statement (template_family, --family), or --assume-compatible",
                      references->release, references->version, probes->release, probes->version,
                      silent->release, silent->version);
}

static const char *unit_of(const assay_templates_head *head) {
    return head->kind == ASSAY_TEMPLATES_BITS ? "bits" : "components";
}

/* Vectors or bit strings of one shape, and one comparator for both. */
static assay_status check_shape(const assay_templates_head *references,
                                const assay_templates_head *probes, bool comparator_given) {
    if (references->kind != probes->kind || references->length != probes->length) {
        return assay_fail(ASSAY_USAGE,
                          "references of %s %s have %u %s and probes of %s %s %u %s: expected "
                          "templates of one shape",
                          references->release, references->version, references->length,
                          unit_of(references), probes->release, probes->version, probes->length,
                          unit_of(probes));
    }
    if (references->bit_rows != probes->bit_rows || references->shift_bits != probes->shift_bits) {
        return assay_fail(ASSAY_USAGE,
                          "references of %s %s have %u rows shifted by %u bits and probes of %s %s "
                          "%u shifted by %u: expected bit strings that lie alike",
                          references->release, references->version, references->bit_rows,
                          references->shift_bits, probes->release, probes->version,
                          probes->bit_rows, probes->shift_bits);
    }
    if (comparator_given || strcmp(references->comparator, probes->comparator) == 0) {
        return ASSAY_OK;
    }
    return assay_fail(ASSAY_USAGE,
                      "references of %s %s name comparator %s and probes of %s %s %s: expected one "
                      "comparator for both",
                      references->release, references->version, references->comparator,
                      probes->release, probes->version, probes->comparator);
}

static assay_status check_opaque(const char *path) {
    bool opaque = false;
    const assay_status status = assay_opaque_is(path, &opaque);
    if (status != ASSAY_OK || !opaque) return status;
    return assay_fail(ASSAY_USAGE,
                      "%s: opaque templates are compared by the release that made them alone; "
                      "references of one release against probes of another need vectors or bit "
                      "strings",
                      path);
}

/* ---- two sets as one ---- */

static assay_status join_digests(const assay_templates_head *references,
                                 const assay_templates_head *probes, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status == ASSAY_OK) {
        assay_digester_add_string(digester, "assay-templates-between/1");
        assay_digester_add(digester, references->digest.bytes, sizeof references->digest.bytes);
        assay_digester_add(digester, probes->digest.bytes, sizeof probes->digest.bytes);
        status = assay_digester_finish(digester, out);
    }
    assay_digester_free(digester);
    return status;
}

static assay_status join_heads(const assay_templates_head *references,
                               const assay_templates_head *probes, assay_templates_head *out) {
    const struct {
        char **to;
        const char *from;
    } texts[] = {{&out->release, probes->release},
                 {&out->version, probes->version},
                 {&out->algorithm, probes->algorithm},
                 {&out->comparator, probes->comparator},
                 {&out->dataset_name, probes->dataset_name}};
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        const assay_status status = assay_copy_string(texts[n].to, texts[n].from);
        if (status != ASSAY_OK) return status;
    }
    out->dataset_digest = probes->dataset_digest;
    out->kind = probes->kind;
    out->length = probes->length;
    out->bit_rows = probes->bit_rows;
    out->shift_bits = probes->shift_bits;
    const assay_status status = join_digests(references, probes, &out->digest);
    if (status != ASSAY_OK) return status;
    return assay_sample_table_in_roles(&references->table, &probes->table, &out->table);
}

assay_status assay_compare_open_between(const char *references_path, const char *probes_path,
                                        comparison *work, assay_templates_head *out_head) {
    assay_status status = check_opaque(references_path);
    if (status == ASSAY_OK) status = check_opaque(probes_path);
    if (status == ASSAY_OK) status = assay_templates_open(references_path, &work->templates);
    if (status == ASSAY_OK) status = assay_templates_open(probes_path, &work->probes);
    if (status != ASSAY_OK) return status;
    const assay_templates_head *references = assay_templates_get_head(work->templates);
    const assay_templates_head *probes = assay_templates_get_head(work->probes);
    status = check_family(references, probes, work->options->assume_compatible);
    if (status == ASSAY_OK) {
        status = check_shape(references, probes, work->options->comparator != NULL);
    }
    if (status != ASSAY_OK) return status;
    status = join_heads(references, probes, out_head);
    if (status != ASSAY_OK) {
        return assay_fail_in(status, "%s with references %s", probes_path, references_path);
    }
    work->probe_first = references->table.row_count;
    return ASSAY_OK;
}

assay_status assay_compare_name_references(const comparison *work, assay_evidence *evidence) {
    if (work->probes == NULL) return ASSAY_OK;
    const assay_templates_head *references = assay_templates_get_head(work->templates);
    const struct {
        char **to;
        const char *from;
    } texts[] = {{&evidence->reference_release, references->release},
                 {&evidence->reference_version, references->version},
                 {&evidence->reference_algorithm, references->algorithm}};
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        const assay_status status = assay_copy_string(texts[n].to, texts[n].from);
        if (status != ASSAY_OK) return status;
    }
    evidence->reference_digest = references->digest;
    evidence->templates_digest = assay_templates_get_head(work->probes)->digest;
    return ASSAY_OK;
}
