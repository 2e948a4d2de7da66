/* fuzz_policy -- the reader of the gate's policies: every number that it gives is one that a policy
 * may have. */
#include <math.h>

#include "reports/policy.h"
#include "tests/fuzz/fuzz_support.h"

/* Not asked, or a rate. */
static void need_share(double value) {
    if (!isnan(value) && !(value >= -1 && value <= 1)) abort();
}

static void need_limits(const assay_policy_limits *limits) {
    need_share(limits->gfnmr_margin);
    need_share(limits->gfnmr_limit);
    need_share(limits->fte_margin);
    need_share(limits->fte_limit);
    if (isinf(limits->fmr_limit) || isinf(limits->fmr_ratio)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int fd = fuzz_file(data, size, path);
    assay_policy policy = {0};
    if (assay_policy_read(path, &policy) == ASSAY_OK) {
        if (!policy.name || !(policy.alpha > 0 && policy.alpha < 1)) abort();
        need_limits(&policy.everybody);
        need_limits(&policy.groups);
        assay_policy_free(&policy);
    }
    close(fd);
    return 0;
}
