/* metrics_page -- DIR/metrics.html: METRICS.md as a page, so that the links of a report work where
 * there is no network. Knows as much of Markdown as METRICS.md uses: headings, tables, paragraphs,
 * emphasis, strong, code. */
#include <ctype.h>
#include <string.h>

#include "reports/section.h"

extern const unsigned char assay_metrics_text[]; /* METRICS.md, made by CMake */
extern const size_t assay_metrics_length;

/* Letters and digits of a name in lower case with '-' between words, up to its first bracket. */
static void append_slug(assay_text *text, const char *from, size_t length) {
    bool pending = false, begun = false;
    for (size_t n = 0; n < length && from[n] != '('; ++n) {
        unsigned char c = (unsigned char)from[n];
        if (!isalnum(c)) {
            pending = begun;
            continue;
        }
        if (pending) assay_text_append(text, "-");
        char lower = (char)tolower(c);
        assay_text_append_bytes(text, &lower, 1);
        pending = false;
        begun = true;
    }
}

static void append_escaped(assay_text *text, char c) {
    if (c == '<')
        assay_text_append(text, "&lt;");
    else if (c == '>')
        assay_text_append(text, "&gt;");
    else if (c == '&')
        assay_text_append(text, "&amp;");
    else
        assay_text_append_bytes(text, &c, 1);
}

/* A span that opens or closes with mark; closes at the end of what it stands in. */
static void toggle(assay_text *text, bool *open, const char *tag) {
    assay_text_appendf(text, *open ? "</%s>" : "<%s>", tag);
    *open = !*open;
}

static void append_inline(assay_text *text, const char *from, size_t length) {
    bool code = false, strong = false, emphasis = false;
    for (size_t n = 0; n < length; ++n) {
        char c = from[n], next = n + 1 < length ? from[n + 1] : '\0';
        if (c == '\\' && !code && next) {
            append_escaped(text, from[++n]);
        } else if (c == '`') {
            toggle(text, &code, "code");
        } else if (c == '*' && !code && next == '*') {
            toggle(text, &strong, "strong");
            ++n;
        } else if (c == '*' && !code) {
            toggle(text, &emphasis, "em");
        } else {
            append_escaped(text, c);
        }
    }
    if (code) toggle(text, &code, "code");
    if (emphasis) toggle(text, &emphasis, "em");
    if (strong) toggle(text, &strong, "strong");
}

typedef enum { NOTHING, PARAGRAPH, TABLE } block;
typedef struct {
    assay_text *text;
    const char *section; /* the heading that rows stand under, borrowed */
    size_t section_length;
    block open;
} metrics_page;

/* The next cell of a line of a table: behind a '|' that is not escaped, up to the next one. */
static bool next_cell(const char **at, const char *end, const char **out, size_t *out_length) {
    const char *from = *at;
    if (from >= end || *from != '|' || from + 1 >= end) return false;
    const char *to = ++from;
    while (to < end && (*to != '|' || to[-1] == '\\')) ++to;
    *at = to;
    while (from < to && *from == ' ') ++from;
    while (to > from && to[-1] == ' ') --to;
    *out = from;
    *out_length = (size_t)(to - from);
    return true;
}

static void append_row(metrics_page *page, const char *line, const char *end, bool head) {
    assay_text *text = page->text;
    const char *cell;
    size_t length;
    bool first = true;
    assay_text_append(text, "<tr");
    for (const char *at = line; next_cell(&at, end, &cell, &length); first = false) {
        if (first && !head) {
            assay_text_append(text, " id=\"");
            append_slug(text, page->section, page->section_length);
            assay_text_append(text, "-");
            append_slug(text, cell, length);
            assay_text_append(text, "\"");
        }
        /* A heading without words heads nothing. */
        bool heads = (first || head) && length > 0;
        assay_text_appendf(text, "%s%s", first ? ">" : "", heads ? "<th>" : "<td>");
        append_inline(text, cell, length);
        assay_text_append(text, heads ? "</th>" : "</td>");
    }
    assay_text_append(text, "</tr>\n");
}

static void close_block(metrics_page *page) {
    if (page->open == PARAGRAPH) assay_text_append(page->text, "</p>\n");
    if (page->open == TABLE) assay_text_append(page->text, "</table></div>\n");
    page->open = NOTHING;
}

static void append_line(metrics_page *page, const char *line, const char *end) {
    assay_text *text = page->text;
    size_t length = (size_t)(end - line), level = 0;
    while (level < length && line[level] == '#') ++level;
    if (!length || level) close_block(page);
    if (!length) return;
    if (level) {
        page->section = line + level;
        page->section_length = length - level;
        assay_text_appendf(text, "<h%zu id=\"section-", level);
        append_slug(text, line + level, length - level);
        assay_text_append(text, "\">");
        append_inline(text, line + level + 1, length - level - 1);
        assay_text_appendf(text, "</h%zu>\n", level);
        return;
    }
    if (*line == '|') {
        bool head = page->open != TABLE;
        if (length > 4 && strncmp(line, "|---", 4) == 0) return;
        if (head) close_block(page);
        if (head)
            assay_text_append(text, "<div class=\"table\" tabindex=\"0\" role=\"group\" "
                                    "aria-label=\"Metrics\"><table>\n");
        page->open = TABLE;
        append_row(page, line, end, head);
        return;
    }
    if (page->open != PARAGRAPH) {
        close_block(page);
        assay_text_append(text, "<p>");
        page->open = PARAGRAPH;
    }
    append_inline(text, line, length);
    assay_text_append(text, "\n");
}

assay_status assay_report_metrics(const assay_report *report) {
    const char *at = (const char *)assay_metrics_text, *end = at + assay_metrics_length;
    assay_text text = {0};
    metrics_page page = {.text = &text, .section = ""};
    assay_text_append(&text,
                      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'; img-src data:\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<link rel=\"icon\" href=\"data:,\">\n<title>Metrics</title>\n<style>\n");
    assay_text_append(&text, assay_page_style);
    assay_text_append(&text, "</style>\n</head>\n<body>\n<main>\n<p><a href=\"index.html\">The "
                             "report</a></p>\n");
    while (at < end) {
        const char *line = at;
        while (at < end && *at != '\n') ++at;
        append_line(&page, line, at);
        ++at;
    }
    close_block(&page);
    assay_text_append(&text, "</main>\n</body>\n</html>\n");
    assay_status status = assay_report_file(report, "metrics.html", &text);
    assay_text_free(&text);
    return status;
}
