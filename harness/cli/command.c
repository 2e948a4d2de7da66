/* command -- what the commands share: how results are printed. */
#include "harness/cli/command.h"

#include <stdarg.h>
#include <stdlib.h>

assay_status assay_print_json(json_t *object) {
    if (object == NULL) return assay_fail(ASSAY_FAILED, "cannot make the JSON of the result");
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(object);
    if (text == NULL) return assay_fail(ASSAY_FAILED, "cannot make the JSON of the result");
    puts(text);
    free(text);
    return ASSAY_OK;
}

json_t *assay_json_digest(const assay_digest *digest) {
    char hex[ASSAY_DIGEST_HEX];
    return json_string(assay_digest_hex(hex, digest));
}

void assay_print_field(const char *name, const char *format, ...) {
    va_list arguments;
    printf("%-12s", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}
