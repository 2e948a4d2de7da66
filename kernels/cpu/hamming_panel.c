/* hamming_panel -- rotated templates side by side, and the choice among the paths. */
#include <string.h>

#include "kernels/cpu/hamming_private.h"

const assay_hamming_path *assay_hamming_path_at(unsigned index) {
    static const assay_hamming_path *const fastest_first[] = {
        &assay_hamming_path_avx512,
        &assay_hamming_path_avx2,
        &assay_hamming_path_popcnt,
        &assay_hamming_path_portable,
    };
    return index < sizeof fastest_first / sizeof *fastest_first ? fastest_first[index] : NULL;
}

const assay_hamming_path *assay_hamming_path_best(void) {
    unsigned n = 0; /* the last one runs everywhere */
    while (!assay_hamming_path_at(n)->supported()) n++;
    return assay_hamming_path_at(n);
}

const char *assay_hamming_path_name(void) {
    return assay_hamming_path_best()->name;
}

/* 64 bits from bit `at` on, of which `wanted` are asked for and the rest are anything. */
static uint64_t bits_from(uint64_t low, const uint64_t *high, uint32_t at, uint32_t wanted) {
    return at + wanted > 64 ? low >> at | *high << (64 - at) : low >> at;
}

/* Bits from_bit … + count - 1 of from to to_bit … of to, which are 0 there. */
static void copy_bits(assay_hamming_word *to, uint32_t to_bit, const assay_hamming_word *from,
                      uint32_t from_bit, uint32_t count) {
    while (count > 0) {
        const uint32_t to_at = to_bit % 64, from_at = from_bit % 64;
        const uint32_t wanted = count < 64 - to_at ? count : 64 - to_at;
        const uint64_t keep = wanted == 64 ? UINT64_MAX : (UINT64_C(1) << wanted) - 1;
        const assay_hamming_word *word = from + from_bit / 64;
        to[to_bit / 64].code |= (bits_from(word->code, &word[1].code, from_at, wanted) & keep)
                                << to_at;
        to[to_bit / 64].mask |= (bits_from(word->mask, &word[1].mask, from_at, wanted) & keep)
                                << to_at;
        to_bit += wanted;
        from_bit += wanted;
        count -= wanted;
    }
}

void assay_hamming_rotate(const assay_hamming_rule *rule, const assay_hamming_word *b,
                          int32_t shift, assay_hamming_word *out) {
    const uint32_t columns = rule->bits / rule->rows;
    const int64_t moved = shift * (int64_t)rule->shift_bits % columns;
    const uint32_t up = (uint32_t)(moved < 0 ? moved + columns : moved);
    memset(out, 0, (rule->bits + 63) / 64 * sizeof *out);
    for (uint32_t first = 0; first < rule->bits; first += columns) {
        copy_bits(out, first + up, b, first, columns - up);
        copy_bits(out, first, b, first + columns - up, up);
    }
}

void assay_hamming_pack(const assay_hamming_set *set, uint64_t first, uint32_t size, int32_t shift,
                        uint32_t lanes, assay_hamming_word *scratch, uint64_t *panel) {
    const uint32_t words = set->word_count;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        const assay_hamming_word *from = scratch;
        if (lane >= size) {
            memset(scratch, 0, words * sizeof *scratch);
        } else if (shift == 0) {
            from = set->words + (size_t)(first + lane) * words;
        } else {
            assay_hamming_rotate(&set->rule, set->words + (size_t)(first + lane) * words, shift,
                                 scratch);
        }
        for (uint32_t k = 0; k < words; k++) {
            panel[(size_t)k * 2 * lanes + lane] = from[k].code;
            panel[(size_t)k * 2 * lanes + lanes + lane] = from[k].mask;
        }
    }
}
