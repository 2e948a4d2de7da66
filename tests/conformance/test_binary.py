"""test_binary -- bit strings from matrix to report, against scores and rates computed bit by bit in whole numbers
here: shifts, masks, pairs that fail to compare, groups, roles; every backend, several threads, a stopped comparison."""
import csv
import itertools
import json
import os
from fractions import Fraction
from hashlib import sha256

from cli_support import Case, assay, main, skip, write

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")

SUBJECTS, EACH, ROWS, COLUMNS = 24, 3, 5, 24
BITS, SHIFTS, MINIMUM, STEP = ROWS * COLUMNS, 2, 45, 3
COMPARATOR = f"hamming:shifts={SHIFTS},minimum-valid-bits={MINIMUM}"
TARGETS = ["1e-1", "1e-2"]


def quality_of(row):
    return (row * 7) % 10


def population():
    draw = numpy.random.default_rng(11)
    codes, masks, lines = [], [], ["sample,subject,session,group,side,quality"]
    for subject in range(SUBJECTS):
        eye = draw.integers(0, 2, (ROWS, COLUMNS))
        for k in range(EACH):
            row = subject * EACH + k
            code = numpy.where(draw.random((ROWS, COLUMNS)) < 0.12, 1 - eye, eye)
            mask = draw.random((ROWS, COLUMNS)) < (0.5 if row % 7 < 2 else 0.85)
            if row % 31 == 4:
                mask[:] = False
            turn = int(draw.integers(-SHIFTS, SHIFTS + 1)) * STEP
            codes.append(numpy.roll(code, turn, axis=1).ravel())
            masks.append(numpy.roll(mask, turn, axis=1).ravel())
            lines.append(f"s{row},p{subject},{k},{'ab'[subject % 2]},{'rpp'[k]},{quality_of(row)}")
    return numpy.array(codes), numpy.array(masks, dtype=int), "\n".join(lines) + "\n"


def similarity(codes, masks, a, b):
    """(agreeing, valid) of the best shift, or None: the definition of kernels/hamming.h, in whole numbers."""
    best = None
    for shift in range(-SHIFTS, SHIFTS + 1):
        code = numpy.roll(codes[b].reshape(ROWS, COLUMNS), shift * STEP, axis=1).ravel()
        mask = numpy.roll(masks[b].reshape(ROWS, COLUMNS), shift * STEP, axis=1).ravel()
        valid = (masks[a] & mask).astype(bool)
        count = int(valid.sum())
        if count < MINIMUM:
            continue
        share = Fraction(int((codes[a] == code)[valid].sum()), count)
        best = share if best is None else max(best, share)
    return best


def nearest(share, bits):
    return int((share * 2 ** (bits + 1) + 1) // 2)


class Binary(Case):
    def setUp(self):
        super().setUp()
        self.codes, self.masks, labels = population()
        pack = lambda bits: numpy.packbits(bits.astype(numpy.uint8), axis=1, bitorder="little")
        numpy.save(self.path("codes.npy"), pack(self.codes))
        numpy.save(self.path("masks.npy"), pack(self.masks))
        write(self.folder, "labels.csv", labels)
        self.ok("import", "templates", "codes.npy", "--masks", "masks.npy", "--labels", "labels.csv", "--release",
                "iris", "--version", "1", "--comparator", COMPARATOR, "--bit-rows", str(ROWS), "--shift-bits",
                str(STEP), "-o", "t.h5")
        self.enrolled = [row for row in range(len(self.codes)) if self.masks[row].any()]
        self.scores = {pair: similarity(self.codes, self.masks, *pair)
                       for pair in itertools.combinations(self.enrolled, 2)}

    def path(self, name):
        return os.path.join(self.folder, name)

    def ok(self, *arguments):
        done = assay(*arguments, folder=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def compare(self, out, *options):
        return json.loads(self.ok("compare", "t.h5", "-o", out, "--fmr-targets", ",".join(TARGETS), "--json", *options))

    def check_lists(self, name, pairs):
        same = {pair: pair[0] // EACH == pair[1] // EACH for pair in pairs}
        failed = sorted(pair for pair in pairs if self.scores[pair] is None)
        with h5py.File(self.path(name)) as file:
            result = file["result"]
            self.assertEqual(file.attrs["comparator"], COMPARATOR)
            self.assertEqual(result["failed/pairs"][:].tolist(), [list(pair) for pair in failed])
            self.assertEqual((result.attrs["exponent"], result.attrs["coarse_scale"]), (26, 2048.0))
            for key, mated in [("mated", True), ("tail", False)]:
                wanted = [(nearest(self.scores[p], 52), nearest(self.scores[p], 22), *p) for p in pairs
                          if same[p] == mated and self.scores[p] is not None]
                wanted.sort(key=lambda row: (-row[0], row[2], row[3]))
                got = [tuple(int(row[field]) for field in ("fine", "coarse", "i", "j")) for row in result[key][:]]
                self.assertEqual(got, wanted)
            bins = numpy.bincount([row["coarse"] >> 11 for row in result["tail"][:]], minlength=4096)
            self.assertEqual(result["histogram"][0].tolist(), bins.tolist())
            relations = result["relations"][:].tolist()
        count = len(self.enrolled)
        self.assertEqual(sum(relations), count * (count - 1) // 2)
        return failed, same

    def test_scores_and_failures_are_those_of_whole_numbers(self):
        first = self.compare("e.h5")
        failed, same = self.check_lists("e.h5", list(self.scores))
        self.assertGreater(sum(same[p] for p in failed), 1)
        self.assertGreater(len(failed), 20)
        self.assertEqual(first["failed"], {"mated": sum(same[p] for p in failed),
                                           "non_mated": sum(not same[p] for p in failed)})
        self.assertLess(len(self.enrolled), len(self.codes))
        for options in (["--threads", "1"], ["--threads", "3"], ["--threads", "7"], ["--backend", "reference"],
                        ["--comparator", "hamming"]):
            again = self.compare("again.h5", *options)
            self.assertEqual(again["result_digest"], first["result_digest"], options)
        other = self.compare("other.h5", "--comparator", "hamming:shifts=0")
        self.assertNotEqual(other["result_digest"], first["result_digest"])

    def test_roles_are_compared_across_alone(self):
        self.compare("c.h5", "--protocol", "cross", "--role-column", "side", "--reference", "r", "--probe", "p")
        self.check_lists("c.h5", [p for p in self.scores if (p[0] % EACH == 0) != (p[1] % EACH == 0)])

    def test_rates_count_failed_comparisons_as_the_definitions_say(self):
        self.compare("e.h5")
        self.ok("report", "e.h5", "-o", "r")
        with open(self.path("r/summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][0]
        same = {pair: pair[0] // EACH == pair[1] // EACH for pair in self.scores}
        done = {pair: share for pair, share in self.scores.items() if share is not None}
        rows = range(len(self.codes))
        mated = [done[p] for p in done if same[p]]
        others = {p: done[p] for p in done if not same[p]}
        attempted = [p for p in itertools.combinations(rows, 2)]
        attempted_mated = [p for p in attempted if p[0] // EACH == p[1] // EACH]
        self.assertEqual(release["mated"]["comparisons"], len(mated))
        self.assertEqual(release["non_mated"]["comparisons"], len(others))
        self.assertEqual(release["failed_to_compare"], {"mated": sum(same.values()) - len(mated),
                                                        "non_mated": len(same) - sum(same.values()) - len(others)})
        point = release["operating_points"][0]
        allowed = len(others) // 10
        ranked = sorted(others.values(), reverse=True)
        threshold = min(share for share in ranked if sum(o >= share for o in ranked) <= allowed)
        self.assertEqual(point["threshold"], nearest(threshold, 52) / 2 ** 52)
        matches = sum(share >= threshold for share in ranked)
        missed = sum(share < threshold for share in mated)
        counts = lambda rate: (rate["errors"], rate["trials"])
        self.assertEqual(counts(point["fmr"]), (matches, len(others)))
        self.assertEqual(counts(point["fnmr"]), (missed, len(mated)))
        self.assertEqual(counts(point["gfmr"]), (matches, len(attempted) - len(attempted_mated)))
        self.assertEqual(counts(point["gfnmr"]), (missed + len(attempted_mated) - len(mated), len(attempted_mated)))
        groups = [group for group in release["groups"] if group["attribute"] == "group"]
        self.assertEqual([group["group"] for group in groups], ["a", "b"])
        for code, found in enumerate(groups):
            at = found["operating_points"][0]
            of = lambda p: p[0] // EACH % 2 == code and p[1] // EACH % 2 == code
            within = [share for p, share in others.items() if of(p)]
            own = [done[p] for p in done if same[p] and of(p)]
            tried = sum(of(p) for p in attempted_mated)
            misses = sum(share < threshold for share in own)
            self.assertEqual(counts(at["fmr"]), (sum(share >= threshold for share in within), len(within)))
            self.assertEqual(counts(at["fnmr"]), (misses, len(own)))
            self.assertEqual(counts(at["gfnmr"]), (misses + tried - len(own), tried))
        with open(self.path("r/index.html"), encoding="utf-8") as page:
            self.assertIn("failed to compare", page.read())
        self.check_least_qualities(release, done, same, attempted_mated)

    def check_least_qualities(self, release, done, same, attempted_mated):
        """Samples below a least quality count as refused: what failed to compare among the others still does."""
        with open(self.path("r/tables/quality_minima.csv"), encoding="utf-8", newline="") as lines:
            minima = [row for row in csv.DictReader(lines) if not row["attribute"]]
        self.assertGreater(len(minima), 0)
        for row in minima:
            kept = lambda p: all(quality_of(x) >= float(row["least_quality"]) for x in p)
            mated = [done[p] for p in done if same[p] and kept(p)]
            others = [done[p] for p in done if not same[p] and kept(p)]
            found = [tuple(int(row[f"{rate}_{part}"]) for part in ("errors", "trials")) for rate in ("fnmr", "gfnmr", "fmr")]
            expected = []
            for point in release["operating_points"]:
                missed = sum(share < point["threshold"] for share in mated)
                expected.append([(missed, len(mated)), (missed + len(attempted_mated) - len(mated), len(attempted_mated)),
                                 (sum(share >= point["threshold"] for share in others), len(others))])
            self.assertIn(found, expected)

    def test_templates_keep_bits_layout_and_digest(self):
        with h5py.File(self.path("t.h5")) as file:
            bits = file["templates/bits"]
            at = dict(file["templates"].attrs)
            self.assertEqual((at["bits"], at["rows"], at["shift_bits"]), (BITS, ROWS, STEP))
            both = numpy.unpackbits(bits[:], axis=1, bitorder="little")
            for row in range(len(self.codes)):
                wanted = numpy.concatenate([self.codes[row], self.masks[row]]) * (row in self.enrolled)
                self.assertEqual(both[row].tolist(), wanted.tolist())
            self.assertEqual(int((file["samples/enrolment"][:] == 1).sum()), len(self.enrolled))
        told = json.loads(self.ok("info", "t.h5", "--json"))
        self.assertEqual((told["bits"], told["bit_rows"], told["shift_bits"]), (BITS, ROWS, STEP))
        self.ok("verify", "t.h5")

    def test_what_does_not_fit_is_refused(self):
        numpy.save(self.path("f.npy"), self.codes[:, :8] + 0.5)
        numpy.save(self.path("short.npy"), self.masks[:, :8].astype(numpy.uint8))
        base = ["import", "templates", "codes.npy", "--labels", "labels.csv", "--release", "x", "--version", "1", "-o",
                "x.h5"]
        refused = [
            (base + ["--masks", "masks.npy"], "expected comparator hamming"),
            (base + ["--comparator", "hamming", "--bit-rows", "7"], "rows is 7"),
            (base + ["--comparator", "hamming", "--masks", "short.npy"], "masks short.npy are of shape (72, 8)"),
            (base + ["--comparator", "hamming:shift=1"], "expected hamming:shifts=S"),
            (["import", "templates", "f.npy"] + base[3:] + ["--comparator", "hamming"], "expected bytes"),
            (["compare", "t.h5", "-o", "x.h5", "--comparator", "cosine"], "does not compare bit strings"),
            (["compare", "t.h5", "-o", "x.h5", "--comparator", "hamming:minimum-valid-bits=121"], "valid bits is 121"),
        ]
        for arguments, said in refused:
            done = assay(*arguments, folder=self.folder)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertFalse(os.path.exists(self.path("x.h5")))

    def test_a_run_imports_compares_and_goes_on(self):
        write(self.folder, "iris.yaml", f"""assay: 1
name: iris
output: out
releases:
  - {{ name: iris, version: "1", templates: codes.npy, masks: masks.npy, labels: labels.csv,
       bit_rows: {ROWS}, shift_bits: {STEP} }}
comparison: {{ comparator: "{COMPARATOR}", fmr_targets: [1e-1, 1e-2] }}
""")
        self.ok("run", "iris.yaml", "--dry-run")
        self.ok("run", "iris.yaml")
        first = self.compare("e.h5")
        steps = json.loads(self.ok("run", "iris.yaml", "--json"))["steps"]
        self.assertIn("up to date", json.dumps(steps))
        told = [json.loads(self.ok("info", os.path.join(folder, name), "--json"))
                for folder, _, names in os.walk(self.path("out")) for name in names if name == "evidence.h5"]
        self.assertEqual([one["result_digest"] for one in told], [first["result_digest"]])


if __name__ == "__main__":
    main()
