/* sigset -- sets of signatures of the Biometric Evaluation Environment (sigset.h). */
#include "datasets/sigset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "datasets/manifest.h"
#include "datasets/manifest_private.h"
#include "datasets/xml.h"

#define FILE_BYTES_MOST ((size_t)1 << 30)

void assay_sigset_free(assay_sigset *set) {
    assay_text_list_free(&set->samples);
    assay_text_list_free(&set->subjects);
}

/* ---- reading ---- */

typedef struct {
    const char *file;
    assay_sigset set;
    unsigned depth;         /* of the elements that are open */
    unsigned presentations; /* of the signature that is open */
} sigset_reading;

static assay_status refuse(const sigset_reading *in, const char *what, const char *name) {
    char shown[160];
    return assay_fail(ASSAY_USAGE, "%s: signature %" PRIu64 ": %s '%s'", in->file,
                      in->set.subjects.count, what, assay_printable(shown, sizeof shown, name));
}

static assay_status start_signature(sigset_reading *in, const char *const *attributes) {
    const char *subject = assay_xml_attribute(attributes, "name");
    in->presentations = 0;
    if (subject == NULL || *subject == '\0')
        return assay_fail(ASSAY_USAGE,
                          "%s: signature %" PRIu64 " has no name; expected that of its subject",
                          in->file, in->set.subjects.count + 1);
    return assay_text_list_add(&in->set.subjects, subject, strlen(subject));
}

static assay_status start_presentation(sigset_reading *in, const char *const *attributes) {
    const char *name = assay_xml_attribute(attributes, "name");
    if (name == NULL || *name == '\0') name = assay_xml_attribute(attributes, "file-name");
    if (name == NULL || *name == '\0')
        return assay_fail(ASSAY_USAGE,
                          "%s: signature %" PRIu64
                          " has a presentation with neither name nor file-name",
                          in->file, in->set.subjects.count);
    if (in->presentations++ > 0)
        return refuse(in, "expected one presentation, and there is also", name);
    return assay_text_list_add(&in->set.samples, name, strlen(name));
}

static assay_status meet_start(void *context, const char *name, const char *const *attributes) {
    sigset_reading *in = context;
    const unsigned depth = in->depth++;
    if (depth == 0 && strcmp(name, "biometric-signature-set") != 0)
        return refuse(in, "expected an element 'biometric-signature-set' around all, met", name);
    if (depth == 1 && strcmp(name, "biometric-signature") != 0)
        return refuse(in, "expected an element 'biometric-signature' behind it, met", name);
    if (depth == 2 && strcmp(name, "presentation") != 0)
        return refuse(in, "expected an element 'presentation', met", name);
    if (depth == 1) return start_signature(in, attributes);
    return depth == 2 ? start_presentation(in, attributes) : ASSAY_OK;
}

static assay_status meet_end(void *context, const char *name) {
    sigset_reading *in = context;
    (void)name;
    if (--in->depth == 1 && in->presentations == 0)
        return assay_fail(ASSAY_USAGE, "%s: signature %" PRIu64 " has no presentation", in->file,
                          in->set.subjects.count);
    return ASSAY_OK;
}

assay_status assay_sigset_parse(const char *name, const void *bytes, size_t size,
                                assay_sigset *out) {
    static const assay_xml_events events = {.start = meet_start, .end = meet_end};
    sigset_reading in = {.file = name};
    assay_status status = assay_xml_parse(name, bytes, size, &events, &in);
    if (status == ASSAY_OK && in.set.samples.count == 0)
        status = assay_fail(ASSAY_USAGE, "%s holds no signature", name);
    if (status == ASSAY_OK)
        *out = in.set;
    else
        assay_sigset_free(&in.set);
    return status;
}

assay_status assay_sigset_read(const char *path, assay_sigset *out) {
    char *bytes = NULL;
    size_t length = 0;
    assay_status status = assay_file_read(path, FILE_BYTES_MOST, &bytes, &length);
    if (status == ASSAY_OK) status = assay_sigset_parse(path, bytes, length, out);
    free(bytes);
    return status;
}

bool assay_sigset_is(const char *path) {
    char start[64];
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return false;
    const size_t length = fread(start, 1, sizeof start, file);
    fclose(file);
    size_t at = length >= 3 && memcmp(start, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < length && memchr(" \t\r\n", start[at], 4) != NULL) at++;
    return at < length && start[at] == '<';
}

/* ---- labels ---- */

/* Adds to the union what is not in it; index numbers its samples. */
static assay_status unite(const char *name, const assay_sigset *from, assay_index *index,
                          assay_sigset *to) {
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < from->samples.count; n++) {
        const char *sample = assay_text_list_at(&from->samples, n);
        const char *subject = assay_text_list_at(&from->subjects, n);
        char a[160], b[160], c[160];
        uint32_t number = 0;
        bool is_new = false;
        status = assay_index_add(index, sample, &number, &is_new);
        if (status != ASSAY_OK) break;
        if (is_new) {
            status = assay_text_list_add(&to->samples, sample, strlen(sample));
            if (status == ASSAY_OK)
                status = assay_text_list_add(&to->subjects, subject, strlen(subject));
        } else if (strcmp(assay_text_list_at(&to->subjects, number), subject) != 0) {
            status =
                assay_fail(ASSAY_USAGE, "%s: the sample '%s' is of subject '%s' and of '%s'", name,
                           assay_printable(a, sizeof a, sample),
                           assay_printable(b, sizeof b, assay_text_list_at(&to->subjects, number)),
                           assay_printable(c, sizeof c, subject));
        }
    }
    return status;
}

assay_status assay_sigset_labels(const char *name, const assay_sigset *a, const assay_sigset *b,
                                 assay_sample_table *out) {
    assay_index *index = NULL;
    assay_sigset both = {.samples = {0}};
    assay_status status = assay_index_open(&index);
    if (status == ASSAY_OK) status = unite(name, a, index, &both);
    if (status == ASSAY_OK) status = unite(name, b, index, &both);
    if (status == ASSAY_OK) status = assay_labels_of_ids(name, &both.samples, &both.subjects, out);
    assay_index_free(index);
    assay_sigset_free(&both);
    return status;
}
