/* command -- what the commands share: how results are printed. */
#include "harness/cli/command.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

assay_status assay_print_json(json_t *object) {
    if (object == NULL) return assay_fail(ASSAY_FAILED, "no memory for the JSON of the result");
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(object);
    if (text == NULL) return assay_fail(ASSAY_FAILED, "no memory for the JSON of the result");
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

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

assay_status assay_take_numbers(const char *option, const assay_option_numbers *given, double low,
                                double high, double **numbers, uint32_t *count) {
    double *copy = NULL;
    char shown[ASSAY_NUMBER_SIZE];
    if (given->items == NULL) return ASSAY_OK;
    for (size_t n = 0; n < given->count; n++)
        if (given->items[n] < low || given->items[n] > high)
            return assay_fail(ASSAY_USAGE, "option --%s: %s is not between %g and %g", option,
                              assay_print_double(shown, given->items[n]), low, high);
    assay_status status = assay_allocate(&copy, given->count, sizeof *copy, "numbers");
    if (status != ASSAY_OK) return status;
    memcpy(copy, given->items, given->count * sizeof *copy);
    qsort(copy, given->count, sizeof *copy, descending);
    uint32_t kept = 0;
    for (size_t n = 0; n < given->count; n++)
        if (n == 0 || copy[n] != copy[n - 1]) copy[kept++] = copy[n];
    free(*numbers);
    *numbers = copy;
    *count = kept;
    return ASSAY_OK;
}

assay_status assay_take_counts(const char *option, const assay_option_numbers *given,
                               uint64_t **out, size_t *out_count) {
    uint64_t *counts = NULL;
    if (given->items == NULL) return ASSAY_OK;
    assay_status status = assay_allocate(&counts, given->count, sizeof *counts, "numbers");
    for (size_t n = 0; status == ASSAY_OK && n < given->count; n++) {
        double number = given->items[n];
        if (number >= 1 && number <= 1e9 && number == floor(number))
            counts[n] = (uint64_t)number;
        else
            status = assay_fail(ASSAY_USAGE, "option --%s: %g is not a whole number from 1", option,
                                number);
    }
    if (status == ASSAY_OK) {
        *out = counts;
        *out_count = given->count;
    } else {
        free(counts);
    }
    return status;
}
