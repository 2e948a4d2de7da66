/* imported -- what the imports of scores share on the command line: options, and the result. */
#ifndef ASSAY_HARNESS_CLI_IMPORTED_H
#define ASSAY_HARNESS_CLI_IMPORTED_H

#include "harness/cli/command.h"
#include "harness/imports.h"
#include "harness/outputs.h"

typedef struct {
    const char *release, *version, *dataset, *failed;
    assay_option_numbers fmr_targets, thresholds;
    uint64_t tail_cap;
    bool distance, same_session;
} import_options;

#define IMPORT_OPTION(values, field, member, option_name, option_kind, ...)                        \
    {                                                                                              \
        .name = option_name, .kind = option_kind,                                                  \
        .offset = offsetof(values, field) + offsetof(import_options, member), __VA_ARGS__          \
    }
#define IMPORT_OPTIONS(values, field)                                                              \
    IMPORT_OPTION(values, field, release, "release", ASSAY_OPTION_TEXT, .value = "NAME",           \
                  .purpose = "what people call the release", .required = true),                    \
        IMPORT_OPTION(values, field, version, "version", ASSAY_OPTION_TEXT, .value = "V",          \
                      .purpose = "the release's version", .required = true),                       \
        IMPORT_OPTION(values, field, dataset, "dataset", ASSAY_OPTION_TEXT, .value = "NAME",       \
                      .purpose = "name of the data set", .shown = "imported"),                     \
        IMPORT_OPTION(values, field, distance, "distance", ASSAY_OPTION_FLAG,                      \
                      .purpose = "the numbers are distances: lower is more similar"),              \
        IMPORT_OPTION(values, field, failed, "failed", ASSAY_OPTION_TEXT, .value = "NUMBER",       \
                      .purpose = "a number that stands for \"no score\", as nan does"),            \
        IMPORT_OPTION(values, field, fmr_targets, "fmr-targets", ASSAY_OPTION_NUMBERS,             \
                      .value = "F,F...", .purpose = "false match rates to set thresholds for",     \
                      .shown = "1e-3,1e-4,1e-5,1e-6"),                                             \
        IMPORT_OPTION(values, field, thresholds, "thresholds", ASSAY_OPTION_NUMBERS,               \
                      .value = "T,T...",                                                           \
                      .purpose = "thresholds from outside, as the numbers are"),                   \
        IMPORT_OPTION(values, field, tail_cap, "tail-cap", ASSAY_OPTION_COUNT, .value = "N",       \
                      .low = 1, .high = (uint64_t)1 << 32,                                         \
                      .purpose = "most non-mated scores that are taken", .shown = "67108864")

/* Those of imports that know samples. */
#define IMPORT_SAMPLE_OPTIONS(values, field)                                                       \
    IMPORT_OPTION(values, field, same_session, "same-session", ASSAY_OPTION_FLAG,                  \
                  .purpose = "mated comparisons within one session count (optimistic)")

/* Values to what imports are told; out borrows from both. The protocol is the caller's to free. */
assay_status assay_import_options_take(const import_options *values, assay_protocol *protocol,
                                       assay_import_about *out) ASSAY_MUST_CHECK;

/* assay_outputs_check against the files of sources (datasets/array_file.h; NULL: none). */
assay_status assay_import_check_output(const assay_output *output, const char *const *sources,
                                       size_t count) ASSAY_MUST_CHECK;

assay_status assay_print_imported(const char *path, bool json, bool quiet,
                                  const assay_import_result *result) ASSAY_MUST_CHECK;

#endif
