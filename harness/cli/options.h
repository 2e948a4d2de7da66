/* options -- one table of options per command, which drives parsing, --help and did-you-mean.
 *
 * A command has a struct of its own for the values; each option names the field that it fills. The
 * struct starts with the defaults (assay_command.defaults), so that a default stands in one place.
 */
#ifndef ASSAY_HARNESS_CLI_OPTIONS_H
#define ASSAY_HARNESS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "datasets/base/status.h"

typedef struct {
    char **items; /* [count], NULL-terminated; NULL where the option was not given */
    size_t count;
} assay_option_words;

typedef struct {
    double *items; /* [count] */
    size_t count;
} assay_option_numbers;

typedef enum {
    ASSAY_OPTION_FLAG = 0, /* bool */
    ASSAY_OPTION_TEXT,     /* const char *, borrowed from the command line */
    ASSAY_OPTION_COUNT,    /* uint64_t in [low, high] */
    ASSAY_OPTION_SIZE,     /* uint64_t bytes: 512M, 8G, 1000000 */
    ASSAY_OPTION_EACH,     /* assay_option_words: one item every time that it is given */
    ASSAY_OPTION_WORDS,    /* assay_option_words: items between commas */
    ASSAY_OPTION_NUMBERS,  /* assay_option_numbers between commas */
} assay_option_kind;

typedef struct {
    const char *name; /* without the dashes */
    char letter;      /* or 0 */
    assay_option_kind kind;
    size_t offset;       /* of the field in the command's values */
    const char *value;   /* what stands for its value in the help; NULL for a flag */
    const char *purpose; /* one line, no full stop */
    const char *shown;   /* default as the help shows it, or NULL */
    uint64_t low, high;  /* COUNT */
    bool required;
} assay_option;

typedef struct assay_command {
    const char *name;
    const char *purpose;   /* one line */
    const char *arguments; /* "CONFIG", "FILE..." */
    const char *description;
    const char *const *examples; /* NULL-terminated */
    const assay_option *options; /* [option_count] */
    size_t option_count;
    size_t least_arguments, most_arguments; /* most SIZE_MAX: as many as are given */
    size_t values_size;
    const void *defaults; /* a struct of values_size bytes */
    /* values is the command's struct. What it prints goes to stdout; a fault is returned. */
    assay_status (*run)(const void *values, char **arguments, size_t argument_count);
    /* In place of run, for a command that is done with other exit statuses than 0 too;
     * exit_statuses are their lines in the help. */
    assay_status (*judge)(const void *values, char **arguments, size_t argument_count,
                          int *out_exit);
    const char *exit_statuses;
} assay_command;

/* Fills values (values_size bytes at least) and moves the arguments that are no options to
 * arguments[*out_count], borrowed from argv. argv[0] is the command's name. *out_help: --help was
 * asked for, and nothing else was checked. ASSAY_USAGE for anything that the table does not allow.
 */
assay_status assay_options_parse(const assay_command *command, int argc, char **argv, void *values,
                                 char ***out_arguments, size_t *out_count,
                                 bool *out_help) ASSAY_MUST_CHECK;
/* Frees the lists inside values. */
void assay_options_free(const assay_command *command, void *values);

/* Purpose, usage, options with their defaults, examples and exit statuses. */
void assay_options_help(const assay_command *command, FILE *out);

#endif
