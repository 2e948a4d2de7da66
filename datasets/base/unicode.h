/* unicode -- which characters must not reach a name or a terminal; used inside datasets/base. */
#ifndef ASSAY_DATASETS_BASE_UNICODE_H
#define ASSAY_DATASETS_BASE_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* Controls (C0, DEL, C1), controls of writing direction (U+061C, U+200E-F, U+202A-E, U+2066-9) and
 * the separators of lines and paragraphs (U+2028-9). */
bool assay_unicode_is_unseen(int32_t point);

#endif
