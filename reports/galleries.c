/* galleries -- identification from evidence of all pairs (galleries.h). */
#include "reports/galleries.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/galleries_private.h"
#include "reports/reach.h"

const char *assay_galleries_fault(const assay_evidence *evidence) {
    if (!assay_evidence_has_samples(evidence))
        return "the scores came without subject ids: nobody knows whose gallery they are";
    if (evidence->protocol.kind == ASSAY_PROTOCOL_PAIR_LIST)
        return "the evidence is of a list of pairs: galleries need every pair";
    return NULL;
}

static assay_status check(const assay_evidence *evidence, const assay_galleries_options *options) {
    const char *fault = assay_galleries_fault(evidence);
    if (fault)
        return assay_fail(ASSAY_USAGE, "identification by %s %s: %s", evidence->release,
                          evidence->version, fault);
    if (options->attribute && !assay_sample_table_attribute(&evidence->table, options->attribute))
        return assay_fail(ASSAY_USAGE, "galleries by '%s': the evidence has no such attribute",
                          options->attribute);
    return ASSAY_OK;
}

assay_status assay_galleries_usual(const assay_evidence *evidence, uint64_t out[ASSAY_USUAL_SIZES],
                                   size_t *out_count) {
    static const uint64_t usual[ASSAY_USUAL_SIZES] = {100, 200, 400};
    const assay_sample_table *table = &evidence->table;
    uint8_t *roles = NULL, *seen = NULL;
    uint64_t people = 0;
    size_t count = 0;
    assay_status status = assay_protocol_roles(&evidence->protocol, table, &roles);
    if (status == ASSAY_OK) status = assay_allocate(&seen, table->subject_count, 1, "subjects");
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; ++row) {
        bool reference = roles[row] == ASSAY_ROLE_BOTH || roles[row] == ASSAY_ROLE_REFERENCE;
        if (!reference || table->enrolment[row] != ASSAY_ENROLMENT_ENROLLED) continue;
        people += !seen[table->subject[row]];
        seen[table->subject[row]] = 1;
    }
    for (size_t n = 0; n < ASSAY_USUAL_SIZES; ++n)
        if (usual[n] < people) out[count++] = usual[n];
    if (!count) out[count++] = people > 1 ? people - 1 : 1;
    *out_count = count;
    free(roles);
    free(seen);
    return status;
}

/* Everybody, random galleries, and those that are given, with their curves. */
static assay_status compute(gallery_work *work, const assay_operating_point *point,
                            assay_galleries *out) {
    const assay_galleries_options *options = work->options;
    const assay_sample_table *table = &work->evidence->table;
    assay_status status = gallery_look(work, NULL);
    if (status == ASSAY_OK) status = gallery_expect(work, point, out);
    if (status == ASSAY_OK)
        status = assay_allocate(&out->curves, options->size_count + 2, sizeof *out->curves,
                                "curves of ranks");
    if (status == ASSAY_OK)
        status = gallery_add_curve(work, ASSAY_GALLERY_OF_ALL, out->people, table->subject,
                                   table->subject_count, out);
    for (size_t n = 0; status == ASSAY_OK && n < out->random_count; ++n)
        if (!out->random[n].reason)
            status = gallery_add_curve(work, ASSAY_GALLERY_RANDOM, out->random[n].size,
                                       table->subject, table->subject_count, out);
    if (status == ASSAY_OK && options->attribute)
        status = gallery_search_given(work, assay_sample_table_attribute(table, options->attribute),
                                      out);
    return status;
}

assay_status assay_galleries_at(const assay_evidence *evidence,
                                const assay_galleries_options *options,
                                const assay_operating_point *point, assay_galleries *out) {
    assay_galleries made = {
        .deployment = options->deployment, .rank = options->rank, .threshold = point->threshold};
    gallery_work work = {0};
    assay_status status = check(evidence, options);
    if (status == ASSAY_OK && (point->reason || !point->in_tail))
        status = assay_fail(ASSAY_USAGE, "the evidence of %s %s does not reach that threshold: %s",
                            evidence->release, evidence->version,
                            point->reason ? point->reason
                                          : "compare again with --thresholds or --fmr-targets");
    if (status != ASSAY_OK) return status;
    made.fmr = point->fmr;
    status = gallery_work_open(evidence, options, point->threshold, &work);
    if (status == ASSAY_OK) status = compute(&work, point, &made);
    gallery_work_close(&work);
    if (status == ASSAY_OK)
        *out = made;
    else
        assay_galleries_free(&made);
    return status;
}

assay_status assay_galleries_compute(const assay_evidence *evidence,
                                     const assay_galleries_options *options, assay_galleries *out) {
    assay_galleries_options chosen = *options;
    assay_figures figures = {0};
    assay_status status = check(evidence, options);
    if (status == ASSAY_OK && isnan(chosen.deployment.fmr) && isnan(chosen.deployment.threshold))
        status = assay_deployment_choose(evidence, &chosen.deployment);
    if (status != ASSAY_OK) return status;
    assay_evidence judged = assay_deployment_apply(&chosen.deployment, evidence);
    status = assay_figures_compute(&judged, (const char *const[]){NULL}, 0, &figures);
    if (status == ASSAY_OK && !figures.points[0].in_tail &&
        (figures.points[0].reason == NULL || figures.points[0].beyond_tail[0] != '\0'))
        status = assay_tail_refuse(evidence, &figures.coarse, chosen.deployment.fmr,
                                   chosen.deployment.threshold);
    if (status == ASSAY_OK) status = assay_galleries_at(evidence, &chosen, &figures.points[0], out);
    assay_figures_free(&figures);
    return status;
}

void assay_galleries_free(assay_galleries *galleries) {
    for (size_t n = 0; n < galleries->curve_count; ++n) free(galleries->curves[n].ranks);
    free(galleries->curves);
    free(galleries->random);
    *galleries = (assay_galleries){0};
}
