/* protocol -- what every pair of samples is, and how many of each kind there are. */
#include "datasets/protocol.h"

#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"

static const double default_targets[] = {1e-3, 1e-4, 1e-5, 1e-6};
enum { DEFAULT_TARGET_COUNT = sizeof default_targets / sizeof default_targets[0] };

static const char *const relation_names[ASSAY_RELATION_COUNT] = {
    [ASSAY_RELATION_NON_MATED] = "non-mated",
    [ASSAY_RELATION_MATED] = "mated",
    [ASSAY_RELATION_EXCLUDED_SAME_SAMPLE] = "excluded: same sample",
    [ASSAY_RELATION_EXCLUDED_ROLE] = "excluded: roles",
    [ASSAY_RELATION_EXCLUDED_INSTANCE] = "excluded: another instance",
    [ASSAY_RELATION_EXCLUDED_IDENTICAL] = "excluded: identical images",
    [ASSAY_RELATION_EXCLUDED_SESSION] = "excluded: same session",
};

assay_status assay_protocol_create(assay_protocol *out) {
    assay_protocol protocol = {.kind = ASSAY_PROTOCOL_ALL,
                               .histogram_mode = ASSAY_HISTOGRAM_FULL,
                               .histogram_fraction = 1.0,
                               .fmr_target_count = DEFAULT_TARGET_COUNT,
                               .tail_cap = UINT64_C(1) << 26};
    assay_status status = assay_allocate(&protocol.fmr_targets, DEFAULT_TARGET_COUNT,
                                         sizeof *protocol.fmr_targets, "target FMRs");
    if (status != ASSAY_OK) return status;
    memcpy(protocol.fmr_targets, default_targets, sizeof default_targets);
    *out = protocol;
    return ASSAY_OK;
}

void assay_protocol_free(assay_protocol *protocol) {
    if (!protocol) return;
    free(protocol->role_column);
    free(protocol->reference_value);
    free(protocol->probe_value);
    free(protocol->pairs);
    free(protocol->reversed);
    for (uint32_t n = 0; protocol->histogram_by && n < protocol->histogram_by_count; n++) {
        free(protocol->histogram_by[n]);
    }
    free(protocol->histogram_by);
    free(protocol->fmr_targets);
    free(protocol->thresholds);
    memset(protocol, 0, sizeof *protocol);
}

/* ---- roles ---- */

/* One column of labels, whichever kind of column it comes from. */
typedef struct {
    const char *const *labels;
    uint32_t label_count;
    const uint32_t *wide;   /* [row_count], or NULL */
    const uint16_t *narrow; /* [row_count], or NULL */
} role_labels;

static assay_status find_role_column(const assay_sample_table *table, const char *name,
                                     role_labels *out) {
    const struct {
        const char *name;
        const assay_labelled *column;
    } labelled[] = {{"environment", &table->environment},
                    {"session", &table->session},
                    {"instance", &table->instance}};
    enum { LABELLED_COUNT = sizeof labelled / sizeof labelled[0] };

    for (size_t n = 0; n < LABELLED_COUNT; n++) {
        if (strcmp(labelled[n].name, name) != 0) continue;
        const assay_labelled *column = labelled[n].column;
        *out = (role_labels){(const char *const *)column->labels, column->label_count,
                             column->codes, NULL};
        return ASSAY_OK;
    }
    const assay_attribute *attribute = assay_sample_table_attribute(table, name);
    if (attribute) {
        *out = (role_labels){(const char *const *)attribute->labels, attribute->label_count, NULL,
                             attribute->codes};
        return ASSAY_OK;
    }

    const char **known = NULL;
    size_t count = LABELLED_COUNT;
    char hint[1024];
    assay_status status = assay_allocate(&known, LABELLED_COUNT + table->attribute_count,
                                         sizeof *known, "names of columns");
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < LABELLED_COUNT; n++) known[n] = labelled[n].name;
    for (uint32_t n = 0; n < table->attribute_count; n++) {
        known[count++] = table->attributes[n].name;
    }
    status = assay_fail(ASSAY_USAGE,
                        "protocol: the role column '%s' is not a column of the "
                        "samples; %s",
                        name, assay_suggest(hint, sizeof hint, name, known, count));
    free(known);
    return status;
}

static uint32_t role_code(const role_labels *column, uint64_t row) {
    return column->wide ? column->wide[row] : column->narrow[row];
}

/* Code of value where at least one row has it. */
static assay_status find_role_value(const role_labels *column, uint64_t rows, const char *name,
                                    const char *value, uint32_t *out) {
    char hint[1024];
    for (uint32_t code = 0; code < column->label_count; code++) {
        if (strcmp(column->labels[code], value) != 0) continue;
        for (uint64_t row = 0; row < rows; row++) {
            if (role_code(column, row) == code) {
                *out = code;
                return ASSAY_OK;
            }
        }
        return assay_fail(ASSAY_USAGE,
                          "protocol: no sample has the value '%s' in the role column "
                          "'%s'",
                          value, name);
    }
    return assay_fail(ASSAY_USAGE, "protocol: the role column '%s' has no value '%s'; %s", name,
                      value,
                      assay_suggest(hint, sizeof hint, value, column->labels, column->label_count));
}

static assay_status cross_roles(const assay_protocol *protocol, const assay_sample_table *table,
                                uint8_t *roles) {
    role_labels column = {0};
    uint32_t reference = 0, probe = 0;
    assay_status status = ASSAY_OK;

    if (!protocol->role_column || !protocol->reference_value || !protocol->probe_value) {
        return assay_fail(ASSAY_USAGE, "protocol: 'cross' needs a role column, the value of "
                                       "references and the value of probes");
    }
    if (strcmp(protocol->reference_value, protocol->probe_value) == 0) {
        return assay_fail(ASSAY_USAGE,
                          "protocol: references and probes have the same value '%s'; "
                          "they must differ",
                          protocol->probe_value);
    }
    status = find_role_column(table, protocol->role_column, &column);
    if (status != ASSAY_OK) return status;
    status = find_role_value(&column, table->row_count, protocol->role_column,
                             protocol->reference_value, &reference);
    if (status != ASSAY_OK) return status;
    status = find_role_value(&column, table->row_count, protocol->role_column,
                             protocol->probe_value, &probe);
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; row++) {
        uint32_t code = role_code(&column, row);
        roles[row] = code == reference ? ASSAY_ROLE_REFERENCE
                     : code == probe   ? ASSAY_ROLE_PROBE
                                       : ASSAY_ROLE_NONE;
    }
    return ASSAY_OK;
}

/* What two rows of one subject are, where their roles meet. */
static assay_relation same_subject_relation(const assay_protocol *protocol,
                                            const assay_sample_table *table, uint32_t i,
                                            uint32_t j) {
    if (assay_sample_table_has_roles(table) &&
        strcmp(table->sample_id[i], table->sample_id[j]) == 0) {
        return ASSAY_RELATION_EXCLUDED_SAME_SAMPLE;
    }
    if (table->instance.codes[i] != table->instance.codes[j]) {
        return ASSAY_RELATION_EXCLUDED_INSTANCE;
    }
    if (!assay_digest_is_zero(&table->image_digest[i]) &&
        assay_digest_equal(&table->image_digest[i], &table->image_digest[j])) {
        return ASSAY_RELATION_EXCLUDED_IDENTICAL;
    }
    uint32_t session = table->session.codes[i];
    if (!protocol->same_session && session != 0 && session == table->session.codes[j]) {
        return ASSAY_RELATION_EXCLUDED_SESSION;
    }
    return ASSAY_RELATION_MATED;
}

/* A sample among those of its subject. */
typedef struct {
    uint32_t subject, row;
    int64_t captured;
    assay_digest drawn; /* zero where the subject has one sample */
} pick_key;

/* Subjects apart; in a subject the samples of known time in its order, then the others; equal and
 * missing times by the drawn digest. */
static int compare_picks(const void *left, const void *right) {
    const pick_key *x = left, *y = right;
    if (x->subject != y->subject) return x->subject < y->subject ? -1 : 1;
    if (x->captured != y->captured) {
        if (x->captured == ASSAY_TIME_MISSING) return 1;
        if (y->captured == ASSAY_TIME_MISSING) return -1;
        return x->captured < y->captured ? -1 : 1;
    }
    int order = memcmp(x->drawn.bytes, y->drawn.bytes, sizeof x->drawn.bytes);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* A key a row: SHA-256 of the seed (8 bytes, little endian) and the sample id (its length likewise,
 * then its bytes), for rows of subjects with more than one sample. */
static assay_status draw_keys(const assay_sample_table *table, uint64_t seed, pick_key *keys) {
    uint32_t *counts = NULL;
    assay_digester *digester = NULL;
    assay_status status =
        assay_allocate(&counts, table->subject_count, sizeof *counts, "the pick of samples");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; row++) counts[table->subject[row]]++;
    status = assay_digester_open(&digester);
    for (uint64_t row = 0; status == ASSAY_OK && row < table->row_count; row++) {
        keys[row] = (pick_key){
            .subject = table->subject[row], .row = (uint32_t)row, .captured = table->captured[row]};
        if (counts[table->subject[row]] < 2) continue;
        assay_digester_add_u64(digester, seed);
        assay_digester_add_string(digester, table->sample_id[row]);
        status = assay_digester_finish(digester, &keys[row].drawn);
    }
    assay_digester_free(digester);
    free(counts);
    return status;
}

static bool may_stand(const assay_sample_table *table, uint64_t row, uint32_t role) {
    const uint32_t code = table->role.codes[row];
    return code == ASSAY_STANDS_ANY || code == role;
}

/* Of one subject's samples in their order: the earliest reference that has a mated probe, with the
 * latest such probe; else the first sample as a reference alone. */
static void pick_pair(const assay_protocol *protocol, const assay_sample_table *table,
                      const pick_key *keys, uint64_t count, uint8_t *roles) {
    for (uint64_t n = 0; n + 1 < count; n++) {
        if (!may_stand(table, keys[n].row, ASSAY_STANDS_REFERENCE)) continue;
        for (uint64_t k = count; --k > n;) {
            if (!may_stand(table, keys[k].row, ASSAY_STANDS_PROBE)) continue;
            if (same_subject_relation(protocol, table, keys[n].row, keys[k].row) !=
                ASSAY_RELATION_MATED)
                continue;
            roles[keys[n].row] = ASSAY_ROLE_REFERENCE;
            roles[keys[k].row] = ASSAY_ROLE_PROBE;
            return;
        }
    }
    roles[keys[0].row] = ASSAY_ROLE_REFERENCE; /* of a table in roles it comes before its probe */
}

static assay_status pick_roles(const assay_protocol *protocol, const assay_sample_table *table,
                               uint8_t *roles) {
    pick_key *keys = NULL;
    assay_status status =
        assay_allocate(&keys, table->row_count, sizeof *keys, "the pick of samples");
    if (status != ASSAY_OK) return status;
    status = draw_keys(table, protocol->pick_seed, keys);
    if (status != ASSAY_OK) goto out;
    qsort(keys, table->row_count, sizeof *keys, compare_picks);
    memset(roles, ASSAY_ROLE_NONE, table->row_count);
    for (uint64_t first = 0, end; first < table->row_count; first = end) {
        end = first + 1;
        while (end < table->row_count && keys[end].subject == keys[first].subject) end++;
        pick_pair(protocol, table, keys + first, end - first, roles);
    }
out:
    free(keys);
    return status;
}

/* In a table in roles a row takes part in its own role, or not at all. */
static void keep_to_roles(const assay_sample_table *table, uint8_t *roles) {
    if (!assay_sample_table_has_roles(table)) return;
    for (uint64_t row = 0; row < table->row_count; row++) {
        const uint8_t own = table->role.codes[row] == ASSAY_STANDS_REFERENCE ? ASSAY_ROLE_REFERENCE
                                                                             : ASSAY_ROLE_PROBE;
        if (roles[row] == ASSAY_ROLE_BOTH) {
            roles[row] = own;
        } else if (roles[row] != own) {
            roles[row] = ASSAY_ROLE_NONE;
        }
    }
}

assay_status assay_protocol_roles(const assay_protocol *protocol, const assay_sample_table *table,
                                  uint8_t **out) {
    uint8_t *roles = NULL;
    assay_status status = assay_allocate(&roles, table->row_count, sizeof *roles, "roles");
    if (status != ASSAY_OK) return status;
    switch (protocol->kind) {
    case ASSAY_PROTOCOL_CROSS:
        status = cross_roles(protocol, table, roles);
        break;
    case ASSAY_PROTOCOL_ONE_PER_SUBJECT:
        status = pick_roles(protocol, table, roles);
        break;
    default:
        memset(roles, ASSAY_ROLE_BOTH, table->row_count);
    }
    if (status != ASSAY_OK) {
        free(roles);
        return status;
    }
    keep_to_roles(table, roles);
    *out = roles;
    return ASSAY_OK;
}

/* ---- relations ---- */

const char *assay_relation_name(assay_relation relation) {
    return (unsigned)relation < ASSAY_RELATION_COUNT ? relation_names[relation] : "?";
}

static bool roles_meet(uint8_t i, uint8_t j) {
    return (i == ASSAY_ROLE_BOTH && j == ASSAY_ROLE_BOTH) ||
           (i == ASSAY_ROLE_REFERENCE && j == ASSAY_ROLE_PROBE) ||
           (i == ASSAY_ROLE_PROBE && j == ASSAY_ROLE_REFERENCE);
}

assay_relation assay_protocol_relation(const assay_protocol *protocol,
                                       const assay_sample_table *table, const uint8_t *roles,
                                       uint32_t i, uint32_t j) {
    if (i == j) return ASSAY_RELATION_EXCLUDED_SAME_SAMPLE;
    if (!roles_meet(roles[i], roles[j])) return ASSAY_RELATION_EXCLUDED_ROLE;
    if (table->subject[i] != table->subject[j]) return ASSAY_RELATION_NON_MATED;
    return same_subject_relation(protocol, table, i, j);
}

static bool find_pair(const assay_protocol *protocol, uint32_t i, uint32_t j, uint64_t *out) {
    uint32_t low = i < j ? i : j, high = i < j ? j : i;
    uint64_t begin = 0, end = protocol->pair_count;
    while (begin < end) {
        uint64_t middle = begin + (end - begin) / 2;
        const assay_row_pair *pair = &protocol->pairs[middle];
        if (pair->i == low && pair->j == high) {
            *out = middle;
            return true;
        }
        if (pair->i < low || (pair->i == low && pair->j < high)) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return false;
}

assay_direction assay_protocol_direction(const assay_protocol *protocol,
                                         const assay_sample_table *table, const uint8_t *roles,
                                         uint32_t i, uint32_t j) {
    uint64_t listed = 0;
    if (roles[i] == ASSAY_ROLE_REFERENCE && roles[j] == ASSAY_ROLE_PROBE) return ASSAY_DIRECTION_I;
    if (roles[i] == ASSAY_ROLE_PROBE && roles[j] == ASSAY_ROLE_REFERENCE) return ASSAY_DIRECTION_J;
    if (protocol->kind == ASSAY_PROTOCOL_PAIR_LIST && find_pair(protocol, i, j, &listed)) {
        bool higher_first = protocol->reversed && protocol->reversed[listed];
        return (i < j) != higher_first ? ASSAY_DIRECTION_I : ASSAY_DIRECTION_J;
    }
    int64_t at_i = table->captured[i], at_j = table->captured[j];
    if (at_i == ASSAY_TIME_MISSING || at_j == ASSAY_TIME_MISSING || at_i == at_j) {
        return ASSAY_DIRECTION_NONE;
    }
    return at_i < at_j ? ASSAY_DIRECTION_I : ASSAY_DIRECTION_J;
}

/* ---- pairs of one subject ---- */

static assay_status add_same_subject(assay_same_subject *list, size_t *room, size_t *relation_room,
                                     assay_row_pair pair, assay_relation relation) {
    assay_status status = assay_reserve(&list->pairs, room, list->count + 1, sizeof *list->pairs,
                                        "pairs of one subject");
    if (status != ASSAY_OK) return status;
    status = assay_reserve(&list->relation, relation_room, list->count + 1, sizeof *list->relation,
                           "relations of pairs");
    if (status != ASSAY_OK) return status;
    list->pairs[list->count] = pair;
    list->relation[list->count++] = (uint8_t)relation;
    return ASSAY_OK;
}

/* The row of the same subject that follows each row, or UINT32_MAX. */
static assay_status chain_subjects(const assay_sample_table *table, uint32_t **out) {
    uint32_t *next = NULL, *head = NULL;
    assay_status status = assay_allocate(&next, table->row_count, sizeof *next, "chains of rows");
    if (status != ASSAY_OK) goto out;
    status = assay_allocate(&head, table->subject_count, sizeof *head, "chains of rows");
    if (status != ASSAY_OK) goto out;
    memset(head, 0xff, table->subject_count * sizeof *head);
    for (uint64_t row = table->row_count; row-- > 0;) {
        next[row] = head[table->subject[row]];
        head[table->subject[row]] = (uint32_t)row;
    }
    *out = next;
    next = NULL;
out:
    free(head);
    free(next);
    return status;
}

assay_status assay_protocol_same_subject(const assay_protocol *protocol,
                                         const assay_sample_table *table, const uint8_t *roles,
                                         assay_same_subject *out) {
    assay_same_subject list = {0};
    size_t room = 0, relation_room = 0;
    uint32_t *next = NULL;
    assay_status status = ASSAY_OK;

    if (protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) {
        for (uint64_t n = 0; n < protocol->pair_count; n++) {
            assay_row_pair pair = protocol->pairs[n];
            if (table->subject[pair.i] != table->subject[pair.j]) continue;
            assay_relation relation =
                assay_protocol_relation(protocol, table, roles, pair.i, pair.j);
            status = add_same_subject(&list, &room, &relation_room, pair, relation);
            if (status != ASSAY_OK) goto out;
        }
    } else {
        status = chain_subjects(table, &next);
        if (status != ASSAY_OK) goto out;
        for (uint64_t i = 0; i < table->row_count; i++) {
            for (uint32_t j = next[i]; j != UINT32_MAX; j = next[j]) {
                if (!roles_meet(roles[i], roles[j])) continue;
                assay_row_pair pair = {(uint32_t)i, j};
                assay_relation relation =
                    assay_protocol_relation(protocol, table, roles, pair.i, pair.j);
                status = add_same_subject(&list, &room, &relation_room, pair, relation);
                if (status != ASSAY_OK) goto out;
            }
        }
    }
    *out = list;
    memset(&list, 0, sizeof list);
out:
    free(next);
    assay_same_subject_free(&list);
    return status;
}

void assay_same_subject_free(assay_same_subject *pairs) {
    if (!pairs) return;
    free(pairs->pairs);
    free(pairs->relation);
    memset(pairs, 0, sizeof *pairs);
}

/* ---- non-mated trials ---- */

/* How many of some samples are in a, in b, and in both. */
typedef struct {
    uint32_t a, b, both;
} membership;

typedef struct {
    membership references, probes, any; /* by role */
} members;

static void add_member(members *to, uint8_t role, bool in_a, bool in_b) {
    membership *of = role == ASSAY_ROLE_REFERENCE ? &to->references
                     : role == ASSAY_ROLE_PROBE   ? &to->probes
                     : role == ASSAY_ROLE_BOTH    ? &to->any
                                                  : NULL;
    if (!of) return;
    of->a += in_a;
    of->b += in_b;
    of->both += in_a && in_b;
}

/* Unordered pairs of different rows whose roles meet, one in a and the other in b.
 * Among samples of one kind there are a b - both ordered pairs (i in a, j in b, i != j), and the
 * pairs whose two samples are both in a and in b appear in both orders: both (both - 1) / 2 too
 * many. References against probes: a pair qualifies as (reference in a, probe in b) or as
 * (reference in b, probe in a), or as both where each is in both. */
static uint64_t qualifying_pairs(const members *of) {
    uint64_t a = of->any.a, b = of->any.b, both = of->any.both;
    uint64_t pairs = a * b - both;
    if (both) pairs -= both * (both - 1) / 2;
    pairs += (uint64_t)of->references.a * of->probes.b + (uint64_t)of->references.b * of->probes.a -
             (uint64_t)of->references.both * of->probes.both;
    return pairs;
}

static uint64_t listed_trials(const assay_protocol *protocol, const assay_sample_table *table,
                              const uint8_t *roles, const uint8_t *taken, const uint8_t *in_a,
                              const uint8_t *in_b) {
    uint64_t trials = 0;
    for (uint64_t n = 0; n < protocol->pair_count; n++) {
        uint32_t i = protocol->pairs[n].i, j = protocol->pairs[n].j;
        if (table->subject[i] == table->subject[j] || !roles_meet(roles[i], roles[j])) continue;
        if (taken && !(taken[i] && taken[j])) continue;
        trials += (in_a[i] && in_b[j]) || (in_a[j] && in_b[i]);
    }
    return trials;
}

assay_status assay_protocol_non_mated_trials(const assay_protocol *protocol,
                                             const assay_sample_table *table, const uint8_t *roles,
                                             const uint8_t *taken, const uint8_t *in_a,
                                             const uint8_t *in_b, uint64_t *out) {
    members *by_subject = NULL;
    members all = {0};
    assay_status status = ASSAY_OK;

    if (protocol->kind == ASSAY_PROTOCOL_PAIR_LIST) {
        *out = listed_trials(protocol, table, roles, taken, in_a, in_b);
        return ASSAY_OK;
    }
    status =
        assay_allocate(&by_subject, table->subject_count, sizeof *by_subject, "counts of subjects");
    if (status != ASSAY_OK) return status;
    for (uint64_t row = 0; row < table->row_count; row++) {
        if (taken && !taken[row]) continue;
        add_member(&all, roles[row], in_a[row], in_b[row]);
        add_member(&by_subject[table->subject[row]], roles[row], in_a[row], in_b[row]);
    }
    uint64_t trials = qualifying_pairs(&all);
    for (uint32_t n = 0; n < table->subject_count; n++) trials -= qualifying_pairs(&by_subject[n]);
    *out = trials;
    free(by_subject);
    return ASSAY_OK;
}
