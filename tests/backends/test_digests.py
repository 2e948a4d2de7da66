"""test_digests -- one result whoever computes it: backends, edges of tiles, threads, OpenBLAS's core types, kinds of
scores, numbers and lengths of templates.

As a test it runs a selection in which every two values of any two of these meet (but for those that would take the
reference seconds); with --whole every combination, and the data sets below ASSAY_DATA through the command line
(tests/soak/soak_digests.sh), and prints a table.
"""
import itertools
import os
import random
import subprocess
import sys
import tempfile

from cli_support import PROGRAM, assay

BUILD = os.environ.get("ASSAY_BUILD", "")
EDGES = [256, 512, 1024]
THREADS = [1, 2, 3, 7]
CORE_TYPES = ["", "Haswell", "SkylakeX", "Zen", "Prescott"]
KINDS = ["plain", "ties", "duplicates"]
COMPARATORS = ["cosine", "inner-product", "euclidean"]
COUNTS = [2, 3, 33, 255, 511, 513, 1025, 2049, 4097]
LENGTHS = [1, 3, 127, 128, 512, 1024, 4096]
SHORT_WORK = 6e8 # multiplications of the reference for one set of the short form


def backends():
    """Those that this machine has, without the reference and the one that only chooses."""
    lines = assay("backends").stdout.splitlines()
    names = [line.split()[0] for line in lines if line and line[0].isalpha()]
    return [name for name in names if name.startswith("cpu-")]


def factors():
    return [KINDS, COMPARATORS, COUNTS, LENGTHS, backends(), THREADS, EDGES, CORE_TYPES]


def work_of(row):
    return row[2] ** 2 / 2 * row[3]


def allowed(row):
    """OpenBLAS's core type means something to one backend alone; short sets are cheap."""
    return (row[7] == "" or row[4] == "cpu-blas") and work_of(row) <= SHORT_WORK


def pairwise(lists):
    """Rows in which every allowed pair of values of two factors is; greedily, the same every time."""
    dice = random.Random(1)
    missing = {((i, x), (j, y)) for i, j in itertools.combinations(range(len(lists)), 2) for x in lists[i]
               for y in lists[j]}
    rows = []
    for wanted in sorted(missing, key=repr):
        if wanted not in missing:
            continue
        best, most = None, 0
        for _ in range(60):
            row = [dice.choice(values) for values in lists]
            for place, value in wanted:
                row[place] = value
            if row[7] != "" and wanted[1][0] != 7:
                row[7] = ""
            elif row[7] != "" and wanted[0][0] != 4:
                row[4] = "cpu-blas"
            if not allowed(row):
                continue
            gain = sum(pair in missing for pair in itertools.combinations(list(enumerate(row)), 2))
            if gain > most:
                best, most = row, gain
        if best is not None:
            missing -= set(itertools.combinations(list(enumerate(best)), 2))
            rows.append(best)
    return rows


class Comparers:
    """One process for each edge and core type, which keeps the reference's tally from row to row."""

    def __init__(self):
        self.running = {}

    def ask(self, row):
        kind, comparator, count, length, backend, threads, edge, core = row
        process = self.running.get((edge, core))
        if process is None:
            settings = dict(os.environ)
            if core:
                settings["OPENBLAS_CORETYPE"] = core
            process = subprocess.Popen([os.path.join(BUILD, "tests", "helpers", f"compare_digests_{edge}")],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=settings, text=True)
            self.running[(edge, core)] = process
        process.stdin.write(f"{kind} {comparator} {count} {length} {backend} {threads}\n")
        process.stdin.flush()
        answer = process.stdout.readline().split()
        return answer if len(answer) == 3 else ["ended", "-", "0"]

    def close(self):
        for process in self.running.values():
            process.stdin.close()
            process.wait()


def check(rows):
    """[(row, word)] of those that are not the same; digests must be the same for every edge and core type, too."""
    comparers, digests, wrong, seconds = Comparers(), {}, [], 0.0
    for row in sorted(rows, key=lambda row: (row[6], row[7], row[:4])):
        word, digest, used = comparers.ask(row)
        seconds += float(used)
        if word == "same" and digests.setdefault(tuple(row[:4]), digest) != digest:
            word = "differs from another edge or core type"
        if word != "same":
            wrong.append((row, word))
    comparers.close()
    return wrong, seconds


# ---- the data sets ----


def result_of(folder, templates, *options, core=""):
    done = assay("compare", templates, "-o", "e.h5", "--json", "--fmr-targets", "1e-2,1e-3", *options, folder=folder,
                 environment={"OPENBLAS_CORETYPE": core} if core else {})
    found = [part for part in done.stdout.split('"') if len(part) == 64]
    return found[-1] if done.returncode == 0 and found else f"status {done.returncode}: {done.stderr.strip()[-200:]}"


def check_data(names):
    """(combinations, [what differs]) of the built-in algorithm's templates of London and MEDS-II."""
    source, data, wrong, combinations = os.environ["ASSAY_SOURCE"], os.environ.get("ASSAY_DATA", ""), [], 0
    for name in ["london", "meds2"]:
        if not os.path.isdir(os.path.join(data, name)):
            return None, []
        with tempfile.TemporaryDirectory() as folder:
            done = assay("run", os.path.join(source, "configs", name + ".yaml"), "-o", "out", folder=folder)
            templates = next((os.path.join(top, file) for top, _, files in os.walk(os.path.join(folder, "out"))
                              for file in sorted(files) if file.startswith("templates") and file.endswith(".h5")), None)
            if templates is None:
                wrong.append(f"{name}: no templates: {done.stderr.strip()[-200:]}")
                continue
            expected = result_of(folder, templates, "--backend", "reference")
            for backend, threads in itertools.product(names, THREADS):
                for core in CORE_TYPES if backend == "cpu-blas" else [""]:
                    combinations += 1
                    found = result_of(folder, templates, "--backend", backend, "--threads", str(threads), core=core)
                    if found != expected or len(found) != 64:
                        wrong.append(f"{name} {backend} {threads} {core}: {found}, not {expected}")
    return combinations, wrong


def whole():
    lists = factors()
    rows = [list(row) for row in itertools.product(*lists) if row[7] == "" or row[4] == "cpu-blas"]
    limit = float(os.environ.get("ASSAY_SOAK_WORK", "inf"))
    taken = [row for row in rows if work_of(row) <= limit]
    print("The result digest is that of `reference` for every combination of these: kinds " + ", ".join(KINDS)
          + "; comparators " + ", ".join(COMPARATORS) + f"; {COUNTS} templates of {LENGTHS} components; "
          + f"threads {THREADS}; tiles of {EDGES}; OPENBLAS_CORETYPE as it comes and {CORE_TYPES[1:]} (cpu-blas).")
    if len(taken) < len(rows):
        print(f"\nSets whose reference would take more than {limit:.0e} multiplications were left out: "
              f"{len(rows) - len(taken)} of {len(rows)} combinations.")
    print("\n| backend | combinations | the same | CPU s |\n|---|---|---|---|")
    bad = 0
    for backend in lists[4]:
        mine = [row for row in taken if row[4] == backend]
        wrong, seconds = check(mine)
        bad += len(wrong)
        print(f"| {backend} | {len(mine)} | {len(mine) - len(wrong)} | {seconds:.1f} |", flush=True)
        for row, word in wrong[:20]:
            print(f"{row}: {word}", file=sys.stderr)
    combinations, wrong = check_data(lists[4])
    if combinations is None:
        print("\nLondon and MEDS-II were not there (ASSAY_DATA).")
    else:
        print(f"| London and MEDS-II, `assay compare` with each | {combinations} | {combinations - len(wrong)} | |")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if bad or wrong else 0


def main():
    if "--whole" in sys.argv:
        return whole()
    rows = pairwise(factors())
    wrong, seconds = check(rows)
    print(f"{len(rows)} combinations, {len(rows) - len(wrong)} the same as the reference, {seconds:.1f} s")
    for row, word in wrong:
        print(f"{row}: {word}")
    return 1 if wrong or len(rows) < len(COUNTS) * 5 or not PROGRAM else 0


if __name__ == "__main__":
    sys.exit(main())
