/* draw_groups -- rates of groups as dots at one common threshold, and of pairs of groups as a map.
 */
#include <math.h>
#include <stdio.h>

#include "datasets/base/memory.h"
#include "reports/plots.h"

assay_rate assay_dots_rate(const assay_report_release *release, const assay_group *group,
                           assay_dots_kind kind) {
    if (kind == ASSAY_DOTS_FTE) return group->fte;
    const assay_group_point *point = assay_headline_of(release, group);
    return kind == ASSAY_DOTS_FMR ? point->fmr : point->fnmr;
}

const assay_interval *assay_dots_interval(const assay_report_release *release,
                                          const assay_group *group, assay_dots_kind kind) {
    if (kind == ASSAY_DOTS_FTE) return &group->fte_interval;
    const assay_group_point *point = assay_headline_of(release, group);
    return kind == ASSAY_DOTS_FMR ? &point->fmr_interval : &point->fnmr_interval;
}

bool assay_dots_few(const assay_group *group, assay_dots_kind kind) {
    return (kind == ASSAY_DOTS_FNMR ? group->mated_subjects : group->subjects) < ASSAY_FEW_SUBJECTS;
}

/* Number of groups with a lower rate, or as low and before it. */
static uint32_t rank_of(const assay_report_release *release,
                        const assay_attribute_figures *attribute, assay_dots_kind kind,
                        uint32_t group) {
    double own = assay_rate_value(assay_dots_rate(release, &attribute->groups[group], kind));
    uint32_t rank = 0;
    for (uint32_t g = 0; g < attribute->group_count; ++g) {
        assay_rate rate = assay_dots_rate(release, &attribute->groups[g], kind);
        if (rate.reason || assay_dots_few(&attribute->groups[g], kind)) continue;
        double value = assay_rate_value(rate);
        rank += value < own || (value == own && g < group);
    }
    return rank;
}

uint32_t assay_dots_shown(const assay_report *report, uint32_t index, assay_dots_kind kind,
                          uint32_t out[ASSAY_DOTS_MOST]) {
    const assay_report_release *release = assay_report_subject(report);
    const assay_attribute_figures *attribute = &release->figures.attributes[index];
    uint32_t count = attribute->group_count, large = 0, kept = 0;
    for (uint32_t g = 0; g < count; ++g)
        large += !assay_dots_few(&attribute->groups[g], kind) &&
                 !assay_dots_rate(release, &attribute->groups[g], kind).reason;
    for (uint32_t g = 0; g < count && kept < ASSAY_DOTS_MOST; ++g) {
        const assay_group *group = &attribute->groups[g];
        bool small = assay_dots_few(group, kind) || assay_dots_rate(release, group, kind).reason;
        if (count > ASSAY_DOTS_MOST) {
            if (small) continue;
            uint32_t rank = rank_of(release, attribute, kind, g);
            if (rank >= ASSAY_DOTS_MOST / 2 && rank + ASSAY_DOTS_MOST / 2 < large) continue;
        }
        out[kept++] = g;
    }
    return kept;
}

static assay_rate overall_rate(const assay_report_release *release, assay_dots_kind kind) {
    const assay_operating_point *point = assay_headline(release);
    return kind == ASSAY_DOTS_FTE   ? release->figures.fte
           : kind == ASSAY_DOTS_FMR ? point->fmr
                                    : point->fnmr;
}

static const assay_interval *overall_interval(const assay_report_release *release,
                                              assay_dots_kind kind) {
    const assay_operating_point *point = assay_headline(release);
    return kind == ASSAY_DOTS_FTE   ? &release->figures.fte_interval
           : kind == ASSAY_DOTS_FMR ? &point->interval.fmr
                                    : &point->interval.fnmr;
}

/* FMR is drawn on a logarithmic axis, where 0 has no place: a group without an error stands at its
 * low end, hollow. The other rates are drawn from 0. An arrow goes from a hollow mark to the upper
 * limit, and from the lower limit where the upper one lies beyond the axis. */
typedef struct {
    const assay_report *report;
    uint32_t attribute;
    assay_dots_kind kind;
    bool logarithmic;
    double low, high;
    size_t label_width;
    uint32_t shown[ASSAY_DOTS_MOST], count; /* groups, down the page */
} dots_job;

#define WHOLE_AXIS 0.4       /* an axis that goes so far goes on to 100 % */
#define REACH_LINEAR 5       /* the axis goes to so many times the highest rate, */
#define REACH_LOGARITHMIC 30 /* and down to so much less than the lowest */

/* What the axis has to show, of everybody and of groups that are not small: rates, and limits as
 * far as it may reach. */
typedef struct {
    double least, most;     /* of rates above 0 */
    double lowest, highest; /* of limits */
} dots_extent;

static void extend(dots_extent *extent, assay_rate rate, const assay_interval *interval) {
    double value = assay_rate_value(rate);
    if (!rate.reason && value > 0) {
        extent->least = fmin(extent->least, value);
        extent->most = fmax(extent->most, value);
    }
    if (interval->reason) return;
    if (interval->low > 0) extent->lowest = fmin(extent->lowest, interval->low);
    extent->highest = fmax(extent->highest, interval->high);
    if (!(interval->low > 0)) extent->lowest = fmin(extent->lowest, interval->high);
}

static void set_axis(dots_job *job, const dots_extent *extent) {
    double reach = job->logarithmic ? REACH_LOGARITHMIC : REACH_LINEAR;
    double low = extent->least, high = extent->most;
    if (extent->highest > 0)
        high = high > 0 ? fmax(high, fmin(extent->highest, high * reach)) : extent->highest;
    if (isfinite(extent->lowest))
        low = isfinite(low) ? fmin(low, fmax(extent->lowest, low / reach)) : extent->lowest;
    job->low = job->logarithmic ? low / 2 : 0;
    job->high = job->logarithmic    ? fmin(high * 1.5, 1)
                : high > WHOLE_AXIS ? 1.02
                                    : fmax(high * 1.08, 1e-4);
}

static void measure(dots_job *job) {
    dots_extent extent = {(double)INFINITY, 0, (double)INFINITY, 0};
    for (size_t n = 0; n < job->report->count; ++n) {
        const assay_report_release *release = &job->report->releases[n];
        const assay_attribute_figures *attribute = &release->figures.attributes[job->attribute];
        for (uint32_t g = 0; g <= attribute->group_count; ++g) {
            bool all = g == attribute->group_count;
            assay_rate rate = all ? overall_rate(release, job->kind)
                                  : assay_dots_rate(release, &attribute->groups[g], job->kind);
            if (!all) {
                size_t width = assay_plot_label_width(attribute->groups[g].label);
                if (width > job->label_width) job->label_width = width;
            }
            if (all)
                extend(&extent, rate, overall_interval(release, job->kind));
            else if (!assay_dots_few(&attribute->groups[g], job->kind))
                extend(&extent, rate,
                       assay_dots_interval(release, &attribute->groups[g], job->kind));
        }
    }
    set_axis(job, &extent);
}

static double zero_place(const dots_job *job) {
    return job->logarithmic ? job->low * pow(job->high / job->low, 0.012) : 0;
}

/* Columns: ends of a line, and of an arrow whose head is at its second end. */
static void append_whisker(const dots_job *job, assay_rate rate, const assay_interval *interval,
                           assay_text *data) {
    double ends[4] = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
    if (!rate.reason && !interval->reason) {
        bool beyond = interval->high > job->high;
        double *pair = rate.errors == 0 || beyond ? ends + 2 : ends;
        pair[0] = rate.errors == 0 ? zero_place(job) : fmax(interval->low, zero_place(job));
        pair[1] = fmin(interval->high, job->high);
    }
    for (int n = 0; n < 4; ++n) {
        assay_text_append(data, "\t");
        assay_plot_number(data, ends[n]);
    }
}

/* Columns: place down the page, value, place of a zero, "errors / trials", and the whisker's. */
static assay_status write_dots(const dots_job *job, const char *name, size_t index) {
    const assay_report_release *release = &job->report->releases[index];
    const assay_attribute_figures *attribute = &release->figures.attributes[job->attribute];
    double step = 0.8 / (double)job->report->count;
    double shift = step * ((double)index - ((double)job->report->count - 1) / 2);
    assay_text data = {0};
    for (uint32_t n = 0; n < job->count; ++n) {
        uint32_t g = job->shown[n];
        assay_rate rate = assay_dots_rate(release, &attribute->groups[g], job->kind);
        bool none = rate.reason || rate.errors == 0;
        bool few = assay_dots_few(&attribute->groups[g], job->kind);
        assay_plot_number(&data, n + shift);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, none || few ? (double)NAN : assay_rate_value(rate));
        assay_text_append(&data, "\t");
        assay_plot_number(&data, none && !few && !rate.reason ? zero_place(job) : (double)NAN);
        assay_text_append(&data, "\t");
        if (rate.reason && rate.trials) {
            assay_text_append(&data, "not known");
        } else {
            char errors[ASSAY_NUMBER_SIZE], trials[ASSAY_NUMBER_SIZE];
            assay_text_appendf(&data, "%s / %s", assay_print_count(errors, rate.errors),
                               assay_print_count(trials, rate.trials));
        }
        append_whisker(job, rate, assay_dots_interval(release, &attribute->groups[g], job->kind),
                       &data);
        assay_text_append(&data, "\n");
    }
    assay_status status = assay_plot_data(job->report, name, index + 1, &data);
    assay_text_free(&data);
    return status;
}

/* Columns: place, label, and a column a release, which is there for its name in the first line:
 * gnuplot takes the key's words from it, and draws its points out of sight. */
static assay_status write_dot_labels(const dots_job *job, const char *name) {
    const assay_attribute_figures *attribute =
        &job->report->releases[0].figures.attributes[job->attribute];
    assay_text data = {0};
    assay_text_append(&data, "place\tgroup");
    for (size_t n = 0; n < job->report->count; ++n) {
        assay_text_append(&data, "\t");
        assay_plot_label(&data, job->report->releases[n].name);
    }
    assay_text_append(&data, "\n");
    for (uint32_t g = 0; g < job->count; ++g) {
        assay_text_appendf(&data, "%u\t", g);
        assay_plot_label(&data, attribute->groups[job->shown[g]].label);
        for (size_t n = 0; n < job->report->count; ++n) assay_text_append(&data, "\t0");
        assay_text_append(&data, "\n");
    }
    assay_status status = assay_plot_data(job->report, name, 0, &data);
    assay_text_free(&data);
    return status;
}

static void append_dots_axis(const dots_job *job, assay_text *script) {
    static const char *const titles[] = {[ASSAY_DOTS_FMR] =
                                             "False match rate within the group, log scale",
                                         [ASSAY_DOTS_FNMR] = "False non-match rate",
                                         [ASSAY_DOTS_FTE] = "Failure to enrol"};
    assay_text_appendf(script, "set xlabel '%s'\nset xrange [%.9g:%.9g]\n", titles[job->kind],
                       job->low, job->high);
    if (!job->logarithmic) {
        assay_text_append(script, "set format x '%g %%'\n");
        double step = pow(10, floor(log10(job->high)));
        step = job->high / step < 2 ? step / 5 : job->high / step < 5 ? step / 2 : step;
        const char *comma = "";
        assay_text_append(script, "set xtics (");
        for (int n = 0; n * step <= job->high; ++n) {
            assay_text_appendf(script, "%s'%.4g %%%%' %.9g", comma, 100 * n * step, n * step);
            comma = ", ";
        }
        assay_text_append(script, ")\n");
        return;
    }
    double decades = log10(job->high / job->low);
    static const double mantissas[] = {1, 2, 5};
    const char *comma = "";
    assay_text_append(script, "set logscale x\nset xtics (");
    for (int exponent = (int)floor(log10(job->low)); exponent <= 0; ++exponent)
        for (int m = 0; m < (decades > 2.5 ? 1 : 3); ++m) {
            double at = mantissas[m] * pow(10, exponent);
            if (at < job->low || at > job->high) continue;
            assay_text_appendf(script, "%s'", comma);
            assay_plot_power(script, at);
            assay_text_appendf(script, "' %.9g", at);
            comma = ", ";
        }
    assay_text_append(script, ")\n");
}

static void append_dots_overall(const dots_job *job, assay_text *script) {
    assay_rate rate = overall_rate(assay_report_subject(job->report), job->kind);
    double at = assay_rate_value(rate);
    if (rate.reason || !(at > job->low || !job->logarithmic) || at > job->high) return;
    double place =
        job->logarithmic ? log(at / job->low) / log(job->high / job->low) : at / job->high;
    assay_text_appendf(
        script,
        "set arrow 1 from %.17g,graph 0 to %.17g,graph 1 nohead lc rgb MUTE lw 1.3 dt "
        "(8,4) back\n"
        "set label 4 '%s' at %.17g,graph 1 offset 0,0.7 %s tc rgb MUTE font ',12'\n",
        at, at,
        job->kind == ASSAY_DOTS_FTE   ? "all samples"
        : job->kind == ASSAY_DOTS_FMR ? "all pairs"
                                      : "everybody",
        at, place < 0.08 ? "left" : "center");
}

static void append_dots_plot(const dots_job *job, const char *name, assay_text *script) {
    size_t count = job->report->count;
    assay_text_appendf(script,
                       "plot '%s-0.tsv' skip 1 using (%.9g):1:2 with labels right offset -1,0 "
                       "tc rgb INK font ',12.5', \\\n",
                       name, job->low);
    for (size_t n = 0; n < count; ++n) {
        unsigned line = n % 6 + 1;
        assay_text_appendf(
            script,
            " '%s-%zu.tsv' using 5:1:($6-$5):(0) with vectors nohead lc rgb COLOUR[%u] lw 1.6, \\\n"
            " '' using 7:1:($8-$7):(0) with vectors head filled size screen 0.010,20 lc rgb "
            "COLOUR[%u] lw 1.6, \\\n"
            " '' using 2:1 with points ls %u ps 1.1, \\\n",
            name, n + 1, line, line, line);
        assay_text_appendf(
            script,
            " '' using 3:1 with points pt 6 ps 1.2 lw 1.6 lc rgb COLOUR[%u], \\\n"
            " '' using (%.9g):1:4 with labels right offset screen 0.185,0 tc rgb %s font ',12'%s\n",
            line, job->high, n + 1 == count ? "INK" : "MUTE",
            count > 1 || n + 1 < count ? ", \\" : "");
    }
    for (size_t n = 0; count > 1 && n < count; ++n)
        assay_text_appendf(script,
                           " '%s-0.tsv' using (%.9g):%zu with points ls %zu ps 1.1 title "
                           "columnheader(%zu)%s\n",
                           name, job->high * 1e6, n + 3, n % 6 + 1, n + 3,
                           n + 1 < count ? ", \\" : "");
}

assay_status assay_draw_dots(assay_report *report, uint32_t attribute, assay_dots_kind kind,
                             assay_text *out_svg) {
    static const char *const kinds[] = {
        [ASSAY_DOTS_FMR] = "fmr", [ASSAY_DOTS_FNMR] = "fnmr", [ASSAY_DOTS_FTE] = "fte"};
    dots_job job = {.report = report,
                    .attribute = attribute,
                    .kind = kind,
                    .logarithmic = kind == ASSAY_DOTS_FMR};
    job.count = assay_dots_shown(report, attribute, kind, job.shown);
    measure(&job);
    if (!job.count || !(job.high > job.low)) return ASSAY_OK;
    char name[48];
    snprintf(name, sizeof name, "%s-by-attribute-%u", kinds[kind], attribute + 1);
    assay_status status = write_dot_labels(&job, name);
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = write_dots(&job, name, n);
    if (status != ASSAY_OK) return status;
    uint32_t groups = job.count;
    bool several = report->count > 1;
    unsigned pitch = (unsigned)(14 + 16 * report->count), width = 920;
    unsigned key_rows = (unsigned)(report->count + 2) / 3;
    unsigned top = several ? 38 + 20 * key_rows : 36, bottom = 66,
             height = top + bottom + pitch * groups;
    double left = (24 + 7.6 * (double)job.label_width) / width;
    assay_text script = {0};
    assay_text_appendf(
        &script,
        "set lmargin at screen %.4f; set rmargin at screen 0.80\n"
        "set tmargin at screen %.4f; set bmargin at screen %.4f\n"
        "set border 1; set yrange [%g:-0.5]; unset ytics\n"
        "set grid noytics xtics lc rgb GRID lw 1 dt 1\n"
        "set key at screen 0.02,%.4f left top horizontal Left reverse samplen 1 width 2 maxrows "
        "%u\n"
        "set label 6 'errors / trials' at screen 0.985,graph 1 offset 0,0.7 right tc rgb MUTE "
        "font ',12'\n",
        fmax(left, 0.06), 1 - (double)top / height, (double)bottom / height, groups - 0.5,
        1 - 6.0 / height, key_rows);
    append_dots_axis(&job, &script);
    append_dots_overall(&job, &script);
    append_dots_plot(&job, name, &script);
    status = assay_plot_draw(report, name, width, height, &script, "Rates by group",
                             "One row a group, one mark a release; the table below holds the same "
                             "numbers.",
                             out_svg);
    assay_text_free(&script);
    return status;
}

/* ---- the map of pairs of groups ---- */

/* Columns: x, y, log10 of FMR or NaN, text, colour of the text. Both halves are written. */
static assay_status write_heat(const assay_report *report, const char *name,
                               const assay_attribute_figures *attribute, uint32_t headline,
                               double low, double high) {
    assay_text data = {0}, labels = {0};
    for (uint32_t a = 0; a < attribute->group_count; ++a) {
        assay_text_appendf(&labels, "%u\t", a);
        assay_plot_label(&labels, attribute->groups[a].label);
        assay_text_append(&labels, "\n");
        for (uint32_t b = 0; b < attribute->group_count; ++b) {
            assay_rate rate =
                attribute->pairs[assay_group_pair_index(attribute, a, b)].fmr[headline];
            bool few = rate.reason || rate.errors < ASSAY_FEW_CELL_ERRORS;
            double value = few ? (double)NAN : log10(assay_rate_value(rate));
            assay_text_appendf(&data, "%u\t%u\t", a, b);
            assay_plot_number(&data, value);
            bool dark = !few && (value - low) / (high - low) > 0.55;
            if (few)
                assay_text_appendf(&data, "\t%s\t0x6b7480\n",
                                   rate.reason && !rate.trials ? "–"
                                   : rate.reason               ? "?"
                                                               : "< 10");
            else
                assay_text_appendf(&data, "\t%s%.1f\t%s\n", value > -0.05 ? "" : "−", fabs(value),
                                   dark ? "0xfefefe" : "0x10151c");
        }
    }
    assay_status status = assay_plot_data(report, name, 1, &data);
    if (status == ASSAY_OK) status = assay_plot_data(report, name, 0, &labels);
    assay_text_free(&data);
    assay_text_free(&labels);
    return status;
}

static bool heat_range(const assay_attribute_figures *attribute, uint32_t headline, double *low,
                       double *high) {
    *low = (double)INFINITY;
    *high = -(double)INFINITY;
    for (uint32_t n = 0; n < attribute->pair_count; ++n) {
        assay_rate rate = attribute->pairs[n].fmr[headline];
        if (rate.reason || rate.errors < ASSAY_FEW_CELL_ERRORS) continue;
        *low = fmin(*low, log10(assay_rate_value(rate)));
        *high = fmax(*high, log10(assay_rate_value(rate)));
    }
    if (!(*low <= *high)) return false;
    *low = floor(*low);
    *high = ceil(*high);
    if (*high - *low < 1) *low = *high - 1;
    return true;
}

static void append_heat_scale(assay_text *script, double low, double high) {
    assay_text_append(
        script,
        "set palette defined (0 '#f7fbff', 1 '#deebf7', 2 '#c6dbef', 3 '#9ecae1', 4 '#6baed6', "
        "5 '#4292c6', 6 '#2171b5', 7 '#08519c', 8 '#08306b', 9 '#041a3d') maxcolors 40\n");
    assay_text_appendf(script, "set cbrange [%g:%g]\nset cbtics (", low, high);
    const char *comma = "";
    for (int exponent = (int)ceil(low); exponent <= (int)floor(high); ++exponent) {
        assay_text_appendf(script, "%s'", comma);
        assay_plot_power(script, pow(10, exponent));
        assay_text_appendf(script, "' %d", exponent);
        comma = ", ";
    }
    assay_text_append(script, ") font ',12' textcolor rgb MUTE\n");
}

assay_status assay_draw_heat(assay_report *report, uint32_t index, assay_text *out_svg) {
    const assay_report_release *release = assay_report_subject(report);
    const assay_attribute_figures *attribute = &release->figures.attributes[index];
    uint32_t groups = attribute->group_count;
    double low, high;
    if (attribute->pairs_reason || groups < 2 ||
        !heat_range(attribute, release->headline, &low, &high))
        return ASSAY_OK;
    char name[48];
    snprintf(name, sizeof name, "fmr-pairs-of-attribute-%u", index + 1);
    assay_status status = write_heat(report, name, attribute, release->headline, low, high);
    if (status != ASSAY_OK) return status;
    size_t widest = 1;
    for (uint32_t g = 0; g < groups; ++g) {
        size_t width = assay_plot_label_width(attribute->groups[g].label);
        if (width > widest) widest = width;
    }
    double cell = fmin(fmax(600.0 / groups, 12), 74), map = cell * groups;
    double left = 24 + 7.6 * (double)widest, top = 18 + 5.4 * (double)widest;
    double right = fmax(110, 5.8 * (double)widest), width = left + map + right,
           height = top + map + 16;
    assay_text script = {0};
    assay_text_appendf(&script,
                       "set lmargin at screen %.5f; set rmargin at screen %.5f\n"
                       "set tmargin at screen %.5f; set bmargin at screen %.5f\n"
                       "unset grid; unset border; set tics scale 0; unset xtics; unset ytics\n"
                       "set xrange [-0.5:%g]; set yrange [%g:-0.5]\n"
                       "set colorbox user origin screen %.5f,%.5f size screen %.5f,%.5f noborder\n"
                       "set label 4 'FMR' at screen %.5f,%.5f left tc rgb INK font ',12'\n",
                       left / width, (left + map) / width, (16 + map) / height, 16 / height,
                       groups - 0.5, groups - 0.5, (left + map + 22) / width, 16 / height,
                       16 / width, fmin(map - 24, 300) / height, (left + map + 22) / width,
                       (16 + fmin(map - 24, 300) + 14) / height);
    append_heat_scale(&script, low, high);
    assay_text_appendf(&script,
                       "w=%g\nplot '%s-1.tsv' using 1:2:($1-w):($1+w):($2-w):($2+w) with "
                       "boxxyerror fc rgb '#eceef1' fs "
                       "solid 1.0 noborder, \\\n"
                       " '' using 1:2:($1-w):($1+w):($2-w):($2+w):3 with boxxyerror fc palette fs "
                       "solid 1.0 noborder, "
                       "\\\n",
                       cell < 20 ? 0.5 : 0.485, name);
    if (cell >= 34)
        assay_text_append(&script,
                          " '' using 1:2:4:5 with labels tc rgb variable font ',12', \\\n");
    const char *size = cell < 20 ? "9" : "12";
    assay_text_appendf(
        &script,
        " '%s-0.tsv' using (-0.5):1:2 with labels right offset -0.8,0 tc rgb INK font "
        "',%s', \\\n"
        " '' using 1:(-0.5):2 with labels left rotate by 38 offset 0,0.5 tc rgb INK font "
        "',%s'\n",
        name, size, size);
    status =
        assay_plot_draw(report, name, (unsigned)width, (unsigned)height, &script,
                        "False match rate by pair of groups",
                        "A map of pairs of groups, darker where the false match rate is higher; "
                        "the table below holds the same numbers.",
                        out_svg);
    assay_text_free(&script);
    return status;
}
