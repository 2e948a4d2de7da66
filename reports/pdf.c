/* pdf -- DIR/report.pdf: the finished page on paper, by WeasyPrint where it is installed. */
#include <stdlib.h>
#include <unistd.h>

#include "datasets/base/child.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "reports/pdf.h"

#define SECONDS_ALLOWED 900
#define MAKING_IT "making the PDF"

static assay_status fail_missing(void) {
    return assay_fail(ASSAY_FAILED, MAKING_IT ": the program weasyprint was not found: install it "
                                              "(package weasyprint), or leave the PDF out");
}

assay_status assay_pdf_check(void) {
    static const char *const arguments[] = {"weasyprint", "--version", NULL};
    const assay_program weasyprint = {arguments, "/", SECONDS_ALLOWED};
    bool missing = false;
    assay_status status = assay_program_run(&weasyprint, MAKING_IT, &missing);
    return status == ASSAY_OK && missing ? fail_missing() : status;
}

assay_status assay_pdf_make(const char *directory) {
    char *path = NULL, *temporary = NULL;
    bool missing = false;
    assay_status status = assay_path_join(&path, directory, ASSAY_PDF_NAME);
    if (status == ASSAY_OK) status = assay_file_temporary(path, &temporary);
    if (status != ASSAY_OK) goto out;
    /* pdf/ua-1 is what makes it a tagged PDF: headings, tables and figures for a screen reader. */
    const char *const arguments[] = {"weasyprint",
                                     "--quiet",
                                     "--encoding",
                                     "utf-8",
                                     "--pdf-variant",
                                     "pdf/ua-1",
                                     "index.html",
                                     assay_path_name(temporary),
                                     NULL};
    const assay_program weasyprint = {arguments, directory, SECONDS_ALLOWED};
    status = assay_program_run(&weasyprint, MAKING_IT " of a page that is whole", &missing);
    if (status == ASSAY_OK && missing) status = fail_missing();
    if (status == ASSAY_OK) status = assay_file_publish(temporary, path);
out:
    if (temporary && status != ASSAY_OK) unlink(temporary);
    free(path);
    free(temporary);
    return status;
}
