/* plugin_files -- what a plug-in's release is made of, as digests. */
#include "harness/plugin_files.h"

#include <fts.h>
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
    assay_status status = assay_digest_file(release->plugin, &files.library);
    if (status == ASSAY_OK && release->config_directory != NULL)
        status = digest_folder(release->config_directory, &files.config);
    if (status == ASSAY_OK) status = join_parameters(release, &files.parameters);
    if (status == ASSAY_OK) *out = files;
    return status;
}

void assay_plugin_files_free(assay_plugin_files *files) {
    free(files->parameters);
    *files = (assay_plugin_files){0};
}
