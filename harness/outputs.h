/* outputs -- what a command may write over: nothing that it reads, nothing that somebody else made.
 *
 * Every command asks before it works, and `run` for all its steps at once. A file counts as made by
 * assay where its seal says so (FORMAT.md, "Seals"), a folder where the JSON in it does. */
#ifndef ASSAY_HARNESS_OUTPUTS_H
#define ASSAY_HARNESS_OUTPUTS_H

#include <stddef.h>

#include "datasets/base/lock.h"
#include "datasets/base/status.h"

typedef struct {
    const char *path; /* NULL: not asked for */
    const char *what; /* of its seal: "dataset", "templates", "evidence", "matrix", "rows" */
} assay_output;

/* ASSAY_USAGE where an output or its seal would be the same file as an input (NULL: none) or as
 * another output: same device and inode, or same folder and name where neither is there yet; and
 * where an output is there and is anything but a sealed file of its kind. Nothing is changed. */
assay_status assay_outputs_check(const assay_output *outputs, size_t output_count,
                                 const char *const *inputs, size_t input_count) ASSAY_MUST_CHECK;

/* The right to write outputs, and nobody else beside us (lock.h). What processes that are no more
 * left half written of them is removed. *out takes a zeroed one and is released in any case. */
typedef struct {
    assay_lock *locks; /* [count] */
    size_t count;
} assay_output_locks;
assay_status assay_outputs_lock(const assay_output *outputs, size_t output_count,
                                assay_output_locks *out) ASSAY_MUST_CHECK;
void assay_outputs_unlock(assay_output_locks *locks);

/* What assay_outputs_check asks, for outputs that are folders, of which only files of these names
 * are ever replaced. */
typedef enum {
    ASSAY_FOLDER_REPORT = 0, /* index.html, summary.json, tables/, plots/ */
    ASSAY_FOLDER_GATE,       /* verdict.json, index.html */
    ASSAY_FOLDER_WORKLISTS,  /* worklists.json and a CSV for each kind */
    ASSAY_FOLDER_TEMPLATES,  /* of a synthetic population: truth.json, labels.csv, templates.npy,
                                 of codes masks.npy and assay.yaml too */
} assay_folder_kind;
/* ASSAY_USAGE where path is a file, or a folder in which one of the names is there and was not
 * written by assay. */
assay_status assay_output_folder_check(const char *path, assay_folder_kind kind) ASSAY_MUST_CHECK;

#endif
