/* test_lbp -- the LBP baselines: known patterns, what they refuse, and that they tell people apart.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/population.h"
#include "datasets/population_render.h"
#include "harness/algorithms.h"
#include "harness/algorithms/lbp_image.h"

#define SIDE 96u
#define BINS 59u
#define CELLS 64u

static const char *const whole_picture[] = {"crop=1", NULL};

static const assay_algorithm *find(const char *name) {
    const assay_algorithm *algorithm = NULL;
    assert_int_equal(assay_algorithm_find(name, &algorithm), ASSAY_OK);
    return algorithm;
}

static assay_outcome open_as(const assay_algorithm *algorithm, const char *const *parameters,
                             void **out, char text[128]) {
    const assay_algorithm_setup setup = {
        .size = sizeof setup, .parameters = parameters, .config_directory = ""};
    return algorithm->open(&setup, out, text, 128);
}

static void *open_with(const assay_algorithm *algorithm, const char *const *parameters) {
    void *state = NULL;
    char text[128] = "";
    assert_int_equal(open_as(algorithm, parameters, &state, text), ASSAY_OUTCOME_OK);
    assert_non_null(state);
    return state;
}

static assay_outcome make(const assay_algorithm *algorithm, void *state, const uint8_t *pixels,
                          uint32_t width, uint32_t height, float *out, char text[128]) {
    const assay_algorithm_image image = {.size = sizeof image,
                                         .width = width,
                                         .height = height,
                                         .channels = 1,
                                         .pixels = pixels,
                                         .capture_type = ""};
    assay_algorithm_template to = {
        .size = sizeof to, .bytes = (uint8_t *)out, .capacity = SIZE_MAX};
    return algorithm->create_template(state, &image, 1, ASSAY_SAMPLE_UNSPECIFIED, &to, text, 128);
}

static void names_and_versions_are_described(void **unused) {
    (void)unused;
    static const char *const expected[2][2] = {{"lbp", "1.0"}, {"lbp-normalised", "1.1"}};
    assert_int_equal(assay_algorithm_count(), 2);
    assert_null(assay_algorithm_at(2));
    for (size_t n = 0; n < 2; n++) {
        const char *const parameters[] = {"grid=4", "crop=0.55", NULL};
        const assay_algorithm *algorithm = assay_algorithm_at(n);
        void *state = open_with(algorithm, parameters);
        assay_algorithm_description about;
        algorithm->describe(state, &about);
        assert_string_equal(algorithm->name, expected[n][0]);
        assert_string_equal(about.name, expected[n][0]);
        assert_string_equal(about.version, expected[n][1]);
        assert_string_equal(about.comparator, "cosine");
        assert_string_equal(about.parameters, "grid=4 size=96 crop=0.55");
        assert_int_equal(about.length, 4 * 4 * BINS);
        assert_int_equal(about.channels, 1);
        algorithm->close(state);
    }
}

static void an_unknown_algorithm_names_the_known_ones(void **unused) {
    (void)unused;
    const assay_algorithm *algorithm = NULL;
    assert_int_equal(assay_algorithm_find("lpb", &algorithm), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "'lpb'"));
    assert_non_null(strstr(assay_error_text(), "lbp-normalised"));
    assert_null(algorithm);
}

static void a_wrong_parameter_is_refused(void **unused) {
    (void)unused;
    static const char *const wrong[] = {"grid=9",   "grid=0",    "grid=",    "size=31", "size=1e2",
                                        "crop=0.1", "crop=1.01", "crop=nan", "gird=8",  "grid"};
    const assay_algorithm *algorithm = find("lbp");
    for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; n++) {
        const char *const parameters[] = {wrong[n], NULL};
        void *state = NULL;
        char text[128] = "";
        assert_int_equal(open_as(algorithm, parameters, &state, text), ASSAY_OUTCOME_REFUSED);
        assert_null(state);
        assert_non_null(strstr(text, wrong[n]));
    }
}

/* Where the picture brightens to the right, exactly the neighbours N, NE, E, SE, S are not darker:
 * bits 0, 1, 2, 6, 7, pattern 0xC7. Its bin is the number of uniform patterns below it. */
static void a_ramp_has_one_pattern(void **unused) {
    (void)unused;
    static uint8_t pixels[SIDE * SIDE];
    static float made[CELLS * BINS];
    unsigned bin = 0;
    for (unsigned pattern = 0; pattern < 0xC7; pattern++) {
        unsigned changes = 0;
        for (unsigned n = 0; n < 8; n++) {
            changes += (pattern >> n & 1) != (pattern >> (n + 1) % 8 & 1);
        }
        bin += changes <= 2;
    }
    for (uint32_t n = 0; n < SIDE * SIDE; n++) pixels[n] = (uint8_t)(20 + 2 * (n % SIDE));
    const assay_algorithm *algorithm = find("lbp");
    void *state = open_with(algorithm, whole_picture);
    char text[128] = "";
    assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, made, text), ASSAY_OUTCOME_OK);
    for (uint32_t n = 0; n < CELLS * BINS; n++) {
        assert_true(made[n] == (n % BINS == bin ? 1.0f : 0.0f));
    }
    algorithm->close(state);
}

/* Levels that a shift of 20 does not saturate. */
static void fill_noise(uint8_t *pixels, uint64_t seed) {
    assay_random random;
    assay_random_start(&random, seed, 0);
    for (uint32_t n = 0; n < SIDE * SIDE; n++) {
        pixels[n] = (uint8_t)assay_random_below(&random, 200);
    }
}

static void cells_are_normalised(void **unused) {
    (void)unused;
    static uint8_t pixels[SIDE * SIDE];
    static float made[CELLS * BINS];
    char text[128] = "";
    fill_noise(pixels, 1);
    for (int normalised = 0; normalised < 2; normalised++) {
        const assay_algorithm *algorithm = find(normalised ? "lbp-normalised" : "lbp");
        void *state = open_with(algorithm, whole_picture);
        assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, made, text), ASSAY_OUTCOME_OK);
        for (uint32_t cell = 0; cell < CELLS; cell++) {
            double sum = 0, square = 0;
            for (uint32_t n = 0; n < BINS; n++) {
                sum += made[cell * BINS + n];
                square += made[cell * BINS + n] * (double)made[cell * BINS + n];
            }
            assert_true(fabs(square - 1) < 1e-5);
            assert_true(normalised ? fabs(sum) < 1e-5 : sum > 1);
        }
        algorithm->close(state);
    }
}

static void more_light_everywhere_changes_nothing(void **unused) {
    (void)unused;
    static uint8_t pixels[SIDE * SIDE];
    static float before[CELLS * BINS], after[CELLS * BINS];
    char text[128] = "";
    const assay_algorithm *algorithm = find("lbp");
    void *state = open_with(algorithm, whole_picture);
    fill_noise(pixels, 2);
    assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, before, text), ASSAY_OUTCOME_OK);
    for (uint32_t n = 0; n < SIDE * SIDE; n++) pixels[n] = (uint8_t)(pixels[n] + 20);
    assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, after, text), ASSAY_OUTCOME_OK);
    assert_memory_equal(before, after, sizeof before);
    pixels[SIDE * SIDE / 2 + SIDE / 2] = 255;
    assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, after, text), ASSAY_OUTCOME_OK);
    assert_memory_not_equal(before, after, sizeof before);
    algorithm->close(state);
}

static void only_the_central_square_is_looked_at(void **unused) {
    (void)unused;
    static uint8_t wide[SIDE * 3 * SIDE], square[SIDE * SIDE];
    static float from_wide[CELLS * BINS], from_square[CELLS * BINS];
    char text[128] = "";
    const assay_algorithm *algorithm = find("lbp");
    void *state = open_with(algorithm, whole_picture);
    fill_noise(square, 3);
    memset(wide, 200, sizeof wide);
    for (uint32_t y = 0; y < SIDE; y++) {
        memcpy(wide + (size_t)y * 3 * SIDE + SIDE, square + (size_t)y * SIDE, SIDE);
    }
    assert_int_equal(make(algorithm, state, wide, 3 * SIDE, SIDE, from_wide, text),
                     ASSAY_OUTCOME_OK);
    assert_int_equal(make(algorithm, state, square, SIDE, SIDE, from_square, text),
                     ASSAY_OUTCOME_OK);
    assert_memory_equal(from_wide, from_square, sizeof from_wide);
    algorithm->close(state);
}

static void pictures_without_contrast_or_too_small_are_refused(void **unused) {
    (void)unused;
    static uint8_t pixels[SIDE * SIDE];
    static float made[CELLS * BINS];
    char text[128] = "";
    for (size_t n = 0; n < assay_algorithm_count(); n++) {
        const assay_algorithm *algorithm = assay_algorithm_at(n);
        void *state = open_with(algorithm, NULL);
        /* A standard deviation of 1, then of 3. */
        for (uint32_t p = 0; p < SIDE * SIDE; p++) pixels[p] = p / SIDE < SIDE / 2 ? 100 : 102;
        assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, made, text),
                         ASSAY_OUTCOME_REFUSED);
        assert_non_null(strstr(text, "no contrast"));
        for (uint32_t p = 0; p < SIDE * SIDE; p++) pixels[p] = p / SIDE < SIDE / 2 ? 100 : 106;
        assert_int_equal(make(algorithm, state, pixels, SIDE, SIDE, made, text), ASSAY_OUTCOME_OK);
        fill_noise(pixels, 4);
        assert_int_equal(make(algorithm, state, pixels, 31, SIDE, made, text),
                         ASSAY_OUTCOME_REFUSED);
        assert_non_null(strstr(text, "under 32 pixels"));
        assert_int_equal(make(algorithm, state, pixels, 32, SIDE, made, text), ASSAY_OUTCOME_OK);
        for (uint32_t c = 0; c < CELLS * BINS; c++) assert_true(isfinite(made[c]));
        algorithm->close(state);
    }
}

/* A triangle that lies within the picture keeps a straight ramp straight. */
static void resizing_keeps_a_ramp(void **unused) {
    (void)unused;
    static uint8_t pixels[192 * 192];
    static float made[SIDE * SIDE];
    for (uint32_t n = 0; n < 192 * 192; n++) pixels[n] = (uint8_t)(n % 192);
    assert_true(lbp_crop_and_resize(pixels, 192, 192, 0.75, 36, made));
    /* The crop is columns 24 … 168; 36 outputs of 4 columns each. */
    for (uint32_t x = 0; x < 36; x++) {
        assert_true(fabs(made[5 * 36 + x] - (24 + 4 * x + 1.5)) < 1e-3);
    }
    assert_true(lbp_crop_and_resize(pixels, 192, 192, 0.25, SIDE, made));
    for (uint32_t x = 0; x < SIDE; x++) {
        assert_true(fabs(made[7 * SIDE + x] - (72 + 0.5 * x - 0.25)) < 1e-3);
    }
}

/* ---- on faces ---- */

#define SUBJECTS 40u
#define FACE_SIDE 96u

typedef struct {
    double mated, non_mated;
} means;

/* Mean scores of SUBJECTS faces taken twice: the second time turned, blurred and lit otherwise. */
static means mean_scores(const char *name, double likeness, double degradation) {
    static assay_face face, mean;
    static uint8_t pixels[FACE_SIDE * FACE_SIDE];
    static float made[2 * SUBJECTS][CELLS * BINS];
    const assay_algorithm *algorithm = find(name);
    void *state = open_with(algorithm, NULL);
    char text[128] = "";
    assay_random random;
    assay_random_start(&random, 21, 0);
    assay_face_draw(&random, &mean);
    for (uint32_t n = 0; n < 2 * SUBJECTS; n++) {
        double second = n % 2;
        const assay_face_capture capture = {.yaw = 0.1 * second,
                                            .scale = 1,
                                            .light_x = 0.4 * second,
                                            .ambient = 0.5,
                                            .exposure = 1 - 0.2 * second,
                                            .backdrop = 0.7,
                                            .blur = 0.3 + 2 * second * degradation,
                                            .noise = 1.5 + 6 * second * degradation,
                                            .age = 30};
        assay_random_start(&random, 21, 1 + n / 2);
        assay_face_draw(&random, &face);
        assay_face_pull(&face, &mean, likeness);
        assert_int_equal(assay_face_render(&face, &capture, FACE_SIDE, &random, pixels), ASSAY_OK);
        assert_int_equal(make(algorithm, state, pixels, FACE_SIDE, FACE_SIDE, made[n], text),
                         ASSAY_OUTCOME_OK);
    }
    means found = {0};
    for (uint32_t a = 0; a < SUBJECTS; a++) {
        for (uint32_t b = 0; b < SUBJECTS; b++) {
            double score = 0;
            for (uint32_t c = 0; c < CELLS * BINS; c++) {
                score +=
                    made[2 * a][c] * (double)made[2 * b + 1][c] / CELLS; /* cells have norm 1 */
            }
            if (a == b)
                found.mated += score / SUBJECTS;
            else
                found.non_mated += score / (SUBJECTS * (SUBJECTS - 1.0));
        }
    }
    algorithm->close(state);
    return found;
}

static void faces_of_one_person_are_more_alike(void **unused) {
    (void)unused;
    means plain = mean_scores("lbp", 0, 0), normalised = mean_scores("lbp-normalised", 0, 0);
    assert_true(plain.mated > plain.non_mated + 0.02);
    assert_true(normalised.mated > normalised.non_mated + 0.04);
}

static void likeness_raises_non_mated_and_degradation_lowers_mated_scores(void **unused) {
    (void)unused;
    for (size_t n = 0; n < assay_algorithm_count(); n++) {
        const char *name = assay_algorithm_at(n)->name;
        means none = mean_scores(name, 0, 0), alike = mean_scores(name, 0.3, 0);
        means degraded = mean_scores(name, 0, 0.35);
        assert_true(alike.non_mated > none.non_mated + 0.01);
        assert_true(degraded.mated < none.mated - 0.01);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_versions_are_described),
        cmocka_unit_test(an_unknown_algorithm_names_the_known_ones),
        cmocka_unit_test(a_wrong_parameter_is_refused),
        cmocka_unit_test(a_ramp_has_one_pattern),
        cmocka_unit_test(cells_are_normalised),
        cmocka_unit_test(more_light_everywhere_changes_nothing),
        cmocka_unit_test(only_the_central_square_is_looked_at),
        cmocka_unit_test(pictures_without_contrast_or_too_small_are_refused),
        cmocka_unit_test(resizing_keeps_a_ramp),
        cmocka_unit_test(faces_of_one_person_are_more_alike),
        cmocka_unit_test(likeness_raises_non_mated_and_degradation_lowers_mated_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
