/* plots -- running gnuplot and making its SVG fit for a page (plots.h). */
#include "reports/plots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"

#define PLOT_MIN_WIDTH 620u /* pixels below which a picture scrolls instead */
#define SECONDS_ALLOWED 120
#define POINT_ID 16   /* bytes for the name of a point of gnuplot's */
#define POINT_DEPTH 4 /* points that are drawn by others, which are */
#define SVG_LIMIT ((size_t)64 << 20)
#define NO_GNUPLOT "gnuplot was not found, so this report has tables only"

static const char style[] =
    "# style -- the common look of the plots of an assay report. Each script of this folder loads "
    "it\n"
    "# and draws from the .tsv files beside it: gnuplot NAME.gp makes NAME.svg again.\n"
    "set terminal svg size W,H dynamic noenhanced font 'DejaVu Sans,13' linewidth 1 rounded \\\n"
    "    dashlength 1.2 background '#ffffff'\n"
    "set encoding utf8\n"
    "set datafile separator \"\\t\"\n"
    "set datafile commentschars ''\n"
    "set datafile missing 'NaN'\n"
    "INK='#1f2328'; MUTE='#59636e'; GRID='#e3e6ea'; AXIS='#8c959f'\n"
    "# Okabe-Ito, in an order that also differs in lightness\n"
    "array COLOUR[6]\n"
    "COLOUR[1]='#0072b2'; COLOUR[2]='#d55e00'; COLOUR[3]='#009e73'\n"
    "COLOUR[4]='#cc79a7'; COLOUR[5]='#e69f00'; COLOUR[6]='#56b4e9'\n"
    "set style line 1 lc rgb COLOUR[1] lw 2.4 dt 1 pt 7 ps 0.8\n"
    "set style line 2 lc rgb COLOUR[2] lw 2.4 dt (14,5) pt 5 ps 0.75\n"
    "set style line 3 lc rgb COLOUR[3] lw 2.4 dt (14,4,3,4) pt 9 ps 0.9\n"
    "set style line 4 lc rgb COLOUR[4] lw 2.4 dt (5,4) pt 13 ps 0.9\n"
    "set style line 5 lc rgb COLOUR[5] lw 2.4 dt (3,3) pt 11 ps 0.9\n"
    "set style line 6 lc rgb COLOUR[6] lw 2.4 dt (20,4) pt 15 ps 0.8\n"
    "set border 3 lc rgb AXIS lw 1\n"
    "set tics nomirror out scale 0.5,0.25 textcolor rgb MUTE font 'DejaVu Sans,12'\n"
    "set grid xtics ytics lc rgb GRID lw 1 dt 1\n"
    "set key noautotitle textcolor rgb INK\n"
    "set xlabel textcolor rgb INK font 'DejaVu Sans,12.5'\n"
    "set ylabel textcolor rgb INK font 'DejaVu Sans,12.5'\n";

assay_status assay_plot_style(const assay_report *report) {
    assay_text text = {0};
    assay_text_append(&text, style);
    assay_status status = assay_report_file(report, "plots/style.gp", &text);
    assay_text_free(&text);
    return status;
}

/* ---- text for data files ---- */

static bool is_continuation(char c) {
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* A character's width in tenths of the usual letter's (0.61 em of DejaVu Sans), roughly. */
static unsigned width_of(const char *c) {
    unsigned char first = (unsigned char)*c;
    if (first >= 0xE2) return 17; /* ideographs and signs that are as wide */
    if (first >= 0x80) return 13;
    if (strchr("mwMW@%", first)) return 16;
    if (strchr("ijlI.,:;'|!()[] ", first)) return 6;
    return first >= 'A' && first <= 'Z' ? 12 : 10;
}

static unsigned width_of_all(const char *name) {
    unsigned width = 0;
    for (const char *c = name; *c; ++c) width += is_continuation(*c) ? 0 : width_of(c);
    return width;
}

size_t assay_plot_label_width(const char *name) {
    unsigned width = (width_of_all(name) + 9) / 10;
    return width > PLOT_LABEL_WIDTH ? PLOT_LABEL_WIDTH : width;
}

void assay_plot_label(assay_text *text, const char *name) {
    bool whole = width_of_all(name) <= 10 * PLOT_LABEL_WIDTH;
    unsigned left = 10 * (whole ? PLOT_LABEL_WIDTH : PLOT_LABEL_WIDTH - 2);
    for (const char *c = name; *c; ++c) {
        unsigned width = is_continuation(*c) ? 0 : width_of(c);
        if (width > left) {
            assay_text_append(text, "…");
            return;
        }
        left -= width;
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            assay_text_append(text, " ");
        else if (*c == '"')
            assay_text_append(text, "”");
        else if (*c == '\\')
            assay_text_append(text, "∖");
        else
            assay_text_append_bytes(text, c, 1);
    }
}

void assay_plot_power(assay_text *text, double value) {
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[ASSAY_NUMBER_SIZE];
    if (value == 0 || !isfinite(value)) {
        assay_text_append(text, "0");
        return;
    }
    snprintf(digits, sizeof digits, "%.1e", value);
    char *mark = strchr(digits, 'e');
    int exponent = (int)strtol(mark + 1, NULL, 10);
    *mark = '\0';
    if (strcmp(mark - 2, ".0") == 0) mark[-2] = '\0';
    if (strcmp(digits, "1") != 0) assay_text_appendf(text, "%s×", digits);
    assay_text_append(text, exponent < 0 ? "10⁻" : "10");
    snprintf(digits, sizeof digits, "%d", abs(exponent));
    for (const char *c = digits; *c; ++c) assay_text_append(text, raised[*c - '0']);
}

void assay_plot_number(assay_text *text, double value) {
    char digits[ASSAY_NUMBER_SIZE];
    assay_text_append(text, isfinite(value) ? assay_print_double(digits, value) : "NaN");
}

assay_status assay_plot_data(const assay_report *report, const char *name, size_t series,
                             const assay_text *data) {
    char file[128];
    snprintf(file, sizeof file, "plots/%s-%zu.tsv", name, series);
    return assay_report_file(report, file, data);
}

/* ---- running gnuplot ---- */

/* Runs the script and leaves its picture at temporary; *out_missing where there is no gnuplot.
 * -d: no start-up file of the user's. */
static assay_status run_gnuplot(const char *folder, const char *name, const char *temporary,
                                bool *out_missing) {
    char script[96], output[256], doing[128];
    snprintf(script, sizeof script, "%s.gp", name);
    snprintf(output, sizeof output, "out='%s'", temporary);
    snprintf(doing, sizeof doing, "drawing plots/%s", script);
    const char *const arguments[] = {"gnuplot", "-d", "-e", output, script, NULL};
    const assay_program gnuplot = {arguments, folder, SECONDS_ALLOWED};
    return assay_program_run(&gnuplot, doing, out_missing);
}

/* ---- the SVG ---- */

typedef struct {
    const char *name;
    const char *svg; /* the whole of it, where points are looked up */
    assay_text *out;
} adoption;

/* 'rgb( 31,  35,  40)' as #1f2328, which style sheets can name. */
static const char *copy_colour(const char *c, assay_text *out) {
    unsigned r, g, b;
    int used = 0;
    if (sscanf(c, "rgb(%u ,%u ,%u )%n", &r, &g, &b, &used) != 3 || !used || r > 255 || g > 255 ||
        b > 255)
        return NULL;
    assay_text_appendf(out, "#%02x%02x%02x", r, g, b);
    return c + used;
}

static bool starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* One tag, from '<' to behind its '>': ids get the plot's name in front, so that two plots of a
 * page have none in common. */
static const char *copy_tag(const adoption *job, const char *c) {
    while (*c) {
        const char *after = starts(c, "rgb(") ? copy_colour(c, job->out) : NULL;
        if (after) {
            c = after;
        } else if (starts(c, " id=\"gnuplot_")) {
            /* Of no use, and there twice where the key is drawn over the curves. */
            c = strchr(c + strlen(" id=\""), '"') + 1;
        } else if (starts(c, "xlink:href='#") || starts(c, " id='") || starts(c, " id=\"")) {
            const char *value = strpbrk(c, "'\"") + 1;
            bool link = *c == 'x';
            assay_text_appendf(job->out, "%s%c%s%s-", link ? "href=" : " id=", value[-1],
                               link ? "#" : "", job->name);
            c = value + link;
        } else if (starts(c, "url(#")) {
            assay_text_appendf(job->out, "url(#%s-", job->name);
            c += strlen("url(#");
        } else {
            assay_text_append_bytes(job->out, c, 1);
            if (*c++ == '>') break;
        }
    }
    return c;
}

/* ---- points ---- */

/* gnuplot defines its points once, in currentColor, and uses them (and these each other) by name.
 * Not every reader of a page can: WeasyPrint stops at them. Here each is drawn where it stands, in
 * its own colour. */

static bool is_point(const char *c) {
    const char *close = strchr(c, '>'), *id = strstr(c, " id='gp");
    return id && close && id < close && (starts(id + 7, "Pt") || starts(id + 7, "Dot"));
}

/* The value of an attribute of the tag at c, or "". */
static void find_value(const char *c, const char *attribute, char *out, size_t size) {
    const char *close = strchr(c, '>'), *at = strstr(c, attribute);
    size_t length = 0;
    if (close && at && at < close)
        for (at += strlen(attribute); at[length] != '\'' && length + 1 < size;) ++length;
    if (length) memcpy(out, at, length);
    out[length] = '\0';
}

/* The tag that defines the point, or NULL. */
static const char *find_point(const char *svg, const char *id) {
    char named[POINT_ID + 8];
    snprintf(named, sizeof named, " id='%s'", id);
    const char *at = strstr(svg, named);
    while (at && at > svg && *at != '<') --at;
    return at;
}

/* The attributes of the tag at c in colour, without its name, what it links to and its own colour.
 */
static const char *copy_attributes(const char *c, const char *colour, assay_text *out) {
    while (*c && *c != '>') {
        if (starts(c, " id='") || starts(c, " xlink:href='") || starts(c, " color='")) {
            c = strchr(strchr(c, '\'') + 1, '\'') + 1;
        } else if (starts(c, "currentColor")) {
            assay_text_append(out, colour);
            c += strlen("currentColor");
        } else {
            assay_text_append_bytes(out, c++, 1);
        }
    }
    return *c ? c + 1 : c;
}

/* Draws what the <use> at c uses: nested groups around a shape, at most as deep as gnuplot's. */
static void draw_point(const adoption *job, const char *c, const char *colour) {
    unsigned depth = 0;
    while (c && starts(c, "<use") && depth < POINT_DEPTH) {
        char id[POINT_ID];
        assay_text attributes = {0};
        copy_attributes(c + strlen("<use"), colour, &attributes);
        size_t length = attributes.length;
        if (length && attributes.bytes[length - 1] == '/') --length;
        assay_text_append(job->out, "<g");
        if (length) assay_text_append_bytes(job->out, attributes.bytes, length);
        assay_text_append(job->out, ">");
        assay_text_free(&attributes);
        find_value(c, "xlink:href='#", id, sizeof id);
        c = find_point(job->svg, id);
        ++depth;
    }
    if (c && !starts(c, "<use")) {
        copy_attributes(c, colour, job->out);
        assay_text_append(job->out, ">");
    }
    while (depth--) assay_text_append(job->out, "</g>");
}

/* A point of the drawing: its colour is written as other colours are. */
static const char *copy_point(const adoption *job, const char *c) {
    char given[32];
    assay_text colour = {0};
    find_value(c, "color='", given, sizeof given);
    if (!*given || !copy_colour(given, &colour))
        assay_text_append(&colour, *given ? given : "black");
    draw_point(job, c, colour.bytes ? colour.bytes : "black");
    assay_text_free(&colour);
    return strchr(c, '>') + 1;
}

/* gnuplot leaves '>' in text as it is, and "]]>" there is no XML. Tags hold none within. */
static const char *copy_text(const char *c, const char *end, assay_text *out) {
    for (; c < end && *c != '<'; ++c)
        if (*c == '>')
            assay_text_append(out, "&gt;");
        else
            assay_text_append_bytes(out, c, 1);
    return c;
}

/* gnuplot's file with its text so escaped. */
static void mend(const char *svg, size_t length, assay_text *out) {
    for (const char *c = svg, *end = svg + length; c < end;) {
        c = copy_text(c, end, out);
        const char *close = starts(c, "<!--") ? strstr(c, "-->") : strchr(c, '>');
        const char *behind = close ? strchr(close, '>') + 1 : end;
        assay_text_append_bytes(out, c, (size_t)(behind - c));
        c = behind;
    }
}

/* The picture without its prologue, its own titles (which browsers show as tips) and its size. */
static assay_status adopt(const char *name, const char *svg, unsigned width, unsigned height,
                          const char *title, const char *description, assay_text *out) {
    const char *c = strstr(svg, "<svg");
    const char *end = c ? strstr(c, "</svg>") : NULL;
    if (!end) return assay_fail(ASSAY_FAILED, "gnuplot made no whole picture of %s", name);
    c = strchr(c, '>') + 1;
    adoption job = {name, svg, out};
    assay_text_appendf(
        out,
        "<svg class=\"plot\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" "
        "viewBox=\"0 0 %u %u\" style=\"max-width:%upx;min-width:%upx\" aria-labelledby=\"%s-title "
        "%s-description\">"
        "<title id=\"%s-title\">",
        width, height, width, width < PLOT_MIN_WIDTH ? width : PLOT_MIN_WIDTH, name, name, name);
    assay_text_append_html(out, title);
    assay_text_appendf(out, "</title><desc id=\"%s-description\">", name);
    assay_text_append_html(out, description);
    assay_text_append(out, "</desc>");
    while (c < end) {
        const char *close = starts(c, "<title>")  ? "</title>"
                            : starts(c, "<desc>") ? "</desc>"
                                                  : NULL;
        const char *behind = close ? strstr(c, close) : NULL;
        if (behind)
            c = behind + strlen(close);
        else if (*c == '<' && is_point(c))
            c = strchr(c, '>') + 1;
        else if (starts(c, "<use "))
            c = copy_point(&job, c);
        else if (*c == '<')
            c = copy_tag(&job, c);
        else
            c = copy_text(c, end, out);
    }
    assay_text_append(out, "</svg>");
    return ASSAY_OK;
}

static assay_status write_script(const assay_report *report, const char *name, unsigned width,
                                 unsigned height, const assay_text *script) {
    char file[128];
    assay_text text = {0};
    assay_text_appendf(&text,
                       "W=%u; H=%u\nload 'style.gp'\n"
                       "if (!exists('out')) out='%s.svg'\nset output out\n%s",
                       width, height, name, script->bytes ? script->bytes : "");
    snprintf(file, sizeof file, "plots/%s.gp", name);
    assay_status status = assay_report_file(report, file, &text);
    assay_text_free(&text);
    return status;
}

assay_status assay_plot_draw(assay_report *report, const char *name, unsigned width,
                             unsigned height, const assay_text *script, const char *title,
                             const char *description, assay_text *out_svg) {
    char *folder = NULL, *final_path = NULL, *temporary = NULL, *svg = NULL, file[128];
    size_t length = 0;
    assay_text mended = {0};
    bool missing = report->plots_missing != NULL;
    snprintf(file, sizeof file, "%s.svg", name);
    assay_status status = write_script(report, name, width, height, script);
    if (status != ASSAY_OK || missing) return status;
    status = assay_path_join(&folder, report->directory, "plots");
    if (status == ASSAY_OK) status = assay_path_join(&final_path, folder, file);
    if (status == ASSAY_OK) status = assay_file_temporary(final_path, &temporary);
    if (status == ASSAY_OK)
        status = run_gnuplot(folder, name, assay_path_name(temporary), &missing);
    if (status != ASSAY_OK || missing) goto out;
    status = assay_file_read(temporary, SVG_LIMIT, &svg, &length);
    if (status == ASSAY_OK) status = adopt(name, svg, width, height, title, description, out_svg);
    if (status != ASSAY_OK) goto out;
    mend(svg, length, &mended);
    status = assay_text_status(&mended);
    if (status == ASSAY_OK) status = assay_file_write(final_path, mended.bytes, mended.length);
out:
    if (temporary) unlink(temporary);
    assay_text_free(&mended);
    if (missing) report->plots_missing = NO_GNUPLOT;
    free(folder);
    free(final_path);
    free(temporary);
    free(svg);
    return status;
}
