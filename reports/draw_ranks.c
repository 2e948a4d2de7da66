/* draw_ranks -- at which rank mates are found, in one gallery of everybody. */
#include <math.h>
#include <stdio.h>

#include "reports/plots.h"

static const assay_cmc *curve_of(const assay_report *report, size_t release) {
    const assay_galleries *galleries = &report->releases[release].galleries;
    return galleries->curve_count ? &galleries->curves[0] : NULL;
}

/* Columns: rank, share of mates, lower and upper limit, and a column that is there for the series'
 * name in the first line. */
static assay_status write_curve(const assay_report *report, size_t index) {
    const assay_cmc *curve = curve_of(report, index);
    assay_text data = {0};
    assay_text_append(&data, "rank\tshare\tlow\thigh\t");
    assay_plot_label(&data, report->releases[index].name);
    assay_text_append(&data, "\n");
    for (uint64_t rank = 0; curve && rank < curve->rank_count; ++rank) {
        const assay_recognition *at = &curve->ranks[rank];
        const bool sure = !at->interval.reason;
        assay_text_appendf(&data, "%llu\t", (unsigned long long)rank + 1);
        assay_plot_number(&data, at->value);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, sure ? at->interval.low : (double)NAN);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, sure ? at->interval.high : (double)NAN);
        assay_text_append(&data, "\t0.5\n");
    }
    if (!curve) assay_text_append(&data, "nan\tnan\tnan\tnan\tnan\n");
    assay_status status = assay_plot_data(report, "ranks", index + 1, &data);
    assay_text_free(&data);
    return status;
}

static void find_range(const assay_report *report, double *out_low, double *out_most) {
    double low = 1, most = 2;
    for (size_t n = 0; n < report->count; ++n) {
        const assay_cmc *curve = curve_of(report, n);
        if (!curve || !curve->rank_count) continue;
        const assay_recognition *first = &curve->ranks[0];
        low = fmin(low, first->interval.reason ? first->value : first->interval.low);
        most = fmax(most, (double)curve->rank_count);
    }
    *out_low = fmax(floor(low * 20 - 0.5) / 20, 0);
    *out_most = most;
}

static void append_rank_tics(assay_text *script, double most) {
    static const int at[] = {1, 2, 3, 5, 10, 20, 30, 50, 100};
    const char *comma = "";
    assay_text_append(script, "set xtics (");
    for (size_t n = 0; n < sizeof at / sizeof *at && at[n] <= most; ++n) {
        assay_text_appendf(script, "%s'%d' %d", comma, at[n], at[n]);
        comma = ", ";
    }
    assay_text_append(script, ")\n");
}

assay_status assay_draw_ranks(assay_report *report, assay_text *out_svg) {
    double low, most;
    assay_text script = {0};
    assay_status status = ASSAY_OK;
    find_range(report, &low, &most);
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = write_curve(report, n);
    if (status != ASSAY_OK) return status;
    assay_text_appendf(&script,
                       "set logscale x; set xrange [0.95:%.9g]; set yrange [%.9g:%.9g]\n"
                       "set lmargin at screen 0.09; set rmargin at screen 0.98\n"
                       "set tmargin at screen 0.97; set bmargin at screen 0.155\n"
                       "set format y '%%g %%%%'\n"
                       "set xlabel 'Rank, and all before it (logarithmic)'\n"
                       "set ylabel 'Mates that are found' offset 1,0\n"
                       "set key bottom right Left reverse samplen 3.2 spacing 1.35 opaque\n",
                       most * 1.05, 100 * low, 100 + 2 * (1 - low));
    append_rank_tics(&script, most);
    assay_text_append(&script, "plot \\\n");
    for (size_t n = 0; n < report->count; ++n)
        assay_text_appendf(
            &script,
            " 'ranks-%zu.tsv' skip 1 using 1:($3*100):($4*100) with filledcurves lc rgb "
            "COLOUR[%zu] "
            "fs transparent solid 0.13 noborder, \\\n"
            " 'ranks-%zu.tsv' skip 1 using 1:($2*100) with linespoints ls %zu ps 0.6, \\\n"
            " 'ranks-%zu.tsv' using (0.5):5 with linespoints ls %zu title columnheader(5)%s\n",
            n + 1, n % 6 + 1, n + 1, n % 6 + 1, n + 1, n % 6 + 1,
            n + 1 < report->count ? ", \\" : "");
    status = assay_plot_draw(report, "ranks", 920, 420, &script, "Mates by rank",
                             "Share of mates that are found among the first so many people of one "
                             "gallery of everybody, one curve a release; the table below holds the "
                             "same numbers.",
                             out_svg);
    assay_text_free(&script);
    return status;
}
