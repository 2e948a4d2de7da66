/* section_labels -- who said which group a sample belongs to. */
#include "reports/section.h"

static uint64_t with_code(const assay_attribute *attribute, uint64_t rows, uint16_t code) {
    uint64_t count = 0;
    for (uint64_t row = 0; row < rows; ++row) count += attribute->codes[row] == code;
    return count;
}

assay_status assay_section_labels(assay_page *page) {
    static const char *const headings[] = {"Attribute", "Source",   "Belongs to",     "#Groups",
                                           "#Missing",  "#Unknown", "#Several values"};
    const assay_figures *figures = &assay_report_subject(page->report)->figures;
    if (!assay_evidence_has_samples(assay_report_subject(page->report)->evidence)) {
        assay_text_append(page->text,
                          "<p>There are none: " ASSAY_NO_SAMPLES
                          ". Which comparisons are mated is what the lists say: it cannot be "
                          "checked here.</p>\n");
        return ASSAY_OK;
    }
    if (!figures->attribute_count) {
        assay_text_append(page->text, "<p>There are no attributes.</p>\n");
        return ASSAY_OK;
    }
    assay_html_table table;
    assay_html_table_open(&table, page->text, "Attributes and the source of their labels", headings,
                          7);
    for (uint32_t n = 0; n < figures->attribute_count; ++n) {
        const assay_attribute *attribute = figures->attributes[n].attribute;
        if (figures->attributes[n].grouping.made) continue; /* of its parts */
        bool of_sample = attribute->level == ASSAY_LEVEL_SAMPLE;
        assay_html_cell_text(&table, attribute->name);
        assay_html_cell_text(&table, assay_label_source_name(attribute->source));
        assay_html_cell_text(&table, of_sample ? "each sample" : "the subject");
        assay_html_count(assay_html_cell(&table), figures->attributes[n].group_count);
        for (uint16_t code = ASSAY_CODE_MISSING; code < ASSAY_CODE_FIRST; ++code)
            assay_html_count(assay_html_cell(&table), with_code(attribute, figures->samples, code));
    }
    assay_html_table_close(&table);
    assay_text_append(page->text,
                      "<p class=\"quiet\">Samples whose label is missing, unknown or of several "
                      "values are groups of their own: they are in every overall rate and in "
                      "the tables, and in no statement about the widest difference.</p>\n");
    return ASSAY_OK;
}
