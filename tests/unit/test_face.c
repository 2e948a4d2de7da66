/* test_face -- the face plug-in's own arithmetic: faces out of the detector's grids, the similarity
 * that aligns five points, and the faults of algorithm.yaml. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/plugins/face/face.h"

#define SIZE 64u /* pixels: grids of 8, 4 and 2 cells a side */

/* ---- the detector's outputs ---- */

typedef struct {
    float cls[FACE_STRIDES][64], obj[FACE_STRIDES][64], box[FACE_STRIDES][256],
        kps[FACE_STRIDES][640];
    face_yunet outputs;
} grids;

static void clear(grids *all) {
    memset(all, 0, sizeof *all);
    for (size_t s = 0; s < FACE_STRIDES; s++) {
        all->outputs.cls[s] = all->cls[s];
        all->outputs.obj[s] = all->obj[s];
        all->outputs.box[s] = all->box[s];
        all->outputs.kps[s] = all->kps[s];
    }
}

static size_t decode(const grids *all, double score, double overlap, face_found **out) {
    size_t count = 99;
    assert_int_equal(face_yunet_decode(&all->outputs, SIZE, score, overlap, out, &count), ASSAY_OK);
    return count;
}

static void a_cell_becomes_a_face(void **unused) {
    (void)unused;
    grids all;
    face_found *faces = NULL;
    clear(&all);
    size_t cell = 2 * 4 + 1; /* row 2, column 1 of the grid of 16 pixels */
    all.cls[1][cell] = 0.64f;
    all.obj[1][cell] = 1.0f;
    all.box[1][4 * cell] = 0.5f;
    all.box[1][4 * cell + 1] = 0.25f;
    all.box[1][4 * cell + 2] = logf(2);
    all.box[1][4 * cell + 3] = 0;
    for (size_t p = 0; p < FACE_POINTS; p++) {
        all.kps[1][10 * cell + 2 * p] = (float)p;
        all.kps[1][10 * cell + 2 * p + 1] = -(float)p / 2;
    }
    assert_int_equal(decode(&all, 0.5, 0.3, &faces), 1);
    assert_float_equal(faces[0].score, 0.8, 1e-6);
    assert_float_equal(faces[0].width, 32, 1e-5);
    assert_float_equal(faces[0].height, 16, 1e-5);
    assert_float_equal(faces[0].x, 1.5 * 16 - 16, 1e-5);
    assert_float_equal(faces[0].y, 2.25 * 16 - 8, 1e-5);
    for (size_t p = 0; p < FACE_POINTS; p++) {
        assert_float_equal(faces[0].points[p].x, 16 * (1.0 + (double)p), 1e-5);
        assert_float_equal(faces[0].points[p].y, 16 * (2.0 - (double)p / 2), 1e-5);
    }
    free(faces);
    faces = NULL;
    assert_int_equal(decode(&all, 0.81, 0.3, &faces), 0);
    free(faces);
}

static void of_overlapping_faces_the_surest_stays(void **unused) {
    (void)unused;
    grids all;
    face_found *faces = NULL;
    clear(&all);
    /* Squares of 16 pixels on the grid of 8 pixels: neighbours share half, one third of their
     * union. */
    static const size_t cells[] = {0, 1, 2, 40};
    static const float scores[] = {0.9f, 0.95f, 0.8f, 0.7f};
    for (size_t n = 0; n < 4; n++) {
        all.cls[0][cells[n]] = all.obj[0][cells[n]] = scores[n];
        all.box[0][4 * cells[n] + 2] = all.box[0][4 * cells[n] + 3] = logf(2);
    }
    assert_int_equal(decode(&all, 0.5, 0.3, &faces), 2);
    assert_float_equal(faces[0].score, 0.95, 1e-6);
    assert_float_equal(faces[1].score, 0.7, 1e-6);
    free(faces);
    faces = NULL;
    assert_int_equal(decode(&all, 0.5, 0.34, &faces), 4);
    for (size_t n = 1; n < 4; n++) assert_true(faces[n - 1].score > faces[n].score);
    free(faces);
}

static void what_is_no_number_is_no_face(void **unused) {
    (void)unused;
    grids all;
    face_found *faces = NULL;
    clear(&all);
    all.cls[2][0] = NAN;
    all.obj[2][0] = 1;
    all.cls[2][1] = all.obj[2][1] = 1;
    all.box[2][4 * 1 + 2] = 1e6f; /* exp of it is infinite */
    all.cls[2][2] = all.obj[2][2] = 1;
    all.kps[2][10 * 2 + 3] = NAN;
    assert_int_equal(decode(&all, 0.5, 0.3, &faces), 0);
    free(faces);
}

static void the_face_that_is_meant_can_be_chosen(void **unused) {
    (void)unused;
    const face_found faces[] = {
        {.score = 0.9f, .x = 0, .y = 0, .width = 10, .height = 10},
        {.score = 0.8f, .x = 45, .y = 45, .width = 10, .height = 10},
        {.score = 0.7f, .x = 60, .y = 0, .width = 30, .height = 30},
    };
    assert_int_equal(face_choose(faces, 3, FACE_PICK_SURE, 100, 100), 0);
    assert_int_equal(face_choose(faces, 3, FACE_PICK_CENTRAL, 100, 100), 1);
    assert_int_equal(face_choose(faces, 3, FACE_PICK_LARGEST, 100, 100), 2);
}

/* ---- alignment ---- */

static const face_point target[FACE_POINTS] = {{38, 52}, {74, 51}, {56, 72}, {42, 92}, {71, 92}};

static void a_similarity_is_found_exactly(void **unused) {
    (void)unused;
    const double turn = 0.4, scale = 3, shift_x = 120, shift_y = -40;
    face_point from[FACE_POINTS];
    double m[6];
    for (size_t p = 0; p < FACE_POINTS; p++) {
        from[p].x = (float)(scale * (cos(turn) * target[p].x - sin(turn) * target[p].y) + shift_x);
        from[p].y = (float)(scale * (sin(turn) * target[p].x + cos(turn) * target[p].y) + shift_y);
    }
    assert_true(face_align(from, target, m));
    for (size_t p = 0; p < FACE_POINTS; p++) {
        assert_float_equal(m[0] * from[p].x + m[1] * from[p].y + m[2], target[p].x, 1e-4);
        assert_float_equal(m[3] * from[p].x + m[4] * from[p].y + m[5], target[p].y, 1e-4);
    }
}

static double misfit(const face_point from[FACE_POINTS], const double m[6]) {
    double sum = 0;
    for (size_t p = 0; p < FACE_POINTS; p++) {
        double x = m[0] * from[p].x + m[1] * from[p].y + m[2] - target[p].x;
        double y = m[3] * from[p].x + m[4] * from[p].y + m[5] - target[p].y;
        sum += x * x + y * y;
    }
    return sum;
}

static void no_other_similarity_fits_better(void **unused) {
    (void)unused;
    const face_point from[FACE_POINTS] = {{10, 10}, {60, 14}, {30, 45}, {20, 70}, {58, 66}};
    double m[6];
    assert_true(face_align(from, target, m));
    assert_float_equal(m[0], m[4], 1e-12);
    assert_float_equal(m[1], -m[3], 1e-12);
    double best = misfit(from, m);
    for (int n = 0; n < 8; n++) { /* turn, scale and shift a little either way */
        double other[6], by = n % 2 == 0 ? 1e-3 : -1e-3;
        memcpy(other, m, sizeof m);
        if (n / 2 == 0) other[0] += by, other[4] += by;
        if (n / 2 == 1) other[1] += by, other[3] -= by;
        if (n / 2 == 2) other[2] += by;
        if (n / 2 == 3) other[5] += by;
        assert_true(misfit(from, other) > best);
    }
}

static void points_on_top_of_each_other_are_told(void **unused) {
    (void)unused;
    const face_point same[FACE_POINTS] = {{5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}};
    double m[6];
    assert_false(face_align(same, target, m));
    assert_false(face_align(target, same, m));
}

/* ---- algorithm.yaml ---- */

static const char whole[] = "face: 1\n"
                            "name: a\n"
                            "version: \"1\"\n"
                            "comparator: cosine\n"
                            "detector: { model: d.onnx, size: 640 }\n"
                            "embedding:\n"
                            "  model: /models/e.onnx\n"
                            "  crop: 112\n"
                            "  points: [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]\n"
                            "  mean: [1, 2, 3]\n"
                            "  scale: 0.5\n"
                            "  colour: bgr\n"
                            "  flip: true\n";

static assay_status read_text(const char *text, face_config *out) {
    char folder[] = "/tmp/assay-face-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/algorithm.yaml", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assay_status status = face_config_read(folder, "/elsewhere", out);
    unlink(path);
    rmdir(folder);
    return status;
}

static void a_configuration_is_read(void **unused) {
    (void)unused;
    face_config config = {0};
    assert_int_equal(read_text(whole, &config), ASSAY_OK);
    assert_string_equal(config.detector_model, "/elsewhere/d.onnx");
    assert_string_equal(config.embedding_model, "/models/e.onnx");
    assert_int_equal(config.crop, 112);
    assert_true(config.bgr && config.flip && config.normalise);
    assert_float_equal(config.mean[2], 3, 0);
    assert_float_equal(config.scale[2], 0.5, 0);
    assert_float_equal(config.target[4].y, 10, 0);
    assert_float_equal(config.score, 0.6, 0);
    assert_null(config.output);
    face_config_free(&config);
}

static void every_fault_of_a_configuration_is_told(void **unused) {
    (void)unused;
    face_config config = {0};
    assert_int_equal(
        read_text("face: 1\nname: a\nversion: \"1\"\n"
                  "detector: { model: d.onnx, size: 100, scroe: 0.5 }\n"
                  "embedding: { model: e.onnx, crop: 112, points: [[1, 2]], mean: [1, 2] }\n",
                  &config),
        ASSAY_USAGE);
    const char *text = assay_error_text();
    assert_non_null(strstr(text, "algorithm.yaml:4:"));
    assert_non_null(strstr(text, "scroe"));
    assert_non_null(strstr(text, "score"));
    assert_non_null(strstr(text, "comparator"));
    assert_non_null(strstr(text, "five points"));
    assert_non_null(strstr(text, "three, one a channel"));
    assert_null(config.name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_becomes_a_face),
        cmocka_unit_test(of_overlapping_faces_the_surest_stays),
        cmocka_unit_test(what_is_no_number_is_no_face),
        cmocka_unit_test(the_face_that_is_meant_can_be_chosen),
        cmocka_unit_test(a_similarity_is_found_exactly),
        cmocka_unit_test(no_other_similarity_fits_better),
        cmocka_unit_test(points_on_top_of_each_other_are_told),
        cmocka_unit_test(a_configuration_is_read),
        cmocka_unit_test(every_fault_of_a_configuration_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
