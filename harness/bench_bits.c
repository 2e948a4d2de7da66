/* bench_bits -- synthetic bit strings to measure with (bench.h). */
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/random.h"
#include "harness/bench_private.h"

#define SAMPLE_STREAMS (UINT64_C(1) << 40) /* streams below are the subjects' */

assay_status assay_bench_rule(const assay_bench_options *options, assay_hamming_rule *out) {
    const uint32_t bits = options->population.length;
    const assay_hamming_rule rule = {
        .bits = bits,
        .rows = bits % ASSAY_BENCH_BIT_ROWS == 0 ? ASSAY_BENCH_BIT_ROWS : 1,
        .shift_bits = 1,
        .shifts = options->shifts,
        .minimum_valid_bits =
            options->minimum_valid_bits > 0 ? options->minimum_valid_bits : (bits + 3) / 4};
    *out = rule;
    return assay_hamming_check(&rule);
}

/* Bytes of which each bit is 1 with a probability of one in eight. */
static uint32_t draw_eighth(assay_random *random) {
    return assay_random_u32(random) & assay_random_u32(random) & assay_random_u32(random);
}

static void make_row(const assay_bench_population *of, uint64_t place, const uint8_t *subject,
                     uint8_t *code, uint8_t *mask) {
    assay_random random;
    assay_random_start(&random, of->seed, SAMPLE_STREAMS + place);
    for (uint32_t k = 0; k < of->length / 8; k += 4) {
        const uint32_t flipped = draw_eighth(&random), valid = ~draw_eighth(&random);
        for (uint32_t n = 0; n < 4 && k + n < of->length / 8; n++) {
            code[k + n] = (uint8_t)(subject[k + n] ^ flipped >> 8 * n);
            mask[k + n] = (uint8_t)(valid >> 8 * n);
        }
    }
}

static void make_subject(const assay_bench_population *of, uint64_t subject, uint8_t *code) {
    assay_random random;
    assay_random_start(&random, of->seed, subject);
    for (uint32_t k = 0; k < of->length / 8; k++) code[k] = (uint8_t)assay_random_u32(&random);
}

assay_status assay_bench_bits_fill(const assay_bench_population *of, const assay_progress *progress,
                                   bench_set *set) {
    const size_t bytes = of->length / 8, count = (size_t)of->templates;
    uint8_t *subject = NULL;
    assay_pace pace = {0};
    assay_status status = assay_allocate(&subject, bytes, 1, "a subject");
    if (status == ASSAY_OK) status = assay_allocate(&set->codes, count, bytes, "codes");
    if (status == ASSAY_OK) status = assay_allocate(&set->masks, count, bytes, "masks");
    for (uint64_t place = 0; status == ASSAY_OK && place < count; place++) {
        if (place % of->samples_per_subject == 0)
            make_subject(of, place / of->samples_per_subject, subject);
        make_row(of, place, subject, set->codes + place * bytes, set->masks + place * bytes);
        if (assay_pace_due(&pace) &&
            !assay_progress_tell(progress, "synthesise", "templates", place, of->templates))
            status = assay_fail(ASSAY_FAILED, "interrupted while making templates");
    }
    free(subject);
    return status;
}
