/* test_backends -- every backend gives the reference's tally, bit for bit; and the reference gives
 * what a double loop over the definitions gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fixtures_pairs.h"

static const assay_backend *backend_named(const char *name) {
    const assay_backend *backend = NULL;
    assert_int_equal(assay_backend_find(name, &backend), ASSAY_OK);
    return backend;
}

static assay_tally run(const char *name, const fixture *f, uint64_t first, uint64_t end,
                       unsigned threads, int64_t known_floor) {
    const assay_backend_options options = {.threads = threads, .known_floor = known_floor};
    assay_tally tally = {0};
    const assay_status status =
        backend_named(name)->all_pairs(&f->plan, first, end, &options, &tally);
    if (status != ASSAY_OK) fail_msg("%s: %s", name, assay_error_text());
    return tally;
}

static assay_tally run_all(const char *name, const fixture *f, unsigned threads) {
    return run(name, f, 0, assay_tile_count(f->templates.count), threads, INT64_MIN);
}

/* ---- the reference against the definitions ---- */

static void reference_is_the_double_loop_over_the_definitions(void **state) {
    (void)state;
    const shape s = {.count = 777,
                     .length = 4,
                     .groups = 3,
                     .samples_per_subject = 3,
                     .comparator = ASSAY_COSINE,
                     .ties = true,
                     .tail_limit = 5000,
                     .required = INT64_MAX};
    fixture f;
    make(&f, &s, 3);
    assay_tally tally = run_all("reference", &f, 1);
    uint64_t non_mated = 0, same = 0, binned = 0;
    int64_t *fine = calloc((size_t)s.count * s.count / 2, sizeof *fine);
    uint64_t *bins = calloc(tally.histogram_length, sizeof *bins);
    for (uint32_t a = 0; a < s.count; a++) {
        for (uint32_t b = a + 1; b < s.count; b++) {
            if (f.subject[a] == f.subject[b]) {
                same++;
                continue;
            }
            int64_t sum = 0;
            int32_t coarse = 0;
            for (uint32_t k = 0; k < s.length; k++) {
                sum += (int64_t)f.templates.fine[a * s.length + k] *
                       f.templates.fine[b * s.length + k];
                coarse +=
                    f.templates.coarse[a * s.length + k] * f.templates.coarse[b * s.length + k];
            }
            fine[non_mated++] = sum;
            /* groups are ascending: (0,0) (0,1) (0,2) (1,1) (1,2) (2,2) */
            const uint64_t index =
                (uint64_t[3][3]){{0, 1, 2}, {0, 3, 4}, {0, 0, 5}}[f.group[a]][f.group[b]];
            bins[index * 4096 + (uint32_t)(coarse + (1 << 24)) / 8192]++;
            binned++;
        }
    }
    assert_int_equal(tally.non_mated, non_mated);
    assert_int_equal(tally.same_subject, same);
    assert_int_equal(tally.histogram_pairs, binned);
    assert_memory_equal(tally.histogram, bins, tally.histogram_length * sizeof *bins);
    /* The tail: the smallest observed t with #(>= t) <= limit, by counting. */
    int64_t t = INT64_MAX, refused = INT64_MAX;
    for (uint64_t n = 0; n < non_mated; n++) {
        uint64_t reach = 0;
        if (fine[n] >= t || (refused != INT64_MAX && fine[n] <= refused)) continue;
        for (uint64_t m = 0; m < non_mated; m++) reach += fine[m] >= fine[n];
        if (reach <= s.tail_limit) {
            t = fine[n];
        } else {
            refused = fine[n];
        }
    }
    uint64_t expected = 0;
    for (uint64_t n = 0; n < non_mated; n++) expected += fine[n] >= t;
    assert_true(expected > 0 && expected < s.tail_limit); /* ties straddle the limit here */
    assert_int_equal(tally.tail_count, expected);
    assert_true(tally.tail[expected - 1].fine == t);
    free(fine);
    free(bins);
    assay_tally_free(&tally);
    unmake(&f);
}

/* ---- every backend against the reference ---- */

static const shape shapes[] = {
    {2, 1, 1, 1, ASSAY_COSINE, false, false, false, 10, INT64_MAX, ASSAY_BINS_FULL},
    {2, 3, 1, 2, ASSAY_INNER_PRODUCT, true, false, false, 10, INT64_MAX, ASSAY_BINS_FULL},
    {511, 127, 4, 5, ASSAY_COSINE, false, false, false, 1000, INT64_MAX, ASSAY_BINS_FULL},
    {512, 128, 1, 1, ASSAY_INNER_PRODUCT, false, true, false, 100, INT64_MAX, ASSAY_BINS_FULL},
    {513, 512, 6, 4, ASSAY_EUCLIDEAN, false, true, false, 2000, INT64_MAX, ASSAY_BINS_FULL},
    {1025, 64, 12, 5, ASSAY_COSINE, true, true, false, 70000, INT64_MAX, ASSAY_BINS_FULL},
    {1300, 3, 2, 7, ASSAY_EUCLIDEAN, true, false, false, 80000, INT64_MAX, ASSAY_BINS_FULL},
    {1300, 3, 2, 7, ASSAY_INNER_PRODUCT, true, false, true, 80000, INT64_MAX, ASSAY_BINS_FULL},
    {1300, 2, 1, 3, ASSAY_COSINE, true, false, true, 90000, INT64_MAX, ASSAY_BINS_FULL},
    {1537, 96, 5, 3, ASSAY_COSINE, false, false, true, 70000, INT64_MAX, ASSAY_BINS_SAMPLE},
    {1100, 48, 3, 1, ASSAY_COSINE, false, false, false, 66000, INT64_MAX, ASSAY_BINS_NONE},
    {900, 32, 3, 2, ASSAY_COSINE, false, false, false, 10, INT64_C(1) << 50, ASSAY_BINS_FULL},
    {600, 4096, 2, 2, ASSAY_COSINE, false, false, false, 500, INT64_MAX, ASSAY_BINS_FULL},
    {700, 16, 64, 2, ASSAY_COSINE, false, false, false, 0, INT64_MAX, ASSAY_BINS_FULL},
    {1027, 5, 2, 3, ASSAY_EUCLIDEAN, false, true, true, 3000, INT64_MAX, ASSAY_BINS_SAMPLE},
};

static void backends_give_the_reference_tally_on_any_number_of_threads(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof shapes / sizeof *shapes; n++) {
        fixture f;
        make(&f, &shapes[n], 100 + n);
        assay_tally reference = run_all("reference", &f, 1);
        const uint64_t total = (uint64_t)shapes[n].count * (shapes[n].count - 1) / 2;
        assert_int_equal(reference.non_mated + reference.same_subject + reference.other_side,
                         total);
        for (size_t k = 0; k < assay_backend_count(); k++) {
            char line[256];
            if (assay_backend_at(k)->probe(line, sizeof line) != ASSAY_OK) continue;
            for (unsigned threads = 1; threads <= 7; threads += threads == 1 ? 1 : 5) {
                assay_tally tally = run_all(assay_backend_at(k)->name, &f, threads);
                assert_same(&tally, &reference);
                assay_tally_free(&tally);
            }
        }
        assay_tally_free(&reference);
        unmake(&f);
    }
}

static void check_ranges(const fixture *f, const assay_tally *whole, bool tell_floor) {
    const uint64_t tiles = assay_tile_count(f->templates.count);
    assay_tally merged = {.tail_floor = INT64_MIN,
                          .histogram_length = whole->histogram_length,
                          .histogram = calloc(whole->histogram_length + 1, sizeof(uint64_t))};
    for (uint64_t tile = tiles; tile-- > 0;) {
        const int64_t floor = tell_floor ? merged.tail_floor : INT64_MIN;
        assay_tally part = run("cpu", f, tile, tile + 1, 2, floor);
        assert_int_equal(assay_tally_merge(&f->plan, &merged, &part), ASSAY_OK);
        assay_tally_free(&part);
    }
    assert_same(&merged, whole);
    assay_tally_free(&merged);
}

static void ranges_of_tiles_merge_to_the_whole_in_any_order(void **state) {
    (void)state;
    for (size_t n = 4; n < 12; n++) {
        fixture f;
        make(&f, &shapes[n], 200 + n);
        assay_tally whole = run_all("reference", &f, 1);
        check_ranges(&f, &whole, true);
        check_ranges(&f, &whole, false);
        assay_tally_free(&whole);
        unmake(&f);
    }
}

/* ---- a set by bands ---- */

/* Places first … first + size - 1 of a set, as a set that borrows. */
static assay_quantised part_of(const assay_quantised *set, uint64_t first, uint64_t size) {
    assay_quantised part = *set;
    part.count = size;
    part.fine += first * set->length;
    part.coarse += first * set->length;
    part.fine_norm += first;
    part.coarse_norm += first;
    return part;
}

/* Adds the tiles of one band, or of two, to sum, its tail going on from sum's. */
static void add_band(const char *name, const assay_all_pairs *plan, uint64_t step,
                     assay_tally *sum) {
    const uint64_t tiles = assay_plan_tile_count(plan);
    for (uint64_t tile = 0; tile < tiles; tile += step) {
        const assay_backend_options options = {.threads = 2,
                                               .known_floor = sum->tail_floor,
                                               .prior = sum->tail,
                                               .prior_count = sum->tail_count};
        assay_tally tally = {0};
        sum->tail = NULL;
        sum->tail_count = 0;
        if (backend_named(name)->all_pairs(plan, tile, tile + step < tiles ? tile + step : tiles,
                                           &options, &tally) != ASSAY_OK) {
            fail_msg("%s: %s", name, assay_error_text());
        }
        assert_int_equal(assay_tally_merge(plan, sum, &tally), ASSAY_OK);
        assay_tally_free(&tally);
    }
}

/* Bands of which each pair is a set of its own, copied together as a stream would. */
static void check_bands(const char *name, const fixture *f, uint64_t band, uint64_t step,
                        const assay_tally *whole) {
    const uint64_t count = f->templates.count;
    const uint32_t length = f->templates.length;
    assay_tally sum = {.tail_floor = INT64_MIN,
                       .histogram_length = whole->histogram_length,
                       .histogram = calloc(whole->histogram_length + 1, sizeof(uint64_t))};
    for (uint64_t a = 0; a < count; a += band) {
        const uint64_t size_a = count - a < band ? count - a : band;
        assay_quantised one = part_of(&f->templates, a, size_a);
        assay_all_pairs plan = f->plan;
        plan.templates = &one;
        plan.subject += a, plan.group += a, plan.side += a;
        plan.origin[0] = a;
        add_band(name, &plan, step, &sum);
        for (uint64_t b = a + band; b < count; b += band) {
            const uint64_t size_b = count - b < band ? count - b : band, both = band + size_b;
            assay_quantised two = f->templates;
            two.count = both;
            two.fine = malloc(both * length * sizeof *two.fine);
            two.coarse = malloc(both * length * sizeof *two.coarse);
            two.fine_norm = malloc(both * sizeof *two.fine_norm);
            two.coarse_norm = malloc(both * sizeof *two.coarse_norm);
            uint32_t *subject = malloc(both * sizeof *subject);
            uint32_t *group = malloc(both * sizeof *group);
            uint8_t *side = malloc(both);
#define TWO(to, from, width)                                                                       \
    memcpy(to, (from) + a * (width), band * (width) * sizeof *(to));                               \
    memcpy((to) + band * (width), (from) + b * (width), size_b * (width) * sizeof *(to))
            TWO(two.fine, f->templates.fine, length);
            TWO(two.coarse, f->templates.coarse, length);
            TWO(two.fine_norm, f->templates.fine_norm, 1);
            TWO(two.coarse_norm, f->templates.coarse_norm, 1);
            TWO(subject, f->subject, 1);
            TWO(group, f->group, 1);
            TWO(side, f->side, 1);
            plan = f->plan;
            plan.templates = &two;
            plan.subject = subject, plan.group = group, plan.side = side;
            plan.cross = band;
            plan.origin[0] = a, plan.origin[1] = b;
            add_band(name, &plan, step, &sum);
            assay_quantised_free(&two);
            free(subject), free(group), free(side);
        }
    }
    assert_same(&sum, whole);
    assay_tally_free(&sum);
}

static void bands_of_a_set_give_the_whole(void **state) {
    (void)state;
    static const shape more[] = {
        {2700, 7, 3, 5, ASSAY_COSINE, false, true, false, 9000, INT64_MAX, ASSAY_BINS_SAMPLE},
        {4300, 6, 2, 5, ASSAY_INNER_PRODUCT, false, false, true, 9000, INT64_MAX, ASSAY_BINS_FULL},
    };
    for (size_t n = 2; n < sizeof shapes / sizeof *shapes + 2; n++) {
        const shape *s = n < sizeof shapes / sizeof *shapes
                             ? &shapes[n]
                             : &more[n - sizeof shapes / sizeof *shapes];
        if (s->groups > 12) continue; /* its histograms are what would take the time */
        fixture f;
        make(&f, s, 400 + n);
        assay_tally whole = run_all("reference", &f, 1);
        for (size_t k = 0; k < assay_backend_count(); k++) {
            char line[256];
            const assay_backend *backend = assay_backend_at(k);
            if (strcmp(backend->name, "cpu") == 0) continue; /* one of the others */
            if (!backend->bands || backend->probe(line, sizeof line) != ASSAY_OK) continue;
            check_bands(backend->name, &f, ASSAY_TILE_EDGE, 3, &whole);
            if (s->count > 2048) check_bands(backend->name, &f, 2048, UINT64_C(1) << 40, &whole);
        }
        assay_tally_free(&whole);
        unmake(&f);
    }
}

static void a_floor_that_one_part_cut_at_binds_the_merged_tail(void **state) {
    (void)state;
    const assay_all_pairs plan = {.tail_limit = 2, .required_fine = INT64_MAX};
    assay_scored_pair low = {.fine = 8, .b = 4};
    const assay_tally cut = {.tail_floor = 9},
                      rest = {.tail = &low, .tail_count = 1, .tail_floor = INT64_MIN};
    assay_tally merged = {.tail_floor = INT64_MIN};
    assert_int_equal(assay_tally_merge(&plan, &merged, &rest), ASSAY_OK);
    assert_int_equal(merged.tail_count, 1);
    assert_int_equal(assay_tally_merge(&plan, &merged, &cut), ASSAY_OK);
    assert_int_equal(merged.tail_count, 0);
    assay_tally_free(&merged);
}

static void a_tie_that_one_range_cuts_is_cut_in_the_whole(void **state) {
    (void)state;
    assay_scored_pair high[3] = {{.fine = 9, .b = 1}, {.fine = 9, .b = 2}, {.fine = 9, .b = 3}};
    assay_scored_pair low[1] = {{.fine = 8, .b = 4}};
    int64_t floor = INT64_MIN;
    assert_int_equal(assay_tail_cut(high, 3, 2, INT64_MAX, &floor), 0);
    assert_true(floor == 9);
    assert_int_equal(assay_tail_cut(low, 1, 2, INT64_MAX, &floor), 0);
}

/* Enough pairs for buckets: crowded, all tied, and spread over the whole range of scores. */
static void a_long_tail_is_sorted_like_a_short_one(void **state) {
    (void)state;
    enum { PAIRS = 100000 };
    assay_scored_pair *pairs = calloc(PAIRS, sizeof *pairs);
    assay_random random;
    assay_random_start(&random, 8, 0);
    for (int kind = 0; kind < 4; kind++) {
        int64_t sum = 0;
        for (int n = 0; n < PAIRS; n++) {
            const int64_t wide = (int64_t)(assay_random_normal(&random) * 1e14);
            pairs[n] = (assay_scored_pair){
                .fine = kind == 0   ? wide
                        : kind == 1 ? 7
                        : kind == 2 ? (int64_t)assay_random_below(&random, 5)
                        : n == 0    ? INT64_C(1) << 53
                                    : -(INT64_C(1) << 53) + assay_random_below(&random, 1000),
                .a = assay_random_below(&random, 1000),
                .b = 1000 + assay_random_below(&random, 1000)};
            sum += pairs[n].a + pairs[n].b;
        }
        int64_t floor = INT64_MIN;
        assert_int_equal(assay_tail_cut(pairs, PAIRS, PAIRS, INT64_MAX, &floor), PAIRS);
        for (int n = 1; n < PAIRS; n++) {
            const assay_scored_pair *x = &pairs[n - 1], *y = &pairs[n];
            assert_true(x->fine > y->fine ||
                        (x->fine == y->fine && (x->a < y->a || (x->a == y->a && x->b <= y->b))));
        }
        for (int n = 0; n < PAIRS; n++) sum -= pairs[n].a + pairs[n].b;
        assert_int_equal(sum, 0);
    }
    free(pairs);
}

static void a_required_score_keeps_more_than_the_limit(void **state) {
    (void)state;
    assay_scored_pair pairs[4] = {{.fine = 5}, {.fine = 7}, {.fine = 6, .a = 1}, {.fine = 6}};
    int64_t floor = INT64_MIN;
    assert_int_equal(assay_tail_cut(pairs, 4, 1, 6, &floor), 3);
    assert_true(pairs[0].fine == 7 && pairs[1].a == 0 && pairs[2].a == 1);
    assert_true(floor == 5);
}

static void a_cap_refuses_a_threshold_that_keeps_too_much(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[10], 5);
    f.plan.required_fine = -(INT64_C(1) << 53);
    f.plan.tail_cap = 1000;
    const assay_backend_options options = {.threads = 2, .known_floor = INT64_MIN};
    assay_tally tally = {0};
    assert_int_equal(
        backend_named("cpu")->all_pairs(&f.plan, 0, assay_tile_count(900), &options, &tally),
        ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "1000"));
    unmake(&f);
}

static void listed_pairs_score_alike_everywhere(void **state) {
    (void)state;
    for (size_t n = 2; n < 7; n++) {
        fixture f;
        make(&f, &shapes[n], 300 + n);
        enum { PAIRS = 5000 };
        assay_place_pair pairs[PAIRS];
        assay_scored_pair *cpu = calloc(PAIRS, sizeof *cpu), *slow = calloc(PAIRS, sizeof *slow);
        assay_random random;
        assay_random_start(&random, n, 2);
        for (int k = 0; k < PAIRS; k++) {
            pairs[k].a = assay_random_below(&random, shapes[n].count);
            pairs[k].b = assay_random_below(&random, shapes[n].count);
        }
        const assay_backend_options options = {.threads = 3};
        assert_int_equal(
            backend_named("cpu")->score_pairs(&f.templates, pairs, PAIRS, &options, cpu), ASSAY_OK);
        assert_int_equal(
            backend_named("reference")->score_pairs(&f.templates, pairs, PAIRS, &options, slow),
            ASSAY_OK);
        for (int k = 0; k < PAIRS; k++) {
            assert_true(cpu[k].fine == slow[k].fine && cpu[k].coarse == slow[k].coarse);
        }
        free(cpu);
        free(slow);
        unmake(&f);
    }
}

static bool ask_to_stop(void *context, const char *step, const char *unit, uint64_t done,
                        uint64_t total) {
    (void)context, (void)step, (void)unit, (void)done, (void)total;
    return false;
}

static void a_listener_that_asks_to_stop_ends_the_run(void **state) {
    (void)state;
    fixture f;
    make(&f, &shapes[12], 9);
    const assay_progress progress = {.tell = ask_to_stop};
    const assay_backend_options options = {
        .threads = 2, .known_floor = INT64_MIN, .progress = &progress};
    static const char *const names[] = {"cpu", "reference"};
    for (int n = 0; n < 2; n++) {
        assay_tally tally = {0};
        assert_int_equal(
            backend_named(names[n])->all_pairs(&f.plan, 0, assay_tile_count(600), &options, &tally),
            ASSAY_FAILED);
        assert_non_null(strstr(assay_error_text(), "interrupted"));
        assert_null(tally.tail);
    }
    unmake(&f);
}

/* ---- names and tiles ---- */

static void an_unknown_backend_is_told_with_the_nearest_one(void **state) {
    (void)state;
    const assay_backend *backend = NULL;
    assert_int_equal(assay_backend_find("cpo", &backend), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "cpu"));
    assert_null(backend);
}

static void tiles_cover_the_triangle_once(void **state) {
    (void)state;
    static const uint64_t counts[] = {1, 2, 512, 513, 5000, 100000};
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        const uint64_t strips = (counts[n] + 511) / 512;
        uint64_t tile = 0;
        for (uint64_t row = 0; row < strips; row++) {
            for (uint64_t column = row; column < strips; column++, tile++) {
                uint64_t r, c;
                assay_tile_place(counts[n], tile, &r, &c);
                assert_int_equal(r, row);
                assert_int_equal(c, column);
            }
        }
        assert_int_equal(assay_tile_count(counts[n]), tile);
    }
    /* Ten million templates: 19,532 strips; the last tile is the last corner. */
    uint64_t r, c;
    const uint64_t tiles = assay_tile_count(10000000);
    assert_int_equal(tiles, UINT64_C(19532) * 19533 / 2);
    assay_tile_place(10000000, tiles - 1, &r, &c);
    assert_int_equal(r, 19531);
    assert_int_equal(c, 19531);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_is_the_double_loop_over_the_definitions),
        cmocka_unit_test(backends_give_the_reference_tally_on_any_number_of_threads),
        cmocka_unit_test(bands_of_a_set_give_the_whole),
        cmocka_unit_test(ranges_of_tiles_merge_to_the_whole_in_any_order),
        cmocka_unit_test(a_floor_that_one_part_cut_at_binds_the_merged_tail),
        cmocka_unit_test(a_tie_that_one_range_cuts_is_cut_in_the_whole),
        cmocka_unit_test(a_long_tail_is_sorted_like_a_short_one),
        cmocka_unit_test(a_required_score_keeps_more_than_the_limit),
        cmocka_unit_test(a_cap_refuses_a_threshold_that_keeps_too_much),
        cmocka_unit_test(listed_pairs_score_alike_everywhere),
        cmocka_unit_test(a_listener_that_asks_to_stop_ends_the_run),
        cmocka_unit_test(an_unknown_backend_is_told_with_the_nearest_one),
        cmocka_unit_test(tiles_cover_the_triangle_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
