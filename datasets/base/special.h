/* special -- special functions of Boost.Math behind a C face. */
#ifndef ASSAY_DATASETS_BASE_SPECIAL_H
#define ASSAY_DATASETS_BASE_SPECIAL_H

#ifdef __cplusplus
extern "C" {
#endif

/* Regularised incomplete beta I_x(a, b) and 1 - I_x(a, b); NaN outside a, b > 0, 0 <= x <= 1. */
double assay_beta_below(double a, double b, double x);
double assay_beta_above(double a, double b, double x);

/* The x at which I_x(a, b) is share, to 1e-12 of itself for a and b up to 1e12 and x down to
 * 1e-300; NaN outside a, b > 0, 0 <= share <= 1. */
double assay_beta_quantile(double a, double b, double share);

/* The value below which share of Student's t with so many degrees of freedom lies; the normal
 * distribution's where degrees is INFINITY. NaN outside degrees > 0, 0 < share < 1. */
double assay_student_quantile(double degrees, double share);

#ifdef __cplusplus
}
#endif
#endif
