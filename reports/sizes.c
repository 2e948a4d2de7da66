/* sizes -- how many subjects a statement needs (sizes.h). */
#include "reports/sizes.h"

#include <math.h>

#include "datasets/base/special.h"

#define SIZE_MOST 1e15 /* more subjects than this are as good as none to be had */

static double normal(double share) {
    return assay_student_quantile((double)INFINITY, share);
}

/* A number of subjects that is met exactly must not be one too many for a last digit. */
static double whole(double subjects) {
    return subjects < SIZE_MOST ? ceil(subjects) : (double)INFINITY;
}

double assay_size_fmr(double fmr, double relative, double propensity_cv2, double alpha) {
    double width = log1p(relative) / normal(1 - alpha / 2), wanted = width * width;
    double low = 2, high = 2;
    if (!(fmr > 0) || !(wanted > 0)) return (double)INFINITY;
        /* Variance of ln FMR: comparisons on their own, and subjects that match many others. */
#define TOO_FEW(n) (2 / ((n) * ((n)-1) * fmr) + 4 * propensity_cv2 / (n) > wanted)
    while (high < SIZE_MOST && TOO_FEW(high)) high *= 2;
    if (high >= SIZE_MOST) return (double)INFINITY;
    while (high - low > 1) {
        double middle = floor((low + high) / 2);
        if (TOO_FEW(middle))
            low = middle;
        else
            high = middle;
    }
#undef TOO_FEW
    return high;
}

double assay_size_no_match(double fmr, double alpha) {
    double comparisons = log(alpha) / log1p(-fmr);
    return whole((1 + sqrt(1 + 8 * comparisons)) / 2);
}

double assay_size_no_match_guaranteed(double fmr, double alpha) {
    return 2 * whole(log(alpha) / log1p(-fmr));
}

double assay_size_margin(double discordance, double margin, double true_difference,
                         double design_effect, double comparisons, double alpha, double power) {
    double z = normal(1 - alpha) + normal(power), distance = margin - true_difference;
    return whole(z * z * discordance * design_effect / (comparisons * distance * distance));
}

double assay_size_ratio(double base, double ratio, double groups, double design_effect,
                        double comparisons, double alpha, double power) {
    double z = normal(1 - alpha / groups) + normal(power), distance = log(ratio);
    double spread = (1 - base) / base + (1 - ratio * base) / (ratio * base);
    return whole(z * z * design_effect * spread / (comparisons * distance * distance));
}

double assay_reach_fmr(double subjects, double relative, double propensity_cv2, double alpha) {
    double width = log1p(relative) / normal(1 - alpha / 2);
    double left = width * width - 4 * propensity_cv2 / subjects;
    double fmr = 2 / (subjects * (subjects - 1) * left);
    return subjects >= 2 && left > 0 && fmr <= 1 ? fmr : (double)INFINITY;
}

double assay_reach_margin(double discordance, double design_effect, double trials, double alpha,
                          double power) {
    double z = normal(1 - alpha) + normal(power);
    return z * sqrt(discordance * design_effect / trials);
}

double assay_reach_ratio(double subjects, double base, double groups, double design_effect,
                         double comparisons, double alpha, double power) {
    double low = 1, high = 1 / base;
    if (!(base > 0) || !(base < 1) ||
        assay_size_ratio(base, high, groups, design_effect, comparisons, alpha, power) > subjects)
        return (double)INFINITY;
    for (int step = 0; step < 100; ++step) {
        double middle = sqrt(low * high);
        if (assay_size_ratio(base, middle, groups, design_effect, comparisons, alpha, power) >
            subjects)
            low = middle;
        else
            high = middle;
    }
    return high;
}
