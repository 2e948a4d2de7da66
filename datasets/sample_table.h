/* sample_table -- who and what each sample is: the columns that travel from the manifest through
 * dataset.h5, templates.h5 and evidence.h5 into every report.
 *
 * Row r is the same sample in all of them. Coded columns hold an index into labels. */
#ifndef ASSAY_DATASETS_SAMPLE_TABLE_H
#define ASSAY_DATASETS_SAMPLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "datasets/base/status.h"

typedef enum { ASSAY_ATTRIBUTE_CATEGORICAL = 0, ASSAY_ATTRIBUTE_NUMERIC = 1 } assay_attribute_kind;
typedef enum { ASSAY_LEVEL_SUBJECT = 0, ASSAY_LEVEL_SAMPLE = 1 } assay_attribute_level;
/* Who said so: each attribute declares its source, and reports repeat it. */
typedef enum {
    ASSAY_SOURCE_NOT_STATED = 0,
    ASSAY_SOURCE_SELF_REPORTED,
    ASSAY_SOURCE_OFFICER,
    ASSAY_SOURCE_DOCUMENT,
    ASSAY_SOURCE_INFERRED,
    ASSAY_SOURCE_BY_CONSTRUCTION, /* a synthetic population's */
} assay_label_source;

/* Codes that every attribute has, groups of their own outside differential measures. */
enum {
    ASSAY_CODE_MISSING = 0, /* the cell is empty */
    ASSAY_CODE_UNKNOWN = 1, /* the cell says that nobody knows ("unknown", "U", as declared) */
    ASSAY_CODE_SEVERAL = 2, /* several values in one cell */
    ASSAY_CODE_FIRST = 3,   /* first real value */
};

typedef struct {
    char *name;
    assay_attribute_kind kind;
    assay_attribute_level level;
    assay_label_source source;
    char **labels; /* [label_count]: "(missing)", "(unknown)", "(several)", then values or bins */
    uint32_t label_count; /* >= ASSAY_CODE_FIRST, <= 65,535 */
    uint16_t *codes;      /* [row_count] */
    double *values;   /* [row_count] of a numeric attribute, NaN where none; NULL if categorical */
    double *bin_low;  /* [label_count - ASSAY_CODE_FIRST] of a numeric attribute, else NULL */
    double *bin_high; /* a bin holds low <= value < high; the last may end in INFINITY */
} assay_attribute;

/* A column of codes with its labels; code 0 is "" and means "not given". */
typedef struct {
    char **labels;
    uint32_t label_count;
    uint32_t *codes; /* [row_count] */
} assay_labelled;

typedef enum {
    ASSAY_ENROLMENT_NONE = 0, /* not tried yet (a data set) */
    ASSAY_ENROLMENT_ENROLLED = 1,
    ASSAY_ENROLMENT_REFUSED = 2, /* the algorithm would not take the image: FTE */
    ASSAY_ENROLMENT_FAILED = 3,  /* the algorithm broke on it, or made no usable template: FTE */
    ASSAY_ENROLMENT_EXCLUDED =
        4, /* never reached the algorithm (damaged or missing image): not FTE */
} assay_enrolment;

/* Codes of the column role in a table in roles: the template of the row was made, or is used, as a
 * reference or as a probe. */
enum { ASSAY_STANDS_ANY = 0, ASSAY_STANDS_REFERENCE = 1, ASSAY_STANDS_PROBE = 2 };

typedef struct {
    uint64_t row_count;
    uint32_t subject_count;
    char **sample_id;        /* [row_count], unique; of a table in roles unique within a role */
    char **subject_id;       /* [subject_count], unique */
    uint32_t *subject;       /* [row_count], index into subject_id */
    char **path;             /* [row_count], below the data root; NULL where there are no files */
    assay_labelled instance; /* finger, eye; all 0 where the manifest has none */
    assay_labelled session;
    assay_labelled environment; /* capture environment */
    assay_labelled legal_basis;
    /* ASSAY_STANDS_… of a row that stands for its sample in one role only; all 0, with the one
     * label
     * "", where a row stands in any. assay_sample_table_in_roles says how such a table is made. */
    assay_labelled role;
    int64_t *captured;               /* [row_count], seconds since 1970 UTC or ASSAY_TIME_MISSING */
    int64_t *retain_until;           /* [row_count], likewise */
    double *quality;                 /* [row_count], NaN where none */
    assay_digest *image_digest;      /* [row_count], zero where no image is known */
    uint8_t *enrolment;              /* [row_count], assay_enrolment */
    assay_labelled enrolment_reason; /* why not enrolled; "" where enrolled */
    assay_attribute *attributes;     /* [attribute_count] */
    uint32_t attribute_count;
} assay_sample_table;

/* Every array of a table with rows and subjects, zeroed; missing times and qualities set to
 * missing; labelled columns with the one label "". path stays NULL. */
assay_status assay_sample_table_create(uint64_t rows, uint32_t subjects,
                                       assay_sample_table *out) ASSAY_MUST_CHECK;
void assay_sample_table_free(assay_sample_table *table); /* takes a zeroed one */
assay_status assay_sample_table_copy(const assay_sample_table *from,
                                     assay_sample_table *out) ASSAY_MUST_CHECK;

/* A table in roles: each sample twice, rows 0 … n - 1 as references, n … 2 n - 1 as probes, each
 * with the enrolment of its own table. It is what is compared where a sample's reference and its
 * probe are not the same template: references of one release against probes of another, and
 * algorithms whose templates of the two roles differ. Every protocol holds for its samples as for
 * those of any table; a comparison is of a reference row with a probe row, so that each pair of
 * samples i and j is compared in both directions (reference of i with probe of j, and the other way
 * round), and no sample with itself. Nothing else knows of roles: whoever writes templates.h5 with
 * such a table, templates in the order of its rows, has them compared, reported and counted so.
 * The tables must label the same samples in the same order (ASSAY_USAGE); enrolment may differ, and
 * both may be one table. */
assay_status assay_sample_table_in_roles(const assay_sample_table *references,
                                         const assay_sample_table *probes,
                                         assay_sample_table *out) ASSAY_MUST_CHECK;
bool assay_sample_table_has_roles(const assay_sample_table *table);
/* Samples, which are half of the rows of a table in roles. */
uint64_t assay_sample_table_samples(const assay_sample_table *table);

/* Takes rows out: keep is [row_count], and row_of is [row_count] and holds each kept row's new
 * index afterwards, UINT32_MAX of the others. Subjects that are left without a row go too; labels
 * stay. */
assay_status assay_sample_table_keep(assay_sample_table *table, const uint8_t *keep,
                                     uint32_t *row_of) ASSAY_MUST_CHECK;

/* Adds an attribute with its three fixed labels and all codes missing; index in *out. */
assay_status assay_sample_table_add_attribute(assay_sample_table *table, const char *name,
                                              assay_attribute_kind kind,
                                              assay_attribute_level level,
                                              assay_label_source source,
                                              uint32_t *out) ASSAY_MUST_CHECK;
assay_status assay_attribute_add_label(assay_attribute *attribute, const char *label,
                                       uint16_t *out) ASSAY_MUST_CHECK;
/* Code of label in column, added where it is new. Linear in label_count: for few labels. */
assay_status assay_labelled_set(assay_labelled *column, uint64_t row,
                                const char *label) ASSAY_MUST_CHECK;

/* Attribute by name, or NULL; borrowed. */
const assay_attribute *assay_sample_table_attribute(const assay_sample_table *table,
                                                    const char *name);

/* Adds every column to digester in the order of FORMAT.md. enrolment and its reasons are left out
 * where with_enrolment is false: then it is what identifies a data set. */
void assay_sample_table_digest(const assay_sample_table *table, bool with_enrolment,
                               assay_digester *digester);

const char *assay_enrolment_name(assay_enrolment enrolment);
const char *assay_label_source_name(assay_label_source source); /* "self-reported", "not stated" */
bool assay_label_source_parse(const char *text, assay_label_source *out);

#endif
