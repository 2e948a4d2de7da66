/* shim_control -- what tests tell the shim and ask it; functions of the module, found by dlsym. */
#ifndef ASSAY_TESTS_SHIM_SHIM_CONTROL_H
#define ASSAY_TESTS_SHIM_SHIM_CONTROL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int devices, major, minor;
    uint64_t memory;  /* bytes of each device, all free */
    int order;        /* in which threads run: 0 forward, 1 backward, else a seed of a shuffle */
    int late_copies;  /* asynchronous copies arrive as late as they may */
    uint64_t fail_at; /* the call of the runtime that fails, from 1; 0: none */
    int no_blas;      /* cuBLAS is not there */
    float wrong_blas; /* added to the first product of every cuBLAS product of halves */
} shim_settings;

/* Takes effect for what follows; counts calls anew. */
void shim_set(const shim_settings *settings);
uint64_t shim_calls(void);      /* of the runtime since shim_set */
int64_t shim_outstanding(void); /* allocations, streams and events that are not released */

typedef void shim_set_function(const shim_settings *settings);
typedef uint64_t shim_calls_function(void);
typedef int64_t shim_outstanding_function(void);

#ifdef __cplusplus
}
#endif

#endif
