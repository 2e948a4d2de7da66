/* plan -- which templates are compared, in which order, and as what. */
#include "harness/plan.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

/* ---- who takes part ---- */

static assay_status mark_enrolled(const assay_sample_table *table, uint8_t **out,
                                  uint64_t *out_count) {
    uint8_t *enrolled = NULL;
    const assay_status status =
        assay_allocate(&enrolled, (size_t)table->row_count, 1, "enrolled rows");
    if (status != ASSAY_OK) return status;
    uint64_t count = 0;
    for (uint64_t row = 0; row < table->row_count; row++) {
        enrolled[row] = table->enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
        count += enrolled[row];
    }
    *out = enrolled;
    *out_count = count;
    return ASSAY_OK;
}

/* In a pair list only the rows that it names take part. */
static assay_status mark_listed(const assay_protocol *protocol, const assay_sample_table *table,
                                uint8_t *taken) {
    uint8_t *listed = NULL;
    const assay_status status = assay_allocate(&listed, (size_t)table->row_count, 1, "listed rows");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < protocol->pair_count; n++) {
        listed[protocol->pairs[n].i] = 1;
        listed[protocol->pairs[n].j] = 1;
    }
    for (uint64_t row = 0; row < table->row_count; row++) taken[row] &= listed[row];
    free(listed);
    return ASSAY_OK;
}

/* ---- combinations of histogram_by ---- */

typedef struct {
    const assay_attribute **attributes;
    uint32_t count;
} combined;

static assay_status find_combined(const assay_sample_table *table, const assay_protocol *protocol,
                                  combined *out) {
    combined by = {.count = protocol->histogram_by_count};
    assay_status status =
        assay_allocate(&by.attributes, by.count, sizeof *by.attributes, "histogram attributes");
    if (status != ASSAY_OK) return status;
    for (uint32_t n = 0; n < by.count; n++) {
        by.attributes[n] = assay_sample_table_attribute(table, protocol->histogram_by[n]);
        if (by.attributes[n] != NULL) continue;
        free(by.attributes);
        return assay_fail(ASSAY_USAGE,
                          "histogram_by names '%s', which is no attribute of the data set",
                          protocol->histogram_by[n]);
    }
    *out = by;
    return ASSAY_OK;
}

static int compare_combination(const combined *by, const uint16_t *left, const uint16_t *right) {
    for (uint32_t n = 0; n < by->count; n++) {
        if (left[n] != right[n]) return left[n] < right[n] ? -1 : 1;
    }
    return 0;
}

/* Place of codes in plan's ascending list, inserted where new. */
static assay_status place_combination(const combined *by, const uint16_t *codes, assay_plan *plan,
                                      uint32_t *out) {
    uint32_t low = 0, high = plan->combination_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        const int order =
            compare_combination(by, plan->combinations + (size_t)middle * by->count, codes);
        if (order == 0) {
            *out = middle;
            return ASSAY_OK;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (plan->combination_count == ASSAY_COMBINATIONS_MAX) {
        const unsigned more = ASSAY_COMBINATIONS_MAX + 1;
        return assay_fail(ASSAY_USAGE,
                          "histogram_by makes more than %u combinations; %u of them would need %u "
                          "histograms of %u MiB in all for each thread; name fewer attributes",
                          ASSAY_COMBINATIONS_MAX, more, more * (more + 1) / 2,
                          (unsigned)(more * (more + 1) / 2 * (ASSAY_COARSE_BINS * 8ull) >> 20));
    }
    memmove(plan->combinations + (size_t)(low + 1) * by->count,
            plan->combinations + (size_t)low * by->count,
            (size_t)(plan->combination_count - low) * by->count * sizeof *codes);
    if (by->count > 0) {
        memcpy(plan->combinations + (size_t)low * by->count, codes, by->count * sizeof *codes);
    }
    plan->combination_count++;
    *out = low;
    return ASSAY_OK;
}

static void row_codes(const combined *by, uint64_t row, uint16_t *codes) {
    for (uint32_t n = 0; n < by->count; n++) codes[n] = by->attributes[n]->codes[row];
}

/* Where nobody takes part there is one combination, of which every code is missing. */
static assay_status list_combinations(const assay_sample_table *table, const combined *by,
                                      const uint8_t *taken, uint16_t *codes, assay_plan *plan) {
    assay_status status =
        assay_allocate(&plan->combinations, (size_t)(ASSAY_COMBINATIONS_MAX + 1) * by->count,
                       sizeof *plan->combinations, "combinations");
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; row++) {
        if (!taken[row]) continue;
        uint32_t unused;
        row_codes(by, row, codes);
        status = place_combination(by, codes, plan, &unused);
    }
    if (status == ASSAY_OK && plan->combination_count == 0) plan->combination_count = 1;
    return status;
}

/* ---- the order ---- */

typedef struct {
    uint64_t key_high; /* side, combination */
    uint32_t subject;
    uint32_t row;
} order_key;

static int compare_keys(const void *left, const void *right) {
    const order_key *x = left, *y = right;
    if (x->key_high != y->key_high) return x->key_high < y->key_high ? -1 : 1;
    if (x->subject != y->subject) return x->subject < y->subject ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static uint8_t side_of(uint8_t role) {
    return role == ASSAY_ROLE_REFERENCE ? 1 : role == ASSAY_ROLE_PROBE ? 2 : 0;
}

static assay_status order_places(const assay_sample_table *table, const combined *by,
                                 const uint8_t *taken, uint16_t *codes, assay_plan *plan) {
    order_key *keys = NULL;
    assay_status status =
        assay_allocate(&keys, (size_t)plan->count, sizeof *keys, "order of templates");
    if (status != ASSAY_OK) return status;
    uint64_t place = 0;
    for (uint64_t row = 0; row < table->row_count; row++) {
        if (!taken[row]) continue;
        uint32_t group = 0;
        row_codes(by, row, codes);
        status = place_combination(by, codes, plan, &group);
        if (status != ASSAY_OK) goto out;
        keys[place++] = (order_key){.key_high = (uint64_t)side_of(plan->roles[row]) << 32 | group,
                                    .subject = table->subject[row],
                                    .row = (uint32_t)row};
    }
    qsort(keys, (size_t)plan->count, sizeof *keys, compare_keys);
    for (uint64_t n = 0; n < plan->count; n++) {
        plan->row[n] = keys[n].row;
        plan->subject[n] = keys[n].subject;
        plan->group[n] = (uint32_t)keys[n].key_high;
        plan->side[n] = (uint8_t)(keys[n].key_high >> 32);
        plan->place[keys[n].row] = (uint32_t)n;
    }
out:
    free(keys);
    return status;
}

/* ---- what the pairs are ---- */

/* Keeps the pairs of one subject whose rows are both enrolled, and counts them by what they are. */
static assay_status list_same_subject(const assay_sample_table *table,
                                      const assay_protocol *protocol, const uint8_t *enrolled,
                                      assay_plan *plan) {
    const assay_status status =
        assay_protocol_same_subject(protocol, table, plan->roles, &plan->same);
    if (status != ASSAY_OK) return status;
    uint64_t kept = 0;
    for (uint64_t n = 0; n < plan->same.count; n++) {
        const assay_row_pair pair = plan->same.pairs[n];
        if (!enrolled[pair.i] || !enrolled[pair.j]) continue;
        plan->same.pairs[kept] = pair;
        plan->same.relation[kept++] = plan->same.relation[n];
        plan->relations[plan->same.relation[n]]++;
    }
    plan->same.count = kept;
    return ASSAY_OK;
}

static assay_status count_pairs(const assay_sample_table *table, const assay_protocol *protocol,
                                const uint8_t *enrolled, assay_plan *plan) {
    assay_status status = list_same_subject(table, protocol, enrolled, plan);
    if (status != ASSAY_OK) return status;
    uint8_t *all = NULL;
    status = assay_allocate(&all, (size_t)table->row_count, 1, "rows");
    if (status != ASSAY_OK) return status;
    memset(all, 1, (size_t)table->row_count);
    status = assay_protocol_non_mated_trials(protocol, table, plan->roles, enrolled, all, all,
                                             &plan->relations[ASSAY_RELATION_NON_MATED]);
    free(all);
    if (status != ASSAY_OK) return status;
    uint64_t known = 0;
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++) known += plan->relations[n];
    if (known > assay_pair_count(plan->enrolled)) {
        return assay_fail(ASSAY_DISAGREES,
                          "%" PRIu64 " pairs of %" PRIu64 " templates; expected at most n(n-1)/2",
                          known, plan->enrolled);
    }
    plan->relations[ASSAY_RELATION_EXCLUDED_ROLE] += assay_pair_count(plan->enrolled) - known;
    plan->tail_limit = assay_plan_tail_limit(protocol, plan->relations[ASSAY_RELATION_NON_MATED]);
    return ASSAY_OK;
}

uint64_t assay_plan_tail_limit(const assay_protocol *protocol, uint64_t non_mated) {
    double largest = 0;
    for (uint32_t n = 0; n < protocol->fmr_target_count; n++) {
        if (protocol->fmr_targets[n] > largest) largest = protocol->fmr_targets[n];
    }
    const double wanted = ceil(10 * largest * (double)non_mated);
    uint64_t limit = (uint64_t)1 << 20;
    if (wanted > (double)limit) {
        limit = wanted < (double)protocol->tail_cap ? (uint64_t)wanted : protocol->tail_cap;
    }
    return limit < protocol->tail_cap ? limit : protocol->tail_cap;
}

/* ---- the whole ---- */

static assay_status allocate_places(uint64_t rows, assay_plan *plan) {
    assay_status status =
        assay_allocate(&plan->row, (size_t)plan->count, sizeof *plan->row, "plan");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&plan->subject, (size_t)plan->count, sizeof *plan->subject, "plan");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&plan->group, (size_t)plan->count, sizeof *plan->group, "plan");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&plan->side, (size_t)plan->count, sizeof *plan->side, "plan");
    if (status != ASSAY_OK) return status;
    status = assay_allocate(&plan->place, (size_t)rows, sizeof *plan->place, "plan");
    if (status != ASSAY_OK) return status;
    memset(plan->place, 0xff, (size_t)rows * sizeof *plan->place);
    return ASSAY_OK;
}

assay_status assay_plan_make(const assay_sample_table *table, const assay_protocol *protocol,
                             assay_plan *out) {
    assay_plan plan = {0};
    combined by = {0};
    uint8_t *enrolled = NULL, *taken = NULL;
    uint16_t *codes = NULL;
    if (table->row_count < 1 || table->row_count >= UINT32_MAX) {
        return assay_fail(ASSAY_USAGE, "%" PRIu64 " samples; expected 1 to fewer than 2^32 - 1",
                          table->row_count);
    }
    assay_status status = assay_protocol_roles(protocol, table, &plan.roles);
    if (status != ASSAY_OK) goto out;
    status = mark_enrolled(table, &enrolled, &plan.enrolled);
    if (status != ASSAY_OK) goto out;
    uint64_t unused;
    status = mark_enrolled(table, &taken, &unused);
    if (status != ASSAY_OK) goto out;
    for (uint64_t row = 0; row < table->row_count; row++) {
        taken[row] &= plan.roles[row] != ASSAY_ROLE_NONE;
    }
    if (protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) {
        status = mark_listed(protocol, table, taken);
        if (status != ASSAY_OK) goto out;
    }
    for (uint64_t row = 0; row < table->row_count; row++) plan.count += taken[row];
    status = find_combined(table, protocol, &by);
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&codes, by.count, sizeof *codes, "combination");
    if (status != ASSAY_OK) goto out;
    status = list_combinations(table, &by, taken, codes, &plan);
    if (status != ASSAY_OK) goto out;
    status = allocate_places(table->row_count, &plan);
    if (status != ASSAY_OK) goto out;
    status = order_places(table, &by, taken, codes, &plan);
    if (status != ASSAY_OK) goto out;
    status = count_pairs(table, protocol, enrolled, &plan);
    if (status != ASSAY_OK) goto out;
    *out = plan;
    plan = (assay_plan){0};
out:
    free(by.attributes);
    free(codes);
    free(enrolled);
    free(taken);
    assay_plan_free(&plan);
    return status;
}

void assay_plan_free(assay_plan *plan) {
    if (plan == NULL) return;
    free(plan->roles);
    free(plan->row);
    free(plan->place);
    free(plan->subject);
    free(plan->group);
    free(plan->side);
    free(plan->combinations);
    assay_same_subject_free(&plan->same);
    *plan = (assay_plan){0};
}

assay_status assay_plan_digest(const assay_plan *plan, const assay_digest *templates,
                               const assay_protocol *protocol, const char *comparator,
                               uint64_t band, assay_digest *out) {
    assay_digester *digester = NULL;
    char *json = NULL;
    assay_status status = assay_protocol_to_json(protocol, &json);
    if (status != ASSAY_OK) return status;
    status = assay_digester_open(&digester);
    if (status != ASSAY_OK) goto out;
    assay_digester_add_string(digester, "assay-plan/1");
    assay_digester_add(digester, templates->bytes, sizeof templates->bytes);
    assay_digester_add_string(digester, json);
    assay_digester_add_string(digester, comparator);
    assay_digester_add_u64(digester, ASSAY_TILE_EDGE);
    if (band > 0) assay_digester_add_u64(digester, band);
    assay_digester_add_u64(digester, plan->tail_limit);
    for (uint64_t n = 0; n < plan->count; n++) assay_digester_add_u64(digester, plan->row[n]);
    status = assay_digester_finish(digester, out);
out:
    assay_digester_free(digester);
    free(json);
    return status;
}
