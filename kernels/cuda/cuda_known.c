/* cuda_known -- known answers: a small set whose sums come close to 2^24 in many orders, through
 * the whole of a way, held against the definition. A card whose tensor cores round, or whose
 * compiler got a fragment wrong, shows here, and the way declines. */
#include <string.h>

#include "datasets/base/memory.h"
#include "datasets/base/random.h"
#include "kernels/cuda/cuda_private.h"

enum {
    /* Two strips: a plain item, mixed ones, ragged ones, and the diagonal; three steps of 64
     * components and a ragged end. Every pair is a candidate, so every product is looked at. */
    KNOWN_COUNT = 520,
    KNOWN_BORDER = 256, /* of groups */
    KNOWN_LENGTH = 200,
    KNOWN_GROUPS = 2,
    KNOWN_TAIL = 20000,
    KNOWN_SPARSE = 6,
    KNOWN_SEED = 20,
};

extern const assay_backend assay_backend_reference;

/* Kinds of vectors in turn: all components as large as one another, the same but for a few signs
 * (so sums near 2^24 and -2^24), normal, and a few large components. */
static void make_vectors(float *vectors) {
    assay_random random;
    assay_random_start(&random, KNOWN_SEED, 0);
    for (uint32_t n = 0; n < KNOWN_COUNT; n++) {
        float *row = vectors + (size_t)n * KNOWN_LENGTH;
        for (uint32_t k = 0; k < KNOWN_LENGTH; k++) {
            const float sign = (k * 7 + n / 8 % 2) % 3 == 0 ? -1.0f : 1.0f;
            row[k] = n % 4 == 2 ? (float)assay_random_normal(&random) : n % 4 == 3 ? 0.0f : sign;
            if (n % 4 == 1 && assay_random_below(&random, 64) == 0) row[k] = -row[k] * 1.01f;
        }
        for (uint32_t k = 0; k < KNOWN_SPARSE && n % 4 == 3; k++) {
            row[assay_random_below(&random, KNOWN_LENGTH)] = k % 2 == 0 ? 1.0f : -0.97f;
        }
        row[n % KNOWN_LENGTH] += n % 4 == 3 ? 1.0f : 0.0f; /* never all zero */
    }
}

static bool same(const assay_tally *x, const assay_tally *y, const char **out_what) {
    *out_what = "counts";
    if (x->non_mated != y->non_mated || x->same_subject != y->same_subject ||
        x->other_side != y->other_side || x->histogram_pairs != y->histogram_pairs) {
        return false;
    }
    *out_what = "histograms";
    if (memcmp(x->histogram, y->histogram, (size_t)x->histogram_length * sizeof *x->histogram) !=
        0) {
        return false;
    }
    *out_what = "scores";
    if (x->tail_count != y->tail_count || x->tail_floor != y->tail_floor) return false;
    for (uint64_t n = 0; n < x->tail_count; n++) {
        const assay_scored_pair *u = &x->tail[n], *v = &y->tail[n];
        if (u->fine != v->fine || u->coarse != v->coarse || u->a != v->a || u->b != v->b) {
            return false;
        }
    }
    return true;
}

static assay_status compare(const assay_cuda_setup *setup, const assay_all_pairs *plan) {
    const assay_backend_options options = {.threads = 1, .known_floor = INT64_MIN};
    const uint64_t tiles = assay_tile_count(KNOWN_COUNT);
    assay_tally expected = {0}, found = {0};
    const char *what = "";
    assay_status status = assay_backend_reference.all_pairs(plan, 0, tiles, &options, &expected);
    if (status != ASSAY_OK) goto out;
    assay_cuda_setup small = *setup;
    small.most_capacity = CUDA_UNIT_CELLS;
    status = assay_cuda_all_pairs(&small, plan, 0, tiles, &options, &found);
    if (status != ASSAY_OK) goto out;
    if (!same(&found, &expected, &what)) {
        status = assay_fail(ASSAY_DISAGREES, "%s are not those of the definition", what);
    }
out:
    assay_tally_free(&expected);
    assay_tally_free(&found);
    if (status == ASSAY_OK) return status;
    return assay_fail(ASSAY_DECLINED, "way %s fails its known answers: %s",
                      assay_cuda_way_name(setup->way), assay_error_text());
}

assay_status assay_cuda_known_answers(const assay_cuda_setup *setup) {
    uint32_t subject[KNOWN_COUNT], group[KNOWN_COUNT];
    uint8_t side[KNOWN_COUNT] = {0};
    assay_quantised templates = {0};
    float *vectors = NULL;
    assay_status status = assay_allocate(&vectors, (size_t)KNOWN_COUNT * KNOWN_LENGTH,
                                         sizeof *vectors, "known answers");
    if (status != ASSAY_OK) return status;
    make_vectors(vectors);
    for (uint32_t n = 0; n < KNOWN_COUNT; n++) {
        subject[n] = n / 3;
        group[n] = n < KNOWN_BORDER ? 0 : 1;
    }
    status = assay_quantise(ASSAY_COSINE, KNOWN_COUNT, KNOWN_LENGTH, vectors, &templates);
    free(vectors);
    if (status != ASSAY_OK) return status;
    const assay_all_pairs plan = {.templates = &templates,
                                  .subject = subject,
                                  .group = group,
                                  .side = side,
                                  .group_count = KNOWN_GROUPS,
                                  .tail_limit = KNOWN_TAIL,
                                  .required_fine = INT64_MAX,
                                  .tail_cap = UINT64_C(1) << 26,
                                  .bins_mode = ASSAY_BINS_FULL};
    status = compare(setup, &plan);
    assay_quantised_free(&templates);
    return status;
}
