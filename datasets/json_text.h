/* json_text -- JSON read from text, with "memory was out" told apart from "it is malformed".
 * Private to datasets/. */
#ifndef ASSAY_DATASETS_JSON_TEXT_H
#define ASSAY_DATASETS_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "datasets/base/status.h"

/* *out is NULL, and *where (may be NULL) says why, where bytes are no JSON; json_decref().
 * ASSAY_FAILED only where memory is out; what names the text. */
assay_status assay_json_read(const char *what, const char *bytes, size_t length, json_t **out,
                             json_error_t *where) ASSAY_MUST_CHECK;

#endif
