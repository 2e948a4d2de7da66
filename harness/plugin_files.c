/* plugin_files -- what a plug-in's release is made of, as digests. */
#include "harness/plugin_files.h"

#include <fts.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

static int by_name(const FTSENT **left, const FTSENT **right) {
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

static assay_status add_file(assay_digester *digester, const FTSENT *entry, size_t root_length) {
    assay_digest digest;
    assay_status status = assay_digest_file(entry->fts_accpath, &digest);
    if (status != ASSAY_OK) return assay_fail_in(status, "%s", entry->fts_path);
    assay_digester_add_string(digester, entry->fts_path + root_length);
    assay_digester_add(digester, digest.bytes, sizeof digest.bytes);
    return ASSAY_OK;
}

/* Links count as what they lead to. */
static assay_status digest_folder(const char *path, assay_digest *out) {
    char *const roots[] = {(char *)path, NULL};
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (walk == NULL) status = assay_fail_errno("cannot read %s", path);
    for (FTSENT *entry; status == ASSAY_OK && (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_F)
            status = add_file(digester, entry, strlen(path));
        else if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
                 entry->fts_info == FTS_NS || entry->fts_info == FTS_DC)
            status = assay_fail(ASSAY_FAILED, "cannot read %s", entry->fts_path);
    }
    if (walk != NULL) fts_close(walk);
    if (status == ASSAY_OK) status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

static assay_status join_parameters(const assay_release *release, char **out) {
    assay_text text = {0};
    assay_text_append(&text, "");
    for (size_t n = 0; release->parameters != NULL && release->parameters[n] != NULL; n++)
        assay_text_appendf(&text, "%s%s", n > 0 ? " " : "", release->parameters[n]);
    assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK)
        *out = text.bytes;
    else
        assay_text_free(&text);
    return status;
}

assay_status assay_plugin_files_digest(const assay_release *release, assay_plugin_files *out) {
    assay_plugin_files files = {0};
    assay_status status = assay_digest_file(release->plugin, &files.object);
    if (status == ASSAY_OK && release->config_directory != NULL)
        status = digest_folder(release->config_directory, &files.config);
    if (status == ASSAY_OK) status = join_parameters(release, &files.parameters);
    if (status == ASSAY_OK) *out = files;
    return status;
}

assay_status assay_plugin_files_add(const assay_release *release, assay_digester *digester) {
    assay_plugin_files files = {0};
    const assay_status status = assay_plugin_files_digest(release, &files);
    if (status != ASSAY_OK) return status;
    assay_digester_add(digester, files.object.bytes, sizeof files.object.bytes);
    assay_digester_add(digester, files.config.bytes, sizeof files.config.bytes);
    assay_digester_add_string(digester, files.parameters);
    assay_digester_add_u64(digester, release->template_seconds);
    assay_digester_add_u64(digester, release->memory_bytes);
    assay_plugin_files_free(&files);
    return ASSAY_OK;
}

static bool says(const json_t *provenance, const char *key, const char *value) {
    const char *said = json_string_value(json_object_get(provenance, key));
    return said != NULL && strcmp(said, value) == 0;
}

assay_status assay_plugin_files_said(const assay_release *release, const char *provenance_json,
                                     bool *out) {
    assay_plugin_files files = {0};
    char object[ASSAY_DIGEST_HEX], config[ASSAY_DIGEST_HEX];
    const assay_status status = assay_plugin_files_digest(release, &files);
    if (status != ASSAY_OK) return status;
    json_t *provenance = json_loads(provenance_json, 0, NULL);
    *out = says(provenance, "plugin_sha256", assay_digest_hex(object, &files.object)) &&
           says(provenance, "config_sha256", assay_digest_hex(config, &files.config)) &&
           says(provenance, "parameters_given", files.parameters);
    json_decref(provenance);
    assay_plugin_files_free(&files);
    return ASSAY_OK;
}

void assay_plugin_files_free(assay_plugin_files *files) {
    free(files->parameters);
    *files = (assay_plugin_files){0};
}
