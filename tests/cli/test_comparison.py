"""test_comparison -- two releases in one report: words, tables and summary.json say the same."""
import json
import os
import re

from cli_support import Case, main, read, read_csv, write

CONFIG = """assay: 1
name: two
population: { seed: 5, subjects: 40, samples_per_subject: 3, image_size: 48, planted: true }
releases:
  - { name: lbp, version: "1.0", algorithm: lbp }
  - { name: lbp, version: "1.1", algorithm: lbp-normalised }
comparison: { fmr_targets: [1e-1, 1e-2] }
report: { by: [group] }
"""


class Comparison(Case):
    def test_page_tables_and_summary_agree(self):
        write(self.folder, "two.yaml", CONFIG)
        self.good("run", "two.yaml", "-q", "--output", "out")
        report = self.path("out", "report")
        made = json.loads(read(os.path.join(report, "summary.json")))["comparisons"]
        self.assertEqual([("lbp 1.0", "lbp 1.1")], [(c["earlier"], c["later"]) for c in made])
        made = made[0]
        page = re.sub(r"<[^>]*>", "", read(os.path.join(report, "index.html")))
        rows = read_csv(os.path.join(report, "tables", "discordant.csv"))
        counts = made["discordant"]
        for kind, wrong, key in (("mated", "later", "mated_only_later"), ("mated", "earlier", "mated_only_earlier"),
                                 ("non-mated", "later", "non_mated_only_later"),
                                 ("non-mated", "earlier", "non_mated_only_earlier")):
            found = [r for r in rows if r["kind"] == kind and r["wrong"] == wrong]
            self.assertEqual(counts[key], len(found))
            for row in found:
                self.assertEqual(kind == "mated", row["subject_a"] == row["subject_b"])
        self.assertEqual(2, len(made["points"]))
        table = [r for r in read_csv(os.path.join(report, "tables", "comparison.csv")) if not r["attribute"]]
        for point, row in zip(made["points"], table):
            d = point["gfnmr_difference"]
            self.assertAlmostEqual(d["value"], (d["only_later"] - d["only_earlier"]) / d["trials"], places=12)
            self.assertLess(d["low"], d["value"])
            self.assertGreater(d["high"], d["value"])
            self.assertEqual(d["value"], float(row["gfnmr_difference"]))
            self.assertEqual(point["fmr_ratio"]["value"], float(row["fmr_ratio"]))
        # The headline's difference is the one whose discordant comparisons are listed, and the words follow it.
        headline = [p for p in made["points"] if p["gfnmr_difference"]["only_later"] == counts["mated_only_later"]
                    and p["gfnmr_difference"]["only_earlier"] == counts["mated_only_earlier"]]
        self.assertEqual(1, len(headline))
        d = headline[0]["gfnmr_difference"]
        word = "lower, beyond chance" if d["high"] < 0 else "higher, beyond chance" if d["low"] > 0 else \
            "not different beyond chance"
        self.assertIn("the generalized FNMR of the later release is " + word, page)
        self.assertIn("(%d missed by the later alone, %d by the earlier alone)"
                      % (counts["mated_only_later"], counts["mated_only_earlier"]), page)
        self.assertIn("If nobody sets the threshold anew", page)
        self.assertEqual(2, len(made["threshold_transfer"]))
        self.assertEqual(4, len(made["groups"]))
        for which, version in (("earlier", "1.0"), ("later", "1.1")):
            cost = made["cost"][which]
            said = self.json("info", "out/lbp-%s/evidence.h5" % version, "--json")["provenance"]
            self.assertEqual(said["enrolment_seconds_median"], cost["enrolment_seconds_median"])
            self.assertEqual(8 * 8 * 59 * 4, cost["template_bytes"])
            self.assertGreater(cost["comparisons_per_second"], 0)
        self.assertIn("15,104 bytes", page)

    def test_a_target_that_cannot_be_measured_is_marked_where_releases_are_compared(self):
        write(self.folder, "two.yaml", CONFIG.replace("[1e-1, 1e-2]", "[1e-2, 1e-7]"))
        self.good("run", "two.yaml", "-q", "--output", "out")
        page = read(os.path.join(self.path("out", "report"), "index.html"))
        table = page[page.index('id="comparison"'):page.index("If nobody sets the threshold anew")]
        rows = [re.sub(r"<[^>]*>", "", row) for row in table.split("<tr")[2:]]
        self.assertEqual([False, True], ["cannot be measured here: fewer than 1/f" in row for row in rows])

    def test_references_of_the_earlier_release_with_probes_of_the_later(self):
        config = CONFIG.replace("algorithm: lbp-normalised", "algorithm: lbp, parameters: { crop: 0.72 }, "
                                "old_references: [\"lbp 1.0\"]")
        write(self.folder, "two.yaml", config)
        self.good("run", "two.yaml", "-q", "--output", "out")
        report = self.path("out", "report")
        made = json.loads(read(os.path.join(report, "summary.json")))["comparisons"][0]
        mixed = made["references_of_one_probes_of_the_other"]
        self.assertEqual([("1.0", "1.1")], [(m["references"]["version"], m["probes"]["version"]) for m in mixed])
        # Alone, with the same thresholds, its report has the same figures.
        thresholds = [p["threshold"] for p in mixed[0]["points"]]
        self.assertEqual(2, len(thresholds))
        self.good("compare", "--references", "out/lbp-1.0/templates.h5", "--probes", "out/lbp-1.1/templates.h5",
                  "--thresholds", ",".join(repr(t) for t in thresholds), "-o", "alone.h5", "-q")
        self.good("report", "alone.h5", "-o", "alone", "-q")
        alone = json.loads(read(self.path("alone", "summary.json")))["releases"][0]
        alone = {p["threshold"]: p for p in alone["operating_points"] if p["kind"] == "threshold"}
        for point in mixed[0]["points"]:
            for rate in ("fmr", "fnmr", "gfnmr"):
                for key in ("errors", "trials", "low", "high"):
                    self.assertEqual(alone[point["threshold"]][rate][key], point[rate][key], (rate, key))
        self.assertEqual(2 * 40 * 3, mixed[0]["points"][0]["fnmr"]["trials"])
        page = re.sub(r"<[^>]*>", "", read(os.path.join(report, "index.html")))
        self.assertIn("Where references of lbp 1.0 meet probes of lbp 1.1, at the threshold of lbp 1.1, the generalized "
                      "FNMR is", page)
        self.assertIn("(%d of 240" % mixed[0]["points"][0]["gfnmr"]["errors"], page)
        self.assertIn('<a href="#comparison">', read(os.path.join(report, "index.html")))
        self.assertEqual(2, len(read_csv(os.path.join(report, "tables", "mixed.csv"))))
        again = self.good("run", "two.yaml", "--output", "out").stdout
        self.assertEqual(3, len(re.findall("compare .* up to date", again)))
        # Of other templates it is no evidence of these two, and alone between them it is none of one data set more.
        self.assertIn("needs that of both releases", self.bad(2, "report", "alone.h5", "out/lbp-1.0/evidence.h5", "-o", "x"))

    def test_releases_that_are_not_compatible_stop_the_run(self):
        write(self.folder, "two.yaml", CONFIG.replace("lbp-normalised", "lbp-normalised, old_references: [\"lbp 1.0\"]"))
        self.assertIn("are not compatible, by what their algorithms say", self.bad(2, "run", "two.yaml", "-q"))
        write(self.folder, "two.yaml", CONFIG.replace("lbp-normalised", "lbp-normalised, old_references: [\"lbp 1.7\"]"))
        self.assertIn("'lbp 1.7' is no other release of this file", self.bad(2, "run", "two.yaml", "-q"))

    def test_a_release_beside_itself_differs_in_nothing(self):
        write(self.folder, "two.yaml", CONFIG)
        self.good("run", "two.yaml", "-q", "--output", "out")
        old = self.path("out", "lbp-1.0", "evidence.h5")
        self.good("report", old, old, "-o", "same")
        summary = json.loads(read(self.path("same", "summary.json")))
        made, points = summary["comparisons"][0], summary["releases"][0]["operating_points"]
        for point in made["points"]:
            self.assertEqual(0, point["gfnmr_difference"]["value"])
            self.assertEqual(1, point["swap_p"])
            self.assertEqual(1, point["fmr_ratio"]["value"])
        self.assertEqual(0, sum(made["discordant"].values()))
        for moved, point in zip(made["threshold_transfer"], points):
            self.assertEqual(point["fmr"]["errors"], moved["fmr"]["errors"])
            self.assertEqual(point["fnmr"]["errors"], moved["fnmr"]["errors"])
        self.assertEqual(1, len(read(self.path("same", "tables", "discordant.csv")).splitlines()))
        self.good("report", old, "-o", "one")
        self.assertEqual([], json.loads(read(self.path("one", "summary.json")))["comparisons"])
        self.assertNotIn("Release against release", read(self.path("one", "index.html")))


if __name__ == "__main__":
    main()
