"""test_short -- each fuzz target for two seconds with clang's sanitizers; tests/fuzz/RUNS.md has the long runs.
Skips where clang or its libFuzzer is absent, or where this build is not the one of ./check."""
import os
import subprocess
import sys

SECONDS = "2"

if os.environ.get("ASSAY_SANITIZED"):
    print("skipped: this build has sanitizers of its own; the preset fuzz is built beside it by ./check")
    sys.exit(77)
script = os.path.join(os.environ["ASSAY_SOURCE"], "tests", "fuzz", "run.sh")
sys.exit(subprocess.run(["nice", "-n", "5", script, SECONDS], timeout=580).returncode)
