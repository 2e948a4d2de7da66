/* xml -- XML of others, element by element, through Expat.
 *
 * A document type declaration is refused, and with it all entities but the five of XML itself and
 * characters by number: nothing grows, and nothing is fetched. Elements are at most 64 deep. */
#ifndef ASSAY_DATASETS_XML_H
#define ASSAY_DATASETS_XML_H

#include <stddef.h>

#include "datasets/base/status.h"

/* What is told in the order of the document; any may be NULL. Names come without their prefix, a
 * text as valid UTF-8, without a NUL behind it, and maybe in pieces. A status other than ASSAY_OK
 * ends the reading and is its result. */
typedef struct {
    /* attributes: name, value, name, value, …, NULL */
    assay_status (*start)(void *context, const char *name, const char *const *attributes);
    assay_status (*end)(void *context, const char *name);
    assay_status (*text)(void *context, const char *text, size_t length);
} assay_xml_events;

/* bytes[size] as one document; what is no well-formed XML is ASSAY_USAGE with its line. file is
 * what messages call it. */
assay_status assay_xml_parse(const char *file, const void *bytes, size_t size,
                             const assay_xml_events *events, void *context) ASSAY_MUST_CHECK;

/* Value of an attribute by its name without prefix, or NULL. */
const char *assay_xml_attribute(const char *const *attributes, const char *name);

#endif
