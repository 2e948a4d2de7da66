/* score_form -- scores and the integers that stand for them (score_form.h). */
#include "datasets/score_form.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const char *const form_names[] = {
    [ASSAY_SCORE_SCALED] = "scaled",
    [ASSAY_SCORE_PLACED] = "placed",
};

const char *assay_score_form_name(assay_score_form form) {
    return form_names[form];
}

bool assay_score_form_parse(const char *name, assay_score_form *out) {
    for (size_t n = 0; n < sizeof form_names / sizeof *form_names; n++) {
        if (strcmp(name, form_names[n]) != 0) continue;
        *out = (assay_score_form)n;
        return true;
    }
    return false;
}

int64_t assay_score_place(double score) {
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    const int64_t magnitude = (int64_t)(bits & INT64_MAX);
    return bits >> 63 ? -magnitude : magnitude;
}

double assay_score_at_place(int64_t place) {
    double score;
    if (place > ASSAY_SCORE_PLACE_MOST) return (double)INFINITY;
    if (place < -ASSAY_SCORE_PLACE_MOST) return -(double)INFINITY;
    const uint64_t bits = place < 0 ? (uint64_t)-place | UINT64_C(1) << 63 : (uint64_t)place;
    memcpy(&score, &bits, sizeof score);
    return score;
}

double assay_score_of(assay_score_form form, int exponent, int64_t fine) {
    if (form == ASSAY_SCORE_PLACED) return assay_score_at_place(fine);
    return ldexp((double)fine, -2 * exponent);
}
