/* test_population -- a synthetic population is what its closed forms say, and the same for a seed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "datasets/base/digest.h"
#include "datasets/base/file.h"
#include "datasets/base/text.h"
#include "datasets/population.h"
#include "datasets/population_render.h"

#define PAIRS 20000u /* subjects of each group, so that all pairs below are independent */
#define LENGTH 24u

/* Two groups of 16 and 24 dimensions in turn: subject 2n is of the first, 2n + 1 of the second. */
static assay_population_group two_groups[2] = {
    {.name = (char *)"small", .share = 1, .dimension = 16, .stability = 0.7},
    {.name = (char *)"large", .share = 1, .dimension = LENGTH, .stability = 0.6},
};

static assay_population two_group_population(uint32_t subjects) {
    return (assay_population){.seed = 5,
                              .subjects = subjects,
                              .samples_per_subject = 2,
                              .length = LENGTH,
                              .image_size = 64,
                              .groups = two_groups,
                              .group_count = 2};
}

static double product(const float *vectors, uint64_t a, uint64_t b) {
    double sum = 0;
    for (uint32_t n = 0; n < LENGTH; n++) {
        sum += (double)vectors[a * LENGTH + n] * vectors[b * LENGTH + n];
    }
    return sum;
}

/* Binomial standard errors between count successes of PAIRS and probability p. */
static double deviation(uint32_t count, double p) {
    return fabs(count / (double)PAIRS - p) / sqrt(p * (1 - p) / PAIRS);
}

typedef struct {
    float *vectors;
    assay_sample_table table;
    assay_population population;
} drawn;

static int draw_population(void **state) {
    static drawn made;
    made.population = two_group_population(4 * PAIRS);
    *state = &made;
    return assay_population_templates(&made.population, NULL, &made.table, &made.vectors) !=
           ASSAY_OK;
}

static int free_population(void **state) {
    drawn *made = *state;
    free(made->vectors);
    assay_sample_table_free(&made->table);
    return 0;
}

/* Row of the first sample of the n-th subject of group. */
static uint64_t row_of(uint32_t n, uint32_t group) {
    return 2 * (2 * (uint64_t)n + group);
}

/* Pairs (group a's n-th, group b's) at or over threshold; no subject is in two pairs. */
static uint32_t count_non_mated(const drawn *made, uint32_t a, uint32_t b, double threshold) {
    uint32_t count = 0;
    for (uint32_t n = 0; n < PAIRS; n++) {
        count += product(made->vectors, row_of(2 * n, a), row_of(2 * n + 1, b)) >= threshold;
    }
    return count;
}

static void non_mated_scores_have_the_closed_form(void **state) {
    static const uint32_t pairs[3][2] = {{0, 0}, {1, 1}, {0, 1}};
    const drawn *made = *state;
    for (int n = 0; n < 3; n++) {
        for (double threshold = -0.3; threshold < 0.65; threshold += 0.15) {
            uint32_t count = count_non_mated(made, pairs[n][0], pairs[n][1], threshold);
            double p = assay_population_fmr(&made->population, pairs[n][0], pairs[n][1], threshold);
            assert_true(deviation(count, p) < 5);
        }
    }
}

static void another_dimension_does_not_fit(void **state) {
    const drawn *made = *state;
    uint32_t count = count_non_mated(made, 0, 0, 0.3);
    assert_true(deviation(count, assay_population_fmr(&made->population, 1, 1, 0.3)) > 5);
    /* Nor does one that is off by one, at the most telling threshold. */
    assay_population off = made->population;
    assay_population_group group = {.dimension = 17};
    off.groups = &group;
    assert_true(deviation(count, assay_population_fmr(&off, 0, 0, 0.3)) > 2);
    count = count_non_mated(made, 0, 1, 0.3);
    assert_true(deviation(count, assay_population_fmr(&made->population, 0, 0, 0.3)) > 5);
}

static void mated_scores_have_the_closed_form(void **state) {
    const drawn *made = *state;
    for (uint32_t group = 0; group < 2; group++) {
        for (double threshold = 0.1; threshold < 0.75; threshold += 0.1) {
            uint32_t below = 0;
            for (uint32_t n = 0; n < PAIRS; n++) {
                uint64_t row = row_of(n, group);
                below += product(made->vectors, row, row + 1) < threshold;
            }
            double p = assay_population_fnmr(&made->population, group, threshold);
            assert_true(deviation(below, p) < 5);
            assay_population_group other = {.dimension = 16, .stability = 0.65};
            const assay_population wrong = {.groups = &other, .group_count = 1};
            if (fabs(threshold - 0.4) > 0.05) continue;
            assert_true(deviation(below, assay_population_fnmr(&wrong, 0, threshold)) > 5);
        }
    }
}

/* In four dimensions v is uniform on a sphere in three, whose heights are uniform: w is uniform. */
static void mated_scores_of_four_dimensions_are_uniform(void **state) {
    (void)state;
    assay_population_group group = {.name = (char *)"flat", .share = 1, .dimension = 4};
    group.stability = 0.5;
    assay_population population = two_group_population(PAIRS);
    population.groups = &group;
    population.group_count = 1;
    assay_sample_table table = {0};
    float *vectors = NULL;
    assert_int_equal(assay_population_templates(&population, NULL, &table, &vectors), ASSAY_OK);
    for (double threshold = -0.35; threshold < 1; threshold += 0.15) {
        double p = (threshold + 0.5) / 1.5;
        uint32_t below = 0;
        for (uint64_t n = 0; n < PAIRS; n++)
            below += product(vectors, 2 * n, 2 * n + 1) < threshold;
        assert_true(fabs(assay_population_fnmr(&population, 0, threshold) - p) < 1e-12);
        assert_true(deviation(below, p) < 5);
    }
    free(vectors);
    assay_sample_table_free(&table);
}

static void closed_forms_end_at_the_ends(void **state) {
    const drawn *made = *state;
    assert_true(assay_population_fmr(&made->population, 0, 0, -1) == 1);
    assert_true(assay_population_fmr(&made->population, 0, 0, 1.01) == 0);
    assert_true(assay_population_fmr(&made->population, 0, 1, 0) == 0.5);
    assert_true(assay_population_fnmr(&made->population, 0, 1.01) == 1);
    assert_true(assay_population_fnmr(&made->population, 0, -1) == 0);
    /* w is -1 at the lowest: a^2 - (1 - a^2). */
    assert_true(assay_population_fnmr(&made->population, 0, 2 * 0.7 * 0.7 - 1 - 1e-9) == 0);
}

static void templates_are_unit_vectors_of_their_dimension(void **state) {
    const drawn *made = *state;
    for (uint32_t n = 0; n < 100; n++) {
        uint64_t small = row_of(n, 0);
        for (uint64_t row = small; row < small + 4; row++) {
            assert_true(fabs(product(made->vectors, row, row) - 1) < 1e-6);
        }
        for (uint32_t at = 16; at < LENGTH; at++) {
            assert_true(made->vectors[small * LENGTH + at] == 0);
            assert_true(made->vectors[(small + 2) * LENGTH + at] != 0);
        }
    }
}

static void the_table_tells_who_is_who(void **state) {
    const drawn *made = *state;
    const assay_sample_table *table = &made->table;
    const assay_attribute *group = assay_sample_table_attribute(table, "group");
    const assay_attribute *age = assay_sample_table_attribute(table, "age_band");
    assert_int_equal(table->row_count, 8 * PAIRS);
    assert_int_equal(table->subject_count, 4 * PAIRS);
    assert_string_equal(table->sample_id[5], "00003_2");
    assert_string_equal(table->subject_id[table->subject[5]], "00003");
    assert_string_equal(group->labels[group->codes[5]], "small");
    assert_string_equal(group->labels[group->codes[6]], "large");
    assert_int_equal(group->level, ASSAY_LEVEL_SUBJECT);
    assert_int_equal(group->source, ASSAY_SOURCE_BY_CONSTRUCTION);
    assert_int_equal(table->captured[5] - table->captured[4], 31557600);
    assert_int_not_equal(table->session.codes[4], table->session.codes[5]);
    assert_non_null(assay_sample_table_attribute(table, "sex"));
    for (uint64_t row = 0; row < 1000; row++) {
        uint32_t bin = age->codes[row] - (uint32_t)ASSAY_CODE_FIRST;
        assert_true(age->values[row] >= age->bin_low[bin] && age->values[row] < age->bin_high[bin]);
        assert_int_equal(table->enrolment[row], ASSAY_ENROLMENT_ENROLLED);
    }
}

static void shares_decide_the_sizes_of_groups(void **state) {
    (void)state;
    assay_population_group groups[2] = {two_groups[0], two_groups[1]};
    groups[0].share = 3;
    assay_population population = two_group_population(40);
    assay_sample_table table = {0};
    float *vectors = NULL;
    population.groups = groups;
    uint32_t count = 0;
    assert_int_equal(assay_population_templates(&population, NULL, &table, &vectors), ASSAY_OK);
    for (uint64_t row = 0; row < table.row_count; row++) {
        count += table.attributes[0].codes[row] == ASSAY_CODE_FIRST;
    }
    assert_int_equal(count, 60);
    free(vectors);
    assay_sample_table_free(&table);
}

static void a_subject_does_not_depend_on_how_many_there_are(void **state) {
    const drawn *made = *state;
    assay_population few = two_group_population(10);
    assay_sample_table table = {0};
    float *vectors = NULL;
    size_t bytes = 20 * LENGTH * sizeof *vectors;
    assert_int_equal(assay_population_templates(&few, NULL, &table, &vectors), ASSAY_OK);
    assert_memory_equal(vectors, made->vectors, bytes);
    free(vectors);
    assay_sample_table_free(&table);
    few.seed++;
    assert_int_equal(assay_population_templates(&few, NULL, &table, &vectors), ASSAY_OK);
    assert_memory_not_equal(vectors, made->vectors, bytes);
    free(vectors);
    assay_sample_table_free(&table);
}

static void assert_refused(const assay_population *population, const char *part) {
    assay_sample_table table = {0};
    float *vectors = NULL;
    assert_int_equal(assay_population_templates(population, NULL, &table, &vectors), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), part));
    assert_null(vectors);
}

static void impossible_populations_are_refused(void **state) {
    (void)state;
    assay_population_group group = two_groups[0];
    assay_population population = two_group_population(10);
    population.groups = &group;
    population.group_count = 1;
    group.dimension = 2;
    assert_refused(&population, "dimension of group 'small' is 2");
    group.dimension = LENGTH + 1;
    assert_refused(&population, "dimension of group 'small' is 25");
    group = two_groups[0];
    group.stability = 1;
    assert_refused(&population, "stability of group 'small' is 1");
    group = two_groups[0];
    group.share = 0;
    assert_refused(&population, "share of group 'small' is 0");
    group = two_groups[0];
    population.subjects = 0;
    assert_refused(&population, "subjects is 0");
    population = two_group_population(10);
    assay_population_group same[2] = {two_groups[0], two_groups[0]};
    population.groups = same;
    assert_refused(&population, "two groups are called 'small'");
}

static void truth_json_holds_the_closed_forms(void **state) {
    (void)state;
    assay_population population;
    char *text = NULL;
    assert_int_equal(assay_population_create(true, &population), ASSAY_OK);
    assert_int_equal(assay_population_truth_json(&population, &text), ASSAY_OK);
    json_t *root = json_loads(text, 0, NULL);
    json_t *thresholds = json_object_get(root, "thresholds");
    json_t *pairs = json_object_get(root, "non_mated"), *groups = json_object_get(root, "mated");
    assert_int_equal(json_array_size(pairs), 10);
    assert_int_equal(json_array_size(groups), 4);
    assert_int_equal(json_array_size(thresholds), 151);
    double threshold = json_real_value(json_array_get(thresholds, 80));
    assert_true(threshold == 0.3);
    json_t *west = json_array_get(pairs, 9), *south = json_array_get(groups, 1);
    assert_string_equal(json_string_value(json_object_get(west, "a")), "west");
    assert_string_equal(json_string_value(json_object_get(south, "group")), "south");
    double fmr = json_real_value(json_array_get(json_object_get(west, "fmr"), 80));
    double fnmr = json_real_value(json_array_get(json_object_get(south, "fnmr"), 80));
    assert_true(fmr == assay_population_fmr(&population, 3, 3, threshold));
    assert_true(fnmr == assay_population_fnmr(&population, 1, threshold));
    /* What was planted is large. */
    assert_true(fmr > 10 * assay_population_fmr(&population, 0, 0, threshold));
    assert_true(fnmr > 5 * assay_population_fnmr(&population, 0, threshold));
    json_decref(root);
    free(text);
    assay_population_free(&population);
}

/* ---- images ---- */

static void a_rendered_picture_is_the_same_bytes_everywhere(void **state) {
    (void)state;
    static assay_face face;
    const assay_face_capture capture = {.yaw = 0.1,
                                        .pitch = -0.05,
                                        .roll = 0.02,
                                        .scale = 1,
                                        .light_x = 0.3,
                                        .light_y = -0.2,
                                        .ambient = 0.5,
                                        .exposure = 1,
                                        .smile = 0.4,
                                        .backdrop = 0.7,
                                        .clothes = 0.2,
                                        .blur = 0.8,
                                        .noise = 3,
                                        .age = 60};
    static uint8_t pixels[64 * 64];
    assay_random random;
    assay_digest digest;
    char hex[ASSAY_DIGEST_HEX];
    assay_random_start(&random, 11, 3);
    assay_face_draw(&random, &face);
    assert_int_equal(assay_face_render(&face, &capture, 64, &random, pixels), ASSAY_OK);
    assert_int_equal(assay_digest_bytes(pixels, sizeof pixels, &digest), ASSAY_OK);
    assert_string_equal(assay_digest_hex(hex, &digest),
                        "d107bb3523b87d9c5593e4c635384430a36e4f531cc48c0f5acc91f872c845bf");
}

static double mean_difference(const uint8_t *a, const uint8_t *b, size_t count) {
    double sum = 0;
    for (size_t n = 0; n < count; n++) sum += abs(a[n] - b[n]);
    return sum / (double)count;
}

static void full_likeness_makes_one_face(void **state) {
    (void)state;
    static assay_face faces[3];
    static uint8_t pixels[3][64 * 64];
    const assay_face_capture capture = {
        .scale = 1, .ambient = 0.5, .exposure = 1, .backdrop = 0.7, .clothes = 0.2, .age = 30};
    assay_random random;
    assay_random_start(&random, 11, 4);
    for (int n = 0; n < 3; n++) assay_face_draw(&random, &faces[n]);
    double apart[3];
    for (int step = 0; step < 3; step++) {
        for (int n = 0; n < 2; n++) {
            assay_face pulled = faces[n];
            assay_face_pull(&pulled, &faces[2], step / 2.0);
            assert_int_equal(assay_face_render(&pulled, &capture, 64, &random, pixels[n]),
                             ASSAY_OK);
        }
        apart[step] = mean_difference(pixels[0], pixels[1], sizeof pixels[0]);
    }
    assert_true(apart[0] > 3);
    assert_true(apart[1] < apart[0]);
    assert_true(apart[2] == 0);
}

static char *read_below(const char *directory, const char *name, size_t *out_length) {
    char *path = NULL, *bytes = NULL;
    assert_int_equal(assay_path_join(&path, directory, name), ASSAY_OK);
    assert_int_equal(assay_file_read(path, 1 << 20, &bytes, out_length), ASSAY_OK);
    free(path);
    return bytes;
}

static void remove_below(const char *directory, const char *name) {
    char *path = NULL;
    assert_int_equal(assay_path_join(&path, directory, name), ASSAY_OK);
    remove(path);
    free(path);
}

static void the_manifest_tells_every_picture(void **state) {
    (void)state;
    char directory[] = "/tmp/assay-population-XXXXXX";
    assay_population population = two_group_population(3);
    population.image_size = 48;
    two_groups[1].name = (char *)"lar,\"ge";
    assert_non_null(mkdtemp(directory));
    assert_int_equal(assay_population_images(&population, directory, NULL), ASSAY_OK);
    two_groups[1].name = (char *)"large";
    size_t length;
    char *manifest = read_below(directory, "manifest.csv", &length), *rest = manifest;
    char *line = strsep(&rest, "\n");
    assert_string_equal(line,
                        "sample_id,path,subject_id,session,captured,quality,sha256,group,sex,age");
    for (int n = 0; n < 6; n++) {
        char path[32], hex[ASSAY_DIGEST_HEX], header[] = "P5\n48 48\n255\n";
        assay_digest digest;
        line = strsep(&rest, "\n");
        snprintf(path, sizeof path, "images/%05d_%d.pgm", n / 2 + 1, n % 2 + 1);
        assert_non_null(strstr(line, path));
        char *bytes = read_below(directory, path, &length);
        assert_int_equal(length, strlen(header) + 48 * 48);
        assert_memory_equal(bytes, header, strlen(header));
        assert_int_equal(assay_digest_bytes(bytes, length, &digest), ASSAY_OK);
        assert_non_null(strstr(line, assay_digest_hex(hex, &digest)));
        assert_non_null(strstr(line, n / 2 == 1 ? ",\"lar,\"\"ge\"," : ",small,"));
        free(bytes);
        remove_below(directory, path);
    }
    assert_string_equal(rest, "");
    free(manifest);
    char *truth = read_below(directory, "truth.json", &length);
    assert_non_null(strstr(truth, "assay-population-truth/1"));
    free(truth);
    remove_below(directory, "manifest.csv");
    remove_below(directory, "truth.json");
    remove_below(directory, "images");
    assert_int_equal(rmdir(directory), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(non_mated_scores_have_the_closed_form),
        cmocka_unit_test(another_dimension_does_not_fit),
        cmocka_unit_test(mated_scores_have_the_closed_form),
        cmocka_unit_test(mated_scores_of_four_dimensions_are_uniform),
        cmocka_unit_test(closed_forms_end_at_the_ends),
        cmocka_unit_test(templates_are_unit_vectors_of_their_dimension),
        cmocka_unit_test(the_table_tells_who_is_who),
        cmocka_unit_test(shares_decide_the_sizes_of_groups),
        cmocka_unit_test(a_subject_does_not_depend_on_how_many_there_are),
        cmocka_unit_test(impossible_populations_are_refused),
        cmocka_unit_test(truth_json_holds_the_closed_forms),
        cmocka_unit_test(a_rendered_picture_is_the_same_bytes_everywhere),
        cmocka_unit_test(full_likeness_makes_one_face),
        cmocka_unit_test(the_manifest_tells_every_picture),
    };
    return cmocka_run_group_tests(tests, draw_population, free_population);
}
