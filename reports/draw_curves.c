/* draw_curves -- the detection error trade-off of all releases, and the scores of one. */
#include <math.h>
#include <stdio.h>

#include "reports/plots.h"

/* ---- DET ---- */

static bool drawable(const assay_det_step *step) {
    double fmr = assay_rate_value(step->fmr), fnmr = assay_rate_value(step->fnmr);
    return fmr > 0 && fmr < 0.9995 && fnmr > 0 && fnmr < 0.9995;
}

typedef struct {
    double fmr_low, fmr_high, fnmr_low, fnmr_high;
} det_range;

static det_range find_det_range(const assay_report *report) {
    det_range range = {1, 0, 1, 0};
    for (size_t n = 0; n < report->count; ++n)
        for (size_t s = 0; s < report->releases[n].curves.det_count; ++s) {
            const assay_det_step *step = &report->releases[n].curves.det[s];
            double fmr = assay_rate_value(step->fmr), fnmr = assay_rate_value(step->fnmr);
            if (!drawable(step)) continue;
            range.fmr_low = fmin(range.fmr_low, fmr);
            range.fmr_high = fmax(range.fmr_high, fmr);
            range.fnmr_low = fmin(range.fnmr_low, fnmr);
            range.fnmr_high = fmax(range.fnmr_high, fnmr);
        }
    range.fmr_low *= 0.7;
    range.fnmr_low *= 0.8;
    range.fmr_high = fmin(fmax(range.fmr_high, range.fmr_low * 4) * 1.1, 0.5);
    range.fnmr_high = fmin(fmax(range.fnmr_high, range.fnmr_low * 4) * 1.1, 0.9995);
    return range;
}

/* Columns: FMR, lower and upper limit of FNMR, as far as the axis goes. */
static assay_status write_det_band(const assay_report *report, size_t index,
                                   const det_range *range) {
    const assay_report_release *release = &report->releases[index];
    assay_text data = {0};
    assay_text_append(&data, "FMR\tlow\thigh\n");
    for (size_t s = 0; s < release->curves.det_count; ++s) {
        const assay_det_step *step = &release->curves.det[s];
        if (!drawable(step) || !step->marked || step->fnmr_interval.reason) continue;
        assay_plot_number(&data, assay_rate_value(step->fmr));
        assay_text_append(&data, "\t");
        assay_plot_number(&data, fmax(step->fnmr_interval.low, range->fnmr_low));
        assay_text_append(&data, "\t");
        assay_plot_number(&data, fmin(step->fnmr_interval.high, range->fnmr_high));
        assay_text_append(&data, "\n");
    }
    assay_status status = assay_plot_data(report, "det", report->count + index + 1, &data);
    assay_text_free(&data);
    return status;
}

/* Columns: FMR, FNMR, FNMR again where 30 errors of either kind stand behind it, and a column that
 * is there for the series' name in the first line: gnuplot takes the key's words from it. */
static assay_status write_det_series(const assay_report *report, size_t index) {
    const assay_report_release *release = &report->releases[index];
    const assay_operating_point *point = assay_headline(release);
    assay_text data = {0};
    assay_text_append(&data, "FMR\tFNMR\treliable\t");
    assay_plot_label(&data, release->name);
    if (!point->fnmr.reason)
        assay_text_appendf(&data, "   %.3g %%", 100 * assay_rate_value(point->fnmr));
    assay_text_append(&data, "\n");
    for (size_t s = 0; s < release->curves.det_count; ++s) {
        const assay_det_step *step = &release->curves.det[s];
        if (!drawable(step)) continue;
        bool few = step->fmr.errors < ASSAY_FEW_ERRORS || step->fnmr.errors < ASSAY_FEW_ERRORS;
        assay_plot_number(&data, assay_rate_value(step->fmr));
        assay_text_append(&data, "\t");
        assay_plot_number(&data, assay_rate_value(step->fnmr));
        assay_text_append(&data, "\t");
        assay_plot_number(&data, few ? (double)NAN : assay_rate_value(step->fnmr));
        assay_text_append(&data, "\t0.5\n");
    }
    assay_status status = assay_plot_data(report, "det", index + 1, &data);
    assay_text_free(&data);
    return status;
}

static void append_fmr_tics(assay_text *script, const char *axis, double low, double high) {
    const char *comma = "";
    assay_text_appendf(script, "set %stics (", axis);
    for (int exponent = (int)ceil(log10(low) - 1e-9); exponent < 0; ++exponent) {
        double at = pow(10, exponent);
        if (at > high) break;
        assay_text_appendf(script, "%s'", comma);
        assay_plot_power(script, at);
        assay_text_appendf(script, "' %.17g", at);
        comma = ", ";
    }
    if (high >= 0.4 && *axis == 'x') assay_text_appendf(script, "%s'0.4' 0.4", comma);
    if (high >= 1) assay_text_appendf(script, "%s'1' 1", comma);
    assay_text_append(script, ")\n");
}

static void append_fnmr_tics(assay_text *script, double low, double high) {
    static const double at[] = {1e-5, 1e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1,
                                0.2,  0.4,  0.6,  0.8,  0.9,  0.95, 0.98, 0.99};
    const char *comma = "";
    assay_text_append(script, "set ytics (");
    for (size_t n = 0; n < sizeof at / sizeof *at; ++n) {
        if (at[n] < low || at[n] > high) continue;
        assay_text_appendf(script, "%s'%g %%%%' %g", comma, at[n] * 100, at[n]);
        comma = ", ";
    }
    assay_text_append(script, ")\n");
}

/* The marks at the operating point, one a release; none where a rate is 0. */
static assay_status write_det_marks(const assay_report *report) {
    assay_text data = {0};
    for (size_t n = 0; n < report->count; ++n) {
        const assay_report_release *release = &report->releases[n];
        const assay_operating_point *point = assay_headline(release);
        double fmr = assay_rate_value(point->fmr), fnmr = assay_rate_value(point->fnmr);
        bool shown = fmr > 0 && fmr < 1 && fnmr > 0 && fnmr < 1;
        assay_plot_number(&data, shown ? fmr : (double)NAN);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, shown ? fnmr : (double)NAN);
        assay_text_append(&data, "\n");
    }
    assay_status status = assay_plot_data(report, "det", 0, &data);
    assay_text_free(&data);
    return status;
}

static void append_det_plot(const assay_report *report, assay_text *script) {
    size_t count = report->count;
    assay_text_append(script, "plot \\\n");
    for (size_t n = 0; n < count; ++n)
        assay_text_appendf(script,
                           " 'det-%zu.tsv' skip 1 using 1:2:3 with filledcurves lc rgb COLOUR[%zu] "
                           "fs transparent solid 0.13 noborder, \\\n",
                           count + n + 1, n % 6 + 1);
    for (size_t n = 0; n < count; ++n)
        assay_text_appendf(
            script, " 'det-%zu.tsv' skip 1 using 1:2 with lines lc rgb COLOUR[%zu] lw 0.9, \\\n",
            n + 1, n % 6 + 1);
    for (size_t n = 0; n < count; ++n)
        assay_text_appendf(script, " 'det-%zu.tsv' skip 1 using 1:3 with lines ls %zu, \\\n", n + 1,
                           n % 6 + 1);
    /* The entries of the key, with points that lie out of sight. */
    for (size_t n = 0; n < count; ++n)
        assay_text_appendf(
            script,
            " 'det-%zu.tsv' using (1e-300):4 with linespoints ls %zu title columnheader(4), "
            "\\\n",
            n + 1, n % 6 + 1);
    for (size_t n = 0; n < count; ++n)
        assay_text_appendf(script,
                           " 'det-0.tsv' using 1:2 every ::%zu::%zu with points ls %zu ps 1.2%s\n",
                           n, n, n % 6 + 1, n + 1 < count ? ", \\" : "");
}

assay_status assay_draw_det(assay_report *report, assay_text *out_svg) {
    det_range range = find_det_range(report);
    if (!(range.fmr_high > range.fmr_low) || !(range.fnmr_high > range.fnmr_low)) return ASSAY_OK;
    assay_status status = write_det_marks(report);
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = write_det_series(report, n);
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = write_det_band(report, n, &range);
    if (status != ASSAY_OK) return status;
    const assay_report_release *subject = assay_report_subject(report);
    const assay_operating_point *point = assay_headline(subject);
    assay_text script = {0};
    /* Ranges first: invnorm() of the default range is not a number. */
    assay_text_appendf(&script,
                       "set xrange [%.9g:%.9g]; set yrange [%.9g:%.9g]\n"
                       "set nonlinear x via invnorm(x) inverse norm(x)\n"
                       "set nonlinear y via invnorm(y) inverse norm(y)\n"
                       "set lmargin at screen 0.09; set rmargin at screen 0.98\n"
                       "set tmargin at screen 0.98; set bmargin at screen 0.125\n",
                       range.fmr_low, range.fmr_high, range.fnmr_low, range.fnmr_high);
    append_fmr_tics(&script, "x", range.fmr_low, range.fmr_high);
    append_fnmr_tics(&script, range.fnmr_low, range.fnmr_high);
    assay_text_append(&script, "set xlabel 'False match rate (FMR), probit scale'\n"
                               "set ylabel 'False non-match rate (FNMR), probit scale' offset 1,0\n"
                               "set key top right Left reverse samplen 3.2 spacing 1.35 opaque\n"
                               "set key title 'Release, and FNMR at the operating point' left\n");
    if (point->fmr_target > range.fmr_low && point->fmr_target < range.fmr_high) {
        bool right =
            log(point->fmr_target / range.fmr_low) < log(range.fmr_high / range.fmr_low) / 2;
        assay_text_appendf(
            &script,
            "set arrow 1 from %.17g,graph 0 to %.17g,graph 1 nohead lc rgb AXIS lw 1.2 "
            "dt 3 back\nset label 4 'FMR = ",
            point->fmr_target, point->fmr_target);
        assay_plot_power(&script, point->fmr_target);
        assay_text_appendf(&script, "' at %.17g,graph 0.03 offset %s tc rgb MUTE font ',12'\n",
                           point->fmr_target, right ? "0.8,0 left" : "-0.8,0 right");
    }
    append_det_plot(report, &script);
    status =
        assay_plot_draw(report, "det", 920, 560, &script, "Detection error trade-off",
                        "False non-match rate against false match rate, one curve a release; the "
                        "table below holds the same numbers.",
                        out_svg);
    assay_text_free(&script);
    return status;
}

/* ---- scores ---- */

/* Empty bins get a share below the axis, so that the outline goes down to it. */
static assay_status write_bars(const assay_report *report, const char *name, double below,
                               const assay_score_bars *bars) {
    assay_text data = {0};
    assay_text_append(&data, "low\tmated\tnon-mated\n");
    for (uint32_t b = 0; b <= bars->count; ++b) {
        bool behind = b == bars->count; /* closes the last step */
        double mated = behind ? 0 : (double)bars->mated[b] / (double)bars->mated_total;
        double non_mated = behind ? 0 : (double)bars->non_mated[b] / (double)bars->non_mated_total;
        assay_plot_number(&data, bars->low + b * bars->width);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, mated > 0 ? mated : below);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, non_mated > 0 ? non_mated : below);
        assay_text_append(&data, "\n");
    }
    assay_status status = assay_plot_data(report, name, 1, &data);
    assay_text_free(&data);
    return status;
}

static double peak(const assay_score_bars *bars, const uint64_t *counts, uint64_t total,
                   double *out_share) {
    uint32_t best = 0;
    for (uint32_t b = 1; b < bars->count; ++b)
        if (counts[b] > counts[best]) best = b;
    *out_share = total ? (double)counts[best] / (double)total : 0;
    return bars->low + (best + 0.5) * bars->width;
}

static double smallest_share(const assay_score_bars *bars) {
    double least = 1;
    if (bars->mated_total) least = fmin(least, 1.0 / (double)bars->mated_total);
    for (uint32_t b = 0; b < bars->count; ++b)
        if (bars->non_mated[b])
            least = fmin(least, (double)bars->non_mated[b] / (double)bars->non_mated_total);
    return least;
}

static void append_threshold(assay_text *script, const assay_report_release *release,
                             const assay_score_bars *bars) {
    const assay_operating_point *point = assay_headline(release);
    if (point->reason) return;
    double place = (point->threshold - bars->low) / (bars->width * bars->count);
    if (place < 0 || place > 1) return;
    assay_text_appendf(
        script,
        "set arrow 1 from %.17g,graph 0 to %.17g,graph 1 nohead lc rgb INK lw 1.4 dt (8,4) "
        "front\nset label 4 'threshold %.4g",
        point->threshold, point->threshold, point->threshold);
    if (point->kind == ASSAY_POINT_FMR_TARGET) {
        assay_text_append(script, " for FMR ");
        assay_plot_power(script, point->fmr_target);
    }
    assay_text_appendf(script, "' at %.17g,graph 0.96 offset %s tc rgb INK font ',12' front\n",
                       point->threshold, place > 0.6 ? "-0.8,0 right" : "0.8,0 left");
}

assay_status assay_draw_histogram(assay_report *report, size_t index, assay_text *out_svg) {
    const assay_report_release *release = &report->releases[index];
    const assay_score_bars *bars = &release->curves.bars;
    if (!bars->count || !bars->mated_total || !bars->non_mated_total) return ASSAY_OK;
    char name[32];
    snprintf(name, sizeof name, "scores-%zu", index + 1);
    double least = smallest_share(bars), mated_top, non_mated_top;
    assay_status status = write_bars(report, name, least / 20, bars);
    if (status != ASSAY_OK) return status;
    assay_text script = {0};
    double mated_at = peak(bars, bars->mated, bars->mated_total, &mated_top);
    double non_mated_at = peak(bars, bars->non_mated, bars->non_mated_total, &non_mated_top);
    /* Labels of peaks that are close together go to either side. */
    bool first = mated_at < non_mated_at;
    bool close = fabs(mated_at - non_mated_at) < 0.14 * bars->width * bars->count;
    double top = fmax(mated_top, non_mated_top) * 30;
    assay_text_appendf(&script,
                       "set lmargin at screen 0.09; set rmargin at screen 0.98\n"
                       "set tmargin at screen 0.98; set bmargin at screen 0.155\n"
                       "set xrange [%.17g:%.17g]; set logscale y; set yrange [%.9g:%.9g]\n",
                       bars->low, bars->low + bars->width * bars->count, least / 2, top);
    append_fmr_tics(&script, "y", least / 2, 1);
    assay_text_appendf(
        &script,
        "set xlabel 'Score (higher is more similar)'\n"
        "set ylabel 'Share of comparisons in a bin' offset 1,0\n"
        "set label 5 'non-mated' at %.17g,%.9g %s tc rgb COLOUR[2] font ':Bold,13' "
        "front\n"
        "set label 6 'mated' at %.17g,%.9g %s tc rgb COLOUR[1] font ':Bold,13' front\n",
        non_mated_at, non_mated_top * 2.2,
        !close  ? "center"
        : first ? "left"
                : "right",
        mated_at, mated_top * 2.2,
        !close  ? "center"
        : first ? "right"
                : "left");
    append_threshold(&script, release, bars);
    assay_text_appendf(
        &script,
        "w=%.17g\nplot '%s-1.tsv' skip 1 using ($1+w/2):3:(w) with boxes lc rgb COLOUR[2] fs "
        "transparent "
        "solid 0.22 noborder, \\\n"
        " '' skip 1 using ($1+w/2):2:(w) with boxes lc rgb COLOUR[1] fs transparent solid 0.22 "
        "noborder, \\\n"
        " '' skip 1 using 1:3 with steps lc rgb COLOUR[2] lw 1.8, \\\n"
        " '' skip 1 using 1:2 with steps lc rgb COLOUR[1] lw 1.8\n",
        bars->width, name);
    status = assay_plot_draw(report, name, 920, 420, &script,
                             "Scores of mated and non-mated comparisons",
                             "Share of comparisons by score on a logarithmic axis; the file "
                             "tables/histograms.csv holds the same numbers.",
                             out_svg);
    assay_text_free(&script);
    return status;
}
