/* draw_discard -- error versus discard of all releases. */
#include <math.h>
#include <stdio.h>

#include "reports/plots.h"

#define DRAWN_TO 0.5 /* share of discarded comparisons */

static const assay_discard_curve *curve_of(const assay_report *report, size_t release) {
    return &report->releases[release].quality.fnmr_lower;
}

static double highest(const assay_report *report) {
    double most = 0;
    for (size_t n = 0; n < report->count; ++n) {
        const assay_discard_curve *curve = curve_of(report, n);
        for (size_t s = 0; s < curve->count; ++s)
            if (curve->steps[s].discarded <= DRAWN_TO) most = fmax(most, curve->steps[s].rate);
    }
    return most;
}

/* Columns: share discarded, FNMR among the rest, the same where 30 errors are left, and a column
 * that is there for the series' name in the first line. */
static assay_status write_curve(const assay_report *report, size_t index) {
    const assay_discard_curve *curve = curve_of(report, index);
    assay_text data = {0};
    assay_text_append(&data, "discarded\tFNMR\treliable\t");
    assay_plot_label(&data, report->releases[index].name);
    assay_text_append(&data, "\n");
    for (size_t s = 0; s < curve->count; ++s) {
        const assay_discard_step *step = &curve->steps[s];
        bool few = step->errors < ASSAY_FEW_ERRORS;
        assay_plot_number(&data, step->discarded);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, step->rate);
        assay_text_append(&data, "\t");
        assay_plot_number(&data, few ? (double)NAN : step->rate);
        assay_text_append(&data, "\t0.5\n");
    }
    assay_status status = assay_plot_data(report, "discard", index + 1, &data);
    assay_text_free(&data);
    return status;
}

assay_status assay_draw_discard(assay_report *report, assay_text *out_svg) {
    double top = highest(report) * 1.15;
    assay_text script = {0};
    assay_status status = ASSAY_OK;
    if (!(top > 0)) return ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < report->count; ++n)
        status = write_curve(report, n);
    if (status != ASSAY_OK) return status;
    double unit = pow(10, floor(log10(100 * top)));
    assay_text_appendf(&script,
                       "set xrange [0:%.9g]; set yrange [0:%.9g]\n"
                       "set lmargin at screen 0.09; set rmargin at screen 0.98\n"
                       "set tmargin at screen 0.97; set bmargin at screen 0.155\n"
                       "set xtics ('0 %%%%' 0, '10 %%%%' 0.1, '20 %%%%' 0.2, '30 %%%%' 0.3, "
                       "'40 %%%%' 0.4, '50 %%%%' 0.5)\n"
                       "set format y '%%g %%%%'; set ytics %.9g\n"
                       "set xlabel 'Mated comparisons left out, lowest quality first'\n"
                       "set ylabel 'FNMR of the rest' offset 1,0\n"
                       "set key bottom left Left reverse samplen 3.2 spacing 1.35 opaque\n"
                       "set arrow 1 from %.9g,graph 0 to %.9g,graph 1 nohead lc rgb AXIS lw 1.2 "
                       "dt 3 back\n",
                       DRAWN_TO, 100 * top, 100 * top < 3 * unit ? unit / 2 : unit,
                       ASSAY_QUALITY_LIMIT, ASSAY_QUALITY_LIMIT);
    assay_text_append(&script, "plot \\\n");
    for (size_t n = 0; n < report->count; ++n)
        assay_text_appendf(
            &script,
            " 'discard-%zu.tsv' skip 1 using 1:($2*100) with fsteps lc rgb COLOUR[%zu] lw 0.9, \\\n"
            " 'discard-%zu.tsv' skip 1 using 1:($3*100) with fsteps ls %zu, \\\n"
            " 'discard-%zu.tsv' using (1e300):4 with linespoints ls %zu title "
            "columnheader(4)%s\n",
            n + 1, n % 6 + 1, n + 1, n % 6 + 1, n + 1, n % 6 + 1,
            n + 1 < report->count ? ", \\" : "");
    status =
        assay_plot_draw(report, "discard", 920, 420, &script, "Error versus discard",
                        "False non-match rate of the mated comparisons that are left when those "
                        "of the lowest quality are left out, one curve a release; the file "
                        "tables/discard.csv holds the same numbers.",
                        out_svg);
    assay_text_free(&script);
    return status;
}
