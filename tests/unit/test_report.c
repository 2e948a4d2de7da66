/* test_report -- the files of a report: whole, the same each time, and safe whatever the names say.
 */
#include "tests/unit/fixtures_evidence.h"

#include <dirent.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "datasets/base/file.h"
#include "datasets/base/random.h"
#include "reports/report.h"

enum { SUBJECTS = 60, EACH = 3, ROWS = SUBJECTS * EACH };

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/assay-report-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at) {
    (void)about, (void)kind, (void)at;
    return remove(path);
}

static int remove_folder(void **state) {
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *below(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static char *read_whole(const char *name) {
    char *bytes;
    size_t length;
    assert_ok(assay_file_read(below(name), (size_t)64 << 20, &bytes, &length));
    return bytes;
}

static double score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    assay_random random;
    assay_random_start(&random, *(const uint64_t *)context, (uint64_t)i << 32 | j);
    double z = assay_random_normal(&random);
    bool same = evidence->table.subject[i] == evidence->table.subject[j];
    return same ? 0.4 + 0.15 * z : 0.1 * z;
}

static void make_evidence(assay_evidence *out, const char *release, const char *version,
                          const char *attribute, const char *const *groups, uint64_t seed,
                          uint64_t limit) {
    static uint32_t subjects[ROWS];
    static const char *labels[ROWS];
    for (uint32_t row = 0; row < ROWS; ++row) {
        subjects[row] = row / EACH;
        labels[row] = groups[subjects[row] % 4];
    }
    fixture_start(out, release, version, ROWS, SUBJECTS, subjects);
    fixture_attribute(out, attribute, ASSAY_SOURCE_SELF_REPORTED, labels);
    fixture_targets(out, (const double[]){1e-1, 1e-2, 1e-6}, 3);
    out->table.enrolment[5] = ASSAY_ENROLMENT_REFUSED;
    assert_ok(assay_labelled_set(&out->table.enrolment_reason, 5, "=1+1"));
    fixture_compare(out, score, &seed, limit);
}

static const char *const plain[] = {"north", "east", "south", NULL};
static const char *const hostile[] = {"<script>alert(1)</script>", "`touch pwned`$(touch pwned)",
                                      "a_b^c{d}%s%n\\n\"q\"'", "=cmd|' /C calc'!A0"};

static void write_two(const char *const *groups, const char *release, uint64_t limit) {
    assay_evidence evidence[2];
    make_evidence(&evidence[0], release, "1.0", "region", groups, 1, limit);
    make_evidence(&evidence[1], release, "1.1", "region", groups, 2, limit);
    assert_ok(assay_report_write(evidence, 2, NULL, folder, NULL));
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
}

/* ---- summary.json ---- */

static void check_nulls(const json_t *value, const char *where) {
    const char *key;
    json_t *item;
    size_t n;
    if (json_is_array(value)) {
        json_array_foreach((json_t *)value, n, item) check_nulls(item, where);
        return;
    }
    json_object_foreach((json_t *)value, key, item) {
        char reason[128];
        snprintf(reason, sizeof reason, "%s_reason", key);
        if (json_is_null(item) && !json_is_string(json_object_get(value, reason)))
            fail_msg("%s of %s is null without a reason", key, where);
        check_nulls(item, key);
    }
}

static json_t *read_summary(void) {
    char *text = read_whole("summary.json");
    json_error_t fault;
    json_t *root = json_loads(text, 0, &fault);
    if (!root) fail_msg("summary.json:%d: %s", fault.line, fault.text);
    free(text);
    return root;
}

static json_t *at(json_t *root, const char *release_key) {
    json_t *found =
        json_object_get(json_array_get(json_object_get(root, "releases"), 0), release_key);
    assert_non_null(found);
    return found;
}

static void summary_has_its_schema_and_a_reason_for_every_null(void **state) {
    (void)state;
    write_two(plain, "r", FIXTURE_ALL);
    json_t *root = read_summary();
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "assay-summary/2");
    check_nulls(root, "the root");
    const char *name, *method, *dependence;
    json_int_t samples, errors, trials, subjects;
    double value, target, threshold, low, high, effective;
    assert_int_equal(json_unpack(json_object_get(root, "dataset"), "{s:s,s:I,s:I}", "name", &name,
                                 "samples", &samples, "subjects", &subjects),
                     0);
    assert_int_equal(samples, ROWS);
    json_t *point = json_array_get(at(root, "operating_points"), 1);
    assert_int_equal(json_unpack(point, "{s:F,s:F,s:{s:I,s:I,s:F,s:F,s:F,s:s,s:F,s:s}}",
                                 "fmr_target", &target, "threshold", &threshold, "fmr", "errors",
                                 &errors, "trials", &trials, "value", &value, "low", &low, "high",
                                 &high, "method", &method, "effective_trials", &effective,
                                 "dependence", &dependence),
                     0);
    assert_true(target == 0.01);
    assert_true(value == (double)errors / (double)trials);
    assert_true(0 < low && low < value && value < high && high < 1 && effective > 1);
    assert_string_equal(method, "pairs of subjects");
    assert_string_not_equal(dependence, "unknown");
    json_t *fnmr = json_object_get(point, "fnmr");
    assert_string_equal(json_string_value(json_object_get(fnmr, "method")),
                        "subjects, with the error of the threshold");
    assert_int_equal(
        json_unpack(at(root, "fte"), "{s:I,s:I}", "errors", &errors, "trials", &trials), 0);
    assert_true(errors == 1 && trials == ROWS);
    assert_int_equal(json_array_size(at(root, "groups")), 4);
    assert_int_equal(json_array_size(at(root, "group_pairs")), 10);
    static const char *const sourced[] = {"auc", "eer", "dprime", "non_mated"};
    for (size_t n = 0; n < 4; ++n)
        assert_string_equal(json_string_value(json_object_get(at(root, sourced[n]), "source")),
                            "exact");
    json_decref(root);
}

static void thresholds_read_back_the_same(void **state) {
    (void)state;
    assay_evidence evidence;
    make_evidence(&evidence, "r", "1", "region", plain, 1, FIXTURE_ALL);
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    json_t *root = read_summary();
    json_t *points = at(root, "operating_points");
    /* floor(0.01 M) non-mated ones are allowed; no two scores of these tie. */
    uint64_t allowed = (uint64_t)floor(0.01 * (double)evidence.non_mated);
    double threshold = assay_fine_score(&evidence, evidence.tail[allowed - 1].fine);
    assert_true(json_number_value(json_object_get(json_array_get(points, 1), "threshold")) ==
                threshold);
    threshold = nextafter(assay_fine_score(&evidence, evidence.tail[0].fine), INFINITY);
    assert_true(json_number_value(json_object_get(json_array_get(points, 2), "threshold")) ==
                threshold);
    char *text = read_whole("summary.json");
    assert_non_null(strstr(text, "\"fmr_target\": 1e-06"));
    free(text);
    json_decref(root);
    assay_evidence_free(&evidence);
}

static void coarse_summaries_keep_their_reasons_too(void **state) {
    (void)state;
    write_two(plain, "r", 100);
    json_t *root = read_summary();
    check_nulls(root, "the root");
    assert_string_equal(json_string_value(json_object_get(at(root, "auc"), "source")), "coarse");
    assert_true(json_number_value(json_object_get(at(root, "auc"), "bound")) > 0);
    json_t *point = json_array_get(at(root, "operating_points"), 0);
    assert_string_equal(json_string_value(json_object_get(point, "source")), "coarse");
    json_decref(root);
}

static void the_page_says_how_sure_each_rate_is(void **state) {
    (void)state;
    write_two(plain, "r", FIXTURE_ALL);
    json_t *root = read_summary();
    char *page = read_whole("index.html");
    json_t *points = at(root, "operating_points"), *point;
    size_t n;
    json_array_foreach(points, n, point) {
        json_t *fnmr = json_object_get(point, "fnmr");
        double low = 100 * json_number_value(json_object_get(fnmr, "low"));
        double high = 100 * json_number_value(json_object_get(fnmr, "high"));
        char said[128];
        if (low < 10 || high >= 99.95) continue;
        snprintf(said, sizeof said,
                 "<span class=\"whole\">%.1f\xc2\xa0%%</span> to <span "
                 "class=\"whole\">%.1f\xc2\xa0%%</span>",
                 low, high);
        if (!strstr(page, said)) fail_msg("the page has no %s", said);
    }
    assert_non_null(strstr(page, "Some people match many others."));
    assert_non_null(strstr(page, "NOT ENOUGH DATA is not"));
    assert_null(strstr(page, "not yet"));
    assert_non_null(strstr(page, "Left out for fewer than 30 subjects with mated pairs: <i>"));
    assert_non_null(strstr(page, "a comparison with a sample that has none counts as a miss"));
    /* Groups of 15 people: counts and interval, no rate. */
    assert_non_null(strstr(page, "; fewer than 30 subjects</span>"));
    json_t *group = json_array_get(at(root, "groups"), 0);
    assert_true(json_is_true(json_object_get(group, "few_subjects")));
    free(page);
    json_decref(root);
}

static void every_line_of_a_table_has_the_cells_of_its_heading(void **state) {
    (void)state;
    static const char *const tables[] = {"tables/releases.csv", "tables/operating_points.csv",
                                         "tables/groups.csv", "tables/group_pairs.csv",
                                         "tables/det.csv"};
    write_two(plain, "r", 2000);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; ++t) {
        char *text = read_whole(tables[t]), *rest = text, *line;
        unsigned expected = 0, lines = 0;
        assert_non_null(strstr(text, "_low,"));
        while ((line = strsep(&rest, "\n")) && *line) {
            unsigned cells = 1;
            bool quoted = false;
            for (const char *c = line; *c; ++c) {
                if (*c == '"') quoted = !quoted;
                cells += *c == ',' && !quoted;
            }
            if (!lines++) expected = cells;
            if (cells != expected)
                fail_msg("%s:%u: %u cells of %u", tables[t], lines, cells, expected);
        }
        assert_true(lines > 1);
        free(text);
    }
}

/* ---- files ---- */

static void same_evidence_gives_the_same_bytes(void **state) {
    (void)state;
    static const char *const files[] = {"index.html", "summary.json", "tables/groups.csv",
                                        "tables/det.csv", "plots/det.gp"};
    char *first[5];
    write_two(plain, "r", FIXTURE_ALL);
    for (size_t n = 0; n < 5; ++n) first[n] = read_whole(files[n]);
    write_two(plain, "r", FIXTURE_ALL);
    for (size_t n = 0; n < 5; ++n) {
        char *second = read_whole(files[n]);
        assert_string_equal(first[n], second);
        free(first[n]);
        free(second);
    }
}

static int no_leftover(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)kind;
    return where->level > 0 && path[where->base] == '.' ? 1 : 0;
}

static void nothing_half_made_is_left(void **state) {
    (void)state;
    write_two(plain, "r", FIXTURE_ALL);
    assert_int_equal(nftw(folder, no_leftover, 16, FTW_PHYS), 0);
    static const char *const files[] = {"index.html",
                                        "summary.json",
                                        "tables/releases.csv",
                                        "tables/operating_points.csv",
                                        "tables/group_pairs.csv",
                                        "tables/histograms.csv",
                                        "tables/pairs.csv",
                                        "tables/not_enrolled.csv",
                                        "plots/style.gp"};
    for (size_t n = 0; n < sizeof files / sizeof *files; ++n)
        assert_true(assay_file_exists(below(files[n])));
}

static bool has_gnuplot(void) {
    return system("command -v gnuplot >/dev/null 2>&1") == 0;
}

static int no_pwned(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)kind;
    return strcmp(path + where->base, "pwned") == 0;
}

static void hostile_names_stay_text(void **state) {
    (void)state;
    write_two(hostile, "<img src=x onerror=alert(1)>`touch pwned`", FIXTURE_ALL);
    char *page = read_whole("index.html");
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<img"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)"));
    assert_non_null(strstr(page, "default-src 'none'"));
    free(page);
    assert_int_equal(nftw(folder, no_pwned, 16, FTW_PHYS), 0);
    assert_false(assay_file_exists("pwned"));
    /* No script of gnuplot holds a name. */
    char *script = read_whole("plots/fmr-by-attribute-1.gp");
    assert_null(strstr(script, "pwned"));
    assert_null(strchr(script, '`'));
    free(script);
    script = read_whole("plots/fmr-by-attribute-1-0.tsv");
    assert_non_null(strstr(script, "a_b^c{d}%s%n"));
    assert_null(strpbrk(script, "\"\\"));
    free(script);
    char *table = read_whole("tables/groups.csv");
    assert_non_null(strstr(table, "\"'=cmd|' /C calc'!A0\""));
    assert_null(strstr(table, ",=cmd"));
    free(table);
    table = read_whole("tables/not_enrolled.csv");
    assert_non_null(strstr(table, "\"'=1+1\""));
    free(table);
    json_t *root = read_summary();
    json_t *group = json_object_get(json_array_get(at(root, "groups"), 0), "group");
    assert_string_equal(json_string_value(group), hostile[0]);
    json_decref(root);
}

static void plots_are_in_the_page_with_ids_of_their_own(void **state) {
    (void)state;
    if (!has_gnuplot()) {
        printf("gnuplot is missing\n");
        skip();
    }
    write_two(plain, "r", FIXTURE_ALL);
    char *page = read_whole("index.html");
    static const char *const titles[] = {"det-title", "scores-1-title", "fmr-by-attribute-1-title",
                                         "fnmr-by-attribute-1-title"};
    for (size_t n = 0; n < 4; ++n) {
        char id[64];
        snprintf(id, sizeof id, "id=\"%s\"", titles[n]);
        char *found = strstr(page, id);
        assert_non_null(found);
        assert_null(strstr(found + 1, id));
    }
    assert_null(strstr(page, "rgb("));
    assert_null(strstr(page, "xlink:href"));
    assert_null(strstr(page, "id='gpPt"));
    /* The box behind the key, and what makes it dark. */
    assert_non_null(strstr(page, "fill = '#FFFFFF'"));
    assert_non_null(strstr(page, ".plot [fill=\"#FFFFFF\"]{fill:#0d1117}"));
    free(page);
}

static void without_gnuplot_the_report_has_its_tables_and_says_so(void **state) {
    (void)state;
    char *before = strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    write_two(plain, "r", FIXTURE_ALL);
    setenv("PATH", before, 1);
    free(before);
    char *page = read_whole("index.html");
    assert_non_null(strstr(page, "gnuplot was not found"));
    assert_null(strstr(page, "<svg"));
    assert_non_null(strstr(page, "<details open>"));
    free(page);
    assert_true(assay_file_exists(below("tables/det.csv")));
}

static void assert_says(const char *text, const char *words) {
    if (!strstr(text, words)) fail_msg("nothing says \"%s\"", words);
}

static void sampled_histograms_are_called_estimates(void **state) {
    (void)state;
    assay_evidence evidence;
    make_evidence(&evidence, "r", "1", "region", plain, 1, 100);
    evidence.protocol.histogram_mode = ASSAY_HISTOGRAM_SAMPLE;
    evidence.histogram_pairs = 0;
    for (uint32_t bin = 0; bin < evidence.bins.count; ++bin) {
        if (bin % 2) evidence.histogram[bin] = 0;
        evidence.histogram_pairs += evidence.histogram[bin];
    }
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    char *page = read_whole("index.html"), *table = read_whole("tables/releases.csv");
    assert_says(page, "estimated from a sample of ");
    assert_says(page, "it gives no threshold");
    assert_null(strstr(page, "≤ "));
    assert_null(strstr(page, "± 0"));
    assert_says(table, ",sampled,,");
    json_t *root = read_summary();
    check_nulls(root, "the root");
    const char *reason = json_string_value(json_object_get(at(root, "auc"), "bound_reason"));
    assert_non_null(reason);
    assert_says(reason, "its chance error is not computed");
    assert_true(json_is_null(
        json_object_get(json_array_get(at(root, "operating_points"), 0), "threshold")));
    free(page);
    free(table);
    json_decref(root);
    assay_evidence_free(&evidence);
}

static void releases_are_ranked_only_where_their_intervals_are_apart(void **state) {
    (void)state;
    write_two(plain, "r", FIXTURE_ALL);
    char *page = read_whole("index.html");
    assert_null(strstr(page, " more mated comparisons than "));
    assert_null(strstr(page, " fewer mated comparisons than "));
    assert_says(page, "<h3>r 1.1 misses ");
    free(page);
    assay_evidence evidence[2];
    make_evidence(&evidence[0], "r", "1.0", "region", plain, 1, FIXTURE_ALL);
    make_evidence(&evidence[1], "r", "1.1", "region", plain, 1, FIXTURE_ALL);
    for (uint64_t n = 1; n < evidence[1].mated_count; ++n)
        evidence[1].mated[n].fine = -((int64_t)1 << 2 * FIXTURE_EXPONENT);
    assert_ok(assay_report_write(evidence, 2, NULL, folder, NULL));
    page = read_whole("index.html");
    assert_says(page, "<h3>r 1.1 misses more mated comparisons than r 1.0, ");
    free(page);
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
}

static void targets_out_of_reach_say_so_and_are_never_the_headline(void **state) {
    (void)state;
    write_two(plain, "r", FIXTURE_ALL);
    char *page = read_whole("index.html"), *table = read_whole("tables/operating_points.csv");
    assert_says(page, "cannot be measured here: fewer than 1/f non-mated comparisons");
    assert_says(page, "and lower targets cannot be measured here: ");
    assert_null(strstr(page, "At the threshold set for FMR 10<sup>−6</sup>"));
    assert_says(table, ",fmr_target,1e-06,");
    assert_says(table, ",no,,,exact,");
    json_t *root = read_summary();
    json_t *points = at(root, "operating_points");
    assert_true(json_is_true(json_object_get(json_array_get(points, 1), "reached")));
    assert_true(json_is_false(json_object_get(json_array_get(points, 2), "reached")));
    assert_true(json_is_string(json_object_get(json_array_get(points, 2), "reached_reason")));
    json_decref(root);
    free(page);
    free(table);
    assay_evidence evidence;
    make_evidence(&evidence, "r", "1", "region", plain, 1, FIXTURE_ALL);
    fixture_targets(&evidence, (const double[]){1e-6, 1e-7}, 2);
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    page = read_whole("index.html");
    assert_says(page, "</b> has no operating point (the highest target is FMR ");
    assert_null(strstr(page, "</b> missed"));
    free(page);
    assay_evidence_free(&evidence);
}

static void the_page_says_which_pairs_were_compared(void **state) {
    (void)state;
    assay_evidence evidence;
    static uint32_t subjects[ROWS];
    for (uint32_t row = 0; row < ROWS; ++row) subjects[row] = row / EACH;
    fixture_start(&evidence, "r", "1", ROWS, SUBJECTS, subjects);
    for (uint32_t row = 0; row < ROWS; ++row)
        assert_ok(
            assay_labelled_set(&evidence.table.environment, row, row % EACH ? "a<b" : "visa"));
    evidence.protocol.kind = ASSAY_PROTOCOL_CROSS;
    evidence.protocol.role_column = strdup("environment");
    evidence.protocol.reference_value = strdup("visa");
    evidence.protocol.probe_value = strdup("a<b");
    evidence.protocol.same_session = false;
    fixture_compare(&evidence, score, &(uint64_t){1}, FIXTURE_ALL);
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    char *page = read_whole("index.html");
    assert_says(page, "Compared: references environment = <em>visa</em> against probes environment "
                      "= <em>a&lt;b</em>; mated pairs of one session are left out</p>");
    free(page);
    assay_evidence_free(&evidence);
}

static void releases_that_enrolled_nobody_have_a_page(void **state) {
    (void)state;
    for (int enrolled = 0; enrolled <= 1; ++enrolled) {
        assay_evidence evidence;
        uint32_t subjects[4] = {0, 0, 1, 1};
        static const char *const groups[] = {"a", "a", "b", "b"};
        fixture_start(&evidence, "r", "1", 4, 2, subjects);
        fixture_attribute(&evidence, "region", ASSAY_SOURCE_SELF_REPORTED, groups);
        for (int row = enrolled; row < 4; ++row) {
            evidence.table.enrolment[row] = ASSAY_ENROLMENT_EXCLUDED;
            assert_ok(assay_labelled_set(&evidence.table.enrolment_reason, (uint64_t)row,
                                         row == 1 ? "<torn>" : "<empty>"));
        }
        fixture_compare(&evidence, score, &(uint64_t){1}, FIXTURE_ALL);
        assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
        json_t *root = read_summary();
        check_nulls(root, "the root");
        json_t *point = json_array_get(at(root, "operating_points"), 0);
        assert_true(json_is_null(json_object_get(point, "source")));
        const char *by_subject = json_string_value(
            json_object_get(json_object_get(point, "fnmr_by_subject"), "value_reason"));
        assert_string_equal(by_subject, "no non-mated comparison was made");
        json_decref(root);
        char *page = read_whole("index.html");
        assert_says(page, enrolled ? " enrolled one sample, so nothing could be compared"
                                   : " enrolled no sample, so nothing could be compared");
        assert_says(page, "of 4 samples never reached r 1");
        assert_says(page, "<i>&lt;empty&gt;</i>");
        assert_null(strstr(page, "3 in 2"));
        free(page);
        assay_evidence_free(&evidence);
    }
}

static void one_image_of_two_subjects_is_a_caveat(void **state) {
    (void)state;
    assay_evidence evidence;
    make_evidence(&evidence, "r", "1", "region", plain, 1, FIXTURE_ALL);
    evidence.table.image_digest[0].bytes[0] = evidence.table.image_digest[9].bytes[0] = 1;
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    char *page = read_whole("index.html");
    assert_says(page, "<li>1 pair of enrolled samples of different subjects are byte-identical");
    assert_says(page, "Compared: every pair of samples; mated pairs of one session are allowed");
    assert_null(strstr(page, "every one is in"));
    assert_null(strstr(page, "-0.0000"));
    free(page);
    assay_evidence_free(&evidence);
}

static double flat_score(void *context, const assay_evidence *evidence, uint32_t i, uint32_t j) {
    (void)context;
    return evidence->table.subject[i] == evidence->table.subject[j] ? 0.5 : -0.00001;
}

static void ties_are_the_same_in_all_groups(void **state) {
    (void)state;
    enum { MANY = 160 };
    static uint32_t subjects[MANY];
    static const char *labels[MANY];
    assay_evidence evidence;
    for (uint32_t row = 0; row < MANY; ++row) {
        subjects[row] = row / 2;
        labels[row] = row / 2 % 2 ? "F" : "M";
    }
    fixture_start(&evidence, "r", "1", MANY, MANY / 2, subjects);
    fixture_attribute(&evidence, "sex", ASSAY_SOURCE_DOCUMENT, labels);
    evidence.protocol.thresholds = malloc(sizeof(double));
    evidence.protocol.thresholds[0] = -1;
    evidence.protocol.threshold_count = 1;
    fixture_compare(&evidence, flat_score, NULL, FIXTURE_ALL);
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    char *page = read_whole("index.html");
    assert_says(page, "FMR is 1, the same in all groups.");
    assert_says(page, "FNMR is 0\xc2\xa0%, the same in all groups.");
    assert_null(strstr(page, "1.0-fold"));
    assert_null(strstr(page, "-0.0000"));
    free(page);
    assay_evidence_free(&evidence);
}

static void an_earlier_report_leaves_nothing_behind(void **state) {
    (void)state;
    static const char *const stale[] = {"plots/fmr-by-attribute-9.svg", "plots/scores-7-1.tsv",
                                        "plots/.det.svg.tmp-99"};
    static const char *const others[] = {"plots/mine.svg", "plots/details.txt", "notes.txt"};
    write_two(plain, "r", FIXTURE_ALL);
    for (size_t n = 0; n < 3; ++n) {
        assert_ok(assay_file_write(below(stale[n]), "x", 1));
        assert_ok(assay_file_write(below(others[n]), "x", 1));
    }
    write_two(plain, "r", FIXTURE_ALL);
    for (size_t n = 0; n < 3; ++n) {
        assert_false(assay_file_exists(below(stale[n])));
        assert_true(assay_file_exists(below(others[n])));
    }
}

static bool is_well_formed(const char *name) {
    char command[512];
    snprintf(command, sizeof command,
             "python3 -c 'import sys,xml.dom.minidom as m; m.parse(sys.argv[1])' '%s'",
             below(name));
    return system(command) == 0;
}

static void pictures_are_xml_whatever_the_labels(void **state) {
    (void)state;
    static char wide[129], *labels[4] = {(char *)"a]]>b", wide, (char *)"c", (char *)"d"};
    memset(wide, 'W', 128);
    write_two((const char *const *)labels, "r", FIXTURE_ALL);
    if (has_gnuplot()) assert_true(is_well_formed("plots/fnmr-by-attribute-1.svg"));
    char *page = read_whole("index.html"), *data = read_whole("plots/fnmr-by-attribute-1-0.tsv");
    assert_null(strstr(page, "]]>"));
    assert_says(page, wide); /* whole in the table */
    assert_null(strstr(data, "WWWWWWWWWWWWWWWWWWWW"));
    assert_says(data, "WW…");
    free(page);
    free(data);
}

/* ---- what is refused ---- */

static void titles_that_mislead_are_refused(void **state) {
    (void)state;
    static char longest[258];
    assay_evidence evidence;
    make_evidence(&evidence, "r", "1", "region", plain, 1, FIXTURE_ALL);
    static const char *const bad[] = {"", "two\nlines",
                                      "a\xe2\x80\xae"
                                      "b",
                                      "\xff", longest};
    memset(longest, 'a', 257);
    for (size_t n = 0; n < 5; ++n) {
        assay_report_options options = {.title = bad[n]};
        assert_int_equal(assay_report_write(&evidence, 1, &options, folder, NULL), ASSAY_USAGE);
        assert_says(assay_error_text(), "title");
    }
    longest[256] = '\0';
    assay_report_options options = {.title = longest};
    assert_ok(assay_report_write(&evidence, 1, &options, folder, NULL));
    memcpy(longest + 200, "\xe2\x80\xae", 3);
    assert_int_equal(assay_report_write(&evidence, 1, &options, folder, NULL), ASSAY_USAGE);
    assay_evidence_free(&evidence);
}

static void releases_of_two_data_sets_are_refused(void **state) {
    (void)state;
    assay_evidence evidence[2];
    make_evidence(&evidence[0], "r", "1", "region", plain, 1, FIXTURE_ALL);
    make_evidence(&evidence[1], "r", "2", "region", plain, 2, FIXTURE_ALL);
    evidence[1].dataset_digest.bytes[0] ^= 1;
    assert_int_equal(assay_report_write(evidence, 2, NULL, folder, NULL), ASSAY_USAGE);
    assert_non_null(strstr(assay_error_text(), "data set"));
    evidence[1].dataset_digest.bytes[0] ^= 1;
    const char *const unknown[] = {"colour"};
    assay_report_options options = {.attributes = unknown, .attribute_count = 1};
    assert_int_equal(assay_report_write(evidence, 2, &options, folder, NULL), ASSAY_USAGE);
    assert_false(assay_file_exists(below("index.html")));
    assert_int_equal(assay_report_write(evidence, 0, NULL, folder, NULL), ASSAY_USAGE);
    assay_evidence_free(&evidence[0]);
    assay_evidence_free(&evidence[1]);
}

static bool stop(void *context, const char *step, const char *unit, uint64_t done, uint64_t total) {
    (void)context, (void)step, (void)unit, (void)total;
    return done < 2;
}

static void an_interrupted_report_publishes_no_page(void **state) {
    (void)state;
    assay_evidence evidence;
    assay_progress progress = {.tell = stop};
    make_evidence(&evidence, "r", "1", "region", plain, 1, FIXTURE_ALL);
    assert_int_equal(assay_report_write(&evidence, 1, NULL, folder, &progress), ASSAY_FAILED);
    assert_false(assay_file_exists(below("index.html")));
    /* Nor does it leave that of an earlier one, or its summary: tables are there, the rest is not.
     */
    assert_ok(assay_report_write(&evidence, 1, NULL, folder, NULL));
    assert_int_equal(assay_report_write(&evidence, 1, NULL, folder, &progress), ASSAY_FAILED);
    assert_true(assay_file_exists(below("tables/det.csv")));
    assert_false(assay_file_exists(below("index.html")));
    char *mark = read_whole("summary.json");
    assert_string_equal(mark, "{\"schema\": \"assay-summary/unfinished\"}\n");
    free(mark);
    assay_evidence_free(&evidence);
}

int main(void) {
#define REPORT_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        REPORT_TEST(summary_has_its_schema_and_a_reason_for_every_null),
        REPORT_TEST(thresholds_read_back_the_same),
        REPORT_TEST(coarse_summaries_keep_their_reasons_too),
        REPORT_TEST(the_page_says_how_sure_each_rate_is),
        REPORT_TEST(every_line_of_a_table_has_the_cells_of_its_heading),
        REPORT_TEST(same_evidence_gives_the_same_bytes),
        REPORT_TEST(nothing_half_made_is_left),
        REPORT_TEST(hostile_names_stay_text),
        REPORT_TEST(plots_are_in_the_page_with_ids_of_their_own),
        REPORT_TEST(without_gnuplot_the_report_has_its_tables_and_says_so),
        REPORT_TEST(sampled_histograms_are_called_estimates),
        REPORT_TEST(releases_are_ranked_only_where_their_intervals_are_apart),
        REPORT_TEST(targets_out_of_reach_say_so_and_are_never_the_headline),
        REPORT_TEST(the_page_says_which_pairs_were_compared),
        REPORT_TEST(releases_that_enrolled_nobody_have_a_page),
        REPORT_TEST(one_image_of_two_subjects_is_a_caveat),
        REPORT_TEST(ties_are_the_same_in_all_groups),
        REPORT_TEST(an_earlier_report_leaves_nothing_behind),
        REPORT_TEST(pictures_are_xml_whatever_the_labels),
        REPORT_TEST(titles_that_mislead_are_refused),
        REPORT_TEST(releases_of_two_data_sets_are_refused),
        REPORT_TEST(an_interrupted_report_publishes_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
