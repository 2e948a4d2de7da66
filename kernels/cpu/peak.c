/* peak -- multiply-adds of one core at their fastest (peak.h).
 *
 * Each sum waits for its own last step only, so as many sums as latency times units keep every unit
 * busy: 4 cycles times 2 units = 8 on the processors met so far; more do no harm while they fit the
 * registers. */
#include "kernels/cpu/peak.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "datasets/base/text.h"

#define STEPS_MOST (UINT64_C(1) << 23)
#define WIDEST 16 /* floats of a vector */

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the paths: steps times, sums[lanes] is multiplied by one and has one added ----
 *
 * one and what the sums start with come from the caller, so that no compiler can know that a step
 * only counts, or that two sums are equal and one of them is enough. */

enum { SUMS = 12 }; /* vectors; with the one, 13 of 16 registers of SSE2 and AVX2 */

/* Four floats are a vector of every processor; the step is one instruction where floats have it,
 * else a multiplication and an addition. */
typedef float four_floats __attribute__((vector_size(16)));

static inline four_floats multiply_add(four_floats sum, four_floats one) {
#ifdef __FP_FAST_FMAF
    for (int lane = 0; lane < 4; lane++)
        sum[lane] = __builtin_fmaf(sum[lane], one[lane], one[lane]);
    return sum;
#else
    return sum * one + one;
#endif
}

static void count_portable(uint64_t steps, float one, float *sums) {
    const four_floats unit = {one, one, one, one};
    four_floats all[SUMS];
    memcpy(all, sums, sizeof all);
    for (uint64_t step = 0; step < steps; step++) {
#pragma GCC unroll 12
        for (int n = 0; n < SUMS; n++) all[n] = multiply_add(all[n], unit);
    }
    memcpy(sums, all, sizeof all);
}

static bool has_portable(void) {
    return true;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void count_avx512(uint64_t steps, float one,
                                                            float *sums) {
    const __m512 unit = _mm512_set1_ps(one);
    __m512 all[SUMS];
    for (int n = 0; n < SUMS; n++) all[n] = _mm512_loadu_ps(sums + (size_t)n * 16);
    for (uint64_t step = 0; step < steps; step++) {
#pragma GCC unroll 12
        for (int n = 0; n < SUMS; n++) all[n] = _mm512_fmadd_ps(all[n], unit, unit);
    }
    for (int n = 0; n < SUMS; n++) _mm512_storeu_ps(sums + (size_t)n * 16, all[n]);
}

__attribute__((target("avx2,fma"))) static void count_avx2(uint64_t steps, float one, float *sums) {
    const __m256 unit = _mm256_set1_ps(one);
    __m256 all[SUMS];
    for (int n = 0; n < SUMS; n++) all[n] = _mm256_loadu_ps(sums + (size_t)n * 8);
    for (uint64_t step = 0; step < steps; step++) {
#pragma GCC unroll 12
        for (int n = 0; n < SUMS; n++) all[n] = _mm256_fmadd_ps(all[n], unit, unit);
    }
    for (int n = 0; n < SUMS; n++) _mm256_storeu_ps(sums + (size_t)n * 8, all[n]);
}

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") != 0;
}

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}
#endif

/* Widest first. */
static const struct {
    const char *name;
    bool (*has)(void);
    void (*count)(uint64_t steps, float one, float *sums);
    unsigned width; /* floats of a vector */
} paths[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, count_avx512, 16},
    {"avx2", has_avx2, count_avx2, 8},
#endif
    {"portable", has_portable, count_portable, 4},
};
enum { PATH_COUNT = sizeof paths / sizeof paths[0] };

/* ---- the choice ---- */

static assay_status choose(const char *path, size_t *out) {
    const char *known[PATH_COUNT];
    for (size_t n = 0; n < PATH_COUNT; n++) {
        known[n] = paths[n].name;
        if (path == NULL ? !paths[n].has() : strcmp(path, paths[n].name) != 0) continue;
        if (!paths[n].has()) {
            return assay_fail(ASSAY_DECLINED, "this processor has no %s multiply-add", path);
        }
        *out = n;
        return ASSAY_OK;
    }
    char suggestion[128];
    return assay_fail(ASSAY_USAGE, "unknown path '%s' of multiply-adds; %s", path,
                      assay_suggest(suggestion, sizeof suggestion, path, known, PATH_COUNT));
}

assay_status assay_peak_fma(const char *path, uint64_t steps, assay_peak_run *out) {
    volatile float one = 1;
    float sums[SUMS * WIDEST];
    size_t chosen = 0;
    const assay_status status = choose(path, &chosen);
    if (status != ASSAY_OK) return status;
    if (steps < 1 || steps > STEPS_MOST) {
        return assay_fail(ASSAY_USAGE, "%llu steps of multiply-adds; expected 1 to %llu",
                          (unsigned long long)steps, (unsigned long long)STEPS_MOST);
    }
    const unsigned lanes = SUMS * paths[chosen].width;
    for (unsigned lane = 0; lane < lanes; lane++) sums[lane] = (float)lane;
    const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    paths[chosen].count(steps, one, sums);
    const assay_peak_run run = {.operations = 2.0 * (double)steps * lanes,
                                .cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu,
                                .wall_seconds = seconds_of(CLOCK_MONOTONIC) - wall,
                                .path = paths[chosen].name};
    for (unsigned lane = 0; lane < lanes; lane++) {
        if (sums[lane] == (float)(steps + lane)) continue;
        return assay_fail(ASSAY_DISAGREES, "%s counted to %.9g in lane %u; expected %llu", run.path,
                          (double)sums[lane], lane, (unsigned long long)(steps + lane));
    }
    *out = run;
    return ASSAY_OK;
}
