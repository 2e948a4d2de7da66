/* command -- what the commands share: the table of them and how results are printed. */
#ifndef ASSAY_HARNESS_CLI_COMMAND_H
#define ASSAY_HARNESS_CLI_COMMAND_H

#include <jansson.h>

#include "datasets/base/digest.h"
#include "datasets/base/progress.h"
#include "harness/cli/options.h"
#include "harness/cli/progress_bar.h"

#define COMMAND(variable) extern const assay_command variable;
#define GROUP(name, purpose)
#include "harness/cli/commands.def"
#undef COMMAND
#undef GROUP

/* Rows of a command's table that many commands have; values is the struct, with the named fields.
 */
#define OPTION_QUIET(values)                                                                       \
    {                                                                                              \
        .name = "quiet", .letter = 'q', .kind = ASSAY_OPTION_FLAG,                                 \
        .offset = offsetof(values, quiet),                                                         \
        .purpose = "no progress, no notes, no results but --json's; only faults"                   \
    }
#define OPTION_JSON(values)                                                                        \
    {                                                                                              \
        .name = "json", .kind = ASSAY_OPTION_FLAG, .offset = offsetof(values, json),               \
        .purpose = "the result as JSON on standard output, notes on standard error"                \
    }
#define OPTION_OUTPUT(values, what)                                                                \
    {                                                                                              \
        .name = "output", .letter = 'o', .kind = ASSAY_OPTION_TEXT,                                \
        .offset = offsetof(values, output), .value = "PATH", .purpose = what, .required = true     \
    }
#define OPTION_THREADS(values)                                                                     \
    {                                                                                              \
        .name = "threads", .kind = ASSAY_OPTION_COUNT, .offset = offsetof(values, threads),        \
        .value = "N", .purpose = "threads that compute", .shown = "as many as there are cores",    \
        .low = 1, .high = 1024                                                                     \
    }

/* Numbers of the command line in place of *numbers, sorted descending, each once; nothing where the
 * option was not given, ASSAY_USAGE where one lies outside low to high. */
assay_status assay_take_numbers(const char *option, const assay_option_numbers *given, double low,
                                double high, double **numbers, uint32_t *count) ASSAY_MUST_CHECK;

/* Numbers of the command line as whole ones from 1; NULL where the option was not given.
 * ASSAY_USAGE for another number. */
assay_status assay_take_counts(const char *option, const assay_option_numbers *given,
                               uint64_t **out, size_t *out_count) ASSAY_MUST_CHECK;

/* Prints object to stdout with two blanks of indent and frees it. ASSAY_FAILED where object is NULL
 * (a value that JSON cannot hold, no memory). A write error is found when main closes stdout. */
assay_status assay_print_json(json_t *object) ASSAY_MUST_CHECK;
/* A hexadecimal JSON string. */
json_t *assay_json_digest(const assay_digest *digest);
/* "mated      207" for people: name, blanks, text. */
void assay_print_field(const char *name, const char *format, ...) ASSAY_PRINTF(2, 3);

#endif
