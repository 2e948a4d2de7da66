/* bench_gpu -- how fast each way of the cuda backends compares on this machine, beside the card's
 * own ceilings measured in the same run: a large product of halves by cuBLAS and a large copy.
 * Prints JSON. usage: bench_gpu [TEMPLATES [LENGTH [REPEATS]]] */
#include <inttypes.h>

#include "datasets/base/pace.h"
#include "tests/gpu/gpu_support.h"

enum {
    EDGE = 8192,
    REPEATS_MAX = 25,
    COPY_BYTES = 1 << 30,
    CEILINGS_FROM = 10000, /* templates: fewer are for a checker, not for a measurement */
};

static int by_size(const void *left, const void *right) {
    const double x = *(const double *)left, y = *(const double *)right;
    return x < y ? -1 : x > y;
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

/* ---- the card's ceilings ---- */

typedef struct {
    const assay_cuda_table *table;
    void *stream, *from, *to, *blas;
    void *d_a, *d_b, *d_c;
    char reason[256];
} ceiling;

static int ceiling_open(ceiling *of, const assay_cuda_table *table) {
    *of = (ceiling){.table = table};
    int code = table->device_use(0);
    if (code == 0) code = table->stream_open(&of->stream);
    if (code == 0) code = table->event_open(&of->from);
    if (code == 0) code = table->event_open(&of->to);
    if (code == 0) code = table->allocate(&of->d_a, COPY_BYTES);
    if (code == 0) code = table->allocate(&of->d_b, COPY_BYTES);
    if (code == 0) code = table->allocate(&of->d_c, (uint64_t)EDGE * EDGE * sizeof(float));
    if (code == 0) code = table->blas_open(&of->blas, of->stream, of->reason, sizeof of->reason);
    return code;
}

static void ceiling_close(ceiling *of) {
    of->table->blas_close(of->blas);
    of->table->release(of->d_a);
    of->table->release(of->d_b);
    of->table->release(of->d_c);
    of->table->event_close(of->from);
    of->table->event_close(of->to);
    of->table->stream_close(of->stream);
}

/* Random halves of integers up to 2047 in both operands: zeros would run faster than data does. */
static int fill(const ceiling *of) {
    const size_t cells = (size_t)EDGE * EDGE;
    uint16_t *halves = malloc(cells * sizeof *halves);
    assay_random random;
    assay_random_start(&random, 5, 5);
    for (size_t n = 0; halves != NULL && n < cells; n++) {
        const uint32_t x = assay_random_u32(&random); /* sign, exponent of 1 to 1024, fraction */
        halves[n] = (uint16_t)((x & 0x8000) | ((15 + (x >> 16) % 10) << 10) | (x & 0x3ff));
    }
    int code = halves == NULL ? 2 : 0;
    if (code == 0) code = of->table->copy_in(of->d_a, halves, cells * 2, of->stream);
    if (code == 0) code = of->table->copy_in(of->d_b, halves, cells * 2, of->stream);
    if (code == 0) code = of->table->stream_wait(of->stream);
    free(halves);
    return code;
}

/* Seconds of a product, or of a copy of COPY_BYTES; the first run is not counted. */
static int measure(const ceiling *of, bool product, int repeats, double *out) {
    double seconds[REPEATS_MAX];
    for (int n = -1; n < repeats; n++) {
        float each = 0;
        int code = of->table->event_record(of->from, of->stream);
        if (code == 0 && product) {
            code = of->table->blas_square(of->blas, false, of->d_a, of->d_b, of->d_c, EDGE);
        } else if (code == 0) {
            code = of->table->copy_within(of->d_b, of->d_a, COPY_BYTES, of->stream);
        }
        if (code == 0) code = of->table->event_record(of->to, of->stream);
        if (code == 0) code = of->table->event_wait(of->to);
        if (code == 0) code = of->table->event_seconds(&each, of->from, of->to);
        if (code != 0) return code;
        if (n >= 0) seconds[n] = each;
    }
    *out = median(seconds, repeats);
    return 0;
}

/* Operations a second of the product of halves; 0 where it cannot be measured. */
static double print_ceilings(const assay_cuda_table *table, int repeats) {
    ceiling of;
    double product = 0, copy = 0;
    int code = ceiling_open(&of, table);
    if (code == 0) code = fill(&of);
    if (code == 0) code = measure(&of, true, repeats, &product);
    if (code == 0) code = measure(&of, false, repeats, &copy);
    ceiling_close(&of);
    const double rate = code == 0 ? 2.0 * EDGE * EDGE * EDGE / product : 0;
    if (code == 0) {
        printf(" \"product_flops\": %.4g, \"copy_bytes_per_s\": %.4g,\n", rate,
               2.0 * COPY_BYTES / copy);
    } else {
        printf(" \"product_flops\": null, \"why\": \"%s %s\",\n", table->error_text(code),
               of.reason);
    }
    return rate;
}

/* ---- whole comparisons, by the clock on the wall ---- */

typedef struct {
    const char *name;
    assay_bins_mode bins;
    double tail_share; /* of all pairs */
} mode;

static const mode modes[] = {{"full_histogram_tail_1.2e-4", ASSAY_BINS_FULL, 1.2e-4},
                             {"tail_only_1.2e-4", ASSAY_BINS_NONE, 1.2e-4},
                             {"full_histogram_tail_1", ASSAY_BINS_FULL, 0},
                             {"tail_1", ASSAY_BINS_NONE, 0}};

/* false where the way failed, which is told in the JSON. */
static bool bench_mode(const assay_cuda_setup *setup, gpu_set *set, const mode *of, int repeats,
                       double ceiling_flops) {
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    const uint64_t count = set->templates.count, pairs = assay_pair_count(count);
    double seconds[REPEATS_MAX];
    uint64_t tail = 0, rescored = 0, redone = 0;
    set->plan.bins_mode = of->bins;
    set->plan.tail_limit = of->tail_share > 0 ? (uint64_t)(of->tail_share * (double)pairs) : 1;
    for (int n = -1; n < repeats; n++) {
        assay_tally tally = {0};
        const double start = assay_pace_seconds();
        if (assay_cuda_all_pairs(setup, &set->plan, 0, assay_tile_count(count), &options, &tally) !=
            ASSAY_OK) {
            printf(",\n  {\"way\": \"%s\", \"mode\": \"%s\", \"failed\": true}",
                   assay_cuda_way_name(setup->way), of->name);
            fprintf(stderr, "%s: %s\n", assay_cuda_way_name(setup->way), assay_error_text());
            return false;
        }
        if (n >= 0) seconds[n] = assay_pace_seconds() - start;
        tail = tally.tail_count;
        rescored = tally.rescored;
        redone = tally.redone;
        assay_tally_free(&tally);
    }
    const double each = median(seconds, repeats), rate = (double)pairs / each;
    printf(
        ",\n  {\"way\": \"%s\", \"mode\": \"%s\", \"wall_seconds\": %.4g, \"pairs_per_s\": %.4g, "
        "\"over_product\": %.4g, \"tail\": %" PRIu64 ", \"rescored\": %" PRIu64
        ", \"redone\": %" PRIu64 "}",
        assay_cuda_way_name(setup->way), of->name, each, rate,
        ceiling_flops > 0 ? rate * 2 * set->templates.length / ceiling_flops : 0, tail, rescored,
        redone);
    return true;
}

static bool bench_ways(const assay_cuda_table *table, gpu_set *set, int repeats, double flops) {
    bool right = true;
    for (int way = 0; way < ASSAY_CUDA_WAY_COUNT; way++) {
        const assay_cuda_setup setup = {
            .table = table, .way = (assay_cuda_way)way, .only_device = 0};
        int devices[CUDA_DEVICES_MAX];
        unsigned count;
        if (assay_cuda_devices(&setup, devices, &count) != ASSAY_OK ||
            assay_cuda_known_answers(&setup) != ASSAY_OK) {
            fprintf(stderr, "%s: %s\n", assay_cuda_way_name(setup.way), assay_error_text());
            continue;
        }
        for (size_t n = 0; n < sizeof modes / sizeof *modes; n++) {
            right &= bench_mode(&setup, set, &modes[n], repeats, flops);
        }
    }
    return right;
}

int main(int argc, char **argv) {
    const unsigned long templates = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
    const unsigned long length = argc > 2 ? strtoul(argv[2], NULL, 10) : 512;
    const int repeats = argc > 3 ? atoi(argv[3]) : 3;
    const assay_cuda_table *table;
    assay_cuda_device about;
    gpu_set set;
    const int status = gpu_open(&table);
    if (status != 0) return status;
    if (templates < 2 || length < 1 || repeats < 1 || repeats > REPEATS_MAX) {
        fprintf(stderr, "usage: bench_gpu [TEMPLATES [LENGTH [REPEATS]]]\n");
        return 2;
    }
    const gpu_shape shape = {
        (uint32_t)templates, (uint32_t)length, 48, 5, ASSAY_COSINE, false, false, 1,
        ASSAY_BINS_FULL};
    if (!gpu_set_make(&shape, 1, &set) || table->device_describe(0, &about) != 0) return 1;
    printf("{\"device\": \"%s\", \"templates\": %lu, \"length\": %lu, \"groups\": 48, "
           "\"repeats\": %d,\n",
           about.name, templates, length, repeats);
    const double flops = templates < CEILINGS_FROM ? 0 : print_ceilings(table, repeats);
    printf(" \"rows\": [\n  {\"pairs\": %" PRIu64 "}", assay_pair_count(templates));
    const bool right = bench_ways(table, &set, repeats, flops);
    printf("\n ]}\n");
    gpu_set_free(&set);
    return right ? 0 : 1;
}
