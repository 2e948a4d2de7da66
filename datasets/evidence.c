/* evidence -- what evidence is, apart from how it is kept: its digest, and that it does not
 * contradict itself. */
#include "datasets/evidence.h"

#include <math.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/text.h"
#include "datasets/store.h"

void assay_evidence_free(assay_evidence *evidence) {
    if (!evidence) return;
    free(evidence->release);
    free(evidence->version);
    free(evidence->algorithm);
    free(evidence->comparator);
    free(evidence->dataset_name);
    free(evidence->reference_release);
    free(evidence->reference_version);
    free(evidence->reference_algorithm);
    assay_sample_table_free(&evidence->table);
    assay_protocol_free(&evidence->protocol);
    free(evidence->mated);
    free(evidence->tail);
    free(evidence->failed);
    free(evidence->combinations);
    free(evidence->histogram);
    free(evidence->provenance_json);
    memset(evidence, 0, sizeof *evidence);
}

uint64_t assay_histogram_count(uint32_t combination_count) {
    return (uint64_t)combination_count * ((uint64_t)combination_count + 1) / 2;
}

uint64_t assay_histogram_index(uint32_t combination_count, uint32_t a, uint32_t b) {
    const uint64_t low = a < b ? a : b, high = a < b ? b : a;
    /* low(low - 1)/2 wraps at low = 0 to the same value modulo 2^64, so it is written the other way
     */
    return low * combination_count - (low * (low + 1) / 2 - low) + (high - low);
}

double assay_fine_score(const assay_evidence *evidence, int64_t fine) {
    return assay_score_of(evidence->form, evidence->exponent, fine);
}

bool assay_evidence_has_samples(const assay_evidence *evidence) {
    return evidence->protocol.kind != ASSAY_PROTOCOL_SCORES;
}

bool assay_evidence_knows_enrolment(const assay_evidence *evidence) {
    return evidence->form != ASSAY_SCORE_PLACED ||
           !assay_digest_is_zero(&evidence->templates_digest);
}

bool assay_evidence_is_between(const assay_evidence *evidence) {
    return evidence->reference_release != NULL;
}

assay_status assay_evidence_name(const assay_evidence *evidence, char **out) {
    assay_text text = {0};
    assay_text_appendf(&text, "%s %s", evidence->release, evidence->version);
    if (assay_evidence_is_between(evidence))
        assay_text_appendf(&text, " with references of %s %s", evidence->reference_release,
                           evidence->reference_version);
    const assay_status status = assay_text_status(&text);
    if (status == ASSAY_OK)
        *out = text.bytes;
    else
        assay_text_free(&text);
    return status;
}

/* ---- digest (FORMAT.md, "Result digest") ---- */

static uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void put_little(uint8_t *out, uint64_t value, size_t bytes) {
    for (size_t n = 0; n < bytes; n++) out[n] = (uint8_t)(value >> (8 * n));
}

static void digest_comparisons(assay_digester *digester, const assay_comparison *list,
                               uint64_t count) {
    enum { ROW = 21, ROWS = 1024 };
    uint8_t rows[ROWS * ROW];
    assay_digester_add_u64(digester, count);
    for (uint64_t n = 0, held = 0; n < count; n++) {
        uint8_t *row = rows + held * ROW;
        put_little(row, (uint64_t)list[n].fine, 8);
        put_little(row + 8, (uint32_t)list[n].coarse, 4);
        put_little(row + 12, list[n].i, 4);
        put_little(row + 16, list[n].j, 4);
        row[20] = list[n].direction;
        if (++held < ROWS && n + 1 < count) continue;
        assay_digester_add(digester, rows, held * ROW);
        held = 0;
    }
}

static void digest_histograms(assay_digester *digester, const assay_evidence *evidence) {
    const uint64_t codes =
        (uint64_t)evidence->combination_count * evidence->protocol.histogram_by_count;
    const uint64_t counters =
        evidence->histogram
            ? assay_histogram_count(evidence->combination_count) * evidence->bins.count
            : 0;
    assay_digester_add_u64(digester, evidence->combination_count);
    assay_digester_add_u64(digester, evidence->protocol.histogram_by_count);
    for (uint64_t n = 0; n < codes; n++)
        assay_digester_add_u64(digester, evidence->combinations[n]);
    assay_digester_add_u64(digester, evidence->histogram_pairs);
    assay_digester_add_u64(digester, counters);
    for (uint64_t n = 0; n < counters; n++)
        assay_digester_add_u64(digester, evidence->histogram[n]);
}

/* Where no comparison failed there is nothing: so evidence of before there were such has its digest
 * still. */
static void digest_failed(assay_digester *digester, const assay_evidence *evidence) {
    const uint64_t count = evidence->failed_mated + evidence->failed_non_mated;
    if (!count) return;
    assay_digester_add_string(digester, "failed");
    assay_digester_add_u64(digester, evidence->failed_mated);
    assay_digester_add_u64(digester, evidence->failed_non_mated);
    for (uint64_t n = 0; evidence->failed && n < count; n++) {
        assay_digester_add_u64(digester, evidence->failed[n].i);
        assay_digester_add_u64(digester, evidence->failed[n].j);
    }
}

static void digest_result(assay_digester *digester, const assay_evidence *evidence,
                          const assay_digest *table, const char *protocol) {
    assay_digester_add_string(digester, "assay-result/1");
    assay_digester_add(digester, table->bytes, sizeof table->bytes);
    assay_digester_add_string(digester, protocol);
    assay_digester_add_string(digester, evidence->comparator);
    assay_digester_add_u64(digester, (uint64_t)(int64_t)evidence->exponent);
    if (evidence->form != ASSAY_SCORE_SCALED)
        assay_digester_add_string(digester, assay_score_form_name(evidence->form));
    assay_digester_add_u64(digester, double_bits(evidence->coarse_scale));
    assay_digester_add_u64(digester, double_bits(evidence->bound));
    assay_digester_add_u64(digester, (uint64_t)(int64_t)evidence->bins.lowest);
    assay_digester_add_u64(digester, evidence->bins.shift);
    assay_digester_add_u64(digester, evidence->bins.count);
    assay_digester_add_u64(digester, ASSAY_RELATION_COUNT);
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++)
        assay_digester_add_u64(digester, evidence->relations[n]);
    digest_comparisons(digester, evidence->mated, evidence->mated_count);
    assay_digester_add_u64(digester, evidence->tail_limit);
    assay_digester_add_u64(digester, evidence->tail_complete);
    assay_digester_add_u64(digester, (uint64_t)evidence->tail_floor);
    digest_comparisons(digester, evidence->tail, evidence->tail_count);
    digest_histograms(digester, evidence);
    digest_failed(digester, evidence);
}

assay_status assay_evidence_digest(assay_evidence *evidence) {
    char *protocol = NULL;
    assay_digest table;
    assay_digester *digester = NULL;
    assay_status status = assay_digester_open(&digester);
    if (status) goto out;
    if ((status = assay_protocol_to_json(&evidence->protocol, &protocol))) goto out;
    assay_sample_table_digest(&evidence->table, true, digester);
    if ((status = assay_digester_finish(digester, &table))) goto out;
    digest_result(digester, evidence, &table, protocol);
    status = assay_digester_finish(digester, &evidence->result_digest);
out:
    assay_digester_free(digester);
    free(protocol);
    return status;
}

/* ---- consistency ---- */

static assay_status contradiction(const char *name, const char *what) {
    return assay_fail(ASSAY_FAILED, "%s: the evidence contradicts itself: %s", name, what);
}

/* Of a list without samples. */
static const char *places_fault(const assay_comparison *list, uint64_t count) {
    for (uint64_t n = 0; n < count; n++)
        if (list[n].j != ASSAY_NO_ROW || list[n].direction != ASSAY_DIRECTION_NONE)
            return "a score of a list without samples is of a row";
    return NULL;
}

/* Scores are finite, whatever integer stands for them. */
static const char *form_fault(const assay_evidence *evidence) {
    if (evidence->form == ASSAY_SCORE_SCALED) return NULL;
    if (evidence->exponent != 0) return "placed scores have no exponent";
    const assay_comparison *const lists[] = {evidence->mated, evidence->tail};
    const uint64_t counts[] = {evidence->mated_count, evidence->tail_count};
    for (int n = 0; n < 2; n++)
        if (counts[n] && (lists[n][0].fine > ASSAY_SCORE_PLACE_MOST ||
                          lists[n][counts[n] - 1].fine < -ASSAY_SCORE_PLACE_MOST))
            return "a score is at no place of a finite number";
    return NULL;
}

/* The comparisons that gave no score: rows, order, subjects, and how many of each kind. */
static const char *failed_fault(const assay_evidence *evidence) {
    const assay_sample_table *table = &evidence->table;
    const uint64_t count = evidence->failed_mated + evidence->failed_non_mated;
    uint64_t mated = 0;
    if (!assay_evidence_has_samples(evidence) || !count) return NULL;
    for (uint64_t n = 0; n < count; n++) {
        const assay_row_pair pair = evidence->failed[n], *before = evidence->failed + n - 1;
        if (pair.i >= pair.j || pair.j >= table->row_count ||
            (n && (before->i != pair.i ? before->i > pair.i : before->j >= pair.j)))
            return "failed comparisons are not in order, or not of two rows i < j";
        if (table->enrolment[pair.i] != ASSAY_ENROLMENT_ENROLLED ||
            table->enrolment[pair.j] != ASSAY_ENROLMENT_ENROLLED)
            return "a failed comparison is of a sample that is not enrolled";
        mated += table->subject[pair.i] == table->subject[pair.j];
    }
    return mated == evidence->failed_mated ? NULL : "failed comparisons are told in two ways";
}

/* Order, rows, enrolment and subjects of a list. */
static const char *list_fault(const assay_evidence *evidence, const assay_comparison *list,
                              uint64_t count, bool mated) {
    const assay_sample_table *table = &evidence->table;
    const bool has_samples = assay_evidence_has_samples(evidence);
    const uint64_t limit = has_samples ? table->row_count : (uint64_t)ASSAY_NO_ROW + 1;
    if (!assay_comparisons_sorted(list, count, limit))
        return mated ? "mated comparisons are not in order, or not of two rows i < j"
                     : "the tail is not in order, or not of two rows i < j";
    if (!has_samples) return places_fault(list, count);
    for (uint64_t n = 0; n < count; n++) {
        const uint32_t i = list[n].i, j = list[n].j;
        if ((table->subject[i] == table->subject[j]) != mated)
            return mated ? "a mated comparison is of two subjects"
                         : "a comparison of the tail is of one subject";
        if (table->enrolment[i] != ASSAY_ENROLMENT_ENROLLED ||
            table->enrolment[j] != ASSAY_ENROLMENT_ENROLLED)
            return "a comparison is of a sample that is not enrolled";
    }
    return NULL;
}

static const char *tail_fault(const assay_evidence *evidence) {
    const uint64_t count = evidence->tail_count;
    if (count > evidence->non_mated) return "the tail is longer than all non-mated comparisons";
    if (evidence->tail_complete && count != evidence->non_mated)
        return "the tail says that it is complete, and is not";
    if (evidence->tail_complete) {
        if (evidence->tail_floor != INT64_MIN) return "a complete tail has a floor";
        return NULL;
    }
    if (count > 0 && evidence->tail_floor > evidence->tail[count - 1].fine)
        return "the tail goes below its floor";
    return NULL;
}

static const char *counts_fault(const assay_evidence *evidence) {
    uint64_t enrolled = 0, pairs = 0;
    for (uint64_t row = 0; row < evidence->table.row_count; row++)
        enrolled += evidence->table.enrolment[row] == ASSAY_ENROLMENT_ENROLLED;
    for (int n = 0; n < ASSAY_RELATION_COUNT; n++) pairs += evidence->relations[n];
    const uint64_t mated = evidence->mated_count + evidence->failed_mated;
    const uint64_t non_mated = evidence->non_mated + evidence->failed_non_mated;
    uint64_t expected = enrolled ? enrolled * (enrolled - 1) / 2 : 0;
    if (!assay_evidence_has_samples(evidence)) {
        if (evidence->table.row_count) return "score lists without samples have a sample table";
        expected = mated + non_mated;
    }
    if (pairs != expected)
        return "mated, non-mated and excluded pairs do not sum to n(n-1)/2 of the enrolled samples";
    if (evidence->relations[ASSAY_RELATION_MATED] != mated)
        return "the number of mated comparisons is not that of the list";
    if (evidence->relations[ASSAY_RELATION_NON_MATED] != non_mated)
        return "the number of non-mated comparisons is told in two ways";
    return NULL;
}

static const char *histograms_fault(const assay_evidence *evidence) {
    const uint32_t by_count = evidence->protocol.histogram_by_count;
    if (evidence->combination_count < 1) return "there is no combination to keep histograms by";
    for (uint32_t c = 0; c < evidence->combination_count; c++)
        for (uint32_t n = 0; n < by_count; n++) {
            const assay_attribute *attribute =
                assay_sample_table_attribute(&evidence->table, evidence->protocol.histogram_by[n]);
            if (!attribute) return "histograms are kept by an attribute that is not there";
            if (evidence->combinations[(uint64_t)c * by_count + n] >= attribute->label_count)
                return "a combination has a code that its attribute does not have";
        }
    if (evidence->histogram_pairs > evidence->non_mated)
        return "histograms count more pairs than there are";
    uint64_t sum = 0, counters = 0;
    if (evidence->histogram)
        counters = assay_histogram_count(evidence->combination_count) * evidence->bins.count;
    for (uint64_t n = 0; n < counters; n++) sum += evidence->histogram[n];
    if (sum != evidence->histogram_pairs)
        return "the histograms do not sum to the number of pairs that they count";
    return NULL;
}

assay_status assay_evidence_check(const char *name, const assay_evidence *evidence) {
    assay_status status = assay_table_check(name, &evidence->table);
    if (status) return status;
    const char *fault = NULL;
    if (!isfinite(evidence->coarse_scale) || evidence->coarse_scale <= 0 ||
        !isfinite(evidence->bound) || evidence->bound < 0)
        fault = "its coarse scale or bound is no number that it can be";
    if (!fault && assay_evidence_is_between(evidence) &&
        !assay_sample_table_has_roles(&evidence->table))
        fault = "references are of another release, and its samples do not stand in roles";
    if (!fault) fault = form_fault(evidence);
    if (!fault) fault = counts_fault(evidence);
    if (!fault) fault = failed_fault(evidence);
    if (!fault) fault = list_fault(evidence, evidence->mated, evidence->mated_count, true);
    if (!fault) fault = list_fault(evidence, evidence->tail, evidence->tail_count, false);
    if (!fault) fault = tail_fault(evidence);
    if (!fault) fault = histograms_fault(evidence);
    return fault ? contradiction(name, fault) : ASSAY_OK;
}
