/* pdf -- DIR/report.pdf: the finished page on paper, by WeasyPrint where it is installed. */
#ifndef ASSAY_REPORTS_PDF_H
#define ASSAY_REPORTS_PDF_H

#include "datasets/base/status.h"

#define ASSAY_PDF_NAME "report.pdf"

/* Whether a PDF can be made here: to be asked before work that would be lost. ASSAY_FAILED where
 * weasyprint is not there or does not run. */
assay_status assay_pdf_check(void) ASSAY_MUST_CHECK;

/* DIRECTORY/report.pdf, tagged, from DIRECTORY/index.html; aside and then published, so that a
 * failure (ASSAY_FAILED, with the program's last words) leaves none and the page as it is. */
assay_status assay_pdf_make(const char *directory) ASSAY_MUST_CHECK;

#endif
