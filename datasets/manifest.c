/* manifest -- from a declaration to a sample table: the order of the steps, and the faults they
 * share.
 *
 * manifest_declare.c reads the declaration; manifest_csv.c or manifest_files.c makes a grid of
 * cells; manifest_rows.c and manifest_attributes.c make the table of it; manifest_images.c opens
 * the files. Faults are collected over all of them and told at the end. */
#include "datasets/manifest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/manifest_private.h"

enum { SHOWN_FAULTS = 100, SHOWN_BYTES = 24000 }; /* an explanation holds 32 KiB */

const char *const assay_standard_columns[ASSAY_COLUMN_COUNT] = {
    [ASSAY_COLUMN_SAMPLE_ID] = "sample_id",
    [ASSAY_COLUMN_PATH] = "path",
    [ASSAY_COLUMN_SUBJECT_ID] = "subject_id",
    [ASSAY_COLUMN_INSTANCE] = "instance",
    [ASSAY_COLUMN_SESSION] = "session",
    [ASSAY_COLUMN_CAPTURED] = "captured",
    [ASSAY_COLUMN_ENVIRONMENT] = "environment",
    [ASSAY_COLUMN_QUALITY] = "quality",
    [ASSAY_COLUMN_SHA256] = "sha256",
    [ASSAY_COLUMN_LEGAL_BASIS] = "legal_basis",
    [ASSAY_COLUMN_RETAIN_UNTIL] = "retain_until",
};

/* ---- faults and warnings ---- */

/* Of one line, whatever names are in it. */
static size_t make_line(char *out, size_t size, const char *format, va_list arguments) {
    char message[2048];
    if (vsnprintf(message, sizeof message, format, arguments) < 0) message[0] = '\0';
    return strlen(assay_printable(out, size, message));
}

void assay_faults_add(assay_faults *faults, const char *format, ...) {
    char message[2048];
    va_list arguments;
    faults->count++;
    va_start(arguments, format);
    const size_t length = make_line(message, sizeof message, format, arguments);
    va_end(arguments);
    if (faults->shown >= SHOWN_FAULTS) return;
    if (faults->shown > 0 && faults->text.length + length > SHOWN_BYTES) return;
    assay_text_appendf(&faults->text, "%s\n", message);
    faults->shown++;
}

assay_status assay_faults_verdict(const assay_faults *faults, const char *what) {
    if (faults->count == 0) return ASSAY_OK;
    assay_status status = assay_text_status(&faults->text);
    if (status != ASSAY_OK) return status;
    int length = (int)faults->text.length;
    while (length > 0 && faults->text.bytes[length - 1] == '\n') length--;
    if (faults->count == 1) return assay_fail(ASSAY_USAGE, "%.*s", length, faults->text.bytes);
    if (faults->count == faults->shown) {
        return assay_fail(ASSAY_USAGE, "%zu faults in %s:\n%.*s", faults->count, what, length,
                          faults->text.bytes);
    }
    return assay_fail(ASSAY_USAGE,
                      "%zu faults in %s, of which the first %zu:\n%.*s\n… and %zu more",
                      faults->count, what, faults->shown, length, faults->text.bytes,
                      faults->count - faults->shown);
}

void assay_manifest_warn(const assay_progress *progress, assay_text *warnings, const char *format,
                         ...) {
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)make_line(message, sizeof message, format, arguments);
    va_end(arguments);
    assay_progress_note(progress, "%s", message);
    if (warnings) assay_text_appendf(warnings, "%s\n", message);
}

/* ---- the plan of a manifest's columns ---- */

static void find_standard(const assay_manifest_declaration *declaration, const assay_grid *grid,
                          assay_faults *faults, assay_table_plan *plan) {
    char hint[1024];
    for (size_t n = 0; n < ASSAY_COLUMN_COUNT; n++) {
        const char *named = declaration->column_names[n];
        const char *name = named ? named : assay_standard_columns[n];
        bool is_needed =
            n == ASSAY_COLUMN_SAMPLE_ID || n == ASSAY_COLUMN_PATH || n == ASSAY_COLUMN_SUBJECT_ID;
        plan->standard[n] = assay_grid_column(grid, name);
        if (plan->standard[n] != ASSAY_NO_COLUMN || (!named && !is_needed)) continue;
        assay_faults_add(faults, "%s:1:1: the header has no column '%s'%s%s; %s", grid->path, name,
                         named ? ", which is declared to be " : "",
                         named ? assay_standard_columns[n] : "",
                         assay_suggest(hint, sizeof hint, name, (const char *const *)grid->columns,
                                       grid->column_count));
    }
}

static void warn_unused(const assay_table_plan *plan, const assay_grid *grid,
                        const assay_progress *progress, assay_text *warnings) {
    assay_text unused = {0};
    for (size_t n = 0; n < grid->column_count; n++) {
        bool is_used = false;
        for (size_t k = 0; k < ASSAY_COLUMN_COUNT; k++) is_used |= plan->standard[k] == n;
        for (size_t k = 0; k < plan->attribute_count; k++) {
            is_used |= plan->attributes[k].column == n;
        }
        if (is_used) continue;
        assay_text_appendf(&unused, "%s%s", unused.length ? ", " : "", grid->columns[n]);
    }
    if (unused.length) {
        assay_manifest_warn(progress, warnings, "%s: columns that are not used: %s", grid->path,
                            unused.bytes);
    }
    assay_text_free(&unused);
}

assay_status assay_manifest_grid(const assay_manifest_declaration *declaration,
                                 const assay_progress *progress, assay_faults *faults,
                                 assay_text *warnings, assay_grid *out) {
    if (declaration->csv) return assay_grid_read(declaration->csv, faults, out);
    return assay_manifest_match(declaration, progress, faults, warnings, out);
}

assay_status assay_manifest_read(const assay_manifest_declaration *declaration,
                                 const assay_progress *progress, assay_sample_table *out,
                                 assay_text *warnings) {
    assay_grid grid = {0};
    assay_faults faults = {0};
    assay_table_plan plan = {.attributes = NULL};
    assay_sample_table table = {0};
    assay_status status = ASSAY_OK;

    status = assay_manifest_grid(declaration, progress, &faults, warnings, &grid);
    if (status != ASSAY_OK) goto out;
    if (grid.row_count == 0) { /* which is a fault, told already */
        status = assay_faults_verdict(&faults, "the manifest");
        goto out;
    }
    size_t before = faults.count;
    find_standard(declaration, &grid, &faults, &plan);
    status = assay_plan_attributes(declaration, &grid, 0, &faults, &plan);
    if (status != ASSAY_OK) goto out;
    if (faults.count > before) { /* rows mean nothing under the wrong columns */
        status = assay_faults_verdict(&faults, "the manifest");
        goto out;
    }
    warn_unused(&plan, &grid, progress, warnings);
    status = assay_table_build(&plan, &grid, &faults, &table);
    if (status != ASSAY_OK) goto out;
    status = assay_manifest_hash(declaration, &grid, plan.standard[ASSAY_COLUMN_PATH], progress,
                                 &faults, warnings, &table);
    if (status != ASSAY_OK) goto out;
    status = assay_faults_verdict(&faults, "the manifest");
    if (status != ASSAY_OK) goto out;
    *out = table;
    memset(&table, 0, sizeof table);
out:
    assay_sample_table_free(&table);
    assay_text_free(&faults.text);
    free(plan.attributes);
    assay_grid_free(&grid);
    return status;
}
