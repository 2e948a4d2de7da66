/* enrolment -- what ingest, enroll and import say about each sample. */
#include "harness/enrolment.h"

#include <math.h>
#include <string.h>

#include "datasets/base/text.h"

/* Components from which on equal ones are no template but a fault: they say nothing of the sample,
 * and match each other. Vectors of fewer may be made by hand. */
enum { CONSTANT_LENGTH = 8 };

/* Cuts text at the start of the character that does not fit. */
static void cut(char *text, size_t limit) {
    size_t length = strlen(text);
    if (length <= limit) return;
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80) limit--;
    text[limit] = '\0';
}

assay_status assay_enrolment_set(assay_sample_table *table, uint64_t row, assay_enrolment enrolment,
                                 const char *reason) {
    const assay_labelled *reasons = &table->enrolment_reason;
    char label[1024];
    bool known = false;
    assay_printable(label, sizeof label, reason);
    cut(label, ASSAY_NAME_BYTES);
    for (uint32_t n = 0; n < reasons->label_count && !known; n++) {
        known = strcmp(reasons->labels[n], label) == 0;
    }
    table->enrolment[row] = (uint8_t)enrolment;
    bool room = known || reasons->label_count <= ASSAY_ENROLMENT_REASONS;
    return assay_labelled_set(&table->enrolment_reason, row, room ? label : "other reasons");
}

const char *assay_enrolment_vector_fault(const float *vector, uint32_t length) {
    bool zero = true, constant = length >= CONSTANT_LENGTH;
    for (uint32_t n = 0; n < length; n++) {
        if (!isfinite(vector[n])) return "NaN or infinite component";
        zero = zero && vector[n] == 0;
        constant = constant && vector[n] == vector[0];
    }
    return zero ? "all-zero vector" : constant ? "constant vector" : NULL;
}

void assay_enrolment_count(const assay_sample_table *table, const assay_digest *digest,
                           assay_enroll_result *out) {
    *out = (assay_enroll_result){.digest = *digest};
    for (uint64_t row = 0; row < table->row_count; row++) {
        switch ((assay_enrolment)table->enrolment[row]) {
        case ASSAY_ENROLMENT_ENROLLED:
            out->enrolled++;
            break;
        case ASSAY_ENROLMENT_REFUSED:
            out->refused++;
            break;
        case ASSAY_ENROLMENT_FAILED:
            out->failed++;
            break;
        case ASSAY_ENROLMENT_EXCLUDED:
            out->excluded++;
            break;
        case ASSAY_ENROLMENT_NONE:
            break;
        }
    }
}
