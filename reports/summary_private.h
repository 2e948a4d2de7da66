/* summary_private -- the JSON values that summary.json and its like are built of. A value that
 * cannot be given is null and has its reason beside it, under the same key with _reason. */
#ifndef ASSAY_REPORTS_SUMMARY_PRIVATE_H
#define ASSAY_REPORTS_SUMMARY_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/digest.h"
#include "reports/pages.h"

/* An object that is being built. A NULL that comes of no memory or of bad UTF-8 fails it, and
 * whatever it is put into. */
typedef struct {
    json_t *json;
    bool failed;
} summary_object;

summary_object summary_begin(void);
void summary_set(summary_object *into, const char *key, json_t *value); /* takes value */
void summary_set_object(summary_object *into, const char *key, summary_object value);
/* Puts value at the end of array, which belongs into `into`. */
void summary_append(summary_object *into, json_t *array, summary_object value);
void summary_set_null(summary_object *into, const char *key, const char *reason);
void summary_set_count(summary_object *into, const char *key, uint64_t count);
/* A count, or null with the reason why it is not known. */
void summary_set_known(summary_object *into, const char *key, uint64_t count, const char *reason);
/* Null where there is a reason, or where value is not finite. */
void summary_set_number(summary_object *into, const char *key, double value, const char *reason);
void summary_set_text(summary_object *into, const char *key, const char *text); /* NULL: "" */
void summary_set_digest(summary_object *into, const char *key, const assay_digest *digest);

summary_object summary_rate(assay_rate rate); /* errors, trials, value */
/* low and high of a 95 % interval, and how it was made. */
void summary_set_interval(summary_object *into, const assay_interval *interval);
summary_object summary_interval_rate(assay_rate rate, const assay_interval *interval);
void summary_set_source(summary_object *into, assay_figure figure);
summary_object summary_figure(assay_figure figure);
/* kind, fmr_target, threshold, reached of an operating point, and the tail that it needs. */
void summary_set_point(summary_object *into, const assay_operating_point *point);

/* attributes, groups, group_pairs; and differentials: of one release. */
void summary_set_groups(summary_object *into, const assay_figures *figures);
void summary_set_differentials(summary_object *into, const assay_figures *figures);

/* The keys `identification` and `look_alikes` of a release, and `look_alikes` of the whole. */
void summary_set_identification(summary_object *into, const assay_report_release *release);
void summary_set_resemblance(summary_object *into, const assay_report *report,
                             const assay_report_release *release);
void summary_set_look_alikes(summary_object *into, const assay_report *report);
/* The keys `quality` and `ageing` of a release. */
void summary_set_quality(summary_object *into, const assay_report_release *release);
/* The key `comparisons` of the whole. */
void summary_set_comparisons(summary_object *into, const assay_report *report);
void summary_set_ageing(summary_object *into, const assay_report_release *release);

/* As jansson prints, but doubles as the shortest text that reads back the same. */
void summary_print(assay_text *text, const json_t *value);

#endif
