/* algorithms -- the built-in algorithms by name (algorithms.def). */
#ifndef ASSAY_HARNESS_ALGORITHMS_H
#define ASSAY_HARNESS_ALGORITHMS_H

#include "datasets/base/status.h"
#include "harness/algorithm.h"

size_t assay_algorithm_count(void);
const assay_algorithm *assay_algorithm_at(size_t index);
/* ASSAY_USAGE, naming the known ones and the nearest. */
assay_status assay_algorithm_find(const char *name, const assay_algorithm **out) ASSAY_MUST_CHECK;

#endif
