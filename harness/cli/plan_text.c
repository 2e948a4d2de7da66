/* plan_text -- `assay plan` for people (planned.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "datasets/base/text.h"
#include "harness/cli/command.h"
#include "harness/cli/planned.h"

enum { CELL = 48, LINE = 128 };

/* Subjects: whole, or out of reach. */
static const char *people(char out[CELL], double subjects) {
    if (isnan(subjects)) return "not known";
    if (!(subjects < 1e15)) return "out of reach";
    assay_print_count(out, (uint64_t)subjects);
    return out;
}

static const char *rate(char out[CELL], double value) {
    if (isnan(value)) return "not known";
    if (isinf(value)) return "none";
    snprintf(out, CELL, "%.2g", value);
    return out;
}

static const char *fold(char out[CELL], double value) {
    if (isnan(value)) return "-";
    if (isinf(value)) return "none";
    snprintf(out, CELL, "%.3g", value);
    return out;
}

static const char *duration(char out[CELL], double seconds) {
    static const struct {
        double least;
        double unit;
        const char *name;
    } units[] = {{172800, 86400, "days"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
    if (isnan(seconds)) return "not known";
    size_t n = 0;
    while (seconds < units[n].least) n++;
    snprintf(out, CELL, "%.2g %s", seconds / units[n].unit, units[n].name);
    if (seconds / units[n].unit >= 100)
        snprintf(out, CELL, "%.0f %s", seconds / units[n].unit, units[n].name);
    return out;
}

static void print_fmr(const plan_result *result) {
    char text[CELL];
    printf(
        "Subjects for an FMR x that is known from x / %g to %g x (two-sided 95 %%), one template "
        "each.\n"
        "c2: how unevenly people match others, squared coefficient of variation; used: %g (%s).\n",
        1 + result->relative, 1 + result->relative,
        result->propensities[result->propensity_count == PLAN_PROPENSITIES ? 0 : 1],
        result->propensity_source);
    printf("  %-10s", "FMR");
    for (size_t n = 0; n < result->propensity_count; n++) {
        snprintf(text, sizeof text, "c2 %.3g", result->propensities[n]);
        printf("%16s", text);
    }
    putchar('\n');
    for (size_t n = 0; n < result->fmr_count; n++) {
        printf("  %-10g", result->fmrs[n].fmr);
        for (size_t column = 0; column < result->propensity_count; column++)
            printf("%16s", people(text, result->fmrs[n].subjects[column]));
        putchar('\n');
    }
    printf("\nSubjects who prove an FMR of at most x by no false match at all (one-sided 95 %%).\n"
           "  %-10s%22s%28s\n",
           "FMR", "nearly independent", "whatever the dependence");
    for (size_t n = 0; n < result->fmr_count; n++) {
        char other[CELL];
        printf("  %-10g%22s%28s\n", result->fmrs[n].fmr, people(text, result->fmrs[n].no_match),
               people(other, result->fmrs[n].no_match_guaranteed));
    }
}

static void print_differences(const plan_result *result) {
    char text[CELL], line[LINE];
    printf("\nSubjects with %.3g mated comparisons each, design effect %.3g, at power %g (%s).\n",
           result->mated_each, result->design_effect, result->power, result->assumed_source);
    printf("  %-58s%14s\n", "", "subjects");
    snprintf(line, sizeof line, "margin of %.3g, difference %.3g, discordance %.3g", result->margin,
             result->true_difference, result->discordance);
    printf("  %-58s", line);
    printf("%14s\n", people(text, result->margin_subjects));
    snprintf(line, sizeof line, "ratio of %.3g to %.3g, %g groups", result->ratio, result->base,
             result->groups);
    printf("  %-58s", line);
    printf("%14s in each group\n", people(text, result->ratio_subjects));
}

static void print_costs(const plan_result *result) {
    char text[CELL], other[CELL], what[CELL];
    printf("\nComparing all pairs, %llu samples each of length %llu, backend %s; ",
           (unsigned long long)result->samples, (unsigned long long)result->length,
           result->backend);
    if (isnan(result->rate))
        printf("speed %s.\n", result->rate_source);
    else
        printf("%.3g comparisons a second %s.\n", result->rate, result->rate_source);
    printf("  %-22s%14s%14s%24s%12s%12s%14s\n", "for", "subjects", "templates", "comparisons",
           "memory", "disk", "time");
    for (size_t n = 0; n < result->cost_count; n++) {
        const plan_cost *cost = &result->costs[n];
        if (isnan(cost->fmr))
            snprintf(what, sizeof what, "%s", cost->what);
        else
            snprintf(what, sizeof what, "%s %g", cost->what, cost->fmr);
        printf("  %-22s%14s", what, people(text, cost->subjects));
        if (cost->reason != NULL) {
            printf("  %s\n", cost->reason);
            continue;
        }
        char memory[CELL], disk[CELL], time[CELL];
        snprintf(memory, sizeof memory, "%.3g GB", (double)cost->memory_bytes / 1e9);
        snprintf(disk, sizeof disk, "%.3g GB", (double)cost->disk_bytes / 1e9);
        printf("%14s%24s%12s%12s%14s\n", assay_print_count(text, cost->templates),
               assay_print_count(other, cost->comparisons), memory, disk,
               duration(time, cost->seconds));
    }
    printf("  Memory is of the whole set at once; a larger set is compared by bands. Enrolment is "
           "not in it.\n");
}

static void print_reach(const assay_planning_reach *reach) {
    char name[96], cells[6][CELL], count[CELL];
    char shown[256];
    if (reach->attribute == NULL)
        snprintf(name, sizeof name, "everybody");
    else
        snprintf(name, sizeof name, "%s", assay_printable(shown, sizeof shown, reach->group));
    printf("  %-24s%10s%11s%11s%11s%12s%11s%11s\n", name, assay_print_count(count, reach->subjects),
           rate(cells[0], reach->bound), rate(cells[1], reach->bound_seen),
           rate(cells[2], reach->bound_guaranteed), rate(cells[3], reach->fmr),
           rate(cells[4], reach->margin), fold(cells[5], reach->ratio));
}

static void print_hand(const plan_result *result, const char *deployment) {
    const assay_planning *hand = &result->at_hand;
    char shown[256], number[ASSAY_NUMBER_SIZE];
    const char *attribute = NULL;
    printf("\nWhat %s can show, of %s", assay_printable(shown, sizeof shown, result->evidence),
           result->release);
    printf(" %s at %s", result->version, deployment);
    if (hand->reason != NULL)
        printf(": %s", hand->reason);
    else
        printf(", threshold %s", assay_print_double(number, hand->threshold));
    printf(
        ".\n"
        "  bound: smallest FMR that no false match at all would prove: if independent, as people "
        "here match, whatever the dependence\n"
        "  known: smallest FMR with an interval from x / %g to %g x\n"
        "  margin: smallest difference of generalized FNMR that two releases can be held to "
        "(discordance %.3g)\n"
        "  ratio: smallest ratio of FNMR to %.3g that shows\n",
        1 + result->relative, 1 + result->relative, hand->discordance, hand->base);
    printf("  %-24s%10s%11s%11s%11s%12s%11s%11s\n", "", "subjects", "bound", "as seen",
           "guaranteed", "known", "margin", "ratio");
    for (size_t n = 0; n < hand->reach_count; n++) {
        const assay_planning_reach *reach = &hand->reaches[n];
        if (reach->attribute != NULL &&
            (attribute == NULL || strcmp(attribute, reach->attribute) != 0)) {
            attribute = reach->attribute;
            printf("  by %s\n", assay_printable(shown, sizeof shown, attribute));
        }
        print_reach(reach);
    }
}

assay_status assay_plan_print_text(const plan_result *result) {
    assay_text deployment = {0};
    print_fmr(result);
    print_differences(result);
    print_costs(result);
    if (result->evidence == NULL) return ASSAY_OK;
    assay_deployment_describe(&result->at_hand.deployment, &deployment);
    assay_status status = assay_text_status(&deployment);
    if (status == ASSAY_OK) print_hand(result, deployment.bytes);
    assay_text_free(&deployment);
    return status;
}
