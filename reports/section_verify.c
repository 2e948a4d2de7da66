/* section_verify -- what to run to see that this report is of that evidence. */
#include "reports/section.h"

assay_status assay_section_verify(assay_page *page) {
    assay_text_append(
        page->text,
        "<p>Every number of this page is computed from the evidence files alone. With them at "
        "hand:</p>\n"
        "<pre>assay verify EVIDENCE.h5        # each block against its seal, and the result "
        "digest\n"
        "assay info EVIDENCE.h5          # prints the result digest to compare with the one above\n"
        "assay report EVIDENCE.h5 -o DIR # the same page again, byte for byte</pre>\n"
        "<p>With the templates, <code>assay compare</code> gives the same result digest again, on "
        "any "
        "backend and with any number of threads.</p>\n");
    return ASSAY_OK;
}
