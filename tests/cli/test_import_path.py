"""test_import_path -- templates made elsewhere, from .npy to a report, one command line each."""
import csv
import json
import os

from cli_support import Case, main, read, read_csv, write


class ImportPath(Case):
    def setUp(self):
        super().setUp()
        self.good("synth", "--templates", "--subjects", "120", "--samples", "3", "--length", "64", "--planted",
                  "--seed", "11", "-o", "s")

    def imported(self, name="t.h5", *more):
        return self.json("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release",
                         "synth", "--version", "1", "-o", name, "--json", *more)

    def test_import_compare_report(self):
        self.assertEqual(self.imported()["enrolled"], 360)
        compared = self.json("compare", "t.h5", "-o", "e.h5", "--fmr-targets", "1e-1,1e-2,1e-3", "--json")
        self.assertEqual((compared["mated"], compared["non_mated"]), (360, 64620 - 360))
        self.good("report", "e.h5", "-o", "r")
        with open(self.path("r/summary.json"), encoding="utf-8") as text:
            summary = json.load(text)
        self.assertEqual(summary["dataset"]["subjects"], 120)
        point = summary["releases"][0]["operating_points"][0]
        self.assertLessEqual(point["fmr"]["value"], 0.1)

    def test_attributes_come_from_the_labels(self):
        self.imported()
        columns = read_csv(self.path("s/labels.csv"))[0].keys()
        self.assertIn("group", columns)
        text = json.dumps(self.json("info", "t.h5", "--json"))
        self.assertIn('"group"', text)

    def test_a_pair_list_compares_those_pairs_alone(self):
        self.imported()
        rows = read_csv(self.path("s/labels.csv"))
        with open(self.path("pairs.csv"), "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["reference", "probe"])
            for n in range(0, 30, 3):
                writer.writerow([rows[n]["sample"], rows[n + 1]["sample"]])
                writer.writerow([rows[n]["sample"], rows[n + 4]["sample"]])
        result = self.json("compare", "t.h5", "-o", "e.h5", "--protocol", "pairs", "--pairs", "pairs.csv", "--json")
        self.assertEqual((result["mated"], result["non_mated"]), (10, 10))

    def test_the_pick_seed_decides_where_captures_do_not(self):
        rows = read(self.path("s/labels.csv")).replace(",captured,", ",unknown,")
        write(self.folder, "s/labels.csv", rows)
        self.imported()
        one = ["compare", "t.h5", "-o", "e.h5", "--protocol", "one-per-subject", "--json"]
        write(self.folder, "seed.yaml", """assay: 1
name: seed
releases: [{ name: a, version: "1", templates: t.h5 }]
comparison: { protocol: one-per-subject, pick_seed: 5 }
""")
        by_option = self.json(*one, "--pick-seed", "5")
        self.assertEqual((by_option["mated"], by_option["non_mated"]), (120, 120 * 119))
        self.assertEqual(self.json("info", "e.h5", "--json")["protocol"]["pick_seed"], "5")
        configured = self.json(*one, "--config", "seed.yaml")
        self.assertEqual(configured["result_digest"], by_option["result_digest"])
        digests = {self.json(*one, "--config", "seed.yaml", "--pick-seed", seed)["result_digest"]
                   for seed in ("0", "5", "6")}
        self.assertEqual(len(digests), 3)
        self.assertIn(by_option["result_digest"], digests)
        self.assertIn(self.json(*one)["result_digest"], digests) # 0 where nothing is said

    def test_a_cross_protocol_compares_references_with_probes(self):
        self.imported()
        sessions = sorted({row["session"] for row in read_csv(self.path("s/labels.csv"))})
        result = self.json("compare", "t.h5", "-o", "e.h5", "--protocol", "cross", "--role-column", "session",
                           "--reference", sessions[0], "--probe", sessions[1], "--json")
        self.assertEqual((result["mated"], result["non_mated"]), (120, 120 * 119))

    def test_the_release_of_a_configuration_may_be_imported(self):
        write(self.folder, "vendor.yaml", """assay: 1
name: vendor
releases:
  - { name: vendor, version: "3", templates: s/templates.npy, labels: s/labels.csv }
comparison: { fmr_targets: [1e-2], comparator: euclidean }
""")
        plan = self.json("run", "vendor.yaml", "--json", "--dry-run")
        self.assertIn("360 samples, 64 components", plan["steps"][0]["summary"])
        first = self.json("run", "vendor.yaml", "--json")
        self.assertEqual([step["step"] for step in first["steps"]], ["import", "compare", "report"])
        self.assertEqual([step["outcome"] for step in first["steps"]], ["done"] * 3)
        second = self.json("run", "vendor.yaml", "--json")
        self.assertEqual([step["outcome"] for step in second["steps"]], ["up to date"] * 3)
        labels = read(self.path("s/labels.csv"))
        write(self.folder, "s/labels.csv", labels.replace(",female", ",woman"))
        third = self.json("run", "vendor.yaml", "--json")
        self.assertEqual([step["outcome"] for step in third["steps"]], ["done"] * 3)

    def test_templates_of_another_data_set_are_refused_before_comparing(self):
        self.imported("a.h5")
        labels = read(self.path("s/labels.csv"))
        write(self.folder, "s/labels.csv", labels.replace(",female", ",woman"))
        self.imported("b.h5")
        write(self.folder, "two.yaml", """assay: 1
name: two
releases:
  - { name: a, version: "1", templates: a.h5 }
  - { name: b, version: "1", templates: b.h5 }
""")
        self.assertIn("are of different data sets", self.bad(2, "run", "two.yaml"))
        self.assertFalse(os.path.exists(self.path("out/two/a-1/evidence.h5")))

    def test_a_comparison_that_does_not_fit_memory_is_refused_with_the_figures(self):
        self.imported()
        text = self.bad(1, "compare", "t.h5", "-o", "e.h5", "--memory", "100000")
        self.assertRegex(text, "needs [0-9.]+ GB")
        self.assertFalse(os.path.exists(self.path("e.h5")))


if __name__ == "__main__":
    main()
