/* comparator -- how two templates are compared, as people write it: a name of comparators.def, and
 * for bit strings its parameters: "hamming:shifts=8,minimum-valid-bits=512". */
#ifndef ASSAY_KERNELS_COMPARATOR_H
#define ASSAY_KERNELS_COMPARATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/hamming.h"
#include "kernels/quantise.h"

#define ASSAY_COMPARATOR_TEXT 96 /* bytes of the text of any comparator */

typedef struct {
    assay_comparator comparator;
    /* Of hamming; where they are not given: as the templates lie, and a quarter of their bits. */
    bool has_shifts, has_minimum;
    uint32_t shifts, minimum_valid_bits;
} assay_comparator_settings;

/* ASSAY_USAGE, naming what is not known or out of its range. */
assay_status assay_comparator_read(const char *text,
                                   assay_comparator_settings *out) ASSAY_MUST_CHECK;
/* The canonical text, with every parameter; settings of hamming must have both. */
void assay_comparator_print(const assay_comparator_settings *settings,
                            char out[ASSAY_COMPARATOR_TEXT]);
/* Fills what is not given, for templates of so many bits. */
void assay_comparator_complete(assay_comparator_settings *settings, uint32_t bits);
/* Whether evidence by the comparator `made` is what `asked` asks for: the same name, and the same
 * values of all parameters that it gives. */
bool assay_comparator_fits(const char *asked, const char *made);

#endif
