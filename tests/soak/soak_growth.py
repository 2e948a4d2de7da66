"""soak_growth -- `assay compare` from a sealed file, 10,000 to 100,000 templates of 512: time grows as the pairs do, and
memory stays below what was stated."""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ["ASSAY_PROGRAM"]
SIZES = [10000, 20000, 40000, 70000, 100000]


def run(folder, *arguments):
    """(output, CPU seconds, wall seconds, peak resident bytes of it and what it started)"""
    start = time.monotonic()
    process = subprocess.Popen([PROGRAM, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    out, error = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"assay {' '.join(arguments)}: {error}")
    return out, used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss * 1024


def main():
    print("| templates | pairs | tail kept | CPU s | wall s | load | million pairs per CPU s | CPU s / pairs, to the first | "
          "memory stated | peak resident |\n|---|---|---|---|---|---|---|---|---|---|")
    first, held = None, True
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            run(folder, "synth", "--templates", "--subjects", str(size // 5), "--samples", "5", "--length", "512", "-o",
                "s", "-q")
            run(folder, "import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "growth",
                "--version", "1", "--comparator", "cosine", "-o", "t.h5", "-q")
            load = os.getloadavg()[0]
            out, cpu, wall, peak = run(folder, "compare", "t.h5", "-o", "e.h5", "--json", "--threads", "2")
        result = json.loads(out)
        pairs = size * (size - 1) // 2
        if first is None:
            first = cpu / pairs
        stated = result["memory_bytes"]
        held = held and peak <= stated and stated < 4 << 30
        print(f"| {size:,} | {pairs:,} | {result['tail']:,} | {cpu:.1f} | {wall:.1f} | {load:.1f} | {pairs / cpu / 1e6:.0f} | "
              f"{cpu / pairs / first:.2f} | {stated / 1e9:.2f} GB | {peak / 1e9:.2f} GB |", flush=True)
    print("\nTargets 1e-3 to 1e-6 with the tenfold tail, backend `auto`, two threads; time and memory are of the whole "
          "command: reading, comparing, writing and sealing the evidence.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
