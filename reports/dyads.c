/* dyads -- sums over pairs of subjects (dyads.h). */
#include "reports/dyads.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"

__extension__ typedef unsigned __int128 wide;

#define KINDS (1u << ASSAY_HELD) /* subjects by which of their four counts are above 0 */

/* B of m_ij = h_i' B h_j. */
static const uint8_t forms[][ASSAY_HELD][ASSAY_HELD] = {
    [ASSAY_FORM_WITHIN] = {{1, 0, 0, 0}, {0}, {0}, {0}},
    [ASSAY_FORM_BETWEEN] = {{0, 0, 1, 0}, {0}, {1, 0, 0, 0}, {0}},
    [ASSAY_FORM_CROSS_WITHIN] = {{0, 1, 0, 0}, {1, 0, 0, 0}, {0}, {0}},
    [ASSAY_FORM_CROSS_BETWEEN] = {{0, 0, 0, 1}, {0, 0, 1, 0}, {0, 1, 0, 0}, {1, 0, 0, 0}},
};

static uint64_t product(assay_dyad_form form, const uint64_t *left, const uint32_t *right) {
    uint64_t sum = 0;
    for (int r = 0; r < ASSAY_HELD; ++r)
        for (int c = 0; c < ASSAY_HELD; ++c)
            if (forms[form][r][c]) sum += left[r] * right[c];
    return sum;
}

static uint64_t product_of(assay_dyad_form form, const assay_holding *i, const assay_holding *j) {
    uint64_t left[ASSAY_HELD];
    for (int r = 0; r < ASSAY_HELD; ++r) left[r] = i->held[r];
    return product(form, left, j->held);
}

/* Whether subjects of the two kinds are compared. */
static bool kinds_meet(assay_dyad_form form, unsigned a, unsigned b) {
    for (unsigned r = 0; r < ASSAY_HELD; ++r)
        for (unsigned c = 0; c < ASSAY_HELD; ++c)
            if (forms[form][r][c] && (a >> r & 1) && (b >> c & 1)) return true;
    return false;
}

/* Subjects that one of kind has to be paired with. */
static uint64_t partners(assay_dyad_form form, const uint64_t *count, unsigned kind) {
    uint64_t sum = 0;
    for (unsigned other = 0; other < KINDS; ++other)
        if (kinds_meet(form, kind, other)) sum += count[other] - (other == kind && count[kind]);
    return sum;
}

/* The kind with the fewest partners among those that have one and, where with is given, meet it. */
static unsigned scarcest(assay_dyad_form form, const uint64_t *count, const unsigned *with) {
    unsigned found = KINDS;
    uint64_t fewest = UINT64_MAX;
    for (unsigned kind = 0; kind < KINDS; ++kind) {
        if (!count[kind] || (with && !kinds_meet(form, *with, kind))) continue;
        if (with && kind == *with && count[kind] < 2) continue;
        uint64_t have = partners(form, count, kind);
        if (!have || have >= fewest) continue;
        found = kind;
        fewest = have;
    }
    return found;
}

/* Pairs kinds off, the one with the fewest partners first. Of subjects that all meet, or of two
 * sides that only meet each other, no choice gives more; of others any choice is a true one. */
static uint64_t pair_off(assay_dyad_form form, uint64_t *count) {
    uint64_t pairs = 0;
    for (;;) {
        unsigned a = scarcest(form, count, NULL);
        if (a == KINDS) return pairs;
        unsigned b = scarcest(form, count, &a);
        uint64_t some = a == b ? count[a] / 2 : count[a] < count[b] ? count[a] : count[b];
        count[a] -= some;
        count[b] -= some;
        pairs += some;
    }
}

static double sum_squares(assay_dyad_form form, const wide (*second)[ASSAY_HELD], wide own) {
    wide trace = 0;
    /* tr(B T B T): over r, c of B and r', c' of B, T[c][r'] T[c'][r]. */
    for (int r = 0; r < ASSAY_HELD; ++r)
        for (int c = 0; c < ASSAY_HELD; ++c)
            for (int r2 = 0; forms[form][r][c] && r2 < ASSAY_HELD; ++r2)
                for (int c2 = 0; c2 < ASSAY_HELD; ++c2)
                    if (forms[form][r2][c2]) trace += second[c][r2] * second[c2][r];
    return (double)(trace - own) / 2;
}

assay_status assay_dyad_design_create(assay_dyad_form form, const assay_holding *holdings,
                                      uint32_t subjects, assay_dyad_design *out) {
    assay_dyad_design design = {.subjects = subjects, .form = form, .holdings = holdings};
    uint64_t total[ASSAY_HELD] = {0}, kinds[KINDS] = {0};
    wide second[ASSAY_HELD][ASSAY_HELD] = {{0}}, own = 0, twice = 0;
    assay_status status =
        assay_allocate(&design.made, subjects, sizeof *design.made, "comparisons of subjects");
    if (status != ASSAY_OK) return status;
    for (uint32_t n = 0; n < subjects; ++n) {
        const uint32_t *held = holdings[n].held;
        unsigned kind = 0;
        for (int r = 0; r < ASSAY_HELD; ++r) {
            total[r] += held[r];
            kind |= (unsigned)(held[r] > 0) << r;
            for (int c = 0; c < ASSAY_HELD; ++c) second[r][c] += (uint64_t)held[r] * held[c];
        }
        ++kinds[kind];
    }
    for (uint32_t n = 0; n < subjects; ++n) {
        uint64_t alone = product_of(form, &holdings[n], &holdings[n]);
        design.made[n] = product(form, total, holdings[n].held) - alone;
        twice += design.made[n];
        own += (wide)alone * alone;
    }
    design.trials = (uint64_t)(twice / 2);
    design.squares = sum_squares(form, second, own);
    design.disjoint = pair_off(form, kinds);
    *out = design;
    return ASSAY_OK;
}

assay_status assay_dyad_design_of_list(const assay_listed_dyad *listed, size_t count,
                                       uint32_t subjects, assay_dyad_design *out) {
    assay_dyad_design design = {.subjects = subjects, .listed = listed, .listed_count = count};
    uint8_t *used = NULL;
    wide squares = 0;
    assay_status status =
        assay_allocate(&design.made, subjects, sizeof *design.made, "comparisons of subjects");
    if (status == ASSAY_OK) status = assay_allocate(&used, subjects, 1, "subjects of pairs");
    if (status != ASSAY_OK) {
        free(design.made);
        return status;
    }
    for (size_t n = 0; n < count; ++n) {
        const assay_listed_dyad *dyad = &listed[n];
        design.made[dyad->first] += dyad->comparisons;
        design.made[dyad->second] += dyad->comparisons;
        design.trials += dyad->comparisons;
        squares += (wide)dyad->comparisons * dyad->comparisons;
        if (used[dyad->first] || used[dyad->second]) continue;
        used[dyad->first] = used[dyad->second] = 1;
        ++design.disjoint;
    }
    design.squares = (double)squares;
    free(used);
    *out = design;
    return ASSAY_OK;
}

void assay_dyad_design_free(assay_dyad_design *design) {
    free(design->made);
    *design = (assay_dyad_design){0};
}

static uint64_t listed_comparisons(const assay_listed_dyad *listed, size_t count, uint32_t i,
                                   uint32_t j) {
    uint64_t wanted = (uint64_t)(i < j ? i : j) << 32 | (i < j ? j : i);
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const assay_listed_dyad *dyad = &listed[middle];
        uint64_t key = (uint64_t)dyad->first << 32 | dyad->second;
        if (key == wanted) return dyad->comparisons;
        if (key < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* ---- comparisons within groups ---- */

static bool is_cross(assay_dyad_form form) {
    return form == ASSAY_FORM_CROSS_WITHIN;
}

/* Comparisons of x and y, which are of one group and of different subjects. */
static uint64_t part_product(assay_dyad_form form, const assay_part_holding *x,
                             const assay_part_holding *y) {
    if (is_cross(form))
        return (uint64_t)x->references * y->probes + (uint64_t)x->probes * y->references;
    return ((uint64_t)x->references + x->probes) * ((uint64_t)y->references + y->probes);
}

static uint64_t part_comparisons(const assay_dyad_design *design, uint32_t i, uint32_t j) {
    uint64_t x = design->part_start[i], y = design->part_start[j], sum = 0;
    while (x < design->part_start[i + 1] && y < design->part_start[j + 1]) {
        const assay_part_holding *a = &design->parts[x], *b = &design->parts[y];
        if (a->group == b->group) sum += part_product(design->form, a, b);
        x += a->group <= b->group;
        y += b->group <= a->group;
    }
    return sum;
}

/* What one subject adds to the sums T of two groups: of references and probes by either. */
typedef struct {
    uint32_t a, b;
    wide rr, rp, pr, pp;
} part_moment;

static int by_groups(const void *x, const void *y) {
    const part_moment *m = x, *n = y;
    if (m->a != n->a) return m->a < n->a ? -1 : 1;
    return (m->b > n->b) - (m->b < n->b);
}

static wide moment_square(assay_dyad_form form, const part_moment *sum) {
    if (is_cross(form)) return 2 * (sum->rr * sum->pp + sum->rp * sum->pr);
    wide all = sum->rr + sum->rp + sum->pr + sum->pp;
    return all * all;
}

/* Sum of m_ij^2 over ordered pairs, those of i = j with them: over pairs of groups (a, b), T_ab^2,
 * or with roles 2 (T_ab of references T_ab of probes + T_ab T_ba of one and the other). */
static assay_status part_squares(assay_dyad_form form, const assay_part_holding *parts,
                                 const uint64_t *start, uint32_t subjects, wide *out) {
    part_moment *moments = NULL;
    uint64_t count = 0, n = 0;
    for (uint32_t s = 0; s < subjects; ++s)
        count += (start[s + 1] - start[s]) * (start[s + 1] - start[s]);
    assay_status status =
        assay_allocate(&moments, count, sizeof *moments, "pairs of groups of subjects");
    if (status != ASSAY_OK) return status;
    for (uint32_t s = 0; s < subjects; ++s)
        for (uint64_t x = start[s]; x < start[s + 1]; ++x)
            for (uint64_t y = start[s]; y < start[s + 1]; ++y) {
                const assay_part_holding *a = &parts[x], *b = &parts[y];
                moments[n++] = (part_moment){.a = a->group,
                                             .b = b->group,
                                             .rr = (wide)a->references * b->references,
                                             .rp = (wide)a->references * b->probes,
                                             .pr = (wide)a->probes * b->references,
                                             .pp = (wide)a->probes * b->probes};
            }
    if (count) qsort(moments, count, sizeof *moments, by_groups);
    wide squares = 0;
    for (uint64_t from = 0, to; from < count; from = to) {
        part_moment sum = moments[from];
        for (to = from + 1; to < count && by_groups(&moments[from], &moments[to]) == 0; ++to) {
            sum.rr += moments[to].rr;
            sum.rp += moments[to].rp;
            sum.pr += moments[to].pr;
            sum.pp += moments[to].pp;
        }
        squares += moment_square(form, &sum);
    }
    free(moments);
    *out = squares;
    return ASSAY_OK;
}

typedef struct {
    uint64_t references, probes;
    uint64_t kinds[KINDS]; /* subjects whose first group it is */
} part_total;

assay_status assay_dyad_design_of_parts(assay_dyad_form form, const assay_part_holding *parts,
                                        const uint64_t *start, uint32_t subjects, uint32_t groups,
                                        assay_dyad_design *out) {
    assay_dyad_design design = {
        .subjects = subjects, .form = form, .parts = parts, .part_start = start};
    part_total *totals = NULL;
    wide squares = 0, own = 0, twice = 0;
    assay_status status =
        assay_allocate(&design.made, subjects, sizeof *design.made, "comparisons of subjects");
    if (status == ASSAY_OK)
        status = assay_allocate(&totals, groups, sizeof *totals, "samples of groups");
    if (status == ASSAY_OK) status = part_squares(form, parts, start, subjects, &squares);
    if (status != ASSAY_OK) goto out;
    for (uint32_t s = 0; s < subjects; ++s)
        for (uint64_t n = start[s]; n < start[s + 1]; ++n) {
            part_total *total = &totals[parts[n].group];
            total->references += parts[n].references;
            total->probes += parts[n].probes;
            bool probes = parts[n].probes > 0, references = parts[n].references > 0;
            if (!is_cross(form)) references = references || probes;
            if (n == start[s]) ++total->kinds[(unsigned)references | (unsigned)probes << 1];
        }
    for (uint32_t s = 0; s < subjects; ++s) {
        uint64_t alone = 0;
        for (uint64_t n = start[s]; n < start[s + 1]; ++n) {
            const assay_part_holding *part = &parts[n];
            const part_total *total = &totals[part->group];
            uint64_t references = total->references - part->references;
            uint64_t probes = total->probes - part->probes;
            design.made[s] += is_cross(form) ? part->references * probes + part->probes * references
                                             : ((uint64_t)part->references + part->probes) *
                                                   (references + probes);
            alone += part_product(form, part, part);
        }
        twice += design.made[s];
        own += (wide)alone * alone;
    }
    design.trials = (uint64_t)(twice / 2);
    design.squares = (double)(squares - own) / 2;
    for (uint32_t g = 0; g < groups; ++g) design.disjoint += pair_off(form, totals[g].kinds);
out:
    free(totals);
    if (status == ASSAY_OK)
        *out = design;
    else
        free(design.made);
    return status;
}

uint64_t assay_dyad_comparisons(const assay_dyad_design *design, uint32_t i, uint32_t j) {
    if (design->parts) return part_comparisons(design, i, j);
    if (!design->holdings) return listed_comparisons(design->listed, design->listed_count, i, j);
    return product_of(design->form, &design->holdings[i], &design->holdings[j]) -
           listed_comparisons(design->failed, design->failed_count, i, j);
}

/* Both lists are by (first, second). */
static double listed_product(const assay_dyad_design *a, const assay_dyad_design *b) {
    wide sum = 0;
    for (size_t x = 0, y = 0; x < a->listed_count && y < b->listed_count;) {
        const assay_listed_dyad *left = &a->listed[x], *right = &b->listed[y];
        uint64_t key = (uint64_t)left->first << 32 | left->second;
        uint64_t other = (uint64_t)right->first << 32 | right->second;
        if (key == other) sum += (wide)left->comparisons * right->comparisons;
        x += key <= other;
        y += other <= key;
    }
    return (double)sum;
}

static uint64_t key_of(const assay_listed_dyad *dyad) {
    return (uint64_t)dyad->first << 32 | dyad->second;
}

/* What failed comparisons, which both lists hold by (first, second), take off the product of the
 * comparisons that were tried. */
static double failed_product(const assay_dyad_design *a, const assay_dyad_design *b) {
    wide lost = 0;
    for (size_t x = 0, y = 0; x < a->failed_count || y < b->failed_count;) {
        const uint64_t left = x < a->failed_count ? key_of(&a->failed[x]) : UINT64_MAX;
        const uint64_t right = y < b->failed_count ? key_of(&b->failed[y]) : UINT64_MAX;
        const assay_listed_dyad *dyad = left <= right ? &a->failed[x] : &b->failed[y];
        const wide tried_a =
            product_of(a->form, &a->holdings[dyad->first], &a->holdings[dyad->second]);
        const wide tried_b =
            product_of(b->form, &b->holdings[dyad->first], &b->holdings[dyad->second]);
        const wide failed_a = left <= right ? a->failed[x].comparisons : 0;
        const wide failed_b = right <= left ? b->failed[y].comparisons : 0;
        lost += tried_a * tried_b - (tried_a - failed_a) * (tried_b - failed_b);
        x += left <= right;
        y += right <= left;
    }
    return (double)lost;
}

/* With T = sum of h_i^a h_i^b': over r, c and r2, c2 of B, T[r][r2] T[c][c2], less what each
 * subject has with itself, halved. */
double assay_dyad_designs_product(const assay_dyad_design *a, const assay_dyad_design *b) {
    if (!a->holdings || !b->holdings) return listed_product(a, b);
    assay_dyad_form form = a->form;
    wide both[ASSAY_HELD][ASSAY_HELD] = {{0}}, sum = 0, own = 0;
    for (uint32_t n = 0; n < a->subjects; ++n) {
        for (int r = 0; r < ASSAY_HELD; ++r)
            for (int c = 0; c < ASSAY_HELD; ++c)
                both[r][c] += (uint64_t)a->holdings[n].held[r] * b->holdings[n].held[c];
        own += (wide)product_of(form, &a->holdings[n], &a->holdings[n]) *
               product_of(form, &b->holdings[n], &b->holdings[n]);
    }
    for (int r = 0; r < ASSAY_HELD; ++r)
        for (int c = 0; c < ASSAY_HELD; ++c)
            for (int r2 = 0; forms[form][r][c] && r2 < ASSAY_HELD; ++r2)
                for (int c2 = 0; c2 < ASSAY_HELD; ++c2)
                    if (forms[form][r2][c2]) sum += both[r][r2] * both[c][c2];
    return (double)(sum - own) / 2 - failed_product(a, b);
}

void assay_dyad_design_lessen(assay_dyad_design *design, const assay_listed_dyad *failed,
                              size_t count) {
    uint64_t lost = 0;
    for (size_t n = 0; n < count; ++n) {
        const assay_listed_dyad *dyad = &failed[n];
        double before = (double)product_of(design->form, &design->holdings[dyad->first],
                                           &design->holdings[dyad->second]);
        double after = before - (double)dyad->comparisons;
        design->squares += after * after - before * before;
        design->trials -= dyad->comparisons;
        lost += (design->made[dyad->first] -= dyad->comparisons) == 0;
        lost += (design->made[dyad->second] -= dyad->comparisons) == 0;
    }
    design->failed = failed;
    design->failed_count = count;
    /* Each subject that lost all, and each other pair of subjects that did, may break one of the
     * pairs that were picked. */
    for (size_t n = 0; n < count; ++n)
        lost += design->made[failed[n].first] && design->made[failed[n].second] &&
                !assay_dyad_comparisons(design, failed[n].first, failed[n].second);
    uint64_t least = design->trials > 0;
    design->disjoint = design->disjoint > lost + least ? design->disjoint - lost : least;
}

assay_dyad_counter assay_dyads_start(const assay_dyad_design *design, double *s) {
    memset(s, 0, design->subjects * sizeof *s);
    return (assay_dyad_counter){.design = design, .s = s};
}

void assay_dyads_add(assay_dyad_counter *counter, uint32_t i, uint32_t j, uint64_t matches) {
    counter->errors += matches;
    counter->squares += matches * matches;
    counter->products += matches * assay_dyad_comparisons(counter->design, i, j);
    counter->s[i] += (double)matches;
    counter->s[j] += (double)matches;
}

assay_dyad_sums assay_dyads_finish(const assay_dyad_counter *counter) {
    const assay_dyad_design *design = counter->design;
    assay_dyad_sums sums = {
        .errors = counter->errors, .trials = design->trials, .disjoint = design->disjoint};
    double p = design->trials ? (double)counter->errors / (double)design->trials : 0, fourth = 0;
    sums.rate = p;
    sums.pairs =
        (double)counter->squares - 2 * p * (double)counter->products + p * p * design->squares;
    for (uint32_t n = 0; n < design->subjects; ++n) {
        double s = counter->s[n] -= p * (double)design->made[n];
        sums.subjects += s * s;
        fourth += s * s * s * s;
    }
    sums.shared = fmax(sums.subjects - 2 * sums.pairs, 0);
    if (counter->errors)
        sums.clustering = sums.shared / ((double)counter->errors * (double)counter->errors);
    sums.clusters = fourth > 0 ? sums.subjects * sums.subjects / fourth : (double)INFINITY;
    return sums;
}
