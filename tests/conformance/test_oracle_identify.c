/* test_oracle_identify -- identification against the cases of a slow, plain reference, brute force
 * over random galleries, and bob.measure's examples; the parts whose files are not there skip. */
#include "tests/conformance/fixtures_oracle.h"

#include <hdf5.h>

#include "datasets/base/random.h"
#include "reports/identification.h"

/* ---- the reference's case ---- */

static size_t read_searches(const json_t *list, assay_search *out) {
    size_t n, k;
    json_t *item, *score;
    json_array_foreach((json_t *)list, n, item) {
        assay_search *search = &out[n];
        *search = (assay_search){.gallery = (uint32_t)number(at(item, "gallery")),
                                 .mated = !json_is_null(at(item, "mate")),
                                 .mate = number(at(item, "mate")),
                                 .best = -(double)INFINITY};
        json_array_foreach(at(item, "nonmates"), k, score) {
            search->ahead += number(score) >= search->mate;
            search->best = fmax(search->best, number(score));
        }
    }
    return n;
}

static void check_rate(const assay_search_rate *found, const json_t *expected) {
    assert_true((double)found->rate.errors == number(at(expected, "errors")));
    assert_true((double)found->rate.trials == number(at(expected, "searches")));
    assert_true((double)found->galleries == number(at(expected, "galleries")));
    assert_near(assay_rate_value(found->rate), number(at(expected, "p")), "rate");
    assert_near(found->interval.low, number(at(expected, "lo")), "low");
    assert_near(found->interval.high, number(at(expected, "hi")), "high");
}

static void searches_ranks_and_recurring_people(void **state) {
    (void)state;
    static assay_search searches[64];
    json_t *root = read_case("10_identify.json"), *in = at(root, "input");
    json_t *expected = at(root, "expected"), *way = at(in, "twoway");
    size_t count = read_searches(at(in, "searches"), searches);
    assert_true(count == 48);
    for (uint64_t rank = 0; rank < 2; ++rank) {
        assay_search_rate fpir, fnir;
        const json_t *of = at(expected, rank ? "rank1" : "no_rank");
        assert_ok(
            assay_search_rates(searches, count, number(at(in, "t")), rank, 0.05, &fpir, &fnir));
        check_rate(&fpir, at(of, "FPIR"));
        check_rate(&fnir, at(of, "FNIR"));
    }
    uint8_t wrong[16];
    uint32_t gallery[16], subject[16];
    size_t searched = json_array_size(at(way, "err"));
    for (size_t n = 0; n < searched; ++n) {
        wrong[n] = (uint8_t)number_at(at(way, "err"), n);
        gallery[n] = (uint32_t)number_at(at(way, "gallery"), n);
        subject[n] = (uint32_t)number_at(at(way, "subject"), n);
    }
    assay_interval interval;
    assert_ok(assay_search_recurring(wrong, gallery, subject, searched, 0.05, &interval));
    assert_near(interval.variance, number(at(at(expected, "twoway"), "V")), "V");
    assert_near(interval.low, number(at(at(expected, "twoway"), "lo")), "low");
    assert_near(interval.high, number(at(at(expected, "twoway"), "hi")), "high");
    json_decref(root);
}

static void random_galleries_in_closed_form(void **state) {
    (void)state;
    json_t *root = read_case("10_identify.json"), *degrees = at(at(root, "input"), "degree");
    size_t persons = json_array_size(degrees), k;
    json_t *size;
    json_array_foreach(at(at(root, "input"), "gallery_sizes"), k, size) {
        char key[16];
        double sum = 0;
        uint64_t n = (uint64_t)number(size);
        snprintf(key, sizeof key, "%llu", (unsigned long long)n);
        for (size_t i = 0; i < persons; ++i)
            sum += assay_gallery_hit(persons - 1, (uint64_t)number_at(degrees, i), n);
        assert_near(sum / (double)persons, number(at(at(at(root, "expected"), "fpir"), key)), key);
    }
    assert_true(k == 3);
    json_decref(root);
}

/* ---- brute force ---- */

/* 40 people of whom a few match many; galleries of 6 others, drawn 1,000 times for each: shares of
 * searches with a hit, and with two, lie within five standard errors of the closed form. */
static void closed_form_is_what_a_thousand_galleries_give(void **state) {
    (void)state;
    enum { PERSONS = 40, GALLERY = 6, DRAWS = 1000 };
    assay_random random;
    assay_random_start(&random, 11, 1);
    for (uint32_t i = 0; i < PERSONS; ++i) {
        uint64_t degree = i % 5 ? i / 4 : PERSONS - 1 - i % 7, one = 0, two = 0;
        for (int draw = 0; draw < DRAWS; ++draw) {
            uint32_t order[PERSONS - 1];
            uint64_t hits = 0;
            for (uint32_t n = 0; n < PERSONS - 1; ++n) order[n] = n;
            for (uint32_t n = 0; n < GALLERY; ++n) {
                uint32_t with = n + (uint32_t)assay_random_below(&random, PERSONS - 1 - n);
                uint32_t taken = order[with];
                order[with] = order[n];
                hits += taken < degree;
            }
            one += hits >= 1;
            two += hits >= 2;
        }
        for (uint64_t rank = 1; rank <= 2; ++rank) {
            double p = assay_gallery_hits(PERSONS - 1, degree, GALLERY, rank);
            double seen = (double)(rank == 1 ? one : two) / DRAWS;
            if (fabs(seen - p) > 5 * sqrt(p * (1 - p) / DRAWS) + 1e-9)
                fail_msg("degree %u, rank %u: %g is not %g", (unsigned)degree, (unsigned)rank, seen,
                         p);
        }
    }
    /* Exactly, by hand: 2 of 5 others match, 2 are taken: 1 - C(3,2)/C(5,2), and 1/C(5,2). */
    assert_near(assay_gallery_hit(5, 2, 2), 0.7, "one of two");
    assert_near(assay_gallery_hits(5, 2, 2, 2), 0.1, "both");
    assert_true(assay_gallery_hit(5, 4, 2) == 1 && assay_gallery_hit(5, 0, 3) == 0);
}

static void ties_go_against_the_system(void **state) {
    (void)state;
    assay_search_rate fpir, fnir;
    assay_search searches[] = {{.mated = true, .mate = 1, .ahead = 1},
                               {.mated = true, .mate = 1, .ahead = 0},
                               {.mated = true, .mate = (double)NAN, .ahead = 0},
                               {.best = 1},
                               {.best = 0.5}};
    assert_ok(assay_search_rates(searches, 5, 1, 1, 0.05, &fpir, &fnir));
    assert_int_equal(fpir.rate.errors, 1); /* at the threshold is a match */
    assert_int_equal(fnir.rate.errors, 2); /* a tie at rank 1, and no score */
    assert_ok(assay_search_rates(searches, 5, 1, 0, 0.05, &fpir, &fnir));
    assert_int_equal(fnir.rate.errors, 1);
    assert_near(assay_search_recognition(searches, 5, 1), 1.0 / 3, "rank 1");
    assert_near(assay_search_recognition(searches, 5, 2), 2.0 / 3, "rank 2");
}

/* ---- bob.measure's examples ---- */

/* Numbers of a data set, or none where it holds something else. */
static size_t read_set(hid_t file, const char *name, double *out, size_t most) {
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(set >= 0);
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    hssize_t count = H5Tget_class(type) == H5T_FLOAT ? H5Sget_simple_extent_npoints(space) : 0;
    assert_true(count >= 0 && (size_t)count <= most);
    if (count)
        assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
    return (size_t)count;
}

static hid_t open_bob(const char *name) {
    char path[1200];
    const char *data = getenv("ASSAY_DATA");
    snprintf(path, sizeof path, "%s/scores/bob/%s", data ? data : ".", name);
    if (access(path, R_OK)) return -1;
    return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

static void add_search(assay_search *search, const double *mates, size_t mate_count,
                       const double *others, size_t other_count) {
    *search =
        (assay_search){.mated = mate_count > 0, .mate = (double)NAN, .best = -(double)INFINITY};
    for (size_t n = 0; n < mate_count; ++n) search->mate = fmax(search->mate, mates[n]);
    for (size_t n = 0; n < other_count; ++n) {
        search->ahead += others[n] >= search->mate;
        search->best = fmax(search->best, others[n]);
    }
}

static void recognition_at_ranks_is_bobs(void **state) {
    (void)state;
    enum { PROBES = 100, MOST = PROBES * 200 };
    static double mates[MOST], others[MOST];
    static const double expected[] = {0.76, 0.89, 0.96, 0.98, 1.0};
    static assay_search searches[PROBES];
    hid_t file = open_bob("test-cmc.hdf5");
    if (file < 0) skip();
    size_t mate_count = read_set(file, "data-pos", mates, MOST) / PROBES;
    size_t other_count = read_set(file, "data-neg", others, MOST) / PROBES;
    H5Fclose(file);
    assert_true(mate_count && other_count);
    for (size_t n = 0; n < PROBES; ++n)
        add_search(&searches[n], mates + n * mate_count, mate_count, others + n * other_count,
                   other_count);
    for (uint64_t rank = 1; rank <= 5; ++rank)
        assert_near(assay_search_recognition(searches, PROBES, rank), expected[rank - 1], "rank");
}

static void open_sets_are_bobs(void **state) {
    (void)state;
    static const double found[] = {1, 6.0 / 7, 6.0 / 7}, alarms[] = {0, 0, 0.5};
    for (int n = 0; n < 3; ++n) {
        char name[64];
        assay_search searches[9];
        assay_search_rate fpir, fnir;
        snprintf(name, sizeof name, "test%d-open-set.hdf5", n);
        hid_t file = open_bob(name);
        if (file < 0) skip();
        for (int probe = 0; probe < 9; ++probe) {
            double mates[64], others[64];
            snprintf(name, sizeof name, "data-pos-%d", probe);
            size_t mate_count = read_set(file, name, mates, 64);
            snprintf(name, sizeof name, "data-neg-%d", probe);
            add_search(&searches[probe], mates, mate_count, others,
                       read_set(file, name, others, 64));
        }
        H5Fclose(file);
        assert_ok(assay_search_rates(searches, 9, 0.5, 1, 0.05, &fpir, &fnir));
        assert_near(1 - assay_rate_value(fnir.rate), found[n], "detection and identification");
        assert_near(assay_rate_value(fpir.rate), alarms[n], "FPIR");
    }
}

int main(void) {
    if (!find_oracle()) {
        printf("skipped: neither ASSAY_ORACLE nor ASSAY_DATA/../oracle is a folder with cases/\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_ranks_and_recurring_people),
        cmocka_unit_test(random_galleries_in_closed_form),
        cmocka_unit_test(closed_form_is_what_a_thousand_galleries_give),
        cmocka_unit_test(ties_go_against_the_system),
        cmocka_unit_test(recognition_at_ranks_is_bobs),
        cmocka_unit_test(open_sets_are_bobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
