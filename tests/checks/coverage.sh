#!/usr/bin/env bash
# coverage.sh [CTEST ARGUMENT...] -- builds the preset coverage, runs the tests (default: all but bench and soak), and
# reports by gcovr how many lines and branches of each room's own C code they reach: a table on standard output, and pages
# in build/coverage/report. Status 77 where gcovr is absent.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v gcovr >/dev/null; then
    echo "skipped: no gcovr (Debian: gcovr)"
    exit 77
fi
cmake --preset coverage -DASSAY_CUDA=OFF >/dev/null
cmake --build --preset coverage --parallel "$(nproc)" >/dev/null
find build/coverage -name '*.gcda' -delete
[ $# -gt 0 ] || set -- -LE 'fuzz|soak'
ctest --test-dir build/coverage -j"$(nproc)" "$@" >build/coverage/tests.log 2>&1 || echo "some tests failed: build/coverage/tests.log"
mkdir -p build/coverage/report
gcovr --root . --object-directory build/coverage --gcov-ignore-parse-errors --exclude-throw-branches \
    --exclude 'tests/' --exclude 'build/' --exclude 'kernels/cuda/' --filter 'datasets/' --filter 'harness/' --filter 'kernels/' \
    --filter 'reports/' --json-summary build/coverage/report/summary.json --html-details build/coverage/report/index.html >/dev/null
python3 tests/checks/coverage_table.py build/coverage/report/summary.json
