/* cmd_backends -- `assay backends`: who can compute comparisons on this machine, and why not. */
#include <string.h>

#include "harness/cli/command.h"
#include "kernels/backend.h"

typedef struct {
    bool json, quiet;
} backends_values;

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const backends_values *values = given;
    json_t *list = json_array();
    (void)arguments;
    (void)argument_count;
    for (size_t n = 0; n < assay_backend_count(); n++) {
        const assay_backend *backend = assay_backend_at(n);
        char line[256] = "";
        assay_status status = backend->probe(line, sizeof line);
        bool available = status == ASSAY_OK;
        const char *detail = available ? line : assay_error_text();
        if (!available && status != ASSAY_DECLINED) {
            json_decref(list);
            return assay_fail_in(status, "probing backend %s", backend->name);
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:b, s:s, s:s}", "name", backend->name, "available",
                                        available, "purpose", backend->purpose, "detail", detail));
        if (!values->json && !values->quiet)
            printf("%-12s%-12s%s\n%-24s%s\n", backend->name, available ? "available" : "declines",
                   backend->purpose, "", detail);
    }
    if (values->json) return assay_print_json(json_pack("{s:o}", "backends", list));
    json_decref(list);
    return ASSAY_OK;
}

static const assay_option options[] = {OPTION_JSON(backends_values), OPTION_QUIET(backends_values)};
static const backends_values defaults = {0};

const assay_command assay_command_backends = {
    .name = "backends",
    .purpose = "list the backends that this machine can use",
    .arguments = "",
    .description =
        "Asks every backend whether it can compute comparisons here. `--backend auto` takes the\n"
        "first one that can, from the top. All of them give the same scores, bit for bit.",
    .examples = (const char *const[]){"assay backends", "assay backends --json", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 0,
    .most_arguments = 0,
    .values_size = sizeof(backends_values),
    .defaults = &defaults,
    .run = run,
};
