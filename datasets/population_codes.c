/* population_codes -- a synthetic population as bit strings with masks. */
#include "datasets/population_codes.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/population_subject.h"

#define ROWS ASSAY_CODES_ROWS
#define COLUMNS ASSAY_CODES_COLUMNS
#define BITS ASSAY_CODES_BITS
#define BYTES (BITS / 8)
#define CORRELATION 0.926 /* rho: of a bit with its neighbour */
#define RUN 16u           /* columns that a subject has from its group, or not, together */
#define FLIPS 0.06
#define HIDDEN 0.10             /* least share of the columns of an upper row that the lid hides */
#define HIDDEN_MORE 0.25        /* … and as much more by chance */
#define HARD_EVERY 40u          /* samples, of which one is hidden but for a little */
#define GROUP_STREAM (1u << 31) /* of draws: behind those of subjects */

typedef uint8_t code_bits[BITS]; /* a bit a byte, while it is made */

double assay_codes_flips(const assay_population_group *group) {
    return FLIPS + 0.12 * group->degradation;
}

double assay_codes_variance(const assay_population_group *a, const assay_population_group *b) {
    /* Bits k columns apart agree or differ alike with correlation rho^2k; flips keep of it (1 - 2
     * e)^2 of either sample, where the two are not the same bit. */
    const double x = 1 - 2 * assay_codes_flips(a), y = 1 - 2 * assay_codes_flips(b);
    const double kept = x * x * y * y;
    double sum = 1, together = 1;
    for (unsigned k = 1; k < COLUMNS; k++) {
        together *= CORRELATION * CORRELATION;
        sum += 2 * kept * (1 - (double)k / COLUMNS) * together;
    }
    return sum / (4.0 * BITS);
}

/* ---- one subject ---- */

static void draw_code(assay_random *random, code_bits out) {
    for (unsigned n = 0; n < BITS; n++) {
        const bool first = n % COLUMNS == 0;
        const bool other = assay_random_uniform(random) >= (first ? 0.5 : (1 + CORRELATION) / 2);
        out[n] = first ? other : out[n - 1] ^ other;
    }
}

static void draw_group(const assay_population *population, uint32_t group, code_bits out) {
    assay_random random;
    assay_random_start(&random, population->seed, GROUP_STREAM + group);
    draw_code(&random, out);
}

/* Runs are whole, so that neighbours stay as alike as they are. */
static void draw_subject(const assay_population_group *group, const code_bits of_group,
                         assay_random *random, code_bits out) {
    const double shared = sqrt(group->likeness);
    draw_code(random, out);
    for (unsigned n = 0; shared > 0 && n < BITS; n += RUN)
        if (assay_random_uniform(random) < shared) memcpy(out + n, of_group + n, RUN);
}

/* ---- one sample ---- */

static void hide(uint8_t mask[BYTES], unsigned row, unsigned column) {
    const unsigned bit = row * COLUMNS + column % COLUMNS;
    mask[bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

/* A lid over the upper rows, widest at the top, and reflections. */
static void draw_mask(const assay_population_group *group, bool hard, assay_random *random,
                      uint8_t out[BYTES]) {
    const double share =
        HIDDEN + 0.3 * group->degradation + HIDDEN_MORE * assay_random_uniform(random);
    const unsigned middle = COLUMNS / 4 + assay_random_below(random, 16);
    memset(out, 0xff, BYTES);
    for (unsigned row = 0; row < ROWS; row++) {
        const double wide = hard ? 0.97 : share * (1 - (double)row / (ROWS / 2));
        const unsigned count = wide > 0 ? (unsigned)(wide * COLUMNS) : 0;
        for (unsigned n = 0; n < count; n++) hide(out, row, middle + COLUMNS - count / 2 + n);
    }
    for (unsigned spot = 0; spot < 3; spot++) {
        const unsigned row = assay_random_below(random, ROWS - 1);
        const unsigned column = assay_random_below(random, COLUMNS);
        for (unsigned n = 0; n < 12; n++) hide(out, row + n / 6, column + n % 6);
    }
}

static double valid_share(const uint8_t mask[BYTES]) {
    unsigned valid = 0;
    for (unsigned n = 0; n < BYTES; n++) valid += (unsigned)__builtin_popcount(mask[n]);
    return (double)valid / BITS;
}

/* Column c of the subject's code goes to column c + turn of the sample's. */
static void draw_sample(const assay_population_group *group, const code_bits subject,
                        assay_random *random, uint8_t out[BYTES]) {
    const unsigned turn =
        COLUMNS - ASSAY_CODES_TURN + assay_random_below(random, 2 * ASSAY_CODES_TURN + 1);
    const double flips = assay_codes_flips(group);
    memset(out, 0, BYTES);
    for (unsigned n = 0; n < BITS; n++) {
        const unsigned to = n / COLUMNS * COLUMNS + (n % COLUMNS + turn) % COLUMNS;
        const unsigned value = subject[n] ^ (assay_random_uniform(random) < flips);
        out[to / 8] |= (uint8_t)(value << to % 8);
    }
}

/* ---- all of them ---- */

typedef struct {
    const assay_population *population;
    const assay_progress *progress;
    assay_sample_table *table;
    code_bits *of_groups;
    uint8_t *codes, *masks;
} codes_making;

static assay_status make_subjects(const codes_making *work, const uint32_t *groups) {
    const assay_population *population = work->population;
    const uint32_t samples = population->samples_per_subject;
    assay_pace pace = {0};
    for (uint32_t s = 0; s < population->subjects; s++) {
        const assay_population_group *group = &population->groups[groups[s]];
        assay_population_subject subject;
        code_bits own;
        assay_population_subject_start(population, s, groups[s], &subject);
        draw_subject(group, work->of_groups[groups[s]], &subject.random, own);
        for (uint32_t k = 0; k < samples; k++) {
            const uint64_t row = (uint64_t)s * samples + k;
            uint8_t *mask = work->masks + row * BYTES;
            draw_sample(group, own, &subject.random, work->codes + row * BYTES);
            draw_mask(group, row % HARD_EVERY == HARD_EVERY - 1, &subject.random, mask);
            work->table->quality[row] = 100 * valid_share(mask) * (1 - assay_codes_flips(group));
        }
        const bool last = s + 1 == population->subjects;
        if ((last || assay_pace_due(&pace)) &&
            !assay_progress_tell(work->progress, "synth", "codes", (s + 1ull) * samples,
                                 work->table->row_count))
            return assay_fail(ASSAY_FAILED, "making synthetic codes: interrupted");
    }
    return ASSAY_OK;
}

assay_status assay_population_codes(const assay_population *population,
                                    const assay_progress *progress, assay_sample_table *out_table,
                                    uint8_t **out_codes, uint8_t **out_masks) {
    assay_sample_table table = {0};
    codes_making work = {population, progress, &table, NULL, NULL, NULL};
    uint32_t *groups = NULL;
    assay_status status = assay_population_table(population, &groups, &table);
    if (status == ASSAY_OK)
        status = assay_allocate(&work.of_groups, population->group_count, sizeof *work.of_groups,
                                "groups");
    if (status == ASSAY_OK) status = assay_allocate(&work.codes, table.row_count, BYTES, "codes");
    if (status == ASSAY_OK) status = assay_allocate(&work.masks, table.row_count, BYTES, "masks");
    for (uint32_t g = 0; status == ASSAY_OK && g < population->group_count; g++)
        draw_group(population, g, work.of_groups[g]);
    if (status == ASSAY_OK) status = make_subjects(&work, groups);
    if (status == ASSAY_OK) {
        *out_table = table;
        *out_codes = work.codes;
        *out_masks = work.masks;
    } else {
        assay_sample_table_free(&table);
        free(work.codes);
        free(work.masks);
    }
    free(work.of_groups);
    free(groups);
    return status;
}

/* ---- what is true of it ---- */

static json_t *group_json(const assay_population_group *group) {
    const double kept = pow(1 - 2 * assay_codes_flips(group), 2);
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "name", group->name, "likeness",
                     group->likeness, "degradation", group->degradation, "flips",
                     assay_codes_flips(group), "mated_mean", 0.5 + kept / 2, "non_mated_mean",
                     0.5 + group->likeness * kept / 2);
}

assay_status assay_codes_truth_json(const assay_population *population, char **out) {
    const assay_population_group clear = {.degradation = 0};
    const double variance = assay_codes_variance(&clear, &clear);
    json_t *groups = json_array();
    for (uint32_t g = 0; g < population->group_count; g++)
        json_array_append_new(groups, group_json(&population->groups[g]));
    json_t *root = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:i, s:i, s:i, s:f, s:f, s:f, s:o}", "schema",
        "assay-population-truth/1", "rates_are_of",
        "codes: share of agreeing bits without shifts (mated: at the shift that undoes the turns)",
        "seed", (json_int_t)population->seed, "subjects", (json_int_t)population->subjects,
        "samples_per_subject", (json_int_t)population->samples_per_subject, "bits", (int)BITS,
        "rows", (int)ROWS, "turn", (int)ASSAY_CODES_TURN, "correlation", CORRELATION,
        "non_mated_sd", sqrt(variance), "independent_bits", 0.25 / variance, "groups", groups);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(root);
    if (text == NULL) return assay_fail(ASSAY_FAILED, "no memory for truth.json");
    *out = text;
    return ASSAY_OK;
}
