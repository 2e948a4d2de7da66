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
                self.assertEqual(kind == "mated", row["subject_i"] == row["subject_j"])
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
