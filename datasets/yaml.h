/* yaml -- a configuration file as a tree with places, and a schema walk that tells every fault of
 * it in one pass: unknown keys with the nearest known one, wrong types, values out of range,
 * duplicates, missing keys; each as "FILE:LINE:COLUMN: …" with the line and a caret under it.
 *
 * The file is at most 64 KiB and at most 64 levels deep. ${NAME} in a scalar is replaced by the
 * environment's value; an unset name is a fault (${NAME:-default} gives one). */
#ifndef ASSAY_DATASETS_YAML_H
#define ASSAY_DATASETS_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/base/status.h"
#include "datasets/base/text.h"

typedef enum { ASSAY_YAML_SCALAR, ASSAY_YAML_LIST, ASSAY_YAML_MAP } assay_yaml_kind;

typedef struct assay_yaml_node {
    assay_yaml_kind kind;
    char *text; /* SCALAR, after ${} replacement */
    bool quoted;
    struct assay_yaml_node **items; /* LIST: items; MAP: values */
    char **keys;                    /* MAP: [count] */
    size_t count;
    size_t line, column;             /* from 1 */
    size_t *key_lines, *key_columns; /* MAP: [count] */
} assay_yaml_node;

typedef struct {
    char *path;
    char *source; /* the file's text */
    assay_yaml_node *root;
    assay_text faults; /* all told so far, one block each */
    size_t fault_count;
} assay_yaml;

/* Reads path; a syntax error is ASSAY_USAGE with its place. */
assay_status assay_yaml_read(const char *path, assay_yaml *out) ASSAY_MUST_CHECK;
void assay_yaml_free(assay_yaml *yaml);

/* Notes a fault at a place. */
void assay_yaml_fault(assay_yaml *yaml, size_t line, size_t column, const char *format, ...)
    ASSAY_PRINTF(4, 5);
/* ASSAY_OK where no fault was noted, else ASSAY_USAGE with all of them as its text. */
assay_status assay_yaml_verdict(const assay_yaml *yaml) ASSAY_MUST_CHECK;

/* Faults every key of map that is not among known[count]. A node that is no map is a fault too. */
bool assay_yaml_check_keys(assay_yaml *yaml, const assay_yaml_node *map, const char *const *known,
                           size_t count);
/* Value of key, or NULL where it is not there. */
const assay_yaml_node *assay_yaml_get(const assay_yaml_node *map, const char *key);
/* As assay_yaml_get, and a fault where it is not there. */
const assay_yaml_node *assay_yaml_need(assay_yaml *yaml, const assay_yaml_node *map,
                                       const char *key);

/* Conversions; on a fault they note it and return false, *out untouched. node NULL returns false.
 */
bool assay_yaml_string(assay_yaml *yaml, const assay_yaml_node *node,
                       const char **out); /* borrowed */
bool assay_yaml_double(assay_yaml *yaml, const assay_yaml_node *node, double low, double high,
                       double *out);
bool assay_yaml_uint(assay_yaml *yaml, const assay_yaml_node *node, uint64_t low, uint64_t high,
                     uint64_t *out);
bool assay_yaml_bool(assay_yaml *yaml, const assay_yaml_node *node, bool *out); /* true, false */
/* Index of the scalar in words[count]. */
bool assay_yaml_word(assay_yaml *yaml, const assay_yaml_node *node, const char *const *words,
                     size_t count, size_t *out);

#endif
