"""test_run -- `assay run` from a configuration to a report, and what it does not do twice."""
import json
import os

from cli_support import SMALL, Case, assay, listing, main, read, write

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
        self.assertEqual(summary["schema"], "assay-summary/1")
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

    def test_reference_and_cpu_and_any_number_of_threads_give_the_same_result(self):
        digests = set()
        for n, more in enumerate((["--backend", "reference"], ["--backend", "cpu", "--threads", "1"],
                                  ["--threads", "3"])):
            result = self.run_small("-o", "out/%d" % n, *more)
            digests.add(tuple(step["digest"] for step in result["steps"] if step["step"] == "compare"))
        self.assertEqual(len(digests), 1, digests)


if __name__ == "__main__":
    main()
