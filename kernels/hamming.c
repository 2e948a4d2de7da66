/* hamming -- the canonical scores of binary templates (hamming.h), and all pairs by them. */
#include "kernels/hamming.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "kernels/pairs_private.h"

/* ---- sets ---- */

static assay_status out_of_range(const char *what, uint32_t value, const char *expected) {
    return assay_fail(ASSAY_USAGE, "binary templates: %s is %" PRIu32 "; expected %s", what, value,
                      expected);
}

assay_status assay_hamming_check(const assay_hamming_rule *rule) {
    if (rule->bits < 8 || rule->bits > ASSAY_HAMMING_BITS_MAX || rule->bits % 8 != 0) {
        return out_of_range("the number of bits", rule->bits, "a multiple of 8 from 8 to 1048576");
    }
    if (rule->rows < 1 || rule->bits % rule->rows != 0) {
        return out_of_range("the number of rows", rule->rows, "a divisor of the number of bits");
    }
    if (rule->shift_bits < 1 || rule->shift_bits > rule->bits / rule->rows) {
        return out_of_range("the bits of a shift", rule->shift_bits, "1 to the bits of a row");
    }
    if (rule->shifts > ASSAY_HAMMING_SHIFTS_MAX) {
        return out_of_range("the number of shifts either way", rule->shifts, "0 to 64");
    }
    if (rule->minimum_valid_bits < 1 || rule->minimum_valid_bits > rule->bits) {
        return out_of_range("the minimum of valid bits", rule->minimum_valid_bits,
                            "1 to the number of bits");
    }
    return ASSAY_OK;
}

static uint64_t byte_at(const uint8_t *bytes, size_t place) {
    return bytes == NULL ? 0xff : bytes[place];
}

assay_status assay_hamming_set_create(const assay_hamming_rule *rule, uint64_t count,
                                      const uint8_t *codes, const uint8_t *masks,
                                      assay_hamming_set *out) {
    assay_hamming_set set = {.count = count, .rule = *rule};
    assay_status status = assay_hamming_check(rule);
    if (status != ASSAY_OK) return status;
    if (count > UINT32_MAX) {
        return assay_fail(ASSAY_USAGE, "%" PRIu64 " binary templates; expected at most 2^32 - 1",
                          count);
    }
    const uint32_t bytes = rule->bits / 8;
    set.word_count = (bytes + 7) / 8;
    size_t words;
    if (!assay_multiply((size_t)count, set.word_count, &words)) {
        return assay_fail(ASSAY_USAGE,
                          "%" PRIu64 " templates of %" PRIu32 " bits do not fit memory", count,
                          rule->bits);
    }
    status = assay_allocate_aligned(&set.words, words, sizeof *set.words, "binary templates");
    if (status != ASSAY_OK) return status;
    for (uint64_t n = 0; n < count; n++) {
        assay_hamming_word *words_of = set.words + (size_t)n * set.word_count;
        for (uint32_t k = 0; k < bytes; k++) {
            const size_t place = (size_t)n * bytes + k;
            words_of[k / 8].code |= byte_at(codes, place) << (8 * (k % 8));
            words_of[k / 8].mask |= byte_at(masks, place) << (8 * (k % 8));
        }
    }
    *out = set;
    return ASSAY_OK;
}

void assay_hamming_set_free(assay_hamming_set *set) {
    if (set == NULL) return;
    free(set->words);
    *set = (assay_hamming_set){0};
}

/* ---- the definitions ---- */

int64_t assay_hamming_fine(uint32_t agreeing, uint32_t valid) {
    /* 2^52 agreeing can take 72 bits: a long division in two steps of 32 and 20 bits. */
    const uint64_t high = (uint64_t)agreeing << 32;
    const uint64_t low = (high % valid) << 20;
    const uint64_t whole = ((high / valid) << 20) + low / valid;
    return (int64_t)(whole + (2 * (low % valid) >= valid));
}

int32_t assay_hamming_coarse(uint32_t agreeing, uint32_t valid) {
    const uint64_t twice = (uint64_t)agreeing << (ASSAY_HAMMING_COARSE_BITS + 1);
    return (int32_t)((twice + valid) / (2 * (uint64_t)valid));
}

static bool code_bit(const assay_hamming_word *words, uint32_t bit) {
    return (words[bit / 64].code >> (bit % 64)) & 1;
}
static bool mask_bit(const assay_hamming_word *words, uint32_t bit) {
    return (words[bit / 64].mask >> (bit % 64)) & 1;
}

/* Counts bits of a and of b at a shift that moves it `up` columns, 0 <= up < columns. */
static void count_bits(const assay_hamming_rule *rule, const assay_hamming_word *a,
                       const assay_hamming_word *b, uint32_t up, uint32_t *out_agreeing,
                       uint32_t *out_valid) {
    const uint32_t columns = rule->bits / rule->rows;
    uint32_t agreeing = 0, valid = 0;
    for (uint32_t row = 0; row < rule->rows; row++) {
        for (uint32_t column = 0; column < columns; column++) {
            const uint32_t from = row * columns + column;
            const uint32_t to = row * columns + (column + up) % columns;
            if (!mask_bit(a, to) || !mask_bit(b, from)) continue;
            valid++;
            agreeing += code_bit(a, to) == code_bit(b, from);
        }
    }
    *out_agreeing = agreeing;
    *out_valid = valid;
}

assay_hamming_score assay_hamming_compare(const assay_hamming_set *set, uint64_t a, uint64_t b) {
    const assay_hamming_rule *rule = &set->rule;
    const int64_t columns = rule->bits / rule->rows;
    assay_hamming_score best = {0};
    /* 0, -1, 1, -2, 2, …: a later shift must be better, not as good. */
    for (uint32_t n = 0; n <= 2 * rule->shifts; n++) {
        const int32_t shift = n % 2 == 0 ? (int32_t)(n / 2) : -(int32_t)(n / 2 + 1);
        const int64_t moved = shift * (int64_t)rule->shift_bits % columns;
        uint32_t agreeing, valid;
        count_bits(rule, set->words + (size_t)a * set->word_count,
                   set->words + (size_t)b * set->word_count,
                   (uint32_t)(moved < 0 ? moved + columns : moved), &agreeing, &valid);
        if (valid < rule->minimum_valid_bits) continue;
        if (best.valid == 0 || (uint64_t)agreeing * best.valid > (uint64_t)best.agreeing * valid) {
            best.agreeing = agreeing;
            best.valid = valid;
            best.shift = shift;
        }
    }
    if (best.valid > 0) {
        best.fine = assay_hamming_fine(best.agreeing, best.valid);
        best.coarse = assay_hamming_coarse(best.agreeing, best.valid);
    }
    return best;
}

/* ---- all pairs by the definition ---- */

typedef struct {
    const assay_all_pairs *plan;
    assay_tally tally;
    size_t capacity, failed_capacity;
} walk;

static assay_status take_failed(walk *self, uint64_t a, uint64_t b) {
    assay_tally *tally = &self->tally;
    assay_status status = assay_failed_check(self->plan, tally->failed_count + 1);
    if (status != ASSAY_OK) return status;
    status = assay_reserve(&tally->failed, &self->failed_capacity, tally->failed_count + 1,
                           sizeof *tally->failed, "pairs that failed to compare");
    if (status != ASSAY_OK) return status;
    tally->failed[tally->failed_count++] = (assay_failed_pair){.a = (uint32_t)a, .b = (uint32_t)b};
    return ASSAY_OK;
}

/* One pair of different subjects: score, bin, list. */
static assay_status take_pair(walk *self, uint64_t a, uint64_t b) {
    const assay_all_pairs *plan = self->plan;
    assay_tally *tally = &self->tally;
    const assay_hamming_score score = assay_hamming_compare(plan->bits, a, b);
    if (score.valid == 0) return take_failed(self, a, b);
    tally->non_mated++;
    if (assay_block_chosen(plan, a / ASSAY_BLOCK_EDGE, b / ASSAY_BLOCK_EDGE)) {
        int32_t lowest;
        uint32_t shift, bins;
        assay_coarse_bins(ASSAY_HAMMING, &lowest, &shift, &bins);
        const uint64_t index = group_pair_index(plan->group_count, plan->group[a], plan->group[b]);
        tally->histogram[index * bins + ((uint32_t)(score.coarse - lowest) >> shift)]++;
        tally->histogram_pairs++;
    }
    const assay_status status = assay_reserve(&tally->tail, &self->capacity, tally->tail_count + 1,
                                              sizeof *tally->tail, "all scores");
    if (status != ASSAY_OK) return status;
    tally->tail[tally->tail_count++] = (assay_scored_pair){
        .fine = score.fine, .coarse = score.coarse, .a = (uint32_t)a, .b = (uint32_t)b};
    return ASSAY_OK;
}

static assay_status take_tile(walk *self, uint64_t tile) {
    const assay_all_pairs *plan = self->plan;
    const uint64_t count = plan->bits->count;
    uint64_t row, column;
    assay_tile_place(count, tile, &row, &column);
    for (uint64_t a = strip_first(row); a < strip_first(row) + strip_size(count, row); a++) {
        const uint64_t start = row == column ? a + 1 : strip_first(column);
        for (uint64_t b = start; b < strip_first(column) + strip_size(count, column); b++) {
            if (!sides_allow(plan, a, b)) {
                self->tally.other_side++;
            } else if (plan->subject[a] == plan->subject[b]) {
                self->tally.same_subject++;
            } else {
                const assay_status status = take_pair(self, a, b);
                if (status != ASSAY_OK) return status;
            }
        }
    }
    return ASSAY_OK;
}

assay_status assay_hamming_reference(const assay_all_pairs *plan, uint64_t first, uint64_t end,
                                     const assay_backend_options *options, assay_tally *out) {
    walk self = {.plan = plan,
                 .tally = {.histogram_length = histogram_length_of(plan),
                           .tail_floor = options->known_floor}};
    assay_tally *tally = &self.tally;
    assay_status status = assay_allocate(&tally->histogram, (size_t)tally->histogram_length,
                                         sizeof *tally->histogram, "histograms");
    if (status != ASSAY_OK) goto out;
    for (uint64_t tile = first; tile < end; tile++) {
        status = take_tile(&self, tile);
        if (status != ASSAY_OK) goto out;
        const uint64_t done =
            tally->non_mated + tally->same_subject + tally->other_side + tally->failed_count;
        if (!assay_progress_tell(options->progress, "compare", "pairs",
                                 options->progress_done + done, options->progress_total)) {
            status = assay_fail(ASSAY_FAILED, "interrupted after %" PRIu64 " pairs", done);
            goto out;
        }
    }
    tally->rescored = tally->non_mated;
    tally->tail_count = assay_tail_cut(tally->tail, tally->tail_count, plan->tail_limit,
                                       plan->required_fine, &tally->tail_floor);
    assay_failed_sort(tally->failed, tally->failed_count);
    *out = *tally;
    *tally = (assay_tally){0};
out:
    assay_tally_free(tally);
    return status;
}

assay_status assay_hamming_reference_places(const assay_hamming_set *set,
                                            const assay_place_pair *pairs, uint64_t count,
                                            const assay_backend_options *options,
                                            assay_scored_pair *out) {
    (void)options;
    for (uint64_t n = 0; n < count; n++) {
        out[n] = scored_pair_of(pairs[n], assay_hamming_compare(set, pairs[n].a, pairs[n].b));
    }
    return ASSAY_OK;
}
