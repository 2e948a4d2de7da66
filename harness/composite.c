/* composite -- evidence of several releases as that of one system. */
#include "harness/composite.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "harness/compare_private.h"

#define NO_PART UINT32_MAX

typedef struct {
    uint64_t references, mated, misses, non_mated, false_matches, failed;
} part_count;

typedef struct {
    const assay_composite *spec;
    assay_evidence *parts;           /* [part_count] */
    const assay_sample_table *table; /* of the first */
    const assay_attribute *age;
    uint8_t *roles;
    uint32_t *routed; /* [row_count] part of a reference; NO_PART of others */
    uint32_t *own;    /* [row_count] whose enrolment counts; NO_PART: that of all */
    part_count *counts;
    assay_evidence made;
    size_t failed_room;
} composing;

void assay_composite_free(assay_composite *composite) {
    for (size_t n = 0; composite->parts != NULL && n < composite->part_count; n++) {
        free(composite->parts[n].release);
        free(composite->parts[n].version);
    }
    free(composite->parts);
    free(composite->name);
    free(composite->version);
    free(composite->age);
    *composite = (assay_composite){0};
}

/* ---- what may be composed ---- */

static assay_status digest_table(const assay_evidence *evidence, assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_sample_table_digest(&evidence->table, false, digester);
    status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

static assay_status check_part(const composing *work, size_t n) {
    const assay_evidence *first = &work->parts[0], *part = &work->parts[n];
    assay_digest tables[2];
    char *protocols[2] = {NULL, NULL};
    assay_status status = digest_table(first, &tables[0]);
    if (status == ASSAY_OK) status = digest_table(part, &tables[1]);
    if (status == ASSAY_OK) status = assay_protocol_to_json(&first->protocol, &protocols[0]);
    if (status == ASSAY_OK) status = assay_protocol_to_json(&part->protocol, &protocols[1]);
    if (status == ASSAY_OK && (!assay_digest_equal(&tables[0], &tables[1]) ||
                               !assay_digest_equal(&first->dataset_digest, &part->dataset_digest) ||
                               strcmp(protocols[0], protocols[1]) != 0))
        status = assay_fail(ASSAY_USAGE,
                            "%s %s and %s %s cannot be composed: expected the same samples under "
                            "the same protocol",
                            first->release, first->version, part->release, part->version);
    free(protocols[0]);
    free(protocols[1]);
    if (status != ASSAY_OK || part->tail_complete) return status;
    const double floor =
        part->tail_floor == INT64_MAX ? (double)INFINITY : assay_fine_score(part, part->tail_floor);
    if (floor <= work->spec->parts[n].threshold) return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "the evidence of %s %s keeps non-mated scores from %g up, and the declared "
                      "threshold %g is below: name it among the `thresholds` of the comparison",
                      part->release, part->version, floor, work->spec->parts[n].threshold);
}

static assay_status check_protocol(const composing *work) {
    const assay_protocol_kind kind = work->parts[0].protocol.kind;
    if ((kind == ASSAY_PROTOCOL_CROSS || kind == ASSAY_PROTOCOL_ONE_PER_SUBJECT) &&
        !assay_sample_table_has_roles(work->table))
        return ASSAY_OK;
    return assay_fail(
        ASSAY_USAGE,
        "composite %s %s: who holds the document decides which algorithm compares, so "
        "each comparison must have a reference: protocol cross or one-per-subject, and "
        "algorithms with one template a sample",
        work->spec->name, work->spec->version);
}

/* By the age in the document, and by nothing else that anybody is. */
static assay_status check_age(composing *work) {
    const char *name = work->spec->age;
    work->age = assay_sample_table_attribute(work->table, name);
    if (work->age == NULL)
        return assay_fail(ASSAY_USAGE, "composite %s %s: the data set has no attribute '%s'",
                          work->spec->name, work->spec->version, name);
    if (work->age->kind != ASSAY_ATTRIBUTE_NUMERIC || strncmp(name, "age", 3) != 0)
        return assay_fail(ASSAY_USAGE,
                          "composite %s %s: comparisons are routed by the age in the reference "
                          "document alone, never by sex, race, origin or anything else; '%s' is no "
                          "numeric attribute that is called age…",
                          work->spec->name, work->spec->version, name);
    if (work->age->source == ASSAY_SOURCE_DOCUMENT ||
        work->age->source == ASSAY_SOURCE_BY_CONSTRUCTION)
        return ASSAY_OK;
    return assay_fail(ASSAY_USAGE,
                      "composite %s %s: the age must be that of the document (source: document); "
                      "that of '%s' is '%s'",
                      work->spec->name, work->spec->version, name,
                      assay_label_source_name(work->age->source));
}

/* ---- routing ---- */

static assay_status route_reference(composing *work, uint64_t row) {
    const assay_composite *spec = work->spec;
    const double age = work->age->values[row];
    size_t part = 0;
    if (isnan(age)) {
        part = spec->missing;
        if (part == spec->part_count)
            return assay_fail(ASSAY_USAGE,
                              "composite %s %s: the reference '%s' has no age; `missing` names the "
                              "release for such",
                              spec->name, spec->version, work->table->sample_id[row]);
    } else {
        while (part + 1 < spec->part_count && age >= spec->parts[part].below) part++;
    }
    work->routed[row] = work->own[row] = (uint32_t)part;
    return ASSAY_OK;
}

static assay_status route(composing *work) {
    const uint64_t rows = work->table->row_count;
    uint32_t *of_subject = NULL;
    assay_status status = assay_protocol_roles(&work->parts[0].protocol, work->table, &work->roles);
    if (status == ASSAY_OK)
        status = assay_allocate(&work->routed, rows, sizeof *work->routed, "routes");
    if (status == ASSAY_OK) status = assay_allocate(&work->own, rows, sizeof *work->own, "routes");
    if (status == ASSAY_OK)
        status = assay_allocate(&of_subject, work->table->subject_count, sizeof *of_subject,
                                "routes of subjects");
    if (status != ASSAY_OK) return status;
    memset(work->routed, 0xff, rows * sizeof *work->routed);
    memset(work->own, 0xff, rows * sizeof *work->own);
    memset(of_subject, 0xff, work->table->subject_count * sizeof *of_subject);
    for (uint64_t row = 0; status == ASSAY_OK && row < rows; row++) {
        if (work->roles[row] != ASSAY_ROLE_REFERENCE) continue;
        status = route_reference(work, row);
        uint32_t *first = &of_subject[work->table->subject[row]];
        if (*first == NO_PART) *first = work->routed[row];
    }
    for (uint64_t row = 0; status == ASSAY_OK && row < rows; row++)
        if (work->roles[row] == ASSAY_ROLE_PROBE)
            work->own[row] = of_subject[work->table->subject[row]];
    free(of_subject);
    return status;
}

static bool enrolled_in(const composing *work, size_t part, uint64_t row) {
    return work->parts[part].table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
}

/* Each row as the release says whose enrolment of it counts; of all, the first that did not. */
static assay_status fill_table(composing *work) {
    assay_sample_table *made = &work->made.table;
    assay_status status = assay_sample_table_copy(work->table, made);
    for (uint64_t row = 0; status == ASSAY_OK && row < made->row_count; row++) {
        size_t from = work->own[row];
        if (work->own[row] == NO_PART) {
            from = 0;
            while (from + 1 < work->spec->part_count && enrolled_in(work, from, row)) from++;
        }
        const assay_sample_table *table = &work->parts[from].table;
        made->enrolment[row] = table->enrolment[row];
        status =
            assay_labelled_set(&made->enrolment_reason, row,
                               table->enrolment_reason.labels[table->enrolment_reason.codes[row]]);
    }
    return status;
}

/* ---- comparisons ---- */

static bool is_made(const composing *work, uint32_t i, uint32_t j) {
    return work->made.table.enrolment[i] == ASSAY_ENROLMENT_ENROLLED &&
           work->made.table.enrolment[j] == ASSAY_ENROLMENT_ENROLLED;
}

static uint32_t reference_of(const composing *work, uint32_t i, uint32_t j) {
    return work->roles[i] == ASSAY_ROLE_REFERENCE ? i : j;
}

static uint64_t take_list(const composing *work, size_t part, const assay_comparison *from,
                          uint64_t count, assay_comparison *to) {
    const assay_evidence *evidence = &work->parts[part];
    const double threshold = work->spec->parts[part].threshold;
    uint64_t taken = 0;
    for (uint64_t n = 0; n < count; n++) {
        if (!is_made(work, from[n].i, from[n].j) ||
            work->routed[reference_of(work, from[n].i, from[n].j)] != part)
            continue;
        const double score = assay_fine_score(evidence, from[n].fine);
        to[taken] = from[n];
        to[taken].coarse = 0;
        to[taken++].fine = assay_score_place(score - threshold);
    }
    return taken;
}

static uint64_t at_least_zero(const assay_comparison *list, uint64_t count) {
    uint64_t matches = 0;
    for (uint64_t n = 0; n < count; n++) matches += list[n].fine >= 0;
    return matches;
}

static assay_status add_failed(composing *work, size_t part, uint32_t i, uint32_t j) {
    assay_evidence *made = &work->made;
    const uint64_t count = made->failed_mated + made->failed_non_mated;
    assay_status status = assay_reserve(&made->failed, &work->failed_room, count + 1,
                                        sizeof *made->failed, "failed comparisons");
    if (status != ASSAY_OK) return status;
    made->failed[count] = i < j ? (assay_row_pair){i, j} : (assay_row_pair){j, i};
    if (work->table->subject[i] == work->table->subject[j]) {
        made->failed_mated++;
    } else {
        made->failed_non_mated++;
        work->counts[part].failed++;
    }
    return ASSAY_OK;
}

/* What failed when the part compared, and probes that it has no template of. */
static assay_status take_failed(composing *work, size_t part) {
    const assay_evidence *evidence = &work->parts[part];
    const uint64_t count = evidence->failed_mated + evidence->failed_non_mated;
    const uint32_t rows = (uint32_t)work->table->row_count;
    assay_status status = ASSAY_OK;
    for (uint64_t n = 0; status == ASSAY_OK && n < count; n++) {
        const assay_row_pair pair = evidence->failed[n];
        if (is_made(work, pair.i, pair.j) &&
            work->routed[reference_of(work, pair.i, pair.j)] == part)
            status = add_failed(work, part, pair.i, pair.j);
    }
    for (uint32_t probe = 0; probe < rows; probe++) {
        if (work->roles[probe] != ASSAY_ROLE_PROBE || enrolled_in(work, part, probe)) continue;
        for (uint32_t row = 0; status == ASSAY_OK && row < rows; row++) {
            if (work->routed[row] != part || !is_made(work, row, probe)) continue;
            const assay_relation relation =
                assay_protocol_relation(&work->made.protocol, work->table, work->roles, row, probe);
            if (relation == ASSAY_RELATION_MATED || relation == ASSAY_RELATION_NON_MATED)
                status = add_failed(work, part, row, probe);
        }
    }
    return status;
}

static int highest_first(const void *left, const void *right) {
    const assay_comparison *x = left, *y = right;
    if (x->fine != y->fine) return x->fine > y->fine ? -1 : 1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static int first_row_first(const void *left, const void *right) {
    const assay_row_pair *x = left, *y = right;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static assay_status take_part(composing *work, size_t part) {
    const assay_evidence *from = &work->parts[part];
    assay_evidence *made = &work->made;
    part_count *count = &work->counts[part];
    assay_comparison *mated = made->mated + made->mated_count,
                     *tail = made->tail + made->tail_count;
    count->mated = take_list(work, part, from->mated, from->mated_count, mated);
    count->misses = count->mated - at_least_zero(mated, count->mated);
    made->mated_count += count->mated;
    const uint64_t kept = take_list(work, part, from->tail, from->tail_count, tail);
    count->false_matches = at_least_zero(tail, kept);
    made->tail_count += kept;
    for (uint64_t row = 0; row < work->table->row_count; row++)
        count->references += work->routed[row] == part;
    return take_failed(work, part);
}

/* What lies below the highest floor of a part is not of all parts. */
static void cut_tail(composing *work) {
    assay_evidence *made = &work->made;
    double floor = -(double)INFINITY;
    made->tail_complete = true;
    made->tail_floor = INT64_MIN;
    for (size_t n = 0; n < work->spec->part_count; n++) {
        const assay_evidence *part = &work->parts[n];
        if (part->tail_complete) continue;
        const double here =
            assay_fine_score(part, part->tail_floor) - work->spec->parts[n].threshold;
        if (here > floor) floor = here;
    }
    if (!isinf(floor)) {
        made->tail_floor = assay_score_place(floor);
        while (made->tail_count > 0 && made->tail[made->tail_count - 1].fine < made->tail_floor)
            made->tail_count--;
        made->tail_complete = made->tail_count == made->non_mated;
        if (made->tail_complete) made->tail_floor = INT64_MIN;
    }
    made->tail_limit = made->tail_count;
}

/* Non-mated comparisons of each part's references, attempted less failed. */
static assay_status count_non_mated(composing *work) {
    const uint64_t rows = work->table->row_count;
    uint8_t *taken = NULL, *here = NULL, *all = NULL;
    assay_status status = assay_allocate(&taken, rows, 1, "rows");
    if (status == ASSAY_OK) status = assay_allocate(&here, rows, 1, "rows");
    if (status == ASSAY_OK) status = assay_allocate(&all, rows, 1, "rows");
    for (size_t n = 0; status == ASSAY_OK && n < work->spec->part_count; n++) {
        uint64_t trials = 0;
        for (uint64_t row = 0; row < rows; row++) {
            taken[row] = work->made.table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
            here[row] = work->routed[row] == n;
            all[row] = 1;
        }
        status = assay_protocol_non_mated_trials(&work->made.protocol, work->table, work->roles,
                                                 taken, here, all, &trials);
        work->counts[n].non_mated = trials - work->counts[n].failed;
        work->made.non_mated += work->counts[n].non_mated;
    }
    free(taken);
    free(here);
    free(all);
    return status;
}

static assay_status take_all(composing *work) {
    assay_evidence *made = &work->made;
    uint64_t mated = 0, tail = 0;
    for (size_t n = 0; n < work->spec->part_count; n++) {
        mated += work->parts[n].mated_count;
        tail += work->parts[n].tail_count;
    }
    assay_status status =
        assay_allocate(&made->mated, mated, sizeof *made->mated, "mated comparisons");
    if (status == ASSAY_OK) status = assay_allocate(&made->tail, tail, sizeof *made->tail, "tail");
    for (size_t n = 0; status == ASSAY_OK && n < work->spec->part_count; n++)
        status = take_part(work, n);
    if (status == ASSAY_OK) status = count_non_mated(work);
    if (status != ASSAY_OK) return status;
    qsort(made->mated, made->mated_count, sizeof *made->mated, highest_first);
    qsort(made->tail, made->tail_count, sizeof *made->tail, highest_first);
    if (made->failed != NULL)
        qsort(made->failed, made->failed_mated + made->failed_non_mated, sizeof *made->failed,
              first_row_first);
    cut_tail(work);
    return ASSAY_OK;
}

/* The counts are derived from the table once more, apart from how the lists were made. */
static assay_status count_relations(composing *work) {
    assay_evidence *made = &work->made;
    assay_plan plan = {0};
    assay_status status = assay_plan_make(&made->table, &made->protocol, &plan);
    if (status != ASSAY_OK) return status;
    memcpy(made->relations, plan.relations, sizeof made->relations);
    assay_plan_free(&plan);
    if (made->relations[ASSAY_RELATION_MATED] == made->mated_count + made->failed_mated &&
        made->relations[ASSAY_RELATION_NON_MATED] == made->non_mated + made->failed_non_mated)
        return ASSAY_OK;
    return assay_fail(ASSAY_DISAGREES,
                      "composite %s %s: %" PRIu64 " mated and %" PRIu64
                      " non-mated comparisons were routed, expected %" PRIu64 " and %" PRIu64,
                      work->spec->name, work->spec->version, made->mated_count + made->failed_mated,
                      made->non_mated + made->failed_non_mated,
                      made->relations[ASSAY_RELATION_MATED],
                      made->relations[ASSAY_RELATION_NON_MATED]);
}

/* ---- what the evidence says ---- */

/* The system is judged at its declared thresholds: a target FMR would move all of them alike. */
static assay_status make_protocol(const assay_protocol *from, assay_protocol *out) {
    assay_status status = assay_compare_copy_protocol(from, out);
    if (status != ASSAY_OK) return status;
    for (uint32_t n = 0; n < out->histogram_by_count; n++) free(out->histogram_by[n]);
    out->histogram_by_count = 0;
    out->histogram_mode = ASSAY_HISTOGRAM_NONE;
    out->fmr_target_count = 0;
    free(out->thresholds);
    out->thresholds = NULL;
    out->threshold_count = 1;
    return assay_allocate(&out->thresholds, 1, sizeof *out->thresholds, "thresholds");
}

/* Of everything that decides the result, in the place of the templates' digest. */
static assay_status digest_inputs(const assay_composite *spec, const assay_evidence *parts,
                                  assay_digest *out) {
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status != ASSAY_OK) return status;
    assay_digester_add_string(digester, "assay-composite/1");
    assay_digester_add_string(digester, spec->age);
    assay_digester_add_u64(digester, spec->missing);
    for (size_t n = 0; n < spec->part_count; n++) {
        const double numbers[] = {spec->parts[n].below, spec->parts[n].threshold};
        for (int k = 0; k < 2; k++) {
            uint64_t bits;
            memcpy(&bits, &numbers[k], sizeof bits);
            assay_digester_add_u64(digester, bits);
        }
        assay_digester_add(digester, parts[n].result_digest.bytes,
                           sizeof parts[n].result_digest.bytes);
    }
    status = assay_digester_finish(digester, out);
    assay_digester_free(digester);
    return status;
}

static json_t *part_json(const composing *work, size_t n) {
    const assay_composite_part *part = &work->spec->parts[n];
    const part_count *count = &work->counts[n];
    char hex[ASSAY_DIGEST_HEX];
    json_t *made = json_pack(
        "{s:s, s:s, s:f, s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "release", part->release, "version",
        part->version, "threshold", part->threshold, "result_digest",
        assay_digest_hex(hex, &work->parts[n].result_digest), "references",
        (json_int_t)count->references, "mated", (json_int_t)count->mated, "misses",
        (json_int_t)count->misses, "non_mated", (json_int_t)count->non_mated, "false_matches",
        (json_int_t)count->false_matches, "missing_age", n == work->spec->missing);
    if (n > 0) json_object_set_new(made, "from", json_real(work->spec->parts[n - 1].below));
    if (n + 1 < work->spec->part_count) json_object_set_new(made, "below", json_real(part->below));
    return made;
}

static assay_status describe(composing *work) {
    json_t *parts = json_array();
    for (size_t n = 0; n < work->spec->part_count; n++)
        json_array_append_new(parts, part_json(work, n));
    json_t *object =
        json_pack("{s:s, s:s, s:{s:s, s:o}}", "program", "assay " ASSAY_VERSION, "made_by",
                  "assay run", "composite", "age", work->spec->age, "parts", parts);
    work->made.provenance_json =
        object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    return work->made.provenance_json != NULL
               ? ASSAY_OK
               : assay_fail(ASSAY_FAILED, "no memory for the provenance");
}

static assay_status start_evidence(composing *work) {
    assay_evidence *made = &work->made;
    const assay_evidence *first = &work->parts[0];
    const struct {
        char **to;
        const char *from;
    } texts[] = {{&made->release, work->spec->name},
                 {&made->version, work->spec->version},
                 {&made->algorithm, "composite"},
                 {&made->comparator, "score less its algorithm's declared threshold"},
                 {&made->dataset_name, first->dataset_name}};
    *made = (assay_evidence){.form = ASSAY_SCORE_PLACED,
                             .coarse_scale = 1,
                             .combination_count = 1,
                             .dataset_digest = first->dataset_digest};
    assay_status status = ASSAY_OK;
    for (size_t n = 0; status == ASSAY_OK && n < sizeof texts / sizeof *texts; n++)
        status = assay_copy_string(texts[n].to, texts[n].from);
    if (status == ASSAY_OK) status = make_protocol(&first->protocol, &made->protocol);
    if (status == ASSAY_OK)
        status = assay_allocate(&made->combinations, 1, sizeof *made->combinations, "codes");
    if (status == ASSAY_OK)
        status = digest_inputs(work->spec, work->parts, &made->templates_digest);
    return status;
}

/* ---- the whole ---- */

static assay_status read_parts(const assay_composite *spec, const char *const *paths,
                               assay_evidence **out) {
    assay_evidence *parts = NULL;
    assay_status status = assay_allocate(&parts, spec->part_count, sizeof *parts, "evidence");
    *out = parts;
    for (size_t n = 0; status == ASSAY_OK && n < spec->part_count; n++)
        status = assay_evidence_read(paths[n], &parts[n]);
    return status;
}

static void free_parts(const assay_composite *spec, assay_evidence *parts) {
    for (size_t n = 0; parts != NULL && n < spec->part_count; n++) assay_evidence_free(&parts[n]);
    free(parts);
}

assay_status assay_composite_make(const assay_composite *composite,
                                  const char *const *evidence_paths, const char *out_path,
                                  assay_digest *out_result) {
    composing work = {.spec = composite};
    assay_status status = read_parts(composite, evidence_paths, &work.parts);
    if (status != ASSAY_OK) goto out;
    work.table = &work.parts[0].table;
    status = assay_allocate(&work.counts, composite->part_count, sizeof *work.counts, "counts");
    if (status == ASSAY_OK) status = check_protocol(&work);
    if (status == ASSAY_OK) status = check_age(&work);
    for (size_t n = 0; status == ASSAY_OK && n < composite->part_count; n++)
        status = check_part(&work, n);
    if (status == ASSAY_OK) status = route(&work);
    if (status == ASSAY_OK) status = start_evidence(&work);
    if (status == ASSAY_OK) status = fill_table(&work);
    if (status == ASSAY_OK) status = take_all(&work);
    if (status == ASSAY_OK) status = count_relations(&work);
    if (status == ASSAY_OK) status = describe(&work);
    if (status == ASSAY_OK) status = assay_evidence_write(out_path, &work.made);
    if (status == ASSAY_OK) *out_result = work.made.result_digest;
out:
    assay_evidence_free(&work.made);
    free_parts(composite, work.parts);
    free(work.counts);
    free(work.roles);
    free(work.routed);
    free(work.own);
    return status;
}

assay_status assay_composite_fits(const assay_composite *composite,
                                  const char *const *evidence_paths, const char *path, bool *out,
                                  assay_digest *out_result) {
    assay_evidence *parts = NULL, there = {0};
    assay_digest wanted;
    *out = false;
    assay_status status = read_parts(composite, evidence_paths, &parts);
    if (status == ASSAY_OK) status = digest_inputs(composite, parts, &wanted);
    if (status == ASSAY_OK && assay_evidence_read(path, &there) == ASSAY_OK) {
        *out = assay_digest_equal(&there.templates_digest, &wanted) &&
               strcmp(there.release, composite->name) == 0 &&
               strcmp(there.version, composite->version) == 0;
        *out_result = there.result_digest;
    }
    assay_evidence_free(&there);
    free_parts(composite, parts);
    return status;
}
