/* test_cuda_shim -- the cuda backends where there is no device: the kernels' own sources, built as
 * C++ with a shim in place of CUDA (tests/shim/shim.h), give the reference's tally bit for bit;
 * errors stop, refusals are told, and the planning of memory adds up. What only a device can show
 * (that its tensor cores are exact, that machine code is what the sources say) is not shown here.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/cuda/cuda_private.h"
#include "tests/fixtures_pairs.h"
#include "tests/shim/shim_control.h"

static const assay_cuda_table *table;
static shim_set_function *shim_set_up;
static shim_calls_function *shim_calls_so_far;
static shim_outstanding_function *shim_left;

static const shim_settings usual = {.devices = 1, .major = 9, .memory = UINT64_C(1) << 30};

static void *symbol_of(void *library, const char *name) {
    void *symbol = dlsym(library, name);
    assert_non_null(symbol);
    return symbol;
}

static int open_shim(void **state) {
    (void)state;
    char path[4096];
    const char *build = getenv("ASSAY_BUILD");
    snprintf(path, sizeof path, "%s/tests/assay-cuda-shim.so", build != NULL ? build : ".");
    if (assay_cuda_open(path, &table) != ASSAY_OK) {
        fprintf(stderr, "%s\n", assay_error_text());
        return -1;
    }
    void *library = dlopen(path, RTLD_NOW);
    *(void **)&shim_set_up = symbol_of(library, "shim_set");
    *(void **)&shim_calls_so_far = symbol_of(library, "shim_calls");
    *(void **)&shim_left = symbol_of(library, "shim_outstanding");
    return 0;
}

static const assay_backend *reference_backend(void) {
    const assay_backend *backend = NULL;
    assert_int_equal(assay_backend_find("reference", &backend), ASSAY_OK);
    return backend;
}

static assay_tally reference_of(const fixture *f) {
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    assay_tally tally = {0};
    assert_int_equal(reference_backend()->all_pairs(
                         &f->plan, 0, assay_tile_count(f->templates.count), &options, &tally),
                     ASSAY_OK);
    return tally;
}

static assay_tally run_range(const assay_cuda_setup *setup, const fixture *f, uint64_t first,
                             uint64_t end, int64_t known_floor) {
    const assay_backend_options options = {.threads = 1, .known_floor = known_floor};
    assay_tally tally = {0};
    const assay_status status = assay_cuda_all_pairs(setup, &f->plan, first, end, &options, &tally);
    if (status != ASSAY_OK) {
        fail_msg("%s: %s", assay_cuda_way_name(setup->way), assay_error_text());
    }
    return tally;
}

static assay_cuda_setup setup_of(assay_cuda_way way) {
    return (assay_cuda_setup){
        .table = table, .way = way, .only_device = -1, .most_capacity = CUDA_UNIT_CELLS};
}

static void assert_reference(assay_cuda_way way, const shim_settings *settings, const shape *s,
                             uint64_t seed) {
    const assay_cuda_setup setup = setup_of(way);
    fixture f;
    make(&f, s, seed);
    shim_set_up(settings);
    assay_tally expected = reference_of(&f);
    /* From nothing known every pair is a candidate, which takes fibers long: small sets do. Larger
     * ones are told a floor that ranges before them would have found. */
    const int64_t known = s->count < 300 ? INT64_MIN : expected.tail_floor;
    assay_tally tally = run_range(&setup, &f, 0, assay_tile_count(s->count), known);
    assert_same(&tally, &expected);
    assert_int_equal(shim_left(), 0);
    assay_tally_free(&tally);
    assay_tally_free(&expected);
    unmake(&f);
}

/* ---- every way ---- */

static const shape shapes[] = {
    {2, 1, 1, 1, ASSAY_COSINE, false, false, false, 10, INT64_MAX, ASSAY_BINS_FULL},
    {129, 65, 1, 2, ASSAY_INNER_PRODUCT, true, false, false, 10, INT64_MAX, ASSAY_BINS_FULL},
    {511, 127, 4, 5, ASSAY_COSINE, false, false, false, 1000, INT64_MAX, ASSAY_BINS_FULL},
    {512, 64, 1, 1, ASSAY_INNER_PRODUCT, false, true, false, 100, INT64_MAX, ASSAY_BINS_FULL},
    {513, 192, 6, 4, ASSAY_EUCLIDEAN, false, true, false, 2000, INT64_MAX, ASSAY_BINS_FULL},
    {641, 40, 3, 5, ASSAY_COSINE, true, true, false, 3000, INT64_MAX, ASSAY_BINS_FULL},
    {600, 3, 2, 7, ASSAY_EUCLIDEAN, true, false, false, 3000, INT64_MAX, ASSAY_BINS_NONE},
    {770, 3, 2, 7, ASSAY_INNER_PRODUCT, true, false, true, 3000, INT64_MAX, ASSAY_BINS_FULL},
    {780, 66, 2, 3, ASSAY_COSINE, false, false, true, 2000, INT64_MAX, ASSAY_BINS_SAMPLE},
    {800, 32, 3, 2, ASSAY_COSINE, false, false, false, 10, INT64_C(1) << 51, ASSAY_BINS_FULL},
    {530, 16, 64, 2, ASSAY_COSINE, false, false, false, 0, INT64_MAX, ASSAY_BINS_FULL},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Sets first, first + step, … Threads run in another order, and copies arrive early or late, from
 * one set to the next. */
static void assert_way(assay_cuda_way way, unsigned first, unsigned step) {
    for (unsigned n = first; n < SHAPES; n += step) {
        shim_settings settings = usual;
        settings.order = (int)(n % 3);
        settings.late_copies = n % 2;
        settings.devices = 1 + (n == 5);
        assert_reference(way, &settings, &shapes[n], 100 + n);
    }
}

static void warpgroup_products_give_the_reference_tally(void **state) {
    (void)state;
    assert_way(ASSAY_CUDA_WGMMA, 0, 1);
}
static void warp_products_give_the_reference_tally(void **state) {
    (void)state;
    assert_way(ASSAY_CUDA_MMA, 1, 3);
}
static void library_products_give_the_reference_tally(void **state) {
    (void)state;
    assert_way(ASSAY_CUDA_BLAS, 2, 3);
}
static void products_in_double_give_the_reference_tally(void **state) {
    (void)state;
    assert_way(ASSAY_CUDA_DGEMM, 1, 3);
}

/* Every order of threads, early and late copies, on a set with plain items, mixed ones and a ragged
 * end, and more stages than the ring has. */
static void any_order_of_threads_gives_the_same(void **state) {
    (void)state;
    static const shape s = {600,   400,   2,    3,         ASSAY_COSINE,   false,
                            false, false, 3000, INT64_MAX, ASSAY_BINS_FULL};
    for (int order = 1; order < 3; order++) {
        for (int late = 0; late < 2; late++) {
            shim_settings settings = usual;
            settings.order = order;
            settings.late_copies = late;
            assert_reference(ASSAY_CUDA_WGMMA, &settings, &s, 7);
            if (order > 0) assert_reference(ASSAY_CUDA_MMA, &settings, &s, 7);
        }
    }
}

/* ---- the walk ---- */

static void ranges_of_tiles_merge_to_the_whole(void **state) {
    (void)state;
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    fixture f;
    make(&f, &shapes[8], 3);
    shim_set_up(&usual);
    assay_tally whole = reference_of(&f);
    assay_tally merged = {.tail_floor = INT64_MIN,
                          .histogram_length = whole.histogram_length,
                          .histogram = calloc(whole.histogram_length, sizeof(uint64_t))};
    const uint64_t tiles = assay_tile_count(f.templates.count);
    for (uint64_t tile = 0; tile < tiles; tile += 4) {
        const uint64_t end = tile + 4 < tiles ? tile + 4 : tiles;
        assay_tally part = run_range(&setup, &f, tile, end, merged.tail_floor);
        assert_int_equal(assay_tally_merge(&f.plan, &merged, &part), ASSAY_OK);
        assay_tally_free(&part);
    }
    assert_same(&merged, &whole);
    assay_tally_free(&merged);
    assay_tally_free(&whole);
    unmake(&f);
}

/* Three units in a batch, of a quarter, a half and a quarter of the pairs, and a list that is
 * shorter than what they have for it: it is listed again in parts, and counted once. */
static void candidates_that_overflow_their_list_are_listed_again(void **state) {
    (void)state;
    assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    static const shape s = {1000,  8,     2,    3,         ASSAY_COSINE,   false,
                            false, false, 4000, INT64_MAX, ASSAY_BINS_FULL};
    fixture f;
    make(&f, &s, 8);
    shim_set_up(&usual);
    assay_tally expected = reference_of(&f);
    setup.most_capacity = 3500;
    setup.expected_candidates = 1; /* a wrong guess: the first batch is too large */
    assay_tally tally = run_range(&setup, &f, 0, 3, expected.tail_floor);
    assert_same(&tally, &expected);
    assert_true(tally.rescored > 3500 + 4000); /* the list that overflowed was scored too */
    assay_tally_free(&tally);
    setup.most_capacity = 500; /* shorter than one unit needs: that is told */
    const assay_backend_options options = {.known_floor = expected.tail_floor};
    assert_int_equal(assay_cuda_all_pairs(&setup, &f.plan, 0, 3, &options, &tally), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "500"));
    assay_tally_free(&expected);
    unmake(&f);
}

/* 4.5 million pairs are worth a sample, and few are scored. */
static void a_guessed_floor_is_certified(void **state) {
    (void)state;
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    static const shape s = {3000,  6,     2,     3,         ASSAY_COSINE,   false,
                            false, false, 30000, INT64_MAX, ASSAY_BINS_FULL};
    fixture f;
    make(&f, &s, 9);
    shim_set_up(&usual);
    const assay_backend *cpu = NULL; /* the reference would take long */
    assert_int_equal(assay_backend_find("cpu", &cpu), ASSAY_OK);
    const assay_backend_options options = {.threads = 2, .known_floor = INT64_MIN};
    const uint64_t tiles = assay_tile_count(s.count);
    assay_tally expected = {0};
    assert_int_equal(cpu->all_pairs(&f.plan, 0, tiles, &options, &expected), ASSAY_OK);
    assay_tally tally = run_range(&setup, &f, 0, tiles, INT64_MIN);
    assert_same(&tally, &expected);
    assert_int_equal(tally.redone, 0);
    assert_true(tally.rescored < tally.non_mated / 50);
    assay_tally_free(&tally);
    assay_tally_free(&expected);
    unmake(&f);
}

static void listed_pairs_score_as_the_definition(void **state) {
    (void)state;
    enum { PAIRS = 1000 };
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_MMA);
    shim_set_up(&usual);
    for (unsigned n = 1; n < 5; n++) {
        const assay_backend_options options = {.threads = 1};
        assay_place_pair pairs[PAIRS];
        assay_scored_pair found[PAIRS];
        assay_random random;
        fixture f;
        make(&f, &shapes[n], 300 + n);
        assay_random_start(&random, n, 2);
        for (int k = 0; k < PAIRS; k++) {
            pairs[k].a = assay_random_below(&random, shapes[n].count);
            pairs[k].b = assay_random_below(&random, shapes[n].count);
        }
        assert_int_equal(
            assay_cuda_score_pairs(&setup, &f.templates, pairs, PAIRS, &options, found), ASSAY_OK);
        for (int k = 0; k < PAIRS; k++) {
            assert_true(found[k].fine == assay_fine(&f.templates, pairs[k].a, pairs[k].b));
            assert_int_equal(found[k].coarse, assay_coarse(&f.templates, pairs[k].a, pairs[k].b));
            assert_int_equal(found[k].a, pairs[k].a);
            assert_int_equal(found[k].b, pairs[k].b);
        }
        unmake(&f);
    }
    assert_int_equal(shim_left(), 0);
}

/* ---- what goes wrong ---- */

/* Whichever call of the runtime fails, the run ends with its message, and everything is released.
 */
static void a_device_error_stops_the_run_and_is_told(void **state) {
    (void)state;
    static const assay_cuda_way ways[] = {ASSAY_CUDA_MMA, ASSAY_CUDA_BLAS};
    static const shape s = {60,    8,     1,  2,         ASSAY_COSINE,   false,
                            false, false, 50, INT64_MAX, ASSAY_BINS_FULL};
    fixture f;
    make(&f, &s, 4);
    for (int way = 0; way < 2; way++) {
        assay_cuda_setup setup = setup_of(ways[way]);
        const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
        shim_settings settings = usual;
        setup.most_capacity = 2000; /* more than the set has pairs, and quickly poisoned */
        shim_set_up(&settings);
        assay_tally tally = run_range(&setup, &f, 0, 1, INT64_MIN);
        const uint64_t calls = shim_calls_so_far();
        assay_tally_free(&tally);
        assert_true(calls > 50);
        unsigned declined = 0;
        /* But for the last two, which wait for streams that are about to be closed. */
        for (uint64_t n = 1; n + 2 <= calls; n++) {
            assay_tally none = {0};
            settings.fail_at = n;
            shim_set_up(&settings);
            const assay_status status =
                assay_cuda_all_pairs(&setup, &f.plan, 0, 1, &options, &none);
            /* Asking what is there, and opening cuBLAS, decline; all else fails. */
            declined += status == ASSAY_DECLINED;
            if (status != ASSAY_DECLINED && status != ASSAY_FAILED) {
                fail_msg("call %d of %d: status %d", (int)n, (int)calls, (int)status);
            }
            assert_non_null(strstr(assay_error_text(), "evice"));
            assert_null(none.tail);
            if (shim_left() != 0) fail_msg("call %d leaves %d", (int)n, (int)shim_left());
        }
        assert_in_range(declined, 1, 4);
    }
    unmake(&f);
}

static bool ask_to_stop(void *context, const char *step, const char *unit, uint64_t done,
                        uint64_t total) {
    (void)step, (void)unit, (void)done, (void)total;
    ++*(int *)context;
    return false;
}

static void a_listener_that_asks_to_stop_ends_the_run(void **state) {
    (void)state;
    int asked = 0;
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    const assay_progress progress = {.tell = ask_to_stop, .context = &asked};
    const assay_backend_options options = {
        .threads = 1, .known_floor = INT64_C(1) << 51, .progress = &progress};
    assay_tally tally = {0};
    fixture f;
    make(&f, &shapes[5], 9);
    shim_set_up(&usual);
    assert_int_equal(assay_cuda_all_pairs(&setup, &f.plan, 0, assay_tile_count(f.templates.count),
                                          &options, &tally),
                     ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "interrupted"));
    assert_int_equal(asked, 1);
    assert_null(tally.tail);
    unmake(&f);
}

static void a_product_that_is_off_by_one_stops_the_run(void **state) {
    (void)state;
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    shim_settings settings = usual;
    assay_tally tally = {0};
    fixture f;
    static const shape s = {900,   8,     1,      1,         ASSAY_COSINE,   false,
                            false, false, 500000, INT64_MAX, ASSAY_BINS_FULL};
    make(&f, &s, 9);
    settings.wrong_blas = 1; /* cell (0, 512) among others: a candidate, since all are */
    shim_set_up(&settings);
    assert_int_equal(
        assay_cuda_all_pairs(&setup, &f.plan, 0, assay_tile_count(s.count), &options, &tally),
        ASSAY_DISAGREES);
    assert_non_null(strstr(assay_error_text(), "places 0 and 512"));
    assert_int_equal(shim_left(), 0);
    unmake(&f);
}

static void a_cap_refuses_a_threshold_that_keeps_too_much(void **state) {
    (void)state;
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    assay_tally tally = {0};
    fixture f;
    make(&f, &shapes[1], 5);
    f.plan.required_fine = -(INT64_C(1) << 53);
    f.plan.tail_cap = 1000;
    shim_set_up(&usual);
    assert_int_equal(
        assay_cuda_all_pairs(&setup, &f.plan, 0, assay_tile_count(129), &options, &tally),
        ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "1000"));
    unmake(&f);
}

/* ---- declining ---- */

static void assert_declines(const shim_settings *settings, assay_cuda_way way, const char *word) {
    const assay_cuda_setup setup = setup_of(way);
    shim_set_up(settings);
    int devices[CUDA_DEVICES_MAX];
    unsigned count;
    assay_status status = assay_cuda_devices(&setup, devices, &count);
    if (status == ASSAY_OK) status = assay_cuda_known_answers(&setup);
    assert_int_equal(status, ASSAY_DECLINED);
    if (strstr(assay_error_text(), word) == NULL) fail_msg("%s", assay_error_text());
    assert_int_equal(shim_left(), 0);
}

static void a_way_declines_where_it_cannot_run(void **state) {
    (void)state;
    shim_settings settings = usual;
    settings.devices = 0;
    assert_declines(&settings, ASSAY_CUDA_MMA, "no CUDA device");
    settings = usual;
    settings.major = 8;
    settings.minor = 9;
    assert_declines(&settings, ASSAY_CUDA_WGMMA, "device 0 (Shim, 8.9): it has no warpgroup");
    settings.major = 7;
    settings.minor = 5;
    assert_declines(&settings, ASSAY_CUDA_MMA, "warp products");
    settings.major = 6;
    assert_declines(&settings, ASSAY_CUDA_BLAS, "below 7.5");
    settings = usual;
    settings.no_blas = 1;
    assert_declines(&settings, ASSAY_CUDA_BLAS, "cannot open libcublas.so.13");
}

static void known_answers_notice_a_product_that_is_off_by_one(void **state) {
    (void)state;
    shim_settings settings = usual;
    const assay_cuda_setup setup = setup_of(ASSAY_CUDA_BLAS);
    shim_set_up(&settings);
    assert_int_equal(assay_cuda_known_answers(&setup), ASSAY_OK);
    settings.wrong_blas = -1;
    assert_declines(&settings, ASSAY_CUDA_BLAS, "way blas fails its known answers");
}

static void known_answers_hold_for_the_fused_ways(void **state) {
    (void)state;
    const assay_cuda_setup wgmma = setup_of(ASSAY_CUDA_WGMMA), mma = setup_of(ASSAY_CUDA_MMA);
    shim_set_up(&usual);
    assert_int_equal(assay_cuda_known_answers(&wgmma), ASSAY_OK);
    assert_int_equal(assay_cuda_known_answers(&mma), ASSAY_OK);
}

static void a_library_that_is_no_module_is_refused(void **state) {
    (void)state;
    const assay_cuda_table *none = NULL;
    assert_int_equal(assay_cuda_open("/nowhere/assay-cuda.so", &none), ASSAY_DECLINED);
    assert_non_null(strstr(assay_error_text(), "/nowhere/assay-cuda.so"));
    assert_int_equal(assay_cuda_open("libm.so.6", &none), ASSAY_DECLINED);
    assert_non_null(strstr(assay_error_text(), ASSAY_CUDA_ENTRY));
    assert_null(none);
}

/* ---- planning ---- */

static void device_memory_is_divided_as_stated(void **state) {
    (void)state;
    const assay_quantised set = {.count = 1000000, .length = 512, .coarse_scale = 4083};
    const assay_all_pairs plan = {.templates = &set, .group_count = 48, .tail_limit = 60000000};
    const uint64_t packed = UINT64_C(1000448) * 512 * 2, gigabyte = UINT64_C(1) << 30;
    assay_cuda_memory memory;
    /* One million of 512: 1.02 GB of halves, 1.02 of coarse and 2.05 of fine integers. */
    assert_int_equal(
        assay_cuda_memory_plan(&plan, ASSAY_CUDA_WGMMA, packed, 60 << 20, 140 * gigabyte, &memory),
        ASSAY_OK);
    assert_int_equal(memory.templates, packed + UINT64_C(1000000) * (512 * 6 + 9 + 12) + 7816 * 16);
    assert_int_equal(memory.histogram, 48 * 49 / 2 * 4096 * 8);
    assert_int_equal(memory.scores, 0);
    assert_int_equal(memory.capacity, CUDA_CAPACITY_MAX);
    assert_true(memory.total < 5 * gigabyte);
    /* cuBLAS: half of 60 MiB of L2 is 30 units of 1 MiB, twice. */
    assert_int_equal(
        assay_cuda_memory_plan(&plan, ASSAY_CUDA_BLAS, packed, 60 << 20, 140 * gigabyte, &memory),
        ASSAY_OK);
    assert_int_equal(memory.scores, 30 << 20);
    /* Less memory, shorter lists; at last, none at all, with the figures. */
    assert_int_equal(assay_cuda_memory_plan(&plan, ASSAY_CUDA_WGMMA, packed, 60 << 20,
                                            memory.templates + gigabyte / 2, &memory),
                     ASSAY_OK);
    assert_in_range(memory.capacity, CUDA_UNIT_CELLS, CUDA_CAPACITY_MAX - 1);
    assert_true(memory.total <= memory.templates + gigabyte / 2);
    assert_int_equal(
        assay_cuda_memory_plan(&plan, ASSAY_CUDA_WGMMA, packed, 60 << 20, 4 * gigabyte, &memory),
        ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "1000000 templates of 512"));
}

static void units_cover_every_tile_once_in_either_order(void **state) {
    (void)state;
    enum { STRIPS = 40, COUNT = STRIPS * 512 - 100 };
    static uint8_t side[COUNT], met[STRIPS][STRIPS];
    const assay_quantised set = {.count = COUNT};
    const assay_all_pairs plan = {.templates = &set, .side = side};
    const uint64_t tiles = assay_tile_count(COUNT);
    for (int banded = 0; banded < 2; banded++) {
        memset(met, 0, sizeof met);
        for (uint64_t first = 0; first < tiles; first += 333) {
            const uint64_t end = first + 333 < tiles ? first + 333 : tiles;
            assay_cuda_unit *units = NULL;
            uint64_t count, other;
            assert_int_equal(
                assay_cuda_units_make(&plan, first, end, banded, &units, &count, &other), ASSAY_OK);
            assert_int_equal(count, end - first);
            for (uint64_t n = 0; n < count; n++) {
                assert_true(units[n].row <= units[n].column);
                met[units[n].row][units[n].column]++;
                assert_int_equal(units[n].chosen, units[n].row == units[n].column ? 11 : 15);
            }
            free(units);
        }
        for (int row = 0; row < STRIPS; row++) {
            for (int column = row; column < STRIPS; column++) {
                assert_int_equal(met[row][column], 1);
            }
        }
    }
}

static void tiles_of_one_side_are_counted_without_being_computed(void **state) {
    (void)state;
    enum { COUNT = 4096 };
    static uint8_t side[COUNT];
    const assay_quantised set = {.count = COUNT};
    const assay_all_pairs plan = {.templates = &set, .side = side};
    for (int n = 0; n < COUNT; n++) side[n] = n < 1536 ? 1 : 2;
    assay_cuda_unit *units = NULL;
    uint64_t count, other;
    assert_int_equal(assay_cuda_units_make(&plan, 0, 36, true, &units, &count, &other), ASSAY_OK);
    assert_int_equal(count, 3 * 5);
    assert_int_equal(other, assay_pair_count(1536) + assay_pair_count(2560));
    free(units);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warpgroup_products_give_the_reference_tally),
        cmocka_unit_test(warp_products_give_the_reference_tally),
        cmocka_unit_test(library_products_give_the_reference_tally),
        cmocka_unit_test(products_in_double_give_the_reference_tally),
        cmocka_unit_test(any_order_of_threads_gives_the_same),
        cmocka_unit_test(ranges_of_tiles_merge_to_the_whole),
        cmocka_unit_test(candidates_that_overflow_their_list_are_listed_again),
        cmocka_unit_test(a_guessed_floor_is_certified),
        cmocka_unit_test(listed_pairs_score_as_the_definition),
        cmocka_unit_test(a_device_error_stops_the_run_and_is_told),
        cmocka_unit_test(a_listener_that_asks_to_stop_ends_the_run),
        cmocka_unit_test(a_product_that_is_off_by_one_stops_the_run),
        cmocka_unit_test(a_cap_refuses_a_threshold_that_keeps_too_much),
        cmocka_unit_test(a_way_declines_where_it_cannot_run),
        cmocka_unit_test(known_answers_notice_a_product_that_is_off_by_one),
        cmocka_unit_test(known_answers_hold_for_the_fused_ways),
        cmocka_unit_test(a_library_that_is_no_module_is_refused),
        cmocka_unit_test(device_memory_is_divided_as_stated),
        cmocka_unit_test(units_cover_every_tile_once_in_either_order),
        cmocka_unit_test(tiles_of_one_side_are_counted_without_being_computed),
    };
    return cmocka_run_group_tests(tests, open_shim, NULL);
}
