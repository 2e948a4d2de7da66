/* summary_json -- DIR/summary.json, "assay-summary/2": every figure for other programs. A value
 * that cannot be given is null and has its reason beside it, under the same key with _reason. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reports/differentials.h"
#include "reports/summary_private.h"

static summary_object point_json(const assay_operating_point *point) {
    summary_object made = summary_begin();
    summary_set_point(&made, point);
    if (point->reason)
        summary_set_null(&made, "source", point->reason);
    else
        summary_set_text(&made, "source", assay_threshold_source_name(point->source));
    summary_object fmr = summary_interval_rate(point->fmr, &point->interval.fmr);
    if (point->fmr.reason)
        summary_set_null(&fmr, "source", point->fmr.reason);
    else
        summary_set_text(&fmr, "source", assay_figure_source_name(point->fmr_source));
    if (point->fmr_source == ASSAY_FIGURE_COARSE)
        summary_set_count(&fmr, "fewest_errors", point->fmr_fewest);
    summary_set_object(&made, "fmr", fmr);
    summary_set_object(&made, "fnmr", summary_interval_rate(point->fnmr, &point->interval.fnmr));
    summary_set_object(&made, "gfnmr", summary_interval_rate(point->gfnmr, &point->interval.gfnmr));
    summary_set_object(&made, "gfmr", summary_interval_rate(point->gfmr, &point->interval.gfmr));
    summary_object weighted = summary_begin();
    summary_set_number(&weighted, "value", point->subject_fnmr,
                       point->reason ? point->reason
                       : isnan(point->subject_fnmr) && point->interval.subject_fnmr.reason
                           ? point->interval.subject_fnmr.reason
                       : isnan(point->subject_fnmr) ? "no subject has a completed mated comparison"
                                                    : NULL);
    summary_set_interval(&weighted, &point->interval.subject_fnmr);
    summary_set_object(&made, "fnmr_by_subject", weighted);
    return made;
}

static void set_points(summary_object *into, const assay_figures *figures) {
    json_t *points = json_array();
    for (uint32_t n = 0; n < figures->point_count; ++n)
        summary_append(into, points, point_json(&figures->points[n]));
    summary_set(into, "operating_points", points);
}

static summary_object list_json(uint64_t completed, uint64_t attempted, assay_figure mean,
                                assay_figure sd) {
    summary_object made = summary_begin();
    summary_set_count(&made, "comparisons", completed);
    summary_set_count(&made, "attempted", attempted);
    summary_set_number(&made, "mean", mean.value, mean.reason);
    summary_set_number(&made, "sd", sd.value, sd.reason);
    summary_set_source(&made, mean);
    return made;
}

static summary_object eer_json(const assay_eer *eer) {
    summary_object made = summary_figure(eer->value);
    const char *reason = eer->value.reason ? eer->value.reason
                         : eer->value.source == ASSAY_FIGURE_SAMPLED
                             ? "a sample of comparisons gives no bracket"
                             : NULL;
    summary_set_number(&made, "low", eer->low, reason);
    summary_set_number(&made, "high", eer->high, reason);
    return made;
}

/* "excluded: same session" as excluded_same_session. */
static void set_relation(summary_object *into, assay_relation relation, uint64_t count) {
    char key[64];
    size_t length = 0;
    for (const char *c = assay_relation_name(relation); *c && length + 1 < sizeof key; ++c) {
        bool letter = *c >= 'a' && *c <= 'z';
        if (letter || (length && key[length - 1] != '_')) key[length++] = letter ? *c : '_';
    }
    key[length] = '\0';
    summary_set_count(into, key, count);
}

static void set_counts(summary_object *into, const assay_evidence *evidence,
                       const assay_figures *figures) {
    summary_object relations = summary_begin();
    for (int n = 0; n < ASSAY_RELATION_COUNT; ++n)
        set_relation(&relations, (assay_relation)n, evidence->relations[n]);
    summary_set_object(into, "pairs", relations);
    const char *unknown = assay_evidence_has_samples(evidence) ? NULL : ASSAY_NO_SAMPLES;
    summary_set_known(into, "identical_images_of_different_subjects", figures->identical_images,
                      unknown);
    summary_object failed = summary_begin();
    summary_set_count(&failed, "mated", evidence->failed_mated);
    summary_set_count(&failed, "non_mated", evidence->failed_non_mated);
    summary_set_object(into, "comparisons_without_score", failed);
    summary_object mated = summary_begin();
    summary_set(&mated, "same_session_allowed", json_boolean(evidence->protocol.same_session));
    summary_set_known(&mated, "same_session", figures->mated_same_session, unknown);
    summary_set_known(&mated, "session_unknown", figures->mated_session_unknown, unknown);
    summary_set_known(&mated, "subjects", figures->mated_subjects, unknown);
    summary_set_known(&mated, "of_top_five_subjects", figures->top_mated, unknown);
    summary_set_object(into, "mated_pairs", mated);
}

static summary_object release_json(const assay_report *report,
                                   const assay_report_release *release) {
    const assay_evidence *evidence = release->evidence;
    const assay_figures *figures = &release->figures;
    const assay_whole_figures *whole = &figures->whole;
    summary_object made = summary_begin();
    summary_set_text(&made, "name", evidence->release);
    summary_set_text(&made, "version", evidence->version);
    summary_set_text(&made, "algorithm", evidence->algorithm);
    summary_set_text(&made, "comparator", evidence->comparator);
    if (assay_evidence_is_between(evidence)) {
        summary_object references = summary_begin();
        summary_set_text(&references, "name", evidence->reference_release);
        summary_set_text(&references, "version", evidence->reference_version);
        summary_set_text(&references, "algorithm", evidence->reference_algorithm);
        summary_set_digest(&references, "templates_digest", &evidence->reference_digest);
        summary_set_object(&made, "references", references);
    }
    const char *unknown = !assay_evidence_has_samples(evidence)       ? ASSAY_NO_SAMPLES
                          : !assay_evidence_knows_enrolment(evidence) ? ASSAY_NO_ENROLMENT
                                                                      : NULL;
    summary_set_known(&made, "enrolled", figures->enrolled, unknown);
    summary_set_known(&made, "refused", figures->refused, unknown);
    summary_set_known(&made, "failed", figures->failed, unknown);
    summary_set_known(&made, "excluded", figures->excluded, unknown);
    summary_set_object(&made, "fte", summary_interval_rate(figures->fte, &figures->fte_interval));
    summary_set_object(&made, "mated",
                       list_json(evidence->mated_count, figures->mated_attempted, whole->mated_mean,
                                 whole->mated_sd));
    summary_set_object(&made, "non_mated",
                       list_json(evidence->non_mated, figures->non_mated_attempted,
                                 whole->non_mated_mean, whole->non_mated_sd));
    if (evidence->failed_mated || evidence->failed_non_mated) {
        summary_object failed = summary_begin();
        summary_set_count(&failed, "mated", evidence->failed_mated);
        summary_set_count(&failed, "non_mated", evidence->failed_non_mated);
        summary_set_object(&made, "failed_to_compare", failed);
    }
    summary_set_object(&made, "auc", summary_figure(whole->auc));
    summary_set_object(&made, "eer", eer_json(&whole->eer));
    summary_set_object(&made, "dprime", summary_figure(whole->dprime));
    set_counts(&made, evidence, figures);
    set_points(&made, figures);
    summary_set_groups(&made, figures);
    summary_set_differentials(&made, figures);
    summary_set_quality(&made, release);
    summary_set_ageing(&made, release);
    summary_set_identification(&made, release);
    summary_set_resemblance(&made, report, release);
    return made;
}

/* What others wrote, without the keys to which they gave no value: here a null has its reason. */
static json_t *parse_without_nulls(const char *text, json_error_t *fault) {
    json_t *parsed = json_loads(text, 0, fault), *item;
    const char *key;
    void *next;
    json_object_foreach_safe(parsed, next, key, item) {
        if (json_is_null(item)) json_object_del(parsed, key);
    }
    return parsed;
}

static summary_object provenance_json(const assay_report *report, assay_status *status) {
    summary_object made = summary_begin();
    summary_set_text(&made, "program", "assay");
    summary_set_text(&made, "version", ASSAY_VERSION);
    json_t *releases = json_array();
    for (size_t n = 0; n < report->count; ++n) {
        const assay_evidence *evidence = report->releases[n].evidence;
        summary_object one = summary_begin();
        json_error_t fault;
        summary_set_text(&one, "name", evidence->release);
        summary_set_text(&one, "version", evidence->version);
        summary_set_digest(&one, "templates_digest", &evidence->templates_digest);
        summary_set_digest(&one, "result_digest", &evidence->result_digest);
        char *protocol = NULL;
        if (*status == ASSAY_OK) *status = assay_protocol_to_json(&evidence->protocol, &protocol);
        if (protocol) summary_set(&one, "protocol", parse_without_nulls(protocol, &fault));
        free(protocol);
        summary_set_count(&one, "tail_comparisons", evidence->tail_count);
        summary_set(&one, "tail_complete", json_boolean(evidence->tail_complete));
        summary_set_number(&one, "tail_floor", assay_tail_floor(evidence),
                           evidence->tail_complete ? "every comparison is kept"
                           : evidence->tail_count  ? NULL
                                                   : "no comparison is kept");
        summary_set_count(&one, "histogram_comparisons", evidence->histogram_pairs);
        summary_set(&one, "score_bound", json_real(evidence->bound));
        json_t *evidence_json = parse_without_nulls(evidence->provenance_json, &fault);
        if (!evidence_json && *status == ASSAY_OK)
            *status = assay_fail(ASSAY_FAILED, "provenance of %s %s is not JSON: %s",
                                 evidence->release, evidence->version, fault.text);
        summary_set(&one, "evidence", evidence_json ? evidence_json : json_null());
        summary_append(&made, releases, one);
    }
    summary_set(&made, "releases", releases);
    return made;
}

assay_status assay_report_summary(const assay_report *report) {
    const assay_evidence *evidence = report->releases[0].evidence;
    assay_status status = ASSAY_OK;
    assay_text text = {0};
    summary_object root = summary_begin(), dataset = summary_begin();
    summary_set_text(&root, "schema", "assay-summary/2");
    summary_set_text(&dataset, "name", evidence->dataset_name);
    summary_set_digest(&dataset, "digest", &evidence->dataset_digest);
    const char *unknown = assay_evidence_has_samples(evidence) ? NULL : ASSAY_NO_SAMPLES;
    summary_set_known(&dataset, "samples", evidence->table.row_count, unknown);
    summary_set_known(&dataset, "subjects", evidence->table.subject_count, unknown);
    summary_set_object(&root, "dataset", dataset);
    summary_object intervals = summary_begin();
    summary_set_number(&intervals, "level", 1 - ASSAY_INTERVAL_ALPHA, NULL);
    summary_set_text(&intervals, "sampled", "subjects");
    summary_set(&intervals, "simultaneous", json_false());
    summary_set_object(&root, "intervals", intervals);
    summary_object judged = summary_begin();
    summary_set_number(&judged, "worse_limit", report->worse_limit, NULL);
    summary_set_number(&judged, "level", 1 - ASSAY_INTERVAL_ALPHA, NULL);
    summary_set_count(&judged, "draws", ASSAY_DIFFERENTIAL_DRAWS);
    summary_set_count(&judged, "few_subjects", ASSAY_FEW_SUBJECTS);
    summary_set_text(&judged, "age_of_mated_pairs",
                     report->mean_of_pair ? "mean of both" : "probe");
    summary_set_object(&root, "differentials", judged);
    json_t *releases = json_array();
    for (size_t n = 0; n < report->count; ++n)
        summary_append(&root, releases, release_json(report, &report->releases[n]));
    summary_set(&root, "releases", releases);
    summary_set_comparisons(&root, report);
    summary_set_look_alikes(&root, report);
    summary_set_object(&root, "provenance", provenance_json(report, &status));
    if (status == ASSAY_OK && root.failed)
        status = assay_fail(ASSAY_FAILED,
                            "cannot build summary.json: a name of data set %s is not "
                            "valid UTF-8, or memory ran out",
                            evidence->dataset_name);
    if (status == ASSAY_OK) {
        summary_print(&text, root.json);
        assay_text_append(&text, "\n");
        status = assay_report_file(report, "summary.json", &text);
    }
    assay_text_free(&text);
    json_decref(root.json);
    return status;
}
