"""test_peers_report -- the figures of PyEER and bob.measure on the score lists that they publish, as a report prints them:
import of the lists, summary.json and the page. Skips where ASSAY_DATA, the folder that holds scores/, is not there."""
import json
import os
import re

from cli_support import Case, main, read, skip

SCORES = os.path.join(os.environ.get("ASSAY_DATA", ""), "scores")


class Peers(Case):
    def report(self, mated, non_mated, targets="1e-1,1e-2"):
        self.good("import", "scores", os.path.join(SCORES, mated), os.path.join(SCORES, non_mated), "--release", "peer",
                  "--version", "1", "--fmr-targets", targets, "-o", "e.h5", "-q")
        self.good("report", "e.h5", "-o", "r", "-q")
        self.page = re.sub(r"<[^>]+>", "", read(self.path("r", "index.html")))
        return json.loads(read(self.path("r", "summary.json")))["releases"][0]

    def test_pyeer(self):
        for name, mated, non_mated, eer in (("exp1", 2793, 4950, 0.0808623290), ("exp2", 180, 3619, 0.0441896165),
                                            ("exp3", 2786, 66633, 0.1141693075)):
            made = self.report("pyeer/non_hist/%s_true.txt" % name, "pyeer/non_hist/%s_false.txt" % name)
            self.assertEqual((made["mated"]["comparisons"], made["non_mated"]["comparisons"]), (mated, non_mated))
            self.assertAlmostEqual(made["eer"]["value"], eer, delta=5.1e-11)  # ten digits are published
            self.assertIn("{:.3g}".format(100 * eer), self.page)
            if name == "exp1":
                self.assertAlmostEqual(made["auc"]["value"], 0.9650048643, delta=5.1e-11)
                self.assertAlmostEqual(made["dprime"]["value"], 2.0590573, delta=5.1e-8)
            self.assertIsNone(made["operating_points"][0]["fmr"]["low"])  # nobody knows how many people these are

    def test_bob(self):
        made = self.report("bob/nonsep-positives.hdf5:/array", "bob/nonsep-negatives.hdf5:/array", "1,1e-1,1e-2")
        self.assertEqual([p["fnmr"]["value"] for p in made["operating_points"]], [0, 0.12, 0.48])
        self.assertAlmostEqual(made["auc"]["value"], 0.9326, delta=5.1e-5)


if __name__ == "__main__":
    if not os.path.isfile(os.path.join(SCORES, "pyeer", "non_hist", "exp1_true.txt")):
        skip("ASSAY_DATA names no folder with scores/ in it")
    main()
