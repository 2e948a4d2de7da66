/* bench -- how fast a backend compares all pairs here, beside what the machine reaches at best and
 * what a bare matrix product of the same templates takes, all in one run. */
#ifndef ASSAY_HARNESS_BENCH_H
#define ASSAY_HARNESS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/base/progress.h"
#include "datasets/base/status.h"
#include "kernels/quantise.h"

/* What is compared, made in memory from a seed: the same seed gives the same templates.
 *
 * A template is sqrt(0.6) u + sqrt(0.4) v brought to length one, u the subject's and v the
 * sample's, both normal with variance exp(-3.46 k / length) in component k. So mated scores are
 * about 0.6; non-mated ones have mean 0 and standard deviation sum(variance^2)^(1/2) /
 * sum(variance) = 1.36 / sqrt(length), 0.06 at 512. Subjects are divided evenly among the groups,
 * which do not differ; the last subject has what is left of the templates.
 *
 * For comparator hamming a template is a string of D bits in ASSAY_BENCH_BIT_ROWS rows (in one
 * where they do not divide D), shifted by one bit: the subject's random code, of which each bit is
 * turned with a probability of 1/8 and valid with one of 7/8. So mated similarities are about
 * 25/32, and non-mated ones 1/2 where they are not shifted. */
#define ASSAY_BENCH_BIT_ROWS 8u
typedef struct {
    uint64_t templates;           /* N, 2 to 2^31 */
    uint32_t length;              /* D, 1 to ASSAY_LENGTH_MAX; of bits to ASSAY_HAMMING_BITS_MAX */
    uint32_t groups;              /* 1 to ASSAY_COMBINATIONS_MAX, and at most as many as subjects */
    uint32_t samples_per_subject; /* 1 to N - 1 */
    uint64_t seed;
} assay_bench_population;

#define ASSAY_BENCH_REPEATS_MAX 101u
#define ASSAY_BENCH_TARGETS_MAX 16u

typedef struct {
    assay_bench_population population;
    unsigned threads;    /* 0: as many as there are cores */
    unsigned repeats;    /* of each measurement, 1 to ASSAY_BENCH_REPEATS_MAX */
    const char *backend; /* "auto", "cpu", "reference" */
    assay_comparator comparator;
    uint32_t shifts, minimum_valid_bits; /* of hamming; a minimum of 0: a quarter of the bits */
    const double *fmr_targets; /* [fmr_target_count]; none: those of assay_protocol_create */
    uint32_t fmr_target_count; /* at most ASSAY_BENCH_TARGETS_MAX */
    /* Non-mated pairs that the tail keeps; 0: as many as the largest target allows and a fifth
     * more. ASSAY_BENCH_TAIL_DEFAULT: as `assay compare` keeps (assay_plan_tail_limit). */
    uint64_t tail_limit;
} assay_bench_options;
#define ASSAY_BENCH_TAIL_DEFAULT UINT64_MAX

/* What is measured, in this order, again and again. */
typedef enum {
    ASSAY_BENCH_FMA_PEAK = 0,   /* multiply-adds of one core (kernels/cpu/peak.h) */
    ASSAY_BENCH_BLAS_TILE,      /* bare serial OpenBLAS product of the tiles */
    ASSAY_BENCH_FULL,           /* histograms, tail and mated scores: all that evidence needs */
    ASSAY_BENCH_TAIL_ONLY,      /* the same without histograms */
    ASSAY_BENCH_HISTOGRAM_ONLY, /* histograms, a tail of one pair, no mated scores */
    ASSAY_BENCH_TAIL_OF_ONE,    /* no histograms, a tail of one pair, no mated scores */
    ASSAY_BENCH_DEFAULT_TAIL,   /* FULL with the tail that `assay compare` keeps */
    ASSAY_BENCH_ROW_COUNT
} assay_bench_kind;

/* Of bit strings FMA_PEAK and BLAS_TILE are not measured. */

/* One measurement. Rates are by CPU time, which other programs of the machine disturb little:
 * pairs_per_s = pairs * threads / cpu_seconds, what the threads would do with a core each. Beside
 * it, wall_pairs_per_s is what the clock on the wall says. FMA_PEAK runs in one thread and pairs is
 * what its operations would be worth at 2 * length a pair; its rates are those of one core times
 * threads. BLAS_TILE counts every product that it makes, those below the diagonal of a diagonal
 * tile too. */
typedef struct {
    const char *name;    /* "blas_tile" */
    const char *purpose; /* a few words for people */
    bool measured;       /* false: declined here, or the same as another row */
    double pairs;        /* of one run */
    double cpu_each[ASSAY_BENCH_REPEATS_MAX], wall_each[ASSAY_BENCH_REPEATS_MAX]; /* [repeats] */
    double cpu_seconds, wall_seconds;                                             /* medians */
    double pairs_per_s, wall_pairs_per_s;
} assay_bench_row;

typedef struct {
    double fmr;
    uint64_t allowed; /* floor(fmr * non-mated pairs that were compared) */
    bool known;       /* false: allows no pair, or reaches below the tail */
    double threshold; /* smallest score that no more than allowed non-mated pairs reach */
    uint64_t matches; /* non-mated pairs that reach it */
} assay_bench_threshold;

typedef struct {
    assay_bench_population population;
    unsigned threads, repeats;
    char device[256];       /* processor and number of cores */
    const char *backend;    /* name */
    char backend_line[256]; /* what it says that it uses */
    const char *fma_path;   /* "avx512" */
    const char *blas_path;  /* core type of OpenBLAS; NULL where BLAS_TILE is not measured */
    const char *blas_note;  /* what holds OpenBLAS back on this processor, or NULL */
    uint64_t pairs, mated, non_mated;
    uint64_t failed; /* non-mated pairs that failed to compare; of bit strings */
    uint64_t tail_limit, tail, default_tail_limit;
    uint64_t rescored, redone; /* of the last FULL run (assay_tally) */
    uint64_t tail_only_rescored;
    assay_bench_row rows[ASSAY_BENCH_ROW_COUNT];
    /* Of medians of CPU time; NaN where a row is not measured. */
    double over_fma_peak, over_blas_tile; /* FULL against the row */
    double tail_only_over_fma_peak;       /* TAIL_ONLY against FMA_PEAK */
    double exactness_cost;    /* FULL / HISTOGRAM_ONLY - 1: sample, candidates, rescoring, mated */
    double binning_cost;      /* FULL / TAIL_ONLY - 1 */
    double default_tail_cost; /* DEFAULT_TAIL / HISTOGRAM_ONLY - 1 */
    double useful_gflops;     /* 2 * length * pairs_per_s of FULL / 1e9; NaN of bit strings */
    double mated_cpu_seconds; /* of the last FULL run, in it */
    double quantise_cpu_seconds;  /* templates to integers, one thread, once */
    uint64_t stated_memory_bytes; /* templates, and what the backend says it needs beside them */
    uint64_t peak_memory_bytes;   /* most that this process ever held, its templates included */
    assay_bench_threshold thresholds[ASSAY_BENCH_TARGETS_MAX];
    uint32_t threshold_count;
} assay_bench_result;

/* Measures. Tells step "bench" in pairs. ASSAY_USAGE names the option that is out of range;
 * ASSAY_FAILED where memory would not do; ASSAY_DISAGREES where a run loses a pair, or two runs
 * give different tails. out is large: not for the stack of a small thread. */
assay_status assay_bench(const assay_bench_options *options, const assay_progress *progress,
                         assay_bench_result *out) ASSAY_MUST_CHECK;

/* Writes the templates that assay_bench compares to directory, which is made: templates.npy
 * (float32, [templates][length]; of bit strings uint8, [templates][length / 8], and masks.npy
 * likewise) and labels.csv (sample, subject, group), as `assay import templates` takes them. Rows
 * are in the order in which they are compared. */
assay_status assay_bench_export(const assay_bench_options *options, const char *directory,
                                const assay_progress *progress) ASSAY_MUST_CHECK;

#endif
