/* cmd_info -- `assay info FILE`: what a container says about itself. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/base/text.h"
#include "datasets/containers.h"
#include "harness/cli/command.h"

#define NAME_WIDTH 34

typedef struct {
    bool json, quiet;
} info_values;

/* One line per scalar: "table.row_count   204"; objects and lists by dots. */
static void print_value(const char *name, const json_t *value) {
    const char *key;
    json_t *item;
    size_t index;
    char path[256];
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, item) {
            snprintf(path, sizeof path, "%s%s%s", name, name[0] == '\0' ? "" : ".", key);
            print_value(path, item);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, item) {
            snprintf(path, sizeof path, "%s[%zu]", name, index);
            print_value(path, item);
        }
    } else if (json_is_string(value)) {
        printf("%-*s %s\n", NAME_WIDTH, name, json_string_value(value));
    } else if (json_is_real(value)) {
        char number[ASSAY_NUMBER_SIZE];
        printf("%-*s %s\n", NAME_WIDTH, name, assay_print_double(number, json_real_value(value)));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        printf("%-*s %s\n", NAME_WIDTH, name, text == NULL ? "?" : text);
        free(text);
    }
}

static assay_status run(const void *given, char **arguments, size_t argument_count) {
    const info_values *values = given;
    char *text = NULL;
    struct stat about;
    (void)argument_count;
    if (stat(arguments[0], &about) == 0 && S_ISDIR(about.st_mode))
        return assay_fail(ASSAY_USAGE,
                          "%s is a folder, expected a file of assay (assay verify takes folders)",
                          arguments[0]);
    assay_status status = assay_container_describe(arguments[0], &text);
    if (status != ASSAY_OK) return status;
    json_t *object = json_loads(text, JSON_DECODE_ANY, NULL);
    free(text);
    if (values->json || object == NULL) return assay_print_json(object);
    if (!values->quiet) print_value("", object);
    json_decref(object);
    return ASSAY_OK;
}

static const assay_option options[] = {OPTION_JSON(info_values), OPTION_QUIET(info_values)};
static const info_values defaults = {0};

const assay_command assay_command_info = {
    .name = "info",
    .purpose = "say what a data set, templates or evidence file holds",
    .arguments = "FILE",
    .description =
        "Prints kind, format version, counts, digests and provenance of a file of assay.",
    .examples =
        (const char *const[]){"assay info evidence.h5", "assay info dataset.h5 --json", NULL},
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .least_arguments = 1,
    .most_arguments = 1,
    .values_size = sizeof(info_values),
    .defaults = &defaults,
    .run = run,
};
