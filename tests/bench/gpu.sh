#!/usr/bin/env bash
# gpu.sh -- builds, tests and measures the cuda backends on a machine with a GPU, in one call of under ten
# minutes. Needs a C and C++ compiler, CMake and CUDA, none of assay's other libraries.
#
# usage: tests/bench/gpu.sh [FOLDER]     writes gpu.json and logs there; default: gpu-results
# Exit status: 0 all right, 77 no device, else what failed first.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${1:-gpu-results}
mkdir -p "$out"
out=$(cd "$out" && pwd)
build=build/gpu

step() { # NAME SECONDS COMMAND...
    local name=$1 seconds=$2
    shift 2
    echo "== $name"
    timeout "$seconds" "$@" >"$out/$name.log" 2>&1
    local status=$?
    tail -n 12 "$out/$name.log"
    [ $status -eq 0 ] || echo "gpu.sh: $name ended with status $status (see $out/$name.log)"
    return $status
}

nvidia-smi >"$out/device.log" 2>&1 || true
step configure 60 cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DASSAY_CUDA=ON -DASSAY_KERNELS_ONLY=ON || exit 1
step build 180 cmake --build "$build" --parallel "$(nproc)" || exit 1
export ASSAY_BUILD="$PWD/$build"
step test 120 "$build/tests/gpu/test_gpu"
tested=$?
[ $tested -eq 77 ] && exit 77
if command -v compute-sanitizer >/dev/null; then
    # Small: the checker is slow. What it says is kept, and counts only where it accepts the device.
    step memcheck 40 compute-sanitizer --tool memcheck "$build/tests/gpu/bench_gpu" 1500 64 1 || true
    step racecheck 40 compute-sanitizer --tool racecheck "$build/tests/gpu/bench_gpu" 1500 64 1 || true
fi
echo "== bench"
timeout 120 "$build/tests/gpu/bench_gpu" 200000 512 3 >"$out/gpu.json" 2>"$out/bench.log"
measured=$?
cat "$out/bench.log" "$out/gpu.json"
[ $tested -eq 0 ] && exit $measured
exit $tested
