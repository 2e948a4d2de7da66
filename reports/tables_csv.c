/* tables_csv -- DIR/tables/: every number of the page as CSV. Numbers are printed so that they read
 * back the same; a cell is empty where there is no value. A text cell that a spreadsheet would take
 * for a formula gets a ' in front. */
#include <math.h>
#include <string.h>

#include "reports/pages.h"

/* ---- cells ---- */

typedef struct {
    assay_text text;
    bool begun; /* a cell of this line is there */
} csv_sheet;

static void separate(csv_sheet *sheet) {
    if (sheet->begun) assay_text_append(&sheet->text, ",");
    sheet->begun = true;
}

static void cell_text(csv_sheet *sheet, const char *string) {
    separate(sheet);
    bool formula = string[0] && strchr("=+-@\t\r", string[0]);
    bool quoted = formula || strpbrk(string, ",\"\r\n") || string[0] == ' ' || string[0] == '\'';
    if (!quoted) {
        assay_text_append(&sheet->text, string);
        return;
    }
    assay_text_append(&sheet->text, formula ? "\"'" : "\"");
    for (const char *c = string; *c; ++c) {
        if (*c == '"') assay_text_append(&sheet->text, "\"");
        assay_text_append_bytes(&sheet->text, c, 1);
    }
    assay_text_append(&sheet->text, "\"");
}

static void cell_count(csv_sheet *sheet, uint64_t count) {
    separate(sheet);
    assay_text_appendf(&sheet->text, "%llu", (unsigned long long)count);
}

static void cell_number(csv_sheet *sheet, double value) {
    char digits[ASSAY_NUMBER_SIZE];
    separate(sheet);
    if (isfinite(value)) assay_text_append(&sheet->text, assay_print_double(digits, value));
}

/* errors, trials, value; the errors are empty where they are not known. */
static void cells_rate(csv_sheet *sheet, assay_rate rate) {
    if (rate.reason && rate.trials)
        cell_text(sheet, "");
    else
        cell_count(sheet, rate.errors);
    cell_count(sheet, rate.trials);
    cell_number(sheet, assay_rate_value(rate));
}

/* low, high, effective trials; empty where there is none. */
static void cells_interval(csv_sheet *sheet, const assay_interval *interval) {
    cell_number(sheet, interval->low);
    cell_number(sheet, interval->high);
    cell_number(sheet, interval->effective);
}

static void cell_dependence(csv_sheet *sheet, const assay_interval *interval) {
    cell_text(sheet, interval->reason ? "" : assay_dependence_name(interval->dependence));
}

static void cells_figure(csv_sheet *sheet, assay_figure figure) {
    cell_number(sheet, figure.value);
    cell_text(sheet, figure.reason ? "" : assay_figure_source_name(figure.source));
    cell_number(sheet, figure.reason ? (double)NAN : figure.bound);
}

static void end_line(csv_sheet *sheet) {
    assay_text_append(&sheet->text, "\n");
    sheet->begun = false;
}

static void heading(csv_sheet *sheet, const char *line) {
    assay_text_append(&sheet->text, line);
    end_line(sheet);
}

static void cells_release(csv_sheet *sheet, const assay_report_release *release) {
    cell_text(sheet, release->evidence->release);
    cell_text(sheet, release->evidence->version);
}

static void cells_point(csv_sheet *sheet, const assay_operating_point *point) {
    cell_text(sheet, point->kind == ASSAY_POINT_THRESHOLD ? "threshold" : "fmr_target");
    cell_number(sheet, point->fmr_target);
    cell_number(sheet, point->threshold);
    bool given = point->kind == ASSAY_POINT_THRESHOLD;
    cell_text(sheet, given ? "" : point->reached ? "yes" : "no");
}

#define RATE(name) name "_errors," name "_trials," name
#define INTERVAL(name) name "_low," name "_high," name "_effective_trials"
#define SURE_RATE(name) RATE(name) "," INTERVAL(name)
#define POINT "release,version,kind,fmr_target,threshold,reached"

/* ---- tables ---- */

static void write_releases(const assay_report *report, csv_sheet *sheet) {
    static const char line[] =
        "release,version,algorithm,comparator,samples,subjects,enrolled,refused,failed,excluded"
        "," SURE_RATE("fte") ",mated_completed,mated_attempted,non_mated_completed,non_mated_"
                             "attempted,mated_mean,"
                             "mated_sd,non_mated_mean,non_mated_mean_source,non_mated_mean_bound,"
                             "non_mated_sd,"
                             "non_mated_sd_source,non_mated_sd_bound,auc,auc_source,auc_bound,eer,"
                             "eer_source,eer_bound,"
                             "eer_low,eer_high,dprime,dprime_source,dprime_bound";
    heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        const assay_evidence *evidence = release->evidence;
        const assay_figures *figures = &release->figures;
        const assay_whole_figures *whole = &figures->whole;
        cells_release(sheet, release);
        cell_text(sheet, evidence->algorithm);
        cell_text(sheet, evidence->comparator);
        const uint64_t counts[] = {figures->samples, figures->subjects, figures->enrolled,
                                   figures->refused, figures->failed,   figures->excluded};
        for (size_t c = 0; c < sizeof counts / sizeof *counts; ++c) cell_count(sheet, counts[c]);
        cells_rate(sheet, figures->fte);
        cells_interval(sheet, &figures->fte_interval);
        cell_count(sheet, evidence->mated_count);
        cell_count(sheet, figures->mated_attempted);
        cell_count(sheet, evidence->non_mated);
        cell_count(sheet, figures->non_mated_attempted);
        cell_number(sheet, whole->mated_mean.value);
        cell_number(sheet, whole->mated_sd.value);
        cells_figure(sheet, whole->non_mated_mean);
        cells_figure(sheet, whole->non_mated_sd);
        cells_figure(sheet, whole->auc);
        cells_figure(sheet, whole->eer.value);
        cell_number(sheet, whole->eer.low);
        cell_number(sheet, whole->eer.high);
        cells_figure(sheet, whole->dprime);
        end_line(sheet);
    }
}

static void write_points(const assay_report *report, csv_sheet *sheet) {
    static const char line[] =
        POINT ",threshold_source"
              "," SURE_RATE(
                  "fmr") ",fmr_dependence,fmr_source"
                         "," SURE_RATE(
                             "fnmr") ",fnmr_method"
                                     "," SURE_RATE("gfmr") "," SURE_RATE(
                                         "gfnmr") ",fnmr_by_subject," INTERVAL("fnmr_by_subject");
    heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n)
        for (uint32_t p = 0; p < report->releases[n].figures.point_count; ++p) {
            const assay_operating_point *point = &report->releases[n].figures.points[p];
            cells_release(sheet, &report->releases[n]);
            cells_point(sheet, point);
            cell_text(sheet, point->reason ? "" : assay_threshold_source_name(point->source));
            const assay_point_intervals *interval = &point->interval;
            cells_rate(sheet, point->fmr);
            cells_interval(sheet, &interval->fmr);
            cell_dependence(sheet, &interval->fmr);
            cell_text(sheet, point->fmr.reason ? "" : assay_figure_source_name(point->fmr_source));
            cells_rate(sheet, point->fnmr);
            cells_interval(sheet, &interval->fnmr);
            cell_text(sheet, interval->fnmr.reason
                                 ? ""
                                 : assay_interval_method_name(interval->fnmr.method));
            cells_rate(sheet, point->gfmr);
            cells_interval(sheet, &interval->gfmr);
            cells_rate(sheet, point->gfnmr);
            cells_interval(sheet, &interval->gfnmr);
            cell_number(sheet, point->subject_fnmr);
            cells_interval(sheet, &interval->subject_fnmr);
            end_line(sheet);
        }
}

static void write_groups(const assay_report *report, csv_sheet *sheet) {
    static const char line[] = POINT
        ",attribute,group,subjects,samples,excluded,mated_subjects"
        "," SURE_RATE("fte") "," SURE_RATE("fmr") ",fmr_dependence"
                                                  "," SURE_RATE("fnmr") "," SURE_RATE("gfnmr");
    heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        for (uint32_t a = 0; a < figures->attribute_count; ++a)
            for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g)
                for (uint32_t p = 0; p < figures->point_count; ++p) {
                    const assay_group *group = &figures->attributes[a].groups[g];
                    cells_release(sheet, &report->releases[n]);
                    cells_point(sheet, &figures->points[p]);
                    cell_text(sheet, figures->attributes[a].attribute->name);
                    cell_text(sheet, group->label);
                    cell_count(sheet, group->subjects);
                    cell_count(sheet, group->samples);
                    cell_count(sheet, group->excluded);
                    cell_count(sheet, group->mated_subjects);
                    const assay_group_point *point = &group->points[p];
                    cells_rate(sheet, group->fte);
                    cells_interval(sheet, &group->fte_interval);
                    cells_rate(sheet, point->fmr);
                    cells_interval(sheet, &point->fmr_interval);
                    cell_dependence(sheet, &point->fmr_interval);
                    cells_rate(sheet, point->fnmr);
                    cells_interval(sheet, &point->fnmr_interval);
                    cells_rate(sheet, point->gfnmr);
                    cells_interval(sheet, &point->gfnmr_interval);
                    end_line(sheet);
                }
    }
}

static void write_group_pairs(const assay_report *report, csv_sheet *sheet) {
    static const char line[] = POINT ",attribute,a,b," SURE_RATE("fmr") ",fmr_dependence";
    heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        for (uint32_t a = 0; a < figures->attribute_count; ++a) {
            const assay_attribute_figures *attribute = &figures->attributes[a];
            for (uint32_t c = 0; c < attribute->pair_count; ++c)
                for (uint32_t p = 0; p < figures->point_count; ++p) {
                    const assay_group_pair *pair = &attribute->pairs[c];
                    cells_release(sheet, &report->releases[n]);
                    cells_point(sheet, &figures->points[p]);
                    cell_text(sheet, attribute->attribute->name);
                    cell_text(sheet, attribute->groups[pair->a].label);
                    cell_text(sheet, attribute->groups[pair->b].label);
                    cells_rate(sheet, pair->fmr[p]);
                    cells_interval(sheet, &pair->fmr_interval[p]);
                    cell_dependence(sheet, &pair->fmr_interval[p]);
                    end_line(sheet);
                }
        }
    }
}

static void write_det(const assay_report *report, csv_sheet *sheet) {
    static const char line[] =
        "release,version,threshold," SURE_RATE("fmr") ",source," SURE_RATE("fnmr");
    heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n)
        for (size_t s = 0; s < report->releases[n].curves.det_count; ++s) {
            const assay_det_step *step = &report->releases[n].curves.det[s];
            cells_release(sheet, &report->releases[n]);
            cell_number(sheet, step->threshold);
            cells_rate(sheet, step->fmr);
            cells_interval(sheet, &step->fmr_interval);
            cell_text(sheet, assay_figure_source_name(step->source));
            cells_rate(sheet, step->fnmr);
            cells_interval(sheet, &step->fnmr_interval);
            end_line(sheet);
        }
}

static void write_histograms(const assay_report *report, csv_sheet *sheet) {
    heading(sheet, "release,version,low,high,mated,non_mated,non_mated_source");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_score_bars *bars = &report->releases[n].curves.bars;
        for (uint32_t b = 0; b < bars->count; ++b) {
            cells_release(sheet, &report->releases[n]);
            cell_number(sheet, bars->low + b * bars->width);
            cell_number(sheet, bars->low + (b + 1) * bars->width);
            cell_count(sheet, bars->mated[b]);
            cell_count(sheet, bars->non_mated[b]);
            cell_text(sheet, assay_figure_source_name(bars->source));
            end_line(sheet);
        }
    }
}

static void write_pairs(const assay_report *report, csv_sheet *sheet) {
    heading(sheet, "release,version,pairs,count");
    for (size_t n = 0; n < report->count; ++n) {
        for (int r = 0; r < ASSAY_RELATION_COUNT; ++r) {
            cells_release(sheet, &report->releases[n]);
            cell_text(sheet, assay_relation_name((assay_relation)r));
            cell_count(sheet, report->releases[n].evidence->relations[r]);
            end_line(sheet);
        }
    }
}

static void write_enrolment(const assay_report *report, csv_sheet *sheet) {
    heading(sheet, "release,version,sample,enrolment,reason");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_sample_table *table = &report->releases[n].evidence->table;
        for (uint64_t row = 0; row < table->row_count; ++row) {
            if (table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED) continue;
            cells_release(sheet, &report->releases[n]);
            cell_text(sheet, table->sample_id[row]);
            cell_text(sheet, assay_enrolment_name((assay_enrolment)table->enrolment[row]));
            cell_text(sheet, table->enrolment_reason.labels[table->enrolment_reason.codes[row]]);
            end_line(sheet);
        }
    }
}

assay_status assay_report_tables(const assay_report *report) {
    static const struct {
        const char *name;
        void (*write)(const assay_report *report, csv_sheet *sheet);
    } tables[] = {
        {"tables/releases.csv", write_releases}, {"tables/operating_points.csv", write_points},
        {"tables/groups.csv", write_groups},     {"tables/group_pairs.csv", write_group_pairs},
        {"tables/det.csv", write_det},           {"tables/histograms.csv", write_histograms},
        {"tables/pairs.csv", write_pairs},       {"tables/not_enrolled.csv", write_enrolment},
    };
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof tables / sizeof *tables; ++n) {
        csv_sheet sheet = {0};
        tables[n].write(report, &sheet);
        status = assay_report_file(report, tables[n].name, &sheet.text);
        assay_text_free(&sheet.text);
    }
    return status;
}
