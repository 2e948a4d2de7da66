/* population_render -- a small rasteriser of faces. Every point of the picture is traced back:
 * through the head's position and size in the picture, then, on the head, through pitch and yaw on
 * an ellipsoid, to a point (x, y) of the face seen from the front, where the features are painted.
 *
 * Coordinates run from -1 (left, top) to 1 (right, bottom); the head's centre is the origin. */
#include "datasets/population_render.h"

#include <math.h>
#include <stdlib.h>

#include "datasets/base/memory.h"

#define SUPERSAMPLES 2 /* a side of a pixel */

/* ---- drawing a person ---- */

double assay_face_spread(assay_random *random) {
    double sum = 0;
    for (int n = 0; n < 4; n++) sum += assay_random_u32(random) * (1.0 / 4294967296.0);
    return (sum - 2) * 1.7320508075688772; /* each of the four has variance 1/12 */
}

static float signed_unit(assay_random *random) {
    return (float)(assay_random_u32(random) * (2.0 / 4294967296.0) - 1);
}

void assay_face_draw(assay_random *random, assay_face *out) {
    for (int n = 0; n < ASSAY_FACE_TRAITS; n++) out->traits[n] = assay_face_spread(random);
    for (int n = 0; n < ASSAY_FACE_MOLES; n++) {
        out->mole_x[n] = 0.36 * signed_unit(random);
        out->mole_y[n] = 0.05 + 0.45 * signed_unit(random);
        out->mole_size[n] = 0.012 * (1 + signed_unit(random)) - 0.008;
    }
    for (int y = 0; y < ASSAY_FACE_COARSE; y++) {
        for (int x = 0; x < ASSAY_FACE_COARSE; x++) out->coarse[y][x] = signed_unit(random);
    }
    for (int y = 0; y < ASSAY_FACE_FINE; y++) {
        for (int x = 0; x < ASSAY_FACE_FINE; x++) out->fine[y][x] = signed_unit(random);
    }
}

static double mix(double from, double to, double share) {
    return from + (to - from) * share;
}

void assay_face_pull(assay_face *face, const assay_face *mean, double likeness) {
    for (int n = 0; n < ASSAY_FACE_TRAITS; n++) {
        face->traits[n] = mix(face->traits[n], mean->traits[n], likeness);
    }
    for (int n = 0; n < ASSAY_FACE_MOLES; n++) {
        face->mole_x[n] = mix(face->mole_x[n], mean->mole_x[n], likeness);
        face->mole_y[n] = mix(face->mole_y[n], mean->mole_y[n], likeness);
        face->mole_size[n] = mix(face->mole_size[n], mean->mole_size[n], likeness);
    }
    for (int y = 0; y < ASSAY_FACE_COARSE; y++) {
        for (int x = 0; x < ASSAY_FACE_COARSE; x++) {
            face->coarse[y][x] = (float)mix(face->coarse[y][x], mean->coarse[y][x], likeness);
        }
    }
    for (int y = 0; y < ASSAY_FACE_FINE; y++) {
        for (int x = 0; x < ASSAY_FACE_FINE; x++) {
            face->fine[y][x] = (float)mix(face->fine[y][x], mean->fine[y][x], likeness);
        }
    }
}

/* ---- measures of one face in one capture, computed once a picture ---- */

typedef struct {
    double head_width, head_height, chin; /* half axes; how much narrower the jaw is */
    double hairline, hair, hair_sides, hair_part;
    double eye_y, eye_x, eye_width, eye_open, eye_tilt, iris, iris_shade, sockets;
    double brow_gap, brow_angle, brow_arch, brow_thick, brow_length;
    double nose_y, nose_width, bridge;
    double mouth_y, mouth_width, mouth_curve, upper_lip, lower_lip, lip_shade;
    double ear_size, ear_y;
    double skin, cheeks, dimple, freckles, wrinkles, folds;
    double cos_yaw, sin_yaw, cos_pitch, sin_pitch, cos_roll, sin_roll;
    double light[3]; /* unit vector towards the light; z towards the viewer */
} face_measures;

/* Of small angles, by the half-angle formulae and a series; the pair is on the unit circle. */
static void sine_and_cosine(double angle, double *sine, double *cosine) {
    double half = angle / 2;
    double t = half + half * half * half / 3;
    *sine = 2 * t / (1 + t * t);
    *cosine = (1 - t * t) / (1 + t * t);
}

static double limited(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

static void measure_features(const double *t, const assay_face_capture *capture, face_measures *m) {
    m->head_width = 0.56 + 0.030 * t[ASSAY_FACE_HEAD_WIDTH];
    m->head_height = 0.76 + 0.025 * t[ASSAY_FACE_HEAD_HEIGHT];
    m->chin = limited(0.20 + 0.08 * t[ASSAY_FACE_CHIN], 0, 0.45);
    m->hairline = -0.50 + 0.05 * t[ASSAY_FACE_HAIRLINE];
    m->hair = limited(0.20 + 0.12 * t[ASSAY_FACE_HAIR_SHADE], 0.05, 0.6);
    m->hair_sides = 0.10 + 0.06 * t[ASSAY_FACE_HAIR_SIDES];
    m->hair_part = 0.12 * t[ASSAY_FACE_HAIR_PART];
    m->eye_y = -0.10 + 0.020 * t[ASSAY_FACE_EYE_HEIGHT];
    m->eye_x = 0.235 + 0.020 * t[ASSAY_FACE_EYE_SPACING];
    m->eye_width = 0.110 + 0.012 * t[ASSAY_FACE_EYE_WIDTH];
    m->eye_open = limited(0.046 + 0.010 * t[ASSAY_FACE_EYE_OPENING], 0.018, 0.08);
    m->eye_open *= 1 - 0.25 * capture->smile;
    m->eye_tilt = 0.10 * t[ASSAY_FACE_EYE_TILT];
    m->iris = 0.045 + 0.004 * t[ASSAY_FACE_IRIS_SIZE];
    m->iris_shade = limited(0.28 + 0.12 * t[ASSAY_FACE_IRIS_SHADE], 0.1, 0.6);
    m->sockets = limited(0.22 + 0.10 * t[ASSAY_FACE_SOCKETS], 0, 0.5);
    m->brow_gap = 0.115 + 0.018 * t[ASSAY_FACE_BROW_GAP];
    m->brow_angle = 0.16 * t[ASSAY_FACE_BROW_ANGLE];
    m->brow_arch = 1.2 + 0.8 * t[ASSAY_FACE_BROW_ARCH];
    m->brow_thick = limited(0.026 + 0.009 * t[ASSAY_FACE_BROW_THICKNESS], 0.008, 0.06);
    m->brow_length = 0.150 + 0.014 * t[ASSAY_FACE_BROW_LENGTH];
    m->nose_y = 0.185 + 0.030 * t[ASSAY_FACE_NOSE_LENGTH];
    m->nose_width = limited(0.085 + 0.016 * t[ASSAY_FACE_NOSE_WIDTH], 0.045, 0.15);
    m->bridge = limited(0.045 + 0.010 * t[ASSAY_FACE_NOSE_BRIDGE], 0.02, 0.08);
    m->mouth_y = 0.385 + 0.022 * t[ASSAY_FACE_MOUTH_HEIGHT];
    m->mouth_width = 0.175 + 0.022 * t[ASSAY_FACE_MOUTH_WIDTH] + 0.035 * capture->smile;
    m->mouth_curve = 0.5 * t[ASSAY_FACE_MOUTH_CURVE] + 1.3 * capture->smile;
    m->upper_lip = limited(0.026 + 0.009 * t[ASSAY_FACE_UPPER_LIP], 0.008, 0.06);
    m->lower_lip = limited(0.038 + 0.011 * t[ASSAY_FACE_LOWER_LIP], 0.012, 0.08);
    m->lip_shade = limited(0.70 + 0.10 * t[ASSAY_FACE_LIP_SHADE], 0.4, 0.95);
    m->ear_size = 0.14 + 0.018 * t[ASSAY_FACE_EAR_SIZE];
    m->ear_y = 0.02 + 0.03 * t[ASSAY_FACE_EAR_HEIGHT];
    m->skin = limited(0.66 + 0.11 * t[ASSAY_FACE_SKIN_SHADE], 0.3, 0.95);
    m->cheeks = 0.10 * t[ASSAY_FACE_CHEEKS];
    m->dimple = limited(0.05 + 0.10 * t[ASSAY_FACE_CHIN_DIMPLE], 0, 0.3);
    m->freckles = limited(0.10 * t[ASSAY_FACE_FRECKLES] - 0.02, 0, 0.3);
    m->wrinkles = limited((capture->age - 30) / 150, 0, 0.3);
    m->folds = limited(0.06 + 0.05 * t[ASSAY_FACE_FOLDS], 0, 0.25) + m->wrinkles / 2 +
               0.12 * capture->smile;
}

static void measure(const assay_face *face, const assay_face_capture *capture, face_measures *out) {
    measure_features(face->traits, capture, out);
    sine_and_cosine(capture->yaw, &out->sin_yaw, &out->cos_yaw);
    sine_and_cosine(capture->pitch, &out->sin_pitch, &out->cos_pitch);
    sine_and_cosine(capture->roll, &out->sin_roll, &out->cos_roll);
    double norm =
        sqrt(capture->light_x * capture->light_x + capture->light_y * capture->light_y + 1);
    out->light[0] = capture->light_x / norm;
    out->light[1] = capture->light_y / norm;
    out->light[2] = 1 / norm;
}

/* ---- painting ---- */

/* 0 up to low, 1 from high, smooth between. */
static double ramp(double low, double high, double x) {
    double t = limited((x - low) / (high - low), 0, 1);
    return t * t * (3 - 2 * t);
}

/* 1 where |x| is well under edge, 0 where well over, soft wide between. */
static double within(double x, double edge, double soft) {
    return 1 - ramp(edge - soft, edge + soft, fabs(x));
}

/* A soft spot: 1 in the middle of an ellipse, 0 from its rim on. */
static double spot(double x, double y, double half_width, double half_height) {
    double square = x * x / (half_width * half_width) + y * y / (half_height * half_height);
    if (square >= 1) return 0;
    return (1 - square) * (1 - square);
}

/* The field at (x, y) in -1 … 1, linear between its points. */
static double sample_field(const float *field, int side, double x, double y) {
    double column = limited((x + 1) / 2 * (side - 1), 0, side - 1.001);
    double row = limited((y + 1) / 2 * (side - 1), 0, side - 1.001);
    int c = (int)column, r = (int)row;
    const float *at = field + (ptrdiff_t)r * side + c;
    double top = mix(at[0], at[1], column - c), bottom = mix(at[side], at[side + 1], column - c);
    return mix(top, bottom, row - r);
}

static double paint_eye(const face_measures *m, double x, double y, double shade) {
    double ex = fabs(x) - m->eye_x;
    if (fabs(ex) > 2 * m->eye_width || fabs(y - m->eye_y) > 0.2) return shade;
    double ey = y - m->eye_y + m->eye_tilt * ex;
    shade *= 1 - m->sockets * spot(ex, ey + 0.02, 0.20, 0.13);
    double across = ex / m->eye_width;
    double lid = across * across < 1 ? m->eye_open * (1 - across * across) : 0;
    double opening = within(ey, lid, 0.008) * within(across, 1, 0.06);
    double distance = sqrt(ex * ex + ey * ey);
    double eye = 0.86 - 0.25 * across * across;
    eye = mix(eye, m->iris_shade, within(distance, m->iris, 0.008));
    eye = mix(eye, 0.04, within(distance, 0.42 * m->iris, 0.006));
    shade = mix(shade, eye, opening);
    double lash = within(ey + lid, 0.009, 0.007) * within(across, 1.05, 0.1);
    shade *= 1 - 0.75 * lash;
    double crease = within(ey + lid + 0.030, 0.005, 0.006) * within(across, 1, 0.3);
    double bag = within(ey - lid - 0.030, 0.004, 0.008) * within(across, 0.8, 0.3);
    return shade * (1 - 0.25 * crease) * (1 - (0.04 + m->wrinkles / 2) * bag);
}

static double paint_brow(const face_measures *m, double x, double y, double grain, double shade) {
    double bx = (fabs(x) - m->eye_x) / m->brow_length;
    if (fabs(bx) > 1.2) return shade;
    double middle = m->eye_y - m->brow_gap +
                    m->brow_length * bx * (m->brow_angle + m->brow_arch * m->brow_length * bx);
    double thick = m->brow_thick * (1 - 0.45 * ramp(-0.2, 1, bx));
    double brow = within(y - middle, thick, 0.010) * within(bx, 1, 0.15);
    return mix(shade, m->hair * (0.9 + 0.3 * grain), 0.85 * brow);
}

static double paint_nose(const face_measures *m, const assay_face_capture *capture, double x,
                         double y, double shade) {
    /* The tip stands out of the head, so that it moves further when the head turns. */
    double along = limited((y - m->eye_y) / (m->nose_y - m->eye_y), 0, 1);
    double nx = x - 0.16 * m->sin_yaw * along;
    double half = mix(m->bridge, m->nose_width, along * along);
    double on =
        ramp(m->eye_y - 0.03, m->eye_y + 0.06, y) * (1 - ramp(m->nose_y, m->nose_y + 0.03, y));
    double flank = limited(nx / half, -1.6, 1.6);
    double slope = flank * (1 - fabs(flank) / 1.6);
    shade *= 1 + on * (0.12 * within(nx / half, 0.35, 0.3) + 0.9 * slope * capture->light_x -
                       0.10 * within(fabs(nx / half) - 1, 0.10, 0.25));
    shade *= 1 - 0.40 * within(fabs(nx) - m->nose_width, 0.006, 0.012) *
                     spot(0, y - m->nose_y, 1, 0.055);
    shade *= 1 - 0.75 * spot(fabs(nx) - 0.52 * m->nose_width, y - m->nose_y - 0.008,
                             0.42 * m->nose_width, 0.024);
    return shade * (1 - 0.22 * spot(nx, y - m->nose_y - 0.035, 1.3 * m->nose_width, 0.03));
}

static double paint_mouth(const face_measures *m, double x, double y, double shade) {
    double across = x / m->mouth_width;
    double my = y - m->mouth_y + m->mouth_curve * (x * x - 0.4 * m->mouth_width * m->mouth_width);
    if (fabs(across) > 1.4 || fabs(my) > 0.2) return shade;
    double taper = across * across < 1 ? 1 - across * across : 0;
    double bow = 1 - 0.35 * within(across, 0.05, 0.12);
    double lips = my < 0 ? within(my, m->upper_lip * taper * bow, 0.008)
                         : within(my, m->lower_lip * taper, 0.010);
    double lip = m->skin * m->lip_shade * (my < 0 ? 0.88 : 1.0);
    lip *= 1 + 0.15 * spot(x, my - 0.5 * m->lower_lip, 0.08, 0.5 * m->lower_lip);
    shade = mix(shade, lip, lips * within(across, 1, 0.06));
    shade *= 1 - 0.70 * within(my, 0.006, 0.007) * within(across, 1.02, 0.08);
    return shade * (1 - 0.18 * spot(x, my - m->lower_lip - 0.035, 0.13, 0.035));
}

/* Lines of expression and age. */
static double paint_lines(const face_measures *m, double x, double y, double shade) {
    double down = limited((y - m->nose_y) / (m->mouth_y - m->nose_y), -0.3, 1.2);
    double fold = fabs(x) - mix(1.25 * m->nose_width, 1.12 * m->mouth_width, down);
    shade *= 1 - m->folds * within(fold, 0.006, 0.018) * spot(0, down - 0.45, 1, 0.8);
    if (m->wrinkles <= 0) return shade;
    for (int n = 0; n < 3; n++) {
        double line = y - (m->eye_y - 0.22 - 0.055 * n) - 0.15 * x * x;
        shade *= 1 - 0.8 * m->wrinkles * within(line, 0.004, 0.008) * within(x, 0.28, 0.15);
    }
    for (int n = -1; n <= 1; n++) {
        double out = fabs(x) - m->eye_x - m->eye_width;
        double line = y - m->eye_y - 0.35 * n * (out + 0.03);
        shade *=
            1 - 0.8 * m->wrinkles * within(line, 0.003, 0.006) * within(out - 0.05, 0.04, 0.02);
    }
    return shade;
}

static double paint_skin(const assay_face *face, const face_measures *m, double x, double y) {
    double coarse = sample_field(&face->coarse[0][0], ASSAY_FACE_COARSE, x / 0.8, y / 0.9);
    double fine = sample_field(&face->fine[0][0], ASSAY_FACE_FINE, x / 0.7, y / 0.8);
    double shade = m->skin * (1 + 0.07 * coarse + 0.035 * fine);
    double freckled = spot(fabs(x) - 0.22, y - 0.12, 0.28, 0.30);
    shade *= 1 - m->freckles * freckled * ramp(0.25, 0.6, fine);
    shade *= 1 + m->cheeks * spot(fabs(x) - 0.30, y - 0.16, 0.17, 0.14);
    shade *= 1 - m->dimple * within(x, 0.006, 0.02) * spot(0, y - 0.60, 1, 0.07);
    for (int n = 0; n < ASSAY_FACE_MOLES; n++) {
        if (face->mole_size[n] <= 0) continue;
        double size = face->mole_size[n] + 0.010;
        shade *= 1 - 0.65 * spot(x - face->mole_x[n], y - face->mole_y[n], size, size);
    }
    return shade;
}

/* Share of hair at the point (x, y) of the head. */
static double hair_cover(const face_measures *m, double x, double y) {
    double off = x - m->hair_part;
    double line = m->hairline + 0.35 * off * off + 0.05 * within(off, 0.02, 0.06);
    double top = 1 - ramp(line - 0.02, line + 0.02, y);
    double side = fabs(x) - (m->head_width - m->hair_sides);
    double sides = ramp(-0.03, 0.03, side) * (1 - ramp(m->ear_y - 0.10, m->ear_y + 0.05, y));
    return top > sides ? top : sides;
}

/* The head at the point (u, v) as seen, which lies inside it by 1 - rim. */
static double shade_head(const assay_face *face, const face_measures *m,
                         const assay_face_capture *capture, double u, double v, double rim) {
    const double depth = 0.50;
    double height = sqrt(rim < 1 ? 1 - rim : 0), z = depth * height;
    double y = v * m->cos_pitch - z * m->sin_pitch;
    double forward = v * m->sin_pitch + z * m->cos_pitch;
    double x = u * m->cos_yaw - forward * m->sin_yaw;
    double grain = sample_field(&face->fine[0][0], ASSAY_FACE_FINE, limited(1.6 * x, -1, 1), y / 4);
    double shade = paint_skin(face, m, x, y);
    shade = paint_lines(m, x, y, shade);
    shade = paint_eye(m, x, y, shade);
    shade = paint_nose(m, capture, x, y, shade);
    shade = paint_mouth(m, x, y, shade);
    shade = paint_brow(m, x, y, grain, shade);
    shade = mix(shade, m->hair * (1 + 0.5 * grain), hair_cover(m, x, y));
    double nx = u / m->head_width, ny = v / m->head_height, nz = 0.35 + height;
    double norm = sqrt(nx * nx + ny * ny + nz * nz);
    double lit = (nx * m->light[0] + ny * m->light[1] + nz * m->light[2]) / norm;
    return shade * (capture->ambient + (1 - capture->ambient) * (lit > 0 ? lit : 0));
}

/* (u / half width)^2 + (v / half height)^2 with a jaw that narrows downwards: under 1 inside. */
static double head_rim(const face_measures *m, double u, double v) {
    double down = v / m->head_height;
    double narrow = down > 0 ? 1 - m->chin * down * down : 1;
    double nu = u / (m->head_width * narrow);
    return nu * nu + down * down;
}

/* What is behind the head, from back to front: backdrop, hair, shoulders, neck, ears. */
static double shade_behind(const face_measures *m, const assay_face_capture *capture, double u,
                           double v) {
    double shade = capture->backdrop * (1 - 0.10 * v);
    double light = capture->ambient + 0.6 * (1 - capture->ambient);
    double hair_rim = head_rim(m, u / 1.07, v < 0 ? v / 1.07 : v);
    if (v < m->ear_y && hair_rim < 1) shade = m->hair * light;
    double shoulders = (v - 0.86) * 1.4 - u * u * 0.5;
    shade = mix(shade, capture->clothes, ramp(-0.01, 0.01, shoulders));
    double neck = within(u, 0.30 + 0.3 * ramp(0.7, 1.1, v) * (v - 0.7), 0.01) * ramp(0.3, 0.35, v) *
                  (1 - ramp(0.98, 1.0, v + 0.3 * (u * u)));
    shade = mix(shade, 0.62 * m->skin * light, neck);
    double ear_x = (fabs(u) - m->head_width) / (0.40 * m->ear_size);
    double ear_y = (v - m->ear_y) / m->ear_size;
    double ear = 1 - ramp(0.9, 1.1, ear_x * ear_x + ear_y * ear_y);
    double hollow = spot(ear_x - 0.1, ear_y, 0.7, 0.7);
    return mix(shade, m->skin * light * (0.9 - 0.35 * hollow), ear);
}

static double shade_point(const assay_face *face, const face_measures *m,
                          const assay_face_capture *capture, double x, double y) {
    double sx = (x - capture->shift_x) / capture->scale;
    double sy = (y - 0.04 - capture->shift_y) / capture->scale;
    double u = sx * m->cos_roll + sy * m->sin_roll, v = sy * m->cos_roll - sx * m->sin_roll;
    double rim = head_rim(m, u, v);
    if (rim < 1) return shade_head(face, m, capture, u, v, rim);
    return shade_behind(m, capture, u, v);
}

/* ---- the camera ---- */

/* One pass of the kernel (share/2, 1 - share, share/2), of variance share, along step. */
static void soften_lines(float *picture, uint32_t size, size_t step, size_t line_step,
                         float share) {
    for (uint32_t line = 0; line < size; line++) {
        float *p = picture + line * line_step;
        float before = p[0];
        for (uint32_t n = 0; n < size; n++) {
            float here = p[n * step], after = p[(n + 1 < size ? n + 1 : n) * step];
            p[n * step] = (1 - share) * here + share / 2 * (before + after);
            before = here;
        }
    }
}

static void soften(float *picture, uint32_t size, double variance) {
    while (variance > 0) {
        float share = (float)(variance < 0.5 ? variance : 0.5);
        soften_lines(picture, size, 1, size, share);
        soften_lines(picture, size, size, 1, share);
        variance -= 0.5;
    }
}

assay_status assay_face_render(const assay_face *face, const assay_face_capture *capture,
                               uint32_t size, assay_random *random, uint8_t *pixels) {
    float *picture = NULL;
    face_measures measures;
    size_t count = (size_t)size * size;
    assay_status status = assay_allocate(&picture, count, sizeof *picture, "picture");
    if (status != ASSAY_OK) goto out;
    measure(face, capture, &measures);
    double step = 2.0 / ((double)size * SUPERSAMPLES);
    for (uint32_t y = 0; y < size * SUPERSAMPLES; y++) {
        for (uint32_t x = 0; x < size * SUPERSAMPLES; x++) {
            double shade =
                shade_point(face, &measures, capture, (x + 0.5) * step - 1, (y + 0.5) * step - 1);
            picture[(size_t)(y / SUPERSAMPLES) * size + x / SUPERSAMPLES] +=
                (float)(shade / (SUPERSAMPLES * SUPERSAMPLES));
        }
    }
    double enlarged = size / 128.0;
    soften(picture, size, capture->blur * enlarged * enlarged);
    for (size_t n = 0; n < count; n++) {
        double level = 255 * capture->exposure * picture[n];
        level += capture->noise * assay_face_spread(random);
        pixels[n] = (uint8_t)(limited(level, 0, 255) + 0.5);
    }
out:
    free(picture);
    return status;
}
