/* special -- special functions of Boost.Math behind a C face. */
#ifndef ASSAY_DATASETS_BASE_SPECIAL_H
#define ASSAY_DATASETS_BASE_SPECIAL_H

#ifdef __cplusplus
extern "C" {
#endif

/* Regularised incomplete beta I_x(a, b) and 1 - I_x(a, b); NaN outside a, b > 0, 0 <= x <= 1. */
double assay_beta_below(double a, double b, double x);
double assay_beta_above(double a, double b, double x);

#ifdef __cplusplus
}
#endif
#endif
