/* face_geometry -- faces and landmarks out of YuNet's outputs, and the similarity that aligns them.
 *
 * A cell's score is sqrt(class * object); its centre, width and height come from box as offset and
 * logarithm in units of the stride, its landmarks from kps likewise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "harness/plugins/face/face.h"

static const uint32_t strides[FACE_STRIDES] = {8, 16, 32};

static face_found cell_face(const face_yunet *outputs, size_t s, size_t cell, uint32_t columns,
                            float score) {
    const float *box = outputs->box[s] + 4 * cell;
    const float *kps = outputs->kps[s] + 2 * FACE_POINTS * cell;
    float stride = (float)strides[s];
    float column = (float)(cell % columns), row = (float)(cell / columns);
    face_found face = {.score = score};
    face.width = expf(box[2]) * stride;
    face.height = expf(box[3]) * stride;
    face.x = (column + box[0]) * stride - face.width / 2;
    face.y = (row + box[1]) * stride - face.height / 2;
    for (size_t p = 0; p < FACE_POINTS; p++) {
        face.points[p].x = (kps[2 * p] + column) * stride;
        face.points[p].y = (kps[2 * p + 1] + row) * stride;
    }
    return face;
}

static bool is_finite_face(const face_found *face) {
    bool finite =
        isfinite(face->x) && isfinite(face->y) && isfinite(face->width) && isfinite(face->height);
    for (size_t p = 0; p < FACE_POINTS; p++) {
        finite = finite && isfinite(face->points[p].x) && isfinite(face->points[p].y);
    }
    return finite;
}

static float within_unit(float value) {
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static int by_score(const void *a, const void *b) {
    const face_found *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    if (x->y != y->y) return x->y < y->y ? -1 : 1;
    return (x->x > y->x) - (x->x < y->x);
}

static double overlap_of(const face_found *a, const face_found *b) {
    double left = fmax(a->x, b->x), right = fmin(a->x + a->width, b->x + b->width);
    double top = fmax(a->y, b->y), bottom = fmin(a->y + a->height, b->y + b->height);
    double shared = fmax(right - left, 0) * fmax(bottom - top, 0);
    double both = (double)a->width * a->height + (double)b->width * b->height - shared;
    return both > 0 ? shared / both : 0;
}

static size_t drop_overlapping(face_found *faces, size_t count, double overlap) {
    size_t kept = 0;
    for (size_t n = 0; n < count; n++) {
        bool own = true;
        for (size_t k = 0; k < kept && own; k++) own = overlap_of(&faces[k], &faces[n]) <= overlap;
        if (own) faces[kept++] = faces[n];
    }
    return kept;
}

assay_status face_yunet_decode(const face_yunet *outputs, uint32_t size, double score,
                               double overlap, face_found **out, size_t *out_count) {
    face_found *faces = NULL;
    size_t count = 0, capacity = 0;
    assay_status status = ASSAY_OK;
    for (size_t s = 0; s < FACE_STRIDES; s++) {
        uint32_t columns = size / strides[s];
        for (size_t cell = 0; cell < (size_t)columns * columns; cell++) {
            float sure =
                sqrtf(within_unit(outputs->cls[s][cell]) * within_unit(outputs->obj[s][cell]));
            if (!(sure >= (float)score)) continue;
            face_found face = cell_face(outputs, s, cell, columns, sure);
            if (!is_finite_face(&face)) continue;
            status = assay_reserve(&faces, &capacity, count + 1, sizeof *faces, "faces");
            if (status != ASSAY_OK) goto out;
            faces[count++] = face;
        }
    }
    if (count > 0) qsort(faces, count, sizeof *faces, by_score);
    *out_count = drop_overlapping(faces, count, overlap);
    *out = faces;
    faces = NULL;
out:
    free(faces);
    return status;
}

size_t face_choose(const face_found *faces, size_t count, face_pick pick, double width,
                   double height) {
    size_t best = 0;
    double best_worth = -INFINITY;
    for (size_t n = 0; n < count; n++) {
        const face_found *face = &faces[n];
        double dx = face->x + face->width / 2 - width / 2;
        double dy = face->y + face->height / 2 - height / 2;
        double worth = pick == FACE_PICK_SURE      ? face->score
                       : pick == FACE_PICK_CENTRAL ? -(dx * dx + dy * dy)
                                                   : (double)face->width * face->height;
        if (worth > best_worth) {
            best_worth = worth;
            best = n;
        }
    }
    return best;
}

/* With both sets about their means, the best turn and scale as one complex number is
 * sum(conj(from) to) / sum(|from|²). */
bool face_align(const face_point from[FACE_POINTS], const face_point to[FACE_POINTS], double m[6]) {
    double fx = 0, fy = 0, tx = 0, ty = 0, along = 0, across = 0, square = 0;
    for (size_t p = 0; p < FACE_POINTS; p++) {
        fx += from[p].x / (double)FACE_POINTS;
        fy += from[p].y / (double)FACE_POINTS;
        tx += to[p].x / (double)FACE_POINTS;
        ty += to[p].y / (double)FACE_POINTS;
    }
    for (size_t p = 0; p < FACE_POINTS; p++) {
        double ax = from[p].x - fx, ay = from[p].y - fy, bx = to[p].x - tx, by = to[p].y - ty;
        along += ax * bx + ay * by;
        across += ax * by - ay * bx;
        square += ax * ax + ay * ay;
    }
    if (!(square > 1e-6)) return false;
    double a = along / square, b = across / square;
    if (!(a * a + b * b > 1e-12)) return false;
    m[0] = a;
    m[1] = -b;
    m[2] = tx - a * fx + b * fy;
    m[3] = b;
    m[4] = a;
    m[5] = ty - b * fx - a * fy;
    return true;
}
