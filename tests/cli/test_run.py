"""test_run -- `assay run` from a configuration to a report, and what it does not do twice."""
import json
import os

from cli_support import SMALL, Case, assay, listing, main, read, write, write_npy

STEPS = ["population", "ingest", "enroll", "enroll", "compare", "compare", "report"]


def outcomes(result):
    return [step["outcome"] for step in result["steps"]]


class Run(Case):
    def setUp(self):
        super().setUp()
        write(self.folder, "small.yaml", SMALL)

    def run_small(self, *more):
        return self.json("run", "small.yaml", "--json", *more)

    def test_a_dry_run_says_what_it_would_do_and_touches_nothing(self):
        before = listing(self.folder)
        result = self.run_small("--dry-run")
        self.assertEqual([step["step"] for step in result["steps"]], STEPS)
        self.assertEqual(set(outcomes(result)), {"planned"})
        self.assertIn("GB of memory", result["steps"][4]["summary"])
        self.assertEqual(listing(self.folder), before)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_run_makes_every_file_and_a_second_one_none(self):
        first = self.run_small()
        self.assertEqual(outcomes(first), ["done"] * 7)
        for name in ("population/manifest.csv", "dataset.h5", "lbp-1.0/templates.h5", "lbp-1.0/evidence.h5",
                     "lbp-1.1/evidence.h5", "report/index.html", "report/summary.json"):
            self.assertTrue(os.path.exists(self.path("out/small", name)), name)
        before = listing(self.folder)
        for more in ([], ["--dry-run"]):
            second = self.run_small(*more)
            self.assertEqual(outcomes(second), ["up to date"] * 7)
            self.assertEqual([step["digest"] for step in second["steps"]],
                             [step["digest"] for step in first["steps"]])
        self.assertEqual(listing(self.folder), before)
        self.good("verify", "out/small")
        with open(self.path("out/small/report/summary.json"), encoding="utf-8") as text:
            summary = json.load(text)
        self.assertEqual(summary["schema"], "assay-summary/2")
        self.assertEqual([release["version"] for release in summary["releases"]], ["1.0", "1.1"])
        self.assertEqual(summary["dataset"]["samples"], 32)

    def test_only_what_a_change_touches_is_done_again(self):
        first = self.run_small()
        write(self.folder, "small.yaml", SMALL.replace("[1e-1, 1e-2]", "[1e-1]"))
        self.assertEqual(outcomes(self.run_small()), ["up to date"] * 4 + ["done"] * 3)
        write(self.folder, "small.yaml", SMALL.replace("algorithm: lbp-n", "parameters: { grid: 6 }, algorithm: lbp-n"))
        result = self.run_small()
        self.assertEqual(outcomes(result)[:4], ["up to date"] * 3 + ["done"])
        write(self.folder, "small.yaml", SMALL.replace("title: Small", "title: Little"))
        self.run_small()
        write(self.folder, "small.yaml", SMALL)
        self.assertEqual(outcomes(self.run_small()), ["up to date"] * 6 + ["done"])
        forced = self.run_small("--force")
        self.assertEqual(outcomes(forced), ["done"] * 7)
        self.assertEqual([step["digest"] for step in forced["steps"]], [step["digest"] for step in first["steps"]])

    def test_a_changed_image_is_found_by_its_bytes(self):
        self.run_small()
        self.good("synth", "--images", "--subjects", "6", "--samples", "2", "--size", "48", "-o", "faces")
        first = self.json("run", "faces/assay.yaml", "--json", "-o", "out/faces")
        self.assertEqual(outcomes(first), ["done"] * 6)
        lines = read(self.path("faces/manifest.csv")).splitlines()
        column = lines[0].split(",").index("sha256")
        write(self.folder, "faces/manifest.csv", "\n".join(
            ",".join(cell for n, cell in enumerate(line.split(",")) if n != column) for line in lines) + "\n")
        image = self.path("faces/images", sorted(os.listdir(self.path("faces/images")))[0])
        with open(image, "r+b") as picture:
            picture.seek(-1, os.SEEK_END)
            last = picture.read(1)[0]
            picture.seek(-1, os.SEEK_END)
            picture.write(bytes([last ^ 1]))
        second = self.json("run", "faces/assay.yaml", "--json", "-o", "out/faces")
        self.assertEqual(outcomes(second), ["done"] * 6)
        self.assertNotEqual(second["steps"][0]["digest"], first["steps"][0]["digest"])

    def test_a_damaged_file_is_told_and_made_again(self):
        first = self.run_small()
        evidence = self.path("out/small/lbp-1.0/evidence.h5")
        with open(evidence, "r+b") as damaged:
            damaged.seek(os.path.getsize(evidence) // 2)
            byte = damaged.read(1)[0]
            damaged.seek(-1, os.SEEK_CUR)
            damaged.write(bytes([byte ^ 0x40]))
        self.assertIn("DAMAGED", self.assert_damaged("verify", "out/small"))
        done = self.good("run", "small.yaml", "--json")
        self.assertIn("is made again", done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(outcomes(result), ["up to date"] * 4 + ["done"] + ["up to date"] * 2)
        self.assertEqual(result["steps"][4]["digest"], first["steps"][4]["digest"])
        self.good("verify", "out/small")

    def assert_damaged(self, *arguments):
        done = assay(*arguments, folder=self.folder)
        self.assertEqual(done.returncode, 1)
        return done.stdout

    def test_nothing_is_told_where_quiet(self):
        done = self.good("run", "small.yaml", "--quiet")
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_a_folder_that_is_not_ours_is_not_replaced(self):
        write(self.folder, "out/small/population/holiday.jpg", "a picture")
        self.assertIn("has no assay.yaml", self.bad(2, "run", "small.yaml"))
        self.assertTrue(os.path.exists(self.path("out/small/population/holiday.jpg")))

    def vendor(self, rows, comparison="{ fmr_targets: [1e-1] }"):
        """Two imported releases of four samples, the first of these templates, the second of good ones."""
        write_npy(self.path("x.npy"), rows)
        write_npy(self.path("y.npy"), [[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
        write(self.folder, "x.csv", "sample,subject,sex\na,1,F\nb,1,F\nc,2,M\nd,2,M\n")
        write(self.folder, "vendor.yaml", """assay: 1
name: vendor
releases:
  - { name: x, version: "1", templates: x.npy, labels: x.csv }
  - { name: y, version: "1", templates: y.npy, labels: x.csv }
comparison: %s
""" % comparison)

    def test_a_step_that_failed_says_so_and_later_ones_say_nothing(self):
        self.vendor([[1, 0], [1e-12, 0], [0, 1], [1, 1]], "{ comparator: inner-product }")
        done = assay("run", "vendor.yaml", folder=self.folder)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("templates differ too much in length", done.stderr)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], ["import", "import", "compare"])
        self.assertRegex(done.stdout, r"compare +x 1 +failed *\n$")
        done = assay("run", "vendor.yaml", "--json", folder=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("templates differ too much in length", done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual([(step["step"], step["outcome"]) for step in result["steps"]],
                         [("import", "up to date"), ("import", "up to date"), ("compare", "failed")])
        self.assertEqual((result["report"], result["steps"][2]["digest"]), (None, None))

    def test_a_report_that_failed_says_so(self):
        self.vendor([[1, 0], [0.9, 0], [0, 1], [1, 1]])
        write(self.folder, "vendor.yaml", read(self.path("vendor.yaml")) + "report: { by: [height] }\n")
        done = assay("run", "vendor.yaml", folder=self.folder)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stdout, r"\nreport +failed +out/vendor/report/index.html\n$")
        done = assay("run", "vendor.yaml", "--json", folder=self.folder)
        result = json.loads(done.stdout)
        self.assertEqual(outcomes(result), ["up to date"] * 4 + ["failed"])
        self.assertIsNone(result["report"])

    def test_a_release_that_enrols_nobody_or_one_is_evaluated(self):
        for rows in ([[0, 0]] * 4, [[0, 0]] * 3 + [[1, 0]]):
            with self.subTest(rows=rows):
                self.vendor(rows)
                done = self.good("run", "vendor.yaml", "--json")
                enrolled = sum(row != [0, 0] for row in rows)
                self.assertIn("x 1: %d of 4 samples are enrolled" % enrolled, done.stderr)
                result = json.loads(done.stdout)
                self.assertEqual([step["step"] for step in result["steps"]], ["import"] * 2 + ["compare"] * 2 + ["report"])
                self.assertIn("0 mated, 0 non-mated comparisons", result["steps"][2]["summary"])
                about = self.json("info", "out/vendor/x-1/evidence.h5", "--json")
                self.assertEqual(set(about["pairs"].values()), {0})
                self.assertTrue(about["tail"]["complete"])
                summary = json.loads(read(self.path("out/vendor/report/summary.json")))
                figures = summary["releases"][0]
                self.assertEqual((figures["fte"]["errors"], figures["fte"]["trials"]), (4 - enrolled, 4))
                self.assertIsNone(figures["operating_points"][0]["threshold"])
                self.assertIn("failed", summary["releases"][0])
                again = self.json("run", "vendor.yaml", "--json")
                self.assertEqual(outcomes(again), ["up to date"] * 5)
                self.good("verify", "out/vendor")

    def test_nobody_compared_is_the_same_bits_whoever_does_not_compare(self):
        self.vendor([[0, 0]] * 4)
        self.good("run", "vendor.yaml")
        templates = "out/vendor/x-1/templates.h5"
        write(self.folder, "pairs.csv", "reference,probe\na,b\na,c\n")
        for more in ([], ["--histogram-by", "sex"], ["--protocol", "one-per-subject"], ["--histogram", "none"],
                     ["--protocol", "pairs", "--pairs", "pairs.csv"], ["--thresholds", "0.5", "--tail-cap", "1"]):
            digests = {self.json("compare", templates, "-o", "e.h5", "--json", "--backend", backend, "--matrix", "m.h5",
                                 *more)["result_digest"] if "pairs" not in more else
                       self.json("compare", templates, "-o", "e.h5", "--json", "--backend", backend, *more)["result_digest"]
                       for backend in ("cpu", "reference")}
            self.assertEqual(len(digests), 1)
            self.good("report", "e.h5", "-o", "r")

    def test_a_warning_of_the_manifest_is_told_once(self):
        self.good("synth", "--images", "--subjects", "3", "--samples", "2", "--size", "48", "-o", "faces")
        rows = [line.split(",") for line in read(self.path("faces/manifest.csv")).splitlines()]
        for column in ("path", "sha256"):
            at = rows[0].index(column)
            rows[5][at] = rows[1][at]
        write(self.folder, "faces/manifest.csv", "".join(",".join(row) + "\n" for row in rows))
        for _ in range(2): # done, then up to date
            done = self.good("run", "faces/assay.yaml", "-o", "out")
            self.assertEqual(done.stderr.count("are the same image, byte for byte"), 1, done.stderr)
        self.assertEqual(self.good("run", "faces/assay.yaml", "-o", "new", "-n").stderr.count("are the same image"), 1)

    def test_reference_and_cpu_and_any_number_of_threads_give_the_same_result(self):
        digests = set()
        for n, more in enumerate((["--backend", "reference"], ["--backend", "cpu", "--threads", "1"],
                                  ["--threads", "3"])):
            result = self.run_small("-o", "out/%d" % n, *more)
            digests.add(tuple(step["digest"] for step in result["steps"] if step["step"] == "compare"))
        self.assertEqual(len(digests), 1, digests)


if __name__ == "__main__":
    main()
