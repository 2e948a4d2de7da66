/* import_inputs -- the files that templates made elsewhere come in (import_inputs.h). */
#include "harness/import_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/array_file.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/template_csv.h"

assay_status import_read_matrix(const char *source, assay_npy_matrix *out) {
    assay_number_array array = {0};
    assay_status status = assay_array_file_read(source, &array);
    if (status == ASSAY_OK) status = assay_npy_matrix_of(source, &array, out);
    assay_number_array_free(&array);
    return status;
}

assay_status import_read_templates(const assay_import *import, const assay_sample_table *table,
                                   assay_npy_matrix *out) {
    const bool is_array = assay_array_file_is(import->matrix);
    if (is_array && import->id_column != NULL)
        return assay_fail(ASSAY_USAGE,
                          "importing templates: a column of ids is one of CSV, and %s is an array: "
                          "its rows are those of the labels",
                          import->matrix);
    if (is_array) return import_read_matrix(import->matrix, out);
    if (import->labels_path == NULL)
        return assay_fail(ASSAY_USAGE,
                          "importing templates: %s is taken for CSV, which names samples: expected "
                          "labels as CSV too",
                          import->matrix);
    return assay_template_csv_read(import->matrix, import->id_column, table, out);
}

assay_status assay_import_shape(const assay_import *import, uint64_t *out_rows,
                                uint32_t *out_columns) {
    assay_sample_table table = {0};
    assay_npy_matrix matrix = {0};
    assay_status status = ASSAY_OK;
    if (!assay_array_file_is(import->matrix)) status = assay_import_labels(import, NULL, &table);
    if (status == ASSAY_OK) status = import_read_templates(import, &table, &matrix);
    if (status == ASSAY_OK) {
        *out_rows = matrix.rows;
        *out_columns = matrix.columns;
    }
    assay_npy_matrix_free(&matrix);
    assay_sample_table_free(&table);
    return status;
}

/* ---- labels ---- */

assay_status assay_import_labels(const assay_import *import, const assay_progress *progress,
                                 assay_sample_table *out) {
    assay_text_list subjects = {0}, samples = {0};
    if ((import->labels_path == NULL) == (import->subjects == NULL) ||
        (import->samples != NULL && import->subjects == NULL))
        return assay_fail(
            ASSAY_USAGE,
            "importing templates: expected labels as CSV, or an array of subjects (and "
            "one of samples where they have ids)");
    if (import->labels_path != NULL)
        return assay_labels_read(import->labels_path, import->declared, progress, out);
    assay_status status = assay_array_file_texts(import->subjects, &subjects);
    if (status == ASSAY_OK && import->samples != NULL)
        status = assay_array_file_texts(import->samples, &samples);
    if (status == ASSAY_OK)
        status = assay_labels_of_ids(import->subjects, import->samples == NULL ? NULL : &samples,
                                     &subjects, out);
    assay_text_list_free(&subjects);
    assay_text_list_free(&samples);
    return status;
}

/* ---- provenance ---- */

assay_status import_describe_input(const char *source, json_t **out) {
    char *path = NULL, hex[ASSAY_DIGEST_HEX];
    assay_digest digest;
    assay_status status = assay_array_file_path(source, &path);
    if (status == ASSAY_OK) status = assay_digest_file(path, &digest);
    if (status != ASSAY_OK) goto out;
    const size_t length = strlen(path);
    const char *array = source[length] == ':' ? source + length + 1 : NULL;
    *out = json_pack("{s:s, s:s, s:s*}", "file", assay_path_name(path), "sha256",
                     assay_digest_hex(hex, &digest), "array", array);
    if (*out == NULL) status = assay_fail(ASSAY_USAGE, "the name of %s is not valid UTF-8", source);
out:
    free(path);
    return status;
}

assay_status assay_import_provenance(const assay_import *import, char **out) {
    const struct {
        const char *what, *source;
    } inputs[] = {{"matrix", import->matrix},
                  {"labels", import->labels_path},
                  {"masks", import->masks},
                  {"subjects", import->subjects},
                  {"samples", import->samples}};
    json_t *object = json_pack("{s:s, s:s, s:s*}", "program", "assay", "version", ASSAY_VERSION,
                               "id_column", import->id_column);
    assay_status status =
        object == NULL ? assay_fail(ASSAY_FAILED, "importing templates: no memory") : ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof inputs / sizeof *inputs; n++) {
        json_t *input = NULL;
        if (inputs[n].source == NULL) continue;
        status = import_describe_input(inputs[n].source, &input);
        if (status == ASSAY_OK && json_object_set_new(object, inputs[n].what, input) != 0)
            status = assay_fail(ASSAY_FAILED, "importing templates: no memory");
    }
    if (status == ASSAY_OK) {
        *out = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
        if (*out == NULL) status = assay_fail(ASSAY_FAILED, "importing templates: no memory");
    }
    json_decref(object);
    return status;
}
