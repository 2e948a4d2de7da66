/* import -- templates made elsewhere, with their labels, to templates.h5. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/npy.h"
#include "harness/enrolment.h"
#include "harness/steps.h"
#include "kernels/quantise.h"

static assay_status check_shape(const assay_import *import, const assay_npy_matrix *matrix,
                                const assay_sample_table *table) {
    if (matrix->rows != table->row_count) {
        return assay_fail(ASSAY_USAGE,
                          "importing templates: %s has %llu rows and %s labels %llu samples, "
                          "expected one label a row",
                          import->matrix_path, (unsigned long long)matrix->rows,
                          import->labels_path, (unsigned long long)table->row_count);
    }
    if (matrix->columns < 1 || matrix->columns > ASSAY_LENGTH_MAX) {
        return assay_fail(ASSAY_USAGE,
                          "importing templates: %s has %u columns, expected 1 to %u components",
                          import->matrix_path, matrix->columns, ASSAY_LENGTH_MAX);
    }
    return ASSAY_OK;
}

/* What cannot be compared is a failure to enrol: counted, never compared, never an error. */
static assay_status enrol_rows(assay_npy_matrix *matrix, assay_sample_table *table) {
    for (uint64_t row = 0; row < table->row_count; row++) {
        float *vector = matrix->values + row * matrix->columns;
        const char *fault = assay_enrolment_vector_fault(vector, matrix->columns);
        if (table->enrolment[row] == ASSAY_ENROLMENT_NONE && fault == NULL) {
            table->enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
            continue;
        }
        memset(vector, 0, matrix->columns * sizeof *vector);
        if (table->enrolment[row] != ASSAY_ENROLMENT_NONE) continue;
        assay_status status = assay_enrolment_set(table, row, ASSAY_ENROLMENT_FAILED, fault);
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status fill_provenance(const assay_import *import, char **out) {
    assay_digest matrix, labels;
    char matrix_hex[ASSAY_DIGEST_HEX], labels_hex[ASSAY_DIGEST_HEX];
    assay_status status = assay_digest_file(import->matrix_path, &matrix);
    if (status != ASSAY_OK) return status;
    status = assay_digest_file(import->labels_path, &labels);
    if (status != ASSAY_OK) return status;
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "program", "assay", "version",
                               ASSAY_VERSION, "matrix", assay_path_name(import->matrix_path),
                               "matrix_sha256", assay_digest_hex(matrix_hex, &matrix), "labels",
                               assay_path_name(import->labels_path), "labels_sha256",
                               assay_digest_hex(labels_hex, &labels));
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    if (text == NULL) return assay_fail(ASSAY_FAILED, "importing templates: no memory");
    *out = text;
    return ASSAY_OK;
}

static assay_status fill_head(const assay_import *import, uint32_t length,
                              assay_templates_head *head) {
    const struct {
        char **to;
        const char *from;
    } texts[] = {
        {&head->release, import->release},
        {&head->version, import->version},
        {&head->algorithm, "imported"},
        {&head->comparator, import->comparator},
        {&head->dataset_name, import->dataset_name == NULL ? "imported" : import->dataset_name},
    };
    head->length = length;
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
        assay_status status = assay_copy_string(texts[n].to, texts[n].from);
        if (status != ASSAY_OK) return status;
    }
    assay_status status = assay_allocate(&head->seconds, head->table.row_count,
                                         sizeof *head->seconds, "times of templates");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < head->table.row_count; row++) head->seconds[row] = NAN;
    status = assay_dataset_digest(&head->table, &head->dataset_digest);
    if (status != ASSAY_OK) return status;
    return fill_provenance(import, &head->provenance_json);
}

static assay_status check_names(const assay_import *import) {
    const struct {
        const char *what, *text;
    } names[] = {{"release", import->release}, {"version", import->version}};
    assay_comparator comparator;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        const char *text = names[n].text == NULL ? "" : names[n].text;
        const char *fault = assay_name_fault(text, strlen(text));
        if (fault == NULL) continue;
        return assay_fail(ASSAY_USAGE, "importing templates: the %s '%s' %s", names[n].what, text,
                          fault);
    }
    return assay_comparator_parse(import->comparator == NULL ? "" : import->comparator,
                                  &comparator);
}

assay_status assay_import_templates(const assay_import *import, const char *out_path,
                                    const assay_progress *progress, assay_enroll_result *out) {
    assay_npy_matrix matrix = {0};
    assay_templates_head head = {0};
    assay_status status = check_names(import);
    if (status != ASSAY_OK) goto out;
    status = assay_labels_read(import->labels_path, import->declared, progress, &head.table);
    if (status != ASSAY_OK) goto out;
    status = assay_npy_read(import->matrix_path, &matrix);
    if (status != ASSAY_OK) goto out;
    status = check_shape(import, &matrix, &head.table);
    if (status != ASSAY_OK) goto out;
    status = enrol_rows(&matrix, &head.table);
    if (status != ASSAY_OK) goto out;
    status = fill_head(import, matrix.columns, &head);
    if (status != ASSAY_OK) goto out;
    status = assay_templates_write(out_path, &head, matrix.values);
    if (status != ASSAY_OK) goto out;
    (void)assay_progress_tell(progress, "import", "templates", matrix.rows, matrix.rows);
    assay_enrolment_count(&head.table, &head.digest, out);
out:
    assay_npy_matrix_free(&matrix);
    assay_templates_head_free(&head);
    return status;
}
