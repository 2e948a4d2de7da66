"""test_worklist -- errors to look at from the command line: files that agree, formulas kept out, folders of others."""
import json
import os

from cli_support import SMALL, Case, main, read, read_csv, write, write_npy

NAMES = ["non_mated", "mated", "disagreements", "labels"]


class Worklist(Case):
    def evidence(self):
        write(self.folder, "small.yaml", SMALL)
        self.good("run", "small.yaml", "-q")
        return ["out/small/lbp-1.%d/evidence.h5" % n for n in range(2)]

    def test_csv_json_and_what_is_printed_agree(self):
        paths = self.evidence()
        told = self.json("worklist", *paths, "-o", "look", "--fmr", "0.1", "--limit", "7", "--json")
        whole = json.loads(read(self.path("look", "worklists.json")))
        self.assertEqual(whole["schema"], "assay-worklists/1")
        self.assertEqual((whole["deployment"], whole["limit"]), ("FMR 0.1 on this set", 7))
        self.assertEqual([l["found"] for l in told["lists"]], [l["found"] for l in whole["lists"]])
        for name in NAMES:
            rows = read_csv(self.path("look", name + ".csv"))
            items = [(l, i) for l in whole["lists"] if l["list"] == name for i in l["items"]]
            self.assertEqual(len(rows), len(items))
            for row, (of, item) in zip(rows, items):
                release = whole["releases"][of["release"]]
                self.assertEqual((row["version"], row["reason"], row["sample_a"], row["subject_b"]),
                                 (release["version"], item["reason"], item["a"]["sample"], item["b"]["subject"]))
                self.assertEqual(row["error"], "yes" if item["error"] else "no")
                if item["score"] is not None:
                    self.assertEqual(float(row["score"]), item["score"])
                    if name in ("mated", "non_mated"):
                        self.assertEqual(item["error"], (item["score"] >= release["threshold"]) == (name != "mated"))
        highest = [float(r["score"]) for r in read_csv(self.path("look", "non_mated.csv")) if r["version"] == "1.0"]
        self.assertEqual((len(highest), highest), (7, sorted(highest, reverse=True)))
        self.good("worklist", paths[0], "-o", "look", "-q")  # once more over its own

    def test_a_name_is_no_formula_and_a_folder_of_somebody_else_is_left_alone(self):
        write_npy(self.path("x.npy"), [[1, 0, 0], [0.9, 0.1, 0], [1, 0.05, 0], [0, 1, 0]])
        write(self.folder, "x.csv", "sample_id,subject_id\n=1+1,@a\nb,@a\nc,c\nd,d\n")
        self.good("import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1", "-o", "t.h5")
        self.good("compare", "t.h5", "-o", "e.h5")
        self.good("worklist", "e.h5", "-o", "look", "--threshold", "0.5")
        rows = read_csv(self.path("look", "mated.csv"))
        self.assertEqual((rows[0]["sample_a"], rows[0]["subject_a"]), ("'=1+1", "'@a"))
        self.assertIn("match as one person does", read(self.path("look", "labels.csv")))
        os.mkdir(self.path("mine"))
        write(self.folder, "mine/mated.csv", "my own\n")
        self.assertIn("mine/mated.csv is there and assay did not make it",
                      self.bad(2, "worklist", "e.h5", "-o", "mine"))
        self.assertEqual(read(self.path("mine", "mated.csv")), "my own\n")
        self.assertIn("one threshold is used",
                      self.bad(2, "worklist", "e.h5", "-o", "n", "--fmr", "0.1", "--threshold", "1"))
        self.assertIn("expected a rate above 0", self.bad(2, "worklist", "e.h5", "-o", "n", "--fmr", "2"))
        self.assertFalse(os.path.exists(self.path("n")))


if __name__ == "__main__":
    main()
