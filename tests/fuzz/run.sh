#!/usr/bin/env bash
# run.sh SECONDS [TARGET...] -- builds the preset fuzz (clang) and runs each target (default: all) for so
# long, one after another, from a copy of its corpus. One line a target: executions, coverage (edges),
# and whether anything was found; what was found is kept in build/fuzz/found. Status 77 where clang
# or its libFuzzer is absent.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
if ! command -v clang >/dev/null; then
    echo "skipped: no clang, whose libFuzzer these targets are built with"
    exit 77
fi
if ! echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
    clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null; then
    echo "skipped: clang has no libFuzzer here (Debian: libclang-rt-14-dev)"
    exit 77
fi
log=$(mktemp)
trap 'rm -rf "$log" "${work:-}"' EXIT
if ! { cmake --preset fuzz -DASSAY_CUDA=OFF && cmake --build --preset fuzz --parallel 2; } >"$log" 2>&1; then
    tail -20 "$log"
    exit 1
fi
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')
failed=0
mkdir -p build/fuzz/found
printf '%-10s %12s %10s %8s %s\n' target executions edges seconds found
for name in "$@"; do
    work=$(mktemp -d)
    cp tests/fuzz/corpus/"$name"/* "$work"
    build/fuzz/tests/fuzz_"$name" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -max_len=8192 \
        -artifact_prefix=build/fuzz/found/"$name"- -print_final_stats=1 "$work" >"$log" 2>&1
    status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
    found=nothing
    if [ $status -ne 0 ]; then
        found=$(grep -m1 -E 'ERROR|runtime error|timeout' "$log" || echo "status $status")
        failed=1
    fi
    printf '%-10s %12s %10s %8s %s\n' "$name" "${executions:-?}" "${edges:-?}" "$seconds" "$found"
    rm -rf "$work"
done
exit $failed
