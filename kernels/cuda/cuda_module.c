/* cuda_module -- opening the CUDA module, and what its devices are. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/base/file.h"
#include "kernels/cuda/cuda_private.h"

#define MODULE "assay-cuda.so"

const char *assay_cuda_way_name(assay_cuda_way way) {
    static const char *const names[ASSAY_CUDA_WAY_COUNT] = {[ASSAY_CUDA_WGMMA] = "wgmma",
                                                            [ASSAY_CUDA_MMA] = "mma",
                                                            [ASSAY_CUDA_BLAS] = "blas",
                                                            [ASSAY_CUDA_DGEMM] = "dgemm"};
    return names[way];
}

/* The module's table out of the library at path. */
static assay_status table_of(const char *path, const assay_cuda_table **out) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) return assay_fail(ASSAY_DECLINED, "cannot open %s: %s", path, dlerror());
    assay_cuda_table_get_function *get = NULL;
    void *symbol = dlsym(library, ASSAY_CUDA_ENTRY);
    memcpy(&get, &symbol, sizeof get); /* ISO C has no other way from object to function */
    dlclose(library);                  /* RTLD_NODELETE: it stays */
    if (get == NULL) {
        return assay_fail(ASSAY_DECLINED, "%s has no %s; expected assay's CUDA module", path,
                          ASSAY_CUDA_ENTRY);
    }
    const assay_cuda_table *table = get();
    if (table->version != ASSAY_CUDA_VERSION) {
        return assay_fail(ASSAY_DECLINED,
                          "%s has version %u of the module's interface; expected %u: it belongs to "
                          "another version of assay",
                          path, table->version, ASSAY_CUDA_VERSION);
    }
    *out = table;
    return ASSAY_OK;
}

assay_status assay_cuda_open(const char *path, const assay_cuda_table **out) {
    if (path != NULL) return table_of(path, out);
    char *found = NULL;
    if (assay_find_helper(&found, MODULE) != ASSAY_OK) {
        return assay_fail(ASSAY_DECLINED, "there is no CUDA module (" MODULE
                                          ") beside this program: it was built without CUDA");
    }
    const assay_status status = table_of(found, out);
    free(found);
    return status;
}

assay_status assay_cuda_failed(const assay_cuda_table *table, int device, int code,
                               const char *doing) {
    return assay_fail(ASSAY_FAILED, "CUDA device %d: %s: %s (code %d)", device, doing,
                      table->error_text(code), code);
}

static assay_status count_devices(const assay_cuda_table *table, int *out) {
    const int code = table->device_count(out);
    if (code != 0) {
        return assay_fail(ASSAY_DECLINED, "no CUDA device: %s (code %d)", table->error_text(code),
                          code);
    }
    if (*out == 0) return assay_fail(ASSAY_DECLINED, "no CUDA device");
    if (*out > CUDA_DEVICES_MAX) *out = CUDA_DEVICES_MAX;
    return ASSAY_OK;
}

assay_status assay_cuda_devices(const assay_cuda_setup *setup, int *devices, unsigned *out_count) {
    const assay_cuda_table *table = setup->table;
    char refusal[256] = "there is none";
    unsigned found = 0;
    int count;
    const assay_status status = count_devices(table, &count);
    if (status != ASSAY_OK) return status;
    for (int device = 0; device < count; device++) {
        assay_cuda_device about;
        if (setup->only_device >= 0 && setup->only_device != device) continue;
        const int code = table->device_describe(device, &about);
        if (code != 0) {
            snprintf(refusal, sizeof refusal, "device %d: %s (code %d)", device,
                     table->error_text(code), code);
            continue;
        }
        const char *reason = table->way_refuses(setup->way, &about);
        if (reason == NULL) {
            devices[found++] = device;
        } else {
            snprintf(refusal, sizeof refusal, "device %d (%.100s, %d.%d): %s", device, about.name,
                     about.major, about.minor, reason);
        }
    }
    if (found == 0) return assay_fail(ASSAY_DECLINED, "no device for this way: %s", refusal);
    *out_count = found;
    return ASSAY_OK;
}

assay_status assay_cuda_describe(const assay_cuda_table *table, char *out, size_t size) {
    assay_cuda_device about;
    int count;
    const assay_status status = count_devices(table, &count);
    if (status != ASSAY_OK) return status;
    const int code = table->device_describe(0, &about);
    if (code != 0) {
        return assay_fail(ASSAY_DECLINED, "CUDA device 0: %s (code %d)", table->error_text(code),
                          code);
    }
    snprintf(out, size,
             "%d x %s (%d.%d, %.1f GB of %.1f free), driver for CUDA %d.%d, module of CUDA %d.%d",
             count, about.name, about.major, about.minor, (double)about.free_memory / 1e9,
             (double)about.memory / 1e9, about.driver / 1000, about.driver % 1000 / 10,
             about.runtime / 1000, about.runtime % 1000 / 10);
    return ASSAY_OK;
}
