/* algorithms -- the built-in algorithms by name (algorithms.def). */
#include "harness/algorithms.h"

#include <string.h>

#include "datasets/base/text.h"

#define ALGORITHM(variable) extern const assay_algorithm variable;
#include "harness/algorithms.def"
#undef ALGORITHM

static const assay_algorithm *const algorithms[] = {
#define ALGORITHM(variable) &variable,
#include "harness/algorithms.def"
#undef ALGORITHM
};

#define ALGORITHM_COUNT (sizeof algorithms / sizeof algorithms[0])

size_t assay_algorithm_count(void) {
    return ALGORITHM_COUNT;
}

const assay_algorithm *assay_algorithm_at(size_t index) {
    return index < ALGORITHM_COUNT ? algorithms[index] : NULL;
}

assay_status assay_algorithm_find(const char *name, const assay_algorithm **out) {
    const char *known[ALGORITHM_COUNT];
    char suggestion[512];
    for (size_t n = 0; n < ALGORITHM_COUNT; n++) {
        known[n] = algorithms[n]->name;
        if (strcmp(name, known[n]) != 0) continue;
        *out = algorithms[n];
        return ASSAY_OK;
    }
    return assay_fail(ASSAY_USAGE, "unknown algorithm '%s': %s", name,
                      assay_suggest(suggestion, sizeof suggestion, name, known, ALGORITHM_COUNT));
}
