"""test_bench -- `assay bench` measures the work that it says: its figures follow from their parts, its
thresholds from the templates that it exports. No test here asks how long anything took."""
import ast
import math
import os
import statistics
import struct
from fractions import Fraction

from cli_support import Case, main, read_csv

SMALL = ["--templates", "700", "--length", "24", "--groups", "3", "--samples-per-subject", "4", "--repeat", "2"]
KEYS = {
    str: ["version", "device", "backend", "backend_line", "comparator", "fma_path"],
    int: ["threads", "repeats", "templates", "length", "groups", "samples_per_subject", "seed", "pairs", "mated",
          "non_mated", "tail_limit", "default_tail_limit", "tail", "rescored", "redone", "failed", "peak_memory_bytes",
          "stated_memory_bytes", "tail_only_rescored"],
    float: ["pairs_per_s", "wall_pairs_per_s", "fma_peak_pairs_per_s", "over_fma_peak", "exactness_cost",
            "binning_cost", "default_tail_cost", "useful_gflops", "cpu_seconds", "wall_seconds",
            "quantise_cpu_seconds", "mated_cpu_seconds", "tail_only_pairs_per_s", "tail_only_over_fma_peak"],
    list: ["thresholds", "rows"],
}
ROWS = ["fma_peak", "blas_tile", "full", "tail_only", "histogram_only", "tail_of_one", "default_tail"]


def read_npy(path):
    """Rows of a float32 .npy of version 1, without numpy."""
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<H", content[8:10])[0]
    header = ast.literal_eval(content[10:10 + length].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    rows, columns = header["shape"]
    values = struct.unpack("<%df" % (rows * columns), content[10 + length:])
    return [values[n * columns:(n + 1) * columns] for n in range(rows)]


def cosine(x, y):
    return math.sumprod(x, y) if hasattr(math, "sumprod") else sum(a * b for a, b in zip(x, y))


class Figures(Case):
    def result(self, *more):
        return self.json("bench", "--json", *SMALL, *more)

    def test_every_key_is_there_with_its_type(self):
        result = self.result()
        for kind, names in KEYS.items():
            for name in names:
                self.assertIsInstance(result[name], kind, name)
        self.assertIsInstance(result["blas_tile_pairs_per_s"], (float, type(None)))
        self.assertIsInstance(result["over_blas_tile"], (float, type(None)))
        self.assertGreater(result["peak_memory_bytes"], 700 * 24 * 10)
        self.assertGreater(result["stated_memory_bytes"], 700 * 24 * 10)

    def test_every_pair_is_accounted_for(self):
        result = self.result("--threads", "2")
        self.assertEqual(result["pairs"], 700 * 699 // 2)
        self.assertEqual(result["mated"], 175 * 6)
        self.assertEqual(result["non_mated"], result["pairs"] - result["mated"])
        self.assertEqual(result["tail_limit"], math.ceil(1.2e-3 * result["non_mated"]))
        self.assertEqual(result["tail"], result["tail_limit"])
        odd = self.json("bench", "--json", "--templates", "11", "--length", "1", "--groups", "3", "--repeat", "1",
                        "--samples-per-subject", "4", "--comparator", "inner-product")
        self.assertEqual((odd["pairs"], odd["mated"]), (55, 6 + 6 + 3))

    def test_ratios_follow_from_their_parts(self):
        for threads in ("1", "2"):
            result = self.result("--threads", threads)
            rows = {row["name"]: row for row in result["rows"]}
            self.assertEqual(list(rows), [name for name in ROWS if name in rows])
            full, least = rows["full"], rows["histogram_only"]
            close = lambda x, y: self.assertAlmostEqual(x / y, 1, places=9)
            for name, row in rows.items():
                factor = result["threads"]
                close(row["pairs_per_s"], row["pairs"] * factor / row["cpu_seconds"])
                close(row["wall_pairs_per_s"],
                      row["pairs"] * (factor if name == "fma_peak" else 1) / row["wall_seconds"])
                self.assertEqual(len(row["cpu_seconds_each"]), 2)
                close(row["cpu_seconds"], statistics.median(row["cpu_seconds_each"]))
                close(row["wall_seconds"], statistics.median(row["wall_seconds_each"]))
            for name in ("pairs_per_s", "wall_pairs_per_s", "cpu_seconds", "wall_seconds"):
                self.assertEqual(result[name], full[name])
            self.assertEqual(full["pairs"], result["pairs"])
            self.assertEqual(result["fma_peak_pairs_per_s"], rows["fma_peak"]["pairs_per_s"])
            close(result["over_fma_peak"], result["pairs_per_s"] / result["fma_peak_pairs_per_s"])
            self.assertEqual(result["tail_only_pairs_per_s"], rows["tail_only"]["pairs_per_s"])
            close(result["tail_only_over_fma_peak"],
                  result["tail_only_pairs_per_s"] / result["fma_peak_pairs_per_s"])
            close(result["useful_gflops"], 2 * 24 * result["pairs_per_s"] / 1e9)
            close(1 + result["exactness_cost"], full["cpu_seconds"] / least["cpu_seconds"])
            close(1 + result["binning_cost"], full["cpu_seconds"] / rows["tail_only"]["cpu_seconds"])
            close(1 + result["default_tail_cost"], rows["default_tail"]["cpu_seconds"] / least["cpu_seconds"])
            if "blas_tile" in rows:
                self.assertEqual(rows["blas_tile"]["pairs"], 512 * 512 + 512 * 188 + 188 * 188)
                close(result["over_blas_tile"], result["pairs_per_s"] / result["blas_tile_pairs_per_s"])
            else:
                self.assertIsNone(result["over_blas_tile"])

    def test_the_median_of_three_is_the_middle_one(self):
        result = self.result("--repeat", "3")
        for row in result["rows"]:
            self.assertEqual(row["cpu_seconds"], sorted(row["cpu_seconds_each"])[1])

    def test_the_tail_is_what_is_asked_for(self):
        self.assertEqual(self.result("--tail-limit", "77")["tail"], 77)
        default = self.result("--tail-limit", "default")
        self.assertEqual(default["tail_limit"], 1 << 20)
        self.assertEqual(default["tail"], default["non_mated"])
        self.assertNotIn("default_tail", [row["name"] for row in default["rows"]])
        self.assertEqual(default["default_tail_cost"], default["exactness_cost"])
        fewer = self.result("--fmr-targets", "1e-4")
        self.assertEqual(fewer["tail"], math.ceil(1.2e-4 * fewer["non_mated"]))
        self.assertEqual([of["fmr"] for of in fewer["thresholds"]], [1e-4])

    def test_thresholds_are_the_same_whoever_computes(self):
        expected = self.result("--backend", "reference", "--fmr-targets", "1e-1,1e-3")["thresholds"]
        self.assertEqual(len(expected), 2)
        for more in (["--threads", "1"], ["--threads", "3"]):
            self.assertEqual(self.result("--fmr-targets", "1e-1,1e-3", *more)["thresholds"], expected)

    def test_text_names_each_row_once_in_columns(self):
        text = self.good("bench", *SMALL, "--threads", "1").stdout
        lines = text.splitlines()
        for name in ("device", "backend", "work", "tail", "runs", "over peak", "no bins", "exactness", "binning", "memory",
                     "thresholds"):
            self.assertEqual(len([line for line in lines if line.startswith(name + " ")]), 1, text)
        head = next(line for line in lines if "Mpairs/s" in line)
        table = lines[lines.index(head) + 1:lines.index(head) + 8]
        self.assertTrue(table[0].startswith("float FMA peak"), text)
        self.assertEqual({len(line) for line in table if line[:1] != "C"}, {len(head)}, text)
        self.assertIn("700 templates of 24 components, 3 groups, 4 samples a subject", text)
        self.assertEqual(self.good("bench", *SMALL, "--quiet").stdout, "")


class Templates(Case):
    def exported(self, name, *arguments):
        done = self.json("bench", "--export", name, "--json", *arguments)
        self.assertEqual(done["templates"], name + "/templates.npy")
        return read_npy(self.path(name, "templates.npy")), read_csv(self.path(name, "labels.csv"))

    def test_files_have_the_shape_that_was_asked_for(self):
        rows, labels = self.exported("x", *SMALL)
        self.assertEqual((len(rows), len(rows[0]), len(labels)), (700, 24, 700))
        for row in rows:
            self.assertAlmostEqual(cosine(row, row), 1, places=5)
        self.assertEqual(len({label["sample"] for label in labels}), 700)
        subjects = [label["subject"] for label in labels]
        self.assertEqual(len(set(subjects)), 175)
        self.assertTrue(all(subjects.count(name) == 4 for name in set(subjects)))
        groups = [label["group"] for label in labels]
        self.assertEqual(len(set(groups)), 3)
        self.assertEqual(len({(label["subject"], label["group"]) for label in labels}), 175)
        self.assertEqual(groups, sorted(groups))

    def test_the_seed_decides(self):
        def content(name, *more):
            self.good("bench", "--export", name, *SMALL, *more)
            with open(self.path(name, "templates.npy"), "rb") as file:
                return file.read()
        first = content("a")
        self.assertEqual(first, content("b", "--seed", "1"))
        self.assertNotEqual(first, content("c", "--seed", "2"))

    def test_scores_are_distributed_as_the_header_says(self):
        """Non-mated standard deviation 1.36 / sqrt(512) = 0.0601, mated mean 0.6. 120 templates of 60 subjects:
        7,080 non-mated scores and 60 mated ones of standard deviation about 0.04, so that its mean's is 0.005."""
        rows, labels = self.exported("x", "--templates", "120", "--groups", "1", "--samples-per-subject", "2")
        mated, others = [], []
        for a, x in enumerate(rows):
            for b in range(a + 1, len(rows)):
                same = labels[a]["subject"] == labels[b]["subject"]
                (mated if same else others).append(cosine(x, rows[b]))
        self.assertEqual((len(mated), len(others)), (60, 7080))
        self.assertLess(abs(statistics.fmean(mated) - 0.6), 0.025)
        self.assertLess(abs(statistics.fmean(others)), 0.01)
        self.assertLess(abs(statistics.pstdev(others) - 0.0601), 0.004)

    def test_thresholds_are_those_of_the_exported_templates(self):
        """Scores in double; the fine score's rounding is below 1e-6, and no two of these are so close at a
        threshold that the counts could differ."""
        arguments = ["--templates", "150", "--length", "20", "--groups", "2", "--samples-per-subject", "3"]
        rows, labels = self.exported("x", *arguments)
        scores = sorted((cosine(x, rows[b]) / math.sqrt(cosine(x, x) * cosine(rows[b], rows[b]))
                         for a, x in enumerate(rows) for b in range(a + 1, len(rows))
                         if labels[a]["subject"] != labels[b]["subject"]), reverse=True)
        result = self.json("bench", "--json", "--repeat", "1", "--fmr-targets", "5e-1,1e-2,1e-3,1e-6", *arguments)
        self.assertEqual(result["non_mated"], len(scores))
        for of in result["thresholds"]:
            allowed = math.floor(of["fmr"] * len(scores))
            self.assertEqual((of["allowed"], of["false_matches"]), (allowed, allowed))
            if allowed == 0:
                self.assertIsNone(of["threshold"])
            else:
                self.assertAlmostEqual(of["threshold"], scores[allowed - 1], places=6)

    def test_what_is_exported_can_be_imported_and_compared(self):
        self.good("bench", "--export", "x", *SMALL)
        self.good("import", "templates", "x/templates.npy", "--labels", "x/labels.csv", "--release", "bench",
                  "--version", "1", "-o", "t.h5")
        compared = self.json("compare", "t.h5", "-o", "e.h5", "--histogram-by", "group", "--json")
        self.assertEqual((compared["templates"], compared["mated"]), (700, 175 * 6))


def read_bytes(path, width):
    """Rows of a uint8 .npy of version 1 as whole numbers, the first byte lowest."""
    with open(path, "rb") as file:
        content = file.read()
    at = 10 + struct.unpack("<H", content[8:10])[0]
    return [int.from_bytes(content[n:n + width], "little") for n in range(at, len(content), width)]


class Bits(Case):
    BITS, ROWS, SHIFTS = 64, 8, 2

    def turned(self, bits, shift):
        """Each row of BITS / ROWS bits turned up by shift."""
        width = self.BITS // self.ROWS
        whole = (1 << width) - 1
        rows = [bits >> n * width & whole for n in range(self.ROWS)]
        return sum(((row << shift % width | row >> (width - shift % width)) & whole) << n * width
                   for n, row in enumerate(rows))

    def best(self, a, b):
        found = None
        for shift in range(-self.SHIFTS, self.SHIFTS + 1):
            valid = a[1] & self.turned(b[1], shift)
            count = bin(valid).count("1")
            if count < self.minimum: continue
            share = Fraction(count - bin((a[0] ^ self.turned(b[0], shift)) & valid).count("1"), count)
            found = share if found is None else max(found, share)
        return found

    def test_thresholds_and_failures_of_bit_strings_follow_from_what_is_exported(self):
        self.minimum = 50
        work = ["--comparator", "hamming:shifts=2,minimum-valid-bits=50", "--length", "64", "--templates", "90", "--groups", "3",
                "--samples-per-subject", "3", "--fmr-targets", "0.3,0.01"]
        self.good("bench", "--export", "x", *work)
        codes, masks = (read_bytes(self.path("x", name + ".npy"), 8) for name in ("templates", "masks"))
        self.assertTrue(all(0 < mask < 2 ** 64 - 1 for mask in masks))
        subjects = [row["subject"] for row in read_csv(self.path("x", "labels.csv"))]
        templates = list(zip(codes, masks))
        scores = [self.best(x, templates[b]) for a, x in enumerate(templates) for b in range(a + 1, len(templates))
                  if subjects[a] != subjects[b]]
        failed = scores.count(None)
        self.assertGreater(failed, 100)
        scores = sorted((score for score in scores if score is not None), reverse=True)
        results = [self.json("bench", "--json", "--repeat", "1", "--backend", name, *work) for name in ("cpu", "reference")]
        self.assertEqual(results[0]["thresholds"], results[1]["thresholds"])
        for result in results:
            self.assertEqual((result["failed"], result["non_mated"] - failed), (failed, len(scores)))
            self.assertEqual([row["name"] for row in result["rows"]], ROWS[2:])
            self.assertIsNone(result["fma_peak_pairs_per_s"])
            for of in result["thresholds"]:
                kept = int(of["fmr"] * len(scores))
                self.assertEqual(of["allowed"], kept)
                while kept and scores[kept] == scores[kept - 1]: kept -= 1
                self.assertEqual((of["false_matches"], of["threshold"]), (kept, int((scores[kept - 1] * 2 ** 53 + 1) // 2) / 2 ** 52))
        self.good("import", "templates", "x/templates.npy", "--masks", "x/masks.npy", "--labels", "x/labels.csv", "--release",
                  "b", "--version", "1", "--comparator", work[1], "--bit-rows", "8", "-o", "t.h5")
        compared = self.json("compare", "t.h5", "-o", "e.h5", "--json")
        self.assertEqual((compared["failed"], compared["non_mated"]), (compared["failed"], len(scores)))

    def test_bits_that_cannot_be_compared_so_are_told(self):
        for arguments, said in ((["--length", "65"], "expected a multiple of 8"),
                                (["--length", "64", "--comparator", "hamming:minimum-valid-bits=65"], "65"),
                                (["--backend", "cpu-vnni"], "cpu-vnni")):
            self.bad(1 if said == "cpu-vnni" else 2, "bench", "--comparator", "hamming", "--templates", "20", "--groups", "2", *arguments)


class Faults(Case):
    def test_what_cannot_be_measured_is_told(self):
        wrong = [(["--groups", "65"], "a whole number from 1 to 64"),
                 (["--samples-per-subject", "700"], "samples-per-subject is 700, expected 1 to 699"),
                 (["--templates", "1"], "a whole number from 2"), (["--length", "4097"], "length is 4097, expected 1 to 4096"),
                 (["--tail-limit", "0"], "neither a number of pairs above 0 nor 'default'"),
                 (["--tail-limit", "most"], "neither a number"), (["--tail-limit", "99999999999"], "at most"),
                 (["--fmr-targets", "2"], "the false match rate 2 is not"),
                 (["--backend", "gpu"], "unknown backend 'gpu'"),
                 (["--comparator", "cosin"], "did you mean 'cosine'?"), (["--repeat", "0"], "from 1 to 101")]
        for arguments, expected in wrong:
            with self.subTest(arguments=arguments):
                self.assertIn(expected, self.bad(2, "bench", *SMALL, *arguments))
        self.assertIn("5 groups of 4 subjects",
                      self.bad(2, "bench", "--templates", "16", "--groups", "5", "--samples-per-subject", "4"))

    def test_an_export_that_cannot_be_written_is_told(self):
        with open(self.path("file"), "w", encoding="utf-8"):
            pass
        self.assertIn("file", self.bad(1, "bench", "--export", "file/x", *SMALL))
        self.assertEqual(os.listdir(self.folder), ["file"])


    def test_an_export_replaces_nothing(self):
        with open(self.path("labels.csv"), "w", encoding="utf-8") as mine:
            mine.write("mine\n")
        text = self.bad(2, "bench", "--templates", "20", "--length", "8", "--export", ".")
        self.assertIn("labels.csv is there; expected a folder without it", text)
        self.assertEqual(os.listdir(self.folder), ["labels.csv"])


if __name__ == "__main__":
    main()
