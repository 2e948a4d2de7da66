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
static bool provenance_says(const char *provenance_json, const char *key, const char *value) {
    json_t *object = json_loads(provenance_json, 0, NULL);
    const char *said = json_string_value(json_object_get(object, key));
    bool same = said != NULL && strcmp(said, value) == 0;
    json_decref(object);
    return same;
}

assay_status assay_run_compared_fits(const assay_evidence *evidence, const assay_release *plugin,
                                     bool *out) {
    *out = true;
    if (!provenance_says(evidence->provenance_json, "backend", "plug-in")) return ASSAY_OK;
    *out = false;
    if (plugin == NULL || plugin->plugin == NULL) return ASSAY_OK;
    return assay_plugin_files_said(plugin, evidence->provenance_json, out);
}

assay_status assay_run_enrolled_fits(const assay_templates_head *head, const assay_release *wanted,
                                     const assay_digest *dataset, bool *out) {
    assay_session *session = NULL;
    char *name = NULL;
    if (!assay_digest_equal(&head->dataset_digest, dataset)) {
        *out = false;
        return ASSAY_OK;
    }
    if (wanted->plugin != NULL)
        return assay_plugin_files_said(wanted, head->provenance_json, out); /* it need not run */
    assay_status status = assay_session_open(wanted, &session);
    if (status == ASSAY_OK) status = assay_session_algorithm_text(session, &name);
    if (status == ASSAY_OK)
        *out = strcmp(head->algorithm, name) == 0 &&
               provenance_says(head->provenance_json, "algorithm_version",
                               assay_session_about(session)->version);
    free(name);
    assay_session_close(session);
    return status;
}

assay_status assay_run_import_fits(const assay_templates_head *head, const assay_import *wanted,
                                   bool *out) {
    assay_sample_table table = {0};
    assay_digest labelled;
    char *provenance = NULL;
    *out = false;
    assay_status status = assay_import_provenance(wanted, &provenance);
    if (status != ASSAY_OK) return status;
    const bool same = strcmp(head->algorithm, "imported") == 0 &&
                      strcmp(head->comparator, wanted->comparator) == 0 &&
                      (head->kind != ASSAY_TEMPLATES_BITS ||
                       (head->bit_rows == (wanted->bit_rows ? wanted->bit_rows : 1) &&
                        head->shift_bits == (wanted->shift_bits ? wanted->shift_bits : 1))) &&
                      strcmp(head->family == NULL ? "" : head->family,
                             wanted->family == NULL ? "" : wanted->family) == 0 &&
                      strcmp(head->dataset_name, wanted->dataset_name) == 0 &&
                      head->provenance_json != NULL &&
                      strcmp(head->provenance_json, provenance) == 0;
    free(provenance);
    if (!same) return ASSAY_OK;
    /* The same bytes may be declared otherwise now: other bins, another source. */
    status = assay_import_labels(wanted, NULL, &table);
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
