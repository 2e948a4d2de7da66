/* records -- labels out of records of others in XML, ANSI/NIST-ITL (NIEM) ones above all.
 *
 * Which elements say what differs from agency to agency, so it is declared, in a YAML file:
 *   records:
 *     files: "(S[0-9]+)-([0-9]+)\\.xml"       POSIX extended, whole path below the folder of
 * records each: PackageFacialAndSMTImageRecord    a row for each such element; without it, for each
 * file columns:
 *       - { name: subject_id, at: RecordSubject/PersonFBIIdentification/IdentificationID, as: id }
 *       - { name: sample_id, text: "\\1-\\2-\\v", at: ImageReferenceIdentification/IdentificationID
 * }
 *       - { name: captured, at: CaptureDate/Date, as: date }
 *       - { name: sex, at: PersonSexCode, codes: { F: female, M: male, U: unknown } }
 * `at` is the end of a way through elements, by their names without prefix. A value within the
 * row's element is that row's, one outside of all such elements is of every row of its file; two
 * different ones are a fault. `text` is made of the file's name (\0 to \9, \b; MANIFEST.md) and of
 * what was found (\v). Text becomes a label by a table of codes alone; what is not in the table is
 * a fault that names the value and the record. Blanks around a text do not count, and those in it
 * are one. */
#ifndef ASSAY_DATASETS_RECORDS_H
#define ASSAY_DATASETS_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/base/text.h"

typedef enum {
    ASSAY_RECORD_ID = 0, /* a name, as ids and labels are */
    ASSAY_RECORD_DATE,   /* as assay_parse_time takes it */
    ASSAY_RECORD_NUMBER,
    ASSAY_RECORD_CODE, /* by the column's table */
    ASSAY_RECORD_KIND_COUNT,
} assay_record_kind;

typedef struct {
    char *name;
    char *at;   /* "/" before each element; or NULL */
    char *text; /* template with ASSAY_RECORD_VALUE where what was found goes; or NULL */
    assay_record_kind kind;
    char **words, **codes; /* [code_count] */
    size_t code_count;
} assay_record_column;
#define ASSAY_RECORD_VALUE '\x01'

typedef struct {
    char *files;
    char *each; /* or NULL */
    assay_record_column *columns;
    size_t column_count;
} assay_record_declaration;
void assay_record_declaration_free(assay_record_declaration *declaration); /* takes a zeroed one */

/* Every fault of the file is told in one pass. */
assay_status assay_record_declare(const char *path, assay_record_declaration *out) ASSAY_MUST_CHECK;

/* All records below the folder root as CSV, in the order of their paths. */
typedef struct {
    uint64_t records, rows;
    uint64_t without; /* records without a row */
} assay_record_result;
assay_status assay_record_labels(const assay_record_declaration *declaration, const char *root,
                                 const assay_progress *progress, assay_text *out_csv,
                                 assay_record_result *out) ASSAY_MUST_CHECK;

#endif
