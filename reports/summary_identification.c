/* summary_identification -- the keys `identification` and `look_alikes` of a release, and
 * `look_alikes` of the whole, in summary.json. */
#include <math.h>

#include "reports/summary_private.h"

/* ---- galleries ---- */

static summary_object expected_json(double value, double low, double high, const char *reason) {
    summary_object made = summary_begin();
    summary_set_number(&made, "value", value, reason);
    summary_set_number(&made, "low", low, reason);
    summary_set_number(&made, "high", high, reason);
    return made;
}

static summary_object sure_json(double value, const assay_interval *interval) {
    summary_object made = summary_begin();
    summary_set_number(&made, "value", value, isnan(value) ? "no such search was made" : NULL);
    summary_set_interval(&made, interval);
    return made;
}

static summary_object random_json(const assay_random_gallery *of) {
    static const char no_interval[] = "FMR has no interval";
    summary_object made = summary_begin();
    const char *sure = of->reason ? of->reason : isnan(of->low) ? no_interval : NULL;
    const char *gsure = of->reason ? of->reason : isnan(of->gfpir_low) ? no_interval : NULL;
    summary_set_count(&made, "people", of->size);
    if (of->reason) {
        summary_set_null(&made, "fpir", of->reason);
        return made;
    }
    summary_object fpir = expected_json(of->fpir, of->low, of->high, sure);
    if (sure) summary_set_number(&fpir, "value", of->fpir, NULL);
    summary_object gfpir = expected_json(of->gfpir, of->gfpir_low, of->gfpir_high, gsure);
    if (gsure) summary_set_number(&gfpir, "value", of->gfpir, NULL);
    summary_set_object(&made, "fpir", fpir);
    summary_set_number(&made, "comparisons_times_fmr", of->naive, NULL);
    summary_set_object(&made, "fnir", sure_json(of->fnir, &of->fnir_interval));
    summary_set_object(&made, "gfpir", gfpir);
    summary_set_object(&made, "gfnir", sure_json(of->gfnir, &of->gfnir_interval));
    return made;
}

static summary_object searches_json(const assay_search_rate *rate) {
    summary_object made = summary_interval_rate(rate->rate, &rate->interval);
    summary_set_count(&made, "galleries", rate->galleries);
    return made;
}

static summary_object mated_json(const assay_mated_searches *mated) {
    summary_object made = summary_begin();
    summary_set_count(&made, "attempted", mated->attempted);
    summary_set_count(&made, "completed", mated->completed);
    summary_set_count(&made, "probe_without_template", mated->no_probe);
    summary_set_count(&made, "person_without_template", mated->no_reference);
    summary_set_count(&made, "comparison_failed", mated->no_comparison);
    return made;
}

static summary_object given_json(const assay_galleries *found) {
    const assay_given_galleries *given = &found->given;
    summary_object made = summary_begin();
    summary_set_text(&made, "attribute", found->attribute);
    summary_set_count(&made, "galleries", given->galleries);
    summary_set_count(&made, "people_least", given->least);
    summary_set_count(&made, "people_median", given->median);
    summary_set_count(&made, "people_most", given->most);
    summary_set_count(&made, "people_without_template", given->without_template);
    summary_set(&made, "people_recur", json_boolean(given->recurring));
    summary_set_object(&made, "mated_searches", mated_json(&given->mated));
    summary_set_count(&made, "searches_left_out", given->left_out);
    summary_set_object(&made, "fpir", searches_json(&given->fpir));
    summary_set_object(&made, "others", searches_json(&given->others));
    summary_set_object(&made, "fnir", searches_json(&given->fnir));
    summary_set_object(&made, "gfpir", searches_json(&given->gfpir));
    summary_set_object(&made, "gfnir", searches_json(&given->gfnir));
    return made;
}

static summary_object rank_json(uint64_t rank, const assay_recognition *at) {
    summary_object made = summary_begin();
    summary_set_count(&made, "rank", rank);
    summary_set_number(&made, "value", at->value, NULL);
    summary_set_number(&made, "at_most", at->most, NULL);
    summary_set_number(&made, "of_attempted", at->of_attempted, NULL);
    summary_set_interval(&made, &at->interval);
    return made;
}

static summary_object curve_json(const assay_cmc *curve) {
    summary_object made = summary_begin();
    json_t *ranks = json_array();
    summary_set_text(&made, "galleries", assay_gallery_kind_name(curve->kind));
    summary_set_count(&made, "people", curve->people);
    summary_set_count(&made, "searches", curve->searches);
    summary_set_count(&made, "searches_attempted", curve->attempted);
    summary_set_count(&made, "censored", curve->censored);
    for (uint64_t rank = 0; rank < curve->rank_count; ++rank)
        summary_append(&made, ranks, rank_json(rank + 1, &curve->ranks[rank]));
    summary_set(&made, "ranks", ranks);
    return made;
}

void summary_set_identification(summary_object *into, const assay_report_release *release) {
    const assay_galleries *found = &release->galleries;
    if (release->galleries_reason) {
        summary_set_null(into, "identification", release->galleries_reason);
        return;
    }
    summary_object made = summary_begin();
    json_t *random = json_array(), *curves = json_array();
    summary_set_point(&made, assay_headline(release));
    summary_set_count(&made, "rank", found->rank);
    summary_set_count(&made, "probes", found->probes);
    summary_set_count(&made, "probes_attempted", found->probes_attempted);
    summary_set_count(&made, "people", found->people);
    summary_set_count(&made, "people_attempted", found->people_attempted);
    summary_set_object(&made, "mated_searches", mated_json(&found->mated));
    for (size_t n = 0; n < found->random_count; ++n)
        summary_append(&made, random, random_json(&found->random[n]));
    summary_set(&made, "random_galleries", random);
    if (found->has_given)
        summary_set_object(&made, "given_galleries", given_json(found));
    else
        summary_set_null(&made, "given_galleries", "no attribute gives galleries");
    for (size_t n = 0; n < found->curve_count; ++n)
        summary_append(&made, curves, curve_json(&found->curves[n]));
    summary_set(&made, "recognition", curves);
    summary_set_object(into, "identification", made);
}

/* ---- look-alikes ---- */

void summary_set_resemblance(summary_object *into, const assay_report *report,
                             const assay_report_release *release) {
    if (!report->neighbour_count || release->resemblance_fault) {
        summary_set_null(into, "look_alikes",
                         release->resemblance_fault ? release->resemblance_fault
                                                    : "no reference release was named");
        return;
    }
    json_t *list = json_array();
    for (size_t k = 0; k < report->neighbour_count; ++k)
        for (uint32_t p = 0; p < release->figures.point_count; ++p) {
            const assay_neighbour_point *at =
                &release->resemblance[k * release->figures.point_count + p];
            summary_object one = summary_begin();
            summary_set_count(&one, "nearest", report->neighbours[k].nearest);
            summary_set_point(&one, &release->figures.points[p]);
            summary_set_object(&one, "fmr", summary_interval_rate(at->fmr, &at->fmr_interval));
            summary_set_object(&one, "gfmr", summary_interval_rate(at->gfmr, &at->gfmr_interval));
            summary_append(into, list, one);
        }
    summary_set(into, "look_alikes", list);
}

void summary_set_look_alikes(summary_object *into, const assay_report *report) {
    if (!report->neighbour_count) {
        summary_set_null(into, "look_alikes", "no reference release was named");
        return;
    }
    summary_object made = summary_begin();
    json_t *lists = json_array();
    summary_set_text(&made, "reference_release", report->look_alikes->release);
    summary_set_text(&made, "reference_version", report->look_alikes->version);
    summary_set_digest(&made, "reference_result_digest", &report->look_alikes->result_digest);
    for (size_t k = 0; k < report->neighbour_count; ++k) {
        const assay_neighbours *of = &report->neighbours[k];
        summary_object one = summary_begin();
        summary_set_count(&one, "nearest", of->nearest);
        summary_set_count(&one, "samples", of->samples);
        summary_set_count(&one, "samples_short_of_it", of->short_of);
        summary_set_count(&one, "pairs", of->count);
        summary_set_digest(&one, "pairs_digest", &of->digest);
        summary_append(&made, lists, one);
    }
    summary_set(&made, "lists", lists);
    summary_set_object(into, "look_alikes", made);
}
