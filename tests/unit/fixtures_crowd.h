/* fixtures_crowd -- forty people under every protocol, and the literal sums over pairs of pairs of
 * subjects that intervals of their cells are held against. */
#ifndef ASSAY_TESTS_FIXTURES_CROWD_H
#define ASSAY_TESTS_FIXTURES_CROWD_H

#include "tests/unit/fixtures_evidence.h"

#include "datasets/base/random.h"
#include "reports/figures.h"

static inline void assert_close(double value, double expected, double relative, const char *what) {
    bool same = value == expected || (isnan(value) && isnan(expected)) ||
                fabs(value - expected) <= relative * fabs(expected);
    if (!same) fail_msg("%s: %.17g is not %.17g", what, value, expected);
}

/* ---- the definition: every pair of pairs of subjects ---- */

enum { DENSE_MOST = 48 };

/* F_ij and m_ij, symmetric; subjects without comparisons have m = 0 everywhere. */
typedef struct {
    uint32_t subjects;
    uint64_t matches[DENSE_MOST][DENSE_MOST], made[DENSE_MOST][DENSE_MOST];
} dense_table;

/* Sum of e_c e_d over ordered pairs (c, d) of pairs of subjects that share a subject. */
static inline double literal_meat(const dense_table *table, double p) {
    double sum = 0;
    uint32_t n = table->subjects;
    for (uint32_t i = 0; i < n; ++i)
        for (uint32_t j = i + 1; j < n; ++j)
            for (uint32_t k = 0; k < n; ++k)
                for (uint32_t l = k + 1; l < n; ++l) {
                    if (k != i && k != j && l != i && l != j) continue;
                    sum += ((double)table->matches[i][j] - p * (double)table->made[i][j]) *
                           ((double)table->matches[k][l] - p * (double)table->made[k][l]);
                }
    return sum;
}

static inline assay_dyad_sums literal_sums(const dense_table *table) {
    assay_dyad_sums out = {0};
    double fourth = 0;
    for (uint32_t i = 0; i < table->subjects; ++i)
        for (uint32_t j = i + 1; j < table->subjects; ++j) {
            out.errors += table->matches[i][j];
            out.trials += table->made[i][j];
        }
    out.rate = out.trials ? (double)out.errors / (double)out.trials : 0;
    for (uint32_t i = 0; i < table->subjects; ++i) {
        double s = 0;
        for (uint32_t j = 0; j < table->subjects; ++j) {
            double e = (double)table->matches[i][j] - out.rate * (double)table->made[i][j];
            s += e;
            if (i < j) out.pairs += e * e;
        }
        fourth += s * s * s * s;
    }
    /* The meat counts each pair with itself once: A - S2. */
    out.subjects = literal_meat(table, out.rate) + out.pairs;
    out.shared = fmax(out.subjects - 2 * out.pairs, 0);
    if (out.errors) out.clustering = out.shared / ((double)out.errors * (double)out.errors);
    out.clusters = fourth > 0 ? out.subjects * out.subjects / fourth : (double)INFINITY;
    return out;
}

/* ---- whole evidence: every protocol, attributes of subjects and of samples ---- */

enum { PEOPLE = 40 };

static inline double crowd_score(void *context, const assay_evidence *evidence, uint32_t i,
                                 uint32_t j) {
    assay_random random;
    assay_random_start(&random, *(const uint64_t *)context, (uint64_t)i << 32 | j);
    uint32_t a = evidence->table.subject[i], b = evidence->table.subject[j];
    double z = assay_random_normal(&random);
    if (a == b) return 0.3 + 0.2 * z;
    /* Some people match many others. */
    return 0.2 * z + (a % 7 == 0) * 0.15 + (b % 7 == 0) * 0.15;
}

/* A third of all pairs of rows, as a list, and evidence of these alone. */
static inline void keep_listed(assay_evidence *evidence) {
    uint64_t rows = evidence->table.row_count, count = 0, kept = 0;
    assay_protocol *protocol = &evidence->protocol;
    protocol->kind = ASSAY_PROTOCOL_PAIR_LIST;
    protocol->pairs = calloc(rows * rows, sizeof *protocol->pairs);
    protocol->reversed = calloc(rows * rows, 1);
    for (uint32_t i = 0; i < rows; ++i)
        for (uint32_t j = i + 1; j < rows; ++j)
            if ((i * 7 + j * 11) % 3 == 0) protocol->pairs[count++] = (assay_row_pair){i, j};
    protocol->pair_count = count;
    for (uint64_t n = 0; n < evidence->tail_count; ++n)
        if ((evidence->tail[n].i * 7 + evidence->tail[n].j * 11) % 3 == 0)
            evidence->tail[kept++] = evidence->tail[n];
    evidence->tail_count = evidence->non_mated = kept;
    kept = 0;
    for (uint64_t n = 0; n < evidence->mated_count; ++n) {
        assay_comparison *pair = &evidence->mated[n];
        if ((pair->i * 7 + pair->j * 11) % 3) continue;
        pair->direction = ASSAY_DIRECTION_I;
        evidence->mated[kept++] = *pair;
    }
    evidence->mated_count = kept;
    free(evidence->histogram);
    evidence->histogram = NULL;
    evidence->histogram_pairs = 0;
}

/* Subjects of one to four samples; sex is of subjects, light of samples. */
static inline void crowd_start(assay_evidence *evidence, assay_protocol_kind kind, uint64_t seed) {
    static uint32_t subjects[PEOPLE * 4];
    static const char *sex[PEOPLE * 4], *light[PEOPLE * 4];
    static const char *const lights[] = {"day", "night", "indoors"};
    uint32_t rows = 0;
    for (uint32_t n = 0; n < PEOPLE; ++n)
        for (uint32_t t = 0; t <= (n * 5 + n / 4) % 4; ++t) {
            subjects[rows] = n;
            sex[rows] = n % 3 ? "x" : "y";
            light[rows] = lights[(rows * 13 + n) % 3];
            ++rows;
        }
    fixture_start(evidence, "r", "1", rows, PEOPLE, subjects);
    fixture_attribute(evidence, "sex", ASSAY_SOURCE_NOT_STATED, sex);
    fixture_attribute(evidence, "light", ASSAY_SOURCE_NOT_STATED, light);
    evidence->table.attributes[1].level = ASSAY_LEVEL_SAMPLE;
    if (kind != ASSAY_PROTOCOL_PAIR_LIST) evidence->protocol.kind = kind;
    if (kind == ASSAY_PROTOCOL_CROSS) {
        evidence->protocol.role_column = strdup("light");
        evidence->protocol.reference_value = strdup("day");
        evidence->protocol.probe_value = strdup("night");
    }
    for (uint32_t row = 0; row < rows; row += 9)
        evidence->table.enrolment[row] = ASSAY_ENROLMENT_REFUSED;
    evidence->table.enrolment[4] = ASSAY_ENROLMENT_EXCLUDED;
    fixture_targets(evidence, (const double[]){0.1, 0.01}, 2);
    evidence->protocol.thresholds = malloc(3 * sizeof(double));
    evidence->protocol.thresholds[0] = 0.25;
    evidence->protocol.thresholds[1] = 0.6;
    evidence->protocol.thresholds[2] = 3; /* nobody matches */
    evidence->protocol.threshold_count = 3;
    fixture_compare(evidence, crowd_score, &seed, FIXTURE_ALL);
    if (kind == ASSAY_PROTOCOL_PAIR_LIST) keep_listed(evidence);
}

typedef struct {
    const assay_evidence *evidence;
    const assay_attribute *attribute; /* NULL: everybody */
    uint16_t a, b;
    bool alike;     /* both samples of one real value, whichever it is; a and b do not matter */
    bool attempted; /* comparisons of all samples that reached the algorithm */
} cell_key;

static inline bool in_cell(const cell_key *cell, uint32_t i, uint32_t j) {
    if (!cell->attribute) return true;
    uint16_t x = cell->attribute->codes[i], y = cell->attribute->codes[j];
    if (cell->alike) return x == y && x >= ASSAY_CODE_FIRST;
    return (x == cell->a && y == cell->b) || (x == cell->b && y == cell->a);
}

static inline bool is_made(const cell_key *cell, const uint8_t *roles, uint32_t i, uint32_t j) {
    const assay_evidence *evidence = cell->evidence;
    const uint8_t *how = evidence->table.enrolment;
    for (int n = 0; n < 2; ++n) {
        uint8_t one = how[n ? j : i];
        bool tried = one == ASSAY_ENROLMENT_REFUSED || one == ASSAY_ENROLMENT_FAILED;
        if (one != ASSAY_ENROLMENT_ENROLLED && !(cell->attempted && tried)) return false;
    }
    if (evidence->protocol.kind == ASSAY_PROTOCOL_PAIR_LIST && (i * 7 + j * 11) % 3) return false;
    return assay_protocol_relation(&evidence->protocol, &evidence->table, roles, i, j) ==
           ASSAY_RELATION_NON_MATED;
}

/* The cell's table at a threshold, by going over all pairs of rows and over the tail. */
static inline void fill_dense(const cell_key *cell, double threshold, dense_table *out) {
    const assay_evidence *evidence = cell->evidence;
    const uint32_t *subject = evidence->table.subject;
    uint8_t *roles;
    memset(out, 0, sizeof *out);
    out->subjects = PEOPLE;
    assert_ok(assay_protocol_roles(&evidence->protocol, &evidence->table, &roles));
    for (uint32_t i = 0; i < evidence->table.row_count; ++i)
        for (uint32_t j = i + 1; j < evidence->table.row_count; ++j) {
            if (!in_cell(cell, i, j) || !is_made(cell, roles, i, j)) continue;
            ++out->made[subject[i]][subject[j]];
            ++out->made[subject[j]][subject[i]];
        }
    for (uint64_t n = 0; n < evidence->tail_count; ++n) {
        const assay_comparison *pair = &evidence->tail[n];
        if (assay_fine_score(evidence, pair->fine) < threshold) break;
        if (!in_cell(cell, pair->i, pair->j)) continue;
        ++out->matches[subject[pair->i]][subject[pair->j]];
        ++out->matches[subject[pair->j]][subject[pair->i]];
    }
    free(roles);
}

/* Anchors of the cell by the same long way, highest threshold first. */
static inline size_t literal_anchors(const cell_key *cell, assay_clustering_anchor *out) {
    static dense_table table;
    const assay_evidence *evidence = cell->evidence;
    uint64_t seen = 0;
    size_t count = 0;
    for (uint64_t n = 0; n < evidence->tail_count; ++n) {
        const assay_comparison *pair = &evidence->tail[n];
        if (!in_cell(cell, pair->i, pair->j) || ++seen != 30ull << count) continue;
        out[count].threshold = assay_fine_score(evidence, pair->fine);
        fill_dense(cell, out[count].threshold, &table);
        assay_dyad_sums sums = literal_sums(&table);
        out[count].clustering = sums.clustering;
        out[count++].errors = sums.errors;
    }
    return count;
}

static inline void check_cell(const cell_key *cell, const assay_clustering_anchor *anchors,
                              size_t count, double threshold, const assay_interval *interval) {
    static dense_table table;
    double floor_value = 0;
    fill_dense(cell, threshold, &table);
    assay_dyad_sums sums = literal_sums(&table);
    if (!sums.trials) {
        assert_non_null(interval->reason);
        return;
    }
    assert_null(interval->reason);
    bool known = assay_clustering_floor(anchors, count, threshold, sums.errors, &floor_value);
    assay_interval expected = assay_dyadic_interval(&sums, known, floor_value, 0.05);
    /* The literal sums know no disjoint pairs. */
    if (expected.dependence != ASSAY_DEPENDENCE_UNKNOWN || sums.errors) {
        assert_close(interval->low, expected.low, 1e-9, "low");
        assert_close(interval->high, expected.high, 1e-9, "high");
    } else {
        assert_true(interval->low == 0 && interval->high == interval->guaranteed);
    }
    assert_close(interval->variance, expected.variance, 1e-9, "variance");
    assert_close(interval->effective, expected.effective, 1e-9, "effective");
    assert_int_equal(interval->dependence, expected.dependence);
}

#endif
