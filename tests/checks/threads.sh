#!/usr/bin/env bash
# threads.sh [CTEST REGEX] -- the tests with threads in a build with the thread sanitizer (preset tsan): all pairs, enrolment,
# comparisons. Any report fails its test.
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --preset tsan -DASSAY_CUDA=OFF >/dev/null
cmake --build --preset tsan --parallel "$(nproc)" >/dev/null
TSAN_OPTIONS="halt_on_error=1" ctest --test-dir build/tsan -R "${1:-backends.test_(backends|compare|hamming|cpu_guards)|unit.test_(enroll|figures|galleries)}" \
    --output-on-failure
