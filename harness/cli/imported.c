/* imported -- options and results of the imports of scores (imported.h). */
#include "harness/cli/imported.h"

#include <inttypes.h>
#include <stdlib.h>

#include "datasets/array_file.h"
#include "datasets/base/text.h"
#include "datasets/score_list.h"

assay_status assay_import_options_take(const import_options *values, assay_protocol *protocol,
                                       assay_import_about *out) {
    double failed = 0;
    char shown[160];
    if (values->failed != NULL && !assay_parse_double(values->failed, &failed))
        return assay_fail(ASSAY_USAGE, "option --failed: '%s' is no finite number",
                          assay_printable(shown, sizeof shown, values->failed));
    assay_status status = assay_protocol_create(protocol);
    if (status == ASSAY_OK)
        status = assay_take_numbers("fmr-targets", &values->fmr_targets, 1e-15, 1,
                                    &protocol->fmr_targets, &protocol->fmr_target_count);
    if (status == ASSAY_OK)
        status =
            assay_take_numbers("thresholds", &values->thresholds, -ASSAY_SCORE_MOST,
                               ASSAY_SCORE_MOST, &protocol->thresholds, &protocol->threshold_count);
    if (status != ASSAY_OK) return status;
    if (values->tail_cap > 0) protocol->tail_cap = values->tail_cap;
    for (uint32_t n = 0; values->distance && n < protocol->threshold_count; n++)
        protocol->thresholds[n] = -protocol->thresholds[n];
    *out = (assay_import_about){.release = values->release,
                                .version = values->version,
                                .dataset_name = values->dataset,
                                .distance = values->distance,
                                .same_session = values->same_session,
                                .has_failed_value = values->failed != NULL,
                                .failed_value = failed,
                                .protocol = protocol};
    return ASSAY_OK;
}

assay_status assay_import_check_output(const assay_output *output, const char *const *sources,
                                       size_t count) {
    char *files[8] = {NULL};
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < count; n++)
        if (sources[n] != NULL) status = assay_array_file_path(sources[n], &files[n]);
    if (status == ASSAY_OK)
        status = assay_outputs_check(output, 1, (const char *const *)files, count);
    for (size_t n = 0; n < count; n++) free(files[n]);
    return status;
}

assay_status assay_print_imported(const char *path, bool json, bool quiet,
                                  const assay_import_result *result) {
    char a[ASSAY_NUMBER_SIZE], b[ASSAY_NUMBER_SIZE], hex[ASSAY_DIGEST_HEX];
    const bool has_samples = result->samples > 0;
    if (json)
        return assay_print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "path", path, "mated",
            (json_int_t)result->mated, "non_mated", (json_int_t)result->non_mated,
            "mated_without_score", (json_int_t)result->failed_mated, "non_mated_without_score",
            (json_int_t)result->failed_non_mated, "excluded", (json_int_t)result->excluded,
            "samples", has_samples ? json_integer((json_int_t)result->samples) : json_null(),
            "subjects", has_samples ? json_integer((json_int_t)result->subjects) : json_null(),
            "result_digest", assay_json_digest(&result->result_digest)));
    if (quiet) return ASSAY_OK;
    assay_print_field("evidence", "%s", path);
    assay_print_field("scores", "%s mated, %s non-mated", assay_print_count(a, result->mated),
                      assay_print_count(b, result->non_mated));
    if (result->failed_mated > 0 || result->failed_non_mated > 0)
        assay_print_field("no score", "%s mated, %s non-mated: no match at any threshold",
                          assay_print_count(a, result->failed_mated),
                          assay_print_count(b, result->failed_non_mated));
    if (result->excluded > 0)
        assay_print_field("excluded", "%s pairs of one subject that are not mated",
                          assay_print_count(a, result->excluded));
    if (has_samples)
        assay_print_field("samples", "%s of %s subjects", assay_print_count(a, result->samples),
                          assay_print_count(b, result->subjects));
    else
        assay_print_field("samples", "not known: dependence unknown, so no interval");
    assay_print_field("result", "%s", assay_digest_hex(hex, &result->result_digest));
    return ASSAY_OK;
}
