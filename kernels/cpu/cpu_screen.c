/* cpu_screen -- bytes in front of everything, where only the tail is asked for: a pair whose
 * product of bytes cannot reach the floor is done with.
 *
 * Templates are turned before they are rounded: signs from a fixed stream and Hadamard transforms
 * of 2^n components, which leave products as they are but spread what a component holds over all
 * of them, so that a byte's steps are small. Turning is done in float, and what that may err is in
 * the bound. With x the turned fine template, z its bytes over their scale and e = x - z, for every
 * pair
 *     |x_a x_b - z_a z_b| = |x_a e_b + e_a z_b| <= n (|e_a| + |e_b|),
 * n the largest norm of any x or z. Each |e| is computed from the template itself. So a pair's
 * threshold is a sum of what depends on the floor, on a and on b (for Euclidean scores the norms
 * are in it too), and the product's sums begin with it. */
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "kernels/cpu/cpu_private.h"
#include "kernels/pairs_private.h"
#include "kernels/tail_private.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_X86                                                                               \
    __attribute__((target_clones("arch=x86-64-v4", "avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_X86
#endif

enum {
    LANES = 16,            /* templates that are turned beside one another */
    SCALE_SAMPLE = 8,      /* groups of LANES templates that choose the scale */
    PART_MOST = 1 << 27,   /* of a threshold: three parts and a product stay below 2^31 */
    NEVER = -(1 << 29),    /* what no product brings to 0 */
    TAIL_SHARE_MOST = 128, /* one pair in so many may be in the tail, */
    REACH_SHARE_MOST = 64, /* and in so many may pass, for screening to pay */
    TURN_STREAM = 0x7475726e,
};

/* Turning in float, against turning without error, shares of a template's norm: conversion, factor
 * and product, 12 stages at most and the scale are half an ulp each, 16 * 2^-24 < 1e-6 together.
 * And of a distance: a sum of 4,096 squares in float is off by 4,099 * 2^-24 < 2.5e-4 of itself. */
static const double TURN_ERROR = 2e-6, SUM_ERROR = 1e-3;

/* What turns templates: scratch of one thread. */
typedef struct {
    uint32_t length; /* components and zeros behind them: a multiple of four */
    float *values;   /* [length][LANES] */
    float *factor;   /* [length] with a sign: from fine integers to what is turned */
    uint32_t *words; /* [length / 4][LANES] of four bytes */
} turning;

/* What rounding did to LANES templates, in steps. */
typedef struct {
    float distance[LANES]; /* squares */
    int32_t size[LANES];   /* squares of the bytes */
    int32_t sum[LANES];    /* of the bytes */
} rounding;

/* Components of the Hadamard transform that begins with component first. */
static uint32_t transform_size(uint32_t length, uint32_t first) {
    uint32_t size = 1;
    while (2 * size <= length - first) size *= 2;
    return size;
}

FOR_EACH_X86 static void transform(float *values, uint32_t size) {
    for (uint32_t half = 1; half < size; half *= 2) {
        for (uint32_t first = 0; first < size; first += 2 * half) {
            float *restrict x = values + (size_t)first * LANES;
            float *restrict y = x + (size_t)half * LANES;
            for (uint32_t n = 0; n < half * LANES; n++) {
                const float sum = x[n] + y[n], difference = x[n] - y[n];
                x[n] = sum;
                y[n] = difference;
            }
        }
    }
}

static assay_status turning_open(const assay_quantised *set, turning *out) {
    turning turn = {.length = (set->length + 3) / 4 * 4};
    assay_status status = assay_allocate_aligned(&turn.values, (size_t)turn.length * LANES,
                                                 sizeof(float), "turned templates");
    if (status == ASSAY_OK) {
        status = assay_allocate(&turn.factor, turn.length, sizeof(float), "factors");
    }
    if (status == ASSAY_OK) {
        status = assay_allocate_aligned(&turn.words, (size_t)turn.length / 4 * LANES,
                                        sizeof(uint32_t), "bytes");
    }
    *out = turn;
    if (status != ASSAY_OK) return status;
    assay_random random;
    assay_random_start(&random, 0, TURN_STREAM);
    uint32_t size;
    for (uint32_t first = 0; first < turn.length; first += size) {
        size = transform_size(turn.length, first);
        for (uint32_t k = first; k < first + size; k++) {
            const double factor = ldexp(1.0, -set->exponent) / sqrt(size);
            turn.factor[k] = (float)(assay_random_below(&random, 2) == 0 ? factor : -factor);
        }
    }
    return ASSAY_OK;
}

static void turning_close(turning *turn) {
    free(turn->values);
    free(turn->factor);
    free(turn->words);
}

/* Templates first … first + LANES - 1, zeros where there are none, turned. */
static void turn_templates(const assay_quantised *set, uint64_t first, turning *turn) {
    enum { STRETCH = 16 }; /* components that are spread over the lanes together */
    memset(turn->values, 0, (size_t)turn->length * LANES * sizeof(float));
    for (uint32_t from = 0; from < set->length; from += STRETCH) {
        const uint32_t left = set->length - from, stretch = left < STRETCH ? left : STRETCH;
        for (unsigned lane = 0; lane < LANES && first + lane < set->count; lane++) {
            const int32_t *fine = set->fine + (size_t)(first + lane) * set->length + from;
            float *value = turn->values + (size_t)from * LANES + lane;
            for (uint32_t k = 0; k < stretch; k++) {
                value[(size_t)k * LANES] = turn->factor[from + k] * (float)fine[k];
            }
        }
    }
    uint32_t size;
    for (uint32_t at = 0; at < turn->length; at += size) {
        size = transform_size(turn->length, at);
        transform(turn->values + (size_t)at * LANES, size);
    }
}

FOR_EACH_X86 static void round_templates(const float *restrict values, uint32_t length, float scale,
                                         uint32_t *restrict words, rounding *restrict out) {
    rounding all = {0};
    for (uint32_t k = 0; k < length; k += 4) {
        uint32_t word[LANES] = {0};
        for (unsigned byte = 0; byte < 4; byte++) {
            const float *restrict value = values + (size_t)(k + byte) * LANES;
            for (unsigned lane = 0; lane < LANES; lane++) {
                const float exact = value[lane] * scale;
                float step = rintf(exact);
                step = step > 127 ? 127 : step;
                step = step < -127 ? -127 : step;
                const float off = exact - step;
                const int32_t whole = (int32_t)step;
                all.distance[lane] += off * off;
                all.size[lane] += whole * whole;
                all.sum[lane] += whole;
                word[lane] |= ((uint32_t)whole & 255) << 8 * byte;
            }
        }
        memcpy(words + (size_t)(k / 4) * LANES, word, sizeof word);
    }
    *out = all;
}

/* The scale with the least error in a sample of templates: clipping a few large components may
 * cost less than larger steps for all. */
static float choose_scale(const assay_quantised *set, turning *turn) {
    enum { CHOICES = 8 };
    static const double share = 0.85;
    double errors[CHOICES] = {0}, largest = 0;
    const uint64_t groups = (set->count + LANES - 1) / LANES;
    const uint64_t step = groups > SCALE_SAMPLE ? groups / SCALE_SAMPLE : 1;
    for (uint64_t group = 0; group < groups; group += step) {
        turn_templates(set, group * LANES, turn);
        for (size_t n = 0; n < (size_t)turn->length * LANES; n++) {
            largest = fmax(largest, fabs((double)turn->values[n]));
        }
    }
    if (!(largest > 0)) return 1;
    for (uint64_t group = 0; group < groups; group += step) {
        turn_templates(set, group * LANES, turn);
        for (int n = 0; n < CHOICES; n++) {
            rounding rounded;
            const double scale = 127 / (largest * pow(share, n));
            round_templates(turn->values, turn->length, (float)scale, turn->words, &rounded);
            for (int lane = 0; lane < LANES; lane++) {
                errors[n] += sqrt((double)rounded.distance[lane]) / scale;
            }
        }
    }
    int best = 0;
    for (int n = 1; n < CHOICES; n++) best = errors[n] < errors[best] ? n : best;
    return (float)(127 / (largest * pow(share, best)));
}

/* LANES columns of a panel, from column on. */
static void pack_words(const turning *turn, int32_t *panel, unsigned column) {
    for (uint32_t k = 0; k < turn->length / 4; k++) {
        memcpy(panel + (size_t)k * ASSAY_MICRO_COLUMNS + column, turn->words + (size_t)k * LANES,
               LANES * sizeof *panel);
    }
}

static double norm_of(const assay_quantised *set, uint64_t n) {
    return sqrt(assay_fine_to_score(set, set->fine_norm[n]));
}

/* Rounds and packs all; radius, sums of bytes (in column_start) and the largest norm. */
static void fill(const assay_quantised *set, turning *turn, cpu_screen *screen) {
    const size_t panel = (size_t)screen->depth * ASSAY_MICRO_COLUMNS;
    rounding rounded;
    for (uint64_t first = 0; first < set->count; first += LANES) {
        turn_templates(set, first, turn);
        round_templates(turn->values, turn->length, (float)screen->scale, turn->words, &rounded);
        pack_words(turn, screen->columns + first / ASSAY_MICRO_COLUMNS * panel,
                   first % ASSAY_MICRO_COLUMNS);
        for (unsigned lane = 0; lane < LANES && first + lane < set->count; lane++) {
            const double norm = norm_of(set, first + lane);
            const double distance = sqrt((double)rounded.distance[lane]) / screen->scale;
            screen->radius[first + lane] =
                screen->kernel->trust * (distance * (1 + SUM_ERROR) + TURN_ERROR * norm);
            screen->norm =
                fmax(screen->norm, fmax(norm, sqrt((double)rounded.size[lane]) / screen->scale));
            screen->column_start[first + lane] = -128 * rounded.sum[lane];
        }
    }
    screen->norm *= 1 + 1e-9;
}

/* A threshold in steps, from a part of it in units of the score's product. */
static double part_of(const cpu_screen *screen, double product) {
    return floor(product * screen->scale * screen->scale) - 1;
}

/* false where the templates differ so much in size that their thresholds leave 32 bits. */
static bool set_starts(const assay_quantised *set, cpu_screen *screen) {
    const uint64_t places =
        (set->count + ASSAY_MICRO_COLUMNS - 1) / ASSAY_MICRO_COLUMNS * ASSAY_MICRO_COLUMNS;
    for (uint64_t n = 0; n < set->count; n++) {
        double product = -screen->norm * screen->radius[n];
        if (set->comparator == ASSAY_EUCLIDEAN) {
            product += assay_fine_to_score(set, set->fine_norm[n]) / 2;
        }
        const double part = part_of(screen, product);
        if (!(fabs(part) < PART_MOST)) return false;
        screen->row_start[n] = -(int32_t)part;
        screen->column_start[n] -= (int32_t)part;
    }
    for (uint64_t n = set->count; n < places; n++) screen->column_start[n] = NEVER;
    for (uint64_t n = set->count; n < places + ASSAY_MICRO_ROWS_MAX; n++) {
        screen->row_start[n] = NEVER;
    }
    return true;
}

uint64_t assay_cpu_screen_bytes(uint64_t count, uint32_t length) {
    const uint64_t panels = (count + ASSAY_MICRO_COLUMNS - 1) / ASSAY_MICRO_COLUMNS;
    const uint64_t places = panels * ASSAY_MICRO_COLUMNS + ASSAY_MICRO_ROWS_MAX;
    return panels * ASSAY_MICRO_COLUMNS * ((length + 3) / 4) * sizeof(int32_t) +
           places * (2 * sizeof(int32_t) + sizeof(double));
}

bool assay_cpu_screen_applies(const assay_microkernel *kernel, const assay_all_pairs *plan) {
    return plan->bins_mode == ASSAY_BINS_NONE && kernel->screen != NULL &&
           kernel->screen->supported();
}

static assay_status allocate(const assay_quantised *set, cpu_screen *screen) {
    const uint64_t panels = (set->count + ASSAY_MICRO_COLUMNS - 1) / ASSAY_MICRO_COLUMNS;
    const size_t places = (size_t)panels * ASSAY_MICRO_COLUMNS + ASSAY_MICRO_ROWS_MAX;
    assay_status status = assay_allocate_aligned(
        &screen->columns, (size_t)panels * screen->depth * ASSAY_MICRO_COLUMNS, sizeof(int32_t),
        "packed bytes");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&screen->column_start, places, sizeof(int32_t), "thresholds");
    if (status != ASSAY_OK) return status;
    status = assay_allocate_aligned(&screen->row_start, places, sizeof(int32_t), "thresholds");
    if (status != ASSAY_OK) return status;
    return assay_allocate(&screen->radius, places, sizeof(double), "rounding errors");
}

assay_status assay_cpu_screen_open(cpu_work *work, uint64_t pairs) {
    const assay_all_pairs *plan = work->plan;
    const assay_quantised *set = plan->templates;
    if (!assay_cpu_screen_applies(work->kernel, plan) || !assay_tail_sample_pays(plan, pairs) ||
        plan->tail_limit > pairs / TAIL_SHARE_MOST) {
        return ASSAY_OK;
    }
    cpu_screen *screen = &work->screen;
    turning turn = {0};
    screen->kernel = work->kernel->screen;
    screen->depth = (set->length + 3) / 4;
    assay_status status = allocate(set, screen);
    if (status != ASSAY_OK) return status;
    status = turning_open(set, &turn);
    if (status == ASSAY_OK) {
        screen->scale = choose_scale(set, &turn);
        fill(set, &turn, screen);
        if (!set_starts(set, screen)) assay_cpu_screen_close(work);
    }
    turning_close(&turn);
    return status;
}

void assay_cpu_screen_close(cpu_work *work) {
    free(work->screen.columns);
    free(work->screen.column_start);
    free(work->screen.row_start);
    free(work->screen.radius);
    work->screen = (cpu_screen){0};
}

/* The floor's part of a threshold, in units of the score's product. */
static double floor_product(const assay_quantised *set, int64_t fine_floor) {
    const double score = assay_fine_to_score(set, fine_floor);
    return set->comparator == ASSAY_EUCLIDEAN ? score / 2 : score;
}

bool assay_cpu_screen_pays(const cpu_work *work, int64_t fine_floor, const uint32_t *sample,
                           uint64_t drawn) {
    const assay_quantised *set = work->plan->templates;
    const cpu_screen *screen = &work->screen;
    if (fine_floor == INT64_MIN) return false;
    if (!(part_of(screen, floor_product(set, fine_floor)) > -PART_MOST)) return false;
    double radius = 0;
    for (uint64_t n = 0; n < set->count; n++) radius += screen->radius[n];
    const double twice = set->comparator == ASSAY_EUCLIDEAN ? 2 : 1;
    const double slack = 2 * twice * screen->norm * radius / (double)set->count;
    const double from =
        (assay_fine_to_score(set, fine_floor) - slack) * set->coarse_scale * set->coarse_scale;
    int32_t lowest;
    uint32_t shift, bins;
    assay_coarse_bins(set->comparator, &lowest, &shift, &bins);
    shift -= ASSAY_SAMPLE_FINER;
    uint64_t passing = 0;
    for (uint32_t bin = 0; bin < ASSAY_SAMPLE_BINS; bin++) {
        if ((double)lowest + ldexp(bin, (int)shift) >= from) passing += sample[bin];
    }
    return passing < drawn / REACH_SHARE_MOST;
}

void assay_cpu_screen_floor(cpu_work *work, int64_t fine_floor) {
    if (work->screen.kernel == NULL || fine_floor == INT64_MIN) return;
    const double part = part_of(&work->screen, floor_product(work->plan->templates, fine_floor));
    atomic_store(&work->screen.floor, part < PART_MOST ? (int32_t)part : PART_MOST);
}

void assay_cpu_screen_rows(const cpu_screen *screen, uint64_t first, unsigned rows, int32_t *out) {
    const uint32_t biased = 0x80808080u; /* + 128 in every byte, whose products the starts undo */
    for (unsigned n = 0; n < rows; n++) {
        const uint64_t place = first + n;
        const uint64_t panel = place / ASSAY_MICRO_COLUMNS;
        const bool there = screen->row_start[place] != NEVER;
        const int32_t *from = screen->columns +
                              (there ? panel * screen->depth * ASSAY_MICRO_COLUMNS : 0) +
                              place % ASSAY_MICRO_COLUMNS;
        for (uint32_t k = 0; k < screen->depth; k++) {
            const uint32_t word = there ? (uint32_t)from[(size_t)k * ASSAY_MICRO_COLUMNS] : 0;
            out[(size_t)k * rows + n] = (int32_t)(word ^ biased);
        }
    }
}

double assay_cpu_screen_score(const cpu_screen *screen, const assay_quantised *set, uint64_t a,
                              uint64_t b, int32_t product) {
    const double score = product / (screen->scale * screen->scale);
    if (set->comparator != ASSAY_EUCLIDEAN) return score;
    return 2 * score - assay_fine_to_score(set, set->fine_norm[a] + set->fine_norm[b]);
}

assay_status assay_cpu_screen_check(const cpu_screen *screen, const assay_quantised *set,
                                    uint64_t a, uint64_t b, int32_t product, int32_t coarse) {
    const double twice = set->comparator == ASSAY_EUCLIDEAN ? 2 : 1;
    const double off =
        assay_cpu_screen_score(screen, set, a, b, product) - assay_coarse_to_score(set, coarse);
    const double most = twice * screen->norm * (screen->radius[a] + screen->radius[b]) + set->bound;
    if (fabs(off) <= most) return ASSAY_OK;
    return assay_fail(ASSAY_DISAGREES,
                      "templates at places %llu and %llu: scores of bytes (by %s) and of 12 bits "
                      "differ by %.3g; expected at most %.3g",
                      (unsigned long long)a, (unsigned long long)b, screen->kernel->name, fabs(off),
                      most);
}
