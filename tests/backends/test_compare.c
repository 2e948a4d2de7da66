/* test_compare -- from sealed templates to sealed evidence: the same result digest whoever computes
 * it, on any number of threads, in one go or after interruptions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "datasets/base/memory.h"
#include "datasets/population.h"
#include "harness/compare_private.h"
#include "harness/steps.h"
#include "kernels/quantise.h"

static char folder[64];

static char *in_folder(const char *name) {
    static char paths[8][128];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* ---- templates ---- */

typedef struct {
    uint32_t subjects, samples, length;
    bool ties, duplicates, one_sample_group, unenrolled, same_session;
} recipe;

static void spoil(const recipe *r, assay_sample_table *table, float *vectors) {
    for (uint64_t row = 0; row < table->row_count; row++) {
        float *x = vectors + row * r->length;
        if (r->ties) {
            for (uint32_t k = 0; k < r->length; k++) x[k] = x[k] > 0 ? 1.0f : -1.0f;
        }
        if (r->duplicates && row % 5 == 4) memcpy(x, x - r->length, r->length * sizeof *x);
        if (r->duplicates && row % 10 == 9) {
            memset(table->image_digest[row].bytes, 7, sizeof table->image_digest[row].bytes);
            table->image_digest[row - 1] = table->image_digest[row];
        }
        if (r->unenrolled && row % 11 == 3) {
            table->enrolment[row] = row % 2 ? ASSAY_ENROLMENT_REFUSED : ASSAY_ENROLMENT_EXCLUDED;
        } else {
            table->enrolment[row] = ASSAY_ENROLMENT_ENROLLED;
        }
        if (r->same_session) table->session.codes[row] = 1;
    }
}

static void make_templates(const recipe *r, const char *path) {
    assay_population population = {0};
    assay_templates_head head = {0};
    float *vectors = NULL;
    assert_int_equal(assay_population_create(true, &population), ASSAY_OK);
    population.subjects = r->subjects;
    population.samples_per_subject = r->samples;
    population.length = r->length;
    for (uint32_t g = 0; g < population.group_count; g++) {
        population.groups[g].dimension = r->length >> (g == 0);
    }
    if (assay_population_templates(&population, NULL, &head.table, &vectors) != ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    assay_population_free(&population);
    spoil(r, &head.table, vectors);
    head.release = strdup("test");
    head.version = strdup("1");
    head.algorithm = strdup("population");
    head.comparator = strdup("cosine");
    head.dataset_name = strdup("population");
    head.provenance_json = strdup("{}");
    head.length = r->length;
    assert_int_equal(assay_dataset_digest(&head.table, &head.dataset_digest), ASSAY_OK);
    assert_int_equal(assay_allocate(&head.seconds, head.table.row_count, sizeof(double), "seconds"),
                     ASSAY_OK);
    if (assay_templates_write(path, &head, vectors) != ASSAY_OK) fail_msg("%s", assay_error_text());
    free(vectors);
    assay_templates_head_free(&head);
}

/* ---- comparing ---- */

typedef struct {
    assay_protocol_kind kind;
    const char *comparator;
    const char *by[2];
    assay_histogram_mode mode;
    double threshold; /* NaN: none */
    uint64_t tail_cap;
} question;

static void make_protocol(const question *q, assay_protocol *protocol) {
    assert_int_equal(assay_protocol_create(protocol), ASSAY_OK);
    protocol->kind = q->kind;
    protocol->histogram_mode = q->mode;
    protocol->histogram_fraction = 0.4;
    protocol->histogram_seed = 11;
    if (q->tail_cap > 0) protocol->tail_cap = q->tail_cap;
    protocol->histogram_by = calloc(2, sizeof(char *));
    for (int n = 0; n < 2 && q->by[n] != NULL; n++) {
        protocol->histogram_by[protocol->histogram_by_count++] = strdup(q->by[n]);
    }
    if (q->kind == ASSAY_PROTOCOL_CROSS) {
        protocol->role_column = strdup("sex");
        protocol->reference_value = strdup("female");
        protocol->probe_value = strdup("male");
    }
    if (!isnan(q->threshold)) {
        protocol->thresholds = calloc(1, sizeof(double));
        protocol->thresholds[0] = q->threshold;
        protocol->threshold_count = 1;
    }
}

static assay_digest compare_by_bands(const char *templates, const question *q, const char *backend,
                                     unsigned threads, uint64_t band, const char *out_path) {
    assay_protocol protocol = {0};
    make_protocol(q, &protocol);
    const assay_compare_options options = {.protocol = &protocol,
                                           .comparator = q->comparator,
                                           .backend = backend,
                                           .threads = threads,
                                           .band = band,
                                           .check_tiles = 20};
    assay_compare_result result = {0};
    if (assay_compare(templates, &options, out_path, NULL, &result) != ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    assert_string_equal(result.backend, backend);
    assay_protocol_free(&protocol);
    return result.result_digest;
}

static assay_digest compare(const char *templates, const question *q, const char *backend,
                            unsigned threads, const char *out_path) {
    return compare_by_bands(templates, q, backend, threads, 0, out_path);
}

static const recipe recipes[] = {
    {.subjects = 430, .samples = 3, .length = 64},
    {.subjects = 260, .samples = 4, .length = 8, .ties = true, .unenrolled = true},
    {.subjects = 500, .samples = 2, .length = 24, .duplicates = true, .unenrolled = true},
    {.subjects = 700, .samples = 1, .length = 16}, /* nobody has a mated pair */
    {.subjects = 205, .samples = 5, .length = 12, .ties = true, .same_session = true},
};
static const question questions[] = {
    {ASSAY_PROTOCOL_ALL, "cosine", {"group", "sex"}, ASSAY_HISTOGRAM_FULL, NAN, 0},
    {ASSAY_PROTOCOL_ALL, "euclidean", {NULL}, ASSAY_HISTOGRAM_SAMPLE, NAN, 40000},
    {ASSAY_PROTOCOL_CROSS, "inner-product", {"group"}, ASSAY_HISTOGRAM_FULL, NAN, 20000},
    {ASSAY_PROTOCOL_ONE_PER_SUBJECT, "cosine", {"sex"}, ASSAY_HISTOGRAM_NONE, NAN, 0},
    {ASSAY_PROTOCOL_ALL, "cosine", {"group"}, ASSAY_HISTOGRAM_FULL, 0.3, 200000},
};

static void backends_and_threads_give_one_result_digest(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5");
    const char *evidence = in_folder("evidence.h5");
    for (size_t r = 0; r < sizeof recipes / sizeof *recipes; r++) {
        make_templates(&recipes[r], templates);
        for (size_t q = 0; q < sizeof questions / sizeof *questions; q++) {
            const assay_digest slow = compare(templates, &questions[q], "reference", 1, evidence);
            static const unsigned threads[] = {1, 2, 7};
            for (int t = 0; t < 3; t++) {
                const assay_digest fast =
                    compare(templates, &questions[q], "cpu", threads[t], evidence);
                if (!assay_digest_equal(&slow, &fast)) {
                    fail_msg("recipe %zu, question %zu, %u threads differ", r, q, threads[t]);
                }
            }
            const assay_digest banded =
                compare_by_bands(templates, &questions[q], r % 2 ? "reference" : "cpu", 2,
                                 ASSAY_TILE_EDGE, evidence);
            if (!assay_digest_equal(&slow, &banded)) {
                fail_msg("recipe %zu, question %zu differ by bands", r, q);
            }
        }
    }
}

static void evidence_says_what_was_compared(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5"), *path = in_folder("evidence.h5");
    assay_evidence evidence = {0};
    make_templates(&recipes[1], templates);
    compare(templates, &questions[0], "cpu", 2, path);
    if (assay_evidence_read(path, &evidence) != ASSAY_OK) fail_msg("%s", assay_error_text());
    uint64_t enrolled = 0, sum = 0;
    for (uint64_t row = 0; row < evidence.table.row_count; row++) {
        enrolled += evidence.table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
    }
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++) sum += evidence.relations[n];
    assert_int_equal(sum, enrolled * (enrolled - 1) / 2);
    assert_int_equal(evidence.relations[ASSAY_RELATION_MATED], evidence.mated_count);
    assert_int_equal(evidence.relations[ASSAY_RELATION_NON_MATED], evidence.non_mated);
    assert_true(evidence.tail_complete);
    assert_int_equal(evidence.tail_count, evidence.non_mated);
    uint64_t binned = 0;
    const uint64_t counters = assay_histogram_count(evidence.combination_count) * 4096;
    for (uint64_t n = 0; n < counters; n++) binned += evidence.histogram[n];
    assert_int_equal(binned, evidence.non_mated);
    for (uint64_t n = 1; n < evidence.tail_count; n++) {
        const assay_comparison *x = &evidence.tail[n - 1], *y = &evidence.tail[n];
        assert_true(x->i < x->j);
        assert_true(evidence.table.subject[x->i] != evidence.table.subject[x->j]);
        assert_true(x->fine > y->fine ||
                    (x->fine == y->fine && (x->i < y->i || (x->i == y->i && x->j < y->j))));
    }
    for (uint64_t n = 0; n < evidence.mated_count; n++) {
        const assay_comparison *m = &evidence.mated[n];
        assert_int_equal(evidence.table.subject[m->i], evidence.table.subject[m->j]);
        /* Rows of a subject are in order of capture: the earlier is the reference. */
        assert_int_equal(m->direction, ASSAY_DIRECTION_I);
    }
    assay_evidence_free(&evidence);
}

/* ---- interruptions ---- */

typedef struct {
    uint64_t stop_at;
} patience;

static bool lose_patience(void *context, const char *step, const char *unit, uint64_t done,
                          uint64_t total) {
    (void)unit, (void)total;
    const patience *p = context;
    return strcmp(step, "compare") != 0 || done < p->stop_at;
}

static void an_interrupted_comparison_goes_on_and_ends_the_same(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5"), *path = in_folder("evidence.h5");
    const recipe r = {.subjects = 1100, .samples = 3, .length = 32, .ties = true};
    const question q = {ASSAY_PROTOCOL_ALL, "cosine", {"group"}, ASSAY_HISTOGRAM_FULL, NAN, 50000};
    make_templates(&r, templates);
    const assay_digest whole = compare(templates, &q, "cpu", 2, path);
    assert_int_equal(unlink(path), 0);

    assay_protocol protocol = {0};
    make_protocol(&q, &protocol);
    assay_compare_result result = {0};
    char parts[160];
    snprintf(parts, sizeof parts, "%s.parts", path);
    struct stat found;
    for (uint64_t stop = 1000000; stop < 5000000; stop += 1500000) {
        patience p = {.stop_at = stop};
        const assay_progress progress = {.tell = lose_patience, .context = &p};
        const assay_compare_options options = {
            .protocol = &protocol, .backend = "reference", .threads = 1, .checkpoint_tiles = 3};
        assert_int_equal(assay_compare(templates, &options, path, &progress, &result),
                         ASSAY_FAILED);
        assert_int_not_equal(stat(path, &found), 0);
        assert_int_equal(stat(parts, &found), 0);
    }
    const assay_compare_options options = {
        .protocol = &protocol, .backend = "cpu", .threads = 2, .checkpoint_tiles = 3};
    if (assay_compare(templates, &options, path, NULL, &result) != ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    assert_true(assay_digest_equal(&result.result_digest, &whole));
    assert_int_not_equal(stat(parts, &found), 0);
    assay_evidence evidence = {0};
    assert_int_equal(assay_evidence_read(path, &evidence), ASSAY_OK);
    assert_null(strstr(evidence.provenance_json, "\"resumed_tiles\": 0"));
    assay_evidence_free(&evidence);
    assay_protocol_free(&protocol);
}

/* Bands to and fro, interrupted at other places than they end. */
static void an_interrupted_comparison_by_bands_goes_on_and_ends_the_same(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5"), *path = in_folder("evidence.h5");
    const recipe r = {.subjects = 1100, .samples = 3, .length = 32, .duplicates = true};
    const question q = {ASSAY_PROTOCOL_ALL,     "cosine", {"group"},
                        ASSAY_HISTOGRAM_SAMPLE, NAN,      50000};
    make_templates(&r, templates);
    const assay_digest whole = compare(templates, &q, "cpu", 2, path);
    assert_int_equal(unlink(path), 0);
    assay_protocol protocol = {0};
    make_protocol(&q, &protocol);
    assay_compare_result result = {0};
    assay_compare_options options = {.protocol = &protocol,
                                     .backend = "reference",
                                     .threads = 1,
                                     .band = 1024,
                                     .checkpoint_tiles = 3};
    for (uint64_t stop = 800000; stop < 5000000; stop += 1500000) {
        patience p = {.stop_at = stop};
        const assay_progress progress = {.tell = lose_patience, .context = &p};
        assert_int_equal(assay_compare(templates, &options, path, &progress, &result),
                         ASSAY_FAILED);
    }
    options.backend = "cpu";
    if (assay_compare(templates, &options, path, NULL, &result) != ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    assert_true(assay_digest_equal(&result.result_digest, &whole));
    assay_evidence evidence = {0};
    assert_int_equal(assay_evidence_read(path, &evidence), ASSAY_OK);
    assert_null(strstr(evidence.provenance_json, "\"resumed_tiles\": 0"));
    assert_non_null(strstr(evidence.provenance_json, "\"bands\": 4"));
    assay_evidence_free(&evidence);
    assay_protocol_free(&protocol);
}

/* ---- a backend that is wrong ---- */

static const assay_backend *honest;
static enum { WRONG_BIN, WRONG_SCORE, LOST_PAIR } fault;

/* One tile, the same every time, is wrong by one bin or one score; or a pair of the whole is lost,
 * which the tile alone does not show. */
static assay_status lie(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                        const assay_backend_options *options, assay_tally *out) {
    assay_tally tally = {0};
    const assay_status status = honest->all_pairs(plan, first, end, options, &tally);
    if (status != ASSAY_OK) return status;
    if (fault == WRONG_BIN) {
        uint64_t bin = 0;
        while (tally.histogram[bin] == 0) bin++;
        tally.histogram[bin]--;
        tally.histogram[bin + 1]++;
    } else if (fault == WRONG_SCORE && tally.tail_count > 0) {
        tally.tail[tally.tail_count / 2].coarse++;
    } else if (fault == LOST_PAIR && end - first > 1) {
        tally.tail_count--;
    }
    *out = tally;
    return ASSAY_OK;
}

static void a_wrong_tile_is_caught_by_the_reference(void **state) {
    (void)state;
    static const char *const words[] = {"histograms", "scores", "tail of the comparison"};
    const char *templates = in_folder("templates.h5");
    const recipe r = {.subjects = 500, .samples = 3, .length = 16};
    question q = questions[0];
    q.tail_cap = 3000;
    assay_protocol protocol = {0};
    make_templates(&r, templates);
    make_protocol(&q, &protocol);
    assert_int_equal(assay_backend_find("cpu", &honest), ASSAY_OK);
    assay_backend liar = *honest;
    liar.all_pairs = lie;
    assay_compare_options options = {.protocol = &protocol, .check_tiles = 1};
    for (int f = 0; f < 4; f++) {
        fault = f % 3;
        options.check_tiles = f < 3;
        comparison work = {.options = &options,
                           .out_path = in_folder("evidence.h5"),
                           .backend = &liar,
                           .threads = 1,
                           .store = -1};
        assert_int_equal(assay_templates_open(templates, &work.templates), ASSAY_OK);
        work.head = assay_templates_get_head(work.templates);
        assert_int_equal(assay_plan_make(&work.head->table, &protocol, &work.plan), ASSAY_OK);
        assert_int_equal(assay_compare_quantise(&work), ASSAY_OK);
        work.pairs = (assay_all_pairs){.templates = &work.set,
                                       .subject = work.plan.subject,
                                       .group = work.plan.group,
                                       .side = work.plan.side,
                                       .group_count = work.plan.combination_count,
                                       .tail_limit = work.plan.tail_limit,
                                       .required_fine = INT64_MAX,
                                       .tail_cap = protocol.tail_cap};
        /* Without the check nobody would notice. */
        assert_int_equal(assay_compare_tiles(&work), f < 3 ? ASSAY_DISAGREES : ASSAY_OK);
        if (f < 3) assert_non_null(strstr(assay_error_text(), words[f]));
        assay_tally_free(&work.tally);
        assay_compare_free_set(&work);
        assay_plan_free(&work.plan);
        assay_templates_close(work.templates);
    }
    assay_protocol_free(&protocol);
}

/* ---- pair lists ---- */

static void a_pair_list_scores_what_it_lists(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5"), *path = in_folder("evidence.h5");
    assay_protocol protocol = {0};
    const question q = {ASSAY_PROTOCOL_PAIR_LIST, "cosine", {"group"},
                        ASSAY_HISTOGRAM_FULL,     NAN,      0};
    make_templates(&recipes[0], templates);
    make_protocol(&q, &protocol);
    /* Rows 0, 1, 2 are of one subject, 3, 4, 5 of the next. */
    static const assay_row_pair pairs[] = {{0, 1}, {0, 5}, {1, 2}, {2, 3}, {3, 5}};
    protocol.pairs = malloc(sizeof pairs);
    memcpy(protocol.pairs, pairs, sizeof pairs);
    protocol.reversed = calloc(5, 1);
    protocol.reversed[1] = 1;
    protocol.pair_count = 5;
    assay_digest digests[3];
    static const char *const backends[] = {"reference", "cpu", "cpu"};
    for (int n = 0; n < 3; n++) {
        const assay_compare_options options = {.protocol = &protocol,
                                               .backend = backends[n],
                                               .threads = 2,
                                               .band = n == 2 ? ASSAY_TILE_EDGE : 0};
        assay_compare_result result = {0};
        if (assay_compare(templates, &options, path, NULL, &result) != ASSAY_OK) {
            fail_msg("%s", assay_error_text());
        }
        assert_int_equal(result.mated, 3);
        assert_int_equal(result.non_mated, 2);
        digests[n] = result.result_digest;
    }
    assert_true(assay_digest_equal(&digests[0], &digests[1]));
    assert_true(assay_digest_equal(&digests[0], &digests[2]));
    assay_evidence evidence = {0};
    if (assay_evidence_read(path, &evidence) != ASSAY_OK) fail_msg("%s", assay_error_text());
    assert_int_equal(evidence.protocol.pair_count, 5);
    for (uint64_t n = 0; n < evidence.tail_count; n++) {
        const assay_comparison *pair = &evidence.tail[n];
        assert_int_equal(pair->direction, pair->i == 0 ? ASSAY_DIRECTION_J : ASSAY_DIRECTION_I);
    }
    assay_evidence_free(&evidence);
    assay_protocol_free(&protocol);
}

/* ---- refusals ---- */

static void what_does_not_fit_is_refused_with_figures_before_it_starts(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5"), *path = in_folder("evidence2.h5");
    assay_protocol protocol = {0};
    make_templates(&recipes[0], templates);
    make_protocol(&questions[0], &protocol);
    const assay_compare_options options = {
        .protocol = &protocol, .backend = "cpu", .threads = 1, .memory_limit = 1000000};
    assay_compare_result result = {0};
    assert_int_equal(assay_compare(templates, &options, path, NULL, &result), ASSAY_FAILED);
    assert_non_null(strstr(assay_error_text(), "1 MB may be used"));
    struct stat found;
    assert_int_not_equal(stat(path, &found), 0);
    assay_protocol_free(&protocol);
}

static void a_low_threshold_lowers_the_floor(void **state) {
    (void)state;
    const char *templates = in_folder("templates.h5"), *path = in_folder("evidence.h5");
    make_templates(&recipes[0], templates);
    question q = questions[4];
    q.tail_cap = 2000; /* the rank alone would keep 2,000 */
    q.threshold = 0.35;
    assay_protocol protocol = {0};
    make_protocol(&q, &protocol);
    assay_compare_result result = {0};
    const assay_compare_options options = {.protocol = &protocol, .backend = "cpu", .threads = 2};
    assert_int_equal(assay_compare(templates, &options, path, NULL, &result), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "2000 non-mated pairs"));
    protocol.thresholds[0] = 0.45;
    if (assay_compare(templates, &options, path, NULL, &result) != ASSAY_OK) {
        fail_msg("%s", assay_error_text());
    }
    assay_protocol_free(&protocol);
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/assay-compare-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_and_threads_give_one_result_digest),
        cmocka_unit_test(evidence_says_what_was_compared),
        cmocka_unit_test(an_interrupted_comparison_goes_on_and_ends_the_same),
        cmocka_unit_test(an_interrupted_comparison_by_bands_goes_on_and_ends_the_same),
        cmocka_unit_test(a_wrong_tile_is_caught_by_the_reference),
        cmocka_unit_test(a_pair_list_scores_what_it_lists),
        cmocka_unit_test(what_does_not_fit_is_refused_with_figures_before_it_starts),
        cmocka_unit_test(a_low_threshold_lowers_the_floor),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
