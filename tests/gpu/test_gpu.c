/* test_gpu -- the cuda backends on this machine's devices give the reference's tally, bit for bit:
 * every way that a device takes, awkward sizes, fresh vectors in each run, memory that is poisoned
 * by what was in it before. Exit status 77 where there is no device. Set ASSAY_GPU_SEED to repeat a
 * run. */
#include <inttypes.h>
#include <time.h>

#include <Random123/philox.h>

#include "tests/gpu/gpu_support.h"

extern const assay_backend assay_backend_reference;

static const gpu_shape shapes[] = {
    {2, 1, 1, 1, ASSAY_COSINE, false, false, 10, ASSAY_BINS_FULL},
    {129, 65, 1, 2, ASSAY_INNER_PRODUCT, true, false, 10, ASSAY_BINS_FULL},
    {511, 127, 4, 5, ASSAY_COSINE, false, false, 1000, ASSAY_BINS_FULL},
    {512, 64, 1, 1, ASSAY_INNER_PRODUCT, false, false, 100, ASSAY_BINS_FULL},
    {513, 512, 6, 4, ASSAY_EUCLIDEAN, false, false, 2000, ASSAY_BINS_FULL},
    {1025, 40, 12, 5, ASSAY_COSINE, true, false, 70000, ASSAY_BINS_FULL},
    {1300, 3, 2, 7, ASSAY_EUCLIDEAN, true, false, 80000, ASSAY_BINS_NONE},
    {1300, 3, 2, 7, ASSAY_INNER_PRODUCT, true, true, 80000, ASSAY_BINS_FULL},
    {1537, 96, 5, 3, ASSAY_COSINE, false, true, 70000, ASSAY_BINS_SAMPLE},
    {700, 16, 64, 2, ASSAY_COSINE, false, false, 0, ASSAY_BINS_FULL},
    {600, 4096, 2, 2, ASSAY_COSINE, false, false, 500, ASSAY_BINS_FULL},
    {5000, 512, 12, 5, ASSAY_COSINE, false, false, 15000, ASSAY_BINS_FULL},
};

static bool same_tail(const assay_tally *x, const assay_tally *y) {
    bool same = x->tail_count == y->tail_count && x->tail_floor == y->tail_floor;
    for (uint64_t n = 0; same && n < x->tail_count; n++) {
        const assay_scored_pair *u = &x->tail[n], *v = &y->tail[n];
        same = u->fine == v->fine && u->coarse == v->coarse && u->a == v->a && u->b == v->b;
    }
    return same;
}

static bool same(const assay_tally *x, const assay_tally *y) {
    return x->non_mated == y->non_mated && x->same_subject == y->same_subject &&
           x->other_side == y->other_side && x->histogram_pairs == y->histogram_pairs &&
           x->histogram_length == y->histogram_length &&
           (x->histogram_length == 0 ||
            memcmp(x->histogram, y->histogram, x->histogram_length * sizeof(uint64_t)) == 0) &&
           same_tail(x, y);
}

/* Failures of one way on one set. */
static int check(const assay_cuda_table *table, assay_cuda_way way, const gpu_set *set,
                 const assay_tally *expected, uint64_t capacity) {
    const assay_cuda_setup setup = {
        .table = table, .way = way, .only_device = -1, .most_capacity = capacity};
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    const uint64_t tiles = assay_tile_count(set->templates.count);
    assay_tally found = {0};
    const assay_status status =
        assay_cuda_all_pairs(&setup, &set->plan, 0, tiles, &options, &found);
    const bool right = status == ASSAY_OK && same(&found, expected);
    if (!right) {
        printf("FAIL %s, %" PRIu64 " templates of %u, capacity %" PRIu64 ": %s\n",
               assay_cuda_way_name(way), set->templates.count, set->templates.length, capacity,
               status == ASSAY_OK ? "another tally than the reference's" : assay_error_text());
    }
    assay_tally_free(&found);
    return !right;
}

/* Failures of every way that the devices take; ways that decline are told. */
static int check_ways(const assay_cuda_table *table, uint64_t seed) {
    bool takes[ASSAY_CUDA_WAY_COUNT];
    int failures = 0, ways = 0;
    for (int way = 0; way < ASSAY_CUDA_WAY_COUNT; way++) {
        const assay_cuda_setup setup = {
            .table = table, .way = (assay_cuda_way)way, .only_device = -1};
        int devices[CUDA_DEVICES_MAX];
        unsigned count;
        takes[way] = assay_cuda_devices(&setup, devices, &count) == ASSAY_OK;
        if (takes[way] && assay_cuda_known_answers(&setup) != ASSAY_OK) {
            failures++;
            takes[way] = false;
            printf("FAIL known answers: ");
        }
        printf("%s: %s\n", assay_cuda_way_name(setup.way),
               takes[way] ? "taken" : assay_error_text());
        ways += takes[way];
    }
    for (size_t n = 0; n < sizeof shapes / sizeof *shapes; n++) {
        const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
        assay_tally expected = {0};
        gpu_set set;
        if (!gpu_set_make(&shapes[n], seed + n, &set)) return failures + 1;
        if (assay_backend_reference.all_pairs(&set.plan, 0, assay_tile_count(shapes[n].count),
                                              &options, &expected) != ASSAY_OK) {
            printf("FAIL reference: %s\n", assay_error_text());
            failures++;
        }
        for (int way = 0; way < ASSAY_CUDA_WAY_COUNT; way++) {
            if (!takes[way]) continue;
            failures += check(table, (assay_cuda_way)way, &set, &expected, 0);
            failures += check(table, (assay_cuda_way)way, &set, &expected, CUDA_UNIT_CELLS);
        }
        assay_tally_free(&expected);
        gpu_set_free(&set);
    }
    printf("%d ways, %d failures\n", ways, failures);
    return failures;
}

/* The bare stand-in of Philox, against the answer that its authors publish for zeros. */
static int check_philox(void) {
    const philox4x32_ctr_t counter = {{0}};
    const philox4x32_key_t key = {{0}};
    const philox4x32_ctr_t drawn = philox4x32(counter, key);
    const uint32_t published[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    const int wrong = memcmp(drawn.v, published, sizeof published) != 0;
    if (wrong) printf("FAIL Philox\n");
    return wrong;
}

int main(void) {
    const assay_cuda_table *table;
    const char *told = getenv("ASSAY_GPU_SEED");
    const uint64_t seed = told != NULL ? strtoull(told, NULL, 10) : (uint64_t)time(NULL);
    int failures = check_philox();
    const int status = gpu_open(&table);
    if (failures > 0) return 1;
    if (status != 0) return status;
    printf("ASSAY_GPU_SEED=%" PRIu64 "\n", seed);
    failures += check_ways(table, seed);
    return failures > 0;
}
