/* run_fits -- whether templates that are there are those that a release would make of its inputs
 * now. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "harness/plugin_files.h"
#include "harness/run_private.h"
#include "harness/session.h"

/* Whether the provenance says value for key. */
static bool provenance_says(const assay_templates_head *head, const char *key, const char *value) {
    json_t *object = json_loads(head->provenance_json, 0, NULL);
    const char *said = json_string_value(json_object_get(object, key));
    bool same = said != NULL && strcmp(said, value) == 0;
    json_decref(object);
    return same;
}

/* By what the release is made of: a plug-in need not run for it. */
static assay_status plugin_fits(const assay_templates_head *head, const assay_release *wanted,
                                bool *out) {
    assay_plugin_files files = {0};
    char library[ASSAY_DIGEST_HEX], config[ASSAY_DIGEST_HEX];
    assay_status status = assay_plugin_files_digest(wanted, &files);
    if (status != ASSAY_OK) return status;
    *out = provenance_says(head, "plugin_sha256", assay_digest_hex(library, &files.library)) &&
           provenance_says(head, "config_sha256", assay_digest_hex(config, &files.config)) &&
           provenance_says(head, "parameters_given", files.parameters);
    assay_plugin_files_free(&files);
    return ASSAY_OK;
}

assay_status assay_run_enrolled_fits(const assay_templates_head *head, const assay_release *wanted,
                                     const assay_digest *dataset, bool *out) {
    assay_session *session = NULL;
    char *name = NULL;
    if (!assay_digest_equal(&head->dataset_digest, dataset)) {
        *out = false;
        return ASSAY_OK;
    }
    if (wanted->plugin != NULL) return plugin_fits(head, wanted, out);
    assay_status status = assay_session_open(wanted, &session);
    if (status == ASSAY_OK) status = assay_session_algorithm_text(session, &name);
    if (status == ASSAY_OK)
        *out = strcmp(head->algorithm, name) == 0 &&
               provenance_says(head, "algorithm_version", assay_session_about(session)->version);
    free(name);
    assay_session_close(session);
    return status;
}

assay_status assay_run_import_fits(const assay_templates_head *head, const assay_import *wanted,
                                   bool *out) {
    assay_sample_table table = {0};
    assay_digest matrix, labels, labelled;
    assay_digest masks = {{0}};
    char hex[ASSAY_DIGEST_HEX], masks_hex[ASSAY_DIGEST_HEX];
    *out = false;
    assay_status status = assay_digest_file(wanted->matrix_path, &matrix);
    if (status == ASSAY_OK) status = assay_digest_file(wanted->labels_path, &labels);
    if (status == ASSAY_OK && wanted->masks_path != NULL)
        status = assay_digest_file(wanted->masks_path, &masks);
    if (status != ASSAY_OK) return status;
    assay_digest_hex(masks_hex, &masks);
    bool same = strcmp(head->algorithm, "imported") == 0 &&
                strcmp(head->comparator, wanted->comparator) == 0 &&
                (head->kind != ASSAY_TEMPLATES_BITS ||
                 (head->bit_rows == (wanted->bit_rows ? wanted->bit_rows : 1) &&
                  head->shift_bits == (wanted->shift_bits ? wanted->shift_bits : 1))) &&
                provenance_says(head, "masks_sha256", masks_hex) &&
                strcmp(head->family == NULL ? "" : head->family,
                       wanted->family == NULL ? "" : wanted->family) == 0 &&
                strcmp(head->dataset_name, wanted->dataset_name) == 0 &&
                provenance_says(head, "matrix_sha256", assay_digest_hex(hex, &matrix)) &&
                provenance_says(head, "labels_sha256", assay_digest_hex(hex, &labels));
    if (!same) return ASSAY_OK;
    /* The same bytes may be declared otherwise now: other bins, another source. */
    status = assay_labels_read(wanted->labels_path, wanted->declared, NULL, &table);
    if (status == ASSAY_OK) status = assay_dataset_digest(&table, &labelled);
    if (status == ASSAY_OK) *out = assay_digest_equal(&labelled, &head->dataset_digest);
    assay_sample_table_free(&table);
    return status;
}

const assay_protocol *assay_run_protocol(const runner *run, const release_files *files) {
    return files->protocol.pairs == NULL ? &run->config->protocol : &files->protocol;
}

assay_status assay_run_read_pairs(const runner *run, const assay_sample_table *table,
                                  assay_protocol *out) {
    char *json = NULL;
    assay_status status = assay_protocol_to_json(&run->config->protocol, &json);
    if (status == ASSAY_OK) status = assay_protocol_from_json(json, out);
    free(json);
    if (status != ASSAY_OK) return status;
    return assay_pair_list_read(run->config->pair_list, table, out);
}
