/* csv_groups -- the tables of groups, of pairs of groups and of what is said of them. */
#include <math.h>

#include "reports/csv_private.h"

/* standing, ratio to the other groups, its upper limit, adjusted p above 1 and above the limit;
 * empty where the group is not judged. */
static void cells_verdict(csv_sheet *sheet, const assay_group_point *point, assay_error_kind kind) {
    const assay_group_verdict *verdict = &point->verdicts[kind];
    bool judged = verdict->standing != ASSAY_STANDING_NONE;
    csv_text(sheet, assay_standing_name(verdict->standing));
    csv_number(sheet, judged ? verdict->ratio : (double)NAN);
    csv_number(sheet, judged ? verdict->upper : (double)NAN);
    csv_number(sheet, judged ? verdict->p : (double)NAN);
    csv_number(sheet, judged ? verdict->p_beyond : (double)NAN);
}

#define VERDICT(name)                                                                              \
    name "_standing," name "_ratio," name "_ratio_upper," name "_p_worse," name "_p_beyond_limit"
void csv_groups(const assay_report *report, csv_sheet *sheet) {
    static const char line[] =
        CSV_POINT ",attribute,group,subjects,samples,excluded,mated_subjects"
                  "," CSV_SURE_RATE("fte") "," CSV_SURE_RATE(
                      "fmr") ",fmr_dependence"
                             "," CSV_SURE_RATE("fnmr") "," CSV_SURE_RATE("gfnmr") "," VERDICT(
                                 "fmr") "," VERDICT("fnmr");
    csv_heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        for (uint32_t a = 0; a < figures->attribute_count; ++a)
            for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g)
                for (uint32_t p = 0; p < figures->point_count; ++p) {
                    const assay_group *group = &figures->attributes[a].groups[g];
                    csv_release(sheet, &report->releases[n]);
                    csv_point(sheet, &figures->points[p]);
                    csv_text(sheet, figures->attributes[a].attribute->name);
                    csv_text(sheet, group->label);
                    csv_count(sheet, group->subjects);
                    csv_count(sheet, group->samples);
                    csv_count(sheet, group->excluded);
                    csv_count(sheet, group->mated_subjects);
                    const assay_group_point *point = &group->points[p];
                    csv_rate(sheet, group->fte);
                    csv_interval(sheet, &group->fte_interval);
                    csv_rate(sheet, point->fmr);
                    csv_interval(sheet, &point->fmr_interval);
                    csv_dependence(sheet, &point->fmr_interval);
                    csv_rate(sheet, point->fnmr);
                    csv_interval(sheet, &point->fnmr_interval);
                    csv_rate(sheet, point->gfnmr);
                    csv_interval(sheet, &point->gfnmr_interval);
                    cells_verdict(sheet, point, ASSAY_ERROR_FMR);
                    cells_verdict(sheet, point, ASSAY_ERROR_FNMR);
                    csv_end_line(sheet);
                }
    }
}

/* A measure as seven cells. */
static void line_of_measure(csv_sheet *sheet, const assay_report_release *release,
                            const assay_attribute_figures *attribute, uint32_t point,
                            const char *name, const double *values) {
    csv_release(sheet, release);
    csv_point(sheet, &release->figures.points[point]);
    csv_text(sheet, attribute->attribute->name);
    csv_text(sheet, name);
    for (int n = 0; n < 6; ++n) {
        if (isinf(values[n]))
            csv_text(sheet, "inf");
        else
            csv_number(sheet, values[n]);
    }
    csv_end_line(sheet);
}

#define LINE(name, of, field)                                                                      \
    line_of_measure(sheet, release, attribute, p, name,                                            \
                    (const double[]){(of)->value.field, (of)->chance.mean.field,                   \
                                     (of)->chance.beyond.field, (of)->range.least.field,           \
                                     (of)->range.most.field, (of)->shrunk.field})
#define JOINT_LINE(name, of, field)                                                                \
    line_of_measure(sheet, release, attribute, p, name,                                            \
                    (const double[]){(of)->joint.field, (of)->joint_chance.mean.field,             \
                                     (of)->joint_chance.beyond.field, (of)->joint_least.field,     \
                                     (of)->joint_most.field, (of)->joint_shrunk.field})

void csv_differentials(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, CSV_POINT
                ",attribute,measure,value,by_chance,by_chance_5_percent_beyond,least,most,"
                "shrunk");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        for (uint32_t a = 0; a < release->figures.attribute_count; ++a)
            for (uint32_t p = 0; p < release->figures.point_count; ++p) {
                const assay_attribute_figures *attribute = &release->figures.attributes[a];
                const assay_differential *found = &attribute->differentials[p];
                const assay_error_inequity *fmr = &found->errors[ASSAY_ERROR_FMR];
                const assay_error_inequity *fnmr = &found->errors[ASSAY_ERROR_FNMR];
                if (!fmr->reason) LINE("fmr_max_min", fmr, max_min);
                if (!fmr->reason) LINE("fmr_max_geomean", fmr, max_geomean);
                if (!fmr->reason) LINE("fmr_gini", fmr, gini);
                if (!fmr->reason) LINE("fmr_difference", fmr, difference);
                if (!fnmr->reason) LINE("fnmr_max_min", fnmr, max_min);
                if (!fnmr->reason) LINE("fnmr_max_geomean", fnmr, max_geomean);
                if (!fnmr->reason) LINE("fnmr_gini", fnmr, gini);
                if (!fnmr->reason) LINE("fnmr_difference", fnmr, difference);
                if (found->joint_reason) continue;
                JOINT_LINE("fdr", found, fdr);
                JOINT_LINE("ir", found, ir);
                JOINT_LINE("garbe", found, garbe);
            }
    }
}

void csv_alike(const assay_report *report, csv_sheet *sheet) {
    csv_heading(sheet, CSV_POINT ",attribute," CSV_SURE_RATE("fmr") ",fmr_dependence");
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        for (uint32_t a = 0; a < figures->attribute_count; ++a)
            for (uint32_t p = 0; p < figures->point_count; ++p) {
                const assay_attribute_figures *attribute = &figures->attributes[a];
                csv_release(sheet, &report->releases[n]);
                csv_point(sheet, &figures->points[p]);
                csv_text(sheet, attribute->attribute->name);
                csv_rate(sheet, attribute->alike[p]);
                csv_interval(sheet, &attribute->alike_interval[p]);
                csv_dependence(sheet, &attribute->alike_interval[p]);
                csv_end_line(sheet);
            }
    }
}

void csv_group_pairs(const assay_report *report, csv_sheet *sheet) {
    static const char line[] = CSV_POINT ",attribute,a,b," CSV_SURE_RATE("fmr") ",fmr_dependence";
    csv_heading(sheet, line);
    for (size_t n = 0; n < report->count; ++n) {
        const assay_figures *figures = &report->releases[n].figures;
        for (uint32_t a = 0; a < figures->attribute_count; ++a) {
            const assay_attribute_figures *attribute = &figures->attributes[a];
            for (uint32_t c = 0; c < attribute->pair_count; ++c)
                for (uint32_t p = 0; p < figures->point_count; ++p) {
                    const assay_group_pair *pair = &attribute->pairs[c];
                    csv_release(sheet, &report->releases[n]);
                    csv_point(sheet, &figures->points[p]);
                    csv_text(sheet, attribute->attribute->name);
                    csv_text(sheet, attribute->groups[pair->a].label);
                    csv_text(sheet, attribute->groups[pair->b].label);
                    csv_rate(sheet, pair->fmr[p]);
                    csv_interval(sheet, &pair->fmr_interval[p]);
                    csv_dependence(sheet, &pair->fmr_interval[p]);
                    csv_end_line(sheet);
                }
        }
    }
}
