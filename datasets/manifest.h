/* manifest -- the labelled list of samples: a CSV file, or a folder of files whose names say who is
 * on them (joined with label tables), made into a sample table. Every fault is told in one pass.
 *
 * The `dataset:` section of a configuration (documented in datasets/MANIFEST.md) declares it:
 *   name: london                      data set's name
 *   root: ${ASSAY_DATA}/london        folder that holds the images; relative to the configuration
 *   manifest: faces.csv               a CSV file, relative to root; or a map:
 *     files: "(neutral|smiling)_front/([0-9]{3})_0[38]\\.jpg"  POSIX extended, whole path below
 * root columns: { sample_id: "\\2-\\1", subject_id: "\\2", expression: "\\1", session: "one" }
 *     tables:                           label tables, joined by a key
 *       - { file: london_info.csv, key: face_id, equals: "\\2", columns: { sex: face_gender } }
 *   columns: { sample_id: id, path: file, … }   standard column -> the CSV's own name, where
 * another attributes:
 *     - { name: sex, column: face_gender, level: subject, source: self-reported,
 *         values: [female, male], unknown: [U, ""], several: "/" }
 *     - { name: age_band, column: face_age, kind: numeric, level: sample, source: document,
 *         bins: [0-12, 13-17, 18-35, 36-50, 51-65, 66+] }
 *   allow: [hard-links, mounts]       what is refused below root otherwise
 *   notes: { licence: …, source: … }   kept in the data set's notes
 *
 * Standard columns: sample_id, path, subject_id (these three must be there), instance, session,
 * captured, environment, quality, sha256, legal_basis, retain_until. Other columns are attributes
 * where declared, and otherwise ignored with a note. Bins are inclusive whole numbers: 13-17 holds
 * 13 <= x < 18. */
#ifndef ASSAY_DATASETS_MANIFEST_H
#define ASSAY_DATASETS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "datasets/base/text.h"
#include "datasets/protocol.h"
#include "datasets/sample_table.h"
#include "datasets/text_list.h"
#include "datasets/yaml.h"

typedef struct {
    char *name;
    char *column; /* in the manifest; the name itself where not given */
    assay_attribute_kind kind;
    assay_attribute_level level;
    assay_label_source source;
    char **values; /* declared list, or value_count 0: whatever is met, sorted */
    size_t value_count;
    char **unknown; /* cells that mean "nobody knows"; "unknown" always does */
    size_t unknown_count;
    char *several;              /* separator between several values of one cell, or NULL */
    double *bin_low, *bin_high; /* [bin_count], NUMERIC */
    char **bin_labels;
    size_t bin_count;
} assay_attribute_declaration;

typedef struct {
    char *name;
    char *root;
    char *csv;                         /* path of the CSV, or NULL where files are matched */
    char *files;                       /* POSIX extended regular expression, or NULL */
    struct assay_manifest_rule *rules; /* columns made from the match; see manifest_private.h */
    size_t rule_count;
    struct assay_manifest_join *joins;
    size_t join_count;
    char *column_names[16]; /* of the standard columns, in the order of manifest_private.h; NULL
                              where not given */
    assay_attribute_declaration *attributes;
    size_t attribute_count;
    unsigned allowed; /* of assay_file_open_beneath: hard links, mounts */
    char *notes_json;
} assay_manifest_declaration;

/* From the `dataset:` map of a configuration; faults are noted in yaml (ask its verdict after).
 * base is the configuration's folder. */
assay_status assay_manifest_declare(assay_yaml *yaml, const assay_yaml_node *section,
                                    const char *base,
                                    assay_manifest_declaration *out) ASSAY_MUST_CHECK;
void assay_manifest_declaration_free(assay_manifest_declaration *declaration);

/* Reads the manifest and checks everything that can be checked without decoding an image: opens
 * each file beneath root, and fills image_digest with the SHA-256 of its bytes (compared with the
 * sha256 column where there is one). All faults are in the one ASSAY_USAGE text, "FILE:LINE:COLUMN:
 * …", at most 100 of them and then a count. A file that is missing is a fault; a path that leaves
 * root is one. Warnings (two subjects with byte-identical images, columns ignored, a digest that
 * does not fit, which makes an EXCLUDED sample) go to progress->note and, one a line, into
 * *warnings. */
assay_status assay_manifest_read(const assay_manifest_declaration *declaration,
                                 const assay_progress *progress, assay_sample_table *out,
                                 assay_text *warnings) ASSAY_MUST_CHECK;

/* Writes the declared manifest as a CSV file at path, row by row and cell by cell as it came, with the
 * SHA-256 of each image in its column sha256 (the last one, where there was none). The manifest is
 * read and checked first, by assay_manifest_read; an image that is not the one that the manifest
 * has a digest of is ASSAY_USAGE, and nothing is written. */
typedef struct {
    uint64_t samples, subjects;
    uint64_t added;    /* digests that the manifest did not have */
    uint64_t formulas; /* cells that a spreadsheet would take for formulas */
} assay_manifest_hashes;
assay_status assay_manifest_write_hashes(const assay_manifest_declaration *declaration,
                                         const char *path, const assay_progress *progress,
                                         assay_manifest_hashes *out) ASSAY_MUST_CHECK;

/* Labels of templates made elsewhere: CSV with columns sample, subject (or sample_id, subject_id)
 * and any of the standard ones but path. declared (may be NULL) declares attributes; other columns
 * become categorical attributes (those named age… that hold only ages: numeric, in the bands 0-12,
 * 13-17, 18-35, 36-50, 51-65, 66+), subject-level where they are constant within each subject. */
assay_status assay_labels_read(const char *path, const assay_manifest_declaration *declared,
                               const assay_progress *progress,
                               assay_sample_table *out) ASSAY_MUST_CHECK;

/* The same of ids alone, as arrays have them: subjects[n] is who sample n is. Without samples
 * (NULL) these are called 1, 2 and so on. Messages call it all name, and number n from 1. */
assay_status assay_labels_of_ids(const char *name, const assay_text_list *samples,
                                 const assay_text_list *subjects,
                                 assay_sample_table *out) ASSAY_MUST_CHECK;

/* A pair list: CSV with columns reference, probe (sample ids of table); fills protocol's pairs. */
assay_status assay_pair_list_read(const char *path, const assay_sample_table *table,
                                  assay_protocol *protocol) ASSAY_MUST_CHECK;

#endif
