/* score_form -- how the fine integer of a comparison stands for its score. Both forms keep order
 * and ties: of two scores the greater has the greater integer, and equal ones the same. */
#ifndef ASSAY_DATASETS_SCORE_FORM_H
#define ASSAY_DATASETS_SCORE_FORM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    /* score = fine * 2^(-2 exponent): what comparators of kernels/ compute in integers. */
    ASSAY_SCORE_SCALED = 0,
    /* fine is the place of the score among all doubles, counted from 0: the n-th double above 0
     * has place n, the n-th below it -n. For scores that were computed elsewhere: whatever double
     * came is kept exactly, and the exponent is 0. */
    ASSAY_SCORE_PLACED = 1,
} assay_score_form;

const char *assay_score_form_name(assay_score_form form); /* "scaled", "placed" */
bool assay_score_form_parse(const char *name, assay_score_form *out);

/* Places of finite doubles lie within this of 0. */
#define ASSAY_SCORE_PLACE_MOST INT64_C(0x7FEFFFFFFFFFFFFF)

/* The place of a finite score: the 63 bits behind the sign of its IEEE 754 binary64 form, negated
 * where the sign is set. Both zeros are at place 0. */
int64_t assay_score_place(double score);
/* The score at a place within ASSAY_SCORE_PLACE_MOST of 0; places beyond it give the infinity of
 * their side. */
double assay_score_at_place(int64_t place);

/* The score that fine stands for. exponent plays no part where form is ASSAY_SCORE_PLACED. */
double assay_score_of(assay_score_form form, int exponent, int64_t fine);

#endif
