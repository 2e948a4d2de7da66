/* backend -- the list of backends (backends.def) and the choice among them. */
#include "kernels/backend.h"

#include <string.h>

#include "datasets/base/text.h"

#define BACKEND(variable) extern const assay_backend variable;
#include "kernels/backends.def"
#undef BACKEND

static const assay_backend *const backends[] = {
#define BACKEND(variable) &variable,
#include "kernels/backends.def"
#undef BACKEND
};

enum { BACKEND_COUNT = sizeof backends / sizeof *backends };

size_t assay_backend_count(void) {
    return BACKEND_COUNT;
}

const assay_backend *assay_backend_at(size_t index) {
    return index < BACKEND_COUNT ? backends[index] : NULL;
}

assay_status assay_backend_find(const char *name, const assay_backend **out) {
    return assay_backend_find_for(name, ASSAY_COMPARES_VECTORS, out);
}

assay_status assay_backend_find_for(const char *name, assay_compared compared,
                                    const assay_backend **out) {
    const char *known[BACKEND_COUNT + 1] = {[BACKEND_COUNT] = "auto"};
    const int any = strcmp(name, "auto") == 0;
    for (size_t n = 0; n < BACKEND_COUNT; n++) {
        known[n] = backends[n]->name;
        if (!any && strcmp(name, backends[n]->name) != 0) continue;
        if (compared == ASSAY_COMPARES_BITS && backends[n]->bits_all_pairs == NULL) {
            if (any) continue;
            return assay_fail(ASSAY_DECLINED, "backend %s does not compare bit strings",
                              backends[n]->name);
        }
        char line[256];
        const assay_status status = backends[n]->probe(line, sizeof line);
        if (status == ASSAY_DECLINED && any) continue;
        if (status != ASSAY_OK) {
            return assay_fail_in(status, "backend %s", backends[n]->name);
        }
        *out = backends[n];
        return ASSAY_OK;
    }
    if (any) return assay_fail(ASSAY_DECLINED, "every backend declines (see 'assay backends')");
    char suggestion[256];
    return assay_fail(ASSAY_USAGE, "unknown backend '%s'; %s", name,
                      assay_suggest(suggestion, sizeof suggestion, name, known, BACKEND_COUNT + 1));
}
