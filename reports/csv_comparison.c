/* csv_comparison -- tables/comparison.csv, threshold_transfer.csv, mixed.csv, score_scale.csv,
 * cost.csv and discordant.csv. */
#include <math.h>

#include "reports/comparison.h"
#include "reports/csv_private.h"

#define DIFFERENCE(name)                                                                           \
    name "_only_later," name "_only_earlier," name "_trials," name "," name "_low," name "_high"

static void csv_difference(csv_sheet *sheet, const assay_difference *difference) {
    double none = (double)NAN;
    bool known = !difference->reason;
    csv_number(sheet, known ? difference->only_b : none);
    csv_number(sheet, known ? difference->only_a : none);
    csv_number(sheet, known ? difference->trials : none);
    csv_number(sheet, difference->value);
    csv_number(sheet, difference->low);
    csv_number(sheet, difference->high);
}

static void csv_compared(csv_sheet *sheet, const assay_compared *at) {
    csv_difference(sheet, &at->gfnmr);
    csv_difference(sheet, &at->fnmr);
    csv_number(sheet, at->swap);
    csv_number(sheet, at->fmr.value);
    csv_number(sheet, at->fmr.low);
    csv_number(sheet, at->fmr.high);
    csv_end_line(sheet);
}

static void csv_pair(csv_sheet *sheet, const assay_release_comparison *made) {
    csv_text(sheet, made->earlier->name);
    csv_text(sheet, made->later->name);
}

void csv_write_comparison(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "earlier,later,fmr_target,threshold_earlier,threshold_later,attribute,"
                       "group," DIFFERENCE("gfnmr_difference") "," DIFFERENCE(
                           "fnmr_difference") ",swap_p,fmr_ratio,fmr_ratio_low,fmr_ratio_high");
    for (size_t n = 0; n < report->comparison_count; ++n) {
        const assay_release_comparison *made = &report->comparisons[n];
        for (uint32_t p = 0; p < made->point_count; ++p) {
            const assay_operating_point *a = &made->earlier->figures.points[made->points[p]];
            const assay_operating_point *b = &made->later->figures.points[made->later_points[p]];
            csv_pair(sheet, made);
            csv_number(sheet, a->fmr_target);
            csv_number(sheet, a->threshold);
            csv_number(sheet, b->threshold);
            csv_text(sheet, "");
            csv_text(sheet, "");
            csv_compared(sheet, &made->compared[p]);
        }
        for (uint32_t g = 0; g < made->group_count; ++g) {
            const assay_compared_group *at = &made->groups[g];
            csv_pair(sheet, made);
            csv_number(sheet, assay_headline(made->earlier)->fmr_target);
            csv_number(sheet, assay_headline(made->earlier)->threshold);
            csv_number(sheet, assay_headline(made->later)->threshold);
            csv_text(sheet, at->attribute->attribute->name);
            csv_text(sheet, at->group->label);
            csv_compared(sheet, &at->at);
        }
    }
}

void csv_write_transfer(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "earlier,later,fmr_target_of_earlier,threshold_of_earlier," CSV_SURE_RATE(
                           "fmr") "," CSV_SURE_RATE("fnmr") "," CSV_SURE_RATE("gfnmr"));
    for (size_t n = 0; n < report->comparison_count; ++n) {
        const assay_release_comparison *made = &report->comparisons[n];
        for (uint32_t p = 0; p < made->transfer_count; ++p) {
            const assay_transfer *at = &made->transfers[p];
            csv_pair(sheet, made);
            csv_number(sheet, at->from->fmr_target);
            csv_number(sheet, at->from->threshold);
            csv_rate(sheet, at->fmr);
            csv_interval(sheet, &at->interval.fmr);
            csv_rate(sheet, at->fnmr);
            csv_interval(sheet, &at->interval.fnmr);
            csv_rate(sheet, at->gfnmr);
            csv_interval(sheet, &at->interval.gfnmr);
            csv_end_line(sheet);
        }
    }
}

void csv_write_mixed(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "earlier,later,references,references_version,probes,probes_version,"
                       "threshold," CSV_SURE_RATE("fmr") "," CSV_SURE_RATE(
                           "fnmr") "," CSV_SURE_RATE("gfnmr"));
    for (size_t n = 0; n < report->comparison_count; ++n) {
        const assay_release_comparison *made = &report->comparisons[n];
        for (size_t m = 0; m < made->mixed_count; ++m)
            for (unsigned p = 0; p < made->mixed[m].count; ++p) {
                const assay_evidence *evidence = made->mixed[m].release->evidence;
                const assay_transfer *at = &made->mixed[m].at[p];
                csv_pair(sheet, made);
                csv_text(sheet, evidence->reference_release);
                csv_text(sheet, evidence->reference_version);
                csv_text(sheet, evidence->release);
                csv_text(sheet, evidence->version);
                csv_number(sheet, at->from->threshold);
                csv_rate(sheet, at->fmr);
                csv_interval(sheet, &at->interval.fmr);
                csv_rate(sheet, at->fnmr);
                csv_interval(sheet, &at->interval.fnmr);
                csv_rate(sheet, at->gfnmr);
                csv_interval(sheet, &at->interval.gfnmr);
                csv_end_line(sheet);
            }
    }
}

void csv_write_score_scale(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "earlier,later,scores,share,score_earlier,score_earlier_source,"
                       "score_earlier_bound,score_later,score_later_source,score_later_bound");
    for (size_t n = 0; n < report->comparison_count; ++n) {
        const assay_release_comparison *made = &report->comparisons[n];
        for (unsigned k = 0; !made->fault && k < ASSAY_SCORE_CHANGES; ++k) {
            csv_pair(sheet, made);
            csv_text(sheet, made->scores[k].mated ? "mated" : "non-mated");
            csv_number(sheet, made->scores[k].share);
            csv_figure(sheet, made->scores[k].earlier);
            csv_figure(sheet, made->scores[k].later);
            csv_end_line(sheet);
        }
    }
}

void csv_write_cost(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, "earlier,later,release,enrolment_seconds_median,enrolment_seconds_95,"
                       "template_bytes,comparisons_per_second,compared_by");
    for (size_t n = 0; n < report->comparison_count; ++n) {
        const assay_release_comparison *made = &report->comparisons[n];
        for (int k = 0; !made->fault && k < 2; ++k) {
            const assay_effort *effort = k ? &made->effort_later : &made->effort_earlier;
            csv_pair(sheet, made);
            csv_text(sheet, k ? made->later->name : made->earlier->name);
            csv_number(sheet, effort->enrolment_median);
            csv_number(sheet, effort->enrolment_95);
            csv_number(sheet, effort->template_bytes);
            csv_number(sheet, effort->comparisons_per_second);
            csv_text(sheet, effort->where);
            csv_end_line(sheet);
        }
    }
}

typedef struct {
    csv_sheet *sheet;
    const assay_release_comparison *made;
} discordant_sheet;

static void csv_sample(csv_sheet *sheet, const assay_sample_table *table, uint32_t row) {
    csv_text(sheet, table->sample_id[row]);
    csv_text(sheet, table->subject_id[table->subject[row]]);
    csv_text(sheet, table->path && table->path[row] ? table->path[row] : "");
}

static assay_status add_discordant(void *context, bool mated, uint32_t i, uint32_t j,
                                   double earlier, double later, bool earlier_errs) {
    const discordant_sheet *to = context;
    const assay_sample_table *table = &to->made->later->evidence->table;
    csv_pair(to->sheet, to->made);
    csv_text(to->sheet, mated ? "mated" : "non-mated");
    csv_text(to->sheet, earlier_errs ? "earlier" : "later");
    csv_sample(to->sheet, table, i);
    csv_sample(to->sheet, table, j);
    csv_number(to->sheet, earlier);
    csv_number(to->sheet, later);
    csv_end_line(to->sheet);
    return ASSAY_OK;
}

void csv_write_discordant(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet,
                "earlier,later,kind,wrong,sample_a,subject_a,path_a,sample_b,subject_b,path_b,"
                "score_earlier,score_later");
    for (size_t n = 0; n < report->comparison_count; ++n) {
        discordant_sheet to = {sheet, &report->comparisons[n]};
        if (assay_comparison_discordant(to.made, add_discordant, &to) != ASSAY_OK)
            sheet->text.failed = true;
    }
}
