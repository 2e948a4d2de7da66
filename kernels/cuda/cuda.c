/* cuda -- the backends by CUDA: each way under a name of its own, and the first of them that this
 * machine's devices can take. Nothing of CUDA is linked: the module is opened when one of them is
 * asked (cuda_module.c). */
#include <stdio.h>

#include "datasets/base/text.h"
#include "kernels/cuda/cuda_private.h"

enum { NO_WAY = ASSAY_CUDA_WAY_COUNT };

/* Every device that will be used gives the known answers, or the way declines. */
static assay_status try_way(const assay_cuda_table *table, assay_cuda_way way,
                            assay_cuda_setup *out) {
    assay_cuda_setup setup = {.table = table, .way = way, .only_device = -1};
    int devices[CUDA_DEVICES_MAX];
    unsigned count;
    assay_status status = assay_cuda_devices(&setup, devices, &count);
    for (unsigned n = 0; status == ASSAY_OK && n < count; n++) {
        assay_cuda_setup one = setup;
        one.only_device = devices[n];
        status = assay_cuda_known_answers(&one);
    }
    if (status == ASSAY_OK) *out = setup;
    return status;
}

/* The setup of a way; for NO_WAY the first of the fast ones that does not decline, with what the
 * others said. */
static assay_status set_up(int way, assay_cuda_setup *out) {
    static const assay_cuda_way fastest_first[] = {ASSAY_CUDA_WGMMA, ASSAY_CUDA_MMA,
                                                   ASSAY_CUDA_BLAS};
    const assay_cuda_table *table;
    assay_text said = {0};
    assay_status status = assay_cuda_open(NULL, &table);
    if (status != ASSAY_OK) return status;
    if (way != NO_WAY) return try_way(table, (assay_cuda_way)way, out);
    char devices[256];
    status = assay_cuda_describe(table, devices, sizeof devices);
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < sizeof fastest_first / sizeof *fastest_first; n++) {
        status = try_way(table, fastest_first[n], out);
        if (status != ASSAY_DECLINED) break;
        assay_text_appendf(&said, "%s%s: %s", said.length > 0 ? "; " : "",
                           assay_cuda_way_name(fastest_first[n]), assay_error_text());
    }
    if (status == ASSAY_DECLINED && said.bytes != NULL) {
        status = assay_fail(ASSAY_DECLINED, "%s", said.bytes);
    }
    assay_text_free(&said);
    return status;
}

static assay_status probe(int way, char *out_line, size_t size) {
    assay_cuda_setup setup;
    char devices[200];
    assay_status status = set_up(way, &setup);
    if (status != ASSAY_OK) return status;
    status = assay_cuda_describe(setup.table, devices, sizeof devices);
    if (status != ASSAY_OK) return status;
    snprintf(out_line, size, "way %s: %s", assay_cuda_way_name(setup.way), devices);
    return ASSAY_OK;
}

static assay_status all_pairs(int way, const assay_all_pairs *plan, uint64_t first, uint64_t end,
                              const assay_backend_options *options, assay_tally *out) {
    assay_cuda_setup setup;
    const assay_status status = set_up(way, &setup);
    if (status != ASSAY_OK) return status;
    return assay_cuda_all_pairs(&setup, plan, first, end, options, out);
}

static assay_status score_pairs(int way, const assay_quantised *templates,
                                const assay_place_pair *pairs, uint64_t count,
                                const assay_backend_options *options, assay_scored_pair *out) {
    assay_cuda_setup setup;
    const assay_status status = set_up(way, &setup);
    if (status != ASSAY_OK) return status;
    return assay_cuda_score_pairs(&setup, templates, pairs, count, options, out);
}

static uint64_t memory(const assay_all_pairs *plan, unsigned threads) {
    (void)threads;
    return assay_cuda_host_memory(plan);
}

/* What a backend of a way consists of; the backends themselves follow. */
#define CUDA_FUNCTIONS(suffix, way)                                                                \
    static assay_status probe_##suffix(char *out_line, size_t size) {                              \
        return probe(way, out_line, size);                                                         \
    }                                                                                              \
    static assay_status all_pairs_##suffix(const assay_all_pairs *plan, uint64_t first,            \
                                           uint64_t end, const assay_backend_options *options,     \
                                           assay_tally *out) {                                     \
        return all_pairs(way, plan, first, end, options, out);                                     \
    }                                                                                              \
    static assay_status score_pairs_##suffix(                                                      \
        const assay_quantised *templates, const assay_place_pair *pairs, uint64_t count,           \
        const assay_backend_options *options, assay_scored_pair *out) {                            \
        return score_pairs(way, templates, pairs, count, options, out);                            \
    }
#define CUDA_MEMBERS(suffix)                                                                       \
    .probe = probe_##suffix, .memory = memory, .all_pairs = all_pairs_##suffix,                    \
    .score_pairs = score_pairs_##suffix

CUDA_FUNCTIONS(best, NO_WAY)
CUDA_FUNCTIONS(wgmma, ASSAY_CUDA_WGMMA)
CUDA_FUNCTIONS(mma, ASSAY_CUDA_MMA)
CUDA_FUNCTIONS(blas, ASSAY_CUDA_BLAS)
CUDA_FUNCTIONS(dgemm, ASSAY_CUDA_DGEMM)

extern const assay_backend assay_backend_cuda, assay_backend_cuda_wgmma, assay_backend_cuda_mma,
    assay_backend_cuda_blas, assay_backend_cuda_dgemm;

const assay_backend assay_backend_cuda = {
    .name = "cuda",
    .purpose = "the fastest of the next three that the GPUs here can take",
    CUDA_MEMBERS(best),
};

const assay_backend assay_backend_cuda_wgmma = {
    .name = "cuda-wgmma",
    .purpose = "GPU: fused warpgroup products (Hopper)",
    CUDA_MEMBERS(wgmma),
};

const assay_backend assay_backend_cuda_mma = {
    .name = "cuda-mma",
    .purpose = "GPU: fused warp products (Ampere and later)",
    CUDA_MEMBERS(mma),
};

const assay_backend assay_backend_cuda_blas = {
    .name = "cuda-blas",
    .purpose = "GPU: cuBLAS products of integers held as halves",
    CUDA_MEMBERS(blas),
};

const assay_backend assay_backend_cuda_dgemm = {
    .name = "cuda-dgemm",
    .purpose = "GPU: cuBLAS products in double, every fine score (an oracle)",
    CUDA_MEMBERS(dgemm),
};
