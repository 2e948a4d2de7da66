#!/usr/bin/env bash
# valgrind.sh [TEST...] -- the unit tests under valgrind (default: those that start no confined program, which valgrind does
# not follow into their limits), in the build of the preset dev. Status 77 where valgrind is absent.
set -uo pipefail
cd "$(dirname "$0")/../.."
if ! command -v valgrind >/dev/null; then
    echo "skipped: no valgrind"
    exit 77
fi
[ $# -gt 0 ] || set -- test_containers test_file test_grouping test_labels test_manifest test_manifest_bad test_npy test_policy \
    test_protocol test_sample_table test_score_form test_sealed_file test_status test_text test_yaml
failed=0
for name in "$@"; do
    program=build/dev/tests/$name
    [ -x "$program" ] || continue
    log=$(mktemp)
    if OPENBLAS_NUM_THREADS=1 valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        --child-silent-after-fork=yes "$program" >"$log" 2>&1; then
        echo "clean   $name"
    else
        echo "REPORTS $name"
        grep -E '^==|ERROR|FAILED' "$log" | head -40
        failed=1
    fi
    rm -f "$log"
done
exit $failed
