/* soak_groups -- is a planted differential found, with its size, and is nothing called worse where
 * none was planted? Populations of templates whose rates are known in closed form, one a seed; an
 * argument gives the number of seeds, 200 without one.
 *
 * Held to, of each 100 seeds: `west`, whose people are more alike, is found worse in FMR, and its
 * ratio to `north` lies inside its interval, in 93; without a differential anything is called worse
 * in no more than 6. Twice the standard error of what is drawn is allowed for. */
#include "tests/unit/fixtures_evidence.h"

#include "datasets/population.h"
#include "reports/differentials.h"

enum { SUBJECTS = 480, SAMPLES = 2, LENGTH = 128 };
static const double target = 1e-3;

typedef struct {
    float *vectors;
    uint32_t length;
} template_set;

static double cosine_of(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    const template_set *set = context;
    const float *a = set->vectors + (size_t)i * set->length;
    const float *b = set->vectors + (size_t)j * set->length;
    double sum = 0;
    (void)evidence;
    for (uint32_t n = 0; n < set->length; ++n) sum += (double)a[n] * (double)b[n];
    return sum;
}

/* Evidence of a population, which its table goes into. */
static void evaluate(const assay_population *population, assay_evidence *evidence) {
    assay_sample_table table;
    template_set set = {.length = LENGTH};
    assert_ok(assay_population_templates(population, NULL, &table, &set.vectors));
    fixture_start(evidence, "synth", "1", table.row_count, table.subject_count, table.subject);
    assay_sample_table_free(&evidence->table);
    evidence->table = table;
    for (uint64_t row = 0; row < table.row_count; ++row)
        evidence->table.enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
    fixture_targets(evidence, &target, 1);
    fixture_compare(evidence, cosine_of, &set, 40000);
    free(set.vectors);
}

static const assay_attribute_figures *by_group(const assay_figures *figures) {
    for (uint32_t n = 0; n < figures->attribute_count; ++n)
        if (strcmp(figures->attributes[n].attribute->name, "group") == 0)
            return &figures->attributes[n];
    return NULL;
}

static uint32_t place_of(const assay_population *population, const char *name) {
    uint32_t n = 0;
    while (strcmp(population->groups[n].name, name) != 0) ++n;
    return n;
}

static const assay_group_point *point_of(const assay_figures *figures, const char *name) {
    const assay_attribute_figures *groups = by_group(figures);
    uint32_t n = 0;
    while (strcmp(groups->groups[n].label, name) != 0) ++n;
    return &groups->groups[n].points[0];
}

typedef struct {
    unsigned seeds, found, sized, both, missed_found, missed_sized;
    unsigned false_planted; /* something without a differential was called worse beside it */
    unsigned anything;
} tally;

/* Whether the interval of the ratio of FMR within west and within north holds the true one. */
static bool holds_ratio(const assay_population *population, const assay_figures *figures) {
    const assay_group_point *west = point_of(figures, "west"), *north = point_of(figures, "north");
    double t = figures->points[0].threshold, low, high;
    uint32_t w = place_of(population, "west"), n = place_of(population, "north");
    double truth =
        assay_population_fmr(population, w, w, t) / assay_population_fmr(population, n, n, t);
    if (!north->fmr.errors || !west->fmr.errors) return false;
    assay_ratio_interval(assay_rate_value(west->fmr), &west->fmr_interval,
                         assay_rate_value(north->fmr), &north->fmr_interval, 0, &low, &high);
    return low <= truth && truth <= high;
}

static bool holds_fnmr(const assay_population *population, const assay_figures *figures) {
    const assay_group_point *south = point_of(figures, "south");
    double truth = assay_population_fnmr(population, place_of(population, "south"),
                                         figures->points[0].threshold);
    return south->fnmr_interval.low <= truth && truth <= south->fnmr_interval.high;
}

static unsigned count_worse(const assay_figures *figures) {
    unsigned worse = 0;
    for (uint32_t a = 0; a < figures->attribute_count; ++a)
        for (uint32_t g = 0; g < figures->attributes[a].group_count; ++g)
            for (int kind = 0; kind < ASSAY_ERROR_KINDS; ++kind)
                worse += figures->attributes[a].groups[g].points[0].verdicts[kind].standing ==
                         ASSAY_STANDING_WORSE;
    return worse;
}

static void judge_seed(uint64_t seed, bool planted, tally *out) {
    static const char *const names[] = {"group", "sex", "age_band", "sex*age_band"};
    assay_population population;
    assay_evidence evidence;
    assay_figures figures;
    assert_ok(assay_population_create(planted, &population));
    population.seed = seed;
    population.subjects = SUBJECTS;
    population.samples_per_subject = SAMPLES;
    population.length = LENGTH;
    evaluate(&population, &evidence);
    assert_ok(assay_figures_compute(&evidence, names, 4, &figures));
    assert_ok(assay_differentials_compute(&evidence, ASSAY_WORSE_LIMIT, &figures));
    unsigned worse = count_worse(&figures);
    ++out->seeds;
    out->anything += worse > 0;
    if (planted) {
        bool found =
            point_of(&figures, "west")->verdicts[ASSAY_ERROR_FMR].standing == ASSAY_STANDING_WORSE;
        bool missed = point_of(&figures, "south")->verdicts[ASSAY_ERROR_FNMR].standing ==
                      ASSAY_STANDING_WORSE;
        bool sized = holds_ratio(&population, &figures);
        out->found += found;
        out->sized += sized;
        out->both += found && sized;
        out->missed_found += missed;
        out->missed_sized += holds_fnmr(&population, &figures);
        out->false_planted += worse > (unsigned)found + (unsigned)missed;
    }
    assay_figures_free(&figures);
    assay_evidence_free(&evidence);
    assay_population_free(&population);
}

static void line(const char *what, unsigned count, unsigned seeds) {
    printf("| %s | %u of %u | %.1f |\n", what, count, seeds, 100.0 * count / seeds);
}

int main(int argc, char **argv) {
    unsigned seeds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 200;
    tally planted = {0}, none = {0};
    if (!seeds) return 2;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        judge_seed(seed, true, &planted);
        judge_seed(100000 + seed, false, &none);
        if (seed % 20 == 0) fprintf(stderr, "%u of %u seeds\n", seed, seeds);
    }
    printf("%u subjects of %u samples in four groups a population, threshold for FMR %g, tests of "
           "all groups of group, sex, age band, and sex by age band.\n\n"
           "| of populations | seeds | %% |\n|---|---|---|\n",
           SUBJECTS, SAMPLES, target);
    line("planted: FMR of west is found worse", planted.found, seeds);
    line("planted: its ratio to north is inside its interval", planted.sized, seeds);
    line("planted: both", planted.both, seeds);
    line("planted: FNMR of south is found worse (few errors: power, no promise)",
         planted.missed_found, seeds);
    line("planted: FNMR of south is inside its interval", planted.missed_sized, seeds);
    line("planted: a group without a differential is called worse", planted.false_planted, seeds);
    line("none planted: anything is called worse", none.anything, seeds);
    double n = seeds;
    bool good = planted.both >= 0.93 * n - 2 * sqrt(0.93 * 0.07 * n) &&
                none.anything <= 0.06 * n + 2 * sqrt(0.06 * 0.94 * n);
    return good ? 0 : 1;
}
