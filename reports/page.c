/* page -- DIR/index.html: one file, nothing from elsewhere, no script. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/section.h"

void assay_page_name(assay_page *page, const assay_report_release *release) {
    assay_text_append(page->text, "<b>");
    assay_text_append_html(page->text, release->name);
    assay_text_append(page->text, "</b>");
}

void assay_page_figure(assay_page *page, const assay_text *title, const assay_text *subtitle,
                       const char *entry, const assay_text *svg) {
    assay_text *text = page->text;
    ++page->figures;
    assay_text_appendf(
        text, "<figure id=\"figure-%u\"><figcaption><h3>%s</h3><p class=\"subtitle\">Figure %u. ",
        page->figures, title->bytes ? title->bytes : "", page->figures);
    assay_text_append(text, subtitle->bytes ? subtitle->bytes : "");
    assay_text_appendf(text,
                       " <a href=\"metrics.html#%s\">How figure %u is read</a>.</p></figcaption>",
                       entry, page->figures);
    if (svg->length) {
        assay_text_appendf(text,
                           "<div class=\"picture\" tabindex=\"0\" role=\"group\" "
                           "aria-label=\"Figure %u\">\n",
                           page->figures);
        assay_text_append_bytes(text, svg->bytes, svg->length);
        assay_text_append(text, "\n</div>");
    } else if (page->report->plots_missing) {
        assay_text_appendf(text, "<p class=\"quiet\">%s.</p>", page->report->plots_missing);
    }
    assay_text_append(text, "</figure>\n");
}

void assay_page_twin_open(assay_page *page, const char *what) {
    assay_text_appendf(page->text, "<details%s><summary>Figure %u as a table%s%s</summary>\n",
                       page->report->plots_missing ? " open" : "", page->figures, *what ? ": " : "",
                       what);
}

void assay_page_twin_close(assay_page *page) {
    assay_text_append(page->text, "</details>\n");
}

static bool large_enough(const assay_group *group, assay_dots_kind kind, assay_rate rate) {
    if (group->code < ASSAY_CODE_FIRST || rate.reason) return false;
    if (kind == ASSAY_DOTS_FMR && rate.errors < ASSAY_FEW_CELL_ERRORS) return false;
    return !assay_dots_few(group, kind);
}

bool assay_group_extremes(const assay_report_release *release,
                          const assay_attribute_figures *attribute, assay_dots_kind kind,
                          assay_extremes *out) {
    assay_extremes found = {0};
    unsigned groups = 0;
    for (uint32_t g = 0; g < attribute->group_count; ++g) {
        const assay_group *group = &attribute->groups[g];
        assay_rate rate = assay_dots_rate(release, group, kind);
        if (!large_enough(group, kind, rate)) continue;
        ++groups;
        if (!found.low || assay_rate_value(rate) < assay_rate_value(found.low_rate)) {
            found.low = group;
            found.low_rate = rate;
        }
        if (!found.high || assay_rate_value(rate) > assay_rate_value(found.high_rate)) {
            found.high = group;
            found.high_rate = rate;
        }
    }
    *out = found;
    return groups >= 2;
}

void assay_html_left_out(assay_text *text, const assay_report_release *release,
                         const assay_attribute_figures *attribute, assay_dots_kind kind) {
    bool any = false;
    for (uint32_t g = 0; g < attribute->group_count; ++g) {
        const assay_group *group = &attribute->groups[g];
        if (group->code < ASSAY_CODE_FIRST) continue;
        if (large_enough(group, kind, assay_dots_rate(release, group, kind))) continue;
        if (any) {
            assay_text_append(text, ", ");
        } else if (kind == ASSAY_DOTS_FMR) {
            assay_text_appendf(text,
                               " Left out for fewer than %u false matches or %u subjects: <i>",
                               (unsigned)ASSAY_FEW_CELL_ERRORS, (unsigned)ASSAY_FEW_SUBJECTS);
        } else {
            assay_text_appendf(text, " Left out for fewer than %u subjects%s: <i>",
                               (unsigned)ASSAY_FEW_SUBJECTS,
                               kind == ASSAY_DOTS_FNMR ? " with mated pairs" : "");
        }
        assay_text_append_html(text, group->label);
        any = true;
    }
    if (any) assay_text_append(text, "</i>.");
}

void assay_html_times(assay_text *text, assay_rate rate, assay_rate overall) {
    const double low = assay_rate_value(overall), times = assay_rate_value(rate) / low;
    if (low > 0) assay_text_appendf(text, times < 10 ? "%.1f times" : "%.0f times", times);
}

void assay_html_fold(assay_text *text, const assay_extremes *extremes) {
    const double low = assay_rate_value(extremes->low_rate);
    const double fold = assay_rate_value(extremes->high_rate) / low;
    if (low > 0) assay_text_appendf(text, fold < 10 ? "%.1f-fold" : "%.0f-fold", fold);
}

static void append_role(assay_text *text, const assay_protocol *protocol, const char *value) {
    assay_text_append_html(text, protocol->role_column ? protocol->role_column : "role");
    assay_text_append(text, " = <em>");
    assay_text_append_html(text, value ? value : "");
    assay_text_append(text, "</em>");
}

/* The protocol in words; the provenance has it whole. */
static void append_protocol(const assay_report *report, const assay_report_release *release,
                            assay_text *text) {
    const assay_protocol *protocol = &release->evidence->protocol;
    assay_text_append(text, "<p class=\"meta\">Compared");
    if (!report->same_protocol) {
        assay_text_append(text, " for ");
        assay_text_append_html(text, release->name);
    }
    assay_text_append(text, ": ");
    if (protocol->kind == ASSAY_PROTOCOL_SCORES) {
        assay_text_append(text, "lists of mated and non-mated scores that were made elsewhere. Who "
                                "was compared with whom, and in which sessions, is not in "
                                "them</p>\n");
        return;
    }
    const bool in_roles = assay_sample_table_has_roles(&release->evidence->table);
    if (protocol->kind == ASSAY_PROTOCOL_ALL)
        assay_text_append(text, in_roles ? "every sample as a reference with every other one as a "
                                           "probe, so each pair in both directions"
                                         : "every pair of samples");
    if (protocol->kind == ASSAY_PROTOCOL_ONE_PER_SUBJECT)
        assay_text_append(text, "one reference and one probe a subject");
    if (protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) {
        assay_text_append(text, "a list of ");
        assay_html_counted(text, protocol->pair_count, "pair", "pairs");
    }
    if (protocol->role_column) {
        assay_text_append(text,
                          protocol->kind == ASSAY_PROTOCOL_CROSS ? "references " : ", references ");
        append_role(text, protocol, protocol->reference_value);
        assay_text_append(text, " against probes ");
        append_role(text, protocol, protocol->probe_value);
    }
    assay_text_append(text, protocol->same_session
                                ? "; mated pairs of one session are allowed</p>\n"
                                : "; mated pairs of one session are left out</p>\n");
}

static void append_head(const assay_report *report, assay_text *text) {
    const assay_evidence *evidence = report->releases[0].evidence;
    assay_text_append(text,
                      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'; img-src data:\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n"
                      "<link rel=\"icon\" href=\"data:,\">\n<title>");
    assay_text_append_html(text, report->title);
    assay_text_append(text, "</title>\n<style>\n");
    assay_text_append(text, assay_page_style);
    assay_text_append(text,
                      "</style>\n</head>\n<body>\n<header>\n<p class=\"eyebrow\">Accuracy and "
                      "differences between groups</p>\n<h1>");
    assay_text_append_html(text, report->title);
    assay_text_append(text, "</h1>\n<p class=\"meta\">Data set <em>");
    assay_text_append_html(text, evidence->dataset_name);
    assay_text_append(text, "</em>: ");
    if (assay_evidence_has_samples(evidence)) {
        assay_html_counted(text, evidence->table.row_count, "sample", "samples");
        assay_text_append(text, " of ");
        assay_html_counted(text, evidence->table.subject_count, "subject", "subjects");
    } else {
        assay_text_append(text, "scores without sample or subject ids");
    }
    assay_text_append(text, " · assay " ASSAY_VERSION "</p>\n");
    for (size_t n = 0; n < (report->same_protocol ? 1 : report->count); ++n)
        append_protocol(report, &report->releases[n], text);
}

static bool is_there(const assay_report *report, const char *id) {
    return report->comparison_count || strcmp(id, "comparison") != 0;
}

static void append_contents(const assay_report *report, assay_text *text) {
    assay_text_append(text, "<nav aria-label=\"Sections\"><ul>");
#define SECTION(name, id, heading)                                                                 \
    if (*heading && is_there(report, id))                                                          \
        assay_text_append(text, "<li><a href=\"#" id "\">" heading "</a></li>");
#include "reports/sections.def"
#undef SECTION
    assay_text_append(text, "</ul></nav>\n</header>\n<main>\n");
}

typedef struct {
    const char *id, *heading;
    assay_status (*write)(assay_page *page);
} page_section;

static const page_section sections[] = {
#define SECTION(name, id, heading) {id, heading, assay_section_##name},
#include "reports/sections.def"
#undef SECTION
};

assay_status assay_report_page(assay_report *report, assay_text *out) {
    assay_text text = {0};
    assay_page page = {.report = report, .text = &text};
    append_head(report, &text);
    append_contents(report, &text);
    assay_status status = assay_plot_style(report);
    for (size_t n = 0; status == ASSAY_OK && n < sizeof sections / sizeof *sections; ++n) {
        if (!is_there(report, sections[n].id)) continue;
        assay_text_appendf(&text, "<section id=\"%s\">\n", sections[n].id);
        if (*sections[n].heading) assay_text_appendf(&text, "<h2>%s</h2>\n", sections[n].heading);
        status = sections[n].write(&page);
        assay_text_append(&text, "</section>\n");
    }
    assay_text_append(&text,
                      "</main>\n<footer><p>The same numbers: <a href=\"summary.json\">"
                      "summary.json</a>, the CSV tables in <code>tables/</code>, the gnuplot "
                      "sources and data in <code>plots/</code>. <a href=\"metrics.html\">"
                      "metrics.html</a> has the formula of each.</p></footer>\n</body>\n</html>\n");
    if (status == ASSAY_OK)
        *out = text;
    else
        assay_text_free(&text);
    return status;
}
