/* mixed -- references of one release and probes of the other (comparison.h): what happens where
 * enrolled people are not enrolled anew. */
#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"
#include "reports/comparison.h"

bool assay_mixed_belongs(const assay_evidence *mixed, const assay_evidence *a,
                         const assay_evidence *b) {
    const assay_digest *references = &mixed->reference_digest, *probes = &mixed->templates_digest;
    return (assay_digest_equal(references, &a->templates_digest) &&
            assay_digest_equal(probes, &b->templates_digest)) ||
           (assay_digest_equal(references, &b->templates_digest) &&
            assay_digest_equal(probes, &a->templates_digest));
}

/* Rates of release at the threshold of a point of another one. */
void assay_transfer_to(const assay_report_release *release, const assay_operating_point *from,
                       assay_transfer *out, assay_cut *cut) {
    const assay_figures *figures = &release->figures;
    const assay_evidence *evidence = release->evidence;
    const double t = from->threshold;
    const uint64_t matched = assay_scores_at_least(&figures->mated, t);
    *out = (assay_transfer){.from = from};
    *cut = (assay_cut){.threshold = t,
                       .matches = assay_scores_at_least(&figures->tail, t),
                       .matched = matched,
                       .set_for = (double)NAN};
    if (assay_tail_reaches(evidence, t)) {
        out->fmr = assay_rate_of(cut->matches, evidence->non_mated);
    } else {
        char what[ASSAY_NUMBER_SIZE];
        const assay_tail_need need = assay_need_of_threshold(&figures->coarse, t);
        assay_need_describe(out->beyond_tail, assay_need_name(what, (double)NAN, t), evidence,
                            &need);
        out->fmr = assay_rate_unknown(evidence->non_mated, out->beyond_tail);
    }
    cut->fmr_reason = out->fmr.reason;
    out->fnmr = assay_rate_of(figures->mated.count - matched, figures->mated.count);
    out->gfnmr = assay_rate_of(figures->mated_attempted - matched, figures->mated_attempted);
}

static assay_status mix_one(const assay_release_comparison *made, const assay_report_release *mixed,
                            assay_mixed *out) {
    const assay_operating_point *const points[] = {assay_headline(made->later),
                                                   assay_headline(made->earlier)};
    const bool one = points[0]->threshold == points[1]->threshold;
    assay_cut cuts[2];
    assay_point_intervals intervals[2];
    *out = (assay_mixed){.release = mixed, .count = one ? 1 : 2};
    for (unsigned n = 0; n < out->count; ++n)
        assay_transfer_to(mixed, points[n], &out->at[n], &cuts[n]);
    const assay_status status =
        assay_sampling_points(mixed->figures.sampling, cuts, out->count, intervals);
    for (unsigned n = 0; status == ASSAY_OK && n < out->count; ++n)
        out->at[n].interval = intervals[n];
    return status;
}

assay_status assay_comparison_mix(assay_release_comparison *made, const assay_report_release *mixed,
                                  size_t count) {
    assay_status status =
        assay_allocate(&made->mixed, count, sizeof *made->mixed, "references of another release");
    for (size_t n = 0; status == ASSAY_OK && made->has_headline && n < count; ++n) {
        if (!assay_mixed_belongs(mixed[n].evidence, made->earlier->evidence, made->later->evidence))
            continue;
        status = mix_one(made, &mixed[n], &made->mixed[made->mixed_count]);
        made->mixed_count += status == ASSAY_OK;
    }
    return status;
}
