/* sizes -- how many subjects a statement needs, before there are any. Pure functions; METRICS.md
 * has the formulas. A number too large to be met is INFINITY. */
#ifndef ASSAY_REPORTS_SIZES_H
#define ASSAY_REPORTS_SIZES_H

#define ASSAY_SIZE_POWER 0.8        /* chance that the set decides where the truth is as assumed */
#define ASSAY_SIZE_PROPENSITY_CV2 2 /* squared CV of who matches others, where nothing tells it */

/* Subjects of one template each so that the two-sided interval of FMR fmr at alpha is about fmr /
 * (1 + relative) to fmr (1 + relative). propensity_cv2: squared coefficient of variation of how
 * readily a subject matches others; g N / 4 from a pilot. */
double assay_size_fmr(double fmr, double relative, double propensity_cv2, double alpha);
/* Subjects whose bound without any false match is at most fmr, one-sided at alpha: if comparisons
 * were independent, and whatever their dependence. */
double assay_size_no_match(double fmr, double alpha);
double assay_size_no_match_guaranteed(double fmr, double alpha);
/* Subjects of so many mated comparisons each that decide whether a paired difference is below
 * margin when it is true_difference: discordance is the share of comparisons on which the releases
 * disagree. With p (1 - p) as discordance: whether a rate p is below a limit. */
double assay_size_margin(double discordance, double margin, double true_difference,
                         double design_effect, double comparisons, double alpha, double power);
/* Subjects in each of two groups that show a ratio of rates above base rate, among so many groups.
 */
double assay_size_ratio(double base, double ratio, double groups, double design_effect,
                        double comparisons, double alpha, double power);

/* The other way round: what so many subjects show. The smallest FMR whose interval is as narrow as
 * relative says; INFINITY where that many subjects never tell any so well. */
double assay_reach_fmr(double subjects, double relative, double propensity_cv2, double alpha);
/* The smallest margin that so many mated comparisons decide where the releases do not differ. */
double assay_reach_margin(double discordance, double design_effect, double trials, double alpha,
                          double power);
/* The smallest ratio to base that a group of so many subjects shows, beside one as large. INFINITY
 * where even a rate of 1 would not show. */
double assay_reach_ratio(double subjects, double base, double groups, double design_effect,
                         double comparisons, double alpha, double power);

#endif
