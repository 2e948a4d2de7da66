/* sigset -- sets of signatures of the Biometric Evaluation Environment: who is behind the rows and
 * columns of its matrices. */
#ifndef ASSAY_DATASETS_SIGSET_H
#define ASSAY_DATASETS_SIGSET_H

#include <stdbool.h>

#include "datasets/sample_table.h"
#include "datasets/text_list.h"

/* <biometric-signature-set>
 *   <biometric-signature name="SUBJECT">
 *     <presentation name="SAMPLE" file-name="…" …/>
 * in the order of the matrix: a signature has one presentation, or it would not be plain what its
 * row is. A presentation without a name is called by its file-name. */
typedef struct {
    assay_text_list samples, subjects; /* as many of both */
} assay_sigset;
void assay_sigset_free(assay_sigset *set); /* takes a zeroed one */

/* Whether a file begins as XML does, which a list of ids does not. */
bool assay_sigset_is(const char *path);

/* What is no such set is ASSAY_USAGE, saying what was met and what is expected. */
assay_status assay_sigset_read(const char *path, assay_sigset *out) ASSAY_MUST_CHECK;
/* The same of bytes[size]; messages call them name. */
assay_status assay_sigset_parse(const char *name, const void *bytes, size_t size,
                                assay_sigset *out) ASSAY_MUST_CHECK;

/* The samples of both sets, those of a first, as labels. A sample that is in both must be of one
 * subject. */
assay_status assay_sigset_labels(const char *name, const assay_sigset *a, const assay_sigset *b,
                                 assay_sample_table *out) ASSAY_MUST_CHECK;

#endif
