/* compare_bits -- bit strings in a comparison: whether comparator and templates fit, and the
 * templates in the order of the plan. */
#include <inttypes.h>
#include <string.h>

#include "datasets/base/memory.h"
#include "harness/compare_private.h"

enum { READ_ROWS = 4096 };

static bool of_bits(const comparison *work) {
    return work->head->kind == ASSAY_TEMPLATES_BITS;
}

assay_status assay_compare_check_kind(comparison *work, const char *comparator) {
    const assay_templates_head *head = work->head;
    assay_comparator_settings settings;
    assay_status status = assay_comparator_read(comparator, &settings);
    if (status != ASSAY_OK) return status;
    if (assay_comparator_takes_bits(settings.comparator) != of_bits(work)) {
        return assay_fail(ASSAY_USAGE, "comparator %s does not compare %s; expected %s", comparator,
                          of_bits(work) ? "bit strings" : "vectors",
                          of_bits(work) ? "hamming" : "cosine, inner-product or euclidean");
    }
    if (of_bits(work)) {
        /* What is not asked is as the templates' own comparator says. */
        assay_comparator_settings own;
        if (assay_comparator_read(head->comparator, &own) == ASSAY_OK) {
            if (!settings.has_shifts && own.has_shifts) settings.shifts = own.shifts;
            if (!settings.has_minimum && own.has_minimum) {
                settings.has_minimum = true;
                settings.minimum_valid_bits = own.minimum_valid_bits;
            }
        }
        assay_comparator_complete(&settings, head->length);
        work->rule = (assay_hamming_rule){.bits = head->length,
                                          .rows = head->bit_rows,
                                          .shift_bits = head->shift_bits,
                                          .shifts = settings.shifts,
                                          .minimum_valid_bits = settings.minimum_valid_bits};
        status = assay_hamming_check(&work->rule);
        if (status != ASSAY_OK) return status;
    }
    work->comparator = settings.comparator;
    assay_comparator_print(&settings, work->comparator_text);
    return ASSAY_OK;
}

/* Codes and masks of the places, in plan order. */
static assay_status read_rows(const comparison *work, uint8_t *codes, uint8_t *masks) {
    const uint64_t rows = work->head->table.row_count;
    const size_t bytes = work->head->length / 8;
    uint8_t *block = NULL;
    assay_status status = assay_allocate(&block, READ_ROWS, 2 * bytes, "a block of templates");
    for (uint64_t first = 0; status == ASSAY_OK && first < rows; first += READ_ROWS) {
        const uint64_t count = rows - first < READ_ROWS ? rows - first : READ_ROWS;
        status = assay_compare_read(work, first, count, block);
        for (uint64_t n = 0; status == ASSAY_OK && n < count; n++) {
            const uint32_t place = work->plan.place[first + n];
            if (place == UINT32_MAX) continue;
            memcpy(codes + place * bytes, block + n * 2 * bytes, bytes);
            memcpy(masks + place * bytes, block + n * 2 * bytes + bytes, bytes);
        }
        assay_progress_tell(work->progress, "read", "templates", first + count, rows);
    }
    free(block);
    return status;
}

assay_status assay_compare_read_bits(comparison *work) {
    const size_t bytes = work->head->length / 8, count = (size_t)work->plan.count;
    uint8_t *codes = NULL, *masks = NULL;
    assay_status status = assay_allocate(&codes, count, bytes, "codes of templates");
    if (status == ASSAY_OK) status = assay_allocate(&masks, count, bytes, "masks of templates");
    if (status == ASSAY_OK) status = read_rows(work, codes, masks);
    if (status == ASSAY_OK) {
        status = assay_hamming_set_create(&work->rule, count, codes, masks, &work->bits);
    }
    free(codes);
    free(masks);
    if (status != ASSAY_OK) return status;
    work->set = (assay_quantised){.count = count,
                                  .comparator = ASSAY_HAMMING,
                                  .exponent = ASSAY_HAMMING_EXPONENT,
                                  .coarse_scale = ASSAY_HAMMING_COARSE_SCALE,
                                  .bound = ASSAY_HAMMING_BOUND};
    return ASSAY_OK;
}

assay_status assay_compare_run(const assay_backend *backend, const assay_all_pairs *plan,
                               uint64_t first, uint64_t end, const assay_backend_options *options,
                               assay_tally *out) {
    return plan->bits != NULL ? backend->bits_all_pairs(plan, first, end, options, out)
                              : backend->all_pairs(plan, first, end, options, out);
}
