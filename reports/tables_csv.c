/* tables_csv -- DIR/tables/: every number of the page as CSV (csv_private.h). */
#include "reports/csv_private.h"

static void write_releases(const assay_report *report, csv_sheet *sheet) {
    static const char line[] =
        "release,version,algorithm,comparator,samples,subjects,enrolled,refused,failed,excluded"
        "," CSV_SURE_RATE(
            "fte") ",mated_completed,mated_attempted,non_mated_completed,non_mated_"
                   "attempted,mated_without_score,non_mated_without_score,mated_mean,"
                   "mated_sd,non_mated_mean,non_mated_mean_source,non_mated_mean_bound,"
                   "non_mated_sd,"
                   "non_mated_sd_source,non_mated_sd_bound,auc,auc_source,auc_bound,eer,"
                   "eer_source,eer_bound,"
                   "eer_low,eer_high,dprime,dprime_source,dprime_bound";
    csv_heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        const assay_evidence *evidence = release->evidence;
        const assay_figures *figures = &release->figures;
        const assay_whole_figures *whole = &figures->whole;
        csv_release(sheet, release);
        csv_text(sheet, evidence->algorithm);
        csv_text(sheet, evidence->comparator);
        const uint64_t counts[] = {figures->samples, figures->subjects, figures->enrolled,
                                   figures->refused, figures->failed,   figures->excluded};
        const bool has_samples = assay_evidence_has_samples(evidence);
        const bool known = has_samples && assay_evidence_knows_enrolment(evidence);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; ++c) {
            if (known || (has_samples && c < 2))
                csv_count(sheet, counts[c]);
            else
                csv_text(sheet, "");
        }
        for (size_t c = 0; !known && c < 3; ++c) csv_text(sheet, ""); /* of FTE */
        if (known) csv_rate(sheet, figures->fte);
        csv_interval(sheet, &figures->fte_interval);
        csv_count(sheet, evidence->mated_count);
        csv_count(sheet, figures->mated_attempted);
        csv_count(sheet, evidence->non_mated);
        csv_count(sheet, figures->non_mated_attempted);
        csv_count(sheet, evidence->failed_mated);
        csv_count(sheet, evidence->failed_non_mated);
        csv_number(sheet, whole->mated_mean.value);
        csv_number(sheet, whole->mated_sd.value);
        csv_figure(sheet, whole->non_mated_mean);
        csv_figure(sheet, whole->non_mated_sd);
        csv_figure(sheet, whole->auc);
        csv_figure(sheet, whole->eer.value);
        csv_number(sheet, whole->eer.low);
        csv_number(sheet, whole->eer.high);
        csv_figure(sheet, whole->dprime);
        csv_end_line(sheet);
    }
}

static void write_points(const assay_report *report, csv_sheet *sheet) {
    static const char line[] = CSV_POINT
        ",threshold_source"
        "," CSV_SURE_RATE(
            "fmr") ",fmr_dependence,fmr_source"
                   "," CSV_SURE_RATE(
                       "fnmr") ",fnmr_method"
                               "," CSV_SURE_RATE("gfmr") "," CSV_SURE_RATE(
                                   "gfnmr") ",fnmr_by_subject," CSV_INTERVAL("fnmr_by_subject");
    csv_heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n)
        for (uint32_t p = 0; p < report->releases[n].figures.point_count; ++p) {
            const assay_operating_point *point = &report->releases[n].figures.points[p];
            csv_release(sheet, &report->releases[n]);
            csv_point(sheet, point);
            csv_text(sheet, point->reason ? "" : assay_threshold_source_name(point->source));
            const assay_point_intervals *interval = &point->interval;
            csv_rate(sheet, point->fmr);
            csv_interval(sheet, &interval->fmr);
            csv_dependence(sheet, &interval->fmr);
            csv_text(sheet, point->fmr.reason ? "" : assay_figure_source_name(point->fmr_source));
            csv_rate(sheet, point->fnmr);
            csv_interval(sheet, &interval->fnmr);
            csv_text(sheet, interval->fnmr.reason
                                ? ""
                                : assay_interval_method_name(interval->fnmr.method));
            csv_rate(sheet, point->gfmr);
            csv_interval(sheet, &interval->gfmr);
            csv_rate(sheet, point->gfnmr);
            csv_interval(sheet, &interval->gfnmr);
            csv_number(sheet, point->subject_fnmr);
            csv_interval(sheet, &interval->subject_fnmr);
            csv_end_line(sheet);
        }
}

static void write_det(const assay_report *report, csv_sheet *sheet) {
    static const char line[] =
        "release,version,threshold," CSV_SURE_RATE("fmr") ",source," CSV_SURE_RATE("fnmr");
    csv_heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n)
        for (size_t s = 0; s < report->releases[n].curves.det_count; ++s) {
            const assay_det_step *step = &report->releases[n].curves.det[s];
            csv_release(sheet, &report->releases[n]);
            csv_number(sheet, step->threshold);
            csv_rate(sheet, step->fmr);
            csv_interval(sheet, &step->fmr_interval);
            csv_text(sheet, assay_figure_source_name(step->source));
            csv_rate(sheet, step->fnmr);
            csv_interval(sheet, &step->fnmr_interval);
            csv_end_line(sheet);
        }
}

static void write_histograms(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "release,version,low,high,mated,non_mated,non_mated_source");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_score_bars *bars = &report->releases[n].curves.bars;
        for (uint32_t b = 0; b < bars->count; ++b) {
            csv_release(sheet, &report->releases[n]);
            csv_number(sheet, bars->low + b * bars->width);
            csv_number(sheet, bars->low + (b + 1) * bars->width);
            csv_count(sheet, bars->mated[b]);
            csv_count(sheet, bars->non_mated[b]);
            csv_text(sheet, assay_figure_source_name(bars->source));
            csv_end_line(sheet);
        }
    }
}

static void write_pairs(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "release,version,pairs,count");
    for (size_t n = 0; n < report->count; ++n) {
        for (int r = 0; r < ASSAY_RELATION_COUNT; ++r) {
            csv_release(sheet, &report->releases[n]);
            csv_text(sheet, assay_relation_name((assay_relation)r));
            csv_count(sheet, report->releases[n].evidence->relations[r]);
            csv_end_line(sheet);
        }
    }
}

static void write_enrolment(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "release,version,sample,enrolment,reason");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_sample_table *table = &report->releases[n].evidence->table;
        for (uint64_t row = 0; row < table->row_count; ++row) {
            if (table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED) continue;
            csv_release(sheet, &report->releases[n]);
            csv_text(sheet, table->sample_id[row]);
            csv_text(sheet, assay_enrolment_name((assay_enrolment)table->enrolment[row]));
            csv_text(sheet, table->enrolment_reason.labels[table->enrolment_reason.codes[row]]);
            csv_end_line(sheet);
        }
    }
}

static const struct {
    const char *name;
    void (*write)(const assay_report *report, csv_sheet *sheet);
    const char *what,
        *entry; /* for the page: what is in it, and the id of its entry in metrics.html */
} tables[] = {
    {"tables/releases.csv", write_releases, "enrolment, counts and whole lists of scores",
     "section-all-scores-together"},
    {"tables/operating_points.csv", write_points, "rates at each threshold",
     "section-operating-points"},
    {"tables/groups.csv", csv_groups, "rates, and verdicts, of each group", "section-groups"},
    {"tables/group_pairs.csv", csv_group_pairs, "FMR of each pair of groups",
     "groups-fmr-of-a-pair-of-groups"},
    {"tables/differentials.csv", csv_differentials, "how far apart groups are",
     "section-how-far-apart-groups-are"},
    {"tables/alike.csv", csv_alike, "FMR against impostors who are alike",
     "crossed-groups-and-impostors-who-are-alike-fmr-against-impostors-who-are-alike"},
    {"tables/look_alikes.csv", csv_write_look_alikes, "FMR of people who resemble each other",
     "people-who-resemble-each-other-fmr-of-look-alikes"},
    {"tables/galleries.csv", csv_write_galleries, "1:N: rates of searches by size of the gallery",
     "section-identification"},
    {"tables/recognition.csv", csv_write_recognition, "1:N: mates by rank",
     "identification-recognition-at-rank-r"},
    {"tables/det.csv", write_det, "steps of the detection error trade-off", "figures-det"},
    {"tables/histograms.csv", write_histograms, "comparisons by score", "figures-scores"},
    {"tables/pairs.csv", write_pairs, "pairs of enrolled samples by what they are",
     "samples-pairs-of-enrolled-samples"},
    {"tables/not_enrolled.csv", write_enrolment, "samples without a template, with the reason",
     "samples-never-reached-the-release"},
    {"tables/discard.csv", csv_write_discard, "errors versus the share of comparisons left out",
     "quality-error-versus-discard-fnmr-versus-discard"},
    {"tables/quality_bands.csv", csv_write_bands, "rates by band of quality",
     "quality-rates-by-band"},
    {"tables/quality_minima.csv", csv_write_minima, "what a least quality refuses and buys",
     "quality-a-least-quality"},
    {"tables/ageing.csv", csv_write_ageing, "FNMR by the time between captures", "section-ageing"},
    {"tables/comparison.csv", csv_write_comparison, "release against release",
     "section-two-releases-on-the-same-comparisons"},
    {"tables/threshold_transfer.csv", csv_write_transfer, "the old threshold on the new release",
     "two-releases-on-the-same-comparisons-old-threshold-on-the-new-release"},
    {"tables/mixed.csv", csv_write_mixed, "references of one release, probes of another",
     "two-releases-on-the-same-comparisons-references-of-one-probes-of-the-other"},
    {"tables/score_scale.csv", csv_write_score_scale, "the scale of the scores, old against new",
     "two-releases-on-the-same-comparisons-scale-of-the-scores"},
    {"tables/cost.csv", csv_write_cost, "time and size of a template and a comparison",
     "two-releases-on-the-same-comparisons-cost"},
    {"tables/discordant.csv", csv_write_discordant,
     "comparisons that one release alone decides rightly",
     "two-releases-on-the-same-comparisons-discordant-comparisons"},
};

assay_status assay_report_tables(const assay_report *report) {
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof tables / sizeof *tables; ++n) {
        csv_sheet sheet = {0};
        tables[n].write(report, &sheet);
        status = assay_report_file(report, tables[n].name, &sheet.text);
        assay_text_free(&sheet.text);
    }
    return status;
}

void assay_report_tables_about(assay_text *text) {
    assay_text_append(text, "<ul>\n");
    for (size_t n = 0; n < sizeof tables / sizeof *tables; ++n)
        assay_text_appendf(text,
                           "<li><a href=\"%s\"><code>%s</code></a>: <a href=\"metrics.html#%s\">%s"
                           "</a></li>\n",
                           tables[n].name, tables[n].name, tables[n].entry, tables[n].what);
    assay_text_append(text, "</ul>\n");
}
