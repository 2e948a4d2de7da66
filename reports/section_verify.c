/* section_verify -- what to run to see that this report is of that evidence. */
#include "reports/section.h"

static bool is_imported(const assay_report *report) {
    for (size_t n = 0; n < report->count; ++n)
        if (report->releases[n].evidence->form != ASSAY_SCORE_PLACED) return false;
    return true;
}

assay_status assay_section_verify(assay_page *page) {
    assay_text_append(
        page->text,
        "<p>Every number of this page is computed from the evidence files alone. With them at "
        "hand:</p>\n"
        "<pre tabindex=\"0\">assay verify EVIDENCE.h5        # each block against its seal, and "
        "the result "
        "digest\n"
        "assay info EVIDENCE.h5          # prints the result digest to compare with the one above\n"
        "assay report EVIDENCE.h5 -o DIR # the same page again, byte for byte</pre>\n");
    assay_text_append(
        page->text,
        is_imported(page->report)
            ? "<p>The scores were made elsewhere. With the files that they came in, <code>assay "
              "import</code> gives the same result digest again.</p>\n"
            : "<p>With the templates, <code>assay compare</code> gives the same result digest "
              "again, on any backend and with any number of threads.</p>\n");
    assay_text_append(page->text, "<h3>The same numbers for programs</h3>\n<p><a "
                                  "href=\"summary.json\">summary.json</a> has all of them. As "
                                  "tables, each with the formulas of its figures:</p>\n");
    assay_report_tables_about(page->text);
    return ASSAY_OK;
}
