/* xml -- XML of others, element by element (xml.h). */
#include "datasets/xml.h"

#include <string.h>

#include <expat.h>

#define DEPTH_MOST 64u
#define STEP (1 << 20) /* Expat counts in int */

typedef struct {
    const char *file;
    XML_Parser parser;
    const assay_xml_events *events;
    void *context;
    unsigned depth;
    assay_status status;
} xml_reading;

static const char *local_name(const char *name) {
    const char *colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

static unsigned long line_of(const xml_reading *in) {
    return (unsigned long)XML_GetCurrentLineNumber(in->parser);
}

/* The first status that is not ASSAY_OK stays. */
static void note(xml_reading *in, assay_status status) {
    if (status == ASSAY_OK || in->status != ASSAY_OK) return;
    in->status = status;
    XML_StopParser(in->parser, XML_FALSE);
}

static void XMLCALL meet_start(void *context, const XML_Char *name, const XML_Char **attributes) {
    xml_reading *in = context;
    if (in->status != ASSAY_OK) return;
    if (++in->depth > DEPTH_MOST) {
        note(in, assay_fail(ASSAY_USAGE, "%s:%lu: elements are more than %u deep", in->file,
                            line_of(in), DEPTH_MOST));
    } else if (in->events->start != NULL) {
        note(in, in->events->start(in->context, local_name(name), (const char *const *)attributes));
    }
}

static void XMLCALL meet_end(void *context, const XML_Char *name) {
    xml_reading *in = context;
    if (in->status != ASSAY_OK) return;
    in->depth--;
    if (in->events->end != NULL) note(in, in->events->end(in->context, local_name(name)));
}

static void XMLCALL meet_text(void *context, const XML_Char *text, int length) {
    xml_reading *in = context;
    if (in->status == ASSAY_OK && in->events->text != NULL)
        note(in, in->events->text(in->context, text, (size_t)length));
}

static void XMLCALL meet_doctype(void *context, const XML_Char *name, const XML_Char *system,
                                 const XML_Char *public, int has_subset) {
    xml_reading *in = context;
    (void)name, (void)system, (void)public, (void)has_subset;
    note(in, assay_fail(ASSAY_USAGE,
                        "%s:%lu: a document type is declared; expected XML without one, so that no "
                        "entity is",
                        in->file, line_of(in)));
}

static assay_status parse(xml_reading *in, const char *bytes, size_t size) {
    size_t at = 0;
    do {
        const size_t step = size - at < STEP ? size - at : STEP;
        const enum XML_Status parsed =
            XML_Parse(in->parser, bytes + at, (int)step, at + step == size);
        if (in->status != ASSAY_OK) return in->status;
        if (parsed != XML_STATUS_OK)
            return assay_fail(ASSAY_USAGE, "%s:%lu: not well-formed XML: %s", in->file, line_of(in),
                              XML_ErrorString(XML_GetErrorCode(in->parser)));
        at += step;
    } while (at < size);
    return ASSAY_OK;
}

assay_status assay_xml_parse(const char *file, const void *bytes, size_t size,
                             const assay_xml_events *events, void *context) {
    xml_reading in = {.file = file, .events = events, .context = context};
    in.parser = XML_ParserCreate(NULL);
    if (in.parser == NULL) return assay_fail(ASSAY_FAILED, "no memory for reading %s", file);
    XML_SetUserData(in.parser, &in);
    XML_SetElementHandler(in.parser, meet_start, meet_end);
    XML_SetCharacterDataHandler(in.parser, meet_text);
    XML_SetStartDoctypeDeclHandler(in.parser, meet_doctype);
    const assay_status status = parse(&in, bytes, size);
    XML_ParserFree(in.parser);
    return status;
}

const char *assay_xml_attribute(const char *const *attributes, const char *name) {
    for (; attributes[0] != NULL; attributes += 2)
        if (strcmp(local_name(attributes[0]), name) == 0) return attributes[1];
    return NULL;
}
