/* enrolled -- the result of enroll and import, printed. */
#ifndef ASSAY_HARNESS_CLI_ENROLLED_H
#define ASSAY_HARNESS_CLI_ENROLLED_H

#include "harness/steps.h"

assay_status assay_print_enrolled(const char *path, bool json, bool quiet,
                                  const assay_enroll_result *result) ASSAY_MUST_CHECK;

#endif
