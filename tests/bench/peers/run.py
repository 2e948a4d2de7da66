#!/usr/bin/env python3
"""run -- the same work by assay and by its peers, one thread each, in turn, and a table of how they compare.

    tests/bench/peers/run.py --program build/release/assay [--templates 20000] [--rounds 3] [--json FILE]
    tests/bench/peers/run.py --program build/release/assay --shifts 8 --length 2048 --templates 5000

The peers are Debian's python3-numpy, python3-sklearn and python3-faiss; one that is not installed is skipped and
named. Rates are pairs (for np.sort: scores) a second of CPU time, medians over the rounds. Each round runs every
contestant once, in a process of its own that reads the templates first, outside its clocks. What can be checked is:
that nobody lost a pair, and that who counts false matches at assay's threshold in floats counts what assay counts but
for scores that floats cannot tell from the threshold."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SKIP = 77
FMR = 1e-3 # of the threshold that is handed to the peers

# Of bit strings.
BITS = [("numpy_hamming", "numpy: products of 0 and 1, bincount", "assay")]

# script, what people read, key of assay's result that it is held against
PEERS = [("numpy_careful", "numpy, careful: product and bincount", "assay"),
         ("numpy_usual", "numpy, usual: product, mask, np.histogram", "assay"),
         ("sklearn_roc", "scikit-learn: cosine_similarity, roc_curve", "assay_few"),
         ("faiss_range", "FAISS: range_search at FMR 1e-3", "assay"),
         ("sort_scores", "np.sort of scores that are there", "assay")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.environ.get("ASSAY_PROGRAM", "assay"), help="assay [%(default)s]")
    parser.add_argument("--python", default="/usr/bin/python3", help="that has the peers [%(default)s]")
    parser.add_argument("--templates", type=int, default=20000)
    parser.add_argument("--few", type=int, default=5000, help="templates for scikit-learn [%(default)s]")
    parser.add_argument("--scores", type=int, default=20000000, help="scores to sort, at most [%(default)s]")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--groups", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--shifts", type=int, help="bit strings of LENGTH bits with masks, best of -SHIFTS to SHIFTS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write all of it there too")
    given = parser.parse_args()
    given.few = min(given.few, given.templates)
    given.comparator = "cosine" if given.shifts is None else "hamming:shifts=%d" % given.shifts
    given.peers = PEERS if given.shifts is None else BITS
    return given


def checked(command, environment=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    if done.returncode not in (0, SKIP):
        sys.exit("%s ended with %d:\n%s" % (" ".join(command), done.returncode, done.stderr))
    return done


def assay(given, templates):
    """One run of assay, in the words of a peer."""
    done = checked([given.program, "bench", "--json", "--quiet", "--repeat", "1", "--threads", "1", "--templates",
                    str(templates), "--length", str(given.length), "--groups", str(given.groups), "--seed",
                    str(given.seed), "--backend", given.backend, "--comparator", given.comparator])
    result = json.loads(done.stdout)
    point = next(of for of in result["thresholds"] if of["fmr"] == FMR)
    if point["threshold"] is None:
        sys.exit("%d templates have too few pairs for a false match rate of %g" % (templates, FMR))
    return dict(version="assay " + result["version"], pairs=result["pairs"], cpu_seconds=result["cpu_seconds"],
                wall_seconds=result["wall_seconds"], peak_memory_bytes=result["peak_memory_bytes"],
                threshold=point["threshold"], false_matches=point["false_matches"], bench=result)


def peer(given, name, folder, threshold):
    most = {"sklearn_roc": given.few, "sort_scores": given.scores, "numpy_hamming": given.shifts}.get(name)
    command = [given.python, os.path.join(HERE, name + ".py"), folder, repr(threshold)]
    done = checked(command + ([str(most)] if most is not None else []),
                   dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    if done.returncode == SKIP:
        return {"skipped": done.stdout.strip()}
    return json.loads(done.stdout)


def verdict(name, runs, held_against):
    """(text, whether it is in order) of what a contestant can be checked by."""
    first = runs[0]
    if "counted" in first:
        good = all(run["counted"] == run["pairs"] for run in runs)
        return "every pair" if good else "LOST PAIRS: %d of %d" % (first["counted"], first["pairs"]), good
    if name.startswith("assay"):
        good = all(run["false_matches"] == first["false_matches"] for run in runs)
        return "%s false matches" % format(first["false_matches"], ","), good
    off = first["false_matches"] - held_against["false_matches"]
    if name == "numpy_hamming": # fractions of whole numbers: nothing is near the threshold but what is at it
        return "%+d false matches, %d pairs lost" % (off, first["lost"]), off == 0 and first["lost"] == 0
    # Floats err by some 1e-7 in a score of standard deviation 0.06 or so: at a threshold that a thousandth of the
    # scores reach, one in 1e5 of these is that near.
    good = abs(off) <= 3 + 1e-4 * held_against["false_matches"]
    return "%+d false matches" % off, good


def compete(given, folder):
    """{name: [run of each round]}; a peer that is missing has one that says so."""
    names = ["assay"] + (["assay_few"] if any(against == "assay_few" for _, _, against in given.peers) else [])
    runs = {name: [] for name in names}
    for number in range(given.rounds):
        print("round %d of %d" % (number + 1, given.rounds), file=sys.stderr)
        for name in names:
            runs[name].append(assay(given, given.templates if name == "assay" else given.few))
        for name, _, against in given.peers:
            if "skipped" in runs.get(name, [{}])[0]:
                continue
            runs.setdefault(name, []).append(peer(given, name, folder, runs[against][0]["threshold"]))
    return runs


def summed_up(given, runs):
    texts = [("assay", "assay bench: histograms, tail, mated scores", "assay"),
             ("assay_few", "assay bench, %s templates" % format(given.few, ","), "assay_few")] + given.peers
    texts = [text for text in texts if text[0] in runs]
    rows = []
    for name, purpose, against in texts:
        of = runs[name]
        if "skipped" in of[0]:
            rows.append({"name": name, "purpose": purpose, "skipped": of[0]["skipped"]})
            continue
        rate = of[0]["pairs"] / statistics.median(run["cpu_seconds"] for run in of)
        held = runs[against]
        held_rate = held[0]["pairs"] / statistics.median(run["cpu_seconds"] for run in held)
        text, good = verdict(name, of, held[0])
        rows.append({"name": name, "purpose": purpose, "version": of[0]["version"], "blas": of[0].get("blas"),
                     "pairs": of[0]["pairs"], "pairs_per_s": rate, "assay_over": held_rate / rate,
                     "cpu_seconds": statistics.median(run["cpu_seconds"] for run in of),
                     "wall_seconds": statistics.median(run["wall_seconds"] for run in of),
                     "cpu_seconds_each": [run["cpu_seconds"] for run in of],
                     "peak_memory_bytes": max(run["peak_memory_bytes"] for run in of),
                     "check": text, "in_order": good})
    return rows


def show(given, runs, rows):
    bench = runs["assay"][0]["bench"]
    print("%s; backend %s: %s" % (bench["device"], bench["backend"], bench["backend_line"]))
    print("%s templates of %d, %s, %d groups, seed %d; medians of %d rounds, one thread each\n" %
          (format(given.templates, ","), given.length, bench["comparator"], given.groups, given.seed, given.rounds))
    if bench["openblas_note"]:
        print(bench["openblas_note"] + "\n")
    print("%-46s%9s%9s%11s%9s%9s  %s" % ("", "CPU s", "wall s", "Mpairs/s", "assay is", "memory", "check"))
    for row in rows:
        if "skipped" in row:
            print("%-46s skipped: %s" % (row["purpose"], row["skipped"]))
            continue
        times = "" if row["name"].startswith("assay") else "%.1fx" % row["assay_over"]
        print("%-46s%9.2f%9.2f%11.1f%9s%6.0f MB  %s" %
              (row["purpose"], row["cpu_seconds"], row["wall_seconds"], row["pairs_per_s"] / 1e6, times,
               row["peak_memory_bytes"] / 1e6, row["check"]))
    if given.shifts is not None:
        print("\nMpairs/s by CPU time, of %d shifts each. Memory is the process's, templates included." %
              (2 * given.shifts + 1))
        return
    print("\nMpairs/s by CPU time. scikit-learn is held against assay at the same %s templates; np.sort sorts\n"
          "scores (Mscores/s) that somebody else has made. Memory is the process's, templates included." %
          format(given.few, ","))


def main():
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="assay-peers-") as folder:
        checked([given.program, "bench", "--quiet", "--export", folder, "--templates", str(given.templates),
                 "--length", str(given.length), "--groups", str(given.groups), "--seed", str(given.seed),
                 "--comparator", given.comparator])
        runs = compete(given, folder)
    rows = summed_up(given, runs)
    show(given, runs, rows)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as out:
            json.dump({"templates": given.templates, "length": given.length, "comparator": given.comparator, "groups": given.groups,
                       "seed": given.seed, "rounds": given.rounds,
                       "openblas": runs["assay"][0]["bench"]["openblas"], "rows": rows}, out, indent=2)
            out.write("\n")
    wrong = [row["name"] for row in rows if not row.get("in_order", True)]
    if wrong:
        sys.exit("not the same work: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
