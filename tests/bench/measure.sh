#!/usr/bin/env bash
# measure.sh PROGRAM [--quick] -- measures this machine by `assay bench` and against the peers, and writes
# tests/bench/results/DATE-DEVICE.json: device, versions, date, commit, load, and every result as it came.
# Wants a quiet machine and some ten minutes; --quick, which tries the script itself, one.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
program="${1:?usage: measure.sh PROGRAM [--quick]}"
quick="${2:-}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if [ "$quick" = --quick ]; then
    base=2000 few=1000 scale="1000 2000" repeat=1 rounds=1
else
    base=20000 few=5000 scale="10000 20000 50000 100000" repeat=7 rounds=5
fi
number=0

# bench NAME OPTION...: one result, in the order of the calls. What the environment says is kept with it.
bench() {
    local name="$1" file
    shift
    number=$((number + 1))
    file="$(printf '%s/%02d' "$work" "$number")"
    echo "$name: assay bench $*" >&2
    "$program" bench --quiet --json "$@" >"$file.result"
    python3 -c 'import json, os, sys; print(json.dumps({"name": sys.argv[1], "arguments": sys.argv[2:],
        "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE")}))' "$name" "$@" >"$file.about"
}

# peers NAME: the table of run.py.
peers() {
    number=$((number + 1))
    echo "$1: the peers" >&2
    python3 "$here/peers/run.py" --program "$program" --templates "$base" --few "$few" --rounds "$rounds" \
        --json "$(printf '%s/%02d' "$work" "$number").peers" >&2
}

uptime >"$work/load"
bench "one thread" --templates "$base" --threads 1 --repeat "$repeat"
bench "all threads" --templates "$base" --repeat "$repeat"
bench "low rates alone" --templates "$base" --threads 1 --repeat "$repeat" --fmr-targets 1e-4,1e-5,1e-6
bench "tail of assay compare" --templates "$base" --threads 1 --repeat "$repeat" --tail-limit default
for backend in $("$program" backends --json | python3 -c '
import json, sys
print(*[of["name"] for of in json.load(sys.stdin)["backends"]
        if of["available"] and of["name"].startswith("cpu-")])'); do
    bench "backend $backend" --templates "$base" --threads 1 --repeat "$repeat" --backend "$backend"
done
for length in 128 256 1024 2048; do
    bench "length $length" --templates "$base" --threads 1 --repeat "$repeat" --length "$length"
done
for groups in 1 48; do
    bench "groups $groups" --templates "$base" --threads 1 --repeat "$repeat" --groups "$groups"
done
for templates in $scale; do
    bench "scale $templates" --templates "$templates" --repeat 1
done
peers "peers"
# OpenBLAS knows processors by name, and takes its AVX2 kernels on an AVX-512 one that is newer than itself.
# Against its best is the fair comparison: once more with that.
if grep -qw avx512f /proc/cpuinfo; then
    export OPENBLAS_CORETYPE=SkylakeX
    bench "one thread, OpenBLAS with AVX-512" --templates "$base" --threads 1 --repeat "$repeat"
    bench "all threads, OpenBLAS with AVX-512" --templates "$base" --repeat "$repeat"
    peers "peers, OpenBLAS with AVX-512"
    unset OPENBLAS_CORETYPE
fi
uptime >>"$work/load"

results="$here/results"
[ "$quick" != --quick ] || results="$work" # which is removed in the end
mkdir -p "$results"
"$program" --version >"$work/version"
commit="$(git -C "$here" rev-parse HEAD 2>/dev/null || echo unknown)"
[ -z "$(git -C "$here" status --porcelain 2>/dev/null)" ] || commit="$commit with changes"
python3 - "$work" "$results" "$commit" <<'PYTHON'
import datetime
import glob
import json
import os
import platform
import re
import sys

work, results, commit = sys.argv[1:]


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


runs, peers = [], []
for path in sorted(glob.glob(os.path.join(work, "*.about"))):
    runs.append(dict(json.loads(read(path)), result=json.loads(read(path[:-len("about")] + "result"))))
for path in sorted(glob.glob(os.path.join(work, "*.peers"))):
    peers.append(json.loads(read(path)))
device = runs[0]["result"]["device"]
today = datetime.datetime.now(datetime.timezone.utc)
found = {"schema": "assay-bench/1", "date": today.strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": commit, "device": device,
         "system": platform.platform(), "versions": read(os.path.join(work, "version")).splitlines(),
         "load": read(os.path.join(work, "load")).splitlines(), "runs": runs, "peers": peers}
slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
name = os.path.join(results, "%s-%s.json" % (today.strftime("%Y-%m-%d"), slug))
with open(name, "w", encoding="utf-8") as out:
    json.dump(found, out, indent=1)
    out.write("\n")

print("%-40s%10s%11s%11s%10s%11s%9s" % ("", "CPU s", "Mpairs/s", "over peak", "over BLAS", "exactness", "MB"))
for run in runs:
    of = run["result"]
    print("%-40s%10.3f%11.1f%11.2f%10s%10.0f%%%9.0f" %
          (run["name"], of["cpu_seconds"], of["pairs_per_s"] / 1e6, of["over_fma_peak"],
           "-" if of["over_blas_tile"] is None else "%.2f" % of["over_blas_tile"],
           100 * of["exactness_cost"], of["peak_memory_bytes"] / 1e6))
print(name)
PYTHON
