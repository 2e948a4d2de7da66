/* import -- templates made elsewhere, with their labels, to templates.h5. */
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/enrolment.h"
#include "harness/import_inputs.h"
#include "kernels/comparator.h"

bool assay_import_is_bits(const char *comparator) {
    assay_comparator known;
    return comparator != NULL && assay_comparator_parse(comparator, &known) == ASSAY_OK &&
           assay_comparator_takes_bits(known);
}

static assay_status check_shape(const assay_import *import, const assay_npy_matrix *matrix,
                                const assay_sample_table *table) {
    const bool bits = assay_import_is_bits(import->comparator);
    const uint32_t most = bits ? ASSAY_HAMMING_BITS_MAX / 8 : ASSAY_LENGTH_MAX;
    if (matrix->rows != table->row_count) {
        return assay_fail(ASSAY_USAGE,
                          "importing templates: %s has %llu rows and %s labels %llu samples, "
                          "expected one label a row",
                          import->matrix, (unsigned long long)matrix->rows,
                          import->labels_path == NULL ? import->subjects : import->labels_path,
                          (unsigned long long)table->row_count);
    }
    if (matrix->columns < 1 || matrix->columns > most) {
        return assay_fail(
            ASSAY_USAGE, "importing templates: %s has %u columns, expected 1 to %u %s",
            import->matrix, matrix->columns, most, bits ? "bytes of bits" : "components");
    }
    return ASSAY_OK;
}

/* ---- bit strings ---- */

/* A matrix whose components are whole numbers from 0 to 255, as one of uint8 is. */
static assay_status take_bytes(const char *path, const assay_npy_matrix *matrix, uint64_t row,
                               uint8_t *out) {
    const float *values = matrix->values + row * matrix->columns;
    for (uint32_t k = 0; k < matrix->columns; k++) {
        if (!(values[k] >= 0 && values[k] <= 255) || values[k] != floorf(values[k])) {
            return assay_fail(ASSAY_USAGE,
                              "importing templates: row %llu of %s has %g in column %u, expected "
                              "bytes (0 to 255) of packed bits for comparator hamming",
                              (unsigned long long)row, path, (double)values[k], k);
        }
        out[k] = (uint8_t)values[k];
    }
    return ASSAY_OK;
}

static assay_status check_bits(const assay_import *import, const assay_npy_matrix *codes,
                               const assay_npy_matrix *masks, const assay_templates_head *head) {
    const assay_hamming_rule rule = {.bits = head->length,
                                     .rows = head->bit_rows,
                                     .shift_bits = head->shift_bits,
                                     .minimum_valid_bits = 1};
    if (import->masks != NULL && (masks->rows != codes->rows || masks->columns != codes->columns)) {
        return assay_fail(
            ASSAY_USAGE,
            "importing templates: the masks %s are of shape (%llu, %u), expected that "
            "of %s: (%llu, %u)",
            import->masks, (unsigned long long)masks->rows, masks->columns, import->matrix,
            (unsigned long long)codes->rows, codes->columns);
    }
    const assay_status status = assay_hamming_check(&rule);
    return status == ASSAY_OK ? ASSAY_OK : assay_fail_in(status, "importing templates");
}

/* Code and mask of every row. A template without a valid bit can be compared with none: a failure
 * to enrol. Code bits that are not valid say nothing, and are kept as they came. */
static assay_status fill_bits(const assay_import *import, const assay_npy_matrix *codes,
                              const assay_npy_matrix *masks, assay_sample_table *table,
                              uint8_t *out) {
    const size_t bytes = codes->columns;
    for (uint64_t row = 0; row < codes->rows; row++) {
        uint8_t *code = out + row * 2 * bytes, *mask = code + bytes;
        assay_status status = take_bytes(import->matrix, codes, row, code);
        memset(mask, 0xff, bytes);
        if (status == ASSAY_OK && import->masks != NULL)
            status = take_bytes(import->masks, masks, row, mask);
        if (status != ASSAY_OK) return status;
        if (table->enrolment[row] != ASSAY_ENROLMENT_NONE) continue;
        bool valid = false;
        for (size_t k = 0; k < bytes; k++) valid = valid || mask[k] != 0;
        if (valid)
            table->enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
        else
            status = assay_enrolment_set(table, row, ASSAY_ENROLMENT_FAILED, "no valid bit");
        if (status != ASSAY_OK) return status;
    }
    return ASSAY_OK;
}

static assay_status write_bits(const assay_import *import, const assay_npy_matrix *codes,
                               const char *out_path, assay_templates_head *head) {
    assay_npy_matrix masks = {0};
    uint8_t *bits = NULL;
    assay_status status = ASSAY_OK;
    if (import->masks != NULL) status = import_read_matrix(import->masks, &masks);
    if (status == ASSAY_OK) status = check_bits(import, codes, &masks, head);
    if (status == ASSAY_OK)
        status = assay_allocate(&bits, codes->rows, (size_t)2 * codes->columns, "bit strings");
    if (status == ASSAY_OK) status = fill_bits(import, codes, &masks, &head->table, bits);
    if (status == ASSAY_OK) status = assay_templates_write(out_path, head, bits);
    free(bits);
    assay_npy_matrix_free(&masks);
    return status;
}

/* ---- vectors ---- */

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
        {&head->family, import->family == NULL ? "" : import->family},
    };
    head->length = length;
    if (assay_import_is_bits(import->comparator)) {
        head->kind = ASSAY_TEMPLATES_BITS;
        head->length = 8 * length;
        head->bit_rows = import->bit_rows == 0 ? 1 : import->bit_rows;
        head->shift_bits = import->shift_bits == 0 ? 1 : import->shift_bits;
    }
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
    return assay_import_provenance(import, &head->provenance_json);
}

static assay_status check_names(const assay_import *import) {
    const struct {
        const char *what, *text;
    } names[] = {{"release", import->release},
                 {"version", import->version},
                 {"template family", import->family == NULL ? "none" : import->family}};
    assay_comparator comparator;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        const char *text = names[n].text == NULL ? "" : names[n].text;
        const char *fault = assay_name_fault(text, strlen(text));
        if (fault == NULL) continue;
        return assay_fail(ASSAY_USAGE, "importing templates: the %s '%s' %s", names[n].what, text,
                          fault);
    }
    assay_status status =
        assay_comparator_parse(import->comparator == NULL ? "" : import->comparator, &comparator);
    if (status != ASSAY_OK || assay_comparator_takes_bits(comparator)) return status;
    if (import->masks != NULL || import->bit_rows != 0 || import->shift_bits != 0)
        return assay_fail(ASSAY_USAGE,
                          "importing templates: masks, rows of bits and bits of a shift are of bit "
                          "strings; expected comparator hamming with them, not %s",
                          import->comparator);
    return ASSAY_OK;
}

assay_status assay_import_templates(const assay_import *import, const char *out_path,
                                    const assay_progress *progress, assay_enroll_result *out) {
    assay_npy_matrix matrix = {0};
    assay_templates_head head = {0};
    assay_status status = check_names(import);
    if (status != ASSAY_OK) goto out;
    status = assay_import_labels(import, progress, &head.table);
    if (status != ASSAY_OK) goto out;
    status = import_read_templates(import, &head.table, &matrix);
    if (status != ASSAY_OK) goto out;
    status = check_shape(import, &matrix, &head.table);
    if (status != ASSAY_OK) goto out;
    if (!assay_import_is_bits(import->comparator)) status = enrol_rows(&matrix, &head.table);
    if (status != ASSAY_OK) goto out;
    status = fill_head(import, matrix.columns, &head);
    if (status != ASSAY_OK) goto out;
    status = head.kind == ASSAY_TEMPLATES_BITS
                 ? write_bits(import, &matrix, out_path, &head)
                 : assay_templates_write(out_path, &head, matrix.values);
    if (status != ASSAY_OK) goto out;
    (void)assay_progress_tell(progress, "import", "templates", matrix.rows, matrix.rows);
    assay_enrolment_count(&head.table, &head.digest, out);
out:
    assay_npy_matrix_free(&matrix);
    assay_templates_head_free(&head);
    return status;
}
